"""unroll-array-loops: short loops over a thread's own array, so that all of its indices are known.

    scf.for %r = %c0 to %c2 step %c1 {            %a = memref.load %l[%c0]
      %a = memref.load %l[%r]                     …
      …                                     ->    memref.store %x, %l[%c0]
      memref.store %x, %l[%r]                     %b = memref.load %l[%c1]
    }                                             …

What `promote-arrays` then makes values of. Only loops of which a small array has all that is needed
are unrolled: once they are, every index of the array is a constant (`canonicalize` computes it).
What an array needs is unrolled as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpu
from ..dialects.making import copy_of
from ..dialects.walking import ops_of, ops_of_class
from .analyses.divergence import terminator
from .canonicalize import canonicalize
from .promote_arrays import could_be_values, index_operands
from .utils.block_editing import constant, constant_value, erase, functions

if TYPE_CHECKING:
    from xdsl.dialects import func

MOST_ROUNDS = 64
MOST_OPS = 1024
"""Of all copies of a body together."""

Loops = dict[Operation, list[int]]
"""Loops to unroll, with what their variables are in each round."""

# Of constants, canonicalize makes a constant of these.
_FOLDED = (
    *(arith.AddiOp, arith.SubiOp, arith.MuliOp, arith.IndexCastOp),
    *(arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp),
)


@dataclass(frozen=True)
class UnrollArrayLoops(ModulePass):
    """Unrolls the loops with known bounds that index small private arrays."""

    name = "unroll-array-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            loops = _wanted(function)
            # Inner loops first: what is copied then has none of its own.
            for loop in [inner for inner in function.walk(region_first=True) if inner in loops]:
                assert isinstance(loop, scf.ForOp), "only loops are wanted"
                _unroll(loop, loops[loop])
            if loops:
                canonicalize(function)


def _wanted(function: func.FuncOp | gpu.FuncOp) -> Loops:
    """The loops without which the arrays of a function would be values."""
    wanted: Loops = {}
    for array in ops_of_class(function, memref.AllocaOp):
        if not could_be_values(array):
            continue
        loops: Loops = {}
        indices = [index_operands(use.operation, use.index) for use in array.memref.uses]
        if all(each is not None and _are_found(each, loops) for each in indices):
            together = wanted | loops
            if all(_size(loop, together) <= MOST_OPS for loop in together):
                wanted = together
    return wanted


def _size(op: Operation, unrolled: Loops) -> int:
    """How many ops stand for an op and what is inside it, once the loops in it are unrolled."""
    inside = sum(
        _size(each, unrolled)
        for region in op.regions
        for block in region.blocks
        for each in block.ops
    )
    return inside * len(unrolled[op]) if op in unrolled else inside + 1


def _are_found(indices: Sequence[SSAValue], loops: Loops) -> bool:
    """Whether indices are constants once loops are unrolled, which are added to `loops`."""
    return all(_is_found(index, loops) for index in indices)


def _is_found(value: SSAValue, loops: Loops) -> bool:
    owner = value.owner
    if isinstance(owner, Block):
        loop = owner.parent_op()
        if not isinstance(loop, scf.ForOp) or value is not owner.args[0]:
            return False
        rounds = _rounds(loop)
        if rounds is None:
            return False
        loops[loop] = rounds
        return True
    if constant_value(value) is not None:
        return True
    return isinstance(owner, _FOLDED) and _are_found(owner.operands, loops)


def _rounds(loop: scf.ForOp) -> list[int] | None:
    """What a loop's variable is in each round; None if it is not known or there are too many."""
    bounds = [constant_value(value) for value in (loop.lb, loop.ub, loop.step)]
    low, high, step = bounds
    if low is None or high is None or step is None or step < 1:
        return None
    rounds = range(low, high, step)
    if len(rounds) > MOST_ROUNDS or any(isinstance(op, gpu.BarrierOp) for op in ops_of(loop)):
        return None
    return list(rounds)


def _unroll(loop: scf.ForOp, rounds: Sequence[int]) -> None:
    """Put copies of the body in the place of a loop."""
    block, outer = loop.body.block, loop.parent
    assert outer is not None, "a loop stands in a block"
    variable, *carried = block.args
    values: list[SSAValue] = list(loop.iter_args)
    for number in rounds:
        at = constant(variable.type, number, loop.location)
        outer.insert_op_before(at, loop)
        mapping: dict[SSAValue, SSAValue] = {variable: at.result}
        mapping.update(zip(carried, values, strict=True))
        for op in list(block.ops)[:-1]:
            outer.insert_op_before(copy_of(op, mapping), loop)
        values = [mapping.get(value, value) for value in terminator(loop.body).operands]
    for result, value in zip(loop.results, values, strict=True):
        result.replace_all_uses_with(value)
    erase(loop)
