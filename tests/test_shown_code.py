"""What README.md and pages of docs/ show is run as it stands there, and does what they say."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conformance.compare import define
from cuda_devices import simulated

import stepwell as sw
from stepwell.language.promotion import promote
from stepwell.language.types import DTYPES
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


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table that begins with this one."""
    text = (ROOT / page).read_text(encoding="utf-8")
    table = text[text.index(f"\n| {heading} |") + 1 :].partition("\n\n")[0]
    return [[cell.strip() for cell in row[1:-1].split(" | ")] for row in table.splitlines()[2:]]


def test_the_types_of_the_types_page_are_those_that_there_are():
    listed: set[str] = set()
    for names, _, _, memory in rows("docs/types.md", "type"):
        for name in re.findall(r"\w+", names.replace("sw.", "")):
            dtype = DTYPES[name.rstrip("_")]
            assert getattr(sw, name) is dtype
            listed.add(dtype.name)
            digits = re.findall(r"\d+", memory.replace("N/8", str(dtype.bits // 8)))
            assert not digits or str(dtype.size) in digits, name
    assert listed == set(DTYPES)


def test_what_the_types_page_says_that_operands_meet_in():
    text = (ROOT / "docs/types.md").read_text(encoding="utf-8")
    pairs = re.findall(r"(\w+)\+(\w+) → (\w+)", text)
    assert len(pairs) == 3
    for a, b, expected in pairs:
        assert promote(DTYPES[a], DTYPES[b]) is promote(DTYPES[b], DTYPES[a]) is DTYPES[expected]


def test_the_functions_of_the_types_page():
    codes = zip(blocks("docs/types.md", "python"), ("saxpy", "total"), strict=True)
    saxpy, total = (define(code, name) for code, name in codes)

    @sw.kernel
    def kernel(x: Any, out: Any):
        out[0] = total(x)

    x, out = np.array([1.0, 2**-40, -1.0]), np.zeros(1)
    kernel[1, 1](x, out)
    assert out[0] == 2**-40  # in f32 it would be 0
    assert isinstance(saxpy, sw.Kernel)
    y = np.ones(3, np.float32)
    saxpy.over(3)(2.0, x.astype(np.float32), y)
    assert y.tolist() == [3, 1, -1]


def test_a_graph_and_a_tensor_map(monkeypatch: pytest.MonkeyPatch):
    kernel, call, graph = blocks("docs/nvidia.md", "python")
    with simulated((9, 0)) as device, sw.use(device):
        monkeypatch.setattr(sw, "device", {"cuda": device}.__getitem__)
        x = np.arange(128 * 64, dtype=np.float32).reshape(128, 64)
        names: dict[str, Any] = {"sw": sw, "first_box": define(kernel, "first_box")}
        exec(call, names)
        box, out = device.array(x).tensor_map((64, 32)), names["out"]
        names["first_box"][1, 32](box, out)
        np.testing.assert_array_equal(out.numpy(), x[:64, :32])
        few = graph.replace("1 << 20", "64").replace("device.zeros", "made")
        first, second = (device.array(np.ones(64, np.float32)) for _ in "xy")
        made = iter((first, second))

        def next_array(size: int) -> Any:
            assert size == 64
            return next(made)

        define(few, "halve", device=device, made=next_array)
        assert set(first.numpy()) == {0.25}
