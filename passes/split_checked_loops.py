"""split-checked-loops: iterations in which the checks hold get a loop of their own, without them.

    scf.for %i = %lo to %hi step %c1 {          scf.for %i = %a to %b step %c1 {
      %g = arith.addi %base, %i                   %g = arith.addi %base, %i
      %in = arith.cmpi slt, %g, %n                %v = memref.load %x[%g]
      scf.if %in {                                …
        %ok = arith.cmpi ult, %g, %m     ->     }
        gpux.check %ok, "bounds", …             scf.if (%lo < %a or %b < %hi) {
        %v = memref.load %x[%g]                   scf.for %part = %c0 to %c2 step %c1 {
        …                                           scf.for %i = … { … }   // [lo, a) and [b, hi),
      }                                           }                        // as it was
    }                                           }

At the cpu level, for loops over the threads of a block (the iterations may run in any order). A
condition that compares `±i + invariant` with an invariant holds for a range of i; `a` and `b` are
what all such conditions leave of `lo` and `hi`. Solved are the conditions of checks, and of the
`scf.if`s around solved checks, but for those that `thread_guards` keeps. What is left in the new
loop LLVM can vectorise; the rest is marked `gpux.cold` for outline-cold-loops (where none can be
left before `a`, it is one loop). It comes last: a failed check ends the block, and what threads do
whose checks hold is done by then, prints too. Where no condition differs from thread to thread, a
branch chooses between the loops, and both have the bounds that they had.

Checks inside loops of one thread, and others that are no such comparison, are left to
`bounded_checks`.

A range is safe even where index arithmetic wraps: a bounds check `f(i) <u size` gives a lower and
an upper limit, and where a subtraction wraps, the two exclude each other. A guard's limits assume
that its own arithmetic does not wrap, as everywhere for `index`.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import ModuleOp, UnitAttr, i1
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpux, marks
from ..dialects.making import copy_of, make
from ..dialects.walking import ops_of
from .analyses.bounded_checks import BoundedChecks
from .analyses.thread_guards import Guards, branch_around
from .analyses.thread_nests import checked_loops
from .analyses.thread_ranges import INDEX, Solver, select
from .utils.block_editing import constant

_LARGEST_BODY = 2000
_EQ = 0  # a predicate of cmpi


@dataclass(frozen=True)
class SplitCheckedLoops(ModulePass):
    """Splits loops over threads at the ends of the range in which their checks hold.

    `index_bits` is the width of `index` on the target.
    """

    name = "split-checked-loops"
    index_bits: int = 64

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop, checks in checked_loops(op).items():
            if not _is_cold(loop) and sum(1 for _ in ops_of(loop)) <= _LARGEST_BODY:
                _split(loop, checks, self.index_bits)


def _is_cold(op: Operation | None) -> bool:
    """Whether an op stands in what hardly ever runs."""
    while op is not None and marks.COLD not in op.attributes:
        op = op.parent_op()
    return op is not None


def _split(loop: scf.ForOp, checks: list[gpux.CheckOp], index_bits: int) -> None:
    solver = Solver(loop, index_bits)
    around = Guards(solver, set(checks))
    solved = [check for check in checks if _solve(check, solver, around)]
    guards = _solved_guards(solver, around, solved, {})
    is_exact = True
    if left := set[Operation](checks).difference(solved):
        bounded = BoundedChecks(solver, left, around, set(guards), index_bits)
        solved += bounded.solved
        guards |= _solved_guards(solver, around, bounded.solved, guards)
        is_exact = bounded.exact
    if not solved:
        return
    only_fails = is_exact and _only_fails(loop, solved, list(guards), around)
    fast = _copy_without_checks(loop, solved, list(guards))
    if solver.lower or solver.upper or not solver.when:
        start, end = solver.range()
        fast.operands[0], fast.operands[1] = start, end
        solver.add(fast)
        any_left = solver.any_left(start, end)
        rest = _rest_loop(loop, start, end, solver)
        _only_if(any_left, rest)
    else:
        rest = _rest_loop(loop, loop.lb, loop.lb, solver)
        _only_if(solver.joined(arith.AndIOp, solver.when), solver.add(fast), rest)
    if only_fails:
        rest.attributes[marks.AS_IS] = UnitAttr()


def _solve(check: gpux.CheckOp, solver: Solver, around: Guards) -> bool:
    """Take up what a check asks of those threads that make it."""
    since = solver.marks()
    if not solver.solve(check.condition):
        return False
    around.relax(check, since)
    return True


def _solved_guards(
    solver: Solver, around: Guards, checks: list[gpux.CheckOp], known: dict[scf.IfOp, None]
) -> dict[scf.IfOp, None]:
    """The branches around checks that are not kept and can be solved; they are taken up, unless
    known already."""
    sides = [side for check in checks for side in around.around(check)]
    guards = dict.fromkeys(branch for branch, is_true in sides if is_true)
    return dict.fromkeys(
        guard
        for guard in guards
        if guard not in known and not around.is_kept(guard) and solver.solve(guard.cond)
    )


def _only_if(condition: SSAValue, *sides: Operation) -> None:
    """Put an op inside an `scf.if`, and one into its other side."""
    location, regions = sides[-1].location, [Region(), Region()]
    branch = make(scf.IfOp, [condition], location=location, regions=regions)
    assert sides[-1].parent is not None, "the ops stand in a block"
    sides[-1].parent.insert_op_before(branch, sides[-1])
    for op, region in zip(sides, regions, strict=False):
        op.detach()
        region.add_block(Block((op, make(scf.YieldOp, location=location))))


def _only_fails(
    loop: scf.ForOp, solved: list[gpux.CheckOp], guards: list[scf.IfOp], around: Guards
) -> bool:
    """Whether an iteration in which a solved condition is false does nothing, or a check fails.

    So it is where the guards are one inside the other around everything that has effects, and what
    is checked there is checked whatever else is true. (An inner loop is taken to run.)
    """
    block, left, checks = loop.body.block, set(guards), set[Operation](solved)
    met = {block}
    while (guard := branch_around(block, checks)) in left and guard is not None:
        left.discard(guard)
        block = guard.true_region.block
        met.add(block)
    return not left and all(_around_loops(check, around) & met for check in solved)


def _around_loops(op: gpux.CheckOp, around: Guards) -> set[Block]:
    """The block of a check, and the blocks of what is around it: loops, and branches outside of
    which nothing was asked for it."""
    found: set[Block] = set()
    block = op.parent
    while block is not None:
        found.add(block)
        parent = block.parent_op()
        is_asked = parent in around.relaxed.get(op, ())
        is_loop = isinstance(parent, scf.ForOp)
        block = parent.parent if parent is not None and (is_loop or is_asked) else None
    return found


def _copy_without_checks(
    loop: scf.ForOp, solved: list[gpux.CheckOp], guards: list[scf.IfOp]
) -> scf.ForOp:
    """A copy in which solved checks are gone and solved guards true."""
    gone, true = set[Operation](solved), set[Operation](guards)
    copy = copy_of(loop, without=gone)
    kept = [op for op in ops_of(loop) if op not in gone]
    for old, new in zip(kept, ops_of(copy), strict=True):
        if old in true:
            certain = constant(i1, 1, old.location)
            assert new.parent is not None, "a guard stands in the loop"
            new.parent.insert_op_before(certain, new)
            new.operands[0] = certain.result
    return copy


def _rest_loop(loop: scf.ForOp, start: SSAValue, end: SSAValue, solver: Solver) -> scf.ForOp:
    """The original loop runs over what lies before `start`, then over what lies after `end`."""
    loop.attributes.pop(marks.THREADS, None)  # for LLVM to vectorise: not this one
    if start is loop.lb:
        loop.operands[0] = end
        loop.attributes[marks.COLD] = UnitAttr()
        return loop
    zero, one, two = (solver.number(value) for value in (0, 1, 2))
    body = Block(arg_types=[INDEX])
    outer = scf.ForOp.create(operands=[zero, two, one], regions=[Region(body)])
    outer.location = loop.location
    outer.attributes[marks.COLD] = UnitAttr()
    block = loop.parent
    assert block is not None, "the loop stands in a block"
    block.insert_op_before(outer, loop)
    loop.detach()
    before = arith.CmpiOp(body.args[0], zero, _EQ)
    lower = select(before.results[0], loop.lb, end)
    upper = select(before.results[0], start, loop.ub)
    for op in (before, lower, upper, loop, scf.YieldOp.create()):
        if op is not loop:
            op.location = loop.location
        body.add_op(op)
    loop.operands[0], loop.operands[1] = lower.results[0], upper.results[0]
    return outer
