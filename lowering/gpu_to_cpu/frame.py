"""Where a leaf finds the values it uses, for the thread that its loop is at.

defined in the leaf itself           the value
uniform                              what is computed before the loop
an id                                from the loop's variables (see `ids`)
spilled by another leaf              memref.load %v_kept[%thread]
cheap, or a view                     its op once more, on operands found the same way
a thread's own array                 memref.subview %l_kept[%thread, …]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects import memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    MemRefType,
    StridedLayoutAttr,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpux
from ...dialects.walking import ops_of
from ...passes.analyses.divergence import mark_private
from .builder import memref_type, segments, set_type
from .ids import ThreadIds
from .live import Kind
from .split import BLOCK, Leaf

if TYPE_CHECKING:
    from .emit import Emitter


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
                # One for all threads, since each runs to the end before the next one begins.
                array = emitter.scalars[value] = build.array(type)
                mark_private(array)
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
        for inner in ops_of(op) if op.regions else (op,):
            operands = inner.operands
            found = [self.get(operand) for operand in operands]
            if any(new is not old for new, old in zip(found, operands, strict=True)):
                inner.operands = found
            if isinstance(inner, gpux.ReportOp):
                self.fill_ids(inner)
            elif isinstance(inner, memref.SubviewOp):
                relax_offset(inner)
        self.emitter.build.move(op)

    def fill_ids(self, op: gpux.ReportOp) -> None:
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
