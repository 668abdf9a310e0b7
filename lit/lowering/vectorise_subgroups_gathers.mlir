// RUN: stepwell opt %s -p 'vectorise-subgroups{width=4 gathers=true}' --split-input-file | filecheck %s --check-prefixes=CHECK,HAS
// RUN: stepwell opt %s -p 'vectorise-subgroups{width=4 gathers=false}' --split-input-file | filecheck %s --check-prefixes=CHECK,NOT

// One gather and next to nothing else: only a machine with gathers makes vectors of it.

// CHECK-LABEL: func.func @gather
// HAS:           vector.gather
// NOT-NOT:       vector
func.func @gather(%index: memref<?xi32>, %x: memref<?xf32>, %hi: index, %zero: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    %i = memref.load %index[%t] : memref<?xi32>
    %is = arith.cmpi sge, %i, %zero : i32
    scf.if %is {
      %at = arith.index_cast %i : i32 to index
      %v = memref.load %x[%at] : memref<?xf32>
      memref.store %v, %x[%t] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}

// -----

// A function of what is gathered pays for that everywhere.

// CHECK-LABEL: func.func @function
// CHECK:         vector.gather
// CHECK:         math.exp %{{.*}} : vector<4xf32>
func.func @function(%index: memref<?xi32>, %x: memref<?xf32>, %hi: index, %zero: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    %i = memref.load %index[%t] : memref<?xi32>
    %is = arith.cmpi sge, %i, %zero : i32
    scf.if %is {
      %at = arith.index_cast %i : i32 to index
      %v = memref.load %x[%at] : memref<?xf32>
      %r = math.exp %v : f32
      memref.store %r, %x[%t] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}

// -----

// Elements a fixed distance apart are put together without much ado.

// CHECK-LABEL: func.func @column
// CHECK:         vector.gather
func.func @column(%x: memref<?xf32>, %y: memref<?xf32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c17 = arith.constant 17 : index
  scf.for %t = %c0 to %hi step %c1 {
    %is = arith.cmpi slt, %t, %n : index
    scf.if %is {
      %at = arith.muli %t, %c17 : index
      %v = memref.load %x[%at] : memref<?xf32>
      memref.store %v, %y[%t] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}

// -----

// Inside a loop it takes one more op for each gather, also where the machine has them; two for each
// gather and scatter in a loop inside of another, both of which lanes leave when they are done.

// CHECK-LABEL: func.func @sparse
// CHECK-NOT:     vector
// CHECK-LABEL: func.func @walk
// CHECK:         vector.gather
// CHECK-LABEL: func.func @till_it_ends
// CHECK-NOT:     vector
func.func @sparse(%col: memref<?xi32>, %x: memref<?xf32>, %y: memref<?xf32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %hi step %c1 {
    %first = memref.load %col[%t] : memref<?xi32>
    %from = arith.index_cast %first : i32 to index
    %sum = scf.for %k = %from to %n step %c1 iter_args(%s = %zero) -> (f32) {
      %c = memref.load %col[%k] : memref<?xi32>
      %at = arith.index_cast %c : i32 to index
      %v = memref.load %x[%at] : memref<?xf32>
      %next = arith.addf %s, %v : f32
      scf.yield %next : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
func.func @walk(%next: memref<?xi32>, %y: memref<?xi32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    %start = memref.load %y[%t] : memref<?xi32>
    %end = scf.for %k = %c0 to %n step %c1 iter_args(%i = %start) -> (i32) {
      %at = arith.index_cast %i : i32 to index
      %v = memref.load %next[%at] : memref<?xi32>
      %a = arith.muli %v, %v : i32
      %b = arith.addi %a, %i : i32
      scf.yield %b : i32
    }
    memref.store %end, %y[%t] : memref<?xi32>
  } {gpux.threads}
  func.return
}
func.func @till_it_ends(%next: memref<?xi32>, %y: memref<?xi32>, %hi: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  scf.for %t = %c0 to %hi step %c1 {
    %start = memref.load %y[%t] : memref<?xi32>
    %outer = scf.while (%i = %start) : (i32) -> i32 {
      %more = arith.cmpi sgt, %i, %zero : i32
      scf.condition(%more) %i : i32
    } do {
    ^bb0(%j: i32):
      %inner = scf.while (%k = %j) : (i32) -> i32 {
        %on = arith.cmpi sgt, %k, %zero : i32
        scf.condition(%on) %k : i32
      } do {
      ^bb0(%l: i32):
        %at = arith.index_cast %l : i32 to index
        %v = memref.load %next[%at] : memref<?xi32>
        memref.store %zero, %next[%at] : memref<?xi32>
        scf.yield %v : i32
      }
      %b = arith.addi %inner, %j : i32
      scf.yield %b : i32
    }
    memref.store %outer, %y[%t] : memref<?xi32>
  } {gpux.threads}
  func.return
}
