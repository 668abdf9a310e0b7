"""Basic indexing of a strided view: integers, slices, `...` and `None`, as NumPy defines them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from .errors import ArrayError

View = tuple[int, tuple[int, ...], tuple[int, ...]]


def basic_index(shape: Sequence[int], strides: Sequence[int], key: Any) -> View:
    """Offset in bytes, shape and strides of `array[key]`; IndexError if out of range."""
    given: tuple[Any, ...] = (key,)
    if isinstance(key, tuple):
        given = cast("tuple[Any, ...]", key)
    keys = _expanded(given, len(shape))
    offset, axis = 0, 0
    sizes: list[int] = []
    steps: list[int] = []
    for item in keys:
        if item is None:
            sizes.append(1)
            steps.append(0)
            continue
        size, stride = shape[axis], strides[axis]
        if isinstance(item, slice):
            start, stop, step = item.indices(size)
            count = len(range(start, stop, step))
            offset += start * stride if count else 0
            sizes.append(count)
            steps.append(step * stride)
        else:
            offset += _integer(item, size, axis) * stride
        axis += 1
    return offset, tuple(sizes), tuple(steps)


def _expanded(keys: tuple[Any, ...], ndim: int) -> list[Any]:
    """One key per axis (and the `None`s): `...` and missing keys become full slices."""
    given = sum(key is not None and key is not Ellipsis for key in keys)
    if given > ndim:
        raise IndexError(f"{given} indices for an array of {ndim} dimensions")
    rest = [slice(None)] * (ndim - given)
    places = [i for i, key in enumerate(keys) if key is Ellipsis]
    if len(places) > 1:
        raise IndexError("an index can have one `...` only")
    if not places:
        return [*keys, *rest]
    return [*keys[: places[0]], *rest, *keys[places[0] + 1 :]]


def _integer(item: Any, size: int, axis: int) -> int:
    if isinstance(item, bool) or not hasattr(item, "__index__") or getattr(item, "ndim", 0):
        raise ArrayError(
            f"index {item!r} would need a copy; device arrays take integers, slices, ... and None"
        )
    index = item.__index__()
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {size}")
    return index + size if index < 0 else index


def resolved_shape(shape: tuple[int, ...], old: Sequence[int]) -> tuple[int, ...]:
    """The sizes of a reshaped array, one of which may be -1; ArrayError if they do not fit."""
    size, known = math.prod(old), math.prod(size for size in shape if size != -1)
    if shape.count(-1) == 1 and known and size % known == 0:
        shape = tuple(size // known if wanted == -1 else wanted for wanted in shape)
    if math.prod(shape) != size or any(wanted < 0 for wanted in shape):
        raise ArrayError(f"cannot reshape {tuple(old)} ({size} elements) to {shape}")
    return shape
