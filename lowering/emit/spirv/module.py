"""A SPIR-V module on its way out: sections of words, ids, what stands outside of functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from xdsl.dialects.builtin import FloatAttr, IntegerAttr, StringAttr, SymbolRefAttr, UnitAttr
from xdsl.ir import Attribute, Operation

from ....dialects import spirv
from ....dialects.diagnostics import CompileError, location_from_attribute, location_of
from ....dialects.spirv.grammar import enumeration, instruction
from ....dialects.spirv.kinds import is_bool
from ....dialects.spirv.variables import BLOCK_CLASSES
from .function import FunctionWords
from .opcodes import Op
from .types import TypeWords, float_words, int_words
from .words import string_words

GLSL = "GLSL.std.450"


class ModuleWords:
    """The sections of a module, and the ids of its symbols."""

    def __init__(self, module: spirv.ModuleOp, vce: spirv.Vce, *, debug: bool) -> None:
        self.module = module
        self.vce = vce
        self.debug = debug
        self.bound = 1
        self.frame: list[int] = []
        self.entry_points: list[int] = []
        self.modes: list[int] = []
        self.strings: list[int] = []
        self.names: list[int] = []
        self.annotations: list[int] = []
        self.declarations: list[int] = []
        self.functions: list[int] = []
        self.types = TypeWords(self)
        self.symbols: dict[str, int] = {}
        self.files: dict[str, int] = {}
        self.glsl = 0
        self.blocks: set[int] = set()
        self.strides: dict[int, int] = {}
        self.places: dict[int, tuple[Attribute, tuple[int, int, int] | None]] = {}
        self.used: dict[str, set[str]] = {}

    def new_id(self) -> int:
        """An id that nothing has yet."""
        self.bound += 1
        return self.bound - 1

    def sections(self) -> Sequence[Sequence[int]]:
        """The words of the whole module after the header."""
        module = self.module
        ops = list(module.block.ops)
        for op in ops:
            self._symbol(op)
            if type(op) not in _HANDLERS:
                raise CompileError(f"{op.name} has no form in SPIR-V", location_of(op))
        for rank in sorted({_RANKS[type(op)] for op in ops}):
            for op in ops:
                if _RANKS[type(op)] == rank:
                    _HANDLERS[type(op)](self, op)
        self._frame()
        return (
            *(self.frame, self.entry_points, self.modes, self.strings, self.names),
            *(self.annotations, self.declarations, self.functions),
        )

    def _frame(self) -> None:
        frame = self.frame
        for capability in self.vce.capabilities:
            frame += (2 << 16 | Op.Capability, enumeration("Capability").value(capability))
        for extension in self.vce.extensions:
            _append(frame, Op.Extension, string_words(extension))
        if self.glsl:
            _append(frame, Op.ExtInstImport, [self.glsl, *string_words(GLSL)])
        models = (
            self.module.properties["addressing_model"],
            self.module.properties["memory_model"],
        )
        _append(frame, Op.MemoryModel, [cast("spirv.EnumAttr", model).value for model in models])

    def extended_set(self) -> int:
        """The id of GLSL.std.450."""
        if not self.glsl:
            self.glsl = self.new_id()
        return self.glsl

    # Symbols

    def _symbol(self, op: Operation) -> None:
        name = op.symbol("sym_name") if isinstance(op, spirv.SpirvOp) else ""
        if name:
            self.symbols[name] = self.new_id()
            self.name(self.symbols[name], name)

    def symbol_id(self, name: str, op: Operation | None = None) -> int:
        """The id of a symbol."""
        found = self.symbols.get(name)
        if found is None:
            raise CompileError(
                f"there is no symbol @{name} in the module",
                location_of(op) if op is not None else None,
            )
        return found

    def name(self, number: int, name: str) -> None:
        """Names an id."""
        _append(self.names, Op.Name, [number, *string_words(name)])

    # Decorations

    def decorate(self, number: int, decoration: str, *values: int) -> None:
        """Decorates an id."""
        value = enumeration("Decoration").value(decoration)
        self.annotations += (
            (3 + len(values)) << 16 | Op.Decorate,
            number,
            value,
            *(word & 0xFFFFFFFF for word in values),
        )

    def decorate_member(self, number: int, member: int, decoration: str, *values: int) -> None:
        """Decorates a member of a struct."""
        value = enumeration("Decoration").value(decoration)
        self.annotations += (
            (4 + len(values)) << 16 | Op.MemberDecorate,
            number,
            member,
            value,
            *values,
        )

    def decorate_by(self, number: int, attributes: Mapping[str, Attribute], op: Operation) -> None:
        """Decorates an id by the attributes that are decorations; others have a dialect's name."""
        for name, value in attributes.items():
            if "." in name or name in spirv.NOT_DECORATIONS:
                continue
            decoration = spirv.decoration_name(name)
            if decoration is None:
                raise CompileError(f"{op.name}: {name!r} is no decoration", location_of(op))
            self.decorate(number, decoration, *_decoration_words(decoration, value, op))

    def block_type(self, kind: Attribute) -> None:
        """Makes the struct that a variable of a class with a layout holds a Block."""
        while isinstance(kind, (spirv.ArrayType, spirv.RuntimeArrayType)):
            kind = kind.element
        if not isinstance(kind, spirv.StructType):
            return
        number = self.types.type(kind)
        given = {decoration.data for decoration in kind.decorations}
        if number not in self.blocks and not given & {"Block", "BufferBlock"}:
            self.blocks.add(number)
            self.decorate(number, "Block")

    def stride_of_pointer(self, kind: spirv.PointerType, stride: int, op: Operation) -> None:
        """Decorates a type of pointers with how far apart the elements are that it steps over."""
        number = self.types.type(kind)
        if self.strides.setdefault(number, stride) != stride:
            raise CompileError(
                f"{kind} steps by {self.strides[number]} bytes elsewhere, here by {stride}",
                location_of(op),
            )
        if number not in self.blocks:
            self.blocks.add(number)
            self.decorate(number, "ArrayStride", stride)

    # Places

    def place(self, location: Attribute) -> tuple[int, int, int] | None:
        """File id, line and column of a location."""
        found = self.places.get(id(location))
        if found is None:
            place = location_from_attribute(location)
            words = None
            if place is not None:
                words = (self._file(place.file), place.line, place.column)
            found = self.places[id(location)] = (location, words)
        return found[1]

    def _file(self, name: str) -> int:
        number = self.files.get(name)
        if number is None:
            number = self.files[name] = self.new_id()
            _append(self.strings, Op.String, [number, *string_words(name)])
            if len(self.files) == 1:
                language = enumeration("SourceLanguage").value("Unknown")
                _append(self.strings, Op.Source, [language, 0, number])
        return number

    # Ops of the module

    def function(self, op: spirv.FuncOp) -> None:
        """A function with its body."""
        linkage = op.properties.get("linkage_attributes")
        if op.body.first_block is None and linkage is None:
            raise CompileError(
                f"{op.name}: @{op.sym_name} has no body",
                location_of(op),
                hint="a function of another module has linkage_attributes of type Import",
            )
        self.functions += FunctionWords(self, op).emit()
        number = self.symbols[op.sym_name]
        if linkage is not None:
            self.decorate_by(number, {"linkage_attributes": linkage}, op)
        self.decorate_by(number, op.attributes, op)

    def variable(self, op: spirv.GlobalVariableOp) -> None:
        """A variable of the module."""
        number, kind = self.symbols[op.sym_name], op.type
        words = [
            self.types.type(kind),
            number,
            enumeration("StorageClass").value(kind.storage_class),
        ]
        if op.initializer:
            words.append(self.symbol_id(op.initializer, op))
        if kind.storage_class in BLOCK_CLASSES:
            self.block_type(kind.pointee)
        _append(self.declarations, Op.Variable, words)
        if op.binding is not None:
            self.decorate(number, "DescriptorSet", op.binding[0])
            self.decorate(number, "Binding", op.binding[1])
        self.decorate_by(number, op.attributes, op)

    def spec_constant(self, op: spirv.SpecConstantOp) -> None:
        """A specialisation constant."""
        number, kind = self.symbols[op.sym_name], op.type
        if is_bool(kind):
            value = bool(cast("IntegerAttr", op.default).value.data)
            opcode = Op.SpecConstantTrue if value else Op.SpecConstantFalse
            _append(self.declarations, opcode, [self.types.type(kind), number])
        else:
            default = cast("IntegerAttr | FloatAttr", op.default).value.data
            words = (
                float_words(default, kind)
                if isinstance(op.default, FloatAttr)
                else int_words(int(default), kind)
            )
            _append(self.declarations, Op.SpecConstant, [self.types.type(kind), number, *words])
        self.decorate_by(number, op.attributes, op)

    def spec_composite(self, op: spirv.SpecConstantCompositeOp) -> None:
        """A composite of specialisation constants."""
        number = self.symbols[op.sym_name]
        parts = [self.symbol_id(name, op) for name in op.constituents]
        words = [self.types.type(op.type), number, *parts]
        _append(self.declarations, Op.SpecConstantComposite, words)
        self.decorate_by(number, op.attributes, op)

    def spec_expression(self, op: spirv.SpecConstantExpressionOp) -> None:
        """An expression of specialisation constants."""
        arguments = [
            self.symbol_id(item.root_reference.data, op)
            if isinstance(item, SymbolRefAttr)
            else self.types.constant(item, cast("Any", item).type)
            for item in op.arguments
        ]
        number = self.symbols[op.sym_name]
        words = [self.types.type(op.type), number, instruction(op.opcode).opcode, *arguments]
        _append(self.declarations, Op.SpecConstantOp, words)
        self.decorate_by(number, op.attributes, op)

    def mode(self, op: spirv.ExecutionModeOp) -> None:
        """How a function is executed."""
        mode = cast("spirv.EnumAttr", op.properties["execution_mode"]).value
        words = [self.symbol_id(op.function, op), mode, *op.values]
        _append(self.modes, Op.ExecutionMode, words)

    def mode_id(self, op: spirv.ExecutionModeIdOp) -> None:
        """How a function is executed, by constants."""
        mode = cast("spirv.EnumAttr", op.properties["execution_mode"]).value
        values = [self.symbol_id(value, op) for value in op.values]
        _append(self.modes, Op.ExecutionModeId, [self.symbol_id(op.function, op), mode, *values])

    def entry_point(self, op: spirv.EntryPointOp) -> None:
        for function in self.module.block.ops:
            if isinstance(function, spirv.FuncOp) and function.sym_name == op.function:
                kind = function.type
                if kind.inputs.data or kind.outputs.data:
                    raise CompileError(
                        f"{op.name}: @{op.function} takes parameters or returns a value, which no "
                        "entry point does",
                        location_of(op),
                    )
        model = cast("spirv.EnumAttr", op.properties["execution_model"]).value
        interface = [self.symbol_id(name, op) for name in self._interface(op)]
        words = [model, self.symbol_id(op.function, op), *string_words(op.function), *interface]
        _append(self.entry_points, Op.EntryPoint, words)

    def _interface(self, op: spirv.EntryPointOp) -> list[str]:
        """Before 1.4 the variables of classes Input and Output, from then on all that are used."""
        named = list(op.interface)
        if self.vce.version >= (1, 4):
            reached, pending = set[str](), [op.function]
            while pending:
                function = pending.pop()
                if function not in reached:
                    reached.add(function)
                    pending += self.used.get(function, ())
            variables = (v for v in self.module.block.ops if isinstance(v, spirv.GlobalVariableOp))
            named += (v.sym_name for v in variables if v.sym_name in reached)
            return list(dict.fromkeys(named))
        kinds = {
            v.sym_name: v.type.storage_class
            for v in self.module.block.ops
            if isinstance(v, spirv.GlobalVariableOp)
        }
        return [name for name in named if kinds.get(name) in ("Input", "Output")]


