// RUN: stepwell opt %s -p gpu-to-cpu --split-input-file --verify-diagnostics | filecheck %s

// A barrier ends one loop over the threads and begins the next. What lives across it is kept in an
// array (%v), made again (%u, from ids and uniform values), or the same for all threads (%n).

gpu.module @live {
  gpu.func @live(%x: memref<?xf32, #gpu.address_space<global>>)
      workgroup(%s : memref<32xf32, #gpu.address_space<workgroup>>)
      kernel attributes {gpu.known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = gpu.thread_id x
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %u = arith.subi %n, %t : index
    %v = memref.load %x[%u] : memref<?xf32, #gpu.address_space<global>>
    memref.store %v, %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %w = memref.load %s[%c0] : memref<32xf32, #gpu.address_space<workgroup>>
    %r = arith.addf %v, %w : f32
    memref.store %r, %x[%u] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @live(
// CHECK:         %[[SHARED:.*]] = memref.alloca() {alignment = 64 : i64} : memref<32xf32>
// CHECK:         %v_kept = memref.alloca() {alignment = 64 : i64} : memref<32xf32>
// CHECK-NOT:     memref.alloca
// CHECK:         %n = memref.dim %x, %c0 : memref<?xf32>
// CHECK-NEXT:    scf.for %[[T:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:      %u = arith.subi %n, %[[T]] : index
// CHECK-NEXT:      %v = memref.load %x[%u] : memref<?xf32>
// CHECK-NEXT:      memref.store %v, %v_kept[%[[T]]] : memref<32xf32>
// CHECK-NEXT:      memref.store %v, %[[SHARED]][%[[T]]] : memref<32xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.for %[[T2:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:      %w = memref.load %[[SHARED]][%c0] : memref<32xf32>
// CHECK-NEXT:      %[[V:.*]] = memref.load %v_kept[%[[T2]]] : memref<32xf32>
// CHECK-NEXT:      %r = arith.addf %[[V]], %w : f32
// CHECK-NEXT:      %[[U:.*]] = arith.subi %n, %[[T2]] : index
// CHECK-NEXT:      memref.store %r, %x[%[[U]]] : memref<?xf32>

// -----

// A loop with a barrier inside is a loop of the block. %k is uniform and stays a value; each thread
// has its own %a, in an array.

gpu.module @loop {
  gpu.func @loop(%x: memref<?xi32, #gpu.address_space<global>>, %n: index)
      kernel attributes {gpu.known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %t = gpu.thread_id x
    %v = memref.load %x[%t] : memref<?xi32, #gpu.address_space<global>>
    %last, %count = scf.for %i = %c0 to %n step %c1 iter_args(%a = %v, %k = %c1) -> (i32, index) {
      %b = arith.addi %a, %a : i32
      gpu.barrier
      %m = arith.addi %k, %i : index
      scf.yield %b, %m : i32, index
    }
    memref.store %last, %x[%count] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @loop(
// CHECK:         scf.for
// CHECK-NEXT:      %v = memref.load %x[%[[T:.*]]] : memref<?xi32>
// CHECK-NEXT:      memref.store %v, %a_kept[%[[T]]] : memref<32xi32>
// CHECK-NEXT:    }
// CHECK-NEXT:    %[[COUNT:.*]] = scf.for %i = %c0 to %n step %c1 iter_args(%[[K:.*]] = %c1) -> (index) {
// CHECK-NEXT:      scf.for %[[T:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:        %[[A:.*]] = memref.load %a_kept[%[[T]]] : memref<32xi32>
// CHECK-NEXT:        %b = arith.addi %[[A]], %[[A]] : i32
// CHECK-NEXT:        memref.store %b, %b_kept[%[[T]]] : memref<32xi32>
// CHECK-NEXT:      }
// CHECK-NEXT:      %m = arith.addi %[[K]], %i : index
// CHECK-NEXT:      scf.for %[[T:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:        %[[B:.*]] = memref.load %b_kept[%[[T]]] : memref<32xi32>
// CHECK-NEXT:        memref.store %[[B]], %a_kept[%[[T]]] : memref<32xi32>
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.yield %m : index
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.for %[[T:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:      %[[LAST:.*]] = memref.load %a_kept[%[[T]]] : memref<32xi32>
// CHECK-NEXT:      memref.store %[[LAST]], %x[%[[COUNT]]] : memref<?xi32>

// -----

// Whether all threads take the branch is not known: they are compared with the first.

gpu.module @branch {
  gpu.func @branch(%x: memref<?xi1, #gpu.address_space<global>>)
      kernel attributes {gpu.known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    %c = memref.load %x[%t] : memref<?xi1, #gpu.address_space<global>>
    scf.if %c {
      gpu.barrier
    }
    gpu.return
  }
}

// CHECK-LABEL: func.func @branch(
// CHECK:         %[[KEPT:.*]] = memref.load %c_kept[%[[ZERO:.*]]] : memref<32xi8>
// CHECK-NEXT:    %[[FIRST:.*]] = arith.cmpi ne, %[[KEPT]], %{{.*}} : i8
// CHECK-NEXT:    scf.for %[[T:.*]] = %[[ZERO]] to
// CHECK-NEXT:      %[[OWN_KEPT:.*]] = memref.load %c_kept[%[[T]]] : memref<32xi8>
// CHECK-NEXT:      %[[OWN:.*]] = arith.cmpi ne, %[[OWN_KEPT]], %{{.*}} : i8
// CHECK-NEXT:      %[[SAME:.*]] = arith.cmpi eq, %[[OWN]], %[[FIRST]] : i1
// CHECK-NEXT:      gpux.check %[[SAME]], "barrier", "barrier is reached by some threads of the block only" ids(%bid_x, %bid_y, %bid_z, %[[T]], %[[ZERO]], %[[ZERO]] :
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.if %[[FIRST]] {

// -----

// A private array that is used on both sides of a barrier is one of many.

gpu.module @private {
  gpu.func @private(%i: index, %v: f32, %x: memref<?xf32, #gpu.address_space<global>>)
      kernel attributes {gpu.known_block_size = array<i32: 32, 1, 1>} {
    %l = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
    memref.store %v, %l[%i] : memref<4xf32, #gpu.address_space<private>>
    gpu.barrier
    %w = memref.load %l[%i] : memref<4xf32, #gpu.address_space<private>>
    memref.store %w, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @private(
// CHECK:         %l_kept = memref.alloca() {alignment = 64 : i64} : memref<32x4xf32>
// CHECK:         scf.for
// CHECK-NEXT:      %[[L:.*]] = memref.subview %l_kept[%[[T:.*]], 0] [1, 4] [1, 1] : memref<32x4xf32> to memref<4xf32, strided<[1], offset: ?>>
// CHECK-NEXT:      memref.store %v, %[[L]][%i] : memref<4xf32, strided<[1], offset: ?>>
// CHECK:         scf.for
// CHECK-NEXT:      %[[L:.*]] = memref.subview %l_kept[%[[T:.*]], 0] [1, 4] [1, 1]
// CHECK-NEXT:      %w = memref.load %[[L]][%i] : memref<4xf32, strided<[1], offset: ?>>

// -----

gpu.module @refused {
  gpu.func @refused(%x: memref<?xf32, #gpu.address_space<global>>, %y: memref<?xf32, #gpu.address_space<global>>) kernel {
    %t = gpu.thread_id x
    %v = memref.load %x[%t] : memref<?xf32, #gpu.address_space<global>>
    %c = arith.cmpf ogt, %v, %v : f32
    // expected-error @+1 {{which array this is depends on control flow}}
    %m = scf.if %c -> (memref<?xf32, #gpu.address_space<global>>) {
      scf.yield %x : memref<?xf32, #gpu.address_space<global>>
    } else {
      scf.yield %y : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.barrier
    memref.store %v, %m[%t] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Of shared memory only the block sees anything.

gpu.module @updates {
  gpu.func @updates(%x: memref<?xi32, #gpu.address_space<global>>)
      workgroup(%s : memref<32xi32, #gpu.address_space<workgroup>>)
      kernel attributes {gpu.known_block_size = array<i32: 32, 1, 1>} {
    %t = gpu.thread_id x
    %one = arith.constant 1 : i32
    %a = gpux.atomic_rmw "add" %one, %s[%t] order "relaxed" scope "device" : i32, memref<32xi32, #gpu.address_space<workgroup>>
    %b = gpux.atomic_rmw "add" %one, %x[%t] order "relaxed" scope "device" : i32, memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @updates(
// CHECK:         gpux.atomic_rmw "add" %one, %{{.*}} order "relaxed" scope "block" : i32, memref<32xi32>
// CHECK:         gpux.atomic_rmw "add" %one, %x[%{{.*}}] order "relaxed" scope "device" : i32, memref<?xi32>

// -----

// Arrays of 1 KiB one after the other would have what one thread keeps in few sets of a cache, so
// they are a line longer.

gpu.module @apart {
  gpu.func @apart(%x: memref<?xf32, #gpu.address_space<global>>)
      kernel attributes {gpu.known_block_size = array<i32: 256, 1, 1>} {
    %t = gpu.thread_id x
    %v = memref.load %x[%t] : memref<?xf32, #gpu.address_space<global>>
    gpu.barrier
    memref.store %v, %x[%t] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: func.func @apart(
// CHECK:         %v_kept = memref.alloca() {alignment = 64 : i64} : memref<272xf32>
