"""fmod, exactly: the long division of the two significands, bit by bit.

    a = m 2**e, b = n 2**f:  e - f times { m = m mod n; m = 2 m }, then m 2**f

Each step is exact, so the result is, for every pair of floats.
"""

from __future__ import annotations

from xdsl.dialects import scf
from xdsl.ir import Block, Region

from .calculator import INF, NAN, Calculator
from .number import Number


def remainder(c: Calculator, x: Number, y: Number) -> Number:
    """x - trunc(x / y) y, with the sign of x; NaN where y is 0 or x is infinite."""
    a, b = c.abs(x), c.abs(y)
    usual = (a < INF) & (b > 0.0) & (a >= b)
    quotient = c.trunc(a / b)
    # A quotient that a float holds with room to spare is right or one too large.
    quick = quotient < c.pick((2.0**22, 2.0**51))
    long = usual & ~quick
    (result,) = c.when(
        ~long,
        lambda c: [_quick(c, a, b, quotient, usual)],
        lambda c: [_long(c, a, b, long)],
    )
    invalid = x.is_nan | y.is_nan | y.equals(0.0) | a.equals(INF)
    return c.select(invalid, NAN, c.copysign(result, x))


def _quick(c: Calculator, a: Number, b: Number, quotient: Number, usual: Number) -> Number:
    """Of a number that is less than the divisor, itself."""
    a, b, quotient, usual = (c.number(value.value) for value in (a, b, quotient, usual))
    rest = c.fma(-quotient, b, a)
    return c.select(usual, c.select(rest < 0.0, rest + b, rest), a)


def _parts(c: Calculator, value: Number) -> tuple[Number, Number]:
    """Significand (normalised also for subnormals) and exponent."""
    lift = c.mantissa + 1
    tiny = value < c.pick((2.0**-126, 2.0**-1022))
    bits = c.as_bits(c.select(tiny, value * 2.0**lift, value))
    exponent = bits.shifted_out(c.mantissa) - c.select(tiny, c.int(lift), c.int(0))
    return (bits & ((1 << c.mantissa) - 1)) | (1 << c.mantissa), exponent


def _long(c: Calculator, a: Number, b: Number, wanted: Number) -> Number:
    m, e = _parts(c, c.number(a.value))
    n, f = _parts(c, c.number(b.value))
    left = _divide(c, m, n, c.select(c.number(wanted.value), e - f, c.int(0)))
    # left * 2**(f - bias - mantissa): exact, in two steps for the smallest ones.
    power = f - (c.bias + c.mantissa)
    half = power >> 1
    rest = power - half
    return c.to_float(left) * c.power_of_two(half) * c.power_of_two(rest)


def _divide(c: Calculator, m: Number, n: Number, steps: Number) -> Number:
    """(m 2**steps) mod n; lanes of a vector wait for the one with most steps."""
    kind = c.int_type
    before, after = Block(arg_types=[kind, kind]), Block(arg_types=[kind, kind])
    head = c.inside(before)
    value, count = (head.number(argument) for argument in before.args)
    more = head.any(count > 0)
    head.add(scf.ConditionOp.create(operands=[more.value, *before.args]))
    body = c.inside(after)
    value, count = (body.number(argument) for argument in after.args)
    divisor = body.number(n.value)
    next_ = body.select(value >= divisor, value - divisor, value) << 1
    value = body.select(count > 0, next_, value) if c.is_vector else next_
    body.add(scf.YieldOp.create(operands=[value.value, (count - 1).value]))
    loop = scf.WhileOp.create(
        operands=[m.value, steps.value],
        result_types=[kind, kind],
        regions=[Region(before), Region(after)],
    )
    last = c.number(c.add(loop).results[0])
    return c.select(last >= n, last - n, last)
