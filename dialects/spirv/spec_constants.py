"""Specialisation constants of a spirv.module: set when a pipeline is made.

An expression of them is a `SpecConstantOperation` where it is used, as upstream has it, or a symbol
of its own, `SpecConstantExpression`, which a type can name as its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    BoolAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    SymbolRefAttr,
    i1,
)
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import VerifyException

from ..traits import SYMBOL
from .base import SpirvOp
from .kinds import is_bool, is_float, is_int
from .variables import symbol_names, symbols

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

EXPRESSION_OPCODES = frozenset((
    *("SConvert", "UConvert", "FConvert", "SNegate", "Not", "IAdd", "ISub", "IMul", "UDiv"),
    *("SDiv", "UMod", "SRem", "SMod", "ShiftRightLogical", "ShiftRightArithmetic"),
    *("ShiftLeftLogical", "BitwiseOr", "BitwiseXor", "BitwiseAnd", "LogicalOr", "LogicalAnd"),
    *("LogicalNot", "LogicalEqual", "LogicalNotEqual", "Select", "IEqual", "INotEqual"),
    *("ULessThan", "SLessThan", "UGreaterThan", "SGreaterThan", "ULessThanEqual"),
    *("SLessThanEqual", "UGreaterThanEqual", "SGreaterThanEqual"),
))  # fmt: skip
"""What shaders may compute of specialisation constants, element by element."""


def is_numbers(value: Attribute) -> bool:
    """Whether it is a number, or dense numbers."""
    return isinstance(value, (IntegerAttr, FloatAttr, DenseIntOrFPElementsAttr))


def type_of(value: Attribute) -> Attribute:
    """The type of a number, or of dense numbers."""
    return cast(Any, value).type


def scalar_attribute(value: int | float | bool, kind: Attribute) -> Attribute:
    """A number or boolean of a type of the dialect as an attribute."""
    if isinstance(kind, AnyFloat):
        return FloatAttr(float(value), kind)
    if not isinstance(kind, IntegerType):
        raise TypeError(f"{kind} is no scalar")
    if kind == i1:
        return BoolAttr.from_bool(bool(value))
    return IntegerAttr(int(value), cast("IntegerType[int]", kind), truncate_bits=True)


class SpecConstantOp(SpirvOp):
    """`spirv.SpecConstant @size spec_id(5) = 42 : i32`: set when the pipeline is made."""

    name = "spirv.SpecConstant"
    traits = SYMBOL

    @classmethod
    def define(
        cls, name: str, default: int | float | bool, kind: Attribute, spec_id: int | None = None
    ) -> Self:
        """A constant with its default; without `spec_id` nobody can set it."""
        op = cls.of(sym_name=name, default_value=scalar_attribute(default, kind))
        if spec_id is not None:
            op.attributes["spec_id"] = IntegerAttr(spec_id, 64)
        return op

    @property
    def sym_name(self) -> str:
        """Its name."""
        return self.symbol("sym_name")

    @property
    def spec_id(self) -> int | None:
        """The number that it is set by."""
        found = self.attributes.get("spec_id")
        return found.value.data if isinstance(found, IntegerAttr) else None

    @property
    def default(self) -> Attribute:
        """The value unless it is set."""
        return self.properties["default_value"]

    @property
    def type(self) -> Attribute:
        """Its type."""
        default = self.default
        if not is_numbers(default):
            raise VerifyException(f"expected a default that is a number, got {default}")
        return type_of(default)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name)
        if self.spec_id is not None:
            printer.print_string(f" spec_id({self.spec_id})")
        printer.print_string(" = ")
        printer.print_attribute(self.default)
        printer.print_op_attributes({n: v for n, v in self.attributes.items() if n != "spec_id"})

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name()
        attributes: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("spec_id") is not None:
            with parser.in_parens():
                attributes["spec_id"] = IntegerAttr(parser.parse_integer(), 64)
        parser.parse_punctuation("=")
        default = parser.parse_attribute()
        attributes |= parser.parse_optional_attr_dict()
        return cls.create(
            properties={"sym_name": name, "default_value": default}, attributes=attributes
        )

    def verify_(self) -> None:
        kind = self.type
        if not (is_int(kind) or is_float(kind) or is_bool(kind)):
            raise VerifyException(f"expected a number or a boolean, got {kind}")


class SpecConstantCompositeOp(SpirvOp):
    """`spirv.SpecConstantComposite @v (@a, @b) {built_in = "WorkgroupSize"} : vector<2xi32>`."""

    name = "spirv.SpecConstantComposite"
    traits = SYMBOL

    @classmethod
    def define(cls, name: str, constituents: Sequence[str], kind: Attribute) -> Self:
        """A composite of the constants of these names."""
        return cls.of(sym_name=name, constituents=symbols(constituents), type=kind)

    @property
    def sym_name(self) -> str:
        """Its name."""
        return self.symbol("sym_name")

    @property
    def constituents(self) -> tuple[str, ...]:
        """The names of its parts."""
        return symbol_names(self.properties.get("constituents"))

    @property
    def type(self) -> Attribute:
        """Its type."""
        return self.properties["type"]

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name)
        printer.print_string(" (")
        printer.print_list(self.constituents, printer.print_symbol_name)
        printer.print_string(")")
        self.print_attributes(printer, but=("sym_name", "constituents", "type"))
        printer.print_string(" : ")
        printer.print_attribute(self.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        parts = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_symbol_name)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls.define(name, [part.data for part in parts], parser.parse_type())
        op.attributes |= attributes
        return op


class SpecConstantExpressionOp(SpirvOp):
    """`spirv.SpecConstantExpression @n = "UDiv"(@bytes, 4 : i32) : i32`. Not upstream's.

    An instruction of names and numbers, computed when the pipeline is made.
    """

    name = "spirv.SpecConstantExpression"
    traits = SYMBOL

    @classmethod
    def define(
        cls, name: str, opcode: str, arguments: Sequence[str | Attribute], kind: Attribute
    ) -> Self:
        """An instruction without "Op"; arguments are names of constants, or numbers."""
        items = (SymbolRefAttr(a) if isinstance(a, str) else a for a in arguments)
        return cls.of(sym_name=name, opcode=opcode, arguments=ArrayAttr(items), type=kind)

    @property
    def sym_name(self) -> str:
        """Its name."""
        return self.symbol("sym_name")

    @property
    def opcode(self) -> str:
        """The instruction without "Op"."""
        return self.symbol("opcode")

    @property
    def arguments(self) -> tuple[Attribute, ...]:
        """References to symbols, and numbers."""
        found = self.properties.get("arguments")
        return cast("ArrayAttr[Attribute]", found).data if isinstance(found, ArrayAttr) else ()

    @property
    def type(self) -> Attribute:
        """Its type."""
        return self.properties["type"]

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name)
        printer.print_string(f' = "{self.opcode}"(')
        printer.print_list(self.arguments, printer.print_attribute)
        printer.print_string(")")
        self.print_attributes(printer, but=("sym_name", "opcode", "arguments", "type"))
        printer.print_string(" : ")
        printer.print_attribute(self.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        parser.parse_punctuation("=")
        opcode = parser.parse_str_literal()
        items = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_attribute)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls.define(name, opcode, items, parser.parse_type())
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        if self.opcode not in EXPRESSION_OPCODES:
            known = ", ".join(sorted(EXPRESSION_OPCODES))
            raise VerifyException(f"cannot compute {self.opcode!r}, expected one of {known}")
        for item in self.arguments:
            if not isinstance(item, (SymbolRefAttr, IntegerAttr, FloatAttr)):
                raise VerifyException(f"expected names and numbers, got {item}")


OPERATIONS: tuple[type[Operation], ...] = (
    *(SpecConstantOp, SpecConstantCompositeOp, SpecConstantExpressionOp),
)
