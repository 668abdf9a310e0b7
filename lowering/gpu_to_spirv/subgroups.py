"""Subgroup ops: group operations among the active invocations.

    %r = gpu.subgroup_reduce add %v : (i32) -> i32
    %r = spirv.GroupNonUniformIAdd <Subgroup> <Reduce> %v : i32 -> i32

Minima and maxima of floats are those of integers in the same order (-0 below +0), since devices
choose as they like between zeros and about NaN. A lane that is asked for and not there gives the
asking lane its own value, as on every device: one past the end of the block, or, where lanes go
different ways, one that a ballot does not find.
"""

from __future__ import annotations

from xdsl.dialects import scf
from xdsl.dialects.builtin import VectorType, i1, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpu, gpux, spirv
from ...passes.analyses.uniform_lanes import Uniform
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from .build import (
    as_bits,
    binary,
    bitcast,
    bits,
    both,
    compare,
    const,
    extract,
    is_integer,
    op,
    resize,
    select,
    state_of,
)
from .ids import block_threads, builtin

RULES = Rules()
converts = RULES.converts

_INTEGER = {
    "add": "IAdd", "mul": "IMul", "minsi": "SMin", "minui": "UMin", "maxsi": "SMax",
    "maxui": "UMax", "and": "BitwiseAnd", "or": "BitwiseOr", "xor": "BitwiseXor",
}  # fmt: skip
_FLOAT = {"add": "FAdd", "mul": "FMul"}
_BOOL = {"and": "LogicalAnd", "or": "LogicalOr", "xor": "LogicalXor"}
_EXTREMES = {"minimumf": "SMin", "maximumf": "SMax", "minnumf": "SMin", "maxnumf": "SMax"}
_SCOPE = {"execution_scope": spirv.ScopeAttr("Subgroup")}


def _need(rw: Rewriter, capability: str, what: str) -> None:
    if not state_of(rw).target.has(capability):
        raise CannotConvert(f"{what} needs {capability}, which this device does not have")


def _need_type(rw: Rewriter, kind: Attribute) -> None:
    if kind != i1 and bits(kind) != 32:
        _need(rw, "subgroup_extended_types", f"a subgroup operation on {kind}")


def _group(rw: Rewriter, name: str, how: str, value: SSAValue) -> SSAValue:
    """One arithmetic group operation; `how` is Reduce, InclusiveScan or ExclusiveScan."""
    _need(rw, "subgroup_arithmetic", "a reduction or scan of a subgroup")
    _need_type(rw, value.type)
    properties = {**_SCOPE, "group_operation": spirv.GroupOperationAttr(how)}
    return rw.value(spirv.OPS[f"GroupNonUniform{name}"], (value,), value.type, properties)


def _combined(rw: Rewriter, kind: str, how: str, value: SSAValue) -> SSAValue:
    """A reduction or scan of any kind."""
    if value.type == i1 and kind in _BOOL:
        return _group(rw, _BOOL[kind], how, value)
    if is_integer(value.type):
        if kind in _INTEGER:
            return _group(rw, _INTEGER[kind], how, value)
    elif kind in _FLOAT:
        return _group(rw, _FLOAT[kind], how, value)
    elif kind in _EXTREMES:
        return _extreme(rw, kind, how, value)
    raise CannotConvert(f"a subgroup {kind} of {value.type}")


def _ordered(rw: Rewriter, word: SSAValue) -> SSAValue:
    """Bits of a float as an integer of the same order, and back: its own inverse."""
    width = bits(word.type)
    sign = binary(rw, "ShiftRightArithmetic", word, width - 1)
    return binary(rw, "BitwiseXor", word, binary(rw, "BitwiseAnd", sign, (1 << (width - 1)) - 1))


def _extreme(rw: Rewriter, kind: str, how: str, value: SSAValue) -> SSAValue:
    """The least or greatest float; `minimumf` and `maximumf` give NaN where a lane has one."""
    nan = op(rw, "IsNan", (value,), i1)
    order = _ordered(rw, as_bits(rw, value))
    width = bits(value.type)
    least = kind.startswith("min")
    last = (1 << (width - 1)) - 1 if least else -(1 << (width - 1))  # past every number: a NaN
    order = select(rw, nan, const(rw, last, order.type), order)
    found = _group(rw, _EXTREMES[kind], how, order)
    result = bitcast(rw, _ordered(rw, found), value.type)
    if kind.endswith("numf"):
        return result
    number = resize(rw, nan, i32, signed=False)
    any_nan = compare(rw, "INotEqual", _group(rw, "BitwiseOr", how, number), 0)
    nothing = both(
        rw, compare(rw, "IEqual", found, last), op(rw, "LogicalNot", (any_nan,), i1)
    )  # before the first lane of an exclusive scan
    infinity = const(rw, float("inf") if least else float("-inf"), value.type)
    result = select(rw, nothing, infinity, result)
    return select(rw, any_nan, const(rw, float("nan"), value.type), result)


@converts(gpu.SubgroupReduceOp)
def convert_reduce(op_: gpu.SubgroupReduceOp, operands: Operands, rw: Rewriter) -> Results:
    """All active lanes get the result."""
    ((value,),) = operands
    return _combined(rw, op_.op.data.value, "Reduce", value)


