"""Matrices as tiles of the sizes that the device's instructions have: rules of `lower-matrices`.

    %d = gpu.subgroup_mma_compute %a, %b, %c : 32x32xf16, … -> 32x16xf32         on 16x16x16

    %p = gpu.subgroup_mma_compute %a0, %b0, %c0           rows 0 to 15, the upper half of the depth
    %d0 = gpu.subgroup_mma_compute %a1, %b1, %p           … and the lower half
    %q = gpu.subgroup_mma_compute %a2, %b0, %c1
    %d1 = gpu.subgroup_mma_compute %a3, %b1, %q

Tiles of a matrix are in rows. Before a checked access stands a check that the device takes a matrix
from there: its first element lies at a multiple of 16 bytes, as all rows do (or, of tiles with
shorter rows, at a multiple of their size).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    FixedBitwidthType,
    IntegerAttr,
    ModuleOp,
    i1,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpux, marks
from ...dialects.gpu_matrix import (
    MmaMatrixType,
    SubgroupMmaComputeOp,
    SubgroupMmaConstantMatrixOp,
    SubgroupMmaElementwiseOp,
    SubgroupMmaLoadMatrixOp,
    SubgroupMmaStoreMatrixOp,
    matrix_type,
)
from ..conversion import Legality, Operands, Results, Rewriter, Rules, TypeMap, convert
from ..memref_views import Size, as_memref
from .matrix_units import Tiles, viewed
from .views import INDEX, add, known_size, multiply, value_of

RULES = Rules()
converts = RULES.converts
WIDEST = 16  # bytes that the place of a matrix, and of each row, is a multiple of at most


@dataclass(frozen=True)
class State:
    """The tiles, and the matrices of several, which are to go."""

    tiles: Tiles
    old: frozenset[SSAValue]

    def is_new(self, op: Operation) -> bool:
        """Whether an op touches no matrix of several tiles, and wants no check."""
        if marks.CHECKED in op.attributes:
            return False
        blocks = [block for region in op.regions for block in region.blocks]
        arguments = [value for block in blocks for value in block.args]
        return self.old.isdisjoint((*op.operands, *op.results, *arguments))

    def tile(self, kind: MmaMatrixType) -> MmaMatrixType:
        """The type of a tile."""
        rows, columns = self.tiles[kind]
        return MmaMatrixType.new(
            (*(type(kind.rows)(size) for size in (rows, columns)), kind.element, kind.use)
        )

    def counts(self, kind: MmaMatrixType) -> tuple[int, int]:
        """How many tiles there are along the rows and along the columns."""
        (rows, columns), (tall, wide) = kind.shape, self.tiles[kind]
        return rows // tall, columns // wide


def split_into_tiles(module: ModuleOp, tiles: Tiles) -> None:
    """Replace all matrices of a module by their tiles, and check places where that is asked for."""
    split = {kind for kind, tile in tiles.items() if kind.shape != tile}
    state = State(tiles, frozenset(v for v in _matrices(module) if v.type in split))

    def types(kind: MmaMatrixType, _: object) -> list[Attribute]:
        down, across = state.counts(kind)
        return [state.tile(kind)] * (down * across)

    convert(
        module, RULES, Legality({}, state.is_new), TypeMap({MmaMatrixType: types}), "tiles", state
    )


def _matrices(module: ModuleOp) -> list[SSAValue]:
    values: list[SSAValue] = []
    for op in module.walk():
        arguments = [a for region in op.regions for block in region.blocks for a in block.args]
        values += [v for v in (*op.results, *arguments) if isinstance(v.type, MmaMatrixType)]
    return values


RULES.retype(scf.ForOp, scf.IfOp, scf.WhileOp, scf.YieldOp, scf.ConditionOp)


@converts(arith.SelectOp)
def convert_select(op: arith.SelectOp, operands: Operands, rw: Rewriter) -> Results:
    """One select for each tile."""
    (condition,), yes, no = operands
    pairs = zip(yes, no, strict=True)
    return [[rw.value(arith.SelectOp, (condition, a, b), a.type) for a, b in pairs]]


# --- memory ---------------------------------------------------------------------------------------


def _places(
    rw: Rewriter,
    op: SubgroupMmaLoadMatrixOp | SubgroupMmaStoreMatrixOp,
    kind: MmaMatrixType,
    given: Sequence[Size],
) -> list[list[SSAValue]]:
    """The indices of the tiles of a matrix."""
    state: State = rw.state
    tall, wide = state.tiles[kind]
    down, across = state.counts(kind)
    places: list[list[SSAValue]] = []
    for row in range(down):
        for column in range(across):
            far, near = row * tall, column * wide
            if op.transpose is not None:
                far, near = near, far
            places.append([value_of(rw, index) for index in _moved(rw, op, given, far, near)])
    return places


def _moved(
    rw: Rewriter,
    op: SubgroupMmaLoadMatrixOp | SubgroupMmaStoreMatrixOp,
    indices: Sequence[Size],
    far: int,
    near: int,
) -> list[Size]:
    """The indices, so many rows further in memory, and so many elements of a row."""
    lead = op.lead.value.data
    if lead == DYNAMIC_INDEX:
        *rest, row, column = indices
        return [*rest, add(rw, row, far), add(rw, column, near)]
    *rest, last = indices
    return [*rest, add(rw, last, far * lead + near)]


@converts(SubgroupMmaLoadMatrixOp)
def convert_load(op: SubgroupMmaLoadMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """Tile by tile."""
    state: State = rw.state
    kind, ((array,), *rest) = matrix_type(op.result), operands
    indices = [known_size(index) for (index,) in rest]
    _check_place(rw, op, kind, indices)
    tile, properties = state.tile(kind), op.properties
    return [
        [
            rw.value(SubgroupMmaLoadMatrixOp, (array, *place), tile, properties)
            for place in _places(rw, op, kind, indices)
        ]
    ]


@converts(SubgroupMmaStoreMatrixOp)
def convert_store(op: SubgroupMmaStoreMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """Tile by tile."""
    values, (array,), *rest = operands
    kind = matrix_type(op.value)
    indices = [known_size(index) for (index,) in rest]
    _check_place(rw, op, kind, indices)
    for value, place in zip(values, _places(rw, op, kind, indices), strict=True):
        rw.create(SubgroupMmaStoreMatrixOp, (value, array, *place), properties=op.properties)
    return None


# --- products and elements ------------------------------------------------------------------------


@converts(SubgroupMmaConstantMatrixOp)
def convert_constant(op: SubgroupMmaConstantMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """One tile, everywhere."""
    state: State = rw.state
    kind = matrix_type(op.result)
    ((value,),) = operands
    down, across = state.counts(kind)
    return [[rw.value(type(op), (value,), state.tile(kind))] * (down * across)]


@converts(SubgroupMmaComputeOp)
def convert_compute(op: SubgroupMmaComputeOp, operands: Operands, rw: Rewriter) -> Results:
    """Products along the depth one after another."""
    state: State = rw.state
    a, b, c = operands
    (_, deep), (_, across) = state.counts(matrix_type(op.a)), state.counts(matrix_type(op.b))
    totals: list[SSAValue] = []
    for place, total in enumerate(c):
        row, column = divmod(place, across)
        for step in range(deep):
            factors = (a[row * deep + step], b[step * across + column])
            total = rw.value(type(op), (*factors, total), total.type, op.properties)
        totals.append(total)
    return [totals]


@converts(SubgroupMmaElementwiseOp)
def convert_elementwise(op: SubgroupMmaElementwiseOp, operands: Operands, rw: Rewriter) -> Results:
    """Tile by tile."""
    state: State = rw.state
    tile = state.tile(matrix_type(op.result))
    groups = zip(*operands, strict=True)
    return [[rw.value(type(op), group, tile, op.properties) for group in groups]]


# --- where a matrix may lie -----------------------------------------------------------------------


def _check_place(
    rw: Rewriter,
    op: SubgroupMmaLoadMatrixOp | SubgroupMmaStoreMatrixOp,
    kind: MmaMatrixType,
    indices: Sequence[Size],
) -> None:
    if marks.CHECKED not in op.attributes:
        return
    view = viewed(op)
    element = as_memref(view.type).element_type
    assert isinstance(element, FixedBitwidthType), "elements of matrices are numbers"
    state: State = rw.state
    row = state.tiles[kind][op.transpose is None] * element.size
    multiple = min(WIDEST, row & -row)
    parts = rw.insert(memref.ExtractStridedMetaDataOp(view)).results
    strides = parts[2 + len(indices) :]
    place: Size = parts[1]
    for index, stride in zip(indices, strides, strict=True):
        place = add(rw, place, multiply(rw, index, stride))
    start = multiply(rw, place, element.size)
    if "global" in str(as_memref(view.type).memory_space):
        start = add(rw, start, rw.value(memref.ExtractAlignedPointerAsIndexOp, (view,), INDEX))
    lead = op.lead.value.data
    stride: Size = strides[-2] if lead == DYNAMIC_INDEX else lead
    _check_multiple(rw, start, multiple, "start")
    _check_multiple(rw, multiply(rw, stride, element.size), multiple, "rows")


def _check_multiple(rw: Rewriter, size: Size, multiple: int, what: str) -> None:
    """A check that a number of bytes is a multiple of a power of 2."""
    if isinstance(size, int) and size % multiple == 0:
        return
    low = rw.value(arith.AndIOp, (value_of(rw, size), value_of(rw, multiple - 1)), INDEX)
    equal = {"predicate": IntegerAttr(0, i64)}
    fits = rw.value(arith.CmpiOp, (low, value_of(rw, 0)), i1, equal)
    message = f"the {what} of a matrix must be at multiples of {multiple} bytes on this device"
    rw.insert(gpux.CheckOp(fits, "alignment", message))
