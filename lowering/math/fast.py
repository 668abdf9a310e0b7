"""The short variants of exp, exp2, log, log2, log10, tanh and of pow's logarithm.

What an op with the flag `afn` becomes. They leave out steps that only the last bits need, and the
ends of the range: what is subnormal counts as zero, in arguments and in results. NaN, infinities
and zeros give what they should. `errors.py` says what they are good for. Logarithms of f64 have
none: the polynomial that needs no division would take as long as that.

    exp(x): n = round(x / ln 2), r = x - n ln 2, (2 + 2 r + 2 r**2 P(r)) * 2**(n - 1)
    log(x): x = 2**k (1 + f), k ln 2 + f - f**2 / 2 + f**3 P(f), without a division
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import coefficients
from .calculator import INF, LN2, LOG2_E, NAN, Calculator
from .number import Number

LN2_REST = 2.3190468138462996e-17
"""What the f64 nearest to ln 2 lacks."""

LOG10_2, LOG10_E = 0.3010299956639812, 0.4342944819032518


def _exponent(c: Calculator, inside: Number, factor: float) -> tuple[Number, Number]:
    """n, the whole number nearest to inside * factor, and 2**(n - 1), which is 0 for the least n.

    As in `Calculator.even_power`.
    """
    shift = 1.5 * 2.0**c.mantissa + c.bias - 1
    t = c.fma(inside, factor, shift) if factor != 1.0 else inside + shift
    return t - shift, c.as_float(c.as_bits(t) << c.mantissa)


def _twice(coefficients: Sequence[float]) -> Sequence[float]:
    return [2 * coefficient for coefficient in coefficients]


def _inside(c: Calculator, x: Number, limits: Any) -> Number:
    """x within limits, past which the result is 0 or infinite; NaN stays."""
    least, most = c.pick(limits)
    return c.at_most(c.at_least(x, least), most)


def exp(c: Calculator, x: Number) -> Number:
    """e**x."""
    inside = _inside(c, x, ((-87.6, 89.0), (-708.6, 710.0)))
    n, power = _exponent(c, inside, LOG2_E)
    r = c.fma(n, -LN2, inside)
    if c.double:
        r = c.fma(n, -LN2_REST, r)
    return c.poly(r, _twice((1.0, 1.0, *c.pick(coefficients.EXP_FAST)))) * power


def exp2(c: Calculator, x: Number) -> Number:
    """2**x."""
    inside = _inside(c, x, ((-126.4, 129.0), (-1022.4, 1025.0)))
    n, power = _exponent(c, inside, 1.0)
    return c.poly(inside - n, _twice((1.0, LN2, *c.pick(coefficients.EXP2_FAST)))) * power


def _log_parts(c: Calculator, x: Number) -> tuple[Number, Number]:
    """k and log(1 + f) of x = 2**k (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); of f32."""
    low, one = 0x3F3504F3, 0x3F800000
    moved = c.as_bits(x) + (one - low)
    k = c.to_float((moved >> c.mantissa) - c.bias)
    f = c.as_float((moved & ((1 << c.mantissa) - 1)) + low) - 1.0
    z = f * f
    head = c.fma(z, -0.5, f, loose=True)
    return k, c.fma(f * z, c.poly(f, coefficients.LOG_FAST[0]), head, loose=True)


def _log_ends(c: Calculator, x: Number, result: Number) -> Number:
    result = c.select(x < INF, result, x)
    return c.select(x < 2.0**-126, c.select(x < 0.0, c.const(NAN), -INF), result)


def log(c: Calculator, x: Number) -> Number:
    """The natural logarithm."""
    k, rest = _log_parts(c, x)
    return _log_ends(c, x, c.fma(k, LN2, rest, loose=True))


def log2(c: Calculator, x: Number) -> Number:
    """The logarithm to base 2."""
    k, rest = _log_parts(c, x)
    return _log_ends(c, x, c.fma(rest, LOG2_E, k, loose=True))


def log10(c: Calculator, x: Number) -> Number:
    """The logarithm to base 10."""
    k, rest = _log_parts(c, x)
    return _log_ends(c, x, c.fma(k, LOG10_2, rest * LOG10_E, loose=True))


def log2_in_two(c: Calculator, x: Number) -> tuple[Number, Number]:
    """log2(x) of a positive x as the sum of two floats, its fraction as exact as one of them."""
    k, rest = _log_parts(c, x)
    high = c.fma(rest, LOG2_E, k, loose=True)
    return high, c.fma(rest, LOG2_E, k - high, loose=True)


def tanh(c: Calculator, x: Number) -> Number:
    """x + x**3 P(x**2) for small x, else 1 - 2 / (e**(2 x) + 1)."""
    size = c.abs(x)
    z = x * x
    small = c.fma(z * size, c.poly(z, c.pick(coefficients.TANH_FAST)), size, loose=True)
    large = 1.0 - 2.0 / (exp(c, 2.0 * size) + 1.0)
    return c.copysign(c.select(size < 0.6, small, large), x)
