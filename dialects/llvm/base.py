"""What the ops of the llvm dialect share: how they are declared, parsed, printed and verified.

An op is a class with a name and a *form*, the shape of its text; the forms are a few classes
here, written by hand, since a hundred declarative formats would take 30 ms at every start.
Operands are plain lists, properties have upstream's names, so that generic text round-trips too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Self

from xdsl.dialects.builtin import (
    DenseArrayBase,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    VectorType,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands
from ..traits import NO_TRAITS, PURE
from .attributes import FAST_MATH_FLAGS, FastMathAttr, OverflowAttr
from .types import is_llvm_type

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

_HIDDEN_DEFAULTS = {
    "fastmathFlags": FastMathAttr(()),
    "overflowFlags": OverflowAttr(()),
}


class LLVMOp(Operation):
    """An op of the llvm dialect. Build it with `create`: there are no other constructors."""

    traits = NO_TRAITS
    inherent: ClassVar[frozenset[str]] = frozenset()
    """Names in the attribute dictionary of the text that are properties of the op."""

    operand_count: ClassVar[int | None] = None
    result_count: ClassVar[int | None] = None

    def verify_(self) -> None:
        """Counts, and that only types of LLVM occur."""
        for what, expected, found in (
            ("operands", self.operand_count, len(self.operands)),
            ("results", self.result_count, len(self.results)),
        ):
            if expected is not None and expected != found:
                raise VerifyException(f"expected {expected} {what}, got {found}")
        for value in (*self.operands, *self.results):
            if not is_llvm_type(value.type):
                raise VerifyException(f"expected a type of the llvm dialect, got {value.type}")

    def int_property(self, name: str, default: int = 0) -> int:
        """The value of an integer property, or the default where it is absent."""
        value = self.properties.get(name)
        if value is None:  # asking for its class is slow
            return default
        return value.value.data if isinstance(value, IntegerAttr) else default

    def text_property(self, name: str) -> str:
        """The text of a string property, or the empty string where it is absent."""
        value = self.properties.get(name)
        return value.data if isinstance(value, StringAttr) else ""

    def flag(self, name: str) -> bool:
        """Whether a unit property is there."""
        return name in self.properties and isinstance(self.properties[name], UnitAttr)

    def array_property(self, name: str) -> tuple[int, ...]:
        """The numbers of a dense array property, or none where it is absent."""
        value = self.properties.get(name)
        return tuple(map(int, value.get_values())) if isinstance(value, DenseArrayBase) else ()

    def print_attributes(self, printer: Printer, *, but: Iterable[str] = ()) -> None:
        """The attribute dictionary: properties that the syntax does not show, and attributes."""
        shown = {
            name: value
            for name, value in self.properties.items()
            if name not in but and value != _HIDDEN_DEFAULTS.get(name)
        }
        merged = shown | self.attributes
        printer.print_op_attributes({name: merged[name] for name in sorted(merged)})

    @classmethod
    def parse_attributes(cls, parser: Parser) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
        """An attribute dictionary as (properties, attributes)."""
        found = parser.parse_optional_attr_dict()
        properties = {name: value for name, value in found.items() if name in cls.inherent}
        return properties, {name: value for name, value in found.items() if name not in properties}


# Few different ones are made, over and over: attributes are values, so they can be shared.
UNIT = UnitAttr()


@lru_cache(maxsize=1024)
def number(value: int) -> IntegerAttr:
    """An `i64` attribute, as upstream keeps enumerations and alignments."""
    return IntegerAttr(value, i64)


def numbers(values: Sequence[int], width: int = 32) -> DenseArrayBase:
    """An `array<i32: …>` (or i64) attribute."""
    return _numbers(tuple(values), width)


@lru_cache(maxsize=1024)
def _numbers(values: tuple[int, ...], width: int) -> DenseArrayBase:
    if width == 64:
        return DenseArrayBase.from_list(i64, values)
    return DenseArrayBase.from_list(i32, values)


def parse_function_types(parser: Parser) -> tuple[Sequence[Attribute], Sequence[Attribute]]:
    """`: (T, …) -> U` with U possibly `()`."""
    parser.parse_punctuation(":")
    kind = parser.parse_function_type()
    return kind.inputs.data, kind.outputs.data


def print_function_types(printer: Printer, op: Operation) -> None:
    """The inverse of `parse_function_types`."""
    printer.print_string(" : ")
    printer.print_operation_type(op)


class SameTypeOp(LLVMOp):
    """Form `%a, %b overflow<nsw> {…} : T`: all operands and the result have one type."""

    traits = PURE
    result_count = 1
    inherent = frozenset(("fastmathFlags", "overflowFlags"))
    has_overflow: ClassVar[bool] = False

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_operands(printer, self.operands)
        overflow = self.properties.get("overflowFlags")
        if isinstance(overflow, OverflowAttr) and overflow.data:
            printer.print_string(" overflow")
            overflow.print_parameter(printer)
        self.print_attributes(printer, but=("overflowFlags",))
        printer.print_string(" : ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser)
        shown: dict[str, Attribute] = {}
        if cls.has_overflow and parser.parse_optional_keyword("overflow") is not None:
            shown["overflowFlags"] = OverflowAttr(OverflowAttr.parse_parameter(parser))
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        return cls.create(
            operands=parser.resolve_operands(operands, [kind] * len(operands), start),
            result_types=[kind],
            properties=shown | properties,
            attributes=attributes,
        )

    def verify_(self) -> None:
        super().verify_()
        expected = self.results[0].type
        for operand in self.operands:
            if operand.type != expected:
                raise VerifyException(f"expected operands of type {expected}, got {operand.type}")


class CastOp(LLVMOp):
    """Form `%a {…} : T to U`."""

    traits = PURE
    operand_count = 1
    result_count = 1
    inherent = frozenset(("fastmathFlags", "nonNeg"))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        self.print_attributes(printer)
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)
        printer.print_string(" to ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_unresolved_operand()
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        source = parser.parse_type()
        parser.parse_keyword("to")
        return cls.create(
            operands=[parser.resolve_operand(operand, source)],
            result_types=[parser.parse_type()],
            properties=properties,
            attributes=attributes,
        )


class CompareOp(LLVMOp):
    """Form `"slt" %a, %b {…} : T`; the result is i1, or a vector of it."""

    traits = PURE
    operand_count = 2
    result_count = 1
    inherent = frozenset(("fastmathFlags",))
    predicates: ClassVar[tuple[str, ...]] = ()

    @property
    def predicate(self) -> str:
        """The comparison by its name."""
        return self.predicates[self.int_property("predicate")]

    def print(self, printer: Printer) -> None:
        printer.print_string(f' "{self.predicate}" ')
        print_operands(printer, self.operands)
        self.print_attributes(printer, but=("predicate",))
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        name = parser.parse_str_literal()
        if name not in cls.predicates:
            parser.raise_error(f"expected one of {', '.join(cls.predicates)}, got {name}", start)
        operands = parse_operands(parser)
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        return cls.create(
            operands=parser.resolve_operands(operands, [kind] * len(operands), start),
            result_types=[mask_type(kind)],
            properties={"predicate": number(cls.predicates.index(name))} | properties,
            attributes=attributes,
        )


def mask_type(compared: Attribute) -> Attribute:
    """The type of a comparison of such values: i1, or a vector of i1 of the same length."""
    if isinstance(compared, VectorType):
        return VectorType(i1, compared.get_shape())
    return i1


class FunctionFormOp(LLVMOp):
    """Form `(%a, %b) {…} : (T, U) -> V`."""

    inherent = frozenset(("fastmathFlags",))

    def print(self, printer: Printer) -> None:
        with printer.in_parens():
            print_operands(printer, self.operands)
        self.print_attributes(printer)
        print_function_types(printer, self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser, "()")
        properties, attributes = cls.parse_attributes(parser)
        inputs, outputs = parse_function_types(parser)
        return cls.create(
            operands=parser.resolve_operands(operands, inputs, start),
            result_types=outputs,
            properties=properties,
            attributes=attributes,
        )


def fast_math(op: Operation) -> tuple[str, ...]:
    """The fast-math flags of an op, in the order of `FAST_MATH_FLAGS`."""
    flags = op.properties.get("fastmathFlags")
    if flags is None or not isinstance(flags, FastMathAttr):  # asking None for its class is slow
        return ()
    return ("fast",) if flags.data == FAST_MATH_FLAGS else flags.data
