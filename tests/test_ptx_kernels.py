"""Kernels as PTX: what they contain; ptxas takes them for every generation and spills nothing."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from oracles import ptxas

import stepwell as sw
from stepwell.dialects.diagnostics import CompileError
from stepwell.lowering.emit import ptx as emit_ptx
from stepwell.lowering.emit.native import Target
from stepwell.lowering.emit.ptx import find_tool, resources

ARCHITECTURES = ("sm_75", "sm_80", "sm_90a", "sm_100a", "sm_120")
F32, I32, F64 = (sw.Array[kind, 1] for kind in (sw.f32, sw.i32, sw.f64))


def saxpy(a, x, y):
    i = sw.global_id(0)
    y[i] = a * x[i] + y[i]


def block_sum(x, out):
    t, i = sw.thread_id(0), sw.global_id(0)
    s = sw.shared(128, sw.f32)
    s[t] = x[i] if i < len(x) else 0.0
    sw.barrier()
    n = 64
    while n > 0:
        if t < n:
            s[t] += s[t + n]
        sw.barrier()
        n //= 2
    if t == 0:
        out[sw.block_id(0)] = s[0]


def warp_sum(x, out):
    i = sw.global_id(0)
    total = sw.subgroup_reduce_add(x[i])
    if sw.lane_id() == 0:
        sw.atomic_add(out, 0, total)


def divergent(x, out):
    i = sw.global_id(0)
    if x[i] > 3:
        out[i] = sw.subgroup_inclusive_add(x[i])
    else:
        out[i] = sw.shuffle(x[i], i % 32)


def transpose(x, out):
    tile = sw.shared((16, 17), sw.f32)
    tx, ty = sw.thread_id(0), sw.thread_id(1)
    tile[ty, tx] = x[sw.block_id(1) * 16 + ty, sw.block_id(0) * 16 + tx]
    sw.barrier()
    out[sw.block_id(0) * 16 + ty, sw.block_id(1) * 16 + tx] = tile[tx, ty]


def softmax_row(x, out):
    i = sw.global_id(0)
    most = x[i, 0]
    for k in range(x.shape[1]):
        most = max(most, x[i, k])
    total = sw.f32(0)
    for k in range(x.shape[1]):
        total += math.exp(x[i, k] - most)
    for k in range(x.shape[1]):
        out[i, k] = math.exp(x[i, k] - most) / total


def functions(x, y):
    i = sw.global_id(0)
    y[i] = math.sin(x[i]) + math.log(x[i]) * math.atan2(x[i], y[i])
    y[i] += x[i] ** y[i] + math.erf(x[i]) % x[i]


def halves(x, y):
    i = sw.global_id(0)
    y[i] = x[i] * x[i] + y[i]


def atomics(x, y):
    i = sw.global_id(0)
    sw.atomic_add(x, 0, y[i])
    sw.atomic_max(x, 1, y[i])
    sw.atomic_compare_exchange(x, i, y[i], y[0])


def checked(x, n):
    i = sw.global_id(0)
    assert n > 0, "n is positive"
    print("thread", i, x[i] // n)


MATRIX = sw.Array[sw.f32, 2]
KERNELS: dict[str, tuple[Any, tuple[Any, ...], int | None]] = {
    "saxpy": (saxpy, (sw.f32, F32, F32), 1),
    "block_sum": (block_sum, (F32, F32), None),
    "warp_sum": (warp_sum, (I32, I32), None),
    "warp_sum_f32": (warp_sum, (F32, F32), None),
    "divergent": (divergent, (I32, I32), 1),
    "transpose": (transpose, (MATRIX, MATRIX), None),
    "softmax": (softmax_row, (MATRIX, MATRIX), 1),
    "functions": (functions, (F32, F32), 1),
    "functions_f64": (functions, (F64, F64), 1),
    "halves": (halves, (sw.Array[sw.f16, 1], sw.Array[sw.f16, 1]), 1),
    "bfloats": (halves, (sw.Array[sw.bf16, 1], sw.Array[sw.bf16, 1]), 1),
    "atomics_i32": (atomics, (I32, I32), None),
    "atomics_f32": (atomics, (F32, F32), None),
    "atomics_f64": (atomics, (F64, F64), None),
    "atomics_i64": (atomics, (sw.Array[sw.i64, 1], sw.Array[sw.i64, 1]), None),
    "checked": (checked, (I32, sw.i32), 1),
}


def ptx(name: str, arch: str = "sm_80") -> str:
    """A kernel's PTX."""
    function, types, over = KERNELS[name]
    return sw.kernel(function).ir("ptx", *types, over=over, target=f"cuda:{arch}")


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("name", KERNELS)
def test_ptxas_takes_it_and_spills_nothing(name: str, arch: str):
    text = ptx(name, arch)
    if find_tool("ptxas") is None:
        pytest.skip("ptxas is not installed")
    used = resources(text, arch)
    assert used.spill_bytes == 0
    assert 0 < used.registers <= 64


