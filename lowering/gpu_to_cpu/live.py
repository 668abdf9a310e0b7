"""How a value gets from the leaf that defines it to the leaves that use it.

    %a = memref.load …        spilled: kept in an array with one element per thread
    %i = %t * 4 + %n          made again where it is used, from thread ids and uniform values
    %v = memref.subview …     made again always: no array holds views; what it needs is spilled
    %n = memref.dim …         uniform: one value that all loops over threads see
    %l = memref.alloca        a thread's own array: one array of arrays if several leaves use it

Values that loops carry and that control flow results in are homeless: they are always in an array,
unless they are uniform. A spilled value has one place for each thread of the block if several
regions of the block touch it, and only one for each lane if they all belong to one nest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation, SSAValue

from ...dialects.arith import DIVISIONS
from ...dialects.diagnostics import CompileError, location_of
from ...dialects.walking import ops_of
from .ids import IDS
from .split import BLOCK, Collective, Control, Kernel, Leaf, Nest, Plan, last_leaf
from .uniform import OF_BLOCK, OF_SUBGROUP, VIEWS, Levels, is_pure, terminator_operands

MAKE_AGAIN_LIMIT = 8  # ops; a load and a store cost about as much as three
NEVER = 1 << 20


class Kind(Enum):
    """Where a value lives."""

    ID = auto()
    SCALAR = auto()
    LEAF = auto()
    CARRIED = auto()
    PRIVATE = auto()


@dataclass(frozen=True, eq=False)
class Home:
    """Where a value is defined; `group` is BLOCK or the number of a region of the block."""

    kind: Kind
    group: int
    leaf: Leaf | None = None
    op: Operation | None = None


class Live:
    """What is spilled (value -> group whose threads each have a place) and what is made again."""

    def __init__(self, kernel: Kernel, levels: Levels) -> None:
        self.kernel = kernel
        self.levels = levels
        self.homes: dict[SSAValue, Home] = {}
        self.spilled: dict[SSAValue, int] = {}
        self.alias: dict[SSAValue, SSAValue] = {}
        self.recipes: dict[SSAValue, tuple[Operation, Sequence[SSAValue]]] = {}
        self._costs: dict[SSAValue, int] = {}
        self._seen: set[tuple[SSAValue, Leaf]] = set()
        self._private_users: dict[SSAValue, set[Leaf]] = {}
        self._in_loop: set[Leaf] = set()
        self._next_group = 1 << 16

    def run(self) -> None:
        """Find homes, then uses; uses that a uniform value cannot serve raise its floor."""
        for value in self.kernel.func.private:
            self.homes[value] = Home(Kind.PRIVATE, BLOCK)
        self._define(self.kernel.plan, BLOCK, False)
        self._use_plan(self.kernel.plan)
        for value, leaves in self._private_users.items():
            if leaves != {self.homes[value].leaf} and (len(leaves) > 1 or leaves & self._in_loop):
                for leaf in leaves:
                    self._spill(value, leaf)

    def is_scalar(self, value: SSAValue, group: int) -> bool:
        """Whether control flow of `group` carries the value as it is."""
        return self.levels.get(value) <= (OF_BLOCK if group == BLOCK else OF_SUBGROUP)

    # --- homes ------------------------------------------------------------------------------------

    def _define(self, plan: Plan, group: int, in_loop: bool) -> None:
        for item in list(plan):
            if isinstance(item, Leaf):
                self._define_leaf(item, in_loop)
            elif isinstance(item, Nest):
                self._scalars(item.scalars, BLOCK)
                self._define(item.plan, item.group, in_loop)
            elif isinstance(item, Collective):
                for value in item.op.results:
                    scalar = self.is_scalar(value, item.leaf.group)
                    kind = Kind.SCALAR if scalar else Kind.LEAF
                    self.homes[value] = Home(kind, item.leaf.group, item.leaf, item.op)
            else:
                self._define_control(item, in_loop)
                self._keep_carried(item, plan)

    def _define_leaf(self, leaf: Leaf, in_loop: bool) -> None:
        if in_loop:
            self._in_loop.add(leaf)
        for op in leaf.ops:
            if op.__class__ in IDS:
                self.homes[op.results[0]] = Home(Kind.ID, BLOCK, None, op)
        nested = leaf.group in self._nests
        self._scalars(leaf.scalars, leaf.group if nested else BLOCK)
        for op in leaf.body:
            kind = Kind.PRIVATE if isinstance(op, memref.AllocaOp) else Kind.LEAF
            for value in op.results:
                self.homes[value] = Home(kind, leaf.group, leaf, op)

    def _scalars(self, ops: Sequence[Operation], group: int) -> None:
        for op in ops:
            for value in op.results:
                self.homes[value] = Home(Kind.SCALAR, group, None, op)

    def _define_control(self, control: Control, in_loop: bool) -> None:
        is_loop = not isinstance(control.op, scf.IfOp)
        for plan in control.plans:
            self._define(plan, control.group, in_loop or is_loop)
        values: list[SSAValue] = list(control.op.results)
        for region in control.op.regions:
            if region.blocks:
                values += region.block.args
        for value in values:
            scalar = self.is_scalar(value, control.group)
            kind = Kind.SCALAR if scalar else Kind.CARRIED
            self.homes[value] = Home(kind, control.group, None, control.op)

    def _keep_carried(self, control: Control, plan: Plan) -> None:
        """Have the leaves before and at the end of control flow store what it carries."""
        op = control.op
        if isinstance(op, scf.IfOp):
            for index, inner in enumerate(control.plans):
                self._keep(control, inner, len(inner), terminator_operands(op, index), op.results)
            return
        if isinstance(op, scf.ForOp):
            initial, before = op.iter_args, op.body.block.args[1:]
        else:
            initial, before = op.arguments, op.before_region.block.args
        self._keep(control, plan, plan.index(control), initial, before)
        end, after = control.plans[-1], before
        self._keep(control, end, len(end), terminator_operands(op, len(op.regions) - 1), before)
        if isinstance(op, scf.WhileOp):
            after = op.after_region.block.args
            first = control.plans[0]
            self._keep(control, first, len(first), terminator_operands(op, 0)[1:], after)
        self.alias |= dict(zip(op.results, after, strict=True))

    def _keep(
        self,
        control: Control,
        plan: Plan,
        index: int,
        values: Sequence[SSAValue],
        targets: Sequence[SSAValue],
    ) -> None:
        stores = [
            (value, target)
            for value, target in zip(values, targets, strict=True)
            if value is not target and not self.is_scalar(target, control.group)
        ]
        if stores:
            last_leaf(plan, index, lambda: self._new_leaf(control)).stores += stores

    def _new_leaf(self, control: Control) -> Leaf:
        self._next_group += 1
        return Leaf(self._next_group if control.in_block else control.group)

    # --- uses -------------------------------------------------------------------------------------

    def _use_plan(self, plan: Plan) -> None:
        for item in plan:
            if isinstance(item, Leaf):
                self._use_leaf(item)
            elif isinstance(item, Nest):
                self._use_plan(item.plan)
            elif isinstance(item, Collective):
                for value in item.op.operands:
                    self._use(value, item.leaf)
            else:
                self._use_control(item)

    def _use_leaf(self, leaf: Leaf) -> None:
        for op in leaf.scalars:
            for inner in ops_of(op):
                for value in inner.operands:
                    self._use(value, leaf, scalar=True)
        for op in leaf.body:
            for inner in ops_of(op):
                for value in inner.operands:
                    self._use(value, leaf)
        for value, target in leaf.stores:
            self._use(value, leaf)
            self._spill(target, leaf)

    def _use_control(self, control: Control) -> None:
        op = control.op
        for plan in control.plans:
            self._use_plan(plan)
        steering: Sequence[SSAValue]
        if isinstance(op, scf.IfOp):
            steering, carried = [op.cond], op.results
        elif isinstance(op, scf.ForOp):
            steering, carried = [op.lb, op.ub, op.step], op.body.block.args[1:]
            self._use_carried(control, op.iter_args, carried)
        else:
            condition, *passed = terminator_operands(op, 0)
            steering, carried = [condition], op.before_region.block.args
            self._use_carried(control, op.arguments, carried)
            self._use_carried(control, passed, op.results)
        for value in steering:
            self._use(value, control.leaf, scalar=self.is_scalar(value, control.group))
        if control.masked and isinstance(op, scf.ForOp):
            self._spill(op.body.block.args[0], control.leaf)
        for index in range(len(control.plans)):
            if not (isinstance(op, scf.WhileOp) and index == 0):
                self._use_carried(control, terminator_operands(op, index), carried)

    def _use_carried(
        self, control: Control, values: Sequence[SSAValue], targets: Sequence[SSAValue]
    ) -> None:
        """Uniform values that control flow carries are used by the control flow itself."""
        for value, target in zip(values, targets, strict=True):
            if self.is_scalar(target, control.group):
                self._use(value, control.leaf, scalar=True)

    def _use(self, value: SSAValue, leaf: Leaf, scalar: bool = False) -> None:
        home = self.homes.get(value)
        if home is None or home.kind is Kind.ID or (value, leaf) in self._seen:
            return
        self._seen.add((value, leaf))
        if home.kind is Kind.PRIVATE:
            self._private_users.setdefault(value, set()).add(leaf)
        elif not self.is_visible(home, leaf):
            self._bring(value, home, leaf, scalar)

    def is_visible(self, home: Home, leaf: Leaf) -> bool:
        """Whether the leaf sees the value itself."""
        if home.kind is Kind.SCALAR:
            return home.group in (BLOCK, leaf.group)
        return home.leaf is leaf

    def _bring(self, value: SSAValue, home: Home, leaf: Leaf, scalar: bool) -> None:
        op = home.op
        is_view = isinstance(value.type, MemRefType)
        fixed = op is None or home.kind is Kind.CARRIED or op.regions or not is_pure(op)
        if not fixed and (is_view or self._cost(value) <= MAKE_AGAIN_LIMIT):
            assert op is not None
            self.recipes[value] = (op, tuple(op.operands))
            for operand in op.operands:
                self._use(operand, leaf, scalar)
        elif is_view:
            raise CompileError(
                "which array this is depends on control flow, and it is used after a barrier or "
                "subgroup operation",
                location_of(op) if op is not None else None,
                hint="choose the array again after the barrier",
            )
        elif scalar or home.kind is Kind.SCALAR:
            self.levels.raise_floor(self.alias.get(value, value), 2)
        else:
            self._spill(value, leaf)

    def _spill(self, value: SSAValue, leaf: Leaf) -> None:
        home = self.homes[value]
        value = self.alias.get(value, value)
        in_nest = home.group == leaf.group and leaf.group in self._nests
        group = leaf.group if in_nest else BLOCK
        self.spilled[value] = group if self.spilled.get(value, group) == group else BLOCK

    def _cost(self, value: SSAValue) -> int:
        """How many ops it takes to make the value from ids and what every leaf sees."""
        if value not in self._costs:
            self._costs[value] = self._compute_cost(value)
        return self._costs[value]

    def _compute_cost(self, value: SSAValue) -> int:
        home = self.homes.get(value)
        if home is None or (home.kind is Kind.SCALAR and home.group == BLOCK):
            return 0
        if home.kind in (Kind.ID, Kind.PRIVATE):
            return 1
        op = home.op
        if home.kind is Kind.CARRIED or op is None or op.regions or op.__class__ in DIVISIONS:
            return NEVER
        if not (op.name.startswith("arith.") or op.name in VIEWS) or not is_pure(op):
            return NEVER
        return min(NEVER, 1 + sum(self._cost(operand) for operand in op.operands))

    @property
    def _nests(self) -> set[int]:
        return self.kernel.nests
