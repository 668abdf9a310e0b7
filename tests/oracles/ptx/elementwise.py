"""Instructions that compute each lane's result from that lane's operands, made from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .errors import Uninitialised
from .memory import Array
from .syntax import Instruction, Not, Operand, Pair, Register, Vector
from .values import SIGNED, UNSIGNED, Mask, Run, bits, reader, types_of, unknown, writer

if TYPE_CHECKING:
    from .machine import Warp

Function1 = Callable[[Array], Array]
Function2 = Callable[[Array, Array], Array]
Function3 = Callable[[Array, Array, Array], Array]


def unary(operands: list[Operand], out: str, a: str, function: Function1) -> Run:
    """d = function(a)"""
    write, read = writer(operands[0], out), reader(operands[1], a)

    def run(warp: Warp, mask: Mask) -> None:
        write(warp, mask, function(read(warp, mask)))

    return run


def binary(operands: list[Operand], out: str, a: str, b: str, function: Function2) -> Run:
    """d = function(a, b)"""
    write, left, right = writer(operands[0], out), reader(operands[1], a), reader(operands[2], b)

    def run(warp: Warp, mask: Mask) -> None:
        write(warp, mask, function(left(warp, mask), right(warp, mask)))

    return run


def ternary(operands: list[Operand], out: str, kinds: list[str], function: Function3) -> Run:
    """d = function(a, b, c)"""
    write = writer(operands[0], out)
    first, second, third = (
        reader(operand, kind) for operand, kind in zip(operands[1:], kinds, strict=True)
    )

    def run(warp: Warp, mask: Mask) -> None:
        values = function(first(warp, mask), second(warp, mask), third(warp, mask))
        write(warp, mask, values)

    return run


def handing_on(instruction: Instruction, run: Run) -> Run:
    """The instruction, whose results are undefined in the lanes in which an operand is.

    Compilers compute with what nobody will use, such as a fourth lane of vectors of three. What is
    undefined must not be stored, branched on, used as an address or given to other lanes.
    """
    target, *operands = instruction.operands
    targets, sources = _slots(target), [slot for item in operands for slot in _slots(item)]

    def where_defined(warp: Warp, mask: Mask) -> None:
        try:
            run(warp, mask)
        except Uninitialised:
            known = mask.copy()
            for slot in sources:
                known &= warp.registers[slot].known
            if np.array_equal(known, mask):
                raise
            for slot in targets:
                warp.registers[slot].forget(mask & ~known)
            run(warp, known)

    return where_defined


def _slots(operand: Operand) -> list[int]:
    """The registers of an operand."""
    if isinstance(operand, Vector):
        return [slot for item in operand.items for slot in _slots(item)]
    if isinstance(operand, Pair):
        return _slots(operand.first) + _slots(operand.second)
    if isinstance(operand, Not):
        return [operand.register.slot]
    return [operand.slot] if isinstance(operand, Register) else []


def the_type(instruction: Instruction) -> str:
    """The only type, or the last of several."""
    found = types_of(instruction)
    if not found:
        raise unknown(instruction, "it names no type")
    return found[-1]


def is_float(kind: str) -> bool:
    """f16, bf16x2, f64 …"""
    return kind[0] == "f" or kind.startswith("bf")


def unsigned(values: Array) -> Array:
    """The same bits as an unsigned type."""
    return values.view(UNSIGNED[values.dtype.itemsize * 8])


def signed(values: Array) -> Array:
    """The same bits as a signed type."""
    return values.view(SIGNED[values.dtype.itemsize * 8])


def low_bits(count: Array) -> Array:
    """2**count - 1 in 64 bits, for counts of 64 and more as well."""
    one = np.uint64(1)
    short = (one << np.minimum(count, np.uint64(63))) - one
    return np.where(count >= 64, ~np.uint64(0), short)


def shift_left(a: Array, count: Array) -> Array:
    """A shift of 64 bits that gives 0 for large counts."""
    return np.where(count >= 64, np.uint64(0), a << np.minimum(count, np.uint64(63)))


def count_leading_zeros(a: Array) -> Array:
    """Of 8 to 64 bits."""
    width = a.dtype.itemsize * 8
    if width < 64:
        return width - np.frexp(a.astype(np.float64))[1]
    high, low = (a >> np.uint64(32)).astype(np.uint32), a.astype(np.uint32)
    return np.where(high != 0, count_leading_zeros(high), 32 + count_leading_zeros(low))


def high_product(a: Array, b: Array) -> Array:
    """The upper half of the product of 64-bit integers, or of narrower ones."""
    width = a.dtype.itemsize * 8
    if width < 64:
        wide = (SIGNED if a.dtype.kind == "i" else UNSIGNED)[2 * width]
        return (a.astype(wide) * b.astype(wide) >> wide.type(width)).astype(a.dtype)
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    x, y = unsigned(a), unsigned(b)
    x0, x1, y0, y1 = x & low, x >> half, y & low, y >> half
    middle = x1 * y0 + (x0 * y0 >> half)
    other = x0 * y1 + (middle & low)
    result = x1 * y1 + (middle >> half) + (other >> half)
    if a.dtype.kind == "i":
        result = result - np.where(a < 0, y, 0) - np.where(b < 0, x, 0)
    return result.astype(np.uint64).view(a.dtype)


def wide_kind(kind: str) -> str:
    """s16 → s32, u32 → u64"""
    return f"{kind[0]}{2 * bits(kind)}"
