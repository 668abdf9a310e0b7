"""The kernels of `cuda_compile.py` as Numba-CUDA takes them."""

from __future__ import annotations

from typing import Any

from numba import cuda, float32, types

WARPS = 8


def saxpy(a, x, y):
    i = cuda.grid(1)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


def reduction(x, out):
    partial = cuda.shared.array(WARPS, float32)
    mine = float32(0)
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        mine += x[i]
    for step in (16, 8, 4, 2, 1):
        mine += cuda.shfl_xor_sync(0xFFFFFFFF, mine, step)
    if cuda.laneid == 0:
        partial[cuda.threadIdx.x // 32] = mine
    cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        whole = float32(0)
        for k in range(WARPS):
            whole += partial[k]
        cuda.atomic.add(out, 0, whole)


_VECTOR = types.Array(float32, 1, "C")
KERNELS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "saxpy": (saxpy, (float32, _VECTOR, _VECTOR)),
    "reduction": (reduction, (_VECTOR, _VECTOR)),
}
