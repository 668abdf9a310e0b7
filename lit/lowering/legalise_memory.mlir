// RUN: stepwell opt %s -p legalise-memory,canonicalize,cse,check-level{level=shader} --split-input-file --verify-diagnostics | filecheck %s
// RUN: stepwell opt %s -p 'legalise-memory{features="int8+storage8+int16+storage16+float16+int64+int64_atomics+float64+float32_atomic_add+float64_atomic_add"},canonicalize,cse,check-level{level=shader}' --split-input-file | filecheck %s --check-prefix ALL

// Bytes of a buffer are parts of words, from the byte on at which the argument begins; a store
// exchanges the word. Where the device has bytes, they stay.

// CHECK-LABEL: gpu.func @bytes(%x: memref<?xi32, #gpu.address_space<global>> {gpux.element = i8}
// CHECK-SAME: gpux.remarks = [{{.*}}a store of i8 exchanges the word that it is in, in a loop
// CHECK: %[[FIRST:.*]] = gpux.first_byte %x
// CHECK: %[[BYTE:.*]] = arith.addi %n, %[[FIRST]] : index
// CHECK: %[[AT:.*]] = arith.shrui %[[BYTE]]
// CHECK: %[[PART:.*]] = arith.andi %[[BYTE]]
// CHECK: %[[CAST:.*]] = arith.index_cast %[[PART]] : index to i32
// CHECK: %[[SHIFT:.*]] = arith.shli %[[CAST]]
// CHECK: %[[WORD:.*]] = memref.load %x[%[[AT]]] : memref<?xi32
// CHECK: %[[DOWN:.*]] = arith.shrui %[[WORD]], %[[SHIFT]]
// CHECK: %[[V:.*]] = arith.trunci %[[DOWN]] : i32 to i8
// CHECK: %[[SUM:.*]] = arith.addi %[[V]], %v : i8
// CHECK: %[[WIDE:.*]] = arith.extui %[[SUM]] : i8 to i32
// CHECK: %[[BITS:.*]] = arith.shli %[[WIDE]], %[[SHIFT]]
// CHECK: scf.while (%[[SEEN:.*]] = %{{.*}}) : (i32) -> i32 {
// CHECK: %[[OTHERS:.*]] = arith.andi %[[SEEN]],
// CHECK: %[[NEW:.*]] = arith.ori %[[OTHERS]], %[[BITS]]
// CHECK: %[[FOUND:.*]] = gpux.atomic_cas %[[SEEN]], %[[NEW]], %x[%[[AT]]] order "relaxed" scope "device"
// CHECK: %[[AGAIN:.*]] = arith.cmpi ne, %[[FOUND]], %[[SEEN]]
// CHECK: scf.condition(%[[AGAIN]]) %[[FOUND]]

