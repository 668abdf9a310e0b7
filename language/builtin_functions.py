"""Python's built-in functions in a kernel."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from xdsl.dialects import arith, math

from .arrays import dimension
from .choices import choose
from .convert import convert, materialise, meet, number_type, to_type, truth
from .functions import Function
from .operators import binary, compare
from .promotion import settle
from .reports import print_call
from .types import bool_, f32, i32
from .typing_of import describe
from .values import (
    Combined,
    RangeValue,
    RecordView,
    Scalar,
    Static,
    TupleValue,
    Value,
    View,
    unpacked,
)

if TYPE_CHECKING:
    from .frame import Frame


def _range(frame: Frame, node: ast.AST, *bounds: Value) -> Value:
    if not 1 <= len(bounds) <= 3:
        raise frame.refuse(node, f"range takes 1 to 3 arguments, got {len(bounds)}")
    for bound in bounds:
        dtype = number_type(frame, node, bound)
        if not dtype.is_integer:
            raise frame.refuse(
                node, f"range takes integers, got {describe(bound)}", hint="cast it with int(…)"
            )
    start, stop = (Static(0), bounds[0]) if len(bounds) == 1 else bounds[:2]
    step = bounds[2] if len(bounds) == 3 else Static(1)
    if isinstance(step, Static) and step.value == 0:
        raise frame.refuse(node, "range() step is zero")
    return RangeValue(start, stop, step)


def _len(frame: Frame, node: ast.AST, value: Value) -> Value:
    if isinstance(value, (View, RecordView)):
        return dimension(frame, value, 0)
    items = unpacked(value)
    if items is not None:
        return Static(len(items))
    if isinstance(value, Static) and isinstance(value.value, str):
        return Static(len(value.value))
    raise frame.refuse(node, f"len() of {describe(value)}")


def items_of(frame: Frame, node: ast.AST, values: Sequence[Value], name: str) -> list[Value]:
    """The operands of `min(a, b)` or `min(tuple)`."""
    if len(values) == 1:
        only = values[0]
        if isinstance(only, TupleValue):
            return list(only.items)
        hint = "write a loop" if isinstance(only, View) else None
        raise frame.refuse(
            node, f"{name} takes several numbers or a tuple, got {describe(only)}", hint=hint
        )
    return list(values)


def _extreme(op: type[ast.cmpop], frame: Frame, node: ast.AST, *values: Value) -> Value:
    """Python's rule: the first of equals, and of a NaN and a number the one that came first."""
    name = "min" if op is ast.Lt else "max"
    items = items_of(frame, node, values, name)
    if not items:
        raise frame.refuse(node, f"{name} of nothing")
    best = items[0]
    for item in items[1:]:
        test = compare(frame, node, op, item, best)
        if isinstance(test, Static):
            best = item if test.value else best
            continue
        left, right = meet(frame, node, item, best)
        if left.dtype.is_integer:
            classes = (arith.MinSIOp, arith.MinUIOp) if op is ast.Lt else _MAX
            cls = classes[0 if left.dtype.is_signed else 1]
            best = Scalar(left.dtype, frame.emit.binary(cls, left.ssa, right.ssa, left.dtype))
            continue
        assert isinstance(test, Scalar), "a comparison gives a bool"
        best = Scalar(left.dtype, frame.emit.select(test.ssa, left.ssa, right.ssa, left.dtype))
    return best


_MAX = (arith.MaxSIOp, arith.MaxUIOp)


def absolute(frame: Frame, node: ast.AST, x: Value) -> Value:
    """The absolute value; the smallest integer of a type stays as it is (it wraps)."""
    scalar = materialise(frame, node, x)
    dtype, emit = scalar.dtype, frame.emit
    if dtype is bool_:
        return to_type(frame, node, scalar, i32)
    if dtype.kind == "uint":
        return scalar
    if dtype.is_signed:
        return Scalar(dtype, emit.unary(math.AbsIOp, scalar.ssa, dtype))
    if dtype.name == "bf16":
        wide = convert(emit, scalar.ssa, dtype, f32)
        return Scalar(dtype, convert(emit, emit.unary(math.AbsFOp, wide, f32), f32, dtype))
    return Scalar(dtype, emit.unary(math.AbsFOp, scalar.ssa, dtype))


