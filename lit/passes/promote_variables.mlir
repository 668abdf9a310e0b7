// RUN: stepwell opt %s -p promote-variables --split-input-file | filecheck %s

// A variable set on one way of an if and read behind it becomes a result.

func.func @if(%p: i1, %a: i32, %b: i32) -> i32 {
  %v = simt.cell : !simt.cell<i32>
  simt.set %a, %v : i32
  scf.if %p {
    simt.set %b, %v : i32
  }
  %r = simt.get %v : i32
  func.return %r : i32
}

// CHECK-LABEL: func.func @if
// CHECK-NEXT:    %v = scf.if %p -> (i32) {
// CHECK-NEXT:      scf.yield %b : i32
// CHECK-NEXT:    } else {
// CHECK-NEXT:      scf.yield %a : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %v : i32

// -----

// Not read behind it: no result, and nothing of it is left.

func.func @dead(%p: i1, %a: i32, %b: i32) -> i32 {
  %v = simt.cell : !simt.cell<i32>
  simt.set %a, %v : i32
  scf.if %p {
    simt.set %b, %v : i32
    %inside = simt.get %v : i32
    gpux.print "{}" (%inside : i32) formats ["i32"]
  }
  simt.set %a, %v : i32
  %r = simt.get %v : i32
  func.return %r : i32
}

// CHECK-LABEL: func.func @dead
// CHECK-NEXT:    scf.if %p {
// CHECK-NEXT:      gpux.print "{}"(%b : i32)
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %a : i32

// -----

// A sum over a loop is carried; what is only used inside an iteration is not.

func.func @for(%n: index, %a: i32) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  %sum = simt.cell : !simt.cell<i32>
  %square = simt.cell : !simt.cell<i32>
  simt.set %zero, %sum : i32
  scf.for %i = %c0 to %n step %c1 {
    %s = arith.muli %a, %a : i32
    simt.set %s, %square : i32
    %old = simt.get %sum : i32
    %by = simt.get %square : i32
    %new = arith.addi %old, %by : i32
    simt.set %new, %sum : i32
  }
  %r = simt.get %sum : i32
  func.return %r : i32
}

// CHECK-LABEL: func.func @for
// CHECK:         %sum = scf.for %i = %c0 to %n step %c1 iter_args(%sum_1 = %zero) -> (i32) {
// CHECK-NEXT:      %s = arith.muli %a, %a : i32
// CHECK-NEXT:      %new = arith.addi %sum_1, %s : i32
// CHECK-NEXT:      scf.yield %new : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %sum : i32

// -----

// A variable set in the loop and read behind it only: its first value is carried too.

func.func @last(%n: index, %a: i32) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %v = simt.cell : !simt.cell<i32>
  scf.for %i = %c0 to %n step %c1 {
    simt.set %a, %v : i32
  }
  %r = simt.get %v : i32
  func.return %r : i32
}

// It may never have been set: then it is zero.
// CHECK-LABEL: func.func @last
// CHECK-NEXT:    %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK:         %v = scf.for %i = %c0 to %n step %c1 iter_args(%{{.*}} = %[[ZERO]]) -> (i32) {
// CHECK-NEXT:      scf.yield %a : i32

// -----

// A while passes on what its body or the code behind it reads.

func.func @while(%a: i32, %b: i32) -> i32 {
  %x = simt.cell : !simt.cell<i32>
  %y = simt.cell : !simt.cell<i32>
  simt.set %a, %x : i32
  simt.set %b, %y : i32
  scf.while () : () -> () {
    %v = simt.get %x : i32
    %c = arith.cmpi slt, %v, %b : i32
    scf.condition(%c)
  } do {
    %v = simt.get %x : i32
    %w = arith.addi %v, %a : i32
    simt.set %w, %x : i32
    scf.yield
  }
  %r = simt.get %x : i32
  %s = simt.get %y : i32
  %t = arith.addi %r, %s : i32
  func.return %t : i32
}

// CHECK-LABEL: func.func @while
// CHECK-NEXT:    %x = scf.while (%x_1 = %a) : (i32) -> {{.*}}i32{{.*}} {
// CHECK-NEXT:      %c = arith.cmpi slt, %x_1, %b : i32
// CHECK-NEXT:      scf.condition(%c) %x_1 : i32
// CHECK-NEXT:    } do {
// CHECK-NEXT:    ^bb{{.*}}(%x_2: i32):
// CHECK-NEXT:      %w = arith.addi %x_2, %a : i32
// CHECK-NEXT:      scf.yield %w : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    %t = arith.addi %x, %b : i32

// -----

// A variable made inside a loop starts anew in each iteration: it is not carried.

func.func @fresh(%n: index, %p: i1, %a: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %v = simt.cell : !simt.cell<i32>
    scf.if %p {
      simt.set %a, %v : i32
    }
    %r = simt.get %v : i32
    gpux.print "{}" (%r : i32) formats ["i32"]
  }
  func.return
}

// CHECK-LABEL: func.func @fresh
// CHECK:         scf.for %i = %c0 to %n step %c1 {
// CHECK-NEXT:      scf.if %p -> (i32)

// -----

// Results that an op has already stay in front.

func.func @more(%p: i1, %a: i32, %b: f32) -> (i32, f32) {
  %v = simt.cell : !simt.cell<f32>
  simt.set %b, %v : f32
  %q = scf.if %p -> (i32) {
    %c = arith.addf %b, %b : f32
    simt.set %c, %v : f32
    scf.yield %a : i32
  } else {
    %d = arith.addi %a, %a : i32
    scf.yield %d : i32
  }
  %r = simt.get %v : f32
  func.return %q, %r : i32, f32
}

// CHECK-LABEL: func.func @more
// CHECK-NEXT:    %q, %v = scf.if %p -> (i32, f32) {
// CHECK:           scf.yield %a, %c : i32, f32
// CHECK:           scf.yield %d, %b : i32, f32
// CHECK:         func.return %q, %v : i32, f32
