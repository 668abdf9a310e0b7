"""expand-math: every function against mpmath over its whole range, as machine code of the CPU."""

# pyright: basic

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from llvm_kernels import Loaded, elementwise, load, vectorwise
from xdsl.context import Context

from stepwell.lowering.emit.llvm import emit
from stepwell.lowering.emit.machine import host_machine
from stepwell.lowering.math.errors import LEAST_UNIT, TABLE
from stepwell.lowering.math.expand_math import FUNCTIONS, ExpandMath
from stepwell.lowering.parse import parse_module
from stepwell.lowering.to_llvm.to_llvm import ToLlvm

NUMPY = {"f32": np.float32, "f64": np.float64, "f16": np.float16}
COUNT = 2000


def with_more_bits(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """As many more as 1 has above the argument: what is left of 1 + x or exp(x) - 1 is exact.

    mpmath's expm1 and log1p add up terms until they have enough, which takes five times as long.
    """

    def compute(v: Any) -> Any:
        with mpmath.extraprec(max(0, -int(mpmath.mag(v)))):
            return function(v)

    return compute


# name: (mpmath's function, ranges to look at)
ONE: dict[str, tuple[Any, list[tuple[float, float]]]] = {
    "exp": (mpmath.exp, [(-87, 88.7), (-1, 1), (-103, -87), (-708, 709.7)]),
    "exp2": (lambda v: mpmath.power(2, v), [(-126, 127.9), (-1, 1), (-149, -126), (-1022, 1023.9)]),
    "expm1": (
        with_more_bits(lambda v: mpmath.exp(v) - 1),
        [(-20, 88), (-1, 1), (-1e-3, 1e-3), (-1e-30, 1e-30)],
    ),
    "log": (mpmath.log, [(1e-38, 1e38), (0.5, 2), (1e-45, 1e-38)]),
    "log2": (lambda v: mpmath.log(v, 2), [(1e-38, 1e38), (0.5, 2)]),
    "log10": (mpmath.log10, [(1e-38, 1e38), (0.5, 2)]),
    "log1p": (
        with_more_bits(lambda v: mpmath.log(1 + v)),
        [(-0.99, 1e6), (-0.5, 1), (-1e-4, 1e-4)],
    ),
    "sin": (mpmath.sin, [(-100, 100), (-1, 1), (-1e5, 1e5), (-1e38, 1e38)]),
    "cos": (mpmath.cos, [(-100, 100), (-1, 1), (-1e5, 1e5), (-1e38, 1e38)]),
    "tan": (mpmath.tan, [(-1.5, 1.5), (-100, 100), (-1e38, 1e38)]),
    "asin": (mpmath.asin, [(-1, 1), (-0.5, 0.5), (0.99, 1)]),
    "acos": (mpmath.acos, [(-1, 1), (-0.5, 0.5), (0.99, 1)]),
    "atan": (mpmath.atan, [(-50, 50), (-1, 1), (-1e30, 1e30)]),
    "sinh": (mpmath.sinh, [(-20, 20), (-1, 1), (-89.4, 89.4), (-710, 710)]),
    "cosh": (mpmath.cosh, [(-20, 20), (-89.4, 89.4), (-710, 710)]),
    "tanh": (mpmath.tanh, [(-20, 20), (-1, 1), (-1e-3, 1e-3)]),
    "asinh": (mpmath.asinh, [(-50, 50), (-1, 1), (-1e30, 1e30)]),
    "acosh": (mpmath.acosh, [(1, 50), (1, 1.01), (1, 1e30)]),
    "atanh": (mpmath.atanh, [(-0.99, 0.99), (-1e-3, 1e-3)]),
    "erf": (mpmath.erf, [(-6, 6), (-1, 1), (-1e-3, 1e-3)]),
    "cbrt": (
        lambda v: mpmath.sign(v) * mpmath.cbrt(abs(v)),
        [(-1e6, 1e6), (-1, 1), (-1e38, 1e38), (-1e-40, 1e-40)],
    ),
}
TWO: dict[str, tuple[Any, list[tuple[float, float]], list[tuple[float, float]]]] = {
    "atan2": (mpmath.atan2, [(-9, 9), (-1e30, 1e30)], [(-9, 9), (-1e30, 1e30)]),
    "powf": (mpmath.power, [(1e-3, 1e3), (0.5, 2)], [(-10, 10), (-60, 60)]),
}
FAST = sorted(name for name, errors in TABLE.items() if errors.short is not None)
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 1e-40, 3e38, -3.5]
LIBM = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atanh": "arctanh",
}  # fmt: skip


