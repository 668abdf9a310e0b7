// RUN: stepwell opt %s -p 'gpu.module(cse,gpu.func(canonicalize))' | filecheck %s

// A nested pipeline leaves what is outside of its ops alone.

// CHECK-LABEL: func.func @outside
// CHECK-COUNT-2: arith.addi
func.func @outside(%a: i32) -> (i32, i32) {
  %0 = arith.addi %a, %a : i32
  %1 = arith.addi %a, %a : i32
  func.return %0, %1 : i32, i32
}

// CHECK-LABEL: gpu.module @m
gpu.module @m {
  // CHECK-LABEL: gpu.func @kernel
  // CHECK-NEXT:    [[S:%.+]] = arith.addi %a, %a : i32
  // CHECK-NEXT:    memref.store [[S]], %m
  // CHECK-NEXT:    memref.store [[S]], %m
  // CHECK-NEXT:    gpu.return
  gpu.func @kernel(%a: i32, %m: memref<?xi32>, %i: index) kernel {
    %0 = arith.addi %a, %a : i32
    %1 = arith.addi %a, %a : i32
    %dead = arith.muli %0, %1 : i32
    memref.store %0, %m[%i] : memref<?xi32>
    memref.store %1, %m[%i] : memref<?xi32>
    gpu.return
  }
  // CHECK-LABEL: func.func private @helper
  // CHECK-NEXT:    arith.addi
  // CHECK-NEXT:    arith.muli
  func.func private @helper(%a: i32) -> i32 {
    %0 = arith.addi %a, %a : i32
    %1 = arith.addi %a, %a : i32
    %dead = arith.muli %0, %1 : i32
    func.return %1 : i32
  }
}
