"""expand-math: functions without an instruction become arithmetic, the same on every device.

    %y = math.exp %x : f32          %n = math.roundeven (%x * log2(e))
                                    %r = math.fma %n, -ln(2), %x …
                                    %y = (1 + %r + …) * 2**%n

f16 and bf16 are computed in f32; vectors as scalars, in each lane. How exact the functions are says
the table in errors.py; ops that may be approximate (flag afn) have shorter formulas.

What stays are the functions that devices have: sqrt, fma, abs, floor, ceil, trunc, round,
roundeven, copysign, rsqrt. With `keep-approximate`, for devices with instructions for them, so do
those of `APPROXIMATE` of f32 that may be approximate. With `keep-exp`, for devices with an accurate
2**x to make it of, so does exp of f32 whose bits may differ from those of other devices (flag
contract). With `scales`, for devices that multiply vectors by powers of two in one instruction,
exponentials do that, which gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from xdsl.context import Context
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    Float64Type,
    ModuleOp,
    f32,
)
from xdsl.dialects.utils.fast_math import FastMathFlag
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from ...dialects.arith import RemFOp
from ...dialects.walking import ops_of
from ...passes.utils.block_editing import erase

if TYPE_CHECKING:
    from .calculator import Calculator
    from .number import Number

FUNCTIONS: dict[type[Operation], str] = {
    math.AcosOp: "trigonometric:acos",
    math.AcoshOp: "exponential:acosh",
    math.AsinOp: "trigonometric:asin",
    math.AsinhOp: "exponential:asinh",
    math.Atan2Op: "trigonometric:atan2",
    math.AtanOp: "trigonometric:atan",
    math.AtanhOp: "exponential:atanh",
    math.CbrtOp: "exponential:cbrt",
    math.CosOp: "trigonometric:cos",
    math.CoshOp: "exponential:cosh",
    math.ErfOp: "trigonometric:erf",
    math.Exp2Op: "exponential:exp2",
    math.ExpM1Op: "exponential:expm1",
    math.ExpOp: "exponential:exp",
    math.Log10Op: "exponential:log10",
    math.Log1pOp: "exponential:log1p",
    math.Log2Op: "exponential:log2",
    math.LogOp: "exponential:log",
    math.PowFOp: "exponential:power",
    math.SinOp: "trigonometric:sin",
    math.SinhOp: "exponential:sinh",
    math.TanOp: "trigonometric:tan",
    math.TanhOp: "exponential:tanh",
    RemFOp: "remainder:remainder",
}
"""The formula of each op, as "file:function": loaded for the kernels that need it."""

_EXPANDED = {*FUNCTIONS, math.FPowIOp}

APPROXIMATE = (
    *(math.CosOp, math.Exp2Op, math.ExpOp, math.Log10Op, math.Log2Op, math.LogOp, math.PowFOp),
    *(math.SinOp, math.TanOp),
)


@dataclass(frozen=True)
class ExpandMath(ModulePass):
    """Expands the functions of `FUNCTIONS`, of scalars and of vectors."""

    name = "expand-math"
    keep_approximate: bool = False
    keep_exp: bool = False
    scales: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in ops_of(op):
            if inner.__class__ in _EXPANDED and not self._keeps(inner):
                expand(inner, scales=self.scales)

    def _keeps(self, op: Operation) -> bool:
        return (self.keep_approximate and may_approximate(op)) or (
            self.keep_exp and isinstance(op, math.ExpOp) and may_contract(op)
        )


def may_approximate(op: Operation) -> bool:
    """Whether an instruction that is not exact may do it."""
    return isinstance(op, APPROXIMATE) and _is_single(op) and is_fast(op)


def may_contract(op: Operation) -> bool:
    """Whether it may be rounded elsewhere than written, as long as the error keeps its bound."""
    return _is_single(op) and _has_flag(op, FastMathFlag.ALLOW_CONTRACT)


def is_fast(op: Operation) -> bool:
    """Whether the short variant of a function will do."""
    return _has_flag(op, FastMathFlag.APPROX_FUNC)


def _is_single(op: Operation) -> bool:
    return isinstance(op.results[0].type, Float32Type)


def _has_flag(op: Operation, flag: FastMathFlag) -> bool:
    flags = op.properties.get("fastmath")
    return isinstance(flags, arith.FastMathFlagsAttr) and flag in flags.data


def expand(op: Operation, *, scales: bool = False) -> None:
    """Puts the formula in front of the op and removes the op."""
    from .calculator import Calculator
    from .number import as_lanes, element_of

    kind = op.results[0].type
    element = element_of(kind)
    narrow = isinstance(element, Float16Type | BFloat16Type)
    if not narrow and not isinstance(element, Float32Type | Float64Type):
        return
    wide = as_lanes(kind, f32) if narrow else kind
    c = Calculator(op, wide, fast=is_fast(op), scales=scales)
    operands = [c.number(value) for value in op.operands]
    if narrow:
        operands = [
            value if value.is_int else c.op_of(arith.ExtFOp, (value,), c.type) for value in operands
        ]
    result = _value(c, op, operands)
    if narrow:
        result = c.op_of(arith.TruncFOp, (result,), kind)
    op.results[0].replace_all_uses_with(result.value)
    erase(op)


def _value(c: Calculator, op: Operation, operands: list[Number]) -> Number:
    if isinstance(op, math.FPowIOp):
        base, exponent = operands
        return _formula(math.PowFOp)(c, base, c.to_float(exponent))
    return _formula(type(op))(c, *operands)


def _formula(op: type[Operation]) -> Any:
    file, _, name = FUNCTIONS[op].partition(":")
    return getattr(import_module(f".{file}", __package__), name)
