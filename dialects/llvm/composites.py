"""Values of several parts in the llvm dialect: members of aggregates, lanes of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import (
    VectorType,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands
from ..traits import PURE
from .base import LLVMOp, numbers
from .types import ArrayType, StructType, element_type

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


def member_type(aggregate: Attribute, position: Sequence[int]) -> Attribute:
    """The type at a position inside nested structs and arrays."""
    for index in position:
        if isinstance(aggregate, ArrayType) and 0 <= index < aggregate.size.data:
            aggregate = aggregate.element
        elif isinstance(aggregate, StructType) and 0 <= index < len(aggregate.fields.data):
            aggregate = aggregate.fields.data[index]
        else:
            raise VerifyException(f"position {list(position)} is not inside {aggregate}")
    return aggregate


class _PositionOp(LLVMOp):
    """What the two ops on members of aggregates share."""

    traits = PURE
    result_count = 1
    inherent = frozenset(("position",))

    @property
    def position(self) -> tuple[int, ...]:
        """The index at each level."""
        return self.array_property("position")

    def _print_rest(self, printer: Printer) -> None:
        with printer.in_square_brackets():
            printer.print_list(self.position, lambda index: printer.print_string(str(index)))
        self.print_attributes(printer, but=("position",))
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)

    @classmethod
    def _parse_rest(
        cls, parser: Parser
    ) -> tuple[list[int], dict[str, Attribute], dict[str, Attribute], Attribute]:
        position = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        shown: dict[str, Attribute] = {"position": numbers(position, 64)}
        return position, properties | shown, attributes, parser.parse_type()


class ExtractValueOp(_PositionOp):
    """`%s[0, 1] : S`: a member of an aggregate."""

    name = "llvm.extractvalue"
    operand_count = 1

    @classmethod
    def at(cls, aggregate: SSAValue, *position: int) -> Self:
        """The member at the position."""
        return cls.create(
            operands=[aggregate],
            result_types=[member_type(aggregate.type, position)],
            properties={"position": numbers(position, 64)},
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        self._print_rest(printer)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_unresolved_operand()
        position, properties, attributes, kind = cls._parse_rest(parser)
        return cls.create(
            operands=[parser.resolve_operand(operand, kind)],
            result_types=[member_type(kind, position)],
            properties=properties,
            attributes=attributes,
        )


class InsertValueOp(_PositionOp):
    """`%v, %s[0] : S`: the aggregate with one member replaced. Operands: aggregate, value."""

    name = "llvm.insertvalue"
    operand_count = 2

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_operands(printer, (self.operands[1], self.operands[0]))
        self._print_rest(printer)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser)
        position, properties, attributes, kind = cls._parse_rest(parser)
        types = [member_type(kind, position), kind]
        value, aggregate = parser.resolve_operands(operands, types, start)
        return cls.create(
            operands=[aggregate, value],
            result_types=[kind],
            properties=properties,
            attributes=attributes,
        )


def _lane_type(vector: Attribute) -> Attribute:
    if not isinstance(vector, VectorType):
        raise VerifyException(f"expected a vector, got {vector}")
    return element_type(vector)


class ExtractElementOp(LLVMOp):
    """`%v[%i : i32] : vector<4xf32>`: one lane of a vector."""

    name = "llvm.extractelement"
    traits = PURE
    operand_count = 2
    result_count = 1

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        _print_lane(printer, self, 1, 0)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        vector = parser.parse_unresolved_operand()
        lane, attributes, kind = _parse_lane(cls, parser)
        return cls.create(
            operands=[parser.resolve_operand(vector, kind), lane],
            result_types=[_lane_type(kind)],
            attributes=attributes,
        )


class InsertElementOp(LLVMOp):
    """`%x, %v[%i : i32] : vector<4xf32>`: the vector with one lane replaced.

    Operands: vector, value, lane.
    """

    name = "llvm.insertelement"
    traits = PURE
    operand_count = 3
    result_count = 1

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_operands(printer, (self.operands[1], self.operands[0]))
        _print_lane(printer, self, 2, 0)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser)
        lane, attributes, kind = _parse_lane(cls, parser)
        value, vector = parser.resolve_operands(operands, [_lane_type(kind), kind], start)
        return cls.create(
            operands=[vector, value, lane], result_types=[kind], attributes=attributes
        )


def _print_lane(printer: Printer, op: LLVMOp, lane: int, vector: int) -> None:
    with printer.in_square_brackets():
        printer.print_operand(op.operands[lane])
        printer.print_string(" : ")
        printer.print_attribute(op.operands[lane].type)
    op.print_attributes(printer)
    printer.print_string(" : ")
    printer.print_attribute(op.operands[vector].type)


def _parse_lane(
    cls: type[LLVMOp], parser: Parser
) -> tuple[SSAValue, dict[str, Attribute], Attribute]:
    with parser.in_square_brackets():
        index = parser.parse_unresolved_operand()
        parser.parse_punctuation(":")
        lane = parser.resolve_operand(index, parser.parse_type())
    _, attributes = cls.parse_attributes(parser)
    parser.parse_punctuation(":")
    return lane, attributes, parser.parse_type()


class ShuffleVectorOp(LLVMOp):
    """`%a, %b [0, 5, -1] : vector<4xf32>`: lanes of two vectors side by side; -1 is any value."""

    name = "llvm.shufflevector"
    traits = PURE
    operand_count = 2
    result_count = 1
    inherent = frozenset(("mask",))

    @property
    def mask(self) -> tuple[int, ...]:
        """For each lane of the result the lane of the two operands that it takes."""
        return self.array_property("mask")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_operands(printer, self.operands)
        printer.print_string(" ")
        with printer.in_square_brackets():
            printer.print_list(self.mask, lambda lane: printer.print_string(str(lane)))
        self.print_attributes(printer, but=("mask",))
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser)
        mask = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        return cls.create(
            operands=parser.resolve_operands(operands, [kind, kind], start),
            result_types=[VectorType(_lane_type(kind), [len(mask)])],
            properties=properties | {"mask": numbers(mask)},
            attributes=attributes,
        )


OPERATIONS: list[type[Operation]] = [
    *(ExtractValueOp, InsertValueOp, ExtractElementOp, InsertElementOp, ShuffleVectorOp),
]
