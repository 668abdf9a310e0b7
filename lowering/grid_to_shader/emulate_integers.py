"""Converters of integer ops for emulated types: one table for 8 and 16 bits, one for 64."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IntegerAttr, i32
from xdsl.ir import Operation

from ..conversion import Operands, Results, Rewriter, Rules
from ..math.calculator import Calculator
from . import wide_integers as wide
from .emulated import calculator, extended, wide_of, width_of, words
from .wide_integers import Wide

RULES = Rules()
converts = RULES.converts

# How the operands of an op of i8 or i16 are read: as any bits, by their sign, without one.
_READS: dict[type[Operation], str] = {
    **dict.fromkeys((arith.AddiOp, arith.SubiOp, arith.MuliOp), "any"),
    **dict.fromkeys((arith.AndIOp, arith.OrIOp, arith.XOrIOp), "any"),
    **dict.fromkeys((arith.DivUIOp, arith.RemUIOp, arith.CeilDivUIOp), "unsigned"),
    **dict.fromkeys((arith.MinUIOp, arith.MaxUIOp, arith.ShRUIOp), "unsigned"),
    **dict.fromkeys((arith.DivSIOp, arith.RemSIOp, arith.MinSIOp, arith.MaxSIOp), "signed"),
    **dict.fromkeys((arith.FloorDivSIOp, arith.CeilDivSIOp), "signed"),
    arith.ShLIOp: "any",
    arith.ShRSIOp: "signed",
    math.IPowIOp: "signed",
}
_SHIFTS = (arith.ShLIOp, arith.ShRUIOp, arith.ShRSIOp)

WideOp = Callable[[Calculator, Wide, Wide], Wide]
_WIDE: dict[type[Operation], WideOp] = {
    arith.AddiOp: wide.add,
    arith.SubiOp: wide.subtract,
    arith.MuliOp: wide.multiply,
    **{op: wide.bitwise(op) for op in (arith.AndIOp, arith.OrIOp, arith.XOrIOp)},
    arith.DivUIOp: lambda c, a, b: wide.divide_unsigned(c, a, b)[0],
    arith.RemUIOp: lambda c, a, b: wide.divide_unsigned(c, a, b)[1],
    arith.DivSIOp: lambda c, a, b: wide.divide_signed(c, a, b)[0],
    arith.RemSIOp: lambda c, a, b: wide.divide_signed(c, a, b)[1],
    arith.FloorDivSIOp: wide.divide_down,
    arith.CeilDivSIOp: wide.divide_up,
    arith.CeilDivUIOp: wide.divide_up_unsigned,
    arith.MinSIOp: wide.extreme(least=True, signed=True),
    arith.MaxSIOp: wide.extreme(least=False, signed=True),
    arith.MinUIOp: wide.extreme(least=True, signed=False),
    arith.MaxUIOp: wide.extreme(least=False, signed=False),
    arith.ShLIOp: lambda c, a, b: wide.shift_left(c, a, b.low),
    arith.ShRUIOp: lambda c, a, b: wide.shift_right(False)(c, a, b.low),
    arith.ShRSIOp: lambda c, a, b: wide.shift_right(True)(c, a, b.low),
    math.IPowIOp: wide.power,
}


@converts(*_READS)
def convert_binary(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Two integers to one of the same type."""
    c = calculator(op)
    if len(operands[0]) == 2:
        return [words(_WIDE[type(op)](c, *wide_of(c, operands)))]
    (a,), (b,) = operands
    width, read = width_of(op.results[0].type), _READS[type(op)]
    first, second = (
        c.number(value) if read == "any" else extended(c, value, width, read == "signed")
        for value in (a, b)
    )
    if isinstance(op, _SHIFTS):
        second = extended(c, b, width, signed=False)
    return c.op(type(op), first, second).value


