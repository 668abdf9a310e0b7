"""What several passes do to blocks: find functions, move a block's tail, make constants."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from xdsl.dialects import arith, func
from xdsl.dialects.builtin import (
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    i1,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects import gpu
from ...dialects.arith import plain_flags
from ...dialects.making import make
from ...dialects.predicates import OPPOSITE


def functions(module: ModuleOp) -> Iterator[func.FuncOp | gpu.FuncOp]:
    """All functions with a body: in the module itself and in its `gpu.module`s."""
    for op in tuple(module.body.block.ops):
        if isinstance(op, gpu.ModuleOp):
            for inner in tuple(op.body.block.ops):
                if isinstance(inner, gpu.FuncOp | func.FuncOp) and inner.body.first_block:
                    yield inner
        elif isinstance(op, func.FuncOp) and op.body.first_block:
            yield op


def move_tail(first: Operation | None, target: Block) -> None:
    """Moves `first` and everything after it in its block to the end of `target`."""
    while first is not None:
        following = first.next_op
        first.detach()
        target.add_op(first)
        first = following


def erase_tail(first: Operation | None) -> None:
    """Removes `first` and everything after it in its block; users go before what they use."""
    block = first.parent if first is not None else None
    while block is not None and first is not None:
        last = block.last_op
        assert last is not None, "the tail belongs to the block"
        erase(last)
        first = None if last is first else first


def erase(op: Operation) -> None:
    """Removes an op whose results are unused, with all that is inside it."""
    op.detach()
    op.drop_all_references()


def constant(type_: Attribute, value: int | float, location: Any) -> arith.ConstantOp:
    """An `arith.constant` of an integer, index or float type; not placed yet."""
    kind: Any = type_
    attribute: Attribute = (
        _integer(int(value), kind) if is_integer(type_) else FloatAttr(float(value), kind)
    )
    return make(arith.ConstantOp, (), (type_,), {"value": attribute}, location)


def binary(kind: type[Operation], lhs: SSAValue, rhs: SSAValue) -> Operation:
    """`kind(lhs, rhs)` of arith, of their type; not placed yet."""
    return make(kind, (lhs, rhs), (lhs.type,), plain_flags(kind))


def compare(predicate: int, lhs: SSAValue, rhs: SSAValue) -> Operation:
    """`arith.cmpi` by the number of its predicate; not placed yet."""
    return make(arith.CmpiOp, (lhs, rhs), (i1,), {"predicate": _integer(predicate, i64)})


@lru_cache(maxsize=1024)
def _integer(value: int, kind: Any) -> Attribute:
    return IntegerAttr(value, kind)


def constant_value(value: SSAValue) -> int | None:
    """The integer that a value is, if it is an integer or index constant."""
    owner = value.owner
    if isinstance(owner, arith.ConstantOp):
        attribute = owner.properties["value"]
        if isinstance(attribute, IntegerAttr):
            return attribute.value.data
    return None


def is_small(value: SSAValue) -> bool:
    """Whether a number of 64 bits is known to be one of 33, so that a sum of two does not wrap."""
    number = constant_value(value)
    if number is None:
        return isinstance(value.owner, arith.ExtSIOp | arith.ExtUIOp)
    return abs(number) < 1 << 32


def negated(condition: SSAValue, user: Operation, true: SSAValue) -> SSAValue:
    """The opposite of a condition; a comparison that only `user` reads is turned round itself."""
    owner = condition.owner
    if isinstance(owner, arith.CmpiOp) and condition.has_one_use():
        predicate = OPPOSITE[owner.predicate.value.data]
        owner.properties["predicate"] = _integer(predicate, i64)
        return condition
    new = make(arith.XOrIOp, (condition, true), (true.type,), location=user.location)
    assert user.parent is not None, "a statement stands in a block"
    user.parent.insert_op_before(new, user)
    return new.result


def integer_bits(type_: Any) -> int | None:
    """The width of an integer type; of `index` and other types none."""
    return int(type_.width.data) if type_.name == IntegerType.name else None


def is_integer(type_: Attribute) -> bool:
    """Whether a type is `index` or an integer type."""
    return type_.name in (IntegerType.name, IndexType.name)


def is_outside(value: SSAValue, op: Operation) -> bool:
    """Whether a value is neither computed in the regions of an op nor by the op itself."""
    owner = value.owner
    parent = owner.parent_op() if isinstance(owner, Block) else owner
    return parent is None or not op.is_ancestor(parent)
