"""Loops over threads without control flow: two vectors, and a loop for the threads left.

    scf.for %t = %lo to %hi step %c1 {       scf.for %t = %lo to %whole step %c32 {
      %v = memref.load %x[%t]                  %v = vector.load %x[%t] : vector<32xf32>
      …                                  ->    …
    } {gpux.threads}                         } {gpux.vectors}
                                             scf.for %t = %whole to %hi step %c16 {
                                               %on = vector.create_mask (%hi - %t)
                                               … the same under this mask
                                             } {gpux.vectors}

Of two vectors one computes while the other waits; four gain little more, and cost as much code
again. Where one has too many values at once for two in the registers, there is one (a mix of 40
words takes a fifth less so). Bodies that wait for memory have two vectors of 16 in turn instead,
so that they go through each array from line to line: on a Xeon, whose caches fetch ahead of such
accesses, exp of 2^25 takes 11 ms so instead of 13, saxpy 9.4 instead of 10. The second loop has
vectors of half the length, so that short rows need no more than they have to.

LLVM's vectoriser masks every iteration of a loop that is to end by masks, which takes a fifth to a
quarter of the time of saxpy, exp and Black-Scholes, and its pipeline five times as long as what is
needed here (emit/native.py). Where machines have no masks, what it makes of the last threads is
better: on AVX2, rows of 7 elements took vectors and single threads of ours twice as long.

With three accesses and more, four where it is done for each row of a block, the first loop begins
where its first store is at a whole vector, and the second one runs before it and after it: a vector
across two lines of the cache takes twice as long, and a stencil of five points does nothing else
than to load and store (512 x 512: 48 us instead of 55 to 59, as its arrays lie; saxpy of 2^25 takes
7 % less). It takes 4 ms to compile.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import FixedBitwidthType, IndexType, IntegerAttr, UnitAttr, i64
from xdsl.ir import Block, Operation, Region, SSAValue

from ...dialects import marks
from ...dialects.arith import DIVISIONS
from ...passes.analyses.divergence import Divergence, is_function, is_private_array
from ...passes.utils.block_editing import constant_value, erase
from .cost import LARGEST, find_registers, is_simple, most_threads, waits_for_memory
from .fits import is_known
from .region import Body
from .store_positions import position_of_store
from .vectors import At, masked_vectors, whole_vectors

INDEX = IndexType()
_MANY_ACCESSES, _IN_ROWS = 3, 4
_ACCESSES = (memref.LoadOp, memref.StoreOp)


@dataclass(frozen=True)
class Lengths:
    """How many threads the two loops have in a vector, and how many vectors the first has in
    turn."""

    whole: int
    rest: int
    in_turn: int = 1

    @property
    def step(self) -> int:
        """Threads that go through the first loop's body together."""
        return self.whole * self.in_turn


