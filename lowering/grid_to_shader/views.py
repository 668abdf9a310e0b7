"""Views as an array and numbers: where the first element is, the sizes, the strides."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Attribute, SSAValue

from ...dialects.arith import WRAPS
from ...passes.utils.block_editing import constant, constant_value
from ..memref_views import Size, ViewParts, unknown_parts
from ..rewriter import Rewriter

INDEX = IndexType()


class View(ViewParts):
    """An array, the index in it of a view's first element, and the view's sizes and strides."""

    def __init__(self, kind: Attribute, values: Sequence[SSAValue]) -> None:
        super().__init__(kind, values[2:])
        self.base = values[0]
        self.offset: Size = known_size(values[1])

    def all_strides(self, rw: Rewriter) -> list[Size]:
        """The strides of all dimensions, computed from the sizes where they are not given."""
        return self.strides_by(lambda stride, size: multiply(rw, stride, size))

    def at(self, rw: Rewriter, indices: Sequence[Size]) -> SSAValue:
        """The index in the array of one element."""
        place: Size = 0
        if self.strides is None:
            for index, size in zip(indices, self.sizes, strict=True):
                place = add(rw, multiply(rw, place, size), index)
        else:
            for index, stride in zip(indices, self.strides, strict=True):
                place = add(rw, place, multiply(rw, index, stride))
        return value_of(rw, add(rw, self.offset, place))

    def values(self, rw: Rewriter, kind: Attribute) -> list[SSAValue]:
        """The values of a memref of a type: the parts of this view that the type does not know."""
        parts = unknown_parts(kind, self.sizes, lambda: self.all_strides(rw))
        return [self.base, *(value_of(rw, part) for part in (self.offset, *parts))]


def known_size(value: SSAValue) -> Size:
    """The number of a constant, else the value."""
    number = constant_value(value)
    return value if number is None else number


def value_of(rw: Rewriter, size: Size) -> SSAValue:
    """A size, stride or index as a value."""
    return rw.insert(constant(INDEX, size, None)).result if isinstance(size, int) else size


def multiply(rw: Rewriter, a: Size, b: Size) -> Size:
    """The product, at compile time where it is known."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    for known, other in ((a, b), (b, a)):
        if isinstance(known, int) and known in (0, 1):
            return other if known else 0
    return rw.value(arith.MuliOp, (value_of(rw, a), value_of(rw, b)), INDEX, WRAPS)


def add(rw: Rewriter, a: Size, b: Size) -> Size:
    """The sum, at compile time where it is known."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    for known, other in ((a, b), (b, a)):
        if isinstance(known, int) and known == 0:
            return other
    return rw.value(arith.AddiOp, (value_of(rw, a), value_of(rw, b)), INDEX, WRAPS)
