// RUN: stepwell opt %s -p check-loop-ends --split-input-file | filecheck %s
// RUN: stepwell opt %s -p 'check-loop-ends{wanted=false}' --split-input-file | filecheck %s --check-prefix=OFF

// OFF-NOT: gpux.check

// CHECK-LABEL: func.func @range
// CHECK: %[[R:.*]], %[[N:.*]] = scf.for %i = %a to %b step %s iter_args(%acc = %x, %{{.*}} = %a) -> (f32, index) {
// CHECK: %[[NEXT:.*]] = arith.addi %i, %s : index
// CHECK: scf.yield %t, %[[NEXT]] : f32, index
// CHECK: %[[ENDED:.*]] = arith.cmpi sge, %[[N]], %b : index
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

// CHECK-LABEL: func.func @condition
// CHECK: %[[R:.*]], %[[MORE:.*]] = scf.while (%x = %a) : (i32) -> (i32, i1) {
// CHECK: scf.condition(%c) %x, %c : i32, i1
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
