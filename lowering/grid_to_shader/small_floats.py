"""16-bit floats as the low half of a word: conversions from and to f32, in integers.

The same numbers as in `to_llvm/floats.py`, without its one float addition: how a device rounds, and
whether it keeps subnormal numbers, does not matter here. What is above the low half is ignored.
"""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import BFloat16Type, Float64Type, f32, i32
from xdsl.ir import Attribute

from ..math.calculator import Calculator, Number

_BIAS = (127 - 15) << 23  # the difference of the exponents' biases
_INFINITE = 0x7F800000


def widen(c: Calculator, bits: Number, kind: Attribute) -> Number:
    """The f32 that a value of type `kind` is."""
    return c.as_float(bits << 16) if isinstance(kind, BFloat16Type) else _widen_half(c, bits)


def narrow(c: Calculator, value: Number, kind: Attribute) -> Number:
    """The bits of an f32 or f64 as `kind`, to nearest even."""
    if isinstance(value.type, Float64Type):
        value = _single_to_odd(c, value)
    bits = c.as_bits(value)
    return _narrow_bfloat(c, bits) if isinstance(kind, BFloat16Type) else _narrow_half(c, bits)


def _widen_half(c: Calculator, bits: Number) -> Number:
    magnitude = bits & 0x7FFF
    sign = (bits & 0x8000) << 16
    shifted = magnitude << 13
    nan = c.select(c.compare("above", magnitude, 0x7C00), 0x400000, c.const(0, i32))
    special = shifted | _INFINITE | nan
    # A subnormal is its integer times 2^-24, which a single holds exactly.
    subnormal = c.as_bits(c.unsigned_to_float(magnitude) * 2.0**-24)
    result = c.select(magnitude.below(0x400), subnormal, shifted + _BIAS)
    result = c.select(magnitude.below(0x7C00), result, special)
    return c.as_float(result | sign)


def _narrow_half(c: Calculator, bits: Number) -> Number:
    magnitude = bits & 0x7FFFFFFF
    sign = bits.shifted_out(16) & 0x8000
    based = magnitude - _BIAS
    normal = (based + ((based.shifted_out(13) & 1) + 0xFFF)).shifted_out(13)
    # A subnormal: the digits, shifted to units of 2^-24.
    digits = (magnitude & 0x7FFFFF) | 0x800000
    shift = c.op(arith.MinUIOp, 126 - magnitude.shifted_out(23), c.const(31, i32))
    tie = digits.shifted_out(shift) & 1
    half = c.const(1, i32) << (shift - 1)
    subnormal = (digits + (half - 1) + tie).shifted_out(shift)
    result = c.select(magnitude.below(0x38800000), subnormal, normal)
    result = c.select(magnitude.below(0x47800000), result, 0x7C00)
    nan = (magnitude.shifted_out(13) & 0x3FF) | 0x7E00
    result = c.select(c.compare("above", magnitude, _INFINITE), nan, result)
    return result | sign


def _narrow_bfloat(c: Calculator, bits: Number) -> Number:
    high = bits.shifted_out(16)
    rounded = (bits + ((high & 1) + 0x7FFF)).shifted_out(16)
    is_nan = c.compare("above", bits & 0x7FFFFFFF, _INFINITE)
    return c.select(is_nan, high | 0x40, rounded)


def _single_to_odd(c: Calculator, value: Number) -> Number:
    """An f64 as f32 such that rounding again gives what rounding once would."""
    wide = Calculator(c.anchor, value.type, c.block)
    rounded = c.op_of(arith.TruncFOp, (value,), f32)
    back = wide.number(c.op_of(arith.ExtFOp, (rounded,), value.type).value)
    exact = wide.number(value.value)
    grew = wide.abs(back) > wide.abs(exact)
    bits = c.as_bits(rounded)
    below = c.select(c.number(grew.value), bits - 1, bits)
    lost = c.number((back.differs(exact) & back.equals(back)).value)
    return c.as_float(c.select(lost, below | 1, bits))


def word_to_odd(c: Calculator, word: Number, signed: bool) -> Number:
    """A word that f32 holds exactly: a large one without its last 8 bits, a trace in the next."""
    low = word & 0xFF
    high = word ^ low
    kept = c.select(low.equals(0), high, high | 0x100)
    limit = 1 << 24
    is_small = (word + limit).below(2 * limit) if signed else word.below(limit)
    return c.select(is_small, word, kept)
