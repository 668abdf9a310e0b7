"""What gpu-to-cpu makes of subgroup ops: among the active lanes, whatever way each lane goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gpu_interpreter import CheckFailed, both, lower
from gpu_kernels import LOAD, OVER, SHARED, Numbers, X, Y, kernel, numbers, zeros

from stepwell.dialects.diagnostics import CompileError

WIDTH = "%sz = gpu.subgroup_size : index\n%w = arith.index_cast %sz : index to i32\n"
KEEP = "\nmemref.store %r, %y[%g] : memref<?xi32, GLOBAL>"


def subgroups(x: Numbers, width: int = 4) -> list[Numbers]:
    return [x[start : start + width] for start in range(0, len(x), width)]


@pytest.mark.parametrize("count", [8, 6, 3])
@pytest.mark.parametrize(
    ("kind", "fold"), [("add", np.sum), ("minsi", np.min), ("maxsi", np.max), ("mul", np.prod)]
)
def test_reduction_of_whole_and_partial_subgroups(
    kind: str, fold: Callable[[Numbers], Any], count: int
):
    text = kernel(LOAD + f"%r = gpu.subgroup_reduce {kind} %v : (i32) -> i32" + KEEP)
    x, y = both(text, [numbers(count), zeros(count)], size=(count, 1, 1))
    expected: list[Numbers] = [np.full(len(part), fold(part)) for part in subgroups(x)]
    np.testing.assert_array_equal(y, np.concatenate(expected))


@pytest.mark.parametrize("kind", ["and", "or", "xor", "minui", "maxui"])
def test_reduction_of_bits(kind: str):
    if kind.endswith("ui"):
        assert f"arith.{kind}" in lower(
            kernel(LOAD + f"%r = gpu.subgroup_reduce {kind} %v : (i32) -> i32" + KEEP)
        )
        return
    text = kernel(LOAD + f"%r = gpu.subgroup_reduce {kind} %v : (i32) -> i32" + KEEP)
    both(text, [numbers(8), zeros(8)])


@pytest.mark.parametrize("mode", ["inclusive", "exclusive"])
def test_scan(mode: str):
    text = kernel(LOAD + f'%r = gpux.subgroup_scan "add" "{mode}" %v : i32' + KEEP)
    both(text, [numbers(7), zeros(7)], size=(7, 1, 1))


@pytest.mark.parametrize("mode", ["xor", "up", "down", "idx"])
def test_shuffle_and_whether_the_other_lane_was_there(mode: str):
    body = f"""
      %a, %ok = gpu.shuffle {mode} %v, %i1, %w : i32
      %o = arith.extui %ok : i1 to i32
      %o1 = arith.muli %o, %i8 : i32
      %r = arith.addi %a, %o1 : i32"""
    both(kernel(LOAD + WIDTH + body + KEEP), [numbers(7), zeros(7)], size=(7, 1, 1))


@pytest.mark.parametrize("mode", ["xor", "up", "down", "idx"])
def test_shuffle_within_segments(mode: str):
    body = f"%r, %ok = gpu.shuffle {mode} %v, %i1, %i2 : i32"
    both(kernel(LOAD + body + KEEP), [numbers(7), zeros(7)], size=(7, 1, 1))


@pytest.mark.parametrize(
    ("width", "message"), [("%i8", "shuffle over 8 lanes"), ("%v", "not constant")]
)
def test_shuffle_width_that_the_device_has_not(width: str, message: str):
    with pytest.raises(CompileError, match=message) as raised:
        lower(kernel(LOAD + f"%r, %ok = gpu.shuffle xor %v, %i1, {width} : i32" + KEEP))
    assert raised.value.location is not None


def test_sum_by_shuffles():
    body = """
      %a, %oa = gpu.shuffle xor %v, %i2, %w : i32
      %s = arith.addi %v, %a : i32
      %b1, %ob = gpu.shuffle xor %s, %i1, %w : i32
      %r = arith.addi %s, %b1 : i32"""
    x, y = both(kernel(LOAD + WIDTH + body + KEEP), [numbers(16), zeros(16)], (2, 1, 1))
    np.testing.assert_array_equal(y, np.repeat(x.reshape(4, 4).sum(1), 4))


def test_shuffle_of_an_id():
    body = """
      %l = gpu.lane_id
      %li = arith.index_cast %l : index to i32
      %r, %ok = gpu.shuffle up %li, %i1, %w : i32"""
    both(kernel(WIDTH + body + KEEP), [zeros(8), zeros(8)])


BALLOT = """
  %odd = arith.andi %v, %i1 : i32
  %c = arith.cmpi eq, %odd, %i1 : i32
  %r = scf.if %c -> (i32) {
    %low = arith.cmpi sgt, %v, %i0 : i32
    %m = gpux.ballot %low : i64
    %q = arith.trunci %m : i64 to i32
    scf.yield %q : i32
  } else {
    %n1 = gpu.subgroup_reduce add %v : (i32) -> i32
    %p, %okp = gpu.shuffle xor %n1, %i1, %w : i32
    %valid = arith.extui %okp : i1 to i32
    %z = arith.addi %p, %valid : i32
    scf.yield %z : i32
  }"""


def test_ballot_reduction_and_shuffle_in_divergent_branches():
    both(kernel(LOAD + WIDTH + BALLOT + KEEP), [numbers(31), zeros(31)], size=(31, 1, 1), width=8)


def test_if_without_else_leaves_the_other_lanes_alone():
    body = """
      memref.store %i8, %y[%g] : memref<?xi32, GLOBAL>
      %c = arith.cmpi sgt, %v, %i0 : i32
      scf.if %c {
        %r = gpux.subgroup_scan "add" "inclusive" %v : i32
        memref.store %r, %y[%g] : memref<?xi32, GLOBAL>
      }"""
    both(kernel(LOAD + body), [numbers(16), zeros(16)], size=(16, 1, 1))


NESTED = """
  %k = arith.remui %t, %c4 : index
  %r = scf.for %i = %c0 to %k step %c1 iter_args(%a = %v) -> (i32) {
    %s = gpu.subgroup_reduce add %a : (i32) -> i32
    %q = scf.for %j = %i to %t step %c2 iter_args(%d = %s) -> (i32) {
      %u, %ok = gpu.shuffle down %d, %i1, %w : i32
      %d1 = arith.addi %u, %i1 : i32
      scf.yield %d1 : i32
    }
    %z = arith.addi %q, %a : i32
    scf.yield %z : i32
  }"""


@pytest.mark.parametrize("width", [1, 2, 4, 16])
def test_nested_loops_with_divergent_trip_counts(width: int):
    text = kernel(LOAD + WIDTH + NESTED + KEEP)
    both(text, [numbers(14), zeros(14)], size=(14, 1, 1), width=width)


def test_while_loop_that_lanes_leave_one_by_one():
    body = """
      %r:2 = scf.while (%a = %v, %n1 = %i0) : (i32, i32) -> (i32, i32) {
        %s = gpu.subgroup_reduce add %n1 : (i32) -> i32
        %more = arith.cmpi slt, %a, %i8 : i32
        scf.condition(%more) %a, %s : i32, i32
      } do {
      ^bb0(%a1: i32, %s1: i32):
        %m, %ok = gpu.shuffle xor %a1, %i1, %w : i32
        %o = arith.extui %ok : i1 to i32
        %n2 = arith.addi %s1, %o : i32
        %a2 = arith.addi %a1, %i3 : i32
        scf.yield %a2, %n2 : i32, i32
      }
      %z = arith.addi %r#0, %r#1 : i32
      memref.store %z, %y[%g] : memref<?xi32, GLOBAL>"""
    both(kernel(LOAD + WIDTH + body), [numbers(8) % 20 - 10, zeros(8)])


def test_loop_that_the_whole_subgroup_leaves_together_has_no_mask():
    body = """
      %r:2 = scf.while (%a = %v, %s = %i0) : (i32, i32) -> (i32, i32) {
        %m = gpu.subgroup_reduce minsi %a : (i32) -> i32
        %more = arith.cmpi slt, %m, %i8 : i32
        scf.condition(%more) %a, %m : i32, i32
      } do {
      ^bb0(%a1: i32, %s1: i32):
        %a2 = arith.addi %a1, %i3 : i32
        scf.yield %a2, %s1 : i32, i32
      }
      %z = arith.addi %r#0, %r#1 : i32
      memref.store %z, %y[%g] : memref<?xi32, GLOBAL>"""
    text = kernel(LOAD + body)
    both(text, [numbers(8), zeros(8)])
    assert "xi8>" not in lower(text)


def test_subgroup_result_that_lives_across_a_barrier():
    body = """
      %sum = gpu.subgroup_reduce add %v : (i32) -> i32
      %sg = gpu.subgroup_id : index
      %sg2 = arith.muli %sg, %c2 : index
      %ns = gpu.num_subgroups : index
      %lane = gpu.lane_id
      %lead = arith.cmpi eq, %lane, %c0 : index
      scf.if %lead {
        memref.store %sum, %s[%sg] : memref<8xi32, SHARED>
      }
      gpu.barrier
      %all = scf.for %i = %c0 to %ns step %c1 iter_args(%a = %sum) -> (i32) {
        %p = memref.load %s[%i] : memref<8xi32, SHARED>
        %a1 = arith.addi %a, %p : i32
        scf.yield %a1 : i32
      }
      %q = arith.index_cast %sg2 : index to i32
      %q1 = gpu.subgroup_reduce add %q : (i32) -> i32
      %r = arith.addi %all, %q1 : i32"""
    both(kernel(LOAD + body + KEEP, frame=SHARED), [numbers(15), zeros(15)], size=(15, 1, 1))


def test_subgroup_ops_in_a_loop_with_barriers():
    body = """
      %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %v) -> (i32) {
        %sum = gpu.subgroup_reduce add %a : (i32) -> i32
        memref.store %sum, %s[%t] : memref<8xi32, SHARED>
        gpu.barrier
        %m = arith.subi %n, %t : index
        %k = arith.subi %m, %c1 : index
        %p = memref.load %s[%k] : memref<8xi32, SHARED>
        gpu.barrier
        %u, %ok = gpu.shuffle xor %p, %i1, %w : i32
        scf.yield %u : i32
      }"""
    both(kernel(LOAD + WIDTH + body + KEEP, frame=SHARED), [numbers(8), zeros(8)])


def test_barrier_in_a_branch_that_a_vote_of_one_subgroup_decides_fails():
    body = """
      %any = arith.cmpi sgt, %v, %i8 : i32
      %vote = gpu.subgroup_reduce or %any : (i1) -> i1
      scf.if %vote {
        gpu.barrier
      }"""
    x = np.array([9, 0, 0, 0, 9, 9, 0, 0], np.int32)
    both(kernel(LOAD + body), [x, zeros(8)])
    x[4:] = 0
    with pytest.raises(CheckFailed, match="barrier"):
        both(kernel(LOAD + body), [x, zeros(8)], levels="cpu")


@pytest.mark.parametrize("rank", [1, 2])
def test_lanes_outside_of_the_extents_are_not_active(rank: int):
    body = """
      %ey1 = gpu.global_id y
      %row = arith.muli %ey1, %c8 : index
      %place = arith.addi %row, %g : index
      %v = memref.load %x[%place] : memref<?xi32, GLOBAL>
      %r = gpu.subgroup_reduce add %v : (i32) -> i32
      %q, %ok = gpu.shuffle down %r, %i1, %w : i32
      %o = arith.extui %ok : i1 to i32
      %z = arith.addi %q, %o : i32
      memref.store %z, %y[%place] : memref<?xi32, GLOBAL>"""
    text = kernel(WIDTH + body, f"{X}, {Y}, {OVER}", f"gpux.over = {rank} : i64")
    extents = [7, 1, 1] if rank == 1 else [7, 3, 1]
    size, grid = ((5, 1, 1), (2, 1, 1)) if rank == 1 else ((3, 2, 1), (3, 2, 1))
    both(text, [numbers(40), zeros(40), *extents], grid, size)


def test_private_array_in_a_kernel_with_subgroup_ops():
    body = """
      %l = memref.alloca() : memref<2xi32, PRIVATE>
      memref.store %v, %l[%c1] : memref<2xi32, PRIVATE>
      %s = gpu.subgroup_reduce add %v : (i32) -> i32
      %w = memref.load %l[%c1] : memref<2xi32, PRIVATE>
      %r = arith.addi %s, %w : i32"""
    text = kernel(LOAD + body + KEEP)
    both(text, [numbers(8), zeros(8)])
    # One for each lane, not for each thread of the block.
    assert "memref.alloca() {alignment = 64 : i64} : memref<4x2xi32>" in lower(text)


def test_vote_on_a_scan_of_booleans():
    body = """
      %c = arith.cmpi sgt, %v, %i0 : i32
      %d, %ok = gpu.shuffle idx %c, %i2, %w : i1
      %all = gpu.subgroup_reduce and %d : (i1) -> i1
      %e = arith.andi %all, %c : i1
      %r = arith.extui %e : i1 to i32"""
    both(kernel(LOAD + WIDTH + body + KEEP), [numbers(32), zeros(32)], size=(32, 1, 1))


@pytest.mark.parametrize("size", [0, 3, 128])
def test_subgroup_size_that_is_no_power_of_two_up_to_64(size: int):
    with pytest.raises(CompileError, match=f"subgroup_size is {size}, expected a power of two"):
        lower(kernel(""), size)


def test_uniform_result_of_a_loop_with_subgroup_ops_is_used_after_it():
    body = """
      %r:2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %i1, %d = %v) -> (i32, i32) {
        %s = gpu.subgroup_reduce add %d : (i32) -> i32
        %b1 = arith.addi %a, %i1 : i32
        scf.yield %b1, %s : i32, i32
      }
      %z = arith.addi %r#0, %i1 : i32
      %q = arith.muli %z, %r#1 : i32
      memref.store %q, %y[%g] : memref<?xi32, GLOBAL>"""
    both(kernel(LOAD + body), [numbers(8), zeros(8)])


def test_switches_in_switches_with_barriers_and_subgroup_ops():
    body = """
      %r = scf.index_switch %b -> i32
      default {
        gpu.barrier
        %q = scf.index_switch %n -> i32
        case 8 {
          gpu.barrier
          %m = scf.index_switch %t -> i32
          case 3 {
            %s = gpu.subgroup_reduce add %v : (i32) -> i32
            scf.yield %s : i32
          }
          case 2 {
            scf.yield %i2 : i32
          }
          default {
            %s = gpu.subgroup_reduce add %v : (i32) -> i32
            scf.yield %s : i32
          }
          scf.yield %m : i32
        }
        default {
          scf.yield %i1 : i32
        }
        scf.yield %q : i32
      }"""
    both(kernel(LOAD + body + KEEP), [numbers(8), zeros(8)])
