"""simt-to-gpu: what is left of simt becomes upstream arith, math and memref.

    %q = simt.floordiv %a, %b : i32            %r = arith.divsi, arith.remsi, a sign fix ...
    %n = simt.global_size x                    %n = %extent_x, or grid_dim * block_dim
    %s = simt.shared : memref<64xf32, wg>      gpu.func @k(...) workgroup(%s : memref<64xf32, wg>)
    %d = simt.shared : memref<?xf32, wg>       %b = gpu.dynamic_shared_memory : memref<?xi8, wg>
                                               %d = memref.view %b[%c0][%n] : ... to memref<?xf32>
    %l = simt.local : memref<4xf32, private>   %l = memref.alloca() : ... where the kernel begins

Early exits, calls, cells and index checks are gone by now; whatever else of simt is left is listed
in one error. Integer division wraps and never traps: the quotient by -1 is the negated number, by 0
(which a check has refused, unless checks are off) it is 0. Float division and remainder are those
of Python and NumPy, bit for bit; f16 and bf16 are computed in f32 and rounded once, as in NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    FixedBitwidthType,
    IndexType,
    MemRefType,
    ModuleOp,
    NoneAttr,
    i8,
    i32,
)
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpu, gpux, simt
from ..dialects.arith import WRAPS
from ..passes.utils.block_editing import constant, is_integer
from .conversion import CannotConvert, Legality, Operands, Rewriter, Rules, convert
from .python_division import float_floordiv, float_mod, integer_floordiv, integer_mod

_INDEX = IndexType()
_NO_OPERANDS = DenseArrayBase.from_list(i32, [0, 0])
_LEGALITY = Legality({"simt": False}, default=True)
_RULES = Rules()


@dataclass(frozen=True)
class SimtToGpu(ModulePass):
    """Lowers floor division, remainder, shared and local arrays to the gpu level."""

    name = "simt-to-gpu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        convert(op, _RULES, _LEGALITY, goal="gpu")


@_RULES.converts(simt.FloorDivOp)
def _floordiv(op: simt.FloorDivOp, operands: Operands, rw: Rewriter) -> SSAValue:
    (lhs,), (rhs,) = operands
    floordiv = integer_floordiv if is_integer(lhs.type) else float_floordiv
    return floordiv(rw, lhs, rhs)


@_RULES.converts(simt.ModOp)
def _mod(op: simt.ModOp, operands: Operands, rw: Rewriter) -> SSAValue:
    (lhs,), (rhs,) = operands
    mod = integer_mod if is_integer(lhs.type) else float_mod
    return mod(rw, lhs, rhs)


@_RULES.converts(simt.GlobalSizeOp)
def _global_size(op: simt.GlobalSizeOp, operands: Operands, rw: Rewriter) -> SSAValue:
    if extents := gpux.extents(_kernel(op)):
        return extents[op.axis]
    sizes = [
        rw.value(size, (), _INDEX, {"dimension": op.dimension})
        for size in (gpu.GridDimOp, gpu.BlockDimOp)
    ]
    return rw.value(arith.MuliOp, sizes, _INDEX, WRAPS)


@_RULES.converts(simt.SharedOp)
def _shared(op: simt.SharedOp, operands: Operands, rw: Rewriter) -> SSAValue:
    kernel, type_ = _kernel(op), op.view.type
    if min(type_.get_shape(), default=0) < 0:
        return _dynamic_shared(kernel, type_, rw)
    view = kernel.add_workgroup(type_)
    assert isinstance(view, BlockArgument), "an attribution is an argument"
    view.location = op.location
    view.name_hint = op.view.name_hint
    return view


def _dynamic_shared(kernel: gpu.FuncOp, type_: MemRefType[Any], rw: Rewriter) -> SSAValue:
    """The launch's dynamic shared memory as an array with as many rows as fit."""
    shape = type_.get_shape()
    element = type_.element_type
    if shape[0] >= 0 or min(shape[1:], default=0) < 0 or not isinstance(element, FixedBitwidthType):
        raise CannotConvert(f"{type_} has a dynamic size other than its first")
    row = element.size
    for size in shape[1:]:
        row *= size
    if row == 0:
        raise CannotConvert(f"the rows of {type_} are empty")
    _to_entry(kernel, rw)
    location = kernel.location
    memory = rw.value(
        gpu.DynamicSharedMemoryOp,
        (),
        MemRefType(i8, [DYNAMIC_INDEX], NoneAttr(), type_.memory_space),
    )
    zero = rw.insert(constant(_INDEX, 0, location)).result
    count = rw.value(memref.DimOp, (memory, zero), _INDEX)
    if row > 1:
        count = rw.value(
            arith.DivUIOp, (count, rw.insert(constant(_INDEX, row, location)).result), _INDEX
        )
    return rw.value(memref.ViewOp, (memory, zero, count), type_)


@_RULES.converts(simt.LocalOp)
def _local(op: simt.LocalOp, operands: Operands, rw: Rewriter) -> SSAValue:
    type_ = op.view.type
    if min(type_.get_shape(), default=0) < 0:
        raise CannotConvert(f"{type_} has a dynamic size, expected constant ones")
    _to_entry(_kernel(op), rw)
    return rw.value(memref.AllocaOp, (), type_, {"operandSegmentSizes": _NO_OPERANDS})


def _to_entry(kernel: gpu.FuncOp, rw: Rewriter) -> None:
    """What follows is built where the kernel begins."""
    first = kernel.entry.first_op
    assert first is not None, "a kernel ends in a terminator"
    rw.before(first)


def _kernel(op: Operation) -> gpu.FuncOp:
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, gpu.FuncOp):
        parent = parent.parent_op()
    if parent is None:
        raise CannotConvert("stands outside a gpu.func (run inline first)")
    return parent
