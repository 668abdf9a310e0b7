// RUN: stepwell opt %s -p 'expand-math{scales=true}' | filecheck %s

// Vectors are scaled by 2**n in one op, where n is the even number nearest to x / ln 2: what is added
// to find it is a multiple of 2. Scalars are multiplied, as LLVM makes vectors of them.

// CHECK-LABEL: func.func @vector
// CHECK: [[SHIFT:%.+]] = arith.constant dense<0x4BC0007F> : vector<16xf32>
// CHECK: [[T:%.+]] = math.fma %{{.+}}, %{{.+}}, [[SHIFT]]
// CHECK: [[N:%.+]] = arith.subf [[T]], %{{.+}} : vector<16xf32>
// CHECK: [[P:%.+]] = math.fma
// CHECK: gpux.scale %{{.+}}, [[N]] : vector<16xf32>
// CHECK-NOT: arith.mulf
func.func @vector(%x: vector<16xf32>) -> vector<16xf32> {
  %r = math.exp %x : vector<16xf32>
  func.return %r : vector<16xf32>
}

// CHECK-LABEL: func.func @scalar
// CHECK: arith.shli
// CHECK-NOT: gpux.scale
// CHECK: arith.mulf
func.func @scalar(%x: f32) -> f32 {
  %r = math.exp %x : f32
  func.return %r : f32
}
