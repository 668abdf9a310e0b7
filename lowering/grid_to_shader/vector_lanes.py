"""The rules of `split-vectors` for ops that move, make and combine lanes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects import arith, vector
from xdsl.dialects.builtin import (
    AnyFloat,
    BFloat16Type,
    FixedBitwidthType,
    Float16Type,
    IndexType,
    IntegerAttr,
    IntegerType,
    f32,
    i1,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.arith import WRAPS, plain_flags
from ...dialects.vector import ConstantMaskOp, FromElementsOp, SplatOp, StepOp
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from .vector_pieces import as_vector, constant, joined, lanes_of, scalars

RULES = Rules()
converts = RULES.converts

DYNAMIC = -(2**63)
"""In the position of an extract or insert: the next operand."""
_EQUAL, _SIGNED_LESS = (IntegerAttr(number, i64) for number in (0, 2))


def is_simple(op: Operation) -> bool:
    """Whether it stays on pieces: one lane is taken out or put in, lanes of two are shuffled."""
    if isinstance(op, vector.ExtractOp | vector.InsertOp):
        whole = op.vector if isinstance(op, vector.ExtractOp) else op.dest
        places, count = op.static_position.get_values(), lanes_of(whole.type)
        return len(places) == 1 and (places[0] == DYNAMIC or 0 <= places[0] < count)
    return isinstance(op, vector.ShuffleOp | FromElementsOp)


def _made(rw: Rewriter, op: Operation, lanes: Sequence[SSAValue]) -> Results:
    """The result of an op by its lanes."""
    return [joined(rw, lanes, rw.types(op.results[0].type))]


def _count(rw: Rewriter, kind: Attribute) -> int:
    """How many lanes a vector has."""
    return sum(map(lanes_of, rw.types(kind)))


# --- made of scalars ------------------------------------------------------------------------------


@converts(SplatOp, vector.BroadcastOp)
def convert_splat(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The one value in every lane."""
    lanes, count = scalars(rw, operands[0]), _count(rw, op.results[0].type)
    if len(lanes) not in (1, count):
        raise CannotConvert(f"{op.operands[0].type} does not become {op.results[0].type}")
    return _made(rw, op, lanes * (count // len(lanes)))


@converts(FromElementsOp)
def convert_elements(op: FromElementsOp, operands: Operands, rw: Rewriter) -> Results:
    """The elements."""
    return _made(rw, op, [value for (value,) in operands])


@converts(StepOp)
def convert_step(op: StepOp, operands: Operands, rw: Rewriter) -> Results:
    """Each lane's number."""
    count = _count(rw, op.result.type)
    return _made(rw, op, [constant(rw, lane, IndexType()) for lane in range(count)])


@converts(ConstantMaskOp)
def convert_constant_mask(op: ConstantMaskOp, operands: Operands, rw: Rewriter) -> Results:
    """The first lanes."""
    count, size = _count(rw, op.mask.type), op.mask_dim_sizes.get_values()[0]
    return _made(rw, op, [constant(rw, lane < size, i1) for lane in range(count)])


@converts(vector.CreateMaskOp)
def convert_create_mask(op: vector.CreateMaskOp, operands: Operands, rw: Rewriter) -> Results:
    """The lanes below a size."""
    ((size,),), count = operands, _count(rw, op.results[0].type)
    lanes = [constant(rw, lane, size.type) for lane in range(count)]
    return _made(rw, op, [_compared(rw, _SIGNED_LESS, lane, size) for lane in lanes])


def _compared(
    rw: Rewriter, predicate: IntegerAttr[Any], a: SSAValue, b: SSAValue
) -> SSAValue:  # fmt: skip
    return rw.value(arith.CmpiOp, (a, b), i1, {"predicate": predicate})


# --- single lanes ---------------------------------------------------------------------------------


def _position(op: vector.ExtractOp | vector.InsertOp, count: int) -> int | None:
    """The lane, None where an operand says it."""
    given = op.static_position.get_values()
    if len(given) != 1:
        raise CannotConvert(f"a position of {len(given)} numbers, expected one for the lane")
    if given[0] == DYNAMIC:
        return None
    if not 0 <= given[0] < count:
        raise CannotConvert(f"lane {given[0]} of {count}")
    return int(given[0])


@converts(vector.ExtractOp)
def convert_extract(op: vector.ExtractOp, operands: Operands, rw: Rewriter) -> Results:
    """One lane; where it is not known, all are looked through."""
    lanes = scalars(rw, operands[0])
    place = _position(op, len(lanes))
    if place is not None:
        return lanes[place]
    ((index,),) = operands[1:]
    found = lanes[0]
    for number, lane in enumerate(lanes[1:], 1):
        here = _compared(rw, _EQUAL, index, constant(rw, number, index.type))
        found = rw.value(arith.SelectOp, (here, lane, found), lane.type)
    return found


@converts(vector.InsertOp)
def convert_insert(op: vector.InsertOp, operands: Operands, rw: Rewriter) -> Results:
    """The lanes with one replaced."""
    values, old, *dynamic = operands
    lanes = scalars(rw, old)
    if len(values) != 1:
        raise CannotConvert(f"{op.source.type} into {op.dest.type}, expected one lane")
    place = _position(op, len(lanes))
    if place is not None:
        return _made(rw, op, [*lanes[:place], values[0], *lanes[place + 1 :]])
    ((index,),) = dynamic
    numbers = [constant(rw, number, index.type) for number in range(len(lanes))]
    here = [_compared(rw, _EQUAL, index, number) for number in numbers]
    chosen = [
        rw.value(arith.SelectOp, (mine, values[0], lane), lane.type)
        for mine, lane in zip(here, lanes, strict=True)
    ]
    return _made(rw, op, chosen)


@converts(vector.ShuffleOp)
def convert_shuffle(op: vector.ShuffleOp, operands: Operands, rw: Rewriter) -> Results:
    """Any lanes of two vectors side by side."""
    both = [lane for values in operands for lane in scalars(rw, values)]
    wanted = [int(number) for number in op.mask.get_values()]
    if not all(0 <= number < len(both) for number in wanted):
        raise CannotConvert(f"lanes {wanted} of {len(both)}")
    return _made(rw, op, [both[number] for number in wanted])


# --- bits -----------------------------------------------------------------------------------------


@converts(vector.BitcastOp)
def convert_bitcast(op: vector.BitcastOp, operands: Operands, rw: Rewriter) -> Results:
    """The same bits, the lowest of a lane first."""
    source, kind = (as_vector(value.type).element_type for value in (op.source, op.result))
    lanes = scalars(rw, operands[0])
    if source == kind:
        return _made(rw, op, lanes)
    own, wanted = _width(source), _width(kind)
    words = [_cast(rw, lane, IntegerType(own)) for lane in lanes]
    if own > wanted:
        words = [_part(rw, word, n, wanted) for word in words for n in range(own // wanted)]
    elif own < wanted:
        each = wanted // own
        groups = [words[start : start + each] for start in range(0, len(words), each)]
        words = [_whole(rw, group, wanted) for group in groups]
    return _made(rw, op, [_cast(rw, word, kind) for word in words])


def _width(kind: Attribute) -> int:
    if not isinstance(kind, FixedBitwidthType):
        raise CannotConvert(f"the bits of {kind}")
    return kind.bitwidth


def _cast(rw: Rewriter, value: SSAValue, kind: Attribute) -> SSAValue:
    return value if value.type == kind else rw.value(arith.BitcastOp, (value,), kind)


def _part(rw: Rewriter, word: SSAValue, number: int, width: int) -> SSAValue:
    by = constant(rw, number * width, word.type)
    shifted = rw.value(arith.ShRUIOp, (word, by), word.type) if number else word
    return rw.value(arith.TruncIOp, (shifted,), IntegerType(width))


def _whole(rw: Rewriter, parts: Sequence[SSAValue], width: int) -> SSAValue:
    kind = IntegerType(width)
    step = width // len(parts)
    total: SSAValue | None = None
    for number, part in enumerate(parts):
        wide = rw.value(arith.ExtUIOp, (part,), kind)
        if number:
            by = constant(rw, number * step, kind)
            wide = rw.value(arith.ShLIOp, (wide, by), kind, WRAPS)
        total = wide if total is None else rw.value(arith.OrIOp, (total, wide), kind)
    assert total is not None, "a vector has lanes"
    return total


# --- reductions -----------------------------------------------------------------------------------

_KINDS: dict[str, tuple[type[Operation] | None, type[Operation] | None]] = {
    "add": (arith.AddiOp, arith.AddfOp),
    "mul": (arith.MuliOp, arith.MulfOp),
    "and": (arith.AndIOp, None),
    "or": (arith.OrIOp, None),
    "xor": (arith.XOrIOp, None),
    "minsi": (arith.MinSIOp, None),
    "maxsi": (arith.MaxSIOp, None),
    "minui": (arith.MinUIOp, None),
    "maxui": (arith.MaxUIOp, None),
    "minimumf": (None, arith.MinimumfOp),
    "maximumf": (None, arith.MaximumfOp),
    "minnumf": (None, arith.MinnumfOp),
    "maxnumf": (None, arith.MaxnumfOp),
}


@converts(vector.ReductionOp)
def convert_reduction(op: vector.ReductionOp, operands: Operands, rw: Rewriter) -> Results:
    """From the first lane to the last, after the accumulator; 16-bit floats in f32."""
    kind, word = op.dest.type, op.kind.data.value
    is_float = isinstance(kind, AnyFloat)
    combine = _KINDS[word][is_float]
    if combine is None:
        raise CannotConvert(f"{word} of lanes of type {kind}")
    lanes = [*(value for group in operands[1:] for value in group), *scalars(rw, operands[0])]
    is_small = isinstance(kind, Float16Type | BFloat16Type)
    if is_small:
        lanes = [rw.value(arith.ExtFOp, (lane,), f32) for lane in lanes]
    properties = plain_flags(combine)
    if is_float and op.fastmath:
        properties = {"fastmath": op.fastmath}
    total = lanes[0]
    for lane in lanes[1:]:
        total = rw.value(combine, (total, lane), lane.type, properties)
    return rw.value(arith.TruncFOp, (total,), kind) if is_small else total


@converts(vector.PrintOp)
def refuse_print(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Prints have a message and a place."""
    raise CannotConvert("vector.print has no place to print to on a device; use gpux.print")
