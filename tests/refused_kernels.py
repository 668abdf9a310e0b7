"""Kernels that are to be refused, compiled from a file so that errors have places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import stepwell as sw

LINES = "import stepwell as sw\n\ndef kernel({parameters}):\n    {body}\n"


def refusal(
    folder: Path, body: str, types: Sequence[Any], target: str = "cpu", parameters: str = "x"
) -> str:
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
