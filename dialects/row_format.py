"""Ops that are rows of a table: printed and parsed by the format of the row (`row_tokens.py`)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

from xdsl.ir import Attribute, Operation

from .lists import print_operands, print_types
from .row_tokens import is_property, is_types, name_of, select, tokens_of

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

    from .row_parsing import Reading


class FormatOp(Operation):
    """An op that is printed and parsed by a format."""

    @classmethod
    @abstractmethod
    def format(cls) -> str:
        """The format of this class of ops."""

    @abstractmethod
    def print_property(self, printer: Printer, token: str) -> None:
        """Print the property of a token."""

    @classmethod
    @abstractmethod
    def parse_property(cls, parser: Parser, token: str) -> Attribute:
        """Parse the property of a token."""

    @abstractmethod
    def print_attributes(self, printer: Printer, *, but: Sequence[str] = ()) -> None:
        """The attribute dictionary: properties that the text does not show, and attributes."""

    @classmethod
    @abstractmethod
    def from_text(cls, text: Reading, start: int) -> Self:
        """The op, whose text begins at `start`, of what was read."""

    @classmethod
    def shown(cls) -> tuple[str, ...]:
        """The properties that the text shows."""
        return tuple(name_of(token) for token in tokens_of(cls.format()) if is_property(token))

    def print(self, printer: Printer) -> None:
        before = ""
        for token in self._present(tokens_of(self.format())):
            if token == "{}":
                self.print_attributes(printer, but=self.shown())
                continue
            is_close = before in ("[", "(") or token in (",", "[", "]", ")")
            is_call = token == "(" and before[:1].isalpha()
            printer.print_string("" if is_close or is_call else " ")
            before = token
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
                return name_of(token) in self.properties
        return True

    def _print_token(self, printer: Printer, token: str) -> None:
        if token == "($*)":
            with printer.in_parens():
                print_operands(printer, self.operands)
        elif token[0] == "$":
            print_operands(printer, select(self.operands, token[1:]))
        elif is_types(token):
            print_types(printer, [value.type for value in select(self.operands, token[1:])])
        elif token == "R":
            print_types(printer, self.result_types)
        elif token == "F":
            printer.print_operation_type(self)
        elif is_property(token):
            self.print_property(printer, token)
        else:
            printer.print_string(token)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        from .row_parsing import parse_op  # only files of IR need it

        return parse_op(cls, parser)
