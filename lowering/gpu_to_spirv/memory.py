"""Memory: 1-D views become access chains; atomics become one instruction each.

    %v = memref.load %x[%i] : memref<?xf32, global>

    %p = spirv.AccessChain %x[%zero, %i] : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, …>)>, …>
    %v = spirv.Load "PhysicalStorageBuffer" %p ["Aligned", 4] : f32

A buffer is a struct of one runtime array, wherever it came from: its address in the parameter
block or a binding (then an index is counted from the bound start, `State.starts`). Arrays of a
block or thread are variables.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import memref
from xdsl.dialects.builtin import (
    IndexType,
    SymbolRefAttr,
    UnitAttr,
    i32,
    i64,
)
from xdsl.ir import Operation, SSAValue

from ...dialects import gpu, gpux, marks, spirv
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..memref_views import as_memref
from .build import (
    access,
    as_index,
    binary,
    bits,
    compare,
    const,
    is_integer,
    load,
    once,
    select,
    state_of,
    store,
)
from .build import op as op_
from .control import variable
from .parameters import global_variable

RULES = Rules()
converts = RULES.converts

_SCOPES = {"subgroup": "Workgroup", "block": "Workgroup", "device": "Device", "system": "Device"}
_ORDERS = {
    "relaxed": "None",
    "acquire": "Acquire",
    "release": "Release",
    "acq_rel": "AcquireRelease",
    "seq_cst": "AcquireRelease",
}
# Of a compare-exchange that finds another value, and then does not write.
_FAILED = {"release": "relaxed", "acq_rel": "acquire", "seq_cst": "acquire"}
_INTEGER = {
    "add": "AtomicIAdd", "mins": "AtomicSMin", "minu": "AtomicUMin", "maxs": "AtomicSMax",
    "maxu": "AtomicUMax", "and": "AtomicAnd", "or": "AtomicOr", "xor": "AtomicXor",
    "exchange": "AtomicExchange",
}  # fmt: skip


def element(rw: Rewriter, view: SSAValue, index: SSAValue) -> SSAValue:
    """The pointer to an element of a view."""
    kind = view.type
    assert isinstance(kind, spirv.PointerType), "a view is a pointer"
    array = kind.pointee
    if isinstance(array, spirv.ArrayType):
        return access(rw, view, [index], array.element)
    assert isinstance(array, spirv.StructType), "a buffer is a struct of one array"
    (elements,) = array.types
    assert isinstance(elements, spirv.RuntimeArrayType), "a buffer is a struct of one array"
    start = state_of(rw).starts.get(view)
    if start is not None:
        index = binary(rw, "IAdd", index, start)
    return access(rw, view, [0, index], elements.element)


@converts(memref.LoadOp)
def convert_load(op: memref.LoadOp, operands: Operands, rw: Rewriter) -> Results:
    """A load of one element."""
    (view,), (index,) = _one_index(operands)
    return load(rw, element(rw, view, index))


@converts(memref.StoreOp)
def convert_store(op: memref.StoreOp, operands: Operands, rw: Rewriter) -> Results:
    """A store of one element."""
    (value,), *rest = operands
    (view,), (index,) = _one_index(tuple(rest))
    store(rw, element(rw, view, _kept_index(rw, view, index)), value)
    return None


def _kept_index(rw: Rewriter, view: SSAValue, index: SSAValue) -> SSAValue:
    """The index of a store, for llvmpipe into a thread's array as a value of its own.

    Its compiler (seen with 22.3) keeps the rounds' values of a loop's variable in one register, and
    takes no notice of a store to such an array that has one of them for its index: `a[n] = x` then
    goes to the next round's `n` where that is computed before. The least of index and end is in the
    array what the index is, and not a variable.
    """
    kind = view.type
    assert isinstance(kind, spirv.PointerType), "a view is a pointer"
    if kind.storage_class != "Function" or not state_of(rw).target.suits_llvmpipe:
        return index
    assert isinstance(kind.pointee, spirv.ArrayType), "a thread's view is an array"
    size = kind.pointee.length
    if size is None or isinstance(index.owner, spirv.ConstantOp):
        return index
    return select(rw, compare(rw, "ULessThan", index, size), index, const(rw, size - 1, index.type))


def _one_index(operands: Operands) -> Operands:
    if len(operands) != 2:
        raise CannotConvert(
            f"a view with {len(operands) - 1} indices (flatten-memrefs comes before)"
        )
    return operands


@converts(memref.AllocaOp)
def convert_alloca(op: memref.AllocaOp, operands: Operands, rw: Rewriter) -> Results:
    """An array of the thread."""
    return variable(rw, array_type(rw, op.memref))


def array_type(rw: Rewriter, view: SSAValue) -> spirv.ArrayType:
    """The array that a workgroup or private view is a pointer to."""
    kind = rw.type(view.type)
    assert isinstance(kind, spirv.PointerType), "a view becomes a pointer"
    assert isinstance(kind.pointee, spirv.ArrayType), "an array of a block or thread has a size"
    return kind.pointee


# --- dynamic workgroup memory ---------------------------------------------------------------------

DYNAMIC_BYTES = "dynamic_bytes"
DYNAMIC_BYTES_ID = 4
SPARE_BYTES = 16  # an array has at least one element, whatever the launch gives


@converts(gpu.DynamicSharedMemoryOp)
def convert_dynamic(op: gpu.DynamicSharedMemoryOp, operands: Operands, rw: Rewriter) -> Results:
    """Its size is a specialisation constant; the array stands where it is viewed."""
    state = state_of(rw)
    if DYNAMIC_BYTES not in state.names:
        state.names.add(DYNAMIC_BYTES)
        state.declare(spirv.SpecConstantOp.define(DYNAMIC_BYTES, 0, i32, DYNAMIC_BYTES_ID))
    symbol = {"spec_const": SymbolRefAttr(DYNAMIC_BYTES)}
    return once(rw, DYNAMIC_BYTES, lambda: rw.value(spirv.ReferenceOfOp, (), i32, symbol))


@converts(memref.DimOp)
def convert_dim(op: memref.DimOp, operands: Operands, rw: Rewriter) -> Results:
    """The bytes of dynamic workgroup memory."""
    if not isinstance(op.source.owner, gpu.DynamicSharedMemoryOp):
        raise CannotConvert("the size of a view (flatten-memrefs makes it a number)")
    return as_index(rw, operands[0][0])


@converts(memref.ViewOp)
def convert_view(op: memref.ViewOp, operands: Operands, rw: Rewriter) -> Results:
    """The array of all dynamic workgroup memory."""
    if not isinstance(op.source.owner, gpu.DynamicSharedMemoryOp):
        raise CannotConvert("a view of memory that is not dynamic workgroup memory")
    state, name = state_of(rw), "dynamic_length"
    (element,) = rw.types(as_memref(op.results[0].type).element_type)
    if name not in state.names:
        state.names.add(name)
        size, spare = (spirv.scalar_attribute(n, i32) for n in (bits(element) // 8, SPARE_BYTES))
        define = spirv.SpecConstantExpressionOp.define
        state.declare(define("dynamic_room", "IAdd", [DYNAMIC_BYTES, spare], i32))
        state.declare(define(name, "UDiv", ["dynamic_room", size], i32))
    kind = spirv.PointerType(spirv.ArrayType(element, name), "Workgroup")
    return global_variable(rw, "__dynamic_shared", kind)


# --- atomics --------------------------------------------------------------------------------------


def semantics(rw: Rewriter, order: str, storage: Sequence[str]) -> str:
    """The words of an order for kinds of memory; "None" where nothing is ordered."""
    words = _ORDERS[order]
    if words == "None":
        return words
    words = "|".join((words, *storage))
    if state_of(rw).vulkan_memory:
        words += "" if order == "acquire" else "|MakeAvailable"
        words += "" if order == "release" else "|MakeVisible"
    return words


def _semantics(rw: Rewriter, order: str, pointer: SSAValue) -> str:
    """Those for the memory that a pointer is of; "None" where atomics are ordered without."""
    if state_of(rw).target.has("strong_atomics"):
        return "None"
    kind = pointer.type
    assert isinstance(kind, spirv.PointerType), "an address is a pointer"
    shared = kind.storage_class == "Workgroup"
    return semantics(rw, order, ("WorkgroupMemory" if shared else "UniformMemory",))


@converts(gpux.AtomicRMWOp)
def convert_rmw(op: gpux.AtomicRMWOp, operands: Operands, rw: Rewriter) -> Results:
    """One instruction; what a device has none for is a loop by now."""
    (value,), *rest = operands
    (view,), (index,) = _one_index(tuple(rest))
    name = _instruction(rw, op, view)
    pointer = element(rw, view, index)
    if op.kind.data == "exchange" and not is_integer(value.type):
        raise CannotConvert("an exchange of floats (expand-atomics makes it one of bits)")
    scope, order = _SCOPES[op.scope.data], op.order.data
    _fence(rw, order, scope, pointer)
    made = atomic(rw, name, pointer, (value,), scope, _semantics(rw, order, pointer))
    return _ordered(rw, order, made)


def atomic(
    rw: Rewriter,
    name: str,
    pointer: SSAValue,
    values: Sequence[SSAValue],
    scope: str = "Device",
    order: str = "None",
) -> SSAValue:
    """An atomic of the table; what was there before."""
    properties = {
        "memory_scope": spirv.ScopeAttr(scope),
        "semantics": spirv.MemorySemanticsAttr(order),
    }
    return op_(rw, name, (pointer, *values), values[0].type, properties)


def _ordered(rw: Rewriter, order: str, made: SSAValue) -> SSAValue:
    """The result of an atomic, with a mark where its order is the device's alone."""
    if order != "relaxed" and state_of(rw).target.has("strong_atomics"):
        assert isinstance(made.owner, Operation), "an op was made"
        made.owner.attributes[marks.STRONG] = UnitAttr()
    return made