def lengths_of(loop: scf.ForOp, spreads: Divergence, bits: int) -> Lengths | None:
    """Vectors for a loop, on a machine whose registers have so many bits; None if LLVM is to see
    what can be done.

    That is where lanes' elements lie apart, for divisions, which machines have for scalars only,
    and where there are fewer threads than a vector has lanes.
    """
    widest = 8
    for op in loop.body.block.ops:
        if not _has_vectors(op, spreads):
            return None
        stored = [op.value] if isinstance(op, memref.StoreOp) else []
        vectors = (result for result in op.results if spreads[result].stride is None)
        widest = max(widest, *map(_bits_of, (*stored, *vectors)), 0)
    rest = min(bits // widest, LARGEST)
    most = most_threads(loop)
    if rest < 2 or (most is not None and most < rest):
        return None
    if (most is not None and most < 2 * rest) or not find_registers(loop, spreads):
        return Lengths(rest, rest)
    if waits_for_memory(loop, spreads):
        return Lengths(rest, rest, in_turn=2)
    return Lengths(min(2 * rest, LARGEST), rest)


def _has_vectors(op: Operation, spreads: Divergence) -> bool:
    """Whether an op is one of vectors as well, or the same for all lanes."""
    if isinstance(op, scf.YieldOp):
        return True
    if op.regions or not all(is_known(result.type) for result in op.results):
        return False
    if isinstance(op, _ACCESSES):
        uniform = spreads[op.memref].is_uniform and not is_private_array(op.memref)
        return uniform and is_simple(op, spreads)
    varies = any(spreads[result].stride is None for result in op.results)
    if varies and isinstance(op, DIVISIONS) and constant_value(op.operands[1]) is None:
        return False
    return is_function(op)


def _bits_of(value: SSAValue) -> int:
    return 8 * value.type.size if isinstance(value.type, FixedBitwidthType) else 64


# --- the loops ------------------------------------------------------------------------------------


def vectorise_straight(loop: scf.ForOp, spreads: Divergence, lengths: Lengths, bits: int) -> None:
    """Put loops over vectors in the place of a loop, for a machine as in `lengths_of`."""
    at, body = At(loop), Body(lengths.whole, spreads, loop, {}, bits // 8)
    low, high = constant_value(loop.lb), constant_value(loop.ub)
    if low is not None and high is not None and (high - low) % lengths.step == 0:
        _place(at, whole_vectors(loop, body, loop.lb, loop.ub, lengths.in_turn))
        erase(loop)
        return
    ahead = _threads_ahead(loop, lengths.rest)
    start = loop.lb if ahead is None else at.binary(arith.AddiOp, loop.lb, ahead)
    left = at.distance(start, loop.ub)
    covered = at.binary(arith.AndIOp, left, at.number(-lengths.step))
    end = at.binary(arith.AddiOp, start, covered)
    _place(at, whole_vectors(loop, body, start, end, lengths.in_turn))
    masked = Body(lengths.rest, spreads, loop, {}, bits // 8)
    if ahead is None:
        _place(at, masked_vectors(loop, masked, end, loop.ub))
    else:
        at.place(_both_ends(loop, masked, start, end))
    erase(loop)


def _place(at: At, loop: scf.ForOp) -> None:
    loop.attributes[marks.VECTORS] = UnitAttr()
    at.place(loop)


def _threads_ahead(loop: scf.ForOp, lanes: int) -> SSAValue | None:
    """How many threads, of all that there are, come before the first store at a whole vector; None
    where that is not worth it, or not known."""
    at = At(loop)
    accesses = sum(isinstance(op, _ACCESSES) for op in loop.body.block.ops)
    row = loop.parent_op()
    many = _IN_ROWS if row is not None and marks.ROWS in row.attributes else _MANY_ACCESSES
    position = position_of_store(loop, at.add) if accesses >= many else None
    if position is None:
        return None
    ahead = at.binary(arith.SubiOp, at.number(0), position)
    ahead = at.binary(arith.AndIOp, ahead, at.number(lanes - 1))
    return at.binary(arith.MinSIOp, ahead, at.distance(loop.lb, loop.ub))


def _both_ends(loop: scf.ForOp, body: Body, start: SSAValue, end: SSAValue) -> scf.ForOp:
    """The threads before `start` and from `end` on, by one loop that is run two times."""
    block = Block(arg_types=[INDEX])
    at = At(loop, block)
    zero, one, two = body.number(0), body.number(1), body.number(2)
    is_head = at.add(arith.CmpiOp(block.args[0], zero, "eq"))
    first = at.add(arith.SelectOp(is_head, loop.lb, end))
    limit = at.add(arith.SelectOp(is_head, start, loop.ub))
    _place(at, masked_vectors(loop, body, first, limit))
    at.place(scf.YieldOp.create())
    made = scf.ForOp.create(operands=[zero, two, one], regions=[Region(block)])
    made.attributes[marks.UNROLL] = IntegerAttr(1, i64)
    return made
