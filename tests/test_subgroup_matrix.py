"""gpu.subgroup_mma_*: executed as PTX in the interpreter and on the CPU, held against NumPy."""

# pyright: basic

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from oracles.ptx.module import Module
from xdsl.context import Context
from xdsl.dialects import scf

import stepwell as sw
from stepwell.compiler import compile_module, lower_and_print
from stepwell.dialects import gpu
from stepwell.dialects.diagnostics import CompileError
from stepwell.ir_files import parameters
from stepwell.lowering.emit.ptx import assemble_cubin, find_tool
from stepwell.lowering.gpu_to_cpu.expand_matrices import ExpandMatrices
from stepwell.lowering.parse import parse_module, print_module
from stepwell.lowering.verify import verify
from stepwell.targets import find_target

MLIR_OPT = shutil.which("mlir-opt-19") or shutil.which("mlir-opt", path="/usr/lib/llvm-19/bin")
LIT = Path(__file__).parent.parent / "lit/dialects/gpu_matrix.mlir"


@pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt 19 is not installed")
def test_upstream_reads_our_text_and_we_read_its():
    text = re.sub(r"(?m)^ *//.*\n", "", LIT.read_text(encoding="utf-8").split("// -----")[0])
    assert MLIR_OPT is not None
    done = subprocess.run([MLIR_OPT], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours, theirs = (print_module(parse_module(t, "<text>")) for t in (text, done.stdout))
    assert re.sub(r"%\w+", "%", ours) == re.sub(r"%\w+", "%", theirs)


def ptx(text: str, arch: str) -> str:
    module = parse_module(text, "<test>")
    verify(module)
    return lower_and_print(module, find_target(f"cuda:{arch}"), "gpu", "ptx")


def memref(shape: tuple[int, int], kind: str, space: str = "global") -> str:
    return f"memref<{shape[0]}x{shape[1]}x{kind}, #gpu.address_space<{space}>>"


def product(
    shape: tuple[int, int, int], kind: str, sums: str, *, turned: bool = False, element: str = ""
) -> str:
    """c = (a0 · b0 + a1 · b1 + 1) · c + c, in a loop over the two; `element` is the matrices'."""
    m, n, k = shape
    flag = ", transpose" if turned else ""
    of_b, lead = ((n, 2 * k), 2 * k) if turned else ((2 * k, n), n)
    a_type, b_type, c_type = memref((m, 2 * k), kind), memref(of_b, kind), memref((m, n), sums)
    a = f'!gpu.mma_matrix<{m}x{k}x{element or kind}, "AOp">'
    b = f'!gpu.mma_matrix<{k}x{n}x{element or kind}, "BOp">'
    c = f'!gpu.mma_matrix<{m}x{n}x{sums}, "COp">'
    letter = "f" if sums[0] == "f" else "i"
    one = f"1.0 : {sums}" if letter == "f" else f"1 : {sums}"
    at_b = "%zero, %i" if turned else "%i, %zero"
    product_flag = "{b_transpose}" if turned else ""
    return f"""
gpu.module @m {{
  gpu.func @k(%a: {a_type}, %b: {b_type}, %c: {c_type}) kernel
      attributes {{gpu.known_block_size = array<i32: 32, 1, 1>}} {{
    %zero = arith.constant 0 : index
    %step = arith.constant {k} : index
    %end = arith.constant {2 * k} : index
    %one = arith.constant {one}
    %first = gpu.subgroup_mma_constant_matrix %one : {c}
    %old = gpu.subgroup_mma_load_matrix %c[%zero, %zero] {{leadDimension = {n} : index}} :
      {c_type} -> {c}
    %sum = scf.for %i = %zero to %end step %step iter_args(%total = %first) -> ({c}) {{
      %x = gpu.subgroup_mma_load_matrix %a[%zero, %i] {{leadDimension = {2 * k} : index}} :
        {a_type} -> {a}
      %y = gpu.subgroup_mma_load_matrix %b[{at_b}] {{leadDimension = {lead} : index{flag}}} :
        {b_type} -> {b}
      %next = gpu.subgroup_mma_compute %x, %y, %total {product_flag} : {a}, {b} -> {c}
      scf.yield %next : {c}
    }}
    %p = gpu.subgroup_mma_elementwise mul{letter} %sum, %old : ({c}, {c}) -> {c}
    %q = gpu.subgroup_mma_elementwise add{letter} %p, %old : ({c}, {c}) -> {c}
    gpu.subgroup_mma_store_matrix %q, %c[%zero, %zero] {{leadDimension = {n} : index}} :
      {c}, {c_type}
    gpu.return
  }}
}}"""


# Shape, elements in memory, sums, elements of matrices where they differ, NumPy's names, sm.
CASES: dict[str, tuple[Any, str, str, str, Any, Any, int]] = {
    "f16": ((16, 16, 16), "f16", "f32", "", np.float16, np.float32, 75),
    "f16, sums f16": ((16, 16, 16), "f16", "f16", "", np.float16, np.float16, 80),
    "f16, tall": ((32, 8, 16), "f16", "f32", "", np.float16, np.float32, 75),
    "f16, wide": ((8, 32, 16), "f16", "f32", "", np.float16, np.float32, 90),
    "bf16": ((16, 16, 16), "bf16", "f32", "", ml_dtypes.bfloat16, np.float32, 80),
    "tf32": ((16, 16, 8), "f32", "f32", "", np.float32, np.float32, 80),
    "f64": ((8, 8, 4), "f64", "f64", "", np.float64, np.float64, 80),
    "si8": ((16, 16, 16), "i8", "i32", "si8", np.int8, np.int32, 75),
    "ui8": ((16, 16, 16), "i8", "i32", "ui8", np.uint8, np.int32, 75),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_a_product_with_a_loop_and_elementwise_operations(name: str, turned: bool):
    shape, kind, sums, element, dtype, total, sm = CASES[name]
    m, n, k = shape
    rng = np.random.default_rng(2)
    low = 0 if dtype is np.uint8 else -2
    a, b = (rng.integers(low, 3, size).astype(dtype) for size in ((m, 2 * k), (2 * k, n)))
    c = rng.integers(-3, 4, (m, n)).astype(total)
    expected = ((a.astype(total) @ b.astype(total) + 1) * c + c).astype(total)
    text = ptx(product(shape, kind, sums, turned=turned, element=element), f"sm_{sm}")
    given = np.ascontiguousarray(b.T) if turned else b
    Module(text).launch("k", (1,), (32,), (a, given, c))
    np.testing.assert_array_equal(c, expected)
    if find_tool("ptxas") is not None:
        assert assemble_cubin(text, f"sm_{sm}")[0]


def changed(old: str, new: str, **options: Any) -> str:
    text = product((16, 16, 16), "f16", "f32", **options)
    assert old in text
    return text.replace(old, new)


REFUSED: dict[str, tuple[str, str, str]] = {
    "bf16 before Ampere": (
        product((16, 16, 16), "bf16", "f32"), "sm_75", "needs sm_80 or later, not sm_75"
    ),
    "no such shape": (
        product((16, 16, 8), "f16", "f32"),
        "sm_80",
        "a matrix of type !gpu.mma_matrix<16x8xf16, \"AOp\"> is no operand of a wmma",
    ),
    "no such sums": (
        product((16, 16, 16), "bf16", "f16"), "sm_80", "there is no wmma of",
    ),
    "rows apart": (
        changed("leadDimension = 32", "leadDimension = 33"),
        "sm_80",
        "rows 33 elements of f16 apart, expected a multiple of 16 bytes",
    ),
    "loaded otherwise": (
        changed("{b_transpose}", "", turned=True),
        "sm_80",
        "b may have been loaded with transpose, which b_transpose denies",
    ),
    "not computed": (
        changed("elementwise addf", "elementwise addi"),
        "sm_80",
        "addi of !gpu.mma_matrix<16x16xf32, \"COp\"> is not computed in registers here",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str):
    text, arch, message = REFUSED[name]
    with pytest.raises(CompileError) as caught:
        ptx(text, arch)
    assert message in str(caught.value) and "<test>:" in str(caught.value)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", ["f16", "f16, tall", "f64", "si8", "ui8"])
def test_a_cpu_computes_it_with_scalars(name: str, turned: bool):
    shape, kind, sums, element, dtype, total, _ = CASES[name]
    m, n, k = shape
    rng = np.random.default_rng(2)
    low = 0 if dtype is np.uint8 else -2
    a, b = (rng.integers(low, 3, size).astype(dtype) for size in ((m, 2 * k), (2 * k, n)))
    c = rng.integers(-3, 4, (m, n)).astype(total)
    expected = ((a.astype(total) @ b.astype(total) + 1) * c + c).astype(total)
    lanes = find_target("cpu").subgroup_size()
    text = product(shape, kind, sums, turned=turned, element=element)
    module = parse_module(text.replace("i32: 32, 1", f"i32: {lanes}, 1"), "<test>")
    kernel = next(op for op in module.walk() if isinstance(op, gpu.FuncOp))
    artifact = compile_module(module, "k", parameters(kernel), find_target("cpu"), start="gpu")
    arrays = (a, np.ascontiguousarray(b.T) if turned else b, c)
    packed = struct.pack("<3q", *(array.ctypes.data for array in arrays))
    sw.device("cpu").load(artifact).launcher((1, 1, 1), (lanes, 1, 1))(packed)
    np.testing.assert_array_equal(c, expected)


@pytest.mark.parametrize(("lanes", "rows"), [(1, 16), (5, 4), (16, 1), (32, 1)])
def test_each_lane_holds_its_rows(lanes: int, rows: int):
    module = parse_module(product((16, 16, 16), "f16", "f32"), "<test>")
    ExpandMatrices(lanes).apply(Context(), module)
    verify(module)
    loop = next(op for op in module.walk() if isinstance(op, scf.ForOp))
    assert len(loop.results) == 16 * rows
    guards = [op for op in module.walk() if isinstance(op, scf.IfOp)]
    assert len(guards) == (1 if 16 % lanes else 0)


def test_rows_that_are_not_those_of_the_array_are_refused_on_a_cpu():
    module = parse_module(changed("leadDimension = 32", "leadDimension = 16"), "<test>")
    with pytest.raises(CompileError) as caught:
        ExpandMatrices(8).apply(Context(), module)
    assert "leadDimension 16 of memref<16x32xf16" in str(caught.value)
    assert "<test>:" in str(caught.value)
