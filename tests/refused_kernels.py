"""Kernels that are to be refused, compiled from a file so that errors have places."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import stepwell as sw

LINES = "import stepwell as sw\n\ndef kernel({parameters}):\n    {body}\n"
Row = tuple[str, str, str]
"""The body of a kernel, the target, and what the error says."""


def refuses(
    rows: Mapping[str, Row], types: Sequence[Any], parameters: str = "x"
) -> Callable[[str, Path], None]:
    """A test that each of these kernels with such parameters is refused."""

    @pytest.mark.parametrize("name", sorted(rows))
    def test(name: str, tmp_path: Path) -> None:
        body, target, message = rows[name]
        assert message in refusal(tmp_path, body, types, target, parameters)

    return test


def refusal(folder: Path, body: str, types: Sequence[Any], target: str, parameters: str) -> str:
    """The error of compiling `def kernel(parameters): body`, which names a line of the kernel."""
    path = folder / "refused.py"
    path.write_text(LINES.format(parameters=parameters, body=body))
    scope: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    with pytest.raises(sw.CompileError) as caught:
        sw.kernel(scope["kernel"]).compile(types, target=target)
    text = str(caught.value)
    place = re.search(r"refused\.py:(\d+)", text)
    assert place is not None and int(place[1]) >= 3, text
    return text
