// RUN: stepwell opt %s -p expand-math --split-input-file | filecheck %s

// Functions become arithmetic; 16-bit floats in f32; what devices have stays.

// CHECK-LABEL: gpu.func @functions(
// CHECK: arith.maximumf %x
// CHECK: math.fma
// CHECK-NOT: math.exp
// CHECK: arith.extf %h : f16 to f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK: math.sqrt %x : f32
// CHECK-NOT: arith.remf
gpu.module @m {
  gpu.func @functions(%x: f32, %h: f16, %o: memref<?xf32, #gpu.address_space<global>>, %p: memref<?xf16, #gpu.address_space<global>>) kernel {
    %i = gpu.global_id x
    %a = math.exp %x : f32
    %b = math.log %h : f16
    memref.store %b, %p[%i] : memref<?xf16, #gpu.address_space<global>>
    %c = math.sqrt %x : f32
    %d = arith.remf %a, %c : f32
    memref.store %d, %o[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}
