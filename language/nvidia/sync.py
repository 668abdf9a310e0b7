"""Barriers, fences, mbarriers, clusters, dependent grids."""

from __future__ import annotations

from typing import Any

from .ask import ask


def fence_async_global() -> Any:
    """Orders plain accesses to global memory and those of bulk copies. sm_90."""
    return ask("fence_async_global")


def fence_block() -> Any:
    """Orders memory for the block."""
    return ask("fence_block")


def fence_device() -> Any:
    """Orders memory for the device."""
    return ask("fence_device")


def fence_system() -> Any:
    """Orders memory for the system."""
    return ask("fence_system")


def fence_cluster() -> Any:
    """Orders memory for the cluster, in one order for all; sm_90 or later."""
    return ask("fence_cluster")


def fence_async() -> Any:
    """Orders plain accesses to shared memory and those of bulk copies and wgmma. sm_90."""
    return ask("fence_async")


def fence_mbarrier_init() -> Any:
    """Makes initialised mbarriers seen in the cluster. sm_90."""
    return ask("fence_mbarrier_init")


def barrier_sync(id: Any, threads: Any) -> Any:
    """Wait at one of 16 barriers of the block until so many threads, a multiple of 32, are there;
    `sw.barrier` is barrier 0."""
    return ask("barrier_sync", id, threads)


def barrier_arrive(id: Any, threads: Any) -> Any:
    """Be counted at a barrier, as by `barrier_sync`, without waiting."""
    return ask("barrier_arrive", id, threads)


def mbarrier_init(view: Any, index: Any, count: Any) -> Any:
    """Make `view[index]`, a u64 in shared memory, an mbarrier for so many arrivals; one thread does
    it, and `fence_async` or a barrier follows before others use it. sm_80."""
    return ask("mbarrier_init", view, index, count)


def mbarrier_inval(view: Any, index: Any) -> Any:
    """End the use of `view[index]` as an mbarrier. sm_80."""
    return ask("mbarrier_inval", view, index)


def mbarrier_arrive(view: Any, index: Any, count: Any = None) -> Any:
    """Arrive at an mbarrier, as one or (sm_90) as `count` threads; its state (u64). sm_80."""
    return ask("mbarrier_arrive", view, index, count)


def mbarrier_arrive_drop(view: Any, index: Any) -> Any:
    """Arrive, and be no longer expected from the next phase on; the state (u64). sm_80."""
    return ask("mbarrier_arrive_drop", view, index)


def mbarrier_arrive_remote(address: Any, count: Any) -> Any:
    """Arrive as `count` threads at an mbarrier of another block of the cluster, by the address that
    `mapa` gave. sm_90."""
    return ask("mbarrier_arrive_remote", address, count)


def mbarrier_expect(view: Any, index: Any, bytes: Any) -> Any:
    """Arrive at an mbarrier, whose phase now also needs so many bytes to arrive. sm_90."""
    return ask("mbarrier_expect", view, index, bytes)


def mbarrier_expect_more(view: Any, index: Any, bytes: Any) -> Any:
    """The mbarrier's phase needs so many more bytes to arrive; no arrival. sm_90."""
    return ask("mbarrier_expect_more", view, index, bytes)


def mbarrier_test(view: Any, index: Any, parity: Any) -> Any:
    """Whether the phase of this parity (0 first, then 1, 0, …) is over. sm_80."""
    return ask("mbarrier_test", view, index, parity)


def mbarrier_try(view: Any, index: Any, parity: Any) -> Any:
    """The same, after waiting for it for a while. sm_90."""
    return ask("mbarrier_try", view, index, parity)


def mbarrier_wait(view: Any, index: Any, parity: Any) -> Any:
    """Wait until the phase of this parity (0 first, then 1, 0, …) is over. sm_90."""
    return ask("mbarrier_wait", view, index, parity)


def cluster_arrive() -> Any:
    """Arrive at the cluster's barrier; sm_90 or later."""
    return ask("cluster_arrive")


def cluster_arrive_relaxed() -> Any:
    """The same, without ordering memory; sm_90 or later."""
    return ask("cluster_arrive_relaxed")


def cluster_wait() -> Any:
    """Wait for all threads of the cluster; sm_90 or later."""
    return ask("cluster_wait")


def cluster_rank() -> Any:
    """The block's place in its cluster (u32); sm_90 or later."""
    return ask("cluster_rank")


def cluster_size() -> Any:
    """Blocks of the cluster (u32); sm_90 or later."""
    return ask("cluster_size")


def mapa(address: Any, rank: Any) -> Any:
    """The address that a place in shared memory (an `address`) has in the block of that rank, for
    instructions on `shared::cluster` (u32); sm_90 or later."""
    return ask("mapa", address, rank)


def griddepcontrol_wait() -> Any:
    """Wait for the grids that this one depends on; sm_90 or later."""
    return ask("griddepcontrol_wait")


def griddepcontrol_launch() -> Any:
    """Let the grids that depend on this one start; sm_90 or later."""
    return ask("griddepcontrol_launch")