def run(op: str, dtype: str, *arrays: np.ndarray, flags: str = "") -> np.ndarray:
    """The op of each element."""
    out = np.zeros(arrays[0].shape, arrays[0].dtype)
    code(op, dtype, len(arrays), flags).call("f", *arrays, out)
    return out


@cache
def code(op: str, dtype: str, count: int, flags: str) -> Loaded:
    """The op of each element of so many arrays, as machine code; several tests call the same."""
    names = ", ".join(f"%{n}" for n in "ab"[:count]) + flags
    text = elementwise("f", f"%r = {op} {names} : {dtype}", [dtype] * count, dtype)
    module = parse_module(text, "<test>")
    module.verify()
    ExpandMath().apply(Context(), module)
    module.verify()
    assert not [inner for inner in module.walk() if type(inner) in FUNCTIONS]
    ToLlvm().apply(Context(), module)
    return load(emit(module))


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


def precise(values: Iterable[Any]) -> np.ndarray:
    """Numbers of mpmath as f64s, and what these leave out, in units of their last place."""
    rows: list[tuple[float, float]] = []
    for value in values:
        near = float(value)
        unit = math.frexp(math.ulp(near))[1] if math.isfinite(near) else 0
        rows.append((near, float(mpmath.ldexp(value - near, 1 - unit)) if unit else 0.0))
    return np.array(rows).T


def worst(got: np.ndarray, exact: np.ndarray, least_unit: float = 0.0) -> tuple[float, int]:
    """The largest error in units in the last place of the result, and where."""
    assert not np.isnan(got).any()
    near, rest = exact
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = near.astype(got.dtype)
        unit = np.spacing(np.maximum(abs(rounded), got.dtype.type(least_unit))).astype(np.float64)
        errors = abs((got - near) / unit - rest * (np.spacing(abs(near)) / unit))
    infinite = np.isinf(rounded) | np.isinf(got)
    errors[infinite] = np.where(rounded == got, 0, 1e9)[infinite]
    assert not np.isnan(errors).any()
    place = int(np.argmax(errors))
    return float(errors[place]), place


@cache
def arguments(name: str, dtype: str) -> tuple[np.ndarray, ...]:
    """What a function is tried with."""
    return pairs(name, dtype) if name in TWO else (points(ONE[name][1], dtype),)


@cache
def truths(name: str, dtype: str) -> np.ndarray:
    """The function of each of `arguments`, as `precise` gives it."""
    function = (TWO if name in TWO else ONE)[name][0]
    numbers = zip(*(a.tolist() for a in arguments(name, dtype)), strict=True)
    with mpmath.workprec(150):
        return precise(function(*map(mpmath.mpf, v)) for v in numbers)


def check(name: str, dtype: str, *, fast: bool = False) -> None:
    """Within the error that the table states, of the function with that name."""
    op = f"math.{name}"
    arrays, exact = arguments(name, dtype), truths(name, dtype)
    if fast:  # what is subnormal is 0
        tiny = np.finfo(arrays[0].dtype).tiny
        usual = abs(exact[0]) >= 2 * tiny
        if name not in TWO:
            usual &= abs(arrays[0]) >= tiny
        arrays, exact = tuple(a[usual] for a in arrays), exact[:, usual]
    got = run(op, dtype, *arrays, flags=" fastmath<afn>" if fast else "")
    row = TABLE[op].fast if fast else TABLE[op].accurate
    error, place = worst(got, exact, LEAST_UNIT.get(op, 0.0) if fast else 0.0)
    where = f"{name}({', '.join(repr(a[place]) for a in arrays)})"
    assert error <= row[dtype == "f64"], f"{where} = {got[place]!r}: off by {error} ULP"


