"""What an expression of a kernel evaluates to while it is compiled."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import MemRefType
from xdsl.ir import SSAValue

from .types import DType, StructType, TensorMapType

if TYPE_CHECKING:
    from .frame import Frame
    from .source import FunctionNode

Origin = tuple[tuple[str, str], ...]
"""How to find a constant again from the kernel's function, as `fingerprint.Steps`."""


NOWHERE = cast(SSAValue, None)
"""Stands for a value that does not exist: in a dry walk, and in arguments before the function."""


class Value:
    """Anything an expression can be."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class Scalar(Value):
    """A number or bool that is known when the kernel runs."""

    dtype: DType
    ssa: SSAValue


@dataclass(slots=True, eq=False)
class Static(Value):
    """A Python object known now: number literal, function, module, type, string, None.

    A Python number has no type yet and adapts to what it meets; a NumPy scalar has its own.
    """

    value: Any
    origin: Origin | None = None


@dataclass(slots=True, eq=False)
class Weak(Value):
    """A number known when the kernel runs that still adapts, as `1 if c else 2` does.

    `make` gives it in a type, from the values of the conditions `tests`.
    """

    dtype: DType
    tests: tuple[SSAValue, ...]
    make: Callable[[tuple[SSAValue, ...], DType], SSAValue]

    def build(self, dtype: DType) -> SSAValue:
        """The number in a type."""
        return self.make(self.tests, dtype)


@dataclass(slots=True, eq=False)
class TupleValue(Value):
    """A tuple: its length is known."""

    items: tuple[Value, ...]


@dataclass(slots=True, eq=False)
class StructValue(Value):
    """An instance of a dataclass or NamedTuple, or a record of a structured array.

    `owner` says who else may see a change of a field: "" for a fresh object of this function.
    """

    type: StructType
    fields: dict[str, Value]
    owner: str = ""


@dataclass(slots=True, eq=False)
class Root:
    """The parameter or array that views come from; remembers whether it is written."""

    name: str
    written: bool = False


@dataclass(slots=True, eq=False)
class View(Value):
    """An array or a slice of one; its elements are scalars."""

    dtype: DType
    type: MemRefType[Any]
    ssa: SSAValue
    root: Root

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """The size of each axis where it is known now."""
        return tuple(None if size < 0 else size for size in self.type.get_shape())


@dataclass(slots=True, eq=False)
class RecordView(Value):
    """An array of structs: one view for each scalar of the struct, all of one shape."""

    element: StructType
    leaves: tuple[View, ...]

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """The size of each axis where it is known now."""
        return self.leaves[0].sizes


AnyView = View | RecordView


@dataclass(slots=True, eq=False)
class TensorMapValue(Value):
    """A tensor map, a parameter of the kernel: `ssa` is its address, `root` that of the tensor."""

    type: TensorMapType
    ssa: SSAValue
    root: Root


@dataclass(slots=True, eq=False)
class RangeValue(Value):
    """`range(start, stop, step)`, to iterate over; `unroll` by `sw.unroll`."""

    start: Value
    stop: Value
    step: Value
    unroll: bool = False


@dataclass(slots=True, eq=False)
class Combined(Value):
    """`zip`, `enumerate` or `reversed` of iterables, to iterate over."""

    kind: str
    parts: tuple[Value, ...]


@dataclass(slots=True, eq=False)
class Text(Value):
    """An f-string with values of the kernel in it, for print and assert."""

    parts: tuple[str | Value, ...]


@dataclass(slots=True, eq=False)
class Formatted(Value):
    """A number in an f-string, and what of `str.format` says how it is shown: `!r:>8`."""

    number: Scalar
    how: str


@dataclass(slots=True, eq=False)
class LocalFunction(Value):
    """A function or lambda that is defined inside the one being compiled."""

    name: str
    node: FunctionNode
    frame: Frame
    captured: dict[str, Value] = field(default_factory=dict[str, Value])


@dataclass(slots=True, eq=False)
class Method(Value):
    """A function with its first argument: `point.norm`."""

    function: Value
    receiver: Value
    node: ast.AST


def static_number(value: Value) -> int | float | None:
    """The Python number that `value` is known to be (bool counts as int), else None."""
    if isinstance(value, Static) and isinstance(value.value, (int, float)):
        return value.value
    return None


def static_int(value: Value) -> int | None:
    """The integer that `value` is known to be, of Python's or a NumPy type, else None."""
    if not isinstance(value, Static) or isinstance(value.value, (bool, float)):
        return None
    found = value.value
    if isinstance(found, int):
        return int(found)
    return int(found) if is_numpy_scalar(found) and hasattr(found, "__index__") else None


def is_numpy_scalar(value: object) -> bool:
    """Whether it is a NumPy scalar (or one of ml_dtypes), without importing NumPy."""
    if isinstance(value, type) or type(value).__module__ not in ("numpy", "ml_dtypes"):
        return False
    return getattr(value, "shape", None) == () and type(value).__name__ != "ndarray"


TUPLE = "tuple"
"""The name of the type that an element has in the view of a field that is a tuple."""


def unpacked(value: Value) -> tuple[Value, ...] | None:
    """The items of a tuple or NamedTuple."""
    if isinstance(value, TupleValue):
        return value.items
    if not isinstance(value, StructValue):
        return None
    cls = value.type.cls
    is_tuple = value.type.name == TUPLE if cls is None else issubclass(cls, tuple)
    return tuple(value.fields.values()) if is_tuple else None
