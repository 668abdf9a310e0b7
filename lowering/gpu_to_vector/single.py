"""What has no form for vectors: once for each lane that takes part.

%r = func.call @f(%v) : …          %r = scf.for %l = %c0 to %c8 step %c1 iter_args(%all = %zero) {
                                     %on = vector.extract %mask[%l]
                                     %next = scf.if %on -> (vector<8xf32>) {
                                       %a = vector.extract %v[%l]
                                       %b = func.call @f(%a)
                                       %c = vector.insert %b, %all[%l]
                                       scf.yield %c
                                     } else { scf.yield %all }
                                     scf.yield %next

gpux.check %ok, …                  scf.if (any lane has not %ok) { that of the first such lane }
gpux.atomic_rmw "add" %v, %x[%n]   one atomic operation with the sum of the lanes
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from typing import TYPE_CHECKING

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import AnyFloat, MemRefType, i1
from xdsl.dialects.utils.fast_math import FastMathFlag
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpux
from ...dialects.vector import reduction
from ...dialects.walking import ops_of
from ...passes.analyses.divergence import bits
from .again import loaded_by
from .subgroups import first_of
from .together import holds_for_all

if TYPE_CHECKING:
    from .region import Body

UNROLLED = 16
"""Up to so many lanes, all of which take part, are written one after the other."""


def single(body: Body, op: Operation) -> None:
    """Write the op (with all that is inside it) for one lane after the other."""
    types = [body.vector_type(result.type) for result in op.results]
    lanes: list[SSAValue] = [body.number(0, type) for type in types]
    if body.mask is None and not op.regions and body.width <= UNROLLED:
        for number in range(body.width):
            lanes = _one(body, op, body.number(number), lanes)
    else:
        lanes = _each(body, op, lanes)
    for old, new in zip(op.results, lanes, strict=True):
        body.bind(old, new)


def _each(body: Body, op: Operation, lanes: Sequence[SSAValue]) -> list[SSAValue]:
    """A loop over the lanes."""
    types = [value.type for value in lanes]
    block = body.arguments([body.number(0).type, *types])
    index, *carried = block.args
    mask = body.mask
    with body.at(block, mask):
        if mask is None:
            results: Sequence[SSAValue] = _one(body, op, index, carried)
        else:
            active = body.extract(mask, index)
            results = choose(body, active, types, lambda: _one(body, op, index, carried), carried)
        body.add(scf.YieldOp.create(operands=results))
    bounds = [body.number(0), body.number(body.width), body.number(1)]
    loop = scf.ForOp.create(operands=[*bounds, *lanes], result_types=types, regions=[Region(block)])
    return list(body.add(loop).results)


def choose(
    body: Body,
    condition: SSAValue,
    types: Sequence[Attribute],
    then: Callable[[], Sequence[SSAValue]],
    orelse: Sequence[SSAValue] = (),
) -> Sequence[SSAValue]:
    """`scf.if`: what `then` writes and gives, or else the values of `orelse`."""
    block, other = Block(), Block()
    with body.at(block, body.mask):
        body.add(scf.YieldOp.create(operands=then()))
    regions = [Region(block), Region()]
    if types:
        with body.at(other, body.mask):
            body.add(scf.YieldOp.create(operands=orelse))
        regions[1] = Region(other)
    op = scf.IfOp.create(operands=[condition], result_types=types, regions=regions)
    return body.add(op).results


def _one(body: Body, op: Operation, index: SSAValue, lanes: Sequence[SSAValue]) -> list[SSAValue]:
    """The op for one lane, whose results are put into `lanes`."""
    inside = {result for inner in ops_of(op) for result in inner.results}
    inside |= {a for inner in ops_of(op) for r in inner.regions for b in r.blocks for a in b.args}
    given = dict.fromkeys(operand for inner in ops_of(op) for operand in inner.operands)
    mapping = {
        value: loaded_by(body, op, value, index) or _of_lane(body, value, index)
        for value in given
        if value not in inside
    }
    copy = _clone(body, op, mapping)
    return [
        body.insert(value, into, index) if next(iter(old.uses), None) is not None else into
        for old, value, into in zip(op.results, copy.results, lanes, strict=True)
    ]


def _clone(body: Body, op: Operation, mapping: dict[SSAValue, SSAValue]) -> Operation:
    copy = op.clone(mapping)
    location = body.location
    for old, new in zip(ops_of(op), ops_of(copy), strict=True):
        new.location = old.location
    body.location = op.location
    body.add(copy)
    body.location = location
    return copy


def _of_lane(body: Body, value: SSAValue, index: SSAValue) -> SSAValue:
    """A value in one lane; a view that differs by lane is made again."""
    if body.spreads[value].is_uniform:
        return body.scalar(value)
    if not isinstance(value.type, MemRefType):
        return body.lane(value, index)
    owner = value.owner
    assert isinstance(owner, Operation), "which array a lane has does not depend on control flow"
    mapping = {operand: _of_lane(body, operand, index) for operand in owner.operands}
    position = list(owner.results).index(value)  # pyright: ignore[reportArgumentType]
    return _clone(body, owner, mapping).results[position]


# --- checks ---------------------------------------------------------------------------------------


def check(body: Body, op: gpux.CheckOp) -> None:
    """One test for all lanes, of scalars if they suffice; the first that fails reports."""
    everyone = holds_for_all(body, op.condition) if body.mask is None else None
    if everyone is None or body.spreads[op.condition].is_uniform:
        _check(body, op)
        return
    _only_if(body, body.inverse(everyone), lambda: _check(body, op))


def _check(body: Body, op: gpux.CheckOp) -> None:
    if not body.spreads[op.condition].is_uniform:
        failed = body.among_active(body.inverse(body.vector(op.condition)))
        _only_if(body, body.any(failed), lambda: _fail(body, op, failed))
        return
    mask = body.all_lanes()
    fails = body.inverse(body.scalar(op.condition))
    _only_if(
        body,
        fails,
        lambda: _only_if(body, body.any(mask), lambda: _fail(body, op, mask)),
    )


def _only_if(body: Body, condition: SSAValue, write: Callable[[], None]) -> None:
    block = Block()
    with body.at(block, body.mask):
        write()
        body.add(scf.YieldOp.create())
    body.add(scf.IfOp.create(operands=[condition], regions=[Region(block), Region()]))


def _fail(body: Body, op: gpux.CheckOp, failed: SSAValue) -> None:
    """The report of the first lane that fails, which ends the block."""
    lane = body.value(
        arith.IndexCastOp.create(
            operands=[first_of(body, failed)], result_types=[body.number(0).type]
        )
    )
    mapping = {value: _of_lane(body, value, lane) for value in op.operands[1:]}
    _clone(body, op, {**mapping, op.condition: body.number(0, i1)})


# --- atomics --------------------------------------------------------------------------------------

# Kind of an update: that of a reduction.
_OF_INTEGERS = {
    **dict.fromkeys(("add", "and", "or", "xor")),
    **{"mins": "minsi", "minu": "minui", "maxs": "maxsi", "maxu": "maxui"},
}
_OF_FLOATS = {"add": None, "min": "minnumf", "max": "maxnumf"}


def update(body: Body, op: gpux.AtomicRMWOp) -> None:
    """Lanes that update one place and do not ask what was there are combined first."""
    kind, type = op.kind.data, op.value.type
    table = _OF_FLOATS if isinstance(type, AnyFloat) else _OF_INTEGERS
    common = all(body.spreads[value].is_uniform for value in (op.view, *op.indices))
    asked = not common or kind not in table or op.order.data != "relaxed"
    if asked or next(iter(op.old.uses), None) is not None:
        single(body, op)
        return
    word = table[kind] or kind
    value = body.vector(op.value)
    if body.mask is not None:
        value = body.select(body.mask, value, body.number(neutral(word, type), value.type))
    total = reduction(word, value)
    if isinstance(type, AnyFloat):  # threads have no order among each other
        total.properties["fastmath"] = arith.FastMathFlagsAttr((FastMathFlag.REASSOC,))
    copy = op.__class__.create(
        operands=[body.value(total), *(body.scalar(operand) for operand in op.operands[1:])],
        result_types=[type],
        properties=dict(op.properties),
        attributes=dict(op.attributes),
    )
    body.add(copy)


def neutral(kind: str, type: Attribute) -> float:
    """What changes nothing in a reduction of this kind."""
    if isinstance(type, AnyFloat):
        return {"add": -0.0, "mul": 1.0, "minimumf": inf, "maximumf": -inf}.get(kind, nan)
    highest = (1 << (bits(type) - 1)) - 1
    table = {"mul": 1, "and": -1, "minui": -1, "minsi": highest, "maxsi": -highest - 1}
    return table.get(kind, 0)
