// RUN: stepwell opt %s -p version-row-lengths --split-input-file | filecheck %s

// Rows of three and of two: with the lengths known in one copy of the loop.

// CHECK-LABEL: func.func @points
// CHECK:         %[[N:.*]] = memref.dim %p, %{{.*}} : memref<?x?xf32>
// CHECK:         %[[THREE:.*]] = arith.constant 3 : index
// CHECK:         %[[A:.*]] = arith.cmpi eq, %[[N]], %[[THREE]] : index
// CHECK:         %[[M:.*]] = memref.dim %q, %{{.*}} : memref<?x?xf32>
// CHECK:         %[[TWO:.*]] = arith.constant 2 : index
// CHECK:         %[[B:.*]] = arith.cmpi eq, %[[M]], %[[TWO]] : index
// CHECK:         %[[BOTH:.*]] = arith.andi %[[A]], %[[B]] : i1
// CHECK:         scf.if %[[BOTH]] {
// CHECK:           %[[P:.*]] = "memref.cast"(%p) : (memref<?x?xf32>) -> memref<?x3xf32>
// CHECK:           %[[Q:.*]] = "memref.cast"(%q) : (memref<?x?xf32>) -> memref<?x2xf32>
// CHECK:           scf.for
// CHECK:             memref.load %[[P]][
// CHECK:             memref.load %[[P]][
// CHECK:             memref.load %line[
// CHECK:             memref.store %{{.*}}, %[[Q]][
// CHECK:             memref.store %{{.*}}, %[[Q]][
// CHECK:           } {gpux.threads}
// CHECK:         } else {
// CHECK:           scf.for
// CHECK:             memref.load %p[
// CHECK:             memref.store %{{.*}}, %q[
// CHECK:           } {gpux.threads}
// CHECK:         }
func.func @points(%p: memref<?x?xf32>, %q: memref<?x?xf32>, %line: memref<?xf32>, %hi: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  scf.for %t = %c0 to %hi step %c1 {
    %x = memref.load %p[%t, %c0] : memref<?x?xf32>
    %z = memref.load %p[%t, %c2] : memref<?x?xf32>
    %s = memref.load %line[%t] : memref<?xf32>
    %u = arith.mulf %x, %s : f32
    memref.store %u, %q[%t, %c1] : memref<?x?xf32>
    memref.store %z, %q[%t, %c0] : memref<?x?xf32>
  } {gpux.threads}
  func.return
}

// -----

// Not: a column alone, longer rows, another index for the last, lengths that are known, a row that
// is not the thread's, a loop that is not over threads, that hardly runs, or has branches.

// CHECK-LABEL: func.func @others
// CHECK-NOT:     scf.if %{{.*}} {
// CHECK-NOT:     memref.cast
// CHECK-LABEL: func.func @branches
// CHECK-NOT:     memref.cast
func.func @others(%p: memref<?x?xf32>, %q: memref<?x3xf32>, %r: memref<?x?xf32, strided<[?, 1]>>, %i: index, %hi: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c5 = arith.constant 5 : index
  %v = arith.constant 1.0 : f32
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %p[%t, %c0] : memref<?x?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %p[%t, %c5] : memref<?x?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %p[%t, %c1] : memref<?x?xf32>
    memref.store %v, %p[%t, %i] : memref<?x?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %q[%t, %c2] : memref<?x3xf32>
    memref.store %v, %r[%t, %c2] : memref<?x?xf32, strided<[?, 1]>>
    memref.store %v, %p[%i, %c2] : memref<?x?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %p[%t, %c2] : memref<?x?xf32>
  }
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %p[%t, %c2] : memref<?x?xf32>
  } {gpux.threads, gpux.cold}
  func.return
}
func.func @branches(%p: memref<?x?xf32>, %on: i1, %hi: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %v = arith.constant 1.0 : f32
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %p[%t, %c1] : memref<?x?xf32>
    scf.if %on {
      memref.store %v, %p[%t, %c0] : memref<?x?xf32>
    }
  } {gpux.threads}
  func.return
}
