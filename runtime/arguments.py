"""From the Python arguments of a call to the packed words that a kernel takes, and back.

Two things must be quick, since every launch does them: telling whether these arguments were seen
before (`argument_key`), and packing them (`Packer`, whose code is generated once for each kind of
arguments). Everything else (checks, messages, foreign arrays) happens once per key.
"""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .array import DeviceArray, HostArray
from .array_facts import row_alignment
from .artifact import TENSOR_MAP_SLOTS
from .dtypes import DTYPES, float_to_bfloat16, from_numpy
from .errors import ArrayError
from .facts import LaunchShape, apart, size_needs, unfit
from .tensor_map import TensorMap

if TYPE_CHECKING:
    from .artifact import Manifest, Parameter
    from .device import Device

Key = tuple[Any, ...]
Pack = Callable[[Sequence[Any]], bytes]
AnyArray = HostArray | DeviceArray
NO_SHAPE = LaunchShape()
_NUMPY_SCALAR: Any = np.generic  # its type parameter is of no interest here

_C_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400
_LAYOUT = _C_CONTIGUOUS | _ALIGNED | _WRITEABLE


def _array_key(value: HostArray) -> Key:
    return (value.dtype, value.ndim, value.flags.num & _LAYOUT)


def _int_key(value: int) -> str:
    if -0x80000000 <= value < 0x80000000:
        return "i32"
    return "i64" if -(1 << 63) <= value < 1 << 63 else "u64"


# In C, where it can be: a function of Python takes 50 ns more.
_own_key = attrgetter("key")

