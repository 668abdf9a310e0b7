"""math.* and NumPy's functions, against mpmath (exact, then rounded), within stated bounds.

`BOUNDS` are units in the last place of the result type; f16 and bf16 compute in f32 and round once,
so one unit there.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from conformance.compare import DTYPES, Array, check, define, expect_equal, launch, specials

import stepwell as sw

# name: (mpmath's function, lowest argument, highest argument, ULPs for f32, for f64)
FUNCTIONS: dict[str, tuple[Any, float, float, float, float]] = {
    "sqrt": (mpmath.sqrt, 0, 1e30, 0.5, 0.5),
    "exp": (mpmath.exp, -80, 80, 2, 2),
    "exp2": (lambda v: mpmath.power(2, v), -100, 100, 2, 2),
    "expm1": (mpmath.expm1, -10, 10, 3, 3),
    "log": (mpmath.log, 1e-30, 1e30, 2, 2),
    "log2": (lambda v: mpmath.log(v, 2), 1e-30, 1e30, 2, 2),
    "log10": (mpmath.log10, 1e-30, 1e30, 2, 2),
    "log1p": (mpmath.log1p, -0.9, 1e6, 3, 3),
    "sin": (mpmath.sin, -100, 100, 2, 2),
    "cos": (mpmath.cos, -100, 100, 2, 2),
    "tan": (mpmath.tan, -1.5, 1.5, 4, 4),
    "asin": (mpmath.asin, -1, 1, 4, 4),
    "acos": (mpmath.acos, -1, 1, 4, 4),
    "atan": (mpmath.atan, -50, 50, 4, 4),
    "sinh": (mpmath.sinh, -20, 20, 4, 4),
    "cosh": (mpmath.cosh, -20, 20, 4, 4),
    "tanh": (mpmath.tanh, -20, 20, 4, 4),
    "asinh": (mpmath.asinh, -50, 50, 4, 4),
    "acosh": (mpmath.acosh, 1, 50, 4, 4),
    "atanh": (mpmath.atanh, -0.99, 0.99, 4, 4),
    "erf": (mpmath.erf, -5, 5, 4, 4),
    "cbrt": (lambda v: mpmath.sign(v) * mpmath.cbrt(abs(v)), -1e6, 1e6, 4, 4),
    "degrees": (mpmath.degrees, -10, 10, 2, 2),
    "radians": (mpmath.radians, -720, 720, 2, 2),
}
WHOLE = ("floor", "ceil", "trunc")


def arguments(low: float, high: float, dtype: str) -> Array:
    """Points over the range, closer to its zero, and its ends."""
    spread = np.linspace(-1, 1, 61) ** 5
    points = np.concatenate([np.linspace(low, high, 60), spread * max(abs(low), abs(high)), [1.0]])
    inside = points.astype(DTYPES[dtype])
    return inside[(inside >= low) & (inside <= high)]


def ulps_off(got: Array, exact: list[Any]) -> float:
    """The largest distance from the exact values, in units in the last place of the result."""
    worst = 0.0
    for value, truth in zip(got.tolist(), exact, strict=True):
        unit = np.spacing(got.dtype.type(abs(float(truth))))
        worst = max(worst, float(abs(mpmath.mpf(value) - truth) / mpmath.mpf(float(unit))))
    return worst


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_within_its_bound(device: sw.Device, name: str, dtype: str):
    function, low, high, *bounds = FUNCTIONS[name]
    x = arguments(low, high, dtype)
    out = np.zeros_like(x)
    source = f"def kernel(x, out):\n    i = sw.global_id(0)\n    out[i] = math.{name}(x[i])\n"
    launch(define(source), x, out, device=device, over=x.size)
    with mpmath.workprec(200):
        exact = [function(mpmath.mpf(v)) for v in x.tolist()]
        assert ulps_off(out, exact) <= bounds[dtype == "f64"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_that_may_be_approximate(device: sw.Device, name: str):
    """The bounds are the devices' own; a thousandth is within all of them."""
    function, low, high, *_ = FUNCTIONS[name]
    x = np.linspace(max(low, -3), min(high, 3), 30, dtype=np.float32)
    out = np.zeros_like(x)
    source = f"def kernel(x, out):\n    i = sw.global_id(0)\n    out[i] = math.{name}(x[i])\n"
    launch(define(source), x, out, device=device, over=x.size, fastmath="afn")
    exact = [float(function(mpmath.mpf(v))) for v in x.tolist()]
    np.testing.assert_allclose(out, exact, 1e-3, 1e-3)


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("name", ["sqrt", "exp", "log", "sin", "tanh"])
def test_narrow_floats_compute_in_f32_and_round(device: sw.Device, name: str, dtype: str):
    x = np.linspace(0.1, 5, 40).astype(DTYPES[dtype])
    out = np.zeros_like(x)
    source = f"def kernel(x, out):\n    i = sw.global_id(0)\n    out[i] = math.{name}(x[i])\n"
    launch(define(source), x, out, device=device, over=x.size)
    expected = getattr(np, name)(x.astype(np.float64)).astype(x.dtype)
    expect_equal(out, expected, ulps=1, device=device)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_special_values_of_functions(device: sw.Device, dtype: str):
    names = ["sqrt", "exp", "log", "sin", "cos", "atan", "tanh", "floor", "ceil", "trunc", "rint"]
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -1.0], DTYPES[dtype])
    outs = {name: np.zeros_like(x) for name in names}
    body = [f"    {name}[i] = np.{name if name != 'atan' else 'arctan'}(x[i])" for name in names]
    head = [f"def kernel(x, {', '.join(names)}):", "    i = sw.global_id(0)"]
    launch(define("\n".join([*head, *body, ""])), x, *outs.values(), device=device, over=x.size)
    with np.errstate(all="ignore"):
        for name, out in outs.items():
            expected = getattr(np, name if name != "atan" else "arctan")(x)
            expect_equal(out, expected, ulps=2, what=name, device=device)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", WHOLE)
