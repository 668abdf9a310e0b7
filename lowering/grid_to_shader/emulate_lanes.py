"""Converters of what threads exchange and report, for types that are emulated.

    %r = gpu.subgroup_reduce add %v : (i64) -> i64

      %m = gpux.ballot %true : i32               // the lanes that are here
      %r = scf.while (lanes of %m left, sum) { the next lane's value by gpu.shuffle, added }

A shuffle moves words. A reduction or scan of 8 or 16 bits is one of 32; of f16 and bf16 it is one
in f32, rounded once at the end; of i64 it goes through the lanes one by one, except `and`, `or` and
`xor`, which are done on each word. The same holds for native types where subgroup operations do not
take them (no `subgroup_extended_types`).
"""

from __future__ import annotations

from xdsl.dialects import arith, math, scf
from xdsl.dialects.builtin import Float16Type, i1, i32, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpu, gpux
from ...passes.utils.block_editing import integer_bits
from ..conversion import Operands, Results, Rewriter, Rules
from ..gpu_to_cpu.collective import combine
from ..math.calculator import Calculator, Number
from ..remarks import remark
from .emulated import (
    as_single,
    as_wide,
    as_word,
    calculator,
    extended,
    features_of,
    is_small_float,
    width_of,
    words,
)
from .features import ShaderFeatures
from .small_floats import narrow
from .wide_integers import Wide

RULES = Rules()
converts = RULES.converts
_LANES = (gpu.ShuffleOp, gpu.SubgroupReduceOp, gpux.SubgroupScanOp)
_BITWISE = ("and", "or", "xor")


def lanes_need_help(op: Operation, features: ShaderFeatures) -> bool:
    """Whether subgroup operations of the target do not take the type of this one."""
    if not isinstance(op, _LANES) or features.has("subgroup_extended_types"):
        return False
    kind = op.operands[0].type
    return integer_bits(kind) in (8, 16, 64) or isinstance(kind, Float16Type)


# --- shuffles and ballots -------------------------------------------------------------------------


@converts(gpu.ShuffleOp)
def convert_shuffle(op: gpu.ShuffleOp, operands: Operands, rw: Rewriter) -> Results:
    """A shuffle of each word."""
    c = calculator(op)
    (offset,), (width,) = operands[1:]
    kind = op.value.type

    def moved(word: Number) -> tuple[Number, SSAValue]:
        made = gpu.ShuffleOp(op.mode.data, word.value, offset, width)
        value, valid = c.add(made).results
        return c.number(value), valid

    if integer_bits(kind) == 64:
        halves = as_wide(c, operands[0], kind, signed=False)
        low, valid = moved(halves.low)
        high, _ = moved(halves.high)
        return [_from_halves(c, Wide(low, high), rw), valid]
    word, valid = moved(_as_moved(c, operands[0], kind, rw))
    return [_from_moved(c, word, kind, rw), valid]


def _as_moved(c: Calculator, values: tuple[SSAValue, ...], kind: Attribute, rw: Rewriter) -> Number:
    """A value of 8 or 16 bits as what subgroup operations take."""
    if values[0].type == i32:
        return c.number(values[0])
    if isinstance(kind, Float16Type):
        return as_single(c, values, kind, features_of(rw))
    return as_word(c, values, kind, signed=False)


def _from_moved(c: Calculator, word: Number, kind: Attribute, rw: Rewriter) -> SSAValue:
    new = rw.type(kind)
    if word.type == new:
        return word.value
    cast = arith.TruncIOp if word.is_int else arith.TruncFOp
    return c.op_of(cast, (word,), new).value


def _from_halves(c: Calculator, value: Wide, rw: Rewriter) -> tuple[SSAValue, ...]:
    """A number of 64 bits in the target's type or types."""
    if len(rw.types(i64)) == 2:
        return words(value)
    low, high = (c.op_of(arith.ExtUIOp, (word,), i64) for word in value)
    return ((low | (high << 32)).value,)


@converts(gpux.BallotOp)
def convert_ballot(op: gpux.BallotOp, operands: Operands, rw: Rewriter) -> Results:
    """The lanes from 0 on, and those from 32 on where there are any."""
    c = calculator(op)
    (predicate,) = operands[0]
    return [words(_ballot(c, predicate, features_of(rw)))]


def _ballot(c: Calculator, predicate: SSAValue, features: ShaderFeatures) -> Wide:
    low = c.number(c.add(gpux.BallotOp(predicate, i32)).results[0])
    if features.subgroup_size <= 32:
        return Wide(low, c.const(0, i32))
    return Wide(low, c.number(c.add(gpux.BallotOp(predicate, i32, first=32)).results[0]))


# --- reductions and scans -------------------------------------------------------------------------


@converts(gpu.SubgroupReduceOp, gpux.SubgroupScanOp)
def convert_reduction(
    op: gpu.SubgroupReduceOp | gpux.SubgroupScanOp, operands: Operands, rw: Rewriter
) -> Results:
    """In 32 bits, or lane by lane."""
    c, kind = calculator(op), op.value.type
    name = op.op.data.value if isinstance(op, gpu.SubgroupReduceOp) else op.kind.data
    features = features_of(rw)
    if integer_bits(kind) == 64:
        if name in _BITWISE:
            halves = as_wide(c, operands[0], kind, signed=False)
            low, high = (_again(op, c, word) for word in halves)
            return [_from_halves(c, Wide(low, high), rw)]
        return _one_by_one(op, name, features)
    if integer_bits(kind) is None:
        number = as_single(c, operands[0], kind, features)
        result = _again(op, c, number)
        if is_small_float(kind, features):
            return narrow(c, result, kind).value
        return _from_moved(c, result, kind, rw)
    signed = name.endswith("si")
    word = as_word(c, operands[0], kind, signed)
    return _from_moved(c, _clamped(op, c, name, _again(op, c, word)), kind, rw)


