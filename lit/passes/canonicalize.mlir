// RUN: stepwell opt %s -p canonicalize --split-input-file | filecheck %s

// Integers wrap at their width.
// CHECK-LABEL: @wraps
// CHECK-NEXT:    %0 = arith.constant -128 : i8
// CHECK-NEXT:    func.return %0 : i8
func.func @wraps() -> i8 {
  %a = arith.constant 127 : i8
  %b = arith.constant 1 : i8
  %0 = arith.addi %a, %b : i8
  func.return %0 : i8
}

// -----

// Division by zero, a quotient that does not fit and a shift past the width are undefined: kept.
// CHECK-LABEL: @undefined
// CHECK:         arith.divsi
// CHECK-NEXT:    arith.remui
// CHECK-NEXT:    arith.divsi
// CHECK-NEXT:    arith.shli
func.func @undefined() -> (i32, i32, i32, i32) {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %minus = arith.constant -1 : i32
  %least = arith.constant -2147483648 : i32
  %many = arith.constant 32 : i32
  %0 = arith.divsi %one, %zero : i32
  %1 = arith.remui %one, %zero : i32
  %2 = arith.divsi %least, %minus : i32
  %3 = arith.shli %one, %many : i32
  func.return %0, %1, %2, %3 : i32, i32, i32, i32
}

// -----

// CHECK-LABEL: @identities
// CHECK-SAME:    (%x: i32)
// CHECK-NEXT:    [[A:%.+]] = arith.constant 0 : i32
// CHECK-NEXT:    [[B:%.+]] = arith.constant 0 : i32
// CHECK-NEXT:    func.return %x, %x, [[A]], %x, %x, [[B]] : i32
func.func @identities(%x: i32) -> (i32, i32, i32, i32, i32, i32) {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %ones = arith.constant -1 : i32
  %0 = arith.addi %zero, %x : i32
  %1 = arith.muli %x, %one : i32
  %2 = arith.muli %x, %zero : i32
  %3 = arith.andi %x, %ones : i32
  %4 = arith.ori %x, %x : i32
  %5 = arith.subi %x, %x : i32
  func.return %0, %1, %2, %3, %4, %5 : i32, i32, i32, i32, i32, i32
}

// -----

// Constants go to the right and add up.
// CHECK-LABEL: @constants_meet
// CHECK:         [[C:%.+]] = arith.constant 12 : index
// CHECK-NEXT:    [[S:%.+]] = arith.addi %x, [[C]] : index
// CHECK-NEXT:    func.return [[S]]
func.func @constants_meet(%x: index) -> index {
  %five = arith.constant 5 : index
  %seven = arith.constant 7 : index
  %0 = arith.addi %five, %x : index
  %1 = arith.addi %0, %seven : index
  func.return %1 : index
}

// -----

// An index is 32 bits wide on some targets: what does not fit is left to the target.
// CHECK-LABEL: @wide_index
// CHECK:         arith.muli
func.func @wide_index() -> index {
  %a = arith.constant 65536 : index
  %0 = arith.muli %a, %a : index
  func.return %0 : index
}

// -----

// Floats: in their own type; x + 0.0 is not x when x is -0.0; a NaN is not made.
// CHECK-LABEL: @floats
// CHECK-SAME:    (%x: f32)
// CHECK-DAG:     [[SUM:%.+]] = arith.constant 1.000000e+00 : f16
// CHECK-DAG:     [[ADD:%.+]] = arith.addf %x, %zero : f32
// CHECK-DAG:     [[NAN:%.+]] = arith.divf %zero, %zero : f32
// CHECK:         func.return [[SUM]], %x, [[ADD]], [[NAN]], %x
func.func @floats(%x: f32) -> (f16, f32, f32, f32, f32) {
  %h = arith.constant 1.0 : f16
  %tiny = arith.constant 1.0e-4 : f16
  %zero = arith.constant 0.0 : f32
  %negative = arith.constant -0.0 : f32
  %one = arith.constant 1.0 : f32
  %0 = arith.addf %h, %tiny : f16
  %1 = arith.addf %x, %negative : f32
  %2 = arith.addf %x, %zero : f32
  %3 = arith.divf %zero, %zero : f32
  %4 = arith.mulf %x, %one : f32
  func.return %0, %1, %2, %3, %4 : f16, f32, f32, f32, f32
}

