"""What is not in the language, and what to write instead: one row for each kind of syntax."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..dialects.diagnostics import CompileError
    from .frame import Frame

STATEMENTS: dict[type[ast.stmt], tuple[str, str]] = {
    ast.Try: ("try", "nothing raises in a kernel; test the condition with if"),
    ast.With: ("with", "put the statements in line"),
    ast.AsyncWith: ("async with", "put the statements in line"),
    ast.AsyncFor: ("async for", "use for"),
    ast.AsyncFunctionDef: ("async def", "use def"),
    ast.Raise: ("raise", "use assert with a message; the launch raises AssertionFailed"),
    ast.Delete: ("del", "leave the variable; it costs nothing"),
    ast.Global: ("global", "store to an array parameter"),
    ast.Nonlocal: ("nonlocal", "return the new value and assign it where the function is called"),
    ast.Import: ("import", "import at the top of the file"),
    ast.ImportFrom: ("import", "import at the top of the file"),
    ast.ClassDef: ("class", "define the dataclass or NamedTuple outside the kernel"),
}
EXPRESSIONS: dict[type[ast.expr], tuple[str, str]] = {
    ast.ListComp: ("a list comprehension", "write a loop; sw.local(…) makes a small array"),
    ast.SetComp: ("a set comprehension", "write a loop"),
    ast.DictComp: ("a dict comprehension", "write a loop"),
    ast.GeneratorExp: ("a generator expression", "write a loop"),
    ast.List: ("a list", "use a tuple, or sw.local(…) for an array that can be changed"),
    ast.Set: ("a set", "use a tuple"),
    ast.Dict: ("a dict", "use a dataclass or a NamedTuple"),
    ast.Await: ("await", "threads wait for each other with sw.barrier()"),
    ast.Yield: ("yield", "store to an array"),
    ast.YieldFrom: ("yield from", "store to an array"),
    ast.Starred: ("a starred expression", "write the items out"),
    ast.Slice: ("a slice", "slices stand inside [ ] only"),
}


def refuse_statement(frame: Frame, node: ast.stmt) -> CompileError:
    """The error for a statement that has no handler."""
    name, hint = STATEMENTS.get(type(node), (type(node).__name__, ""))
    return frame.refuse(
        node, f"the statement {name} is not in the kernel language", hint=hint or None
    )


def refuse_expression(frame: Frame, node: ast.expr) -> CompileError:
    """The error for an expression that has no handler."""
    name, hint = EXPRESSIONS.get(type(node), (f"the expression {type(node).__name__}", ""))
    return frame.refuse(node, f"{name} is not in the kernel language", hint=hint or None)
