"""Loops in another form: over a range, with a condition."""

from __future__ import annotations

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import f32
from xdsl.ir import Block, Region

from ..passes.utils.block_editing import erase
from .math.calculator import Calculator


def as_while(op: scf.ForOp) -> scf.WhileOp:
    """A loop over a range as one with a condition, in its place; the counter is its first value."""
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
    following = end.op(arith.AddiOp, end.number(after.args[0]), end.number(op.step))
    last.operands = [following.value, *last.operands]
    new = scf.WhileOp.create(
        operands=[op.lb, *op.iter_args], result_types=kinds, regions=[Region(before), Region(after)]
    )
    Calculator(op, f32).add(new)
    for old, result in zip(op.results, new.results[1:], strict=True):
        old.replace_all_uses_with(result)
    erase(op)
    return new
