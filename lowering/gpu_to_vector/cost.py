"""What is worth vectorising here, and in how many lanes.

    no control flow inside         see `straight`
    gathers, and little else       left as a loop, whose loads do not wait for each other
    threads along rows of theirs   left as a loop: an iteration becomes a lane
    loops inside, no gathers       two or four vectors side by side: one waits for its own results,
                                   and what all lanes have in common is computed for more of them
    such loops, which only add up  as many as a block has threads, where their sums find registers:
                                   four would go through memory once for each four

Measured on AVX-512 (µs, one thread), with 1, 2 and 4 vectors: an escape-time fractal of 512² 2238,
1804, 1834; a product of 256² matrices 1395, 1088, 807; sums of rows, which gather, 882, 1584. As
scalars these took 67840, 33531 and 810.

Gathers (µs, one thread, vectors / a loop, on AVX-512; AVX2, whose gathers are not worth it; SSE4):
a product of a sparse matrix 410 / 171, 494 / 171, 555 / 174; `x[index[i]]` behind a branch 11 / 10,
15 / 10, 15 / 8; a step of a bitonic sort 1532 / 2577, 3126 / 2585, 3396 / 2594; looking up a table
between whose values is interpolated 37 / 32, 42 / 32, 45 / 32. With more work they pay: exp of what
is gathered 14 / 42, 28 / 44, 256 / 245; a binary search, whose branches a loop mispredicts, 275 /
1296, 437 / 1287, 586 / 1304. In four loops inside each other (a quicksort of each row) they do not:
75 ms as vectors, 12 as a loop.

Sums in strides of the grid, by 64 blocks of 256 threads (µs, two threads on a Xeon, as 64 / 256
lanes): of 2^26 f32 17500 / 14300, of 2^20 71 / 65.

Rows of 1024 elements, times a vector, by a thread each (µs, two threads on a Xeon, as vectors of
threads / with iterations as lanes): i8 310 / 21, f32 107 / 46.
"""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects import arith, math, memref, scf
from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.builtin import AnyFloat, FixedBitwidthType, IndexType
from xdsl.dialects.utils.fast_math import FastMathFlag
from xdsl.ir import Block, Operation, SSAValue

from ...dialects import gpux
from ...dialects.arith import RemFOp
from ...dialects.walking import ops_of
from ...passes.analyses.divergence import VARYING, Divergence, affine, is_function, terminator
from ...passes.utils.block_editing import constant_value
from ..memref_views import as_memref

LARGEST = 64
WITH_A_RARE_CASE = (math.SinOp, math.CosOp, math.TanOp, RemFOp)
_MOST_NARROW = 64
_GATHER = 10
"""As many ops on vectors pay for a gather that the machine takes apart, in code without loops."""
_SLOW: dict[type[Operation], int] = {math.SqrtOp: 4, arith.DivfOp: 4}
_FUNCTION = 20
_SIMPLE = frozenset(f"math.{name}" for name in ("absf", "absi", "copysign", "fma", "floor", "ceil"))
_OF_CHECKS = (gpux.CheckOp, arith.IndexCastOp)
_FOUR, _TWO = 6, 30
"""So many ops on vectors in the inner loops still find registers beside three (one) others."""
_MOST_WORK = 24
"""Accesses and simple ops for each line of the cache: longer ones do not wait for memory."""
_ALIVE = 14
"""So many values of a vector at once leave half of 32 registers to those of another."""


def has_branches(loop: scf.ForOp) -> bool:
    """Whether there is control flow inside.

    Functions with a rare case are formulas with a branch (expand-math), which no lane may take.
    """
    return any(op.regions or isinstance(op, WITH_A_RARE_CASE) for op in loop.body.block.ops)


def gathers_too_much(loop: scf.ForOp, spreads: Divergence) -> bool:
    """Whether there are many gathers of elements below 32 bits.

    Machines have none of these: LLVM takes each apart, and half a minute over five hundred of them
    (a product of matrices of f16), where the loop over threads takes 0.3 s.
    """
    found = 0
    for op in ops_of(loop):
        if isinstance(op, memref.LoadOp | memref.StoreOp) and not is_simple(op, spreads):
            element = as_memref(op.memref.type).element_type
            found += isinstance(element, FixedBitwidthType) and element.bitwidth < 32
    return found > _MOST_NARROW


