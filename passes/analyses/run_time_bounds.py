"""What values in a loop over threads are at least and at most, computed before the loop.

    scf.for %i = %lo to %hi step %c1 {         x[%i + %k] is at least at  1 * %i + 0,
      scf.for %k = %c0 to %n step %c1 {        and at most at  1 * %i + (%n - 1)
        %j = arith.addi %i, %k
        … %x[%j] …

A bound is `slope * i + base`, for the loop's variable i; `flat` makes one for all iterations.
Bounds come from how a value is computed (the index of an inner loop is below its end; sums and
products of bounds, …). `facts` are those that `value_ranges` knows where the value is used: inside
of `if k < n` k is at most n - 1.

Bounds are mathematical integers. Each carries the numbers between which its base is whatever the
launch; where these do not show that no sum or product wraps, conditions at run time have to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from xdsl.dialects import arith, memref, scf
from xdsl.ir import Attribute, Block, SSAValue

from ...dialects.predicates import SLE, ULT
from ..utils.block_editing import constant_value, integer_bits, is_integer
from .difference_bounds import ZERO, Node
from .run_time_definitions import RULES
from .thread_ranges import INDEX, Solver
from .value_ranges import Ranges

_DEPTH = 12


@dataclass(frozen=True)
class Bound:
    """`slope * i + base`; where the loop runs and `when` is true, low <= base <= high."""

    slope: int
    base: SSAValue
    low: int
    high: int
    when: tuple[SSAValue, ...] = ()
    exact: bool = True  # some iteration reaches it

    def interval(self, iterations: int) -> tuple[int, int]:
        """The numbers that the bound is between in so many iterations."""
        ends = 0, self.slope * iterations
        return self.low + min(ends), self.high + max(ends)


# What a value is at least, and at most.
Extent: TypeAlias = tuple[Bound, Bound]


@dataclass
class RunTimeBounds:
    """Bounds at one place in the loop; what computes them is put before the loop, and pure."""

    solver: Solver
    ranges: Ranges
    row: tuple[SSAValue, SSAValue]  # first and end of the iterations
    _extents: dict[SSAValue, Extent | None] = field(
        default_factory=dict["SSAValue", "Extent | None"]
    )
    _depth: int = 0

    def __post_init__(self) -> None:
        bits = self.ranges.index_bits
        self.far = 1 << (bits - 4)  # sums of a few such numbers fit
        self.near = 1 << (bits // 2 - 1)  # products of two fit
        self.threads = 1 << (bits // 2 - 1)  # more than a row has
        self.steep = 1 << (bits // 4 - 2)  # and slopes that hardly count beside `far`

    def extent(self, value: SSAValue) -> Extent | None:
        """By how a value is computed; None where that says nothing."""
        if value not in self._extents:
            self._extents[value] = None
            if self._depth < _DEPTH and is_number(value.type):
                self._depth += 1
                self._extents[value] = self._find(value)
                self._depth -= 1
        return self._extents[value]

    def _find(self, value: SSAValue) -> Extent | None:
        slope = self.solver.slope(value)
        if slope is not None and abs(slope) <= self.steep:
            bound = self._affine(value, slope)
            return bound, bound
        op = value.owner
        if isinstance(op, Block):
            return self._index(op, value) or self._known(value)
        rule = RULES.get(type(op))
        found = rule(self, op) if rule is not None else None
        return self._known(value) if found is None else self._fitting(found, value.type)

    def _known(self, value: SSAValue) -> Extent | None:
        """Where the analysis knows two numbers."""
        low, high = self.ranges.interval(value)
        return self.between(low, high) if low >= -self.far and high <= self.far else None

    def _affine(self, value: SSAValue, slope: int) -> Bound:
        """A value that is `slope * i + base`, as it is computed."""
        if value is self.solver.loop.body.block.args[0]:
            return Bound(1, self.solver.number(0), 0, 0)
        base = self.solver.outside(value)
        if base.type != INDEX:
            base = self.solver.add(arith.IndexCastOp(base, INDEX)).results[0]
        low, high = self.ranges.interval(value)
        far = slope * self.threads
        low, high = low - max(far, 0), high - min(far, 0)
        most = 2 * self.far + self.far // 2  # sizes and ids of a launch, and a little more
        if low >= -most and high <= most:
            return Bound(slope, base, low, high)
        return Bound(slope, base, -self.far, self.far, (self._is_within(base, self.far),))

    def _is_within(self, base: SSAValue, far: int) -> SSAValue:
        """Whether -far <= base < far."""
        solver = self.solver
        moved = solver.plus(base, solver.number(far))
        return solver.compare(ULT, moved, solver.number(2 * far))

    def _index(self, block: Block, value: SSAValue) -> Extent | None:
        """The index of an inner loop; what a loop carries has none."""
        loop = block.parent_op()
        step = constant_value(loop.step) if isinstance(loop, scf.ForOp) else None
        if not isinstance(loop, scf.ForOp) or value is not block.args[0] or (step or 0) < 1:
            return None
        assert step is not None, "a step that is not known has been turned away"
        first, end = self.extent(loop.lb), self.extent(loop.ub)
        if first is None or end is None:
            return None
        low, high = self.ranges.type_range(value.type)
        if step > 1:  # `index + step` is computed once behind the last iteration
            _, highest = self.narrow(end, low, high - step)
            end = end[0], replace(end[1], when=highest.when)
        least, past = first[0], end[1]
        if step > 1 and self._is_same(loop.lb) and self._is_same(loop.ub):
            return least, self._last(least, past, step)
        return least, self.shifted(past, -1)

    def _is_same(self, value: SSAValue) -> bool:
        return self.solver.slope(value) == 0

    def _last(self, first: Bound, end: Bound, step: int) -> Bound:
        """The last index of a loop whose ends are the same in all iterations."""
        solver = self.solver
        length = solver.minus(self.shifted(end, -1).base, first.base)
        length = solver.binary(arith.MaxSIOp, length, solver.number(0))
        rounds = solver.binary(arith.DivUIOp, length, solver.number(step))
        last = solver.plus(first.base, solver.binary(arith.MuliOp, rounds, solver.number(step)))
        return Bound(0, last, first.low, max(end.high, first.high), first.when + end.when)

    # Arithmetic of bounds

    def shifted(self, bound: Bound, number: int) -> Bound:
        """`bound + number`."""
        if number == 0:
            return bound
        base = self.solver.plus(bound.base, self.solver.number(number))
        return replace(bound, base=base, low=bound.low + number, high=bound.high + number)

    def plus(self, a: Bound, b: Bound, sign: int = 1) -> Bound:
        """`a + sign * b`."""
        base = (self.solver.plus if sign > 0 else self.solver.minus)(a.base, b.base)
        low, high = (b.low, b.high) if sign > 0 else (-b.high, -b.low)
        exact = a.exact and b.exact
        slope, when = a.slope + sign * b.slope, a.when + b.when
        return Bound(slope, base, a.low + low, a.high + high, when, exact)

    def scaled(self, extent: Extent, number: int) -> Extent:
        """A value times a number."""
        most = max(abs(end) for bound in extent for end in bound.interval(self.threads))
        if most * abs(number) > 4 * self.far:
            extent = self.narrow(extent, -self.near, self.near)
        least, greatest = (self._times(bound, number) for bound in extent)
        return (least, greatest) if number >= 0 else (greatest, least)

    def _times(self, bound: Bound, number: int) -> Bound:
        base = self.solver.binary(arith.MuliOp, bound.base, self.solver.number(number))
        low, high = sorted((bound.low * number, bound.high * number))
        return replace(bound, slope=bound.slope * number, base=base, low=low, high=high)

    def product(self, extent: Extent, factor: SSAValue) -> Extent:
        """A value times one that is the same in all iterations, and not negative."""
        same = self._affine(factor, 0)
        by, _ = self.narrow((same, same), 0, self.near)
        found: list[Bound] = []
        for bound in self.narrow(extent, -self.near, self.near):
            base = self.solver.binary(arith.MuliOp, bound.base, by.base)
            ends = [end * most for end in (bound.low, bound.high) for most in (by.low, by.high)]
            when = bound.when + by.when
            found.append(replace(bound, base=base, low=min(ends), high=max(ends), when=when))
        return found[0], found[1]

    def divided(self, extent: Extent, number: int) -> Extent:
        """A value that is not negative, divided by a number above zero."""
        found: list[Bound] = []
        for bound in self.narrow(extent, 0, self.far):
            base = self.solver.binary(arith.DivUIOp, bound.base, self.solver.number(number))
            low, high = bound.low // number, bound.high // number
            found.append(replace(bound, base=base, low=low, high=high))
        return found[0], found[1]

    def between(self, low: int, high: int, when: tuple[SSAValue, ...] = ()) -> Extent:
        """Two numbers; no iteration need reach them."""
        numbers = (Bound(0, self.solver.number(end), end, end, when, False) for end in (low, high))
        return next(numbers), next(numbers)

    def flat(self, bound: Bound, upper: bool) -> Bound:
        """The same for all iterations: the greatest (or least) that the bound becomes in them."""
        if bound.slope == 0:
            return bound
        solver, (start, end) = self.solver, self.row
        i = solver.minus(end, solver.number(1)) if (bound.slope > 0) == upper else start
        part = solver.binary(arith.MuliOp, i, solver.number(bound.slope))
        low, high = bound.interval(self.threads)
        return replace(bound, slope=0, base=solver.plus(bound.base, part), low=low, high=high)

    def narrow(self, extent: Extent, low: int, high: int) -> Extent:
        """Flat bounds, within [low, high] by conditions at run time if need be."""
        least, greatest = self.flat(extent[0], False), self.flat(extent[1], True)
        solver = self.solver
        when = least.when + greatest.when
        if least.low < low:
            when += (solver.compare(SLE, solver.number(low), least.base),)
        if greatest.high > high:
            when += (solver.compare(SLE, greatest.base, solver.number(high)),)
        least = replace(least, low=max(least.low, low), high=min(least.high, high), when=when)
        greatest = replace(
            greatest, low=max(greatest.low, low), high=min(greatest.high, high), when=when
        )
        return least, greatest

    def _fitting(self, extent: Extent, kind: Attribute) -> Extent | None:
        """The bounds of what an op computes, which is right only where its type does not wrap."""
        low, high = self.ranges.type_range(kind)
        low, high = max(low, -2 * self.far), min(high, 2 * self.far)
        least, greatest = (bound.interval(self.threads) for bound in extent)
        if low <= least[0] and greatest[1] <= high:
            return extent
        low, high = max(low, -self.far), min(high, self.far)
        when = self.narrow(extent, low, high)[0].when
        return self._between(extent[0], low, high, when), self._between(extent[1], low, high, when)

    def _between(self, bound: Bound, low: int, high: int, when: tuple[SSAValue, ...]) -> Bound:
        """A bound that is in [low, high] in all iterations if `when` is true."""
        ends = 0, bound.slope * self.threads
        low, high = max(bound.low, low - max(ends)), min(bound.high, high - min(ends))
        return replace(bound, low=low, high=high, when=when)

    # What is known by facts

    def facts(self, value: SSAValue, upper: bool) -> Iterator[Bound]:
        """Bounds by what is known at this place."""
        yield from self._reached(value, upper)
        for use in value.uses:
            op = use.operation
            if isinstance(op, arith.AddiOp) and op.results[0].type == value.type:
                other = op.rhs if op.lhs is value else op.lhs
                yield from self._by_sum(op.result, value, other, upper)

    def _by_sum(
        self, total: SSAValue, value: SSAValue, other: SSAValue, upper: bool
    ) -> Iterator[Bound]:
        """`value` is `total - other`; worth a look where something is known of the total."""
        node, _ = self.ranges.bound(total)
        known = self.ranges.facts_of(node, upper=upper)
        if not known or not self._is_same(other):
            return
        if self.ranges.adds_up(total, value, other, 1):
            for bound in self._reached(total, upper):
                yield self.plus(bound, self._affine(other, 0), -1)

    def _reached(self, value: SSAValue, upper: bool) -> Iterator[Bound]:
        node, offset = self.ranges.bound(value)
        for other, number in self.ranges.reach(node, upper=upper).items():
            bound = self._at(other) if abs(number + offset) <= self.far // 2 else None
            if bound is not None:
                yield replace(self.shifted(bound, number + offset), exact=False)

    def _at(self, node: Node) -> Bound | None:
        """A node of the analysis, where it is `slope * i + base`."""
        if node == ZERO:
            return Bound(0, self.solver.number(0), 0, 0)
        value = self.ranges.values.get(node)
        if value is None or isinstance(node, tuple):
            return self._size(node, value)
        slope = self.solver.slope(value)
        return None if slope is None else self._affine(value, slope)

    def _size(self, node: Node, view: SSAValue | None) -> Bound | None:
        if view is None or not isinstance(node, tuple) or node[0] != "axis":
            return None
        if not self._is_same(view):
            return None
        axis = self.solver.number(node[2])
        size = self.solver.add(memref.DimOp(self.solver.outside(view), axis)).results[0]
        return Bound(0, size, 0, self.ranges.limit)


def is_number(type_: Attribute) -> bool:
    """Whether values of a type are numbers, and not true or false."""
    return is_integer(type_) and integer_bits(type_) != 1
