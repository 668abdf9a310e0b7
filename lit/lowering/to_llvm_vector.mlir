// RUN: stepwell opt %s -p 'to-llvm{half-instructions=true}' --split-input-file --verify-diagnostics | filecheck %s

// A scalar goes to all lanes through the first one; a constant is one.

// CHECK-LABEL: llvm.func @broadcast(%x: f32)
// CHECK: [[P:%.+]] = llvm.mlir.poison : vector<4xf32>
// CHECK: [[I:%.+]] = llvm.insertelement %x, [[P]][%{{.+}} : i64] : vector<4xf32>
// CHECK: llvm.shufflevector [[I]], %{{.+}} [0, 0, 0, 0] : vector<4xf32>
// CHECK: llvm.mlir.constant(dense<2.000000e+00> : vector<4xf32>) : vector<4xf32>
func.func @broadcast(%x: f32) {
  %two = arith.constant 2.0 : f32
  %0 = vector.broadcast %x : f32 to vector<4xf32>
  %1 = vector.splat %two : vector<4xf32>
  func.return
}

// -----

// `index` has 64 bits, bf16 is i16.

// CHECK-LABEL: llvm.func @types(%i: vector<4xi64>, %b: vector<4xi16>)
// CHECK: llvm.mlir.constant(dense<[0, 1, 2, 3]> : vector<4xi64>) : vector<4xi64>
// CHECK: llvm.trunc %i : vector<4xi64> to vector<4xi32>
// CHECK: [[W:%.+]] = llvm.zext %b : vector<4xi16> to vector<4xi32>
// CHECK: [[S:%.+]] = llvm.shl [[W]], %{{.+}} : vector<4xi32>
// CHECK: llvm.bitcast [[S]] : vector<4xi32> to vector<4xf32>
func.func @types(%i: vector<4xindex>, %b: vector<4xbf16>) {
  %0 = vector.step : vector<4xindex>
  %1 = arith.index_cast %i : vector<4xindex> to vector<4xi32>
  %2 = arith.extf %b : vector<4xbf16> to vector<4xf32>
  func.return
}

// -----

// Lanes, known or not.

// CHECK-LABEL: llvm.func @lanes(%a: vector<4xf32>, %b: vector<2xf32>, %i: i64)
// CHECK: [[E:%.+]] = llvm.extractelement %a[%i : i64] : vector<4xf32>
// CHECK: [[T:%.+]] = llvm.mlir.constant(3 : i64) : i64
// CHECK: llvm.insertelement [[E]], %a[[[T]] : i64] : vector<4xf32>
// CHECK: [[L:%.+]] = llvm.shufflevector %b, %{{.+}} [0, 1, -1, -1] : vector<2xf32>
// CHECK: llvm.shufflevector [[L]], %a [1, 4, 7] : vector<4xf32>
// CHECK: llvm.bitcast %a : vector<4xf32> to vector<8xi16>
func.func @lanes(%a: vector<4xf32>, %b: vector<2xf32>, %i: index) {
  %0 = vector.extract %a[%i] : f32 from vector<4xf32>
  %1 = vector.insert %0, %a [3] : f32 into vector<4xf32>
  %2 = vector.shuffle %b, %a [1, 2, 5] : vector<2xf32>, vector<4xf32>
  %3 = vector.bitcast %a : vector<4xf32> to vector<8xi16>
  func.return
}

// -----

// A mask compares the lanes' numbers in 32 bits with a size that is cut to fit.

// CHECK-LABEL: llvm.func @masks(%n: i64)
// CHECK: llvm.mlir.constant(dense<[true, true, false, false]> : vector<4xi1>) : vector<4xi1>
// CHECK: [[A:%.+]] = llvm.intr.smin(%n, %{{.+}}) : (i64, i64) -> i64
// CHECK: [[B:%.+]] = llvm.intr.smax([[A]], %{{.+}}) : (i64, i64) -> i64
// CHECK: llvm.trunc [[B]] : i64 to i32
// CHECK: llvm.icmp "slt" %{{.+}}, %{{.+}} : vector<4xi32>
func.func @masks(%n: index) {
  %0 = vector.constant_mask [2] : vector<4xi1>
  %1 = vector.create_mask %n : vector<4xi1>
  func.return
}

// -----

// Reductions: floats begin with a value; f16 is done in f32; numbers by halves.

// CHECK-LABEL: llvm.func @reductions
// CHECK: [[Z:%.+]] = llvm.mlir.constant(-0.000000e+00 : f32) : f32
// CHECK: llvm.intr.vector.reduce.fadd([[Z]], %a) : (f32, vector<4xf32>) -> f32
// CHECK: llvm.intr.vector.reduce.fmul(%x, %a) {fastmathFlags = #llvm.fastmath<reassoc>} : (f32, vector<4xf32>) -> f32
// CHECK: [[M:%.+]] = llvm.intr.vector.reduce.fminimum(%a) : (vector<4xf32>) -> f32
// CHECK: llvm.intr.minimum([[M]], %x) : (f32, f32) -> f32
// CHECK: [[S:%.+]] = llvm.shufflevector %a, %a [2, 3] : vector<4xf32>
// CHECK: llvm.call_intrinsic "llvm.minimumnum.v2f32"(%{{.+}}, [[S]])
// CHECK: llvm.intr.vector.reduce.umax(%n) : (vector<4xi32>) -> i32
// CHECK: [[W:%.+]] = llvm.fpext %h : vector<4xf16> to vector<4xf32>
// CHECK: [[R:%.+]] = llvm.intr.vector.reduce.fadd(%{{.+}}, [[W]])
// CHECK: llvm.fptrunc [[R]] : f32 to f16
func.func @reductions(%a: vector<4xf32>, %n: vector<4xi32>, %h: vector<4xf16>, %x: f32) {
  %0 = vector.reduction <add>, %a : vector<4xf32> into f32
  %1 = vector.reduction <mul>, %a, %x fastmath<reassoc> : vector<4xf32> into f32
  %2 = vector.reduction <minimumf>, %a, %x : vector<4xf32> into f32
  %3 = vector.reduction <minnumf>, %a : vector<4xf32> into f32
  %4 = vector.reduction <maxui>, %n : vector<4xi32> into i32
  %5 = vector.reduction <add>, %h : vector<4xf16> into f16
  func.return
}

