"""From a Python function and the types of its parameters to a module of simt IR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
from ..runtime.artifact import ArgumentPart, Form, Parameter
from .constants import lift
from .emitter import MEMORY, REGISTER, body
from .fingerprint import Dependency
from .frame import Frame
from .machines import CPU, Machine
from .options import Options
from .scope import Scope
from .source import Source, source_of
from .syntax import EXPRESSIONS, STATEMENTS
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

ANY_GRID = Form()
NO_OPTIONS = Options()
Frame.expressions = EXPRESSIONS
Frame.statements = STATEMENTS


@dataclass(frozen=True)
class Built:
    """A kernel as simt IR: one builtin.module with one gpu.module."""

    module: ModuleOp
    parameters: tuple[Parameter, ...]
    dependencies: list[Dependency]
    axes_used: int
    """How many axes of a launch its ids and sizes speak of; `over` of a lower rank is an error."""


def build_module(
    function: Callable[..., Any],
    signature: tuple[Type, ...],
    form: Form = ANY_GRID,
    options: Options = NO_OPTIONS,
    machine: Machine = CPU,
) -> Built:
    """The simt module of a kernel for parameters of these types and this kind of launch.

    What the code may rely on in such launches is said by attributes: `gpux.small`, `gpux.sizes`,
    `gpux.streams`, and `llvm.noalias` of parameters. `machine` is what `sw.target` is in the
    kernel. Raises CompileError.
    """
    assert isinstance(function, FunctionType), "a kernel is a Python function"
    source = source_of(function)
    unit = Unit(options.checks, options.fastmath, form.over, options.block, machine)
    refuse_tensor_maps(source, signature, machine)
    unit.unique_name(source.name)
    arguments, inputs = _arguments(source, signature)
    extents = [] if form.over is None else [IndexType()] * 3
    types = [*(type_ for _, type_ in inputs), *extents]
    unit.calling.append((source.node, source.name))
    made = compile_body(unit, source, Scope(function), arguments, is_kernel=True, types=types)
    for (parameter, _), value in zip(inputs, made.block.args, strict=False):
        value.name_hint = parameter.name.replace(".", "_")
    body_ = body(made.block)
    kernel = gpu.FuncOp(source.name, types, known_block_size=options.block, body=body_)
    kernel.attributes |= _of_launches(form)
    attributes = [_attributes(parameter, form.disjoint) for parameter, _ in inputs]
    if any(attributes):
        none: dict[str, Attribute] = {}
        rows = [*attributes, *(none for _ in extents)]
        kernel.properties["arg_attrs"] = ArrayAttr([DictionaryAttr(row) for row in rows])
    kernel.location = made.frame.location_at(source.node)
    kernel.attributes |= options.hints.attributes(machine, source.locate(source.node))
    inside = Block([kernel, *(s.op for s in _reached(made.frame.callees))])
    inner = gpu.ModuleOp(source.name, Region(inside))
    inner.location = kernel.location
    written = [root.written for root in made.frame.roots]
    parameters = _with_writes([parameter for parameter, _ in inputs], written)
    return Built(ModuleOp([inner]), parameters, list(unit.dependencies.values()), unit.axes_used)


def _of_launches(form: Form) -> dict[str, Attribute]:
    """The kind of launch, as attributes of the kernel."""
    found: dict[str, Attribute] = {}
    if form.over is not None:
        found[marks.OVER] = IntegerAttr(form.over, i64)
    elif form.block_rank < 3:
        found[marks.BLOCK_RANK] = IntegerAttr(form.block_rank, i64)
    if form.small:
        found[marks.SMALL] = UnitAttr()
    if form.streams:
        found[marks.STREAMS] = UnitAttr()
    if form.sizes:
        found[marks.SIZES] = ArrayAttr[Attribute](())
    return found


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


def _attributes(parameter: Parameter, disjoint: bool) -> dict[str, Attribute]:
    """What a parameter's pointer is known to be, in LLVM's words."""
    if parameter.kind == "tensor_map":
        return tensor_map_attributes()
    found: dict[str, Attribute] = {}
    if parameter.alignment:
        found["llvm.align"] = IntegerAttr(parameter.alignment, i64)
        found[marks.ALIGNED_ROWS] = UnitAttr()
    if disjoint and parameter.kind == "buffer":
        found["llvm.noalias"] = UnitAttr()
    return found


def _with_writes(parameters: list[Parameter], written: list[bool]) -> tuple[Parameter, ...]:
    buffers = iter(written)
    return tuple(
        parameter if parameter.kind == "scalar" else parameter._replace(writes=next(buffers))
        for parameter in parameters
    )


def _arguments(
    source: Source, signature: tuple[Type, ...]
) -> tuple[dict[str, Value], list[tuple[Parameter, Attribute]]]:
    """Values for the Python parameters, and the IR parameters they consist of."""
    names = parameter_names(source)
    if len(names) != len(signature):
        raise CompileError(
            f"kernel {source.name} has {len(names)} parameters, got {len(signature)} types",
            source.locate(source.node),
        )
    arguments: dict[str, Value] = {}
    inputs: list[tuple[Parameter, Attribute]] = []
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
    position: int, name: str, type_: Type, inputs: list[tuple[Parameter, Attribute]]
) -> Value:
    if isinstance(type_, ConstType):
        return lift(type_.value)
    if isinstance(type_, ArrayType):
        return _array_argument(position, name, type_, inputs)
    if isinstance(type_, TensorMapType):
        parameter = Parameter(
            *(name, "tensor_map", type_.element.name, len(type_.box), type_.box),
            source=ArgumentPart(position),
            swizzle=type_.swizzle,
        )
        inputs.append((parameter, pointer_type()))
        return TensorMapValue(type_, NOWHERE, Root(name))
    scalars: list[Value] = []
    for leaf in leaves(type_):
        part = ArgumentPart(position, leaf.path, leaf.offset)
        parameter = Parameter(_joined(name, leaf.path), "scalar", leaf.dtype.name, source=part)
        inputs.append((parameter, REGISTER[leaf.dtype]))
        scalars.append(Scalar(leaf.dtype, NOWHERE))
    assert isinstance(type_, (DType, StructType, TupleType)), "arrays were handled above"
    return rebuild(type_, scalars, name)


def _array_argument(
    position: int, name: str, type_: ArrayType, inputs: list[tuple[Parameter, Attribute]]
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
        parameter = Parameter(
            *(_joined(name, leaf.path), "buffer", leaf.dtype.name, type_.rank, sizes, strides),
            source=ArgumentPart(position, leaf.path, leaf.offset),
            alignment=_leaf_alignment(type_.alignment, leaf.offset),
        )
        memref = buffer_type(leaf.dtype, sizes, strides)
        inputs.append((parameter, memref))
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
