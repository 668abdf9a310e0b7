"""From a Python function and the types of its parameters to a module of simt IR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    DictionaryAttr,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StridedLayoutAttr,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute, Block, Region

from ..dialects import gpu, marks
from ..dialects.diagnostics import CompileError
from .constants import lift
from .emitter import MEMORY, REGISTER, body
from .expressions import EXPRESSIONS
from .fingerprint import Dependency
from .frame import Frame
from .hints import Hints
from .machines import Machine
from .scope import Scope
from .source import Source, source_of
from .statements import STATEMENTS
from .tensor_maps import pointer_type, refuse_tensor_maps, tensor_map_attributes
from .types import (
    ArrayType,
    ConstType,
    DType,
    StructType,
    TensorMapType,
    TupleType,
    Type,
    leaves,
)
from .unit import Specialisation, Unit, compile_body
from .values import NOWHERE, RecordView, Root, Scalar, TensorMapValue, Value, View
from .variables import rebuild

NO_HINTS = Hints()
Frame.expressions = EXPRESSIONS
Frame.statements = STATEMENTS


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter of the kernel in IR and how it comes from the Python arguments."""

    argument: int
    """Position of the Python parameter."""
    name: str
    path: tuple[str | int, ...]
    """Fields that lead to this scalar or to this view of a struct's field."""
    offset: int
    """Bytes from the start of an array's element to the field."""
    kind: str
    """"scalar" or "buffer"."""
    dtype: str
    rank: int = 0
    sizes: tuple[int | None, ...] = ()
    strides: tuple[int | None, ...] | None = None
    """In elements of `dtype`, None where dynamic; None for a contiguous buffer."""
    writes: bool = False
    alignment: int = 0
    """Of a buffer's address in bytes, where it is more than its elements need."""
    swizzle: int = 0
    """Of a tensor map, in bytes."""


@dataclass(frozen=True)
class Built:
    """A kernel as simt IR: one builtin.module with one gpu.module."""

    module: ModuleOp
    parameters: list[ParameterInfo]
    dependencies: list[Dependency]
    axes_used: int
    """How many axes of a launch its ids and sizes speak of; `over` of a lower rank is an error."""


def build_module(
    function: Callable[..., Any],
    signature: tuple[Type, ...],
    *,
    axes: int | None,
    block_rank: int = 3,
    checks: bool = True,
    fastmath: Sequence[str] = (),
    block: tuple[int, int, int] | None = None,
    name: str | None = None,
    target: str = "cpu",
    arch: str | None = None,
    small: bool = False,
    disjoint: bool = False,
    sizes: bool = False,
    streams: bool = False,
    hints: Hints = NO_HINTS,
) -> Built:
    """The simt module of a kernel for parameters of these types.

    `axes` is the rank of an `over` launch, None for a plain one, of which blocks have at most
    `block_rank` dimensions. `block` is the block of every launch, where it is known; launches are
    small, and arrays disjoint, if so said (see `gpux.small`, and `llvm.noalias`); with `sizes` they
    are held to sizes of arrays that the code asks for (`gpux.sizes`); with `streams` they write
    more than caches hold (`gpux.streams`).
    `hints` say how NVIDIA GPUs run it. `target` and `arch` ("sm_90a") are what `sw.target` is in
    the kernel.
    Raises CompileError.
    """
    assert isinstance(function, FunctionType), "a kernel is a Python function"
    source = source_of(function)
    unit = Unit(checks, fastmath, axes, Machine(target, arch or ""))
    refuse_tensor_maps(source, signature, unit.machine)
    unit.unique_name(name or source.name)
    arguments, inputs = _arguments(source, signature)
    extents = [] if axes is None else [IndexType()] * 3
    types = [*(type_ for _, type_ in inputs), *extents]
    unit.calling.append((source.node, source.name))
    made = compile_body(unit, source, Scope(function), arguments, is_kernel=True, types=types)
    for (info, _), value in zip(inputs, made.block.args, strict=False):
        value.name_hint = info.name.replace(".", "_")
    kernel = gpu.FuncOp(name or source.name, types, known_block_size=block, body=body(made.block))
    kernel.attributes |= _of_launches(axes, block_rank)
    facts = ((marks.SMALL, small), (marks.STREAMS, streams), (marks.SIZES, sizes))
    kernel.attributes |= {name: _FACTS[name] for name, is_said in facts if is_said}
    attributes = [_attributes(info, disjoint) for info, _ in inputs]
    if any(attributes):
        none: dict[str, Attribute] = {}
        rows = [*attributes, *(none for _ in extents)]
        kernel.properties["arg_attrs"] = ArrayAttr([DictionaryAttr(row) for row in rows])
    kernel.location = made.frame.location_at(source.node)
    kernel.attributes |= hints.attributes(unit.machine, source.locate(source.node))
    inside = Block([kernel, *(s.op for s in _reached(made.frame.callees))])
    inner = gpu.ModuleOp(name or source.name, Region(inside))
    inner.location = kernel.location
    written = [root.written for root in made.frame.roots]
    parameters = _with_writes([info for info, _ in inputs], written)
    return Built(ModuleOp([inner]), parameters, list(unit.dependencies.values()), unit.axes_used)


_FACTS = {marks.SMALL: UnitAttr(), marks.STREAMS: UnitAttr(), marks.SIZES: ArrayAttr[Attribute](())}


