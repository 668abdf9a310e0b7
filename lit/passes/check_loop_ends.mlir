// RUN: stepwell opt %s -p check-loop-ends --split-input-file | filecheck %s
// RUN: stepwell opt %s -p 'check-loop-ends{wanted=false}' --split-input-file | filecheck %s --check-prefix=OFF

// OFF-NOT: gpux.check

// One more loop, of two rounds, goes round once where the device has ended another.

// CHECK-LABEL: func.func @range
// CHECK: %[[R:.*]] = scf.for %i = %a to %b step %s iter_args(%acc = %x) -> (f32) {
// CHECK: }
// CHECK: %[[BLOCKS:.*]] = gpu.grid_dim x
// CHECK-NEXT: %[[TRUE:.*]] = arith.cmpi ne, %[[BLOCKS]], %[[ZERO:.*]] : index
// CHECK-NEXT: %[[BOUND:.*]] = arith.select %[[TRUE]], %{{.*}}, %[[ONE:.*]] : index
// CHECK-NEXT: %[[LAST:.*]] = scf.for %[[I:.*]] = %[[ZERO]] to %[[BOUND]] step %[[ONE]] iter_args(%{{.*}} = %[[ZERO]])
// CHECK-NEXT: scf.yield %[[I]] : index
// CHECK-NEXT: }
// CHECK-NEXT: %[[ALL:.*]] = arith.cmpi eq, %[[LAST]], %[[ONE]] : index
// CHECK-NEXT: gpux.check %[[ALL]], "loop", "the device ended this loop
// CHECK: func.return %[[R]] : f32
func.func @range(%a: index, %b: index, %s: index, %x: f32) -> f32 {
  %r = scf.for %i = %a to %b step %s iter_args(%acc = %x) -> (f32) {
    %t = arith.addf %acc, %acc : f32
    scf.yield %t : f32
  }
  func.return %r : f32
}

// -----

// Loops in loops are looked at from outside; each outermost one has its place in the message.

// CHECK-LABEL: func.func @nested
// CHECK: scf.while
// CHECK-NOT: gpux.check
// CHECK: scf.for
// CHECK-NOT: gpux.check
// CHECK: scf.yield %t
// CHECK: gpux.check
// CHECK: scf.if
// CHECK: scf.for
// CHECK: gpux.check
// CHECK-NOT: gpux.check
func.func @nested(%a: i32, %n: index, %p: i1) -> i32 {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %i0 = arith.constant 0 : index
  %i1 = arith.constant 1 : index
  %r = scf.while (%x = %a) : (i32) -> i32 {
    %c = arith.cmpi sgt, %x, %zero : i32
    scf.condition(%c) %x : i32
  } do {
  ^bb0(%y: i32):
    scf.for %i = %i0 to %n step %i1 {
    }
    %t = arith.subi %y, %one : i32
    scf.yield %t : i32
  }
  scf.if %p {
    scf.for %i = %i0 to %n step %i1 {
    }
  }
  func.return %r : i32
}

// -----

// 5 * (1 + 8) rounds.

// CHECK-LABEL: func.func @few
// CHECK-NOT: gpux.check
func.func @few() {
  %i0 = arith.constant 0 : index
  %i1 = arith.constant 1 : index
  %i5 = arith.constant 5 : index
  %i8 = arith.constant 8 : index
  scf.for %i = %i0 to %i5 step %i1 {
    scf.for %j = %i0 to %i8 step %i1 {
    }
  }
  func.return
}

// -----

// 20 * (1 + 20) rounds.

// CHECK-LABEL: func.func @many
// CHECK: gpux.check
func.func @many() {
  %i0 = arith.constant 0 : index
  %i1 = arith.constant 1 : index
  %i20 = arith.constant 20 : index
  scf.for %i = %i0 to %i20 step %i1 {
    scf.for %j = %i0 to %i20 step %i1 {
    }
  }
  func.return
}
