"""What is known about floats and casts: rules for `canonicalize`, as `canonical_arith` says.

Floats are computed by NumPy in their own type; bf16 is rounded from f32, which is exact for the
operations here. A result that would be rounded twice, and every NaN, is left to the target.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    i1,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects.arith import RemFOp
from .canonical_arith import (
    COMMUTATIVE,
    RULES,
    Folded,
    boolean,
    constant,
    integer,
    integer_attribute,
    is_integer,
    maker_of,
    rule,
    width,
)

if TYPE_CHECKING:
    from ..canonicalize import Editor

__all__ = ["RULES"]  # one table: those of canonical_arith, and those added here

_FLOATS: dict[type[Attribute], type[np.floating[Any]]] = {
    Float16Type: np.float16,
    Float32Type: np.float32,
    Float64Type: np.float64,
    BFloat16Type: np.float32,
}


def number(value: SSAValue) -> np.floating[Any] | None:
    """The float that a value is known to be, as a NumPy scalar of its type (bf16 as float32)."""
    attribute: Any = constant(value)
    if not isinstance(attribute, FloatAttr):
        return None
    attribute = cast("FloatAttr[Any]", attribute)
    scalar = _FLOATS.get(attribute.type.__class__)
    return scalar(attribute.value.data) if scalar is not None else None


def float_attribute(result: np.floating[Any], type: Attribute) -> Attribute | None:
    """The constant of that type; None for a NaN."""
    if isinstance(type, BFloat16Type):
        result = _round_to_bf16(np.float32(result))
    if np.isnan(result) or type.__class__ not in _FLOATS:
        return None
    return FloatAttr(float(result), cast(Float32Type, type))


def _round_to_bf16(value: np.floating[Any]) -> np.floating[Any]:
    """The nearest bf16, ties to even, as a float32."""
    if not np.isfinite(value):
        return value
    bits = int(np.float32(value).view(np.uint32))
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return np.uint32(bits).view(np.float32)


# --- floats ---------------------------------------------------------------------------------------


def _ordered_minimum(a: Any, b: Any) -> Any:
    if a == b:
        return a if np.signbit(a) else b
    return min(a, b)


def _ordered_maximum(a: Any, b: Any) -> Any:
    if a == b:
        return b if np.signbit(a) else a
    return max(a, b)


def _unless_signs_differ(op: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Either zero may be the minimum of both: left to the target."""
    return lambda a, b: None if a == b and np.signbit(a) != np.signbit(b) else op(a, b)


_FLOAT_OPS: dict[type[Operation], Callable[[Any, Any], Any]] = {
    arith.AddfOp: operator.add,
    arith.SubfOp: operator.sub,
    arith.MulfOp: operator.mul,
    arith.DivfOp: lambda a, b: a / b,
    RemFOp: np.fmod,
    arith.MinimumfOp: _ordered_minimum,
    arith.MaximumfOp: _ordered_maximum,
    arith.MinnumfOp: _unless_signs_differ(min),
    arith.MaxnumfOp: _unless_signs_differ(max),
    math.CopySignOp: np.copysign,
}
# Those whose result is the same everywhere.
_FLOAT_FUNCTIONS: dict[type[Operation], Callable[[Any], Any]] = {
    arith.NegfOp: operator.neg,
    math.AbsFOp: np.abs,
    math.CeilOp: np.ceil,
    math.FloorOp: np.floor,
    math.RoundEvenOp: np.rint,
    math.SqrtOp: np.sqrt,
    math.TruncOp: np.trunc,
}


@rule(*_FLOAT_OPS)
def _fold_floats(op: Any, editor: Editor) -> Folded:
    lhs, rhs = op._operands
    kind = op.__class__
    a, b = number(lhs), number(rhs)
    if a is not None and b is not None:
        if np.isnan(a) or np.isnan(b):
            return None
        with np.errstate(all="ignore"):
            result = _FLOAT_OPS[kind](a, b)
        return None if result is None else float_attribute(result, op.results[0].type)
    if a is not None and kind in COMMUTATIVE:
        op.operands = (rhs, lhs)
        return True
    if b is None:
        return None
    is_neutral = (
        (b == 1 and kind in (arith.MulfOp, arith.DivfOp))
        or (b == 0 and kind is arith.AddfOp and np.signbit(b))
        or (b == 0 and kind is arith.SubfOp and not np.signbit(b))
    )
    return lhs if is_neutral else None


