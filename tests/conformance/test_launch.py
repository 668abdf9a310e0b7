"""Shapes of launches: grids, blocks, over; ids and sizes; limits; arguments that do not fit."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic, reportArgumentType=false, reportIndexIssue=false

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import check, launch, needs, not_simulated

import stepwell as sw
from stepwell.runtime.errors import LaunchError


@pytest.mark.parametrize(
    ("grid", "block"),
    [(3, 5), ((2, 3), (4, 2)), ((2, 1, 3), (3, 2, 4)), (1, (2, 2, 2)), ((4, 4), 1)],
)
def test_ids_and_sizes_of_every_thread(device: sw.Device, grid: object, block: object):
    def kernel(out):
        x = sw.thread_id(0) + sw.block_id(0) * sw.block_dim(0)
        y = sw.thread_id(1) + sw.block_id(1) * sw.block_dim(1)
        z = sw.thread_id(2) + sw.block_id(2) * sw.block_dim(2)
        for d in sw.unroll(range(3)):
            out[z, y, x, 0, d] = sw.thread_id(d)
            out[z, y, x, 1, d] = sw.block_id(d)
            out[z, y, x, 2, d] = sw.block_dim(d)
            out[z, y, x, 3, d] = sw.grid_dim(d)
            out[z, y, x, 4, d] = sw.global_id(d)
            out[z, y, x, 5, d] = sw.global_size(d)

    out = np.full((16, 16, 16, 6, 3), -1, np.int32)
    check(kernel, out, device=device, grid=grid, block=block)


@pytest.mark.parametrize("rows", [(0, 0), (0, 1), (2, 0), (1, 3)])
@pytest.mark.parametrize("shape", [(50, 3), (41, 33), (2, 600), (9, 1)])
def test_rows_of_threads_in_arrays_with_longer_rows(
    device: sw.Device, shape: tuple[int, int], rows: tuple[int, int]
):
    @sw.kernel
    def twice_in_place(x, y):
        i, j = sw.global_id(0), sw.global_id(1)
        y[i, j] = 2 * y[i, j] + x[i, j]

    x, y = (
        np.arange((shape[0] + 2) * (shape[1] + more), dtype=np.float32).reshape(shape[0] + 2, -1)
        for more in rows
    )
    expected = y.copy()
    expected[: shape[0], : shape[1]] = (2 * y)[: shape[0], : shape[1]] + x[: shape[0], : shape[1]]
    twice_in_place.over(shape, device=device)(x, y)
    assert (y == expected).all()


@pytest.mark.parametrize("more", [(0, 0, 0), (0, 0, 1), (0, 2, 0), (1, 0, 0), (0, 1, 2)])
@pytest.mark.parametrize("shape", [(5, 7, 3), (30, 20, 4), (3, 1, 2)])
def test_planes_of_threads_in_larger_arrays(
    device: sw.Device, shape: tuple[int, int, int], more: tuple[int, int, int]
):
    @sw.kernel
    def count(x):
        i, j, k = sw.global_id(0), sw.global_id(1), sw.global_id(2)
        x[i, j, k] = x[i, j, k] + 1

    x = np.zeros(tuple(size + extra for size, extra in zip(shape, more, strict=True)), np.int32)
    count.over(shape, device=device)(x)
    inside = np.zeros_like(x)
    inside[: shape[0], : shape[1], : shape[2]] = 1
    assert (x == inside).all()


@pytest.mark.parametrize("shape", [7, (7,), (3, 5), (2, 3, 4), (1, 1, 9), (100, 1)])
@pytest.mark.parametrize("block", [None, 4])
def test_over_runs_each_item_once(
    device: sw.Device, shape: int | tuple[int, ...], block: int | None
):
    sizes = (shape,) if isinstance(shape, int) else shape
    index = ["i", "i, j", "i, j, k"][len(sizes) - 1]

    @sw.kernel
    def one(out):
        sw.atomic_add(out, sw.global_id(0), 1)

    @sw.kernel
    def two(out):
        sw.atomic_add(out, (sw.global_id(0), sw.global_id(1)), 1)

    @sw.kernel
    def three(out):
        sw.atomic_add(out, (sw.global_id(0), sw.global_id(1), sw.global_id(2)), 1)

    out = np.zeros(sizes, np.int32)
    made = (one, two, three)[len(sizes) - 1]
    made.over(shape, device=device, block=block)(out)
    assert (out == 1).all(), index


def test_over_counts_axes_as_the_shape_does(device: sw.Device):
    def kernel(out):
        i, j, k = sw.global_id(0), sw.global_id(1), sw.global_id(2)
        out[i, j, k] = 100 * i + 10 * j + k

    out = np.zeros((3, 4, 5), np.int32)
    launch(kernel, out, device=device, over=(3, 4, 5))
    i, j, k = np.indices((3, 4, 5))
    np.testing.assert_array_equal(out, 100 * i + 10 * j + k)


def test_neighbours_of_the_last_axis_are_neighbouring_lanes(device: sw.Device):
    @sw.kernel
    def kernel(out):
        i, j = sw.global_id(0), sw.global_id(1)
        out[i, j] = sw.lane_id()

    out = np.zeros((4, 16), np.int32)
    kernel.over((4, 16), device=device, block=(1, 16))(out)
    size = min(16, max(out[0]) + 1)
    assert out.tolist() == [[j % size for j in range(16)]] * 4


def test_brackets_are_grid_and_block(device: sw.Device):
    @sw.kernel
    def kernel(out):
        out[sw.global_id(0)] = sw.block_dim(0)

    out = np.zeros(12, np.int32)
    with sw.use(device):
        kernel[3, 4](out)
    assert out.tolist() == [4] * 12


def test_use_chooses_the_device(device: sw.Device):
    with sw.use(device) as used:
        assert used is device
        assert sw.device() is device


def test_empty_grid_runs_nothing(device: sw.Device):
    def kernel(x):
        x[0] = 1

    x = np.zeros(1, np.int32)
    for grid in (0, (0, 2), (3, 0, 1)):
        launch(kernel, x, device=device, grid=grid, block=4)
    assert x[0] == 0


def test_a_large_grid(device: sw.Device):
    needs(device, "atomics_i64")

    not_simulated(device, "33 million threads")

    def kernel(total, n):
        i = sw.global_id(0)
        if i % 65536 == 0 and i < n:
            sw.atomic_add(total, 0, 1)

    total = np.zeros(1, np.int64)
    launch(kernel, total, np.int64(2**25), device=device, grid=2**17, block=256)
    assert total[0] == 2**25 // 65536


def test_an_empty_block_is_refused(device: sw.Device):
    def kernel(x):
        x[0] = 1

    with pytest.raises(sw.DeviceError, match="at least one thread"):
        launch(kernel, np.zeros(1, np.int32), device=device, grid=1, block=0)


def test_a_block_over_the_limit_is_refused(device: sw.Device):
    def kernel(x):
        x[0] = 1

    block = device.limits.max_block_threads + 1
    with pytest.raises(sw.DeviceError, match=str(device.limits.max_block_threads)):
        launch(kernel, np.zeros(1, np.int32), device=device, grid=1, block=block)


@pytest.mark.parametrize("grid", [-1, (1, 1, 1, 1), "many", 1.5, ()])
def test_a_grid_that_is_none_is_refused(device: sw.Device, grid: object):
    def kernel(x):
        x[0] = 1

    with pytest.raises(sw.DeviceError, match="grid"):
        launch(kernel, np.zeros(1, np.int32), device=device, grid=grid, block=1)


def test_shared_memory_over_the_limit_is_refused(device: sw.Device):
    size = device.limits.shared_bytes

    def kernel(x):
        s = sw.shared(size + 1, sw.u8)
        s[0] = 1
        x[0] = s[0]

    with pytest.raises((sw.DeviceError, sw.CompileError), match="shared memory"):
        launch(kernel, np.zeros(1, np.int32), device=device, grid=1, block=1)


def test_writing_a_read_only_array_is_refused(device: sw.Device):
    def kernel(x):
        x[0] = 1

    x = np.zeros(1, np.int32)
    x.flags.writeable = False
    with pytest.raises(sw.DeviceError, match=r"argument x(.|\n)*read-only"):
        launch(kernel, x, device=device, over=1)


@pytest.mark.parametrize(
    "argument", ["text", None, object(), np.zeros(1, complex), np.array(["a"]), [1]]
)
def test_an_argument_of_a_strange_type_is_refused(device: sw.Device, argument: object):
    def kernel(x, out):
        out[0] = 1

    with pytest.raises((sw.CompileError, sw.DeviceError, TypeError), match="x"):
        launch(kernel, argument, np.zeros(1, np.int32), device=device, over=1)


def test_too_few_and_too_many_arguments_are_refused(device: sw.Device):
    @sw.kernel
    def kernel(x, y):
        x[0] = y

    bound = kernel.over(1, device=device)
    x = np.zeros(1, np.int32)
    with pytest.raises(TypeError, match="y"):
        bound(x)
    with pytest.raises(TypeError):
        bound(x, 1, 2)
    with pytest.raises(TypeError, match="y"):
        bound(x, z=1)


def test_keyword_and_default_arguments(device: sw.Device):
    @sw.kernel
    def kernel(x, value=7):
        x[sw.global_id(0)] = value

    x = np.zeros(2, np.int32)
    kernel.over(1, device=device)(x)
    assert x.tolist() == [7, 0]
    kernel.over(2, device=device)(value=np.int32(9), x=x)
    assert x.tolist() == [9, 9]


def test_annotated_parameters_are_converted_and_checked(device: sw.Device):
    needs(device, "f64")

    @sw.kernel
    def kernel(a: sw.f64, x: sw.Array[sw.f64, 1]):
        x[sw.global_id(0)] = a

    x = np.zeros(1)
    kernel.over(1, device=device)(0.1, x)
    assert x[0] == 0.1
    with pytest.raises((sw.CompileError, sw.DeviceError, TypeError), match="x"):
        kernel.over(1, device=device)(0.1, np.zeros(1, np.float32))
    with pytest.raises((sw.CompileError, sw.DeviceError, TypeError), match="x"):
        kernel.over(1, device=device)(0.1, np.zeros((1, 1)))


@pytest.mark.parametrize("value", [True, 5, -(2**31), 2**40, 2**63 - 1, 2.5, np.float16(1.5)])
def test_scalar_arguments_keep_their_value(device: sw.Device, value: object):
    def kernel(v, out):
        out[0] = v

    out = np.zeros(1, np.float64 if isinstance(value, float | np.floating) else np.int64)
    launch(kernel, value, out, device=device, over=1)
    assert out[0] == value


def test_different_types_in_a_row_use_different_code(device: sw.Device):
    needs(device, "f64")

    @sw.kernel
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = x[i] * 2

    for dtype in (np.int32, np.float64, np.uint8, np.int32, np.float64):
        x = np.array([1, 100], dtype)
        out = np.zeros(2, np.float64)
        kernel.over(2, device=device)(x, out)
        assert out.tolist() == (x * x.dtype.type(2)).tolist()


@pytest.mark.parametrize("shape", [10, 1000, (3, 7)])
def test_a_strided_loop_visits_every_item_once(device: sw.Device, shape: int | tuple[int, ...]):
    @sw.kernel
    def one(out):
        for i in range(sw.global_id(0), out.shape[0], sw.global_size(0)):
            out[i] += 1

    @sw.kernel
    def two(out):
        for i in range(sw.global_id(1), out.shape[0], sw.global_size(1)):
            sw.atomic_add(out, i, 1)

    out = np.zeros(5000, np.int32)
    if isinstance(shape, int):
        one.over(shape, device=device)(out)
        one.launch(7, 13, device=device)(out)
        assert (out == 2).all()
    else:
        two.over(shape, device=device)(out)
        assert (out == shape[0]).all()


def test_a_stride_is_blocks_times_what_a_block_has(device: sw.Device):
    @sw.kernel
    def product(out):
        step = sw.block_dim(0) * sw.grid_dim(0)
        for i in range(sw.global_id(0), out.shape[0], step):
            out[i] += 1

    @sw.kernel(block=(32, 2))
    def known(out):
        first = sw.block_id(0) * 32 + sw.thread_id(0)
        for i in range(first, out.shape[0], sw.grid_dim(0) * 32):
            for j in range(sw.global_id(1), out.shape[1], 2 * sw.grid_dim(1)):
                out[i, j] += 1

    @sw.kernel
    def mixed(out):  # not how many threads there are along a dimension
        for i in range(sw.global_id(0), out.shape[0], sw.grid_dim(0) * sw.block_dim(1)):
            sw.atomic_add(out, i, 1)

    line, square = np.zeros(5000, np.int32), np.zeros((300, 7), np.int32)
    product.launch(7, 13, device=device)(line)
    known.launch((3, 2), (32, 2), device=device)(square)
    assert (line == 1).all()
    assert (square == 1).all()
    line[:] = 0
    mixed.launch((3, 1), (4, 2), device=device)(line)
    first = np.arange(12)
    wanted = np.bincount(np.concatenate([np.arange(k, 5000, 6) for k in first]), minlength=5000)
    assert (line == 2 * wanted).all()


def test_a_kernel_for_one_block_is_launched_with_no_other(device: sw.Device):
    @sw.kernel(block=(4, 2))
    def kernel(out):
        out[sw.global_id(0), sw.global_id(1)] = sw.block_dim(0) * 10 + sw.block_dim(1)

    out = np.zeros((4, 2), np.int32)
    kernel.launch(1, (4, 2), device=device)(out)
    assert (out == 42).all()
    with pytest.raises(LaunchError, match=r"blocks of \(4, 2, 1\), got \(2, 4, 1\)"):
        kernel.launch(1, (2, 4), device=device)(out)
    wide = np.zeros((6, 12), np.int32)
    kernel.over(wide.shape, device=device)(wide)
    assert (wide == 24).all()


@sw.kernel
def wait_then_fill(out, rounds, value):
    rest = rounds
    while rest > 1:
        rest = rest // 2 if rest % 2 == 0 else 3 * rest + 1  # Collatz: nothing can foresee its end
    out[sw.global_id(0)] = value * rest


@sw.kernel
def add_reversed(source, total):
    i = sw.global_id(0)
    total[i] += source[source.shape[0] - 1 - i]


def test_launches_without_a_wait_see_what_those_before_them_wrote(device: sw.Device):
    n = 256
    total = device.array(np.zeros(n, np.int32))
    sources = [device.array(np.zeros(n, np.int32)) for _ in range(4)]
    for value in range(1, 4):  # arguments that are new, arguments that came before
        for factor, source in enumerate(sources):
            wait_then_fill.over(n, device=device)(source, np.int64(837799), value * 10**factor)
            add_reversed.over(n, device=device)(source, total)
    assert (total.numpy() == 6666).all()
