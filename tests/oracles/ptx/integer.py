"""Integer arithmetic and operations on bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from . import fields
from .elementwise import (
    binary,
    high_product,
    ternary,
    the_type,
    unary,
    unsigned,
    wide_kind,
)
from .memory import Array
from .syntax import Instruction
from .values import (
    LANES,
    Mask,
    Run,
    bits,
    dtype_of,
    reader,
    writer,
)

if TYPE_CHECKING:
    from .machine import Warp


def divide(a: Array, b: Array) -> Array:
    """Towards zero; all ones for a divisor of zero, as the hardware gives."""
    quotient = a // np.where(b == 0, 1, b).astype(a.dtype)
    if a.dtype.kind == "i":
        inexact = quotient * b != a
        quotient = quotient + (inexact & ((a < 0) != (b < 0)))
    return np.where(b == 0, unsigned(np.full_like(a, 0)) - 1, unsigned(quotient)).view(a.dtype)


def remainder(a: Array, b: Array) -> Array:
    """a - a / b * b"""
    return np.where(b == 0, a, a - divide(a, b) * b)


def _clip(wide: Array, kind: str) -> Array:
    info = np.iinfo(dtype_of(kind))
    return np.clip(wide, info.min, info.max).astype(dtype_of(kind))


def carries(instruction: Instruction) -> bool:
    """Whether the carry is read or written."""
    return instruction.has("cc") or instruction.opcode in ("addc", "subc", "madc")


def add_sub(instruction: Instruction) -> Run:
    """add, sub, with saturation or carries"""
    kind = the_type(instruction)
    if carries(instruction):
        return _with_carry(instruction, kind)
    function: Callable[[Array, Array], Array] = (
        np.add if instruction.opcode == "add" else np.subtract
    )
    if instruction.has("sat"):
        plain = function
        function = lambda a, b: _clip(plain(a.astype(np.int64), b.astype(np.int64)), kind)  # noqa: E731
    return binary(instruction.operands, kind, kind, kind, function)


def _with_carry(instruction: Instruction, kind: str) -> Run:
    """add.cc, addc, sub.cc, subc: the carry of a subtraction is the borrow."""
    raw = f"u{bits(kind)}"
    operands, sets = instruction.operands, instruction.has("cc")
    write, left, right = (
        writer(operands[0], raw),
        reader(operands[1], raw),
        reader(operands[2], raw),
    )
    minus, takes = instruction.opcode.startswith("sub"), instruction.opcode.endswith("c")

    def run(warp: Warp, mask: Mask) -> None:
        a, b = left(warp, mask), right(warp, mask)
        extra = (warp.carry if takes else np.zeros(LANES, np.uint64)).astype(a.dtype)
        result = a - b - extra if minus else a + b + extra
        if minus:
            carry = (a < b) | ((a == b) & (extra != 0))
        else:
            carry = (result < a) | ((result == a) & (extra != 0))
        write(warp, mask, result)
        if sets:
            np.copyto(warp.carry, carry, casting="unsafe", where=mask)

    return run


def multiply(instruction: Instruction) -> Run:
    """mul.lo, .hi, .wide"""
    kind = the_type(instruction)
    if instruction.has("wide"):
        out = dtype_of(wide_kind(kind))
        widened: Callable[[Array, Array], Array] = lambda a, b: a.astype(out) * b.astype(out)  # noqa: E731
        return binary(instruction.operands, wide_kind(kind), kind, kind, widened)
    function = high_product if instruction.has("hi") else np.multiply
    return binary(instruction.operands, kind, kind, kind, function)


def multiply_add(instruction: Instruction) -> Run:
    """mad.lo, .hi, .wide, with saturation or carries"""
    kind, operands = the_type(instruction), instruction.operands
    if carries(instruction):
        return _multiply_with_carry(instruction, kind)
    if instruction.has("wide"):
        out = dtype_of(wide_kind(kind))
        return ternary(
            operands, wide_kind(kind), [kind, kind, wide_kind(kind)],
            lambda a, b, c: a.astype(out) * b.astype(out) + c,
        )  # fmt: skip
    product = high_product if instruction.has("hi") else np.multiply
    if instruction.has("sat"):
        return ternary(
            operands, kind, [kind] * 3,
            lambda a, b, c: _clip(product(a, b).astype(np.int64) + c.astype(np.int64), kind),
        )  # fmt: skip
    return ternary(operands, kind, [kind] * 3, lambda a, b, c: product(a, b) + c)


def _multiply_with_carry(instruction: Instruction, kind: str) -> Run:
    """mad.lo.cc, madc.hi and so on: d = half of a * b, plus c, plus the carry"""
    d, a, b, c = instruction.operands
    write, third = writer(d, kind), reader(c, f"u{bits(kind)}")
    left, right = reader(a, kind), reader(b, kind)
    product = high_product if instruction.has("hi") else np.multiply
    takes, sets = instruction.opcode == "madc", instruction.has("cc")

    def run(warp: Warp, mask: Mask) -> None:
        half = unsigned(product(left(warp, mask), right(warp, mask)))
        addend = third(warp, mask)
        extra = (warp.carry if takes else np.zeros(LANES, np.uint64)).astype(half.dtype)
        result = half + addend + extra
        carry = (result < half) | ((result == half) & (extra != 0))
        write(warp, mask, result.view(dtype_of(kind)))
        if sets:
            np.copyto(warp.carry, carry, casting="unsafe", where=mask)

    return run


def multiply_24(instruction: Instruction) -> Run:
    """mul24 and mad24, .lo and .hi"""
    kind, high = the_type(instruction), instruction.has("hi")
    wide, out = (np.int64 if kind[0] == "s" else np.uint64), dtype_of(kind)

    def product(a: Array, b: Array) -> Array:
        low = [(v << 8).astype(out).astype(wide) >> wide(8) for v in (a, b)]
        full = low[0] * low[1]
        return (full >> wide(16) if high else full).astype(out)

    if instruction.opcode == "mul24":
        return binary(instruction.operands, kind, kind, kind, product)
    return ternary(instruction.operands, kind, [kind] * 3, lambda a, b, c: product(a, b) + c)


def shift(instruction: Instruction) -> Run:
    """shl and shr, which clamp the amount"""
    kind = the_type(instruction)
    width = bits(kind)

    def left(a: Array, count: Array) -> Array:
        shifted = a << np.minimum(count, width - 1).astype(a.dtype)
        return np.where(count >= width, a.dtype.type(0), shifted)

    def right(a: Array, count: Array) -> Array:
        shifted = a >> np.minimum(count, width - 1).astype(a.dtype)
        return (
            shifted if a.dtype.kind == "i" else np.where(count >= width, a.dtype.type(0), shifted)
        )

    function = left if instruction.opcode == "shl" else right
    return binary(instruction.operands, kind, kind, "u32", function)


def simple(instruction: Instruction) -> Run:
    """Those that NumPy has."""
    kind = the_type(instruction)
    if instruction.opcode in _UNARY:
        return unary(instruction.operands, kind, kind, _UNARY[instruction.opcode])
    function = _BINARY[instruction.opcode]
    operands = instruction.operands
    if instruction.has("relu"):
        return binary(operands, kind, kind, kind, lambda a, b: np.maximum(function(a, b), 0))
    return binary(operands, kind, kind, kind, function)


_UNARY: dict[str, Callable[[Array], Array]] = {
    "neg": np.negative,
    "abs": np.abs,
    "not": np.invert,
    "cnot": lambda a: (a == 0).astype(a.dtype),
}
_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "min": np.minimum, "max": np.maximum, "div": divide, "rem": remainder,
}  # fmt: skip


_CARRY = "cc|sat|lo|hi|wide"
# opcode → (builder, modifiers it understands besides types)
TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    **dict.fromkeys(("add", "sub", "addc", "subc"), (add_sub, "cc|sat")),
    "mul": (multiply, "lo|hi|wide"), "mad": (multiply_add, _CARRY), "madc": (multiply_add, _CARRY),
    "mul24": (multiply_24, "lo|hi"), "mad24": (multiply_24, "lo|hi"),
    "shl": (shift, ""), "shr": (shift, ""),
    **dict.fromkeys((*_UNARY, *_BINARY), (simple, "relu")),
    **fields.TABLE,
}  # fmt: skip
