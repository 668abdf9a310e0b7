// RUN: stepwell opt %s -p to-llvm,add-cpu-entry --split-input-file | filecheck %s

// The block function becomes internal; the entry unpacks one slot for each of its own parameters,
// claims blocks by an atomic add, counts their ids up, and stops at a failure.

// CHECK-LABEL: llvm.func internal @k.block(
// CHECK-SAME: -> i32 attributes {gpux.kernel
// CHECK-LABEL: llvm.func @k(%args: !llvm.ptr, %launch: !llvm.ptr) -> i32 attributes {gpux.as_is
// CHECK: [[P:%.+]] = llvm.load %args {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
// CHECK: [[A:%.+]] = llvm.getelementptr inbounds %args[1]
// CHECK: [[N:%.+]] = llvm.load [[A]] {alignment = 8 : i64} : !llvm.ptr -> i64
// CHECK: [[C:%.+]] = llvm.getelementptr inbounds %args[2]
// CHECK: [[B:%.+]] = llvm.load [[C]] {alignment = 1 : i64} : !llvm.ptr -> i8
// CHECK: [[FLAG:%.+]] = llvm.icmp "ne" [[B]], %{{.*}} : i8
// CHECK: llvm.br ^[[CLAIM:.+]]
// CHECK: ^[[CLAIM]]:
// CHECK: llvm.load %{{.*}} atomic monotonic
// CHECK: llvm.atomicrmw add %{{.*}}, %{{.*}} monotonic
// CHECK: ^[[BLOCK:.+]](%block: i64, %x: i64, %y: i64, %z: i64):
// CHECK: llvm.call @k.block([[P]], [[N]], [[FLAG]], %x, %y, %z
// CHECK: llvm.cond_br %{{.*}}, ^[[BLOCK]](%{{.*}}), ^[[CLAIM]]
// CHECK: llvm.store %{{.*}}, %{{.*}} atomic monotonic
func.func @k(%m: memref<?xf32>, %flag: i1, %bx: index, %by: index, %bz: index, %dx: index, %dy: index, %dz: index, %gx: index, %gy: index, %gz: index, %shared: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  func.return
}

// -----

// A kernel may be called like a function of the C library; its symbol is not.

// CHECK: llvm.func internal @sqrt.block(
// CHECK: llvm.func @sqrt.kernel(
func.func @sqrt(%bx: index, %by: index, %bz: index, %dx: index, %dy: index, %dz: index, %gx: index, %gy: index, %gz: index, %shared: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  func.return
}
