// RUN: stepwell opt %s -p 'peel-partial-vectors{bits=512}' --split-input-file | filecheck %s
// RUN: stepwell opt %s -p 'peel-partial-vectors' --split-input-file | filecheck %s --check-prefix=NONE

// Two vectors of 16 elements at once, from 0 on; the other threads after them, as they were.
func.func @saxpy(%x: memref<?xf32>, %y: memref<?xf32>, %lo: index, %hi: index) {
  %c1 = arith.constant 1 : index
  scf.for %t = %lo to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xf32>
    memref.store %v, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @saxpy
// CHECK:         %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-NEXT:    %[[LEFT:.*]] = arith.subi %hi, %lo
// CHECK-NEXT:    %[[BITS:.*]] = arith.constant 5 : index
// CHECK-NEXT:    %[[SOME:.*]] = arith.shrsi %[[LEFT]], %[[BITS]]
// CHECK-NEXT:    %[[VECTORS:.*]] = arith.maxsi %[[SOME]], %[[ZERO]]
// CHECK-NEXT:    %[[WHOLE:.*]] = arith.shli %[[VECTORS]], %[[BITS]]
// CHECK-NEXT:    scf.for %[[K:.*]] = %[[ZERO]] to %[[WHOLE]] step %c1 {
// CHECK-NEXT:      %[[T:.*]] = arith.addi %lo, %[[K]]
// CHECK-NEXT:      %[[V:.*]] = memref.load %x[%[[T]]]
// CHECK-NEXT:      memref.store %[[V]], %y[%[[T]]]
// CHECK-NEXT:    } {gpux.threads, gpux.interleave = 2 : i64}
// CHECK-NEXT:    %[[REST:.*]] = arith.addi %lo, %[[WHOLE]]
// CHECK-NEXT:    scf.for %[[T:.*]] = %[[REST]] to %hi step %c1 {
// CHECK-NEXT:      memref.load %x[%[[T]]]
// CHECK-NEXT:      memref.store
// CHECK-NEXT:    } {gpux.threads}
// NONE-LABEL:  func.func @saxpy
// NONE:          scf.for %t = %lo to %hi
// NONE-NOT:      scf.for
// NONE:          func.return

// -----

// From 0 on it is what the end is at least that is left out: shifts of a number that is not negative
// are a mask to LLVM.
func.func @from_zero(%x: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  %hi = arith.maxsi %n, %c0 : index
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %one, %x[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @from_zero
// CHECK:         %[[BITS:.*]] = arith.constant 5 : index
// CHECK-NEXT:    arith.shrsi %n, %[[BITS]]
// CHECK:         scf.for
// CHECK:         scf.for %{{.*}} = %{{.*}} to %hi

// -----

// Not so behind another beginning: %n may be so far below it that the difference wraps.
func.func @from_one(%x: memref<?xf32>, %n: index) {
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  %hi = arith.maxsi %n, %c1 : index
  scf.for %t = %c1 to %hi step %c1 {
    memref.store %one, %x[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @from_one
// CHECK:         %[[LEFT:.*]] = arith.subi %hi, %c1
// CHECK:         arith.shrsi %[[LEFT]],

// -----

// The widest element says how many are in a vector.
func.func @widest(%x: memref<?xi8>, %y: memref<?xf64>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %n step %c1 {
    %v = memref.load %x[%t] : memref<?xi8>
    %f = arith.sitofp %v : i8 to f64
    memref.store %f, %y[%t] : memref<?xf64>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @widest
// CHECK:         arith.constant 4 : index
// CHECK:         scf.for
// CHECK:         scf.for

// -----

// LLVM does not vectorise control flow, atomics and checks, and there is nothing to gain.
func.func @others(%x: memref<?xi32>, %n: index, %on: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1 : i32
  scf.for %t = %c0 to %n step %c1 {
    scf.if %on {
      memref.store %one, %x[%t] : memref<?xi32>
    }
  } {gpux.threads}
  scf.for %t = %c0 to %n step %c1 {
    memref.store %one, %x[%t] : memref<?xi32>
    %old = gpux.atomic_rmw "add" %one, %x[%c0] order "relaxed" scope "device" : i32, memref<?xi32>
  } {gpux.threads}
  scf.for %t = %c0 to %n step %c1 {
    %own = memref.alloca() {gpux.private} : memref<4xi32>
    memref.store %one, %own[%c0] : memref<4xi32>
    memref.store %one, %x[%t] : memref<?xi32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @others
// CHECK-NOT:     gpux.interleave
// CHECK:         func.return

// -----

// A loop that is not over threads may carry values from one iteration to the next.
func.func @one_by_one(%x: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %n step %c1 {
    memref.store %zero, %x[%t] : memref<?xf32>
  }
  func.return
}
// CHECK-LABEL: func.func @one_by_one
// CHECK-NOT:     gpux.interleave
// CHECK:         func.return

// -----

// Blocks of few threads: as many at once as there can be, none before the rest if it is all of them.
func.func @short(%x: memref<?xf32>, %a: index, %b: index, %p: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %one = arith.constant 1.0 : f32
  %lo = arith.maxsi %a, %c0 : index
  %some = arith.minsi %b, %c16 : index
  %hi = arith.select %p, %some, %c8 : index
  scf.for %t = %lo to %hi step %c1 {
    memref.store %one, %x[%t] : memref<?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %c8 step %c1 {
    memref.store %one, %x[%t] : memref<?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %c16 step %c1 {
    memref.store %one, %x[%t] : memref<?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %c64 step %c1 {
    memref.store %one, %x[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @short
// CHECK:         arith.constant 4 : index
// CHECK:         } {gpux.threads, gpux.interleave = 1 : i64}
// CHECK:         scf.for %{{.*}} = %{{.*}} to %hi
// CHECK:         } {gpux.threads}
// CHECK-NEXT:    scf.for %{{.*}} = %c0 to %c8
// CHECK:         } {gpux.threads}
// CHECK-NEXT:    scf.for %{{.*}} = %c0 to %c16
// CHECK:         } {gpux.threads, gpux.interleave = 1 : i64}
// CHECK-NEXT:    scf.for %{{.*}} = %c0 to %c64
// CHECK:         } {gpux.threads, gpux.interleave = 2 : i64}
// CHECK-NEXT:    func.return

// -----

// With many accesses the vectors begin where the store is aligned; the masked loop runs before them
// and after them. The row's place is computed before the loop, as the store does inside.
func.func @aligned(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %i: index, %base: index, %lo: index, %hi: index) {
  %c1 = arith.constant 1 : index
  scf.for %t = %lo to %hi step %c1 {
    %j = arith.addi %base, %t : index
    %k = arith.addi %j, %c1 : index
    %row = arith.addi %i, %c1 : index
    %a = memref.load %x[%i, %j] : memref<?x?xf32>
    %b = memref.load %x[%i, %k] : memref<?x?xf32>
    %c = memref.load %x[%row, %j] : memref<?x?xf32>
    %d = arith.addf %a, %b : f32
    %e = arith.addf %c, %d : f32
    memref.store %e, %y[%row, %j] : memref<?x?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @aligned
// CHECK:         %[[COUNT:.*]] = arith.subi %hi, %lo
// CHECK:         %[[ADDRESS:.*]] = "memref.extract_aligned_pointer_as_index"(%y)
// CHECK:         %[[FIRST:.*]] = arith.shrui %[[ADDRESS]], %{{.*}} : index
// CHECK-NEXT:    %[[ROW:.*]] = arith.addi %i, %c1
// CHECK:         %[[WIDTH:.*]] = memref.dim %y, %{{.*}}
// CHECK-NEXT:    %[[ROWS:.*]] = arith.muli %[[ROW]], %[[WIDTH]]
// CHECK-NEXT:    %[[COLUMN:.*]] = arith.addi %base, %lo
// CHECK-NEXT:    %[[OFFSET:.*]] = arith.addi %[[ROWS]], %[[COLUMN]]
// CHECK-NEXT:    %[[PLACE:.*]] = arith.addi %[[FIRST]], %[[OFFSET]]
// CHECK-NEXT:    %[[MASK:.*]] = arith.constant 15 : index
// CHECK-NEXT:    %[[NEGATED:.*]] = arith.subi %{{.*}}, %[[PLACE]]
// CHECK-NEXT:    %[[AHEAD:.*]] = arith.andi %[[NEGATED]], %[[MASK]]
// CHECK-NEXT:    %[[LAST:.*]] = arith.maxsi %hi, %lo
// CHECK-NEXT:    %[[FIRST:.*]] = arith.addi %lo, %[[AHEAD]]
// CHECK-NEXT:    %[[START:.*]] = arith.minsi %[[FIRST]], %[[LAST]]
// CHECK-NEXT:    %[[LEFT:.*]] = arith.subi %[[COUNT]], %[[AHEAD]]
// CHECK:         arith.shrsi %[[LEFT]],
// CHECK:         scf.for
// CHECK:           arith.addi %[[START]],
// CHECK:         } {gpux.threads, gpux.interleave = 2 : i64}
// CHECK-NEXT:    %[[END:.*]] = arith.addi %[[START]],
// CHECK:         scf.for %[[PART:.*]] =
// CHECK:           arith.select %{{.*}}, %lo, %[[END]]
// CHECK-NEXT:      arith.select %{{.*}}, %[[START]], %hi
// CHECK-NEXT:      scf.for
// CHECK:           } {gpux.threads}
// CHECK:         } {gpux.unroll = 1 : i64}

// -----

// Threads that follow each other do not store side by side.
func.func @apart(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %i: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %n step %c1 {
    %a = memref.load %x[%i, %t] : memref<?x?xf32>
    %b = memref.load %x[%c0, %t] : memref<?x?xf32>
    %c = memref.load %x[%c1, %t] : memref<?x?xf32>
    %d = arith.addf %a, %b : f32
    %e = arith.addf %c, %d : f32
    memref.store %e, %y[%t, %i] : memref<?x?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @apart
// CHECK-NOT:     memref.extract_aligned_pointer_as_index
// CHECK:         func.return

// -----

// A division is not done before a loop that may not run at all.
func.func @divided(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %i: index, %k: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %n step %c1 {
    %row = arith.divsi %i, %k : index
    %a = memref.load %x[%i, %t] : memref<?x?xf32>
    %b = memref.load %x[%c0, %t] : memref<?x?xf32>
    %c = memref.load %x[%c1, %t] : memref<?x?xf32>
    %d = arith.addf %a, %b : f32
    %e = arith.addf %c, %d : f32
    memref.store %e, %y[%row, %t] : memref<?x?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @divided
// CHECK-NOT:     memref.extract_aligned_pointer_as_index
// CHECK:         scf.for
// CHECK:           arith.divsi
