// RUN: stepwell opt %s -p 'split-checked-loops,canonicalize,cse' --split-input-file | filecheck %s

// The check of x[i - 1] and the guard i < n leave [first, end): there the loop has neither.
func.func @shift(%x: memref<?xf32>, %y: memref<?xf32>, %bid: index, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %base = arith.muli %bid, %bdim : index
  %n = memref.dim %y, %c0 : memref<?xf32>
  scf.for %t = %c0 to %bdim step %c1 {
    %i = arith.addi %base, %t : index
    %inside = arith.cmpi slt, %i, %n : index
    scf.if %inside {
      %j = arith.subi %i, %c1 : index
      %m = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %j, %m : index
      gpux.check %ok, "bounds", "index {}" (%j : index) ids (%bid, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats ["index"]
      %v = memref.load %x[%j] : memref<?xf32>
      memref.store %v, %y[%i] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @shift
// CHECK:         %[[OFFSET:.*]] = arith.subi %base, %c1
// CHECK:         %[[LOW:.*]] = arith.subi %c0, %[[OFFSET]]
// CHECK-NEXT:    %[[ABOVE:.*]] = arith.minsi %[[LOW]], %bdim
// CHECK-NEXT:    %[[START:.*]] = arith.maxsi %[[ABOVE]], %c0
// CHECK-NEXT:    %[[HIGH:.*]] = arith.subi %m, %[[OFFSET]]
// CHECK-NEXT:    %[[GUARD:.*]] = arith.subi %n, %base
// CHECK:         scf.for
// CHECK-NOT:     gpux.check
// CHECK-NOT:     scf.if
// CHECK:         memref.store
// What is left, if there is anything, only fails or does nothing: LLVM need not optimise it.
// CHECK:         %[[BEFORE:.*]] = arith.cmpi sgt, %{{.*}}, %c0 : index
// CHECK-NEXT:    %[[BEHIND:.*]] = arith.cmpi slt, %{{.*}}, %bdim : index
// CHECK-NEXT:    %[[LEFT:.*]] = arith.ori %[[BEFORE]], %[[BEHIND]] : i1
// CHECK:         scf.if %[[LEFT]] {
// CHECK:         scf.for %[[PART:.*]] = %c0 to
// CHECK:           scf.for
// CHECK:             scf.if
// CHECK:               gpux.check
// CHECK:         } {gpux.cold, gpux.as_is}
// CHECK:         func.return

// -----

// A branch with an else branch is kept: the other threads would be left to the loop with the checks.
// Those who take it are asked for together, so that the loop with the checks only fails.
func.func @arms(%x: memref<?xf32>, %half: index, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %bdim step %c1 {
    %low = arith.cmpi slt, %t, %half : index
    scf.if %low {
      %n = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %t, %n : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%t] : memref<?xf32>
    } else {
      memref.store %zero, %x[%c0] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @arms
// CHECK:         %[[END:.*]] = arith.minsi %bdim, %half : index
// CHECK-NEXT:    %[[ALL:.*]] = arith.cmpi sle, %[[END]], %n : index
// CHECK-NEXT:    %[[NONE:.*]] = arith.cmpi sle, %[[END]], %c0 : index
// CHECK-NEXT:    %[[RUNS:.*]] = arith.ori %[[NONE]], %[[ALL]] : i1
// CHECK-NEXT:    scf.if %[[RUNS]] {
// CHECK-NEXT:      scf.for %t = %c0 to %bdim step %c1 {
// CHECK-NOT:         gpux.check
// CHECK:             } else {
// CHECK-NEXT:          memref.store
// CHECK:         } {gpux.cold, gpux.as_is}
// CHECK:         func.return

// -----

// What a branch that depends on data keeps from being checked is work that the rest has to do: it is
// optimised as any code.
func.func @branch(%x: memref<?xf32>, %flags: memref<?xi1>, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %bdim step %c1 {
    %flag = memref.load %flags[%t] : memref<?xi1>
    scf.if %flag {
      %n = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %t, %n : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%t] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @branch
// CHECK:         } {gpux.cold}
// CHECK:         func.return

// -----

// Falling indices count too; the limits change sides.
func.func @reverse(%x: memref<?xf32>, %last: index, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %bdim step %c1 {
    %i = arith.subi %last, %t : index
    %n = memref.dim %x, %c0 : memref<?xf32>
    %ok = arith.cmpi ult, %i, %n : index
    gpux.check %ok, "bounds", "index {}" (%i : index) ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats ["index"]
    memref.store %zero, %x[%i] : memref<?xf32>
  }
  func.return
}
// CHECK-LABEL: func.func @reverse
// CHECK:         %[[PAST:.*]] = arith.addi %last, %c1
// CHECK:         %[[FIRST:.*]] = arith.subi %[[PAST]], %n
// CHECK-NEXT:    arith.minsi %[[FIRST]], %bdim
// CHECK:         arith.minsi %bdim, %[[PAST]]

// -----

// What two checks have in common is computed once, and conditions of all threads are joined first.
func.func @twice(%x: memref<?xf32>, %y: memref<?xf32>, %row: index, %base: index, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %bdim step %c1 {
    %i = arith.addi %base, %t : index
    %n = memref.dim %x, %c0 : memref<?xf32>
    %j = arith.addi %base, %t : index
    %m = memref.dim %x, %c0 : memref<?xf32>
    %first = arith.cmpi ult, %i, %n : index
    %second = arith.cmpi ult, %j, %m : index
    %even = arith.cmpi sgt, %row, %c0 : index
    %odd = arith.cmpi sgt, %row, %c1 : index
    gpux.check %first, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    gpux.check %second, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    gpux.check %even, "assert", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    gpux.check %odd, "assert", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    memref.store %zero, %x[%i] : memref<?xf32>
  }
  func.return
}
// CHECK-LABEL: func.func @twice
// CHECK:         %[[SIZE:.*]] = memref.dim %x, %c0
// CHECK:         %[[LOW:.*]] = arith.subi %c0, %base
// CHECK-NEXT:    %[[ABOVE:.*]] = arith.minsi %[[LOW]], %bdim
// CHECK-NEXT:    %[[START:.*]] = arith.maxsi %[[ABOVE]], %c0
// CHECK-NEXT:    %[[HIGH:.*]] = arith.subi %[[SIZE]], %base
// CHECK-NEXT:    %[[BELOW:.*]] = arith.minsi %bdim, %[[HIGH]]
// CHECK-NEXT:    %[[END:.*]] = arith.maxsi %[[BELOW]], %[[START]]
// CHECK-NEXT:    %[[ALL:.*]] = arith.andi
// CHECK-NEXT:    %[[STOP:.*]] = arith.select %[[ALL]], %[[END]], %[[START]]
// CHECK-NEXT:    scf.for %{{.*}} = %[[START]] to %[[STOP]]

// -----

// The first thread of a block is not before the grid's, and no difference of the two sizes wraps. So
// of three neighbours the outer two say what is left, and where there is only %i nothing is before it:
// the rest is one loop. (An index that may be anything keeps all its limits: @shift, @neighbours.)
func.func @block(%x: memref<?xf32>, %y: memref<?xf32>, %bid_x: index, %bid_y: index, %bid_z: index, %bdim_x: index, %bdim_y: index, %bdim_z: index, %gdim_x: index, %gdim_y: index, %gdim_z: index, %shared: index, %report: index) attributes {gpux.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %base = arith.muli %bid_x, %bdim_x : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %m = memref.dim %y, %c0 : memref<?xf32>
  scf.for %t = %c0 to %bdim_x step %c1 {
    %i = arith.addi %base, %t : index
    %left = arith.subi %i, %c1 : index
    %right = arith.addi %i, %c1 : index
    %a = arith.cmpi ult, %left, %n : index
    gpux.check %a, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %b = arith.cmpi ult, %i, %n : index
    gpux.check %b, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %c = arith.cmpi ult, %right, %n : index
    gpux.check %c, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %v = memref.load %x[%right] : memref<?xf32>
    memref.store %v, %x[%left] : memref<?xf32>
  }
  scf.for %t = %c0 to %bdim_x step %c1 {
    %i = arith.addi %base, %t : index
    %ok = arith.cmpi ult, %i, %m : index
    gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %v = memref.load %y[%i] : memref<?xf32>
    memref.store %v, %y[%i] : memref<?xf32>
  }
  func.return
}
// CHECK-LABEL: func.func @block
// CHECK:         %[[LEFT:.*]] = arith.subi %base, %c1
// CHECK-NEXT:    %[[RIGHT:.*]] = arith.addi %base, %c1
// CHECK-NEXT:    %[[LOW:.*]] = arith.subi %c0, %[[LEFT]]
// CHECK-NEXT:    %[[ABOVE:.*]] = arith.minsi %[[LOW]], %bdim_x
// CHECK-NEXT:    %[[START:.*]] = arith.maxsi %[[ABOVE]], %c0
// CHECK-NEXT:    %[[HIGH:.*]] = arith.subi %n, %[[RIGHT]]
// CHECK-NEXT:    %[[BELOW:.*]] = arith.minsi %bdim_x, %[[HIGH]]
// CHECK-NEXT:    %[[END:.*]] = arith.maxsi %[[BELOW]], %[[START]]
// CHECK-NEXT:    scf.for %{{.*}} = %[[START]] to %[[END]]
// CHECK:         } {gpux.cold, gpux.as_is}
// CHECK:         %[[HIGH:.*]] = arith.subi %m, %base
// CHECK-NEXT:    %[[BELOW:.*]] = arith.minsi %bdim_x, %[[HIGH]]
// CHECK-NEXT:    %[[END:.*]] = arith.maxsi %[[BELOW]], %c0
// CHECK-NEXT:    scf.for %{{.*}} = %c0 to %[[END]]
// CHECK:         %[[LEFT:.*]] = arith.cmpi slt, %[[END]], %bdim_x
// CHECK-NEXT:    scf.if %[[LEFT]] {
// CHECK-NEXT:      scf.for %{{.*}} = %[[END]] to %bdim_x step %c1 {
// CHECK-NOT:         scf.for
// CHECK:           } {gpux.cold, gpux.as_is}
// CHECK:         func.return

// -----

// %base may be any number, and then %base - 1 the greatest: all limits count, also %n - %base beside
// (%n - 1) - %base.
func.func @neighbours(%x: memref<?xf32>, %base: index, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %last = arith.subi %n, %c1 : index
  scf.for %t = %c0 to %bdim step %c1 {
    %i = arith.addi %base, %t : index
    %left = arith.subi %i, %c1 : index
    %a = arith.cmpi ult, %left, %n : index
    gpux.check %a, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %b = arith.cmpi ult, %i, %n : index
    gpux.check %b, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %c = arith.cmpi slt, %i, %last : index
    gpux.check %c, "assert", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %v = memref.load %x[%i] : memref<?xf32>
    memref.store %v, %x[%left] : memref<?xf32>
  }
  func.return
}
// CHECK-LABEL: func.func @neighbours
// CHECK:         %[[LEFT:.*]] = arith.subi %base, %c1
// CHECK-NEXT:    %[[LOW:.*]] = arith.subi %c0, %[[LEFT]]
// CHECK-NEXT:    %[[ZERO:.*]] = arith.subi %c0, %base
// CHECK-NEXT:    arith.maxsi %[[LOW]], %[[ZERO]]
// CHECK-NEXT:    arith.minsi
// CHECK-NEXT:    arith.maxsi
// CHECK-NEXT:    %[[HIGH:.*]] = arith.subi %n, %[[LEFT]]
// CHECK-NEXT:    %[[HERE:.*]] = arith.subi %n, %base
// CHECK-NEXT:    %[[GUARD:.*]] = arith.subi %last, %base
// CHECK-NEXT:    %[[BELOW:.*]] = arith.minsi %bdim, %[[HIGH]]
// CHECK-NEXT:    %[[BOTH:.*]] = arith.minsi %[[BELOW]], %[[HERE]]
// CHECK-NEXT:    arith.minsi %[[BOTH]], %[[GUARD]]

// -----

// A condition that depends on data, and an index that is no sum: nothing to split.
func.func @data(%x: memref<?xi1>, %y: memref<?xf32>, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %bdim step %c1 {
    %ok = memref.load %x[%t] : memref<?xi1>
    gpux.check %ok, "assert", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %square = arith.muli %t, %t : index
    %n = memref.dim %y, %c0 : memref<?xf32>
    %in = arith.cmpi ult, %square, %n : index
    gpux.check %in, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
  }
  func.return
}
// CHECK-LABEL: func.func @data
// CHECK:         scf.for
// CHECK:           gpux.check
// CHECK:           gpux.check
// CHECK-NOT:     scf.for

// -----

// A loop that carries values has an order, so it stays whole.
func.func @ordered(%n: index, %bdim: index) -> index {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %sum = scf.for %t = %c0 to %bdim step %c1 iter_args(%s = %c0) -> (index) {
    %in = arith.cmpi slt, %t, %n : index
    gpux.check %in, "assert", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %next = arith.addi %s, %t : index
    scf.yield %next : index
  }
  func.return %sum : index
}
// CHECK-LABEL: func.func @ordered
// CHECK:         scf.for
// CHECK-NOT:     scf.for
// CHECK:         func.return

// -----

// The threads of a subgroup run together: not some of them before the others.
func.func @subgroup(%x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %t = %c0 to %c4 step %c1 {
    %n = memref.dim %x, %c0 : memref<?xf32>
    %ok = arith.cmpi ult, %t, %n : index
    gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %v = memref.load %x[%t] : memref<?xf32>
    %sum = gpu.subgroup_reduce add %v : (f32) -> f32
    memref.store %sum, %x[%t] : memref<?xf32>
  } {gpux.threads, gpux.subgroup}
  func.return
}
// CHECK-LABEL: func.func @subgroup
// CHECK:         scf.for
// CHECK:           gpux.check
// CHECK:         } {gpux.threads, gpux.subgroup}
// CHECK-NOT:     scf.for
// CHECK:         func.return

// -----

// The index of an inner loop, the same in all threads: one comparison decides for all of them. The
// first index is a thread's own, and no more than the loop's end says of the last one.
func.func @inner(%x: memref<?xf32>, %y: memref<?xf32>, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?xf32>
  scf.for %t = %c0 to %bdim step %c1 {
    scf.for %j = %t to %n step %c64 {
      %m = memref.dim %y, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %j, %m : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %y[%j] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @inner
// CHECK:         %[[LAST:.*]] = arith.addi %n,
// CHECK:         %[[MOST:.*]] = arith.addi %m,
// CHECK-NEXT:    %[[ALL:.*]] = arith.cmpi sle, %[[LAST]], %[[MOST]]
// CHECK:         %[[BOTH:.*]] = arith.andi %[[ALL]],
// CHECK-NEXT:    scf.if %[[BOTH]] {
// CHECK-NEXT:      scf.for %t = %c0 to %bdim step %c1 {
// CHECK-NEXT:        scf.for %j = %t to %n step %c64 {
// CHECK-NEXT:          memref.store
// CHECK:         } else {
// CHECK-NEXT:      scf.for %{{.*}} = %c0 to %bdim step %c1 {
// CHECK:           } {gpux.cold, gpux.as_is}

// -----

// A sum with a thread's index leaves a range of threads, as without the inner loop.
func.func @window(%x: memref<?xf32>, %base: index, %taps: i32, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %bdim step %c1 {
    %i = arith.addi %base, %t : index
    %end = arith.index_cast %taps : i32 to index
    scf.for %k = %c0 to %end step %c1 {
      %j = arith.addi %i, %k : index
      %m = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %j, %m : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%j] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @window
// CHECK:         %[[LAST:.*]] = arith.addi %end,
// CHECK:         %[[REACH:.*]] = arith.addi %base, %[[LAST]]
// CHECK:         %[[HIGH:.*]] = arith.subi %{{.*}}, %[[REACH]]
// CHECK:         arith.minsi %bdim, %{{.*}}
// CHECK:         scf.for %t = %{{.*}} to %{{.*}} step %c1 {
// CHECK-NOT:       gpux.check
// CHECK:           memref.store
// CHECK:         scf.if

// -----

// What the guard says of the index is the better bound: %n - 1, whatever %first is. Its threads may
// be right all the same where that is too much, so LLVM optimises the rest.
func.func @guarded(%x: memref<?xf32>, %y: memref<?xf32>, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?xf32>
  scf.for %t = %c0 to %bdim step %c1 {
    %first = arith.muli %t, %c64 : index
    scf.for %k = %c0 to %c64 step %c1 {
      %j = arith.addi %first, %k : index
      %in = arith.cmpi slt, %j, %n : index
      scf.if %in {
        %m = memref.dim %y, %c0 : memref<?xf32>
        %ok = arith.cmpi ult, %j, %m : index
        gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
        memref.store %zero, %y[%j] : memref<?xf32>
      }
    }
  }
  func.return
}
// CHECK-LABEL: func.func @guarded
// CHECK:         scf.for %t
// CHECK:           scf.if
// CHECK-NEXT:        memref.store
// CHECK:         } {gpux.cold}
// CHECK:         func.return

// -----

// Rows of a width that the launch says: the product must be known not to wrap, so neither the width
// nor the row is far from zero.
func.func @flat(%x: memref<?xf32>, %w: index, %bid: index, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %base = arith.muli %bid, %bdim : index
  scf.for %t = %c0 to %bdim step %c1 {
    %i = arith.addi %base, %t : index
    %row = arith.muli %i, %w : index
    scf.for %k = %c0 to %w step %c1 {
      %j = arith.addi %row, %k : index
      %m = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %j, %m : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%j] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @flat
// CHECK-DAG:     %[[NEAR:.*]] = arith.constant 2147483648 : index
// CHECK:         arith.cmpi sle, %w, %[[NEAR]] : index
// CHECK:         scf.for %t
// CHECK-NEXT:      arith.addi %base, %t
// CHECK-NEXT:      arith.muli
// CHECK-NEXT:      scf.for
// CHECK-NEXT:        arith.addi
// CHECK-NEXT:        memref.store

// -----

// The last of few indices is below the end by up to a step: 64 of 8 at a time end with 56.
func.func @steps(%x: memref<?xf32>, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %bdim step %c1 {
    scf.for %k = %c0 to %c64 step %c8 {
      %j = arith.addi %k, %c7 : index
      %m = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %j, %m : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%j] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @steps
// CHECK-DAG:     %[[LAST:.*]] = arith.constant 63 : index
// CHECK:         arith.cmpi sge, %{{.*}}, %[[LAST]] : index
// CHECK:         scf.for %t
// CHECK-NEXT:      scf.for
// CHECK-NOT:         gpux.check
// CHECK:             memref.store

// -----

// An index that is loaded has no bound.
func.func @gather(%x: memref<?xf32>, %p: memref<?xindex>, %n: index, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %bdim step %c1 {
    scf.for %k = %c0 to %n step %c1 {
      %j = memref.load %p[%k] : memref<?xindex>
      %m = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %j, %m : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%j] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @gather
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             gpux.check
// CHECK-NOT:     scf.for

// -----

// An index that is loaded may be any number of 32 bits: its check stays in the loop, from which the
// other one goes.

// CHECK-LABEL: func.func @loaded
// CHECK:         scf.for
// CHECK-NEXT:      memref.load %index
// CHECK:           gpux.check
// CHECK:         } {gpux.threads}
func.func @loaded(%index: memref<?xi32>, %x: memref<?xf32>, %hi: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  %n = memref.dim %index, %c0 : memref<?xi32>
  %m = memref.dim %x, %c0 : memref<?xf32>
  scf.for %t = %c0 to %hi step %c1 {
    %inside = arith.cmpi ult, %t, %n : index
    gpux.check %inside, "bounds", "index" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
    %i = memref.load %index[%t] : memref<?xi32>
    %is = arith.cmpi sge, %i, %zero : i32
    scf.if %is {
      %at = arith.index_cast %i : i32 to index
      %fits = arith.cmpi ult, %at, %m : index
      gpux.check %fits, "bounds", "x" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      %v = memref.load %x[%at] : memref<?xf32>
      memref.store %v, %x[%t] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}

// -----

// A branch that is the same for all threads stays, and what is checked behind it is asked only where
// it is true: a block for which it is false is not left to the loop with the checks.
func.func @same_for_all(%x: memref<?xf32>, %y: memref<?xf32>, %flag: i1, %base: index, %bdim: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %bdim step %c1 {
    %i = arith.addi %base, %t : index
    memref.store %zero, %y[%t] : memref<?xf32>
    scf.if %flag {
      %n = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %i, %n : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%i] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @same_for_all
// CHECK:         %[[FIRST:.*]] = arith.select %flag, %{{.*}}, %c0 : index
// CHECK:         %[[END:.*]] = arith.select %flag, %{{.*}}, %bdim : index
// CHECK:         scf.for %t
// CHECK-NOT:       gpux.check
// CHECK:           scf.if %flag {
// CHECK-NEXT:        memref.store

// -----

// The branch of few threads, of a block of 256, stays too: their checks are asked for all of them at
// once. (As a limit of the loop, it would leave 252 threads to the loop with the checks.)
func.func @few(%x: memref<?xf32>, %y: memref<?xf32>, %base: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c256 = arith.constant 256 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %c256 step %c1 {
    %i = arith.addi %base, %t : index
    memref.store %zero, %y[%t] : memref<?xf32>
    %first = arith.cmpi slt, %t, %c4 : index
    scf.if %first {
      %n = memref.dim %x, %c0 : memref<?xf32>
      %ok = arith.cmpi ult, %i, %n : index
      gpux.check %ok, "bounds", "no" ids (%c0, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats []
      memref.store %zero, %x[%i] : memref<?xf32>
    }
  }
  func.return
}
// CHECK-LABEL: func.func @few
// CHECK:         %[[LOW:.*]] = arith.subi %c0, %base : index
// CHECK-NEXT:    %[[HIGH:.*]] = arith.subi %n, %base : index
// CHECK-NEXT:    %[[FIRST:.*]] = arith.cmpi sle, %[[LOW]], %c0 : index
// CHECK-NEXT:    %[[LAST:.*]] = arith.cmpi sge, %[[HIGH]], %c4 : index
// CHECK-NEXT:    %[[ALL:.*]] = arith.andi %[[FIRST]], %[[LAST]] : i1
// CHECK-NEXT:    scf.if %[[ALL]] {
// CHECK-NEXT:      scf.for %t = %c0 to %c256 step %c1
// CHECK-NOT:         gpux.check
// CHECK:             scf.if %first {
// CHECK-NEXT:          memref.store
// CHECK:         } else {
// CHECK:           gpux.check
// CHECK:         } {gpux.cold, gpux.as_is}
