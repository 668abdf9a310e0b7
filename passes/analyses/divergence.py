"""Divergence analysis: how a value differs between the threads of a subgroup and of a block.

    %n = memref.dim %x, %c0          block        the same for all threads of the block
    %v = memref.load %x[%n]          subgroup     the same for all lanes that run it together
    %i = arith.addi %t, %n           affine 1     from each lane to the next it grows by 1
    %a = memref.load %x[%i]          varying      nothing is known
    scf.if %c (of %a) { … }          divergent    lanes go different ways

Lanes of a subgroup run in step: those that are active when an op is run, run it together, so that
what they load from one place is one value. Between two threads of a block memory may change, so
that a load is never the same for the block.

Affine values are exact, wherever integers wrap: lane l has `base + stride * l` in the arithmetic of
the type. So what extends an affine value is varying, since the wrap may lie between two lanes.

A loop that lanes leave at different times (its condition differs) gives varying results; inside, a
value is compared among those lanes only that are still there. What loops carry is taken to be as
uniform as what they start with until what they yield says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IndexType, MemRefType, UnitAttr
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.traits import Pure

from ...dialects import gpu, marks
from ..utils.block_editing import constant_value, integer_bits


class Scope(IntEnum):
    """The largest set of threads that have a value in common."""

    BLOCK = 0
    SUBGROUP = 1
    LANE = 2


class Spread(NamedTuple):
    """Who has a value in common; for values of one lane, by how much the next lane's is larger."""

    scope: Scope
    stride: int | None = 0

    @property
    def is_uniform(self) -> bool:
        """Whether all lanes of a subgroup that run the op have the value in common."""
        return self.scope is not Scope.LANE

    @property
    def is_affine(self) -> bool:
        """Whether lanes differ by a stride that is known."""
        return self.scope is Scope.LANE and self.stride is not None

    def __str__(self) -> str:
        if self.is_uniform:
            return self.scope.name.lower()
        return "varying" if self.stride is None else f"affine {self.stride}"


BLOCK = Spread(Scope.BLOCK)
SUBGROUP = Spread(Scope.SUBGROUP)
VARYING = Spread(Scope.LANE, None)


def affine(stride: int) -> Spread:
    """From each lane to the next the value grows by `stride`."""
    return Spread(Scope.LANE, stride) if stride else SUBGROUP


def join(first: Spread, second: Spread) -> Spread:
    """What is known of a value that is one of two."""
    if first == second:
        return first
    if first.is_uniform and second.is_uniform:
        return max(first, second)
    return VARYING


Source = Callable[[Operation], Spread | None]
_VIEWS = ("subview", "cast", "reinterpret_cast", "view", "memory_space_cast", "dim")
_VIEW_NAMES = frozenset(f"memref.{name}" for name in _VIEWS)


class Divergence:
    """The spread of every value in a region; `divergence[value]`.

    `given` are the spreads of arguments and of values defined outside; others there are the same
    for the block. `source` says what an op gives that no rule is known for (ids), or None.
    """

    def __init__(
        self, region: Region, given: Mapping[SSAValue, Spread], source: Source = lambda op: None
    ) -> None:
        self._of: dict[SSAValue, Spread] = dict(given)
        self._source = source
        self._settled = False
        while not self._settled:
            self._settled = True
            self._region(region)

    def __getitem__(self, value: SSAValue) -> Spread:
        return self._of.get(value, BLOCK)

    def steering(self, op: Operation) -> Spread:
        """The spread of what decides which way through an op with regions is taken."""
        return _most(self[value] for value in steering_of(op))

    def is_divergent(self, op: Operation) -> bool:
        """Whether lanes that come to an op of control flow may go different ways through it."""
        return not self.steering(op).is_uniform

    # --- rules ------------------------------------------------------------------------------------

    def _set(self, value: SSAValue, spread: Spread) -> None:
        """Spreads only grow, so the search for the least ones ends."""
        known = self._of.get(value)
        if known is not None:
            spread = join(known, spread)
        if spread != known:
            self._of[value] = spread
            self._settled = False

    def _set_all(self, values: Sequence[SSAValue], *sources: Sequence[SSAValue]) -> None:
        for source in sources:
            for value, other in zip(values, source, strict=True):
                self._set(value, self[other])

    def _region(self, region: Region) -> None:
        for block in region.blocks:
            for op in block.ops:
                self._op(op)

    def _op(self, op: Operation) -> None:
        match op:
            case scf.IfOp() | scf.IndexSwitchOp():
                self._branch(op)
            case scf.ForOp():
                self._for(op)
            case scf.WhileOp():
                self._while(op)
            case _ if op.regions:
                self._unknown(op)
            case _ if op.results:
                spread = self._spread(op)
                for result in op.results:
                    self._set(result, spread)
            case _:
                pass

    def _spread(self, op: Operation) -> Spread:
        found = self._source(op)
        if found is not None:
            return found
        if isinstance(op, memref.AllocaOp):
            return VARYING if is_private(op) else BLOCK
        operands = [self[operand] for operand in op.operands]
        if isinstance(op, memref.LoadOp):
            return VARYING if any(not each.is_uniform for each in operands) else SUBGROUP
        rule = _RULES.get(type(op))
        if rule is not None and any(each.is_affine for each in operands):
            return rule(op, operands)
        return _most(operands) if is_function(op) else VARYING

    def _branch(self, op: scf.IfOp | scf.IndexSwitchOp) -> None:
        yields = [terminator(region).operands for region in op.regions if region.blocks]
        for region in op.regions:
            self._region(region)
        self._set_all(op.results, *yields)
        ways = zip(op.results, *yields, strict=True)
        chosen = [result for result, *values in ways if len(set(values)) > 1]
        self._way(chosen, self.steering(op))

    def _way(self, values: Sequence[SSAValue], way: Spread) -> None:
        """Values depend on the way that was taken."""
        for value in values:
            known = self[value]
            if not way.is_uniform:
                self._set(value, VARYING)
            elif known.is_uniform:
                self._set(value, max(known, way))

    def _for(self, op: scf.ForOp) -> None:
        variable, *carried = op.body.block.args
        first, step = self[op.lb], self[op.step]
        begins_affine = first.is_affine and step.is_uniform
        self._set(variable, first if begins_affine else _most((first, step)))
        self._set_all(carried, op.iter_args)
        self._region(op.body)
        self._set_all(carried, terminator(op.body).operands)
        self._set_all(op.results, carried)
        self._way(op.results, self.steering(op))

    def _while(self, op: scf.WhileOp) -> None:
        before, after = op.before_region.block.args, op.after_region.block.args
        self._set_all(before, op.arguments)
        self._region(op.before_region)
        passed = terminator(op.before_region).operands[1:]
        self._set_all(after, passed)
        self._region(op.after_region)
        self._set_all(before, terminator(op.after_region).operands)
        self._set_all(op.results, passed)
        self._way(op.results, self.steering(op))

    def _unknown(self, op: Operation) -> None:
        for region in op.regions:
            for block in region.blocks:
                for argument in block.args:
                    self._set(argument, VARYING)
            self._region(region)
        for result in op.results:
            self._set(result, VARYING)


