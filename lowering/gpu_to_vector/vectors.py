"""A loop over threads as a loop over vectors, and one more for the last threads.

scf.for %t = %lo to %hi step %c1 {       scf.for %t = %lo to %whole step %c8 { all lanes }
  …                                  ->  scf.if (%whole < %hi) {
} {gpux.threads}                           %on = vector.create_mask (%hi - %whole)
                                           … the same under this mask
                                         }
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, memref, scf, vector
from xdsl.dialects.builtin import IndexType, MemRefType, i1
from xdsl.ir import Block, Operation, Region, SSAValue

from ...passes.analyses.divergence import Divergence
from ...passes.utils.block_editing import constant, constant_value, erase
from ..memref_views import as_memref
from .region import Body

_BYTES = 4
"""The width of subgroups is that of registers in lanes of so many bytes."""


def vectorise(
    loop: scf.ForOp, spreads: Divergence, arrays: Sequence[SSAValue], width: int, at_once: int
) -> None:
    """Put loops over `at_once` vectors of `width` lanes, then over single ones, in its place."""
    before = At(loop)
    low, high = constant_value(loop.lb), constant_value(loop.ub)
    lanes = width * at_once
    own = _with_lanes(arrays, lanes)
    body = Body(lanes, spreads, loop, own, _BYTES * width)
    if low is not None and high is not None and (high - low) % lanes == 0:
        before.place(whole_vectors(loop, body, loop.lb, loop.ub))
    else:
        count = before.distance(loop.lb, loop.ub)
        covered = before.binary(arith.AndIOp, count, before.number(-lanes))
        end = before.binary(arith.AddiOp, loop.lb, covered)
        before.place(whole_vectors(loop, body, loop.lb, end))
        own = own if at_once == 1 else _with_lanes(arrays, width)
        masked = Body(width, spreads, loop, own, _BYTES * width)
        before.place(masked_vectors(loop, masked, end, loop.ub))
    erase(loop)


def whole_vectors(
    loop: scf.ForOp, body: Body, start: SSAValue, end: SSAValue, in_turn: int = 1
) -> scf.ForOp:
    """A loop like this one over so many vectors in turn, to be placed; its limits are that far
    apart, once or more often."""
    block = body.arguments([loop.lb.type])
    first = block.args[0]
    for number in range(in_turn):
        if number:
            with body.at(block, None):
                distance = body.number(number * body.width)
                first = body.binary(arith.AddiOp, block.args[0], distance)
        _write(body, loop, block, None, first)
    return _over_vectors(body, start, end, block, in_turn)


def partial_vector(
    loop: scf.ForOp, body: Body, block: Block, first: SSAValue, end: SSAValue
) -> None:
    """At the end of a block the loop's body for the threads from `first` to `end`: no more than a
    vector has lanes."""
    with body.at(block, None):
        left = body.binary(arith.SubiOp, end, first)
        lanes = vector.CreateMaskOp.create(operands=[left], result_types=[body.vector_type(i1)])
        mask = body.value(lanes)
    _write(body, loop, block, mask, first)


def masked_vectors(loop: scf.ForOp, body: Body, start: SSAValue, end: SSAValue) -> scf.ForOp:
    """A loop like this one over vectors under masks, to be placed."""
    block = body.arguments([loop.lb.type])
    partial_vector(loop, body, block, block.args[0], end)
    return _over_vectors(body, start, end, block)


def _over_vectors(
    body: Body, start: SSAValue, end: SSAValue, block: Block, in_turn: int = 1
) -> scf.ForOp:
    block.add_op(scf.YieldOp.create())
    step = body.number(in_turn * body.width)
    return scf.ForOp.create(operands=[start, end, step], regions=[Region(block)])


def _write(
    body: Body, loop: scf.ForOp, block: Block, mask: SSAValue | None, first: SSAValue
) -> None:
    """The loop's body for the lanes of `mask`, at the end of a block; `first` is lane 0's
    thread."""
    old = loop.body.block
    body.bind(old.args[0], first)
    with body.at(block, mask):
        body.ops(old)


def _with_lanes(arrays: Sequence[SSAValue], width: int) -> dict[SSAValue, SSAValue]:
    """For each array of a single thread one with a place for each lane, beside it."""
    found: dict[SSAValue, SSAValue] = {}
    for array in arrays:
        owner = array.owner
        assert isinstance(owner, memref.AllocaOp), "a thread's own array is an alloca"
        type = as_memref(array.type)
        new = memref.AllocaOp.create(
            result_types=[MemRefType(type.element_type, [*type.get_shape(), width])],
            properties=dict(owner.properties),
            attributes=dict(owner.attributes),
            location=owner.location,
        )
        new.results[0].name_hint = array.name_hint
        assert owner.parent is not None, "an alloca stands in a block"
        owner.parent.insert_op_after(new, owner)
        found[array] = new.results[0]
    return found


class At:
    """Writes ops before a loop, or at the end of a block, with the loop's location."""

    def __init__(self, loop: scf.ForOp, block: Block | None = None) -> None:
        self.loop = loop
        self.block = block

    def place(self, op: Operation) -> Operation:
        """Write an op."""
        op.location = self.loop.location
        if self.block is not None:
            self.block.add_op(op)
        else:
            assert self.loop.parent is not None, "the loop stands in a block"
            self.loop.parent.insert_op_before(op, self.loop)
        return op

    def add(self, op: Operation) -> SSAValue:
        """Write an op with one result."""
        return self.place(op).results[0]

    def number(self, value: int) -> SSAValue:
        """Write a constant."""
        return self.add(constant(IndexType(), value, self.loop.location))

    def binary(self, kind: type[Operation], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """Write `kind(lhs, rhs)` of indices."""
        return self.add(kind(lhs, rhs))  # pyright: ignore[reportCallIssue]

    def distance(self, low: SSAValue, high: SSAValue) -> SSAValue:
        """Write how many threads there are from `low`, 0 or more, to `high`, which may be any."""
        return self.binary(arith.SubiOp, self.binary(arith.MaxSIOp, high, low), low)
