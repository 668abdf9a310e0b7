"""cvt, cvt.pack and address conversions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .elementwise import is_float, the_type
from .memory import WINDOW_BITS, WINDOWS, Array, window
from .rounding import canonical, element, flush, narrow, widen
from .syntax import Instruction
from .values import (
    LANES,
    Mask,
    Run,
    bits,
    dtype_of,
    is_packed,
    reader,
    types_of,
    unknown,
    writer,
)

if TYPE_CHECKING:
    from .machine import Warp

_INTEGRAL: dict[str, Callable[[Array], Array]] = {
    "rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil,
}  # fmt: skip
_MODES = ("rn", "rz", "rm", "rp", "rna")


def to_integer(values: Array, kind: str) -> Array:
    """Integral floats as integers, clamped; NaN as the hardware has it."""
    dtype = dtype_of(kind)
    info = np.iinfo(dtype)
    wide = values.astype(np.float64)
    # The largest 64-bit integers are no floats: those at or above the limit are clamped by hand.
    above, below, nan = wide >= float(info.max), wide <= float(info.min), np.isnan(wide)
    safe = np.where(above | below | nan, 0, wide)
    result = safe.astype(dtype)
    result = np.where(above, info.max, np.where(below, info.min, result)).astype(dtype)
    of_nan = 0
    if bits(kind) == 64 or values.dtype == np.float64:
        of_nan = info.min if kind[0] == "s" else 1 << (bits(kind) - 1)
    return np.where(nan, np.array(of_nan, dtype), result)


def _float_to_integer(instruction: Instruction, out: str, kind: str) -> Callable[[Array], Array]:
    rounding = next((m for m in instruction.modifiers if m in _INTEGRAL), "rzi")
    integral, ftz = _INTEGRAL[rounding], instruction.has("ftz") and kind == "f32"

    def convert(values: Array) -> Array:
        wide = widen(kind, values)
        return to_integer(integral(flush(wide) if ftz else wide), out)

    return convert


def _integer_to_float(instruction: Instruction, out: str) -> Callable[[Array], Array]:
    mode = next((m for m in instruction.modifiers if m in _MODES), "rn")

    def convert(values: Array) -> Array:
        if values.dtype.itemsize < 8:
            return narrow(out, values.astype(np.float64), mode)
        return narrow(out, _odd_of_64_bits(values, out, mode), mode)

    return convert


def _odd_of_64_bits(values: Array, out: str, mode: str) -> Array:
    """64-bit integers as float64, rounded to odd (or by `mode` where f64 is the result)."""
    if out == "f64" and mode == "rn":
        return values.astype(np.float64)
    # The halves are exact; their sum is rounded once.
    high: Array = (values >> values.dtype.type(32)).astype(np.float64) * 2.0**32
    low: Array = (values & values.dtype.type(0xFFFFFFFF)).astype(np.float64)
    total = high + low
    error = low - (total - high)
    if out != "f64":
        off = (error != 0) & (total.view(np.int64) & 1 == 0)
        step = np.where((error > 0) == (total > 0), 1, -1)
        return np.where(off, (total.view(np.int64) + step).view(np.float64), total)
    down = (error < 0) & ((mode == "rm") | ((mode == "rz") & (total > 0)))
    up = (error > 0) & ((mode == "rp") | ((mode == "rz") & (total < 0)))
    return np.where(
        down, np.nextafter(total, -np.inf), np.where(up, np.nextafter(total, np.inf), total)
    )


def _float_to_float(instruction: Instruction, out: str, kind: str) -> Callable[[Array], Array]:
    """With rounding to integers, saturation and flushing where the modifiers say so."""
    integral = next((_INTEGRAL[m] for m in instruction.modifiers if m in _INTEGRAL), None)
    mode = next((m for m in instruction.modifiers if m in _MODES), "rn")
    ftz = instruction.has("ftz")
    sat, relu = instruction.has("sat"), instruction.has("relu")
    finite = instruction.has("satfinite")

    def convert(values: Array) -> Array:
        wide = widen(kind, values)
        if ftz and wide.dtype == np.float32:
            wide = flush(wide)
        if integral is not None:
            wide = integral(wide)
        if sat or relu:
            wide = np.fmin(np.fmax(wide, 0), 1) if sat else np.maximum(wide, 0)
        if finite:
            wide = _clip_finite(wide, out)
        result = narrow(out, wide, mode)
        return result if out == "tf32" else canonical(_flushed(result, ftz and out == "f32"))

    return convert


def _flushed(values: Array, ftz: bool) -> Array:
    return flush(values) if ftz else values


def _clip_finite(wide: Array, out: str) -> Array:
    largest = {"f16": 65504.0, "bf16": 3.3895313892515355e38}.get(element(out))
    return wide if largest is None else np.clip(wide, -largest, largest)


def _integer_to_integer(instruction: Instruction, out: str, kind: str) -> Callable[[Array], Array]:
    dtype, sat = dtype_of(out), instruction.has("sat")
    info, source = np.iinfo(dtype), np.iinfo(dtype_of(kind))

    def convert(values: Array) -> Array:
        if sat:
            values = np.clip(values, max(info.min, source.min), min(info.max, source.max))
        return values.astype(dtype)

    return convert


def convert(instruction: Instruction) -> Run:
    """cvt.dtype.stype"""
    kinds = types_of(instruction)
    if instruction.has("pack"):
        return _pack(instruction)
    out, kind = kinds[0], kinds[-1]
    operands = instruction.operands
    if out.endswith("x2") and len(operands) == 3:
        return _convert_two(instruction, out, kind)
    if out.endswith("x2") or kind.endswith("x2"):
        return _convert_packed(instruction, out, kind)
    # tf32 is a destination type only; its register is .b32.
    if is_float(kind):
        function = (
            _float_to_float(instruction, out, kind)
            if is_float(out) or out == "tf32"
            else _float_to_integer(instruction, out, kind)
        )
    elif is_float(out):
        function = _integer_to_float(instruction, out)
    else:
        function = _integer_to_integer(instruction, out, kind)
    read, write = reader(operands[1], kind), writer(operands[0], out)
    return lambda warp, mask: write(warp, mask, function(read(warp, mask)))


def _convert_two(instruction: Instruction, out: str, kind: str) -> Run:
    """cvt.f16x2.f32 d, a, b: a becomes the upper half, b the lower"""
    function = _float_to_float(instruction, out, kind)
    d, a, b = instruction.operands
    raw = f"b{bits(out)}"
    high, low, write = reader(a, kind), reader(b, kind), writer(d, raw)
    dtype = dtype_of(raw)

    def run(warp: Warp, mask: Mask) -> None:
        both = np.empty(2 * LANES, dtype_of(kind))
        both[0::2], both[1::2] = low(warp, mask), high(warp, mask)
        write(warp, mask, np.ascontiguousarray(function(both)).view(dtype))

    return run


def _convert_packed(instruction: Instruction, out: str, kind: str) -> Run:
    """cvt.f16x2.e4m3x2 and back"""
    if not (out.endswith("x2") and kind.endswith("x2")):
        raise unknown(instruction)
    function = _float_to_float(instruction, out, kind)
    source, raw = kind if is_packed(kind) else f"b{bits(kind)}", f"b{bits(out)}"
    read, write = reader(instruction.operands[1], source), writer(instruction.operands[0], raw)
    dtype = dtype_of(raw)

    def run(warp: Warp, mask: Mask) -> None:
        values = np.ascontiguousarray(function(read(warp, mask)))
        write(warp, mask, values.view(dtype))

    return run


def _pack(instruction: Instruction) -> Run:
    """cvt.pack.sat.u8.s32.b32 d, a, b, c: saturated a and b below the bits of c"""
    kinds = types_of(instruction)
    out, kind = kinds[0], kinds[1]
    operands, width, info = instruction.operands, bits(out), np.iinfo(dtype_of(out))
    reads = [reader(operand, kind) for operand in operands[1:3]]
    rest = reader(operands[3], "b32") if len(operands) > 3 else None
    write = writer(operands[0], "b32")

    def run(warp: Warp, mask: Mask) -> None:
        result = np.zeros(LANES, np.uint32)
        for read in reads:
            clipped = np.clip(read(warp, mask), info.min, info.max).astype(np.uint32)
            result = result << np.uint32(width) | clipped & np.uint32((1 << width) - 1)
        if rest is not None:
            result |= rest(warp, mask) << np.uint32(2 * width)
        write(warp, mask, result)

    return run


def convert_address(instruction: Instruction) -> Run:
    """cvta, cvta.to"""
    kind, to = the_type(instruction), instruction.has("to")
    space = next(m for m in instruction.modifiers if m.split("::")[0] in WINDOWS)
    base = window(space.split("::")[0]) if space.split("::")[0] in ("shared", "local") else 0
    step = np.uint64((-base if to else base) & 0xFFFFFFFFFFFFFFFF)
    operands = instruction.operands
    read, write = reader(operands[1], kind), writer(operands[0], kind)

    def run(warp: Warp, mask: Mask) -> None:
        write(warp, mask, read(warp, mask).astype(np.uint64) + step)

    return run


def is_in_space(instruction: Instruction) -> Run:
    """isspacep"""
    name = instruction.modifiers[0].split("::")[0]
    number = WINDOWS[name]
    read, write = reader(instruction.operands[1], "u64"), writer(instruction.operands[0], "pred")

    def run(warp: Warp, mask: Mask) -> None:
        top = read(warp, mask) >> np.uint64(WINDOW_BITS)
        write(warp, mask, top == number)

    return run


_SPACES = "|".join((*WINDOWS, "shared::cta", "shared::cluster", "param::entry"))
TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "cvt": (convert, "rn|rz|rm|rp|rna|rni|rzi|rmi|rpi|ftz|sat|relu|satfinite|pack"),
    "cvta": (convert_address, "to|" + _SPACES),
    "isspacep": (is_in_space, _SPACES),
}
