"""Casts: between widths exactly, to floats to the nearest, to integers saturating (NaN gives 0).

An `index` has 32 bits, if not 64. What is cast to it from more and does not fit becomes the nearest
index, so that a check of an index that is far out of range still fails.
"""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, i32
from xdsl.ir import Operation, SSAValue

from ..conversion import Operands, Results, Rewriter, Rules
from .build import (
    bitcast,
    bits,
    both,
    compare,
    const,
    element_type,
    f32_of,
    like,
    op,
    resize,
    select,
)

RULES = Rules()
converts = RULES.converts


@converts(arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp)
def convert_integer_cast(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Another width."""
    ((value,),) = operands
    signed = not isinstance(op_, arith.ExtUIOp)
    return resize(rw, value, rw.type(op_.results[0].type), signed=signed)


@converts(arith.IndexCastOp)
def convert_index_cast(op_: arith.IndexCastOp, operands: Operands, rw: Rewriter) -> Results:
    """To or from the bits of an index."""
    ((value,),) = operands
    kind = rw.type(op_.results[0].type)
    to_index = isinstance(element_type(op_.results[0].type), IndexType)
    if to_index and bits(value.type) > bits(kind):
        for name, limit in (("SLessThan", -(2**31)), ("SGreaterThan", 2**31 - 1)):
            past = compare(rw, name, value, limit)
            value = select(rw, past, const(rw, limit, value.type), value)
    return resize(rw, value, kind, signed=True)


@converts(arith.ExtFOp, arith.TruncFOp)
def convert_float_cast(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Another float type; to the nearest, ties to even."""
    ((value,),) = operands
    kind = rw.type(op_.results[0].type)
    return value if value.type == kind else op(rw, "FConvert", (value,), kind)


@converts(arith.SIToFPOp, arith.UIToFPOp)
def convert_int_to_float(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The nearest float, ties to even."""
    ((value,),) = operands
    kind, signed = rw.type(op_.results[0].type), isinstance(op_, arith.SIToFPOp)
    if bits(value.type) == 1:
        one = const(rw, -1.0 if signed else 1.0, kind)
        return select(rw, value, one, const(rw, 0.0, kind))
    if bits(value.type) < 32:
        value = resize(rw, value, i32, signed=signed)
    return op(rw, "ConvertSToF" if signed else "ConvertUToF", (value,), kind)


@converts(arith.FPToSIOp, arith.FPToUIOp)
def convert_float_to_int(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Towards zero; what is out of range becomes the nearest integer."""
    ((value,),) = operands
    kind, signed = rw.type(op_.results[0].type), isinstance(op_, arith.FPToSIOp)
    value = f32_of(rw, value)
    if bits(kind) == 1:
        return _to_bool(rw, value, signed)
    width = bits(kind)
    low, high = (-(2 ** (width - 1)), 2 ** (width - 1)) if signed else (0, 2**width)
    inside = both(
        rw,
        compare(rw, "FOrdGreaterThanEqual", value, float(low)),
        compare(rw, "FOrdLessThan", value, float(high)),
    )
    safe = select(rw, inside, value, const(rw, 0.0, value.type))
    wide = kind if width >= 32 else like(kind, i32)
    result = op(rw, "ConvertFToS" if signed else "ConvertFToU", (safe,), wide)
    result = resize(rw, result, kind, signed=signed)
    above = compare(rw, "FOrdGreaterThanEqual", value, float(high))
    result = select(rw, above, const(rw, high - 1, kind), result)
    if not signed:
        return result
    below = compare(rw, "FOrdLessThan", value, float(low))
    return select(rw, below, const(rw, low, kind), result)


def _to_bool(rw: Rewriter, value: SSAValue, signed: bool) -> SSAValue:
    """The one bit of a saturating conversion: 1 from 1 (or down from -1) on."""
    if signed:
        return compare(rw, "FOrdLessThanEqual", value, -1.0)
    return compare(rw, "FOrdGreaterThanEqual", value, 1.0)


@converts(arith.BitcastOp)
def convert_bitcast(op_: arith.BitcastOp, operands: Operands, rw: Rewriter) -> Results:
    """The same bits."""
    ((value,),) = operands
    return bitcast(rw, value, rw.type(op_.results[0].type))
