"""Changing a field: of a local object, or of an element of an array of structs."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from .arrays import field_name, load, store, target_view
from .convert import store_value
from .sharing import is_mutable, refusal
from .structs import field_view
from .typing_of import describe, settle_type
from .values import RecordView, StructValue, Value, View, static_int
from .variables import assign

if TYPE_CHECKING:
    from .frame import Frame


def store_attribute(frame: Frame, node: ast.Attribute, value: Value) -> None:
    """`p.x = value`, `points[i].x = value`."""
    update_attribute(frame, node, lambda old: value, load_first=False)


def update_attribute(
    frame: Frame, node: ast.expr, change: Callable[[Value], Value], *, load_first: bool = True
) -> None:
    """Change a field by a function of its old value."""
    assert isinstance(node, ast.Attribute), "the target of an assignment to a field"
    path: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        path.insert(0, inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Subscript):
        _update_element(frame, node, inner, path, change)
        return
    if not isinstance(inner, ast.Name) or inner.id not in frame.plan.variables:
        raise frame.refuse(node, f"cannot assign to {frame.text_of(node)}")
    old = frame.eval(inner)
    if not isinstance(old, StructValue):
        raise frame.refuse(node, f"cannot assign to an attribute of {describe(old)}")
    _expect_changeable(frame, node, inner.id, old, len(path) > 1)
    new = _replaced(frame, node, old, path, change)
    assign(frame, inner.id, new, node)


def _expect_changeable(
    frame: Frame, node: ast.AST, name: str, value: StructValue, of_part: bool
) -> None:
    if value.owner:
        where = "the array" if value.owner == "the array element" else "the caller's object"
        raise frame.refuse(
            node,
            f"{name} is {value.owner if ' ' in value.owner else f'parameter {value.owner}'}: in "
            f"Python this would change {where}",
            hint="assign the element's field directly (points[i].x = …), or make a new object: "
            "dataclasses.replace(p, x=…)",
        )
    if not is_mutable(value.type):
        raise frame.refuse(
            node,
            f"{value.type.name} is immutable",
            hint="make a new object: dataclasses.replace(p, x=…) or p._replace(x=…)",
        )
    variable = frame.variable(name)
    variable.changed, variable.changed_in = node, list(frame.loops)
    if variable.shared or (of_part and variable.shares_parts):
        raise refusal(frame, name, node)


def _replaced(
    frame: Frame,
    node: ast.AST,
    value: Value,
    path: list[str],
    change: Callable[[Value], Value],
) -> Value:
    if not path:
        return change(value)
    if not isinstance(value, StructValue) or path[0] not in value.fields:
        raise frame.refuse(node, f"{describe(value)} has no field {path[0]}")
    field = value.type.field(path[0])
    new = _replaced(frame, node, value.fields[path[0]], path[1:], change)
    assert field is not None, "fields and type agree"
    new = store_value(frame, node, new, settle_type(field.type), f"field {path[0]}")
    return StructValue(value.type, {**value.fields, path[0]: new}, value.owner)


def _update_element(
    frame: Frame,
    node: ast.AST,
    target: ast.Subscript,
    path: list[str],
    change: Callable[[Value], Value],
) -> None:
    view, indices = target_view(frame, target)
    text = frame.text_of(node)
    chosen: Value = view
    for name in path:
        if not isinstance(chosen, RecordView) or chosen.element.field(name) is None:
            raise frame.refuse(node, f"{describe(chosen)} has no field {name}")
        chosen = field_view(chosen, name)
    assert isinstance(chosen, (View, RecordView)), "a field of an array is an array"
    with frame.at(node):
        store(frame, node, chosen, indices, change(load(frame, chosen, indices)), text)


Place = tuple[ast.Subscript, list[str]]


def field_place(frame: Frame, node: ast.Subscript) -> Place | None:
    """The element and the names on the way to a part of it; None if it is no such part.

    Of `points[i]["x"]`, and of `points[i].at[0]`, a known item of a field that is a tuple.
    """
    name = field_name(node)
    if name is not None:
        return (node.value, [name]) if isinstance(node.value, ast.Subscript) else None
    path: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Constant | ast.Name):
        if not isinstance(inner.value, ast.Subscript | ast.Attribute):
            return None
        number = static_int(frame.eval(inner.slice))
        if number is None or number < 0:
            return None
        path.insert(0, str(number))
        inner = inner.value
    if not isinstance(inner, ast.Attribute):
        return None
    while isinstance(inner, ast.Attribute):
        path.insert(0, inner.attr)
        inner = inner.value
    if not isinstance(inner, ast.Subscript) or not isinstance(inner.value, ast.Name):
        return None
    return (inner, path) if isinstance(frame.eval(inner.value), RecordView) else None


def update_place(
    frame: Frame, node: ast.Subscript, place: Place, change: Callable[[Value], Value]
) -> None:
    """Change a part of an element by a function of its old value."""
    element, path = place
    _update_element(frame, node, element, path, change)
