"""Whether what is around an op looks at the place of its thread in the block or in the grid."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects import memref, scf
from xdsl.ir import Block, Operation, OpResult, SSAValue
from xdsl.traits import is_side_effect_free

from ...dialects import gpu, marks

# The ids that tell apart what a number of the launch counts.
_COUNTED = {
    marks.GRID_SIZE: (gpu.BlockIdOp, gpu.GlobalIdOp),
    marks.BLOCK_SIZE: (gpu.ThreadIdOp, gpu.GlobalIdOp),
    marks.SHARED_BYTES: (),
    marks.GRID_THREADS: (gpu.BlockIdOp, gpu.ThreadIdOp, gpu.GlobalIdOp),
}


class Guards:
    """The conditions of branches and the bounds of loops, and what they depend on."""

    def __init__(self) -> None:
        self._known: dict[SSAValue, frozenset[Operation] | None] = {}

    def look_at(self, op: Operation, kind: int, axis: int) -> bool:
        """Whether a condition around `op` depends on ids that `kind` counts (`marks.GRID_SIZE`, …)
        along a dimension, or on memory."""
        ids = _COUNTED[kind]
        for condition in _conditions(op):
            sources = self._sources(condition)
            if sources is None:
                return True
            if any(isinstance(one, ids) and one.axis == axis for one in sources):
                return True
            if gpu.ThreadIdOp in ids and any(isinstance(o, gpu.SubgroupIdOp) for o in sources):
                return True
        return False

    def _sources(self, value: SSAValue) -> frozenset[Operation] | None:
        """The ids that a value is computed from; None if something unknown is among it."""
        if value not in self._known:
            self._known[value] = _sources(value)
        return self._known[value]


def _conditions(op: Operation) -> Iterator[SSAValue]:
    """What decides whether an op runs at all."""
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, gpu.FuncOp):
        if isinstance(parent, scf.IfOp):
            yield parent.cond
        elif isinstance(parent, scf.ForOp):
            yield from (parent.lb, parent.ub)
        elif isinstance(parent, scf.WhileOp):
            end = parent.before_region.block.last_op
            assert isinstance(end, scf.ConditionOp), "a while's first region ends in condition"
            yield end.condition
        parent = parent.parent_op()


def _sources(value: SSAValue) -> frozenset[Operation] | None:
    found: set[Operation] = set()
    waiting, seen = [value], {value}
    while waiting:
        one = waiting.pop()
        inputs = _inputs(one, found)
        if inputs is None:
            return None
        waiting += [other for other in inputs if other not in seen]
        seen.update(inputs)
    return frozenset(found)


def _inputs(value: SSAValue, ids: set[Operation]) -> list[SSAValue] | None:
    """What a value is computed from at once; an id is put among `ids`."""
    op = value.owner
    if isinstance(op, Block):
        return _of_argument(op, value)
    if isinstance(op, gpu.DimensionOp | gpu.SubgroupIdOp):
        ids.add(op)
        return []
    if isinstance(op, scf.IfOp) and isinstance(value, OpResult):
        ends = [region.block.last_op for region in (op.true_region, op.false_region)]
        return [op.cond, *(end.operands[value.index] for end in ends if end is not None)]
    if isinstance(op, scf.ForOp) and isinstance(value, OpResult):
        return _carried(op, value.index)
    if op.regions or not (isinstance(op, memref.DimOp) or is_side_effect_free(op)):
        return None
    return list(op.operands)


def _of_argument(block: Block, value: SSAValue) -> list[SSAValue] | None:
    parent = block.parent_op()
    if isinstance(parent, gpu.FuncOp):
        return []
    if not isinstance(parent, scf.ForOp):
        return None
    number = block.args.index(value)
    if number == 0:
        return [parent.lb, parent.ub, parent.step]
    return _carried(parent, number - 1)


def _carried(loop: scf.ForOp, number: int) -> list[SSAValue]:
    end = loop.body.block.last_op
    assert isinstance(end, scf.YieldOp), "a loop's body ends in yield"
    return [loop.lb, loop.ub, loop.step, loop.iter_args[number], end.operands[number]]
