// RUN: stepwell opt %s -p 'gpu-to-nvvm{arch=sm_90}' --split-input-file --verify-diagnostics | filecheck %s

// What ptxas reads of a kernel, by upstream's names; what is known of a parameter's pointer stays.

// CHECK-LABEL: llvm.func ptx_kernelcc @bounds(
// CHECK-SAME: %x: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias}
// CHECK-SAME: %map: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant})
// CHECK-SAME: ["nvvm.minctasm", "2"], ["nvvm.cluster_dim", "2,1,1"]
gpu.module @m {
  gpu.func @bounds(%x: memref<?xf32, #gpu.address_space<global>> {llvm.align = 16 : i64, llvm.noalias}, %map: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}) kernel attributes {nvvm.minctasm = 2 : i32, nvvm.cluster_dim = array<i32: 2, 1, 1>} {
    gpu.return
  }
}

// -----

// Rows at multiples of 16 bytes: so many elements lie between them as 4 divides.

// CHECK-LABEL: llvm.func ptx_kernelcc @rows(
// CHECK-SAME: %x: !llvm.ptr<1> {llvm.align = 16 : i64}, %x_1: i64, %x_2: i64,
// CHECK: %[[BITS:.*]] = llvm.mlir.constant(-4 : i64) : i64
// CHECK: %[[COLUMNS:.*]] = llvm.and %x_2, %[[BITS]] : i64
// CHECK-NOT: llvm.and
// CHECK: llvm.mul %{{.*}}, %[[COLUMNS]]
gpu.module @m {
  gpu.func @rows(%x: memref<?x?xf32, #gpu.address_space<global>> {llvm.align = 16 : i64, gpux.aligned_rows}, %v: f32) kernel {
    %i = gpu.thread_id x
    memref.store %v, %x[%i, %i] : memref<?x?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{gpux.aligned_rows without llvm.align}}
  gpu.func @how_far(%x: memref<?x?xf32, #gpu.address_space<global>> {gpux.aligned_rows}) kernel {
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{nvvm.cluster_dim is array<i32: 2>, expected 3 positive numbers}}
  gpu.func @short() kernel attributes {nvvm.cluster_dim = array<i32: 2>} {
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{the attribute nvvm.minblocks, expected one of nvvm.minctasm}}
  gpu.func @unknown() kernel attributes {nvvm.minblocks = 2 : i32} {
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{nvvm.grid_constant on a parameter of type f32, expected an !llvm.ptr with llvm.byval}}
  gpu.func @scalar(%a: f32 {nvvm.grid_constant}) kernel {
    gpu.return
  }
}
