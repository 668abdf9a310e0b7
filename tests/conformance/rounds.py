"""Python functions that know in which rounds of their loops they are.

    while a(x):                     while (_rounds := _again(_rounds, 0, 7)) and a(x):
        for k in range(3):              for k in range(3):
            b(k)             ->             _rounds = _again(_rounds, 1, 8)
                                            b(k)
                                        _rounds = _rounds[:1]
                                    _rounds = _rounds[:0]

`instance` reads it: threads that come to one call in the same rounds of all loops around it, and
of those around the calls that led there, have the same key. Keys are in the order of execution.
"""

from __future__ import annotations

import ast
from itertools import islice
from types import CodeType, FrameType

VARIABLE, FUNCTION = "_rounds", "_again"
Rounds = tuple[tuple[int, int, int], ...]


def again(rounds: Rounds, depth: int, line: int) -> Rounds:
    """One round more of the loop on that line, which stands in `depth` others."""
    before = rounds[depth][2] if len(rounds) > depth else 0
    return *rounds[:depth], (line, 1, before + 1)


def counted(source: str) -> ast.Module:
    """The module of a text, its functions changed as above; lines and columns stay."""
    return ast.fix_missing_locations(_Counted().visit(ast.parse(source)))


class _Counted(ast.NodeTransformer):
    def __init__(self) -> None:
        self.depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outside, self.depth = self.depth, 0
        self.generic_visit(node)
        self.depth = outside
        node.body.insert(0, _statement(f"{VARIABLE} = ()", node))
        return node

    def visit_For(self, node: ast.For) -> list[ast.stmt]:
        text = f"{VARIABLE} = {FUNCTION}({VARIABLE}, {self.depth}, {node.lineno})"
        left = self.loop(node)
        node.body.insert(0, _statement(text, node))
        return [node, left]

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        text = f"({VARIABLE} := {FUNCTION}({VARIABLE}, {self.depth}, {node.lineno}))"
        left = self.loop(node)
        count = ast.parse(text, mode="eval").body
        node.test = ast.copy_location(ast.BoolOp(ast.And(), [count, node.test]), node.test)
        return [node, left]

    def loop(self, node: ast.For | ast.While) -> ast.stmt:
        """Changes what stands in a loop; the result is what comes behind it, and in its `else`."""
        self.depth += 1
        node.body = [new for old in node.body for new in self.changed(old)]
        self.depth -= 1
        left = _statement(f"{VARIABLE} = {VARIABLE}[:{self.depth}]", node)
        if node.orelse:
            node.orelse = [left, *(new for old in node.orelse for new in self.changed(old))]
        return left

    def changed(self, node: ast.stmt) -> list[ast.stmt]:
        """What a statement becomes."""
        new: ast.stmt | list[ast.stmt] = self.visit(node)
        return new if isinstance(new, list) else [new]


def _statement(text: str, where: ast.stmt) -> ast.stmt:
    (made,) = ast.parse(text).body
    for inner in ast.walk(made):
        ast.copy_location(inner, where)
    return made


def instance(frame: FrameType, outside: str) -> Rounds:
    """Where a frame is, and its callers up to the first one of the file `outside`."""
    key: Rounds = ()
    found: FrameType | None = frame
    while found is not None and found.f_code.co_filename != outside:
        rounds: Rounds = found.f_locals.get(VARIABLE, ())
        key = (*rounds, _position(found.f_code, found.f_lasti), *key)
        found = found.f_back
    return key


def _position(code: CodeType, offset: int) -> tuple[int, int, int]:
    """Where the call that a function is in ends."""
    _, line, _, column = next(islice(code.co_positions(), offset // 2, None))
    return line or 0, 0, column or 0
