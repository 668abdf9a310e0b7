"""The llvm dialect as text for LLVM 22's assembler: `emit(module)`.

    %2 = llvm.add %0, %1 overflow<nsw> : i32         %v2 = add nsw i32 %v0, %v1
    llvm.cond_br %3, ^bb1(%2 : i32), ^bb2            br i1 %v3, label %b1, label %b2
  ^bb1(%4 : i32):                                    b1:
                                                       %v4 = phi i32 [ %v2, %b0 ]

Block arguments become phis, constants become operands. One function per class of op, found in a
table; an op without one is an error that names it. Intrinsics need no declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    StringAttr,
    UnitAttr,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects import llvm
from ...dialects.diagnostics import CompileError, location_of
from ...dialects.llvm.base import fast_math
from ...dialects.llvm.intrinsics import TABLE as INTRINSIC_TABLE
from .debug_info import DebugInfo
from .llvm_constants import constant, mangled, quoted, zero
from .llvm_constants import type_text as text_of_type

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


def emit(
    module: ModuleOp,
    *,
    triple: str = "",
    data_layout: str = "",
    attributes: Mapping[str, str] | None = None,
    debug: bool = False,
) -> str:
    """The module as LLVM text.

    `attributes` are put on every function that is defined (`{"prefer-vector-width": "512"}`).
    With `debug`, the places that the ops carry become line information for debuggers.
    Raises CompileError for an op that LLVM text has no form for.
    """
    return ModuleText(dict(attributes or {}), debug).emit(module, triple, data_layout)


class ModuleText:
    """The text of one module under way: numbered metadata and attribute groups."""

    def __init__(self, attributes: dict[str, str], debug: bool) -> None:
        self.attributes = attributes
        self.debug = DebugInfo() if debug else None
        self.metadata: list[str] = []
        self.groups: dict[str, int] = {}
        self.types: dict[int, tuple[Attribute, str]] = {}

    def emit(self, module: ModuleOp, triple: str, data_layout: str) -> str:
        """All of the module."""
        parts: list[str] = []
        if data_layout:
            parts.append(f"target datalayout = {quoted(data_layout)}\n")
        if triple:
            parts.append(f"target triple = {quoted(triple)}\n")
        for op in module.body.block.ops:
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
            f"@{_symbol(op.text_property('sym_name'))} = {linkage.data} "
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
    return ("", "local_unnamed_addr", "unnamed_addr")[op.int_property("unnamed_addr")]


def _no_form(op: Operation) -> CompileError:
    return CompileError(
        f"{op.name} has no form in LLVM text",
        location_of(op),
        hint="it should have been lowered to the llvm dialect before",
    )


@lru_cache(maxsize=1024)
def _symbol(name: str) -> str:
    plain = all(c.isascii() and (c.isalnum() or c in "$._-") for c in name)
    return name if plain and name and not name[0].isdigit() else quoted(name)


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
        return f"@{_symbol(op.symbol)}"
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
        blocks = list(op.body.blocks)
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
        if not isinstance(last, llvm.BranchLikeOp):
            return extra
        seen: set[int] = set()
        for index, successor in enumerate(last.successors):
            source, values = self.label(block), last.arguments_of(index)
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
        if isinstance(linkage, llvm.LinkageAttr) and linkage.data != "external":
            words.append(linkage.data)
        if visibility := ("", "hidden", "protected")[op.int_property("visibility_")]:
            words.append(visibility)
        if isinstance(convention, llvm.CConvAttr) and convention.data != "ccc":
            words.append(calling_convention(convention.data))
        results = op.dictionaries("res_attrs", 1)
        words += _parameter_words(results[0], self.type)
        words.append(self.type(kind.output))
        entry = op.body.blocks.first
        parameters: list[str] = []
        for index, attributes in enumerate(op.dictionaries("arg_attrs", len(kind.inputs.data))):
            part = [self.type(kind.inputs.data[index]), *_parameter_words(attributes, self.type)]
            if entry is not None:
                part.append(self.name(entry.args[index]))
            parameters.append(" ".join(part))
        if kind.is_variadic:
            parameters.append("...")
        group = self.module.group(self.function_words(defined))
        return f"{' '.join(words)} @{_symbol(op.symbol)}({', '.join(parameters)}){group}"

    def function_words(self, defined: bool) -> list[str]:
        """The attributes of the function itself."""
        words = [word for name, word in _FUNCTION_FLAGS.items() if self.op.flag(name)]
        passthrough = self.op.properties.get("passthrough")
        if isinstance(passthrough, ArrayAttr):
            entries = cast(ArrayAttr[Attribute], passthrough).data
            words += [_passthrough_word(entry) for entry in entries]
        if defined:
            words += [f"{quoted(k)}={quoted(v)}" for k, v in self.module.attributes.items()]
        return words

    def debug_scope(self) -> str:
        """The function's node in the debug information."""
        if self.module.debug is None:
            return ""
        self.scope = self.module.debug.function(self.module, self.op)
        return f" !dbg !{self.scope}"

    def debug_place(self, op: Operation) -> str:
        """The source place of one instruction."""
        if self.module.debug is None or self.scope is None:
            return ""
        return f", !dbg !{self.module.debug.place(self.module, op, self.scope)}"


