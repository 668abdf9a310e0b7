"""The llvm dialect as text for LLVM 22's assembler: `emit(module)`.

    %2 = llvm.add %0, %1 overflow<nsw> : i32         %v2 = add nsw i32 %v0, %v1
    llvm.cond_br %3, ^bb1(%2 : i32), ^bb2            br i1 %v3, label %b1, label %b2
  ^bb1(%4 : i32):                                    b1:
                                                       %v4 = phi i32 [ %v2, %b0 ]

Block arguments become phis, constants become operands. One function per class of op, found in a
table; an op without one is an error that names it. Intrinsics need no declaration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.dialects.builtin import IntegerAttr, IntegerType, ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import llvm, marks
from ...dialects.llvm.base import fast_math
from ...dialects.llvm.intrinsics import TABLE as INTRINSIC_TABLE
from .llvm_constants import mangled, quoted
from .llvm_parts import SEPARATOR, Part, parts_of
from .llvm_text import (
    EMITTERS,
    Emitter,
    FunctionText,
    ModuleText,
    emits,
)
from .llvm_words import calling_convention, symbol_text


def emit(
    module: ModuleOp,
    *,
    triple: str = "",
    data_layout: str = "",
    attributes: Mapping[str, str] | None = None,
    debug: bool | str = False,
    apart: bool = False,
) -> str:
    """The module as LLVM text.

    `attributes` are put on every function that is defined (`{"prefer-vector-width": "512"}`).
    With `debug`, the places that the ops carry become line information for debuggers; a string says
    how much of it LLVM writes ("DebugDirectivesOnly").
    With `apart`, functions that are not to be optimised stand in a second text (llvm_parts.py).
    Raises CompileError for an op that LLVM text has no form for.
    """
    texts = [
        ModuleText(dict(attributes or {}), debug).emit(part, triple, data_layout)
        for part in (parts_of(module) if apart else [Part(tuple(module.body.block.ops))])
    ]
    return SEPARATOR.join(texts)


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
        # Not issubclass: for an abstract class it asks all subclasses, and remembers each answer.
        if llvm.BinaryOp in op_class.__mro__:
            EMITTERS[op_class] = binary(word)
        elif llvm.CastOp in op_class.__mro__:
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
    if marks.BUFFER in op.attributes:
        text += f", !llvm.access.group !{f.module.shared_accesses}"
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


@emits(llvm.MaskedLoadOp, llvm.MaskedStoreOp, llvm.MaskedGatherOp, llvm.MaskedScatterOp)
def _masked(f: FunctionText, op: llvm.MaskedOp) -> str:
    """The call of an intrinsic; the alignment stands at the operand with the addresses."""
    lanes = op.results[0] if op.results else op.operands[0]
    address = op.operands[0 if op.results else 1]
    alignment = op.int_property("alignment", 1)
    given = [
        f"{f.type(value.type)} align {alignment} {f.name(value)}"
        if value is address
        else f.typed(value)
        for value in op.operands
    ]
    word = op.name.removeprefix("llvm.intr.")
    name = f"llvm.{word}.{mangled(lanes.type)}.{mangled(address.type)}"
    return f"call {_result_type(f, op)} @{name}({', '.join(given)})"


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
    mask = f"<{lanes}>" if any(op.mask) else "zeroinitializer"
    first, second = op.operands
    return f"shufflevector {f.typed(first)}, {f.typed(second)}, <{len(op.mask)} x i32> {mask}"


# --- calls ----------------------------------------------------------------------------------------


def _result_type(f: FunctionText, op: Operation) -> str:
    return f.type(op.results[0].type) if op.results else "void"


@emits(llvm.CallOp)
def _call(f: FunctionText, op: llvm.CallOp) -> str:
    arguments: Sequence[SSAValue] = tuple(op.operands)
    if op.callee is not None:
        callee = f"@{symbol_text(op.callee)}"
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
        number = f.module.loop(('"llvm.loop.mustprogress"',))
        text += f", !llvm.loop !{number}"
    if marks.THREADS in op.attributes:
        text += f", !llvm.loop !{f.module.thread_loop()}"
    elif marks.VECTORS in op.attributes:
        text += f", !llvm.loop !{f.module.vector_loop()}"
    elif isinstance(times := op.attributes.get(marks.UNROLL), IntegerAttr):
        number = f.module.loop((f'"llvm.loop.unroll.count", i32 {times.value.data}',))
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
    kind: Attribute = op.operands[0].type
    assert kind.name == IntegerType.name, "a switch is on an integer"
    cases = " ".join(
        f"{f.type(kind)} {value}, {f.target(op, index)}"
        for index, value in enumerate(op.case_values, start=1)
    )
    return f"switch {f.typed(op.operands[0])}, {f.target(op, 0)} [ {cases} ]{_branch_end(f, op)}"
