"""Float arithmetic and conversions of the llvm path, executed and compared with NumPy."""

# pyright: basic, reportCallIssue=false, reportOperatorIssue=false, reportArgumentType=false
# Tables of lambdas over NumPy scalars of every type: what strict mode says of them is noise.

from __future__ import annotations

import math
from fractions import Fraction
from itertools import chain

import ml_dtypes
import numpy as np
import pytest
from llvm_kernels import NUMPY, Loaded, elementwise, llvm_text, load, pairs

from stepwell.lowering.emit.machine import converts_half, host_features, host_triple

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.0, 7.25, 1e-3, -1e4, 100.25]
NOT_FINITE = [math.inf, -math.inf, math.nan]
ARITHMETIC = ("addf", "subf", "mulf", "divf", "remf")
EXTREMES = ("minimumf", "maximumf", "minnumf", "maxnumf")
PREDICATES = {
    "oeq": lambda a, b: a == b, "ogt": lambda a, b: a > b, "oge": lambda a, b: a >= b,
    "olt": lambda a, b: a < b, "ole": lambda a, b: a <= b, "une": lambda a, b: a != b,
    "one": lambda a, b: a != b and a == a and b == b, "ord": lambda a, b: a == a and b == b,
    "uno": lambda a, b: a != a or b != b, "ueq": lambda a, b: not (a < b or a > b),
    "ugt": lambda a, b: not a <= b, "uge": lambda a, b: not a < b, "ult": lambda a, b: not a >= b,
    "ule": lambda a, b: not a > b,
}  # fmt: skip
INTEGERS = ("i8", "i16", "i32", "i64")
FLOATS = ("f16", "f32", "f64")
HALF_MODES = [
    pytest.param(
        True,
        id="instructions",
        marks=pytest.mark.skipif(
            not converts_half(host_triple(), host_features()), reason="this machine has no F16C"
        ),
    ),
    pytest.param(False, id="integers"),
]


def run(code: Loaded, name: str, out: type, *inputs: np.ndarray) -> np.ndarray:
    result = np.empty(len(inputs[0]), out)
    code.call(name, *inputs, result)
    return result


def assert_same_bits(got: np.ndarray, expected: np.ndarray, message: str = "") -> None:
    """Equal bit for bit, any NaN being equal to any other."""
    assert got.dtype == expected.dtype
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(got), nan, err_msg=message)
    bits = f"u{got.dtype.itemsize}"
    np.testing.assert_array_equal(got.view(bits)[~nan], expected.view(bits)[~nan], err_msg=message)


def arithmetic_module(kind: str) -> str:
    parts: list[str] = []
    for name in (*ARITHMETIC, *EXTREMES):
        parts.append(elementwise(name, f"%r = arith.{name} %a, %b : {kind}", [kind] * 2, kind))
    for name in PREDICATES:
        body = f"%c = arith.cmpf {name}, %a, %b : {kind}\n %r = arith.extui %c : i1 to i8"
        parts.append(elementwise(f"cmp_{name}", body, [kind] * 2, "i8"))
    parts.append(elementwise("negf", f"%r = arith.negf %a : {kind}", [kind], kind))
    for integer in INTEGERS:
        for sign in "su":
            body = f"%r = arith.fpto{sign}i %a : {kind} to {integer}"
            parts.append(elementwise(f"to_{sign}{integer}", body, [kind], integer))
            body = f"%r = arith.{sign}itofp %a : {integer} to {kind}"
            parts.append(elementwise(f"from_{sign}{integer}", body, [integer], kind))
    return "\n".join(parts)


@pytest.fixture(scope="module", params=[*FLOATS, "f16 as integers"])
def arithmetic(request: pytest.FixtureRequest) -> tuple[Loaded, str]:
    kind, _, as_integers = request.param.partition(" ")
    if not as_integers and kind == "f16" and not converts_half(host_triple(), host_features()):
        pytest.skip("this machine has no F16C")
    return load(llvm_text(arithmetic_module(kind), half=not as_integers)), kind


def test_arithmetic_is_ieee(arithmetic: tuple[Loaded, str]):
    code, kind = arithmetic
    values = np.array([*SPECIAL, *NOT_FINITE, 1e-7, 6e4], NUMPY[kind])
    a, b = pairs(values)
    with np.errstate(all="ignore"):
        expected = {
            "addf": a + b,
            "subf": a - b,
            "mulf": a * b,
            "divf": a / b,
            "remf": np.fmod(a, b),
        }
    for name, result in expected.items():
        assert_same_bits(run(code, name, a.dtype.type, a, b), result, name)
    negated = run(code, "negf", a.dtype.type, a)
    np.testing.assert_array_equal(np.signbit(negated), ~np.signbit(a))


