// RUN: stepwell opt %s -p lower-checks --split-input-file | filecheck %s

gpu.module @checks {
  gpu.func @kernel(%x: memref<?x16xf32, #gpu.address_space<global>>, %i: index, %p: i1) kernel {
    simt.check_index %i, %x, 0 : i64 as "self.x" : memref<?x16xf32, #gpu.address_space<global>>
    scf.if %p {
      simt.check_index %i, %x, 1 : i64 as "d{0}" : memref<?x16xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// A size of the array.
// CHECK-LABEL: gpu.func @kernel
// CHECK-NEXT:    %[[AXIS:.*]] = arith.constant 0 : index
// CHECK-NEXT:    %[[SIZE:.*]] = memref.dim %x, %[[AXIS]]
// CHECK-NEXT:    %[[OK:.*]] = arith.cmpi ult, %i, %[[SIZE]] : index
// CHECK-NEXT:    gpux.check %[[OK]], "bounds", "index {} is out of bounds for axis 0 of self.x with size {}"(%i, %[[SIZE]] : index, index) formats ["index", "index"]

// A constant size; braces of the name are no place for a value.
// CHECK:         scf.if
// CHECK-NEXT:      %[[SIXTEEN:.*]] = arith.constant 16 : index
// CHECK-NEXT:      %[[IN:.*]] = arith.cmpi ult, %i, %[[SIXTEEN]] : index
// CHECK-NEXT:      gpux.check %[[IN]], "bounds", "index {} is out of bounds for axis 1 of d{{[{][{]}}0{{[}][}]}} with size {}"
