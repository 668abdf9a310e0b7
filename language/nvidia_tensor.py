"""Copies of boxes of tensors (TMA), by a tensor map: a parameter, or 128 bytes of global memory."""

from __future__ import annotations

import ast
from math import prod
from typing import TYPE_CHECKING

from .convert import store_as
from .functions import Function, Handler
from .nvidia_barriers import mbarrier as barrier_address
from .nvidia_bulk import reduction
from .nvidia_emit import HOPPER, inline, require
from .nvidia_memory import (
    NONE,
    address_of,
    expect_global,
    expect_rows,
    known_place,
    shared_address,
)
from .types import i32, u16
from .typing_of import describe
from .values import Static, TensorMapValue, TupleValue, Value, View

if TYPE_CHECKING:
    from xdsl.ir import SSAValue

    from .frame import Frame

DESCRIPTOR_BYTES = 128
FENCE_PTX = 83


def _descriptor(frame: Frame, node: ast.AST, name: str, value: Value) -> SSAValue:
    """The address of a tensor's descriptor."""
    if isinstance(value, TensorMapValue):
        return value.ssa
    if not isinstance(value, View) or len(value.sizes) != 1:
        raise frame.refuse(
            node,
            f"the descriptor is {describe(value)}, expected a tensor map (x.tensor_map(box)) or an "
            "array of u64 with 16 elements",
        )
    address, array = address_of(frame, node, name, value, Static(0), DESCRIPTOR_BYTES)
    expect_global(frame, node, name, array)
    return address.ssa


def _coordinates(frame: Frame, node: ast.AST, descriptor: Value, value: Value) -> list[SSAValue]:
    """PTX has the innermost first."""
    items = value.items if isinstance(value, TupleValue) else (value,)
    rank = len(descriptor.type.box) if isinstance(descriptor, TensorMapValue) else None
    if not 1 <= len(items) <= 5 or rank not in (None, len(items)):
        expected = rank or "1 to 5"
        raise frame.refuse(node, f"{len(items)} coordinates, expected {expected}, as for the array")
    return [store_as(frame, node, item, i32, "coordinate").ssa for item in reversed(items)]


def _tile(
    frame: Frame, node: ast.AST, name: str, shared: Value, index: Value, descriptor: Value
) -> SSAValue:
    """The address of a box in shared memory, with all of it inside the array where it is known."""
    if not isinstance(shared, View) or not isinstance(descriptor, TensorMapValue):
        return shared_address(frame, node, name, shared, index, 16)[0]
    box = descriptor.type
    if shared.dtype is not box.element:
        raise frame.refuse(node, f"{name} of a box of {box.element} and an array of {shared.dtype}")
    sizes = [size or 0 for size in shared.sizes]
    whole = [prod(sizes[axis:]) >= prod(box.box) for axis in range(len(sizes))]
    if not any(whole):
        raise frame.refuse(
            node,
            f"a box has {prod(box.box)} elements, the array in shared memory {prod(sizes)}",
        )
    first = len(whole) - 1 - whole[::-1].index(True)
    if first == len(sizes) - 1:
        return shared_address(frame, node, name, shared, index, box.nbytes)[0]
    indices = index.items if isinstance(index, TupleValue) else (index,)
    expect_rows(frame, node, name, shared, first)
    known = [
        known_place(item, size) for item, size in zip(indices[first:], sizes[first:], strict=False)
    ]
    start = sum(
        (place or 0) * prod(sizes[axis + 1 :]) for axis, place in enumerate(known, start=first)
    )
    if None in known or start + prod(box.box) > prod(sizes[first:]):
        raise frame.refuse(
            node,
            f"a box of {prod(box.box)} elements is not known to be inside axes {first} to "
            f"{len(sizes) - 1} of the array in shared memory",
            hint="index these axes with constants that leave room for the box",
        )
    return shared_address(frame, node, name, shared, index, 0)[0]


def _box(first: int, count: int) -> str:
    return "{" + ", ".join(f"${n}" for n in range(first, first + count)) + "}"


def _tma_load(
    frame: Frame, node: ast.AST, shared: Value, index: Value, descriptor: Value, at: Value,
    mbarrier: Value, which: Value, multicast: Value = NONE,
) -> Value:  # fmt: skip
    require(frame, node, "sw.nvidia.tma_load", HOPPER)
    to = _tile(frame, node, "tma_load", shared, index, descriptor)
    tensor = _descriptor(frame, node, "tma_load", descriptor)
    heard = barrier_address(frame, node, "tma_load", mbarrier, which)
    box = _coordinates(frame, node, descriptor, at)
    operands, blocks, mask = [to, tensor, heard, *box], "", ""
    if not (isinstance(multicast, Static) and multicast.value is None):
        operands.append(store_as(frame, node, multicast, u16, "multicast of tma_load").ssa)
        blocks, mask = ".multicast::cluster", f", ${len(operands) - 1}"
    text = (
        f"cp.async.bulk.tensor.{len(box)}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
        f"{blocks} [$0], [$1, {_box(3, len(box))}], [$2]{mask};"
    )
    return inline(frame, text, operands)


