"""Subgroup operations, at whatever size the device has."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from conformance.compare import DTYPES, FLOATS, INTS, UINTS, check, define

import stepwell as sw

BLOCK = 40  # no multiple of a large subgroup: the last one is partial


@pytest.fixture(scope="session")
def size(device: sw.Device) -> int:
    """The subgroup size that kernels see."""
    seen = np.zeros(1, np.int32)

    @sw.kernel
    def ask(out):
        out[0] = sw.subgroup_size()

    ask.launch(1, BLOCK, device=device)(seen)
    assert int(seen[0]) in device.limits.subgroup_sizes
    return int(seen[0])


def compare(
    kernel: Callable[..., None],
    *args: object,
    device: sw.Device,
    size: int,
    block: int | tuple[int, ...] = BLOCK,
    reference: Callable[..., None] | None = None,
) -> None:
    options = {"block": block, "cooperative": True, "subgroup_size": size, "reference": reference}
    check(kernel, *args, device=device, grid=2, **options)


def values(dtype: str = "i32") -> np.ndarray:
    """Small, so that sums are exact in any order."""
    low = 0 if dtype in UINTS else -3
    numbers = np.random.default_rng(5).integers(low, 4, 2 * BLOCK)
    return numbers.astype(DTYPES[dtype])


def test_lane_and_subgroup_ids(device: sw.Device, size: int):
    def kernel(out):
        i = sw.global_id(0)
        out[i, 0] = sw.lane_id()
        out[i, 1] = sw.subgroup_id()
        out[i, 2] = sw.subgroup_size()

    compare(kernel, np.zeros((2 * BLOCK, 3), np.int32), device=device, size=size)


def test_lanes_follow_each_other_along_x_then_y_then_z(device: sw.Device, size: int):
    def kernel(out):
        t = sw.thread_id(0) + 3 * (sw.thread_id(1) + 4 * sw.thread_id(2))
        out[sw.block_id(0), t] = sw.subgroup_id() * 100 + sw.lane_id()

    out = np.zeros((2, 36), np.int32)
    compare(kernel, out, device=device, size=size, block=(3, 4, 3))


@pytest.mark.parametrize("dtype", INTS + UINTS + FLOATS)
def test_arithmetic_reductions(device: sw.Device, size: int, dtype: str):
    def kernel(x, total, low, high):
        i = sw.global_id(0)
        total[i] = sw.subgroup_reduce_add(x[i])
        low[i] = sw.subgroup_reduce_min(x[i])
        high[i] = sw.subgroup_reduce_max(x[i])

    x = values(dtype)
    outs = [np.zeros_like(x) for _ in range(3)]
    compare(kernel, x, *outs, device=device, size=size)


@pytest.mark.parametrize("dtype", ["i32", "u64", "f32", "f64"])
def test_product(device: sw.Device, size: int, dtype: str):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = sw.subgroup_reduce_mul(x[i])

    x = np.where(values("u8") > 2, 2, 1).astype(DTYPES[dtype])
    compare(kernel, x, np.zeros_like(x), device=device, size=size)


@pytest.mark.parametrize("dtype", [*INTS, *UINTS, "bool"])
def test_bitwise_reductions(device: sw.Device, size: int, dtype: str):
    def kernel(x, conj, disj, excl):
        i = sw.global_id(0)
        conj[i] = sw.subgroup_reduce_and_(x[i])
        disj[i] = sw.subgroup_reduce_or_(x[i])
        excl[i] = sw.subgroup_reduce_xor(x[i])

    x = values("i32").astype(DTYPES[dtype])
    outs = [np.zeros_like(x) for _ in range(3)]
    compare(kernel, x, *outs, device=device, size=size)


@pytest.mark.parametrize("dtype", ["i32", "u8", "i64", "f32", "f64"])
def test_scans(device: sw.Device, size: int, dtype: str):
    def kernel(x, inclusive, exclusive):
        i = sw.global_id(0)
        inclusive[i] = sw.subgroup_inclusive_add(x[i])
        exclusive[i] = sw.subgroup_exclusive_add(x[i])

    x = values(dtype)
    compare(kernel, x, np.zeros_like(x), np.zeros_like(x), device=device, size=size)


@pytest.mark.parametrize("dtype", INTS + UINTS + FLOATS)
def test_scans_of_extremes(device: sw.Device, size: int, dtype: str):
    def kernel(x, low, high):
        i = sw.global_id(0)
        low[i] = sw.subgroup_inclusive_min(x[i])
        high[i] = sw.subgroup_inclusive_max(x[i])
        if i % 3:
            low[i] += sw.subgroup_inclusive_max(low[i])

    x = values(dtype)
    compare(kernel, x, np.zeros_like(x), np.zeros_like(x), device=device, size=size)


@pytest.mark.parametrize("dtype", ["i32", "u8", "i64", "f16", "f32", "f64"])
def test_broadcast_of_a_fixed_lane(device: sw.Device, size: int, dtype: str):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = sw.broadcast(x[i], 1) + sw.shuffle(x[i], 0)

    x = values(dtype)
    compare(kernel, x, np.zeros_like(x), device=device, size=size)


@pytest.mark.parametrize("move", ["shuffle_xor", "shuffle_up", "shuffle_down"])
def test_shuffles_between_neighbours(device: sw.Device, size: int, move: str):
    """Beyond the subgroup's lanes, of which the last one of a block has fewer, is the own value."""
    lines = ["def kernel(x, out):", "    i = sw.global_id(0)"]
    lines += [f"    out[i, {d}] = sw.{move}(x[i], {d})" for d in (1, 2, 3, 4)]
    x = np.arange(2 * 38, dtype=np.int32)
    out = np.zeros((2 * 38, 5), np.int32)
    compare(define("\n".join([*lines, ""])), x, out, device=device, size=size, block=38)


