"""What a type of the spirv dialect is: scalars, vectors, their widths and lengths."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import (
    AnyFloat,
    Float16Type,
    Float32Type,
    Float64Type,
    IntegerType,
    VectorType,
)
from xdsl.ir import Attribute

VECTOR_LENGTHS = (2, 3, 4, 8, 16)
INTEGER_WIDTHS = (1, 8, 16, 32, 64)


def is_vector(kind: Attribute) -> bool:
    """Whether it is a vector."""
    return isinstance(kind, VectorType)


def vector_shape(kind: Attribute) -> tuple[int, ...]:
    """The shape of a vector; nothing for another type."""
    return cast("VectorType[Attribute]", kind).get_shape() if is_vector(kind) else ()


def scalar_of(kind: Attribute) -> Attribute:
    """The element of a vector, the type itself otherwise."""
    return cast("VectorType[Attribute]", kind).element_type if is_vector(kind) else kind


def length_of(kind: Attribute) -> int:
    """The length of a vector, 1 otherwise."""
    return vector_shape(kind)[0] if is_vector(kind) else 1


def with_shape_of(kind: Attribute, scalar: Attribute) -> Attribute:
    """`scalar`, or a vector of them as long as `kind`."""
    return VectorType(scalar, [length_of(kind)]) if is_vector(kind) else scalar


def _is_integer(kind: Attribute) -> bool:
    return isinstance(kind, IntegerType)  # without narrowing: its parameters would be unknown


def int_width(kind: Attribute) -> int:
    """The bits of an integer; 0 for another type."""
    return cast("IntegerType[int]", kind).width.data if _is_integer(kind) else 0


def is_bool(scalar: Attribute) -> bool:
    """Whether it is `i1`."""
    return int_width(scalar) == 1


def is_int(scalar: Attribute) -> bool:
    """Whether it is an integer wider than one bit."""
    return int_width(scalar) in INTEGER_WIDTHS[1:]


def is_float(scalar: Attribute) -> bool:
    """Whether it is a float that SPIR-V has without extensions."""
    return isinstance(scalar, (Float16Type, Float32Type, Float64Type))


def is_number(kind: Attribute) -> bool:
    """Whether it is an integer or float, or a vector of those."""
    scalar = scalar_of(kind)
    return is_int(scalar) or is_float(scalar)


def bit_width(kind: Attribute) -> int:
    """The bits of a scalar or of a vector's elements. Raises TypeError for other types."""
    scalar = scalar_of(kind)
    width = scalar.bitwidth if isinstance(scalar, AnyFloat) else int_width(scalar)
    if not width:
        raise TypeError(f"{kind} has no width")
    return width


def is_value(kind: Attribute) -> bool:
    """Whether it is a scalar or a vector, of booleans too."""
    if is_vector(kind):
        shape = vector_shape(kind)
        if len(shape) != 1 or shape[0] not in VECTOR_LENGTHS:
            return False
    return is_number(kind) or is_bool(scalar_of(kind))
