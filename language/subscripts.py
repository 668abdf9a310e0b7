"""`a[…]`, read, assigned and changed: which kind of thing has which kind of items."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from .arrays import element, field_name, index_nodes, load, store, target_view
from .typing_of import describe
from .values import RecordView, StructValue, TupleValue, Value, View

if TYPE_CHECKING:
    from .frame import Frame


def subscript(frame: Frame, node: ast.Subscript) -> Value:
    """`a[…]`: an element or a slice of an array, or an item of a tuple or a struct."""
    value = frame.eval(node.value)
    if isinstance(value, (View, RecordView)):
        if isinstance(value, RecordView):
            field = field_name(node)
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


def store_subscript(frame: Frame, node: ast.Subscript, value: Value) -> None:
    """`x[i] = value`."""
    if isinstance(node.value, ast.Subscript | ast.Attribute):
        from .struct_updates import field_place, update_place

        place = field_place(frame, node)
        if place is not None:
            update_place(frame, node, place, lambda old: value)
            return
    view, indices = target_view(frame, node)
    with frame.at(node):
        store(frame, node, view, indices, value, frame.text_of(node.value))


def update_subscript(frame: Frame, node: ast.Subscript, change: Callable[[Value], Value]) -> None:
    """`x[i] op= value`: the index is computed and checked once."""
    if isinstance(node.value, ast.Subscript | ast.Attribute):
        from .struct_updates import field_place, update_place

        place = field_place(frame, node)
        if place is not None:
            update_place(frame, node, place, change)
            return
    view, indices = target_view(frame, node)
    with frame.at(node):
        value = change(load(frame, view, indices))
        store(frame, node, view, indices, value, frame.text_of(node.value))
