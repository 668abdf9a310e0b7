"""Asks LLVM to unroll loops of middle size four times, as nvcc does.

    scf.for %j = %a to %b step %c { 20 to 64 instructions }   ->   … {gpux.unroll = 4 : i64}

LLVM unrolls a loop with an unknown number of rounds until it has 75 instructions: small ones four
or eight times (and ptxas the result again), those past 20 only twice or not at all, so that few
loads are on their way at a time.
"""

from __future__ import annotations

from xdsl.dialects import arith, math, memref, scf
from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import Operation

from ...dialects import gpu, marks
from ...passes.utils.block_editing import constant_value
from ..math.expand_math import may_approximate

TIMES = 4
LEAST, MOST = 20, 64
_FREE = (arith.ConstantOp, arith.IndexCastOp, arith.BitcastOp, memref.DimOp, scf.YieldOp)
# The address and the access; the parts of `_exp` in math.py; the counter, its end and the branch.
_ACCESS, _EXP, _OVERHEAD = 3, 9, 4
_PLAIN = ("arith.", "math.", "memref.load", "memref.store", "memref.dim", "scf.yield")


def mark_loops_to_unroll(kernel: gpu.FuncOp) -> None:
    """Marks the loops of a kernel."""
    for op in kernel.walk():
        if isinstance(op, scf.ForOp) and _rounds_are_unknown(op):
            size = _size(op)
            if size is not None and LEAST < size <= MOST:
                op.attributes[marks.UNROLL] = IntegerAttr(TIMES, i64)


def _rounds_are_unknown(loop: scf.ForOp) -> bool:
    return None in (constant_value(loop.lb), constant_value(loop.ub))


def _size(loop: scf.ForOp) -> int | None:
    """About how many instructions a round takes; None where it does anything unusual."""
    size = _OVERHEAD
    for op in loop.body.block.ops:
        if op.regions or not op.name.startswith(_PLAIN):
            return None
        size += _instructions(op)
    return size


def _instructions(op: Operation) -> int:
    if isinstance(op, _FREE):
        return 0
    if isinstance(op, memref.LoadOp | memref.StoreOp):
        return _ACCESS
    return _EXP if isinstance(op, math.ExpOp) and not may_approximate(op) else 1
