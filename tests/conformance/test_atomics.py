"""Atomics: every kind on ints and floats, global and shared; old values; contention."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import DTYPES, check, define, expect_equal, launch, needs

import stepwell as sw

WIDE = ("i32", "u32", "i64", "u64", "f32", "f64")
INTEGERS = ("i32", "u32", "i64", "u64")
VALUES = (5, 9, 2, 250, 7, 3)
KINDS = ("add", "sub", "min", "max", "exchange")
BITWISE = ("and_", "or_", "xor")


def needs_atomics(device: sw.Device, dtype: str) -> None:
    """Skip the test on a device without atomics of 64 bits where the type is as wide."""
    if dtype in ("i64", "u64", "f64"):
        needs(device, "atomics_i64")


def one_thread(kind: str, dtype: str, device: sw.Device, space: str) -> None:
    """A thread applies all values in a row; old values and the result are Python's."""
    needs_atomics(device, dtype)
    shared = f"    s = sw.shared(2, sw.{dtype})\n    s[0] = x[0]\n    s[1] = x[1]\n"
    source = (
        "def kernel(x, values, old):\n"
        + (shared if space == "shared" else "    s = x\n")
        + "    for k in range(values.shape[0]):\n"
        + f"        old[k] = sw.atomic_{kind}(s, 1, values[k])\n"
        + "    x[0] = s[0]\n    x[1] = s[1]\n"
    )
    x, values = (np.array(v, DTYPES[dtype]) for v in ((100, 6), VALUES))
    check(define(source), x, values, np.zeros_like(values), device=device, over=1)


@pytest.mark.parametrize("space", ["global", "shared"])
@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("kind", KINDS)
def test_old_values_and_result(device: sw.Device, kind: str, dtype: str, space: str):
    one_thread(kind, dtype, device, space)


@pytest.mark.parametrize("space", ["global", "shared"])
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("kind", BITWISE)
def test_old_values_and_result_of_bits(device: sw.Device, kind: str, dtype: str, space: str):
    one_thread(kind, dtype, device, space)


@pytest.mark.parametrize("dtype", ["i32", "i64"])
def test_minimum_and_maximum_know_the_sign(device: sw.Device, dtype: str):
    needs_atomics(device, dtype)

    def kernel(x):
        sw.atomic_min(x, 0, -5)
        sw.atomic_max(x, 1, -5)
        sw.atomic_sub(x, 2, 10)

    x = np.array([3, -7, 3], DTYPES[dtype])
    launch(kernel, x, device=device, over=1)
    assert x.tolist() == [-5, -5, -7]


@pytest.mark.parametrize("dtype", ["u32", "u64"])
def test_unsigned_minimum_and_maximum_take_large_values_as_large(device: sw.Device, dtype: str):
    needs_atomics(device, dtype)

    def kernel(x, big):
        sw.atomic_min(x, 0, big[0])
        sw.atomic_max(x, 1, big[0])

    big = np.array([np.iinfo(DTYPES[dtype]).max - 1], DTYPES[dtype])
    x = np.array([3, 3], DTYPES[dtype])
    launch(kernel, x, big, device=device, over=1)
    assert x.tolist() == [3, big[0]]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_compare_exchange(device: sw.Device, dtype: str):
    needs_atomics(device, dtype)

    def kernel(x, old):
        old[0] = sw.atomic_compare_exchange(x, 0, 7, 20)
        old[1] = sw.atomic_compare_exchange(x, 0, 7, 30)
        old[2] = sw.atomic_compare_exchange(x, 0, 20, 40)

    x = np.array([7], DTYPES[dtype])
    check(kernel, x, np.zeros(3, DTYPES[dtype]), device=device, over=1)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_compare_exchange_of_floats_compares_bits(device: sw.Device, dtype: str):
    needs_atomics(device, dtype)

    def kernel(x, y, old):
        old[0] = sw.atomic_compare_exchange(x, 0, y[0], y[1])
        old[1] = sw.atomic_compare_exchange(x, 1, y[2], y[1])

    x = np.array([1.5, -0.0], DTYPES[dtype])
    y = np.array([1.5, 2.5, 0.0], DTYPES[dtype])
    launch(kernel, x, y, np.zeros(2, DTYPES[dtype]), device=device, over=1)
    assert x[0] == 2.5
    assert np.signbit(x[1]), "-0 and +0 have different bits"


