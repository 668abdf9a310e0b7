"""The rules of `split-vectors`: what works in each lane by itself, and control flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects import arith, math, scf, vector
from xdsl.dialects.builtin import IndexType, ModuleOp, VectorType, i64
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpu
from ...dialects.arith import EXACT
from ...dialects.arith_lanes import LANES, is_vector, on_lanes
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
from . import vector_lanes, vector_memory
from .features import ShaderFeatures
from .vector_pieces import (
    as_vector,
    constant_piece,
    is_piece,
    joined,
    lanes_of,
    piece_types,
    scalars,
)

RULES = Rules(vector_lanes.RULES, vector_memory.RULES)
converts = RULES.converts

# What a target computes on vectors of up to 4 elements. Quotients of integers are not among them:
# no device divides vectors, and NVIDIA's driver 580.159 gives (a - 1) / b + 1 of the last lane in
# all lanes, for two to four of i64 (not of i32), also where no b is 0; lane by lane it is right.
_INTEGERS = (
    *(arith.AddiOp, arith.SubiOp, arith.MuliOp, arith.AndIOp, arith.OrIOp, arith.XOrIOp),
    *(arith.ShLIOp, arith.ShRUIOp, arith.ShRSIOp, arith.CmpiOp),
    *(arith.MinSIOp, arith.MaxSIOp, arith.MinUIOp, arith.MaxUIOp),
    math.AbsIOp,
)
_ARITHMETIC = (arith.AddfOp, arith.SubfOp, arith.MulfOp, arith.DivfOp)
_FLOATS = (
    *(*_ARITHMETIC, arith.NegfOp, arith.CmpfOp),
    *(arith.MinimumfOp, arith.MaximumfOp, arith.MinnumfOp, arith.MaxnumfOp),
    *(math.AbsFOp, math.CeilOp, math.FloorOp, math.TruncOp, math.RoundEvenOp),
    *(math.SqrtOp, math.CopySignOp),
)
_CASTS = (
    *(arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp, arith.ExtFOp, arith.TruncFOp),
    *(arith.SIToFPOp, arith.UIToFPOp, arith.FPToSIOp, arith.FPToUIOp),
    *(arith.BitcastOp, arith.IndexCastOp, arith.SelectOp),
)
ON_PIECES = frozenset((*_INTEGERS, *_FLOATS, *_CASTS))
_SCALAR_CLASS = {lanes: scalar for scalar, lanes in LANES.items()}
_CONTROL = (scf.IfOp, scf.ForOp, scf.WhileOp, scf.IndexSwitchOp, scf.YieldOp, scf.ConditionOp)
RULES.retype(*_CONTROL)


def split(module: ModuleOp, features: ShaderFeatures) -> None:
    """Splits all vectors of a module."""

    def pieces(kind: Any, types: Any) -> list[Attribute]:
        return piece_types(kind, features)

    def is_legal(op: Operation) -> bool:
        return _is_legal(op, features)

    convert(
        module, RULES, Legality({}, is_legal), TypeMap({VectorType: pieces}), "shader", features
    )


def _is_legal(op: Operation, features: ShaderFeatures) -> bool:
    values = [*op.operands, *op.results]
    values += [value for region in op.regions for block in region.blocks for value in block.args]
    kinds = [value.type for value in values if is_vector(value.type)]
    if any(not is_piece(kind, features) for kind in kinds):
        return False
    if op.name.startswith("vector."):
        return vector_lanes.is_simple(op) or vector_memory.is_whole(op, features)
    known = (*_CONTROL, arith.ConstantOp)
    return not kinds or isinstance(op, known) or _is_on_pieces(op)


def _class(op: Operation) -> type[Operation]:
    """xDSL's class of an op of arith, for scalars."""
    return _SCALAR_CLASS.get(type(op), type(op))


def _is_on_pieces(op: Operation) -> bool:
    """Whether a target computes it on vectors."""
    return _class(op) in ON_PIECES and not _extends_to_64(op) and not _mixes_zeros(op)


