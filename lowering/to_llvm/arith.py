"""arith to llvm: mostly op to op; what differs is written out here.

Integers wrap. Casts of floats to integers saturate, NaN gives 0. Minima and maxima are IEEE 754's:
`minimumf` gives NaN where an operand is, `minnumf` the number; -0 is less than +0 in both. 16-bit
floats are computed with in f32 (see floats.py). Integer division never traps: upstream leaves the
result of dividing by zero open, here it is 0 (and the remainder 0), and INT_MIN / -1 wraps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    BFloat16Type,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    VectorType,
    i32,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import llvm, marks
from ...dialects.arith import RemFOp
from ...passes.utils.block_editing import constant_value
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..emit.llvm_constants import bfloat_bits, half_bits, mangled
from .floats import from_integer, is_small, narrow, widen
from .target import binary, const, icmp, integer_attribute, like, resize, select, width

RULES = Rules()
converts = RULES.converts

_INTEGER: dict[type[Operation], type[Operation]] = {
    arith.AndIOp: llvm.AndOp,
    arith.OrIOp: llvm.OrOp,
    arith.XOrIOp: llvm.XorOp,
    arith.ShRUIOp: llvm.LShrOp,
    arith.ShRSIOp: llvm.AShrOp,
    arith.MinSIOp: llvm.INTRINSICS["smin"],
    arith.MaxSIOp: llvm.INTRINSICS["smax"],
    arith.MinUIOp: llvm.INTRINSICS["umin"],
    arith.MaxUIOp: llvm.INTRINSICS["umax"],
}
RULES.rename(_INTEGER)  # pyright: ignore[reportArgumentType]  # a dict is invariant

_WITH_OVERFLOW: dict[type[Operation], type[Operation]] = {
    arith.AddiOp: llvm.AddOp,
    arith.SubiOp: llvm.SubOp,
    arith.MuliOp: llvm.MulOp,
    arith.ShLIOp: llvm.ShlOp,
}
_FLOAT: dict[type[Operation], type[Operation]] = {
    arith.AddfOp: llvm.FAddOp,
    arith.SubfOp: llvm.FSubOp,
    arith.MulfOp: llvm.FMulOp,
    arith.DivfOp: llvm.FDivOp,
    arith.MinimumfOp: llvm.INTRINSICS["minimum"],
    arith.MaximumfOp: llvm.INTRINSICS["maximum"],
    RemFOp: llvm.FRemOp,
}
_NO_PROPERTIES: Mapping[str, Attribute] = {}


@converts(*_WITH_OVERFLOW)
def convert_wrapping(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Wraps, unless the op promises that it does not."""
    (a,), (b,) = operands
    flags = op.properties.get("overflowFlags")
    words = flags.data if isinstance(flags, arith.IntegerOverflowAttr) else ()
    properties = _NO_PROPERTIES
    if words:
        properties = {"overflowFlags": llvm.OverflowAttr(tuple(sorted(w.value for w in words)))}
    return rw.value(_WITH_OVERFLOW[type(op)], (a, b), a.type, properties)


def fast_math(op: Operation) -> Mapping[str, Attribute]:
    """The fast-math flags of an arith or math op as a property of an llvm op."""
    flags = op.properties.get("fastmath")
    if not isinstance(flags, arith.FastMathFlagsAttr) or not flags.data:
        return _NO_PROPERTIES
    words = tuple(flag.value for flag in flags.data)
    return {"fastmathFlags": llvm.FastMathAttr(llvm.FastMathAttr.normalise(words))}


def in_f32(
    rw: Rewriter,
    op: Operation,
    operands: Operands,
    target: Any,
    properties: Mapping[str, Attribute],
) -> SSAValue:
    """A float op: in its own type, or for 16-bit floats in f32 and back."""
    values = [value for (value,) in operands]
    kind = op.operands[0].type
    if not is_small(kind):
        return rw.value(target, values, values[0].type, properties)
    wide = [widen(rw, value, kind) for value in values]
    return narrow(rw, rw.value(target, wide, wide[0].type, properties), kind)


