"""Arrays of all ranks and layouts: indexing, shapes, slices, views, zero sizes, device arrays."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conformance.compare import (
    ALL,
    DTYPES,
    UINTS,
    Array,
    check,
    expect_equal,
    launch,
    specials,
)

import stepwell as sw
from stepwell.runtime.errors import ArrayError

CUBE = np.arange(4 * 5 * 6, dtype=np.int32).reshape(4, 5, 6)


@pytest.mark.parametrize("dtype", ALL)
def test_load_and_store_keep_every_value(device: sw.Device, dtype: str):
    def kernel(x, y):
        i = sw.global_id(0)
        y[i] = x[i]

    x = specials(dtype, device=device)
    y = np.zeros_like(x)
    launch(kernel, x, y, device=device, over=x.size)
    expect_equal(y, x, device=device)


@pytest.mark.parametrize("dtype", ALL)
def test_an_array_may_be_of_no_use(device: sw.Device, dtype: str):
    def kernel(x, out):
        i = sw.global_id(0)
        value = x[i]  # noqa: F841
        out[i] += 1

    x = specials(dtype, device=device)
    out = np.zeros(x.size, np.int32)
    launch(kernel, x, out, device=device, over=x.size)
    expect_equal(out, np.ones_like(out), device=device)


def test_one_to_four_dimensions(device: sw.Device):
    def kernel(a, b, c, d, out):
        i = sw.global_id(0)
        out[i] = a[i] + b[i, 1] * 10 + c[i, 1, 2] * 100 + d[1, i, 0, 2] * 1000

    a, b, c, d = (np.arange(3**n, dtype=np.int32).reshape((3,) * n) for n in range(1, 5))
    check(kernel, a, b, c, d, np.zeros(3, np.int32), device=device, over=3)


def test_shape_ndim_size_and_len(device: sw.Device):
    def kernel(x, out):
        out[0], out[1], out[2] = x.shape
        out[3] = x.ndim
        out[4] = x.size
        out[5] = len(x)
        rows, columns, _ = x.shape
        out[6] = rows * columns
        out[7] = x.shape[-1]

    check(kernel, CUBE, np.zeros(8, np.int32), device=device, over=1)


def test_negative_constant_indices(device: sw.Device):
    def kernel(x, out):
        out[0] = x[-1, -5, -2]
        out[-1] = x[0, -1, 0]

    check(kernel, CUBE, np.zeros(3, np.int32), device=device, over=1)


STRIDED = {
    "every second": np.arange(20, dtype=np.int32)[::2],
    "reversed": np.arange(10, dtype=np.int32)[::-1],
    "column": np.arange(50, dtype=np.int32).reshape(10, 5)[:, 2],
}


@pytest.mark.parametrize("layout", STRIDED)
def test_strided_arrays_are_read_and_written_in_place(device: sw.Device, layout: str):
    def kernel(x):
        i = sw.global_id(0)
        x[i] = x[i] * 2 + 1

    check(kernel, STRIDED[layout], device=device, over=10)


@pytest.mark.parametrize("view", [CUBE.T, CUBE[::-1, 1:4, ::2], CUBE.transpose(1, 0, 2)])
def test_strided_views_of_three_dimensions(device: sw.Device, view: Array):
    def kernel(x, out):
        i, j, k = sw.global_id(0), sw.global_id(1), sw.global_id(2)
        out[i, j, k] = x[i, j, k]

    out = np.zeros(view.shape, np.int32)
    launch(kernel, view, out, device=device, over=view.shape)
    expect_equal(out, np.ascontiguousarray(view), device=device)


def test_elements_beside_a_strided_array_are_left_alone(device: sw.Device):
    def kernel(x):
        x[sw.global_id(0)] = -1

    whole = np.arange(12, dtype=np.int32)
    launch(kernel, whole[1::3], device=device, over=4)
    assert whole.tolist() == [0, -1, 2, 3, -1, 5, 6, -1, 8, 9, -1, 11]


def test_broadcast_array_with_stride_zero(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = x[i, 0] + x[i, 3]

    x = np.broadcast_to(np.array([[1], [2], [3]], np.int32), (3, 4))
    out = np.zeros(3, np.int32)
    launch(kernel, x, out, device=device, over=3)
    assert out.tolist() == [2, 4, 6]


def test_row_slice(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        row = x[i, :, 2]
        out[i] = row[0] + 10 * row[4] + 1000 * row.shape[0]

    check(kernel, CUBE, np.zeros(4, np.int32), device=device, over=4)


def test_slice_with_bounds(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        part = x[2:9]
        out[i] = part[i] + 100 * len(part)
        tail = x[i:]
        out[i] += 1000 * tail[0] + 10000 * tail.shape[0]

    x = np.arange(10, dtype=np.int32)
    check(kernel, x, np.zeros(7, np.int32), device=device, over=7)


def test_slice_bounds_are_cut_to_the_array(device: sw.Device):
    def kernel(x, n, out):
        out[0] = len(x[3:100])
        out[1] = len(x[:n])
        out[2] = len(x[n:])
        out[3] = len(x[7:3])
        out[4] = len(x[:-2])
        out[5] = x[-3:][0]

    x = np.arange(10, dtype=np.int32)
    for n in (0, 4, 10, 25):
        check(kernel, x, np.int32(n), np.zeros(6, np.int32), device=device, over=1)


@pytest.mark.parametrize("dtype", UINTS)
def test_slice_bounds_without_a_sign_never_count_from_the_end(device: sw.Device, dtype: str):
    def kernel(x, bounds, out):
        i = sw.global_id(0)
        out[i, 0] = len(x[bounds[i] :])
        out[i, 1] = len(x[: bounds[i]])

    last = np.iinfo(DTYPES[dtype]).max
    bounds = np.array([0, 5, last, last // 2 + 1], DTYPES[dtype])
    x, out = np.arange(10, dtype=np.int32), np.zeros((4, 2), np.int32)
    check(kernel, x, bounds, out, device=device, over=4)


def test_slice_with_step(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        part = x[1::3]
        out[i] = part[i] + 100 * part.shape[0]

    check(kernel, np.arange(10, dtype=np.int32), np.zeros(3, np.int32), device=device, over=3)


def test_store_through_a_slice(device: sw.Device):
    def kernel(x):
        i = sw.global_id(0)
        row = x[i, 1:4]
        row[0] = -1
        row[2] = row[1] * 2

    check(kernel, np.arange(20, dtype=np.int32).reshape(4, 5), device=device, over=4)


def test_slice_of_a_slice(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        plane = x[1:][i]
        part = plane[1:4, :]
        out[i] = part[2, 5] + part[0][1]

    check(kernel, CUBE, np.zeros(3, np.int32), device=device, over=3)


def test_array_without_dimensions_of_size(device: sw.Device):
    """A zero-size array is fine as long as no element is touched."""

    def kernel(x, out):
        i = sw.global_id(0)
        if i < x.shape[0]:
            out[i] = x[i]

    out = np.full(3, 7, np.int32)
    launch(kernel, np.zeros(0, np.int32), out, device=device, over=3)
    assert out.tolist() == [7, 7, 7]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_over_an_empty_shape_runs_nothing(device: sw.Device, shape: tuple[int, ...]):
    def kernel(x):
        x[0] = 1

    x = np.zeros(1, np.int32)
    launch(kernel, x, device=device, over=shape)
    assert x[0] == 0


def test_same_array_as_two_arguments(device: sw.Device):
    def kernel(x, y):
        i = sw.global_id(0)
        y[i] = x[i] + 1

    x = np.arange(8, dtype=np.int32)
    launch(kernel, x, x, device=device, over=8)
    assert x.tolist() == list(range(1, 9))


def test_read_only_array_can_be_read(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = x[i]

    x = np.arange(4, dtype=np.int32)
    x.flags.writeable = False
    out = np.zeros(4, np.int32)
    launch(kernel, x, out, device=device, over=4)
    expect_equal(out, x.copy(), device=device)


def test_device_arrays_stay_and_change_in_place(device: sw.Device):
    def kernel(x, y):
        i = sw.global_id(0)
        y[i] = y[i] + x[i]

    x, y = device.array(np.arange(6, dtype=np.float32)), device.zeros(6, "f32")
    for _ in range(3):
        launch(kernel, x, y, device=device, over=6)
    assert y.numpy().tolist() == [0, 3, 6, 9, 12, 15]


def test_views_of_device_arrays(device: sw.Device):
    def kernel(x):
        i = sw.global_id(0)
        x[i] = -x[i]

    whole = device.array(np.arange(12, dtype=np.int32).reshape(3, 4))
    launch(kernel, whole[:, 1], device=device, over=3)
    expected = np.arange(12, dtype=np.int32).reshape(3, 4)
    expected[:, 1] *= -1
    expect_equal(whole.numpy(), expected, device=device)


class FromElsewhere:
    """An array of some other package that only knows DLPack."""

    def __init__(self, array: Array):
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()


def test_dlpack_arrays_are_taken_without_a_copy(device: sw.Device):
    if "host_memory" not in device.features:
        pytest.skip(f"{device.name} does not declare the feature host_memory")

    def kernel(x):
        i = sw.global_id(0)
        x[i] = x[i] * 2

    x = np.arange(5, dtype=np.float32)
    launch(kernel, FromElsewhere(x), device=device, over=5)
    assert x.tolist() == [0, 2, 4, 6, 8]


def test_a_device_array_goes_out_by_dlpack(device: sw.Device):
    if "host_memory" not in device.features:
        pytest.skip(f"{device.name} does not declare the feature host_memory")
    x = device.array(np.arange(5, dtype=np.float32))
    assert np.from_dlpack(x).tolist() == [0, 1, 2, 3, 4]


def test_guards_about_remainders_in_loops_that_count_down(device: sw.Device):
    def kernel(x, n, out):
        i = sw.global_id(0)
        for k in range(x.shape[0] - 1, -1, -1):
            at = (k + 8) % (x.shape[0] | 1)
            if not (at > -1 and at < n and n <= x.shape[0]):
                out[i, 1:][2] += k
            else:
                out[i, 0] += x[at]

    x = np.arange(8, dtype=np.int32)
    check(kernel, x, np.int32(4), np.zeros((2, 5), np.int32), device=device, over=2)


def test_two_views_of_the_same_elements_are_one_array(device: sw.Device):
    def kernel(x, y, z, out):
        i = sw.global_id(0)
        x[i] += 10
        y[i] *= 2
        out[i] = z[i]

    whole, out = np.arange(20, dtype=np.int32), np.zeros(7, np.int32)
    unwritable = whole[3:10]
    unwritable.flags.writeable = False
    launch(kernel, whole[3:10], whole[3:10], unwritable, out, device=device, over=7)
    assert out.tolist() == whole[3:10].tolist() == [2 * (i + 10) for i in range(3, 10)]
    assert whole[10:].tolist() == list(range(10, 20))


def test_arrays_whose_elements_lie_between_each_other(device: sw.Device):
    def kernel(x, y):
        i = sw.global_id(0)
        x[i] += y[i]

    whole = np.arange(20, dtype=np.int32)
    launch(kernel, whole[0::2], whole[1::2], device=device, over=10)
    assert whole.tolist() == [i if i % 2 else 2 * i + 1 for i in range(20)]


def test_arrays_that_share_some_elements_are_seen_in_place_or_refused(device: sw.Device):
    def kernel(x, y):
        i = sw.global_id(0)
        x[i] = y[i + 1]

    whole = np.arange(8, dtype=np.int32)
    args = whole[:2], whole[1:6]
    if "host_memory" in device.features:
        launch(kernel, *args, device=device, over=2)
        assert whole.tolist() == [2, 3, *range(2, 8)]
        return
    with pytest.raises(ArrayError, match="x and y of kernel kernel share memory and x is"):
        launch(kernel, *args, device=device, over=2)
    assert whole.tolist() == list(range(8))


@pytest.mark.parametrize("columns", [3, 4, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_rows_of_a_few_elements_of_any_length(device: sw.Device, columns: int, dtype: Any):
    @sw.kernel
    def mix(x, y):
        i = sw.global_id(0)
        if i < x.shape[0]:
            y[i, 0] = x[i, 2] + x[i, 0]
            y[i, 1] = x[i, 1]

    x = np.random.default_rng(0).integers(0, 100, (1001, columns)).astype(dtype)
    y = np.zeros((1001, columns), dtype)
    mix.over(1001, device=device)(x, y)
    assert (y[:, 0] == x[:, 0] + x[:, 2]).all()
    assert (y[:, 1] == x[:, 1]).all()
    assert not y[:, 2:].any()


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.float32])
def test_threads_go_along_rows_of_their_own(device: sw.Device, dtype: Any):
    wide = sw.f32 if dtype is np.float32 else sw.i32

    @sw.kernel(fastmath="reassoc")
    def times(a, x, y):
        r = sw.global_id(0)
        if r < y.shape[0]:
            total = y[r]
            for k in range(a.shape[1]):
                total += wide(a[r, k]) * wide(x[k])
            y[r] = total

    rng = np.random.default_rng(0)
    for rows, columns in ((1, 1), (70, 33), (257, 100)):
        a = rng.integers(-100, 100, (rows, columns)).astype(dtype)
        x = rng.integers(-100, 100, columns).astype(dtype)
        y = np.ones(rows, np.float32 if dtype is np.float32 else np.int32)
        times.over(rows, device=device)(a, x, y)
        assert (y == a.astype(np.int64) @ x.astype(np.int64) + 1).all()
