"""Memory, control flow and calls of the llvm path, executed and compared with NumPy."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from llvm_kernels import Loaded, llvm_text, load

STRIDED = "memref<?x?xf32, strided<[?, ?]>>"


def test_rows_of_a_matrix_by_subview():
    code = load(
        llvm_text("""
func.func @sums(%m: memref<?x?xf32>, %out: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = memref.dim %m, %c0 : memref<?x?xf32>
  %columns = memref.dim %m, %c1 : memref<?x?xf32>
  %zero = arith.constant 0.0 : f32
  scf.for %r = %c0 to %rows step %c1 {
    %row = memref.subview %m[%r, 0] [1, %columns] [1, 1]
        : memref<?x?xf32> to memref<?xf32, strided<[1], offset: ?>>
    %sum = scf.for %c = %c0 to %columns step %c1 iter_args(%s = %zero) -> (f32) {
      %v = memref.load %row[%c] : memref<?xf32, strided<[1], offset: ?>>
      %t = arith.addf %s, %v : f32
      scf.yield %t : f32
    }
    memref.store %sum, %out[%r] : memref<?xf32>
  }
  func.return
}""")
    )
    m = np.arange(35, dtype=np.float32).reshape(5, 7)
    out = np.zeros(5, np.float32)
    code.call("sums", m, out)
    np.testing.assert_array_equal(out, m.sum(axis=1))


def test_strided_views_with_steps_and_reinterpretation():
    code = load(
        llvm_text("""
func.func @copy(%m: memref<?x?xi32>, %out: memref<?xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = memref.dim %out, %c0 : memref<?xi32>
  // Every second element of column 3, from row 1 on.
  %part = memref.subview %m[1, 3] [%n, 1] [%c2, 1]
      : memref<?x?xi32> to memref<?xi32, strided<[?], offset: ?>>
  %cast = "memref.cast"(%part) : (memref<?xi32, strided<[?], offset: ?>>)
      -> memref<?xi32, strided<[?], offset: ?>>
  %size = memref.dim %cast, %c0 : memref<?xi32, strided<[?], offset: ?>>
  scf.for %i = %c0 to %size step %c1 {
    %v = memref.load %cast[%i] : memref<?xi32, strided<[?], offset: ?>>
    memref.store %v, %out[%i] : memref<?xi32>
  }
  func.return
}
func.func @diagonal(%m: memref<?x?xi32>, %out: memref<?xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %out, %c0 : memref<?xi32>
  %columns = memref.dim %m, %c1 : memref<?x?xi32>
  %step = arith.addi %columns, %c1 : index
  %d = memref.reinterpret_cast %m to offset: [0], sizes: [%n], strides: [%step]
      : memref<?x?xi32> to memref<?xi32, strided<[?]>>
  scf.for %i = %c0 to %n step %c1 {
    %v = memref.load %d[%i] : memref<?xi32, strided<[?]>>
    memref.store %v, %out[%i] : memref<?xi32>
  }
  func.return
}""")
    )
    m = np.arange(70, dtype=np.int32).reshape(10, 7)
    out = np.zeros(4, np.int32)
    code.call("copy", m, out)
    np.testing.assert_array_equal(out, m[1:9:2, 3])
    code.call("diagonal", m, out)
    np.testing.assert_array_equal(out, m.diagonal()[:4])


def test_strided_parameters_have_their_strides_after_their_sizes():
    code = load(
        llvm_text(f"""
func.func @at(%m: {STRIDED}, %i: index, %j: index, %out: memref<1xf32>) {{
  %c0 = arith.constant 0 : index
  %v = memref.load %m[%i, %j] : {STRIDED}
  memref.store %v, %out[%c0] : memref<1xf32>
  func.return
}}""")
    )
    whole = np.arange(40, dtype=np.float32).reshape(5, 8)
    view = whole[::-1, 6:0:-2]
    out = np.zeros(1, np.float32)
    strides = [stride // 4 for stride in view.strides]
    pointer = ctypes.c_void_p(view.ctypes.data)
    address = ctypes.c_void_p(out.ctypes.data)
    code.call("at", pointer, *view.shape, *strides, 3, 2, address)
    assert out[0] == view[3, 2]


def test_scratch_memory_views_and_globals():
    code = load(
        llvm_text("""