@pytest.mark.parametrize("block", [38, (19, 2)])
def test_a_lane_that_is_not_active_gives_the_own_value(
    device: sw.Device, size: int, block: int | tuple[int, int]
):
    source = """
def kernel(x, out):
    i = sw.block_id(0) * 38 + sw.thread_id(1) * sw.block_dim(0) + sw.thread_id(0)
    if x[i] % 3 > 0:
        out[i, 0] = sw.shuffle_xor(x[i], 1)
    else:
        out[i, 0] = sw.shuffle(x[i], x[i] % 5)
    for k in range(x[i] % 4):
        out[i, 1] += sw.shuffle_down(x[i], k)
        out[i, 2] += sw.broadcast(x[i], 1)
    out[i, 3] = sw.shuffle_down(x[i], sw.lane_id())
"""
    x = np.random.default_rng(4).integers(0, 100, 2 * 38).astype(np.int32)
    compare(
        *(define(source), x, np.zeros((2 * 38, 4), np.int32)),
        device=device,
        size=size,
        block=block,
        reference=define(source, rounds=True),
    )


def test_shuffle_by_a_lane_that_each_thread_computes(device: sw.Device, size: int):
    def kernel(x, out):
        i = sw.global_id(0)
        lane = int(sw.lane_id())
        live = min(int(sw.subgroup_size()), 40 - (int(sw.thread_id(0)) - lane))
        out[i] = sw.shuffle(x[i], live - 1 - lane)

    x = np.arange(2 * BLOCK, dtype=np.float32)
    compare(kernel, x, np.zeros_like(x), device=device, size=size)


def test_ballot_any_all(device: sw.Device, size: int):
    def kernel(x, votes, some, every):
        i = sw.global_id(0)
        votes[i] = sw.ballot(x[i] > 0)
        some[i] = sw.any(x[i] > 2)
        every[i] = sw.all(x[i] > -3)

    x = values()
    n = x.size
    outs = np.zeros(n, np.uint64), np.zeros(n, bool), np.zeros(n, bool)
    compare(kernel, x, *outs, device=device, size=size)


def test_only_active_lanes_take_part(device: sw.Device, size: int):
    def kernel(x, out):
        i = sw.global_id(0)
        if x[i] > 0:
            out[i] = sw.subgroup_reduce_add(x[i])
        else:
            out[i] = 100 + sw.subgroup_reduce_add(1)

    compare(kernel, values(), np.zeros(2 * BLOCK, np.int32), device=device, size=size)


