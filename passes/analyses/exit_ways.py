"""How control may leave a block or an op of simt: found bottom up, before it is structured."""

from __future__ import annotations

from typing import TypeAlias

from xdsl.dialects import func
from xdsl.ir import Block, Operation

from ...dialects import gpu, simt
from ...dialects.diagnostics import CompileError, location_of
from ..utils.loops_to_scf import is_endless

# The ways, as bits.
FALL, BREAK, CONTINUE, RETURN = 1, 2, 4, 8
EXITS: dict[type[Operation], int] = {
    simt.YieldOp: FALL,
    simt.ConditionOp: FALL,
    simt.BreakOp: BREAK,
    simt.ContinueOp: CONTINUE,
    simt.ReturnOp: RETURN,
    func.ReturnOp: RETURN,
    gpu.ReturnOp: RETURN,
}
# By id of ops that have regions (of what goes on behind them) and of their regions.
Ways: TypeAlias = dict[int, int]


def block_ways(block: Block, found: Ways) -> int:
    """The ways in which control may leave the block; those of what is inside go into `found`."""
    ways = FALL
    for op in block.ops:
        if op.__class__ in EXITS:
            return (ways & ~FALL) | (EXITS[op.__class__] if ways & FALL else 0)
        if op.regions:
            inner = _op_ways(op, found)
            if ways & FALL:
                ways = (ways & ~FALL) | inner
    return ways


def _op_ways(op: Operation, found: Ways) -> int:
    """The ways out of an op; a loop's own break and continue end at the loop."""
    regions = [
        block_ways(region.first_block, found) if region.first_block else FALL
        for region in op.regions
    ]
    for region, region_ways in zip(op.regions, regions, strict=True):
        found[id(region)] = region_ways
    if isinstance(op, simt.IfOp):
        ways = regions[0] | regions[1]
    elif isinstance(op, simt.ForOp | simt.WhileOp):
        body, orelse = regions[-2], regions[-1]
        if isinstance(op, simt.WhileOp) and regions[0] != FALL:
            raise CompileError("an exit inside a loop's condition", location_of(op))
        ways = (body & RETURN) | (0 if is_endless(op) else orelse) | (FALL if body & BREAK else 0)
    elif any(way & ~FALL for way in regions):
        raise CompileError(
            f"an exit inside {op.name}, expected only simt control flow around it",
            location_of(op),
        )
    else:
        ways = FALL
    found[id(op)] = ways
    return ways
