"""Marks which indices of an access in a loop do not change there, so that their part comes first.

    scf.for %j … { memref.load %x[%row, %j] }   ->   … {gpux.invariant = array<i64: 0>}

In a small launch a linear index has 32 bits and the address 64. To a pointer for what the loop
leaves alone, what changes is added in one instruction, as it would be to the array's; but LLVM sees
that it is a pointer that moves, which unrolled accesses share with constant offsets. It does not
see that through the extension of a sum.
"""

from __future__ import annotations

from typing import TypeAlias

from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import DenseArrayBase, MemRefType, NoneAttr, i64
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpu, marks

_Known: TypeAlias = dict[tuple[SSAValue, Operation], bool]
_IDS = (gpu.BlockIdOp, gpu.ThreadIdOp, gpu.GlobalIdOp, memref.DimOp)


def mark_invariant_indices(kernel: gpu.FuncOp) -> None:
    """Marks the accesses of a kernel whose launches are small."""
    if marks.SMALL not in kernel.attributes:
        return
    known: _Known = {}
    for op in kernel.walk():
        if isinstance(op, memref.LoadOp | memref.StoreOp) and _is_contiguous(op.memref.type):
            loop = _innermost_loop(op, kernel)
            if loop is None:
                continue
            still = [d for d, index in enumerate(op.indices) if _is_invariant(index, loop, known)]
            if still and len(still) < len(op.indices):
                op.attributes[marks.INVARIANT] = DenseArrayBase.from_list(i64, still)


def _is_contiguous(kind: Attribute) -> bool:
    """Whether it is an array of no layout: parts of a view with strides may lie before it."""
    return isinstance(kind, MemRefType) and isinstance(kind.layout, NoneAttr)


def _innermost_loop(op: Operation, kernel: gpu.FuncOp) -> Operation | None:
    parent = op.parent_op()
    while parent is not None and parent is not kernel:
        if isinstance(parent, scf.ForOp | scf.WhileOp):
            return parent
        parent = parent.parent_op()
    return None


def _is_invariant(value: SSAValue, loop: Operation, known: _Known) -> bool:
    """Whether a value is computed outside a loop, or could be."""
    found = known.get((value, loop))
    if found is None:
        found = known[value, loop] = _find(value, loop, known)
    return found


def _find(value: SSAValue, loop: Operation, known: _Known) -> bool:
    owner = value.owner
    if not loop.is_ancestor(owner):
        return True
    if not isinstance(owner, Operation) or owner.regions:
        return False
    pure = isinstance(owner, _IDS) or owner.name.startswith("arith.")
    return pure and all(_is_invariant(operand, loop, known) for operand in owner.operands)
