"""What the lowering to llvm has to know of its target, and what it keeps while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    IndexType,
    IntegerType,
    MemRefType,
    ModuleOp,
    NoneAttr,
    VectorType,
    f16,
    i16,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import llvm
from ...dialects.diagnostics import CompileError
from ..conversion import CannotConvert, Rewriter, TypeMap, Types
from ..memref_views import DYNAMIC, strides_of


@dataclass(frozen=True)
class LlvmTarget:
    """The parameters of the lowering, for any target that goes through LLVM."""

    index: IntegerType = i64
    half_instructions: bool = True
    """Whether the target converts f16 by instructions; else f16 values are kept as their bits."""

    scales: bool = False
    """Whether there is `vscalef`, of x86 with AVX-512, for vectors of 128 to 512 bits."""

    spaces: Mapping[str, int] = field(default_factory=dict[str, int])
    """The number of each address space; memory without one is in space 0."""

    scopes: Mapping[str, str] = field(default_factory=dict[str, str])
    """The synchronisation scope of each scope of an atomic; the empty one is everybody."""

    turns: Sequence[str] = ()
    """The scopes whose threads take turns, so that their atomics are a load, an op and a store."""

    report_space: int = 0
    """The address space of the report buffer."""

    report_words: Sequence[str] = ()
    """Further LLVM attributes of the functions that write reports, such as "optnone"."""

    reporter: str = ""
    """The function outside the module that writes reports of up to two values, if there is one."""

    kernel_status: bool = True
    """Whether a kernel gives 0 or 1; else it gives nothing, and a failed check ends the thread."""

    thread_ids: Callable[[Rewriter], Sequence[SSAValue]] | None = None
    """Reads the six ids of a report where it is written; None: each check and print has them."""


@dataclass
class State:
    """What the converters share: the target, and what the module has got so far."""

    target: LlvmTarget
    module: ModuleOp
    functions: dict[str, llvm.FuncOp] = field(default_factory=dict[str, llvm.FuncOp])
    small: bool = False
    """Whether the elements of every array are less than 2^31 apart (see `gpux.small`)."""
    late: Set[Operation] = frozenset()
    """Loads that are frozen; see `late_loads`."""
    prints: bool | None = None
    """Whether the kernel prints; found out when its first report is converted."""

    def declare(
        self, name: str, inputs: Sequence[Attribute], output: Attribute | None, *words: str
    ) -> str:
        """Makes an external function known to the module; its name."""
        if name not in self.functions:
            kind = llvm.FunctionType(inputs, output)
            self.add(llvm.FuncOp.define(name, kind, passthrough=("nounwind", *words)))
        return name

    def add(self, op: llvm.FuncOp) -> None:
        """Puts a function at the end of the module."""
        self.functions[op.symbol] = op
        self.module.body.block.add_op(op)


def type_map(target: LlvmTarget) -> TypeMap:
    """How types become types of LLVM; a memref becomes pointer, dynamic sizes, dynamic strides."""
    half: Attribute = f16 if target.half_instructions else i16

    def memref(kind: MemRefType, types: Types) -> list[Attribute]:
        pointer = llvm.PointerType(space_number(kind.memory_space, target))
        sizes = [target.index for size in kind.get_shape() if size == DYNAMIC]
        strides = [target.index for stride in strides_of(kind) or () if stride is None]
        return [pointer, *sizes, *strides]

    def vector(kind: VectorType, types: Types) -> Attribute:
        if len(kind.get_shape()) != 1 or any(kind.get_scalable_dims()):
            raise CannotConvert(f"{kind}: vectors have one dimension and a fixed length here")
        element: Attribute = kind.element_type
        (new,) = types(element)
        return kind if new is element else VectorType(new, kind.get_shape())

    return TypeMap(
        {
            IndexType: lambda kind, types: target.index,
            BFloat16Type: lambda kind, types: i16,
            Float16Type: lambda kind, types: half,
            MemRefType: memref,
            VectorType: vector,
        }
    )


def space_number(space: Attribute, target: LlvmTarget) -> int:
    """The address space of a memref as a number; targets without spaces have only 0."""
    if isinstance(space, NoneAttr) or not target.spaces:
        return 0
    text = str(space)
    for name, number in target.spaces.items():
        if name in text:
            return number
    raise CompileError(f"this target has no address space {space}")


# --- short ways to build --------------------------------------------------------------------------


def integer_type(kind: Attribute) -> IntegerType[int]:
    """The type as an integer type, which it has to be."""
    assert isinstance(kind, IntegerType), f"an integer type, not {kind}"
    return cast(IntegerType[int], kind)


def const(rw: Rewriter, value: int, kind: Attribute) -> SSAValue:
    """An integer constant (in every lane of a vector)."""
    return rw.value(llvm.ConstantOp, (), kind, {"value": integer_attribute(value, kind)})


@lru_cache(maxsize=1024)
def integer_attribute(value: int, kind: Attribute) -> Attribute:
    """The attribute of an integer constant; few different ones are made, over and over."""
    from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr

    if isinstance(kind, VectorType):
        return DenseIntOrFPElementsAttr.from_list(cast(VectorType[IntegerType], kind), [value])
    return IntegerAttr(value, integer_type(kind))


def float_const(rw: Rewriter, value: float, kind: Attribute) -> SSAValue:
    """A float constant (in every lane of a vector)."""
    from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr, FloatAttr

    number: Attribute
    if isinstance(kind, VectorType):
        number = DenseIntOrFPElementsAttr.from_list(cast(VectorType[AnyFloat], kind), [value])
    else:
        number = FloatAttr(value, cast(AnyFloat, kind))
    return rw.value(llvm.ConstantOp, (), cast(Attribute, kind), {"value": number})


def binary(rw: Rewriter, op: type[Operation], a: SSAValue, b: SSAValue | int) -> SSAValue:
    """An op on two values of one type; an int stands for a constant."""
    other = const(rw, b, a.type) if isinstance(b, int) else b
    return rw.value(op, (a, other), a.type)


_ICMP = {name: {"predicate": llvm.number(index)} for index, name in enumerate(llvm.ICMP_PREDICATES)}
_FCMP = {name: {"predicate": llvm.number(index)} for index, name in enumerate(llvm.FCMP_PREDICATES)}


def icmp(rw: Rewriter, predicate: str, a: SSAValue, b: SSAValue | int) -> SSAValue:
    """Comparison of integers."""
    other = const(rw, b, a.type) if isinstance(b, int) else b
    return rw.value(llvm.ICmpOp, (a, other), llvm.mask_type(a.type), _ICMP[predicate])


def fcmp(rw: Rewriter, predicate: str, a: SSAValue, b: SSAValue) -> SSAValue:
    """Comparison of floats."""
    return rw.value(llvm.FCmpOp, (a, b), llvm.mask_type(a.type), _FCMP[predicate])


def select(rw: Rewriter, condition: SSAValue, yes: SSAValue, no: SSAValue) -> SSAValue:
    """The first value where the condition holds, else the second."""
    return rw.value(llvm.SelectOp, (condition, yes, no), yes.type)


def like(kind: Attribute, element: Attribute) -> Attribute:
    """The element type, or a vector of it as long as the given one."""
    return VectorType(element, kind.get_shape()) if isinstance(kind, VectorType) else element


def resize(rw: Rewriter, value: SSAValue, kind: Attribute, *, signed: bool = True) -> SSAValue:
    """The integer in another width: extended by its sign (or zeros), or cut off."""
    old, new = width(value.type), width(kind)
    if old == new:
        return value
    grow = llvm.SExtOp if signed else llvm.ZExtOp
    return rw.value(grow if new > old else llvm.TruncOp, (value,), kind)


def width(kind: Attribute) -> int:
    """The bits of an integer type, or of a vector's elements."""
    element = llvm.element_type(kind)
    return llvm.int_width(element)


def enclosing_function(op: Operation | None) -> llvm.FuncOp:
    """The function that an op stands in."""
    while op is not None and not isinstance(op, llvm.FuncOp):
        op = op.parent_op()
    assert op is not None, "the op stands in a function"
    return op
