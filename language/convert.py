"""Values from one type to another: casts, what a store may do, and literals that take a type.

Casts that a program writes (`sw.i32(x)`) may go between any two types; float to integer rounds
towards zero and saturates, NaN gives 0. A store (also: giving a variable, parameter or field its
value) stays within its kind: integers wrap to the width, floats round, integers become floats, and
a float becomes an integer only by a cast.
"""

from __future__ import annotations

import ast
import math as python_math
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from ..dialects import marks
from ..dialects.predicates import NE
from .emitter import FIRST_INFINITE, I32, I64, REGISTER, Emitter
from .promotion import WEAK, WEAK_FLOAT, promote, settle
from .types import (
    DTYPES,
    DType,
    MatrixType,
    StructType,
    TupleType,
    Type,
    as_float,
    bool_,
    f32,
    i32,
    i64,
    index,
)
from .typing_of import describe, static_type, type_of
from .values import Scalar, Static, StructValue, TupleValue, Value, Weak, is_numpy_scalar
from .vendor import is_unasked

if TYPE_CHECKING:
    from .frame import Frame

OEQ, OGT, OGE, OLT, OLE = range(1, 6)
UNE, UNO = 13, 14
"""Predicates of `arith.cmpf`."""


def integer_range(dtype: DType) -> tuple[int, int]:
    """The smallest and largest value of an integer type."""
    if dtype.is_signed:
        return -(1 << (dtype.bits - 1)), (1 << (dtype.bits - 1)) - 1
    return 0, (1 << dtype.bits) - 1


def materialise(frame: Frame, node: ast.AST, value: Value, dtype: DType | None = None) -> Scalar:
    """`value` as a run-time scalar; a literal takes type `dtype`, or i32 or f32."""
    if isinstance(value, Scalar):
        number_type(frame, node, value)
        return value
    if isinstance(value, Weak):
        to = dtype or settle(value.dtype)
        return Scalar(to, value.build(to))
    found = static_type(value.value) if isinstance(value, Static) else None
    if found is None:
        raise frame.refuse(
            node, f"expected a number or bool, got {describe(value)}", hint=_number_hint(value)
        )
    to = dtype if dtype is not None and found in WEAK else settle(found)
    return Scalar(to, frame.emit.constant(_fitting(frame, node, cast(Static, value).value, to), to))


def _number_hint(value: Value) -> str | None:
    if isinstance(value, Static) and callable(value.value):
        return "call it"
    if type(value).__name__ in ("View", "RecordView"):
        return "index one element, as in x[i]; operations on whole arrays are not in the language"
    return None


def _fitting(frame: Frame, node: ast.AST, value: Any, dtype: DType) -> int | float:
    """A constant as a Python number that `dtype` can say."""
    if dtype.is_float:
        return _fitting_float(frame, node, value, dtype)
    if dtype is bool_:
        return bool(value)
    low, high = integer_range(dtype)
    if not low <= int(value) <= high:
        literal = not is_numpy_scalar(value)
        raise frame.refuse(
            node,
            f"{int(value)} does not fit {dtype} ({low} to {high})",
            hint=f"write sw.i64({value}) or cast the other operand to a wider type"
            if literal and dtype.bits < 64
            else None,
        )
    return int(value)


def _fitting_float(frame: Frame, node: ast.AST, value: Any, dtype: DType) -> float:
    number = as_float(value, dtype)
    finite = isinstance(value, int) or python_math.isfinite(number)
    if finite and abs(number) >= FIRST_INFINITE[dtype]:
        text = str(value) if len(str(value)) < 25 else "the constant"
        raise frame.refuse(
            node, f"{text} does not fit {dtype}", hint="math.inf says infinity; f64 reaches further"
        )
    return number


def meet(
    frame: Frame, node: ast.AST, a: Value, b: Value, what: str = "operands"
) -> tuple[Scalar, Scalar]:
    """Both values as scalars of the type in which they meet."""
    left, right = number_type(frame, node, a), number_type(frame, node, b)
    common = promote(left, right)
    if common is None:
        raise frame.refuse(
            node,
            f"{what} of types {left} and {right} have no common type",
            hint=f"cast one of them, as in sw.{left}(…) or sw.{right}(…)",
        )
    common = settle(common)
    if common is DTYPES["index"] and (_is_past_index(a) or _is_past_index(b)):
        common = DTYPES["i64"]
    return to_type(frame, node, a, common), to_type(frame, node, b, common)


