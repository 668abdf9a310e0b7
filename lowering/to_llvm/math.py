"""math to llvm: intrinsics where LLVM has them, else functions of the C math library.

The library's functions are those of the process, for f32 and f64; 16-bit floats go through f32.
Integer powers wrap and are computed by squaring, as upstream's `math.ipowi` means them. Of the ops
of gpux, `gpux.scale` is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xdsl.dialects import math
from xdsl.dialects.builtin import Float64Type, IntegerAttr, IntegerType, VectorType, i32
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpux, llvm
from ..conversion import Operands, Results, Rewriter, Rules
from ..emit.llvm_constants import mangled
from .arith import fast_math, in_f32
from .floats import is_small, narrow, widen
from .target import State, binary, const, float_const, icmp, integer_type, select, width

RULES = Rules()
converts = RULES.converts

_INTRINSICS: dict[type[Operation], str] = {
    math.AbsFOp: "fabs",
    math.CeilOp: "ceil",
    math.CopySignOp: "copysign",
    math.CosOp: "cos",
    math.Exp2Op: "exp2",
    math.ExpOp: "exp",
    math.FloorOp: "floor",
    math.FmaOp: "fma",
    math.Log10Op: "log10",
    math.Log2Op: "log2",
    math.LogOp: "log",
    math.PowFOp: "pow",
    math.RoundEvenOp: "roundeven",
    math.RoundOp: "round",
    math.SinOp: "sin",
    math.SqrtOp: "sqrt",
    math.TruncOp: "trunc",
}
_LIBRARY: dict[type[Operation], str] = {
    math.AcosOp: "acos",
    math.AcoshOp: "acosh",
    math.AsinOp: "asin",
    math.AsinhOp: "asinh",
    math.Atan2Op: "atan2",
    math.AtanOp: "atan",
    math.AtanhOp: "atanh",
    math.CbrtOp: "cbrt",
    math.CoshOp: "cosh",
    math.ErfOp: "erf",
    math.ExpM1Op: "expm1",
    math.Log1pOp: "log1p",
    math.SinhOp: "sinh",
    math.TanOp: "tan",
    math.TanhOp: "tanh",
}
_COUNTS: dict[type[Operation], tuple[str, str | None]] = {
    math.CountLeadingZerosOp: ("ctlz", "is_zero_poison"),
    math.CountTrailingZerosOp: ("cttz", "is_zero_poison"),
    math.CtPopOp: ("ctpop", None),
    math.AbsIOp: ("abs", "is_int_min_poison"),
}
_FALSE = IntegerAttr(0, 1)


@converts(*_INTRINSICS)
def convert_intrinsic(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The intrinsic of the same meaning."""
    name = llvm.INTRINSICS[_INTRINSICS[type(op)]]
    return in_f32(rw, op, operands, name, fast_math(op))


