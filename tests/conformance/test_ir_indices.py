"""Code whose indices have 64 bits, for arrays of 2^31 elements and more, on small arrays."""

from __future__ import annotations

import numpy as np
import pytest
from conformance.ir_kernels import compile_text, run_on

import stepwell as sw
from stepwell.dialects.diagnostics import CompileError
from stepwell.targets import find_target

TEXT = """gpu.module @m {
  gpu.func @kernel(%x: memref<?x?xf32, GLOBAL>, %y: memref<?xf32, GLOBAL>,
      %far: memref<?xi64, GLOBAL>, %down: i32) kernel {
    %i = gpu.global_id x
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %past = arith.constant 4294967296 : index
    %n = memref.dim %x, %one : memref<?x?xf32, GLOBAL>
    %start = arith.constant 0.0 : f32
    %s = scf.for %j = %zero to %n step %one iter_args(%t = %start) -> (f32) {
      %v = memref.load %x[%i, %j] : memref<?x?xf32, GLOBAL>
      %u = arith.addf %t, %v : f32
      scf.yield %u : f32
    }
    memref.store %s, %y[%i] : memref<?xf32, GLOBAL>
    %d = arith.index_cast %down : i32 to index
    %p = arith.muli %i, %past : index
    %q = arith.addi %p, %d : index
    %below = arith.cmpi slt, %d, %zero : index
    %b = arith.select %below, %q, %zero : index
    %w = arith.index_cast %b : index to i64
    memref.store %w, %far[%i] : memref<?xi64, GLOBAL>
    gpu.return
  }
}
"""


def test_indices_past_32_bits(device: sw.Device):
    if device.kind != "vulkan" or "int64" not in device.target or "bda" not in device.target:
        pytest.skip(f"{device.name} has no choice of how wide an index is")
    x, y, far = (
        np.random.default_rng(1).random((5, 7), np.float32),
        np.zeros(5, "f4"),
        np.zeros(5, "i8"),
    )
    made = compile_text(TEXT, f"{device.target}+index64")
    run_on(device, made, x, y, far, np.int32(-3), grid=5)
    expected = np.zeros(5, np.float32)
    for column in x.T:
        expected += column
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(far, np.arange(5, dtype=np.int64) * 2**32 - 3)


@pytest.mark.parametrize("lacks", ["int64", "bda"])
def test_a_device_that_cannot_have_them_is_refused(lacks: str):
    others = "+".join({"int64", "bda"} - {lacks})
    with pytest.raises(CompileError, match="indices of 64 bits need int64 and buffers by address"):
        find_target(f"vulkan:1.6+sg8+{others}+index64")