@pytest.mark.parametrize("dtype", WIDE)
def test_contended_sum(device: sw.Device, dtype: str):
    needs_atomics(device, dtype)

    def kernel(total):
        sw.atomic_add(total, sw.global_id(0) % 3, 1)

    total = np.zeros(3, DTYPES[dtype])
    launch(kernel, total, device=device, grid=500, block=60)
    assert total.tolist() == [10000, 10000, 10000]


def test_contended_sum_in_shared_memory(device: sw.Device):
    def kernel(out):
        s = sw.shared(2, sw.i32)
        t = sw.thread_id(0)
        if t < 2:
            s[t] = 0
        sw.barrier()
        sw.atomic_add(s, t % 2, t)
        sw.barrier()
        if t < 2:
            out[sw.block_id(0), t] = s[t]

    out = np.zeros((50, 2), np.int32)
    launch(kernel, out, device=device, grid=50, block=128)
    assert (out == [sum(range(0, 128, 2)), sum(range(1, 128, 2))]).all()


def test_every_ticket_is_given_once(device: sw.Device):
    def kernel(counter, seen):
        ticket = sw.atomic_add(counter, 0, 1)
        seen[ticket] += 1

    counter, seen = np.zeros(1, np.int32), np.zeros(9000, np.int32)
    launch(kernel, counter, seen, device=device, grid=90, block=100)
    assert counter[0] == 9000
    assert (seen == 1).all()


def test_contended_minimum_and_maximum(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        sw.atomic_min(out, 0, x[i])
        sw.atomic_max(out, 1, x[i])

    x = np.random.default_rng(1).normal(size=5000).astype(np.float32)
    out = np.zeros(2, np.float32)
    launch(kernel, x, out, device=device, over=x.size)
    expect_equal(out, np.array([x.min(), x.max()]), device=device)


def test_compare_exchange_loop_multiplies(device: sw.Device):
    def kernel(x):
        old = x[0]
        while True:
            seen = sw.atomic_compare_exchange(x, 0, old, old * 3)
            if seen == old:
                break
            old = seen

    x = np.ones(1, np.uint32)
    launch(kernel, x, device=device, grid=50, block=20)
    assert int(x[0]) == pow(3, 1000, 2**32)


@pytest.mark.parametrize("order", ["relaxed", "acquire", "release", "acq_rel", "seq_cst"])
@pytest.mark.parametrize("scope", ["subgroup", "block", "device", "system"])
def test_every_order_and_scope(device: sw.Device, order: str, scope: str):
    source = (
        "def kernel(x):\n"
        f"    sw.atomic_add(x, 0, 2, order='{order}', scope='{scope}')\n"
        f"    sw.atomic_compare_exchange(x, 1, 5, 6, order='{order}', scope='{scope}')\n"
    )
    x = np.array([1, 5], np.int32)
    launch(define(source), x, device=device, over=1)
    assert x.tolist() == [3, 6]


@pytest.mark.parametrize("order", ["acquire", "release", "acq_rel", "seq_cst"])
def test_one_thread_of_a_block_goes_round_with_ordered_atomics(device: sw.Device, order: str):
    source = (
        "def kernel(turn, out):\n"
        "    t = sw.thread_id(0)\n"
        "    if t == 0:\n"
        f"        while sw.atomic_add(turn, 0, 1, order='{order}') < 5:\n"
        "            pass\n"
        f"        sw.atomic_compare_exchange(turn, 0, 6, 10, order='{order}')\n"
        "    sw.barrier()\n"
        "    out[t] = turn[0]\n"
    )
    turn, out = np.zeros(1, np.int32), np.zeros(64, np.int32)
    launch(define(source), turn, out, device=device, grid=1, block=64)
    assert out.tolist() == [10] * 64


def test_index_of_several_dimensions_and_of_a_slice(device: sw.Device):
    def kernel(x):
        i = sw.global_id(0)
        sw.atomic_add(x, (i % 2, -1), 1)
        sw.atomic_add(x[1:], (0, 0), 1)
        sw.atomic_add(x[0, :], i % 2, 10)

    x = np.zeros((2, 3), np.int32)
    launch(kernel, x, device=device, over=8)
    assert x.tolist() == [[40, 40, 4], [8, 0, 4]]


def test_result_may_be_ignored_or_used_in_an_expression(device: sw.Device):
    def kernel(x, out):
        sw.atomic_exchange(x, 0, 9)
        out[0] = sw.atomic_add(x, 0, 1) + sw.atomic_add(x, 0, 1) * 100

    check(kernel, np.array([5], np.int32), np.zeros(1, np.int32), device=device, over=1)
