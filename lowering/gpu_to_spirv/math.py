"""math to spirv: the functions that are exact everywhere; the rest is arithmetic by now.

`expand-math` has turned exp, sin and the like into arithmetic before, and what arrives here all the
same is refused by name. Rounding to the nearest with ties away from zero is written out, because
devices may round ties as they like.
"""

from __future__ import annotations

from xdsl.dialects import math
from xdsl.dialects.builtin import i1, i32
from xdsl.ir import Operation, SSAValue

from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..math.expand_math import FUNCTIONS
from .arith import float_flags
from .build import as_bits, binary, bitcast, bits, compare, const, op, resize, select, state_of

RULES = Rules()
converts = RULES.converts

_INSTRUCTIONS: dict[type[Operation], str] = {
    math.CeilOp: "GL.Ceil",
    math.FloorOp: "GL.Floor",
    math.FmaOp: "GL.Fma",
    math.RoundEvenOp: "GL.RoundEven",
    math.SqrtOp: "GL.Sqrt",
    math.TruncOp: "GL.Trunc",
}


@converts(*_INSTRUCTIONS)
def convert_instruction(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """One extended instruction."""
    values = [value for (value,) in operands]
    return op(rw, _INSTRUCTIONS[type(op_)], values, values[0].type)


@converts(math.AbsFOp)
def convert_absf(op_: math.AbsFOp, operands: Operands, rw: Rewriter) -> Results:
    """An instruction, but for llvmpipe bits without the sign.

    Mesa leaves the instruction out where it finds that the value is not negative, as a root or a
    product with zero, which may be -0 all the same (seen with 22.3).
    """
    ((value,),) = operands
    target, width = state_of(rw).target, bits(value.type)
    if not target.suits_llvmpipe or not (width == 32 or target.has(f"int{width}")):
        return op(rw, "GL.FAbs", (value,), value.type)
    rest = binary(rw, "BitwiseAnd", as_bits(rw, value), (1 << (width - 1)) - 1)
    return bitcast(rw, rest, value.type)


@converts(math.CopySignOp)
def convert_copysign(op_: math.CopySignOp, operands: Operands, rw: Rewriter) -> Results:
    """The first value with the sign bit of the second."""
    (value,), (sign,) = operands
    return _with_sign(rw, value, sign)


def _with_sign(rw: Rewriter, value: SSAValue, sign: SSAValue) -> SSAValue:
    mask = 1 << (bits(value.type) - 1)
    rest = binary(rw, "BitwiseAnd", as_bits(rw, value), mask - 1)
    bit = binary(rw, "BitwiseAnd", as_bits(rw, sign), mask)
    return bitcast(rw, binary(rw, "BitwiseOr", rest, bit), value.type)


@converts(math.RoundOp)
def convert_round(op_: math.RoundOp, operands: Operands, rw: Rewriter) -> Results:
    """To the nearest, ties away from zero."""
    ((value,),) = operands
    whole = op(rw, "GL.Trunc", (value,), value.type)
    left = op(rw, "GL.FAbs", (binary(rw, "FSub", value, whole),), value.type)
    one = _with_sign(rw, const(rw, 1.0, value.type), value)
    further = compare(rw, "FOrdGreaterThanEqual", left, 0.5)
    return select(rw, further, binary(rw, "FAdd", whole, one), whole)


@converts(math.RsqrtOp)
def convert_rsqrt(op_: math.RsqrtOp, operands: Operands, rw: Rewriter) -> Results:
    """1 / sqrt(x), each step rounded."""
    ((value,),) = operands
    root = op(rw, "GL.Sqrt", (value,), value.type)
    one = const(rw, 1.0, value.type)
    return op(rw, "FDiv", (one, root), value.type, float_flags(op_))


@converts(math.AbsIOp)
def convert_absi(op_: math.AbsIOp, operands: Operands, rw: Rewriter) -> Results:
    """The absolute value; that of the least integer wraps."""
    ((value,),) = operands
    negated = binary(rw, "ISub", const(rw, 0, value.type), value)
    return select(rw, compare(rw, "SLessThan", value, 0), negated, value)


# --- counts of bits: the instructions have 32 bits ------------------------------------------------


def _halves(rw: Rewriter, value: SSAValue) -> tuple[SSAValue, SSAValue]:
    """The low and the high word of 64 bits."""
    high = binary(rw, "ShiftRightLogical", value, 32)
    return resize(rw, value, i32, signed=False), resize(rw, high, i32, signed=False)


@converts(math.CtPopOp)
def convert_ctpop(op_: math.CtPopOp, operands: Operands, rw: Rewriter) -> Results:
    """The number of ones."""
    ((value,),) = operands
    if bits(value.type) == 64:
        counts = [op(rw, "BitCount", (half,), i32) for half in _halves(rw, value)]
        return resize(rw, binary(rw, "IAdd", *counts), value.type, signed=False)
    count = op(rw, "BitCount", (resize(rw, value, i32, signed=False),), i32)
    return resize(rw, count, value.type, signed=False)


@converts(math.CountLeadingZerosOp)
def convert_ctlz(op_: math.CountLeadingZerosOp, operands: Operands, rw: Rewriter) -> Results:
    """Zeros above the highest one; the width for 0."""
    ((value,),) = operands
    if bits(value.type) == 64:
        low, high = (_leading(rw, half, 32) for half in _halves(rw, value))
        full = compare(rw, "IEqual", high, 32)
        count = select(rw, full, binary(rw, "IAdd", low, 32), high)
    else:
        count = _leading(rw, resize(rw, value, i32, signed=False), bits(value.type))
    return resize(rw, count, value.type, signed=False)


def _leading(rw: Rewriter, word: SSAValue, width: int) -> SSAValue:
    """The place of the highest one is -1 for 0."""
    place = op(rw, "GL.FindUMsb", (word,), i32)
    return binary(rw, "ISub", const(rw, width - 1, i32), place)


@converts(math.CountTrailingZerosOp)
def convert_cttz(op_: math.CountTrailingZerosOp, operands: Operands, rw: Rewriter) -> Results:
    """Zeros below the lowest one; the width for 0."""
    ((value,),) = operands
    width = bits(value.type)
    if width == 64:
        low, high = _halves(rw, value)
        above = binary(rw, "IAdd", _trailing(rw, high, 32), 32)
        count = select(rw, compare(rw, "IEqual", low, 0), above, _trailing(rw, low, 32))
    else:
        count = _trailing(rw, resize(rw, value, i32, signed=False), width)
    return resize(rw, count, value.type, signed=False)


def _trailing(rw: Rewriter, word: SSAValue, width: int) -> SSAValue:
    place = op(rw, "GL.FindILsb", (word,), i32)
    return select(rw, compare(rw, "SLessThan", place, 0), const(rw, width, i32), place)


@converts(*(kind for kind in (*FUNCTIONS, math.FPowIOp) if kind.name.startswith("math.")))
def refuse(op_: Operation, operands: Operands, rw: Rewriter) -> Results:
    """No instruction of known precision."""
    raise CannotConvert(
        f"{op_.name} of {op_.operands[0].type} has no exact instruction on this target "
        "(expand-math did not know it)"
    )


@converts(math.IPowIOp)
def convert_ipowi(op_: math.IPowIOp, operands: Operands, rw: Rewriter) -> Results:
    """Squares and multiplies once for each bit of the exponent, without a branch.

    A negative exponent gives 1 / base**n, which is 0 except for the bases 1 and -1 (0 for 0).
    """
    (base,), (exponent,) = operands
    kind = base.type
    result: SSAValue = const(rw, 1, kind)
    factor, left = base, exponent
    for bit in range(bits(kind)):
        odd = compare(rw, "INotEqual", binary(rw, "BitwiseAnd", left, 1), 0)
        result = select(rw, odd, binary(rw, "IMul", result, factor), result)
        if bit < bits(kind) - 1:
            factor = binary(rw, "IMul", factor, factor)
            left = binary(rw, "ShiftRightLogical", left, 1)
    minus = compare(rw, "IEqual", base, -1)
    odd = compare(rw, "INotEqual", binary(rw, "BitwiseAnd", exponent, 1), 0)
    sign = select(
        rw, op(rw, "LogicalAnd", (minus, odd), i1), const(rw, -1, kind), const(rw, 1, kind)
    )
    unit = op(rw, "LogicalOr", (minus, compare(rw, "IEqual", base, 1)), i1)
    reciprocal = select(rw, unit, sign, const(rw, 0, kind))
    return select(rw, compare(rw, "SLessThan", exponent, 0), reciprocal, result)
