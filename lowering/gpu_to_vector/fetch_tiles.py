"""What a block needs next is asked for while it works on a tile; a part of `fetch-ahead`.

    scf.for %k = %0 to %n step %c {              scf.for %k = %0 to %n step %c {
      scf.for %t = … {                             …
        %v = vector.load %b[%k, %t]                scf.for %t = … {
        vector.store %v, %tile[…]                    scf.if (%k + %c < %n) {
      }                                                gpux.prefetch %b[%k + %c, %t]
      scf.for %t = … {                       ->      } else {
        much work on the tile                          gpux.prefetch write %out[%t]
      }                                              }
    }                                                much work on the tile
    scf.for %t = … {                               }
      vector.store %r, %out[%t]                  }
    }                                            …

Blocks copy tiles and write results in bursts, and have nothing else to do meanwhile; while they
compute, memory is idle. So each thread asks for what it will copy of the next tile or, in the last
one, for what it will write; where one of the arrays is large, which is found out before the loop
over tiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial, reduce
from itertools import takewhile
from math import prod
from typing import NamedTuple

from xdsl.dialects import arith, func, scf, vector
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue

from ...dialects import gpux, marks
from ...dialects.arith import DIVISIONS, let_wrap
from ...dialects.making import make
from ...dialects.vector import is_nontemporal, shape_of
from ...dialects.walking import ops_of, ops_of_class
from ...passes.analyses.thread_ranges import is_computed
from ...passes.utils.block_editing import constant_value, is_outside
from ..emit.machine import LINE
from .array_sizes import element_bytes, is_large
from .vectors import At

Access = vector.LoadOp | vector.StoreOp

_MUCH = 100
"""Ops on a tile for each line that is asked for: so many are not slowed down by it."""


def fetch_tiles(function: func.FuncOp) -> None:
    """Asks for the next tiles, and for results, in all loops over tiles of a function."""
    for tiles in ops_of_class(function, scf.ForOp):
        for work in list(tiles.body.block.ops):
            if isinstance(work, scf.ForOp) and (ops := _work_of(work)) > _MUCH:
                _fetch(tiles, work, ops // _MUCH)


def _work_of(threads: scf.ForOp) -> int:
    """The ops that a thread runs in the longest loop of known length."""
    loops = ops_of_class(threads, scf.ForOp)[1:]
    return max((_length(loop) * len(ops_of(loop)) for loop in loops), default=0)


def _length(loop: scf.ForOp) -> int:
    low, high, step = map(constant_value, (loop.lb, loop.ub, loop.step))
    return 0 if low is None or high is None or not step else (high - low) // step


class _Accesses(NamedTuple):
    """What threads load from arrays, or store to them: in an op beside the work on a tile, by loops
    of which the outermost comes first."""

    ops: Sequence[Access]
    place: Operation
    threads: Sequence[scf.ForOp]

    @property
    def are_loads(self) -> bool:
        return isinstance(self.ops[0], vector.LoadOp)


def _fetch(tiles: scf.ForOp, work: scf.ForOp, most: int) -> None:
    """Lets each thread ask for up to so many lines before it begins with its work."""
    before = takewhile(lambda op: op is not work, tiles.body.block.ops)
    found = [*_accesses(before, vector.LoadOp), *_accesses(_behind(tiles), vector.StoreOp)]
    wanted: dict[scf.ForOp, list[_Accesses]] = {}
    for accesses in found:
        loop = _loop_of_same_threads(accesses.threads, work)
        if loop is not None:
            wanted.setdefault(loop, []).append(accesses)
    for loop, parts in wanted.items():
        if sum(len(_lines(op)) for accesses in parts for op in accesses.ops) <= most:
            _ask(tiles, loop, _loops_around(loop, work), parts)


def _behind(op: Operation) -> Iterator[Operation]:
    while op.next_op is not None:
        op = op.next_op
        yield op


def _accesses(places: Iterable[Operation], kind: type[Access]) -> Iterator[_Accesses]:
    for place in places:
        for loop in ops_of_class(place, scf.ForOp):
            if marks.VECTORS in loop.attributes:
                ops = [op for op in loop.body.block.ops if isinstance(op, kind) and _is_far(op)]
                if ops:
                    yield _Accesses(ops, place, _loops_around(loop, place))


def _is_far(op: Access) -> bool:
    """Whether an access is to an array that the kernel is given, by way of the caches."""
    base = op.base
    is_given = isinstance(base, BlockArgument) and isinstance(base.owner.parent_op(), func.FuncOp)
    return is_given and not is_nontemporal(op)


def _loops_around(loop: scf.ForOp, place: Operation) -> list[scf.ForOp]:
    found: list[scf.ForOp] = []
    op: Operation | None = loop
    while op is not None and op is not place.parent_op():
        if isinstance(op, scf.ForOp):
            found.insert(0, op)
        op = op.parent_op()
    return found


def _loop_of_same_threads(threads: Sequence[scf.ForOp], work: scf.ForOp) -> scf.ForOp | None:
    """The innermost of loops in `work` that run as these do."""
    wanted = [_limits(loop) for loop in threads]
    for loop in ops_of_class(work, scf.ForOp):
        if [_limits(outer) for outer in _loops_around(loop, work)] == wanted:
            return loop
    return None


def _limits(loop: scf.ForOp) -> list[SSAValue | int]:
    limits = (loop.lb, loop.ub, loop.step)
    return [limit if (n := constant_value(limit)) is None else n for limit in limits]


def _lines(op: Access) -> range:
    """Elements of a vector in memory, by their distance from the first: one in each line."""
    kind = op.result.type if isinstance(op, vector.LoadOp) else op.vector.type
    return range(0, prod(shape_of(kind)), max(1, LINE // element_bytes(op.base)))


def _ask(
    tiles: scf.ForOp, loop: scf.ForOp, threads: Sequence[scf.ForOp], parts: Sequence[_Accesses]
) -> None:
    """Writes the requests of threads, at the start of the loop over these."""
    start, next_tile, last_tile = (At(loop, Block()) for _ in range(3))
    counter = tiles.body.block.args[0]
    following = start.binary(arith.AddiOp, counter, tiles.step)
    is_more = start.add(arith.CmpiOp(following, tiles.ub, "slt"))
    found = False
    for accesses in parts:
        values: dict[SSAValue, SSAValue] = {counter: following} if accesses.are_loads else {}
        for one, other in zip(accesses.threads, threads, strict=True):
            values[one.body.block.args[0]] = other.body.block.args[0]
        at = next_tile if accesses.are_loads else last_tile
        there = _There(at, values, (tiles, accesses.place))
        for op in accesses.ops:
            found |= _request(at, op, [there.value(index) for index in op.indices])
    if not found:
        return
    start.place(_branch(loop, is_more, next_tile, last_tile))
    is_far = _is_any_large(At(tiles), [op.base for accesses in parts for op in accesses.ops])
    first = loop.body.block.first_op
    assert first is not None, "there is work in the loop"
    branch = _branch(loop, is_far, start, At(loop, Block()))
    loop.body.block.insert_op_before(branch, first)


def _is_any_large(at: At, arrays: Iterable[SSAValue]) -> SSAValue:
    sizes = [is_large(at, array) for array in dict.fromkeys(arrays)]
    return reduce(partial(at.binary, arith.OrIOp), sizes)


def _branch(loop: scf.ForOp, condition: SSAValue, then: At, otherwise: At) -> Operation:
    regions: list[Region] = []
    for way in (then, otherwise):
        way.place(scf.YieldOp.create())
        assert way.block is not None, "it is written at the end of a block"
        regions.append(Region(way.block))
    return scf.IfOp.create(operands=[condition], regions=regions, location=loop.location)


def _request(at: At, op: Access, indices: Sequence[SSAValue | None]) -> bool:
    """Asks for the lines of a vector, if its place is known."""
    known = [index for index in indices if index is not None]
    if len(known) < len(indices):
        return False
    *outer, last = known
    for distance in _lines(op):
        index = at.binary(arith.AddiOp, last, at.number(distance)) if distance else last
        at.place(gpux.PrefetchOp(op.base, [*outer, index], write=isinstance(op, vector.StoreOp)))
    return True


def _may_fault(op: Operation) -> bool:
    return isinstance(op, DIVISIONS) and constant_value(op.operands[1]) in (None, 0, -1)


class _There:
    """What is computed in one place computed in another one, where some values are others."""

    def __init__(
        self, at: At, values: dict[SSAValue, SSAValue], beside: tuple[scf.ForOp, Operation]
    ) -> None:
        """`beside`: the loop over tiles, and the op in it or behind it that uses the values."""
        self._at = at
        self._values = values
        self._tiles, self._place = beside

    def _is_same(self, value: SSAValue) -> bool:
        """Whether a value is from before the loop over tiles."""
        if not is_outside(value, self._tiles) or not is_outside(value, self._place):
            return False
        owner = value.owner
        if isinstance(owner, Block) or owner.parent is not self._tiles.parent:
            return True
        return owner.is_before_in_block(self._tiles)

    def value(self, value: SSAValue) -> SSAValue | None:
        """The value there; None for what is not just computed."""
        if value in self._values:
            return self._values[value]
        if self._is_same(value):
            return value
        op = value.owner
        if isinstance(op, Block) or not is_computed(op) or _may_fault(op):
            return None
        operands = [known for operand in op.operands if (known := self.value(operand)) is not None]
        if len(operands) < len(op.operands):
            return None
        properties = dict(op.properties)
        let_wrap(properties)
        copy = make(op.__class__, operands, op.result_types, properties, attributes=op.attributes)
        self._values[value] = self._at.add(copy)
        return self._values[value]
