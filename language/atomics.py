"""Atomic operations on elements of arrays in global and shared memory."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import SSAValue

from ..dialects import gpu, gpux
from .arrays import checked_index
from .convert import store_as
from .emitter import REGISTER
from .functions import Function
from .intrinsics import ORDERS, SCOPES
from .operators import unary
from .types import DType, bool_
from .typing_of import describe
from .values import RecordView, Scalar, Static, TupleValue, Value, View

if TYPE_CHECKING:
    from .frame import Frame

_BITS = ("and", "or", "xor")


def _element(
    frame: Frame, node: ast.AST, view: Value, index: Value, name: str
) -> tuple[View, list[SSAValue]]:
    """The array and the checked indices that an atomic works on."""
    if isinstance(view, RecordView):
        raise frame.refuse(
            node,
            f"{name} needs an array of numbers, got {describe(view)}",
            hint='take one field of all elements, as in points["x"]',
        )
    if not isinstance(view, View):
        raise frame.refuse(
            node,
            f"{name} needs an array, got {describe(view)}",
            hint="pass the array and the index separately: atomic_add(x, i, value)",
        )
    if view.dtype is bool_:
        raise frame.refuse(node, f"{name} on an array of bool", hint="use an array of i32")
    if view.type.memory_space == gpu.PRIVATE:
        raise frame.refuse(
            node, f"{name} on a local array, which no other thread sees", hint="use plain accesses"
        )
    indices = index.items if isinstance(index, TupleValue) else (index,)
    if len(indices) != len(view.sizes):
        raise frame.refuse(node, f"{len(indices)} indices for an array with {len(view.sizes)} axes")
    text = frame.text_of(node.args[0]) if isinstance(node, ast.Call) and node.args else "the array"
    checked = [checked_index(frame, node, view, d, i, text) for d, i in enumerate(indices)]
    frame.mark_written(view)
    return view, checked


def _memory(
    frame: Frame, node: ast.AST, order: Value | None, scope: Value | None
) -> dict[str, StringAttr]:
    found: dict[str, StringAttr] = {}
    for name, value, allowed, default in (
        ("order", order, ORDERS, "relaxed"),
        ("scope", scope, SCOPES, "device"),
    ):
        text: Any = default
        if value is not None:
            text = value.value if isinstance(value, Static) else None
        if text not in allowed:
            raise frame.refuse(
                node,
                f"{name} is {describe(value or Static(None))}, expected one of "
                f"{', '.join(map(repr, allowed))}",
            )
        found[name] = StringAttr(text)
    return found


def _kind(kind: str, dtype: DType) -> str:
    """The op's kind: min and max say the sign of an integer."""
    if kind in ("min", "max") and not dtype.is_float:
        return f"{kind}{'s' if dtype.is_signed else 'u'}"
    return kind


def _read_modify_write(
    kind: str,
    frame: Frame,
    node: ast.AST,
    view: Value,
    index: Value,
    value: Value,
    order: Value | None = None,
    scope: Value | None = None,
) -> Value:
    name = f"sw.atomic_{kind}"
    memory = _memory(frame, node, order, scope)
    array, indices = _element(frame, node, view, index, name)
    dtype = array.dtype
    if kind in _BITS and dtype.is_float:
        raise frame.refuse(node, f"{name} on an array of {dtype}, expected integers")
    operand = store_as(frame, node, value, dtype, "the element")
    if kind == "sub":
        negated = unary(frame, node, ast.USub, operand)
        assert isinstance(negated, Scalar), "a run-time value stays one"
        operand, kind = negated, "add"
    old = frame.emit.add(
        gpux.AtomicRMWOp,
        (operand.ssa, array.ssa, *indices),
        (REGISTER[dtype],),
        {"kind": StringAttr(_kind(kind, dtype)), **memory},
    )
    return Scalar(dtype, old)


def _compare_exchange(
    frame: Frame,
    node: ast.AST,
    view: Value,
    index: Value,
    expected: Value,
    desired: Value,
    order: Value | None = None,
    scope: Value | None = None,
) -> Value:
    memory = _memory(frame, node, order, scope)
    array, indices = _element(frame, node, view, index, "sw.atomic_compare_exchange")
    values = [store_as(frame, node, v, array.dtype, "the element") for v in (expected, desired)]
    old = frame.emit.add(
        gpux.AtomicCASOp,
        (*(value.ssa for value in values), array.ssa, *indices),
        (REGISTER[array.dtype],),
        memory,
    )
    return Scalar(array.dtype, old)


_KEYWORDS = ("order", "scope")
_NAMES = {"and": "atomic_and_", "or": "atomic_or_"}
ATOMICS: dict[str, Function] = {
    **{
        (name := _NAMES.get(kind, f"atomic_{kind}")): Function(
            f"sw.{name}",
            partial(_read_modify_write, kind),
            ("view", "index", "value"),
            _KEYWORDS,
        )
        for kind in ("add", "sub", "min", "max", "and", "or", "xor", "exchange")
    },
    "atomic_compare_exchange": Function(
        "sw.atomic_compare_exchange",
        _compare_exchange,
        ("view", "index", "expected", "desired"),
        _KEYWORDS,
    ),
}
