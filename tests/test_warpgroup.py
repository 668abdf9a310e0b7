"""wgmma from Python: types, sums, layouts of operands, by the interpreter and for ptxas."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from oracles.ptx_launch import launch_ptx
from refused_kernels import refuses

import stepwell as sw
from stepwell.lowering.emit.ptx import assemble_cubin, find_tool

COLUMNS = 32


def launch(function: Any, *arrays: np.ndarray) -> str:
    text = launch_ptx(function, *arrays, arch="sm_90a", block=(128,))
    if find_tool("ptxas") is not None:
        assert assemble_cubin(text, "sm_90a")[0]
    return text


def in_lanes(c: np.ndarray) -> np.ndarray:
    """Thread 32 w + 4 g + t holds rows 16 w + g and 8 below, columns 2 t, 2 t + 1 of each 8."""
    parts = c.reshape(4, 2, 8, c.shape[1] // 8, 4, 2).transpose(0, 2, 4, 3, 1, 5)
    return np.ascontiguousarray(parts).reshape(128, -1)


def in_rows(sums: np.ndarray) -> np.ndarray:
    """The reverse of `in_lanes`."""
    columns = 2 * sums.shape[1]
    return sums.reshape(4, 8, 4, columns // 8, 2, 2).transpose(0, 4, 1, 3, 2, 5).reshape(64, -1)


Layout = tuple[int, int, int]


def one_product(
    dtype: Any,
    sizes: tuple[int, int],
    a_layout: Layout | None,
    b_layout: Layout,
    *,
    turned: tuple[bool, bool] = (False, False),
    counted: bool | None = True,
):
    """A kernel of one wgmma: `a` and `b` are u32 in the order of shared memory, of these sizes.

    Layouts are leading, stride and swizzle; without one A is in registers. `counted`: whether
    the sums on the way in count; None for what `flags` says.
    """
    held = a_layout is None
    a_size, b_size = sizes
    a_leading, a_stride, a_swizzle = a_layout or (16, 16, 0)
    b_leading, b_stride, b_swizzle = b_layout
    turn_a, turn_b = turned

    def kernel(a, b, c, flags):
        left, right = sw.shared(a_size, sw.u32), sw.shared(b_size, sw.u32)
        t = sw.thread_id(0)
        for i in range(t, b_size, 128):
            right[i] = b[i]
        for i in range(t, a_size, 128):
            left[i] = a[i]
        sums = sw.local(COLUMNS // 2, c.dtype)
        for i in sw.unroll(range(COLUMNS // 2)):
            sums[i] = c[t, i]
        sw.barrier()
        if sw.target.nvidia(sm="90a"):
            of_a = sw.nvidia.wgmma_descriptor(left, 0, a_leading, a_stride, a_swizzle)
            of_b = sw.nvidia.wgmma_descriptor(right, 0, b_leading, b_stride, b_swizzle)
            sw.nvidia.fence_async()
            sw.nvidia.wgmma_fence()
            if held:
                r = (a[4 * t], a[4 * t + 1], a[4 * t + 2], a[4 * t + 3])
                sw.nvidia.wgmma(r, of_b, sums, dtype, False, turn_b)
            elif counted is None:
                sw.nvidia.wgmma(of_a, of_b, sums, dtype, turn_a, turn_b, flags[0] != 0)
            else:
                sw.nvidia.wgmma(of_a, of_b, sums, dtype, turn_a, turn_b, counted)
            sw.nvidia.wgmma_commit()
            sw.nvidia.wgmma_wait(0)
        for i in sw.unroll(range(COLUMNS // 2)):
            c[t, i] = sums[i]

    return kernel


def exchanged(raw: np.ndarray, swizzle: int) -> np.ndarray:
    """Bytes in lines of 128; the manual's picture: 16-byte pieces of a line are exchanged, by its
    number modulo 8 (a swizzle of 128 bytes), 4 (64) or 2 (32)."""
    lines = raw.reshape(-1, 8, 16)
    result = lines.copy()
    for line in range(len(lines)):
        change = line % 8 & max(swizzle // 16 - 1, 0)
        for piece in range(8):
            result[line, piece ^ change] = lines[line, piece]
    return result.reshape(-1)


def by_k(matrix: np.ndarray, swizzle: int) -> tuple[np.ndarray, Layout]:
    """(rows, 32 bytes) in shared memory with k along the rows; a swizzle pads the rows."""
    raw = np.ascontiguousarray(matrix).view(np.uint8).reshape(-1, 8, 2, 16)
    if swizzle == 0:
        flat = np.ascontiguousarray(raw.transpose(0, 2, 1, 3)).reshape(-1)
        return flat.view(np.uint32), (128, 256, 0)
    wide = np.zeros((raw.shape[0], 8, swizzle // 16, 16), np.uint8)
    wide[:, :, :2] = raw
    return exchanged(wide, swizzle).view(np.uint32), (16, 8 * swizzle, swizzle)


def by_rows(matrix: np.ndarray, swizzle: int) -> tuple[np.ndarray, Layout]:
    """(rows, 16) of 16 bits in shared memory with rows side by side: transposed.

    Pieces of 8 steps of k by 16 bytes of rows, or as many as the swizzle; those along k first.
    """
    width = swizzle or 16
    rows = len(matrix) // (width // 2)
    raw = np.ascontiguousarray(matrix.T).view(np.uint8).reshape(2, 8, rows, width)
    flat = exchanged(np.ascontiguousarray(raw.transpose(2, 0, 1, 3)), swizzle)
    near, far = 8 * width, 16 * width
    return flat.view(np.uint32), (near, far, 0) if swizzle == 0 else (far, near, swizzle)


E4M3, E5M2 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2
# Elements of A and B, what the language calls them, the sums.
KINDS: dict[str, tuple[Any, Any, Any, Any]] = {
    "bf16": (ml_dtypes.bfloat16, ml_dtypes.bfloat16, sw.bf16, np.float32),
    "f16": (np.float16, np.float16, sw.f16, np.float32),
    "f16, sums f16": (np.float16, np.float16, sw.f16, np.float16),
    "tf32": (np.float32, np.float32, sw.f32, np.float32),
    "i8": (np.int8, np.int8, sw.i8, np.int32),
    "u8": (np.uint8, np.uint8, sw.u8, np.int32),
    "i8 and u8": (np.int8, np.uint8, (sw.i8, sw.u8), np.int32),
    "e4m3": (E4M3, E4M3, "e4m3", np.float32),
    "e5m2": (E5M2, E5M2, "e5m2", np.float32),
    "e5m2 and e4m3, sums f16": (E5M2, E4M3, ("e5m2", "e4m3"), np.float16),
}


def operands(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A (64, k), B (COLUMNS, k), sums, and what their product is."""
    left, right, _, total = KINDS[kind]
    rng, k = np.random.default_rng(5), 32 // np.dtype(left).itemsize
    lows = (0 if np.dtype(of) == np.uint8 else -4 for of in (left, right))
    a, b = (
        rng.integers(low, 5, (rows, k)).astype(of)
        for low, rows, of in zip(lows, (64, COLUMNS), (left, right), strict=True)
    )
    c = rng.integers(-9, 9, (64, COLUMNS)).astype(total)
    wide = np.int64 if total is np.int32 else np.float64
    return a, b, c, (a.astype(wide) @ b.astype(wide).T).astype(total)


