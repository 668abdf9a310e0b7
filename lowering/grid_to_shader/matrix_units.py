"""Which instruction multiplies the matrices of a kernel, and what each matrix is made of for it.

A matrix of 32x16 is two tiles of 16x16 where that is what the device has. All matrices of a kernel
are on its units, or none is: they meet in sums, loops and branches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import TypeAlias

from xdsl.dialects.builtin import DYNAMIC_INDEX, NoneAttr, StridedLayoutAttr, i8, i32
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpu
from ...dialects.gpu_matrix import (
    USES,
    MmaMatrixType,
    SubgroupMmaComputeOp,
    SubgroupMmaElementwiseOp,
    SubgroupMmaLoadMatrixOp,
    SubgroupMmaStoreMatrixOp,
    matrix_type,
)
from ..gpu_to_cpu.expand_matrices import MATRIX_OPS, PRODUCT
from ..memref_views import as_memref
from .features import ShaderFeatures
from .matrix_words import MatrixUnit, units_in

Tiles: TypeAlias = dict[MmaMatrixType, tuple[int, int]]
"""Rows and columns of the tiles that matrices of a type consist of."""

Product: TypeAlias = tuple[MmaMatrixType, MmaMatrixType, MmaMatrixType]


MATRIX_ACCESSES = (SubgroupMmaLoadMatrixOp, SubgroupMmaStoreMatrixOp)


class NoUnits(Exception):
    """Why a kernel's matrices are computed with scalars."""


def choose_units(
    kernel: gpu.FuncOp, features: ShaderFeatures
) -> tuple[Tiles, dict[Product, MatrixUnit]]:
    """The tiles of all matrices of a kernel, and the units that multiply them; NoUnits if none."""
    ops = [op for op in kernel.walk() if op.name.startswith(MATRIX_OPS)]
    products = list(dict.fromkeys(product_of(op) for op in ops if op.name == PRODUCT))
    if not products:
        raise NoUnits("it has no product")
    units = units_in(features.names)
    if not units or not features.has("cooperative_matrix", "memory_model"):
        raise NoUnits("the device has no units for it")
    for op in ops:
        _check_memory(op)
        if isinstance(op, SubgroupMmaElementwiseOp) and op.kind.data == "divf":
            _check_division(features)
    types = list(dict.fromkeys(_types(ops)))
    for kind in types:
        if not features.native(stored(kind)):
            raise NoUnits(f"the device does not compute with {stored(kind)}")
    choices = [_candidates(one, units) for one in products]
    for chosen in product(*choices):
        tiles = _tiles(products, chosen)
        fits = tiles is not None and _others(tiles, types, units)
        if tiles is not None and fits and all(_meets(op, tiles) for op in ops):
            return tiles, dict(zip(products, chosen, strict=True))
    raise NoUnits("no instructions of the device for its products agree on what a matrix is")


def _meets(op: Operation, tiles: Tiles) -> bool:
    """Whether the matrices of an op on elements, which may differ in type, have the same tiles."""
    values = (*op.operands, *op.results)
    return not isinstance(op, SubgroupMmaElementwiseOp) or (
        len({tiles[matrix_type(value)] for value in values}) == 1
    )


def stored(kind: MmaMatrixType) -> Attribute:
    """The type of a matrix's elements in memory: integers have no sign there."""
    return i8 if str(kind.element) in ("si8", "ui8") else kind.element


def viewed(op: SubgroupMmaLoadMatrixOp | SubgroupMmaStoreMatrixOp) -> SSAValue:
    """The memory that a matrix is loaded from or stored to."""
    return op.source if isinstance(op, SubgroupMmaLoadMatrixOp) else op.target


def unit_of(
    a: MmaMatrixType, b: MmaMatrixType, c: MmaMatrixType, units: Iterable[MatrixUnit]
) -> MatrixUnit | None:
    """The unit that multiplies matrices of exactly these types, or None."""
    shapes = (a.shape, b.shape, c.shape)
    return next((u for u in units if u.tiles == shapes and _fits(u, (a, b, c))), None)


