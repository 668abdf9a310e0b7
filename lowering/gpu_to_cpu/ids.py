"""Where a thread is: what the id ops mean on a CPU, where threads are numbers in loops.

    gpu.block_id x       the function's argument %bid_x
    gpu.thread_id x      the variable of the loop over x
    gpu.global_id x      %bid_x * %bdim_x (once for the block) + thread_id x
    gpu.lane_id          the thread's linear number modulo the subgroup size

A dimension that is known to have one thread needs no loop: its thread id is the constant 0. The
linear number of a thread is x + bdim_x * (y + bdim_y * z).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from xdsl.dialects import arith
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation, SSAValue

from ...dialects import gpu
from .builder import Builder

IDS: set[type[Operation]] = {
    *(gpu.ThreadIdOp, gpu.GlobalIdOp, gpu.BlockIdOp, gpu.BlockDimOp, gpu.GridDimOp),
    *(gpu.LaneIdOp, gpu.SubgroupIdOp, gpu.SubgroupSizeOp, gpu.NumSubgroupsOp),
    gpu.DynamicSharedMemoryOp,
}
_OF_THREAD = (gpu.ThreadIdOp, gpu.GlobalIdOp, gpu.LaneIdOp)


@dataclass(frozen=True)
class Ids:
    """What is known of ids at compile time: the block's size, as far as it is known."""

    block_size: tuple[int | None, int | None, int | None]
    subgroup_size: int

    def level(self, op: Operation) -> int:
        """0, 1, 2: the same for the block, for the subgroup, or different for each thread."""
        if isinstance(op, gpu.SubgroupIdOp):
            return 1
        if not isinstance(op, _OF_THREAD):
            return 0
        return 0 if isinstance(op, gpu.DimensionOp) and self.block_size[op.axis] == 1 else 2

    @property
    def is_line(self) -> bool:
        """Whether a thread's linear number is its x."""
        return self.block_size[1:] == (1, 1)


