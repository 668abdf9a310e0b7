"""How each op in a function is written: `EMITTERS`, by class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Attribute, Operation

from ....dialects import spirv
from ....dialects.diagnostics import CompileError, location_of
from ....dialects.spirv.constants import ConstantOp, UndefOp, is_constant
from ....dialects.spirv.grammar import glsl_numbers, instruction
from .layout import size_of
from .opcodes import Op

if TYPE_CHECKING:
    from .function import FunctionWords

OpT = TypeVar("OpT", bound=Operation)
Emitter: TypeAlias = "Callable[[FunctionWords, Any], None]"


EMITTERS: dict[type[Operation], Emitter] = {}


def emitter_of(op: Operation) -> Emitter:
    """The emitter of an op's class; that of a row is made when it is first met."""
    op_class = type(op)
    found = EMITTERS.get(op_class)
    if found is None:
        if not issubclass(op_class, spirv.RowOp):
            raise CompileError(f"{op.name} has no form in a function of SPIR-V", location_of(op))
        found = EMITTERS[op_class] = row_emitter(op_class)
    return found


def emits(*classes: type[OpT]) -> Callable[[Callable[[FunctionWords, OpT], None]], Any]:
    """Registers the function that writes ops of these classes."""

    def register(function: Callable[[FunctionWords, OpT], None]) -> Any:
        for op_class in classes:
            EMITTERS[op_class] = function
        return function

    return register


# --- ops that are one instruction -----------------------------------------------------------------


def row_emitter(op_class: type[spirv.RowOp]) -> Emitter:
    """Writes an op by its row."""
    row = op_class.row
    name = op_class.instruction()
    extended = name.partition(":")[2]
    opcode = Op.ExtInst if extended else instruction(name).opcode
    number = glsl_numbers()[extended] if extended else 0
    has_result = op_class.signature().result is not None
    operands = _plain if row.words == "$*" else _planned(row.words)
    constants = row.constants

    def emit(f: FunctionWords, op: spirv.RowOp) -> None:
        values = operands(f, op)
        if extended:
            values = [f.module.extended_set(), number, *values]
        if has_result:
            result = op.results[0]
            values = [f.types.type(result.type), f.id(result), *values]
        f.words.append((len(values) + 1) << 16 | opcode)
        f.words += values
        if op.attributes:
            f.module.decorate_by(f.id(op.results[0]) if has_result else 0, op.attributes, op)
        for index in constants:
            if index < len(op.operands) and not is_constant(op.operands[index]):
                raise CompileError(
                    f"{op.name}: operand {index} must be a constant", location_of(op)
                )

    return emit


def _plain(f: FunctionWords, op: spirv.RowOp) -> list[int]:
    ids = f.ids
    return [
        ids[value] if value in ids else f.id(value)
        for value in op._operands  # pyright: ignore[reportPrivateUsage]  # a hot path
    ]


def _planned(words: str) -> Callable[[FunctionWords, spirv.RowOp], list[int]]:
    """The operands of an instruction by a row's `words`."""
    from ....dialects.row_tokens import select

    plan = words.split()

    def operands(f: FunctionWords, op: spirv.RowOp) -> list[int]:
        found: list[int] = []
        for word in plan:
            if word[0] == "$":
                found += map(f.id, select(op.operands, word[1:]))
                continue
            value = op.properties.get(word[1:])
            if value is None:
                continue
            if word[0] == "@":
                found.append(f.types.number(cast("spirv.EnumAttr", value).value))
            elif word[0] == "=":
                found.append(cast("spirv.EnumAttr", value).value)
            else:
                found.append(f.types.number(cast("IntegerAttr", value).value.data))
        return found

    return operands


# --- values ---------------------------------------------------------------------------------------


def result(f: FunctionWords, op: Operation, opcode: int, *operands: int) -> None:
    """An instruction with a result, and the decorations of the op."""
    value = op.results[0]
    f.write(opcode, f.types.type(value.type), f.id(value), *operands)
    if op.attributes:
        f.module.decorate_by(f.id(value), op.attributes, op)


@emits(ConstantOp, spirv.AddressOfOp, spirv.ReferenceOfOp)
def _declared(f: FunctionWords, op: Operation) -> None:
    f.id(op.results[0])


@emits(UndefOp)
def _undef(f: FunctionWords, op: UndefOp) -> None:
    result(f, op, Op.Undef)


@emits(spirv.VariableOp)
def _variable(f: FunctionWords, op: spirv.VariableOp) -> None:
    """Written at the start of the function."""


