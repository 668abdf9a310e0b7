"""memref to llvm: a memref is a pointer to its first element, dynamic sizes, dynamic strides.

    %v = memref.load %m[%i, %j] : memref<?x?xf32>

    %row = llvm.mul %i, %m_size1 overflow<nsw>        // contiguous: ((i * n1) + j) …
    %at = llvm.add %row, %j overflow<nsw>
    %p = llvm.getelementptr inbounds %m[%at] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %v = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> f32

A bool is a byte in memory, never one bit. Addresses are made in `memref_address.py`. Of the ops of
gpux, `gpux.prefetch` is here.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import func, memref
from xdsl.dialects.builtin import (
    DenseArrayBase,
    IntegerAttr,
    i1,
    i8,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpux, llvm, marks
from ...dialects.llvm.base import UNIT
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..memref_views import (
    DYNAMIC,
    AnyMemRef,
    Size,
    as_memref,
    kept_dimensions,
    mixed,
    unknown_parts,
)
from .memref_address import (
    View,
    add,
    alignment_of,
    as_value,
    element_address,
    linear_index,
    moved,
    multiply,
    prefetch,
    stored_type,
)
from .target import State, icmp, select

RULES = Rules()
converts = RULES.converts


# --- accesses -------------------------------------------------------------------------------------


def load(rw: Rewriter, kind: AnyMemRef, address: SSAValue, *, of_buffer: bool = False) -> SSAValue:
    """The element at an address, as a value of the element's new type."""
    stored = stored_type(rw, kind)
    properties = {"alignment": llvm.number(alignment_of(stored))}
    op = rw.create(llvm.LoadOp, (address,), (stored,), properties=properties)
    if of_buffer:
        op.attributes[marks.BUFFER] = UNIT
    value = op.results[0]
    if rw.type(kind.element_type) == i1:
        return icmp(rw, "ne", value, 0)
    return value


def store(
    rw: Rewriter,
    kind: AnyMemRef,
    value: SSAValue,
    address: SSAValue,
    *,
    of_buffer: bool = False,
) -> None:
    """Puts a value of the element's new type at an address."""
    stored = stored_type(rw, kind)
    if value.type == i1:
        value = rw.value(llvm.ZExtOp, (value,), i8)
    properties: dict[str, Attribute] = {"alignment": llvm.number(alignment_of(stored))}
    op = rw.create(llvm.StoreOp, (value, address), properties=properties)
    if of_buffer:
        op.attributes[marks.BUFFER] = UNIT


def view_of(op: Operation, operands: Operands, index: int = 0) -> View:
    """The memref that is the operand with this number."""
    return View(op.operands[index].type, operands[index])


@converts(memref.LoadOp)
def convert_load(op: memref.LoadOp, operands: Operands, rw: Rewriter) -> Results:
    """The element at the indices."""
    view = view_of(op, operands)
    address = element_address(rw, view, [i for (i,) in operands[1:]], _invariant(op))
    value = load(rw, view.kind, address, of_buffer=_is_of_buffer(op.memref))
    return rw.value(llvm.FreezeOp, (value,), value.type) if op in rw.state.late else value


@converts(memref.StoreOp)
def convert_store(op: memref.StoreOp, operands: Operands, rw: Rewriter) -> Results:
    """The value goes to the indices."""
    view = view_of(op, operands, 1)
    ((value,), _, *indices) = operands
    address = element_address(rw, view, [index for (index,) in indices], _invariant(op))
    store(rw, view.kind, value, address, of_buffer=_is_of_buffer(op.memref))
    return None


@converts(gpux.PrefetchOp)
def convert_prefetch(op: gpux.PrefetchOp, operands: Operands, rw: Rewriter) -> Results:
    """What is read comes near, where it does not take the place of what is worked on."""
    view = view_of(op, operands)
    write = op.write is not None
    offset = linear_index(rw, view, [index for (index,) in operands[1:]])
    prefetch(rw, moved(rw, view, offset), write=write, near=write)
    return None


def _invariant(op: Operation) -> Sequence[int]:
    """The dimensions whose indices a loop leaves alone."""
    marked = op.attributes.get(marks.INVARIANT)
    return marked.get_values() if isinstance(marked, DenseArrayBase) else ()


def _is_of_buffer(value: SSAValue) -> bool:
    """Whether a memref is a parameter of the function or an array of a block, or a view of one."""
    while isinstance(value.owner, memref.SubviewOp | memref.CastOp | memref.ReinterpretCastOp):
        value = value.owner.operands[0]
    owner = value.owner
    if isinstance(owner, Operation):
        return marks.OF_BLOCK in owner.attributes
    return isinstance(owner.parent_op(), func.FuncOp | llvm.FuncOp)


# --- views ----------------------------------------------------------------------------------------


