"""expand-inexact: quotients and roots, which devices may round as they like, rounded correctly.

    %r = math.sqrt %x : f32     %g = math.sqrt %y     // y: x times a power of 4, in [1, 4)
                                %m = the bits of %g as an integer of 24 digits
                                %e = y - m * m, in integers: as it is small, without its high half
                                %m += the whole number nearest to e / 2m, then perhaps 1 or -1
                                %r = m times the power of 2

Vulkan lets a quotient of f32 be off by 2.5 units in the last place, and a root by what follows for
1 / inversesqrt(x); in fact, roots of NVIDIA's driver are off by 0.78. So what the device gives is
a guess only, of numbers in [1, 4), where it does well and nothing is subnormal. What is left over
is known exactly, even from the low half of products, and says how to mend the guess. That is right
for guesses that are off by up to hundreds of units, and for all numbers, also subnormal ones.

f16 is computed in f32 and rounded again, which is the same as rounding once since f32 has more than
twice as many digits (S. A. Figueroa, "When is double rounding innocuous?", 1995). A division by a
power of two is a product, which is rounded correctly everywhere. Ops that `afn` or `arcp` allow to
be approximate stay, and all do on devices with the feature `exact_division`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import frexp
from typing import Any

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    ModuleOp,
    f32,
)
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ...passes.utils.block_editing import erase
from ..math.calculator import NAN, Calculator
from ..math.number import Number, as_lanes, element_of
from ..remarks import remark
from .features import ShaderFeatures


@dataclass(frozen=True)
class ExpandInexact(ModulePass):
    """Expands `arith.divf`, `math.sqrt`, `math.rsqrt`, unless `features` have `exact_division`."""

    name = "expand-inexact"
    features: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if ShaderFeatures.parse(self.features).has("exact_division"):
            return
        for inner in [inner for inner in op.walk() if _is_inexact(inner)]:
            expand(inner)


def _is_inexact(op: Operation) -> bool:
    if not op.results or not isinstance(
        element_of(op.results[0].type), Float16Type | Float32Type | Float64Type
    ):
        return False
    return op.name in _FORMULAS and not _may_be_approximate(op)


def _may_be_approximate(op: Operation) -> bool:
    flags = op.properties.get("fastmath")
    return isinstance(flags, arith.FastMathFlagsAttr) and any(
        flag.value in ("afn", "arcp") for flag in flags.data
    )


def expand(op: Operation) -> None:
    """Puts the formula in front of the op and removes the op."""
    kind = op.results[0].type
    small = isinstance(element_of(kind), Float16Type)
    c = Calculator(op, as_lanes(kind, f32) if small else kind)
    operands = [c.number(value) for value in op.operands]
    if small:
        operands = [c.op_of(arith.ExtFOp, (x,), c.type) for x in operands]
    factor = _exact_factor(op)
    if factor is not None:
        result = operands[0] * factor
    else:
        what = "quotient" if op.name == arith.DivfOp.name else "root"
        remark(op, f"a {what} of {element_of(kind)} is rounded in integers: the device may not")
        result = _FORMULAS[op.name](c, *operands)
    if small:
        result = c.op_of(arith.TruncFOp, (result,), kind)
    op.results[0].replace_all_uses_with(result.value)
    erase(op)


def _exact_factor(op: Operation) -> float | None:
    """1 / b for a constant b that is a power of two, and whose reciprocal is a normal number."""
    made = op.operands[-1].owner
    if op.name != arith.DivfOp.name or not isinstance(made, arith.ConstantOp):
        return None
    given: Any = made.value
    if isinstance(given, DenseIntOrFPElementsAttr):
        lanes = {float(number) for number in given.get_values()}
    else:
        lanes = {given.value.data} if isinstance(given, FloatAttr) else set[float]()
    (value,) = lanes if len(lanes) == 1 else (0.0,)
    fraction, exponent = frexp(value)
    return 1 / value if abs(fraction) == 0.5 and abs(exponent) < 100 else None


# --- formulas -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parts:
    """A positive float: its fraction with the leading bit, and its exponent, biased.

    The exponent is below 1 for subnormal numbers.
    """

    fraction: Number
    exponent: Number


def _parts(c: Calculator, size: Number) -> Parts:
    """Of the bits of a float without its sign."""
    one = 1 << c.mantissa
    # A subnormal number is so many of the smallest, and that is a normal float.
    small = size.below(one)
    bits = c.select(small, c.as_bits(c.to_float(size)), size)
    lost = c.select(small, c.int(c.bias + c.mantissa - 1), 0)
    return Parts((bits & (one - 1)) | one, bits.shifted_out(c.mantissa) - lost)


def _near_one(c: Calculator, fraction: Number, exponent: Number | int = 0) -> Number:
    """fraction * 2**(exponent - mantissa), for a fraction with its leading bit."""
    return c.as_float(fraction + ((exponent + c.int(c.bias - 1)) << c.mantissa))


def _digits(c: Calculator, guess: Number) -> Number:
    """A number in [1, 2], or nearly, in units of the last place there."""
    return c.as_bits(guess) - ((c.bias - 1) << c.mantissa)


def root(c: Calculator, x: Number) -> Number:
    """The square root, rounded to nearest."""
    bits = c.as_bits(x)
    parts = _parts(c, bits & c.magnitude)
    power = parts.exponent - c.bias
    odd = power & 1
    guess = c.sqrt(_near_one(c, parts.fraction, odd))
    digits = _digits(c, guess)
    left = (parts.fraction << (odd + c.mantissa)) - digits * digits
    step = _nearest(c, c.to_float(left) * (0.5 / c.to_float(digits)))
    left = left - step * (digits + digits + step)
    digits = digits + step
    # Up where left > digits: the square of digits + 1/2 is 1/4 more than its half of the way.
    up, down = left > digits, left <= -digits
    digits = c.select(up, digits + 1, c.select(down, digits - 1, digits))
    result = digits + (((power >> 1) + (c.bias - 1)) << c.mantissa)
    usual = (bits - 1).below(c.infinity - 1)
    itself = (bits & c.magnitude).equals(0) | bits.equals(c.infinity)
    return c.select(usual, c.as_float(result), c.select(itself, x, NAN))


def _nearest(c: Calculator, x: Number) -> Number:
    return c.near_integer(x)[1]


def reciprocal_root(c: Calculator, x: Number) -> Number:
    """A root and a quotient, each rounded."""
    return quotient(c, c.const(1.0), root(c, x))


def quotient(c: Calculator, x: Number, y: Number) -> Number:
    """x / y, rounded to nearest even."""
    bits, other = c.as_bits(x), c.as_bits(y)
    size, by = bits & c.magnitude, other & c.magnitude
    sign = (bits ^ other) & (1 << (c.bits - 1))
    usual = (size - 1).below(c.infinity - 1) & (by - 1).below(c.infinity - 1)
    result = c.select(usual, _finite(c, size, by), _special(c, size, by))
    return c.as_float(result | sign)


def _special(c: Calculator, size: Number, by: Number) -> Number:
    """Where one of them is 0, infinite or NaN."""
    infinity = c.infinity
    infinite = size.equals(infinity) | by.equals(0)
    nothing = size.equals(0) | by.equals(infinity)
    none = (infinite & nothing) | (size > infinity) | (by > infinity)
    nan = c.int(infinity + (1 << (c.mantissa - 1)))
    return c.select(none, nan, c.select(infinite, c.int(infinity), 0))


def _finite(c: Calculator, size: Number, by: Number) -> Number:
    """The bits of the quotient of positive numbers."""
    a, b = _parts(c, size), _parts(c, by)
    less = a.fraction.below(b.fraction)
    fraction = c.select(less, a.fraction << 1, a.fraction)
    exponent = a.exponent - b.exponent + c.select(less, c.int(c.bias - 1), c.bias)
    # In [1, 2): one more digit than needed is told by what is left over.
    inverse = 1.0 / _near_one(c, b.fraction)
    guess = c.to_float(fraction) * 2.0**-c.mantissa * inverse
    digits = _digits(c, guess)
    left = (fraction << c.mantissa) - digits * b.fraction
    step = _nearest(c, c.to_float(left) * 2.0**-c.mantissa * inverse)
    digits, left = digits + step, left - step * b.fraction
    over = left < 0
    digits = c.select(over, digits - 1, digits)
    left = c.select(over, left + b.fraction, left)
    half = c.select((left + left) > b.fraction, c.int(2), 0)
    rest = c.select(left.equals(0), c.int(0), 1)
    return _rounded(c, (digits << 2) | half | rest, exponent)


def _rounded(c: Calculator, digits: Number, exponent: Number) -> Number:
    """The bits of a number with two more digits, of which the last says that there are others."""
    further = c.select(exponent < 1, 1 - exponent, 0)
    further = c.select(further > c.mantissa + 3, c.int(c.mantissa + 3), further)
    kept = digits.shifted_out(further)
    lost = c.select((kept << further).equals(digits), c.int(0), 1)
    kept = kept | lost
    whole = (kept + 1 + ((kept >> 2) & 1)) >> 2
    base = c.select(exponent < 1, c.int(0), (exponent - 1) << c.mantissa)
    return c.select(exponent > 2 * c.bias, c.int(c.infinity), base + whole)


_FORMULAS: dict[str, Callable[..., Number]] = {
    arith.DivfOp.name: quotient,
    math.SqrtOp.name: root,
    math.RsqrtOp.name: reciprocal_root,
}
