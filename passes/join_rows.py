"""join-rows: rows of threads whose elements lie one behind the other run as one row.

    scf.for %ty = %c0 to %rows step %c1 {         %size = memref.dim %x, %c1
      scf.for %tx = %c0 to %n step %c1 {          %whole = arith.cmpi eq, %size, %n
        %i = arith.addi %by, %ty                  %once = arith.select %whole, %c1, %rows
        %j = arith.addi %bx, %tx                  %all = arith.muli %rows, %n
        %v = memref.load %x[%i, %j]        ->     %most = arith.select %whole, %all, %n
        …                                         scf.for %ty = %c0 to %once step %c1 {
      } {gpux.threads}                              scf.for %tx = %c0 to %most step %c1 {
    } {gpux.rows}                                     …  // as it was

At the cpu level, for loops over a block's threads in which y and x (and z) do nothing but to find
elements: thread (x, y) of a block is at the same element as (x + n * y, 0) if rows of the arrays
are as long as those of the block. `%j` is past the end of a row then, and `%x[%i, %j]` in the next:
places are computed as memrefs without a layout say, and the checks are made by now.

An array of three columns has vectors of three threads otherwise, and what is changed in place waits
in each row for the masked store of the row before: 400 000 floats took 275 us, in place 1075, and
take 44 and 25 (one thread of a Zen 4; NumPy in place 23). Rows of a length that is a constant are
left alone: what a kernel says of its blocks is worth more to LLVM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IndexType, MemRefType, ModuleOp, NoneAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects import marks
from ..dialects.predicates import EQ
from ..dialects.walking import ops_of
from .analyses.thread_nests import nest_of
from .utils.block_editing import constant, constant_value, is_outside

INDEX = IndexType()
# Loops from the innermost one, over x, on; where a value is an index, it is that of this axis,
# counted from the last one.
_Axes = dict[SSAValue, int]
_Access = memref.LoadOp | memref.StoreOp


@dataclass(frozen=True)
class JoinRows(ModulePass):
    """Makes one row of a block's threads out of several, where the arrays' rows are as long."""

    name = "join-rows"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [inner for inner in ops_of(op) if marks.THREADS in inner.attributes]:
            if isinstance(loop, scf.ForOp) and constant_value(loop.ub) is None:
                nest = [inner for inner in nest_of(loop) if constant_value(inner.lb) == 0]
                accesses = _accesses(nest) if len(nest) > 1 else []
                depth = min((depth for _, depth in accesses), default=0)
                if depth > 1:
                    _join(nest[:depth], {op.memref: len(op.indices) for op, _ in accesses})


def _accesses(nest: Sequence[scf.ForOp]) -> list[tuple[_Access, int]]:
    """Accesses by the loops' variables, and by those of how many; none if these do anything more.

    Whatever else decides which element it is, is the same for a thread however it is counted.
    """
    axes: _Axes = {loop.body.block.args[0]: axis for axis, loop in enumerate(nest)}
    found: list[tuple[_Access, int]] = []
    for op in nest[-1].walk():
        used = [place for place, value in enumerate(op.operands) if value in axes]
        if not used:
            continue
        if isinstance(op, _Access):
            depth = _depth(op, used, axes)
            if not depth or not is_outside(op.memref, nest[-1]):
                return []
            found.append((op, depth))
        elif isinstance(op, arith.AddiOp) and len(used) == 1:
            axes[op.result] = axes[op.operands[used[0]]]
        elif isinstance(op, arith.SubiOp) and used == [0]:
            axes[op.result] = axes[op.lhs]
        else:
            return []
    return found


def _depth(op: _Access, used: Sequence[int], axes: _Axes) -> int:
    """How many of the last indices are those of the loops; 0 if they are used in another way."""
    kind = op.memref.type
    plain = isinstance(kind, MemRefType) and isinstance(kind.layout, NoneAttr)
    last = len(op.operands) - 1
    right = all(axes[op.operands[place]] == last - place for place in used)
    return len(used) if plain and right and used[0] == last - len(used) + 1 else 0


def _join(nest: Sequence[scf.ForOp], ranks: dict[SSAValue, int]) -> None:
    """Let the first loop, the innermost, run for all of them where the arrays' sizes are theirs.

    `ranks` has the arrays.
    """
    outermost = nest[-1]

    def add(op: Operation) -> SSAValue:
        op.location = outermost.location
        assert outermost.parent is not None, "the loop stands in a block"
        outermost.parent.insert_op_before(op, outermost)
        return op.results[0]

    one = add(constant(INDEX, 1, outermost.location))
    sizes = [loop.ub for loop in nest]
    every, most = None, sizes[0]
    for place, (size, rows) in enumerate(pairwise(sizes)):
        for array, rank in ranks.items():
            axis = add(constant(INDEX, rank - 1 - place, outermost.location))
            same = add(arith.CmpiOp(add(memref.DimOp(array, axis)), size, EQ))
            every = same if every is None else add(arith.AndIOp(every, same))
        assert every is not None, "there are arrays"
        most = add(arith.SelectOp(every, add(arith.MuliOp(most, rows)), most))
        nest[place + 1].operands[1] = add(arith.SelectOp(every, one, rows))
    nest[0].operands[1] = most
