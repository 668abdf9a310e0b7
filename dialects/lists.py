"""Operands and types in the text of ops that are not declared by a format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr
from xdsl.ir import Attribute, Operation, SSAValue
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
