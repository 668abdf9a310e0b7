"""The types of the kernel language. Imports neither xDSL nor NumPy.

A parameter of a specialised kernel has one of these: a `DType` (scalar), an `ArrayType`, a
`StructType`, a `TupleType` or a `ConstType` (a compile-time constant). All are hashable, compare by
what they say, and print as a stable text that a cache may use as a key.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class DType:
    """A scalar type; calling it on the host gives the NumPy scalar: `sw.f32(3)`."""

    __slots__ = ("bits", "kind", "name")

    def __init__(self, name: str, kind: str, bits: int):
        self.name = name
        self.kind = kind
        self.bits = bits

    def __call__(self, value: Any = 0) -> Any:
        """`value` as a NumPy scalar of this type (`bf16` is ml_dtypes', `index` int64).

        Numbers are rounded once, as in kernels; NumPy and ml_dtypes round some of them twice.
        """
        from numbers import Integral

        from ..runtime.dtypes import float_to_bfloat16, numpy_dtype

        made = numpy_dtype(self.name)
        if self.is_float and isinstance(value, Integral):
            value = as_float(int(value), self)
        if self.name == "bf16" and isinstance(value, float):
            return numpy_dtype("u16").type(float_to_bfloat16(value)).view(made)
        return made.type(value)

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype of the same name and size."""
        from ..runtime.dtypes import numpy_dtype

        return numpy_dtype(self.name)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return 1 if self.kind == "bool" else self.bits // 8

    @property
    def is_float(self) -> bool:
        """Whether it is f16, bf16, f32 or f64."""
        return self.kind == "float"

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer of either sign, `index` included; bool is not."""
        return self.kind in ("int", "uint")

    @property
    def is_signed(self) -> bool:
        """Whether it is an integer with a sign."""
        return self.kind == "int"

    def __reduce__(self) -> tuple[Any, ...]:
        return _dtype_named, (self.name,)

    def __repr__(self) -> str:
        return self.name


bool_ = DType("bool", "bool", 1)
i8, i16, i32, i64 = (DType(f"i{bits}", "int", bits) for bits in (8, 16, 32, 64))
u8, u16, u32, u64 = (DType(f"u{bits}", "uint", bits) for bits in (8, 16, 32, 64))
index = DType("index", "int", 64)
f16 = DType("f16", "float", 16)
bf16 = DType("bf16", "float", 16)
f32 = DType("f32", "float", 32)
f64 = DType("f64", "float", 64)

DTYPES: dict[str, DType] = {
    dtype.name: dtype
    for dtype in (bool_, i8, u8, i16, u16, i32, u32, i64, u64, index, f16, bf16, f32, f64)
}


def as_float(value: int | float, dtype: DType) -> float:
    """The f64 that is rounded to `dtype` as the number itself is; infinity where f64 ends.

    To fewer bits than f64 has, a long integer keeps 53, the last one set where more are lost
    (rounded to odd), so that rounding again cannot go wrong.
    """
    lost = value.bit_length() - 53 if isinstance(value, int) and dtype.bits < 64 else 0
    if isinstance(value, int) and lost > 0:
        value = (value >> lost | (value & ((1 << lost) - 1) != 0)) << lost
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _dtype_named(name: str) -> DType:
    return DTYPES[name]


class MatrixType(DType):
    """A matrix that a subgroup holds: rows, columns, elements, and its role in a product.

    A product has to know of its factors whether they were loaded `turned`. The type takes the place
    of a scalar's, since a matrix is one value in a kernel; there is one object for each, made by
    `matrix_type`.
    """

    __slots__ = ("columns", "element", "role", "rows", "turned")

    def __init__(self, rows: int, columns: int, element: DType, role: str, turned: bool):
        how = ", transposed" if turned else ""
        super().__init__(f"matrix {role} of {rows}x{columns} {element}{how}", "matrix", 0)
        self.rows = rows
        self.columns = columns
        self.element = element
        self.role = role
        self.turned = turned

    def __reduce__(self) -> tuple[Any, ...]:
        return matrix_type, (self.rows, self.columns, self.element, self.role, self.turned)


@cache
def matrix_type(
    rows: int, columns: int, element: DType, role: str, turned: bool = False
) -> MatrixType:
    """The type of such matrices; `role` is "a", "b" or "c"."""
    return MatrixType(rows, columns, element, role, turned)


class _Structural:
    """A type that is equal to another one of its class with the same parts."""

    __slots__ = ("_parts",)
    _parts: tuple[Hashable, ...]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._parts == self._parts

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._parts))

    def __repr__(self) -> str:
        return str(self)


class Field(NamedTuple):
    """One field of a struct; `offset` in bytes from its start."""

    name: str
    type: Type
    offset: int


class StructType(_Structural):
    """A dataclass, a NamedTuple, or an aligned structured dtype; `cls` is None for the latter."""

    __slots__ = ("alignment", "cls", "fields", "name", "size")

    def __init__(
        self,
        name: str,
        fields: tuple[Field, ...],
        size: int,
        alignment: int,
        cls: type[Any] | None = None,
    ):
        self.name = name
        self.fields = fields
        self.size = size
        self.alignment = alignment
        self.cls = cls
        where = None if cls is None else f"{cls.__module__}.{cls.__qualname__}"
        self._parts = (where, fields, size)

    def field(self, name: str) -> Field | None:
        """The field called `name`."""
        return next((field for field in self.fields if field.name == name), None)

    def __str__(self) -> str:
        inner = ", ".join(f"{f.name}: {f.type}@{f.offset}" for f in self.fields)
        where = self.name if self.cls is None else self._parts[0]
        return f"{where}{{{inner}}}:{self.size}"


class TupleType(_Structural):
    """A tuple of known length; also a fixed-size field of a structured dtype."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Type, ...]):
        self.items = items
        self._parts = (items,)

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))})"


