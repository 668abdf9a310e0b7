"""expand-math: every function against mpmath over its whole range, as machine code of the CPU."""

# pyright: basic

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from llvm_kernels import elementwise, load, vectorwise
from xdsl.context import Context

from stepwell.lowering.emit.llvm import emit
from stepwell.lowering.math.expand_math import FUNCTIONS, ExpandMath
from stepwell.lowering.parse import parse_module
from stepwell.lowering.to_llvm.to_llvm import ToLlvm

NUMPY = {"f32": np.float32, "f64": np.float64, "f16": np.float16}
COUNT = 3000

# name: (mpmath's function, ranges to look at, bound in ULP)
ONE: dict[str, tuple[Any, list[tuple[float, float]], float]] = {
    "exp": (mpmath.exp, [(-87, 88), (-1, 1), (-103, -87)], 2),
    "exp2": (lambda v: mpmath.power(2, v), [(-126, 127.9), (-1, 1), (-149, -126)], 2),
    "expm1": (mpmath.expm1, [(-20, 88), (-1, 1), (-1e-3, 1e-3), (-1e-30, 1e-30)], 2),
    "log": (mpmath.log, [(1e-38, 1e38), (0.5, 2), (1e-45, 1e-38)], 2),
    "log2": (lambda v: mpmath.log(v, 2), [(1e-38, 1e38), (0.5, 2)], 2),
    "log10": (mpmath.log10, [(1e-38, 1e38), (0.5, 2)], 2),
    "log1p": (mpmath.log1p, [(-0.99, 1e6), (-0.5, 1), (-1e-4, 1e-4)], 2),
    "sin": (mpmath.sin, [(-100, 100), (-1, 1), (-1e5, 1e5), (-1e38, 1e38)], 2),
    "cos": (mpmath.cos, [(-100, 100), (-1, 1), (-1e5, 1e5), (-1e38, 1e38)], 2),
    "tan": (mpmath.tan, [(-1.5, 1.5), (-100, 100), (-1e38, 1e38)], 4),
    "asin": (mpmath.asin, [(-1, 1), (-0.5, 0.5), (0.99, 1)], 4),
    "acos": (mpmath.acos, [(-1, 1), (-0.5, 0.5), (0.99, 1)], 4),
    "atan": (mpmath.atan, [(-50, 50), (-1, 1), (-1e30, 1e30)], 4),
    "sinh": (mpmath.sinh, [(-20, 20), (-1, 1), (-88, 89)], 4),
    "cosh": (mpmath.cosh, [(-20, 20), (-88, 89)], 4),
    "tanh": (mpmath.tanh, [(-20, 20), (-1, 1), (-1e-3, 1e-3)], 4),
    "asinh": (mpmath.asinh, [(-50, 50), (-1, 1), (-1e30, 1e30)], 4),
    "acosh": (mpmath.acosh, [(1, 50), (1, 1.01), (1, 1e30)], 4),
    "atanh": (mpmath.atanh, [(-0.99, 0.99), (-1e-3, 1e-3)], 4),
    "erf": (mpmath.erf, [(-6, 6), (-1, 1), (-1e-3, 1e-3)], 4),
    "cbrt": (
        lambda v: mpmath.sign(v) * mpmath.cbrt(abs(v)),
        [(-1e6, 1e6), (-1, 1), (-1e38, 1e38), (-1e-40, 1e-40)],
        2,
    ),
}
TWO: dict[str, tuple[Any, list[tuple[float, float]], list[tuple[float, float]], float]] = {
    "atan2": (mpmath.atan2, [(-9, 9), (-1e30, 1e30)], [(-9, 9), (-1e30, 1e30)], 4),
    "powf": (mpmath.power, [(1e-3, 1e3), (0.5, 2)], [(-10, 10), (-60, 60)], 2),
}
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 1e-40, 3e38, -3.5]
LIBM = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atanh": "arctanh",
}  # fmt: skip


def run(op: str, dtype: str, *arrays: np.ndarray) -> np.ndarray:
    """The op of each element."""
    names = ", ".join(f"%{n}" for n in "ab"[: len(arrays)])
    kinds = [dtype] * len(arrays)
    kind = f"{dtype}"
    text = elementwise("f", f"%r = {op} {names} : {kind}", kinds, dtype)
    module = parse_module(text, "<test>")
    module.verify()
    ExpandMath().apply(Context(), module)
    module.verify()
    assert not [inner for inner in module.walk() if type(inner) in FUNCTIONS]
    ToLlvm().apply(Context(), module)
    out = np.zeros(arrays[0].shape, arrays[0].dtype)
    load(emit(module)).call("f", *arrays, out)
    return out


def points(ranges: list[tuple[float, float]], dtype: str) -> np.ndarray:
    """Numbers spread evenly over each range, and over its magnitudes."""
    random = np.random.default_rng(7)
    parts: list[np.ndarray] = []
    for low, high in ranges:
        parts.append(random.uniform(0, 1, COUNT) * (high - low) + low)
        top = max(abs(low), abs(high))
        sizes = top * 10.0 ** -random.uniform(0, 12, COUNT)
        parts += [sizes, -sizes]
    values = np.concatenate(parts)
    inside = np.zeros(values.size, bool)
    for low, high in ranges:
        inside |= (values >= low) & (values <= high)
    found = values[inside].astype(NUMPY[dtype])
    lows, highs = min(r[0] for r in ranges), max(r[1] for r in ranges)
    return found[(found >= lows) & (found <= highs)]


