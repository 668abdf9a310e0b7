// RUN: stepwell opt %s --split-input-file -p 'gpu-to-spirv{arch="1.6+sg8+bda+short_loops+strong_atomics+subgroup_basic"}' | filecheck %s

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

// -----

// Its compiler loses the index of a store to a thread's array where that is a loop's variable; at a
// constant it does not, and other memory has addresses.

// CHECK-LABEL: spirv.func @kept_index
// CHECK: %[[AT:.*]] = spirv.Select %{{.*}}, %i, %{{.*}} : i1, i32
// CHECK-NEXT: %[[P:.*]] = spirv.AccessChain %own[%[[AT]]]
// CHECK-NEXT: spirv.Store "Function" %[[P]], %v
// CHECK-NEXT: %[[Q:.*]] = spirv.AccessChain %own[%two]
// CHECK-NEXT: spirv.Store "Function" %[[Q]], %v
// CHECK-NOT: spirv.Select
// CHECK: spirv.Load "Function"
// CHECK-NOT: spirv.Select
// CHECK: spirv.Store "PhysicalStorageBuffer"
gpu.module @m {
  gpu.func @kept_index(%x: memref<?xi32, #gpu.address_space<global>>, %i: index, %v: i32) kernel {
    %own = memref.alloca() : memref<8xi32, #gpu.address_space<private>>
    %two = arith.constant 2 : index
    memref.store %v, %own[%i] : memref<8xi32, #gpu.address_space<private>>
    memref.store %v, %own[%two] : memref<8xi32, #gpu.address_space<private>>
    %0 = memref.load %own[%i] : memref<8xi32, #gpu.address_space<private>>
    memref.store %0, %x[%i] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}
