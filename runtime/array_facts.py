"""What an array is by its place and its layout, as far as code that takes it may rely on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from .strides import extent

if TYPE_CHECKING:
    from .array import DeviceArray
    from .device import Device

SMALL_SIZE = 1 << 29
SMALL_REACH = 1 << 31  # elements from the first to the last one in memory
# Those that make a difference: 16 bytes are the widest access, 32 from sm_100 on.
ALIGNMENTS = (32, 16)
_keys: WeakKeyDictionary[Device, dict[tuple[object, ...], object]] = WeakKeyDictionary()


def key_of(device: Device, facts: tuple[object, ...]) -> object:
    """The object that stands for such facts of what lies on a device; it holds no device."""
    keys = _keys.get(device)
    if keys is None:
        keys = _keys.setdefault(device, {})
    return keys.setdefault(facts, object())


def small_array(shape: Sequence[int], strides: Sequence[int], dtype: np.dtype[Any]) -> bool:
    """Whether indices of an array fit 32 bits; those of a structure's fields count in fields."""
    low, high = extent(shape, strides, dtype.itemsize)
    step = 1 if dtype.fields is not None else max(1, dtype.itemsize)
    return max(shape, default=0) <= SMALL_SIZE and (high - low) // step <= SMALL_REACH


def row_alignment(array: DeviceArray) -> int:
    """The greatest number of bytes of which the addresses of all rows are multiples, 0 for 0."""
    if array.contiguous:  # the stride of an axis with one element may be anything
        row = array.shape[-1] * array.dtype.itemsize if array.ndim > 1 else 0
        return math.gcd(array.address, row)
    return math.gcd(array.address, *array.strides[:-1])


def widest_alignment(multiple: int) -> int:
    """The greatest of `ALIGNMENTS` that divides what all addresses are multiples of, or 0."""
    return next((bytes_ for bytes_ in ALIGNMENTS if multiple % bytes_ == 0), 0)
