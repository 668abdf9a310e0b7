"""memref to llvm: a memref is a pointer to its first element, dynamic sizes, dynamic strides.

    %v = memref.load %m[%i, %j] : memref<?x?xf32>

    %row = llvm.mul %i, %m_size1 overflow<nsw>        // contiguous: ((i * n1) + j) …
    %at = llvm.add %row, %j overflow<nsw>
    %p = llvm.getelementptr inbounds %m[%at] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %v = llvm.load %p {alignment = 4 : i64} : !llvm.ptr -> f32

What an access computes cannot wrap, since the element is inside the memory; what a view computes
may (a view that is never accessed can be anywhere). A bool is a byte in memory, never one bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects import func, memref
from xdsl.dialects.builtin import (
    DenseArrayBase,
    IntegerAttr,
    i1,
    i8,
    i32,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import llvm
from ...dialects.gpux import INVARIANT
from ...dialects.llvm.base import UNIT
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..memref_views import (
    DYNAMIC,
    AnyMemRef,
    Size,
    ViewParts,
    as_memref,
    kept_dimensions,
    mixed,
    strides_of,
)
from .target import State, const, icmp, resize, select

RULES = Rules()
converts = RULES.converts

_NO_WRAP = {"overflowFlags": llvm.OverflowAttr(("nsw",))}
_NO_WRAP_AT_ALL = {"overflowFlags": llvm.OverflowAttr(("nsw", "nuw"))}
_CACHE_LINE = 64


# --- what a memref is made of ---------------------------------------------------------------------


class View(ViewParts):
    """The parts of a memref value: pointer, and for each dimension its size and stride."""

    def __init__(self, kind: Attribute, values: Sequence[SSAValue]):
        super().__init__(kind, values[1:])
        self.pointer = values[0]

    def all_strides(self, rw: Rewriter) -> list[Size]:
        """The strides of all dimensions, computed from the sizes where they are not given."""
        return self.strides_by(lambda stride, size: multiply(rw, stride, size))


def as_value(rw: Rewriter, size: Size) -> SSAValue:
    """A size or stride as a value."""
    state: State = rw.state
    return const(rw, size, state.target.index) if isinstance(size, int) else size


def multiply(rw: Rewriter, a: Size, b: Size, flags: dict[str, Attribute] | None = None) -> Size:
    """The product, at compile time where it is known."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    for known, other in ((a, b), (b, a)):
        if isinstance(known, int) and known in (0, 1):
            return other if known else 0
    x, y = _as_values(rw, a, b)
    return rw.value(llvm.MulOp, (x, y), x.type, flags or {})


