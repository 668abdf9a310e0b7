"""arith to spirv: a table, and what SPIR-V leaves open written out.

Integers wrap; `index` has 32 bits, if not 64. Division never traps: by 0 it gives 0 (and the
remainder 0), and INT_MIN / -1 wraps. The remainder is computed from the quotient, because devices
may give anything for the remainder of negative numbers. Float arithmetic is not contracted unless
its flags allow it.
Minima and maxima are IEEE 754's, as in the lowering to llvm. Casts are in `casts.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    i1,
    i32,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import spirv
from ...passes.utils.block_editing import constant_value
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from .build import (
    NO_CONTRACTION,
    NOTHING,
    as_bits,
    attribute_const,
    binary,
    bitcast,
    bits,
    both,
    compare,
    const,
    either,
    element_type,
    extract,
    is_nan,
    is_vector,
    like,
    negation,
    op,
    resize,
    select,
)

RULES = Rules()
converts = RULES.converts

# Of integers, and of booleans where that is another op.
_INTEGER: dict[type[Operation], tuple[str, str]] = {
    arith.AddiOp: ("IAdd", "LogicalNotEqual"),
    arith.SubiOp: ("ISub", "LogicalNotEqual"),
    arith.MuliOp: ("IMul", "LogicalAnd"),
    arith.AndIOp: ("BitwiseAnd", "LogicalAnd"),
    arith.OrIOp: ("BitwiseOr", "LogicalOr"),
    arith.XOrIOp: ("BitwiseXor", "LogicalNotEqual"),
    arith.ShLIOp: ("ShiftLeftLogical", ""),
    arith.ShRUIOp: ("ShiftRightLogical", ""),
    arith.ShRSIOp: ("ShiftRightArithmetic", ""),
}
_FLOAT: dict[type[Operation], str] = {
    arith.AddfOp: "FAdd",
    arith.SubfOp: "FSub",
    arith.MulfOp: "FMul",
    arith.DivfOp: "FDiv",
}
# Minimum or maximum of integers: the comparison that chooses the first, and that of booleans.
_CHOICES: dict[type[Operation], tuple[str, str]] = {
    arith.MinSIOp: ("SLessThan", "LogicalOr"),
    arith.MaxSIOp: ("SGreaterThan", "LogicalAnd"),
    arith.MinUIOp: ("ULessThan", "LogicalAnd"),
    arith.MaxUIOp: ("UGreaterThan", "LogicalOr"),
}
# By the numbers of the predicates of arith.
_CMPI = (
    *("IEqual", "INotEqual", "SLessThan", "SLessThanEqual", "SGreaterThan", "SGreaterThanEqual"),
    *("ULessThan", "ULessThanEqual", "UGreaterThan", "UGreaterThanEqual"),
)
_CMPF = (
    *("", "FOrdEqual", "FOrdGreaterThan", "FOrdGreaterThanEqual", "FOrdLessThan"),
    *("FOrdLessThanEqual", "FOrdNotEqual", "ord", "FUnordEqual", "FUnordGreaterThan"),
    *("FUnordGreaterThanEqual", "FUnordLessThan", "FUnordLessThanEqual", "FUnordNotEqual", "uno"),
)


@converts(*_INTEGER)
def convert_integer(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """One op."""
    (a,), (b,) = operands
    name, of_bools = _INTEGER[type(op_)]
    if bits(a.type) == 1:
        if not of_bools:
            raise CannotConvert("a shift of a boolean")
        name = of_bools
    return op(rw, name, (a, b), a.type)


def float_flags(op_: Operation) -> Mapping[str, Attribute]:
    """The decoration of a float op: it may be contracted only where its flags say so."""
    flags = op_.properties.get("fastmath")
    if isinstance(flags, arith.FastMathFlagsAttr) and any(
        flag.value == "contract" for flag in flags.data
    ):
        return NOTHING
    return NO_CONTRACTION


@converts(*_FLOAT)
def convert_float(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """IEEE 754 arithmetic, in the type of the operands."""
    (a,), (b,) = operands
    around = _around_zero(op_, a, b, rw)
    if around is not None:
        return around
    return rw.value(spirv.OPS[_FLOAT[type(op_)]], (a, b), a.type, float_flags(op_))


def _around_zero(op_: Operation, a: SSAValue, b: SSAValue, rw: Rewriter) -> SSAValue | None:
    """The same result without a constant +0, where an operand is one.

    Mesa's software device takes x + 0 for x, x * 0 and 0 / x for 0, and x / 0 for undefined. It
    does not for -0 and infinity.
    """
    flags = float_flags(op_)
    first, second = (zero_sign(value) for value in op_.operands)
    if isinstance(op_, arith.DivfOp):
        if second:
            infinity = const(rw, math.copysign(math.inf, second), b.type)
            return op(rw, "FMul", (a, infinity), a.type, flags)
        return _negated(rw, "FDiv", const(rw, -0.0, a.type), b, flags) if first > 0 else None
    if isinstance(op_, arith.MulfOp):
        if max(first, second) <= 0:
            return None
        return _negated(rw, "FMul", b if first > 0 else a, const(rw, -0.0, a.type), flags)
    is_sum = isinstance(op_, arith.AddfOp)
    if second == (1 if is_sum else -1):
        return _plus_zero(rw, a)
    if first > 0:
        return _plus_zero(rw, b if is_sum else op(rw, "FNegate", (b,), b.type))
    return None


def _negated(
    rw: Rewriter, name: str, a: SSAValue, b: SSAValue, flags: Mapping[str, Attribute]
) -> SSAValue:
    return op(rw, "FNegate", (op(rw, name, (a, b), a.type, flags),), a.type)


def _plus_zero(rw: Rewriter, value: SSAValue) -> SSAValue:
    """x + 0 is x, but 0 for -0."""
    zero = const(rw, 0.0, value.type)
    return select(rw, compare(rw, "FOrdEqual", value, zero), zero, value)


_ZEROS = {"0.0", "-0.0"}


def zero_sign(value: SSAValue) -> int:
    """1 or -1 for an (old) value that is a constant zero of this sign; 0 for others.

    Lanes are zeros of one sign, or none is (`split-vectors` takes others apart).
    """
    owner = value.owner
    if not isinstance(owner, arith.ConstantOp) or not isinstance(
        element_type(value.type), AnyFloat
    ):
        return 0
    given: Any = owner.value
    lanes = given.get_values() if is_vector(value.type) else [given.value.data]
    return int(math.copysign(1, lanes[0])) if set(map(str, lanes)) <= _ZEROS else 0


@converts(arith.NegfOp)
def convert_negf(op_: arith.NegfOp, operands: Operands, rw: Rewriter) -> Results:
    """The sign bit flipped."""
    ((value,),) = operands
    return op(rw, "FNegate", (value,), value.type)


@converts(*_CHOICES)
def convert_choice(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The smaller or larger integer."""
    (a,), (b,) = operands
    name, of_bools = _CHOICES[type(op_)]
    if bits(a.type) == 1:
        return op(rw, of_bools, (a, b), a.type)
    return select(rw, compare(rw, name, a, b), a, b)


