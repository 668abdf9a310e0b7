"""vector to llvm, what stays in registers: lanes put in, taken out, moved and combined.

    %v = vector.broadcast %x : f32 to vector<4xf32>
    %s = vector.reduction <add>, %v, %acc : vector<4xf32> into f32

    %0 = llvm.insertelement %x, %poison[%zero : i64] : vector<4xf32>
    %v = llvm.shufflevector %0, %poison [0, 0, 0, 0] : vector<4xf32>
    %s = llvm.intr.vector.reduce.fadd(%acc, %v) : (f32, vector<4xf32>) -> f32

What is done lane by lane needs nothing of its own: arith.py and math.py take vectors too. Vectors
have one dimension and a fixed length; those of `index` have the target's integers, those of bf16
have i16. Memory is in vector_memory.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects import vector
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    VectorType,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import llvm
from ...dialects.llvm.base import numbers
from ...dialects.vector import ConstantMaskOp, FromElementsOp, SplatOp, StepOp
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from .arith import extreme_number, fast_math
from .floats import is_small, narrow, widen
from .target import const, float_const, icmp

RULES = Rules()
converts = RULES.converts

DYNAMIC = -(2**63)
"""In the position of an extract or insert: the next operand."""


# --- into all lanes -------------------------------------------------------------------------------


@converts(vector.BroadcastOp, SplatOp)
def convert_broadcast(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """A constant stays one; else the first lane of a vector goes to all."""
    ((value,),) = operands
    kind = rw.type(op.results[0].type)
    if value.type == kind:
        return value
    if not llvm.is_vector(value.type):
        return splat(rw, value, llvm.lanes_of(kind))
    if llvm.lanes_of(value.type) != 1:
        raise CannotConvert(f"{op.operands[0].type} does not become {op.results[0].type}")
    return shuffle(rw, value, value, [0] * llvm.lanes_of(kind))


def splat(rw: Rewriter, value: SSAValue, count: int) -> SSAValue:
    """A scalar in every lane."""
    kind = VectorType(value.type, [count])
    if isinstance(value.owner, llvm.ConstantOp):
        number = value.owner.properties["value"]
        if isinstance(number, FloatAttr):
            return float_const(rw, number.value.data, kind)
        assert isinstance(number, IntegerAttr), "a scalar constant is a number"
        return const(rw, number.value.data, kind)
    first = rw.value(llvm.InsertElementOp, (_poison(rw, kind), value, const(rw, 0, i64)), kind)
    return shuffle(rw, first, _poison(rw, kind), [0] * count)


@converts(FromElementsOp)
def convert_elements(op: FromElementsOp, operands: Operands, rw: Rewriter) -> Results:
    """One lane after the other."""
    kind = rw.type(op.result.type)
    result = _poison(rw, kind)
    for lane, (value,) in enumerate(operands):
        result = rw.value(llvm.InsertElementOp, (result, value, const(rw, lane, i64)), kind)
    return result


def shuffle(rw: Rewriter, a: SSAValue, b: SSAValue, lanes: Sequence[int]) -> SSAValue:
    """Lanes of two vectors of one type side by side; -1 is any value."""
    kind = VectorType(llvm.element_type(a.type), [len(lanes)])
    return rw.value(llvm.ShuffleVectorOp, (a, b), kind, {"mask": numbers(lanes)})


def _poison(rw: Rewriter, kind: Attribute) -> SSAValue:
    return rw.value(llvm.PoisonOp, (), kind)


@converts(StepOp)
def convert_step(op: StepOp, operands: Operands, rw: Rewriter) -> Results:
    """The constant 0, 1, 2, …"""
    return step(rw, rw.type(op.result.type))


def step(rw: Rewriter, kind: Attribute) -> SSAValue:
    """Each lane's number, as integers."""
    vector_type = cast(VectorType[IntegerType], kind)
    value: Any = DenseIntOrFPElementsAttr.from_list(vector_type, list(range(llvm.lanes_of(kind))))
    return rw.value(llvm.ConstantOp, (), kind, {"value": value})


