"""Sizes of types in memory, in bytes, by their strides and offsets."""

from __future__ import annotations

from xdsl.ir import Attribute

from ....dialects import spirv
from ....dialects.diagnostics import CompileError
from ....dialects.spirv.kinds import bit_width, is_bool, is_value, length_of, scalar_of


def size_of(kind: Attribute) -> int:
    """How many bytes a value takes. Raises CompileError for types without a size."""
    if is_value(kind) and not is_bool(scalar_of(kind)):
        return bit_width(kind) // 8 * length_of(kind)
    if isinstance(kind, spirv.PointerType) and kind.storage_class == "PhysicalStorageBuffer":
        return 8
    if isinstance(kind, spirv.ArrayType) and kind.length is not None:
        return (kind.stride.data or size_of(kind.element)) * kind.length
    if isinstance(kind, spirv.StructType) and kind.offsets.data:
        return max(
            (offset.data + size_of(member))
            for offset, member in zip(kind.offsets.data, kind.types, strict=True)
        )
    raise CompileError(f"{kind} has no size in memory")
