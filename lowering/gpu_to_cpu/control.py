"""Write control flow that has synchronisation inside.

    scf.if %c {         uniform         scf.if %c { plan }
      …                 in a block      %c is kept per thread; the first thread's decides, and a
      gpu.barrier                       gpux.check "barrier" compares the others' with it
      …                 in a subgroup   %then = mask and %c
    }                   with masks      scf.if any(%then) { plan under %then }; likewise for else

Under masks a loop runs while any lane is active; a lane that is done is taken out of the mask.
What control flow carries and results in is in arrays (see `live`) unless it is uniform.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import AnyFloat, i1
from xdsl.ir import SSAValue

from ...dialects import gpu, gpux
from ...dialects.walking import ops_of
from ..loop_forms import may_wrap
from .frame import Frame
from .scopes import BlockScope, LaneScope
from .split import Control
from .uniform import OF_BLOCK, terminator_operands

if TYPE_CHECKING:
    from .emit import Emitter

MESSAGE = "barrier is reached by some threads of the block only"


def emit_control(emitter: Emitter, control: Control, scope: BlockScope | LaneScope) -> None:
    """Write `control` for the threads of `scope`."""
    emitter.build.location = control.op.location
    if control.masked:
        assert isinstance(scope, LaneScope), "only subgroups have masks"
        way = _Masked(emitter, control, scope)
    else:
        way = _Uniform(emitter, control, scope)
    if isinstance(control.op, scf.IfOp):
        way.write_if(control.op)
    elif isinstance(control.op, scf.ForOp):
        way.write_for(control.op)
    else:
        way.write_while(control.op)


class _Uniform:
    """All threads of the scope go the same way: the op stays, around the plans of its regions."""

    def __init__(self, emitter: Emitter, control: Control, scope: BlockScope | LaneScope) -> None:
        self.emitter = emitter
        self.control = control
        self.scope = scope

    def _get(self, value: SSAValue) -> SSAValue:
        """A value that is the same for all threads of the scope, or has to be."""
        if isinstance(self.scope, BlockScope) and self.emitter.levels.get(value) != OF_BLOCK:
            return self._agreed(value, self.scope)
        return self.scope.frame(self.control.leaf).get(value)

    def _agreed(self, value: SSAValue, scope: BlockScope) -> SSAValue:
        """The first thread's value, and a check that all others have the same."""
        build, leaf = self.emitter.build, self.control.leaf
        first = scope.first(leaf).get(value)
        # The rest of a switch may have none.
        barriers = (op for op in ops_of(self.control.op) if isinstance(op, gpu.BarrierOp))
        barrier = next(barriers, self.control.op)

        def compare(frame: Frame) -> None:
            own = frame.get(value)
            assert not isinstance(own.type, AnyFloat), "control flow is steered by integers"
            check = gpux.CheckOp(build.compare("eq", own, first), "barrier", MESSAGE)
            frame.fill_ids(check)
            build.add(check)
            check.location = barrier.location

        scope.each(leaf, compare)
        return first

    def _carried(self, targets: Sequence[SSAValue]) -> list[int]:
        """The positions of what the op itself carries."""
        live, group = self.emitter.live, self.control.group
        return [i for i, value in enumerate(targets) if live.is_scalar(value, group)]

    def _bind(self, old: Sequence[SSAValue], picked: list[int], new: Sequence[SSAValue]) -> None:
        for position, value in zip(picked, new, strict=True):
            self.emitter.scalars[old[position]] = value

    def _plan(self, index: int, picked: list[int]) -> list[SSAValue]:
        """Write a region's plan; gives those of its yields that the op carries."""
        self.emitter.plan(self.control.plans[index], self.scope)
        self.emitter.build.location = self.control.op.location
        return self._pick(terminator_operands(self.control.op, index), picked)

    def _pick(self, values: Sequence[SSAValue], picked: list[int]) -> list[SSAValue]:
        frame = self.scope.frame(self.control.leaf)
        return [frame.get(values[position]) for position in picked]

    def write_if(self, op: scf.IfOp) -> None:
        picked = self._carried(op.results)
        condition = self._get(op.cond)
        results = self.emitter.build.if_(
            condition,
            [op.results[position].type for position in picked],
            lambda: self._plan(0, picked),
            (lambda: self._plan(1, picked)) if len(self.control.plans) > 1 else None,
        )
        self._bind(op.results, picked, results)

    def write_for(self, op: scf.ForOp) -> None:
        variable, *arguments = op.body.block.args
        picked = self._carried(arguments)
        bounds = [self._get(bound) for bound in (op.lb, op.ub, op.step)]

        def body(index: SSAValue, carried: Sequence[SSAValue]) -> Sequence[SSAValue]:
            self.emitter.scalars[variable] = index
            self._bind(arguments, picked, carried)
            return self._plan(0, picked)

        initial = self._pick(op.iter_args, picked)
        results = self.emitter.build.for_(bounds, initial, body, variable.name_hint)
        self._bind(op.results, picked, results)

    def write_while(self, op: scf.WhileOp) -> None:
        before, after = op.before_region.block.args, op.after_region.block.args
        picked_before, picked_after = self._carried(before), self._carried(after)

        def test(carried: Sequence[SSAValue]) -> Sequence[SSAValue]:
            self._bind(before, picked_before, carried)
            passed = [position + 1 for position in picked_after]
            values = self._plan(0, passed)
            return [self._get(terminator_operands(op, 0)[0]), *values]

        def body(carried: Sequence[SSAValue]) -> Sequence[SSAValue]:
            self._bind(after, picked_after, carried)
            return self._plan(1, picked_before)

        types = [after[position].type for position in picked_after]
        initial = self._pick(op.arguments, picked_before)
        results = self.emitter.build.while_(initial, types, test, body)
        self._bind(op.results, picked_after, results)


