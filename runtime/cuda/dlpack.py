"""DLPack on the GPU, both ways: capsules are made and read here, by the layout of `dlpack.h`.

A capsule called "dltensor" holds a DLManagedTensor, one called "dltensor_versioned" the newer
structure with a version and flags. Who takes it renames it to "used_…" and calls its deleter when
the memory is no longer needed.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, ClassVar

from ..array import DeviceArray
from ..dtypes import DTYPES, from_numpy, numpy_dtype
from ..errors import ArrayError
from ..strides import contiguous_strides
from .interop import shared
from .table import STREAM_LEGACY

if TYPE_CHECKING:
    from .device import CudaDevice

CPU, CUDA, CUDA_MANAGED = 1, 2, 13
VERSION = (1, 0)
READONLY, COPIED = 1, 2
PLAIN, VERSIONED = b"dltensor", b"dltensor_versioned"
USED = {PLAIN: b"used_dltensor", VERSIONED: b"used_dltensor_versioned"}
# DLDataTypeCode
_CODES = {"int": 0, "uint": 1, "float": 2, "bool": 6}
_BFLOAT = 4
_TYPES = {
    (_BFLOAT if row.name == "bf16" else _CODES[row.kind], 8 * row.size): row.name
    for row in DTYPES.values()
    if row.name != "index"
}
_NO_SYNC = -1

_deleter_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_destructor_type = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)


class Tensor(ctypes.Structure):
    """DLTensor."""

    _fields_: ClassVar[Any] = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Managed(ctypes.Structure):
    """DLManagedTensor."""

    _fields_: ClassVar[Any] = [
        ("tensor", Tensor),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    ]


class ManagedVersioned(ctypes.Structure):
    """DLManagedTensorVersioned."""

    _fields_: ClassVar[Any] = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", Tensor),
    ]


_STRUCTURES: dict[bytes, Any] = {PLAIN: Managed, VERSIONED: ManagedVersioned}


def _function(name: str, result: Any, *arguments: Any) -> Any:
    """A function of Python's own interface; a capsule is passed by its address, which also works
    while it is being destroyed."""
    return ctypes.PYFUNCTYPE(result, *arguments)((name, ctypes.pythonapi))


_new = _function(
    "PyCapsule_New", ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p
)
_is_valid = _function("PyCapsule_IsValid", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)
_pointer = _function("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
_set_name = _function("PyCapsule_SetName", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)


class Taken:
    """The memory of another library, until the last array over it is gone."""

    def __init__(self, address: int, deleter: int | None):
        self._address = address
        self._deleter = deleter

    def __del__(self) -> None:
        if self._deleter:
            _deleter_type(self._deleter)(self._address)


def import_array(device: CudaDevice, source: Any) -> DeviceArray | None:
    """Share an array by DLPack; None if it is not on this device."""
    kind, number = source.__dlpack_device__()
    if kind not in (CUDA, CUDA_MANAGED) or number != device.ordinal:
        return None
    core = device.core
    core.refuse_capture("an array of another library that is taken over")
    capsule = _capsule_of(source)
    name = next((name for name in USED if _is_valid(id(capsule), name)), None)
    if name is None:
        raise ArrayError(f"{type(source).__name__} gave a DLPack capsule of a kind unknown here")
    address: int = _pointer(id(capsule), name)
    managed = _STRUCTURES[name].from_address(address)
    if name == VERSIONED and managed.major != VERSION[0]:
        raise ArrayError(f"{type(source).__name__} gives DLPack {managed.major}, expected 1")
    _set_name(id(capsule), USED[name])
    owner = Taken(address, managed.deleter)
    tensor = managed.tensor
    dtype = _dtype_of(source, tensor)
    shape = tuple(tensor.shape[d] for d in range(tensor.ndim))
    if tensor.strides:
        strides = tuple(tensor.strides[d] * dtype.itemsize for d in range(tensor.ndim))
    else:
        strides = contiguous_strides(shape, dtype.itemsize)
    readonly = name == VERSIONED and bool(managed.flags & READONLY)
    first = (tensor.data or 0) + tensor.byte_offset
    return shared(device, source, first, shape, strides, dtype, readonly=readonly, owner=owner)


def _capsule_of(source: Any) -> Any:
    """A capsule whose data is ready in the default stream."""
    try:
        try:
            return source.__dlpack__(stream=STREAM_LEGACY, max_version=VERSION)
        except TypeError:  # of before DLPack 1.0
            return source.__dlpack__(stream=STREAM_LEGACY)
    except (BufferError, RuntimeError, ValueError) as error:
        raise ArrayError(f"cannot share this {type(source).__name__}: {error}") from error


def _dtype_of(source: Any, tensor: Any) -> Any:
    name = _TYPES.get((tensor.code, tensor.bits)) if tensor.lanes == 1 else None
    if name is None:
        raise ArrayError(
            f"{type(source).__name__} has elements of DLPack's type ({tensor.code}, {tensor.bits} "
            f"bits, {tensor.lanes} lanes), which kernels do not know"
        )
    return numpy_dtype(name)


class Given:
    """An array that another library has: what its capsule points to, until it calls the deleter."""

    alive: ClassVar[dict[int, Given]] = {}

    def __init__(self, array: DeviceArray, ordinal: int, name: bytes, flags: int):
        row = from_numpy(array.dtype)
        if row is None:
            raise BufferError(f"DLPack has no elements of type {array.dtype}")
        self._array = array
        self._shape = (ctypes.c_int64 * max(1, array.ndim))(*array.shape)
        steps = (step // row.size for step in array.strides)
        self._strides = (ctypes.c_int64 * max(1, array.ndim))(*steps)
        self.managed = made = _STRUCTURES[name]()
        made.deleter = ctypes.cast(_deleter, ctypes.c_void_p).value
        if name == VERSIONED:
            made.major, made.minor = VERSION
            made.flags = flags | (READONLY if array.readonly else 0)
        tensor = made.tensor
        tensor.data = array.address if array.size else None
        tensor.device_type, tensor.device_id, tensor.ndim = CUDA, ordinal, array.ndim
        tensor.code = _BFLOAT if row.name == "bf16" else _CODES[row.kind]
        tensor.bits, tensor.lanes = 8 * row.size, 1
        tensor.shape = ctypes.cast(self._shape, ctypes.POINTER(ctypes.c_int64))
        tensor.strides = ctypes.cast(self._strides, ctypes.POINTER(ctypes.c_int64))
        self.address = ctypes.addressof(made)
        self.alive[self.address] = self


def export(
    device: CudaDevice,
    array: DeviceArray,
    *,
    stream: int | None = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A capsule that shares the array's memory, ready in the stream of who takes it.

    As the array API standard has it: `stream` None or 1 is the legacy default stream, 2 that of the
    thread, -1 asks for no order. BufferError for what DLPack cannot hold.
    """
    if dl_device is not None and tuple(dl_device) != (CUDA, device.ordinal):
        if tuple(dl_device) != (CPU, 0) or copy is False:
            raise BufferError(f"an array of {device.name} cannot be shared with {dl_device}")
        return array.numpy().__dlpack__()
    name = VERSIONED if max_version is not None and max_version[0] >= VERSION[0] else PLAIN
    if array.readonly and name == PLAIN:
        raise BufferError("a read-only array needs DLPack 1.0 (max_version)")
    if any(step % array.itemsize for step in array.strides):
        raise BufferError("DLPack has no strides that are not whole elements")
    core = device.core
    core.refuse_capture("an array that is given to another library")
    shared = array.copy() if copy else array
    if stream != _NO_SYNC:
        core.publish(stream)
    # Last: what is given away stays alive until it is given back.
    given = Given(shared, device.ordinal, name, COPIED if copy else 0)
    return _new(given.address, name, ctypes.cast(_destructor, ctypes.c_void_p))


@_deleter_type
def _deleter(address: int) -> None:
    """Who took the array no longer needs it."""
    Given.alive.pop(address, None)


@_destructor_type
def _destructor(capsule: int) -> None:
    """A capsule goes; if nobody took what is in it, that goes too."""
    for name in USED:
        if _is_valid(capsule, name):
            Given.alive.pop(_pointer(capsule, name), None)
