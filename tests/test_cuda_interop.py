"""Arrays of other libraries on a CUDA device, both ways, without a copy and in the right order.

What stands for another library has its arrays on the same driver, and a stream of its own.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import ctypes
import gc
import weakref
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from cuda_devices import library_of, simulated, simulated_pair

import stepwell as sw
from stepwell.runtime.cuda import dlpack
from stepwell.runtime.cuda.device import CudaDevice
from stepwell.runtime.errors import ArrayError, DeviceError


@sw.kernel
def double(x):
    i = sw.global_id(0)
    x[i] = x[i] * 2


@pytest.fixture
def device() -> Generator[CudaDevice]:
    with simulated() as opened:
        yield opened


class Tensor:
    """An array of another library, by `__cuda_array_interface__`, filled in a stream of its own."""

    def __init__(self, device: CudaDevice, value: float, *, blocking: bool = False):
        with device.core.context.current():
            self.stream = device.driver.call("cuStreamCreate", 0 if blocking else 1)
            self.address = device.driver.call("cuMemAlloc", 400)
            bits = int(np.float32(value).view(np.uint32))
            device.driver.call("cuMemsetD32Async", self.address, bits, 100, self.stream)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": (100,),
            "typestr": "<f4",
            "data": (self.address, False),
            "version": 3,
            "stream": self.stream,
        }


class Packed:
    """The same by DLPack, whose producer makes its stream ready for the one that is asked for."""

    def __init__(self, array: sw.DeviceArray, *, old: bool = False):
        self.array = array
        self.asked: list[int | None] = []
        self.old = old

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def __dlpack__(self, *, stream: int | None = None, **options: Any) -> Any:
        if self.old and options:
            raise TypeError("unexpected max_version")
        self.asked.append(stream)
        return self.array.__dlpack__(stream=stream, **options)


def test_an_array_by_its_interface_is_used_where_it_is(device: CudaDevice) -> None:
    tensor = Tensor(device, 3)
    double.over(100, device=device)(tensor)
    double.over(100, device=device)(tensor)
    shared = device.array(tensor, copy=False)
    assert shared.address == tensor.address
    assert shared.numpy().tolist() == [12] * 100


def test_launches_in_a_stream_wait_for_the_stream_of_an_array(device: CudaDevice) -> None:
    stream, tensor = device.stream(), Tensor(device, 3)
    double.over(100, stream=stream)(tensor)
    assert device.array(tensor, copy=False).numpy().tolist() == [6] * 100


def test_an_interface_that_cannot_be_taken_says_why(device: CudaDevice) -> None:
    class Odd(Tensor):
        changes: dict[str, Any] = {}  # noqa: RUF012

        @property
        def __cuda_array_interface__(self) -> dict[str, Any]:
            given = super().__cuda_array_interface__
            return {**given, **self.changes}

    odd = Odd(device, 1)
    for changes, said in (
        ({"mask": odd}, "has a mask"),
        ({"typestr": "<c8"}, "cannot be on a device"),
        ({"data": (odd.address + 2, False)}, "not aligned"),
    ):
        odd.changes = changes
        with pytest.raises(ArrayError, match=said):
            device.array(odd, copy=False)


def test_readonly_arrays_are_not_written(device: CudaDevice) -> None:
    x = device.array(np.ones(4, np.float32)).view_readonly()
    assert device.array(x, copy=False).readonly
    for shared in (device.array(Packed(x), copy=False), device.array(Interfaced(x), copy=False)):
        assert shared.readonly
        with pytest.raises(ArrayError, match="read-only"):
            double.over(4, device=device)(shared)


class Interfaced:
    """An array that shows nothing but its interface."""

    def __init__(self, array: sw.DeviceArray):
        self.array = array

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return self.array.__cuda_array_interface__


@pytest.mark.parametrize("dtype", ["bool", "i8", "u16", "i32", "u64", "f16", "f64", "bf16"])
@pytest.mark.parametrize("old", [False, True], ids=["1.0", "before"])
def test_dlpack_gives_back_what_it_was_given(device: CudaDevice, dtype: str, old: bool) -> None:
    x = device.array(np.arange(24).reshape(4, 6), dtype)[1:, ::2]
    packed = Packed(x, old=old)
    shared = device.array(packed, copy=False)
    assert packed.asked == [1]
    assert (shared.address, shared.shape, shared.strides) == (x.address, x.shape, x.strides)
    assert shared.dtype == x.dtype
    assert (shared.numpy() == x.numpy()).all()


def test_memory_is_kept_until_who_took_it_is_done(device: CudaDevice) -> None:
    x, before = device.array(np.ones(4, np.float32)), set(dlpack.Given.alive)
    memory = weakref.ref(x.memory)
    shared = device.array(Packed(x), copy=False)
    del x
    gc.collect()
    assert memory() is not None
    view = shared[1:]
    del shared
    gc.collect()
    assert view.numpy().tolist() == [1, 1, 1]
    del view
    gc.collect()
    assert memory() is None
    assert set(dlpack.Given.alive) <= before


def test_a_capsule_that_nobody_takes_gives_its_memory_back(device: CudaDevice) -> None:
    x = device.array(np.ones(4, np.float32))
    capsule = x.__dlpack__()
    assert len(dlpack.Given.alive) == 1
    del capsule
    assert dlpack.Given.alive == {}


def test_an_array_that_is_refused_during_a_capture_is_not_kept(device: CudaDevice) -> None:
    stream, x = device.stream(), device.array(np.ones(4, np.float32))
    with pytest.raises(DeviceError, match="given to another library"), stream.capture():
        x.__dlpack__(stream=-1)
    assert dlpack.Given.alive == {}


def test_an_array_leaves_when_all_streams_have_written_it(device: CudaDevice) -> None:
    stream, x = device.stream(), device.array(np.ones(100, np.float32))
    theirs = device.stream()
    double.over(100, stream=stream)(x)
    capsule = x.__dlpack__(stream=int(theirs.queue.handle))
    out = device.zeros(100)
    with device.core.context.current():
        call, handle = device.driver.call, theirs.queue.handle
        call("cuMemcpyDtoDAsync", out.address, x.address, 400, handle)
    theirs.queue.dirty = True
    assert out.numpy().tolist() == [2] * 100
    del capsule
    double.over(100, stream=stream)(x)
    assert x.__cuda_array_interface__["stream"] == 1
    with device.core.context.current():
        call("cuMemcpyDtoDAsync", out.address, x.address, 400, 1)
    assert out.numpy().tolist() == [4] * 100


def test_the_interface_of_an_array_describes_it(device: CudaDevice) -> None:
    x = device.array(np.arange(12, dtype=np.int16).reshape(3, 4))
    given = x[:, 1:].__cuda_array_interface__
    assert given["shape"] == (3, 3)
    assert given["strides"] == (8, 2)
    assert given["typestr"] == "<i2"
    assert given["data"] == (x.address + 2, False)
    assert x.__cuda_array_interface__["strides"] is None
    assert device.empty(0).__cuda_array_interface__["data"][0] == 0
    assert not hasattr(device.empty(3, "bf16"), "__cuda_array_interface__")
    assert not hasattr(sw.device("cpu").empty(3), "__cuda_array_interface__")


def test_dlpack_follows_what_is_asked_of_it(device: CudaDevice) -> None:
    x = device.array(np.arange(4, dtype=np.float32))
    assert x.__dlpack_device__() == (2, 0)
    assert np.from_dlpack(OnHost(x)).tolist() == [0, 1, 2, 3]
    copied = device.array(Packed(x), copy=True)
    assert copied.address != x.address
    with pytest.raises(BufferError, match=r"cannot be shared with \(1, 0\)"):
        x.__dlpack__(dl_device=(1, 0), copy=False)
    with pytest.raises(BufferError, match=r"DLPack 1\.0"):
        x.view_readonly().__dlpack__()
    with pytest.raises(BufferError, match="no elements of type"):
        device.empty(2, np.dtype([("a", "f4")])).__dlpack__()


class OnHost:
    """Asks an array for itself in host memory, as NumPy does."""

    def __init__(self, array: sw.DeviceArray):
        self.array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(dl_device=(1, 0))


def test_arrays_of_another_gpu_are_not_taken() -> None:
    with simulated_pair() as (first, second):
        theirs = Packed(second.array(np.ones(4, np.float32)))
        with pytest.raises(ArrayError, match="cannot be shared with cuda:0"):
            first.array(theirs, copy=False)
        assert theirs.asked == []
        tensor = Tensor(second, 1)
        with pytest.raises(ArrayError, match="cannot be shared with cuda:0"):
            first.array(tensor, copy=False)


def test_structures_have_the_layout_of_dlpack_h() -> None:
    assert ctypes.sizeof(dlpack.Tensor) == 48
    assert dlpack.Tensor.shape.offset == 24
    assert dlpack.Managed.deleter.offset == 56
    assert dlpack.ManagedVersioned.flags.offset == 24
    assert dlpack.ManagedVersioned.tensor.offset == 32


def test_nothing_is_copied_on_the_way(device: CudaDevice) -> None:
    x = device.array(np.ones(100, np.float32))
    device.synchronize()
    before = len(library_of(device).calls)
    double.over(100, device=device)(Packed(x))
    made = library_of(device).calls[before:]
    assert not [name for name in made if name.startswith(("cuMemcpy", "cuMemAlloc"))]
    assert x.numpy()[0] == 2
