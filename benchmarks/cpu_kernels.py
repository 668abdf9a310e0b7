"""stepwell's contenders of `cpu.py`: SIMT kernels, as they would be written for a GPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cpu_block_kernels
import numpy as np
from cpu_common import Array, Prepare, ceil, kernel, zeros
from cpu_tasks import STEPS, A

import stepwell as sw


@kernel()
def saxpy(a, x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


@kernel()
def exp(x, out):
    i = sw.global_id(0)
    if i < out.shape[0]:
        out[i] = math.exp(x[i])


@kernel()
def stencil(x, out):
    i, j = sw.global_id(0), sw.global_id(1)
    if 0 < i < x.shape[0] - 1 and 0 < j < x.shape[1] - 1:
        around = x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
        out[i, j] = 0.5 * x[i, j] + 0.125 * around


ROW_THREADS = 64


@kernel(fastmath="reassoc", block=ROW_THREADS)
def softmax(x, out):
    """A block for each row."""
    row, t = sw.block_id(0), sw.thread_id(0)
    parts = sw.shared((ROW_THREADS,), sw.f32)
    most = -math.inf
    for j in range(t, x.shape[1], ROW_THREADS):
        most = max(most, x[row, j])
    parts[t] = most
    sw.barrier()
    for k in range(ROW_THREADS):
        most = max(most, parts[k])
    sw.barrier()
    total = 0.0
    for j in range(t, x.shape[1], ROW_THREADS):
        power = math.exp(x[row, j] - most)
        out[row, j] = power
        total += power
    parts[t] = total
    sw.barrier()
    total = 0.0
    for k in range(ROW_THREADS):
        total += parts[k]
    scale = 1.0 / total
    for j in range(t, x.shape[1], ROW_THREADS):
        out[row, j] *= scale


@kernel(fastmath="reassoc", block=ROW_THREADS)
def layernorm(x, out):
    """A block for each row."""
    row, t = sw.block_id(0), sw.thread_id(0)
    sums = sw.shared((ROW_THREADS,), sw.f32)
    squares = sw.shared((ROW_THREADS,), sw.f32)
    total, square = 0.0, 0.0
    for j in range(t, x.shape[1], ROW_THREADS):
        value = x[row, j]
        total += value
        square += value * value
    sums[t] = total
    squares[t] = square
    sw.barrier()
    total, square = 0.0, 0.0
    for k in range(ROW_THREADS):
        total += sums[k]
        square += squares[k]
    mean = total / x.shape[1]
    scale = 1.0 / math.sqrt(square / x.shape[1] - mean * mean + 1e-5)
    for j in range(t, x.shape[1], ROW_THREADS):
        out[row, j] = (x[row, j] - mean) * scale


TILE_ROWS = 512


@kernel(block=(16, 16))
def transpose(x, out):
    """A tile of so many rows and 16 columns for each block: long pieces of rows are written."""
    tx, ty = sw.thread_id(0), sw.thread_id(1)
    column, row = sw.block_id(0) * 16, sw.block_id(1) * TILE_ROWS
    tile = sw.shared((TILE_ROWS, 17), sw.f32)
    for r in range(0, TILE_ROWS, 16):
        if row + r + ty < x.shape[0] and column + tx < x.shape[1]:
            tile[r + ty, tx] = x[row + r + ty, column + tx]
    sw.barrier()
    for r in range(0, TILE_ROWS, 16):
        if column + ty < out.shape[0] and row + r + tx < out.shape[1]:
            out[column + ty, row + r + tx] = tile[r + tx, ty]


@kernel()
def fractal(out, pixel):
    i, j = sw.global_id(0), sw.global_id(1)
    cx, cy = -2.2 + np.float32(j) * pixel, -1.5 + np.float32(i) * pixel
    x, y = cx, cy
    count = 0
    while count < STEPS and x * x + y * y <= 4.0:
        x, y = x * x - y * y + cx, 2.0 * x * y + cy
        count += 1
    out[i, j] = count


@kernel(fastmath=True)
def nbody(x, out):
    i = sw.global_id(0)
    if i < x.shape[1]:
        px, py, pz = x[0, i], x[1, i], x[2, i]
        ax, ay, az = 0.0, 0.0, 0.0
        for j in range(x.shape[1]):
            dx, dy, dz = x[0, j] - px, x[1, j] - py, x[2, j] - pz
            root = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz + 1e-4)
            weight = x[3, j] * root * root * root
            ax += dx * weight
            ay += dy * weight
            az += dz * weight
        out[0, i] = ax
        out[1, i] = ay
        out[2, i] = az


def normal(x):
    k = 1.0 / (1.0 + 0.2316419 * abs(x))
    sums = 1.330274429
    for c in (-1.821255978, 1.781477937, -0.356563782, 0.319381530):
        sums = sums * k + c
    tail = math.exp(-x * x * 0.5) * 0.3989422804014327 * sums * k
    return tail if x < 0.0 else 1.0 - tail


@kernel(fastmath=True)
def black_scholes(price, strike, years, out):
    i = sw.global_id(0)
    if i < out.shape[0]:
        s, k, t = price[i], strike[i], years[i]
        root = 0.3 * math.sqrt(t)
        d1 = (math.log(s / k) + 0.065 * t) / root
        out[i] = s * normal(d1) - k * math.exp(-0.02 * t) * normal(d1 - root)


ROWS_EACH = 4


def weighted(x, w, i, j):
    """The nine elements around one, each times its weight."""
    total = 0.0
    for di in sw.unroll(range(3)):
        for dj in sw.unroll(range(3)):
            total += w[di, dj] * x[i + di - 1, j + dj - 1]
    return total


@kernel(fastmath="contract")
def convolution(x, w, out):
    """Each thread goes down so many rows of a column: what one loads the next needs, too."""
    first, j = sw.global_id(0) * ROWS_EACH + 1, sw.global_id(1)
    if 0 < j < x.shape[1] - 1:
        if first + ROWS_EACH < x.shape[0]:
            totals = sw.local((ROWS_EACH,), sw.f32)
            for r in sw.unroll(range(ROWS_EACH)):
                totals[r] = weighted(x, w, first + r, j)
            for r in sw.unroll(range(ROWS_EACH)):
                out[first + r, j] = totals[r]
        else:
            for i in range(first, x.shape[0] - 1):
                out[i, j] = weighted(x, w, i, j)


EACH = 4  # results of a thread along each dimension
TILE_COLUMNS, TILE_DEPTH = 16 * EACH, 128
# Of what a thread has: row and column of each sum.
SUMS = tuple((r, 16 * q) for r in range(EACH) for q in range(EACH))


def tiled_matmul(threads: int) -> Any:
    """A kernel with so many threads of a block in a column."""

    @kernel(fastmath="contract", block=(16, threads))
    def matmul(a, b, c):
        """64 columns for each block, 4 x 4 sums for each thread; columns lie 16 apart."""
        tx, ty = sw.thread_id(0), sw.thread_id(1)
        row, column = (sw.block_id(1) * threads + ty) * EACH, sw.block_id(0) * TILE_COLUMNS + tx
        right = sw.shared((TILE_DEPTH, TILE_COLUMNS), sw.f32)
        sums = sw.local((len(SUMS),), sw.f32)
        for n in sw.unroll(range(len(SUMS))):
            sums[n] = 0.0
        for start in range(0, a.shape[1], TILE_DEPTH):
            for r in sw.unroll(range(0, TILE_DEPTH, threads)):
                for q in sw.unroll(range(0, TILE_COLUMNS, 16)):
                    right[ty + r, tx + q] = b[start + ty + r, column + q]
            sw.barrier()
            for k in range(TILE_DEPTH):
                for n, (r, q) in enumerate(SUMS):
                    sums[n] += a[row + r, start + k] * right[k, tx + q]
            sw.barrier()
        for n, (r, q) in enumerate(SUMS):
            c[row + r, column + q] = sums[n]

    return matmul


LOW_BLOCKS, HIGH_BLOCKS = tiled_matmul(32), tiled_matmul(64)
"""More blocks for the threads of the machine, or fewer copies of B."""


TILE, ROWS = 64, 8


@kernel(fastmath="contract", block=(TILE, TILE // ROWS))
def batched_matmul(a, b, c):
    """A block for each product of 64 x 64."""
    tx, ty, z = sw.thread_id(0), sw.thread_id(1), sw.block_id(0)
    sums = sw.local((ROWS,), sw.f32)
    for r in sw.unroll(range(ROWS)):
        sums[r] = 0.0
    for k in range(TILE):
        value = b[z, k, tx]
        for r in sw.unroll(range(ROWS)):
            sums[r] += a[z, ty * ROWS + r, k] * value
    for r in sw.unroll(range(ROWS)):
        c[z, ty * ROWS + r, tx] = sums[r]


def _prepare_saxpy(given: dict[str, Any]) -> tuple[Callable[[], None], Array]:
    x, y = given["x"], given["y"]
    launch = saxpy.over(x.size)
    return lambda: launch(A, x, y), y


def _over(made: Any, *names: str) -> Prepare:
    """A kernel with one thread for each item of its output, which is like its first input."""

    def prepare(given: dict[str, Any]) -> tuple[Callable[[], None], Array]:
        arrays = [given[name] for name in names]
        out = zeros(given, arrays[0].shape)
        launch = made.over(out.shape)
        return lambda: launch(*arrays, out), out

    return prepare


def _by_rows(made: Any) -> Prepare:
    def prepare(given: dict[str, Any]) -> tuple[Callable[[], None], Array]:
        x = given["x"]
        out = zeros(given, x.shape)
        launch = made[x.shape[0], ROW_THREADS]
        return lambda: launch(x, out), out

    return prepare


def _prepare_transpose(given: dict[str, Any]) -> tuple[Callable[[], None], Array]:
    x = given["x"]
    out = zeros(given, x.shape[::-1])
    launch = transpose[(ceil(x.shape[1], 16), ceil(x.shape[0], TILE_ROWS)), (16, 16)]
    return lambda: launch(x, out), out


def _prepare_fractal(given: dict[str, Any]) -> tuple[Callable[[], None], Array]:
    out = zeros(given, (given["size"], given["size"]), np.int32)
    launch = fractal.over(out.shape)
    return lambda: launch(out, given["pixel"]), out


def _prepare_nbody(given: dict[str, Any]) -> tuple[Callable[[], None], Array]:
    x = given["x"]
    out = zeros(given, (3, x.shape[1]))
    launch = nbody.over(x.shape[1])
    return lambda: launch(x, out), out


def _prepare_convolution(given: dict[str, Any]) -> tuple[Callable[[], None], Array]:
    x, w = given["x"], given["w"]
    out = zeros(given, x.shape)
    launch = convolution.over((ceil(x.shape[0] - 2, ROWS_EACH), x.shape[1]))
    return lambda: launch(x, w, out), out


def _prepare_matmul(given: dict[str, Any]) -> tuple[Callable[[], None], Array]:
    a, b = given["a"], given["b"]
    out = zeros(given, a.shape)
    made = HIGH_BLOCKS if a.shape[0] >= 1024 else LOW_BLOCKS
    launch = made[(a.shape[1] // TILE_COLUMNS, a.shape[0] // (EACH * made.block[1])), made.block]
    return lambda: launch(a, b, out), out


def _prepare_batch(given: dict[str, Any]) -> tuple[Callable[[], None], Array]:
    a, b = given["a"], given["b"]
    out = zeros(given, a.shape)
    launch = batched_matmul[a.shape[0], (TILE, TILE // ROWS)]
    return lambda: launch(a, b, out), out


PREPARE: dict[str, Prepare] = {
    "saxpy": _prepare_saxpy,
    "exp": _over(exp, "x"),
    "stencil": _over(stencil, "x"),
    "softmax": _by_rows(softmax),
    "layernorm": _by_rows(layernorm),
    "transpose": _prepare_transpose,
    "fractal": _prepare_fractal,
    "nbody": _prepare_nbody,
    "black-scholes": _over(black_scholes, "price", "strike", "years"),
    "convolution": _prepare_convolution,
    "matmul": _prepare_matmul,
    "batched matmul": _prepare_batch,
    **cpu_block_kernels.PREPARE,
}
