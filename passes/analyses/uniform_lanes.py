"""Which values all lanes of a subgroup that compute them have in common; a cheap, safe guess."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, scf
from xdsl.ir import Operation, SSAValue

from ...dialects import gpu, gpux

_UNIFORM = (
    *(gpu.BlockIdOp, gpu.BlockDimOp, gpu.GridDimOp, gpu.SubgroupIdOp, gpu.SubgroupSizeOp),
    *(gpu.NumSubgroupsOp, gpu.SubgroupReduceOp, gpux.BallotOp, arith.ConstantOp),
)


class Uniform:
    """`uniform(value)`: whether a value is surely the same in all lanes that run its op."""

    def __init__(self, kernel: gpu.FuncOp) -> None:
        self.known: dict[SSAValue, bool] = dict.fromkeys(kernel.parameters, True)

    def __call__(self, value: SSAValue) -> bool:
        found = self.known.get(value)
        if found is None:
            self.known[value] = False  # what depends on itself
            found = self.known[value] = self._find(value)
        return found

    def _find(self, value: SSAValue) -> bool:
        owner = value.owner
        if not isinstance(owner, Operation):
            loop = owner.parent_op()
            if not isinstance(loop, scf.ForOp) or value is not owner.args[0]:
                return False
            return all(self(bound) for bound in (loop.lb, loop.ub, loop.step))
        if isinstance(owner, _UNIFORM):
            return True
        pure = owner.name.startswith(("arith.", "math.")) or owner.name == "memref.dim"
        return pure and all(self(operand) for operand in owner.operands)

    def loop(self, op: scf.WhileOp) -> bool:
        """Whether all lanes leave a loop together."""
        condition = op.before_region.block.last_op
        assert condition is not None, "a loop's first region ends in a condition"
        return self(condition.operands[0])

    def note(self, op: Operation, values: Sequence[SSAValue]) -> None:
        """What a subgroup op has become is as uniform as it was."""
        if isinstance(op, _UNIFORM):
            self.known.update(dict.fromkeys(values, True))
