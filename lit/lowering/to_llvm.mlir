// RUN: stepwell opt %s -p 'to-llvm{half-instructions=true}' --split-input-file --verify-diagnostics | filecheck %s

// A memref is a pointer, then its dynamic sizes, then its dynamic strides.

// CHECK-LABEL: llvm.func @views(
// CHECK-SAME: %{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %[[S0:[a-z0-9]+]]: i64, %[[S1:[a-z0-9]+]]: i64, %i: i64) -> f32
// CHECK: [[A:%.+]] = llvm.mul %i, %[[S0]] overflow<nsw> : i64
// CHECK: [[B:%.+]] = llvm.mul %i, %[[S1]] overflow<nsw> : i64
// CHECK: [[C:%.+]] = llvm.add [[A]], [[B]] overflow<nsw> : i64
// CHECK: [[P:%.+]] = llvm.getelementptr inbounds %{{.*}}{{\[}}[[C]]] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK: llvm.load [[P]] {alignment = 4 : i64{{.*}}} : !llvm.ptr -> f32
func.func @views(%m: memref<?x?xf32, strided<[?, ?]>>, %i: index) -> f32 {
  %v = memref.load %m[%i, %i] : memref<?x?xf32, strided<[?, ?]>>
  func.return %v : f32
}

// -----

// The strides of a contiguous memref follow from its sizes; index 0 costs nothing.

// CHECK-LABEL: llvm.func @contiguous(
// CHECK: [[A:%.+]] = llvm.mul %i, %[[N1:[a-z0-9]+]] overflow<nsw>
// CHECK: [[B:%.+]] = llvm.add [[A]], %j overflow<nsw>
// CHECK: llvm.getelementptr inbounds %{{.*}}{{\[}}[[B]]]
// CHECK: llvm.getelementptr inbounds %{{.*}}[%j]
func.func @contiguous(%m: memref<?x?xi8>, %s: memref<4xi8>, %i: index, %j: index) {
  %v = memref.load %m[%i, %j] : memref<?x?xi8>
  memref.store %v, %s[%j] : memref<4xi8>
  func.return
}

// -----

// A bool is a byte in memory.

// CHECK-LABEL: llvm.func @bools(
// CHECK: [[V:%.+]] = llvm.load %{{.*}} {alignment = 1 : i64{{.*}}} : !llvm.ptr -> i8
// CHECK: [[B:%.+]] = llvm.icmp "ne" [[V]], %{{.*}} : i8
// CHECK: [[E:%.+]] = llvm.zext [[B]] : i1 to i8
// CHECK: llvm.store [[E]], %{{.*}} {alignment = 1 : i64{{.*}}} : i8, !llvm.ptr
func.func @bools(%m: memref<?xi1>, %i: index) {
  %v = memref.load %m[%i] : memref<?xi1>
  memref.store %v, %m[%i] : memref<?xi1>
  func.return
}

// -----

// A loop with step 1 compares its variable; with another step its rounds are counted.

// CHECK-LABEL: llvm.func @by_one(
// CHECK: llvm.br ^[[H:.+]](%lo : i64)
// CHECK: ^[[H]](%i: i64):
// CHECK: [[C:%.+]] = llvm.icmp "slt" %i, %hi : i64
// CHECK: llvm.cond_br [[C]], ^[[B:.+]], ^[[X:.+]]
// CHECK: ^[[B]]:
// CHECK: [[N:%.+]] = llvm.add %i, %{{.+}} overflow<nsw> : i64
// CHECK: llvm.br ^[[H]]([[N]] : i64)
// CHECK: ^[[X]]:
// CHECK: llvm.return
func.func @by_one(%lo: index, %hi: index) {
  %c1 = arith.constant 1 : index
  scf.for %i = %lo to %hi step %c1 {
  }
  func.return
}

// CHECK-LABEL: llvm.func @by_any(
// CHECK: llvm.udiv
// CHECK: [[C:%.+]] = llvm.icmp "ne" %{{.+}}, %{{.+}} : i64
// CHECK: llvm.cond_br [[C]]
// CHECK-NOT: overflow<nsw>
func.func @by_any(%lo: index, %hi: index, %step: index) {
  scf.for %i = %lo to %hi step %step {
  }
  func.return
}

// -----

// Results are arguments of the block after.

// CHECK-LABEL: llvm.func @choice(
// CHECK: llvm.cond_br %c, ^[[T:.+]], ^[[E:.+]]
// CHECK: ^[[T]]:
// CHECK: llvm.br ^[[A:.+]](%a : i32)
// CHECK: ^[[E]]:
// CHECK: llvm.br ^[[A]](%b : i32)
// CHECK: ^[[A]](%r: i32):
// CHECK: llvm.return %r : i32
func.func @choice(%c: i1, %a: i32, %b: i32) -> i32 {
  %r = scf.if %c -> (i32) {
    scf.yield %a : i32
  } else {
    scf.yield %b : i32
  }
  func.return %r : i32
}

