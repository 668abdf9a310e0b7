"""The run-time type of a value, also in words; the one type of several that meet in a variable."""

from __future__ import annotations

from .annotations import scalar_type
from .promotion import WEAK_FLOAT, WEAK_INT, join, settle
from .types import DType, Field, StructType, TupleType, Type, bool_
from .values import (
    Combined,
    RangeValue,
    RecordView,
    Scalar,
    Static,
    StructValue,
    TensorMapValue,
    Text,
    TupleValue,
    Value,
    View,
    Weak,
    is_numpy_scalar,
)


def type_of(value: Value) -> Type | None:
    """The type that a variable holding `value` has; None for what exists only while compiling."""
    if isinstance(value, (Scalar, Weak)):
        return value.dtype
    if isinstance(value, Static):
        return static_type(value.value)
    if isinstance(value, TupleValue):
        return _tuple_type(value)
    if isinstance(value, StructValue):
        return value.type
    return None


def static_type(value: object) -> DType | None:
    """The type of a constant: that of a literal for Python's numbers."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return WEAK_INT
    if is_numpy_scalar(value):  # before float: numpy.float64 is one
        return scalar_type(type(value))
    return WEAK_FLOAT if isinstance(value, float) else None


def _tuple_type(value: TupleValue) -> TupleType | None:
    items = tuple(type_of(item) for item in value.items)
    known = tuple(item for item in items if item is not None)
    return TupleType(known) if len(known) == len(items) else None


def join_types(a: Type, b: Type) -> Type | None:
    """The one type of values of types `a` and `b`; None if they clash."""
    if isinstance(a, DType) and isinstance(b, DType):
        return join(a, b)
    if isinstance(a, TupleType) and isinstance(b, TupleType) and len(a.items) == len(b.items):
        items = tuple(join_types(x, y) for x, y in zip(a.items, b.items, strict=True))
        known = tuple(item for item in items if item is not None)
        return TupleType(known) if len(known) == len(items) else None
    if isinstance(a, StructType) and isinstance(b, StructType):
        return _join_structs(a, b)
    return None


def _join_structs(a: StructType, b: StructType) -> StructType | None:
    if a == b:
        return a
    if a.cls is not b.cls or [f.name for f in a.fields] != [f.name for f in b.fields]:
        return None
    fields: list[Field] = []
    for left, right in zip(a.fields, b.fields, strict=True):
        joined = join_types(left.type, right.type)
        if joined is None:
            return None
        fields.append(Field(left.name, joined, left.offset))
    return StructType(a.name, tuple(fields), a.size, a.alignment, a.cls)


def settle_type(type_: Type) -> Type:
    """The same type with literals settled to i32 and f32."""
    if isinstance(type_, DType):
        return settle(type_)
    if isinstance(type_, TupleType):
        return TupleType(tuple(settle_type(item) for item in type_.items))
    if isinstance(type_, StructType):
        fields = tuple(Field(f.name, settle_type(f.type), f.offset) for f in type_.fields)
        return (
            type_
            if fields == type_.fields
            else StructType(type_.name, fields, type_.size, type_.alignment, type_.cls)
        )
    return type_


def describe(value: Value) -> str:
    """What a value is, for a message."""
    if isinstance(value, (Scalar, Weak)):
        return str(value.dtype)
    if isinstance(value, Static):
        return _describe_static(value.value)
    if isinstance(value, (View, RecordView)):
        element = value.dtype if isinstance(value, View) else value.element.name
        return f"an array of {element} with {len(value.sizes)} axes"
    if isinstance(value, StructValue):
        return value.type.name
    if isinstance(value, TupleValue):
        found = type_of(value)
        return f"a tuple {found}" if found is not None else f"a tuple of {len(value.items)}"
    if isinstance(value, TensorMapValue):
        return f"a {value.type}"
    if isinstance(value, RangeValue):
        return "a range"
    if isinstance(value, Text):
        return "an f-string"
    if isinstance(value, Combined):
        return f"a {value.kind}"
    return "a function"


def _describe_static(value: object) -> str:
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    if isinstance(value, type):
        return f"the class {value.__qualname__}"
    if hasattr(value, "__name__"):
        kind = "module" if type(value).__name__ == "module" else "function"
        return f"the {kind} {getattr(value, '__name__')}"  # noqa: B009
    return f"a {type(value).__name__}"
