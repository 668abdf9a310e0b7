// RUN: stepwell opt %s -p simt-to-gpu --split-input-file --verify-diagnostics | filecheck %s

// Shared arrays become attributions of the kernel, wherever they stand; a dynamic one is a view of
// the launch's bytes, with as many rows as fit. Local arrays are made once, where the kernel begins.

gpu.module @arrays {
  gpu.func @kernel(%p: i1, %i: index, %v: f32) kernel {
    scf.if %p {
      %s = simt.shared : memref<64x4xf32, #gpu.address_space<workgroup>>
      %l = simt.local : memref<4xf32, #gpu.address_space<private>>
      memref.store %v, %s[%i, %i] : memref<64x4xf32, #gpu.address_space<workgroup>>
      memref.store %v, %l[%i] : memref<4xf32, #gpu.address_space<private>>
    }
    %d = simt.shared : memref<?x4xf32, #gpu.address_space<workgroup>>
    memref.store %v, %d[%i, %i] : memref<?x4xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @kernel
// CHECK-SAME:    workgroup(%s : memref<64x4xf32, #gpu.address_space<workgroup>>)
// CHECK-DAG:     %l = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
// CHECK-DAG:     %[[BYTES:.*]] = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
// CHECK-DAG:     %[[COUNT:.*]] = memref.dim %[[BYTES]]
// CHECK-DAG:     %[[ROW:.*]] = arith.constant 16 : index
// CHECK-DAG:     %[[ROWS:.*]] = arith.divui %[[COUNT]], %[[ROW]] : index
// CHECK-DAG:     %d = memref.view %[[BYTES]][%{{.*}}][%[[ROWS]]]
// CHECK:         scf.if %p {
// CHECK-NEXT:      memref.store %v, %s[%i, %i]
// CHECK-NEXT:      memref.store %v, %l[%i]

// -----

// Constant divisors: a shift and a mask for powers of two, one sign fix for other positive ones.

gpu.module @constants {
  gpu.func @kernel(%a: i32) kernel {
    %c8 = arith.constant 8 : i32
    %c7 = arith.constant 7 : i32
    %q = simt.floordiv %a, %c8 : i32
    %r = simt.mod %a, %c8 : i32
    %s = simt.mod %a, %c7 : i32
    gpux.print "{} {} {}" (%q, %r, %s : i32, i32, i32) formats ["i32", "i32", "i32"]
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @constants
// CHECK:         %[[THREE:.*]] = arith.constant 3 : i32
// CHECK-NEXT:    %q = arith.shrsi %a, %[[THREE]] : i32
// CHECK-NEXT:    %[[SEVEN:.*]] = arith.constant 7 : i32
// CHECK-NEXT:    %r = arith.andi %a, %[[SEVEN]] : i32
// CHECK-NEXT:    %[[REM:.*]] = arith.remsi %a, %c7 : i32
// CHECK-NEXT:    %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-NEXT:    %[[FIX:.*]] = arith.cmpi slt, %[[REM]], %[[ZERO]] : i32
// CHECK-NEXT:    %[[SUM:.*]] = arith.addi %[[REM]], %c7 : i32
// CHECK-NEXT:    %s = arith.select %[[FIX]], %[[SUM]], %[[REM]] : i32

// -----

// An id is never negative: unsigned division. Any divisor: 1 stands in for -1 and 0.

gpu.module @ids {
  gpu.func @kernel(%a: i32, %b: i32) kernel {
    %c7 = arith.constant 7 : index
    %t = gpu.thread_id x
    %q = simt.floordiv %t, %c7 : index
    %r = simt.mod %t, %c7 : index
    %s = simt.floordiv %a, %b : i32
    gpux.print "{} {} {}" (%q, %r, %s : index, index, i32) formats ["index", "index", "i32"]
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @ids
// CHECK:         %q = arith.divui %t, %c7 : index
// CHECK-NEXT:    %r = arith.remui %t, %c7 : index
// CHECK:         %[[SPECIAL:.*]] = arith.cmpi ult, %{{.*}}, %{{.*}} : i32
// CHECK-NEXT:    %[[SAFE:.*]] = arith.select %[[SPECIAL]], %{{.*}}, %b : i32
// CHECK-NEXT:    arith.divsi %a, %[[SAFE]] : i32

// -----

// Floats by C's remainder, 16 bits in f32.

gpu.module @floats {
  gpu.func @kernel(%a: f32, %b: f32, %h: f16) kernel {
    %r = simt.mod %a, %b : f32
    %s = simt.floordiv %h, %h : f16
    gpux.print "{} {}" (%r, %s : f32, f16) formats ["f32", "f16"]
    gpu.return
  }
}

// CHECK-LABEL: gpu.module @floats
// CHECK:         arith.remf %a, %b : f32
// CHECK:         %[[WIDE:.*]] = arith.extf %h : f16 to f32
// CHECK:         arith.remf %[[WIDE]], %{{.*}} : f32
// CHECK:         %s = arith.truncf %{{.*}} : f32 to f16

// -----

// All that is left of simt is listed in one error.

gpu.module @leftovers {
  gpu.func @kernel(%p: i1, %v: f32) kernel {
    // expected-error @+1 {{simt.cell: no rule converts simt.cell}}
    %c = simt.cell : !simt.cell<f32>
    // expected-error @+1 {{simt.set: no rule converts simt.set}}
    simt.set %v, %c : f32
    // expected-error @+1 {{has a dynamic size, expected constant ones}}
    %l = simt.local : memref<?xf32, #gpu.address_space<private>>
    // expected-error @+1 {{has a dynamic size other than its first}}
    %s = simt.shared : memref<4x?xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// -----

// How many threads run: the extent, or all of the grid.
gpu.module @sizes {
  gpu.func @over(%y: memref<?xindex, #gpu.address_space<global>>, %ex: index, %ey: index, %ez: index) kernel attributes {gpux.over = 2 : i64} {
    %c0 = arith.constant 0 : index
    %n = simt.global_size y
    memref.store %n, %y[%c0] : memref<?xindex, #gpu.address_space<global>>
    gpu.return
  }
  gpu.func @grid(%y: memref<?xindex, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %n = simt.global_size z
    memref.store %n, %y[%c0] : memref<?xindex, #gpu.address_space<global>>
    gpu.return
  }
}
// CHECK-LABEL: gpu.func @over
// CHECK:         memref.store %ey, %y
// CHECK-LABEL: gpu.func @grid
// CHECK:         %[[GRID:.*]] = gpu.grid_dim z
// CHECK:         %[[BLOCK:.*]] = gpu.block_dim z
// CHECK:         arith.muli %[[GRID]], %[[BLOCK]]
