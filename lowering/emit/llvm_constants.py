"""LLVM text of types and constants."""

from __future__ import annotations

import struct
from functools import lru_cache
from itertools import islice
from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    BFloat16Type,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    VectorType,
)
from xdsl.ir import Attribute, Operation

from ...dialects import llvm
from ...dialects.diagnostics import CompileError, location_of

_FLOATS: dict[type[Attribute], tuple[str, str]] = {
    Float16Type: ("half", "f16"),
    BFloat16Type: ("bfloat", "bf16"),
    Float32Type: ("float", "f32"),
    Float64Type: ("double", "f64"),
}


def type_text(attribute: Attribute) -> str:
    """A type as LLVM writes it."""
    if isinstance(attribute, IntegerType):
        return f"i{llvm.int_width(attribute)}"
    if attribute.__class__ in _FLOATS:
        return _FLOATS[attribute.__class__][0]
    if isinstance(attribute, llvm.PointerType):
        space = attribute.space.data
        return f"ptr addrspace({space})" if space else "ptr"
    if isinstance(attribute, VectorType) and len(attribute.get_shape()) == 1:
        element = llvm.element_type(attribute)
        return f"<{attribute.get_shape()[0]} x {type_text(element)}>"
    if isinstance(attribute, llvm.PointersType):
        return f"<{attribute.size.data} x {type_text(attribute.pointer)}>"
    if isinstance(attribute, llvm.ArrayType):
        return f"[{attribute.size.data} x {type_text(attribute.element)}]"
    if isinstance(attribute, llvm.StructType):
        fields = ", ".join(type_text(field) for field in attribute.fields.data)
        packed = not _is_none(attribute.packed)
        return f"<{{ {fields} }}>" if packed else f"{{ {fields} }}"
    if isinstance(attribute, llvm.VoidType):
        return "void"
    if isinstance(attribute, llvm.FunctionType):
        inputs = [type_text(kind) for kind in attribute.inputs.data]
        inputs += ["..."] if attribute.is_variadic else []
        return f"{type_text(attribute.output)} ({', '.join(inputs)})"
    raise CompileError(f"{attribute} is not a type of LLVM")


def _is_none(attribute: Attribute) -> bool:
    return attribute.name == "none"


def mangled(attribute: Attribute) -> str:
    """A type as it stands in the full name of an intrinsic."""
    if isinstance(attribute, VectorType):
        element = llvm.element_type(attribute)
        return f"v{attribute.get_shape()[0]}{mangled(element)}"
    if isinstance(attribute, llvm.PointerType):
        return f"p{attribute.space.data}"
    if isinstance(attribute, llvm.PointersType):
        return f"v{attribute.size.data}{mangled(attribute.pointer)}"
    if attribute.__class__ in _FLOATS:
        return _FLOATS[attribute.__class__][1]
    return type_text(attribute)


@lru_cache(maxsize=1024)
def quoted(text: str) -> str:
    """A string constant of LLVM's syntax, with its quotes."""
    return '"' + _escaped(text.encode()) + '"'


def _escaped(data: bytes) -> str:
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:02X}" for byte in data
    )


def zero(kind: Attribute) -> str:
    """The value whose bits are all zero."""
    if isinstance(kind, IntegerType):
        return "0"
    if isinstance(kind, llvm.PointerType):
        return "null"
    return "0.0" if kind.__class__ in _FLOATS else "zeroinitializer"


def float_text(value: float, kind: Attribute) -> str:
    """A float by its bits, so that every value survives."""
    if isinstance(kind, Float16Type):
        return f"0xH{half_bits(value):04X}"
    if isinstance(kind, BFloat16Type):
        return f"0xR{bfloat_bits(value):04X}"
    if isinstance(kind, Float32Type):  # written as the double of the same value
        return f"0x{_double_bits(_single(value)):016X}"
    return f"0x{_double_bits(value):016X}"


