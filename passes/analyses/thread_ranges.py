"""For which iterations of a loop over threads conditions hold: `[start, end)`, known before it.

    %g = arith.addi %base, %i                  %limit = arith.subi %n, %base
    %in = arith.cmpi slt, %g, %n       ->      %end = arith.minsi %hi, %limit

Solved are comparisons of `±i + invariant` with invariants, and conjunctions of them. Of limits that
differ by a number only the tightest is computed, and none that is surely below the loop's own:
where %base is the first thread of a block, `%base + %i` is not negative, and of three neighbours
`%base + %i - 1` says where they begin. Both hold of differences that do not wrap (`value_ranges`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IndexType, i1
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import Pure

from ...dialects.arith import let_wrap
from ...dialects.making import make
from ...dialects.predicates import EQ, EXCHANGED, SGE, SGT, SLE, SLT, ULT
from ..utils.block_editing import binary, compare, constant, constant_value
from .difference_bounds import Node
from .value_ranges import Ranges

INDEX = IndexType()
_DEPTH = 64
_FAR = (1 << 31) - 1  # what fits an index of any width
Limit: TypeAlias = tuple[SSAValue, SSAValue]
"""The first value less the second, as `index` computes it."""
Marks: TypeAlias = tuple[int, int, int]
"""How many limits and conditions a solver has taken up."""


@dataclass
class Solver:
    """Limits of a loop's variable between which conditions hold; its ops go before the loop, or
    before `nest`, a loop around it."""

    loop: scf.ForOp
    index_bits: int = 64
    nest: scf.ForOp | None = None
    equal: bool = False  # whether it takes up what holds for one iteration, or none
    lower: list[Limit] = field(default_factory=list[Limit])
    upper: list[Limit] = field(default_factory=list[Limit])
    when: list[SSAValue] = field(default_factory=list[SSAValue])
    _outside: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    _slopes: dict[SSAValue, int | None] = field(default_factory=dict["SSAValue", "int | None"])
    # What stands before the loop by now, so that nothing is computed twice.
    _made: dict[Any, SSAValue] = field(default_factory=dict["Any", "SSAValue"])

    def solve(self, condition: SSAValue) -> bool:
        """Take up a condition; False (and nothing done) if its range is not known."""
        op = condition.owner
        if self.slope(condition) == 0:
            self.when.append(self.outside(condition))
            return True
        if isinstance(op, arith.AndIOp):
            return self._both(op.lhs, op.rhs)
        if isinstance(op, scf.IfOp) and (second := second_of(op, condition)) is not None:
            return self._both(op.cond, second)
        return isinstance(op, arith.CmpiOp) and self._compare(op)

    def _both(self, first: SSAValue, second: SSAValue) -> bool:
        marks = self.marks()
        if self.solve(first) and self.solve(second):
            return True
        self.forget(marks)
        return False

    def marks(self) -> Marks:
        """What has been taken up by now, for `forget`."""
        return len(self.lower), len(self.upper), len(self.when)

    def forget(self, marks: Marks) -> None:
        """Take back what has been taken up since."""
        for limits, mark in zip((self.lower, self.upper, self.when), marks, strict=True):
            del limits[mark:]

    def only_if(self, since: Marks, condition: SSAValue, outcome: bool) -> None:
        """What was taken up `since` has to hold only where a condition, which is the same in all
        iterations, has this outcome."""
        lower, upper, when = self._taken(since)
        given = self.outside(condition)

        def then(value: SSAValue, otherwise: SSAValue) -> SSAValue:
            sides = (value, otherwise) if outcome else (otherwise, value)
            return self.add(select(given, *sides)).results[0]

        zero = self.number(0)
        if lower:
            start = then(self.joined(arith.MaxSIOp, lower), self.loop.lb)
            self.lower.append((start, zero))
        if upper:
            end = then(self.joined(arith.MinSIOp, upper), self.loop.ub)
            self.upper.append((end, zero))
        if when:
            true = self.add(constant(i1, 1, self.loop.location)).results[0]
            self.when.append(then(self.joined(arith.AndIOp, when), true))

    def within(self, since: Marks, start: SSAValue, end: SSAValue) -> None:
        """What was taken up `since` has to hold only from `start` to `end`, but in all of these."""
        lower, upper, when = self._taken(since)
        when += [self.compare(SLE, first, start) for first in lower]
        when += [self.compare(SLE, end, limit) for limit in upper]
        first, stop = constant_value(start), constant_value(end)
        if when and (first is None or stop is None):
            none = self.compare(SLE, end, start)
            self.when.append(self.binary(arith.OrIOp, none, self.joined(arith.AndIOp, when)))
        elif first is None or stop is None or first < stop:
            self.when += when

    def side(self, condition: SSAValue, outcome: bool) -> Limit | None:
        """First and end of the iterations in which a condition has an outcome, if that is known."""
        since = self.marks()
        if not self.solve(condition):
            return None
        lower, upper, when = self._taken(since)
        if when or (not outcome and len(lower) + len(upper) != 1):
            return None
        start, end = self.loop.lb, self.loop.ub
        first = self.joined(arith.MaxSIOp, [start, *lower])
        last = self.joined(arith.MinSIOp, [end, *upper])
        if outcome:
            return first, last
        return (start, first) if lower else (last, end)

    def _taken(self, since: Marks) -> tuple[list[SSAValue], list[SSAValue], list[SSAValue]]:
        """Take back what was taken up `since`: first iterations, ends, conditions."""
        lower = self._tightest(self.lower[since[0] :], upper=False)
        upper = self._tightest(self.upper[since[1] :], upper=True)
        when = self.when[since[2] :]
        self.forget(since)
        return lower, upper, when

    def _compare(self, op: arith.CmpiOp) -> bool:
        predicate = op.predicate.value.data
        variable, limit = op.lhs, op.rhs
        if self.slope(variable) == 0:
            variable, limit = limit, variable
            predicate = EXCHANGED[predicate]
        slope = self.slope(variable)
        if slope not in (1, -1) or self.slope(limit) != 0:
            return False
        if predicate == ULT and is_size(limit):
            base, bound = self.outside(variable), self.outside(limit)
            self._limit(SGE, slope, base, self.number(0))
            self._limit(SLT, slope, base, bound)
            return True
        if predicate == EQ and self.equal:
            base, bound = self.outside(variable), self.outside(limit)
            self._limit(SGE, slope, base, bound)
            self._limit(SLE, slope, base, bound)
            return True
        if predicate in (SLT, SLE, SGT, SGE):
            self._limit(predicate, slope, self.outside(variable), self.outside(limit))
            return True
        return False

    def _limit(self, predicate: int, slope: int, base: SSAValue, bound: SSAValue) -> None:
        """`slope * i + base` compares so with `bound`; lower limits are inclusive, upper not."""
        is_upper = (predicate in (SLT, SLE)) == (slope == 1)
        first, second = (bound, base) if slope == 1 else (base, bound)
        if is_upper == (predicate in (SLE, SGE)):  # i <= d, or i > d
            first = self.plus(first, self.number(1))
        (self.upper if is_upper else self.lower).append((first, second))

    def bounds(self) -> tuple[SSAValue, SSAValue]:
        """Bounds of a loop over the iterations in which all conditions hold; end may be < start."""
        lower = self._tightest(self.lower, upper=False)
        start = self.joined(arith.MaxSIOp, [*lower, self.loop.lb])
        end = self.joined(arith.MinSIOp, [self.loop.ub, *self._tightest(self.upper, upper=True)])
        return start, self._unless_never(start, self.binary(arith.MaxSIOp, end, start))

    def range(self) -> tuple[SSAValue, SSAValue]:
        """First and end of the iterations in which all conditions hold; first <= end."""
        start, end = self.limits()
        return start, self._unless_never(start, end)

    def _unless_never(self, start: SSAValue, end: SSAValue) -> SSAValue:
        """`end`, or `start` where conditions do not hold that are the same in all iterations."""
        if not self.when:
            return end
        return self.add(select(self.joined(arith.AndIOp, self.when), end, start)).results[0]

    def limits(self) -> tuple[SSAValue, SSAValue]:
        """The range, but for the conditions that are the same in all iterations."""
        start, end = self.loop.lb, self.loop.ub
        if lower := self._tightest(self.lower, upper=False):
            start = self.joined(arith.MaxSIOp, lower)
            start = self.binary(arith.MinSIOp, start, self.loop.ub)
            start = self.binary(arith.MaxSIOp, start, self.loop.lb)
        end = self.joined(arith.MinSIOp, [end, *self._tightest(self.upper, upper=True)])
        return start, self.binary(arith.MaxSIOp, end, start)

    @cached_property
    def _ranges(self) -> Ranges:
        """What is known of values in every launch: no facts of a place."""
        op: Operation = self.loop
        while (parent := op.parent_op()) is not None and parent.parent_op() is not None:
            op = parent
        return Ranges(op, self.index_bits)

    def _tightest(self, limits: list[Limit], *, upper: bool) -> list[SSAValue]:
        """The limits that count: of those which differ by a number one, none below the loop's."""
        found: dict[tuple[Node, Node] | Limit, tuple[int, Limit]] = {}
        for limit in limits:
            key, number = self._difference(limit)
            known = found.get(key)
            if known is None or (number < known[0] if upper else number > known[0]):
                found[key] = number, limit
        ranges = self._ranges
        least = ranges.interval(self.loop.lb)[0]
        return [
            self.minus(*limit)
            for key, (_, limit) in found.items()
            if upper or key == limit or self._most(limit) > least
        ]

    def _most(self, limit: Limit) -> int:
        """What a limit that does not wrap can be at most."""
        first, second = limit
        return self._ranges.interval(first)[1] - self._ranges.interval(second)[0]

    def _difference(self, limit: Limit) -> tuple[tuple[Node, Node] | Limit, int]:
        """What is subtracted, and a number to add; a limit that may wrap is one of its own."""
        first, second = limit
        ranges = self._ranges
        if not ranges.adds_up(first, first, second, -1):
            return limit, 0
        (node, number), (other, less) = ranges.bound(first), ranges.bound(second)
        return (node, other), number - less

    def joined(self, kind: type[Operation], values: list[SSAValue]) -> SSAValue:
        """`kind` of all values, of which there is one at least; what comes again is left out."""
        first, *others = dict.fromkeys(values)
        for other in others:
            first = self.binary(kind, first, other)
        return first

    def any_left(self, start: SSAValue, end: SSAValue) -> SSAValue:
        """Whether iterations lie before `start` or behind `end`."""
        if start is self.loop.lb:
            return self.compare(SLT, end, self.loop.ub)
        before = self.compare(SLT, self.loop.lb, start)
        behind = self.compare(SLT, end, self.loop.ub)
        return self.binary(arith.OrIOp, before, behind)

    def slope(self, value: SSAValue, depth: int = _DEPTH) -> int | None:
        """How much `value` grows with the loop's variable; None where that is not constant."""
        if value not in self._slopes:
            self._slopes[value] = self._find_slope(value, depth)
        return self._slopes[value]

    def _find_slope(self, value: SSAValue, depth: int) -> int | None:
        if value is self.loop.body.block.args[0]:
            return 1
        op = value.owner
        if not self._is_inside(value):
            return 0
        if isinstance(op, Block) or depth == 0 or not is_computed(op):
            return None
        slopes = [self.slope(operand, depth - 1) for operand in op.operands]
        return _slope_of(op, slopes)

    def _is_inside(self, value: SSAValue) -> bool:
        owner = value.owner
        block = owner if isinstance(owner, Block) else owner.parent
        parent = block.parent_op() if block is not None else None
        return parent is not None and (self.nest or self.loop).is_ancestor(parent)

    def outside(self, value: SSAValue) -> SSAValue:
        """What `value` is before the loop, with 0 for the loop's variable."""
        if value is self.loop.body.block.args[0]:
            return self.number(0)
        if not self._is_inside(value):
            return value
        if value not in self._outside:
            op = value.owner
            assert isinstance(op, Operation), "only the loop's variable is an argument inside"
            self._outside[value] = self._copied(op, [self.outside(value) for value in op.operands])
        return self._outside[value]

    def _copied(self, op: Operation, operands: list[SSAValue]) -> SSAValue:
        """An op before the loop, with other operands."""
        if isinstance(op, arith.AddiOp | arith.SubiOp) and op.result.type == INDEX:
            return (self.plus if isinstance(op, arith.AddiOp) else self.minus)(*operands)
        properties = dict(op.properties)
        let_wrap(properties)  # the loop may not run at all
        key = (type(op), *operands, *properties.items(), *op.attributes.items(), *op.result_types)
        if key not in self._made:
            copy = make(
                op.__class__, operands, op.result_types, properties, attributes=op.attributes
            )
            self._made[key] = self.add(copy).results[0]
        return self._made[key]

    def add(self, op: Operation) -> Operation:
        """Put an op before the loop."""
        outermost = self.nest or self.loop
        op.location = outermost.location
        block = outermost.parent
        assert block is not None, "the loop stands in a block"
        block.insert_op_before(op, outermost)
        return op

    def number(self, value: int) -> SSAValue:
        """A constant before the loop."""
        made = self._made.get(value)
        if made is None:
            op = self.add(constant(INDEX, value, self.loop.location))
            made = self._made[value] = op.results[0]
        return made

    def binary(self, kind: type[Operation], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`kind(lhs, rhs)` before the loop."""
        made = self._made.get((kind, lhs, rhs))
        if made is None:
            op = self.add(binary(kind, lhs, rhs))
            made = self._made[kind, lhs, rhs] = op.results[0]
        return made

    def compare(self, predicate: int, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """A comparison before the loop."""
        made = self._made.get((predicate, lhs, rhs))
        if made is None:
            op = self.add(compare(predicate, lhs, rhs))
            made = self._made[predicate, lhs, rhs] = op.results[0]
        return made

    def plus(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`lhs + rhs` before the loop."""
        first, second = constant_value(lhs), constant_value(rhs)
        if first is not None and second is not None and abs(first + second) <= _FAR:
            return self.number(first + second)
        if first == 0:
            return rhs
        return lhs if second == 0 else self.binary(arith.AddiOp, lhs, rhs)

    def minus(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`lhs - rhs` before the loop."""
        return lhs if constant_value(rhs) == 0 else self.binary(arith.SubiOp, lhs, rhs)


def is_computed(op: Operation) -> bool:
    """Whether an op gives the same result wherever it stands."""
    return not op.regions and (isinstance(op, memref.DimOp) or op.has_trait(Pure))


def is_effectless(op: Operation) -> bool:
    """Whether an op of a loop's body does nothing by itself."""
    return isinstance(op, scf.YieldOp) or is_computed(op)


def _slope_of(op: Operation, slopes: list[int | None]) -> int | None:
    if all(slope == 0 for slope in slopes):
        return 0
    if None in slopes or op.results[0].type != INDEX:
        return None
    first, second = (slope or 0 for slope in (*slopes, 0)[:2])
    if isinstance(op, arith.AddiOp):
        return first + second
    if isinstance(op, arith.SubiOp):
        return first - second
    return None


def is_size(value: SSAValue) -> bool:
    """Whether a value is known not to be negative: a size, or a constant."""
    number = constant_value(value)
    return isinstance(value.owner, memref.DimOp) or (number is not None and number >= 0)


def second_of(op: scf.IfOp, value: SSAValue) -> SSAValue | None:
    """`b` of `a and b`, which is `scf.if a -> i1 { yield b } else { yield false }`."""
    then, orelse = op.true_region.block.last_op, op.false_region.blocks[0].last_op
    assert then is not None and orelse is not None, "an if with results yields"
    position = list(op.results).index(value)  # pyright: ignore[reportArgumentType]
    if constant_value(orelse.operands[position]) == 0:
        return then.operands[position]
    return None


def select(condition: SSAValue, then: SSAValue, orelse: SSAValue) -> Operation:
    """`condition ? then : orelse`, not placed yet."""
    return make(arith.SelectOp, (condition, then, orelse), (then.type,))
