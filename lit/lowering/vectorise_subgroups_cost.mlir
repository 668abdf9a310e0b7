// RUN: stepwell opt %s -p 'vectorise-subgroups{width=4}' --split-input-file | filecheck %s

// The formula of a sine has a branch, which lanes take together or not at all.

// CHECK-LABEL: func.func @rare_case
// CHECK:         math.sin %{{.*}} : vector<4xf32>
func.func @rare_case(%x: memref<?xf32>, %hi: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xf32>
    %r = math.sin %v : f32
    memref.store %r, %x[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}

// -----

// No more vectors side by side than there are threads for: one for up to 7, two for up to 15.

// CHECK-LABEL: func.func @few
// CHECK-NOT:     vector<8xf32>
// CHECK:         arith.addf %{{.*}} : vector<4xf32>
// CHECK-NOT:     vector<8xf32>
// CHECK-LABEL: func.func @some
// CHECK-NOT:     vector<16xf32>
// CHECK:         arith.addf %{{.*}} : vector<8xf32>
// CHECK-NOT:     vector<16xf32>
// CHECK-LABEL: func.func @many
// CHECK:         arith.addf %{{.*}} : vector<16xf32>
func.func @few(%x: memref<?xf32>, %y: memref<?xf32>, %left: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %zero = arith.constant 0.0 : f32
  %hi = arith.minsi %left, %c7 : index
  scf.for %t = %c0 to %hi step %c1 {
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> (f32) {
      %j = arith.addi %k, %t : index
      %v = memref.load %x[%j] : memref<?xf32>
      %w = arith.addf %s, %v : f32
      scf.yield %w : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
func.func @some(%x: memref<?xf32>, %y: memref<?xf32>, %left: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c12 = arith.constant 12 : index
  %zero = arith.constant 0.0 : f32
  %hi = arith.minsi %left, %c12 : index
  scf.for %t = %c0 to %hi step %c1 {
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> (f32) {
      %j = arith.addi %k, %t : index
      %v = memref.load %x[%j] : memref<?xf32>
      %w = arith.addf %s, %v : f32
      scf.yield %w : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
func.func @many(%x: memref<?xf32>, %y: memref<?xf32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %hi step %c1 {
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> (f32) {
      %j = arith.addi %k, %t : index
      %v = memref.load %x[%j] : memref<?xf32>
      %w = arith.addf %s, %v : f32
      scf.yield %w : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}

// -----

// Threads that go along rows of their own, and add up integers or floats in any order: LLVM makes
// an iteration of the inner loop a lane. In order, a lane is a thread, whose elements are gathered.

// CHECK-LABEL: func.func @rows
// CHECK-NOT:     vector
// CHECK-LABEL: func.func @any_order
// CHECK-NOT:     vector
// CHECK-LABEL: func.func @copies
// CHECK-NOT:     vector
// CHECK-LABEL: func.func @in_order
// CHECK:         vector.gather
// CHECK-LABEL: func.func @beside_each_other
// CHECK:         vector.gather
// CHECK-LABEL: func.func @columns
// CHECK:         vector.load
func.func @rows(%a: memref<?x?xi32>, %x: memref<?xi32>, %y: memref<?xi32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  scf.for %t = %c0 to %hi step %c1 {
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> (i32) {
      %v = memref.load %a[%t, %k] : memref<?x?xi32>
      %u = memref.load %x[%k] : memref<?xi32>
      %p = arith.muli %v, %u : i32
      %w = arith.addi %s, %p : i32
      scf.yield %w : i32
    }
    memref.store %sum, %y[%t] : memref<?xi32>
  } {gpux.threads}
  func.return
}
func.func @any_order(%a: memref<?x?xf32>, %y: memref<?xf32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %hi step %c1 {
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> (f32) {
      %v = memref.load %a[%t, %k] : memref<?x?xf32>
      %w = arith.addf %s, %v fastmath<reassoc> : f32
      scf.yield %w : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
func.func @copies(%a: memref<?x?xf32>, %b: memref<?x?xf32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    scf.for %k = %c0 to %n step %c1 {
      %v = memref.load %a[%t, %k] : memref<?x?xf32>
      memref.store %v, %b[%t, %k] : memref<?x?xf32>
    }
  } {gpux.threads}
  func.return
}
func.func @in_order(%a: memref<?x?xf32>, %y: memref<?xf32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %hi step %c1 {
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> (f32) {
      %v = memref.load %a[%t, %k] : memref<?x?xf32>
      %w = arith.addf %s, %v : f32
      scf.yield %w : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
func.func @beside_each_other(%a: memref<?x?xi32>, %b: memref<?x?xi32>, %y: memref<?xi32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  scf.for %t = %c0 to %hi step %c1 {
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> (i32) {
      %v = memref.load %a[%t, %k] : memref<?x?xi32>
      %u = memref.load %b[%k, %t] : memref<?x?xi32>
      %p = arith.muli %v, %u : i32
      %w = arith.addi %s, %p : i32
      scf.yield %w : i32
    }
    memref.store %sum, %y[%t] : memref<?xi32>
  } {gpux.threads}
  func.return
}
func.func @columns(%a: memref<?x?xi32>, %y: memref<?xi32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  scf.for %t = %c0 to %hi step %c1 {
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> (i32) {
      %v = memref.load %a[%k, %t] : memref<?x?xi32>
      %w = arith.addi %s, %v : i32
      scf.yield %w : i32
    }
    memref.store %sum, %y[%t] : memref<?xi32>
  } {gpux.threads}
  func.return
}
