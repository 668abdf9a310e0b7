"""Functions of other packages: operands and results of several types."""

# Kernels have no annotations: they take what a call gives them.
# pyright: basic

from __future__ import annotations

import numpy as np
import pytest
from extension_ops import average, halves, seven

import stepwell as sw


def run(x, y):
    i = sw.global_id(0)
    y[i] = average(x[i], y[i])


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2"])
def test_the_op_is_that_of_the_sign(device: sw.Device, dtype: str):
    kernel = sw.kernel(run)
    x = np.array([3, 200 % (1 << 7 * np.dtype(dtype).itemsize)], dtype)
    y = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
    wanted = [(int(a) + int(b)) // 2 for a, b in zip(x, y, strict=True)]
    kernel.over(2, device=device)(x, y)
    assert y.tolist() == wanted
    name = "exttypes.average" if dtype[0] == "i" else "exttypes.average_unsigned"
    assert f'"{name}"' in kernel.ir("simt", x, y)


def test_several_results_are_a_tuple_and_there_may_be_no_parameters(device: sw.Device):
    @sw.kernel
    def parts(x, low, high):
        i = sw.global_id(0)
        low[i], high[i] = halves(x[i])
        number, odd = seven()
        if odd:
            low[i] += sw.u32(number)

    x = np.array([5 << 32 | 3, 2**64 - 8], np.uint64)
    low, high = np.zeros(2, np.uint32), np.zeros(2, np.int32)
    parts.over(2, device=device)(x, low, high)
    assert low.tolist() == [10, 2**32 - 1]
    assert high.tolist() == [5, -1]
