"""Two versions of an op, of which a launch runs one."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import scf
from xdsl.ir import Block, Operation, Region, SSAValue


def branch_instead(
    op: Operation, condition: SSAValue, first: Sequence[Operation], second: Sequence[Operation]
) -> scf.IfOp:
    """Put a branch in an op's place: `first` where the condition is true, else `second`.

    Either may have the op itself. The last op of each gives what the op has given.
    """
    outer, location = op.parent, op.location
    assert outer is not None, "the op stands in a block"
    branch = scf.IfOp.create(
        operands=[condition],
        result_types=[result.type for result in op.results],
        regions=[Region(Block()), Region(Block())],
        location=location,
    )
    outer.insert_op_before(branch, op)
    for result, instead in zip(op.results, branch.results, strict=True):
        result.replace_all_uses_with(instead)
    op.detach()
    for region, ops in zip(branch.regions, (first, second), strict=True):
        given = scf.YieldOp.create(operands=ops[-1].results, location=location)
        region.block.add_ops([*ops, given])
    return branch
