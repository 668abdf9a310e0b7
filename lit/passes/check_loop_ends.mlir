// RUN: stepwell opt %s -p check-loop-ends --split-input-file | filecheck %s
// RUN: stepwell opt %s -p 'check-loop-ends{wanted=false}' --split-input-file | filecheck %s --check-prefix=OFF

// OFF-NOT: gpux.check

// The last number that the loop was run for is one step or less away from the bound.

// CHECK-LABEL: func.func @range
// CHECK: %[[R:.*]], %[[N:.*]] = scf.for %i = %a to %b step %s iter_args(%acc = %x, %{{.*}} = %a) -> (f32, index) {
// CHECK: scf.yield %t, %i : f32, index
// CHECK: %[[NOTHING:.*]] = arith.cmpi sle, %b, %a : index
// CHECK-NEXT: %[[LEFT:.*]] = arith.subi %b, %[[N]] : index
// CHECK-NEXT: %[[THROUGH:.*]] = arith.cmpi ule, %[[LEFT]], %s : index
// CHECK-NEXT: %[[ENDED:.*]] = arith.ori %[[NOTHING]], %[[THROUGH]] : i1
// CHECK-NEXT: gpux.check %[[ENDED]], "loop", "the device ended this loop
// CHECK: func.return %[[R]] : f32
func.func @range(%a: index, %b: index, %s: index, %x: f32) -> f32 {
  %r = scf.for %i = %a to %b step %s iter_args(%acc = %x) -> (f32) {
    %t = arith.addf %acc, %acc : f32
    scf.yield %t : f32
  }
  func.return %r : f32
}

// -----

// The condition is given out as it is; the loop's own is that and something true.

// CHECK-LABEL: func.func @condition
// CHECK: %[[BLOCKS:.*]] = gpu.grid_dim x
// CHECK: %[[TRUE:.*]] = arith.cmpi ne, %[[BLOCKS]], %{{.*}} : index
// CHECK: %[[R:.*]], %[[MORE:.*]] = scf.while (%x = %a) : (i32) -> (i32, i1) {
// CHECK: %[[BOTH:.*]] = arith.andi %c, %[[TRUE]] : i1
// CHECK: scf.condition(%[[BOTH]]) %x, %c : i32, i1
// CHECK: ^bb0(%y: i32, %{{.*}}: i1):
// CHECK: %[[ENDED:.*]] = arith.xori %[[MORE]], %{{.*}} : i1
// CHECK-NEXT: gpux.check %[[ENDED]], "loop"
// CHECK: func.return %[[R]] : i32
func.func @condition(%a: i32) -> i32 {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %r = scf.while (%x = %a) : (i32) -> i32 {
    %c = arith.cmpi sgt, %x, %zero : i32
    scf.condition(%c) %x : i32
  } do {
  ^bb0(%y: i32):
    %t = arith.subi %y, %one : i32
    scf.yield %t : i32
  }
  func.return %r : i32
}
