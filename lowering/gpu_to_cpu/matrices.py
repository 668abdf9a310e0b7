"""The rules of `expand-matrices`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    Float16Type,
    Float32Type,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    ModuleOp,
    NoneAttr,
    i1,
    i8,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpu
from ...dialects.arith import WRAPS, plain_flags
from ...dialects.gpu_matrix import (
    MmaMatrixType,
    SubgroupMmaComputeOp,
    SubgroupMmaConstantMatrixOp,
    SubgroupMmaElementwiseOp,
    SubgroupMmaLoadMatrixOp,
    SubgroupMmaStoreMatrixOp,
)
from ..conversion import (
    CannotConvert,
    Legality,
    Operands,
    Results,
    Rewriter,
    Rules,
    TypeMap,
    convert,
)
from ..matrix_arithmetic import ELEMENTWISE

RULES = Rules()
converts = RULES.converts
_INDEX = IndexType()


@dataclass(frozen=True)
class Lanes:
    """The subgroup."""

    count: int

    def rows(self, kind: MmaMatrixType) -> int:
        """How many rows of a matrix a lane holds."""
        rows = kind.shape[0]
        return rows if kind.use.data == "BOp" else -(-rows // self.count)


def expand(module: ModuleOp, lanes: int) -> None:
    """Replace all matrices of a module."""
    state = Lanes(lanes)

    def scalars(kind: Any, types: Any) -> list[Attribute]:
        return [_element(kind)] * (state.rows(kind) * kind.shape[1])

    legality = Legality({}, default=lambda op: not _touches_matrices(op))
    types = TypeMap({MmaMatrixType: scalars})
    convert(module, RULES, legality, types, "scalars", state)


def _touches_matrices(op: Operation) -> bool:
    values = [*op.operands, *op.results]
    values += [value for region in op.regions for block in region.blocks for value in block.args]
    return any(isinstance(value.type, MmaMatrixType) for value in values)


RULES.retype(scf.ForOp, scf.IfOp, scf.WhileOp, scf.YieldOp, scf.ConditionOp, arith.SelectOp)


def _element(kind: MmaMatrixType) -> Attribute:
    """The type of the scalars: integers have no sign here."""
    return i8 if str(kind.element) in ("si8", "ui8") else kind.element


def _is_integer(kind: Attribute) -> bool:
    return isinstance(kind, IntegerType)


def _matrix(value: SSAValue) -> MmaMatrixType:
    kind: Attribute = value.type
    assert isinstance(kind, MmaMatrixType), "the op was verified"
    return kind


# --- places ---------------------------------------------------------------------------------------


def _constant(rw: Rewriter, value: int) -> SSAValue:
    return rw.value(arith.ConstantOp, (), _INDEX, {"value": IntegerAttr(value, _INDEX)})


def _add(rw: Rewriter, a: SSAValue, b: SSAValue | int) -> SSAValue:
    other = _constant(rw, b) if isinstance(b, int) else b
    return rw.value(arith.AddiOp, (a, other), _INDEX, WRAPS)


def _rows(rw: Rewriter, kind: MmaMatrixType) -> list[tuple[SSAValue, SSAValue | None]]:
    """The rows that the lane holds, and whether each exists where it may not."""
    lanes: Lanes = rw.state
    count = lanes.rows(kind)
    if kind.use.data == "BOp":
        return [(_constant(rw, row), None) for row in range(count)]
    lane, last = rw.value(gpu.LaneIdOp, (), _INDEX), _constant(rw, kind.shape[0] - 1)
    found: list[tuple[SSAValue, SSAValue | None]] = []
    for number in range(count):
        row = _add(rw, lane, number * lanes.count)
        inside: SSAValue | None = None
        if (number + 1) * lanes.count > kind.shape[0]:
            ule = {"predicate": IntegerAttr(7, i64)}
            inside = rw.value(arith.CmpiOp, (row, last), i1, ule)
            row = rw.value(arith.MinUIOp, (row, last), _INDEX)
        found.append((row, inside))
    return found


def _place(
    rw: Rewriter, op: Any, array: SSAValue, indices: Sequence[SSAValue]
) -> Callable[[SSAValue, int], list[SSAValue]]:
    """From row and column to the indices of an element."""
    kind: Attribute = array.type
    assert isinstance(kind, MemRefType), "the op was verified"
    lead, shape = op.lead.value.data, kind.get_shape()
    if len(shape) == 1 and lead == DYNAMIC_INDEX:
        raise CannotConvert(f"{kind} has no rows: expected a constant leadDimension")
    if len(shape) == 1:

        def in_line(row: SSAValue, column: int) -> list[SSAValue]:
            far, near = (row, column) if op.transpose is None else (column, row)
            if isinstance(far, int):
                return [_add(rw, _add(rw, indices[0], row), far * lead)]
            step = rw.value(arith.MuliOp, (far, _constant(rw, lead)), _INDEX, WRAPS)
            assert isinstance(near, int), "one of both is the column"
            return [_add(rw, _add(rw, indices[0], step), near)]

        return in_line
    own = lead == DYNAMIC_INDEX or (shape[-1] == lead and isinstance(kind.layout, NoneAttr))
    if not own:
        raise CannotConvert(
            f"leadDimension {lead} of {kind}: expected the size of its last dimension"
        )

    def in_rows(row: SSAValue, column: int) -> list[SSAValue]:
        parts: list[SSAValue | int] = [row, column] if op.transpose is None else [column, row]
        ends = zip(indices[-2:], parts, strict=True)
        return [*indices[:-2], *(_add(rw, index, part) for index, part in ends)]

    return in_rows


# --- the ops --------------------------------------------------------------------------------------


@converts(SubgroupMmaLoadMatrixOp)
def convert_load(op: SubgroupMmaLoadMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """Row by row; one that does not exist is the last one again."""
    kind, (array,) = _matrix(op.result), operands[0]
    place = _place(rw, op, array, [index for (index,) in operands[1:]])
    return [
        [
            rw.value(memref.LoadOp, (array, *place(row, column)), _element(kind))
            for row, _ in _rows(rw, kind)
            for column in range(kind.shape[1])
        ]
    ]


@converts(SubgroupMmaStoreMatrixOp)
def convert_store(op: SubgroupMmaStoreMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """Row by row, those that exist."""
    kind, (array,) = _matrix(op.value), operands[1]
    place = _place(rw, op, array, [index for (index,) in operands[2:]])
    values = iter(operands[0])
    for row, inside in _rows(rw, kind):
        stores: list[Operation] = []
        for column in range(kind.shape[1]):
            target = (next(values), array, *place(row, column))
            if inside is None:
                rw.create(memref.StoreOp, target)
            else:
                stores.append(memref.StoreOp.create(operands=target, location=op.location))
        if inside is not None:
            body = Region(Block([*stores, scf.YieldOp.create()]))
            rw.create(scf.IfOp, (inside,), regions=[body, Region()])
    return None


@converts(SubgroupMmaConstantMatrixOp)
def convert_constant(op: SubgroupMmaConstantMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """The same value everywhere."""
    lanes: Lanes = rw.state
    kind = _matrix(op.result)
    return [[operands[0][0]] * (lanes.rows(kind) * kind.shape[1])]


@converts(SubgroupMmaComputeOp)
def convert_compute(op: SubgroupMmaComputeOp, operands: Operands, rw: Rewriter) -> Results:
    """Products along k one after another, in the type of the sums."""
    a_kind, c_kind = _matrix(op.a), _matrix(op.c)
    k, n, sums = a_kind.shape[1], c_kind.shape[1], _element(c_kind)
    unsigned = str(a_kind.element) == "ui8"
    a, b = ([_widened(rw, v, sums, unsigned) for v in group] for group in operands[:2])
    is_float = not _is_integer(sums)
    times, plus = (arith.MulfOp, arith.AddfOp) if is_float else (arith.MuliOp, arith.AddiOp)
    totals: list[SSAValue] = []
    for place, total in enumerate(operands[2]):
        row, column = divmod(place, n)
        for depth in range(k):
            factors = (a[row * k + depth], b[depth * n + column])
            product = rw.value(times, factors, sums, plain_flags(times))
            total = rw.value(plus, (total, product), sums, plain_flags(plus))
        totals.append(total)
    return [totals]


def _widened(rw: Rewriter, value: SSAValue, kind: Attribute, unsigned: bool) -> SSAValue:
    if value.type == kind:
        return value
    if _is_integer(kind):
        return rw.value(arith.ExtUIOp if unsigned else arith.ExtSIOp, (value,), kind)
    if isinstance(kind, Float16Type):
        raise CannotConvert(f"a product of {value.type} with sums of {kind}")
    return rw.value(arith.ExtFOp, (value,), kind)


@converts(SubgroupMmaElementwiseOp)
def convert_elementwise(op: SubgroupMmaElementwiseOp, operands: Operands, rw: Rewriter) -> Results:
    """Scalar by scalar."""
    word, kind = op.kind.data, _element(_matrix(op.result))
    is_float = not _is_integer(kind)
    if word == "extf" and isinstance(kind, Float32Type):
        return [[rw.value(arith.ExtFOp, (value,), kind) for value in operands[0]]]
    groups = list(zip(*operands, strict=True))
    cls = ELEMENTWISE.get(word)
    if word == "negates" and not is_float:
        zero = rw.value(arith.ConstantOp, (), kind, {"value": IntegerAttr(0, cast(Any, kind))})
        cls, groups = arith.SubiOp, [(zero, *group) for group in groups]
    if cls is None or word.endswith("f") != is_float:
        raise CannotConvert(f"{word} of {op.result.type}")
    return [[rw.value(cls, group, kind, plain_flags(cls)) for group in groups]]
