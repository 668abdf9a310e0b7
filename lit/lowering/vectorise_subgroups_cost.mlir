// RUN: stepwell opt %s -p 'vectorise-subgroups{width=4}' --split-input-file | filecheck %s

// The formula of a sine has a branch, which lanes take together or not at all.

// CHECK-LABEL: func.func @rare_case
// CHECK:         math.sin %{{.*}} : vector<4xf32>
func.func @rare_case(%x: memref<?xf32>, %hi: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xf32>
    %r = math.sin %v : f32
    memref.store %r, %x[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
