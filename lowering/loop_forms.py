"""Loops in another form: over a range, with a condition."""

from __future__ import annotations

from xdsl.dialects import func, scf
from xdsl.dialects.builtin import f32
from xdsl.ir import Block, Operation, Region

from ..dialects import gpu
from ..passes.analyses.value_ranges import Ranges
from ..passes.utils.block_editing import constant_value, erase
from .math.calculator import Calculator


def may_wrap(loop: scf.ForOp, index_bits: int = 64) -> bool:
    """Whether index + step may pass the end of the type behind the last iteration.

    A loop that adds first and then compares would go on there.
    """
    if constant_value(loop.step) == 1:
        return False
    function: Operation | None = loop
    while function is not None and not isinstance(function, gpu.FuncOp | func.FuncOp):
        function = function.parent_op()
    ranges = Ranges(function, index_bits)
    _, most = ranges.type_range(loop.ub.type)
    return ranges.end(loop.ub, upper=True) + ranges.end(loop.step, upper=True) > most


def as_while(op: scf.ForOp, index_bits: int = 64) -> scf.WhileOp:
    """A loop over a range as one with a condition, in its place; the counter is its first value."""
    wraps = may_wrap(op, index_bits)
    kinds = [op.lb.type, *(value.type for value in op.iter_args)]
    before = Block(arg_types=kinds)
    head = Calculator(op, f32, before)
    more = head.number(before.args[0]) < head.number(op.ub)
    head.add(scf.ConditionOp.create(operands=[more.value, *before.args]))
    after = op.body.block
    op.body.detach_block(after)
    last = after.last_op
    assert last is not None, "a loop's body ends in a yield"
    end = Calculator(last, f32)
    index, step, limit = (end.number(value) for value in (after.args[0], op.step, op.ub))
    following = index + step
    if wraps:
        following = end.select(step.below(limit - index), following, limit)
    last.operands = [following.value, *last.operands]
    new = scf.WhileOp.create(
        operands=[op.lb, *op.iter_args], result_types=kinds, regions=[Region(before), Region(after)]
    )
    Calculator(op, f32).add(new)
    for old, result in zip(op.results, new.results[1:], strict=True):
        old.replace_all_uses_with(result)
    erase(op)
    return new
