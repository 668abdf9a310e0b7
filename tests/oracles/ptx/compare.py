"""Comparison and selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .elementwise import is_float, the_type
from .floats import float_reader
from .memory import Array
from .rounding import narrow
from .syntax import Instruction, Pair
from .values import Mask, Read, Run, bits, dtype_of, is_packed, reader, types_of, unknown, writer

if TYPE_CHECKING:
    from .machine import Warp

_ORDERED: dict[str, Callable[[Array, Array], Array]] = {
    "eq": np.equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "lo": np.less, "ls": np.less_equal, "hi": np.greater, "hs": np.greater_equal,
    "neu": np.not_equal,
    "ne": lambda a, b: (a < b) | (a > b),
    "num": lambda a, b: (a == a) & (b == b),
    "nan": lambda a, b: (a != a) | (b != b),
    "equ": lambda a, b: ~((a < b) | (a > b)),
    "ltu": lambda a, b: ~(a >= b), "leu": lambda a, b: ~(a > b),
    "gtu": lambda a, b: ~(a <= b), "geu": lambda a, b: ~(a < b),
}  # fmt: skip
_JOIN: dict[str, Callable[[Array, Array], Array]] = {
    "and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor,
}  # fmt: skip


def _comparison(instruction: Instruction, kind: str) -> Callable[[Array, Array], Array]:
    name = next((m for m in instruction.modifiers if m in _ORDERED), "")
    if name not in _ORDERED:
        raise unknown(instruction, "no comparison")
    return np.not_equal if name == "ne" and not is_float(kind) else _ORDERED[name]


def set_predicate(instruction: Instruction) -> Run:
    """setp.cmp.bool.type p|q, a, b, c: p = (a cmp b) bool c, q = !(a cmp b) bool c"""
    kind = the_type(instruction)
    compare, operands = _comparison(instruction, kind), instruction.operands
    join = next((_JOIN[m] for m in instruction.modifiers if m in _JOIN), None)
    left, right = _operand(instruction, 1, kind), _operand(instruction, 2, kind)
    third = reader(operands[3], "pred") if join else None
    target = operands[0]
    first, second = (target.first, target.second) if isinstance(target, Pair) else (target, None)
    write = writer(first, "pred")
    write_other = writer(second, "pred") if second is not None else None
    packed = is_packed(kind)

    def run(warp: Warp, mask: Mask) -> None:
        result = compare(left(warp, mask), right(warp, mask))
        # Of packed types p is for the low element, q for the high one.
        other = result[1::2] if packed else ~result
        result = result[0::2] if packed else result
        if join is not None and third is not None:
            extra = third(warp, mask)
            result, other = join(result, extra), join(other, extra)
        write(warp, mask, result)
        if write_other is not None:
            write_other(warp, mask, other)

    return run


def _operand(instruction: Instruction, position: int, kind: str) -> Read:
    """An operand of a comparison."""
    if is_float(kind):
        return float_reader(instruction, position, kind)
    return reader(instruction.operands[position], kind)


def set_value(instruction: Instruction) -> Run:
    """set.cmp.dtype.stype d, a, b: 1.0 or all ones where the comparison holds, else 0"""
    out, kind = types_of(instruction)
    compare = _comparison(instruction, kind)
    join = next((_JOIN[m] for m in instruction.modifiers if m in _JOIN), None)
    left, right = _operand(instruction, 1, kind), _operand(instruction, 2, kind)
    third = reader(instruction.operands[3], "pred") if join else None
    write, dtype = writer(instruction.operands[0], out), dtype_of(out)
    # 16-bit elements of a packed source need elements of their width.
    if is_packed(kind) and not is_packed(out):
        dtype = dtype_of("u16")
    one: Any = narrow(out, np.ones(1, np.float32))[0] if is_float(out) else -1

    def run(warp: Warp, mask: Mask) -> None:
        result = compare(left(warp, mask), right(warp, mask))
        if join is not None and third is not None:
            result = join(result, third(warp, mask))
        write(warp, mask, np.where(result, one, 0).astype(dtype))

    return run


def select(instruction: Instruction) -> Run:
    """selp: a where p holds, else b; only the chosen one must be defined"""
    kind, operands = the_type(instruction), instruction.operands
    raw = f"b{bits(kind)}"
    write, predicate = writer(operands[0], raw), reader(operands[3], "pred")
    first, second = reader(operands[1], raw), reader(operands[2], raw)

    def run(warp: Warp, mask: Mask) -> None:
        chosen = predicate(warp, mask)
        a, b = first(warp, mask & chosen), second(warp, mask & ~chosen)
        write(warp, mask, np.where(chosen, a, b))

    return run


def select_by_sign(instruction: Instruction) -> Run:
    """slct: a where c >= 0, else b"""
    kind, tested = types_of(instruction)
    raw, operands = f"b{bits(kind)}", instruction.operands
    write, third = writer(operands[0], raw), reader(operands[3], tested)
    first, second = reader(operands[1], raw), reader(operands[2], raw)

    def run(warp: Warp, mask: Mask) -> None:
        chosen = third(warp, mask) >= 0
        write(warp, mask, np.where(chosen, first(warp, mask), second(warp, mask)))

    return run


_COMPARE = "|".join(_ORDERED) + "|and|or|xor|ftz"
TABLE: dict[str, tuple[Callable[[Instruction], Run], str]] = {
    "setp": (set_predicate, _COMPARE),
    "set": (set_value, _COMPARE),
    "selp": (select, ""),
    "slct": (select_by_sign, "ftz"),
}
