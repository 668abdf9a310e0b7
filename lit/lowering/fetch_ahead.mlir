// RUN: stepwell opt %s -p fetch-ahead --split-input-file | filecheck %s
// RUN: stepwell opt %s -p 'fetch-ahead{wanted=false}' --split-input-file | filecheck %s --check-prefix=NONE

// NONE-NOT: gpux.fetch_ahead

// A loop that goes on through an array that it does not read: by its counter, or by what it carries.

// CHECK-LABEL: func.func @goes_on
// CHECK:         vector.store %{{.*}}, %y[%{{.*}}] {gpux.fetch_ahead = 512 : i64}
// CHECK-LABEL: func.func @rows
// CHECK:         vector.store %{{.*}}, %y[%i, %{{.*}}] {gpux.fetch_ahead = 512 : i64}
// CHECK:         vector.store %{{.*}}, %y[%i, %{{.*}}] {gpux.fetch_ahead = 512 : i64}
func.func @goes_on(%x: memref<?xf32>, %y: memref<?xf32>, %i: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  scf.for %t = %c0 to %n step %c16 {
    %j = arith.addi %t, %i : index
    %v = vector.load %x[%j] : memref<?xf32>, vector<16xf32>
    vector.store %v, %y[%j] : memref<?xf32>, vector<16xf32>
  }
  func.return
}
func.func @rows(%v: vector<16xf32>, %y: memref<?x?xf32>, %i: index, %from: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %end = scf.for %t = %c0 to %n step %c32 iter_args(%j = %from) -> (index) {
    vector.store %v, %y[%i, %j] : memref<?x?xf32>, vector<16xf32>
    %k = arith.addi %j, %c16 : index
    vector.store %v, %y[%i, %k] : memref<?x?xf32>, vector<16xf32>
    %next = arith.addi %j, %c32 : index
    scf.yield %next : index
  }
  func.return
}

// -----

// What the loop loads anyway comes with the loads, but where caches are too small for a launch.

// CHECK-LABEL: func.func @reads
// CHECK-NOT:     gpux.fetch_ahead
// CHECK-LABEL: func.func @large
// CHECK:         gpux.fetch_ahead
func.func @reads(%y: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  scf.for %t = %c0 to %n step %c16 {
    %v = vector.load %y[%t] : memref<?xf32>, vector<16xf32>
    vector.store %v, %y[%t] : memref<?xf32>, vector<16xf32>
  }
  func.return
}
func.func @large(%y: memref<?xf32>, %n: index) attributes {gpux.streams} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  scf.for %t = %c0 to %n step %c16 {
    %v = vector.load %y[%t] : memref<?xf32>, vector<16xf32>
    vector.store %v, %y[%t] : memref<?xf32>, vector<16xf32>
  }
  func.return
}

// -----

// A loop that does little but to add up what it loads: another one, which is not unrolled, for arrays
// of 4 MiB and more.

// CHECK-LABEL: func.func @adds_up
// CHECK:         %[[SIZE:.*]] = arith.muli %{{.*}}, %{{.*}} : index
// CHECK:         %[[MOST:.*]] = arith.constant 4194304 : index
// CHECK:         %[[LARGE:.*]] = arith.cmpi sge, %[[SIZE]], %[[MOST]] : index
// CHECK:         %[[SUM:.*]] = scf.if %[[LARGE]] -> (vector<16xf32>) {
// CHECK:           %[[FAR:.*]] = scf.for
// CHECK:             vector.load %x[%{{.*}}] {gpux.fetch_ahead = 512 : i64}
// CHECK:             vector.load %y[%{{.*}}] {gpux.fetch_ahead = 512 : i64}
// CHECK:           } {gpux.unroll = 1 : i64}
// CHECK:           scf.yield %[[FAR]] : vector<16xf32>
// CHECK:         } else {
// CHECK-NEXT:      %[[NEAR:.*]] = scf.for
// CHECK-NOT:         gpux
// CHECK:           scf.yield %[[NEAR]] : vector<16xf32>
// CHECK:         }
// CHECK:         func.return %[[SUM]]
func.func @adds_up(%x: memref<?xf32>, %y: memref<?xf32>, %zero: vector<16xf32>, %n: index) -> vector<16xf32> {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %sum = scf.for %t = %c0 to %n step %c16 iter_args(%before = %zero) -> (vector<16xf32>) {
    %v = vector.load %x[%t] : memref<?xf32>, vector<16xf32>
    %w = vector.load %y[%t] : memref<?xf32>, vector<16xf32>
    %p = arith.mulf %v, %w : vector<16xf32>
    %s = arith.addf %before, %p : vector<16xf32>
    scf.yield %s : vector<16xf32>
  }
  func.return %sum : vector<16xf32>
}

