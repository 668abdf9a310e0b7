// RUN: stepwell opt %s -p 'expand-matrices{subgroup-size=4}' --split-input-file --verify-diagnostics | filecheck %s

// Lane l of 4 holds rows l and l + 4 of A and C, of three columns; of B all.

// CHECK-LABEL: gpu.func @product(
// CHECK-COUNT-4: memref.load %a[
// CHECK-NOT: memref.load %a[
// CHECK-COUNT-6: memref.load %b[
// CHECK-NOT: memref.load
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf %f, %{{.*}} : f32
// CHECK-COUNT-6: memref.store
// CHECK-NOT: memref.store
// CHECK-NOT: mma_matrix
gpu.module @m {
  gpu.func @product(%a: memref<8x2xf32, #gpu.address_space<global>>, %b: memref<2x3xf32, #gpu.address_space<global>>, %c: memref<8x3xf32, #gpu.address_space<global>>, %f: f32) kernel {
    %i = arith.constant 0 : index
    %0 = gpu.subgroup_mma_load_matrix %a[%i, %i] {leadDimension = 2 : index} : memref<8x2xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<8x2xf32, "AOp">
    %1 = gpu.subgroup_mma_load_matrix %b[%i, %i] {leadDimension = 3 : index} : memref<2x3xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<2x3xf32, "BOp">
    %2 = gpu.subgroup_mma_constant_matrix %f : !gpu.mma_matrix<8x3xf32, "COp">
    %3 = gpu.subgroup_mma_compute %0, %1, %2 : !gpu.mma_matrix<8x2xf32, "AOp">, !gpu.mma_matrix<2x3xf32, "BOp"> -> !gpu.mma_matrix<8x3xf32, "COp">
    gpu.subgroup_mma_store_matrix %3, %c[%i, %i] {leadDimension = 3 : index} : !gpu.mma_matrix<8x3xf32, "COp">, memref<8x3xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A row that is not there is loaded as the last one, and not stored.

// CHECK-LABEL: gpu.func @ragged(
// CHECK: %[[LANE:.*]] = gpu.lane_id
// CHECK: arith.minui
// CHECK: memref.load %c[
// CHECK: %[[INSIDE:.*]] = arith.cmpi ule
// CHECK: scf.if %[[INSIDE]] {
// CHECK-NEXT: memref.store
gpu.module @m {
  gpu.func @ragged(%c: memref<3x1xi32, #gpu.address_space<global>>) kernel {
    %i = arith.constant 0 : index
    %0 = gpu.subgroup_mma_load_matrix %c[%i, %i] {leadDimension = 1 : index} : memref<3x1xi32, #gpu.address_space<global>> -> !gpu.mma_matrix<3x1xi32, "COp">
    gpu.subgroup_mma_store_matrix %0, %c[%i, %i] {leadDimension = 1 : index} : !gpu.mma_matrix<3x1xi32, "COp">, memref<3x1xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @strided(%c: memref<?x?xf32, #gpu.address_space<global>>, %i: index) kernel {
    // expected-error@+1 {{leadDimension 16 of memref<?x?xf32, #gpu.address_space<global>>: expected the size of its last dimension}}
    %0 = gpu.subgroup_mma_load_matrix %c[%i, %i] {leadDimension = 16 : index} : memref<?x?xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf32, "COp">
    gpu.return
  }
}

// -----

// In an array of one dimension the leading dimension says where an element is.

// CHECK-LABEL: gpu.func @line(
// CHECK: %[[LANE:.*]] = gpu.lane_id
// CHECK: %[[ROW:.*]] = arith.addi %[[LANE]], %{{.*}} : index
// CHECK: %[[LEAD:.*]] = arith.constant 5 : index
// CHECK: %[[STEP:.*]] = arith.muli %[[ROW]], %[[LEAD]] : index
// CHECK: arith.addi %i, %[[STEP]] : index
// CHECK: memref.load %c[
// CHECK: memref.load %c[
// CHECK: memref.store
// CHECK: memref.store
gpu.module @m {
  gpu.func @line(%c: memref<?xf64, #gpu.address_space<global>>, %i: index) kernel {
    %0 = gpu.subgroup_mma_load_matrix %c[%i] {leadDimension = 5 : index} : memref<?xf64, #gpu.address_space<global>> -> !gpu.mma_matrix<4x2xf64, "COp">
    gpu.subgroup_mma_store_matrix %0, %c[%i] {leadDimension = 5 : index, transpose} : !gpu.mma_matrix<4x2xf64, "COp">, memref<?xf64, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A distance of rows that is not constant is that of the array.

// CHECK-LABEL: gpu.func @dynamic(
// CHECK: memref.load %a[%{{.*}}, %{{.*}}] : memref<?x?xf32, #gpu.address_space<global>>
gpu.module @m {
  gpu.func @dynamic(%a: memref<?x?xf32, #gpu.address_space<global>>) kernel {
    %i = arith.constant 0 : index
    %0 = gpu.subgroup_mma_load_matrix %a[%i, %i] {leadDimension = -9223372036854775808 : index} : memref<?x?xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<4x1xf32, "COp">
    gpu.subgroup_mma_store_matrix %0, %a[%i, %i] {leadDimension = -9223372036854775808 : index} : !gpu.mma_matrix<4x1xf32, "COp">, memref<?x?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @no_rows(%a: memref<?xf32, #gpu.address_space<global>>) kernel {
    %i = arith.constant 0 : index
    // expected-error@+1 {{memref<?xf32, #gpu.address_space<global>> has no rows: expected a constant leadDimension}}
    %0 = gpu.subgroup_mma_load_matrix %a[%i] {leadDimension = -9223372036854775808 : index} : memref<?xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<4x1xf32, "COp">
    gpu.return
  }
}
