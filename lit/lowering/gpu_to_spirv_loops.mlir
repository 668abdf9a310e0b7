// RUN: stepwell opt %s -p 'gpu-to-spirv{arch="1.6+sg8+bda+short_loops+subgroup_basic"}' | filecheck %s
// RUN: stepwell opt %s -p 'gpu-to-spirv{arch="1.6+sg8+bda+subgroup_basic"}' | filecheck %s --check-prefix=OTHER

// Where a device unrolls what is better left a loop, it is told so: many rounds, known, and no array
// of one thread in it. Lanes that stand for no thread end before the first loop.

// CHECK: spirv.mlir.referenceof @block_x
// CHECK: spirv.UMod
// CHECK: spirv.mlir.loop control(DontUnroll)
// CHECK: spirv.mlir.loop {
// CHECK: spirv.mlir.loop {
// CHECK: spirv.mlir.loop {

// OTHER-NOT: spirv.UMod
// OTHER-NOT: DontUnroll

gpu.module @loops {
  gpu.func @loops(%x: memref<?xf32, #gpu.address_space<global>>, %x_size: index) private(%p: memref<16xf32, #gpu.address_space<private>>) kernel attributes {gpux.over = 1} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c7 = arith.constant 7 : index
    %c16 = arith.constant 16 : index
    %f = arith.constant 1.0 : f32
    scf.for %i = %c0 to %c16 step %c1 {
      memref.store %f, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    }
    scf.for %i = %c0 to %c7 step %c1 {
      memref.store %f, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    }
    scf.for %i = %c0 to %x_size step %c1 {
      memref.store %f, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    }
    scf.for %i = %c0 to %c16 step %c1 {
      memref.store %f, %p[%i] : memref<16xf32, #gpu.address_space<private>>
    }
    gpu.return
  }
}