def _again(op: gpu.SubgroupReduceOp | gpux.SubgroupScanOp, c: Calculator, value: Number) -> Number:
    """The same op of another value."""
    if isinstance(op, gpux.SubgroupScanOp):
        made = gpux.SubgroupScanOp(op.kind.data, op.mode.data, value.value)
    else:
        made = gpu.SubgroupReduceOp(op.op.data, value.value, uniform=op.uniform is not None)
    return c.number(c.add(made).results[0])


def _clamped(op: Operation, c: Calculator, name: str, result: Number) -> Number:
    """What no lane has contributed to is the least or largest number of the narrow type."""
    if not isinstance(op, gpux.SubgroupScanOp) or op.mode.data == "inclusive":
        return result
    cls, neutral = combine(op, name, op.value.type)
    if name not in ("minsi", "minui", "maxsi"):
        return result
    if name == "minui":
        neutral = (1 << width_of(op.value.type)) - 1
    return c.op(cls, result, c.const(neutral, i32))


def _one_by_one(
    op: gpu.SubgroupReduceOp | gpux.SubgroupScanOp, name: str, features: ShaderFeatures
) -> Results:
    """The values of the active lanes in order, in the type itself, which is converted next."""
    remark(
        op,
        f"a subgroup {name} of i64 goes through the lanes one by one: the device has none of i64",
    )
    c, value = calculator(op), op.value
    cls, neutral = combine(op, name, value.type)
    here = _ballot(c, c.const(1, i1).value, features)
    width = c.const(features.subgroup_size, i32)
    own: Number | None = None
    if isinstance(op, gpux.SubgroupScanOp):
        lane = c.number(c.add(gpu.LaneIdOp()).results[0])
        own = c.op_of(arith.IndexCastOp, (lane,), i32)
        if op.mode.data == "inclusive":
            own = own + 1
    total = c.const(neutral, i64)
    for number, mask in enumerate(here):
        if number == 0 or features.subgroup_size > 32:
            total = _over_mask(c, mask, 32 * number, (value, width), total, cls, own)
    return total.value


def _over_mask(
    c: Calculator,
    mask: Number,
    first: int,
    moved: tuple[SSAValue, Number],
    total: Number,
    cls: type[Operation],
    own: Number | None,
) -> Number:
    """Adds the values of the lanes in a mask, of those before lane `own` if that is given."""
    value, width = moved
    kinds: list[Attribute] = [i32, i64]
    before, after = Block(arg_types=kinds), Block(arg_types=kinds)
    head = Calculator(c.anchor, c.type, before)
    more = head.number(before.args[0]).differs(0)
    head.add(scf.ConditionOp.create(operands=[more.value, *before.args]))
    body = Calculator(c.anchor, c.type, after)
    left, so_far = (body.number(argument) for argument in after.args)
    lane = body.op_of(math.CountTrailingZerosOp, (left,), i32) + first
    shuffle = gpu.ShuffleOp(gpu.ShuffleMode.Idx, value, lane.value, width.value)
    other = body.number(body.add(shuffle).results[0])
    summed = body.op(cls, so_far, other)
    if own is not None:
        summed = body.select(lane < own, summed, so_far)
    values = [left & (left - 1), summed]
    body.add(scf.YieldOp.create(operands=[number.value for number in values]))
    loop = scf.WhileOp.create(
        operands=[mask.value, total.value],
        result_types=kinds,
        regions=[Region(before), Region(after)],
    )
    return c.number(c.add(loop).results[1])


# --- reports --------------------------------------------------------------------------------------


@converts(gpux.CheckOp, gpux.PrintOp)
def convert_report(op: gpux.ReportOp, operands: Operands, rw: Rewriter) -> Results:
    """Values as the host reads them: by their format extended to 32 bits, or as two words."""
    c, features = calculator(op), features_of(rw)
    start = 1 if isinstance(op, gpux.CheckOp) else 0
    given = operands[start : start + len(op.values)]
    values: list[SSAValue] = []
    for group, old, format_ in zip(given, op.values, op.formats, strict=True):
        values += _reported(c, group, old.type, format_.data, features)
    formats = [format_.data for format_ in op.formats]
    ids = [value for (value,) in operands[start + len(op.values) :]]
    if isinstance(op, gpux.CheckOp):
        ((condition,),) = operands[:1]
        new: gpux.ReportOp = gpux.CheckOp(
            condition, op.kind.data, op.message.data, values, formats, ids
        )
    else:
        new = gpux.PrintOp(op.message.data, values, formats, ids)
    if op.site is not None:
        new.properties["site"] = op.site
    new.attributes |= op.attributes
    c.add(new)
    return None


def _reported(
    c: Calculator,
    group: tuple[SSAValue, ...],
    kind: Attribute,
    format_: str,
    features: ShaderFeatures,
) -> tuple[SSAValue, ...]:
    if is_small_float(kind, features):
        return (as_single(c, group, kind, features).value,)
    if len(group) == 1 and integer_bits(kind) is not None and group[0].type != kind:
        return (extended(c, group[0], width_of(kind), signed=format_.startswith("i")).value,)
    return group
