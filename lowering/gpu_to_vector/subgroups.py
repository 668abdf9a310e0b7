"""Subgroup operations, where a subgroup is one vector: among the lanes that take part.

    %r = gpu.subgroup_reduce add %v       vector.reduction <add>, %v  (others add nothing)
    %s = gpux.subgroup_scan add … %v      log2(lanes) steps of a shuffle and a sum
    %m = gpux.ballot %p                   the mask as bits
    %w, %ok = gpu.shuffle xor %v, %c1     vector.shuffle; by way of memory where the distance is not
                                          a constant

Sums of floats are those of a tree: lanes have no order among each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects import arith, math, vector
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    IntegerType,
    VectorType,
    i1,
    i32,
    i64,
)
from xdsl.dialects.utils.fast_math import FastMathFlag
from xdsl.ir import Operation, SSAValue

from ...dialects import gpu, gpux
from ...dialects.arith import WRAPS, plain_flags
from ...dialects.predicates import ULT
from ...dialects.vector import GatherOp, reduction
from ...passes.utils.block_editing import constant_value
from ..gpu_to_cpu.collective import combine, segment_width
from .lanes import INDEX

if TYPE_CHECKING:
    from .region import Body

_REASSOCIATED = arith.FastMathFlagsAttr((FastMathFlag.REASSOC,))


def _of_active(body: Body, value: SSAValue, neutral: float) -> SSAValue:
    """Each lane's value; the neutral one for lanes that do not take part."""
    lanes = body.vector(value)
    if body.mask is None:
        return lanes
    return body.select(body.mask, lanes, body.number(neutral, lanes.type))


def reduce(body: Body, op: gpu.SubgroupReduceOp) -> None:
    """One value of all lanes."""
    kind = op.op.data.value
    _, neutral = combine(op, kind, op.value.type)
    total = reduction(kind, _of_active(body, op.value, neutral))
    if isinstance(op.value.type, AnyFloat):
        total.properties["fastmath"] = _REASSOCIATED
    body.bind(op.result, body.value(total))


def scan(body: Body, op: gpux.SubgroupScanOp) -> None:
    """For each lane one value of the lanes up to it, or before it."""
    kind, neutral = combine(op, op.kind.data, op.value.type)
    inclusive = op.mode.data == "inclusive"
    # What no lane has contributed to is plain zero, not the negative one.
    start = neutral if inclusive or neutral else abs(neutral)
    total = _of_active(body, op.value, start)
    nothing = body.number(start, total.type)
    distance = 1
    while distance < body.width:
        total = _combined(body, kind, _moved_up(body, total, nothing, distance), total)
        distance *= 2
    body.bind(op.result, total if inclusive else _moved_up(body, total, nothing, 1))


