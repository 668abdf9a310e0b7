"""Which values all threads of a block that compute them have in common; a safe guess.

    %n = memref.dim %x, %c0                 the same
    %t = gpu.thread_id x                    differs, and what is computed from it
    %v = memref.load %x[%n]                 differs: memory may change between two threads
    %r = scf.if %c -> i32 { … }             the same if %c and both yields are

What a loop carries is taken to be the same until its yields say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from xdsl.dialects import scf
from xdsl.ir import Operation, SSAValue

from ...dialects import gpu

_OF_BLOCK = (
    *(gpu.BlockIdOp, gpu.BlockDimOp, gpu.GridDimOp, gpu.SubgroupSizeOp, gpu.NumSubgroupsOp),
)


class BlockUniform:
    """`uniform(value)` of a kernel whose control flow is scf.

    Of ops that are `partial`, and of what is in them, some threads do not take part.
    """

    def __init__(
        self, kernel: gpu.FuncOp, partial: Callable[[Operation], bool] | None = None
    ) -> None:
        self.varying: set[SSAValue] = set()
        ops = list(kernel.walk())[1:]
        if partial is not None:
            self._mark(result for op in ops if op.regions and partial(op) for result in op.results)
        settled = False
        while not settled:
            before = len(self.varying)
            for op in ops:
                self._visit(op)
            settled = len(self.varying) == before

    def __call__(self, value: SSAValue) -> bool:
        """Whether the value is surely the same."""
        return value not in self.varying

    def together(self, op: Operation) -> bool:
        """Whether threads that come to an op with regions go the same way through it."""
        return not any(value in self.varying for value in _steering(op))

    def _mark(self, values: Iterable[SSAValue]) -> None:
        self.varying.update(values)

    def _visit(self, op: Operation) -> None:
        if isinstance(op, scf.IfOp | scf.IndexSwitchOp):
            regions = [region for region in op.regions if region.blocks]
            self._carry(op, op.results, *(_yields(region.block.last_op) for region in regions))
        elif isinstance(op, scf.ForOp):
            variable, *carried = op.body.block.args
            if not self.together(op):
                self._mark([variable])
            yields = _yields(op.body.block.last_op)
            self._join(carried, op.iter_args, yields)
            self._carry(op, op.results, op.iter_args, yields)
        elif isinstance(op, scf.WhileOp):
            before, after = op.before_region.block, op.after_region.block
            passed = _yields(before.last_op)[1:]
            self._join(before.args, op.arguments, _yields(after.last_op))
            self._join(after.args, passed)
            self._carry(op, op.results, passed)
        elif not self._is_common(op):
            self._mark(op.results)
            self._mark(
                arg for region in op.regions for block in region.blocks for arg in block.args
            )

    def _join(self, targets: Sequence[SSAValue], *sources: Sequence[SSAValue]) -> None:
        """Marks each target that has a varying source."""
        for group in sources:
            pairs = zip(targets, group, strict=True)
            self._mark(target for target, source in pairs if source in self.varying)

    def _carry(self, op: Operation, results: Sequence[SSAValue], *sources: Sequence[SSAValue]):
        """The same for results, which also depend on the way that a thread took."""
        self._join(results, *sources)
        if not self.together(op):
            self._mark(results)

    def _is_common(self, op: Operation) -> bool:
        if isinstance(op, _OF_BLOCK) or op.name == "memref.dim":
            return True
        pure = op.name.startswith(("arith.", "math."))
        return pure and not any(operand in self.varying for operand in op.operands)


def _yields(last: Operation | None) -> Sequence[SSAValue]:
    assert last is not None, "a region of control flow ends in a terminator"
    return last.operands


def _steering(op: Operation) -> Sequence[SSAValue]:
    """What decides which way through an op is taken."""
    if isinstance(op, scf.IfOp):
        return [op.cond]
    if isinstance(op, scf.IndexSwitchOp):
        return [op.arg]
    if isinstance(op, scf.ForOp):
        return [op.lb, op.ub, op.step]
    assert isinstance(op, scf.WhileOp), f"{op.name} is no control flow of the shader level"
    return _yields(op.before_region.block.last_op)[:1]