def test_extremes_treat_nan_and_signed_zeros_as_ieee_says(arithmetic: tuple[Loaded, str]):
    code, kind = arithmetic
    a, b = pairs(np.array([*SPECIAL, *NOT_FINITE], NUMPY[kind]))
    nan = np.isnan(a) | np.isnan(b)
    least = np.where(a < b, a, b)
    most = np.where(a > b, a, b)
    zeros = (a == 0) & (b == 0)
    least[zeros] = np.where(np.signbit(a) | np.signbit(b), -0.0, 0.0)[zeros]
    most[zeros] = np.where(np.signbit(a) & np.signbit(b), -0.0, 0.0)[zeros]
    number = np.where(np.isnan(a), b, a)
    for name, value in (("minimumf", least), ("maximumf", most)):
        expected = np.where(nan, np.array(np.nan, a.dtype), value)
        assert_same_bits(run(code, name, a.dtype.type, a, b), expected, name)
    for name, value in (("minnumf", least), ("maxnumf", most)):
        assert_same_bits(run(code, name, a.dtype.type, a, b), np.where(nan, number, value), name)


def test_float_comparisons(arithmetic: tuple[Loaded, str]):
    code, kind = arithmetic
    a, b = pairs(np.array([*SPECIAL, *NOT_FINITE], NUMPY[kind]))
    for name, function in PREDICATES.items():
        expected = [bool(function(x, y)) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
        np.testing.assert_array_equal(run(code, f"cmp_{name}", np.int8, a, b), expected, name)


def test_float_to_integer_saturates(arithmetic: tuple[Loaded, str]):
    code, kind = arithmetic
    edges = [2.0**power + delta for power in (7, 8, 15, 16, 31, 32, 63, 64) for delta in (-1, 0, 1)]
    values = [*SPECIAL, *NOT_FINITE, *edges, *(-edge for edge in edges), 1.99, -1.99, 1e30]
    with np.errstate(over="ignore"):
        a = np.array(values, NUMPY[kind])
    for integer in INTEGERS:
        for sign in "su":
            width = int(integer[1:])
            low = 0 if sign == "u" else -(1 << (width - 1))
            high = (1 << (width - (sign == "s"))) - 1
            expected = [saturated(float(value), low, high) for value in a]
            got = run(code, f"to_{sign}{integer}", NUMPY[integer], a)
            unsigned = [value % (1 << width) for value in expected]
            np.testing.assert_array_equal(got.view(f"u{width // 8}"), unsigned, f"{sign}{integer}")


def saturated(value: float, low: int, high: int) -> int:
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return low if value < 0 else high
    return min(max(int(value), low), high)


def integers_of(integer: str) -> np.ndarray:
    info = np.iinfo(NUMPY[integer])
    rng = np.random.default_rng(3)
    some = rng.integers(info.min, info.max, 2000, dtype=info.dtype, endpoint=True)
    shifts = rng.integers(0, info.bits, 2000).astype(info.dtype)
    fixed = np.array([0, 1, -1, info.max, info.min], info.dtype)
    near = [(1 << p) + d for p in range(info.bits - 1) for d in range(-3, 4)]
    close = np.array([n for n in near if info.min <= n <= info.max], info.dtype)
    return np.concatenate([fixed, some >> shifts, close])


def test_integer_to_float_rounds_once(arithmetic: tuple[Loaded, str]):
    code, kind = arithmetic
    for integer in INTEGERS:
        a = integers_of(integer)
        with np.errstate(over="ignore"):
            signed, unsigned = a.astype(NUMPY[kind]), a.view(f"u{a.itemsize}").astype(NUMPY[kind])
        assert_same_bits(run(code, f"from_s{integer}", NUMPY[kind], a), signed, integer)
        assert_same_bits(run(code, f"from_u{integer}", NUMPY[kind], a), unsigned, integer)


# --- 16-bit floats --------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=HALF_MODES)
def conversions(request: pytest.FixtureRequest) -> Loaded:
    parts: list[str] = []
    for small in ("f16", "bf16"):
        for wide in ("f32", "f64"):
            body = f"%r = arith.extf %a : {small} to {wide}"
            parts.append(elementwise(f"{small}_to_{wide}", body, [small], wide))
            body = f"%r = arith.truncf %a : {wide} to {small}"
            parts.append(elementwise(f"{wide}_to_{small}", body, [wide], small))
        for name in ("addf", "mulf"):
            body = f"%r = arith.{name} %a, %b : {small}"
            parts.append(elementwise(f"{small}_{name}", body, [small] * 2, small))
    for integer in INTEGERS:
        for sign in "su":
            body = f"%r = arith.{sign}itofp %a : {integer} to bf16"
            parts.append(elementwise(f"bf16_from_{sign}{integer}", body, [integer], "bf16"))
    body = "%c = arith.constant 1.1 : bf16\n %r = arith.addf %a, %c : bf16"
    parts.append(elementwise("bf16_constant", body, ["bf16"], "bf16"))
    body = "%c = arith.constant 1.1 : f16\n %r = arith.addf %a, %c : f16"
    parts.append(elementwise("f16_constant", body, ["f16"], "f16"))
    body = "%r = arith.bitcast %a : bf16 to i16"
    parts.append(elementwise("bf16_bits", body, ["bf16"], "i16"))
    return load(llvm_text("\n".join(parts), half=request.param))


ALL = np.arange(65536, dtype=np.uint16)
BFLOAT = ml_dtypes.bfloat16


def test_every_half_widens_exactly(conversions: Loaded):
    halves = ALL.view(np.float16)
    for kind in ("f32", "f64"):
        got = run(conversions, f"f16_to_{kind}", NUMPY[kind], halves)
        assert_same_bits(got, halves.astype(NUMPY[kind]))


def test_a_widened_half_nan_keeps_its_payload_and_becomes_quiet(conversions: Loaded):
    nans = np.array([0x7C01, 0x7E00, 0xFD55, 0x7FFF], np.uint16)
    got = run(conversions, "f16_to_f32", np.float32, nans.view(np.float16)).view(np.uint32)
    bits = nans.astype(np.uint32)
    expected = (bits & 0x8000) << 16 | 0x7FC00000 | (bits & 0x3FF) << 13
    np.testing.assert_array_equal(got, expected)


def test_every_bfloat_widens_exactly(conversions: Loaded):
    got = run(conversions, "bf16_to_f32", np.float32, ALL)
    np.testing.assert_array_equal(got.view(np.uint32), ALL.astype(np.uint32) << 16)
    got = run(conversions, "bf16_to_f64", np.float64, ALL)
    with np.errstate(invalid="ignore"):
        assert_same_bits(got, ALL.view(BFLOAT).astype(np.float64))


def singles() -> np.ndarray:
    """Random bits, every neighbour of a half or bfloat, and the middles between them."""
    rng = np.random.default_rng(11)
    random = rng.integers(0, 1 << 32, 1_000_000, dtype=np.uint32)
    halves = ALL.view(np.float16).astype(np.float32).view(np.uint32)
    middles = halves + np.uint32(0x1000)
    high = ALL.astype(np.uint32) << 16
    every = [random, *(part + np.uint32(d) for part in (halves, middles, high) for d in (0, 1))]
    every += [high + np.uint32(0x8000), high + np.uint32(0x7FFF), high + np.uint32(0x8001)]
    every += [part - np.uint32(1) for part in (halves, middles)]
    return np.concatenate(every).view(np.float32)


def test_singles_round_to_half_like_numpy(conversions: Loaded):
    values = singles()
    with np.errstate(over="ignore", invalid="ignore"):
        expected = values.astype(np.float16)
    assert_same_bits(run(conversions, "f32_to_f16", np.float16, values), expected)


def test_singles_round_to_bfloat_to_nearest_even(conversions: Loaded):
    values = singles()
    got = run(conversions, "f32_to_bf16", np.uint16, values)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = values.astype(BFLOAT)
    nan = np.isnan(values)
    np.testing.assert_array_equal(got[~nan], expected.view(np.uint16)[~nan])
    bits = values.view(np.uint32)[nan]
    np.testing.assert_array_equal(got[nan], bits >> 16 | 0x40)


def test_nans_narrowed_to_half_keep_their_payload(conversions: Loaded):
    bits = np.array([0x7F800001, 0x7FC00000, 0xFFABCDEF, 0xFF812345], np.uint32)
    got = run(conversions, "f32_to_f16", np.float16, bits.view(np.float32)).view(np.uint16)
    np.testing.assert_array_equal(got, (bits >> 16 & 0x8000) | 0x7E00 | (bits >> 13 & 0x3FF))


def doubles() -> np.ndarray:
    """Values whose rounding goes wrong when done in two steps, and random ones."""
    rng = np.random.default_rng(5)
    small = chain(ALL[::7].view(np.float16).astype(np.float64), ALL[::7].view(BFLOAT).astype(float))
    base = np.array([value for value in small if math.isfinite(value)])
    above = np.nextafter(base, np.inf)
    ulps = np.spacing(base.astype(np.float16)).astype(np.float64) / 2
    middles = base + ulps
    tiny = np.abs(middles) * 2.0**-40
    bfloat = base.astype(np.float32).view(np.uint32)
    half_way = (bfloat & np.uint32(0xFFFF0000) | np.uint32(0x8000)).view(np.float32).astype(float)
    wobble = np.abs(half_way) * 2.0**-45
    random = rng.standard_normal(50_000) * 10.0 ** rng.integers(-10, 10, 50_000)
    parts = (base, above, middles, middles + tiny, middles - tiny, random)
    return np.concatenate((*parts, half_way, half_way + wobble, half_way - wobble, NOT_FINITE))


def test_doubles_round_once(conversions: Loaded):
    with np.errstate(over="ignore", invalid="ignore"):
        values = doubles()
        expected = values.astype(np.float16)
    assert_same_bits(run(conversions, "f64_to_f16", np.float16, values), expected)
    values = values[np.isfinite(values)][::5].copy()
    got = run(conversions, "f64_to_bf16", np.uint16, values).view(BFLOAT)
    expected = np.array([nearest_bfloat(Fraction(float(value))) for value in values], BFLOAT)
    magnitude = np.array(got.view(np.uint16) & 0x7FFF)
    np.testing.assert_array_equal(magnitude, expected.view(np.uint16) & 0x7FFF)


def nearest_bfloat(value: Fraction) -> float:
    """The nearest bfloat16, ties to even, by exact arithmetic."""
    if value == 0:
        return 0.0
    magnitude = abs(value)
    exponent = max(-126, magnitude.numerator.bit_length() - magnitude.denominator.bit_length() - 1)
    while exponent > -126 and magnitude < Fraction(2) ** exponent:
        exponent -= 1
    while magnitude >= Fraction(2) ** (exponent + 1):
        exponent += 1
    unit = Fraction(2) ** (exponent - 7)
    rounded = round(magnitude / unit) * unit
    result = math.inf if rounded >= Fraction(2) ** 128 else float(rounded)
    return -result if value < 0 else result


def ties_of(bits: int) -> list[int]:
    """The middles between all neighbours of 8 digits, and what is beside them."""
    middles = [digits << place for digits in range(257, 512, 2) for place in range(bits - 8)]
    return [middle + beside for middle in middles for beside in (-1, 0, 1)]


def integer_to_bfloat(number: int) -> float:
    """The nearest bfloat16, ties to even."""
    unit = 1 << max(0, abs(number).bit_length() - 8)
    return float(round(Fraction(number, unit)) * unit)


def test_integers_round_to_bfloat_once(conversions: Loaded):
    for integer in INTEGERS:
        a = integers_of(integer)
        bits = np.iinfo(a.dtype).bits
        ties = np.array(ties_of(bits), np.uint64).astype(f"u{a.itemsize}").view(a.dtype)
        a = np.unique(np.concatenate([a, ties, -ties]))
        for sign, numbers in (("s", a), ("u", a.view(f"u{a.itemsize}"))):
            got = run(conversions, f"bf16_from_{sign}{integer}", np.uint16, a).view(BFLOAT)
            expected = [integer_to_bfloat(int(number)) for number in numbers]
            np.testing.assert_array_equal(got.astype(float), expected, f"{sign}{integer}")


def test_small_arithmetic_rounds_to_the_small_type(conversions: Loaded):
    a, b = pairs(np.array([*SPECIAL, *NOT_FINITE, 1e-5, 3e4], np.float32))
    with np.errstate(all="ignore"):
        for small, kind in (("f16", np.float16), ("bf16", BFLOAT)):
            x, y = a.astype(kind), b.astype(kind)
            bits = np.float16 if small == "f16" else np.uint16
            for name, result in (("addf", x + y), ("mulf", x * y)):
                got = run(conversions, f"{small}_{name}", bits, x.view(bits), y.view(bits))
                assert_same_bits(got.view(kind), result, f"{small} {name}")


def test_constants_and_bits_of_small_floats(conversions: Loaded):
    one = np.ones(3, BFLOAT)
    got = run(conversions, "bf16_constant", np.uint16, one.view(np.uint16)).view(BFLOAT)
    np.testing.assert_array_equal(got, one + BFLOAT(1.1))
    half = np.ones(3, np.float16)
    got = run(conversions, "f16_constant", np.float16, half)
    np.testing.assert_array_equal(got, half + np.float16(1.1))
    bits = run(conversions, "bf16_bits", np.int16, ALL)
    np.testing.assert_array_equal(bits.view(np.uint16), ALL)
