"""peel-partial-vectors: the last threads of a loop, too few for vectors, get one of their own.

    scf.for %t = %lo to %hi step %c1 {          %whole = max(… >> 5, 0) << 5
      %v = memref.load %x[%t]                   scf.for %k = %c0 to %whole step %c1 {
      …                                           %t = arith.addi %lo, %k
    } {gpux.threads}                    ->        %v = memref.load %x[%t]
                                                  …
                                                } {gpux.interleave = 2, gpux.threads}
                                                scf.for %t = %lo + %whole to %hi step %c1 {
                                                  %v = memref.load %x[%t]
                                                  …
                                                } {gpux.threads}

At the cpu level, for straight-line loops over threads, which LLVM's vectoriser takes. Where it ends
loops by masks (AVX-512), it masks every iteration: a fifth to a quarter of the time of saxpy, exp
and Black-Scholes. It sees that the first loop has no rest, so there are no masks in it, and takes
two vectors at once, so that one computes while the other waits (four gain little more, and cost as
much code again), where a block can have so many threads in a row. The second loop is the one with
masks, which short rows need: as scalars, 30 of 510 threads take as long as the others.

The number of whole vectors is shifted to the left: of a count with its last bits masked LLVM
forgets in some of its passes that there is no rest, and adds a loop for it that never runs.

With many accesses, the first loop begins where its first store is at a whole vector, and the second
one runs before it and after it: a vector across two lines of the cache takes twice as long, and a
stencil of five points does nothing else than to load and store (512 x 512: 48 us instead of 55 to
59, as its arrays lie; saxpy and exp gain 4 %, and would take 7 ms more to compile).
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, math, memref, scf
from xdsl.dialects.builtin import (
    FixedBitwidthType,
    IndexType,
    IntegerAttr,
    ModuleOp,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import Pure

from ..dialects import marks
from ..dialects.diagnostics import CompileError
from ..dialects.walking import ops_of
from .block_editing import constant, constant_value
from .divergence import is_private_array
from .store_positions import position_of_store

INDEX = IndexType()
_VECTORS = 2
_PLAIN = (math.AbsFOp, math.FmaOp, math.SqrtOp, math.FloorOp, math.CeilOp)
_ACCESSES = (memref.LoadOp, memref.StoreOp)
_MANY_ACCESSES = 4
_LARGEST_BODY, _FUNCTION = 400, 40
"""Ops of a body for which two loops are worth compiling, and what a math function counts as."""


@dataclass(frozen=True)
class PeelPartialVectors(ModulePass):
    """Splits loops over threads behind the last whole vectors of `bits`; 0 bits change nothing."""

    name = "peel-partial-vectors"
    bits: int = 0

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.bits < 0 or self.bits & (self.bits - 1):
            raise CompileError(f"bits is {self.bits}, expected 0 or a power of two")
        if not self.bits:
            return
        loops = [inner for inner in ops_of(op) if marks.THREADS in inner.attributes]
        for loop in loops:
            if isinstance(loop, scf.ForOp) and constant_value(loop.step) == 1:
                widest = _widest_access(loop)
                if widest is not None and not loop.iter_args:
                    _peel(loop, max(1, self.bits // widest))


def _peel(loop: scf.ForOp, width: int) -> None:
    """Split a loop over vectors of so many threads, two at once if there can be so many."""
    low, high = (_limit(loop.lb, {}, upper=False), _limit(loop.ub, {}, upper=True))
    most = _VECTORS * width if low is None or high is None else high - low
    if most < width:
        return
    vectors = min(_VECTORS, most // width)
    is_known = constant_value(loop.lb) is not None and constant_value(loop.ub) is not None
    if is_known and most % (vectors * width) == 0:
        loop.attributes[marks.INTERLEAVE] = IntegerAttr(
            vectors, i64
        )  # LLVM sees that there is no rest
    else:
        _split(loop, width * vectors, vectors)


def _limit(value: SSAValue, known: dict[SSAValue, int | None], *, upper: bool) -> int | None:
    """The most or least that a value can be, where that is so whatever is not constant."""
    if value not in known:
        op = value.owner
        known[value] = constant_value(value)
        if isinstance(op, arith.MinSIOp | arith.MaxSIOp | arith.SelectOp):
            parts = [_limit(part, known, upper=upper) for part in (op.lhs, op.rhs)]
            numbers = [part for part in parts if part is not None]
            if numbers and isinstance(op, arith.MinSIOp if upper else arith.MaxSIOp):
                known[value] = min(numbers) if upper else max(numbers)
            elif len(numbers) == len(parts):
                known[value] = max(numbers) if upper else min(numbers)
    return known[value]


def _widest_access(loop: scf.ForOp) -> int | None:
    """Bits of the widest element that a loop reads or writes; None if it stays as it is."""
    widest, size = 0, 0
    for op in loop.body.block.ops:
        size += _FUNCTION if op.name.startswith("math.") and not isinstance(op, _PLAIN) else 1
        if isinstance(op, _ACCESSES):
            if is_private_array(op.memref):
                return None
            moved = op.res if isinstance(op, memref.LoadOp) else op.value
            widest = max(widest, _bits_of(moved.type))
        elif op.regions or not (isinstance(op, scf.YieldOp | memref.DimOp) or op.has_trait(Pure)):
            return None
    return widest if widest and size <= _LARGEST_BODY else None


def _bits_of(kind: Attribute) -> int:
    return 8 * kind.size if isinstance(kind, FixedBitwidthType) else 64


def _split(loop: scf.ForOp, threads: int, vectors: int) -> None:
    """Multiples of so many threads run in a loop before this one, which runs the others."""

    def add(op: Operation) -> SSAValue:
        _put(op, loop)
        return op.results[0]

    zero = add(constant(INDEX, 0, loop.location))
    start, left = loop.lb, _without_least(loop.ub, 0)
    if constant_value(loop.lb) != 0:
        left = add(arith.SubiOp(loop.ub, loop.lb))
    accesses = sum(isinstance(op, _ACCESSES) for op in loop.body.block.ops)
    position = position_of_store(loop, add) if accesses >= _MANY_ACCESSES else None
    if position is not None:
        last = add(constant(INDEX, threads // vectors - 1, loop.location))
        ahead = add(arith.AndIOp(add(arith.SubiOp(zero, position)), last))
        end = add(arith.MaxSIOp(loop.ub, loop.lb))
        start = add(arith.MinSIOp(add(arith.AddiOp(loop.lb, ahead)), end))
        left = add(arith.SubiOp(left, ahead))
    bits = add(constant(INDEX, threads.bit_length() - 1, loop.location))
    count = add(arith.MaxSIOp(add(arith.ShRSIOp(left, bits)), zero))
    whole = add(arith.ShLIOp(count, bits))
    fast = _counted_from_zero(loop, start, zero, whole)
    fast.attributes[marks.INTERLEAVE] = IntegerAttr(vectors, i64)
    _put(fast, loop)
    end = add(arith.AddiOp(start, whole))
    if position is None:
        loop.operands[0] = end
    else:
        _run_both(loop, zero, start, end)


def _without_least(value: SSAValue, least: int) -> SSAValue:
    """`a` of `max(a, least)`: to LLVM the shifts of what is no less than 0 are a mask."""
    op = value.owner
    if isinstance(op, arith.MaxSIOp):
        for other, number in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            if constant_value(number) == least:
                return other
    return value


def _run_both(loop: scf.ForOp, zero: SSAValue, start: SSAValue, end: SSAValue) -> None:
    """Let a loop run up to `start`, and then from `end` on."""
    body = Block(arg_types=[INDEX])
    two = constant(INDEX, 2, loop.location)
    _put(two, loop)
    outer = scf.ForOp.create(operands=[zero, two.result, loop.step], regions=[Region(body)])
    outer.attributes[marks.UNROLL] = IntegerAttr(1, i64)
    _put(outer, loop)
    loop.detach()
    first = arith.CmpiOp(body.args[0], zero, "eq")
    lower = arith.SelectOp(first.result, loop.lb, end)
    upper = arith.SelectOp(first.result, start, loop.ub)
    last = scf.YieldOp.create()
    for op in (first, lower, upper, last):
        op.location = loop.location
    body.add_ops((first, lower, upper, loop, last))
    loop.operands[0], loop.operands[1] = lower.result, upper.result


def _put(op: Operation, loop: scf.ForOp) -> None:
    op.location = loop.location
    assert loop.parent is not None, "the loop stands in a block"
    loop.parent.insert_op_before(op, loop)


def _counted_from_zero(
    loop: scf.ForOp, start: SSAValue, zero: SSAValue, count: SSAValue
) -> scf.ForOp:
    """A copy of a loop for `count` iterations after `start`: LLVM knows their number from 0 on."""
    body = Block(arg_types=[INDEX])
    index = arith.AddiOp(start, body.args[0])
    index.location = loop.location
    index.result.name_hint = loop.body.block.args[0].name_hint
    body.add_op(index)
    values: dict[SSAValue, SSAValue] = {loop.body.block.args[0]: index.result}
    for op in loop.body.block.ops:
        copy = op.clone(values)
        copy.location = op.location
        body.add_op(copy)
    made = scf.ForOp.create(operands=[zero, count, loop.step], regions=[Region(body)])
    made.attributes |= loop.attributes
    return made