def _is_past_index(value: Value) -> bool:
    """Whether a literal needs more than the 32 bits that an index has on every device."""
    number = value.value if isinstance(value, Static) else 0
    return isinstance(number, int) and not -(1 << 31) <= number < 1 << 31


def number_type(frame: Frame, node: ast.AST, value: Value) -> DType:
    """The type of a number or bool; a located error for anything else."""
    found = type_of(value)
    if not isinstance(found, DType) or isinstance(found, MatrixType):
        raise frame.refuse(
            node, f"expected a number or bool, got {describe(value)}", hint=_number_hint(value)
        )
    return found


def to_type(frame: Frame, node: ast.AST, value: Value, dtype: DType) -> Scalar:
    """`value` as a scalar of `dtype`, by a promotion (no check that it is one)."""
    if isinstance(value, Static) and static_type(value.value) in WEAK:
        if static_type(value.value) is WEAK_FLOAT and not dtype.is_float:
            return cast_to(frame, node, value, dtype)
        return materialise(frame, node, value, dtype)
    scalar = materialise(frame, node, value, dtype)
    return Scalar(dtype, convert(frame.emit, scalar.ssa, scalar.dtype, dtype))


def store_as(frame: Frame, node: ast.AST, value: Value, dtype: DType, where: str) -> Scalar:
    """`value` as what a place of type `dtype` takes; refuses a change of kind."""
    source = number_type(frame, node, value)
    if source.is_float and not dtype.is_float:
        raise frame.refuse(
            node,
            f"{where} has type {dtype}, the value {describe(value)} is a float: needs a cast",
            hint=f"write sw.{dtype}(…), which rounds towards zero"
            if dtype is not bool_
            else "write a comparison, such as value != 0",
        )
    if dtype is bool_ and source is not bool_:
        raise frame.refuse(
            node,
            f"{where} has type bool, the value is {describe(value)}: needs a cast",
            hint="write bool(…) or a comparison, such as value != 0",
        )
    return to_type(frame, node, value, dtype)


def store_value(frame: Frame, node: ast.AST, value: Value, type_: Type, where: str) -> Value:
    """`value` as what a place of any type takes, tuples and structs field by field."""
    if isinstance(type_, MatrixType) and isinstance(value, Scalar) and value.dtype is type_:
        return value
    if isinstance(type_, DType) and not isinstance(type_, MatrixType):
        return store_as(frame, node, value, type_, where)
    if isinstance(type_, TupleType) and isinstance(value, TupleValue):
        if len(type_.items) == len(value.items):
            pairs = zip(value.items, type_.items, strict=True)
            return TupleValue(tuple(store_value(frame, node, v, t, where) for v, t in pairs))
    elif isinstance(type_, StructType) and isinstance(value, StructValue):
        names = [field.name for field in type_.fields]
        if names == list(value.fields):
            fields = {
                field.name: store_value(
                    frame, node, value.fields[field.name], field.type, f"{where}.{field.name}"
                )
                for field in type_.fields
            }
            return StructValue(type_, fields, value.owner)
    raise frame.refuse(node, f"{where} has type {type_}, got {describe(value)}")


def truth(frame: Frame, node: ast.AST, value: Value) -> Value:
    """Whether a number is not zero, as `if` and `not` ask; known now for a constant."""
    if isinstance(value, Static):
        refuse_unasked(frame, node, value)
        return Static(bool(value.value))
    if isinstance(value, TupleValue):
        return Static(bool(value.items))
    scalar = materialise(frame, node, value)
    return Scalar(bool_, convert(frame.emit, scalar.ssa, scalar.dtype, bool_))


def refuse_unasked(frame: Frame, node: ast.AST, value: Value) -> None:
    """`if sw.target.nvidia:` would always hold, `sw.target == "cuda"` never."""
    if isinstance(value, Static) and is_unasked(value.value):
        raise frame.refuse(
            node,
            "sw.target is asked by a call or by its name",
            hint='write sw.target.nvidia() or sw.target.name == "cuda"',
        )


def cast_to(frame: Frame, node: ast.AST, value: Value, dtype: DType) -> Scalar:
    """An explicit cast, between any two types."""
    if isinstance(value, Static) and isinstance(value.value, (int, float)):
        number = value.value
        if isinstance(number, float) and not dtype.is_float and dtype is not bool_:
            return Scalar(dtype, frame.emit.constant(saturate(number, dtype), dtype))
        return Scalar(dtype, frame.emit.constant(number, dtype))
    found = number_type(frame, node, value)
    if isinstance(value, Weak):
        value = Scalar(settle(found), value.build(settle(found)))
    scalar = materialise(frame, node, value)
    return Scalar(dtype, convert(frame.emit, scalar.ssa, scalar.dtype, dtype))


