"""Parsing of ops by the formats of their rows: see `row_tokens.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from xdsl.ir import Attribute

from .row_tokens import is_property, is_types, name_of, tokens_of

if TYPE_CHECKING:
    from xdsl.parser import Parser, UnresolvedOperand

    from .row_format import FormatOp

OpT = TypeVar("OpT", bound="FormatOp")
T = TypeVar("T")


def parse_op(cls: type[OpT], parser: Parser) -> OpT:
    """Parse what follows the name of the op."""
    start, reading = parser.pos, Reading(cls, parser)
    reading.run()
    return cls.from_text(reading, start)


class Reading:
    """What was read of one op."""

    def __init__(self, cls: type[FormatOp], parser: Parser) -> None:
        self.cls = cls
        self.parser = parser
        self.operands: list[UnresolvedOperand] = []
        self.types: dict[int, Attribute] = {}
        """Those of operands that the text shows, by their number."""
        self.results: list[Attribute] | None = None
        self.shown: dict[str, Attribute] = {}
        """Properties that have a place of their own."""
        self.given: dict[str, Attribute] = {}
        """The attribute dictionary."""

    def run(self) -> None:
        """Read by the format."""
        tokens = list(tokens_of(self.cls.format()))
        while tokens:
            token = tokens.pop(0)
            if token == "(?":
                end = tokens.index("?)")
                if self._starts(tokens[0]):
                    del tokens[end], tokens[0]
                else:
                    del tokens[: end + 1]
                continue
            self._token(token)

    def _starts(self, token: str) -> bool:
        """Whether an optional group is there; takes its first token if so."""
        parser = self.parser
        if token[0].isalpha():
            return parser.parse_optional_keyword(token) is not None
        found = parser.parse_optional_punctuation(token)  # pyright: ignore[reportArgumentType]
        return found is not None

    def _token(self, token: str) -> None:
        if is_property(token):
            self.shown[name_of(token)] = self.cls.parse_property(self.parser, token)
        elif token == "{}":
            self.given |= self.parser.parse_optional_attr_dict()
        elif token[0] == "$" or token in ("R", "F", "($*)") or is_types(token):
            self._value(token)
        elif token[0].isalpha():
            self.parser.parse_keyword(token)
        else:
            self.parser.parse_punctuation(token)  # pyright: ignore[reportArgumentType]

    def _value(self, token: str) -> None:
        """Operands or types."""
        parser, which = self.parser, token[1:]
        if token == "($*)":
            self.operands += parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, parser.parse_unresolved_operand
            )
        elif token[0] == "$":
            self.operands += self._list(which, parser.parse_unresolved_operand)
        elif is_types(token):
            first = int(which[0]) if which[0].isdigit() else 0
            self.types.update(enumerate(self._list(which, parser.parse_type), first))
        elif token == "R":
            self.results = [parser.parse_type()]
        else:
            function = parser.parse_function_type()
            self.types, self.results = dict(enumerate(function.inputs)), list(function.outputs)

    def _list(self, which: str, one: Callable[[], T]) -> list[T]:
        """One item, or as many as there are with commas between."""
        if which.endswith("*"):
            return self.parser.parse_comma_separated_list(self.parser.Delimiter.NONE, one)
        return [one()]