@converts(ConstantMaskOp)
def convert_constant_mask(op: ConstantMaskOp, operands: Operands, rw: Rewriter) -> Results:
    """A constant."""
    kind = rw.type(op.mask.type)
    (size,) = op.mask_dim_sizes.get_values()
    lanes = [int(lane < size) for lane in range(llvm.lanes_of(kind))]
    value: Any = DenseIntOrFPElementsAttr.from_list(cast(VectorType[IntegerType], kind), lanes)
    return rw.value(llvm.ConstantOp, (), kind, {"value": value})


@converts(vector.CreateMaskOp)
def convert_create_mask(op: vector.CreateMaskOp, operands: Operands, rw: Rewriter) -> Results:
    """The lanes below the size, which 32 bits hold once it is cut to the number of lanes."""
    ((size,),) = operands
    count = llvm.lanes_of(rw.type(op.results[0].type))
    least = rw.value(llvm.INTRINSICS["smin"], (size, const(rw, count, size.type)), size.type)
    least = rw.value(llvm.INTRINSICS["smax"], (least, const(rw, 0, size.type)), size.type)
    small = rw.value(llvm.TruncOp, (least,), i32)
    return icmp(rw, "slt", step(rw, VectorType(i32, [count])), splat(rw, small, count))


# --- single lanes ---------------------------------------------------------------------------------


def _position(
    op: vector.ExtractOp | vector.InsertOp, dynamic: Sequence[Sequence[SSAValue]], rw: Rewriter
) -> SSAValue | None:
    """The lane; None for the whole vector."""
    count = llvm.lanes_of(op.results[0].type if isinstance(op, vector.InsertOp) else op.vector.type)
    given = op.static_position.get_values()
    if not given:
        return None
    if given[0] == DYNAMIC:
        return dynamic[0][0]
    if not 0 <= given[0] < count:
        raise CannotConvert(f"lane {given[0]} of {count}")
    return const(rw, given[0], i64)


@converts(vector.ExtractOp)
def convert_extract(op: vector.ExtractOp, operands: Operands, rw: Rewriter) -> Results:
    """One lane."""
    (value,), *dynamic = operands
    lane = _position(op, dynamic, rw)
    if lane is None:
        return value
    return rw.value(llvm.ExtractElementOp, (value, lane), rw.type(op.result.type))


@converts(vector.InsertOp)
def convert_insert(op: vector.InsertOp, operands: Operands, rw: Rewriter) -> Results:
    """The vector with one lane replaced."""
    (value,), (into,), *dynamic = operands
    lane = _position(op, dynamic, rw)
    if lane is None:
        return value
    return rw.value(llvm.InsertElementOp, (into, value, lane), into.type)


@converts(vector.ShuffleOp)
def convert_shuffle(op: vector.ShuffleOp, operands: Operands, rw: Rewriter) -> Results:
    """Any lanes of two vectors; the shorter one is made as long as the other."""
    (a,), (b,) = operands
    first, second = llvm.lanes_of(a.type), llvm.lanes_of(b.type)
    longest = max(first, second)
    lanes = [
        int(lane) + longest - first if lane >= first else int(lane) for lane in op.mask.get_values()
    ]
    a, b = (_lengthened(rw, value, longest) for value in (a, b))
    return shuffle(rw, a, b, lanes)


def _lengthened(rw: Rewriter, value: SSAValue, count: int) -> SSAValue:
    own = llvm.lanes_of(value.type)
    if own == count:
        return value
    lanes = [*range(own), *[-1] * (count - own)]
    return shuffle(rw, value, _poison(rw, value.type), lanes)


@converts(vector.BitcastOp)
def convert_bitcast(op: vector.BitcastOp, operands: Operands, rw: Rewriter) -> Results:
    """The same bits, in as many lanes as they make."""
    ((value,),) = operands
    kind = rw.type(op.result.type)
    return value if value.type == kind else rw.value(llvm.BitcastOp, (value,), kind)


