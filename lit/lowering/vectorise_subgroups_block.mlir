// RUN: stepwell opt %s -p 'vectorise-subgroups{width=16}' --split-input-file | filecheck %s

// A block of 256 threads, each of which adds up elements 256 apart: all of them together. Each check
// is one test of all lanes; the first that fails is found in words of 64 bits.

// CHECK-LABEL: func.func @sum
// CHECK:         scf.for {{.*}} iter_args({{.*}}) -> (vector<256xf32>) {
// CHECK:           vector.load %x[%{{.*}}] : memref<?xf32>, vector<256xf32>
// CHECK:           %[[WORDS:.*]] = vector.bitcast %{{.*}} : vector<256xi1> to vector<4xi64>
// CHECK:           %[[LAST:.*]] = vector.extract %[[WORDS]][3] : i64 from vector<4xi64>
// CHECK:           math.cttz %[[LAST]] : i64
func.func @sum(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %c256 step %c1 {
    %sum = scf.for %k = %c0 to %n step %c256 iter_args(%s = %zero) -> (f32) {
      %j = arith.addi %k, %t : index
      %v = memref.load %x[%j] : memref<?xf32>
      %is = arith.cmpf oge, %v, %zero : f32
      gpux.check %is, "assert", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      %w = arith.addf %s, %v : f32
      scf.yield %w : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}

// -----

// Three sums of 256 threads are more than there are registers, so four vectors of each go together;
// so it is for more threads than 256.

// CHECK-LABEL: func.func @three
// CHECK-NOT:     vector<256xf32>
// CHECK:         iter_args({{.*}}) -> (vector<64xf32>, vector<64xf32>, vector<64xf32>) {
// CHECK-LABEL: func.func @more
// CHECK:         iter_args({{.*}}) -> (vector<64xf32>) {
func.func @three(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %c256 step %c1 {
    %a, %b, %c = scf.for %k = %c0 to %n step %c256 iter_args(%p = %zero, %q = %zero, %r = %zero) -> (f32, f32, f32) {
      %j = arith.addi %k, %t : index
      %v = memref.load %x[%j] : memref<?xf32>
      %u = arith.addf %p, %v : f32
      %w = arith.mulf %q, %v : f32
      %z = arith.subf %r, %v : f32
      scf.yield %u, %w, %z : f32, f32, f32
    }
    %d = arith.addf %a, %b : f32
    %e = arith.addf %c, %d : f32
    memref.store %e, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
func.func @more(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c512 = arith.constant 512 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %c512 step %c1 {
    %sum = scf.for %k = %c0 to %n step %c512 iter_args(%s = %zero) -> (f32) {
      %j = arith.addi %k, %t : index
      %v = memref.load %x[%j] : memref<?xf32>
      %w = arith.addf %s, %v : f32
      scf.yield %w : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
