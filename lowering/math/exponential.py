"""exp, exp2, expm1, log, log2, log10, log1p, pow, and the hyperbolic functions.

exp(x): n = round(x / 2 ln 2), r = x - 2 n ln 2 (in two steps), 2**n * 2**n * (1 + r + r**2 P(r)),
        where the numbers of bits do the rounding and the powers (see `exp`)
log(x): x = 2**k * m with m in [sqrt(1/2), sqrt(2)), s = f / (2 + f) for f = m - 1,
        log(m) = f - (f**2 / 2 - s (f**2 / 2 + s**2 P(s**2))), as in FDLIBM (Sun, 1993)
pow(x, y): log2(x) as the sum of two floats (Dekker's products by fma), then 2**(y log2(x))
"""

from __future__ import annotations

from . import coefficients, fast
from .calculator import INF, LN2, LOG2_E, NAN, Calculator
from .number import Number

# ln 2 in two parts; the first one's last bits are zero, so that n times it is exact.
LN2_HIGH = (0.693145751953125, 0.6931471805598903)
LN2_LOW = (1.4286068203094173e-06, 5.497923018708371e-14)
# Past these exp is infinite, or zero.
EXP_MOST, EXP_LEAST = (88.72284, 709.782712893384), (-104.0, -745.2)
EXP2_MOST = (128.0, 1024.0)


def _exp_parts(c: Calculator, x: Number) -> tuple[Number, Number, Number]:
    """n (an integer), r and r**2 P(r) of exp(x) = 2**n (1 + r + r**2 P(r))."""
    n, whole = c.near_integer(x, LOG2_E)
    r = c.fma(n, -c.pick(LN2_HIGH), x, loose=True)
    r = c.fma(n, -c.pick(LN2_LOW), r, loose=True)
    return whole, r, r * r * c.poly(r, c.pick(coefficients.EXP))


def exp(c: Calculator, x: Number) -> Number:
    """e**x."""
    if c.fast:
        return fast.exp(c, x)
    inside = c.at_most(c.at_least(x, c.pick(EXP_LEAST)), c.pick((89.0, 710.0)))
    h, u, scaled = c.even_power(inside, LOG2_E)
    r = c.fma(h, -u * c.pick(LN2_HIGH), inside)
    r = c.fma(h, -u * c.pick(LN2_LOW), r)
    return scaled(c.poly(r, (1.0, 1.0, *c.pick(coefficients.EXP_WIDE))))


def exp2(c: Calculator, x: Number) -> Number:
    """2**x."""
    return fast.exp2(c, x) if c.fast else exp2_of_sum(c, x, None)


def exp2_of_sum(c: Calculator, x: Number, low: Number | None) -> Number:
    """2**(x + low) for a low part that is small beside x; as `exp`."""
    inside = c.at_most(c.at_least(x, c.pick((-151.0, -1076.0))), c.pick((129.0, 1025.0)))
    h, u, scaled = c.even_power(inside, 1.0)
    r = c.fma(h, -u, inside)
    if low is not None:
        r = r + low
    return scaled(c.poly(r, (1.0, LN2, *c.pick(coefficients.EXP2_WIDE))))


def expm1(c: Calculator, x: Number) -> Number:
    """e**x - 1, exact to the last bits also where that is small."""
    least, most = c.pick((-20.0, -40.0)), c.pick(EXP_MOST)
    inside = c.select(x < least, least, c.select(x > most, most, x))
    n, r, tail = _exp_parts(c, inside)
    # 2**(n - 1), so that it does not overflow; the factor 2 comes last.
    half = c.power_of_two(n - 1)
    difference = half - 0.5
    # Where n is 0, r + tail is the result itself.
    inner = c.fma(half, r, difference, loose=True)  # half is a power of two
    scaled = 2.0 * c.fma(half, tail, inner, loose=True)
    small = r + tail
    result = c.select(n.equals(0), small, scaled)
    result = c.select(x > most, INF, result)
    return c.select(c.abs(x) < c.pick((2.0**-60, 2.0**-120)), x, result)


