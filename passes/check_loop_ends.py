"""check-loop-ends: after each loop, whether it really ended.

    %r = scf.while (%x) {                     %r, %goes_on = scf.while (%x) {
      %c; scf.condition(%c) %y                  %c; scf.condition(%c) %y, %c
    } do { … }                                } do { … }
                                              gpux.check !%goes_on, "loop", "…"

    scf.for %i = %a to %b step %s { … }       %n = scf.for %i = %a to %b step %s
                                                  iter_args(%_ = %a) { … scf.yield %i + %s }
                                              gpux.check %n >= %b, "loop", "…"

Mesa's software device ends all loops of a thread after 65535 rounds in total, without a word. With
these checks a kernel that goes round more often is an error there, and never a wrong result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i1, i64
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpux
from .block_editing import constant, erase

MESSAGE = "the device ended this loop: it lets a thread go round 65535 times in all"
_SGE = IntegerAttr(5, i64)


@dataclass(frozen=True)
class CheckLoopEnds(ModulePass):
    """Checks all loops; does nothing where `wanted` is false, on devices without such a limit."""

    name = "check-loop-ends"
    wanted: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not self.wanted:
            return
        for loop in [inner for inner in op.walk() if isinstance(inner, scf.ForOp | scf.WhileOp)]:
            if isinstance(loop, scf.WhileOp):
                _check_while(loop)
            else:
                _check_for(loop)


class _After:
    """Puts ops behind a loop, one after the other."""

    def __init__(self, loop: Operation) -> None:
        self.last = loop

    def put(self, op: Operation) -> SSAValue | None:
        """The op's result, if it has one."""
        op.location = self.last.location
        assert self.last.parent is not None, "a loop stands in a block"
        self.last.parent.insert_op_after(op, self.last)
        self.last = op
        return op.results[0] if op.results else None

    def check(self, ended: Operation) -> None:
        """A check of what an op computes."""
        condition = self.put(ended)
        assert condition is not None, "a condition is a value"
        self.put(gpux.CheckOp(condition, "loop", MESSAGE))


def _check_while(loop: scf.WhileOp) -> None:
    condition = loop.before_region.block.last_op
    assert isinstance(condition, scf.ConditionOp), "a while loop has a condition"
    holds = condition.operands[0]
    condition.operands = [*condition.operands, holds]
    loop.after_region.block.insert_arg(i1, len(loop.after_region.block.args))
    regions = [_taken(region) for region in tuple(loop.regions)]
    made = scf.WhileOp.create(
        operands=tuple(loop.arguments), result_types=[*loop.result_types, i1], regions=regions
    )
    goes_on = _replace(loop, made)
    after = _After(made)
    true = after.put(constant(i1, 1, loop.location))
    assert true is not None, "a constant is a value"
    after.check(arith.XOrIOp.create(operands=[goes_on, true], result_types=[i1]))


def _check_for(loop: scf.ForOp) -> None:
    body = loop.body.block
    end = body.last_op
    assert isinstance(end, scf.YieldOp), "a loop's body ends in a yield"
    following = arith.AddiOp.create(
        operands=[body.args[0], loop.step],
        result_types=[loop.step.type],
        properties={"overflowFlags": arith.IntegerOverflowAttr("none")},
        location=loop.location,
    )
    body.insert_op_before(following, end)
    end.operands = [*end.operands, following.results[0]]
    body.insert_arg(loop.lb.type, len(body.args))
    made = scf.ForOp.create(
        operands=[*loop.operands, loop.lb],
        result_types=[*loop.result_types, loop.lb.type],
        regions=[_taken(loop.body)],
    )
    reached = _replace(loop, made)
    compare = arith.CmpiOp.create(
        operands=[reached, made.ub], result_types=[i1], properties={"predicate": _SGE}
    )
    _After(made).check(compare)


def _taken(region: Region) -> Region:
    """A region with the one block of another."""
    block: Block = region.block
    region.detach_block(block)
    return Region(block)


def _replace(loop: Operation, made: Operation) -> SSAValue:
    """Puts a loop with one more result in place of another; that result."""
    made.location = loop.location
    made.attributes.update(loop.attributes)
    assert loop.parent is not None, "a loop stands in a block"
    loop.parent.insert_op_before(made, loop)
    new: Sequence[Any] = made.results[:-1]
    for old, value in zip(loop.results, new, strict=True):
        old.replace_all_uses_with(value)
    erase(loop)
    return made.results[-1]
