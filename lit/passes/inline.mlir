// RUN: stepwell opt %s -p inline --split-input-file --verify-diagnostics | filecheck %s

// Callees of callees come along; private functions that nothing calls are removed.

gpu.module @nested {
  func.func private @square(%a: f32) -> f32 {
    %r = arith.mulf %a, %a : f32
    func.return %r : f32
  }
  func.func private @fourth(%a: f32) -> f32 {
    %b = func.call @square(%a) : (f32) -> f32
    %c = func.call @square(%b) : (f32) -> f32
    func.return %c : f32
  }
  func.func private @unused() {
    func.return
  }
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %n: index, %v: f32) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    scf.for %i = %c0 to %n step %c1 {
      %w = func.call @fourth(%v) : (f32) -> f32
      memref.store %w, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @nested
// CHECK-NOT:     func.func
// CHECK:         gpu.func @kernel
// CHECK:         scf.for
// CHECK-NEXT:      %[[A:.*]] = arith.mulf %v, %v : f32
// CHECK-NEXT:      %[[B:.*]] = arith.mulf %[[A]], %[[A]] : f32
// CHECK-NEXT:      memref.store %[[B]], %x[%i]

// -----

// Control flow comes along; each call makes arrays and variables of its own. A public function stays.

gpu.module @copies {
  func.func @pick(%p: i1, %a: f32) -> f32 {
    %v = simt.cell : !simt.cell<f32>
    %l = simt.local : memref<4xf32, #gpu.address_space<private>>
    scf.if %p {
      simt.set %a, %v : f32
    }
    %r = simt.get %v : f32
    func.return %r : f32
  }
  gpu.func @kernel(%p: i1, %a: f32) kernel {
    %b = func.call @pick(%p, %a) : (i1, f32) -> f32
    %c = func.call @pick(%p, %b) : (i1, f32) -> f32
    gpux.print "{}" (%c : f32) formats ["f32"]
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @copies
// CHECK:         func.func @pick
// CHECK:         gpu.func @kernel
// CHECK-COUNT-2:   simt.local
// CHECK-NOT:       func.call

// -----

gpu.module @recursive {
  func.func private @f(%a: f32) -> f32 {
    %b = func.call @g(%a) : (f32) -> f32
    func.return %b : f32
  }
  func.func private @g(%a: f32) -> f32 {
    // expected-error @+1 {{recursive call: f -> g -> f}}
    %b = func.call @f(%a) : (f32) -> f32
    func.return %b : f32
  }
}
