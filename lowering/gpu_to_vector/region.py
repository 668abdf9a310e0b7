"""The body of a loop over threads, op by op: what all lanes have in common stays scalar.

%i = arith.addi %base, %t : index         the same, for lane 0 (an affine value)
%v = memref.load %x[%i]                   vector.load %x[%i] : vector<8xf32>
%w = arith.mulf %v, %v : f32              arith.mulf %v, %v : vector<8xf32>
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, MemRefType
from xdsl.ir import Block, Operation, SSAValue

from ...dialects import gpu, gpux
from ...dialects.arith import DIVISIONS, let_wrap
from ...dialects.arith_lanes import on_lanes
from ...passes.analyses.divergence import is_function
from .control import branch, count, repeat
from .lanes import Lanes
from .memory import load, store
from .single import check, single, update
from .subgroups import ballot, reduce, scan, shuffle


class Body(Lanes):
    """Writes the ops of blocks for all lanes."""

    def ops(self, block: Block) -> None:
        """Write the ops of a block but its terminator."""
        for op in block.ops:
            if op is not block.last_op or not isinstance(op, scf.YieldOp | scf.ConditionOp):
                self.op(op)

    def op(self, op: Operation) -> None:
        """Write what stands for one op."""
        self.location = op.location
        writer = _WRITERS.get(type(op))
        if writer is not None:
            writer(self, op)
        elif op.regions or not is_function(op):
            single(self, op)
        else:
            self._function(op)

    def _function(self, op: Operation) -> None:
        """An op whose results depend on its operands alone."""
        if isinstance(op, arith.ConstantOp) and isinstance(op.value, IntegerAttr | FloatAttr):
            self.bind(op.result, self.number(op.value.value.data, op.result.type))
        elif all(self.spreads[result].stride is not None for result in op.results):
            self._copy(op, [self.scalar(operand) for operand in op.operands], scalar=True)
        elif isinstance(op.results[0].type, MemRefType):
            pass  # each lane has another array; who uses it makes it again for one lane
        elif any(isinstance(operand.type, MemRefType) for operand in op.operands):
            single(self, op)
        elif isinstance(op, DIVISIONS):
            self._division(op)
        else:
            self._copy(op, [self.vector(operand) for operand in op.operands])

    def _division(self, op: Operation) -> None:
        """Lanes that do not take part must not fail: they divide by one."""
        dividend, divisor = (self.vector(operand) for operand in op.operands)
        if self.mask is not None and not _is_safe_divisor(op.operands[1]):
            one = self.number(1, divisor.type)
            divisor = self.select(self.mask, divisor, one)
        self._copy(op, [dividend, divisor])

    def _copy(self, op: Operation, operands: Sequence[SSAValue], *, scalar: bool = False) -> None:
        types = [result.type if scalar else self.vector_type(result.type) for result in op.results]
        kind = op.__class__ if scalar else on_lanes(op.__class__, types[0])
        copy = kind.create(
            operands=operands,
            result_types=types,
            properties=dict(op.properties),
            attributes=dict(op.attributes),
        )
        if scalar:
            let_wrap(copy.properties)  # lane 0 may be one that does not take part
        self.add(copy)
        for old, new in zip(op.results, copy.results, strict=True):
            self.bind(old, new)


def _is_safe_divisor(value: SSAValue) -> bool:
    known = value.owner.value if isinstance(value.owner, arith.ConstantOp) else None
    return isinstance(known, IntegerAttr) and known.value.data not in (0, -1)


# Classes of ops whose shape changes; every other op is a function of its lanes, or done one by one.
_WRITERS: dict[type[Operation], Callable[[Body, Any], None]] = {
    memref.LoadOp: load,
    memref.StoreOp: store,
    scf.IfOp: branch,
    scf.ForOp: count,
    scf.WhileOp: repeat,
    gpux.CheckOp: check,
    gpux.AtomicRMWOp: update,
    gpu.SubgroupReduceOp: reduce,
    gpux.SubgroupScanOp: scan,
    gpux.BallotOp: ballot,
    gpu.ShuffleOp: shuffle,
}