@converts(vector.FMAOp)
def convert_fma(op: vector.FMAOp, operands: Operands, rw: Rewriter) -> Results:
    """Product and sum, rounded once."""
    values = [value for (value,) in operands]
    kind = op.res.type
    if is_small(kind):
        values = [widen(rw, value, kind) for value in values]
    result = rw.value(llvm.INTRINSICS["fma"], values, values[0].type)
    return narrow(rw, result, kind) if is_small(kind) else result


# --- reductions -----------------------------------------------------------------------------------

# Kind: the intrinsic, and the op that adds one more value to its result.
_INTEGERS: dict[str, tuple[str, type[Operation]]] = {
    "add": ("add", llvm.AddOp),
    "mul": ("mul", llvm.MulOp),
    "and": ("and", llvm.AndOp),
    "or": ("or", llvm.OrOp),
    "xor": ("xor", llvm.XorOp),
    "minsi": ("smin", llvm.INTRINSICS["smin"]),
    "maxsi": ("smax", llvm.INTRINSICS["smax"]),
    "minui": ("umin", llvm.INTRINSICS["umin"]),
    "maxui": ("umax", llvm.INTRINSICS["umax"]),
}
_FLOATS: dict[str, tuple[str, type[Operation]]] = {
    "minimumf": ("fminimum", llvm.INTRINSICS["minimum"]),
    "maximumf": ("fmaximum", llvm.INTRINSICS["maximum"]),
}
# Kind: the intrinsic, which begins with a value, and the value that changes nothing.
_SUMS = {"add": ("fadd", -0.0), "mul": ("fmul", 1.0)}
_NUMBERS = {"minnumf": True, "maxnumf": False}


@converts(vector.ReductionOp)
def convert_reduction(op: vector.ReductionOp, operands: Operands, rw: Rewriter) -> Results:
    """One value of all lanes and of the accumulator, where there is one."""
    values = [value for (value,) in operands]
    kind, word = op.dest.type, op.kind.data.value
    if not is_small(kind):
        return _reduced(rw, op, word, values)
    wide = [widen(rw, value, kind) for value in values]
    return narrow(rw, _reduced(rw, op, word, wide), kind)


def _reduced(rw: Rewriter, op: vector.ReductionOp, word: str, values: list[SSAValue]) -> SSAValue:
    lanes, rest = values[0], values[1:]
    kind, flags = llvm.element_type(lanes.type), fast_math(op)
    is_float = not isinstance(kind, IntegerType)
    if is_float and word in _SUMS:
        name, neutral = _SUMS[word]
        start = rest[0] if rest else float_const(rw, neutral, kind)
        return rw.value(llvm.INTRINSICS[f"vector.reduce.{name}"], (start, lanes), kind, flags)
    if is_float and word in _NUMBERS:
        result = _extreme(rw, _NUMBERS[word], lanes)
        return extreme_number(rw, _NUMBERS[word], result, rest[0]) if rest else result
    table = _FLOATS if is_float else _INTEGERS
    if word not in table:
        raise CannotConvert(f"{word} of lanes of type {op.dest.type}")
    name, combine = table[word]
    result = rw.value(llvm.INTRINSICS[f"vector.reduce.{name}"], (lanes,), kind, flags)
    return rw.value(combine, (result, rest[0]), kind, flags) if rest else result


def _extreme(rw: Rewriter, least: bool, lanes: SSAValue) -> SSAValue:
    """The smallest (or largest) number, by halves; of an odd number of lanes one is taken twice."""
    count = llvm.lanes_of(lanes.type)
    while count > 1:
        half = (count + 1) // 2
        low = shuffle(rw, lanes, lanes, range(half))
        high = shuffle(rw, lanes, lanes, range(count - half, count))
        lanes = extreme_number(rw, least, low, high)
        count = half
    return rw.value(
        llvm.ExtractElementOp, (lanes, const(rw, 0, i64)), llvm.element_type(lanes.type)
    )
