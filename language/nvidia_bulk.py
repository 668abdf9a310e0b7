"""Bulk copies, which one thread starts: between global and shared memory, to another block.

All are inline PTX of addresses in shared memory (u32) and in global memory (u64). An mbarrier hears
of bytes that arrive in shared memory; what is read from there is waited for in groups.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .convert import store_as
from .functions import Function, Handler
from .nvidia_barriers import mbarrier as barrier_address
from .nvidia_emit import HOPPER, emit, inline, require, static_bool
from .nvidia_memory import FALSE, address_of, expect_global, expect_shared, shared_address
from .types import DType, bf16, f16, f32, f64, i32, i64, u32, u64
from .typing_of import describe
from .values import Static, Value, View, static_int

if TYPE_CHECKING:
    from xdsl.ir import SSAValue

    from .frame import Frame


def _bulk_bytes(frame: Frame, node: ast.AST, count: Value, array: View) -> int:
    known = static_int(count)
    nbytes = (known or 0) * array.dtype.size
    if known is None or nbytes <= 0 or nbytes % 16:
        raise frame.refuse(
            node,
            f"count is {describe(count)}, expected a constant number of elements {array.dtype} "
            "that take a multiple of 16 bytes",
        )
    return nbytes


def _copy_ends(
    frame: Frame, node: ast.AST, name: str, to: tuple[Value, Value], of: tuple[Value, Value],
    count: Value,
) -> tuple[SSAValue, View, SSAValue, View, SSAValue]:  # fmt: skip
    """Addresses and arrays of both ends, and the number of bytes."""
    require(frame, node, f"sw.nvidia.{name}", HOPPER)
    if not isinstance(to[0], View):
        raise frame.refuse(node, f"sw.nvidia.{name} takes arrays, got {describe(to[0])}")
    nbytes = _bulk_bytes(frame, node, count, to[0])
    target, array = address_of(frame, node, name, *to, nbytes)
    source, given = address_of(frame, node, name, *of, nbytes)
    if array.dtype is not given.dtype:
        raise frame.refuse(node, f"{name} from an array of {given.dtype} to one of {array.dtype}")
    return target.ssa, array, source.ssa, given, frame.emit.constant(nbytes, u32)


def _bulk_load(
    frame: Frame, node: ast.AST, shared: Value, index: Value, source: Value, source_index: Value,
    count: Value, mbarrier: Value, which: Value,
) -> Value:  # fmt: skip
    to, array, of, given, nbytes = _copy_ends(
        frame, node, "bulk_load", (shared, index), (source, source_index), count
    )
    expect_shared(frame, node, "bulk_load", array)
    expect_global(frame, node, "bulk_load", given)
    heard = barrier_address(frame, node, "bulk_load", mbarrier, which)
    text = "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1], $2, [$3];"
    return inline(frame, text, (to, of, nbytes, heard))


def _bulk_store(
    frame: Frame, node: ast.AST, target: Value, target_index: Value, shared: Value, index: Value,
    count: Value,
) -> Value:  # fmt: skip
    to, array, of, given, nbytes = _copy_ends(
        frame, node, "bulk_store", (target, target_index), (shared, index), count
    )
    expect_global(frame, node, "bulk_store", array)
    expect_shared(frame, node, "bulk_store", given)
    frame.mark_written(array)
    text = "cp.async.bulk.global.shared::cta.bulk_group [$0], [$1], $2;"
    return inline(frame, text, (to, of, nbytes))


def _bulk_wait(frame: Frame, node: ast.AST, groups: Value, read: Value = FALSE) -> Value:
    from xdsl.dialects.builtin import UnitAttr

    require(frame, node, "sw.nvidia.bulk_wait", HOPPER)
    known = static_int(groups)
    if known is None or known < 0:
        raise frame.refuse(node, f"groups is {describe(groups)}, expected a constant from 0 on")
    reads = {"read": UnitAttr()} if static_bool(frame, node, "read", read) else {}
    return emit(frame, "cp.async.bulk.wait_group", (), (), group=known, **reads)


_WORDS: dict[DType, str] = {
    **{f16: "noftz.f16", bf16: "noftz.bf16", f32: "f32", f64: "f64"},
    **{i32: "s32", u32: "u32", i64: "s64", u64: "u64"},
}
_SUMS = {**_WORDS, i64: "u64"}
_EXTREMES = {**{t: w for t, w in _WORDS.items() if t.is_integer}, f16: "f16", bf16: "bf16"}
_BITS = {i32: "b32", u32: "b32", i64: "b64", u64: "b64"}
REDUCTIONS: dict[str, dict[DType, str]] = {
    **{"add": _SUMS, "min": _EXTREMES, "max": _EXTREMES},
    **dict.fromkeys(("and", "or", "xor"), _BITS),
    **{"inc": {u32: "u32"}, "dec": {u32: "u32"}},
}
"""What memory can do with arriving elements, and what PTX calls their types."""


def reduction(frame: Frame, node: ast.AST, op: Value, dtype: DType) -> tuple[str, str]:
    """The name of a reduction, and of the type."""
    word = op.value if isinstance(op, Static) else None
    if not isinstance(word, str) or word not in REDUCTIONS:
        known = ", ".join(REDUCTIONS)
        raise frame.refuse(node, f"op is {describe(op)}, expected one of {known}")
    kind = REDUCTIONS[word].get(dtype)
    if kind is None:
        known = ", ".join(map(str, REDUCTIONS[word]))
        raise frame.refuse(node, f"memory has no {word} of {dtype}, only of {known}")
    return word, kind


def _bulk_reduce(
    frame: Frame, node: ast.AST, target: Value, target_index: Value, shared: Value, index: Value,
    count: Value, op: Value,
) -> Value:  # fmt: skip
    to, array, of, given, nbytes = _copy_ends(
        frame, node, "bulk_reduce", (target, target_index), (shared, index), count
    )
    expect_global(frame, node, "bulk_reduce", array)
    expect_shared(frame, node, "bulk_reduce", given)
    word, kind = reduction(frame, node, op, array.dtype)
    frame.mark_written(array)
    text = f"cp.reduce.async.bulk.global.shared::cta.bulk_group.{word}.{kind} [$0], [$1], $2;"
    return inline(frame, text, (to, of, nbytes))


def _bulk_prefetch(frame: Frame, node: ast.AST, source: Value, index: Value, count: Value) -> Value:
    require(frame, node, "sw.nvidia.bulk_prefetch", HOPPER)
    if not isinstance(source, View):
        raise frame.refuse(node, f"sw.nvidia.bulk_prefetch takes an array, got {describe(source)}")
    nbytes = _bulk_bytes(frame, node, count, source)
    address, array = address_of(frame, node, "bulk_prefetch", source, index, nbytes)
    expect_global(frame, node, "bulk_prefetch", array)
    text = "cp.async.bulk.prefetch.L2.global [$0], $1;"
    return inline(frame, text, (address.ssa, frame.emit.constant(nbytes, u32)))


def _bulk_send(
    frame: Frame, node: ast.AST, address: Value, shared: Value, index: Value, count: Value,
    mbarrier: Value,
) -> Value:  # fmt: skip
    """To an address in the cluster, whose block has the mbarrier."""
    name = "bulk_send"
    require(frame, node, f"sw.nvidia.{name}", HOPPER)
    if not isinstance(shared, View):
        raise frame.refuse(node, f"sw.nvidia.{name} takes an array, got {describe(shared)}")
    nbytes = _bulk_bytes(frame, node, count, shared)
    of, _ = shared_address(frame, node, name, shared, index, nbytes)
    to, heard = (
        store_as(frame, node, value, u32, f"{what} of sw.nvidia.{name}").ssa
        for what, value in (("address", address), ("mbarrier", mbarrier))
    )
    text = (
        "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes "
        "[$0], [$1], $2, [$3];"
    )
    return inline(frame, text, (to, of, frame.emit.constant(nbytes, u32), heard))


_MBARRIER = ("mbarrier", "which")
_TO_GLOBAL = ("target", "target_index", "shared", "index", "count")
_FROM_GLOBAL = ("shared", "index", "source", "source_index", "count")
_BULK: dict[str, tuple[Handler, tuple[str, ...], tuple[str, ...]]] = {
    "bulk_load": (_bulk_load, (*_FROM_GLOBAL, *_MBARRIER), ()),
    "bulk_store": (_bulk_store, _TO_GLOBAL, ()),
    "bulk_reduce": (_bulk_reduce, (*_TO_GLOBAL, "op"), ()),
    "bulk_prefetch": (_bulk_prefetch, ("source", "index", "count"), ()),
    "bulk_send": (_bulk_send, ("address", "shared", "index", "count", "mbarrier"), ()),
    "bulk_wait": (_bulk_wait, ("groups", "read"), ("read",)),
}
BULK_FUNCTIONS: dict[str, Function] = {
    name: Function(f"sw.nvidia.{name}", handler, names, optional)
    for name, (handler, names, optional) in _BULK.items()
}
