"""16-bit floats on machines that compute with 32 bits: conversions, the same bits everywhere.

bf16 values are kept as i16 always, f16 values as i16 where the target has no instructions for
them. Rounding is to nearest even; NaNs stay NaNs and become quiet, as the instructions do.

    widen  bf16: %b = zext %h to i32; %s = shl %b, 16; bitcast to f32; quiet
    narrow bf16: round = 0x7fff + bit 16; (bits + round) >> 16, NaN: (bits >> 16) | 0x40

From f64 and wide integers a value is first brought to f32 *rounded to odd*: a result that is not
exact gets its last bit set, so that rounding again cannot go wrong (S. Boldo, G. Melquiond,
"Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
Integers are so without f64, of which GPUs have few units.
"""

from __future__ import annotations

from xdsl.dialects.builtin import BFloat16Type, Float16Type, Float64Type, f32, i16, i32
from xdsl.ir import Attribute, SSAValue

from ...dialects import llvm
from ..conversion import Rewriter
from .target import (
    State,
    binary,
    const,
    fcmp,
    float_const,
    icmp,
    like,
    resize,
    select,
    width,
)

_HALF_TO_SINGLE = (127 - 15) << 23  # difference of the exponents' biases
_QUIET = 0x400000


def is_small(kind: Attribute) -> bool:
    """Whether values of this (old) type are computed with in f32."""
    return isinstance(llvm.element_type(kind), BFloat16Type | Float16Type)


def widen(rw: Rewriter, value: SSAValue, kind: Attribute) -> SSAValue:
    """A converted f16 or bf16 value as f32; `kind` is its old type. Exact."""
    element = llvm.element_type(kind)
    if isinstance(element, BFloat16Type):
        return _widen_bfloat(rw, value)
    if width_is_float(value.type):
        return rw.value(llvm.FPExtOp, (value,), like(value.type, f32))
    return _widen_half(rw, value)


def narrow(rw: Rewriter, value: SSAValue, kind: Attribute) -> SSAValue:
    """An f32 or f64 value rounded to f16 or bf16; `kind` is the old type of the result."""
    if isinstance(llvm.element_type(value.type), Float64Type):
        value = single_to_odd(rw, value)
    element = llvm.element_type(kind)
    if isinstance(element, BFloat16Type):
        return _narrow_bfloat(rw, value)
    state: State = rw.state
    if state.target.half_instructions:
        return rw.value(llvm.FPTruncOp, (value,), like(value.type, element))
    return _narrow_half(rw, value)


def width_is_float(kind: Attribute) -> bool:
    """Whether an f16 value was left as a float."""
    return isinstance(llvm.element_type(kind), Float16Type)


def _bits(rw: Rewriter, value: SSAValue) -> SSAValue:
    return rw.value(llvm.BitcastOp, (value,), like(value.type, i32))


def _single(rw: Rewriter, bits: SSAValue) -> SSAValue:
    return rw.value(llvm.BitcastOp, (bits,), like(bits.type, f32))


def _quieted(rw: Rewriter, bits: SSAValue, magnitude: SSAValue) -> SSAValue:
    """The bits of a single with a NaN made quiet."""
    is_nan = icmp(rw, "ugt", magnitude, 0x7F800000)
    return select(rw, is_nan, binary(rw, llvm.OrOp, bits, _QUIET), bits)


def _widen_bfloat(rw: Rewriter, value: SSAValue) -> SSAValue:
    wide = rw.value(llvm.ZExtOp, (value,), like(value.type, i32))
    return _single(rw, binary(rw, llvm.ShlOp, wide, 16))


def _narrow_bfloat(rw: Rewriter, value: SSAValue) -> SSAValue:
    bits = _bits(rw, value)
    high = binary(rw, llvm.LShrOp, bits, 16)
    odd = binary(rw, llvm.AndOp, high, 1)
    raised = binary(rw, llvm.AddOp, bits, binary(rw, llvm.AddOp, odd, 0x7FFF))
    rounded = binary(rw, llvm.LShrOp, raised, 16)
    is_nan = fcmp(rw, "uno", value, value)
    result = select(rw, is_nan, binary(rw, llvm.OrOp, high, 0x40), rounded)
    return rw.value(llvm.TruncOp, (result,), like(value.type, i16))


def _widen_half(rw: Rewriter, value: SSAValue) -> SSAValue:
    wide = rw.value(llvm.ZExtOp, (value,), like(value.type, i32))
    magnitude = binary(rw, llvm.AndOp, wide, 0x7FFF)
    sign = binary(rw, llvm.ShlOp, binary(rw, llvm.AndOp, wide, 0x8000), 16)
    shifted = binary(rw, llvm.ShlOp, magnitude, 13)
    normal = binary(rw, llvm.AddOp, shifted, _HALF_TO_SINGLE)
    special = _quieted(rw, binary(rw, llvm.OrOp, shifted, 0x7F800000), _or_infinity(rw, shifted))
    # A subnormal is its integer times 2^-24, which a single holds exactly.
    as_float = rw.value(llvm.UIToFPOp, (magnitude,), like(value.type, f32))
    unit = _single(rw, const(rw, (127 - 24) << 23, wide.type))
    subnormal = _bits(rw, rw.value(llvm.FMulOp, (as_float, unit), as_float.type))
    result = select(rw, icmp(rw, "ult", magnitude, 0x400), subnormal, normal)
    result = select(rw, icmp(rw, "uge", magnitude, 0x7C00), special, result)
    return _single(rw, binary(rw, llvm.OrOp, result, sign))


