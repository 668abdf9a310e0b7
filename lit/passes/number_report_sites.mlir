// RUN: stepwell opt %s -p number-report-sites | filecheck %s

// In program order; equal sites of one place share a number.

func.func @f(%p: i1, %v: i32) {
  gpux.check %p, "assert", "one" formats []
  scf.if %p {
    gpux.print "{}" (%v : i32) formats ["i32"]
  }
  gpux.check %p, "assert", "one" formats []
  gpux.check %p, "assert", "same place" formats [] loc("k.py":7:3)
  gpux.check %p, "assert", "same place" formats [] loc("k.py":7:3)
  func.return
}

// CHECK:      gpux.check %p, "assert", "one" formats [] site 0 : i32
// CHECK:      gpux.print "{}"(%v : i32) formats ["i32"] site 1 : i32
// CHECK:      gpux.check %p, "assert", "one" formats [] site 2 : i32
// CHECK-NEXT: gpux.check %p, "assert", "same place" formats [] site 3 : i32
// CHECK-NEXT: gpux.check %p, "assert", "same place" formats [] site 3 : i32
