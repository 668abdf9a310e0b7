"""Functions that the device's runtime system provides: printf, assert, malloc."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from .errors import OutOfBounds, Trap
from .machine import Warp

Builtin = Callable[[Warp, int, list[int]], int]
_FORMAT = re.compile(
    r"%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?(hh|h|ll|l|j|z|t|L)?([diouxXeEfFgGaAcsp%])"
)


def _read(warp: Warp, lane: int, address: int, nbytes: int) -> bytes:
    """Bytes at a generic address, as one lane sees them."""
    space = warp.space(address >> 40)
    if space is warp.launch.memory.globals or space is warp.launch.memory.constants:
        return warp.launch.memory.read(address, nbytes)
    offset = address - space.base
    if not any(
        s <= offset and offset + nbytes <= e for s, e in zip(space.starts, space.ends, strict=True)
    ):
        raise OutOfBounds(f"{nbytes} bytes at {address:#x}", lane=lane)
    data = space.views[1].reshape(space.rows, -1)
    row = lane if space.rows > 1 else 0
    return data[row, offset : offset + nbytes].tobytes()


def _text(warp: Warp, lane: int, address: int) -> str:
    found = bytearray()
    while (byte := _read(warp, lane, address + len(found), 1)) != b"\0":
        found += byte
    return found.decode(errors="replace")


def vprintf(warp: Warp, lane: int, values: list[int]) -> int:
    """C's printf: the arguments stand in a buffer, each at a multiple of its size."""
    text, at = _text(warp, lane, values[0]), values[1]
    count = 0

    def take(nbytes: int) -> bytes:
        nonlocal at, count
        start = -(-at // nbytes) * nbytes
        at, count = start + nbytes, count + 1
        return _read(warp, lane, start, nbytes)

    def one(match: re.Match[str]) -> str:
        flags, width, precision, length, code = match.groups()
        if code == "%":
            return "%"
        stars = [
            str(int.from_bytes(take(4), "little", signed=True))
            for s in (width, precision)
            if s == "*"
        ]
        width = stars.pop(0) if width == "*" else width or ""
        precision = f".{stars.pop(0) if precision == '*' else precision}" if precision else ""
        spec = f"%{flags}{width}{precision}"
        if code in "eEfFgGaA":
            (value,) = struct.unpack("<d", take(8))
            return value.hex() if code in "aA" else (spec + code) % value
        if code == "s":
            return (spec + "s") % _text(warp, lane, int.from_bytes(take(8), "little"))
        if code == "p":
            return f"{int.from_bytes(take(8), 'little'):#x}"
        size = 8 if length in ("l", "ll", "j", "z", "t") else 4
        value = int.from_bytes(take(size), "little", signed=code in "di")
        if code == "c":
            return chr(value & 255)
        return (spec + ("d" if code == "u" else code)) % value

    warp.launch.printed.append(_FORMAT.sub(one, text))
    return count


def assertion_failed(warp: Warp, lane: int, values: list[int]) -> int:
    """assert() of CUDA C."""
    message, file = (_text(warp, lane, address) for address in values[:2])
    raise Trap(f"assertion failed: {message} at {file}:{values[2]}", lane=lane)


def allocate(warp: Warp, lane: int, values: list[int]) -> int:
    """malloc in a kernel"""
    return warp.launch.memory.allocate(values[0])


def release(warp: Warp, lane: int, values: list[int]) -> int:
    """free: memory is never used again, so nothing is found wrongly"""
    return 0


TABLE: dict[str, Builtin] = {
    "vprintf": vprintf,
    "__assertfail": assertion_failed,
    "malloc": allocate,
    "free": release,
}
