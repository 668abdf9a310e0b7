"""check-loop-ends: after each loop, whether it really ended.

    %r = scf.while (%x) {                     %r, %goes_on = scf.while (%x) {
      %c; scf.condition(%c) %y                  %both = %c and %true
                                                scf.condition(%both) %y, %c
    } do { … }                                } do { … }
                                              gpux.check !%goes_on, "loop", "…"

    scf.for %i = %a to %b step %s { … }       %n = scf.for %i = %a to %b step %s
                                                  iter_args(%_ = %a) { … scf.yield %i }
                                              gpux.check %b <= %a or %b - %n <= %s, "loop", "…"

Mesa's software device ends all loops of a thread after 65535 rounds in total, without a word. With
these checks a kernel that goes round more often is an error there, and never a wrong result. It
runs when all loops exist: those that lowering makes (atomics by compare-exchange, subgroups through
shared memory, divisions of 64 bits) also end early where the kernel has gone round too often.

The device's compiler believes that a loop ends by its condition only, and makes a constant of
everything which follows from that. So what is looked at is the condition without a %true that the
compiler does not know (a grid has at least one block), and the last but one number of a range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp, i1, i64
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpu, gpux
from .block_editing import constant, erase

MESSAGE = "the device ended this loop: it lets a thread go round 65535 times in all"
# By the numbers of the predicates of arith.
_NE, _SLE, _ULE = (IntegerAttr(number, i64) for number in (1, 3, 7))


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

    def put(self, op: Operation) -> SSAValue:
        """The op's result."""
        self._insert(op)
        return op.results[0]

    def _insert(self, op: Operation) -> None:
        op.location = self.last.location
        assert self.last.parent is not None, "a loop stands in a block"
        self.last.parent.insert_op_after(op, self.last)
        self.last = op

    def check(self, ended: Operation) -> None:
        """A check of what an op computes."""
        self._insert(gpux.CheckOp(self.put(ended), "loop", MESSAGE))


def _check_while(loop: scf.WhileOp) -> None:
    condition = loop.before_region.block.last_op
    assert isinstance(condition, scf.ConditionOp), "a while loop has a condition"
    holds, true = condition.operands[0], _unknown_true(loop)
    both = arith.AndIOp.create(operands=[holds, true], result_types=[i1], location=loop.location)
    loop.before_region.block.insert_op_before(both, condition)
    condition.operands = [both.results[0], *condition.operands[1:], holds]
    loop.after_region.block.insert_arg(i1, len(loop.after_region.block.args))
    regions = [_taken(region) for region in tuple(loop.regions)]
    made = scf.WhileOp.create(
        operands=tuple(loop.arguments), result_types=[*loop.result_types, i1], regions=regions
    )
    goes_on = _replace(loop, made)
    after = _After(made)
    after.check(_bits(arith.XOrIOp, goes_on, after.put(constant(i1, 1, loop.location))))


def _unknown_true(loop: Operation) -> SSAValue:
    """That a grid has blocks, in front of a loop."""
    size = gpu.GridDimOp(0)
    zero = constant(IndexType(), 0, loop.location)
    true = _compare(_NE, size.results[0], zero.result)
    assert loop.parent is not None, "a loop stands in a block"
    for op in (size, zero, true):
        op.location = loop.location
    loop.parent.insert_ops_before([size, zero, true], loop)
    return true.results[0]


def _check_for(loop: scf.ForOp) -> None:
    body = loop.body.block
    end = body.last_op
    assert isinstance(end, scf.YieldOp), "a loop's body ends in a yield"
    end.operands = [*end.operands, body.args[0]]
    body.insert_arg(loop.lb.type, len(body.args))
    made = scf.ForOp.create(
        operands=[*loop.operands, loop.lb],
        result_types=[*loop.result_types, loop.lb.type],
        regions=[_taken(loop.body)],
    )
    last = _replace(loop, made)
    after = _After(made)
    nothing = after.put(_compare(_SLE, made.ub, made.lb))
    left = arith.SubiOp.create(
        operands=[made.ub, last],
        result_types=[last.type],
        properties={"overflowFlags": arith.IntegerOverflowAttr("none")},
    )
    through = after.put(_compare(_ULE, after.put(left), made.step))
    after.check(_bits(arith.OrIOp, nothing, through))


def _compare(predicate: IntegerAttr[Any], a: SSAValue, b: SSAValue) -> Operation:
    properties = {"predicate": predicate}
    return arith.CmpiOp.create(operands=[a, b], result_types=[i1], properties=properties)


def _bits(op: type[Operation], a: SSAValue, b: SSAValue) -> Operation:
    return op.create(operands=[a, b], result_types=[i1])


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
