"""Every arithmetic operator on every type, on values that hurt, against NumPy."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from conformance.compare import (
    DTYPES,
    FLOATS,
    INTS,
    NUMBERS,
    UINTS,
    Array,
    define,
    expect_equal,
    launch,
    pairs,
    specials,
)

import stepwell as sw

# One kernel per type runs a whole table: name of the output → expression.
BASIC = {"add": "x + y", "sub": "x - y", "mul": "x * y"}
EXTREMES = {"low": "min(x, y)", "high": "max(x, y)"}
DIVISIONS = {"floordiv": "x // y", "mod": "x % y"}
UNARY = {"negated": "-x", "same": "+x", "size": "abs(x)"}


def run_table(device: sw.Device, table: dict[str, str], x: Array, y: Array) -> dict[str, Array]:
    """Each expression of the table over all x and y; outputs have the type of x."""
    outs = {name: np.zeros(x.shape, x.dtype) for name in table}
    lines = [f"    {name}[i] = {expression}" for name, expression in table.items()]
    source = "\n".join(
        [
            f"def kernel(a, b, {', '.join(table)}):",
            "    i = sw.global_id(0)",
            "    x = a[i]",
            "    y = b[i]",
            *lines,
            "",
        ]
    )
    launch(define(source), x, y, *outs.values(), device=device, over=x.size)
    return outs


def numpy_table(table: dict[str, str], x: Array, y: Array) -> dict[str, Array]:
    """The same by NumPy, whole arrays at once."""
    names = {"x": x, "y": y, "min": np.minimum, "max": np.maximum, "abs": np.abs}
    with np.errstate(all="ignore"):
        return {name: eval(expression, names) for name, expression in table.items()}


@pytest.mark.parametrize("dtype", NUMBERS)
def test_add_subtract_multiply(device: sw.Device, dtype: str):
    x, y = pairs(dtype, device=device)
    got, expected = run_table(device, BASIC, x, y), numpy_table(BASIC, x, y)
    for name in BASIC:
        expect_equal(got[name], expected[name], what=f"{dtype} {BASIC[name]}", device=device)


# Where one operand is known to be a zero: the sign that a result has, and whether it is a number.
AROUND_ZERO = {
    "sum": "x + {0}", "turned_sum": "{0} + x", "less": "x - {0}", "from_zero": "{0} - x",
    "product": "x * {0}", "turned_product": "{0} * x", "quotient": "x / {0}", "parts": "{0} / x",
}  # fmt: skip


@pytest.mark.parametrize("zero", ["0.0", "-0.0"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_arithmetic_with_a_constant_zero(device: sw.Device, dtype: str, zero: str):
    x = specials(dtype, device=device)
    at_compile_time = {n: e.format(f"sw.{dtype}({zero})") for n, e in AROUND_ZERO.items()}
    got = run_table(device, at_compile_time, x, x)
    y = np.full(x.shape, float(zero)).astype(x.dtype)
    expected = numpy_table({n: e.format("y") for n, e in AROUND_ZERO.items()}, x, y)
    for name, text in at_compile_time.items():
        expect_equal(got[name], expected[name], what=f"{dtype} {text}", device=device)


# Zeros that are known only when what is constant has been computed.
COMPUTED_ZEROS = {
    "floor": "np.floor({0})", "root": "np.sqrt({0} * 0)", "size": "abs(-0.0 * {0})",
    "rest": "{0} % {0}", "quotient": "{0} // 2", "rounded": "np.rint({0})",
    "small": "np.exp({0} * -60000)", "power": "np.exp2({0} * -60000)", "sine": "np.sin({0} * 0)",
    "log": "np.log({0} * 4)", "both": "np.sqrt(np.exp({0} * -60000))",
}  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
def test_products_with_computed_zeros(device: sw.Device, dtype: str):
    x = specials(dtype, device=device)
    zeros = {n: e.format(f"sw.{dtype}(0.25)") for n, e in COMPUTED_ZEROS.items()}
    got = run_table(device, {n: f"x * ({e})" for n, e in zeros.items()}, x, x)
    with np.errstate(all="ignore"):
        expected = x * np.zeros_like(x)
    for name, text in zeros.items():
        expect_equal(got[name], expected, what=f"{dtype} x * ({text})", device=device)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_negate_and_absolute(device: sw.Device, dtype: str):
    x = specials(dtype, device=device)
    got, expected = run_table(device, UNARY, x, x), numpy_table(UNARY, x, x)
    for name in UNARY:
        expect_equal(got[name], expected[name], what=f"{dtype} {UNARY[name]}", device=device)


@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_floor_division_and_modulo_of_integers(device: sw.Device, dtype: str):
    x, y = pairs(dtype, device=device)
    x, y = x[y != 0], y[y != 0]
    got, expected = run_table(device, DIVISIONS, x, y), numpy_table(DIVISIONS, x, y)
    for name in DIVISIONS:
        expect_equal(got[name], expected[name], what=f"{dtype} {DIVISIONS[name]}", device=device)


@pytest.mark.parametrize("dtype", FLOATS)
def test_floor_division_and_modulo_of_floats(device: sw.Device, dtype: str):
    x, y = pairs(dtype, device=device)
    got, expected = run_table(device, DIVISIONS, x, y), numpy_table(DIVISIONS, x, y)
    for name in DIVISIONS:
        expect_equal(got[name], expected[name], what=f"{dtype} {DIVISIONS[name]}", device=device)


@pytest.mark.parametrize("dtype", FLOATS)
def test_true_division_of_floats(device: sw.Device, dtype: str):
    table = {"quotient": "x / y"}
    x, y = pairs(dtype, device=device)
    got, expected = run_table(device, table, x, y), numpy_table(table, x, y)
    expect_equal(got["quotient"], expected["quotient"], what=f"{dtype} x / y", device=device)


@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_min_and_max_of_integers(device: sw.Device, dtype: str):
    x, y = pairs(dtype, device=device)
    got, expected = run_table(device, EXTREMES, x, y), numpy_table(EXTREMES, x, y)
    for name in EXTREMES:
        expect_equal(got[name], expected[name], what=f"{dtype} {EXTREMES[name]}", device=device)


@pytest.mark.parametrize("dtype", FLOATS)
def test_min_and_max_of_floats_that_differ(device: sw.Device, dtype: str):
    x, y = pairs(dtype, device=device)
    with np.errstate(all="ignore"):
        ordered = (x < y) | (x > y)
    x, y = x[ordered], y[ordered]
    got, expected = run_table(device, EXTREMES, x, y), numpy_table(EXTREMES, x, y)
    for name in EXTREMES:
        expect_equal(got[name], expected[name], what=f"{dtype} {EXTREMES[name]}", device=device)


@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_integer_power_wraps(device: sw.Device, dtype: str):
    base = np.repeat(specials(dtype, device=device), 6)
    exponent = np.tile(
        np.array([0, 1, 2, 3, 5, 9], DTYPES[dtype]), specials(dtype, device=device).size
    )
    got = run_table(device, {"power": "x ** y"}, base, exponent)["power"]
    info = np.iinfo(DTYPES[dtype])
    wrapped = [
        (int(b) ** int(e) - info.min) % 2**info.bits + info.min
        for b, e in zip(base, exponent, strict=True)
    ]
    expect_equal(got, np.array(wrapped, DTYPES[dtype]), what=f"{dtype} x ** y", device=device)


@pytest.mark.parametrize("dtype", FLOATS)
def test_power_with_a_small_constant_exponent(device: sw.Device, dtype: str):
    x = specials(dtype, device=device)
    size = abs(x.astype(np.float64))
    x = x[(size < 16) & (size >= 0.05)]
    table = {"zero": "x ** 0", "one": "x ** 1", "square": "x ** 2", "inverse": "x ** -1"}
    got = run_table(device, table, x, x)
    expect_equal(got["zero"], np.ones_like(x), device=device)
    expect_equal(got["one"], x, device=device)
    expect_equal(got["square"], x * x, ulps=1, device=device)
    expect_equal(got["inverse"], (1 / x).astype(x.dtype), ulps=1, device=device)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_augmented_assignment_to_elements_and_variables(device: sw.Device, dtype: str):
    def kernel(a, out):
        i = sw.global_id(0)
        x = a[i]
        x += a[i]
        x *= 3
        x -= 1
        out[i] += x
        out[i] *= 2

    x = np.arange(1, 9).astype(DTYPES[dtype])
    out = np.full_like(x, 5)
    launch(kernel, x, out, device=device, over=x.size)
    one = np.ones_like(x)
    with np.errstate(all="ignore"):
        expected = ((5 * one) + ((x + x) * (3 * one) - one)) * (2 * one)
    expect_equal(out, expected.astype(x.dtype), device=device)
