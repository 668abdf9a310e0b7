"""Checks that hold in a whole loop over threads if conditions hold that are known before it.

    scf.for %i = %lo to %hi step %c1 {            %last = arith.subi %n, %c1
      scf.for %k = %c0 to %n step %c1 {           %all = arith.cmpi sle, %last, %most
        %ok = arith.cmpi ult, %k, %m       ->     scf.if %all {
        gpux.check %ok, …                           scf.for %i = %lo to %hi step %c1 {
                                                      scf.for %k = %c0 to %n step %c1 { … }

For checks that are no `±i + invariant`, by `run_time_bounds`. The conditions are sufficient, and
not always necessary. One walk over the loop, with the facts that hold at each check.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from xdsl.dialects import arith, scf
from xdsl.ir import Block, Operation, SSAValue

from ...dialects import gpux
from ...dialects.predicates import EXCHANGED, SGE, SGT, SLE, SLT, UGE, UGT, ULE, ULT
from .loop_invariants import add_invariants, assume_while
from .range_conditions import assume
from .run_time_bounds import Bound, RunTimeBounds
from .thread_guards import Guards
from .thread_ranges import Solver, second_of, select
from .value_ranges import Ranges

_OPTIONS = 4  # bounds of one value that are tried


@dataclass
class BoundedChecks:
    """Takes up checks of a solver's loop; `solved` are those that it could."""

    solver: Solver
    pending: set[Operation]
    around: Guards
    true: set[Operation]  # branches that are true in the solver's range
    index_bits: int = 64
    solved: list[gpux.CheckOp] = field(default_factory=list[gpux.CheckOp])
    exact: bool = True  # what was taken up is necessary too

    def __post_init__(self) -> None:
        loop = self.solver.loop
        self._around = {up for op in self.pending for up in _parents(op, loop)}
        above = list(_parents(loop, None))
        self.ranges = Ranges(above[-1], self.index_bits)
        for inner, outer in reversed(list(zip([loop, *above], above, strict=False))):
            if isinstance(outer, scf.IfOp):
                assume(self.ranges, outer.cond, inner.parent_region() is outer.true_region)
        self._row = self.solver.limits()
        self._visit(loop.body.block, False)

    def _visit(self, block: Block, guarded: bool) -> None:
        """Takes up the checks of a block; `guarded` says that it is in branches not solved."""
        for op in block.ops:
            if isinstance(op, gpux.CheckOp):
                if op in self.pending and self._take(op, guarded):
                    self.solved.append(op)
                assume(self.ranges, op.condition)
            elif op in self._around:
                self._visit_regions(op, guarded)

    def _visit_regions(self, op: Operation, guarded: bool) -> None:
        ranges = self.ranges
        if isinstance(op, scf.IfOp):
            for region, outcome in ((op.true_region, True), (op.false_region, False)):
                mark = ranges.mark()
                assume(ranges, op.cond, outcome)
                known = op in self.true or (self.around.is_kept(op) and self.around.is_uniform(op))
                inside = guarded or not outcome or not known
                for block in region.blocks:
                    self._visit(block, inside)
                ranges.drop(mark)
        elif isinstance(op, scf.ForOp | scf.WhileOp):
            mark = ranges.mark()
            add_invariants(ranges, op)
            if isinstance(op, scf.WhileOp):
                self._visit(op.before_region.block, True)
                assume_while(ranges, op)
                self._visit(op.after_region.block, True)
            else:
                self._visit(op.body.block, guarded)
            ranges.drop(mark)

    def _take(self, check: gpux.CheckOp, guarded: bool) -> bool:
        """Take up a check's condition; False, and nothing done, if no bounds of it are known."""
        marks = self.solver.marks()
        conditions = _Conditions(self.solver, self.ranges, self._row, guarded)
        if conditions.take(check.condition):
            self.around.relax(check, marks)
            if not self.solved:
                self._keep_to_rows()
            self.exact = self.exact and conditions.exact
            return True
        self.solver.forget(marks)
        return False

    def _keep_to_rows(self) -> None:
        """Bounds count on no iteration below zero, and on not too many."""
        solver, loop = self.solver, self.solver.loop
        most = RunTimeBounds(solver, self.ranges, self._row).threads
        if self.ranges.interval(loop.lb)[0] < 0:
            solver.when.append(solver.compare(SLE, solver.number(0), loop.lb))
        if self.ranges.interval(loop.ub)[1] > most:
            solver.when.append(solver.compare(SLE, loop.ub, solver.number(most)))


def _parents(op: Operation, end: Operation | None) -> Iterable[Operation]:
    """The ops around an op, up to a function or to `end`."""
    parent = op.parent_op()
    while parent is not None and parent is not end and parent.parent_op() is not None:
        yield parent
        parent = parent.parent_op()