_FUNCTION_FLAGS = {
    "no_inline": "noinline",
    "always_inline": "alwaysinline",
    "optimize_none": "optnone",
    "no_unwind": "nounwind",
    "will_return": "willreturn",
    "convergent": "convergent",
}
_CONVENTIONS = {
    "preserve_mostcc": "preserve_mostcc",
    "preserve_allcc": "preserve_allcc",
    "ptx_kernelcc": "ptx_kernel",
    "ptx_devicecc": "ptx_device",
    "amdgpu_kernelcc": "amdgpu_kernel",
    "spir_kernelcc": "spir_kernel",
    "spir_funccc": "spir_func",
    "amdgpu_cs_chaincc": "amdgpu_cs_chain",
    "aarch64_vectorcallcc": "aarch64_vector_pcs",
}


def calling_convention(name: str) -> str:
    """LLVM's word for a calling convention of the dialect."""
    return _CONVENTIONS.get(name, name)


def _passthrough_word(entry: Attribute) -> str:
    if isinstance(entry, StringAttr):
        return entry.data
    assert isinstance(entry, ArrayAttr), "passthrough entries are strings or pairs of strings"
    key, value = (part.data for part in cast(ArrayAttr[StringAttr], entry).data)
    return f"{quoted(key)}={quoted(value)}"


def _parameter_words(
    attributes: Mapping[str, Attribute], type_text: Callable[[Attribute], str]
) -> list[str]:
    """`{llvm.align = 8 : i64, llvm.noalias}` as `align 8 noalias`; other dialects' are dropped."""
    words: list[str] = []
    for name, value in attributes.items():
        if not name.startswith("llvm."):
            continue
        word = name[len("llvm.") :]
        if isinstance(value, UnitAttr):
            words.append(word)
        elif isinstance(value, IntegerAttr):
            number = value.value.data
            words.append(f"{word} {number}" if word == "align" else f"{word}({number})")
        else:
            words.append(f"{word}({type_text(value)})")
    return words


# --- arithmetic -----------------------------------------------------------------------------------


def _flags(op: Operation) -> str:
    flags = fast_math(op)
    return f"{' '.join(flags)} " if flags else ""