def add(rw: Rewriter, a: Size, b: Size, flags: dict[str, Attribute] | None = None) -> Size:
    """The sum, at compile time where it is known."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if isinstance(a, int) and a == 0:
        return b
    if isinstance(b, int) and b == 0:
        return a
    x, y = _as_values(rw, a, b)
    return rw.value(llvm.AddOp, (x, y), x.type, flags or {})


def _as_values(rw: Rewriter, a: Size, b: Size) -> tuple[SSAValue, SSAValue]:
    """Two sizes as values of one type, that of the one which is a value already."""
    if isinstance(a, int):
        value = as_value(rw, b)
        return const(rw, a, value.type), value
    return a, const(rw, b, a.type) if isinstance(b, int) else b


def linear_index(
    rw: Rewriter, view: View, indices: Sequence[Size], *, signed: bool = False
) -> Size:
    """How many elements after the first one an element is; cannot wrap.

    In small launches 32 bits hold it, and every number on the way. Nothing of a contiguous array
    lies before its first element, unless it is `signed`.
    """
    state: State = rw.state
    signed = signed or view.strides is not None
    if state.small:
        flags: dict[str, Attribute] = dict(_NO_WRAP if signed else _NO_WRAP_AT_ALL)
        at = _linear_index(rw, view, indices, lambda size: _in_32_bits(rw, size), flags)
        if isinstance(at, int):
            return at
        # Neighbours in a row are to be extended alike; see `element_address`.
        signed = signed or len(indices) > 1
        return resize(rw, at, state.target.index, signed=signed)
    return _linear_index(rw, view, indices, lambda size: size, dict(_NO_WRAP))


def _linear_index(
    rw: Rewriter,
    view: View,
    numbers: Sequence[Size],
    given: Callable[[Size], Size],
    flags: dict[str, Attribute],
) -> Size:
    at: Size = 0
    if view.strides is None:
        for index, size in zip(numbers, view.sizes, strict=True):
            at = add(rw, multiply(rw, at, given(size), flags), given(index), flags)
        return at
    for index, stride in zip(numbers, view.strides, strict=True):
        at = add(rw, at, multiply(rw, given(index), given(stride), flags), flags)
    return at


def known_index(index: SSAValue) -> Size:
    """The number that an index is, where that is known."""
    if isinstance(index.owner, llvm.ConstantOp):
        number = index.owner.properties["value"]
        if isinstance(number, IntegerAttr):
            return number.value.data
    return index


def _in_32_bits(rw: Rewriter, size: Size) -> Size:
    """The low half of a value; what has been extended from 32 bits, as it was."""
    if isinstance(size, int):
        return size
    if isinstance(size.owner, llvm.SExtOp | llvm.ZExtOp):
        source = size.owner.operands[0]
        if source.type == i32:
            return source
    return resize(rw, size, i32)


def _behind(index: Size) -> tuple[Size, int]:
    """An index of 32 bits as another one and how many elements it is behind that, if it is."""
    if isinstance(index, SSAValue) and isinstance(index.owner, llvm.SExtOp):
        total = index.owner.operands[0]
        if total.type == i32 and isinstance(total.owner, llvm.AddOp):
            before, distance = total.owner.operands
            number = known_index(distance)
            if isinstance(number, int) and number > 0:
                return before, number
    return index, 0


def element_address(
    rw: Rewriter, view: View, indices: Sequence[SSAValue], first: Sequence[int] = ()
) -> SSAValue:
    """The address of an element that exists.

    In two steps, if `first` names dimensions of a contiguous array: the part that these make comes
    first. In small launches also if the last index is so much behind another one: what neighbours
    have in common comes first, by which LLVM sees that they are.

        %at = llvm.add %row, %j            // of %m[%i, %j] and of %m[%i, %j + 1]
        %p = llvm.getelementptr %m[%at]
        %q = llvm.getelementptr %p[1]      // %p may lie outside
    """
    kind, pointer = stored_type(rw, view.kind), view.pointer
    numbers = [known_index(index) for index in indices]
    parts = [numbers]
    if rw.state.small and not first and len(numbers) > 1 and view.strides is None:
        before, distance = _behind(numbers[-1])
        if distance:
            at = linear_index(rw, view, [*numbers[:-1], before], signed=True)
            place = rw.insert(llvm.GEPOp.at(pointer, [at], kind)).results[0]
            return rw.insert(llvm.GEPOp.at(place, [distance], kind)).results[0]
    if first:
        parts = [
            [number if (d in first) == chosen else 0 for d, number in enumerate(numbers)]
            for chosen in (True, False)
        ]
    for part in parts:
        at = linear_index(rw, view, part)
        if not isinstance(at, int) or at != 0:
            pointer = rw.insert(llvm.GEPOp.at(pointer, [at], kind, inbounds=True)).results[0]
    return pointer


def moved(rw: Rewriter, view: View, offset: Size) -> SSAValue:
    """The pointer moved by a number of elements, wherever that is."""
    if isinstance(offset, int) and offset == 0:
        return view.pointer
    return rw.insert(llvm.GEPOp.at(view.pointer, [offset], stored_type(rw, view.kind))).results[0]


def stored_type(rw: Rewriter, kind: AnyMemRef) -> Attribute:
    """The type of an element in memory."""
    element = rw.type(kind.element_type)
    return i8 if element == i1 else element


def alignment_of(kind: Any) -> int:
    """The natural alignment of an element in memory, in bytes."""
    from xdsl.dialects.builtin import FixedBitwidthType, VectorType

    if isinstance(kind, VectorType):
        return alignment_of(llvm.element_type(kind))
    if isinstance(kind, FixedBitwidthType):
        return max(1, kind.bitwidth // 8)
    return 8


# --- accesses -------------------------------------------------------------------------------------


BUFFER = "gpux.buffer"
"""On accesses to what threads share: a race gives any of the values, so threads need no order."""
OF_BLOCK = "gpux.of_block"
"""On an alloca that was converted: its array is one for all threads, or has a place for each."""


def load(rw: Rewriter, kind: AnyMemRef, address: SSAValue, *, of_buffer: bool = False) -> SSAValue:
    """The element at an address, as a value of the element's new type."""
    stored = stored_type(rw, kind)
    properties = {"alignment": llvm.number(alignment_of(stored))}
    op = rw.create(llvm.LoadOp, (address,), (stored,), properties=properties)
    if of_buffer:
        op.attributes[BUFFER] = UNIT
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
        op.attributes[BUFFER] = UNIT


def view_of(op: Operation, operands: Operands, index: int = 0) -> View:
    """The memref that is the operand with this number."""
    return View(op.operands[index].type, operands[index])


@converts(memref.LoadOp)
def convert_load(op: memref.LoadOp, operands: Operands, rw: Rewriter) -> Results:
    """The element at the indices."""
    view = view_of(op, operands)
    address = element_address(rw, view, [i for (i,) in operands[1:]], _invariant(op))
    return load(rw, view.kind, address, of_buffer=_is_of_buffer(op.memref))


@converts(memref.StoreOp)
def convert_store(op: memref.StoreOp, operands: Operands, rw: Rewriter) -> Results:
    """The value goes to the indices."""
    view = view_of(op, operands, 1)
    ((value,), _, *indices) = operands
    address = element_address(rw, view, [index for (index,) in indices], _invariant(op))
    store(rw, view.kind, value, address, of_buffer=_is_of_buffer(op.memref))
    return None


def _invariant(op: Operation) -> Sequence[int]:
    """The dimensions whose indices a loop leaves alone."""
    marked = op.attributes.get(INVARIANT)
    return marked.get_values() if isinstance(marked, DenseArrayBase) else ()


def _is_of_buffer(value: SSAValue) -> bool:
    """Whether a memref is a parameter of the function or an array of a block, or a view of one."""
    while isinstance(value.owner, memref.SubviewOp | memref.CastOp | memref.ReinterpretCastOp):
        value = value.owner.operands[0]
    owner = value.owner
    if isinstance(owner, Operation):
        return OF_BLOCK in owner.attributes
    return isinstance(owner.parent_op(), func.FuncOp | llvm.FuncOp)


# --- views ----------------------------------------------------------------------------------------


def made(rw: Rewriter, kind: Attribute, pointer: SSAValue, view: View) -> list[SSAValue]:
    """The values of a memref of a type: the parts of `view` that the type does not know."""
    kind = as_memref(kind)
    values = [pointer]
    for known, size in zip(kind.get_shape(), view.sizes, strict=True):
        if known == DYNAMIC:
            values.append(as_value(rw, size))
    strides = strides_of(kind)
    if strides is not None and None in strides:
        for known, stride in zip(strides, view.all_strides(rw), strict=True):
            if known is None:
                values.append(as_value(rw, stride))
    return values


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
