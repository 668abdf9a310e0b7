"""Units of launches on the CPU: every thread in one of them, and nothing of them is seen."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import stepwell as sw
from stepwell.runtime.artifact import Manifest
from stepwell.runtime.cpu_units import units_of


def manifest(over: int | None, **facts: Any) -> Manifest:
    return Manifest("k", "cpu", "k", over=over, **{"any_block": True, **facts})


SHAPES = [
    ((1, 1, 1), (7, 1, 1)),
    ((64, 1, 1), (1024, 1, 1)),
    ((65537, 1, 1), (32, 1, 1)),
    ((256, 64, 1), (2, 8, 1)),
    ((1, 1, 300), (3, 5, 7)),
    ((1000, 3, 1), (64, 4, 2)),
]


@pytest.mark.parametrize("threads", [1, 2, 64])
@pytest.mark.parametrize(("grid", "block"), SHAPES)
def test_units_hold_exactly_the_threads(grid: Any, block: Any, threads: int) -> None:
    sizes = [blocks * size for blocks, size in zip(grid, block, strict=True)]
    plain = units_of(manifest(None), grid, block, threads)
    assert [a * b for a, b in zip(*plain, strict=True)] == sizes
    over = units_of(manifest(1), grid, block, threads)
    for size, blocks, unit in zip(sizes, *over, strict=True):
        assert (blocks - 1) * unit < size <= blocks * unit


@pytest.mark.parametrize(("items", "threads", "unit"), [(200, 2, 200), (1 << 16, 2, 4096)])
def test_a_line_is_cut_into_whole_vectors(items: int, threads: int, unit: int) -> None:
    blocks = -(-items // 1000)
    grid, block = units_of(manifest(1), (blocks, 1, 1), (min(items, 1000), 1, 1), threads)
    assert (block, grid[0]) == ((unit, 1, 1), math.ceil(blocks * min(items, 1000) / unit))


def test_blocks_keep_their_rank() -> None:
    shape = (4, 60, 3), (16, 1, 1)
    assert units_of(manifest(None, block_rank=1), *shape, 2)[1] == (64, 1, 1)
    assert units_of(manifest(None, block_rank=2), *shape, 2)[1][2] == 1


@pytest.mark.parametrize("block", [(16,), (8, 2), (4, 1, 2)])
def test_grids_have_more_axes_than_their_blocks(block: tuple[int, ...]) -> None:
    @sw.kernel
    def mark(x):
        i, j, k = sw.global_id(0), sw.global_id(1), sw.global_id(2)
        x[i, j, k] += i + 100 * j + 10000 * k

    grid = 2, 3, 4
    sizes = tuple(a * b for a, b in zip(grid, (*block, 1, 1), strict=False))
    x = np.zeros(sizes, np.int32)
    mark.launch(grid, block, device="cpu")(x)
    i, j, k = np.indices(sizes)
    assert (x == i + 100 * j + 10000 * k).all()


def test_many_threads_of_the_machine_get_smaller_units() -> None:
    shape = (64, 1, 1), (1024, 1, 1)
    assert units_of(manifest(1), *shape, 64)[1] == (256, 1, 1)
    assert units_of(manifest(1), *shape, 16)[1] == (512, 1, 1)


def test_what_goes_past_the_caches_goes_in_longer_pieces() -> None:
    shape = (1 << 20, 1, 1), (64, 1, 1)
    assert units_of(manifest(1), *shape, 2)[1] == (4096, 1, 1)
    assert units_of(manifest(1, streams=True), *shape, 2)[1] == (65536, 1, 1)
    rows = (32, 512, 1), (64, 4, 1)
    assert units_of(manifest(2, streams=True), *rows, 2)[1] == (2048, 32, 1)


def test_kernels_that_see_their_block_keep_it() -> None:
    shape = (64, 1, 1), (32, 1, 1)
    assert units_of(manifest(1, any_block=False), *shape, 2) == shape
    assert units_of(manifest(None, known_block=(32, 1, 1)), *shape, 2) == shape


@sw.kernel
def global_only(x):
    x[sw.global_id(0)] += 1


@sw.kernel
def by_thread(x):
    x[sw.global_id(0)] += sw.thread_id(0)


@sw.kernel
def by_block(x):
    x[sw.global_id(0)] += sw.block_id(0)


@sw.kernel
def by_size(x):
    x[sw.global_id(0)] += sw.block_dim(0)


@sw.kernel
def by_barrier(x):
    sw.barrier()
    x[sw.global_id(0)] += 1


@sw.kernel
def by_lane(x):
    x[sw.global_id(0)] += sw.lane_id()


@pytest.mark.parametrize(
    ("kernel", "any_block"),
    [
        (global_only, True),
        *((kernel, False) for kernel in (by_thread, by_block, by_size, by_barrier, by_lane)),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_a_kernel_asks_for_says_whether_it_sees_its_block(kernel: Any, any_block: bool):
    types = (sw.Array[sw.i32, 1],)
    assert kernel.compile(kernel.parameter_types(types)).manifest.any_block == any_block


@pytest.mark.parametrize("times", [1, 30])
@pytest.mark.parametrize("index", [0, 99, 100, 5321])
def test_a_report_names_the_users_block_and_thread(index: int, times: int) -> None:
    @sw.kernel
    def one_fails(x, bad):
        i = sw.global_id(0)
        if i == bad:
            x[i - 100000] = 1

    x = np.zeros(8000, np.int32)
    with sw.use("cpu"):
        for _ in range(times):
            with pytest.raises(sw.OutOfBounds) as caught:
                one_fails[80, 100](x, index)
    assert caught.value.block == (index // 100, 0, 0)
    assert caught.value.thread == (index % 100, 0, 0)
