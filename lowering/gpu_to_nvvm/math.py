"""Math functions: what PTX has instructions for; the rest is refused by name.

    %y = math.exp %x fastmath<afn> : f32      %s = llvm.fmul %x, log2(e)
                                              %y = "llvm.nvvm.ex2.approx.ftz.f"(%s)

`expand-math` has turned exp, sin and the like into arithmetic before, but for those of f32 that may
be approximate: they come by `ex2`, `lg2`, `sin` and `cos` (errors: CUDA's programming guide, on
intrinsic functions); and exp that may be contracted, see `_exp`. What arrives here else would make
LLVM end the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import math
from xdsl.dialects.builtin import i32
from xdsl.ir import Operation, SSAValue

from ...dialects import llvm
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..math.expand_math import may_approximate, may_contract
from ..to_llvm.arith import fast_math
from ..to_llvm.math import _INTRINSICS, _LIBRARY  # pyright: ignore[reportPrivateUsage]
from ..to_llvm.target import binary, float_const

RULES = Rules()

LOG2_E, LN_2, LOG10_2 = 1.4426950408889634, 0.6931471805599453, 0.3010299956639812
# log2(e) as the sum of two f32.
LOG2_E_HIGH, LOG2_E_LOW = 1.4426950216293335, 1.925963033500011e-08
# The exponents of normal numbers go from -126; those of the powers of two that exp needs, to 126.
LEAST_EXPONENT = 126.0
_EXACT = (
    *(math.AbsFOp, math.CeilOp, math.CopySignOp, math.FloorOp, math.FmaOp, math.RoundEvenOp),
    *(math.RoundOp, math.SqrtOp, math.TruncOp),
)


def refuse(op: Operation) -> CannotConvert:
    """No instruction, and no library to call."""
    return CannotConvert(
        f"{op.name} of {op.operands[0].type} has no instruction on this target (expand-math did "
        "not know it)"
    )


class _Approximate:
    """Builds approximate functions of f32 with an op's flags."""

    def __init__(self, op: Operation, rw: Rewriter):
        self.flags = fast_math(op)
        self.rw = rw

    def of(self, name: str, value: SSAValue) -> SSAValue:
        """sin or cos."""
        return self.rw.value(llvm.INTRINSICS[name], (value,), value.type, self.flags)

    def exp2(self, value: SSAValue) -> SSAValue:
        """2**x; what would be subnormal is 0, which saves three instructions."""
        return self.intrinsic("llvm.nvvm.ex2.approx.ftz.f", value)

    def log2(self, value: SSAValue) -> SSAValue:
        """LLVM's own log2 has no instruction here, whatever its flags."""
        return self.intrinsic("llvm.nvvm.lg2.approx.f", value)

    def intrinsic(self, name: str, value: SSAValue, *others: SSAValue | float) -> SSAValue:
        """A function of f32 that LLVM has for this target alone."""
        given = (value, *(self.number(other, value) for other in others))
        return self.rw.insert(llvm.CallIntrinsicOp.to(name, given, [value.type])).results[0]

    def number(self, given: SSAValue | float, beside: SSAValue) -> SSAValue:
        """A value, or a constant of another one's type."""
        if isinstance(given, SSAValue):
            return given
        return float_const(self.rw, given, beside.type)

    def times(self, value: SSAValue, other: SSAValue | float) -> SSAValue:
        """A product."""
        return self.rw.value(
            llvm.FMulOp, (value, self.number(other, value)), value.type, self.flags
        )

    def ratio(self, value: SSAValue, other: SSAValue) -> SSAValue:
        """A quotient."""
        return self.rw.value(llvm.FDivOp, (value, other), value.type, self.flags)


_Formula = Callable[[_Approximate, Sequence[SSAValue]], SSAValue]
_FORMULAS: dict[type[Operation], _Formula] = {
    math.CosOp: lambda f, x: f.of("cos", x[0]),
    math.Exp2Op: lambda f, x: f.exp2(x[0]),
    math.ExpOp: lambda f, x: f.exp2(f.times(x[0], LOG2_E)),
    math.Log10Op: lambda f, x: f.times(f.log2(x[0]), LOG10_2),
    math.Log2Op: lambda f, x: f.log2(x[0]),
    math.LogOp: lambda f, x: f.times(f.log2(x[0]), LN_2),
    math.PowFOp: lambda f, x: f.exp2(f.times(x[1], f.log2(x[0]))),
    math.SinOp: lambda f, x: f.of("sin", x[0]),
    math.TanOp: lambda f, x: f.ratio(f.of("sin", x[0]), f.of("cos", x[0])),
}


@RULES.converts(*(op for op in (*_INTRINSICS, *_LIBRARY, math.FPowIOp) if op not in _EXACT))
def convert_function(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """An approximate one where that is allowed."""
    values = [value for (value,) in operands]
    if may_approximate(op):
        return _FORMULAS[type(op)](_Approximate(op, rw), values)
    if isinstance(op, math.ExpOp) and may_contract(op):
        return _exp(_Approximate(op, rw), values[0])
    raise refuse(op)


def _exp(f: _Approximate, x: SSAValue) -> SSAValue:
    """exp(x) = 2**n * 2**r, where n + r = x log2(e), n is whole and r in [0, 1).

    With m = 126: sat((x log2(e) + m) / 2m) is in [0, 1] for every x, NaN included, so
    n + m, rounded down, is in [0, 2m]. Added to 1.5 * 2**23 + 1 it stands in the last bits, and
    these shifted to the exponent's place are 2**n. Past both ends of n, r takes the rest: 2**r is
    infinite or zero there, or 2**n * 2**r a subnormal that is rounded once. A NaN comes back by r.
    Were `ex2` rounded correctly, the error would be below 1.3 units in the last place. As it is,
    CUDA's programming guide gives 2 for expf, of which nvcc makes the same instructions.
    """
    m, one = LEAST_EXPONENT, 1.5 * 2.0**23 + 1
    share = f.intrinsic("llvm.nvvm.fma.rn.sat.f", x, LOG2_E / (2 * m), 0.5)
    shifted = f.intrinsic("llvm.nvvm.fma.rm.f", share, 2 * m, one)
    n = f.rw.value(llvm.FAddOp, (shifted, f.number(-one - m, x)), x.type)
    negative = f.rw.value(llvm.FNegOp, (n,), x.type)
    r = f.rw.value(llvm.INTRINSICS["fma"], (x, f.number(LOG2_E_HIGH, x), negative), x.type)
    r = f.rw.value(llvm.INTRINSICS["fma"], (x, f.number(LOG2_E_LOW, x), r), x.type)
    bits = f.rw.value(llvm.BitcastOp, (shifted,), i32)
    power = f.rw.value(llvm.BitcastOp, (binary(f.rw, llvm.ShlOp, bits, 23),), x.type)
    return f.times(f.exp2(r), power)
