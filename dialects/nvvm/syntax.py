"""Parsing of nvvm ops by the formats of their rows; only files of IR need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from xdsl.dialects.builtin import IntegerAttr, StringAttr, i32
from xdsl.ir import Attribute

from ..lists import print_operands, print_types
from .base import SPECIAL, NvvmOp, format_of
from .wgmma import parse_wgmma, print_wgmma

if TYPE_CHECKING:
    from xdsl.parser import Parser, UnresolvedOperand
    from xdsl.printer import Printer

OpT = TypeVar("OpT", bound=NvvmOp)
T = TypeVar("T")


def parse_op(cls: type[OpT], parser: Parser) -> OpT:
    """Parse what follows the name of the op."""
    tokens = format_of(cls)
    if tokens not in SPECIAL:
        return _Reading(cls, parser).run(cls)
    if tokens == ("mma",):
        return _Reading(cls, parser).mma(cls)
    made = parse_wgmma(cls, parser)
    assert isinstance(made, cls), "the class was given"
    return made


class _Reading:
    """One op on its way in."""

    def __init__(self, cls: type[NvvmOp], parser: Parser) -> None:
        self.row = cls.row
        self.cls = cls
        self.parser = parser
        self.operands: list[UnresolvedOperand] = []
        self.types: dict[int, Attribute] = {}
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
        kinds = [self.type_of(index) for index in range(len(self.operands))]
        results = self.results if self.results is not None else list(self.row.results or ())
        properties = {k: v for k, v in self.given.items() if not k.startswith(("llvm.", "nvvm."))}
        return cls.create(
            operands=self.parser.resolve_operands(self.operands, kinds, start),
            result_types=results,
            properties=properties | self.shown,
            attributes={k: v for k, v in self.given.items() if k not in properties},
        )

    def type_of(self, index: int) -> Attribute:
        """The type of an operand: shown, the row's, or i32."""
        if index in self.types:
            return self.types[index]
        known = self.row.operands or ()
        if index < len(known):
            return known[index]
        hidden, place = self.row.hidden, index - len(self.types)
        return hidden[place] if 0 <= place < len(hidden) else i32

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
        if self.skip == token:
            self.skip = None
        elif token[0] in "#@{" or token == "($*)":
            self.named(token)
        else:
            self.value(token)

    def named(self, token: str) -> None:
        """A property, the attributes, or all operands in parentheses."""
        parser, rest = self.parser, token[1:]
        if token == "($*)":
            self.operands += parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, parser.parse_unresolved_operand
            )
        elif token.startswith("@@"):
            self.shown[token[2:]] = StringAttr(parser.parse_str_literal())
        elif token == "{}":
            self.given |= parser.parse_optional_attr_dict()
        elif token[0] == "#":
            self.shown[rest] = IntegerAttr(parser.parse_integer(), i32)
        else:
            self.shown[rest] = StringAttr(parser.parse_identifier())

    def value(self, token: str) -> None:
        """Operands, types, or the token itself."""
        parser, kind, rest = self.parser, token[0], token[1:]
        if kind == "$":
            self.operands += self.list_of(rest, parser.parse_unresolved_operand)
        elif kind == "T" and (rest[:1].isdigit() or rest == "*"):
            first = int(rest[0]) if rest[:1].isdigit() else 0
            self.types.update(enumerate(self.list_of(rest, parser.parse_type), first))
        elif token == "R":
            self.results = [parser.parse_type()]
        elif token == "F":
            function = parser.parse_function_type()
            self.types, self.results = dict(enumerate(function.inputs)), list(function.outputs)
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

    def mma(self, cls: type[OpT]) -> OpT:
        """`A[…] B[…] C[…] {…} : (TA, TB, TC) -> R`."""
        parser, start = self.parser, self.parser.pos
        groups: list[list[UnresolvedOperand]] = []
        for name in "ABC":
            parser.parse_keyword(name)
            groups.append(
                parser.parse_comma_separated_list(
                    parser.Delimiter.SQUARE, parser.parse_unresolved_operand
                )
            )
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        function = parser.parse_function_type()
        if len(function.inputs) != len(groups):
            parser.raise_error("expected a type for each of A, B and C", start)
        kinds = [kind for kind, group in zip(function.inputs, groups, strict=True) for _ in group]
        operands = [operand for group in groups for operand in group]
        return cls.create(
            operands=parser.resolve_operands(operands, kinds, start),
            result_types=list(function.outputs),
            properties=attributes,
        )

    def list_of(self, which: str, one: Callable[[], T]) -> list[T]:
        """One item, or as many as there are with commas between."""
        if which.endswith("*"):
            return self.parser.parse_comma_separated_list(self.parser.Delimiter.NONE, one)
        return [one()]


def print_special(kind: str, op: NvvmOp, printer: Printer) -> None:
    """An op whose format is one word."""
    {"mma": print_mma, "wgmma": print_wgmma}[kind](op, printer)


def print_mma(op: NvvmOp, printer: Printer) -> None:
    """The inverse of `_Reading.mma`."""
    from .matrix import fragments

    row = fragments(op)
    a, b = (row.a, row.b) if row is not None else (len(op.operands), 0)
    operands = tuple(op.operands)
    groups = {"A": operands[:a], "B": operands[a : a + b], "C": operands[a + b :]}
    for name, values in groups.items():
        printer.print_string(f" {name}[")
        print_operands(printer, values)
        printer.print_string("]")
    op.print_attributes(printer)
    printer.print_string(" : (")
    print_types(printer, [values[0].type for values in groups.values() if values])
    printer.print_string(") -> ")
    print_types(printer, op.result_types)
