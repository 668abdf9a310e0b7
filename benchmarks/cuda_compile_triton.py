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


def saxpy() -> ASTSource:
    types = {"a": "fp32", "x": "*fp32", "y": "*fp32", "n": "i32", "BLOCK": "constexpr"}
    return ASTSource(fn=saxpy_kernel, signature=types, constexprs={"BLOCK": 1024})


def reduction() -> ASTSource:
    types = {"x": "*fp32", "out": "*fp32", "n": "i32", "BLOCK": "constexpr"}
    return ASTSource(fn=reduction_kernel, signature=types, constexprs={"BLOCK": 256})


SOURCES: dict[str, Callable[[], ASTSource]] = {"saxpy": saxpy, "reduction": reduction}
