"""What the ops of the spirv dialect share: how they are declared, built, printed and verified.

An op that is one instruction is a row of a table and nothing else; its class is made from the row.
Its text follows a format (`row_tokens.py`). Its *types*, a small language too, say what the
operands are, then `->` and what the result is:

    int float bool value     a class of scalars and vectors (value: all of them)
    int. float. bool.        a class of scalars
    num ptr vector matrix coop any
    int:T                    the class, and its name from here on
    T                        the type named T
    bool~T                   of that class, and as long a vector as T is
    T* T. {T,T}              what T points to; its element; a struct of two
    …?                       an operand that may be absent

Types that the text does not show follow from those that it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self, cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, SymbolRefAttr, UnitAttr, i32
from xdsl.ir import Attribute, Operation, OpTraits, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..row_format import FormatOp
from ..row_tokens import name_of
from ..traits import NO_TRAITS, PURE
from .attributes import PROPERTY_KINDS, EnumAttr, as_attribute, parse_enum
from .signature import Signature, signature
from .type_base import is_spirv_type

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

    from ..row_parsing import Reading


class SpirvOp(Operation):
    """An op of the spirv dialect."""

    traits = NO_TRAITS

    @classmethod
    def of(
        cls,
        operands: Sequence[SSAValue] = (),
        results: Sequence[Attribute] = (),
        **properties: str | int | bool | Attribute | None,
    ) -> Self:
        """An op with these operands and result types.

        Properties may be names of enumerations ("Device"), numbers (`i32`) and flags; None is none.
        """
        return cls.create(
            operands=operands,
            result_types=results,
            properties={
                name: as_attribute(name, value)
                for name, value in properties.items()
                if value is not None
            },
        )

    def enum(self, name: str) -> str:
        """The name that an enumeration property has, "None" where it is absent."""
        value = self.properties.get(name)
        return value.data if isinstance(value, EnumAttr) else "None"

    def integer(self, name: str) -> int | None:
        """The value of an integer property."""
        value = self.properties.get(name)
        return value.value.data if isinstance(value, IntegerAttr) else None

    def symbol(self, name: str) -> str:
        """The symbol that a property names or defines, or the text of a string; "" if absent."""
        value = self.properties.get(name)
        if isinstance(value, SymbolRefAttr):
            return value.root_reference.data
        return value.data if isinstance(value, StringAttr) else ""

    def integers(self, name: str) -> tuple[int, ...]:
        """The numbers of an array property."""
        value = self.properties.get(name)
        items = cast("ArrayAttr[Attribute]", value).data if isinstance(value, ArrayAttr) else ()
        return tuple(item.value.data for item in items if isinstance(item, IntegerAttr))

    def flag(self, name: str) -> bool:
        """Whether a unit attribute or property is there."""
        return isinstance(self.properties.get(name, self.attributes.get(name)), UnitAttr)

    def print_attributes(self, printer: Printer, *, but: Sequence[str] = ()) -> None:
        """The attribute dictionary: properties that the text does not show, and attributes."""
        shown = {name: value for name, value in self.properties.items() if name not in but}
        merged = shown | self.attributes
        printer.print_op_attributes({name: merged[name] for name in sorted(merged)})

    def verify_(self) -> None:
        """Only types of the dialect occur."""
        for value in (*self.operands, *self.results):
            if not is_spirv_type(value.type):
                raise VerifyException(f"expected a type of the spirv dialect, got {value.type}")


class Row(NamedTuple):
    """What is known of one op beyond the facts of its instruction."""

    meaning: str
    format: str
    types: str
    traits: OpTraits = PURE
    words: str = "$*"
    """Operands of the instruction after the result: `$0 $* $1*`, `@name` an enumeration that is an
    id of a constant, `=name` one that is a literal, `#name` an integer that is an id."""
    optional: tuple[str, ...] = ()
    """Properties that may be absent."""
    instruction: str = ""
    """The instruction where it is not called like the op; `GLSL:Sin` is of GLSL.std.450."""
    constants: tuple[int, ...] = ()
    """Operands that must be constants."""


def instruction_of_op(name: str) -> str:
    """The instruction of an op by its name without the dialect's: `EXT.AtomicFAdd`, `GL.Sin`."""
    vendor, dot, rest = name.partition(".")
    if not dot:
        return name
    return f"GLSL:{rest}" if vendor == "GL" else rest + vendor


class RowOp(SpirvOp, FormatOp):
    """An op that is one instruction."""

    row: ClassVar[Row]
    mnemonic: ClassVar[str]

    @classmethod
    def instruction(cls) -> str:
        """The instruction's name without "Op"; `GLSL:Sin` is one of GLSL.std.450."""
        return cls.row.instruction or instruction_of_op(cls.mnemonic)

    @classmethod
    def signature(cls) -> Signature:
        """The types of operands and result."""
        return signature(cls.row.types)

    @classmethod
    def of(
        cls,
        operands: Sequence[SSAValue] = (),
        results: Sequence[Attribute] | None = None,
        **properties: str | int | bool | Attribute | None,
    ) -> Self:
        """An op with these operands; the result's type follows from theirs where it can."""
        if results is None:
            results = cls.signature().infer_results([value.type for value in operands])
        return super().of(operands, results, **properties)

    @classmethod
    def format(cls) -> str:
        return cls.row.format

    def print_property(self, printer: Printer, token: str) -> None:
        name = name_of(token)
        if token[0] == "<":
            printer.print_string(f"<{self.enum(name)}>")
        elif token[0] == "'":
            printer.print_string_literal(self.enum(name))
        else:
            printer.print_string(str(self.integer(name)))

    @classmethod
    def parse_property(cls, parser: Parser, token: str) -> Attribute:
        name = name_of(token)
        if token[0] == "#":
            return IntegerAttr(parser.parse_integer(), i32)
        if token[0] == "'":
            return parse_enum(parser, name)
        kind = PROPERTY_KINDS[name]
        return kind(kind.parse_parameter(parser))

    @classmethod
    def from_text(cls, text: Reading, start: int) -> Self:
        parser, results = text.parser, [None] if text.results is None else text.results
        if len(results) != 1:
            parser.raise_error("expected one result", start)
        try:
            kinds, results = cls.signature().infer(text.types, results[0], len(text.operands))
        except VerifyException as error:
            parser.raise_error(str(error), start)
        inherent = {n: v for n, v in text.given.items() if n in properties_of(cls)}
        return cls.create(
            operands=parser.resolve_operands(text.operands, kinds, start),
            result_types=results,
            properties=inherent | text.shown,
            attributes={n: v for n, v in text.given.items() if n not in inherent},
        )

    def verify_(self) -> None:
        super().verify_()
        operands = [value.type for value in self.operands]
        reason = self.signature().check(operands, list(self.result_types))
        if reason is not None:
            raise VerifyException(reason)
        for name in properties_of(type(self)):
            if name not in self.properties and name not in self.row.optional:
                raise VerifyException(f"expected a property {name!r}")


@cache
def properties_of(cls: type[RowOp]) -> tuple[str, ...]:
    """The properties that an op's instruction takes."""
    return tuple(token[1:] for token in cls.row.words.split() if token[0] in "@=#")
