// RUN: stepwell opt %s -p structure-early-exits --split-input-file | filecheck %s

// A guard that ends the thread: the rest goes on under the opposite condition, no flag.

gpu.module @guard {
  gpu.func @kernel(%x: memref<?xf32, #gpu.address_space<global>>, %n: index, %v: f32) kernel {
    %i = gpu.global_id x
    %out = arith.cmpi sge, %i, %n : index
    simt.if %out {
      simt.return
    }
    memref.store %v, %x[%i] : memref<?xf32, #gpu.address_space<global>>
    simt.return
  }
}

// CHECK-LABEL: gpu.module @guard
// CHECK:         %out = arith.cmpi slt, %i, %n : index
// CHECK-NEXT:    scf.if %out {
// CHECK-NEXT:      memref.store %v, %x[%i]
// CHECK-NEXT:    }
// CHECK-NEXT:    gpu.return

// -----

// Several guards nest; a condition that is no integer comparison is negated.

gpu.module @guards {
  gpu.func @kernel(%a: i1, %b: i1, %v: f32) kernel {
    simt.if %a {
      simt.return
    }
    gpux.print "1" formats []
    simt.if %b {
      simt.return
    }
    gpux.print "2" formats []
    simt.return
  }
}

// CHECK-LABEL: gpu.module @guards
// CHECK:         %[[NOT_A:.*]] = arith.xori %a, %{{.*}} : i1
// CHECK-NEXT:    scf.if %[[NOT_A]] {
// CHECK-NEXT:      gpux.print "1"
// CHECK-NEXT:      %[[NOT_B:.*]] = arith.xori %b, %{{.*}} : i1
// CHECK-NEXT:      scf.if %[[NOT_B]] {
// CHECK-NEXT:        gpux.print "2"
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    gpu.return

// -----

// Both ways exit: what follows cannot be reached and is dropped.

gpu.module @both {
  gpu.func @kernel(%a: i1) kernel {
    simt.if %a {
      gpux.print "then" formats []
      simt.return
    } else {
      gpux.print "else" formats []
      simt.return
    }
    gpux.print "never" formats []
    simt.return
  }
}

// CHECK-LABEL: gpu.module @both
// CHECK:         scf.if %a {
// CHECK-NEXT:      gpux.print "then"
// CHECK-NEXT:    } else {
// CHECK-NEXT:      gpux.print "else"
// CHECK-NEXT:    }
// CHECK-NEXT:    gpu.return

// -----

// An exit on one of two ways inside, with something behind: a flag.

gpu.module @flag {
  gpu.func @kernel(%a: i1, %b: i1) kernel {
    simt.if %a {
      simt.if %b {
        simt.return
      }
      gpux.print "inside" formats []
      simt.yield
    }
    gpux.print "behind" formats []
    simt.return
  }
}

// CHECK-LABEL: gpu.module @flag
// CHECK:         simt.set %[[TRUE:.*]], %[[FLAG:.*]] : i1
// CHECK:         scf.if %a {
// CHECK-NEXT:      scf.if %b {
// CHECK-NEXT:        simt.set %{{.*}}, %[[FLAG]] : i1
// CHECK-NEXT:      } else {
// CHECK-NEXT:        gpux.print "inside"
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    %[[GO:.*]] = simt.get %[[FLAG]] : i1
// CHECK-NEXT:    scf.if %[[GO]] {
// CHECK-NEXT:      gpux.print "behind"
// CHECK-NEXT:    }
// CHECK-NEXT:    gpu.return

// -----

// A loop that is never left early is counted; `continue` is a guard.

gpu.module @counted {
  gpu.func @kernel(%n: index, %a: i1) kernel {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    simt.for %i = %zero to %n step %one : index {
      simt.if %a {
        simt.continue
      }
      gpux.print "{}" (%i : index) formats ["index"]
      simt.yield
    } else {
      gpux.print "else" formats []
      simt.yield
    }
    simt.return
  }
}