# --- logarithms -----------------------------------------------------------------------------------


def _split(c: Calculator, x: Number) -> tuple[Number, Number]:
    """k and f with x = 2**k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); also of subnormal x."""
    lift = c.mantissa + 2
    tiny = x < c.pick((2.0**-126, 2.0**-1022))
    bits = c.as_bits(c.select(tiny, x * 2.0**lift, x))
    low = c.pick((0x3F3504F3, 0x3FE6A09E667F3BCD))
    one = c.pick((0x3F800000, 0x3FF0000000000000))
    moved = bits + (one - low)
    k = moved.shifted_out(c.mantissa) - c.select(tiny, c.int(c.bias + lift), c.int(c.bias))
    m = (moved & ((1 << c.mantissa) - 1)) + low
    return k, c.as_float(m) - 1.0


def _log_parts(c: Calculator, f: Number) -> tuple[Number, Number]:
    """The two of log(1 + f) = f - (first - second).

    f**2 / 2 and s (f**2 / 2 + s**2 P(s**2)); of f32 f**3 P(f), which takes less than the division.
    """
    if not c.double:
        z = f * f
        return 0.5 * z, f * z * c.poly(f, coefficients.LOG_WIDE[0])
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    return half, s * (half + z * c.poly(z, c.pick(coefficients.LOG)))


def _log_ends(c: Calculator, x: Number, result: Number) -> Number:
    """What a logarithm is at and past its ends."""
    result = c.select(x < INF, result, x)
    return c.select(x <= 0.0, c.select(x < 0.0, c.const(NAN), -INF), result)


def log(c: Calculator, x: Number) -> Number:
    """The natural logarithm."""
    if c.fast and not c.double:
        return fast.log(c, x)
    k, f = _split(c, x)
    half, rest = _log_parts(c, f)
    n = c.to_float(k)
    low = c.fma(n, c.pick(LN2_LOW), rest, loose=True)
    result = c.fma(n, c.pick(LN2_HIGH), f - (half - low), loose=True)
    return _log_ends(c, x, result)


def log1p(c: Calculator, x: Number) -> Number:
    """log(1 + x), exact to the last bits also for small x."""
    u = 1.0 + x
    k, f = _split(c, u)
    # What rounding took from 1 + x, by whichever of the two is larger.
    lost = c.select(x > 1.0, 1.0 - (u - x), x - (u - 1.0))
    correction = c.select(u.equals(INF), 0.0, lost / u)
    near = (x > -0.29) & (x < 0.41)
    f = c.select(near, x, f)
    n = c.select(near, 0.0, c.to_float(k))
    correction = c.select(near, 0.0, correction)
    half, rest = _log_parts(c, f)
    low = c.fma(n, c.pick(LN2_LOW), rest + correction, loose=True)
    result = c.fma(n, c.pick(LN2_HIGH), f - (half - low), loose=True)
    result = _log_ends(c, u, result)
    return c.select(c.abs(x) < c.pick((2.0**-60, 2.0**-120)), x, result)


def _log_scaled(c: Calculator, x: Number, high: float, low: float, k_high: float, k_low: float):
    """log(m) * (high + low) + k * (k_high + k_low), the products with their errors."""
    k, f = _split(c, x)
    half, rest = _log_parts(c, f)
    top = f - half
    tail = ((f - top) - half) + rest
    n = c.to_float(k)
    product = top * high
    error = c.fma(top, high, -product) + c.fma(top, low, tail * high)
    base = n * k_high
    total = base + product
    error = error + ((base - total) + product)
    return _log_ends(c, x, total + c.fma(n, k_low, error))


def log2(c: Calculator, x: Number) -> Number:
    """The logarithm to base 2; whole for powers of two."""
    if c.fast and not c.double:
        return fast.log2(c, x)
    high, low = c.pick(
        ((1.4426950216293335, 1.925963033500011e-08), (LOG2_E, 2.0355273740931033e-17))
    )
    return _log_scaled(c, x, high, low, 1.0, 0.0)


