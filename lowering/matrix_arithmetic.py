"""What `gpu.subgroup_mma_elementwise` computes of each element, as ops of arith."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.ir import Operation

ELEMENTWISE: dict[str, type[Operation]] = {
    "addf": arith.AddfOp, "subf": arith.SubfOp, "mulf": arith.MulfOp, "divf": arith.DivfOp,
    "maxf": arith.MaximumfOp, "minf": arith.MinimumfOp, "addi": arith.AddiOp,
    "subi": arith.SubiOp, "muli": arith.MuliOp, "divs": arith.DivSIOp, "divu": arith.DivUIOp,
    "negatef": arith.NegfOp,
}  # fmt: skip
"""By kind. `negates` is a difference from 0, `extf` depends on the types."""
