"""How structure-early-exits writes a loop whose body is structured already: scf.for or scf.while.

`flags` are cells that hold true until the loop is left early; without any, a `for` stays counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IntegerAttr, i1, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import simt
from ...dialects.arith import WRAPS
from ...dialects.predicates import SLT, ULT
from .block_editing import constant_value, erase, integer_bits, is_small, move_tail

_LESS, _BELOW = IntegerAttr(SLT, i64), IntegerAttr(ULT, i64)
# Ops that may stand in a loop's condition and do no harm if evaluated once after the loop is left.
_HARMLESS = (
    *(arith.ConstantOp, arith.CmpiOp, arith.CmpfOp, arith.AndIOp, arith.OrIOp, arith.XOrIOp),
    *(arith.AddiOp, arith.SubiOp, arith.MuliOp, arith.IndexCastOp, arith.ExtSIOp, arith.ExtUIOp),
    *(simt.GetOp, memref.DimOp),
)


def is_endless(loop: Operation) -> bool:
    """Whether a loop's condition is constant and true."""
    if not isinstance(loop, simt.WhileOp):
        return False
    end = loop.before.block.last_op
    return isinstance(end, simt.ConditionOp) and bool(constant_value(end.condition))


def conjunction(
    block: Block, condition: SSAValue | None, flags: Sequence[SSAValue], location: Any
) -> SSAValue:
    """`condition and flags…`, computed at the end of the block."""
    for flag in flags:
        get = simt.GetOp.create(operands=(flag,), result_types=(i1,), location=location)
        block.add_op(get)
        if condition is None:
            condition = get.value
            continue
        both = arith.AndIOp.create(
            operands=(condition, get.value), result_types=(i1,), location=location
        )
        block.add_op(both)
        condition = both.result
    assert condition is not None, "a conjunction of nothing"
    return condition


def structure_while(
    op: simt.WhileOp, flags: Sequence[SSAValue], bool_: Callable[[bool], SSAValue]
) -> None:
    """Replaces a `while` by an scf.while that also ends when a flag is no longer set."""
    before, location = op.before.block, op.location
    end = before.last_op
    assert isinstance(end, simt.ConditionOp), "a while's first region ends in condition"
    condition, end_location = end.condition, end.location
    erase(end)
    if flags and is_true(condition):
        condition = conjunction(before, None, flags, location)
    elif flags and all(isinstance(inner, _HARMLESS) for inner in before.ops):
        condition = conjunction(before, condition, flags, location)
    elif flags:
        condition = _guard_condition(before, condition, flags, bool_(False), op)
    before.add_op(scf.ConditionOp.create(operands=(condition,), location=end_location))
    regions = [op.detach_region(region) for region in (op.before, op.body)]
    _replace(op, scf.WhileOp.create(regions=regions, location=location))


def is_true(value: SSAValue) -> bool:
    """Whether a condition is the constant true."""
    return bool(constant_value(value))


def _guard_condition(
    before: Block, condition: SSAValue, flags: Sequence[SSAValue], false: SSAValue, op: Operation
) -> SSAValue:
    """Evaluates the condition's ops only while the flags are set; they may have effects."""
    assert before.first_op is not None and op.parent is not None, "the condition is an op inside"
    location = op.location
    inner = Block()
    move_tail(before.first_op, inner)
    cell = simt.CellOp.create(result_types=(simt.CellType(i1),), location=location)
    op.parent.insert_op_before(cell, op)
    go = conjunction(before, None, flags, location)
    inner.add_ops(
        [
            simt.SetOp.create(operands=(condition, cell.cell), location=location),
            scf.YieldOp.create(location=location),
        ]
    )
    orelse = Block(
        [
            simt.SetOp.create(operands=(false, cell.cell), location=location),
            scf.YieldOp.create(location=location),
        ]
    )
    get = simt.GetOp.create(operands=(cell.cell,), result_types=(i1,), location=location)
    guard = scf.IfOp.create(
        operands=(go,), regions=(Region(inner), Region(orelse)), location=location
    )
    before.add_ops([guard, get])
    return get.value


