// RUN: stepwell opt %s -p narrow-indices --split-input-file | filecheck %s

// In a small launch an id, a size, their sums and comparisons fit 32 bits.

// CHECK-LABEL: gpu.func @guarded(
// CHECK: %[[I:.*]] = gpu.global_id x
// CHECK: %[[I32:.*]] = arith.index_cast %[[I]] : index to i32
// CHECK: %[[N32:.*]] = arith.index_cast %{{.*}} : index to i32
// CHECK: %[[NEXT:.*]] = arith.addi %[[I32]], %{{.*}} overflow<nsw> : i32
// CHECK: %[[WIDE:.*]] = arith.index_cast %[[NEXT]] : i32 to index
// CHECK: arith.cmpi slt, %[[NEXT]], %[[N32]] : i32
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[WIDE]]]
gpu.module @m {
  gpu.func @guarded(%v: f32, %x: memref<?xf32, #gpu.address_space<global>>) kernel attributes {gpux.small} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %i = gpu.global_id x
    %n = memref.dim %x, %c0 : memref<?xf32, #gpu.address_space<global>>
    %next = arith.addi %i, %c1 : index
    %in = arith.cmpi slt, %next, %n : index
    scf.if %in {
      memref.store %v, %x[%next] : memref<?xf32, #gpu.address_space<global>>
    }
    gpu.return
  }
}

// -----

// Without the promise nothing is known of sizes and ids.

// CHECK-LABEL: gpu.func @large(
// CHECK: arith.addi %{{.*}}, %{{.*}} : index
// CHECK-NOT: i32
// CHECK: gpu.return
gpu.module @m {
  gpu.func @large(%x: memref<?xindex, #gpu.address_space<global>>) kernel {
    %c1 = arith.constant 1 : index
    %i = gpu.global_id x
    %next = arith.addi %i, %c1 : index
    memref.store %next, %x[%i] : memref<?xindex, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A product of two sizes does not fit, nor does what comes from memory; a loop's counter does, and
// division of what is not negative is one of unsigned numbers.

// CHECK-LABEL: gpu.func @product(
// CHECK: %[[SQUARE:.*]] = arith.muli %{{.*}}, %{{.*}} : index
// CHECK: %[[GIVEN:.*]] = memref.load
// CHECK: %[[SUM:.*]] = arith.addi %[[GIVEN]], %[[SQUARE]] : index
// CHECK: arith.cmpi slt, %[[SUM]], %{{.*}} : index
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %{{.*}} step %{{.*}} : i32 {
// CHECK: arith.divui %[[J]], %{{.*}} : i32
gpu.module @m {
  gpu.func @product(%x: memref<?xindex, #gpu.address_space<global>>) kernel attributes {gpux.small} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %n = memref.dim %x, %c0 : memref<?xindex, #gpu.address_space<global>>
    %square = arith.muli %n, %n : index
    %given = memref.load %x[%c0] : memref<?xindex, #gpu.address_space<global>>
    %sum = arith.addi %given, %square : index
    %in = arith.cmpi slt, %sum, %n : index
    scf.if %in {
      scf.for %j = %c0 to %n step %c1 {
        %third = arith.divsi %j, %c3 : index
        memref.store %third, %x[%j] : memref<?xindex, #gpu.address_space<global>>
      }
    }
    gpu.return
  }
}

// -----

// Behind a check that passed, a value from memory is known to be an index.

// CHECK-LABEL: gpu.func @checked(
// CHECK: %[[GIVEN:.*]] = memref.load
// CHECK: gpux.check
// CHECK: arith.addi %{{.*}}, %{{.*}} overflow<nsw> : i32
gpu.module @m {
  gpu.func @checked(%x: memref<?xindex, #gpu.address_space<global>>) kernel attributes {gpux.small} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n = memref.dim %x, %c0 : memref<?xindex, #gpu.address_space<global>>
    %given = memref.load %x[%c0] : memref<?xindex, #gpu.address_space<global>>
    %low = arith.cmpi sge, %given, %c0 : index
    %high = arith.cmpi slt, %given, %n : index
    %in = arith.andi %low, %high : i1
    gpux.check %in, "bounds", "index {}" (%given : index) formats ["index"]
    %next = arith.addi %given, %c1 : index
    memref.store %next, %x[%given] : memref<?xindex, #gpu.address_space<global>>
    gpu.return
  }
}
