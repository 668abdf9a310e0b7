"""How a block ends, and a function: what `return` gives back."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..dialects import simt
from .convert import store_value
from .types import Type
from .typing_of import describe, join_types, settle_type, type_of
from .values import Static, Value
from .variables import flatten

if TYPE_CHECKING:
    from .frame import Frame


def end_region(frame: Frame) -> None:
    """Close the current block, unless it was left by return, break or continue."""
    if frame.emit.dry:
        return
    last = frame.emit.block.last_op
    if last is None or not isinstance(last, simt.EXITS):
        frame.emit.add(simt.YieldOp)


def give_back(frame: Frame, node: ast.AST, value: Value) -> None:
    """Return a value; all returns of a function have one type."""
    none = isinstance(value, Static) and value.value is None
    if frame.is_kernel:
        if not none:
            raise frame.refuse(
                node,
                f"a kernel returns nothing, got {describe(value)}",
                hint="store the result to an array parameter",
            )
        frame.emit.add(simt.ReturnOp)
        frame.assigned = None
        return
    plan = frame.plan
    plan.return_count += 1
    frame.returned = value
    type_ = type_of(value)
    if type_ is None:
        _return_static(frame, node, value)
    else:
        _return_typed(frame, node, value, type_)
    frame.assigned = None


def _return_static(frame: Frame, node: ast.AST, value: Value) -> None:
    plan = frame.plan
    if plan.returns is not None:
        raise frame.refuse(
            node,
            f"this path returns {describe(value)}, line {frame.line_of(plan.return_site or node)} "
            f"returns {plan.returns}",
            hint="return a value of one type on every path",
        )
    if plan.return_count > 1 and not (isinstance(value, Static) and value.value is None):
        raise frame.refuse(node, f"a function with several returns cannot return {describe(value)}")
    if not isinstance(value, Static):
        raise frame.refuse(
            node,
            f"a function cannot return {describe(value)}",
            hint="pass the array and the index, and read or write the element there",
        )
    frame.emit.add(simt.ReturnOp)


def _return_typed(frame: Frame, node: ast.AST, value: Value, type_: Type) -> None:
    plan, emit = frame.plan, frame.emit
    if plan.returns is None:
        plan.returns, plan.return_site = type_, node
    joined = join_types(plan.returns, type_)
    if joined is None:
        raise frame.refuse(
            node,
            f"this path returns {type_}, line {frame.line_of(plan.return_site or node)} returns "
            f"{plan.returns}",
            hint="return a value of one type on every path",
        )
    if joined != plan.returns:
        plan.returns = joined
        if not emit.dry:
            frame.again("return type")
    converted = store_value(frame, node, value, settle_type(joined), "the returned value")
    emit.add(simt.ReturnOp, [scalar.ssa for scalar in flatten(converted)])