def _register_same_type() -> None:
    """Instructions that are named like their op."""

    def binary(word: str) -> Emitter:
        def emit_binary(f: FunctionText, op: llvm.BinaryOp) -> str:
            a, b = op._operands  # pyright: ignore[reportPrivateUsage]  # no wrapper: a hot path
            flags = ""
            if op.properties:
                overflow = op.properties.get("overflowFlags")
                if isinstance(overflow, llvm.OverflowAttr) and overflow.data:
                    flags = f"{' '.join(overflow.data)} "
                flags += _flags(op)
            return f"{word} {flags}{f.type(a.type)} {f.name(a)}, {f.name(b)}"

        return emit_binary

    def cast(word: str) -> Emitter:
        def emit_cast(f: FunctionText, op: llvm.CastOp) -> str:
            return f"{word} {f.typed(op.operands[0])} to {f.type(op.results[0].type)}"

        return emit_cast

    for op_class in llvm.LLVM.operations:
        word = op_class.name.partition(".")[2]
        if issubclass(op_class, llvm.BinaryOp):
            EMITTERS[op_class] = binary(word)
        elif issubclass(op_class, llvm.CastOp):
            EMITTERS[op_class] = cast(word)


_register_same_type()


@emits(llvm.FNegOp)
def _fneg(f: FunctionText, op: llvm.FNegOp) -> str:
    return f"fneg {_flags(op)}{f.typed(op.operands[0])}"


@emits(llvm.FreezeOp)
def _freeze(f: FunctionText, op: llvm.FreezeOp) -> str:
    return f"freeze {f.typed(op.operands[0])}"


@emits(llvm.ICmpOp, llvm.FCmpOp)
def _compare(f: FunctionText, op: llvm.CompareOp) -> str:
    a, b = op.operands
    word = "icmp" if isinstance(op, llvm.ICmpOp) else "fcmp"
    predicate = op.predicate.lstrip("_")
    return f"{word} {_flags(op)}{predicate} {f.typed(a)}, {f.name(b)}"


@emits(llvm.SelectOp)
def _select(f: FunctionText, op: llvm.SelectOp) -> str:
    return f"select {_flags(op)}{', '.join(f.typed(value) for value in op.operands)}"


# --- memory ---------------------------------------------------------------------------------------


def _scope(op: llvm.LLVMOp) -> str:
    scope = op.text_property("syncscope")
    return f" syncscope({quoted(scope)})" if scope else ""


def _ordering(op: llvm.LLVMOp, name: str = "ordering") -> str:
    return llvm.ORDERING_NAMES[op.int_property(name)]


def _access_end(f: FunctionText, op: llvm.LLVMOp) -> str:
    """What follows the operands of a load or store."""
    text = f"{_scope(op)} {_ordering(op)}" if op.int_property("ordering") else ""
    if alignment := op.int_property("alignment"):
        text += f", align {alignment}"
    if op.flag("nontemporal"):
        text += f", !nontemporal !{f.module.node('!{i32 1}')}"
    if op.flag("invariant"):
        text += f", !invariant.load !{f.module.node('!{}')}"
    return text


def _access_words(op: llvm.LLVMOp) -> str:
    atomic = " atomic" if op.int_property("ordering") else ""
    return atomic + (" volatile" if op.flag("volatile_") else "")


@emits(llvm.LoadOp)
def _load(f: FunctionText, op: llvm.LoadOp) -> str:
    kind = f.type(op.results[0].type)
    return f"load{_access_words(op)} {kind}, {f.typed(op.operands[0])}{_access_end(f, op)}"


@emits(llvm.StoreOp)
def _store(f: FunctionText, op: llvm.StoreOp) -> str:
    value, pointer = op.operands
    return f"store{_access_words(op)} {f.typed(value)}, {f.typed(pointer)}{_access_end(f, op)}"


@emits(llvm.GEPOp)
def _gep(f: FunctionText, op: llvm.GEPOp) -> str:
    inbounds = "inbounds " if op.flag("inbounds") else ""
    indices = ", ".join(
        f"i32 {index}" if isinstance(index, int) else f.typed(index) for index in op.indices
    )
    element = f.type(op.properties["elem_type"])
    return f"getelementptr {inbounds}{element}, {f.typed(op.operands[0])}, {indices}"


