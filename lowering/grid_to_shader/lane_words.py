"""Subgroup operations as what threads read of each other's words in workgroup memory.

    write()                          each thread its own word (or two)
    reduce(…), scan(…), ballot(…)    a loop over the words of its subgroup
    shuffle(…)                       the word of one lane

A subgroup is as many threads as the device's subgroups have lanes, one after the other in the block
(x fastest); the last one of a block may have fewer. Lanes are combined in their order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, f32, i32, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpu, gpux
from ..gpu_to_cpu.collective import combine
from ..math.calculator import Calculator, Number
from .storage import Access, Halves, Whole
from .word_updates import Place

_INDEX = IndexType()
UNROLLED = 8  # lanes that are read one after the other without a loop
Exchange = gpu.ShuffleOp | gpu.SubgroupReduceOp | gpux.SubgroupScanOp | gpux.BallotOp
Step = Callable[[Calculator, Number, Number], Number]


class Lanes:
    """Where a thread is: `number` and `threads` of its block, `lane` and `live` of its subgroup.

    These, the block's `subgroups`, the number of this one (`subgroup`) and of its `first` thread
    are `index` values at the start of a kernel.
    """

    def __init__(self, kernel: gpu.FuncOp, size: int) -> None:
        start = kernel.entry.first_op
        assert start is not None, "a kernel ends in a terminator"
        self.size = size
        c = Calculator(start, f32)
        self.number = self._number(c, kernel)
        self.threads = self._threads(c, kernel)
        shift = size.bit_length() - 1
        self.lane = self.number & (size - 1)
        self.subgroup = self.number.shifted_out(shift)
        self.subgroups = (self.threads + (size - 1)).shifted_out(shift)
        self.first = self.number - self.lane
        left = self.threads - self.first
        self.live = c.select(left < size, left, size)

    def _dim(self, c: Calculator, kernel: gpu.FuncOp, axis: int) -> Number:
        known = kernel.known_block_size
        if known is not None:
            return c.const(known[axis], _INDEX)
        return c.number(c.add(gpu.BlockDimOp(axis)).results[0])

    def _number(self, c: Calculator, kernel: gpu.FuncOp) -> Number:
        number: Number | None = None
        for axis in reversed(range(gpux.block_rank(kernel))):
            place = c.number(c.add(gpu.ThreadIdOp(axis)).results[0])
            number = place if number is None else number * self._dim(c, kernel, axis) + place
        assert number is not None, "a block has at least one dimension"
        return number

    def _threads(self, c: Calculator, kernel: gpu.FuncOp) -> Number:
        threads = self._dim(c, kernel, 0)
        for axis in range(1, gpux.block_rank(kernel)):
            threads = threads * self._dim(c, kernel, axis)
        return threads


class Arrays(NamedTuple):
    """Of each thread a word or two, and, where that differs, whether a shuffle is for it."""

    words: SSAValue
    there: SSAValue | None


class LaneWords:
    """The words of a block's threads, as one subgroup op uses them, for the threads of a mask."""

    def __init__(self, op: Exchange, lanes: Lanes, arrays: Arrays, mask: SSAValue | None) -> None:
        self.op = op
        self.c = Calculator(op, f32)
        self.lanes = lanes
        self.words, self.there = arrays
        self.mask = mask
        self.kind = op.operands[0].type
        element = i32 if self.kind == _INDEX else self.kind
        self.storage = Halves(element) if is_wide(element) else Whole(element, i32)

    def here(self, value: Number) -> Number:
        """A value that is known everywhere, to compute with at this place."""
        return self.c.number(value.value)

    def write(self) -> None:
        """Every thread's value, for the others to read behind a barrier."""
        c, place = self.c, self.lanes.number.value
        number = c.number(self.op.operands[0])
        if self.mask is not None:
            mask = c.number(self.mask)
            if not isinstance(self.op, gpu.ShuffleOp):
                number = c.select(mask, number, c.const(_neutral(self.op), self.kind))
            else:
                assert self.there is not None, "there are shuffles that are not for all"
                Place(self.there, place).store(c, c.op_of(arith.ExtUIOp, (mask,), i32))
        if self.kind == _INDEX:
            number = c.op_of(arith.IndexCastOp, (number,), i32)
        self.storage.store(c, Access(self.words, place), number)

    def results(self) -> list[Number]:
        """What the op gives, from the words of its subgroup."""
        op = self.op
        if isinstance(op, gpu.ShuffleOp):
            return self.shuffle(op)
        if isinstance(op, gpu.SubgroupReduceOp):
            return [self.reduce(op)]
        return [self.scan(op) if isinstance(op, gpux.SubgroupScanOp) else self.ballot(op)]

    def read(self, c: Calculator, lane: Number) -> Number:
        """The value of a lane of this subgroup."""
        at = c.number(self.lanes.first.value) + lane
        value = self.storage.load(c, Access(self.words, at.value))
        return c.op_of(arith.IndexCastOp, (value,), _INDEX) if self.kind == _INDEX else value

    def fold(self, initial: Number, start: int, end: Number, step: Step) -> Number:
        """`step(c, lane, so far)` for the lanes from `start` to `end`."""
        c, size = self.c, self.lanes.size
        if size <= UNROLLED:
            total = initial
            for number in range(start, size):
                lane = c.const(number, _INDEX)
                total = c.select(lane < end, step(c, lane, total), total)
            return total
        body = Block(arg_types=[_INDEX, initial.type])
        inner = Calculator(c.anchor, f32, body)
        lane, total = (inner.number(argument) for argument in body.args)
        inner.add(scf.YieldOp.create(operands=[step(inner, lane, total).value]))
        bounds = (c.const(start, _INDEX), end, c.const(1, _INDEX), initial)
        loop = scf.ForOp.create(
            operands=[bound.value for bound in bounds],
            result_types=[initial.type],
            regions=[Region(body)],
        )
        return c.number(c.add(loop).results[0])

    def reduce(self, op: gpu.SubgroupReduceOp) -> Number:
        """All lanes' values combined, from the first lane's on."""
        cls, _ = combine(op, op.op.data.value, self.kind)
        first = self.read(self.c, self.c.const(0, _INDEX))
        return self.fold(first, 1, self.lanes.live, self._combining(cls))

    def scan(self, op: gpux.SubgroupScanOp) -> Number:
        """The values of the lanes up to this one (or before it) combined."""
        c, lane = self.c, self.here(self.lanes.lane)
        cls, neutral = combine(op, op.kind.data, self.kind)
        if op.mode.data == "inclusive":
            first = self.read(c, c.const(0, _INDEX))
            return self.fold(first, 1, lane + 1, self._combining(cls))
        # What no lane has contributed to is plain zero, not the negative one.
        initial = c.const(neutral or abs(neutral), self.kind)
        return self.fold(initial, 0, lane, self._combining(cls))

    def _combining(self, cls: type[Operation]) -> Step:
        return lambda c, lane, total: c.op(cls, total, self.read(c, lane))

    def ballot(self, op: gpux.BallotOp) -> Number:
        """Bit i is lane i's predicate."""
        c = self.c
        if op.result.type == i32:
            return self._votes(op.first_lane)
        if self.lanes.size <= 32:
            return c.op_of(arith.ExtUIOp, (self._votes(0),), i64)
        low, high = (c.op_of(arith.ExtUIOp, (self._votes(n),), i64) for n in (0, 32))
        return low | (high << 32)

    def _votes(self, first: int) -> Number:
        """Those of 32 lanes."""
        c = self.c
        if first >= self.lanes.size:
            return c.const(0, i32)
        left = self.here(self.lanes.live) - first
        end = c.select(left < 32, left, 32)

        def step(c: Calculator, lane: Number, votes: Number) -> Number:
            at = c.number(self.lanes.first.value) + lane + first
            vote = Place(self.words, at.value).load(c)
            return votes | (vote << c.op_of(arith.IndexCastOp, (lane,), i32))

        return self.fold(c.const(0, i32), 0, end, step)

    def shuffle(self, op: gpu.ShuffleOp) -> list[Number]:
        """The value of a lane of this one's segment, its own if the other is not there."""
        c = self.c
        offset, width = c.number(op.offset), c.number(op.width)
        lane, live = (
            c.op_of(arith.IndexCastOp, (value,), i32)
            for value in (self.lanes.lane, self.lanes.live)
        )
        own = lane & (width - 1)
        mode = op.mode.data.value
        place = {
            "xor": lambda: own ^ offset,
            "up": lambda: own - offset,
            "down": lambda: own + offset,
            "idx": lambda: offset,
        }[mode]()
        other = lane - own + place
        # As unsigned numbers, what is below 0 is past the end.
        valid = place.below(width) & other.below(live)
        source = c.select(valid, other, lane)
        if self.mask is not None and self.there is not None:
            at = self.here(self.lanes.first) + c.op_of(arith.IndexCastOp, (source,), _INDEX)
            valid = valid & Place(self.there, at.value).load(c).differs(0)
            source = c.select(valid, other, lane)
        return [self.read(c, c.op_of(arith.IndexCastOp, (source,), _INDEX)), valid]


def _neutral(op: Operation) -> int | float:
    """What changes nothing when it is combined with the others."""
    if isinstance(op, gpu.SubgroupReduceOp):
        return combine(op, op.op.data.value, op.value.type)[1]
    if isinstance(op, gpux.SubgroupScanOp):
        return combine(op, op.kind.data, op.value.type)[1]
    return 0


def is_wide(kind: Attribute) -> bool:
    """Whether values of a type take two words."""
    return getattr(kind, "bitwidth", 32) == 64