def run(kind: str, a: Any, b: Any, c: np.ndarray, flag: int = 0, **options: Any) -> str:
    """The product of placed operands, into c."""
    sums = in_lanes(c)
    sizes = (a[0].size, b[0].size)
    kernel = one_product(KINDS[kind][2], sizes, a[1], b[1], **options)
    text = launch(kernel, a[0], b[0], sums, np.array([flag], np.int32))
    c[...] = in_rows(sums)
    return text


@pytest.mark.parametrize("swizzle", [0, 32, 64, 128])
@pytest.mark.parametrize("kind", KINDS)
def test_operands_in_shared_memory(kind: str, swizzle: int):
    a, b, c, product = operands(kind)
    expected = product + c
    text = run(kind, by_k(a, swizzle), by_k(b, swizzle), c)
    np.testing.assert_array_equal(c, expected)
    assert "wgmma.mma_async.sync.aligned.m64n32k" in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_in_registers(kind: str):
    a, b, c, product = operands(kind)
    expected = product + c
    # A thread has rows g and g + 8, and 4 bytes at t and at t + 4 of each.
    pieces = np.ascontiguousarray(a).view(np.uint32).reshape(4, 2, 8, 2, 4)
    registers = np.ascontiguousarray(pieces.transpose(0, 2, 4, 3, 1)).reshape(-1)
    run(kind, (registers, None), by_k(b, 128), c)
    np.testing.assert_array_equal(c, expected)


@pytest.mark.parametrize("turned", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("swizzle", [0, 32, 64, 128])
@pytest.mark.parametrize("kind", ["bf16", "f16, sums f16"])
def test_transposed_operands(kind: str, swizzle: int, turned: tuple[bool, bool]):
    a, b, c, product = operands(kind)
    expected = product + c
    wide = np.zeros((64, 16), b.dtype)  # B may be narrower than a swizzle
    wide[:COLUMNS] = b
    placed = [
        by_rows(matrix, swizzle) if turn else by_k(matrix, swizzle)
        for matrix, turn in zip((a, wide), turned, strict=True)
    ]
    run(kind, placed[0], placed[1], c, turned=turned)
    np.testing.assert_array_equal(c, expected)


@pytest.mark.parametrize(("flag", "counted"), [(0, False), (1, True), (0, None), (1, None)])
@pytest.mark.parametrize("kind", ["bf16", "f16, sums f16", "i8"])
def test_whether_old_sums_count(kind: str, flag: int, counted: bool | None):
    a, b, c, product = operands(kind)
    expected = product + flag * c
    run(kind, by_k(a, 0), by_k(b, 0), c, flag, counted=counted)
    np.testing.assert_array_equal(c, expected)


REFUSALS: dict[str, tuple[str, str]] = {
    "types that do not go together": (
        "(0.0, 0.0, 0.0, 0.0), (sw.bf16, sw.f16)",
        "there is no wgmma of bf16 and f16",
    ),
    "three types": (
        "(0.0, 0.0, 0.0, 0.0), (sw.bf16, sw.f16, sw.f16)",
        "expected sw.f16 or sw.bf16",
    ),
    "sums": (
        "(sw.f16(0), sw.f16(0), sw.f16(0), sw.f16(0)), sw.bf16",
        "sums of f16, expected f32 for a wgmma of bf16",
    ),
    "accumulate": (
        "(0.0, 0.0, 0.0, 0.0), sw.f16, accumulate=x",
        "expected a number or bool, got an array of u64",
    ),
}


test_refusals = refuses(
    {
        name: (f"sw.nvidia.wgmma(x[0], x[0], {arguments})", "cuda:sm_90a", message)
        for name, (arguments, message) in REFUSALS.items()
    },
    (sw.Array[sw.u64, 1],),
)
