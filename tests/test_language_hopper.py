"""Asynchronous instructions from Python: mbarriers, bulk and tensor copies, barriers."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from oracles.ptx_launch import launch_ptx
from refused_kernels import Row, refuses

import stepwell as sw
from stepwell.lowering.emit.ptx import assemble_cubin, find_tool


def through_shared(x, out):
    """Two loads of 64 elements in turns at two mbarriers, each waited for twice; bulk stores."""
    tile = sw.shared((2, 64), sw.f32)
    ready = sw.shared(2, sw.u64)
    t = sw.thread_id(0)
    if sw.target.nvidia(sm=90):
        if t == 0:
            sw.nvidia.mbarrier_init(ready, 0, 1)
            sw.nvidia.mbarrier_init(ready, 1, 1)
            sw.nvidia.fence_mbarrier_init()
        sw.barrier()
        for step in range(4):
            which = step % 2
            if t == 0:
                sw.nvidia.mbarrier_expect(ready, which, 256)
                sw.nvidia.bulk_load(tile, (which, 0), x, step * 64, 64, ready, which)
            sw.nvidia.mbarrier_wait(ready, which, step // 2)
            tile[which, t] += 1.0
            sw.nvidia.fence_async()
            sw.barrier()
            if t == 0:
                sw.nvidia.bulk_store(out, step * 64, tile, (which, 0), 64)
                sw.nvidia.bulk_commit()
                sw.nvidia.bulk_wait(0, read=True)
            sw.barrier()


def test_bulk_copies_and_mbarriers():
    x = np.arange(256, dtype=np.float32)
    out = np.zeros_like(x)
    launch_ptx(through_shared, x, out, arch="sm_90", block=(64,))
    np.testing.assert_array_equal(out, x + 1)


def halves(out):
    """Warps 0 and 1 wait for each other at barrier 1, warps 2 and 3 arrive at 2, which 0 awaits."""
    t = sw.thread_id(0)
    seen = sw.shared(128, sw.i32)
    seen[t] = t
    if sw.target.nvidia():
        if t < 64:
            sw.nvidia.barrier_sync(1, 64)
            out[t] = seen[63 - t]
        else:
            sw.nvidia.barrier_arrive(2, 96)
        if t < 32:
            sw.nvidia.barrier_sync(2, 96)
            out[64 + t] = seen[64 + t] + seen[96 + t]


@pytest.mark.parametrize("arch", ["sm_75", "sm_90"])
def test_named_barriers(arch: str):
    out = np.zeros(96, np.int32)
    launch_ptx(halves, out, arch=arch, block=(128,))
    t = np.arange(32)
    np.testing.assert_array_equal(out, [*range(63, -1, -1), *(160 + 2 * t)])


def tensors(descriptor, x):
    tile = sw.shared(1024, sw.f32)
    ready = sw.shared(1, sw.u64)
    if sw.target.nvidia(sm=90):
        sw.nvidia.tma_prefetch(descriptor)
        sw.nvidia.mbarrier_init(ready, 0, 1)
        state = sw.nvidia.mbarrier_arrive(ready, 0)
        sw.nvidia.mbarrier_expect(ready, 0, 4096)
        sw.nvidia.tma_load(tile, 0, descriptor, (0, 32), ready, 0)
        sw.nvidia.tma_store(descriptor, (32, 0, 1), tile, 0)
        x[0] = sw.f32(state) + sw.f32(sw.nvidia.cluster_rank() + sw.nvidia.cluster_size())
        other = sw.nvidia.mapa(sw.nvidia.address(tile, 0), 1)
        x[1] = sw.inline_ptx("ld.shared::cluster.f32 $0, [$1];", other, dtype=sw.f32)


@pytest.mark.parametrize("arch", ["sm_90", "sm_90a", "sm_100a", "sm_120"])
def test_tensor_copies_are_taken_by_ptxas(arch: str):
    types = (sw.Array[sw.u64, 1], sw.Array[sw.f32, 1])
    text = sw.kernel(tensors).ir("ptx", *types, target=f"cuda:{arch}")
    assert "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier" in text
    assert "cp.async.bulk.tensor.3d.global.shared::cta.tile.bulk_group" in text
    assert "mapa.shared::cluster.u32" in text
    if find_tool("ptxas") is None:
        pytest.skip("ptxas is not installed")
    assert assemble_cubin(text, arch)[0]


SHARED = "s, m = sw.shared(256, sw.f16), sw.shared(2, sw.u64)\n    "
REFUSALS: dict[str, Row] = {
    "mbarrier before Ampere": (
        SHARED + "sw.nvidia.mbarrier_init(m, 0, 1)",
        "cuda:sm_75",
        "mbarrier_init needs sm_80 or later, not sm_75",
    ),
    "wait before Hopper": (
        SHARED + "sw.nvidia.mbarrier_wait(m, 0, 0)",
        "cuda:sm_80",
        "mbarrier_wait needs sm_90",
    ),
    "mbarrier of halves": (
        SHARED + "sw.nvidia.mbarrier_init(s, 0, 1)",
        "cuda:sm_90",
        "an mbarrier is an element of an array of u64, not f16",
    ),
    "mbarrier in global memory": (
        "sw.nvidia.mbarrier_init(x, 0, 1)",
        "cuda:sm_90",
        "mbarrier_init expects an array in shared memory",
    ),
    "count of bytes": (
        SHARED + "sw.nvidia.bulk_load(s, 0, x, 0, 3, m, 0)",
        "cuda:sm_90",
        "count is 3, expected a constant number of elements f16 that take a multiple of 16 bytes",
    ),
    "other elements": (
        SHARED + "sw.nvidia.bulk_load(s, 0, x, 0, 8, m, 0)",
        "cuda:sm_90",
        "bulk_load from an array of u64 to one of f16",
    ),
    "too much": (
        SHARED + "sw.nvidia.bulk_store(x, 0, m, 0, 4)",
        "cuda:sm_90",
        "index 3 is out of bounds",
    ),
    "descriptor in shared memory": (
        SHARED + "sw.nvidia.tma_prefetch(sw.shared(16, sw.u64))",
        "cuda:sm_90",
        "tma_prefetch expects an array in global memory",
    ),
    "no descriptor": (
        SHARED + "sw.nvidia.tma_prefetch(x[0])",
        "cuda:sm_90",
        "the descriptor is u64, expected a tensor map",
    ),
    "coordinates": (
        SHARED + "sw.nvidia.tma_load(s, 0, x, (0, 0, 0, 0, 0, 0), m, 0)",
        "cuda:sm_90",
        "6 coordinates, expected 1 to 5",
    ),
    "tma before Hopper": (
        SHARED + "sw.nvidia.tma_store(x, 0, s, 0)",
        "cuda:sm_89",
        "tma_store needs sm_90",
    ),
    "wgmma of another chip": (
        SHARED + "sw.nvidia.wgmma_fence()",
        "cuda:sm_100a",
        "wgmma_fence needs sm_90a, not sm_100a",
    ),
    "wgmma of any Hopper": (
        "sw.nvidia.wgmma(x[0], x[0], (0.0, 0.0, 0.0, 0.0), sw.f16)",
        "cuda:sm_90",
        "wgmma needs sm_90a, not sm_90",
    ),
    "wgmma columns": (
        "sw.nvidia.wgmma(x[0], x[0], (0.0, 0.0), sw.f16)",
        "cuda:sm_90a",
        "2 sums are 4 columns: there is no such wgmma of f16",
    ),
    "wgmma of what": (
        "sw.nvidia.wgmma(x[0], x[0], (0.0, 0.0, 0.0, 0.0), sw.f64)",
        "cuda:sm_90a",
        "expected sw.f16 or sw.bf16 or sw.f32 or 'e4m3' or 'e5m2' or sw.i8 or sw.u8",
    ),
    "wgmma turned": (
        "sw.nvidia.wgmma(x[0], x[0], (0.0, 0.0, 0.0, 0.0), sw.f32, transpose_b=True)",
        "cuda:sm_90a",
        "this wgmma of tf32 takes no transposed operand",
    ),
    "wgmma of nothing": (
        "sw.nvidia.wgmma(x[0], x[0], x[0], sw.f16)",
        "cuda:sm_90a",
        "c is u64, expected a tuple or an array of sw.local",
    ),
    "wgmma groups": ("sw.nvidia.wgmma_wait(8)", "cuda:sm_90a", "groups is 8, expected a constant"),
    "swizzle": (
        SHARED + "sw.nvidia.wgmma_descriptor(s, 0, 16, 16, 48)",
        "cuda:sm_90a",
        "swizzle is 48, expected 0, 32, 64 or 128",
    ),
    "stride": (
        SHARED + "sw.nvidia.wgmma_descriptor(s, 0, 16, x[0])",
        "cuda:sm_90a",
        "leading and stride are constants below 256 KiB, in 16 bytes",
    ),
    "mapa before Hopper": ("sw.nvidia.mapa(x[0], 0)", "cuda:sm_80", "mapa needs sm_90"),
    "cluster before Hopper": ("sw.nvidia.cluster_rank()", "cuda:sm_89", "needs sm_90"),
}


test_refusals = refuses(REFUSALS, (sw.Array[sw.u64, 1],))


def test_shared_arrays_lie_as_tiles_ask_for_only_where_there_may_be_tiles():
    def plain(x):
        tile = sw.shared(300, sw.f32)
        tile[sw.thread_id(0)] = x[0]
        sw.barrier()
        x[1] = tile[0]

    def asynchronous(x):
        plain(x)
        if sw.target.nvidia(sm=90):
            sw.nvidia.fence_async()

    types = (sw.Array[sw.f32, 1],)
    for function, alignment in ((plain, 16), (asynchronous, 1024)):
        text = sw.kernel(function).ir("ptx", *types, target="cuda:sm_90")
        assert f".shared .align {alignment} .b8" in text
