"""Branches around the checks of a loop over threads, and which of them a copy without checks keeps.

    around all that the loop does        true in the copy: other threads do nothing
    the same for all threads of it       kept: it may be false for whole blocks
    with something else for the others   kept: many would be left to the loop with the checks
    true for few threads                 kept
    of a thread's number in its block    kept: for how many it is true is not known
    other ones that can be solved        true in the copy: few threads are at the ends of arrays

What a check asks that stands in a branch which is kept has to hold only for those who take it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from xdsl.dialects import arith, scf
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.predicates import EQ, EXCHANGED, SGE, SGT, SLE, SLT
from ..utils.block_editing import constant_value
from .thread_ranges import Marks, Solver, is_effectless

_USUAL = 128
"""Threads of a loop whose bounds are not known."""


class Side(NamedTuple):
    """One side of a branch."""

    branch: scf.IfOp
    is_true: bool


@dataclass
class Guards:
    """The branches of a solver's loop around `checks`, all those of the loop.

    `relaxed` has, for checks, the branches outside of which nothing is asked for them.
    """

    solver: Solver
    checks: set[Operation]
    relaxed: dict[Operation, set[Operation]] = field(
        default_factory=dict["Operation", "set[Operation]"]
    )
    _kept: dict[scf.IfOp, bool] = field(default_factory=dict["scf.IfOp", bool])

    def __post_init__(self) -> None:
        self._whole = set[Operation]()
        block = self.solver.loop.body.block
        while (branch := branch_around(block, self.checks)) is not None and not has_others(branch):
            self._whole.add(branch)
            block = branch.true_region.block

    def around(self, op: Operation) -> list[Side]:
        """The branches between the loop and an op in it, from the inside out."""
        found: list[Side] = []
        region = op.parent_region()
        while region is not None and (parent := region.parent) is not self.solver.loop:
            assert parent is not None, "the op stands in the loop"
            if isinstance(parent, scf.IfOp):
                found.append(Side(parent, region is parent.true_region))
            region = parent.parent_region()
        return found

    def is_uniform(self, branch: scf.IfOp) -> bool:
        """Whether a branch is the same for all threads of the loop."""
        return self.solver.slope(branch.cond) == 0

    def is_kept(self, branch: scf.IfOp) -> bool:
        """Whether the copy without checks has a branch that could be solved."""
        if branch not in self._kept:
            self._kept[branch] = branch not in self._whole and (
                self.is_uniform(branch)
                or has_others(branch)
                or self._few(branch) is not None
                or self._is_of_block(branch.cond)
            )
        return self._kept[branch]

    def _few(self, branch: scf.IfOp) -> range | None:
        """Threads of which some take a branch and others do not, if these are few and known."""
        low, high = (constant_value(value) for value in (self.solver.loop.lb, self.solver.loop.ub))
        found = self._threads(branch.cond, 0 if low is None else low, high)
        every = _USUAL if low is None or high is None else high - low
        return None if found is None or 2 * len(found) > every else found

    def _threads(self, condition: SSAValue, low: int, high: int | None) -> range | None:
        compares = [part.owner for part in parts_of(condition)]
        found = [self._compared(op, low, high) for op in compares if isinstance(op, arith.CmpiOp)]
        return min((threads for threads in found if threads is not None), key=len, default=None)

    def _compared(self, op: arith.CmpiOp, low: int, high: int | None) -> range | None:
        """The threads for which a comparison of their number with a constant holds."""
        predicate, thread, number = op.predicate.value.data, op.lhs, constant_value(op.rhs)
        if number is None:
            predicate, thread, number = EXCHANGED[predicate], op.rhs, constant_value(op.lhs)
        if number is None or thread is not self.solver.loop.body.block.args[0]:
            return None
        if predicate == EQ:
            return range(number, number + 1)
        if predicate in (SLT, SLE):
            return range(low, number + (predicate == SLE))
        if predicate in (SGE, SGT) and high is not None:
            return range(number + (predicate == SGT), high)
        return None

    def _is_of_block(self, condition: SSAValue) -> bool:
        """Whether threads' numbers in the block are compared with something that is no constant."""
        return any(self._compares_number(part.owner) for part in parts_of(condition))

    def _compares_number(self, op: Operation | Block) -> bool:
        if not isinstance(op, arith.CmpiOp):
            return False
        thread, other = op.operands
        if self.solver.slope(thread) == 0:
            thread, other = other, thread
        if self.solver.slope(thread) not in (1, -1) or self.solver.slope(other) != 0:
            return False
        first = self.solver.outside(thread)
        return constant_value(first) is not None and constant_value(other) is None

    def relax(self, op: Operation, since: Marks) -> None:
        """What was taken up `since` for a check has to hold where branches that are kept let it."""
        for branch, is_true in self.around(op):
            if branch not in self._whole and self._relax(branch, is_true, since):
                self.relaxed.setdefault(op, set()).add(branch)

    def _relax(self, branch: scf.IfOp, is_true: bool, since: Marks) -> bool:
        if self.is_uniform(branch):
            self.solver.only_if(since, branch.cond, is_true)
        elif is_true and (few := self._few(branch)) is not None:
            self.solver.within(since, *map(self.solver.number, (few.start, few.stop)))
        elif self.is_kept(branch) and (limits := self.solver.side(branch.cond, is_true)):
            self.solver.within(since, *limits)
        else:
            return False
        return True


def branch_around(block: Block, checks: Collection[Operation] = ()) -> scf.IfOp | None:
    """The branch around all that a block does beside these checks."""
    effects = [op for op in block.ops if op not in checks and not is_effectless(op)]
    branch = effects[0] if len(effects) == 1 else None
    return branch if isinstance(branch, scf.IfOp) else None


def has_others(branch: scf.IfOp) -> bool:
    """Whether there is something to do where a branch is false."""
    return any(not is_effectless(op) for block in branch.false_region.blocks for op in block.ops)


def parts_of(condition: SSAValue) -> Iterator[SSAValue]:
    """The conditions of which all have to hold."""
    if isinstance(condition.owner, arith.AndIOp):
        for operand in condition.owner.operands:
            yield from parts_of(operand)
    else:
        yield condition
