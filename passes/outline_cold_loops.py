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
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, func
from xdsl.dialects.builtin import FunctionType, ModuleOp, StringAttr, UnitAttr
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import marks
from ..dialects.making import copy_of
from ..dialects.walking import ops_of


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
    _call_instead(loop, name, given)
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


def _call_instead(loop: Operation, name: str, given: list[SSAValue]) -> None:
    call = func.CallOp(name, given, [])
    call.attributes[marks.PART] = UnitAttr()
    call.location = loop.location
    assert loop.parent is not None, "the loop stands in a block"
    loop.parent.insert_op_before(call, loop)
    loop.detach()


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
