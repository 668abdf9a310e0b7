"""Python's `//` and `%` in arith and math ops: how simt-to-gpu writes them.

Integers, with d = divisor, after "Division and Modulus for Computer Scientists" (D. Leijen, 2001):
the truncated quotient and remainder, corrected where the remainder's sign is not the divisor's.
Floats follow CPython's `float_divmod` and NumPy's `npy_divmod`.
"""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    IntegerAttr,
    f32,
    i1,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ..dialects.arith import EXACT, RemFOp, plain_flags
from ..dialects.predicates import NE, SLT, ULT
from ..passes.analyses.value_ranges import is_non_negative
from ..passes.utils.block_editing import constant, constant_value, integer_bits
from .conversion import Rewriter

_OEQ, _OGT, _OLT, _UNE = 1, 2, 4, 13


class _Calculator:
    """Builds ops of one type."""

    def __init__(self, rw: Rewriter, type_: Attribute):
        self.rw = rw
        self.type = type_

    def op(self, op: type[Operation], *operands: SSAValue) -> SSAValue:
        return self.rw.value(op, operands, self.type, plain_flags(op))

    def cmpi(self, predicate: int, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.rw.value(arith.CmpiOp, (a, b), i1, {"predicate": IntegerAttr(predicate, i64)})

    def cmpf(self, predicate: int, a: SSAValue, b: SSAValue) -> SSAValue:
        properties = {"predicate": IntegerAttr(predicate, i64), **EXACT}
        return self.rw.value(arith.CmpfOp, (a, b), i1, properties)

    def logic(self, op: type[Operation], a: SSAValue, b: SSAValue) -> SSAValue:
        return self.rw.value(op, (a, b), i1)

    def select(self, condition: SSAValue, yes: SSAValue, no: SSAValue) -> SSAValue:
        return self.rw.value(arith.SelectOp, (condition, yes, no), self.type)

    def const(self, value: int | float) -> SSAValue:
        return self.rw.insert(constant(self.type, value, None)).result


def integer_floordiv(rw: Rewriter, a: SSAValue, b: SSAValue) -> SSAValue:
    """`a // b`; by zero it is 0."""
    c = _Calculator(rw, a.type)
    divisor = _signed(constant_value(b), a.type)
    if divisor is not None and divisor > 0:
        if divisor & (divisor - 1) == 0:
            return c.op(arith.ShRSIOp, a, c.const(divisor.bit_length() - 1))
        if is_non_negative(a):
            return c.op(arith.DivUIOp, a, b)
    elif is_non_negative(a) and is_non_negative(b):
        return c.op(arith.DivUIOp, a, c.op(arith.MaxUIOp, b, c.const(1)))
    safe, special = _safe_divisor(c, b, divisor)
    quotient = c.op(arith.DivSIOp, a, safe)
    fixed = c.op(arith.SubiOp, quotient, c.const(1))
    quotient = c.select(_needs_fix(c, a, safe, divisor)[1], fixed, quotient)
    if special is None:
        return quotient
    return c.select(special, c.op(arith.MuliOp, a, b), quotient)  # b is -1 or 0


def integer_mod(rw: Rewriter, a: SSAValue, b: SSAValue) -> SSAValue:
    """`a % b`, with the sign of `b`; by zero it is 0."""
    c = _Calculator(rw, a.type)
    divisor = _signed(constant_value(b), a.type)
    if divisor is not None and divisor > 0:
        if divisor & (divisor - 1) == 0:
            return c.op(arith.AndIOp, a, c.const(divisor - 1))
        if is_non_negative(a):
            return c.op(arith.RemUIOp, a, b)
    elif is_non_negative(a) and is_non_negative(b):
        return c.op(arith.RemUIOp, a, c.op(arith.MaxUIOp, b, c.const(1)))
    safe, _ = _safe_divisor(c, b, divisor)
    remainder, fix = _needs_fix(c, a, safe, divisor)
    return c.select(fix, c.op(arith.AddiOp, remainder, b), remainder)


def _signed(value: int | None, type_: Attribute) -> int | None:
    """A constant as a signed number."""
    if value is None:
        return None
    width = integer_bits(type_) or 64
    return (value + (1 << (width - 1))) % (1 << width) - (1 << (width - 1))


def _safe_divisor(
    c: _Calculator, b: SSAValue, divisor: int | None
) -> tuple[SSAValue, SSAValue | None]:
    """The divisor with 1 for -1 and 0, which may trap; and whether it is one of them."""
    if divisor is not None and divisor not in (-1, 0):
        return b, None
    one = c.const(1)
    special = c.cmpi(ULT, c.op(arith.AddiOp, b, one), c.const(2))
    return c.select(special, one, b), special


def _needs_fix(
    c: _Calculator, a: SSAValue, b: SSAValue, divisor: int | None
) -> tuple[SSAValue, SSAValue]:
    """The truncated remainder, and whether its sign is not the divisor's."""
    remainder, zero = c.op(arith.RemSIOp, a, b), c.const(0)
    if divisor is not None and divisor > 0:
        return remainder, c.cmpi(SLT, remainder, zero)
    opposite = c.cmpi(SLT, c.op(arith.XOrIOp, remainder, b), zero)
    return remainder, c.logic(arith.AndIOp, c.cmpi(NE, remainder, zero), opposite)


def float_floordiv(rw: Rewriter, a: SSAValue, b: SSAValue) -> SSAValue:
    """`a // b`; by zero it is `a / b`."""
    return _in_f32(rw, a, b, _floordiv)


def float_mod(rw: Rewriter, a: SSAValue, b: SSAValue) -> SSAValue:
    """`a % b`, with the sign of `b`; by zero it is NaN."""
    return _in_f32(rw, a, b, lambda c, a, b: _mod(c, a, b)[1])


def _in_f32(
    rw: Rewriter,
    a: SSAValue,
    b: SSAValue,
    compute: Callable[[_Calculator, SSAValue, SSAValue], SSAValue],
) -> SSAValue:
    """Computes 16-bit floats in f32."""
    type_ = a.type
    if not isinstance(type_, Float16Type | BFloat16Type):
        return compute(_Calculator(rw, type_), a, b)
    wide = [rw.value(arith.ExtFOp, (value,), f32) for value in (a, b)]
    result = compute(_Calculator(rw, f32), *wide)
    return rw.value(arith.TruncFOp, (result,), type_)


def _mod(c: _Calculator, a: SSAValue, b: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
    """The truncated remainder, Python's, and whether they differ by the divisor."""
    zero = c.const(0.0)
    remainder = c.op(RemFOp, a, b)
    is_nonzero = c.cmpf(_UNE, remainder, zero)
    opposite = c.logic(arith.XOrIOp, c.cmpf(_OLT, b, zero), c.cmpf(_OLT, remainder, zero))
    fix = c.logic(arith.AndIOp, is_nonzero, opposite)
    fixed = c.select(fix, c.op(arith.AddfOp, remainder, b), remainder)
    return remainder, c.select(is_nonzero, fixed, c.op(math.CopySignOp, zero, b)), fix


def _floordiv(c: _Calculator, a: SSAValue, b: SSAValue) -> SSAValue:
    zero, one = c.const(0.0), c.const(1.0)
    remainder, _, fix = _mod(c, a, b)
    quotient = c.op(arith.DivfOp, c.op(arith.SubfOp, a, remainder), b)
    quotient = c.select(fix, c.op(arith.SubfOp, quotient, one), quotient)
    floor = c.op(math.FloorOp, quotient)
    # The quotient is nearly a whole number: take the nearest one.
    above = c.cmpf(_OGT, c.op(arith.SubfOp, quotient, floor), c.const(0.5))
    floor = c.select(above, c.op(arith.AddfOp, floor, one), floor)
    plain = c.op(arith.DivfOp, a, b)
    small = c.op(math.CopySignOp, zero, plain)
    result = c.select(c.cmpf(_UNE, quotient, zero), floor, small)
    return c.select(c.cmpf(_OEQ, b, zero), plain, result)