def _round(frame: Frame, node: ast.AST, number: Value) -> Value:
    """To the nearest integer, ties to even; an i32, as Python's gives an int."""
    dtype = settle(number_type(frame, node, number))
    if not dtype.is_float:
        return materialise(frame, node, number)
    from .math_functions import unary_op

    rounded = unary_op(math.RoundEvenOp, frame, node, number)
    assert isinstance(rounded, Scalar), "an op gives a run-time value"
    return Scalar(i32, convert(frame.emit, rounded.ssa, rounded.dtype, i32))


def _sum(frame: Frame, node: ast.AST, items: Value, start: Value | None = None) -> Value:
    total = start or Static(0)
    for item in items_of(frame, node, [items], "sum"):
        total = binary(frame, node, ast.Add, total, item)
    return total


def _divmod(frame: Frame, node: ast.AST, a: Value, b: Value) -> Value:
    return TupleValue((binary(frame, node, ast.FloorDiv, a, b), binary(frame, node, ast.Mod, a, b)))


def _pow(frame: Frame, node: ast.AST, base: Value, exp: Value, mod: Value | None = None) -> Value:
    if mod is not None:
        raise frame.refuse(node, "pow with a modulus is not in the language")
    return binary(frame, node, ast.Pow, base, exp)


def _vote(is_any: bool, frame: Frame, node: ast.AST, items: Value) -> Value:
    """`any` and `all` of a tuple."""
    if not isinstance(items, TupleValue):
        raise frame.refuse(
            node,
            f"{'any' if is_any else 'all'} takes a tuple, got {describe(items)}",
            hint="sw.any(p) and sw.all(p) ask the lanes of the subgroup",
        )
    result: Value = Static(not is_any)
    for item in items.items:
        test, known = truth(frame, node, item), result
        if isinstance(known, Static):
            result = test if bool(known.value) is not is_any else known
        elif isinstance(test, Static):
            result = test if bool(test.value) is is_any else known
        elif is_any:
            result = choose(frame, known, lambda: Static(True), lambda test=test: test)
        else:
            result = choose(frame, known, lambda test=test: test, lambda: Static(False))
    return result


def _zip(frame: Frame, node: ast.AST, *parts: Value, strict: Value | None = None) -> Value:
    if not parts:
        raise frame.refuse(node, "zip of nothing")
    return Combined("zip", parts)


def _enumerate(frame: Frame, node: ast.AST, iterable: Value, start: Value | None = None) -> Value:
    return Combined("enumerate", (iterable, start or Static(0)))


def _reversed(frame: Frame, node: ast.AST, sequence: Value) -> Value:
    if isinstance(sequence, TupleValue):
        return TupleValue(tuple(reversed(sequence.items)))
    return Combined("reversed", (sequence,))


def _tuple(frame: Frame, node: ast.AST, iterable: Value) -> Value:
    items = unpacked(iterable)
    if items is None:
        raise frame.refuse(node, f"tuple() of {describe(iterable)}, expected a tuple")
    return TupleValue(items)


def _ord(frame: Frame, node: ast.AST, c: Value) -> Value:
    """A constant; text of kernels is arrays of bytes."""
    if isinstance(c, Static) and isinstance(c.value, str | bytes) and len(c.value) == 1:
        return Static(ord(c.value))
    raise frame.refuse(node, f"ord takes a constant of one character, got {describe(c)}")


BUILTINS: dict[str, Function] = {
    "range": Function("range", _range, many=True),
    "len": Function("len", _len, ("value",)),
    "min": Function("min", partial(_extreme, ast.Lt), many=True, folds=builtins.min),
    "max": Function("max", partial(_extreme, ast.Gt), many=True, folds=builtins.max),
    "abs": Function("abs", absolute, ("x",), folds=builtins.abs),
    "round": Function("round", _round, ("number",), folds=builtins.round),
    "sum": Function("sum", _sum, ("items", "start"), ("start",)),
    "divmod": Function("divmod", _divmod, ("a", "b")),
    "pow": Function("pow", _pow, ("base", "exp", "mod"), ("mod",)),
    "any": Function("any", partial(_vote, True), ("items",)),
    "all": Function("all", partial(_vote, False), ("items",)),
    "zip": Function("zip", _zip, optional=("strict",), many=True),
    "enumerate": Function("enumerate", _enumerate, ("iterable", "start"), ("start",)),
    "reversed": Function("reversed", _reversed, ("sequence",)),
    "tuple": Function("tuple", _tuple, ("iterable",)),
    "ord": Function("ord", _ord, ("c",)),
    "print": Function("print", print_call, optional=("sep", "end"), many=True),
}
