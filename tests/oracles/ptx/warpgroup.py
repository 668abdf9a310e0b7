"""wgmma: products by four warps, of matrices in shared memory.

A warp computes its own 16 of the 64 rows when it comes by, as if nothing were asynchronous. Element
i of lane 4g+t of D is in row g + 8 (i div 2 mod 2) and column 8 (i div 4) + 2t + i mod 2; A in
registers is that of mma.sync.

In shared memory 8 rows follow each other by 16 bytes and the next 16 bytes of k by the leading
offset; with a swizzle of w bytes, 8 rows by w bytes, and bits 4 and up of an address change with
bits 7 and up, as many as w / 16 needs. The next 8 rows follow by the stride offset. A transposed
matrix has 8 steps of k by 16 bytes, the next 8 by the leading offset and the next 16 bytes of rows
by the stride offset; with a swizzle 8 steps by w bytes, the next 8 by the stride offset and the
next w bytes of rows by the leading offset (the PTX manual on strides of the major dimensions).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .collective import whole_warp
from .errors import PtxError
from .machine import Warp
from .matrix import ELEMENT, Fragment, items_of, layout_a, shape_of
from .memory import Array
from .rounding import widen
from .syntax import Immediate, Instruction, Operand, Vector
from .values import LANES, UNSIGNED, Mask, Run, dtype_of, reader, unknown

_PITCH = {0: 16, 1: 128, 2: 64, 3: 32}
_BITS = {"f16": 16, "bf16": 16, "tf32": 32, "s8": 8, "u8": 8, "e4m3": 8, "e5m2": 8}
_LANE = np.arange(LANES)[:, None]
Part = Callable[[Warp, Mask], Array]


def _offset(descriptor: int, first_bit: int) -> int:
    return (descriptor >> first_bit & 0x3FFF) << 4


def _addresses(descriptor: int, rows: Array, nbytes: int) -> Array:
    """Of 8 bytes each, by row."""
    if descriptor >> 49 & 7:
        raise PtxError("a matrix descriptor with a base offset")
    start, leading, stride = (_offset(descriptor, bit) for bit in (0, 16, 32))
    mode = descriptor >> 62
    pitch, row, column = _PITCH[mode], rows[:, None], np.arange(0, nbytes, 8)[None, :]
    along = column // 16 * leading + column % 16 if mode == 0 else column
    place = start + row // 8 * stride + row % 8 * pitch + along
    return place ^ (place >> 7 & pitch // 16 - 1) << 4


def _turned_addresses(descriptor: int, rows: Array, k: int) -> Array:
    """Of 2 bytes each, by row and step of k."""
    if descriptor >> 49 & 7:
        raise PtxError("a matrix descriptor with a base offset")
    start, leading, stride = (_offset(descriptor, bit) for bit in (0, 16, 32))
    mode = descriptor >> 62
    pitch, row, step = _PITCH[mode], 2 * rows[:, None], np.arange(k)[None, :]
    far, next_steps = (stride, leading) if mode == 0 else (leading, stride)
    place = start + row // pitch * far + row % pitch + step // 8 * next_steps + step % 8 * pitch
    return place ^ (place >> 7 & pitch // 16 - 1) << 4


def _numbers(raw: Array, kind: str) -> Array:
    """Bytes as float64 or int64."""
    parts = raw.view(UNSIGNED[_BITS[kind]])
    if kind == "tf32":
        return widen("tf32", parts & np.uint32(0xFFFFE000)).astype(np.float64)
    if kind in ("s8", "u8"):
        return parts.view(dtype_of(kind)).astype(np.int64)
    if kind in ("e4m3", "e5m2"):
        return widen(kind, parts).astype(np.float64)
    return widen(kind, parts.view(dtype_of(kind))).astype(np.float64)


def _in_memory(
    operand: Operand, kind: str, rows: int, k: int, site: int, by_warp: bool, turned: bool
) -> Part:
    """Rows of the matrix that a descriptor means; of A, those of the warp."""
    read, nbytes = reader(operand, "u64"), k * _BITS[kind] // 8
    size = 2 if turned else 8

    def matrix(warp: Warp, mask: Mask) -> Array:
        descriptors = set(read(warp, mask).tolist())
        if len(descriptors) != 1:
            raise PtxError("the lanes of a warp give different matrix descriptors")
        first = 16 * (warp.index % 4) if by_warp else 0
        here = first + np.arange(rows)
        descriptor = descriptors.pop()
        places = (
            _turned_addresses(descriptor, here, k)
            if turned
            else _addresses(descriptor, here, nbytes)
        )
        offsets = places.reshape(-1).astype(np.uint64)
        who = np.zeros(len(offsets), np.int64)
        warp.block.shared.check(offsets, size, who, site)
        raw = np.ascontiguousarray(warp.block.shared.load(offsets, size, who))
        return _numbers(raw.reshape(rows, -1), kind)

    return matrix


def _in_registers(operand: Operand, kind: str, k: int) -> Part:
    fragment = Fragment(operand, kind)
    reads, layout = fragment.readers(), layout_a(fragment, 16)

    def matrix(warp: Warp, mask: Mask) -> Array:
        raw = np.stack([read(warp, mask) for read in reads], axis=1)
        values = fragment.decode(raw)
        made = np.zeros((16, k), values.dtype)
        made[layout] = values
        return made

    return matrix


def _sign(operand: Operand) -> int:
    assert isinstance(operand, Immediate), "a factor's sign is a constant"
    return int(operand.value)


def multiply(instruction: Instruction) -> Run:
    """wgmma.mma_async"""
    m, n, k = shape_of(instruction)
    kinds = [word for word in instruction.modifiers if ELEMENT.fullmatch(word)]
    target, a, b, counts, *rest = instruction.operands
    turns = kinds[1] in ("f16", "bf16")
    signs = [_sign(operand) for operand in rest[:2]] if kinds[0] != "s32" else [1, 1]
    transposes = [bool(_sign(operand)) for operand in rest[2:]]
    if m != 64 or k * _BITS[kinds[1]] != 256:
        raise unknown(instruction)
    if len(rest) != 2 * (kinds[0] != "s32") + turns * (1 if isinstance(a, Vector) else 2):
        raise unknown(instruction, f"{len(rest)} constants")
    sums = Fragment(target, kinds[0])
    if sums.count * LANES != 16 * n:
        raise unknown(instruction, f"{len(items_of(target))} sums for {n} columns")
    index = np.arange(sums.count)[None, :]
    layout = _LANE // 4 + 8 * (index // 2 % 2), 8 * (index // 4) + 2 * (_LANE % 4) + index % 2
    left = (
        _in_registers(a, kinds[1], k)
        if isinstance(a, Vector)
        else _in_memory(a, kinds[1], 16, k, instruction.pc, True, transposes[:1] == [True])
    )
    right = _in_memory(b, kinds[2], n, k, -1 - instruction.pc, False, transposes[-1:] == [True])
    reads, writes, counted = sums.readers(), sums.writers(), reader(counts, "pred")

    def run(warp: Warp, mask: Mask) -> None:
        total = signs[0] * signs[1] * (left(warp, mask) @ right(warp, mask).T)
        product = total[layout]
        if counted(warp, mask).all():
            raw = np.stack([read(warp, mask) for read in reads], axis=1)
            product = product + sums.decode(raw)
        raw = sums.encode(product)
        for i, write in enumerate(writes):
            write(warp, mask, np.ascontiguousarray(raw[:, i]))

    return whole_warp(run)


def operation(instruction: Instruction) -> Run:
    """wgmma.mma_async, and what orders it"""
    if instruction.has("mma_async"):
        return multiply(instruction)
    return whole_warp(lambda warp, mask: None)


TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "wgmma": (
        operation,
        rf"mma_async|fence|commit_group|wait_group|sync|aligned|m64n\d+k\d+|{ELEMENT.pattern}",
    ),
}
CONTROL = {"wgmma"}
