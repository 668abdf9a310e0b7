"""promote-arrays: a thread's own small array whose indices are known becomes values.

    %l = memref.alloca() : memref<2xf32, private>     %r:2 = scf.for %i = %lo to %hi step %st
    memref.store %zero, %l[%c0]                           iter_args(%a = %zero, %b = %zero) {
    memref.store %zero, %l[%c1]                         %x = arith.addf %a, %v
    scf.for %i = %lo to %hi step %st {            ->    %y = arith.addf %b, %w
      %a = memref.load %l[%c0]                          scf.yield %x, %y
      %x = arith.addf %a, %v                          }
      memref.store %x, %l[%c0]
      …

Registers of a thread, which loops carry and vectors hold, where an array would be memory. Every
element becomes a cell, and `promote-variables` does the rest. An array stays one if an index is not
known, if it is looked at as a whole, or if it has more elements than would be registers anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import cast

from xdsl.context import Context
from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpu, simt
from ..dialects.walking import ops_of_class
from .promote_variables import promote
from .utils.block_editing import constant_value, erase, functions

LARGEST = 64
"""Elements of an array that is promoted: all registers of a machine with many of them."""

_CONTROL = (scf.IfOp, scf.ForOp, scf.WhileOp)


@dataclass(frozen=True)
class PromoteArrays(ModulePass):
    """Makes values of the elements of private arrays that only constants index."""

    name = "promote-arrays"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            arrays = ops_of_class(function, memref.AllocaOp)
            promoted = [array for array in arrays if _becomes_values(array, function)]
            for array in promoted:
                _to_cells(array)
            if promoted:
                promote(function)


def could_be_values(array: memref.AllocaOp) -> bool:
    """Whether an array is a thread's own and small, whatever is done with it."""
    type = array.memref.type
    space = type.memory_space
    is_own = isinstance(space, gpu.AddressSpaceAttr) and space == gpu.PRIVATE
    return is_own and type.has_static_shape() and 0 < prod(type.get_shape()) <= LARGEST


def index_operands(op: Operation, operand: int) -> Sequence[SSAValue] | None:
    """The indices of a use of an array that is a load from it or a store to it."""
    if isinstance(op, memref.LoadOp) or (isinstance(op, memref.StoreOp) and operand == 1):
        return op.indices
    return None


def _becomes_values(array: memref.AllocaOp, function: Operation) -> bool:
    """Whether every use is a load or store of a known element, where cells may be used."""
    shape = array.memref.type.get_shape()
    return could_be_values(array) and all(
        _element(use.operation, use.index, shape) is not None
        and _is_reached_by_control(use.operation, function)
        for use in array.memref.uses
    )


def _element(op: Operation, operand: int, shape: Sequence[int]) -> tuple[int, ...] | None:
    """Which element an access is of; None if that is not known, or is none of the array's."""
    indices = index_operands(op, operand)
    if indices is None:
        return None
    found = [constant_value(index) for index in indices]
    if all(at is not None and 0 <= at < size for at, size in zip(found, shape, strict=True)):
        return tuple(cast("list[int]", found))
    return None


def _is_reached_by_control(op: Operation, function: Operation) -> bool:
    outer = op.parent_op()
    while isinstance(outer, _CONTROL):
        outer = outer.parent_op()
    return outer is function


def _to_cells(array: memref.AllocaOp) -> None:
    """Put a cell for each element in the array's place, and gets and sets in that of accesses."""
    type = array.memref.type
    shape = type.get_shape()
    cells: dict[tuple[int, ...], SSAValue] = {}
    for element in product(*(range(size) for size in shape)):
        cell = simt.CellOp(type.element_type)
        cell.cell.name_hint = array.memref.name_hint
        cells[element] = cell.cell
        _replace(array, cell, keep=True)
    for use in list(array.memref.uses):
        op = use.operation
        element = _element(op, use.index, shape)
        assert element is not None, "only accesses of known elements were accepted"
        if isinstance(op, memref.LoadOp):
            get = simt.GetOp(cells[element])
            op.res.replace_all_uses_with(get.value)
            _replace(op, get)
        else:
            assert isinstance(op, memref.StoreOp), "an access is a load or a store"
            _replace(op, simt.SetOp(op.value, cells[element]))
    erase(array)


def _replace(old: Operation, new: Operation, *, keep: bool = False) -> None:
    new.location = old.location
    assert old.parent is not None, "the op stands in a block"
    old.parent.insert_op_before(new, old)
    if not keep:
        erase(old)
