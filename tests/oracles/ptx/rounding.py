"""Correct rounding to every float type in every direction.

Exact results are carried as float64 rounded *to odd*: inexact ones get a last bit of 1, so that a
second rounding to a type of at least two bits less sees on which side they lie (Boldo and
Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import ml_dtypes
import numpy as np

from .memory import Array
from .values import FLOAT, UNSIGNED

_EIGHT_BITS = {"e4m3": np.dtype(ml_dtypes.float8_e4m3fn), "e5m2": np.dtype(ml_dtypes.float8_e5m2)}
_LARGEST = {"e4m3": 448.0, "e5m2": 57344.0}
_MANTISSA = {"f16": 10, "bf16": 7, "tf32": 10}


def element(kind: str) -> str:
    """f16x2 → f16"""
    return kind.removesuffix("x2")


def widen(kind: str, values: Array) -> Array:
    """The operand of a float type as float32, or float64 for f64."""
    name = element(kind)
    if name in ("bf16", "tf32"):
        return (values.astype(np.uint32) << np.uint32(16 if name == "bf16" else 0)).view(np.float32)
    if name in _EIGHT_BITS:
        return values.view(np.uint8).view(_EIGHT_BITS[name]).astype(np.float32)
    return values.astype(np.float32) if name == "f16" else values


def to_odd(total: Array, error: Array) -> Array:
    """float64 `total + error`, rounded to odd, where |error| is at most half an ulp of total."""
    raw = total.view(np.int64)
    off = (error != 0) & np.isfinite(total) & (raw & 1 == 0)
    if not np.count_nonzero(off):
        return total
    # Towards the error, away from or closer to zero: one step in the integer view.
    step = np.where((error > 0) == (total > 0), 1, -1)
    return np.where(off, (raw + step).view(np.float64), total)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded sum and its error (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def odd_sum(a: Array, b: Array) -> Array:
    """float64 a + b, rounded to odd."""
    return to_odd(*two_sum(a, b))


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded product and its error (Dekker, Veltkamp)."""
    split = 134217729.0
    x, y = a * split, b * split
    a1, b1 = x - (x - a), y - (y - b)
    a2, b2 = a - a1, b - b1
    product = a * b
    return product, a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2)


def fused(a: Fraction, b: Fraction, c: Fraction) -> Fraction:
    """a b + c"""
    return a * b + c


def fma64(a: Array, b: Array, c: Array) -> Array:
    """float64 fused multiply-add, to nearest even."""
    high, low = _two_product(a, b)
    other, rest = two_sum(c, low)
    top, small = two_sum(high, other)
    result = top + odd_sum(rest, small)
    # The sign of a zero is that of the rounded sum.
    result = np.where(result == 0, top, result)
    # Dekker's product needs exponents away from both ends.
    sizes = np.abs(np.stack([a, b, high]))
    unsafe = ~((sizes < 2.0**990) & ((sizes > 2.0**-500) | (sizes == 0))).all(axis=0)
    unsafe |= ~(np.abs(c) < 2.0**990)
    for lane in np.flatnonzero(unsafe).tolist():
        result[lane] = exact64(fused, (a[lane], b[lane], c[lane]), "rn")
        if not np.isfinite(result[lane]):
            result[lane] = a[lane] * b[lane] + c[lane]
    return result


def exact64(function: Callable[..., Fraction], values: tuple[float, ...], mode: str) -> float:
    """A function of rationals, correctly rounded to float64; nan where there is none."""
    if not all(math.isfinite(value) for value in values):
        return math.nan
    try:
        exact = function(*(Fraction(float(value)) for value in values))
    except ZeroDivisionError:
        return math.nan
    try:
        nearest = float(exact)
    except OverflowError:
        nearest = math.inf if exact > 0 else -math.inf
    return nearest if exact == 0 else _direct(nearest, exact, mode)


