"""Programs as users write them, with annotations: they run, and type checkers take them.

The checkers look at them from outside of this checkout, where stepwell is an installed package.
"""

from __future__ import annotations

import importlib.util
import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted((ROOT / "tests/user_programs").glob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# What extends the compiler is annotated; kernels on the other pages are not.
STRICT = {"a-device-in-a-package", "add-a-device", "add-a-pass", "add-an-op", "ir"}
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What a checker has to find: in lines with "error" any of them, with "pyright" that one alone.
MISTAKES = """
from dataclasses import dataclass

import numpy as np

import stepwell as sw


@dataclass
class Vec:
    x: sw.f32
    y: sw.f32


def twice(v: sw.f32) -> sw.f32:
    return 2 * v


@sw.kernel(blok=256)  # error
def misspelt(x: sw.Array[sw.f32, 1]) -> None:
    x[0] = 1


@sw.kernel
def kernel(x: sw.Array[sw.f32, 1], a: sw.f32, n: sw.i32) -> None:
    i = sw.global_idx(0)  # error
    j = sw.thread_id("x")  # error
    x[1.5] = a  # pyright
    x[0] = x + 1  # pyright
    x[1] = twice(a, a)  # error
    x[2] = twice("a")  # error
    x[3] = Vec(a).x + Vec(a, a).z  # error
    for _ in range(a):  # error
        sw.barrier(0)  # error
    sw.atomic_add(x, 0)  # error
    sw.atomic_add(x, 0, 1, ordering="relaxed")  # error
    n += "one"  # error
    sw.target.nvidia(arch=90)  # error


values = np.zeros(4, np.float32)
kernel(values, 1.0, 2)  # error
kernel[4](values, 1.0, 2)  # error
kernel["4", 64](values, 1.0, 2)  # error
kernel[4, 64, None, 0, 1](values, 1.0, 2)  # error
kernel.over(4, devcie="cpu")(values, 1.0, 2)  # error
kernel.over("4")  # error
kernel.over(1.5)  # error
kernel.launch(4)  # error
kernel.launch(4, 64, cooperative="yes")  # error
kernel.ovr(4)  # error
kernel.over(4)(values, 1.0, 2).synchronize()  # error
sw.kernel(kernel, checks=False)  # error
sw.compile(kernel, sw.f32)  # error
sw.compile(kernel, (sw.f32,), taget="cpu")  # error
sw.device("cpu").aray([1, 2])  # error
sw.devices().name  # error
sw.load(1)  # error
total: int = sw.f32(1)  # error
"""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_the_program_runs(program: Path):
    runpy.run_path(str(program), run_name="__main__")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs, the Python of all pages, and the mistakes."""
    folder = tmp_path_factory.mktemp("project")
    for program in PROGRAMS:
        text = program.read_text(encoding="utf-8")
        (folder / program.name).write_text("# pyright: strict\n" + text, encoding="utf-8")
    for page in PAGES:
        level = "# pyright: strict\n" if page.stem in STRICT else ""
        code = "\n".join(_PYTHON.findall(page.read_text(encoding="utf-8")))
        name = f"page_{page.stem.lower().replace('-', '_')}.py"
        (folder / name).write_text(level + code, encoding="utf-8")
    (folder / "mistakes.py").write_text(MISTAKES, encoding="utf-8")
    shutil.copy(ROOT / "examples/nbody.py", folder)
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "basic"}', encoding="utf-8")
    return folder


def expected(*words: str) -> set[tuple[str, int]]:
    lines = enumerate(MISTAKES.splitlines(), start=1)
    return {
        ("mistakes.py", n) for n, line in lines if line.endswith(tuple(f"# {w}" for w in words))
    }


def run(module: str, *arguments: str, folder: Path) -> str:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed; ./dev check installs it")
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, f"it finds the mistakes, and does not fail: {done.stderr}"
    return done.stdout


def test_pyright_finds_the_mistakes_and_nothing_else(project: Path):
    out = run("pyright", "--outputjson", "--pythonpath", sys.executable, folder=project)
    rows = json.loads(out)["generalDiagnostics"]
    found = {(Path(row["file"]).name, row["range"]["start"]["line"] + 1) for row in rows}
    assert found == expected("error", "pyright"), out


def test_mypy_finds_the_mistakes_and_nothing_else(project: Path):
    files = [*(program.name for program in PROGRAMS), "mistakes.py"]
    out = run("mypy", "--strict", *files, folder=project)
    rows = re.findall(r"^(\S+\.py):(\d+): error: (.*)$", out, re.MULTILINE)
    assert {(file, int(line)) for file, line, _ in rows} == expected("error"), out
