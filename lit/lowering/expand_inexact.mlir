// RUN: stepwell opt %s -p expand-inexact | filecheck %s
// RUN: stepwell opt %s -p 'expand-inexact{features="exact_division"}' | filecheck %s --check-prefix KEPT

// What the device gives is a guess, of numbers in [1, 4).

// CHECK-LABEL: gpu.func @root(
// CHECK-SAME: gpux.remarks = [{{.*}}a root of f32 is rounded in integers: the device may not
// CHECK: %[[Y:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK-NEXT: %[[G:.*]] = math.sqrt %[[Y]] : f32
// CHECK-NEXT: %[[M:.*]] = arith.bitcast %[[G]] : f32 to i32
// CHECK-NOT: math.sqrt
// KEPT-LABEL: gpu.func @root(
// KEPT-NOT: gpux.remarks
// KEPT: math.sqrt %x : f32

// CHECK-LABEL: gpu.func @quotient(
// CHECK: arith.divf %{{.*}}, %{{.*}} : f32
// CHECK-NOT: arith.divf

// f16 in f32.
// CHECK-LABEL: gpu.func @half(
// CHECK: arith.extf %x : f16 to f32
// CHECK: arith.divf %{{.*}}, %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16

// CHECK-LABEL: gpu.func @power_of_two(
// CHECK: arith.mulf %x, %{{.*}} : f32
// CHECK-NOT: arith.divf

// CHECK-LABEL: gpu.func @approximate(
// CHECK-NOT: gpux.remarks
// CHECK: arith.divf %x, %y fastmath<arcp> : f32
// CHECK-NEXT: math.sqrt %q fastmath<afn> : f32
gpu.module @m {
  gpu.func @root(%x: f32, %o: memref<f32, #gpu.address_space<global>>) kernel {
    %r = math.sqrt %x : f32
    memref.store %r, %o[] : memref<f32, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @quotient(%x: f32, %y: f32, %o: memref<f32, #gpu.address_space<global>>) kernel {
    %r = arith.divf %x, %y : f32
    memref.store %r, %o[] : memref<f32, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @half(%x: f16, %y: f16, %o: memref<f16, #gpu.address_space<global>>) kernel {
    %r = arith.divf %x, %y : f16
    memref.store %r, %o[] : memref<f16, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @power_of_two(%x: f32, %o: memref<f32, #gpu.address_space<global>>) kernel {
    %c = arith.constant -8.0 : f32
    %r = arith.divf %x, %c : f32
    memref.store %r, %o[] : memref<f32, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @approximate(%x: f32, %y: f32, %o: memref<f32, #gpu.address_space<global>>) kernel {
    %q = arith.divf %x, %y fastmath<arcp> : f32
    %r = math.sqrt %q fastmath<afn> : f32
    memref.store %r, %o[] : memref<f32, #gpu.address_space<global>>
    gpu.return
  }
}