"memref.global"() <{sym_name = "table", sym_visibility = "private", constant,
  type = memref<4xi32>, initial_value = dense<[10, 20, 30, 40]> : tensor<4xi32>}> : () -> ()
func.func @f(%out: memref<?xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %table = memref.get_global @table : memref<4xi32>
  %bytes = arith.muli %n, %c4 : index
  %all = arith.addi %bytes, %c16 : index
  %raw = memref.alloca(%all) : memref<?xi8>
  %ints = memref.view %raw[%c16][%n] : memref<?xi8> to memref<?xi32>
  scf.for %i = %c0 to %n step %c1 {
    // A static alloca in a loop is one piece of memory, not one each round.
    %one = memref.alloca() : memref<2x3xi32>
    %k = arith.remui %i, %c4 : index
    %v = memref.load %table[%k] : memref<4xi32>
    memref.store %v, %one[%c1, %c1] : memref<2x3xi32>
    %w = memref.load %one[%c1, %c1] : memref<2x3xi32>
    memref.store %w, %ints[%i] : memref<?xi32>
  }
  scf.for %i = %c0 to %n step %c1 {
    %v = memref.load %ints[%i] : memref<?xi32>
    memref.store %v, %out[%i] : memref<?xi32>
  }
  func.return
}""")
    )
    out = np.zeros(10, np.int32)
    code.call("f", out, 10)
    np.testing.assert_array_equal(out, [10, 20, 30, 40, 10, 20, 30, 40, 10, 20])


def test_a_bool_is_a_byte_in_memory():
    code = load(
        llvm_text("""
func.func @flip(%x: memref<?xi1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %true = arith.constant true
  %n = memref.dim %x, %c0 : memref<?xi1>
  scf.for %i = %c0 to %n step %c1 {
    %v = memref.load %x[%i] : memref<?xi1>
    %w = arith.xori %v, %true : i1
    memref.store %w, %x[%i] : memref<?xi1>
  }
  func.return
}""")
    )
    x = np.array([True, False, False, True])
    expected = ~x
    code.call("flip", x)
    np.testing.assert_array_equal(x.view(np.uint8), expected.view(np.uint8))


@pytest.fixture(scope="module")
def loops() -> Loaded:
    return load(
        llvm_text("""