def test_rounding_gives_integers_as_in_python(device: sw.Device, name: str, dtype: str):
    x = np.array([0.5, -0.5, 1.5, 2.5, -2.5, 7.0, -7.0, 1e6 + 0.5, -0.0], DTYPES[dtype])
    out = np.zeros(x.size, np.int64)
    source = f"def kernel(x, out):\n    i = sw.global_id(0)\n    out[i] = math.{name}(x[i])\n"
    launch(define(source), x, out, device=device, over=x.size)
    assert out.tolist() == [getattr(math, name)(v) for v in x.tolist()]


def test_round_goes_to_the_even_neighbour(device: sw.Device):
    def kernel(x, out):
        i = sw.global_id(0)
        out[i] = round(x[i])

    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6, 1e6], np.float32)
    out = np.zeros(x.size, np.int32)
    launch(kernel, x, out, device=device, over=x.size)
    assert out.tolist() == [round(v) for v in x.tolist()]


TWO: dict[str, Callable[[Any, Any], Any]] = {
    "atan2": mpmath.atan2,
    "pow": mpmath.power,
    "hypot": mpmath.hypot,
    "fmod": lambda a, b: a - b * int(a / b),
}


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_arguments(device: sw.Device, name: str, dtype: str):
    points = np.array([-3.25, -1.0, -0.1, 0.3, 1.0, 2.5, 7.75])
    x, y = (v.ravel().astype(DTYPES[dtype]) for v in np.meshgrid(points, points))
    if name == "pow":
        x = abs(x)
    out = np.zeros_like(x)
    source = (
        f"def kernel(x, y, out):\n    i = sw.global_id(0)\n    out[i] = math.{name}(x[i], y[i])\n"
    )
    launch(define(source), x, y, out, device=device, over=x.size)
    with mpmath.workprec(200):
        pairs = zip(x.tolist(), y.tolist(), strict=True)
        exact = [TWO[name](mpmath.mpf(a), mpmath.mpf(b)) for a, b in pairs]
        assert ulps_off(out, exact) <= 4


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_power_operator(device: sw.Device, dtype: str):
    def kernel(x, y, out):
        i = sw.global_id(0)
        out[i] = x[i] ** y[i]

    x, y = (
        v.ravel().astype(DTYPES[dtype])
        for v in np.meshgrid([0.1, 0.5, 1.0, 2.0, 9.75], [-3.0, -0.5, 0.0, 0.5, 1.0, 2.0, 7.25])
    )
    out = np.zeros_like(x)
    launch(kernel, x, y, out, device=device, over=x.size)
    with mpmath.workprec(200):
        pairs = zip(x.tolist(), y.tolist(), strict=True)
        assert ulps_off(out, [mpmath.power(mpmath.mpf(a), mpmath.mpf(b)) for a, b in pairs]) <= 4


