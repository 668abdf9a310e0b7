// RUN: stepwell opt %s -p promote-arrays --split-input-file | filecheck %s

// Elements that only constants index are what a loop carries.

gpu.module @m {
  gpu.func @sums(%x: memref<?xf32, #gpu.address_space<global>>, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %zero = arith.constant 0.0 : f32
    %l = memref.alloca() : memref<2xf32, #gpu.address_space<private>>
    memref.store %zero, %l[%c0] : memref<2xf32, #gpu.address_space<private>>
    memref.store %zero, %l[%c1] : memref<2xf32, #gpu.address_space<private>>
    scf.for %i = %c0 to %n step %c1 {
      %v = memref.load %x[%i] : memref<?xf32, #gpu.address_space<global>>
      %a = memref.load %l[%c0] : memref<2xf32, #gpu.address_space<private>>
      %s = arith.addf %a, %v : f32
      memref.store %s, %l[%c0] : memref<2xf32, #gpu.address_space<private>>
      gpu.barrier
    }
    %r = memref.load %l[%c0] : memref<2xf32, #gpu.address_space<private>>
    %q = memref.load %l[%c1] : memref<2xf32, #gpu.address_space<private>>
    memref.store %r, %x[%c0] : memref<?xf32, #gpu.address_space<global>>
    memref.store %q, %x[%c1] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @sums
// CHECK-NOT:     memref.alloca
// CHECK:         %l = scf.for %i = %c0 to %n step %c1 iter_args(%l_1 = %zero) -> (f32) {
// CHECK-NEXT:      %v = memref.load %x[%i]
// CHECK-NEXT:      %s = arith.addf %l_1, %v : f32
// CHECK-NEXT:      gpu.barrier
// CHECK-NEXT:      scf.yield %s : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    memref.store %l, %x[%c0]
// CHECK-NEXT:    memref.store %zero, %x[%c1]

// -----

// Elements of several dimensions, and one that is read before it is set.

gpu.module @m {
  gpu.func @matrix(%x: memref<?xi32, #gpu.address_space<global>>, %v: i32, %p: i1) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %l = memref.alloca() : memref<2x2xi32, #gpu.address_space<private>>
    scf.if %p {
      memref.store %v, %l[%c0, %c1] : memref<2x2xi32, #gpu.address_space<private>>
    }
    %a = memref.load %l[%c0, %c1] : memref<2x2xi32, #gpu.address_space<private>>
    %b = memref.load %l[%c1, %c0] : memref<2x2xi32, #gpu.address_space<private>>
    memref.store %a, %x[%c0] : memref<?xi32, #gpu.address_space<global>>
    memref.store %b, %x[%c1] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @matrix
// CHECK:         %b = arith.constant 0 : i32
// CHECK-NOT:     memref.alloca
// CHECK:         %l = scf.if %p -> (i32) {
// CHECK-NEXT:      scf.yield %v : i32
// CHECK-NEXT:    } else {
// CHECK-NEXT:      scf.yield %b : i32
// CHECK-NEXT:    }
// CHECK-NEXT:    memref.store %l, %x[%c0]
// CHECK-NEXT:    memref.store %b, %x[%c1]

// -----

// Arrays stay that an unknown index, or one outside, reads; of which there is a view; that another
// array holds; that are large; that all threads share.

gpu.module @m {
  gpu.func @kept(%i: index, %v: f32, %x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %c9 = arith.constant 9 : index
    %unknown = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
    memref.store %v, %unknown[%c0] : memref<4xf32, #gpu.address_space<private>>
    memref.store %v, %unknown[%i] : memref<4xf32, #gpu.address_space<private>>
    %outside = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
    memref.store %v, %outside[%c9] : memref<4xf32, #gpu.address_space<private>>
    %viewed = memref.alloca() : memref<4xf32, #gpu.address_space<private>>
    %view = memref.subview %viewed[1] [2] [1] : memref<4xf32, #gpu.address_space<private>> to memref<2xf32, strided<[1], offset: 1>, #gpu.address_space<private>>
    memref.store %v, %view[%c0] : memref<2xf32, strided<[1], offset: 1>, #gpu.address_space<private>>
    %large = memref.alloca() : memref<65xf32, #gpu.address_space<private>>
    memref.store %v, %large[%c0] : memref<65xf32, #gpu.address_space<private>>
    %shared = memref.alloca() : memref<4xf32, #gpu.address_space<workgroup>>
    memref.store %v, %shared[%c0] : memref<4xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// CHECK-LABEL: gpu.func @kept
// CHECK:         %unknown = memref.alloca
// CHECK:         %outside = memref.alloca
// CHECK:         %viewed = memref.alloca
// CHECK:         %large = memref.alloca
// CHECK:         %shared = memref.alloca
