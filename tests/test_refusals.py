"""Programs that are not in the language: each says where, what was expected, what to do instead.

The offending line ends in `# error COLUMN: part of the message`; what the hint must say follows
after ` ~ `. Nothing here is ever run.
"""

from __future__ import annotations

import inspect
import re
import sys
from types import FunctionType
from typing import Any

import pytest
import refused_programs

from stepwell.dialects.diagnostics import CompileError
from stepwell.language.build import build_module
from stepwell.runtime.artifact import Form

_EXPECTED = re.compile(r"#\s*error (\d+)(?: \(3\.12: (\d+)\))?: (.*?)(?: ~ (.*))?$")
CASES = refused_programs.CASES


def test_there_are_many():
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=[case[0].__name__ for case in CASES])
def test_refused(case: tuple[FunctionType, tuple[Any, ...], int | None]):
    function, types, over = case
    line, column, message, hint = _expected(function)
    with pytest.raises(CompileError) as caught:
        build_module(function, types, Form(over=over))
    error = caught.value
    assert message in error.message
    assert error.location is not None
    assert (error.location.line, error.location.column) == (line, column), str(error)
    assert error.location.end_column is not None
    assert error.location.end_column > column
    assert hint is None or (error.hint is not None and hint in error.hint)


def test_the_text_shows_the_line_and_a_caret():
    with pytest.raises(CompileError) as caught:
        build_module(refused_programs.unknown_name, (refused_programs.A,))
    text = str(caught.value)
    assert "refused_programs.py" in text
    assert "x[0] = lenght" in text
    assert re.search(r"^ +\^{6}$", text, re.MULTILINE)


def _expected(function: FunctionType) -> tuple[int, int, str, str | None]:
    lines, start = inspect.getsourcelines(function)
    for number, text in enumerate(lines):
        found = _EXPECTED.search(text)
        if found is None:
            # Comments inside helpers that the program calls.
            continue
        column = found[2] if found[2] and sys.version_info >= (3, 12) else found[1]
        return start + number, int(column), found[3], found[4]
    helper = getattr(function, "error_in", None)
    assert helper is not None, f"{function.__name__} says no error"
    return _expected(helper)