def _extends_to_64(op: Operation) -> bool:
    """Whether words become pairs of words, which a target has for one number."""
    extends = _class(op) in (arith.ExtSIOp, arith.ExtUIOp, arith.IndexCastOp)
    return extends and as_vector(op.results[0].type).element_type in (i64, IndexType())


def _mixes_zeros(op: Operation) -> bool:
    """Whether a lane's operand is a constant zero and another's is not: targets look at that."""
    if not isinstance(op, _ARITHMETIC):
        return False
    constants = [value.owner for value in op.operands if isinstance(value.owner, arith.ConstantOp)]
    given: list[Any] = [made.value for made in constants if is_vector(made.result.type)]
    numbers = [{str(float(number)) for number in value.get_values()} for value in given]
    return any(len(known) > 1 and known & {"0.0", "-0.0"} for known in numbers)


@converts(
    *(op for op in (*arith.Arith.operations, *math.Math.operations) if op is not arith.ConstantOp)
)
def convert_lanewise(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Piece by piece where all values are made of like pieces, else lane by lane."""
    groups = [rw.types(result.type) for result in op.results]
    is_whole = [is_vector(value.type) for value in op.operands]
    layouts = [tuple(map(lanes_of, group)) for group in groups]
    layouts += [
        tuple(lanes_of(value.type) for value in values)
        for values, whole in zip(operands, is_whole, strict=True)
        if whole
    ]
    if _is_on_pieces(op) and len(set(layouts)) == 1:
        parts = [
            values if whole else values * len(layouts[0])
            for values, whole in zip(operands, is_whole, strict=True)
        ]
        made = [
            _one(op, given, kinds, rw)
            for given, kinds in zip(
                zip(*parts, strict=True), zip(*groups, strict=True), strict=True
            )
        ]
        return [list(column) for column in zip(*made, strict=True)]
    count = sum(layouts[0])
    lanes = [
        scalars(rw, values) if whole else list(values) * count
        for values, whole in zip(operands, is_whole, strict=True)
    ]
    kinds = [as_vector(result.type).element_type for result in op.results]
    single = [_one(op, given, kinds, rw) for given in zip(*lanes, strict=True)]
    columns = zip(*single, strict=True)
    return [joined(rw, column, group) for column, group in zip(columns, groups, strict=True)]


def _one(
    op: Operation, operands: Sequence[SSAValue], kinds: Sequence[Attribute], rw: Rewriter
) -> Sequence[SSAValue]:
    """The op on one piece."""
    cls = on_lanes(_class(op), operands[0].type)
    return rw.create(
        cls, operands, kinds, properties=op.properties, attributes=op.attributes
    ).results


@converts(gpu.FuncOp)
def refuse_kernel(op: gpu.FuncOp, operands: Operands, rw: Rewriter) -> Results:
    """A launch passes numbers and arrays."""
    raise CannotConvert("a vector as parameter of a kernel, expected an array")


@converts(arith.ConstantOp)
def convert_constant(op: arith.ConstantOp, operands: Operands, rw: Rewriter) -> Results:
    """A constant for each piece."""
    value: Any = op.value
    numbers: list[Any] = list(value.get_values())
    pieces: list[SSAValue] = []
    for kind in rw.types(op.result.type):
        count = lanes_of(kind)
        pieces.append(constant_piece(rw, numbers[:count], kind))
        numbers = numbers[count:]
    return [pieces]


@converts(vector.FMAOp)
def convert_fma(op: vector.FMAOp, operands: Operands, rw: Rewriter) -> Results:
    """Lane by lane: `math.fma` is expanded for most devices."""
    kind = as_vector(op.results[0].type)
    lanes = zip(*(scalars(rw, values) for values in operands), strict=True)
    made = [rw.value(math.FmaOp, given, kind.element_type, EXACT) for given in lanes]
    return [joined(rw, made, rw.types(kind))]
