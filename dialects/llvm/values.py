"""Constants, globals and aggregates of the llvm dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
    VectorType,
    i32,
)
from xdsl.ir import Attribute, Operation, OpTraits, Region, SSAValue
from xdsl.traits import Pure, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands
from .attributes import LINKAGES, LinkageAttr
from .base import PURE, LLVMOp, number, numbers
from .types import UNNAMED_ADDR, VISIBILITIES, ArrayType, StructType, element_type

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

_TYPED_BY_VALUE = (IntegerAttr, FloatAttr, DenseIntOrFPElementsAttr)


class _TypedOp(LLVMOp):
    """Form `{…} : T` without operands."""

    traits = PURE
    operand_count = 0
    result_count = 1

    def print(self, printer: Printer) -> None:
        self.print_attributes(printer)
        printer.print_string(" : ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        return cls.create(
            result_types=[parser.parse_type()], properties=properties, attributes=attributes
        )


class UndefOp(_TypedOp):
    """Any value, possibly another at each use."""

    name = "llvm.mlir.undef"


class PoisonOp(_TypedOp):
    """No value: what depends on it is undefined."""

    name = "llvm.mlir.poison"


class ZeroOp(_TypedOp):
    """The value with all bits zero: 0, null, or an aggregate of them."""

    name = "llvm.mlir.zero"


class ConstantOp(LLVMOp):
    """`(42 : i32) : i32`: a number, a vector of them (`dense`), or a string of bytes."""

    name = "llvm.mlir.constant"
    traits = OpTraits(lambda: (Pure(),))
    operand_count = 0
    result_count = 1

    def print(self, printer: Printer) -> None:
        with printer.in_parens():
            printer.print_attribute(self.properties["value"])
        self.print_attributes(printer, but=("value",))
        printer.print_string(" : ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        with parser.in_parens():
            value = parser.parse_attribute()
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        return cls.create(
            result_types=[parser.parse_type()],
            properties={"value": value} | properties,
            attributes=attributes,
        )


class GlobalOp(LLVMOp):
    """`internal constant @name(value) {addr_space = 3 : i32, alignment = 16 : i64} : T`.

    A variable or constant of the module; its start value is `value`, or what its region returns,
    or nothing (an external one is then defined elsewhere).
    """

    name = "llvm.mlir.global"
    traits = OpTraits(lambda: (SymbolOpInterface(),))
    operand_count = 0
    result_count = 0
    inherent = frozenset(("addr_space", "alignment", "section", "dso_local", "thread_local_"))
    _shown = (
        *("linkage", "visibility_", "unnamed_addr", "constant", "sym_name", "value"),
        "global_type",
    )

    @classmethod
    def define(
        cls,
        name: str,
        kind: Attribute,
        value: Attribute | None = None,
        *,
        linkage: str = "internal",
        constant: bool = False,
        space: int = 0,
        alignment: int = 0,
    ) -> Self:
        """A global without an initialising region."""
        properties: dict[str, Attribute] = {
            "sym_name": StringAttr(name),
            "global_type": kind,
            "linkage": LinkageAttr(linkage),
            "addr_space": IntegerAttr(space, i32),
        }
        if value is not None:
            properties["value"] = value
        if constant:
            properties["constant"] = UnitAttr()
        if alignment:
            properties["alignment"] = number(alignment)
        return cls.create(properties=properties, regions=[Region()])

    def print(self, printer: Printer) -> None:
        linkage = self.properties["linkage"]
        assert isinstance(linkage, LinkageAttr), "a global has a linkage"
        words = [linkage.data]
        if visibility := self.int_property("visibility_"):
            words.append(VISIBILITIES[visibility])
        if unnamed := self.int_property("unnamed_addr"):
            words.append(UNNAMED_ADDR[unnamed])
        if self.flag("constant"):
            words.append("constant")
        printer.print_string(f" {' '.join(words)} ")
        printer.print_symbol_name(self.text_property("sym_name"))
        value = self.properties.get("value")
        with printer.in_parens():
            if value is not None:
                printer.print_attribute(value)
        self.print_attributes(printer, but=self._shown)
        if not isinstance(value, StringAttr):
            printer.print_string(" : ")
            printer.print_attribute(self.properties["global_type"])
        if self.regions and self.regions[0].blocks:
            printer.print_string(" ")
            printer.print_region(self.regions[0])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        shown = parse_symbol_words(parser)
        if parser.parse_optional_keyword("constant") is not None:
            shown["constant"] = UnitAttr()
        shown["sym_name"] = parser.parse_symbol_name()
        value: Attribute | None = None
        with parser.in_parens():
            value = parser.parse_optional_attribute()
        if value is not None:
            shown["value"] = value
        properties, attributes = cls.parse_attributes(parser)
        if parser.parse_optional_punctuation(":") is not None:
            shown["global_type"] = parser.parse_type()
        elif isinstance(value, StringAttr):
            from xdsl.dialects.builtin import i8

            shown["global_type"] = ArrayType(len(value.data.encode()), i8)
        else:
            parser.raise_error("expected ':' and the type of the global")
        properties.setdefault("addr_space", IntegerAttr(0, i32))
        region = parser.parse_optional_region() or Region()
        return cls.create(properties=properties | shown, attributes=attributes, regions=[region])


def parse_symbol_words(parser: Parser) -> dict[str, Attribute]:
    """Linkage, visibility and address significance in front of a global's or function's name."""
    linkage = parser.parse_optional_keyword_in(LINKAGES) or "external"
    shown: dict[str, Attribute] = {"linkage": LinkageAttr(linkage)}
    if (visibility := parser.parse_optional_keyword_in(VISIBILITIES)) is not None:
        shown["visibility_"] = number(VISIBILITIES.index(visibility))
    if (unnamed := parser.parse_optional_keyword_in(UNNAMED_ADDR[1:])) is not None:
        shown["unnamed_addr"] = number(UNNAMED_ADDR.index(unnamed))
    return shown


class AddressOfOp(LLVMOp):
    """`@name : !llvm.ptr<N>`: the address of a global or a function."""

    name = "llvm.mlir.addressof"
    traits = PURE
    operand_count = 0
    result_count = 1

    @property
    def symbol(self) -> str:
        """The name of what is addressed."""
        value = self.properties["global_name"]
        assert isinstance(value, SymbolRefAttr), "an address is of a symbol"
        return value.root_reference.data

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.symbol)
        self.print_attributes(printer, but=("global_name",))
        printer.print_string(" : ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        symbol = SymbolRefAttr(parser.parse_symbol_name())
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        return cls.create(
            result_types=[parser.parse_type()],
            properties={"global_name": symbol} | properties,
            attributes=attributes,
        )


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
    *(UndefOp, PoisonOp, ZeroOp, ConstantOp, GlobalOp, AddressOfOp, ExtractValueOp, InsertValueOp),
    *(ExtractElementOp, InsertElementOp, ShuffleVectorOp),
]