// ALL-LABEL: gpu.func @bytes(%x: memref<?xi8, #gpu.address_space<global>>, %n: index, %v: i8) kernel {
// ALL-NEXT: memref.load %x[%n] : memref<?xi8
gpu.module @m {
  gpu.func @bytes(%x: memref<?xi8, #gpu.address_space<global>>, %n: index, %v: i8) kernel {
    %a = memref.load %x[%n] : memref<?xi8, #gpu.address_space<global>>
    %b = arith.addi %a, %v : i8
    memref.store %b, %x[%n] : memref<?xi8, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A bool is a byte of a buffer, a word of a shared or private array.

// CHECK-LABEL: gpu.func @bools(%x: memref<?xi32, #gpu.address_space<global>> {gpux.element = i1}
// CHECK-SAME: workgroup(%s : memref<4xi32, #gpu.address_space<workgroup>>)
// CHECK: %[[WORD:.*]] = memref.load %x[
// CHECK: arith.andi
// CHECK: %[[A:.*]] = arith.cmpi ne,
// CHECK: %[[BIT:.*]] = arith.extui %[[A]] : i1 to i32
// CHECK: memref.store %[[BIT]], %s[%n] : memref<4xi32

// ALL-LABEL: gpu.func @bools(%x: memref<?xi8, #gpu.address_space<global>> {gpux.element = i1}
// ALL-SAME: workgroup(%s : memref<4xi32, #gpu.address_space<workgroup>>)
// ALL: %[[BYTE:.*]] = memref.load %x[%n] : memref<?xi8
// ALL: arith.cmpi ne, %[[BYTE]]
gpu.module @m {
  gpu.func @bools(%x: memref<?xi1, #gpu.address_space<global>>, %n: index) workgroup(%s: memref<4xi1, #gpu.address_space<workgroup>>) kernel {
    %a = memref.load %x[%n] : memref<?xi1, #gpu.address_space<global>>
    memref.store %a, %s[%n] : memref<4xi1, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// -----

// bf16 is a half of a word, or an i16 where there are some; f16 stays where the device has it. In a
// private array each has a word.

// CHECK-LABEL: gpu.func @halves(%x: memref<?xi32, #gpu.address_space<global>> {gpux.element = bf16}, %y: memref<?xi32, #gpu.address_space<global>> {gpux.element = f16}, %n: index)
// CHECK: memref.alloca() : memref<3xi32, #gpu.address_space<private>>
// CHECK: memref.load %x[
// CHECK: arith.bitcast %{{.*}} : i16 to bf16
// CHECK: arith.bitcast %{{.*}} : i16 to f16
// CHECK: memref.store %{{.*}}, %l[%n] : memref<3xi32
// ALL-LABEL: gpu.func @halves(%x: memref<?xi16, #gpu.address_space<global>> {gpux.element = bf16}, %y: memref<?xf16, #gpu.address_space<global>>, %n: index)
// ALL: memref.alloca() : memref<3xf16, #gpu.address_space<private>>
gpu.module @m {
  gpu.func @halves(%x: memref<?xbf16, #gpu.address_space<global>>, %y: memref<?xf16, #gpu.address_space<global>>, %n: index) kernel {
    %l = memref.alloca() : memref<3xf16, #gpu.address_space<private>>
    %a = memref.load %x[%n] : memref<?xbf16, #gpu.address_space<global>>
    %d = arith.addf %a, %a : bf16
    memref.store %d, %x[%n] : memref<?xbf16, #gpu.address_space<global>>
    %b = memref.load %y[%n] : memref<?xf16, #gpu.address_space<global>>
    %e = arith.addf %b, %b : f16
    memref.store %e, %l[%n] : memref<3xf16, #gpu.address_space<private>>
    gpu.return
  }
}

// -----

// An i64 is two words; shared arrays have twice as many.

// CHECK-LABEL: gpu.func @wide(%x: memref<?xi32, #gpu.address_space<global>> {gpux.element = i64}, %n: index) workgroup(%s : memref<8xi32
// CHECK: %[[LOW:.*]] = arith.shli %n
// CHECK: %[[HIGH:.*]] = arith.addi %[[LOW]]
// CHECK: memref.load %x[%[[LOW]]]
// CHECK: memref.load %x[%[[HIGH]]]
// CHECK: memref.store %{{.*}}, %s[%[[LOW]]]
// CHECK: memref.store %{{.*}}, %s[%[[HIGH]]]
// ALL-LABEL: gpu.func @wide(%x: memref<?xi64
gpu.module @m {
  gpu.func @wide(%x: memref<?xi64, #gpu.address_space<global>>, %n: index) workgroup(%s: memref<4xi64, #gpu.address_space<workgroup>>) kernel {
    %a = memref.load %x[%n] : memref<?xi64, #gpu.address_space<global>>
    memref.store %a, %s[%n] : memref<4xi64, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// -----

// Atomics of floats work on bits: a sum is a loop, unless the device adds and nothing else is done;
// an exchange is one of integers. Of a private array an atomic is a load and a store.

// CHECK-LABEL: gpu.func @sums(%x: memref<?xi32, #gpu.address_space<global>> {gpux.element = f32}, %y: memref<?xi32
// CHECK-SAME: gpux.remarks = [{{.*}}an atomic add of f32 is a loop of compare-exchanges: the device has none", {{.*}}an atomic max of f32
// CHECK: scf.while (%[[SEEN:.*]] = %{{.*}})
// CHECK: %[[OLD:.*]] = arith.bitcast %[[SEEN]] : i32 to f32
// CHECK: %[[NEW:.*]] = arith.addf %[[OLD]], %v : f32
// CHECK: %[[BITS:.*]] = arith.bitcast %[[NEW]] : f32 to i32
// CHECK: gpux.atomic_cas %[[SEEN]], %[[BITS]], %x[%n] order "acq_rel" scope "block"
// CHECK: scf.while
// CHECK: arith.maxnumf
// CHECK: gpux.atomic_rmw "exchange" %{{.*}}, %y[%n] order "relaxed" scope "device" : i32, memref<?xi32
// CHECK: memref.load %l[
// CHECK-NOT: gpux.atomic
// CHECK: memref.store %{{.*}}, %l[
// ALL-LABEL: gpu.func @sums(%x: memref<?xf32, #gpu.address_space<global>>, %y: memref<?xi32
// ALL: gpux.atomic_rmw "add" %v, %x[%n] order "acq_rel" scope "block" : f32
// ALL: scf.while
gpu.module @m {
  gpu.func @sums(%x: memref<?xf32, #gpu.address_space<global>>, %y: memref<?xf32, #gpu.address_space<global>>, %n: index, %v: f32) kernel {
    %l = memref.alloca() : memref<3xf32, #gpu.address_space<private>>
    %a = gpux.atomic_rmw "add" %v, %x[%n] order "acq_rel" scope "block" : f32, memref<?xf32, #gpu.address_space<global>>
    %b = gpux.atomic_rmw "max" %v, %y[%n] order "relaxed" scope "device" : f32, memref<?xf32, #gpu.address_space<global>>
    %c = gpux.atomic_rmw "exchange" %v, %y[%n] order "relaxed" scope "device" : f32, memref<?xf32, #gpu.address_space<global>>
    %d = gpux.atomic_rmw "add" %v, %l[%n] order "relaxed" scope "device" : f32, memref<3xf32, #gpu.address_space<private>>
    %e = arith.addf %c, %d : f32
    memref.store %e, %x[%n] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Views of dynamic memory in two types are one array of words.

// CHECK-LABEL: gpu.func @dynamic(
// CHECK: %[[WORDS:.*]] = memref.view %{{.*}} to memref<?xi32, #gpu.address_space<workgroup>>
// CHECK-NOT: memref.view
// CHECK: %[[BITS:.*]] = arith.bitcast %v : f32 to i32
// CHECK: memref.store %[[BITS]], %[[WORDS]][%n]
// CHECK: gpux.atomic_cas %{{.*}}, %{{.*}}, %[[WORDS]][%{{.*}}] order "relaxed" scope "block"
gpu.module @m {
  gpu.func @dynamic(%v: f32, %w: i16, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %d = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %a = memref.view %d[%c0][%n] : memref<?xi8, #gpu.address_space<workgroup>> to memref<?xf32, #gpu.address_space<workgroup>>
    %b = memref.view %d[%c0][%n] : memref<?xi8, #gpu.address_space<workgroup>> to memref<?xi16, #gpu.address_space<workgroup>>
    memref.store %v, %a[%n] : memref<?xf32, #gpu.address_space<workgroup>>
    memref.store %w, %b[%n] : memref<?xi16, #gpu.address_space<workgroup>>
    gpu.return
  }
}
