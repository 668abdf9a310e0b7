"""What the ops of the nvvm dialect share: a row of the table, a format of text, a check.

An op is a row of `TABLE` and nothing else; its class is made from the row. Its text
follows a format (`row_tokens.py`). Types that the text does not show are those of the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

from xdsl.dialects.builtin import IntegerAttr, StringAttr, i32
from xdsl.ir import Attribute, OpTraits, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..llvm.base import LLVMOp
from ..row_format import FormatOp
from ..row_tokens import name_of
from ..traits import NO_TRAITS

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

    from ..row_parsing import Reading


class Needs(NamedTuple):
    """The least architecture: sm 90 is `sm_90`; of `variants` one is needed where there are any.

    `variants` are suffixed architectures, such as "90a": what they have, no later one needs to.
    """

    sm: int = 75
    ptx: int = 63
    variants: tuple[str, ...] = ()


class Form(NamedTuple):
    """How an op is written that no format can say."""

    print: Callable[[NvvmOp, Printer], None]
    parse: Callable[[type[NvvmOp], Parser], NvvmOp]


class Row(NamedTuple):
    """What is known of one op.

    `target` is the LLVM intrinsic without "llvm.nvvm." (`{kind}` a keyword, `{t0}` a type), or
    inline PTX after "ptx:". `needs` may depend on the op; `check` gives a reason against it.
    """

    meaning: str
    format: str | Form
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


class NvvmOp(LLVMOp, FormatOp):
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

    @classmethod
    def format(cls) -> str:
        assert isinstance(cls.row.format, str), "the op has a format"
        return cls.row.format

    def print(self, printer: Printer) -> None:
        form = self.row.format
        if isinstance(form, Form):
            form.print(self, printer)
        else:
            super().print(printer)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        form = cls.row.format
        if not isinstance(form, Form):
            return super().parse(parser)
        made = form.parse(cls, parser)
        assert isinstance(made, cls), "the class was given"
        return made

    def print_property(self, printer: Printer, token: str) -> None:
        name = name_of(token)
        if token[0] == "#":
            printer.print_string(str(self.int_property(name)))
        elif token.startswith("@@"):
            printer.print_string_literal(self.text_property(name))
        else:
            printer.print_string(self.text_property(name))

    @classmethod
    def parse_property(cls, parser: Parser, token: str) -> Attribute:
        if token[0] == "#":
            return IntegerAttr(parser.parse_integer(), i32)
        is_text = token.startswith("@@")
        return StringAttr(parser.parse_str_literal() if is_text else parser.parse_identifier())

    @classmethod
    def from_text(cls, text: Reading, start: int) -> Self:
        kinds = [cls._operand_type(text.types, index) for index in range(len(text.operands))]
        properties = {k: v for k, v in text.given.items() if not k.startswith(("llvm.", "nvvm."))}
        return cls.create(
            operands=text.parser.resolve_operands(text.operands, kinds, start),
            result_types=cls.row.results or () if text.results is None else text.results,
            properties=properties | text.shown,
            attributes={k: v for k, v in text.given.items() if k not in properties},
        )

    @classmethod
    def _operand_type(cls, shown: Mapping[int, Attribute], index: int) -> Attribute:
        """The type of an operand: shown, the row's, or i32."""
        if index in shown:
            return shown[index]
        known = cls.row.operands or ()
        if index < len(known):
            return known[index]
        hidden, place = cls.row.hidden, index - len(shown)
        return hidden[place] if 0 <= place < len(hidden) else i32

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


def as_attribute(value: str | int | Attribute) -> Attribute:
    """A property's value as an attribute: keywords are strings, numbers i32."""
    if isinstance(value, str):
        return StringAttr(value)
    return IntegerAttr(value, i32) if isinstance(value, int) else value
