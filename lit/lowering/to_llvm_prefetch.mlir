// RUN: stepwell opt %s -p to-llvm | filecheck %s

// The line need not exist. What is read comes to the second cache (2), what is written to the first.

// CHECK-LABEL: llvm.func @ask
// CHECK: [[P:%.+]] = llvm.getelementptr %{{[^ ]+}}[%{{[^ ]+}}] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-DAG: [[READ:%.+]] = llvm.mlir.constant(0 : i32)
// CHECK-DAG: [[SECOND:%.+]] = llvm.mlir.constant(2 : i32)
// CHECK: llvm.call_intrinsic "llvm.prefetch.p0"([[P]], [[READ]], [[SECOND]], %{{.+}}) : (!llvm.ptr, i32, i32, i32) -> ()
// CHECK-DAG: [[WRITE:%.+]] = llvm.mlir.constant(1 : i32)
// CHECK-DAG: [[FIRST:%.+]] = llvm.mlir.constant(3 : i32)
// CHECK: llvm.call_intrinsic "llvm.prefetch.p0"(%{{.+}}, [[WRITE]], [[FIRST]], %{{.+}}) :
func.func @ask(%m: memref<?x?xf32>, %i: index, %j: index) {
  gpux.prefetch %m[%i, %j] : memref<?x?xf32>
  gpux.prefetch write %m[%j, %i] : memref<?x?xf32>
  func.return
}
