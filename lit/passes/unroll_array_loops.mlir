// RUN: stepwell opt %s -p unroll-array-loops --split-input-file | filecheck %s

// Loops whose variables index a thread's own array, also one inside the other and through
// arithmetic; the loop around them, which indexes something else, stays one.

gpu.module @m {
  gpu.func @unrolled(%x: memref<?xf32, #gpu.address_space<global>>, %n: index) kernel {
    %i0 = arith.constant 0 : i32
    %i1 = arith.constant 1 : i32
    %i2 = arith.constant 2 : i32
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %l = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
    scf.for %k = %c0 to %n step %c1 {
      %v = memref.load %x[%k] : memref<?xf32, #gpu.address_space<global>>
      scf.for %r = %i0 to %i2 step %i1 : i32 {
        %row = arith.index_cast %r : i32 to index
        %at = arith.muli %row, %c2 : index
        scf.for %q = %c0 to %c2 step %c1 {
          %e = arith.addi %at, %q : index
          memref.store %v, %l[%e] : memref<4xf32, #gpu.address_space<private>>
        }
      }
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @unrolled
// CHECK:         scf.for %k = %c0 to %n step %c1 {
// CHECK-NEXT:      %v = memref.load %x[%k]
// CHECK-NEXT:      %e = arith.constant 0 : index
// CHECK-NEXT:      memref.store %v, %l[%e]
// CHECK-NEXT:      %e_1 = arith.constant 1 : index
// CHECK-NEXT:      memref.store %v, %l[%e_1]
// CHECK-NEXT:      %e_2 = arith.constant 2 : index
// CHECK-NEXT:      memref.store %v, %l[%e_2]
// CHECK-NEXT:      %e_3 = arith.constant 3 : index
// CHECK-NEXT:      memref.store %v, %l[%e_3]
// CHECK-NEXT:    }
// CHECK-NEXT:    gpu.return

// -----

// What a loop carries goes from copy to copy.

gpu.module @m {
  gpu.func @carried(%x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %zero = arith.constant 0.0 : f32
    %l = memref.alloca() : memref<3xf32, #gpu.address_space<private>>
    %sum = scf.for %r = %c1 to %c3 step %c1 iter_args(%s = %zero) -> (f32) {
      %v = memref.load %l[%r] : memref<3xf32, #gpu.address_space<private>>
      %t = arith.addf %s, %v : f32
      scf.yield %t : f32
    }
    memref.store %sum, %x[%c0] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @carried
// CHECK-NOT:     scf.for
// CHECK:         %[[ONE:.*]] = arith.constant 1 : index
// CHECK-NEXT:    %v = memref.load %l[%[[ONE]]]
// CHECK-NEXT:    %t = arith.addf %v, %zero : f32
// CHECK-NEXT:    %[[TWO:.*]] = arith.constant 2 : index
// CHECK-NEXT:    %v_1 = memref.load %l[%[[TWO]]]
// CHECK-NEXT:    %t_1 = arith.addf %t, %v_1 : f32
// CHECK-NEXT:    memref.store %t_1, %x[%c0]

// -----

// Loops stay where an index of the array would not be known afterwards either, where there are too
// many rounds, where threads meet inside, and where the array is none of a thread's own.

gpu.module @m {
  gpu.func @kept(%n: index, %i: index, %v: f32) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c65 = arith.constant 65 : index
    %unknown = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
    scf.for %r = %c0 to %c4 step %c1 {
      memref.store %v, %unknown[%r] : memref<4xf32, #gpu.address_space<private>>
    }
    memref.store %v, %unknown[%i] : memref<4xf32, #gpu.address_space<private>>
    %open = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
    scf.for %r = %c0 to %n step %c1 {
      memref.store %v, %open[%r] : memref<4xf32, #gpu.address_space<private>>
    }
    %long = memref.alloca() : memref<64xf32, #gpu.address_space<private>>
    scf.for %r = %c0 to %c65 step %c1 {
      memref.store %v, %long[%r] : memref<64xf32, #gpu.address_space<private>>
    }
    %met = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
    scf.for %r = %c0 to %c4 step %c1 {
      memref.store %v, %met[%r] : memref<4xf32, #gpu.address_space<private>>
      gpu.barrier
    }
    %shared = memref.alloca() : memref<4xf32, #gpu.address_space<workgroup>>
    scf.for %r = %c0 to %c4 step %c1 {
      memref.store %v, %shared[%r] : memref<4xf32, #gpu.address_space<workgroup>>
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @kept
// CHECK:         memref.store %v, %unknown[%r]
// CHECK:         memref.store %v, %open[%{{.*}}]
// CHECK:         memref.store %v, %long[%{{.*}}]
// CHECK:         memref.store %v, %met[%{{.*}}]
// CHECK-NEXT:    gpu.barrier
// CHECK:         memref.store %v, %shared[%{{.*}}]

// -----

// A nest that would be too large as a whole stays as a whole; the inner loop alone would help nobody.

gpu.module @m {
  gpu.func @nest(%v: f32) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %l = memref.alloca() : memref<8x8xf32, #gpu.address_space<private>>
    scf.for %r = %c0 to %c8 step %c1 {
      scf.for %q = %c0 to %c8 step %c1 {
        %s1 = arith.addf %v, %v : f32
        %s2 = arith.addf %s1, %v : f32
        %s3 = arith.addf %s2, %v : f32
        %s4 = arith.addf %s3, %v : f32
        %s5 = arith.addf %s4, %v : f32
        %s6 = arith.addf %s5, %v : f32
        %s7 = arith.addf %s6, %v : f32
        %s8 = arith.addf %s7, %v : f32
        %s9 = arith.addf %s8, %v : f32
        %s10 = arith.addf %s9, %v : f32
        %s11 = arith.addf %s10, %v : f32
        %s12 = arith.addf %s11, %v : f32
        %s13 = arith.addf %s12, %v : f32
        %s14 = arith.addf %s13, %v : f32
        %s15 = arith.addf %s14, %v : f32
        %s16 = arith.addf %s15, %v : f32
        memref.store %s16, %l[%r, %q] : memref<8x8xf32, #gpu.address_space<private>>
      }
    }
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @nest
// CHECK:         scf.for %r
// CHECK-NEXT:      scf.for %q
// CHECK:             memref.store %s16, %l[%r, %q]
