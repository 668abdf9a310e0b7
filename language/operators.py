"""Python's operators on numbers: a table of ops for the plain ones, a function for each other."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from xdsl.dialects import arith
from xdsl.ir import Operation

from ..dialects import simt
from ..dialects.predicates import EQ, NE, SGE, SGT, SLE, SLT, UGE, UGT, ULE, ULT
from .checks import check_divisor
from .convert import (
    OEQ,
    OGE,
    OGT,
    OLE,
    OLT,
    UNE,
    convert,
    materialise,
    meet,
    number_type,
    refuse_unasked,
    static_type,
    to_type,
)
from .promotion import WEAK, WEAK_FLOAT
from .refusals import TEXT
from .shifts import SHIFTS, shift
from .types import DType, bf16, bool_, f32, i32
from .typing_of import describe
from .values import Scalar, Static, Value, is_numpy_scalar, static_int

if TYPE_CHECKING:
    from .frame import Frame

Ops = tuple[type[Operation], type[Operation], type[Operation]]

ARITHMETIC: dict[type[ast.operator], Ops] = {
    # signed integers, unsigned integers, floats
    ast.Add: (arith.AddiOp, arith.AddiOp, arith.AddfOp),
    ast.Sub: (arith.SubiOp, arith.SubiOp, arith.SubfOp),
    ast.Mult: (arith.MuliOp, arith.MuliOp, arith.MulfOp),
    ast.FloorDiv: (simt.FloorDivOp, arith.DivUIOp, simt.FloorDivOp),
    ast.Mod: (simt.ModOp, arith.RemUIOp, simt.ModOp),
}
BITWISE: dict[type[ast.operator], type[Operation]] = {
    ast.BitAnd: arith.AndIOp,
    ast.BitOr: arith.OrIOp,
    ast.BitXor: arith.XOrIOp,
}
COMPARISONS: dict[type[ast.cmpop], tuple[int, int, int]] = {
    # predicates for signed integers, unsigned integers, floats
    ast.Eq: (EQ, EQ, OEQ),
    ast.NotEq: (NE, NE, UNE),
    ast.Lt: (SLT, ULT, OLT),
    ast.LtE: (SLE, ULE, OLE),
    ast.Gt: (SGT, UGT, OGT),
    ast.GtE: (SGE, UGE, OGE),
}
_python: Any = operator  # whose functions are typed too loosely
PYTHON: dict[type[ast.AST], Callable[..., Any]] = {
    **{ast.Add: _python.add, ast.Sub: _python.sub, ast.Mult: _python.mul},
    **{ast.Div: _python.truediv, ast.FloorDiv: _python.floordiv, ast.Mod: _python.mod},
    **{ast.Pow: _python.pow, ast.LShift: _python.lshift, ast.RShift: _python.rshift},
    **{ast.BitAnd: _python.and_, ast.BitOr: _python.or_, ast.BitXor: _python.xor},
    **{ast.Eq: _python.eq, ast.NotEq: _python.ne, ast.Lt: _python.lt},
    **{ast.LtE: _python.le, ast.Gt: _python.gt, ast.GtE: _python.ge},
    **{ast.USub: _python.neg, ast.UAdd: _python.pos, ast.Invert: _python.invert},
}
SYMBOLS: dict[type[ast.AST], str] = {
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//"},
    **{ast.Mod: "%", ast.Pow: "**", ast.MatMult: "@", **SHIFTS},
    **{ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.USub: "-", ast.UAdd: "+"},
    **{ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="},
    **{ast.Invert: "~"},
}


def binary(frame: Frame, node: ast.AST, op: type[ast.operator], a: Value, b: Value) -> Value:
    """`a op b` for numbers."""
    folded = fold(frame, node, op, a, b)
    if folded is not None:
        return folded
    _expect_numbers(frame, node, op, a, b)
    if op is ast.MatMult:
        raise frame.refuse(
            node, "operator @ is not defined for numbers", hint="write a loop over the sum"
        )
    if op is ast.Div:
        return divide(frame, node, a, b)
    if op is ast.Pow:
        from .power import power

        return power(frame, node, a, b)
    if op in SHIFTS:
        return shift(frame, node, op, a, b)
    left, right = meet(frame, node, a, b, f"operands of {SYMBOLS[op]}")
    if op in BITWISE:
        return bitwise(frame, node, op, left, right)
    return arithmetic(frame, node, op, left, right, static_int(b))


def _expect_numbers(frame: Frame, node: ast.AST, op: type[ast.AST], *values: Value) -> None:
    for value in values:
        if isinstance(value, Static) and static_type(value.value) is None:
            text = isinstance(value.value, str)
            raise frame.refuse(
                node,
                f"operator {SYMBOLS[op]} needs numbers, got {describe(value)}",
                hint=TEXT if text else None,
            )
        number_type(frame, node, value)


def fold(frame: Frame, node: ast.AST, op: type[ast.AST], *values: Value) -> Value | None:
    """The constant that constants give by Python's own rules; None if one is not constant.

    NumPy scalars fold with literals and with their own type, where NumPy promotes as we do.
    """
    constants: list[Any] = [value.value for value in values if isinstance(value, Static)]
    if len(constants) < len(values) or op not in PYTHON:
        return None
    types = {static_type(constant) for constant in constants}
    if None in types:
        return None
    try:
        if not any(map(is_numpy_scalar, constants)):
            return Static(PYTHON[op](*constants))
        dtype = _numpy_type(op, types)
        if dtype is None:
            return None
        import numpy as np

        with np.errstate(all="ignore"):
            # A literal beside a bfloat16 would make a float32 of both.
            typed = [dtype(value) if dtype.is_float else value for value in constants]
            return Static(PYTHON[op](*typed))
    except (ArithmeticError, ValueError, TypeError) as error:
        raise frame.refuse(node, f"constant expression: {error}") from None


def _numpy_type(op: type[ast.AST], types: set[DType | None]) -> DType | None:
    """The one type of NumPy scalars among constants; None where NumPy promotes in another way."""
    typed = [dtype for dtype in types if dtype is not None and dtype not in WEAK]
    plain = (ast.Add, ast.Sub, ast.Mult, ast.USub, *COMPARISONS, *BITWISE)
    if len(typed) != 1 or typed[0] is bool_ or op not in plain:
        return None
    return typed[0] if typed[0].is_float or WEAK_FLOAT not in types else None


def arithmetic(
    frame: Frame,
    node: ast.AST,
    op: type[ast.operator],
    left: Scalar,
    right: Scalar,
    divisor: int | None = None,
) -> Scalar:
    """`+ - * // %` on two numbers of one type; `divisor` is the right one where it is known."""
    if left.dtype is bool_:
        left, right = to_type(frame, node, left, i32), to_type(frame, node, right, i32)
    dtype = left.dtype
    signed, unsigned, floats = ARITHMETIC[op]
    if dtype.is_float:
        return in_float(frame, dtype, floats, left, right)
    if op in (ast.FloorDiv, ast.Mod):
        check_divisor(frame, node, right, divisor)
    cls = signed if dtype.is_signed else unsigned
    return Scalar(dtype, frame.emit.binary(cls, left.ssa, right.ssa, dtype))


def in_float(
    frame: Frame, dtype: DType, cls: type[Operation], left: Scalar, right: Scalar
) -> Scalar:
    """A float op; bf16 computes in f32 and rounds after each operation."""
    emit = frame.emit
    if dtype is not bf16:
        return Scalar(dtype, emit.binary(cls, left.ssa, right.ssa, dtype))
    a, b = (convert(emit, value.ssa, bf16, f32) for value in (left, right))
    return Scalar(bf16, convert(emit, emit.binary(cls, a, b, f32), f32, bf16))


def divide(frame: Frame, node: ast.AST, a: Value, b: Value) -> Scalar:
    """`/`: floats; integers divide as f32. Division by zero is IEEE's, no error."""
    left, right = meet(frame, node, a, b, "operands of /")
    if not left.dtype.is_float:
        left, right = to_type(frame, node, left, f32), to_type(frame, node, right, f32)
    return in_float(frame, left.dtype, arith.DivfOp, left, right)


