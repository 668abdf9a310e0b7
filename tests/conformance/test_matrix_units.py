"""Every product of matrices that a device lists in its profile, and products of several such."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import re
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
    sizes = [(int(match[1]), int(match[2]), int(match[3])) for match in found]
    kinds = [tuple(TYPES.get(match[n], match[n]) for n in (4, 5)) for match in found]
    return [(*size, *kind) for size, kind in zip(sizes, kinds, strict=True)]


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


@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "turned"])
@pytest.mark.parametrize("times", [(1, 1, 1), (2, 1, 2), (1, 3, 1)], ids=str)
def test_products_of_units(device: sw.Device, times: tuple[int, int, int], turned: bool):
    lanes = find_target(device.target).subgroup_size()
    for unit in units(device):
        m, n, k = (a * b for a, b in zip(unit[:3], times, strict=True))

        def kernel(x, y, z):
            a = sw.matrix.load(x, 0, 0, (m, k), "a", turned)
            b = sw.matrix.load(y, 0, 0, (k, n), "b", turned)
            c = sw.matrix.load(z, 0, 0, (m, n), transpose=turned)
            sw.matrix.store(z, 0, 0, sw.matrix.multiply_add(a, b, c), turned)

        given, expected = arrays(unit, times, turned)
        sw.kernel(kernel).launch(1, lanes, device=device)(*given)
        found = given[2].T if turned else given[2]
        np.testing.assert_array_equal(found, expected, err_msg=f"{unit}, {times} of them")


def test_products_in_shared_memory(device: sw.Device):
    """Each subgroup multiplies, what it stores in shared memory others read behind a barrier."""
    lanes = find_target(device.target).subgroup_size()
    for unit in units(device):
        m, n, k, factors, sums = unit
        kind, total = getattr(sw, factors), getattr(sw, sums)

        def kernel(x, y, z):
            left, sums = sw.shared((m, k), kind), sw.shared((m, n), total)
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
