"""Casts between all pairs of types, and what stores convert by themselves.

Float to integer rounds towards zero and saturates, NaN gives 0; everything else is as NumPy's.
"""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from conformance.compare import (
    ALL,
    DTYPES,
    FLOATS,
    INTS,
    NUMBERS,
    UINTS,
    Array,
    define,
    expect_equal,
    is_float,
    launch,
    specials,
)

import stepwell as sw

NUMPY_NAMES = {
    "bool": "np.bool_",
    **{f"i{bits}": f"np.int{bits}" for bits in (8, 16, 32, 64)},
    **{f"u{bits}": f"np.uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"f{bits}": f"np.float{bits}" for bits in (16, 32, 64)},
}


def language_name(dtype: str) -> str:
    return "sw.bool_" if dtype == "bool" else f"sw.{dtype}"


def cast_all(device: sw.Device, values: Array, casts: dict[str, str]) -> dict[str, Array]:
    """`values` cast to each type by the function that `casts` names for it."""
    outs = {dtype: np.zeros(values.shape, DTYPES[dtype]) for dtype in casts}
    head = f"def kernel(x, {', '.join(f'to_{dtype}' for dtype in casts)}):"
    body = [f"    to_{dtype}[i] = {function}(x[i])" for dtype, function in casts.items()]
    source = "\n".join([head, "    i = sw.global_id(0)", *body, ""])
    launch(define(source), values, *outs.values(), device=device, over=values.size)
    return outs


def expected_cast(values: Array, to: str) -> Array:
    """The same by NumPy, where floats do not become integers; those by Python's numbers."""
    if values.dtype.kind not in "fV" or to == "bool" or is_float(to):
        with np.errstate(all="ignore"):
            return values.astype(DTYPES[to])
    info = np.iinfo(DTYPES[to])
    whole = [
        0 if v != v else info.max if v == np.inf else info.min if v == -np.inf else int(v)
        for v in values.astype(np.float64).tolist()
    ]
    return np.array([min(max(v, info.min), info.max) for v in whole], DTYPES[to])


@pytest.mark.parametrize("dtype", ALL)
def test_cast_to_every_type(device: sw.Device, dtype: str):
    values = specials(dtype, device=device)
    got = cast_all(device, values, {to: language_name(to) for to in ALL})
    for to in ALL:
        expect_equal(got[to], expected_cast(values, to), what=f"{dtype} to {to}", device=device)


@pytest.mark.parametrize("dtype", FLOATS)
def test_casts_of_constants_saturate_as_those_of_numbers(device: sw.Device, dtype: str):
    numbers = ("-2.5", "300.75", "math.inf", "-math.inf", "math.nan")
    outs = {to: np.zeros(len(numbers), DTYPES[to]) for to in INTS + UINTS}
    lines = [f"def kernel({', '.join(outs)}):"]
    for to in outs:
        lines += [f"    {to}[{n}] = sw.{to}(sw.{dtype}({v}))" for n, v in enumerate(numbers)]
    launch(define("\n".join([*lines, ""])), *outs.values(), device=device)
    values = np.array([-2.5, 300.75, np.inf, -np.inf, np.nan]).astype(DTYPES[dtype])
    for to, out in outs.items():
        expect_equal(out, expected_cast(values, to), what=f"{dtype} to {to}", device=device)


@pytest.mark.parametrize("dtype", ["i64", "f64", "u8"])
def test_numpy_scalar_types_cast(device: sw.Device, dtype: str):
    values = specials(dtype, device=device)
    got = cast_all(device, values, NUMPY_NAMES)
    for to in NUMPY_NAMES:
        expect_equal(got[to], expected_cast(values, to), what=f"{dtype} to {to}", device=device)


@pytest.mark.parametrize("dtype", ALL)
def test_int_float_and_bool_give_i32_f32_and_bool(device: sw.Device, dtype: str):
    values = specials(dtype, device=device)
    got = cast_all(device, values, {"i32": "int", "f32": "float", "bool": "bool"})
    for to, out in got.items():
        expect_equal(out, expected_cast(values, to), what=f"{dtype} to {to}", device=device)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_edges_of_saturation(device: sw.Device, dtype: str):
    edges = [float(v) for bits in (7, 8, 15, 16, 31, 32, 63, 64) for v in (2**bits, -(2**bits))]
    values = np.array(edges, DTYPES[dtype])
    near = np.concatenate([values, np.nextafter(values, 0), np.nextafter(values, np.inf)])
    got = cast_all(device, near, {to: f"sw.{to}" for to in INTS + UINTS})
    for to, out in got.items():
        expect_equal(out, expected_cast(near, to), what=f"{dtype} to {to}", device=device)


@pytest.mark.parametrize("to", ["f16", "bf16", "f32"])
def test_narrowing_rounds_to_nearest_even(device: sw.Device, to: str):
    spacing = {"f16": 2.0**-10, "bf16": 2.0**-7, "f32": 2.0**-23}[to]
    offsets = np.array([0, 0.25, 0.5, 0.5 + 1e-6, 0.75, 1, 1.5, 1.5 - 1e-6, 2.5, -0.25])
    values = 1 + offsets * spacing
    got = cast_all(device, values, {to: f"sw.{to}"})[to].astype(np.float64)
    # Below 1 the numbers are twice as dense.
    parts = [1 if offset >= 0 else 2 for offset in offsets]
    nearest = [round(Fraction(float(o)) * part) for o, part in zip(offsets, parts, strict=True)]
    expected = [1 + n * spacing / part for n, part in zip(nearest, parts, strict=True)]
    assert got.tolist() == expected


@pytest.mark.parametrize("dtype", ["i64", "u64"])
def test_large_integers_become_floats_rounded_once(device: sw.Device, dtype: str):
    numbers = [2**53 + 1, 2**53 + 3, 2**62 + 2**9 + 1, 2**24 + 1, 2**40 + 2**16, 2**63 - 1]
    values = np.array(numbers, DTYPES[dtype])
    got = cast_all(device, values, {to: f"sw.{to}" for to in ("f32", "f64")})
    for to, out in got.items():
        expect_equal(out, values.astype(DTYPES[to]), what=f"{dtype} to {to}", device=device)


def nearest(number: int, bits: int) -> float:
    """An integer rounded to so many binary digits, ties to even."""
    unit = Fraction(2) ** (abs(number).bit_length() - bits)
    return float(round(number / unit) * unit)


DIGITS = {"f16": 11, "bf16": 8, "f32": 24}


@pytest.mark.parametrize("dtype", ["i32", "u32", "i64", "u64"])
def test_integers_beside_a_tie_become_floats_rounded_once(device: sw.Device, dtype: str):
    bits = np.iinfo(DTYPES[dtype]).bits - (dtype[0] == "i")
    ties = [257 << k for k in range(1, bits - 8)] + [(1 << 24) + 1 << k for k in (1, bits - 25)]
    ties += [2049 << k for k in (1, 4)]
    numbers = [n for tie in ties for n in (tie - 1, tie, tie + 1)]
    numbers += [-n for n in numbers if dtype[0] == "i"]
    got = cast_all(device, np.array(numbers, DTYPES[dtype]), {to: f"sw.{to}" for to in DIGITS})
    for to, digits in DIGITS.items():
        with np.errstate(over="ignore"):
            expected = np.array([nearest(n, digits) for n in numbers]).astype(DTYPES[to])
        expect_equal(got[to], expected, what=f"{dtype} to {to}", device=device)


@pytest.mark.parametrize("to", DIGITS)
def test_constants_become_floats_rounded_once(device: sw.Device, to: str):
    digits = DIGITS[to]
    tie = (1 << digits) + 1 << (62 - digits if to != "f16" else 2)
    numbers = [tie - 1, tie, tie + 1, -tie - 1]
    row = dataclass(type("Row", (), {"__annotations__": {"field": getattr(sw, to)}}))
    texts = [f"{{}}, sw.{to}({{}}), sw.{to}(sw.i64({{}}))".replace("{}", str(n)) for n in numbers]
    texts += [
        f"sw.{to}({1 + 0.5**digits + 0.5**40})",
        f"sw.{to}(sw.i64({tie + 1}) * 1)",
        "row.field",
    ]
    expected = [nearest(n, digits) for n in numbers for _ in range(3)]
    expected += [1 + 0.5 ** (digits - 1), *[nearest(tie + 1, digits)] * 2]
    got = np.zeros(len(expected), DTYPES[to])
    lines = [f"    y[{k}] = {text}" for k, text in enumerate(", ".join(texts).split(", "))]
    kernel = define("\n".join(["def kernel(y):", *lines, ""]), row=row(tie + 1))
    launch(kernel, got, device=device)
    expect_equal(got, np.array(expected).astype(DTYPES[to]), device=device)


def test_the_largest_integers_of_f32(device: sw.Device):
    end = (2**24 - 1 << 104) + (1 << 103)  # a tie, to infinity
    source = f"def kernel(y):\n    y[0] = {end - 1}\n    y[1] = sw.f32({10**400})\n"
    got = np.zeros(2, np.float32)
    launch(define(source), got, device=device)
    assert got.tolist() == [float(np.finfo(np.float32).max), np.inf]
    with pytest.raises(sw.CompileError, match="does not fit f32"):
        launch(define(source.replace(str(end - 1), str(end))), got, device=device)


@pytest.mark.parametrize("dtype", INTS + UINTS)
def test_a_store_wraps_integers_and_makes_floats(device: sw.Device, dtype: str):
    values = specials(dtype, device=device)
    got = cast_all(device, values, dict.fromkeys(NUMBERS, ""))
    for to in NUMBERS:
        expect_equal(got[to], expected_cast(values, to), what=f"{dtype} to {to}", device=device)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_store_rounds_floats(device: sw.Device, dtype: str):
    values = specials(dtype, device=device)
    got = cast_all(device, values, dict.fromkeys(FLOATS, ""))
    for to in FLOATS:
        expect_equal(got[to], expected_cast(values, to), what=f"{dtype} to {to}", device=device)


@pytest.mark.parametrize("to", INTS)
def test_a_store_of_a_float_into_an_integer_is_refused(device: sw.Device, to: str):
    with pytest.raises(sw.CompileError, match=rf"needs a cast(.|\n)*sw\.{to}"):
        cast_all(device, np.ones(1, np.float32), {to: ""})


def test_a_store_of_a_number_into_a_bool_is_refused(device: sw.Device):
    with pytest.raises(sw.CompileError, match="needs a cast"):
        cast_all(device, np.ones(1, np.int32), {"bool": ""})


def test_numbers_of_texts(device: sw.Device):
    def kernel(out):
        best = float("-inf")
        best = max(best, out[0])
        out[0], out[1], out[2] = float("inf"), float("nan"), best
        out[3] = int("42")

    out = np.full(4, -5, np.float32)
    launch(kernel, out, device=device, over=1)
    assert np.array_equal(out, np.array([np.inf, np.nan, -5, 42], np.float32), equal_nan=True)
