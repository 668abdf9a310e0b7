// RUN: stepwell opt %s -p hoist-uniform-loads --split-input-file | filecheck %s

// Loads at places that do not depend on the thread, with what computes them, if any thread comes.
func.func @hoisted(%w: memref<?x?xf32>, %x: memref<?xf32>, %out: memref<?xf32>, %lo: index, %hi: index, %n: index) {
  %c1 = arith.constant 1 : index
  scf.for %t = %lo to %hi step %c1 {
    %x0 = memref.load %x[%t] : memref<?xf32>
    %k = arith.addi %n, %c1 : index
    %u = arith.addi %t, %c1 : index
    %w0 = memref.load %w[%n, %k] : memref<?x?xf32>
    %i = arith.fptosi %w0 : f32 to i32
    %j = arith.index_cast %i : i32 to index
    %w1 = memref.load %w[%j, %k] : memref<?x?xf32>
    %a = arith.mulf %x0, %w0 : f32
    %b = arith.mulf %a, %w1 : f32
    memref.store %b, %out[%u] : memref<?xf32>
    %w2 = memref.load %w[%n, %n] : memref<?x?xf32>
    memref.store %w2, %out[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @hoisted
// CHECK:         %[[ANY:.*]] = arith.cmpi slt, %lo, %hi : index
// CHECK-NEXT:    scf.if %[[ANY]] {
// CHECK-NEXT:      %k = arith.addi %n, %c1 : index
// CHECK-NEXT:      %w0 = memref.load %w[%n, %k]
// CHECK-NEXT:      %i = arith.fptosi %w0
// CHECK-NEXT:      %j = arith.index_cast %i
// CHECK-NEXT:      %w1 = memref.load %w[%j, %k]
// CHECK-NEXT:      scf.for %t = %lo to %hi step %c1 {
// CHECK-NEXT:        %x0 = memref.load %x[%t]
// CHECK-NEXT:        %u = arith.addi %t, %c1 : index
// CHECK:             memref.store
// CHECK-NEXT:        %w2 = memref.load %w[%n, %n]
// CHECK:           } {gpux.threads}
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

// -----

// No question where there are threads for certain; code without effects may stand before a load.
func.func @known(%w: memref<?xf32>, %x: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %c8 step %c1 {
    %s = scf.for %k = %c0 to %n step %c1 iter_args(%old = %zero) -> (f32) {
      %v = memref.load %x[%k] : memref<?xf32>
      %new = arith.addf %old, %v : f32
      scf.yield %new : f32
    }
    %w0 = memref.load %w[%c1] : memref<?xf32>
    %a = arith.mulf %s, %w0 : f32
    memref.store %a, %x[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @known
// CHECK-NOT:     scf.if
// CHECK:         %w0 = memref.load %w[%c1]
// CHECK-NEXT:    scf.for %t = %c0 to %c8 step %c1 {
// CHECK-NEXT:      scf.for

// -----

// Loads stay that only some threads reach or that come after an effect, those of a thread's own
// array, and those of loops that are not over threads.
func.func @kept(%w: memref<?xf32>, %x: memref<?xf32>, %n: index, %b: index, %p: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %l = memref.alloca() {gpux.private} : memref<2xf32>
  scf.for %t = %c0 to %n step %c1 {
    %own = memref.load %l[%c1] : memref<2xf32>
    scf.if %p {
      %some = memref.load %w[%c0] : memref<?xf32>
      memref.store %some, %x[%t] : memref<?xf32>
    }
    %behind = memref.load %w[%c1] : memref<?xf32>
    memref.store %behind, %x[%t] : memref<?xf32>
    memref.store %own, %x[%t] : memref<?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %n step %c1 {
    gpux.check %p, "bounds", "index {}" (%t : index) ids (%b, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats ["index"] site 0
    %checked = memref.load %w[%c0] : memref<?xf32>
    memref.store %checked, %x[%t] : memref<?xf32>
  } {gpux.threads}
  scf.for %i = %c0 to %n step %c1 {
    %plain = memref.load %w[%c0] : memref<?xf32>
    memref.store %plain, %x[%i] : memref<?xf32>
  }
  func.return
}
// CHECK-LABEL: func.func @kept
// CHECK:         scf.for
// CHECK-NEXT:      %own = memref.load
// CHECK-NEXT:      scf.if %p {
// CHECK-NEXT:        %some = memref.load
// CHECK:           %behind = memref.load
// CHECK:         scf.for
// CHECK-NEXT:      gpux.check
// CHECK-NEXT:      %checked = memref.load
// CHECK:         scf.for
// CHECK-NEXT:      %plain = memref.load