@converts(gpux.SubgroupScanOp)
def convert_scan(op_: gpux.SubgroupScanOp, operands: Operands, rw: Rewriter) -> Results:
    """Each lane gets the result of those before it (and itself)."""
    ((value,),) = operands
    how = "InclusiveScan" if op_.mode.data == "inclusive" else "ExclusiveScan"
    return _combined(rw, op_.kind.data, how, value)


def ballot(rw: Rewriter, predicate: SSAValue) -> tuple[SSAValue, SSAValue]:
    """The bits of lanes 0 to 31 and of lanes 32 to 63."""
    _need(rw, "subgroup_ballot", "a ballot")
    kind = VectorType(i32, [4])
    bits_ = rw.value(spirv.OPS["GroupNonUniformBallot"], (predicate,), kind, _SCOPE)
    return extract(rw, bits_, 0), extract(rw, bits_, 1)


@converts(gpux.BallotOp)
def convert_ballot(op_: gpux.BallotOp, operands: Operands, rw: Rewriter) -> Results:
    """Two words as one integer, or one of them."""
    ((predicate,),) = operands
    if op_.result.type == i32:
        return ballot(rw, predicate)[op_.first_lane // 32]
    low, high = (resize(rw, part, i64, signed=False) for part in ballot(rw, predicate))
    return binary(rw, "BitwiseOr", low, binary(rw, "ShiftLeftLogical", high, 32))


@converts(gpu.ShuffleOp)
def convert_shuffle(op_: gpu.ShuffleOp, operands: Operands, rw: Rewriter) -> Results:
    """The value of another lane among `width` neighbours, and whether that lane is there."""
    (value,), (offset,), (width,) = operands
    _need(rw, "subgroup_shuffle", "a shuffle")
    lane = builtin(rw, "SubgroupLocalInvocationId")
    own = binary(rw, "BitwiseAnd", lane, binary(rw, "ISub", width, 1))
    mode = op_.mode.data.value
    place = {
        "xor": lambda: binary(rw, "BitwiseXor", own, offset),
        "up": lambda: binary(rw, "ISub", own, offset),
        "down": lambda: binary(rw, "IAdd", own, offset),
        "idx": lambda: offset,
    }[mode]()
    other = binary(rw, "IAdd", binary(rw, "ISub", lane, own), place)
    valid = both(rw, compare(rw, "ULessThan", place, width), _is_there(rw, op_, other, lane))
    return [_from_lane(rw, value, select(rw, valid, other, lane)), valid]


def _is_there(rw: Rewriter, op_: gpu.ShuffleOp, other: SSAValue, lane: SSAValue) -> SSAValue:
    """Whether another lane of the subgroup runs the op too."""
    if op_ in state_of(rw).met_by_all:
        first = binary(rw, "ISub", builtin(rw, "LocalInvocationId", 0), lane)
        return compare(rw, "ULessThan", binary(rw, "IAdd", first, other), block_threads(rw))
    words = ballot(rw, const(rw, True, i1))
    bit = binary(rw, "ShiftLeftLogical", const(rw, 1, i32), binary(rw, "BitwiseAnd", other, 31))
    low, high = (compare(rw, "INotEqual", binary(rw, "BitwiseAnd", w, bit), 0) for w in words)
    if state_of(rw).target.subgroup_size <= 32:
        return low
    return select(rw, compare(rw, "ULessThan", other, 32), low, high)


def met_by_all(kernel: gpu.FuncOp) -> set[Operation]:
    """The shuffles that all lanes of each subgroup run together."""
    shuffles = [op for op in kernel.walk() if isinstance(op, gpu.ShuffleOp)]
    uniform = Uniform(kernel)
    return {op for op in shuffles if _is_met_by_all(op, kernel, uniform)}


def _is_met_by_all(op: Operation, kernel: gpu.FuncOp, uniform: Uniform) -> bool:
    around = op.parent_op()
    while around is not kernel:
        match around:
            case scf.IfOp():
                together = uniform(around.cond)
            case scf.IndexSwitchOp():
                together = uniform(around.arg)
            case scf.ForOp():
                together = all(map(uniform, (around.lb, around.ub, around.step)))
            case scf.WhileOp():
                together = uniform.loop(around)
            case _:
                return False
        if not together:
            return False
        around = around.parent_op()
    return True


def _from_lane(rw: Rewriter, value: SSAValue, lane: SSAValue) -> SSAValue:
    """A shuffle; of 64 bits as two words where the device has no other."""
    if value.type == i1:
        number = _from_lane(rw, resize(rw, value, i32, signed=False), lane)
        return compare(rw, "INotEqual", number, 0)
    if bits(value.type) == 64 and not state_of(rw).target.has("subgroup_extended_types"):
        whole = as_bits(rw, value)
        high = resize(rw, binary(rw, "ShiftRightLogical", whole, 32), i32, signed=False)
        low = resize(rw, whole, i32, signed=False)
        low, high = (
            resize(rw, _from_lane(rw, part, lane), i64, signed=False) for part in (low, high)
        )
        joined = binary(rw, "BitwiseOr", low, binary(rw, "ShiftLeftLogical", high, 32))
        return bitcast(rw, joined, value.type)
    _need_type(rw, value.type)
    name = spirv.OPS["GroupNonUniformShuffle"]
    return rw.value(name, (value, lane), value.type, _SCOPE)
