"""A lane's value out of memory again, where that is cheaper than out of a vector.

%v = memref.load %x[%i]                  for each lane l:
%n = arith.extui %v : i8 to i32            %a = memref.load %x[%i + l]
gpux.atomic_rmw "add" %c, %bins[%n]   ->   %b = arith.extui %a
                                           gpux.atomic_rmw "add" %c, %bins[%b]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects import arith, memref
from xdsl.ir import Operation, SSAValue

from ...passes.analyses.divergence import is_function

if TYPE_CHECKING:
    from .region import Body

_CASTS = (arith.ExtUIOp, arith.ExtSIOp, arith.TruncIOp, arith.IndexCastOp)


def loaded_by(body: Body, op: Operation, value: SSAValue, index: SSAValue) -> SSAValue | None:
    """What `op`, done lane by lane, uses in lane `index`, if lanes load it side by side.

    Nothing may be written between the load and the op; None if another way has to be taken.
    """
    casts: list[Operation] = []
    while isinstance(value.owner, _CASTS):
        casts.append(value.owner)
        value = value.owner.operands[0]
    load = value.owner
    if not isinstance(load, memref.LoadOp) or not _is_side_by_side(body, load):
        return None
    if not _is_quiet(load, op):
        return None
    *outer, last = [body.scalar(each) for each in load.indices]
    place = body.binary(arith.AddiOp, last, index)
    found = _copy(body, load, [body.scalar(load.memref), *outer, place])
    for cast in reversed(casts):
        found = _copy(body, cast, [found])
    return found


def _is_side_by_side(body: Body, load: memref.LoadOp) -> bool:
    if load.memref in body.own_arrays or not body.spreads[load.memref].is_uniform:
        return False
    *outer, last = [body.spreads[each] for each in load.indices] or [body.spreads[load.memref]]
    return last.stride == 1 and all(spread.is_uniform for spread in outer)


def _is_quiet(load: Operation, op: Operation) -> bool:
    """Whether only functions and other loads stand between the two, in one block.

    No check either: if others change the memory, what is used has to be what was checked.
    """
    between = load.next_op
    while between is not None and between is not op:
        if not isinstance(between, memref.LoadOp) and (between.regions or not is_function(between)):
            return False
        between = between.next_op
    return between is op


def _copy(body: Body, op: Operation, operands: list[SSAValue]) -> SSAValue:
    copy = op.__class__.create(
        operands=operands,
        result_types=[result.type for result in op.results],
        properties=dict(op.properties),
        attributes=dict(op.attributes),
    )
    return body.value(copy)