def _combined(body: Body, kind: type[Operation], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
    return body.value(
        kind.create(operands=[lhs, rhs], result_types=[lhs.type], properties=plain_flags(kind))
    )


def _moved_up(body: Body, lanes: SSAValue, first: SSAValue, distance: int) -> SSAValue:
    """Each lane's value goes so many lanes up; `first` comes in from below."""
    width = body.width
    order = [lane - distance if lane >= distance else width + lane for lane in range(width)]
    return _shuffled(body, lanes, first, order)


def _shuffled(body: Body, a: SSAValue, b: SSAValue, order: Sequence[int]) -> SSAValue:
    mask = DenseArrayBase.from_list(i64, order)
    return body.value(
        vector.ShuffleOp.create(operands=[a, b], result_types=[a.type], properties={"mask": mask})
    )


def ballot(body: Body, op: gpux.BallotOp) -> None:
    """Bit i is lane i's predicate."""
    voted = body.among_active(body.vector(op.predicate))
    bits = bits_of(body, voted)
    if op.result.type != i64:
        if op.first_lane:
            bits = body.binary(arith.ShRUIOp, bits, body.number(op.first_lane, i64))
        bits = body.value(arith.TruncIOp.create(operands=[bits], result_types=[i32]))
    body.bind(op.result, bits)


def bits_of(body: Body, voted: SSAValue) -> SSAValue:
    """A mask as the bits of an i64."""
    if body.width < 8:  # no integer has so few bits
        weights = body.value(_weights(body))
        zero = body.number(0, weights.type)
        return body.value(reduction("or", body.select(voted, weights, zero)))
    whole = IntegerType(body.width)
    packed = body.value(
        vector.BitcastOp.create(operands=[voted], result_types=[VectorType(whole, [1])])
    )
    bits = body.extract(packed, body.number(0))
    if body.width == 64:
        return bits
    return body.value(arith.ExtUIOp.create(operands=[bits], result_types=[i64]))


def first_of(body: Body, mask: SSAValue) -> SSAValue:
    """The number of the first lane of a mask that is set, of which there is one, as an i64."""
    if body.width <= 64:
        return _first_bit(body, bits_of(body, mask))
    words = VectorType(i64, [body.width // 64])
    packed = body.value(vector.BitcastOp.create(operands=[mask], result_types=[words]))
    zero, first = body.number(0, i64), body.number(0, i64)
    for number in reversed(range(body.width // 64)):
        word = body.extract(packed, body.number(number))
        lane = body.binary(arith.AddiOp, _first_bit(body, word), body.number(64 * number, i64))
        some = body.value(arith.CmpiOp(word, zero, "ne"))
        first = body.select(some, lane, first)
    return first


def _first_bit(body: Body, bits: SSAValue) -> SSAValue:
    op = math.CountTrailingZerosOp.create(operands=[bits], result_types=[i64])
    return body.value(op)


def _weights(body: Body) -> Operation:
    one = body.number(1, body.vector_type(i64))
    lane = body.steps(1, body.vector_type(i64))
    return arith.ShLIOp.create(operands=[one, lane], result_types=[one.type], properties=WRAPS)


# --- shuffle --------------------------------------------------------------------------------------


def shuffle(body: Body, op: gpu.ShuffleOp) -> None:
    """Every lane reads a lane of its segment; its own if the other is not there."""
    width = segment_width(op, _number(op.width), body.width)
    value = body.vector(op.value)
    distance = _number(op.offset)
    if distance is None:
        got, valid = _anywhere(body, op, value, width)
    else:
        got, valid = _known(body, op.mode.data.value, value, width, distance)
    body.bind(op.shuffle_result, got)
    body.bind(op.valid, valid)


def _number(value: SSAValue) -> int | None:
    """The number that a value is known to be, through casts."""
    while isinstance(value.owner, arith.IndexCastOp | arith.TruncIOp):
        value = value.owner.operands[0]
    return constant_value(value)


def _known(
    body: Body, mode: str, value: SSAValue, width: int, distance: int
) -> tuple[SSAValue, SSAValue]:
    """Every lane knows the other one now."""
    order: list[int] = []
    inside: list[int] = []
    for lane in range(body.width):
        place = lane % width
        other = {"xor": place ^ distance, "up": place - distance, "down": place + distance}.get(
            mode, distance
        )
        is_inside = 0 <= other < width
        inside.append(int(is_inside))
        order.append(lane - place + other if is_inside else lane)
    got = _shuffled(body, value, value, order)
    valid = body.lanes_of(inside)
    if body.mask is None:
        return got, valid
    valid = body.binary(arith.AndIOp, valid, _shuffled(body, body.mask, body.mask, order))
    return body.select(valid, got, value), valid


def _anywhere(
    body: Body, op: gpu.ShuffleOp, value: SSAValue, width: int
) -> tuple[SSAValue, SSAValue]:
    """Lanes lie in memory, where each reads another."""
    kind = body.vector_type(INDEX)
    lane = body.steps(1, kind)
    place = body.binary(arith.AndIOp, lane, body.number(width - 1, kind))
    offset = body.vector(op.offset)
    if offset.type != kind:
        offset = body.value(arith.IndexCastOp.create(operands=[offset], result_types=[kind]))
    kinds = {"xor": arith.XOrIOp, "up": arith.SubiOp, "down": arith.AddiOp}
    mode = op.mode.data.value
    other = offset if mode == "idx" else body.binary(kinds[mode], place, offset)
    # One unsigned comparison also refuses what is below 0.
    valid = body.compare(ULT, other, body.number(width, kind))
    segment = body.binary(arith.SubiOp, lane, place)
    source = body.select(valid, body.binary(arith.AddiOp, other, segment), lane)
    got = _read(body, value, source)
    if body.mask is None:
        return got, valid
    valid = body.binary(arith.AndIOp, valid, _read(body, body.mask, source))
    return body.select(valid, got, value), valid


def _read(body: Body, lanes: SSAValue, source: SSAValue) -> SSAValue:
    """Of each lane the value of the lane that it names."""
    array, zero = body.scratch(lanes.type), body.number(0)
    body.add(vector.StoreOp.create(operands=[lanes, array, zero]))
    everyone = body.number(1, body.vector_type(i1))
    operands = [array, zero, source, everyone, body.number(0, lanes.type)]
    return body.value(GatherOp.create(operands=operands, result_types=[lanes.type]))