def _fence(rw: Rewriter, order: str, scope: str, pointer: SSAValue) -> None:
    """What makes an atomic sequentially consistent: everything before it is visible first."""
    if order == "seq_cst" and not state_of(rw).target.has("strong_atomics"):
        properties = {
            "memory_scope": spirv.ScopeAttr(scope),
            "memory_semantics": spirv.MemorySemanticsAttr(_semantics(rw, order, pointer)),
        }
        rw.create(spirv.OPS["MemoryBarrier"], properties=properties)


def _instruction(rw: Rewriter, op: gpux.AtomicRMWOp, view: SSAValue) -> str:
    """The instruction for a kind and type; CannotConvert where the profile has none."""
    kind, value = op.kind.data, op.value.type
    storage = view.type
    assert isinstance(storage, spirv.PointerType), "a view is a pointer"
    shared = "shared_" if storage.storage_class == "Workgroup" else ""
    has = state_of(rw).target.has
    if isinstance(value, IndexType):
        return _INTEGER[kind]
    if is_integer(value) and kind in _INTEGER:
        width = bits(value)
        if width == 32 or (width == 64 and has(f"{shared}int64_atomics")):
            return _INTEGER[kind]
    floats = value.name in ("f32", "f64") and kind == "add"
    if floats and has(f"{shared}float{bits(value)}_atomic_add"):
        return "EXT.AtomicFAdd"
    raise CannotConvert(f"an atomic {kind} of {value} has no instruction on this device")


@converts(gpux.AtomicCASOp)
def convert_cas(op: gpux.AtomicCASOp, operands: Operands, rw: Rewriter) -> Results:
    """A compare-exchange of integers."""
    (expected,), (desired,), *rest = operands
    (view,), (index,) = _one_index(tuple(rest))
    pointer = element(rw, view, index)
    if expected.type not in (i32, i64):
        raise CannotConvert(f"a compare-exchange of {expected.type} has no instruction")
    scope = _SCOPES[op.scope.data]
    _fence(rw, op.order.data, scope, pointer)
    order = op.order.data
    equal, unequal = (_semantics(rw, word, pointer) for word in (order, _FAILED.get(order, order)))
    properties = {
        "memory_scope": spirv.ScopeAttr(scope),
        "equal_semantics": spirv.MemorySemanticsAttr(equal),
        "unequal_semantics": spirv.MemorySemanticsAttr(unequal),
    }
    operands_ = (pointer, desired, expected)
    made = op_(rw, "AtomicCompareExchange", operands_, expected.type, properties)
    return _ordered(rw, order, made)
