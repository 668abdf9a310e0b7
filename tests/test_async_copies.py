"""cp.async of parts and past the end, mbarriers of all kinds, bulk and tensor reductions."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles.ptx_device import PtxDevice
from oracles.ptx_launch import launch_ptx
from refused_kernels import Row, refuses

import stepwell as sw
from stepwell.lowering.emit.ptx import assemble_cubin, find_tool


def run(function: Any, *arrays: np.ndarray, arch: str = "sm_90", block: int = 32) -> str:
    text = launch_ptx(function, *arrays, arch=arch, block=(block,))
    if find_tool("ptxas") is not None:
        assert assemble_cubin(text, arch)[0]
    return text


@pytest.fixture(scope="module")
def device() -> sw.Device:
    return PtxDevice("sm_90")


@pytest.mark.parametrize("count", [1, 2, 4])
def test_copies_of_4_8_and_16_bytes(count: int):
    def kernel(x, out):
        tile = sw.shared(64, sw.f32)
        t = sw.thread_id(0)
        if sw.target.nvidia(sm=80):
            sw.nvidia.cp_async(tile, t * count, x, t * count, count)
            sw.nvidia.cp_async_commit()
            sw.nvidia.cp_async_wait(0)
        sw.barrier()
        for i in sw.unroll(range(count)):
            out[t * count + i] = tile[t * count + i]

    x = np.arange(64, dtype=np.float32) + 1
    out = np.zeros(16 * count, np.float32)
    text = run(kernel, x, out, arch="sm_80", block=16)
    np.testing.assert_array_equal(out, x[: 16 * count])
    assert f"cp.async.{'cg' if count == 4 else 'ca'}.shared.global" in text


def edge_tile(x, out, row, column):
    """A tile of 4 by 32 f16 that may stick out of x on all sides."""
    tile = sw.shared((4, 32), x.dtype)
    t = sw.thread_id(0)
    r, c = t // 4, t % 4 * 8
    if sw.target.nvidia(sm=80):
        at = (row[0] + r, column[0] + c)
        sw.nvidia.cp_async(tile, (r, c), x, at, zero_fill=True)
        sw.nvidia.cp_async_commit()
        sw.nvidia.cp_async_wait(0)
    sw.barrier()
    for i in range(8):
        out[r, c + i] = tile[r, c + i]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 8), (-2, 16), (4, -8), (9, 0), (2, 40)])
def test_what_lies_outside_is_zero(row: int, column: int):
    """Rows end after 28 elements, inside of a copy of 8, and 5 rows are in memory."""
    x = (np.arange(5 * 32).reshape(5, 32) + 1).astype(np.float16)[:, :28]
    padded = np.zeros((32, 128), np.float16)
    padded[8:13, 32:60] = x
    device = PtxDevice("sm_80")
    whole = device.zeros((5, 32), np.float16)
    whole[:, :28].copy_from(x)
    out = device.full((4, 32), 7, np.float16)
    where = [device.array(np.array([number], np.int32)) for number in (row, column)]
    with sw.use(device):
        sw.kernel(edge_tile)[1, 16](whole[:, :28], out, *where)
    expected = padded[8 + row : 12 + row, 32 + column : 64 + column]
    np.testing.assert_array_equal(out.numpy(), expected)


@pytest.mark.parametrize("zero_fill", [False, True])
def test_rows_with_gaps_are_reported(zero_fill: bool):
    def kernel(x):
        tile = sw.shared(4, sw.f32)
        if sw.target.nvidia(sm=80):
            sw.nvidia.cp_async(tile, 0, x, 0, zero_fill=zero_fill)

    device = PtxDevice("sm_80")
    x = device.array(np.arange(8, dtype=np.float32))
    with sw.use(device):
        made = sw.kernel(kernel)
        made[1, 1](x[4:])
        with pytest.raises(sw.KernelError, match="the elements of a row are not side by side"):
            made[1, 1](x[::2])


def test_an_mbarrier_hears_of_copies():
    def kernel(x, out):
        tile, ready = sw.shared(128, sw.f32), sw.shared(1, sw.u64)
        t = sw.thread_id(0)
        if sw.target.nvidia(sm=80):
            if t == 0:
                sw.nvidia.mbarrier_init(ready, 0, 32)
            sw.barrier()
            sw.nvidia.cp_async(tile, 4 * t, x, 4 * t)
            sw.nvidia.cp_async_arrive(ready, 0)
            while not sw.nvidia.mbarrier_test(ready, 0, 0):
                pass
            sw.barrier()
            out[t] = tile[127 - t]

    x = np.arange(128, dtype=np.float32)
    out = np.zeros(32, np.float32)
    run(kernel, x, out, arch="sm_80")
    np.testing.assert_array_equal(out, x[:95:-1])


def test_arrivals_are_counted_dropped_and_expected():
    def kernel(x, out):
        b = sw.shared(2, sw.u64)
        tile = sw.shared(4, sw.f32)
        if sw.target.nvidia(sm=90):
            sw.nvidia.mbarrier_init(b, 0, 3)
            out[0] = 1 if sw.nvidia.mbarrier_test(b, 0, 0) else 0
            sw.nvidia.mbarrier_arrive(b, 0)
            sw.nvidia.mbarrier_expect_more(b, 0, 16)
            sw.nvidia.mbarrier_arrive(b, 0, 2)
            out[1] = 1 if sw.nvidia.mbarrier_test(b, 0, 0) else 0
            sw.nvidia.bulk_prefetch(x, 0, 4)
            sw.nvidia.bulk_load(tile, 0, x, 0, 4, b, 0)
            out[2] = 1 if sw.nvidia.mbarrier_try(b, 0, 0) else 0
            sw.nvidia.mbarrier_arrive_drop(b, 0)
            sw.nvidia.mbarrier_arrive(b, 0, 2)
            sw.nvidia.mbarrier_wait(b, 0, 1)
            sw.nvidia.mbarrier_arrive(b, 0, 2)  # the third one was dropped
            out[3] = 1 if sw.nvidia.mbarrier_try(b, 0, 0) else 0
            sw.nvidia.mbarrier_inval(b, 0)
            out[4] = sw.i32(tile[3])

    out = np.full(5, -1, np.int32)
    run(kernel, np.arange(4, dtype=np.float32), out, block=1)
    np.testing.assert_array_equal(out, [0, 0, 1, 1, 3])


REDUCTIONS: list[tuple[str, Any, Any]] = [
    ("add", np.float32, np.add),
    ("add", np.float16, np.add),
    ("add", np.int64, np.add),
    ("min", np.int32, np.minimum),
    ("max", np.uint64, np.maximum),
    ("and", np.int32, np.bitwise_and),
    ("or", np.uint32, np.bitwise_or),
    ("xor", np.int64, np.bitwise_xor),
]


@pytest.mark.parametrize(("op", "dtype", "expected"), REDUCTIONS)
def test_bulk_reductions(op: str, dtype: Any, expected: Any):
    def kernel(x, out):
        tile = sw.shared(32, x.dtype)
        t = sw.thread_id(0)
        tile[t] = x[t]
        if sw.target.nvidia(sm=90):
            sw.nvidia.fence_async()
            sw.barrier()
            if t == 0:
                sw.nvidia.bulk_reduce(out, 8, tile, 0, 32, op)
                sw.nvidia.bulk_commit()
                sw.nvidia.bulk_wait(0)

    low = 0 if np.dtype(dtype).kind == "u" else -9
    rng = np.random.default_rng(1)
    x, out = (rng.integers(low, 9, size).astype(dtype) for size in (32, 40))
    wanted = out.copy()
    wanted[8:] = expected(out[8:], x)
    run(kernel, x, out)
    np.testing.assert_array_equal(out, wanted)


@pytest.mark.parametrize(("op", "dtype", "expected"), REDUCTIONS)
def test_tensor_reductions(device: Any, op: str, dtype: Any, expected: Any):
    def kernel(target, x):
        tile = sw.shared((2, 16), x.dtype)
        t = sw.thread_id(0)
        tile[t // 16, t % 16] = x[t]
        if sw.target.nvidia(sm=90):
            sw.nvidia.fence_async()
            sw.barrier()
            if t == 0:
                sw.nvidia.tma_prefetch(target, (3, 8))
                sw.nvidia.tma_reduce(target, (3, 8), tile, (0, 0), op)
                sw.nvidia.bulk_commit()
                sw.nvidia.bulk_wait(0)

    low = 0 if np.dtype(dtype).kind == "u" else -9
    rng = np.random.default_rng(1)
    x, old = rng.integers(low, 9, 32).astype(dtype), rng.integers(low, 9, (4, 16)).astype(dtype)
    target = device.array(old)
    with sw.use(device):
        sw.kernel(kernel)[1, 32](target.tensor_map((2, 16)), device.array(x))
    old[3:, 8:] = expected(old[3:, 8:], x.reshape(2, 16)[:1, :8])
    np.testing.assert_array_equal(target.numpy(), old)


def of_clusters(descriptor, x):
    """What only ptxas sees: other blocks of the cluster, descriptors that change."""
    tile, b = sw.shared(64, sw.f32), sw.shared(1, sw.u64)
    if sw.target.nvidia(sm=90):
        there = sw.nvidia.mapa(sw.nvidia.address(tile, 0), 1)
        heard = sw.nvidia.mapa(sw.nvidia.address(b, 0), 1)
        sw.nvidia.bulk_send(there, tile, 0, 64, heard)
        sw.nvidia.mbarrier_arrive_remote(heard, 2)
        sw.nvidia.cluster_arrive_relaxed()
        sw.nvidia.cluster_wait()
        sw.nvidia.tma_acquire(descriptor)
        sw.nvidia.tma_load(tile, 0, descriptor, (0, 0), b, 0, multicast=3)
        sw.nvidia.tma_release()
        sw.nvidia.fence_async_global()
        x[0] = tile[0]


@pytest.mark.parametrize("arch", ["sm_90", "sm_90a", "sm_100a", "sm_120"])
def test_instructions_of_clusters_are_taken_by_ptxas(arch: str):
    types = (sw.Array[sw.u64, 1], sw.Array[sw.f32, 1])
    text = sw.kernel(of_clusters).ir("ptx", *types, target=f"cuda:{arch}")
    for part in (
        "cp.async.bulk.shared::cluster.shared::cta.mbarrier",
        "mbarrier.arrive.release.cluster.shared::cluster.b64",
        "barrier.cluster.arrive.relaxed",
        "fence.proxy.tensormap::generic.acquire.gpu",
        ".multicast::cluster [",
        "fence.proxy.tensormap::generic.release.gpu",
        "fence.proxy.async.global",
    ):
        assert part in text
    if find_tool("ptxas") is None:
        pytest.skip("ptxas is not installed")
    assert assemble_cubin(text, arch)[0]


SHARED = "s, m = sw.shared(256, sw.f16), sw.shared(2, sw.u64)\n    "
REFUSALS: dict[str, Row] = {
    "bytes of a copy": (
        SHARED + "sw.nvidia.cp_async(m, 0, x, 0, 3)",
        "cuda:sm_80",
        "count is 3, expected a constant number of elements u64 that take 4, 8 or 16 bytes",
    ),
    "copy of a number": (
        SHARED + "sw.nvidia.cp_async(m, 0, x[0], 0)",
        "cuda:sm_80",
        "cp_async takes arrays, got u64",
    ),
    "zero_fill": (
        SHARED + "sw.nvidia.cp_async(m, 0, x, 0, zero_fill=x[0])",
        "cuda:sm_80",
        "zero_fill is u64, expected a constant True or False",
    ),
    "axes": (
        SHARED + "sw.nvidia.cp_async(m, 0, x, (0, 0), zero_fill=True)",
        "cuda:sm_80",
        "2 indices for an array with 1 axes",
    ),
    "every second element": (
        SHARED + "sw.nvidia.cp_async(m, 0, x[::2], 0)",
        "cuda:sm_80",
        "the elements of a row are not side by side, which sw.nvidia.cp_async needs",
    ),
    "every second element, with zeros": (
        SHARED + "sw.nvidia.cp_async(m, 0, x[::2], 0, zero_fill=True)",
        "cuda:sm_80",
        "the elements of a row are not side by side",
    ),
    "column of a tile": (
        "s = sw.shared((4, 4), sw.u64)\n    sw.nvidia.bulk_store(x, 0, s[:, 1], 0, 2)",
        "cuda:sm_90",
        "the elements of a row are not side by side, which sw.nvidia.bulk_store needs",
    ),
    "counted arrivals": (
        SHARED + "sw.nvidia.mbarrier_arrive(m, 0, 2)",
        "cuda:sm_80",
        "mbarrier_arrive with a count needs sm_90",
    ),
    "no arrival": (
        SHARED + "sw.nvidia.mbarrier_arrive(m, 0, 0)",
        "cuda:sm_90",
        "count is 0, expected at least 1",
    ),
    "reduction": (
        "sw.nvidia.bulk_reduce(x, 0, sw.shared(2, sw.u64), 0, 2, 'mul')",
        "cuda:sm_90",
        "op is 'mul', expected one of add, min, max",
    ),
    "type of a reduction": (
        "sw.nvidia.bulk_reduce(x, 0, sw.shared(2, sw.u64), 0, 2, 'inc')",
        "cuda:sm_90",
        "memory has no inc of u64, only of u32",
    ),
    "reduction without a map": (
        "sw.nvidia.tma_reduce(x, 0, sw.shared(2, sw.u64), 0, 'add')",
        "cuda:sm_90",
        "the descriptor of tma_reduce is an array of u64",
    ),
    "multicast": (
        SHARED + "sw.nvidia.tma_load(s, 0, x, 0, m, 0, multicast=0.5)",
        "cuda:sm_90",
        "multicast of tma_load",
    ),
    "prefetch": (
        "sw.nvidia.bulk_prefetch(sw.shared(2, sw.u64), 0, 2)",
        "cuda:sm_90",
        "bulk_prefetch expects an array in global memory",
    ),
    "send": ("sw.nvidia.bulk_send(0, x, 0, 2, 0)", "cuda:sm_90", "expects an array in shared"),
    "acquire": ("sw.nvidia.tma_acquire(x)", "cuda:sm_89", "tma_acquire needs sm_90"),
}


test_refusals = refuses(REFUSALS, (sw.Array[sw.u64, 1],))