class _Conditions:
    """Takes up the conditions of one check, at one place."""

    def __init__(
        self, solver: Solver, ranges: Ranges, row: tuple[SSAValue, SSAValue], guarded: bool
    ):
        self.solver = solver
        self.ranges = ranges
        self.guarded = guarded
        self.exact = True
        self.bounds = RunTimeBounds(solver, ranges, row)

    def take(self, condition: SSAValue) -> bool:
        """Take up a condition, or a part of it before it is seen that it cannot be."""
        op = condition.owner
        if self.solver.solve(condition):
            return True
        if isinstance(op, arith.AndIOp):
            return self.take(op.lhs) and self.take(op.rhs)
        if isinstance(op, scf.IfOp) and (second := second_of(op, condition)) is not None:
            return self.take(op.cond) and self.take(second)
        return isinstance(op, arith.CmpiOp) and self._compare(op)

    def _compare(self, op: arith.CmpiOp) -> bool:
        predicate, a, b = op.predicate.value.data, op.lhs, op.rhs
        if predicate in (SGT, SGE, UGT, UGE):
            predicate, a, b = EXCHANGED[predicate], b, a
        margin = -1 if predicate in (SLT, ULT) else 0
        if predicate in (SLT, SLE):
            return self._at_most(a, b, margin)
        if predicate in (ULT, ULE) and self.ranges.interval(b)[0] >= 0:
            return self._is_not_negative(a) and self._at_most(a, b, margin)
        return False

    def _is_not_negative(self, value: SSAValue) -> bool:
        if self.ranges.interval(value)[0] >= 0:
            return True
        zero, _ = self.bounds.between(0, 0)
        return self._take_one([(zero, least) for least in self._options(value, False)], 0)

    def _at_most(self, a: SSAValue, b: SSAValue, margin: int) -> bool:
        """Take up `a <= b + margin`."""
        if self.ranges.proves(a, b, margin):
            return True
        above, below = self._options(a, True), self._options(b, False)
        return self._take_one([(high, low) for high in above for low in below], margin)

    def _options(self, value: SSAValue, upper: bool) -> list[Bound]:
        """Bounds of a value; the first is that of how it is computed, if there is one."""
        extent = self.bounds.extent(value)
        found = [] if extent is None else [extent[upper]]
        if self.solver.slope(value) != 0 and (not found or self.guarded or not found[0].exact):
            found += self.bounds.facts(value, upper)
        return [bound for bound in found if not self._is_hopeless(bound, upper)][:_OPTIONS]

    def _is_hopeless(self, bound: Bound, upper: bool) -> bool:
        """Whether a bound is that of any number of 32 bits, as of one that is loaded.

        No array has so many elements: a check against it stays in the loop, as there would be no
        iteration left in which it surely holds.
        """
        most = self.bounds.near - 1
        return bound.low >= most if upper else bound.high < -most

    def _take_one(self, options: list[tuple[Bound, Bound]], margin: int) -> bool:
        """Take up that `high <= low + margin` for one of the options."""
        if not options:
            return False
        if any(self._is_certain(high, low, margin) for high, low in options):
            return True
        high, low = options[0]
        self.exact = self.exact and len(options) == 1 and high.exact and low.exact
        limits = [pair for pair in options if abs(pair[0].slope - pair[1].slope) == 1]
        always = [self._holds(*pair, margin) for pair in options if pair not in limits[:1]]
        if limits:
            self._limit(*limits[0], margin, always)
        else:
            self.solver.when.append(self._any(always))
        return True

    def _is_certain(self, high: Bound, low: Bound, margin: int) -> bool:
        """Whether `high <= low + margin` in every launch."""
        if high.when or low.when:
            return False
        threads = self.bounds.threads
        return high.interval(threads)[1] <= low.interval(threads)[0] + margin

    def _holds(self, high: Bound, low: Bound, margin: int) -> SSAValue:
        """Whether `high <= low + margin` in all iterations."""
        if high.slope != low.slope:
            high, low = self.bounds.flat(high, True), self.bounds.flat(low, False)
        end = self.bounds.shifted(low, margin).base
        return self._all([self.solver.compare(SLE, high.base, end), *high.when, *low.when])

    def _limit(self, high: Bound, low: Bound, margin: int, always: list[SSAValue]) -> None:
        """The iterations with `high <= low + margin`; all of them where one of `always` is true."""
        solver = self.solver
        rising = high.slope > low.slope
        end = self.bounds.shifted(low, margin).base
        limit = solver.minus(end, high.base) if rising else solver.minus(high.base, end)
        if rising:
            limit = solver.plus(limit, solver.number(1))
        first, last = solver.loop.lb, solver.loop.ub
        if when := [*high.when, *low.when]:
            none = first if rising else last
            limit = solver.add(select(self._all(when), limit, none)).results[0]
        if always:
            every = last if rising else first
            limit = solver.add(select(self._any(always), every, limit)).results[0]
        (solver.upper if rising else solver.lower).append((limit, solver.number(0)))

    def _all(self, conditions: list[SSAValue]) -> SSAValue:
        return self.solver.joined(arith.AndIOp, conditions)

    def _any(self, conditions: list[SSAValue]) -> SSAValue:
        return self.solver.joined(arith.OrIOp, conditions)