// CHECK-LABEL: gpu.module @counted
// CHECK:         scf.for %i = %zero to %n step %one {
// CHECK-NEXT:      arith.xori %a
// CHECK-NEXT:      scf.if
// CHECK-NEXT:        gpux.print "{}"
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    gpux.print "else"
// CHECK-NEXT:    gpu.return

// -----

// `break` makes it a while that goes on while the flag is set; `else` runs unless it was cleared.

gpu.module @left {
  gpu.func @kernel(%n: index, %a: i1) kernel {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    simt.for %i = %zero to %n step %one : index {
      simt.if %a {
        simt.break
      }
      gpux.print "{}" (%i : index) formats ["index"]
      simt.yield
    } else {
      gpux.print "else" formats []
      simt.yield
    }
    simt.return
  }
}

// CHECK-LABEL: gpu.module @left
// CHECK:         simt.set %zero, %[[I:.*]] : index
// CHECK-NEXT:    scf.while () : () -> () {
// CHECK-NEXT:      %[[NEXT:.*]] = simt.get %[[I]] : index
// CHECK-NEXT:      %[[MORE:.*]] = arith.cmpi slt, %[[NEXT]], %n : index
// CHECK-NEXT:      %[[GO:.*]] = simt.get %[[FLAG:.*]] : i1
// CHECK-NEXT:      %[[BOTH:.*]] = arith.andi %[[MORE]], %[[GO]] : i1
// CHECK-NEXT:      scf.condition(%[[BOTH]])
// CHECK-NEXT:    } do {
// CHECK-NEXT:      %[[NOW:.*]] = simt.get %[[I]] : index
// CHECK-NEXT:      scf.if %a {
// CHECK-NEXT:        simt.set %{{.*}}, %[[FLAG]] : i1
// CHECK-NEXT:      } else {
// CHECK-NEXT:        gpux.print "{}"(%[[NOW]] : index)
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[SUM:.*]] = arith.addi %[[NOW]], %one : index
// CHECK-NEXT:      simt.set %[[SUM]], %[[I]] : index
// CHECK-NEXT:      scf.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    %[[UNBROKEN:.*]] = simt.get %[[FLAG]] : i1
// CHECK-NEXT:    scf.if %[[UNBROKEN]] {
// CHECK-NEXT:      gpux.print "else"
// CHECK-NEXT:    }
// CHECK-NEXT:    gpu.return

// -----

// `while True`: only the flag ends it. Without an exit, nothing behind it is reached.

gpu.module @endless {
  gpu.func @leaves(%a: i1) kernel {
    simt.while {
      %true = arith.constant true
      simt.condition %true
    } do {
      simt.if %a {
        simt.break
      }
      simt.yield
    }
    gpux.print "behind" formats []
    simt.return
  }
  gpu.func @stays() kernel {
    simt.while {
      %true = arith.constant true
      simt.condition %true
    } do {
      simt.yield
    }
    gpux.print "behind" formats []
    simt.return
  }
}

// CHECK-LABEL: gpu.func @leaves
// CHECK:         scf.while () : () -> () {
// CHECK:           %[[GO:.*]] = simt.get %{{.*}} : i1
// CHECK-NEXT:      scf.condition(%[[GO]])
// CHECK-NEXT:    } do {
// CHECK-NEXT:      scf.if %a {
// CHECK-NEXT:        simt.set
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    gpux.print "behind"
// CHECK-LABEL: gpu.func @stays
// CHECK:         scf.while
// CHECK-NOT:     gpux.print
// CHECK:         gpu.return

// -----

// A condition that may fail is not evaluated after the loop was left.

gpu.module @guarded_condition {
  gpu.func @kernel(%x: memref<?xi32, #gpu.address_space<global>>, %i: index, %a: i1) kernel {
    simt.while {
      simt.check_index %i, %x, 0 : i64 as "x" : memref<?xi32, #gpu.address_space<global>>
      %v = memref.load %x[%i] : memref<?xi32, #gpu.address_space<global>>
      %c = arith.trunci %v : i32 to i1
      simt.condition %c
    } do {
      simt.if %a {
        simt.break
      }
      simt.yield
    }
    simt.return
  }
}

