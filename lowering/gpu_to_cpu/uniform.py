"""Which values are the same for all threads of a block or subgroup, so that one is kept, not many.

    %n = memref.dim %x, %c0              level 0: one for the block, computed once
    %s = gpu.subgroup_id                 level 1: one for the subgroup
    %r = gpu.subgroup_reduce add %v      level 1
    %t = gpu.thread_id x                 level 2: one for the thread
    %v = memref.load %x[%n]              level 2: memory may change between two threads

A value of a low level is computed before the loop over threads, so only ops that cannot fail and
have no effects may be: an integer division is not one, unless its divisor is a constant.
Loop-carried values are assumed to be uniform until their yields say otherwise (`floor`).
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Operation, SSAValue
from xdsl.traits import Pure

from ...dialects import gpu, gpux
from ...dialects.arith import DIVISIONS
from ...dialects.walking import ops_of
from .ids import IDS, Ids
from .split import Collective, Control, Kernel, Leaf, Nest, Plan

OF_BLOCK, OF_SUBGROUP, OF_THREAD = 0, 1, 2

VIEWS = frozenset(
    f"memref.{name}"
    for name in ("dim", "subview", "cast", "reinterpret_cast", "view", "memory_space_cast")
)


def is_pure(op: Operation) -> bool:
    """Whether the op, run any number of times by anybody, changes and breaks nothing."""
    if op.__class__ in DIVISIONS:
        return _is_safe_divisor(op.operands[1])
    if isinstance(op, scf.IfOp):
        return all(is_pure(inner) for inner in ops_of(op) if inner is not op)
    name = op.name
    if name.startswith(("arith.", "math.")) or name in VIEWS:
        return True
    return isinstance(op, scf.YieldOp) or (not op.regions and op.has_trait(Pure))


def _is_safe_divisor(value: SSAValue) -> bool:
    op = value.owner
    if not isinstance(op, arith.ConstantOp) or not isinstance(op.value, IntegerAttr):
        return False
    return op.value.value.data not in (0, -1)


class Levels:
    """The level of every value that the plan's items define."""

    def __init__(self, kernel: Kernel, ids: Ids) -> None:
        self.kernel = kernel
        self.ids = ids
        self.of: dict[SSAValue, int] = {}
        self.floor: dict[SSAValue, int] = {}
        self.settled = False

    def run(self) -> None:
        """Repeat until no assumption is broken; `floor` only grows, so it ends."""
        self.settled = False
        while not self.settled:
            self.settled = True
            self.of = dict.fromkeys(self.kernel.func.private, OF_THREAD)
            self._plan(self.kernel.plan)

    def get(self, value: SSAValue) -> int:
        """The level of a value; what no item defines is an argument of the kernel."""
        return self.of.get(value, OF_BLOCK)

    def raise_floor(self, value: SSAValue, level: int) -> None:
        """Note that a value is less uniform than assumed."""
        if self.floor.get(value, OF_BLOCK) < level:
            self.floor[value] = level
            self.settled = False

    def _set(self, value: SSAValue, level: int) -> None:
        self.of[value] = max(level, self.floor.get(value, OF_BLOCK))

    def _highest(self, values: Sequence[SSAValue]) -> int:
        return max((self.get(value) for value in values), default=OF_BLOCK)

    def _plan(self, plan: Plan) -> None:
        for item in plan:
            if isinstance(item, Leaf):
                for op in item.ops:
                    level = self._op(op)
                    for result in op.results:
                        self._set(result, level)
            elif isinstance(item, Nest):
                self._plan(item.plan)
            elif isinstance(item, Collective):
                shared = isinstance(item.op, gpu.SubgroupReduceOp | gpux.BallotOp)
                for result in item.op.results:
                    self._set(result, OF_SUBGROUP if shared else OF_THREAD)
            else:
                self._control(item)

    def _op(self, op: Operation) -> int:
        if op.__class__ in IDS:
            return self.ids.level(op)
        if not op.results or not is_pure(op):
            return OF_THREAD
        if not op.regions:
            return self._highest(op.operands)
        return max(self._highest(inner.operands) for inner in ops_of(op))

    def _control(self, control: Control) -> None:
        op = control.op
        if isinstance(op, scf.IfOp):
            self._if(control, op)
        elif isinstance(op, scf.ForOp):
            self._for(control, op)
        else:
            self._while(control, op)

    def _carried(self, control: Control, values: Sequence[SSAValue], least: int) -> int:
        """The level of a value that comes out of control flow, given what may become of it."""
        level = max(least, self._highest(values))
        if control.masked or (control.in_block and level > OF_BLOCK):
            return OF_THREAD
        return level

    def _least(self, control: Control, condition: int) -> int:
        """The lowest level that a value can have which depends on the way control took.

        In a block the way is the same for all threads (which is checked where it is not known); in
        a nest nothing that control flow defines is visible outside of the subgroup.
        """
        return OF_BLOCK if control.in_block else max(OF_SUBGROUP, condition)

    def _if(self, control: Control, op: scf.IfOp) -> None:
        condition = self.get(op.cond)
        control.masked = not control.in_block and condition == OF_THREAD
        for plan in control.plans:
            self._plan(plan)
        yields = [terminator_operands(op, index) for index in range(len(control.plans))]
        least = self._least(control, condition)
        for index, result in enumerate(op.results):
            self._set(result, self._carried(control, [values[index] for values in yields], least))

    def _for(self, control: Control, op: scf.ForOp) -> None:
        bounds = self._highest([op.lb, op.ub, op.step])
        control.masked = not control.in_block and bounds == OF_THREAD
        least = self._least(control, bounds)
        variable, *carried = op.body.block.args
        self._set(variable, self._carried(control, [], least))
        for argument, initial in zip(carried, op.iter_args, strict=True):
            self._set(argument, self._carried(control, [initial], least))
        self._plan(control.plans[0])
        yields = terminator_operands(op, 0)
        for argument, value, result in zip(carried, yields, op.results, strict=True):
            self.raise_floor(argument, self._carried(control, [value], least))
            self._set(result, self.get(argument))

    def _while(self, control: Control, op: scf.WhileOp) -> None:
        before, after = op.before_region.block.args, op.after_region.block.args
        least = self._least(control, OF_BLOCK)
        for argument, initial in zip(before, op.arguments, strict=True):
            self._set(argument, self._carried(control, [initial], least))
        self._plan(control.plans[0])
        condition, *passed = terminator_operands(op, 0)
        was_masked = control.masked
        control.masked = not control.in_block and self.get(condition) == OF_THREAD
        if control.masked != was_masked:
            self.settled = False
        least = self._least(control, self.get(condition))
        for argument, value, result in zip(after, passed, op.results, strict=True):
            self._set(argument, self._carried(control, [value], least))
            self._set(result, self.get(argument))
        self._plan(control.plans[1])
        for argument, value in zip(before, terminator_operands(op, 1), strict=True):
            self.raise_floor(argument, self._carried(control, [value], least))


