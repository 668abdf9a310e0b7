"""Which function compiles which node of Python's syntax.

What only few kernels have is loaded when it is met.
"""

from __future__ import annotations

import ast

from .attributes import attribute
from .calls import call_node
from .comparisons import compare_chain
from .conditions import boolop
from .expressions import binop, constant, ifexp, lambda_, name, tuple_, unaryop, walrus
from .frame import ExpressionTable, Frame, StatementTable
from .reports import assert_statement, joined_string
from .statements import (
    annotated,
    assignment,
    augmented,
    expression,
    function_def,
    if_,
    pass_,
    return_,
)
from .subscripts import subscript


def for_(frame: Frame, node: ast.For) -> None:
    """`for target in iterable`."""
    from .loops import for_loop

    for_loop(frame, node)


def while_(frame: Frame, node: ast.While) -> None:
    """`while condition`."""
    from .loops import while_loop

    while_loop(frame, node)


def break_or_continue(frame: Frame, node: ast.Break | ast.Continue) -> None:
    """Leave the innermost loop, or go on with its next iteration."""
    from .loops import leave

    leave(frame, isinstance(node, ast.Break))


def match(frame: Frame, node: ast.Match) -> None:
    """`match subject`."""
    from .patterns import match_statement

    match_statement(frame, node)


EXPRESSIONS: ExpressionTable = {
    ast.Constant: constant,
    ast.Name: name,
    ast.BinOp: binop,
    ast.UnaryOp: unaryop,
    ast.BoolOp: boolop,
    ast.IfExp: ifexp,
    ast.Compare: compare_chain,
    ast.Tuple: tuple_,
    ast.NamedExpr: walrus,
    ast.Lambda: lambda_,
    ast.Attribute: attribute,
    ast.Subscript: subscript,
    ast.Call: call_node,
    ast.JoinedStr: joined_string,
}
STATEMENTS: StatementTable = {
    ast.Expr: expression,
    ast.Assign: assignment,
    ast.AnnAssign: annotated,
    ast.AugAssign: augmented,
    ast.If: if_,
    ast.For: for_,
    ast.While: while_,
    ast.Break: break_or_continue,
    ast.Continue: break_or_continue,
    ast.Return: return_,
    ast.Assert: assert_statement,
    ast.Pass: pass_,
    ast.FunctionDef: function_def,
    ast.Match: match,
}
