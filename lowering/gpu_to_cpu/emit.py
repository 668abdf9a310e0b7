"""Write the plan of a kernel as loops over the threads of one block.

    Leaf                                for %z, for %y, for %x { body }      (a plain block region)
                                        for %lane { body }                   (inside a nest)
    Nest                                for %subgroup { plan of its lanes }

Ops are moved, not copied; their operands are looked up in a `Frame`, which knows where the values
of one leaf come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import LocationAttr, MemRefType, i1
from xdsl.ir import Attribute, Operation, SSAValue

from .builder import Builder, memref_type
from .collective import emit_collective
from .control import emit_control
from .frame import Frame
from .ids import BlockIds
from .live import Live
from .scopes import BlockScope, LaneScope
from .split import BLOCK, Collective, Leaf, Nest, Plan
from .uniform import Levels


class Emitter:
    """What is needed everywhere while a kernel is written."""

    def __init__(self, build: Builder, ids: BlockIds, levels: Levels, live: Live) -> None:
        self.build = build
        self.ids = ids
        self.levels = levels
        self.live = live
        # What stands for a uniform value of the kernel: arguments, and what control flow defines.
        self.scalars: dict[SSAValue, SSAValue] = {}
        self._arrays: dict[SSAValue, SSAValue] = {}

    @property
    def lanes(self) -> SSAValue:
        """How many lanes a whole subgroup has."""
        return self.build.constant(self.ids.ids.subgroup_size)

    def plan(self, plan: Plan, scope: BlockScope | LaneScope) -> None:
        """Write all items of a plan."""
        for item in plan:
            if isinstance(item, Leaf):
                self._leaf(item, scope)
            elif isinstance(item, Nest):
                self._nest(item)
            elif isinstance(item, Collective):
                assert isinstance(scope, LaneScope), "subgroup ops stand in nests"
                emit_collective(self, item, scope)
            else:
                emit_control(self, item, scope)

    def array(self, value: SSAValue) -> SSAValue:
        """The array in which threads keep a spilled value."""
        value = self.live.alias.get(value, value)
        if value not in self._arrays:
            element: Attribute = value.type
            shape: Sequence[int] = ()
            if isinstance(element, MemRefType):
                shape, element = element.get_shape(), memref_type(value).element_type
            array = self.build.array_of(self._places(value), element, shape)
            array.name_hint = f"{value.name_hint}_kept" if value.name_hint else "kept"
            self._arrays[value] = array
        return self._arrays[value]

    def mask(self) -> SSAValue:
        """A new array that says which lanes of a subgroup are active."""
        array = self.build.array_of(self.lanes, i1)
        array.name_hint = "mask"
        return array

    def _places(self, value: SSAValue) -> SSAValue:
        if self.live.spilled[value] != BLOCK:
            return self.lanes
        with self.build.at(self.build.prologue):
            return self.ids.threads

    def _leaf(self, leaf: Leaf, scope: BlockScope | LaneScope) -> None:
        self._once(leaf.scalars, scope.frame(leaf))
        if not (leaf.body or leaf.stores):
            return
        self.build.location = _location(leaf, self.build.location)
        if leaf.in_lanes:
            self._subgroups(leaf.group, lambda lanes: self._lanes(leaf, lanes))
        else:
            scope.each(leaf, lambda frame: self._body(leaf, frame))

    def _lanes(self, leaf: Leaf, lanes: LaneScope) -> None:
        """A leaf whose threads run together, those inside the extents."""

        def body(frame: Frame) -> None:
            if self.ids.extents is None or self.ids.ids.is_line:
                self._body(leaf, frame)
                return

            def run() -> Sequence[SSAValue]:
                self._body(leaf, frame)
                return ()

            self.build.if_(self._is_inside(frame), (), run)

        lanes.each(leaf, body)

    def _once(self, ops: Sequence[Operation], frame: Frame) -> None:
        for op in ops:
            frame.move(op)

    def _body(self, leaf: Leaf, frame: Frame) -> None:
        for op in leaf.body:
            if not isinstance(op, memref.AllocaOp):
                frame.move(op)
                frame.keep(op.results)
        kept = [(frame.get(value), target) for value, target in leaf.stores]
        for value, target in kept:
            frame.store(value, target)

    def _nest(self, nest: Nest) -> None:
        self._once(nest.scalars, BlockScope(self).frame(Leaf(BLOCK)))

        def run(scope: LaneScope) -> None:
            if self.ids.extents is None or self.ids.ids.is_line:
                self.plan(nest.plan, scope)
            else:
                self._clipped(nest, scope)

        self._subgroups(nest.group, run)

    def _subgroups(self, group: int, write: Callable[[LaneScope], None]) -> None:
        """A loop over the subgroups of a block."""
        build, ids = self.build, self.ids
        # In a line the threads that run are the first ones; otherwise a mask says which they are.
        count = ids.count(0) if ids.ids.is_line else ids.threads
        size = ids.ids.subgroup_size

        def subgroup(number: SSAValue, _: Sequence[SSAValue]) -> Sequence[SSAValue]:
            base = build.times(number, self.lanes)
            lanes = self.lanes
            known = build.known(count)
            if known is None or known % size:
                left = build.binary(arith.SubiOp, count, base)
                lanes = build.binary(arith.MinSIOp, left, self.lanes)
            write(LaneScope(self, group, number, base, lanes))
            return ()

        build.loop(ids.ceil_div(count), (), subgroup, "subgroup")

    def _is_inside(self, frame: Frame) -> SSAValue:
        """Whether a thread is inside the extents."""
        build = self.build
        first, *others = [
            build.compare("slt", frame.ids.place[axis], self.ids.count(axis))
            for axis, size in enumerate(self.ids.ids.block_size)
            if size != 1
        ]
        for other in others:
            first = build.binary(arith.AndIOp, first, other)
        return first

    def _clipped(self, nest: Nest, scope: LaneScope) -> None:
        """Run a nest for the lanes whose threads are inside the extents."""
        build, mask = self.build, self.mask()

        def inside(frame: Frame, active: SSAValue | None, found: Sequence[SSAValue]):
            runs = self._is_inside(frame)
            build.store(runs, mask, frame.ids.lane)
            return [build.binary(arith.OrIOp, found[0], runs)]

        (any_runs,) = scope.fold(Leaf(nest.group), [build.constant(0, i1)], inside)

        def run() -> Sequence[SSAValue]:
            self.plan(nest.plan, scope.masked(mask))
            return ()

        build.if_(any_runs, (), run)


def _location(leaf: Leaf, before: LocationAttr) -> LocationAttr:
    return leaf.body[0].location if leaf.body else before
