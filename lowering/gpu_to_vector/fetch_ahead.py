"""fetch-ahead: loops that store vectors ask for the lines that they will write.

    scf.for %j = %t to %n step %c64 {       scf.for %j = %t to %n step %c64 {
      …                                       …
      vector.store %v, %out[%i, %j]    ->     vector.store %v, %out[%i, %j] {gpux.fetch_ahead = 512}
    }                                       }

A line has to be in the cache before it is written, and a processor that waits for one keeps what
follows in its store buffer, which is soon full. What is loaded comes in time: processors notice
that loads go on, and fetch ahead of them; of stores they do not on the Xeon where this was measured
(two threads; time with it in units of that without): a normalisation of rows of 1024 f32, 512 KiB
written, 0.73, 16 MiB 0.89; softmax of the latter 0.87; exp of 2^25 0.83 (by streaming stores 0.81),
of up to 2^20 between 0.97 and 1.02. Distances of 256 and 1024 bytes are much the same.

So it is for stores of loops that go on for some lines, to arrays that the loop does not load from:
those lines come with the loads, and asking again costs saxpy of 2^16 a tenth. In launches that
write more than the caches hold (`gpux.streams`) it pays there, too (saxpy of 2^25 0.92).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, func, scf, vector
from xdsl.dialects.builtin import FixedBitwidthType, IntegerAttr, ModuleOp, VectorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass

from ...dialects import marks
from ...dialects.walking import ops_of_class
from ...passes.analyses.divergence import VARYING, Divergence, Spread, affine, terminator
from ...passes.utils.block_editing import constant_value

DISTANCE = 512
"""Bytes from a store to the line that is fetched for one of the next."""
_FARTHEST = 1024
"""Bytes that an iteration may go on: in larger steps, lines are those of other rows."""
_LOADS = ("vector.load", "vector.maskedload", "vector.gather", "memref.load")


@dataclass(frozen=True)
class FetchAhead(ModulePass):
    """Marks stores of vectors whose next lines are to be fetched.

    Only where `wanted`: on processors that are known to need it.
    """

    name = "fetch-ahead"
    wanted: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not self.wanted:
            return
        for function in op.body.block.ops:
            if isinstance(function, func.FuncOp):
                streams = marks.STREAMS in function.attributes
                for loop in ops_of_class(function, scf.ForOp):
                    _loop(loop, streams)


def _loop(loop: scf.ForOp, streams: bool) -> None:
    ops = list(loop.body.block.ops)
    loads = [] if streams else [op for op in ops if op.name in _LOADS]
    read = {op.operands[0] for op in loads}
    stores = [op for op in ops if isinstance(op, vector.StoreOp) and _is_cached(op)]
    stores = [op for op in stores if op.base not in read]
    if not stores:
        return
    spreads = Divergence(loop.body, _from_iteration_to_iteration(loop))
    for store in stores:
        if _goes_on(loop, store, spreads):
            store.attributes[marks.FETCH_AHEAD] = IntegerAttr(DISTANCE, i64)


def _is_cached(store: vector.StoreOp) -> bool:
    nontemporal = store.properties.get("nontemporal")
    return not isinstance(nontemporal, IntegerAttr) or not nontemporal.value.data


def _from_iteration_to_iteration(loop: scf.ForOp) -> dict[SSAValue, Spread]:
    """By how much the loop's counter and what it carries grow."""
    counter, *carried = loop.body.block.args
    step = constant_value(loop.step)
    found: dict[SSAValue, Spread] = {counter: VARYING if step is None else affine(step)}
    for value, after in zip(carried, terminator(loop.body).operands, strict=True):
        add = after.owner
        step = None
        if isinstance(add, arith.AddiOp) and add.lhs is value:
            step = constant_value(add.rhs)
        found[value] = VARYING if step is None else affine(step)
    return found


def _goes_on(loop: scf.ForOp, store: vector.StoreOp, spreads: Divergence) -> bool:
    """Whether iterations store near each other, in ascending order and for some lines."""
    if not spreads[store.base].is_uniform or not store.indices:
        return False
    *outer, last = (spreads[index] for index in store.indices)
    if last.stride is None or not all(spread.is_uniform for spread in outer):
        return False
    kind = cast("VectorType[Attribute]", store.vector.type).element_type
    ahead = last.stride * (kind.size if isinstance(kind, FixedBitwidthType) else 8)
    return 0 < ahead <= _FARTHEST and not _is_short(loop, ahead)


def _is_short(loop: scf.ForOp, ahead: int) -> bool:
    """Whether a loop that goes on so many bytes in an iteration is known to end soon."""
    limits = [constant_value(value) for value in (loop.lb, loop.ub, loop.step)]
    low, high, step = (limit or 0 for limit in limits)
    return None not in limits and (high - low) * ahead < 2 * DISTANCE * step
