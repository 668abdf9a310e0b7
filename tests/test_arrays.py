"""Arrays on a device: views, sharing, lifetime, and what they refuse."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from typing import Any, cast

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.runtime.array import DeviceArray, HostArray, Memory, as_dtype
from stepwell.runtime.cpu import CpuDevice
from stepwell.runtime.device import Device
from stepwell.runtime.devices import device
from stepwell.runtime.errors import ArrayError, OutOfMemory

CPU: Device = device("cpu")
DTYPES = ["bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64"]
POINT = np.dtype([("x", "f4"), ("y", "f4"), ("id", "i8")], align=True)


@pytest.mark.parametrize("name", DTYPES)
def test_data_comes_back_in_every_type(name: str) -> None:
    x = np.arange(12).reshape(3, 4).astype(as_dtype(name))
    d = CPU.array(x)
    assert (d.shape, d.strides, d.dtype, d.nbytes) == (x.shape, x.strides, x.dtype, x.nbytes)
    np.testing.assert_array_equal(d.numpy(), x)
    assert d.address % 64 == 0


def test_numpy_is_copied_in_and_out() -> None:
    x = np.zeros(4, np.float32)
    d = CPU.array(x)
    x[:] = 1
    out = d.numpy()
    out[:] = 2
    assert d.numpy().tolist() == [0, 0, 0, 0]
    d.numpy(copy=False)[:] = 3
    assert d.numpy().tolist() == [3, 3, 3, 3]


def test_numpy_is_shared_when_asked() -> None:
    x = np.zeros((4, 6), np.int32)[::-2, ::3]
    d = CPU.array(x, copy=False)
    assert d.address == x.ctypes.data
    d[0, 1] = 7
    assert x[0, 1] == 7
    with pytest.raises(ArrayError, match="cannot be shared"):
        CPU.array([1, 2], copy=False)
    with pytest.raises(ArrayError, match="cannot be shared"):
        CPU.array(x, "f32", copy=False)


def test_sequences_and_scalars_become_arrays() -> None:
    assert CPU.array([[1, 2], [3, 4]], "f32").numpy().tolist() == [[1, 2], [3, 4]]
    assert CPU.array(3.5).shape == ()
    assert CPU.array(np.float32(2)).item() == 2
    assert CPU.full((2, 2), 5, "u8").numpy().tolist() == [[5, 5], [5, 5]]
    assert CPU.zeros(3).dtype == np.float32
    assert CPU.empty(5, np.int64).shape == (5,)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 5, 2)])
def test_empty_arrays_work(shape: tuple[int, ...]) -> None:
    d = CPU.zeros(shape, "f64")
    assert d.numpy().shape == shape
    assert d.contiguous
    assert np.from_dlpack(d).shape == shape
    assert CPU.array(np.zeros(shape), copy=False).numpy().shape == shape
    assert d[..., :0].numpy().size == 0


_KEYS = st.one_of(
    st.integers(-6, 6),
    st.builds(
        slice,
        st.none() | st.integers(-7, 7),
        st.none() | st.integers(-7, 7),
        st.none() | st.integers(-3, 3).filter(bool),
    ),
    st.none(),
    st.just(Ellipsis),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_KEYS, max_size=5))
def test_indexing_is_numpy_s(keys: list[Any]) -> None:
    x = np.arange(5 * 4 * 3, dtype=np.int32).reshape(5, 4, 3)
    d = CPU.array(x)
    key = tuple(keys)
    try:
        expected = x[key]
    except IndexError:
        with pytest.raises(IndexError):
            d[key]
        return
    view = d[key]
    assert view.shape == np.shape(expected)
    np.testing.assert_array_equal(view.numpy(), expected)
    if np.size(expected):
        assert view.contiguous == np.asarray(expected).flags.c_contiguous


def test_assignment_broadcasts_and_checks_shapes() -> None:
    d = CPU.zeros((2, 3), "i32")
    d[1] = [1, 2, 3]
    d[:, 0] = 9
    d[...] = d.numpy() + 1
    assert d.numpy().tolist() == [[10, 1, 1], [10, 3, 4]]
    with pytest.raises(ArrayError, match="broadcast"):
        d[0] = [1, 2]
    with pytest.raises(ArrayError, match=r"shape \(3,\)"):
        d.copy_from(np.zeros(3, np.int32))


def test_copies_keep_kinds() -> None:
    d = CPU.zeros(3, "i32")
    with pytest.raises(TypeError, match="cast"):
        d.copy_from(np.ones(3))
    out = np.empty(3, np.int64)
    d.copy_to(out)
    CPU.copy(d, np.arange(3, dtype=np.int8))
    assert (out.tolist(), d.numpy().tolist()) == ([0, 0, 0], [0, 1, 2])


def test_reshape_shares_the_memory() -> None:
    d = CPU.array(np.arange(6, dtype=np.int16))
    assert d.reshape(2, -1).numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert d.reshape((3, 2))[2, 1].address == d.address + 10
    assert d.reshape(6).shape == (6,)
    with pytest.raises(ArrayError, match="cannot reshape"):
        d.reshape(4, 2)
    with pytest.raises(ArrayError, match="without a copy"):
        d[::2].reshape(3, 1)
    assert d[::2].copy().reshape(3, 1).shape == (3, 1)


def test_structures_keep_their_fields() -> None:
    x = np.zeros(4, POINT)
    x["id"] = range(4)
    d = CPU.array(x)
    assert d["id"].strides == (16,)
    assert d["id"].numpy().tolist() == [0, 1, 2, 3]
    d["y"][1:] = 2
    assert d.numpy()["y"].tolist() == [0, 2, 2, 2]
    with pytest.raises(ArrayError, match="no field 'z'"):
        d["z"]


def test_readonly_data_stays_readonly() -> None:
    x = np.zeros(3, np.float32)
    x.flags.writeable = False
    d = CPU.array(x, copy=False)
    assert d.readonly
    assert d[1:].readonly
    assert not d.numpy(copy=False).flags.writeable
    with pytest.raises(ArrayError, match="read-only"):
        d[0] = 1
    with pytest.raises(ArrayError, match="read-only"):
        CPU.zeros(3).view_readonly().fill(1)
    assert not CPU.array(x).readonly


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        (object, "cannot be on a device"),
        ("U5", "cannot be on a device"),
        ("complex64", "cannot be on a device"),
        ("datetime64[s]", "cannot be on a device"),
        ([("a", "f4"), ("b", object)], "cannot be on a device"),
        (np.dtype("f4").newbyteorder(), "byte-swapped"),
        ([("a", np.dtype("i8").newbyteorder())], "byte-swapped"),
    ],
)
def test_types_that_no_kernel_holds_are_refused(dtype: Any, message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        CPU.array(np.zeros(2, dtype))


def test_bad_shapes_types_and_sizes_are_refused() -> None:
    with pytest.raises(ArrayError, match="not an element type"):
        CPU.empty(3, "float33")
    with pytest.raises(ArrayError, match="negative"):
        CPU.empty((2, -1))
    with pytest.raises(OutOfMemory, match="no room"):
        CPU.empty(1 << 60)
    with pytest.raises(ArrayError, match="would need a copy"):
        CPU.zeros(4)[[0, 1]]
    with pytest.raises(TypeError, match="no length"):
        len(CPU.zeros(()))


@pytest.mark.parametrize("name", [name for name in DTYPES if name != "bf16"])
def test_dlpack_goes_both_ways_to_numpy(name: str) -> None:
    d = CPU.array(np.arange(6).reshape(2, 3).astype(as_dtype(name)))
    shared = np.from_dlpack(d)
    assert shared.ctypes.data == d.address
    again = CPU.array(d[:, ::2])
    assert again.address == d.address
    assert np.from_dlpack(d[:, 1]).tolist() == d.numpy()[:, 1].tolist()


class OnlyDlpack:
    """Data that offers nothing but DLPack."""

    def __init__(self, data: Any):
        self.data = data

    def __dlpack__(self, **options: Any) -> Any:
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.data.__dlpack_device__()


def test_bfloat16_travels_by_dlpack() -> None:
    d = CPU.array(np.array([1.5, -2.0, 3.0], ml_dtypes.bfloat16))
    again = CPU.array(OnlyDlpack(d))
    assert (again.address, again.dtype) == (d.address, d.dtype)
    assert again.numpy().tolist() == [1.5, -2.0, 3.0]


def test_readonly_travels_by_dlpack() -> None:
    d = CPU.zeros(3).view_readonly()
    assert CPU.array(OnlyDlpack(d)).readonly


def test_dlpack_elsewhere_is_not_shared() -> None:
    class Elsewhere(OnlyDlpack):
        def __dlpack_device__(self) -> Any:
            return (2, 0)

    with pytest.raises(ArrayError, match="cannot be shared"):
        CPU.array(Elsewhere(np.zeros(3)), copy=False)


def test_torch_shares_both_ways() -> None:
    torch: Any = pytest.importorskip("torch")
    t = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    d = CPU.array(t)
    assert d.address == t.data_ptr()
    back = torch.from_dlpack(d)
    back[0, 0] = 9
    assert t[0, 0] == 9
    half = CPU.array(torch.ones(3, dtype=torch.bfloat16))
    assert half.dtype.name == "bfloat16"
    assert torch.from_dlpack(half).dtype == torch.bfloat16


def test_numpy_reads_it_as_an_array() -> None:
    d = CPU.array(np.arange(4, dtype=np.int32))
    assert np.asarray(d).ctypes.data == d.address
    assert np.array(d).ctypes.data != d.address
    assert (np.asarray(d, np.float64) + 1).tolist() == [1, 2, 3, 4]
    assert len(d) == 4


def test_views_and_capsules_keep_the_memory() -> None:
    d = CPU.array(np.arange(1000))
    memory = weakref.ref(d.memory)
    host: Any = weakref.ref(cast(Any, d.memory.host).base)  # NumPy keeps the owner only
    view = d[10:]
    capsule = d.__dlpack__()
    shared = view.numpy(copy=False)
    del d
    assert memory() is view.memory
    del view
    assert memory() is None
    assert host() is not None
    assert shared[0] == 10
    del shared
    assert host() is not None
    del capsule
    assert host() is None


def test_a_shared_foreign_array_lives_as_long_as_views_of_it() -> None:
    x = np.arange(100.0)
    alive = weakref.ref(x)
    view = CPU.array(x, copy=False)[5:].numpy(copy=False)
    del x
    assert alive() is not None
    assert view[0] == 5
    del view
    assert alive() is None


def test_memory_is_freed() -> None:
    CPU.zeros(1000)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    d = CPU.zeros(0)
    for _ in range(20):
        d = CPU.zeros(1 << 20, "u8")
        np.from_dlpack(d[1:])
        CPU.array(d.numpy(), copy=False)
    held = tracemalloc.get_traced_memory()[0] - before
    assert held > 1 << 20
    del d
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert held < 100_000


def test_arrays_of_one_kind_share_their_key() -> None:
    d = CPU.zeros((4, 4))
    assert d.key == CPU.zeros((2, 8)).key
    others = [d[0], d[:, 0], d[:, ::2], d.view_readonly(), CPU.zeros((4, 4), "f64")]
    assert len({other.key for other in [*others, d]}) == 6


def test_the_text_says_what_it_is() -> None:
    d = CPU.zeros((2, 3), "bf16")
    assert repr(d) == "<DeviceArray bf16 shape=(2, 3) on cpu:0>"
    assert repr(d[:, ::2].view_readonly()).endswith("strides=(6, 4), readonly>")
    assert isinstance(d, DeviceArray)


class FarDevice(CpuDevice):
    """A device whose memory NumPy cannot see, as that of a GPU."""

    def allocate(self, nbytes: int) -> Memory:
        near = super().allocate(nbytes)
        return Memory(self, near.address, nbytes, None, near)

    def upload(self, memory: Memory, offset: int, data: HostArray) -> None:
        super().upload(cast(Memory, memory.owner), offset, data)

    def download(self, memory: Memory, offset: int, out: HostArray) -> None:
        super().download(cast(Memory, memory.owner), offset, out)

    def adopt(self, source: Any) -> DeviceArray | None:
        return source if isinstance(source, DeviceArray) and source.device is self else None


def test_memory_that_the_host_cannot_see_is_copied() -> None:
    far = FarDevice()
    x = np.arange(24, dtype=np.int32).reshape(4, 6)
    d = far.array(x)
    np.testing.assert_array_equal(d.numpy(), x)
    np.testing.assert_array_equal(np.asarray(d), x)
    d[1::2, ::-3] = 7
    x[1::2, ::-3] = 7
    np.testing.assert_array_equal(d.numpy(copy=None), x)
    np.testing.assert_array_equal(d[::-1, 2:5].numpy(), x[::-1, 2:5])
    np.testing.assert_array_equal(CPU.array(d).numpy(), x)
    np.testing.assert_array_equal(far.array(CPU.array(d)[2:]).numpy(), x[2:])
    assert far.zeros((0, 3))[:, ::2].numpy().shape == (0, 2)
    assert far.array(d) is d
    assert not hasattr(d, "__array_interface__")
    for share in (lambda: d.numpy(copy=False), lambda: np.from_dlpack(d)):
        with pytest.raises(ArrayError, match="has no NumPy view"):
            share()