def _or_infinity(rw: Rewriter, shifted: SSAValue) -> SSAValue:
    return binary(rw, llvm.OrOp, shifted, 0x7F800000)


def _narrow_half(rw: Rewriter, value: SSAValue) -> SSAValue:
    bits = _bits(rw, value)
    magnitude = binary(rw, llvm.AndOp, bits, 0x7FFFFFFF)
    sign = binary(rw, llvm.AndOp, binary(rw, llvm.LShrOp, bits, 16), 0x8000)
    based = binary(rw, llvm.SubOp, magnitude, _HALF_TO_SINGLE)
    odd = binary(rw, llvm.AndOp, binary(rw, llvm.LShrOp, based, 13), 1)
    raised = binary(rw, llvm.AddOp, based, binary(rw, llvm.AddOp, odd, 0xFFF))
    normal = binary(rw, llvm.LShrOp, raised, 13)
    # Adding 0.5 moves a subnormal's bits to the end of the fraction; the machine does the rounding.
    half_bits = const(rw, 0x3F000000, bits.type)
    moved = rw.value(llvm.FAddOp, (_single(rw, magnitude), _single(rw, half_bits)), value.type)
    subnormal = binary(rw, llvm.SubOp, _bits(rw, moved), half_bits)
    payload = binary(rw, llvm.AndOp, binary(rw, llvm.LShrOp, magnitude, 13), 0x3FF)
    nan = binary(rw, llvm.OrOp, payload, 0x7E00)
    result = select(rw, icmp(rw, "ult", magnitude, 0x38800000), subnormal, normal)
    infinity = const(rw, 0x7C00, bits.type)
    result = select(rw, icmp(rw, "uge", magnitude, 0x47800000), infinity, result)
    result = select(rw, icmp(rw, "ugt", magnitude, 0x7F800000), nan, result)
    return resize(rw, binary(rw, llvm.OrOp, result, sign), like(value.type, i16))


def single_to_odd(rw: Rewriter, value: SSAValue) -> SSAValue:
    """An f64 as f32, rounded to odd; NaNs and infinities stay."""
    rounded = rw.value(llvm.FPTruncOp, (value,), like(value.type, f32))
    back = rw.value(llvm.FPExtOp, (rounded,), value.type)
    is_inexact = fcmp(rw, "one", back, value)
    absolute = llvm.INTRINSICS["fabs"]
    grew = fcmp(
        rw,
        "ogt",
        rw.value(absolute, (back,), value.type),
        rw.value(absolute, (value,), value.type),
    )
    bits = _bits(rw, rounded)
    below = select(rw, grew, binary(rw, llvm.SubOp, bits, 1), bits)
    return _single(rw, select(rw, is_inexact, binary(rw, llvm.OrOp, below, 1), bits))


def from_integer(rw: Rewriter, value: SSAValue, kind: Attribute, signed: bool) -> SSAValue:
    """An integer rounded to f16 or bf16, without f64; `kind` is the old type of the result."""
    convert = llvm.SIToFPOp if signed else llvm.UIToFPOp
    single = like(value.type, f32)
    if width(value.type) <= 16 or isinstance(llvm.element_type(kind), Float16Type):
        # Exact in f32, or so large that it is infinite as f16.
        return narrow(rw, rw.value(convert, (value,), single), kind)
    if width(value.type) == 32:
        exact = rw.value(convert, (_to_odd_24_bits(rw, value, signed),), single)
        return narrow(rw, exact, kind)
    word, unit = _to_odd_32_bits(rw, value, signed)
    exact = rw.value(convert, (_to_odd_24_bits(rw, word, signed),), single)
    return narrow(rw, rw.value(llvm.FMulOp, (exact, unit), single), kind)


def _to_odd_24_bits(rw: Rewriter, word: SSAValue, signed: bool) -> SSAValue:
    """A word that f32 holds exactly: a large one without its last 8 bits, a trace in the next."""
    low = binary(rw, llvm.AndOp, word, 0xFF)
    high = binary(rw, llvm.XorOp, word, low)
    lost = icmp(rw, "ne", low, 0)
    kept = select(rw, lost, binary(rw, llvm.OrOp, high, 0x100), high)
    return select(rw, _fits(rw, word, 24, signed), word, kept)


def _to_odd_32_bits(rw: Rewriter, value: SSAValue, signed: bool) -> tuple[SSAValue, SSAValue]:
    """A 64-bit integer as a word and the f32 that is its unit: 1, 2^16 or 2^32."""
    word_type = like(value.type, i32)
    shift = llvm.AShrOp if signed else llvm.LShrOp
    word = resize(rw, value, word_type)
    unit = float_const(rw, 1.0, like(value.type, f32))
    for lost_bits, least in ((16, 32 - signed), (32, 48 - signed)):
        lost = icmp(rw, "ne", binary(rw, llvm.AndOp, value, (1 << lost_bits) - 1), 0)
        trace = rw.value(llvm.ZExtOp, (lost,), word_type)
        high = resize(rw, binary(rw, shift, value, lost_bits), word_type)
        is_smaller = _fits(rw, value, least, signed)
        word = select(rw, is_smaller, word, binary(rw, llvm.OrOp, high, trace))
        unit = select(rw, is_smaller, unit, float_const(rw, 2.0**lost_bits, unit.type))
    return word, unit


def _fits(rw: Rewriter, value: SSAValue, bits: int, signed: bool) -> SSAValue:
    """Whether an integer's magnitude has no more than so many bits."""
    if not signed:
        return icmp(rw, "ult", value, 1 << bits)
    raised = binary(rw, llvm.AddOp, value, 1 << bits)
    return icmp(rw, "ult", raised, 2 << bits)
