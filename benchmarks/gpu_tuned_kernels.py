"""Kernels of `gpu_suite.py` written for speed: wide accesses, rows in registers, tiles in stages.

They are right for every shape that their docstrings say, on every device; what only NVIDIA GPUs
have stands in arms under `sw.target`.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math

import numpy as np

import stepwell as sw

BLOCK = 256
WIDE = 4  # elements of 16 bytes: the widest access before sm_100
ROW_BLOCK = 512
ROW_PARTS = 4
ROW = ROW_BLOCK * ROW_PARTS * WIDE  # elements of a row that the threads of a block hold
STENCIL_ROWS = 2
STENCIL_BLOCK = (32, 8)


def saxpy(a, x, y):
    """y = a · x + y, four elements for each thread."""
    i, n = WIDE * sw.global_id(0), min(x.shape[0], y.shape[0])
    if i + WIDE <= n:
        values = sw.local(WIDE, sw.f32)
        for k in sw.unroll(range(WIDE)):
            values[k] = a * x[i + k] + y[i + k]
        for k in sw.unroll(range(WIDE)):
            y[i + k] = values[k]
    else:
        for k in range(i, n):
            y[k] = a * x[k] + y[k]


SQUARE = 64  # rows and columns that a block of `transpose` turns
SQUARE_BLOCK = (SQUARE // WIDE, 16)


def transpose(x, out):
    """Squares of 64 by 64 through shared memory, four elements at a time, for whole squares."""
    tile = sw.shared((SQUARE, SQUARE + 1), sw.f32)
    tx, ty = WIDE * sw.thread_id(0), sw.thread_id(1)
    row, column = sw.block_id(1) * SQUARE, sw.block_id(0) * SQUARE
    for r in sw.unroll(range(0, SQUARE, SQUARE_BLOCK[1])):
        for k in sw.unroll(range(WIDE)):
            tile[r + ty, tx + k] = x[row + r + ty, column + tx + k]
    sw.barrier()
    for r in sw.unroll(range(0, SQUARE, SQUARE_BLOCK[1])):
        for k in sw.unroll(range(WIDE)):
            out[column + r + ty, row + tx + k] = tile[tx + k, r + ty]


def reduction(x, out):
    """Sum: a stride of the grid by four elements, then shuffles, shared memory, an atomic."""
    partial = sw.shared(BLOCK // 32, sw.f32)
    mine, count = np.float32(0), x.shape[0] // WIDE * WIDE
    for i in range(WIDE * sw.global_id(0), count, WIDE * sw.global_size(0)):
        mine += (x[i] + x[i + 1]) + (x[i + 2] + x[i + 3])
    if sw.global_id(0) < x.shape[0] - count:
        mine += x[count + sw.global_id(0)]
    mine = sw.subgroup_reduce_add(mine)
    if sw.lane_id() == 0:
        partial[sw.thread_id(0) // 32] = mine
    sw.barrier()
    if sw.thread_id(0) == 0:
        whole = np.float32(0)
        for k in range(BLOCK // 32):
            whole += partial[k]
        sw.atomic_add(out, 0, whole)


def load_row(x, row, values, nothing):
    """A row of at most ROW elements into the registers of a block, `nothing` behind its end."""
    for part in sw.unroll(range(ROW_PARTS)):
        j = WIDE * (sw.thread_id(0) + part * ROW_BLOCK)
        if j + WIDE <= x.shape[1]:
            for k in sw.unroll(range(WIDE)):
                values[WIDE * part + k] = x[row, j + k]
        else:
            for k in sw.unroll(range(WIDE)):
                values[WIDE * part + k] = nothing


def store_row(out, row, values):
    """The row of the block's registers."""
    for part in sw.unroll(range(ROW_PARTS)):
        j = WIDE * (sw.thread_id(0) + part * ROW_BLOCK)
        if j + WIDE <= out.shape[1]:
            for k in sw.unroll(range(WIDE)):
                out[row, j + k] = values[WIDE * part + k]


