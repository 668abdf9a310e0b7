// RUN: stepwell opt %s --split-input-file --verify-diagnostics | stepwell opt --split-input-file --verify-diagnostics | filecheck %s

// The ops that xDSL lacks, and arith of vectors.

// CHECK-LABEL: func.func @vectors
func.func @vectors(%m: memref<?x8xf32>, %i: index, %x: f32, %a: vector<8xf32>, %n: vector<8xi32>) {
  // CHECK: vector.splat %x : vector<8xf32>
  %splat = vector.splat %x : vector<8xf32>
  // CHECK: vector.from_elements %x, %x : vector<2xf32>
  %pair = vector.from_elements %x, %x : vector<2xf32>
  // CHECK: vector.step : vector<8xindex>
  %step = vector.step : vector<8xindex>
  // CHECK: vector.constant_mask [3] : vector<8xi1>
  %mask = vector.constant_mask [3] : vector<8xi1>
  // CHECK: vector.gather %m[%i, %i] [%n], %mask, %a : memref<?x8xf32>, vector<8xi32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  %got = vector.gather %m[%i, %i] [%n], %mask, %a : memref<?x8xf32>, vector<8xi32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  // CHECK: vector.scatter %m[%i, %i] [%n], %mask, %a : memref<?x8xf32>, vector<8xi32>, vector<8xi1>, vector<8xf32>
  vector.scatter %m[%i, %i] [%n], %mask, %a : memref<?x8xf32>, vector<8xi32>, vector<8xi1>, vector<8xf32>
  // CHECK: arith.cmpf olt, %a, %splat : vector<8xf32>
  %less = arith.cmpf olt, %a, %splat : vector<8xf32>
  // CHECK: arith.cmpi slt, %n, %n : vector<8xi32>
  %never = arith.cmpi slt, %n, %n : vector<8xi32>
  // CHECK: arith.andi %less, %never : vector<8xi1>
  %both = arith.andi %less, %never : vector<8xi1>
  // CHECK: arith.select %both, %a, %splat : vector<8xi1>, vector<8xf32>
  %least = arith.select %both, %a, %splat : vector<8xi1>, vector<8xf32>
  // CHECK: arith.extui %both : vector<8xi1> to vector<8xi32>
  %ones = arith.extui %both : vector<8xi1> to vector<8xi32>
  // CHECK: arith.sitofp %ones : vector<8xi32> to vector<8xf32>
  %floats = arith.sitofp %ones : vector<8xi32> to vector<8xf32>
  // CHECK: arith.index_cast %step : vector<8xindex> to vector<8xi32>
  %numbers = arith.index_cast %step : vector<8xindex> to vector<8xi32>
  func.return
}

// -----

// One condition for all lanes.

// CHECK-LABEL: func.func @uniform
func.func @uniform(%c: i1, %a: vector<8xf32>, %k: index) {
  // CHECK: arith.select %c, %a, %a : vector<8xf32>
  %same = arith.select %c, %a, %a : vector<8xf32>
  // CHECK: arith.select %c, %k, %k : index
  %scalar = arith.select %c, %k, %k : index
  // CHECK: arith.index_cast %k : index to i32
  %cast = arith.index_cast %k : index to i32
  func.return
}

// -----

func.func @mask(%a: vector<8xf32>, %m: vector<4xi1>) {
  // expected-error@+1 {{expected vectors with the same number of lanes}}
  %r = arith.select %m, %a, %a : vector<4xi1>, vector<8xf32>
  func.return
}

// -----

func.func @narrower(%a: vector<8xi32>) {
  // expected-error@+1 {{destination bit-width must be larger than the input bit-width}}
  %r = arith.extsi %a : vector<8xi32> to vector<8xi16>
  func.return
}

// -----

func.func @offsets(%m: memref<?xf32>, %i: index, %n: vector<4xi32>, %k: vector<8xi1>, %a: vector<8xf32>) {
  // expected-error@+1 {{expected offsets, mask and values to have the same number of lanes}}
  %r = vector.gather %m[%i] [%n], %k, %a : memref<?xf32>, vector<4xi32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  func.return
}

// -----

func.func @element(%m: memref<?xf64>, %i: index, %n: vector<8xi32>, %k: vector<8xi1>, %a: vector<8xf32>) {
  // expected-error@+1 {{expected a vector of f64, got vector<8xf32>}}
  vector.scatter %m[%i] [%n], %k, %a : memref<?xf64>, vector<8xi32>, vector<8xi1>, vector<8xf32>
  func.return
}

// -----

func.func @too_many() {
  // expected-error@+1 {{expected a size from 0 for each dimension of [4]}}
  %m = vector.constant_mask [5] : vector<4xi1>
  func.return
}
