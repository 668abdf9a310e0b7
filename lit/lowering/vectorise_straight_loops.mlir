// RUN: stepwell opt %s -p 'vectorise-subgroups{width=16}' --split-input-file | filecheck %s
// RUN: stepwell opt %s -p 'vectorise-subgroups{width=16 masks=false}' --split-input-file | filecheck %s --check-prefix=NONE

// Two vectors of 16 elements in turn, the other threads after them in single ones under masks.
// Without masks LLVM's vectoriser does it.
func.func @saxpy(%x: memref<?xf32>, %y: memref<?xf32>, %lo: index, %hi: index) {
  %c1 = arith.constant 1 : index
  scf.for %t = %lo to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xf32>
    memref.store %v, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @saxpy
// CHECK:         %[[LAST:.*]] = arith.maxsi %hi, %lo
// CHECK-NEXT:    %[[LEFT:.*]] = arith.subi %[[LAST]], %lo
// CHECK:         %[[COVERED:.*]] = arith.andi %[[LEFT]], %{{.*}}
// CHECK-NEXT:    %[[END:.*]] = arith.addi %lo, %[[COVERED]]
// CHECK:         %[[STEP:.*]] = arith.constant 32 : index
// CHECK-NEXT:    scf.for %[[T:.*]] = %lo to %[[END]] step %[[STEP]] {
// CHECK-NEXT:      %[[V:.*]] = vector.load %x[%[[T]]] : memref<?xf32>, vector<16xf32>
// CHECK-NEXT:      vector.store %[[V]], %y[%[[T]]]
// CHECK-NEXT:      %[[U:.*]] = arith.addi %[[T]], %{{.*}} : index
// CHECK-NEXT:      %[[V:.*]] = vector.load %x[%[[U]]] : memref<?xf32>, vector<16xf32>
// CHECK-NEXT:      vector.store %[[V]], %y[%[[U]]]
// CHECK-NEXT:    } {gpux.vectors}
// CHECK:         scf.for %[[T:.*]] = %[[END]] to %hi step %{{.*}} {
// CHECK-NEXT:      %[[LEFT:.*]] = arith.subi %hi, %[[T]]
// CHECK-NEXT:      %[[ON:.*]] = vector.create_mask %[[LEFT]] : vector<16xi1>
// CHECK-NEXT:      %[[V:.*]] = vector.maskedload %x[%[[T]]], %[[ON]]
// CHECK-NEXT:      vector.maskedstore %y[%[[T]]], %[[ON]], %[[V]]
// CHECK-NEXT:    } {gpux.vectors}
// NONE-LABEL:  func.func @saxpy
// NONE:          scf.for %t = %lo to %hi
// NONE-NOT:      vector
// NONE:          } {gpux.threads}
// NONE:          func.return

// -----

// Where memory is not what takes time, two vectors at once. Each register of theirs has a store.
func.func @computes(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %n step %c1 {
    %v = memref.load %x[%t] : memref<?xf32>
    %a = math.exp %v : f32
    %b = math.exp %a : f32
    memref.store %b, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @computes
// CHECK:         scf.for %[[T:.*]] = %c0 to
// CHECK-NEXT:      %[[V:.*]] = vector.load %x[%[[T]]] : memref<?xf32>, vector<32xf32>
// CHECK-NEXT:      %[[A:.*]] = math.exp %[[V]] : vector<32xf32>
// CHECK-NEXT:      %[[B:.*]] = math.exp %[[A]] : vector<32xf32>
// CHECK-NEXT:      %[[LOW:.*]] = vector.shuffle %[[B]], %[[B]] [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] :
// CHECK-NEXT:      vector.store %[[LOW]], %y[%[[T]]] : memref<?xf32>, vector<16xf32>
// CHECK-NEXT:      %[[HIGH:.*]] = vector.shuffle %[[B]], %[[B]] [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31] :
// CHECK-NEXT:      %[[U:.*]] = arith.addi %[[T]], %{{.*}} : index
// CHECK-NEXT:      vector.store %[[HIGH]], %y[%[[U]]] : memref<?xf32>, vector<16xf32>
// CHECK-NEXT:    } {gpux.vectors}

// -----

// The widest value that differs by lane says how many are in a vector.
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
// CHECK:         scf.for
// CHECK:           arith.sitofp %{{.*}} : vector<8xi8> to vector<8xf64>
// CHECK:           arith.sitofp %{{.*}} : vector<8xi8> to vector<8xf64>
// CHECK-NOT:       vector.create_mask
// CHECK:         } {gpux.vectors}
// CHECK:         arith.sitofp %{{.*}} : vector<8xi8> to vector<8xf64>

// -----

// Vectors of 64 bytes; 64 lanes are the most.
func.func @bytes(%x: memref<?xi8>, %y: memref<?xi8>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %n step %c1 {
    %v = memref.load %x[%t] : memref<?xi8>
    memref.store %v, %y[%t] : memref<?xi8>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @bytes
// CHECK:         vector.load %{{.*}} : memref<?xi8>, vector<64xi8>
// CHECK:         vector.maskedload %{{.*}} vector<64xi1>

// -----

// Left as they are: atomics, arrays of a thread's own, elements that lie apart, divisions by what is
// no constant, and loops that are not over threads.
func.func @others(%x: memref<?xi32>, %n: index, %d: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %one = arith.constant 1 : i32
  scf.for %t = %c0 to %n step %c1 {
    memref.store %one, %x[%t] : memref<?xi32>
    %old = gpux.atomic_rmw "add" %one, %x[%c0] order "relaxed" scope "device" : i32, memref<?xi32>
  } {gpux.threads}
  scf.for %t = %c0 to %n step %c1 {
    %own = memref.alloca() {gpux.private} : memref<4xi32>
    memref.store %one, %own[%c0] : memref<4xi32>
    memref.store %one, %x[%t] : memref<?xi32>
  } {gpux.threads}
  scf.for %t = %c0 to %n step %c1 {
    %i = arith.muli %t, %c2 : index
    memref.store %one, %x[%i] : memref<?xi32>
  } {gpux.threads}
  scf.for %t = %c0 to %n step %c1 {
    %v = memref.load %x[%t] : memref<?xi32>
    %q = arith.divsi %v, %d : i32
    memref.store %q, %x[%t] : memref<?xi32>
  } {gpux.threads}
  scf.for %t = %c0 to %n step %c1 {
    memref.store %one, %x[%t] : memref<?xi32>
  }
  func.return
}
// CHECK-LABEL: func.func @others
// CHECK-NOT:     vector
// CHECK:         func.return

// -----

// Blocks of few threads: as many at once as there can be; fewer than a vector has lanes stay a loop.
func.func @short(%x: memref<?xf32>, %a: index, %b: index, %p: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %one = arith.constant 1.0 : f32
  %v = memref.load %x[%c0] : memref<?xf32>
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
// CHECK:         vector.store %{{.*}} : memref<?xf32>, vector<16xf32>
// CHECK:         vector.maskedstore %{{.*}} : memref<?xf32>, vector<16xi1>, vector<16xf32>
// CHECK:         scf.for %{{.*}} = %c0 to %c8
// CHECK-NEXT:      memref.store
// CHECK-NEXT:    } {gpux.threads}
// CHECK:         scf.for %{{.*}} = %c0 to %c16
// CHECK-NEXT:      vector.store %{{.*}} : memref<?xf32>, vector<16xf32>
// CHECK-NEXT:    } {gpux.vectors}
// CHECK:         scf.for %{{.*}} = %c0 to %c64
// CHECK-NEXT:      vector.store %{{.*}} : memref<?xf32>, vector<16xf32>
// CHECK-NEXT:      arith.addi
// CHECK-NEXT:      vector.store %{{.*}} : memref<?xf32>, vector<16xf32>
// CHECK-NEXT:    } {gpux.vectors}
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
// CHECK:         %[[ADDRESS:.*]] = "memref.extract_aligned_pointer_as_index"(%y)
// CHECK:         %[[FIRST:.*]] = arith.shrui %[[ADDRESS]], %{{.*}} : index
// CHECK-NEXT:    %[[ROW:.*]] = arith.addi %i, %c1
// CHECK:         %[[WIDTH:.*]] = memref.dim %y, %{{.*}}
// CHECK-NEXT:    %[[ROWS:.*]] = arith.muli %[[ROW]], %[[WIDTH]]
// CHECK-NEXT:    %[[COLUMN:.*]] = arith.addi %base, %lo
// CHECK-NEXT:    %[[OFFSET:.*]] = arith.addi %[[ROWS]], %[[COLUMN]]
// CHECK-NEXT:    %[[PLACE:.*]] = arith.addi %[[FIRST]], %[[OFFSET]]
// CHECK:         %[[NEGATED:.*]] = arith.subi %{{.*}}, %[[PLACE]]
// CHECK-NEXT:    %[[MASK:.*]] = arith.constant 15 : index
// CHECK-NEXT:    %[[ANY:.*]] = arith.andi %[[NEGATED]], %[[MASK]]
// CHECK-NEXT:    %[[LAST:.*]] = arith.maxsi %hi, %lo
// CHECK-NEXT:    %[[MOST:.*]] = arith.subi %[[LAST]], %lo
// CHECK-NEXT:    %[[AHEAD:.*]] = arith.minsi %[[ANY]], %[[MOST]]
// CHECK-NEXT:    %[[START:.*]] = arith.addi %lo, %[[AHEAD]]
// CHECK-NEXT:    %[[LAST:.*]] = arith.maxsi %hi, %[[START]]
// CHECK-NEXT:    %[[LEFT:.*]] = arith.subi %[[LAST]], %[[START]]
// CHECK:         %[[END:.*]] = arith.addi %[[START]],
// CHECK:         scf.for %{{.*}} = %[[START]] to %[[END]]
// CHECK:           vector.store
// CHECK:         } {gpux.vectors}
// CHECK:         scf.for %[[PART:.*]] =
// CHECK:           %[[LOW:.*]] = arith.select %{{.*}}, %lo, %[[END]]
// CHECK-NEXT:      %[[HIGH:.*]] = arith.select %{{.*}}, %[[START]], %hi
// CHECK-NEXT:      scf.for %{{.*}} = %[[LOW]] to %[[HIGH]]
// CHECK:             vector.maskedstore
// CHECK:           } {gpux.vectors}
// CHECK:         } {gpux.unroll = 1 : i64}

// -----

// For each row of a block that is done with one access more.
func.func @rows(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %rows: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %rows step %c1 {
    scf.for %t = %c0 to %n step %c1 {
      %a = memref.load %x[%i, %t] : memref<?x?xf32>
      %b = memref.load %x[%c0, %t] : memref<?x?xf32>
      %c = arith.addf %a, %b : f32
      memref.store %c, %y[%i, %t] : memref<?x?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @rows
// CHECK-NOT:     memref.extract_aligned_pointer_as_index
// CHECK:         vector.maskedstore
// CHECK-NOT:     memref.extract_aligned_pointer_as_index
// CHECK:         func.return

// -----

// In a loop over all threads it is worth it for three.
func.func @no_rows(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %n step %c1 {
    %a = memref.load %x[%t] : memref<?xf32>
    %b = memref.load %y[%t] : memref<?xf32>
    %c = arith.addf %a, %b : f32
    memref.store %c, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @no_rows
// CHECK:         memref.extract_aligned_pointer_as_index
// CHECK:         vector.maskedstore

// -----

// Threads that follow each other do not store side by side: all store to one place.
func.func @one_place(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %i: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %n step %c1 {
    %a = memref.load %x[%i, %t] : memref<?x?xf32>
    %b = memref.load %x[%c0, %t] : memref<?x?xf32>
    %c = memref.load %x[%c1, %t] : memref<?x?xf32>
    %d = arith.addf %a, %b : f32
    %e = arith.addf %c, %d : f32
    memref.store %e, %y[%c0, %i] : memref<?x?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @one_place
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

// -----

// Two vectors of so many values find no registers.
func.func @many_values(%x: memref<16x?xf32>, %y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %c6 = arith.constant 6 : index
  %c7 = arith.constant 7 : index
  %c8 = arith.constant 8 : index
  %c9 = arith.constant 9 : index
  %c10 = arith.constant 10 : index
  %c11 = arith.constant 11 : index
  %c12 = arith.constant 12 : index
  %c13 = arith.constant 13 : index
  %c14 = arith.constant 14 : index
  %c15 = arith.constant 15 : index
  scf.for %t = %c0 to %n step %c1 {
    %v0 = memref.load %x[%c0, %t] : memref<16x?xf32>
    %v1 = memref.load %x[%c1, %t] : memref<16x?xf32>
    %v2 = memref.load %x[%c2, %t] : memref<16x?xf32>
    %v3 = memref.load %x[%c3, %t] : memref<16x?xf32>
    %v4 = memref.load %x[%c4, %t] : memref<16x?xf32>
    %v5 = memref.load %x[%c5, %t] : memref<16x?xf32>
    %v6 = memref.load %x[%c6, %t] : memref<16x?xf32>
    %v7 = memref.load %x[%c7, %t] : memref<16x?xf32>
    %v8 = memref.load %x[%c8, %t] : memref<16x?xf32>
    %v9 = memref.load %x[%c9, %t] : memref<16x?xf32>
    %v10 = memref.load %x[%c10, %t] : memref<16x?xf32>
    %v11 = memref.load %x[%c11, %t] : memref<16x?xf32>
    %v12 = memref.load %x[%c12, %t] : memref<16x?xf32>
    %v13 = memref.load %x[%c13, %t] : memref<16x?xf32>
    %v14 = memref.load %x[%c14, %t] : memref<16x?xf32>
    %v15 = memref.load %x[%c15, %t] : memref<16x?xf32>
    %s1 = arith.addf %v0, %v1 : f32
    %s2 = arith.addf %s1, %v2 : f32
    %s3 = arith.addf %s2, %v3 : f32
    %s4 = arith.addf %s3, %v4 : f32
    %s5 = arith.addf %s4, %v5 : f32
    %s6 = arith.addf %s5, %v6 : f32
    %s7 = arith.addf %s6, %v7 : f32
    %s8 = arith.addf %s7, %v8 : f32
    %s9 = arith.addf %s8, %v9 : f32
    %s10 = arith.addf %s9, %v10 : f32
    %s11 = arith.addf %s10, %v11 : f32
    %s12 = arith.addf %s11, %v12 : f32
    %s13 = arith.addf %s12, %v13 : f32
    %s14 = arith.addf %s13, %v14 : f32
    %s15 = arith.addf %s14, %v15 : f32
    memref.store %s15, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @many_values
// CHECK-NOT:     vector<32xf32>
// CHECK:         vector.store %{{.*}} : memref<?xf32>, vector<16xf32>
// CHECK:         vector.maskedstore %{{.*}} : memref<?xf32>, vector<16xi1>, vector<16xf32>
// CHECK-NOT:     vector<32xf32>
// CHECK:         func.return
