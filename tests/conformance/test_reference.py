"""The reference device itself: what the other tests rely on."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import define
from conformance.reference import NotUniform, run

import stepwell as sw


def test_a_plain_kernel_runs_for_every_thread():
    def kernel(x):
        i = sw.global_id(0)
        if i < x.shape[0]:
            x[i] = i * 2

    x = np.zeros(5, np.int32)
    run(kernel, [x], grid=2, block=4)
    assert x.tolist() == [0, 2, 4, 6, 8]


def test_over_counts_axes():
    def kernel(x):
        x[sw.global_id(0), sw.global_id(1)] = sw.global_id(0) * 10 + sw.global_id(1)

    x = np.zeros((2, 3), np.int32)
    run(kernel, [x], over=(2, 3))
    assert x.tolist() == [[0, 1, 2], [10, 11, 12]]


def test_a_barrier_waits_for_all():
    def kernel(x):
        s = sw.shared(8, sw.i32)
        t = sw.thread_id(0)
        s[t] = t
        sw.barrier()
        x[t] = s[7 - t]

    x = np.zeros(8, np.int32)
    run(kernel, [x], block=8, cooperative=True)
    assert x.tolist() == [7, 6, 5, 4, 3, 2, 1, 0]


def test_a_barrier_that_some_do_not_reach_raises():
    def kernel(x):
        if sw.thread_id(0) < 3:
            sw.barrier()

    with pytest.raises(NotUniform):
        run(kernel, [0], block=4, cooperative=True)


def test_an_error_of_a_thread_is_raised():
    def kernel(x):
        sw.barrier()
        x[sw.thread_id(0)] = 1

    with pytest.raises(IndexError):
        run(kernel, [np.zeros(3)], block=4, cooperative=True)


def test_lanes_meet_in_subgroups():
    def kernel(x, y):
        t = sw.thread_id(0)
        x[t] = sw.subgroup_reduce_add(np.int32(t))
        y[t] = sw.subgroup_exclusive_add(np.int32(1)) + 10 * sw.shuffle_xor(np.int32(t), 1)

    x, y = np.zeros(6, np.int32), np.zeros(6, np.int32)
    run(kernel, [x, y], block=6, cooperative=True, subgroup_size=4)
    assert x.tolist() == [6, 6, 6, 6, 9, 9]
    assert y.tolist() == [10, 1, 32, 23, 50, 41]


def test_lanes_in_different_branches_meet_apart():
    def kernel(x):
        t = sw.thread_id(0)
        if t % 2:
            x[t] = sw.subgroup_reduce_add(1)
        else:
            x[t] = 10 * sw.subgroup_reduce_add(1)
        x[t] += 100 * sw.subgroup_reduce_add(1)

    x = np.zeros(4, np.int32)
    run(kernel, [x], block=4, cooperative=True, subgroup_size=4)
    assert x.tolist() == [420, 402, 420, 402]


def test_lanes_in_different_rounds_meet_apart():
    """As on every device, which take out of a round who is in no branch of it."""
    source = """
def kernel(x, y):
    t = sw.thread_id(0)
    for k in range(2):
        if t % 2 == k:
            x[t] = sw.subgroup_reduce_add(1)
    for k in range(2):
        n = 0
        while n < 2:
            n += 1
            if t >= n + k:
                y[t] = y[t] * 10 + twice(t, n)
        else:
            y[t] += 100000 * sw.subgroup_reduce_add(1)

def twice(t, n):
    for m in range(2):
        if t == m + n:
            return sw.subgroup_reduce_add(1)
    return 2 + sw.subgroup_reduce_add(1)
"""
    x, y = np.zeros(4, np.int32), np.zeros(4, np.int32)
    kernel = define(source, rounds=True)
    run(kernel, [x, y], block=4, cooperative=True, subgroup_size=4)
    assert x.tolist() == [2, 2, 2, 2]
    assert y.tolist() == [800000, 800001, 4400111, 40403131]


def test_waiting_without_cooperation_says_what_to_do():
    with pytest.raises(RuntimeError, match="cooperative=True"):
        run(lambda: sw.barrier(), [], block=2)
