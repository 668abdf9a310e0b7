"""What lanes of a warp do together: shuffles, votes, matches and reductions.

Such an instruction waits until all lanes that its member mask names, and that have not ended,
stand at it. What a shuffle gets from a lane that takes no part is undefined: all ones here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .elementwise import the_type
from .machine import Warp
from .memory import Array
from .syntax import Instruction, Operand, Pair
from .values import LANES, Mask, Read, Run, count_nonzero, dtype_of, reader, unknown, writer

_LANE = np.arange(LANES)
_BIT = (np.uint32(1) << _LANE.astype(np.uint32)).astype(np.uint32)
Body = Callable[[Warp, Mask, Array], None]


def bits_of(mask: Mask) -> np.uint32:
    """Lane i as bit i."""
    return np.packbits(mask, bitorder="little").view(np.uint32)[0]


def together(members: Read, body: Body) -> Run:
    """Runs `body(warp, mask, members)` once the lanes have come together."""

    def run(warp: Warp, mask: Mask) -> int | None:
        named = members(warp, mask)
        if count_nonzero(mask) != LANES:
            outside = mask & (named & _BIT == 0)
            if count_nonzero(outside):
                return warp.park(outside, "the member mask does not name this thread itself")
            away = bits_of(warp.alive & ~mask)
            missing = mask & (named & away != 0)
            if count_nonzero(missing):
                why = "threads that the member mask names never reach this instruction"
                return warp.park(mask, why)
        body(warp, mask, named)
        return None

    return run


def shuffle(instruction: Instruction) -> Run:
    """shfl.sync.mode.b32 d|p, a, b, c, members"""
    if not instruction.has("sync"):
        raise unknown(instruction, "only shfl.sync")
    target, source, amount, clamp, member = instruction.operands
    mode = next(m for m in instruction.modifiers if m in ("up", "down", "bfly", "idx"))
    first, second = (target.first, target.second) if isinstance(target, Pair) else (target, None)
    read, by, limit = reader(source, "b32"), reader(amount, "u32"), reader(clamp, "u32")
    write = writer(first, "b32")
    write_valid = writer(second, "pred") if second is not None else None

    def body(warp: Warp, mask: Mask, _: Array) -> None:
        b = (by(warp, mask) & 31).astype(np.int64)
        c = limit(warp, mask).astype(np.int64)
        segment = c >> 8 & 31
        last = (_LANE & segment) | (c & 31 & ~segment)
        if mode == "up":
            chosen = _LANE - b
            valid = chosen >= last
        else:
            chosen = {
                "down": _LANE + b,
                "bfly": _LANE ^ b,
                "idx": (_LANE & segment) | (b & ~segment),
            }[mode]
            valid = chosen <= last
        chosen = np.where(valid, chosen, _LANE)
        values = np.where(mask, read(warp, mask), np.uint32(0xFFFFFFFF))
        write(warp, mask, values[chosen])
        if write_valid is not None:
            write_valid(warp, mask, valid)

    return together(reader(member, "b32"), body)


def vote(instruction: Instruction) -> Run:
    """vote.sync.all, any, uni, ballot"""
    if not instruction.has("sync"):
        raise unknown(instruction, "only vote.sync")
    target, source, member = instruction.operands
    mode = next(m for m in instruction.modifiers if m in ("all", "any", "uni", "ballot"))
    read, write = reader(source, "pred"), writer(target, "b32" if mode == "ballot" else "pred")

    def body(warp: Warp, mask: Mask, members: Array) -> None:
        predicate = read(warp, mask)
        yes = bits_of(mask & predicate) & members
        no = bits_of(mask & ~predicate) & members
        results: dict[str, Callable[[], Array]] = {
            "ballot": lambda: yes,
            "any": lambda: yes != 0,
            "all": lambda: no == 0,
            "uni": lambda: (yes == 0) | (no == 0),
        }
        write(warp, mask, results[mode]())

    return together(reader(member, "b32"), body)


def match(instruction: Instruction) -> Run:
    """match.any.sync, match.all.sync"""
    kind = the_type(instruction)
    target, source, member = instruction.operands
    first, second = (target.first, target.second) if isinstance(target, Pair) else (target, None)
    read, write = reader(source, kind), writer(first, "b32")
    write_all = writer(second, "pred") if second is not None else None
    everything = instruction.has("all")

    def body(warp: Warp, mask: Mask, members: Array) -> None:
        values = read(warp, mask)
        same = (values[:, None] == values[None, :]) & mask[None, :]
        found = np.packbits(same, axis=1, bitorder="little").view(np.uint32)[:, 0] & members
        if not everything:
            write(warp, mask, found)
            return
        agree = found == (bits_of(mask) & members)
        write(warp, mask, np.where(agree, found, 0))
        if write_all is not None:
            write_all(warp, mask, agree)

    return together(reader(member, "b32"), body)


_REDUCE: dict[str, Callable[[Array], object]] = {
    "add": lambda v: np.add.reduce(v, dtype=v.dtype),
    "min": np.min,
    "max": np.max,
    "and": np.bitwise_and.reduce,
    "or": np.bitwise_or.reduce,
    "xor": np.bitwise_xor.reduce,
}


def reduce(instruction: Instruction) -> Run:
    """redux.sync"""
    kind = the_type(instruction)
    target, source, member = instruction.operands
    name = next(m for m in instruction.modifiers if m in _REDUCE)
    function, nan, magnitude = _REDUCE[name], instruction.has("NaN"), instruction.has("abs")
    read, write = reader(source, kind), writer(target, kind)
    if kind == "f32" and not nan:
        function = {"min": np.fmin.reduce, "max": np.fmax.reduce}[name]

    def body(warp: Warp, mask: Mask, members: Array) -> None:
        values = np.abs(read(warp, mask)) if magnitude else read(warp, mask)
        result = np.zeros(LANES, dtype_of(kind))
        for group in np.unique(members[mask]).tolist():
            inside = mask & (_BIT & np.uint32(group) != 0)
            result[inside] = function(values[inside])
        write(warp, mask, result)

    return together(reader(member, "b32"), body)


def active_mask(instruction: Instruction) -> Run:
    """activemask"""
    write = writer(instruction.operands[0], "b32")
    return lambda warp, mask: write(warp, mask, np.full(LANES, bits_of(mask)))


def elect(instruction: Instruction) -> Run:
    """elect.sync d|p, members: the lowest lane is elected"""
    target, member = instruction.operands
    if not isinstance(target, Pair):
        raise unknown(instruction, "expected d|p")
    write, write_elected = writer(target.first, "b32"), writer(target.second, "pred")

    def body(warp: Warp, mask: Mask, _: Array) -> None:
        leader = int(np.flatnonzero(mask)[0])
        write(warp, mask, np.full(LANES, leader, np.uint32))
        write_elected(warp, mask, np.equal(_LANE, leader))

    return together(reader(member, "b32"), body)


def warp_barrier(member: Operand) -> Run:
    """bar.warp.sync"""

    def body(warp: Warp, mask: Mask, members: Array) -> None:
        """Being there is all."""

    return together(reader(member, "b32"), body)


def whole_warp(body: Callable[[Warp, Mask], None]) -> Run:
    """For .sync.aligned instructions without a member mask: all lanes that have not ended."""

    def run(warp: Warp, mask: Mask) -> int | None:
        if count_nonzero(mask) != LANES and count_nonzero(warp.alive & ~mask):
            return warp.park(mask, "threads of the warp never reach this .aligned instruction")
        body(warp, mask)
        return None

    return run


TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "shfl": (shuffle, "sync|up|down|bfly|idx"),
    "vote": (vote, "sync|all|any|uni|ballot"),
    "match": (match, "sync|any|all"),
    "redux": (reduce, "sync|add|min|max|and|or|xor|NaN|abs"),
    "activemask": (active_mask, ""),
    "elect": (elect, "sync"),
}
CONTROL = {
    "shfl",
    "vote",
    "match",
    "redux",
    "elect",
    "mma",
    "wmma",
    "ldmatrix",
    "stmatrix",
    "movmatrix",
}
