"""A process that compiles many kernels does not grow with each."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from xdsl.dialects.builtin import ModuleOp

import stepwell as sw
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit.native import assemble

STATM = Path("/proc/self/statm")


@sw.kernel
def scale(x: Any, factor: sw.Const) -> None:
    x[sw.global_id()] *= factor


def test_ir_is_collected_with_other_young_objects(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STEPWELL_CACHE", "0")
    gc.unfreeze()  # as it is where no test froze what others have made

    def compile_one(factor: float) -> None:
        sw.compile(scale, (sw.Array[sw.f32, 1], factor))
        gc.collect(1)

    def modules() -> int:
        return sum(isinstance(one, ModuleOp) for one in gc.get_objects())

    compile_one(1.5)
    before = modules()
    for factor in (2.5, 3.5, 4.5):
        compile_one(factor)
    assert modules() == before


@pytest.mark.skipif(not STATM.exists(), reason="needs /proc/self/statm")
def test_llvms_passes_are_freed():
    def kilobytes() -> int:
        return 4 * int(STATM.read_text().split()[1])

    def assemble_many() -> None:
        for _ in range(100):
            assemble("define void @f() { ret void }")

    assemble_many()
    before = kilobytes()
    assemble_many()
    assert kilobytes() - before < 100 * 10


SAME = """
import stepwell as sw
@sw.kernel
def broken(x):
    x[0] = unknown
"""


def test_equal_functions_of_two_files_are_told_apart(tmp_path: Path):
    for name in ("one.py", "two.py"):
        file = tmp_path / name
        file.write_text(SAME)
        names: dict[str, sw.Kernel] = {}
        exec(compile(SAME, str(file), "exec"), names)
        with pytest.raises(CompileError) as caught:
            names["broken"].compile((sw.Array[sw.f32, 1],))
        assert caught.value.location is not None
        assert caught.value.location.file == str(file)
