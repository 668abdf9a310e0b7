// RUN: stepwell opt %s -p to-llvm --split-input-file --verify-diagnostics | filecheck %s

// A kernel gives a status; a failed check calls the runtime's report function and gives 1.

// CHECK-LABEL: llvm.func @checked(
// CHECK-SAME: %ok: i1, %i: i64, %report: !llvm.ptr) -> i32 attributes {gpux.kernel
// CHECK: llvm.cond_br %ok weights([1048575, 1]), ^[[NEXT:.+]], ^[[FAILED:.+]]
// CHECK: ^[[FAILED]]:
// CHECK: [[KIND:%.+]] = llvm.mlir.constant(0 : i32) : i32
// CHECK: [[COUNT:%.+]] = llvm.mlir.constant(1 : i32) : i32
// CHECK: [[OTHER:%.+]] = llvm.mlir.constant(0 : i64) : i64
// CHECK: [[SITE:%.+]] = llvm.mlir.constant(8 : i32) : i32
// CHECK: llvm.call @stepwell_report(%report, [[SITE]], [[KIND]], [[COUNT]], %i, %i, %i, %i, %i, %i, %i, [[OTHER]])
// CHECK: [[ONE:%.+]] = llvm.mlir.constant(1 : i32) : i32
// CHECK: llvm.return [[ONE]] : i32
// CHECK: ^[[NEXT]]:
// CHECK: [[ZERO:%.+]] = llvm.mlir.constant(0 : i32) : i32
// CHECK: llvm.return [[ZERO]] : i32
// CHECK: llvm.func @stepwell_report(!llvm.ptr, i32, i32, i32, i64, i64, i64, i64, i64, i64, i64, i64)
// CHECK-SAME: attributes {passthrough = ["nounwind", "cold"]}
func.func @checked(%ok: i1, %i: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  gpux.check %ok, "bounds", "index {}" (%i : index) ids(%i, %i, %i, %i, %i, %i : index, index, index, index, index, index) formats ["index"] site 7 : i32
  func.return
}

// -----

// In a kernel that prints, failed checks are of another kind, and prints of a third.

// CHECK-LABEL: llvm.func @printed(
// CHECK: [[KIND:%.+]] = llvm.mlir.constant(2 : i32) : i32
// CHECK: llvm.call @stepwell_report(%report, %{{.*}}, [[KIND]],
// CHECK: [[KIND:%.+]] = llvm.mlir.constant(1 : i32) : i32
// CHECK: llvm.call @stepwell_report(%report, %{{.*}}, [[KIND]],
func.func @printed(%ok: i1, %i: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  gpux.print "at {}" (%i : index) ids(%i, %i, %i, %i, %i, %i : index, index, index, index, index, index) formats ["index"] site 0 : i32
  gpux.check %ok, "assert", "no" ids(%i, %i, %i, %i, %i, %i : index, index, index, index, index, index) formats [] site 1 : i32
  func.return
}

// -----

// For more values than two there is a function in the module. Prints are counted in another word,
// and lie behind the quarter that failed checks have then.

// CHECK-LABEL: llvm.func @long(
// CHECK: llvm.call @__stepwell_print_3(
// CHECK: llvm.call @__stepwell_report_3(
// CHECK: llvm.func internal @__stepwell_print_3(%[[REPORT:[0-9]+]]: !llvm.ptr,
// CHECK-SAME: attributes {gpux.as_is, passthrough = ["cold", "noinline", "nounwind", "optnone"]}
// CHECK: %[[COUNTER:.*]] = llvm.getelementptr %[[REPORT]][2]
// CHECK: %[[FIRST:.*]] = llvm.atomicrmw add %[[COUNTER]],
// CHECK: %[[KEPT:.*]] = llvm.lshr %[[ALL:.*]], %{{.*}} : i32
// CHECK: %[[ROOM:.*]] = llvm.sub %[[ALL]], %[[KEPT]] : i32
// CHECK: llvm.zext %[[ROOM]]
// CHECK: llvm.add %[[FIRST]], %[[KEPT]] : i32
// CHECK: llvm.func internal @__stepwell_report_3(%[[REPORT:[0-9]+]]: !llvm.ptr,
// CHECK: llvm.atomicrmw add %[[REPORT]],
// CHECK: %[[ROOM:.*]] = llvm.lshr %{{.*}} : i32
// CHECK: llvm.zext %[[ROOM]]
func.func @long(%ok: i1, %i: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  gpux.print "at {} {} {}" (%i, %i, %i : index, index, index) ids(%i, %i, %i, %i, %i, %i : index, index, index, index, index, index) formats ["index", "index", "index"] site 0 : i32
  gpux.check %ok, "assert", "no {} {} {}" (%i, %i, %i : index, index, index) ids(%i, %i, %i, %i, %i, %i : index, index, index, index, index, index) formats ["index", "index", "index"] site 1 : i32
  func.return
}

