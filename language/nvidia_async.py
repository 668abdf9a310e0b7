"""Instructions of NVIDIA GPUs that go on by themselves: mbarriers, bulk and tensor copies, wgmma.

All are inline PTX of addresses in shared memory (u32) and in global memory (u64). An mbarrier is an
element of an array of u64 in shared memory; a tensor's descriptor is a parameter of the kernel, or
128 bytes of global memory that the host has filled.
"""

from __future__ import annotations

import ast
from functools import partial
from math import prod
from typing import TYPE_CHECKING

from .convert import store_as
from .functions import Function, Handler
from .nvidia_emit import emit, require
from .nvidia_matrix import FALSE, static_bool
from .nvidia_memory import address_of, expect_global, expect_shared
from .types import DType, i32, u32, u64
from .values import Static, TensorMapValue, TupleValue, Value, View, describe, static_int

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdsl.ir import SSAValue

    from .frame import Frame

HOPPER = 90
DESCRIPTOR_BYTES = 128


def _ptx(frame: Frame, text: str, operands: Sequence[SSAValue], *results: DType) -> Value:
    return emit(frame, "inline_ptx", operands, results, ptxCode=text, sm=HOPPER)


def _shared(
    frame: Frame, node: ast.AST, name: str, view: Value, index: Value, nbytes: int
) -> tuple[SSAValue, View]:
    address, array = address_of(frame, node, name, view, index, nbytes)
    expect_shared(frame, node, name, array)
    return address.ssa, array


# --- mbarriers ------------------------------------------------------------------------------------


def _mbarrier(frame: Frame, node: ast.AST, name: str, view: Value, index: Value) -> SSAValue:
    address, array = _shared(frame, node, name, view, index, 8)
    if array.dtype is not u64:
        raise frame.refuse(node, f"an mbarrier is an element of an array of u64, not {array.dtype}")
    return address


# Text, what it takes besides the mbarrier, result, architecture. The wait ends with the phase.
_MBARRIERS: dict[str, tuple[str, tuple[str, ...], tuple[DType, ...], int]] = {
    "init": ("mbarrier.init.shared.b64 [$0], $1;", ("count",), (), 80),
    "arrive": ("mbarrier.arrive.shared.b64 $0, [$1];", (), (u64,), 80),
    "expect": ("mbarrier.arrive.expect_tx.shared.b64 _, [$0], $1;", ("bytes",), (), HOPPER),
    "wait": (
        "{ .reg .pred p; WAIT_${:uid}: mbarrier.try_wait.parity.shared.b64 p, [$0], $1; "
        "@!p bra WAIT_${:uid}; }",
        ("parity",),
        (),
        HOPPER,
    ),
}


def _use_mbarrier(
    action: str, frame: Frame, node: ast.AST, view: Value, index: Value, *given: Value
) -> Value:
    text, names, results, sm = _MBARRIERS[action]
    name = f"mbarrier_{action}"
    require(frame, node, f"sw.nvidia.{name}", sm)
    operands = [_mbarrier(frame, node, name, view, index)]
    for what, value in zip(names, given, strict=True):
        operands.append(store_as(frame, node, value, u32, f"{what} of sw.nvidia.{name}").ssa)
    return _ptx(frame, text, operands, *results)


# --- copies ---------------------------------------------------------------------------------------


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
    heard = _mbarrier(frame, node, "bulk_load", mbarrier, which)
    text = "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1], $2, [$3];"
    return _ptx(frame, text, (to, of, nbytes, heard))


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
    return _ptx(frame, text, (to, of, nbytes))


def _descriptor(frame: Frame, node: ast.AST, name: str, value: Value) -> SSAValue:
    """The address of a tensor's descriptor."""
    if isinstance(value, TensorMapValue):
        return value.ssa
    if not isinstance(value, View) or len(value.sizes) != 1:
        raise frame.refuse(
            node,
            f"the descriptor is {describe(value)}, expected a tensor map (x.tensor_map(box)) or an "
            "array of u64 with 16 elements",
        )
    address, array = address_of(frame, node, name, value, Static(0), DESCRIPTOR_BYTES)
    expect_global(frame, node, name, array)
    return address.ssa


def _coordinates(frame: Frame, node: ast.AST, descriptor: Value, value: Value) -> list[SSAValue]:
    """PTX has the innermost first."""
    items = value.items if isinstance(value, TupleValue) else (value,)
    rank = len(descriptor.type.box) if isinstance(descriptor, TensorMapValue) else None
    if not 1 <= len(items) <= 5 or rank not in (None, len(items)):
        expected = rank or "1 to 5"
        raise frame.refuse(node, f"{len(items)} coordinates, expected {expected}, as for the array")
    return [store_as(frame, node, item, i32, "coordinate").ssa for item in reversed(items)]


