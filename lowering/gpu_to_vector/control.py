"""Control flow that lanes may go through in different ways, under masks.

    scf.if %c { A } else { B }        %then = %c and mask, %orelse = not %c and mask
                                      scf.if (any of %then) { A under %then }; the same for B
                                      results are chosen lane by lane
    a small branch without effects    both ways for all lanes
    scf.while / scf.for               while any lane is there; a lane that has left keeps what the
                                      loop gave it

Where all lanes go one way the op stays what it was. In a loop that lanes leave at different times,
what they still have in common there stays scalar; a value that is used after the loop has a second
place, with a lane for each thread, unless it is one that the loop carries in vectors anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xdsl.dialects import arith, scf
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects.predicates import SLT, ULT
from ...passes.analyses.divergence import is_function, terminator
from ..loop_forms import may_wrap
from .memory import is_masked_access
from .single import choose
from .together import branch_together, count_together, holds_for_all, is_in_step

if TYPE_CHECKING:
    from .region import Body

SPECULATED = 10
"""So many ops without effects cost less than asking whether any lane wants them."""
_EXPENSIVE = ("math.", "arith.div", "arith.rem", "arith.floordiv", "arith.ceildiv")


# --- branches -------------------------------------------------------------------------------------


def branch(body: Body, op: scf.IfOp) -> None:
    """Write an `scf.if`."""
    if body.spreads[op.cond].is_uniform:
        _together(body, op)
        return
    if all(_is_cheap(region) for region in op.regions):
        _both(body, op)
        return
    everyone = holds_for_all(body, op.cond) if body.mask is None else None
    if everyone is None:
        _by_masks(body, op)
    else:
        branch_together(body, op, everyone, lambda: _by_masks(body, op))


def _by_masks(body: Body, op: scf.IfOp) -> None:
    ask = not all(_is_small(body, region) for region in op.regions)
    _apart(body, op, ask=ask)


def _together(body: Body, op: scf.IfOp) -> None:
    spreads = [body.spreads[result] for result in op.results]

    def way(region: Region) -> Region:
        if not region.blocks:
            return Region()
        block = Block()
        with body.at(block, body.mask):
            body.ops(region.block)
            yielded = terminator(region).operands
            values = [
                body.get(value, spread) for value, spread in zip(yielded, spreads, strict=True)
            ]
            body.add(scf.YieldOp.create(operands=values))
        return Region(block)

    types = [body.type_of(result) for result in op.results]
    regions = [way(region) for region in op.regions]
    new = scf.IfOp.create(operands=[body.scalar(op.cond)], result_types=types, regions=regions)
    body.add(new)
    _bind_results(body, op.results, new.results)


def _is_cheap(region: Region) -> bool:
    """Whether a way is better gone by all lanes, for nothing if need be."""
    return _is_light(region, lambda op: False)


def _is_small(body: Body, region: Region) -> bool:
    """Whether a way may be gone by no lanes at all, and costs less than asking for any."""
    return _is_light(region, lambda op: is_masked_access(body, op))


def _is_light(region: Region, also: Callable[[Operation], bool]) -> bool:
    """Whether a way has few ops, which have no effects or are as said."""
    if not region.blocks:
        return True
    ops = [op for op in region.block.ops if not isinstance(op, scf.YieldOp)]
    return len(ops) <= SPECULATED and all(
        also(op) or (is_function(op) and not op.regions and not op.name.startswith(_EXPENSIVE))
        for op in ops
    )


def _both(body: Body, op: scf.IfOp) -> None:
    """All lanes go both ways, which has no effects."""
    condition = body.vector(op.cond)
    for region in op.regions:
        if region.blocks:
            body.ops(region.block)
    if op.results:
        then, orelse = (terminator(region).operands for region in op.regions)
        for result, yes, no in zip(op.results, then, orelse, strict=True):
            _bind_choice(body, result, condition, yes, no)


def _bind_choice(
    body: Body, result: SSAValue, condition: SSAValue, yes: SSAValue, no: SSAValue
) -> None:
    if yes is no and body.spreads[result].stride is not None:
        body.bind(result, body.scalar(yes))
    else:
        body.bind(result, body.select(condition, body.vector(yes), body.vector(no)))


def _apart(body: Body, op: scf.IfOp, *, ask: bool) -> None:
    """Each way with the lanes that go it; if there are none, it is skipped where `ask` is set."""
    condition = body.vector(op.cond)
    chosen = [index for index, value in enumerate(op.results) if body.spreads[value].stride is None]
    results: Sequence[SSAValue] = ()
    if chosen or not _is_idle(op.true_region):
        results = _go(body, op.true_region, body.among_active(condition), chosen, None, ask)
    if op.false_region.blocks and (chosen or not _is_idle(op.false_region)):
        others = body.among_active(body.inverse(condition))
        results = _go(body, op.false_region, others, chosen, results, ask)
    _bind_results(body, [op.results[index] for index in chosen], results)
    for index, result in enumerate(op.results):
        if index not in chosen:  # both ways give this value
            body.bind(result, body.scalar(terminator(op.true_region).operands[index]))


def _is_idle(region: Region) -> bool:
    return isinstance(region.block.first_op, scf.YieldOp)


def _go(
    body: Body,
    region: Region,
    mask: SSAValue,
    chosen: Sequence[int],
    before: Sequence[SSAValue] | None,
    ask: bool,
) -> Sequence[SSAValue]:
    """One way, which gives the chosen of its values to the lanes that go it; others keep theirs."""
    yielded = [terminator(region).operands[index] for index in chosen]
    types = [body.vector_type(value.type) for value in yielded]
    otherwise = [body.number(0, type) for type in types] if before is None else before

    def write() -> Sequence[SSAValue]:
        with body.at(body.block, mask):
            body.ops(region.block)
            values = [body.vector(value) for value in yielded]
            if before is None:
                return values
            return [body.select(mask, *pair) for pair in zip(values, before, strict=True)]

    return choose(body, body.any(mask), types, write, otherwise) if ask else write()


# --- loops that all lanes leave together ----------------------------------------------------------


def count(body: Body, op: scf.ForOp) -> None:
    """Write an `scf.for`."""
    if body.spreads.is_divergent(op):
        _leave(body, op)
        return
    variable, *carried = op.body.block.args
    block = body.arguments([variable.type, *(body.type_of(value) for value in carried)])
    for old, new in zip(op.body.block.args, block.args, strict=True):
        body.bind(old, new)
    with body.at(block, body.mask):
        body.ops(op.body.block)
        body.add(scf.YieldOp.create(operands=_as(body, terminator(op.body).operands, carried)))
    operands = [body.scalar(bound) for bound in (op.lb, op.ub, op.step)]
    new = scf.ForOp.create(
        operands=[*operands, *_as(body, op.iter_args, carried)],
        result_types=[body.type_of(value) for value in carried],
        regions=[Region(block)],
        attributes=dict(op.attributes),
    )
    body.add(new)
    _bind_results(body, op.results, new.results)


def _leave(body: Body, op: scf.ForOp) -> None:
    """A loop that lanes leave at different times, after what all of them make together."""
    leaving = _Leaving(body, op)
    if body.mask is not None or not is_in_step(body, op):
        leaving.count(op, [op.lb, *op.iter_args])
        return
    left = count_together(body, op)
    arguments = op.body.block.args
    used = leaving.used
    before = [body.vector(arguments[1 + index]) for index in used]

    def rest() -> Sequence[SSAValue]:
        leaving.count(op, arguments)
        return [body.vector(op.results[index]) for index in used]

    types = [value.type for value in before]
    found = choose(body, left, types, rest, before)
    _bind_results(body, [op.results[index] for index in used], found)


def _as(body: Body, values: Sequence[SSAValue], targets: Sequence[SSAValue]) -> list[SSAValue]:
    """Values in the form of those that they become."""
    return [
        body.get(value, body.spreads[target]) for value, target in zip(values, targets, strict=True)
    ]


def _bind_results(body: Body, old: Sequence[SSAValue], new: Sequence[SSAValue]) -> None:
    for result, value in zip(old, new, strict=True):
        body.bind(result, value)


def repeat(body: Body, op: scf.WhileOp) -> None:
    """Write an `scf.while`."""
    if body.spreads.is_divergent(op):
        _Leaving(body, op).repeat(op)
        return
    before, after = op.before_region.block, op.after_region.block
    test = body.arguments([body.type_of(value) for value in before.args])
    again = body.arguments([body.type_of(value) for value in after.args])
    _bind_results(body, before.args, test.args)
    with body.at(test, body.mask):
        body.ops(before)
        condition, *passed = terminator(op.before_region).operands
        operands = [body.scalar(condition), *_as(body, passed, after.args)]
        body.add(scf.ConditionOp.create(operands=operands))
    _bind_results(body, after.args, again.args)
    with body.at(again, body.mask):
        body.ops(after)
        yielded = terminator(op.after_region).operands
        body.add(scf.YieldOp.create(operands=_as(body, yielded, before.args)))
    new = scf.WhileOp.create(
        operands=_as(body, op.arguments, before.args),
        result_types=[value.type for value in again.args],
        regions=[Region(test), Region(again)],
    )
    body.add(new)
    _bind_results(body, op.results, new.results)


# --- loops that lanes leave at different times ----------------------------------------------------


class _Leaving:
    """A loop that runs while any lane is there; the first value that it carries is which are."""

    def __init__(self, body: Body, op: scf.ForOp | scf.WhileOp) -> None:
        self.body = body
        used = [next(iter(result.uses), None) is not None for result in op.results]
        self.used = [index for index, is_used in enumerate(used) if is_used]

    def _is_vector(self, value: SSAValue) -> bool:
        return self.body.spreads[value].stride is None

    def count(self, op: scf.ForOp, first: Sequence[SSAValue]) -> None:
        """A loop over ranges that differ, from `first` on: the variable, and what is carried."""
        body = self.body
        variable, *carried = op.body.block.args
        frozen = [index for index in self.used if self._is_vector(carried[index])]
        kept = [index for index in self.used if index not in frozen]
        initial = [
            body.all_lanes(),
            *_as(body, first, op.body.block.args),
            *(body.vector(first[1 + index]) for index in kept),
        ]
        types = [value.type for value in initial]
        test, again = body.arguments(types), body.arguments(types)
        first_kept = 1 + len(op.body.block.args)
        _bind_results(body, op.body.block.args, test.args[1:first_kept])
        with body.at(test, test.args[0]):
            inside = body.compare(SLT, body.vector(variable), body.vector(op.ub))
            active = body.among_active(inside)
            operands = [body.any(active), active, *test.args[1:]]
            body.add(scf.ConditionOp.create(operands=operands))
        _bind_results(body, op.body.block.args, again.args[1:first_kept])
        with body.at(again, again.args[0]):
            body.ops(op.body.block)
            step = body.get(op.step, body.spreads[variable])
            following = body.binary(arith.AddiOp, again.args[1], step)
            yielded = terminator(op.body).operands
            values = _as(body, yielded, carried)
            for index in frozen:
                values[index] = body.select(again.args[0], values[index], again.args[2 + index])
            last = [
                body.select(again.args[0], body.vector(yielded[index]), before)
                for index, before in zip(kept, again.args[first_kept:], strict=True)
            ]
            body.add(scf.YieldOp.create(operands=[self._staying(op), following, *values, *last]))
        results = self._loop(initial, types, test, again)
        for index in frozen:
            body.bind(op.results[index], results[2 + index])
        _bind_results(body, [op.results[index] for index in kept], results[first_kept:])

    def _staying(self, op: scf.ForOp) -> SSAValue:
        """The active lanes, at the end of a loop's body; without those whose variable may wrap."""
        body = self.body
        if not may_wrap(op):
            return body.all_lanes()
        limit, variable, step = map(body.vector, (op.ub, op.body.block.args[0], op.step))
        left = body.binary(arith.SubiOp, limit, variable)
        return body.among_active(body.compare(ULT, step, left))

    def repeat(self, op: scf.WhileOp) -> None:
        """A loop whose condition differs."""
        body = self.body
        before, after = op.before_region.block, op.after_region.block
        condition, *passed = terminator(op.before_region).operands
        arguments: list[SSAValue] = list(before.args)
        # What a lane takes from the loop is what it carries, which then has to stay as it was.
        frozen = {
            index: arguments.index(passed[index])
            for index in self.used
            if passed[index] in arguments and self._is_vector(passed[index])
        }
        stay = sorted(set(frozen.values()))
        kept = [index for index in self.used if index not in frozen]
        initial = [
            body.all_lanes(),
            *_as(body, op.arguments, arguments),
            *(body.number(0, body.vector_type(passed[index].type)) for index in kept),
        ]
        test = body.arguments([value.type for value in initial])
        count = 1 + len(arguments)
        _bind_results(body, arguments, test.args[1:count])
        with body.at(test, test.args[0]):
            body.ops(before)
            active = body.among_active(body.vector(condition))
            last = [
                body.select(test.args[0], body.vector(passed[index]), old)
                for index, old in zip(kept, test.args[count:], strict=True)
            ]
            staying = [test.args[1 + index] for index in stay]
            results = [active, *_as(body, passed, after.args), *staying, *last]
            body.add(scf.ConditionOp.create(operands=[body.any(active), *results]))
        types = [value.type for value in results]
        again = body.arguments(types)
        first_staying = 1 + len(passed)
        first_kept = first_staying + len(stay)
        _bind_results(body, after.args, again.args[1:first_staying])
        with body.at(again, again.args[0]):
            body.ops(after)
            values = _as(body, terminator(op.after_region).operands, arguments)
            for index, old in zip(stay, again.args[first_staying:first_kept], strict=True):
                values[index] = body.select(again.args[0], values[index], old)
            yielded = [again.args[0], *values, *again.args[first_kept:]]
            body.add(scf.YieldOp.create(operands=yielded))
        found = self._loop(initial, types, test, again)
        for index, argument in frozen.items():
            body.bind(op.results[index], found[first_staying + stay.index(argument)])
        _bind_results(body, [op.results[index] for index in kept], found[first_kept:])

    def _loop(
        self, initial: Sequence[SSAValue], types: Sequence[Attribute], test: Block, again: Block
    ) -> Sequence[SSAValue]:
        regions = [Region(test), Region(again)]
        op = scf.WhileOp.create(operands=initial, result_types=types, regions=regions)
        return self.body.add(op).results
