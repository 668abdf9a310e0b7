"""Slices: `x[i, :]`, `x[a:b]`, `x[a:b:2]` are views of the same memory, clamped as Python does."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    MemRefType,
    StridedLayoutAttr,
    i32,
    i64,
)
from xdsl.ir import SSAValue

from ..dialects.predicates import SLT
from .arrays import checked_index, dimension
from .convert import convert, to_index, to_type
from .types import DTYPES, DType, u64
from .typing_of import type_of
from .values import (
    AnyView,
    RecordView,
    Scalar,
    Static,
    Value,
    View,
    static_int,
)

if TYPE_CHECKING:
    from .frame import Frame

_INDEX = DTYPES["index"]
Number = int | SSAValue


class _Axis:
    """One axis of a slice: first item, number of items, step; not `kept` where it is indexed."""

    def __init__(self, offset: Number, size: Number, step: int, kept: bool):
        self.offset = offset
        self.size = size
        self.step = step
        self.kept = kept


def slice_view(
    frame: Frame, node: ast.Subscript, view: AnyView, indices: list[ast.expr | Value]
) -> AnyView:
    """The view that a subscript with slices means."""
    text = frame.text_of(node.value)
    axes: list[_Axis] = []
    for axis, index in enumerate(indices):
        if isinstance(index, Value):
            known, size = static_int(index), view.sizes[axis]
            at = checked_index(frame, node, view, axis, index, text)
            offset: Number = at
            if known is not None and (known >= 0 or size is not None):
                offset = known if known >= 0 else known + (size or 0)
            axes.append(_Axis(offset, 1, 1, False))
        else:
            assert isinstance(index, ast.Slice), "an index or a slice"
            axes.append(_slice_axis(frame, index, dimension(frame, view, axis)))
    return _apply(frame, view, axes)


def row_view(frame: Frame, view: AnyView, at: SSAValue) -> AnyView:
    """`view[at]` of an array with several axes; `at` is known to be inside."""
    rest = [_whole(dimension(frame, view, axis)) for axis in range(1, len(view.sizes))]
    return _apply(frame, view, [_Axis(at, 1, 1, False), *rest])


def _whole(size: Value) -> _Axis:
    return _Axis(0, _number(size), 1, True)


def _number(value: Value) -> Number:
    if isinstance(value, Static):
        return int(value.value)
    assert isinstance(value, Scalar), "a size is a constant or an index"
    return value.ssa


def _apply(frame: Frame, view: AnyView, axes: list[_Axis]) -> AnyView:
    if isinstance(view, RecordView):
        views = tuple(_subview(frame, leaf, axes) for leaf in view.leaves)
        return RecordView(view.element, views)
    return _subview(frame, view, axes)


def element_view(frame: Frame, view: View, indices: Sequence[SSAValue]) -> SSAValue:
    """A view without axes of the element at checked indices."""
    return _subview(frame, view, [_Axis(index, 1, 1, False) for index in indices]).ssa


def _slice_axis(frame: Frame, node: ast.Slice, size: Value) -> _Axis:
    step = 1
    if node.step is not None:
        found = frame.eval(node.step)
        known = 1 if isinstance(found, Static) and found.value is None else static_int(found)
        if known is None or known < 1:
            raise frame.refuse(
                node.step,
                "the step of a slice must be a positive constant",
                hint="index with an expression, as in x[start + i * step]",
            )
        step = known
    low = _bound(frame, node.lower, size, Static(0))
    high = _bound(frame, node.upper, size, size)
    if node.lower is None and node.upper is None and step == 1:
        return _whole(size)
    return _Axis(low, _length(frame, low, high, step), step, True)


def _bound(frame: Frame, node: ast.expr | None, size: Value, default: Value) -> Number:
    """A bound counted from the end if negative, and clamped to the axis."""
    value = default if node is None else frame.eval(node)
    if isinstance(value, Static) and value.value is None:
        value = default
    if node is None or value is default:
        return _number(value)
    known, end = static_int(value), _number(size)
    if known is not None and isinstance(end, int):
        return slice(known, None).indices(end)[0]
    if known == 0:
        return 0
    emit = frame.emit
    top = emit.index(end) if isinstance(end, int) else end
    dtype = type_of(value)
    if known is None and isinstance(dtype, DType) and dtype.kind == "uint":
        return _unsigned_bound(frame, to_type(frame, node, value, u64), top)
    at = to_index(frame, node, value, "the bound of a slice")
    zero = emit.index(0)
    if known is None or known < 0:
        back = emit.binary(arith.AddiOp, at, top, _INDEX)
        if known is None:
            negative = emit.compare(SLT, at, zero, floats=False)
            at = emit.select(negative, back, at, _INDEX)
        else:
            at = back
        at = emit.binary(arith.MaxSIOp, at, zero, _INDEX)
    return emit.binary(arith.MinSIOp, at, top, _INDEX)


def _unsigned_bound(frame: Frame, value: Scalar, top: SSAValue) -> SSAValue:
    """Never from the end, also where an index would take it as negative."""
    emit = frame.emit
    most = convert(emit, top, _INDEX, u64)
    return convert(emit, emit.binary(arith.MinUIOp, value.ssa, most, u64), u64, _INDEX)


def _length(frame: Frame, low: Number, high: Number, step: int) -> Number:
    if isinstance(low, int) and isinstance(high, int):
        return len(range(low, high, step))
    emit = frame.emit
    if low == 0 and step == 1:
        return high
    first, last = (emit.index(n) if isinstance(n, int) else n for n in (low, high))
    size = emit.binary(arith.SubiOp, last, first, _INDEX)
    size = emit.binary(arith.MaxSIOp, size, emit.index(0), _INDEX)
    if step == 1:
        return size
    rounded = emit.binary(arith.AddiOp, size, emit.index(step - 1), _INDEX)
    return emit.binary(arith.DivUIOp, rounded, emit.index(step), _INDEX)


def _subview(frame: Frame, view: View, axes: list[_Axis]) -> View:
    result = _result_type(view.type, axes)
    lists = ([a.offset for a in axes], [a.size for a in axes], [a.step for a in axes])
    dynamic = [[n for n in numbers if not isinstance(n, int)] for numbers in lists]
    static = [[n if isinstance(n, int) else DYNAMIC_INDEX for n in numbers] for numbers in lists]
    names = ("static_offsets", "static_sizes", "static_strides")
    properties: dict[str, Any] = {
        name: DenseArrayBase.from_list(i64, numbers)
        for name, numbers in zip(names, static, strict=True)
    }
    properties["operandSegmentSizes"] = DenseArrayBase.from_list(
        i32, [1, *(len(numbers) for numbers in dynamic)]
    )
    operands = [view.ssa, *(n for numbers in dynamic for n in numbers)]
    ssa = frame.emit.add(memref.SubviewOp, operands, (result,), properties)
    return View(view.dtype, result, ssa, view.root)


def strides_of(type_: MemRefType[Any]) -> tuple[list[int | None], int | None]:
    """Strides and offset in elements, None where dynamic."""
    layout = type_.layout
    if isinstance(layout, StridedLayoutAttr):
        strides = [getattr(stride, "data", None) for stride in layout.strides]
        return strides, getattr(layout.offset, "data", None)
    strides: list[int | None] = []
    stride: int | None = 1
    for size in reversed(type_.get_shape()):
        strides.insert(0, stride)
        stride = None if stride is None or size < 0 else stride * size
    return strides, 0


def _result_type(type_: MemRefType[Any], axes: list[_Axis]) -> MemRefType[Any]:
    strides, offset = strides_of(type_)
    for axis, stride in zip(axes, strides, strict=True):
        if axis.offset == 0 and isinstance(axis.offset, int):
            continue
        if offset is None or stride is None or not isinstance(axis.offset, int):
            offset = None
        else:
            offset += axis.offset * stride
    pairs = [(a, s) for a, s in zip(axes, strides, strict=True) if a.kept]
    shape = [a.size if isinstance(a.size, int) else DYNAMIC_INDEX for a, _ in pairs]
    kept = [None if s is None else s * a.step for a, s in pairs]
    layout = StridedLayoutAttr(kept, offset)
    return MemRefType(type_.element_type, shape, layout, type_.memory_space)
