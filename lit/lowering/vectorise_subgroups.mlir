// RUN: stepwell opt %s -p 'vectorise-subgroups{width=4 always=true}' --split-input-file | filecheck %s

// What lanes have in common stays scalar, consecutive places are vectors; the last threads of the
// loop are a vector under a mask.
func.func @saxpy(%a: f32, %x: memref<?xf32>, %y: memref<?xf32>, %base: index, %lo: index, %hi: index) {
  %c1 = arith.constant 1 : index
  scf.for %t = %lo to %hi step %c1 {
    %i = arith.addi %base, %t : index
    %b = arith.addf %a, %a : f32
    %v = memref.load %x[%i] : memref<?xf32>
    %w = arith.mulf %b, %v : f32
    memref.store %w, %y[%i] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @saxpy
// CHECK:         %[[MOST:.*]] = arith.maxsi %hi, %lo
// CHECK-NEXT:    %[[COUNT:.*]] = arith.subi %[[MOST]], %lo
// CHECK:         %[[WHOLE:.*]] = arith.andi %[[COUNT]], %{{.*}} : index
// CHECK-NEXT:    %[[END:.*]] = arith.addi %lo, %[[WHOLE]] : index
// CHECK:         scf.for %[[T:.*]] = %lo to %[[END]] step %{{.*}} {
// CHECK-NEXT:      %[[I:.*]] = arith.addi %base, %[[T]] : index
// CHECK-NEXT:      %[[B:.*]] = arith.addf %a, %a : f32
// CHECK-NEXT:      %[[BS:.*]] = vector.splat %[[B]] : vector<4xf32>
// CHECK-NEXT:      %[[V:.*]] = vector.load %x[%[[I]]] : memref<?xf32>, vector<4xf32>
// CHECK-NEXT:      %[[W:.*]] = arith.mulf %[[BS]], %[[V]] : vector<4xf32>
// CHECK-NEXT:      vector.store %[[W]], %y[%[[I]]] : memref<?xf32>, vector<4xf32>
// CHECK-NEXT:    }
// CHECK:         scf.for %[[LAST:.*]] = %[[END]] to %hi step %{{.*}} {
// CHECK-NEXT:      %[[LEFT:.*]] = arith.subi %hi, %[[LAST]] : index
// CHECK-NEXT:      %[[MASK:.*]] = vector.create_mask %[[LEFT]] : vector<4xi1>
// CHECK:           vector.maskedload %x[%{{.*}}], %[[MASK]], %{{.*}}
// CHECK:           vector.maskedstore %y[%{{.*}}], %[[MASK]], %{{.*}}
// CHECK-NOT:     memref.load

// -----

// A branch that all lanes take together stays one. Of two ways that lanes take, each is gone under
// its mask, unless no lane does; lanes that are not there must not divide by what they have.
func.func @branches(%x: memref<?xi32>, %y: memref<?xi32>, %hi: index, %n: i32, %flag: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xi32>
    %u = scf.if %flag -> (i32) {
      %s = arith.addi %v, %n : i32
      scf.yield %s : i32
    } else {
      scf.yield %n : i32
    }
    %c = arith.cmpi slt, %v, %n : i32
    %r = scf.if %c -> (i32) {
      %q = arith.divsi %n, %v : i32
      scf.yield %q : i32
    } else {
      scf.yield %u : i32
    }
    memref.store %r, %y[%t] : memref<?xi32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @branches
// CHECK:         scf.for
// CHECK:           %[[V:.*]] = vector.load %x
// CHECK-NEXT:      %[[U:.*]] = scf.if %flag -> (vector<4xi32>) {
// CHECK-NEXT:        %[[S:.*]] = arith.addi %[[V]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:        scf.yield %[[S]] : vector<4xi32>
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %{{.*}} : vector<4xi32>
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[C:.*]] = arith.cmpi slt, %[[V]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:      %[[ANY:.*]] = vector.reduction <or>, %[[C]] : vector<4xi1> into i1
// CHECK-NEXT:      %[[THEN:.*]] = scf.if %[[ANY]] -> (vector<4xi32>) {
// CHECK-NEXT:        %[[BY:.*]] = arith.select %[[C]], %[[V]], %{{.*}} : vector<4xi1>, vector<4xi32>
// CHECK-NEXT:        %[[Q:.*]] = arith.divsi %{{.*}}, %[[BY]] : vector<4xi32>
// CHECK-NEXT:        scf.yield %[[Q]] : vector<4xi32>
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %{{.*}} : vector<4xi32>
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[NOT:.*]] = arith.xori %[[C]], %{{.*}} : vector<4xi1>
// CHECK:           %[[R:.*]] = scf.if %{{.*}} -> (vector<4xi32>) {
// CHECK-NEXT:        %[[OWN:.*]] = arith.select %[[NOT]], %[[U]], %[[THEN]] : vector<4xi1>, vector<4xi32>
// CHECK-NEXT:        scf.yield %[[OWN]] : vector<4xi32>
// CHECK:           vector.store %[[R]], %y

// -----

// A small way without effects is gone by all lanes, a small one with stores under its mask.
func.func @small(%x: memref<?xf32>, %y: memref<?xf32>, %hi: index, %n: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xf32>
    %c = arith.cmpf olt, %v, %n : f32
    %r = scf.if %c -> (f32) {
      %q = arith.mulf %v, %v : f32
      scf.yield %q : f32
    } else {
      scf.yield %n : f32
    }
    scf.if %c {
      memref.store %r, %y[%t] : memref<?xf32>
    }
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @small
// CHECK:         scf.for
// CHECK:           %[[C:.*]] = arith.cmpf olt
// CHECK-NEXT:      %[[Q:.*]] = arith.mulf
// CHECK-NEXT:      %[[R:.*]] = arith.select %[[C]], %[[Q]], %{{.*}} : vector<4xi1>, vector<4xf32>
// CHECK-NEXT:      vector.maskedstore %y[%{{.*}}], %[[C]], %[[R]]
// CHECK-NEXT:    }

// -----

// A loop runs while any lane is there. What lanes have in common in it stays scalar, with a place
// for what each took away; what is carried in vectors stays as it was for lanes that have left.
func.func @leaving(%x: memref<?xi32>, %y: memref<?xi32>, %hi: index, %n: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1 : i32
  scf.for %t = %c0 to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xi32>
    %rounds, %last = scf.while (%k = %n, %s = %v) : (i32, i32) -> (i32, i32) {
      %more = arith.cmpi slt, %s, %k : i32
      scf.condition(%more) %k, %s : i32, i32
    } do {
    ^bb0(%k: i32, %s: i32):
      %next = arith.addi %k, %one : i32
      %twice = arith.addi %s, %s : i32
      scf.yield %next, %twice : i32, i32
    }
    %sum = arith.addi %rounds, %last : i32
    memref.store %sum, %y[%t] : memref<?xi32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @leaving
// CHECK:         scf.for
// CHECK:           %[[V:.*]] = vector.load %x
// CHECK-NEXT:      %{{.*}}, %{{.*}}, %{{.*}}, %[[LAST:.*]], %[[ROUNDS:.*]] = scf.while (%[[LIVE:.*]] = %{{.*}}, %[[K:.*]] = %n, %[[S:.*]] = %[[V]], %[[KEPT:.*]] = %{{.*}}) : (vector<4xi1>, i32, vector<4xi32>, vector<4xi32>)
// CHECK-NEXT:        %[[KS:.*]] = vector.splat %[[K]] : vector<4xi32>
// CHECK-NEXT:        %[[MORE:.*]] = arith.cmpi slt, %[[S]], %[[KS]] : vector<4xi32>
// CHECK-NEXT:        %[[NOW:.*]] = arith.andi %[[MORE]], %[[LIVE]] : vector<4xi1>
// CHECK-NEXT:        %[[TAKEN:.*]] = arith.select %[[LIVE]], %[[KS]], %[[KEPT]]
// CHECK-NEXT:        %[[ANY:.*]] = vector.reduction <or>, %[[NOW]] : vector<4xi1> into i1
// CHECK-NEXT:        scf.condition(%[[ANY]]) %[[NOW]], %[[K]], %[[S]], %[[S]], %[[TAKEN]]
// CHECK:           ^{{.*}}(%[[ON:.*]]: vector<4xi1>, %[[K2:.*]]: i32, %[[S2:.*]]: vector<4xi32>, %[[OLD:.*]]: vector<4xi32>, %{{.*}}: vector<4xi32>):
// CHECK-NEXT:        arith.addi %[[K2]], %{{.*}} : i32
// CHECK-NEXT:        %[[TWICE:.*]] = arith.addi %[[S2]], %[[S2]] : vector<4xi32>
// CHECK-NEXT:        arith.select %[[ON]], %[[TWICE]], %[[OLD]]
// CHECK:           arith.addi %[[ROUNDS]], %[[LAST]] : vector<4xi32>

// -----

// Ranges that differ by lane: the counter is in common as long as it starts so.
func.func @ranges(%x: memref<?xf32>, %y: memref<?xf32>, %hi: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.for %t = %c0 to %hi step %c1 {
    %sum = scf.for %k = %c0 to %t step %c1 iter_args(%s = %zero) -> (f32) {
      %v = memref.load %x[%k] : memref<?xf32>
      %w = memref.load %x[%t] : memref<?xf32>
      %p = arith.mulf %v, %w : f32
      %next = arith.addf %s, %p : f32
      scf.yield %next : f32
    }
    memref.store %sum, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @ranges
// CHECK:         scf.for
// CHECK:           scf.while (%{{.*}} = %{{.*}}, %[[K:.*]] = %c0, %{{.*}} = %{{.*}}) : (vector<4xi1>, index, vector<4xf32>)
// CHECK:             %[[IN:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : vector<4xindex>
// CHECK-NEXT:        arith.andi %[[IN]], %{{.*}} : vector<4xi1>
// CHECK:           ^{{.*}}(%[[ON:.*]]: vector<4xi1>, %[[K2:.*]]: index, %[[S:.*]]: vector<4xf32>):
// CHECK-NEXT:        %[[ONE:.*]] = memref.load %x[%[[K2]]] : memref<?xf32>
// CHECK:             vector.maskedload %x[%{{.*}}], %[[ON]]
// CHECK:             %[[NEXT:.*]] = arith.addf %[[S]], %{{.*}} : vector<4xf32>
// CHECK-NEXT:        arith.addi %[[K2]], %c1 : index
// CHECK-NEXT:        arith.select %[[ON]], %[[NEXT]], %[[S]]

// -----

// Backwards with the lanes exchanged; at a constant distance one by one, and under a mask or
// anywhere by gather and scatter, of which what lanes have in common stays an index.
func.func @places(%x: memref<?x?xf32>, %s: memref<?xf32, strided<[?]>>, %to: memref<?xi64>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %t = %c0 to %hi step %c1 {
    %back = arith.subi %n, %t : index
    %a = memref.load %x[%n, %back] : memref<?x?xf32>
    %i64 = memref.load %to[%t] : memref<?xi64>
    %far = arith.index_cast %i64 : i64 to index
    %b = memref.load %x[%far, %n] : memref<?x?xf32>
    %third = arith.muli %t, %c3 : index
    memref.store %a, %x[%n, %third] : memref<?x?xf32>
    memref.store %b, %s[%t] : memref<?xf32, strided<[?]>>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @places
// CHECK:         scf.for
// CHECK:           %[[BACK:.*]] = arith.subi %n, %{{.*}} : index
// CHECK-NEXT:      %[[FIRST:.*]] = arith.subi %[[BACK]], %{{.*}} : index
// CHECK-NEXT:      %[[FOUR:.*]] = vector.load %x[%n, %[[FIRST]]] : memref<?x?xf32>, vector<4xf32>
// CHECK-NEXT:      %[[A:.*]] = vector.shuffle %[[FOUR]], %[[FOUR]] [3, 2, 1, 0]
// CHECK:           %[[FAR:.*]] = arith.index_cast %{{.*}} : vector<4xi64> to vector<4xindex>
// CHECK:           %[[OFFSETS:.*]] = arith.muli %[[FAR]], %{{.*}} : vector<4xindex>
// CHECK-NEXT:      %[[B:.*]] = vector.gather %x[%{{.*}}, %n] [%[[OFFSETS]]], %{{.*}}, %{{.*}}
// CHECK:           %[[THIRD:.*]] = arith.muli %{{.*}}, %c3 : index
// CHECK-NEXT:      %[[SECOND:.*]] = arith.addi %[[THIRD]], %[[C3:.*]] : index
// CHECK:           %[[A0:.*]] = vector.extract %[[A]][0]
// CHECK-NEXT:      memref.store %[[A0]], %x[%n, %[[THIRD]]]
// CHECK-NEXT:      %[[A1:.*]] = vector.extract %[[A]][1]
// CHECK-NEXT:      memref.store %[[A1]], %x[%n, %[[SECOND]]]
// CHECK:           memref.store %{{.*}}, %s[%{{.*}}]
// CHECK:         scf.for
// CHECK:           vector.scatter %x[%n, %{{.*}}] [%{{.*}}], %{{.*}}
// CHECK:           vector.scatter %s[%{{.*}}] [%{{.*}}], %{{.*}}

// -----

// An array that each thread has for itself has a place for each lane, side by side.
func.func @own(%x: memref<?xf32>, %y: memref<?xf32>, %hi: index, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %l = memref.alloca() {gpux.private} : memref<8xf32>
  scf.for %t = %c0 to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xf32>
    memref.store %v, %l[%n] : memref<8xf32>
    %w = memref.load %l[%t] : memref<8xf32>
    memref.store %w, %y[%t] : memref<?xf32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @own
// CHECK:         %[[LANES:.*]] = memref.alloca() {gpux.private} : memref<8x4xf32>
// CHECK:         scf.for
// CHECK:           vector.store %{{.*}}, %[[LANES]][%n, %[[C0:.*]]] : memref<8x4xf32>, vector<4xf32>
// CHECK:           vector.gather %[[LANES]][%{{.*}}, %{{.*}}] [%{{.*}}]

// -----

// One test for the checks of all lanes, of which the first that fails reports. Atomics go lane by lane, but those of one place that do not
// ask for the old value are one.
func.func @lanes(%x: memref<?xi32>, %hist: memref<?xi32>, %hi: index, %b: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %t = %c0 to %hi step %c1 {
    %v = memref.load %x[%t] : memref<?xi32>
    %at = arith.index_cast %v : i32 to index
    %n = memref.dim %hist, %c0 : memref<?xi32>
    %ok = arith.cmpi ult, %at, %n : index
    gpux.check %ok, "bounds", "index {}" (%at : index) ids (%b, %c0, %c0, %t, %c0, %c0 : index, index, index, index, index, index) formats ["index"] site 0
    %old = gpux.atomic_rmw "add" %v, %hist[%at] order "relaxed" scope "device" : i32, memref<?xi32>
    %total = gpux.atomic_rmw "add" %v, %hist[%c0] order "relaxed" scope "device" : i32, memref<?xi32>
  } {gpux.threads}
  func.return
}
// CHECK-LABEL: func.func @lanes
// CHECK:         scf.for
// CHECK:           %[[V:.*]] = vector.load %x
// CHECK:           %[[OK:.*]] = arith.cmpi ult, %{{.*}}, %{{.*}} : vector<4xindex>
// CHECK-NEXT:      %[[BAD:.*]] = arith.xori %[[OK]], %{{.*}} : vector<4xi1>
// CHECK-NEXT:      %[[ANY:.*]] = vector.reduction <or>, %[[BAD]] : vector<4xi1> into i1
// CHECK-NEXT:      scf.if %[[ANY]] {
// CHECK:             %[[BITS:.*]] = vector.reduction <or>, %{{.*}} : vector<4xi64> into i64
// CHECK-NEXT:        %[[FIRST:.*]] = math.cttz %[[BITS]] : i64
// CHECK-NEXT:        %[[L:.*]] = arith.index_cast %[[FIRST]] : i64 to index
// CHECK-NEXT:        %[[INDEX:.*]] = vector.extract %{{.*}}[%[[L]]] : index from vector<4xindex>
// CHECK-NEXT:        %[[THREAD:.*]] = arith.addi %{{.*}}, %[[L]] : index
// CHECK-NEXT:        gpux.check %{{.*}}, "bounds", "index {}"(%[[INDEX]] : index) ids(%b, %c0, %c0, %[[THREAD]],
// CHECK-NEXT:      }
// CHECK:           gpux.atomic_rmw "add"
// CHECK:           gpux.atomic_rmw "add"
// CHECK:           gpux.atomic_rmw "add"
// CHECK:           gpux.atomic_rmw "add"
// CHECK:           %[[SUM:.*]] = vector.reduction <add>, %[[V]] : vector<4xi32> into i32
// CHECK-NEXT:      gpux.atomic_rmw "add" %[[SUM]], %hist[%c0]
// CHECK-NEXT:    }

// -----

// What a loop carries from thread to thread is no loop over threads, whatever it says.
func.func @carried(%x: memref<?xi32>, %hi: index) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  %sum = scf.for %t = %c0 to %hi step %c1 iter_args(%s = %zero) -> (i32) {
    %v = memref.load %x[%t] : memref<?xi32>
    %next = arith.addi %s, %v : i32
    scf.yield %next : i32
  } {gpux.threads}
  func.return %sum : i32
}
// CHECK-LABEL: func.func @carried
// CHECK-NOT:     vector
