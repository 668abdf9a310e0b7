"""Asynchronous instructions from Python: mbarriers, bulk and tensor copies, wgmma, barriers."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from oracles.ptx_launch import launch_ptx

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


def warpgroup(element: Any, dtype: Any, columns: int, k: int, swizzle: int, held: bool = False):
    """A kernel of one wgmma: `a` and `b` come in the order that the descriptors say."""
    size = np.dtype(element).itemsize
    pitch = 16 if swizzle == 0 else swizzle
    rows, pieces = 8 * pitch // size, 32 // pitch if swizzle == 0 else 1
    # Without a swizzle the pieces of 8 rows follow along k first.
    leading, stride = 128, 128 * pieces if swizzle == 0 else 8 * pitch
    a_elements, b_elements = 8 * pieces * rows, columns // 8 * pieces * rows
    sum_type = sw.i32 if element in (np.int8, np.uint8) else sw.f32

    def kernel(a, b, c, registers):
        left, right = sw.shared(a_elements, a.dtype), sw.shared(b_elements, b.dtype)
        t = sw.thread_id(0)
        for i in range(t, a_elements, 128):
            left[i] = a[i]
        for i in range(t, b_elements, 128):
            right[i] = b[i]
        sums = sw.local(columns // 2, sum_type)
        for i in sw.unroll(range(columns // 2)):
            sums[i] = c[t, i]
        sw.barrier()
        if sw.target.nvidia(sm="90a"):
            of_a = sw.nvidia.wgmma_descriptor(left, 0, leading, stride, swizzle)
            of_b = sw.nvidia.wgmma_descriptor(right, 0, leading, stride, swizzle)
            sw.nvidia.fence_async()
            sw.nvidia.wgmma_fence()
            if held:
                r = (registers[t, 0], registers[t, 1], registers[t, 2], registers[t, 3])
                sw.nvidia.wgmma(r, of_b, sums, dtype)
            else:
                sw.nvidia.wgmma(of_a, of_b, sums, dtype)
            sw.nvidia.wgmma_commit()
            sw.nvidia.wgmma_wait(0)
        for i in sw.unroll(range(columns // 2)):
            c[t, i] = sums[i]

    return kernel


def placed(matrix: np.ndarray, swizzle: int) -> np.ndarray:
    """(rows, 32 bytes) in the order of shared memory, pieces of 8 rows; a swizzle pads the rows."""
    raw = np.ascontiguousarray(matrix).view(np.uint8).reshape(-1, 8, 2, 16)
    if swizzle == 0:
        return np.ascontiguousarray(raw.transpose(0, 2, 1, 3)).reshape(-1).view(matrix.dtype)
    wide = np.zeros((raw.shape[0], 8, swizzle // 16, 16), np.uint8)
    wide[:, :, :2] = raw
    # The manual's picture: 16-byte pieces of a line of 128 bytes are exchanged, by its number
    # modulo 8 (of 128 bytes), 4 (of 64) or 2 (of 32).
    lines = wide.reshape(-1, 8, 16)
    turned = lines.copy()
    for line in range(len(lines)):
        change = line % 8 & swizzle // 16 - 1
        for piece in range(8):
            turned[line, piece ^ change] = lines[line, piece]
    return turned.reshape(-1).view(matrix.dtype)


KINDS: dict[str, tuple[Any, Any, int, Any]] = {
    "bf16": (ml_dtypes.bfloat16, sw.bf16, 16, np.float32),
    "f16": (np.float16, sw.f16, 16, np.float32),
    "tf32": (np.float32, sw.f32, 8, np.float32),
    "i8": (np.int8, sw.i8, 32, np.int32),
    "u8": (np.uint8, sw.u8, 32, np.int32),
}


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("swizzle", [0, 32, 64, 128])
@pytest.mark.parametrize("kind", KINDS)
def test_warpgroup_products(kind: str, swizzle: int, held: bool):
    element, dtype, k, total = KINDS[kind]
    rng, columns = np.random.default_rng(5), 24
    low = 0 if kind == "u8" else -4
    a, b = (rng.integers(low, 5, (rows, k)).astype(element) for rows in (64, columns))
    c = rng.integers(-9, 9, (64, columns)).astype(total)
    # Thread 32 w + 4 g + t holds rows 16 w + g and 8 below, columns 2 t, 2 t + 1 of each 8.
    sums = c.reshape(4, 2, 8, columns // 8, 4, 2).transpose(0, 2, 4, 3, 1, 5)
    sums = np.ascontiguousarray(sums).reshape(128, -1)
    pieces = a.view(np.uint32).reshape(4, 2, 8, 2, 4).transpose(0, 2, 4, 3, 1)
    registers = np.ascontiguousarray(pieces).reshape(128, 4)
    text = launch_ptx(
        warpgroup(element, dtype, columns, k, swizzle, held),
        *(placed(a, swizzle), placed(b, swizzle), sums, registers),
        arch="sm_90a",
        block=(128,),
    )
    found = sums.reshape(4, 8, 4, columns // 8, 2, 2).transpose(0, 4, 1, 3, 2, 5)
    expected = a.astype(total) @ b.astype(total).T + c
    np.testing.assert_array_equal(found.reshape(64, columns), expected)
    if find_tool("ptxas") is not None:
        assert assemble_cubin(text, "sm_90a")[0]


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
REFUSALS: dict[str, tuple[str, str, str]] = {
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


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_refusals(name: str, tmp_path: Path):
    body, target, message = REFUSALS[name]
    path = tmp_path / "refused.py"
    path.write_text(f"import stepwell as sw\n\ndef kernel(x):\n    {body}\n")
    scope: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    with pytest.raises(sw.CompileError, match=message) as error:
        sw.kernel(scope["kernel"]).compile((sw.Array[sw.u64, 1],), target=target)
    assert error.value.location is not None and error.value.location.line >= 4


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
