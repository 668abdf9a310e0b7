"""The kernels of the CUDA figures, as stepwell takes them; `cuda/*.cu` has them in CUDA C.

Each is written as one would in CUDA C: guards where a grid may be larger than the array, a stride
of the grid where it may be smaller. None asks for anything (vector types, unrolling) that the
source in CUDA C does not ask for. Indices there are `int`, as is usual, unless `INDEX` says
otherwise; ours have 64 bits, of which code for small launches computes with 32.
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import stepwell as sw

BLOCK = 256
WARPS = BLOCK // 32
TILE = 16
SIDE = 32
ROWS = 8


def saxpy(a, x, y):
    """y = a · x + y, one thread for each element."""
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


def transpose(x, out):
    """Blocks of 32 by 8 threads, each with a tile of 32 by 32 in shared memory."""
    tile = sw.shared((SIDE, SIDE + 1), sw.f32)
    tx, ty = sw.thread_id(0), sw.thread_id(1)
    column, row = sw.block_id(0) * SIDE + tx, sw.block_id(1) * SIDE + ty
    for j in range(0, SIDE, ROWS):
        if row + j < x.shape[0] and column < x.shape[1]:
            tile[ty + j, tx] = x[row + j, column]
    sw.barrier()
    column, row = sw.block_id(1) * SIDE + tx, sw.block_id(0) * SIDE + ty
    for j in range(0, SIDE, ROWS):
        if row + j < out.shape[0] and column < out.shape[1]:
            out[row + j, column] = tile[tx, ty + j]


def reduction(x, out):
    """Sum: a stride of the grid, then shuffles, then shared memory, then one atomic a block."""
    partial = sw.shared(WARPS, sw.f32)
    mine = np.float32(0)
    for i in range(sw.global_id(0), x.shape[0], sw.global_size(0)):
        mine += x[i]
    mine = sw.subgroup_reduce_add(mine)
    if sw.lane_id() == 0:
        partial[sw.thread_id(0) // 32] = mine
    sw.barrier()
    if sw.thread_id(0) == 0:
        whole = np.float32(0)
        for k in range(WARPS):
            whole += partial[k]
        sw.atomic_add(out, 0, whole)


def softmax(x, out):
    """Of each row; a block for each row, both reductions by shuffles and shared memory."""
    partial = sw.shared(WARPS, sw.f32)
    t, row, columns = sw.thread_id(0), sw.block_id(0), x.shape[1]
    top = np.float32(-math.inf)
    for j in range(t, columns, BLOCK):
        top = np.fmax(top, x[row, j])
    top = sw.subgroup_reduce_max(top)
    if sw.lane_id() == 0:
        partial[t // 32] = top
    sw.barrier()
    for k in range(WARPS):
        top = np.fmax(top, partial[k])
    sw.barrier()
    total = np.float32(0)
    for j in range(t, columns, BLOCK):
        total += math.exp(x[row, j] - top)
    total = sw.subgroup_reduce_add(total)
    if sw.lane_id() == 0:
        partial[t // 32] = total
    sw.barrier()
    total = np.float32(0)
    for k in range(WARPS):
        total += partial[k]
    for j in range(t, columns, BLOCK):
        out[row, j] = math.exp(x[row, j] - top) / total


def matmul(a, b, c):
    """c = a · b by tiles of 16 by 16 in shared memory, for any shape."""
    tile_a = sw.shared((TILE, TILE), sw.f32)
    tile_b = sw.shared((TILE, TILE), sw.f32)
    x, y = sw.thread_id(0), sw.thread_id(1)
    row, column = sw.block_id(1) * TILE + y, sw.block_id(0) * TILE + x
    total = np.float32(0)
    for start in range(0, a.shape[1], TILE):
        inside = row < a.shape[0] and start + x < a.shape[1]
        tile_a[y, x] = a[row, start + x] if inside else np.float32(0)
        inside = start + y < b.shape[0] and column < b.shape[1]
        tile_b[y, x] = b[start + y, column] if inside else np.float32(0)
        sw.barrier()
        for k in range(TILE):
            total += tile_a[y, k] * tile_b[k, x]
        sw.barrier()
    if row < c.shape[0] and column < c.shape[1]:
        c[row, column] = total


@dataclass(frozen=True)
class Subject:
    """A kernel and the types of its parameters; `cuda/<name>.cu` has the same one."""

    name: str
    function: Callable[..., None]
    types: tuple[Any, ...]
    block: int | None = None

    def kernel(self, *, checks: bool = True, fastmath: bool = False) -> sw.Kernel:
        """A new kernel, of which nothing is known yet."""
        return sw.kernel(checks=checks, fastmath=fastmath, block=self.block)(self.function)

    def ptx(self, arch: str, *, checks: bool, fastmath: Any = False, small: bool = False) -> str:
        """For a plain launch."""
        made = self.kernel(checks=checks, fastmath=fastmath)
        return made.ir("ptx", *self.types, target=f"cuda:{arch}", small=small)


EXAMPLE = Path(__file__).parent.parent / "examples" / "matrix_units.py"
mma_matmul = runpy.run_path(str(EXAMPLE))["mma_matmul"]

_VECTOR, _MATRIX = sw.Array[sw.f32, 1], sw.Array[sw.f32, 2]
_HALVES = sw.Array[sw.bf16, 2]
SUBJECTS = (
    Subject("saxpy", saxpy, (sw.f32, _VECTOR, _VECTOR)),
    Subject("transpose", transpose, (_MATRIX, _MATRIX)),
    Subject("reduction", reduction, (_VECTOR, _VECTOR)),
    Subject("softmax", softmax, (_MATRIX, _MATRIX)),
    Subject("matmul", matmul, (_MATRIX, _MATRIX, _MATRIX)),
    Subject("mma_matmul", mma_matmul.function, (_HALVES, _HALVES, _MATRIX), BLOCK),
)
