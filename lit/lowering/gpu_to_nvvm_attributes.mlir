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
