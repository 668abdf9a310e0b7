// RUN: stepwell opt %s -p 'gpu-to-spirv{arch="1.3+sg4+subgroup_arithmetic+subgroup_ballot+subgroup_shuffle+int64"}' --split-input-file --verify-diagnostics | filecheck %s

// Without addresses a buffer is a binding, and its slot says where in it the view starts.

// CHECK-LABEL: spirv.module Logical GLSL450
// CHECK: spirv.GlobalVariable @__parameters : !spirv.ptr<!spirv.struct<(i32 [0], i32 [8], i32 [16], i32 [20], i32 [24], i32 [28])>, PushConstant>
// CHECK: spirv.GlobalVariable @__buffer_0 bind(0, 0) : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0])>, StorageBuffer>
// CHECK: spirv.GlobalVariable @__report bind(0, 1)
// CHECK-LABEL: spirv.func @bound()
// CHECK: %[[START:.*]] = spirv.Load "PushConstant" %{{.*}} : i32
// CHECK: %[[AT:.*]] = spirv.IAdd %n, %[[START]] : i32
// CHECK: spirv.AccessChain %{{.*}}[%{{.*}}, %[[AT]]]
// CHECK: spirv.Load "StorageBuffer" %{{[0-9]+}} : f32
gpu.module @m {
  gpu.func @bound(%x: memref<?xf32, #gpu.address_space<global>>, %n: index) kernel {
    %v = memref.load %x[%n] : memref<?xf32, #gpu.address_space<global>>
    gpux.print "{}" (%v : f32) formats ["f32"] site 0 : i32
    gpu.return
  }
}

// -----

// Subgroups: extremes of floats are those of integers in the same order.

// CHECK-LABEL: spirv.func @lanes()
// CHECK: spirv.GroupNonUniformIAdd "Subgroup" "Reduce" %i : i32
// CHECK: spirv.GroupNonUniformFAdd "Subgroup" "InclusiveScan" %f : f32
// CHECK: spirv.IsNan %f : f32
// CHECK: spirv.GroupNonUniformSMin "Subgroup" "Reduce"
// CHECK: spirv.GroupNonUniformBitwiseOr "Subgroup" "Reduce"
// CHECK: spirv.GroupNonUniformBallot <Subgroup> %p : vector<4xi32>
// CHECK: spirv.GroupNonUniformShuffle <Subgroup> %i
gpu.module @m {
  gpu.func @lanes(%i: i32, %f: f32, %p: i1) kernel {
    %0 = gpu.subgroup_reduce add %i : (i32) -> i32
    %1 = gpux.subgroup_scan "add" "inclusive" %f : f32
    %2 = gpu.subgroup_reduce minimumf %f : (f32) -> f32
    %3 = gpux.ballot %p : i64
    %c1 = arith.constant 1 : i32
    %c4 = arith.constant 4 : i32
    %4, %5 = gpu.shuffle xor %i, %c1, %c4 : i32
    gpu.return
  }
}

// -----

// A block of more than 128 bytes lies in memory, in the last binding.

// CHECK-LABEL: spirv.module Logical GLSL450
// CHECK-SAME: attributes {gpux.block_in_memory}
// CHECK: spirv.GlobalVariable @__parameters bind(0, 0) {non_writable} : !spirv.ptr<!spirv.struct<(i32 [0],
// CHECK-SAME: StorageBuffer>
gpu.module @m {
  gpu.func @many(%a: i32, %b: i32, %c: i32, %d: i32, %e: i32, %f: i32, %g: i32, %h: i32, %i: i32, %j: i32, %k: i32, %l: i32, %m: i32, %n: i32, %o: i32) kernel {
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @f(%x: memref<?x4xf32, #gpu.address_space<global>>, %i: index) kernel {
    // expected-error@+1 {{a view with 2 indices (flatten-memrefs comes before)}}
    %v = memref.load %x[%i, %i] : memref<?x4xf32, #gpu.address_space<global>>
    gpu.return
  }
}