func.func @range(%out: memref<?xi64>, %lo: index, %hi: index, %step: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %count = scf.for %i = %lo to %hi step %step iter_args(%n = %c0) -> (index) {
    %v = arith.index_cast %i : index to i64
    memref.store %v, %out[%n] : memref<?xi64>
    %m = arith.addi %n, %c1 : index
    scf.yield %m : index
  }
  %c = arith.index_cast %count : index to i64
  %size = memref.dim %out, %c0 : memref<?xi64>
  %last = arith.subi %size, %c1 : index
  memref.store %c, %out[%last] : memref<?xi64>
  func.return
}
func.func @collatz(%out: memref<?xi64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1 : i64
  %two = arith.constant 2 : i64
  %three = arith.constant 3 : i64
  %zero = arith.constant 0 : i64
  %n = memref.dim %out, %c0 : memref<?xi64>
  scf.for %i = %c0 to %n step %c1 {
    %start = arith.index_cast %i : index to i64
    %first = arith.addi %start, %one : i64
    %end:2 = scf.while (%v = %first, %steps = %zero) : (i64, i64) -> (i64, i64) {
      %more = arith.cmpi ne, %v, %one : i64
      scf.condition(%more) %v, %steps : i64, i64
    } do {
    ^bb0(%v: i64, %steps: i64):
      %bit = arith.andi %v, %one : i64
      %even = arith.cmpi eq, %bit, %zero : i64
      %next = scf.if %even -> (i64) {
        %half = arith.shrui %v, %one : i64
        scf.yield %half : i64
      } else {
        %triple = arith.muli %v, %three : i64
        %more = arith.addi %triple, %one : i64
        scf.yield %more : i64
      }
      %count = arith.addi %steps, %one : i64
      scf.yield %next, %count : i64, i64
    }
    memref.store %end#1, %out[%i] : memref<?xi64>
  }
  func.return
}
func.func @choose(%out: memref<?xi64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %out, %c0 : memref<?xi64>
  scf.for %i = %c0 to %n step %c1 {
    %v = scf.index_switch %i -> i64
    case 1 {
      %x = arith.constant 11 : i64
      scf.yield %x : i64
    }
    case 3 {
      %x = arith.constant 33 : i64
      scf.yield %x : i64
    }
    default {
      %x = func.call @negated(%i) : (index) -> i64
      scf.yield %x : i64
    }
    memref.store %v, %out[%i] : memref<?xi64>
  }
  func.return
}
func.func private @negated(%i: index) -> i64 {
  %a, %b = func.call @both(%i) : (index) -> (i64, i64)
  %r = arith.subi %a, %b : i64
  func.return %r : i64
}
func.func private @both(%i: index) -> (i64, i64) {
  %zero = arith.constant 0 : i64
  %v = arith.index_cast %i : index to i64
  func.return %zero, %v : i64, i64
}
func.func @pick(%a: memref<?xi32>, %b: memref<?xi32>, %first: index, %out: memref<2xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %yes = arith.cmpi ne, %first, %c0 : index
  %m = scf.if %yes -> (memref<?xi32>) {
    scf.yield %a : memref<?xi32>
  } else {
    scf.yield %b : memref<?xi32>
  }
  %v = memref.load %m[%c1] : memref<?xi32>
  memref.store %v, %out[%c0] : memref<2xi32>
  %s = arith.select %yes, %b, %a : memref<?xi32>
  %size = memref.dim %s, %c0 : memref<?xi32>
  %w = arith.index_cast %size : index to i32
  memref.store %w, %out[%c1] : memref<2xi32>
  func.return
}""")
    )


LAST = 2**63 - 1


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [
        *((0, 5, 1), (5, 0, 1), (-3, 4, 1), (0, 10, 3), (0, 9, 3), (-7, 7, 5), (3, 3, 2)),
        *((LAST - 5, LAST, 1), (LAST - 5, LAST, 4), (-LAST - 1, LAST, LAST), (0, 3, LAST)),
        (-LAST - 1, -LAST + 3, 2),
    ],
)
def test_ranges(loops: Loaded, low: int, high: int, step: int):
    out = np.zeros(40, np.int64)
    loops.call("range", out, low, high, step)
    expected = list(range(low, high, step))
    assert out[-1] == len(expected)
    assert out[: len(expected)].tolist() == expected


def test_while_and_if(loops: Loaded):
    out = np.zeros(30, np.int64)
    loops.call("collatz", out)

    def steps(value: int) -> int:
        return 0 if value == 1 else 1 + steps(value // 2 if value % 2 == 0 else 3 * value + 1)

    assert out.tolist() == [steps(i + 1) for i in range(30)]


def test_switch_and_calls(loops: Loaded):
    out = np.zeros(6, np.int64)
    loops.call("choose", out)
    assert out.tolist() == [0, 11, -2, 33, -4, -5]


def test_views_as_results_and_choices(loops: Loaded):
    a, b = np.array([1, 2, 3], np.int32), np.array([4, 5], np.int32)
    out = np.zeros(2, np.int32)
    for first in (1, 0):
        loops.call("pick", a, b, first, ctypes.c_void_p(out.ctypes.data))
        assert out.tolist() == [a[1] if first else b[1], len(b) if first else len(a)]
