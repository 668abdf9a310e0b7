"""Math functions: what PTX has as exact instructions; the rest is refused by name.

`expand-math` has turned exp, sin and the like into arithmetic before. What arrives here all the
same would make LLVM end the process.
"""

from __future__ import annotations

from xdsl.dialects import math
from xdsl.ir import Operation

from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..to_llvm.math import _INTRINSICS, _LIBRARY  # pyright: ignore[reportPrivateUsage]

RULES = Rules()

_EXACT = (
    *(math.AbsFOp, math.CeilOp, math.CopySignOp, math.FloorOp, math.FmaOp, math.RoundEvenOp),
    *(math.RoundOp, math.SqrtOp, math.TruncOp),
)


@RULES.converts(*(op for op in (*_INTRINSICS, *_LIBRARY, math.FPowIOp) if op not in _EXACT))
def refuse(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """No instruction, and no library to call."""
    raise CannotConvert(
        f"{op.name} of {op.operands[0].type} has no instruction on this target (expand-math did "
        "not know it)"
    )
