"""split-checked-loops: iterations in which the checks hold get a loop of their own, without them.

    scf.for %i = %lo to %hi step %c1 {          scf.for %i = %a to %b step %c1 {
      %g = arith.addi %base, %i                   %g = arith.addi %base, %i
      %in = arith.cmpi slt, %g, %n                %v = memref.load %x[%g]
      scf.if %in {                                …
        %ok = arith.cmpi ult, %g, %m     ->     }
        gpux.check %ok, "bounds", …             scf.if (%lo < %a or %b < %hi) {
        %v = memref.load %x[%g]                   scf.for %part = %c0 to %c2 step %c1 {
        …                                           scf.for %i = … { … }   // [lo, a) and [b, hi),
      }                                           }                        // as it was
    }                                           }

At the cpu level, for loops over the threads of a block (the iterations may run in any order). A
condition that compares `±i + invariant` with an invariant holds for a range of i; `a` and `b` are
what all such conditions leave of `lo` and `hi`. Solved are the conditions of checks, and of the
`scf.if`s around solved checks. What is left in the new loop LLVM can vectorise; the rest is marked
`gpux.cold` for outline-cold-loops. It comes last: a failed check ends the block, and what threads
do whose checks hold is done by then, prints too.

A range is safe even where index arithmetic wraps: a bounds check `f(i) <u size` gives a lower and
an upper limit, and where a subtraction wraps, the two exclude each other. A guard's limits assume
that its own arithmetic does not wrap, as everywhere for `index`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IndexType, ModuleOp, UnitAttr, i1
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import Pure

from ..dialects import gpux
from .block_editing import constant, constant_value, erase
from .outline_cold_loops import AS_IS, COLD

INDEX = IndexType()
_LARGEST_BODY = 2000
_DEPTH = 64
# cmpi predicates, and each with its operands exchanged.
_SLT, _SLE, _SGT, _SGE, _ULT, _ULE, _UGT, _UGE = range(2, 10)
_EXCHANGED = {
    **{_SLT: _SGT, _SLE: _SGE, _SGT: _SLT, _SGE: _SLE},
    **{_ULT: _UGT, _ULE: _UGE, _UGT: _ULT, _UGE: _ULE},
}


@dataclass(frozen=True)
class SplitCheckedLoops(ModulePass):
    """Splits loops over threads at the ends of the range in which their checks hold."""

    name = "split-checked-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop, checks in _checked_loops(op).items():
            if sum(1 for _ in loop.walk()) <= _LARGEST_BODY:
                _split(loop, checks)


def _checked_loops(module: ModuleOp) -> dict[scf.ForOp, list[gpux.CheckOp]]:
    """Loops over x of a block's threads, each with the checks inside."""
    found: dict[scf.ForOp, list[gpux.CheckOp]] = {}
    for op in module.walk():
        if isinstance(op, gpux.CheckOp) and op.ids:
            thread_x = op.ids[3]
            loop = thread_x.owner.parent_op() if isinstance(thread_x, BlockArgument) else None
            if isinstance(loop, scf.ForOp) and _is_simple(loop, thread_x):
                found.setdefault(loop, []).append(op)
    return found


def _is_simple(loop: scf.ForOp, variable: SSAValue) -> bool:
    if "gpux.subgroup" in loop.attributes:  # whose threads run together, or not at all
        return False
    by_one = constant_value(loop.step) == 1
    return by_one and not loop.iter_args and variable is loop.body.block.args[0]


def _split(loop: scf.ForOp, checks: list[gpux.CheckOp]) -> None:
    solver = Solver(loop)
    solved = [check for check in checks if solver.solve(check.condition)]
    if not solved:
        return
    guards = dict.fromkeys(guard for check in solved for guard in _guards_of(check, loop))
    solved_guards = [guard for guard in guards if solver.solve(guard.cond)]
    only_fails = _only_fails(loop, solved, solved_guards)
    start, end = solver.range()
    fast = _copy_without_checks(loop, solved, solved_guards)
    fast.operands[0], fast.operands[1] = start, end
    solver.add(fast)
    some = solver.add(_compare(_SLT, loop.lb, start)).results[0]
    more = solver.add(_compare(_SLT, end, loop.ub)).results[0]
    left = solver.binary(arith.OrIOp, some, more)
    rest = _rest_loop(loop, start, end, solver)
    if only_fails:
        rest.attributes[AS_IS] = UnitAttr()
    _only_if(left, rest)


