"""Code that needs no checks for the sizes of a launch, and launches for which it is not."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from oracles import ptx_device

import stepwell as sw
from stepwell.dialects import marks
from stepwell.launch import Program
from stepwell.runtime import facts
from stepwell.runtime.errors import ArrayError


@pytest.fixture(scope="module")
def device() -> Generator[sw.Device]:
    with ptx_device.registered() as found:
        yield found


def by_four(x, y):
    i = sw.global_id(0)
    for j in sw.unroll(range(4)):
        y[4 * i + j] = x[4 * i + j] + 1


def copy(x, y):
    i = sw.global_id(0)
    if i < y.shape[0]:
        y[i] = x[i]


def tiles(x, y):
    t, total = sw.thread_id(0), np.float32(0)
    for k in range(0, x.shape[0], 8):
        total += x[k + t]
    y[t] = total


def first(n, y):
    i = sw.global_id(0)
    if i < 3 * n:
        y[i] = 1


def by_number(x, y, n: sw.i32):
    t = sw.thread_id(0)
    if t < y.shape[0]:
        y[t] = x[t] + n


def manifests(program: Program) -> list[Any]:
    """Of what was loaded, in order."""
    return [loaded.manifest for loaded in program._loaded.values()]


def numbers(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.float32)


def test_numbers_of_shapes_are_those_of_the_compiler() -> None:
    for name in ("GRID_SIZE", "BLOCK_SIZE", "GRID_THREADS", "SHARED_BYTES"):
        assert getattr(facts, name) == getattr(marks, name)


def test_a_grid_that_fits_takes_code_without_checks(device: sw.Device) -> None:
    program, x, y = sw.kernel(by_four), numbers(128), np.zeros(128, np.float32)
    program.launch(4, 8, device=device)(x, y)
    program.launch(2, 16, device=device)(x, y)
    np.testing.assert_array_equal(y, x + 1)
    (manifest,) = manifests(program)
    assert manifest.sizes and not manifest.sites


def test_a_grid_that_is_too_large_is_reported_as_ever(device: sw.Device) -> None:
    program, x, y = sw.kernel(by_four), numbers(132), np.zeros(132, np.float32)
    with pytest.raises(
        sw.OutOfBounds, match="index 132 is out of bounds for axis 0 of x"
    ) as caught:
        program.launch(5, 8, device=device)(x, y)
    assert (caught.value.block, caught.value.thread) == ((4, 0, 0), (1, 0, 0))
    np.testing.assert_array_equal(y, x + 1)
    _, checked = manifests(program)
    assert checked.sites and checked.small and checked.disjoint and not checked.sizes


def test_one_launch_takes_either_code_by_its_arrays(device: sw.Device) -> None:
    program, out = sw.kernel(copy), np.zeros(16, np.float32)
    launch = program.launch(2, 8, device=device)
    launch(numbers(20), out)
    np.testing.assert_array_equal(out, numbers(16))
    with pytest.raises(sw.OutOfBounds, match="index 15 is out of bounds for axis 0 of x"):
        launch(numbers(15), out)
    launch(numbers(16) + 1, out)
    np.testing.assert_array_equal(out, numbers(16) + 1)
    assert [bool(manifest.sites) for manifest in manifests(program)] == [False, True]


def test_arrays_that_overlap_take_code_without_any_facts(device: sw.Device) -> None:
    program = sw.kernel(copy)
    x = device.array(numbers(16))
    program.launch(2, 8, device=device)(x, x)
    assert [manifest.disjoint for manifest in manifests(program)] == [True, False]


@pytest.mark.parametrize(("size", "fits"), [(24, True), (25, False)])
def test_whole_tiles_need_no_checks(device: sw.Device, size: int, fits: bool) -> None:
    program, y = sw.kernel(tiles), np.zeros(8, np.float32)
    launch = program.launch(1, 8, device=device)
    if fits:
        launch(numbers(size), y)
        np.testing.assert_array_equal(y, numbers(size).reshape(-1, 8).sum(axis=0))
    else:
        with pytest.raises(sw.OutOfBounds, match="index 25 is out of bounds for axis 0 of x"):
            launch(numbers(size), y)
    assert not manifests(program)[0].sites


def test_a_multiple_of_a_scalar_is_what_an_array_has_to_have(device: sw.Device) -> None:
    program, y = sw.kernel(first), np.zeros(800, np.float32)
    program.launch(100, 8, device=device)(np.int64(200), y)
    assert y.sum() == 600
    with pytest.raises(sw.OutOfBounds, match="index 800 is out of bounds for axis 0 of y"):
        program.launch(101, 8, device=device)(np.int64(300), y)


def test_a_number_that_does_not_fit_is_told_whatever_the_sizes(device: sw.Device) -> None:
    program, y = sw.kernel(by_number), np.zeros(8, np.float32)
    launch = program.launch(1, 8, device=device)
    launch(numbers(8), y, 5)
    for size in (8, 4):
        with pytest.raises(ArrayError, match=r"does not fit.* given are n = 1099511627776"):
            launch(numbers(size), y, 1 << 40)
