"""Where lanes may go different ways but hardly ever do: code without masks for all of them.

    scf.if %in { A }                      scf.if (all lanes are in) { A for all lanes }
      (%in = %i < %n, %i affine)    ->    else { A under the mask %in }

    scf.for %j = %i to %n step %s { B }   scf.for … while the last lane is in { B for all lanes }
                                    ->    scf.if (lane 0 is in) {
                                            scf.while any lane is in { B under a mask }
                                          }

That all lanes are in is a question about two scalars, since what is compared grows by a constant
from lane to lane. It is asked where all lanes are there, so that no code is written more than twice
for each branch around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xdsl.dialects import arith, scf
from xdsl.ir import Block, Region, SSAValue

from ...dialects.predicates import EQ, EXCHANGED, NE, SGE, SGT, SLE, SLT, UGE, UGT, ULE, ULT
from ...passes.analyses.divergence import Spread, bits, terminator
from ..loop_forms import may_wrap

if TYPE_CHECKING:
    from .region import Body

_UPPER = {SLT: UGT, ULT: UGT, SLE: UGE, ULE: UGE}
"""Upper limits: how the distance from lane 0 to the limit compares with that to the last lane."""
_SIGNED = (SGT, SGE)


# --- conditions -----------------------------------------------------------------------------------


def holds_for_all(body: Body, condition: SSAValue) -> SSAValue | None:
    """A scalar that, where it is true, says that the condition holds in each lane.

    None if no cheap one is known: of comparisons of affine values with uniform ones it is.
    """
    parts = list(_conjuncts(condition))
    if not all(_is_known(body, part) for part in parts):
        return None
    found: SSAValue | None = None
    for part in parts:
        for scalar in _scalars_of(body, part):
            found = scalar if found is None else body.binary(arith.AndIOp, found, scalar)
    return found


def _conjuncts(condition: SSAValue) -> Sequence[SSAValue]:
    owner = condition.owner
    if isinstance(owner, arith.AndIOp):
        return [part for operand in owner.operands for part in _conjuncts(operand)]
    return [condition]


def _is_known(body: Body, part: SSAValue) -> bool:
    return body.spreads[part].is_uniform or _comparison(body, part) is not None


def _comparison(body: Body, part: SSAValue) -> tuple[int, SSAValue, SSAValue] | None:
    """(predicate, affine value that grows, uniform value) of a condition."""
    op = part.owner
    if not isinstance(op, arith.CmpiOp):
        return None
    predicate, lhs, rhs = op.predicate.value.data, op.lhs, op.rhs
    if body.spreads[lhs].is_uniform:
        predicate, lhs, rhs = EXCHANGED[predicate], rhs, lhs
    if predicate in (EQ, NE) or not body.spreads[rhs].is_uniform:
        return None
    return (predicate, lhs, rhs) if _grows(body, lhs) else None


def _grows(body: Body, value: SSAValue) -> bool:
    """Whether each lane's value is larger than that of the lane before, up to where it wraps."""
    stride = body.spreads[value].stride
    return stride is not None and 0 < stride * body.width < 1 << (bits(value.type) - 1)


def _scalars_of(body: Body, part: SSAValue) -> Sequence[SSAValue]:
    found = _comparison(body, part)
    if found is None:
        return [body.scalar(part)]
    predicate, lhs, rhs = found
    first, limit = body.scalar(lhs), body.scalar(rhs)
    reach = _reach(body, body.spreads[lhs])
    if predicate in _UPPER:
        return _below(body, predicate, first, limit, reach)
    # Lane 0 has the smallest value, unless one of the others has wrapped.
    width = bits(lhs.type)
    largest = (1 << (width - 1)) - 1 if predicate in _SIGNED else (1 << width) - 1
    last = body.number(largest - reach, first.type)
    kept = body.compare(SLE if predicate in _SIGNED else ULE, first, last)
    return [body.compare(predicate, first, limit), kept]


def _reach(body: Body, spread: Spread) -> int:
    """How much larger the last lane's value is than lane 0's."""
    return (spread.stride or 0) * (body.width - 1)


def _below(
    body: Body, predicate: int, first: SSAValue, limit: SSAValue, reach: int
) -> Sequence[SSAValue]:
    """Lane 0 is, and the limit is further away from it than the last lane: so no lane has wrapped.

    The distance has no sign, so that it fits where the limit is larger.
    """
    distance = body.binary(arith.SubiOp, limit, first)
    last = body.compare(_UPPER[predicate], distance, body.number(reach, first.type))
    return [body.compare(predicate, first, limit), last]