def _put(
    frame: Frame, node: ast.AST, name: str, descriptor: Value, at: Value, tile: tuple[Value, Value],
    start: str, end: str,
) -> Value:  # fmt: skip
    """From shared memory to a box."""
    of = _tile(frame, node, name, *tile, descriptor)
    tensor = _descriptor(frame, node, name, descriptor)
    if isinstance(descriptor, TensorMapValue):
        frame.mark_written(descriptor)
    box = _coordinates(frame, node, descriptor, at)
    text = f"{start}.{len(box)}d.global.shared::cta.{end} [$0, {_box(2, len(box))}], [$1];"
    return inline(frame, text, (tensor, of, *box))


def _tma_store(
    frame: Frame, node: ast.AST, descriptor: Value, at: Value, shared: Value, index: Value
) -> Value:
    require(frame, node, "sw.nvidia.tma_store", HOPPER)
    words = "cp.async.bulk.tensor", "tile.bulk_group"
    return _put(frame, node, "tma_store", descriptor, at, (shared, index), *words)


def _tma_reduce(
    frame: Frame, node: ast.AST, descriptor: Value, at: Value, shared: Value, index: Value,
    op: Value,
) -> Value:  # fmt: skip
    require(frame, node, "sw.nvidia.tma_reduce", HOPPER)
    if not isinstance(descriptor, TensorMapValue):
        raise frame.refuse(
            node,
            f"the descriptor of tma_reduce is {describe(descriptor)}, expected a tensor map, which "
            "says the type of the elements",
        )
    word, _ = reduction(frame, node, op, descriptor.type.element)
    words = "cp.reduce.async.bulk.tensor", f"{word}.tile.bulk_group"
    return _put(frame, node, "tma_reduce", descriptor, at, (shared, index), *words)


def _tma_prefetch(frame: Frame, node: ast.AST, descriptor: Value, at: Value = NONE) -> Value:
    require(frame, node, "sw.nvidia.tma_prefetch", HOPPER)
    tensor = _descriptor(frame, node, "tma_prefetch", descriptor)
    if isinstance(at, Static) and at.value is None:
        return inline(frame, "prefetch.tensormap [$0];", (tensor,))
    box = _coordinates(frame, node, descriptor, at)
    text = f"cp.async.bulk.prefetch.tensor.{len(box)}d.L2.global.tile [$0, {_box(1, len(box))}];"
    return inline(frame, text, (tensor, *box))


def _tma_acquire(frame: Frame, node: ast.AST, descriptor: Value) -> Value:
    require(frame, node, "sw.nvidia.tma_acquire", HOPPER)
    if isinstance(descriptor, TensorMapValue):
        raise frame.refuse(
            node, "a tensor map that is a parameter does not change: it needs no fence"
        )
    tensor = _descriptor(frame, node, "tma_acquire", descriptor)
    text = f"fence.proxy.tensormap::generic.acquire.gpu [$0], {DESCRIPTOR_BYTES};"
    return inline(frame, text, (tensor,), ptx=FENCE_PTX)


def _tma_release(frame: Frame, node: ast.AST) -> Value:
    require(frame, node, "sw.nvidia.tma_release", HOPPER)
    return inline(frame, "fence.proxy.tensormap::generic.release.gpu;", (), ptx=FENCE_PTX)


_BOX_AND_TILE = ("descriptor", "at", "shared", "index")
_TENSOR: dict[str, tuple[Handler, tuple[str, ...], tuple[str, ...]]] = {
    "tma_load": (
        _tma_load,
        ("shared", "index", "descriptor", "at", "mbarrier", "which", "multicast"),
        ("multicast",),
    ),
    "tma_store": (_tma_store, _BOX_AND_TILE, ()),
    "tma_reduce": (_tma_reduce, (*_BOX_AND_TILE, "op"), ()),
    "tma_prefetch": (_tma_prefetch, ("descriptor", "at"), ("at",)),
    "tma_acquire": (_tma_acquire, ("descriptor",), ()),
    "tma_release": (_tma_release, (), ()),
}
TENSOR_FUNCTIONS: dict[str, Function] = {
    name: Function(f"sw.nvidia.{name}", handler, names, optional)
    for name, (handler, names, optional) in _TENSOR.items()
}