def _tile(
    frame: Frame, node: ast.AST, name: str, shared: Value, index: Value, descriptor: Value
) -> SSAValue:
    """The address of a box in shared memory, with all of it inside the array where it is known."""
    if not isinstance(shared, View) or not isinstance(descriptor, TensorMapValue):
        return _shared(frame, node, name, shared, index, 16)[0]
    box = descriptor.type
    if shared.dtype is not box.element:
        raise frame.refuse(node, f"{name} of a box of {box.element} and an array of {shared.dtype}")
    sizes = [size or 0 for size in shared.sizes]
    whole = [prod(sizes[axis:]) >= prod(box.box) for axis in range(len(sizes))]
    if not any(whole):
        raise frame.refuse(
            node,
            f"a box has {prod(box.box)} elements, the array in shared memory {prod(sizes)}",
        )
    first = len(whole) - 1 - whole[::-1].index(True)
    if first == len(sizes) - 1:
        return _shared(frame, node, name, shared, index, box.nbytes)[0]
    indices = index.items if isinstance(index, TupleValue) else (index,)
    if any(static_int(item) != 0 for item in indices[first:]):
        raise frame.refuse(
            node, f"the box takes axes {first} to {len(sizes) - 1} of the array: their index is 0"
        )
    return _shared(frame, node, name, shared, index, 0)[0]


def _box(first: int, count: int) -> str:
    return "{" + ", ".join(f"${n}" for n in range(first, first + count)) + "}"


def _tma_load(
    frame: Frame, node: ast.AST, shared: Value, index: Value, descriptor: Value, at: Value,
    mbarrier: Value, which: Value,
) -> Value:  # fmt: skip
    require(frame, node, "sw.nvidia.tma_load", HOPPER)
    to = _tile(frame, node, "tma_load", shared, index, descriptor)
    tensor = _descriptor(frame, node, "tma_load", descriptor)
    heard = _mbarrier(frame, node, "tma_load", mbarrier, which)
    box = _coordinates(frame, node, descriptor, at)
    text = (
        f"cp.async.bulk.tensor.{len(box)}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
        f" [$0], [$1, {_box(3, len(box))}], [$2];"
    )
    return _ptx(frame, text, (to, tensor, heard, *box))


def _tma_store(
    frame: Frame, node: ast.AST, descriptor: Value, at: Value, shared: Value, index: Value
) -> Value:
    require(frame, node, "sw.nvidia.tma_store", HOPPER)
    of = _tile(frame, node, "tma_store", shared, index, descriptor)
    tensor = _descriptor(frame, node, "tma_store", descriptor)
    if isinstance(descriptor, TensorMapValue):
        frame.mark_written(descriptor)
    box = _coordinates(frame, node, descriptor, at)
    text = (
        f"cp.async.bulk.tensor.{len(box)}d.global.shared::cta.tile.bulk_group "
        f"[$0, {_box(2, len(box))}], [$1];"
    )
    return _ptx(frame, text, (tensor, of, *box))


def _tma_prefetch(frame: Frame, node: ast.AST, descriptor: Value) -> Value:
    require(frame, node, "sw.nvidia.tma_prefetch", HOPPER)
    return _ptx(
        frame,
        "prefetch.tensormap [$0];",
        (_descriptor(frame, node, "tma_prefetch", descriptor),),
    )


def _bulk_wait(frame: Frame, node: ast.AST, groups: Value, read: Value = FALSE) -> Value:
    from xdsl.dialects.builtin import UnitAttr

    require(frame, node, "sw.nvidia.bulk_wait", HOPPER)
    known = static_int(groups)
    if known is None or known < 0:
        raise frame.refuse(node, f"groups is {describe(groups)}, expected a constant from 0 on")
    reads = {"read": UnitAttr()} if static_bool(frame, node, "read", read) else {}
    return emit(frame, "cp.async.bulk.wait_group", (), (), group=known, **reads)


_MBARRIER = ("mbarrier", "which")
_ASYNC: dict[str, tuple[Handler, tuple[str, ...], tuple[str, ...]]] = {
    "bulk_load": (
        _bulk_load,
        ("shared", "index", "source", "source_index", "count", *_MBARRIER),
        (),
    ),
    "bulk_store": (
        _bulk_store,
        ("target", "target_index", "shared", "index", "count"),
        (),
    ),
    "bulk_wait": (_bulk_wait, ("groups", "read"), ("read",)),
    "tma_load": (_tma_load, ("shared", "index", "descriptor", "at", *_MBARRIER), ()),
    "tma_store": (_tma_store, ("descriptor", "at", "shared", "index"), ()),
    "tma_prefetch": (_tma_prefetch, ("descriptor",), ()),
}
ASYNC_FUNCTIONS: dict[str, Function] = {
    **{
        f"mbarrier_{action}": Function(
            f"sw.nvidia.mbarrier_{action}",
            partial(_use_mbarrier, action),
            ("view", "index", *names),
        )
        for action, (_, names, _, _) in _MBARRIERS.items()
    },
    **{
        name: Function(f"sw.nvidia.{name}", handler, names, optional)
        for name, (handler, names, optional) in _ASYNC.items()
    },
}
