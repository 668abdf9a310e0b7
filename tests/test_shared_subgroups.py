"""Subgroup operations through shared memory: as Python does them, whatever way threads go."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
import pytest
from conformance.compare import DTYPES, check, copies
from conformance.reference import run
from oracles.shader_device import ShaderDevice, register, unregister
from vulkan_devices import open_device

import stepwell as sw
from stepwell.runtime.vulkan.device import VulkanDevice
from stepwell.targets import find_target

BLOCK = 40  # no multiple of 16: the last subgroup is partial
NONE = ",".join(
    f"subgroup_{name}"
    for name in ("basic", "vote", "arithmetic", "ballot", "shuffle", "shuffle_relative")
)


@pytest.fixture(autouse=True)
def no_disk_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_CACHE", "0")


@pytest.fixture(params=[1, 4, 16], ids=["1 lane", "4 lanes", "16 lanes"])
def lanes(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def device(lanes: int) -> Generator[ShaderDevice]:
    """A device without subgroup operations, with subgroups of so many lanes."""
    yield register(f"sg{lanes}+int64")
    unregister()


def compare(kernel: Callable[..., None], device: sw.Device, lanes: int, dtype: str = "i32") -> None:
    """Two blocks on small random numbers."""
    x = np.random.default_rng(7).integers(0, 5, 2 * BLOCK).astype(DTYPES[dtype])
    outs = np.zeros_like(x), np.zeros((2 * BLOCK, 3), x.dtype)
    check(
        kernel, x, *outs,
        device=device, grid=2, block=BLOCK, cooperative=True, subgroup_size=lanes,
    )  # fmt: skip


def test_branches_in_branches(device: sw.Device, lanes: int):
    def kernel(x, y, z):
        i = sw.global_id(0)
        if x[i] > 1:
            y[i] = sw.subgroup_reduce_add(x[i])
            if x[i] > 2:
                z[i, 0] = sw.subgroup_exclusive_add(x[i])
            else:
                z[i, 1] = sw.subgroup_inclusive_add(x[i] + 1)
            z[i, 2] = sw.subgroup_reduce_max(z[i, 0])
        else:
            y[i] = 7 - sw.subgroup_reduce_min(x[i])

    compare(kernel, device, lanes)


@pytest.mark.parametrize("dtype", ["i8", "u16", "i64", "f16", "f32"])
def test_values_of_all_sizes_under_a_mask(device: sw.Device, lanes: int, dtype: str):
    def kernel(x, y, z):
        i = sw.global_id(0)
        if x[i] > 1:
            y[i] = sw.subgroup_reduce_add(x[i]) + sw.subgroup_reduce_mul(x[i])
            z[i, 0] = sw.subgroup_reduce_max(x[i])
            z[i, 1] = sw.subgroup_reduce_min(x[i])
            z[i, 2] = sw.subgroup_exclusive_add(x[i])

    if dtype != "i8" or lanes < 16:  # 4**16 is more than fits, and wraps elsewhere
        compare(kernel, device, lanes, dtype)


def test_loops_that_threads_leave_one_by_one(device: sw.Device, lanes: int):
    def kernel(x, y, z):
        i = sw.global_id(0)
        left = x[i]
        while left > 0:
            y[i] += sw.subgroup_reduce_add(left)
            left -= 1
        z[i, 2] += 100 * sw.subgroup_reduce_max(left + x[i])

    compare(kernel, device, lanes)


def test_loops_in_loops_as_the_cpu_runs_them():
    def kernel(x, y, z):
        i = sw.global_id(0)
        left = x[i]
        while True:
            y[i] += sw.subgroup_reduce_add(left)
            if left == 0:
                break
            left -= 1
            if left == 2:
                continue
            for k in range(left):
                z[i, k % 3] += sw.subgroup_inclusive_add(k + 1)
        z[i, 2] += 100 * sw.subgroup_reduce_max(left + x[i])

    x = np.random.default_rng(7).integers(0, 5, 2 * BLOCK).astype(np.int32)
    results = []
    for device in (sw.device("cpu"), register(f"sg{find_target('cpu').subgroup_size()}")):
        y, z = np.zeros_like(x), np.zeros((x.size, 3), np.int32)
        sw.kernel(kernel).launch(2, BLOCK, device=device)(x, y, z)
        results.append((y, z))
    unregister()
    for expected, got in zip(*results, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_loop_of_the_same_length_for_all_in_a_branch(device: sw.Device, lanes: int):
    def kernel(x, y, z):
        i = sw.global_id(0)
        if x[i] > 1:
            half = sw.block_dim(0) // 8
            while half > 0:
                y[i] += sw.subgroup_reduce_add(x[i] + half)
                half //= 2
            for k in range(sw.block_dim(0) // 20):
                if x[i] != 3:
                    z[i, k] = sw.subgroup_reduce_add(k + 1)

    compare(kernel, device, lanes)


def test_the_length_of_a_loop_is_what_the_threads_of_a_branch_computed(
    device: sw.Device, lanes: int
):
    def kernel(x, y, z):
        i = sw.global_id(0)
        if x[i] > 1:
            rounds = 0
            for k in range(sw.block_dim(0) // 20):
                for _ in range(rounds):
                    y[i] += sw.subgroup_reduce_add(x[i])
                for j in range(k + 2):
                    rounds += j

    compare(kernel, device, lanes)


def test_a_loop_that_nobody_enters_ends(device: sw.Device, lanes: int):
    def kernel(x, y, z):
        i = sw.global_id(0)
        if x[i] > 9:
            left = sw.block_dim(0) + 1
            while left != 0:  # 41 would never become 0
                y[i] += sw.subgroup_reduce_add(1)
                left -= 2

    compare(kernel, device, lanes)


def test_arms_of_a_match(device: sw.Device, lanes: int):
    def kernel(x, y, z):
        i = sw.global_id(0)
        match x[i]:
            case 0:
                y[i] = sw.subgroup_reduce_add(1)
            case 1 | 2:
                y[i] = sw.subgroup_reduce_add(x[i])
                z[i, 0] = 1
            case _:
                z[i, 1] = sw.subgroup_inclusive_add(x[i])

    compare(kernel, device, lanes)


def test_ballots_of_the_threads_that_are_there(device: sw.Device, lanes: int):
    def kernel(x, y, z):
        i = sw.global_id(0)
        if x[i] != 2:
            votes = sw.ballot(x[i] > 2)
            y[i] = sw.i32(votes & 0xFFFF)
            if sw.any(x[i] == 1):
                z[i, 0] = 1
            if sw.all(x[i] > 0):
                z[i, 1] = 1

    compare(kernel, device, lanes)


def test_shuffles_from_threads_that_are_not_there_give_ones_own(device: sw.Device, lanes: int):
    def kernel(x, y, z):
        i = sw.global_id(0)
        if x[i] > 1:
            y[i] = sw.shuffle_xor(x[i], 1)
            z[i, 0] = sw.shuffle_down(x[i], 2)

    x = np.random.default_rng(9).integers(0, 5, BLOCK).astype(np.int32)
    y, z = np.zeros_like(x), np.zeros((BLOCK, 3), np.int32)
    sw.kernel(kernel).launch(1, BLOCK, device=device)(x, y, z)

    def source(t, other):
        there = other // lanes == t // lanes and other < BLOCK and x[other] > 1
        return x[other] if there else x[t]

    active = np.flatnonzero(x > 1)
    lane = active % lanes
    np.testing.assert_array_equal(
        y[active],
        [source(t, t - n + (n ^ 1)) for t, n in zip(active, lane, strict=True)],
    )
    np.testing.assert_array_equal(z[active, 0], [source(t, t + 2) for t in active])


def test_threads_without_an_item_do_not_take_part(device: sw.Device, lanes: int):
    @sw.kernel
    def kernel(x, y):
        i = sw.global_id(0)
        y[i] = sw.subgroup_reduce_add(x[i])

    x = np.arange(300, dtype=np.int32)
    y = np.zeros_like(x)
    kernel.over(300, device=device)(x, y)
    groups = [x[k : k + lanes].sum() for k in range(0, 300, lanes)]
    np.testing.assert_array_equal(y, np.repeat(groups, lanes)[:300])


# --- on Vulkan devices ----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["lavapipe", "swiftshader"])
def bare(request: pytest.FixtureRequest) -> Generator[VulkanDevice]:
    """A Vulkan device of which no subgroup operation is used."""
    with open_device(request.param, STEPWELL_VULKAN_WITHOUT=NONE) as found:
        yield found


def sums(x, y, z):
    i = sw.global_id(0)
    y[i] = sw.subgroup_reduce_add(x[i])
    if x[i] > 1:
        z[i, 0] = sw.subgroup_exclusive_add(x[i])
        z[i, 1] = sw.shuffle(x[i], sw.lane_id())
    for k in range(x[i]):
        z[i, 2] += sw.subgroup_reduce_max(x[i] + k)


def test_a_vulkan_device_without_subgroup_operations_does_them(bare: VulkanDevice):
    assert "subgroups" in bare.features
    (size,) = bare.limits.subgroup_sizes
    x = np.random.default_rng(3).integers(0, 5, (2 * BLOCK)).astype(np.int32)
    given = [x, np.zeros_like(x), np.zeros((2 * BLOCK, 3), np.int32)]
    expected = copies(tuple(given))
    run(sums, expected, grid=2, block=BLOCK, cooperative=True, subgroup_size=size)
    sw.kernel(sums).launch(2, BLOCK, device=bare)(*given)
    for got, wanted in zip(given, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_what_it_costs_is_said(bare: VulkanDevice):
    arrays = np.zeros(4, np.int32), np.zeros(4, np.int32), np.zeros((4, 3), np.int32)
    text = sw.kernel(sums).explain(*arrays, device=bare)
    # A word for each thread, whether it is there, and whether a thread goes on in the loop.
    assert f"shared memory: {2 * 4096 + 4} bytes" in text
    assert "gpu.subgroup_reduce goes through shared memory, with two barriers" in text
    assert "goes on until the last thread of the block leaves it" in text


@pytest.mark.parametrize(("block", "nbytes"), [(None, 4096), (40, 160)])
def test_a_launch_knows_what_a_block_takes(bare: VulkanDevice, block: int | None, nbytes: int):
    @sw.kernel(block=block)
    def kernel(x):
        x[0] = sw.subgroup_reduce_add(x[0])

    manifest = kernel.compile([sw.Array[sw.i32, 1]], target=bare.target).manifest
    assert manifest.static_shared_bytes == nbytes
    assert manifest.most_threads == (0 if block else 1024)
    assert not manifest.uses_subgroups


def test_a_check_that_fails_before_a_barrier_is_raised(bare: VulkanDevice):
    @sw.kernel
    def kernel(x, y):
        i = sw.global_id(0)
        for _ in range(x[i]):
            y[i] += sw.subgroup_reduce_add(x[i + 1])

    x = np.arange(BLOCK, dtype=np.int32)
    with pytest.raises(sw.OutOfBounds, match="index 40 is out of bounds"):
        kernel.launch(1, BLOCK, device=bare)(x, np.zeros_like(x))
