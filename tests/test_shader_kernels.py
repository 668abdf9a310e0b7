"""Kernels taken to the shader level, for devices with more and fewer features, and run."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
from conformance.compare import check
from oracles.shader_device import ShaderDevice, register, unregister

import stepwell as sw


@pytest.fixture(params=["sg4"])
def device(request: pytest.FixtureRequest) -> Generator[ShaderDevice]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEPWELL_CACHE", "0")
        yield register(request.param)
        unregister()


def test_buffers_with_strides(device: ShaderDevice):
    def kernel(x, y):
        i, j = sw.global_id(0), sw.global_id(1)
        y[j, i] = x[i, j]

    x = np.arange(48, dtype=np.float32).reshape(6, 8)[::2, 1::3]
    check(kernel, x, np.zeros((3, 3), np.float32), device=device, over=(3, 3))


def test_parts_of_a_shared_array(device: ShaderDevice):
    def kernel(x, y):
        tile = sw.shared((4, 5), sw.i32)
        t = sw.thread_id(0)
        tile[t // 5, t % 5] = x[t]
        sw.barrier()
        row = tile[t % 4, 1:]
        y[t] = row[t % 3]

    x = np.arange(20, dtype=np.int32)
    check(kernel, x, np.zeros_like(x), device=device, grid=1, block=20, cooperative=True)


def test_dynamic_shared_array_of_rows(device: ShaderDevice):
    @sw.kernel
    def kernel(x, y):
        rows = sw.shared((None, 2), sw.f32)
        t = sw.thread_id(0)
        rows[t, 0] = x[t]
        rows[t, 1] = len(rows)
        sw.barrier()
        y[t] = rows[7 - t, 0] + rows[t, 1]

    x, y = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    kernel.launch(1, 8, device=device, shared_bytes=64)(x, y)
    np.testing.assert_array_equal(y, 15 - x)
