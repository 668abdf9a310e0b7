"""What gpu-to-cpu makes of kernels with barriers does what their threads do one by one."""

from __future__ import annotations

import numpy as np
import pytest
from gpu_interpreter import CheckFailed, both, lower
from gpu_kernels import LOAD, OVER, SHARED, STORE, X, Y, kernel, numbers, zeros


def test_flat_kernel_runs_the_threads_inside_the_extents():
    text = kernel(
        LOAD + "memref.store %v, %y[%g] : memref<?xi32, GLOBAL>",
        f"{X}, {Y}, {OVER}",
        "gpux.over = 1 : i64",
    )
    x, y, *_ = both(text, [numbers(13), zeros(20), 13, 1, 1], grid=(2, 1, 1))
    np.testing.assert_array_equal(y[:13], x)
    assert not y[13:].any()


def test_ids_are_found_inside_of_control_flow():
    body = """
      %c = arith.cmpi sgt, %v, %i0 : i32
      scf.if %c {
        %g1 = gpu.global_id x
        %b1 = gpu.block_id x
        %o = arith.index_cast %b1 : index to i32
        memref.store %o, %y[%g1] : memref<?xi32, GLOBAL>
      }
      gpu.barrier
      scf.if %c {
        %t1 = gpu.thread_id x
        %o = arith.index_cast %t1 : index to i32
        memref.store %o, %x[%g] : memref<?xi32, GLOBAL>
      }"""
    both(kernel(LOAD + body), [numbers(16), zeros(16)], (2, 1, 1))


