// RUN: stepwell opt %s -p cse --split-input-file --allow-unregistered-dialect | filecheck %s

// In a block and in the regions inside.
// CHECK-LABEL: @nested
// CHECK-NEXT:    [[S:%.+]] = arith.addi %a, %b : index
// CHECK-NEXT:    scf.if %p {
// CHECK-NEXT:      memref.store %v, %m{{\[}}[[S]]{{\]}}
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return [[S]], [[S]] : index, index
func.func @nested(%a: index, %b: index, %p: i1, %v: f32, %m: memref<?xf32>) -> (index, index) {
  %0 = arith.addi %a, %b : index
  %1 = arith.addi %a, %b : index
  scf.if %p {
    %2 = arith.addi %a, %b : index
    memref.store %v, %m[%2] : memref<?xf32>
  }
  func.return %0, %1 : index, index
}

// -----

// Not from one region to the next, nor out of a region.
// CHECK-LABEL: @siblings
// CHECK-COUNT-3: arith.addi
// CHECK-NOT:     arith.addi
func.func @siblings(%a: index, %p: i1, %v: f32, %m: memref<?xf32>) -> index {
  scf.if %p {
    %0 = arith.addi %a, %a : index
    memref.store %v, %m[%0] : memref<?xf32>
  } else {
    %1 = arith.addi %a, %a : index
    memref.store %v, %m[%1] : memref<?xf32>
  }
  %2 = arith.addi %a, %a : index
  func.return %2 : index
}

// -----

// Along dominating blocks only: both branches see the entry, the end sees no branch.
// CHECK-LABEL: @blocks
// CHECK:         [[S:%.+]] = arith.addi %a, %a : index
// CHECK:         cf.br ^{{.*}}([[S]] : index)
// CHECK:         [[M:%.+]] = arith.muli %a, %a : index
// CHECK:         cf.br ^{{.*}}([[M]] : index)
// CHECK:         [[N:%.+]] = arith.muli %a, %a : index
// CHECK:         arith.addi %r, [[N]]
func.func @blocks(%a: index, %p: i1) -> index {
  %0 = arith.addi %a, %a : index
  cf.cond_br %p, ^one, ^two
^one:
  %1 = arith.addi %a, %a : index
  cf.br ^end(%1 : index)
^two:
  %2 = arith.muli %a, %a : index
  cf.br ^end(%2 : index)
^end(%r: index):
  %3 = arith.muli %a, %a : index
  %4 = arith.addi %r, %3 : index
  %5 = arith.addi %4, %0 : index
  func.return %5 : index
}

// -----

// Ids and sizes are the same all through a thread.
// CHECK-LABEL: gpu.func @ids
// CHECK-NEXT:    [[X:%.+]] = gpu.thread_id x
// CHECK-NEXT:    [[Y:%.+]] = gpu.thread_id y
// CHECK:         [[D:%.+]] = memref.dim
// CHECK-NOT:     memref.dim
// CHECK:         "test.use"([[X]], [[X]], [[Y]], [[D]], [[D]])
gpu.module @m {
  gpu.func @ids(%m: memref<?xf32>) kernel {
    %0 = gpu.thread_id x
    %1 = gpu.thread_id x
    %2 = gpu.thread_id y
    %c0 = arith.constant 0 : index
    %3 = memref.dim %m, %c0 : memref<?xf32>
    %4 = memref.dim %m, %c0 : memref<?xf32>
    "test.use"(%0, %1, %2, %3, %4) : (index, index, index, index, index) -> ()
    gpu.return
  }
}

// -----

// What differs in a property, a type or the sign of a zero is not equal.
// CHECK-LABEL: @differs
// CHECK-COUNT-2: arith.constant {{-?}}0.000000e+00 : f32
// CHECK-COUNT-2: arith.cmpi
// CHECK-COUNT-2: arith.extsi
func.func @differs(%a: i8) -> (f32, f32, i1, i1, i32, i64) {
  %0 = arith.constant 0.0 : f32
  %1 = arith.constant -0.0 : f32
  %2 = arith.cmpi slt, %a, %a : i8
  %3 = arith.cmpi ult, %a, %a : i8
  %4 = arith.extsi %a : i8 to i32
  %5 = arith.extsi %a : i8 to i64
  func.return %0, %1, %2, %3, %4, %5 : f32, f32, i1, i1, i32, i64
}

// -----

// Loads, atomics, checks, allocations and what works across lanes are left alone.
// CHECK-LABEL: gpu.func @effects
// CHECK-COUNT-2: memref.load
// CHECK-COUNT-2: gpux.atomic_rmw
// CHECK-COUNT-2: gpux.check
// CHECK-COUNT-2: memref.alloca
// CHECK-COUNT-2: gpux.ballot
// CHECK-COUNT-2: gpu.barrier
gpu.module @m {
  gpu.func @effects(%m: memref<?xi32>, %i: index, %p: i1) kernel {
    %0 = memref.load %m[%i] : memref<?xi32>
    %1 = memref.load %m[%i] : memref<?xi32>
    %2 = gpux.atomic_rmw "add" %0, %m[%i] order "relaxed" scope "device" : i32, memref<?xi32>
    %3 = gpux.atomic_rmw "add" %0, %m[%i] order "relaxed" scope "device" : i32, memref<?xi32>
    gpux.check %p, "assert", "no" formats []
    gpux.check %p, "assert", "no" formats []
    %4 = memref.alloca() : memref<4xf32>
    %5 = memref.alloca() : memref<4xf32>
    %6 = gpux.ballot %p : i64
    %7 = gpux.ballot %p : i64
    gpu.barrier
    gpu.barrier
    gpu.return
  }
}
