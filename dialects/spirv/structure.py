"""Modules and functions of the spirv dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FunctionType,
)
from xdsl.ir import Attribute, Block, Operation, OpTraits, Region, TypeAttribute
from xdsl.traits import IsolatedFromAbove, NoTerminator, SymbolOpInterface, SymbolTable
from xdsl.utils.exceptions import VerifyException

from ..lists import dictionaries
from .attributes import (
    AddressingModelAttr,
    FunctionControlAttr,
    MemoryModelAttr,
    parse_enum,
)
from .base import SpirvOp
from .environment import VceAttr
from .type_base import is_spirv_type

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class ModuleOp(SpirvOp):
    """`spirv.module @name Logical GLSL450 requires #spirv.vce<…> attributes {…} {…}`."""

    name = "spirv.module"
    traits = OpTraits(lambda: (SymbolTable(), IsolatedFromAbove(), NoTerminator()))
    _shown = ("addressing_model", "memory_model", "vce_triple", "sym_name")

    @classmethod
    def define(
        cls,
        body: Sequence[Operation] = (),
        *,
        addressing: str = "Logical",
        memory: str = "GLSL450",
        vce: VceAttr | None = None,
        name: str = "",
    ) -> Self:
        """A module of these ops. Without `vce` the serialiser derives what is needed."""
        op = cls.of(
            addressing_model=addressing,
            memory_model=memory,
            vce_triple=vce,
            sym_name=name or None,
        )
        op.add_region(Region(Block(body)))
        return op

    @property
    def block(self) -> Block:
        """The block of its ops."""
        return self.regions[0].block

    @property
    def vce(self) -> VceAttr | None:
        """What it says that it needs."""
        found = self.properties.get("vce_triple")
        return found if isinstance(found, VceAttr) else None

    def print(self, printer: Printer) -> None:
        if name := self.symbol("sym_name"):
            printer.print_string(" ")
            printer.print_symbol_name(name)
        printer.print_string(f" {self.enum('addressing_model')} {self.enum('memory_model')}")
        if self.vce is not None:
            printer.print_string(" requires ")
            printer.print_attribute(self.vce)
        extra = {n: v for n, v in self.properties.items() if n not in self._shown}
        printer.print_op_attributes(extra | self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.regions[0])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_optional_symbol_name()
        addressing = AddressingModelAttr(AddressingModelAttr.parse_name(parser))
        memory = MemoryModelAttr(MemoryModelAttr.parse_name(parser))
        properties: dict[str, Attribute] = {"addressing_model": addressing, "memory_model": memory}
        if name is not None:
            properties["sym_name"] = name
        if parser.parse_optional_keyword("requires") is not None:
            start = parser.pos
            vce = parser.parse_attribute()
            if not isinstance(vce, VceAttr):
                parser.raise_error(f"expected #spirv.vce, got {vce}", start)
            properties["vce_triple"] = vce
        attributes = parser.parse_optional_attr_dict_with_keyword()
        region = parser.parse_region()
        if region.first_block is None:
            region.add_block(Block())
        return cls.create(
            properties=properties,
            attributes=attributes.data if attributes is not None else {},
            regions=[region],
        )

    def verify_(self) -> None:
        if len(self.regions[0].blocks) != 1:
            raise VerifyException("expected one block")
        for op in self.block.ops:
            if not isinstance(op, SpirvOp):
                raise VerifyException(f"cannot contain {op.name}, only ops of the spirv dialect")


class FuncOp(SpirvOp):
    """`spirv.func @f(%a: i32) -> i32 "Inline" attributes {…} {…}`; imported if without a body."""

    name = "spirv.func"
    traits = OpTraits(lambda: (SymbolOpInterface(), IsolatedFromAbove()))
    _shown = ("sym_name", "function_type", "function_control", "arg_attrs")

    @classmethod
    def define(
        cls,
        name: str,
        inputs: Sequence[Attribute] = (),
        outputs: Sequence[Attribute] = (),
        *,
        control: str = "None",
        arg_attrs: Sequence[Mapping[str, Attribute]] = (),
        body: Region | None = None,
    ) -> Self:
        """A function; without a body it gets a region with one empty block for its parameters."""
        kind = FunctionType.from_lists(
            cast("list[TypeAttribute]", list(inputs)), cast("list[TypeAttribute]", list(outputs))
        )
        dictionaries = ArrayAttr(DictionaryAttr(dict(each)) for each in arg_attrs)
        op = cls.of(
            sym_name=name,
            function_type=kind,
            function_control=control,
            arg_attrs=dictionaries if any(arg_attrs) else None,
        )
        op.add_region(body if body is not None else Region(Block(arg_types=inputs)))
        return op

    @property
    def sym_name(self) -> str:
        """Its name."""
        return self.symbol("sym_name")

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

    def arg_attrs(self) -> list[Mapping[str, Attribute]]:
        """The attributes of each parameter."""
        return dictionaries(self.properties.get("arg_attrs"), len(self.type.inputs))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name)
        with printer.in_parens():
            self._print_parameters(printer)
        if self.type.outputs.data:
            printer.print_string(" -> ")
            printer.print_list(self.type.outputs.data, printer.print_attribute)
        printer.print_string(f' "{self.enum("function_control")}"')
        extra = {n: v for n, v in self.properties.items() if n not in self._shown}
        printer.print_op_attributes(extra | self.attributes, print_keyword=True)
        if self.body.first_block is not None:
            printer.print_string(" ")
            printer.print_region(self.body, print_entry_block_args=False)

    def _print_parameters(self, printer: Printer) -> None:
        first = self.body.first_block
        for i, (kind, extra) in enumerate(zip(self.type.inputs, self.arg_attrs(), strict=True)):
            printer.print_string(", " if i else "")
            if first is not None:
                printer.print_ssa_value(first.args[i])
                printer.print_string(": ")
            printer.print_attribute(kind)
            printer.print_op_attributes(extra)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        rows = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: _parse_parameter(parser)
        )
        outputs: list[Attribute] = []
        if parser.parse_optional_punctuation("->") is not None:
            found = parser.parse_optional_comma_separated_list(
                parser.Delimiter.PAREN, parser.parse_type
            )
            outputs = list(found) if found is not None else [parser.parse_type()]
        control = parse_enum(parser, "function_control")
        assert isinstance(control, FunctionControlAttr), "function_control is of this class"
        given = parser.parse_optional_attr_dict_with_keyword()
        arguments = [argument for argument, _, _ in rows if argument is not None]
        body = parser.parse_optional_region(arguments) or Region()
        op = cls.define(
            name,
            [kind for _, kind, _ in rows],
            outputs,
            control=control.data,
            arg_attrs=[attributes for _, _, attributes in rows],
            body=body,
        )
        for key, value in given.data.items() if given is not None else ():
            target = op.properties if key == "linkage_attributes" else op.attributes
            target[key] = value
        return op

    def verify_(self) -> None:
        inputs, outputs = self.type.inputs.data, self.type.outputs.data
        for kind in (*inputs, *outputs):
            if not is_spirv_type(kind):
                raise VerifyException(f"expected a type of the spirv dialect, got {kind}")
        if len(outputs) > 1:
            raise VerifyException(f"cannot return {len(outputs)} values, only one or none")
        first = self.body.first_block
        if first is not None and list(first.arg_types) != list(inputs):
            raise VerifyException("expected the first block to take the function's parameters")


def _parse_parameter(
    parser: Parser,
) -> tuple[Parser.Argument | None, Attribute, Mapping[str, Attribute]]:
    argument = parser.parse_optional_argument()
    kind = argument.type if argument is not None else parser.parse_type()
    return argument, kind, parser.parse_optional_dictionary_attr_dict()


OPERATIONS: tuple[type[Operation], ...] = (ModuleOp, FuncOp)
