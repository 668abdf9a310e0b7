// RUN: stepwell opt %s -p spirv-update-vce --split-input-file --verify-diagnostics | filecheck %s

// Nothing but the memory model.
// CHECK: spirv.module Logical GLSL450 requires #spirv.vce<v1.0, [Shader], []> {
spirv.module Logical GLSL450 {
}

// -----

// Storage buffers came with 1.3: before that an extension has them.
// CHECK: requires #spirv.vce<v1.0, [Shader, Int64Atomics], [SPV_KHR_storage_buffer_storage_class]>
spirv.module Logical GLSL450 {
  spirv.func @f(%p: !spirv.ptr<i64, StorageBuffer>, %v: i64) "None" {
    %0 = spirv.AtomicIAdd <Device> <None> %p, %v : !spirv.ptr<i64, StorageBuffer>
    spirv.Return
  }
}

// -----

// With a target, the version is the target's and the extension is not needed.
// CHECK: requires #spirv.vce<v1.5, [Shader, Float16], []>
spirv.module Logical GLSL450 attributes {spirv.target_env = #spirv.target_env<#spirv.vce<v1.5, [Shader, Float16], []>, #spirv.resource_limits<>>} {
  spirv.GlobalVariable @b bind(0, 0) : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0])>, StorageBuffer>
  spirv.func @f(%x: f16) -> f16 "None" {
    %0 = spirv.FAdd %x, %x : f16
    spirv.ReturnValue %0 : f16
  }
}

// -----

// Narrow numbers that are only moved and converted need access to them and no arithmetic.
// CHECK: requires #spirv.vce<v1.0, [Shader, StorageBuffer16BitAccess], [SPV_KHR_16bit_storage, SPV_KHR_storage_buffer_storage_class]>
spirv.module Logical GLSL450 {
  spirv.func @f(%p: !spirv.ptr<f16, StorageBuffer>) "None" {
    %0 = spirv.Load "StorageBuffer" %p : f16
    %1 = spirv.FConvert %0 : f16 to f32
    %2 = spirv.FConvert %1 : f32 to f16
    spirv.Store "StorageBuffer" %p, %2 : f16
    spirv.Return
  }
}

// -----

// A reduction and one in clusters are different capabilities; both bring GroupNonUniform.
// CHECK: requires #spirv.vce<v1.3, [Shader, GroupNonUniformArithmetic, GroupNonUniformClustered], []>
spirv.module Logical GLSL450 {
  spirv.func @f(%v: i32) "None" {
    %c4 = spirv.Constant 4 : i32
    %e = spirv.GroupNonUniformElect <Subgroup> : i1
    %0 = spirv.GroupNonUniformIAdd "Subgroup" "Reduce" %v : i32
    %1 = spirv.GroupNonUniformIAdd "Subgroup" "ClusteredReduce" %v cluster_size(%c4) : i32
    spirv.Return
  }
}

// -----

// What only an extension has.
// CHECK: requires #spirv.vce<v1.0, [Shader, AtomicFloat32AddEXT], [SPV_EXT_shader_atomic_float_add, SPV_KHR_storage_buffer_storage_class]>
spirv.module Logical GLSL450 {
  spirv.func @f(%p: !spirv.ptr<f32, StorageBuffer>, %v: f32) "None" {
    %0 = spirv.EXT.AtomicFAdd <Device> <None> %p, %v : !spirv.ptr<f32, StorageBuffer>
    spirv.Return
  }
}

// -----

// Addresses; Device scope of the Vulkan memory model.
// CHECK: requires #spirv.vce<v1.5, [VulkanMemoryModel, VulkanMemoryModelDeviceScope, PhysicalStorageBufferAddresses], []>
spirv.module PhysicalStorageBuffer64 Vulkan attributes {spirv.target_env = #spirv.target_env<#spirv.vce<v1.5, [VulkanMemoryModel, VulkanMemoryModelDeviceScope, PhysicalStorageBufferAddresses, Int64], []>, #spirv.resource_limits<>>} {
  spirv.func @f(%a: !spirv.ptr<i32, PhysicalStorageBuffer> {spirv.decoration = #spirv.decoration<Aliased>}, %v: i32) "None" {
    %0 = spirv.AtomicIAdd <Device> <None> %a, %v : !spirv.ptr<i32, PhysicalStorageBuffer>
    spirv.Return
  }
}

// -----

// What a target lacks is an error at each op that needs it.
spirv.module Logical GLSL450 attributes {spirv.target_env = #spirv.target_env<#spirv.vce<v1.0, [Shader], []>, #spirv.resource_limits<>>} {
  // expected-error @+1 {{spirv.func: needs capability Int64}}
  spirv.func @f(%v: i64, %w: i32) "None" {
    // expected-error @+1 {{spirv.IAdd: needs capability Int64}}
    %0 = spirv.IAdd %v, %v : i64
    // expected-error @+1 {{spirv.GroupNonUniformElect: needs capability GroupNonUniform}}
    %1 = spirv.GroupNonUniformElect <Subgroup> : i1
    %2 = spirv.IAdd %w, %w : i32
    spirv.Return
  }
}
