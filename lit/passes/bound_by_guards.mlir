// RUN: stepwell opt %s -p 'bound-by-guards' --split-input-file | filecheck %s

// Each part of the guard says for which rows or columns it holds.
func.func @rows_and_columns(%x: memref<?x?xf32>, %by: index, %bx: index, %rows: index, %width: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %width step %c1 {
      %i = arith.addi %by, %ty : index
      %j = arith.addi %bx, %tx : index
      %n = memref.dim %x, %c0 : memref<?x?xf32>
      %m = memref.dim %x, %c1 : memref<?x?xf32>
      %a = arith.cmpi slt, %i, %n : index
      %b = arith.cmpi slt, %j, %m : index
      %c = arith.cmpi sgt, %j, %c0 : index
      %ab = arith.andi %a, %b : i1
      %in = arith.andi %ab, %c : i1
      scf.if %in {
        memref.store %zero, %x[%i, %j] : memref<?x?xf32>
      }
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @rows_and_columns
// CHECK:         %[[BEFORE:.*]] = arith.subi %{{.*}}, %bx : index
// CHECK-NEXT:    %[[FIRST:.*]] = arith.maxsi %[[BEFORE]], %c0 : index
// CHECK-NEXT:    %[[COLUMNS:.*]] = arith.subi %{{.*}}, %bx : index
// CHECK-NEXT:    %[[LAST:.*]] = arith.minsi %width, %[[COLUMNS]] : index
// CHECK-NEXT:    %[[END:.*]] = arith.maxsi %[[LAST]], %[[FIRST]] : index
// CHECK-NEXT:    %[[BELOW:.*]] = arith.subi %{{.*}}, %by : index
// CHECK-NEXT:    %[[ROWS:.*]] = arith.minsi %rows, %[[BELOW]] : index
// CHECK-NEXT:    %[[LOWEST:.*]] = arith.maxsi %[[ROWS]], %c0 : index
// CHECK-NEXT:    scf.for %ty = %c0 to %[[LOWEST]] step %c1 {
// CHECK-NEXT:      scf.for %tx = %[[FIRST]] to %[[END]] step %c1 {
// CHECK-NOT:         scf.if
// CHECK:             memref.store

// -----

// What is the same for all threads decides whether any of them runs.
func.func @whether(%x: memref<?x?xf32>, %on: i1, %rows: index, %width: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %width step %c1 {
      scf.if %on {
        memref.store %zero, %x[%ty, %tx] : memref<?x?xf32>
      }
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @whether
// CHECK:         %[[END:.*]] = arith.select %on, %{{.*}}, %c0 : index
// CHECK-NOT:     scf.if

// -----

// A comparison of one id with another has no such bounds, and what stands beside a guard runs always.
func.func @triangle(%x: memref<?x?xf32>, %rows: index, %width: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %width step %c1 {
      %below = arith.cmpi slt, %tx, %ty : index
      scf.if %below {
        memref.store %zero, %x[%ty, %tx] : memref<?x?xf32>
      }
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @triangle
// CHECK:         scf.for %ty = %c0 to %rows step %c1 {
// CHECK-NEXT:      scf.for %tx = %c0 to %width step %c1 {
// CHECK:             scf.if

// -----

func.func @beside(%x: memref<?x?xf32>, %rows: index, %width: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %width step %c1 {
      %below = arith.cmpi slt, %tx, %n : index
      scf.if %below {
        memref.store %zero, %x[%ty, %tx] : memref<?x?xf32>
      }
      memref.store %zero, %x[%tx, %ty] : memref<?x?xf32>
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @beside
// CHECK:         scf.for %ty = %c0 to %rows step %c1 {
// CHECK-NEXT:      scf.for %tx = %c0 to %width step %c1 {
// CHECK:             scf.if

// -----

// One row of threads in which nothing is checked.
func.func @row(%x: memref<?xf32>, %width: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %tx = %c0 to %width step %c1 {
    %below = arith.cmpi slt, %tx, %n : index
    scf.if %below {
      memref.store %zero, %x[%tx] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @row
// CHECK:         %[[LAST:.*]] = arith.minsi %width, %n : index
// CHECK-NEXT:    %[[END:.*]] = arith.maxsi %[[LAST]], %c0 : index
// CHECK-NEXT:    scf.for %tx = %c0 to %[[END]] step %c1 {
// CHECK-NOT:       scf.if
// CHECK:           memref.store

// -----

// So it is where something is checked, which split-checked-loops solves for the threads that are left.
func.func @checked(%x: memref<?xf32>, %width: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %tx = %c0 to %width step %c1 {
    %below = arith.cmpi slt, %tx, %n : index
    scf.if %below {
      %size = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %tx, %size : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %tx, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%tx] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @checked
// CHECK:         %[[LAST:.*]] = arith.minsi %width, %n : index
// CHECK-NEXT:    %[[END:.*]] = arith.maxsi %[[LAST]], %c0 : index
// CHECK-NEXT:    scf.for %tx = %c0 to %[[END]] step %c1 {
// CHECK-NOT:       scf.if
// CHECK:           gpux.check

// -----

// Short rows of a constant length stay so long.
func.func @tile(%x: memref<?x?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  scf.for %ty = %c0 to %c16 step %c1 {
    scf.for %tx = %c0 to %c16 step %c1 {
      %below = arith.cmpi slt, %tx, %n : index
      scf.if %below {
        memref.store %zero, %x[%ty, %tx] : memref<?x?xf32>
      }
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @tile
// CHECK:         scf.for %ty = %c0 to %c16 step %c1 {
// CHECK-NEXT:      scf.for %tx = %c0 to %c16 step %c1 {
// CHECK:             scf.if

// -----

// A block's row is no short one: of 256 threads half take part, then a quarter, and so on.
func.func @tree(%x: memref<256xf32>, %half: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  scf.for %t = %c0 to %c256 step %c1 {
    %below = arith.cmpi slt, %t, %half : index
    scf.if %below {
      %other = arith.addi %t, %half : index
      %a = memref.load %x[%t] : memref<256xf32>
      %b = memref.load %x[%other] : memref<256xf32>
      %sum = arith.addf %a, %b : f32
      memref.store %sum, %x[%t] : memref<256xf32>
    }
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @tree
// CHECK:         %[[LAST:.*]] = arith.minsi %c256, %half : index
// CHECK-NEXT:    %[[END:.*]] = arith.maxsi %[[LAST]], %c0 : index
// CHECK-NEXT:    scf.for %t = %c0 to %[[END]] step %c1 {
// CHECK-NOT:       scf.if

// -----

// One thread alone, also with a check, and of a short row.
func.func @one(%x: memref<?xf32>, %k: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %c16 step %c1 {
    %first = arith.cmpi eq, %t, %c0 : index
    scf.if %first {
      %size = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %k, %size : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%k] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @one
// CHECK:         %[[LAST:.*]] = arith.minsi %c16, %{{.*}} : index
// CHECK-NEXT:    %[[END:.*]] = arith.maxsi %[[LAST]], %c0 : index
// CHECK-NEXT:    scf.for %t = %c0 to %[[END]] step %c1 {
// CHECK-NOT:       scf.if
// CHECK:           gpux.check

// -----

// A branch with two sides that is the same for all threads of a row chooses between two loops.
func.func @two_sides(%x: memref<?x?xf32>, %n: index, %rows: index, %width: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  scf.for %ty = %c0 to %rows step %c1 {
    scf.for %tx = %c0 to %width step %c1 {
      %last = arith.addi %ty, %c1 : index
      %inside = arith.cmpi slt, %last, %n : index
      scf.if %inside {
        memref.store %zero, %x[%ty, %tx] : memref<?x?xf32>
      } else {
        memref.store %one, %x[%ty, %tx] : memref<?x?xf32>
      }
    } {gpux.threads}
  } {gpux.rows}
  func.return
}
// CHECK-LABEL: func.func @two_sides
// CHECK:         scf.for %ty = %c0 to %rows step %c1 {
// CHECK:           %[[LAST:.*]] = arith.addi %ty, %c1 : index
// CHECK-NEXT:      %[[INSIDE:.*]] = arith.cmpi slt, %[[LAST]], %n : index
// CHECK-NEXT:      scf.if %[[INSIDE]] {
// CHECK-NEXT:        scf.for
// CHECK-NOT:           scf.if
// CHECK:               memref.store %zero
// CHECK:             } {gpux.threads}
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.for
// CHECK-NOT:           scf.if
// CHECK:               memref.store %one
// CHECK:             } {gpux.threads}
