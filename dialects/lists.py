"""Lists of operands and types in the text of ops that are not declared by a format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from xdsl.ir import Attribute, SSAValue

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
