"""Products of matrices by subgroups, on matrix units or with scalars."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conformance.compare import DTYPES, needs_types
from conformance.matrices import needs_unit_for, unit

import stepwell as sw
from stepwell.runtime.errors import LaunchError, OutOfBounds
from stepwell.targets import find_target

BLOCK = 64  # a multiple of every subgroup


def launch(
    kernel: Callable[..., None], *arrays: np.ndarray, device: sw.Device, grid: int = 1
) -> None:
    sw.kernel(kernel).launch(grid, BLOCK, device=device)(*arrays)


def numbers(shape: tuple[int, int], dtype: str, seed: int = 0) -> np.ndarray:
    """Small integers, so that sums are exact in any order and in any type."""
    low = 0 if dtype[0] == "u" else -3
    return np.random.default_rng(seed).integers(low, 4, shape).astype(DTYPES[dtype])


def product(a: np.ndarray, b: np.ndarray, like: np.ndarray) -> np.ndarray:
    wide = np.int64 if like.dtype.kind == "i" else np.float64
    return (a.astype(wide) @ b.astype(wide)).astype(like.dtype)


def test_tiles_of_a_large_product(device: sw.Device):
    """A tile for each subgroup; arrays whose sizes are known when they come."""
    n = unit(device)

    def kernel(x, y, z):
        per_block = sw.block_dim(0) // sw.subgroup_size()
        tile = sw.block_id(0) * per_block + sw.subgroup_id()
        across = z.shape[1] // n
        if tile < across * (z.shape[0] // n):
            row, column = tile // across * n, tile % across * n
            c = sw.matrix.fill(1.0, (n, n), sw.f32)
            for k in range(0, x.shape[1], n):
                a = sw.matrix.load(x, row, k, (n, n), "a")
                b = sw.matrix.load(y, k, column, (n, n), "b")
                c = sw.matrix.multiply_add(a, b, c)
            sw.matrix.store(z, row, column, c)

    x, y = numbers((2 * n, 3 * n), "f16"), numbers((3 * n, 4 * n), "f16", 1)
    z = np.zeros((2 * n, 4 * n), np.float32)
    launch(kernel, x, y, z, device=device, grid=8)
    np.testing.assert_array_equal(z, product(x, y, z) + 1)


# Rows, columns and k; elements of the factors; those of the sums.
KINDS: list[tuple[tuple[int, int, int], str, str]] = [
    ((16, 16, 16), "f16", "f32"),
    ((16, 16, 16), "f16", "f16"),
    ((32, 8, 16), "f16", "f32"),
    ((8, 32, 16), "f16", "f32"),
    ((16, 16, 16), "bf16", "f32"),
    ((16, 16, 8), "f32", "f32"),
    ((8, 8, 4), "f64", "f64"),
    ((16, 16, 16), "i8", "i32"),
    ((16, 16, 16), "u8", "i32"),
]


def kernel_for(shape: tuple[int, int, int], turned: bool) -> Callable[..., None]:
    """z = x y + z of one tile; with `turned` all arrays lie the other way round."""
    m, n, k = shape

    def kernel(x, y, z):
        a = sw.matrix.load(x, 0, 0, (m, k), "a", turned)
        b = sw.matrix.load(y, 0, 0, (k, n), "b", turned)
        c = sw.matrix.load(z, 0, 0, (m, n), transpose=turned)
        sw.barrier()  # all subgroups have read what one of them may write
        if sw.subgroup_id() == 0:
            sw.matrix.store(z, 0, 0, sw.matrix.multiply_add(a, b, c), turned)

    return kernel


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("shape", "factors", "sums"), KINDS)
def test_types_and_shapes(device: sw.Device, shape: Any, factors: str, sums: str, turned: bool):
    needs_unit_for(device, factors)
    m, n, k = shape = tuple(size * unit(device) // 16 for size in shape)
    x, y, z = numbers((m, k), factors), numbers((k, n), factors, 1), numbers((m, n), sums, 2)
    expected = product(x, y, z) + z
    given = [np.ascontiguousarray(array.T) if turned else array for array in (x, y, z)]
    needs_types(device, given)
    launch(kernel_for(shape, turned), *given, device=device)
    np.testing.assert_array_equal(given[2].T if turned else given[2], expected)


def doubled(a, b, c):
    c = sw.matrix.multiply_add(a, b, c)
    return sw.matrix.multiply_add(a, b, c)


def test_functions_tuples_and_branches(device: sw.Device):
    """A variable that holds two matrices, a function that takes and gives some, a branch."""
    n = unit(device)

    def kernel(x, y, z, flag):
        zero = sw.matrix.fill(0.0, (n, n), sw.f32)
        c = (zero, zero)
        for k in range(2):
            a = sw.matrix.load(x, 0, n * k, (n, n), "a")
            left = sw.matrix.load(y, n * k, 0, (n, n), "b")
            right = sw.matrix.load(y, n * k, n, (n, n), "b")
            c = (doubled(a, left, c[0]), sw.matrix.multiply_add(a, right, c[1]))
        last = c[1]
        if flag[0] > 0:
            last = zero
        if sw.subgroup_id() == 0:
            sw.matrix.store(z, 0, 0, c[0])
            sw.matrix.store(z, 0, n, last)

    x, y = numbers((n, 2 * n), "f16"), numbers((2 * n, 2 * n), "f16", 1)
    for flag in (0, 1):
        z = np.ones((n, 2 * n), np.float32)
        launch(kernel, x, y, z, np.array([flag], np.int32), device=device)
        expected = product(x, y, z)
        expected[:, :n] *= 2
        expected[:, n:] *= 1 - flag
        np.testing.assert_array_equal(z, expected)


def test_shared_memory_and_slices(device: sw.Device):
    n = unit(device)

    def kernel(x, z):
        tile = sw.shared((2, n, 2 * n), sw.f16)
        for i in range(sw.thread_id(0), tile.size, sw.block_dim(0)):
            at = (i // (2 * n * n), i // (2 * n) % n, i % (2 * n))
            tile[at] = x[at]
        sw.barrier()
        a = sw.matrix.load(tile[1], 0, n, (n, n), "a")
        b = sw.matrix.load(x[0], 0, 0, (n, n), "b")
        c = sw.matrix.multiply_add(a, b, sw.matrix.fill(0.0, (n, n), sw.f32))
        if sw.subgroup_id() == 0:
            sw.matrix.store(z[:, n:], 0, 0, c)

    x = numbers((2 * n, 2 * n), "f16").reshape(2, n, 2 * n)
    z = np.zeros((n, 3 * n), np.float32)
    launch(kernel, x, z, device=device)
    expected = np.zeros_like(z)
    expected[:, n : 2 * n] = product(x[1][:, n:], x[0][:, :n], z)
    np.testing.assert_array_equal(z, expected)


def test_a_matrix_has_to_be_inside_its_array(device: sw.Device):
    if "reports" not in device.features:
        pytest.skip(f"{device.name} reports nothing")

    def kernel(x, z):
        c = sw.matrix.load(x, z[0], 0, (16, 16))
        sw.matrix.store(x, 0, 0, c)

    x = np.zeros((31, 16), np.float32)
    launch(kernel, x, np.array([15], np.int32), device=device)
    with pytest.raises(OutOfBounds, match="index 31 is out of bounds for axis 0 of the array of a"):
        launch(kernel, x, np.array([16], np.int32), device=device)


def test_blocks_are_of_whole_subgroups(device: sw.Device):
    size = find_target(device.target).subgroup_size()
    if size == 1:
        pytest.skip("every block is")

    def kernel(z):
        sw.matrix.store(z, 0, 0, sw.matrix.fill(1.0, (16, 16), sw.f32))

    z = np.zeros((16, 16), np.float32)
    with pytest.raises(LaunchError, match="which are no whole subgroups"):
        sw.kernel(kernel).launch(1, size + 1, device=device)(z)
    with pytest.raises(LaunchError, match="needs a shape that its block divides"):
        sw.kernel(kernel).over(2 * size + 1, block=size, device=device)(z)
