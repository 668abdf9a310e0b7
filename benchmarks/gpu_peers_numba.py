"""Kernels of `gpu_peers.py` as Numba takes them."""

# Numba types the kernels.
# pyright: basic

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda, float32, int32


@cuda.jit
def saxpy(a: Any, x: Any, y: Any) -> None:
    i = cuda.grid(1)
    if i < y.shape[0]:
        y[i] = a * x[i] + y[i]


@cuda.jit
def reduction(x: Any, out: Any) -> None:
    partial = cuda.shared.array(8, float32)
    mine = np.float32(0)
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        mine += x[i]
    for step in (16, 8, 4, 2, 1):
        mine += cuda.shfl_xor_sync(0xFFFFFFFF, mine, step)
    if cuda.threadIdx.x % 32 == 0:
        partial[cuda.threadIdx.x // 32] = mine
    cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        whole = np.float32(0)
        for k in range(8):
            whole += partial[k]
        cuda.atomic.add(out, 0, whole)


@cuda.jit
def stencil(x: Any, out: Any) -> None:
    j, i = cuda.grid(2)
    if i < x.shape[0] and j < x.shape[1]:
        value = np.float32(0)
        if i > 0 and i + 1 < x.shape[0] and j > 0 and j + 1 < x.shape[1]:
            value = x[i, j] + x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]
        out[i, j] = value * np.float32(0.2)


@cuda.jit
def histogram(x: Any, out: Any) -> None:
    counts = cuda.shared.array(256, int32)
    counts[cuda.threadIdx.x] = 0
    cuda.syncthreads()
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        cuda.atomic.add(counts, x[i], 1)
    cuda.syncthreads()
    cuda.atomic.add(out, cuda.threadIdx.x, counts[cuda.threadIdx.x])
