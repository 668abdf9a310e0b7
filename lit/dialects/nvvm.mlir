// RUN: stepwell opt %s --split-input-file --verify-diagnostics | filecheck %s

// The syntax is upstream's as of LLVM 19 where the op exists there.

// CHECK-LABEL: llvm.func @ops(
llvm.func @ops(%m: i32, %x: f32, %p: i1, %s: !llvm.ptr<3>, %g: !llvm.ptr<1>, %gg: !llvm.ptr, %h: vector<2xf16>, %i64: i64, %d: f64) {
  // CHECK: nvvm.barrier
  nvvm.barrier
  // CHECK: nvvm.barrier id = %m
  nvvm.barrier id = %m
  // CHECK: nvvm.barrier id = %m number_of_threads = %m
  nvvm.barrier id = %m number_of_threads = %m
  // CHECK: nvvm.barrier.arrive id = %m number_of_threads = %m
  nvvm.barrier.arrive id = %m number_of_threads = %m
  // CHECK: nvvm.bar.warp.sync %m : i32
  nvvm.bar.warp.sync %m : i32
  // CHECK: nvvm.elect.sync -> i1
  %e = nvvm.elect.sync -> i1
  // CHECK: nvvm.fence.sc.cluster
  nvvm.fence.sc.cluster
  // CHECK: nvvm.fence.mbarrier.init
  nvvm.fence.mbarrier.init
  // CHECK: nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}
  nvvm.fence.proxy {kind = #nvvm.proxy_kind<async>}
  // CHECK: nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
  nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
  // CHECK: nvvm.cp.async.shared.global %s, %g, 16, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>
  nvvm.cp.async.shared.global %s, %g, 16, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>
  // CHECK: nvvm.cp.async.shared.global %s, %g, 16, cache = cg, %m : !llvm.ptr<3>, !llvm.ptr<1>, i32
  nvvm.cp.async.shared.global %s, %g, 16, cache = cg, %m : !llvm.ptr<3>, !llvm.ptr<1>, i32
  // CHECK: nvvm.cp.async.commit.group
  nvvm.cp.async.commit.group
  // CHECK: nvvm.cp.async.wait.group 2
  nvvm.cp.async.wait.group 2
  // CHECK: nvvm.ldmatrix %s {layout = #nvvm.mma_layout<row>, num = 4 : i32} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
  %1 = nvvm.ldmatrix %s {layout = #nvvm.mma_layout<row>, num = 4 : i32} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
  // CHECK: nvvm.stmatrix %s, %m, %m {layout = #nvvm.mma_layout<row>} : !llvm.ptr<3>, i32, i32
  nvvm.stmatrix %s, %m, %m {layout = #nvvm.mma_layout<row>} : !llvm.ptr<3>, i32, i32
  // CHECK: nvvm.mma.sync A[%h, %h] B[%h] C[%h, %h] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 8>} : (vector<2xf16>, vector<2xf16>, vector<2xf16>) -> !llvm.struct<(vector<2xf16>, vector<2xf16>)>
  %2 = nvvm.mma.sync A[%h, %h] B[%h] C[%h, %h] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 8>} : (vector<2xf16>, vector<2xf16>, vector<2xf16>) -> !llvm.struct<(vector<2xf16>, vector<2xf16>)>
  // CHECK: nvvm.mma.sync A[%m, %m, %m, %m] B[%m, %m] C[%x, %x, %x, %x] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
  %3 = nvvm.mma.sync A[%m, %m, %m, %m] B[%m, %m] C[%x, %x, %x, %x] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
  // CHECK: nvvm.mbarrier.init %gg, %m : !llvm.ptr, i32
  nvvm.mbarrier.init %gg, %m : !llvm.ptr, i32
  // CHECK: nvvm.mbarrier.init.shared %s, %m : !llvm.ptr<3>, i32
  nvvm.mbarrier.init.shared %s, %m : !llvm.ptr<3>, i32
  // CHECK: nvvm.mbarrier.inval.shared %s : !llvm.ptr<3>
  nvvm.mbarrier.inval.shared %s : !llvm.ptr<3>
  // CHECK: nvvm.mbarrier.arrive.shared %s : !llvm.ptr<3> -> i64
  %4 = nvvm.mbarrier.arrive.shared %s : !llvm.ptr<3> -> i64
  // CHECK: nvvm.mbarrier.arrive.nocomplete.shared %s, %m : !llvm.ptr<3>, i32 -> i64
  %5 = nvvm.mbarrier.arrive.nocomplete.shared %s, %m : !llvm.ptr<3>, i32 -> i64
  // CHECK: nvvm.mbarrier.arrive.expect_tx.shared %s, %m : !llvm.ptr<3>, i32
  nvvm.mbarrier.arrive.expect_tx.shared %s, %m : !llvm.ptr<3>, i32
  // CHECK: nvvm.mbarrier.try_wait.parity.shared %s, %m, %m : !llvm.ptr<3>, i32, i32
  nvvm.mbarrier.try_wait.parity.shared %s, %m, %m : !llvm.ptr<3>, i32, i32
  // CHECK: nvvm.mbarrier.test.wait.shared %s, %i64 : !llvm.ptr<3>, i64 -> i1
  %6 = nvvm.mbarrier.test.wait.shared %s, %i64 : !llvm.ptr<3>, i64 -> i1
  // CHECK: nvvm.cp.async.mbarrier.arrive.shared %s : !llvm.ptr<3>
  nvvm.cp.async.mbarrier.arrive.shared %s : !llvm.ptr<3>
  // CHECK: nvvm.cluster.arrive
  nvvm.cluster.arrive
  // CHECK: nvvm.cluster.arrive {aligned}
  nvvm.cluster.arrive {aligned}
  // CHECK: nvvm.cluster.arrive.relaxed
  nvvm.cluster.arrive.relaxed
  // CHECK: nvvm.cluster.wait {aligned}
  nvvm.cluster.wait {aligned}
  // CHECK: nvvm.setmaxregister increase 128
  nvvm.setmaxregister increase 128
  // CHECK: nvvm.setmaxregister decrease 40
  nvvm.setmaxregister decrease 40
  // CHECK: nvvm.wgmma.fence.aligned
  nvvm.wgmma.fence.aligned
  // CHECK: nvvm.wgmma.commit.group.sync.aligned
  nvvm.wgmma.commit.group.sync.aligned
  // CHECK: nvvm.wgmma.wait.group.sync.aligned 1
  nvvm.wgmma.wait.group.sync.aligned 1
  // CHECK: nvvm.prefetch.tensormap %gg : !llvm.ptr
  nvvm.prefetch.tensormap %gg : !llvm.ptr
  // CHECK: nvvm.cp.async.bulk.tensor.shared.cluster.global %s, %gg, %s, box[%m, %m] : !llvm.ptr<3>, !llvm.ptr
  nvvm.cp.async.bulk.tensor.shared.cluster.global %s, %gg, %s, box[%m, %m] : !llvm.ptr<3>, !llvm.ptr
  // CHECK: nvvm.cp.async.bulk.tensor.global.shared.cta %gg, %s, box[%m, %m] : !llvm.ptr, !llvm.ptr<3>, i32, i32
  nvvm.cp.async.bulk.tensor.global.shared.cta %gg, %s, box[%m, %m] : !llvm.ptr, !llvm.ptr<3>, i32, i32
  // CHECK: nvvm.cp.async.bulk.commit.group
  nvvm.cp.async.bulk.commit.group
  // CHECK: nvvm.cp.async.bulk.wait_group 0
  nvvm.cp.async.bulk.wait_group 0
  // CHECK: nvvm.cp.async.bulk.wait_group 0 {read}
  nvvm.cp.async.bulk.wait_group 0 {read}
  // CHECK: nvvm.read.ptx.sreg.clock : i32
  %7 = nvvm.read.ptx.sreg.clock : i32
  // CHECK: nvvm.read.ptx.sreg.clock64 : i64
  %8 = nvvm.read.ptx.sreg.clock64 : i64
  // CHECK: nvvm.read.ptx.sreg.cluster.ctaid.x : i32
  %9 = nvvm.read.ptx.sreg.cluster.ctaid.x : i32
  // CHECK: nvvm.read.ptx.sreg.laneid : i32
  %10 = nvvm.read.ptx.sreg.laneid : i32
  // CHECK: nvvm.rcp.approx.ftz.f %x : f32
  %11 = nvvm.rcp.approx.ftz.f %x : f32
  // CHECK: nvvm.read.ptx.sreg.tid.x : i32
  %q = nvvm.read.ptx.sreg.tid.x : i32
  // CHECK: nvvm.shfl.sync bfly %m, %x, %m, %m : f32 -> f32
  %q1 = nvvm.shfl.sync bfly %m, %x, %m, %m : f32 -> f32
  // CHECK: nvvm.shfl.sync up %m, %x, %m, %m {return_value_and_is_valid} : f32 -> !llvm.struct<(f32, i1)>
  %q2 = nvvm.shfl.sync up %m, %x, %m, %m {return_value_and_is_valid} : f32 -> !llvm.struct<(f32, i1)>
  // CHECK: nvvm.vote.ballot.sync %m, %p : i32
  %q3 = nvvm.vote.ballot.sync %m, %p : i32
  // CHECK: nvvm.redux.sync add %m, %m : i32 -> i32
  %q4 = nvvm.redux.sync add %m, %m : i32 -> i32
  // CHECK: nvvm.barrier0
  nvvm.barrier0
  // CHECK: nvvm.inline_ptx "add.u32 $0, $1, $2;" (%m, %m) : (i32, i32) -> i32
  %q5 = nvvm.inline_ptx "add.u32 $0, $1, $2;" (%m, %m) : (i32, i32) -> i32
  // CHECK: nvvm.match.any.sync %m, %i64 : i64 -> i32
  %q6 = nvvm.match.any.sync %m, %i64 : i64 -> i32
  // CHECK: nvvm.nanosleep %m : i32
  nvvm.nanosleep %m : i32
  // CHECK: nvvm.wgmma.mma_async %i64, %i64, %acc, <m = 64, n = 8, k = 16>, D[<f32>, <zero>], A[<f16>, <neg>, <col>], B[<f16>, <one>, <row>] : !llvm.struct<(f32, f32, f32, f32)> -> !llvm.struct<(f32, f32, f32, f32)>
  %acc = llvm.mlir.undef : !llvm.struct<(f32, f32, f32, f32)>
  %w1 = nvvm.wgmma.mma_async %i64, %i64, %acc, #nvvm.shape<m = 64, n = 8, k = 16>, D [<f32>, #nvvm.wgmma_scale_out<zero>], A [<f16>, #nvvm.wgmma_scale_in<neg>, <col>], B [<f16>, <one>, #nvvm.mma_layout<row>] : !llvm.struct<(f32, f32, f32, f32)> -> !llvm.struct<(f32, f32, f32, f32)>
  // CHECK: nvvm.wgmma.mma_async %i64, %i64, %pairs, <m = 64, n = 8, k = 32>, D[<f16>, <one>], A[<e4m3>, <one>, <row>], B[<e5m2>, <one>, <col>] : !llvm.struct<(i32, i32)> -> !llvm.struct<(i32, i32)>
  %pairs = llvm.mlir.undef : !llvm.struct<(i32, i32)>
  %w9 = nvvm.wgmma.mma_async %i64, %i64, %pairs, <m = 64, n = 8, k = 32>, D[<f16>, <one>], A[<e4m3>, <one>, <row>], B[<e5m2>, <one>, <col>] : !llvm.struct<(i32, i32)> -> !llvm.struct<(i32, i32)>
  // CHECK: nvvm.wmma.load %s, %m {eltype = #nvvm.mma_type<s8>, frag = #nvvm.mma_frag<a>, k = 16 : i32, layout = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32)>
  %w2 = nvvm.wmma.load %s, %m {eltype = #nvvm.mma_type<s8>, frag = #nvvm.mma_frag<a>, k = 16 : i32, layout = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32)>
  // CHECK: nvvm.wmma.store %s, %m, %h, %h, %h, %h {eltype = #nvvm.mma_type<f16>, k = 16 : i32, layout = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : !llvm.ptr<3>, vector<2xf16>, vector<2xf16>, vector<2xf16>, vector<2xf16>
  nvvm.wmma.store %s, %m, %h, %h, %h, %h {eltype = #nvvm.mma_type<f16>, k = 16 : i32, layout = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : !llvm.ptr<3>, vector<2xf16>, vector<2xf16>, vector<2xf16>, vector<2xf16>
  // CHECK: nvvm.wmma.mma %m, %m, %m, %m, %m, %m, %m, %m, %x, %x, %x, %x, %x, %x, %x, %x {eltypeA = #nvvm.mma_type<tf32>, eltypeB = #nvvm.mma_type<f32>, k = 8 : i32, layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : (i32, i32, i32, i32, i32, i32, i32, i32, f32, f32, f32, f32, f32, f32, f32, f32) -> !llvm.struct<(f32, f32, f32, f32, f32, f32, f32, f32)>
  %w3 = nvvm.wmma.mma %m, %m, %m, %m, %m, %m, %m, %m, %x, %x, %x, %x, %x, %x, %x, %x {eltypeA = #nvvm.mma_type<tf32>, eltypeB = #nvvm.mma_type<f32>, k = 8 : i32, layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : (i32, i32, i32, i32, i32, i32, i32, i32, f32, f32, f32, f32, f32, f32, f32, f32) -> !llvm.struct<(f32, f32, f32, f32, f32, f32, f32, f32)>
  // CHECK: nvvm.cp.async.bulk.shared.cluster.global %s, %g, %s, %m : !llvm.ptr<3>, !llvm.ptr<1>
  nvvm.cp.async.bulk.shared.cluster.global %s, %g, %s, %m : !llvm.ptr<3>, !llvm.ptr<1>
  // CHECK: nvvm.cp.async.bulk.global.shared.cta %g, %s, %m : !llvm.ptr<1>, !llvm.ptr<3>
  nvvm.cp.async.bulk.global.shared.cta %g, %s, %m : !llvm.ptr<1>, !llvm.ptr<3>
  // CHECK: nvvm.cp.async.bulk.prefetch %g, %m : !llvm.ptr<1>
  nvvm.cp.async.bulk.prefetch %g, %m : !llvm.ptr<1>
  // CHECK: nvvm.cp.async.bulk.shared.cluster.shared.cta %s, %s, %s, %m : !llvm.ptr<3>, !llvm.ptr<3>
  nvvm.cp.async.bulk.shared.cluster.shared.cta %s, %s, %s, %m : !llvm.ptr<3>, !llvm.ptr<3>
  // CHECK: nvvm.cp.async.bulk.tensor.reduce %gg, %s, box[%m, %m] {redKind = #nvvm.tma_redux_kind<add>} : !llvm.ptr, !llvm.ptr<3>, i32, i32
  nvvm.cp.async.bulk.tensor.reduce %gg, %s, box[%m, %m] {redKind = #nvvm.tma_redux_kind<add>} : !llvm.ptr, !llvm.ptr<3>, i32, i32
  // CHECK: nvvm.cp.async.bulk.tensor.prefetch %gg, box[%m, %m] : !llvm.ptr
  nvvm.cp.async.bulk.tensor.prefetch %gg, box[%m, %m] : !llvm.ptr
  // CHECK: nvvm.mapa %gg, %m : !llvm.ptr -> !llvm.ptr
  %w4 = nvvm.mapa %gg, %m : !llvm.ptr -> !llvm.ptr
  // CHECK: nvvm.inline_ptx "add.u32 $0, $1, 1;" (%m) {tied = 1 : i32} : (i32) -> i32
  %w5 = nvvm.inline_ptx "add.u32 $0, $1, 1;" (%m) {tied = 1 : i32} : (i32) -> i32
  llvm.return
}

// -----

llvm.func @f(%m: i32, %l: i64) {
  // expected-error@+1 {{kind is 'mul', expected one of add, and, max, min, or, umax, umin, xor}}
  %r = nvvm.redux.sync mul %m, %m : i32 -> i32
  llvm.return
}

// -----

llvm.func @f(%m: i32, %l: i64) {
  // expected-error@+1 {{expected a value of type i32 or f32, got i64}}
  %r = nvvm.shfl.sync bfly %m, %l, %m, %m : i64 -> i64
  llvm.return
}

// -----

llvm.func @f() {
  // expected-error@+1 {{regCount is 129, expected a multiple of 8 from 24 to 256}}
  nvvm.setmaxregister increase 129
  llvm.return
}

// -----

llvm.func @f(%s: !llvm.ptr<3>, %g: !llvm.ptr<1>) {
  // expected-error@+1 {{size is 12, expected 4, 8 or 16}}
  nvvm.cp.async.shared.global %s, %g, 12, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>
  llvm.return
}

// -----

llvm.func @f() {
  // expected-error@+1 {{space is given for async.shared, and only for it}}
  nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>}
  llvm.return
}

// -----

llvm.func @f(%h: vector<2xf16>) {
  // expected-error@+1 {{there is no mma.sync of shape m16n8k4 for f16}}
  %r = nvvm.mma.sync A[%h, %h] B[%h] C[%h, %h] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 4>} : (vector<2xf16>, vector<2xf16>, vector<2xf16>) -> !llvm.struct<(vector<2xf16>, vector<2xf16>)>
  llvm.return
}

// -----

llvm.func @f(%d: i64, %c: !llvm.struct<(i32, i32)>) {
  // expected-error@+1 {{sums of type f16, expected f32}}
  %r = nvvm.wgmma.mma_async %d, %d, %c, <m = 64, n = 8, k = 16>, D[<f16>, <one>], A[<bf16>, <one>, <row>], B[<bf16>, <one>, <col>] : !llvm.struct<(i32, i32)> -> !llvm.struct<(i32, i32)>
  llvm.return
}

// -----

llvm.func @f(%d: i64, %c: !llvm.struct<(f32, f32)>) {
  // expected-error@+1 {{there is no wgmma of shape m64n4k16 for bf16, expected m64n8k16 and up}}
  %r = nvvm.wgmma.mma_async %d, %d, %c, <m = 64, n = 4, k = 16>, D[<f32>, <one>], A[<bf16>, <one>, <row>], B[<bf16>, <one>, <col>] : !llvm.struct<(f32, f32)> -> !llvm.struct<(f32, f32)>
  llvm.return
}

// -----

llvm.func @f(%d: i64, %c: !llvm.struct<(f32, f32, f32, f32)>) {
  // expected-error@+1 {{expected the layouts row and col for tf32}}
  %r = nvvm.wgmma.mma_async %d, %d, %c, <m = 64, n = 8, k = 8>, D[<f32>, <one>], A[<tf32>, <one>, <col>], B[<tf32>, <one>, <col>] : !llvm.struct<(f32, f32, f32, f32)> -> !llvm.struct<(f32, f32, f32, f32)>
  llvm.return
}

// -----

llvm.func @f(%d: i64, %c: !llvm.struct<(i32, i32, i32, i32)>) {
  // expected-error@+1 {{the factors of integers keep their sign}}
  %r = nvvm.wgmma.mma_async %d, %d, %c, <m = 64, n = 8, k = 32>, D[<s32>, <one>], A[<s8>, <neg>, <row>], B[<s8>, <one>, <col>] : !llvm.struct<(i32, i32, i32, i32)> -> !llvm.struct<(i32, i32, i32, i32)>
  llvm.return
}

// -----

llvm.func @f(%d: i64, %c: !llvm.struct<(f32, f32, f32, f32)>) {
  // expected-error@+1 {{expected two descriptors of type i64 and sums of type !llvm.struct<(f32, f32, f32, f32, f32, f32, f32, f32)>}}
  %r = nvvm.wgmma.mma_async %d, %d, %c, <m = 64, n = 16, k = 16>, D[<f32>, <one>], A[<f16>, <one>, <row>], B[<f16>, <one>, <col>] : !llvm.struct<(f32, f32, f32, f32)> -> !llvm.struct<(f32, f32, f32, f32)>
  llvm.return
}

// -----

llvm.func @f(%p: !llvm.ptr<3>, %m: i32) {
  // expected-error@+1 {{there is no wmma of shape m16n16k16 for f64}}
  %r = nvvm.wmma.load %p, %m {eltype = #nvvm.mma_type<f64>, frag = #nvvm.mma_frag<a>, k = 16 : i32, layout = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : (!llvm.ptr<3>) -> f64
  llvm.return
}

// -----

llvm.func @f(%x: f32, %m: i32) {
  // expected-error@+1 {{expected 4 registers of A, 4 of B (i32) and 8 of C (f32)}}
  %r = nvvm.wmma.mma %m, %m, %x {eltypeA = #nvvm.mma_type<bf16>, eltypeB = #nvvm.mma_type<f32>, k = 16 : i32, layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<row>, m = 16 : i32, n = 16 : i32} : (i32, i32, f32) -> f32
  llvm.return
}

// -----

llvm.func @f(%x: f32, %m: i32) {
  // expected-error@+1 {{expected the first 2 operands to have the types of the results}}
  %r = nvvm.inline_ptx "add.u32 $0, $1, $2;" (%m, %m) {tied = 2 : i32} : (i32, i32) -> i32
  llvm.return
}

// -----

llvm.func @f(%g: !llvm.ptr, %s: !llvm.ptr<3>, %m: i32) {
  // expected-error@+1 {{redKind is mul, expected one of add, min, max, inc, dec, and, or, xor}}
  nvvm.cp.async.bulk.tensor.reduce %g, %s, box[%m] {redKind = #nvvm.tma_redux_kind<mul>} : !llvm.ptr, !llvm.ptr<3>, i32
  llvm.return
}