_KEYS: dict[type, Callable[[Any], Any]] = {
    np.ndarray: _array_key,
    DeviceArray: _own_key,
    TensorMap: _own_key,
    int: _int_key,
    float: type,
    bool: type,
    **{
        getattr(np, name): type
        for name in ("bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
    },
    **{getattr(np, name): type for name in ("uint64", "float16", "float32", "float64")},
}


def argument_key(arguments: Sequence[Any]) -> Key:
    """What decides which code and which packing these arguments take; equal keys, equal both."""
    keys = _KEYS
    try:
        return tuple([keys[type(value)](value) for value in arguments])
    except KeyError:
        return tuple([_slow_key(value) for value in arguments])


def _slow_key(value: Any) -> Any:
    kind: Any = value.__class__
    known = _KEYS.get(kind)
    if known is not None:
        return known(value)
    if issubclass(kind, _NUMPY_SCALAR):  # a NumPy scalar type of another package: bfloat16
        return kind
    if issubclass(kind, tuple):
        return (kind, *map(_slow_key, value))
    if issubclass(kind, int):  # a member of an IntEnum
        return _int_key(value)
    fields: Sequence[str] | None = getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        return (kind, *(_slow_key(getattr(value, name)) for name in fields))
    return kind


def is_foreign_array(value: object) -> bool:
    """Whether the value is an array of another package that can be shared."""
    return hasattr(value, "__dlpack__") or hasattr(value, "__cuda_array_interface__")


def adopt_arguments(arguments: Sequence[Any], device: Device) -> list[Any]:
    """The arguments with arrays of other packages taken over (without a copy) by the device."""
    return [
        device.array(value, copy=False)
        if type(value) not in _KEYS and is_foreign_array(value) and not np.isscalar(value)
        else value
        for value in arguments
    ]


def check_arguments(arguments: Sequence[Any], manifest: Manifest, device: Device) -> None:
    """Hold arguments against a manifest; ArrayError naming the parameter that does not fit."""
    for row in manifest.parameters:
        value = arguments[row.source.argument]
        for step in row.source.path if row.kind == "scalar" else ():
            value = value[step] if isinstance(step, int) else getattr(value, step)
        if row.kind == "scalar":
            _check_scalar(row, value)
        elif row.kind == "tensor_map":
            _check_tensor_map(row, value, device, manifest.name)
        else:
            _check_array(row, value, device, manifest.name)


def _check_scalar(row: Parameter, value: Any) -> None:
    kind = DTYPES[row.dtype].kind
    allowed: tuple[type, ...] = {
        "bool": (bool, np.bool_),
        "int": (int, np.integer),
        "uint": (int, np.integer),
        "float": (float, int, np.floating, np.integer),
    }[kind]
    is_bfloat16 = row.dtype == "bf16" and type(value).__name__ == "bfloat16"
    if not isinstance(value, allowed) and not is_bfloat16:
        raise ArrayError(
            f"argument {row.name} is {value!r} of type {type(value).__name__}, "
            f"expected a scalar of type {row.dtype}"
        )


def _check_tensor_map(row: Parameter, value: Any, device: Device, kernel: str) -> None:
    where = f"argument {row.name} of kernel {kernel}"
    if not isinstance(value, TensorMap):
        raise ArrayError(
            f"{where} is a {type(value).__name__}, expected a tensor map: x.tensor_map(box)"
        )
    if value.array.device is not device:
        raise ArrayError(f"{where} is on {value.array.device.name}, the launch on {device.name}")
    wanted, found = (row.dtype, row.sizes, row.swizzle), (value.dtype, value.box, value.swizzle)
    if wanted != found:
        raise ArrayError(
            f"{where} has boxes of {found[1]} {found[0]} with swizzle {found[2]}, the kernel was "
            f"compiled for {wanted[1]} {wanted[0]} with swizzle {wanted[2]}"
        )


def _check_array(row: Parameter, value: Any, device: Device, kernel: str) -> None:
    where = f"argument {row.name} of kernel {kernel}"
    if not isinstance(value, np.ndarray | DeviceArray):
        raise ArrayError(f"{where} is a {type(value).__name__}, expected an array of {row.dtype}")
    array = cast(AnyArray, value)
    if isinstance(array, DeviceArray) and array.device is not device:
        raise ArrayError(
            f"{where} is on {array.device.name} and the launch on {device.name}; "
            f"copy it with device({device.name!r}).array(x.numpy())"
        )
    dtype: Any = array.dtype
    for step in row.source.path:
        dtype = dtype[step] if isinstance(step, str) else dtype.base
    found = from_numpy(dtype)
    if found is None or found.name != row.dtype:
        raise ArrayError(f"{where} has elements of type {dtype}, expected {row.dtype}")
    if array.ndim != row.rank:
        raise ArrayError(f"{where} has {array.ndim} dimensions, expected {row.rank}")
    if row.writes and is_readonly(array):
        raise ArrayError(f"{where} is read-only and the kernel writes to it; pass a copy")
    if not _has_layout(array, row):
        raise ArrayError(
            f"{where} is not contiguous and the kernel was compiled for contiguous arrays; "
            "pass np.ascontiguousarray(x)"
        )
    check_layout(array, where)
    if isinstance(array, DeviceArray) and not _is_aligned(array, row):
        raise ArrayError(
            f"{where} has rows at addresses that are no multiples of {row.alignment} bytes, for "
            "which the kernel was compiled; pass x.copy(), or rows of another length"
        )


def _is_aligned(array: DeviceArray, row: Parameter) -> bool:
    """Whether a device's array lies as the kernel was compiled for."""
    return (
        not row.alignment or math.gcd(row_alignment(array), row.source.offset) % row.alignment == 0
    )


def _has_layout(array: AnyArray, row: Parameter) -> bool:
    """Whether strides are as the kernel was compiled for; None in `row.strides` is any."""
    if row.strides is None:
        return is_contiguous(array)
    size = DTYPES[row.dtype].size
    return all(
        wanted is None or length <= 1 or wanted * size == found
        for wanted, found, length in zip(row.strides, array.strides, array.shape, strict=True)
    )


def is_readonly(value: AnyArray) -> bool:
    """Whether an array may not be written."""
    return value.readonly if isinstance(value, DeviceArray) else not value.flags.writeable


def is_contiguous(value: AnyArray) -> bool:
    """Whether an array is in C order without gaps."""
    return value.contiguous if isinstance(value, DeviceArray) else value.flags.c_contiguous


def check_layout(value: AnyArray, where: str) -> None:
    """Refuse what no kernel can address: misaligned data, strides that are no whole elements."""
    itemsize = value.dtype.itemsize
    aligned = value.flags.aligned if isinstance(value, np.ndarray) else True
    if not aligned:
        raise ArrayError(f"{where} is not aligned for its element type; pass x.copy()")
    if not is_contiguous(value) and itemsize and any(step % itemsize for step in value.strides):
        raise ArrayError(
            f"{where} has strides {tuple(value.strides)} (bytes) that are not multiples of its "
            f"element size {itemsize}; pass np.ascontiguousarray(x)"
        )


def array_address(value: HostArray) -> int:
    """The address of the first element."""
    return value.__array_interface__["data"][0]


def make_packer(
    manifest: Manifest, arguments: Sequence[Any], shape: LaunchShape = NO_SHAPE
) -> Pack:
    """A function that packs arguments of the same key as these into the kernel's 8-byte slots.

    The extents of an `over` launch stand behind them. The function raises Unfit where the code
    relies on more than is so in launches of this shape (see `facts.py`).
    """
    extents = shape.extents
    codes: list[str] = []
    words: list[str] = []
    for row in manifest.parameters:
        name = f"a[{row.source.argument}]"
        if row.kind == "tensor_map":
            codes.append(f"{TENSOR_MAP_SLOTS}Q")
            words.append(f"*{name}.words")
        elif row.kind == "scalar":
            codes.append(_slot_code(row.dtype))
            words.append(_scalar_word(row, name))
        else:
            _buffer_words(row, arguments[row.source.argument], name, codes, words)
    codes.append("q" * len(extents))
    words += map(str, extents)
    packed = struct.Struct("<" + "".join(codes))
    body = f"pack({', '.join(words)})"
    if needs := size_needs(manifest, shape, _scalar_word):
        body = f"({body} if {' and '.join(needs)} else unfit(True))"
    if manifest.disjoint:
        maps = {row.source.argument for row in manifest.parameters if row.kind == "tensor_map"}
        pairs = [
            f"apart({', '.join(f'a[{k}]' + '.array' * (k in maps) for k in pair)})"
            for pair in _pairs(manifest)
        ]
        body = f"{body} if {' and '.join(pairs)} else unfit(False)" if pairs else body
    names = {
        "apart": apart,
        "unfit": unfit,
        "pack": packed.pack,
        "address": _writable_address if _all_writable(manifest, arguments) else array_address,
        "array_address": array_address,
        "bf16": float_to_bfloat16,
    }
    return eval(f"lambda a: {body}", names)


def _pairs(manifest: Manifest) -> list[tuple[int, int]]:
    """Arguments that may not overlap: each that is written with each other one."""
    buffers = [row for row in manifest.parameters if row.kind != "scalar"]
    written = {row.source.argument for row in buffers if row.writes}
    numbers = sorted({row.source.argument for row in buffers})
    return [(i, j) for i in numbers for j in numbers if i < j and {i, j} & written]


def _all_writable(manifest: Manifest, arguments: Sequence[Any]) -> bool:
    arrays = [arguments[row.source.argument] for row in manifest.parameters if row.kind == "buffer"]
    return all(isinstance(array, DeviceArray) or _has_plain_buffer(array) for array in arrays)


def _has_plain_buffer(array: HostArray) -> bool:
    # isbuiltin 2: a dtype of another package (bfloat16), which has no buffer interface
    plain = array.dtype.isbuiltin != 2
    return plain and not is_readonly(array) and is_contiguous(array)


_byte = ctypes.c_char


def _writable_address(value: HostArray) -> int:
    """The address of a contiguous, writable array: 0.3 µs, where NumPy's own way takes 1 µs."""
    if not value.size:
        return array_address(value)
    buffer: Any = value
    return ctypes.addressof(_byte.from_buffer(buffer))


def _slot_code(dtype: str) -> str:
    row = DTYPES[dtype]
    return row.code + f"{8 - row.size}x" * (row.size < 8)


def _scalar_word(row: Parameter, name: str) -> str:
    for step in row.source.path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}"
    return f"bf16(float({name}))" if row.dtype == "bf16" else name


def _buffer_words(
    row: Parameter, value: Any, name: str, codes: list[str], words: list[str]
) -> None:
    at_device = isinstance(value, DeviceArray)
    address = f"{name}.address" if at_device else f"address({name})"
    words.append(address + (f" + {row.source.offset}" if row.source.offset else ""))
    codes.append("Q")
    if all(size is None for size in row.sizes):
        words.append(f"*{name}.shape")
    else:
        words += [f"{name}.shape[{d}]" for d, size in enumerate(row.sizes) if size is None]
    codes.append("q" * row.sizes.count(None))
    if row.strides is not None:
        size = DTYPES[row.dtype].size
        dynamic = [d for d, stride in enumerate(row.strides) if stride is None]
        words += [f"{name}.strides[{d}] // {size}" for d in dynamic]
        codes.append("q" * len(dynamic))
