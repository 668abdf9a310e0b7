"""vector to llvm, memory: consecutive elements, all or under a mask, and elements anywhere.

    %v = vector.gather %m[%i][%offsets], %mask, %else : memref<?xf32>, vector<8xi32>, …

    %p = llvm.getelementptr %m[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %q = llvm.getelementptr %p[%offsets] : (!llvm.ptr, vector<8xi32>) -> !llvm.vec<8 x ptr>, f32
    %v = llvm.intr.masked.gather %q, %mask, %else {alignment = 4 : i32} : …

Lanes of i1 are bytes in memory. An address under a mask is computed without promises, since the
lanes that are not set may lie anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import vector
from xdsl.dialects.builtin import IntegerAttr, i1, i8, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import llvm, marks
from ...dialects.llvm.base import UNIT
from ...dialects.vector import GatherOp, ScatterOp, is_nontemporal
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..emit.machine import LINE
from ..memref_views import as_memref
from .memref import view_of
from .memref_address import (
    View,
    alignment_of,
    as_value,
    element_address,
    linear_index,
    moved,
    prefetch,
    stored_type,
)
from .target import binary, icmp, like, resize
from .vector import splat

RULES = Rules()
converts = RULES.converts


def _stored(rw: Rewriter, view: View, lanes: Attribute) -> Attribute:
    """The type that lanes of a (new) type have in memory."""
    return like(lanes, stored_type(rw, view.kind))


def _to_memory(rw: Rewriter, value: SSAValue) -> SSAValue:
    """Lanes as they are kept in memory."""
    if llvm.element_type(value.type) != i1:
        return value
    return rw.value(llvm.ZExtOp, (value,), like(value.type, i8))


def _from_memory(rw: Rewriter, value: SSAValue, kind: Attribute) -> SSAValue:
    """Lanes of a (new) type as they came from memory."""
    return icmp(rw, "ne", value, 0) if llvm.element_type(kind) == i1 else value


def _alignment(rw: Rewriter, op: Operation, view: View) -> int:
    """What the op promises, at least that of an element."""
    given = op.attributes.get("alignment")
    least = alignment_of(stored_type(rw, view.kind))
    return max(given.value.data, least) if isinstance(given, IntegerAttr) else least


def _step_of(view: View) -> int | SSAValue:
    """How many elements lie between neighbours along the innermost dimension."""
    return 1 if view.strides is None else view.strides[-1]


def _consecutive(view: View) -> None:
    if _step_of(view) != 1:
        raise CannotConvert(
            f"elements of {view.kind} are not next to each other; gather and scatter take them"
        )


# --- consecutive elements -------------------------------------------------------------------------


def _flat_properties(rw: Rewriter, op: Operation, view: View) -> dict[str, Attribute]:
    properties: dict[str, Attribute] = {"alignment": llvm.number(_alignment(rw, op, view))}
    if is_nontemporal(op):
        properties["nontemporal"] = UNIT
    return properties


@converts(vector.LoadOp)
def convert_load(op: vector.LoadOp, operands: Operands, rw: Rewriter) -> Results:
    """As many elements as there are lanes."""
    view, kind = view_of(op, operands), rw.type(op.result.type)
    _consecutive(view)
    address = element_address(rw, view, [index for (index,) in operands[1:]])
    properties = _flat_properties(rw, op, view)
    value = rw.value(llvm.LoadOp, (address,), _stored(rw, view, kind), properties)
    _fetch(rw, op, address)
    return _from_memory(rw, value, kind)


@converts(vector.StoreOp)
def convert_store(op: vector.StoreOp, operands: Operands, rw: Rewriter) -> Results:
    """As many elements as there are lanes."""
    view = view_of(op, operands, 1)
    _consecutive(view)
    ((value,), _, *indices) = operands
    address = element_address(rw, view, [index for (index,) in indices])
    properties = _flat_properties(rw, op, view)
    rw.create(llvm.StoreOp, (_to_memory(rw, value), address), properties=properties)
    _fetch(rw, op, address)
    return None


def _fetch(rw: Rewriter, op: vector.LoadOp | vector.StoreOp, address: SSAValue) -> None:
    """Where an access is marked so: the lines behind its own are to be in the caches; they need not
    exist."""
    ahead = op.attributes.get(marks.FETCH_AHEAD)
    if not isinstance(ahead, IntegerAttr):
        return
    lanes = op.result.type if isinstance(op, vector.LoadOp) else op.vector.type
    size = llvm.lanes_of(rw.type(lanes)) * alignment_of(stored_type(rw, as_memref(op.base.type)))
    for line in range(ahead.value.data, ahead.value.data + size, LINE):
        place = rw.insert(llvm.GEPOp.at(address, [line], i8)).results[0]
        prefetch(rw, place, write=isinstance(op, vector.StoreOp), near=True)


# --- under a mask ---------------------------------------------------------------------------------


def _masked_properties(rw: Rewriter, op: Operation, view: View) -> dict[str, Attribute]:
    return {"alignment": IntegerAttr(_alignment(rw, op, view), i32)}


def _start(rw: Rewriter, view: View, indices: Sequence[Sequence[SSAValue]]) -> SSAValue:
    return moved(rw, view, linear_index(rw, view, [index for (index,) in indices]))


def _read(
    rw: Rewriter,
    target: type[Operation],
    address: SSAValue,
    lanes: tuple[SSAValue, SSAValue],
    properties: dict[str, Attribute],
) -> SSAValue:
    mask, otherwise = lanes
    other = _to_memory(rw, otherwise)
    value = rw.value(target, (address, mask, other), other.type, properties)
    return _from_memory(rw, value, otherwise.type)


@converts(vector.MaskedLoadOp)
def convert_masked_load(op: vector.MaskedLoadOp, operands: Operands, rw: Rewriter) -> Results:
    """The elements of the lanes that are set."""
    view = view_of(op, operands)
    _consecutive(view)
    (_, *indices, (mask,), (otherwise,)) = operands
    address = _start(rw, view, indices)
    properties = _masked_properties(rw, op, view)
    value = _read(rw, llvm.MaskedLoadOp, address, (mask, otherwise), properties)
    return rw.value(llvm.FreezeOp, (value,), value.type) if op in rw.state.late else value


@converts(vector.MaskedStoreOp)
def convert_masked_store(op: vector.MaskedStoreOp, operands: Operands, rw: Rewriter) -> Results:
    """The lanes that are set."""
    view = view_of(op, operands)
    _consecutive(view)
    (_, *indices, (mask,), (value,)) = operands
    address = _start(rw, view, indices)
    properties = _masked_properties(rw, op, view)
    rw.create(llvm.MaskedStoreOp, (_to_memory(rw, value), address, mask), properties=properties)
    return None


# --- anywhere -------------------------------------------------------------------------------------


def _addresses(
    rw: Rewriter, view: View, indices: Sequence[Sequence[SSAValue]], offsets: SSAValue
) -> SSAValue:
    """The address of each lane's element; offsets are signed and count elements."""
    start, step = _start(rw, view, indices), _step_of(view)
    if step != 1:
        offsets = resize(rw, offsets, like(offsets.type, i64))
        wide = splat(rw, resize(rw, as_value(rw, step), i64), llvm.lanes_of(offsets.type))
        offsets = binary(rw, llvm.MulOp, offsets, wide)
    element = stored_type(rw, view.kind)
    return rw.insert(llvm.GEPOp.at(start, [offsets], element)).results[0]


@converts(GatherOp)
def convert_gather(op: GatherOp, operands: Operands, rw: Rewriter) -> Results:
    """An element from each lane's address."""
    view = view_of(op, operands)
    (_, *indices, (offsets,), (mask,), (otherwise,)) = operands
    address = _addresses(rw, view, indices, offsets)
    properties = _masked_properties(rw, op, view)
    return _read(rw, llvm.MaskedGatherOp, address, (mask, otherwise), properties)


@converts(ScatterOp)
def convert_scatter(op: ScatterOp, operands: Operands, rw: Rewriter) -> Results:
    """Each lane to its address."""
    view = view_of(op, operands)
    (_, *indices, (offsets,), (mask,), (value,)) = operands
    address = _addresses(rw, view, indices, offsets)
    properties = _masked_properties(rw, op, view)
    rw.create(llvm.MaskedScatterOp, (_to_memory(rw, value), address, mask), properties=properties)
    return None
