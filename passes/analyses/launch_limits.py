"""What is known of ids and sizes in every launch of a kernel: how large they are, and where."""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.dialects.builtin import IndexType
from xdsl.ir import Operation, SSAValue

from ...dialects import gpu, marks

_INDEX = IndexType()
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
