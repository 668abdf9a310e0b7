"""One kernel and all functions that it calls: the specialisations, made on demand."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from xdsl.dialects import func
from xdsl.dialects.builtin import FunctionType, StringAttr
from xdsl.ir import SSAValue

from ..dialects import simt
from .emitter import NOTHING, REGISTER, body
from .fingerprint import Dependency, fingerprint
from .frame import Frame, RestartError
from .machines import CPU, Machine
from .returns import end_region, give_back
from .scope import Scope
from .sharing import owner_of
from .source import Source, assigned_names
from .tensor_maps import pointer_type
from .types import MatrixType, Type, leaves
from .typing_of import settle_type
from .values import (
    LocalFunction,
    Origin,
    RecordView,
    Root,
    Scalar,
    Static,
    StructValue,
    TensorMapValue,
    TupleValue,
    Value,
    View,
)
from .variables import Plan, assign

if TYPE_CHECKING:
    from xdsl.ir import Attribute, Block

_MOST_WALKS = 50
_BUILTINS = (("module", "builtins"),)


@dataclass
class Specialisation:
    """A called function for certain argument types: its op, what it returns and what it writes."""

    op: func.FuncOp
    returns: Type | None
    static: Value | None
    """The compile-time value that the function returns instead."""
    written: tuple[bool, ...]
    """For each array among its parameters: whether it is stored to."""
    callees: list[Specialisation]
    owner: str
    """Who else may hold the struct that the function returns, as in `StructValue`."""


@dataclass
class Unit:
    """Options of the kernel, and what all functions of it share."""

    checks: bool
    fastmath: Sequence[str]
    over: int | None
    """The rank of an `over` launch; None for a plain one."""
    block: tuple[int, int, int] | None = None
    """The threads of a block along x, y and z, where the kernel says so."""
    machine: Machine = CPU
    """What `sw.target` is; in an arm that is only checked, a machine that would take it."""
    machine_asked: int = 0
    """How often the kernel has asked for `sw.target`."""
    axes_used: int = 0
    """How many axes the ids and sizes that the kernel asks for have."""
    functions: dict[Hashable, Specialisation] = field(
        default_factory=dict[Hashable, Specialisation]
    )
    calling: list[tuple[Hashable, str]] = field(default_factory=list[tuple[Hashable, str]])
    dependencies: dict[Origin, Dependency] = field(default_factory=dict[Origin, Dependency])
    names: dict[str, int] = field(default_factory=dict[str, int])

    def depend(self, origin: Origin | None, value: object) -> None:
        """Remember that the result depends on a constant from outside."""
        if origin is None or origin in self.dependencies or origin[:1] == _BUILTINS:
            return
        self.dependencies[origin] = Dependency(origin, fingerprint(value))

    def unique_name(self, name: str) -> str:
        """A symbol that is not used yet."""
        name = "".join(c if c.isalnum() or c == "_" else "" for c in name) or "function"
        count = self.names.get(name, 0)
        self.names[name] = count + 1
        return name if count == 0 else f"{name}_{count}"


@dataclass
class Body:
    """A function that has been walked for good."""

    block: Block
    frame: Frame


def compile_body(
    unit: Unit,
    source: Source,
    scope: Scope,
    arguments: dict[str, Value],
    *,
    is_kernel: bool,
    types: list[Attribute],
) -> Body:
    """Infer the types of a function's variables, then emit it.

    A function without a name that is assigned twice is emitted at once; if that turns out wrong, or
    for any other one, dry walks come first.
    """
    plan = Plan(assigned_names(source.node) | set(arguments))  # captured names are arguments too
    walk = partial(_walk, unit, source, scope, plan, arguments, is_kernel, types)
    if _assigns_once(source):
        try:
            return Body(*walk(dry=False))
        except RestartError:
            pass
    for _ in range(_MOST_WALKS):
        for _ in range(_MOST_WALKS):
            walk(dry=True)
            if not plan.dirty:
                break
        plan.settle()
        try:
            return Body(*walk(dry=False))
        except RestartError:
            continue
    raise AssertionError("types only grow, so inference ends")


def _assigns_once(source: Source) -> bool:
    seen: set[str] = set()
    for node in ast.walk(source.node):
        name = None
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        if name is not None:
            if name in seen:
                return False
            seen.add(name)
    return True


def _walk(
    unit: Unit,
    source: Source,
    scope: Scope,
    plan: Plan,
    arguments: dict[str, Value],
    is_kernel: bool,
    types: list[Attribute],
    *,
    dry: bool,
) -> tuple[Block, Frame]:
    frame = Frame(unit, source, scope, plan, dry=dry, is_kernel=is_kernel)
    entry = frame.emit.block
    if not dry:
        for type_ in types:
            entry.insert_arg(type_, len(entry.args))
    inputs = iter([NOTHING] * len(types) if dry else list(entry.args))
    for name, value in arguments.items():
        assign(frame, name, rename(value, inputs, frame, name), _parameter_node(source, name))
    if isinstance(source.node, ast.Lambda):
        value = frame.eval(source.node.body)
        give_back(frame, source.node.body, value)
    else:
        frame.run(source.node.body)
    _end_function(frame)
    return (frame.emit.finish(), frame)


def _parameter_node(source: Source, name: str) -> ast.AST:
    every = ast.walk(source.node.args)
    return next((a for a in every if isinstance(a, ast.arg) and a.arg == name), source.node)


def _end_function(frame: Frame) -> None:
    plan, emit = frame.plan, frame.emit
    if frame.assigned is not None:
        if frame.is_kernel or plan.returns is None:
            give_back(frame, frame.source.node, Static(None))
        else:
            raise frame.refuse(
                plan.return_site or frame.source.node,
                f"function {frame.source.name} returns {plan.returns} here and nothing at its end",
                hint="return a value on every path",
            )
    if emit.dry:
        return
    last = emit.block.last_op
    if not isinstance(last, simt.ReturnOp):  # all paths have returned inside branches
        results: list[SSAValue] = []
        if not frame.is_kernel and plan.returns is not None:
            dtypes = [leaf.dtype for leaf in leaves(settle_type(plan.returns))]
            if any(isinstance(dtype, MatrixType) for dtype in dtypes):
                raise frame.refuse(
                    plan.return_site or frame.source.node,
                    f"function {frame.source.name} returns a matrix inside a branch or loop",
                    hint="return it at the end",
                )
            results = [emit.constant(0, dtype) for dtype in dtypes]
        emit.add(simt.ReturnOp, results)
    end_region(frame)


def rename(value: Value, inputs: Iterable[SSAValue], frame: Frame, name: str) -> Value:
    """An argument as the callee sees it: the same shape, made of the callee's parameters."""
    iterator = iter(inputs)
    if isinstance(value, Scalar):
        return Scalar(value.dtype, next(iterator))
    if isinstance(value, (View, TensorMapValue)):
        root = Root(name)
        frame.roots.append(root)
        return replace(value, ssa=next(iterator), root=root)
    if isinstance(value, RecordView):
        views = tuple(rename(leaf, iterator, frame, name) for leaf in value.leaves)
        return RecordView(value.element, views)  # pyright: ignore[reportArgumentType]
    if isinstance(value, TupleValue):
        return TupleValue(tuple(rename(item, iterator, frame, name) for item in value.items))
    if isinstance(value, StructValue):
        fields = {n: rename(v, iterator, frame, name) for n, v in value.fields.items()}
        return StructValue(value.type, fields, name)
    if isinstance(value, LocalFunction):
        captured = {n: rename(v, iterator, frame, n) for n, v in value.captured.items()}
        return LocalFunction(value.name, value.node, value.frame, captured)
    return value


