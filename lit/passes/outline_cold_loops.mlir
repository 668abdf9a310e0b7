// RUN: stepwell opt %s -p outline-cold-loops --split-input-file | filecheck %s

func.func @k(%x: memref<?xf32>, %a: index, %b: index, %n: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %i = %a to %b step %c1 {
    %ok = arith.cmpi ult, %i, %n : index
    gpux.check %ok, "assert", "no" ids (%i, %i, %i, %i, %i, %i : index, index, index, index, index, index) formats []
    memref.store %zero, %x[%i] : memref<?xf32>
  } {gpux.cold}
  scf.for %i = %b to %n step %c1 {
    memref.store %zero, %x[%i] : memref<?xf32>
  }
  func.return
}
// The loop that is not cold stays.
// CHECK-LABEL: func.func @k
// CHECK:         func.call @k.cold0(%a, %b, %n, %x, %report) {gpux.part} : (index, index, index, memref<?xf32>, !llvm.ptr) -> ()
// CHECK-NEXT:    scf.for %i = %b to %n
// CHECK:         func.return

// Constants are made again, and the report buffer comes last.
// CHECK-LABEL: func.func private @k.cold0
// CHECK-SAME:      (%[[A:.*]]: index, %[[B:.*]]: index, %[[N:.*]]: index, %[[X:.*]]: memref<?xf32>, %{{.*}}: !llvm.ptr) attributes {gpux.part = "k"}
// CHECK:         %[[ONE:.*]] = arith.constant 1 : index
// CHECK:         scf.for %[[I:.*]] = %[[A]] to %[[B]] step %[[ONE]]
// CHECK-NEXT:      arith.cmpi ult, %[[I]], %[[N]]
// CHECK:           gpux.check
// CHECK:           memref.store {{.*}}, %[[X]][%[[I]]]
// CHECK:         func.return

// -----

// What LLVM need not optimise says so as a function, too.
func.func @rare(%a: index, %b: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  %c1 = arith.constant 1 : index
  scf.for %i = %a to %b step %c1 {
  } {gpux.as_is, gpux.cold}
  func.return
}
// CHECK-LABEL: func.func private @rare.cold0
// CHECK-SAME:      attributes {gpux.part = "rare", gpux.as_is}

// -----

// Nothing to do in a function that is no kernel.
func.func @helper(%a: index, %b: index) {
  %c1 = arith.constant 1 : index
  scf.for %i = %a to %b step %c1 {
  } {gpux.cold}
  func.return
}
// CHECK-LABEL: func.func @helper
// CHECK:         scf.for
// CHECK-NOT:   gpux.part

// -----

// A small array of the block is handed over as a copy, so that registers can hold the array itself.
// It is copied back where the part writes; a large one is handed over as it is.
func.func @shared(%x: memref<?xf32>, %a: index, %b: index, %report: !llvm.ptr) attributes {gpux.kernel} {
  %c1 = arith.constant 1 : index
  %read = memref.alloca() {alignment = 64 : i64} : memref<64xf32>
  %written = memref.alloca() {alignment = 64 : i64} : memref<2x8xi1>
  %large = memref.alloca() {alignment = 64 : i64} : memref<1024xf32>
  scf.for %i = %a to %b step %c1 {
    %v = memref.load %read[%i] : memref<64xf32>
    memref.store %v, %large[%i] : memref<1024xf32>
    %yes = arith.constant true
    memref.store %yes, %written[%c1, %i] : memref<2x8xi1>
  } {gpux.cold}
  func.return
}
// CHECK-LABEL: func.func @shared
// CHECK-DAG:     %[[READ:.*]] = memref.alloca() {{.*}} : memref<64xf32>
// CHECK-DAG:     %[[LARGE:.*]] = memref.alloca() {{.*}} : memref<1024xf32>
// CHECK:         %[[V:.*]] = vector.load %[[READ]][%{{.*}}] : memref<64xf32>, vector<64xf32>
// CHECK-NEXT:    vector.store %[[V]], %[[COPY:.*]][%{{.*}}] : memref<64xf32>
// CHECK:         %[[ROW:.*]] = vector.load %[[WRITTEN:.*]][{{.*}}] : memref<2x8xi1>, vector<8xi1>
// CHECK-NEXT:    vector.store %[[ROW]], %[[OWN:.*]][
// CHECK:         vector.load %[[WRITTEN]]
// CHECK:         func.call @shared.cold0({{.*}}%[[COPY]], %[[LARGE]], {{.*}}%[[OWN]], %report)
// CHECK-NOT:     %[[COPY]]
// CHECK:         %[[BACK:.*]] = vector.load %[[OWN]]
// CHECK-NEXT:    vector.store %[[BACK]], %[[WRITTEN]]
// CHECK:         vector.load %[[OWN]]
// CHECK:         func.return
