// RUN: stepwell opt %s -p flatten-memrefs,canonicalize,cse --split-input-file --verify-diagnostics | filecheck %s

// A vector of consecutive elements begins at an element of the array; offsets are counted in elements
// of the array too.

// CHECK-LABEL: gpu.func @vectors(%x: memref<?xf32, #gpu.address_space<global>>, %x_size0: index, %x_size1: index
// CHECK: %[[ROW:.*]] = arith.muli %i, %x_size1 : index
// CHECK: %[[AT:.*]] = arith.addi %[[ROW]], %j : index
// CHECK: %[[V:.*]] = vector.load %x[%[[AT]]] : memref<?xf32, #gpu.address_space<global>>, vector<4xf32>
// CHECK: %[[FAR:.*]] = arith.muli %at, %{{.*}} : vector<4xi32>
// CHECK: vector.gather %s[%{{.*}}] [%[[FAR]]], %m, %[[V]]
gpu.module @m {
  gpu.func @vectors(%x: memref<?x?xf32, #gpu.address_space<global>>, %s: memref<?xf32, strided<[3], offset: ?>, #gpu.address_space<global>>, %i: index, %j: index) kernel {
    %at = arith.constant dense<[1, 0, 2, 1]> : vector<4xi32>
    %m = arith.constant dense<true> : vector<4xi1>
    %v = vector.load %x[%i, %j] : memref<?x?xf32, #gpu.address_space<global>>, vector<4xf32>
    %w = vector.gather %s[%i] [%at], %m, %v : memref<?xf32, strided<[3], offset: ?>, #gpu.address_space<global>>, vector<4xi32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
    vector.store %w, %x[%i, %j] : memref<?x?xf32, #gpu.address_space<global>>, vector<4xf32>
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @apart(%s: memref<?xf32, strided<[3], offset: ?>, #gpu.address_space<global>>, %i: index) kernel {
    // expected-error @below {{are not next to each other; gather and scatter take them}}
    %v = vector.load %s[%i] : memref<?xf32, strided<[3], offset: ?>, #gpu.address_space<global>>, vector<4xf32>
    gpu.return
  }
}
