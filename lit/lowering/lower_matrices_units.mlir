// RUN: stepwell opt %s -p 'lower-matrices{features="sg32+cooperative_matrix+memory_model+float16+storage16+matrix_16x16x16_f16_f32+matrix_16x8x16_f16_f32"}' --split-input-file | filecheck %s

// Tiles in rows; the depth one after another. A checked access is checked once, not for each tile.

// CHECK-LABEL: gpu.func @tiles(
// CHECK-SAME: gpux.matrix_units = [{{.*}}a product of !gpu.mma_matrix<16x32xf16, {{.*}} is computed by units for 16x16x16 f16 to f32
// CHECK-NOT: gpux.remarks
// CHECK: "memref.extract_aligned_pointer_as_index"(%a)
// CHECK: gpux.check %{{.*}}, "alignment", "the start of a matrix must be at multiples of 16 bytes on this device"
// CHECK: gpux.check %{{.*}}, "alignment", "the rows of a matrix must be at multiples of 16 bytes on this device"
// CHECK-NOT: gpux.check
// CHECK: %[[K:.*]] = arith.constant 16 : index
// CHECK: %[[NEXT:.*]] = arith.addi %i, %[[K]] : index
// CHECK: %[[A0:.*]] = gpu.subgroup_mma_load_matrix %a[%i, %i]
// CHECK: %[[A1:.*]] = gpu.subgroup_mma_load_matrix %a[%i, %[[NEXT]]] {leadDimension = -9223372036854775808 : index} : {{.*}} -> !gpu.mma_matrix<16x16xf16, "AOp">
// CHECK: %[[FAR:.*]] = arith.constant 256 : index
// CHECK: %[[AT:.*]] = arith.addi %i, %[[FAR]] : index
// CHECK: %[[B0:.*]] = gpu.subgroup_mma_load_matrix %b[%{{.*}}, %i] {leadDimension = 16 : index}
// CHECK: %[[B1:.*]] = gpu.subgroup_mma_load_matrix %b[%{{.*}}, %[[AT]]]
// CHECK: %[[Z:.*]] = gpu.subgroup_mma_constant_matrix %zero
// CHECK: %[[S:.*]] = gpu.subgroup_mma_compute %[[A0]], %[[B0]], %[[Z]]
// CHECK: %[[D:.*]] = gpu.subgroup_mma_compute %[[A1]], %[[B1]], %[[S]]
// CHECK: gpu.subgroup_mma_store_matrix %[[D]], %c[%i, %i]
gpu.module @m {
  gpu.func @tiles(%a: memref<?x?xf16, strided<[?, 1]>, #gpu.address_space<global>>, %b: memref<32x16xf16, #gpu.address_space<global>>, %c: memref<16x16xf32, #gpu.address_space<global>>, %i: index) kernel {
    %zero = arith.constant 0.0 : f32
    %x = gpu.subgroup_mma_load_matrix %a[%i, %i] {leadDimension = -9223372036854775808 : index, gpux.checked} : memref<?x?xf16, strided<[?, 1]>, #gpu.address_space<global>> -> !gpu.mma_matrix<16x32xf16, "AOp">
    %y = gpu.subgroup_mma_load_matrix %b[%i, %i] {leadDimension = 16 : index} : memref<32x16xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<32x16xf16, "BOp">
    %z = gpu.subgroup_mma_constant_matrix %zero : !gpu.mma_matrix<16x16xf32, "COp">
    %d = gpu.subgroup_mma_compute %x, %y, %z : !gpu.mma_matrix<16x32xf16, "AOp">, !gpu.mma_matrix<32x16xf16, "BOp"> -> !gpu.mma_matrix<16x16xf32, "COp">
    gpu.subgroup_mma_store_matrix %d, %c[%i, %i] {leadDimension = 16 : index} : !gpu.mma_matrix<16x16xf32, "COp">, memref<16x16xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// The largest unit that divides the matrices; in shared memory only the place in it is checked, and
// rows that are known to be right are not.

// CHECK-LABEL: gpu.func @narrow(
// CHECK-SAME: is computed by units for 16x8x16 f16 to f32
// CHECK-NOT: extract_aligned_pointer
// CHECK: gpux.check %{{.*}}, "alignment", "the start of a matrix
// CHECK-NOT: gpux.check
// CHECK: gpu.subgroup_mma_compute {{.*}} -> !gpu.mma_matrix<16x8xf32, "COp">
gpu.module @m {
  gpu.func @narrow(%c: memref<16x8xf32, #gpu.address_space<global>>, %i: index) workgroup(%s : memref<16x16xf16, #gpu.address_space<workgroup>>) kernel {
    %zero = arith.constant 0.0 : f32
    %x = gpu.subgroup_mma_load_matrix %s[%i, %i] {leadDimension = 16 : index, gpux.checked} : memref<16x16xf16, #gpu.address_space<workgroup>> -> !gpu.mma_matrix<16x16xf16, "AOp">
    %y = gpu.subgroup_mma_load_matrix %s[%i, %i] {leadDimension = 16 : index} : memref<16x16xf16, #gpu.address_space<workgroup>> -> !gpu.mma_matrix<16x8xf16, "BOp">
    %z = gpu.subgroup_mma_constant_matrix %zero : !gpu.mma_matrix<16x8xf32, "COp">
    %d = gpu.subgroup_mma_compute %x, %y, %z : !gpu.mma_matrix<16x16xf16, "AOp">, !gpu.mma_matrix<16x8xf16, "BOp"> -> !gpu.mma_matrix<16x8xf32, "COp">
    gpu.subgroup_mma_store_matrix %d, %c[%i, %i] {leadDimension = 8 : index} : !gpu.mma_matrix<16x8xf32, "COp">, memref<16x8xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Nothing that the device multiplies: scalars, and a remark that says what there is.

// CHECK-LABEL: gpu.func @scalars(
// CHECK-SAME: computed with scalars, row by row in each lane: the device has no units for 4x4x2 of f16 with sums of f32, only 16x16x16 f16 to f32, 16x8x16 f16 to f32
// CHECK-NOT: gpu.subgroup_mma_
gpu.module @m {
  gpu.func @scalars(%a: memref<4x4xf16, #gpu.address_space<global>>, %c: memref<4x4xf32, #gpu.address_space<global>>, %i: index) kernel {
    %x = gpu.subgroup_mma_load_matrix %a[%i, %i] {leadDimension = 4 : index, gpux.checked} : memref<4x4xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<4x2xf16, "AOp">
    %y = gpu.subgroup_mma_load_matrix %a[%i, %i] {leadDimension = 4 : index} : memref<4x4xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<2x4xf16, "BOp">
    %z = gpu.subgroup_mma_load_matrix %c[%i, %i] {leadDimension = 4 : index} : memref<4x4xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<4x4xf32, "COp">
    %d = gpu.subgroup_mma_compute %x, %y, %z : !gpu.mma_matrix<4x2xf16, "AOp">, !gpu.mma_matrix<2x4xf16, "BOp"> -> !gpu.mma_matrix<4x4xf32, "COp">
    gpu.subgroup_mma_store_matrix %d, %c[%i, %i] {leadDimension = 4 : index} : !gpu.mma_matrix<4x4xf32, "COp">, memref<4x4xf32, #gpu.address_space<global>>
    gpu.return
  }
}