def _of_launches(axes: int | None, block_rank: int) -> dict[str, Attribute]:
    """The kind of launch, as attributes of the kernel."""
    if axes is not None:
        return {marks.OVER: IntegerAttr(axes, i64)}
    return {marks.BLOCK_RANK: IntegerAttr(block_rank, i64)} if block_rank < 3 else {}


def _reached(callees: list[Specialisation]) -> list[Specialisation]:
    """All functions that are called, once each."""
    found: dict[int, Specialisation] = {}
    waiting = list(callees)
    while waiting:
        function = waiting.pop(0)
        if id(function) not in found:
            found[id(function)] = function
            waiting += function.callees
    return list(found.values())


def _attributes(info: ParameterInfo, disjoint: bool) -> dict[str, Attribute]:
    """What a parameter's pointer is known to be, in LLVM's words."""
    if info.kind == "tensor_map":
        return tensor_map_attributes()
    found: dict[str, Attribute] = {}
    if info.alignment:
        found["llvm.align"] = IntegerAttr(info.alignment, i64)
        found[marks.ALIGNED_ROWS] = UnitAttr()
    if disjoint and info.kind == "buffer":
        found["llvm.noalias"] = UnitAttr()
    return found


def _with_writes(parameters: list[ParameterInfo], written: list[bool]) -> list[ParameterInfo]:
    buffers = iter(written)
    return [
        info if info.kind == "scalar" else replace(info, writes=next(buffers))
        for info in parameters
    ]


def _arguments(
    source: Source, signature: tuple[Type, ...]
) -> tuple[dict[str, Value], list[tuple[ParameterInfo, Attribute]]]:
    """Values for the Python parameters, and the IR parameters they consist of."""
    names = parameter_names(source)
    if len(names) != len(signature):
        raise CompileError(
            f"kernel {source.name} has {len(names)} parameters, got {len(signature)} types",
            source.locate(source.node),
        )
    arguments: dict[str, Value] = {}
    inputs: list[tuple[ParameterInfo, Attribute]] = []
    for position, (name, type_) in enumerate(zip(names, signature, strict=True)):
        arguments[name] = _argument(position, name, type_, inputs)
    return arguments, inputs


def parameter_names(source: Source) -> list[str]:
    """The names of a function's parameters; CompileError for *args and **kwargs."""
    given = source.node.args
    for extra in (given.vararg, given.kwarg):
        if extra is not None:
            raise CompileError(
                f"parameter {extra.arg} takes any number of arguments, which a kernel cannot",
                source.locate(extra),
                hint="name each parameter",
            )
    return [arg.arg for arg in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def _argument(
    position: int, name: str, type_: Type, inputs: list[tuple[ParameterInfo, Attribute]]
) -> Value:
    if isinstance(type_, ConstType):
        return lift(type_.value)
    if isinstance(type_, ArrayType):
        return _array_argument(position, name, type_, inputs)
    if isinstance(type_, TensorMapType):
        info = ParameterInfo(
            *(position, name, (), 0, "tensor_map"),
            *(type_.element.name, len(type_.box), type_.box),
            swizzle=type_.swizzle,
        )
        inputs.append((info, pointer_type()))
        return TensorMapValue(type_, NOWHERE, Root(name))
    scalars: list[Value] = []
    for leaf in leaves(type_):
        info = ParameterInfo(
            position, _joined(name, leaf.path), leaf.path, leaf.offset, "scalar", leaf.dtype.name
        )
        inputs.append((info, REGISTER[leaf.dtype]))
        scalars.append(Scalar(leaf.dtype, NOWHERE))
    assert isinstance(type_, (DType, StructType, TupleType)), "arrays were handled above"
    return rebuild(type_, scalars, name)


def _array_argument(
    position: int, name: str, type_: ArrayType, inputs: list[tuple[ParameterInfo, Attribute]]
) -> Value:
    views: list[View] = []
    sizes = (None,) * type_.rank
    for leaf in leaves(type_.element):
        strides: tuple[int | None, ...] | None = None
        if isinstance(type_.element, StructType):
            last = type_.element.size // leaf.dtype.size if type_.contiguous else None
            strides = (*(None,) * (type_.rank - 1), last)
        elif not type_.contiguous:
            strides = sizes
        info = ParameterInfo(
            *(position, _joined(name, leaf.path), leaf.path, leaf.offset, "buffer"),
            *(leaf.dtype.name, type_.rank, sizes, strides),
            alignment=_leaf_alignment(type_.alignment, leaf.offset),
        )
        memref = buffer_type(leaf.dtype, sizes, strides)
        inputs.append((info, memref))
        views.append(View(leaf.dtype, memref, NOWHERE, Root(name)))
    if isinstance(type_.element, StructType):
        return RecordView(type_.element, tuple(views))
    return views[0]


def _leaf_alignment(alignment: int, offset: int) -> int:
    """The alignment of what lies some bytes behind an address with an alignment."""
    return min(alignment, offset & -offset) if offset else alignment


def buffer_type(
    dtype: DType, sizes: tuple[int | None, ...], strides: tuple[int | None, ...] | None
) -> MemRefType[Any]:
    """The memref of a parameter in global memory."""
    shape = [DYNAMIC_INDEX if size is None else size for size in sizes]
    if strides is None:
        return MemRefType(MEMORY[dtype], shape, memory_space=gpu.GLOBAL)
    return MemRefType(MEMORY[dtype], shape, StridedLayoutAttr(strides), gpu.GLOBAL)


def _joined(name: str, path: tuple[str | int, ...]) -> str:
    return ".".join((name, *map(str, path)))
