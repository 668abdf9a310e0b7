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
