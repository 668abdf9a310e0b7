"""fetch-ahead: loops over vectors ask for the lines that they will write, or read.

    scf.for %j = %t to %n step %c64 {       scf.for %j = %t to %n step %c64 {
      …                                       …
      vector.store %v, %out[%i, %j]    ->     vector.store %v, %out[%i, %j] {gpux.fetch_ahead = 512}
    }                                       }

Processors notice that loads go on through memory, and fetch ahead of them. Of stores the Xeon where
this was measured does not: a line has to be in the cache before it is written, and what waits for
one fills the store buffer. Of loads alone it fetches too little. So it is asked for

- what stores of a loop come to, that go on for some lines in an array which the loop does not load
  from (those lines come with the loads);
- in launches that write more than the caches hold (`gpux.streams`), in any array;
- what loops without stores load that do little but to add it up, where the array is larger than a
  cache of one processor, which is found out before the loop. Then it is not unrolled: of loads and
  requests in another order nothing is gained, or lost.

Two threads on that Xeon, time with it in units of that without, both in one process: a
normalisation of rows of 1024 f32, 128 of them 0.91, 4096 0.95 (0.73 and 0.89 in other processes,
whose arrays lie in other places), softmax 0.99, saxpy of 2^25 0.94, the sum of 2^26 0.91, of 2^20
to 2^24 1.00, of 2^17 and 2^18, if it were asked for, 1.09; exp, a stencil and a convolution in the
caches 0.98 to 1.02. 256 to 2048 bytes ahead are much the same, where an iteration does not go on
further: if it asks for lines that others read, the sum of 2^26 by blocks of 256 threads takes 1.4.
Where arrays are read and written in the cache it would cost saxpy a tenth.

What blocks copy tile by tile is asked for as `fetch_tiles.py` says: a product of 1024 x 1024 f32 by
two threads 0.955; of its parts, the tiles save 2 to 3 %, the results 3 to 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, func, memref, scf, vector
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, VectorType, i64
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects import marks
from ...dialects.making import copy_of
from ...dialects.vector import is_nontemporal
from ...dialects.walking import ops_of_class
from ...passes.analyses.divergence import VARYING, Divergence, Spread, affine, terminator
from ...passes.utils.block_editing import constant_value
from ...passes.utils.versions import branch_instead
from .array_sizes import element_bytes, is_large
from .fetch_tiles import fetch_tiles
from .vectors import At

DISTANCE = 512
"""Bytes from an access to the line that is fetched for one of the next."""
_LITTLE = 3
"""Ops on vectors for each that is loaded."""
_PLAIN = (vector.LoadOp, scf.YieldOp)
_LOADS = ("vector.load", "vector.maskedload", "vector.gather", "memref.load")


@dataclass(frozen=True)
class FetchAhead(ModulePass):
    """Marks loads and stores of vectors whose next lines are to be fetched.

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
                fetch_tiles(function)


def _loop(loop: scf.ForOp, streams: bool) -> None:
    ops = list(loop.body.block.ops)
    stores = [op for op in ops if isinstance(op, vector.StoreOp)]
    loads = [op for op in ops if isinstance(op, vector.LoadOp)]
    if stores:
        readers = [] if streams else [op for op in ops if op.name in _LOADS]
        read = {op.operands[0] for op in readers}
        found = [op for op in stores if op.base not in read and not is_nontemporal(op)]
    else:
        found = loads if _only_adds_up(ops, len(loads)) else []
    if not found:
        return
    spreads = Divergence(loop.body, _from_iteration_to_iteration(loop))
    found = [op for op in found if _goes_on(loop, op, spreads)]
    if found and isinstance(found[0], vector.LoadOp):
        _in_cache_apart(loop, found[0])
        loop.attributes[marks.UNROLL] = IntegerAttr(1, i64)
    for op in found:
        op.attributes[marks.FETCH_AHEAD] = IntegerAttr(DISTANCE, i64)


def _in_cache_apart(loop: scf.ForOp, load: vector.LoadOp) -> None:
    """Put a branch in a loop's place: the loop itself where the array of a load is large."""
    branch_instead(loop, is_large(At(loop), load.base), [loop], [copy_of(loop)])


def _only_adds_up(ops: Sequence[Operation], loads: int) -> bool:
    """Whether what is loaded is used for so little that memory decides what the loop takes."""
    work = sum(len(op.results) > 0 and isinstance(op.results[0].type, VectorType) for op in ops)
    plain = all(isinstance(op, _PLAIN) or op.name.startswith("arith.") for op in ops)
    return plain and 0 < work - loads <= _LITTLE * loads


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


def _goes_on(loop: scf.ForOp, op: vector.LoadOp | vector.StoreOp, spreads: Divergence) -> bool:
    """Whether iterations access memory near each other, in ascending order and for some lines."""
    is_own = isinstance(op.base.owner, memref.AllocaOp)  # of a block: in the cache
    if is_own or not spreads[op.base].is_uniform or not op.indices:
        return False
    *outer, last = (spreads[index] for index in op.indices)
    if last.stride is None or not all(spread.is_uniform for spread in outer):
        return False
    ahead = last.stride * element_bytes(op.base)
    return 0 < ahead <= DISTANCE and not _is_short(loop, ahead)


def _is_short(loop: scf.ForOp, ahead: int) -> bool:
    """Whether a loop that goes on so many bytes in an iteration is known to end soon."""
    limits = [constant_value(value) for value in (loop.lb, loop.ub, loop.step)]
    low, high, step = (limit or 0 for limit in limits)
    return None not in limits and (high - low) * ahead < 2 * DISTANCE * step
