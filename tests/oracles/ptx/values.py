"""Registers of a warp, and access to operands: each is turned into a function once, when loaded.

A register is 32 lanes of raw bits with one view per type. bf16 is read as its 16 bits; packed types
(f16x2, f32x2) are read as 64 elements.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import PtxError, PtxSyntaxError, Uninitialised, UnknownInstruction
from .memory import Array, window
from .syntax import (
    Function,
    Immediate,
    Instruction,
    Not,
    Operand,
    Register,
    Sink,
    Special,
    Symbol,
    Variable,
)

if TYPE_CHECKING:
    from .machine import Warp

LANES = 32
FUNCTION_BASE = 1 << 32
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Read = Callable[["Warp", Mask], Array]
Write = Callable[["Warp", Mask, Array], None]
# Executes one instruction for the lanes of the mask. An integer is the next program counter.
Run = Callable[["Warp", Mask], int | None]
Builder = Callable[[Instruction], Run]
count_nonzero = np.count_nonzero

UNSIGNED: dict[int, np.dtype[Any]] = {
    8: np.dtype("u1"), 16: np.dtype("u2"), 32: np.dtype("u4"), 64: np.dtype("u8"),
}  # fmt: skip
SIGNED: dict[int, np.dtype[Any]] = {
    8: np.dtype("i1"), 16: np.dtype("i2"), 32: np.dtype("i4"), 64: np.dtype("i8"),
}  # fmt: skip
FLOAT: dict[int, np.dtype[Any]] = {
    16: np.dtype("f2"), 32: np.dtype("f4"), 64: np.dtype("f8"),
}  # fmt: skip
_PACKED: dict[str, tuple[int, str]] = {
    "f16x2": (32, "f2"), "bf16x2": (32, "u2"), "u16x2": (32, "u2"), "s16x2": (32, "i2"),
    "f32x2": (64, "f4"),
}  # fmt: skip
_BITS = {"pred": 1, "bf16": 16, "tf32": 32, "e4m3x2": 16, "e5m2x2": 16} | {
    name: row[0] for name, row in _PACKED.items()
}


def bits(kind: str) -> int:
    """Width of a type."""
    if kind in _BITS:
        return _BITS[kind]
    return int(kind[1:])


def is_packed(kind: str) -> bool:
    """Whether a register of this type is read as two elements."""
    return kind in _PACKED


def dtype_of(kind: str) -> np.dtype[Any]:
    """The NumPy type an operand of this type is read as."""
    if kind in _PACKED:
        return np.dtype(_PACKED[kind][1])
    if kind == "pred":
        return np.dtype(np.bool_)
    table = {"s": SIGNED, "f": FLOAT}.get(kind[0], UNSIGNED)
    return table[bits(kind)]


_TYPES: dict[int, list[str]] = {
    1: ["pred"],
    8: ["b8", "u8", "s8"],
    16: ["b16", "u16", "s16", "f16", "bf16", "e4m3x2", "e5m2x2"],
    32: ["b32", "u32", "s32", "f32", "f16x2", "bf16x2", "u16x2", "s16x2", "tf32"],
    64: ["b64", "u64", "s64", "f64", "f32x2"],
}
_VIEWS = {width: [(kind, dtype_of(kind)) for kind in kinds] for width, kinds in _TYPES.items()}
_SPECIAL = re.compile(
    r"%(tid|ntid|ctaid|nctaid|clusterid|nclusterid|cluster_n?ctaid)\.[xyz]"
    r"|%(laneid|n?warpid|n?smid|gridid|lanemask_(eq|l[te]|g[te])|clock(64|_hi)?|globaltimer(_lo)?"
    r"|dynamic_smem_size|total_smem_size|cluster_n?ctarank|is_explicit_cluster)"
)
_KIND = re.compile(r"pred|[busf]\d+(?:x2)?|bf16(?:x2)?|tf32|u?e\d+m\d+x2")


def types_of(instruction: Instruction) -> list[str]:
    """The types among the modifiers, in order."""
    return [m for m in instruction.modifiers if _KIND.fullmatch(m)]


def unknown(instruction: Instruction, why: str = "") -> UnknownInstruction:
    """The error for an instruction, or a form of it, that is not known."""
    message = f"unknown instruction {instruction.text!r}" + (f": {why}" if why else "")
    return UnknownInstruction(message, instruction.line)


class Cell:
    """A register at run time. `complete`: every lane of the warp has written it."""

    __slots__ = ("complete", "known", "name", "raw", "views")

    def __init__(self, register: Register, absent: Mask):
        self.name = register.name
        width = bits(register.type)
        self.raw: Array = np.zeros(LANES, np.bool_ if width == 1 else UNSIGNED[width])
        self.views = {kind: self.raw.view(dtype) for kind, dtype in _VIEWS[width]}
        self.known = absent.copy()
        self.complete = False

    def forget(self, mask: Mask) -> None:
        """Makes the register undefined for these lanes."""
        self.known &= ~mask
        self.complete = False

    def wrote(self, mask: Mask) -> None:
        """Makes it defined for these lanes."""
        self.known |= mask
        self.complete = count_nonzero(self.known) == LANES

    def demand(self, mask: Mask) -> None:
        """Raises where it is read before it is written."""
        missing = mask & ~self.known
        if count_nonzero(missing):
            lane = int(np.flatnonzero(missing)[0])
            raise Uninitialised(f"register {self.name} is read before it is written", lane=lane)


def reader(operand: Operand, kind: str) -> Read:
    """A function that gives the operand as elements of type `kind`."""
    if isinstance(operand, Register):
        return _register_reader(operand, kind)
    if isinstance(operand, Not):
        inner = _register_reader(operand.register, kind)
        return lambda warp, mask: ~inner(warp, mask)
    if isinstance(operand, Immediate):
        constant = _constant(operand, kind)
        return lambda warp, mask: constant
    if isinstance(operand, Special):
        return _special_reader(operand.name, kind)
    if isinstance(operand, Symbol):
        return _symbol_reader(operand, kind)
    raise PtxSyntaxError(f"expected a value, got {operand}")


def _register_reader(register: Register, kind: str) -> Read:
    slot, have, want = register.slot, bits(register.type), bits(kind)
    if have < want:
        raise PtxSyntaxError(f"register {register.name} is narrower than .{kind}")
    if have > want and (want == 1 or kind not in _TYPES[want]):
        raise PtxSyntaxError(f"register {register.name} cannot be read as .{kind}")
    if have == want:

        def read(warp: Warp, mask: Mask) -> Array:
            cell = warp.registers[slot]
            if not cell.complete:
                cell.demand(mask)
            return cell.views[kind]

        return read
    narrow, dtype = UNSIGNED[want], dtype_of(kind)

    def read_low(warp: Warp, mask: Mask) -> Array:
        cell = warp.registers[slot]
        if not cell.complete:
            cell.demand(mask)
        return cell.raw.astype(narrow).view(dtype)

    return read_low


def _constant(operand: Immediate, kind: str) -> Array:
    value, width = operand.value, bits(kind)
    if kind == "pred":
        result: Array = np.full(LANES, bool(value))
    elif kind in ("f16", "f32", "f64") and (isinstance(value, float) or operand.bits):
        result = np.full(LANES, value, dtype_of(kind))
    else:
        if isinstance(value, float):
            code = {32: ("<f", "<I"), 64: ("<d", "<Q")}[operand.bits]
            value = int(struct.unpack(code[1], struct.pack(code[0], value))[0])
        raw = np.full(LANES, value & ((1 << width) - 1), UNSIGNED[width])
        result = raw.view(dtype_of(kind))
    result.flags.writeable = False
    return result


def _special_reader(name: str, kind: str) -> Read:
    if not _SPECIAL.fullmatch(name):
        raise PtxSyntaxError(f"unknown register {name}")
    dtype = dtype_of(kind)

    def read(warp: Warp, mask: Mask) -> Array:
        return warp.special(name).astype(dtype, copy=False)

    return read


def resolve(symbol: Symbol) -> Variable | Function:
    """The variable or function that a name stands for."""
    named = symbol.scope.find(symbol.name)
    if not isinstance(named, Variable | Function):
        raise PtxSyntaxError(f"{symbol.name} is not declared")
    return named


def function_address(function: Function) -> int:
    """What a pointer to the function holds."""
    return FUNCTION_BASE + 16 * function.base


def _symbol_reader(symbol: Symbol, kind: str) -> Read:
    named, dtype, offset = resolve(symbol), dtype_of(kind), symbol.offset
    if isinstance(named, Function):
        address: int | None = function_address(named)
    else:
        address = named.address
        # The address of a parameter of a function is generic, as that of a kernel parameter is.
        offset += window("local") if named.space == "param" else 0
    if address is not None:
        constant = np.full(LANES, address + offset, np.uint64).astype(dtype)
        return lambda warp, mask: constant

    def read(warp: Warp, mask: Mask) -> Array:
        return np.full(LANES, warp.offsets[named] + offset, np.uint64).astype(dtype)

    return read


def writer(operand: Operand, kind: str) -> Write:
    """A function that writes elements of type `kind`; a wider register is extended by its sign."""
    if isinstance(operand, Sink):
        return lambda warp, mask, values: None
    if not isinstance(operand, Register):
        raise PtxSyntaxError(f"expected a register as destination, got {operand}")
    slot, have, want = operand.slot, bits(operand.type), bits(kind)
    if have < want:
        raise PtxSyntaxError(f"register {operand.name} is narrower than .{kind}")
    if have == want and not is_packed(kind):

        def write(warp: Warp, mask: Mask, values: Array) -> None:
            cell = warp.registers[slot]
            np.copyto(cell.views[kind], values, casting="unsafe", where=mask)
            if not cell.complete:
                cell.wrote(mask)

        return write
    raw = UNSIGNED[want]
    wide = (SIGNED if kind[0] == "s" else UNSIGNED)[have]

    def write_raw(warp: Warp, mask: Mask, values: Array) -> None:
        cell = warp.registers[slot]
        full = np.ascontiguousarray(values)
        full = full.astype(wide) if have != want and kind[0] in "us" else full.view(raw)
        np.copyto(cell.raw, full, casting="unsafe", where=mask)
        if not cell.complete:
            cell.wrote(mask)

    return write_raw


def integer_constant(operand: Operand) -> int | None:
    """The value of an immediate integer, None for anything else."""
    if isinstance(operand, Immediate) and isinstance(operand.value, int):
        return operand.value
    return None


def locate(error: PtxError, instruction: Instruction) -> PtxError:
    """The same error, with the line of the instruction if it has none yet."""
    if error.line is None:
        error.line = instruction.line
    return error