def _only_if(condition: SSAValue, op: Operation) -> None:
    """Put an op inside an `scf.if`."""
    block = Block()
    branch = scf.IfOp.create(operands=[condition], regions=[Region(block), Region()])
    end = scf.YieldOp.create()
    assert op.parent is not None, "the op stands in a block"
    op.parent.insert_op_before(branch, op)
    op.detach()
    block.add_ops((op, end))
    branch.location = end.location = op.location


def _guards_of(op: Operation, loop: scf.ForOp) -> list[scf.IfOp]:
    """The `scf.if`s inside the loop of which `op` is in the then region."""
    found: list[scf.IfOp] = []
    region = op.parent_region()
    while region is not None and (parent := region.parent) is not None and parent is not loop:
        if isinstance(parent, scf.IfOp) and region is parent.true_region:
            found.append(parent)
        region = parent.parent_region()
    return found


def _only_fails(loop: scf.ForOp, solved: list[gpux.CheckOp], guards: list[scf.IfOp]) -> bool:
    """Whether an iteration in which a solved condition is false does nothing, or a check fails.

    So it is where the guards are one inside the other around everything that has effects, and what
    is checked there is checked whatever else is true. (An inner loop is taken to run.)
    """
    block, left, checks = loop.body.block, set(guards), set[Operation](solved)
    met = {block}
    while (guard := _only_effect(block, checks)) in left and isinstance(guard, scf.IfOp):
        left.discard(guard)
        block = guard.true_region.block
        met.add(block)
    return not left and all(_around_loops(check) & met for check in solved)


def _only_effect(block: Block, checks: set[Operation]) -> Operation | None:
    """The one op of a block that does something beside these checks; an else branch does not."""
    effects = [op for op in block.ops if op not in checks and not _is_effectless(op)]
    if len(effects) != 1:
        return None
    orelse = effects[0].regions[1:]
    idle = all(_is_effectless(op) for region in orelse for op in region.walk())
    return effects[0] if idle else None


def _is_effectless(op: Operation) -> bool:
    return isinstance(op, scf.YieldOp) or _is_computed(op)


def _around_loops(op: Operation) -> set[Block]:
    """The block of an op, and the blocks of the loops around it up to another kind of op."""
    found: set[Block] = set()
    block = op.parent
    while block is not None:
        found.add(block)
        parent = block.parent_op()
        block = parent.parent if isinstance(parent, scf.ForOp) else None
    return found


def _copy_without_checks(
    loop: scf.ForOp, solved: list[gpux.CheckOp], guards: list[scf.IfOp]
) -> scf.ForOp:
    """A copy in which solved checks are gone and solved guards true."""
    copy = loop.clone()
    gone, true = set(solved), set(guards)
    for old, new in list(zip(loop.walk(), copy.walk(), strict=True)):
        new.location = old.location
        if old in gone:
            erase(new)
        elif old in true:
            certain = constant(i1, 1, old.location)
            assert new.parent is not None, "a guard stands in the loop"
            new.parent.insert_op_before(certain, new)
            new.operands[0] = certain.result
    return copy


