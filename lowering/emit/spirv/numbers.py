"""Literal numbers as SPIR-V's text has them: decimal, floats hexadecimal where that is exact."""

from __future__ import annotations

import math
import struct

from .operands import Number, Scalar

_FORMATS = {16: ("<e", "<H", 10, 15), 32: ("<f", "<I", 23, 127), 64: ("<d", "<Q", 52, 1023)}
_DIGITS = {32: 9, 64: 17}


def number_text(number: Number) -> str:
    """A literal as text."""
    if number.scalar.kind == "float":
        return _float_text(number.bits, number.scalar)
    return str(signed_value(number))


def signed_value(number: Number) -> int:
    """The value of a literal integer: below zero if its type is signed."""
    width = number.scalar.width
    bits = number.bits & (1 << width) - 1
    if number.scalar.signed and bits >> width - 1:
        bits -= 1 << width
    return bits


def float_value(number: Number) -> float:
    """The value of a literal float."""
    form, bits_form, _, _ = _FORMATS[number.scalar.width]
    bits = number.bits & (1 << number.scalar.width) - 1
    return struct.unpack(form, struct.pack(bits_form, bits))[0]


def _float_text(bits: int, scalar: Scalar) -> str:
    _, _, fraction_bits, bias = _FORMATS[scalar.width]
    fraction = bits & (1 << fraction_bits) - 1
    exponent = bits >> fraction_bits & (1 << scalar.width - 1 - fraction_bits) - 1
    sign = "-" if bits >> scalar.width - 1 & 1 else ""
    is_zero = exponent == 0 and fraction == 0
    if scalar.width in _DIGITS and (is_zero or 0 < exponent < 2 * bias + 1):
        value = float_value(Number(bits, scalar))
        assert math.isfinite(value), "other exponents are written in hexadecimal"
        return f"{value:.{_DIGITS[scalar.width]}g}"
    if is_zero:
        return f"{sign}0x0p+0"
    power = exponent - bias
    if exponent == 0:
        # The leading one of a subnormal number is shifted to where it would be implicit.
        power += 1
        while not fraction >> fraction_bits:
            fraction <<= 1
            power -= 1
        fraction &= (1 << fraction_bits) - 1
    digits = -(-fraction_bits // 4)
    text = f"{fraction << digits * 4 - fraction_bits:0{digits}x}".rstrip("0")
    return f"{sign}0x1{'.' + text if text else ''}p{power:+d}"
