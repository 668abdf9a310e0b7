"""Arrays that stay on a device: typed, strided views of device memory, in NumPy's manner.

An array keeps its memory alive, so do its views and everything that shares it through DLPack or
NumPy's interfaces; the memory goes when the last of them goes. Strides are in bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .array_facts import key_of, row_alignment, small_array, widest_alignment
from .dtypes import DTYPES, check_dtype, from_numpy, numpy_dtype
from .errors import ArrayError
from .strides import contiguous_strides, extent, is_contiguous

if TYPE_CHECKING:
    from .device import Device
    from .tensor_map import TensorMap

HostArray = np.ndarray[Any, Any]
ALIGNMENT = 64
_checked_dtypes: set[np.dtype[Any]] = set()
LARGE = 1 << 31  # bytes from which on an array may take other code


class Memory:
    """A range of device memory. `host` shows its bytes to NumPy where the CPU can reach them."""

    __slots__ = ("__weakref__", "address", "device", "host", "nbytes", "owner")

    def __init__(
        self,
        device: Device,
        address: int,
        nbytes: int,
        host: HostArray | None = None,
        owner: object = None,
    ):
        self.device = device
        self.address = address
        self.nbytes = nbytes
        self.host = host
        self.owner = owner


class DeviceArray:
    """An n-dimensional array on a device; made by `Device.array`, `empty`, `zeros`, `full`.

    `address` is that of the first element, `contiguous` means C order without gaps.
    """

    __slots__ = (
        "__weakref__",
        "address",
        "contiguous",
        "device",
        "dtype",
        "key",
        "memory",
        "offset",
        "readonly",
        "shape",
        "strides",
    )

    def __init__(
        self,
        memory: Memory,
        offset: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: np.dtype[Any],
        readonly: bool = False,
    ):
        self.memory = memory
        self.device = memory.device
        self.offset = offset
        self.address = memory.address + offset
        self.shape = shape
        self.strides = strides
        self.dtype = dtype
        self.readonly = readonly
        self.contiguous = is_contiguous(shape, strides, dtype.itemsize)
        # What decides the code that a launch takes (see `arguments.argument_key`), as an object
        # that is only itself, since hashing what it stands for is slow.
        aligned: object = self.address % dtype.alignment == 0
        if "launch_facts" in memory.device.features and aligned:
            aligned = (
                widest_alignment(row_alignment(self)),
                small_array(shape, strides, dtype),
            )
        facts = (dtype, len(shape), self.contiguous, aligned, readonly)
        if memory.nbytes >= LARGE and (variant := memory.device.variant([self])):
            facts = (*facts, variant)
        self.key = key_of(memory.device, facts)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements, without gaps."""
        return self.size * self.dtype.itemsize

    def numpy(self, *, copy: bool | None = True) -> HostArray:
        """The data as a NumPy array.

        A copy by default. `copy=False` gives a view where the CPU can reach the memory and raises
        ArrayError where it cannot; `copy=None` gives a view if it can.
        """
        if self.memory.host is None:
            if copy is False:
                raise ArrayError(f"memory of {self.device.name} has no NumPy view; use copy=True")
            return self._downloaded()
        view = self._host_view(self.memory.host)
        return view.copy() if copy else view

    def tensor_map(self, box: int | Sequence[int], swizzle: int = 0) -> TensorMap:
        """What kernels copy boxes of this array by, in one instruction of one thread.

        `box` has a size for each axis. `swizzle` (0, 32, 64 or 128 bytes, which is then what a row
        of the box takes) is how rows lie in shared memory. ArrayError for arrays and boxes that the
        hardware does not take, DeviceError where there are no tensor maps.
        """
        from .tensor_map import make_tensor_map

        return make_tensor_map(self, (box,) if isinstance(box, int) else tuple(box), swizzle)

    def copy_to(self, out: HostArray) -> None:
        """Copy the data into a NumPy array of the same shape (its dtype may differ in kind)."""
        if out.shape != self.shape:
            raise ArrayError(f"cannot copy shape {self.shape} to an array of shape {out.shape}")
        if self.memory.host is None and self.contiguous and _takes_bytes(out, self.dtype):
            self.device.download(self.memory, self.offset, out)
        else:
            np.copyto(out, self.numpy(copy=None), casting="same_kind")

    def copy_from(self, source: Any) -> None:
        """Copy a device array, a NumPy array or a nested sequence of the same shape into this."""
        self._need_writable()
        if isinstance(source, DeviceArray) and self._copied_by_device(source):
            return
        data = host_data(source)
        if data.shape != self.shape:
            raise ArrayError(f"cannot copy shape {data.shape} to an array of shape {self.shape}")
        self._write(data)

    def fill(self, value: Any) -> None:
        """Set every element."""
        self._need_writable()
        self._write(np.broadcast_to(np.asarray(value, self.dtype), self.shape))

    def copy(self) -> DeviceArray:
        """A contiguous copy on the same device."""
        result = empty_array(self.device, self.shape, self.dtype)
        result.copy_from(self)
        return result

    def reshape(self, *shape: Any) -> DeviceArray:
        """A view of another shape (one size may be -1); ArrayError if not contiguous."""
        first: Any = shape[0] if len(shape) == 1 else shape
        sizes = (first,) if hasattr(first, "__index__") else first
        from .indexing import resolved_shape

        wanted = resolved_shape(tuple(int(size) for size in sizes), self.shape)
        if not self.contiguous:
            raise ArrayError(
                f"cannot reshape a view with strides {self.strides} without a copy; "
                "use .copy().reshape(...)"
            )
        strides = contiguous_strides(wanted, self.dtype.itemsize)
        return DeviceArray(self.memory, self.offset, wanted, strides, self.dtype, self.readonly)

    def __getitem__(self, key: Any) -> DeviceArray:
        """A view by integers, slices, `...`, `None` and field names; never a copy."""
        if isinstance(key, str):
            return self._field(key)
        from .indexing import basic_index

        offset, shape, strides = basic_index(self.shape, self.strides, key)
        offset += self.offset
        return DeviceArray(self.memory, offset, shape, strides, self.dtype, self.readonly)

    def __setitem__(self, key: Any, value: Any) -> None:
        target = self if key is Ellipsis else self[key]
        target._need_writable()
        try:
            target._write(np.broadcast_to(host_data(value), target.shape))
        except ValueError as error:
            raise ArrayError(str(error)) from None

    def view_readonly(self) -> DeviceArray:
        """The same data, refused to kernels that write it."""
        return DeviceArray(self.memory, self.offset, self.shape, self.strides, self.dtype, True)

    def item(self) -> Any:
        """The only element as a Python value."""
        return self.numpy().item()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("an array without dimensions has no length")
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> HostArray:
        data = self.numpy(copy=copy if self.memory.host is not None else None)
        return data if dtype is None else data.astype(dtype, copy=False)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        if self.memory.host is None:
            raise AttributeError(f"memory of {self.device.name} has no __array_interface__")
        return self._host_view(self.memory.host).__array_interface__

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.device.cuda_array_interface(self)

    def __dlpack__(self, **options: Any) -> Any:
        """A DLPack capsule that shares the memory (see the array API standard)."""
        return self.device.export(self, **options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """DLPack's device type and number."""
        from .dlpack import device_of

        return device_of(self.device)

    def __repr__(self) -> str:
        notes = "" if self.contiguous else f", strides={self.strides}"
        notes += ", readonly" if self.readonly else ""
        name = dtype_text(self.dtype)
        return f"<DeviceArray {name} shape={self.shape} on {self.device.name}{notes}>"

    def _copied_by_device(self, source: DeviceArray) -> bool:
        """Copy contiguous data of the same kind on the same device; False where it is other."""
        same = self.device is source.device and self.dtype == source.dtype
        if not (same and self.shape == source.shape and self.contiguous and source.contiguous):
            return False
        places = self.memory, self.offset, source.memory, source.offset
        return self.device.copy_within(*places, self.nbytes)

    def _need_writable(self) -> None:
        if self.readonly:
            raise ArrayError("the array is read-only; copy it to write")

    def _host_view(self, host: HostArray) -> HostArray:
        view = np.ndarray(self.shape, self.dtype, host, self.offset, self.strides)
        if self.readonly:
            view.flags.writeable = False
        return view

    def _write(self, data: HostArray) -> None:
        if self.memory.host is not None:
            np.copyto(self._host_view(self.memory.host), data, casting="same_kind")
        elif self.contiguous:
            plain = np.ascontiguousarray(data.astype(self.dtype, casting="same_kind", copy=False))
            self.device.upload(self.memory, self.offset, plain)
        else:
            span, low = self._span()
            np.copyto(self._within(span, low), data, casting="same_kind")
            self.device.upload(self.memory, low, span)

    def _downloaded(self) -> HostArray:
        if self.contiguous:
            result = np.empty(self.shape, self.dtype)
            self.device.download(self.memory, self.offset, result)
            return result
        span, low = self._span()
        return self._within(span, low).copy()

    def _span(self) -> tuple[HostArray, int]:
        """The bytes from the lowest to the highest element, and where in the memory they start."""
        low, high = extent(self.shape, self.strides, self.dtype.itemsize)
        span = np.empty(high - low, np.uint8)
        self.device.download(self.memory, self.offset + low, span)
        return span, self.offset + low

    def _within(self, span: HostArray, low: int) -> HostArray:
        return np.ndarray(self.shape, self.dtype, span, self.offset - low, self.strides)

    def _field(self, name: str) -> DeviceArray:
        fields = self.dtype.fields
        if fields is None or name not in fields:
            raise ArrayError(f"{dtype_text(self.dtype)} has no field {name!r}")
        dtype, start = fields[cast(Any, name)][:2]
        offset = start + self.offset
        return DeviceArray(self.memory, offset, self.shape, self.strides, dtype, self.readonly)


def make_array(device: Device, source: Any, dtype: Any, copy: bool | None) -> DeviceArray:
    """The work of `Device.array`."""
    wanted = None if dtype is None else as_dtype(dtype)
    is_host = isinstance(source, np.ndarray | np.generic)
    shared = None if is_host and copy is not False else device.adopt(source)
    if shared is not None and wanted in (None, shared.dtype) and not copy:
        return shared
    if copy is False:
        raise ArrayError(f"{type(source).__name__} cannot be shared with {device.name} as it is")
    data = host_data(source if shared is None else shared)
    element = as_dtype(data.dtype) if wanted is None else wanted
    result = empty_array(device, data.shape, element)
    result.copy_from(data.astype(element, copy=False))
    return result


def host_data(source: Any) -> HostArray:
    """A NumPy array of the data: a view where there can be one."""
    return source.numpy(copy=None) if isinstance(source, DeviceArray) else np.asarray(source)


def empty_array(device: Device, shape: int | Sequence[int], dtype: Any) -> DeviceArray:
    """The work of `Device.empty`."""
    sizes = (shape,) if isinstance(shape, int) else tuple(int(size) for size in shape)
    if any(size < 0 for size in sizes):
        raise ArrayError(f"shape {sizes} has a negative size")
    element = as_dtype(dtype)
    memory = device.allocate(math.prod(sizes) * element.itemsize)
    return DeviceArray(memory, 0, sizes, contiguous_strides(sizes, element.itemsize), element)


def _takes_bytes(out: HostArray, dtype: np.dtype[Any]) -> bool:
    """Whether the bytes of a contiguous array of this dtype can go to `out` as they are."""
    return out.flags.c_contiguous and out.flags.writeable and out.dtype == dtype


def as_dtype(value: Any) -> np.dtype[Any]:
    """A NumPy dtype that kernels know, from one, its name, ours ("f32"), or a type of the language.

    ArrayError for dtypes that no kernel can hold (objects, text, byte-swapped, complex).
    """
    if isinstance(value, np.dtype) and value in _checked_dtypes:
        return cast("np.dtype[Any]", value)  # reading a dtype's name takes 5 µs
    value = cast(Any, value)
    name = value if isinstance(value, str) else getattr(value, "name", None)
    if isinstance(name, str) and name in DTYPES and not isinstance(value, np.dtype):
        return numpy_dtype(name)
    try:
        dtype = cast("np.dtype[Any]", np.dtype(value))
    except TypeError:
        raise ArrayError(f"{value!r} is not an element type; use one such as 'f32'") from None
    if dtype not in _checked_dtypes:
        check_dtype(dtype)
        _checked_dtypes.add(dtype)
    return dtype


def dtype_text(dtype: np.dtype[Any]) -> str:
    """Our name of a dtype, or NumPy's for a structured one."""
    row = from_numpy(dtype)
    return row.name if row is not None else str(dtype)
