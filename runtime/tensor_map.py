"""Tensor maps: what a kernel copies boxes of an array by, as the hardware wants to have them.

An argument of a kernel whose parameter is a tensor map: `x.tensor_map((128, 64), swizzle=128)`.
The array stays alive with it. What the hardware takes is checked here, with the reason; the device
writes the 128 bytes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from .array_facts import key_of
from .artifact import TENSOR_MAP_SLOTS
from .dtypes import DTYPES, from_numpy
from .errors import ArrayError

if TYPE_CHECKING:
    from .array import DeviceArray

_RANK, _BOX, _BYTES = 5, 256, 16
_SWIZZLES = (0, 32, 64, 128)
_ELEMENTS = frozenset(DTYPES) - {"bool", "index"}
_words = struct.Struct(f"<{TENSOR_MAP_SLOTS}Q")


class Tensor(NamedTuple):
    """What is encoded: sizes, distances and box with the innermost axis first, as the hardware
    counts; `strides` are bytes between items of the axes after the innermost."""

    address: int
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    box: tuple[int, ...]
    swizzle: int


class TensorMap:
    """A tensor map of an array; `key` decides which code takes it, `words` are its 128 bytes."""

    __slots__ = ("array", "box", "dtype", "key", "swizzle", "words")

    def __init__(self, array: DeviceArray, box: tuple[int, ...], swizzle: int, tensor: Tensor):
        self.array = array
        self.box = box
        self.dtype = tensor.dtype
        self.swizzle = swizzle
        self.words: tuple[int, ...] = _words.unpack(array.device.encode_tensor_map(tensor))
        self.key = key_of(array.device, (TensorMap, tensor.dtype, box, swizzle))

    def __repr__(self) -> str:
        return f"<tensor map: boxes of {self.box} {self.dtype}, swizzle {self.swizzle}>"


def make_tensor_map(array: DeviceArray, box: tuple[Any, ...], swizzle: int) -> TensorMap:
    """The map of an array; ArrayError if the hardware does not take such a one."""
    found = from_numpy(array.dtype)
    reason = (
        f"elements of type {array.dtype}"
        if found is None or found.name not in _ELEMENTS
        else _refusal(array, box, swizzle)
    )
    if found is None or reason is not None:
        raise ArrayError(f"no tensor map of an array of shape {array.shape}: {reason}")
    tensor = Tensor(
        array.address,
        found.name,
        tuple(reversed(array.shape)),
        tuple(reversed(array.strides[:-1])),
        tuple(reversed(box)),
        swizzle,
    )
    return TensorMap(array, box, swizzle, tensor)


def _refusal(array: DeviceArray, box: tuple[Any, ...], swizzle: int) -> str | None:
    if not 1 <= array.ndim <= _RANK:
        return f"{array.ndim} axes, expected 1 to {_RANK}"
    if len(box) != array.ndim or any(type(size) is not int for size in box):
        return f"the box is {box}, expected a size for each of its {array.ndim} axes"
    if min(box) < 1 or max(box) > _BOX:
        return f"the box is {box}, expected sizes from 1 to {_BOX}"
    row = box[-1] * array.itemsize
    if row % _BYTES:
        return f"a row of the box has {row} bytes, expected a multiple of {_BYTES}"
    if swizzle not in _SWIZZLES:
        return f"swizzle is {swizzle}, expected 0, 32, 64 or 128"
    if swizzle and row != swizzle:
        return f"a row of the box has {row} bytes, expected as many as the swizzle, {swizzle}"
    return _array_refusal(array)


def _array_refusal(array: DeviceArray) -> str | None:
    if not array.size:
        return "it is empty"
    if array.strides[-1] != array.itemsize and array.shape[-1] > 1:
        return "neighbours of its last axis are not side by side"
    for axis, step in enumerate(array.strides[:-1]):
        if step % _BYTES or not 0 < step < 1 << 40:
            return f"steps of axis {axis} are {step} bytes, expected a positive multiple of 16"
    if array.address % _BYTES:
        return "its address is no multiple of 16"
    return None