@emits(llvm.AllocaOp)
def _alloca(f: FunctionText, op: llvm.AllocaOp) -> str:
    pointer = op.results[0].type
    assert isinstance(pointer, llvm.PointerType), "an alloca gives a pointer"
    alignment, space = op.int_property("alignment"), pointer.space.data
    return (
        f"alloca {f.type(op.properties['elem_type'])}, {f.typed(op.operands[0])}"
        + (f", align {alignment}" if alignment else "")
        + (f", addrspace({space})" if space else "")
    )


@emits(llvm.AtomicRMWOp)
def _atomic_rmw(f: FunctionText, op: llvm.AtomicRMWOp) -> str:
    pointer, value = op.operands
    volatile = " volatile" if op.flag("volatile_") else ""
    alignment = op.int_property("alignment")
    return (
        f"atomicrmw{volatile} {op.kind.lstrip('_')} {f.typed(pointer)}, {f.typed(value)}"
        f"{_scope(op)} {_ordering(op)}" + (f", align {alignment}" if alignment else "")
    )


@emits(llvm.CmpXchgOp)
def _cmpxchg(f: FunctionText, op: llvm.CmpXchgOp) -> str:
    words = (" weak" if op.flag("weak") else "") + (" volatile" if op.flag("volatile_") else "")
    alignment = op.int_property("alignment")
    return (
        f"cmpxchg{words} {', '.join(f.typed(value) for value in op.operands)}{_scope(op)} "
        f"{_ordering(op, 'success_ordering')} {_ordering(op, 'failure_ordering')}"
        + (f", align {alignment}" if alignment else "")
    )


@emits(llvm.FenceOp)
def _fence(f: FunctionText, op: llvm.FenceOp) -> str:
    return f"fence{_scope(op)} {_ordering(op)}"


# --- aggregates -----------------------------------------------------------------------------------


@emits(llvm.ExtractValueOp)
def _extract_value(f: FunctionText, op: llvm.ExtractValueOp) -> str:
    return f"extractvalue {f.typed(op.operands[0])}, {', '.join(map(str, op.position))}"


@emits(llvm.InsertValueOp)
def _insert_value(f: FunctionText, op: llvm.InsertValueOp) -> str:
    aggregate, value = op.operands
    position = ", ".join(map(str, op.position))
    return f"insertvalue {f.typed(aggregate)}, {f.typed(value)}, {position}"


@emits(llvm.ExtractElementOp)
def _extract_element(f: FunctionText, op: llvm.ExtractElementOp) -> str:
    return f"extractelement {', '.join(f.typed(value) for value in op.operands)}"


@emits(llvm.InsertElementOp)
def _insert_element(f: FunctionText, op: llvm.InsertElementOp) -> str:
    return f"insertelement {', '.join(f.typed(value) for value in op.operands)}"


@emits(llvm.ShuffleVectorOp)
def _shuffle_vector(f: FunctionText, op: llvm.ShuffleVectorOp) -> str:
    lanes = ", ".join("i32 poison" if lane < 0 else f"i32 {lane}" for lane in op.mask)
    first, second = op.operands
    return f"shufflevector {f.typed(first)}, {f.typed(second)}, <{len(op.mask)} x i32> <{lanes}>"


# --- calls ----------------------------------------------------------------------------------------


def _result_type(f: FunctionText, op: Operation) -> str:
    return f.type(op.results[0].type) if op.results else "void"


@emits(llvm.CallOp)
def _call(f: FunctionText, op: llvm.CallOp) -> str:
    arguments: Sequence[SSAValue] = tuple(op.operands)
    if op.callee is not None:
        callee = f"@{_symbol(op.callee)}"
    else:
        callee, arguments = f.name(arguments[0]), arguments[1:]
    convention = op.properties.get("CConv")
    words = ""
    if isinstance(convention, llvm.CConvAttr) and convention.data != "ccc":
        words = f"{calling_convention(convention.data)} "
    variadic = op.properties.get("var_callee_type")
    kind = _result_type(f, op) if variadic is None else f.type(variadic)
    given = ", ".join(f.typed(value) for value in arguments)
    return f"call {_flags(op)}{words}{kind} {callee}({given})"