@pytest.mark.parametrize("over", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_flat_kernel_in_three_dimensions(known: bool, over: bool):
    body = """
      %ty = gpu.thread_id y
      %gy = gpu.global_id y
      %gz = gpu.global_id z
      %ln = gpu.lane_id
      %sg = gpu.subgroup_id : index
      %r = arith.muli %gz, %c8 : index
      %r1 = arith.addi %r, %gy : index
      %r2 = arith.muli %r1, %c8 : index
      %r3 = arith.addi %r2, %g : index
      %q = arith.muli %sg, %c8 : index
      %q1 = arith.addi %q, %ln : index
      %q2 = arith.addi %q1, %ty : index
      %o = arith.index_cast %q2 : index to i32
      memref.store %o, %y[%r3] : memref<?xi32, GLOBAL>"""
    attributes = ["gpux.over = 3 : i64"] * over
    attributes += ["gpu.known_block_size = array<i32: 3, 4, 2>"] * known
    extents: list[int] = [5, 7, 3] if over else []
    parameters = f"{X}, {Y}, {OVER}" if over else f"{X}, {Y}"
    text = kernel(body, parameters, ", ".join(attributes))
    both(text, [zeros(1), zeros(8 * 8 * 8), *extents], (2, 2, 2), (3, 4, 2))


def test_value_that_lives_across_two_barriers():
    body = (
        LOAD
        + STORE
        + """
      %m = arith.subi %n, %t : index
      %k = arith.subi %m, %c1 : index
      %w = memref.load %s[%k] : memref<8xi32, SHARED>
      gpu.barrier
      %u = arith.addi %v, %w : i32
      memref.store %u, %s[%t] : memref<8xi32, SHARED>
      gpu.barrier
      %z = memref.load %s[%k] : memref<8xi32, SHARED>
      %r = arith.muli %z, %v : i32
      memref.store %r, %y[%g] : memref<?xi32, GLOBAL>"""
    )
    x, y = both(kernel(body, frame=SHARED), [numbers(16), zeros(16)], (2, 1, 1))
    mirrored = x.reshape(2, 8)[:, ::-1].ravel()
    np.testing.assert_array_equal(y, (x + mirrored) * x)


TREE = (
    LOAD
    + STORE
    + """
  %h = arith.divui %n, %c2 : index
  %last = scf.while (%o = %h) : (index) -> index {
    %more = arith.cmpi ugt, %o, %c0 : index
    scf.condition(%more) %o : index
  } do {
  ^bb0(%o2: index):
    %low = arith.cmpi ult, %t, %o2 : index
    scf.if %low {
      %far = arith.addi %t, %o2 : index
      %p = memref.load %s[%t] : memref<8xi32, SHARED>
      %q = memref.load %s[%far] : memref<8xi32, SHARED>
      %r = arith.addi %p, %q : i32
      memref.store %r, %s[%t] : memref<8xi32, SHARED>
    }
    gpu.barrier
    %o3 = arith.divui %o2, %c2 : index
    scf.yield %o3 : index
  }
  %first = arith.cmpi eq, %t, %last : index
  scf.if %first {
    %sum = memref.load %s[%c0] : memref<8xi32, SHARED>
    memref.store %sum, %y[%b] : memref<?xi32, GLOBAL>
  }"""
)


def test_reduction_in_shared_memory_with_a_barrier_in_a_loop():
    x, y = both(kernel(TREE, frame=SHARED), [numbers(24), zeros(3)], (3, 1, 1))
    np.testing.assert_array_equal(y, x.reshape(3, 8).sum(1))
    # The loop's variable is uniform: no array, no check.
    assert "gpux.check" not in lower(kernel(TREE, frame=SHARED))


FOR = """
  %e = scf.for %i = %c0 to {bound} step %c1 iter_args(%a = %v, %d = %c0) -> (i32, index) {{
    memref.store %a, %s[%t] : memref<8xi32, SHARED>
    gpu.barrier
    %t1 = arith.addi %t, %c1 : index
    %next = arith.remui %t1, %n : index
    %w = memref.load %s[%next] : memref<8xi32, SHARED>
    gpu.barrier
    %di = arith.index_cast %d : index to i32
    %w1 = arith.addi %w, %di : i32
    %d1 = arith.addi %d, %i : index
    scf.yield %w1, %d1 : i32, index
  }}
  memref.store %e#0, %y[%g] : memref<?xi32, GLOBAL>"""


def test_loop_carries_a_value_of_each_thread_and_a_uniform_one():
    text = kernel(LOAD + FOR.format(bound="%c4").replace("%e =", "%e:2 ="), frame=SHARED)
    x, y = both(text, [numbers(8), zeros(8)])
    np.testing.assert_array_equal(y, np.roll(x, -4) + 0 + 0 + 1 + 3)


def test_loop_bound_that_is_loaded_is_compared_at_run_time():
    bound = """
      %l32 = memref.load %x[%c0] : memref<?xi32, GLOBAL>
      %l = arith.index_cast %l32 : i32 to index
      """
    text = kernel(LOAD + bound + FOR.format(bound="%l").replace("%e =", "%e:2 ="), frame=SHARED)
    both(text, [np.array([3, 5, 6, 7, 8, 1, 2, 4], np.int32), zeros(8)])
    assert lower(text).count("gpux.check") == 1


def test_values_that_swap_places_in_a_loop():
    body = """
      %v = memref.load %x[%g] : memref<?xi32, GLOBAL>
      %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%p = %v, %q = %i1) -> (i32, i32) {
        gpu.barrier
        scf.yield %q, %p : i32, i32
      }
      %d = arith.subi %r#0, %r#1 : i32
      memref.store %d, %y[%g] : memref<?xi32, GLOBAL>"""
    both(kernel(body), [numbers(8), zeros(8)])


IF = """
  %r = scf.if %c -> (i32) {
    memref.store %v, %s[%t] : memref<8xi32, SHARED>
    gpu.barrier
    %w = memref.load %s[%c2] : memref<8xi32, SHARED>
    scf.yield %w : i32
  } else {
    scf.yield %v : i32
  }
  memref.store %r, %y[%g] : memref<?xi32, GLOBAL>"""


def test_barrier_in_a_uniform_if():
    condition = "%c = arith.cmpi eq, %b, %c1 : index\n"
    text = kernel(LOAD + condition + IF, frame=SHARED)
    x, y = both(text, [numbers(16), zeros(16)], (2, 1, 1))
    np.testing.assert_array_equal(y, [*x[:8], *[x[10]] * 8])
    assert "gpux.check" not in lower(text)


@pytest.mark.parametrize("agree", [True, False])
def test_condition_of_a_barrier_that_is_not_proven_uniform(agree: bool):
    condition = """
      %one = arith.cmpi sgt, %v, %i0 : i32
      %c = arith.xori %one, %one : i1
      %d = arith.ori %c, %one : i1
      """.replace("%d", "%cc")
    body = LOAD + condition + IF.replace("%c ", "%cc ")
    x = numbers(8) % 5 + 1
    if agree:
        both(kernel(body, frame=SHARED), [x, zeros(8)])
        return
    x[3] = -1
    with pytest.raises(CheckFailed, match="barrier"):
        both(kernel(body, frame=SHARED), [x, zeros(8)], levels="gpu")
    with pytest.raises(CheckFailed) as failed:
        both(kernel(body, frame=SHARED), [x, zeros(8)], levels="cpu")
    assert failed.value.args == ("barrier", (), (0, 0, 0, 3, 0, 0))


def test_barrier_that_depends_on_the_thread_id_fails():
    condition = "%c = arith.cmpi ult, %t, %c4 : index\n"
    with pytest.raises(CheckFailed, match="barrier"):
        both(kernel(LOAD + condition + IF, frame=SHARED), [numbers(8), zeros(8)], levels="cpu")


def test_while_loop_that_carries_what_each_thread_has():
    body = (
        LOAD
        + """
      %r:2 = scf.while (%a = %v, %k = %i0) : (i32, i32) -> (i32, i32) {
        memref.store %a, %s[%t] : memref<8xi32, SHARED>
        gpu.barrier
        %w = memref.load %s[%c0] : memref<8xi32, SHARED>
        gpu.barrier
        %more = arith.cmpi slt, %w, %i8 : i32
        %a2 = arith.addi %a, %k : i32
        scf.condition(%more) %a2, %w : i32, i32
      } do {
      ^bb0(%a3: i32, %w2: i32):
        %a4 = arith.addi %a3, %i2 : i32
        %k2 = arith.addi %w2, %i1 : i32
        scf.yield %a4, %k2 : i32, i32
      }
      %o = arith.addi %r#0, %r#1 : i32
      memref.store %o, %y[%g] : memref<?xi32, GLOBAL>"""
    )
    both(kernel(body, frame=SHARED), [np.arange(8, dtype=np.int32) - 20, zeros(8)])


@pytest.mark.parametrize("known", [True, False])
def test_barriers_in_a_block_of_three_dimensions(known: bool):
    body = """
      %ty = gpu.thread_id y
      %tz = gpu.thread_id z
      %zy = arith.muli %tz, %c2 : index
      %zy1 = arith.addi %zy, %ty : index
      %l = arith.muli %zy1, %c2 : index
      %lin = arith.addi %l, %t : index
      %v = memref.load %x[%lin] : memref<?xi32, GLOBAL>
      %m = arith.muli %v, %v : i32
      memref.store %m, %s[%lin] : memref<8xi32, SHARED>
      gpu.barrier
      %w = memref.load %s[%c3] : memref<8xi32, SHARED>
      %r = arith.addi %w, %v : i32
      memref.store %r, %y[%lin] : memref<?xi32, GLOBAL>"""
    attributes = "gpu.known_block_size = array<i32: 2, 2, 2>" if known else ""
    text = kernel(body, attributes=attributes, frame=SHARED)
    x, y = both(text, [numbers(8), zeros(8)], size=(2, 2, 2))
    np.testing.assert_array_equal(y, x[3] * x[3] + x)


def test_switch_with_a_barrier_becomes_a_chain_of_ifs():
    body = (
        LOAD
        + STORE
        + """
      %r = scf.index_switch %b -> i32
      case 0 {
        %w = memref.load %s[%c3] : memref<8xi32, SHARED>
        gpu.barrier
        scf.yield %w : i32
      }
      case 2 {
        scf.yield %i2 : i32
      }
      default {
        gpu.barrier
        scf.yield %v : i32
      }
      memref.store %r, %y[%g] : memref<?xi32, GLOBAL>"""
    )
    x, y = both(kernel(body, frame=SHARED), [numbers(24), zeros(24)], (3, 1, 1))
    np.testing.assert_array_equal(y, [*[x[3]] * 8, *x[8:16], *[2] * 8])


def test_loop_in_a_loop_with_barriers():
    body = (
        LOAD
        + """
      %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %v) -> (i32) {
        %q = scf.for %j = %c0 to %i step %c1 iter_args(%d = %a) -> (i32) {
          memref.store %d, %s[%t] : memref<8xi32, SHARED>
          gpu.barrier
          %w = memref.load %s[%j] : memref<8xi32, SHARED>
          gpu.barrier
          %d1 = arith.addi %d, %w : i32
          scf.yield %d1 : i32
        }
        %z = arith.addi %q, %a : i32
        scf.yield %z : i32
      }
      memref.store %r, %y[%g] : memref<?xi32, GLOBAL>"""
    )
    both(kernel(body, frame=SHARED), [numbers(8), zeros(8)])


def test_division_is_not_moved_before_the_check_that_guards_it():
    body = """
      %ok = arith.cmpi ne, %d, %i0 : i32
      gpux.check %ok, "division", "division by zero" formats []
      %q = arith.divsi %i8, %d : i32
      gpu.barrier
      memref.store %q, %y[%g] : memref<?xi32, GLOBAL>"""
    both(kernel(body, f"{X}, {Y}, %d: i32"), [zeros(8), zeros(8), 3])
    with pytest.raises(CheckFailed, match="division"):
        both(kernel(body, f"{X}, {Y}, %d: i32"), [zeros(8), zeros(8), 0], levels="cpu")


def test_switch_of_which_one_case_has_a_barrier_and_whose_value_is_loaded():
    body = """
      %at = memref.load %x[%c0] : memref<?xi32, GLOBAL>
      %k = arith.index_cast %at : i32 to index
      %r = scf.index_switch %k -> i32
      case 1 {
        gpu.barrier
        scf.yield %i1 : i32
      }
      case 2 {
        scf.yield %v : i32
      }
      default {
        scf.yield %i3 : i32
      }
      memref.store %r, %y[%g] : memref<?xi32, GLOBAL>"""
    for first in (1, 2, 3):
        x = numbers(8)
        x[0] = first
        both(kernel(LOAD + body), [x, zeros(8)])
