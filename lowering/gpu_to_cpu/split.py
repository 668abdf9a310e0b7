"""Cut a kernel into pieces that run for all threads: the plan that the other files work on.

    gpu.func                                     plan
      %a = …                                     Leaf [%a, store]        every thread runs these
      memref.store %a, %shared[%t]
      gpu.barrier                                (nothing: one leaf ends, the next begins)
      scf.for … {                                Control for
        %s = memref.load …                         Leaf [%s]
        gpu.barrier
        %r = gpu.subgroup_reduce add %s            Nest                    run subgroup by subgroup
        memref.store %r, …                           Collective [%r], Leaf [store]
      }

A *leaf* holds ops without any synchronisation inside and becomes a loop over threads. Control flow
that contains a barrier is a `Control` of the block; control flow that contains a subgroup op but
no barrier is a `Control` of the subgroup, inside a `Nest`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IndexType, IntegerAttr
from xdsl.ir import Block, Operation, Region, SSAValue

from ...dialects import gpu, gpux
from ...dialects.diagnostics import CompileError, location_of
from ...dialects.walking import ops_of
from ...passes.analyses.divergence import is_private_array
from ..gpu_to_vector.fits import chooses_arrays, has_lanes, is_plain_use
from .ids import IDS

_SAME_ANYWHERE = {memref.AllocaOp, *IDS}
COLLECTIVES = (gpu.ShuffleOp, gpu.SubgroupReduceOp, gpux.SubgroupScanOp, gpux.BallotOp)
BLOCK = -1
"""The group of what belongs to the block as a whole rather than to one of its regions."""


@dataclass(eq=False)
class Leaf:
    """Ops that each thread runs to the end before the next thread does.

    `group` is the number of the block region that it is part of: the leaves of one nest share it.
    With `in_lanes`, subgroup ops are among the ops, and whole subgroups run them: as vectors.
    `scalars` are those of the ops that are run once, before the others (`body`). `stores` are
    values that each thread keeps at the end: (value, the one whose place it takes).
    """

    group: int
    ops: list[Operation] = field(default_factory=list[Operation])
    scalars: list[Operation] = field(default_factory=list[Operation])
    body: list[Operation] = field(default_factory=list[Operation])
    stores: list[tuple[SSAValue, SSAValue]] = field(default_factory=list[tuple[SSAValue, SSAValue]])
    in_lanes: bool = False


@dataclass(eq=False)
class Collective:
    """One subgroup op; its leaf reads the operands of each lane."""

    op: Operation
    leaf: Leaf


@dataclass(eq=False)
class Control:
    """Structured control flow with synchronisation inside; its leaf reads condition and bounds."""

    op: scf.IfOp | scf.ForOp | scf.WhileOp
    plans: list[Plan]
    leaf: Leaf
    group: int
    masked: bool = False

    @property
    def in_block(self) -> bool:
        """Whether it is control flow of the whole block (a barrier is inside)."""
        return self.group == BLOCK


@dataclass(eq=False)
class Nest:
    """A block region with subgroup ops: for each subgroup, the plan of its lanes."""

    group: int
    plan: Plan
    scalars: list[Operation] = field(default_factory=list[Operation])


Item: TypeAlias = Leaf | Collective | Control | Nest
Plan: TypeAlias = list[Item]


@dataclass(eq=False)
class Kernel:
    """A kernel's plan; its first barrier and subgroup op; `nests` are the groups of its nests."""

    func: gpu.FuncOp
    plan: Plan = field(default_factory=list[Item])
    barrier: Operation | None = None
    collective: Operation | None = None
    nests: set[int] = field(default_factory=set[int])


