"""The types of the language under the names that annotations use; imports neither xDSL nor NumPy.

When a program runs these are types of `types`. A type checker needs Python's: to it `f32` is
`float` and `i32` is `int`, so that `2 * a` and `helper(0.5)` mean what they mean in a kernel. What
it cannot know is `Any`: the elements of an array, whose rank is a number and so no parameter of a
Python type, and a `Const`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .annotations import element_type
from .types import ArrayType, DType, TensorMapType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import EllipsisType
    from typing import SupportsIndex

    import numpy as np

    Const: TypeAlias = Any
    bool_: TypeAlias = bool
    i8: TypeAlias = int
    i16: TypeAlias = int
    i32: TypeAlias = int
    i64: TypeAlias = int
    u8: TypeAlias = int
    u16: TypeAlias = int
    u32: TypeAlias = int
    u64: TypeAlias = int
    index: TypeAlias = int
    f16: TypeAlias = float
    bf16: TypeAlias = float
    f32: TypeAlias = float
    f64: TypeAlias = float

    _Index: TypeAlias = SupportsIndex | slice | EllipsisType | str
else:
    from .annotations import Const
    from .types import (
        bf16,
        bool_,
        f16,
        f32,
        f64,
        i8,
        i16,
        i32,
        i64,
        index,
        u8,
        u16,
        u32,
        u64,
    )

__all__ = [
    "Array",
    "Const",
    "TensorMap",
    "bf16",
    "bool_",
    "f16",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "index",
    "u8",
    "u16",
    "u32",
    "u64",
]

MYPY = False  # mypy alone takes it as true

if MYPY:
    # A class takes no numbers as parameters there; a variable that is Any takes everything.
    Array: Any  # pyright: ignore[reportRedeclaration]
    TensorMap: Any  # pyright: ignore[reportRedeclaration]
else:

    class Array:
        """Annotation of an array parameter: `Array[f32, 2]`, or `Array[f32, 2, "strided"]`.

        The element type is a type of the language, a NumPy dtype or scalar type, or a dataclass or
        NamedTuple (a struct). The result is an `ArrayType`. In place of `"strided"`, which some
        checkers take for the name of a type, it may be `Literal["strided"]`.
        """

        def __class_getitem__(cls, parameters: Any) -> ArrayType:
            """The array type; TypeError for what is none."""
            return _array_type(_parts(parameters) or (parameters, 1))

        if TYPE_CHECKING:  # what a kernel does with a parameter that is annotated so
            shape: tuple[int, ...]
            ndim: int
            size: int
            dtype: np.dtype[Any]

            def __getitem__(self, index: _Index | tuple[_Index, ...]) -> Any: ...
            def __setitem__(self, index: _Index | tuple[_Index, ...], value: Any) -> None: ...
            def __iter__(self) -> Iterator[Any]: ...
            def __len__(self) -> int: ...
            def __getattr__(self, field: str) -> Any: ...

    class TensorMap:
        """Annotation of a parameter: `TensorMap[sw.bf16, (128, 64)]`, or with a swizzle in bytes,
        `TensorMap[sw.bf16, (128, 64), 128]`; the argument is made by `array.tensor_map(box, …)`.
        """

        def __class_getitem__(cls, parameters: Any) -> TensorMapType:
            """The type; TypeError for what is none."""
            return _tensor_map_type(_parts(parameters))

        if TYPE_CHECKING:
            box: tuple[int, ...]
            nbytes: int
            swizzle: int
            dtype: Any


_CONTIGUOUS, _STRIDED = ("contiguous",), ("strided",)


def _parts(parameters: Any) -> tuple[Any, ...]:
    return cast("tuple[Any, ...]", parameters) if isinstance(parameters, tuple) else ()


def _array_type(parts: tuple[Any, ...]) -> ArrayType:
    layout = getattr(parts[2], "__args__", parts[2:]) if len(parts) == 3 else _CONTIGUOUS
    if len(parts) not in (2, 3) or layout not in (_CONTIGUOUS, _STRIDED):
        raise TypeError(
            'Array takes an element type, a rank and perhaps "strided", as in '
            f'Array[f32, 2, "strided"]; got {parts!r}'
        )
    element = element_type(parts[0])
    if element is None:
        raise TypeError(f"{parts[0]!r} is no element type; write Array[sw.f32, 2], for example")
    if not isinstance(parts[1], int) or not 1 <= parts[1] <= 8:
        raise TypeError(f"the rank of an Array is an integer from 1 to 8, got {parts[1]!r}")
    return ArrayType(element, parts[1], contiguous=layout == _CONTIGUOUS)


def _tensor_map_type(parts: tuple[Any, ...]) -> TensorMapType:
    if not 2 <= len(parts) <= 3 or not isinstance(parts[0], DType):
        raise TypeError(
            "TensorMap takes an element type, the sizes of a box and perhaps a swizzle, as in "
            "TensorMap[sw.bf16, (128, 64), 128]"
        )
    box = _parts(parts[1]) or (parts[1],)
    if not 1 <= len(box) <= 5 or any(type(size) is not int or size < 1 for size in box):
        raise TypeError(f"the box of a TensorMap has 1 to 5 positive sizes, got {parts[1]!r}")
    swizzle = parts[2] if len(parts) == 3 else 0
    if swizzle not in (0, 32, 64, 128):
        raise TypeError(f"the swizzle of a TensorMap is 0, 32, 64 or 128, got {swizzle!r}")
    return TensorMapType(parts[0], box, swizzle)
