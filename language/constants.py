"""Constants from outside the kernel: which Python objects can be used, and as what."""

from __future__ import annotations

import ast
import enum
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

from .annotations import is_struct_class, struct_type
from .emitter import nearest
from .types import DType, Field, StructType, leaves
from .typing_of import describe, static_type, type_of
from .values import Origin, Static, StructValue, TupleValue, Value, is_numpy_scalar

if TYPE_CHECKING:
    from .frame import Frame

_MUTABLE = (list, dict, set, bytearray)


def import_static(frame: Frame, node: ast.AST, found: Static) -> Value:
    """The value of a constant of the surroundings; it becomes a dependency of the kernel."""
    value, origin = found.value, found.origin
    if isinstance(value, _MUTABLE):
        kind = describe(found).removeprefix("a ")
        raise frame.refuse(
            node,
            f"a {kind} from outside is not a constant",
            hint="use a tuple, or pass a NumPy array as a parameter",
        )
    is_array = hasattr(value, "__array_interface__") and not isinstance(value, type)
    if is_array and not is_numpy_scalar(value):
        raise frame.refuse(
            node,
            "an array from outside the kernel cannot be used in it",
            hint="pass it as a parameter",
        )
    if not isinstance(value, FunctionType) and type(value).__name__ != "module":
        frame.unit.depend(origin, value)
    return lift(value, origin)


def lift(value: Any, origin: Origin | None = None) -> Value:
    """A Python object as a value; tuples and instances are taken apart."""
    if isinstance(value, enum.Enum) or value is None:
        return Static(value, origin)
    if is_struct_class(type(value)):
        return _lift_instance(value)
    if isinstance(value, tuple):
        items = cast(tuple[Any, ...], value)
        return TupleValue(tuple(lift(item) for item in items))
    return Static(value, origin)


def _lift_instance(value: Any) -> Value:
    from .annotations import field_annotations

    cls = cast(type[Any], type(value))
    known = struct_type(cls)
    fields: dict[str, Value] = {}
    rows: list[Field] = []
    for name, annotated in field_annotations(cls):
        item = lift(getattr(value, name))
        if isinstance(annotated, DType) and isinstance(item, Static):
            item = typed_constant(item, annotated)
        fields[name] = item
        found = type_of(item)
        if found is not None:
            rows.append(Field(name, found, 0))
    struct = known or StructType(cls.__name__, tuple(rows), 0, 1, cls)
    if len(leaves(struct)) == 0 and fields:
        struct = StructType(cls.__name__, (), 0, 1, cls)
    return StructValue(struct, fields, "the constant")


def typed_constant(value: Static, dtype: DType) -> Static:
    """A constant with the type of the field that holds it."""
    number = value.value
    found = static_type(number)
    if found is None or found is dtype or is_numpy_scalar(number):
        return value
    if dtype.kind == "bool" or (found.is_float and not dtype.is_float) or dtype.name == "index":
        return value
    try:
        fitting = nearest(number, dtype) if dtype.is_float else number
        return Static(dtype(fitting), value.origin)
    except OverflowError:
        return value
