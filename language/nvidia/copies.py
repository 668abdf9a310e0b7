"""Addresses and copies that go on by themselves: cp.async, bulk copies, copies of tensors."""

from __future__ import annotations

from typing import Any

from .ask import ask


def address(view: Any, index: Any) -> Any:
    """The address of `view[index]`: u32 in shared memory, u64 in global memory."""
    return ask("address", view, index)


def cp_async(
    shared: Any,
    index: Any,
    source: Any,
    source_index: Any,
    count: Any = None,
    zero_fill: bool = False,
) -> Any:
    """Start a copy of `count` elements (a constant; 4, 8 or 16 bytes, which is the default) from
    `source[source_index]` in global memory to `shared[index]`; sm_80 or later.

    With `zero_fill` the source need not be inside its array: elements outside are 0, and all are
    where the first one is outside.
    """
    return ask("cp_async", shared, index, source, source_index, count, zero_fill)


def cp_async_arrive(view: Any, index: Any) -> Any:
    """Arrive at an mbarrier when the thread's copies by `cp_async` so far are done; one of the
    arrivals that it was made for. sm_80."""
    return ask("cp_async_arrive", view, index)


def cp_async_commit() -> Any:
    """The copies so far are a group."""
    return ask("cp_async_commit")


def cp_async_wait(groups: Any) -> Any:
    """Wait until at most so many groups (a constant) are under way."""
    return ask("cp_async_wait", groups)


def bulk_load(
    shared: Any, index: Any, source: Any, source_index: Any, count: Any, mbarrier: Any, which: Any
) -> Any:
    """One thread starts a copy of `count` elements (a constant; 16 bytes or a multiple) from
    `source[source_index]` to `shared[index]`; the mbarrier hears of the bytes. sm_90."""
    return ask("bulk_load", shared, index, source, source_index, count, mbarrier, which)


def bulk_store(target: Any, target_index: Any, shared: Any, index: Any, count: Any) -> Any:
    """The reverse of `bulk_load`; `bulk_commit` and `bulk_wait` tell when it is done. sm_90."""
    return ask("bulk_store", target, target_index, shared, index, count)


def bulk_reduce(
    target: Any, target_index: Any, shared: Any, index: Any, count: Any, op: str
) -> Any:
    """As `bulk_store`, but combine each element with what is there, as relaxed atomics do: "add",
    "min", "max", "and", "or", "xor", "inc" or "dec". sm_90."""
    return ask("bulk_reduce", target, target_index, shared, index, count, op)


def bulk_prefetch(source: Any, index: Any, count: Any) -> Any:
    """Bring `count` elements (a constant; 16 bytes or a multiple) into the L2 cache. sm_90."""
    return ask("bulk_prefetch", source, index, count)


def bulk_send(address: Any, shared: Any, index: Any, count: Any, mbarrier: Any) -> Any:
    """One thread starts a copy of `count` elements to another block of the cluster. `address` and
    `mbarrier`, which hears of the bytes, are what `mapa` gave for that block. What is there is not
    checked. sm_90."""
    return ask("bulk_send", address, shared, index, count, mbarrier)


def bulk_commit() -> Any:
    """The thread's bulk stores so far are a group. sm_90."""
    return ask("bulk_commit")


def bulk_wait(groups: Any, read: bool = False) -> Any:
    """Wait until at most so many groups (a constant) are under way, or with `read` are still read
    from shared memory. sm_90."""
    return ask("bulk_wait", groups, read)


def tma_load(
    shared: Any,
    index: Any,
    descriptor: Any,
    at: Any,
    mbarrier: Any,
    which: Any,
    multicast: Any = None,
) -> Any:
    """One thread starts a copy of a box of a tensor to `shared[index]`; the mbarrier hears of it.

    `descriptor` is a parameter that is a tensor map (`x.tensor_map(box)` on the host), or an array
    of 16 u64 that the host has filled by cuTensorMapEncodeTiled, at a multiple of 64 bytes; `at` is
    the index of the box's first element in the tensor (i32). What lies outside of the tensor is
    read as 0. Of a tensor map the whole box has to be in the array `shared`; of an array that is
    not checked. With `multicast`, a bit for each block of the cluster, the box goes to the same
    place in all these blocks, and their mbarriers hear of it. sm_90.
    """
    return ask("tma_load", shared, index, descriptor, at, mbarrier, which, multicast)


def tma_store(descriptor: Any, at: Any, shared: Any, index: Any) -> Any:
    """The reverse of `tma_load`, in the groups of `bulk_store`; elements outside of the tensor are
    left out. sm_90."""
    return ask("tma_store", descriptor, at, shared, index)


def tma_reduce(descriptor: Any, at: Any, shared: Any, index: Any, op: str) -> Any:
    """As `tma_store`, but combine each element with what is there, as `bulk_reduce`; by a tensor
    map. sm_90."""
    return ask("tma_reduce", descriptor, at, shared, index, op)


def tma_prefetch(descriptor: Any, at: Any = None) -> Any:
    """Bring a descriptor near, or the box at an index into the L2 cache. sm_90."""
    return ask("tma_prefetch", descriptor, at)


def tma_acquire(descriptor: Any) -> Any:
    """See what another kernel or thread has written to a descriptor in global memory, and has
    ordered by `tma_release`. sm_90."""
    return ask("tma_acquire", descriptor)


def tma_release() -> Any:
    """Order the thread's writes to descriptors before what follows, for the device. sm_90."""
    return ask("tma_release")
