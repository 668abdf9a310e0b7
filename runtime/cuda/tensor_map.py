"""Tensor maps, as the driver writes them.

The driver wants the 128 bytes at a multiple of 64, where the bindings' own structure need not be,
so its function is called by its address.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ..errors import DeviceError
from ..tensor_map import Tensor

if TYPE_CHECKING:
    from .core import Core

BYTES, ALIGNMENT = 128, 64
NAME, SINCE = b"cuTensorMapEncodeTiled", 12000
# CUtensorMapDataType; signs make no difference for a copy.
_TYPES = {
    "u8": 0, "i8": 0, "u16": 1, "i16": 1, "u32": 2, "i32": 3, "u64": 4, "i64": 5,
    "f16": 6, "f32": 7, "f64": 8, "bf16": 9,
}  # fmt: skip
_SWIZZLES = {0: 0, 32: 1, 64: 2, 128: 3}
_NO_INTERLEAVE, _L2_128B, _ZEROS_OUTSIDE = 0, 2, 0

_sizes64, _sizes32 = ctypes.POINTER(ctypes.c_uint64), ctypes.POINTER(ctypes.c_uint32)
Prototype = ctypes.CFUNCTYPE(
    ctypes.c_int,
    *(ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p),
    *(_sizes64, _sizes64, _sizes32, _sizes32),
    *(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int),
)


def encode(core: Core, tensor: Tensor) -> bytes:
    """The 128 bytes of a tensor map; DeviceError where the driver refuses it."""
    rank = len(tensor.shape)
    room = ctypes.create_string_buffer(BYTES + ALIGNMENT)
    start = ctypes.addressof(room)
    start += -start % ALIGNMENT
    ones = (1,) * rank
    with core.lock, core.context.current():
        found, _ = core.context.call("cuGetProcAddress", NAME, SINCE, 0)
        status = Prototype(int(found))(
            start,
            _TYPES[tensor.dtype],
            rank,
            tensor.address,
            _array(ctypes.c_uint64, tensor.shape),
            _array(ctypes.c_uint64, tensor.strides),
            _array(ctypes.c_uint32, tensor.box),
            _array(ctypes.c_uint32, ones),
            _NO_INTERLEAVE,
            _SWIZZLES[tensor.swizzle],
            _L2_128B,
            _ZEROS_OUTSIDE,
        )
    if status:
        raise DeviceError(
            f"{core.context.name} takes no tensor map of sizes {tensor.shape}, distances "
            f"{tensor.strides} and box {tensor.box} (innermost first), result {status}"
        )
    words = ctypes.string_at(start, BYTES)
    core.memory.remember_map(words, tensor.address)
    return words


def _array(kind: Any, values: tuple[int, ...]) -> Any:
    return (kind * max(1, len(values)))(*values)
