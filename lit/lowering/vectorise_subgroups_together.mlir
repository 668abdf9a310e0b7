// RUN: stepwell opt %s -p 'vectorise-subgroups{width=4 always=true}' --split-input-file | filecheck %s

// Where the last lane is below the limit too, no mask is needed. The distance has no sign.
func.func @guard(%x: memref<?xf32>, %y: memref<?xf32>, %n: index, %base: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %t = %c0 to %c8 step %c1 {
    %i = arith.addi %base, %t : index
    %inside = arith.cmpi slt, %i, %n : index
    scf.if %inside {
      %v = memref.load %x[%i] : memref<?xf32>
      memref.store %v, %y[%i] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @guard
// CHECK:         %[[REACH:.*]] = arith.constant 3 : index
// CHECK:         scf.for
// CHECK:           %[[I:.*]] = arith.addi %base, %t : index
// CHECK:           %[[LEFT:.*]] = arith.subi %n, %[[I]] : index
// CHECK-NEXT:      %[[FAR:.*]] = arith.cmpi ugt, %[[LEFT]], %[[REACH]] : index
// CHECK-NEXT:      %[[FIRST:.*]] = arith.cmpi slt, %[[I]], %n : index
// CHECK-NEXT:      %[[ALL:.*]] = arith.andi %[[FIRST]], %[[FAR]] : i1
// CHECK-NEXT:      scf.if %[[ALL]] {
// CHECK-NEXT:        vector.load
// CHECK-NEXT:        vector.store
// CHECK-NEXT:      } else {
// CHECK:             vector.maskedload
// CHECK:             vector.maskedstore

// -----

// A lower limit: lane 0 is the first one, unless a lane has wrapped. What all lanes have in common
// is asked as it is, and a result of the branch is a vector in both ways.
func.func @both_limits(%x: memref<?xi32>, %y: memref<?xi32>, %n: i32, %flag: i1, %first: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %t = %c0 to %c8 step %c1 {
    %w = arith.index_cast %t : index to i32
    %i = arith.addi %first, %w : i32
    %above = arith.cmpi sle, %n, %i : i32
    %in = arith.andi %above, %flag : i1
    %r = scf.if %in -> (i32) {
      %v = memref.load %x[%t] : memref<?xi32>
      scf.yield %v : i32
    } else {
      scf.yield %i : i32
    }
    memref.store %r, %y[%t] : memref<?xi32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @both_limits
// CHECK:         %[[LAST:.*]] = arith.constant 2147483644 : i32
// CHECK:           %[[I:.*]] = arith.addi %first, %{{.*}} : i32
// CHECK:           %[[KEPT:.*]] = arith.cmpi sle, %[[I]], %[[LAST]] : i32
// CHECK-NEXT:      %[[IN:.*]] = arith.cmpi sge, %[[I]], %n : i32
// CHECK-NEXT:      %[[BOTH:.*]] = arith.andi %[[IN]], %[[KEPT]] : i1
// CHECK-NEXT:      %[[ALL:.*]] = arith.andi %[[BOTH]], %flag : i1
// CHECK-NEXT:      %[[R:.*]] = scf.if %[[ALL]] -> (vector<4xi32>) {
// CHECK-NEXT:        vector.load
// CHECK-NEXT:        scf.yield
// CHECK-NEXT:      } else {
// CHECK:           vector.store %[[R]]

// -----

// A check that holds for all lanes is one of scalars.
func.func @checked(%x: memref<?xf32>, %n: index, %base: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %c8 step %c1 {
    %i = arith.addi %base, %t : index
    %ok = arith.cmpi ult, %i, %n : index
    gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    memref.store %zero, %x[%i] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @checked
// CHECK:           %[[FAR:.*]] = arith.cmpi ugt, %{{.*}}, %{{.*}} : index
// CHECK-NEXT:      %[[FIRST:.*]] = arith.cmpi ult, %{{.*}}, %n : index
// CHECK-NEXT:      %[[ALL:.*]] = arith.andi %[[FIRST]], %[[FAR]] : i1
// CHECK:           %[[NOT:.*]] = arith.xori %[[ALL]], %{{.*}} : i1
// CHECK-NEXT:      scf.if %[[NOT]] {
// CHECK:             vector.reduction <or>
// CHECK:               gpux.check
// CHECK:           }
// CHECK:           vector.store

// -----

// Lanes that begin one after the other make most iterations together.
func.func @strided(%x: memref<?xf32>, %y: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?xf32>
  scf.for %t = %c0 to %c8 step %c1 {
    %sum = scf.for %k = %t to %n step %c8 iter_args(%s = %zero) -> (f32) {
      %v = memref.load %x[%k] : memref<?xf32>
      %next = arith.addf %s, %v : f32
      scf.yield %next : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @strided
// CHECK:           %[[ALL:.*]] = arith.andi %{{.*}}, %{{.*}} : i1
// CHECK-NEXT:      %[[SHORT:.*]] = arith.subi %n, %{{.*}} : index
// CHECK-NEXT:      %[[END:.*]] = arith.select %[[ALL]], %[[SHORT]], %t : index
// CHECK-NEXT:      %[[NEXT:.*]], %[[SUM:.*]] = scf.for %{{.*}} = %t to %[[END]] step %c8 iter_args(%[[K:.*]] = %t, %[[S:.*]] = %{{.*}}) -> (index, vector<4xf32>) {
// CHECK-NEXT:        vector.load %x[%[[K]]]
// CHECK-NEXT:        arith.addf %[[S]]
// CHECK-NEXT:        arith.addi %[[K]], %c8
// CHECK:           %[[LEFT:.*]] = arith.ori
// CHECK-NEXT:      %[[R:.*]] = scf.if %[[LEFT]] -> (vector<4xf32>) {
// CHECK-NEXT:        scf.while (%{{.*}} = %{{.*}}, %{{.*}} = %[[NEXT]], %{{.*}} = %[[SUM]])
// CHECK:               vector.maskedload
// CHECK:           } else {
// CHECK-NEXT:        scf.yield %[[SUM]]
// CHECK:           vector.store %[[R]], %y

// -----

// Where the last index plus the step may wrap, they make none together, and leave before it does.
func.func @strided_to_any_end(%x: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %c8 step %c1 {
    scf.for %k = %t to %n step %c8 {
      memref.store %zero, %x[%k] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @strided_to_any_end
// CHECK:           %[[LAST:.*]] = arith.subi %{{.*}}, %c8 : index
// CHECK-NEXT:      %[[FITS:.*]] = arith.cmpi sle, %n, %[[LAST]] : index
// CHECK-NEXT:      %[[ALL:.*]] = arith.andi %{{.*}}, %[[FITS]] : i1
// CHECK:           arith.select %[[ALL]], %{{.*}}, %t : index
// CHECK:           scf.while
// CHECK:           } do {
// CHECK:             vector.maskedstore
// CHECK:             %[[LEFT:.*]] = arith.subi %{{.*}}, %{{.*}} : vector<4xindex>
// CHECK-NEXT:        %[[MORE:.*]] = arith.cmpi ult, %{{.*}}, %[[LEFT]] : vector<4xindex>
// CHECK-NEXT:        %[[STAY:.*]] = arith.andi %[[MORE]], %{{.*}} : vector<4xi1>
// CHECK:             scf.yield %[[STAY]]

// -----

// What lanes load side by side and only use one by one is loaded one by one, unless something is
// written in between, or checked.
func.func @again(%x: memref<?xi8>, %bins: memref<256xi32>, %other: memref<256xi32>, %base: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %one = arith.constant 1 : i32
  scf.for %t = %c0 to %c8 step %c1 {
    %i = arith.addi %base, %t : index
    %v = memref.load %x[%i] : memref<?xi8>
    %w = arith.extui %v : i8 to i32
    %b = arith.index_cast %w : i32 to index
    %old = gpux.atomic_rmw "add" %one, %bins[%b] order "relaxed" scope "block" : i32, memref<256xi32>
    %later = gpux.atomic_rmw "add" %one, %other[%b] order "relaxed" scope "block" : i32, memref<256xi32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @again
// CHECK:           %[[I:.*]] = arith.addi %base
// CHECK:           vector.load
// CHECK:           %[[AT:.*]] = arith.addi %[[I]], %{{.*}} : index
// CHECK-NEXT:      %[[V:.*]] = memref.load %x[%[[AT]]]
// CHECK-NEXT:      %[[W:.*]] = arith.extui %[[V]] : i8 to i32
// CHECK-NEXT:      %[[B:.*]] = arith.index_cast %[[W]] : i32 to index
// CHECK-NEXT:      gpux.atomic_rmw "add" %{{.*}}, %bins[%[[B]]]
// CHECK:           memref.load %x
// CHECK:           gpux.atomic_rmw "add" %{{.*}}, %bins
// CHECK:           vector.extract
// CHECK-NEXT:      gpux.atomic_rmw "add" %{{.*}}, %other
