"""A dialect of another package, and its functions: integers of several types, several results."""

# Converters are told by their tables what they are given.
# pyright: basic

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i1, i32, i64
from xdsl.ir import Dialect
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.passes import ModulePass
from xdsl.traits import Pure

from stepwell.language.extension import intrinsic
from stepwell.lowering.conversion import Legality, Rules, convert
from stepwell.registry import register_dialect


@irdl_op_definition
class AverageOp(IRDLOperation):
    """The mean of two signed numbers, rounded down."""

    name = "exttypes.average"
    a, b, result = operand_def(AnyAttr()), operand_def(AnyAttr()), result_def(AnyAttr())
    traits = traits_def(Pure())


@irdl_op_definition
class AverageUnsignedOp(IRDLOperation):
    """The mean of two numbers without a sign, rounded down."""

    name = "exttypes.average_unsigned"
    a, b, result = operand_def(AnyAttr()), operand_def(AnyAttr()), result_def(AnyAttr())
    traits = traits_def(Pure())


@irdl_op_definition
class HalvesOp(IRDLOperation):
    """The low and the high half of 64 bits."""

    name = "exttypes.halves"
    value, low, high = operand_def(i64), result_def(i32), result_def(i32)
    traits = traits_def(Pure())


@irdl_op_definition
class SevenOp(IRDLOperation):
    """7, and whether it is odd."""

    name = "exttypes.seven"
    number, odd = result_def(i64), result_def(i1)
    traits = traits_def(Pure())


RULES = Rules()


@RULES.converts(AverageOp, AverageUnsignedOp)
def _average(op, operands, rw):
    signed = isinstance(op, AverageOp)
    extend, shift = (arith.ExtSIOp, arith.ShRSIOp) if signed else (arith.ExtUIOp, arith.ShRUIOp)
    wide = [rw.value(extend, part, i64) for part in operands]
    one = rw.value(arith.ConstantOp, [], i64, {"value": IntegerAttr(1, i64)})
    mean = rw.value(shift, [rw.value(arith.AddiOp, wide, i64), one], i64)
    return rw.value(arith.TruncIOp, [mean], op.result.type)


@RULES.converts(HalvesOp)
def _halves(op, operands, rw):
    ((value,),) = operands
    bits = rw.value(arith.ConstantOp, [], i64, {"value": IntegerAttr(32, i64)})
    high = rw.value(arith.ShRUIOp, [value, bits], i64)
    return [rw.value(arith.TruncIOp, [part], i32) for part in (value, high)]


@RULES.converts(SevenOp)
def _seven(op, operands, rw):
    rows = ((IntegerAttr(7, i64), i64), (IntegerAttr(-1, i1), i1))
    return [rw.value(arith.ConstantOp, [], kind, {"value": number}) for number, kind in rows]


@dataclass(frozen=True)
class LowerTypes(ModulePass):
    """Lowers the dialect."""

    name = "lower-exttypes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        convert(op, RULES, Legality({"exttypes": False}, default=True), goal="gpu")


OPS = [AverageOp, AverageUnsignedOp, HalvesOp, SevenOp]
register_dialect(Dialect("exttypes", OPS), lowered_by=LowerTypes)


@intrinsic(f"{__name__}:AverageOp", "(i8, i8) -> i8", "(i16, i16) -> i16")
@intrinsic(f"{__name__}:AverageUnsignedOp", "(u8, u8) -> u8", "(u16, u16) -> u16")
def average(a, b):
    """The mean, rounded down."""
    assert type(a) is type(b), "NumPy scalars of the signature's types"
    return (int(a) + int(b)) // 2


@intrinsic(f"{__name__}:HalvesOp", "(u64) -> (u32, i32)")
def halves(value):
    """The low and the high half."""
    return int(value) & 0xFFFFFFFF, int(np.int32(np.uint32(int(value) >> 32)))


@intrinsic(f"{__name__}:SevenOp", "() -> (i64, bool)")
def seven():
    """7, and that it is odd."""
    return 7, True
