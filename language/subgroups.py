"""Subgroup operations: reductions, scans, shuffles, votes, among the active lanes."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation

from ..dialects import gpu, gpux
from .convert import convert, materialise, to_type, truth
from .emitter import I1, I64, INDEX, REGISTER
from .functions import Function
from .types import DTYPES, DType, bf16, bool_, f16, f32, i32, i64, index, u64
from .typing_of import describe
from .values import Scalar, Value

if TYPE_CHECKING:
    from .frame import Frame


def _wide(dtype: DType) -> DType:
    """The type in which lanes exchange values: 32 or 64 bits."""
    if dtype in (f16, bf16):
        return f32
    if dtype is index:
        return i64
    if dtype is bool_ or dtype.bits < 32:
        return i32 if dtype is bool_ or dtype.is_signed else DTYPES["u32"]
    return dtype


def _kind(kind: str, dtype: DType) -> str:
    if kind not in ("min", "max"):
        return kind
    if dtype.is_float:
        return f"{kind}imumf"
    return f"{kind}{'si' if dtype.is_signed else 'ui'}"


def _operand(frame: Frame, node: ast.AST, kind: str, value: Value) -> tuple[Scalar, DType]:
    """The value in the type that lanes exchange, and its own type."""
    scalar = materialise(frame, node, value)
    dtype = scalar.dtype
    if kind in ("and", "or", "xor"):
        if dtype.is_float:
            raise frame.refuse(node, f"bits of a float ({dtype}), expected an integer or bool")
        if dtype is bool_:
            return scalar, dtype
    elif dtype is bool_:
        scalar, dtype = to_type(frame, node, scalar, i32), i32
    return to_type(frame, node, scalar, _wide(dtype)), dtype


def _back(frame: Frame, result: Scalar, dtype: DType) -> Value:
    return Scalar(dtype, convert(frame.emit, result.ssa, result.dtype, dtype))


def _reduce(kind: str, frame: Frame, node: ast.AST, value: Value) -> Value:
    operand, dtype = _operand(frame, node, kind, value)
    attribute = gpu.ReduceKindAttr(gpu.ReduceKind(_kind(kind, operand.dtype)))
    result = frame.emit.add(
        gpu.SubgroupReduceOp, (operand.ssa,), (REGISTER[operand.dtype],), {"op": attribute}
    )
    return _back(frame, Scalar(operand.dtype, result), dtype)


def _scan(kind: str, mode: str, frame: Frame, node: ast.AST, value: Value) -> Value:
    operand, dtype = _operand(frame, node, kind, value)
    result = frame.emit.add(
        gpux.SubgroupScanOp,
        (operand.ssa,),
        (REGISTER[operand.dtype],),
        {"kind": StringAttr(_kind(kind, operand.dtype)), "mode": StringAttr(mode)},
    )
    return _back(frame, Scalar(operand.dtype, result), dtype)


def _shuffle(mode: str, frame: Frame, node: ast.AST, value: Value, where: Value) -> Value:
    from .convert import number_type

    own = materialise(frame, node, value)
    if not number_type(frame, node, where).is_integer:
        raise frame.refuse(node, f"a lane is an integer, got {describe(where)}")
    operand = to_type(frame, node, own, _wide(own.dtype))
    offset = to_type(frame, node, where, i32)
    size = frame.emit.add(gpu.SubgroupSizeOp, (), (INDEX,))
    width = convert(frame.emit, size, index, i32)
    result = frame.emit.add(
        gpu.ShuffleOp,
        (operand.ssa, offset.ssa, width),
        (REGISTER[operand.dtype], I1),
        {"mode": gpu.ShuffleModeAttr(gpu.ShuffleMode(mode))},
    )
    return _back(frame, Scalar(operand.dtype, result), own.dtype)


def _broadcast(frame: Frame, node: ast.AST, value: Value, lane: Value | None = None) -> Value:
    from .values import Static

    return _shuffle("idx", frame, node, value, lane or Static(0))


def _predicate(frame: Frame, node: ast.AST, value: Value) -> Scalar:
    return materialise(frame, node, truth(frame, node, value))


def _vote(kind: str, frame: Frame, node: ast.AST, predicate: Value) -> Value:
    return _reduce(kind, frame, node, _predicate(frame, node, predicate))


def _ballot(frame: Frame, node: ast.AST, predicate: Value) -> Value:
    bits = frame.emit.add(gpux.BallotOp, (_predicate(frame, node, predicate).ssa,), (I64,))
    return Scalar(u64, bits)


def _number(op: type[Operation], frame: Frame, node: ast.AST) -> Value:
    return Scalar(index, frame.emit.add(op, (), (INDEX,)))


_REDUCTIONS = {
    **{"add": "add", "mul": "mul", "min": "min", "max": "max"},
    **{"and_": "and", "or_": "or", "xor": "xor"},
}
_SCANS = (("inclusive", "add"), ("exclusive", "add"), ("inclusive", "min"), ("inclusive", "max"))
SUBGROUPS: dict[str, Function] = {
    **{
        f"subgroup_reduce_{name}": Function(
            f"sw.subgroup_reduce_{name}", partial(_reduce, kind), ("value",)
        )
        for name, kind in _REDUCTIONS.items()
    },
    **{
        f"subgroup_{mode}_{kind}": Function(
            f"sw.subgroup_{mode}_{kind}", partial(_scan, kind, mode), ("value",)
        )
        for mode, kind in _SCANS
    },
    **{
        f"shuffle_{mode}": Function(
            f"sw.shuffle_{mode}", partial(_shuffle, mode), ("value", "delta")
        )
        for mode in ("xor", "up", "down")
    },
    "shuffle": Function("sw.shuffle", partial(_shuffle, "idx"), ("value", "lane")),
    "broadcast": Function("sw.broadcast", _broadcast, ("value", "lane"), ("lane",)),
    "any": Function("sw.any", partial(_vote, "or"), ("predicate",)),
    "all": Function("sw.all", partial(_vote, "and"), ("predicate",)),
    "ballot": Function("sw.ballot", _ballot, ("predicate",)),
    "lane_id": Function("sw.lane_id", partial(_number, gpu.LaneIdOp)),
    "subgroup_id": Function("sw.subgroup_id", partial(_number, gpu.SubgroupIdOp)),
    "subgroup_size": Function("sw.subgroup_size", partial(_number, gpu.SubgroupSizeOp)),
}