class BlockIds:
    """The values of ids that all threads of a block share; each is computed once, in the prologue.

    `trailing` are the function's arguments from %bid_x on; `extents` those of an over-kernel.
    """

    def __init__(
        self,
        ids: Ids,
        builder: Builder,
        trailing: Sequence[SSAValue],
        extents: Sequence[SSAValue] | None,
    ) -> None:
        self.ids = ids
        self.builder = builder
        self.block_id = trailing[0:3]
        self.grid_dim = trailing[6:9]
        self.shared_bytes = trailing[9]
        self.extents = extents
        self.block_dim = [
            argument if known is None else builder.constant(known)
            for argument, known in zip(trailing[3:6], ids.block_size, strict=True)
        ]
        self._bases: dict[int, SSAValue] = {}
        self._counts: dict[int, SSAValue] = {}
        self._shared: SSAValue | None = None

    def base(self, axis: int) -> SSAValue:
        """The global id of the block's first thread."""
        if axis not in self._bases:
            with self.builder.at(self.builder.prologue):
                value = self.builder.times(self.block_id[axis], self.block_dim[axis])
            self._bases[axis] = value
        return self._bases[axis]

    def count(self, axis: int) -> SSAValue:
        """How many threads run in a dimension: the block's size, clipped to the extent."""
        if self.extents is None:
            return self.block_dim[axis]
        if axis not in self._counts:
            build = self.builder
            with build.at(build.prologue):
                left = build.binary(arith.SubiOp, self.extents[axis], self.base(axis))
                self._counts[axis] = build.binary(arith.MinSIOp, self.block_dim[axis], left)
        return self._counts[axis]

    @cached_property
    def threads(self) -> SSAValue:
        """How many threads a block has."""
        with self.builder.at(self.builder.prologue):
            x, y, z = self.block_dim
            return self.builder.times(self.builder.times(x, y), z)

    @cached_property
    def is_line(self) -> SSAValue:
        """Whether the block turns out to have one row only."""
        build, (_, y, z) = self.builder, self.block_dim
        with build.at(build.prologue):
            return build.compare("eq", build.times(y, z), build.constant(1))

    @cached_property
    def subgroups(self) -> SSAValue:
        """How many subgroups a block has, a partial last one included."""
        return self.ceil_div(self.threads)

    def _dynamic_shared(self, type: MemRefType) -> SSAValue:
        """The block's dynamic shared memory, the same for all who ask."""
        if self._shared is None:
            self._shared = self.builder.array(type, [self.shared_bytes])
        return self._shared

    def ceil_div(self, count: SSAValue) -> SSAValue:
        """The number of subgroups that `count` threads make."""
        build, size = self.builder, self.ids.subgroup_size
        known = build.known(count)
        if known is not None:
            return build.constant(-(-known // size))
        with build.at(build.prologue):
            more = build.plus(count, build.constant(size - 1))
            return build.binary(arith.DivUIOp, more, build.constant(size))

    def value(self, op: Operation) -> SSAValue:
        """The value of an id op of level 0."""
        match op:
            case gpu.BlockIdOp():
                return self.block_id[op.axis]
            case gpu.BlockDimOp():
                return self.block_dim[op.axis]
            case gpu.GridDimOp():
                return self.grid_dim[op.axis]
            case gpu.SubgroupSizeOp():
                return self.builder.constant(self.ids.subgroup_size)
            case gpu.NumSubgroupsOp():
                return self.subgroups
            case gpu.GlobalIdOp():
                return self.base(op.axis)
            case gpu.DynamicSharedMemoryOp():
                return self._dynamic_shared(op.view.type)
            case _:
                return self.builder.constant(0)


class ThreadIds:
    """The ids of the thread that a loop is at; what needs computing is computed when asked for.

    `place` are x, y, z where the loops are over the dimensions. In a loop over lanes, `lane` is its
    variable, `subgroup` the number of the subgroup and `base` that of its first thread.
    """

    def __init__(
        self,
        block: BlockIds,
        place: Sequence[SSAValue] | None = None,
        lane: SSAValue | None = None,
        subgroup: SSAValue | None = None,
        base: SSAValue | None = None,
    ) -> None:
        self.block = block
        self._place = place
        self._lane = lane
        self._subgroup = subgroup
        self._base = base

    @cached_property
    def place(self) -> Sequence[SSAValue]:
        """Thread id x, y, z."""
        if self._place is not None:
            return self._place
        build, zero = self.block.builder, self.block.builder.constant(0)
        if self.block.ids.is_line:
            return [self.linear, zero, zero]
        if any(size not in (None, 1) for size in self.block.ids.block_size[1:]):
            return self._divided()
        # Divisions are slow and most blocks are lines; LLVM makes two loops of this choice.
        linear = self.linear
        return build.if_(
            self.block.is_line, [linear.type] * 3, lambda: [linear, zero, zero], self._divided
        )

    def _divided(self) -> Sequence[SSAValue]:
        """Thread id x, y, z computed from the linear number."""
        build, (x_size, y_size, _) = self.block.builder, self.block.block_dim
        row = build.binary(arith.DivUIOp, self.linear, x_size)
        x = build.binary(arith.RemUIOp, self.linear, x_size)
        y = build.binary(arith.RemUIOp, row, y_size)
        return [x, y, build.binary(arith.DivUIOp, row, y_size)]

    @cached_property
    def linear(self) -> SSAValue:
        """The thread's number in its block."""
        build = self.block.builder
        if self._place is None:
            assert self._lane is not None, "a thread has a place or a lane"
            assert self._base is not None, "a lane has a subgroup"
            return build.plus(self._base, self._lane)
        x, y, z = self._place
        x_size, y_size, _ = self.block.block_dim
        row = build.plus(y, build.times(y_size, z) if build.known(z) != 0 else z)
        return build.plus(x, build.times(x_size, row) if build.known(row) != 0 else row)

    @cached_property
    def lane(self) -> SSAValue:
        """The thread's place in its subgroup."""
        if self._lane is not None:
            return self._lane
        build = self.block.builder
        size = build.constant(self.block.ids.subgroup_size)
        return build.binary(arith.RemUIOp, self.linear, size)

    @cached_property
    def subgroup(self) -> SSAValue:
        """The number of the thread's subgroup."""
        if self._subgroup is not None:
            return self._subgroup
        build = self.block.builder
        size = build.constant(self.block.ids.subgroup_size)
        return build.binary(arith.DivUIOp, self.linear, size)

    def value(self, op: Operation) -> SSAValue:
        """The value of any id op in this thread."""
        if self.block.ids.level(op) == 0:
            return self.block.value(op)
        if isinstance(op, gpu.ThreadIdOp):
            return self.place[op.axis]
        if isinstance(op, gpu.GlobalIdOp):
            return self.block.builder.plus(self.block.base(op.axis), self.place[op.axis])
        return self.lane if isinstance(op, gpu.LaneIdOp) else self.subgroup
