// RUN: stepwell opt %s --split-input-file --verify-diagnostics | filecheck %s

// The syntax is upstream's as of LLVM 19. What it can print only in its generic form (intrinsics
// with immediate operands) has the syntax of the other intrinsics here.

// CHECK: llvm.mlir.global internal constant @g(1.000000e+00 : f32) {addr_space = 3 : i32, alignment = 16 : i64} : f32
llvm.mlir.global internal constant @g(1.000000e+00 : f32) {addr_space = 3 : i32, alignment = 16 : i64} : f32
// CHECK: llvm.mlir.global private unnamed_addr constant @s("abc\00") {addr_space = 0 : i32}
llvm.mlir.global private unnamed_addr constant @s("abc\00") {addr_space = 0 : i32}
// CHECK: llvm.mlir.global external @arr() {addr_space = 3 : i32} : !llvm.array<4 x f32>
llvm.mlir.global external @arr() {addr_space = 3 : i32} : !llvm.array<4 x f32>
// CHECK: llvm.mlir.global internal @init() {addr_space = 0 : i32} : i32 {
llvm.mlir.global internal @init() {addr_space = 0 : i32} : i32 {
  // CHECK: %0 = llvm.mlir.constant(3 : i32) : i32
  %0 = llvm.mlir.constant(3 : i32) : i32
  // CHECK: llvm.return %0 : i32
  llvm.return %0 : i32
}
// CHECK: llvm.func @ext(i32, ...) -> f32
llvm.func @ext(i32, ...) -> f32
// CHECK: llvm.func internal fastcc @f(%a: i32 {llvm.noundef}, %p: !llvm.ptr<3> {llvm.align = 8 : i64}, %x: f32) -> (f32 {llvm.noundef}) attributes {no_inline, passthrough = ["noinline", ["k", "v"]]} {
llvm.func internal fastcc @f(%a: i32 {llvm.noundef}, %p: !llvm.ptr<3> {llvm.align = 8 : i64}, %x: f32) -> (f32 {llvm.noundef}) attributes {no_inline, passthrough = ["noinline", ["k", "v"]]} {
  // CHECK: %b = llvm.add %a, %a overflow<nsw, nuw> : i32
  %b = llvm.add %a, %a overflow<nsw, nuw> : i32
  // CHECK: %c = llvm.icmp "slt" %b, %a : i32
  %c = llvm.icmp "slt" %b, %a : i32
  // CHECK: %d = llvm.select %c, %a, %b : i1, i32
  %d = llvm.select %c, %a, %b : i1, i32
  // CHECK: %e = llvm.fadd %x, %x {fastmathFlags = #llvm.fastmath<fast>} : f32
  %e = llvm.fadd %x, %x {fastmathFlags = #llvm.fastmath<fast>} : f32
  // CHECK: %e2 = llvm.fcmp "olt" %x, %x {fastmathFlags = #llvm.fastmath<nnan>} : f32
  %e2 = llvm.fcmp "olt" %x, %x {fastmathFlags = #llvm.fastmath<nnan>} : f32
  // CHECK: %f = llvm.zext %d : i32 to i64
  %f = llvm.zext %d : i32 to i64
  // CHECK: %g = llvm.getelementptr inbounds %p[%f, 1, %d] : (!llvm.ptr<3>, i64, i32) -> !llvm.ptr<3>, !llvm.struct<(i32, array<3 x f32>, ptr, struct<"a", (f32)>)>
  %g = llvm.getelementptr inbounds %p[%f, 1, %d] : (!llvm.ptr<3>, i64, i32) -> !llvm.ptr<3>, !llvm.struct<(i32, array<3 x f32>, ptr, struct<"a", (f32)>)>
  // CHECK: %h = llvm.load volatile %g atomic syncscope("x") monotonic {alignment = 4 : i64} : !llvm.ptr<3> -> f32
  %h = llvm.load volatile %g atomic syncscope("x") monotonic {alignment = 4 : i64} : !llvm.ptr<3> -> f32
  // CHECK: llvm.store %h, %g {alignment = 4 : i64, nontemporal} : f32, !llvm.ptr<3>
  llvm.store %h, %g {alignment = 4 : i64, nontemporal} : f32, !llvm.ptr<3>
  // CHECK: %i = llvm.load %g invariant {alignment = 4 : i64} : !llvm.ptr<3> -> f32
  %i = llvm.load %g invariant {alignment = 4 : i64} : !llvm.ptr<3> -> f32
  // CHECK: %j = llvm.alloca %f x f32 {alignment = 4 : i64} : (i64) -> !llvm.ptr<5>
  %j = llvm.alloca %f x f32 {alignment = 4 : i64} : (i64) -> !llvm.ptr<5>
  // CHECK: %k = llvm.atomicrmw volatile fadd %g, %h syncscope("agent") acq_rel {alignment = 4 : i64} : !llvm.ptr<3>, f32
  %k = llvm.atomicrmw volatile fadd %g, %h syncscope("agent") acq_rel {alignment = 4 : i64} : !llvm.ptr<3>, f32
  // CHECK: %l = llvm.cmpxchg weak volatile %g, %a, %b syncscope("x") acq_rel monotonic {alignment = 4 : i64} : !llvm.ptr<3>, i32
  %l = llvm.cmpxchg weak volatile %g, %a, %b syncscope("x") acq_rel monotonic {alignment = 4 : i64} : !llvm.ptr<3>, i32
  // CHECK: %m = llvm.extractvalue %l[0] : !llvm.struct<(i32, i1)>
  %m = llvm.extractvalue %l[0] : !llvm.struct<(i32, i1)>
  // CHECK: %n = llvm.insertvalue %m, %l[0] : !llvm.struct<(i32, i1)>
  %n = llvm.insertvalue %m, %l[0] : !llvm.struct<(i32, i1)>
  // CHECK: llvm.fence syncscope("agent") seq_cst
  llvm.fence syncscope("agent") seq_cst
  // CHECK: %v = llvm.mlir.undef : vector<4xf32>
  %v = llvm.mlir.undef : vector<4xf32>
  // CHECK: %v1 = llvm.insertelement %x, %v[%a : i32] : vector<4xf32>
  %v1 = llvm.insertelement %x, %v[%a : i32] : vector<4xf32>
  // CHECK: %v2 = llvm.extractelement %v1[%a : i32] : vector<4xf32>
  %v2 = llvm.extractelement %v1[%a : i32] : vector<4xf32>
  // CHECK: %v3 = llvm.shufflevector %v1, %v [0, 1, -1, 3] : vector<4xf32>
  %v3 = llvm.shufflevector %v1, %v [0, 1, -1, 3] : vector<4xf32>
  // CHECK: %lanes = llvm.mlir.poison : vector<4xi32>
  %lanes = llvm.mlir.poison : vector<4xi32>
  // CHECK: %ps = llvm.getelementptr %g[%lanes] : (!llvm.ptr<3>, vector<4xi32>) -> !llvm.vec<4 x ptr<3>>, f32
  %ps = llvm.getelementptr %g[%lanes] : (!llvm.ptr<3>, vector<4xi32>) -> !llvm.vec<4 x ptr<3>>, f32
  // CHECK: %vm = llvm.icmp "slt" %lanes, %lanes : vector<4xi32>
  %vm = llvm.icmp "slt" %lanes, %lanes : vector<4xi32>
  // CHECK: %vl = llvm.intr.masked.load %g, %vm, %v {alignment = 4 : i32} : (!llvm.ptr<3>, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
  %vl = llvm.intr.masked.load %g, %vm, %v {alignment = 4 : i32} : (!llvm.ptr<3>, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
  // CHECK: %vg = llvm.intr.masked.gather %ps, %vm, %v {alignment = 4 : i32} : (!llvm.vec<4 x ptr<3>>, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
  %vg = llvm.intr.masked.gather %ps, %vm, %v {alignment = 4 : i32} : (!llvm.vec<4 x ptr<3>>, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
  // CHECK: llvm.intr.masked.store %vl, %g, %vm {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into !llvm.ptr<3>
  llvm.intr.masked.store %vl, %g, %vm {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into !llvm.ptr<3>
  // CHECK: llvm.intr.masked.scatter %vg, %ps, %vm {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into !llvm.vec<4 x ptr<3>>
  llvm.intr.masked.scatter %vg, %ps, %vm {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into !llvm.vec<4 x ptr<3>>
  // CHECK: %z = llvm.mlir.zero : !llvm.ptr
  %z = llvm.mlir.zero : !llvm.ptr
  // CHECK: %po = llvm.mlir.poison : i32
  %po = llvm.mlir.poison : i32
  // CHECK: %cst = llvm.mlir.constant(dense<1.000000e+00> : vector<4xf32>) : vector<4xf32>
  %cst = llvm.mlir.constant(dense<1.000000e+00> : vector<4xf32>) : vector<4xf32>
  // CHECK: %ad = llvm.mlir.addressof @g : !llvm.ptr<3>
  %ad = llvm.mlir.addressof @g : !llvm.ptr<3>
  // CHECK: %ca = llvm.call fastcc @f(%a, %g, %x) {fastmathFlags = #llvm.fastmath<nnan>} : (i32, !llvm.ptr<3>, f32) -> f32
  %ca = llvm.call fastcc @f(%a, %g, %x) {fastmathFlags = #llvm.fastmath<nnan>} : (i32, !llvm.ptr<3>, f32) -> f32
  // CHECK: %cb = llvm.call @ext(%a, %x) vararg(!llvm.func<f32 (i32, ...)>) : (i32, f32) -> f32
  %cb = llvm.call @ext(%a, %x) vararg(!llvm.func<f32 (i32, ...)>) : (i32, f32) -> f32
  // CHECK: %cc = llvm.call_intrinsic "llvm.fma.f32"(%x, %x, %x) : (f32, f32, f32) -> f32 {fastmathFlags = #llvm.fastmath<nnan>}
  %cc = llvm.call_intrinsic "llvm.fma.f32"(%x, %x, %x) : (f32, f32, f32) -> f32 {fastmathFlags = #llvm.fastmath<nnan>}
  // CHECK: %fma = llvm.intr.fma(%x, %x, %x) {fastmathFlags = #llvm.fastmath<nnan>} : (f32, f32, f32) -> f32
  %fma = llvm.intr.fma(%x, %x, %x) {fastmathFlags = #llvm.fastmath<nnan>} : (f32, f32, f32) -> f32
  // CHECK: %ct = llvm.intr.ctlz(%a) {is_zero_poison = false} : (i32) -> i32
  %ct = llvm.intr.ctlz(%a) {is_zero_poison = false} : (i32) -> i32
  // CHECK: %ab = llvm.intr.abs(%a) {is_int_min_poison = false} : (i32) -> i32
  %ab = llvm.intr.abs(%a) {is_int_min_poison = false} : (i32) -> i32
  // CHECK: %as = llvm.inline_asm has_side_effects asm_dialect = att "mov $0, $1", "=r,r" %a : (i32) -> i32
  %as = llvm.inline_asm has_side_effects asm_dialect = att "mov $0, $1", "=r,r" %a : (i32) -> i32
  // CHECK: %sat = llvm.call_intrinsic "llvm.fptosi.sat.i32.f32"(%x) : (f32) -> i32
  %sat = llvm.call_intrinsic "llvm.fptosi.sat.i32.f32"(%x) : (f32) -> i32
  // CHECK: %w = llvm.intr.sadd.with.overflow(%a, %a) : (i32, i32) -> !llvm.struct<(i32, i1)>
  %w = llvm.intr.sadd.with.overflow(%a, %a) : (i32, i32) -> !llvm.struct<(i32, i1)>
  // CHECK: %ff = llvm.freeze %a : i32
  %ff = llvm.freeze %a : i32
  // CHECK: llvm.cond_br %c weights([5, 1]), ^bb1(%a : i32), ^bb2
  llvm.cond_br %c weights([5, 1]), ^bb1(%a : i32), ^bb2
// CHECK: ^bb1(%q: i32):
^bb1(%q: i32):
  // CHECK: llvm.switch %q : i32, ^bb2 [
  llvm.switch %q : i32, ^bb2 [
    // CHECK: 1: ^bb3(%a, %x : i32, f32),
    1: ^bb3(%a, %x : i32, f32),
    // CHECK: -2: ^bb4
    -2: ^bb4
  // CHECK: ] {branch_weights = array<i32: 1, 2, 3>}
  ] {branch_weights = array<i32: 1, 2, 3>}
// CHECK: ^bb2:
^bb2:
  // CHECK: llvm.br ^bb3(%a, %x : i32, f32) {loop_annotation = #llvm.loop_annotation<disableNonforced = false, mustProgress = true>}
  llvm.br ^bb3(%a, %x : i32, f32) {loop_annotation = #llvm.loop_annotation<disableNonforced = false, mustProgress = true>}
// CHECK: ^bb3(%y: i32, %yy: f32):
^bb3(%y: i32, %yy: f32):
  // CHECK: llvm.return %yy : f32
  llvm.return %yy : f32
// CHECK: ^bb4:
^bb4:
  // CHECK: llvm.unreachable
  llvm.unreachable
}

// -----

llvm.func @f(%a: i32, %b: i64, %p: !llvm.ptr) {
  // expected-error@+1 {{expected operands of type i32, got i64}}
  %0 = "llvm.add"(%a, %b) : (i32, i64) -> i32
  llvm.return
}

// -----

llvm.func @f(%a: i32) {
  // expected-error@+1 {{expected one of eq, ne, slt}}
  %0 = llvm.icmp "lt" %a, %a : i32
  llvm.return
}

// -----

llvm.func @f(%a: index) {
  // expected-error@+1 {{expected a type of the llvm dialect, got index}}
  %0 = llvm.add %a, %a : index
  llvm.return
}

// -----

llvm.func @f(%c: i1, %a: i32) {
  // expected-error@+1 {{passes () to a block that takes (i32)}}
  llvm.cond_br %c, ^bb1(%a : i32), ^bb1
^bb1(%b: i32):
  llvm.return
}

// -----

llvm.func @f(%c: i1) {
  // expected-error@+1 {{expected operandSegmentSizes that say which operands each successor gets}}
  "llvm.cond_br"(%c)[^bb1, ^bb1] : (i1) -> ()
^bb1:
  llvm.return
}

// -----

llvm.func @f(%s: !llvm.struct<(i32, f32)>) {
  // expected-error@+1 {{position [2] is not inside}}
  %0 = llvm.extractvalue %s[2] : !llvm.struct<(i32, f32)>
  llvm.return
}