// -----

// CHECK-LABEL: @conditions
// CHECK-SAME:    (%p: i1, %x: i32, %y: i32)
// CHECK-NEXT:    [[GE:%.+]] = arith.cmpi sge, %x, %y : i32
// CHECK-NEXT:    func.return %p, [[GE]], %p, %x : i1
func.func @conditions(%p: i1, %x: i32, %y: i32) -> (i1, i1, i1, i32) {
  %true = arith.constant true
  %false = arith.constant false
  %zero = arith.constant 0 : i8
  %byte = arith.extui %p : i1 to i8
  %0 = arith.cmpi ne, %byte, %zero : i8
  %less = arith.cmpi slt, %x, %y : i32
  %1 = arith.xori %less, %true : i1
  %2 = arith.select %p, %true, %false : i1
  %3 = arith.select %true, %x, %y : i32
  func.return %0, %1, %2, %3 : i1, i1, i1, i32
}

// -----

// CHECK-LABEL: @sizes
// CHECK-SAME:    (%n: index
// CHECK:         [[C:%.+]] = arith.constant 16 : index
// CHECK:         func.return [[C]], %n, %n : index
func.func @sizes(%n: index, %m: memref<?x?xf32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %local = memref.alloca(%n) : memref<16x?xf32>
  %0 = memref.dim %local, %c0 : memref<16x?xf32>
  %1 = memref.dim %local, %c1 : memref<16x?xf32>
  %row = memref.subview %m[0, 0] [1, %n] [1, 1] : memref<?x?xf32> to memref<?xf32, strided<[1]>>
  %2 = memref.dim %row, %c0 : memref<?xf32, strided<[1]>>
  func.return %0, %1, %2 : index, index, index
}

// -----

// A constant condition; and inside of an if its condition is known.
// CHECK-LABEL: @ifs
// CHECK:         memref.store %v, %m[%i]
// CHECK-NEXT:    scf.if %p {
// CHECK-NEXT:      memref.store %v, %m[%i]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @ifs(%p: i1, %m: memref<?xf32>, %v: f32, %i: index) {
  %true = arith.constant true
  scf.if %true {
    memref.store %v, %m[%i] : memref<?xf32>
  } else {
    memref.store %v, %m[%i] : memref<?xf32>
  }
  scf.if %p {
    scf.if %p {
      memref.store %v, %m[%i] : memref<?xf32>
    }
  }
  scf.if %p {
    %dead = arith.addf %v, %v : f32
  }
  func.return
}

// -----

// Functions of a constant whose result is the same everywhere; a NaN is left to the target.
// CHECK-LABEL: @float_functions
// CHECK-DAG:     [[FLOOR:%.+]] = arith.constant -1.000000e+00 : f32
// CHECK-DAG:     [[CEIL:%.+]] = arith.constant -0.000000e+00 : f32
// CHECK-DAG:     [[ROOT:%.+]] = arith.constant 7.070310e-01 : f16
// CHECK-DAG:     [[NAN:%.+]] = math.sqrt %less : f32
// CHECK:         func.return [[FLOOR]], [[CEIL]], [[ROOT]], [[NAN]] : f32, f32, f16, f32
func.func @float_functions() -> (f32, f32, f16, f32) {
  %less = arith.constant -0.25 : f32
  %half = arith.constant 0.5 : f16
  %0 = math.floor %less : f32
  %1 = math.ceil %less : f32
  %2 = math.sqrt %half : f16
  %3 = math.sqrt %less : f32
  func.return %0, %1, %2, %3 : f32, f32, f16, f32
}

// -----

