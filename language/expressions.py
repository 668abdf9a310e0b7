"""Expressions: one handler for each kind of syntax node."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .choices import choose
from .conditions import condition
from .constants import import_static
from .operators import binary, negate, unary
from .sharing import note_sharing
from .typing_of import describe, type_of
from .values import LocalFunction, Static, StructValue, TupleValue, Value
from .variables import assign, read

if TYPE_CHECKING:
    from .frame import Frame


def constant(frame: Frame, node: ast.Constant) -> Value:
    """A literal."""
    if isinstance(node.value, (complex, bytes)):
        raise frame.refuse(node, f"{type(node.value).__name__} literals are not in the language")
    return Static(node.value)


def name(frame: Frame, node: ast.Name) -> Value:
    """A local variable or a constant of the surroundings."""
    if node.id in frame.plan.variables:
        return read(frame, node.id, node)
    found = frame.scope.find(node.id)
    if found is None:
        from difflib import get_close_matches

        from .refusals import foreign_hint

        known = frame.scope.names() | set(frame.plan.variables)
        close = get_close_matches(node.id, sorted(known), 1)
        raise frame.refuse(
            node,
            f"name {node.id} is not defined",
            hint=foreign_hint(node.id) or (f"did you mean {close[0]}?" if close else None),
        )
    if isinstance(found, Static):
        return import_static(frame, node, found)
    return found


def binop(frame: Frame, node: ast.BinOp) -> Value:
    """`a op b`."""
    left = frame.eval(node.left)
    right = frame.eval(node.right)
    return operate(frame, node, type(node.op), left, right)


def operate(
    frame: Frame, node: ast.AST, op: type[ast.operator], left: Value, right: Value
) -> Value:
    """`left op right` for numbers, tuples and structs with operator methods."""
    if isinstance(left, (StructValue, TupleValue)) or isinstance(right, (StructValue, TupleValue)):
        from .struct_methods import operator_method

        return operator_method(frame, node, op, left, right)
    return binary(frame, node, op, left, right)


def unaryop(frame: Frame, node: ast.UnaryOp) -> Value:
    """`not a`, `-a`, `+a`, `~a`."""
    if isinstance(node.op, ast.Not):
        return negate(frame, condition(frame, node.operand))
    value = frame.eval(node.operand)
    if isinstance(value, StructValue):
        from .struct_methods import operator_method

        return operator_method(frame, node, type(node.op), value, None)
    return unary(frame, node, type(node.op), value)


def ifexp(frame: Frame, node: ast.IfExp) -> Value:
    """`a if c else b`."""
    asked = frame.unit.machine_asked
    test = condition(frame, node.test)
    if isinstance(test, Static):
        taken, other = (node.body, node.orelse) if test.value else (node.orelse, node.body)
        if frame.unit.machine_asked != asked:
            from .other_arm import check_other_arm

            check_other_arm(frame, node.test, not test.value, lambda: frame.eval(other))
        return frame.eval(taken)
    return choose(frame, test, lambda: frame.eval(node.body), lambda: frame.eval(node.orelse))


def tuple_(frame: Frame, node: ast.Tuple | ast.List) -> Value:
    """`(a, b)`."""
    items: list[Value] = []
    for item in node.elts:
        if isinstance(item, ast.Starred):
            inner = frame.eval(item.value)
            if not isinstance(inner, TupleValue):
                raise frame.refuse(item, f"* needs a tuple, got {describe(inner)}")
            items += inner.items
        else:
            items.append(frame.eval(item))
    return TupleValue(tuple(items))


def walrus(frame: Frame, node: ast.NamedExpr) -> Value:
    """`(n := value)`."""
    value = frame.eval(node.value)
    assert isinstance(node.target, ast.Name), "the grammar allows names only"
    note_sharing(frame, node.value, value, [node.target.id])
    assign(frame, node.target.id, value, node.target)
    return read(frame, node.target.id, node) if type_of(value) is not None else value


def lambda_(frame: Frame, node: ast.Lambda) -> Value:
    """`lambda x: …`, to be called or passed on."""
    return LocalFunction("<lambda>", node, frame)