// -----

// A select of what is loaded under a mask may not become the load: something is written before it.

// CHECK-LABEL: llvm.func @late
// CHECK: [[L:%.+]] = llvm.intr.masked.load
// CHECK-NEXT: llvm.select %k, [[L]], %a
// CHECK: [[M:%.+]] = llvm.intr.masked.load
// CHECK-NEXT: [[F:%.+]] = llvm.freeze [[M]] : vector<4xf32>
// CHECK: llvm.intr.masked.store
// CHECK-NEXT: llvm.select %k, [[F]], %a
func.func @late(%m: memref<?xf32>, %i: index, %k: vector<4xi1>, %a: vector<4xf32>) {
  %0 = vector.maskedload %m[%i], %k, %a : memref<?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  %1 = arith.select %k, %0, %a : vector<4xi1>, vector<4xf32>
  %2 = vector.maskedload %m[%i], %k, %a : memref<?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  vector.maskedstore %m[%i], %k, %1 : memref<?xf32>, vector<4xi1>, vector<4xf32>
  %3 = arith.select %k, %2, %a : vector<4xi1>, vector<4xf32>
  vector.maskedstore %m[%i], %k, %3 : memref<?xf32>, vector<4xi1>, vector<4xf32>
  func.return
}

// -----

// Consecutive elements: aligned as an element unless more is promised.

// CHECK-LABEL: llvm.func @memory
// CHECK: [[P:%.+]] = llvm.getelementptr inbounds %{{.*}}[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK: [[V:%.+]] = llvm.load [[P]] {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
// CHECK: llvm.store [[V]], %{{.+}} {alignment = 16 : i64, nontemporal} : vector<4xf32>, !llvm.ptr
// CHECK: [[Q:%.+]] = llvm.getelementptr %{{.*}}[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK: [[L:%.+]] = llvm.intr.masked.load [[Q]], %k, [[V]] {alignment = 4 : i32} : (!llvm.ptr, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
// CHECK: llvm.intr.masked.store [[L]], %{{.+}}, %k {alignment = 4 : i32} : vector<4xf32>, vector<4xi1> into !llvm.ptr
func.func @memory(%m: memref<?xf32>, %i: index, %k: vector<4xi1>) {
  %0 = vector.load %m[%i] : memref<?xf32>, vector<4xf32>
  vector.store %0, %m[%i] {alignment = 16 : i64, nontemporal = true} : memref<?xf32>, vector<4xf32>
  %1 = vector.maskedload %m[%i], %k, %0 : memref<?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  vector.maskedstore %m[%i], %k, %1 : memref<?xf32>, vector<4xi1>, vector<4xf32>
  func.return
}

// -----

// Lines that are accessed soon, which need not exist: to be written or not, kept (3), no code (1).

// CHECK-LABEL: llvm.func @ahead
// CHECK: [[P:%.+]] = llvm.getelementptr inbounds %{{.*}}[%i]
// CHECK: [[V:%.+]] = llvm.load [[P]]
// CHECK: [[Q:%.+]] = llvm.getelementptr [[P]][512] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK-DAG: [[R:%.+]] = llvm.mlir.constant(0 : i32)
// CHECK-DAG: [[W:%.+]] = llvm.mlir.constant(1 : i32)
// CHECK: llvm.call_intrinsic "llvm.prefetch.p0"([[Q]], [[R]], %{{.+}}, [[W]]) : (!llvm.ptr, i32, i32, i32) -> ()
// CHECK: [[S:%.+]] = llvm.getelementptr [[P]][576] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: llvm.call_intrinsic "llvm.prefetch.p0"([[S]],
// CHECK: llvm.store [[V]], [[T:%.+]] {
// CHECK: [[U:%.+]] = llvm.getelementptr [[T]][512] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: [[X:%.+]] = llvm.mlir.constant(1 : i32)
// CHECK: llvm.call_intrinsic "llvm.prefetch.p0"([[U]], [[X]], %{{.+}}, %{{.+}}) : (!llvm.ptr, i32, i32, i32) -> ()
func.func @ahead(%m: memref<?xf32>, %n: memref<?xf32>, %i: index) {
  %v = vector.load %m[%i] {gpux.fetch_ahead = 512 : i64} : memref<?xf32>, vector<32xf32>
  vector.store %v, %n[%i] {gpux.fetch_ahead = 512 : i64} : memref<?xf32>, vector<32xf32>
  func.return
}