// Functions that are not the same everywhere, where they are.
// CHECK-LABEL: @exact_functions
// CHECK-DAG:     [[ONE:%.+]] = arith.constant 1.000000e+00 : f32
// CHECK-DAG:     [[ZERO:%.+]] = arith.constant 0.000000e+00 : f64
// CHECK-DAG:     [[SINE:%.+]] = arith.constant -0.000000e+00 : f32
// CHECK-DAG:     [[SMALL:%.+]] = math.exp %small : f64
// CHECK-DAG:     [[LOG:%.+]] = math.log %low32 : f32
// CHECK:         func.return [[ONE]], [[ZERO]], [[SINE]], [[SMALL]], [[LOG]]
func.func @exact_functions() -> (f32, f64, f32, f64, f32) {
  %less = arith.constant -0.0 : f32
  %low32 = arith.constant -2.0 : f32
  %low = arith.constant -747.0 : f64
  %small = arith.constant -745.0 : f64
  %0 = math.cosh %less : f32
  %1 = math.exp %low : f64
  %2 = math.sin %less : f32
  %3 = math.exp %small : f64
  %4 = math.log %low32 : f32
  func.return %0, %1, %2, %3, %4 : f32, f64, f32, f64, f32
}

// -----

// Results that nobody uses, that both sides agree on, or that are the condition.
// CHECK-LABEL: @if_results
// CHECK-SAME:    (%p: i1, %x: i32, %y: i32)
// CHECK-NEXT:    [[R:%.+]] = scf.if %p -> (i32) {
// CHECK-NEXT:      [[S:%.+]] = arith.addi %x, %y : i32
// CHECK-NEXT:      scf.yield [[S]] : i32
// CHECK-NEXT:    } else {
// CHECK-NEXT:      scf.yield %x : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return [[R]], %y, %p : i32, i32, i1
func.func @if_results(%p: i1, %x: i32, %y: i32) -> (i32, i32, i1) {
  %true = arith.constant true
  %false = arith.constant false
  %r, %same, %flag, %unused = scf.if %p -> (i32, i32, i1, i32) {
    %s = arith.addi %x, %y : i32
    %t = arith.muli %x, %y : i32
    scf.yield %s, %y, %true, %t : i32, i32, i1, i32
  } else {
    scf.yield %x, %y, %false, %x : i32, i32, i1, i32
  }
  func.return %r, %same, %flag : i32, i32, i1
}

// -----

// CHECK-LABEL: @switches
// CHECK-SAME:    (%x: i32, %y: i32)
// CHECK-NEXT:    func.return %y, %x : i32, i32
func.func @switches(%x: i32, %y: i32) -> (i32, i32) {
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %0 = scf.index_switch %c1 -> i32
  case 1 {
    scf.yield %y : i32
  }
  default {
    scf.yield %x : i32
  }
  %1 = scf.index_switch %c7 -> i32
  case 1 {
    scf.yield %y : i32
  }
  default {
    scf.yield %x : i32
  }
  func.return %0, %1 : i32, i32
}

// -----

// No iteration, one iteration, and values that the loop only carries along.
// CHECK-LABEL: @loops
// CHECK-SAME:    (%n: index, %x: i32, %y: i32)
// CHECK:         [[ONE:%.+]] = arith.muli %x, %y : i32
// CHECK-NEXT:    [[R:%.+]] = scf.for %i = %c0 to %n step %c1 iter_args([[A:%.+]] = %x) -> (i32) {
// CHECK-NEXT:      [[S:%.+]] = arith.addi [[A]], %y : i32
// CHECK-NEXT:      scf.yield [[S]] : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %x, [[ONE]], [[R]], %y : i32
func.func @loops(%n: index, %x: i32, %y: i32) -> (i32, i32, i32, i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %none = scf.for %i = %c1 to %c1 step %c1 iter_args(%a = %x) -> (i32) {
    %s = arith.addi %a, %y : i32
    scf.yield %s : i32
  }
  %once = scf.for %i = %c0 to %c1 step %c1 iter_args(%a = %x) -> (i32) {
    %s = arith.muli %a, %y : i32
    scf.yield %s : i32
  }
  %r, %same = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (i32, i32) {
    %s = arith.addi %a, %b : i32
    scf.yield %s, %b : i32, i32
  }
  func.return %none, %once, %r, %same : i32, i32, i32, i32
}