// -----

// Not one that computes more, loads nothing new, or keeps to an array of the block.

// CHECK-LABEL: func.func @computes
// CHECK-NOT:     gpux.fetch_ahead
// CHECK-NOT:     gpux.unroll
func.func @computes(%x: memref<?xf32>, %zero: vector<16xf32>, %n: index) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %own = memref.alloca() : memref<4096xf32>
  %a = scf.for %t = %c0 to %n step %c16 iter_args(%before = %zero) -> (vector<16xf32>) {
    %v = vector.load %x[%t] : memref<?xf32>, vector<16xf32>
    %e = math.exp %v : vector<16xf32>
    %s = arith.addf %before, %e : vector<16xf32>
    scf.yield %s : vector<16xf32>
  }
  %b = scf.for %t = %c0 to %n step %c16 iter_args(%before = %zero) -> (vector<16xf32>) {
    %v = vector.load %x[%n] : memref<?xf32>, vector<16xf32>
    %s = arith.addf %before, %v : vector<16xf32>
    scf.yield %s : vector<16xf32>
  }
  %c = scf.for %t = %c0 to %n step %c16 iter_args(%before = %zero) -> (vector<16xf32>) {
    %v = vector.load %own[%t] : memref<4096xf32>, vector<16xf32>
    %s = arith.addf %before, %v : vector<16xf32>
    scf.yield %s : vector<16xf32>
  }
  func.return %a, %b, %c : vector<16xf32>, vector<16xf32>, vector<16xf32>
}

// -----

// Not: another row each time, backwards, the same place, an unknown way, past the caches, few times.

// CHECK-LABEL: func.func @others
// CHECK-NOT:     gpux.fetch_ahead
func.func @others(%y: memref<?x?xf32>, %z: memref<?xf32>, %v: vector<16xf32>, %s: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  scf.for %t = %c0 to %n step %c1 {
    vector.store %v, %y[%t, %s] : memref<?x?xf32>, vector<16xf32>
    %far = arith.muli %t, %c64 : index
    %farther = arith.muli %far, %c16 : index
    vector.store %v, %z[%farther] : memref<?xf32>, vector<16xf32>
  }
  scf.for %t = %c0 to %n step %c16 {
    %back = arith.subi %n, %t : index
    vector.store %v, %z[%back] : memref<?xf32>, vector<16xf32>
    vector.store %v, %z[%s] : memref<?xf32>, vector<16xf32>
    vector.store %v, %z[%t] {nontemporal = true} : memref<?xf32>, vector<16xf32>
  }
  %last = scf.for %t = %c0 to %n step %c16 iter_args(%j = %s) -> (index) {
    vector.store %v, %z[%j] : memref<?xf32>, vector<16xf32>
    %next = arith.muli %j, %c2 : index
    scf.yield %next : index
  }
  scf.for %t = %c0 to %n step %s {
    vector.store %v, %z[%t] : memref<?xf32>, vector<16xf32>
  }
  scf.for %t = %c0 to %c64 step %c16 {
    vector.store %v, %z[%t] : memref<?xf32>, vector<16xf32>
  }
  func.return
}
