"""`math.*`: a table from name to op, and a function for each that is more than one op.

An integer argument counts as f32. f16 and bf16 are computed in f32 and rounded.
"""

from __future__ import annotations

import ast
import math as python_math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from xdsl.dialects import arith, math
from xdsl.ir import Operation, SSAValue

from ..dialects import simt
from .convert import OEQ, OGT, OLT, UNO, convert, materialise, meet, number_type, to_type
from .emitter import REGISTER, Emitter
from .functions import Function
from .power import power
from .promotion import promote, settle
from .types import DType, bool_, f16, f32, f64, i32
from .typing_of import describe
from .values import Scalar, Value

if TYPE_CHECKING:
    from .frame import Frame

UNARY: dict[str, type[Operation]] = {
    "sqrt": math.SqrtOp,
    "cbrt": math.CbrtOp,
    "exp": math.ExpOp,
    "exp2": math.Exp2Op,
    "expm1": math.ExpM1Op,
    "log": math.LogOp,
    "log2": math.Log2Op,
    "log10": math.Log10Op,
    "log1p": math.Log1pOp,
    "sin": math.SinOp,
    "cos": math.CosOp,
    "tan": math.TanOp,
    "asin": math.AsinOp,
    "acos": math.AcosOp,
    "atan": math.AtanOp,
    "sinh": math.SinhOp,
    "cosh": math.CoshOp,
    "tanh": math.TanhOp,
    "asinh": math.AsinhOp,
    "acosh": math.AcoshOp,
    "atanh": math.AtanhOp,
    "erf": math.ErfOp,
    "fabs": math.AbsFOp,
}
BINARY: dict[str, type[Operation]] = {
    "atan2": math.Atan2Op,
    "copysign": math.CopySignOp,
}
ROUNDING: dict[str, type[Operation]] = {
    "floor": math.FloorOp,
    "ceil": math.CeilOp,
    "trunc": math.TruncOp,
}


def float_type(dtype: DType) -> DType:
    """The type in which a function of a number computes."""
    dtype = settle(dtype)
    return dtype if dtype in (f32, f64) else f32


def in_math(frame: Frame, node: ast.AST, build: Callable[..., SSAValue], *values: Value) -> Scalar:
    """`build(emit, *operands, dtype)` on floats of one type; 16-bit types by way of f32."""
    common = f16 if all(number_type(frame, node, v) is f16 for v in values) else None
    for value in values:
        found = settle(number_type(frame, node, value))
        found = found if found.is_float else f32
        common = found if common is None else promote(common, found)
        assert common is not None, "floats always meet"
    weak = [number_type(frame, node, value) for value in values]
    strong = [dtype for dtype in weak if settle(dtype) is dtype and dtype.is_float]
    if strong:  # literals adapt to the floats beside them
        common = strong[0]
        for dtype in strong[1:]:
            common = promote(common, dtype) or common
    assert common is not None, "there is at least one operand"
    work = float_type(common)
    operands = [
        convert(frame.emit, to_type(frame, node, value, common).ssa, common, work)
        for value in values
    ]
    return Scalar(common, convert(frame.emit, build(frame.emit, *operands, work), work, common))


def unary_op(cls: type[Operation], frame: Frame, node: ast.AST, x: Value) -> Value:
    """One op on one float."""

    def build(emit: Emitter, a: SSAValue, dtype: DType) -> SSAValue:
        return emit.unary(cls, a, dtype)

    return in_math(frame, node, build, x)


def binary_op(cls: type[Operation], frame: Frame, node: ast.AST, x: Value, y: Value) -> Value:
    """One op on two floats."""

    def build(emit: Emitter, a: SSAValue, b: SSAValue, dtype: DType) -> SSAValue:
        return emit.binary(cls, a, b, dtype)

    return in_math(frame, node, build, x, y)


def _log(frame: Frame, node: ast.AST, x: Value, base: Value | None = None) -> Value:
    if base is None:
        return unary_op(math.LogOp, frame, node, x)

    def build(emit: Emitter, a: SSAValue, b: SSAValue, dtype: DType) -> SSAValue:
        logs = [emit.unary(math.LogOp, value, dtype) for value in (a, b)]
        return emit.binary(arith.DivfOp, logs[0], logs[1], dtype)

    return in_math(frame, node, build, x, base)


def _to_integer(cls: type[Operation], frame: Frame, node: ast.AST, x: Value) -> Value:
    """`math.floor` and the like give an i32, as Python's give an int."""
    if not settle(number_type(frame, node, x)).is_float:
        return materialise(frame, node, x)
    rounded = unary_op(cls, frame, node, x)
    assert isinstance(rounded, Scalar), "an op gives a run-time value"
    return Scalar(i32, convert(frame.emit, rounded.ssa, rounded.dtype, i32))


def is_nan(frame: Frame, node: ast.AST, x: Value) -> Value:
    """Whether a float is not equal to itself."""
    scalar = _as_float(frame, node, x)
    return Scalar(bool_, frame.emit.compare(UNO, scalar.ssa, scalar.ssa, floats=True))


def is_inf(frame: Frame, node: ast.AST, x: Value) -> Value:
    """Whether a float is plus or minus infinity."""
    return _against_infinity(frame, node, x, OEQ)


def is_finite(frame: Frame, node: ast.AST, x: Value) -> Value:
    """Whether a float is neither infinite nor NaN."""
    return _against_infinity(frame, node, x, OLT)


def _as_float(frame: Frame, node: ast.AST, x: Value) -> Scalar:
    scalar = materialise(frame, node, x)
    return to_type(frame, node, scalar, float_type(scalar.dtype))


