"""Where the first store of a loop over threads goes, in elements from address 0.

scf.for %t = %lo to %hi step %c1 {          %a = memref.extract_aligned_pointer_as_index %x
  %j = arith.addi %t, %base                 %p = arith.shrui %a, %c2
  memref.store %v, %x[%i, %j]       ->      %j = arith.addi %lo, %base
} {gpux.threads}                            %row = arith.muli %i, %n
                                            %q = arith.addi (arith.addi %p, %row), %j
"""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import FixedBitwidthType, IndexType, MemRefType, NoneAttr
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.arith import DIVISIONS, let_wrap
from ...dialects.making import copy_of
from ...passes.utils.block_editing import constant

INDEX = IndexType()
# What is not done where the loop may not run at all: a load of what may not be there, a division,
# which takes long.
_NOT_BEFORE = (Block, memref.LoadOp, *DIVISIONS)
Add = Callable[[Operation], SSAValue]
"""Puts an op before the loop; its result."""


def position_of_store(loop: scf.ForOp, add: Add) -> SSAValue | None:
    """The position of the first store, by ops before the loop; None where threads that follow each
    other do not store side by side, or the array has gaps."""
    store = next((op for op in loop.body.block.ops if isinstance(op, memref.StoreOp)), None)
    if store is None or not isinstance(kind := store.memref.type, MemRefType):
        return None
    element = store.value.type
    if not isinstance(kind.layout, NoneAttr) or not isinstance(element, FixedBitwidthType):
        return None
    body = _Body(loop)
    if not store.indices or body.is_inside(store.memref) or not body.counts(store.indices[-1]):
        return None
    if any(body.varies(index) for index in store.indices[:-1]):
        return None

    def number(value: int) -> SSAValue:
        return add(constant(INDEX, value, loop.location))

    start = add(memref.ExtractAlignedPointerAsIndexOp.get(store.memref))
    position = add(arith.ShRUIOp(start, number(element.size.bit_length() - 1)))
    offset = body.at_first(store.indices[0], add)
    for axis, index in enumerate(store.indices[1:], start=1):
        size = add(memref.DimOp(store.memref, number(axis)))
        offset = add(arith.AddiOp(add(arith.MuliOp(offset, size)), body.at_first(index, add)))
    return add(arith.AddiOp(position, offset))


class _Body:
    """What is known of values in a straight-line loop."""

    def __init__(self, loop: scf.ForOp) -> None:
        self.block = loop.body.block
        self.variable: SSAValue = self.block.args[0]
        self._varies: dict[SSAValue, bool] = {self.variable: True}
        self._first: dict[SSAValue, SSAValue] = {self.variable: loop.lb}

    def is_inside(self, value: SSAValue) -> bool:
        """Whether a value is made in each iteration."""
        owner = value.owner
        return (owner if isinstance(owner, Block) else owner.parent) is self.block

    def varies(self, value: SSAValue) -> bool:
        """Whether a value differs between iterations, or cannot be computed before the loop."""
        if value not in self._varies:
            op = value.owner
            self._varies[value] = self.is_inside(value) and (
                isinstance(op, _NOT_BEFORE) or any(map(self.varies, op.operands))
            )
        return self._varies[value]

    def counts(self, value: SSAValue) -> bool:
        """Whether a value is the loop's variable and something that is the same for all threads."""
        op = value.owner
        while value is not self.variable:
            if not isinstance(op, arith.AddiOp | arith.SubiOp) or not self.varies(value):
                return False
            if not self.varies(op.rhs):
                value = op.lhs
            elif isinstance(op, arith.AddiOp) and not self.varies(op.lhs):
                value = op.rhs
            else:
                return False
            op = value.owner
        return True

    def at_first(self, value: SSAValue, add: Add) -> SSAValue:
        """What a value is in the first iteration, computed before the loop."""
        if value not in self._first:
            op = value.owner
            if isinstance(op, Block) or not self.is_inside(value):
                return value
            known = {operand: self.at_first(operand, add) for operand in op.operands}
            copy = copy_of(op, known)
            let_wrap(copy.properties)  # the loop may not run at all
            self._first[value] = add(copy)
        return self._first[value]
