"""Constants and globals of the llvm dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import (
    IntegerAttr,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
    i32,
)
from xdsl.ir import Attribute, Operation, Region

from ..traits import PURE, SYMBOL
from .attributes import LINKAGES, LinkageAttr
from .base import LLVMOp, number
from .types import UNNAMED_ADDR, VISIBILITIES, ArrayType

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


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
    traits = PURE
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
    traits = SYMBOL
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


OPERATIONS: list[type[Operation]] = [
    *(UndefOp, PoisonOp, ZeroOp, ConstantOp, GlobalOp, AddressOfOp),
]
