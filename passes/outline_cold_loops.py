"""outline-cold-loops: loops that hardly ever run become functions that the optimiser leaves alone.

    func.func @k(%x: memref<?xf32>, …, %report) attributes {gpux.kernel} {
      scf.for %i = %a to %b step %c1 { … } {gpux.cold}
    ->
      func.call @k.cold0(%x, %a, %b, %report) {gpux.part}
    }
    func.func private @k.cold0(…, %report) attributes {gpux.part = "k"} {
      scf.for %i = %a to %b step %c1 { … }
      func.return
    }

A part names its kernel and gives a status as that does: a failed check in it ends the block. What
the loop uses from outside becomes its parameters; constants are made again. Worth it for the
compile time alone: LLVM spends as long on the loop with the checks as on the one that runs.
A loop that is also marked `gpux.as_is` gives a function that is: LLVM does not optimise it.

A small array of the block is handed over as a copy, and copied back where the part writes: then
its address is nobody else's, and LLVM keeps the array itself in registers. What goes through memory
instead waits, a store in line behind all stores of the block before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, cast

from xdsl.context import Context
from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import (
    FunctionType,
    IndexType,
    MemRefType,
    ModuleOp,
    NoneAttr,
    StringAttr,
    UnitAttr,
    VectorType,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import marks
from ..dialects.making import copy_of, make
from ..dialects.walking import ops_of
from .utils.block_editing import constant

_MOST_ELEMENTS = 128
"""Of an array that may be kept in registers: f32 of eight with AVX-512."""


@dataclass(frozen=True)
class OutlineColdLoops(ModulePass):
    """Moves every loop with the attribute `gpux.cold` out of its kernel."""

    name = "outline-cold-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in tuple(op.body.block.ops):
            if isinstance(function, func.FuncOp) and marks.KERNEL in function.attributes:
                cold = [inner for inner in ops_of(function) if marks.COLD in inner.attributes]
                for number, loop in enumerate(cold):
                    _outline(loop, function, f"{function.sym_name.data}.cold{number}")


def _outline(loop: Operation, kernel: func.FuncOp, name: str) -> None:
    report = kernel.body.block.args[-1]
    outside = _used_from_outside(loop)
    constants = [value for value in outside if isinstance(value.owner, arith.ConstantOp)]
    given = [value for value in outside if value not in constants and value is not report]
    given.append(report)
    block = Block(arg_types=[value.type for value in given])
    copies = [copy_of(value.owner) for value in constants if isinstance(value.owner, Operation)]
    block.add_ops(copies)
    inside: dict[SSAValue, SSAValue] = dict(zip(given, block.args, strict=True))
    inside.update(zip(constants, (copy.results[0] for copy in copies), strict=True))
    call = _call_instead(loop, name, given)
    for position, value in enumerate(given):
        if _is_small_array(value):
            _hand_over_copy(call, position, written=_is_written(value, loop))
    for op in ops_of(loop):
        for position, operand in enumerate(op.operands):
            if operand in inside:
                op.operands[position] = inside[operand]
    del loop.attributes[marks.COLD]
    as_is = loop.attributes.pop(marks.AS_IS, None)
    end = func.ReturnOp.create()
    block.add_ops((loop, end))
    part = _function(name, block, kernel.sym_name)
    if as_is is not None:
        part.attributes[marks.AS_IS] = as_is
    for op in (part, end, *copies):
        op.location = loop.location
    assert kernel.parent is not None, "a kernel stands in a module"
    kernel.parent.insert_op_after(part, kernel)


def _used_from_outside(loop: Operation) -> list[SSAValue]:
    """Values that the loop uses and does not define, in the order of their first use."""
    used: dict[SSAValue, None] = {}
    for op in ops_of(loop):
        for operand in op.operands:
            owner = operand.owner
            parent = owner.parent_op() if isinstance(owner, Block) else owner
            if parent is None or not loop.is_ancestor(parent):
                used[operand] = None
    return list(used)


def _call_instead(loop: Operation, name: str, given: list[SSAValue]) -> func.CallOp:
    call = func.CallOp(name, given, [])
    call.attributes[marks.PART] = UnitAttr()
    call.location = loop.location
    assert loop.parent is not None, "the loop stands in a block"
    loop.parent.insert_op_before(call, loop)
    loop.detach()
    return call


def _is_small_array(value: SSAValue) -> bool:
    """Whether a value is all of an array of the kernel's own that registers can hold."""
    kind = value.type
    if not isinstance(value.owner, memref.AllocaOp) or not isinstance(kind, MemRefType):
        return False
    sizes = kind.get_shape()
    is_plain = isinstance(kind.layout, NoneAttr) and bool(sizes) and min(sizes) > 0
    return is_plain and prod(sizes) <= _MOST_ELEMENTS


def _is_written(array: SSAValue, loop: Operation) -> bool:
    """Whether the loop does something else with an array than to read it."""
    uses = [use.operation for use in array.uses]
    return any(loop.is_ancestor(op) and not isinstance(op, memref.LoadOp) for op in uses)


def _hand_over_copy(call: func.CallOp, position: int, *, written: bool) -> None:
    """Let a call have an array of its own with what is in the one that it has now."""
    array = call.operands[position]
    made, block = array.owner, call.parent
    assert isinstance(made, memref.AllocaOp) and made.parent is not None and block is not None
    own = copy_of(made)
    made.parent.insert_op_after(own, made)
    call.operands[position] = own.results[0]
    for op in _copied(array, own.results[0], call.location):
        block.insert_op_before(op, call)
    for op in reversed([*_copied(own.results[0], array, call.location)] if written else []):
        block.insert_op_after(op, call)


def _copied(source: SSAValue, target: SSAValue, location: Any) -> Iterator[Operation]:
    """Ops that copy a small array, row by row."""
    from xdsl.dialects import vector

    kind = cast("MemRefType[Attribute]", source.type)
    *outer, length = kind.get_shape()
    row_type = VectorType(kind.element_type, [length])
    for row in product(*(range(size) for size in outer)):
        places = [constant(IndexType(), number, location) for number in (*row, 0)]
        indices = [place.results[0] for place in places]
        load = make(vector.LoadOp, [source, *indices], [row_type], location=location)
        store = make(vector.StoreOp, [load.result, target, *indices], location=location)
        yield from (*places, load, store)


def _function(name: str, block: Block, kernel: StringAttr) -> func.FuncOp:
    types = [argument.type for argument in block.args]
    return func.FuncOp.create(
        properties={
            "sym_name": StringAttr(name),
            "function_type": FunctionType.from_lists(types, []),
            "sym_visibility": StringAttr("private"),
        },
        attributes={marks.PART: kernel},
        regions=[Region(block)],
    )
