"""Types of the spirv dialect: pointers, arrays, structs, matrices; scalars and vectors are builtin.

A signless integer is SPIR-V's unsigned one, `si32` its signed one; `i1` is its boolean, which has
no size in memory. Strides and offsets are bytes; 0 is "no stride".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import (
    ArrayAttr,
    IntAttr,
    NoneAttr,
    StringAttr,
    SymbolRefAttr,
)
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.exceptions import VerifyException

from .grammar import enumeration
from .kinds import is_float, is_number, is_value, is_vector, length_of, scalar_of

if TYPE_CHECKING:
    from xdsl.parser import AttrParser, Parser
    from xdsl.printer import Printer

USES = {"MatrixA": "MatrixAKHR", "MatrixB": "MatrixBKHR", "MatrixAcc": "MatrixAccumulatorKHR"}
"""Upstream's words for what a cooperative matrix is used as, and the specification's."""


def _check_name(kind: str, name: str) -> None:
    if name not in enumeration(kind).by_name:
        raise VerifyException(f"{name!r} is not a {kind} of SPIR-V")


@irdl_attr_definition
class PointerType(ParametrizedAttribute, TypeAttribute):
    """`!spirv.ptr<f32, StorageBuffer>`."""

    name = "spirv.ptr"
    pointee: Attribute
    storage: StringAttr

    def __init__(self, pointee: Attribute, storage: str | StringAttr):
        super().__init__(pointee, _text(storage))

    @property
    def storage_class(self) -> str:
        """The name of the storage class."""
        return self.storage.data

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_attribute(self.pointee)
            printer.print_string(f", {self.storage.data}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        start = parser.pos
        with parser.in_angle_brackets():
            pointee = parser.parse_type()
            parser.parse_punctuation(",")
            storage = StringAttr(parser.parse_identifier())
        return _verified(cls, parser, start, (pointee, storage))

    def verify(self) -> None:
        _check_name("StorageClass", self.storage.data)
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
class ArrayType(ParametrizedAttribute, TypeAttribute):
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
        super().__init__(element, count, _int(stride))

    @property
    def length(self) -> int | None:
        """The count if it is a literal."""
        return self.count.data if isinstance(self.count, IntAttr) else None

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            if isinstance(self.count, IntAttr):
                printer.print_string(str(self.count.data))
            else:
                printer.print_attribute(self.count)
            printer.print_string(" x ")
            printer.print_attribute(self.element)
            _print_stride(printer, self.stride)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        start = parser.pos
        with parser.in_angle_brackets():
            symbol = parser.parse_optional_symbol_name()
            if symbol is not None:
                count: Attribute = SymbolRefAttr(symbol)
            else:
                count = IntAttr(parser.parse_shape_dimension(allow_dynamic=False))
            parser.parse_shape_delimiter()
            parameters = parser.parse_type(), count, _parse_stride(parser)
        return _verified(cls, parser, start, parameters)

    def verify(self) -> None:
        check_component(self.element)
        if self.length == 0:
            raise VerifyException("expected an array length greater than 0")


@irdl_attr_definition
class RuntimeArrayType(ParametrizedAttribute, TypeAttribute):
    """`!spirv.rtarray<f32, stride=4>`: as many elements as the buffer has."""

    name = "spirv.rtarray"
    element: Attribute
    stride: IntAttr

    def __init__(self, element: Attribute, stride: int | IntAttr = 0):
        super().__init__(element, _int(stride))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_attribute(self.element)
            _print_stride(printer, self.stride)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        start = parser.pos
        with parser.in_angle_brackets():
            parameters = parser.parse_type(), _parse_stride(parser)
        return _verified(cls, parser, start, parameters)

    def verify(self) -> None:
        check_component(self.element)


@irdl_attr_definition
class StructType(ParametrizedAttribute, TypeAttribute):
    """`!spirv.struct<name, (f32 [0, NonWritable], i32 [4]), Block>`.

    The brackets hold the member's offset and decorations ("MatrixStride=16"). A struct that a
    variable in a StorageBuffer, Uniform or PushConstant points at is a Block without saying so; the
    words at the end are upstream's of LLVM 21. Inside itself a struct is `!spirv.struct<name>`.
    """

    name = "spirv.struct"
    members: ArrayAttr[Attribute] | NoneAttr
    offsets: ArrayAttr[IntAttr]
    member_decorations: ArrayAttr[ArrayAttr[StringAttr]]
    identifier: StringAttr
    decorations: ArrayAttr[StringAttr]

    def __init__(
        self,
        members: Sequence[Attribute] | ArrayAttr[Attribute] | NoneAttr,
        offsets: Iterable[int] | ArrayAttr[IntAttr] = (),
        member_decorations: Iterable[Iterable[str]] | ArrayAttr[ArrayAttr[StringAttr]] = (),
        identifier: str | StringAttr = "",
        decorations: Iterable[str] | ArrayAttr[StringAttr] = (),
    ):
        if not isinstance(members, (ArrayAttr, NoneAttr)):
            members = ArrayAttr(members)
        if not isinstance(offsets, ArrayAttr):
            offsets = ArrayAttr(map(IntAttr, offsets))
        if not isinstance(member_decorations, ArrayAttr):
            member_decorations = ArrayAttr(
                ArrayAttr(map(StringAttr, d)) for d in member_decorations
            )
        if not isinstance(decorations, ArrayAttr):
            decorations = ArrayAttr(map(StringAttr, decorations))
        super().__init__(members, offsets, member_decorations, _text(identifier), decorations)

    @classmethod
    def reference(cls, identifier: str) -> StructType:
        """The struct of that name, inside itself."""
        return cls(NoneAttr(), identifier=identifier)

    @property
    def types(self) -> tuple[Attribute, ...]:
        """The types of the members; none for a reference."""
        return () if isinstance(self.members, NoneAttr) else self.members.data

    @property
    def is_reference(self) -> bool:
        """Whether it stands for the struct around it."""
        return isinstance(self.members, NoneAttr)

    def decorations_of(self, member: int) -> tuple[str, ...]:
        """The decorations of a member other than its offset."""
        found = self.member_decorations.data
        return tuple(text.data for text in found[member].data) if found else ()

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.identifier.data)
            if self.is_reference:
                return
            printer.print_string(", " if self.identifier.data else "")
            with printer.in_parens():
                printer.print_list(range(len(self.types)), lambda i: self._print_member(printer, i))
            for decoration in self.decorations:
                printer.print_string(f", {decoration.data}")

    def _print_member(self, printer: Printer, index: int) -> None:
        printer.print_attribute(self.types[index])
        words = list(self.decorations_of(index))
        if self.offsets.data:
            words.insert(0, str(self.offsets.data[index].data))
        if words:
            printer.print_string(f" [{', '.join(words)}]")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            identifier = parser.parse_optional_identifier()
            if identifier is not None and parser.parse_optional_punctuation(",") is None:
                return cls.reference(identifier).parameters
            start = parser.pos
            rows = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, lambda: _parse_member(parser)
            )
            decorations: list[str] = []
            while parser.parse_optional_punctuation(",") is not None:
                decorations.append(parser.parse_identifier())
        offsets = [offset for _, offset, _ in rows if offset is not None]
        if offsets and len(offsets) != len(rows):
            parser.raise_error("expected an offset for every member or for none", start)
        words = [decorations for _, _, decorations in rows]
        try:
            made = cls(
                [kind for kind, _, _ in rows],
                offsets,
                words if any(words) else (),
                identifier or "",
                decorations,
            )
        except VerifyException as error:
            parser.raise_error(str(error), start)
        return made.parameters

    def verify(self) -> None:
        for member in self.types:
            check_component(member)
        for what, rows in (("offsets", self.offsets), ("decorations", self.member_decorations)):
            if rows.data and len(rows.data) != len(self.types):
                raise VerifyException(f"expected {len(self.types)} {what}, got {len(rows.data)}")
        for words in (*self.member_decorations.data, self.decorations):
            for word in words.data:
                _check_name("Decoration", word.data.partition("=")[0])


def _parse_member(parser: AttrParser) -> tuple[Attribute, int | None, list[str]]:
    kind = parser.parse_type()
    if parser.parse_optional_punctuation("[") is None:
        return kind, None, []
    offset = parser.parse_optional_integer(allow_boolean=False, allow_negative=False)
    words: list[str] = []
    more = offset is None or parser.parse_optional_punctuation(",") is not None
    while more:
        word = parser.parse_identifier()
        if parser.parse_optional_punctuation("=") is not None:
            word += f"={parser.parse_integer(allow_boolean=False, allow_negative=False)}"
        words.append(word)
        more = parser.parse_optional_punctuation(",") is not None
    parser.parse_punctuation("]")
    return kind, offset, words


@irdl_attr_definition
class MatrixType(ParametrizedAttribute, TypeAttribute):
    """`!spirv.matrix<3 x vector<4xf32>>`: columns."""

    name = "spirv.matrix"
    column: Attribute
    columns: IntAttr

    def __init__(self, column: Attribute, columns: int | IntAttr):
        super().__init__(column, _int(columns))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{self.columns.data} x ")
            printer.print_attribute(self.column)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        start = parser.pos
        with parser.in_angle_brackets():
            columns = parser.parse_shape_dimension(allow_dynamic=False)
            parser.parse_shape_delimiter()
            parameters = parser.parse_type(), IntAttr(columns)
        return _verified(cls, parser, start, parameters)

    def verify(self) -> None:
        column = self.column
        if not is_vector(column) or not is_float(scalar_of(column)) or length_of(column) > 4:
            raise VerifyException(f"expected columns that are vectors of 2 to 4 floats: {column}")
        if not 2 <= self.columns.data <= 4:
            raise VerifyException(f"expected 2 to 4 columns, got {self.columns.data}")


@irdl_attr_definition
class CooperativeMatrixType(ParametrizedAttribute, TypeAttribute):
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
        super().__init__(element, _int(rows), _int(columns), _text(scope), _text(use))

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{self.rows.data}x{self.columns.data}x")
            printer.print_attribute(self.element)
            printer.print_string(f", {self.scope.data}, {self.use.data}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            start = parser.pos
            shape, element = parser.parse_ranked_shape()
            if len(shape) != 2:
                parser.raise_error("expected rows and columns", start)
            parser.parse_punctuation(",")
            scope = parser.parse_identifier()
            parser.parse_punctuation(",")
            use = parser.parse_identifier()
        numbers = (IntAttr(shape[0]), IntAttr(shape[1]))
        parameters = (element, *numbers, StringAttr(scope), StringAttr(use))
        return _verified(cls, parser, start, parameters)

    def verify(self) -> None:
        if not is_number(self.element) or is_vector(self.element):
            raise VerifyException(f"expected elements that are numbers, got {self.element}")
        _check_name("Scope", self.scope.data)
        if self.use.data not in USES:
            raise VerifyException(f"{self.use.data!r} is none of {', '.join(USES)}")


def _verified(
    cls: type[ParametrizedAttribute], parser: AttrParser, start: int, given: Sequence[Attribute]
) -> Sequence[Attribute]:
    """The parameters of a type; an error at its place in the text if they do not fit."""
    try:
        return cls.new(given).parameters
    except VerifyException as error:
        parser.raise_error(str(error), start)


def _int(value: int | IntAttr) -> IntAttr:
    return IntAttr(value) if isinstance(value, int) else value


def _text(value: str | StringAttr) -> StringAttr:
    return StringAttr(value) if isinstance(value, str) else value


def _print_stride(printer: Printer, stride: IntAttr) -> None:
    if stride.data:
        printer.print_string(f", stride={stride.data}")


def _parse_stride(parser: AttrParser) -> IntAttr:
    if parser.parse_optional_punctuation(",") is None:
        return IntAttr(0)
    parser.parse_keyword("stride")
    parser.parse_punctuation("=")
    start = parser.pos
    stride = parser.parse_integer(allow_boolean=False, allow_negative=False)
    if stride == 0:
        parser.raise_error("expected a stride greater than 0", start)
    return IntAttr(stride)


def is_spirv_type(kind: Attribute) -> bool:
    """Whether values of the dialect can have it."""
    return is_value(kind) or isinstance(kind, TYPES)


def check_component(kind: Attribute) -> None:
    """Raises VerifyException for what SPIR-V cannot make types of."""
    if is_spirv_type(kind):
        return
    if is_vector(kind):
        raise VerifyException(
            f"expected a vector of 2, 3, 4, 8 or 16 numbers or booleans, got {kind}"
        )
    raise VerifyException(f"cannot use {kind} to compose SPIR-V types")


TYPES = (
    *(PointerType, ArrayType, RuntimeArrayType, StructType, MatrixType, CooperativeMatrixType),
)
