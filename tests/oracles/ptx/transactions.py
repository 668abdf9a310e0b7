"""mbarrier objects, and the copies that report to them.

An mbarrier is 64 bits of shared memory, whose layout PTX leaves open: here 20 bits of pending
arrivals, 20 of expected ones, 23 of bytes still to come (signed) and the parity of the phase.
Bulk copies take place at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from . import access
from .access import lanes_of, places, space_of
from .errors import PtxError
from .machine import Warp
from .memory import Array
from .syntax import Address, Immediate, Instruction, Operand, Sink
from .values import LANES, Mask, Run, dtype_of, reader, unknown, writer

_COUNT = (1 << 20) - 1
_BYTES = (1 << 23) - 1
# What a lane does to a barrier: from its bits and two operands to its new bits and a result.
Change = Callable[[int, int, int], tuple[int, int]]


def _unpack(raw: int) -> tuple[int, int, int, int]:
    """Pending, expected, bytes, phase."""
    tx = raw >> 40 & _BYTES
    return raw & _COUNT, raw >> 20 & _COUNT, tx - (_BYTES + 1 if tx >> 22 else 0), raw >> 63


def _pack(pending: int, expected: int, tx: int, phase: int) -> int:
    """The bits, in the next phase if this one is complete."""
    if pending < 0:
        raise PtxError("more threads arrive at an mbarrier than it expects")
    if pending == 0 and tx == 0:
        pending, phase = expected, phase ^ 1
    return pending | expected << 20 | (tx & _BYTES) << 40 | phase << 63


def _init(raw: int, count: int, _: int) -> tuple[int, int]:
    if not 0 < count <= _COUNT:
        raise PtxError(f"an mbarrier for {count} arrivals")
    return count | count << 20, 0


def _arrive(raw: int, count: int, added: int) -> tuple[int, int]:
    pending, expected, tx, phase = _unpack(raw)
    return _pack(pending - count, expected, tx + added, phase), raw


def _drop(raw: int, count: int, added: int) -> tuple[int, int]:
    pending, expected, tx, phase = _unpack(raw)
    return _pack(pending - count, expected - count, tx + added, phase), raw


def _expect(raw: int, added: int, _: int) -> tuple[int, int]:
    pending, expected, tx, phase = _unpack(raw)
    return pending | expected << 20 | ((tx + added) & _BYTES) << 40 | phase << 63, 0


def _complete(raw: int, gone: int, _: int) -> tuple[int, int]:
    pending, expected, tx, phase = _unpack(raw)
    return _pack(pending, expected, tx - gone, phase), 0


def _test(raw: int, state: int, _: int) -> tuple[int, int]:
    return raw, (state ^ raw) >> 63


def _test_parity(raw: int, parity: int, _: int) -> tuple[int, int]:
    return raw, (raw >> 63) ^ (parity & 1)


def update(
    warp: Warp, mask: Mask, find: access.Places, change: Change, first: Array, second: Array
) -> Array:
    """Change barriers lane after lane; the results of the lanes."""
    results = np.zeros(LANES, np.uint64)
    for space, offsets, lanes, _ in find(warp, mask, lanes_of(mask)):
        for at, lane in enumerate(lanes.tolist()):
            here, who = offsets[at : at + 1].copy(), lanes[at : at + 1]
            raw = int(space.load(here, 8, who)[0])
            new, results[lane] = change(raw, int(first[lane]), int(second[lane]))
            space.store(here, 8, who, np.array([new], np.uint64))
    return results


def _operation(instruction: Instruction) -> tuple[Change, str]:
    """What it does, and the type of its first operand."""
    if instruction.has("test_wait", "try_wait"):
        return (_test_parity, "u32") if instruction.has("parity") else (_test, "u64")
    for name, change in _CHANGES.items():
        if instruction.has(name):
            return change, "u32"
    raise unknown(instruction)


_CHANGES: dict[str, Change] = {
    "init": _init, "arrive": _arrive, "arrive_drop": _drop, "expect_tx": _expect,
    "complete_tx": _complete, "inval": lambda raw, a, b: (0, 0),
}  # fmt: skip


def barrier_object(instruction: Instruction) -> Run:
    """mbarrier.*"""
    change, kind = _operation(instruction)
    operands = list(instruction.operands)
    result: Operand = Sink() if isinstance(operands[0], Address) else operands.pop(0)
    address, *given = operands
    tests = instruction.has("test_wait", "try_wait")
    arrives = instruction.has("arrive", "arrive_drop")
    one = Immediate(1)
    first = given[0] if given else one
    second: Operand = Immediate(0)
    if arrives and instruction.has("expect_tx"):
        first, second = one, first
    find = places(address, space_of(instruction), 8, instruction.pc, True)
    read, read_second = reader(first, kind), reader(second, "u32")
    write = writer(result, "pred" if tests else "b64")

    def run(warp: Warp, mask: Mask) -> None:
        values = update(warp, mask, find, change, read(warp, mask), read_second(warp, mask))
        write(warp, mask, values != 0 if tests else values)

    return run


def copy_async(instruction: Instruction) -> Run:
    """cp.async, of up to 16 bytes, in bulk, or as an arrival at an mbarrier"""
    if instruction.has("mbarrier"):
        return _arrive_after_copies(instruction)
    if instruction.has("bulk"):
        return _bulk(instruction)
    return access.copy_async(instruction)


def _arrive_after_copies(instruction: Instruction) -> Run:
    """cp.async.mbarrier.arrive: the copies so far end here; only .noinc counts as an arrival"""
    space, counts = space_of(instruction), int(instruction.has("noinc"))
    find = places(instruction.operands[0], space, 8, instruction.pc, True)
    zero, count = np.zeros(LANES, np.int64), np.full(LANES, counts)

    def run(warp: Warp, mask: Mask) -> None:
        access.finish_copies(warp, mask)
        if counts:
            update(warp, mask, find, _arrive, count, zero)

    return run


def _bulk(instruction: Instruction) -> Run:
    """cp.async.bulk between global and shared memory"""
    if instruction.has("commit_group", "wait_group"):
        return lambda warp, mask: None
    if instruction.has("tensor"):
        from .tensors import copy_box

        return copy_box(instruction)
    if instruction.has("prefetch"):
        return access.nothing(instruction)
    if instruction.has("multicast::cluster") or len(instruction.operands) < 3:
        raise unknown(instruction)
    combine = combiner(instruction)
    target, source, size, *barrier = instruction.operands
    to_shared = next(word for word in instruction.modifiers if word in _PLACES) != "global"
    spaces = ("shared", "global") if to_shared else ("global", "shared")
    count = reader(size, "u32")
    # 16 bytes are checked here, as the alignment asks; all others below.
    to = places(target, spaces[0], 16, instruction.pc, True)
    of = places(source, spaces[1], 16, -1 - instruction.pc, False)
    find = places(barrier[0], "shared", 8, -2 - instruction.pc, True) if to_shared else None
    zero = np.zeros(LANES, np.int64)

    def run(warp: Warp, mask: Mask) -> None:
        lanes, sizes = lanes_of(mask), count(warp, mask)
        ((target_space, offsets, _, _),) = to(warp, mask, lanes)
        ((source_space, sources, _, _),) = of(warp, mask, lanes)
        for at, lane in enumerate(lanes.tolist()):
            nbytes = int(sizes[lane])
            if nbytes % 16:
                raise PtxError(f"a bulk copy of {nbytes} bytes, not a multiple of 16", lane=lane)
            steps = np.arange(0, nbytes, 8, dtype=np.uint64)
            who = np.full(len(steps), lane)
            source_space.check(sources[at] + steps, 8, who, -1 - instruction.pc)
            target_space.check(offsets[at] + steps, 8, who, instruction.pc)
            data = source_space.load(sources[at] + steps, 8, who)
            if combine is not None:
                data = combine(target_space.load(offsets[at] + steps, 8, who), data)
            target_space.store(offsets[at] + steps, 8, who, data)
        if find is not None:
            update(warp, mask, find, _complete, sizes, zero)

    return run


COMPLETE = _complete
_PLACES = ("global", "shared::cluster", "shared::cta")
_COMBINE: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add, "min": np.minimum, "max": np.maximum,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
}  # fmt: skip
_KIND = re.compile(r"[bsu](32|64)|f(16|32|64)")


def combiner(instruction: Instruction) -> Callable[[Array, Array], Array] | None:
    """What cp.reduce does with words of old and new elements; None for copies."""
    if not instruction.has("reduce"):
        return None
    kind = next((word for word in instruction.modifiers if _KIND.fullmatch(word)), None)
    if kind is None:
        raise unknown(instruction)
    operation, dtype = combination(instruction), dtype_of(kind)

    def combine(old: Array, new: Array) -> Array:
        return operation(old.view(dtype), new.view(dtype)).view(old.dtype)

    return combine


def combination(instruction: Instruction) -> Callable[[Array, Array], Array]:
    """What cp.reduce does with numbers."""
    name = next((word for word in instruction.modifiers if word in _COMBINE), None)
    if name is None:
        raise unknown(instruction)
    return _COMBINE[name]


_ORDER = r"release|acquire|relaxed|cta|cluster|shared(::\w+)?"
TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "mbarrier": (
        barrier_object,
        rf"{'|'.join(_CHANGES)}|test_wait|try_wait|parity|noComplete|tx|{_ORDER}",
    ),
    "cp": (
        copy_async,
        access.TABLE["cp"][1] + r"|bulk|mbarrier|arrive|noinc|mbarrier::complete_tx::bytes"
        r"|bulk_group|read|tensor|[1-5]d|tile|prefetch|L2|reduce|add|min|max|and|or|xor|noftz"
        r"|bulk|shared(::\w+)?",
    ),
}
