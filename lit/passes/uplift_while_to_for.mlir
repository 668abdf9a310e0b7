// RUN: stepwell opt %s -p 'uplift-while-to-for' --split-input-file | filecheck %s

// A grid's stride: the step and the limit are computed before the loop; what else it carries stays.

// CHECK-LABEL: gpu.func @stride
// CHECK:         %[[N:.*]] = arith.index_cast %n : i32 to index
// CHECK:         %[[STEP:.*]] = arith.muli %{{.*}}, %{{.*}} : index
// CHECK-NEXT:    %[[SUM:.*]] = scf.for %[[I:.*]] = %first to %[[N]] step %[[STEP]] iter_args(%[[S:.*]] = %zero) -> (f32) {
// CHECK-NEXT:      %v = memref.load %x[%[[I]]]
// CHECK-NEXT:      %t = arith.addf %[[S]], %v : f32
// CHECK:           scf.yield %t : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    memref.store %[[SUM]], %x[%first]
gpu.module @m {
  gpu.func @stride(%x: memref<?xf32>, %n: i32) kernel {
    %zero = arith.constant 0.0 : f32
    %first = gpu.global_id x
    %end, %sum = scf.while (%i = %first, %s = %zero) : (index, f32) -> (index, f32) {
      %limit = arith.index_cast %n : i32 to index
      %on = arith.cmpi slt, %i, %limit : index
      scf.condition(%on) %i, %s : index, f32
    } do {
    ^bb0(%j: index, %before: f32):
      %v = memref.load %x[%j] : memref<?xf32>
      %t = arith.addf %before, %v : f32
      %blocks = gpu.grid_dim x
      %threads = gpu.block_dim x
      %step = arith.muli %blocks, %threads : index
      %next = arith.addi %j, %step : index
      scf.yield %next, %t : index, f32
    }
    memref.store %sum, %x[%first] : memref<?xf32>
    gpu.return
  }
}

// -----

// An integer that grows by one has a next one below any limit; the limit may stand on the left.

// CHECK-LABEL: gpu.func @ones
// CHECK:         scf.for %{{.*}} = %c0 to %n step %c1 : i32 {
// CHECK:           scf.for %{{.*}} = %c0 to %n step %c1 : i32 {
// CHECK-NOT:     scf.while
gpu.module @m {
  gpu.func @ones(%x: memref<?xi32>, %n: i32, %k: index) kernel {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %end = scf.while (%i = %c0) : (i32) -> i32 {
      %on = arith.cmpi sgt, %n, %i : i32
      scf.condition(%on) %i : i32
    } do {
    ^bb0(%j: i32):
      %last = scf.while (%a = %c0) : (i32) -> i32 {
        %less = arith.cmpi slt, %a, %n : i32
        scf.condition(%less) %a : i32
      } do {
      ^bb0(%b: i32):
        memref.store %b, %x[%k] : memref<?xi32>
        %after = arith.addi %b, %c1 : i32
        scf.yield %after : i32
      }
      %next = arith.addi %j, %c1 : i32
      scf.yield %next : i32
    }
    gpu.return
  }
}

// -----

// Not: integers that may wrap, a step that may be zero or below it, a limit that moves, halves, a
// count that is asked for at the end, a condition that does something.

// CHECK-LABEL: gpu.func @others
// CHECK-NOT:     scf.for
gpu.module @m {
  gpu.func @others(%x: memref<?xi32>, %n: i32, %m: index, %k: index) kernel {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c3 = arith.constant 3 : i32
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %a0 = scf.while (%a = %c0) : (i32) -> i32 {
      %on = arith.cmpi slt, %a, %n : i32
      scf.condition(%on) %a : i32
    } do {
    ^bb0(%b: i32):
      %next = arith.addi %b, %c3 : i32
      scf.yield %next : i32
    }
    %b0 = scf.while (%a = %zero) : (index) -> index {
      %on = arith.cmpi slt, %a, %m : index
      scf.condition(%on) %a : index
    } do {
    ^bb0(%b: index):
      %next = arith.addi %b, %k : index
      scf.yield %next : index
    }
    %c00, %c01 = scf.while (%a = %zero, %limit = %m) : (index, index) -> (index, index) {
      %on = arith.cmpi slt, %a, %limit : index
      scf.condition(%on) %a, %limit : index, index
    } do {
    ^bb0(%b: index, %l: index):
      %next = arith.addi %b, %one : index
      %less = arith.subi %l, %one : index
      scf.yield %next, %less : index, index
    }
    %d0 = scf.while (%a = %n) : (i32) -> i32 {
      %on = arith.cmpi sgt, %a, %c0 : i32
      scf.condition(%on) %a : i32
    } do {
    ^bb0(%b: i32):
      %half = arith.shrsi %b, %c1 : i32
      scf.yield %half : i32
    }
    %e0 = scf.while (%a = %c0) : (i32) -> i32 {
      %on = arith.cmpi slt, %a, %n : i32
      scf.condition(%on) %a : i32
    } do {
    ^bb0(%b: i32):
      %next = arith.addi %b, %c1 : i32
      scf.yield %next : i32
    }
    memref.store %e0, %x[%k] : memref<?xi32>
    %f0 = scf.while (%a = %c0) : (i32) -> i32 {
      %v = memref.load %x[%k] : memref<?xi32>
      %on = arith.cmpi slt, %a, %v : i32
      scf.condition(%on) %a : i32
    } do {
    ^bb0(%b: i32):
      %next = arith.addi %b, %c1 : i32
      scf.yield %next : i32
    }
    gpu.return
  }
}
