// RUN: stepwell opt %s --split-input-file --verify-diagnostics | stepwell opt --split-input-file | filecheck %s

// CHECK-LABEL: func.func @round_trip
// CHECK-NEXT: %m = gpux.matrix_load %x[%i], %n {transpose} : memref<?xf32> -> !gpu.mma_matrix<16x8xf32, "COp">
// CHECK-NEXT: gpux.matrix_store %m, %x[%i], %n : !gpu.mma_matrix<16x8xf32, "COp">, memref<?xf32>
func.func @round_trip(%x: memref<?xf32>, %i: index, %n: index) {
  %m = gpux.matrix_load %x[%i], %n {transpose} : memref<?xf32> -> !gpu.mma_matrix<16x8xf32, "COp">
  gpux.matrix_store %m, %x[%i], %n : !gpu.mma_matrix<16x8xf32, "COp">, memref<?xf32>
  func.return
}

// -----

func.func @rank(%x: memref<4x?xf32>, %i: index) {
  // expected-error @+1 {{an array of rank 2, expected one dimension}}
  %m = gpux.matrix_load %x[%i], %i : memref<4x?xf32> -> !gpu.mma_matrix<16x8xf32, "COp">
  func.return
}

// -----

func.func @factor(%x: memref<?xf32>, %m: !gpu.mma_matrix<16x8xf32, "AOp">, %i: index) {
  // expected-error @+1 {{operand AOp cannot be stored, expected COp}}
  gpux.matrix_store %m, %x[%i], %i : !gpu.mma_matrix<16x8xf32, "AOp">, memref<?xf32>
  func.return
}
