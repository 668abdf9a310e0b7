// RUN: stepwell opt %s -p gpu-to-cpu --split-input-file --verify-diagnostics | filecheck %s

// A flat kernel: one loop over the threads inside the extents, x only, since the rank is 1. What is
// the same for all threads is computed before it; a global id is affine in the loop's variable.

gpu.module @flat {
  gpu.func @scale(%a: f32, %x: memref<?xf32, #gpu.address_space<global>>, %ex: index, %ey: index, %ez: index)
      kernel attributes {gpux.over = 1 : i64} {
    %i = gpu.global_id x
    %c0 = arith.constant 0 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %twice = arith.addf %a, %a : f32
    %ok = arith.cmpi ult, %i, %n : index
    gpux.check %ok, "bounds", "index {}" (%i : index) formats ["index"]
    %v = memref.load %x[%i] : memref<?xf32, #gpu.address_space<global>>
    %p = arith.mulf %twice, %v : f32
    memref.store %p, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @scale(
// CHECK-SAME:    %a: f32, %x: memref<?xf32>, %ex: index, %ey: index, %ez: index,
// CHECK-SAME:    %bid_x: index, %bid_y: index, %bid_z: index, %bdim_x: index, %bdim_y: index, %bdim_z: index,
// CHECK-SAME:    %gdim_x: index, %gdim_y: index, %gdim_z: index, %shared_bytes: index, %report: !llvm.ptr)
// CHECK-SAME:    attributes {gpux.kernel, gpux.over = 1 : i64}
// CHECK:         %[[BASE:.*]] = arith.muli %bid_x, %bdim_x : index
// CHECK-NEXT:    %[[LEFT:.*]] = arith.subi %ex, %[[BASE]] : index
// CHECK-NEXT:    %[[COUNT:.*]] = arith.minsi %bdim_x, %[[LEFT]] : index
// CHECK:         %n = memref.dim %x, %c0 : memref<?xf32>
// CHECK-NEXT:    %twice = arith.addf %a, %a : f32
// CHECK-NEXT:    scf.for %[[T:.*]] = %{{.*}} to %[[COUNT]] step %{{.*}} {
// CHECK-NEXT:      %[[I:.*]] = arith.addi %[[BASE]], %[[T]] : index
// CHECK-NEXT:      %ok = arith.cmpi ult, %[[I]], %n : index
// CHECK-NEXT:      gpux.check %ok, "bounds", "index {}"(%[[I]] : index) ids(%bid_x, %bid_y, %bid_z, %[[T]], %[[ZERO:.*]], %[[ZERO]] :
// CHECK-NEXT:      %v = memref.load %x[%[[I]]] : memref<?xf32>
// CHECK-NEXT:      %p = arith.mulf %twice, %v : f32
// CHECK-NEXT:      memref.store %p, %x[%[[I]]] : memref<?xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

// -----

// Without known sizes three loops; workgroup arrays one per block, private arrays one for all
// threads, since they run one after the other.

gpu.module @arrays {
  gpu.func @arrays(%x: memref<?xf32, #gpu.address_space<global>>)
      workgroup(%s : memref<8x4xf32, #gpu.address_space<workgroup>>) kernel {
    %l = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
    %t = gpu.thread_id z
    %b = gpu.block_id y
    %v = memref.load %x[%t] : memref<?xf32, #gpu.address_space<global>>
    memref.store %v, %l[%b] : memref<4xf32, #gpu.address_space<private>>
    memref.store %v, %s[%b, %b] : memref<8x4xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @arrays(
// CHECK:         %[[SHARED:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8x4xf32>
// CHECK:         %[[PRIVATE:.*]] = memref.alloca() {gpux.private, alignment = 64 : i64} : memref<4xf32>
// CHECK-NEXT:    scf.for %tid_z = %{{.*}} to %bdim_z step
// CHECK-NEXT:      scf.for %tid_y = %{{.*}} to %bdim_y step
// CHECK-NEXT:        scf.for %tid_x = %{{.*}} to %bdim_x step
// CHECK-NEXT:          %v = memref.load %x[%tid_z] : memref<?xf32>
// CHECK-NEXT:          memref.store %v, %[[PRIVATE]][%bid_y] : memref<4xf32>
// CHECK-NEXT:          memref.store %v, %[[SHARED]][%bid_y, %bid_y] : memref<8x4xf32>

// -----

// Known sizes are constants, and loops that would run once are not there.

gpu.module @known {
  gpu.func @known(%x: memref<?xindex, #gpu.address_space<global>>)
      kernel attributes {gpu.known_block_size = array<i32: 32, 1, 2>} {
    %y = gpu.thread_id y
    %n = gpu.block_dim z
    %l = gpu.lane_id
    memref.store %n, %x[%y] : memref<?xindex, #gpu.address_space<global>>
    memref.store %l, %x[%y] : memref<?xindex, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @known(
// CHECK-DAG:     %[[FOUR:.*]] = arith.constant 4 : index
// CHECK-DAG:     %[[THIRTY_TWO:.*]] = arith.constant 32 : index
// CHECK-DAG:     %[[TWO:.*]] = arith.constant 2 : index
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0 : index
// CHECK:         scf.for %tid_z = %[[ZERO]] to %[[TWO]] step
// CHECK-NEXT:      scf.for %tid_x = %[[ZERO]] to %[[THIRTY_TWO]] step
// CHECK-NEXT:        memref.store %[[TWO]], %x[%[[ZERO]]] : memref<?xindex>
// CHECK-NEXT:        %[[ROWS:.*]] = arith.muli %[[THIRTY_TWO]], %tid_z : index
// CHECK-NEXT:        %[[LINEAR:.*]] = arith.addi %tid_x, %[[ROWS]] : index
// CHECK-NEXT:        %[[LANE:.*]] = arith.remui %[[LINEAR]], %[[FOUR]] : index
// CHECK-NEXT:        memref.store %[[LANE]], %x[%[[ZERO]]] : memref<?xindex>

// -----

// The launch's dynamic shared memory.

gpu.module @dynamic {
  gpu.func @dynamic(%v: i8, %i: index) kernel attributes {gpu.known_block_size = array<i32: 4, 1, 1>} {
    %s = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    memref.store %v, %s[%i] : memref<?xi8, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @dynamic(
// CHECK:         %[[BYTES:.*]] = memref.alloca(%shared_bytes) {alignment = 64 : i64} : memref<?xi8>
// CHECK:         scf.for %tid_x
// CHECK-NEXT:      memref.store %v, %[[BYTES]][%i] : memref<?xi8>