@emits(llvm.CallIntrinsicOp)
def _call_intrinsic(f: FunctionText, op: llvm.CallIntrinsicOp) -> str:
    given = ", ".join(f.typed(value) for value in op.operands)
    return f"call {_flags(op)}{_result_type(f, op)} @{op.intrinsic}({given})"


def _intrinsic(f: FunctionText, op: llvm.IntrinsicOp) -> str:
    entry = INTRINSIC_TABLE[op.intrinsic]
    name = f"llvm.{op.intrinsic}"
    for overload in entry.overloads:
        value = op.results[0] if overload == "r" else op.operands[int(overload)]
        name += f".{mangled(value.type)}"
    given = [f.typed(value) for value in op.operands]
    if entry.immediate:
        given.append("i1 true" if op.int_property(entry.immediate) else "i1 false")
    return f"call {_flags(op)}{_result_type(f, op)} @{name}({', '.join(given)})"


EMITTERS.update(dict.fromkeys(llvm.INTRINSICS.values(), _intrinsic))


@emits(llvm.InlineAsmOp)
def _inline_asm(f: FunctionText, op: llvm.InlineAsmOp) -> str:
    words = " sideeffect" if op.flag("has_side_effects") else ""
    words += " alignstack" if op.flag("is_align_stack") else ""
    words += " inteldialect" if op.int_property("asm_dialect") else ""
    text, constraints = quoted(op.text_property("asm_string")), op.text_property("constraints")
    given = ", ".join(f.typed(value) for value in op.operands)
    return f"call {_result_type(f, op)} asm{words} {text}, {quoted(constraints)}({given})"


# --- control flow ---------------------------------------------------------------------------------


def _branch_end(f: FunctionText, op: llvm.LLVMOp) -> str:
    text = ""
    if weights := op.array_property("branch_weights"):
        numbers = ", ".join(f"i32 {weight}" for weight in weights)
        node = f.module.node('!{!"branch_weights", ' + numbers + "}")
        text += f", !prof !{node}"
    annotation = op.properties.get("loop_annotation")
    if isinstance(annotation, llvm.LoopAnnotationAttr) and "mustProgress = true" in annotation.data:
        progress = f.module.node('!{!"llvm.loop.mustprogress"}')
        number = len(f.module.metadata)
        f.module.node(f"distinct !{{!{number}, !{progress}}}")
        text += f", !llvm.loop !{number}"
    return text


@emits(llvm.ReturnOp)
def _return(f: FunctionText, op: llvm.ReturnOp) -> str:
    return f"ret {f.typed(op.operands[0])}" if op.operands else "ret void"


@emits(llvm.UnreachableOp)
def _unreachable(f: FunctionText, op: llvm.UnreachableOp) -> str:
    return "unreachable"


@emits(llvm.BrOp)
def _br(f: FunctionText, op: llvm.BrOp) -> str:
    return f"br {f.target(op, 0)}{_branch_end(f, op)}"


@emits(llvm.CondBrOp)
def _cond_br(f: FunctionText, op: llvm.CondBrOp) -> str:
    condition = f.name(op.operands[0])
    return f"br i1 {condition}, {f.target(op, 0)}, {f.target(op, 1)}{_branch_end(f, op)}"


@emits(llvm.SwitchOp)
def _switch(f: FunctionText, op: llvm.SwitchOp) -> str:
    kind = op.operands[0].type
    assert isinstance(kind, IntegerType), "a switch is on an integer"
    cases = " ".join(
        f"{f.type(kind)} {value}, {f.target(op, index)}"
        for index, value in enumerate(op.case_values, start=1)
    )
    return f"switch {f.typed(op.operands[0])}, {f.target(op, 0)} [ {cases} ]{_branch_end(f, op)}"
