"""Where the elements of a memref lie: its parts, and addresses computed of them.

What an access computes cannot wrap, since the element is inside the memory; what a view computes
may (a view that is never accessed can be anywhere).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects.builtin import FixedBitwidthType, IntegerAttr, VectorType, i1, i8, i32
from xdsl.ir import Attribute, SSAValue

from ...dialects import llvm
from ..conversion import Rewriter
from ..memref_views import AnyMemRef, Size, ViewParts
from .target import State, const, resize


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
        flags = llvm.NO_SIGNED_WRAP if signed else llvm.NO_WRAP
        at = _linear_index(rw, view, indices, lambda size: _in_32_bits(rw, size), flags)
        if isinstance(at, int):
            return at
        # Neighbours in a row are to be extended alike; see `element_address`.
        signed = signed or len(indices) > 1
        return resize(rw, at, state.target.index, signed=signed)
    return _linear_index(rw, view, indices, lambda size: size, llvm.NO_SIGNED_WRAP)


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


def prefetch(rw: Rewriter, address: SSAValue, *, write: bool, near: bool) -> None:
    """The line at an address, if there is one, soon is in the cache that is nearest, or next to
    it."""
    kind = [const(rw, number, i32) for number in (int(write), 3 if near else 2, _DATA)]
    rw.insert(llvm.CallIntrinsicOp.to("llvm.prefetch.p0", (address, *kind), []))


_DATA = 1  # no code


def stored_type(rw: Rewriter, kind: AnyMemRef) -> Attribute:
    """The type of an element in memory."""
    element = rw.type(kind.element_type)
    return i8 if element == i1 else element


def alignment_of(kind: Any) -> int:
    """The natural alignment of an element in memory, in bytes."""
    if isinstance(kind, VectorType):
        return alignment_of(llvm.element_type(kind))
    if isinstance(kind, FixedBitwidthType):
        return max(1, kind.bitwidth // 8)
    return 8
