"""Write the plan of a kernel as loops over the threads of one block.

    Leaf                                for %z, for %y, for %x { body }      (a plain block region)
                                        for %lane { body }                   (inside a nest)
    Nest                                for %subgroup { plan of its lanes }

Ops are moved, not copied; their operands are looked up in a `Frame`, which knows for one leaf where
each value comes from: itself, an array of spilled values, or ops that make it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    LocationAttr,
    MemRefType,
    StridedLayoutAttr,
    i1,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpux
from .builder import Builder, memref_type, segments, set_type
from .ids import BlockIds, ThreadIds
from .live import Kind, Live
from .split import BLOCK, Collective, Leaf, Nest, Plan
from .uniform import Levels

Body = Callable[["Frame"], None]


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
        from .collective import emit_collective
        from .control import emit_control

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
        if leaf.body or leaf.stores:
            self.build.location = _location(leaf, self.build.location)
            scope.each(leaf, lambda frame: self._body(leaf, frame))

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
        build, ids = self.build, self.ids
        whole = BlockScope(self)
        self._once(nest.scalars, whole.frame(Leaf(BLOCK)))
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
            scope = LaneScope(self, nest.group, number, base, lanes)
            if ids.extents is None or ids.ids.is_line:
                self.plan(nest.plan, scope)
            else:
                self._clipped(nest, scope)
            return ()

        build.loop(ids.ceil_div(count), (), subgroup, "subgroup")

    def _clipped(self, nest: Nest, scope: LaneScope) -> None:
        """Run a nest for the lanes whose threads are inside the extents."""
        build, mask = self.build, self.mask()

        def inside(frame: Frame, active: SSAValue | None, found: Sequence[SSAValue]):
            first, *others = [
                build.compare("slt", frame.ids.place[axis], self.ids.count(axis))
                for axis, size in enumerate(self.ids.ids.block_size)
                if size != 1
            ]
            runs = first
            for other in others:
                runs = build.binary(arith.AndIOp, runs, other)
            build.store(runs, mask, frame.ids.lane)
            return [build.binary(arith.OrIOp, found[0], runs)]

        (any_runs,) = scope.fold(Leaf(nest.group), [build.constant(0, i1)], inside)

        def run() -> Sequence[SSAValue]:
            self.plan(nest.plan, scope.masked(mask))
            return ()

        build.if_(any_runs, (), run)


def _location(leaf: Leaf, before: LocationAttr) -> LocationAttr:
    return leaf.body[0].location if leaf.body else before


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

        nested(2)


class LaneScope:
    """Leaves are loops over the lanes of one subgroup; `active` is the mask array, if there is one.

    A later lowering may replace these loops by vectors: a leaf's ops only touch their own lane.
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


