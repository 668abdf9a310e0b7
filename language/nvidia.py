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
