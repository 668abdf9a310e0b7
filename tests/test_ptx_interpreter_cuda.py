"""The PTX interpreter on what nvcc makes of our CUDA C kernels, against NumPy: single threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from oracles import nvcc
from oracles.ptx.module import Module

Array = npt.NDArray[Any]
N = 50
BLOCKS: tuple[tuple[int], tuple[int]] = ((2,), (32,))
LEVELS = pytest.mark.parametrize("level", ["O3", "O0"])


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def run(module: Module, kernel: str, *args: Array | np.generic | bytes) -> None:
    module.launch(kernel, *BLOCKS, args)


def integers(random: np.random.Generator, dtype: type[np.generic], count: int = N) -> Array:
    info = np.iinfo(np.dtype(dtype).name)
    values = random.integers(info.min, info.max, count, dtype, endpoint=True)
    # Small ones and the limits as well.
    values[:6] = np.array([0, 1, 2, info.max, info.min, info.max - 1], dtype)
    values[6:20] >>= np.array(info.bits // 2, dtype)
    return values


@LEVELS
def test_saxpy(level: str, random: np.random.Generator) -> None:
    x, y = random.standard_normal((2, N), np.float32)
    before = y.copy()
    run(nvcc.load("elementwise", level), "saxpy", x, y, np.float32(2.5), np.int32(N))
    # Only the optimiser makes an fma of it, which rounds once.
    product = x.astype(np.float64) * 2.5
    product = product if level == "O3" else product.astype(np.float32)
    assert (y == (product + before).astype(np.float32)).all()


@LEVELS
def test_grid_stride_loop_in_f64(level: str, random: np.random.Generator) -> None:
    x = random.standard_normal(200)
    y = np.zeros(200)
    run(nvcc.load("elementwise", level), "grid_stride", x, y, np.int64(200))
    np.testing.assert_allclose(y, x * x - 1, rtol=1e-14, atol=1e-16)


@LEVELS
def test_vector_loads_and_stores(level: str) -> None:
    x = np.arange(4 * N, dtype=np.float32).reshape(N, 4)
    y = np.zeros_like(x)
    run(nvcc.load("elementwise", level), "vector_copy", x, y, np.int32(N))
    assert (y == x[:, ::-1]).all()


def _bits_of(v: int, w: int) -> list[int]:
    both = w << 32 | v
    eight = both.to_bytes(8, "little")
    signed = [[b - 256 if b > 127 else b for b in part] for part in (eight[:4], eight[4:])]
    return [
        v.bit_count(),
        32 - v.bit_length(),
        int(f"{v:032b}"[::-1], 2),
        v * w >> 32,
        int.from_bytes(bytes(eight[i] for i in (7, 1, 3, 5)), "little"),
        (both << (w & 31) >> 32) & 0xFFFFFFFF,
        both >> min(w & 63, 32) & 0xFFFFFFFF,
        (7 + sum(a * b for a, b in zip(*signed, strict=True))) & 0xFFFFFFFF,
        (v & -v).bit_length(),
        (v & w) | ((~v & 0x0F0F0F0F) ^ (w >> 3)),
    ]


@LEVELS
def test_operations_on_bits(level: str, random: np.random.Generator) -> None:
    x = integers(random, np.uint32)
    out = np.zeros((N, 10), np.uint32)
    run(nvcc.load("elementwise", level), "bits", x, out, np.int32(N))
    # __byte_perm(v, w, 0x5317): bytes 7, 1, 3, 5 from the lowest on.
    expected = [_bits_of(v, w) for v, w in zip(x.tolist(), np.roll(x, -1).tolist(), strict=True)]
    np.testing.assert_array_equal(out, np.array(expected, np.uint32))


def _quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


@LEVELS
def test_division_of_integers(level: str, random: np.random.Generator) -> None:
    a, b = integers(random, np.int32), random.integers(-9, 1000, N, np.int32)
    b[b == 0] = 3
    out = np.zeros((N, 4), np.int32)
    run(nvcc.load("elementwise", level), "divide", a, b, out, np.int32(N))
    for row, x, y in zip(out.tolist(), a.tolist(), b.tolist(), strict=True):
        q, q7, q10 = _quotient(x, y), _quotient(x, 7), _quotient(x, 10)
        whole = (x % 2**32) // (y % 2**32)
        last = (q7 + x - 10 * q10 + 2**31) % 2**32 - 2**31
        assert row == [q, x - q * y, whole - 2**32 if whole >= 2**31 else whole, last]


@LEVELS
def test_64_and_128_bit_integers(level: str, random: np.random.Generator) -> None:
    a, b = integers(random, np.int64), integers(random, np.int64)[::-1].copy()
    out = np.zeros((N, 4), np.int64)
    run(nvcc.load("elementwise", level), "wide", a, b, out, np.int32(N))
    for row, x, y in zip(out.tolist(), a.tolist(), b.tolist(), strict=True):
        exact = [x * y >> 64, x * y + (x >> (y & 63)), _quotient(x, y | 1), (x + y) >> 1]
        assert row == [(v + 2**63) % 2**64 - 2**63 for v in exact]


def _erf(x: Array) -> Array:
    import math

    return np.array([math.erf(v) for v in x.tolist()])


MATH: list[Callable[[Array], Array]] = [
    np.exp, lambda x: np.log(np.abs(x) + 0.5), np.sin, np.cos, lambda x: np.sqrt(np.abs(x)),
    np.tanh, lambda x: (np.abs(x) + 0.1) ** 1.7, lambda x: x / (np.abs(x) + 0.3),
    lambda x: 1 / np.sqrt(np.abs(x) + 1), _erf,
]  # fmt: skip


@LEVELS
def test_f32_math_library(level: str, random: np.random.Generator) -> None:
    x = (random.standard_normal(N) * 4).astype(np.float32)
    out = np.zeros((N, 10), np.float32)
    run(nvcc.load("elementwise", level), "math", x, out, np.int32(N))
    for i, function in enumerate(MATH):
        expected = function(x.astype(np.float64))
        np.testing.assert_allclose(out[:, i], expected, rtol=1e-6, atol=1e-7, err_msg=str(i))


@LEVELS
def test_f64_math_library(level: str, random: np.random.Generator) -> None:
    x = random.standard_normal(N) * 20
    x[0] = 1e5
    out = np.zeros((N, 4))
    run(nvcc.load("elementwise", level), "math64", x, out, np.int32(N))
    size = np.abs(x)
    with np.errstate(over="ignore"):
        expected = [np.exp(x), np.log(size + 0.5), np.sin(x), x / (size + 0.3) + np.sqrt(size)]
    np.testing.assert_allclose(out.T, expected, rtol=1e-14, atol=1e-15)


@LEVELS
def test_rounding_modes(level: str, random: np.random.Generator) -> None:
    from fractions import Fraction

    x, y = random.standard_normal((2, N), np.float32)
    out = np.zeros((N, 8), np.float32)
    run(nvcc.load("elementwise", level), "rounding", x, y, out, np.int32(N))
    for row, a, b in zip(out, x, y, strict=True):
        total, product = (
            Fraction(float(a)) + Fraction(float(b)),
            Fraction(float(a)) * Fraction(float(b)),
        )
        assert abs(Fraction(float(row[0]))) <= abs(total) < abs(Fraction(float(_away(row[0]))))
        assert (
            Fraction(float(np.nextafter(row[1], np.float32(-9)))) < total <= Fraction(float(row[1]))
        )
        assert (
            Fraction(float(row[2]))
            <= product
            < Fraction(float(np.nextafter(row[2], np.float32(9))))
        )
        assert row[3] == np.float32(float(product + 1))
        quotient = Fraction(float(a)) / Fraction(float(b))
        assert abs(Fraction(float(row[4]))) <= abs(quotient) < abs(Fraction(float(_away(row[4]))))
        below = Fraction(float(np.nextafter(row[5], np.float32(0))))
        assert below**2 < abs(Fraction(float(a))) <= Fraction(float(row[5])) ** 2
        assert row[6] == min(a, b)
        assert row[7] == np.copysign(a, b)


def _away(value: np.float32) -> np.float32:
    return np.nextafter(value, np.copysign(np.float32(1e30), value))


@LEVELS
def test_conversions(level: str) -> None:
    x = np.array([0.0, 1.5, 2.5, -2.5, 300.7, -1e10, 1e10, np.nan, -0.3, 0.3, 70000.5], np.float32)
    out = np.zeros((len(x), 8), np.int32)
    run(nvcc.load("elementwise", level), "convert", x, out, np.int32(len(x)))
    finite = np.where(np.isnan(x), 0, x.astype(np.float64))
    s32 = np.clip(np.trunc(finite), -(2**31), 2**31 - 1).astype(np.int32)
    assert (out[:, 0] == s32).all()
    assert (out[:, 1] == np.clip(np.rint(finite), -(2**31), 2**31 - 1).astype(np.int32)).all()
    assert (out[:, 2].view(np.uint32) == np.clip(np.ceil(finite), 0, 2**32 - 1)).all()
    assert (out[:, 3] == s32.astype(np.int8)).all()
    nan = np.isnan(x)
    assert (out[~nan, 4] == np.floor(finite).astype(np.int64).astype(np.int32)[~nan]).all()
    assert (out[:, 5].view(np.float32) == x.view(np.uint32).astype(np.float32)).all()
    assert (out[:, 6] == s32.astype(np.uint16)).all()
    assert (out[:, 7].view(np.float32) == np.clip(finite, 0, 1).astype(np.float32)).all()


PAIR = np.dtype([("first", "i4"), ("second", "i2"), ("third", "f8")], align=True)


@LEVELS
def test_structs_by_value_and_in_memory(level: str, random: np.random.Generator) -> None:
    items = np.zeros(N, PAIR)
    items["first"], items["second"] = np.arange(N), np.arange(N) * 7
    items["third"] = random.standard_normal(N)
    given = np.zeros(1, PAIR)
    given[0] = (5, -3, 0.5)
    out = np.zeros(N, PAIR)
    run(nvcc.load("elementwise", level), "structs", given.tobytes(), items, out, np.int32(N))
    assert (out["first"] == items["first"] + 5).all()
    assert (out["second"] == items["second"] * -3).all()
    assert (out["third"] == items["third"] - 0.5).all()


@LEVELS
def test_constant_memory_and_device_variables(level: str) -> None:
    x = np.linspace(-2, 2, N, dtype=np.float32)
    y = np.zeros_like(x)
    module = nvcc.load("elementwise", level)
    run(module, "polynomial", x, y, np.int32(N))
    np.testing.assert_allclose(y, 1 - 2 * x + 0.5 * x**2 + 3 * x**3, rtol=1e-5, atol=1e-6)
    counter = np.frombuffer(module.memory.read(module.address("counter"), 4), np.uint32)
    assert counter[0] == 5 + 2 * N


@LEVELS
def test_sort_in_local_memory(level: str, random: np.random.Generator) -> None:
    x = random.integers(0, 100, 20, np.int32)
    y = np.zeros_like(x)
    run(nvcc.load("elementwise", level), "local_array", x, y, np.int32(20))
    rows = [np.sort([x[(i + k) % 20] for k in range(16)]) for i in range(20)]
    assert y.tolist() == [int(row[x[i] & 15]) for i, row in enumerate(rows)]


def test_f16_arithmetic(random: np.random.Generator) -> None:
    x, y = random.standard_normal((2, 32)).astype(np.float16)
    out = np.zeros((32, 6), np.float16)
    nvcc.load("narrow").launch("halves", (1,), (32,), [x, y, out, np.int32(32)])
    assert (out[:, 0] == x + y).all()
    assert (out[:, 1] == x * y).all()
    exact = x.astype(np.float64) * y.astype(np.float64) + x
    assert (out[:, 2] == exact.astype(np.float16)).all()
    np.testing.assert_allclose(out[:, 3], x / y, rtol=2e-3)
    assert (out[:, 4] == np.maximum(x, y)).all()
    assert (np.abs(out[:, 5]) <= np.abs(x.astype(np.float32)) * np.float32(1.001)).all()
    assert (np.abs(out[:, 5]) >= np.abs(x)).all()


def test_packed_f16_and_its_atomics(random: np.random.Generator) -> None:
    x = random.standard_normal((32, 2)).astype(np.float16)
    out, total = np.zeros((32, 2), np.float16), np.zeros(2, np.float32)
    nvcc.load("narrow").launch("pairs", (1,), (32,), [x, out, total])
    assert (out == (x.astype(np.float64) ** 2 + 0.5).astype(np.float16)).all()
    np.testing.assert_allclose(total[0], (out[:, 0].astype(float) - out[:, 1]).sum(), atol=1e-4)
    assert total[1:].view(np.float16).tolist() == [32, 64]


def test_bf16_arithmetic(random: np.random.Generator) -> None:
    kind = ml_dtypes.bfloat16
    x = random.standard_normal(32).astype(kind)
    out = np.zeros((32, 4), kind)
    nvcc.load("narrow").launch("brains", (1,), (32,), [x, out, np.int32(32)])
    wide = x.astype(np.float32)
    assert (out[:, 0] == (wide + np.float32(1.5)).astype(kind)).all()
    assert (out[:, 1] == (wide * wide + wide).astype(kind)).all()
    assert (out[:, 2] == (wide * np.float32(3.1)).astype(kind)).all()
    np.testing.assert_allclose(out[:, 3].astype(np.float32), np.exp(wide), rtol=1e-2)


def test_8_bit_floats() -> None:
    x = np.array([0.3, -0.0, 1, 1000, -1e9, 0.001, 17.3, -2.6] * 4, np.float32)
    out = np.zeros((32, 2), np.float32)
    nvcc.load("narrow").launch("eighths", (1,), (32,), [x, out])
    limits = [(ml_dtypes.float8_e4m3fn, 448), (ml_dtypes.float8_e5m2, 57344)]
    for i, (kind, largest) in enumerate(limits):
        expected = np.clip(x, -largest, largest).astype(kind).astype(np.float32)
        np.testing.assert_array_equal(out[:, i], expected)
