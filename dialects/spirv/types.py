"""Types of the spirv dialect: pointers, arrays, matrices; scalars and vectors are builtin.

A signless integer is SPIR-V's unsigned one, `si32` its signed one; `i1` is its boolean, which has
no size in memory. Strides are bytes; 0 is "no stride". Structs are in `struct_type.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import IntAttr, StringAttr, SymbolRefAttr
from xdsl.ir import Attribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.exceptions import VerifyException

from .kinds import is_float, is_number, is_vector, length_of, scalar_of
from .type_base import SpirvType, check_component, check_name, int_attribute, text_attribute

if TYPE_CHECKING:
    from xdsl.parser import AttrParser, Parser
    from xdsl.printer import Printer

USES = {"MatrixA": "MatrixAKHR", "MatrixB": "MatrixBKHR", "MatrixAcc": "MatrixAccumulatorKHR"}
"""Upstream's words for what a cooperative matrix is used as, and the specification's."""


@irdl_attr_definition
class PointerType(SpirvType):
    """`!spirv.ptr<f32, StorageBuffer>`."""

    name = "spirv.ptr"
    pointee: Attribute
    storage: StringAttr

    def __init__(self, pointee: Attribute, storage: str | StringAttr):
        super().__init__(pointee, text_attribute(storage))

    @property
    def storage_class(self) -> str:
        """The name of the storage class."""
        return self.storage.data

    def print_inside(self, printer: Printer) -> None:
        printer.print_attribute(self.pointee)
        printer.print_string(f", {self.storage.data}")

    @classmethod
    def parse_inside(cls, parser: AttrParser) -> Self:
        pointee = parser.parse_type()
        parser.parse_punctuation(",")
        return cls(pointee, parser.parse_identifier())

    def verify(self) -> None:
        check_name("StorageClass", self.storage.data)
        check_component(self.pointee)


def parse_pointer_type(parser: Parser) -> PointerType:
    """`: !spirv.ptr<…>`, what ends the text of a variable."""
    parser.parse_punctuation(":")
    start = parser.pos
    kind = parser.parse_type()
    if not isinstance(kind, PointerType):
        parser.raise_error(f"expected a type of a pointer, got {kind}", start)
    return kind


@irdl_attr_definition
class ArrayType(SpirvType):
    """`!spirv.array<4 x f32, stride=4>`: elements in a row.

    Upstream's count is a literal. Ours may be the symbol of a specialisation constant or of a
    `spirv.SpecConstantOperation` with a name: `!spirv.array<@length x i32>`.
    """

    name = "spirv.array"
    element: Attribute
    count: IntAttr | SymbolRefAttr
    stride: IntAttr

    def __init__(
        self,
        element: Attribute,
        count: int | str | IntAttr | SymbolRefAttr,
        stride: int | IntAttr = 0,
    ):
        if isinstance(count, int):
            count = IntAttr(count)
        elif isinstance(count, str):
            count = SymbolRefAttr(count)
        super().__init__(element, count, int_attribute(stride))

    @property
    def length(self) -> int | None:
        """The count if it is a literal."""
        return self.count.data if isinstance(self.count, IntAttr) else None

    def print_inside(self, printer: Printer) -> None:
        if isinstance(self.count, IntAttr):
            printer.print_string(str(self.count.data))
        else:
            printer.print_attribute(self.count)
        printer.print_string(" x ")
        printer.print_attribute(self.element)
        _print_stride(printer, self.stride)

    @classmethod
    def parse_inside(cls, parser: AttrParser) -> Self:
        symbol = parser.parse_optional_symbol_name()
        if symbol is not None:
            count = SymbolRefAttr(symbol)
        else:
            count = IntAttr(parser.parse_shape_dimension(allow_dynamic=False))
        parser.parse_shape_delimiter()
        return cls(parser.parse_type(), count, _parse_stride(parser))

    def verify(self) -> None:
        check_component(self.element)
        if self.length == 0:
            raise VerifyException("expected an array length greater than 0")


@irdl_attr_definition
class RuntimeArrayType(SpirvType):
    """`!spirv.rtarray<f32, stride=4>`: as many elements as the buffer has."""

    name = "spirv.rtarray"
    element: Attribute
    stride: IntAttr

    def __init__(self, element: Attribute, stride: int | IntAttr = 0):
        super().__init__(element, int_attribute(stride))

    def print_inside(self, printer: Printer) -> None:
        printer.print_attribute(self.element)
        _print_stride(printer, self.stride)

    @classmethod
    def parse_inside(cls, parser: AttrParser) -> Self:
        return cls(parser.parse_type(), _parse_stride(parser))

    def verify(self) -> None:
        check_component(self.element)


@irdl_attr_definition
class MatrixType(SpirvType):
    """`!spirv.matrix<3 x vector<4xf32>>`: columns."""

    name = "spirv.matrix"
    column: Attribute
    columns: IntAttr

    def __init__(self, column: Attribute, columns: int | IntAttr):
        super().__init__(column, int_attribute(columns))

    def print_inside(self, printer: Printer) -> None:
        printer.print_string(f"{self.columns.data} x ")
        printer.print_attribute(self.column)

    @classmethod
    def parse_inside(cls, parser: AttrParser) -> Self:
        columns = parser.parse_shape_dimension(allow_dynamic=False)
        parser.parse_shape_delimiter()
        return cls(parser.parse_type(), columns)

    def verify(self) -> None:
        column = self.column
        if not is_vector(column) or not is_float(scalar_of(column)) or length_of(column) > 4:
            raise VerifyException(f"expected columns that are vectors of 2 to 4 floats: {column}")
        if not 2 <= self.columns.data <= 4:
            raise VerifyException(f"expected 2 to 4 columns, got {self.columns.data}")


@irdl_attr_definition
class CooperativeMatrixType(SpirvType):
    """`!spirv.coopmatrix<8x16xf16, Subgroup, MatrixA>`: a matrix that a scope holds together."""

    name = "spirv.coopmatrix"
    element: Attribute
    rows: IntAttr
    columns: IntAttr
    scope: StringAttr
    use: StringAttr

    def __init__(
        self,
        element: Attribute,
        rows: int | IntAttr,
        columns: int | IntAttr,
        scope: str | StringAttr,
        use: str | StringAttr,
    ):
        shape = int_attribute(rows), int_attribute(columns)
        super().__init__(element, *shape, text_attribute(scope), text_attribute(use))

    def print_inside(self, printer: Printer) -> None:
        printer.print_string(f"{self.rows.data}x{self.columns.data}x")
        printer.print_attribute(self.element)
        printer.print_string(f", {self.scope.data}, {self.use.data}")

    @classmethod
    def parse_inside(cls, parser: AttrParser) -> Self:
        start = parser.pos
        shape, element = parser.parse_ranked_shape()
        if len(shape) != 2:
            parser.raise_error("expected rows and columns", start)
        parser.parse_punctuation(",")
        scope = parser.parse_identifier()
        parser.parse_punctuation(",")
        return cls(element, shape[0], shape[1], scope, parser.parse_identifier())

    def verify(self) -> None:
        if not is_number(self.element) or is_vector(self.element):
            raise VerifyException(f"expected elements that are numbers, got {self.element}")
        check_name("Scope", self.scope.data)
        if self.use.data not in USES:
            raise VerifyException(f"{self.use.data!r} is none of {', '.join(USES)}")


def _print_stride(printer: Printer, stride: IntAttr) -> None:
    if stride.data:
        printer.print_string(f", stride={stride.data}")


def _parse_stride(parser: AttrParser) -> int:
    if parser.parse_optional_punctuation(",") is None:
        return 0
    parser.parse_keyword("stride")
    parser.parse_punctuation("=")
    start = parser.pos
    stride = parser.parse_integer(allow_boolean=False, allow_negative=False)
    if stride == 0:
        parser.raise_error("expected a stride greater than 0", start)
    return stride


TYPES = (PointerType, ArrayType, RuntimeArrayType, MatrixType, CooperativeMatrixType)