class Splitter:
    """Makes the plan of one kernel; with `vectors`, what fits lanes is left to be vectorised."""

    def __init__(self, func: gpu.FuncOp, *, vectors: bool = False) -> None:
        self.kernel = Kernel(func)
        self.vectors = vectors
        self.with_barrier: dict[Operation, Operation] = {}
        self.with_collective: dict[Operation, Operation] = {}
        self.groups = 0

    def run(self) -> Kernel:
        """The plan of the kernel's body."""
        func, kernel = self.kernel.func, self.kernel
        # Ids and a thread's own arrays are the same wherever in the kernel they are asked for.
        nested: list[Operation] = []
        for op in ops_of(func):
            kind = op.__class__
            if kind is gpu.BarrierOp:
                kernel.barrier = kernel.barrier or op
                self._mark(op, self.with_barrier)
            elif kind in COLLECTIVES:
                kernel.collective = kernel.collective or op
                self._mark(op, self.with_collective)
            elif kind in _SAME_ANYWHERE and op.parent is not func.entry:
                nested.append(op)
        first = func.entry.first_op
        assert first is not None, "a kernel ends in gpu.return"
        for op in nested:
            op.detach()
            func.entry.insert_op_before(op, first)
        self._expand_switches()
        kernel.plan = self._block_plan(func.entry)
        return kernel

    def _mark(self, op: Operation, marks: dict[Operation, Operation]) -> None:
        """Note in `op` and all ops around it which op it is that synchronises."""
        current: Operation | None = op
        while current is not None and current is not self.kernel.func:
            marks.setdefault(current, op)
            current = current.parent_op()

    def _expand_switches(self) -> None:
        tables = (self.with_barrier, self.with_collective)
        marked = dict.fromkeys(op for marks in tables for op in marks)
        for op in [op for op in marked if isinstance(op, scf.IndexSwitchOp)]:
            for new in expand_switch(op):
                for marks in tables:
                    if op in marks:
                        marks[new] = marks[op]

    def _block_plan(self, block: Block) -> Plan:
        plan: Plan = []
        for item in _runs(block, self.with_barrier):
            if isinstance(item, list):
                plan.append(self._region(item))
            elif not isinstance(item, gpu.BarrierOp):
                plan.append(self._control(item, BLOCK, self._block_plan))
        return plan

    def _region(self, ops: list[Operation]) -> Leaf | Nest:
        group = self.new_group()
        if not any(op in self.with_collective for op in ops):
            return Leaf(group, ops)
        if self.vectors and _fit_lanes(ops):
            return Leaf(group, ops, in_lanes=True)
        self.kernel.nests.add(group)
        return Nest(group, self._lane_plan(ops, group))

    def _lane_plan(self, ops: Iterable[Operation], group: int) -> Plan:
        plan: Plan = []
        for item in _runs(ops, self.with_collective):
            if isinstance(item, list):
                plan.append(Leaf(group, item))
            elif isinstance(item, COLLECTIVES):
                plan.append(Collective(item, Leaf(group)))
            else:
                plan.append(
                    self._control(item, group, lambda block: self._lane_plan(_body(block), group))
                )
        return plan

    def _control(self, op: Operation, group: int, make: Callable[[Block], Plan]) -> Control:
        if not isinstance(op, scf.IfOp | scf.ForOp | scf.WhileOp):
            raise CompileError(
                f"a barrier or subgroup operation is inside {op.name}, expected scf.if, scf.for, "
                "scf.while or scf.index_switch around it",
                location_of(op),
            )
        plans = [make(region.block) for region in op.regions if region.blocks]
        # The control flow of a block reads its conditions in regions of its own.
        return Control(op, plans, Leaf(self.new_group() if group == BLOCK else group), group)

    def new_group(self) -> int:
        """A number for one more region of the block."""
        self.groups += 1
        return self.groups


def _fit_lanes(ops: list[Operation]) -> bool:
    """Whether all of the ops can be run by vectors; of a thread's own arrays no views are taken."""
    for op in ops:
        if not has_lanes(op):
            return False
        for inner in ops_of(op):
            if chooses_arrays(inner):
                return False
            for index, operand in enumerate(inner.operands):
                if is_private_array(operand) and not is_plain_use(inner, index):
                    return False
    return True


def _body(block: Block) -> list[Operation]:
    """The ops of a block without its terminator."""
    return list(block.ops)[:-1]


def _runs(
    source: Block | Iterable[Operation], marks: dict[Operation, Operation]
) -> Iterable[list[Operation] | Operation]:
    """Runs of ops without marks, and the marked ops between them."""
    run: list[Operation] = []
    for op in _body(source) if isinstance(source, Block) else source:
        if op not in marks:
            run.append(op)
            continue
        if run:
            yield run
        run = []
        yield op
    if run:
        yield run


def last_leaf(plan: Plan, index: int, new_leaf: Callable[[], Leaf]) -> Leaf:
    """The leaf before `index` in `plan`, inserted there if there is none."""
    last = plan[index - 1] if index > 0 else None
    if not isinstance(last, Leaf):
        last = new_leaf()
        plan.insert(index, last)
    return last


def expand_switch(op: scf.IndexSwitchOp) -> list[Operation]:
    """Put a chain of `scf.if` in the place of a switch; gives the new ops."""
    created: list[Operation] = []
    cases = [int(case) for case in op.cases.get_values()]
    rest, *regions = [op.detach_region(region) for region in list(op.regions)]
    ifs: list[scf.IfOp] = []
    for case, region in reversed(list(zip(cases, regions, strict=True))):
        value = arith.ConstantOp(IntegerAttr(case, IndexType()))
        equal = arith.CmpiOp(op.arg, value, "eq")
        chosen = scf.IfOp(equal, op.result_types, region, rest)
        ifs.append(chosen)
        created = [value, equal, chosen]
        for new in created:
            new.location = op.location
        rest = Region(Block([*created, _yield_of(chosen)]))
    block = op.parent
    assert block is not None, "a switch stands in a block"
    body = rest.block
    terminator = body.last_op
    assert terminator is not None, "the chain ends in a yield"
    for old, new in zip(op.results, terminator.operands, strict=True):
        old.replace_all_uses_with(new)
    terminator.detach()
    terminator.erase()
    for new in list(body.ops):
        new.detach()
        block.insert_op_before(new, op)
    op.detach()
    op.erase()
    return list(ifs)


def _yield_of(op: Operation) -> scf.YieldOp:
    yielded = scf.YieldOp(*op.results)
    yielded.location = op.location
    return yielded
