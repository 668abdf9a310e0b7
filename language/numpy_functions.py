"""NumPy's ufuncs (and a few functions) on scalars, by name."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from xdsl.dialects import arith, math
from xdsl.ir import Operation

from .bit_functions import bitwise_count
from .builtin_functions import absolute
from .choices import choose
from .convert import convert, materialise, meet, number_type, truth
from .functions import Function
from .math_functions import (
    BINARY,
    UNARY,
    binary_op,
    fmod,
    hypot,
    in_math,
    is_finite,
    is_inf,
    is_nan,
    scaled,
    unary_op,
)
from .operators import binary, bitwise, compare, negate, unary
from .promotion import settle
from .types import DType, bf16, bool_, f32
from .values import Scalar, Static, Value

if TYPE_CHECKING:
    from .frame import Frame

_RENAMED = {
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan"},
    **{"arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh"},
}
_OPERATORS: dict[str, type[ast.operator]] = {
    **{"add": ast.Add, "subtract": ast.Sub, "multiply": ast.Mult, "divide": ast.Div},
    **{"true_divide": ast.Div, "floor_divide": ast.FloorDiv, "mod": ast.Mod},
    **{"remainder": ast.Mod, "power": ast.Pow, "bitwise_and": ast.BitAnd},
    **{"bitwise_or": ast.BitOr, "bitwise_xor": ast.BitXor, "left_shift": ast.LShift},
    "right_shift": ast.RShift,
}
_COMPARISONS: dict[str, type[ast.cmpop]] = {
    **{"equal": ast.Eq, "not_equal": ast.NotEq, "less": ast.Lt},
    **{"less_equal": ast.LtE, "greater": ast.Gt, "greater_equal": ast.GtE},
}
_UNARY: dict[str, type[ast.unaryop]] = {
    **{"negative": ast.USub, "positive": ast.UAdd, "invert": ast.Invert},
    "bitwise_not": ast.Invert,
}
_ROUNDING: dict[str, type[Operation]] = {
    **{"floor": math.FloorOp, "ceil": math.CeilOp, "trunc": math.TruncOp},
    "rint": math.RoundEvenOp,
}
_EXTREMES: dict[str, tuple[type[Operation], type[Operation], type[Operation]]] = {
    # signed integers, unsigned integers, floats: NaN wins, or (fmax, fmin) loses
    "maximum": (arith.MaxSIOp, arith.MaxUIOp, arith.MaximumfOp),
    "minimum": (arith.MinSIOp, arith.MinUIOp, arith.MinimumfOp),
    "fmax": (arith.MaxSIOp, arith.MaxUIOp, arith.MaxnumfOp),
    "fmin": (arith.MinSIOp, arith.MinUIOp, arith.MinnumfOp),
}
_LOGICAL: dict[str, type[ast.operator]] = {
    **{"logical_and": ast.BitAnd, "logical_or": ast.BitOr, "logical_xor": ast.BitXor}
}


def _operator(op: type[ast.operator], frame: Frame, node: ast.AST, a: Value, b: Value) -> Value:
    return binary(frame, node, op, a, b)


def _comparison(op: type[ast.cmpop], frame: Frame, node: ast.AST, a: Value, b: Value) -> Value:
    return compare(frame, node, op, a, b)


def _unary(op: type[ast.unaryop], frame: Frame, node: ast.AST, x: Value) -> Value:
    return unary(frame, node, op, x)


def _round(cls: type[Operation], frame: Frame, node: ast.AST, x: Value) -> Value:
    """NumPy keeps a float a float, and an integer as it is."""
    if not settle(number_type(frame, node, x)).is_float:
        return materialise(frame, node, x)
    return unary_op(cls, frame, node, x)


def extreme(name: str, frame: Frame, node: ast.AST, a: Value, b: Value) -> Value:
    """`maximum` and its kin."""
    left, right = meet(frame, node, a, b)
    dtype, emit = left.dtype, frame.emit
    signed, unsigned, floats = _EXTREMES[name]
    if dtype is bool_:
        return bitwise(frame, node, ast.BitOr if "max" in name else ast.BitAnd, left, right)
    if dtype is bf16:
        x, y = (convert(emit, value.ssa, bf16, f32) for value in (left, right))
        return Scalar(bf16, convert(emit, emit.binary(floats, x, y, f32), f32, bf16))
    cls = floats if dtype.is_float else signed if dtype.is_signed else unsigned
    return Scalar(dtype, emit.binary(cls, left.ssa, right.ssa, dtype))


def _logical(op: type[ast.operator], frame: Frame, node: ast.AST, a: Value, b: Value) -> Value:
    left, right = (materialise(frame, node, truth(frame, node, value), bool_) for value in (a, b))
    return bitwise(frame, node, op, left, right)


def _logical_not(frame: Frame, node: ast.AST, x: Value) -> Value:
    return negate(frame, truth(frame, node, x))


def _where(frame: Frame, node: ast.AST, condition: Value, x: Value, y: Value) -> Value:
    test = truth(frame, node, condition)
    if isinstance(test, Static):
        return x if test.value else y
    return choose(frame, test, lambda: x, lambda: y)


def _clip(frame: Frame, node: ast.AST, a: Value, a_min: Value, a_max: Value) -> Value:
    return extreme("minimum", frame, node, extreme("maximum", frame, node, a, a_min), a_max)


def _square(frame: Frame, node: ast.AST, x: Value) -> Value:
    return binary(frame, node, ast.Mult, x, x)


def _reciprocal(frame: Frame, node: ast.AST, x: Value) -> Value:
    return binary(frame, node, ast.Div, Static(1.0), x)


def _sign(frame: Frame, node: ast.AST, x: Value) -> Value:
    """-1, 0 or 1 in the type of `x`; NaN stays."""
    scalar = materialise(frame, node, x)
    dtype, emit = scalar.dtype, frame.emit
    zero = Static(0.0 if dtype.is_float else 0)
    above = compare(frame, node, ast.Gt, scalar, zero)
    below = compare(frame, node, ast.Lt, scalar, zero)
    assert isinstance(above, Scalar) and isinstance(below, Scalar), "run-time values"
    one, other = emit.constant(1, dtype), emit.constant(-1 if dtype.kind != "uint" else 0, dtype)
    found = emit.select(below.ssa, other, scalar.ssa, dtype)
    return Scalar(dtype, emit.select(above.ssa, one, found, dtype))


def _exponent(frame: Frame, node: ast.AST, x: Value, y: Value) -> Value:
    """`float_power`."""

    def build(emit: Any, a: Any, b: Any, dtype: DType) -> Any:
        return emit.binary(math.PowFOp, a, b, dtype)

    return in_math(frame, node, build, x, y)


def _row(name: str, handler: Callable[..., Value], *positional: str) -> Function:
    return Function(f"np.{name}", handler, positional)


_PI = 3.141592653589793
NUMPY: dict[str, Function] = {
    **{name: _row(name, partial(unary_op, cls), "x") for name, cls in UNARY.items()},
    **{
        name: _row(name, partial(unary_op, UNARY[python]), "x") for name, python in _RENAMED.items()
    },
    **{name: _row(name, partial(_operator, op), "x1", "x2") for name, op in _OPERATORS.items()},
    **{name: _row(name, partial(_comparison, op), "x1", "x2") for name, op in _COMPARISONS.items()},
    **{name: _row(name, partial(_unary, op), "x") for name, op in _UNARY.items()},
    **{name: _row(name, partial(_round, cls), "x") for name, cls in _ROUNDING.items()},
    **{name: _row(name, partial(extreme, name), "x1", "x2") for name in _EXTREMES},
    **{name: _row(name, partial(_logical, op), "x1", "x2") for name, op in _LOGICAL.items()},
    "arctan2": _row("arctan2", partial(binary_op, BINARY["atan2"]), "x1", "x2"),
    "copysign": _row("copysign", partial(binary_op, BINARY["copysign"]), "x1", "x2"),
    "fmod": _row("fmod", fmod, "x1", "x2"),
    "hypot": _row("hypot", hypot, "x1", "x2"),
    "float_power": _row("float_power", _exponent, "x1", "x2"),
    "isnan": _row("isnan", is_nan, "x"),
    "isinf": _row("isinf", is_inf, "x"),
    "isfinite": _row("isfinite", is_finite, "x"),
    "absolute": _row("absolute", absolute, "x"),
    "abs": _row("abs", absolute, "x"),
    "logical_not": _row("logical_not", _logical_not, "x"),
    "where": _row("where", _where, "condition", "x", "y"),
    "clip": _row("clip", _clip, "a", "a_min", "a_max"),
    "bitwise_count": _row("bitwise_count", bitwise_count, "x"),
    "square": _row("square", _square, "x"),
    "reciprocal": _row("reciprocal", _reciprocal, "x"),
    "sign": _row("sign", _sign, "x"),
    "degrees": _row("degrees", partial(scaled, 180 / _PI), "x"),
    "rad2deg": _row("rad2deg", partial(scaled, 180 / _PI), "x"),
    "radians": _row("radians", partial(scaled, _PI / 180), "x"),
    "deg2rad": _row("deg2rad", partial(scaled, _PI / 180), "x"),
}
