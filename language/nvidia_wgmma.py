"""wgmma: products of a warpgroup's four warps, of matrices in shared memory.

Inline PTX, as are the other asynchronous instructions. The sums of a thread are a tuple or an array
of `sw.local`; sums of f16 stand in pairs in the registers of the instruction.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xdsl.dialects import arith

from .convert import store_as
from .emitter import I32, I64, REGISTER
from .functions import Function
from .nvidia_emit import emit, require, static_bool
from .nvidia_matrix import element_word, fragment, give_back, known_words
from .nvidia_memory import FALSE, shared_address
from .types import DType, bool_, f16, f32, i32, u16, u32, u64
from .typing_of import describe, type_of
from .values import Scalar, Static, TupleValue, Value, View, static_int

if TYPE_CHECKING:
    from xdsl.ir import SSAValue

    from .frame import Frame

PLAIN, TRUE = Static(0), Static(True)
WARPGROUP = ("90a",)

_SWIZZLES = {0: 0, 128: 1, 64: 2, 32: 3}


def _wgmma_descriptor(
    frame: Frame, node: ast.AST, view: Value, index: Value, leading: Value, stride: Value,
    swizzle: Value = PLAIN,
) -> Value:  # fmt: skip
    """14 bits each of address, leading and stride in 16 bytes; above them the swizzle."""
    name = "wgmma_descriptor"
    require(frame, node, f"sw.nvidia.{name}", 90, WARPGROUP)
    place, _ = shared_address(frame, node, name, view, index, 16)
    known = [static_int(value) for value in (leading, stride)]
    if any(number is None or number % 16 or not 0 <= number < 1 << 18 for number in known):
        raise frame.refuse(node, "leading and stride are constants below 256 KiB, in 16 bytes")
    mode = _SWIZZLES.get(static_int(swizzle) or 0)
    if static_int(swizzle) is None or mode is None:
        raise frame.refuse(node, f"swizzle is {describe(swizzle)}, expected 0, 32, 64 or 128")
    leads, strides = ((number or 0) >> 4 for number in known)
    fixed = leads << 16 | strides << 32 | mode << 62
    emitter = frame.emit
    low = emitter.binary(arith.AndIOp, place, emitter.constant(0x3FFFF, u32), u32)
    low = emitter.binary(arith.ShRUIOp, low, emitter.constant(4, u32), u32)
    wide = emitter.add(arith.ExtUIOp, (low,), (I64,))
    return Scalar(u64, emitter.binary(arith.OrIOp, wide, emitter.constant(fixed, u64), u64))


def _columns(frame: Frame, node: ast.AST, c: Value) -> int:
    """Of the product: two for each sum that a thread holds."""
    count = len(c.items) if isinstance(c, TupleValue) else 0
    if isinstance(c, View) and len(c.sizes) == 1:
        count = c.sizes[0] or 0
    if not count:
        raise frame.refuse(node, f"c is {describe(c)}, expected a tuple or an array of sw.local")
    return 2 * count


def _elements(frame: Frame, node: ast.AST, dtype: Value) -> tuple[str, str]:
    """What PTX calls the elements of A and B, which may be two kinds of 8-bit floats."""
    from ..dialects.nvvm.wgmma import KINDS, MIXED

    both = dtype.items if isinstance(dtype, TupleValue) else (dtype, dtype)
    words = tuple(element_word(item) or "" for item in both)
    if len(words) != 2 or not set(words) <= set(KINDS):
        raise frame.refuse(node, f"dtype is {describe(dtype)}, expected {known_words(list(KINDS))}")
    if words[0] != words[1] and set(words) not in MIXED:
        raise frame.refuse(node, f"there is no wgmma of {words[0]} and {words[1]}")
    return words[0], words[1]


def _sum_type(frame: Frame, node: ast.AST, c: Value, word: str) -> tuple[DType, str]:
    """The type of the sums that `c` holds, and what PTX calls it."""
    from ..dialects.nvvm.wgmma import KINDS

    known = KINDS[word].sums
    if known == ("s32",):
        return i32, "s32"
    first = c.items[0] if isinstance(c, TupleValue) and c.items else c
    if (first.dtype if isinstance(first, View) else type_of(first)) is not f16:
        return f32, "f32"
    if "f16" not in known:
        raise frame.refuse(node, f"sums of f16, expected f32 for a wgmma of {word}")
    return f16, "f16"


def _joined(frame: Frame, values: list[SSAValue]) -> list[SSAValue]:
    """Two f16 in each 32 bits."""
    emitter = frame.emit
    halves = [emitter.add(arith.BitcastOp, (value,), (REGISTER[u16],)) for value in values]
    words = [emitter.add(arith.ExtUIOp, (half,), (I32,)) for half in halves]
    shift = emitter.constant(16, u32)
    return [
        emitter.binary(arith.OrIOp, low, emitter.binary(arith.ShLIOp, high, shift, u32), u32)
        for low, high in zip(words[::2], words[1::2], strict=True)
    ]


def _parted(frame: Frame, result: Value) -> Value:
    """The reverse of `_joined`."""
    emitter = frame.emit
    items = result.items if isinstance(result, TupleValue) else (result,)
    shift = emitter.constant(16, u32)
    found: list[Value] = []
    for item in items:
        assert isinstance(item, Scalar), "the instruction gives registers"
        high = emitter.binary(arith.ShRUIOp, item.ssa, shift, u32)
        for word in (item.ssa, high):
            half = emitter.add(arith.TruncIOp, (word,), (REGISTER[u16],))
            found.append(Scalar(f16, emitter.add(arith.BitcastOp, (half,), (REGISTER[f16],))))
    return TupleValue(tuple(found))


def _counted(
    frame: Frame, node: ast.AST, accumulate: Value, operands: list[SSAValue]
) -> bool | None:
    """Whether the old sums count; None where a last operand says it."""
    if isinstance(accumulate, Static) and isinstance(accumulate.value, bool):
        return accumulate.value
    flag = store_as(frame, node, accumulate, bool_, "accumulate of sw.nvidia.wgmma").ssa
    operands.append(frame.emit.add(arith.ExtUIOp, (flag,), (I32,)))
    return None


def _turned(
    frame: Frame, node: ast.AST, word: str, held: bool, transposes: dict[str, Value]
) -> tuple[int, int]:
    from ..dialects.nvvm.wgmma import KINDS

    a, b = (int(static_bool(frame, node, name, value)) for name, value in transposes.items())
    if ((a or b) and not KINDS[word].turns) or (a and held):
        raise frame.refuse(node, f"this wgmma of {word} takes no transposed operand")
    return a, b


def _wgmma(
    frame: Frame, node: ast.AST, a: Value, b: Value, c: Value, dtype: Value,
    transpose_a: Value = FALSE, transpose_b: Value = FALSE, accumulate: Value = TRUE,
) -> Value:  # fmt: skip
    require(frame, node, "sw.nvidia.wgmma", 90, WARPGROUP)
    from ..dialects.nvvm.wgmma import KINDS, fits_columns, least_ptx, tied_properties, wgmma_text

    word, other = _elements(frame, node, dtype)
    columns = _columns(frame, node, c)
    if not fits_columns(KINDS[word], columns):
        raise frame.refuse(
            node,
            f"{columns // 2} sums are {columns} columns: there is no such wgmma of {word}",
        )
    held = isinstance(a, (TupleValue, View))
    transposes = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    turned = _turned(frame, node, word, held, transposes)
    sums, sum_word = _sum_type(frame, node, c, word)
    operands = fragment(frame, node, "c", c, columns // 2, sums)
    if sums is f16:
        operands = _joined(frame, operands)
    registers = len(operands)
    if held:
        operands += fragment(frame, node, "a", a, 4, u32)
    else:
        operands.append(store_as(frame, node, a, u64, "descriptor a").ssa)
    operands.append(store_as(frame, node, b, u64, "descriptor b").ssa)
    counts = _counted(frame, node, accumulate, operands)
    text = wgmma_text(
        *(word, columns),
        sums=sum_word,
        b_word=other,
        a_registers=4 if held else 0,
        scale_d=counts,
        turned=turned,
    )
    kinds = [u32 if sums is f16 else sums] * registers
    properties = tied_properties(registers, text, least_ptx(word, other))
    result = emit(frame, "inline_ptx", operands, kinds, **properties)
    return give_back(frame, node, c, _parted(frame, result) if sums is f16 else result)


def _wgmma_wait(frame: Frame, node: ast.AST, groups: Value) -> Value:
    require(frame, node, "sw.nvidia.wgmma_wait", 90, WARPGROUP)
    known = static_int(groups)
    if known is None or not 0 <= known <= 7:
        raise frame.refuse(node, f"groups is {describe(groups)}, expected a constant from 0 to 7")
    return emit(frame, "wgmma.wait.group.sync.aligned", (), (), group=known)


WGMMA_FUNCTIONS: dict[str, Function] = {
    "wgmma_descriptor": Function(
        "sw.nvidia.wgmma_descriptor",
        _wgmma_descriptor,
        ("view", "index", "leading", "stride", "swizzle"),
        ("swizzle",),
    ),
    "wgmma": Function(
        "sw.nvidia.wgmma",
        _wgmma,
        ("a", "b", "c", "dtype", "transpose_a", "transpose_b", "accumulate"),
        ("transpose_a", "transpose_b", "accumulate"),
    ),
    "wgmma_wait": Function("sw.nvidia.wgmma_wait", _wgmma_wait, ("groups",)),
}