def _loops_inside(loop: Operation) -> list[Operation]:
    return [op for op in ops_of(loop)[1:] if isinstance(op, scf.ForOp | scf.WhileOp)]


def is_mostly_gathers(loop: scf.ForOp, spreads: Divergence, has_gathers: bool) -> bool:
    """Whether accesses to places that lanes compute outweigh what is computed.

    In loops a gather costs more than the loads of a scalar loop, which run ahead while others wait,
    and a scatter as much; once more for each loop that lanes leave one by one, where few are left.
    Outside of loops it does where the machine has none: each lane is taken out and put in again.
    """
    inner = _loops_inside(loop)
    if has_gathers and not inner:
        return False
    ops = dict.fromkeys(op for each in inner or [loop] for op in ops_of(each) if not op.regions)
    accesses = memref.LoadOp | memref.StoreOp if inner else memref.LoadOp
    places = [op for op in ops if isinstance(op, accesses) and _is_anywhere(op, spreads)]
    found = sum(max(1, _loops_left_one_by_one(op, loop, spreads)) for op in places)
    work = work_of_lanes(ops, spreads)
    return found * (1 if inner else _GATHER) >= max(1, work)


def _loops_left_one_by_one(op: Operation, loop: scf.ForOp, spreads: Divergence) -> int:
    """The loops around an op, inside of one over threads, that lanes leave one by one."""
    found = 0
    parent = op.parent_op()
    while parent is not None and parent is not loop:
        found += isinstance(parent, scf.ForOp | scf.WhileOp) and spreads.is_divergent(parent)
        parent = parent.parent_op()
    return found


def goes_along_rows(loop: scf.ForOp, spreads: Divergence) -> bool:
    """Whether each thread goes along a row of its own, in its innermost loops and in steps of one
    element, and what it adds up there may be added in any order: then an iteration is a lane.

    For loops that also have accesses which are consecutive from thread to thread it is not so.
    """
    inner = [each for each in _loops_inside(loop) if not _loops_inside(each)]
    return bool(inner) and all(
        isinstance(each, scf.ForOp) and _goes_along_a_row(each, spreads) for each in inner
    )


def _goes_along_a_row(loop: scf.ForOp, spreads: Divergence) -> bool:
    ops = [op for op in ops_of(loop) if isinstance(op, memref.LoadOp | memref.StoreOp)]
    own = [op for op in ops if not is_simple(op, spreads)]
    together = [op for op in ops if op not in own and _has_lanes(op, spreads)]
    if not own or together or constant_value(loop.step) != 1 or not _may_reorder(loop):
        return False
    counter, *carried = loop.body.block.args
    steps = Divergence(loop.body, {counter: affine(1), **dict.fromkeys(carried, VARYING)})
    return all(
        all(steps[index].is_uniform for index in op.indices[:-1])
        and steps[op.indices[-1]].stride == 1
        for op in own
        if op.indices
    )


def _may_reorder(loop: scf.ForOp) -> bool:
    """Whether what a loop carries are integers, or floats that are added up in any order."""
    return all(
        not isinstance(value.type, AnyFloat) or _is_reassociable(value.owner)
        for value in terminator(loop.body).operands
    )


def _is_reassociable(op: Operation | Block) -> bool:
    flags = op.properties.get("fastmath") if isinstance(op, Operation) else None
    return isinstance(flags, FastMathFlagsAttr) and FastMathFlag.REASSOC in flags.data


def _is_anywhere(op: memref.LoadOp | memref.StoreOp, spreads: Divergence) -> bool:
    """Whether lanes' places are not a fixed distance apart."""
    return any(spreads[index].stride is None for index in op.indices)


def work_of_lanes(ops: Iterable[Operation], spreads: Divergence) -> int:
    """How many simple ops on vectors these ops are worth."""
    return sum(_work(op) for op in ops if _has_lanes(op, spreads))


