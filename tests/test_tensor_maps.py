"""Tensor maps: copies of boxes through the interpreter, what is refused, what a manifest says."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from oracles.ptx.errors import Misaligned, PtxError
from oracles.ptx_device import PtxDevice

import stepwell as sw
from stepwell.lowering.emit.ptx import assemble_cubin, find_tool
from stepwell.runtime.artifact import Manifest
from stepwell.runtime.errors import ArrayError, DeviceError

BOX = (16, 32)


@pytest.fixture(scope="module")
def device() -> sw.Device:
    return PtxDevice("sm_90a")


def fetch(ready, tile, source, at):
    """One box, awaited by all."""
    if sw.thread_id(0) == 0:
        sw.nvidia.tma_prefetch(source)
        sw.nvidia.mbarrier_init(ready, 0, 1)
        sw.nvidia.fence_mbarrier_init()
        sw.nvidia.mbarrier_expect(ready, 0, source.nbytes)
        sw.nvidia.tma_load(tile, (0, 0), source, at, ready, 0)
    sw.barrier()
    sw.nvidia.mbarrier_wait(ready, 0, 0)


def shift(source, target, row, column):
    """target[r, c] = source[r + row, c + column], box by box; 0 where that is outside."""
    tile = sw.shared(BOX, source.dtype)
    ready = sw.shared(1, sw.u64)
    r, c = sw.i32(sw.block_id(1) * BOX[0]), sw.i32(sw.block_id(0) * BOX[1])
    if sw.target.nvidia(sm=90):
        fetch(ready, tile, source, (r + row, c + column))
        if sw.thread_id(0) == 0:
            sw.nvidia.tma_store(target, (r, c), tile, (0, 0))
            sw.nvidia.bulk_commit()
            sw.nvidia.bulk_wait(0)


@pytest.mark.parametrize("dtype", [np.float32, np.int8, ml_dtypes.bfloat16, np.float64])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, -5), (-20, 90)])
def test_boxes_move_and_what_is_outside_is_zero(device: Any, dtype: Any, row: int, column: int):
    """Of an array of 40 by 112 elements; the last row of boxes ends outside of both tensors."""
    x = np.arange(40 * 112).reshape(40, 112).astype(dtype)
    padded = np.zeros((120, 336), dtype)
    padded[40:80, 112:224] = x
    expected = padded[40 + row : 80 + row, 112 + column : 224 + column]
    source, target = device.array(x), device.full(x.shape, 1, x.dtype)
    with sw.use(device):
        sw.kernel(shift)[(4, 3), 32](source.tensor_map(BOX), target.tensor_map(BOX), row, column)
    np.testing.assert_array_equal(target.numpy(), expected)


def unswizzle(source, out):
    """The elements in the order of shared memory."""
    tile = sw.shared(source.box, source.dtype)
    ready = sw.shared(1, sw.u64)
    if sw.target.nvidia(sm=90):
        fetch(ready, tile, source, (0, 0))
        for i in range(sw.thread_id(0), tile.size, 32):
            out[i] = tile[i // tile.shape[1], i % tile.shape[1]]


@pytest.mark.parametrize("swizzle", [0, 32, 64, 128])
def test_swizzled_rows(device: Any, swizzle: int):
    """16-byte pieces of each 128 bytes change places by the number of these 128 bytes."""
    width = (swizzle or 64) // 2
    x = np.arange(16 * width, dtype=np.uint16).reshape(16, width)
    out = device.zeros(x.size, np.uint16)
    with sw.use(device):
        sw.kernel(unswizzle)[1, 32](device.array(x).tensor_map(x.shape, swizzle), out)
    pieces = x.reshape(-1, 8, 8)
    change = np.arange(len(pieces))[:, None] % 8 & max(swizzle // 16 - 1, 0)
    expected = np.take_along_axis(pieces, (np.arange(8) ^ change)[:, :, None], axis=1)
    np.testing.assert_array_equal(out.numpy(), expected.reshape(-1))


def test_a_tensor_of_five_axes_with_gaps(device: Any):
    def copy(source, out):
        tile = sw.shared((1, 2, 1, 2, 4), sw.f32)
        ready = sw.shared(1, sw.u64)
        if sw.target.nvidia(sm=90):
            if sw.thread_id(0) == 0:
                sw.nvidia.mbarrier_init(ready, 0, 1)
                sw.nvidia.mbarrier_expect(ready, 0, source.nbytes)
                sw.nvidia.tma_load(tile, (0, 0, 0, 0, 0), source, (1, 1, 0, 2, 4), ready, 0)
            sw.barrier()
            sw.nvidia.mbarrier_wait(ready, 0, 0)
            for i in range(16):
                out[i] = tile[0, i // 8, 0, i // 4 % 2, i % 4]

    x = np.arange(2 * 3 * 2 * 4 * 16, dtype=np.float32).reshape(2, 3, 2, 4, 16)
    out = device.zeros(16, np.float32)
    with sw.use(device):
        sw.kernel(copy)[1, 1](device.array(x)[..., :8].tensor_map((1, 2, 1, 2, 4)), out)
    np.testing.assert_array_equal(out.numpy(), x[1, 1:3, 0, 2:4, 4:8].reshape(-1))


def test_a_store_through_a_map_counts_as_a_write_to_the_array(device: Any):
    """The same array as a map that is written and as a parameter that is read: no `ld.nc`."""

    def kernel(target, x):
        tile = sw.shared((1, 4), sw.f32)
        for i in range(4):
            tile[0, i] = x[i] + 1
        if sw.target.nvidia(sm=90):
            sw.nvidia.fence_async()
            sw.nvidia.tma_store(target, (0, 0), tile, (0, 0))
            sw.nvidia.bulk_commit()
            sw.nvidia.bulk_wait(0)
        x[4] = x[0]

    made = sw.kernel(checks=False)(kernel)
    x = device.array(np.arange(8, dtype=np.float32))
    with sw.use(device):
        made[1, 1](x.reshape(2, 4).tensor_map((1, 4)), x)
    np.testing.assert_array_equal(x.numpy(), [1, 2, 3, 4, 1, 5, 6, 7])
    manifest = next(iter(made._loaded.values())).manifest
    assert [row.writes for row in manifest.parameters] == [True, True]
