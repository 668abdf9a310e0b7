"""Kernels as people write them for GPUs, for `cpu_idioms.py`."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
from functools import partial

import stepwell as sw

kernel = partial(sw.kernel, fastmath=True)
TILE, THREADS = 16, 256


@kernel()
def product(a, b, c):
    """A thread for each result."""
    i, j = sw.global_id(1), sw.global_id(0)
    if i < c.shape[0] and j < c.shape[1]:
        total = 0.0
        for k in range(a.shape[1]):
            total += a[i, k] * b[k, j]
        c[i, j] = total


@kernel(block=(TILE, TILE))
def tiled_product(a, b, c):
    """Tiles of both matrices in shared memory, a thread for each result."""
    left, right = sw.shared((TILE, TILE), sw.f32), sw.shared((TILE, TILE), sw.f32)
    tx, ty = sw.thread_id(0), sw.thread_id(1)
    row, column = sw.block_id(1) * TILE + ty, sw.block_id(0) * TILE + tx
    total = 0.0
    for start in range(0, a.shape[1], TILE):
        left[ty, tx], right[ty, tx] = a[row, start + tx], b[start + ty, column]
        sw.barrier()
        for k in range(TILE):
            total += left[ty, k] * right[k, tx]
        sw.barrier()
    c[row, column] = total


@kernel(block=(TILE, TILE))
def turns_product(a, b, c):
    """The same, while the next tiles come into another half of shared memory."""
    left, right = sw.shared((2, TILE, TILE), sw.f32), sw.shared((2, TILE, TILE), sw.f32)
    tx, ty = sw.thread_id(0), sw.thread_id(1)
    row, column = sw.block_id(1) * TILE + ty, sw.block_id(0) * TILE + tx
    left[0, ty, tx], right[0, ty, tx] = a[row, tx], b[ty, column]
    total, half = 0.0, 0
    for start in range(TILE, a.shape[1] + TILE, TILE):
        sw.barrier()
        if start < a.shape[1]:
            left[1 - half, ty, tx] = a[row, start + tx]
            right[1 - half, ty, tx] = b[start + ty, column]
        for k in range(TILE):
            total += left[half, ty, k] * right[half, k, tx]
        half = 1 - half
    c[row, column] = total


@kernel()
def sparse(begins, column, value, x, y):
    """A thread for each row of a sparse matrix, times a vector."""
    r = sw.global_id(0)
    if r < y.shape[0]:
        total = 0.0
        for k in range(begins[r], begins[r + 1]):
            total += value[k] * x[column[k]]
        y[r] = total


@kernel()
def window(x, w, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        total = 0.0
        for k in range(w.shape[0]):
            total += x[i + k] * w[k]
        y[i] = total


@kernel(block=THREADS)
def tile_window(x, w, y):
    """A tile in shared memory, with what neighbours need of the next one; 33 weights."""
    i, t = sw.global_id(0), sw.thread_id(0)
    tile = sw.shared((THREADS + 32,), sw.f32)
    tile[t] = x[i]
    if t < 32:
        tile[THREADS + t] = x[i + THREADS]
    sw.barrier()
    total = 0.0
    for k in range(33):
        total += tile[t + k] * w[k]
    y[i] = total


@kernel(block=(TILE, TILE))
def blur(x, y):
    """Sums of 3 x 3, from a tile with an edge in shared memory."""
    tile = sw.shared((TILE + 2, TILE + 2), sw.f32)
    tx, ty = sw.thread_id(0), sw.thread_id(1)
    i, j = sw.global_id(1), sw.global_id(0)
    tile[ty, tx] = x[i, j]
    if ty < 2:
        tile[TILE + ty, tx] = x[i + TILE, j]
    if tx < 2:
        tile[ty, TILE + tx] = x[i, j + TILE]
    if tx < 2 and ty < 2:
        tile[TILE + ty, TILE + tx] = x[i + TILE, j + TILE]
    sw.barrier()
    total = 0.0
    for di in range(3):
        for dj in range(3):
            total += tile[ty + di, tx + dj]
    y[i, j] = total


@kernel()
def distance(p, q, out):
    """Points of three coordinates, one after the other."""
    i = sw.global_id(0)
    if i < out.shape[0]:
        x, y, z = p[i, 0] - q[i, 0], p[i, 1] - q[i, 1], p[i, 2] - q[i, 2]
        out[i] = math.sqrt(x * x + y * y + z * z)


@kernel()
def heat(x, y):
    i, j, k = sw.global_id(0), sw.global_id(1), sw.global_id(2)
    if 0 < i < x.shape[0] - 1 and 0 < j < x.shape[1] - 1 and 0 < k < x.shape[2] - 1:
        around = x[i, j, k + 1] + x[i, j, k - 1] + x[i, j + 1, k] + x[i, j - 1, k]
        y[i, j, k] = 0.4 * x[i, j, k] + 0.1 * (around + x[i + 1, j, k] + x[i - 1, j, k])


@kernel()
def gray(x, y):
    """Red, green and blue of a pixel, one after the other."""
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = sw.u8(0.299 * x[i, 0] + 0.587 * x[i, 1] + 0.114 * x[i, 2])


@kernel()
def planes(x, y):
    """Red, green and blue of a picture, one after the other."""
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = sw.u8(0.299 * x[0, i] + 0.587 * x[1, i] + 0.114 * x[2, i])


@kernel()
def life(x, y):
    """The game of life on a torus."""
    i, j = sw.global_id(0), sw.global_id(1)
    h, w = x.shape
    if i < h and j < w:
        up, down, left, right = (i + h - 1) % h, (i + 1) % h, (j + w - 1) % w, (j + 1) % w
        around = x[up, left] + x[up, j] + x[up, right] + x[i, left] + x[i, right]
        around += x[down, left] + x[down, j] + x[down, right]
        y[i, j] = 1 if around == 3 or (around == 2 and x[i, j] == 1) else 0


@kernel()
def darts(rounds, out):
    """Random points, and how many of them are in a circle: a generator for each thread."""
    i = sw.global_id(0)
    if i < out.shape[0]:
        s = sw.u32(i) * 747796405 + 2891336453
        inside = 0
        for _ in range(rounds):
            s ^= s << 13
            s ^= s >> 17
            s ^= s << 5
            x = sw.f32(s >> 8) * (1 / 16777216)
            s ^= s << 13
            s ^= s >> 17
            s ^= s << 5
            y = sw.f32(s >> 8) * (1 / 16777216)
            if x * x + y * y < 1:
                inside += 1
        out[i] = inside


@kernel()
def nearest(points, centres, out):
    i = sw.global_id(0)
    if i < out.shape[0]:
        best, at = math.inf, 0
        for j in range(centres.shape[0]):
            x, y = points[i, 0] - centres[j, 0], points[i, 1] - centres[j, 1]
            d = x * x + y * y
            if d < best:
                best, at = d, j
        out[i] = at


@kernel()
def gather(index, x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = x[index[i]]


@kernel()
def bytes_times(a, x, y):
    """A thread for each row of a matrix of bytes, times a vector."""
    r = sw.global_id(0)
    if r < y.shape[0]:
        total = 0
        for k in range(a.shape[1]):
            total += sw.i32(a[r, k]) * sw.i32(x[k])
        y[r] = total


@kernel()
def times(a, x, y):
    """A thread for each row."""
    r = sw.global_id(0)
    if r < y.shape[0]:
        total = 0.0
        for k in range(a.shape[1]):
            total += a[r, k] * x[k]
        y[r] = total


def add_up(parts, t, own):
    """A tree in shared memory: what the threads have, in the first place."""
    parts[t] = own
    sw.barrier()
    half = THREADS // 2
    while half > 0:
        if t < half:
            parts[t] += parts[t + half]
        sw.barrier()
        half //= 2


@kernel(block=THREADS)
def block_times(a, x, y):
    """A block for each row; a tree in shared memory adds up."""
    r, t = sw.block_id(0), sw.thread_id(0)
    parts = sw.shared((THREADS,), sw.f32)
    total = 0.0
    for k in range(t, a.shape[1], THREADS):
        total += a[r, k] * x[k]
    add_up(parts, t, total)
    if t == 0:
        y[r] = parts[0]


@kernel(block=THREADS)
def subgroup_times(a, x, y):
    """A block for each row; subgroups add up."""
    r, t = sw.block_id(0), sw.thread_id(0)
    parts = sw.shared((THREADS,), sw.f32)
    total = 0.0
    for k in range(t, a.shape[1], THREADS):
        total += a[r, k] * x[k]
    total = sw.subgroup_reduce_add(total)
    if sw.lane_id() == 0:
        parts[sw.subgroup_id()] = total
    sw.barrier()
    if t == 0:
        total = 0.0
        for k in range(THREADS // sw.subgroup_size()):
            total += parts[k]
        y[r] = total


@kernel()
def resize(x, y):
    """Bilinear; coordinates become indices."""
    i, j = sw.global_id(0), sw.global_id(1)
    h, w = x.shape
    rows, columns = y.shape
    if i < rows and j < columns:
        fy, fx = (i + 0.5) * h / rows - 0.5, (j + 0.5) * w / columns - 0.5
        top, left = sw.i32(math.floor(fy)), sw.i32(math.floor(fx))
        down, right = fy - top, fx - left
        low, far = min(top + 1, h - 1), min(left + 1, w - 1)
        top, left = max(top, 0), max(left, 0)
        above = x[top, left] + (x[top, far] - x[top, left]) * right
        below = x[low, left] + (x[low, far] - x[low, left]) * right
        y[i, j] = above + (below - above) * down


@kernel(block=THREADS)
def inner(x, y, out):
    """A loop in strides of all threads, a tree in shared memory, an atomic for each block."""
    parts = sw.shared((THREADS,), sw.f32)
    t = sw.thread_id(0)
    total = 0.0
    for i in range(sw.global_id(0), x.shape[0], sw.grid_dim(0) * sw.block_dim(0)):
        total += x[i] * y[i]
    add_up(parts, t, total)
    if t == 0:
        sw.atomic_add(out, 0, parts[0])


@kernel()
def largest(x, out):
    """A loop in strides of all threads, an atomic for each."""
    most = -math.inf
    for i in range(sw.global_id(0), x.shape[0], sw.global_size(0)):
        most = max(most, x[i])
    sw.atomic_max(out, 0, most)


@kernel(block=(32, 8))
def turned(x, y):
    """A tile with a column to spare in shared memory."""
    tile = sw.shared((32, 33), sw.f32)
    tx, ty = sw.thread_id(0), sw.thread_id(1)
    column, row = sw.block_id(0) * 32, sw.block_id(1) * 32
    for r in range(0, 32, 8):
        tile[ty + r, tx] = x[row + ty + r, column + tx]
    sw.barrier()
    for r in range(0, 32, 8):
        y[column + ty + r, row + tx] = tile[tx, ty + r]