@converts(*_FLOAT)
def convert_float(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """IEEE 754 arithmetic."""
    return in_f32(rw, op, operands, _FLOAT[type(op)], fast_math(op))


@converts(arith.MinnumfOp, arith.MaxnumfOp)
def convert_number(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """IEEE 754-2019 minimumNumber and maximumNumber."""
    values = [value for (value,) in operands]
    kind = op.operands[0].type
    if is_small(kind):
        values = [widen(rw, value, kind) for value in values]
    result = extreme_number(rw, isinstance(op, arith.MinnumfOp), values[0], values[1])
    return narrow(rw, result, kind) if is_small(kind) else result


def extreme_number(rw: Rewriter, least: bool, a: SSAValue, b: SSAValue) -> SSAValue:
    """The smaller (or larger) of two floats, the number where one is NaN."""
    name = "minimumnum" if least else "maximumnum"
    intrinsic = f"llvm.{name}.{mangled(a.type)}"
    return rw.insert(llvm.CallIntrinsicOp.to(intrinsic, (a, b), [a.type])).results[0]


@converts(arith.NegfOp)
def convert_negf(op: arith.NegfOp, operands: Operands, rw: Rewriter) -> Results:
    """The sign bit flipped, also of NaN and of bits kept as an integer."""
    ((value,),) = operands
    if isinstance(llvm.element_type(value.type), IntegerType):
        return binary(rw, llvm.XorOp, value, -0x8000)
    return rw.value(llvm.FNegOp, (value,), value.type, fast_math(op))


_DIVISIONS: dict[type[Operation], type[Operation]] = {
    arith.DivUIOp: llvm.UDivOp,
    arith.DivSIOp: llvm.SDivOp,
    arith.RemUIOp: llvm.URemOp,
    arith.RemSIOp: llvm.SRemOp,
}


@converts(*_DIVISIONS)
def convert_division(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Truncating division."""
    (a,), (b,) = operands
    divide = _DIVISIONS[type(op)]

    def quotient(divisor: SSAValue) -> SSAValue:
        if not isinstance(op, arith.DivSIOp | arith.RemSIOp) or _is_known(op.operands[1]):
            return binary(rw, divide, a, divisor)
        both = _safe_division(rw, a, divisor)
        return both[0] if isinstance(op, arith.DivSIOp) else both[1]

    return _unless_zero(rw, op, b, quotient)


def _is_known(divisor: SSAValue) -> bool:
    """Whether it is a constant that no processor traps on."""
    return constant_value(divisor) not in (None, 0, -1)


def _unless_zero(
    rw: Rewriter, op: Operation, divisor: SSAValue, compute: Callable[[SSAValue], SSAValue]
) -> SSAValue:
    """What is computed with the divisor, which the processor may trap on; 0 where it is 0."""
    if _is_known(op.operands[1]):
        return compute(divisor)
    none = icmp(rw, "eq", divisor, 0)
    result = compute(select(rw, none, const(rw, 1, divisor.type), divisor))
    return select(rw, none, const(rw, 0, divisor.type), result)


@converts(arith.FloorDivSIOp, arith.CeilDivSIOp)
def convert_rounding_division(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The quotient towards minus or plus infinity; INT_MIN // -1 wraps."""
    (a,), (b,) = operands
    floor = isinstance(op, arith.FloorDivSIOp)

    def rounded(divisor: SSAValue) -> SSAValue:
        quotient, remainder = _safe_division(rw, a, divisor)
        signs = binary(rw, llvm.XorOp, remainder, divisor)
        between = icmp(rw, "slt" if floor else "sge", signs, 0)
        inexact = icmp(rw, "ne", remainder, 0)
        adjust = rw.value(llvm.AndOp, (between, inexact), inexact.type)
        other = binary(rw, llvm.AddOp, quotient, -1 if floor else 1)
        return select(rw, adjust, other, quotient)

    return _unless_zero(rw, op, b, rounded)


def _safe_division(rw: Rewriter, a: SSAValue, b: SSAValue) -> tuple[SSAValue, SSAValue]:
    """Truncated quotient and remainder; a divisor of -1, which may trap, becomes a negation."""
    minus = icmp(rw, "eq", b, -1)
    divisor = select(rw, minus, const(rw, 1, b.type), b)
    quotient = binary(rw, llvm.SDivOp, a, divisor)
    remainder = binary(rw, llvm.SRemOp, a, divisor)
    negated = binary(rw, llvm.SubOp, const(rw, 0, a.type), a)
    return select(rw, minus, negated, quotient), remainder


@converts(arith.CeilDivUIOp)
def convert_ceil_div_unsigned(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """0 for 0, else (a - 1) / b + 1, which cannot wrap."""
    (a,), (b,) = operands

    def rounded(divisor: SSAValue) -> SSAValue:
        quotient = binary(rw, llvm.UDivOp, binary(rw, llvm.AddOp, a, -1), divisor)
        above = binary(rw, llvm.AddOp, quotient, 1)
        return select(rw, icmp(rw, "eq", a, 0), const(rw, 0, a.type), above)

    return _unless_zero(rw, op, b, rounded)


@converts(arith.AddUIExtendedOp)
def convert_add_extended(op: arith.AddUIExtendedOp, operands: Operands, rw: Rewriter) -> Results:
    """The sum, and whether it wrapped."""
    (a,), (b,) = operands
    total = binary(rw, llvm.AddOp, a, b)
    return [total, icmp(rw, "ult", total, a)]


@converts(arith.MulUIExtendedOp, arith.MulSIExtendedOp)
def convert_mul_extended(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The low and the high half of the product, computed in twice the width."""
    (a,), (b,) = operands
    signed = isinstance(op, arith.MulSIExtendedOp)
    bits = width(a.type)
    if bits == 64 and isinstance(a.type, VectorType):
        return [binary(rw, llvm.MulOp, a, b), _high_half(rw, a, b, signed)]
    wide = like(a.type, IntegerType(2 * bits))
    product = binary(
        rw, llvm.MulOp, resize(rw, a, wide, signed=signed), resize(rw, b, wide, signed=signed)
    )
    high = binary(rw, llvm.LShrOp, product, bits)
    return [resize(rw, product, a.type), resize(rw, high, a.type)]


def _high_half(rw: Rewriter, a: SSAValue, b: SSAValue, signed: bool) -> SSAValue:
    """Of the product of lanes of 64 bits: by halves, since no processor multiplies them whole."""

    def low(x: SSAValue) -> SSAValue:
        return binary(rw, llvm.AndOp, x, 0xFFFFFFFF)

    def high(x: SSAValue) -> SSAValue:
        return binary(rw, llvm.LShrOp, x, 32)

    def plus(x: SSAValue, y: SSAValue) -> SSAValue:
        return binary(rw, llvm.AddOp, x, y)

    first, second = (binary(rw, llvm.MulOp, x(a), y(b)) for x, y in ((low, high), (high, low)))
    below = high(binary(rw, llvm.MulOp, low(a), low(b)))
    middle = high(plus(plus(below, low(first)), low(second)))
    top = binary(rw, llvm.MulOp, high(a), high(b))
    result = plus(plus(top, middle), plus(high(first), high(second)))
    for x, y in ((a, b), (b, a)) if signed else ():
        negative = binary(rw, llvm.AndOp, binary(rw, llvm.AShrOp, x, 63), y)
        result = binary(rw, llvm.SubOp, result, negative)
    return result


# --- constants, comparisons, selection ------------------------------------------------------------


@converts(arith.ConstantOp)
def convert_constant(op: arith.ConstantOp, operands: Operands, rw: Rewriter) -> Results:
    """The number in its new type."""
    old = op.results[0].type
    kind = rw.type(old)
    value = _converted(op.properties["value"], old, kind)
    return rw.value(llvm.ConstantOp, (), kind, {"value": value})


def _converted(value: Attribute, old: Attribute, kind: Attribute) -> Attribute:
    """A constant's attribute in the new type; floats kept as integers by their bits."""
    element, new = llvm.element_type(old), llvm.element_type(kind)
    if isinstance(value, DenseIntOrFPElementsAttr):
        if element == new:
            return cast(Attribute, value)
        numbers = [int(_number(each, element, new)) for each in value.iter_attrs()]
        vector = cast(VectorType[IntegerType], kind)
        return cast(Attribute, DenseIntOrFPElementsAttr.from_list(vector, numbers))
    if element == new and isinstance(value, IntegerAttr | FloatAttr):
        return cast(Attribute, value)
    return integer_attribute(int(_number(value, element, new)), new)


def _number(value: Attribute, element: Attribute, new: Attribute) -> int | float:
    if isinstance(value, IntegerAttr):
        return value.value.data
    if not isinstance(value, FloatAttr):
        raise CannotConvert(f"the constant {value}")
    if isinstance(new, IntegerType):
        bits = bfloat_bits if isinstance(element, BFloat16Type) else half_bits
        return bits(value.value.data)
    return value.value.data


@converts(arith.CmpiOp)
def convert_cmpi(op: arith.CmpiOp, operands: Operands, rw: Rewriter) -> Results:
    """The numbers of the predicates are the same in both dialects."""
    (a,), (b,) = operands
    predicate = {"predicate": op.properties["predicate"]}
    return rw.value(llvm.ICmpOp, (a, b), llvm.mask_type(a.type), predicate)


@converts(arith.CmpfOp)
def convert_cmpf(op: arith.CmpfOp, operands: Operands, rw: Rewriter) -> Results:
    """The numbers of the predicates are the same in both dialects."""
    (a,), (b,) = operands
    kind = op.operands[0].type
    if is_small(kind):
        a, b = widen(rw, a, kind), widen(rw, b, kind)
    properties = {"predicate": op.properties["predicate"], **fast_math(op)}
    return rw.value(llvm.FCmpOp, (a, b), llvm.mask_type(a.type), properties)


@converts(arith.SelectOp)
def convert_select(op: arith.SelectOp, operands: Operands, rw: Rewriter) -> Results:
    """One select for each value that the type has become."""
    (condition,), yes, no = operands
    return [tuple(select(rw, condition, a, b) for a, b in zip(yes, no, strict=True))]


# --- casts ----------------------------------------------------------------------------------------


@converts(arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp, arith.IndexCastOp)
def convert_integer_cast(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Another width; `index` has the target's."""
    ((value,),) = operands
    signed = not isinstance(op, arith.ExtUIOp)
    return resize(rw, value, rw.type(op.results[0].type), signed=signed)


@converts(arith.ExtFOp)
def convert_extf(op: arith.ExtFOp, operands: Operands, rw: Rewriter) -> Results:
    """A wider float, exactly."""
    ((value,),) = operands
    kind, wanted = op.operands[0].type, rw.type(op.results[0].type)
    if is_small(kind):
        value = widen(rw, value, kind)
    if value.type == wanted:
        return value
    return rw.value(llvm.FPExtOp, (value,), wanted)


@converts(arith.TruncFOp)
def convert_truncf(op: arith.TruncFOp, operands: Operands, rw: Rewriter) -> Results:
    """A narrower float, to nearest even, rounded once."""
    ((value,),) = operands
    source, kind = op.operands[0].type, op.results[0].type
    if is_small(source):
        value = widen(rw, value, source)
    if is_small(kind):
        return narrow(rw, value, kind)
    return rw.value(llvm.FPTruncOp, (value,), rw.type(kind))


@converts(arith.SIToFPOp, arith.UIToFPOp)
def convert_int_to_float(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The nearest float, ties to even."""
    ((value,),) = operands
    kind, signed = op.results[0].type, isinstance(op, arith.SIToFPOp)
    if is_small(kind):
        return from_integer(rw, value, kind, signed)
    return rw.value(llvm.SIToFPOp if signed else llvm.UIToFPOp, (value,), rw.type(kind))


@converts(arith.FPToSIOp, arith.FPToUIOp)
def convert_float_to_int(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Towards zero; out of range the nearest integer, for NaN 0."""
    ((value,),) = operands
    source, kind = op.operands[0].type, rw.type(op.results[0].type)
    if is_small(source):
        value = widen(rw, value, source)
    signed = isinstance(op, arith.FPToSIOp)
    if marks.IN_RANGE in op.attributes:
        return _in_range_to_int(rw, value, kind, signed=signed)
    name = f"llvm.fpto{'si' if signed else 'ui'}.sat.{mangled(kind)}.{mangled(value.type)}"
    return rw.insert(llvm.CallIntrinsicOp.to(name, (value,), [kind])).results[0]


def _in_range_to_int(rw: Rewriter, value: SSAValue, kind: Attribute, *, signed: bool) -> SSAValue:
    """Where nothing has to be done for numbers out of range. On x86 LLVM does that lane by lane,
    and converts lane by lane to integers of less than 32 bits: so these come by way of 32."""
    if width(kind) < 32:
        return resize(rw, rw.value(llvm.FPToSIOp, (value,), like(kind, i32)), kind)
    return rw.value(llvm.FPToSIOp if signed else llvm.FPToUIOp, (value,), kind)


@converts(arith.BitcastOp)
def convert_bitcast(op: arith.BitcastOp, operands: Operands, rw: Rewriter) -> Results:
    """The same bits; nothing to do where the types have become one."""
    ((value,),) = operands
    kind = rw.type(op.results[0].type)
    return value if value.type == kind else rw.value(llvm.BitcastOp, (value,), kind)
