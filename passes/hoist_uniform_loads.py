"""hoist-uniform-loads: what all threads of a loop read from one place is read once, before it.

    scf.for %t = %lo to %hi step %c1 {           %any = arith.cmpi slt, %lo, %hi
      %v = memref.load %w[%c0, %c1]              scf.if %any {
      %x = memref.load %a[%t]                      %v = memref.load %w[%c0, %c1]
      …                                     ->     scf.for %t = %lo to %hi step %c1 {
      memref.store %y, %out[%t]                      %x = memref.load %a[%t]
    } {gpux.threads}                                 …
                                                     memref.store %y, %out[%t]
                                                   } {gpux.threads}
                                                 }

At the cpu level, for loads before a thread's first effect. LLVM has to assume that a store of one
thread changes what the next one reads; the threads of a loop are in no order, so a kernel in which
it does has a race, and reading the old value is one of its outcomes. Filters with their weights in
an array have half as many loads then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import marks
from ..dialects.walking import ops_of
from .analyses.divergence import is_function, is_private_array
from .utils.block_editing import constant_value, is_outside


@dataclass(frozen=True)
class HoistUniformLoads(ModulePass):
    """Moves loads at one place out of loops over threads."""

    name = "hoist-uniform-loads"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in ops_of(op) if marks.THREADS in inner.attributes]:
            if isinstance(loop, scf.ForOp) and not loop.iter_args:
                moved = list(_uniform_loads(loop))
                if moved:
                    _hoist(loop, moved)


def _uniform_loads(loop: scf.ForOp) -> Iterator[Operation]:
    """The loads that do not depend on the thread, each after what it needs from the body."""
    same: set[SSAValue] = set()
    given: set[Operation] = set()
    for op in loop.body.block.ops:
        reads = isinstance(op, memref.LoadOp)
        if not reads and not _has_no_effects(op):
            return
        if op.regions or not all(value in same or is_outside(value, loop) for value in op.operands):
            continue
        if isinstance(op, memref.LoadOp):
            if is_private_array(op.memref):
                continue
            yield from _needed(op, loop, given)
        same.update(op.results)


def _has_no_effects(op: Operation) -> bool:
    """Whether an op, with all that is inside it, changes nothing and always comes to its end."""
    if op.regions:
        inside = isinstance(op, scf.IfOp | scf.ForOp)
        return inside and all(_has_no_effects(inner) for inner in ops_of(op) if inner is not op)
    return is_function(op) or isinstance(op, memref.LoadOp | scf.YieldOp)


def _needed(op: Operation, loop: scf.ForOp, given: set[Operation]) -> Iterator[Operation]:
    """An op after the ones in the body whose results it uses, those that were not given yet."""
    if op in given:
        return
    given.add(op)
    for value in op.operands:
        if not is_outside(value, loop):
            assert isinstance(value.owner, Operation), "it does not depend on the loop's variable"
            yield from _needed(value.owner, loop, given)
    yield op


def _hoist(loop: scf.ForOp, moved: list[Operation]) -> None:
    """Put ops before a loop, where it runs at all."""
    outer = loop.parent
    assert outer is not None, "a loop stands in a block"
    low, high = constant_value(loop.lb), constant_value(loop.ub)
    for op in moved:
        op.detach()
    if low is not None and high is not None and low < high:
        outer.insert_ops_before(moved, loop)
        return
    runs = arith.CmpiOp(loop.lb, loop.ub, "slt")
    body = Block()
    branch = scf.IfOp.create(operands=[runs.result], regions=[Region(body), Region()])
    end = scf.YieldOp.create()
    outer.insert_ops_before([runs, branch], loop)
    loop.detach()
    body.add_ops([*moved, loop, end])
    for op in (runs, branch, end):
        op.location = loop.location
