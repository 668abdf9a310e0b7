"""`stepwell explain`: checks, and what the divergence analysis says, with lines of Python or IR."""

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


IR = """gpu.module @m {
  gpu.func @move(%x: memref<?xf32, #gpu.address_space<global>>, %0: index, %1: index,
                 %2: index) kernel attributes {gpux.over = 1 : i64} {
    %i = gpu.global_id x
    simt.check_index %i, %x, 0 : i64 as "x" : memref<?xf32, #gpu.address_space<global>>
    %v = memref.load %x[%i] : memref<?xf32, #gpu.address_space<global>>
    memref.store %v, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @nothing() kernel {
    gpu.return
  }
}
"""


@pytest.fixture
def ir_file(tmp_path: Path) -> str:
    path = tmp_path / "move.mlir"
    path.write_text(IR, encoding="utf-8")
    return str(path)


def test_ir_is_explained_at_its_own_lines(ir_file: str, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", ir_file, "--uniformity", "--kernel", "move"]) == 0
    assert capsys.readouterr().out.replace(ir_file, "move.mlir") == (
        "kernel move for cpu, over() of rank 1\n"
        "  checks at run time: 1\n"
        "    move.mlir:5:5  index … is out of bounds for axis 0 of x with size …\n"
        "  shared memory: none\n"
        "  barriers: none\n"
        "  stands for what the device lacks: nothing\n"
        "  uniformity:\n"
        "    move.mlir:6:5  load of x: consecutive places\n"
        "    move.mlir:7:5  store of x: consecutive places\n"
    )


def test_all_kernels_of_ir_are_explained_for_any_target(
    ir_file: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["explain", ir_file, "--target", "cuda:sm_90"]) == 0
    titles = [line for line in capsys.readouterr().out.splitlines() if line.startswith("kernel")]
    assert titles == [
        "kernel move for cuda (sm_90), over() of rank 1",
        "kernel nothing for cuda (sm_90), launch()",
    ]


def test_what_ir_says_itself_is_refused(ir_file: str, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", ir_file, "--over", "1"]) == 1
    assert "--over is for Python files" in capsys.readouterr().err
    assert main(["explain", ir_file, "--from", "gpu"]) == 1
    assert "does not keep to level gpu" in capsys.readouterr().err


def test_a_check_is_where_its_error_would_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "walk.py"
    path.write_text(SOURCE, encoding="utf-8")
    assert main(["explain", str(path), "--over", "2"]) == 0
    assert "walk.py:11:20  index … is out of bounds for axis 0 of x" in capsys.readouterr().out
