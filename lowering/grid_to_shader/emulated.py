"""What emulated types become, and how their values are read in the converters.

    i8 i16     i32, whose upper bits are anything: read by `extended`
    f16 bf16   i32, the bits in the low half, above them anything: read by `widen`
    i64        two i32, the low word first

Which of them the target lacks, `ShaderFeatures` says; f64 is never emulated.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    IndexType,
    IntegerType,
    f32,
    i32,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...passes.utils.block_editing import constant_value, integer_bits
from ..conversion import CannotConvert, Operands, Rewriter, TypeMap, Types
from ..math.calculator import Calculator, Number
from .features import ShaderFeatures
from .small_floats import widen
from .wide_integers import Wide


def features_of(rw: Rewriter) -> ShaderFeatures:
    """The target's features, in a converter."""
    state = rw.state
    assert isinstance(state, ShaderFeatures), "this conversion is emulate-types"
    return state


def type_map(features: ShaderFeatures) -> TypeMap:
    """How types become types of the target."""

    def integer(kind: IntegerType, types: Types) -> Sequence[Attribute]:
        width = kind.width.data
        if features.native(kind):
            return [kind]
        if width not in (8, 16, 64):
            raise CannotConvert(f"integers of {width} bits, expected 1, 8, 16, 32 or 64")
        return [i32, i32] if width == 64 else [i32]

    def half(kind: Attribute, types: Types) -> Sequence[Attribute]:
        return [kind] if features.native(kind) else [i32]

    return TypeMap({IntegerType: integer, Float16Type: half, BFloat16Type: half})


def is_small_float(kind: Attribute, features: ShaderFeatures) -> bool:
    """Whether it is a float that is kept as its bits."""
    return isinstance(kind, Float16Type | BFloat16Type) and not features.native(kind)


def width_of(kind: Attribute) -> int:
    """The bits of an integer; of an index 32."""
    if isinstance(kind, IndexType):
        return 32
    width = integer_bits(kind)
    assert width is not None, f"an integer, not {kind}"
    return width


def calculator(op: Operation) -> Calculator:
    """Builds formulas in front of the op that is converted."""
    return Calculator(op, f32)


def extended(c: Calculator, word: SSAValue, width: int, signed: bool) -> Number:
    """The number in the low bits of a word."""
    known = constant_value(word)
    if known is not None:
        known &= (1 << width) - 1
        return c.const(known - (1 << width) if signed and known >> (width - 1) else known, i32)
    number = c.number(word)
    if not signed:
        return number & ((1 << width) - 1)
    return (number << (32 - width)) >> (32 - width)


def as_single(
    c: Calculator, values: Sequence[SSAValue], kind: Attribute, features: ShaderFeatures
) -> Number:
    """A converted float as f32; an f64 stays one."""
    (value,) = values
    if is_small_float(kind, features):
        return widen(c, c.number(value), kind)
    if isinstance(kind, Float16Type):
        return c.op_of(arith.ExtFOp, (c.number(value),), f32)
    return c.number(value)


def as_word(c: Calculator, values: Sequence[SSAValue], kind: Attribute, signed: bool) -> Number:
    """A converted integer of at most 32 bits, extended; the low word of a wider one."""
    first = values[0]
    if isinstance(kind, IndexType):
        return c.op_of(arith.IndexCastOp, (c.number(first),), i32)
    width = width_of(kind)
    if width == 32 or len(values) == 2:
        return c.number(first)
    if width == 64:
        return c.op_of(arith.TruncIOp, (c.number(first),), i32)
    if first.type == i32:
        return extended(c, first, width, signed)
    return c.op_of(arith.ExtSIOp if signed else arith.ExtUIOp, (c.number(first),), i32)


def as_wide(c: Calculator, values: Sequence[SSAValue], kind: Attribute, signed: bool) -> Wide:
    """A converted integer as two words."""
    low = as_word(c, values, kind, signed)
    if len(values) == 2:
        return Wide(low, c.number(values[1]))
    if integer_bits(kind) == 64:
        high = c.number(values[0]).shifted_out(32)
        return Wide(low, c.op_of(arith.TruncIOp, (high,), i32))
    return Wide(low, low >> 31 if signed else c.const(0, i32))


def wide_of(c: Calculator, operands: Operands) -> list[Wide]:
    """Operands that have become two words each."""
    return [Wide(*(c.number(word) for word in group)) for group in operands]


def words(value: Wide) -> tuple[SSAValue, SSAValue]:
    """The values of a number of two words."""
    return value.low.value, value.high.value
