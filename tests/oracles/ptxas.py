"""NVIDIA's assembler, which reads every PTX that a test makes: `watch(patch)`.

Needs ptxas, from the package nvidia-cuda-nvcc of the test extra or on PATH; without it nothing is
read. The same text is read once in a process.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit import ptx

SECONDS = 120


def watch(patch: pytest.MonkeyPatch) -> None:
    """From now on, what ptxas refuses is a CompileError where it is made."""
    tool = ptx.find_tool("ptxas")
    if tool is not None:
        patch.setattr(ptx, "assemble_ptx", _checked(ptx.assemble_ptx, tool))


def _checked(assemble: Callable[..., ptx.PtxCode], tool: str) -> Callable[..., ptx.PtxCode]:
    seen: set[tuple[str, str]] = set()

    def assemble_and_check(ir_text: str, arch: str) -> ptx.PtxCode:
        made = assemble(ir_text, arch)
        if (made.ptx, arch) not in seen:
            seen.add((made.ptx, arch))
            _read(tool, made.ptx, arch)
        return made

    return assemble_and_check


def _read(tool: str, text: str, arch: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "kernel.ptx")
        source.write_text(text)
        words = [tool, "-arch", arch, str(source), "-o", str(Path(folder, "kernel.cubin"))]
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise CompileError(f"ptxas refuses the PTX for {arch}: {done.stderr}\n{text}")
