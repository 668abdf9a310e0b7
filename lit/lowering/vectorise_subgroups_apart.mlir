// RUN: stepwell opt %s -p 'vectorise-subgroups{width=4 always=true}' --split-input-file | filecheck %s

// Near each other: all that lies between is loaded, up to the last lane's element, and no further.
func.func @near(%x: memref<?xf32>, %y: memref<64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c64 = arith.constant 64 : index
  scf.for %t = %c0 to %c64 step %c1 {
    %i = arith.muli %t, %c3 : index
    %v = memref.load %x[%i] : memref<?xf32>
    memref.store %v, %y[%t] : memref<64xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @near
// CHECK:         %[[C4:.*]] = arith.constant 4 : index
// CHECK-NEXT:    %[[C6:.*]] = arith.constant 6 : index
// CHECK:           %[[I:.*]] = arith.muli %{{.*}}, %c3 : index
// CHECK-NEXT:      %[[J:.*]] = arith.addi %[[I]], %[[C4]] : index
// CHECK-NEXT:      %[[K:.*]] = arith.addi %[[I]], %[[C6]] : index
// CHECK-NEXT:      %[[A:.*]] = vector.load %x[%[[I]]] : memref<?xf32>, vector<4xf32>
// CHECK-NEXT:      %[[AA:.*]] = vector.shuffle %[[A]], %[[A]] [0, 3, 2, 3]
// CHECK-NEXT:      %[[B:.*]] = vector.load %x[%[[J]]] : memref<?xf32>, vector<4xf32>
// CHECK-NEXT:      %[[BB:.*]] = vector.shuffle %[[AA]], %[[B]] [0, 1, 6, 3]
// CHECK-NEXT:      %[[C:.*]] = vector.load %x[%[[K]]] : memref<?xf32>, vector<4xf32>
// CHECK-NEXT:      %[[V:.*]] = vector.shuffle %[[BB]], %[[C]] [0, 1, 2, 7]
// CHECK-NEXT:      vector.store %[[V]], %y

// -----

// Further apart, also from row to row: one by one, where all lanes take part.
func.func @rows(%x: memref<16x17xf32>, %y: memref<?xf32>, %k: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.for %t = %c0 to %c16 step %c1 {
    %v = memref.load %x[%t, %k] : memref<16x17xf32>
    memref.store %v, %x[%k, %t] : memref<16x17xf32>
    %some = arith.cmpi slt, %t, %n : index
    scf.if %some {
      %w = memref.load %x[%t, %k] : memref<16x17xf32>
      memref.store %w, %y[%t] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @rows
// CHECK:         scf.for %[[T:.*]] =
// CHECK:           %[[I1:.*]] = arith.addi %k, %{{.*}} : index
// CHECK:           %[[A:.*]] = memref.load %x[%[[T]], %k] : memref<16x17xf32>
// CHECK-NEXT:      %[[B:.*]] = memref.load %x[%[[T]], %[[I1]]] : memref<16x17xf32>
// CHECK:           %[[V:.*]] = vector.from_elements %[[A]], %[[B]], %{{.*}}, %{{.*}} : vector<4xf32>
// CHECK-NEXT:      vector.store %[[V]], %x[%k, %[[T]]]
// CHECK:           vector.gather %x[%[[T]], %k] [%{{.*}}]

// -----

// Rows of one element lie side by side.
func.func @columns(%x: memref<?x1xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  scf.for %t = %c0 to %c16 step %c1 {
    %v = memref.load %x[%t, %c0] : memref<?x1xf32>
    %w = arith.addf %v, %v : f32
    memref.store %w, %x[%t, %c0] : memref<?x1xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @columns
// CHECK:           %[[V:.*]] = vector.load %x[%{{.*}}, %c0] : memref<?x1xf32>, vector<4xf32>
// CHECK-NEXT:      %[[W:.*]] = arith.addf %[[V]], %[[V]] : vector<4xf32>
// CHECK-NEXT:      vector.store %[[W]], %x[%{{.*}}, %c0] : memref<?x1xf32>, vector<4xf32>
