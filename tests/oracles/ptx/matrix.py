"""Matrix instructions: mma, wmma, ldmatrix, stmatrix, movmatrix.

The fragments of mma.sync follow one rule for all element types. With p elements in a 32-bit
register (1 for tf32 and f64), element e of register r of lane 4g+t of A is in row g + 8 (r mod 2)
and column 4p (r div 2) + p t + e; of B in row 4p r + p t + e and column g; of C in row
g + 8 (i div 2) and column 2t + i mod 2. Where A has 8 rows only, all registers go along the
columns. Layouts of wmma are not specified by PTX: here lane l holds elements l n … l n + n - 1.

Products and sums are computed in float64 and rounded once, which is closer to the exact result
than the hardware is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from .access import address_reader, locate, places, space_of
from .collective import whole_warp
from .errors import PtxSyntaxError
from .machine import Warp
from .memory import Array
from .rounding import narrow, widen
from .syntax import Immediate, Instruction, Operand, Register, Vector
from .values import LANES, UNSIGNED, Mask, Read, Run, Write, dtype_of, reader, unknown, writer

_SHAPE = re.compile(r"m(\d+)n(\d+)k(\d+)")
ELEMENT = re.compile(r"f16|bf16|tf32|f32|f64|[su][48]|s32|b1|e4m3|e5m2")
_WIDTH = {"f16": 16, "bf16": 16, "s8": 8, "u8": 8, "e4m3": 8, "e5m2": 8, "s4": 4, "u4": 4, "b1": 1}
_LANE = np.arange(LANES)[:, None]


def items_of(operand: Operand) -> tuple[Operand, ...]:
    """The registers of a fragment."""
    return operand.items if isinstance(operand, Vector) else (operand,)


def shape_of(instruction: Instruction) -> tuple[int, int, int]:
    """m, n, k."""
    for modifier in instruction.modifiers:
        if match := _SHAPE.fullmatch(modifier):
            m, n, k = (int(part) for part in match.groups())
            return m, n, k
    raise unknown(instruction, "no shape")


class Fragment:
    """The registers of one operand, as (lanes, elements) in float64 or int64."""

    def __init__(self, operand: Operand, kind: str):
        self.kind = kind
        self.items = items_of(operand)
        # bf16 and the like stand in .b32 registers; f16 accumulators too.
        self.register = "b64" if kind == "f64" else "b32"
        self.width = _WIDTH.get(kind, 64 if kind == "f64" else 32)
        self.per_register = (64 if kind == "f64" else 32) // self.width
        self.count = len(self.items) * self.per_register

    def readers(self) -> list[Read]:
        """One per register."""
        return [reader(item, self.register) for item in self.items]

    def writers(self) -> list[Write]:
        """One per register."""
        return [writer(item, self.register) for item in self.items]

    def decode(self, raw: Array) -> Array:
        """(lanes, registers) of bits as (lanes, elements) of numbers."""
        if self.width < 8:
            return self._small(raw)
        if self.width == 64:
            return raw.view(np.float64)
        parts = np.ascontiguousarray(raw).view(UNSIGNED[self.width])
        if self.kind == "tf32":
            # The hardware does not look at the lower bits.
            return widen("tf32", parts & np.uint32(0xFFFFE000)).astype(np.float64)
        if self.kind in ("s8", "u8", "s32"):
            return parts.view(dtype_of(self.kind)).astype(np.int64)
        if self.kind in ("e4m3", "e5m2"):
            return widen(self.kind, parts).astype(np.float64)
        return widen(self.kind, parts.view(dtype_of(self.kind))).astype(np.float64)

    def _small(self, raw: Array) -> Array:
        shifts = np.arange(0, 32, self.width, dtype=np.uint32)
        parts = (raw[:, :, None] >> shifts & np.uint32((1 << self.width) - 1)).astype(np.int64)
        parts = parts.reshape(LANES, -1)
        return np.where(parts >= 8, parts - 16, parts) if self.kind == "s4" else parts

    def encode(self, values: Array) -> Array:
        """(lanes, elements) of numbers as (lanes, registers) of bits."""
        if self.kind == "s32":
            return values.astype(np.int64).astype(np.int32).view(np.uint32)
        parts = np.ascontiguousarray(narrow(self.kind, values))
        return parts.view(UNSIGNED[64 if self.kind == "f64" else 32]).reshape(LANES, -1)


def _read(fragment: Fragment, reads: list[Read], warp: Warp, mask: Mask) -> Array:
    return fragment.decode(np.stack([read(warp, mask) for read in reads], axis=1))


def _write(fragment: Fragment, writes: list[Write], warp: Warp, mask: Mask, values: Array) -> None:
    raw = fragment.encode(values)
    for i, write in enumerate(writes):
        write(warp, mask, np.ascontiguousarray(raw[:, i]))


def layout_a(fragment: Fragment, rows: int) -> tuple[Array, Array]:
    """Rows and columns of the elements of A, by lane and element."""
    index = np.arange(fragment.count)[None, :]
    p = fragment.per_register
    register, within = index // p, index % p
    if rows == 8:
        return _LANE // 4 + 0 * index, 4 * p * register + p * (_LANE % 4) + within
    column = 4 * p * (register // 2) + p * (_LANE % 4) + within
    return _LANE // 4 + 8 * (register % 2), column


def _layout_b(fragment: Fragment) -> tuple[Array, Array]:
    index = np.arange(fragment.count)[None, :]
    p = fragment.per_register
    return 4 * p * (index // p) + p * (_LANE % 4) + index % p, _LANE // 4 + 0 * index


def _layout_c(fragment: Fragment) -> tuple[Array, Array]:
    index = np.arange(fragment.count)[None, :]
    return _LANE // 4 + 8 * (index // 2), 2 * (_LANE % 4) + index % 2


def _layout_linear(fragment: Fragment, rows: int, columns: int) -> tuple[Array, Array]:
    place = (_LANE * fragment.count + np.arange(fragment.count)[None, :]) % (rows * columns)
    return place // columns, place % columns


Layout = tuple[Array, Array]


def _multiply(instruction: Instruction, fragments: list[Fragment], layouts: list[Layout]) -> Run:
    """D = A B + C over fragments d, a, b, c."""
    m, n, k = shape_of(instruction)
    d, a, b, c = fragments
    reads = [fragment.readers() for fragment in (a, b, c)]
    writes, saturates = d.writers(), instruction.has("satfinite")
    shapes = [(m, k), (k, n), (m, n)]
    joins = next((x for x in instruction.modifiers if x in ("xor", "and")), None)

    def run(warp: Warp, mask: Mask) -> None:
        matrices: list[Array] = []
        for fragment, read, layout, shape in zip(
            (a, b, c), reads, layouts[1:], shapes, strict=True
        ):
            values = _read(fragment, read, warp, mask)
            matrix = np.zeros(shape, values.dtype)
            matrix[layout] = values
            matrices.append(matrix)
        left, right, total = matrices
        if joins is not None:
            function = np.bitwise_xor if joins == "xor" else np.bitwise_and
            product = function(left[:, :, None], right[None, :, :]).sum(axis=1)
        else:
            product = left @ right
        total = product + total
        if saturates and total.dtype == np.int64:
            total = np.clip(total, -(1 << 31), (1 << 31) - 1)
        _write(d, writes, warp, mask, total[layouts[0]])

    return whole_warp(run)


def multiply(instruction: Instruction) -> Run:
    """mma.sync"""
    m, n, k = shape_of(instruction)
    if (m, k, n) == (8, 4, 8) and instruction.has("f16"):
        raise unknown(instruction, "the f16 form of m8n8k4 exists for sm_70 only")
    kinds = [x for x in instruction.modifiers if ELEMENT.fullmatch(x)]
    if n != 8 or len(kinds) != 4 or instruction.has("sp") or len(instruction.operands) != 4:
        raise unknown(instruction)
    fragments = [Fragment(o, kind) for o, kind in zip(instruction.operands, kinds, strict=True)]
    layouts = [
        _layout_c(fragments[0]), layout_a(fragments[1], m),
        _layout_b(fragments[2]), _layout_c(fragments[3]),
    ]  # fmt: skip
    for fragment, size in zip(fragments, (m * n, m * k, k * n, m * n), strict=True):
        if fragment.count * LANES != size:
            raise unknown(instruction, f"{len(fragment.items)} registers of {fragment.kind}")
    return _multiply(instruction, fragments, layouts)


# --- wmma ----------------------------------------------------------------------------------------


def warp_matrix(instruction: Instruction) -> Run:
    """wmma.load, .store, .mma"""
    m, n, k = shape_of(instruction)
    shapes = {"a": (m, k), "b": (k, n), "c": (m, n), "d": (m, n)}
    if instruction.has("mma"):
        kinds = [x for x in instruction.modifiers if ELEMENT.fullmatch(x)]
        kinds = [kinds[0], "f16", "f16", kinds[1]] if len(kinds) == 2 else kinds
        pairs = zip(instruction.operands, kinds, strict=True)
        fragments = [Fragment(operand, kind) for operand, kind in pairs]
        layouts = [
            _layout_linear(fragment, *shapes[name])
            for fragment, name in zip(fragments, "dabc", strict=True)
        ]
        return _multiply(instruction, fragments, layouts)
    name = next(x for x in instruction.modifiers if x in shapes)
    return _transfer(instruction, shapes[name])


def _transfer(instruction: Instruction, shape: tuple[int, int]) -> Run:
    """wmma.load d, [p], stride and wmma.store [p], d, stride"""
    loads = instruction.has("load")
    kind = next(x for x in instruction.modifiers[::-1] if ELEMENT.fullmatch(x))
    vector, pointer = instruction.operands[:2] if loads else instruction.operands[1::-1]
    fragment = Fragment(vector, kind)
    if fragment.width < 8:
        raise unknown(instruction)
    rows, columns = _layout_linear(fragment, *shape)
    by_columns, size = instruction.has("col"), fragment.width // 8
    default = Immediate(shape[0] if by_columns else shape[1])
    given = instruction.operands[2] if len(instruction.operands) > 2 else default
    address, stride, space = address_reader(pointer), reader(given, "u32"), space_of(instruction)
    reads, writes = fragment.readers(), fragment.writers()
    lanes, site = np.arange(LANES), instruction.pc

    def run(warp: Warp, mask: Mask) -> None:
        base, step = address(warp, mask), stride(warp, mask).astype(np.int64)[:, None]
        index = columns * step + rows if by_columns else rows * step + columns
        addresses = base[:, None] + (index * size).astype(np.uint64)
        parts = np.zeros((LANES, fragment.count), UNSIGNED[fragment.width])
        if not loads:
            raw = np.stack([read(warp, mask) for read in reads], axis=1)
            parts = np.ascontiguousarray(raw).view(UNSIGNED[fragment.width])
        for i in range(fragment.count):
            column = np.ascontiguousarray(addresses[:, i])
            for where, offsets, chosen, _ in locate(
                warp, column, lanes, space, size, site, not loads
            ):
                if loads:
                    parts[chosen, i] = where.load(offsets, size, chosen)
                else:
                    where.store(offsets, size, chosen, parts[chosen, i])
        if loads:
            raw = parts.view(UNSIGNED[64 if kind == "f64" else 32])
            for i, write in enumerate(writes):
                write(warp, mask, np.ascontiguousarray(raw[:, i]))

    return whole_warp(run)


# --- 8 by 8 matrices of 16-bit elements -----------------------------------------------------------


def _count(instruction: Instruction) -> int:
    if not instruction.has("m8n8") or not instruction.has("b16"):
        raise unknown(instruction)
    return next(int(x[1]) for x in instruction.modifiers if x in ("x1", "x2", "x4"))


def load_matrices(instruction: Instruction) -> Run:
    """ldmatrix: lane 8j+i has the address of row i of matrix j"""
    count, transposes = _count(instruction), instruction.has("trans")
    items = items_of(instruction.operands[0])
    writes = [writer(item, "b32") for item in items]
    if len(items) != count:
        raise PtxSyntaxError(f"ldmatrix .x{count} has {len(items)} registers")
    find = places(instruction.operands[1], space_of(instruction), 16, instruction.pc, False)
    rows, first = np.arange(8 * count), np.arange(LANES) < 8 * count

    def run(warp: Warp, mask: Mask) -> None:
        matrices = np.zeros((8 * count, 8), np.uint16)
        for space, offsets, lanes, _ in find(warp, mask & first, rows):
            for i in range(8):
                matrices[lanes, i] = space.load(offsets + np.uint64(2 * i), 2, lanes)
        for j, write in enumerate(writes):
            matrix = matrices[8 * j : 8 * j + 8]
            matrix = np.ascontiguousarray(matrix.T if transposes else matrix)
            write(warp, mask, matrix.reshape(-1).view(np.uint32))

    return whole_warp(run)


def store_matrices(instruction: Instruction) -> Run:
    """stmatrix, the reverse of ldmatrix"""
    count, transposes = _count(instruction), instruction.has("trans")
    reads = [reader(item, "b32") for item in items_of(instruction.operands[1])]
    find = places(instruction.operands[0], space_of(instruction), 16, instruction.pc, True)
    rows, first = np.arange(8 * count), np.arange(LANES) < 8 * count

    def run(warp: Warp, mask: Mask) -> None:
        raw = [np.ascontiguousarray(read(warp, mask)).view(np.uint16) for read in reads]
        matrices = [part.reshape(8, 8).T if transposes else part.reshape(8, 8) for part in raw]
        stacked = np.concatenate(matrices)
        for space, offsets, lanes, _ in find(warp, mask & first, rows):
            for i in range(8):
                space.store(offsets + np.uint64(2 * i), 2, lanes, stacked[lanes, i])

    return whole_warp(run)


def transpose(instruction: Instruction) -> Run:
    """movmatrix.sync.aligned.m8n8.trans.b16"""
    target, source = instruction.operands
    if not isinstance(source, Register):
        raise unknown(instruction)
    write, read = writer(target, "b32"), reader(source, "b32")

    def run(warp: Warp, mask: Mask) -> None:
        matrix = np.ascontiguousarray(read(warp, mask)).view(np.uint16).reshape(8, 8)
        write(warp, mask, np.ascontiguousarray(matrix.T).reshape(-1).view(np.uint32))

    return whole_warp(run)


_SYNC = r"sync|aligned|row|col|m\d+n\d+(k\d+)?|satfinite"
_SPACES = r"global|shared(::\w+)?"
TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "mma": (multiply, rf"{_SYNC}|{ELEMENT.pattern}|xor|and|popc|kind::f8f6f4"),
    "wmma": (
        warp_matrix,
        rf"{_SYNC}|{ELEMENT.pattern}|xor|and|popc|load|store|mma|[abcd]|{_SPACES}",
    ),
    "ldmatrix": (load_matrices, rf"{_SYNC}|x1|x2|x4|trans|{_SPACES}"),
    "stmatrix": (store_matrices, rf"{_SYNC}|x1|x2|x4|trans|{_SPACES}"),
    "movmatrix": (transpose, rf"{_SYNC}|trans"),
}
