// RUN: stepwell opt %s -p 'annotate-divergence{rows=true}' --split-input-file | filecheck %s

// Ids along x are affine, those along y the subgroup's; sums and products by constants stay affine,
// what extends them does not, and a load is in common only where the lanes run it together.

// CHECK-LABEL: gpu.func @values(
// CHECK: gpu.thread_id x {gpux.spread = "affine 1"}
// CHECK: gpu.thread_id y {gpux.spread = "subgroup"}
// CHECK: gpu.block_id x {gpux.spread = "block"}
// CHECK: arith.muli {{.*}} {gpux.spread = "affine -4"}
// CHECK: arith.subi {{.*}} {gpux.spread = "affine 5"}
// CHECK: arith.subi {{.*}} {gpux.spread = "subgroup"}
// CHECK: arith.shli {{.*}} {gpux.spread = "affine 40"}
// CHECK: arith.muli {{.*}} {gpux.spread = "varying"}
// CHECK: arith.index_cast {{.*}} {gpux.spread = "affine 5"} : index to i32
// CHECK: arith.extsi {{.*}} {gpux.spread = "varying"}
// CHECK: memref.load {{.*}} {gpux.spread = "subgroup"}
// CHECK: memref.load {{.*}} {gpux.spread = "varying"}
// CHECK: arith.addi {{.*}} {gpux.spread = "varying"}
// CHECK: memref.dim {{.*}} {gpux.spread = "block"}
gpu.module @m {
  gpu.func @values(%x: memref<?xi32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %c3 = arith.constant 3 : index
    %minus = arith.constant -4 : index
    %tx = gpu.thread_id x
    %ty = gpu.thread_id y
    %b = gpu.block_id x
    %down = arith.muli %tx, %minus : index
    %five = arith.subi %tx, %down : index
    %none = arith.subi %tx, %tx : index
    %forty = arith.shli %five, %c3 : index
    %any = arith.muli %tx, %ty : index
    %short = arith.index_cast %five : index to i32
    %long = arith.extsi %short : i32 to i64
    %one = memref.load %x[%ty] : memref<?xi32, #gpu.address_space<global>>
    %many = memref.load %x[%tx] : memref<?xi32, #gpu.address_space<global>>
    %sum = arith.addi %one, %many : i32
    %size = memref.dim %x, %c0 : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A branch that lanes take differently gives varying results, unless both ways give the same value;
// one that they take together keeps what is known of both ways.

// CHECK-LABEL: gpu.func @branches(
// CHECK: scf.if
// CHECK: {gpux.way = "varying", gpux.spread = "varying, block"}
// CHECK: scf.if
// CHECK: {gpux.way = "subgroup", gpux.spread = "affine 1, subgroup"}
gpu.module @m {
  gpu.func @branches(%x: memref<?xindex, #gpu.address_space<global>>, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %tx = gpu.thread_id x
    %ty = gpu.thread_id y
    %differs = arith.cmpi slt, %tx, %n : index
    %a, %b = scf.if %differs -> (index, index) {
      scf.yield %c0, %n : index, index
    } else {
      scf.yield %c1, %n : index, index
    }
    %agrees = arith.cmpi slt, %ty, %n : index
    %c, %d = scf.if %agrees -> (index, index) {
      scf.yield %tx, %c0 : index, index
    } else {
      %next = arith.addi %tx, %c1 : index
      scf.yield %next, %c1 : index, index
    }
    gpu.return
  }
}

// -----

// Lanes count together inside a loop that they leave at different times, but their last counts
// differ. What starts in common and becomes different in the loop differs from the start.

// CHECK-LABEL: gpu.func @loops(
// CHECK: scf.for
// CHECK: arith.addi %{{.*}}, %{{.*}} {gpux.spread = "block"}
// CHECK: arith.addi %{{.*}}, %{{.*}} {gpux.spread = "varying"}
// CHECK: arith.addi %{{.*}}, %{{.*}} {gpux.spread = "affine 1"}
// CHECK: } {gpux.way = "varying", gpux.spread = "varying, varying"}
// CHECK: scf.while
// CHECK: arith.addi %{{.*}}, %{{.*}} {gpux.spread = "block"}
// CHECK: {gpux.way = "block", gpux.spread = "block, affine 1"}
gpu.module @m {
  gpu.func @loops(%x: memref<?xindex, #gpu.address_space<global>>, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %tx = gpu.thread_id x
    %count, %sum = scf.for %i = %c0 to %tx step %c1 iter_args(%k = %c0, %s = %c0) -> (index, index) {
      %next = arith.addi %k, %c1 : index
      %v = memref.load %x[%tx] : memref<?xindex, #gpu.address_space<global>>
      %total = arith.addi %s, %v : index
      %place = arith.addi %i, %tx : index
      scf.yield %next, %total : index, index
    }
    %rounds, %last = scf.while (%j = %c0, %p = %tx) : (index, index) -> (index, index) {
      %more = arith.cmpi slt, %j, %n : index
      scf.condition(%more) %j, %p : index, index
    } do {
    ^bb0(%j: index, %p: index):
      %next = arith.addi %j, %c1 : index
      %moved = arith.addi %p, %next : index
      scf.yield %next, %moved : index, index
    }
    gpu.return
  }
}

// -----

// Rows that are not whole subgroups: lanes of a subgroup may lie in two of them.

// CHECK-LABEL: gpu.func @unknown(
// CHECK: gpu.lane_id {gpux.spread = "affine 1"}
// CHECK: gpux.ballot {{.*}} {gpux.spread = "subgroup"}
// CHECK: memref.load {{.*}} {gpux.spread = "varying"}
gpu.module @m {
  gpu.func @unknown(%p: i1) private(%l: memref<4xi32, #gpu.address_space<private>>) kernel {
    %c0 = arith.constant 0 : index
    %lane = gpu.lane_id
    %votes = gpux.ballot %p : i64
    %own = memref.load %l[%c0] : memref<4xi32, #gpu.address_space<private>>
    gpu.return
  }
}