def product_of(op: Operation) -> Product:
    """The types of the three operands of a product."""
    assert isinstance(op, SubgroupMmaComputeOp), "it is a product"
    return matrix_type(op.a), matrix_type(op.b), matrix_type(op.c)


def _types(ops: Sequence[Operation]) -> Iterator[MmaMatrixType]:
    for op in ops:
        for value in (*op.operands, *op.results):
            kind: Attribute = value.type
            if isinstance(kind, MmaMatrixType):
                yield kind


def _fits(unit: MatrixUnit, kinds: Product) -> bool:
    """Whether a unit multiplies elements of these types, and tiles make up the matrices."""
    a, _, c = kinds
    whole = all(
        rows % tile[0] == 0 and columns % tile[1] == 0
        for (rows, columns), tile in zip((kind.shape for kind in kinds), unit.tiles, strict=True)
    )
    return whole and unit.factors == _factor_word(a.element) and unit.sums in _sum_words(c.element)


def _factor_word(element: Attribute) -> str:
    word = str(element)
    return {"si8": "s8", "ui8": "u8", "i8": "s8"}.get(word, word)


def _sum_words(element: Attribute) -> tuple[str, ...]:
    """Sums wrap, so that their sign does not matter."""
    return ("s32", "u32") if element == i32 else (str(element),)


def _candidates(kinds: Product, units: Sequence[MatrixUnit]) -> list[MatrixUnit]:
    found = [unit for unit in units if _fits(unit, kinds)]
    if found:
        return found
    a, b, c = kinds
    (m, k), (_, n) = a.shape, b.shape
    raise NoUnits(
        f"the device has no units for {m}x{n}x{k} of {_factor_word(a.element)} with sums of "
        f"{c.element}, only {', '.join(unit.sizes_and_types for unit in units)}"
    )


def _tiles(products: Sequence[Product], chosen: Sequence[MatrixUnit]) -> Tiles | None:
    """What matrices consist of where each product has its unit; None where two disagree."""
    tiles: Tiles = {}
    for kinds, unit in zip(products, chosen, strict=True):
        for kind, tile in zip(kinds, unit.tiles, strict=True):
            if tiles.setdefault(kind, tile) != tile:
                return None
    return tiles


def _others(tiles: Tiles, types: Sequence[MmaMatrixType], units: Sequence[MatrixUnit]) -> bool:
    """Gives matrices of no product the tiles of those of their size; False where there are none."""
    for kind in types:
        if kind in tiles:
            continue
        same = [
            tile for other, tile in tiles.items()
            if (other.use, other.shape) == (kind.use, kind.shape)
        ]  # fmt: skip
        place = USES.index(kind.use.data)
        words = _sum_words(kind.element) if place == 2 else (_factor_word(kind.element),)
        known = {
            unit.tiles[place] for unit in units
            if (unit.sums if place == 2 else unit.factors) in words
        }  # fmt: skip
        if not same or same[0] not in known:
            return False
        tiles[kind] = same[0]
    return True


def _check_division(features: ShaderFeatures) -> None:
    """NoUnits where quotients are put together, as `expand-inexact` does for scalars."""
    if not features.has("exact_division"):
        raise NoUnits("the device's own quotients of matrices may be rounded wrongly")


def _check_memory(op: Operation) -> None:
    """NoUnits where elements of a row do not lie side by side."""
    if not isinstance(op, MATRIX_ACCESSES):
        return
    kind = as_memref(viewed(op).type)
    layout = kind.layout
    if isinstance(layout, StridedLayoutAttr):
        if layout.get_strides()[-1] != 1:
            raise NoUnits(f"elements of {kind} may not lie side by side")
    elif not isinstance(layout, NoneAttr):
        raise NoUnits(f"{kind} has no strides")
    if op.lead.value.data == DYNAMIC_INDEX and kind.get_num_dims() < 2:
        raise NoUnits(f"{kind} has no rows")
    matrix = matrix_type(op.result if isinstance(op, SubgroupMmaLoadMatrixOp) else op.value)
    if kind.element_type != stored(matrix):
        raise NoUnits(f"{kind} has other elements than {matrix}")
