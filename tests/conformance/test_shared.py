"""Blocks that work together: shared memory and barriers, wherever a barrier may stand."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import ALL, DTYPES, check, expect_equal, launch

import stepwell as sw

X = np.random.default_rng(3).integers(-1000, 1000, 64).astype(np.int32)


def test_tree_reduction(device: sw.Device):
    def kernel(x, out):
        t = sw.thread_id(0)
        part = sw.shared(32, sw.i32)
        part[t] = x[sw.global_id(0)]
        sw.barrier()
        width = 16
        while width > 0:
            if t < width:
                part[t] += part[t + width]
            sw.barrier()
            width //= 2
        if t == 0:
            out[sw.block_id(0)] = part[0]

    args = X, np.zeros(2, np.int32)
    check(kernel, *args, device=device, grid=2, block=32, cooperative=True)


@pytest.mark.parametrize("block", [1, 2, 5, 32])
def test_prefix_sum_for_any_block(device: sw.Device, block: int):
    def kernel(x, out):
        t, n = sw.thread_id(0), sw.block_dim(0)
        sums = sw.shared(32, sw.i32)
        sums[t] = x[sw.global_id(0)]
        sw.barrier()
        step = 1
        while step < n:
            value = sums[t]
            if t >= step:
                value += sums[t - step]
            sw.barrier()
            sums[t] = value
            sw.barrier()
            step *= 2
        out[sw.global_id(0)] = sums[t]

    out = np.zeros(64, np.int32)
    check(kernel, X, out, device=device, grid=2, block=block, cooperative=True)


def test_transposed_tile(device: sw.Device):
    def kernel(x, out):
        tile = sw.shared((4, 5), sw.f32)
        tx, ty = sw.thread_id(0), sw.thread_id(1)
        bx, by = sw.block_id(0), sw.block_id(1)
        tile[ty, tx] = x[by * 4 + ty, bx * 4 + tx]
        sw.barrier()
        out[bx * 4 + ty, by * 4 + tx] = tile[tx, ty]

    x = np.arange(8 * 12, dtype=np.float32).reshape(8, 12)
    out = np.zeros((12, 8), np.float32)
    launch(kernel, x, out, device=device, grid=(3, 2), block=(4, 4))
    expect_equal(out, np.ascontiguousarray(x.T), device=device)


def test_barriers_in_three_dimensions(device: sw.Device):
    def kernel(out):
        x, y, z = sw.thread_id(0), sw.thread_id(1), sw.thread_id(2)
        cube = sw.shared((2, 3, 4), sw.i32)
        cube[z, y, x] = x + 10 * y + 100 * z + 1000 * sw.block_id(2)
        sw.barrier()
        gx, gy, gz = sw.global_id(0), sw.global_id(1), sw.global_id(2)
        out[gz, gy, gx] = cube[1 - z, 2 - y, 3 - x]

    out = np.zeros((4, 6, 4), np.int32)
    check(kernel, out, device=device, grid=(1, 2, 2), block=(4, 3, 2), cooperative=True)


def test_values_of_all_kinds_live_across_a_barrier(device: sw.Device):
    def kernel(x, out):
        t = sw.thread_id(0)
        slot = sw.shared(8, sw.f64)
        a, b, c = x[t] + 1, x[t] > 0, np.float64(x[t]) * 0.5
        pair = (a, c)
        slot[7 - t] = c
        sw.barrier()
        out[t] = slot[t] + a + (1 if b else 2) + pair[1]

    check(kernel, X, np.zeros(8), device=device, block=8, cooperative=True)


def test_barrier_in_a_loop_with_variables_carried(device: sw.Device):
    def kernel(x, out):
        t, n = sw.thread_id(0), sw.block_dim(0)
        ring = sw.shared(8, sw.i32)
        value = x[t]
        total = 0
        for step in range(5):
            ring[t] = value
            sw.barrier()
            value = ring[(t + 1) % n] + step
            total += value * (t + 1)
            sw.barrier()
        out[t] = total

    check(kernel, X, np.zeros(8, np.int32), device=device, block=8, cooperative=True)


def test_barrier_in_a_uniform_branch(device: sw.Device):
    def kernel(x, flag, out):
        t = sw.thread_id(0)
        s = sw.shared(8, sw.i32)
        s[t] = x[t]
        i = sw.global_id(0)
        if flag > 0:
            sw.barrier()
            out[i] = s[7 - t]
        else:
            out[i] = -1
        if sw.block_id(0) == 1:
            sw.barrier()
            out[i] += 1000

    for flag in (0, 1):
        args = X, np.int32(flag), np.zeros(16, np.int32)
        check(kernel, *args, device=device, grid=2, block=8, cooperative=True)


def test_barrier_in_a_while_loop_over_a_shared_condition(device: sw.Device):
    def kernel(out):
        t = sw.thread_id(0)
        left = sw.shared(1, sw.i32)
        if t == 0:
            left[0] = 5
        sw.barrier()
        rounds = 0
        while left[0] > 0:
            sw.barrier()
            rounds += 1
            if t == 3:
                left[0] -= 2
            sw.barrier()
        out[t] = rounds

    check(kernel, np.zeros(8, np.int32), device=device, block=8, cooperative=True)


def test_barrier_in_nested_loops(device: sw.Device):
    def kernel(x, out):
        t = sw.thread_id(0)
        s = sw.shared(4, sw.i32)
        total = 0
        for i in range(3):
            for j in range(i + 1):
                s[t] = x[t] + i * j + total
                sw.barrier()
                total += s[(t + j + 1) % 4]
                sw.barrier()
            total -= i
        out[t] = total

    check(kernel, X, np.zeros(4, np.int32), device=device, block=4, cooperative=True)


def test_barrier_in_a_called_function(device: sw.Device):
    def rotate(s, t, n, value):
        s[t] = value
        sw.barrier()
        got = s[(t + 1) % n]
        sw.barrier()
        return got

    def kernel(x, out):
        t = sw.thread_id(0)
        s = sw.shared(6, sw.i32)
        a = rotate(s, t, 6, x[t])
        b = rotate(s, t, 6, a * 2)
        out[t] = a + b

    check(kernel, X, np.zeros(6, np.int32), device=device, block=6, cooperative=True)


def test_barrier_orders_global_memory_in_the_block(device: sw.Device):
    def kernel(x):
        t = sw.thread_id(0)
        base = sw.block_id(0) * 8
        x[base + t] = t * 3
        sw.barrier()
        value = x[base + 7 - t]
        sw.barrier()
        x[base + t] = value

    check(kernel, np.zeros(16, np.int32), device=device, grid=2, block=8, cooperative=True)


def test_break_out_of_a_loop_with_a_barrier(device: sw.Device):
    def kernel(x, out):
        t = sw.thread_id(0)
        s = sw.shared(4, sw.i32)
        total = 0
        for k in range(10):
            s[t] = x[t] + k
            sw.barrier()
            total += s[3 - t]
            sw.barrier()
            if k == 4:
                break
        out[t] = total

    check(kernel, X, np.zeros(4, np.int32), device=device, block=4, cooperative=True)


def test_return_of_the_whole_block_before_a_barrier(device: sw.Device):
    def kernel(x, out):
        t, b = sw.thread_id(0), sw.block_id(0)
        if b == 1:
            return
        s = sw.shared(4, sw.i32)
        s[t] = x[t]
        sw.barrier()
        out[b, t] = s[3 - t]

    out = np.zeros((3, 4), np.int32)
    check(kernel, X, out, device=device, grid=3, block=4, cooperative=True)


def test_two_shared_arrays_do_not_overlap(device: sw.Device):
    def kernel(out):
        t = sw.thread_id(0)
        a = sw.shared(3, sw.u8)
        b = sw.shared((2, 2), sw.f64)
        c = sw.shared(4, sw.i32)
        if t == 0:
            for k in range(3):
                a[k] = k + 1
            for k in range(4):
                b[k // 2, k % 2] = k + 10
                c[k] = k + 20
        sw.barrier()
        out[t] = a[t % 3] + b[t // 2, t % 2] + c[t]

    check(kernel, np.zeros(4), device=device, block=4, cooperative=True)


@pytest.mark.parametrize("dtype", ALL)
def test_shared_arrays_of_every_type(device: sw.Device, dtype: str):
    element = getattr(sw, "bool_" if dtype == "bool" else dtype)

    def kernel(x, out):
        t = sw.thread_id(0)
        s = sw.shared(4, element)
        s[t] = x[t]
        sw.barrier()
        out[t] = s[3 - t]

    x = np.array([1, 0, 3, 2]).astype(DTYPES[dtype])
    check(kernel, x, np.zeros_like(x), device=device, block=4, cooperative=True)


def test_dynamic_shared_memory(device: sw.Device):
    @sw.kernel
    def kernel(x, out):
        t = sw.thread_id(0)
        s = sw.shared(None, sw.i32)
        s[t] = x[t]
        sw.barrier()
        out[t] = s[sw.block_dim(0) - 1 - t] + 100 * len(s)

    out = np.zeros(8, np.int32)
    kernel.launch(1, 8, device=device, shared_bytes=32)(X, out)
    assert out.tolist() == [int(v) + 800 for v in X[7::-1]]


@pytest.mark.parametrize("dtype", ALL)
def test_local_arrays_of_every_type(device: sw.Device, dtype: str):
    element = getattr(sw, "bool_" if dtype == "bool" else dtype)

    def kernel(x, out):
        t = sw.thread_id(0)
        mine = sw.local((2, 4), element)
        for k in range(4):
            mine[0, k] = x[k]
            mine[1, 3 - k] = x[k]
        out[t] = mine[t % 2, t]

    x = np.array([1, 0, 3, 2]).astype(DTYPES[dtype])
    check(kernel, x, np.zeros_like(x), device=device, grid=1, block=4)


def test_local_arrays_live_across_barriers_and_are_per_thread(device: sw.Device):
    def kernel(x, out):
        t = sw.thread_id(0)
        mine = sw.local(3, sw.i32)
        s = sw.shared(4, sw.i32)
        for k in range(3):
            mine[k] = x[t] * (k + 1)
        s[t] = mine[t % 3]
        sw.barrier()
        mine[1] += s[3 - t]
        sw.barrier()
        out[t] = mine[0] + mine[1] * 2 + mine[2] * 3

    check(kernel, X, np.zeros(4, np.int32), device=device, block=4, cooperative=True)


def test_local_arrays_are_stored_to_at_what_a_variable_was(device: sw.Device):
    """The next round's index is known, by the assert, before the stores at this one's."""

    def kernel(out, rounds):
        stack = sw.local(8, sw.i32)
        stack[0] = 5
        n = 1
        k = 0
        while n > 0 and k < 20:
            n -= 1
            k += 1
            top = stack[n]
            if top != 0:
                assert n + 2 <= 8, "the stack is full"
                stack[n] = top - 1
                stack[n + 1] = 0
                n += 2
            out[k - 1] = top
        rounds[0] = k

    check(kernel, np.zeros(20, np.int32), np.zeros(1, np.int32), device=device, over=1)
