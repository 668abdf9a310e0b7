"""Parsing of nvvm ops by the formats of their rows; only files of IR need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from xdsl.dialects.builtin import IntegerAttr, StringAttr, i32
from xdsl.ir import Attribute

from .base import NvvmOp, format_of

if TYPE_CHECKING:
    from xdsl.parser import Parser, UnresolvedOperand

OpT = TypeVar("OpT", bound=NvvmOp)


def parse_op(cls: type[OpT], parser: Parser) -> OpT:
    """Parse what follows the name of the op."""
    return _Reading(cls, parser).run(cls)


class _Reading:
    """One op on its way in."""

    def __init__(self, cls: type[NvvmOp], parser: Parser) -> None:
        self.row = cls.row
        self.cls = cls
        self.parser = parser
        self.operands: list[UnresolvedOperand] = []
        self.types: list[Attribute] = []
        self.results: list[Attribute] | None = None
        self.shown: dict[str, Attribute] = {}
        self.given: dict[str, Attribute] = {}

    def run(self, cls: type[OpT]) -> OpT:
        """The whole op."""
        start = self.parser.pos
        tokens = list(format_of(cls))
        while tokens:
            token = tokens.pop(0)
            if token == "[":
                end = tokens.index("]")
                if not self.starts(tokens[0]):
                    del tokens[: end + 1]
                else:
                    tokens.pop(end)
                continue
            self.token(token)
        kinds = self.types or list(self.row.operands or ())[: len(self.operands)]
        results = self.results if self.results is not None else list(self.row.results or ())
        properties = {k: v for k, v in self.given.items() if not k.startswith(("llvm.", "nvvm."))}
        return cls.create(
            operands=self.parser.resolve_operands(self.operands, kinds, start),
            result_types=results,
            properties=properties | self.shown,
            attributes={k: v for k, v in self.given.items() if k not in properties},
        )

    def starts(self, token: str) -> bool:
        """Whether an optional group is there; takes its first token if so."""
        parser = self.parser
        if token[0] in ",:=[](":
            found = parser.parse_optional_punctuation(token)  # pyright: ignore[reportArgumentType]
        else:
            found = parser.parse_optional_keyword(token)
        self.skip = token if found is not None else None
        return found is not None

    skip: str | None = None

    def token(self, token: str) -> None:
        """One token of the format."""
        parser, kind, rest = self.parser, token[0], token[1:]
        if self.skip == token:
            self.skip = None
        elif kind == "$":
            self.operands += self.list_of(rest, parser.parse_unresolved_operand)
        elif kind == "T" and (rest[:1].isdigit() or rest == "*"):
            self.types += self.list_of(rest, parser.parse_type)
        elif token == "R":
            self.results = [parser.parse_type()]
        elif token == "F":
            function = parser.parse_function_type()
            self.types, self.results = list(function.inputs), list(function.outputs)
        elif kind == "#":
            self.shown[rest] = IntegerAttr(parser.parse_integer(), i32)
        elif kind == "@":
            self.shown[rest] = StringAttr(parser.parse_identifier())
        elif token == "{}":
            self.given |= parser.parse_optional_attr_dict()
        else:
            self.literal(token)

    def literal(self, token: str) -> None:
        """Punctuation or a word, possibly with a bracket behind it."""
        word = token.rstrip("[")
        if word and (word[0].isalpha() or word[0] == "_"):
            self.parser.parse_keyword(word)
        elif word:
            self.parser.parse_punctuation(word)  # pyright: ignore[reportArgumentType]
        if token != word:
            self.parser.parse_punctuation("[")

    def list_of(self, which: str, one):  # pyright: ignore
        """One item, or as many as there are with commas between."""
        if which.endswith("*"):
            return self.parser.parse_comma_separated_list(self.parser.Delimiter.NONE, one)
        return [one()]
