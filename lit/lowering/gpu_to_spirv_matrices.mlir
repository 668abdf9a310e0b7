// RUN: stepwell opt %s -p 'gpu-to-spirv{arch="1.6+sg32+bda+cooperative_matrix+float16+int16+int8+matrix_16x16x16_f16_f32+matrix_16x16x32_s8_s32+matrix_16x16x32_u8_u32+memory_model+storage16+storage8"}' --split-input-file --verify-diagnostics | filecheck %s

// The Vulkan memory model: what other threads may see is said to be so, and so is what a barrier
// makes visible. Blocks have one dimension.

// CHECK-LABEL: spirv.module PhysicalStorageBuffer64 Vulkan
// CHECK-SAME: VulkanMemoryModel
// CHECK-SAME: CooperativeMatrixKHR
// CHECK-SAME: [SPV_KHR_cooperative_matrix]
// CHECK: spirv.SpecConstantComposite @block_size (@block_threads, @one, @one)
// The arrays of a block take multiples of 16 bytes, so that one behind the other begins at one.
// CHECK: spirv.GlobalVariable @__shared_0 : !spirv.ptr<!spirv.array<8 x f16>, Workgroup>
// CHECK-LABEL: spirv.func @product()
// CHECK: %[[P:.*]] = spirv.AccessChain %a[%{{.*}}, %at]
// CHECK: %[[A:.*]] = spirv.KHR.CooperativeMatrixLoad %[[P]], %stride, <RowMajor>, <Aligned|NonPrivatePointer>, 16 : !spirv.ptr<f16, PhysicalStorageBuffer>, i32 -> !spirv.coopmatrix<16x16xf16, Subgroup, MatrixA>
// CHECK: spirv.ControlBarrier <Workgroup>, <Workgroup>, <AcquireRelease|UniformMemory|WorkgroupMemory|MakeAvailable|MakeVisible>
// CHECK: %[[B:.*]] = spirv.KHR.CooperativeMatrixLoad %{{.*}}, %stride, <ColumnMajor>, <NonPrivatePointer> : !spirv.ptr<f16, Workgroup>, i32 -> !spirv.coopmatrix<16x16xf16, Subgroup, MatrixB>
// CHECK: %[[C:.*]] = spirv.CompositeConstruct %zero : (f32) -> !spirv.coopmatrix<16x16xf32, Subgroup, MatrixAcc>
// CHECK: %[[D:.*]] = spirv.KHR.CooperativeMatrixMulAdd %[[A]], %[[B]], %[[C]] : !spirv.coopmatrix<16x16xf16, Subgroup, MatrixA>, !spirv.coopmatrix<16x16xf16, Subgroup, MatrixB> -> !spirv.coopmatrix<16x16xf32, Subgroup, MatrixAcc>
// CHECK: spirv.KHR.CooperativeMatrixStore %{{.*}}, %[[D]], %stride, <RowMajor>, <Aligned|NonPrivatePointer>, 16
// CHECK: spirv.AtomicIAdd <Device> <Acquire|UniformMemory|MakeVisible>
// CHECK: spirv.AtomicCompareExchange <Device> <AcquireRelease|UniformMemory|MakeAvailable|MakeVisible> <Acquire|UniformMemory|MakeVisible>
gpu.module @m {
  gpu.func @product(%a: memref<?xf16, #gpu.address_space<global>>, %c: memref<?xf32, #gpu.address_space<global>>, %n: memref<?xi32, #gpu.address_space<global>>, %at: index, %stride: index) workgroup(%odd : memref<3xf16, #gpu.address_space<workgroup>>, %s : memref<256xf16, #gpu.address_space<workgroup>>) kernel {
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1 : i32
    %x = gpux.matrix_load %a[%at], %stride : memref<?xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf16, "AOp">
    gpu.barrier
    %y = gpux.matrix_load %s[%at], %stride {transpose} : memref<256xf16, #gpu.address_space<workgroup>> -> !gpu.mma_matrix<16x16xf16, "BOp">
    %z = gpu.subgroup_mma_constant_matrix %zero : !gpu.mma_matrix<16x16xf32, "COp">
    %d = gpu.subgroup_mma_compute %x, %y, %z {b_transpose} : !gpu.mma_matrix<16x16xf16, "AOp">, !gpu.mma_matrix<16x16xf16, "BOp"> -> !gpu.mma_matrix<16x16xf32, "COp">
    gpux.matrix_store %d, %c[%at], %stride : !gpu.mma_matrix<16x16xf32, "COp">, memref<?xf32, #gpu.address_space<global>>
    %o = gpux.atomic_rmw "add" %one, %n[%at] order "acquire" scope "device" : i32, memref<?xi32, #gpu.address_space<global>>
    %p = gpux.atomic_cas %o, %one, %n[%at] order "acq_rel" scope "device" : i32, memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Integers have their sign in the product; places are addresses.

// CHECK-LABEL: spirv.func @integers()
// CHECK: spirv.Bitcast %a : !spirv.ptr<{{.*}}> to vector<2xi32>
// CHECK: spirv.KHR.CooperativeMatrixMulAdd %{{.*}}, %{{.*}}, %{{.*}}, <ASigned|BSigned|CSigned|ResultSigned> : !spirv.coopmatrix<16x32xi8, Subgroup, MatrixA>
// CHECK: spirv.KHR.CooperativeMatrixMulAdd %{{.*}}, %{{.*}}, %{{.*}} : !spirv.coopmatrix<16x32xi8, Subgroup, MatrixA>
// CHECK: spirv.SNegate %{{.*}} : !spirv.coopmatrix<16x16xi32, Subgroup, MatrixAcc>
gpu.module @m {
  gpu.func @integers(%a: memref<?xi8, #gpu.address_space<global>>, %c: memref<?xi32, #gpu.address_space<global>>) kernel {
    %at = "memref.extract_aligned_pointer_as_index"(%a) : (memref<?xi8, #gpu.address_space<global>>) -> index
    %one = arith.constant 1 : i8
    %zero = arith.constant 0 : i32
    %x = "gpu.subgroup_mma_constant_matrix"(%one) : (i8) -> !gpu.mma_matrix<16x32xi8, "AOp">
    %y = "gpu.subgroup_mma_constant_matrix"(%one) : (i8) -> !gpu.mma_matrix<32x16xi8, "BOp">
    %u = gpux.matrix_load %a[%at], %at : memref<?xi8, #gpu.address_space<global>> -> !gpu.mma_matrix<16x32xui8, "AOp">
    %v = gpux.matrix_load %a[%at], %at : memref<?xi8, #gpu.address_space<global>> -> !gpu.mma_matrix<32x16xui8, "BOp">
    %z = gpu.subgroup_mma_constant_matrix %zero : !gpu.mma_matrix<16x16xi32, "COp">
    %d = gpu.subgroup_mma_compute %x, %y, %z : !gpu.mma_matrix<16x32xi8, "AOp">, !gpu.mma_matrix<32x16xi8, "BOp"> -> !gpu.mma_matrix<16x16xi32, "COp">
    %e = gpu.subgroup_mma_compute %u, %v, %d : !gpu.mma_matrix<16x32xui8, "AOp">, !gpu.mma_matrix<32x16xui8, "BOp"> -> !gpu.mma_matrix<16x16xi32, "COp">
    %f = gpu.subgroup_mma_elementwise negates %e : (!gpu.mma_matrix<16x16xi32, "COp">) -> !gpu.mma_matrix<16x16xi32, "COp">
    gpux.matrix_store %f, %c[%at], %at : !gpu.mma_matrix<16x16xi32, "COp">, memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Maxima have no instruction for whole matrices: a loop over the elements of the lane. Nor has a choice.

// CHECK-LABEL: spirv.func @elements(
// CHECK: spirv.KHR.CooperativeMatrixLength : !spirv.coopmatrix<16x16xf32, Subgroup, MatrixAcc>
// CHECK: spirv.mlir.loop
// CHECK: spirv.ULessThan
// CHECK: spirv.AccessChain %{{.*}}[%{{.*}}] : !spirv.ptr<!spirv.coopmatrix<16x16xf32, Subgroup, MatrixAcc>, Function>, i32
// CHECK: spirv.mlir.selection
// CHECK: spirv.Store "Function" %{{.*}}, %{{.*}} : !spirv.coopmatrix<16x16xf32, Subgroup, MatrixAcc>
// CHECK: spirv.FMul %{{.*}}, %{{.*}} {no_contraction} : !spirv.coopmatrix<16x16xf32, Subgroup, MatrixAcc>
gpu.module @m {
  gpu.func @elements(%a: memref<?xf32, #gpu.address_space<global>>, %at: index, %p: i1) kernel {
    %zero = arith.constant 0.0 : f32
    %x = gpux.matrix_load %a[%at], %at : memref<?xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf32, "COp">
    %z = gpu.subgroup_mma_constant_matrix %zero : !gpu.mma_matrix<16x16xf32, "COp">
    %m = gpu.subgroup_mma_elementwise maxf %x, %z : (!gpu.mma_matrix<16x16xf32, "COp">, !gpu.mma_matrix<16x16xf32, "COp">) -> !gpu.mma_matrix<16x16xf32, "COp">
    %s = arith.select %p, %m, %x : !gpu.mma_matrix<16x16xf32, "COp">
    %d = gpu.subgroup_mma_elementwise mulf %s, %x : (!gpu.mma_matrix<16x16xf32, "COp">, !gpu.mma_matrix<16x16xf32, "COp">) -> !gpu.mma_matrix<16x16xf32, "COp">
    gpux.matrix_store %d, %a[%at], %at : !gpu.mma_matrix<16x16xf32, "COp">, memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @none(%a: memref<?xf16, #gpu.address_space<global>>, %at: index) kernel {
    %h = arith.constant 0.0 : f16
    %x = gpux.matrix_load %a[%at], %at : memref<?xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<8x8xf16, "AOp">
    %y = gpux.matrix_load %a[%at], %at : memref<?xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<8x8xf16, "BOp">
    %z = gpu.subgroup_mma_constant_matrix %h : !gpu.mma_matrix<8x8xf16, "COp">
    // expected-error @+1 {{no instruction of this device multiplies !gpu.mma_matrix<8x8xf16, "AOp"> and}}
    %d = gpu.subgroup_mma_compute %x, %y, %z : !gpu.mma_matrix<8x8xf16, "AOp">, !gpu.mma_matrix<8x8xf16, "BOp"> -> !gpu.mma_matrix<8x8xf16, "COp">
    gpu.return
  }
}