def bitwise(
    frame: Frame, node: ast.AST, op: type[ast.operator], left: Scalar, right: Scalar
) -> Scalar:
    """`& | ^` on integers or bools."""
    if left.dtype.is_float:
        raise frame.refuse(
            node,
            f"operator {SYMBOLS[op]} needs integers or bools, got {left.dtype}",
            hint="cast with int(…)",
        )
    return Scalar(left.dtype, frame.emit.binary(BITWISE[op], left.ssa, right.ssa, left.dtype))


def unary(frame: Frame, node: ast.AST, op: type[ast.unaryop], value: Value) -> Value:
    """`-x`, `+x`, `~x`; `~` of a bool is `not`, as NumPy has it."""
    if op is ast.Invert and isinstance(value, Static) and isinstance(value.value, bool):
        return Static(not value.value)
    folded = fold(frame, node, op, value)
    if folded is not None:
        return folded
    _expect_numbers(frame, node, op, value)
    scalar = materialise(frame, node, value)
    dtype, emit = scalar.dtype, frame.emit
    if op is ast.Invert:
        if dtype.is_float:
            raise frame.refuse(node, f"operator ~ needs an integer or bool, got {dtype}")
        ones = emit.constant(1 if dtype is bool_ else -1, dtype)
        return Scalar(dtype, emit.binary(arith.XOrIOp, scalar.ssa, ones, dtype))
    if dtype is bool_:
        scalar = to_type(frame, node, scalar, i32)
        dtype = i32
    if op is ast.UAdd:
        return scalar
    if dtype.is_float:
        return Scalar(dtype, emit.unary(arith.NegfOp, scalar.ssa, dtype))
    zero = emit.constant(0, dtype)
    return Scalar(dtype, emit.binary(arith.SubiOp, zero, scalar.ssa, dtype))