def log10(c: Calculator, x: Number) -> Number:
    """The logarithm to base 10."""
    if c.fast and not c.double:
        return fast.log10(c, x)
    high, low = c.pick(
        (
            (0.4342944920063019, -1.0103049952192578e-08),
            (0.4342944819032518, 1.098319650216765e-17),
        )
    )
    k_high, k_low = c.pick(
        (
            (0.301025390625, 4.605038981195214e-06),
            (0.30102999566395283, 2.8363394551044964e-14),
        )
    )
    return _log_scaled(c, x, high, low, k_high, k_low)


# --- powers ---------------------------------------------------------------------------------------


def _log2_in_two(c: Calculator, x: Number) -> tuple[Number, Number]:
    """log2(x) of a positive x as a sum of two floats, to about twice their precision."""
    k, f = _split(c, x)
    d_high = 2.0 + f
    d_low = f - (d_high - 2.0)
    s = f / d_high
    s_low = (c.fma(-s, d_high, f) - s * d_low) / d_high
    z = s * s
    z_low = c.fma(s, s, -z) + 2.0 * s * s_low
    # log(m) = 2 s + 2/3 s**3 + s**5 P(s**2); the first two terms in two floats each.
    third, third_low = c.pick(
        ((0.6666666865348816, -1.9868215517249155e-08), (0.6666666666666666, 3.700743415417188e-17))
    )
    cube = z * s
    cube_low = c.fma(z, s, -cube) + c.fma(z, s_low, z_low * s)
    term = cube * third
    term_low = c.fma(cube, third, -term) + c.fma(cube, third_low, cube_low * third)
    tail = cube * z * c.poly(z, c.pick(coefficients.LOG_TAIL))
    top = 2.0 * s
    high = top + term
    low = (top - high) + term + (2.0 * s_low + (term_low + tail))
    total = high + low
    low = (high - total) + low
    # times 1 / ln 2
    scale, scale_low = c.pick(
        ((1.4426950216293335, 1.925963033500011e-08), (LOG2_E, 2.0355273740931033e-17))
    )
    product = total * scale
    product_low = c.fma(total, scale, -product) + c.fma(total, scale_low, low * scale)
    n = c.to_float(k)
    result = n + product
    rest = (n - result) + product + product_low
    final = result + rest
    return final, (result - final) + rest


def _log2_of(c: Calculator, x: Number) -> tuple[Number, Number]:
    return fast.log2_in_two(c, x) if c.fast and not c.double else _log2_in_two(c, x)


def power(c: Calculator, x: Number, y: Number) -> Number:
    """x**y with the special cases of C99."""
    size = c.abs(x)
    high, low = _log2_of(c, size)
    # A logarithm of 0 or infinity has no low part.
    endless = (size.equals(0.0)) | (size.equals(INF))
    high = c.select(endless, c.select(size.equals(0.0), c.const(-INF), INF), high)
    low = c.select(endless, 0.0, low)
    limit = c.pick((1e9, 1e12))
    bounded = c.select(y > limit, limit, c.select(y < -limit, -limit, y))
    product = high * bounded
    rest = c.fma(high, bounded, -product) + low * bounded
    most = c.pick(EXP2_MOST) * 2
    inside = c.abs(product) < most
    result = exp2_of_sum(
        c,
        c.select(inside, product, c.select(product > 0.0, c.const(most), -most)),
        c.select(inside, rest, 0.0),
    )
    whole = c.trunc(y).equals(y)
    half = 0.5 * y
    odd = whole & c.trunc(half).differs(half) & (c.abs(y) < 2.0 ** (c.mantissa + 1))
    negative = c.as_bits(x) < 0
    result = c.select(negative & odd, -result, result)
    invalid = (x < 0.0) & ~whole & size.differs(INF) & c.abs(y).differs(INF)
    result = c.select(invalid | x.is_nan | y.is_nan, NAN, result)
    one = y.equals(0.0) | x.equals(1.0) | (size.equals(1.0) & c.abs(y).equals(INF))
    return c.select(one, 1.0, result)


