"""`<<` and `>>`: a count past the width shifts all bits out, a negative one is an error."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xdsl.dialects import arith
from xdsl.ir import Operation

from ..dialects.predicates import SGE, ULT
from .checks import check
from .convert import convert, materialise, number_type, to_type
from .promotion import WEAK, settle
from .types import DType, bool_, i32, index
from .typing_of import describe
from .values import Scalar, Value, static_int

if TYPE_CHECKING:
    from .frame import Frame

_LONGEST_OF_INDEX = 31
"""An index may have 32 bits, which a longer shift would leave undefined: it is made of several."""
SHIFTS: dict[type[ast.operator], str] = {ast.LShift: "<<", ast.RShift: ">>"}


def shift(frame: Frame, node: ast.AST, op: type[ast.operator], a: Value, b: Value) -> Scalar:
    """`a << b` or `a >> b`, in the type of a."""
    dtype = number_type(frame, node, a)
    count_type = settle(number_type(frame, node, b))
    if dtype in WEAK:
        dtype = count_type
    if dtype is bool_:
        dtype = i32
    if dtype.is_float or not count_type.is_integer:
        raise frame.refuse(
            node,
            f"operator {SHIFTS[op]} needs integers, got {describe(a)} and {describe(b)}",
            hint="cast with int(…)",
        )
    left = to_type(frame, node, a, dtype)
    known = static_int(b)
    if known is not None:
        return _shift_constant(frame, node, op, left, known)
    return _shift_dynamic(frame, op, left, materialise(frame, node, b))


def _shift_op(op: type[ast.operator], dtype: DType) -> type[Operation]:
    if op is ast.LShift:
        return arith.ShLIOp
    return arith.ShRSIOp if dtype.is_signed else arith.ShRUIOp


def _shift_constant(
    frame: Frame, node: ast.AST, op: type[ast.operator], left: Scalar, count: int
) -> Scalar:
    dtype, emit = left.dtype, frame.emit
    if count < 0:
        raise frame.refuse(node, f"negative shift count {count}")
    if count >= dtype.bits:
        if op is ast.LShift or not dtype.is_signed:
            return Scalar(dtype, emit.constant(0, dtype))
        count = dtype.bits - 1
    cls, value = _shift_op(op, dtype), left.ssa
    while dtype is index and count > _LONGEST_OF_INDEX:
        step = emit.constant(_LONGEST_OF_INDEX, dtype)
        value, count = emit.binary(cls, value, step, dtype), count - _LONGEST_OF_INDEX
    return Scalar(dtype, emit.binary(cls, value, emit.constant(count, dtype), dtype))


def _shift_dynamic(frame: Frame, op: type[ast.operator], left: Scalar, count: Scalar) -> Scalar:
    dtype, emit = left.dtype, frame.emit
    if count.dtype.is_signed and frame.unit.checks:
        zero = emit.constant(0, count.dtype)
        positive = emit.compare(SGE, count.ssa, zero, floats=False)
        check(frame, positive, "assert", "negative shift count {}", (count,))
    # Compared in the wider of both types, so that no count wraps around.
    common = count.dtype if count.dtype.bits >= dtype.bits else dtype
    amount = convert(emit, count.ssa, count.dtype, common)
    inside = emit.compare(ULT, amount, emit.constant(dtype.bits, common), floats=False)
    most = emit.constant(dtype.bits - 1, common)
    clamped = convert(emit, emit.select(inside, amount, most, common), common, dtype)
    cls, result = _shift_op(op, dtype), left.ssa
    for _ in range(2 if dtype is index else 0):
        longest = emit.constant(_LONGEST_OF_INDEX, dtype)
        part = emit.binary(arith.MinUIOp, clamped, longest, dtype)
        result = emit.binary(cls, result, part, dtype)
        clamped = emit.binary(arith.SubiOp, clamped, part, dtype)
    result = emit.binary(cls, result, clamped, dtype)
    if op is ast.RShift and dtype.is_signed:
        return Scalar(dtype, result)
    return Scalar(dtype, emit.select(inside, result, emit.constant(0, dtype), dtype))
