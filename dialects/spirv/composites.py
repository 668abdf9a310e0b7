"""Composites of the spirv dialect: made, taken apart, shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, VectorType, i32
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands, print_types
from ..traits import PURE
from .base import SpirvOp
from .kinds import is_value, is_vector, length_of, scalar_of
from .members import member_type
from .struct_type import StructType
from .types import ArrayType, CooperativeMatrixType, MatrixType

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


def part_type(kind: Attribute, indices: Sequence[int]) -> Attribute:
    """The type of a part of a composite. Raises VerifyException where there is nothing."""
    for index in indices:
        kind = member_type(kind, index)
        if isinstance(kind, ArrayType) and kind.length is not None and index < 0:
            raise VerifyException(f"index {index} is out of range")
    return kind


def _array(indices: Sequence[int]) -> ArrayAttr[Attribute]:
    return ArrayAttr(IntegerAttr(index, i32) for index in indices)


def _print_indices(printer: Printer, indices: Sequence[int]) -> None:
    printer.print_string(f"[{', '.join(f'{index} : i32' for index in indices)}]")


def _parse_indices(parser: Parser) -> list[int]:
    def one() -> int:
        number = parser.parse_integer()
        if parser.parse_optional_punctuation(":") is not None:
            parser.parse_type()
        return number

    return parser.parse_comma_separated_list(parser.Delimiter.SQUARE, one)


class CompositeConstructOp(SpirvOp):
    """`spirv.CompositeConstruct %a, %b : (f32, f32) -> vector<2xf32>`."""

    name = "spirv.CompositeConstruct"
    traits = PURE

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_operands(printer, self.operands)
        self.print_attributes(printer)
        printer.print_string(" : ")
        printer.print_operation_type(self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        function = parser.parse_function_type()
        return cls.create(
            operands=parser.resolve_operands(operands, function.inputs.data, start),
            result_types=function.outputs.data,
            attributes=attributes,
        )

    def verify_(self) -> None:
        super().verify_()
        kind, given = self.results[0].type, list(self.operand_types)
        if is_vector(kind):
            if any(not is_value(one) for one in given):
                raise VerifyException("expected scalars and vectors for a vector")
            if sum(map(length_of, given)) != length_of(kind):
                raise VerifyException(f"expected {length_of(kind)} elements in all")
            if any(scalar_of(one) != scalar_of(kind) for one in given):
                raise VerifyException(f"expected elements of type {scalar_of(kind)}")
            return
        expected = _member_types(kind)
        if given != expected:
            raise VerifyException(f"expected {len(expected)} operands of the members' types")


def _member_types(kind: Attribute) -> list[Attribute]:
    if isinstance(kind, StructType):
        return list(kind.types)
    if isinstance(kind, ArrayType):
        return [kind.element] * (kind.length or 0)
    if isinstance(kind, MatrixType):
        return [kind.column] * kind.columns.data
    if isinstance(kind, CooperativeMatrixType):
        return [kind.element]
    raise VerifyException(f"{kind} has no members")


class CompositeExtractOp(SpirvOp):
    """`spirv.CompositeExtract %s[1 : i32] : vector<4xf32>`: a part at constant indices."""

    name = "spirv.CompositeExtract"
    traits = PURE

    @classmethod
    def at(cls, composite: SSAValue, *indices: int) -> Self:
        """The part at these indices."""
        kind = part_type(composite.type, indices)
        return cls.of([composite], [kind], indices=_array(indices))

    @property
    def indices(self) -> tuple[int, ...]:
        """Where the part is."""
        return self.integers("indices")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        _print_indices(printer, self.indices)
        self.print_attributes(printer, but=("indices",))
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operand = parser.parse_unresolved_operand()
        indices = _parse_indices(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        composite = parser.resolve_operand(operand, parser.parse_type())
        try:
            op = cls.at(composite, *indices)
        except VerifyException as error:
            parser.raise_error(str(error), start)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        super().verify_()
        expected = part_type(self.operands[0].type, self.indices)
        if not self.indices or self.results[0].type != expected:
            raise VerifyException(f"expected indices and a result of type {expected}")


class CompositeInsertOp(SpirvOp):
    """`spirv.CompositeInsert %x, %v[1 : i32] : f32 into vector<4xf32>`: with a part replaced."""

    name = "spirv.CompositeInsert"
    traits = PURE

    @classmethod
    def at(cls, part: SSAValue, composite: SSAValue, *indices: int) -> Self:
        """The composite with the part at these indices."""
        return cls.of([part, composite], [composite.type], indices=_array(indices))

    @property
    def indices(self) -> tuple[int, ...]:
        """Where the part goes."""
        return self.integers("indices")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_operands(printer, self.operands)
        _print_indices(printer, self.indices)
        self.print_attributes(printer, but=("indices",))
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)
        printer.print_string(" into ")
        printer.print_attribute(self.operands[1].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser)
        indices = _parse_indices(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        part = parser.parse_type()
        parser.parse_keyword("into")
        kinds = [part, parser.parse_type()]
        values = parser.resolve_operands(operands, kinds, start)
        op = cls.at(values[0], values[1], *indices)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        super().verify_()
        composite = self.operands[1].type
        expected = part_type(composite, self.indices)
        if not self.indices or self.operands[0].type != expected:
            raise VerifyException(f"expected indices and a part of type {expected}")
        if self.results[0].type != composite:
            raise VerifyException(f"expected a result of type {composite}")


class VectorShuffleOp(SpirvOp):
    """`spirv.VectorShuffle [1 : i32, 2 : i32] %a, %b : vector<…>, vector<…> -> vector<2xf32>`.

    Each component is an element of the two vectors side by side; -1 is any value.
    """

    name = "spirv.VectorShuffle"
    traits = PURE

    @classmethod
    def pick(cls, first: SSAValue, second: SSAValue, components: Sequence[int]) -> Self:
        """The elements of these numbers."""
        kind = VectorType(scalar_of(first.type), [len(components)])
        return cls.of([first, second], [kind], components=_array(components))

    @property
    def components(self) -> tuple[int, ...]:
        """The elements that are picked."""
        return self.integers("components")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        _print_indices(printer, self.components)
        printer.print_string(" ")
        print_operands(printer, self.operands)
        self.print_attributes(printer, but=("components",))
        printer.print_string(" : ")
        print_types(printer, self.operand_types)
        printer.print_string(" -> ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        components = _parse_indices(parser)
        start = parser.pos
        operands = parse_operands(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        parser.parse_punctuation("->")
        result = parser.parse_type()
        values = parser.resolve_operands(operands, types, start)
        op = cls.of(values, [result], components=_array(components))
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        super().verify_()
        first, second = self.operand_types
        result = self.results[0].type
        for kind in (first, second, result):
            if not is_vector(kind) or scalar_of(kind) != scalar_of(first):
                raise VerifyException(f"expected vectors of {scalar_of(first)}, got {kind}")
        if len(self.components) != length_of(result):
            raise VerifyException(f"expected {length_of(result)} components")
        total = length_of(first) + length_of(second)
        for component in self.components:
            if not -1 <= component < total:
                raise VerifyException(f"component {component} is out of range")


OPERATIONS: tuple[type[Operation], ...] = (
    *(CompositeConstructOp, CompositeExtractOp, CompositeInsertOp, VectorShuffleOp),
)
