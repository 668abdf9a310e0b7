"""Python functions as syntax trees, with the places of their nodes in the user's file."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, cast

from ..dialects.diagnostics import CompileError, Location

FunctionNode = ast.FunctionDef | ast.Lambda


@dataclass(frozen=True)
class Source:
    """One function: its tree, whose line numbers count in `file`."""

    name: str
    file: str
    node: FunctionNode

    def locate(self, node: ast.AST) -> Location:
        """Where a node of this function stands; columns count characters from 1."""
        place = cast(ast.expr, node if hasattr(node, "lineno") else self.node)
        line, start = place.lineno, place.col_offset
        end = place.end_col_offset if place.end_lineno == line else None
        text = linecache.getline(self.file, line)
        if not text.isascii():  # the tree counts bytes of UTF-8
            encoded = text.encode()
            start = len(encoded[:start].decode())
            end = None if end is None else len(encoded[:end].decode())
        if end is None:
            end = len(text.rstrip())
        return Location(self.file, line, start + 1, end + 1)


# By file too: code of two files may be equal, lines and all.
_sources: dict[tuple[str, CodeType], Source] = {}
_MOST = 1024


def source_of(function: Callable[..., Any]) -> Source:
    """The source of a Python function; CompileError where it cannot be found."""
    assert isinstance(function, FunctionType), "has code"
    code = function.__code__
    found = _sources.get((code.co_filename, code))
    if found is None:
        if len(_sources) >= _MOST:
            _sources.clear()
        found = _sources[code.co_filename, code] = _parse(function)
    return found


def _parse(function: FunctionType) -> Source:
    code = function.__code__
    try:
        if function.__name__ == "<lambda>":
            node: FunctionNode = _find_lambda(function)
        else:
            node = _find_def(function)
    except (OSError, SyntaxError, IndexError) as error:
        raise CompileError(
            f"the source of {function.__qualname__} cannot be found ({error})",
            Location(code.co_filename, code.co_firstlineno),
            hint="put it in a file (or a notebook cell): code made by exec() or typed at the "
            "interactive prompt has no source; if the file was edited since it was imported, "
            "start again",
        ) from None
    return Source(function.__name__, code.co_filename, node)


def _find_def(function: FunctionType) -> ast.FunctionDef:
    """Parse only the lines of the function; a surrounding `if 1:` keeps the columns of a method."""
    code = function.__code__
    lines, start = _lines(function), code.co_firstlineno - 1
    if not lines:
        raise OSError(f"no source in {code.co_filename}")
    try:
        node = _parse_block(_indented(lines[start:]), start)
    except SyntaxError:  # a text or a bracket goes on further left; tokens say where it ends
        node = _parse_block(inspect.getblock(lines[start:]), start)
    if isinstance(node, ast.AsyncFunctionDef):
        place = Location(
            code.co_filename, node.lineno, node.col_offset + 1, node.col_offset + len("async def")
        )
        raise CompileError(
            f"the async function {node.name} is not in the kernel language",
            place,
            hint="write def: nothing in a kernel waits but for a barrier",
        )
    if not isinstance(node, ast.FunctionDef) or node.name != code.co_name:
        raise OSError(f"line {start + 1} of {code.co_filename} is something else now")
    return node


def _indented(lines: Sequence[str]) -> Sequence[str]:
    """The definition that begins with the first line, by how far its lines are indented.

    Tokens take longer: Python's syntax of them is a regular expression of 1 000 characters.
    """
    margin = len(lines[0]) - len(lines[0].lstrip())
    is_inside = False
    for index, line in enumerate(lines):
        text = line.lstrip()
        is_further_left = bool(text) and text[0] != "#" and len(line) - len(text) <= margin
        if is_inside and is_further_left:
            return lines[:index]
        is_inside = is_inside or text.startswith(("def ", "async def "))  # behind decorators
    return lines


def _parse_block(block: Sequence[str], start: int) -> ast.stmt:
    """The definition in these lines, of which the first has the index `start` in its file."""
    indented = block[0][:1].isspace()
    # Behind as many empty lines as there are lines before it: so nodes have the lines of the file.
    text = "\n" * (start - indented) + ("if 1:\n" if indented else "") + "".join(block)
    node = ast.parse(text).body[0]
    if indented:
        assert isinstance(node, ast.If), "the line before"
        node = node.body[0]
    return node


def _find_lambda(function: FunctionType) -> ast.Lambda:
    """The lambda whose body stands where the code says it does."""
    code = function.__code__
    tree = ast.parse("".join(_lines(function)))
    places = {place for place in code.co_positions() if None not in place}
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda)
        and _span(node.body) in places
        and [arg.arg for arg in node.args.args] == list(code.co_varnames[: code.co_argcount])
    ]
    if not found:
        raise OSError(f"no such lambda in {code.co_filename}")
    return max(found, key=lambda node: node.body.col_offset if len(found) > 1 else 0)


def _span(node: ast.expr) -> tuple[int, int | None, int, int | None]:
    return (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)


def _lines(function: FunctionType) -> list[str]:
    file = function.__code__.co_filename
    linecache.checkcache(file)
    return linecache.getlines(file, function.__globals__)


def assigned_names(node: FunctionNode) -> set[str]:
    """Names that the function gives a value to: its parameters and locals."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    names = {argument.arg for argument in every}
    if isinstance(node, ast.FunctionDef):
        for statement in node.body:
            _collect(statement, names)
    else:
        _collect(node.body, names)
    return names


def _collect(node: ast.AST, names: set[str]) -> None:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        names.add(node.id)
    elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
        names.add(node.name)
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        names.add(node.name)
        return
    elif isinstance(node, ast.Lambda):
        return
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    for child in ast.iter_child_nodes(node):
        _collect(child, names)


def read_names(node: FunctionNode) -> set[str]:
    """Names that the body reads, nested functions included."""
    body = node.body if isinstance(node, ast.FunctionDef) else [node.body]
    return {found.id for part in body for found in ast.walk(part) if isinstance(found, ast.Name)}
