// RUN: stepwell opt %s -p emulate-types,canonicalize,cse --split-input-file --verify-diagnostics | filecheck %s

// Sums of 8 bits are sums of words whose upper bits nobody reads; a maximum extends by the sign, an
// unsigned comparison by zeros.

// CHECK-LABEL: gpu.func @bytes(%a: i32, %b: i32, %x: memref<?xi32
// CHECK: %[[SUM:.*]] = arith.addi %a, %b : i32
// CHECK: %[[UP:.*]] = arith.shli %[[SUM]], %[[N:.*]] : i32
// CHECK: %[[A:.*]] = arith.shrsi %[[UP]], %[[N]] : i32
// CHECK: arith.maxsi %[[A]], %{{.*}} : i32
// CHECK: %[[LOW:.*]] = arith.andi %{{.*}} : i32
// CHECK: arith.cmpi ult, %[[LOW]], %{{.*}} : i32
gpu.module @m {
  gpu.func @bytes(%a: i8, %b: i8, %x: memref<?xi32, #gpu.address_space<global>>, %n: index) kernel {
    %sum = arith.addi %a, %b : i8
    %max = arith.maxsi %sum, %b : i8
    %less = arith.cmpi ult, %max, %b : i8
    %r = arith.extui %less : i1 to i32
    memref.store %r, %x[%n] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// An i64 is two words, and two parameters in one slot; sums carry. What does not fit an index becomes
// the nearest one.

// CHECK-LABEL: gpu.func @wide(%a_low: i32, %a_high: i32, %f: f32, %b_low: i32, %b_high: i32, %x: memref
// CHECK-SAME: gpux.remarks = [{{.*}}i64 is two words
// CHECK-SAME: gpux.parameter_words = array<i32: 0, 1, 2, 4, 5, 6>
// CHECK: %[[LOW:.*]] = arith.addi %a_low, %b_low : i32
// CHECK: %[[HIGH:.*]] = arith.addi %a_high, %b_high : i32
// CHECK: %[[CARRY:.*]] = arith.cmpi ult, %[[LOW]], %a_low : i32
// CHECK: %[[ONE:.*]] = arith.extui %[[CARRY]] : i1 to i32
// CHECK: %[[TOP:.*]] = arith.addi %[[HIGH]], %[[ONE]] : i32
// CHECK: %[[FITS:.*]] = arith.cmpi eq, %{{.*}}, %[[TOP]] : i32
// CHECK: %[[WORD:.*]] = arith.select %[[FITS]], %[[LOW]],
// CHECK: arith.index_cast %[[WORD]] : i32 to index
gpu.module @m {
  gpu.func @wide(%a: i64, %f: f32, %b: i64, %x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %sum = arith.addi %a, %b : i64
    %n = arith.index_cast %sum : i64 to index
    memref.store %f, %x[%n] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Control flow carries words; a loop over 64 bits is one with a condition, one over 16 bits goes over
// words.

// CHECK-LABEL: gpu.func @loops(
// CHECK: scf.while (
// CHECK: scf.condition(%{{.*}}) %{{.*}} : i32, i32, i32, i32
// CHECK: scf.for %{{.*}} = %{{.*}} iter_args(%{{.*}} = %{{.*}}) -> (i32) : i32 {
gpu.module @m {
  gpu.func @loops(%a: i64, %h: i16, %c: i1, %x: memref<?xi32, #gpu.address_space<global>>, %n: index) kernel {
    %zero = arith.constant 0 : i64
    %one = arith.constant 1 : i64
    %r = scf.for %i = %zero to %a step %one iter_args(%s = %zero) -> (i64) : i64 {
      %t = arith.xori %s, %i : i64
      scf.yield %t : i64
    }
    %zero16 = arith.constant 0 : i16
    %one16 = arith.constant 1 : i16
    %q = scf.for %i = %zero16 to %h step %one16 iter_args(%s = %h) -> (i16) : i16 {
      %t = arith.muli %s, %i : i16
      scf.yield %t : i16
    }
    %low = arith.trunci %r : i64 to i32
    %w = arith.extui %q : i16 to i32
    %both = arith.addi %low, %w : i32
    memref.store %both, %x[%n] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// bf16 is computed in f32 and rounded by integers; signs are bits.

// CHECK-LABEL: gpu.func @floats(%a: i32, %b: i32
// CHECK: %[[UP:.*]] = arith.shli %a, %{{.*}} : i32
// CHECK: %[[A:.*]] = arith.bitcast %[[UP]] : i32 to f32
// CHECK: %[[SUM:.*]] = arith.addf %[[A]], %{{.*}} : f32
// CHECK: %[[BITS:.*]] = arith.bitcast %[[SUM]] : f32 to i32
// CHECK: arith.xori
// CHECK-NOT: bf16
gpu.module @m {
  gpu.func @floats(%a: bf16, %b: bf16, %x: memref<?xi32, #gpu.address_space<global>>, %n: index) kernel {
    %sum = arith.addf %a, %b : bf16
    %neg = arith.negf %sum : bf16
    %bits = arith.bitcast %neg : bf16 to i16
    %r = arith.extui %bits : i16 to i32
    memref.store %r, %x[%n] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// What is reported is extended as its format says, an i64 given as two words. Lanes exchange words; a
// sum of i64 goes through the lanes that are there.

// CHECK-LABEL: gpu.func @lanes(
// CHECK: gpux.print "{} {}"(%a_low, %a_high, %[[B:.*]] : i32, i32, i32) formats ["i64", "i8"]
// CHECK: gpu.shuffle xor %a_low, %o, %o : i32
// CHECK: gpu.shuffle xor %a_high, %o, %o : i32
// CHECK: gpux.ballot %{{.*}} : i32
// CHECK: scf.while
// CHECK: gpu.shuffle idx
// CHECK: gpu.subgroup_reduce maxsi %[[B]] : (i32) -> i32
gpu.module @m {
  gpu.func @lanes(%a: i64, %b: i8, %o: i32, %x: memref<?xi32, #gpu.address_space<global>>, %n: index) kernel {
    gpux.print "{} {}" (%a, %b : i64, i8) formats ["i64", "i8"]
    %s, %v = gpu.shuffle xor %a, %o, %o : i64
    %sum = gpu.subgroup_reduce add %s : (i64) -> i64
    %max = gpu.subgroup_reduce maxsi %b : (i8) -> i8
    %m = arith.extsi %max : i8 to i64
    %both = arith.addi %sum, %m : i64
    %r = arith.trunci %both : i64 to i32
    memref.store %r, %x[%n] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error @below {{gpu.func: this device has no f64}}
  gpu.func @doubles(%a: f64, %b: f32) kernel {
    // expected-error @below {{arith.extf: this device has no f64}}
    %c = arith.extf %b : f32 to f64
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error @below {{gpu.func: integers of 24 bits, expected 1, 8, 16, 32 or 64}}
  gpu.func @refused(%b: i24) kernel {
    gpu.return
  }
}

// -----

// The upper half of a product of 64 bits is made of four products of 32; less the other factor where
// one is negative. A power goes round once for each bit of the exponent.

// CHECK-LABEL: gpu.func @products(
// CHECK-COUNT-4: arith.mului_extended %{{.*}} : i32
// CHECK: arith.cmpi slt, %a_high, %{{.*}} : i32
// CHECK: arith.cmpi slt, %b_high, %{{.*}} : i32
// CHECK: scf.while (
// CHECK: arith.mului_extended %{{.*}} : i32
// CHECK-NOT: i64
gpu.module @m {
  gpu.func @products(%a: i64, %b: i64, %x: memref<?xi32, #gpu.address_space<global>>, %n: index) kernel {
    %low, %high = arith.mulsi_extended %a, %b : i64
    %p = math.ipowi %high, %a : i64
    %r = arith.trunci %p : i64 to i32
    memref.store %r, %x[%n] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}
