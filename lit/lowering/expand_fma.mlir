// RUN: stepwell opt %s -p 'expand-fma{features="float64+int64"}' | filecheck %s
// RUN: stepwell opt %s -p expand-fma | filecheck %s --check-prefix INTEGER
// RUN: stepwell opt %s -p 'expand-fma{features="fma"}' | filecheck %s --check-prefix KEPT

// In f64 where there is one: product, sum, what the sum lost; else in integers. What may be rounded
// twice is a product and a sum.

// CHECK-LABEL: gpu.func @exact(
// CHECK: %[[A:.*]] = arith.extf %a : f32 to f64
// CHECK: %[[B:.*]] = arith.extf %b : f32 to f64
// CHECK: %[[C:.*]] = arith.extf %c : f32 to f64
// CHECK: %[[P:.*]] = arith.mulf %[[A]], %[[B]] : f64
// CHECK: %[[S:.*]] = arith.addf %[[P]], %[[C]] : f64
// CHECK: %[[R:.*]] = arith.truncf %{{.*}} : f64 to f32
// CHECK-NEXT: memref.store %[[R]]
// INTEGER-LABEL: gpu.func @exact(
// INTEGER-SAME: gpux.remarks = [{{.*}}an fma of f32 is computed in integers: the device may round it twice
// INTEGER: arith.mului_extended
// INTEGER-NOT: math.fma
// KEPT: math.fma %a, %b, %c : f32

// CHECK-LABEL: gpu.func @loose(
// CHECK-NOT: gpux.remarks
// CHECK: %[[P:.*]] = arith.mulf %a, %b : f32
// CHECK-NEXT: arith.addf %[[P]], %c : f32
// KEPT-LABEL: gpu.func @loose(
// KEPT: math.fma
gpu.module @m {
  gpu.func @exact(%a: f32, %b: f32, %c: f32, %x: memref<?xf32, #gpu.address_space<global>>, %n: index) kernel {
    %r = math.fma %a, %b, %c : f32
    memref.store %r, %x[%n] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @loose(%a: f32, %b: f32, %c: f32, %x: memref<?xf32, #gpu.address_space<global>>, %n: index) kernel {
    %r = math.fma %a, %b, %c {gpux.loose} : f32
    memref.store %r, %x[%n] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}
