// RUN: stepwell opt %s -p remove-proven-checks --split-input-file | filecheck %s

// Guarded by the array's own size: removed. Guarded by another array's, or by a number: not.

gpu.module @guard {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %y: memref<?xf32, #gpu.address_space<global>>, %m: index) kernel {
    %c0 = arith.constant 0 : index
    %i = gpu.global_id x
    %n = memref.dim %y, %c0 : memref<?xf32, #gpu.address_space<global>>
    %in = arith.cmpi slt, %i, %n : index
    scf.if %in {
      simt.check_index %i, %y, 0 : i64 as "y proven" : memref<?xf32, #gpu.address_space<global>>
      simt.check_index %i, %x, 0 : i64 as "x stays" : memref<?xf32, #gpu.address_space<global>>
    } else {
      simt.check_index %i, %y, 0 : i64 as "else stays" : memref<?xf32, #gpu.address_space<global>>
    }
    %less = arith.cmpi slt, %i, %m : index
    scf.if %less {
      simt.check_index %i, %y, 0 : i64 as "number stays" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @guard
// CHECK-NOT:     proven
// CHECK:         "x stays"
// CHECK:         "else stays"
// CHECK:         "number stays"

// -----

// A five-point stencil; `and` is an scf.if that yields false.

gpu.module @stencil {
  gpu.func @kernel(%x: memref<?x?xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %false = arith.constant false
    %i = gpu.global_id y
    %j = gpu.global_id x
    %h = memref.dim %x, %c0 : memref<?x?xf32, #gpu.address_space<global>>
    %w = memref.dim %x, %c1 : memref<?x?xf32, #gpu.address_space<global>>
    %h1 = arith.subi %h, %c1 : index
    %w1 = arith.subi %w, %c1 : index
    %a = arith.cmpi slt, %c0, %i : index
    %b = arith.cmpi slt, %i, %h1 : index
    %ab = arith.andi %a, %b : i1
    %inside = scf.if %ab -> (i1) {
      %c = arith.cmpi slt, %c0, %j : index
      %cd = scf.if %c -> (i1) {
        %d = arith.cmpi slt, %j, %w1 : index
        scf.yield %d : i1
      } else {
        scf.yield %false : i1
      }
      scf.yield %cd : i1
    } else {
      scf.yield %false : i1
    }
    scf.if %inside {
      %im = arith.subi %i, %c1 : index
      %ip = arith.addi %i, %c1 : index
      %jm = arith.subi %j, %c1 : index
      %jp = arith.addi %j, %c1 : index
      simt.check_index %im, %x, 0 : i64 as "proven" : memref<?x?xf32, #gpu.address_space<global>>
      simt.check_index %ip, %x, 0 : i64 as "proven" : memref<?x?xf32, #gpu.address_space<global>>
      simt.check_index %i, %x, 0 : i64 as "proven" : memref<?x?xf32, #gpu.address_space<global>>
      simt.check_index %jm, %x, 1 : i64 as "proven" : memref<?x?xf32, #gpu.address_space<global>>
      simt.check_index %jp, %x, 1 : i64 as "proven" : memref<?x?xf32, #gpu.address_space<global>>
      simt.check_index %j, %x, 1 : i64 as "proven" : memref<?x?xf32, #gpu.address_space<global>>
      simt.check_index %ip, %x, 1 : i64 as "other axis stays" : memref<?x?xf32, #gpu.address_space<global>>
      %jpp = arith.addi %jp, %c1 : index
      simt.check_index %jpp, %x, 1 : i64 as "too far stays" : memref<?x?xf32, #gpu.address_space<global>>
      %imm = arith.subi %im, %c1 : index
      simt.check_index %imm, %x, 0 : i64 as "negative stays" : memref<?x?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @stencil
// CHECK-NOT:     proven
// CHECK:         "other axis stays"
// CHECK-NEXT:    addi
// CHECK-NEXT:    "too far stays"
// CHECK-NEXT:    subi
// CHECK-NEXT:    "negative stays"

// -----

// `or`: in the else branch both sides are false.

gpu.module @or {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %k: i32) kernel {
    %c0 = arith.constant 0 : index
    %true = arith.constant true
    %i = arith.index_cast %k : i32 to index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %a = arith.cmpi slt, %i, %c0 : index
    %out = scf.if %a -> (i1) {
      scf.yield %true : i1
    } else {
      %b = arith.cmpi sge, %i, %n : index
      scf.yield %b : i1
    }
    scf.if %out {
      simt.check_index %i, %x, 0 : i64 as "then stays" : memref<?xf32, #gpu.address_space<global>>
    } else {
      simt.check_index %i, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
    }
    %in = arith.xori %out, %true : i1
    scf.if %in {
      simt.check_index %i, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @or
// CHECK-NOT:     proven
// CHECK:         "then stays"
// CHECK-NOT:     proven

// -----

// An unsigned comparison says both, if the bound is not negative.

gpu.module @unsigned {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %i: index, %m: index) kernel {
    %c0 = arith.constant 0 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %a = arith.cmpi ult, %i, %n : index
    scf.if %a {
      simt.check_index %i, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
    }
    %b = arith.cmpi slt, %m, %n : index
    %c = arith.cmpi ult, %i, %m : index
    %bc = arith.andi %b, %c : i1
    scf.if %bc {
      simt.check_index %i, %x, 0 : i64 as "m may be negative, stays" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @unsigned
// CHECK-NOT:     proven
// CHECK:         "m may be negative, stays"

// -----

// Loops: from a number that is not negative to the size, in steps of one or small ones.

gpu.module @loops {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %m: index, %s: i32) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %cm = arith.constant -1 : index
    %t = gpu.thread_id x
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    scf.for %i = %c0 to %n step %c1 {
      simt.check_index %i, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
      %r0 = arith.subi %n, %c1 : index
      %r = arith.subi %r0, %i : index
      simt.check_index %r, %x, 0 : i64 as "reversed, proven" : memref<?xf32, #gpu.address_space<global>>
      %next = arith.addi %i, %c1 : index
      simt.check_index %next, %x, 0 : i64 as "next stays" : memref<?xf32, #gpu.address_space<global>>
    }
    %b = gpu.block_dim x
    scf.for %i = %t to %n step %b {
      simt.check_index %i, %x, 0 : i64 as "strided, proven" : memref<?xf32, #gpu.address_space<global>>
    }
    scf.for %i = %cm to %n step %c1 {
      simt.check_index %i, %x, 0 : i64 as "from -1 stays" : memref<?xf32, #gpu.address_space<global>>
    }
    scf.for %i = %c0 to %m step %c1 {
      simt.check_index %i, %x, 0 : i64 as "to m stays" : memref<?xf32, #gpu.address_space<global>>
    }
    %step = arith.index_cast %s : i32 to index
    scf.for %i = %c0 to %n step %step {
      simt.check_index %i, %x, 0 : i64 as "step stays" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @loops
// CHECK-NOT:     proven
// CHECK:         "next stays"
// CHECK-NOT:     proven
// CHECK:         "from -1 stays"
// CHECK:         "to m stays"
// CHECK:         "step stays"

// -----

// The condition of a while holds in its body, for the values it passes on.

gpu.module @while {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %start: index) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %r = scf.while (%i = %start) : (index) -> (index) {
      simt.check_index %i, %x, 0 : i64 as "condition stays" : memref<?xf32, #gpu.address_space<global>>
      %a = arith.cmpi sge, %i, %c0 : index
      scf.condition(%a) %i : index
    } do {
    ^bb0(%k: index):
      simt.check_index %k, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
      %next = arith.subi %k, %c1 : index
      simt.check_index %next, %x, 0 : i64 as "next stays" : memref<?xf32, #gpu.address_space<global>>
      scf.yield %next : index
    }
    simt.check_index %r, %x, 0 : i64 as "behind stays" : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @while
// CHECK-NOT:     proven
// CHECK:         "condition stays"
// CHECK-NOT:     proven
// CHECK:         "next stays"
// CHECK:         "behind stays"

// -----

// Shared arrays of constant size, known block sizes, masks, remainders, clamps and shifts.

gpu.module @constant_sizes {
  gpu.func @kernel(%s: memref<256xf32, #gpu.address_space<global>>, %k: i32, %x: memref<?xf32, #gpu.address_space<global>>) kernel attributes {gpu.known_block_size = array<i32: 256, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c255 = arith.constant 255 : index
    %c256 = arith.constant 256 : index
    %c8 = arith.constant 8 : i32
    %m256 = arith.constant -256 : index
    %t = gpu.thread_id x
    simt.check_index %t, %s, 0 : i64 as "id, proven" : memref<256xf32, #gpu.address_space<global>>
    %u = gpu.thread_id y
    %tu = arith.addi %t, %u : index
    simt.check_index %tu, %s, 0 : i64 as "sum of ids, proven" : memref<256xf32, #gpu.address_space<global>>
    %t1 = arith.addi %t, %c1 : index
    simt.check_index %t1, %s, 0 : i64 as "id + 1 stays" : memref<256xf32, #gpu.address_space<global>>
    %g = gpu.global_id x
    simt.check_index %g, %s, 0 : i64 as "global id stays" : memref<256xf32, #gpu.address_space<global>>
    %i = arith.index_cast %k : i32 to index
    %and = arith.andi %i, %c255 : index
    simt.check_index %and, %s, 0 : i64 as "mask, proven" : memref<256xf32, #gpu.address_space<global>>
    %and2 = arith.andi %i, %c256 : index
    simt.check_index %and2, %s, 0 : i64 as "mask 256 stays" : memref<256xf32, #gpu.address_space<global>>
    %mod = simt.mod %i, %c256 : index
    simt.check_index %mod, %s, 0 : i64 as "mod, proven" : memref<256xf32, #gpu.address_space<global>>
    %neg = simt.mod %i, %m256 : index
    simt.check_index %neg, %s, 0 : i64 as "mod -256 stays" : memref<256xf32, #gpu.address_space<global>>
    %rem = arith.remsi %i, %c256 : index
    simt.check_index %rem, %s, 0 : i64 as "remsi stays" : memref<256xf32, #gpu.address_space<global>>
    %at_least = arith.maxsi %i, %c0 : index
    %clamp = arith.minsi %at_least, %c255 : index
    simt.check_index %clamp, %s, 0 : i64 as "clamp, proven" : memref<256xf32, #gpu.address_space<global>>
    %half = arith.minsi %i, %c255 : index
    simt.check_index %half, %s, 0 : i64 as "half a clamp stays" : memref<256xf32, #gpu.address_space<global>>
    %b = arith.trunci %k : i32 to i8
    %e = arith.extui %b : i8 to i32
    %ei = arith.index_cast %e : i32 to index
    simt.check_index %ei, %s, 0 : i64 as "extui, proven" : memref<256xf32, #gpu.address_space<global>>
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %n1 = arith.subi %n, %c1 : index
    %clamp2 = arith.minsi %at_least, %n1 : index
    simt.check_index %clamp2, %x, 0 : i64 as "x may be empty, stays" : memref<?xf32, #gpu.address_space<global>>
    %some = arith.cmpi ne, %n, %c0 : index
    scf.if %some {
      %clamp3 = arith.minsi %at_least, %n1 : index
      simt.check_index %clamp3, %x, 0 : i64 as "x is not empty, proven" : memref<?xf32, #gpu.address_space<global>>
      %turn = simt.mod %i, %n : index
      simt.check_index %turn, %x, 0 : i64 as "turn round, proven" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @constant_sizes
// CHECK-NOT:     proven
// CHECK:         "id + 1 stays"
// CHECK-NOT:     proven
// CHECK:         "global id stays"
// CHECK-NOT:     proven
// CHECK:         "mask 256 stays"
// CHECK-NOT:     proven
// CHECK:         "mod -256 stays"
// CHECK-NOT:     proven
// CHECK:         "remsi stays"
// CHECK-NOT:     proven
// CHECK:         "half a clamp stays"
// CHECK-NOT:     proven
// CHECK:         "x may be empty, stays"
// CHECK-NOT:     proven

// -----

// A check that has passed is a fact for what follows, not for what stands beside it.

gpu.module @earlier {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %i: index, %a: i1) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    scf.if %a {
      simt.check_index %i, %x, 0 : i64 as "first stays" : memref<?xf32, #gpu.address_space<global>>
      simt.check_index %i, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
    }
    simt.check_index %i, %x, 0 : i64 as "second stays" : memref<?xf32, #gpu.address_space<global>>
    %j = arith.subi %i, %c1 : index
    simt.check_index %j, %x, 0 : i64 as "third stays" : memref<?xf32, #gpu.address_space<global>>
    simt.check_index %j, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @earlier
// CHECK:         "first stays"
// CHECK-NOT:     proven
// CHECK:         "second stays"
// CHECK:         "third stays"
// CHECK-NOT:     proven

// -----

// gpux.check: a divisor that cannot be zero; an assert that repeats what is known.

gpu.module @checks {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %d: i32, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %z = arith.constant 0 : i32
    %true = arith.constant true
    %dim = gpu.block_dim x
    %a = arith.cmpi ne, %dim, %c0 : index
    gpux.check %a, "division", "proven" formats []
    gpux.check %true, "division", "proven" formats []
    %b = arith.cmpi ne, %d, %z : i32
    gpux.check %b, "division", "stays" formats []
    gpux.check %b, "division", "proven" formats []
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %c = arith.cmpi sge, %i, %c0 : index
    %e = arith.cmpi slt, %i, %n : index
    %f = arith.andi %c, %e : i1
    gpux.check %f, "assert", "assertion stays" formats []
    simt.check_index %i, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @checks
// CHECK-NOT:     proven
// CHECK:         "stays"
// CHECK:         "assertion stays"
// CHECK-NOT:     proven

// -----

// Arithmetic that may wrap proves nothing.

gpu.module @wrapping {
  gpu.func @kernel(%s: memref<4xf32, #gpu.address_space<global>>, %k: i32, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %z = arith.constant 0 : i32
    %one = arith.constant 1 : i32
    %a = arith.cmpi sge, %k, %z : i32
    scf.if %a {
      %k1 = arith.addi %k, %one : i32
      %j = arith.index_cast %k1 : i32 to index
      %b = arith.cmpi slt, %j, %c4 : index
      scf.if %b {
        simt.check_index %j, %s, 0 : i64 as "wrapped sum stays" : memref<4xf32, #gpu.address_space<global>>
      }
      %w = arith.index_cast %k : i32 to index
      %c1 = arith.constant 1 : index
      %w1 = arith.addi %w, %c1 : index
      %c = arith.cmpi slt, %w1, %c4 : index
      scf.if %c {
        simt.check_index %w1, %s, 0 : i64 as "wide sum, proven" : memref<4xf32, #gpu.address_space<global>>
      }
    }
    %cut = arith.trunci %k : i32 to i8
    %cuti = arith.index_cast %cut : i8 to index
    %d = arith.cmpi slt, %k, %one : i32
    scf.if %d {
      simt.check_index %cuti, %s, 0 : i64 as "cut stays" : memref<4xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @wrapping
// CHECK:         "wrapped sum stays"
// CHECK-NOT:     proven
// CHECK:         "cut stays"

// -----

// Launched over a shape, an id is below its extent.

gpu.module @over {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %ex: index, %ey: index, %ez: index) kernel attributes {gpux.over = 1 : i64} {
    %c0 = arith.constant 0 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %i = gpu.global_id x
    %same = arith.cmpi sle, %ex, %n : index
    gpux.check %same, "assert", "stays" formats []
    simt.check_index %i, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
    %j = gpu.global_id y
    simt.check_index %j, %x, 0 : i64 as "y stays" : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @over
// CHECK-NOT:     proven
// CHECK:         "y stays"

// -----

// The size of a slice is what it was cut to.

gpu.module @slice {
  gpu.func @kernel(%x: memref<?x?xf32, #gpu.address_space<global>>, %r: index, %m: index) kernel {
    %c1 = arith.constant 1 : index
    %i = gpu.global_id x
    %w = memref.dim %x, %c1 : memref<?x?xf32, #gpu.address_space<global>>
    %row = memref.subview %x[%r, 0] [1, %w] [1, 1] : memref<?x?xf32, #gpu.address_space<global>> to memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>>
    %in = arith.cmpi slt, %i, %w : index
    scf.if %in {
      simt.check_index %i, %row, 0 : i64 as "row, proven" : memref<?xf32, strided<[1], offset: ?>, #gpu.address_space<global>>
      simt.check_index %i, %x, 1 : i64 as "x, proven" : memref<?x?xf32, #gpu.address_space<global>>
      simt.check_index %i, %x, 0 : i64 as "x axis 0 stays" : memref<?x?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @slice
// CHECK-NOT:     proven
// CHECK:         "x axis 0 stays"

// -----

// Values carried round a loop: a tree reduction halves its distance, a cursor only moves on.

gpu.module @carried {
  gpu.func @halves(%s: memref<256xf32, #gpu.address_space<global>>) kernel attributes {gpu.known_block_size = array<i32: 256, 1, 1>} {
    %zero = arith.constant 0 : i32
    %two = arith.constant 2 : i32
    %start = arith.constant 128 : i32
    %t = gpu.thread_id x
    %r = scf.while (%k = %start) : (i32) -> (i32) {
      %more = arith.cmpi sgt, %k, %zero : i32
      scf.condition(%more) %k : i32
    } do {
    ^bb0(%k: i32):
      %d = arith.index_cast %k : i32 to index
      %below = arith.cmpi slt, %t, %d : index
      scf.if %below {
        %other = arith.addi %t, %d : index
        simt.check_index %other, %s, 0 : i64 as "proven" : memref<256xf32, #gpu.address_space<global>>
      }
      %far = arith.addi %t, %d : index
      simt.check_index %far, %s, 0 : i64 as "not below stays" : memref<256xf32, #gpu.address_space<global>>
      %next = simt.floordiv %k, %two : i32
      scf.yield %next : i32
    }
    gpu.return
  }
  gpu.func @moves(%x: memref<?xf32, #gpu.address_space<global>>, %first: index, %p: i1) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %r = scf.while (%i = %c0) : (index) -> (index) {
      %more = arith.cmpi slt, %i, %n : index
      %go = arith.andi %more, %p : i1
      scf.condition(%go) %i : index
    } do {
    ^bb0(%i: index):
      simt.check_index %i, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
      %next = arith.addi %i, %c1 : index
      scf.yield %next : index
    }
    %in = arith.cmpi slt, %r, %n : index
    scf.if %in {
      simt.check_index %r, %x, 0 : i64 as "result, proven" : memref<?xf32, #gpu.address_space<global>>
    }
    %q = scf.while (%i = %first) : (index) -> (index) {
      %more = arith.cmpi slt, %i, %n : index
      scf.condition(%more) %i : index
    } do {
    ^bb0(%i: index):
      simt.check_index %i, %x, 0 : i64 as "unknown start stays" : memref<?xf32, #gpu.address_space<global>>
      %next = arith.addi %i, %c1 : index
      scf.yield %next : index
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @halves
// CHECK-NOT:     proven
// CHECK:         "not below stays"
// CHECK-LABEL: gpu.func @moves
// CHECK-NOT:     proven
// CHECK:         "unknown start stays"

// -----

// `range(n - 1, -1, -1)`, as it is counted: n - 1 + i * -1.

gpu.module @down {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %cm = arith.constant -1 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %last = arith.subi %n, %c1 : index
    scf.for %k = %c0 to %n step %c1 {
      %back = arith.muli %k, %cm : index
      %i = arith.addi %last, %back : index
      simt.check_index %i, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
      %j = arith.addi %n, %back : index
      simt.check_index %j, %x, 0 : i64 as "one too far stays" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @down
// CHECK-NOT:     proven
// CHECK:         "one too far stays"

// -----

// A loop over the items of all threads: the step is at least 1 and cannot wrap.
gpu.module @stride {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %first = gpu.global_id x
    %step = simt.global_size x
    scf.for %i = %first to %n step %step {
      simt.check_index %i, %x, 0 : i64 as "strided, proven" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}
// CHECK-LABEL: gpu.module @stride
// CHECK:         scf.for
// CHECK-NOT:     simt.check_index
// CHECK:         gpu.return

// -----

// A grid has less than 2^31 blocks along a dimension, so a constant times a block's id cannot wrap;
// a larger one, or one times what the program computes, may.
gpu.module @blocks {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %m: index) kernel {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %huge = arith.constant 8589934592 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %t = gpu.thread_id x
    %b = gpu.block_id x
    %first = arith.muli %b, %c16 : index
    %i = arith.addi %first, %t : index
    %in = arith.cmpi slt, %i, %n : index
    scf.if %in {
      simt.check_index %i, %x, 0 : i64 as "tile, proven" : memref<?xf32, #gpu.address_space<global>>
    }
    %far = arith.muli %b, %huge : index
    %j = arith.addi %far, %t : index
    %near = arith.cmpi slt, %j, %n : index
    scf.if %near {
      simt.check_index %j, %x, 0 : i64 as "may wrap, stays" : memref<?xf32, #gpu.address_space<global>>
    }
    %some = arith.muli %m, %c16 : index
    %less = arith.cmpi slt, %some, %n : index
    scf.if %less {
      simt.check_index %some, %x, 0 : i64 as "may be negative, stays" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}
// CHECK-LABEL: gpu.module @blocks
// CHECK-NOT:     proven
// CHECK:         "may wrap, stays"
// CHECK:         "may be negative, stays"

// -----

// A kernel whose launches are held to sizes asks for them: arrays as long as another one or as a
// number that the launch gives, or of few elements, and no larger a grid than there are elements.

gpu.module @sizes {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %y: memref<?xf32, #gpu.address_space<global>>, %m: index) kernel attributes {gpux.sizes = []} {
    %c0 = arith.constant 0 : index
    %c9 = arith.constant 9 : index
    %i = gpu.global_id x
    %n = memref.dim %y, %c0 : memref<?xf32, #gpu.address_space<global>>
    %in = arith.cmpi slt, %i, %n : index
    scf.if %in {
      simt.check_index %i, %x, 0 : i64 as "x asked" : memref<?xf32, #gpu.address_space<global>>
    }
    %less = arith.cmpi slt, %i, %m : index
    scf.if %less {
      simt.check_index %i, %y, 0 : i64 as "y asked" : memref<?xf32, #gpu.address_space<global>>
    }
    simt.check_index %c9, %x, 0 : i64 as "nine asked" : memref<?xf32, #gpu.address_space<global>>
    %even = arith.cmpi ne, %i, %c9 : index
    scf.if %even {
      simt.check_index %i, %x, 0 : i64 as "guarded stays" : memref<?xf32, #gpu.address_space<global>>
    }
    simt.check_index %i, %x, 0 : i64 as "grid asked" : memref<?xf32, #gpu.address_space<global>>
    %j = arith.addi %n, %c9 : index
    simt.check_index %j, %y, 0 : i64 as "unlikely stays" : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @sizes
// CHECK:         gpux.sizes = [array<i64: 0, -1, 0, 0, 0, 1, 1, 1, 0, 0, 1>, array<i64: 0, -1, 1, 0, 0, 1, 1, 2, 0, 0, 1>, array<i64: 10, -1, 0, 0, 0, 1>, array<i64: 0, 1, -3, 0, 0, 1, -1, 0, 0, 0, 1>]
// CHECK-NOT:     asked
// CHECK:         "guarded stays"
// CHECK-NOT:     asked
// CHECK:         "unlikely stays"

// -----

// Tiles: what is below a multiple of 32 that is below n is below the multiple of 32 from n on; and
// n asked to be one. Blocks of 64 threads, each a row of x; the columns are below those of y.

gpu.module @tiles {
  gpu.func @kernel(%x: memref<?x?xf32, #gpu.address_space<global>>, %y: memref<?xf32, #gpu.address_space<global>>) kernel attributes {gpu.known_block_size = array<i32: 64, 1, 1>, gpux.small, gpux.sizes = []} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c31 = arith.constant 31 : index
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : index
    %t = gpu.thread_id x
    %b = gpu.block_id x
    %first = arith.muli %b, %c64 : index
    %row = arith.addi %first, %t : index
    %n = memref.dim %y, %c0 : memref<?xf32, #gpu.address_space<global>>
    scf.for %k = %c0 to %n step %c32 {
      simt.check_index %row, %x, 0 : i64 as "rows asked" : memref<?x?xf32, #gpu.address_space<global>>
      %last = arith.addi %k, %c31 : index
      simt.check_index %last, %y, 0 : i64 as "whole tiles asked" : memref<?xf32, #gpu.address_space<global>>
    }
    %fours = simt.floordiv %n, %c4 : index
    %most = arith.muli %fours, %c4 : index
    scf.for %i = %c0 to %most step %c4 {
      %c3 = arith.constant 3 : index
      %i3 = arith.addi %i, %c3 : index
      simt.check_index %i3, %y, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @tiles
// CHECK:         gpux.sizes = [array<i64: 0, 64, -1, 0, 0, 1, -1, 0, 0, 0, 1>, array<i64: 32, 32, 1, 0, -1, 32, -1, 1, 0, 0, 1>]
// CHECK-NOT:     simt.check_index

// -----

// Stages of a ring in dynamic shared memory, of which a launch says how large it is; the stage that
// a loop carries goes round below 4, the one behind it follows, and that of two turns round.

gpu.module @ring {
  gpu.func @kernel(%n: index) kernel attributes {gpu.known_block_size = array<i32: 8, 1, 1>, gpux.sizes = []} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c3 = arith.constant 3 : i32
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %s = simt.shared : memref<?xf16, #gpu.address_space<workgroup>>
    %two = simt.shared : memref<2xf16, #gpu.address_space<workgroup>>
    %t = gpu.thread_id x
    %a, %b, %c = scf.for %i = %zero to %n step %one iter_args(%behind = %c3, %stage = %c0, %turn = %c0) -> (i32, i32, i32) {
      %wide = arith.index_cast %stage : i32 to index
      %first = arith.muli %wide, %c8 : index
      %at = arith.addi %first, %t : index
      simt.check_index %at, %s, 0 : i64 as "stage asked" : memref<?xf16, #gpu.address_space<workgroup>>
      %old = arith.index_cast %behind : i32 to index
      simt.check_index %old, %s, 0 : i64 as "behind asked" : memref<?xf16, #gpu.address_space<workgroup>>
      %which = arith.index_cast %turn : i32 to index
      simt.check_index %which, %two, 0 : i64 as "turn, proven" : memref<2xf16, #gpu.address_space<workgroup>>
      %is_last = arith.cmpi eq, %stage, %c3 : i32
      %next = scf.if %is_last -> (i32) {
        scf.yield %c0 : i32
      } else {
        %more = arith.addi %stage, %c1 : i32
        scf.yield %more : i32
      }
      %other = arith.subi %c1, %turn : i32
      scf.yield %stage, %next, %other : i32, i32, i32
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @ring
// CHECK:         gpux.sizes = [array<i64: 32, -1, -4, 0, 0, 2>]
// CHECK-NOT:     simt.check_index

// -----

// What is known of `8 * block` is known of the block: columns that the blocks away from the border
// read, also those beside them.

gpu.module @inner {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>) kernel attributes {gpu.known_block_size = array<i32: 8, 1, 1>, gpux.small, gpux.sizes = []} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %b = gpu.block_id x
    %i = gpu.global_id x
    %first = arith.muli %b, %c8 : index
    %behind = arith.addi %first, %c8 : index
    %not_first = arith.cmpi sgt, %first, %c0 : index
    %not_last = arith.cmpi slt, %behind, %n : index
    %inner = arith.andi %not_first, %not_last : i1
    %left = arith.subi %i, %c1 : index
    %right = arith.addi %i, %c1 : index
    scf.if %inner {
      simt.check_index %left, %x, 0 : i64 as "left, proven" : memref<?xf32, #gpu.address_space<global>>
      simt.check_index %right, %x, 0 : i64 as "right, proven" : memref<?xf32, #gpu.address_space<global>>
    }
    scf.if %not_last {
      simt.check_index %left, %x, 0 : i64 as "left of all stays" : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @inner
// CHECK:         gpux.sizes = []
// CHECK-NOT:     proven
// CHECK:         "left of all stays"
// CHECK-NOT:     proven

// -----

// An index of a loop over an axis is not negative, also where a condition holds it below the axis.

gpu.module @held {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>) kernel attributes {gpux.small} {
    %c0 = arith.constant 0 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c1024 = arith.constant 1024 : index
    %t = gpu.thread_id x
    %mine = arith.muli %t, %c4 : index
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    scf.for %i = %c0 to %n step %c1024 {
      %at = arith.addi %i, %mine : index
      %last = arith.addi %at, %c3 : index
      %in = arith.cmpi slt, %last, %n : index
      scf.if %in {
        simt.check_index %at, %x, 0 : i64 as "proven" : memref<?xf32, #gpu.address_space<global>>
      }
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @held
// CHECK-NOT:     simt.check_index

// -----

// A kernel of level cpu whose parameters are not those of a launch: nothing is known of them.

// CHECK-LABEL: func.func @few(
// CHECK: arith.cmpi slt, %a
func.func @few(%a: index, %x: memref<?xi1>) attributes {gpux.kernel} {
  %c0 = arith.constant 0 : index
  %n = arith.constant 100 : index
  %ok = arith.cmpi slt, %a, %n : index
  memref.store %ok, %x[%c0] : memref<?xi1>
  func.return
}
