"""Dataclasses, NamedTuples and records of structured arrays: values made of their fields.

A struct is held by value. Python's sharing of one mutable object by two names is therefore only
allowed where it cannot be seen: no field of a shared object may be changed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

from .annotations import field_annotations, struct_type
from .constants import lift, typed_constant
from .convert import store_value
from .fingerprint import UNFINDABLE
from .functions import Function
from .operators import SYMBOLS
from .types import DType, Field, StructType, TupleType, Type, alignment_of, leaves, size_of
from .typing_of import settle_type, type_of
from .values import (
    Method,
    Origin,
    RecordView,
    Scalar,
    Static,
    StructValue,
    TupleValue,
    Value,
    View,
    describe,
)
from .variables import assign, rebuild

if TYPE_CHECKING:
    from xdsl.ir import SSAValue

    from .frame import Frame


def construct(
    frame: Frame, node: ast.AST, cls: type[Any], arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    """`Point(x, y)`."""
    if "__init__" in vars(cls) and not hasattr(cls, "__dataclass_fields__"):
        raise frame.refuse(node, f"{cls.__name__} has its own __init__")
    if hasattr(cls, "__post_init__"):
        raise frame.refuse(
            node,
            f"{cls.__name__} has a __post_init__, which kernels do not run",
            hint="write a function that computes the fields and makes the object",
        )
    rows = field_annotations(cls)
    names = [name for name, _ in rows]
    if len(arguments) > len(names):
        raise frame.refuse(
            node, f"{cls.__name__} has {len(names)} fields, got {len(arguments)} values"
        )
    given = dict(zip(names, arguments, strict=False))
    for name, value in keywords.items():
        if name not in names:
            raise frame.refuse(node, f"{cls.__name__} has no field {name}")
        if name in given:
            raise frame.refuse(node, f"{cls.__name__} got two values for {name}")
        given[name] = value
    defaults = _defaults(cls)
    missing = [name for name in names if name not in given and name not in defaults]
    if missing:
        raise frame.refuse(node, f"{cls.__name__} needs a value for {', '.join(missing)}")
    frame.unit.depend(class_origin(cls), cls)
    fields = {
        name: _field_value(frame, node, given.get(name) or lift(defaults[name]), type_, cls, name)
        for name, type_ in rows
    }
    return StructValue(struct_type(cls) or _struct_of_values(cls, fields), fields)


def _defaults(cls: type[Any]) -> dict[str, Any]:
    if hasattr(cls, "__dataclass_fields__"):
        from dataclasses import MISSING

        fields = cls.__dataclass_fields__.values()
        return {field.name: field.default for field in fields if field.default is not MISSING}
    return cls._field_defaults


def _field_value(
    frame: Frame, node: ast.AST, value: Value, type_: Type | None, cls: type[Any], name: str
) -> Value:
    if type_ is None:
        return value
    if isinstance(value, Static) and isinstance(type_, DType):
        typed = typed_constant(value, type_)
        if type_of(typed) is type_:
            return typed
    return store_value(frame, node, value, type_, f"field {name} of {cls.__name__}")


def _struct_of_values(cls: type[Any], fields: dict[str, Value]) -> StructType:
    """The type of an instance of a class whose fields have no types: that of its values."""
    rows: list[Field] = []
    offset = 0
    for name, value in fields.items():
        found = type_of(value)
        if found is None:
            continue
        settled = settle_type(found)
        offset = -(-offset // alignment_of(settled)) * alignment_of(settled)
        rows.append(Field(name, found, offset))
        offset += size_of(settled)
    return StructType(cls.__name__, tuple(rows), offset, 1, cls)


def class_origin(cls: type[Any]) -> Origin:
    """How to find a class again: by its module, unless it was made in a function."""
    if "<locals>" in cls.__qualname__:
        return UNFINDABLE
    steps = tuple(("attr", name) for name in cls.__qualname__.split("."))
    return (("module", cls.__module__), *steps)


def struct_attribute(frame: Frame, node: ast.AST, value: StructValue, name: str) -> Value:
    """A field, a property, a method or a class constant."""
    if name in value.fields:
        return value.fields[name]
    cls = value.type.cls
    member = None if cls is None else _class_member(cls, name)
    if cls is None or member is None:
        known = ", ".join(value.fields)
        raise frame.refuse(node, f"{value.type.name} has no attribute {name}; it has {known}")
    origin = class_origin(cls)
    frame.unit.depend(origin, cls)
    if name == "_replace":
        return Method(Static(REPLACE_METHOD), value, node)
    if isinstance(member, property):
        from .calls import call_value

        return call_value(frame, node, Static(member.fget, UNFINDABLE), [value], {})
    if isinstance(member, staticmethod):
        return Static(getattr(cls, name), (*origin, ("attr", name)))
    if isinstance(member, classmethod):
        return Method(Static(cast(Any, member).__func__, UNFINDABLE), Static(cls, origin), node)
    if isinstance(member, FunctionType):
        return Method(Static(member, (*origin, ("attr", name))), value, node)
    return lift(member)


def _class_member(cls: type[Any], name: str) -> Any:
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def struct_item(frame: Frame, node: ast.Subscript, value: StructValue) -> Value:
    """`record["x"]`, or `named_tuple[0]`."""
    from .arrays import _tuple_item  # pyright: ignore[reportPrivateUsage]
    from .statements import unpacked

    if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        if value.type.cls is None and node.slice.value in value.fields:
            return value.fields[node.slice.value]
        raise frame.refuse(node, f"{value.type.name} has no item {node.slice.value!r}")
    items = unpacked(value)
    if items is None:
        raise frame.refuse(
            node, f"{describe(value)} cannot be indexed", hint="read a field, as in p.x"
        )
    return _tuple_item(frame, node, items)


def load_record(frame: Frame, view: RecordView, indices: list[SSAValue]) -> Value:
    """A copy of one element."""
    from .arrays import load

    scalars = [load(frame, leaf, indices) for leaf in view.leaves]
    return rebuild(view.element, scalars, "the array element")


def store_record(
    frame: Frame, node: ast.AST, view: RecordView, indices: list[SSAValue], value: Value, text: str
) -> None:
    """`points[i] = Point(x, y)`: field by field, by name."""
    from .arrays import store
    from .variables import flatten

    if isinstance(value, TupleValue) and len(value.items) == len(view.element.fields):
        names = [field.name for field in view.element.fields]
        value = StructValue(view.element, dict(zip(names, value.items, strict=True)))
    if not isinstance(value, StructValue):
        raise frame.refuse(
            node,
            f"element of {text} is a {view.element.name}, got {describe(value)}",
            hint="assign one field, as in points[i].x = …, or a dataclass with the same fields",
        )
    stored = store_value(frame, node, value, view.element, f"element of {text}")
    for leaf, scalar in zip(view.leaves, flatten(stored), strict=True):
        store(frame, node, leaf, indices, scalar, text)


def field_view(view: RecordView, name: str) -> Value:
    """One field of all elements: an array over the same memory."""
    first = 0
    for field in view.element.fields:
        count = len(leaves(field.type))
        if field.name == name:
            chosen = view.leaves[first : first + count]
            if isinstance(field.type, StructType):
                return RecordView(field.type, chosen)
            if isinstance(field.type, TupleType):
                return RecordView(_items_struct(field.type), chosen)
            return chosen[0]
        first += count
    raise AssertionError("the caller knows that the field is there")


def _items_struct(type_: TupleType) -> StructType:
    fields = tuple(Field(str(n), item, 0) for n, item in enumerate(type_.items))
    return StructType("tuple", fields, 0, 1)


def field_view_checked(frame: Frame, node: ast.Subscript, view: RecordView, name: str) -> Value:
    """`points["x"]`."""
    if view.element.field(name) is None:
        known = ", ".join(field.name for field in view.element.fields)
        raise frame.refuse(node, f"{view.element.name} has no field {name}; it has {known}")
    return field_view(view, name)


# Changing a field


def note_alias(frame: Frame, names: list[str], value: StructValue, site: ast.AST) -> None:
    """Several names for one mutable object."""
    if not is_mutable(value.type):
        return
    for name in names:
        if name in frame.plan.variables:
            variable = frame.variable(name)
            variable.aliased = site
            if variable.changed is not None:
                raise _shared(frame, name, variable.changed)


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
    _expect_changeable(frame, node, inner.id, old)
    new = _replaced(frame, node, old, path, change)
    assign(frame, inner.id, new, node)


def _expect_changeable(frame: Frame, node: ast.AST, name: str, value: StructValue) -> None:
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
    variable.changed = node
    if variable.aliased is not None:
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


# Functions and operators on structs


def _replace_call(frame: Frame, node: ast.AST, obj: Value, **changes: Value) -> Value:
    if not isinstance(obj, StructValue):
        raise frame.refuse(node, f"replace takes a dataclass instance, got {describe(obj)}")
    fields = dict(obj.fields)
    for name, value in changes.items():
        field = obj.type.field(name)
        if name not in fields or field is None:
            raise frame.refuse(node, f"{obj.type.name} has no field {name}")
        fields[name] = store_value(frame, node, value, settle_type(field.type), f"field {name}")
    return StructValue(obj.type, fields)


class _ReplaceFunction(Function):
    """`dataclasses.replace` and `_replace`: any keyword is a field."""

    def call(
        self, frame: Frame, node: ast.AST, arguments: list[Value], keywords: dict[str, Value]
    ) -> Value:
        """Compile one call."""
        if len(arguments) != 1:
            raise frame.refuse(node, "replace takes one object and its new fields by name")
        return _replace_call(frame, node, arguments[0], **keywords)


REPLACE = _ReplaceFunction("replace", _replace_call)


def _replace_marker() -> None:
    """Stands for a NamedTuple's `_replace` where a Python object is needed."""


