"""Matrix instructions of NVIDIA GPUs: mma.sync, ldmatrix, stmatrix.

A tile is a *fragment* in each lane: a tuple of registers. Which shapes and types there are, how
many registers they take and from which architecture on, is the dialect's table. A fragment that is
added to may be an array of `sw.local`, which a product then changes in place.
"""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from ..dialects import gpu
from .annotations import scalar_type
from .arrays import load, store
from .convert import store_as
from .functions import Function
from .nvidia_emit import emit, require, static_bool
from .nvidia_memory import FALSE, address_of, expect_shared
from .types import DType, bf16, f16, f32, f64, i8, i32, u8, u32
from .typing_of import describe
from .values import Scalar, Static, TupleValue, Value, View

if TYPE_CHECKING:
    from xdsl.ir import SSAValue

    from ..dialects.nvvm.matrix import Fragments
    from .frame import Frame

_WORDS: dict[DType, str] = {f16: "f16", bf16: "bf16", f32: "tf32", f64: "f64", i8: "s8", u8: "u8"}


def element_word(value: Value) -> str | None:
    """What PTX calls the type of a matrix's elements: sw.bf16 is "bf16", sw.f32 "tf32"."""
    if not isinstance(value, Static):
        return None
    if isinstance(value.value, str):
        return value.value
    dtype = scalar_type(value.value)
    return _WORDS.get(dtype) if dtype is not None else None


def known_words(words: list[str]) -> str:
    """Types of elements as one writes them."""
    names = {word: f"sw.{dtype}" for dtype, word in _WORDS.items()}
    return " or ".join(names.get(word, repr(word)) for word in words)


def fragment(
    frame: Frame, node: ast.AST, name: str, value: Value, count: int, dtype: DType
) -> list[SSAValue]:
    """The registers of a tuple, or of an array of `sw.local`."""
    if isinstance(value, View):
        return [item.ssa for item in _items_of_array(frame, node, name, value, count, dtype)]
    items = value.items if isinstance(value, TupleValue) else ()
    if len(items) != count:
        raise frame.refuse(
            node, f"{name} is {describe(value)}, expected a tuple of {count} values of type {dtype}"
        )
    return [store_as(frame, node, item, dtype, f"register of {name}").ssa for item in items]


def _items_of_array(
    frame: Frame, node: ast.AST, name: str, view: View, count: int, dtype: DType
) -> list[Scalar]:
    fits = view.type.memory_space == gpu.PRIVATE and view.type.get_shape() == (count,)
    if not fits or view.dtype is not dtype:
        raise frame.refuse(
            node, f"{name} is an array, expected a part of sw.local with {count} elements {dtype}"
        )
    items = [load(frame, view, [frame.emit.index(n)]) for n in range(count)]
    return [item for item in items if isinstance(item, Scalar)]


def give_back(frame: Frame, node: ast.AST, sums: Value, result: Value) -> Value:
    """The result; into the array instead, where the sums are one."""
    if not isinstance(sums, View):
        return result
    items = result.items if isinstance(result, TupleValue) else (result,)
    for n, item in enumerate(items):
        store(frame, node, sums, [frame.emit.index(n)], item, "c")
    return Static(None)


def _row(frame: Frame, node: ast.AST, shape: str, dtype: Value) -> tuple[str, Fragments]:
    from ..dialects.nvvm.matrix import FRAGMENTS

    word = element_word(dtype)
    row = FRAGMENTS.get((shape, word or ""))
    if word is None or row is None:
        known = [name for of, name in FRAGMENTS if of == shape]
        raise frame.refuse(node, f"dtype is {describe(dtype)}, expected {known_words(known)}")
    return word, row


