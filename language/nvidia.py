"""Instructions of NVIDIA GPUs, for arms under `if sw.target.nvidia():`; imports no xDSL, no NumPy.

A `mask` says which lanes of the warp take part, as bits; all of them execute the call together.
Outside a kernel the functions call the methods `nvidia_…` of the current thread (`intrinsics`).
"""

from __future__ import annotations

from typing import Any

from .intrinsics import current_thread

ALL_LANES = 0xFFFFFFFF


def _ask(name: str, *arguments: Any, **keywords: Any) -> Any:
    return getattr(current_thread(f"nvidia.{name}"), f"nvidia_{name}")(*arguments, **keywords)


def clock() -> Any:
    """The multiprocessor's cycle counter (u32)."""
    return _ask("clock")


def clock64() -> Any:
    """The multiprocessor's cycle counter (u64)."""
    return _ask("clock64")


def globaltimer() -> Any:
    """Nanoseconds of the GPU's timer (u64)."""
    return _ask("globaltimer")


def nanosleep(nanoseconds: Any) -> Any:
    """Sleep about so many nanoseconds."""
    return _ask("nanosleep", nanoseconds)


def laneid() -> Any:
    """The lane in the warp (u32)."""
    return _ask("laneid")


def warpid() -> Any:
    """The place of the warp on its multiprocessor (u32); it may change."""
    return _ask("warpid")


def smid() -> Any:
    """The multiprocessor (u32); it may change."""
    return _ask("smid")


def nsmid() -> Any:
    """How many numbers multiprocessors may have (u32)."""
    return _ask("nsmid")


def lanemask_lt() -> Any:
    """The lanes before this one, as bits (u32)."""
    return _ask("lanemask_lt")


def lanemask_le() -> Any:
    """The lanes up to this one, as bits (u32)."""
    return _ask("lanemask_le")


def lanemask_gt() -> Any:
    """The lanes after this one, as bits (u32)."""
    return _ask("lanemask_gt")


def lanemask_ge() -> Any:
    """The lanes from this one on, as bits (u32)."""
    return _ask("lanemask_ge")


def activemask() -> Any:
    """The lanes that run together now, as bits (u32)."""
    return _ask("activemask")


def match_any(value: Any, mask: int = ALL_LANES) -> Any:
    """The lanes that have the same 32-bit integer, as bits (u32)."""
    return _ask("match_any", value, mask)


def match_all(value: Any, mask: int = ALL_LANES) -> Any:
    """`(mask, True)` where all lanes have the same 32-bit integer, else `(0, False)`."""
    return _ask("match_all", value, mask)


def vote_ballot(predicate: Any, mask: int = ALL_LANES) -> Any:
    """The lanes for which the predicate holds, as bits (u32)."""
    return _ask("vote_ballot", predicate, mask)


def vote_all(predicate: Any, mask: int = ALL_LANES) -> Any:
    """Whether the predicate holds in all lanes of the mask."""
    return _ask("vote_all", predicate, mask)


def vote_any(predicate: Any, mask: int = ALL_LANES) -> Any:
    """Whether the predicate holds in some lane of the mask."""
    return _ask("vote_any", predicate, mask)


def redux_add(value: Any, mask: int = ALL_LANES) -> Any:
    """The sum of the lanes' 32-bit integers; sm_80 or later, as the other redux."""
    return _ask("redux_add", value, mask)


def redux_min(value: Any, mask: int = ALL_LANES) -> Any:
    """The least of the lanes' 32-bit integers."""
    return _ask("redux_min", value, mask)


def redux_max(value: Any, mask: int = ALL_LANES) -> Any:
    """The greatest of the lanes' 32-bit integers."""
    return _ask("redux_max", value, mask)


def redux_and_(value: Any, mask: int = ALL_LANES) -> Any:
    """The bits that all lanes have."""
    return _ask("redux_and_", value, mask)


def redux_or_(value: Any, mask: int = ALL_LANES) -> Any:
    """The bits that some lane has."""
    return _ask("redux_or_", value, mask)