@emits(spirv.SpecConstantOperationOp)
def _operation(f: FunctionWords, op: spirv.SpecConstantOperationOp) -> None:
    inner = op.inner
    if isinstance(inner, spirv.RowOp):
        words = [instruction(inner.instruction()).opcode, *map(f.id, inner.operands)]
    elif isinstance(inner, (spirv.CompositeExtractOp, spirv.CompositeInsertOp)):
        opcode = instruction(inner.name.removeprefix("spirv.")).opcode
        words = [opcode, *map(f.id, inner.operands), *inner.indices]
    else:
        raise CompileError(f"{inner.name} cannot be a spec constant operation", location_of(op))
    kind = op.results[0].type
    number = f.id(op.results[0])
    f.module.declarations += (
        (len(words) + 3) << 16 | Op.SpecConstantOp,
        f.types.type(kind),
        number,
        *words,
    )
    if op.attributes:
        f.module.decorate_by(number, op.attributes, op)


@emits(spirv.CompositeConstructOp)
def _construct(f: FunctionWords, op: spirv.CompositeConstructOp) -> None:
    result(f, op, Op.CompositeConstruct, *map(f.id, op.operands))


@emits(spirv.CompositeExtractOp)
def _extract(f: FunctionWords, op: spirv.CompositeExtractOp) -> None:
    result(f, op, Op.CompositeExtract, f.id(op.operands[0]), *op.indices)


@emits(spirv.CompositeInsertOp)
def _insert(f: FunctionWords, op: spirv.CompositeInsertOp) -> None:
    result(f, op, Op.CompositeInsert, *map(f.id, op.operands), *op.indices)


@emits(spirv.VectorShuffleOp)
def _shuffle(f: FunctionWords, op: spirv.VectorShuffleOp) -> None:
    components = (component & 0xFFFFFFFF for component in op.components)
    result(f, op, Op.VectorShuffle, *map(f.id, op.operands), *components)


# --- memory ---------------------------------------------------------------------------------------


@emits(spirv.AccessChainOp)
def _access_chain(f: FunctionWords, op: spirv.AccessChainOp) -> None:
    result(f, op, Op.AccessChain, *map(f.id, op.operands))


@emits(spirv.InBoundsAccessChainOp)
def _in_bounds_access_chain(f: FunctionWords, op: spirv.InBoundsAccessChainOp) -> None:
    result(f, op, Op.InBoundsAccessChain, *map(f.id, op.operands))


@emits(spirv.PtrAccessChainOp, spirv.InBoundsPtrAccessChainOp)
def _ptr_access_chain(f: FunctionWords, op: spirv.PtrAccessChainOp) -> None:
    in_bounds = isinstance(op, spirv.InBoundsPtrAccessChainOp)
    kind = op.operands[0].type
    assert isinstance(kind, spirv.PointerType), "an access chain starts at a pointer"
    if kind.storage_class in ("StorageBuffer", "PhysicalStorageBuffer", "PushConstant", "Uniform"):
        given = op.attributes.get("stride")
        stride = given.value.data if isinstance(given, IntegerAttr) else size_of(kind.pointee)
        f.module.stride_of_pointer(kind, stride, op)
    opcode = Op.InBoundsPtrAccessChain if in_bounds else Op.PtrAccessChain
    result(f, op, opcode, *map(f.id, op.operands))


@emits(spirv.ArrayLengthOp)
def _array_length(f: FunctionWords, op: spirv.ArrayLengthOp) -> None:
    result(f, op, Op.ArrayLength, f.id(op.operands[0]), op.member)


def access_words(f: FunctionWords, op: spirv.SpirvOp, access: str, alignment: str) -> list[int]:
    """The memory operand of an access: bits, the alignment, scopes."""
    found = op.properties.get(access)
    if not isinstance(found, spirv.MemoryAccessAttr):
        return []
    words = [found.value]
    if found.has("Aligned"):
        words.append(op.integer(alignment) or 0)
    for name in ("MakePointerAvailable", "MakePointerVisible"):
        if found.has(name):
            words.append(f.types.number(_scope(op).value))
    return words


def _scope(op: spirv.SpirvOp) -> spirv.ScopeAttr:
    scope: Attribute | None = op.properties.get("scope", op.attributes.get("scope"))
    if not isinstance(scope, spirv.ScopeAttr):
        raise CompileError(
            f"{op.name}: what it makes available or visible needs a scope = #spirv.scope<…>",
            location_of(op),
        )
    return scope


@emits(spirv.LoadOp)
def _load(f: FunctionWords, op: spirv.LoadOp) -> None:
    access = access_words(f, op, "memory_access", "alignment") if op.properties else ()
    result(f, op, Op.Load, f.id(op.operands[0]), *access)


