"""Arrays of other libraries on the same GPU, both ways and without a copy.

Whoever hands an array over says which stream it is ready in; here that is the default stream, which
waits for all others before an array leaves, and for theirs before one that came is used. Launches
in other streams then wait for the default one (see `queue.py`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..array import DeviceArray, Memory, as_dtype
from ..errors import ArrayError
from ..strides import contiguous_strides, extent
from .table import STREAM_LEGACY

if TYPE_CHECKING:
    from .device import CudaDevice

VERSION = 3


def shared(
    device: CudaDevice,
    source: Any,
    address: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: np.dtype[Any],
    *,
    readonly: bool,
    owner: object,
) -> DeviceArray:
    """An array over memory that `owner` keeps; strides in bytes."""
    if dtype.alignment and address % dtype.alignment:
        raise ArrayError(
            f"this {type(source).__name__} is at {address:#x}, which is not aligned for {dtype}"
        )
    low, high = extent(shape, strides, dtype.itemsize)
    memory = Memory(device, address + low, high - low, None, owner)
    core = device.core
    core.memory.live.add(memory)
    core.changed()
    return DeviceArray(memory, -low, shape, strides, dtype, readonly)


def import_interface(device: CudaDevice, source: Any) -> DeviceArray | None:
    """The array behind `__cuda_array_interface__`; None if it is not on this device."""
    given: dict[str, Any] = source.__cuda_array_interface__
    address, readonly = given["data"]
    shape = tuple(given["shape"])
    if math.prod(shape) and not _is_here(device, address):
        return None
    if given.get("mask") is not None:
        raise ArrayError(f"this {type(source).__name__} has a mask, which kernels do not know")
    descr = given.get("descr")
    plain = descr is None or (len(descr) == 1 and not descr[0][0])
    dtype = as_dtype(np.dtype(given["typestr"] if plain else descr))
    strides = given.get("strides") or contiguous_strides(shape, dtype.itemsize)
    core = device.core
    core.refuse_capture("an array of another library that is taken over")
    stream = given.get("stream")
    if stream not in (None, STREAM_LEGACY):
        core.wait_for_foreign(stream)
    return shared(
        device, source, address, shape, tuple(strides), dtype, readonly=readonly, owner=source
    )


def _is_here(device: CudaDevice, address: int) -> bool:
    core = device.core
    with core.lock, core.context.current():
        ordinal = core.context.call("cuPointerGetAttribute", "DEVICE_ORDINAL", address)
    return int(ordinal) == device.ordinal


def interface_of(device: CudaDevice, array: DeviceArray) -> dict[str, Any]:
    """`__cuda_array_interface__` of an array; AttributeError where its type has no name there."""
    if array.dtype.name == "bfloat16":
        raise AttributeError("bfloat16 has no name in __cuda_array_interface__; use DLPack")
    core = device.core
    core.refuse_capture("an array that is given to another library")
    core.publish()
    return {
        "shape": array.shape,
        "typestr": array.dtype.str,
        "descr": array.dtype.descr,
        "data": (array.address if array.size else 0, array.readonly),
        "strides": None if array.contiguous else array.strides,
        "stream": STREAM_LEGACY,
        "version": VERSION,
    }