def compare(frame: Frame, node: ast.AST, op: type[ast.cmpop], a: Value, b: Value) -> Value:
    """One comparison of two numbers or bools, or of constants of any type."""
    refuse_unasked(frame, node, a)
    refuse_unasked(frame, node, b)
    folded = fold(frame, node, op, a, b) or _fold_equality(op, a, b)
    if folded is not None:
        return folded
    _expect_numbers(frame, node, op, a, b)
    left, right = meet(frame, node, a, b, f"operands of {SYMBOLS[op]}")
    if left.dtype is bool_ and op not in (ast.Eq, ast.NotEq):
        left, right = to_type(frame, node, left, i32), to_type(frame, node, right, i32)
    if left.dtype is bf16:
        left, right = to_type(frame, node, left, f32), to_type(frame, node, right, f32)
    signed, unsigned, floats = COMPARISONS[op]
    if left.dtype.is_float:
        return Scalar(bool_, frame.emit.compare(floats, left.ssa, right.ssa, floats=True))
    predicate = signed if left.dtype.is_signed else unsigned
    return Scalar(bool_, frame.emit.compare(predicate, left.ssa, right.ssa, floats=False))


def _fold_equality(op: type[ast.cmpop], a: Value, b: Value) -> Value | None:
    """`mode == "fast"`, `x.dtype == np.float32`: constants that are no numbers."""
    if not isinstance(a, Static) or not isinstance(b, Static) or op not in (ast.Eq, ast.NotEq):
        return None
    if static_type(a.value) is not None and static_type(b.value) is not None:
        return None
    return Static(bool(PYTHON[op](a.value, b.value)))


def negate(frame: Frame, value: Value) -> Value:
    """`not` of a bool."""
    if isinstance(value, Static):
        return Static(not value.value)
    assert isinstance(value, Scalar) and value.dtype is bool_, "a bool"
    one = frame.emit.constant(True, bool_)
    return Scalar(bool_, frame.emit.binary(arith.XOrIOp, value.ssa, one, bool_))
