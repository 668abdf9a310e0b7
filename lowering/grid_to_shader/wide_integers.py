"""Integers of 64 bits as two words of 32 (and, what shifts and sums, of 128 as two of 64).

Sums carry, products are those of the halves, shifts go across. Division is by shifting and
subtracting, one bit of the quotient at a time, unless both numbers fit 32 bits; as everywhere here,
by 0 it gives 0. Conversions from and to f32 are exact or rounded to nearest even by integers, so
that they do not depend on how a device rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from xdsl.dialects import arith, math, scf
from xdsl.dialects.builtin import i32, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ..math.calculator import Calculator, Number


class Wide(NamedTuple):
    """The low and the high word."""

    low: Number
    high: Number


def as_number(c: Calculator, bit: Number, kind: Attribute = i32) -> Number:
    """A bool as 0 or 1."""
    return c.op_of(arith.ExtUIOp, (bit,), kind)


def _bits(a: Wide) -> int:
    """The width of a word."""
    return 64 if a.low.type == i64 else 32


def constant(c: Calculator, value: int) -> Wide:
    """A number that is known."""
    return Wide(c.const(value & 0xFFFFFFFF, i32), c.const(value >> 32 & 0xFFFFFFFF, i32))


def add(c: Calculator, a: Wide, b: Wide) -> Wide:
    """The sum, which wraps."""
    low = a.low + b.low
    return Wide(low, a.high + b.high + as_number(c, low.below(a.low), low.type))


def subtract(c: Calculator, a: Wide, b: Wide) -> Wide:
    """The difference, which wraps."""
    borrow = as_number(c, a.low.below(b.low), a.low.type)
    return Wide(a.low - b.low, a.high - b.high - borrow)


def multiply(c: Calculator, a: Wide, b: Wide) -> Wide:
    """The low 64 bits of the product."""
    low, carried = c.wide_product(a.low, b.low)
    return Wide(low, carried + a.low * b.high + a.high * b.low)


def multiply_extended(c: Calculator, a: Wide, b: Wide, signed: bool) -> tuple[Wide, Wide]:
    """Both halves of the product."""
    first, carried = c.wide_product(a.low, b.low)
    crossed = [c.wide_product(a.low, b.high), c.wide_product(a.high, b.low)]
    second, high = carried, Wide(*c.wide_product(a.high, b.high))
    zero = c.const(0, a.low.type)
    for low, top in crossed:
        second = second + low
        carry = as_number(c, second.below(low), low.type)
        high = add(c, add(c, high, Wide(top, zero)), Wide(carry, zero))
    if signed:  # a negative factor was taken for one that is 2**64 larger
        for factor, other in ((a, b), (b, a)):
            less = subtract(c, high, other)
            high = select(c, factor.high < 0, less, high)
    return Wide(first, second), high


def negate(c: Calculator, a: Wide) -> Wide:
    """The number with the other sign."""
    return subtract(c, constant(c, 0), a)


def select(c: Calculator, condition: Number, a: Wide, b: Wide) -> Wide:
    """One of two."""
    return Wide(c.select(condition, a.low, b.low), c.select(condition, a.high, b.high))


def absolute(c: Calculator, a: Wide) -> Wide:
    """The magnitude; of the least number that number."""
    return select(c, a.high < 0, negate(c, a), a)


def bitwise(op: type[Operation]) -> Callable[[Calculator, Wide, Wide], Wide]:
    """An op on each of the words."""

    def both(c: Calculator, a: Wide, b: Wide) -> Wide:
        return Wide(c.op(op, a.low, b.low), c.op(op, a.high, b.high))

    return both


# --- comparisons ----------------------------------------------------------------------------------


def equal(c: Calculator, a: Wide, b: Wide) -> Number:
    """Whether both words are equal."""
    return a.low.equals(b.low) & a.high.equals(b.high)


def less(c: Calculator, a: Wide, b: Wide, signed: bool) -> Number:
    """Whether a number is less than another one."""
    high = a.high < b.high if signed else a.high.below(b.high)
    return high | (a.high.equals(b.high) & a.low.below(b.low))


def compare(c: Calculator, predicate: int, a: Wide, b: Wide) -> Number:
    """The predicates of `arith.cmpi` by their numbers."""
    if predicate < 2:
        same = equal(c, a, b)
        return same if predicate == 0 else same ^ 1
    signed = predicate < 6
    word = ("lt", "le", "gt", "ge")[(predicate - 2) % 4]
    if word in ("gt", "le"):
        a, b = b, a
    below = less(c, a, b, signed)
    return below if word in ("lt", "gt") else below ^ 1


def extreme(least: bool, signed: bool) -> Callable[[Calculator, Wide, Wide], Wide]:
    """The smaller (or larger) of two."""

    def choose(c: Calculator, a: Wide, b: Wide) -> Wide:
        first = less(c, a, b, signed) if least else less(c, b, a, signed)
        return select(c, first, a, b)

    return choose


# --- shifts ---------------------------------------------------------------------------------------


def shift_left(c: Calculator, a: Wide, by: Number) -> Wide:
    """Zeros come in from the right; `by` is below 64 (of 128 bits: below 128)."""
    bits = _bits(a)
    count = by & (bits - 1)
    low = a.low << count
    # In two steps, because by all of its bits no word can be shifted.
    high = (a.high << count) | a.low.shifted_out(1).shifted_out(count ^ (bits - 1))
    far = (by & bits).differs(0)
    return Wide(c.select(far, 0, low), c.select(far, low, high))


def shift_right(signed: bool) -> Callable[[Calculator, Wide, Number], Wide]:
    """Copies of the sign, or zeros, come in from the left."""

    def shift(c: Calculator, a: Wide, by: Number) -> Wide:
        bits = _bits(a)
        count = by & (bits - 1)
        low = a.low.shifted_out(count) | ((a.high << 1) << (count ^ (bits - 1)))
        high = a.high >> count if signed else a.high.shifted_out(count)
        far = (by & bits).differs(0)
        fill = a.high >> (bits - 1) if signed else 0
        return Wide(c.select(far, high, low), c.select(far, fill, high))

    return shift


def leading_zeros(c: Calculator, a: Wide) -> Number:
    """Of 0 it is 64 (of 128 bits: 128)."""
    low, high = (c.op_of(math.CountLeadingZerosOp, (word,), word.type) for word in a)
    return c.select(a.high.equals(0), low + _bits(a), high)


def trailing_zeros(c: Calculator, a: Wide) -> Number:
    """Of 0 it is 64."""
    in_high = c.op_of(math.CountTrailingZerosOp, (a.high,), i32) + 32
    return c.select(a.low.equals(0), in_high, c.op_of(math.CountTrailingZerosOp, (a.low,), i32))


def ones(c: Calculator, a: Wide) -> Number:
    """How many bits are set."""
    return c.op_of(math.CtPopOp, (a.low,), i32) + c.op_of(math.CtPopOp, (a.high,), i32)


# --- division -------------------------------------------------------------------------------------


def divide_unsigned(c: Calculator, a: Wide, b: Wide) -> tuple[Wide, Wide]:
    """Quotient and remainder; both 0 where the divisor is."""
    short = (a.high | b.high).equals(0)

    def in_words(c: Calculator) -> list[Number]:
        zero = c.const(0, i32)
        return [c.op(arith.DivUIOp, a.low, b.low), zero, c.op(arith.RemUIOp, a.low, b.low), zero]

    def bit_by_bit(c: Calculator) -> list[Number]:
        # A number builds where it was made: here, what is computed from these belongs inside.
        first, second = (Wide(*(c.number(word.value) for word in number)) for number in (a, b))
        quotient, remainder = _long_division(c, first, second)
        none = (second.low | second.high).equals(0)
        return [c.select(none, 0, word) for word in (*quotient, *remainder)]

    words = c.when(short, in_words, bit_by_bit)
    return Wide(*words[:2]), Wide(*words[2:])


def _long_division(c: Calculator, a: Wide, b: Wide) -> tuple[Wide, Wide]:
    """The bits of `a` move into the remainder from the left, those of the quotient in behind."""
    skip = leading_zeros(c, a)
    first = shift_left(c, a, skip & 63)
    zero = c.const(0, i32)
    start = [c.const(64, i32) - skip, *first, zero, zero]
    kinds = [i32] * 5
    before, after = Block(arg_types=kinds), Block(arg_types=kinds)
    head = Calculator(c.anchor, c.type, before)
    more = head.number(before.args[0]).differs(0)
    head.add(scf.ConditionOp.create(operands=[more.value, *before.args]))
    body = Calculator(c.anchor, c.type, after)
    count, low, high, rest_low, rest_high = (body.number(value) for value in after.args)
    carry = rest_high.shifted_out(31).differs(0)
    rest = Wide((rest_low << 1) | high.shifted_out(31), (rest_high << 1) | rest_low.shifted_out(31))
    fits = carry | (less(body, rest, b, signed=False) ^ 1)
    left = select(body, fits, subtract(body, rest, b), rest)
    next_low = (low << 1) | as_number(body, fits)
    next_high = (high << 1) | low.shifted_out(31)
    values = [count - 1, next_low, next_high, *left]
    body.add(scf.YieldOp.create(operands=[value.value for value in values]))
    loop = scf.WhileOp.create(
        operands=[value.value for value in start],
        result_types=kinds,
        regions=[Region(before), Region(after)],
    )
    results: list[SSAValue] = list(c.add(loop).results)
    _, *words = [c.number(value) for value in results]
    return Wide(*words[:2]), Wide(*words[2:])


def divide_signed(c: Calculator, a: Wide, b: Wide) -> tuple[Wide, Wide]:
    """Quotient towards zero and remainder with the sign of `a`."""
    quotient, remainder = divide_unsigned(c, absolute(c, a), absolute(c, b))
    opposite = (a.high ^ b.high) < 0
    return (
        select(c, opposite, negate(c, quotient), quotient),
        select(c, a.high < 0, negate(c, remainder), remainder),
    )


def divide_down(c: Calculator, a: Wide, b: Wide) -> Wide:
    """The quotient towards minus infinity."""
    quotient, rest = divide_signed(c, a, b)
    adjust = (rest.low | rest.high).differs(0) & ((rest.high ^ b.high) < 0)
    return select(c, adjust, subtract(c, quotient, constant(c, 1)), quotient)


def divide_up(c: Calculator, a: Wide, b: Wide) -> Wide:
    """The quotient towards plus infinity."""
    quotient, rest = divide_signed(c, a, b)
    adjust = (rest.low | rest.high).differs(0) & ((rest.high ^ b.high) >= 0)
    return select(c, adjust, add(c, quotient, constant(c, 1)), quotient)


def divide_up_unsigned(c: Calculator, a: Wide, b: Wide) -> Wide:
    """The quotient of numbers without a sign, rounded up."""
    quotient, rest = divide_unsigned(c, a, b)
    inexact = (rest.low | rest.high).differs(0)
    return select(c, inexact, add(c, quotient, constant(c, 1)), quotient)


# --- powers ---------------------------------------------------------------------------------------


def power(c: Calculator, base: Wide, exponent: Wide) -> Wide:
    """Squares and multiplies, a round for each bit of the exponent.

    A negative exponent gives 1 / base**n, which is 0 except for the bases 1 and -1 (0 for 0).
    """
    one, zero = constant(c, 1), constant(c, 0)
    below = exponent.high < 0
    start = (one, base, select(c, below, zero, exponent))
    kinds = [i32] * 6
    before, after = Block(arg_types=kinds), Block(arg_types=kinds)
    head = Calculator(c.anchor, c.type, before)
    more = (head.number(before.args[4]) | head.number(before.args[5])).differs(0)
    head.add(scf.ConditionOp.create(operands=[more.value, *before.args]))
    body = Calculator(c.anchor, c.type, after)
    words = [body.number(value) for value in after.args]
    result, factor, left = (Wide(*words[n : n + 2]) for n in (0, 2, 4))
    odd = (left.low & 1).differs(0)
    again = (
        *select(body, odd, multiply(body, result, factor), result),
        *multiply(body, factor, factor),
        *shift_right(signed=False)(body, left, body.const(1, i32)),
    )
    body.add(scf.YieldOp.create(operands=[word.value for word in again]))
    loop = scf.WhileOp.create(
        operands=[word.value for number in start for word in number],
        result_types=kinds,
        regions=[Region(before), Region(after)],
    )
    low, high, *_ = (c.number(value) for value in c.add(loop).results)
    minus = equal(c, base, constant(c, -1))
    alternating = select(c, (exponent.low & 1).differs(0), constant(c, -1), one)
    unit = select(c, minus, alternating, select(c, equal(c, base, one), one, zero))
    return select(c, below, unit, Wide(low, high))


# --- floats ---------------------------------------------------------------------------------------


def to_single(c: Calculator, a: Wide, signed: bool, *, odd: bool = False) -> Number:
    """The nearest f32, ties to even; or rounded to odd, from where it can be rounded again."""
    negative = a.high < 0
    size = absolute(c, a) if signed else a
    skip = leading_zeros(c, size)
    shifted = shift_left(c, size, skip & 63)
    top = shifted.high | as_number(c, shifted.low.differs(0))
    if odd:
        digits = top.shifted_out(8) | as_number(c, (top & 0xFF).differs(0))
    else:
        tie = top.shifted_out(8) & 1
        # The sum may wrap: then all digits were ones, and the result is the next power of two.
        raised = top + (tie + 0x7F)
        wrapped = raised.below(top)
        digits = c.select(wrapped, 1 << 24, raised.shifted_out(8))
    scale = c.as_float((c.const(40 + 127, i32) - skip) << 23)
    result = c.unsigned_to_float(digits) * scale
    return c.select(negative, -result, result) if signed else result


def from_single(c: Calculator, x: Number, signed: bool) -> Wide:
    """Towards zero; out of range the nearest number, for NaN 0."""
    size = c.abs(x) if signed else x
    high = c.op_of(arith.FPToUIOp, (size * 2.0**-32,), i32)
    rest = size - c.unsigned_to_float(high) * 2.0**32
    whole = Wide(c.op_of(arith.FPToUIOp, (rest,), i32), high)
    if not signed:
        return select(c, size >= 2.0**64, constant(c, -1), whole)
    whole = select(c, size >= 2.0**63, constant(c, 2**63 - 1), whole)
    least = select(c, x <= -(2.0**63), constant(c, -(2**63)), negate(c, whole))
    return select(c, x < 0, least, whole)
