"""Variables of a spirv.module, its entry points and how they are executed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, SymbolRefAttr, i32
from xdsl.ir import Attribute, Operation
from xdsl.traits import SymbolTable
from xdsl.utils.exceptions import VerifyException

from ..traits import SYMBOL
from .attributes import as_attribute, parse_enum
from .base import SpirvOp
from .struct_type import StructType
from .types import ArrayType, PointerType, RuntimeArrayType, parse_pointer_type

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

BLOCK_CLASSES = ("StorageBuffer", "Uniform", "PushConstant")
"""Storage classes whose variables are blocks: structs with a layout."""


def symbols(names: Sequence[str]) -> ArrayAttr[Attribute]:
    """An array of references to symbols."""
    return ArrayAttr(SymbolRefAttr(name) for name in names)


class EntryPointOp(SpirvOp):
    """`spirv.EntryPoint "GLCompute" @f, @id`: a function that is launched, and its interface.

    The interface names the variables of classes Input and Output; since SPIR-V 1.4 all others that
    the function uses belong to it too, and the serialiser adds them.
    """

    name = "spirv.EntryPoint"

    @classmethod
    def define(cls, function: str, interface: Sequence[str] = (), model: str = "GLCompute") -> Self:
        """An entry point of the function's name."""
        return cls.of(
            execution_model=model, fn=SymbolRefAttr(function), interface=symbols(interface)
        )

    @property
    def function(self) -> str:
        """The name of the function."""
        return self.symbol("fn")

    @property
    def interface(self) -> tuple[str, ...]:
        """The names of its variables."""
        return symbol_names(self.properties.get("interface"))

    def print(self, printer: Printer) -> None:
        printer.print_string(f' "{self.enum("execution_model")}" ')
        printer.print_list((self.function, *self.interface), printer.print_symbol_name)
        self.print_attributes(printer, but=("execution_model", "fn", "interface"))

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        model = parse_enum(parser, "execution_model")
        function, *interface = parser.parse_comma_separated_list(
            parser.Delimiter.NONE, parser.parse_symbol_name
        )
        op = cls.define(function.data, [name.data for name in interface])
        op.properties["execution_model"] = model
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def verify_(self) -> None:
        from .structure import FuncOp

        module = self.parent_op()
        function = SymbolTable.lookup_symbol(self, self.function) if module else None
        if module is not None and not isinstance(function, FuncOp):
            raise VerifyException(f"there is no function @{self.function}")


def symbol_names(attribute: Attribute | None) -> tuple[str, ...]:
    """The names in an array of references."""
    items = cast("ArrayAttr[Attribute]", attribute).data if isinstance(attribute, ArrayAttr) else ()
    return tuple(item.root_reference.data for item in items if isinstance(item, SymbolRefAttr))


class _ModeOp(SpirvOp):
    """`@f "Mode", value, value`: how the entry point of a function is executed."""

    @property
    def function(self) -> str:
        """The name of the function."""
        return self.symbol("fn")

    @property
    @abstractmethod
    def values(self) -> tuple[int | str, ...]:
        """What the mode takes."""

    @classmethod
    @abstractmethod
    def parse_value(cls, parser: Parser) -> Attribute:
        """One of `values`."""

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.function)
        printer.print_string(f' "{self.enum("execution_mode")}"')
        for value in self.values:
            printer.print_string(", ")
            if isinstance(value, str):
                printer.print_symbol_name(value)
            else:
                printer.print_string(str(value))
        self.print_attributes(printer, but=("fn", "execution_mode", "values"))

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        function = SymbolRefAttr(parser.parse_symbol_name())
        mode = parse_enum(parser, "execution_mode")
        values: list[Attribute] = []
        while parser.parse_optional_punctuation(",") is not None:
            values.append(cls.parse_value(parser))
        op = cls.of(fn=function, execution_mode=mode, values=ArrayAttr(values))
        op.attributes |= parser.parse_optional_attr_dict()
        return op


class ExecutionModeOp(_ModeOp):
    """`spirv.ExecutionMode @f "LocalSize", 8, 8, 1`."""

    name = "spirv.ExecutionMode"

    @classmethod
    def define(cls, function: str, mode: str, values: Sequence[int] = ()) -> Self:
        """A mode of the function's entry point, with its numbers."""
        return cls.of(
            fn=SymbolRefAttr(function),
            execution_mode=mode,
            values=ArrayAttr(IntegerAttr(value, i32) for value in values),
        )

    @property
    def values(self) -> tuple[int, ...]:
        """Its numbers."""
        return self.integers("values")

    @classmethod
    def parse_value(cls, parser: Parser) -> Attribute:
        """A number."""
        return IntegerAttr(parser.parse_integer(), i32)


