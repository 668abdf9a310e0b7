"""`stepwell explain --uniformity`: what the divergence analysis says, with lines of Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell.tools.main import main

SOURCE = """
import stepwell as sw

@sw.kernel
def walk(x: sw.Array[sw.f32, 1], steps: sw.Array[sw.i32, 2], n: sw.i32):
    i, j = sw.global_id(0), sw.global_id(1)
    at = n
    for _ in range(steps[i, j]):
        at += 1
    if n > 3:
        x[3 * j] = x[n] + x[at]
"""


@pytest.fixture
def lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    path = tmp_path / "walk.py"
    path.write_text(SOURCE, encoding="utf-8")
    assert main(["explain", str(path), "--uniformity", "--over", "2"]) == 0
    _, found, text = capsys.readouterr().out.partition("  uniformity:\n")
    assert found, "there is a section on uniformity"
    return [line.strip().rpartition("/")[2] for line in text.splitlines()]


def test_a_loop_whose_rounds_come_from_memory_is_divergent(lines: list[str]):
    assert (
        "walk.py:8:5  loop: lanes leave at different times: it runs until the last one is done"
        in lines
    )


def test_a_branch_on_an_argument_is_the_block_s(lines: list[str]):
    assert "walk.py:10:5  branch: the same way for all threads of a block" in lines


def test_accesses_are_told_by_their_strides(lines: list[str]):
    said = [line.partition("  ")[2] for line in lines if " of x: " in line]
    assert said == [
        "store of x: places 3 apart",
        "load of x: one place for all lanes",
        "load of x: any places (gather or scatter)",
    ]
    assert any(line.endswith("load of steps: consecutive places") for line in lines)