def redux_xor(value: Any, mask: int = ALL_LANES) -> Any:
    """The exclusive or of the lanes' integers."""
    return _ask("redux_xor", value, mask)


def elect() -> Any:
    """True in one lane of the warp; sm_90 or later."""
    return _ask("elect")


def syncwarp(mask: int = ALL_LANES) -> Any:
    """The lanes of the mask wait for each other; orders their memory."""
    return _ask("syncwarp", mask)


def fence_block() -> Any:
    """Orders memory for the block."""
    return _ask("fence_block")


def fence_device() -> Any:
    """Orders memory for the device."""
    return _ask("fence_device")


def fence_system() -> Any:
    """Orders memory for the system."""
    return _ask("fence_system")


def fence_cluster() -> Any:
    """Orders memory for the cluster, in one order for all; sm_90 or later."""
    return _ask("fence_cluster")


def cluster_arrive() -> Any:
    """Arrive at the cluster's barrier; sm_90 or later."""
    return _ask("cluster_arrive")


def cluster_wait() -> Any:
    """Wait for all threads of the cluster; sm_90 or later."""
    return _ask("cluster_wait")


def cluster_rank() -> Any:
    """The block's place in its cluster (u32); sm_90 or later."""
    return _ask("cluster_rank")


def cluster_size() -> Any:
    """Blocks of the cluster (u32); sm_90 or later."""
    return _ask("cluster_size")


def mapa(address: Any, rank: Any) -> Any:
    """The address that a place in shared memory (an `address`) has in the block of that rank, for
    instructions on `shared::cluster` (u32); sm_90 or later."""
    return _ask("mapa", address, rank)


def barrier_sync(id: Any, threads: Any) -> Any:
    """Wait at one of 16 barriers of the block until so many threads, a multiple of 32, are there;
    `sw.barrier` is barrier 0."""
    return _ask("barrier_sync", id, threads)


def barrier_arrive(id: Any, threads: Any) -> Any:
    """Be counted at a barrier, as by `barrier_sync`, without waiting."""
    return _ask("barrier_arrive", id, threads)


def griddepcontrol_wait() -> Any:
    """Wait for the grids that this one depends on; sm_90 or later."""
    return _ask("griddepcontrol_wait")


def griddepcontrol_launch() -> Any:
    """Let the grids that depend on this one start; sm_90 or later."""
    return _ask("griddepcontrol_launch")


def setmaxnreg_increase(count: Any) -> Any:
    """Take registers for the warpgroup's threads (a constant); sm_90a."""
    return _ask("setmaxnreg_increase", count)


def setmaxnreg_decrease(count: Any) -> Any:
    """Give registers of the warpgroup's threads back (a constant); sm_90a."""
    return _ask("setmaxnreg_decrease", count)


def address(view: Any, index: Any) -> Any:
    """The address of `view[index]`: u32 in shared memory, u64 in global memory."""
    return _ask("address", view, index)


def cp_async(shared: Any, index: Any, source: Any, source_index: Any) -> Any:
    """Start a copy of 16 bytes from `source[source_index]` in global memory to
    `shared[index]`; sm_80 or later."""
    return _ask("cp_async", shared, index, source, source_index)


def cp_async_commit() -> Any:
    """The copies so far are a group."""
    return _ask("cp_async_commit")


def cp_async_wait(groups: Any) -> Any:
    """Wait until at most so many groups (a constant) are under way."""
    return _ask("cp_async_wait", groups)


def ldmatrix_x1(view: Any, index: Any, transpose: bool = False) -> Any:
    """One 8x8 matrix of 16-bit elements from shared memory, a row of it at each lane's
    `view[index]`; a u32. Lane 4 r + c has elements 2 c and 2 c + 1 of row r, or with `transpose`
    of column r."""
    return _ask("ldmatrix_x1", view, index, transpose)


def ldmatrix_x2(view: Any, index: Any, transpose: bool = False) -> Any:
    """Two matrices, as `ldmatrix_x1`; a tuple of u32."""
    return _ask("ldmatrix_x2", view, index, transpose)


