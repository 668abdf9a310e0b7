"""What several passes do to blocks: find functions, move a block's tail, make constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xdsl.dialects import arith, func
from xdsl.dialects.builtin import (
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    UnknownLoc,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ..dialects import gpu


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
    if isinstance(type_, IntegerType | IndexType):
        attribute: Attribute = IntegerAttr(int(value), type_)
    else:
        attribute = FloatAttr(float(value), type_)  # pyright: ignore
    return arith.ConstantOp.create(
        result_types=(type_,), properties={"value": attribute}, location=location
    )


def constant_value(value: SSAValue) -> int | None:
    """The integer that a value is, if it is an integer or index constant."""
    owner = value.owner
    if isinstance(owner, arith.ConstantOp):
        attribute = owner.properties["value"]
        if isinstance(attribute, IntegerAttr):
            return attribute.value.data
    return None


def is_unknown(location: Attribute) -> bool:
    """Whether a location says nothing."""
    return isinstance(location, UnknownLoc)
