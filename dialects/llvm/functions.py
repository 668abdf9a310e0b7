"""Functions of the llvm dialect, and what ends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    StringAttr,
)
from xdsl.ir import Attribute, Operation, OpTraits, Region, SSAValue
from xdsl.traits import IsolatedFromAbove, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from ..lists import (
    dictionaries,
    print_typed_operands,
)
from ..traits import TERMINATOR
from .attributes import CALLING_CONVENTIONS, CConvAttr, LinkageAttr
from .base import (
    LLVMOp,
)
from .types import UNNAMED_ADDR, VISIBILITIES, FunctionType, VoidType
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


OPERATIONS: list[type[Operation]] = [FuncOp, ReturnOp, UnreachableOp]
