// RUN: stepwell opt %s --split-input-file --verify-diagnostics | stepwell opt --split-input-file | filecheck %s

gpu.module @round_trip {
  func.func private @find(%x: memref<?xf32, #gpu.address_space<global>>, %v: f32, %n: index) -> index {
    %last = simt.cell : !simt.cell<index>
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    simt.for %i = %zero to %n step %one : index {
      simt.check_index %i, %x, 0 : i64 as "x" : memref<?xf32, #gpu.address_space<global>>
      %w = memref.load %x[%i] : memref<?xf32, #gpu.address_space<global>>
      %same = arith.cmpf oeq, %v, %w : f32
      simt.if %same {
        simt.break
      } else {
        simt.set %i, %last : index
        simt.continue
      }
      simt.yield
    } else {
      simt.return %n : index
    }
    %r = simt.get %last : index
    simt.return %r : index
  }
  gpu.func @kernel(%n: i32, %p: i1, %v: f32) kernel {
    %s = simt.shared : memref<?x4xf32, #gpu.address_space<workgroup>>
    %l = simt.local : memref<4xf32, #gpu.address_space<private>>
    %q = simt.floordiv %n, %n : i32
    %r = simt.mod %v, %v : f32
    simt.while {
      simt.condition %p
    } do {
      simt.if %p {
        simt.continue
      }
      simt.yield
    } else {
      simt.yield
    }
    simt.for %i = %n to %q step %n : i32 {
      simt.yield
    } {unsigned}
    simt.return
  }
}

// CHECK-LABEL: func.func private @find
// CHECK-NEXT:    %last = simt.cell : !simt.cell<index>
// CHECK:         simt.for %i = %zero to %n step %one : index {
// CHECK-NEXT:      simt.check_index %i, %x, 0 : i64 as "x" : memref<?xf32, #gpu.address_space<global>>
// CHECK:           simt.if %same {
// CHECK-NEXT:        simt.break
// CHECK-NEXT:      } else {
// CHECK-NEXT:        simt.set %i, %last : index
// CHECK-NEXT:        simt.continue
// CHECK-NEXT:      }
// CHECK-NEXT:      simt.yield
// CHECK-NEXT:    } else {
// CHECK-NEXT:      simt.return %n : index
// CHECK-NEXT:    }
// CHECK-NEXT:    %r = simt.get %last : index
// CHECK-NEXT:    simt.return %r : index
// CHECK-LABEL: gpu.func @kernel
// CHECK-NEXT:    %s = simt.shared : memref<?x4xf32, #gpu.address_space<workgroup>>
// CHECK-NEXT:    %l = simt.local : memref<4xf32, #gpu.address_space<private>>
// CHECK-NEXT:    %q = simt.floordiv %n, %n : i32
// CHECK-NEXT:    %r = simt.mod %v, %v : f32
// CHECK-NEXT:    simt.while {
// CHECK-NEXT:      simt.condition %p
// CHECK-NEXT:    } do {
// CHECK-NEXT:      simt.if %p {
// CHECK-NEXT:        simt.continue
// CHECK-NEXT:      }
// CHECK-NEXT:      simt.yield
// CHECK-NEXT:    } else {
// CHECK-NEXT:      simt.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    simt.for %i = %n to %q step %n : i32 {
// CHECK-NEXT:      simt.yield
// CHECK-NEXT:    } {unsigned}
// CHECK-NEXT:    simt.return

// -----

func.func private @ends(%p: i1) {
  // expected-error @+1 {{a region of simt.if ends in simt.condition, expected one of simt.yield, simt.break, simt.continue, simt.return}}
  simt.if %p {
    simt.condition %p
  }
  simt.return
}

// -----

func.func private @empty(%p: i1) {
  // expected-error @+1 {{expected a single block, but got 0 blocks}}
  simt.if %p {
  }
  simt.return
}

// -----

func.func private @condition(%p: i1) {
  // expected-error @+1 {{a region of simt.while ends in simt.yield, expected one of simt.condition}}
  simt.while {
    simt.yield
  } do {
    simt.yield
  }
  simt.return
}

// -----

func.func private @axis(%x: memref<?xf32>, %i: index) {
  // expected-error @+1 {{dimension 1 of a memref of rank 1}}
  simt.check_index %i, %x, 1 : i64 as "x" : memref<?xf32>
  simt.return
}

// -----

func.func private @cell(%v: f32) {
  %c = simt.cell : !simt.cell<i32>
  // expected-error @+1 {{operand is used with type !simt.cell<f32>, but has been previously used or defined with type !simt.cell<i32>}}
  simt.set %v, %c : f32
  simt.return
}
