"""Functions have the same bits on the CPU and in PTX, which an interpreter executes."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
from conformance.compare import define
from oracles import ptx_device

import stepwell as sw

ONE = (
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos"),
    *("atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "cbrt"),
)
TWO = {"pow": "x[i] ** y[i]", "atan2": "math.atan2(x[i], y[i])", "fmod": "math.fmod(x[i], y[i])"}


@pytest.fixture(scope="module")
def ptx() -> Generator[sw.Device]:
    with ptx_device.registered() as found:
        yield found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_bits_are_those_of_the_cpu(ptx: sw.Device, name: str, dtype: type):
    expression = TWO.get(name, f"math.{name}(x[i])")
    kernel = define(f"def kernel(x, y, out):\n    i = sw.global_id(0)\n    out[i] = {expression}\n")
    random = np.random.default_rng(8)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 1e-40, 3e38, 1e5, 0.7, -0.3]
    sizes = random.uniform(-1, 1, 52) * 10.0 ** random.uniform(-30, 30, 52)
    x = np.concatenate([random.uniform(-5, 5, 64), sizes, special]).astype(dtype)
    y, results = random.permutation(x), list[np.ndarray]()
    for device in (sw.device("cpu"), ptx):
        results.append(np.zeros_like(x))
        sw.kernel(kernel).over(x.size, device=device)(x, y, results[-1])
    first, second = (result.view(f"u{result.itemsize}") for result in results)
    same = (first == second) | (np.isnan(results[0]) & np.isnan(results[1]))
    assert same.all(), [(x[i], y[i], results[0][i], results[1][i]) for i in np.flatnonzero(~same)]
