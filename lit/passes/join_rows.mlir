// RUN: stepwell opt %s -p 'join-rows' --split-input-file | filecheck %s

// Where rows of both arrays are as long as those of the block, one row has all threads.
func.func @rows(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %by: index, %bx: index, %rows: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %ty = %c0 to %rows step %c1 {
    %i = arith.addi %by, %ty : index
    scf.for %tx = %c0 to %n step %c1 {
      %j = arith.addi %tx, %bx : index
      %k = arith.subi %j, %c1 : index
      %v = memref.load %x[%i, %k] : memref<?x?xf32>
      %w = memref.load %y[%i, %j] : memref<?x?xf32>
      %s = arith.addf %v, %w : f32
      memref.store %s, %y[%i, %j] : memref<?x?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @rows
// CHECK:         %c1 = arith.constant 1 : index
// CHECK-NEXT:    %[[ONE:.*]] = arith.constant 1 : index
// CHECK:         %[[OF_X:.*]] = memref.dim %x, %{{.*}} : memref<?x?xf32>
// CHECK-NEXT:    %[[X:.*]] = arith.cmpi eq, %[[OF_X]], %n
// CHECK:         %[[OF_Y:.*]] = memref.dim %y, %{{.*}} : memref<?x?xf32>
// CHECK-NEXT:    %[[Y:.*]] = arith.cmpi eq, %[[OF_Y]], %n
// CHECK-NEXT:    %[[BOTH:.*]] = arith.andi %[[X]], %[[Y]] : i1
// CHECK-NEXT:    %[[ALL:.*]] = arith.muli %n, %rows : index
// CHECK-NEXT:    %[[MOST:.*]] = arith.select %[[BOTH]], %[[ALL]], %n : index
// CHECK-NEXT:    %[[ONCE:.*]] = arith.select %[[BOTH]], %[[ONE]], %rows : index
// CHECK-NEXT:    scf.for %ty = %c0 to %[[ONCE]] step %c1 {
// CHECK:           scf.for %tx = %c0 to %[[MOST]] step %c1 {

// -----

// Planes follow each other where columns and rows are as long as the block's.
func.func @planes(%x: memref<?x?x?xf32>, %planes: index, %rows: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %tz = %c0 to %planes step %c1 {
    scf.for %ty = %c0 to %rows step %c1 {
      scf.for %tx = %c0 to %n step %c1 {
        memref.store %zero, %x[%tz, %ty, %tx] : memref<?x?x?xf32>
      } {gpux.threads}
    } {gpux.rows}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @planes
// CHECK:         %[[COLUMNS:.*]] = arith.cmpi eq, %{{.*}}, %n
// CHECK-NEXT:    %[[ROW:.*]] = arith.muli %n, %rows
// CHECK-NEXT:    %[[LONG:.*]] = arith.select %[[COLUMNS]], %[[ROW]], %n
// CHECK-NEXT:    %[[FEW:.*]] = arith.select %[[COLUMNS]], %{{.*}}, %rows
// CHECK:         %[[LINES:.*]] = arith.cmpi eq, %{{.*}}, %rows
// CHECK-NEXT:    %[[BOTH:.*]] = arith.andi %[[COLUMNS]], %[[LINES]] : i1
// CHECK-NEXT:    %[[PLANE:.*]] = arith.muli %[[LONG]], %planes
// CHECK-NEXT:    %[[LONGEST:.*]] = arith.select %[[BOTH]], %[[PLANE]], %[[LONG]]
// CHECK-NEXT:    %[[ONCE:.*]] = arith.select %[[BOTH]], %{{.*}}, %planes
// CHECK-NEXT:    scf.for %tz = %c0 to %[[ONCE]] step %c1 {
// CHECK-NEXT:      scf.for %ty = %c0 to %[[FEW]] step %c1 {
// CHECK-NEXT:        scf.for %tx = %c0 to %[[LONGEST]] step %c1 {

// -----

// A column's own value, a transposed access, an id that is stored, rows with gaps, a row that begins
// elsewhere or has a constant length, and a loop of the program's own leave rows as they are.
func.func @left(%x: memref<?x?xf32>, %bias: memref<?xf32>, %rows: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %n step %c1 {
      %v = memref.load %bias[%tx] : memref<?xf32>
      memref.store %v, %x[%ty, %tx] : memref<?x?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @left
// CHECK:         scf.for %ty = %c0 to %rows step %c1 {
// CHECK-NEXT:      scf.for %tx = %c0 to %n step %c1 {

// -----

func.func @transposed(%x: memref<?x?xf32>, %rows: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %n step %c1 {
      memref.store %zero, %x[%tx, %ty] : memref<?x?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @transposed
// CHECK:         scf.for %ty = %c0 to %rows step %c1 {
// CHECK-NEXT:      scf.for %tx = %c0 to %n step %c1 {

// -----

func.func @stored(%x: memref<?x?xindex>, %rows: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %n step %c1 {
      memref.store %tx, %x[%ty, %tx] : memref<?x?xindex>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @stored
// CHECK:         scf.for %ty = %c0 to %rows step %c1 {
// CHECK-NEXT:      scf.for %tx = %c0 to %n step %c1 {

// -----

func.func @gaps(%x: memref<?x?xf32, strided<[?, 1], offset: ?>>, %rows: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %n step %c1 {
      memref.store %zero, %x[%ty, %tx] : memref<?x?xf32, strided<[?, 1], offset: ?>>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @gaps
// CHECK:         scf.for %ty = %c0 to %rows step %c1 {
// CHECK-NEXT:      scf.for %tx = %c0 to %n step %c1 {

// -----

func.func @constant(%x: memref<?x?xf32>, %rows: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %c16 step %c1 {
      memref.store %zero, %x[%ty, %tx] : memref<?x?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @constant
// CHECK:         scf.for %ty = %c0 to %rows step %c1 {
// CHECK-NEXT:      scf.for %tx = %c0 to %c16 step %c1 {

// -----

func.func @from_elsewhere(%x: memref<?x?xf32>, %rows: index, %first: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %first to %n step %c1 {
      memref.store %zero, %x[%ty, %tx] : memref<?x?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @from_elsewhere
// CHECK:         scf.for %ty = %c0 to %rows step %c1 {
// CHECK-NEXT:      scf.for %tx = %first to %n step %c1 {

// -----

func.func @of_the_program(%x: memref<?x?xf32>, %rows: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %row = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %n step %c1 {
      memref.store %zero, %x[%row, %tx] : memref<?x?xf32>
    } {gpux.threads}
  }
  func.return
}
// CHECK-LABEL: func.func @of_the_program
// CHECK:         scf.for %row = %c0 to %rows step %c1 {
// CHECK-NEXT:      scf.for %tx = %c0 to %n step %c1 {