class Frame:
    """Where the values that a leaf uses come from, for one thread (or for the uniform ops)."""

    def __init__(self, emitter: Emitter, leaf: Leaf, ids: ThreadIds) -> None:
        self.emitter = emitter
        self.leaf = leaf
        self.ids = ids
        self._known: dict[SSAValue, SSAValue] = {}

    def get(self, value: SSAValue) -> SSAValue:
        """The value in this thread."""
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = self._find(value)
        return known

    def _find(self, value: SSAValue) -> SSAValue:
        emitter = self.emitter
        live = emitter.live
        home = live.homes.get(value)
        if home is None:
            return emitter.scalars.get(value, value)
        if home.kind is Kind.ID:
            assert home.op is not None, "an id has an op"
            return self.ids.value(home.op)
        if home.kind is Kind.PRIVATE:
            return self._private(value)
        if live.is_visible(home, self.leaf):
            return emitter.scalars.get(value, value)
        if value in live.recipes:
            return self._make_again(value)
        return self.load(value)

    def load(self, value: SSAValue) -> SSAValue:
        """What this thread has kept of a spilled value."""
        return self.emitter.build.load(self.emitter.array(value), self._place(value), value.type)

    def _place(self, value: SSAValue) -> SSAValue:
        """The thread's place in the array of a spilled value."""
        live = self.emitter.live
        group = live.spilled[live.alias.get(value, value)]
        return self.ids.linear if group == BLOCK else self.ids.lane

    def _make_again(self, value: SSAValue) -> SSAValue:
        op, operands = self.emitter.live.recipes[value]
        copy = op.__class__.create(
            operands=[self.get(operand) for operand in operands],
            result_types=[result.type for result in op.results],
            properties=dict(op.properties),
            attributes=dict(op.attributes),
        )
        location = self.emitter.build.location
        copy.location = op.location
        if isinstance(copy, memref.SubviewOp):
            relax_offset(copy)
        self.emitter.build.block.add_op(copy)
        self.emitter.build.location = location
        index = next(i for i, result in enumerate(op.results) if result is value)
        return copy.results[index]

    def _private(self, value: SSAValue) -> SSAValue:
        """The thread's own array: its part of an array of arrays if several leaves use it."""
        emitter, build = self.emitter, self.emitter.build
        type = memref_type(value)
        if value not in emitter.live.spilled:
            if value not in emitter.scalars:
                emitter.scalars[value] = build.array(type)
            return emitter.scalars[value]
        array, place = emitter.array(value), self._place(value)
        shape = type.get_shape()
        rank = len(shape)
        view = memref.SubviewOp.create(
            operands=[array, place],
            result_types=[part_of_array(type)],
            properties={
                "static_offsets": DenseArrayBase.from_list(i64, [DYNAMIC_INDEX, *[0] * rank]),
                "static_sizes": DenseArrayBase.from_list(i64, [1, *shape]),
                "static_strides": DenseArrayBase.from_list(i64, [1] * (rank + 1)),
                "operandSegmentSizes": segments(1, 1, 0, 0),
            },
        )
        return build.add(view).results[0]

    def move(self, op: Operation) -> None:
        """Put an op here, with its operands and those of ops inside it as this thread has them."""
        for inner in op.walk() if op.regions else (op,):
            operands = inner.operands
            found = [self.get(operand) for operand in operands]
            if any(new is not old for new, old in zip(found, operands, strict=True)):
                inner.operands = found
            if isinstance(inner, gpux.CheckOp | gpux.PrintOp):
                self.fill_ids(inner)
            elif isinstance(inner, memref.SubviewOp):
                relax_offset(inner)
        self.emitter.build.move(op)

    def fill_ids(self, op: gpux.CheckOp | gpux.PrintOp) -> None:
        """Say which thread reports."""
        ids = [*self.emitter.ids.block_id, *self.ids.place]
        count = len(op.values)
        first = 1 if isinstance(op, gpux.CheckOp) else 0
        op.operands = [*op.operands[: first + count], *ids]
        op.properties["operandSegmentSizes"] = segments(*[1] * first, count, 6)

    def keep(self, values: Sequence[SSAValue]) -> None:
        """Store those of `values` that other leaves use."""
        for value in values:
            self.keep_as(value, value)

    def keep_as(self, value: SSAValue, target: SSAValue) -> None:
        """Store what stands for `target`, if other leaves use it."""
        if target in self.emitter.live.spilled:
            self.store(value, target)

    def store(self, value: SSAValue, target: SSAValue) -> None:
        """Keep `value` in the place of `target`."""
        self.emitter.build.store(value, self.emitter.array(target), self._place(target))


def relax_offset(op: memref.SubviewOp) -> None:
    """Give a view the type without a known offset, if the array it is a part of has none."""
    type = memref_type(op.result)
    source, layout = memref_type(op.source).layout, type.layout
    if not isinstance(source, StridedLayoutAttr) or not isinstance(layout, StridedLayoutAttr):
        return
    if source.get_offset() is None and layout.get_offset() is not None:
        relaxed = StridedLayoutAttr(layout.strides, None)
        set_type(op.result, MemRefType(type.element_type, type.shape, relaxed))


def part_of_array(type: MemRefType[Attribute]) -> MemRefType[Attribute]:
    """The type of one thread's array in an array of arrays: the same strides, some offset."""
    strides: list[int] = []
    size = 1
    for extent in reversed(type.get_shape()):
        strides.insert(0, size)
        size *= extent
    layout = StridedLayoutAttr(strides, None)
    return MemRefType(type.element_type, type.get_shape(), layout)
