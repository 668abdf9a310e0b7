"""Converters of casts from and to emulated types."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    BFloat16Type,
    Float32Type,
    Float64Type,
    IndexType,
    f32,
    f64,
    i32,
)
from xdsl.ir import Attribute, Operation

from ...passes.utils.block_editing import integer_bits
from ..conversion import Operands, Results, Rewriter, Rules
from ..math.calculator import Calculator, Number
from . import wide_integers as wide
from .emulated import (
    as_single,
    as_wide,
    as_word,
    calculator,
    features_of,
    is_small_float,
    width_of,
    words,
)
from .small_floats import narrow, word_to_odd
from .wide_integers import Wide

RULES = Rules()
converts = RULES.converts


@converts(arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp)
def convert_integer_cast(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Another width."""
    c = calculator(op)
    source, kind = op.operands[0].type, op.results[0].type
    signed = not isinstance(op, arith.ExtUIOp)
    if width_of(kind) == 64:
        return [_from_wide(c, as_wide(c, operands[0], source, signed), rw.types(kind), signed)]
    if isinstance(op, arith.TruncIOp) and operands[0][0].type == i32:
        word = c.number(operands[0][0])  # what is above is not looked at
    else:
        word = as_word(c, operands[0], source, signed)
    return _from_word(c, word, rw.type(kind)).value


def _from_wide(c: Calculator, value: Wide, kinds: tuple[Attribute, ...], signed: bool):
    """A number of 64 bits in the target's type; it came from a narrower one where that is one."""
    if len(kinds) == 2:
        return words(value)
    extend = arith.ExtSIOp if signed else arith.ExtUIOp
    return (c.op_of(extend, (value.low,), kinds[0]).value,)


def _from_word(c: Calculator, word: Number, kind: Attribute) -> Number:
    """The low bits of a word in one of the target's types."""
    return word if kind == i32 else c.op_of(arith.TruncIOp, (word,), kind)


@converts(arith.IndexCastOp)
def convert_index_cast(op: arith.IndexCastOp, operands: Operands, rw: Rewriter) -> Results:
    """An index is a word; what does not fit one becomes the nearest, which no check lets pass."""
    c = calculator(op)
    source, kind = op.operands[0].type, op.results[0].type
    if not isinstance(kind, IndexType):
        if width_of(kind) == 64:
            return [words(as_wide(c, operands[0], source, signed=True))]
        return as_word(c, operands[0], source, signed=True).value
    word = as_word(c, operands[0], source, signed=True)
    if len(operands[0]) == 2:
        high = c.number(operands[0][1])
        nearest = c.const(0x7FFFFFFF, i32) ^ (high >> 31)
        word = c.select((word >> 31).equals(high), word, nearest)
    return c.op_of(arith.IndexCastOp, (word,), kind).value


# --- between integers and floats ------------------------------------------------------------------


@converts(arith.SIToFPOp, arith.UIToFPOp)
def convert_int_to_float(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The nearest float, ties to even."""
    c, features = calculator(op), features_of(rw)
    source, kind = op.operands[0].type, op.results[0].type
    signed = isinstance(op, arith.SIToFPOp)
    odd = isinstance(kind, BFloat16Type)
    if integer_bits(source) == 64:
        number = as_wide(c, operands[0], source, signed)
        result = wide.to_single(c, number, signed, odd=odd)
    else:
        word = as_word(c, operands[0], source, signed)
        if odd and (isinstance(source, IndexType) or width_of(source) > 16):
            word = word_to_odd(c, word, signed)
        # Exact in f32, or so large that it is infinite as f16.
        work = f32 if is_small_float(kind, features) else kind
        result = c.op_of(type(op), (word,), work)
    if is_small_float(kind, features):
        return narrow(c, result, kind).value
    if result.type == kind:
        return result.value
    assert not isinstance(kind, Float64Type), "a device with f64 has i64"
    return c.op_of(arith.TruncFOp, (result,), kind).value


@converts(arith.FPToSIOp, arith.FPToUIOp)
def convert_float_to_int(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Towards zero; out of range the nearest integer, for NaN 0."""
    c = calculator(op)
    source, kind = op.operands[0].type, op.results[0].type
    signed = isinstance(op, arith.FPToSIOp)
    number = as_single(c, operands[0], source, features_of(rw))
    kinds = rw.types(kind)
    if len(kinds) == 2:
        return [words(wide.from_single(c, number, signed))]
    if kinds[0] == kind:
        return c.op_of(type(op), (number,), kind).value
    width = width_of(kind)
    word = c.op_of(type(op), (number,), i32)
    if not signed:
        return c.op(arith.MinUIOp, word, c.const((1 << width) - 1, i32)).value
    word = c.op(arith.MinSIOp, word, c.const((1 << (width - 1)) - 1, i32))
    return c.op(arith.MaxSIOp, word, c.const(-(1 << (width - 1)), i32)).value


# --- between floats -------------------------------------------------------------------------------


@converts(arith.ExtFOp)
def convert_extf(op: arith.ExtFOp, operands: Operands, rw: Rewriter) -> Results:
    """A wider float, exactly."""
    c = calculator(op)
    value = as_single(c, operands[0], op.operands[0].type, features_of(rw))
    kind: Attribute = op.results[0].type
    return value.value if value.type == kind else c.op_of(arith.ExtFOp, (value,), f64).value


@converts(arith.TruncFOp)
def convert_truncf(op: arith.TruncFOp, operands: Operands, rw: Rewriter) -> Results:
    """A narrower float, to nearest even, rounded once."""
    c = calculator(op)
    value = as_single(c, operands[0], op.operands[0].type, features_of(rw))
    kind: Attribute = op.results[0].type
    assert not isinstance(kind, Float32Type), "then no type would be emulated"
    return narrow(c, value, kind).value


@converts(arith.BitcastOp)
def convert_bitcast(op: arith.BitcastOp, operands: Operands, rw: Rewriter) -> Results:
    """The same bits; a native f16 gives them by its value where there is no i16."""
    c, features = calculator(op), features_of(rw)
    ((value,),) = operands
    source, kind = op.operands[0].type, op.results[0].type
    new = rw.type(kind)
    if value.type == i32 and new == i32:
        return value
    if value.type == i32 and integer_bits(new) is not None:
        return c.op_of(arith.TruncIOp, (c.number(value),), new).value
    if new == i32 and integer_bits(value.type) is not None:
        return c.op_of(arith.ExtUIOp, (c.number(value),), i32).value
    from xdsl.dialects.builtin import f16

    from .small_floats import widen

    if new == i32:
        return narrow(c, as_single(c, operands[0], source, features), f16).value
    return c.op_of(arith.TruncFOp, (widen(c, c.number(value), f16),), new).value
