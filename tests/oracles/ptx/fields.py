"""Operations on the bits and bytes of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .elementwise import (
    binary,
    count_leading_zeros,
    low_bits,
    shift_left,
    signed,
    ternary,
    the_type,
    unary,
    unsigned,
)
from .memory import Array
from .syntax import Immediate, Instruction, Operand
from .values import (
    LANES,
    SIGNED,
    UNSIGNED,
    Mask,
    Run,
    bits,
    dtype_of,
    integer_constant,
    reader,
    types_of,
    unknown,
    writer,
)

if TYPE_CHECKING:
    from .machine import Warp

_REVERSED = np.array([int(f"{i:08b}"[::-1], 2) for i in range(256)], np.uint8)


def count_bits(instruction: Instruction) -> Run:
    """popc and clz, whose result is u32"""
    kind = f"u{bits(the_type(instruction))}"
    function = np.bitwise_count if instruction.opcode == "popc" else count_leading_zeros
    return unary(instruction.operands, "u32", kind, lambda a: function(a).astype(np.uint32))


def find_leading(instruction: Instruction) -> Run:
    """bfind: the position of the highest bit that differs from the sign"""
    kind, amount = the_type(instruction), instruction.has("shiftamt")
    width = bits(kind)

    def function(a: Array) -> Array:
        magnitude = unsigned(np.where(a < 0, ~a, a).astype(a.dtype))
        zeros = count_leading_zeros(magnitude)
        found = zeros if amount else width - 1 - zeros
        return np.where(magnitude == 0, -1, found).astype(np.int32).view(np.uint32)

    return unary(instruction.operands, "u32", kind, function)


def reverse_bits(instruction: Instruction) -> Run:
    """brev"""
    kind = the_type(instruction)

    def function(a: Array) -> Array:
        bytes_ = a.view(np.uint8).reshape(-1, a.dtype.itemsize)[:, ::-1]
        return _REVERSED[bytes_].reshape(-1).view(a.dtype)

    return unary(instruction.operands, kind, kind, function)


def extract_field(instruction: Instruction) -> Run:
    """bfe: `length` bits of a from `position` on, extended by their sign for s32 and s64"""
    kind = the_type(instruction)
    width, out = bits(kind), dtype_of(kind)
    limit = np.uint64(63)

    def function(a: Array, position: Array, length: Array) -> Array:
        start = (position & 0xFF).astype(np.uint64)
        count = (length & 0xFF).astype(np.uint64)
        if kind[0] == "u":
            shifted = np.where(start >= 64, 0, a.astype(np.uint64) >> np.minimum(start, limit))
            return (shifted.astype(np.uint64) & low_bits(count)).astype(out)
        moved = a.astype(np.int64) >> np.minimum(start, limit).view(np.int64)
        spare = (64 - np.minimum(np.minimum(count, width), 64)).astype(np.int64)
        spare = np.minimum(spare, 63)
        return np.where(count == 0, 0, (moved << spare) >> spare).astype(out)

    return ternary(instruction.operands, kind, [kind, "u32", "u32"], function)


def insert_field(instruction: Instruction) -> Run:
    """bfi: the low `length` bits of a into b at `position`"""
    kind = the_type(instruction)
    d, a, b, position, length = instruction.operands
    write = writer(d, kind)
    reads = [reader(a, kind), reader(b, kind), reader(position, "u32"), reader(length, "u32")]

    def run(warp: Warp, mask: Mask) -> None:
        source, target, start, count = (read(warp, mask).astype(np.uint64) for read in reads)
        start, count = start & np.uint64(0xFF), count & np.uint64(0xFF)
        field = shift_left(low_bits(count), start)
        result = (target & ~field) | (shift_left(source, start) & field)
        write(warp, mask, result.astype(dtype_of(kind)))

    return run


def extend(instruction: Instruction) -> Run:
    """szext: the low b bits, sign- or zero-extended"""
    kind, wraps = the_type(instruction), instruction.has("wrap")

    def function(a: Array, b: Array) -> Array:
        count = (b & 31 if wraps else np.minimum(b, 32)).astype(np.int64)
        spare = 64 - np.maximum(count, 1)
        wide = (a.astype(np.int64) << spare) >> spare
        if kind[0] == "u":
            wide = a.astype(np.uint64) & low_bits(count.view(np.uint64))
        return np.where(count == 0, 0, wide).astype(dtype_of(kind))

    return binary(instruction.operands, kind, kind, "u32", function)


def bit_mask(instruction: Instruction) -> Run:
    """bmsk: b ones from bit a on"""
    wraps = instruction.has("wrap")

    def function(a: Array, b: Array) -> Array:
        start, count = a.astype(np.uint64), b.astype(np.uint64)
        if wraps:
            start, count = start & np.uint64(31), count & np.uint64(31)
        return shift_left(low_bits(np.minimum(count, np.uint64(32))), start).astype(np.uint32)

    return binary(instruction.operands, "b32", "u32", "u32", function)


def absolute_difference(instruction: Instruction) -> Run:
    """sad: c + |a - b|"""
    kind = the_type(instruction)
    return ternary(
        instruction.operands, kind, [kind] * 3, lambda a, b, c: c + np.where(a < b, b - a, a - b)
    )


def logic_of_three(instruction: Instruction) -> Run:
    """lop3: any function of three bits, given by its truth table"""
    table = integer_constant(instruction.operands[4])
    if table is None:
        raise unknown(instruction, "the truth table must be a constant")

    def function(a: Array, b: Array, c: Array) -> Array:
        result = np.zeros(LANES, np.uint32)
        for row in range(8):
            if table >> row & 1:
                x, y, z = (v if row >> bit & 1 else ~v for v, bit in ((a, 2), (b, 1), (c, 0)))
                result |= x & y & z
        return result

    return ternary(instruction.operands[:4], "b32", ["b32"] * 3, function)


def _selectors(mode: str, control: Array) -> list[Array]:
    low = control & 3
    if mode == "f4e":
        return [low + i for i in range(4)]
    if mode == "b4e":
        return [(low - i) & 7 for i in range(4)]
    if mode == "rc8":
        return [low] * 4
    if mode == "ecl":
        return [np.maximum(low, i) for i in range(4)]
    if mode == "ecr":
        return [np.minimum(low, i) for i in range(4)]
    if mode == "rc16":
        return [(low & 1) * 2 + (i & 1) for i in range(4)]
    return [control >> 4 * i & 15 for i in range(4)]


def permute_bytes(instruction: Instruction) -> Run:
    """prmt: four bytes chosen among those of b:a"""
    mode = instruction.modifiers[-1]

    def function(a: Array, b: Array, control: Array) -> Array:
        both = np.stack([a, b], axis=1).view(np.uint8).reshape(LANES, 8)
        lanes = np.arange(LANES)
        result = np.zeros(LANES, np.uint32)
        for i, selector in enumerate(_selectors(mode, control.astype(np.int64))):
            byte = both[lanes, selector & 7]
            sign = np.where(byte & 0x80, 0xFF, 0).astype(np.uint8)
            byte = np.where(selector & 8, sign, byte)
            result |= byte.astype(np.uint32) << np.uint32(8 * i)
        return result

    return ternary(_with_chosen(instruction.operands, mode), "b32", ["b32"] * 3, function)


def _with_chosen(operands: list[Operand], mode: str) -> list[Operand]:
    """One operand in place of another of which no byte is chosen: that may be unwritten, as LLVM
    leaves it where it turns bytes round."""
    result, a, b, control = operands
    if mode == "b32" and isinstance(control, Immediate) and isinstance(control.value, int):
        chosen = {(control.value >> 4 * i & 7) // 4 for i in range(4)}
        if len(chosen) == 1:
            one = b if chosen == {1} else a
            return [result, one, one, control]
    return operands


def funnel_shift(instruction: Instruction) -> Run:
    """shf: 32 bits of b:a, shifted"""
    left, wraps = instruction.has("l"), instruction.has("wrap")

    def function(a: Array, b: Array, c: Array) -> Array:
        count = (c & 31 if wraps else np.minimum(c, 32)).astype(np.uint64)
        both = b.astype(np.uint64) << np.uint64(32) | a
        if left:
            return ((both << count) >> np.uint64(32)).astype(np.uint32)
        return (both >> count).astype(np.uint32)

    return ternary(instruction.operands, "b32", ["b32", "b32", "u32"], function)


def dot_product(instruction: Instruction) -> Run:
    """dp4a, dp2a: products of bytes with bytes or halves, added to c"""
    first, second = types_of(instruction)
    out = "s32" if "s" in first + second else "u32"
    two, high = instruction.opcode == "dp2a", instruction.has("hi")

    def parts(values: Array, kind: str, width: int) -> Array:
        table = SIGNED if kind[0] == "s" else UNSIGNED
        return unsigned(values).view(table[width]).reshape(LANES, -1).astype(np.int64)

    def function(a: Array, b: Array, c: Array) -> Array:
        x, y = parts(a, first, 16 if two else 8), parts(b, second, 8)
        if two:
            y = y[:, 2:] if high else y[:, :2]
        return ((x * y).sum(axis=1) + c.astype(np.int64)).astype(dtype_of(out))

    return ternary(instruction.operands, out, [first, second, out], function)


def find_nth_set(instruction: Instruction) -> Run:
    """fns: the position of the n-th set bit from `base` on, upwards or downwards"""

    def find(mask: int, base: int, offset: int) -> int:
        if offset == 0:
            return base if mask >> base & 1 else 0xFFFFFFFF
        step = 1 if offset > 0 else -1
        positions = range(base, 32) if step > 0 else range(base, -1, -1)
        found = [i for i in positions if mask >> i & 1]
        return found[abs(offset) - 1] if len(found) >= abs(offset) else 0xFFFFFFFF

    def function(mask: Array, base: Array, offset: Array) -> Array:
        rows = zip(mask.tolist(), (base & 31).tolist(), signed(offset).tolist(), strict=True)
        return np.array([find(*row) for row in rows], np.uint32)

    return ternary(instruction.operands, "b32", ["b32", "b32", "b32"], function)


TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "popc": (count_bits, ""), "clz": (count_bits, ""), "bfind": (find_leading, "shiftamt"),
    "brev": (reverse_bits, ""), "bfe": (extract_field, ""), "bfi": (insert_field, ""),
    "szext": (extend, "wrap|clamp"), "bmsk": (bit_mask, "wrap|clamp"),
    "sad": (absolute_difference, ""), "lop3": (logic_of_three, ""),
    "prmt": (permute_bytes, "f4e|b4e|rc8|ecl|ecr|rc16"), "shf": (funnel_shift, "l|r|wrap|clamp"),
    "dp4a": (dot_product, ""), "dp2a": (dot_product, "lo|hi"), "fns": (find_nth_set, ""),
}  # fmt: skip
