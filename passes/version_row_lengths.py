"""version-row-lengths: loops over points, pixels and the like know how long these are.

    scf.for %t = %lo to %hi step %c1 {       %n = memref.dim %p, %c1
      %x = memref.load %p[%t, %c0]           %is = arith.cmpi eq, %n, %c3
      %y = memref.load %p[%t, %c1]           scf.if %is {
      %z = memref.load %p[%t, %c2]             %q = memref.cast %p : … to memref<?x3xf32>
      …                                  ->    … the loop, of %q
    } {gpux.threads}                         } else {
                                               … the loop
                                             }

At the cpu level, for loops over threads without control flow in which the last index of an array is
always one of 0 to 3: the largest says how long its rows will be. With the distance between threads
known, LLVM loads several rows and takes them apart by shuffles; else it loads element by element.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, MemRefType, ModuleOp, NoneAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects import marks
from ..dialects.making import copy_of
from ..dialects.walking import ops_of
from .utils.block_editing import constant, constant_value, is_outside
from .utils.versions import branch_instead

_LONGEST = 4
_INDEX = IndexType()


@dataclass(frozen=True)
class VersionRowLengths(ModulePass):
    """Copies loops for arrays whose rows are as short as the loop has them."""

    name = "version-row-lengths"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in ops_of(op):
            if isinstance(loop, scf.ForOp) and _is_straight(loop):
                lengths = _row_lengths(loop)
                if lengths:
                    _version(loop, lengths)


def _is_straight(loop: scf.ForOp) -> bool:
    if marks.THREADS not in loop.attributes or marks.COLD in loop.attributes or loop.iter_args:
        return False
    return not any(op.regions for op in loop.body.block.ops)


def _row_lengths(loop: scf.ForOp) -> dict[SSAValue, int]:
    """For each array of which threads look at rows of a few elements how many these are."""
    found: dict[SSAValue, int] = {}
    for op in loop.body.block.ops:
        if not isinstance(op, memref.LoadOp | memref.StoreOp):
            continue
        column = _column(op, loop)
        known = found.get(op.memref, 0)
        found[op.memref] = _LONGEST + 1 if column is None else max(known, column + 1)
    return {array: length for array, length in found.items() if 1 < length <= _LONGEST}


def _column(op: memref.LoadOp | memref.StoreOp, loop: scf.ForOp) -> int | None:
    """The last index, if it is a constant, and the rows are the threads' and of unknown length."""
    kind: Attribute = op.memref.type
    if not isinstance(kind, MemRefType) or len(op.indices) < 2 or not is_outside(op.memref, loop):
        return None
    unknown = isinstance(kind.layout, NoneAttr) and kind.get_shape()[-1] == DYNAMIC_INDEX
    if not unknown or all(is_outside(index, loop) for index in op.indices):
        return None
    return constant_value(op.indices[-1])


def _version(loop: scf.ForOp, lengths: dict[SSAValue, int]) -> None:
    """Put a branch in a loop's place, on whose one side the lengths are known."""
    outer, location = loop.parent, loop.location
    assert outer is not None, "a loop stands in a block"
    short: SSAValue | None = None
    views: list[Operation] = []
    values: dict[SSAValue, SSAValue] = {}

    def add(op: Operation) -> SSAValue:
        op.location = location
        outer.insert_op_before(op, loop)
        return op.results[0]

    for array, length in lengths.items():
        kind = cast("MemRefType[Attribute]", array.type)
        *sizes, _ = kind.get_shape()
        axis = add(constant(_INDEX, len(sizes), location))
        size = add(memref.DimOp.create(operands=[array, axis], result_types=[_INDEX]))
        equal = add(arith.CmpiOp(size, add(constant(_INDEX, length, location)), "eq"))
        short = equal if short is None else add(arith.AndIOp(short, equal))
        view = memref.CastOp.get(array, MemRefType(kind.element_type, [*sizes, length]))
        view.location = location
        views.append(view)
        values[array] = view.dest
    assert short is not None, "there is an array"
    branch_instead(loop, short, [*views, copy_of(loop, values)], [loop])