def _append(section: list[int], opcode: int, operands: Sequence[int]) -> None:
    section.append((len(operands) + 1) << 16 | opcode)
    section += operands


def _decoration_words(decoration: str, value: Attribute, op: Operation) -> Sequence[int]:
    """The operands of a decoration from an attribute's value."""
    row = enumeration("Decoration").by_name[decoration]
    if isinstance(value, UnitAttr) and not row.parameters:
        return ()
    if isinstance(value, StringAttr) and len(row.parameters) == 1:
        kind = row.parameters[0]
        names = enumeration(kind).by_name if kind not in ("LiteralString",) else {}
        if value.data in names:
            return (names[value.data].value,)
        if kind == "LiteralString":
            return string_words(value.data)
    if isinstance(value, IntegerAttr) and len(row.parameters) == 1:
        return (cast("IntegerAttr", value).value.data,)
    if isinstance(value, spirv.EnumAttr) and row.parameters == (value.kind,):
        return (value.value,)
    if isinstance(value, spirv.LinkageAttributesAttr):
        name, kind = value.data
        return [*string_words(name), enumeration("LinkageType").value(kind)]
    expected = ", ".join(row.parameters) or "a flag"
    raise CompileError(
        f"{op.name}: the decoration {decoration} takes {expected}, got {value}", location_of(op)
    )


# In the order of a binary: what is named in a declaration stands before it.
_HANDLERS: dict[type[Operation], Callable[[ModuleWords, Any], None]] = {
    spirv.SpecConstantOp: ModuleWords.spec_constant,
    spirv.SpecConstantCompositeOp: ModuleWords.spec_composite,
    spirv.SpecConstantExpressionOp: ModuleWords.spec_expression,
    spirv.GlobalVariableOp: ModuleWords.variable,
    spirv.ExecutionModeOp: ModuleWords.mode,
    spirv.ExecutionModeIdOp: ModuleWords.mode_id,
    spirv.FuncOp: ModuleWords.function,
    spirv.EntryPointOp: ModuleWords.entry_point,
}
# Composites and expressions may be of each other: they stay in their order.
_RANKS = {op_class: rank for rank, op_class in enumerate(_HANDLERS)} | {
    spirv.SpecConstantExpressionOp: 1
}
