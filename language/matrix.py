"""Matrices that a subgroup multiplies together; imports no xDSL, no NumPy.

    c = sw.matrix.fill(0.0, (16, 16), sw.f32)
    for k in range(0, depth, 16):
        a = sw.matrix.load(x, row, k, shape=(16, 16), role="a")
        b = sw.matrix.load(y, k, column, shape=(16, 16), role="b")
        c = sw.matrix.multiply_add(a, b, c)
    sw.matrix.store(z, row, column, c)

Which lane holds which element is the device's business. All threads of a subgroup call these
together, with the same arguments, and blocks are of whole subgroups. A device without matrix units
computes with scalars, which `kernel.explain` says; one with them takes the shapes that these have,
and names them where it refuses others: 16 x 16 times 16 x 16 of f16 with sums of f32 is everywhere.
"""

from __future__ import annotations

from typing import Any

from .intrinsics import current_thread


def _ask(name: str, *arguments: Any) -> Any:
    return getattr(current_thread(f"matrix.{name}"), f"matrix_{name}")(*arguments)


def load(
    view: Any, row: Any, column: Any, shape: Any, role: str = "c", transpose: bool = False
) -> Any:
    """The matrix of this shape that begins at `view[row, column]`; with `transpose` its element
    (i, j) is `view[row + j, column + i]`.

    `role` is "a" or "b" for the factors of a product (m x k and k x n of f16, bf16, f32, f64, i8 or
    u8), "c" for sums (m x n of f32, f16, f64 or i32). A factor of f32 may be rounded to 10 bits.
    On NVIDIA GPUs it begins at a multiple of 32 bytes, its rows at multiples of 16.
    """
    return _ask("load", view, row, column, shape, role, transpose)


def fill(value: Any, shape: Any, dtype: Any, role: str = "c") -> Any:
    """A matrix whose elements are all the same."""
    return _ask("fill", value, shape, dtype, role)


def multiply_add(a: Any, b: Any, c: Any) -> Any:
    """`a @ b + c` for factors "a" and "b" of one type of elements and sums "c".

    Sums are f32, of f16 also f16, of f64 f64, of i8 and u8 i32; the order of additions is the
    device's.
    """
    return _ask("multiply_add", a, b, c)


def store(view: Any, row: Any, column: Any, matrix: Any, transpose: bool = False) -> Any:
    """Sums to `view[row, column]` and on; places are as for `load`."""
    return _ask("store", view, row, column, matrix, transpose)
