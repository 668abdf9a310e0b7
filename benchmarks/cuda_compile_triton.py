"""The kernels of `cuda_compile.py` as Triton takes them: they say what a block does."""

from __future__ import annotations

from collections.abc import Callable

import triton
import triton.language as tl
from triton.compiler import ASTSource


@triton.jit
def saxpy_kernel(a, x, y, n, BLOCK: tl.constexpr):  # noqa: N803
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    tl.store(y + i, a * tl.load(x + i, mask=inside) + tl.load(y + i, mask=inside), mask=inside)


@triton.jit
def reduction_kernel(x, out, n, BLOCK: tl.constexpr):  # noqa: N803
    mine = tl.zeros((BLOCK,), tl.float32)
    step = tl.num_programs(0) * BLOCK
    for start in range(tl.program_id(0) * BLOCK, n, step):
        i = start + tl.arange(0, BLOCK)
        mine += tl.load(x + i, mask=i < n, other=0.0)
    tl.atomic_add(out, tl.sum(mine, axis=0))


@triton.jit
def mma_matmul_kernel(a, b, c, n, k, TILE: tl.constexpr, DEPTH: tl.constexpr):  # noqa: N803
    row = tl.program_id(1) * TILE + tl.arange(0, TILE)
    column = tl.program_id(0) * TILE + tl.arange(0, TILE)
    depth = tl.arange(0, DEPTH)
    of_a = a + row[:, None] * k + depth[None, :]
    of_b = b + depth[:, None] * n + column[None, :]
    sums = tl.zeros((TILE, TILE), tl.float32)
    for _ in range(0, k, DEPTH):
        sums = tl.dot(tl.load(of_a), tl.load(of_b), sums)
        of_a += DEPTH
        of_b += DEPTH * n
    tl.store(c + row[:, None] * n + column[None, :], sums)


def saxpy() -> ASTSource:
    types = {"a": "fp32", "x": "*fp32", "y": "*fp32", "n": "i32", "BLOCK": "constexpr"}
    return ASTSource(fn=saxpy_kernel, signature=types, constexprs={"BLOCK": 1024})


def reduction() -> ASTSource:
    types = {"x": "*fp32", "out": "*fp32", "n": "i32", "BLOCK": "constexpr"}
    return ASTSource(fn=reduction_kernel, signature=types, constexprs={"BLOCK": 256})


def mma_matmul() -> ASTSource:
    pointers = {"a": "*bf16", "b": "*bf16", "c": "*fp32", "n": "i32", "k": "i32"}
    types = {**pointers, "TILE": "constexpr", "DEPTH": "constexpr"}
    return ASTSource(
        fn=mma_matmul_kernel,
        signature=types,
        constexprs={"TILE": 128, "DEPTH": 32},
        # What stepwell's kernel knows as well: pointers and rows of whole 16 bytes.
        attrs={(n,): [["tt.divisibility", 16]] for n in range(5)},
    )


SOURCES: dict[str, Callable[[], ASTSource]] = {
    "saxpy": saxpy,
    "reduction": reduction,
    "mma_matmul": mma_matmul,
}
