// RUN: stepwell opt %s -p flatten-memrefs,canonicalize,cse,check-level{level=shader} --split-input-file --verify-diagnostics | filecheck %s

// A buffer is an array and its dynamic sizes; a row of it is where the row begins.

// CHECK-LABEL: gpu.func @rows(
// CHECK-SAME: %x: memref<?xf32, #gpu.address_space<global>>, %x_size0: index, %x_size1: index, %n: index) kernel
// CHECK: %[[I:.*]] = gpu.global_id x
// CHECK: %[[ROW:.*]] = arith.muli %[[I]], %x_size1 : index
// CHECK: %[[AT:.*]] = arith.addi %[[ROW]], %n : index
// CHECK: %[[V:.*]] = memref.load %x[%[[AT]]] : memref<?xf32, #gpu.address_space<global>>
// CHECK: memref.store %[[V]], %x[%[[ROW]]]
gpu.module @m {
  gpu.func @rows(%x: memref<?x?xf32, #gpu.address_space<global>>, %n: index) kernel {
    %i = gpu.global_id x
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %size = memref.dim %x, %c1 : memref<?x?xf32, #gpu.address_space<global>>
    %row = memref.subview %x[%i, 0] [1, %size] [1, 1] : memref<?x?xf32, #gpu.address_space<global>> to memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>>
    %v = memref.load %row[%n] : memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>>
    memref.store %v, %x[%i, %c0] : memref<?x?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Strides are parameters; every other element of a part has the stride doubled; scalars stay.

// CHECK-LABEL: gpu.func @strides(
// CHECK-SAME: %x: memref<?xf32, #gpu.address_space<global>>, %x_size0: index, %x_stride0: index, %x_stride1: index, %v: f32)
// CHECK: %[[I:.*]] = gpu.global_id x
// CHECK: %[[TWO:.*]] = arith.constant 2 : index
// CHECK: %[[ROW:.*]] = arith.muli %x_stride0, %[[TWO]] : index
// CHECK: %[[STEP:.*]] = arith.muli %x_stride1, %[[TWO]] : index
// CHECK: %[[FAR:.*]] = arith.muli %[[I]], %[[STEP]] : index
// CHECK: %[[AT:.*]] = arith.addi %[[ROW]], %[[FAR]] : index
// CHECK: memref.store %v, %x[%[[AT]]] : memref<?xf32
gpu.module @m {
  gpu.func @strides(%x: memref<?x8xf32, strided<[?, ?], offset: ?>, #gpu.address_space<global>>, %v: f32) kernel {
    %i = gpu.global_id x
    %row = memref.subview %x[2, 0] [1, 4] [1, 2] : memref<?x8xf32, strided<[?, ?], offset: ?>, #gpu.address_space<global>> to memref<4xf32, strided<[?], offset: ?>, #gpu.address_space<global>>
    memref.store %v, %row[%i] : memref<4xf32, strided<[?], offset: ?>, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Arrays of constant size in one dimension; a private one stands where the kernel begins. All kinds
// of access, all ways to say which part of an array is meant.

// CHECK-LABEL: gpu.func @arrays(
// CHECK-SAME: workgroup(%w : memref<32xi32, #gpu.address_space<workgroup>>) private(%p : memref<6xi32, #gpu.address_space<private>>)
// CHECK: %l = memref.alloca() : memref<8xi32, #gpu.address_space<private>>
// CHECK: gpu.thread_id x
// CHECK: scf.if
// CHECK: gpux.atomic_rmw "add" %v, %w[%{{.*}}] order "relaxed" scope "block" : i32, memref<32xi32, #gpu.address_space<workgroup>>
// CHECK: gpux.atomic_cas %{{.*}}, %v, %w[%{{.*}}]
// CHECK: memref.load %l[
// CHECK: memref.store %{{.*}}, %p[
gpu.module @m {
  gpu.func @arrays(%v: i32, %c: i1) workgroup(%w: memref<4x8xi32, #gpu.address_space<workgroup>>) private(%p: memref<2x3xi32, #gpu.address_space<private>>) kernel {
    %t = gpu.thread_id x
    %c1 = arith.constant 1 : index
    scf.if %c {
      %l = memref.alloca() : memref<2x4xi32, #gpu.address_space<private>>
      %old = gpux.atomic_rmw "add" %v, %w[%c1, %t] order "relaxed" scope "block" : i32, memref<4x8xi32, #gpu.address_space<workgroup>>
      %seen = gpux.atomic_cas %old, %v, %w[%t, %c1] order "relaxed" scope "block" : i32, memref<4x8xi32, #gpu.address_space<workgroup>>
      memref.store %seen, %l[%t, %c1] : memref<2x4xi32, #gpu.address_space<private>>
      %flat = memref.reinterpret_cast %l to offset: [2], sizes: [3], strides: [2] : memref<2x4xi32, #gpu.address_space<private>> to memref<3xi32, strided<[2], offset: 2>, #gpu.address_space<private>>
      %x = memref.load %flat[%t] : memref<3xi32, strided<[2], offset: 2>, #gpu.address_space<private>>
      memref.store %x, %p[%c1, %t] : memref<2x3xi32, #gpu.address_space<private>>
    }
    gpu.return
  }
}

// -----

// Dynamic workgroup memory is one array for each element type.

// CHECK-LABEL: gpu.func @dynamic(
// CHECK: %[[BYTES:.*]] = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
// CHECK: %[[COUNT:.*]] = memref.dim %[[BYTES]]
// CHECK: %[[LENGTH:.*]] = arith.divui %[[COUNT]]
// CHECK: %[[ARRAY:.*]] = memref.view %[[BYTES]][%{{.*}}][%[[LENGTH]]] : memref<?xi8, #gpu.address_space<workgroup>> to memref<?xf32
// CHECK-NOT: gpu.dynamic_shared_memory
// CHECK: memref.store %v, %[[ARRAY]][
// CHECK: memref.store %v, %[[ARRAY]][
gpu.module @m {
  gpu.func @dynamic(%v: f32, %n: index) kernel {
    %t = gpu.thread_id x
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %d = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %a = memref.view %d[%c0][%n] : memref<?xi8, #gpu.address_space<workgroup>> to memref<?x2xf32, #gpu.address_space<workgroup>>
    memref.store %v, %a[%t, %c0] : memref<?x2xf32, #gpu.address_space<workgroup>>
    %e = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %b = memref.view %e[%c64][%n] : memref<?xi8, #gpu.address_space<workgroup>> to memref<?xf32, #gpu.address_space<workgroup>>
    memref.store %v, %b[%t] : memref<?xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// -----

// A view that a loop carries along stays in its array: only its first element is carried.

// CHECK-LABEL: gpu.func @loop(
// CHECK: %[[LAST:.*]] = scf.for %{{.*}} iter_args(%[[FIRST:.*]] = %{{.*}}) -> (index) {
// CHECK: arith.addi %[[FIRST]]
// CHECK: memref.store %v, %x[%[[LAST]]]
gpu.module @m {
  gpu.func @loop(%x: memref<?xf32, #gpu.address_space<global>>, %v: f32, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %all = memref.subview %x[0] [%n] [1] : memref<?xf32, #gpu.address_space<global>> to memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>>
    %end = scf.for %i = %c0 to %n step %c1 iter_args(%view = %all) -> (memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>>) {
      %next = memref.subview %view[1] [%n] [1] : memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>> to memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>>
      scf.yield %next : memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>>
    }
    memref.store %v, %end[%c0] : memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Which of two arrays it is becomes a number.

// CHECK-LABEL: gpu.func @choice(
// CHECK-SAME: gpux.remarks = [{{.*}}one of 2 arrays is accessed: a branch for each of them
// CHECK: %[[WHICH:.*]] = scf.if %c -> (i32) {
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %[[WHICH]],
// CHECK: scf.if %[[SAME]] -> (f32) {
// CHECK: memref.load %x[%n]
// CHECK: } else {
// CHECK: memref.load %y[%n]
gpu.module @m {
  gpu.func @choice(%x: memref<?xf32, #gpu.address_space<global>>, %y: memref<?xf32, #gpu.address_space<global>>, %c: i1, %n: index) kernel {
    %m = scf.if %c -> (memref<?xf32, #gpu.address_space<global>>) {
      gpu.barrier
      scf.yield %x : memref<?xf32, #gpu.address_space<global>>
    } else {
      scf.yield %y : memref<?xf32, #gpu.address_space<global>>
    }
    %v = memref.load %m[%n] : memref<?xf32, #gpu.address_space<global>>
    memref.store %v, %y[%n] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A kernel without arrays stays as it is.

// CHECK-LABEL: gpu.func @none(%a: f32, %n: index) kernel {
// CHECK-NEXT: gpu.barrier
gpu.module @m {
  gpu.func @none(%a: f32, %n: index) kernel {
    gpu.barrier
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error @below {{func.func: a memref of a function that is not a kernel (inline helpers first)}}
  func.func @helper(%x: memref<?xf32, #gpu.address_space<global>>) {
    func.return
  }
  gpu.func @refused(%x: memref<?xi8, #gpu.address_space<global>>, %n: index) kernel {
    // expected-error @below {{memref.alloca: an array of type memref<?xf32, #gpu.address_space<private>>, expected constant sizes and no layout}}
    %l = memref.alloca(%n) : memref<?xf32, #gpu.address_space<private>>
    // expected-error @below {{memref.view: a view of bytes that are not dynamic workgroup memory}}
    %v = memref.view %x[%n][%n] : memref<?xi8, #gpu.address_space<global>> to memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A matrix lies from an index on, with the distance of its rows beside it.

// CHECK-LABEL: gpu.func @matrices(
// CHECK: %[[ROW:.*]] = arith.muli %i, %a_stride0 : index
// CHECK: %[[AT:.*]] = arith.addi %[[ROW]], %i : index
// CHECK: gpux.matrix_load %a[%[[AT]]], %a_stride0 {transpose} : memref<?xf32, #gpu.address_space<global>> -> !gpu.mma_matrix<4x4xf32, "COp">
// CHECK: %[[LEAD:.*]] = arith.constant 12 : index
// CHECK: gpux.matrix_store %{{.*}}, %s[%i], %[[LEAD]] : !gpu.mma_matrix<4x4xf32, "COp">, memref<64xf32, #gpu.address_space<workgroup>>
// CHECK: "memref.extract_aligned_pointer_as_index"(%a) : (memref<?xf32
gpu.module @m {
  gpu.func @matrices(%a: memref<?x?xf32, strided<[?, 1]>, #gpu.address_space<global>>, %i: index) workgroup(%s : memref<64xf32, #gpu.address_space<workgroup>>) kernel {
    %x = gpu.subgroup_mma_load_matrix %a[%i, %i] {leadDimension = -9223372036854775808 : index, transpose} : memref<?x?xf32, strided<[?, 1]>, #gpu.address_space<global>> -> !gpu.mma_matrix<4x4xf32, "COp">
    gpu.subgroup_mma_store_matrix %x, %s[%i] {leadDimension = 12 : index} : !gpu.mma_matrix<4x4xf32, "COp">, memref<64xf32, #gpu.address_space<workgroup>>
    %p = "memref.extract_aligned_pointer_as_index"(%a) : (memref<?x?xf32, strided<[?, 1]>, #gpu.address_space<global>>) -> index
    %ok = arith.cmpi eq, %p, %i : index
    gpux.check %ok, "alignment", "no" formats []
    gpu.return
  }
}
