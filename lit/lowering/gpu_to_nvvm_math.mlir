// RUN: stepwell opt %s -p 'expand-math{keep-approximate=true keep-exp=true},gpu-to-nvvm{arch=sm_80}' --split-input-file | filecheck %s

// exp that may be contracted is made of 2**x; without the flag it is arithmetic alone.

// CHECK-LABEL: llvm.func ptx_kernelcc @exponentials(
// CHECK: llvm.call_intrinsic "llvm.nvvm.fma.rn.sat.f"(%x,
// CHECK: llvm.call_intrinsic "llvm.nvvm.fma.rm.f"(
// CHECK: llvm.shl %{{.*}}, %{{.*}} : i32
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(
// CHECK-NOT: llvm.call_intrinsic
// CHECK: llvm.return
gpu.module @m {
  gpu.func @exponentials(%x: f32, %o: memref<2xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %a = math.exp %x fastmath<contract> : f32
    memref.store %a, %o[%c0] : memref<2xf32, #gpu.address_space<global>>
    %b = math.exp %x : f32
    memref.store %b, %o[%c1] : memref<2xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// An approximate function is one instruction, or two.

// CHECK-LABEL: llvm.func ptx_kernelcc @approximate(
// CHECK: llvm.fmul %x, %{{.*}} : f32
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(
// CHECK: llvm.call_intrinsic "llvm.nvvm.lg2.approx.f"(
// CHECK: llvm.intr.sin(%x)
gpu.module @m {
  gpu.func @approximate(%x: f32, %o: memref<3xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %a = math.exp %x fastmath<afn> : f32
    memref.store %a, %o[%c0] : memref<3xf32, #gpu.address_space<global>>
    %b = math.log2 %x fastmath<afn> : f32
    memref.store %b, %o[%c1] : memref<3xf32, #gpu.address_space<global>>
    %c = math.sin %x fastmath<afn> : f32
    memref.store %c, %o[%c2] : memref<3xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// f64 and f16 have no such instruction.

// CHECK-LABEL: llvm.func ptx_kernelcc @wide(
// CHECK-NOT: llvm.call_intrinsic
// CHECK: llvm.return
gpu.module @m {
  gpu.func @wide(%x: f64, %h: f16, %o: memref<1xf64, #gpu.address_space<global>>, %p: memref<1xf16, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %a = math.exp %x fastmath<contract,afn> : f64
    memref.store %a, %o[%c0] : memref<1xf64, #gpu.address_space<global>>
    %b = math.exp %h fastmath<contract,afn> : f16
    memref.store %b, %p[%c0] : memref<1xf16, #gpu.address_space<global>>
    gpu.return
  }
}