def test_lanes_that_leave_a_loop_early_do_not_take_part(device: sw.Device, size: int):
    def kernel(out):
        i = sw.global_id(0)
        total = 0
        for k in range(sw.lane_id() % 4):
            total += sw.subgroup_reduce_add(k + 1)
        out[i] = total + 1000 * sw.subgroup_reduce_max(total)

    compare(kernel, np.zeros(2 * BLOCK, np.int32), device=device, size=size)


@pytest.mark.parametrize("step", ["3", "step"])
@pytest.mark.parametrize("bounds", ["last - 100 + i, last", "last - 100, last - i % 7"])
def test_ranges_up_to_the_last_number_end(device: sw.Device, size: int, bounds: str, step: str):
    kernel = define(f"""
def kernel(last, step, sums, items):
    i = sw.global_id(0)
    for k in range({bounds}, {step}):
        sums[i] += sw.subgroup_reduce_add(k - last)
        items[i] = k
""")
    outs = np.zeros(2 * BLOCK, np.int64), np.zeros(2 * BLOCK, np.int64)
    last = np.int64(2**63 - 1)
    compare(kernel, last, np.int64(2**62), *outs, device=device, size=size)


def test_lanes_meet_in_the_same_round_of_every_loop(device: sw.Device, size: int):
    source = """
def count(x):
    found = 0
    while sw.any(x > found):
        found += 1
        if found == x:
            return found * 100 + sw.subgroup_reduce_add(1)
        elif sw.subgroup_reduce_max(x - found) < 2:
            break
    else:
        found += 10 * sw.subgroup_reduce_add(1)
    return found

def kernel(x, out):
    i = sw.global_id(0)
    for k in range(3):
        for j in range(x[i] % 3):
            if (x[i] + j) % 3 == k:
                out[i, 0] += (j + 1) * sw.subgroup_reduce_add(1)
            if x[i] == 7 - k:
                break
        else:
            out[i, 1] += count(x[i] % 5) if x[i] > 4 else 1000 * count(x[i])
"""
    x = np.random.default_rng(6).integers(0, 9, 2 * BLOCK).astype(np.int32)
    reference = define(source, rounds=True)
    out = np.zeros((2 * BLOCK, 2), np.int32)
    compare(define(source), x, out, device=device, size=size, reference=reference)


def test_lanes_that_have_returned_do_not_take_part(device: sw.Device, size: int):
    def kernel(out):
        i = sw.global_id(0)
        if sw.lane_id() % 3 == 1:
            return
        out[i] = sw.subgroup_reduce_add(1)

    compare(kernel, np.zeros(2 * BLOCK, np.int32), device=device, size=size)


def test_subgroup_results_live_across_barriers(device: sw.Device, size: int):
    def kernel(x, out):
        t, i = sw.thread_id(0), sw.global_id(0)
        parts = sw.shared(64, sw.i32)
        own = sw.subgroup_reduce_add(x[i])
        if sw.lane_id() == 0:
            parts[sw.subgroup_id()] = own
        sw.barrier()
        total = 0
        for k in range((40 + sw.subgroup_size() - 1) // sw.subgroup_size()):
            total += parts[k]
        out[i] = total + sw.subgroup_reduce_max(t) * 1000

    compare(kernel, values(), np.zeros(2 * BLOCK, np.int32), device=device, size=size)


@pytest.mark.parametrize("count", [0, 1])
def test_block_of_one_subgroup_with_checked_indices(device: sw.Device, size: int, count: int):
    """Its lanes are the threads; a check that fails for some of them ends the launch."""
    x = np.arange(2 * size, dtype=np.int32)
    out = np.zeros(2 * size - count, np.int32)

    @sw.kernel(block=size)
    def kernel(x, out):
        i = sw.global_id(0)
        total = sw.subgroup_reduce_add(x[i])
        out[i] = total + sw.shuffle_xor(x[i], 0)

    launch = kernel.launch(2, size, device=device)
    if count:
        with pytest.raises(sw.OutOfBounds):
            launch(x, out)
        return
    launch(x, out)
    sums = x.reshape(2, size).sum(1, keepdims=True)
    np.testing.assert_array_equal(out.reshape(2, size), x.reshape(2, size) + sums)
