"""`sw.popcount` and its kin: what numbers are made of, bit by bit."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from xdsl.dialects import arith, math
from xdsl.ir import Operation

from .annotations import scalar_type
from .convert import convert, materialise, meet
from .emitter import REGISTER
from .functions import Function
from .types import DTYPES, DType, bool_, i32, index
from .typing_of import describe
from .values import Scalar, Static, Value

if TYPE_CHECKING:
    from .frame import Frame


def _check_width(frame: Frame, node: ast.AST, dtype: DType, name: str) -> None:
    if dtype is index:
        raise frame.refuse(
            node,
            f"{name} of an index, which has another width on other devices",
            hint="cast it, as in sw.u32(i)",
        )
    if dtype is bool_:
        raise frame.refuse(node, f"{name} of a bool", hint="cast it, as in sw.u32(p)")


def _integer(frame: Frame, node: ast.AST, value: Value, name: str) -> Scalar:
    scalar = materialise(frame, node, value)
    _check_width(frame, node, scalar.dtype, name)
    if scalar.dtype.is_float:
        raise frame.refuse(
            node,
            f"{name} of a float ({scalar.dtype}), expected an integer",
            hint="sw.bitcast gives its bits as one",
        )
    return scalar


def _count(cls: type[Operation], name: str, frame: Frame, node: ast.AST, value: Value) -> Value:
    scalar = _integer(frame, node, value, name)
    counted = frame.emit.add(cls, (scalar.ssa,), (REGISTER[scalar.dtype],))
    return Scalar(i32, convert(frame.emit, counted, scalar.dtype, i32))


def bitwise_count(frame: Frame, node: ast.AST, value: Value) -> Value:
    """As NumPy has it: of the absolute value, and of type u8."""
    from .builtin_functions import absolute

    scalar = absolute(frame, node, _integer(frame, node, value, "np.bitwise_count"))
    counted = _count(math.CtPopOp, "np.bitwise_count", frame, node, scalar)
    assert isinstance(counted, Scalar), "an op gives a run-time value"
    u8 = DTYPES["u8"]
    return Scalar(u8, convert(frame.emit, counted.ssa, i32, u8))


def _multiply_high(frame: Frame, node: ast.AST, a: Value, b: Value) -> Value:
    left, right = meet(frame, node, a, b)
    for scalar in (left, right):
        _integer(frame, node, scalar, "sw.multiply_high")
    kind = REGISTER[left.dtype]
    cls = arith.MulSIExtendedOp if left.dtype.is_signed else arith.MulUIExtendedOp
    low = frame.emit.add(cls, (left.ssa, right.ssa), (kind, kind))
    high = low.owner.results[1] if isinstance(low.owner, Operation) else low
    return Scalar(left.dtype, high)


def _bitcast(frame: Frame, node: ast.AST, value: Value, dtype: Value) -> Value:
    to = scalar_type(dtype.value) if isinstance(dtype, Static) else None
    if to is None:
        raise frame.refuse(
            node, f"expected a number type, got {describe(dtype)}", hint="sw.u32, for example"
        )
    scalar = materialise(frame, node, value)
    for one in (scalar.dtype, to):
        _check_width(frame, node, one, "sw.bitcast")
    if scalar.dtype.bits != to.bits:
        raise frame.refuse(
            node,
            f"sw.bitcast of {scalar.dtype} to {to}, which has {to.bits} bits",
            hint=f"expected a type of {scalar.dtype.bits} bits; sw.{to}(…) converts the number",
        )
    if REGISTER[scalar.dtype] == REGISTER[to]:
        return Scalar(to, scalar.ssa)
    return Scalar(to, frame.emit.add(arith.BitcastOp, (scalar.ssa,), (REGISTER[to],)))


_COUNTS: dict[str, type[Operation]] = {
    "popcount": math.CtPopOp,
    "leading_zeros": math.CountLeadingZerosOp,
    "trailing_zeros": math.CountTrailingZerosOp,
}
BITS: dict[str, Function] = {
    **{
        name: Function(f"sw.{name}", partial(_count, cls, f"sw.{name}"), ("value",))
        for name, cls in _COUNTS.items()
    },
    "multiply_high": Function("sw.multiply_high", _multiply_high, ("a", "b")),
    "bitcast": Function("sw.bitcast", _bitcast, ("value", "dtype")),
}
