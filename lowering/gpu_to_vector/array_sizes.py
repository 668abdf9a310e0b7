"""How large arrays are, for what is worth it only where they do not stay in a cache."""

from __future__ import annotations

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.ir import SSAValue

from ..memref_views import as_memref
from .vectors import At

LARGE = 4 << 20
"""Bytes of an array from which on its lines are asked for."""


def is_large(at: At, array: SSAValue) -> SSAValue:
    """Writes whether an array has so many bytes."""
    size = at.number(element_bytes(array))
    for axis in range(as_memref(array.type).get_num_dims()):
        length = at.add(memref.DimOp(array, at.number(axis)))
        size = at.binary(arith.MuliOp, size, length)
    return at.add(arith.CmpiOp(size, at.number(LARGE), "sge"))


def element_bytes(array: SSAValue) -> int:
    """The bytes of an element in memory."""
    kind = as_memref(array.type).element_type
    return kind.size if isinstance(kind, FixedBitwidthType) else 8
