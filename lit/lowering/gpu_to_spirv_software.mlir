// RUN: stepwell opt %s -p 'gpu-to-spirv{arch="1.6+sg8+bda+short_loops+strong_atomics+subgroup_basic"}' | filecheck %s

// Mesa's software device makes a barrier of each fence: there atomics have no order of their own.

// CHECK-LABEL: spirv.func @orders
// CHECK-NOT: spirv.MemoryBarrier
// CHECK: spirv.AtomicExchange <Device> <None>
// CHECK: spirv.AtomicCompareExchange <Workgroup> <None> <None>
// CHECK: spirv.ControlBarrier <Workgroup>, <Workgroup>, <AcquireRelease|UniformMemory|WorkgroupMemory>
gpu.module @m {
  gpu.func @orders(%x: memref<?xi32, #gpu.address_space<global>>, %i: index, %v: i32) kernel {
    %0 = gpux.atomic_rmw "exchange" %v, %x[%i] order "seq_cst" scope "device" : i32, memref<?xi32, #gpu.address_space<global>>
    %1 = gpux.atomic_cas %v, %0, %x[%i] order "release" scope "block" : i32, memref<?xi32, #gpu.address_space<global>>
    gpu.barrier
    gpu.return
  }
}
