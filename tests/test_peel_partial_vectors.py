"""Loops over threads on AVX-512: whole vectors without masks, and exactly a launch's threads."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import stepwell as sw
from stepwell.compiler import build, lower_step
from stepwell.lowering.emit.llvm import emit
from stepwell.lowering.emit.native import assemble
from stepwell.runtime.artifact import Form
from stepwell.targets import find_target


@sw.kernel
def scale(x, y):
    i = sw.global_id(0)
    y[i] = x[i] * 3.0


def optimised(bits: int) -> str:
    """LLVM's code of the kernel's function for a processor with AVX-512."""
    cpu = find_target("cpu")
    way = replace(cpu, of_machine=lambda: {**cpu.of_machine(), "masked_bits": str(bits)})
    types = tuple(sw.Array[sw.f32, 1] for _ in range(2))
    module = build(scale, scale.parameter_types(types), Form(over=1), way).module
    lower_step(module, way, "simt", "llvm")
    wide = {"prefer-vector-width": "512"}
    text = emit(module, attributes=wide, masked_tails=True, apart=True)
    return assemble(text, "x86_64-unknown-linux-gnu", "x86-64-v4", "+avx512f", 2).optimised()


def test_whole_vectors_have_no_masks_and_come_in_twos() -> None:
    text = optimised(512)
    stores = re.findall(r"store <16 x float>|@llvm.masked.store.v16f32", text)
    assert stores.count("store <16 x float>") == 2
    assert "@llvm.masked.store.v16f32" in stores


def test_no_loop_is_left_for_a_rest_that_there_never_is() -> None:
    kernel = re.search(r"^define [^\n]*@scale\(.*?^}", optimised(512), re.MULTILINE | re.DOTALL)
    assert kernel is not None
    assert "fmul <16 x float>" in kernel[0]
    assert "fmul float" not in kernel[0]


def test_without_the_pass_all_vectors_are_masked() -> None:
    assert "store <16 x float>" not in optimised(0)


@pytest.mark.parametrize("size", [*range(1, 5), 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 1055, 1056])
def test_a_launch_writes_its_items_and_no_others(size: int) -> None:
    x, y = np.arange(1100, dtype=np.float32), np.full(1100, -1, np.float32)
    scale.over(size)(x, y)
    assert (y[:size] == x[:size] * 3).all()
    assert (y[size:] == -1).all()


@sw.kernel
def around(x, y):
    i, j = sw.global_id(0), sw.global_id(1)
    if 0 < i < x.shape[0] - 1 and 0 < j < x.shape[1] - 1:
        y[i, j] = x[i - 1, j] + x[i + 1, j] + x[i, j - 1] + x[i, j + 1]


@pytest.mark.parametrize("offset", [0, 1, 7, 15])
@pytest.mark.parametrize("width", [3, 17, 18, 40, 66, 131])
def test_vectors_begin_where_stores_are_aligned_wherever_arrays_lie(offset: int, width: int):
    x = np.arange(9 * width, dtype=np.float32).reshape(9, width)
    whole = np.full(9 * width + 48, -1, np.float32)
    first = -whole.ctypes.data % 64 // 4 + offset
    y = whole[first : first + x.size].reshape(x.shape)
    around.over(x.shape)(x, y)
    expected = np.full_like(x, -1)
    expected[1:-1, 1:-1] = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    assert (y == expected).all()
    assert (whole[:first] == -1).all()
    assert (whole[first + x.size :] == -1).all()