def _double_bits(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")


def _single(value: float) -> float:
    try:
        (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return rounded


def half_bits(value: float) -> int:
    """The bits of the nearest float16, ties to even."""
    try:
        return int.from_bytes(struct.pack("<e", value), "little")
    except OverflowError:
        return 0x7C00 if value > 0 else 0xFC00


def bfloat_bits(value: float) -> int:
    """The bits of the nearest bfloat16, ties to even (from the double: rounded once)."""
    if value != value:
        return 0x7FC0
    bits = int.from_bytes(struct.pack("<f", _to_odd(value)), "little")
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


def _to_odd(value: float) -> float:
    """The double as a single whose last bit says that something was lost (for rounding again)."""
    rounded = _single(value)
    if rounded == value:
        return rounded
    bits = int.from_bytes(struct.pack("<f", rounded), "little")
    if abs(rounded) > abs(value):
        bits -= 1
    return struct.unpack("<f", (bits | 1).to_bytes(4, "little"))[0]


def constant(value: Attribute, kind: Attribute, op: Operation) -> str:
    """A constant of the type, without the type in front."""
    if isinstance(value, IntegerAttr):
        if isinstance(kind, llvm.PointerType):
            if value.value.data != 0:
                raise CompileError("a pointer constant must be 0", location_of(op))
            return "null"
        if isinstance(kind, IntegerType) and llvm.int_width(kind) == 1:
            return "true" if value.value.data else "false"
        return str(value.value.data)
    if isinstance(value, FloatAttr):
        return float_text(value.value.data, kind)
    if isinstance(value, StringAttr):
        return f'c"{_escaped(value.data.encode())}"'
    if isinstance(value, DenseIntOrFPElementsAttr):
        return _dense(cast("DenseIntOrFPElementsAttr", value), kind, op)
    if isinstance(value, ArrayAttr) and isinstance(kind, llvm.ArrayType | llvm.StructType):
        return _members(cast("ArrayAttr[Attribute]", value), kind, op)
    raise CompileError(f"{value} is no constant of type {kind}", location_of(op))


def _dense(value: DenseIntOrFPElementsAttr, kind: Attribute, op: Operation) -> str:
    """A vector or an array (of arrays) of numbers."""
    numbers = _distinct(value)
    if isinstance(kind, VectorType):
        element = llvm.element_type(kind)
        items = [f"{type_text(element)} {constant(n, element, op)}" for n in numbers]
        if len(items) == 1:
            return f"splat ({items[0]})"
        return f"<{', '.join(items)}>"
    if not isinstance(kind, llvm.ArrayType):
        raise CompileError(f"dense numbers are no constant of type {kind}", location_of(op))
    leaf: Attribute = kind
    sizes: list[int] = []
    while isinstance(leaf, llvm.ArrayType):
        sizes.append(leaf.size.data)
        leaf = leaf.element
    total = 1
    for size in sizes:
        total *= size
    level = [f"{type_text(leaf)} {constant(n, leaf, op)}" for n in numbers]
    if len(level) == 1:
        level *= total
    text = type_text(leaf)
    for size in reversed(sizes):
        starts = range(0, len(level), size) if size else (0,)
        rows = [level[start : start + size] for start in starts]
        text = f"[{size} x {text}]"
        level = [f"{text} [{', '.join(row)}]" for row in rows]
    return level[0][len(text) + 1 :]


def _distinct(value: DenseIntOrFPElementsAttr) -> list[Attribute]:
    """The numbers, or only the first of them if all have the same bytes."""
    data, count = value.data.data, len(value)
    is_splat = count > 1 and data == data[: len(data) // count] * count
    return list(islice(value.iter_attrs(), 1 if is_splat else count))


def _members(
    value: ArrayAttr[Attribute], kind: llvm.ArrayType | llvm.StructType, op: Operation
) -> str:
    if isinstance(kind, llvm.ArrayType):
        kinds: list[Attribute] = [kind.element] * kind.size.data
    else:
        kinds = list(kind.fields.data)
    items = [
        f"{type_text(member)} {constant(entry, member, op)}"
        for entry, member in zip(value.data, kinds, strict=True)
    ]
    opening, closing = ("[", "]") if isinstance(kind, llvm.ArrayType) else ("{ ", " }")
    return opening + ", ".join(items) + closing