def pairs(name: str, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Arguments of a function of two."""
    _, first, second = TWO[name]
    x, y = points(first, dtype), points(second, dtype)
    size = min(x.size, y.size)
    return x[:size], np.random.default_rng(3).permutation(y)[:size]


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", ONE)
def test_function_is_within_its_bound(name: str, dtype: str):
    check(name, dtype)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", TWO)
def test_function_of_two_is_within_its_bound(name: str, dtype: str):
    check(name, dtype)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("op", FAST)
def test_fast_variant_is_within_its_bound(op: str, dtype: str):
    check(op.removeprefix("math."), dtype, fast=True)


def nearest_to_multiples(dtype: str) -> np.ndarray:
    """Floats of all sizes as near to multiples of pi/2 as any, by its continued fraction."""
    kind, found = NUMPY[dtype], list[float]()
    with mpmath.workprec(1400):
        half_pi = mpmath.pi / 2
        info = np.finfo(kind)
        for exponent in range(0, info.maxexp - 1, 3 if dtype == "f32" else 17):
            # x = m 2**e for the whole m of the mantissa's size with the least |x - n pi/2|.
            scale = mpmath.mpf(2) ** (exponent - info.nmant)
            ratio, before, last = scale / half_pi, (0, 1), (1, 0)
            while last[1] < 2 ** (info.nmant + 1):
                whole = int(mpmath.floor(ratio))
                before, last = last, (whole * last[0] + before[0], whole * last[1] + before[1])
                ratio = 1 / (ratio - whole)
            m = before[1]
            shift = info.nmant + 1 - m.bit_length()
            found += [float(m * scale), float(m * 2**shift * scale)]
        found += [float(n * half_pi) for n in (*range(1, 200), *range(5000, 22000, 37))]
    values = np.array([v for v in found if v < float(info.max)], kind)
    return np.concatenate([values, -values])


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_next_to_multiples_of_a_right_angle_are_reduced_exactly(name: str, dtype: str):
    x = nearest_to_multiples(dtype)
    got, bound = run(f"math.{name}", dtype, x), TABLE[f"math.{name}"].accurate[dtype == "f64"]
    with mpmath.workprec(1400):
        error, place = worst(got, precise(ONE[name][0](mpmath.mpf(v)) for v in x.tolist()))
    assert error <= bound, f"{name}({x[place]!r}) = {got[place]!r}: off by {error} ULP"


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("flags", ["", " fastmath<afn>"])
def test_exponentials_end_where_their_range_does(flags: str, dtype: str):
    info = np.finfo(NUMPY[dtype])
    most = np.array([np.log(info.max)], info.dtype)
    inside, past = most * (1 - 2 * info.eps), most * (1 + 2 * info.eps)
    assert np.isfinite(run("math.exp", dtype, inside, flags=flags)).all()
    assert np.isinf(run("math.exp", dtype, np.array([past[0], info.max]), flags=flags)).all()
    ends = np.array([info.maxexp, info.maxexp - 0.5, -info.maxexp * 4], info.dtype)
    top, below, none = run("math.exp2", dtype, ends, flags=flags)
    assert top == np.inf and np.isfinite(below) and none == 0
    powers = np.arange(info.minexp + 1, info.maxexp).astype(info.dtype)
    np.testing.assert_array_equal(run("math.exp2", dtype, powers, flags=flags), 2.0**powers)
    np.testing.assert_array_equal(run("math.log2", dtype, 2.0**powers, flags=flags), powers)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("op", FAST)
def test_fast_variants_keep_nan_infinities_and_zeros(op: str, dtype: str):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0], NUMPY[dtype])
    arrays = [np.ravel(v) for v in np.meshgrid(x, x)] if op == "math.powf" else [x]
    accurate = run(op, dtype, *arrays)
    got = run(op, dtype, *arrays, flags=" fastmath<afn>")
    np.testing.assert_allclose(got, accurate, rtol=1e-6, atol=0)


def test_every_function_has_a_row_in_the_table_and_in_the_documentation():
    assert {op.name for op in FUNCTIONS} == set(TABLE)
    text = (Path(__file__).parents[1] / "docs" / "math.md").read_text()
    for name, row in TABLE.items():
        numbers = " | ".join(f"{bound:g}" for bound in (*row.accurate, *row.fast))
        assert f"| `{name}` | {numbers} |" in text, name


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_reciprocal_root_is_within_its_bound(dtype: str):
    x = points([(1e-30, 1e30), (0.5, 2)], dtype)
    got = run("math.rsqrt", dtype, x)
    with mpmath.workprec(150):
        error, place = worst(got, precise(1 / mpmath.sqrt(v) for v in x.tolist()))
    assert error <= 1.5, f"rsqrt({x[place]!r}) = {got[place]!r}: off by {error} ULP"


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
    loaded = load(emit(module), opt=1)
    for number, op in enumerate(ops):
        given = (a, b)[: ARGUMENTS.get(op, 1)]
        scalars, lanes = np.empty_like(a), np.empty_like(a)
        loaded.call(f"s{number}", *given, scalars)
        loaded.call(f"v{number}", *given, lanes)
        np.testing.assert_array_equal(scalars, lanes, op)
        known = ~np.isnan(scalars)
        assert (np.signbit(scalars) == np.signbit(lanes))[known].all(), op


@pytest.mark.parametrize("instruction", [False, True], ids=["ldexp", "vscalef"])
@pytest.mark.parametrize("lanes", [4, 8, 16, 32])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_scaling_in_one_instruction_gives_the_same_bits(dtype: str, lanes: int, instruction: bool):
    """Also where results are subnormal, 0 or infinite, and where two even numbers are as near."""
    if instruction and not host_machine().scales:
        pytest.skip("the machine has no AVX-512")
    special = [math.inf, -math.inf, math.nan, 0.0, -0.0, 1e-30, 1e30, -1e30, 3e38, -3e38]
    ends = [(-110, -80), (80, 95), (-760, -700), (700, 715), (-155, -120), (120, 130), (-1080, 0)]
    values = [*special, *np.arange(-1100, 1100, 0.5), *points([*ends, (-1, 1)], "f64")]
    a = np.resize(np.array(values), -(-len(values) // lanes) * lanes).astype(NUMPY[dtype])
    found: list[list[np.ndarray]] = []
    for scales in (False, True):
        body = f"%r = math.{{}} %a : vector<{lanes}x{dtype}>"
        ops = ("exp", "exp2")
        parts = [vectorwise(f"v{op}", body.format(op), [dtype], dtype, lanes) for op in ops]
        power = f"%r = math.powf %a, %b : vector<{lanes}x{dtype}>"
        parts.append(vectorwise("vpowf", power, [dtype, dtype], dtype, lanes))
        module = parse_module("\n".join(parts))
        ExpandMath(scales=scales).apply(Context(), module)
        module.verify()
        assert scales == any(op.name == "gpux.scale" for op in module.walk())
        ToLlvm(scales=instruction).apply(Context(), module)
        text = emit(module)
        name = "llvm.x86.avx512.mask.scalef" if instruction else "llvm.ldexp"
        assert (name in text) == scales
        loaded = load(text, opt=1)
        out = [np.empty_like(a) for _ in (*ops, power)]
        for op, result in zip(ops, out, strict=False):
            loaded.call(f"v{op}", a, result)
        loaded.call("vpowf", np.abs(a), a[::-1].copy(), out[-1])
        found.append(out)
    for plain, scaled in zip(*found, strict=True):
        np.testing.assert_array_equal(plain.view(np.uint8), scaled.view(np.uint8))
    assert (found[0][0] == 0).any()
    assert np.isinf(found[0][0]).any()
    assert ((found[0][0] > 0) & (found[0][0] < np.finfo(NUMPY[dtype]).tiny)).any()
