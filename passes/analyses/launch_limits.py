"""What is known of ids and sizes in every launch of a kernel: how large they are, and where."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, func
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Operation, SSAValue

from ...dialects import gpu, marks, simt
from ..utils.block_editing import constant_value

_INDEX = IndexType()
_SIZES = (simt.GlobalSizeOp, gpu.BlockDimOp, gpu.GridDimOp, gpu.SubgroupSizeOp)
_MOST_THREADS_EACH = 4
LIMITS = {
    gpu.BlockIdOp.name: marks.MAX_GRID - 1,
    gpu.GridDimOp.name: marks.MAX_GRID,
    gpu.ThreadIdOp.name: marks.MAX_GRID - 1,
    gpu.BlockDimOp.name: marks.MAX_GRID,
}
SMALL_LIMITS = {
    gpu.BlockIdOp.name: marks.SMALL_GRID - 1,
    gpu.GridDimOp.name: marks.SMALL_GRID,
    gpu.ThreadIdOp.name: marks.SMALL_BLOCK - 1,
    gpu.BlockDimOp.name: marks.SMALL_BLOCK,
}


def known_size(function: Operation, what: str) -> tuple[int, ...] | None:
    """The block's or grid's size that every launch of the kernel has."""
    size = function.attributes.get(f"gpu.known_{what}_size")
    values = getattr(size, "get_values", None)
    return tuple(int(value) for value in values()) if values is not None else None


def launch_arguments(function: Operation | None) -> dict[SSAValue, tuple[str, int, int]]:
    """Ids and sizes of the launch that a kernel of level cpu takes: before its last two."""
    if not isinstance(function, func.FuncOp) or marks.KERNEL not in function.attributes:
        return {}
    kinds = (gpu.BlockIdOp, gpu.BlockDimOp, gpu.GridDimOp)
    nodes = [(kind.name, axis, 0) for kind in kinds for axis in range(3)]
    arguments = function.body.block.args[-len(nodes) - 2 : -2]
    if len(arguments) < len(nodes) or any(value.type != _INDEX for value in arguments):
        return {}
    return dict(zip(arguments, nodes, strict=True))


def is_positive_size(value: SSAValue, block: Sequence[int] | None) -> bool:
    """Whether a value is known to be above zero: a constant, a size of the launch, or a product of
    these that does not wrap. `block` is that of every launch, if it is known."""
    number, op = constant_value(value), value.owner
    if number is not None:
        return number > 0
    if isinstance(op, arith.MuliOp):
        ways = ((op.lhs, op.rhs), (op.rhs, op.lhs))
        return any(_is_at_most_threads(size, factor, block) for size, factor in ways)
    return isinstance(op, _SIZES)


def _is_at_most_threads(size: SSAValue, factor: SSAValue, block: Sequence[int] | None) -> bool:
    """Whether a size times something is no more than a few times the threads along a dimension, of
    which a launch has less than 2^29 where an index has 32 bits: all blocks times what a block has,
    or times a number that blocks have, or a size times a small number."""
    op, other = size.owner, factor.owner
    if not isinstance(op, _SIZES):
        return False
    number, most = constant_value(factor), _MOST_THREADS_EACH
    if not isinstance(op, gpu.GridDimOp):
        return 0 < (number or 0) <= most
    if number is None:
        return isinstance(other, gpu.BlockDimOp) and other.axis == op.axis
    if block is not None:
        most = max(most, block[op.axis])
    return 0 < number <= most
