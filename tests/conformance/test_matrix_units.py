"""Every product of matrices that a device lists in its profile, and products of several such."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conformance.compare import DTYPES
from conformance.matrices import unit_words

import stepwell as sw
from stepwell.runtime.errors import KernelError
from stepwell.targets import find_target

WORD = re.compile(r"matrix_(\d+)x(\d+)x(\d+)_(\w+)_(\w+)")
TYPES = {"s8": "i8", "s32": "i32", "u32": "i32"}


def units(device: sw.Device) -> list[tuple[int, int, int, str, str]]:
    """Rows, columns, depth, factors and sums; skips the test on a device that has none."""
    found = [match for word in unit_words(device) if (match := WORD.fullmatch(word))]
    if not found:
        pytest.skip(f"{device.name} lists no products of matrices in its profile")
    return [
        (int(m), int(n), int(k), TYPES.get(factors, factors), TYPES.get(sums, sums))
        for m, n, k, factors, sums in (match.groups() for match in found)
    ]


def arrays(unit: Any, times: tuple[int, int, int], turned: bool) -> tuple[list[np.ndarray], Any]:
    """x, y, z for z = x y + z of so many units, and what z is then; small integers."""
    (m, n, k), factors, sums = (a * b for a, b in zip(unit[:3], times, strict=True)), *unit[3:]
    random = np.random.default_rng(3)
    low = 0 if factors == "u8" else -3
    x, y, z = (random.integers(low, 4, shape) for shape in ((m, k), (k, n), (m, n)))
    plain = [(x, factors), (y, factors), (z, sums)]
    given = [
        np.ascontiguousarray(array.T if turned else array).astype(DTYPES[kind])
        for array, kind in plain
    ]
    return given, x @ y + z


def kernel_for(sizes: tuple[int, ...], turned: bool) -> Callable[..., None]:
    m, n, k = sizes

    def kernel(x, y, z):
        a = sw.matrix.load(x, 0, 0, (m, k), "a", turned)
        b = sw.matrix.load(y, 0, 0, (k, n), "b", turned)
        c = sw.matrix.load(z, 0, 0, (m, n), transpose=turned)
        sw.matrix.store(z, 0, 0, sw.matrix.multiply_add(a, b, c), turned)

    return kernel


@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "turned"])
@pytest.mark.parametrize("times", [(1, 1, 1), (2, 1, 2), (1, 3, 1)], ids=str)
def test_products_of_units(device: sw.Device, times: tuple[int, int, int], turned: bool):
    lanes = find_target(device.target).subgroup_size()
    for unit in units(device):
        sizes = tuple(a * b for a, b in zip(unit[:3], times, strict=True))
        given, expected = arrays(unit, times, turned)
        sw.kernel(kernel_for(sizes, turned)).launch(1, lanes, device=device)(*given)
        found = given[2].T if turned else given[2]
        np.testing.assert_array_equal(found, expected, err_msg=f"{unit}, {times} of them")


def shared_kernel(m: int, n: int, k: int, factors: Any, total: Any) -> Callable[..., None]:
    """What a subgroup stores in shared memory, others read behind a barrier."""

    def kernel(x, y, z):
        left, sums = sw.shared((m, k), factors), sw.shared((m, n), total)
        for i in range(sw.thread_id(0), m * k, sw.block_dim(0)):
            left[i // k, i % k] = x[i // k, i % k]
        sw.barrier()
        if sw.subgroup_id() == 0:
            a = sw.matrix.load(left, 0, 0, (m, k), "a")
            b = sw.matrix.load(y, 0, 0, (k, n), "b")
            c = sw.matrix.load(z, 0, 0, (m, n))
            sw.matrix.store(sums, 0, 0, sw.matrix.multiply_add(a, b, c))
        sw.barrier()
        for i in range(sw.thread_id(0), m * n, sw.block_dim(0)):
            z[i // n, i % n] = sums[i // n, i % n]

    return kernel


def test_products_in_shared_memory(device: sw.Device):
    lanes = find_target(device.target).subgroup_size()
    for unit in units(device):
        m, n, k, factors, sums = unit
        kernel = shared_kernel(m, n, k, getattr(sw, factors), getattr(sw, sums))
        given, expected = arrays(unit, (1, 1, 1), False)
        sw.kernel(kernel).launch(1, 2 * lanes, device=device)(*given)
        np.testing.assert_array_equal(given[2], expected, err_msg=f"{unit}")


def test_a_place_that_units_do_not_take_is_reported(device: sw.Device):
    if "reports" not in device.features:
        pytest.skip(f"{device.name} reports nothing")
    m, n, k, factors, sums = units(device)[0]

    def kernel(x, y, z, first):
        a = sw.matrix.load(x, 0, first, (m, k), "a")
        b = sw.matrix.load(y, 0, 0, (k, n), "b")
        c = sw.matrix.load(z, 0, 0, (m, n))
        sw.matrix.store(z, 0, 0, sw.matrix.multiply_add(a, b, c))

    x = np.zeros((m, 2 * k), DTYPES[factors])
    y, z = np.zeros((k, n), DTYPES[factors]), np.zeros((m, n), DTYPES[sums])
    lanes = find_target(device.target).subgroup_size()
    launch = sw.kernel(kernel).launch(1, lanes, device=device)
    launch(x, y, z, k)
    with pytest.raises(KernelError, match="the start of a matrix must be at multiples of"):
        launch(x, y, z, 1)
