"""What is inside composite types of the spirv dialect."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from .kinds import is_vector, length_of, scalar_of
from .struct_type import StructType
from .types import ArrayType, CooperativeMatrixType, MatrixType, PointerType, RuntimeArrayType


def member_type(kind: Attribute, index: int | None) -> Attribute:
    """What is at an index of a composite (None: an index known at run time).

    Raises VerifyException where there is nothing of that index.
    """
    if isinstance(kind, StructType):
        if index is None:
            raise VerifyException("a member of a struct needs an index that is a constant")
        member = _at(kind.types, index, kind)
        return _unfold(member, kind) if kind.identifier.data else member
    if isinstance(kind, (ArrayType, CooperativeMatrixType, RuntimeArrayType)):
        return kind.element
    if isinstance(kind, MatrixType):
        return kind.column
    if is_vector(kind):
        scalar = scalar_of(kind)
        return scalar if index is None else _at((scalar,) * length_of(kind), index, kind)
    raise VerifyException(f"{kind} has no members")


def _unfold(kind: Attribute, struct: StructType) -> Attribute:
    """A member's type seen from outside: what stands for the struct around it is that struct."""
    if isinstance(kind, PointerType):
        return PointerType(_unfold(kind.pointee, struct), kind.storage)
    if isinstance(kind, ArrayType):
        return ArrayType(_unfold(kind.element, struct), kind.count, kind.stride)
    if isinstance(kind, RuntimeArrayType):
        return RuntimeArrayType(_unfold(kind.element, struct), kind.stride)
    if not isinstance(kind, StructType):
        return kind
    if kind.is_reference:
        return struct if kind.identifier == struct.identifier else kind
    return StructType(
        [_unfold(member, struct) for member in kind.types],
        kind.offsets,
        kind.member_decorations,
        kind.identifier,
        kind.decorations,
    )


def _at(types: Sequence[Attribute], index: int, kind: Attribute) -> Attribute:
    if not 0 <= index < len(types):
        raise VerifyException(f"index {index} is out of range of {kind}")
    return types[index]
