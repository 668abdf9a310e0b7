"""vector to spirv: vectors of 2 to 4 elements, and pieces of buffers that are accessed at once.

    %v = vector.load %x[%i] : memref<?xf32, global>, vector<4xf32>

    %p = spirv.AccessChain %x[%zero, %i] : …
    %q = spirv.Bitcast %p : … to !spirv.ptr<vector<4xf32>, PhysicalStorageBuffer>
    %v = spirv.Load "PhysicalStorageBuffer" %q ["Aligned", 4] : vector<4xf32>

An access says the alignment of an element: where in an array a vector begins is not known.
Arithmetic on vectors is that on scalars (arith.py, math.py). Longer vectors are split by now.
"""

from __future__ import annotations

from xdsl.dialects import vector
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, i32
from xdsl.ir import SSAValue

from ...dialects import spirv
from ...dialects.vector import FromElementsOp
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from .build import BY_ADDRESS, bitcast, extract, load, op, state_of, store
from .memory import element

RULES = Rules()
converts = RULES.converts

DYNAMIC = -(2**63)
"""In the position of an extract or insert: the next operand."""


@converts(FromElementsOp)
def convert_elements(op_: FromElementsOp, operands: Operands, rw: Rewriter) -> Results:
    """A composite."""
    lanes = [value for (value,) in operands]
    return rw.value(spirv.CompositeConstructOp, lanes, rw.type(op_.result.type))


@converts(vector.ExtractOp)
def convert_extract(op_: vector.ExtractOp, operands: Operands, rw: Rewriter) -> Results:
    """One lane."""
    (value,), *dynamic = operands
    (place,) = op_.static_position.get_values()
    if place == DYNAMIC:
        index = dynamic[0][0]
        return op(rw, "VectorExtractDynamic", (value, index), rw.type(op_.result.type))
    return extract(rw, value, int(place))


@converts(vector.InsertOp)
def convert_insert(op_: vector.InsertOp, operands: Operands, rw: Rewriter) -> Results:
    """The vector with one lane replaced."""
    (value,), (into,), *dynamic = operands
    (place,) = op_.static_position.get_values()
    if place == DYNAMIC:
        index = dynamic[0][0]
        return op(rw, "VectorInsertDynamic", (value, into, index), into.type)
    indices = ArrayAttr([IntegerAttr(int(place), i32)])
    return rw.value(spirv.CompositeInsertOp, (value, into), into.type, {"indices": indices})


@converts(vector.ShuffleOp)
def convert_shuffle(op_: vector.ShuffleOp, operands: Operands, rw: Rewriter) -> Results:
    """Lanes of two vectors side by side."""
    (a,), (b,) = operands
    lanes = ArrayAttr(IntegerAttr(int(lane), i32) for lane in op_.mask.get_values())
    return rw.value(spirv.VectorShuffleOp, (a, b), rw.type(op_.result.type), {"components": lanes})


@converts(vector.LoadOp)
def convert_load(op_: vector.LoadOp, operands: Operands, rw: Rewriter) -> Results:
    """A load of all lanes."""
    (view,), (index,) = operands
    return load(rw, _lanes(rw, op_.result, view, index))


@converts(vector.StoreOp)
def convert_store(op_: vector.StoreOp, operands: Operands, rw: Rewriter) -> Results:
    """A store of all lanes."""
    (value,), (view,), (index,) = operands
    store(rw, _lanes(rw, op_.vector, view, index), value)
    return None


def _lanes(rw: Rewriter, lanes: SSAValue, view: SSAValue, index: SSAValue) -> SSAValue:
    """The pointer to consecutive elements."""
    first = element(rw, view, index)
    kind = first.type
    assert isinstance(kind, spirv.PointerType), "an element is at a pointer"
    if kind.storage_class != BY_ADDRESS:
        raise CannotConvert("an access of a vector in memory without addresses (split-vectors)")
    return bitcast(rw, first, state_of(rw).pointer(rw.type(lanes.type), kind.storage))