def _work(op: Operation) -> int:
    """How many simple ops an op is worth; those that belong to an access are none."""
    if isinstance(op, (memref.LoadOp, memref.StoreOp, *_OF_CHECKS)):
        return 0
    if op.results and all(isinstance(use.operation, gpux.CheckOp) for use in op.results[0].uses):
        return 0
    if type(op) in _SLOW:
        return _SLOW[type(op)]
    return _FUNCTION if op.name.startswith("math.") and op.name not in _SIMPLE else 1


def vectors_at_once(loop: scf.ForOp, spreads: Divergence, width: int) -> int:
    """How many vectors of so many lanes there should be side by side: 1, 2 or 4, if there may be
    enough threads, or those of a whole block."""
    most = most_threads(loop)
    threads = LARGEST if most is None else min(most, LARGEST)
    found = _vectors_worthwhile(loop, spreads)
    if found == 4 and most is not None and threads < most <= width * width:
        return most // width if most % width == 0 and _carry_little(loop) else found
    while found > 1 and found * width > threads:
        found //= 2
    return found


def _vectors_worthwhile(loop: scf.ForOp, spreads: Divergence) -> int:
    inner = _loops_inside(loop)
    ops = [op for each in inner for op in ops_of(each) if not op.regions]
    work = [op for op in dict.fromkeys(ops) if _has_lanes(op, spreads)]
    if not work or not all(is_simple(op, spreads) for op in work):
        return 1
    factor = 4 if len(work) <= _FOUR else 2 if len(work) <= _TWO else 1
    return max(1, factor // 2) if any(_is_wide(op) for op in work) else factor


def _carry_little(loop: scf.ForOp) -> bool:
    """Whether loops inside carry a place and a sum: half of all registers hold a block's."""
    inner = _loops_inside(loop)
    return all(isinstance(each, scf.ForOp) and len(each.iter_args) <= 2 for each in inner)


def most_threads(loop: scf.ForOp) -> int | None:
    """How many threads a loop has at most, where that is known whatever is not constant."""
    low, high = _limit(loop.lb, {}, upper=False), _limit(loop.ub, {}, upper=True)
    return None if low is None or high is None else high - low


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


def waits_for_memory(loop: scf.ForOp, spreads: Divergence) -> bool:
    """Whether a body without control flow computes so little that memory decides what it takes,
    where what it accesses is not in the inner caches."""
    ops = list(loop.body.block.ops)
    accesses = sum(isinstance(op, memref.LoadOp | memref.StoreOp) for op in ops)
    return accesses + work_of_lanes(ops, spreads) <= _MOST_WORK


def find_registers(loop: scf.ForOp, spreads: Divergence) -> bool:
    """Whether the values of two vectors beside each other do, in a body without control flow."""
    alive: set[SSAValue] = set()
    most = 0
    for op in reversed(list(loop.body.block.ops)):
        alive.difference_update(op.results)
        alive.update(value for value in op.operands if spreads[value].stride is None)
        most = max(most, len(alive))
    return most <= _ALIVE


def _has_lanes(op: Operation, spreads: Divergence) -> bool:
    values = op.results or op.operands
    return not isinstance(op, scf.YieldOp | scf.ConditionOp) and any(
        spreads[value].stride is None for value in values
    )


def is_simple(op: Operation, spreads: Divergence) -> bool:
    """Whether an op becomes one of vectors, and no gather or scatter."""
    if isinstance(op, memref.LoadOp | memref.StoreOp):
        *outer, last = [spreads[index] for index in op.indices] or [spreads[op.memref]]
        return all(each.is_uniform for each in outer) and last.stride in (0, 1, -1)
    return is_function(op) or isinstance(op, gpux.CheckOp)


def _is_wide(op: Operation) -> bool:
    """Whether an op computes with 64 bits, of which a vector has half as many lanes."""
    for result in op.results:
        type = result.type
        if isinstance(type, IndexType) or (isinstance(type, FixedBitwidthType) and type.size > 4):
            return True
    return False