def made(rw: Rewriter, kind: Attribute, pointer: SSAValue, view: View) -> list[SSAValue]:
    """The values of a memref of a type: the parts of `view` that the type does not know."""
    parts = unknown_parts(kind, view.sizes, lambda: view.all_strides(rw))
    return [pointer, *(as_value(rw, part) for part in parts)]


@converts(memref.DimOp)
def convert_dim(op: memref.DimOp, operands: Operands, rw: Rewriter) -> Results:
    """The size of a dimension; a dynamic dimension is looked up."""
    view = view_of(op, operands)
    (index,) = operands[1]
    if isinstance(index.owner, llvm.ConstantOp):
        number = index.owner.properties["value"]
        assert isinstance(number, IntegerAttr), "an index is an integer"
        if not 0 <= number.value.data < len(view.sizes):
            raise CannotConvert(f"dimension {number.value.data} of {view.kind}")
        return as_value(rw, view.sizes[number.value.data])
    result = as_value(rw, view.sizes[0])
    for dimension, size in enumerate(view.sizes[1:], start=1):
        result = select(rw, icmp(rw, "eq", index, dimension), as_value(rw, size), result)
    return result


@converts(memref.CastOp)
def convert_cast(op: memref.CastOp, operands: Operands, rw: Rewriter) -> Results:
    """The same memory, more or less of it known."""
    view = view_of(op, operands)
    return [made(rw, op.results[0].type, view.pointer, view)]


@converts(memref.MemorySpaceCastOp)
def convert_space_cast(op: memref.MemorySpaceCastOp, operands: Operands, rw: Rewriter) -> Results:
    """The same memory, seen through another address space."""
    view = view_of(op, operands)
    pointer = rw.types(op.results[0].type)[0]
    address = view.pointer
    if address.type != pointer:
        address = rw.value(llvm.AddrSpaceCastOp, (address,), pointer)
    return [made(rw, op.results[0].type, address, view)]


@converts(memref.SubviewOp)
def convert_subview(op: memref.SubviewOp, operands: Operands, rw: Rewriter) -> Results:
    """The pointer at the first element of the part, strides multiplied by the steps."""
    view = view_of(op, operands)
    offsets, sizes, steps = mixed(op, operands)
    strides = view.all_strides(rw)
    offset: Size = 0
    for start, stride in zip(offsets, strides, strict=True):
        offset = add(rw, offset, multiply(rw, start, stride))
    kind = as_memref(op.results[0].type)
    kept = kept_dimensions(sizes, kind.get_shape())
    part = View(view.kind, operands[0])
    part.sizes = [sizes[d] for d in kept]
    part.strides = [multiply(rw, strides[d], steps[d]) for d in kept]
    return [made(rw, kind, moved(rw, view, offset), part)]


@converts(memref.ReinterpretCastOp)
def convert_reinterpret_cast(
    op: memref.ReinterpretCastOp, operands: Operands, rw: Rewriter
) -> Results:
    """The same memory with the sizes and strides that are given."""
    view = view_of(op, operands)
    (offset,), sizes, strides = mixed(op, operands)
    new = View(view.kind, operands[0])
    new.sizes, new.strides = sizes, strides
    return [made(rw, op.results[0].type, moved(rw, view, offset), new)]


@converts(memref.ViewOp)
def convert_view(op: memref.ViewOp, operands: Operands, rw: Rewriter) -> Results:
    """Bytes from a position on as elements of another type."""
    view = view_of(op, operands)
    ((shift,), *sizes) = operands[1:]
    kind = as_memref(op.results[0].type)
    new = View(view.kind, operands[0])
    dynamic = iter([size for (size,) in sizes])
    new.sizes = [next(dynamic) if size == DYNAMIC else size for size in kind.get_shape()]
    new.strides = None
    return [made(rw, kind, moved(rw, view, shift), new)]


@converts(memref.ExtractStridedMetaDataOp)
def convert_metadata(
    op: memref.ExtractStridedMetaDataOp, operands: Operands, rw: Rewriter
) -> Results:
    """Pointer, offset 0, sizes and strides."""
    view = view_of(op, operands)
    sizes = [as_value(rw, size) for size in view.sizes]
    strides = [as_value(rw, stride) for stride in view.all_strides(rw)]
    return [[view.pointer], [as_value(rw, 0)], *([v] for v in sizes), *([v] for v in strides)]


@converts(memref.ExtractAlignedPointerAsIndexOp)
def convert_pointer(
    op: memref.ExtractAlignedPointerAsIndexOp, operands: Operands, rw: Rewriter
) -> Results:
    """The address as a number."""
    state: State = rw.state
    return rw.value(llvm.PtrToIntOp, (operands[0][0],), state.target.index)
