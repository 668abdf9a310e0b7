"""Which code can become vectors as a whole: scalars, arrays and structured control flow."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerType, MemRefType
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.walking import ops_of

CONTROL = (scf.IfOp, scf.ForOp, scf.WhileOp)


def has_lanes(op: Operation) -> bool:
    """Whether an op, with all that is inside it, can be run by lanes that go different ways."""
    for inner in ops_of(op):
        if inner.regions and not isinstance(inner, (*CONTROL, scf.IndexSwitchOp)):
            return False
        if not all(is_known(value.type) for value in values_of(inner)):
            return False
    return True


def values_of(op: Operation) -> Iterable[SSAValue]:
    """An op's results and the arguments of its blocks."""
    yield from op.results
    for region in op.regions:
        for block in region.blocks:
            yield from block.args


def is_known(type: Attribute) -> bool:
    """Whether values of a type can have lanes, or are arrays."""
    return isinstance(type, IntegerType | IndexType | AnyFloat | MemRefType)


def chooses_arrays(op: Operation) -> bool:
    """Whether control flow gives arrays, which then could differ by lane."""
    return bool(op.regions) and any(isinstance(value.type, MemRefType) for value in values_of(op))


def is_plain_use(op: Operation, index: int) -> bool:
    """Whether an operand, an array, is only read from and written to."""
    if isinstance(op, memref.StoreOp):
        return index == 1
    return isinstance(op, memref.LoadOp | memref.DimOp)
