"""Instructions of NVIDIA GPUs on arrays: addresses and asynchronous copies.

An array's element becomes an address by a view of it; 16 bytes from there are inside the array, as
the checks of the first and the last element say.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xdsl.dialects import arith, memref

from ..dialects import gpu
from .arrays import checked_index
from .convert import store_as
from .emitter import I32, I64, INDEX
from .functions import Function
from .nvidia_emit import emit, require
from .operators import binary
from .slices import element_view
from .types import DTYPES, u32, u64
from .values import Scalar, Static, TupleValue, Value, View, describe, static_int

if TYPE_CHECKING:
    from xdsl.ir import SSAValue

    from .frame import Frame


_INDEX = DTYPES["index"]


def address_of(
    frame: Frame, node: ast.AST, name: str, value: Value, index: Value, count_bytes: int
) -> tuple[Scalar, View]:
    """The address of an element from which so many bytes are in its row (0: the element only)."""
    if not isinstance(value, View):
        raise frame.refuse(
            node, f"sw.nvidia.{name} takes an array of scalars, got {describe(value)}"
        )
    indices = index.items if isinstance(index, TupleValue) else (index,)
    if len(indices) != len(value.sizes):
        raise frame.refuse(
            node, f"{len(indices)} indices for an array with {len(value.sizes)} axes"
        )
    last = len(indices) - 1
    places: list[SSAValue] = []
    for axis, item in enumerate(indices):
        places.append(checked_index(frame, node, value, axis, item, f"the array of {name}"))
        more = count_bytes // value.dtype.size - 1
        if axis == last and more > 0:
            known, size = static_int(item), value.sizes[axis]
            if known is not None and size is not None:
                known %= size
            first = Scalar(_INDEX, places[axis]) if known is None or known < 0 else Static(known)
            end = binary(frame, node, ast.Add, first, Static(more))
            checked_index(frame, node, value, axis, end, f"the array of {name}")
    element = element_view(frame, value, places)
    number = frame.emit.add(memref.ExtractAlignedPointerAsIndexOp, (element,), (INDEX,))
    dtype, kind = (u32, I32) if _is_shared(value) else (u64, I64)
    return Scalar(dtype, frame.emit.add(arith.IndexCastOp, (number,), (kind,))), value


def _is_shared(view: View) -> bool:
    return view.type.memory_space == gpu.WORKGROUP


def expect_shared(frame: Frame, node: ast.AST, name: str, view: View) -> None:
    """Refuse an array that is not in shared memory."""
    if not _is_shared(view):
        raise frame.refuse(node, f"sw.nvidia.{name} expects an array in shared memory (sw.shared)")


def expect_global(frame: Frame, node: ast.AST, name: str, view: View) -> None:
    """Refuse an array that is not in global memory."""
    if _is_shared(view) or view.type.memory_space == gpu.PRIVATE:
        raise frame.refuse(
            node, f"sw.nvidia.{name} expects an array in global memory (a parameter)"
        )


def _address_of(frame: Frame, node: ast.AST, view: Value, index: Value) -> Value:
    require(frame, node, "sw.nvidia.address", 75)
    address, array = address_of(frame, node, "address", view, index, 0)
    if array.type.memory_space == gpu.PRIVATE:
        raise frame.refuse(node, "an array of sw.local has no address; it lives in registers")
    frame.mark_written(array)  # whoever has the address may store there
    return address


def _map_address(frame: Frame, node: ast.AST, address: Value, rank: Value) -> Value:
    require(frame, node, "sw.nvidia.mapa", 90)
    operands = [
        store_as(frame, node, value, u32, f"{what} of sw.nvidia.mapa").ssa
        for what, value in (("address", address), ("rank", rank))
    ]
    text = "mapa.shared::cluster.u32 $0, $1, $2;"
    return emit(frame, "inline_ptx", operands, (u32,), ptxCode=text, sm=90)


def _copy(
    frame: Frame, node: ast.AST, shared: Value, index: Value, source: Value, source_index: Value
) -> Value:
    require(frame, node, "sw.nvidia.cp_async", 80)
    to, array = address_of(frame, node, "cp_async", shared, index, 16)
    expect_shared(frame, node, "cp_async", array)
    start, given = address_of(frame, node, "cp_async", source, source_index, 16)
    expect_global(frame, node, "cp_async", given)
    if array.dtype is not given.dtype:
        raise frame.refuse(node, f"cp_async from an array of {given.dtype} to one of {array.dtype}")
    text = "cp.async.cg.shared.global [$0], [$1], 16;"
    return emit(frame, "inline_ptx", (to.ssa, start.ssa), (), ptxCode=text, sm=80)


def _commit(frame: Frame, node: ast.AST) -> Value:
    require(frame, node, "sw.nvidia.cp_async_commit", 80)
    return emit(frame, "cp.async.commit.group", (), ())


def _wait(frame: Frame, node: ast.AST, groups: Value) -> Value:
    require(frame, node, "sw.nvidia.cp_async_wait", 80)
    known = static_int(groups)
    if known is None or known < 0:
        raise frame.refuse(node, f"groups is {describe(groups)}, expected a constant from 0 on")
    return emit(frame, "cp.async.wait.group", (), (), n=known)


_TO_AND_FROM = ("shared", "index", "source", "source_index")
MEMORY_FUNCTIONS: dict[str, Function] = {
    "address": Function("sw.nvidia.address", _address_of, ("view", "index")),
    "mapa": Function("sw.nvidia.mapa", _map_address, ("address", "rank")),
    "cp_async": Function("sw.nvidia.cp_async", _copy, _TO_AND_FROM),
    "cp_async_commit": Function("sw.nvidia.cp_async_commit", _commit),
    "cp_async_wait": Function("sw.nvidia.cp_async_wait", _wait, ("groups",)),
}