class _Masked:
    """Lanes of one subgroup go different ways; each way is gone with the lanes that take it."""

    def __init__(self, emitter: Emitter, control: Control, scope: LaneScope) -> None:
        self.emitter = emitter
        self.build = emitter.build
        self.control = control
        self.scope = scope

    def _and(self, lhs: SSAValue | None, rhs: SSAValue) -> SSAValue:
        return rhs if lhs is None else self.build.binary(arith.AndIOp, lhs, rhs)

    def _or(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        return self.build.binary(arith.OrIOp, lhs, rhs)

    def _run(self, index: int, mask: SSAValue) -> Sequence[SSAValue]:
        self.emitter.plan(self.control.plans[index], self.scope.masked(mask))
        self.build.location = self.control.op.location
        return ()

    def write_if(self, op: scf.IfOp) -> None:
        build, no = self.build, self.build.constant(0, i1)
        masks = [self.emitter.mask() for _ in self.control.plans]

        def choose(frame: Frame, active: SSAValue | None, found: Sequence[SSAValue]):
            condition = frame.get(op.cond)
            ways = [self._and(active, condition)]
            if len(masks) > 1:
                inverse = build.binary(arith.XOrIOp, condition, build.constant(1, i1))
                ways.append(self._and(active, inverse))
            for way, mask in zip(ways, masks, strict=True):
                build.store(way, mask, frame.ids.lane)
            return [self._or(old, way) for old, way in zip(found, ways, strict=True)]

        taken = self.scope.fold(self.control.leaf, [no] * len(masks), choose)
        for index, mask in enumerate(masks):
            build.if_(taken[index], (), lambda index=index, mask=mask: self._run(index, mask))

    def write_for(self, op: scf.ForOp) -> None:
        build, mask, wraps = self.build, self.emitter.mask(), may_wrap(op)
        variable = op.body.block.args[0]
        inner = self.scope.masked(mask)

        def begin(frame: Frame, active: SSAValue | None, found: Sequence[SSAValue]):
            frame.store(lower := frame.get(op.lb), variable)
            runs = self._and(active, build.compare("slt", lower, frame.get(op.ub)))
            build.store(runs, mask, frame.ids.lane)
            return [self._or(found[0], runs)]

        def advance(frame: Frame, active: SSAValue | None, found: Sequence[SSAValue]):
            index, step, limit = frame.load(variable), frame.get(op.step), frame.get(op.ub)
            following = build.plus(index, step)
            frame.store(following, variable)
            if wraps:
                left = build.binary(arith.SubiOp, limit, index)
                runs = self._and(active, build.compare("ult", step, left))
            else:
                runs = self._and(active, build.compare("slt", following, limit))
            build.store(runs, mask, frame.ids.lane)
            return [self._or(found[0], runs)]

        def body(_: Sequence[SSAValue]) -> Sequence[SSAValue]:
            self._run(0, mask)
            return inner.fold(self.control.leaf, [build.constant(0, i1)], advance)

        initial = self.scope.fold(self.control.leaf, [build.constant(0, i1)], begin)
        build.while_(initial, (), lambda carried: carried, body)

    def write_while(self, op: scf.WhileOp) -> None:
        build, mask = self.build, self.emitter.mask()
        inner = self.scope.masked(mask)
        condition = terminator_operands(op, 0)[0]

        def begin(frame: Frame, active: SSAValue | None, _: Sequence[SSAValue]):
            build.store(build.constant(1, i1) if active is None else active, mask, frame.ids.lane)
            return ()

        def decide(frame: Frame, active: SSAValue | None, found: Sequence[SSAValue]):
            runs = self._and(active, frame.get(condition))
            build.store(runs, mask, frame.ids.lane)
            return [self._or(found[0], runs)]

        def test(_: Sequence[SSAValue]) -> Sequence[SSAValue]:
            self._run(0, mask)
            return inner.fold(self.control.leaf, [build.constant(0, i1)], decide)

        self.scope.fold(self.control.leaf, (), begin)
        build.while_((), (), test, lambda _: self._run(1, mask))
