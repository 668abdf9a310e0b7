"""hoist-block-checks: checks that all threads of a block make are made once, for the whole block.

    scf.for %ty = %c0 to %c32 step %c1 {          %last = arith.addi %base, 31 + 15
      scf.for %tx = %c0 to %c16 step %c1 {        %first.ok = arith.cmpi ult, %base, %n
        %a = arith.addi %base, %ty                %last.ok = arith.cmpi ult, %last, %n
        %i = arith.addi %a, %tx                   %all = arith.andi %first.ok, %last.ok
        %ok = arith.cmpi ult, %i, %n              scf.if %all {
        gpux.check %ok, "bounds", …        ->       …  // as it was, without the check
        …                                         } else {
      }                                             …  // as it was
    }                                             }

At the cpu level, for loops over y or z of a block's threads around the one over x, and for a loop
over x whose bounds are constants; other loops over x split-checked-loops deals with, which keeps
apart the threads that have no item.

What a check compares with a size grows by the same from thread to thread, so if it is below the
size for the first and the last of them all, it is for those between. (The two are less than a
quarter of all numbers apart, and a size is in the lower half, so nothing wraps between them.) Along
an axis on which nobody knows whether it grows or falls, as with `%ty * %pitch`, both ends are asked
with both of the others. Where it is not below the size, one of those who were asked fails when it
is reached: the other copy is `gpux.cold` and `gpux.as_is`. Only checks outside of branches and
loops of a thread are moved, as every thread makes them.

A block that copies tiles of two matrices has a dozen such checks in each thread. Solved for each
row of threads, they and the ends of the rows took a third of the time of the copying.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpux, marks
from ..dialects.arith import let_wrap
from ..dialects.making import copy_of, make
from ..dialects.predicates import ULT
from ..dialects.walking import ops_of
from .analyses.thread_nests import checked_loops, nest_of
from .analyses.thread_ranges import INDEX, is_computed, is_size
from .analyses.value_ranges import Ranges
from .utils.block_editing import binary, compare, constant, constant_value

_LARGEST_BODY = 2000
_MOST_THREADS = 1 << 20  # along one axis of a block, where it is not known (they have thousands)
_DEPTH = 64


@dataclass(frozen=True)
class HoistBlockChecks(ModulePass):
    """Moves checks that every thread makes out of loops over the threads of a block.

    `index_bits` is the width of `index` on the target.
    """

    name = "hoist-block-checks"
    index_bits: int = 64

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop, checks in checked_loops(op).items():
            every = [check for check in checks if check.parent_op() is loop]
            nest = nest_of(loop)[::-1]
            is_known = constant_value(loop.lb) is not None and constant_value(loop.ub) is not None
            if not every or (len(nest) == 1 and not is_known):
                continue
            if len(ops_of(nest[0])) <= _LARGEST_BODY:
                _hoist(nest, every, self.index_bits)


def _hoist(nest: list[scf.ForOp], checks: list[gpux.CheckOp], index_bits: int) -> None:
    """Let the checks be made before the nest, whose loops come from the outermost one on."""
    corners = _Corners(nest, index_bits)
    hoisted = {check for check in checks if corners.take(check.condition)}
    if not hoisted:
        return
    outermost = nest[0]
    fast = copy_of(outermost, without=hoisted)
    branch = make(scf.IfOp, [corners.all_hold()], regions=[Region(), Region()])
    corners.add(branch)
    outermost.detach()
    for region, loop in zip(branch.regions, (fast, outermost), strict=True):
        end = make(scf.YieldOp, location=outermost.location)
        block = Block()
        block.add_ops((loop, end))
        region.add_block(block)
    outermost.attributes |= {marks.COLD: UnitAttr(), marks.AS_IS: UnitAttr()}
    for loop in nest:
        loop.attributes.pop(marks.THREADS, None)  # for LLVM to vectorise: not these


# By how much a value grows with the variable of each loop: at least, and at most.
_Slopes = dict[scf.ForOp, tuple[int, int]]
_ONE = (1, 1)


@dataclass
class _Corners:
    """Conditions for the first and the last of all threads of a nest; ops go before the nest."""

    nest: list[scf.ForOp]
    index_bits: int
    _conditions: list[SSAValue] = field(default_factory=list[SSAValue])
    _slopes: dict[SSAValue, _Slopes | None] = field(default_factory=dict["SSAValue", "Any"])
    _lasts: dict[scf.ForOp, SSAValue] = field(default_factory=dict["scf.ForOp", "SSAValue"])
    _copies: dict[Any, SSAValue] = field(default_factory=dict["Any", "SSAValue"])

    def take(self, condition: SSAValue) -> bool:
        """Take up the condition of a check; False if two threads do not speak for all."""
        op = condition.owner
        if not isinstance(op, arith.CmpiOp) or op.predicate.value.data != ULT:
            return False
        slopes = self._slopes_of(op.lhs)
        if slopes is None or self._slopes_of(op.rhs) != {} or not is_size(op.rhs):
            return False
        apart = sum(_most(slope) * _count(loop) for loop, slope in slopes.items())
        if apart >> (self.index_bits - 2):
            return False
        # Where a loop makes no difference it may be computed with all the same, as in `t - t`.
        size = self._copy(op.rhs, {loop: loop.lb for loop in self.nest})
        for last in _corners(slopes):
            at = {loop: self._end(loop, loop in last) for loop in self.nest}
            below = self.add(compare(ULT, self._copy(op.lhs, at), size))
            self._conditions.append(below.results[0])
        return True

    @cached_property
    def _ranges(self) -> Ranges:
        """What is known of values in every launch."""
        op: Operation = self.nest[0]
        while (parent := op.parent_op()) is not None and parent.parent_op() is not None:
            op = parent
        return Ranges(op, self.index_bits)

    def all_hold(self) -> SSAValue:
        """Whether all conditions hold that were taken up."""
        every = self._conditions[0]
        for condition in self._conditions[1:]:
            every = self.add(binary(arith.AndIOp, every, condition)).results[0]
        return every

    def add(self, op: Operation) -> Operation:
        """Put an op before the nest."""
        op.location = self.nest[0].location
        block = self.nest[0].parent
        assert block is not None, "the nest stands in a block"
        block.insert_op_before(op, self.nest[0])
        return op

    def _end(self, loop: scf.ForOp, is_last: bool) -> SSAValue:
        """The first or last value of a loop's variable."""
        if not is_last:
            return loop.lb
        if loop not in self._lasts:
            one = self.add(constant(INDEX, 1, loop.location)).results[0]
            self._lasts[loop] = self.add(binary(arith.SubiOp, loop.ub, one)).results[0]
        return self._lasts[loop]

    def _slopes_of(self, value: SSAValue, depth: int = _DEPTH) -> _Slopes | None:
        """By how much a value grows with the variable of each loop; None if not by the same."""
        if value not in self._slopes:
            self._slopes[value] = self._find_slopes(value, depth)
        return self._slopes[value]

    def _find_slopes(self, value: SSAValue, depth: int) -> _Slopes | None:
        op = value.owner
        if isinstance(op, Block):
            return {loop: _ONE for loop in self.nest if op is loop.body.block}
        if not self.nest[0].is_ancestor(op):
            return {}
        if depth == 0 or not is_computed(op):
            return None
        parts = [self._slopes_of(operand, depth - 1) for operand in op.operands]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        if not any(known):
            return {}
        is_arithmetic = op.results[0].type == INDEX and len(known) == 2
        return self._combined(op, *known) if is_arithmetic else None

    def _combined(self, op: Operation, first: _Slopes, second: _Slopes) -> _Slopes | None:
        """Slopes of a result from those of the operands, which are not both none."""
        if isinstance(op, arith.AddiOp | arith.SubiOp):
            other = second if isinstance(op, arith.AddiOp) else _scaled(second, (-1, -1))
            none = (0, 0)
            sums = {
                loop: _sum(first.get(loop, none), other.get(loop, none))
                for loop in (*first, *other)
            }
            return {loop: slope for loop, slope in sums.items() if slope != none}
        if isinstance(op, arith.MuliOp) and not (first and second):
            factor = op.lhs if second else op.rhs
            return _scaled(first or second, self._ranges.interval(factor))
        return None

    def _copy(self, value: SSAValue, at: dict[scf.ForOp, SSAValue]) -> SSAValue:
        """What a value is where the variables of the loops have these values."""
        owner = value.owner
        if isinstance(owner, Block):
            return next((at[loop] for loop in at if owner is loop.body.block), value)
        if not self.nest[0].is_ancestor(owner):
            return value
        key = (value, *at.values())
        if key not in self._copies:
            copy = copy_of(owner, {value: self._copy(value, at) for value in owner.operands})
            let_wrap(copy.properties)  # the loops may not run at all
            self._copies[key] = self.add(copy).results[0]
        return self._copies[key]


