// RUN: stepwell opt %s -p to-llvm,unpack-arguments --split-input-file --verify-diagnostics | filecheck %s

// The function of a kernel reads from its slots what it uses of its parameters.

// CHECK-LABEL: llvm.func @k(%args: !llvm.ptr, %launch: !llvm.ptr, %bx: i64, %y: i64, %z: i64)
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

// CHECK: llvm.func @sqrt.kernel(%args: !llvm.ptr, %launch: !llvm.ptr, %x: i64, %y: i64, %z: i64)
func.func @sqrt(%bx: index, %by: index, %bz: index, %dx: index, %dy: index, %dz: index, %gx: index, %gy: index, %gz: index, %shared: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  func.return
}

// -----

// expected-error@+1 {{few does not take the ids and sizes of a block}}
func.func @few(%bx: index) attributes {gpux.kernel} {
  func.return
}
