"""Elements and slices of arrays: indices with their checks, loads, stores, views."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import SSAValue

from ..dialects import simt
from ..dialects.predicates import NE
from .convert import store_as, to_index
from .emitter import I8, I64, INDEX, MEMORY, integer
from .types import DTYPES, bool_
from .typing_of import describe
from .values import (
    AnyView,
    RecordView,
    Scalar,
    Static,
    StructValue,
    TupleValue,
    Value,
    View,
    static_int,
)

if TYPE_CHECKING:
    from .frame import Frame

_INDEX = DTYPES["index"]


def dimension(frame: Frame, view: AnyView, axis: int) -> Value:
    """The size of an axis: a constant where it is known, else of type index."""
    known = view.sizes[axis]
    if known is not None:
        return Static(known)
    source = view if isinstance(view, View) else view.leaves[0]
    at = frame.emit.index(axis)
    return Scalar(_INDEX, frame.emit.add(memref.DimOp, (source.ssa, at), (INDEX,)))


def subscript_of(frame: Frame, node: ast.Subscript, value: Value) -> Value:
    """`value[…]`: an element or a slice of an array, or an item of a tuple."""
    if isinstance(value, (View, RecordView)):
        if isinstance(value, RecordView):
            field = _field_name(node)
            if field is not None:
                from .structs import field_view_checked

                return field_view_checked(frame, node, value, field)
        indices = index_nodes(frame, node, value)
        if any(isinstance(index, ast.Slice) for index in indices):
            from .slices import slice_view

            return slice_view(frame, node, value, indices)
        return load(frame, value, element(frame, node, value, indices))
    if isinstance(value, TupleValue):
        from .tuple_items import tuple_item

        return tuple_item(frame, node, value.items)
    if isinstance(value, StructValue):
        from .structs import struct_item

        return struct_item(frame, node, value)
    raise frame.refuse(node, f"{describe(value)} cannot be indexed")


def _field_name(node: ast.Subscript) -> str | None:
    found = node.slice
    if isinstance(found, ast.Constant) and isinstance(found.value, str):
        return found.value
    return None


def index_nodes(frame: Frame, node: ast.Subscript, view: AnyView) -> list[ast.expr | Value]:
    """One index or slice for each axis; missing ones are whole slices."""
    given: list[ast.expr | Value] = []
    written = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for part in written:
        if isinstance(part, (ast.Slice, ast.Starred)):
            given.append(part)
            continue
        value = frame.eval(part)
        given += value.items if isinstance(value, TupleValue) else [value]
    return _complete(frame, node, view, given)


def _complete(
    frame: Frame, node: ast.Subscript, view: AnyView, given: list[ast.expr | Value]
) -> list[ast.expr | Value]:
    rank = len(view.sizes)
    whole = ast.copy_location(ast.Slice(), node)
    for position, part in enumerate(given):
        if isinstance(part, Static) and part.value is ...:
            missing = rank - len(given) + 1
            given = [*given[:position], *[whole] * missing, *given[position + 1 :]]
            break
    for part in given:
        if isinstance(part, Static) and part.value is None:
            raise frame.refuse(node, "None (a new axis) is not in the language")
        if isinstance(part, ast.Starred):
            raise frame.refuse(part, "a starred index is not in the language")
    if len(given) > rank:
        raise frame.refuse(node, f"{len(given)} indices for an array with {rank} axes")
    return [*given, *[whole] * (rank - len(given))]


def element(
    frame: Frame, node: ast.Subscript, view: AnyView, indices: list[ast.expr | Value]
) -> list[SSAValue]:
    """Checked indices of one element."""
    text = frame.text_of(node.value)
    values: list[SSAValue] = []
    for axis, index in enumerate(indices):
        assert isinstance(index, Value), "slices have been taken out"
        values.append(checked_index(frame, node, view, axis, index, text))
    return values


def checked_index(
    frame: Frame, node: ast.AST, view: AnyView, axis: int, index: Value, text: str
) -> SSAValue:
    """One index, with the check that it is inside the axis; a negative constant counts back."""
    size, known = view.sizes[axis], static_int(index)
    if isinstance(index, Static) and isinstance(index.value, bool):
        raise frame.refuse(node, "an index must be an integer, got a bool")
    if known is not None and size is not None:
        if not -size <= known < size:
            raise frame.refuse(
                node, f"index {known} is out of bounds for axis {axis} of {text} with size {size}"
            )
        return frame.emit.index(known % size)
    if known is not None and known < 0:
        end = dimension(frame, view, axis)
        assert isinstance(end, Scalar), "a known size was handled above"
        back = frame.emit.index(-known)
        value = frame.emit.binary(arith.SubiOp, end.ssa, back, _INDEX)
    else:
        value = to_index(frame, node, index, "an index")
    if frame.unit.checks:
        source = view if isinstance(view, View) else view.leaves[0]
        frame.emit.add(
            simt.CheckIndexOp,
            (value, source.ssa),
            (),
            {"dimension": integer(axis, I64), "view_name": StringAttr(text)},
        )
    return value


def load(frame: Frame, view: AnyView, indices: list[SSAValue]) -> Value:
    """The element at checked indices."""
    if isinstance(view, RecordView):
        from .structs import load_record

        return load_record(frame, view, indices)
    value = frame.emit.add(memref.LoadOp, (view.ssa, *indices), (MEMORY[view.dtype],))
    if view.dtype is bool_:
        zero = _byte_zero(frame)
        value = frame.emit.compare(NE, value, zero, floats=False)
    return Scalar(view.dtype, value)


def _byte_zero(frame: Frame) -> SSAValue:
    return frame.emit.constant(0, DTYPES["i8"])


def store(
    frame: Frame, node: ast.AST, view: AnyView, indices: list[SSAValue], value: Value, text: str
) -> None:
    """Write the element at checked indices; converts within the kind of its type."""
    if isinstance(view, RecordView):
        from .structs import store_record

        store_record(frame, node, view, indices, value, text)
        return
    scalar = store_as(frame, node, value, view.dtype, f"element of {text}")
    frame.mark_written(view)
    ssa = scalar.ssa
    if view.dtype is bool_:
        ssa = frame.emit.add(arith.ExtUIOp, (ssa,), (I8,))
    frame.emit.add(memref.StoreOp, (ssa, view.ssa, *indices))


def target_view(frame: Frame, node: ast.Subscript) -> tuple[AnyView, list[SSAValue]]:
    """The array and the checked indices that an assignment's target means."""
    value = frame.eval(node.value)
    if not isinstance(value, (View, RecordView)):
        hint = None
        if isinstance(value, TupleValue):
            hint = "tuples cannot be changed; use sw.local(…) for a small array"
        raise frame.refuse(node, f"cannot assign to an item of {describe(value)}", hint=hint)
    if isinstance(value, RecordView):
        field = _field_name(node)
        if field is not None:
            raise _slice_target(frame, node)
    indices = index_nodes(frame, node, value)
    if any(isinstance(index, ast.Slice) for index in indices):
        raise _slice_target(frame, node)
    return value, element(frame, node, value, indices)


def _slice_target(frame: Frame, node: ast.Subscript) -> Exception:
    return frame.refuse(
        node,
        "a slice cannot be assigned to",
        hint="assign element by element, in a loop or one per thread",
    )


def store_subscript(frame: Frame, node: ast.Subscript, value: Value) -> None:
    """`x[i] = value`."""
    if _is_field_of_element(frame, node):
        from .struct_updates import store_field_item

        store_field_item(frame, node, value)
        return
    view, indices = target_view(frame, node)
    with frame.at(node):
        store(frame, node, view, indices, value, frame.text_of(node.value))


def _is_field_of_element(frame: Frame, node: ast.Subscript) -> bool:
    """`pts[i]["x"] = value`."""
    return _field_name(node) is not None and isinstance(node.value, ast.Subscript)


def update_subscript(frame: Frame, node: ast.Subscript, change: Callable[[Value], Value]) -> None:
    """`x[i] op= value`: the index is computed and checked once."""
    if _is_field_of_element(frame, node):
        from .struct_updates import update_field_item

        update_field_item(frame, node, change)
        return
    view, indices = target_view(frame, node)
    with frame.at(node):
        value = change(load(frame, view, indices))
        store(frame, node, view, indices, value, frame.text_of(node.value))
