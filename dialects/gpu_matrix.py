"""gpu.subgroup_mma_*: matrices that the lanes of a subgroup hold together; upstream's syntax.

A `!gpu.mma_matrix<16x16xf16, "AOp">` is the left (AOp), right (BOp) or added (COp) operand of a
product. Which lane holds which element is the target's business, so a matrix is loaded, computed
with as a whole, and stored. All lanes of a whole subgroup execute these ops together. NVIDIA GPUs
have instructions for some shapes (`lowering/gpu_to_nvvm/matrices.py`); the CPU computes any with
scalars (`expand-matrices`).

A leadDimension of -9223372036854775808, MLIR's sign for what is not constant, is the distance of
rows in the memref itself, of rank 2 or more.

A load reads element (i, j) at `i * leadDimension + j` from the indexed element on; with `transpose`
at `j * leadDimension + i`. A product multiplies the matrices as they are: its `a_transpose` and
`b_transpose` say only that the operand was loaded with `transpose`, which the target may need to
know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    IndexType,
    IntAttr,
    IntegerAttr,
    MemRefType,
    StringAttr,
    UnitAttr,
)
from xdsl.ir import Attribute, Dialect, ParametrizedAttribute, SSAValue, TypeAttribute
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    ParsePropInAttrDict,
    VarConstraint,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from . import gpu
from .lazy_format import op_with_format

if TYPE_CHECKING:
    from typing import Self

    from xdsl.parser import AttrParser, Parser
    from xdsl.printer import Printer

USES = ("AOp", "BOp", "COp")


@irdl_attr_definition
class MmaMatrixType(ParametrizedAttribute, TypeAttribute):
    """`!gpu.mma_matrix<16x8xf32, "COp">`: rows, columns, elements, which operand of a product."""

    name = "gpu.mma_matrix"
    rows: IntAttr
    columns: IntAttr
    element: Attribute
    use: StringAttr

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows.data, self.columns.data

    def verify(self) -> None:
        if self.use.data not in USES:
            raise VerifyException(f"operand {self.use.data!r}, expected one of {', '.join(USES)}")
        if min(self.shape) < 1:
            raise VerifyException(f"shape {self.shape[0]}x{self.shape[1]}, expected positive sizes")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            start = parser.pos
            sizes, element = parser.parse_ranked_shape()
            parser.parse_punctuation(",")
            use = parser.parse_str_literal()
        if len(sizes) != 2:
            parser.raise_error(f"expected rows and columns, got {len(sizes)} sizes", start)
        return IntAttr(sizes[0]), IntAttr(sizes[1]), element, StringAttr(use)

    def print_parameters(self, printer: Printer) -> None:
        printer.print_string(f"<{self.rows.data}x{self.columns.data}x")
        printer.print_attribute(self.element)
        printer.print_string(f', "{self.use.data}">')


def matrix_type(value: SSAValue) -> MmaMatrixType:
    """The type of a value that is a matrix; VerifyException if it is none."""
    kind: Attribute = value.type
    if not isinstance(kind, MmaMatrixType):
        raise VerifyException(f"expected a matrix (!gpu.mma_matrix), got {kind}")
    return kind


def _check_place(memref: SSAValue, indices: Sequence[SSAValue], lead: int) -> None:
    kind: Attribute = memref.type
    if not isinstance(kind, MemRefType):
        raise VerifyException(f"expected a memref, got {kind}")
    if kind.get_num_dims() != len(indices):
        raise VerifyException(f"{len(indices)} indices for a memref of rank {kind.get_num_dims()}")
    if lead < 1 and lead != DYNAMIC_INDEX:
        raise VerifyException(f"leadDimension is {lead}, expected a positive number")


@op_with_format("$source `[` $indices `]` attr-dict `:` type($source) `->` type($result)")
class SubgroupMmaLoadMatrixOp(IRDLOperation):
    """A matrix from memory."""

    name = "gpu.subgroup_mma_load_matrix"
    source = operand_def(MemRefType)
    indices = var_operand_def(IndexType())
    lead = prop_def(IntegerAttr, prop_name="leadDimension")
    transpose = opt_prop_def(UnitAttr)
    result = result_def(MmaMatrixType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect())

    def verify_(self) -> None:
        _check_place(self.source, self.indices, self.lead.value.data)


@op_with_format("$value `,` $target `[` $indices `]` attr-dict `:` type($value) `,` type($target)")
class SubgroupMmaStoreMatrixOp(IRDLOperation):
    """A matrix of sums to memory."""

    name = "gpu.subgroup_mma_store_matrix"
    value = operand_def(MmaMatrixType)
    target = operand_def(MemRefType)
    indices = var_operand_def(IndexType())
    lead = prop_def(IntegerAttr, prop_name="leadDimension")
    transpose = opt_prop_def(UnitAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryWriteEffect())

    def verify_(self) -> None:
        _check_place(self.target, self.indices, self.lead.value.data)
        use = matrix_type(self.value).use.data
        if use != "COp":
            raise VerifyException(f"operand {use} cannot be stored, expected COp")


@irdl_op_definition
class SubgroupMmaConstantMatrixOp(IRDLOperation):
    """A matrix whose elements are all the same."""

    name = "gpu.subgroup_mma_constant_matrix"
    value = operand_def(AnyAttr())
    result = result_def(MmaMatrixType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        if matrix_type(self.result).element != self.value.type:
            raise VerifyException(f"a value of type {self.value.type} for {self.result.type}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        value = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        start = parser.pos
        kind = parser.parse_type()
        if not isinstance(kind, MmaMatrixType):
            parser.raise_error(f"expected a matrix (!gpu.mma_matrix), got {kind}", start)
        return cls.create(
            operands=[parser.resolve_operand(value, kind.element)],
            result_types=[kind],
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)


@op_with_format("$a `,` $b `,` $c attr-dict `:` type($a) `,` type($b) `->` type($c)")
class SubgroupMmaComputeOp(IRDLOperation):
    """a * b + c."""

    name = "gpu.subgroup_mma_compute"
    T: ClassVar = VarConstraint("T", AnyAttr())
    a = operand_def(MmaMatrixType)
    b = operand_def(MmaMatrixType)
    c = operand_def(T)
    a_transpose = opt_prop_def(UnitAttr)
    b_transpose = opt_prop_def(UnitAttr)
    result = result_def(T)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        a, b, c = (matrix_type(value) for value in (self.a, self.b, self.c))
        uses = tuple(kind.use.data for kind in (a, b, c))
        if uses != USES:
            raise VerifyException(f"operands {', '.join(uses)}, expected {', '.join(USES)}")
        (m, k), (deep, n) = a.shape, b.shape
        if k != deep or c.shape != (m, n):
            raise VerifyException(
                f"shapes {m}x{k} and {deep}x{n} do not multiply to {c.shape[0]}x{c.shape[1]}"
            )
        if a.element != b.element:
            raise VerifyException(f"elements {a.element} and {b.element}, expected the same type")


BINARY = (
    *("addf", "subf", "mulf", "divf", "maxf", "minf"),
    *("addi", "subi", "muli", "divs", "divu"),
)
UNARY = ("negatef", "negates", "extf")


@irdl_op_definition
class SubgroupMmaElementwiseOp(IRDLOperation):
    """An operation on each element."""

    name = "gpu.subgroup_mma_elementwise"
    args = var_operand_def(MmaMatrixType)
    kind = prop_def(StringAttr, prop_name="opType")
    result = result_def(MmaMatrixType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        kind = self.kind.data
        count = 2 if kind in BINARY else 1 if kind in UNARY else 0
        if not count:
            raise VerifyException(f"operation {kind}, expected one of {', '.join(BINARY + UNARY)}")
        if len(self.args) != count:
            raise VerifyException(f"{kind} takes {count} matrices, got {len(self.args)}")
        result = matrix_type(self.result)
        for value in self.args:
            given = matrix_type(value)
            same = given == result
            if kind == "extf":
                same = (given.shape, given.use) == (result.shape, result.use)
            if not same:
                raise VerifyException(f"{kind} of {given} cannot give {result}")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        kind = parser.parse_identifier()
        args = parser.parse_comma_separated_list(
            parser.Delimiter.NONE, parser.parse_unresolved_operand
        )
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        start = parser.pos
        function = parser.parse_function_type()
        return cls.create(
            operands=parser.resolve_operands(args, function.inputs.data, start),
            result_types=function.outputs.data,
            properties={"opType": StringAttr(kind)},
            attributes=attributes,
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.kind.data} ")
        printer.print_list(self.args, printer.print_operand)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_operation_type(self)


MATRIX_OPS = (
    *(SubgroupMmaLoadMatrixOp, SubgroupMmaStoreMatrixOp, SubgroupMmaConstantMatrixOp),
    *(SubgroupMmaComputeOp, SubgroupMmaElementwiseOp),
)

GPU = Dialect("gpu", [*gpu.GPU.operations, *MATRIX_OPS], [*gpu.GPU.attributes, MmaMatrixType])
"""The whole dialect; kernels without matrices need `gpu.py` only."""
