"""From Python's types, NumPy's dtypes, dataclasses and argument values to types of the language.

Imports neither xDSL nor NumPy. What has no counterpart gives None; the caller says where.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from .types import (
    DTYPES,
    ArrayType,
    ConstType,
    DType,
    Field,
    StructType,
    TensorMapType,
    TupleType,
    Type,
    alignment_of,
    bool_,
    f32,
    i32,
    size_of,
)

if TYPE_CHECKING:
    import numpy as np

_PYTHON: dict[Any, DType] = {bool: bool_, int: i32, float: f32}
_BY_NUMPY_NAME = {
    **{f"{kind}int{bits}": DTYPES[f"{'u' if kind else 'i'}{bits}"]
       for kind in ("", "u") for bits in (8, 16, 32, 64)},
    **{"bool": bool_, "bool_": bool_, "float16": DTYPES["f16"], "bfloat16": DTYPES["bf16"]},
    **{"float32": f32, "float64": DTYPES["f64"]},
}  # fmt: skip
_structs: dict[Any, StructType | None] = {}


def scalar_type(of: Any) -> DType | None:
    """The scalar type meant by a DType, `int`/`float`/`bool`, a NumPy scalar type or dtype."""
    if isinstance(of, DType):
        return of
    if isinstance(of, type):
        found = _PYTHON.get(of)
        if found is None and of.__module__ in ("numpy", "ml_dtypes"):
            found = _BY_NUMPY_NAME.get(of.__name__)
        if found is None and of.__module__ == "numpy":
            found = _named_by_numpy(of)
        return found
    if getattr(of, "isnative", False) and isinstance(getattr(of, "name", None), str):
        return _BY_NUMPY_NAME.get(of.name)
    return None


def _named_by_numpy(of: type[Any]) -> DType | None:
    """Aliases that are classes of their own, such as `numpy.longlong`."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not issubclass(of, numpy.generic):
        return None
    name = "" if of in (numpy.number, numpy.generic) else numpy.dtype(of).name
    return _BY_NUMPY_NAME.get(name)


def element_type(of: Any) -> DType | StructType | None:
    """The type of an array's elements meant by `of`: a scalar type or a struct."""
    if isinstance(of, StructType):
        return of
    return scalar_type(of) or struct_type(of)


def struct_type(of: Any) -> StructType | None:
    """The struct of a dataclass, a NamedTuple class or a structured dtype; None for others."""
    if isinstance(of, type):
        if of not in _structs:
            _structs[of] = _class_struct(of)
        return _structs[of]
    if getattr(of, "names", None) and getattr(of, "fields", None) is not None:
        return _numpy_struct(of)
    return None


def is_struct_class(cls: Any) -> bool:
    """Whether `cls` is a dataclass or a NamedTuple class."""
    if not isinstance(cls, type):
        return False
    if hasattr(cast(Any, cls), "__dataclass_fields__"):
        return True
    return issubclass(cast(type[Any], cls), tuple) and hasattr(cast(Any, cls), "_fields")


def field_annotations(cls: type[Any]) -> list[tuple[str, Type | None]]:
    """Names and types of the fields in order; None where the annotation has no counterpart."""
    from typing import get_type_hints

    try:
        hints = get_type_hints(cls)
    except (NameError, TypeError):  # names that are known to a type checker only
        hints = dict(getattr(cls, "__annotations__", {}))
    if hasattr(cls, "__dataclass_fields__"):
        names = [n for n, f in cls.__dataclass_fields__.items() if f._field_type.name == "_FIELD"]
    else:
        names = list(cls._fields)  # pyright: ignore[reportAttributeAccessIssue]
    return [(name, value_type(hints.get(name))) for name in names]


