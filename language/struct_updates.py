"""Changing a field: of a local object, or of an element of an array of structs.

A struct is held by value, so Python's sharing of one mutable object by two names is only allowed
where it cannot be seen: a field of an object that another name may stand for is not changed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from .annotations import is_struct_class
from .convert import store_value
from .structs import field_view
from .types import StructType, TupleType, Type
from .typing_of import describe, settle_type
from .values import RecordView, Static, StructValue, TupleValue, Value, View
from .variables import assign

if TYPE_CHECKING:
    from .frame import Frame


def note_sharing(frame: Frame, source: ast.expr, value: Value, targets: list[ast.expr]) -> None:
    """An assignment after which several names may stand for one mutable object."""
    if not _holds_mutable(value):
        return
    names = {name for target in targets for name in _names_in_target(target)}
    shared = _shared_names(frame, source)
    if len(targets) < 2 and not shared:
        return
    for name in names | shared:
        variable = frame.plan.variables.get(name)
        if variable is not None:
            if name not in shared and isinstance(source, ast.Call) and len(targets) == 1:
                variable.shares_parts = True  # a new object, made of shared ones
                continue
            variable.shared = True
            # A change before this one is not seen by the other name, unless a loop comes back.
            again = any(loop in variable.changed_in for loop in frame.loops)
            if variable.changed is not None and again:
                raise _shared(frame, name, variable.changed)


def _holds_mutable(value: Value) -> bool:
    if isinstance(value, StructValue):
        return is_mutable(value.type) or any(map(_holds_mutable, value.fields.values()))
    return isinstance(value, TupleValue) and any(map(_holds_mutable, value.items))


def _names_in_target(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _shared_names(frame: Frame, node: ast.expr) -> set[str]:
    """Names whose object an expression's value may be, or hold."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, (ast.Attribute, ast.Subscript, ast.NamedExpr)):
        parts = [node.value]
    elif isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, (ast.Tuple, ast.List)):
        parts = node.elts
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        # Objects given to a constructor are part of the new one; other calls say it by `owner`.
        callee = frame.scope.find(node.func.id)
        if isinstance(callee, Static) and is_struct_class(callee.value):
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
    names = {name for part in parts for name in _shared_names(frame, part)}
    return {name for name in names if _variable_holds_mutable(frame, name)}


def _variable_holds_mutable(frame: Frame, name: str) -> bool:
    variable = frame.plan.variables.get(name)
    return variable is not None and _has_mutable(variable.type)


def _has_mutable(type_: Type | None) -> bool:
    if isinstance(type_, StructType):
        return is_mutable(type_) or any(_has_mutable(field.type) for field in type_.fields)
    return isinstance(type_, TupleType) and any(map(_has_mutable, type_.items))


def is_mutable(type_: StructType) -> bool:
    """Whether Python allows a field of such an object to be assigned."""
    parameters = getattr(type_.cls, "__dataclass_params__", None)
    return parameters is not None and not parameters.frozen


def _shared(frame: Frame, name: str, node: ast.AST) -> Exception:
    return frame.refuse(
        node,
        f"a field of {name} is changed, and another name may stand for the same object",
        hint="make a new object: dataclasses.replace(p, x=…)",
    )


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
        raise _shared(frame, name, node)


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
    from .arrays import load, store, target_view

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


def store_field_item(frame: Frame, node: ast.Subscript, value: Value) -> None:
    """`points[i]["x"] = value`."""
    update_field_item(frame, node, lambda old: value)


def update_field_item(frame: Frame, node: ast.Subscript, change: Callable[[Value], Value]) -> None:
    """`points[i]["x"] op= value`."""
    assert isinstance(node.value, ast.Subscript) and isinstance(node.slice, ast.Constant), "checked"
    _update_element(frame, node, node.value, [str(node.slice.value)], change)
