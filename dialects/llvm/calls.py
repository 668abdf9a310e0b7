"""Calls of the llvm dialect: of functions, of pointers, of intrinsics; inline assembly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

from xdsl.dialects.builtin import (
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..lists import (
    parse_operands,
    print_operands,
)
from ..making import make
from .attributes import CALLING_CONVENTIONS, CConvAttr
from .base import (
    LLVMOp,
    number,
    parse_function_types,
    print_function_types,
)
from .types import PointerType

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class _NamedCall(LLVMOp):
    """A call of something by its name, which is the property `_callee`."""

    _callee: ClassVar[str]
    _name_attribute: ClassVar[Callable[[str], Attribute]]

    @classmethod
    def to(
        cls,
        name: str,
        operands: Sequence[SSAValue],
        results: Sequence[Attribute],
        properties: Mapping[str, Attribute] | None = None,
    ) -> Self:
        """A call of what has this name; of a function, with the C calling convention."""
        named = {cls._callee: cls._name_attribute(name)}
        return make(cls, operands, results, named | dict(properties or {}))


class CallOp(_NamedCall):
    """`fastcc @f(%a) vararg(!llvm.func<…>) {…} : (T) -> U`.

    Without a name, the first operand is the pointer that is called.
    """

    name = "llvm.call"
    _callee, _name_attribute = "callee", SymbolRefAttr
    inherent = frozenset(("fastmathFlags", "branch_weights", "no_unwind", "convergent"))
    _shown = ("callee", "CConv", "var_callee_type", "TailCallKind")

    @property
    def callee(self) -> str | None:
        """The name of what is called, none for a call through a pointer."""
        value = self.properties.get("callee")
        return value.root_reference.data if isinstance(value, SymbolRefAttr) else None

    def print(self, printer: Printer) -> None:
        convention = self.properties.get("CConv")
        printer.print_string(" ")
        if isinstance(convention, CConvAttr) and convention.data != "ccc":
            printer.print_string(f"{convention.data} ")
        arguments: Sequence[SSAValue] = tuple(self.operands)
        pointer = arguments[0] if self.callee is None else None
        if self.callee is not None:
            printer.print_symbol_name(self.callee)
        elif pointer is not None:
            printer.print_operand(pointer)
            arguments = arguments[1:]
        with printer.in_parens():
            print_operands(printer, arguments)
        variadic = self.properties.get("var_callee_type")
        if variadic is not None:
            printer.print_string(" vararg(")
            printer.print_attribute(variadic)
            printer.print_string(")")
        self.print_attributes(printer, but=self._shown)
        printer.print_string(" : ")
        if pointer is not None:
            printer.print_attribute(pointer.type)
            printer.print_string(", ")
        printer.print_function_type([value.type for value in arguments], self.result_types)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        shown: dict[str, Attribute] = {}
        if (convention := parser.parse_optional_keyword_in(CALLING_CONVENTIONS)) is not None:
            shown["CConv"] = CConvAttr(convention)
        pointer = None
        if (callee := parser.parse_optional_symbol_name()) is not None:
            shown["callee"] = SymbolRefAttr(callee)
        else:
            pointer = parser.parse_unresolved_operand()
        operands = parse_operands(parser, "()")
        if parser.parse_optional_keyword("vararg") is not None:
            with parser.in_parens():
                shown["var_callee_type"] = parser.parse_type()
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        called: list[SSAValue] = []
        if pointer is not None:
            called.append(parser.resolve_operand(pointer, parser.parse_type()))
            parser.parse_punctuation(",")
        kind = parser.parse_function_type()
        return cls.create(
            operands=[*called, *parser.resolve_operands(operands, kind.inputs.data, start)],
            result_types=kind.outputs.data,
            properties=properties | shown,
            attributes=attributes,
        )

    def verify_(self) -> None:
        super().verify_()
        if self.callee is None and not (
            self.operands and isinstance(self.operands[0].type, PointerType)
        ):
            raise VerifyException("expected a callee or a pointer to call")


class CallIntrinsicOp(_NamedCall):
    """`"llvm.x.y"(%a) : (T) -> U {…}`: an intrinsic by its full LLVM name."""

    name = "llvm.call_intrinsic"
    inherent = frozenset(("fastmathFlags",))
    _callee, _name_attribute = "intrin", StringAttr

    @property
    def intrinsic(self) -> str:
        """The full name, with the suffixes for its types."""
        return self.text_property("intrin")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.intrinsic)
        with printer.in_parens():
            print_operands(printer, self.operands)
        print_function_types(printer, self)
        self.print_attributes(printer, but=("intrin",))

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        name = parser.parse_str_literal()
        operands = parse_operands(parser, "()")
        inputs, outputs = parse_function_types(parser)
        properties, attributes = cls.parse_attributes(parser)
        return cls.create(
            operands=parser.resolve_operands(operands, inputs, start),
            result_types=outputs,
            properties=properties | {"intrin": StringAttr(name)},
            attributes=attributes,
        )


class InlineAsmOp(LLVMOp):
    """`has_side_effects asm_dialect = att "mov $0, $1", "=r,r" %a : (i32) -> i32`."""

    name = "llvm.inline_asm"
    inherent = frozenset(("operand_attrs",))
    _flags = ("has_side_effects", "is_align_stack")
    _dialects = ("att", "intel")
    _shown = (*_flags, "asm_dialect", "asm_string", "constraints")

    def print(self, printer: Printer) -> None:
        for flag in self._flags:
            if self.flag(flag):
                printer.print_string(f" {flag}")
        if "asm_dialect" in self.properties:
            dialect = self._dialects[self.int_property("asm_dialect")]
            printer.print_string(f" asm_dialect = {dialect}")
        self.print_attributes(printer, but=self._shown)
        printer.print_string(" ")
        printer.print_string_literal(self.text_property("asm_string"))
        printer.print_string(", ")
        printer.print_string_literal(self.text_property("constraints"))
        printer.print_string(" ")
        print_operands(printer, self.operands)
        print_function_types(printer, self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        shown: dict[str, Attribute] = {}
        for flag in cls._flags:
            if parser.parse_optional_keyword(flag) is not None:
                shown[flag] = UnitAttr()
        if parser.parse_optional_keyword("asm_dialect") is not None:
            parser.parse_punctuation("=")
            word = parser.parse_keyword_in(list(cls._dialects))
            shown["asm_dialect"] = number(cls._dialects.index(word))
        properties, attributes = cls.parse_attributes(parser)
        shown["asm_string"] = StringAttr(parser.parse_str_literal())
        parser.parse_punctuation(",")
        shown["constraints"] = StringAttr(parser.parse_str_literal())
        operands = parser.parse_optional_undelimited_comma_separated_list(
            parser.parse_optional_unresolved_operand, parser.parse_unresolved_operand
        )
        inputs, outputs = parse_function_types(parser)
        return cls.create(
            operands=parser.resolve_operands(operands or [], inputs, start),
            result_types=outputs,
            properties=properties | shown,
            attributes=attributes,
        )


OPERATIONS: list[type[Operation]] = [CallOp, CallIntrinsicOp, InlineAsmOp]