def sum_of_block(value, partial):
    """The sum over the threads of a block, in each of them."""
    value = sw.subgroup_reduce_add(value)
    if sw.lane_id() == 0:
        partial[sw.thread_id(0) // 32] = value
    sw.barrier()
    total = np.float32(0)
    for k in sw.unroll(range(ROW_BLOCK // 32)):
        total += partial[k]
    sw.barrier()
    return total


def softmax(x, out):
    """Of each row of at most ROW elements, a multiple of 4; a block for each row, read once."""
    partial = sw.shared(ROW_BLOCK // 32, sw.f32)
    values = sw.local(ROW_PARTS * WIDE, sw.f32)
    row = sw.block_id(0)
    load_row(x, row, values, np.float32(-math.inf))
    top = np.float32(-math.inf)
    for k in sw.unroll(range(ROW_PARTS * WIDE)):
        top = np.fmax(top, values[k])
    top = sw.subgroup_reduce_max(top)
    if sw.lane_id() == 0:
        partial[sw.thread_id(0) // 32] = top
    sw.barrier()
    for k in sw.unroll(range(ROW_BLOCK // 32)):
        top = np.fmax(top, partial[k])
    sw.barrier()
    total = np.float32(0)
    for k in sw.unroll(range(ROW_PARTS * WIDE)):
        values[k] = math.exp(values[k] - top)
        total += values[k]
    scale = 1 / sum_of_block(total, partial)
    for k in sw.unroll(range(ROW_PARTS * WIDE)):
        values[k] *= scale
    store_row(out, row, values)


def layernorm(x, out):
    """Of rows of at most ROW elements, a multiple of 4: mean 0, variance 1; a block for each."""
    partial = sw.shared(ROW_BLOCK // 32, sw.f32)
    values = sw.local(ROW_PARTS * WIDE, sw.f32)
    row, columns = sw.block_id(0), x.shape[1]
    load_row(x, row, values, np.float32(0))
    total = np.float32(0)
    for k in sw.unroll(range(ROW_PARTS * WIDE)):
        total += values[k]
    mean = sum_of_block(total, partial) / np.float32(columns)
    squares = np.float32(0)
    for part in sw.unroll(range(ROW_PARTS)):
        if WIDE * (sw.thread_id(0) + part * ROW_BLOCK) < columns:
            for k in sw.unroll(range(WIDE)):
                d = values[WIDE * part + k] - mean
                squares += d * d
    variance = sum_of_block(squares, partial) / np.float32(columns)
    scale = 1 / math.sqrt(variance + np.float32(1e-5))
    for k in sw.unroll(range(ROW_PARTS * WIDE)):
        values[k] = (values[k] - mean) * scale
    store_row(out, row, values)


def stencil_point(x, out, i, j):
    """One element: the mean of five points, 0 on the border."""
    value = np.float32(0)
    if i > 0 and i + 1 < x.shape[0] and j > 0 and j + 1 < x.shape[1]:
        value = x[i, j] + x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
    out[i, j] = value * np.float32(0.2)


def stencil(x, out):
    """The mean of five points; each thread has four columns of some rows, read once each.

    Threads that are neighbours along x are lanes, and give each other the columns between them.
    """
    j, first = WIDE * sw.global_id(0), STENCIL_ROWS * sw.global_id(1)
    rows, columns = min(x.shape[0], out.shape[0]), min(x.shape[1], out.shape[1])
    left_of_block = WIDE * sw.block_id(0) * STENCIL_BLOCK[0]
    behind = left_of_block + WIDE * STENCIL_BLOCK[0]
    if left_of_block > 0 and behind < columns and first > 0 and first + STENCIL_ROWS < rows:
        inner_stencil(x, out, first, j)
    else:
        for r in range(first, min(first + STENCIL_ROWS, rows)):
            for c in range(j, min(j + WIDE, columns)):
                stencil_point(x, out, r, c)


def load_four(x, i, j, values):
    """Four columns of a row."""
    for k in sw.unroll(range(WIDE)):
        values[k] = x[i, j + k]


def inner_stencil(x, out, first, j):
    """Four columns of some rows, away from the border."""
    above, here, below = sw.local(WIDE, sw.f32), sw.local(WIDE, sw.f32), sw.local(WIDE, sw.f32)
    lane, last = sw.lane_id(), STENCIL_BLOCK[0] - 1
    load_four(x, first - 1, j, above)
    load_four(x, first, j, here)
    for r in sw.unroll(range(STENCIL_ROWS)):
        i = first + r
        load_four(x, i + 1, j, below)
        left, right = sw.shuffle_up(here[WIDE - 1], 1), sw.shuffle_down(here[0], 1)
        if lane == 0:
            left = x[i, j - 1]
        if lane == last:
            right = x[i, j + WIDE]
        for k in sw.unroll(range(WIDE)):
            west = left if k == 0 else here[k - 1]
            east = right if k == WIDE - 1 else here[k + 1]
            above[k] = (here[k] + above[k] + below[k] + west + east) * np.float32(0.2)
        for k in sw.unroll(range(WIDE)):
            out[i, j + k] = above[k]
        for k in sw.unroll(range(WIDE)):
            above[k] = here[k]
            here[k] = below[k]


TILE = 128  # rows and columns of c that a block makes
DEPTH = 16
PAD = 4
SIDE = 8  # rows and columns of c that a thread makes


def fetch(tiles_a, tiles_b, stage, a, b, row, column, start):
    """Start to bring DEPTH columns of a and DEPTH rows of b, 16 bytes at a time."""
    t = sw.thread_id(0)
    for part in sw.unroll(range(2)):
        r, s = t // 4 + 64 * part, t % 4 * WIDE
        copy_16_bytes(tiles_a, (stage, r, s), a, (row + r, start + s))
        r, s = t // 32 + 8 * part, t % 32 * WIDE
        copy_16_bytes(tiles_b, (stage, r, s), b, (start + r, column + s))
    if sw.target.nvidia(sm=80):
        sw.nvidia.cp_async_commit()


def copy_16_bytes(shared, to, source, place):
    """Four elements, by the copy engine where there is one."""
    if sw.target.nvidia(sm=80):
        sw.nvidia.cp_async(shared, to, source, place)
    else:
        for k in sw.unroll(range(WIDE)):
            shared[to[0], to[1], to[2] + k] = source[place[0], place[1] + k]


def multiply_tile(tiles_a, tiles_b, stage, ty, tx, sums):
    """Add a tile's product to the sums of a thread: rows ty + 16 i, columns in two fours."""
    for k in sw.unroll(range(0, DEPTH, WIDE)):
        left = sw.local((SIDE, WIDE), sw.f32)
        for i in sw.unroll(range(SIDE)):
            for e in sw.unroll(range(WIDE)):
                left[i, e] = tiles_a[stage, ty + 16 * i, k + e]
        for e in sw.unroll(range(WIDE)):
            right = sw.local(SIDE, sw.f32)
            for half in sw.unroll(range(2)):
                for j in sw.unroll(range(WIDE)):
                    at = WIDE * tx + 64 * half + j
                    right[WIDE * half + j] = tiles_b[stage, k + e, at]
            for i in sw.unroll(range(SIDE)):
                for j in sw.unroll(range(SIDE)):
                    sums[i, j] += left[i, e] * right[j]


def matmul(a, b, c):
    """c = a · b, f32, for shapes that are multiples of TILE, TILE and DEPTH; no matrix units."""
    tiles_a = sw.shared((2, TILE, DEPTH + PAD), sw.f32)
    tiles_b = sw.shared((2, DEPTH, TILE), sw.f32)
    sums = sw.local((SIDE, SIDE), sw.f32)
    t = sw.thread_id(0)
    lane, warp = t % 32, t // 32
    tx, ty = lane % 8 + 8 * (warp % 2), lane // 8 + 4 * (warp // 2)
    row, column = sw.block_id(1) * TILE, sw.block_id(0) * TILE
    for i in sw.unroll(range(SIDE)):
        for j in sw.unroll(range(SIDE)):
            sums[i, j] = 0.0
    fetch(tiles_a, tiles_b, 0, a, b, row, column, 0)
    stage = 0
    for start in range(DEPTH, a.shape[1] + DEPTH, DEPTH):
        if sw.target.nvidia(sm=80):
            sw.nvidia.cp_async_wait(0)
        sw.barrier()
        if start < a.shape[1]:
            fetch(tiles_a, tiles_b, 1 - stage, a, b, row, column, start)
        multiply_tile(tiles_a, tiles_b, stage, ty, tx, sums)
        stage = 1 - stage
    for i in sw.unroll(range(SIDE)):
        for half in sw.unroll(range(2)):
            for j in sw.unroll(range(WIDE)):
                at = column + WIDE * tx + 64 * half + j
                c[row + ty + 16 * i, at] = sums[i, WIDE * half + j]


# Products on matrix units: a block makes MMA_ROWS by MMA_COLUMNS of c by 8 warps of 64 by 64.
MMA_ROWS, MMA_COLUMNS, MMA_DEPTH, MMA_STAGES = 128, 256, 32, 4
MMA_PAD = 8  # elements, so that the eight rows that ldmatrix reads lie in different banks
MMA_A, MMA_B = MMA_ROWS * (MMA_DEPTH + MMA_PAD), MMA_DEPTH * (MMA_COLUMNS + MMA_PAD)
MMA_SHARED = 2 * MMA_STAGES * (MMA_A + MMA_B)  # bytes
MMA_WARP = 64  # rows and columns of c that a warp makes
MMA_THREADS = 32 * (MMA_ROWS // MMA_WARP) * (MMA_COLUMNS // MMA_WARP)


def mma_fetch(tiles, stage, a, b, row, column, start):
    """Start to bring a stage: columns of a, behind them rows of b, 16 bytes at a time."""
    t, first = sw.thread_id(0), stage * (MMA_A + MMA_B)
    for part in sw.unroll(range(MMA_ROWS * MMA_DEPTH // 8 // MMA_THREADS)):
        at = t + part * MMA_THREADS
        r, s = at // (MMA_DEPTH // 8), at % (MMA_DEPTH // 8) * 8
        to = first + r * (MMA_DEPTH + MMA_PAD) + s
        sw.nvidia.cp_async(tiles, to, a, (row + r, start + s))
    for part in sw.unroll(range(MMA_DEPTH * MMA_COLUMNS // 8 // MMA_THREADS)):
        at = t + part * MMA_THREADS
        r, s = at // (MMA_COLUMNS // 8), at % (MMA_COLUMNS // 8) * 8
        to = first + MMA_A + r * (MMA_COLUMNS + MMA_PAD) + s
        sw.nvidia.cp_async(tiles, to, b, (start + r, column + s))


def mma_load(tiles, stage, k, warp_row, warp_column, left, right):
    """What a warp multiplies at a depth of a stage: 4 matrices of 16 by 16 of a, 8 of 16 by 8."""
    lane, first = sw.thread_id(0) % 32, stage * (MMA_A + MMA_B)
    of_a = first + (warp_row + lane % 16) * (MMA_DEPTH + MMA_PAD) + lane // 16 * 8
    of_b = first + MMA_A + lane % 16 * (MMA_COLUMNS + MMA_PAD) + warp_column + lane // 16 * 8
    for i in sw.unroll(range(4)):
        at = of_b + k * (MMA_COLUMNS + MMA_PAD) + 16 * i
        set_row(right, i, sw.nvidia.ldmatrix_x4(tiles, at, transpose=True))
        at = of_a + 16 * i * (MMA_DEPTH + MMA_PAD) + k
        set_row(left, i, sw.nvidia.ldmatrix_x4(tiles, at))


def set_row(array, row, values):
    """Four values into a row of a local array."""
    for e in sw.unroll(range(4)):
        array[row, e] = values[e]


def mma_multiply(left, right, sums):
    """Add products to the warp's sums: 4 by 8 of 16 by 8 each."""
    for i in sw.unroll(range(4)):
        one = (left[i, 0], left[i, 1], left[i, 2], left[i, 3])
        for j in sw.unroll(range(8)):
            half = j % 2 * 2
            pair = (right[j // 2, half], right[j // 2, half + 1])
            sw.nvidia.mma_m16n8k16(one, pair, sums[i, j], sw.bf16)


def mma_start(tiles, a, b, row, column, sums):
    """Sums of 0, and the first MMA_STAGES - 1 stages on their way."""
    for i in sw.unroll(range(4)):
        for j in sw.unroll(range(8)):
            for e in sw.unroll(range(4)):
                sums[i, j, e] = 0.0
    for stage in sw.unroll(range(MMA_STAGES - 1)):
        if stage * MMA_DEPTH < a.shape[1]:
            mma_fetch(tiles, stage, a, b, row, column, stage * MMA_DEPTH)
        sw.nvidia.cp_async_commit()


def mma_store(c, row, column, sums):
    """The warp's sums to c, two columns at a time."""
    lane = sw.thread_id(0) % 32
    r, s = row + lane // 4, column + lane % 4 * 2
    for i in sw.unroll(range(4)):
        for j in sw.unroll(range(8)):
            for e in sw.unroll(range(4)):
                c[r + 16 * i + e // 2 * 8, s + 8 * j + e % 2] = sums[i, j, e]


def mma_block(tiles, a, b, c):
    """The block's part of c."""
    sums = sw.local((4, 8, 4), sw.f32)
    left, right = sw.local((2, 4, 4), sw.u32), sw.local((2, 4, 4), sw.u32)
    warp = sw.thread_id(0) // 32
    row, column = sw.block_id(1) * MMA_ROWS, sw.block_id(0) * MMA_COLUMNS
    warp_row = warp // (MMA_COLUMNS // MMA_WARP) * MMA_WARP
    warp_column = warp % (MMA_COLUMNS // MMA_WARP) * MMA_WARP
    mma_start(tiles, a, b, row, column, sums)
    sw.nvidia.cp_async_wait(MMA_STAGES - 2)
    sw.barrier()
    mma_load(tiles, 0, 0, warp_row, warp_column, left[0], right[0])
    stage, free = 0, MMA_STAGES - 1
    for start in range(0, a.shape[1], MMA_DEPTH):
        for k in sw.unroll(range(0, MMA_DEPTH, 16)):
            now, then = k // 16 % 2, 1 - k // 16 % 2
            if k == 0:
                ahead = start + (MMA_STAGES - 1) * MMA_DEPTH
                if ahead < a.shape[1]:
                    mma_fetch(tiles, free, a, b, row, column, ahead)
                sw.nvidia.cp_async_commit()
            if k == MMA_DEPTH - 16:
                free = stage
                stage = 0 if stage == MMA_STAGES - 1 else stage + 1
                sw.nvidia.cp_async_wait(MMA_STAGES - 2)
                sw.barrier()
            following = (k + 16) % MMA_DEPTH
            mma_load(tiles, stage, following, warp_row, warp_column, left[then], right[then])
            mma_multiply(left[now], right[now], sums)
    mma_store(c, row + warp_row, column + warp_column, sums)


def mma_matmul(a, b, c):
    """c = a · b, bf16 to f32 by mma.sync, for multiples of MMA_ROWS, MMA_COLUMNS, MMA_DEPTH.

    MMA_STAGES - 1 stages are on their way; a warp loads what it multiplies next, also from the next
    stage, before it multiplies.
    """
    tiles = sw.shared(None, sw.bf16)
    if sw.target.nvidia(sm=80):
        mma_block(tiles, a, b, c)
    else:
        assert sw.target.nvidia(sm=80), "needs the matrix units of sm_80"