class ArrayType(_Structural):
    """A buffer: type of its elements, number of axes, and whether it is contiguous in C order.

    Its address is a multiple of `alignment` bytes, where that is more than its elements need.
    """

    __slots__ = ("alignment", "contiguous", "element", "rank")

    def __init__(
        self,
        element: DType | StructType,
        rank: int,
        contiguous: bool = True,
        alignment: int = 0,
    ):
        self.element = element
        self.rank = rank
        self.contiguous = contiguous
        self.alignment = alignment
        self._parts = (element, rank, contiguous, alignment)

    def aligned(self, alignment: int) -> ArrayType:
        """The same type with another alignment in bytes, 0 for that of its elements."""
        return ArrayType(self.element, self.rank, self.contiguous, alignment)

    def __str__(self) -> str:
        notes = "" if self.contiguous else ", strided"
        notes += f", aligned {self.alignment}" if self.alignment else ""
        return f"{self.element}[{self.rank}{notes}]"


class ConstType(_Structural):
    """A compile-time constant parameter and its value."""

    __slots__ = ("value",)

    def __init__(self, value: Hashable):
        self.value = value
        # 1, True and 1.0 are equal in Python and different constants here; so are 0.0 and -0.0.
        self._parts = (type(value).__qualname__, repr(value))

    def __str__(self) -> str:
        return f"const {self._parts[0]} {self.value!r}"


class TensorMapType(_Structural):
    """What a kernel copies boxes of a tensor by: elements, sizes of a box, swizzle in bytes."""

    __slots__ = ("box", "element", "swizzle")

    def __init__(self, element: DType, box: tuple[int, ...], swizzle: int = 0):
        self.element = element
        self.box = box
        self.swizzle = swizzle
        self._parts = (element, box, swizzle)

    @property
    def nbytes(self) -> int:
        """Bytes of a box."""
        return prod(self.box) * self.element.size

    def __str__(self) -> str:
        sizes = "x".join(map(str, self.box))
        return f"tensor_map {sizes}x{self.element}" + f", swizzle {self.swizzle}" * bool(
            self.swizzle
        )


Type = DType | StructType | TupleType | ArrayType | ConstType | TensorMapType


def leaves(type_: Type, path: tuple[str | int, ...] = (), offset: int = 0) -> list[Leaf]:
    """The scalars a value of this type consists of, in order, with their places in memory."""
    if isinstance(type_, DType):
        return [Leaf(path, type_, offset)]
    found: list[Leaf] = []
    if isinstance(type_, StructType):
        for field in type_.fields:
            found += leaves(field.type, (*path, field.name), offset + field.offset)
    elif isinstance(type_, TupleType):
        for position, item in enumerate(type_.items):
            found += leaves(item, (*path, position), offset + position * size_of(item))
    return found


class Leaf(NamedTuple):
    """A scalar inside a struct or tuple: names and positions that lead to it, type, byte offset."""

    path: tuple[str | int, ...]
    dtype: DType
    offset: int


def size_of(type_: Type) -> int:
    """Bytes that a value takes in memory."""
    if isinstance(type_, (DType, StructType)):
        return type_.size
    if isinstance(type_, TupleType):
        return sum(size_of(item) for item in type_.items)
    raise TypeError(f"{type_} has no size in memory")


def alignment_of(type_: Type) -> int:
    """Bytes that the address of a value is a multiple of."""
    if isinstance(type_, DType):
        return type_.size
    if isinstance(type_, StructType):
        return type_.alignment
    if isinstance(type_, TupleType):
        return max((alignment_of(item) for item in type_.items), default=1)
    raise TypeError(f"{type_} has no alignment in memory")
