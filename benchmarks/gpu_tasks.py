"""What `gpu_suite.py` runs: kernels, their data, how they are launched, what they should give.

Six kernels are those of `cuda_kernels.py`; here are the others. Each is written as one would in
CUDA C, for a grid that covers the array.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cuda_kernels
import ml_dtypes
import numpy as np
from cuda_kernels import BLOCK, WARPS

import stepwell as sw

BINS = 256
SCANNED = 4 * BLOCK  # elements of a row that a block scans at once
Array = np.ndarray[Any, Any]


def layernorm(x, out):
    """Of each row: mean 0, variance 1; a block for each row."""
    partial = sw.shared(WARPS, sw.f32)
    t, row, columns = sw.thread_id(0), sw.block_id(0), x.shape[1]
    total = np.float32(0)
    for j in range(t, columns, BLOCK):
        total += x[row, j]
    total = sw.subgroup_reduce_add(total)
    if sw.lane_id() == 0:
        partial[t // 32] = total
    sw.barrier()
    mean = np.float32(0)
    for k in range(WARPS):
        mean += partial[k]
    mean = mean / np.float32(columns)
    sw.barrier()
    squares = np.float32(0)
    for j in range(t, columns, BLOCK):
        d = x[row, j] - mean
        squares += d * d
    squares = sw.subgroup_reduce_add(squares)
    if sw.lane_id() == 0:
        partial[t // 32] = squares
    sw.barrier()
    variance = np.float32(0)
    for k in range(WARPS):
        variance += partial[k]
    scale = 1 / math.sqrt(variance / np.float32(columns) + np.float32(1e-5))
    for j in range(t, columns, BLOCK):
        out[row, j] = (x[row, j] - mean) * scale


def stencil(x, out):
    """The mean of five points; 0 on the border."""
    i, j = sw.global_id(1), sw.global_id(0)
    if i < x.shape[0] and j < x.shape[1]:
        value = np.float32(0)
        if i > 0 and i + 1 < x.shape[0] and j > 0 and j + 1 < x.shape[1]:
            value = x[i, j] + x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
        out[i, j] = value * np.float32(0.2)


def histogram(x, out):
    """Of bytes: counted in shared memory, added up at the end."""
    counts = sw.shared(BINS, sw.i32)
    counts[sw.thread_id(0)] = 0
    sw.barrier()
    for i in range(sw.global_id(0), x.shape[0], sw.global_size(0)):
        sw.atomic_add(counts, sw.i32(x[i]), 1)
    sw.barrier()
    sw.atomic_add(out, sw.thread_id(0), counts[sw.thread_id(0)])


def scan(x, out):
    """Running sums of each row; a block for each row, four elements for each thread at a time."""
    partial = sw.shared(WARPS, sw.f32)
    t, row, columns = sw.thread_id(0), sw.block_id(0), x.shape[1]
    before = np.float32(0)
    for start in range(0, columns, SCANNED):
        at = start + 4 * t
        a, b, c, d = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        if at + 3 < columns:
            a, b, c, d = x[row, at], x[row, at + 1], x[row, at + 2], x[row, at + 3]
        mine = a + b + c + d
        within = sw.subgroup_inclusive_add(mine)
        if sw.lane_id() == 31:
            partial[t // 32] = within
        sw.barrier()
        base, total = before, before
        for k in range(WARPS):
            if k < t // 32:
                base += partial[k]
            total += partial[k]
        sw.barrier()
        base += within - mine
        if at + 3 < columns:
            out[row, at] = base + a
            out[row, at + 1] = base + a + b
            out[row, at + 2] = base + a + b + c
            out[row, at + 3] = base + mine
        before = total


@dataclass(frozen=True)
class Case:
    """Arguments of a kernel (the last array is written), its launch, what it should give."""

    arguments: list[Any]
    grid: tuple[int, ...]
    block: tuple[int, ...]
    expected: Array
    bytes_moved: int = 0
    operations: int = 0


@dataclass(frozen=True)
class Task:
    """A kernel, data for arrays of side `n`, the side to measure, the error that is allowed.

    `target` is the share of a copy on the device that is wanted, or of cuBLAS for products.
    """

    name: str
    kernel: Callable[..., None]
    make: Callable[[int, Any], Case]
    side: int
    target: float = 0.0
    tolerance: float = 1e-4
    block: int | None = None
    starts_at: float = math.nan

    def compiled(self, *, checks: bool) -> sw.Kernel:
        """A new kernel, of which nothing is known yet."""
        return sw.kernel(checks=checks, block=self.block)(self.kernel)


def _saxpy(n: int, rng: Any) -> Case:
    x, y = (rng.random(n * n, np.float32) for _ in range(2))
    a = np.float32(2)
    return Case([a, x, y], (-(-n * n // BLOCK),), (BLOCK,), a * x + y, 12 * n * n)


def _transpose(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    return Case([x, np.zeros_like(x)], (n // 32, n // 32), (32, 8), x.T.copy(), 8 * n * n)


def _reduction(n: int, rng: Any) -> Case:
    x, blocks = rng.random(n * n, np.float32), min(1024, -(-n * n // BLOCK))
    whole = np.array([x.sum(dtype=np.float64)], np.float32)
    return Case([x, np.zeros(1, np.float32)], (blocks,), (BLOCK,), whole, 4 * n * n)


def _softmax(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    powers = np.exp(x - x.max(1, keepdims=True))
    expected = powers / powers.sum(1, keepdims=True)
    return Case([x, np.zeros_like(x)], (n,), (BLOCK,), expected, 8 * n * n)


def _layernorm(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    wide = x.astype(np.float64)
    centred = wide - wide.mean(1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)
    return Case([x, np.zeros_like(x)], (n,), (BLOCK,), expected.astype(np.float32), 8 * n * n)


def _stencil(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    expected = np.zeros_like(x)
    inner = x[1:-1, 1:-1] + x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    expected[1:-1, 1:-1] = inner * np.float32(0.2)
    return Case([x, np.zeros_like(x)], (-(-n // 64), -(-n // 4)), (64, 4), expected, 8 * n * n)


def _histogram(n: int, rng: Any) -> Case:
    x = rng.integers(0, BINS, n * n, np.uint8)
    counts = np.bincount(x, minlength=BINS).astype(np.int32)
    blocks = min(1024, -(-n * n // BLOCK))
    return Case([x, np.zeros(BINS, np.int32)], (blocks,), (BINS,), counts, n * n)


def _scan(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    expected = x.cumsum(1, dtype=np.float64).astype(np.float32)
    return Case([x, np.zeros_like(x)], (n,), (BLOCK,), expected, 8 * n * n)


def _matmul(n: int, rng: Any) -> Case:
    a, b = (rng.random((n, n), np.float32) for _ in range(2))
    return Case([a, b, np.zeros_like(a)], (n // 16, n // 16), (16, 16), a @ b, operations=2 * n**3)


def _mma_matmul(n: int, rng: Any) -> Case:
    a, b = (rng.random((n, n), np.float32).astype(ml_dtypes.bfloat16) for _ in range(2))
    c, expected = np.zeros((n, n), np.float32), a.astype(np.float32) @ b.astype(np.float32)
    return Case([a, b, c], (n // 128, n // 128), (BLOCK,), expected, operations=2 * n**3)


TASKS = (
    Task("saxpy", cuda_kernels.saxpy, _saxpy, 8192, 0.9),
    Task("transpose", cuda_kernels.transpose, _transpose, 8192, 0.9),
    Task("reduction", cuda_kernels.reduction, _reduction, 8192, 0.9, starts_at=0.0),
    Task("softmax", cuda_kernels.softmax, _softmax, 8192, 0.9),
    Task("layernorm", layernorm, _layernorm, 8192, 0.9, 1e-3),
    Task("stencil", stencil, _stencil, 8192, 0.9),
    Task("histogram", histogram, _histogram, 16384, starts_at=0.0),
    Task("scan", scan, _scan, 8192),
    Task("matmul", cuda_kernels.matmul, _matmul, 4096, 0.7),
    Task("mma_matmul", cuda_kernels.mma_matmul.function, _mma_matmul, 4096, 0.5, block=BLOCK),
)
SMALL_SIDE = 128
