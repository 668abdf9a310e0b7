"""`**`: multiplications for integers, `math.powf` for floats, short cuts for small constants."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xdsl.dialects import arith, math
from xdsl.ir import SSAValue

from ..dialects import simt
from ..dialects.predicates import NE, SGE
from .checks import check
from .convert import convert, meet, number_type, to_type
from .emitter import body
from .promotion import settle
from .shifts import shift
from .types import DType, bf16, bool_, f16, f32, i32
from .typing_of import describe
from .values import Scalar, Value, static_int, static_number

if TYPE_CHECKING:
    from .frame import Frame

_LONGEST_CHAIN = 8
"""Exponents up to this become multiplications, at most 2 units in the last place from `pow`."""


def power(frame: Frame, node: ast.AST, a: Value, b: Value) -> Value:
    """`a ** b`: an integer if both are, where the exponent must not be negative."""
    base, exponent = settle(number_type(frame, node, a)), settle(number_type(frame, node, b))
    if not base.is_float and not exponent.is_float:
        return _integer_power(frame, node, a, b)
    known = static_number(b)
    if known is not None and base.is_float and known == int(known) and abs(known) <= _LONGEST_CHAIN:
        return _float_chain(frame, to_type(frame, node, a, base), int(known))
    left, right = meet(frame, node, a, b, "operands of **")
    dtype = left.dtype
    if dtype in (f16, bf16):
        wide = [convert(frame.emit, value.ssa, dtype, f32) for value in (left, right)]
        result = frame.emit.binary(math.PowFOp, wide[0], wide[1], f32)
        return Scalar(dtype, convert(frame.emit, result, f32, dtype))
    return Scalar(dtype, frame.emit.binary(math.PowFOp, left.ssa, right.ssa, dtype))


def _float_chain(frame: Frame, base: Scalar, exponent: int) -> Scalar:
    emit, dtype = frame.emit, base.dtype
    work = f32 if dtype in (f16, bf16) else dtype
    one = emit.constant(1.0, work)
    value = convert(emit, base.ssa, dtype, work)
    result = _chain(frame, value, abs(exponent), work, one, arith.MulfOp)
    if exponent < 0:
        result = emit.binary(arith.DivfOp, one, result, work)
    return Scalar(dtype, convert(emit, result, work, dtype))


def _chain(
    frame: Frame,
    value: SSAValue,
    exponent: int,
    dtype: DType,
    one: SSAValue,
    multiply: type[arith.MulfOp] | type[arith.MuliOp],
) -> SSAValue:
    """By squaring: at most 2 log2(exponent) multiplications."""
    if exponent == 0:
        return one
    result: SSAValue | None = None
    first = True
    while True:
        if exponent & 1:
            known = result
            result = value if first else frame.emit.binary(multiply, known or value, value, dtype)
            first = False
        exponent >>= 1
        if not exponent:
            assert result is not None or frame.emit.dry, "the last bit is set"
            return result  # pyright: ignore[reportReturnType]
        value = frame.emit.binary(multiply, value, value, dtype)


def _integer_power(frame: Frame, node: ast.AST, a: Value, b: Value) -> Value:
    exponent_type = number_type(frame, node, b)
    known = static_int(b)
    if known is not None and known < 0:
        raise frame.refuse(
            node,
            f"an integer to the power {known} is a fraction",
            hint="make the base a float, as in float(x) ** -2",
        )
    dtype = settle(number_type(frame, node, a))
    if dtype is bool_:
        dtype = i32
    if static_int(a) is not None and exponent_type.is_integer:
        dtype = settle(exponent_type) if exponent_type is not bool_ else i32
    base = to_type(frame, node, a, dtype)
    if known is not None:
        one = frame.emit.constant(1, dtype)
        return Scalar(dtype, _chain(frame, base.ssa, known, dtype, one, arith.MuliOp))
    if static_int(a) == 2:
        return _power_of_two(frame, node, b, dtype)
    exponent = to_type(frame, node, b, i32 if exponent_type is bool_ else settle(exponent_type))
    if not exponent.dtype.is_integer:
        raise frame.refuse(node, f"exponent of type {describe(b)}, expected an integer")
    return _power_loop(frame, base, exponent)


def _power_of_two(frame: Frame, node: ast.AST, b: Value, dtype: DType) -> Value:
    one = Scalar(dtype, frame.emit.constant(1, dtype))
    if number_type(frame, node, b) is bool_:
        b = to_type(frame, node, b, i32)
    return shift(frame, node, ast.LShift, one, b)


def _power_loop(frame: Frame, base: Scalar, exponent: Scalar) -> Scalar:
    """while e != 0: if e & 1: r *= b; b *= b; e >>= 1."""
    emit, dtype, e_type = frame.emit, base.dtype, exponent.dtype
    zero, one = emit.constant(0, e_type), emit.constant(1, e_type)
    if e_type.is_signed:
        positive = emit.compare(SGE, exponent.ssa, zero, floats=False)
        if frame.unit.checks:
            check(frame, positive, "assert", "negative exponent {} of an integer", (exponent,))
    result, square, left = (
        emit.cell(dtype, "power"),
        emit.cell(dtype, "base"),
        emit.cell(e_type, "e"),
    )
    emit.set(emit.constant(1, dtype), result)
    emit.set(base.ssa, square)
    emit.set(exponent.ssa, left)
    with frame.region() as before:
        more = emit.compare(NE, emit.get(left, e_type), zero, floats=False)
        emit.add(simt.ConditionOp, (more,))
    with frame.region() as inner:
        value, e = emit.get(square, dtype), emit.get(left, e_type)
        odd = emit.compare(NE, emit.binary(arith.AndIOp, e, one, e_type), zero, floats=False)
        known = emit.get(result, dtype)
        product = emit.binary(arith.MuliOp, known, value, dtype)
        emit.set(emit.select(odd, product, known, dtype), result)
        emit.set(emit.binary(arith.MuliOp, value, value, dtype), square)
        emit.set(emit.binary(arith.ShRUIOp, e, one, e_type), left)
        emit.add(simt.YieldOp)
    if not emit.dry:
        emit.add(simt.WhileOp, regions=(body(before), body(inner), body_empty()))
    return Scalar(dtype, emit.get(result, dtype))


def body_empty():  # noqa: D103
    from xdsl.ir import Region

    return Region()