def cbrt(c: Calculator, x: Number) -> Number:
    """The cube root: a third of the exponent as a guess, Halley's method, then Newton's, by an
    error that is computed with more digits."""
    size = c.abs(x)
    tiny = size < c.pick((2.0**-80, 2.0**-900))  # errors of such are subnormal
    lift = c.pick((48, 108))
    value = c.select(tiny, size * 2.0**lift, size)
    guess = c.pick((0x2A512F00, 0x2A9F7893782DA1CE))
    t = c.as_float(c.as_bits(value) / 3 + guess)
    for _ in range(c.pick((1, 2))):
        # Quarters of the cube and of the value, so that a sum of three does not overflow.
        cube, wanted = t * t * (0.25 * t), 0.25 * value
        step = (wanted - cube) / c.fma(cube, 2.0, wanted, loose=True)
        t = c.fma(t, step, t, loose=True)
    square = t * t
    error = c.fma(t, t, -square)
    left = c.fma(-square, t, value) - error * t
    t = t + left / (3.0 * square)
    t = c.select(tiny, t * 2.0 ** (-lift // 3), t)
    plain = size.equals(0.0) | size.equals(INF) | x.is_nan
    return c.select(plain, x, c.copysign(t, x))


# --- hyperbolic -----------------------------------------------------------------------------------


def sinh(c: Calculator, x: Number) -> Number:
    """(e**x - e**-x) / 2."""
    size = c.abs(x)
    big = size > c.pick((80.0, 700.0))
    e = expm1(c, c.select(big, 1.0, size))
    small = 0.5 * (e + e / (e + 1.0))
    large = exp(c, 0.5 * size)
    result = c.select(big, 0.5 * large * large, small)
    return c.copysign(result, x)


def cosh(c: Calculator, x: Number) -> Number:
    """(e**x + e**-x) / 2."""
    size = c.abs(x)
    big = size > c.pick((80.0, 700.0))
    e = exp(c, c.select(big, 0.5 * size, size))
    return c.select(big, 0.5 * e * e, 0.5 * e + 0.5 / e)


def tanh(c: Calculator, x: Number) -> Number:
    """1 - 2 / (e**(2 x) + 1)."""
    if c.fast:
        return fast.tanh(c, x)
    size = c.abs(x)
    limit = c.pick((12.0, 24.0))
    e = expm1(c, 2.0 * c.select(size > limit, limit, size))
    above = size > 1.0
    quotient = c.select(above, c.const(-2.0), e) / (e + 2.0)
    result = c.select(above, 1.0 + quotient, quotient)
    result = c.select(x.is_nan, x, result)
    return c.copysign(result, x)


def asinh(c: Calculator, x: Number) -> Number:
    """log(|x| + sqrt(x**2 + 1)) with the sign of x."""
    size = c.abs(x)
    big = size > c.pick((1e8, 1e16))
    v = c.select(big, 1.0, size)
    square = v * v
    small = log1p(c, v + square / (1.0 + c.sqrt(square + 1.0)))
    large = log(c, size) + LN2
    return c.copysign(c.select(big, large, small), x)


def acosh(c: Calculator, x: Number) -> Number:
    """log(x + sqrt(x**2 - 1)); NaN below 1."""
    big = x > c.pick((1e8, 1e16))
    t = c.select(big, 1.0, x) - 1.0
    small = log1p(c, t + c.sqrt(c.fma(t, t, 2.0 * t, loose=True)))
    return c.select(x < 1.0, NAN, c.select(big, log(c, x) + LN2, small))


def atanh(c: Calculator, x: Number) -> Number:
    """log((1 + x) / (1 - x)) / 2; infinite at 1, NaN past it."""
    size = c.abs(x)
    result = 0.5 * log1p(c, 2.0 * size / (1.0 - size))
    result = c.select(size.equals(1.0), INF, c.select(size > 1.0, NAN, result))
    return c.copysign(result, x)
