// RUN: stepwell opt %s -p to-llvm,add-cpu-entry --split-input-file | filecheck %s

// The block function becomes internal and reads from its slots what it uses of its parameters; the
// entry claims blocks by an atomic add, counts their ids up, and stops at a failure.

// CHECK-LABEL: llvm.func internal @k.block(%args: !llvm.ptr, %launch: !llvm.ptr, %bx: i64, %y: i64, %z: i64)
// CHECK-SAME: -> i32 attributes {gpux.kernel
// CHECK: [[M:%.+]] = llvm.load %args {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
// CHECK-NOT: llvm.getelementptr inbounds %args[1]
// CHECK: [[C:%.+]] = llvm.getelementptr inbounds %args[2]
// CHECK: [[B:%.+]] = llvm.load [[C]] {alignment = 1 : i64} : !llvm.ptr -> i8
// CHECK: %flag = llvm.icmp "ne" [[B]], %{{.*}} : i8
// CHECK: [[G:%.+]] = llvm.getelementptr inbounds %launch[1]
// CHECK: %gy = llvm.load [[G]] {alignment = 8 : i64} : !llvm.ptr -> i64
// CHECK: llvm.cond_br %flag
// CHECK: llvm.getelementptr inbounds [[M]]{{.}}%bx
// CHECK: llvm.getelementptr inbounds [[M]]{{.}}%gy
// CHECK-LABEL: llvm.func @k(%args: !llvm.ptr, %launch: !llvm.ptr) -> i32 attributes {gpux.as_is
// CHECK: llvm.br ^[[CLAIM:.+]]
// CHECK: ^[[CLAIM]]:
// CHECK: llvm.load %{{.*}} atomic monotonic
// CHECK: llvm.atomicrmw add %{{.*}}, %{{.*}} monotonic
// CHECK: ^[[BLOCK:.+]](%block: i64, %x: i64, %y: i64, %z: i64):
// CHECK: llvm.call @k.block(%args, %launch, %x, %y, %z)
// CHECK: llvm.cond_br %{{.*}}, ^[[BLOCK]](%{{.*}}), ^[[CLAIM]]
// CHECK: llvm.store %{{.*}}, %{{.*}} atomic monotonic
func.func @k(%m: memref<?xf32>, %flag: i1, %bx: index, %by: index, %bz: index, %dx: index, %dy: index, %dz: index, %gx: index, %gy: index, %gz: index, %shared: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  %one = arith.constant 1.0 : f32
  scf.if %flag {
    memref.store %one, %m[%bx] : memref<?xf32>
    memref.store %one, %m[%gy] : memref<?xf32>
  }
  func.return
}

// -----

// A kernel may be called like a function of the C library; its symbol is not.

// CHECK: llvm.func internal @sqrt.block(
// CHECK: llvm.func @sqrt.kernel(
func.func @sqrt(%bx: index, %by: index, %bz: index, %dx: index, %dy: index, %dz: index, %gx: index, %gy: index, %gz: index, %shared: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  func.return
}

// -----

// Both ways out wait for what was stored past the caches.

// CHECK-LABEL: llvm.func @streams(
// CHECK: llvm.call_intrinsic "llvm.x86.sse.sfence"() : () -> ()
// CHECK-NEXT: llvm.mlir.constant(1 : i32)
// CHECK: llvm.call_intrinsic "llvm.x86.sse.sfence"() : () -> ()
// CHECK-NEXT: llvm.mlir.constant(0 : i32)
func.func @streams(%bx: index, %by: index, %bz: index, %dx: index, %dy: index, %dz: index, %gx: index, %gy: index, %gz: index, %shared: index, %report: !llvm.ptr) attributes {gpux.kernel, gpux.streamed = ["k.py:3"]} {
  func.return
}
