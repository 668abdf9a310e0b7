// RUN: stepwell opt %s -p 'gpu-to-cpu{subgroup-size=4 vectors=true},canonicalize,cse,vectorise-subgroups{width=4}' --split-input-file | filecheck %s

// One vector for each subgroup, whatever else would be worth it: no arrays, no loops over lanes.
gpu.module @reduce {
  gpu.func @reduce(%x: memref<?xi32, #gpu.address_space<global>>)
      kernel attributes {gpu.known_block_size = array<i32: 8, 1, 1>} {
    %t = gpu.thread_id x
    %v = memref.load %x[%t] : memref<?xi32, #gpu.address_space<global>>
    %r = gpu.subgroup_reduce add %v : (i32) -> i32
    memref.store %r, %x[%t] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}
// CHECK-LABEL: func.func @reduce
// CHECK-NOT:     memref.alloca
// CHECK:         scf.for %[[S:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK:           %[[V:.*]] = vector.load %x[%[[AT:.*]]] : memref<?xi32>, vector<4xi32>
// CHECK-NEXT:      %[[R:.*]] = vector.reduction <add>, %[[V]] : vector<4xi32> into i32
// CHECK-NEXT:      %[[ALL:.*]] = vector.splat %[[R]] : vector<4xi32>
// CHECK-NEXT:      vector.store %[[ALL]], %x[%[[AT]]]
// CHECK-NOT:     mask

// -----

// Lanes that do not take part add nothing, are no votes, and cannot be read from.
gpu.module @divergent {
  gpu.func @divergent(%x: memref<?xi32, #gpu.address_space<global>>, %n: i32)
      kernel attributes {gpu.known_block_size = array<i32: 4, 1, 1>} {
    %c1 = arith.constant 1 : i32
    %c4 = arith.constant 4 : i32
    %t = gpu.thread_id x
    %v = memref.load %x[%t] : memref<?xi32, #gpu.address_space<global>>
    %c = arith.cmpi slt, %v, %n : i32
    scf.if %c {
      %r = gpu.subgroup_reduce minsi %v : (i32) -> i32
      %b = gpux.ballot %c : i32
      %w, %ok = gpu.shuffle xor %v, %c1, %c4 : i32
      %s = arith.addi %r, %b : i32
      %q = arith.addi %s, %w : i32
      memref.store %q, %x[%t] : memref<?xi32, #gpu.address_space<global>>
    }
    gpu.return
  }
}
// CHECK-LABEL: func.func @divergent
// CHECK:         %[[MOST:.*]] = arith.constant dense<2147483647> : vector<4xi32>
// CHECK:         %[[V:.*]] = vector.load %x
// CHECK-NEXT:    %[[C:.*]] = arith.cmpi slt, %[[V]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:    %[[ANY:.*]] = vector.reduction <or>, %[[C]]
// CHECK-NEXT:    scf.if %[[ANY]] {
// CHECK-NEXT:      %[[SAFE:.*]] = arith.select %[[C]], %[[V]], %[[MOST]]
// CHECK-NEXT:      vector.reduction <minsi>, %[[SAFE]] : vector<4xi32> into i32
// CHECK:           %[[VOTES:.*]] = arith.andi %{{.*}}, %[[C]]
// CHECK:           arith.select %[[VOTES]]
// CHECK:           %[[OTHER:.*]] = vector.shuffle %[[V]], %[[V]] [1, 0, 3, 2]
// CHECK-NEXT:      %[[THERE:.*]] = vector.shuffle %[[C]], %[[C]] [1, 0, 3, 2]
// CHECK-NEXT:      %[[OK:.*]] = arith.andi %{{.*}}, %[[THERE]]
// CHECK-NEXT:      arith.select %[[OK]], %[[OTHER]], %[[V]]

// -----

// A running sum takes log2(lanes) steps.
gpu.module @scan {
  gpu.func @scan(%x: memref<?xf32, #gpu.address_space<global>>)
      kernel attributes {gpu.known_block_size = array<i32: 4, 1, 1>} {
    %t = gpu.thread_id x
    %v = memref.load %x[%t] : memref<?xf32, #gpu.address_space<global>>
    %s = gpux.subgroup_scan "add" "exclusive" %v : f32
    memref.store %s, %x[%t] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}
// CHECK-LABEL: func.func @scan
// CHECK:         %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<4xf32>
// CHECK:         %[[V:.*]] = vector.load %x
// CHECK-NEXT:    %[[A:.*]] = vector.shuffle %[[V]], %[[ZERO]] [4, 0, 1, 2]
// CHECK-NEXT:    %[[B:.*]] = arith.addf %[[A]], %[[V]] : vector<4xf32>
// CHECK-NEXT:    %[[C:.*]] = vector.shuffle %[[B]], %[[ZERO]] [4, 5, 0, 1]
// CHECK-NEXT:    %[[D:.*]] = arith.addf %[[C]], %[[B]] : vector<4xf32>
// CHECK-NEXT:    %[[E:.*]] = vector.shuffle %[[D]], %[[ZERO]] [4, 0, 1, 2]
// CHECK-NEXT:    vector.store %[[E]], %x
