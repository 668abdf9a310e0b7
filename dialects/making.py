"""Ops made quickly: `make(op_class, operands, types, …)` and `copy_of(op, values)`.

They give what xDSL's `Operation.create` and `Operation.clone` give, in half the time: those set
successors also where an op has none, import something for each op without a location, and write the
operands of a copy twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from xdsl.dialects.builtin import UNKNOWN_LOC, LocationAttr
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValue
from xdsl.ir.core import SSAValues

OpT = TypeVar("OpT", bound=Operation)
_NONE: Mapping[str, Attribute] = {}


def make(
    op_class: type[OpT],
    operands: Sequence[SSAValue] = (),
    types: Iterable[Attribute] = (),
    properties: Mapping[str, Attribute] = _NONE,
    location: LocationAttr = UNKNOWN_LOC,
    *,
    attributes: Mapping[str, Attribute] = _NONE,
    successors: Sequence[Block] = (),
    regions: Sequence[Region] = (),
) -> OpT:
    """An op of a class, with results of these types; in no block yet."""
    op = op_class.__new__(op_class)
    op.operands = operands
    op.results = SSAValues([OpResult(type_, op, index) for index, type_ in enumerate(types)])
    op.properties = dict(properties)
    op.attributes = dict(attributes)
    op.location = location
    if successors:
        op.successors = successors
    for region in regions:
        op.add_region(region)
    op.__post_init__()
    return op


def copy_of(
    op: OpT, values: dict[SSAValue, SSAValue] | None = None, without: Collection[Operation] = ()
) -> OpT:
    """A copy of an op and all that is in it but the ops `without`, which give nothing.

    `values` says what stands for a value from outside, and gets what stands for those inside.
    """
    values = {} if values is None else values
    if op.successors or any(len(region.blocks) > 1 for region in op.regions):
        return op.clone(values)  # where a use may come before what it uses
    given = values.get
    copy = make(
        op.__class__,
        [given(operand, operand) for operand in op.operands],
        [result.type for result in op.results],
        op.properties,
        op.location,
        attributes=op.attributes,
        regions=[_copied(region, values, without) for region in op.regions],
    )
    _stand_for(op.results, copy.results, values)
    return copy


def _copied(
    region: Region, values: dict[SSAValue, SSAValue], without: Collection[Operation]
) -> Region:
    block = region.first_block
    if block is None:
        return Region()
    copy = Block(arg_types=[argument.type for argument in block.args])
    for old, new in zip(block.args, copy.args, strict=True):
        new.location = old.location
    _stand_for(block.args, copy.args, values)
    for op in block.ops:
        if op not in without:
            copy.add_op(copy_of(op, values, without))
    return Region(copy)


def _stand_for(
    old: Sequence[SSAValue], new: Sequence[SSAValue], values: dict[SSAValue, SSAValue]
) -> None:
    for before, after in zip(old, new, strict=True):
        values[before] = after
        after._name = before._name  # pyright: ignore[reportPrivateUsage]  # known valid
