"""Functions of the llvm dialect, and what ends or calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
)
from xdsl.ir import Attribute, Operation, OpTraits, Region, SSAValue
from xdsl.traits import IsolatedFromAbove, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from ..lists import (
    dictionaries,
    parse_operands,
    print_operands,
    print_typed_operands,
)
from .base import (
    TERMINATOR,
    FunctionFormOp,
    LLVMOp,
    number,
    parse_function_types,
    print_function_types,
)
from .types import (
    CALLING_CONVENTIONS,
    UNNAMED_ADDR,
    VISIBILITIES,
    CConvAttr,
    FunctionType,
    LinkageAttr,
    PointerType,
    VoidType,
)
from .values import parse_symbol_words

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class FuncOp(LLVMOp):
    """`internal fastcc @name(%a: i32 {llvm.noundef}, …) -> f32 attributes {passthrough = […]} {…}`.

    A function of LLVM; without a body it is a declaration. `passthrough` lists LLVM function
    attributes as text: `"noinline"` or `["key", "value"]`.
    """

    name = "llvm.func"
    traits = OpTraits(lambda: (SymbolOpInterface(), IsolatedFromAbove()))
    operand_count = 0
    result_count = 0
    inherent = frozenset((
        *("passthrough", "no_inline", "always_inline", "optimize_none", "no_unwind", "will_return"),
        *("convergent", "target_cpu", "section", "alignment", "dso_local"),
    ))  # fmt: skip
    _shown = (
        *("sym_name", "function_type", "linkage", "CConv", "visibility_", "unnamed_addr"),
        *("arg_attrs", "res_attrs"),
    )

    @classmethod
    def define(
        cls,
        name: str,
        kind: FunctionType,
        *,
        linkage: str = "external",
        convention: str = "ccc",
        passthrough: Sequence[str | tuple[str, str]] = (),
        arg_attrs: Sequence[Mapping[str, Attribute]] = (),
        body: Region | None = None,
    ) -> Self:
        """A function; without a body it is declared only."""
        properties: dict[str, Attribute] = {
            "sym_name": StringAttr(name),
            "function_type": kind,
            "linkage": LinkageAttr(linkage),
            "CConv": CConvAttr(convention),
        }
        if passthrough:
            properties["passthrough"] = ArrayAttr(
                StringAttr(entry)
                if isinstance(entry, str)
                else ArrayAttr([StringAttr(entry[0]), StringAttr(entry[1])])
                for entry in passthrough
            )
        if any(arg_attrs):
            properties["arg_attrs"] = ArrayAttr(DictionaryAttr(dict(each)) for each in arg_attrs)
        return cls.create(properties=properties, regions=[body or Region()])

    @property
    def symbol(self) -> str:
        """The name of the function."""
        return self.text_property("sym_name")

    @property
    def type(self) -> FunctionType:
        """What it takes and gives."""
        kind = self.properties["function_type"]
        assert isinstance(kind, FunctionType), "a function has a function type"
        return kind

    @property
    def body(self) -> Region:
        """Its blocks; none in a declaration."""
        return self.regions[0]

    def dictionaries(self, name: str, count: int) -> list[Mapping[str, Attribute]]:
        """The attributes of each argument (`arg_attrs`) or result (`res_attrs`)."""
        return dictionaries(self.properties.get(name), count)

    def print(self, printer: Printer) -> None:
        linkage, convention = self.properties.get("linkage"), self.properties.get("CConv")
        words: list[str] = []
        if isinstance(linkage, LinkageAttr) and linkage.data != "external":
            words.append(linkage.data)
        if visibility := self.int_property("visibility_"):
            words.append(VISIBILITIES[visibility])
        if unnamed := self.int_property("unnamed_addr"):
            words.append(UNNAMED_ADDR[unnamed])
        if isinstance(convention, CConvAttr) and convention.data != "ccc":
            words.append(convention.data)
        printer.print_string(" " + "".join(f"{word} " for word in words))
        printer.print_symbol_name(self.symbol)
        self._print_signature(printer)
        rest = {
            name: value
            for name, value in sorted((self.properties | self.attributes).items())
            if name not in self._shown
        }
        printer.print_op_attributes(rest, print_keyword=True)
        if self.body.blocks:
            printer.print_string(" ")
            printer.print_region(self.body, print_entry_block_args=False)

    def _print_signature(self, printer: Printer) -> None:
        inputs = self.type.inputs.data
        arguments = self.body.blocks.first.args if self.body.blocks.first else ()
        attributes = self.dictionaries("arg_attrs", len(inputs))

        def parameter(index: int) -> None:
            if arguments:
                printer.print_ssa_value(arguments[index])
                printer.print_string(": ")
            printer.print_attribute(inputs[index])
            printer.print_op_attributes(attributes[index])

        with printer.in_parens():
            printer.print_list(range(len(inputs)), parameter)
            if self.type.is_variadic:
                printer.print_string(", ..." if inputs else "...")
        if isinstance(self.type.output, VoidType):
            return
        printer.print_string(" -> ")
        result = self.dictionaries("res_attrs", 1)[0]
        if result:
            printer.print_string("(")
        printer.print_attribute(self.type.output)
        printer.print_op_attributes(result)
        if result:
            printer.print_string(")")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        from xdsl.dialects.utils import parse_func_op_like

        shown = parse_symbol_words(parser)
        convention = parser.parse_optional_keyword_in(CALLING_CONVENTIONS) or "ccc"
        name, inputs, outputs, region, extra, arg_attrs, res_attrs, variadic = parse_func_op_like(
            parser, reserved_attr_names=(), allow_variadic=True
        )
        if len(outputs) > 1:
            parser.raise_error(f"expected at most one result, got {len(outputs)}")
        shown |= {
            "sym_name": StringAttr(name),
            "CConv": CConvAttr(convention),
            "function_type": FunctionType(inputs, outputs[0] if outputs else None, variadic),
        }
        if arg_attrs is not None:
            shown["arg_attrs"] = arg_attrs
        if res_attrs is not None:
            shown["res_attrs"] = res_attrs
        found: Mapping[str, Attribute] = extra.data if extra is not None else {}
        properties = {key: value for key, value in found.items() if key in cls.inherent}
        return cls.create(
            properties=properties | shown,
            attributes={key: value for key, value in found.items() if key not in properties},
            regions=[region],
        )

    def verify_(self) -> None:
        super().verify_()
        entry = self.body.blocks.first
        if entry is not None and tuple(entry.arg_types) != self.type.inputs.data:
            raise VerifyException("expected the entry block to have the function's parameters")


class ReturnOp(LLVMOp):
    """`%v : T` or nothing: ends the function."""

    name = "llvm.return"
    traits = TERMINATOR
    result_count = 0

    def print(self, printer: Printer) -> None:
        print_typed_operands(printer, self, self.print_attributes)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_optional_unresolved_operand()
        properties, attributes = cls.parse_attributes(parser)
        values: list[SSAValue] = []
        if operand is not None:
            parser.parse_punctuation(":")
            values = [parser.resolve_operand(operand, parser.parse_type())]
        return cls.create(operands=values, properties=properties, attributes=attributes)

    def verify_(self) -> None:
        super().verify_()
        if len(self.operands) > 1:
            raise VerifyException(f"expected at most one value, got {len(self.operands)}")


class UnreachableOp(LLVMOp):
    """A place that is never reached."""

    name = "llvm.unreachable"
    traits = TERMINATOR
    operand_count = 0
    result_count = 0

    def print(self, printer: Printer) -> None:
        self.print_attributes(printer)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties, attributes = cls.parse_attributes(parser)
        return cls.create(properties=properties, attributes=attributes)


class CallOp(LLVMOp):
    """`fastcc @f(%a) vararg(!llvm.func<…>) {…} : (T) -> U`.

    Without a name, the first operand is the pointer that is called.
    """

    name = "llvm.call"
    inherent = frozenset(("fastmathFlags", "branch_weights", "no_unwind", "convergent"))
    _shown = ("callee", "CConv", "var_callee_type", "TailCallKind")

    @classmethod
    def to(
        cls,
        name: str,
        operands: Sequence[SSAValue],
        results: Sequence[Attribute],
        properties: Mapping[str, Attribute] | None = None,
    ) -> Self:
        """A call of a named function with the C calling convention."""
        callee: dict[str, Attribute] = {"callee": SymbolRefAttr(name)}
        return cls.create(
            operands=operands, result_types=results, properties=callee | dict(properties or {})
        )

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


class CallIntrinsicOp(FunctionFormOp):
    """`"llvm.x.y"(%a) : (T) -> U {…}`: an intrinsic by its full LLVM name."""

    name = "llvm.call_intrinsic"

    @classmethod
    def to(
        cls,
        name: str,
        operands: Sequence[SSAValue],
        results: Sequence[Attribute],
        properties: Mapping[str, Attribute] | None = None,
    ) -> Self:
        """A call of the intrinsic with this full name."""
        intrinsic: dict[str, Attribute] = {"intrin": StringAttr(name)}
        return cls.create(
            operands=operands, result_types=results, properties=intrinsic | dict(properties or {})
        )

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


OPERATIONS: list[type[Operation]] = [
    *(FuncOp, ReturnOp, UnreachableOp, CallOp, CallIntrinsicOp, InlineAsmOp),
]
