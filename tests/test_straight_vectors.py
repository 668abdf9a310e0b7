"""Loops over threads without control flow: whole vectors, and exactly a launch's threads."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import stepwell as sw
from stepwell.compiler import build, lower_step
from stepwell.lowering.emit.native import assemble
from stepwell.runtime.artifact import Form
from stepwell.targets import find_target


@sw.kernel
def scale(x, y):
    i = sw.global_id(0)
    y[i] = x[i] * 3.0


@sw.kernel
def twice(x, y):
    i = sw.global_id(0)
    y[i] = x[i] + x[i]


def optimised(arch: str) -> str:
    """LLVM's code of the kernel's function for an architecture."""
    target = find_target(f"cpu:{arch}")
    types = tuple(sw.Array[sw.f32, 1] for _ in range(2))
    module = build(scale, scale.parameter_types(types), Form(over=1), target).module
    lower_step(module, target, "simt", "llvm")
    text = assemble(target.emit(module), "x86_64-unknown-linux-gnu", arch, opt=2).optimised()
    kernel = re.search(r"^define [^\n]*@scale\(.*?^}", text, re.MULTILINE | re.DOTALL)
    assert kernel is not None
    return kernel[0]


def test_whole_vectors_have_no_masks_and_come_in_twos() -> None:
    text = optimised("x86-64-v4")
    assert text.count("store <16 x float>") == 2
    assert "@llvm.masked.store.v16f32" in text
    assert "fmul float" not in text


def test_llvm_makes_the_vectors_where_there_are_no_masks() -> None:
    text = optimised("x86-64-v2")
    assert "store <4 x float>" in text
    assert "masked" not in text
    assert "fmul float" in text


SIZES = [*range(1, 5), 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 127, 128, 129, 1055, 1056]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
@pytest.mark.parametrize("size", SIZES)
def test_a_launch_writes_its_items_and_no_others(size: int, dtype: type) -> None:
    x, y = np.arange(1100).astype(dtype), np.full(1100, 77, dtype)
    twice.over(size)(x, y)
    assert (y[:size] == x[:size] + x[:size]).all()
    assert (y[size:] == 77).all()


@sw.kernel
def mixed(x, y, z):
    i = sw.global_id(0)
    y[i] = sw.f64(x[i]) * 0.5
    z[i] = x[i] > 100


@pytest.mark.parametrize("size", [7, 8, 9, 16, 100, 255])
def test_narrow_and_wide_elements_share_lanes(size: int) -> None:
    x = np.arange(255).astype(np.uint8)
    y, z = np.full(255, -1.0), np.zeros(255, np.bool_)
    mixed.over(size)(x, y, z)
    assert (y[:size] == x[:size] * 0.5).all()
    assert (y[size:] == -1).all()
    assert (z == ((x > 100) & (np.arange(255) < size))).all()


@sw.kernel
def shifted(x, y):
    i = sw.global_id(0)
    y[i] = x[0] + 1.0
    y[i] = y[i] + x[x.shape[0] - 1 - i]


def test_a_thread_reads_what_it_has_written() -> None:
    x, y = np.arange(77, dtype=np.float32), np.zeros(77, np.float32)
    shifted.over(77)(x, y)
    assert (y == 1 + x[::-1]).all()


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


@sw.kernel
def many_values(x, y):
    i = sw.global_id(0)
    own = sw.local((40,), sw.f32)
    total = 0.0
    for k in sw.unroll(range(40)):
        own[k] = math.sqrt(x[k, i])
        total += own[k]
    for k in sw.unroll(range(40)):
        y[k, i] = own[k] * total


def test_vectors_that_find_no_register_are_aligned_on_the_stack() -> None:
    types = sw.Array[sw.f32, 2], sw.Array[sw.f32, 2]
    text = many_values.ir("asm", *types, over=1, target="cpu:x86-64-v4")
    kept = re.findall(r"\t(\w+)\t%zmm\d+, -?\d*\(%r[sb]p\)", text)
    assert len(kept) > 4
    assert set(kept) == {"vmovaps"}
