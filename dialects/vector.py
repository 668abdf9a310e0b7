"""vector: xDSL's dialect with the ops of upstream MLIR that xDSL lacks and SIMD code needs.

At the cpu level a vector holds one value for each of its lanes, and ops work in each lane by
itself; `arith` and `math` take vectors too. Vectors have one dimension there and a fixed length.

A contiguous access begins at the element that its indices name and goes on along the innermost
dimension; `gather` and `scatter` add a number of elements for each lane to that place. Only lanes
whose mask is set touch memory, which need not exist for the others: they get `pass_thru`. Lanes of
a `scatter` that meet write in their order. In memory a lane takes as much as one element of a
memref (a bool is a byte), and is aligned as that unless `{alignment = N}`, in bytes, promises more.

A `reduction` of floats by `add` or `mul` goes from the first lane to the last, after `acc`; with
the flag `reassoc` in any order. `min`/`max` and integers do not depend on the order. 16-bit floats
are reduced in f32, and rounded once at the end.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, cast

from xdsl.dialects.builtin import (
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    VectorType,
    i1,
    i64,
)
from xdsl.dialects.vector import ReductionOp, Vector
from xdsl.ir import Attribute, Dialect, Operation, SSAValue
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from .lazy_format import op_with_format

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


@op_with_format("$input attr-dict `:` type($aggregate)")
class SplatOp(IRDLOperation):
    """`vector.splat %x : vector<4xf32>`: the scalar in every lane."""

    name = "vector.splat"
    T: ClassVar = VarConstraint("T", AnyAttr())
    input = operand_def(T)
    aggregate = result_def(VectorType.constr(T))
    traits = traits_def(Pure())


@irdl_op_definition
class FromElementsOp(IRDLOperation):
    """`vector.from_elements %x, %y : vector<2xf32>`: a scalar for each lane."""

    name = "vector.from_elements"
    elements = var_operand_def()
    result = result_def(VectorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        count, kind = prod(shape_of(self.result.type)), element_of(self.result.type)
        if [value.type for value in self.elements] != [kind] * count:
            raise VerifyException(f"expected {count} values of type {kind}")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.elements, printer.print_operand)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)

    @classmethod
    def parse(cls, parser: Parser) -> FromElementsOp:
        start = parser.pos
        elements = parser.parse_comma_separated_list(
            parser.Delimiter.NONE, parser.parse_unresolved_operand
        )
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        if kind.name != VectorType.name:
            parser.raise_error(f"expected a vector type, got {kind}", start)
        kinds = [element_of(kind)] * len(elements)
        values = parser.resolve_operands(elements, kinds, start)
        return cls.create(operands=values, result_types=[kind], attributes=attributes)


@op_with_format("attr-dict `:` type($result)")
class StepOp(IRDLOperation):
    """`vector.step : vector<4xindex>`: 0, 1, 2, 3."""

    name = "vector.step"
    result = result_def(VectorType.constr(IndexType()))
    traits = traits_def(Pure())


@op_with_format("$mask_dim_sizes attr-dict `:` type($mask)")
class ConstantMaskOp(IRDLOperation):
    """`vector.constant_mask [3] : vector<4xi1>`: the first lanes of each dimension are set."""

    name = "vector.constant_mask"
    mask_dim_sizes = prop_def(DenseArrayBase.constr(i64))
    mask = result_def(VectorType.constr(i1))
    traits = traits_def(Pure())

    def verify_(self) -> None:
        sizes, shape = self.mask_dim_sizes.get_values(), shape_of(self.mask.type)
        if len(sizes) != len(shape) or any(
            not 0 <= size <= most for size, most in zip(sizes, shape, strict=True)
        ):
            raise VerifyException(f"expected a size from 0 for each dimension of {list(shape)}")


@op_with_format(
    "$base `[` $indices `]` `[` $index_vec `]` `,` $mask `,` $pass_thru attr-dict `:` type($base) "
    "`,` type($index_vec) `,` type($mask) `,` type($pass_thru) `into` type($result)"
)
class GatherOp(IRDLOperation):
    """`vector.gather %m[%i][%offsets], %mask, %else : …`: an element for each lane that is set."""

    name = "vector.gather"
    T: ClassVar = VarConstraint("T", AnyAttr())
    base = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    index_vec = operand_def(VectorType)
    mask = operand_def(VectorType.constr(i1))
    pass_thru = operand_def(T)
    result = result_def(T)
    traits = traits_def(MemoryReadEffect())

    def verify_(self) -> None:
        _verify_access(self, self.base.type, len(self.indices), self.result.type)
        _verify_lanes(self.index_vec.type, self.mask.type, self.result.type)


@op_with_format(
    "$base `[` $indices `]` `[` $index_vec `]` `,` $mask `,` $value attr-dict `:` type($base) `,` "
    "type($index_vec) `,` type($mask) `,` type($value)"
)
class ScatterOp(IRDLOperation):
    """`vector.scatter %m[%i][%offsets], %mask, %v : …`: stores each lane that is set."""

    name = "vector.scatter"
    base = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    index_vec = operand_def(VectorType)
    mask = operand_def(VectorType.constr(i1))
    value = operand_def(VectorType)
    traits = traits_def(MemoryWriteEffect())

    def verify_(self) -> None:
        _verify_access(self, self.base.type, len(self.indices), self.value.type)
        _verify_lanes(self.index_vec.type, self.mask.type, self.value.type)


def is_nontemporal(op: Operation) -> bool:
    """Whether a load or store of consecutive lanes goes past the caches."""
    flag = op.properties.get("nontemporal")
    return isinstance(flag, IntegerAttr) and bool(flag.value.data)


def reduction(kind: str, vector: SSAValue, acc: SSAValue | None = None) -> ReductionOp:
    """All lanes combined to one value; xDSL's constructor gives the result the vector's type."""
    from xdsl.dialects.arith import FastMathFlagsAttr
    from xdsl.dialects.vector import CombiningKindAttr, CombiningKindFlag

    return ReductionOp.create(
        operands=[vector] if acc is None else [vector, acc],
        result_types=[element_of(vector.type)],
        properties={
            "kind": CombiningKindAttr(CombiningKindFlag(kind)),
            "fastmath": FastMathFlagsAttr("none"),
        },
    )


def shape_of(kind: Attribute) -> tuple[int, ...]:
    """The sizes of a vector type."""
    assert isinstance(kind, VectorType), f"a vector type, not {kind}"
    return kind.get_shape()


def element_of(kind: Any) -> Attribute:
    """The type of the elements of a vector or memref type."""
    assert isinstance(kind, VectorType | MemRefType), f"a type with elements, not {kind}"
    return cast(VectorType[Attribute], kind).element_type


def _verify_access(op: Operation, memref: Attribute, indices: int, vector: Attribute) -> None:
    assert isinstance(memref, MemRefType), "the constraint of the operand says so"
    if memref.get_num_dims() != indices:
        raise VerifyException(f"expected {memref.get_num_dims()} indices, got {indices}")
    if not isinstance(vector, VectorType) or element_of(vector) != element_of(memref):
        raise VerifyException(f"expected a vector of {element_of(memref)}, got {vector}")


def _verify_lanes(indices: Attribute, *others: Attribute) -> None:
    if not isinstance(element_of(indices), IntegerType | IndexType):
        raise VerifyException(f"expected offsets that are integers, got {indices}")
    if any(shape_of(other) != shape_of(indices) for other in others):
        raise VerifyException("expected offsets, mask and values to have the same number of lanes")


VECTOR = Dialect(
    "vector",
    [
        *(*Vector.operations, SplatOp, FromElementsOp, StepOp, ConstantMaskOp),
        *(GatherOp, ScatterOp),
    ],
    list(Vector.attributes),
)
