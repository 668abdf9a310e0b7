// RUN: stepwell opt %s -p 'gpu-to-nvvm{arch=sm_90}' --split-input-file --verify-diagnostics | filecheck %s

// f16 is computed with as it is, in pairs too; bf16 where f32 would give the same bits.

// CHECK-LABEL: llvm.func ptx_kernelcc @pairs(
// CHECK: llvm.fadd %{{.*}}, %{{.*}} : vector<2xf16>
// CHECK: llvm.fmul %{{.*}}, %{{.*}} : vector<2xf16>
gpu.module @m {
  gpu.func @pairs(%a: vector<2xf16>, %x: memref<?xvector<2xf16>, #gpu.address_space<global>>) kernel {
    %i = gpu.thread_id x
    %v = memref.load %x[%i] : memref<?xvector<2xf16>, #gpu.address_space<global>>
    %s = arith.addf %v, %a : vector<2xf16>
    %p = arith.mulf %s, %a : vector<2xf16>
    memref.store %p, %x[%i] : memref<?xvector<2xf16>, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// CHECK-LABEL: llvm.func ptx_kernelcc @brain(
// CHECK: llvm.fadd %{{.*}}, %{{.*}} : vector<2xbf16>
// CHECK: llvm.fmul %{{.*}}, %{{.*}} : vector<2xf32>
gpu.module @m {
  gpu.func @brain(%a: vector<2xbf16>, %x: memref<?xvector<2xbf16>, #gpu.address_space<global>>) kernel {
    %i = gpu.thread_id x
    %v = memref.load %x[%i] : memref<?xvector<2xbf16>, #gpu.address_space<global>>
    %s = arith.addf %v, %a : vector<2xbf16>
    %p = arith.mulf %s, %a : vector<2xbf16>
    memref.store %p, %x[%i] : memref<?xvector<2xbf16>, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A sum of bf16 that was written in f32 is one of bf16; a product is not.

// CHECK-LABEL: llvm.func ptx_kernelcc @written_in_f32(
// CHECK: llvm.fadd %{{.*}}, %{{.*}} : bf16
// CHECK: llvm.fmul %{{.*}}, %{{.*}} : f32
gpu.module @m {
  gpu.func @written_in_f32(%a: bf16, %b: bf16, %x: memref<?xbf16, #gpu.address_space<global>>) kernel {
    %i = gpu.thread_id x
    %a32 = arith.extf %a : bf16 to f32
    %b32 = arith.extf %b : bf16 to f32
    %s32 = arith.addf %a32, %b32 : f32
    %s = arith.truncf %s32 : f32 to bf16
    %w = arith.extf %s : bf16 to f32
    %p32 = arith.mulf %w, %b32 : f32
    %p = arith.truncf %p32 : f32 to bf16
    memref.store %p, %x[%i] : memref<?xbf16, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// CHECK-LABEL: llvm.func ptx_kernelcc @atomic_pairs(
// CHECK: red.relaxed.gpu.global.add.noftz.f16x2 [$0], $1;
// CHECK: red.relaxed.gpu.global.add.noftz.bf16x2 [$0], $1;
gpu.module @m {
  gpu.func @atomic_pairs(%a: vector<2xf16>, %b: vector<2xbf16>, %x: memref<?xvector<2xf16>, #gpu.address_space<global>>, %y: memref<?xvector<2xbf16>, #gpu.address_space<global>>) kernel {
    %i = gpu.thread_id x
    %p = gpux.atomic_rmw "add" %a, %x[%i] order "relaxed" scope "device" : vector<2xf16>, memref<?xvector<2xf16>, #gpu.address_space<global>>
    %q = gpux.atomic_rmw "add" %b, %y[%i] order "relaxed" scope "device" : vector<2xbf16>, memref<?xvector<2xbf16>, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @atomic_minimum(%a: vector<2xf16>, %x: memref<?xvector<2xf16>, #gpu.address_space<global>>) kernel {
    %i = gpu.thread_id x
    // expected-error@+1 {{an atomic min of vector<2xf16>}}
    %p = gpux.atomic_rmw "min" %a, %x[%i] order "relaxed" scope "device" : vector<2xf16>, memref<?xvector<2xf16>, #gpu.address_space<global>>
    gpu.return
  }
}
