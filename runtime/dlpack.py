"""DLPack on the host, both ways: NumPy makes and reads the capsules.

NumPy has no bfloat16 there, so such an array travels as uint16 and the type is put right in the
capsule's tensor: code and bits are bytes 20 and 21 of a DLTensor, which comes first in a capsule
called "dltensor" and after 32 bytes in one called "dltensor_versioned".
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from .dtypes import numpy_dtype
from .errors import ArrayError

if TYPE_CHECKING:
    from .array import DeviceArray
    from .device import Device

DEVICE_TYPES = {"cpu": 1, "cuda": 2, "opencl": 4, "vulkan": 7, "metal": 8, "hip": 10, "webgpu": 15}
_HOST_TYPES = (1, 3)  # host memory, host memory pinned for CUDA
_TENSOR_AT = {b"dltensor": 0, b"dltensor_versioned": 32}
_CODE_AT = 20
_UINT, _BFLOAT = 1, 4


def device_of(device: Device) -> tuple[int, int]:
    """DLPack's device type and number of a device."""
    _, _, number = device.name.partition(":")
    return DEVICE_TYPES.get(device.kind, 12), int(number or 0)  # 12 is "an extension"


def export(array: DeviceArray, **options: Any) -> Any:
    """A capsule that shares the array's memory; BufferError or ArrayError where that cannot be."""
    data = array.numpy(copy=False)
    options.pop("stream", None)
    if array.dtype.name != "bfloat16":
        return data.__dlpack__(**options)
    capsule = data.view(np.uint16).__dlpack__(**options)
    _change_type(capsule, _UINT, _BFLOAT)
    return capsule


def import_host(device: Device, source: Any) -> DeviceArray | None:
    """Share a DLPack array that is in host memory; None if it is elsewhere."""
    if source.__dlpack_device__()[0] not in _HOST_TYPES:
        return None
    wrapped = _Patched(source)
    try:
        data = np.from_dlpack(wrapped)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise ArrayError(f"cannot share this {type(source).__name__}: {error}") from error
    if wrapped.is_bfloat:
        data = data.view(numpy_dtype("bf16"))
    shared = device.adopt(data)
    assert shared is not None, "a CPU device adopts every NumPy array"
    return shared


class _Patched:
    """Passes an array on, with bfloat16 changed to uint16 in the capsule."""

    def __init__(self, source: Any):
        self._source = source
        self.is_bfloat = False

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._source.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self._source.__dlpack__(**options)
        self.is_bfloat = _change_type(capsule, _BFLOAT, _UINT)
        return capsule


def _change_type(capsule: Any, old: int, new: int) -> bool:
    """Change the type code of a fresh capsule's 16-bit tensor if it is `old`; whether it was."""
    api = ctypes.pythonapi
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", api)
    )
    name = name_of(capsule)
    if name not in _TENSOR_AT:
        raise ArrayError(f"unknown DLPack capsule {name!r}")
    start = pointer_of(capsule, name) + _TENSOR_AT[name] + _CODE_AT
    kind = (ctypes.c_uint8 * 2).from_address(start)
    if kind[0] != old or kind[1] != 16:
        return False
    kind[0] = new
    return True