@emits(spirv.StoreOp)
def _store(f: FunctionWords, op: spirv.StoreOp) -> None:
    access = access_words(f, op, "memory_access", "alignment") if op.properties else ()
    f.write(Op.Store, *map(f.id, op.operands), *access)


@emits(spirv.CopyMemoryOp)
def _copy_memory(f: FunctionWords, op: spirv.CopyMemoryOp) -> None:
    words = access_words(f, op, "memory_access", "alignment")
    source = access_words(f, op, "source_memory_access", "source_alignment")
    if source and not words:
        words = [0]
    f.write(Op.CopyMemory, *map(f.id, op.operands), *words, *source)


@emits(spirv.CooperativeMatrixLoadOp)
def _matrix_load(f: FunctionWords, op: spirv.CooperativeMatrixLoadOp) -> None:
    pointer, *stride = map(f.id, op.operands)
    layout = f.types.number(cast("spirv.EnumAttr", op.properties["matrix_layout"]).value)
    access = access_words(f, op, "memory_operand", "alignment")
    result(f, op, Op.CooperativeMatrixLoadKHR, pointer, layout, *stride, *access)


@emits(spirv.CooperativeMatrixStoreOp)
def _matrix_store(f: FunctionWords, op: spirv.CooperativeMatrixStoreOp) -> None:
    pointer, matrix, *stride = map(f.id, op.operands)
    layout = f.types.number(cast("spirv.EnumAttr", op.properties["matrix_layout"]).value)
    access = access_words(f, op, "memory_operand", "alignment")
    f.write(Op.CooperativeMatrixStoreKHR, pointer, matrix, layout, *stride, *access)


@emits(spirv.CooperativeMatrixLengthOp)
def _matrix_length(f: FunctionWords, op: spirv.CooperativeMatrixLengthOp) -> None:
    result(f, op, Op.CooperativeMatrixLengthKHR, f.types.type(op.matrix_type))


# --- control flow ---------------------------------------------------------------------------------


@emits(spirv.SelectionOp)
def _selection(f: FunctionWords, op: spirv.SelectionOp) -> None:
    f.selection(op)


@emits(spirv.LoopOp)
def _loop(f: FunctionWords, op: spirv.LoopOp) -> None:
    f.loop(op)


@emits(spirv.MergeOp)
def _merge(f: FunctionWords, op: spirv.MergeOp) -> None:
    """The block goes on after the construct."""


@emits(spirv.BranchOp)
def _branch(f: FunctionWords, op: spirv.BranchOp) -> None:
    f.goes_to(op)
    f.write(Op.Branch, f.label(op.successors[0]))


@emits(spirv.BranchConditionalOp)
def _branch_conditional(f: FunctionWords, op: spirv.BranchConditionalOp) -> None:
    f.goes_to(op)
    labels = map(f.label, op.successors)
    f.write(Op.BranchConditional, f.id(op.operands[0]), *labels, *op.weights)


@emits(spirv.SwitchOp)
def _switch(f: FunctionWords, op: spirv.SwitchOp) -> None:
    from .types import int_words

    f.goes_to(op)
    selector = op.operands[0]
    words = [f.id(selector), f.label(op.successors[0])]
    for number, block in zip(op.literals, op.successors[1:], strict=True):
        words += (*int_words(number, selector.type), f.label(block))
    f.write(Op.Switch, *words)


@emits(spirv.BreakOp, spirv.ContinueOp, spirv.LeaveOp)
def _exit(f: FunctionWords, op: spirv.ExitOp) -> None:
    target = op.target
    assert target is not None, "branches were looked up before"
    f.goes_to(op)
    f.write(Op.Branch, f.label(target))


@emits(spirv.ReturnOp)
def _return(f: FunctionWords, op: spirv.ReturnOp) -> None:
    f.write(Op.Return)


@emits(spirv.ReturnValueOp)
def _return_value(f: FunctionWords, op: spirv.ReturnValueOp) -> None:
    f.write(Op.ReturnValue, f.id(op.operands[0]))


@emits(spirv.UnreachableOp)
def _unreachable(f: FunctionWords, op: spirv.UnreachableOp) -> None:
    f.write(Op.Unreachable)


@emits(spirv.FunctionCallOp)
def _call(f: FunctionWords, op: spirv.FunctionCallOp) -> None:
    f.used.add(op.callee)
    arguments = map(f.id, op.operands)
    callee = f.module.symbol_id(op.callee, op)
    if op.results:
        result(f, op, Op.FunctionCall, callee, *arguments)
    else:
        f.write(Op.FunctionCall, f.types.void(), f.module.new_id(), callee, *arguments)
