"""Loads, stores, moves and asynchronous copies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .elementwise import the_type
from .errors import PtxSyntaxError
from .machine import Copy, Warp
from .memory import Array, Space
from .syntax import Address, Function, Immediate, Instruction, Operand, Register, Symbol, Vector
from .values import (
    LANES,
    UNSIGNED,
    Mask,
    Read,
    Run,
    bits,
    count_nonzero,
    dtype_of,
    reader,
    resolve,
    unknown,
    writer,
)

ALL_LANES = np.arange(LANES)
# State space, offsets in it, the lanes they are of, and which of the asked lanes those are.
Place = tuple[Space, Array, Array, Array | None]
Places = Callable[[Warp, Mask, Array], list[Place]]
_SPACES = ("global", "shared", "local", "const", "param")


def lanes_of(mask: Mask) -> Array:
    """The numbers of the lanes in the mask."""
    return ALL_LANES if count_nonzero(mask) == LANES else np.flatnonzero(mask)


def space_of(instruction: Instruction) -> str:
    """The state space that the modifiers name, or "generic"."""
    for modifier in instruction.modifiers:
        if modifier.split("::")[0] in _SPACES:
            return modifier.split("::")[0]
    return "generic"


def address_reader(operand: Operand) -> Read:
    """Base plus offset, as u64."""
    if not isinstance(operand, Address):
        raise PtxSyntaxError(f"expected an address, got {operand}")
    base = operand.base
    width = bits(base.type) if isinstance(base, Register) else 64
    read = reader(base, f"b{width}")
    if operand.offset == 0 and width == 64:
        return read
    # 32-bit addresses, of shared memory, wrap around in 32 bits.
    step = UNSIGNED[width].type(operand.offset & ((1 << width) - 1))
    return lambda warp, mask: (read(warp, mask) + step).astype(np.uint64)


def places(operand: Operand, space: str, size: int, site: int, writes: bool) -> Places:
    """Where the lanes of an instruction access `size` bytes each; checked."""
    address = address_reader(operand)
    if space == "param":
        space = _parameter_space(operand)

    def find(warp: Warp, mask: Mask, lanes: Array) -> list[Place]:
        addresses = address(warp, mask)
        if lanes is not ALL_LANES:
            addresses = addresses[lanes]
        return locate(warp, addresses, lanes, space, size, site, writes)

    return find


def locate(
    warp: Warp, addresses: Array, lanes: Array, space: str, size: int, site: int, writes: bool
) -> list[Place]:
    """The places of addresses in a state space; checked."""
    found: list[Place]
    if space == "generic":
        found = _routed(warp, addresses, lanes)
    else:
        where = _space(warp, space)
        base = 0 if space in ("shared", "local") else where.base
        offsets: Array = addresses - np.uint64(base) if base else addresses
        found = [(where, offsets, lanes, None)]
    for where, offsets, chosen, _ in found:
        where.check(offsets, size, chosen, site)
        if writes:
            where.require_writable()
    return found


def _parameter_space(operand: Operand) -> str:
    """Parameters of kernels have a space of their own, those of functions are local."""
    if isinstance(operand, Address) and isinstance(operand.base, Symbol):
        named = resolve(operand.base)
        if not isinstance(named, Function) and named.space == "kernel_param":
            return "param"
    return "generic"


def _space(warp: Warp, name: str) -> Space:
    memory = warp.launch.memory
    if name == "shared":
        return warp.block.shared
    if name == "local":
        return warp.local
    return {"param": memory.parameters, "const": memory.constants}.get(name, memory.globals)


def _routed(warp: Warp, addresses: Array, lanes: Array) -> list[Place]:
    found: list[Place] = []
    for space, chosen in warp.route(addresses):
        base = np.uint64(space.base)
        if chosen is None:
            found.append((space, addresses - base, lanes, None))
        else:
            found.append((space, addresses[chosen] - base, lanes[chosen], chosen))
    return found


def _elements(operand: Operand) -> tuple[Operand, ...]:
    return operand.items if isinstance(operand, Vector) else (operand,)


def load(instruction: Instruction) -> Run:
    """ld, ldu"""
    kind = the_type(instruction)
    target, source = instruction.operands[:2]
    items, width = _elements(target), bits(kind) // 8
    # Raw bits, but signed where a wider register is to be extended by the sign.
    raw = kind if kind[0] == "s" else f"b{bits(kind)}"
    writes, dtype = [writer(item, raw) for item in items], dtype_of(raw)
    size = width * len(items)
    find = places(source, space_of(instruction), size, instruction.pc, False)

    def run(warp: Warp, mask: Mask) -> None:
        lanes = lanes_of(mask)
        found = find(warp, mask, lanes)
        for i, write in enumerate(writes):
            full = _gather(found, i * width, width, lanes)
            write(warp, mask, full.view(dtype))

    return run


def _gather(found: list[Place], skip: int, width: int, lanes: Array) -> Array:
    """One element of every lane, at its lane."""
    if lanes is ALL_LANES and len(found) == 1:
        space, offsets, _, _ = found[0]
        return space.load(offsets + np.uint64(skip) if skip else offsets, width, lanes)
    full = np.zeros(LANES, UNSIGNED[8 * width])
    for space, offsets, chosen, _ in found:
        full[chosen] = space.load(offsets + np.uint64(skip), width, chosen)
    return full


def store(instruction: Instruction) -> Run:
    """st"""
    kind = the_type(instruction)
    target, source = instruction.operands[:2]
    items, width = _elements(source), bits(kind) // 8
    reads = [reader(item, f"b{bits(kind)}") for item in items]
    find = places(target, space_of(instruction), width * len(items), instruction.pc, True)

    def run(warp: Warp, mask: Mask) -> None:
        found = find(warp, mask, lanes_of(mask))
        for i, read in enumerate(reads):
            values = read(warp, mask)
            for space, offsets, chosen, _ in found:
                part = values if chosen is ALL_LANES else values[chosen]
                space.store(offsets + np.uint64(i * width), width, chosen, part)

    return run


def move(instruction: Instruction) -> Run:
    """mov, also between a vector and the register that holds its parts"""
    kind = the_type(instruction)
    target, source = instruction.operands
    if isinstance(target, Vector):
        return _split(target, source, kind)
    if isinstance(source, Vector):
        return _join(target, source, kind)
    raw = kind if kind == "pred" else f"b{bits(kind)}"
    read, write = (
        reader(source, kind if isinstance(source, Immediate) else raw),
        writer(target, raw),
    )
    dtype = dtype_of(raw)
    return lambda warp, mask: write(warp, mask, read(warp, mask).view(dtype))


def _split(target: Vector, source: Operand, kind: str) -> Run:
    """mov.b64 {a, b}, c"""
    width = bits(kind) // len(target.items)
    writes = [writer(item, f"b{width}") for item in target.items]
    read, dtype = reader(source, f"b{bits(kind)}"), UNSIGNED[width]

    def run(warp: Warp, mask: Mask) -> None:
        parts = read(warp, mask).view(dtype).reshape(LANES, -1)
        for i, write in enumerate(writes):
            write(warp, mask, parts[:, i])

    return run


def _join(target: Operand, source: Vector, kind: str) -> Run:
    """mov.b64 c, {a, b}

    Compilers join what nobody will use to what they use: a part that is undefined has bits that
    show in any result, and c is undefined where all of them are.
    """
    width = bits(kind) // len(source.items)
    reads = [_part_reader(item, width) for item in source.items]
    write, dtype, whole = writer(target, f"b{bits(kind)}"), UNSIGNED[width], UNSIGNED[bits(kind)]
    unused = UNSIGNED[width].type(_UNDEFINED & ((1 << width) - 1))

    def run(warp: Warp, mask: Mask) -> None:
        parts, defined = np.empty((LANES, len(reads)), dtype), np.zeros(LANES, np.bool_)
        for i, read in enumerate(reads):
            values, known = read(warp, mask)
            parts[:, i] = np.where(known, values, unused)
            defined |= known
        write(warp, mask, parts.reshape(-1).view(whole))
        if isinstance(target, Register) and count_nonzero(mask & ~defined):
            warp.registers[target.slot].forget(mask & ~defined)

    return run


# The bits of parts that are undefined.
_UNDEFINED = 0xDEADBEEFDEADBEEF


def _part_reader(item: Operand, width: int) -> Callable[[Warp, Mask], tuple[Array, Mask]]:
    """The values of a part, and in which lanes they are defined."""
    if isinstance(item, Register) and bits(item.type) == width:
        slot, kind = item.slot, f"b{width}"

        def of_register(warp: Warp, mask: Mask) -> tuple[Array, Mask]:
            cell = warp.registers[slot]
            return cell.views[kind], cell.known

        return of_register
    read, everywhere = reader(item, f"b{width}"), np.ones(LANES, np.bool_)
    return lambda warp, mask: (read(warp, mask), everywhere)


# --- asynchronous copies -------------------------------------------------------------------------


def copy_async(instruction: Instruction) -> Run:
    """cp.async: reads at once and writes when it is waited for, so that a missing wait is seen."""
    if instruction.has("commit_group"):
        return _commit
    if instruction.has("wait_group", "wait_all"):
        return _wait(instruction)
    if not instruction.has("ca", "cg"):
        raise unknown(instruction)
    target, source, size = instruction.operands[:3]
    assert isinstance(size, Immediate), "cp.async has a constant size"
    count = int(size.value)
    used = reader(instruction.operands[3], "u32") if len(instruction.operands) > 3 else None
    to = places(target, "shared", count, instruction.pc, True)
    of = places(source, "global", count, -1 - instruction.pc, False)

    def run(warp: Warp, mask: Mask) -> None:
        lanes = lanes_of(mask)
        ((_, offsets, _, _),) = to(warp, mask, lanes)
        ((space, sources, _, _),) = of(warp, mask, lanes)
        words = [space.load(sources + np.uint64(i), 1, lanes) for i in range(count)]
        data = np.stack(words, axis=1)
        if used is not None:
            data[np.arange(count) >= used(warp, mask)[lanes][:, None]] = 0
        warp.copies.append(Copy(lanes, warp.copy_group[lanes], offsets.copy(), data))

    return run


def _commit(warp: Warp, mask: Mask) -> None:
    warp.copy_group[mask] += 1


def _wait(instruction: Instruction) -> Run:
    """cp.async.wait_group n leaves the n groups committed last under way."""
    everything = instruction.has("wait_all")
    left = 0
    if not everything:
        (operand,) = instruction.operands
        assert isinstance(operand, Immediate), "cp.async.wait_group has a constant"
        left = int(operand.value)

    return lambda warp, mask: finish_copies(warp, mask, None if everything else left)


def finish_copies(warp: Warp, mask: Mask, left: int | None = None) -> None:
    """Writes what lanes of the mask copied, except in the `left` groups they committed last."""
    kept = list(warp.copies)
    warp.copies.clear()
    for copy in kept:
        done = mask[copy.lanes]
        if left is not None:
            done = done & (copy.groups < warp.copy_group[copy.lanes] - left)
        for i in range(copy.data.shape[1]):
            offsets = copy.offsets[done] + np.uint64(i)
            warp.block.shared.store(offsets, 1, copy.lanes[done], copy.data[done, i])
        rest = ~done
        if count_nonzero(rest):
            copy.lanes, copy.groups = copy.lanes[rest], copy.groups[rest]
            copy.offsets, copy.data = copy.offsets[rest], copy.data[rest]
            warp.copies.append(copy)


def nothing(instruction: Instruction) -> Run:
    """Hints and fences: lanes run in order and memory has no caches."""
    return lambda warp, mask: None


def policy(instruction: Instruction) -> Run:
    """createpolicy: a cache hint that nobody reads"""
    write = writer(instruction.operands[0], "b64")
    return lambda warp, mask: write(warp, mask, np.zeros(LANES, np.uint64))


_CACHE = r"ca|cg|cs|cv|lu|cp|wb|wt|nc|L1::\w+|L2::\w+|volatile|mmio"
_ORDER = "weak|relaxed|acquire|release|acq_rel|sc|cta|cluster|gpu|sys"
_WHERE = r"global|shared|local|const|param|shared::\w+|param::\w+|unified"
TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "mov": (move, ""),
    **{
        name: (build, f"{_CACHE}|{_ORDER}|{_WHERE}|v2|v4|v8")
        for name, build in (("ld", load), ("ldu", load), ("st", store))
    },
    "cp": (
        copy_async,
        r"async|ca|cg|commit_group|wait_group|wait_all|global|shared(::\w+)?|L2::\w+",
    ),
    **dict.fromkeys(
        ("membar", "fence", "nanosleep", "prefetch", "prefetchu", "griddepcontrol", "setmaxnreg",
         "applypriority", "discard", "pmevent"),
        (nothing, r"[\w:]+"),
    ),
    "createpolicy": (policy, r"[\w:]+"),
}  # fmt: skip
