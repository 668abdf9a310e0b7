// RUN: stepwell opt %s -p 'split-vectors{features="sg4+bda+vector_access"}' --split-input-file --verify-diagnostics | filecheck %s
// RUN: stepwell opt %s -p 'split-vectors{features="sg4"}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=LEAST

// Six lanes are four and two. What a device has on vectors stays on them.

// CHECK-LABEL: gpu.func @pieces(
// CHECK: vector.load %x[%i] : memref<?xf32, #gpu.address_space<global>>, vector<4xf32>
// CHECK: %[[AT:.*]] = arith.addi %i, %{{.*}} : index
// CHECK: vector.load %x[%[[AT]]] : memref<?xf32, #gpu.address_space<global>>, vector<2xf32>
// CHECK: arith.addf {{.*}} : vector<4xf32>
// CHECK-NEXT: arith.addf {{.*}} : vector<2xf32>
// CHECK: arith.cmpf olt, {{.*}} : vector<4xf32>
// CHECK: arith.select {{.*}} : vector<4xi1>, vector<4xf32>
// CHECK: vector.store {{.*}}, vector<4xf32>
// LEAST-LABEL: gpu.func @pieces(
// LEAST-NOT: vector.load
// LEAST-COUNT-6: memref.load %x
// LEAST: arith.addf {{.*}} : vector<4xf32>
gpu.module @m {
  gpu.func @pieces(%x: memref<?xf32, #gpu.address_space<global>>, %i: index) kernel {
    %v = vector.load %x[%i] : memref<?xf32, #gpu.address_space<global>>, vector<6xf32>
    %s = arith.addf %v, %v : vector<6xf32>
    %m = arith.cmpf olt, %v, %s : vector<6xf32>
    %r = arith.select %m, %v, %s : vector<6xi1>, vector<6xf32>
    vector.store %r, %x[%i] : memref<?xf32, #gpu.address_space<global>>, vector<6xf32>
    gpu.return
  }
}

// -----

// Elements that the device has no type for are scalars, and so is what it computes on scalars only.

// CHECK-LABEL: gpu.func @scalars(
// CHECK-COUNT-4: memref.load %x
// CHECK-COUNT-4: arith.addi {{.*}} : i64
// CHECK-COUNT-4: math.ctpop {{.*}} : i32
// CHECK: vector.from_elements {{.*}} : vector<4xi32>
gpu.module @m {
  gpu.func @scalars(%x: memref<?xi64, #gpu.address_space<global>>, %y: memref<?xi32, #gpu.address_space<global>>, %i: index) kernel {
    %v = vector.load %x[%i] : memref<?xi64, #gpu.address_space<global>>, vector<4xi64>
    %s = arith.addi %v, %v : vector<4xi64>
    %t = arith.trunci %s : vector<4xi64> to vector<4xi32>
    %c = math.ctpop %t : vector<4xi32>
    vector.store %c, %y[%i] : memref<?xi32, #gpu.address_space<global>>, vector<4xi32>
    gpu.return
  }
}

// -----

// An atomic of floats may make an array one of integers: its elements are loaded one by one. Mixed
// zeros are looked at lane by lane.

// CHECK-LABEL: gpu.func @atomic(
// CHECK-NOT: vector.load
// CHECK-COUNT-2: memref.load %x
// CHECK: arith.mulf {{.*}} : f32
// CHECK: arith.mulf {{.*}} : f32
gpu.module @m {
  gpu.func @atomic(%x: memref<?xf32, #gpu.address_space<global>>, %i: index, %f: f32) kernel {
    %v = vector.load %x[%i] : memref<?xf32, #gpu.address_space<global>>, vector<2xf32>
    %z = arith.constant dense<[0.0, 1.0]> : vector<2xf32>
    %p = arith.mulf %v, %z : vector<2xf32>
    vector.store %p, %x[%i] : memref<?xf32, #gpu.address_space<global>>, vector<2xf32>
    %old = gpux.atomic_rmw "max" %f, %x[%i] order "relaxed" scope "device" : f32, memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Under a mask each lane has its own selection; a sum begins with the accumulator.

// CHECK-LABEL: gpu.func @lanes(
// CHECK: %[[FIRST:.*]] = vector.extract %{{.*}}[0] : i1 from vector<2xi1>
// CHECK: scf.if %[[FIRST]]
// CHECK-NEXT: memref.load %x
// CHECK: } else {
// CHECK: scf.if
// CHECK: %[[A:.*]] = arith.addf %f, %{{.*}} : f32
// CHECK-NEXT: arith.addf %[[A]], %{{.*}} : f32
// CHECK: scf.if
// CHECK-NEXT: memref.store
gpu.module @m {
  gpu.func @lanes(%x: memref<?xf32, #gpu.address_space<global>>, %i: index, %f: f32) kernel {
    %v = vector.splat %f : vector<2xf32>
    %at = arith.constant dense<[7, 3]> : vector<2xi32>
    %w = vector.load %x[%i] : memref<?xf32, #gpu.address_space<global>>, vector<2xf32>
    %m = arith.cmpf olt, %v, %w : vector<2xf32>
    %g = vector.gather %x[%i] [%at], %m, %v : memref<?xf32, #gpu.address_space<global>>, vector<2xi32>, vector<2xi1>, vector<2xf32> into vector<2xf32>
    %s = vector.reduction <add>, %g, %f : vector<2xf32> into f32
    %r = vector.insert %s, %g [1] : f32 into vector<2xf32>
    vector.maskedstore %x[%i], %m, %r : memref<?xf32, #gpu.address_space<global>>, vector<2xi1>, vector<2xf32>
    gpu.return
  }
}

// -----

// A loop carries pieces.

// CHECK-LABEL: gpu.func @carried(
// CHECK: scf.for {{.*}} -> (vector<4xf32>, f32)
gpu.module @m {
  gpu.func @carried(%x: memref<?xf32, #gpu.address_space<global>>, %i: index) kernel {
    %one = arith.constant 1 : index
    %v = vector.load %x[%i] : memref<?xf32, #gpu.address_space<global>>, vector<5xf32>
    %r = scf.for %k = %one to %i step %one iter_args(%t = %v) -> (vector<5xf32>) {
      %u = arith.mulf %t, %v : vector<5xf32>
      scf.yield %u : vector<5xf32>
    }
    vector.store %r, %x[%i] : memref<?xf32, #gpu.address_space<global>>, vector<5xf32>
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @refused(%f: f32, %i: index, %x: memref<?xf32, #gpu.address_space<global>>) kernel {
    // expected-error @below {{vector.splat: vector<2x2xf32>: expected a vector of one dimension and a fixed length}}
    %v = vector.splat %f : vector<2x2xf32>
    %w = vector.splat %f : vector<2xf32>
    // expected-error @below {{vector.extract: lane 2 of 2}}
    %e = vector.extract %w[2] : f32 from vector<2xf32>
    // expected-error @below {{vector.print: vector.print has no place to print to on a device; use gpux.print}}
    "vector.print"(%w) : (vector<2xf32>) -> ()
    // expected-error @below {{vector.transfer_read: no rule converts vector.transfer_read}}
    %t = vector.transfer_read %x[%i], %f : memref<?xf32, #gpu.address_space<global>>, vector<2xf32>
    gpu.return
  }
  // expected-error @below {{gpu.func: a vector as parameter of a kernel, expected an array}}
  gpu.func @parameter(%v: vector<2xf32>) kernel {
    gpu.return
  }
}
