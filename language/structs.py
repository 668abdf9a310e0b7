"""Dataclasses, NamedTuples and records of structured arrays: values made of their fields.

A struct is held by value. Python's sharing of one mutable object by two names is therefore only
allowed where it cannot be seen: no field of a shared object may be changed.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .annotations import field_annotations, struct_type
from .constants import lift, typed_constant
from .convert import store_value
from .fingerprint import UNFINDABLE
from .functions import Function
from .types import DType, Field, StructType, TupleType, Type, alignment_of, leaves, size_of
from .typing_of import describe, settle_type, type_of
from .values import (
    TUPLE,
    Origin,
    RecordView,
    Static,
    StructValue,
    Value,
    unpacked,
)

if TYPE_CHECKING:
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


def class_member(cls: type[Any], name: str) -> Any:
    """What a class or its bases define under a name, not bound to anything."""
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def struct_item(frame: Frame, node: ast.Subscript, value: StructValue) -> Value:
    """`record["x"]`, or `named_tuple[0]`."""
    from .tuple_items import tuple_item

    if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        if value.type.cls is None and node.slice.value in value.fields:
            return value.fields[node.slice.value]
        raise frame.refuse(node, f"{value.type.name} has no item {node.slice.value!r}")
    items = unpacked(value)
    if items is None:
        raise frame.refuse(
            node, f"{describe(value)} cannot be indexed", hint="read a field, as in p.x"
        )
    return tuple_item(frame, node, items)


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
    return StructType(TUPLE, fields, 0, 1)


def field_view_checked(frame: Frame, node: ast.Subscript, view: RecordView, name: str) -> Value:
    """`points["x"]`."""
    if view.element.field(name) is None:
        known = ", ".join(field.name for field in view.element.fields)
        raise frame.refuse(node, f"{view.element.name} has no field {name}; it has {known}")
    return field_view(view, name)


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
