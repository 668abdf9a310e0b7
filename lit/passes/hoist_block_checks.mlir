// RUN: stepwell opt %s -p 'hoist-block-checks,canonicalize,cse' --split-input-file | filecheck %s

// The first thread's index and the last one's are below the size: so are all between them.
func.func @tile(%x: memref<?x?xf32>, %tile: memref<32x16xf32>, %row: index, %column: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  scf.for %ty = %c0 to %c32 step %c1 {
    scf.for %tx = %c0 to %c16 step %c1 {
      %four = arith.muli %ty, %c4 : index
      %i = arith.addi %row, %four : index
      %n = memref.dim %x, %c0 : memref<?x?xf32>
      %in = arith.cmpi ult, %i, %n : index
      gpux.check %in, "bounds", "row {}" (%i : index) ids (%c0, %c0, %c0, %tx, %ty, %c0 : index, index, index, index, index, index) formats ["index"]
      %j = arith.subi %column, %tx : index
      %m = memref.dim %x, %c1 : memref<?x?xf32>
      %also = arith.cmpi ult, %j, %m : index
      gpux.check %also, "bounds", "column {}" (%j : index) ids (%c0, %c0, %c0, %tx, %ty, %c0 : index, index, index, index, index, index) formats ["index"]
      %v = memref.load %x[%i, %j] : memref<?x?xf32>
      memref.store %v, %tile[%ty, %tx] : memref<32x16xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @tile
// CHECK:         %[[FIRST:.*]] = arith.cmpi ult, %row, %n
// CHECK:         %[[END:.*]] = arith.addi %row, %{{.*}} : index
// CHECK-NEXT:    %[[LAST:.*]] = arith.cmpi ult, %[[END]], %n
// CHECK:         %[[LEAST:.*]] = arith.subi %column, %{{.*}} : index
// CHECK:         arith.cmpi ult, %[[LEAST]], %m
// CHECK:         arith.cmpi ult, %column, %m
// CHECK:         %[[ROWS:.*]] = arith.andi %[[FIRST]], %[[LAST]] : i1
// CHECK:         scf.if %{{.*}} {
// CHECK-NEXT:      scf.for
// CHECK-NEXT:        scf.for
// CHECK-NOT:           gpux.check
// CHECK:             memref.store
// CHECK:           } {gpux.threads}
// Else a check fails: nothing is gained by vectors, or by optimising it.
// CHECK:         } else {
// CHECK-COUNT-2:       gpux.check
// CHECK:             memref.store
// CHECK-NEXT:      }
// CHECK-NEXT:    } {gpux.rows, gpux.cold, gpux.as_is}

// -----

// One row of threads whose number is known is a nest too: its vectors have no rest.
func.func @row(%x: memref<?xf32>, %y: memref<64xf32>, %base: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  scf.for %tx = %c0 to %c64 step %c1 {
    %i = arith.addi %base, %tx : index
    %n = memref.dim %x, %c0 : memref<?xf32>
    %in = arith.cmpi ult, %i, %n : index
    gpux.check %in, "bounds", "no" ids (%c0, %c0, %c0, %tx, %c0, %c0 : index, index, index, index, index, index) formats []
    %v = memref.load %x[%i] : memref<?xf32>
    memref.store %v, %y[%tx] : memref<64xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @row
// CHECK:         scf.if
// CHECK:         gpux.cold

// -----

// Checks that not all threads make, that are of no constant step or belong to a row of unknown
// length stay where they are.
func.func @others(%x: memref<?xf32>, %y: memref<?xindex>, %base: index, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %zero = arith.constant 0.0 : f32
  scf.for %tx = %c0 to %c64 step %c1 {
    %i = arith.addi %base, %tx : index
    %guard = arith.cmpi slt, %i, %bdim : index
    scf.if %guard {
      %in = arith.cmpi ult, %i, %n : index
      gpux.check %in, "bounds", "guarded" ids (%c0, %c0, %c0, %tx, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%i] : memref<?xf32>
    }
    %square = arith.muli %i, %i : index
    %in2 = arith.cmpi ult, %square, %n : index
    gpux.check %in2, "bounds", "square" ids (%c0, %c0, %c0, %tx, %c0, %c0 : index, index, index, index, index, index) formats []
    memref.store %zero, %x[%square] : memref<?xf32>
  } {gpux.threads}
  scf.for %tx = %c0 to %bdim step %c1 {
    %in = arith.cmpi ult, %tx, %n : index
    gpux.check %in, "bounds", "row" ids (%c0, %c0, %c0, %tx, %c0, %c0 : index, index, index, index, index, index) formats []
    memref.store %zero, %x[%tx] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @others
// CHECK-NOT:     gpux.cold

// -----

// An index may be computed with a thread's id and be the same for all.
func.func @same(%x: memref<?xf32>, %base: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %c4 step %c1 {
    scf.for %tx = %c0 to %c64 step %c1 {
      %a = arith.addi %base, %ty : index
      %b = arith.subi %a, %ty : index
      %in = arith.cmpi ult, %b, %n : index
      gpux.check %in, "bounds", "same" ids (%c0, %c0, %c0, %tx, %ty, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%b] : memref<?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @same
// CHECK:         %[[IN:.*]] = arith.cmpi ult, %base, %n
// CHECK-NEXT:    scf.if %[[IN]] {

// -----

// Rows that lie a number apart which the launch gives: nobody knows in which direction, so that four
// threads are asked.
func.func @pitch(%x: memref<?xf32>, %base: index, %pitch: i32, %rows: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %zero = arith.constant 0.0 : f32
  %apart = arith.index_cast %pitch : i32 to index
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %c64 step %c1 {
      %row = arith.muli %ty, %apart : index
      %first = arith.addi %base, %row : index
      %i = arith.addi %first, %tx : index
      %in = arith.cmpi ult, %i, %n : index
      gpux.check %in, "bounds", "pitch" ids (%c0, %c0, %c0, %tx, %ty, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%i] : memref<?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @pitch
// CHECK-COUNT-4: arith.cmpi ult, %{{.*}}, %n
// CHECK-NOT:     arith.cmpi
// CHECK:         scf.if
// CHECK-NEXT:      scf.for %ty

// -----

// Numbers of 64 bits could take threads once round all there are.
func.func @far(%x: memref<?xf32>, %apart: index, %rows: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %c64 step %c1 {
      %row = arith.muli %ty, %apart : index
      %i = arith.addi %row, %tx : index
      %in = arith.cmpi ult, %i, %n : index
      gpux.check %in, "bounds", "far" ids (%c0, %c0, %c0, %tx, %ty, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%i] : memref<?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @far
// CHECK-NOT:     gpux.cold
