"""Rows of bulk copies, in which one thread moves up to a tile: of plain memory and of tensors.

A tensor's descriptor lies in global or constant memory, or is a parameter of the kernel; its
pointer is generic. An mbarrier hears of the bytes that arrive in shared memory.
"""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import i32
from xdsl.ir import Attribute

from ..llvm.types import PointerType
from .base import Row
from .matrix import GENERIC, HOPPER, SHARED, word

GLOBAL = PointerType(1)


def _box(first: int, count: int) -> str:
    return ", ".join(f"${n}" for n in range(first, first + count))


def _fetch_target(op: Any) -> str:
    rank = len(op.operands) - 3
    return (
        f"ptx:cp.async.bulk.tensor.{rank}d.shared::cluster.global.mbarrier::complete_tx::bytes "
        f"[$0], [$1, {{{_box(3, rank)}}}], [$2];"
    )


def _put_target(op: Any) -> str:
    rank = len(op.operands) - 2
    return (
        f"ptx:cp.async.bulk.tensor.{rank}d.global.shared::cta.bulk_group "
        f"[$0, {{{_box(2, rank)}}}], [$1];"
    )


def _tensor_check(pointers: tuple[Attribute, ...]) -> Any:
    def check(op: Any) -> str | None:
        kinds = tuple(value.type for value in op.operands)
        count = len(pointers)
        box = kinds[count:]
        if kinds[:count] != pointers or not 1 <= len(box) <= 5 or set(box) != {i32}:
            return f"expected {', '.join(map(str, pointers))} and 1 to 5 coordinates of type i32"
        return None

    return check


def _prefetch_target(op: Any) -> str:
    rank = len(op.operands) - 1
    return f"ptx:cp.async.bulk.prefetch.tensor.{rank}d.L2.global [$0, {{{_box(1, rank)}}}];"


_REDUCTIONS = ("add", "min", "max", "inc", "dec", "and", "or", "xor")


def _reduce_target(op: Any) -> str:
    rank = len(op.operands) - 2
    return (
        f"ptx:cp.reduce.async.bulk.tensor.{rank}d.global.shared::cta.{word(op, 'redKind')}"
        f".tile.bulk_group [$0, {{{_box(2, rank)}}}], [$1];"
    )


def _reduce_check(op: Any) -> str | None:
    kind = word(op, "redKind")
    if kind not in _REDUCTIONS:
        return f"redKind is {kind or 'missing'}, expected one of {', '.join(_REDUCTIONS)}"
    return _tensor_check((GENERIC, SHARED))(op)


BULK_ROWS: dict[str, Row] = {
    "cp.async.bulk.prefetch": Row(
        "Brings so many bytes, in 16s, into the cache of the device.",
        "$0 , $1 {} : T0",
        "ptx:cp.async.bulk.prefetch.L2.global [$0], $1;",
        (GLOBAL, i32),
        (),
        HOPPER,
    ),
    "cp.async.bulk.shared.cluster.shared.cta": Row(
        "Starts a copy of so many bytes, in 16s, to another block, whose mbarrier hears of them.",
        "$0 , $1 , $2 , $3 {} : T0 , T1",
        "ptx:cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes "
        "[$0], [$1], $3, [$2];",
        (SHARED, SHARED, SHARED, i32),
        (),
        HOPPER,
    ),
    "cp.async.bulk.tensor.reduce": Row(
        "Starts to combine shared memory with a box of a tensor, in the thread's bulk group.",
        "$0 , $1 , box [ $2* ] {} : T*",
        _reduce_target,
        None,
        (),
        HOPPER,
        check=_reduce_check,
    ),
    "cp.async.bulk.shared.cluster.global": Row(
        "Starts a copy of so many bytes, in 16s, to shared memory; the mbarrier hears of them.",
        "$0 , $1 , $2 , $3 {} : T0 , T1",
        "ptx:cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
        "[$0], [$1], $3, [$2];",
        (SHARED, GLOBAL, SHARED, i32),
        (),
        HOPPER,
    ),
    "cp.async.bulk.global.shared.cta": Row(
        "Starts a copy of so many bytes, in 16s, of shared memory, in the thread's bulk group.",
        "$0 , $1 , $2 {} : T0 , T1",
        "ptx:cp.async.bulk.global.shared::cta.bulk_group [$0], [$1], $2;",
        (GLOBAL, SHARED, i32),
        (),
        HOPPER,
    ),
    "cp.async.bulk.tensor.prefetch": Row(
        "Brings a box of a tensor near, into the cache of the device.",
        "$0 , box [ $1* ] {} : T0",
        _prefetch_target,
        None,
        (),
        HOPPER,
        check=_tensor_check((GENERIC,)),
    ),
    "cp.async.bulk.tensor.shared.cluster.global": Row(
        "Starts a copy of a box of a tensor to shared memory; the mbarrier hears of its bytes.",
        "$0 , $1 , $2 , box [ $3* ] {} : T0 , T1",
        _fetch_target,
        None,
        (),
        HOPPER,
        hidden=(SHARED,),
        check=_tensor_check((SHARED, GENERIC, SHARED)),
    ),
    "cp.async.bulk.tensor.global.shared.cta": Row(
        "Starts a copy of shared memory to a box of a tensor.",
        "$0 , $1 , box [ $2* ] {} : T*",
        _put_target,
        None,
        (),
        HOPPER,
        check=_tensor_check((GENERIC, SHARED)),
    ),
    "prefetch.tensormap": Row(
        "Brings a tensor's descriptor near.",
        "$0 {} : T0",
        "ptx:prefetch.tensormap [$0];",
        (GENERIC,),
        (),
        HOPPER,
    ),
}
