"""The frame of LLVM text: modules, functions, blocks with phis, names, attribute groups.

How single ops look is in llvm.py, which fills `EMITTERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects import llvm
from ...dialects.branching import BranchingOp
from ...dialects.diagnostics import CompileError, location_of
from ...dialects.llvm.types import UNNAMED_ADDR
from .debug_info import DebugInfo
from .llvm_constants import constant, quoted, zero
from .llvm_constants import type_text as text_of_type
from .llvm_parts import Part, is_ours
from .llvm_words import (
    FUNCTION_FLAGS,
    calling_convention,
    parameter_words,
    passthrough_word,
    symbol_text,
)

OpT = TypeVar("OpT", bound=Operation)
Emitter = Callable[["FunctionText", Any], str]
EMITTERS: dict[type[Operation], Emitter] = {}


def emits(*classes: type[OpT]) -> Callable[[Callable[[FunctionText, OpT], str]], Any]:
    """Registers the function that gives the text of ops of these classes, without a result name."""

    def register(function: Callable[[FunctionText, OpT], str]) -> Any:
        for op_class in classes:
            EMITTERS[op_class] = function
        return function

    return register


class ModuleText:
    """The text of one module under way: numbered metadata and attribute groups."""

    def __init__(self, attributes: dict[str, str], debug: bool | str) -> None:
        self.attributes = attributes
        self.debug = DebugInfo(debug if isinstance(debug, str) else "FullDebug") if debug else None
        self.metadata: list[str] = []
        self.groups: dict[str, int] = {}
        self.types: dict[int, tuple[Attribute, str]] = {}
        self.part = Part(())

    def emit(self, part: Part, triple: str, data_layout: str) -> str:
        """All of a part of a module."""
        self.part = part
        parts: list[str] = []
        if data_layout:
            parts.append(f"target datalayout = {quoted(data_layout)}\n")
        if triple:
            parts.append(f"target triple = {quoted(triple)}\n")
        for op in part.ops:
            if isinstance(op, llvm.FuncOp):
                parts.append(FunctionText(self, op).emit())
            elif isinstance(op, llvm.GlobalOp):
                parts.append(self.global_text(op))
            else:
                raise _no_form(op)
        parts += [f"attributes #{n} = {{ {text} }}\n" for text, n in self.groups.items()]
        if self.debug is not None:
            parts.append(self.debug.named(self))
        parts.append("\n".join(f"!{number} = {text}" for number, text in enumerate(self.metadata)))
        return "\n".join(parts) + "\n"

    def type(self, attribute: Attribute) -> str:
        """The LLVM text of a type."""
        found = self.types.get(id(attribute))
        if found is None:
            found = self.types[id(attribute)] = (attribute, text_of_type(attribute))
        return found[1]

    def node(self, text: str) -> int:
        """A new metadata node; its number."""
        self.metadata.append(text)
        return len(self.metadata) - 1

    @cached_property
    def shared_accesses(self) -> int:
        """The group of accesses that threads make without an order among each other."""
        return self.node("distinct !{}")

    def thread_loop(self) -> int:
        """What LLVM is told of a loop over threads; one node for each loop.

        The accesses to buffers do not depend on other iterations. Unrolling what vectorising left
        over costs most of the code generator's time and gains nothing.
        """
        hints = [f'"llvm.loop.parallel_accesses", !{self.shared_accesses}']
        hints.append('"llvm.loop.unroll.disable"')
        return self.loop(hints)

    def vector_loop(self) -> int:
        """What LLVM is told of a loop over vectors of threads; one node for each loop."""
        return self.loop(('"llvm.loop.isvectorized", i32 1', '"llvm.loop.unroll.disable"'))

    def loop(self, hints: Sequence[str]) -> int:
        """The node of one loop, with hints such as `"llvm.loop.mustprogress"`."""
        nodes = [self.node(f"!{{!{hint}}}") for hint in hints]
        number = len(self.metadata)
        return self.node(f"distinct !{{!{number}, {', '.join(f'!{node}' for node in nodes)}}}")

    def group(self, words: Sequence[str]) -> str:
        """The reference to a group of function attributes."""
        if not words:
            return ""
        return f" #{self.groups.setdefault(' '.join(words), len(self.groups))}"

    def global_text(self, op: llvm.GlobalOp) -> str:
        """One variable or constant of the module."""
        kind, linkage = op.properties["global_type"], op.properties["linkage"]
        assert isinstance(linkage, llvm.LinkageAttr), "a global has a linkage"
        value = op.properties.get("value")
        if value is not None:
            start = f" {constant(value, kind, op)}"
        elif linkage.data == "external":
            start = ""
        else:
            start = f" {_region_value(op, kind)}"
        space, alignment = op.int_property("addr_space"), op.int_property("alignment")
        return (
            f"@{symbol_text(op.text_property('sym_name'))} = {linkage.data} "
            + (f"{llvm_unnamed} " if (llvm_unnamed := _unnamed(op)) else "")
            + (f"addrspace({space}) " if space else "")
            + ("constant " if op.flag("constant") else "global ")
            + self.type(kind)
            + start
            + (f", align {alignment}" if alignment else "")
            + "\n"
        )


def _region_value(op: llvm.GlobalOp, kind: Attribute) -> str:
    """The start value of a global that returns one constant, else any value."""
    block = op.regions[0].blocks.first if op.regions else None
    if block is None:
        return "undef"
    last = block.last_op
    value = last.operands[0] if isinstance(last, llvm.ReturnOp) else None
    if value is None or not isinstance(value.owner, Operation):
        raise CompileError("a global's region must return a constant", location_of(op))
    text = _constant_operand(value.owner)
    if text is None:
        raise _no_form(value.owner)
    return text


def _unnamed(op: llvm.LLVMOp) -> str:
    return UNNAMED_ADDR[op.int_property("unnamed_addr")]


def _no_form(op: Operation) -> CompileError:
    return CompileError(
        f"{op.name} has no form in LLVM text",
        location_of(op),
        hint="it should have been lowered to the llvm dialect before",
    )


def _constant_operand(op: Operation) -> str | None:
    """The operand text of what LLVM has no instruction for."""
    if isinstance(op, llvm.ConstantOp):
        return constant(op.properties["value"], op.results[0].type, op)
    if isinstance(op, llvm.ZeroOp):
        return zero(op.results[0].type)
    if isinstance(op, llvm.UndefOp):
        return "undef"
    if isinstance(op, llvm.PoisonOp):
        return "poison"
    if isinstance(op, llvm.AddressOfOp):
        return f"@{symbol_text(op.symbol)}"
    return None


CONSTANTS = frozenset((llvm.ConstantOp, llvm.ZeroOp, llvm.UndefOp, llvm.PoisonOp, llvm.AddressOfOp))


class FunctionText:
    """The text of one function under way: names of its values and blocks."""

    def __init__(self, module: ModuleText, op: llvm.FuncOp) -> None:
        self.module = module
        self.type = module.type
        self.op = op
        self.names: dict[int, str] = {}
        self.labels: dict[int, str] = {}
        self.edges: dict[int, list[tuple[str, Sequence[SSAValue]]]] = {}
        self.split: dict[tuple[int, int], str] = {}
        self.scope: int | None = None
        self.places: dict[int, str] = {}

    # Names

    def name(self, value: SSAValue) -> str:
        """The operand text of a value."""
        found = self.names.get(id(value))
        if found is None:
            owner = value.owner
            text = None
            if owner.__class__ in CONSTANTS and isinstance(owner, Operation):
                text = _constant_operand(owner)
            if text is None:
                hint = value.name_hint
                text = f"%{hint}.{len(self.names)}" if hint else f"%v{len(self.names)}"
            found = self.names[id(value)] = text
        return found

    def typed(self, value: SSAValue) -> str:
        """The operand text with its type in front."""
        return f"{self.type(value.type)} {self.name(value)}"

    def label(self, block: Block) -> str:
        """The name of a block, without the percent sign."""
        return self.labels[id(block)]

    def target(self, op: Operation, index: int) -> str:
        """The `label %x` of a terminator's successor."""
        label = self.split.get((id(op), index)) or self.label(op.successors[index])
        return f"label %{label}"

    # The whole function

    def emit(self) -> str:
        """The definition or declaration."""
        op = self.op
        blocks = () if op.symbol in self.module.part.foreign else tuple(op.body.blocks)
        head = self.head(bool(blocks))
        if not blocks:
            return f"{head}\n"
        for number, block in enumerate(blocks):
            hint = block.name_hint
            self.labels[id(block)] = f"{hint}.{number}" if hint else f"b{number}"
        extra: dict[int, list[str]] = {}
        for block in blocks:
            extra[id(block)] = self.connect(block)
        lines = [head + self.debug_scope() + " {"]
        for number, block in enumerate(blocks):
            self.block(block, number == 0, lines)
            lines += extra[id(block)]
        lines.append("}\n")
        return "\n".join(lines)

    def connect(self, block: Block) -> list[str]:
        """Notes the edges out of a block; the text of blocks that split doubled edges."""
        last = block.last_op
        extra: list[str] = []
        if not isinstance(last, BranchingOp):
            return extra
        seen: set[int] = set()
        for index, successor in enumerate(last.successors):
            source, values = self.label(block), last.successor_operands(index)
            if values and id(successor) in seen:  # a phi knows an edge by its source only
                source = f"{self.label(block)}.{index}"
                self.split[id(last), index] = source
                extra += [f"{source}:", f"  br label %{self.label(successor)}"]
            seen.add(id(successor))
            self.edges.setdefault(id(successor), []).append((source, values))
        return extra

    def block(self, block: Block, is_entry: bool, lines: list[str]) -> None:
        """Appends the lines of one block."""
        lines.append(f"{self.label(block)}:")
        if not is_entry:
            edges = self.edges.get(id(block), [])
            for position, argument in enumerate(block.args):
                sources = ", ".join(
                    f"[ {self.name(values[position])}, %{source} ]" for source, values in edges
                )
                kind = self.type(argument.type)
                value = f"phi {kind} {sources}" if edges else f"freeze {kind} poison"
                lines.append(f"  {self.name(argument)} = {value}")
        for op in block.ops:
            emitter = EMITTERS.get(op.__class__)
            if emitter is None:
                if op.__class__ in CONSTANTS:
                    continue
                raise _no_form(op)
            text = emitter(self, op)
            if op.results:
                text = f"{self.name(op.results[0])} = {text}"
            lines.append(f"  {text}{self.debug_place(op)}")

    def head(self, defined: bool) -> str:
        """`define internal fastcc float @f(i32 %a, ptr %p) #0` or `declare …`."""
        op, kind = self.op, self.op.type
        linkage, convention = op.properties.get("linkage"), op.properties.get("CConv")
        words = ["define" if defined else "declare"]
        if op.symbol in self.module.part.shared:
            words.append("hidden")
        elif isinstance(linkage, llvm.LinkageAttr) and linkage.data != "external":
            words.append(linkage.data)
        if visibility := ("", "hidden", "protected")[op.int_property("visibility_")]:
            words.append(visibility)
        if isinstance(convention, llvm.CConvAttr) and convention.data != "ccc":
            words.append(calling_convention(convention.data))
        results = op.dictionaries("res_attrs", 1)
        words += parameter_words(results[0], self.type)
        words.append(self.type(kind.output))
        entry = op.body.blocks.first
        parameters: list[str] = []
        for index, attributes in enumerate(op.dictionaries("arg_attrs", len(kind.inputs.data))):
            part = [self.type(kind.inputs.data[index]), *parameter_words(attributes, self.type)]
            if entry is not None:
                part.append(self.name(entry.args[index]))
            parameters.append(" ".join(part))
        if kind.is_variadic:
            parameters.append("...")
        group = self.module.group(self.function_words(defined))
        return f"{' '.join(words)} @{symbol_text(op.symbol)}({', '.join(parameters)}){group}"

    def function_words(self, defined: bool) -> list[str]:
        """The attributes of the function itself."""
        words = [word for name, word in FUNCTION_FLAGS.items() if self.op.flag(name)]
        passthrough = self.op.properties.get("passthrough")
        if isinstance(passthrough, ArrayAttr):
            entries = cast(ArrayAttr[Attribute], passthrough).data
            words += [passthrough_word(entry) for entry in entries]
        if defined:
            words += [f"{quoted(k)}={quoted(v)}" for k, v in self.module.attributes.items()]
        return words

    def debug_scope(self) -> str:
        """The function's node in the debug information."""
        if self.module.debug is None or is_ours(self.op):
            return ""
        self.scope = self.module.debug.function(self.module, self.op)
        return f" !dbg !{self.scope}"

    def debug_place(self, op: Operation) -> str:
        """The source place of one instruction."""
        if self.module.debug is None or self.scope is None:
            return ""
        text = self.places.get(id(op.location))
        if text is None:
            text = f", !dbg !{self.module.debug.place(self.module, op, self.scope)}"
            self.places[id(op.location)] = text
        return text
