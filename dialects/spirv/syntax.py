"""Parsing of spirv ops by the formats of their rows; only files of IR need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from xdsl.dialects.builtin import IntegerAttr, i32
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from .attributes import PROPERTY_KINDS
from .base import RowOp, format_of, is_property, is_types, properties_of

if TYPE_CHECKING:
    from xdsl.parser import Parser, UnresolvedOperand

OpT = TypeVar("OpT", bound=RowOp)
T = TypeVar("T")


def parse_op(cls: type[OpT], parser: Parser) -> OpT:
    """Parse what follows the name of the op."""
    return _Reading(cls, parser).run(cls)


def parse_enum(parser: Parser, name: str) -> Attribute:
    """A property that is an enumeration in quotes: `"Acquire|Release"`."""
    kind = PROPERTY_KINDS[name]
    start = parser.pos
    return kind(kind.checked(parser.parse_str_literal(), parser, start))


class _Reading:
    """One op on its way in."""

    def __init__(self, cls: type[RowOp], parser: Parser) -> None:
        self.cls = cls
        self.parser = parser
        self.operands: list[UnresolvedOperand] = []
        self.types: dict[int, Attribute] = {}
        self.result: Attribute | None = None
        self.shown: dict[str, Attribute] = {}
        self.given: dict[str, Attribute] = {}

    def run(self, cls: type[OpT]) -> OpT:
        """The whole op."""
        start = self.parser.pos
        tokens = list(format_of(cls))
        while tokens:
            token = tokens.pop(0)
            if token == "(?":
                end = tokens.index("?)")
                if self.starts(tokens[0]):
                    del tokens[end], tokens[0]
                else:
                    del tokens[: end + 1]
                continue
            self.token(token)
        try:
            kinds, results = cls.signature().infer(self.types, self.result, len(self.operands))
        except VerifyException as error:
            self.parser.raise_error(str(error), start)
        inherent = {n: v for n, v in self.given.items() if n in properties_of(cls)}
        return cls.create(
            operands=self.parser.resolve_operands(self.operands, kinds, start),
            result_types=results,
            properties=inherent | self.shown,
            attributes={n: v for n, v in self.given.items() if n not in inherent},
        )

    def starts(self, token: str) -> bool:
        """Whether an optional group is there; takes its first token if so."""
        parser = self.parser
        if token[0] in ",:[](":
            found = parser.parse_optional_punctuation(token)  # pyright: ignore[reportArgumentType]
        else:
            found = parser.parse_optional_keyword(token)
        return found is not None

    def token(self, token: str) -> None:
        """One token of the format."""
        if is_property(token):
            self.property(token)
        elif token == "{}":
            self.given |= self.parser.parse_optional_attr_dict()
        elif token[0] == "$" or token in "RF" or is_types(token):
            self.value(token)
        elif token[0].isalpha():
            self.parser.parse_keyword(token)
        else:
            self.parser.parse_punctuation(token)  # pyright: ignore[reportArgumentType]

    def property(self, token: str) -> None:
        """An enumeration or a number."""
        parser, name = self.parser, token.strip("<>'#")
        if token[0] == "#":
            self.shown[name] = IntegerAttr(parser.parse_integer(), i32)
        elif token[0] == "'":
            self.shown[name] = parse_enum(parser, name)
        else:
            kind = PROPERTY_KINDS[name]
            self.shown[name] = kind(kind.parse_parameter(parser))

    def value(self, token: str) -> None:
        """Operands or types."""
        parser, rest = self.parser, token[1:]
        if token[0] == "$":
            self.operands += self.list_of(rest, parser.parse_unresolved_operand)
        elif is_types(token):
            first = int(rest[0]) if rest[0].isdigit() else 0
            self.types.update(enumerate(self.list_of(rest, parser.parse_type), first))
        elif token == "R":
            self.result = parser.parse_type()
        else:
            function = parser.parse_function_type()
            self.types = dict(enumerate(function.inputs))
            outputs = list(function.outputs)
            if len(outputs) != 1:
                parser.raise_error("expected one result")
            self.result = outputs[0]

    def list_of(self, which: str, one: Callable[[], T]) -> list[T]:
        """One item, or as many as there are with commas between."""
        if which.endswith("*"):
            return self.parser.parse_comma_separated_list(self.parser.Delimiter.NONE, one)
        return [one()]