@rule(*_FLOAT_FUNCTIONS)
def _fold_float_function(op: Any, editor: Editor) -> Folded:
    value = number(op.operand)
    if value is not None:
        with np.errstate(all="ignore"):
            return float_attribute(_FLOAT_FUNCTIONS[op.__class__](value), op.result.type)
    inner = op.operand.owner
    twice = isinstance(op, arith.NegfOp) and isinstance(inner, arith.NegfOp)
    return inner.operand if twice else None


# Functions that devices compute by polynomials, where what they give is exact: at zero, at one, and
# below all numbers whose result, e**x or 2**x, is more than half the smallest number of the type.
_AT_ZERO = {
    **dict.fromkeys((math.ExpOp, math.Exp2Op, math.CosOp, math.CoshOp), 1.0),
    **dict.fromkeys((math.SinOp, math.TanOp, math.AsinOp, math.AtanOp, math.CbrtOp, math.ErfOp)),
    **dict.fromkeys((math.SinhOp, math.TanhOp, math.AsinhOp, math.AtanhOp)),
    **dict.fromkeys((math.ExpM1Op, math.Log1pOp)),
}
_ZERO_AT_ONE = (math.LogOp, math.Log2Op, math.Log10Op, math.AcosOp, math.AcoshOp)
_ZERO_BELOW = {
    math.ExpOp: {Float16Type: -17.5, BFloat16Type: -93, Float32Type: -104, Float64Type: -746},
    math.Exp2Op: {Float16Type: -25, BFloat16Type: -134, Float32Type: -150, Float64Type: -1075},
}


@rule(*_AT_ZERO, *_ZERO_AT_ONE)
def _fold_exact_function(op: Any, editor: Editor) -> Folded:
    value, kind, type = number(op.operand), op.__class__, op.result.type
    if value is None:
        return None
    if value == 0 and kind in _AT_ZERO:
        exact = _AT_ZERO[kind]
        return float_attribute(value if exact is None else value.__class__(exact), type)
    vanishes = value < _ZERO_BELOW[kind][type.__class__] if kind in _ZERO_BELOW else False
    if vanishes or (value == 1 and kind in _ZERO_AT_ONE):
        return float_attribute(value.__class__(0), type)
    return None


# By the bits of the predicate: 1 equal, 2 greater, 4 less, 8 unordered.
_CMPF_BITS = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 8, 15)


@rule(arith.CmpfOp)
def _fold_cmpf(op: arith.CmpfOp, editor: Editor) -> Folded:
    bits = _CMPF_BITS[op.predicate.value.data]
    if bits in (0, 15) and op.result.type == i1:
        return boolean(bits == 15)
    a, b = number(op.lhs), number(op.rhs)
    if a is None or b is None:
        return None
    found = 1 if a == b else 2 if a > b else 4 if a < b else 8
    return boolean(bool(bits & found))


# --- casts ----------------------------------------------------------------------------------------


@rule(arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp, arith.IndexCastOp)
def _fold_integer_cast(op: Any, editor: Editor) -> Folded:
    source, type = op._operands[0], op.results[0].type
    if source.type == type:
        return source
    value = integer(source)
    if value is not None:
        if isinstance(op, arith.ExtUIOp):
            value &= (1 << width(source.type)) - 1
        return integer_attribute(value, type)
    inner = maker_of(source)
    if inner is None or not isinstance(
        inner, arith.ExtSIOp | arith.ExtUIOp | arith.TruncIOp | arith.IndexCastOp
    ):
        return None
    return _fold_two_casts(op, inner)