def inputs_of(value: Value) -> list[SSAValue]:
    """The run-time values that an argument consists of."""
    if isinstance(value, (Scalar, View, TensorMapValue)):
        return [value.ssa]
    if isinstance(value, RecordView):
        return [leaf.ssa for leaf in value.leaves]
    if isinstance(value, TupleValue):
        return [ssa for item in value.items for ssa in inputs_of(item)]
    if isinstance(value, StructValue):
        return [ssa for item in value.fields.values() for ssa in inputs_of(item)]
    if isinstance(value, LocalFunction):
        return [ssa for item in value.captured.values() for ssa in inputs_of(item)]
    return []


def input_types(value: Value) -> list[Attribute]:
    """The IR types of `inputs_of`."""
    if isinstance(value, Scalar):
        return [REGISTER[value.dtype]]
    if isinstance(value, TensorMapValue):
        return [pointer_type()]
    if isinstance(value, View):
        return [value.type]
    if isinstance(value, RecordView):
        return [leaf.type for leaf in value.leaves]
    if isinstance(value, TupleValue):
        return [type_ for item in value.items for type_ in input_types(item)]
    if isinstance(value, StructValue):
        return [type_ for item in value.fields.values() for type_ in input_types(item)]
    if isinstance(value, LocalFunction):
        return [type_ for item in value.captured.values() for type_ in input_types(item)]
    return []


def is_constant(value: Value | None) -> bool:
    """Whether a value is known now in all its parts."""
    if isinstance(value, TupleValue):
        return all(is_constant(item) for item in value.items)
    if isinstance(value, StructValue):
        return all(is_constant(item) for item in value.fields.values())
    return isinstance(value, Static)


def specialise(
    unit: Unit, key: Hashable, source: Source, scope: Scope, arguments: dict[str, Value]
) -> Specialisation:
    """The function for arguments like these; compiled the first time."""
    key = (unit.machine, key)
    found = unit.functions.get(key)
    if found is not None:
        return found
    types = [type_ for value in arguments.values() for type_ in input_types(value)]
    unit.calling.append((source.node, source.name))
    made = compile_body(unit, source, scope, arguments, is_kernel=False, types=types)
    unit.calling.pop()
    frame = made.frame
    returns = frame.plan.returns
    returns = None if returns is None else settle_type(returns)
    outputs = [REGISTER[leaf.dtype] for leaf in leaves(returns)] if returns is not None else []
    op = func.FuncOp.create(
        properties={
            "sym_name": StringAttr(unit.unique_name(source.name)),
            "function_type": FunctionType.from_lists(types, outputs),
            "sym_visibility": StringAttr("private"),
        },
        regions=[body(made.block)],
        location=frame.location_at(source.node),
    )
    # A function with one return of a constant is that constant where it is called.
    static = frame.returned
    if returns is not None and not (frame.plan.return_count == 1 and is_constant(static)):
        static = None
    written = tuple(root.written for root in frame.roots)
    owner = owner_of(frame.returned)
    owner = owner and f"what {source.name} was given"
    found = Specialisation(op, returns, static, written, frame.callees, owner)
    unit.functions[key] = found
    return found
