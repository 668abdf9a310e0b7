"""sin, cos, tan, asin, acos, atan, atan2, erf.

    sin, cos: r = x - n pi/2 as a sum of two floats, |r| <= pi/4; n mod 4 chooses a polynomial.

Moderate x is reduced in three steps with fma (W. Cody, W. Waite, 1980). Large x is multiplied by
those 96 (or 192) bits of 2/pi that matter, as integers (M. Payne, R. Hanek, 1983): exact for all x.
"""

from __future__ import annotations

from itertools import pairwise

from . import coefficients
from .calculator import INF, NAN, Calculator
from .exponential import exp
from .number import Number

# 2/pi as bits, after a leading zero bit for the ones: enough for every f64.
TWO_OVER_PI = int(
    "A2F9836E4E441529FC2757D1F534DDC0DB6295993C439041FE5163ABDEBBC561B7246E3A424DD2E0"
    "06492EEA09D1921CFE1DEB1CB129A73EE88235F52EBB4484E99C7026B45F7E413991D639835339F4"
    "9C845F8BBDF9283B1FF897FFDE05980FEF2F118B5A0A6D1F6D367ECF27CB09B74F463F669E5FEA2D"
    "7527BAC7EBE5F17B3D0739F78A5292EA6BFB5FB11F8D5D",
    16,
)
TWO_OVER_PI_BITS = 1144
HALF_PI = 1.5707963267948966
HALF_PI_PARTS = (
    (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
)
PI_PARTS = (
    (3.1415927410125732, -8.742277657347586e-08),
    (3.141592653589793, 1.2246467991473532e-16),
)
TAN_EIGHTH = 0.41421356237309503


def reduced(c: Calculator, x: Number) -> tuple[Number, Number, Number]:
    """n (an integer, of which two bits count) and r, r_low with x = n pi/2 + r + r_low."""
    limit = c.pick((2.0**15, 2.0**29))
    n, r, low = c.when(c.abs(x) < limit, lambda c: _near(c, x), lambda c: _far(c, x))
    return n, r, low


def _near(c: Calculator, x: Number) -> list[Number]:
    x = c.number(x.value)
    first, second, third = c.pick(HALF_PI_PARTS)
    n, whole = c.near_integer(x, 1 / HALF_PI)
    a = c.fma(n, -first, x)  # exact
    if c.fast:
        return [whole, c.fma(n, -second, a), c.const(0.0)]
    # a - n second as the sum of two floats, exact also where both are nearly equal.
    product = n * second
    error = c.fma(n, second, -product)
    r = a - product
    back = r - a
    low = (a - (r - back)) - (product + back)
    return [whole, r, c.fma(n, -third, low - error)]


def _far(c: Calculator, x: Number) -> list[Number]:
    """x = m 2**e for whole m: of 2/pi, bits above 2**(1 - e) give multiples of 4, so they go."""
    x = c.number(x.value)
    bits = c.as_bits(x) & c.magnitude
    exponent = bits.shifted_out(c.mantissa) - (c.bias + c.mantissa)
    m = (bits & ((1 << c.mantissa) - 1)) | (1 << c.mantissa)
    w0, w1, w2 = _window(c, exponent - 1 + c.bits)
    p2, carry = c.wide_product(m, w2)
    middle, top = c.wide_product(m, w1)
    p1 = middle + carry
    overflowed = (p1 ^ _sign_bit(c)) < (carry ^ _sign_bit(c))  # unsigned
    p0 = m * w0 + top + c.select(overflowed, c.int(1), c.int(0))
    quadrant = p0.shifted_out(c.bits - 2)
    high = (p0 << 2) | p1.shifted_out(c.bits - 2)
    next_ = (p1 << 2) | p2.shifted_out(c.bits - 2)
    quadrant = quadrant + high.shifted_out(c.bits - 1)  # more than a half: the next one, from above
    # The fraction, signed, as a sum of floats.
    near = c.to_float(high)
    left = high - c.to_int(near)
    left = c.select(near.equals(2.0 ** (c.bits - 1)), c.int(0), left)
    f_high = near * 2.0**-c.bits
    f_low = c.to_float(left) * 2.0**-c.bits + c.unsigned_to_float(next_) * 2.0 ** (-2 * c.bits)
    first, second, _ = c.pick(HALF_PI_PARTS)
    total = f_high + f_low
    rest = (f_high - total) + f_low
    r = total * first
    low = c.fma(total, first, -r) + c.fma(total, second, rest * first)
    negative = x < 0.0
    n = c.select(negative, -quadrant, quadrant)
    return [
        n,
        c.select(negative, -r, r),
        c.select(negative, -low, low),
    ]


def _sign_bit(c: Calculator) -> int:
    return 1 << (c.bits - 1)


def _window(c: Calculator, start: Number) -> list[Number]:
    """Three words of 2/pi from bit `start` on; a word of zeros and that of the ones come first."""
    width = c.bits
    count = c.pick((8, 20))
    padded = TWO_OVER_PI << 512
    total = TWO_OVER_PI_BITS + 1 + 512
    words = [(padded >> (total - width * (i + 1))) & ((1 << width) - 1) for i in range(count)]
    words.insert(0, 0)
    index = start.shifted_out(c.pick((5, 6)))
    shift = start & (width - 1)
    chosen = _neighbours(c, words, index, 4)
    back = (width - shift) & (width - 1)
    whole = shift.equals(0)
    return [c.select(whole, a, (a << shift) | b.shifted_out(back)) for a, b in pairwise(chosen)]


def _neighbours(c: Calculator, words: list[int], index: Number, count: int) -> list[Number]:
    """So many words from this index on: all words move by the bits of the index, highest first."""
    level = [c.int(word) for word in words]
    for bit in reversed(range((len(words) - count).bit_length())):
        step = 1 << bit
        moves = (index & step).differs(0)
        needed = level[: count + step - 1]
        moved = level[step : step + len(needed)]
        level = [c.select(moves, b, a) for a, b in zip(needed, moved, strict=False)]
        level += needed[len(moved) :]
    return level


def _sin_cos(c: Calculator, x: Number) -> tuple[Number, Number, Number]:
    """n, and sine and cosine of the reduced argument."""
    n, r, low = reduced(c, x)
    z = r * r
    cube = z * r
    if c.fast:
        sine = c.fma(cube, c.poly(z, c.pick(coefficients.SIN)), r, loose=True)
        top = c.fma(z, -0.5, 1.0, loose=True)
        return n, sine, c.fma(z * z, c.poly(z, c.pick(coefficients.COS)), top, loose=True)
    end = low * c.fma(z, -0.5, 1.0, loose=True)
    sine = r + c.fma(cube, c.poly(z, c.pick(coefficients.SIN)), end, loose=True)
    half = 0.5 * z
    top = 1.0 - half
    rest = (1.0 - top) - half
    tail = c.poly(z, c.pick(coefficients.COS))
    cosine = top + c.fma(z * z, tail, rest - r * low, loose=True)
    return n, sine, cosine


def _by_quadrant(c: Calculator, n: Number, sine: Number, cosine: Number) -> Number:
    value = c.select((n & 1).differs(0), cosine, sine)
    return c.select((n & 2).differs(0), -value, value)


def _no_number(c: Calculator, x: Number, result: Number) -> Number:
    return c.select(c.abs(x) < INF, result, NAN)


def sin(c: Calculator, x: Number) -> Number:
    """The sine; NaN of an infinity."""
    n, sine, cosine = _sin_cos(c, x)
    result = c.select(x.equals(0.0), x, _by_quadrant(c, n, sine, cosine))
    return _no_number(c, x, result)


def cos(c: Calculator, x: Number) -> Number:
    """The cosine; NaN of an infinity."""
    n, sine, cosine = _sin_cos(c, x)
    return _no_number(c, x, _by_quadrant(c, n + 1, sine, cosine))


def tan(c: Calculator, x: Number) -> Number:
    """The tangent; NaN of an infinity."""
    # Errors of a reduced argument near 0 would be seen in both directions.
    n, sine, cosine = _sin_cos(c.accurate(), x)
    odd = (n & 1).differs(0)
    result = c.select(odd, -cosine, sine) / c.select(odd, sine, cosine)
    return _no_number(c, x, c.select(x.equals(0.0), x, result))


# --- inverse --------------------------------------------------------------------------------------


def _asin_tail(c: Calculator, s: Number, z: Number) -> Number:
    """asin(s) - s for s**2 = z <= 1/4."""
    return s * z * c.poly(z, c.pick(coefficients.ASIN))


def asin(c: Calculator, x: Number) -> Number:
    """The arc sine; NaN outside of [-1, 1]."""
    size = c.abs(x)
    big = size > 0.5
    z = c.select(big, 0.5 * (1.0 - size), x * x)
    s = c.select(big, c.sqrt(z), size)
    tail = _asin_tail(c, s, z)
    first, second, _ = c.pick(HALF_PI_PARTS)
    # The root with its error: s + (z - s**2) / (2 s).
    error = c.select(big, c.fma(-s, s, z) / (2.0 * s), 0.0)
    error = c.select(s.equals(0.0), 0.0, error)
    high = first - 2.0 * s
    rest = (first - high) - 2.0 * s
    large = high + (rest + (second - 2.0 * (tail + error)))
    result = c.select(big, large, s + tail)
    return c.select(size > 1.0, NAN, c.copysign(result, x))


def acos(c: Calculator, x: Number) -> Number:
    """The arc cosine; NaN outside of [-1, 1]."""
    size = c.abs(x)
    big = size > 0.5
    z = c.select(big, 0.5 * (1.0 - size), x * x)
    root = c.sqrt(z)
    error = c.select(root.equals(0.0), 0.0, c.fma(-root, root, z) / (2.0 * root))
    s = c.select(big, root, x)
    tail = _asin_tail(c, s, z)
    first, second, _ = c.pick(HALF_PI_PARTS)
    high = first - s
    rest = (first - high) - s
    middle = high + (rest + (second - tail))
    positive = 2.0 * (s + (tail + error))
    pi, pi_low = c.pick(PI_PARTS)
    top = pi - 2.0 * s
    left = (pi - top) - 2.0 * s
    negative = top + (left + (pi_low - 2.0 * (tail + error)))
    result = c.select(big, c.select(x < 0.0, negative, positive), middle)
    return c.select(size <= 1.0, result, NAN)


def _atan_of_ratio(c: Calculator, y: Number, x: Number) -> tuple[Number, Number]:
    """atan(y / x) of non-negative y <= x as a sum; x > 0."""
    near = y > TAN_EIGHTH * x
    top = c.select(near, y - x, y)
    below = c.select(near, y + x, x)
    inverse = 1.0 / below
    t = top * inverse
    left = c.fma(-t, below, top)
    # y - x and y + x are rounded themselves: what was lost, over the denominator.
    lost_top = (y - top) - x
    lost_below = (y - (below - (below - y))) + (x - (below - y))
    error = (left + c.select(near, lost_top - t * lost_below, 0.0)) * inverse
    z = t * t
    tail = c.fma(t * z, c.poly(z, c.pick(coefficients.ATAN)), error, loose=True)
    first, second, _ = c.pick(HALF_PI_PARTS)
    quarter = c.select(near, 0.5 * c.const(first), 0.0)
    low = c.select(near, 0.5 * c.const(second), 0.0)
    high = quarter + t
    rest = (quarter - high) + t
    return high, rest + (tail + low)


def atan(c: Calculator, x: Number) -> Number:
    """The arc tangent."""
    size = c.abs(x)
    big = size > 1.0
    endless = size.equals(INF)
    y = c.select(big, 1.0, size)
    below = c.select(big, c.select(endless, 1.0, size), c.const(1.0))
    high, low = _atan_of_ratio(c, c.select(endless, 0.0, y), below)
    first, second, _ = c.pick(HALF_PI_PARTS)
    top = first - high
    rest = (first - top) - high
    result = c.select(big, top + (rest + (second - low)), high + low)
    result = c.select(size < c.pick((2.0**-40, 2.0**-80)), size, result)
    return c.select(x.is_nan, x, c.copysign(result, x))


def atan2(c: Calculator, y: Number, x: Number) -> Number:
    """The angle of the point (x, y), from -pi to pi."""
    a, b = c.abs(y), c.abs(x)
    swap = a > b
    least, most = c.select(swap, b, a), c.select(swap, a, b)
    both = least.equals(INF)
    endless = most.equals(INF)
    least = c.select(endless, c.select(both, c.const(1.0), 0.0), least)
    most = c.select(endless, 1.0, most)
    # Away from the ends of the range, where the quotient's error would be lost.
    scale = c.select(
        most < c.pick((2.0**-60, 2.0**-500)), c.pick((2.0**60, 2.0**500)), c.const(1.0)
    )
    scale = c.select(most > c.pick((2.0**60, 2.0**500)), c.pick((2.0**-60, 2.0**-500)), scale)
    least, most = least * scale, most * scale
    zero = most.equals(0.0)
    high, low = _atan_of_ratio(c, least, c.select(zero, 1.0, most))
    high, low = c.select(zero, 0.0, high), c.select(zero, 0.0, low)
    first, second, _ = c.pick(HALF_PI_PARTS)
    top = first - high
    rest = ((first - top) - high) + (second - low)
    high, low = c.select(swap, top, high), c.select(swap, rest, low)
    pi, pi_low = c.pick(PI_PARTS)
    left = c.as_bits(x) < 0
    top = pi - high
    rest = ((pi - top) - high) + (pi_low - low)
    high, low = c.select(left, top, high), c.select(left, rest, low)
    result = c.copysign(high + low, y)
    return c.select(x.is_nan | y.is_nan, NAN, result)


# --- erf ------------------------------------------------------------------------------------------


def erf(c: Calculator, x: Number) -> Number:
    """The error function: a polynomial up to 1, then 1 - exp(P(x) - x**2) by pieces."""
    size = c.abs(x)
    limit = c.pick((4.0, 6.0))
    v = c.select(size > limit, limit, size)
    small = v * c.poly(v * v, c.pick(coefficients.ERF))
    log = c.poly(v - 1.5, c.pick(coefficients.ERFC_1))
    log = c.select(v > 2.0, c.poly(v - 3.0, c.pick(coefficients.ERFC_2)), log)
    if c.double:
        log = c.select(v > 4.0, c.poly(v - 5.0, c.pick(coefficients.ERFC_4)), log)
    large = 1.0 - exp(c, c.fma(-v, v, log, loose=True))
    result = c.select(size > limit, 1.0, c.select(size > 1.0, large, small))
    result = c.select(x.is_nan, x, result)
    return c.copysign(result, x)