def _direct(nearest: float, exact: Fraction, mode: str) -> float:
    above = nearest > exact if math.isinf(nearest) else Fraction(nearest) > exact
    below = nearest < exact if math.isinf(nearest) else Fraction(nearest) < exact
    down = mode == "rm" or (mode == "rz" and exact > 0)
    up = mode == "rp" or (mode == "rz" and exact < 0)
    if above and down:
        return math.nextafter(nearest, -math.inf)
    if below and up:
        return math.nextafter(nearest, math.inf)
    return nearest


def narrow(kind: str, values: Array, mode: str = "rn") -> Array:
    """float32 or (odd) float64 values as elements of `kind`, in the form that registers hold."""
    name = element(kind)
    if name == "f64":
        return values.astype(np.float64, copy=False)
    if name in ("bf16", "tf32"):
        return _narrow_by_hand(name, values, mode)
    if name in _EIGHT_BITS:
        return _to_eight_bits(name, values)
    dtype = FLOAT[16 if name == "f16" else 32]
    if mode == "rn":
        return values.astype(dtype, copy=False)
    return directed(values.astype(np.float64, copy=False), dtype, mode)


def directed(values: Array, dtype: np.dtype[np.generic], mode: str) -> Array:
    """float64 values in a narrower type, rounded by `mode`."""
    result = values.astype(dtype)
    if mode == "rn":
        return result
    back = result.astype(np.float64)
    infinity: Array = np.array(np.inf, dtype)
    if mode in ("rm", "rz"):
        too_large = (back > values) & ((values > 0) | (mode == "rm"))
        result = np.where(too_large, np.nextafter(result, -infinity), result)
    if mode in ("rp", "rz"):
        too_small = (back < values) & ((values < 0) | (mode == "rp"))
        result = np.where(too_small, np.nextafter(result, infinity), result)
    return result


def to_odd32(values: Array) -> Array:
    """float64 values as float32, rounded to odd."""
    cut = directed(values, np.dtype(np.float32), "rz")
    inexact = (cut != values) & np.isfinite(values)
    return (cut.view(np.uint32) | inexact.astype(np.uint32)).view(np.float32)


def _narrow_by_hand(name: str, values: Array, mode: str) -> Array:
    """bf16 as 16 bits, tf32 as the upper bits of 32."""
    source = values if values.dtype == np.float32 else to_odd32(values)
    raw = source.view(np.uint32).astype(np.uint64)
    drop = np.uint64(23 - _MANTISSA[name])
    one = np.uint64(1)
    half = (one << (drop - one)) if mode == "rna" else (one << (drop - one)) - one
    if mode == "rn":
        half = half + (raw >> drop & one)
    elif mode in ("rm", "rp"):
        away = np.signbit(source) if mode == "rm" else ~np.signbit(source)
        half = np.where(away, (one << drop) - one, 0).astype(np.uint64)
    elif mode == "rz":
        half = np.uint64(0)
    kept = np.where(np.isfinite(source), (raw + half) >> drop, raw >> drop)
    kept = np.where(np.isnan(source), np.uint64(0x7FFFFFFF) >> drop, kept)
    if name == "tf32":
        return (kept << drop).astype(np.uint32)
    return kept.astype(np.uint16)


def _to_eight_bits(name: str, values: Array) -> Array:
    """To nearest even, saturating: cvt to these types always has .satfinite."""
    dtype = _EIGHT_BITS[name]
    largest = _LARGEST[name]
    clipped = np.clip(values.astype(np.float64), -largest, largest)
    # Through float32 rounded to odd: ml_dtypes rounds float64 twice.
    result = to_odd32(clipped).astype(dtype).view(np.uint8)
    return np.where(np.isnan(values), np.uint8(0x7F), result)


def flush(values: Array) -> Array:
    """.ftz: subnormal float32 numbers become zeros of their sign."""
    small = np.abs(values) < np.float32(2.0**-126)
    return np.where(small, np.copysign(np.zeros_like(values), values), values)


def canonical(values: Array) -> Array:
    """The NaN of the hardware, which has all bits but the sign set."""
    if not np.count_nonzero(values != values):
        return values
    width = values.dtype.itemsize * 8
    nan = np.array((1 << (width - 1)) - 1, UNSIGNED[width]).view(values.dtype)
    return np.where(np.isnan(values), nan, values)
