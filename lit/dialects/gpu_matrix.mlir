// RUN: stepwell opt %s --split-input-file --verify-diagnostics | filecheck %s

// The syntax is upstream's as of LLVM 19.

// CHECK-LABEL: gpu.func @ops(
gpu.module @m {
  gpu.func @ops(%m: memref<32x32xf16, #gpu.address_space<global>>, %c: memref<16x16xf32, #gpu.address_space<workgroup>>, %i: index, %f: f32, %d: memref<?x?xf16, #gpu.address_space<global>>) kernel {
    // CHECK: gpu.subgroup_mma_load_matrix %m[%i, %i] {leadDimension = 32 : index} : memref<32x32xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf16, "AOp">
    %0 = gpu.subgroup_mma_load_matrix %m[%i, %i] {leadDimension = 32 : index} : memref<32x32xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf16, "AOp">
    // CHECK: gpu.subgroup_mma_load_matrix %m[%i, %i] {leadDimension = 32 : index, transpose} : memref<32x32xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf16, "BOp">
    %1 = gpu.subgroup_mma_load_matrix %m[%i, %i] {leadDimension = 32 : index, transpose} : memref<32x32xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf16, "BOp">
    // CHECK: gpu.subgroup_mma_constant_matrix %f : !gpu.mma_matrix<16x16xf32, "COp">
    %2 = gpu.subgroup_mma_constant_matrix %f : !gpu.mma_matrix<16x16xf32, "COp">
    // CHECK: gpu.subgroup_mma_compute %{{.*}}, %{{.*}}, %{{.*}} {b_transpose} : !gpu.mma_matrix<16x16xf16, "AOp">, !gpu.mma_matrix<16x16xf16, "BOp"> -> !gpu.mma_matrix<16x16xf32, "COp">
    %3 = gpu.subgroup_mma_compute %0, %1, %2 {b_transpose} : !gpu.mma_matrix<16x16xf16, "AOp">, !gpu.mma_matrix<16x16xf16, "BOp"> -> !gpu.mma_matrix<16x16xf32, "COp">
    // CHECK: gpu.subgroup_mma_elementwise addf %{{.*}}, %{{.*}} : (!gpu.mma_matrix<16x16xf32, "COp">, !gpu.mma_matrix<16x16xf32, "COp">) -> !gpu.mma_matrix<16x16xf32, "COp">
    %4 = gpu.subgroup_mma_elementwise addf %3, %2 : (!gpu.mma_matrix<16x16xf32, "COp">, !gpu.mma_matrix<16x16xf32, "COp">) -> !gpu.mma_matrix<16x16xf32, "COp">
    // CHECK: gpu.subgroup_mma_elementwise negatef %{{.*}} : (!gpu.mma_matrix<16x16xf32, "COp">) -> !gpu.mma_matrix<16x16xf32, "COp">
    %5 = gpu.subgroup_mma_elementwise negatef %4 : (!gpu.mma_matrix<16x16xf32, "COp">) -> !gpu.mma_matrix<16x16xf32, "COp">
    // CHECK: gpu.subgroup_mma_store_matrix %{{.*}}, %c[%i, %i] {leadDimension = 16 : index, transpose} : !gpu.mma_matrix<16x16xf32, "COp">, memref<16x16xf32, #gpu.address_space<workgroup>>
    gpu.subgroup_mma_store_matrix %5, %c[%i, %i] {leadDimension = 16 : index, transpose} : !gpu.mma_matrix<16x16xf32, "COp">, memref<16x16xf32, #gpu.address_space<workgroup>>
    // CHECK: gpu.subgroup_mma_load_matrix %d[%i, %i] {leadDimension = -9223372036854775808 : index} : memref<?x?xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf16, "AOp">
    %6 = gpu.subgroup_mma_load_matrix %d[%i, %i] {leadDimension = -9223372036854775808 : index} : memref<?x?xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf16, "AOp">
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @f(%a: !gpu.mma_matrix<16x8xf16, "AOp">, %b: !gpu.mma_matrix<16x16xf16, "BOp">, %c: !gpu.mma_matrix<16x16xf32, "COp">) {
    // expected-error@+1 {{shapes 16x8 and 16x16 do not multiply to 16x16}}
    %0 = gpu.subgroup_mma_compute %a, %b, %c : !gpu.mma_matrix<16x8xf16, "AOp">, !gpu.mma_matrix<16x16xf16, "BOp"> -> !gpu.mma_matrix<16x16xf32, "COp">
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @f(%a: !gpu.mma_matrix<16x16xf16, "AOp">, %c: !gpu.mma_matrix<16x16xf32, "COp">) {
    // expected-error@+1 {{operands AOp, AOp, COp, expected AOp, BOp, COp}}
    %0 = gpu.subgroup_mma_compute %a, %a, %c : !gpu.mma_matrix<16x16xf16, "AOp">, !gpu.mma_matrix<16x16xf16, "AOp"> -> !gpu.mma_matrix<16x16xf32, "COp">
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @f(%a: !gpu.mma_matrix<16x16xf16, "AOp">, %m: memref<16x16xf16, #gpu.address_space<global>>, %i: index) {
    // expected-error@+1 {{operand AOp cannot be stored, expected COp}}
    gpu.subgroup_mma_store_matrix %a, %m[%i, %i] {leadDimension = 16 : index} : !gpu.mma_matrix<16x16xf16, "AOp">, memref<16x16xf16, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @f(%c: !gpu.mma_matrix<16x16xf32, "COp">) {
    // expected-error@+1 {{operation powf, expected one of addf, subf, mulf, divf, maxf, minf, addi}}
    %0 = gpu.subgroup_mma_elementwise powf %c : (!gpu.mma_matrix<16x16xf32, "COp">) -> !gpu.mma_matrix<16x16xf32, "COp">
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @f(%c: !gpu.mma_matrix<16x16xf32, "COp">) {
    // expected-error@+1 {{addf takes 2 matrices, got 1}}
    %0 = gpu.subgroup_mma_elementwise addf %c : (!gpu.mma_matrix<16x16xf32, "COp">) -> !gpu.mma_matrix<16x16xf32, "COp">
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{operand 'DOp', expected one of AOp, BOp, COp}}
  gpu.func @f(%c: !gpu.mma_matrix<16x16xf32, "DOp">) {
    gpu.return
  }
}
