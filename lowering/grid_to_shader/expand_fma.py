"""expand-fma: a * b + c, rounded once, where the target's own instruction may round twice.

    %r = math.fma %a, %b, %c : f32      %p = arith.mulf (extf %a), (extf %b) : f64     // exact
                                        %s = arith.addf %p, (extf %c) : f64
                                        %e = what %s lacks; if it is not 0, the last bit of %s
                                             becomes 1, the other way if %s went too far
                                        %r = arith.truncf %s : f64 to f32

In Vulkan and in the other shading languages `fma` may be a product and a sum. Of f32 it is computed
in f64 where there is one, rounded to odd (S. Boldo, G. Melquiond, "Emulation of FMA and correctly
rounded sums: proved algorithms using rounding to odd", 2008). Otherwise it is computed in integers:
the product of the fractions in two words, the addend moved to its place, one rounding to nearest
even. That is exact for all numbers, subnormal and overflowing ones too, and takes some 120
instructions. What `gpux.loose` marks, the polynomials of expand-math, becomes a product and a sum.
Targets that have the feature `fma` keep theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import Float32Type, Float64Type, ModuleOp, f32, f64, i64
from xdsl.passes import ModulePass

from ...dialects import marks
from ...passes.utils.block_editing import erase
from ..math.calculator import Calculator, Number
from ..remarks import remark
from .features import ShaderFeatures
from .wide_integers import (
    Wide,
    add,
    as_number,
    leading_zeros,
    less,
    select,
    shift_left,
    shift_right,
    subtract,
)


@dataclass(frozen=True)
class ExpandFma(ModulePass):
    """Expands every `math.fma` of f32 and f64, unless `features` include `fma`."""

    name = "expand-fma"
    features: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        features = ShaderFeatures.parse(self.features)
        if features.has("fma"):
            return
        for inner in [inner for inner in op.walk() if isinstance(inner, math.FmaOp)]:
            if isinstance(inner.result.type, Float32Type | Float64Type):
                expand(inner, features)


def expand(op: math.FmaOp, features: ShaderFeatures) -> None:
    """Puts the formula in front of the op and removes the op."""
    kind = op.result.type
    c = Calculator(op, kind)
    a, b, addend = (c.number(value) for value in op.operands)
    if marks.LOOSE in op.attributes:
        result = a * b + addend
    elif isinstance(kind, Float32Type) and features.native(f64):
        result = _in_double(c, a, b, addend)
    else:
        remark(op, f"an fma of {kind} is computed in integers: the device may round it twice")
        result = in_integers(c, a, b, addend)
    op.result.replace_all_uses_with(result.value)
    erase(op)


def _in_double(c: Calculator, *operands: Number) -> Number:
    """In f64, where the product is exact, and the sum is rounded to odd."""
    wide = Calculator(c.anchor, f64, c.block)
    a, b, addend = (wide.number(c.op_of(arith.ExtFOp, (value,), f64).value) for value in operands)
    product = a * b
    total = product + addend
    part = total - product
    error = (product - (total - part)) + (addend - part)
    bits = wide.as_bits(total)
    even = (bits & 1).equals(0)
    # The error is NaN or infinite where the sum is, and neither is below nor above 0 then.
    lost = (error < 0) | (error > 0)
    short = (error > 0) ^ (bits < 0)
    step = wide.select(short, wide.const(1, i64), -1)
    odd = wide.as_float(wide.select(even & lost & total.equals(total), bits + step, bits))
    return c.number(wide.op_of(arith.TruncFOp, (odd,), f32).value)


# --- in integers ----------------------------------------------------------------------------------


class Parts(NamedTuple):
    """A finite float: fraction with its leading bit, biased exponent (below 1 if subnormal)."""

    fraction: Number
    exponent: Number


def in_integers(c: Calculator, a: Number, b: Number, addend: Number) -> Number:
    """The same from the bits of the numbers."""
    words = [c.as_bits(x) for x in (a, b, addend)]
    sizes = [word & c.magnitude for word in words]
    result = _finite(c, words, sizes)
    is_zero = sizes[0].equals(0) | sizes[1].equals(0)
    # A product with 0 is exact; the sum with it matters where both are 0, for the sign.
    of_zero = c.select(sizes[2].equals(0), a * b + addend, addend)
    result = c.select(is_zero, of_zero, result)
    result = c.select(sizes[2].below(c.infinity), result, addend + addend)
    special = (sizes[0].below(c.infinity) & sizes[1].below(c.infinity)) ^ 1
    return c.select(special, a * b + addend, result)


def _finite(c: Calculator, words: list[Number], sizes: list[Number]) -> Number:
    """For finite numbers; the factors are not 0."""
    x, y, z = (_parts(c, size) for size in sizes)
    top = 2 * c.bits - 2  # both terms are below 2**top
    low, high = c.wide_product(x.fraction, y.fraction)
    zero = c.int(0)
    lift = top - (2 * c.mantissa + 2)
    product = shift_left(c, Wide(low, high), c.int(lift))
    product_unit = x.exponent + y.exponent - (2 * c.bias + 2 * c.mantissa + lift)
    place = top - (c.mantissa + 1)
    addend = shift_left(c, Wide(z.fraction, zero), c.int(place))
    # An addend of 0 is in units as small as can be.
    unit = z.exponent - (c.bias + c.mantissa + place)
    addend_unit = c.select(z.fraction.equals(0), -16 * c.bias, unit)
    distance = product_unit - addend_unit
    product = _moved(c, product, -distance)
    addend = _moved(c, addend, distance)
    unit = c.select(distance > 0, product_unit, addend_unit)
    negative = words[0] ^ words[1]
    opposite = (negative ^ words[2]) < 0
    larger = less(c, product, addend, signed=False)
    difference = select(c, larger, subtract(c, addend, product), subtract(c, product, addend))
    total = select(c, opposite, difference, add(c, product, addend))
    sign = c.select(larger & opposite, words[2], negative) & (1 << (c.bits - 1))
    nothing = (total.low | total.high).equals(0)
    bits = _rounded(c, total, unit) | sign
    return c.as_float(c.select(nothing, 0, bits))


def _parts(c: Calculator, size: Number) -> Parts:
    """The leading bit is where it is in normal numbers; 0 has the fraction 0."""
    exponent = size.shifted_out(c.mantissa)
    fraction = size & ((1 << c.mantissa) - 1)
    skip = c.op_of(math.CountLeadingZerosOp, (fraction,), c.int_type) - (c.bits - 1 - c.mantissa)
    # A shift by all bits, for 0, gives 0 by this.
    moved = c.select(fraction.equals(0), fraction, fraction << (skip & (c.bits - 1)))
    is_small = exponent.equals(0)
    return Parts(
        c.select(is_small, moved, fraction | (1 << c.mantissa)),
        c.select(is_small, 1 - skip, exponent),
    )


def _moved(c: Calculator, value: Wide, by: Number) -> Wide:
    """To the right if `by` is above 0; the last bit says whether something was lost."""
    count = c.select(by > 0, by, 0)
    most = 2 * c.bits - 1
    count = c.select(count > most, most, count)
    moved = shift_right(False)(c, value, count)
    back = shift_left(c, moved, count)
    lost = back.low.differs(value.low) | back.high.differs(value.high)
    return Wide(moved.low | as_number(c, lost, c.int_type), moved.high)


def _rounded(c: Calculator, total: Wide, unit: Number) -> Number:
    """The bits of total * 2**unit, to nearest even; infinite where it is too large."""
    skip = leading_zeros(c, total)
    shifted = shift_left(c, total, skip & (2 * c.bits - 1))
    digits = shifted.high | as_number(c, shifted.low.differs(0), c.int_type)
    exponent = unit - skip + (2 * c.bits - 1 + c.bias)
    # Of a subnormal number fewer digits are kept.
    further = c.select(exponent < 1, 1 - exponent, 0)
    further = c.select(further > c.bits - 1, c.bits - 1, further)
    kept = digits.shifted_out(further)
    digits = kept | as_number(c, (kept << further).differs(digits), c.int_type)
    spare = c.bits - 1 - c.mantissa
    whole, rest = digits.shifted_out(spare), digits & ((1 << spare) - 1)
    half = 1 << (spare - 1)
    up = (rest > half) | (rest.equals(half) & (whole & 1).differs(0))
    base = c.select(exponent < 1, 0, (exponent - 1) << c.mantissa)
    bits = base + whole + as_number(c, up, c.int_type)
    return c.select(exponent > 2 * c.bias, c.infinity, bits)