def _class_struct(cls: type[Any]) -> StructType | None:
    if not is_struct_class(cls):
        return None
    fields: list[Field] = []
    offset, alignment = 0, 1
    for name, type_ in field_annotations(cls):
        if type_ is None:
            return None
        align = alignment_of(type_)
        offset = -(-offset // align) * align
        fields.append(Field(name, type_, offset))
        offset += size_of(type_)
        alignment = max(alignment, align)
    return StructType(
        cls.__name__, tuple(fields), -(-offset // alignment) * alignment, alignment, cls
    )


def _numpy_struct(dtype: np.dtype[Any]) -> StructType | None:
    """None unless each field has a type of the language and stands at a multiple of its size."""
    fields: list[Field] = []
    alignment = 1
    assert dtype.fields is not None and dtype.names is not None, "a structured dtype"
    for name in dtype.names:
        inner, offset = cast(Any, dtype.fields)[name][:2]
        type_ = _numpy_field(inner)
        if type_ is None or offset % alignment_of(type_):
            return None
        alignment = max(alignment, alignment_of(type_))
        fields.append(Field(name, type_, offset))
    if dtype.itemsize % alignment:
        return None
    return StructType("struct", tuple(fields), dtype.itemsize, alignment)


def _numpy_field(dtype: np.dtype[Any]) -> Type | None:
    if dtype.subdtype is None:
        return element_type(dtype)
    base, shape = dtype.subdtype
    type_ = element_type(base)
    for size in reversed(shape):
        type_ = type_ and TupleType((type_,) * size)
    return type_


def value_type(annotation: Any) -> Type | None:
    """The type of a value that an annotation names: scalar, struct or tuple."""
    found = element_type(annotation)
    if found is not None or isinstance(annotation, TupleType):
        return found or annotation
    if getattr(annotation, "__origin__", None) is tuple:
        items = tuple(value_type(item) for item in annotation.__args__)
        known = tuple(item for item in items if item is not None)
        return TupleType(known) if len(known) == len(items) else None
    return None


class Const:
    """Annotation of a parameter that is a compile-time constant: each value compiles a kernel."""


def parameter_type(annotation: Any) -> Type | type[Const] | None:
    """The type a parameter's annotation asks for; `Const` itself for a compile-time constant."""
    if annotation is Const:
        return Const
    if isinstance(annotation, (ArrayType, ConstType, TensorMapType)):
        return annotation
    return value_type(annotation)


def type_of_value(value: Any) -> Type | None:
    """The type of a host value given as an argument; None for what a kernel cannot take.

    An `int` is i32 where it fits and i64 otherwise, a `float` is f32, an IntEnum member is an int.
    """
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return i32 if -(2**31) <= value < 2**31 else DTYPES["i64"]
    if type(value) is float:
        return f32
    if is_struct_class(cast(type[Any], type(value))):
        return _instance_type(value)
    if isinstance(value, tuple):
        items = tuple(type_of_value(item) for item in cast(tuple[Any, ...], value))
        known = tuple(i for i in items if i is not None and not isinstance(i, ArrayType))
        return TupleType(known) if len(known) == len(items) else None
    dtype: Any = getattr(value, "dtype", None)
    shape: tuple[int, ...] | None = getattr(value, "shape", None)
    if dtype is None or shape is None:
        return None
    element = element_type(dtype)
    if element is None or not shape:
        return element
    contiguous = getattr(value, "flags", {"C_CONTIGUOUS": True})["C_CONTIGUOUS"]
    return ArrayType(element, len(shape), bool(contiguous))


def _instance_type(value: Any) -> StructType | None:
    """The struct of an instance: its class's, or of its values where fields have no types."""
    cls = cast(type[Any], type(value))
    known = struct_type(cls)
    if known is not None:
        return known
    fields: list[Field] = []
    offset = 0
    for name, type_ in field_annotations(cls):
        found = type_ or type_of_value(getattr(value, name))
        if found is None or isinstance(found, ArrayType):
            return None
        offset = -(-offset // alignment_of(found)) * alignment_of(found)
        fields.append(Field(name, found, offset))
        offset += size_of(found)
    return StructType(cls.__name__, tuple(fields), offset, 1, cls)