// -----

// Float minima, and float sums of 16 bits, are compare-exchange loops; the rest is one instruction.

// CHECK-LABEL: llvm.func @atomics(
// CHECK: llvm.atomicrmw fadd %{{.*}}, %x acq_rel {alignment = 4 : i64} : !llvm.ptr, f32
// CHECK: llvm.load %{{.*}} atomic monotonic {alignment = 4 : i64} : !llvm.ptr -> i32
// CHECK: ^[[LOOP:.+]](%{{.*}}: i32):
// CHECK: llvm.call_intrinsic "llvm.minimumnum.f32"
// CHECK: llvm.cmpxchg %{{.*}}, %{{.*}}, %{{.*}} seq_cst seq_cst {alignment = 4 : i64} : !llvm.ptr, i32
// CHECK: llvm.cond_br %{{.*}}, ^{{.*}}, ^[[LOOP]]
func.func @atomics(%x: f32, %m: memref<?xf32>, %i: index) {
  %0 = gpux.atomic_rmw "add" %x, %m[%i] order "acq_rel" scope "device" : f32, memref<?xf32>
  %1 = gpux.atomic_rmw "min" %x, %m[%i] order "seq_cst" scope "device" : f32, memref<?xf32>
  func.return
}

// -----

func.func @no_site(%ok: i1, %i: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  // expected-error@+1 {{no site number: number-report-sites has to run before}}
  gpux.check %ok, "bounds", "index {}" (%i : index) ids(%i, %i, %i, %i, %i, %i : index, index, index, index, index, index) formats ["index"]
  func.return
}

// -----

// The threads of a block take turns: what only they see is read, changed and written.

// CHECK-LABEL: llvm.func @in_turn(
// CHECK-NOT: atomicrmw
// CHECK: %[[OLD:.*]] = llvm.load %[[AT:.*]] {alignment = 4 : i64} : !llvm.ptr -> i32
// CHECK: %[[NEW:.*]] = llvm.add %[[OLD]], %v : i32
// CHECK: llvm.store %[[NEW]], %[[AT]] {alignment = 4 : i64} : i32, !llvm.ptr
// CHECK: llvm.icmp "slt" %{{.*}}, %v : i32
// CHECK: llvm.select
// CHECK: llvm.store
// CHECK: llvm.load
// CHECK: llvm.store %v
// CHECK: llvm.fadd %{{.*}}, %x : f32
// CHECK: llvm.store
// CHECK: llvm.return
func.func @in_turn(%v: i32, %x: f32, %m: memref<?xi32>, %f: memref<?xf32>, %i: index) {
  %0 = gpux.atomic_rmw "add" %v, %m[%i] order "relaxed" scope "block" : i32, memref<?xi32>
  %1 = gpux.atomic_rmw "mins" %v, %m[%i] order "acq_rel" scope "block" : i32, memref<?xi32>
  %2 = gpux.atomic_rmw "exchange" %v, %m[%i] order "relaxed" scope "subgroup" : i32, memref<?xi32>
  %3 = gpux.atomic_rmw "add" %x, %f[%i] order "relaxed" scope "block" : f32, memref<?xf32>
  func.return
}
