"""What a call's arguments say about the code to compile: the types of the parameters.

Unannotated parameters take the type of their argument; annotated ones are held against it, and a
`Const` parameter becomes its value. A Python `int` is i32 (i64 where it does not fit); a Python
`float` is f32, or f64 where another argument of the call holds f64. Imports no xDSL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, cast

from .dialects.diagnostics import CompileError, Location
from .language.annotations import Const, parameter_type, type_of_value
from .language.types import (
    DTYPES,
    ArrayType,
    ConstType,
    DType,
    TensorMapType,
    Type,
    f64,
    leaves,
    size_of,
)
from .runtime.arguments import argument_key, check_layout, is_contiguous
from .runtime.array import DeviceArray
from .runtime.errors import ArrayError
from .runtime.facts import alignment_of
from .runtime.tensor_map import TensorMap

_VARARGS, _VARKEYWORDS = 0x04, 0x08
_TYPES = (DType, ArrayType, ConstType, TensorMapType)


class Specialiser:
    """The parameters of one Python function."""

    def __init__(self, function: Callable[..., Any]):
        code = getattr(function, "__code__", None)
        if code is None:
            hint = "put @kernel on a `def` (a class, a builtin or a partial has no source)"
            if isinstance(function, (staticmethod, classmethod)):
                hint = "write @staticmethod above @kernel, which takes the function itself"
            raise CompileError(f"{function!r} is not a Python function", hint=hint)
        self.function = function
        self.name = function.__name__
        if code.co_flags & (_VARARGS | _VARKEYWORDS) or code.co_kwonlyargcount:
            raise CompileError(
                f"kernel {self.name} has *, *args or **kwargs",
                Location(code.co_filename, code.co_firstlineno),
                hint="name every parameter: a kernel has a fixed list of them",
            )
        self.parameter_names: tuple[str, ...] = code.co_varnames[: code.co_argcount]

    @cached_property
    def annotations(self) -> tuple[Any, ...]:
        """For each parameter the type it is annotated with, `Const`, or None."""
        raw = self.function.__annotations__
        if any(isinstance(value, str) for value in raw.values()):
            raw = _evaluated(self.function)
        return tuple(self._annotation(name, raw.get(name)) for name in self.parameter_names)

    def _annotation(self, name: str, annotation: Any) -> Any:
        if annotation is None or annotation is Any:
            return None
        found = parameter_type(annotation)
        if found is None:
            code = self.function.__code__
            raise CompileError(
                f"parameter {name} of kernel {self.name} is annotated with {annotation!r}, "
                "which is no type of the kernel language",
                Location(code.co_filename, code.co_firstlineno),
                hint="use sw.f32, sw.Array[sw.f32, 1], sw.Const, a dataclass, or nothing",
            )
        return found

    @cached_property
    def key(self) -> Callable[[Sequence[Any]], Any]:
        """Like `argument_key`, and the values of `Const` parameters."""
        constants = [i for i, kind in enumerate(self.annotations) if kind is Const]
        if not constants:
            return argument_key

        def with_constants(arguments: Sequence[Any]) -> Any:
            values = [(type(arguments[i]).__qualname__, repr(arguments[i])) for i in constants]
            return argument_key(arguments), *values

        return with_constants

    def arrange(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """Positional, keyword and default arguments in the order of the parameters."""
        if not keywords and len(arguments) == len(self.parameter_names):
            return arguments
        from inspect import signature

        try:
            bound = signature(self.function).bind(*arguments, **keywords)
        except TypeError as error:
            raise TypeError(f"kernel {self.name}: {error}{self._of_methods()}") from None
        bound.apply_defaults()
        return tuple(bound.arguments.values())

    def _of_methods(self) -> str:
        """A hint for kernels that stand in a class and expect an object, which no launch gives."""
        if self.parameter_names[:1] not in (("self",), ("cls",)):
            return ""
        return (
            f"; no object is bound to a kernel: put @staticmethod above @kernel, or pass what "
            f"{self.parameter_names[0]} is to be as the first argument (a dataclass)"
        )

    def types_of(self, arguments: Sequence[Any]) -> tuple[Type, ...]:
        """The types of the parameters for these arguments (a type stands for itself)."""
        types = [
            self._type_of(name, annotation, value)
            for name, annotation, value in zip(
                self.parameter_names, self.annotations, arguments, strict=True
            )
        ]
        if any(_holds_f64(type_) for type_ in types):
            for i, value in enumerate(arguments):
                if type(value) is float and self.annotations[i] is None:
                    types[i] = f64
        return tuple(types)

    def _type_of(self, name: str, annotation: Any, value: Any) -> Type:
        if annotation is Const:
            return value if isinstance(value, ConstType) else ConstType(value)
        where = f"argument {name} of kernel {self.name}"
        found = value if _is_type(value) else _argument_type(value, where)
        if annotation is None or found == annotation:
            return found
        return _fitted(annotation, found, where)


def aligned_types(types: Sequence[Type], arguments: Sequence[Any]) -> tuple[Type, ...]:
    """The types with the alignment that their arguments have."""
    return tuple(
        type_.aligned(alignment_of(value)) if isinstance(type_, ArrayType) else type_
        for type_, value in zip(types, arguments, strict=True)
    )


def _is_type(value: Any) -> bool:
    return isinstance(value, _TYPES) or type(value).__name__ in ("StructType", "TupleType")


def _argument_type(value: Any, where: str) -> Type:
    if isinstance(value, TensorMap):
        return TensorMapType(DTYPES[value.dtype], value.box, value.swizzle)
    found = type_of_value(_Facts(value)) if isinstance(value, DeviceArray) else type_of_value(value)
    if found is None and _holds_array(value):
        raise ArrayError(
            f"{where} is a {type(value).__name__} with an array in it; "
            "pass each array as a parameter of its own"
        )
    if found is None:
        dtype = getattr(value, "dtype", None)
        what = f"elements of type {dtype}" if dtype is not None else f"type {type(value).__name__}"
        raise ArrayError(f"{where} has {what}, which no kernel can take; {_advice(dtype)}")
    if isinstance(found, ArrayType):
        check_layout(value, where)
    return found


def _holds_array(value: Any) -> bool:
    """Whether a tuple or a dataclass has an array in it, at any depth."""
    fields: Any = getattr(value.__class__, "__dataclass_fields__", ())
    parts: list[Any] = [getattr(value, name) for name in fields]
    if isinstance(value, tuple):
        parts += cast("tuple[Any, ...]", value)
    return any((hasattr(part, "shape") and part.shape) or _holds_array(part) for part in parts)


class _Facts:
    """A device array as `type_of_value` looks at arrays."""

    def __init__(self, array: DeviceArray):
        self.dtype = array.dtype
        self.shape = array.shape
        self.flags = {"C_CONTIGUOUS": is_contiguous(array)}


def _advice(dtype: Any) -> str:
    if dtype is None:
        return "expected an array, a number, or a dataclass or tuple of numbers"
    if getattr(dtype, "names", None):
        return "make the structure with np.dtype([...], align=True)"
    if not getattr(dtype, "isnative", True):
        return "it is byte-swapped: convert with x.astype(x.dtype.newbyteorder('='))"
    return "expected bool, an integer, float16, bfloat16, float32, float64 or a structure of these"


def _fitted(annotation: Any, found: Type, where: str) -> Type:
    """The annotated type where an argument of type `found` may be given for it."""
    if isinstance(annotation, DType) and isinstance(found, DType):
        if annotation.is_float and found.kind != "bool":
            return annotation
        if annotation.is_integer and found.is_integer:
            return annotation  # packing refuses a value that does not fit
    if isinstance(annotation, ArrayType) and isinstance(found, ArrayType):
        same = annotation.rank == found.rank and _same_layout(annotation.element, found.element)
        if same and (found.contiguous or not annotation.contiguous):
            return annotation
    raise ArrayError(f"{where} is {found}, the kernel's annotation says {annotation}")


def _same_layout(one: Type, other: Type) -> bool:
    """A structured dtype has the layout of a dataclass, whose methods it knows nothing of."""
    return size_of(one) == size_of(other) and leaves(one) == leaves(other)


def _holds_f64(type_: Type) -> bool:
    if isinstance(type_, ArrayType):
        return _holds_f64(type_.element)
    constant = isinstance(type_, (ConstType, TensorMapType))
    return not constant and any(leaf.dtype is f64 for leaf in leaves(type_))


def _evaluated(function: Callable[..., Any]) -> dict[str, Any]:
    """Annotations that are text (postponed evaluation), evaluated where the function stands."""
    from typing import get_type_hints

    try:
        return get_type_hints(function)
    except NameError as error:
        raise CompileError(
            f"an annotation of kernel {function.__name__} names something unknown: {error}",
            Location(function.__code__.co_filename, function.__code__.co_firstlineno),
        ) from None
