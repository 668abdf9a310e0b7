"""Converters of float ops for f16 and bf16 that are kept as bits: in f32, rounded after each op."""

from __future__ import annotations

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import f32
from xdsl.ir import Operation

from ...dialects.arith import RemFOp
from ..conversion import Operands, Results, Rewriter, Rules
from .emulated import as_single, calculator, features_of
from .small_floats import narrow

RULES = Rules()
converts = RULES.converts

_IN_SINGLE = (
    *(arith.AddfOp, arith.SubfOp, arith.MulfOp, arith.DivfOp, RemFOp),
    *(arith.MinimumfOp, arith.MaximumfOp, arith.MinnumfOp, arith.MaxnumfOp),
    *(math.CeilOp, math.FloorOp, math.TruncOp, math.RoundOp, math.RoundEvenOp),
    *(math.SqrtOp, math.RsqrtOp, math.FmaOp),
)


@converts(*_IN_SINGLE)
def convert_in_single(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The op in f32. For sums, products, quotients and roots rounding twice is rounding once."""
    c = calculator(op)
    kind = op.results[0].type
    wide = [
        as_single(c, values, old.type, features_of(rw)).value
        for values, old in zip(operands, op.operands, strict=True)
    ]
    result = rw.value(type(op), wide, f32, op.properties)
    return narrow(c, c.number(result), kind).value


@converts(arith.CmpfOp)
def convert_cmpf(op: arith.CmpfOp, operands: Operands, rw: Rewriter) -> Results:
    """A comparison in f32."""
    c, kind = calculator(op), op.lhs.type
    pair = [as_single(c, values, kind, features_of(rw)).value for values in operands]
    return rw.value(arith.CmpfOp, pair, op.result.type, op.properties)


@converts(arith.NegfOp)
def convert_negf(op: arith.NegfOp, operands: Operands, rw: Rewriter) -> Results:
    """The sign bit flipped, also of NaN."""
    c = calculator(op)
    return (c.number(operands[0][0]) ^ 0x8000).value


@converts(math.AbsFOp)
def convert_abs(op: math.AbsFOp, operands: Operands, rw: Rewriter) -> Results:
    """The sign bit cleared, also of NaN."""
    c = calculator(op)
    return (c.number(operands[0][0]) & 0x7FFF).value


@converts(math.CopySignOp)
def convert_copysign(op: math.CopySignOp, operands: Operands, rw: Rewriter) -> Results:
    """The bits of one, the sign bit of the other."""
    c = calculator(op)
    size, sign = (c.number(value) for (value,) in operands)
    return ((size & 0x7FFF) | (sign & 0x8000)).value