def worst(got: np.ndarray, exact: list[Any]) -> tuple[float, int]:
    """The largest error in units in the last place of the result, and where."""
    errors = np.zeros(got.size)
    for index, (value, truth) in enumerate(zip(got.tolist(), exact, strict=True)):
        with np.errstate(over="ignore"):
            rounded = got.dtype.type(float(truth))
        if np.isinf(rounded) or np.isinf(value):
            errors[index] = 0 if rounded == value else 1e9
            continue
        unit = mpmath.mpf(float(np.spacing(abs(rounded))))
        errors[index] = float(abs(mpmath.mpf(value) - truth) / unit)
    place = int(np.nanargmax(errors))
    assert not np.isnan(got).any()
    return float(errors[place]), place


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", ONE)
def test_function_is_within_its_bound(name: str, dtype: str):
    function, ranges, bound = ONE[name]
    x = points(ranges, dtype)
    got = run(f"math.{name}", dtype, x)
    with mpmath.workprec(150):
        exact = [function(mpmath.mpf(v)) for v in x.tolist()]
        error, place = worst(got, exact)
        assert error <= bound, f"{name}({x[place]!r}) = {got[place]!r}: off by {error} ULP"


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", TWO)
def test_function_of_two_is_within_its_bound(name: str, dtype: str):
    function, first, second, bound = TWO[name]
    x, y = points(first, dtype), points(second, dtype)
    size = min(x.size, y.size)
    x, y = x[:size], np.random.default_rng(3).permutation(y)[:size]
    got = run(f"math.{name}", dtype, x, y)
    with mpmath.workprec(150):
        pairs = zip(x.tolist(), y.tolist(), strict=True)
        exact = [function(mpmath.mpf(a), mpmath.mpf(b)) for a, b in pairs]
        error, place = worst(got, exact)
        where = f"{name}({x[place]!r}, {y[place]!r})"
        assert error <= bound, f"{where} = {got[place]!r}: off by {error} ULP"


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", [name for name in ONE if name not in ("erf",)])
def test_special_values_are_those_of_the_c_library(name: str, dtype: str):
    x = np.array(SPECIAL, NUMPY[dtype])
    got = run(f"math.{name}", dtype, x)
    with np.errstate(all="ignore"):
        expected = getattr(np, LIBM.get(name, name))(x)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=0)
    assert (np.signbit(got) == np.signbit(expected))[~np.isnan(expected)].all()


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", ["powf", "atan2"])
def test_special_values_of_two(name: str, dtype: str):
    x, y = (v.ravel().astype(NUMPY[dtype]) for v in np.meshgrid(SPECIAL, [*SPECIAL, 3.0, 1001.0]))
    got = run(f"math.{name}", dtype, x, y)
    with np.errstate(all="ignore"):
        expected = (np.power if name == "powf" else np.arctan2)(x, y)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=0)
    assert (np.signbit(got) == np.signbit(expected))[~np.isnan(expected)].all()


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_remainder_is_exact(dtype: str):
    random = np.random.default_rng(5)
    kind = NUMPY[dtype]
    size = 10.0 ** random.uniform(-37, 37, (2, COUNT))
    x, y = (size * random.choice([-1, 1], (2, COUNT))).astype(kind)
    hard = np.array([*SPECIAL, 1e-45, 5.5, -5.5, 7.0], kind)
    a, b = (v.ravel() for v in np.meshgrid(hard, hard))
    x, y = np.concatenate([x, a]), np.concatenate([y, b])
    got = run("arith.remf", dtype, x, y)
    with np.errstate(all="ignore"):
        expected = np.fmod(x, y)
    np.testing.assert_array_equal(got, expected)
    assert (np.signbit(got) == np.signbit(expected))[~np.isnan(expected)].all()


def test_narrow_floats_are_computed_in_f32():
    x = np.linspace(0.1, 5, 40).astype(np.float16)
    got = run("math.exp", "f16", x)
    np.testing.assert_allclose(got, np.exp(x.astype(np.float64)), rtol=2**-10)


ARGUMENTS = {"arith.remf": 2, "math.atan2": 2, "math.powf": 2}


@pytest.mark.parametrize("dtype", ["f16", "f32", "f64"])
def test_lanes_of_a_vector_have_the_bits_of_scalars(dtype: str):
    random = np.random.default_rng(11)
    wide = random.uniform(-1, 1, 256) * 10.0 ** random.uniform(-38, 38, 256)
    numbers = np.concatenate([random.uniform(-10, 10, 256), wide, np.resize(SPECIAL, 56)])
    with np.errstate(over="ignore"):
        a = numbers.astype(NUMPY[dtype])
    b = random.permutation(a)
    ops = sorted(op.name for op in FUNCTIONS)
    parts: list[str] = []
    for number, op in enumerate(ops):
        count = ARGUMENTS.get(op, 1)
        operands, kinds = ", ".join(("%a", "%b")[:count]), [dtype] * count
        parts.append(elementwise(f"s{number}", f"%r = {op} {operands} : {dtype}", kinds, dtype))
        body = f"%r = {op} {operands} : vector<8x{dtype}>"
        parts.append(vectorwise(f"v{number}", body, kinds, dtype, 8))
    module = parse_module("\n".join(parts))
    ExpandMath().apply(Context(), module)
    module.verify()
    ToLlvm().apply(Context(), module)
    code = load(emit(module), opt=1)
    for number, op in enumerate(ops):
        given = (a, b)[: ARGUMENTS.get(op, 1)]
        scalars, lanes = np.empty_like(a), np.empty_like(a)
        code.call(f"s{number}", *given, scalars)
        code.call(f"v{number}", *given, lanes)
        np.testing.assert_array_equal(scalars, lanes, op)
        known = ~np.isnan(scalars)
        assert (np.signbit(scalars) == np.signbit(lanes))[known].all(), op