REPLACE_METHOD = _replace_marker

_METHODS = {
    **{"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod"},
    **{"**": "pow", "<<": "lshift", ">>": "rshift", "&": "and", "|": "or", "^": "xor"},
    "@": "matmul",
}
_UNARY_METHODS: dict[type[ast.AST], str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert"}


def operator_method(
    frame: Frame, node: ast.AST, op: type[ast.AST], left: Value, right: Value | None
) -> Value:
    """`a + b` where one of them is a struct with `__add__` or `__radd__`."""
    from .calls import call_value

    name = _UNARY_METHODS[op] if right is None else _METHODS[SYMBOLS[op]]
    attempts = [(left, f"__{name}__", right), (right, f"__r{name}__", left)]
    for owner, method, other in attempts:
        if isinstance(owner, StructValue) and owner.type.cls is not None:
            member = _class_member(owner.type.cls, method)
            if isinstance(member, FunctionType):
                origin = class_origin(owner.type.cls)
                frame.unit.depend(origin, owner.type.cls)
                function = Static(member, (*origin, ("attr", method)))
                arguments: list[Value] = [owner] if other is None else [owner, other]
                return call_value(frame, node, function, arguments, {})
    if isinstance(left, TupleValue) and isinstance(right, TupleValue) and op is ast.Add:
        return TupleValue((*left.items, *right.items))
    what = describe(left) if right is None else f"{describe(left)} and {describe(right)}"
    raise frame.refuse(
        node,
        f"operator {SYMBOLS[op]} is not defined for {what}",
        hint=f"give the class a method __{name}__, or combine the fields one by one",
    )


__all__ = ["REPLACE", "Scalar", "construct", "struct_attribute"]