def extreme(rw: Rewriter, least: bool, a: SSAValue, b: SSAValue) -> SSAValue:
    """IEEE 754-2019 minimum or maximum: NaN where an operand is, -0 less than +0.

    Where neither is less, the operands are equal (zeros of either sign, perhaps) or one is NaN:
    the bits of both, joined, are the smaller zero or a NaN.
    """
    less, greater = (
        ("FOrdLessThan", "FOrdGreaterThan") if least else ("FOrdGreaterThan", "FOrdLessThan")
    )
    joined = binary(rw, "BitwiseOr", as_bits(rw, a), as_bits(rw, b))
    if not least:
        common = binary(rw, "BitwiseAnd", as_bits(rw, a), as_bits(rw, b))
        joined = select(rw, compare(rw, "FOrdEqual", a, b), common, joined)
    rest = bitcast(rw, joined, a.type)
    rest = select(rw, compare(rw, greater, a, b), b, rest)
    return select(rw, compare(rw, less, a, b), a, rest)


@converts(arith.MinimumfOp, arith.MaximumfOp)
def convert_extreme(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Minimum and maximum."""
    (a,), (b,) = operands
    return extreme(rw, isinstance(op_, arith.MinimumfOp), a, b)


@converts(arith.MinnumfOp, arith.MaxnumfOp)
def convert_number(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Minimum and maximum, the number where one operand is NaN."""
    (a,), (b,) = operands
    result = extreme(rw, isinstance(op_, arith.MinnumfOp), a, b)
    result = select(rw, is_nan(rw, b), a, result)
    return select(rw, is_nan(rw, a), b, result)


# --- division -------------------------------------------------------------------------------------


@converts(arith.DivUIOp, arith.RemUIOp)
def convert_unsigned_division(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Of unsigned integers."""
    (a,), (b,) = operands
    name = "UDiv" if isinstance(op_, arith.DivUIOp) else "UMod"
    return _zero_by_zero(rw, op_, b, binary(rw, name, a, _divisor(rw, op_, b)))


def _divisor(rw: Rewriter, op_: Operation, b: SSAValue) -> SSAValue:
    """1 for 0: a division by 0 is undefined for the whole program, not only for its result."""
    if constant_value(op_.operands[1]) not in (None, 0):
        return b
    return select(rw, compare(rw, "IEqual", b, 0), const(rw, 1, b.type), b)


@converts(arith.DivSIOp, arith.RemSIOp)
def convert_signed_division(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Towards zero; the remainder has the sign of the first operand."""
    (a,), (b,) = operands
    quotient, remainder = _truncated(rw, op_, a, b)
    result = quotient if isinstance(op_, arith.DivSIOp) else remainder
    return _zero_by_zero(rw, op_, b, result)


def _zero_by_zero(rw: Rewriter, op_: Operation, b: SSAValue, result: SSAValue) -> SSAValue:
    """The result, or 0 where the divisor is 0."""
    if constant_value(op_.operands[1]) not in (None, 0):
        return result
    return select(rw, compare(rw, "IEqual", b, 0), const(rw, 0, b.type), result)


def _truncated(rw: Rewriter, op_: Operation, a: SSAValue, b: SSAValue) -> tuple[SSAValue, SSAValue]:
    """Quotient and remainder; anything where b is 0."""
    if constant_value(op_.operands[1]) in (None, 0, -1):
        minus = compare(rw, "IEqual", b, -1)
        unsafe = either(rw, minus, compare(rw, "IEqual", b, 0))
        safe = select(rw, unsafe, const(rw, 1, b.type), b)
        quotient = binary(rw, "SDiv", a, safe)
        negated = binary(rw, "ISub", const(rw, 0, a.type), a)
        quotient = select(rw, minus, negated, quotient)
    else:
        quotient = binary(rw, "SDiv", a, b)
    return quotient, binary(rw, "ISub", a, binary(rw, "IMul", quotient, b))


@converts(arith.FloorDivSIOp, arith.CeilDivSIOp)
def convert_rounded_division(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The quotient towards minus or plus infinity; INT_MIN / -1 wraps."""
    (a,), (b,) = operands
    quotient, remainder = _truncated(rw, op_, a, b)
    signs = binary(rw, "BitwiseXor", remainder, b)
    down = isinstance(op_, arith.FloorDivSIOp)
    side = compare(rw, "SLessThan" if down else "SGreaterThanEqual", signs, 0)
    adjust = both(rw, side, compare(rw, "INotEqual", remainder, 0))
    result = select(rw, adjust, binary(rw, "IAdd", quotient, -1 if down else 1), quotient)
    return _zero_by_zero(rw, op_, b, result)


@converts(arith.CeilDivUIOp)
def convert_ceil_div_unsigned(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """0 for 0, else (a - 1) / b + 1, which cannot wrap."""
    (a,), (b,) = operands
    below = binary(rw, "UDiv", binary(rw, "ISub", a, 1), _divisor(rw, op_, b))
    above = binary(rw, "IAdd", below, 1)
    quotient = select(rw, compare(rw, "IEqual", a, 0), const(rw, 0, a.type), above)
    return _zero_by_zero(rw, op_, b, quotient)


@converts(arith.AddUIExtendedOp)
def convert_add_extended(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The sum, and whether it wrapped."""
    (a,), (b,) = operands
    total = binary(rw, "IAdd", a, b)
    return [total, compare(rw, "ULessThan", total, a)]


@converts(arith.MulUIExtendedOp, arith.MulSIExtendedOp)
def convert_mul_extended(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The low and the high half of the product."""
    (a,), (b,) = operands
    signed = isinstance(op_, arith.MulSIExtendedOp)
    if bits(a.type) < 32:
        wide = [resize(rw, value, i32, signed=signed) for value in (a, b)]
        product = binary(rw, "IMul", *wide)
        high = binary(rw, "ShiftRightLogical", product, bits(a.type))
        return [resize(rw, part, a.type, signed=False) for part in (product, high)]
    name = "SMulExtended" if signed else "UMulExtended"
    pair = op(rw, name, (a, b), spirv.StructType([a.type, a.type]))
    return [extract(rw, pair, 0), extract(rw, pair, 1)]


# --- constants, comparisons, selection ------------------------------------------------------------


@converts(arith.ConstantOp)
def convert_constant(op_: arith.ConstantOp, operands: Operands, rw: Rewriter) -> Results:
    """The number in its new type."""
    kind = rw.type(op_.results[0].type)
    value, of_index = op_.value, isinstance(element_type(op_.results[0].type), IndexType)
    if isinstance(value, IntegerAttr):
        number = _index(value.value.data, kind) if of_index else value.value.data
        return const(rw, bool(number) if kind == i1 else number, kind)
    if isinstance(value, FloatAttr):
        return attribute_const(rw, op_.properties["value"], kind)
    lanes: Any = value
    if not isinstance(value, DenseIntOrFPElementsAttr) or not is_vector(kind):
        raise CannotConvert(f"the constant {value}")
    numbers = [_index(number, kind) if of_index else number for number in lanes.get_values()]
    return attribute_const(rw, DenseIntOrFPElementsAttr.from_list(cast(Any, kind), numbers), kind)


def _index(number: int, kind: Attribute) -> int:
    """The nearest number that an index of this type can be."""
    past = 1 << (bits(kind) - 1)
    return max(-past, min(number, past - 1))


@converts(arith.CmpiOp)
def convert_cmpi(op_: arith.CmpiOp, operands: Operands, rw: Rewriter) -> Results:
    """A comparison of integers or booleans."""
    (a,), (b,) = operands
    name = _CMPI[op_.predicate.value.data]
    if bits(a.type) != 1:
        return compare(rw, name, a, b)
    if name in ("IEqual", "INotEqual"):
        return op(rw, name.replace("I", "Logical", 1), (a, b), a.type)
    signed = name.startswith("S")
    wide = [resize(rw, value, i32, signed=signed) for value in (a, b)]
    return compare(rw, name, *wide)


@converts(arith.CmpfOp)
def convert_cmpf(op_: arith.CmpfOp, operands: Operands, rw: Rewriter) -> Results:
    """A comparison of floats."""
    (a,), (b,) = operands
    number = op_.predicate.value.data
    if number in (0, 15):
        return const(rw, number == 15, like(a.type, i1))
    name = _CMPF[number]
    if name not in ("ord", "uno"):
        return compare(rw, name, a, b)
    unordered = either(rw, is_nan(rw, a), is_nan(rw, b))
    return unordered if name == "uno" else negation(rw, unordered)


@converts(arith.SelectOp)
def convert_select(op_: arith.SelectOp, operands: Operands, rw: Rewriter) -> Results:
    """The first value where the condition holds."""
    (condition,), (yes,), (no,) = operands
    return select(rw, condition, yes, no)
