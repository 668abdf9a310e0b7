"""Matrices that a subgroup holds together, in kernels given as IR, on every device."""

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import DTYPES, needs
from conformance.ir_kernels import run_ir
from conformance.matrices import needs_unit_for, unit, unit_words, units_only

import stepwell as sw
from stepwell.targets import find_target

# Rows, columns and depth of a product, type in memory, sums, elements where they are others.
CASES = {
    "f16": ((8, 8, 8), "f16", "f32", "f16"),
    "bf16": ((8, 16, 4), "bf16", "f32", "bf16"),
    "f32": ((4, 4, 8), "f32", "f32", "f32"),
    "signed": ((8, 8, 16), "i8", "i32", "si8"),
    "unsigned": ((8, 8, 16), "i8", "i32", "ui8"),
}


def product(shape: tuple[int, int, int], kind: str, sums: str, element: str, turned: bool) -> str:
    """C = (A * B + 1) * C in two steps along the depth, by one subgroup."""
    m, n, k = shape
    a = f'!gpu.mma_matrix<{m}x{k}x{element}, "AOp">'
    b = f'!gpu.mma_matrix<{k}x{n}x{element}, "BOp">'
    c = f'!gpu.mma_matrix<{m}x{n}x{sums}, "COp">'
    letter = sums[0]
    rows, flag, at = (2 * k, ", transpose", "%zero, %i") if turned else (n, "", "%i, %zero")
    turn = " {b_transpose}" if turned else ""
    one = f"1.0 : {sums}" if letter == "f" else f"1 : {sums}"
    of_b = (
        f"memref<{n}x{2 * k}x{kind}, GLOBAL>" if turned else f"memref<{2 * k}x{n}x{kind}, GLOBAL>"
    )
    return f"""gpu.module @m {{
  gpu.func @k(%a: memref<{m}x{2 * k}x{kind}, GLOBAL>, %b: {of_b},
      %c: memref<{m}x{n}x{sums}, GLOBAL>) kernel {{
    %zero = arith.constant 0 : index
    %step = arith.constant {k} : index
    %end = arith.constant {2 * k} : index
    %one = arith.constant {one}
    %first = gpu.subgroup_mma_constant_matrix %one : {c}
    %old = gpu.subgroup_mma_load_matrix %c[%zero, %zero] {{leadDimension = {n} : index}} :
      memref<{m}x{n}x{sums}, GLOBAL> -> {c}
    %sum = scf.for %i = %zero to %end step %step iter_args(%total = %first) -> ({c}) {{
      %x = gpu.subgroup_mma_load_matrix %a[%zero, %i] {{leadDimension = {2 * k} : index}} :
        memref<{m}x{2 * k}x{kind}, GLOBAL> -> {a}
      %y = gpu.subgroup_mma_load_matrix %b[{at}] {{leadDimension = {rows} : index{flag}}} :
        {of_b} -> {b}
      %next = gpu.subgroup_mma_compute %x, %y, %total{turn} : {a}, {b} -> {c}
      scf.yield %next : {c}
    }}
    %p = gpu.subgroup_mma_elementwise mul{letter} %sum, %old : ({c}, {c}) -> {c}
    gpu.subgroup_mma_store_matrix %p, %c[%zero, %zero] {{leadDimension = {n} : index}} :
      {c}, memref<{m}x{n}x{sums}, GLOBAL>
    gpu.return
  }}
}}
"""


@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "turned"])
@pytest.mark.parametrize("name", CASES)
def test_a_product(device: sw.Device, name: str, turned: bool):
    (m, n, k), kind, sums, element = CASES[name]
    needs(device, kind)
    if units_only(device) and name == "f32":
        pytest.skip("matrix units multiply no f32")
    if units_only(device) or unit_words(device):
        needs_unit_for(device, kind)
        m = n = k = unit(device)
    random = np.random.default_rng(2)
    low, dtype = (0, np.dtype("u1")) if element == "ui8" else (-3, DTYPES[kind])
    a, b = (random.integers(low, 4, size).astype(dtype) for size in ((m, 2 * k), (2 * k, n)))
    c = random.integers(-3, 4, (m, n)).astype(DTYPES[sums])
    expected = (a.astype(c.dtype) @ b.astype(c.dtype) + 1) * c
    given = np.ascontiguousarray(b.T) if turned else b
    lanes = find_target(device.target).subgroup_size()
    text = product((m, n, k), kind, sums, element, turned)
    run_ir(device, text, a.view(DTYPES[kind]), given.view(DTYPES[kind]), c, block=lanes)
    np.testing.assert_array_equal(c, expected)
