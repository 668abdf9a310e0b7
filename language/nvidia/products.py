"""Matrix instructions: ldmatrix, stmatrix, mma.sync, wgmma."""

from __future__ import annotations

from typing import Any

from .ask import ask


def ldmatrix_x1(view: Any, index: Any, transpose: bool = False) -> Any:
    """One 8x8 matrix of 16-bit elements from shared memory, a row of it at each lane's
    `view[index]`; a u32. Lane 4 r + c has elements 2 c and 2 c + 1 of row r, or with `transpose`
    of column r."""
    return ask("ldmatrix_x1", view, index, transpose)


def ldmatrix_x2(view: Any, index: Any, transpose: bool = False) -> Any:
    """Two matrices, as `ldmatrix_x1`; a tuple of u32."""
    return ask("ldmatrix_x2", view, index, transpose)


def ldmatrix_x4(view: Any, index: Any, transpose: bool = False) -> Any:
    """Four matrices, as `ldmatrix_x1`; a tuple of u32."""
    return ask("ldmatrix_x4", view, index, transpose)


def stmatrix_x1(view: Any, index: Any, values: Any, transpose: bool = False) -> Any:
    """The reverse of `ldmatrix_x1`; sm_90 or later."""
    return ask("stmatrix_x1", view, index, values, transpose)


def stmatrix_x2(view: Any, index: Any, values: Any, transpose: bool = False) -> Any:
    """The reverse of `ldmatrix_x2`; `values` is a tuple of u32; sm_90 or later."""
    return ask("stmatrix_x2", view, index, values, transpose)


def stmatrix_x4(view: Any, index: Any, values: Any, transpose: bool = False) -> Any:
    """The reverse of `ldmatrix_x4`; `values` is a tuple of u32; sm_90 or later."""
    return ask("stmatrix_x4", view, index, values, transpose)


def mma_m16n8k16(a: Any, b: Any, c: Any, dtype: Any) -> Any:
    """`a @ b + c` of a 16x16 and a 16x8 tile by the warp; `dtype` is sw.f16, sw.bf16, sw.i8 or
    sw.u8 (the elements of `a` and `b`), or sw.f64 on sm_90.

    `a` is a tuple of 4 u32 (two elements of 16 bits each; of 8 bits there are 2 u32, of f64 8),
    `b` of 2 (of 8 bits 1, of f64 4), `c` and the result of 4 f32 (i32, f64). As for all products,
    `c` may be an array of sw.local with so many elements: then the result goes there. sm_80.
    """
    return ask("mma_m16n8k16", a, b, c, dtype)


def mma_m16n8k32(a: Any, b: Any, c: Any, dtype: Any) -> Any:
    """`a @ b + c` of a 16x32 and a 32x8 tile by the warp; `dtype` is sw.i8 or sw.u8 (with sums of
    i32; sm_80), "e4m3" or "e5m2" (with sums of f32; sm_89).

    `a` is a tuple of 4 u32 (four elements each), `b` of 2, `c` and the result of 4 sums.
    """
    return ask("mma_m16n8k32", a, b, c, dtype)


def mma_m16n8k8(a: Any, b: Any, c: Any) -> Any:
    """`a @ b + c` in tf32 of a 16x8 and an 8x8 tile by the warp.

    `a` is a tuple of 4 u32 (the bits of an f32 each), `b` of 2, `c` and the result of 4 f32; sm_80.
    """
    return ask("mma_m16n8k8", a, b, c)


def mma_m8n8k4(a: Any, b: Any, c: Any) -> Any:
    """`a @ b + c` of an 8x4 and a 4x8 tile of f64 by the warp.

    `a` and `b` are tuples of one f64, `c` and the result of 2; sm_80.
    """
    return ask("mma_m8n8k4", a, b, c)


def wgmma_descriptor(view: Any, index: Any, leading: Any, stride: Any, swizzle: int = 0) -> Any:
    """What `wgmma` takes for a matrix that begins at `view[index]` in shared memory (u64).

    The matrix is made of pieces of 8 rows by 16 bytes, or with `swizzle` (32, 64 or 128) by so many
    bytes; `leading` and `stride` are the constant distances in bytes of pieces along k and along
    the rows (of a matrix that is not transposed). sm_90a.
    """
    return ask("wgmma_descriptor", view, index, leading, stride, swizzle)


def wgmma(
    a: Any,
    b: Any,
    c: Any,
    dtype: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    accumulate: Any = True,
) -> Any:
    """Start `a @ b + c` of 64 rows and 32 bytes of k by the four warps of a warpgroup. sm_90a.

    `a` is a descriptor or a tuple of 4 u32, `b` a descriptor; `c` is a tuple of n / 2 sums for n
    columns, or a part of an array of sw.local. `dtype` is sw.f16, sw.bf16, sw.f32 (tf32), sw.i8,
    sw.u8, "e4m3" or "e5m2", or a tuple of two, of 8 bits both; only the first two take transposed
    operands. Sums are f32 (i32 of integers), of f16 and 8-bit floats also f16. Without
    `accumulate` (a bool) the result is `a @ b`.
    `wgmma_fence` stands before the first, `wgmma_commit` and `wgmma_wait` before the sums are used.
    """
    return ask("wgmma", a, b, c, dtype, transpose_a, transpose_b, accumulate)


def wgmma_fence() -> Any:
    """Orders the registers before a wgmma. sm_90a."""
    return ask("wgmma_fence")


def wgmma_commit() -> Any:
    """The wgmmas so far are a group. sm_90a."""
    return ask("wgmma_commit")


def wgmma_wait(groups: Any) -> Any:
    """Wait until at most so many groups (a constant) are under way. sm_90a."""
    return ask("wgmma_wait", groups)
