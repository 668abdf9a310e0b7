"""Operands, types and successors in the text of ops that are not declared by a format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

if TYPE_CHECKING:
    from xdsl.parser import Parser, UnresolvedOperand
    from xdsl.printer import Printer


def parse_operands(parser: Parser, delimiter: str = "") -> list[UnresolvedOperand]:
    """Operands with commas, bare or in the delimiters `()` or `[]`."""
    kinds = parser.Delimiter
    chosen = {"": kinds.NONE, "()": kinds.PAREN, "[]": kinds.SQUARE}[delimiter]
    return parser.parse_comma_separated_list(chosen, parser.parse_unresolved_operand)


def print_operands(printer: Printer, values: Sequence[SSAValue]) -> None:
    """Operands with commas."""
    printer.print_list(values, printer.print_operand)


def print_types(printer: Printer, types: Iterable[Attribute]) -> None:
    """Types with commas."""
    printer.print_list(list(types), printer.print_attribute)


def print_successor(printer: Printer, block: Block, values: Sequence[SSAValue]) -> None:
    """The block that a branch goes to, with what it gives it: `^b1(%a, %b : i32, f32)`."""
    printer.print_block_name(block)
    if values:
        with printer.in_parens():
            print_operands(printer, values)
            printer.print_string(" : ")
            print_types(printer, [value.type for value in values])


def parse_successor(parser: Parser) -> tuple[Block, Sequence[SSAValue]]:
    """The block that a branch goes to, and what it gives it."""
    start = parser.pos
    block = parser.parse_successor()
    if parser.parse_optional_punctuation("(") is None:
        return block, ()
    operands = parse_operands(parser)
    parser.parse_punctuation(":")
    types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    parser.parse_punctuation(")")
    return block, parser.resolve_operands(operands, types, start)


def print_typed_operands(
    printer: Printer, op: Operation, print_attributes: Callable[[Printer], None]
) -> None:
    """What a terminator gives, with types behind the attributes: ` %a {…} : i32`, or nothing."""
    if op.operands:
        printer.print_string(" ")
        print_operands(printer, op.operands)
    print_attributes(printer)
    if op.operands:
        printer.print_string(" : ")
        print_types(printer, op.operand_types)


def dictionaries(found: Attribute | None, count: int) -> list[Mapping[str, Attribute]]:
    """The attributes of each parameter or result of a function, from the array that lists them."""
    if not isinstance(found, ArrayAttr):
        return [{} for _ in range(count)]
    entries = cast("ArrayAttr[Attribute]", found).data
    return [entry.data if isinstance(entry, DictionaryAttr) else {} for entry in entries]


def expect_one_of(what: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a word that is not among those that are allowed, by a VerifyException."""
    if value not in allowed:
        raise VerifyException(f"{what} is {value!r}, expected one of {', '.join(allowed)}")