@converts(arith.CmpiOp)
def convert_cmpi(op: arith.CmpiOp, operands: Operands, rw: Rewriter) -> Results:
    """A comparison; equality is that of the bits."""
    c = calculator(op)
    predicate = op.predicate.value.data
    if len(operands[0]) == 2:
        return wide.compare(c, predicate, *wide_of(c, operands)).value
    width, signed = width_of(op.lhs.type), 2 <= predicate < 6
    (a,), (b,) = operands
    pair = [extended(c, value, width, signed).value for value in (a, b)]
    return rw.value(arith.CmpiOp, pair, op.result.type, op.properties)


@converts(math.AbsIOp)
def convert_abs(op: math.AbsIOp, operands: Operands, rw: Rewriter) -> Results:
    """The magnitude; of the least number that number."""
    c = calculator(op)
    if len(operands[0]) == 2:
        return [words(wide.absolute(c, *wide_of(c, operands)))]
    number = extended(c, operands[0][0], width_of(op.results[0].type), signed=True)
    return c.op_of(math.AbsIOp, (number,), i32).value


_WIDE_COUNTS = {
    math.CountLeadingZerosOp: wide.leading_zeros,
    math.CountTrailingZerosOp: wide.trailing_zeros,
    math.CtPopOp: wide.ones,
}


@converts(*_WIDE_COUNTS)
def convert_count(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """How many bits; of zero as many as there are."""
    c = calculator(op)
    if len(operands[0]) == 2:
        (value,) = wide_of(c, operands)
        return [words(Wide(_WIDE_COUNTS[type(op)](c, value), c.const(0, i32)))]  # pyright: ignore
    width = width_of(op.results[0].type)
    number = extended(c, operands[0][0], width, signed=False)
    if isinstance(op, math.CountTrailingZerosOp):
        number = number | (1 << width)
    result = c.op_of(type(op), (number,), i32)
    if isinstance(op, math.CountLeadingZerosOp):
        result = result - (32 - width)
    return result.value


@converts(arith.AddUIExtendedOp)
def convert_add_extended(op: arith.AddUIExtendedOp, operands: Operands, rw: Rewriter) -> Results:
    """The sum, and whether it wrapped."""
    c = calculator(op)
    if len(operands[0]) == 2:
        a, b = wide_of(c, operands)
        total = wide.add(c, a, b)
        return [words(total), wide.less(c, total, a, signed=False).value]
    width = width_of(op.lhs.type)
    first, second = (extended(c, value, width, signed=False) for (value,) in operands)
    sum_ = first + second
    return [sum_.value, sum_.shifted_out(width).differs(0).value]


@converts(arith.MulUIExtendedOp, arith.MulSIExtendedOp)
def convert_mul_extended(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The halves of a product."""
    c, signed = calculator(op), isinstance(op, arith.MulSIExtendedOp)
    if len(operands[0]) == 2:
        low, high = wide.multiply_extended(c, *wide_of(c, operands), signed=signed)
        return [words(low), words(high)]
    width = width_of(op.results[0].type)
    first, second = (extended(c, value, width, signed) for (value,) in operands)
    product = first * second
    return [product.value, product.shifted_out(width).value]


@converts(arith.ConstantOp)
def convert_constant(op: arith.ConstantOp, operands: Operands, rw: Rewriter) -> Results:
    """The bits of the number."""
    from ..emit.llvm_constants import bfloat_bits, half_bits

    c = calculator(op)
    value, kind = op.value, op.result.type
    if not isinstance(value, IntegerAttr):
        number = float(value.value.data)  # pyright: ignore
        bits = bfloat_bits(number) if str(kind) == "bf16" else half_bits(number)
        return c.const(bits, i32).value
    if width_of(kind) == 64:
        return [words(wide.constant(c, value.value.data))]
    return c.const(value.value.data, i32).value


@converts(arith.SelectOp)
def convert_select(op: arith.SelectOp, operands: Operands, rw: Rewriter) -> Results:
    """One select for each word."""
    c = calculator(op)
    condition = c.number(operands[0][0])
    pairs = zip(operands[1], operands[2], strict=True)
    return [[c.select(condition, c.number(a), c.number(b)).value for a, b in pairs]]
