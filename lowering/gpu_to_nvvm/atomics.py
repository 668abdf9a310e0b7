"""Atomics as single instructions with their order and scope.

    %old = gpux.atomic_rmw "add" %v, %x[%i] order "relaxed" scope "device" : f32, …

    red.relaxed.gpu.global.add.f32 [$0], $1;            // nobody reads the old value
    atom.relaxed.gpu.global.add.f32 $0, [$1], $2;       // else

LLVM's atomicrmw for this target drops order and scope (22.1), so the instructions are inline PTX.
Sequential consistency is a `fence.sc` before an acquiring and releasing instruction, as the PTX
memory model has it. What no instruction does (8 and 16 bits, float minima) is a compare-exchange
loop, which LLVM expands right.
"""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import (
    BFloat16Type,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
    StringAttr,
    UnitAttr,
    VectorType,
    i16,
    i32,
)
from xdsl.ir import Attribute, SSAValue

from ...dialects import gpux, llvm
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..emit.nvvm import constraint
from ..to_llvm.gpux import convert_cas as loop_cas
from ..to_llvm.gpux import convert_rmw as loop_rmw
from ..to_llvm.memref_address import View, element_address
from ..to_llvm.target import width
from .target import sm_of

RULES = Rules()
converts = RULES.converts

_SCOPES = {"subgroup": "cta", "block": "cta", "device": "gpu", "system": "sys"}
_SPACES = {0: "", 1: ".global", 3: ".shared"}
_INTEGER = {
    "add": ("add", "u"), "mins": ("min", "s"), "minu": ("min", "u"), "maxs": ("max", "s"),
    "maxu": ("max", "u"), "and": ("and", "b"), "or": ("or", "b"), "xor": ("xor", "b"),
    "exchange": ("exch", "b"),
}  # fmt: skip


def instruction(kind: str, element: Attribute, sm: int) -> tuple[str, str, str] | None:
    """Operation, type and register constraint of the one instruction that does it, if any."""
    if isinstance(element, IntegerType | IndexType):
        bits = 64 if isinstance(element, IndexType) else llvm.int_width(element)
        if bits not in (32, 64) or kind not in _INTEGER:
            return None
        word, sign = _INTEGER[kind]
        return word, f"{sign}{bits}", "l" if bits == 64 else "r"
    if kind == "exchange" and isinstance(element, Float32Type | Float64Type):
        bits = 32 if isinstance(element, Float32Type) else 64
        return "exch", f"b{bits}", "f" if bits == 32 else "d"
    if kind != "add":
        return None
    if element.name == VectorType.name:
        return _pair(element, sm)
    if isinstance(element, Float32Type):
        return "add", "f32", "f"
    if isinstance(element, Float64Type):
        return "add", "f64", "d"
    if isinstance(element, Float16Type):
        return "add.noftz", "f16", "h"
    if isinstance(element, BFloat16Type) and sm >= 90:
        return "add.noftz", "bf16", "h"
    return None


def _pair(kind: Any, sm: int) -> tuple[str, str, str] | None:
    """Two 16-bit floats side by side."""
    if kind.get_shape() != (2,):
        return None
    if isinstance(kind.element_type, Float16Type):
        return "add.noftz", "f16x2", "r"
    if isinstance(kind.element_type, BFloat16Type) and sm >= 90:
        return "add.noftz", "bf16x2", "r"
    return None


@converts(gpux.AtomicRMWOp)
def convert_rmw(op: gpux.AtomicRMWOp, operands: Operands, rw: Rewriter) -> Results:
    """`atom`, or `red` where the old value is not used."""
    chosen = instruction(op.kind.data, op.value.type, sm_of(rw))
    if chosen is None:
        _refuse_wide(op)
        return loop_rmw(op, operands, rw)
    ((value,), _, *indices) = operands
    view = View(op.view.type, operands[1])
    address = element_address(rw, view, [index for (index,) in indices])
    word, kind, register = chosen
    order = _order(op, rw)
    given = value
    bits = {"h": i16, "r": i32}.get(register)
    if bits is not None and value.type != bits:
        given = rw.value(llvm.BitcastOp, (value,), bits)
    modifiers = f"{_SCOPES[op.scope.data]}{_SPACES[_space(address)]}.{word}.{kind}"
    at = constraint(address.type)
    if op.old.first_use is None and order in ("relaxed", "release") and word != "exch":
        asm(rw, f"red.{order}.{modifiers} [$0], $1;", f"{at},{register}", (address, given), None)
        return [rw.value(llvm.PoisonOp, (), value.type)]
    text = f"atom.{order}.{modifiers} $0, [$1], $2;"
    old = asm(rw, text, f"={register},{at},{register}", (address, given), given.type)
    assert old is not None, "an atom has a result"
    return old if old.type == value.type else rw.value(llvm.BitcastOp, (old,), value.type)


def _refuse_wide(op: gpux.AtomicRMWOp) -> None:
    element = op.value.type
    wide = isinstance(element, IntegerType) and llvm.int_width(element) > 64
    if wide or element.name == VectorType.name:
        raise CannotConvert(f"an atomic {op.kind.data} of {element}")


@converts(gpux.AtomicCASOp)
def convert_cas(op: gpux.AtomicCASOp, operands: Operands, rw: Rewriter) -> Results:
    """`atom.cas` of the bits."""
    ((expected,), (desired,), _, *indices) = operands
    old_type: Attribute = expected.type
    known = {"f32": 32, "f64": 64}.get(str(old_type), 16)
    bits = known if str(old_type)[0] != "i" else width(old_type)
    if bits not in (32, 64):
        return loop_cas(op, operands, rw)
    view = View(op.view.type, operands[2])
    address = element_address(rw, view, [index for (index,) in indices])
    kind = IntegerType(bits)
    old_bits, new_bits = (
        value if value.type == kind else rw.value(llvm.BitcastOp, (value,), kind)
        for value in (expected, desired)
    )
    order = _order(op, rw)
    register = "l" if bits == 64 else "r"
    modifiers = f"{_SCOPES[op.scope.data]}{_SPACES[_space(address)]}.cas.b{bits}"
    found = asm(
        rw,
        f"atom.{order}.{modifiers} $0, [$1], $2, $3;",
        f"={register},{constraint(address.type)},{register},{register}",
        (address, old_bits, new_bits),
        kind,
    )
    assert found is not None, "an atom has a result"
    if found.type == old_type:
        return found
    return rw.value(llvm.BitcastOp, (found,), old_type)


def _order(op: gpux.AtomicRMWOp | gpux.AtomicCASOp, rw: Rewriter) -> str:
    """The order that the instruction has; a fence before it where that is not enough."""
    order = op.order.data
    if order != "seq_cst":
        return order
    asm(rw, f"fence.sc.{_SCOPES[op.scope.data]};", "", (), None)
    return "acq_rel"


def _space(address: SSAValue) -> int:
    kind = address.type
    assert isinstance(kind, llvm.PointerType), "an address is a pointer"
    return kind.space.data


def asm(
    rw: Rewriter,
    text: str,
    constraints: str,
    operands: tuple[SSAValue, ...],
    result: Attribute | None,
) -> SSAValue | None:
    """Inline PTX that reads and writes memory."""
    words = ",".join(part for part in (constraints, "~{memory}") if part)
    op = rw.create(
        llvm.InlineAsmOp,
        operands,
        () if result is None else (result,),
        properties={
            "has_side_effects": UnitAttr(),
            "asm_string": StringAttr(text),
            "constraints": StringAttr(words),
        },
    )
    return op.results[0] if result is not None else None
