"""Statements without loops: assignments, if, return, assert, pass."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..dialects import simt
from .conditions import condition
from .emitter import body
from .expressions import operate
from .frame import merge
from .other_arm import check_other_arm
from .returns import end_region, give_back
from .sharing import names_in, note_sharing
from .typing_of import describe
from .values import (
    LocalFunction,
    Scalar,
    Static,
    Value,
    View,
    unpacked,
)
from .variables import assign, read

if TYPE_CHECKING:
    from .frame import Frame


def expression(frame: Frame, node: ast.Expr) -> None:
    """An expression for its effect; a string is documentation."""
    if isinstance(node.value, ast.Constant) and isinstance(node.value.value, (str, type(...))):
        return
    frame.eval(node.value)


def assignment(frame: Frame, node: ast.Assign) -> None:
    """`a = b = value`."""
    value = frame.eval(node.value)
    names = set[str]().union(*map(names_in, node.targets))
    note_sharing(frame, node.value, value, names, targets=len(node.targets))
    for target in node.targets:
        assign_to(frame, target, value)


def assign_to(frame: Frame, target: ast.expr, value: Value, *, loop_target: bool = False) -> None:
    """Give a target its value: a name, a tuple of targets, an element, or a field."""
    if isinstance(target, ast.Name):
        assign(frame, target.id, value, target, loop_target=loop_target)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(frame, target, value, loop_target)
    elif isinstance(target, ast.Subscript):
        from .subscripts import store_subscript

        store_subscript(frame, target, value)
    elif isinstance(target, ast.Attribute):
        from .struct_updates import store_attribute

        store_attribute(frame, target, value)
    else:
        raise frame.refuse(
            target,
            "a starred target is not in the language",
            hint="unpack into as many names as the tuple has items",
        )


def _unpack(frame: Frame, target: ast.Tuple | ast.List, value: Value, loop_target: bool) -> None:
    items = unpacked(value)
    if items is None:
        raise frame.refuse(
            target,
            f"expected a tuple to unpack, got {describe(value)}",
            hint="take its elements one by one, as in a, b = x[i, 0], x[i, 1]"
            if isinstance(value, View)
            else None,
        )
    if len(items) != len(target.elts):
        raise frame.refuse(target, f"{len(target.elts)} targets for a tuple of {len(items)} items")
    for part, item in zip(target.elts, items, strict=True):
        assign_to(frame, part, item, loop_target=loop_target)


def annotated(frame: Frame, node: ast.AnnAssign) -> None:
    """`acc: sw.f64 = 0`: the variable has this type."""
    from .annotations import value_type

    if not isinstance(node.target, ast.Name):
        raise frame.refuse(node.target, "only a variable can be annotated")
    annotation = frame.eval(node.annotation)
    type_ = value_type(annotation.value) if isinstance(annotation, Static) else None
    if type_ is None:
        raise frame.refuse(
            node.annotation,
            f"{frame.text_of(node.annotation)} is no type of the language",
            hint="use sw.i32, sw.f64, int, float, bool, a dataclass or a NamedTuple",
        )
    variable = frame.variable(node.target.id)
    if variable.declared not in (None, type_):
        raise frame.refuse(
            node, f"variable {node.target.id} is declared as {variable.declared} too"
        )
    if variable.declared is None:
        variable.declared = type_
        if variable.type is not None:
            variable.type, variable.in_cell = None, False
            frame.again("declared")
    if node.value is not None:
        value = frame.eval(node.value)
        note_sharing(frame, node.value, value, [node.target.id])
        assign(frame, node.target.id, value, node.target)


def augmented(frame: Frame, node: ast.AugAssign) -> None:
    """`target op= value`; the target is evaluated once."""
    target, op = node.target, type(node.op)
    if isinstance(target, ast.Name):
        if target.id not in frame.plan.variables:
            raise frame.refuse(target, f"name {target.id} is not a local variable")
        old = read(frame, target.id, target)
        assign(frame, target.id, operate(frame, node, op, old, frame.eval(node.value)), target)
    elif isinstance(target, ast.Subscript):
        from .subscripts import update_subscript

        update_subscript(
            frame, target, lambda old: operate(frame, node, op, old, frame.eval(node.value))
        )
    else:
        from .struct_updates import update_attribute

        update_attribute(
            frame, target, lambda old: operate(frame, node, op, old, frame.eval(node.value))
        )


def if_(frame: Frame, node: ast.If) -> None:
    """`if`; with a constant condition only the taken branch is compiled."""
    asked = frame.unit.machine_asked
    test = condition(frame, node.test)
    if isinstance(test, Static):
        taken, other = (node.body, node.orelse) if test.value else (node.orelse, node.body)
        if frame.unit.machine_asked != asked:
            check_other_arm(frame, node.test, not test.value, lambda: frame.run(other))
        frame.run(taken)
        return
    branch(frame, test, lambda: frame.run(node.body), lambda: frame.run(node.orelse))


def branch(frame: Frame, test: Value, then: Callable[[], None], orelse: Callable[[], None]) -> None:
    """A `simt.if` with two sides; what both have assigned is assigned after it."""
    assert isinstance(test, Scalar), "a constant condition has been folded"
    before = set(frame.assigned or ())
    states: list[set[str] | None] = []
    regions: list[object] = []
    for side in (then, orelse):
        frame.assigned = set(before)
        with frame.region() as block:
            side()
            end_region(frame)
        states.append(frame.assigned)
        regions.append(block)
    frame.assigned = merge(states)
    if not frame.emit.dry:
        from xdsl.ir import Block, Region

        first, second = regions
        assert isinstance(first, Block) and isinstance(second, Block), "made above"
        empty = second.first_op is second.last_op and isinstance(second.last_op, simt.YieldOp)
        orelse_region = Region() if empty else body(second)
        frame.emit.add(simt.IfOp, (test.ssa,), regions=(body(first), orelse_region))


def return_(frame: Frame, node: ast.Return) -> None:
    """`return`: ends the thread in a kernel, gives back a value in a called function."""
    value = Static(None) if node.value is None else frame.eval(node.value)
    give_back(frame, node, value)


def pass_(frame: Frame, node: ast.Pass) -> None:
    """Nothing."""


def function_def(frame: Frame, node: ast.FunctionDef) -> None:
    """A function inside the kernel; it reads outer variables as they are when it is called."""
    if node.decorator_list:
        raise frame.refuse(node.decorator_list[0], "a function inside a kernel takes no decorator")
    for inner in ast.walk(node):
        if isinstance(inner, ast.Nonlocal):
            raise frame.refuse(
                inner,
                "an inner function cannot assign variables of the outer one",
                hint="return the new value and assign it where the function is called",
            )
    assign(frame, node.name, LocalFunction(node.name, node, frame), node)