def is_private(op: memref.AllocaOp) -> bool:
    """Whether each thread has an array of its own."""
    space: Attribute = op.memref.type
    assert isinstance(space, MemRefType), "an alloca gives a memref"
    return marks.PRIVATE in op.attributes or "private" in str(space.memory_space)


def is_private_array(value: SSAValue) -> bool:
    """Whether a value is an array (not a view) that each thread has of its own."""
    owner = value.owner
    if isinstance(owner, memref.AllocaOp):
        return is_private(owner)
    kernel = owner.parent_op() if isinstance(owner, Block) else None
    return isinstance(kernel, gpu.FuncOp) and any(value is array for array in kernel.private)


def mark_private(array: SSAValue) -> None:
    """Say of an alloca that each thread has such an array of its own."""
    assert isinstance(array.owner, memref.AllocaOp), "the array is made by an alloca"
    array.owner.attributes[marks.PRIVATE] = UnitAttr()


def is_function(op: Operation) -> bool:
    """Whether an op's results depend on its operands alone."""
    name = op.name
    if name.startswith(("arith.", "math.")) or name in _VIEW_NAMES:
        return True
    return not op.regions and op.has_trait(Pure)


def terminator(region: Region) -> Operation:
    """The op that ends a region of control flow."""
    last = region.block.last_op
    assert last is not None, "a region of control flow ends in a terminator"
    return last


def steering_of(op: Operation) -> Sequence[SSAValue]:
    """What decides which way through an op with regions is taken, or how often."""
    match op:
        case scf.IfOp():
            return (op.cond,)
        case scf.IndexSwitchOp():
            return (op.arg,)
        case scf.ForOp():
            return (op.lb, op.ub, op.step)
        case scf.WhileOp():
            return terminator(op.before_region).operands[:1]
        case _:
            return tuple(op.operands)


# --- affine arithmetic ----------------------------------------------------------------------------

Rule = Callable[[Operation, Sequence[Spread]], Spread]


def _strides(spreads: Sequence[Spread]) -> list[int] | None:
    strides = [spread.stride for spread in spreads]
    return None if None in strides else [stride or 0 for stride in strides]


def _combined(sign: int) -> Rule:
    def rule(op: Operation, operands: Sequence[Spread]) -> Spread:
        strides = _strides(operands)
        return VARYING if strides is None else affine(strides[0] + sign * strides[1])

    return rule


def _product(op: Operation, operands: Sequence[Spread]) -> Spread:
    for index in (0, 1):
        factor, stride = constant_value(op.operands[index]), operands[1 - index].stride
        if factor is not None and stride is not None:
            return affine(factor * stride)
    return VARYING


def _shifted(op: Operation, operands: Sequence[Spread]) -> Spread:
    by, stride = constant_value(op.operands[1]), operands[0].stride
    if by is None or stride is None or not 0 <= by < bits(op.results[0].type):
        return VARYING
    return affine(stride << by)


def _resized(op: Operation, operands: Sequence[Spread]) -> Spread:
    """Cut off or as wide as before: still affine. Extended: the wrap may lie between two lanes."""
    extends = bits(op.results[0].type) > bits(op.operands[0].type)
    return VARYING if extends else operands[0]


def _chosen(op: Operation, operands: Sequence[Spread]) -> Spread:
    way, first, second = operands
    return join(first, second) if way.is_uniform else VARYING


_RULES: dict[type[Operation], Rule] = {
    arith.AddiOp: _combined(1),
    arith.SubiOp: _combined(-1),
    arith.MuliOp: _product,
    arith.ShLIOp: _shifted,
    arith.IndexCastOp: _resized,
    arith.TruncIOp: _resized,
    arith.SelectOp: _chosen,
}


def bits(type: Attribute) -> int:
    """The width of an integer type; of `index` the widest that a target may give it."""
    if isinstance(type, IndexType):
        return 64
    width = integer_bits(type)
    assert width is not None, f"affine values are integers, not {type}"
    return width


def _most(spreads: Iterable[Spread]) -> Spread:
    """What a function of values with these spreads has."""
    most = BLOCK
    for spread in spreads:
        if not spread.is_uniform:
            return VARYING
        most = max(most, spread)
    return most
