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

What a check compares with a size grows by a constant from thread to thread, so if it is below the
size for the first and the last of them all, it is for those between. (The two are less than a
quarter of all numbers apart, and a size is in the lower half, so nothing wraps between them.) Where
it is not, one of the two fails when it is reached: the other copy is `gpux.cold` and `gpux.as_is`.
Only checks outside of branches and loops of a thread are moved, as every thread makes them.

A block that copies tiles of two matrices has a dozen such checks in each thread. Solved for each
row of threads, they and the ends of the rows took a third of the time of the copying.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
from .block_editing import binary, compare, constant, constant_value
from .thread_nests import checked_loops, nest_of
from .thread_ranges import INDEX, is_computed, is_size

_LARGEST_BODY = 2000
_MOST_THREADS = 1 << 31  # along one axis of a block, where their number is not known
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


_Slopes = dict[scf.ForOp, int]


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
        apart = sum(abs(slope) * _count(loop) for loop, slope in slopes.items())
        if apart >> (self.index_bits - 2):
            return False
        # Where a loop makes no difference it may be computed with all the same, as in `t - t`.
        size = self._copy(op.rhs, {loop: loop.lb for loop in self.nest})
        for is_last in (False, True) if slopes else (False,):
            greatest = {loop for loop, slope in slopes.items() if (slope > 0) == is_last}
            at = {loop: self._end(loop, loop in greatest) for loop in self.nest}
            below = self.add(compare(ULT, self._copy(op.lhs, at), size))
            self._conditions.append(below.results[0])
        return True

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
        """By how much a value grows with the variable of each loop; None if not by a constant."""
        if value not in self._slopes:
            self._slopes[value] = self._find_slopes(value, depth)
        return self._slopes[value]

    def _find_slopes(self, value: SSAValue, depth: int) -> _Slopes | None:
        op = value.owner
        if isinstance(op, Block):
            return {loop: 1 for loop in self.nest if op is loop.body.block}
        if not self.nest[0].is_ancestor(op):
            return {}
        if depth == 0 or not is_computed(op):
            return None
        parts = [self._slopes_of(operand, depth - 1) for operand in op.operands]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return _combined(op, known) if any(known) else {}

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


def _combined(op: Operation, parts: list[_Slopes]) -> _Slopes | None:
    """Slopes of a result from those of the operands."""
    if op.results[0].type != INDEX or len(parts) != 2:
        return None
    first, second = parts
    if isinstance(op, arith.MuliOp):
        factor = constant_value(op.lhs if second else op.rhs)
        times = (0, factor or 0) if second else (factor or 0, 0)
        if factor is None:
            return None
    elif isinstance(op, arith.AddiOp | arith.SubiOp):
        times = (1, 1 if isinstance(op, arith.AddiOp) else -1)
    else:
        return None
    sums = {
        loop: times[0] * first.get(loop, 0) + times[1] * second.get(loop, 0)
        for loop in (*first, *second)
    }
    return {loop: slope for loop, slope in sums.items() if slope}