def _count(loop: scf.ForOp) -> int:
    """The most iterations that a loop over threads can have."""
    first, end = constant_value(loop.lb), constant_value(loop.ub)
    return _MOST_THREADS if first is None or end is None else max(0, end - first)


def _corners(slopes: _Slopes) -> Iterator[set[scf.ForOp]]:
    """For threads that speak for all, the loops on which each is the last one."""
    rising = {loop for loop, (least, _) in slopes.items() if least >= 0}
    unknown = [loop for loop, (least, most) in slopes.items() if least < 0 < most]
    falling = slopes.keys() - rising - set(unknown)
    for ends in product((False, True), repeat=len(unknown)):
        last = {loop for loop, is_last in zip(unknown, ends, strict=True) if is_last}
        yield last | falling
        if rising or falling:
            yield last | rising


def _most(slope: tuple[int, int]) -> int:
    """How steep a slope can be."""
    return max(-slope[0], slope[1])


def _sum(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    return first[0] + second[0], first[1] + second[1]


def _scaled(slopes: _Slopes, by: tuple[int, int]) -> _Slopes:
    """Slopes times a number that is between two; none where it is 0."""
    if by == (0, 0):
        return {}
    ends = {
        loop: [each * factor for each in slope for factor in by] for loop, slope in slopes.items()
    }
    return {loop: (min(each), max(each)) for loop, each in ends.items()}
