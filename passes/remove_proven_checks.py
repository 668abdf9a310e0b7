"""remove-proven-checks: index checks and `gpux.check`s that cannot fail are removed.

    %n = memref.dim %y, %c0 : memref<?xf32>    %n = memref.dim %y, %c0 : memref<?xf32>
    %in = arith.cmpi slt, %i, %n : index       %in = arith.cmpi slt, %i, %n : index
    scf.if %in {                               scf.if %in {
      simt.check_index %i, %y, 0 as "y"
      memref.store %v, %y[%i]                    memref.store %v, %y[%i]
    }                                          }

What is known comes from the conditions of the `scf.if`s and loops around, from loop bounds, ids,
masks, remainders, clamps and constants, and from checks that have passed before: behind a check,
what it checked is a fact. Two arrays are never taken to have the same shape, unless the kernel has
`gpux.sizes`: then an index needs no check either that is below a number which the launch knows,
such as the size of another array or of the grid; the attribute says what sizes that takes, and a
launch is held to them (`asked_sizes`). What is assumed about the sizes of arrays and grids (so that
`i + 1` does not wrap) says `value_ranges`.

One walk over the function; facts are added on the way into a region and dropped on the way out.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass

from ..dialects import gpux, simt
from .analyses.asked_sizes import AskedSizes
from .analyses.difference_bounds import ZERO
from .analyses.loop_invariants import add_invariants, assume_while, result_bounds
from .analyses.range_conditions import assume, is_known
from .analyses.value_ranges import Ranges
from .utils.block_editing import erase, functions


@dataclass(frozen=True)
class RemoveProvenChecks(ModulePass):
    """Removes checks that always pass; `index_bits` is the width of `index` on the target."""

    name = "remove-proven-checks"
    index_bits: int = 64

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            ranges = Ranges(function, self.index_bits)
            _visit_regions(ranges, AskedSizes(ranges), function)


def _visit(ranges: Ranges, asked: AskedSizes, block: Block) -> None:
    """Removes the block's proven checks; facts stay, for the caller to drop."""
    op = block.first_op
    while op is not None:
        following = op.next_op
        if isinstance(op, simt.CheckIndexOp):
            _check_index(ranges, asked, op)
        elif isinstance(op, gpux.CheckOp):
            if is_known(ranges, op.condition):
                erase(op)
            else:
                assume(ranges, op.condition)
        elif op.regions:
            if isinstance(op, scf.WhileOp | scf.ForOp):
                _visit_loop(ranges, asked, op)
            else:
                _visit_regions(ranges, asked, op)
        op = following


def _visit_loop(ranges: Ranges, asked: AskedSizes, op: scf.WhileOp | scf.ForOp) -> None:
    """Removes checks inside a loop; what its results keep is known behind it."""
    mark = ranges.mark()
    add_invariants(ranges, op)
    bounds = result_bounds(ranges, op)
    if isinstance(op, scf.WhileOp):  # the body runs after the first region has
        _visit(ranges, asked, op.before_region.block)
        assume_while(ranges, op)
        _visit(ranges, asked, op.after_region.block)
    else:
        _visit(ranges, asked, op.body.block)
    ranges.drop(mark)
    for result, (node, number), is_upper in bounds:
        at_result, _ = ranges.bound(result)
        if is_upper:
            ranges.add_bound(at_result, node, number)
        else:
            ranges.add_bound(node, at_result, -number)


def _visit_regions(ranges: Ranges, asked: AskedSizes, op: Operation) -> None:
    for number, region in enumerate(op.regions):
        for block in region.blocks:
            mark = ranges.mark()
            if isinstance(op, scf.IfOp):
                assume(ranges, op.cond, number == 0)
            _visit(ranges, asked, block)
            ranges.drop(mark)


def _check_index(ranges: Ranges, asked: AskedSizes, op: simt.CheckIndexOp) -> None:
    """Removes an index check or, where it stays, takes what it says as known from here on."""
    index, offset = ranges.bound(op.index)
    size, number = ranges.size(op.view, op.dimension.value.data)
    not_negative = ranges.proves_bound(ZERO, index, offset)
    if not_negative and ranges.proves_bound(index, size, number - 1 - offset):
        erase(op)
        return
    if not_negative and asked.ask(op, index, offset):
        erase(op)
    ranges.add_bound(ZERO, index, offset)
    ranges.add_bound(index, size, number - 1 - offset)