# --- branches -------------------------------------------------------------------------------------


def branch_together(
    body: Body, op: scf.IfOp, everyone: SSAValue, otherwise: Callable[[], None]
) -> None:
    """Take the first way of `op` without a mask where all lanes do; what `otherwise` writes if not.

    Results have been bound afterwards.
    """
    chosen = [index for index, value in enumerate(op.results) if body.spreads[value].stride is None]
    types = [body.type_of(op.results[index]) for index in chosen]

    def all_lanes() -> Sequence[SSAValue]:
        body.ops(op.true_region.block)
        return [body.vector(terminator(op.true_region).operands[index]) for index in chosen]

    def some_lanes() -> Sequence[SSAValue]:
        otherwise()
        return [body.vector(op.results[index]) for index in chosen]

    regions = [_region(body, all_lanes), _region(body, some_lanes)]
    new = scf.IfOp.create(operands=[everyone], result_types=types, regions=regions)
    body.add(new)
    for index, result in enumerate(op.results):
        if index not in chosen:  # both ways give this value
            body.bind(result, body.scalar(terminator(op.true_region).operands[index]))
    for index, value in zip(chosen, new.results, strict=True):
        body.bind(op.results[index], value)


def _region(body: Body, write: Callable[[], Sequence[SSAValue]]) -> Region:
    block = Block()
    with body.at(block, body.mask):
        body.add(scf.YieldOp.create(operands=write()))
    return Region(block)


# --- loops ----------------------------------------------------------------------------------------


def is_in_step(body: Body, op: scf.ForOp) -> bool:
    """Whether lanes begin a loop in places that grow, and have its end and step in common."""
    uniform = body.spreads[op.ub].is_uniform and body.spreads[op.step].is_uniform
    return uniform and _grows(body, op.lb)


def count_together(body: Body, op: scf.ForOp) -> SSAValue:
    """The iterations that all lanes make; what they carry is then bound to the block's arguments.

    Gives whether a lane may be left that has more to do.
    """
    arguments = op.body.block.args
    variable, *carried = arguments
    first, end, step = (body.scalar(bound) for bound in (op.lb, op.ub, op.step))
    reach = body.number(_reach(body, body.spreads[op.lb]), first.type)
    some, far = _below(body, SLT, first, end, _reach(body, body.spreads[op.lb]))
    all_in = body.binary(arith.AndIOp, some, far)
    if may_wrap(op):
        largest = body.number((1 << (bits(first.type) - 1)) - 1, first.type)
        fits = body.compare(SLE, end, body.binary(arith.SubiOp, largest, step))
        all_in = body.binary(arith.AndIOp, all_in, fits)
    last = body.select(all_in, body.binary(arith.SubiOp, end, reach), first)
    spreads = [body.spreads[argument] for argument in carried]
    initial = [first, *(body.get(*each) for each in zip(op.iter_args, spreads, strict=True))]
    types = [value.type for value in initial]
    block = body.arguments([first.type, *types])
    for old, new in zip(arguments, block.args[1:], strict=True):
        body.bind(old, new)
    with body.at(block, body.mask):
        body.ops(op.body.block)
        yielded = terminator(op.body).operands
        values = [body.get(*each) for each in zip(yielded, spreads, strict=True)]
        following = body.binary(arith.AddiOp, block.args[1], step)
        body.add(scf.YieldOp.create(operands=[following, *values]))
    loop = scf.ForOp.create(
        operands=[first, last, step, *initial], result_types=types, regions=[Region(block)]
    )
    body.add(loop)
    for old, new in zip(arguments, loop.results, strict=True):
        body.bind(old, new)
    return _may_be_left(body, variable, loop.results[0], end)


def _may_be_left(body: Body, variable: SSAValue, first: SSAValue, end: SSAValue) -> SSAValue:
    """Lane 0 comes first, unless another has wrapped."""
    largest = (1 << (bits(first.type) - 1)) - 1
    last = body.number(largest - _reach(body, body.spreads[variable]), first.type)
    inside = body.compare(SLT, first, end)
    return body.binary(arith.OrIOp, inside, body.compare(SGT, first, last))