// -----

// Casts saturate; fast-math flags and overflow flags are kept.

// CHECK-LABEL: llvm.func @numbers(
// CHECK: llvm.call_intrinsic "llvm.fptosi.sat.i32.f32"(%x) : (f32) -> i32
// CHECK: llvm.add %a, %a overflow<nsw> : i32
// CHECK: llvm.fadd %x, %x {fastmathFlags = #llvm.fastmath<contract, reassoc>} : f32
// CHECK: llvm.intr.minimum(%x, %x) : (f32, f32) -> f32
// CHECK: llvm.call_intrinsic "llvm.minimumnum.f32"(%x, %x)
// CHECK: llvm.call @tanhf(%x) : (f32) -> f32
// CHECK: llvm.func @tanhf(f32) -> f32 attributes {passthrough = ["nounwind", "willreturn", "memory(none)"]}
func.func @numbers(%x: f32, %a: i32) {
  %0 = arith.fptosi %x : f32 to i32
  %1 = arith.addi %a, %a overflow<nsw> : i32
  %2 = arith.addf %x, %x fastmath<reassoc,contract> : f32
  %3 = arith.minimumf %x, %x : f32
  %4 = arith.minnumf %x, %x : f32
  %5 = math.tanh %x : f32
  func.return
}

// -----

// What is in range needs no care; LLVM has no vector code for integers of less than 32 bits.

// CHECK-LABEL: llvm.func @in_range(
// CHECK: llvm.fptosi %x : f32 to i32
// CHECK: llvm.fptoui %x : f32 to i64
// CHECK: [[W:%.+]] = llvm.fptosi %v : vector<4xf32> to vector<4xi32>
// CHECK: llvm.trunc [[W]] : vector<4xi32> to vector<4xi8>
func.func @in_range(%x: f32, %v: vector<4xf32>) {
  %0 = arith.fptosi %x {gpux.in_range} : f32 to i32
  %1 = arith.fptoui %x {gpux.in_range} : f32 to i64
  %2 = arith.fptoui %v {gpux.in_range} : vector<4xf32> to vector<4xi8>
  func.return
}

// -----

// 16-bit floats: bf16 is kept as i16, both are computed with in f32.

// CHECK-LABEL: llvm.func @small(%h: f16, %b: i16)
// CHECK: [[H:%.+]] = llvm.fpext %h : f16 to f32
// CHECK: [[S:%.+]] = llvm.fmul [[H]], %{{.+}} : f32
// CHECK: llvm.fptrunc [[S]] : f32 to f16
// CHECK: [[W:%.+]] = llvm.zext %b : i16 to i32
// CHECK: [[U:%.+]] = llvm.shl [[W]], %{{.+}} : i32
// CHECK: llvm.bitcast [[U]] : i32 to f32
func.func @small(%h: f16, %b: bf16) {
  %0 = arith.mulf %h, %h : f16
  %1 = arith.extf %b : bf16 to f32
  func.return
}

// -----

// Everything that cannot be lowered is listed.

func.func @left(%v: vector<4xf32>, %x: f32) {
  // expected-error@+1 {{no rule converts vector.print}}
  "vector.print"(%v) : (vector<4xf32>) -> ()
  // expected-error@+1 {{no rule converts vector.print}}
  "vector.print"(%x) : (f32) -> ()
  func.return
}

// -----

// Of a loop over threads LLVM is told so at the branch back, and which accesses threads share: those
// of parameters and of arrays of the block, not those of a thread's own arrays.

// CHECK-LABEL: llvm.func @threads
// CHECK: llvm.load %{{.*}} {alignment = 4 : i64, gpux.buffer}
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 4 : i64, gpux.buffer} :
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 4 : i64} :
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 4 : i64} :
// CHECK: llvm.br ^{{.*}} {gpux.threads}
func.func @threads(%m: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %shared = memref.alloca() : memref<64xf32>
  %own = memref.alloca() {gpux.private} : memref<4xf32>
  scf.for %i = %c0 to %n step %c1 {
    %v = memref.load %m[%i] : memref<?xf32>
    memref.store %v, %shared[%i] : memref<64xf32>
    memref.store %v, %own[%c0] : memref<4xf32>
    %each = memref.alloca() : memref<4xf32>
    memref.store %v, %each[%c0] : memref<4xf32>
  } {gpux.threads}
  func.return
}

// -----

// So do loops over vectors of threads, whose counter does not wrap whatever the step is.

// CHECK-LABEL: llvm.func @vectors
// CHECK:         llvm.icmp "slt" %{{.*}}, %n
// CHECK-NOT:     llvm.udiv
// CHECK:         llvm.br ^{{.*}} {gpux.vectors}
func.func @vectors(%m: memref<?xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant dense<0.0> : vector<16xf32>
  scf.for %i = %c0 to %n step %c16 {
    vector.store %zero, %m[%i] : memref<?xf32>, vector<16xf32>
  } {gpux.vectors}
  func.return
}
