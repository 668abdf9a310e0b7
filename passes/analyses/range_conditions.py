"""Conditions as facts and as questions: `assume` adds what one says, `is_known` asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects import arith, scf
from xdsl.ir import OpResult, SSAValue

from ...dialects.predicates import EQ, OPPOSITE, SGE, SGT, SLE, SLT, UGE, UGT, ULE, ULT
from ..utils.block_editing import constant_value, integer_bits, is_integer
from .difference_bounds import Cases
from .range_definitions import if_cases

if TYPE_CHECKING:
    from .value_ranges import Ranges

_DEPTH = 12


def assume(ranges: Ranges, condition: SSAValue, outcome: bool = True, depth: int = 0) -> None:
    """Adds the facts that follow from a condition having that outcome."""
    op = condition.owner
    if depth > _DEPTH:
        return
    if isinstance(op, arith.CmpiOp):
        predicate = op.predicate.value.data
        _assume_compare(ranges, predicate if outcome else OPPOSITE[predicate], op.lhs, op.rhs)
    elif isinstance(op, arith.AndIOp | arith.OrIOp):
        if isinstance(op, arith.AndIOp) == outcome:  # both known
            for operand in op.operands:
                assume(ranges, operand, outcome, depth + 1)
    elif isinstance(op, arith.XOrIOp):
        for operand, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            flip = constant_value(other)
            if flip is not None:
                assume(ranges, operand, outcome != bool(flip & 1), depth + 1)
                break
    elif isinstance(op, arith.SelectOp | scf.IfOp):
        _assume_choice(ranges, condition, outcome, depth)


def _cases(value: SSAValue) -> Cases:
    op = value.owner
    if isinstance(op, arith.SelectOp):
        return ((op.lhs, op.cond, True), (op.rhs, op.cond, False))
    assert isinstance(op, scf.IfOp) and isinstance(value, OpResult), "a choice of two"
    return if_cases(op, value.index)


def _assume_choice(ranges: Ranges, condition: SSAValue, outcome: bool, depth: int) -> None:
    """`a and b` is `b if a else false`, `a or b` is `true if a else b`."""
    cases = _cases(condition)
    possible = [
        case
        for case in cases
        if (number := constant_value(case[0])) is None or bool(number & 1) == outcome
    ]
    if len(possible) == 1:
        value, choice, way = possible[0]
        if choice is not None:
            assume(ranges, choice, way, depth + 1)
        assume(ranges, value, outcome, depth + 1)


def _assume_compare(ranges: Ranges, predicate: int, a: SSAValue, b: SSAValue) -> None:
    if not is_integer(a.type) or integer_bits(a.type) == 1:
        return
    if predicate in (SGT, SGE, UGT, UGE):
        predicate, a, b = predicate - 2, b, a
    if predicate in (SLT, SLE):
        ranges.add(a, b, -1 if predicate == SLT else 0)
    elif predicate in (ULT, ULE):
        if ranges.interval(b)[0] >= 0:  # then a is not negative either
            ranges.add(a, b, -1 if predicate == ULT else 0)
            node, offset = ranges.bound(a)
            ranges.add_bound(0, node, offset)
    elif predicate == EQ:
        ranges.add(a, b, 0)
        ranges.add(b, a, 0)
    elif ranges.proves(a, b, 0):  # not equal, and not above
        ranges.add(a, b, -1)
    elif ranges.proves(b, a, 0):
        ranges.add(b, a, -1)


def is_known(ranges: Ranges, condition: SSAValue, outcome: bool = True, depth: int = 0) -> bool:
    """Whether a condition certainly has that outcome."""
    op = condition.owner
    number = constant_value(condition)
    if number is not None:
        return bool(number & 1) == outcome
    if depth > _DEPTH:
        return False
    if isinstance(op, arith.CmpiOp):
        predicate = op.predicate.value.data
        return _is_known_compare(
            ranges, predicate if outcome else OPPOSITE[predicate], op.lhs, op.rhs
        )
    if isinstance(op, arith.AndIOp | arith.OrIOp):
        every = all if isinstance(op, arith.AndIOp) == outcome else any
        return every(is_known(ranges, operand, outcome, depth + 1) for operand in op.operands)
    if isinstance(op, arith.XOrIOp):
        flip = constant_value(op.rhs)
        return flip is not None and is_known(ranges, op.lhs, outcome != bool(flip & 1), depth + 1)
    if isinstance(op, arith.SelectOp | scf.IfOp):
        return all(_case_is_known(ranges, case, outcome, depth) for case in _cases(condition))
    return False


def _case_is_known(
    ranges: Ranges, case: tuple[SSAValue, SSAValue | None, bool], outcome: bool, depth: int
) -> bool:
    value, choice, way = case
    assert choice is not None, "a choice has a condition"
    if is_known(ranges, choice, not way, depth + 1):
        return True  # never taken
    mark = ranges.mark()
    assume(ranges, choice, way)
    known = is_known(ranges, value, outcome, depth + 1)
    ranges.drop(mark)
    return known


def _is_known_compare(ranges: Ranges, predicate: int, a: SSAValue, b: SSAValue) -> bool:
    if not is_integer(a.type) or integer_bits(a.type) == 1:
        return False
    if predicate in (SGT, SGE, UGT, UGE):
        predicate, a, b = predicate - 2, b, a
    if predicate in (SLT, SLE):
        return ranges.proves(a, b, -1 if predicate == SLT else 0)
    if predicate in (ULT, ULE):
        return ranges.interval(a)[0] >= 0 and ranges.proves(a, b, -1 if predicate == ULT else 0)
    if predicate == EQ:
        return ranges.proves(a, b, 0) and ranges.proves(b, a, 0)
    return ranges.proves(a, b, -1) or ranges.proves(b, a, -1)
