"""Comparisons: chains of them, `is`, `in`, and `==` of tuples and structs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .conditions import short_circuit
from .operators import SYMBOLS, compare, negate
from .typing_of import describe
from .values import RangeValue, Static, StructValue, TupleValue, Value, static_int

if TYPE_CHECKING:
    from .frame import Frame


def compare_chain(frame: Frame, node: ast.Compare) -> Value:
    """`a < b < c`: each operand is evaluated at most once, later ones only where needed."""
    left = frame.eval(node.left)
    return _compare_rest(frame, node, left, list(zip(node.ops, node.comparators, strict=True)))


def _compare_rest(
    frame: Frame, node: ast.Compare, left: Value, rest: list[tuple[ast.cmpop, ast.expr]]
) -> Value:
    op, right_node = rest[0]
    right = frame.eval(right_node)
    first = compare_one(frame, node, op, left, right)
    if len(rest) == 1:
        return first
    return short_circuit(
        frame, node, first, True, lambda: _compare_rest(frame, node, right, rest[1:])
    )


def compare_one(frame: Frame, node: ast.AST, op: ast.cmpop, left: Value, right: Value) -> Value:
    """One comparison; `is` and `in` are decided while compiling where they can be."""
    if isinstance(op, (ast.Is, ast.IsNot)):
        return identity(frame, node, left, right, isinstance(op, ast.IsNot))
    if isinstance(op, (ast.In, ast.NotIn)):
        found = contains(frame, node, left, right)
        return negate(frame, found) if isinstance(op, ast.NotIn) else found
    if isinstance(left, (TupleValue, StructValue)) or isinstance(right, (TupleValue, StructValue)):
        return compare_aggregates(frame, node, type(op), left, right)
    return compare(frame, node, type(op), left, right)


def identity(frame: Frame, node: ast.AST, left: Value, right: Value, negated: bool) -> Value:
    """`a is b`: decided now, for constants."""
    constants = [value for value in (left, right) if isinstance(value, Static)]
    if len(constants) == 2:
        return Static((constants[0].value is constants[1].value) is not negated)
    if any(constant.value is None for constant in constants):
        return Static(negated)  # a run-time value is not None
    raise frame.refuse(
        node,
        f"`is` of {describe(left)} and {describe(right)}",
        hint="use ==",
    )


def contains(frame: Frame, node: ast.AST, item: Value, container: Value) -> Value:
    """`a in (b, c)`, `a in range(n)`."""
    if isinstance(container, TupleValue):
        result: Value = Static(False)
        for candidate in container.items:
            test = compare_one(frame, node, ast.Eq(), item, candidate)
            result = short_circuit(frame, node, result, False, lambda test=test: test)
        return result
    if isinstance(container, RangeValue) and static_int(container.step) == 1:
        low = compare_one(frame, node, ast.GtE(), item, container.start)
        high = compare_one(frame, node, ast.Lt(), item, container.stop)
        return short_circuit(frame, node, low, True, lambda: high)
    raise frame.refuse(
        node,
        f"`in` needs a tuple or a range of step 1, got {describe(container)}",
        hint="write a loop",
    )


def compare_aggregates(
    frame: Frame, node: ast.AST, op: type[ast.cmpop], left: Value, right: Value
) -> Value:
    """`==` and `!=` of tuples and structs, item by item."""
    a, b = _items(left), _items(right)
    if a is None or b is None:
        raise frame.refuse(node, f"cannot compare {describe(left)} with {describe(right)}")
    if op not in (ast.Eq, ast.NotEq):
        raise frame.refuse(
            node,
            f"operator {SYMBOLS[op]} of {describe(left)} and {describe(right)}",
            hint="compare the items one by one",
        )
    equal = op is ast.Eq
    if len(a) != len(b):
        return Static(not equal)
    result: Value = Static(equal)
    for x, y in zip(a, b, strict=True):
        test = compare_one(frame, node, op(), x, y)
        result = short_circuit(frame, node, result, equal, lambda test=test: test)
    return result


def _items(value: Value) -> tuple[Value, ...] | None:
    if isinstance(value, TupleValue):
        return value.items
    if isinstance(value, StructValue):
        return tuple(value.fields.values())
    return None
