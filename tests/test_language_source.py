"""The syntax tree of a function is the one that it has in its file, lines and columns too."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from stepwell.language.source import source_of

FILE = '''
def decorated(text):
    return lambda function: function


class Holder:
    @staticmethod
    @decorated(
        """
def method():
"""
    )
    def method(x):
# a comment further left
        if x:
            return 1

        """a text
that goes on further left"""
        return 2
    def neighbour(self): return 3

    async def after(self): pass


def bracket(
    x,
):
    y = [
1,
2]
    return y
def continued(x):
    return x + \\
1
def one_line(x): return x
other = 1
def last(x):
    def inner(y):
        return y
    return inner(x)  # and no end of line'''


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("source") / "functions.py"
    path.write_text(FILE)
    spec = importlib.util.spec_from_file_location("functions", path)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize(
    "name", ["bracket", "continued", "one_line", "last", "method", "neighbour"]
)
def test_a_function_is_found_by_its_first_line(module: Any, name: str):
    function = getattr(module, name, None) or getattr(module.Holder, name)
    assert isinstance(function, FunctionType)
    expected = next(
        node
        for node in ast.walk(ast.parse(Path(module.__file__).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    found = source_of(function).node
    assert ast.dump(found, include_attributes=True) == ast.dump(expected, include_attributes=True)
