"""What README.md and docs/language.md show is run as it stands there, and does what they say."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conformance.compare import define

import stepwell as sw
from stepwell.tools.main import main

ROOT = Path(__file__).parent.parent


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [code for name, code in found if name == language]


KERNEL, AHEAD_OF_TIME = blocks("README.md", "python")
ANNOTATED = "def saxpy(a: sw.f32, x: sw.Array[sw.f32, 1], y: sw.Array[sw.f32, 1]):"
COMMANDS = [
    shlex.split(line, comments=True)[1:]
    for block in blocks("README.md", "sh")
    for line in block.splitlines()
    if line.startswith("stepwell ")
]


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As a program, on the last of the devices where the page says "vulkan"."""
    code = code.replace('device="vulkan"', f'device="{sw.devices()[-1].name}"')
    (folder / "saxpy.py").write_text(code, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "saxpy.py"], capture_output=True, text=True, check=False, cwd=folder
    )


def test_the_first_kernel_and_its_artifact(tmp_path: Path):
    checked = "assert np.allclose(y, 8 * x + 1)\n"
    done = run(KERNEL + AHEAD_OF_TIME + checked, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "gpu.func @saxpy" in done.stdout


def test_an_index_out_of_range_says_what_the_page_says(tmp_path: Path):
    message = next(block for block in blocks("README.md", "") if "OutOfBounds" in block)
    done = run(KERNEL.replace("a * x[i]", "a * x[i + 1]"), tmp_path)
    assert done.returncode == 1
    assert done.stderr.replace(f"{tmp_path}/", "").endswith(message)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    head, _, _ = KERNEL.partition("x = np.random")
    Path("kernel.py").write_text(head.replace("def saxpy(a, x, y):", ANNOTATED), encoding="utf-8")
    assert main(["compile", "kernel.py", "--emit", "gpu", "-o", "kernel.mlir"]) == 0
    Path("lit").mkdir()
    Path("lit/runs.mlir").write_text("// RUN: stepwell opt %s -p cse\n", encoding="utf-8")
    assert main(command) == 0


def test_the_kernels_of_the_language_page():
    step, multiply, warp_sums = (
        define(code, name)
        for code, name in zip(
            blocks("docs/language.md", "python"), ("step", "multiply", "warp_sums"), strict=True
        )
    )
    assert isinstance(step, sw.Kernel)
    assert isinstance(multiply, sw.Kernel)
    assert isinstance(warp_sums, sw.Kernel)
    balls = np.array([(0.5, 1.0), (0.95, 1.0)], [("x", "f8"), ("speed", "f8")])
    step.over(2)(balls, 0.25)
    assert balls.tolist() == [(0.75, 1.0), (1.0, -1.0)]
    x, y = (np.arange(256 * n, 256 * (n + 1)).reshape(16, 16) % 7 for n in (0, 1))
    z = np.zeros((16, 16), np.float32)
    multiply[1, 32](x.astype(np.float16), y.astype(np.float16), z)
    assert (z == x @ y).all()
    out = np.zeros(64, np.int32)
    warp_sums[1, 64](np.ones(64, np.int32), out)
    assert len(set(out)) == 1
    assert out[0] > 3
