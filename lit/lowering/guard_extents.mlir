// RUN: stepwell opt %s -p guard-extents --split-input-file | filecheck %s

// Threads past the extents of the launch's axes do nothing; a plain kernel stays as it is.

// CHECK-LABEL: gpu.func @rows(
// CHECK: %[[X:.*]] = gpu.global_id x
// CHECK: %[[IN_X:.*]] = arith.cmpi ult, %[[X]], %ex : index
// CHECK: %[[Y:.*]] = gpu.global_id y
// CHECK: %[[IN_Y:.*]] = arith.cmpi ult, %[[Y]], %ey : index
// CHECK: %[[INSIDE:.*]] = arith.andi %[[IN_X]], %[[IN_Y]] : i1
// CHECK: scf.if %[[INSIDE]] {
// CHECK: memref.store
// CHECK: }
// CHECK: gpu.return
// CHECK-LABEL: gpu.func @plain(
// CHECK-NOT: scf.if
gpu.module @m {
  gpu.func @rows(%v: f32, %x: memref<?xf32, #gpu.address_space<global>>, %ex: index, %ey: index, %ez: index) kernel attributes {gpux.over = 2 : i64} {
    %i = gpu.global_id x
    memref.store %v, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @plain(%v: f32, %x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %i = gpu.global_id x
    memref.store %v, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}
