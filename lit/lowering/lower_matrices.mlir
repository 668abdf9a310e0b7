// RUN: stepwell opt %s -p 'lower-matrices{features="sg4"}' --split-input-file | filecheck %s

// Lane l of 4 holds row l of A and C, and all of B.

// CHECK-LABEL: gpu.func @product(
// CHECK-SAME: gpux.remarks = [{{.*}}a product of !gpu.mma_matrix<4x2xf32, {{.*}} and !gpu.mma_matrix<2x2xf32, {{.*}} is computed with scalars
// CHECK: %[[LANE:.*]] = gpu.lane_id
// CHECK-COUNT-2: memref.load %a[
// CHECK-COUNT-4: memref.load %b[
// CHECK-COUNT-4: arith.mulf
// CHECK-COUNT-2: memref.store
gpu.module @m {
  gpu.func @product(%a: memref<4x2xf32, #gpu.address_space<global>>, %b: memref<2x2xf32, #gpu.address_space<global>>, %c: memref<4x2xf32, #gpu.address_space<global>>) kernel {
    %i = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %x = gpu.subgroup_mma_load_matrix %a[%i, %i] {leadDimension = 2 : index} : memref<4x2xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<4x2xf32, "AOp">
    %y = gpu.subgroup_mma_load_matrix %b[%i, %i] {leadDimension = 2 : index} : memref<2x2xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<2x2xf32, "BOp">
    %z = gpu.subgroup_mma_constant_matrix %zero : !gpu.mma_matrix<4x2xf32, "COp">
    %d = gpu.subgroup_mma_compute %x, %y, %z : !gpu.mma_matrix<4x2xf32, "AOp">, !gpu.mma_matrix<2x2xf32, "BOp"> -> !gpu.mma_matrix<4x2xf32, "COp">
    gpu.subgroup_mma_store_matrix %d, %c[%i, %i] {leadDimension = 2 : index} : !gpu.mma_matrix<4x2xf32, "COp">, memref<4x2xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// CHECK-LABEL: gpu.func @none()
// CHECK-NOT: gpux.remarks
gpu.module @m {
  gpu.func @none() kernel {
    gpu.return
  }
}