def ldmatrix_x4(view: Any, index: Any, transpose: bool = False) -> Any:
    """Four matrices, as `ldmatrix_x1`; a tuple of u32."""
    return _ask("ldmatrix_x4", view, index, transpose)


def stmatrix_x1(view: Any, index: Any, values: Any, transpose: bool = False) -> Any:
    """The reverse of `ldmatrix_x1`; sm_90 or later."""
    return _ask("stmatrix_x1", view, index, values, transpose)


def stmatrix_x2(view: Any, index: Any, values: Any, transpose: bool = False) -> Any:
    """The reverse of `ldmatrix_x2`; `values` is a tuple of u32; sm_90 or later."""
    return _ask("stmatrix_x2", view, index, values, transpose)


def stmatrix_x4(view: Any, index: Any, values: Any, transpose: bool = False) -> Any:
    """The reverse of `ldmatrix_x4`; `values` is a tuple of u32; sm_90 or later."""
    return _ask("stmatrix_x4", view, index, values, transpose)


def mbarrier_init(view: Any, index: Any, count: Any) -> Any:
    """Make `view[index]`, a u64 in shared memory, an mbarrier for so many arrivals; one thread does
    it, and `fence_async` or a barrier follows before others use it. sm_80."""
    return _ask("mbarrier_init", view, index, count)


def mbarrier_arrive(view: Any, index: Any) -> Any:
    """Arrive at an mbarrier; its state (u64). sm_80."""
    return _ask("mbarrier_arrive", view, index)


def mbarrier_expect(view: Any, index: Any, bytes: Any) -> Any:
    """Arrive at an mbarrier, whose phase now also needs so many bytes to arrive. sm_90."""
    return _ask("mbarrier_expect", view, index, bytes)


def mbarrier_wait(view: Any, index: Any, parity: Any) -> Any:
    """Wait until the phase of this parity (0 first, then 1, 0, …) is over. sm_90."""
    return _ask("mbarrier_wait", view, index, parity)


def fence_mbarrier_init() -> Any:
    """Makes initialised mbarriers seen in the cluster. sm_90."""
    return _ask("fence_mbarrier_init")


def fence_async() -> Any:
    """Orders plain accesses to shared memory and those of bulk copies and wgmma. sm_90."""
    return _ask("fence_async")


def bulk_load(
    shared: Any, index: Any, source: Any, source_index: Any, count: Any, mbarrier: Any, which: Any
) -> Any:
    """One thread starts a copy of `count` elements (a constant; 16 bytes or a multiple) from
    `source[source_index]` to `shared[index]`; the mbarrier hears of the bytes. sm_90."""
    return _ask("bulk_load", shared, index, source, source_index, count, mbarrier, which)


def bulk_store(target: Any, target_index: Any, shared: Any, index: Any, count: Any) -> Any:
    """The reverse of `bulk_load`; `bulk_commit` and `bulk_wait` tell when it is done. sm_90."""
    return _ask("bulk_store", target, target_index, shared, index, count)


def bulk_commit() -> Any:
    """The thread's bulk stores so far are a group. sm_90."""
    return _ask("bulk_commit")


def bulk_wait(groups: Any, read: bool = False) -> Any:
    """Wait until at most so many groups (a constant) are under way, or with `read` are still read
    from shared memory. sm_90."""
    return _ask("bulk_wait", groups, read)


def tma_load(shared: Any, index: Any, descriptor: Any, at: Any, mbarrier: Any, which: Any) -> Any:
    """One thread starts a copy of a box of a tensor to `shared[index]`; the mbarrier hears of it.

    `descriptor` is an array of 16 u64 that the host has filled by cuTensorMapEncodeTiled, at a
    multiple of 64 bytes; `at` are the coordinates (i32), the innermost first. What the box covers
    is not checked. sm_90.
    """
    return _ask("tma_load", shared, index, descriptor, at, mbarrier, which)


def tma_store(descriptor: Any, at: Any, shared: Any, index: Any) -> Any:
    """The reverse of `tma_load`, in the groups of `bulk_store`. sm_90."""
    return _ask("tma_store", descriptor, at, shared, index)


