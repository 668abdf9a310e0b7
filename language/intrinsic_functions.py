"""The language's own functions as ops: ids, barriers, arrays, atomics, subgroup operations."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from xdsl.ir import Operation

from ..dialects import gpu, simt
from .atomics import ATOMICS
from .bit_functions import BITS
from .emitter import INDEX
from .functions import Function
from .subgroups import SUBGROUPS
from .types import DTYPES
from .typing_of import describe
from .values import RangeValue, Scalar, Static, TupleValue, Value, static_int
from .workspace import local_array, shared_array

if TYPE_CHECKING:
    from .frame import Frame

_INDEX = DTYPES["index"]
_IDS: dict[str, type[Operation]] = {
    "thread_id": gpu.ThreadIdOp,
    "block_id": gpu.BlockIdOp,
    "block_dim": gpu.BlockDimOp,
    "grid_dim": gpu.GridDimOp,
    "global_id": gpu.GlobalIdOp,
    "global_size": simt.GlobalSizeOp,
}


def _dimension(frame: Frame, node: ast.AST, value: Value | None) -> int:
    """The hardware dimension; axis d of an `over` of rank r is dimension r - 1 - d."""
    axis = 0 if value is None else static_int(value)
    if axis is None:
        raise frame.refuse(node, "the dimension must be a constant 0, 1 or 2")
    rank = frame.unit.over
    if not 0 <= axis < (3 if rank is None else rank):
        most = 2 if rank is None else rank - 1
        raise frame.refuse(
            node,
            f"dimension {axis} of a launch that has dimensions 0 to {most}",
            hint=None if rank is None else f"the kernel is launched by over() with {rank} axes",
        )
    frame.unit.axes_used = max(frame.unit.axes_used, axis + 1)
    return axis if rank is None else rank - 1 - axis


def _id(op: type[Operation], frame: Frame, node: ast.AST, dimension: Value | None = None) -> Value:
    axis = gpu.DIMENSIONS[_dimension(frame, node, dimension)]
    return Scalar(_INDEX, frame.emit.add(op, (), (INDEX,), {"dimension": axis}))


def _barrier(frame: Frame, node: ast.AST) -> Value:
    frame.emit.add(gpu.BarrierOp)
    return Static(None)


def _unroll(frame: Frame, node: ast.AST, iterable: Value) -> Value:
    if isinstance(iterable, TupleValue):
        return iterable
    if not isinstance(iterable, RangeValue):
        raise frame.refuse(node, f"unroll takes a range or a tuple, got {describe(iterable)}")
    bounds = (iterable.start, iterable.stop, iterable.step)
    if any(static_int(bound) is None for bound in bounds):
        raise frame.refuse(
            node,
            "the bounds of an unrolled range must be constants",
            hint="make the size a parameter annotated sw.Const",
        )
    return RangeValue(*bounds, unroll=True)


INTRINSICS: dict[str, Function] = {
    **{
        name: Function(f"sw.{name}", partial(_id, op), ("dimension",), ("dimension",))
        for name, op in _IDS.items()
    },
    "barrier": Function("sw.barrier", _barrier),
    "unroll": Function("sw.unroll", _unroll, ("iterable",)),
    "shared": Function("sw.shared", shared_array, ("shape", "dtype")),
    "local": Function("sw.local", local_array, ("shape", "dtype")),
    **ATOMICS,
    **BITS,
    **SUBGROUPS,
}
