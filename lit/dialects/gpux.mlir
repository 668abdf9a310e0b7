// RUN: stepwell opt %s --split-input-file --verify-diagnostics | stepwell opt --split-input-file | filecheck %s

func.func @round_trip(%p: i1, %i: index, %v: f32, %n: i32, %x: memref<?xf32>, %y: memref<?xi32>) {
  gpux.check %p, "assert", "no" formats []
  gpux.check %p, "bounds", "{} of {}" (%i, %i : index, index) formats ["index", "index"] site 3 : i32
  gpux.check %p, "assert", "{}" (%v : f32) ids (%i, %i, %i, %i, %i, %i : index, index, index, index, index, index) formats ["f32"]
  gpux.print "{{}} {}" (%n : i32) formats ["u32"]
  %a = gpux.atomic_rmw "add" %v, %x[%i] order "relaxed" scope "device" : f32, memref<?xf32>
  %b = gpux.atomic_cas %n, %n, %y[%i] order "acq_rel" scope "block" : i32, memref<?xi32>
  %c = gpux.subgroup_scan "add" "inclusive" %v : f32
  %d = gpux.ballot %p : i64
  func.return
}

// CHECK-LABEL: func.func @round_trip
// CHECK-NEXT:    gpux.check %p, "assert", "no" formats []
// CHECK-NEXT:    gpux.check %p, "bounds", "{} of {}"(%i, %i : index, index) formats ["index", "index"] site 3 : i32
// CHECK-NEXT:    gpux.check %p, "assert", "{}"(%v : f32) ids(%i, %i, %i, %i, %i, %i : index, index, index, index, index, index) formats ["f32"]
// CHECK-NEXT:    gpux.print "{{[{][{][}][}]}} {}"(%n : i32) formats ["u32"]
// CHECK-NEXT:    %a = gpux.atomic_rmw "add" %v, %x[%i] order "relaxed" scope "device" : f32, memref<?xf32>
// CHECK-NEXT:    %b = gpux.atomic_cas %n, %n, %y[%i] order "acq_rel" scope "block" : i32, memref<?xi32>
// CHECK-NEXT:    %c = gpux.subgroup_scan "add" "inclusive" %v : f32
// CHECK-NEXT:    %d = gpux.ballot %p : i64

// -----

func.func @kind(%p: i1) {
  // expected-error @+1 {{kind is 'wish', expected one of bounds, assert, division, barrier}}
  gpux.check %p, "wish", "no" formats []
  func.return
}

// -----

func.func @formats(%p: i1, %v: f32) {
  // expected-error @+1 {{has 1 values and 0 formats, expected one each}}
  gpux.check %p, "assert", "{}" (%v : f32) formats []
  func.return
}

// -----

func.func @message(%v: f32) {
  // expected-error @+1 {{needs one {} for each of 1 values}}
  gpux.print "nothing" (%v : f32) formats ["f32"]
  func.return
}

// -----

func.func @format(%v: f32) {
  // expected-error @+1 {{format is 'float', expected one of bool, i8}}
  gpux.print "{}" (%v : f32) formats ["float"]
  func.return
}

// -----

func.func @ids(%p: i1, %i: index) {
  // expected-error @+1 {{has 2 ids, expected none or 6 (block xyz, thread xyz)}}
  gpux.check %p, "assert", "no" ids (%i, %i : index, index) formats []
  func.return
}

// -----

func.func @order(%v: f32, %x: memref<?xf32>, %i: index) {
  // expected-error @+1 {{order is 'later', expected one of relaxed, acquire, release, acq_rel, seq_cst}}
  %a = gpux.atomic_rmw "add" %v, %x[%i] order "later" scope "device" : f32, memref<?xf32>
  func.return
}

// -----

func.func @rmw_kind(%v: f32, %x: memref<?xf32>, %i: index) {
  // expected-error @+1 {{kind is 'nand', expected one of add}}
  %a = gpux.atomic_rmw "nand" %v, %x[%i] order "relaxed" scope "device" : f32, memref<?xf32>
  func.return
}

// -----

func.func @rank(%v: f32, %x: memref<?x?xf32>, %i: index) {
  // expected-error @+1 {{has 1 indices for a memref of rank 2}}
  %a = gpux.atomic_rmw "add" %v, %x[%i] order "relaxed" scope "device" : f32, memref<?x?xf32>
  func.return
}

// -----

func.func @element(%v: i32, %x: memref<?xf32>, %i: index) {
  // expected-error @+1 {{value has type i32, elements f32}}
  %a = gpux.atomic_cas %v, %v, %x[%i] order "relaxed" scope "device" : i32, memref<?xf32>
  func.return
}

// -----

func.func @mode(%v: f32) {
  // expected-error @+1 {{mode is 'both', expected one of inclusive, exclusive}}
  %c = gpux.subgroup_scan "add" "both" %v : f32
  func.return
}

// -----

func.func @scalar(%x: f32) -> f32 {
  // expected-error @+1 {{scales f32, expected a vector of f32 or f64}}
  %r = gpux.scale %x, %x : f32
  func.return %r : f32
}

// -----

func.func @ask(%m: memref<?x?xf32>, %i: index) {
  // expected-error @+1 {{has 1 indices for a memref of rank 2}}
  gpux.prefetch %m[%i] : memref<?x?xf32>
  func.return
}
