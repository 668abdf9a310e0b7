"""Arrays of one thread and views, in loops over threads."""

from __future__ import annotations

import numpy as np
import pytest
from gpu_interpreter import both, lower
from gpu_kernels import LOAD, kernel, numbers, zeros

from stepwell.dialects.diagnostics import CompileError


def test_private_array_of_a_flat_kernel_is_one_array():
    body = """
      %l = memref.alloca() : memref<4xi32, PRIVATE>
      %v = memref.load %x[%g] : memref<?xi32, GLOBAL>
      memref.store %v, %l[%c1] : memref<4xi32, PRIVATE>
      %w = memref.load %l[%c1] : memref<4xi32, PRIVATE>
      memref.store %w, %y[%g] : memref<?xi32, GLOBAL>"""
    both(kernel(body), [numbers(16), zeros(16)], (2, 1, 1))
    assert lower(kernel(body)).count("memref.alloca()") == 1


def test_private_array_across_a_barrier_is_one_for_each_thread():
    body = """
      %l = memref.alloca() : memref<2x3xi32, PRIVATE>
      %v = memref.load %x[%g] : memref<?xi32, GLOBAL>
      memref.store %v, %l[%c1, %c2] : memref<2x3xi32, PRIVATE>
      gpu.barrier
      %row = memref.subview %l[1, 0] [1, 3] [1, 1] : memref<2x3xi32, PRIVATE> to ROW
      %w = memref.load %row[%c2] : ROW
      gpu.barrier
      %z = memref.load %row[%c2] : ROW
      %u = arith.addi %w, %z : i32
      memref.store %u, %y[%g] : memref<?xi32, GLOBAL>"""
    x, y = both(kernel(body), [numbers(8), zeros(8)])
    np.testing.assert_array_equal(y, 2 * x)


def test_private_array_used_in_a_loop_with_barriers_keeps_its_contents():
    body = """
      %l = memref.alloca() : memref<1xi32, PRIVATE>
      gpu.barrier
      scf.for %i = %c0 to %c3 step %c1 {
        %first = arith.cmpi eq, %i, %c0 : index
        scf.if %first {
          %v = memref.load %x[%g] : memref<?xi32, GLOBAL>
          memref.store %v, %l[%c0] : memref<1xi32, PRIVATE>
        }
        %w = memref.load %l[%c0] : memref<1xi32, PRIVATE>
        memref.store %w, %y[%g] : memref<?xi32, GLOBAL>
        gpu.barrier
      }"""
    x, y = both(kernel(body), [numbers(8), zeros(8)])
    np.testing.assert_array_equal(y, x)


def test_view_is_made_again_after_a_barrier():
    body = """
      %o32 = memref.load %x[%g] : memref<?xi32, GLOBAL>
      %o = arith.index_cast %o32 : i32 to index
      %part = memref.subview %y[%o] [%c2] [1] : memref<?xi32, GLOBAL> to PART
      gpu.barrier
      %v = arith.addi %o32, %i1 : i32
      memref.store %v, %part[%c1] : PART"""
    order = np.random.default_rng(1).permutation(8).astype(np.int32)
    _, y = both(kernel(body), [order, zeros(9)])
    np.testing.assert_array_equal(y, range(9))


def test_array_chosen_by_control_flow_cannot_live_across_a_barrier():
    view = "memref<?xi32, GLOBAL>"
    body = (
        LOAD
        + f"""
      %c = arith.cmpi sgt, %v, %i0 : i32
      %m = scf.if %c -> ({view}) {{ scf.yield %x : {view} }} else {{ scf.yield %y : {view} }}
      gpu.barrier
      memref.store %v, %m[%g] : {view}"""
    )
    with pytest.raises(CompileError, match="which array this is depends on control flow"):
        lower(kernel(body))


def test_arrays_that_a_stack_cannot_hold_are_refused():
    body = """
      %l = memref.alloca() : memref<4096xi32, PRIVATE>
      memref.store %i1, %l[%t] : memref<4096xi32, PRIVATE>
      BARRIER
      %v = memref.load %l[%t] : memref<4096xi32, PRIVATE>
      memref.store %v, %y[%g] : memref<?xi32, GLOBAL>"""
    lower(kernel(body.replace("BARRIER", "")))
    with pytest.raises(CompileError, match="keeps 16777216 bytes for a block of threads"):
        lower(kernel(body.replace("BARRIER", "gpu.barrier")))


def test_private_attribution_across_a_barrier():
    body = """
      %v = memref.load %x[%g] : memref<?xi32, GLOBAL>
      memref.store %v, %p[%c1] : memref<2xi32, PRIVATE>
      gpu.barrier
      %w = memref.load %p[%c1] : memref<2xi32, PRIVATE>
      memref.store %w, %y[%g] : memref<?xi32, GLOBAL>"""
    text = lower(kernel(body, frame="private(%p : memref<2xi32, PRIVATE>)"))
    assert "memref<?x2xi32>" in text
