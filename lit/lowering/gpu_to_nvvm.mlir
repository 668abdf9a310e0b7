// RUN: stepwell opt %s -p 'gpu-to-nvvm{arch=sm_80}' --split-input-file --verify-diagnostics | filecheck %s

// Parameters: a view is pointer and sizes, a bool is a byte. Ids are special registers.

// CHECK-LABEL: llvm.func ptx_kernelcc @ids(
// CHECK-SAME: %x: !llvm.ptr<1> {llvm.align = 4 : i64}, %x_1: i64, %b: i8)
// CHECK-SAME: attributes {gpux.kernel, passthrough = ["nounwind", ["nvvm.reqntid", "64,1,1"]]}
// CHECK-DAG: nvvm.read.ptx.sreg.ctaid.x : i32
// CHECK-DAG: nvvm.read.ptx.sreg.ntid.x : i32
// CHECK-DAG: nvvm.read.ptx.sreg.tid.x : i32
// CHECK: llvm.getelementptr inbounds %x[%{{.*}}] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
// CHECK: llvm.return
gpu.module @m {
  gpu.func @ids(%x: memref<?xf32, #gpu.address_space<global>>, %b: i1) kernel attributes {gpu.known_block_size = array<i32: 64, 1, 1>} {
    %i = gpu.global_id x
    %v = memref.load %x[%i] : memref<?xf32, #gpu.address_space<global>>
    scf.if %b {
      memref.store %v, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// -----

// Shared memory is a variable, dynamic shared memory one without a size.

// CHECK: llvm.mlir.global external @__stepwell_dynamic_shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
// CHECK: llvm.mlir.global internal @shared_shared_0() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<64 x f32>
// CHECK-LABEL: llvm.func ptx_kernelcc @shared(
// CHECK: llvm.mlir.addressof @shared_shared_0 : !llvm.ptr<3>
// CHECK: nvvm.barrier0
// CHECK: llvm.mlir.addressof @__stepwell_dynamic_shared : !llvm.ptr<3>
// CHECK: nvvm.read.ptx.sreg.dynamic_smem_size : i32
gpu.module @m {
  gpu.func @shared(%v: f32) workgroup(%s : memref<64xf32, #gpu.address_space<workgroup>>) kernel {
    %t = gpu.thread_id x
    memref.store %v, %s[%t] : memref<64xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %d = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %c = arith.constant 7 : i8
    memref.store %c, %d[%t] : memref<?xi8, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// -----

// All lanes are there: a constant mask. Integers have redux, floats a butterfly.

// CHECK-LABEL: llvm.func ptx_kernelcc @full(
// CHECK: %[[MASK:.*]] = llvm.mlir.constant(-1 : i32) : i32
// CHECK: nvvm.redux.sync add %i, %[[MASK]] : i32 -> i32
// CHECK-COUNT-5: nvvm.shfl.sync bfly %[[MASK]]
// CHECK-NOT: nvvm.shfl.sync
// CHECK: llvm.return
gpu.module @m {
  gpu.func @full(%i: i32, %f: f32, %x: memref<1xi32, #gpu.address_space<global>>, %y: memref<1xf32, #gpu.address_space<global>>) kernel attributes {gpu.known_block_size = array<i32: 32, 2, 1>} {
    %c = arith.constant 0 : index
    %a = gpu.subgroup_reduce add %i : (i32) -> i32
    memref.store %a, %x[%c] : memref<1xi32, #gpu.address_space<global>>
    %b = gpu.subgroup_reduce add %f : (f32) -> f32
    memref.store %b, %y[%c] : memref<1xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A branch that differs between lanes votes first; the other side has the rest.

// CHECK-LABEL: llvm.func ptx_kernelcc @divergent(
// CHECK: %[[TAKEN:.*]] = nvvm.vote.ballot.sync %[[MASK:.*]], %{{.*}} : i32
// CHECK: %[[OTHERS:.*]] = llvm.xor %[[MASK]], %[[TAKEN]] : i32
// CHECK: nvvm.vote.any.sync %[[TAKEN]], %{{.*}} : i1
// CHECK: nvvm.vote.all.sync %[[OTHERS]], %{{.*}} : i1
gpu.module @m {
  gpu.func @divergent(%p: i1, %x: memref<?xi1, #gpu.address_space<global>>) kernel {
    %t = gpu.thread_id x
    %c = memref.load %x[%t] : memref<?xi1, #gpu.address_space<global>>
    scf.if %c {
      %a = gpu.subgroup_reduce or %p : (i1) -> i1
      memref.store %a, %x[%t] : memref<?xi1, #gpu.address_space<global>>
    } else {
      %a = gpu.subgroup_reduce and %p : (i1) -> i1
      memref.store %a, %x[%t] : memref<?xi1, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// -----

// Atomics keep their order and scope; without a use of the old value they are `red`.

// CHECK-LABEL: llvm.func ptx_kernelcc @atomics(
// CHECK: llvm.inline_asm has_side_effects "red.relaxed.gpu.global.add.f32 [$0], $1;", "l,f,~{memory}"
// CHECK: llvm.inline_asm has_side_effects "atom.acq_rel.cta.global.add.f32 $0, [$1], $2;", "=f,l,f,~{memory}"
// CHECK: llvm.inline_asm has_side_effects "fence.sc.sys;", "~{memory}"
// CHECK: llvm.inline_asm has_side_effects "atom.acq_rel.sys.global.cas.b32 $0, [$1], $2, $3;", "=r,l,r,r,~{memory}"
gpu.module @m {
  gpu.func @atomics(%v: f32, %x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %t = gpu.thread_id x
    %a = gpux.atomic_rmw "add" %v, %x[%t] order "relaxed" scope "device" : f32, memref<?xf32, #gpu.address_space<global>>
    %b = gpux.atomic_rmw "add" %v, %x[%t] order "acq_rel" scope "block" : f32, memref<?xf32, #gpu.address_space<global>>
    %c = gpux.atomic_cas %b, %v, %x[%t] order "seq_cst" scope "system" : f32, memref<?xf32, #gpu.address_space<global>>
    memref.store %c, %x[%t] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A failed check reports and ends the thread; the report function reads the ids.

// CHECK-LABEL: llvm.func ptx_kernelcc @checked(
// CHECK-SAME: %ok: i8, %i: i64, %report: !llvm.ptr<1>)
// CHECK: llvm.call @__stepwell_report_1(%report, %{{.*}}, %i) : (!llvm.ptr<1>, i32, i64) -> ()
// CHECK-NEXT: llvm.return
// CHECK: llvm.func internal @__stepwell_report_1(
// CHECK: nvvm.read.ptx.sreg.ctaid.x : i32
// CHECK: nvvm.read.ptx.sreg.tid.z : i32
gpu.module @m {
  gpu.func @checked(%ok: i1, %i: index) kernel {
    gpux.check %ok, "bounds", "index {}" (%i : index) formats ["index"] site 7 : i32
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @f(%x: f32, %o: memref<1xf32, #gpu.address_space<global>>) kernel {
    %c = arith.constant 0 : index
    // expected-error@+1 {{math.exp of f32 has no instruction on this target}}
    %y = math.exp %x : f32
    memref.store %y, %o[%c] : memref<1xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @f(%x: i32, %w: i32) kernel {
    // expected-error@+1 {{shuffle over a value that is not constant lanes}}
    %y, %ok = gpu.shuffle xor %x, %x, %w : i32
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{a block of 2048 threads, expected at most 1024}}
  gpu.func @f() kernel attributes {gpu.known_block_size = array<i32: 2048, 1, 1>} {
    gpu.return
  }
}

// -----

// Matrices of a subgroup are fragments of wmma, a value for each register.

// CHECK-LABEL: llvm.func ptx_kernelcc @matrices(
// CHECK: %[[LEAD:.*]] = llvm.mlir.constant(16 : i32) : i32
// CHECK: %[[A:.*]] = nvvm.wmma.load %a, %[[LEAD]] {eltype = #nvvm.mma_type<f16>, frag = #nvvm.mma_frag<a>, k = 16 : i32, layout = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : (!llvm.ptr<1>)
// CHECK: llvm.extractvalue %[[A]][0]
// CHECK: nvvm.wmma.load %a, %{{.*}} {eltype = #nvvm.mma_type<f16>, frag = #nvvm.mma_frag<b>, k = 16 : i32, layout = #nvvm.mma_layout<col>, m = 16 : i32, n = 16 : i32} : (!llvm.ptr<1>)
// CHECK: nvvm.wmma.mma {{.*}} {eltypeA = #nvvm.mma_type<f16>, eltypeB = #nvvm.mma_type<f32>, k = 16 : i32, layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, m = 16 : i32, n = 16 : i32}
// CHECK-COUNT-8: llvm.fneg
// CHECK: nvvm.wmma.store %c, %{{.*}} {eltype = #nvvm.mma_type<f32>, k = 16 : i32, layout = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : !llvm.ptr<1>, f32
gpu.module @m {
  gpu.func @matrices(%a: memref<16x16xf16, #gpu.address_space<global>>, %c: memref<16x16xf32, #gpu.address_space<global>>, %f: f32) kernel {
    %i = arith.constant 0 : index
    %0 = gpu.subgroup_mma_load_matrix %a[%i, %i] {leadDimension = 16 : index} : memref<16x16xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf16, "AOp">
    %1 = gpu.subgroup_mma_load_matrix %a[%i, %i] {leadDimension = 16 : index, transpose} : memref<16x16xf16, #gpu.address_space<global>> -> !gpu.mma_matrix<16x16xf16, "BOp">
    %2 = gpu.subgroup_mma_constant_matrix %f : !gpu.mma_matrix<16x16xf32, "COp">
    %3 = gpu.subgroup_mma_compute %0, %1, %2 {b_transpose} : !gpu.mma_matrix<16x16xf16, "AOp">, !gpu.mma_matrix<16x16xf16, "BOp"> -> !gpu.mma_matrix<16x16xf32, "COp">
    %4 = gpu.subgroup_mma_elementwise negatef %3 : (!gpu.mma_matrix<16x16xf32, "COp">) -> !gpu.mma_matrix<16x16xf32, "COp">
    gpu.subgroup_mma_store_matrix %4, %c[%i, %i] {leadDimension = 16 : index} : !gpu.mma_matrix<16x16xf32, "COp">, memref<16x16xf32, #gpu.address_space<global>>
    gpu.return
  }
}
