"""Bounds that a value carried round a loop keeps: found by induction, one hypothesis at a time.

    %k = scf.while (%k = %c128) ... { %c = %k > 0; condition(%c) %k } do { ... yield %k // 2 }

`%k <= 128` holds at first; if it holds at the head of one iteration, and `%k > 0`, then it holds
for `%k // 2` at the head of the next. The same is tried for "not below where it began" and "not
below zero".
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, scf
from xdsl.ir import SSAValue

from ..utils.block_editing import constant_value, is_integer
from .difference_bounds import ZERO, Bound, Node
from .range_conditions import assume
from .value_ranges import Ranges

# `low <= high + number`, between nodes.
_Fact = tuple[Node, Node, int]
_MOST_ENDS = 4


def assume_while(ranges: Ranges, op: scf.WhileOp) -> None:
    """Adds what is known in the body of a while: its condition, and the values passed on."""
    end = op.before_region.block.last_op
    assert isinstance(end, scf.ConditionOp), "a while's first region ends in condition"
    assume(ranges, end.condition)
    for argument, value in zip(op.after_region.block.args, end.args, strict=True):
        if is_integer(argument.type):
            ranges.add(argument, value, 0)
            ranges.add(value, argument, 0)


def add_invariants(ranges: Ranges, op: scf.WhileOp | scf.ForOp) -> None:
    """Adds the bounds that the loop's carried values keep, for the time inside the loop."""
    if isinstance(op, scf.WhileOp):
        heads, initial = op.before_region.block.args, op.arguments
        end = op.after_region.block.last_op
    else:
        heads, initial = op.body.block.args[1:], op.iter_args
        end = op.body.block.last_op
    assert isinstance(end, scf.YieldOp), "a loop's body ends in yield"
    carried = [
        row for row in zip(heads, initial, end.operands, strict=True) if is_integer(row[0].type)
    ]
    for row in carried:
        _add_invariants_of(ranges, op, *row)
    for row in carried[:-1]:  # what one takes over from another that comes behind it
        if row[2] in heads:
            _add_invariants_of(ranges, op, *row)


def result_bounds(
    ranges: Ranges, op: scf.WhileOp | scf.ForOp
) -> list[tuple[SSAValue, Bound, bool]]:
    """What holds for the loop's results, seen from inside: (result, bound, is it an upper one)."""
    if isinstance(op, scf.WhileOp):
        end = op.before_region.block.last_op
        assert isinstance(end, scf.ConditionOp), "a while's first region ends in condition"
        passed: Sequence[SSAValue] = end.args
        heads = op.before_region.block.args
    else:
        heads = passed = op.body.block.args[1:]
    inside = {id(head) for head in heads}
    found: list[tuple[SSAValue, Bound, bool]] = []
    for result, value in zip(op.results, passed, strict=True):
        if id(value) not in inside:
            continue
        for upper in (False, True):
            facts = ranges.facts_of(id(value), upper=upper)
            found += [(result, bound, upper) for bound in facts if bound[0] not in inside]
    return found


def _add_invariants_of(
    ranges: Ranges, op: scf.WhileOp | scf.ForOp, head: SSAValue, first: SSAValue, next_: SSAValue
) -> None:
    """Tries the hypotheses for one carried value."""
    node, offset = ranges.bound(first)
    at_head, _ = ranges.bound(head)
    hypotheses: list[list[_Fact]] = [[(node, at_head, -offset)], [(at_head, node, offset)]]
    low, high = ranges.interval(first)
    if low >= 0:
        hypotheses.append([(ZERO, at_head, 0)])
        hypotheses += [
            [(ZERO, at_head, 0), (at_head, ZERO, most)] for most in _ends(head) if high <= most
        ]
    for facts in hypotheses:
        mark = ranges.mark()
        _add(ranges, facts)
        if isinstance(op, scf.WhileOp):
            assume_while(ranges, op)
        following, distance = ranges.bound(next_)
        holds = all(
            ranges.proves_bound(following, high, number - distance)
            if low == at_head
            else ranges.proves_bound(low, following, number + distance)
            for low, high, number in facts
        )
        ranges.drop(mark)
        if holds:
            _add(ranges, facts)


def _add(ranges: Ranges, facts: list[_Fact]) -> None:
    for low, high, number in facts:
        ranges.add_bound(low, high, number)


def _ends(head: SSAValue) -> list[int]:
    """Numbers that a carried value is compared with, or taken away from."""
    found: list[int] = []
    for use in head.uses:
        op = use.operation
        if isinstance(op, arith.CmpiOp | arith.SubiOp):
            number = constant_value(op.operands[1 - use.index])
            if number is not None and (use.index == 1 or isinstance(op, arith.CmpiOp)):
                found.append(number)
    return found[:_MOST_ENDS]
