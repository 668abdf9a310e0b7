"""What the ops of the nvvm dialect share: a row of the table, a format of text, a check.

An op is a row of `TABLE` and nothing else; its class is made from the row. The format is a small
language of our own, read when the first op is parsed or printed:

    $0 $* $2*        operand 0; all operands; those from 2 on, with commas
    T0 T* T2* R F    types: of operand 0; of all; from 2 on; of the results; `(T…) -> R`
    ($*)             all operands in parentheses
    #size @kind      a property: integer, keyword; @@code one that is a string
    {}               the attribute dictionary, with every property not shown
    [ … ]            left out where the first operand or keyword in it is not there
    mma wgmma        the whole form of mma.sync, of wgmma.mma_async
    anything else    itself

Types that the text does not show are those of the row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from xdsl.dialects.builtin import IntegerAttr, StringAttr, i32
from xdsl.ir import Attribute, OpTraits, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..lists import print_operands, print_types
from ..llvm.base import NO_TRAITS, LLVMOp

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class Needs(NamedTuple):
    """The least architecture: sm 90 is `sm_90`; of `variants` one is needed where there are any.

    `variants` are suffixed architectures, such as "90a": what they have, no later one needs to.
    """

    sm: int = 75
    ptx: int = 63
    variants: tuple[str, ...] = ()


class Row(NamedTuple):
    """What is known of one op.

    `target` is the LLVM intrinsic without "llvm.nvvm." (`{kind}` a keyword, `{t0}` a type), or
    inline PTX after "ptx:". `needs` may depend on the op; `check` gives a reason against it.
    """

    meaning: str
    format: str
    target: str | Callable[[LLVMOp], str]
    operands: tuple[Attribute, ...] | None = None
    results: tuple[Attribute, ...] | None = None
    needs: Needs | Callable[[LLVMOp], Needs] = Needs()
    traits: OpTraits = NO_TRAITS
    keywords: tuple[tuple[str, tuple[str, ...]], ...] = ()
    immediates: tuple[str, ...] = ()
    immediate_type: str = "i32"
    # Types of the operands after those that the text shows; then all are i32.
    hidden: tuple[Attribute, ...] = ()
    # Arguments of the intrinsic that stand before the operands, as LLVM text.
    first: Callable[[LLVMOp], str] | None = None
    # The intrinsic's order of the operands, where it is another one.
    order: Callable[[Sequence[str]], Sequence[str]] | None = None
    check: Callable[[LLVMOp], str | None] | None = None


class NvvmOp(LLVMOp):
    """An op of the nvvm dialect."""

    row: ClassVar[Row]

    @property
    def needs(self) -> Needs:
        """The least architecture that has it."""
        needs = self.row.needs
        return needs if isinstance(needs, Needs) else needs(self)

    @property
    def target(self) -> str:
        """The intrinsic, or "ptx:" and the text."""
        target = self.row.target
        return target if isinstance(target, str) else target(self)

    @classmethod
    def of(
        cls,
        operands: Sequence[SSAValue] = (),
        results: Sequence[Attribute] | None = None,
        **properties: str | int | Attribute,
    ) -> Self:
        """An op with these operands; result types are the row's unless given."""
        if results is None:
            results = cls.row.results or ()
        return cls.create(
            operands=operands,
            result_types=results,
            properties={name: as_attribute(value) for name, value in properties.items()},
        )

    def print(self, printer: Printer) -> None:
        tokens = format_of(type(self))
        if tokens in SPECIAL:
            from .syntax import print_special

            print_special(tokens[0], self, printer)
            return
        shown = [token.lstrip("#@") for token in tokens if token[0] in "#@"]
        space = " "
        for token in self._present(tokens):
            if token == "{}":
                self.print_attributes(printer, but=shown)
                continue
            text = "" if token == "," or token in "])" or space == "" else " "
            printer.print_string(text)
            space = "" if token in ("(", "box[", "A[", "B[", "C[") else " "
            self._print_token(printer, token)

    def _present(self, tokens: Sequence[str]) -> Iterator[str]:
        """The tokens without the optional groups that are not there."""
        inside: list[str] | None = None
        for token in tokens:
            if token == "[":
                inside = []
            elif token == "]" and inside is not None:
                yield from inside if self._has(inside) else ()
                inside = None
            elif inside is not None:
                inside.append(token)
            else:
                yield token

    def _has(self, group: Sequence[str]) -> bool:
        for token in group:
            if token[0] in "$T" and token[1:2].isdigit():
                return len(self.operands) > int(token[1])
            if token[0] in "#@":
                return token[1:] in self.properties
        return True

    def _print_token(self, printer: Printer, token: str) -> None:
        kind, rest = token[0], token[1:]
        if token == "($*)":
            with printer.in_parens():
                print_operands(printer, self.operands)
        elif token.startswith("@@"):
            printer.print_string_literal(self.text_property(token[2:]))
        elif kind == "$":
            print_operands(printer, _slice(self.operands, rest))
        elif kind == "T" and (rest[:1].isdigit() or rest == "*"):
            print_types(printer, [value.type for value in _slice(self.operands, rest)])
        elif token == "R":
            print_types(printer, self.result_types)
        elif token == "F":
            printer.print_operation_type(self)
        elif kind == "#":
            printer.print_string(str(self.int_property(rest)))
        elif kind == "@":
            printer.print_string(self.text_property(rest))
        else:
            printer.print_string(token)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        from .syntax import parse_op

        return parse_op(cls, parser)

    def verify_(self) -> None:
        super().verify_()
        row = self.row
        for what, values, kinds in (
            ("operand", self.operands, row.operands),
            ("result", self.results, row.results),
        ):
            if kinds is None:
                continue
            found = tuple(value.type for value in values)
            if found != kinds:
                expected = ", ".join(map(str, kinds)) or "none"
                got = ", ".join(map(str, found)) or "none"
                raise VerifyException(f"expected {what} types {expected}, got {got}")
        for name, words in row.keywords:
            text = self.text_property(name)
            if name in self.properties and text not in words:
                raise VerifyException(f"{name} is {text!r}, expected one of {', '.join(words)}")
        for name in row.immediates:
            if not isinstance(self.properties.get(name), IntegerAttr):
                raise VerifyException(f"expected an integer {name}")
        reason = row.check(self) if row.check is not None else None
        if reason is not None:
            raise VerifyException(reason)


SPECIAL = (("mma",), ("wgmma",))
"""Formats of ops that are parsed and printed by functions of their own."""


def as_attribute(value: str | int | Attribute) -> Attribute:
    """A property's value as an attribute: keywords are strings, numbers i32."""
    if isinstance(value, str):
        return StringAttr(value)
    return IntegerAttr(value, i32) if isinstance(value, int) else value


def _slice(values: Sequence[SSAValue], which: str) -> Sequence[SSAValue]:
    """`*` all, `2*` from 2 on, `2` that one."""
    if which == "*":
        return values
    if which.endswith("*"):
        return values[int(which[:-1]) :]
    return values[int(which) : int(which) + 1]


@cache
def format_of(cls: type[NvvmOp]) -> tuple[str, ...]:
    """The tokens of an op's format."""
    return tuple(cls.row.format.split())
