// RUN: stepwell opt %s -p 'lower-subgroups-to-shared{features="sg16"}' --split-input-file | filecheck %s
// RUN: stepwell opt %s -p 'lower-subgroups-to-shared{features="sg16+subgroup_basic+subgroup_arithmetic"}' --split-input-file | filecheck %s --check-prefix SOME
// RUN: stepwell opt %s -p 'lower-subgroups-to-shared{features="sg4"}' --split-input-file | filecheck %s --check-prefix FOUR

// Each thread writes its word, and reads those of its subgroup after a barrier. After the last op
// nobody writes again.

gpu.module @reduce {
  gpu.func @reduce(%x: memref<?xf32, #gpu.address_space<global>>, %v: f32) kernel attributes {gpux.block_rank = 1 : i64} {
    %r = gpu.subgroup_reduce add %v : (f32) -> f32
    %s = gpux.subgroup_scan "add" "exclusive" %r : f32
    %lane = gpu.lane_id
    memref.store %s, %x[%lane] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @reduce(
// CHECK-SAME:    workgroup(%lane_words : memref<1024xi32, #gpu.address_space<workgroup>>)
// CHECK-SAME:    gpux.most_threads = 1024 : i64
// CHECK-SAME:    gpu.subgroup_reduce goes through shared memory, with two barriers: the device has no subgroup_basic, subgroup_arithmetic
// CHECK-SAME:    gpux.subgroup_scan goes through shared memory, with a barrier:
// CHECK:         %[[T:.*]] = gpu.thread_id x
// CHECK:         %[[LANE:.*]] = arith.andi %[[T]], %{{.*}} : index
// CHECK:         %[[FIRST:.*]] = arith.subi %[[T]], %[[LANE]] : index
// CHECK:         %[[WORD:.*]] = arith.bitcast %v : f32 to i32
// CHECK-NEXT:    memref.store %[[WORD]], %lane_words[%[[T]]]
// CHECK-NEXT:    gpu.barrier
// CHECK:         %r = scf.for %[[L:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) -> (f32) {
// CHECK-NEXT:      %[[AT:.*]] = arith.addi %[[FIRST]], %[[L]] : index
// CHECK-NEXT:      %[[OTHER:.*]] = memref.load %lane_words[%[[AT]]]
// CHECK-NEXT:      %[[BITS:.*]] = arith.bitcast %[[OTHER]] : i32 to f32
// CHECK-NEXT:      %[[NEXT:.*]] = arith.addf %[[SUM]], %[[BITS]] : f32
// CHECK-NEXT:      scf.yield %[[NEXT]] : f32
// CHECK:         gpu.barrier
// CHECK:         memref.store %{{.*}}, %lane_words[%[[T]]]
// CHECK-NEXT:    gpu.barrier
// CHECK:         %s = scf.for %{{.*}} = %{{.*}} to %[[LANE]] step
// CHECK-NOT:     gpu.barrier
// CHECK:         memref.store %s, %x[%[[LANE]]]

// SOME-LABEL:  gpu.func @reduce(
// SOME-NOT:      workgroup
// SOME:          gpu.subgroup_reduce add %v
// SOME:          gpux.subgroup_scan
// SOME:          gpu.lane_id

// A few lanes are read without a loop.
// FOUR-LABEL:  gpu.func @reduce(
// FOUR-NOT:      scf.for
// FOUR:          gpu.return

// -----

// A block of known size needs no more words, and 64 bits are two. Only what the device lacks changes.

gpu.module @known {
  gpu.func @known(%x: memref<?xi64, #gpu.address_space<global>>, %v: i64, %p: i1, %n: i32) kernel attributes {gpu.known_block_size = array<i32: 8, 5, 1>} {
    %m = gpux.ballot %p : i64
    %s, %ok = gpu.shuffle xor %v, %n, %n : i64
    %w = arith.addi %m, %s : i64
    %t = gpu.thread_id x
    memref.store %w, %x[%t] : memref<?xi64, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @known(
// CHECK-SAME:    workgroup(%lane_words : memref<96xi32, #gpu.address_space<workgroup>>)
// CHECK-NOT:     most_threads
// CHECK-SAME:    the device has no subgroup_basic, subgroup_ballot
// CHECK:         %[[VOTE:.*]] = arith.extui %p : i1 to i32
// CHECK-NEXT:    memref.store %[[VOTE]], %lane_words[
// CHECK-NEXT:    gpu.barrier
// CHECK:         scf.for
// CHECK:           arith.shli
// CHECK:         %m = arith.extui %{{.*}} : i32 to i64
// CHECK-NEXT:    gpu.barrier
// CHECK-COUNT-2: memref.store %{{.*}}, %lane_words[
// CHECK-NEXT:    gpu.barrier
// CHECK-COUNT-2: memref.load %lane_words[
// CHECK-NOT:     gpu.barrier

// SOME-LABEL:  gpu.func @known(
// SOME-SAME:     the device has no subgroup_ballot
// SOME-SAME:     gpu.shuffle
// SOME-SAME:     the device has no subgroup_ballot, subgroup_shuffle

// -----

// All threads of the block come to the op; those that did not mean to add nothing.

gpu.module @branch {
  gpu.func @branch(%x: memref<?xi32, #gpu.address_space<global>>, %n: index) kernel attributes {gpux.block_rank = 1 : i64} {
    %t = gpu.thread_id x
    %c = arith.cmpi ult, %t, %n : index
    scf.if %c {
      %v = memref.load %x[%t] : memref<?xi32, #gpu.address_space<global>>
      %r = gpu.subgroup_reduce maxsi %v : (i32) -> i32
      memref.store %r, %x[%t] : memref<?xi32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @branch(
// CHECK:         %c = arith.cmpi ult
// CHECK:         %v = scf.if %c -> (i32) {
// CHECK-NEXT:      %[[V:.*]] = memref.load %x
// CHECK-NEXT:      scf.yield %[[V]] : i32
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-NEXT:      scf.yield %[[ZERO]] : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    %[[LEAST:.*]] = arith.constant -2147483648 : i32
// CHECK-NEXT:    %[[OWN:.*]] = arith.select %c, %v, %[[LEAST]] : i32
// CHECK-NEXT:    memref.store %[[OWN]], %lane_words
// CHECK-NEXT:    gpu.barrier
// CHECK:         %r = scf.for
// CHECK:         scf.if %c {
// CHECK-NEXT:      memref.store %r, %x

// -----

// A branch that all threads of a block take together stays; a shuffle under a mask asks whether the
// other thread is there.

gpu.module @together {
  gpu.func @together(%x: memref<?xi32, #gpu.address_space<global>>, %n: index, %w: i32) kernel attributes {gpux.block_rank = 1 : i64} {
    %t = gpu.thread_id x
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %same = arith.cmpi ult, %c1, %n : index
    %odd = arith.andi %t, %c1 : index
    %differs = arith.cmpi eq, %odd, %c1 : index
    scf.if %same {
      %u = gpu.subgroup_reduce or %w : (i32) -> i32
      memref.store %u, %x[%t] : memref<?xi32, #gpu.address_space<global>>
    }
    scf.if %differs {
      scf.for %i = %c0 to %n step %c1 {
        %v, %ok = gpu.shuffle up %w, %w, %w : i32
        memref.store %v, %x[%i] : memref<?xi32, #gpu.address_space<global>>
      }
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @together(
// CHECK-SAME:    %lane_is_there : memref<1024xi32
// CHECK:         scf.if %same {
// CHECK-NEXT:      memref.store %w, %lane_words
// CHECK-NEXT:      gpu.barrier
// CHECK:           memref.store %u, %x
// CHECK-NEXT:    }
// CHECK-NOT:     scf.if
// CHECK:         scf.for %i = %c0 to %n step %c1 {
// CHECK-NEXT:      %[[THERE:.*]] = arith.extui %differs : i1 to i32
// CHECK-NEXT:      memref.store %[[THERE]], %lane_is_there
// CHECK-NEXT:      memref.store %w, %lane_words
// CHECK-NEXT:      gpu.barrier
// CHECK:           memref.load %lane_is_there
// CHECK:           gpu.barrier
// CHECK:           scf.if %differs {
// CHECK-NEXT:        memref.store %v, %x

// -----

// A loop that threads leave at different times goes on until the last one does, with a mask.

gpu.module @loop {
  gpu.func @loop(%x: memref<?xi32, #gpu.address_space<global>>) kernel attributes {gpux.block_rank = 1 : i64} {
    %t = gpu.thread_id x
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %zero = arith.constant 0 : i32
    %sum = scf.for %i = %c0 to %t step %c1 iter_args(%so_far = %zero) -> (i32) {
      %v = memref.load %x[%i] : memref<?xi32, #gpu.address_space<global>>
      %r = gpu.subgroup_reduce add %v : (i32) -> i32
      %next = arith.addi %so_far, %r : i32
      scf.yield %next : i32
    }
    memref.store %sum, %x[%t] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @loop(
// CHECK-SAME:    %goes_on : memref<1xi32
// CHECK-SAME:    goes on until the last thread of the block leaves it
// CHECK:         %[[ALL:.*]] = arith.constant true
// CHECK:         scf.while (%[[I:.*]] = %c0, %[[S:.*]] = %zero, {{.*}}, %[[IN:.*]] = %[[ALL]]) : (index, i32, index, i32, i1) -> (index, i32, i1) {
// CHECK-NEXT:      %[[MORE:.*]] = arith.cmpi slt, %[[I]], %t : index
// CHECK-NEXT:      arith.select %[[IN]], %[[I]],
// CHECK-NEXT:      arith.select %[[IN]], %[[S]],
// CHECK-NEXT:      %[[ON:.*]] = arith.andi %[[IN]], %[[MORE]] : i1
// CHECK:           gpu.barrier
// CHECK:           memref.store %{{.*}}, %goes_on
// CHECK:           gpu.barrier
// CHECK-NEXT:      scf.if %[[ON]] {
// CHECK:             memref.store %{{.*}}, %goes_on
// CHECK:           gpu.barrier
// CHECK-NEXT:      %[[FLAG:.*]] = memref.load %goes_on
// CHECK:           %[[ANY:.*]] = arith.cmpi ne, %[[FLAG]]
// CHECK-NEXT:      scf.condition(%[[ANY]])
// CHECK:         } do {
// CHECK:           scf.if %{{.*}} -> (i32) {
// CHECK-NEXT:        memref.load %x