def _against_infinity(frame: Frame, node: ast.AST, x: Value, predicate: int) -> Value:
    scalar = _as_float(frame, node, x)
    size = frame.emit.unary(math.AbsFOp, scalar.ssa, scalar.dtype)
    infinity = frame.emit.constant(python_math.inf, scalar.dtype)
    return Scalar(bool_, frame.emit.compare(predicate, size, infinity, floats=True))


def fmod(frame: Frame, node: ast.AST, x: Value, y: Value) -> Value:
    """The remainder with the sign of `x`: that of the absolute values, which is exact."""

    def build(emit: Emitter, a: SSAValue, b: SSAValue, dtype: DType) -> SSAValue:
        sizes = [emit.unary(math.AbsFOp, value, dtype) for value in (a, b)]
        remainder = emit.binary(simt.ModOp, sizes[0], sizes[1], dtype)
        return emit.binary(math.CopySignOp, remainder, a, dtype)

    return in_math(frame, node, build, x, y)


def hypot(frame: Frame, node: ast.AST, x: Value, y: Value) -> Value:
    """sqrt(x² + y²) without overflow: the larger times sqrt(1 + ratio²)."""

    def build(emit: Emitter, a: SSAValue, b: SSAValue, dtype: DType) -> SSAValue:
        a, b = (emit.unary(math.AbsFOp, value, dtype) for value in (a, b))
        large = emit.binary(arith.MaximumfOp, a, b, dtype)
        small = emit.binary(arith.MinimumfOp, a, b, dtype)
        zero, one = emit.constant(0.0, dtype), emit.constant(1.0, dtype)
        ratio = emit.binary(arith.DivfOp, small, large, dtype)
        square = emit.binary(arith.MulfOp, ratio, ratio, dtype)
        root = emit.unary(math.SqrtOp, emit.binary(arith.AddfOp, one, square, dtype), dtype)
        result = emit.binary(arith.MulfOp, large, root, dtype)
        # 0/0 and inf/inf: there the larger one is the answer.
        plain = emit.compare(OGT, large, zero, floats=True)
        result = emit.select(plain, result, large, dtype)
        infinity = emit.constant(python_math.inf, dtype)
        endless = emit.compare(OEQ, large, infinity, floats=True)
        return emit.select(endless, infinity, result, dtype)

    return in_math(frame, node, build, x, y)


def scaled(factor: float, frame: Frame, node: ast.AST, x: Value) -> Value:
    """A multiple, as `degrees` and `radians` are."""

    def build(emit: Emitter, a: SSAValue, dtype: DType) -> SSAValue:
        return emit.binary(arith.MulfOp, a, emit.constant(factor, dtype), dtype)

    return in_math(frame, node, build, x)


def _power(frame: Frame, node: ast.AST, x: Value, y: Value) -> Value:
    """`math.pow` is of floats, whatever it is given."""
    values = [_as_float_weak(frame, node, value) for value in (x, y)]
    return power(frame, node, values[0], values[1])


def _as_float_weak(frame: Frame, node: ast.AST, value: Value) -> Value:
    from .values import Static, static_number

    known = static_number(value)
    if known is not None:
        return Static(float(known))
    dtype = number_type(frame, node, value)
    return value if dtype.is_float else to_type(frame, node, value, f32)


def fma(frame: Frame, node: ast.AST, x: Value, y: Value, z: Value) -> Value:
    """`x * y + z` rounded once."""

    def build(emit: Emitter, a: SSAValue, b: SSAValue, c: SSAValue, dtype: DType) -> SSAValue:
        return emit.add(math.FmaOp, (a, b, c), (REGISTER[dtype],), emit.fastmath)

    return in_math(frame, node, build, x, y, z)


def _gcd(frame: Frame, node: ast.AST, x: Value, y: Value) -> Value:
    left, right = meet(frame, node, x, y)
    raise frame.refuse(
        node,
        f"math.gcd of {describe(left)} and {describe(right)} is not in the language",
        hint="write Euclid's loop: while b: a, b = b, a % b",
    )


MATH: dict[str, Function] = {
    **{
        name: Function(
            f"math.{name}", partial(unary_op, cls), ("x",), folds=getattr(python_math, name, None)
        )
        for name, cls in UNARY.items()
        if name != "log"
    },
    **{
        name: Function(
            f"math.{name}", partial(binary_op, cls), ("x", "y"), folds=getattr(python_math, name)
        )
        for name, cls in BINARY.items()
    },
    **{
        name: Function(
            f"math.{name}", partial(_to_integer, cls), ("x",), folds=getattr(python_math, name)
        )
        for name, cls in ROUNDING.items()
    },
    "log": Function("math.log", _log, ("x", "base"), ("base",), folds=python_math.log),
    "pow": Function("math.pow", _power, ("x", "y"), folds=python_math.pow),
    "fmod": Function("math.fmod", fmod, ("x", "y"), folds=python_math.fmod),
    "hypot": Function("math.hypot", hypot, ("x", "y"), folds=python_math.hypot),
    "isnan": Function("math.isnan", is_nan, ("x",), folds=python_math.isnan),
    "isinf": Function("math.isinf", is_inf, ("x",), folds=python_math.isinf),
    "isfinite": Function("math.isfinite", is_finite, ("x",), folds=python_math.isfinite),
    "degrees": Function(
        "math.degrees", partial(scaled, 180 / python_math.pi), ("x",), folds=python_math.degrees
    ),
    "radians": Function(
        "math.radians", partial(scaled, python_math.pi / 180), ("x",), folds=python_math.radians
    ),
    "fma": Function("math.fma", fma, ("x", "y", "z")),
    "gcd": Function("math.gcd", _gcd, ("x", "y"), folds=python_math.gcd),
}
