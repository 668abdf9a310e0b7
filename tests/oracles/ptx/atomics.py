"""atom and red: lanes that meet at one address take turns, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .access import lanes_of, places, space_of
from .elementwise import the_type
from .machine import Warp
from .memory import Array, Space
from .rounding import narrow, widen
from .syntax import Instruction, Sink, Vector
from .values import LANES, UNSIGNED, Mask, Run, bits, dtype_of, reader, unknown, writer

Combine = Callable[[Array, Array], Array]


def _increment(old: Array, limit: Array) -> Array:
    return np.where(old >= limit, 0, old + 1).astype(old.dtype)


def _decrement(old: Array, limit: Array) -> Array:
    return np.where((old == 0) | (old > limit), limit, old - 1).astype(old.dtype)


_INTEGER: dict[str, Combine] = {
    "add": np.add, "min": np.minimum, "max": np.maximum, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor, "exch": lambda old, b: b,
    "inc": _increment, "dec": _decrement,
}  # fmt: skip
_FLOAT: dict[str, Combine] = {"add": np.add, "min": np.fmin, "max": np.fmax}
_OPERATIONS = (*_INTEGER, "cas")


def _combine(instruction: Instruction, name: str, kind: str) -> Combine:
    """The new value of a place from the old one and the operand, both as raw bits."""
    dtype, raw = dtype_of(kind), UNSIGNED[bits(kind)]
    if kind[0] == "f" or kind.startswith("bf"):
        if name not in _FLOAT:
            raise unknown(instruction)
        function = _FLOAT[name]
        return lambda old, b: np.ascontiguousarray(
            narrow(kind, function(widen(kind, old.view(dtype)), widen(kind, b.view(dtype))))
        ).view(raw)
    function = _INTEGER[name]
    return lambda old, b: function(old.view(dtype), b.view(dtype)).view(raw)


def turns(offsets: Array) -> list[Array]:
    """Groups of positions of which none holds an offset twice, in order."""
    order = np.argsort(offsets, kind="stable")
    ordered = offsets[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - starts
    return [np.flatnonzero(rank == turn) for turn in range(int(rank.max()) + 1)]


def _apply(
    space: Space, offsets: Array, size: int, lanes: Array, update: Callable[[Array, Array], Array]
) -> Array:
    """`update(old values, positions)` gives the new ones; the old value of each lane."""
    result = np.zeros(len(lanes), UNSIGNED[8 * size])
    for chosen in turns(offsets):
        at, who = offsets[chosen], lanes[chosen]
        old = space.load(at, size, who)
        space.store(at, size, who, update(old, chosen))
        result[chosen] = old
    return result


def atomic(instruction: Instruction) -> Run:
    """atom.op d, [a], b, c and red.op [a], b, of one or, in vectors, several elements"""
    kind = the_type(instruction)
    returns = instruction.opcode == "atom"
    target = instruction.operands[0] if returns else Sink()
    address, first, *rest = instruction.operands[1 if returns else 0 :]
    name = next((m for m in instruction.modifiers if m in _OPERATIONS), "")
    if not name or (name == "cas") > bool(rest):
        raise unknown(instruction)
    items = first.items if isinstance(first, Vector) else (first,)
    outs = target.items if isinstance(target, Vector) else (target,) * len(items)
    width = bits(kind) // 8
    raw = f"b{bits(kind)}"
    reads, writes = [reader(i, raw) for i in items], [writer(o, raw) for o in outs]
    desired = reader(rest[0], raw) if name == "cas" else None
    combine = None if desired else _combine(instruction, name, kind)
    size = width * len(items)
    find = places(address, space_of(instruction), size, instruction.pc, True)

    def update(warp: Warp, mask: Mask, i: int, which: Array) -> Callable[[Array, Array], Array]:
        operand = reads[i](warp, mask)[which]
        if combine is not None:
            function = combine
            return lambda old, chosen: function(old, operand[chosen])
        assert desired is not None, "cas has a value to store"
        wanted = desired(warp, mask)[which]
        return lambda old, chosen: np.where(old == operand[chosen], wanted[chosen], old)

    def run(warp: Warp, mask: Mask) -> None:
        lanes = lanes_of(mask)
        found = find(warp, mask, lanes)
        results: list[Array] = []
        for i in range(len(items)):
            result = np.zeros(LANES, UNSIGNED[8 * width])
            for space, offsets, chosen, _ in found:
                at = offsets + np.uint64(i * width)
                result[chosen] = _apply(space, at, width, chosen, update(warp, mask, i, chosen))
            results.append(result)
        # Last: the destination may be an operand as well.
        for write, result in zip(writes, results, strict=True):
            write(warp, mask, result)

    return run


_MODIFIERS = (
    "|".join(_OPERATIONS)
    + r"|relaxed|acquire|release|acq_rel|sc|cta|cluster|gpu|sys|global|shared(::\w+)?|noftz"
    + r"|v2|v4|v8|L2::\w+"
)
TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "atom": (atomic, _MODIFIERS),
    "red": (atomic, _MODIFIERS),
}
