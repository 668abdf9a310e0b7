"""Safe by default: a failed check makes no access, ends the thread, and raises."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance.compare import DTYPES, INTS, UINTS, define, launch, needs

import stepwell as sw

HERE = Path(__file__)
ACCESSES = ["x[k]", "x[0] + x[k]", "sw.atomic_add(x, k, 1)", "x[1:][k - 1]"]


def line_of(marker: str) -> int:
    """The line of this file that ends in `# marker`."""
    lines = HERE.read_text(encoding="utf-8").splitlines()
    [number] = [n for n, line in enumerate(lines, 1) if line.endswith(f"# {marker}")]
    return number


def failure(
    kind: type[sw.KernelError], kernel: Callable[..., None], *args: Any, **options: Any
) -> sw.KernelError:
    with pytest.raises(kind) as caught:
        launch(kernel, *args, **options)
    return caught.value


def test_out_of_bounds_names_line_thread_and_values(device: sw.Device):
    def kernel(x, y):
        i = sw.global_id(0)
        y[i] = x[i * 3]  # out of bounds

    x, y = np.arange(10, dtype=np.int32), np.zeros(8, np.int32)
    error = failure(sw.OutOfBounds, kernel, x, y, device=device, grid=2, block=4)
    assert Path(error.file) == HERE
    assert error.line == line_of("out of bounds")
    assert error.function == "kernel"
    assert error.block is not None
    assert error.thread is not None
    i = error.block[0] * 4 + error.thread[0]
    assert error.values == (i * 3, 10)
    assert i >= 4
    assert f"index {i * 3} is out of bounds for axis 0" in str(error)
    assert "y[i] = x[i * 3]" in str(error)
    assert isinstance(error, IndexError)


@pytest.mark.parametrize("index", [-1, -5, 4, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize(
    "access", ["x[k]", "x[0] + x[k]", "sw.atomic_add(x, k, 1)", "x[1:][k - 1]"]
)
def test_reads_outside_are_refused(device: sw.Device, access: str, index: int):
    kernel = define(f"def kernel(x, k, out):\n    out[0] = {access}\n")
    x, out = np.arange(4, dtype=np.int32), np.array([7], np.int32)
    error = failure(sw.OutOfBounds, kernel, x, np.int32(index), out, device=device, over=1)
    assert error.line == 2
    assert out[0] == 7
    assert x.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("index", [-1, 4, 2**40, -(2**63)])
def test_writes_outside_are_not_made(device: sw.Device, index: int):
    def kernel(x, k):
        x[k] = 99

    whole = np.arange(12, dtype=np.int32)
    failure(sw.OutOfBounds, kernel, whole[4:8], np.int64(index), device=device, over=1)
    assert whole.tolist() == list(range(12))


@pytest.mark.parametrize("dtype", UINTS)
def test_unsigned_indices_are_not_taken_as_negative(device: sw.Device, dtype: str):
    def kernel(x, k, out):
        out[0] = x[k[0]]

    top = np.array([np.iinfo(DTYPES[dtype]).max], DTYPES[dtype])
    x = np.arange(10, dtype=np.int32)
    failure(sw.OutOfBounds, kernel, x, top, np.zeros(1, np.int32), device=device, over=1)


def test_the_axis_that_is_wrong_is_named(device: sw.Device):
    def kernel(x, j, out):
        out[0] = x[1, j, 0]

    args = np.zeros((2, 3, 4), np.int32), np.int32(3), np.zeros(1, np.int32)
    error = failure(sw.OutOfBounds, kernel, *args, device=device, over=1)
    assert "axis 1" in str(error)
    assert error.values == (3, 3)


def test_an_index_within_the_memory_but_outside_its_axis_is_refused(device: sw.Device):
    def kernel(x, out):
        out[0] = x[0, sw.global_id(0) + 3]

    args = np.zeros((4, 3), np.int32), np.zeros(1, np.int32)
    failure(sw.OutOfBounds, kernel, *args, device=device, over=1)


def test_constant_index_outside_an_empty_array(device: sw.Device):
    def kernel(x, out):
        out[0] = x[0] + x[-1]

    args = np.zeros(0, np.int32), np.zeros(1, np.int32)
    failure(sw.OutOfBounds, kernel, *args, device=device, over=1)


def test_shared_and_local_arrays_are_checked(device: sw.Device):
    def shared(k, out):
        s = sw.shared(4, sw.i32)
        s[k] = 1
        out[0] = s[k]

    def local(k, out):
        s = sw.local((2, 4), sw.i32)
        s[0, k] = 1
        out[0] = s[0, k]

    for kernel in (shared, local):
        error = failure(
            sw.OutOfBounds, kernel, np.int32(4), np.zeros(1, np.int32), device=device, over=1
        )
        assert error.values == (4, 4)


@pytest.mark.parametrize("index", [-1, 3, 2**31 - 1, -(2**31)])
def test_tuples_indexed_at_run_time_are_checked(device: sw.Device, index: int):
    def kernel(x, k):
        x[0] = (5, 6, x[0])[k]

    x = np.array([7], np.int32)
    error = failure(sw.OutOfBounds, kernel, x, np.int32(index), device=device, over=1)
    assert str(error).startswith(f"index {index} is out of bounds for a tuple of 3 items")
    assert x[0] == 7


def test_the_thread_ends_and_others_may_go_on(device: sw.Device):
    def kernel(x, marks):
        i = sw.global_id(0)
        if i == 2:
            x[100] = 1
            marks[i] = 1
        marks[i] = 1

    x, marks = np.zeros(4, np.int32), np.zeros(4, np.int32)
    failure(sw.OutOfBounds, kernel, x, marks, device=device, grid=1, block=4)
    assert marks[2] == 0
    assert not x.any()


def test_threads_whose_checks_hold_do_their_work(device: sw.Device):
    def kernel(x, y):
        i = sw.global_id(0)
        y[i] = x[i + 1]

    x, y = np.ones(32, np.float32), np.zeros(32, np.float32)
    failure(sw.OutOfBounds, kernel, x, y, device=device, grid=1, block=32)
    assert y.tolist() == [1.0] * 31 + [0.0]


def test_assert_with_message_and_values(device: sw.Device):
    def kernel(x):
        i = sw.global_id(0)
        assert x[i] < 5, f"too large: {x[i]} at {i}"  # the assertion

    x = np.array([1, 2, 8, 3], np.int32)
    error = failure(sw.AssertionFailed, kernel, x, device=device, over=4)
    assert "too large: 8 at 2" in str(error)
    assert error.line == line_of("the assertion")
    assert isinstance(error, AssertionError)


def test_assert_with_plain_message_and_without(device: sw.Device):
    def with_message(x):
        assert x[0] == 1, "expected a one"

    def without(x):
        assert x[0] == 1

    x = np.zeros(1, np.int32)
    assert "expected a one" in str(
        failure(sw.AssertionFailed, with_message, x, device=device, over=1)
    )
    assert "x[0] == 1" in str(failure(sw.AssertionFailed, without, x, device=device, over=1))


def test_assert_that_holds_says_nothing(device: sw.Device):
    def kernel(x):
        i = sw.global_id(0)
        assert 0 <= x[i] < 10, "out of range"
        x[i] += 1

    x = np.arange(4, dtype=np.int32)
    launch(kernel, x, device=device, over=4)
    assert x.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("operator", ["//", "%"])
@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_integer_division_by_zero(device: sw.Device, dtype: str, operator: str):
    source = f"def kernel(x, y, out):\n    i = sw.global_id(0)\n    out[i] = x[i] {operator} y[i]\n"
    x, y = np.array([6, 7], DTYPES[dtype]), np.array([2, 0], DTYPES[dtype])
    out = np.array([9, 9], DTYPES[dtype])
    error = failure(sw.DivisionByZero, define(source), x, y, out, device=device, over=2)
    assert error.line == 3
    assert out[1] == 9
    assert isinstance(error, ZeroDivisionError)


def test_float_division_by_zero_is_no_error(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = x[i] / 0.0

    out = np.zeros(3, np.float32)
    launch(kernel, np.array([1, -1, 0], np.float32), out, device=device, over=3)
    assert out[0] == np.inf
    assert out[1] == -np.inf
    assert np.isnan(out[2])


def test_the_function_that_failed_is_named(device: sw.Device):
    def pick(x, k):
        return x[k]  # in a helper

    def kernel(x, out):
        out[0] = pick(x, 9 + sw.global_id(0))

    args = np.zeros(4, np.int32), np.zeros(1, np.int32)
    error = failure(sw.OutOfBounds, kernel, *args, device=device, over=1)
    assert error.line == line_of("in a helper")
    assert error.function == "pick"


def test_further_failures_are_counted_or_cut_off(device: sw.Device):
    def kernel(x):
        x[sw.global_id(0) + 100] = 1

    error = failure(
        sw.OutOfBounds, kernel, np.zeros(4, np.int32), device=device, grid=1000, block=64
    )
    assert 0 <= error.more < 64000


def test_the_kernel_runs_again_after_an_error(device: sw.Device):
    @sw.kernel
    def kernel(x, k):
        x[k] = 1

    x = np.zeros(4, np.int32)
    for _ in range(3):
        with pytest.raises(sw.OutOfBounds):
            kernel.over(1, device=device)(x, np.int32(9))
        kernel.over(1, device=device)(x, np.int32(2))
    assert x.tolist() == [0, 0, 1, 0]


def test_an_error_in_a_loop_ends_it(device: sw.Device):
    def kernel(x, count):
        for k in range(1000000):
            x[k] = 1
            count[0] = k

    x, count = np.zeros(5, np.int32), np.zeros(1, np.int32)
    error = failure(sw.OutOfBounds, kernel, x, count, device=device, over=1)
    assert error.values == (5, 5)
    assert count[0] == 4


def test_an_error_in_an_inner_loop_is_that_of_its_first_iteration_outside(device: sw.Device):
    def kernel(x, m, out):
        i = sw.global_id(0)
        for k in range(m):
            out[i] = k + 1
            out[i] += x[i, k]  # inner loop

    x, out = np.zeros((6, 5), np.int32), np.zeros(6, np.int32)
    launch(kernel, x, 5, out, device=device, over=6)
    assert out.tolist() == [5] * 6
    error = failure(sw.OutOfBounds, kernel, x, 7, out, device=device, over=6)
    assert error.line == line_of("inner loop")
    assert error.values == (5, 5)
    assert error.thread is not None
    assert out[error.thread[0]] == 6


@pytest.mark.parametrize(
    "index",
    [
        *("k", "i + k", "7 - i + 2 * k", "i * w + k", "i * 4 + k", "2 * i + k", "(i + k) // 2"),
        *("min(i, 5) + k", "i % 3 + k", "(i & 5) + k", "i // w + k", "(i - 1) * k + 3"),
    ],
)
def test_arrays_may_end_where_the_farthest_access_is(device: sw.Device, index: str):
    kernel = define(
        "def kernel(x, w, out):\n"
        "    i = sw.global_id(0)\n"
        "    for k in range(4):\n"
        f"        out[i] += x[{index}]\n"
    )
    places = [[eval(index, {"i": i, "k": k, "w": 4}) for k in range(4)] for i in range(8)]
    most = max(max(row) for row in places)
    x, out = np.arange(1, most + 2, dtype=np.int32), np.zeros(8, np.int32)
    launch(kernel, x, 4, out, device=device, over=8)
    assert out.tolist() == [sum(place + 1 for place in row) for row in places]
    error = failure(sw.OutOfBounds, kernel, x[:most].copy(), 4, out, device=device, over=8)
    assert error.line == 4
    assert error.values == (most, most)


@pytest.mark.parametrize("w", [-1, 2**31 - 1, -(2**31)])
def test_products_that_leave_the_array_or_wrap_are_refused(device: sw.Device, w: int):
    def kernel(x, w, out):
        i = sw.global_id(0)
        for k in range(4):
            out[i] += x[i * w + k]

    x, out = np.ones(8, np.int32), np.zeros(8, np.int32)
    error = failure(sw.OutOfBounds, kernel, x, np.int32(w), out, device=device, over=8)
    assert error.thread is not None
    assert error.thread[0] > 0
    assert out[0] == 4


def test_an_error_before_a_barrier_ends_the_block(device: sw.Device):
    def kernel(x, out):
        t = sw.thread_id(0)
        s = sw.shared(8, sw.i32)
        s[t] = x[t]
        sw.barrier()
        out[t] = s[7 - t]

    args = np.zeros(5, np.int32), np.zeros(8, np.int32)
    error = failure(sw.OutOfBounds, kernel, *args, device=device, block=8)
    assert error.thread is not None
    assert error.thread[0] >= 5


def test_block_and_thread_of_a_three_dimensional_launch(device: sw.Device):
    def kernel(x):
        here = sw.block_id(2) == 1 and sw.thread_id(1) == 2 and sw.thread_id(0) == 1
        if here and sw.block_id(0) == 1:
            x[9] = 1

    error = failure(
        sw.OutOfBounds,
        kernel,
        np.zeros(4, np.int32),
        device=device,
        grid=(2, 1, 2),
        block=(2, 3, 1),
    )
    assert error.block == (1, 0, 1)
    assert error.thread == (1, 2, 0)


def test_a_barrier_that_some_threads_do_not_reach_is_an_error(device: sw.Device):
    needs(device, "barrier_checks")

    def kernel(x):
        if sw.thread_id(0) < 3:
            sw.barrier()  # not uniform
        x[sw.thread_id(0)] = 1

    error = failure(sw.KernelError, kernel, np.zeros(8, np.int32), device=device, block=8)
    assert error.kind == "barrier"
    assert error.line == line_of("not uniform")


def test_a_barrier_in_a_loop_of_unequal_length_is_an_error(device: sw.Device):
    needs(device, "barrier_checks")

    def kernel(x):
        t = sw.thread_id(0)
        for _ in range(t):
            sw.barrier()
        x[t] = 1

    error = failure(sw.KernelError, kernel, np.zeros(8, np.int32), device=device, block=8)
    assert error.kind == "barrier"


def test_a_thread_that_returns_before_the_barrier_of_others_is_an_error(device: sw.Device):
    needs(device, "barrier_checks")

    def kernel(x):
        if sw.thread_id(0) == 5:
            return
        sw.barrier()
        x[sw.thread_id(0)] = 1

    error = failure(sw.KernelError, kernel, np.zeros(8, np.int32), device=device, block=8)
    assert error.kind == "barrier"


def test_uniform_conditions_that_no_compiler_can_prove_are_fine(device: sw.Device):
    def kernel(x, out):
        t = sw.thread_id(0)
        if x[t] > 0:
            sw.barrier()
            out[t] = 1

    out = np.zeros(8, np.int32)
    launch(kernel, np.ones(8, np.int32), out, device=device, block=8)
    assert out.all()


def test_checks_off_leaves_working_kernels_as_they_are(device: sw.Device):
    def kernel(x, y):
        i = sw.global_id(0)
        assert i >= 0
        y[i] = x[i] // (i + 1)

    x, y = np.arange(10, 20, dtype=np.int32), np.zeros(10, np.int32)
    launch(kernel, x, y, device=device, over=10, checks=False)
    assert y.tolist() == [int(v) // (i + 1) for i, v in enumerate(x)]


def test_checks_off_does_not_check_asserts(device: sw.Device):
    def kernel(x):
        assert x[0] == 1
        x[1] = 5

    x = np.zeros(2, np.int32)
    launch(kernel, x, device=device, over=1, checks=False)
    assert x.tolist() == [0, 5]


def test_arrays_shorter_than_at_first_are_still_checked(device: sw.Device):
    @sw.kernel
    def guarded(x, y, table):
        i = sw.global_id(0)
        if i < y.shape[0]:
            y[i] = x[i] + table[i & 3]

    @sw.kernel
    def counted(x, y, n):
        i = sw.global_id(0)
        if i < n:
            y[i] = x[i]

    @sw.kernel
    def item(x, y):
        i = sw.global_id(0)
        y[i] = x[i]

    x, y, table = np.arange(40, dtype=np.int32), np.zeros(40, np.int32), np.ones(4, np.int32)
    for _ in range(2):
        launch(guarded, x, y, table, grid=5, block=8, device=device)
        assert (y == x + 1).all()
        for less in ((x[:30], y, table), (x, y, table[:3])):
            with pytest.raises(sw.OutOfBounds):
                launch(guarded, *less, grid=5, block=8, device=device)
        launch(counted, x, y, np.int32(40), grid=5, block=8, device=device)
        with pytest.raises(sw.OutOfBounds):
            launch(counted, x, y, np.int32(41), grid=6, block=8, device=device)
        launch(item, x, y, over=40, device=device)
        for count, less in ((41, (x, y)), (40, (x[:39], y)), (40, (x, y[:39]))):
            with pytest.raises(sw.OutOfBounds):
                launch(item, *less, over=count, device=device)


def test_numbers_at_the_end_of_their_type_do_not_make_arrays_long_enough(device: sw.Device):
    @sw.kernel
    def up_to(x, n):
        i = sw.global_id(0)
        if i <= n:
            x[i] = 1

    @sw.kernel
    def before(x, n: sw.i32):
        i = sw.global_id(0)
        if i + 1 < n:
            x[i] = 1

    x = np.zeros(100, np.int32)
    launch(up_to, x, np.int8(99), grid=32, block=8, device=device)
    assert x.sum() == 100
    with pytest.raises(sw.OutOfBounds):
        launch(up_to, x, np.int8(127), grid=32, block=8, device=device)
    for n, written in ((0, 0), (7, 6)):
        x = np.zeros(100, np.int32)
        launch(before, x, np.uint8(n), grid=32, block=8, device=device)
        assert x.sum() == written
    with pytest.raises(sw.OutOfBounds):
        launch(before, x, np.uint8(255), grid=32, block=8, device=device)
