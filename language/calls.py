"""Calls: to functions with a meaning of their own by table, to the user's by specialisation."""

from __future__ import annotations

import ast
from collections.abc import Hashable
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects import func
from xdsl.dialects.builtin import SymbolRefAttr

from .annotations import is_struct_class, scalar_type
from .casts import cast_call
from .constants import lift
from .emitter import REGISTER
from .scope import Scope
from .source import Source, assigned_names, read_names, source_of
from .types import leaves
from .typing_of import describe
from .unit import Specialisation, inputs_of, specialise
from .values import (
    LocalFunction,
    Method,
    Origin,
    RecordView,
    Scalar,
    Static,
    StructValue,
    TensorMapValue,
    TupleValue,
    Value,
    View,
    Weak,
)
from .variables import read, rebuild

if TYPE_CHECKING:
    from .frame import Frame

Arguments = list[Value]
Keywords = dict[str, Value]


def call_node(frame: Frame, node: ast.Call) -> Value:
    """`f(a, *t, c=d)`."""
    callee = frame.eval(node.func)
    arguments: Arguments = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            inner = frame.eval(argument.value)
            if not isinstance(inner, TupleValue):
                raise frame.refuse(argument, f"* needs a tuple, got {describe(inner)}")
            arguments += inner.items
        else:
            arguments.append(frame.eval(argument))
    keywords: Keywords = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise frame.refuse(keyword, "** in a call is not in the language")
        keywords[keyword.arg] = frame.eval(keyword.value)
    return call_value(frame, node, callee, arguments, keywords)


def call_value(
    frame: Frame, node: ast.Call | ast.AST, callee: Value, arguments: Arguments, keywords: Keywords
) -> Value:
    """Call what an expression gave."""
    if isinstance(callee, Method):
        return call_value(frame, node, callee.function, [callee.receiver, *arguments], keywords)
    if isinstance(callee, LocalFunction):
        return _call_local(frame, node, callee, arguments, keywords)
    if isinstance(callee, Static):
        return _call_static(frame, node, callee, arguments, keywords)
    raise frame.refuse(node, f"{describe(callee)} cannot be called")


def _call_static(
    frame: Frame, node: ast.AST, callee: Static, arguments: Arguments, keywords: Keywords
) -> Value:
    from .function_tables import find_function

    target: Any = callee.value
    known = find_function(target)
    if known is not None:
        return known.call(frame, node, arguments, keywords)
    dtype = scalar_type(target) if callable(target) else None
    if dtype is not None:
        return cast_call(frame, node, target, dtype, arguments, keywords)
    if is_struct_class(target):
        from .structs import construct

        return construct(frame, node, cast(type[Any], target), arguments, keywords)
    if isinstance(target, MethodType) and isinstance(target.__func__, FunctionType):
        receiver = lift(target.__self__)
        function = Static(target.__func__, callee.origin)
        return call_value(frame, node, function, [receiver, *arguments], keywords)
    if isinstance(target, FunctionType):
        return _call_user(frame, node, target, callee.origin, arguments, keywords)
    raise _refuse_callee(frame, node, target)


def _refuse_callee(frame: Frame, node: ast.AST, target: Any) -> Exception:
    name = getattr(target, "__name__", type(target).__name__)
    if hasattr(target, "launch") and hasattr(target, "over"):
        return frame.refuse(
            node,
            f"{name} is a kernel and cannot be called from a kernel",
            hint="move what both need into a plain function without @sw.kernel and call that",
        )
    from .function_tables import call_hint

    module = getattr(target, "__module__", None)
    hint = call_hint(module, name)
    if isinstance(target, type):
        ours = "make it a dataclass or a NamedTuple with annotated fields"
        return frame.refuse(
            node,
            f"class {name} cannot be used in a kernel",
            hint=hint if module == "builtins" and hint else ours,
        )
    what = f"{module}.{name}" if module and module != "builtins" else name
    if not callable(target):
        return frame.refuse(node, f"{describe(Static(target))} cannot be called")
    return frame.refuse(node, f"{what} cannot be called in a kernel", hint=hint)


def _call_user(
    frame: Frame,
    node: ast.AST,
    function: FunctionType,
    origin: Origin | None,
    arguments: Arguments,
    keywords: Keywords,
) -> Value:
    frame.unit.depend(origin, function)
    source = source_of(function)
    defaults = _defaults(function)
    bound = bind(frame, node, source, arguments, keywords, defaults)
    scope = Scope(function, origin)
    # The globals as well: one code may be shared by closures with different cells.
    return _invoke(frame, node, source, scope, bound, (function,))