def test_negative_base_with_a_whole_exponent(device: sw.Device):
    def kernel(x, y, out):
        i = sw.global_id(0)
        out[i] = x[i] ** y[i]

    x = np.array([-2, -2, -2, -0.5, -1], np.float32)
    y = np.array([3, 2, -1, 3, 1001], np.float32)
    out = np.zeros_like(x)
    launch(kernel, x, y, out, device=device, over=x.size)
    assert out.tolist() == [-8, 4, -0.5, -0.125, -1]


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_classification(device: sw.Device, dtype: str):
    def kernel(x, nan, inf, finite):
        i = sw.global_id(0)
        nan[i] = math.isnan(x[i])
        inf[i] = math.isinf(x[i])
        finite[i] = math.isfinite(x[i])

    x = specials(dtype, device=device)
    check(kernel, x, *(np.zeros(x.size, bool) for _ in range(3)), device=device, over=x.size)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_copysign_fabs_and_fma(device: sw.Device, dtype: str):
    def kernel(x, y, signed, size):
        i = sw.global_id(0)
        signed[i] = math.copysign(x[i], y[i])
        size[i] = math.fabs(x[i])

    values = specials(dtype, device=device)
    values = values[~np.isnan(values)]
    x, y = np.repeat(values, values.size), np.tile(values, values.size)
    signed, size = np.zeros_like(x), np.zeros_like(x)
    launch(kernel, x, y, signed, size, device=device, over=x.size)
    expect_equal(signed, np.copysign(x, y), device=device)
    expect_equal(size, np.abs(x), device=device)


UFUNCS = {
    "np.add(x, y)": np.add,
    "np.subtract(x, y)": np.subtract,
    "np.multiply(x, y)": np.multiply,
    "np.maximum(x, y)": np.maximum,
    "np.minimum(x, y)": np.minimum,
    "np.sqrt(x)": lambda x, _: np.sqrt(x),
    "np.abs(x)": lambda x, _: np.abs(x),
    "np.square(x)": lambda x, _: np.square(x),
    "np.floor(x)": lambda x, _: np.floor(x),
    "np.negative(x)": lambda x, _: np.negative(x),
    "np.sign(y)": lambda _, y: np.sign(y),
    "np.where(x > y, x, y)": lambda x, y: np.where(x > y, x, y),
}


@pytest.mark.parametrize("expression", UFUNCS)
def test_numpy_functions_on_scalars(device: sw.Device, expression: str):
    body = f"    x = a[i]\n    y = b[i]\n    out[i] = {expression}\n"
    source = f"def kernel(a, b, out):\n    i = sw.global_id(0)\n{body}"
    a = np.array([0.25, 1.5, 7.0, 1e10], np.float32)
    b = np.array([-3.5, 1.5, 8.0, -1e-10], np.float32)
    out = np.zeros_like(a)
    launch(define(source), a, b, out, device=device, over=a.size)
    expect_equal(out, UFUNCS[expression](a, b), device=device)


def test_integer_functions(device: sw.Device):
    def kernel(x, y, low, high, size):
        i = sw.global_id(0)
        low[i] = min(x[i], y[i], 4)
        high[i] = max(x[i], y[i], -4)
        size[i] = abs(x[i])

    x, y = np.array([-9, 3, 100, 0], np.int32), np.array([5, -7, 50, 0], np.int32)
    check(kernel, x, y, *(np.zeros(4, np.int32) for _ in range(3)), device=device, over=4)


@pytest.mark.parametrize("dtype", ["f16", "f32", "f64"])
def test_the_absolute_value_of_what_is_not_negative_is_no_minus_zero(device: sw.Device, dtype: str):
    def kernel(x, roots, products):
        i = sw.global_id(0)
        roots[i] = abs(np.sqrt(x[i]))
        products[i] = abs(0.0 * x[i])

    x = np.array([0.0, -0.0, 4.0], DTYPES[dtype])
    check(kernel, x, np.ones_like(x), np.ones_like(x), device=device, over=3)