def saturate(number: float, dtype: DType) -> int:
    """What a cast of a float constant to an integer type gives."""
    low, high = integer_range(dtype)
    if python_math.isnan(number):
        return 0
    if python_math.isinf(number):
        return high if number > 0 else low
    return max(low, min(high, int(number)))


def convert(emit: Emitter, value: SSAValue, source: DType, to: DType) -> SSAValue:
    """Ops that turn a value of one type into the other."""
    if source is to:
        return value
    if to is bool_:
        zero = emit.constant(0, source)
        return emit.compare(UNE if source.is_float else NE, value, zero, floats=source.is_float)
    if source.is_float:
        if to.is_float:
            return _float_to_float(emit, value, source, to)
        return _float_to_integer(emit, value, source, to)
    if to.is_float:
        return _integer_to_float(emit, value, source, to)
    return _integer_to_integer(emit, value, source, to)


def _integer_to_integer(emit: Emitter, value: SSAValue, source: DType, to: DType) -> SSAValue:
    if source is index:
        return emit.add(arith.IndexCastOp, (value,), (_integer(to),))
    if to is index:
        if source.is_signed or source.bits == 64:
            return emit.add(arith.IndexCastOp, (value,), (_integer(index, register=True),))
        # index_cast would extend the sign of an unsigned type.
        wide, type_ = (i32, I32) if source.bits < 32 else (i64, I64)
        extended = emit.add(arith.ExtUIOp, (value,), (type_,))
        return _integer_to_integer(emit, extended, wide, index)
    if source.bits == to.bits:
        return value
    if source.bits > to.bits:
        return emit.unary(arith.TruncIOp, value, to)
    return emit.unary(arith.ExtSIOp if source.is_signed else arith.ExtUIOp, value, to)


def _integer(dtype: DType, *, register: bool = False) -> Any:
    return REGISTER[dtype] if register or dtype is not index else I64


def _integer_to_float(emit: Emitter, value: SSAValue, source: DType, to: DType) -> SSAValue:
    if source is index:
        value, source = emit.add(arith.IndexCastOp, (value,), (I64,)), i64
    if source is bool_:
        value, source = emit.unary(arith.ExtUIOp, value, i32), i32
    return emit.unary(arith.SIToFPOp if source.is_signed else arith.UIToFPOp, value, to)


def _float_to_float(emit: Emitter, value: SSAValue, source: DType, to: DType) -> SSAValue:
    if source.bits == to.bits:
        return _float_to_float(emit, _float_to_float(emit, value, source, f32), f32, to)
    cls: type[Operation] = arith.ExtFOp if source.bits < to.bits else arith.TruncFOp
    return emit.unary(cls, value, to)


def _float_to_integer(emit: Emitter, value: SSAValue, source: DType, to: DType) -> SSAValue:
    """The conversion op is undefined outside its range, so it gets 0 there and selects follow."""
    if source.bits == 16:  # whose range is smaller than that of an integer
        return _float_to_integer(emit, convert(emit, value, source, f32), f32, to)
    if to is index:
        return convert(emit, _float_to_integer(emit, value, source, i64), i64, index)
    low, high = integer_range(to)
    bottom, top = emit.constant(float(low), source), emit.constant(float(high + 1), source)
    at_least = emit.compare(OGE, value, bottom, floats=True)
    below = emit.compare(OLT, value, top, floats=True)
    inside = emit.binary(arith.AndIOp, at_least, below, bool_)
    safe = emit.select(inside, value, emit.constant(0.0, source), source)
    cls = arith.FPToSIOp if to.is_signed else arith.FPToUIOp
    number = emit.unary(cls, safe, to, mark=marks.IN_RANGE)
    over = emit.compare(OGE, value, top, floats=True)
    number = emit.select(over, emit.constant(high, to), number, to)
    if low == 0:
        return number
    under = emit.compare(OLT, value, bottom, floats=True)
    return emit.select(under, emit.constant(low, to), number, to)


def to_index(frame: Frame, node: ast.AST, value: Value, what: str) -> SSAValue:
    """An integer as `index`; a located error for anything else."""
    dtype = type_of(value)
    if not isinstance(dtype, DType) or not dtype.is_integer:
        raise frame.refuse(
            node,
            f"{what} must be an integer, got {describe(value)}",
            hint="cast it with int(…)" if isinstance(dtype, DType) else _number_hint(value),
        )
    return to_type(frame, node, value, DTYPES["index"]).ssa
