"""Kernels of `gpu_peers.py` as Triton takes them: a program for each row."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def softmax_kernel(x, out, columns, BLOCK: tl.constexpr):  # noqa: N803
    at = tl.arange(0, BLOCK)
    place = tl.program_id(0) * columns + at
    inside = at < columns
    row = tl.load(x + place, mask=inside, other=-float("inf"))
    powers = tl.exp(row - tl.max(row, axis=0))
    tl.store(out + place, powers / tl.sum(powers, axis=0), mask=inside)


@triton.jit
def layernorm_kernel(x, out, columns, BLOCK: tl.constexpr):  # noqa: N803
    at = tl.arange(0, BLOCK)
    place = tl.program_id(0) * columns + at
    inside = at < columns
    row = tl.load(x + place, mask=inside, other=0.0)
    centred = tl.where(inside, row - tl.sum(row, axis=0) / columns, 0.0)
    variance = tl.sum(centred * centred, axis=0) / columns
    tl.store(out + place, centred / tl.sqrt(variance + 1e-5), mask=inside)