// -----

// CHECK-LABEL: @whiles
// CHECK-SAME:    (%x: i32, %y: i32)
// CHECK:         [[R:%.+]] = scf.while ([[A:%.+]] = %x) : (i32) -> i32 {
// CHECK-NEXT:      [[C:%.+]] = arith.cmpi slt, [[A]], %y : i32
// CHECK-NEXT:      scf.condition([[C]]) [[A]] : i32
// CHECK-NEXT:    } do {
// CHECK-NEXT:    ^{{.*}}([[B:%.+]]: i32):
// CHECK-NEXT:      [[S:%.+]] = arith.addi [[B]], %y : i32
// CHECK-NEXT:      scf.yield [[S]] : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return [[R]], %y, %x : i32
func.func @whiles(%x: i32, %y: i32) -> (i32, i32, i32) {
  %false = arith.constant false
  %r, %same = scf.while (%a = %x, %b = %y) : (i32, i32) -> (i32, i32) {
    %c = arith.cmpi slt, %a, %b : i32
    scf.condition(%c) %a, %b : i32, i32
  } do {
  ^body(%a2: i32, %b2: i32):
    %s = arith.addi %a2, %b2 : i32
    scf.yield %s, %b2 : i32, i32
  }
  %never = scf.while (%a = %x) : (i32) -> (i32) {
    scf.condition(%false) %a : i32
  } do {
  ^body(%a2: i32):
    %s = arith.addi %a2, %a2 : i32
    scf.yield %s : i32
  }
  func.return %r, %same, %never : i32, i32, i32
}

// -----

// What can be seen from outside stays, used or not: stores, checks, prints, atomics, barriers,
// and a loop that may not end. A load that nobody uses goes.
// CHECK-LABEL: @effects
// CHECK-NEXT:    gpux.check %p
// CHECK-NEXT:    gpux.atomic_rmw
// CHECK-NEXT:    gpu.barrier
// CHECK-NEXT:    scf.while
// CHECK-NOT:     memref.load
// CHECK:         func.return
func.func @effects(%p: i1, %m: memref<?xi32>, %v: i32, %i: index) {
  gpux.check %p, "assert", "no" formats []
  %old = gpux.atomic_rmw "add" %v, %m[%i] order "relaxed" scope "device" : i32, memref<?xi32>
  gpu.barrier
  scf.while () : () -> () {
    scf.condition(%p)
  } do {
    scf.yield
  }
  %unused = memref.load %m[%i] : memref<?xi32>
  func.return
}

// -----

// An early exit is an effect; without one, nothing is left to be seen.
// CHECK-LABEL: @exits
// CHECK-NEXT:    simt.if %p {
// CHECK-NEXT:      simt.return
// CHECK-NEXT:    }
// CHECK-NEXT:    simt.return
func.func private @exits(%p: i1, %x: i32) {
  simt.if %p {
    simt.return
  }
  simt.if %p {
    %0 = arith.addi %x, %x : i32
    simt.yield
  }
  simt.return
}

// -----

// A check that cannot fail is none.
// CHECK-LABEL: @checks
// CHECK-NEXT:    func.return
func.func @checks(%x: i32) {
  %ok = arith.cmpi eq, %x, %x : i32
  gpux.check %ok, "assert", "x differs from itself" formats []
  func.return
}

// -----

// Nothing to do.
// CHECK-LABEL: @stays
// CHECK-NEXT:    %0 = arith.addi %x, %y : i32
// CHECK-NEXT:    %1 = arith.divsi %0, %y : i32
// CHECK-NEXT:    func.return %1 : i32
func.func @stays(%x: i32, %y: i32) -> i32 {
  %0 = arith.addi %x, %y : i32
  %1 = arith.divsi %0, %y : i32
  func.return %1 : i32
}