BENCHMARKS = Path(__file__).parent.parent / "benchmarks" / "cuda_kernels.py"
SUBJECTS = {subject.name: subject for subject in runpy.run_path(str(BENCHMARKS))["SUBJECTS"]}


@pytest.mark.skipif(find_tool("ptxas") is None, reason="ptxas is not installed")
@pytest.mark.parametrize("checks", [False, True])
@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
@pytest.mark.parametrize("name", SUBJECTS)
def test_kernels_of_the_benchmarks_spill_nothing(name: str, arch: str, checks: bool):
    text = SUBJECTS[name].ptx(arch, checks=checks, fastmath="contract", small=True)
    used = resources(text, arch)
    assert used.spill_bytes == 0


@pytest.mark.skipif(find_tool("ptxas") is None, reason="ptxas is not installed")
def test_what_ptxas_refuses_is_an_error_where_it_is_made(monkeypatch: pytest.MonkeyPatch):
    text = ptx("saxpy")
    wrong = emit_ptx.PtxCode(text.replace("ret;", "rot;"), Target("", "sm_80", ""), "")
    monkeypatch.setattr(emit_ptx, "assemble_ptx", lambda text, arch: wrong)
    ptxas.watch(monkeypatch)
    with pytest.raises(CompileError, match="ptxas refuses the PTX for sm_80"):
        ptx("saxpy")


def test_a_shared_reduction_has_its_barriers_and_no_call_of_a_library():
    text = ptx("block_sum")
    assert len(re.findall(r"bar\.sync", text)) == 8
    assert "ld.shared" in text and ".shared .align 16" in text
    assert set(re.findall(r"call\.uni (\w+)", text)) == {"__stepwell_report_2"}


def test_an_integer_warp_sum_is_one_instruction_from_sm_80_on():
    assert "redux.sync.add.s32" in ptx("warp_sum")
    assert "redux" not in ptx("warp_sum", "sm_75")
    assert ptx("warp_sum_f32").count("shfl.sync.bfly") == 5


def test_a_divergent_branch_votes_before_its_subgroup_operation():
    text = ptx("divergent")
    assert text.index("vote.sync.ballot") < text.index("shfl.sync")
    assert "activemask" not in text


def test_atomics_are_single_instructions_with_order_and_scope():
    assert "red.relaxed.gpu.global.add.f32" in ptx("atomics_f32")
    assert "red.relaxed.gpu.global.add.f64" in ptx("atomics_f64")
    assert "red.relaxed.gpu.global.max.s64" in ptx("atomics_i64")


def test_lines_of_the_source_are_in_the_ptx():
    text = ptx("saxpy")
    line = saxpy.__code__.co_firstlineno + 2
    assert re.search(rf"\.loc\s+1 {line} ", text)
    assert ", debug" not in text


def test_half_floats_are_computed_in_one_instruction():
    assert re.search(r"(mul|fma)\.rn\.f16", ptx("halves"))


def test_parameters_are_pointer_sizes_extents_and_the_report():
    head = ptx("saxpy").split("{")[0].split(".visible")[1]
    kinds = re.findall(r"\.param \.(\w+)(?: \.ptr \.(\w+))?", head)
    array = [("u64", "global"), ("u64", "")]
    expected = [("f32", ""), *array, *array, *[("u64", "")] * 3, ("u64", "global")]
    assert kinds == expected


def test_a_kernel_named_as_a_library_function_keeps_out_of_its_way():
    def exp(x):
        x[0] = 1.0

    text = sw.kernel(exp).ir("ptx", F32, target="cuda")
    assert ".entry exp_kernel(" in text


@pytest.mark.parametrize("level", ["grid", "nvvm"])
def test_levels_in_between_can_be_shown(level: str):
    text = sw.kernel(saxpy).ir(level, sw.f32, F32, F32, over=1, target="cuda")
    assert ("scf.if" in text) == (level == "grid")
    assert ("ptx_kernelcc" in text) == (level == "nvvm")