def _fold_two_casts(op: Any, inner: Any) -> Folded:
    """A cast of a cast that gives back what there was, or that one cast can do."""
    first, type = inner._operands[0], op.results[0].type
    if isinstance(op, arith.TruncIOp) and isinstance(inner, arith.ExtSIOp | arith.ExtUIOp):
        if first.type == type:
            return first
        if width(first.type) > width(type):
            op.operands = (first,)
            return True
    elif isinstance(op, arith.IndexCastOp) and isinstance(inner, arith.IndexCastOp):
        narrow = width(inner.results[0].type) < 64
        is_round_trip = first.type == type and (
            isinstance(first.type, IndexType) or width(type) <= 32
        )
        if is_round_trip and not (narrow and isinstance(first.type, IndexType)):
            return first
    elif op.__class__ is inner.__class__ and not isinstance(op, arith.IndexCastOp):
        op.operands = (first,)
        return True
    return None


@rule(arith.ExtFOp, arith.TruncFOp)
def _fold_float_cast(op: Any, editor: Editor) -> Folded:
    source, type = op._operands[0], op.results[0].type
    value = number(source)
    scalar = _FLOATS.get(type.__class__)
    if value is None or scalar is None or np.isnan(value):
        inner = source.owner
        if isinstance(op, arith.TruncFOp) and isinstance(inner, arith.ExtFOp):
            return inner.input if inner.input.type == type else None
        return None
    with np.errstate(all="ignore"):
        result = scalar(value)
    if isinstance(type, BFloat16Type) and float(result) != float(value):
        return None  # would round twice: f64 to f32 to bf16
    return float_attribute(result, type)


@rule(arith.SIToFPOp, arith.UIToFPOp)
def _fold_integer_to_float(op: Any, editor: Editor) -> Folded:
    source, type = op._operands[0], op.results[0].type
    value, scalar = integer(source), _FLOATS.get(type.__class__)
    if value is None or scalar is None or width(source.type) > 64:
        return None
    if isinstance(op, arith.UIToFPOp):
        value &= (1 << width(source.type)) - 1
    whole = np.uint64(value) if value >= 0 else np.int64(value)
    if isinstance(type, BFloat16Type | Float16Type) and abs(value) >= 1 << 24:
        return None  # would round twice
    with np.errstate(all="ignore"):
        return float_attribute(whole.astype(scalar), type)


@rule(arith.FPToSIOp, arith.FPToUIOp)
def _fold_float_to_integer(op: Any, editor: Editor) -> Folded:
    value, bits = number(op._operands[0]), width(op.results[0].type)
    if value is None or not np.isfinite(value):
        return None
    whole = int(value)
    low = -(1 << (bits - 1)) if isinstance(op, arith.FPToSIOp) else 0
    high = 1 << (bits - 1 if isinstance(op, arith.FPToSIOp) else bits)
    return integer_attribute(whole, op.results[0].type) if low <= whole < high else None


_BITS: dict[type[Attribute], type[np.unsignedinteger[Any]]] = {
    Float16Type: np.uint16,
    Float32Type: np.uint32,
    Float64Type: np.uint64,
}


@rule(arith.BitcastOp)
def _fold_bitcast(op: arith.BitcastOp, editor: Editor) -> Folded:
    source, type = op.input, op.result.type
    if source.type == type:
        return source
    inner = source.owner
    if isinstance(inner, arith.BitcastOp):
        return inner.input if inner.input.type == type else None
    value, pattern = number(source), integer(source)
    if value is not None and not np.isnan(value) and source.type.__class__ in _BITS:
        bits = int(value.view(_BITS[source.type.__class__]))
        return integer_attribute(bits, type) if is_integer(type) else None
    unsigned = _BITS.get(type.__class__)
    if pattern is not None and unsigned is not None:
        bits = pattern & ((1 << width(source.type)) - 1)
        return float_attribute(unsigned(bits).view(_FLOATS[type.__class__]), type)
    return None