@converts(*_COUNTS)
def convert_integer(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Bit counts and the absolute value; of zero and the least integer they are defined."""
    ((value,),) = operands
    name, flag = _COUNTS[type(op)]
    properties: Mapping[str, Attribute] = {} if flag is None else {flag: _FALSE}
    return rw.value(llvm.INTRINSICS[name], (value,), value.type, properties)


@converts(*_LIBRARY)
def convert_library(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """A function of the C math library."""
    values = [value for (value,) in operands]
    kind = op.operands[0].type
    if is_small(kind):
        values = [widen(rw, value, kind) for value in values]
    result = call_library(rw, _LIBRARY[type(op)], values, fast_math(op))
    return narrow(rw, result, kind) if is_small(kind) else result


def call_library(
    rw: Rewriter, name: str, values: Sequence[SSAValue], properties: Mapping[str, Attribute]
) -> SSAValue:
    """A call for f32 or f64, or one for each lane of vectors of them."""
    kind = values[0].type
    element = llvm.element_type(kind)
    state: State = rw.state
    symbol = name if isinstance(element, Float64Type) else f"{name}f"
    state.declare(symbol, [element] * len(values), element, "willreturn", "memory(none)")

    def call(values: Sequence[SSAValue]) -> SSAValue:
        return rw.insert(llvm.CallOp.to(symbol, values, [element], properties)).results[0]

    return each_lane(rw, values, call)


def each_lane(
    rw: Rewriter, values: Sequence[SSAValue], compute: Callable[[Sequence[SSAValue]], SSAValue]
) -> SSAValue:
    """What is computed of scalars, or lane by lane of vectors; of the type of its operands."""
    kind = values[0].type
    if not llvm.is_vector(kind):
        return compute(values)
    result = rw.value(llvm.PoisonOp, (), kind)
    for lane in range(llvm.lanes_of(kind)):
        index = const(rw, lane, i32)
        parts = [
            rw.value(llvm.ExtractElementOp, (value, index), llvm.element_type(value.type))
            for value in values
        ]
        result = rw.value(llvm.InsertElementOp, (result, compute(parts), index), kind)
    return result


@converts(gpux.ScaleOp)
def convert_scale(op: gpux.ScaleOp, operands: Operands, rw: Rewriter) -> Results:
    """`vscalef` for each register where there is one, else `ldexp`."""
    (value,), (exponent,) = operands
    state: State = rw.state
    bits = llvm.lanes_of(value.type) * _element_bits(value)
    has_one = bits >= 128 and bits.bit_count() == 1
    scale = _scalef if state.target.scales and has_one else _ldexp
    return scale(rw, value, exponent)


def _scalef(rw: Rewriter, value: SSAValue, exponent: SSAValue) -> SSAValue:
    """AVX-512's instruction: of all lanes, and as rounding is set; vectors of 128 bits, twice as
    many, and so on."""
    kind, lanes = value.type, llvm.lanes_of(value.type)
    bits = lanes * _element_bits(value)
    if bits > 512:
        from .vector import shuffle  # of xDSL's vector dialect, which few kernels need

        low, high = (
            _scalef(rw, shuffle(rw, value, value, half), shuffle(rw, exponent, exponent, half))
            for half in (range(lanes // 2), range(lanes // 2, lanes))
        )
        return shuffle(rw, low, high, range(lanes))
    mask = const(rw, -1, IntegerType(max(8, lanes)))
    rounding = (const(rw, 4, i32),) if bits == 512 else ()
    name = f"llvm.x86.avx512.mask.scalef.{'ps' if _element_bits(value) == 32 else 'pd'}.{bits}"
    operands = (value, exponent, value, mask, *rounding)
    return rw.insert(llvm.CallIntrinsicOp.to(name, operands, [kind])).results[0]


def _element_bits(value: SSAValue) -> int:
    return 64 if isinstance(llvm.element_type(value.type), Float64Type) else 32


def _ldexp(rw: Rewriter, value: SSAValue, exponent: SSAValue) -> SSAValue:
    kind = VectorType(i32, [llvm.lanes_of(value.type)])
    to_int = f"llvm.fptosi.sat.{mangled(kind)}.{mangled(value.type)}"
    whole = rw.insert(llvm.CallIntrinsicOp.to(to_int, (exponent,), [kind])).results[0]
    name = f"llvm.ldexp.{mangled(value.type)}.{mangled(kind)}"
    return rw.insert(llvm.CallIntrinsicOp.to(name, (value, whole), [value.type])).results[0]


@converts(math.RsqrtOp)
def convert_rsqrt(op: math.RsqrtOp, operands: Operands, rw: Rewriter) -> Results:
    """1 / sqrt(x), each step rounded."""
    ((value,),) = operands
    kind, flags = op.operands[0].type, fast_math(op)
    if is_small(kind):
        value = widen(rw, value, kind)
    root = rw.value(llvm.INTRINSICS["sqrt"], (value,), value.type, flags)
    one = float_const(rw, 1.0, value.type)
    result = rw.value(llvm.FDivOp, (one, root), value.type, flags)
    return narrow(rw, result, kind) if is_small(kind) else result


@converts(math.FPowIOp)
def convert_fpowi(op: math.FPowIOp, operands: Operands, rw: Rewriter) -> Results:
    """The power with the exponent as a float."""
    (base,), (exponent,) = operands
    kind = op.operands[0].type
    if is_small(kind):
        base = widen(rw, base, kind)
    power = rw.value(llvm.SIToFPOp, (exponent,), base.type)
    result = rw.value(llvm.INTRINSICS["pow"], (base, power), base.type, fast_math(op))
    return narrow(rw, result, kind) if is_small(kind) else result


@converts(math.IPowIOp)
def convert_ipowi(op: math.IPowIOp, operands: Operands, rw: Rewriter) -> Results:
    """A call of a function that squares and multiplies."""
    (base,), (exponent,) = operands
    element = llvm.element_type(base.type)
    name = power_function(rw, element)
    rw.at(op)

    def call(values: Sequence[SSAValue]) -> SSAValue:
        return rw.insert(llvm.CallOp.to(name, values, [element])).results[0]

    return each_lane(rw, (base, exponent), call)


def power_function(rw: Rewriter, kind: Attribute) -> str:
    """The module's function for integer powers of a type, made when it is first needed.

    Moves the insertion point.

    A negative exponent gives 1 / base**n, which is 0 except for the bases 1 and -1 (0 for 0).
    """
    state: State = rw.state
    name = f"__stepwell_power_i{width(kind)}"
    if name in state.functions:
        return name
    integer_type(kind)
    entry, loop = Block(arg_types=[kind, kind]), Block(arg_types=[kind, kind, kind])
    inner, done = Block(), Block(arg_types=[kind])
    base, exponent = entry.args
    body = Region([entry, loop, inner, done])
    rw.at_end(entry)
    # A negative exponent is counted as one (the base's sign) or none.
    negative = icmp(rw, "slt", exponent, 0)
    unit = icmp(rw, "ult", binary(rw, llvm.AddOp, base, 1), 3)  # -1, 0 or 1
    nonzero = icmp(rw, "ne", base, 0)
    reciprocal = rw.value(llvm.AndOp, (unit, nonzero), nonzero.type)
    start = select(rw, reciprocal, const(rw, 1, kind), const(rw, 0, kind))
    one = select(rw, negative, start, const(rw, 1, kind))
    count = select(rw, negative, binary(rw, llvm.AndOp, exponent, 1), exponent)
    rw.insert(llvm.BrOp.to(loop, (one, base, count)))
    rw.at_end(loop)
    result, factor, left = loop.args
    product = binary(rw, llvm.MulOp, result, factor)
    odd = icmp(rw, "ne", binary(rw, llvm.AndOp, left, 1), 0)
    following = select(rw, odd, product, result)
    rest = binary(rw, llvm.LShrOp, left, 1)
    rw.insert(llvm.CondBrOp.on(icmp(rw, "ne", rest, 0), (inner, ()), (done, (following,))))
    rw.at_end(inner)
    rw.insert(llvm.BrOp.to(loop, (following, binary(rw, llvm.MulOp, factor, factor), rest)))
    rw.at_end(done)
    rw.insert(llvm.ReturnOp.create(operands=done.args))
    function_type = llvm.FunctionType([kind, kind], kind)
    state.add(llvm.FuncOp.define(name, function_type, linkage="internal", body=body))
    return name
