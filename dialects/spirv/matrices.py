"""Loads, stores and the size of cooperative matrices of the spirv dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import IntegerAttr, i32
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import VerifyException

from ..lists import print_operands, print_types
from ..traits import NO_TRAITS, PURE
from .accesses import verify_access
from .attributes import CooperativeMatrixLayoutAttr, MemoryAccessAttr
from .base import SpirvOp
from .kinds import is_value
from .memory import pointer_type
from .types import CooperativeMatrixType

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class MatrixAccessOp(SpirvOp):
    """What loads and stores of a cooperative matrix share: layout, memory operand, alignment."""

    traits = NO_TRAITS
    _shown = ("matrix_layout", "memory_operand", "alignment")

    def print_head(self, printer: Printer) -> None:
        """Operands, layout and access, attributes."""
        printer.print_string(" ")
        print_operands(printer, self.operands)
        printer.print_string(f", <{self.enum('matrix_layout')}>")
        if "memory_operand" in self.properties:
            printer.print_string(f", <{self.enum('memory_operand')}>")
            if self.integer("alignment") is not None:
                printer.print_string(f", {self.integer('alignment')}")
        self.print_attributes(printer, but=self._shown)
        printer.print_string(" : ")
        print_types(printer, self.operand_types)

    @classmethod
    def parse_head(cls, parser: Parser, result: bool) -> Self:
        """The inverse of `print_head`, and the result's type after it."""
        start = parser.pos
        operands = [parser.parse_unresolved_operand()]
        parser.parse_punctuation(",")
        while (operand := parser.parse_optional_unresolved_operand()) is not None:
            operands.append(operand)
            parser.parse_punctuation(",")
        layout = CooperativeMatrixLayoutAttr.parse_parameter(parser)
        found: dict[str, Attribute] = {"matrix_layout": CooperativeMatrixLayoutAttr(layout)}
        if parser.parse_optional_punctuation(",") is not None:
            found["memory_operand"] = MemoryAccessAttr(MemoryAccessAttr.parse_parameter(parser))
        if parser.parse_optional_punctuation(",") is not None:
            found["alignment"] = IntegerAttr(parser.parse_integer(), i32)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        results: list[Attribute] = []
        if result:
            parser.parse_punctuation("->")
            results.append(parser.parse_type())
        return cls.create(
            operands=parser.resolve_operands(operands, types, start),
            result_types=results,
            properties=found,
            attributes=attributes,
        )

    def verify_matrix(self, kind: Attribute) -> None:
        """Raises VerifyException for wrong types and a wrong memory operand."""
        if not isinstance(kind, CooperativeMatrixType):
            raise VerifyException(f"expected a cooperative matrix, got {kind}")
        pointee = pointer_type(self.operands[0]).pointee
        if not is_value(pointee):
            raise VerifyException(f"expected a pointer to a scalar or vector, got {pointee}")
        verify_access(self, "memory_operand", "alignment")


class CooperativeMatrixLoadOp(MatrixAccessOp):
    """`spirv.KHR.CooperativeMatrixLoad %p, %stride, <RowMajor> : …, i32 -> !spirv.coopmatrix<>`."""

    name = "spirv.KHR.CooperativeMatrixLoad"

    def print(self, printer: Printer) -> None:
        self.print_head(printer)
        printer.print_string(" -> ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.parse_head(parser, result=True)

    def verify_(self) -> None:
        super().verify_()
        self.verify_matrix(self.results[0].type)
        found = self.properties.get("memory_operand")
        if isinstance(found, MemoryAccessAttr) and found.has("MakePointerAvailable"):
            raise VerifyException("a load cannot be MakePointerAvailable")


class CooperativeMatrixStoreOp(MatrixAccessOp):
    """`spirv.KHR.CooperativeMatrixStore %p, %m, %stride, <RowMajor> : …, !spirv.coopmatrix<…>, i32`."""  # noqa: E501

    name = "spirv.KHR.CooperativeMatrixStore"

    def print(self, printer: Printer) -> None:
        self.print_head(printer)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.parse_head(parser, result=False)

    def verify_(self) -> None:
        super().verify_()
        self.verify_matrix(self.operands[1].type)
        found = self.properties.get("memory_operand")
        if isinstance(found, MemoryAccessAttr) and found.has("MakePointerVisible"):
            raise VerifyException("a store cannot be MakePointerVisible")


class CooperativeMatrixLengthOp(SpirvOp):
    """`spirv.KHR.CooperativeMatrixLength : !spirv.coopmatrix<…>`: elements of an invocation."""

    name = "spirv.KHR.CooperativeMatrixLength"
    traits = PURE

    @property
    def matrix_type(self) -> Attribute:
        """The type that is asked about."""
        return self.properties["cooperative_matrix_type"]

    def print(self, printer: Printer) -> None:
        self.print_attributes(printer, but=("cooperative_matrix_type",))
        printer.print_string(" : ")
        printer.print_attribute(self.matrix_type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls.of((), [i32], cooperative_matrix_type=parser.parse_type())
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        super().verify_()
        if not isinstance(self.matrix_type, CooperativeMatrixType):
            raise VerifyException(f"expected a cooperative matrix, got {self.matrix_type}")


OPERATIONS: tuple[type[Operation], ...] = (
    *(CooperativeMatrixLoadOp, CooperativeMatrixStoreOp, CooperativeMatrixLengthOp),
)