def _call_local(
    frame: Frame, node: ast.AST, callee: LocalFunction, arguments: Arguments, keywords: Keywords
) -> Value:
    outer = callee.frame
    source = Source(callee.name, outer.source.file, callee.node)
    bound = bind(frame, node, source, arguments, keywords, _local_defaults(frame, callee))
    captured = capture(callee, node)
    enclosing = {**outer.scope.enclosing}
    for name, value in captured.items():
        bound[name] = value
    scope = Scope(outer.scope.function, outer.scope.origin, enclosing)
    return _invoke(frame, node, source, scope, bound, (callee.node,))


def _local_defaults(frame: Frame, callee: LocalFunction) -> dict[str, Value]:
    given = callee.node.args
    if given.defaults or any(given.kw_defaults):
        raise frame.refuse(
            callee.node,
            "a function inside a kernel cannot have default values",
            hint="pass the value in each call, or move the function out of the kernel",
        )
    return {}


def capture(callee: LocalFunction, node: ast.AST) -> dict[str, Value]:
    """The outer variables that a local function reads, as they are now."""
    if callee.captured:
        return callee.captured
    outer = callee.frame
    inner = assigned_names(callee.node)
    names = sorted((read_names(callee.node) - inner) & set(outer.plan.variables))
    return {name: _captured(callee, name, node) for name in names}


def _captured(callee: LocalFunction, name: str, node: ast.AST) -> Value:
    """One variable that a local function reads; a function that reads itself is a recursion."""
    outer, calling = callee.frame, callee.frame.unit.calling
    value = read(outer, name, node)
    if not isinstance(value, LocalFunction):
        return value
    if value.node is callee.node or value.node in (known for known, _ in calling):
        raise outer.refuse(
            node,
            f"recursion is not in the language: {callee.name} calls {name}",
            hint="write a loop, with sw.local(…) as the stack if it needs one",
        )
    calling.append((callee.node, callee.name))
    captured = capture(value, node)
    calling.pop()
    return LocalFunction(value.name, value.node, value.frame, captured)


def _defaults(function: FunctionType) -> dict[str, Value]:
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    values = function.__defaults__ or ()
    pairs = zip(names[len(names) - len(values) :], values, strict=True)
    every = {**dict(pairs), **(function.__kwdefaults__ or {})}
    return {name: lift(value) for name, value in every.items()}


def bind(
    frame: Frame,
    node: ast.AST,
    source: Source,
    arguments: Arguments,
    keywords: Keywords,
    defaults: dict[str, Value],
) -> dict[str, Value]:
    """Arguments by parameter name, as Python binds them; located errors where it would fail."""
    given = source.node.args
    if given.vararg or given.kwarg:
        raise frame.refuse(
            node,
            f"{source.name} takes any number of arguments, which a kernel cannot call",
            hint="give the function named parameters, or pass a tuple",
        )
    positional = [arg.arg for arg in (*given.posonlyargs, *given.args)]
    names = [*positional, *(arg.arg for arg in given.kwonlyargs)]
    if len(arguments) > len(positional):
        raise frame.refuse(
            node,
            f"{source.name} takes {len(positional)} arguments, got {len(arguments)}",
        )
    bound = dict(zip(positional, arguments, strict=False))
    for name, value in keywords.items():
        if name not in names:
            raise frame.refuse(node, f"{source.name} has no parameter {name}")
        if name in bound:
            raise frame.refuse(node, f"{source.name} got two values for {name}")
        bound[name] = value
    missing = [name for name in names if name not in bound and name not in defaults]
    if missing:
        raise frame.refuse(node, f"{source.name} needs a value for {', '.join(missing)}")
    return {name: bound.get(name) or defaults[name] for name in names}


def _invoke(
    frame: Frame,
    node: ast.AST,
    source: Source,
    scope: Scope,
    bound: dict[str, Value],
    identity: tuple[Hashable, ...],
) -> Value:
    _refuse_recursion(frame, node, source)
    bound = {name: _argument(frame, node, value) for name, value in bound.items()}
    key = (*identity, *((name, argument_key(value)) for name, value in bound.items()))
    made = specialise(frame.unit, key, source, scope, bound)
    if not frame.emit.dry:
        frame.callees.append(made)
    views = [view for value in bound.values() for view in views_of(value)]
    for view, written in zip(views, made.written, strict=True):
        view.root.written |= written
    return _emit_call(frame, made, [ssa for value in bound.values() for ssa in inputs_of(value)])