def structure_for(op: simt.ForOp, flags: Sequence[SSAValue]) -> None:
    """Replaces a `for` by an scf.for, or by an scf.while where it may be left early."""
    unsigned = "unsigned" in op.attributes
    bits = integer_bits(op.lower.type)
    if bits is not None and bits < 64 and (unsigned or constant_value(op.step) != 1):
        _widen(op, arith.ExtUIOp if unsigned else arith.ExtSIOp)
        unsigned = False
    if flags or unsigned:
        _for_to_while(op, flags, _BELOW if unsigned else _LESS)
        return
    bounds = tuple(op.operands)
    region = op.detach_region(op.body)
    _replace(op, scf.ForOp.create(operands=bounds, regions=(region,), location=op.location))


def _widen(op: simt.ForOp, extend: type[Operation]) -> None:
    """Counts in i64: signed, and `index + step` does not wrap behind the last iteration."""
    block, narrow = op.body.block, op.body.block.args[0]
    assert op.parent is not None, "a loop stands in a block"
    bounds: list[SSAValue] = []
    for bound in op.operands:
        new = extend.create(operands=(bound,), result_types=(i64,), location=op.location)
        op.parent.insert_op_before(new, op)
        bounds.append(new.results[0])
    op.operands = bounds
    wide = block.insert_arg(i64, 0, narrow.location)
    wide.name_hint = narrow.name_hint
    cut = arith.TruncIOp.create(operands=(wide,), result_types=(narrow.type,), location=op.location)
    _insert_first(block, cut)
    narrow.replace_all_uses_with(cut.result)
    block.erase_arg(narrow)


def _for_to_while(op: simt.ForOp, flags: Sequence[SSAValue], predicate: Attribute) -> None:
    """A counted loop that may be left early: the next index lives in a cell."""
    location, type_, outer = op.location, op.lower.type, op.parent
    assert outer is not None, "a loop stands in a block"
    cell = simt.CellOp.create(result_types=(simt.CellType(type_),), location=location)
    cell.cell.name_hint = op.body.block.args[0].name_hint
    first = simt.SetOp.create(operands=(op.lower, cell.cell), location=location)
    outer.insert_ops_before([cell, first], op)

    def get() -> simt.GetOp:
        return simt.GetOp.create(operands=(cell.cell,), result_types=(type_,), location=location)

    index = get()
    more = arith.CmpiOp.create(
        operands=(index.value, op.upper),
        result_types=(i1,),
        properties={"predicate": predicate},
        location=location,
    )
    before = Block([index, more])
    condition = conjunction(before, more.result, flags, location)
    before.add_op(scf.ConditionOp.create(operands=(condition,), location=location))

    body = op.body.block
    current = get()
    _insert_first(body, current)
    argument = body.args[0]
    argument.replace_all_uses_with(current.value)
    body.erase_arg(argument)
    following = _following(op, current.value)
    last = body.last_op
    assert last is not None, "the body is structured"
    set_ = simt.SetOp.create(operands=(following[-1].results[0], cell.cell), location=location)
    body.insert_ops_before([*following, set_], last)
    region = op.detach_region(op.body)
    _replace(op, scf.WhileOp.create(regions=(Region(before), region), location=location))


def _following(op: simt.ForOp, current: SSAValue) -> list[Operation]:
    """The next index; the upper bound where the sum would go past it, and may wrap.

    Integers below 64 bits are counted in 64; an `index` may have 32.
    """
    type_ = op.lower.type

    def add(cls: type[Operation], operands: Sequence[SSAValue], **options: Any) -> Operation:
        return cls.create(operands=operands, result_types=(type_,), location=op.location, **options)

    stepped = add(arith.AddiOp, (current, op.step), properties=WRAPS)
    small = is_small(op.upper) and is_small(op.step)
    if constant_value(op.step) == 1 or (type_ == i64 and small):
        return [stepped]
    left = add(arith.SubiOp, (op.upper, current), properties=WRAPS)
    inside = arith.CmpiOp.create(
        operands=(op.step, left.results[0]),
        result_types=(i1,),
        properties={"predicate": _BELOW},
        location=op.location,
    )
    following = add(arith.SelectOp, (inside.result, stepped.results[0], op.upper))
    return [stepped, left, inside, following]


def _insert_first(block: Block, op: Operation) -> None:
    assert block.first_op is not None, "the block has a terminator"
    block.insert_op_before(op, block.first_op)


def _replace(old: Operation, new: Operation) -> None:
    """Puts `new` in the place of a loop, which has no results."""
    assert old.parent is not None, "a loop stands in a block"
    old.parent.insert_op_before(new, old)
    erase(old)
