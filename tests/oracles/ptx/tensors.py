"""Copies of boxes of tensors, by maps of 128 bytes that `encode` writes in a layout of our own.

A box lies in shared memory row by row, the innermost axis first. With a swizzle of w bytes its rows
are w bytes long, and bits 4 and up of an address change with bits 7 and up, as many as w / 16
needs. What is outside of the tensor is read as 0 and not written; an mbarrier hears of all bytes of
a box. Copies take place at once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .access import address_reader, lanes_of, places
from .errors import Misaligned, PtxError
from .machine import Warp
from .memory import Array, Space
from .syntax import Address, Instruction
from .transactions import COMPLETE, combination, update
from .values import LANES, Mask, Run, reader, unknown

BYTES = 128
_MAGIC = b"boxes\0\0\0"
_LAYOUT = struct.Struct("<8sQ2Bc5I4Q5H")
_ALIGNMENT = 128
# From old and new elements to what is written.
Put = Callable[[Array, Array], Array]


class Map(NamedTuple):
    """Sizes, strides (bytes, of the axes after the innermost) and box, the innermost axis first."""

    address: int
    rank: int
    swizzle: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    box: tuple[int, ...]


def encode(
    address: int,
    dtype: np.dtype[Any],
    shape: Sequence[int],
    strides: Sequence[int],
    box: Sequence[int],
    swizzle: int = 0,
) -> bytes:
    """A tensor map of elements of that type."""
    rank, size = len(shape), dtype.itemsize
    if not 1 <= rank <= 5 or len(box) != rank or len(strides) != rank - 1:
        raise PtxError(f"a tensor map of {rank} sizes, {len(strides)} strides, a box of {len(box)}")
    if swizzle and box[0] * size != swizzle:
        raise PtxError(f"rows of {box[0] * size} bytes with a swizzle of {swizzle}")
    rest = 5 - rank
    return _LAYOUT.pack(
        *(_MAGIC, address, rank, swizzle, dtype.char.encode()),
        *(*shape, *[1] * rest),
        *(*strides, *[0] * rest)[:4],
        *(*box, *[1] * rest),
    ).ljust(BYTES, b"\0")


def _decode(raw: bytes) -> Map:
    magic, address, rank, swizzle, kind, *numbers = _LAYOUT.unpack(raw[: _LAYOUT.size])
    if magic != _MAGIC:
        raise PtxError("this is no tensor map")
    shape, strides, box = numbers[:5], numbers[5:9], numbers[9:]
    return Map(
        *(address, rank, swizzle, np.dtype(kind.decode())),
        *(tuple(shape[:rank]), tuple(strides[: rank - 1]), tuple(box[:rank])),
    )


def _read_map(warp: Warp, address: int, lane: int) -> Map:
    if address % 64:
        raise Misaligned(f"a tensor map at {address:#x}, expected a multiple of 64", lane=lane)
    return _decode(warp.launch.memory.read(address, BYTES))


def _swizzled(offsets: Array, width: int) -> Array:
    mask = np.uint64(width // 16 - 1) if width else np.uint64(0)
    return offsets ^ (offsets >> np.uint64(7) & mask) << np.uint64(4)


def _box_places(map_: Map, at: Sequence[int]) -> tuple[Array, Array, Array]:
    """Of each element of a box: bytes from its start, address in the tensor, whether it exists."""
    grid = np.indices(tuple(reversed(map_.box))).reshape(map_.rank, -1)[::-1]
    size = map_.dtype.itemsize
    steps = (size, *map_.strides)
    inside = np.ones(grid.shape[1], bool)
    address = np.full(grid.shape[1], map_.address, np.int64)
    for axis in range(map_.rank):
        index = grid[axis] + at[axis]
        inside &= (index >= 0) & (index < map_.shape[axis])
        address += index * steps[axis]
    return np.arange(0, prod(map_.box) * size, size, dtype=np.int64), address, inside


def _copy(
    warp: Warp, lane: int, map_: Map, at: Sequence[int], shared: Space, start: int, put: Put | None
) -> int:
    """One box, to shared memory or, with `put`, from there; its bytes."""
    size = map_.dtype.itemsize
    if start % _ALIGNMENT:
        raise Misaligned(f"a box at {start:#x} in shared memory, not at 128 bytes", lane=lane)
    offsets, addresses, inside = _box_places(map_, at)
    places_ = np.uint64(start) + offsets.astype(np.uint64)
    who = np.full(len(places_), lane)
    shared.check(places_, size, who, -1)
    places_ = _swizzled(places_, map_.swizzle)
    shared.check(places_, size, who, -1)
    tensor = warp.launch.memory.globals
    there = addresses[inside].astype(np.uint64) - np.uint64(tensor.base)
    these = who[inside]
    tensor.check(there, size, these, -1)
    if put is None:
        data = np.zeros(len(places_), np.dtype(f"u{size}"))
        data[inside] = tensor.load(there, size, these)
        shared.store(places_, size, who, data)
    else:
        old, new = tensor.load(there, size, these), shared.load(places_[inside], size, these)
        made = put(old.view(map_.dtype), new.view(map_.dtype))
        tensor.store(there, size, these, made.view(old.dtype))
    return len(places_) * size


def _keep_new(old: Array, new: Array) -> Array:
    return new


def copy_box(instruction: Instruction) -> Run:
    """cp.async.bulk.tensor between a tensor and shared memory"""
    if instruction.has("prefetch"):
        return lambda warp, mask: None
    words = [word for word in instruction.modifiers if word in ("im2col", "multicast::cluster")]
    if words:
        raise unknown(instruction, words[0])
    load = instruction.modifiers[-1].endswith("complete_tx::bytes")
    put: Put | None = None if load else _keep_new
    if instruction.has("reduce"):
        put = combination(instruction)
    target, source, *barrier = instruction.operands
    tensor, memory = (source, target) if load else (target, source)
    assert isinstance(tensor, Address), "a box is [map, {coordinates}]"
    coordinates = [reader(operand, "s32") for operand in tensor.at]
    if f"{len(coordinates)}d" not in instruction.modifiers:
        raise unknown(instruction, f"{len(coordinates)} coordinates")
    address = address_reader(Address(tensor.base, tensor.offset))
    find = places(memory, "shared", 16, instruction.pc, load)
    hear = places(barrier[0], "shared", 8, -2 - instruction.pc, True) if load else None

    def run(warp: Warp, mask: Mask) -> None:
        lanes = lanes_of(mask)
        ((shared, offsets, _, _),) = find(warp, mask, lanes)
        where, values = address(warp, mask), [read(warp, mask) for read in coordinates]
        sizes = np.zeros(LANES, np.int64)
        for number, lane in enumerate(lanes.tolist()):
            map_ = _read_map(warp, int(where[lane]), lane)
            if map_.rank != len(values):
                raise PtxError(f"{len(values)} coordinates in a tensor of {map_.rank} axes")
            at = [int(value[lane]) for value in values]
            sizes[lane] = _copy(warp, lane, map_, at, shared, int(offsets[number]), put)
        if hear is not None:
            update(warp, mask, hear, COMPLETE, sizes, np.zeros(LANES, np.int64))

    return run
