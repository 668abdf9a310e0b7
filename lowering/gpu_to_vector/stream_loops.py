"""Loops whose stores go past the caches: vectors of a line's length, which begin with lines.

`stream_stores` says which loops, and shows the IR before and after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects import arith, memref, scf, vector
from xdsl.dialects.builtin import BoolAttr, IndexType, IntegerAttr, UnitAttr, i64
from xdsl.ir import Block, Operation, Region, SSAValue

from ...dialects import marks
from ..emit.machine import LINE
from .region import Body
from .store_positions import position_of_store
from .vectors import At, partial_vector, whole_vectors

if TYPE_CHECKING:
    from .stream_stores import Stream

INDEX = IndexType()


def split(stream: Stream) -> bool:
    """Vectors instead of the loop where lines can be found; whether they can."""
    block = Block()
    position = position_of_store(stream.loop, At(stream.loop, block).add)
    if position is not None:
        _split(stream, position, block)
    return position is not None


def _split(stream: Stream, position: SSAValue, block: Block) -> None:
    """Vectors instead of a loop, in a branch: a block that so far computes the store's position."""
    loop, before, inside = stream.loop, At(stream.loop), At(stream.loop, block)
    address = before.add(memref.ExtractAlignedPointerAsIndexOp.get(stream.store.memref))
    odd = before.add(arith.AndIOp(address, before.number(stream.element - 1)))
    begins = before.add(arith.CmpiOp(odd, before.number(0), "eq"))
    start, end = _lines(stream, position, inside)
    body = Body(stream.lanes, stream.spreads, loop, {}, LINE)
    whole = whole_vectors(loop, body, start, end)
    whole.attributes[marks.VECTORS] = UnitAttr()
    for op in whole.walk():
        if isinstance(op, vector.StoreOp):
            op.properties["nontemporal"] = BoolAttr.from_bool(True)
            op.attributes["alignment"] = IntegerAttr(LINE, i64)
    inside.place(whole)
    inside.place(_ends(stream, start, end))
    inside.place(scf.YieldOp.create())
    otherwise = Block()
    before.place(scf.IfOp.create(operands=[begins], regions=[Region(block), Region(otherwise)]))
    loop.detach()
    otherwise.add_op(loop)
    At(loop, otherwise).place(scf.YieldOp.create())
    del loop.attributes[marks.THREADS]
    loop.attributes[marks.COLD] = UnitAttr()


def _lines(stream: Stream, position: SSAValue, at: At) -> tuple[SSAValue, SSAValue]:
    """The first thread that stores at the beginning of a line, and the one after the last line."""
    loop, zero = stream.loop, at.number(0)
    count = at.distance(loop.lb, loop.ub)
    ahead = at.add(arith.SubiOp(zero, position))
    ahead = at.add(arith.AndIOp(ahead, at.number(stream.lanes - 1)))
    ahead = at.add(arith.MinSIOp(ahead, count))
    whole = at.add(arith.SubiOp(count, ahead))
    whole = at.add(arith.AndIOp(whole, at.number(-stream.lanes)))
    start = at.add(arith.AddiOp(loop.lb, ahead))
    return start, at.add(arith.AddiOp(start, whole))


def _ends(stream: Stream, start: SSAValue, end: SSAValue) -> Operation:
    """What is before the first line and after the last one, each less than a vector: one vector
    under a mask, run two times."""
    loop, block = stream.loop, Block(arg_types=[INDEX])
    at, body = At(loop, block), Body(stream.lanes, stream.spreads, loop, {}, LINE)
    zero, one, two = body.number(0), body.number(1), body.number(2)
    is_head = at.add(arith.CmpiOp(block.args[0], zero, "eq"))
    first = at.add(arith.SelectOp(is_head, loop.lb, end))
    limit = at.add(arith.SelectOp(is_head, start, loop.ub))
    partial_vector(loop, body, block, first, limit)
    at.place(scf.YieldOp.create())
    made = scf.ForOp.create(operands=[zero, two, one], regions=[Region(block)])
    made.attributes[marks.VECTORS] = UnitAttr()
    return made
