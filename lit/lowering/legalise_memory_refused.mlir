// RUN: stepwell opt %s -p legalise-memory --verify-diagnostics

gpu.module @m {
  gpu.func @refused(%x: memref<?xi64, #gpu.address_space<global>>, %n: index, %v: i64, %w: f64) workgroup(%s: memref<4xf64, #gpu.address_space<workgroup>>) kernel {
    // expected-error @below {{an atomic of i64: this device has none of 64 bits}}
    %a = gpux.atomic_rmw "add" %v, %x[%n] order "relaxed" scope "device" : i64, memref<?xi64, #gpu.address_space<global>>
    // expected-error @below {{an atomic of f64: this device has none of 64 bits}}
    %b = gpux.atomic_rmw "add" %w, %s[%n] order "relaxed" scope "block" : f64, memref<4xf64, #gpu.address_space<workgroup>>
    gpu.return
  }
}
