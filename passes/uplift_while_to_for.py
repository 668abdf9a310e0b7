"""uplift-while-to-for: a `while` that counts up to a limit is a loop with a known number of rounds.

    %end = scf.while (%p = %first, %s = %zero) … {     %sum = scf.for %p = %first to %n step %step
      %on = arith.cmpi slt, %p, %n                         iter_args(%s = %zero) -> (f32) {
      scf.condition(%on) %p, %s                          %v = memref.load %x[%p]
    } do {                                               %t = arith.addf %s, %v
    ^bb0(%p: index, %s: f32):                      ->    scf.yield %t
      %v = memref.load %x[%p]                          }
      %t = arith.addf %s, %v
      %q = arith.addi %p, %step
      scf.yield %q, %t
    }

Of such loops other passes know between which numbers `%p` is, and that lanes hardly ever part in
them. It is done where nothing wraps: indices, by a positive step, and integers by 1. What `%p` is
after the loop must not be asked for. (Upstream's pattern of the same name leaves signs to callers.)
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects.predicates import EXCHANGED, SGT, SLT
from ..dialects.walking import ops_of
from .analyses.launch_limits import is_positive_size, known_size
from .analyses.thread_ranges import is_computed
from .utils.block_editing import constant_value, erase, functions, is_outside


@dataclass(frozen=True)
class UpliftWhileToFor(ModulePass):
    """Makes loops that count up `scf.for`."""

    name = "uplift-while-to-for"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            block = known_size(function, "block")
            for loop in reversed(ops_of(function)):  # inner ones first
                if isinstance(loop, scf.WhileOp):
                    _loop(loop, block)


@dataclass(frozen=True)
class _Count:
    """The position of what counts among what a loop carries, its limit and its step."""

    position: int
    limit: SSAValue
    step: SSAValue


def _loop(loop: scf.WhileOp, block: tuple[int, ...] | None) -> None:
    count = _count_of(loop, block)
    if count is None:
        return
    for value in (count.limit, count.step):
        _move_before(value, loop)
    position, body = count.position, loop.after_region.block
    given = body.last_op
    assert given is not None, "a block ends with a yield"
    yielded, carried = list(given.operands), list(loop.arguments)
    first, _ = carried.pop(position), yielded.pop(position)
    counter = body.args[position]
    index = body.insert_arg(counter.type, 0)
    counter.replace_all_uses_with(index)
    body.erase_arg(counter)
    body.insert_op_after(scf.YieldOp.create(operands=yielded, location=given.location), given)
    erase(given)
    loop.after_region.detach_block(body)
    made = scf.ForOp.create(
        operands=[first, count.limit, count.step, *carried],
        result_types=[value.type for value in carried],
        regions=[Region(body)],
        location=loop.location,
    )
    assert loop.parent is not None, "a loop stands in a block"
    loop.parent.insert_op_before(made, loop)
    results = list(loop.results)
    results.pop(position)
    for old, new in zip(results, made.results, strict=True):
        old.replace_all_uses_with(new)
    erase(loop)


def _count_of(loop: scf.WhileOp, block: tuple[int, ...] | None) -> _Count | None:
    before, body = loop.before_region.block, loop.after_region.block
    condition, given = before.last_op, body.last_op
    if not isinstance(condition, scf.ConditionOp) or not isinstance(given, scf.YieldOp):
        return None
    ops = [op for op in before.ops if op is not condition]
    if list(condition.args) != list(before.args) or not all(map(is_computed, ops)):
        return None
    compare = condition.condition.owner
    if not isinstance(compare, arith.CmpiOp) or compare.parent is not before:
        return None
    predicate, value, limit = compare.predicate.value.data, compare.lhs, compare.rhs
    if predicate == SGT:
        predicate, value, limit = EXCHANGED[predicate], limit, value
    if predicate != SLT or value not in before.args or not _is_invariant(limit, loop):
        return None
    position = list(before.args).index(value)  # pyright: ignore[reportArgumentType]
    step = _step_of(given.operands[position], body.args[position])
    if step is None or not _is_invariant(step, loop) or not _counts_up(value, step, block):
        return None
    if next(iter(loop.results[position].uses), None) is not None:
        return None
    return _Count(position, limit, step)


def _step_of(after: SSAValue, before: SSAValue) -> SSAValue | None:
    """What is added from one round to the next."""
    add = after.owner
    if not isinstance(add, arith.AddiOp):
        return None
    if add.lhs is before:
        return add.rhs
    return add.lhs if add.rhs is before else None


def _counts_up(value: SSAValue, step: SSAValue, block: tuple[int, ...] | None) -> bool:
    """Whether the step is positive, and the last number that is below a limit has a next one."""
    if isinstance(value.type, IndexType):
        return is_positive_size(step, block)
    return constant_value(step) == 1


def _is_invariant(value: SSAValue, loop: scf.WhileOp) -> bool:
    """Whether a value is the same in all rounds, by ops that can stand before the loop."""
    if is_outside(value, loop):
        return True
    op = value.owner
    return (
        isinstance(op, Operation)
        and is_computed(op)
        and all(_is_invariant(operand, loop) for operand in op.operands)
    )


def _move_before(value: SSAValue, loop: scf.WhileOp) -> None:
    """Have an invariant value computed before the loop."""
    op = value.owner
    if isinstance(op, Operation) and not is_outside(value, loop):
        for operand in op.operands:
            _move_before(operand, loop)
        op.detach()
        assert loop.parent is not None, "a loop stands in a block"
        loop.parent.insert_op_before(op, loop)
