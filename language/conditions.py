"""Conditions: what is true, `and`, `or`, and `not` of them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from .choices import choose
from .convert import truth
from .operators import negate
from .promotion import WEAK
from .types import bool_
from .typing_of import describe, type_of
from .values import Static, Value

if TYPE_CHECKING:
    from .frame import Frame


def condition(frame: Frame, node: ast.expr) -> Value:
    """The truth of an expression: a bool scalar or constant. `and`/`or` of any numbers allowed."""
    if isinstance(node, ast.BoolOp):
        return _bool_chain(frame, isinstance(node.op, ast.And), node.values, condition)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return negate(frame, condition(frame, node.operand))
    value = frame.eval(node)
    with frame.at(node):
        return truth(frame, node, value)


def boolop(frame: Frame, node: ast.BoolOp) -> Value:
    """`a and b`, `a or b`: bools with short circuit, or numbers of one type as Python has it."""
    return _bool_chain(frame, isinstance(node.op, ast.And), node.values, lambda f, n: f.eval(n))


def _bool_chain(
    frame: Frame,
    is_and: bool,
    nodes: list[ast.expr],
    evaluate: Callable[[Frame, ast.expr], Value],
) -> Value:
    left = evaluate(frame, nodes[0])
    if len(nodes) == 1:
        return left

    def rest() -> Value:
        return _bool_chain(frame, is_and, nodes[1:], evaluate)

    return short_circuit(frame, nodes[0], left, is_and, rest)


def short_circuit(
    frame: Frame, node: ast.AST, left: Value, is_and: bool, rest: Callable[[], Value]
) -> Value:
    """`left and rest()` or `left or rest()`; the rest is evaluated only where it decides."""
    if isinstance(left, Static):
        return rest() if bool(left.value) is is_and else left
    test = truth(frame, node, left)

    def expect_same(right: Value) -> None:
        kinds = [type_of(left), type_of(right)]
        if kinds[0] == kinds[1] or (kinds[1] in WEAK and kinds[0] is not bool_):
            return
        word = "and" if is_and else "or"
        raise frame.refuse(
            frame.node,
            f"operands of `{word}` are {describe(left)} and {describe(right)}",
            hint="compare them, as in a != 0, so that both are bools",
        )

    if is_and:
        return choose(frame, test, rest, lambda: left, check=lambda a, b: expect_same(a))
    return choose(frame, test, lambda: left, rest, check=lambda a, b: expect_same(b))
