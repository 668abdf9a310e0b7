"""Text of ops that are rows of a table: a row's *format* says what stands behind the op's name.

    $0 $* $2*        operand 0; all operands; those from 2 on, with commas
    T0 T* T2* R F    types: of operand 0; of all; from 2 on; of the results; `(T…) -> R`
    ($*)             all operands in parentheses, or `()`
    #size @kind      a property: an integer; a keyword
    @@code           one that is a string
    <name> 'name'    one that is an enumeration: <Device>; "Device"
    {}               the attribute dictionary, with every property not shown
    (? … ?)          left out where the first operand or property in it is not there
    anything else    itself

So `$0 [ $1 ] {} : T0` is `%a[%b] {x} : f32`. What the text does not show follows from the row, as
the dialect's `from_text` knows. `row_parsing.py` reads the text; only files of IR need it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Self

from xdsl.ir import Attribute, Operation, SSAValue

from .lists import print_operands, print_types

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
        return tuple(name_of(token) for token in tokens_of(cls) if is_property(token))

    def print(self, printer: Printer) -> None:
        before = ""
        for token in self._present(tokens_of(type(self))):
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
        from .row_parsing import parse_op

        return parse_op(cls, parser)


@cache
def tokens_of(cls: type[FormatOp]) -> tuple[str, ...]:
    """The tokens of an op's format."""
    return tuple(cls.format().split())


def is_property(token: str) -> bool:
    """Whether a token of a format is a property."""
    return token[0] in "#@<'" and len(name_of(token)) > 0


def name_of(token: str) -> str:
    """The name of the property that a token is."""
    return token.strip("#@<>'")


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
