"""The loops that run a leaf: over all threads of the block, or over the lanes of one subgroup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import i1
from xdsl.ir import SSAValue

from ...dialects import marks
from .frame import Frame
from .ids import ThreadIds
from .split import Leaf

if TYPE_CHECKING:
    from .emit import Emitter

Body = Callable[[Frame], None]


class BlockScope:
    """Leaves are loops over all threads of the block."""

    limit = 0

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter

    def frame(self, leaf: Leaf) -> Frame:
        """Where uniform values come from."""
        return Frame(self.emitter, leaf, ThreadIds(self.emitter.ids))

    def first(self, leaf: Leaf) -> Frame:
        """Where the values of the block's first thread come from."""
        zero = self.emitter.build.constant(0)
        return Frame(self.emitter, leaf, ThreadIds(self.emitter.ids, [zero] * 3))

    def each(self, leaf: Leaf, body: Body) -> None:
        """A loop over x in one over y in one over z, without those that are known to run once."""
        build, ids = self.emitter.build, self.emitter.ids
        place = [build.constant(0)] * 3

        def nested(axis: int) -> None:
            while axis >= 0 and ids.ids.block_size[axis] == 1:
                axis -= 1
            if axis < 0:
                body(Frame(self.emitter, leaf, ThreadIds(ids, tuple(place))))
                return

            def step(index: SSAValue, _: Sequence[SSAValue]) -> Sequence[SSAValue]:
                place[axis] = index
                nested(axis - 1)
                return ()

            build.loop(ids.count(axis), (), step, f"tid_{'xyz'[axis]}")
            build.mark_threads(marks.THREADS if axis == 0 else marks.ROWS)

        nested(2)


class LaneScope:
    """Leaves are loops over the lanes of one subgroup; `active` is the mask array, if there is one.

    A later lowering may replace these loops by vectors: a leaf's ops only touch their own lane, or
    the leaf says so (`in_lanes`).
    """

    limit = 1

    def __init__(
        self,
        emitter: Emitter,
        group: int,
        number: SSAValue,
        base: SSAValue,
        lanes: SSAValue,
        active: SSAValue | None = None,
    ) -> None:
        self.emitter = emitter
        self.group = group
        self.number = number
        self.base = base
        self.lanes = lanes
        self.active = active

    def masked(self, active: SSAValue) -> LaneScope:
        """The same lanes under another mask."""
        return LaneScope(self.emitter, self.group, self.number, self.base, self.lanes, active)

    def frame(self, leaf: Leaf) -> Frame:
        """Where uniform values come from."""
        return Frame(self.emitter, leaf, ThreadIds(self.emitter.ids, subgroup=self.number))

    def lane(self, leaf: Leaf, lane: SSAValue) -> Frame:
        """Where the values of one lane come from."""
        ids = ThreadIds(self.emitter.ids, None, lane, self.number, self.base)
        return Frame(self.emitter, leaf, ids)

    def each(self, leaf: Leaf, body: Body) -> None:
        """A loop over the active lanes."""
        build = self.emitter.build

        def step(lane: SSAValue, _: Sequence[SSAValue]) -> Sequence[SSAValue]:
            def run() -> Sequence[SSAValue]:
                body(self.lane(leaf, lane))
                return ()

            if self.active is None:
                return run()
            build.if_(build.load(self.active, lane, i1), (), run)
            return ()

        build.loop(self.lanes, (), step, "lane")
        build.mark_threads(marks.THREADS, *([marks.SUBGROUP] if leaf.in_lanes else []))

    def fold(
        self,
        leaf: Leaf,
        initial: Sequence[SSAValue],
        body: Callable[[Frame, SSAValue | None, Sequence[SSAValue]], Sequence[SSAValue]],
    ) -> Sequence[SSAValue]:
        """A loop over all lanes with values carried along; `body` gets whether each is active."""
        build = self.emitter.build

        def step(lane: SSAValue, carried: Sequence[SSAValue]) -> Sequence[SSAValue]:
            active = None if self.active is None else build.load(self.active, lane, i1)
            return body(self.lane(leaf, lane), active, carried)

        return build.loop(self.lanes, initial, step, "lane")