class ExecutionModeIdOp(_ModeOp):
    """`spirv.ExecutionModeId @f "LocalSizeId", @x, @y, @z`: numbers that are (spec) constants.

    Not upstream's in LLVM 19. Needs SPIR-V 1.2.
    """

    name = "spirv.ExecutionModeId"

    @classmethod
    def define(cls, function: str, mode: str, values: Sequence[str]) -> Self:
        """A mode with the names of its constants."""
        return cls.of(fn=SymbolRefAttr(function), execution_mode=mode, values=symbols(values))

    @property
    def values(self) -> tuple[str, ...]:
        """The names of its constants."""
        return symbol_names(self.properties.get("values"))

    @classmethod
    def parse_value(cls, parser: Parser) -> Attribute:
        """The name of a constant."""
        return SymbolRefAttr(parser.parse_symbol_name())


class GlobalVariableOp(SpirvOp):
    """`spirv.GlobalVariable @v initializer(@c) bind(0, 1) built_in("…") {aliased} : !spirv.ptr<…>`.

    Other decorations are attributes in snake case: `non_writable`, `restrict`, `coherent`.
    """

    name = "spirv.GlobalVariable"
    traits = SYMBOL
    _shown = ("sym_name", "type", "initializer", "descriptor_set", "binding", "built_in")

    @classmethod
    def define(
        cls,
        name: str,
        kind: PointerType,
        *,
        binding: tuple[int, int] | None = None,
        built_in: str | None = None,
        initializer: str | None = None,
        **decorations: str | int | bool | Attribute,
    ) -> Self:
        """A variable; `binding` is descriptor set and binding. Decorations are in snake case."""
        op = cls.of(
            sym_name=name,
            type=kind,
            descriptor_set=None if binding is None else binding[0],
            binding=None if binding is None else binding[1],
            initializer=None if initializer is None else SymbolRefAttr(initializer),
        )
        if built_in is not None:
            op.attributes["built_in"] = StringAttr(built_in)
        op.attributes |= {name: as_attribute(name, value) for name, value in decorations.items()}
        return op

    @property
    def sym_name(self) -> str:
        """Its name."""
        return self.symbol("sym_name")

    @property
    def type(self) -> PointerType:
        """The type of a pointer to it."""
        kind = self.properties.get("type")
        if not isinstance(kind, PointerType):
            raise VerifyException(f"expected a type that is a pointer, got {kind}")
        return kind

    @property
    def initializer(self) -> str:
        """The name of the constant or variable that it starts as; empty if none."""
        return self.symbol("initializer")

    @property
    def binding(self) -> tuple[int, int] | None:
        """Descriptor set and binding."""
        group, binding = self.integer("descriptor_set"), self.integer("binding")
        return None if group is None or binding is None else (group, binding)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name)
        if self.initializer:
            printer.print_string(" initializer(")
            printer.print_symbol_name(self.initializer)
            printer.print_string(")")
        if self.binding is not None:
            printer.print_string(f" bind({self.binding[0]}, {self.binding[1]})")
        built_in = self.attributes.get("built_in")
        if isinstance(built_in, StringAttr):
            printer.print_string(f' built_in("{built_in.data}")')
        extra = {n: v for n, v in self.properties.items() if n not in self._shown}
        rest = extra | {n: v for n, v in self.attributes.items() if n != "built_in"}
        printer.print_op_attributes({name: rest[name] for name in sorted(rest)})
        printer.print_string(" : ")
        printer.print_attribute(self.properties["type"])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        initializer = built_in = binding = None
        if parser.parse_optional_keyword("initializer") is not None:
            with parser.in_parens():
                initializer = parser.parse_symbol_name().data
        if parser.parse_optional_keyword("bind") is not None:
            with parser.in_parens():
                group = parser.parse_integer()
                parser.parse_punctuation(",")
                binding = (group, parser.parse_integer())
        if parser.parse_optional_keyword("built_in") is not None:
            with parser.in_parens():
                built_in = parser.parse_str_literal()
        attributes = parser.parse_optional_attr_dict()
        kind = parse_pointer_type(parser)
        op = cls.define(name, kind, binding=binding, built_in=built_in, initializer=initializer)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        kind = self.type
        storage, pointee = kind.storage_class, kind.pointee
        if storage in ("Function", "Generic", "PhysicalStorageBuffer"):
            raise VerifyException(f"a variable of a module cannot be of class {storage}")
        while isinstance(pointee, (ArrayType, RuntimeArrayType)):
            pointee = pointee.element
        is_block = storage in ("StorageBuffer", "PushConstant") and self.binding is not None
        if is_block and not isinstance(pointee, StructType):
            raise VerifyException(f"expected a struct in class {storage}, got {pointee}")


OPERATIONS: tuple[type[Operation], ...] = (
    *(EntryPointOp, ExecutionModeOp, ExecutionModeIdOp, GlobalVariableOp),
)
