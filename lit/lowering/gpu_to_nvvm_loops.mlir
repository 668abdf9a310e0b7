// RUN: stepwell opt %s -p 'gpu-to-nvvm{arch=sm_80}' --split-input-file | filecheck %s

// In a small launch the part of an address that a loop leaves alone comes first: row * columns is
// added to the pointer, then the column; without that one multiplication and sum in 32 bits.

// CHECK-LABEL: llvm.func ptx_kernelcc @rows(
// CHECK: %[[ROW:.*]] = llvm.mul %{{.*}}, %{{.*}} overflow<nsw, nuw> : i32
// CHECK: %[[WIDE:.*]] = llvm.sext %[[ROW]] : i32 to i64
// CHECK: %[[START:.*]] = llvm.getelementptr inbounds %x[%[[WIDE]]]
// CHECK: llvm.getelementptr inbounds %[[START]][
// CHECK-NOT: llvm.add %[[ROW]]
// CHECK: llvm.return
gpu.module @m {
  gpu.func @rows(%x: memref<?x?xf32, #gpu.address_space<global>>, %n: index) kernel attributes {gpux.small} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %v = arith.constant 1.0 : f32
    %row = gpu.block_id x
    scf.for %j = %c0 to %n step %c1 {
      memref.store %v, %x[%row, %j] : memref<?x?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// -----

// A column that the loop leaves alone goes first too, also where it is computed in the loop.

// CHECK-LABEL: llvm.func ptx_kernelcc @columns(
// CHECK: %[[START:.*]] = llvm.getelementptr inbounds %x[
// CHECK: llvm.mul
// CHECK: llvm.getelementptr inbounds %[[START]][
gpu.module @m {
  gpu.func @columns(%x: memref<?x?xf32, #gpu.address_space<global>>, %n: index) kernel attributes {gpux.small} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %v = arith.constant 1.0 : f32
    %t = gpu.thread_id x
    scf.for %i = %c0 to %n step %c1 {
      %column = arith.addi %t, %c1 : index
      memref.store %v, %x[%i, %column] : memref<?x?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// -----

// Outside of loops, of views with strides (whose parts may lie before the array), and in launches
// of any size the index is one sum.

// CHECK-LABEL: llvm.func ptx_kernelcc @outside(
// CHECK-COUNT-1: llvm.getelementptr
// CHECK-NOT: llvm.getelementptr
// CHECK: llvm.return
// CHECK-LABEL: llvm.func ptx_kernelcc @strided(
// CHECK-COUNT-1: llvm.getelementptr
// CHECK-NOT: llvm.getelementptr
// CHECK: llvm.return
// CHECK-LABEL: llvm.func ptx_kernelcc @large(
// CHECK-COUNT-1: llvm.getelementptr
// CHECK-NOT: llvm.getelementptr
// CHECK: llvm.return
gpu.module @m {
  gpu.func @outside(%x: memref<?x?xf32, #gpu.address_space<global>>) kernel attributes {gpux.small} {
    %v = arith.constant 1.0 : f32
    %row = gpu.block_id x
    %column = gpu.thread_id x
    memref.store %v, %x[%row, %column] : memref<?x?xf32, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @strided(%x: memref<?x?xf32, strided<[?, ?]>, #gpu.address_space<global>>, %n: index) kernel attributes {gpux.small} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %v = arith.constant 1.0 : f32
    %row = gpu.block_id x
    scf.for %j = %c0 to %n step %c1 {
      memref.store %v, %x[%row, %j] : memref<?x?xf32, strided<[?, ?]>, #gpu.address_space<global>>
    }
    gpu.return
  }
  gpu.func @large(%x: memref<?x?xf32, #gpu.address_space<global>>, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %v = arith.constant 1.0 : f32
    %row = gpu.block_id x
    scf.for %j = %c0 to %n step %c1 {
      memref.store %v, %x[%row, %j] : memref<?x?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// -----

// A loop of middle size is unrolled four times; one of few instructions is left to LLVM, as is one
// whose rounds are known, or with a barrier.

// CHECK-LABEL: llvm.func ptx_kernelcc @middle(
// CHECK: llvm.br ^{{.*}} {gpux.unroll = 4 : i64}
// CHECK-LABEL: llvm.func ptx_kernelcc @others(
// CHECK-NOT: gpux.unroll
gpu.module @m {
  gpu.func @middle(%x: memref<?xf32, #gpu.address_space<global>>, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    scf.for %j = %c0 to %n step %c1 {
      %v = memref.load %x[%j] : memref<?xf32, #gpu.address_space<global>>
      %e = math.exp %v fastmath<contract> : f32
      %q = arith.divf %e, %v : f32
      %r = arith.addf %q, %e : f32
      memref.store %r, %x[%j] : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
  gpu.func @others(%x: memref<?xf32, #gpu.address_space<global>>, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    scf.for %j = %c0 to %n step %c1 {
      %v = memref.load %x[%j] : memref<?xf32, #gpu.address_space<global>>
      %r = arith.addf %v, %v : f32
      memref.store %r, %x[%j] : memref<?xf32, #gpu.address_space<global>>
    }
    scf.for %j = %c0 to %c8 step %c1 {
      %v = memref.load %x[%j] : memref<?xf32, #gpu.address_space<global>>
      %e = math.exp %v fastmath<contract> : f32
      %q = arith.divf %e, %v : f32
      %r = arith.addf %q, %e : f32
      memref.store %r, %x[%j] : memref<?xf32, #gpu.address_space<global>>
    }
    scf.for %j = %c0 to %n step %c1 {
      %v = memref.load %x[%j] : memref<?xf32, #gpu.address_space<global>>
      %e = math.exp %v fastmath<contract> : f32
      gpu.barrier
      %q = arith.divf %e, %v : f32
      %r = arith.addf %q, %e : f32
      memref.store %r, %x[%j] : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}
