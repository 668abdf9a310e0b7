// RUN: stepwell opt %s -p stream-stores --split-input-file | filecheck %s
// RUN: stepwell opt %s -p 'stream-stores{wanted=false}' --split-input-file | filecheck %s --check-prefix=NONE

// Whole lines from the first element that begins one; what is before and after them is the same
// vector under a mask. An array at an odd address has no such element.

// CHECK-LABEL: func.func @scale
// CHECK-SAME:    gpux.streamed = ["{{.*}}stream_stores.mlir:40"]
// CHECK:         %[[BYTES:.*]] = "memref.extract_aligned_pointer_as_index"(%y)
// CHECK:         %[[ODD:.*]] = arith.andi %[[BYTES]], %{{.*}} : index
// CHECK:         %[[BEGINS:.*]] = arith.cmpi eq, %[[ODD]], %{{.*}} : index
// CHECK:         %[[LANES:.*]] = arith.constant 16 : index
// CHECK:         scf.if %[[BEGINS]] {
// CHECK:           %[[AHEAD:.*]] = arith.minsi
// CHECK:           %[[START:.*]] = arith.addi %lo, %[[AHEAD]]
// CHECK:           %[[END:.*]] = arith.addi %[[START]]
// CHECK:           scf.for %[[T:.*]] = %[[START]] to %[[END]] step %[[LANES]] {
// CHECK:             vector.load %x[%[[T]]] : memref<?xf32>, vector<16xf32>
// CHECK:             vector.store %{{.*}}, %y[%[[T]]] {alignment = 64 : i64, nontemporal = true} : memref<?xf32>, vector<16xf32>
// CHECK:           } {gpux.vectors}
// CHECK:           scf.for %[[N:.*]] = %{{.*}} to %{{.*}} step
// CHECK:             %[[HEAD:.*]] = arith.cmpi eq, %[[N]]
// CHECK:             %[[FIRST:.*]] = arith.select %[[HEAD]], %lo, %[[END]]
// CHECK:             %[[LIMIT:.*]] = arith.select %[[HEAD]], %[[START]], %hi
// CHECK:             %[[LEFT:.*]] = arith.subi %[[LIMIT]], %[[FIRST]]
// CHECK:             %[[MASK:.*]] = vector.create_mask %[[LEFT]] : vector<16xi1>
// CHECK:             vector.maskedload %x[%[[FIRST]]], %[[MASK]]
// CHECK:             vector.maskedstore %y[%[[FIRST]]], %[[MASK]]
// CHECK:         } else {
// CHECK:           scf.for %{{.*}} = %lo to %hi
// CHECK:             memref.store
// CHECK:           } {gpux.cold}
// NONE-LABEL:  func.func @scale
// NONE-NOT:    vector
func.func @scale(%x: memref<?xf32>, %y: memref<?xf32>, %lo: index, %hi: index) attributes {gpux.streams} {
  %c1 = arith.constant 1 : index
  scf.for %t = %lo to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xf32>
    %w = arith.addf %v, %v : f32
    memref.store %w, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}

// -----

// As many lanes as elements are a line, wherever the row is.

// CHECK-LABEL: func.func @row
// CHECK:         memref.dim %y
// CHECK:         vector.store %{{.*}}, %y[%i, %{{.*}}] {alignment = 64 : i64, nontemporal = true} : memref<?x?xf64>, vector<8xf64>
func.func @row(%y: memref<?x?xf64>, %v: f64, %i: index, %hi: index) attributes {gpux.streams} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %y[%i, %t] : memref<?x?xf64>
  } {gpux.threads}
  func.return
}

// -----

// Code for launches of any size has none.

// CHECK-LABEL: func.func @any
// CHECK-NOT:     vector
func.func @any(%y: memref<?xf32>, %v: f32, %hi: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}

// -----

// Lines that are read are in the cache; of two stores only one could begin with a line; a row may be
// short, may have gaps, or be of bytes; control flow is left alone.

// CHECK-LABEL: func.func @others
// CHECK-NOT:     vector
func.func @others(%y: memref<?xf32>, %z: memref<?xf32>, %gaps: memref<?xf32, strided<[?]>>, %bytes: memref<?xi8>, %v: f32, %b: i8, %on: i1, %hi: index) attributes {gpux.streams} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  scf.for %t = %c0 to %hi step %c1 {
    %old = memref.load %y[%t] : memref<?xf32>
    %new = arith.addf %old, %v : f32
    memref.store %new, %y[%t] : memref<?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %y[%t] : memref<?xf32>
    memref.store %v, %z[%t] : memref<?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %c64 step %c1 {
    memref.store %v, %y[%t] : memref<?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %gaps[%t] : memref<?xf32, strided<[?]>>
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %b, %bytes[%t] : memref<?xi8>
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    scf.if %on {
      memref.store %v, %y[%t] : memref<?xf32>
    }
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %y[%t] : memref<?xf32>
  } {gpux.cold}
  func.return
}

// -----

// What loads gather, or computes for long, does not wait for the store.

// CHECK-LABEL: func.func @busy
// CHECK-NOT:     vector
func.func @busy(%x: memref<?xf32>, %at: memref<?xindex>, %y: memref<?xf32>, %hi: index) attributes {gpux.streams} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    %i = memref.load %at[%t] : memref<?xindex>
    %v = memref.load %x[%i] : memref<?xf32>
    memref.store %v, %y[%t] : memref<?xf32>
  } {gpux.threads}
  scf.for %t = %c0 to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xf32>
    %a = math.log %v : f32
    %b = math.exp %a : f32
    memref.store %b, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}

// -----

// An atomic could tell others of what was stored and is not there yet.

// CHECK-LABEL: func.func @atomic
// CHECK-NOT:     vector
func.func @atomic(%y: memref<?xf32>, %flag: memref<1xi32>, %v: f32, %hi: index) attributes {gpux.streams} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1 : i32
  scf.for %t = %c0 to %hi step %c1 {
    memref.store %v, %y[%t] : memref<?xf32>
  } {gpux.threads}
  %old = gpux.atomic_rmw "exchange" %one, %flag[%c0] order "release" scope "device" : i32, memref<1xi32>
  func.return
}