def _rest_loop(loop: scf.ForOp, start: SSAValue, end: SSAValue, solver: Solver) -> scf.ForOp:
    """The original loop runs over what lies before `start`, then over what lies after `end`."""
    zero, one, two = (solver.number(value) for value in (0, 1, 2))
    body = Block(arg_types=[INDEX])
    outer = scf.ForOp.create(operands=[zero, two, one], regions=[Region(body)])
    outer.location = loop.location
    outer.attributes[COLD] = UnitAttr()
    block = loop.parent
    assert block is not None, "the loop stands in a block"
    block.insert_op_before(outer, loop)
    loop.detach()
    before = _compare(0, body.args[0], zero)
    lower = _select(before.results[0], loop.lb, end)
    upper = _select(before.results[0], start, loop.ub)
    for op in (before, lower, upper, loop, scf.YieldOp.create()):
        if op is not loop:
            op.location = loop.location
        body.add_op(op)
    loop.operands[0], loop.operands[1] = lower.results[0], upper.results[0]
    loop.attributes.pop("gpux.threads", None)  # for LLVM to vectorise: not this one
    return outer


@dataclass
class Solver:
    """Limits of a loop's variable between which conditions hold; its ops go before the loop."""

    loop: scf.ForOp
    lower: list[SSAValue] = field(default_factory=list[SSAValue])
    upper: list[SSAValue] = field(default_factory=list[SSAValue])
    when: list[SSAValue] = field(default_factory=list[SSAValue])
    _outside: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    _slopes: dict[SSAValue, int | None] = field(default_factory=dict["SSAValue", "int | None"])

    def solve(self, condition: SSAValue) -> bool:
        """Take up a condition; False (and nothing done) if its range is not known."""
        op = condition.owner
        if self.slope(condition) == 0:
            self.when.append(self.outside(condition))
            return True
        if isinstance(op, arith.AndIOp):
            return self._both(op.lhs, op.rhs)
        if isinstance(op, scf.IfOp) and (second := _conjunct(op, condition)) is not None:
            return self._both(op.cond, second)
        return isinstance(op, arith.CmpiOp) and self._compare(op)

    def _both(self, first: SSAValue, second: SSAValue) -> bool:
        marks = len(self.lower), len(self.upper), len(self.when)
        if self.solve(first) and self.solve(second):
            return True
        for limits, mark in zip((self.lower, self.upper, self.when), marks, strict=True):
            del limits[mark:]
        return False

    def _compare(self, op: arith.CmpiOp) -> bool:
        predicate = op.predicate.value.data
        variable, limit = op.lhs, op.rhs
        if self.slope(variable) == 0:
            variable, limit = limit, variable
            predicate = _EXCHANGED.get(predicate, predicate)
        slope = self.slope(variable)
        if slope not in (1, -1) or self.slope(limit) != 0:
            return False
        if predicate == _ULT and _is_size(limit):
            base, bound = self.outside(variable), self.outside(limit)
            self._limit(_SGE, slope, base, self.number(0))
            self._limit(_SLT, slope, base, bound)
            return True
        if predicate in (_SLT, _SLE, _SGT, _SGE):
            self._limit(predicate, slope, self.outside(variable), self.outside(limit))
            return True
        return False

    def _limit(self, predicate: int, slope: int, base: SSAValue, bound: SSAValue) -> None:
        """`slope * i + base` compares so with `bound`; lower limits are inclusive, upper not."""
        is_upper = (predicate in (_SLT, _SLE)) == (slope == 1)
        difference = self.minus(bound, base) if slope == 1 else self.minus(base, bound)
        inclusive = predicate in (_SLE, _SGE)
        if is_upper == inclusive:  # i <= d, or i > d
            difference = self.plus(difference, self.number(1))
        (self.upper if is_upper else self.lower).append(difference)

    def range(self) -> tuple[SSAValue, SSAValue]:
        """First and end of the iterations in which all conditions hold; first <= end."""
        start, end = self.loop.lb, self.loop.ub
        for limit in self.lower:
            start = self.binary(arith.MaxSIOp, start, limit)
        start = self.binary(arith.MinSIOp, start, self.loop.ub)
        start = self.binary(arith.MaxSIOp, start, self.loop.lb)
        for limit in self.upper:
            end = self.binary(arith.MinSIOp, end, limit)
        end = self.binary(arith.MaxSIOp, end, start)
        for condition in self.when:
            end = self.add(_select(condition, end, start)).results[0]
        return start, end

    def slope(self, value: SSAValue, depth: int = _DEPTH) -> int | None:
        """How much `value` grows with the loop's variable; None where that is not constant."""
        if value not in self._slopes:
            self._slopes[value] = self._find_slope(value, depth)
        return self._slopes[value]

    def _find_slope(self, value: SSAValue, depth: int) -> int | None:
        if value is self.loop.body.block.args[0]:
            return 1
        op = value.owner
        if not self._is_inside(value):
            return 0
        if isinstance(op, Block) or depth == 0 or not _is_computed(op):
            return None
        slopes = [self.slope(operand, depth - 1) for operand in op.operands]
        return _slope_of(op, slopes)

    def _is_inside(self, value: SSAValue) -> bool:
        owner = value.owner
        block = owner if isinstance(owner, Block) else owner.parent
        parent = block.parent_op() if block is not None else None
        return parent is not None and self.loop.is_ancestor(parent)

    def outside(self, value: SSAValue) -> SSAValue:
        """What `value` is before the loop, with 0 for the loop's variable."""
        if value is self.loop.body.block.args[0]:
            return self.number(0)
        if not self._is_inside(value):
            return value
        if value not in self._outside:
            op = value.owner
            assert isinstance(op, Operation), "only the loop's variable is an argument inside"
            operands = [self.outside(operand) for operand in op.operands]
            copy = op.create(
                operands=operands,
                result_types=op.result_types,
                properties=op.properties,
                attributes=op.attributes,
            )
            self._outside[value] = self.add(copy).results[0]
        return self._outside[value]

    def add(self, op: Operation) -> Operation:
        """Put an op before the loop."""
        op.location = self.loop.location
        block = self.loop.parent
        assert block is not None, "the loop stands in a block"
        block.insert_op_before(op, self.loop)
        return op

    def number(self, value: int) -> SSAValue:
        """A constant before the loop."""
        return self.add(constant(INDEX, value, self.loop.location)).results[0]

    def binary(self, kind: type[Operation], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`kind(lhs, rhs)` before the loop."""
        return self.add(kind(lhs, rhs)).results[0]  # pyright: ignore[reportCallIssue]

    def plus(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`lhs + rhs` before the loop."""
        return self.add(arith.AddiOp(lhs, rhs)).results[0]

    def minus(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`lhs - rhs` before the loop."""
        return self.add(arith.SubiOp(lhs, rhs)).results[0]


def _is_computed(op: Operation) -> bool:
    """Whether an op gives the same result wherever it stands."""
    return not op.regions and (isinstance(op, memref.DimOp) or op.has_trait(Pure))


def _slope_of(op: Operation, slopes: list[int | None]) -> int | None:
    if all(slope == 0 for slope in slopes):
        return 0
    if None in slopes or op.results[0].type != INDEX:
        return None
    first, second = (slope or 0 for slope in (*slopes, 0)[:2])
    if isinstance(op, arith.AddiOp):
        return first + second
    if isinstance(op, arith.SubiOp):
        return first - second
    return None


def _is_size(value: SSAValue) -> bool:
    """Whether a value is known not to be negative: a size, or a constant."""
    number = constant_value(value)
    return isinstance(value.owner, memref.DimOp) or (number is not None and number >= 0)


def _conjunct(op: scf.IfOp, value: SSAValue) -> SSAValue | None:
    """`b` of `a and b`, which is `scf.if a -> i1 { yield b } else { yield false }`."""
    then, orelse = op.true_region.block.last_op, op.false_region.blocks[0].last_op
    assert then is not None and orelse is not None, "an if with results yields"
    position = list(op.results).index(value)  # pyright: ignore[reportArgumentType]
    if constant_value(orelse.operands[position]) == 0:
        return then.operands[position]
    return None


def _compare(predicate: int, lhs: SSAValue, rhs: SSAValue) -> Operation:
    return arith.CmpiOp(lhs, rhs, predicate)


def _select(condition: SSAValue, then: SSAValue, orelse: SSAValue) -> Operation:
    return arith.SelectOp(condition, then, orelse)
