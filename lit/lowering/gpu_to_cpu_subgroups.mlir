// RUN: stepwell opt %s -p 'gpu-to-cpu{subgroup-size=4}' --split-input-file --verify-diagnostics | filecheck %s

// Subgroups of 4: a loop over them, in it loops over the lanes. A reduction is one value for the
// subgroup. The last subgroup may have fewer lanes.

gpu.module @reduce {
  gpu.func @reduce(%x: memref<?xi32, #gpu.address_space<global>>, %ex: index, %ey: index, %ez: index)
      kernel attributes {gpux.over = 1 : i64} {
    %t = gpu.global_id x
    %v = memref.load %x[%t] : memref<?xi32, #gpu.address_space<global>>
    %r = gpu.subgroup_reduce add %v : (i32) -> i32
    %s = arith.addi %r, %r : i32
    memref.store %s, %x[%t] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @reduce(
// CHECK:         %[[COUNT:.*]] = arith.minsi %bdim_x, %{{.*}} : index
// CHECK-DAG:     %[[FOUR:.*]] = arith.constant 4 : index
// CHECK-DAG:     %[[NUMBER:.*]] = arith.divui %{{.*}}, %[[FOUR]] : index
// CHECK:         scf.for %[[S:.*]] = %{{.*}} to %[[NUMBER]] step %{{.*}} {
// CHECK-NEXT:      %[[FIRST:.*]] = arith.muli %[[S]], %[[FOUR]] : index
// CHECK-NEXT:      %[[LEFT:.*]] = arith.subi %[[COUNT]], %[[FIRST]] : index
// CHECK-NEXT:      %[[LANES:.*]] = arith.minsi %[[LEFT]], %[[FOUR]] : index
// CHECK-NEXT:      scf.for %[[LANE:.*]] = %{{.*}} to %[[LANES]] step %{{.*}} {
// CHECK-NEXT:        %[[T:.*]] = arith.addi %[[FIRST]], %[[LANE]] : index
// CHECK-NEXT:        %[[G:.*]] = arith.addi %{{.*}}, %[[T]] : index
// CHECK-NEXT:        %v = memref.load %x[%[[G]]] : memref<?xi32>
// CHECK-NEXT:        memref.store %v, %v_kept[%[[LANE]]] : memref<4xi32>
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[R:.*]] = scf.for %[[LANE:.*]] = %{{.*}} to %[[LANES]] step %{{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) -> (i32) {
// CHECK-NEXT:        %[[V:.*]] = memref.load %v_kept[%[[LANE]]] : memref<4xi32>
// CHECK-NEXT:        %[[NEXT:.*]] = arith.addi %[[SUM]], %[[V]] : i32
// CHECK-NEXT:        scf.yield %[[NEXT]] : i32
// CHECK-NEXT:      }
// CHECK-NEXT:      %s = arith.addi %[[R]], %[[R]] : i32
// CHECK-NEXT:      scf.for %[[LANE:.*]] = %{{.*}} to %[[LANES]] step %{{.*}} {
// CHECK:             memref.store %s, %x[%{{.*}}] : memref<?xi32>

// -----

// Lanes that go different ways: a mask for each way.

gpu.module @divergent {
  gpu.func @divergent(%x: memref<?xi32, #gpu.address_space<global>>, %o: i32)
      kernel attributes {gpu.known_block_size = array<i32: 8, 1, 1>} {
    %t = gpu.thread_id x
    %v = memref.load %x[%t] : memref<?xi32, #gpu.address_space<global>>
    %c = arith.cmpi slt, %v, %o : i32
    scf.if %c {
      %r = gpu.subgroup_reduce minsi %v : (i32) -> i32
      memref.store %r, %x[%t] : memref<?xi32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: func.func @divergent(
// CHECK:         %[[ANY:.*]] = scf.for %[[LANE:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[FOUND:.*]] = %{{.*}}) -> (i1) {
// CHECK-NEXT:      %[[KEPT:.*]] = memref.load %c_kept[%[[LANE]]] : memref<4xi8>
// CHECK-NEXT:      %[[C:.*]] = arith.cmpi ne, %[[KEPT]], %{{.*}} : i8
// CHECK-NEXT:      %[[BYTE:.*]] = arith.extui %[[C]] : i1 to i8
// CHECK-NEXT:      memref.store %[[BYTE]], %mask[%[[LANE]]] : memref<4xi8>
// CHECK-NEXT:      %[[NEXT:.*]] = arith.ori %[[FOUND]], %[[C]] : i1
// CHECK-NEXT:      scf.yield %[[NEXT]] : i1
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.if %[[ANY]] {
// CHECK-NEXT:      %[[R:.*]] = scf.for %[[LANE:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[LEAST:.*]] = %{{.*}}) -> (i32) {
// CHECK-NEXT:        %[[KEPT:.*]] = memref.load %mask[%[[LANE]]] : memref<4xi8>
// CHECK-NEXT:        %[[ACTIVE:.*]] = arith.cmpi ne, %[[KEPT]], %{{.*}} : i8
// CHECK-NEXT:        %[[V:.*]] = memref.load %v_kept[%[[LANE]]] : memref<4xi32>
// CHECK-NEXT:        %[[LESS:.*]] = arith.minsi %[[LEAST]], %[[V]] : i32
// CHECK-NEXT:        %[[NEXT:.*]] = arith.select %[[ACTIVE]], %[[LESS]], %[[LEAST]] : i32
// CHECK-NEXT:        scf.yield %[[NEXT]] : i32
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.for
// CHECK-NEXT:        memref.load %mask
// CHECK-NEXT:        arith.cmpi
// CHECK-NEXT:        scf.if
// CHECK:               memref.store %[[R]], %x

// -----

// A shuffle: all lanes keep their value, then each reads; its own where the other is not there.

gpu.module @shuffle {
  gpu.func @shuffle(%x: memref<?xi32, #gpu.address_space<global>>, %o: i32, %v: i32)
      kernel attributes {gpu.known_block_size = array<i32: 8, 1, 1>} {
    %w = arith.constant 4 : i32
    %t = gpu.thread_id x
    %s, %valid = gpu.shuffle down %v, %o, %w : i32
    memref.store %s, %x[%t] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @shuffle(
// CHECK:         arith.muli %subgroup
// CHECK-NEXT:    scf.for %[[LANE:.*]] =
// CHECK-NEXT:      memref.store %v, %[[VALUES:.*]][%[[LANE]]] : memref<4xi32>
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.for %[[LANE:.*]] = %{{.*}} to %[[FOUR:.*]] step %{{.*}} {
// CHECK-NEXT:      %[[OFFSET:.*]] = arith.index_cast %o : i32 to index
// CHECK-NEXT:      %[[OTHER:.*]] = arith.addi %[[LANE]], %[[OFFSET]] : index
// CHECK-NEXT:      %[[INSIDE:.*]] = arith.cmpi ult, %[[OTHER]], %[[FOUR]] : index
// CHECK-NEXT:      %[[THERE:.*]] = arith.cmpi ult, %[[OTHER]], %[[FOUR]] : index
// CHECK-NEXT:      %[[VALID:.*]] = arith.andi %[[INSIDE]], %[[THERE]] : i1
// CHECK-NEXT:      %[[SOURCE:.*]] = arith.select %[[VALID]], %[[OTHER]], %[[LANE]] : index
// CHECK-NEXT:      %[[S:.*]] = memref.load %[[VALUES]][%[[SOURCE]]] : memref<4xi32>
// CHECK-NEXT:      memref.store %[[S]], %s_kept[%[[LANE]]] : memref<4xi32>
// CHECK-NEXT:    }

// -----

gpu.module @refused {
  gpu.func @refused(%o: i32, %v: i32) kernel {
    %w = arith.constant 32 : i32
    // expected-error @+1 {{shuffle over 32 lanes, expected the subgroup size or a power of 2 below 4}}
    %s, %valid = gpu.shuffle down %v, %o, %w : i32
    gpu.return
  }
}