def _emit_call(frame: Frame, made: Specialisation, operands: list[Any]) -> Value:
    emit = frame.emit
    parts = leaves(made.returns) if made.returns is not None else []
    if emit.dry:
        results = [Scalar(leaf.dtype, emit.index(0)) for leaf in parts]
    else:
        op = func.CallOp.create(
            operands=operands,
            result_types=[REGISTER[leaf.dtype] for leaf in parts],
            properties={"callee": SymbolRefAttr(made.op.sym_name)},
            location=frame.location_at(frame.node),
        )
        emit.block.add_op(op)
        pairs = zip(parts, op.results, strict=True)
        results = [Scalar(leaf.dtype, result) for leaf, result in pairs]
    if made.static is not None:
        return made.static
    assert made.returns is not None, "a function without results gives a constant"
    return rebuild(made.returns, results, made.owner)


def _argument(frame: Frame, node: ast.AST, value: Value) -> Value:
    """What may be passed: literals specialise the callee, so that they adapt there."""
    from .convert import materialise

    if isinstance(value, Weak):
        return materialise(frame, node, value)
    if isinstance(value, TupleValue):
        return TupleValue(tuple(_argument(frame, node, item) for item in value.items))
    if isinstance(value, StructValue):
        fields = {name: _argument(frame, node, item) for name, item in value.fields.items()}
        return StructValue(value.type, fields, value.owner)
    if isinstance(value, LocalFunction):
        seen = capture(value, node)
        captured = {name: _argument(frame, node, item) for name, item in seen.items()}
        return LocalFunction(value.name, value.node, value.frame, captured)
    if not isinstance(value, (Scalar, Static, View, RecordView, TensorMapValue, Method)):
        raise frame.refuse(node, f"{describe(value)} cannot be passed to a function")
    return value


def views_of(value: Value) -> list[View | TensorMapValue]:
    """The arrays inside an argument, in the order of its parameters."""
    if isinstance(value, (View, TensorMapValue)):
        return [value]
    if isinstance(value, RecordView):
        return list(value.leaves)
    if isinstance(value, TupleValue):
        return [view for item in value.items for view in views_of(item)]
    if isinstance(value, StructValue):
        return [view for item in value.fields.values() for view in views_of(item)]
    if isinstance(value, LocalFunction):
        return [view for item in value.captured.values() for view in views_of(item)]
    return []


def argument_key(value: Value) -> Hashable:
    """What distinguishes the specialisations of a function."""
    if isinstance(value, Scalar):
        return value.dtype
    if isinstance(value, View):
        return ("view", value.dtype, value.type)
    if isinstance(value, TensorMapValue):
        return value.type
    if isinstance(value, RecordView):
        return ("records", value.element, *(leaf.type for leaf in value.leaves))
    if isinstance(value, TupleValue):
        return ("tuple", *map(argument_key, value.items))
    if isinstance(value, StructValue):
        return ("struct", value.type, *map(argument_key, value.fields.values()))
    if isinstance(value, LocalFunction):
        captured = ((name, argument_key(item)) for name, item in value.captured.items())
        return ("local", value.node, *captured)
    if isinstance(value, Method):
        return ("method", argument_key(value.function), argument_key(value.receiver))
    assert isinstance(value, Static), "other values are not passed"
    return ("static", cast(Hashable, type(value.value)), _constant_key(value.value))


def _constant_key(value: object) -> Hashable:
    # repr tells 0.0 from -0.0; what is no number is itself.
    if isinstance(value, (int, float, str)) or hasattr(value, "dtype"):
        return repr(value)
    return value if isinstance(value, Hashable) else id(value)


def _refuse_recursion(frame: Frame, node: ast.AST, source: Source) -> None:
    active = [known for known, _ in frame.unit.calling]
    if source.node in active:
        first = active.index(source.node)
        chain = [name for _, name in frame.unit.calling[first:]] + [source.name]
        raise frame.refuse(
            node,
            f"recursion is not in the language: {' calls '.join(chain)}",
            hint="write a loop, with sw.local(…) as the stack if it needs one",
        )
