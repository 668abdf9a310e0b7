"""The kernels of the Vulkan figures as stepwell takes them; `glsl/` and `wgsl/` have them too.

The same algorithm in each language: one thread an element, tiles in shared memory, a tree for the
sum, atomics for the histogram. The shaders in GLSL take the parameter block of stepwell's kernels
(see `lowering/gpu_to_spirv/parameters.py`), so that one runtime launches both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import stepwell as sw

BLOCK = 256
TILE = 16
BINS = 256


def saxpy(a, x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


def reduction(x, out):
    part = sw.shared(BLOCK, sw.f32)
    t = sw.thread_id(0)
    mine = np.float32(0)
    for i in range(sw.global_id(0), x.shape[0], sw.global_size(0)):
        mine += x[i]
    part[t] = mine
    sw.barrier()
    width = BLOCK // 2
    while width > 0:
        if t < width:
            part[t] += part[t + width]
        sw.barrier()
        width //= 2
    if t == 0:
        out[sw.block_id(0)] = part[0]


def transpose(x, out):
    tile = sw.shared((TILE, TILE + 1), sw.f32)
    tx, ty = sw.thread_id(0), sw.thread_id(1)
    column, row = sw.block_id(0) * TILE + tx, sw.block_id(1) * TILE + ty
    if row < x.shape[0] and column < x.shape[1]:
        tile[ty, tx] = x[row, column]
    sw.barrier()
    column, row = sw.block_id(1) * TILE + tx, sw.block_id(0) * TILE + ty
    if row < out.shape[0] and column < out.shape[1]:
        out[row, column] = tile[tx, ty]


def stencil(x, out):
    j, i = sw.global_id(0), sw.global_id(1)
    if i >= 1 and j >= 1 and i < x.shape[0] - 1 and j < x.shape[1] - 1:
        around = x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
        out[i, j] = np.float32(0.5) * x[i, j] + np.float32(0.125) * around


def matmul(a, b, c):
    left = sw.shared((TILE, TILE), sw.f32)
    right = sw.shared((TILE, TILE), sw.f32)
    tx, ty = sw.thread_id(0), sw.thread_id(1)
    column, row = sw.global_id(0), sw.global_id(1)
    total = np.float32(0)
    for start in range(0, a.shape[1], TILE):
        left[ty, tx] = a[row, start + tx]
        right[ty, tx] = b[start + ty, column]
        sw.barrier()
        for k in range(TILE):
            total += left[ty, k] * right[k, tx]
        sw.barrier()
    c[row, column] = total


def histogram(x, bins):
    i = sw.global_id(0)
    if i < x.shape[0]:
        sw.atomic_add(bins, x[i] & (BINS - 1), 1)


@dataclass(frozen=True)
class Task:
    """A kernel with its arguments, how it is launched, and what it must give."""

    function: Callable[..., None]
    grid: tuple[int, ...]
    block: tuple[int, ...]
    arguments: tuple[Any, ...]
    result: int  # the argument to look at
    expected: Any  # of one launch, from fresh arguments
    tolerance: float = 1e-5

    @property
    def name(self) -> str:
        """Of the kernel and its shaders."""
        return self.function.__name__


def tasks(small: bool) -> list[Task]:
    """All of them; `small` is for trying the script out."""
    random = np.random.default_rng(1)
    n, side, product = (1 << 16, 128, 64) if small else (1 << 23, 2048, 256)
    x, y = (random.standard_normal(n, np.float32) for _ in range(2))
    picture = random.standard_normal((side, side), np.float32)
    a, b = (random.standard_normal((product, product), np.float32) for _ in range(2))
    words = random.integers(0, 1 << 30, n, np.int32)
    blocks, tiles = n // BLOCK, side // TILE
    around = picture[:-2, 1:-1] + picture[2:, 1:-1] + picture[1:-1, :-2] + picture[1:-1, 2:]
    smooth = np.zeros_like(picture)
    smooth[1:-1, 1:-1] = np.float32(0.5) * picture[1:-1, 1:-1] + np.float32(0.125) * around
    some = 256
    strided = x.reshape(-1, some * BLOCK).sum(axis=0, dtype=np.float64).reshape(some, BLOCK).sum(1)
    empty = np.zeros_like
    counts = np.bincount(words & (BINS - 1), minlength=BINS)
    square = (product // TILE, product // TILE)
    return [
        Task(saxpy, (blocks,), (BLOCK,), (np.float32(2), x, y), 2, 2 * x + y),
        Task(reduction, (some,), (BLOCK,), (x, np.zeros(some, np.float32)), 1, strided, 1e-3),
        Task(transpose, (tiles, tiles), (TILE, TILE), (picture, empty(picture)), 1, picture.T),
        Task(stencil, (tiles, tiles), (TILE, TILE), (picture, empty(picture)), 1, smooth),
        Task(matmul, square, (TILE, TILE), (a, b, empty(a)), 2, a @ b, 1e-3),
        Task(histogram, (blocks,), (BLOCK,), (words, np.zeros(BINS, np.int32)), 1, counts),
    ]