// CHECK-LABEL: gpu.module @guarded_condition
// CHECK:         scf.while
// CHECK-NEXT:      %[[GO:.*]] = simt.get %{{.*}} : i1
// CHECK-NEXT:      scf.if %[[GO]] {
// CHECK-NEXT:        simt.check_index
// CHECK-NEXT:        %v = memref.load
// CHECK-NEXT:        %c = arith.trunci
// CHECK-NEXT:        simt.set %c, %[[CELL:.*]] : i1
// CHECK-NEXT:      } else {
// CHECK-NEXT:        simt.set %{{.*}}, %[[CELL]] : i1
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[MORE:.*]] = simt.get %[[CELL]] : i1
// CHECK-NEXT:      scf.condition(%[[MORE]])

// -----

// A helper with several returns hands its results over in cells; one with a single return does not.

gpu.module @results {
  func.func private @sign(%v: f32, %negative: i1, %a: f32, %b: f32) -> f32 {
    simt.if %negative {
      simt.return %a : f32
    }
    simt.return %b : f32
  }
  func.func private @plain(%v: f32) -> f32 {
    %w = arith.addf %v, %v : f32
    simt.return %w : f32
  }
}

// CHECK-LABEL: func.func private @sign
// CHECK-NEXT:    %[[CELL:.*]] = simt.cell : !simt.cell<f32>
// CHECK-NEXT:    scf.if %negative {
// CHECK-NEXT:      simt.set %a, %[[CELL]] : f32
// CHECK-NEXT:    } else {
// CHECK-NEXT:      simt.set %b, %[[CELL]] : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    %[[R:.*]] = simt.get %[[CELL]] : f32
// CHECK-NEXT:    func.return %[[R]] : f32
// CHECK-LABEL: func.func private @plain
// CHECK-NEXT:    %w = arith.addf
// CHECK-NEXT:    func.return %w : f32

// -----

// Unsigned counting: in a wider type, or by comparing unsigned. Narrow counting in larger steps: in
// a wider type, so that the sum behind the last iteration does not wrap.

gpu.module @unsigned {
  gpu.func @narrow(%n: i32, %one: i32) kernel {
    simt.for %i = %one to %n step %one : i32 {
      gpux.print "{}" (%i : i32) formats ["u32"]
      simt.yield
    } {unsigned}
    simt.return
  }
  gpu.func @steps(%n: i32, %step: i32) kernel {
    simt.for %i = %n to %n step %step : i32 {
      gpux.print "{}" (%i : i32) formats ["i32"]
      simt.yield
    }
    simt.return
  }
  gpu.func @wide(%n: i64, %one: i64) kernel {
    simt.for %i = %one to %n step %one : i64 {
      gpux.print "{}" (%i : i64) formats ["u64"]
      simt.yield
    } {unsigned}
    simt.return
  }
}

// CHECK-LABEL: gpu.func @narrow
// CHECK:         %[[LO:.*]] = arith.extui %one : i32 to i64
// CHECK-NEXT:    %[[HI:.*]] = arith.extui %n : i32 to i64
// CHECK-NEXT:    %[[ST:.*]] = arith.extui %one : i32 to i64
// CHECK-NEXT:    scf.for %[[I:.*]] = %[[LO]] to %[[HI]] step %[[ST]] : i64 {
// CHECK-NEXT:      %[[CUT:.*]] = arith.trunci %[[I]] : i64 to i32
// CHECK-NEXT:      gpux.print "{}"(%[[CUT]] : i32)
// CHECK-LABEL: gpu.func @steps
// CHECK-COUNT-3: arith.extsi
// CHECK-NEXT:    scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} : i64 {
// CHECK-NEXT:      arith.trunci %[[I]] : i64 to i32
// CHECK-LABEL: gpu.func @wide
// CHECK:         arith.cmpi ult
