"""What the ops of the spirv dialect share: how they are declared, built, printed and verified.

An op that is one instruction is a row of a table and nothing else; its class is made from the row.
A row has two small languages. Its *format* is the text after the name:

    $0 $* $1*        operand 0; all operands; those from 1 on, with commas
    T0 T* T1* R F    types: of operand 0; of all; from 1 on; of the result; `(T…) -> R`
    <name> 'name'    a property that is an enumeration: <Device>, "Device"
    #name            a property that is an integer
    {}               the attribute dictionary, with every property not shown
    (? … ?)          left out where the first operand or property in it is not there
    anything else    itself

Its *types* say what the operands are, then `->` and what the result is:

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

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self, cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, SymbolRefAttr, UnitAttr
from xdsl.ir import Attribute, Operation, OpTraits, SSAValue
from xdsl.traits import IsTerminator, NoMemoryEffect, Pure
from xdsl.utils.exceptions import VerifyException

from ..lists import print_operands, print_types
from .attributes import EnumAttr, as_attribute
from .signature import Signature, signature
from .types import is_spirv_type

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

NO_TRAITS = OpTraits(lambda: ())
PURE = OpTraits(lambda: (Pure(),))
READ_NOTHING = OpTraits(lambda: (NoMemoryEffect(),))
TERMINATOR = OpTraits(lambda: (IsTerminator(),))


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


class RowOp(SpirvOp):
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
    def shown(cls) -> tuple[str, ...]:
        """The properties that the text shows."""
        return tuple(token.strip("<>'#") for token in format_of(cls) if is_property(token))

    def print(self, printer: Printer) -> None:
        space = " "
        for token in self._present(format_of(type(self))):
            if token == "{}":
                self.print_attributes(printer, but=self.shown())
                continue
            printer.print_string("" if token in ",[](" or token == ")" else space)
            space = "" if token in "[(" else " "
            self._print_token(printer, token)

    def _present(self, tokens: Sequence[str]) -> Iterator[str]:
        """The tokens without the optional groups that are not there."""
        group: list[str] | None = None
        for token in tokens:
            if token == "(?":
                group = []
            elif token == "?)" and group is not None:
                yield from group if self._has(group) else ()
                group = None
            elif group is not None:
                group.append(token)
            else:
                yield token

    def _has(self, group: Sequence[str]) -> bool:
        for token in group:
            if token[0] in "$T" and token[1:2].isdigit():
                return len(self.operands) > int(token[1])
            if is_property(token):
                return token.strip("<>'#") in self.properties
        return True

    def _print_token(self, printer: Printer, token: str) -> None:
        kind, rest = token[0], token[1:]
        if kind == "$":
            print_operands(printer, select(self.operands, rest))
        elif is_types(token):
            print_types(printer, [value.type for value in select(self.operands, rest)])
        elif token == "R":
            print_types(printer, self.result_types)
        elif token == "F":
            printer.print_operation_type(self)
        elif kind == "<" and is_property(token):
            printer.print_string(f"<{self.enum(rest[:-1])}>")
        elif kind == "'":
            printer.print_string_literal(self.enum(rest[:-1]))
        elif kind == "#" and rest:
            printer.print_string(str(self.integer(rest)))
        else:
            printer.print_string(token)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        from .syntax import parse_op

        return parse_op(cls, parser)

    def verify_(self) -> None:
        super().verify_()
        operands = [value.type for value in self.operands]
        reason = self.signature().check(operands, list(self.result_types))
        if reason is not None:
            raise VerifyException(reason)
        for name in properties_of(type(self)):
            if name not in self.properties and name not in self.row.optional:
                raise VerifyException(f"expected a property {name!r}")


def is_property(token: str) -> bool:
    """Whether a token of a format is a property."""
    return len(token) > 2 and token[0] in "<'#" and token[1].isalpha()


def is_types(token: str) -> bool:
    """Whether a token of a format is types of operands."""
    return token[0] == "T" and (token[1:2].isdigit() or token == "T*")


def select(values: Sequence[SSAValue], which: str) -> Sequence[SSAValue]:
    """`*` all, `2*` from 2 on, `2` that one."""
    if which == "*":
        return values
    if which.endswith("*"):
        return values[int(which[:-1]) :]
    return values[int(which) : int(which) + 1]


@cache
def format_of(cls: type[RowOp]) -> tuple[str, ...]:
    """The tokens of an op's format."""
    return tuple(cls.row.format.split())


@cache
def properties_of(cls: type[RowOp]) -> tuple[str, ...]:
    """The properties that an op's instruction takes."""
    return tuple(token[1:] for token in cls.row.words.split() if token[0] in "@=#")
