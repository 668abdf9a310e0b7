// RUN: stepwell opt %s --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: @loop
func.func @loop(%n: index) -> index {
  %c0 = arith.constant 0 : index
  cf.br ^head(%c0 : index)
^head(%i: index):
  %more = arith.cmpi slt, %i, %n : index
  cf.cond_br %more, ^body, ^end
^body:
  %next = arith.addi %i, %n : index
  cf.br ^head(%next : index)
^end:
  func.return %i : index
}

// -----

func.func @before(%a: i32) -> i32 {
  // expected-error @below {{arith.addi: operand 1 is used before it is defined}}
  %0 = arith.addi %a, %1 : i32
  %1 = arith.addi %a, %a : i32
  func.return %0 : i32
}

// -----

func.func @branch(%a: i32, %p: i1) -> i32 {
  // expected-error @below {{cf.cond_br: passes () to a block that takes (i32)}}
  cf.cond_br %p, ^one, ^two
^one:
  %0 = arith.addi %a, %a : i32
  cf.br ^two(%0 : i32)
^two(%x: i32):
  // expected-error @below {{arith.addi: operand 1 is defined in a block that does not dominate}}
  %1 = arith.addi %x, %0 : i32
  func.return %1 : i32
}

// -----

func.func @yields(%a: i32, %p: i1) -> i32 {
  // expected-error @below {{scf.if: its else region yields (i1), its results are (i32)}}
  %0 = scf.if %p -> (i32) {
    scf.yield %a : i32
  } else {
    scf.yield %p : i1
  }
  func.return %0 : i32
}

// -----

func.func @unknown(%a: i32) -> i32 {
  // expected-error @below {{no op is called 'arith.adi'}}
  %0 = arith.adi %a, %a : i32
  func.return %0 : i32
}