def _multiply(
    shape: str, frame: Frame, node: ast.AST, a: Value, b: Value, c: Value, dtype: Value
) -> Value:
    word, row = _row(frame, node, shape, dtype)
    require(frame, node, f"sw.nvidia.mma_{shape}", row.needs.sm)
    register = f64 if word == "f64" else u32
    sums = {"f64": f64, "s8": i32, "u8": i32}.get(word, f32)
    operands = [
        *fragment(frame, node, "a", a, row.a, register),
        *fragment(frame, node, "b", b, row.b, register),
        *fragment(frame, node, "c", c, row.c, sums),
    ]
    if frame.emit.dry:
        return give_back(frame, node, c, emit(frame, "mma.sync", (), [sums] * row.c))
    from ..dialects.nvvm.attributes import LayoutAttr, MmaTypeAttr, ShapeAttr

    if word == "f16":
        operands[: row.a + row.b] = map(partial(_as_pair, frame), operands[: row.a + row.b])
    m, n, k = (int(part) for part in shape[1:].replace("n", " ").replace("k", " ").split())
    result = emit(
        frame,
        "mma.sync",
        operands,
        [sums] * row.c,
        shape=ShapeAttr((m, n, k)),
        layoutA=LayoutAttr("row"),
        layoutB=LayoutAttr("col"),
        multiplicandAPtxType=MmaTypeAttr(word),
        multiplicandBPtxType=MmaTypeAttr(word),
    )
    return give_back(frame, node, c, result)


def _as_pair(frame: Frame, register: SSAValue) -> SSAValue:
    """32 bits as two f16."""
    from ..dialects.llvm.arithmetic import BitcastOp
    from ..dialects.nvvm.matrix import PAIR

    return frame.emit.add(BitcastOp, (register,), (PAIR,))


# --- between shared memory and registers ----------------------------------------------------------


def _matrix_address(frame: Frame, node: ast.AST, name: str, view: Value, index: Value) -> SSAValue:
    address, array = address_of(frame, node, name, view, index, 16)
    expect_shared(frame, node, name, array)
    if array.dtype.size != 2:
        raise frame.refuse(
            node, f"{name} moves matrices of 16-bit elements, got an array of {array.dtype}"
        )
    return address.ssa


def _shape_text(frame: Frame, node: ast.AST, count: int, transpose: Value) -> str:
    turned = ".trans" if static_bool(frame, node, "transpose", transpose) else ""
    return f"sync.aligned.m8n8.x{count}{turned}.shared.b16"


def _load_matrix(
    count: int, frame: Frame, node: ast.AST, view: Value, index: Value, transpose: Value = FALSE
) -> Value:
    name = f"ldmatrix_x{count}"
    require(frame, node, f"sw.nvidia.{name}", 75)
    address = _matrix_address(frame, node, name, view, index)
    registers = ", ".join(f"${n}" for n in range(count))
    text = f"ldmatrix.{_shape_text(frame, node, count, transpose)} {{{registers}}}, [${count}];"
    return emit(frame, "inline_ptx", (address,), [u32] * count, ptxCode=text, sm=75)


def _store_matrix(
    count: int,
    frame: Frame,
    node: ast.AST,
    view: Value,
    index: Value,
    values: Value,
    transpose: Value = FALSE,
) -> Value:
    name = f"stmatrix_x{count}"
    require(frame, node, f"sw.nvidia.{name}", 90)
    address = _matrix_address(frame, node, name, view, index)
    given = TupleValue((values,)) if isinstance(values, (Scalar, Static)) else values
    operands = [address, *fragment(frame, node, "values", given, count, u32)]
    registers = ", ".join(f"${n + 1}" for n in range(count))
    text = f"stmatrix.{_shape_text(frame, node, count, transpose)} [$0], {{{registers}}};"
    return emit(frame, "inline_ptx", operands, (), ptxCode=text, sm=90)


_OPERANDS = ("a", "b", "c")
_PLACE = ("view", "index")
MATRIX_FUNCTIONS: dict[str, Function] = {
    **{
        f"mma_{shape}": Function(
            f"sw.nvidia.mma_{shape}", partial(_multiply, shape), (*_OPERANDS, "dtype")
        )
        for shape in ("m16n8k16", "m16n8k32")
    },
    **{
        f"mma_{shape}": Function(
            f"sw.nvidia.mma_{shape}", partial(_multiply, shape, dtype=Static(dtype)), _OPERANDS
        )
        for shape, dtype in (("m16n8k8", f32), ("m8n8k4", f64))
    },
    **{
        f"ldmatrix_x{count}": Function(
            f"sw.nvidia.ldmatrix_x{count}",
            partial(_load_matrix, count),
            (*_PLACE, "transpose"),
            ("transpose",),
        )
        for count in (1, 2, 4)
    },
    **{
        f"stmatrix_x{count}": Function(
            f"sw.nvidia.stmatrix_x{count}",
            partial(_store_matrix, count),
            (*_PLACE, "values", "transpose"),
            ("transpose",),
        )
        for count in (1, 2, 4)
    },
}
