// RUN: stepwell opt %s -p 'to-llvm{scales=true}' | filecheck %s
// RUN: stepwell opt %s -p to-llvm | filecheck %s --check-prefix=PLAIN

// A register at a time where there is an instruction, with all lanes and as rounding is set.

// CHECK-LABEL: llvm.func @one
// CHECK-DAG: [[ALL:%.+]] = llvm.mlir.constant(-1 : i16)
// CHECK-DAG: [[CURRENT:%.+]] = llvm.mlir.constant(4 : i32)
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"(%x, %n, %x, [[ALL]], [[CURRENT]]) :
// PLAIN-LABEL: llvm.func @one
// PLAIN: [[N:%.+]] = llvm.call_intrinsic "llvm.fptosi.sat.v16i32.v16f32"(%n)
// PLAIN: llvm.call_intrinsic "llvm.ldexp.v16f32.v16i32"(%x, [[N]])
func.func @one(%x: vector<16xf32>, %n: vector<16xf32>) -> vector<16xf32> {
  %r = gpux.scale %x, %n : vector<16xf32>
  func.return %r : vector<16xf32>
}

// CHECK-LABEL: llvm.func @short
// CHECK: [[ALL:%.+]] = llvm.mlir.constant(-1 : i8)
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.pd.128"(%x, %n, %x, [[ALL]]) :
func.func @short(%x: vector<2xf64>, %n: vector<2xf64>) -> vector<2xf64> {
  %r = gpux.scale %x, %n : vector<2xf64>
  func.return %r : vector<2xf64>
}

// CHECK-LABEL: llvm.func @long
// CHECK: [[LOW:%.+]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.pd.512"
// CHECK: [[HIGH:%.+]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.pd.512"
// CHECK: llvm.shufflevector [[LOW]], [[HIGH]] [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
func.func @long(%x: vector<16xf64>, %n: vector<16xf64>) -> vector<16xf64> {
  %r = gpux.scale %x, %n : vector<16xf64>
  func.return %r : vector<16xf64>
}

// Of half a register there is none, nor of three.

// CHECK-LABEL: llvm.func @half
// CHECK: llvm.ldexp.v2f32.v2i32
func.func @half(%x: vector<2xf32>, %n: vector<2xf32>) -> vector<2xf32> {
  %r = gpux.scale %x, %n : vector<2xf32>
  func.return %r : vector<2xf32>
}

// CHECK-LABEL: llvm.func @three
// CHECK: llvm.ldexp.v48f32.v48i32
func.func @three(%x: vector<48xf32>, %n: vector<48xf32>) -> vector<48xf32> {
  %r = gpux.scale %x, %n : vector<48xf32>
  func.return %r : vector<48xf32>
}
