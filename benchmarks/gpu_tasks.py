"""What `gpu_suite.py` runs: kernels, their data, how they are launched, what they should give.

Most are those of `gpu_tuned_kernels.py`, which are written for speed; those here are fast as one
writes them first. Peers have the kernels of `cuda_kernels.py` in their own languages, or their own.
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cuda_kernels
import gpu_tuned_kernels as fast
import ml_dtypes
import numpy as np
from cuda_kernels import BLOCK, WARPS

import stepwell as sw

BINS = 256
SCANNED = 4 * BLOCK  # elements of a row that a block scans at once
Array = np.ndarray[Any, Any]


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
    """Arguments of a kernel (the last array is written), its launch, what it should give.

    `plain` is the grid and block of the same in CUDA C, by one thread for each element or by its
    own tiles, which the peers take.
    """

    arguments: list[Any]
    grid: tuple[int, ...]
    block: tuple[int, ...]
    expected: Array
    bytes_moved: int = 0
    operations: int = 0
    plain: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    shared_bytes: int = 0


@dataclass(frozen=True)
class Task:
    """A kernel, data for arrays of side `n`, the side to measure, the error that is allowed.

    `share` is what is wanted of a copy on the device, or of cuBLAS where nothing is said to be
    moved; `arguments` makes the kernel's of the arrays on the device.
    """

    name: str
    kernel: Callable[..., None]
    make: Callable[[int, Any], Case]
    side: int
    share: float = 0.0
    tolerance: float = 1e-4
    block: int | tuple[int, ...] | None = None
    starts_at: float = math.nan
    fastmath: str | bool = False
    needs: str = ""
    arguments: Callable[[list[Any]], list[Any]] = list

    def compiled(self, *, checks: bool) -> sw.Kernel:
        """A new kernel, of which nothing is known yet."""
        return sw.kernel(checks=checks, block=self.block, fastmath=self.fastmath)(self.kernel)


def _over(n: int, width: int) -> int:
    return -(-n // width)


def _saxpy(n: int, rng: Any) -> Case:
    x, y = (rng.random(n * n, np.float32) for _ in range(2))
    a, count = np.float32(2), n * n
    plain = (_over(count, BLOCK),), (BLOCK,)
    grid = (_over(count, BLOCK * fast.WIDE),)
    return Case([a, x, y], grid, (BLOCK,), a * x + y, 12 * count, plain=plain)


def _transpose(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    side, plain = n // fast.SQUARE, ((n // 32, n // 32), (32, 8))
    given, shape = [x, np.zeros_like(x)], ((side, side), fast.SQUARE_BLOCK)
    return Case(given, *shape, x.T.copy(), 8 * n * n, plain=plain)


def _reduction(n: int, rng: Any) -> Case:
    x, blocks = rng.random(n * n, np.float32), min(1024, _over(n * n, BLOCK))
    whole = np.array([x.sum(dtype=np.float64)], np.float32)
    shape = (blocks,), (BLOCK,)
    return Case([x, np.zeros(1, np.float32)], *shape, whole, 4 * n * n, plain=shape)


def _softmax(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    powers = np.exp(x - x.max(1, keepdims=True))
    expected = powers / powers.sum(1, keepdims=True)
    plain = (n,), (BLOCK,)
    given = [x, np.zeros_like(x)]
    return Case(given, (n,), (fast.ROW_BLOCK,), expected, 8 * n * n, plain=plain)


def _layernorm(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    wide = x.astype(np.float64)
    centred = wide - wide.mean(1, keepdims=True)
    expected = (centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)).astype(np.float32)
    return Case([x, np.zeros_like(x)], (n,), (fast.ROW_BLOCK,), expected, 8 * n * n)


def _stencil(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    expected = np.zeros_like(x)
    inner = x[1:-1, 1:-1] + x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    expected[1:-1, 1:-1] = inner * np.float32(0.2)
    plain = (_over(n, 64), _over(n, 4)), (64, 4)
    width, height = fast.STENCIL_BLOCK
    grid = _over(n, fast.WIDE * width), _over(n, fast.STENCIL_ROWS * height)
    given = [x, np.zeros_like(x)]
    return Case(given, grid, fast.STENCIL_BLOCK, expected, 8 * n * n, plain=plain)


def _histogram(n: int, rng: Any) -> Case:
    x = rng.integers(0, BINS, n * n, np.uint8)
    counts = np.bincount(x, minlength=BINS).astype(np.int32)
    shape = (min(1024, _over(n * n, BLOCK)),), (BINS,)
    return Case([x, np.zeros(BINS, np.int32)], *shape, counts, n * n, plain=shape)


def _scan(n: int, rng: Any) -> Case:
    x = rng.random((n, n), np.float32)
    expected = x.cumsum(1, dtype=np.float64).astype(np.float32)
    return Case([x, np.zeros_like(x)], (n,), (BLOCK,), expected, 8 * n * n)


def _matmul(n: int, rng: Any) -> Case:
    a, b = (rng.random((n, n), np.float32) for _ in range(2))
    grid, plain = (n // fast.TILE, n // fast.TILE), ((n // 16, n // 16), (16, 16))
    given = [a, b, np.zeros_like(a)]
    return Case(given, grid, (BLOCK,), a @ b, operations=2 * n**3, plain=plain)


def _halves(
    grid: Callable[[int], tuple[int, ...]], block: int, shared_bytes: int
) -> Callable[[int, Any], Case]:
    """A product of bf16."""

    def make(n: int, rng: Any) -> Case:
        a, b = (rng.random((n, n), np.float32).astype(ml_dtypes.bfloat16) for _ in range(2))
        c, expected = np.zeros((n, n), np.float32), a.astype(np.float32) @ b.astype(np.float32)
        return Case(
            *([a, b, c], grid(n), (block,), expected, 0, 2 * n**3),
            plain=((n // 128, n // 128), (BLOCK,)),
            shared_bytes=shared_bytes,
        )

    return make


_HOPPER = runpy.run_path(str(cuda_kernels.EXAMPLE.parent / "hopper_matmul.py"))


def _of_tiles(given: list[Any]) -> list[Any]:
    """The arguments of `hopper_matmul`."""
    a, b, c = given
    return [
        a.tensor_map(_HOPPER["BOX_A"], _HOPPER["SWIZZLE"]),
        b.tensor_map(_HOPPER["BOX_B"], _HOPPER["SWIZZLE"]),
        c,
        a.shape[1] // _HOPPER["DEPTH"],
    ]


_mma = _halves(
    lambda n: (n // fast.MMA_COLUMNS, n // fast.MMA_ROWS), fast.MMA_THREADS, fast.MMA_SHARED
)
_wgmma = _halves(
    lambda n: (n // _HOPPER["COLUMNS"], n // _HOPPER["TILE"]),
    _HOPPER["THREADS"],
    _HOPPER["SHARED_BYTES"],
)
TASKS = (
    Task("saxpy", fast.saxpy, _saxpy, 8192, 0.9),
    Task("transpose", fast.transpose, _transpose, 8192, 0.9, block=fast.SQUARE_BLOCK),
    Task("reduction", fast.reduction, _reduction, 8192, 0.9, starts_at=0.0),
    Task(
        *("softmax", fast.softmax, _softmax, 8192, 0.9), block=fast.ROW_BLOCK, fastmath="contract"
    ),
    Task(
        *("layernorm", fast.layernorm, _layernorm, 8192, 0.9, 1e-3),
        block=fast.ROW_BLOCK,
        fastmath="contract",
    ),
    Task("stencil", fast.stencil, _stencil, 8192, 0.9, block=fast.STENCIL_BLOCK),
    Task("histogram", histogram, _histogram, 16384, starts_at=0.0),
    Task("scan", scan, _scan, 8192),
    Task("matmul", fast.matmul, _matmul, 4096, 0.7, block=BLOCK, fastmath="contract"),
    Task("mma_matmul", fast.mma_matmul, _mma, 4096, 0.5, block=fast.MMA_THREADS),
    Task(
        *("wgmma_matmul", _HOPPER["hopper_matmul"].function, _wgmma, 4096, 0.5),
        block=_HOPPER["THREADS"],
        needs="cuda:sm_90a",
        arguments=_of_tiles,
    ),
)
SMALL_SIDE = 256
