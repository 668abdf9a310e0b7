// RUN: stepwell opt %s -p fetch-ahead --split-input-file | filecheck %s

// A block works on a tile: its threads ask for their part of the next one, and in the last iteration
// for what they will write, where one of the arrays is large. What they work with is read in the same order.

// CHECK-LABEL: func.func @product
// CHECK: [[B:%.+]] = arith.cmpi sge, %{{.+}}, %{{.+}} : index
// CHECK: memref.dim %out,
// CHECK: [[OUT:%.+]] = arith.cmpi sge, %{{.+}}, %{{.+}} : index
// CHECK-NEXT: [[LARGE:%.+]] = arith.ori [[B]], [[OUT]] : i1
// CHECK-NEXT: scf.for %k =
// CHECK: vector.store %{{.+}}, %tile[%t]
// CHECK: scf.for %u =
// CHECK-NEXT: scf.if [[LARGE]] {
// CHECK: [[NEXT:%.+]] = arith.addi %k, %depth : index
// CHECK: [[MORE:%.+]] = arith.cmpi slt, [[NEXT]], %n : index
// CHECK: scf.if [[MORE]] {
// CHECK: [[AT:%.+]] = arith.addi [[NEXT]], %u : index
// CHECK-NEXT: gpux.prefetch %b[[[AT]], %first] : memref<?x?xf32>
// CHECK: } else {
// CHECK: [[END:%.+]] = arith.addi %first, %u : index
// CHECK-NEXT: gpux.prefetch write %out[[[END]]] : memref<?xf32>
// CHECK: [[LINE:%.+]] = arith.constant 16 : index
// CHECK-NEXT: [[SECOND:%.+]] = arith.addi [[END]], [[LINE]] : index
// CHECK-NEXT: gpux.prefetch write %out[[[SECOND]]] : memref<?xf32>
// CHECK: scf.for %i =
// CHECK-NOT: gpux.prefetch
func.func @product(%b: memref<?x?xf32>, %out: memref<?xf32>, %first: index, %n: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %lanes = arith.constant 32 : index
  %threads = arith.constant 64 : index
  %depth = arith.constant 64 : index
  %many = arith.constant 100 : index
  %tile = memref.alloca() : memref<64xf32>
  %sums = memref.alloca() : memref<64xf32>
  scf.for %k = %zero to %n step %depth {
    scf.for %t = %zero to %threads step %lanes {
      %row = arith.addi %k, %t : index
      %v = vector.load %b[%row, %first] : memref<?x?xf32>, vector<16xf32>
      vector.store %v, %tile[%t] : memref<64xf32>, vector<16xf32>
    } {gpux.vectors}
    scf.for %u = %zero to %threads step %lanes {
      %s = vector.load %sums[%u] : memref<64xf32>, vector<32xf32>
      %r = scf.for %i = %zero to %many step %one iter_args(%sum = %s) -> (vector<32xf32>) {
        %x = memref.load %tile[%zero] : memref<64xf32>
        %l = vector.broadcast %x : f32 to vector<32xf32>
        %m = arith.addf %sum, %l : vector<32xf32>
        scf.yield %m : vector<32xf32>
      }
      vector.store %r, %sums[%u] : memref<64xf32>, vector<32xf32>
    }
  }
  scf.for %t = %zero to %threads step %lanes {
    %at = arith.addi %first, %t : index
    %r = vector.load %sums[%t] : memref<64xf32>, vector<32xf32>
    vector.store %r, %out[%at] : memref<?xf32>, vector<32xf32>
  } {gpux.vectors}
  func.return
}

// -----

// Too little work on a tile; other threads than those that copy; indices that are loaded, or
// divided by what may be 0 where the tile is not copied.

// CHECK-LABEL: func.func @others
// CHECK-NOT: gpux.prefetch
// CHECK-NOT: scf.if
func.func @others(%b: memref<?xf32>, %at: memref<?xindex>, %n: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %lanes = arith.constant 16 : index
  %threads = arith.constant 64 : index
  %depth = arith.constant 64 : index
  %few = arith.constant 10 : index
  %many = arith.constant 100 : index
  %tile = memref.alloca() : memref<64xf32>
  scf.for %k = %zero to %n step %depth {
    scf.for %t = %zero to %threads step %lanes {
      %from = arith.addi %k, %t : index
      %v = vector.load %b[%from] : memref<?xf32>, vector<16xf32>
      vector.store %v, %tile[%t] : memref<64xf32>, vector<16xf32>
    } {gpux.vectors}
    scf.for %u = %zero to %threads step %lanes {
      scf.for %i = %zero to %few step %one {
        %x = memref.load %tile[%i] : memref<64xf32>
        memref.store %x, %tile[%u] : memref<64xf32>
      }
    }
    scf.for %u = %zero to %threads step %one {
      scf.for %i = %zero to %many step %one {
        %x = memref.load %tile[%zero] : memref<64xf32>
        memref.store %x, %tile[%u] : memref<64xf32>
      }
    }
  }
  scf.for %k = %zero to %n step %depth {
    scf.for %t = %zero to %threads step %lanes {
      %from = memref.load %at[%k] : memref<?xindex>
      %v = vector.load %b[%from] : memref<?xf32>, vector<16xf32>
      %part = arith.divui %k, %n : index
      %w = vector.load %b[%part] : memref<?xf32>, vector<16xf32>
      vector.store %v, %tile[%t] : memref<64xf32>, vector<16xf32>
    } {gpux.vectors}
    scf.for %u = %zero to %threads step %lanes {
      scf.for %i = %zero to %many step %one {
        %x = memref.load %tile[%i] : memref<64xf32>
        memref.store %x, %tile[%u] : memref<64xf32>
      }
    }
  }
  func.return
}