def terminator_operands(op: Operation, index: int) -> Sequence[SSAValue]:
    """What the region `index` of `op` yields."""
    last = op.regions[index].block.last_op
    assert last is not None, f"region {index} of {op.name} has a terminator"
    return last.operands


def hoist(plan: Plan, levels: Levels) -> None:
    """Divide the ops of each leaf into `scalars`, which are run once, and the threads' `body`.

    What is the same for the whole block leaves a nest if it stands at the nest's top; ids vanish.
    """
    for item in plan:
        if isinstance(item, Leaf):
            item.scalars = _divide(item, levels, OF_BLOCK)
        elif isinstance(item, Nest):
            item.scalars = []
            _hoist_lanes(item.plan, levels, item)
        elif isinstance(item, Control):
            for inner in item.plans:
                hoist(inner, levels)


def _hoist_lanes(plan: Plan, levels: Levels, nest: Nest | None) -> None:
    for item in plan:
        if isinstance(item, Leaf):
            item.scalars = _divide(item, levels, OF_SUBGROUP)
            if nest is not None:
                of_block = [op for op in item.scalars if _is_at_most(op, levels, OF_BLOCK)]
                nest.scalars += of_block
                item.scalars = [op for op in item.scalars if op not in of_block]
        elif isinstance(item, Control):
            for inner in item.plans:
                _hoist_lanes(inner, levels, None)


def _divide(leaf: Leaf, levels: Levels, limit: int) -> list[Operation]:
    """Set the leaf's body; gives the other ops."""
    leaf.stores = []
    leaf.body = []
    scalars: list[Operation] = []
    for op in leaf.ops:
        if op.__class__ not in IDS:
            (scalars if _is_at_most(op, levels, limit) else leaf.body).append(op)
    return scalars


def _is_at_most(op: Operation, levels: Levels, limit: int) -> bool:
    return bool(op.results) and all(levels.get(result) <= limit for result in op.results)
