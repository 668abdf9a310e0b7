"""wmma: products of whole tiles by a warp, whose fragments have a layout that nobody may know.

`nvvm.wmma.load` gives a struct of registers, `nvvm.wmma.mma` and `nvvm.wmma.store` take them one by
one. Rows start at multiples of 16 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from xdsl.dialects.builtin import f32, f64, i32
from xdsl.ir import Attribute
from xdsl.irdl import irdl_attr_definition

from ..llvm.types import PointerType, StructType
from .attributes import KeywordAttr
from .base import Needs, Row
from .matrix import PAIR, word


@irdl_attr_definition
class FragmentAttr(KeywordAttr):
    """`#nvvm.mma_frag<a>`: a, b or c."""

    name = "nvvm.mma_frag"


Shape = tuple[int, int, int]


class Tiles(NamedTuple):
    """Registers of A, B and C for one shape and type of elements."""

    a: int
    b: int
    register: Attribute
    sums: tuple[str, ...]
    needs: Needs


_AMPERE, _TURING = Needs(80, 70), Needs(75, 63)
_SQUARE, _TALL, _WIDE = (16, 16, 16), (32, 8, 16), (8, 32, 16)
SUMS: dict[str, tuple[int, Attribute]] = {
    "f32": (8, f32),
    "f16": (4, PAIR),
    "s32": (8, i32),
    "f64": (2, f64),
}
"""Registers of C for each type of sums."""

TILES: dict[tuple[Shape, str], Tiles] = {
    **{(s, "f16"): Tiles(8, 8, PAIR, ("f32", "f16"), _TURING) for s in (_SQUARE, _TALL, _WIDE)},
    (_SQUARE, "bf16"): Tiles(4, 4, i32, ("f32",), _AMPERE),
    (_TALL, "bf16"): Tiles(8, 2, i32, ("f32",), _AMPERE),
    (_WIDE, "bf16"): Tiles(2, 8, i32, ("f32",), _AMPERE),
    ((16, 16, 8), "tf32"): Tiles(4, 4, i32, ("f32",), _AMPERE),
    ((8, 8, 4), "f64"): Tiles(1, 1, f64, ("f64",), _AMPERE),
    **{
        (shape, kind): Tiles(a, b, i32, ("s32",), _TURING)
        for kind in ("s8", "u8")
        for shape, a, b in ((_SQUARE, 2, 2), (_TALL, 4, 1), (_WIDE, 1, 4))
    },
}


def _shape(op: Any) -> Shape:
    return op.int_property("m"), op.int_property("n"), op.int_property("k")


def _text(shape: Shape) -> str:
    m, n, k = shape
    return f"m{m}n{n}k{k}"


def _tiles(op: Any, name: str) -> Tiles | None:
    """The row whose elements an attribute names."""
    return TILES.get((_shape(op), word(op, name)))


def registers(shape: Shape, kind: str, fragment: str) -> tuple[int, Attribute] | None:
    """How many registers a fragment of elements of that type has, and their type."""
    if fragment == "c":
        known = any(of == shape and kind in row.sums for (of, _), row in TILES.items())
        return SUMS[kind] if known else None
    row = TILES.get((shape, kind))
    return (row.a if fragment == "a" else row.b, row.register) if row is not None else None


def struct(count: int, kind: Attribute) -> Attribute:
    """What a load gives."""
    return kind if count == 1 else StructType([kind] * count)


def _is_pointer(kind: Attribute) -> bool:
    return isinstance(kind, PointerType) and kind.space.data in (0, 1, 3)


def _no_tile(op: Any, kind: str) -> str:
    return f"there is no wmma of shape {_text(_shape(op))} for {kind or 'unknown type'}"


def _load_check(op: Any) -> str | None:
    kind, fragment = word(op, "eltype"), word(op, "frag")
    if fragment not in ("a", "b", "c"):
        return f"frag is {fragment or 'missing'}, expected a, b or c"
    found = registers(_shape(op), kind, fragment)
    if found is None:
        return _no_tile(op, kind)
    if word(op, "layout") not in ("row", "col"):
        return "layout is missing, expected row or col"
    kinds = [value.type for value in op.operands]
    if len(kinds) != 2 or not _is_pointer(kinds[0]) or kinds[1] != i32:
        return "expected a pointer and a stride of type i32"
    expected = struct(*found)
    got = op.results[0].type if len(op.results) == 1 else None
    return None if got == expected else f"expected a result of type {expected}, got {got}"


def _store_check(op: Any) -> str | None:
    kind = word(op, "eltype")
    found = registers(_shape(op), kind, "c")
    if found is None:
        return _no_tile(op, kind)
    if word(op, "layout") not in ("row", "col"):
        return "layout is missing, expected row or col"
    count, register = found
    kinds = [value.type for value in op.operands]
    if not kinds or not _is_pointer(kinds[0]) or kinds[1:] != [i32, *[register] * count]:
        return f"expected a pointer, a stride of type i32 and {count} registers of type {register}"
    return None


def _mma_check(op: Any) -> str | None:
    kind, sums = word(op, "eltypeA"), word(op, "eltypeB")
    row = _tiles(op, "eltypeA")
    if row is None:
        return _no_tile(op, kind)
    if sums not in row.sums:
        return f"sums of type {sums}, expected {' or '.join(row.sums)}"
    if not {word(op, "layoutA"), word(op, "layoutB")} <= {"row", "col"}:
        return "expected layoutA and layoutB, each row or col"
    count, register = SUMS[sums]
    expected = [row.register] * (row.a + row.b) + [register] * count
    if [value.type for value in op.operands] != expected:
        return (
            f"expected {row.a} registers of A, {row.b} of B ({row.register}) and {count} of C "
            f"({register})"
        )
    result = struct(count, register)
    return None if [r.type for r in op.results] == [result] else f"expected a result of {result}"


def _space(op: Any) -> str:
    return f"p{op.operands[0].type.space.data}"


def _load_target(op: Any) -> str:
    return (
        f"wmma.{_text(_shape(op))}.load.{word(op, 'frag')}.{word(op, 'layout')}.stride."
        f"{word(op, 'eltype')}.{_space(op)}"
    )


def _store_target(op: Any) -> str:
    return (
        f"wmma.{_text(_shape(op))}.store.d.{word(op, 'layout')}.stride."
        f"{word(op, 'eltype')}.{_space(op)}"
    )


def _mma_target(op: Any) -> str:
    kind, sums = word(op, "eltypeA"), word(op, "eltypeB")
    suffix = f"{sums}.{sums}" if kind == "f16" else kind
    layouts = f"{word(op, 'layoutA')}.{word(op, 'layoutB')}"
    return f"wmma.{_text(_shape(op))}.mma.{layouts}.{suffix}"


def _stride_last(given: Sequence[str]) -> Sequence[str]:
    return [given[0], *given[2:], given[1]]


def _needs(name: str) -> Any:
    def needs(op: Any) -> Needs:
        row = _tiles(op, name)
        if row is not None:
            return row.needs
        return _AMPERE if word(op, name) == "f64" or _shape(op) == (16, 16, 8) else _TURING

    return needs


WMMA_ROWS: dict[str, Row] = {
    "wmma.load": Row(
        "Loads a fragment; the second operand is the stride of rows (or columns) in elements.",
        "$* {} : ( T0 ) -> R",
        _load_target,
        needs=_needs("eltype"),
        check=_load_check,
    ),
    "wmma.store": Row(
        "Stores a fragment of sums; the second operand is the stride.",
        "$* {} : T0 , T2*",
        _store_target,
        None,
        (),
        needs=_needs("eltype"),
        # The stride is the last argument of the intrinsic.
        order=_stride_last,
        check=_store_check,
    ),
    "wmma.mma": Row(
        "D = A * B + C of a tile, by all lanes of the warp.",
        "$* {} : F",
        _mma_target,
        needs=_needs("eltypeA"),
        check=_mma_check,
    ),
}
