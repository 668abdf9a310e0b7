"""What vectors are made of where a device has vectors of up to 4 elements: pieces.

    vector<6xf32>     vector<4xf32>, vector<2xf32>
    vector<5xi32>     vector<4xi32>, i32
    vector<4xi64>     i64, i64, i64, i64     on a device that has no i64

Elements that the device has no type for are scalars, which `emulate-types` sees to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from xdsl.dialects import arith, vector
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    VectorType,
    i64,
)
from xdsl.ir import Attribute, SSAValue

from ...dialects.arith_lanes import is_vector
from ...dialects.vector import FromElementsOp
from ...passes.utils.block_editing import is_integer
from ..conversion import CannotConvert, Rewriter
from .features import ShaderFeatures

AnyVector: TypeAlias = VectorType[Attribute]
MOST = 4


def as_vector(kind: Attribute) -> AnyVector:
    """The type as a vector, which it has to be."""
    assert is_vector(kind), f"a vector, not {kind}"
    return cast(AnyVector, kind)


def is_piece(kind: Attribute, features: ShaderFeatures) -> bool:
    """Whether the device has a vector type."""
    if not is_vector(kind) or as_vector(kind).get_num_dims() != 1:
        return False
    return 1 < lanes_of(kind) <= MOST and _is_known(as_vector(kind).element_type, features)


def _is_known(element: Attribute, features: ShaderFeatures) -> bool:
    return isinstance(element, IndexType) or features.native(element)


def piece_types(kind: AnyVector, features: ShaderFeatures) -> list[Attribute]:
    """The types that a vector is made of; CannotConvert for one that is of another form."""
    if kind.get_num_dims() != 1 or kind.get_num_scalable_dims():
        raise CannotConvert(f"{kind}: expected a vector of one dimension and a fixed length")
    element, (count,) = kind.element_type, kind.get_shape()
    sizes = [1] * count
    if _is_known(element, features):
        sizes = [min(MOST, count - start) for start in range(0, count, MOST)]
    return [element if size == 1 else VectorType(element, [size]) for size in sizes]


def lanes_of(kind: Attribute) -> int:
    """How many elements a piece has."""
    return as_vector(kind).get_shape()[0] if is_vector(kind) else 1


def constant_piece(rw: Rewriter, numbers: Sequence[Any], kind: Attribute) -> SSAValue:
    """Known numbers as a piece of this type."""
    if is_vector(kind):
        whole: Any = kind
        value = DenseIntOrFPElementsAttr.from_list(whole, list(numbers))
        return rw.value(arith.ConstantOp, (), kind, {"value": value})
    return constant(rw, numbers[0], kind)


def constant(rw: Rewriter, number: Any, kind: Attribute) -> SSAValue:
    """A known number as a scalar."""
    given: Any = kind
    value: Attribute
    if is_integer(kind):
        value = IntegerAttr(int(number), given, truncate_bits=True)
    else:
        value = FloatAttr(number, given)
    return rw.value(arith.ConstantOp, (), kind, {"value": value})


def scalars(rw: Rewriter, pieces: Sequence[SSAValue]) -> list[SSAValue]:
    """The elements of a vector."""
    return [element for piece in pieces for element in _elements(rw, piece)]


def _elements(rw: Rewriter, piece: SSAValue) -> Sequence[SSAValue]:
    kind = piece.type
    if not is_vector(kind):
        return [piece]
    owner = piece.owner
    if isinstance(owner, FromElementsOp):
        return owner.elements
    if isinstance(owner, arith.ConstantOp):
        values: Any = owner.value
        return [
            constant(rw, number, as_vector(kind).element_type) for number in values.get_values()
        ]
    return [element_at(rw, piece, lane) for lane in range(lanes_of(kind))]


def element_at(rw: Rewriter, piece: SSAValue, lane: int) -> SSAValue:
    """One element of a piece that is a vector."""
    position = {"static_position": DenseArrayBase.from_list(i64, [lane])}
    return rw.value(vector.ExtractOp, (piece,), as_vector(piece.type).element_type, position)


def joined(
    rw: Rewriter, elements: Sequence[SSAValue], kinds: Sequence[Attribute]
) -> list[SSAValue]:
    """Elements as pieces of these types."""
    pieces: list[SSAValue] = []
    start = 0
    for kind in kinds:
        part = elements[start : start + lanes_of(kind)]
        start += len(part)
        pieces.append(rw.value(FromElementsOp, part, kind) if is_vector(kind) else part[0])
    return pieces
