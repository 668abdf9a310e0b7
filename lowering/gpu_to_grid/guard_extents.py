"""guard-extents: threads past the extents of an `over` launch do nothing.

    gpu.func @k(%x: …, %ex: index, %ey: index, %ez: index) kernel attributes {gpux.over = 1} {
      …body                                    %i = gpu.global_id x
      gpu.return                               %inside = arith.cmpi ult, %i, %ex : index
    }                                          scf.if %inside { …body }
                                               gpu.return

Where a launch gives every block all of its threads (as devices do, unlike the CPU's loops), the
last block of an axis has threads that no item belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i1, i64
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects import gpu, gpux
from ...dialects.predicates import ULT

_BELOW = IntegerAttr(ULT, i64)


@dataclass(frozen=True)
class GuardExtents(ModulePass):
    """Puts the body of every kernel with `gpux.over` under a test of the thread's global id."""

    name = "guard-extents"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [inner for inner in op.walk() if isinstance(inner, gpu.FuncOp)]:
            if (rank := gpux.over_rank(kernel)) is not None:
                guard(kernel, rank)


def guard(kernel: gpu.FuncOp, rank: int) -> None:
    """Guard one kernel; its last three parameters are the extents."""
    entry = kernel.entry
    last = entry.last_op
    assert last is not None, "a kernel ends in a terminator"
    body = Block()
    for op in tuple(entry.ops):
        if op is not last:
            op.detach()
            body.add_op(op)
    end = scf.YieldOp.create(location=kernel.location)
    body.add_op(end)
    inside = _inside(kernel, rank, last)
    entry.insert_op_before(
        scf.IfOp.create(
            operands=[inside], regions=[Region(body), Region()], location=kernel.location
        ),
        last,
    )


def _inside(kernel: gpu.FuncOp, rank: int, before: Operation) -> SSAValue:
    """Whether the thread is inside of the first `rank` extents."""
    block = kernel.entry
    result: SSAValue | None = None

    def add(op: Operation) -> SSAValue:
        op.location = kernel.location
        block.insert_op_before(op, before)
        return op.results[0]

    for axis, extent in enumerate(gpux.extents(kernel)[:rank]):
        place = add(gpu.GlobalIdOp(axis))
        below = add(
            arith.CmpiOp.create(
                operands=[place, extent], result_types=[i1], properties={"predicate": _BELOW}
            )
        )
        if result is None:
            result = below
        else:
            result = add(arith.AndIOp.create(operands=[result, below], result_types=[i1]))
    assert result is not None, "a launch has at least one axis"
    return result
