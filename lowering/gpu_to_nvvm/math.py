"""Math functions: what PTX has instructions for; the rest is refused by name.

    %y = math.exp %x fastmath<afn> : f32      %s = llvm.fmul %x, log2(e)
                                              %y = llvm.intr.exp2(%s) {afn}      // ex2.approx

`expand-math` has turned exp, sin and the like into arithmetic before, but for those of f32 that may
be approximate: they come by `ex2`, `lg2`, `sin` and `cos` (errors: CUDA's programming guide, on
intrinsic functions). What arrives here else would make LLVM end the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import math
from xdsl.ir import Operation, SSAValue

from ...dialects import llvm
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..math.expand_math import may_approximate
from ..to_llvm.arith import fast_math
from ..to_llvm.math import _INTRINSICS, _LIBRARY  # pyright: ignore[reportPrivateUsage]
from ..to_llvm.target import float_const

RULES = Rules()

LOG2_E, LN_2, LOG10_2 = 1.4426950408889634, 0.6931471805599453, 0.3010299956639812
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
        """sin, cos or exp2."""
        return self.rw.value(llvm.INTRINSICS[name], (value,), value.type, self.flags)

    def log2(self, value: SSAValue) -> SSAValue:
        """LLVM's own log2 has no instruction here, whatever its flags."""
        name = "llvm.nvvm.lg2.approx.f"
        return self.rw.insert(llvm.CallIntrinsicOp.to(name, (value,), [value.type])).results[0]

    def times(self, value: SSAValue, other: SSAValue | float) -> SSAValue:
        """A product."""
        factor = other if isinstance(other, SSAValue) else float_const(self.rw, other, value.type)
        return self.rw.value(llvm.FMulOp, (value, factor), value.type, self.flags)

    def ratio(self, value: SSAValue, other: SSAValue) -> SSAValue:
        """A quotient."""
        return self.rw.value(llvm.FDivOp, (value, other), value.type, self.flags)


_Formula = Callable[[_Approximate, Sequence[SSAValue]], SSAValue]
_FORMULAS: dict[type[Operation], _Formula] = {
    math.CosOp: lambda f, x: f.of("cos", x[0]),
    math.Exp2Op: lambda f, x: f.of("exp2", x[0]),
    math.ExpOp: lambda f, x: f.of("exp2", f.times(x[0], LOG2_E)),
    math.Log10Op: lambda f, x: f.times(f.log2(x[0]), LOG10_2),
    math.Log2Op: lambda f, x: f.log2(x[0]),
    math.LogOp: lambda f, x: f.times(f.log2(x[0]), LN_2),
    math.PowFOp: lambda f, x: f.of("exp2", f.times(x[1], f.log2(x[0]))),
    math.SinOp: lambda f, x: f.of("sin", x[0]),
    math.TanOp: lambda f, x: f.ratio(f.of("sin", x[0]), f.of("cos", x[0])),
}


@RULES.converts(*(op for op in (*_INTRINSICS, *_LIBRARY, math.FPowIOp) if op not in _EXACT))
def convert_function(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """An approximate one where that is allowed."""
    if not may_approximate(op):
        raise refuse(op)
    return _FORMULAS[type(op)](_Approximate(op, rw), [value for (value,) in operands])
