"""Addresses and copies that go on by themselves: cp.async, bulk copies, copies of tensors."""

from __future__ import annotations

from typing import Any

from .ask import ask


def address(view: Any, index: Any) -> Any:
    """The address of `view[index]`: u32 in shared memory, u64 in global memory."""
    return ask("address", view, index)


def cp_async(shared: Any, index: Any, source: Any, source_index: Any) -> Any:
    """Start a copy of 16 bytes from `source[source_index]` in global memory to
    `shared[index]`; sm_80 or later."""
    return ask("cp_async", shared, index, source, source_index)


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


def bulk_commit() -> Any:
    """The thread's bulk stores so far are a group. sm_90."""
    return ask("bulk_commit")


def bulk_wait(groups: Any, read: bool = False) -> Any:
    """Wait until at most so many groups (a constant) are under way, or with `read` are still read
    from shared memory. sm_90."""
    return ask("bulk_wait", groups, read)


def tma_load(shared: Any, index: Any, descriptor: Any, at: Any, mbarrier: Any, which: Any) -> Any:
    """One thread starts a copy of a box of a tensor to `shared[index]`; the mbarrier hears of it.

    `descriptor` is a parameter that is a tensor map (`x.tensor_map(box)` on the host), or an array
    of 16 u64 that the host has filled by cuTensorMapEncodeTiled, at a multiple of 64 bytes; `at` is
    the index of the box's first element in the tensor (i32). What lies outside of the tensor is
    read as 0. Of a tensor map the whole box has to be in the array `shared`; of an array that is
    not checked. sm_90.
    """
    return ask("tma_load", shared, index, descriptor, at, mbarrier, which)


def tma_store(descriptor: Any, at: Any, shared: Any, index: Any) -> Any:
    """The reverse of `tma_load`, in the groups of `bulk_store`; elements outside of the tensor are
    left out. sm_90."""
    return ask("tma_store", descriptor, at, shared, index)


def tma_prefetch(descriptor: Any) -> Any:
    """Bring a descriptor near. sm_90."""
    return ask("tma_prefetch", descriptor)
