"""f16 and bf16 sums and products by the GPU's own instructions, two lanes at once where it can.

    %s = arith.addf %a, %b : vector<2xf16>      %s = llvm.fadd %a, %b        // add.rn.f16x2
    %s = arith.addf %a, %b : bf16               (on i16) add.rn.bf16, from sm_90 on

Elsewhere these are computed in f32 and rounded. The bits are the same: f32 has more than twice the
precision and two bits, with which rounding twice cannot go wrong (S. Figueroa, "When is double
rounding innocuous?", 1995); but not so for products of bf16 below 2**-126, nor for fma, which stay
in f32. LLVM pairs scalar operations of adjacent elements by itself.
"""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import BFloat16Type, Float16Type, bf16
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpu, llvm
from ...passes.utils.block_editing import erase
from ..conversion import Operands, Results, Rewriter, Rules
from ..to_llvm.arith import convert_float, fast_math
from ..to_llvm.target import like
from .target import sm_of

RULES = Rules()

_SUMS: dict[type[Operation], type[Operation]] = {
    arith.AddfOp: llvm.FAddOp,
    arith.SubfOp: llvm.FSubOp,
}
_OPS: dict[type[Operation], type[Operation]] = {**_SUMS, arith.MulfOp: llvm.FMulOp}
FIRST_WITH_BFLOAT_SUMS = 90


def shrink_sums(kernel: gpu.FuncOp, sm: int) -> None:
    """Sums of bf16 that were written in f32, truncf (addf (extf %a), (extf %b)), as what they are.

    LLVM does so for f16.
    """
    if sm < FIRST_WITH_BFLOAT_SUMS:
        return
    for op in [op for op in kernel.walk() if isinstance(op, arith.TruncFOp)]:
        kind: Attribute = op.result.type
        total = op.operands[0].owner
        if not isinstance(total, arith.AddfOp | arith.SubfOp) or op.parent is None:
            continue
        parts = [_widened(value, kind) for value in total.operands]
        if isinstance(llvm.element_type(kind), BFloat16Type) and None not in parts:
            small = type(total).create(
                operands=[part for part in parts if part is not None],
                result_types=[kind],
                properties=dict(total.properties),
                location=total.location,
            )
            op.parent.insert_op_before(small, op)
            op.result.replace_all_uses_with(small.results[0])
            erase(op)


def _widened(value: SSAValue, kind: Attribute) -> SSAValue | None:
    """The value of a type that has been extended to this one."""
    owner = value.owner
    if isinstance(owner, arith.ExtFOp) and owner.operands[0].type == kind:
        return owner.operands[0]
    return None


@RULES.converts(*_OPS)
def convert_half(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """In the type itself where that has an instruction."""
    values = [value for (value,) in operands]
    element = llvm.element_type(op.results[0].type)
    target, flags = _OPS[type(op)], fast_math(op)
    if isinstance(element, Float16Type):
        return rw.value(target, values, values[0].type, flags)
    exact = isinstance(element, BFloat16Type) and type(op) in _SUMS
    if not exact or sm_of(rw) < FIRST_WITH_BFLOAT_SUMS:
        return convert_float(op, operands, rw)
    bits = values[0].type
    kind = like(bits, bf16)
    given = [rw.value(llvm.BitcastOp, (value,), kind) for value in values]
    return rw.value(llvm.BitcastOp, (rw.value(target, given, kind, flags),), bits)