def tma_prefetch(descriptor: Any) -> Any:
    """Bring a descriptor near. sm_90."""
    return _ask("tma_prefetch", descriptor)


def wgmma_descriptor(view: Any, index: Any, leading: Any, stride: Any, swizzle: int = 0) -> Any:
    """What `wgmma` takes for a matrix that begins at `view[index]` in shared memory (u64).

    The matrix is made of pieces of 8 rows by 16 bytes, or with `swizzle` (32, 64 or 128) by so many
    bytes; `leading` and `stride` are the constant distances in bytes of pieces along k and along
    the rows (of a matrix that is not transposed). sm_90a.
    """
    return _ask("wgmma_descriptor", view, index, leading, stride, swizzle)


def wgmma(
    a: Any, b: Any, c: Any, dtype: Any, transpose_a: bool = False, transpose_b: bool = False
) -> Any:
    """Start `a @ b + c` of 64 rows and 32 bytes of k by the four warps of a warpgroup. sm_90a.

    `a` is a descriptor or a tuple of 4 u32, `b` a descriptor; `c` is a tuple of n / 2 sums for n
    columns (f32, or i32 of integers), or a part of an array of sw.local. `dtype` is sw.f16,
    sw.bf16, sw.f32 (tf32), sw.i8, sw.u8, "e4m3" or "e5m2"; only the first two take
    transposed operands.
    `wgmma_fence` stands before the first, `wgmma_commit` and `wgmma_wait` before the sums are used.
    """
    return _ask("wgmma", a, b, c, dtype, transpose_a, transpose_b)


def wgmma_fence() -> Any:
    """Orders the registers before a wgmma. sm_90a."""
    return _ask("wgmma_fence")


def wgmma_commit() -> Any:
    """The wgmmas so far are a group. sm_90a."""
    return _ask("wgmma_commit")


def wgmma_wait(groups: Any) -> Any:
    """Wait until at most so many groups (a constant) are under way. sm_90a."""
    return _ask("wgmma_wait", groups)


def mma_m16n8k16(a: Any, b: Any, c: Any, dtype: Any) -> Any:
    """`a @ b + c` of a 16x16 and a 16x8 tile by the warp; `dtype` is sw.f16, sw.bf16, sw.i8 or
    sw.u8 (the elements of `a` and `b`), or sw.f64 on sm_90.

    `a` is a tuple of 4 u32 (two elements of 16 bits each; of 8 bits there are 2 u32, of f64 8),
    `b` of 2 (of 8 bits 1, of f64 4), `c` and the result of 4 f32 (i32, f64). As for all products,
    `c` may be an array of sw.local with so many elements: then the result goes there. sm_80.
    """
    return _ask("mma_m16n8k16", a, b, c, dtype)


def mma_m16n8k32(a: Any, b: Any, c: Any, dtype: Any) -> Any:
    """`a @ b + c` of a 16x32 and a 32x8 tile by the warp; `dtype` is sw.i8 or sw.u8 (with sums of
    i32; sm_80), "e4m3" or "e5m2" (with sums of f32; sm_89).

    `a` is a tuple of 4 u32 (four elements each), `b` of 2, `c` and the result of 4 sums.
    """
    return _ask("mma_m16n8k32", a, b, c, dtype)


def mma_m16n8k8(a: Any, b: Any, c: Any) -> Any:
    """`a @ b + c` in tf32 of a 16x8 and an 8x8 tile by the warp.

    `a` is a tuple of 4 u32 (the bits of an f32 each), `b` of 2, `c` and the result of 4 f32; sm_80.
    """
    return _ask("mma_m16n8k8", a, b, c)


def mma_m8n8k4(a: Any, b: Any, c: Any) -> Any:
    """`a @ b + c` of an 8x4 and a 4x8 tile of f64 by the warp.

    `a` and `b` are tuples of one f64, `c` and the result of 2; sm_80.
    """
    return _ask("mma_m8n8k4", a, b, c)
