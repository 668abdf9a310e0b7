// RUN: stepwell opt %s -p 'gpu-to-spirv{arch="1.6+sg8+bda+int64+int16"}' --split-input-file --verify-diagnostics | filecheck %s

// The frame: sizes of the block are specialised, a buffer is an address in the parameter block.

// CHECK-LABEL: spirv.module PhysicalStorageBuffer64 GLSL450
// CHECK: spirv.SpecConstant @block_x spec_id(0) = 1 : i32
// CHECK: spirv.SpecConstantComposite @block_size (@block_x, @block_y, @block_z) {built_in = "WorkgroupSize"} : vector<3xi32>
// CHECK: spirv.SpecConstant @folded spec_id(3) = false
// CHECK: spirv.GlobalVariable @__parameters : !spirv.ptr<!spirv.struct<(
// CHECK-SAME: !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0]), Block>, PhysicalStorageBuffer> [0],
// CHECK-SAME: i32 [8], f32 [16], i32 [24], i64 [32], i32 [40], i32 [44], i32 [48], i32 [52])>, PushConstant>
// CHECK: spirv.func @frame() "None"
// CHECK: %x = spirv.Load "PushConstant"
// CHECK: %n = spirv.Load "PushConstant" %{{.*}} : i32
// CHECK: %p = spirv.INotEqual
// CHECK: spirv.AccessChain %x[%{{.*}}, %n]
// CHECK: spirv.Load "PhysicalStorageBuffer" %{{.*}} ["Aligned", 4] : f32
// CHECK: spirv.Store "PhysicalStorageBuffer"
// CHECK: spirv.EntryPoint "GLCompute" @frame
gpu.module @m {
  gpu.func @frame(%x: memref<?xf32, #gpu.address_space<global>>, %n: index, %a: f32, %p: i1, %w: i64) kernel {
    %v = memref.load %x[%n] : memref<?xf32, #gpu.address_space<global>>
    %s = arith.select %p, %v, %a : f32
    memref.store %s, %x[%n] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A check that fails keeps its record and ends the invocation; the kernel's end reports it.

// CHECK-LABEL: spirv.func @__write_record(%{{[0-9]+}}: i32, %{{[0-9]+}}: i32, %{{[0-9]+}}: i32, %{{[0-9]+}}: i32)
// CHECK: spirv.AtomicIAdd <Device> <None>
// CHECK-LABEL: spirv.func @__body()
// CHECK-DAG: %[[SITE:.*]] = spirv.mlir.addressof @__failed_site : !spirv.ptr<i32, Private>
// CHECK-DAG: %[[SIZE:.*]] = spirv.mlir.addressof @__failed_size : !spirv.ptr<i32, Private>
// CHECK-DAG: %[[LOW:.*]] = spirv.mlir.addressof @__failed_0 : !spirv.ptr<i32, Private>
// CHECK-DAG: %[[C1:.*]] = spirv.Constant 1 : i32
// CHECK-DAG: %[[C9:.*]] = spirv.Constant 9 : i32
// CHECK: %[[NOT:.*]] = spirv.LogicalNot %{{.*}} : i1
// CHECK: spirv.BranchConditional %[[NOT]] [1, 1048575], ^[[FAILED:.*]], ^[[MERGE:.*]]
// CHECK: ^[[FAILED]]:
// CHECK: spirv.Store "Private" %[[SITE]], %[[C1]] : i32
// CHECK-NEXT: spirv.Store "Private" %[[SIZE]], %[[C9]] : i32
// CHECK-NEXT: spirv.Store "Private" %[[LOW]], %i : i32
// CHECK-NEXT: spirv.Store "Private"
// CHECK-NEXT: spirv.Return
// CHECK: ^[[MERGE]]:
// CHECK-NEXT: spirv.mlir.merge
// CHECK: spirv.Store "Private" %[[SITE]], %[[C2:.*]] : i32
// CHECK-NEXT: spirv.Store "Private" %[[SIZE]], %[[C7:.*]] : i32
// CHECK-NEXT: spirv.Return
// CHECK-LABEL: spirv.func @check()
// CHECK: spirv.Store "Private" %[[SITE:.*]], %{{.*}} : i32
// CHECK-NEXT: spirv.FunctionCall @__body()
// CHECK: %[[S:.*]] = spirv.Load "Private" %[[SITE]] : i32
// CHECK: spirv.FunctionCall @__write_record(%[[S]], %{{.*}}, %{{.*}}, %{{.*}})
// CHECK-NEXT: spirv.Return
// CHECK: spirv.EntryPoint "GLCompute" @check
gpu.module @m {
  gpu.func @check(%n: index, %p: i1) kernel {
    %i = gpu.thread_id x
    %ok = arith.cmpi ult, %i, %n : index
    gpux.check %ok, "bounds", "index {}" (%i : index) formats ["index"] site 0 : i32
    gpux.check %p, "assert", "no" formats [] site 1 : i32
    gpu.return
  }
}

// -----

// What is printed is written where it stands, behind the quarter of the buffer that failed checks have;
// there is nothing to do at the end.

// CHECK-LABEL: spirv.func @__write_record(
// CHECK-NOT: spirv.func @__body
// CHECK-LABEL: spirv.func @print()
// CHECK: spirv.FunctionCall @__write_record(%[[SITE:.*]], %[[SIZE:.*]], %i, %{{[0-9]+}}, %[[PRINTS:[0-9]+]])
// CHECK: spirv.FunctionCall @__write_record(%{{.*}}, %{{.*}}, %[[C0:.*]], %[[C0]], %[[PRINTS]])
gpu.module @m {
  gpu.func @print() kernel {
    %i = gpu.thread_id x
    gpux.print "index {}" (%i : index) formats ["index"] site 0 : i32
    gpux.print "here" formats [] site 1 : i32
    gpu.return
  }
}

// -----

// Arrays of a block are variables; dynamic memory has the length that a constant gives.

// CHECK-LABEL: spirv.module
// CHECK: spirv.GlobalVariable @__shared_0 : !spirv.ptr<!spirv.array<64 x f32>, Workgroup>
// CHECK: spirv.SpecConstant @dynamic_bytes spec_id(4) = 0 : i32
// CHECK: spirv.SpecConstantExpression @dynamic_room = "IAdd"(@dynamic_bytes, 16 : i32) : i32
// CHECK: spirv.SpecConstantExpression @dynamic_length = "UDiv"(@dynamic_room, 4 : i32) : i32
// CHECK: spirv.GlobalVariable @__dynamic_shared : !spirv.ptr<!spirv.array<@dynamic_length x i32>, Workgroup>
// CHECK-LABEL: spirv.func @arrays()
// CHECK: spirv.Variable : !spirv.ptr<!spirv.array<4 x i32>, Function>
// CHECK: spirv.Store "Workgroup"
// CHECK: spirv.ControlBarrier <Workgroup>, <Workgroup>, <AcquireRelease|UniformMemory|WorkgroupMemory>
gpu.module @m {
  gpu.func @arrays(%v: f32, %w: i32) workgroup(%s : memref<64xf32, #gpu.address_space<workgroup>>) private(%p : memref<4xi32, #gpu.address_space<private>>) kernel {
    %t = gpu.thread_id x
    %c0 = arith.constant 0 : index
    memref.store %v, %s[%t] : memref<64xf32, #gpu.address_space<workgroup>>
    memref.store %w, %p[%c0] : memref<4xi32, #gpu.address_space<private>>
    gpu.barrier
    %d = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %n = memref.dim %d, %c0 : memref<?xi8, #gpu.address_space<workgroup>>
    %view = memref.view %d[%c0][%n] : memref<?xi8, #gpu.address_space<workgroup>> to memref<?xi32, #gpu.address_space<workgroup>>
    memref.store %w, %view[%t] : memref<?xi32, #gpu.address_space<workgroup>>
    gpu.return
  }
}

// -----

// What goes round a loop is arguments of the header, what leaves it goes through variables.

// CHECK-LABEL: spirv.func @loops()
// CHECK: spirv.mlir.loop {
// CHECK-NEXT: spirv.Branch ^[[HEADER:.*]](%{{.*}}, %a : i32, f32)
// CHECK-NEXT: ^[[HEADER]](%k: i32, %acc: f32):
// CHECK-NEXT: spirv.Store "Function" %[[RESULT:.*]], %acc : f32
// CHECK-NEXT: %[[IN:.*]] = spirv.SLessThan %k, %n : i32
// CHECK-NEXT: spirv.BranchConditional %[[IN]], ^[[BODY:.*]], ^[[MERGE:.*]]
// CHECK: ^[[BODY]]:
// CHECK: spirv.FAdd %acc, %acc {no_contraction}
// CHECK: %[[LEFT:.*]] = spirv.ISub %n, %k : i32
// CHECK: %[[MORE:.*]] = spirv.ULessThan %step, %[[LEFT]] : i32
// CHECK: spirv.Select %[[MORE]], %{{.*}}, %n : i1, i32
// CHECK: ^[[MERGE]]:
// CHECK-NEXT: spirv.mlir.merge
// CHECK: %sum = spirv.Load "Function" %[[RESULT]] : f32
gpu.module @m {
  gpu.func @loops(%n: index, %step: index, %a: f32, %x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %sum = scf.for %k = %c0 to %n step %step iter_args(%acc = %a) -> (f32) {
      %acc2 = arith.addf %acc, %acc : f32
      scf.yield %acc2 : f32
    }
    memref.store %sum, %x[%c0] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A while loop computes its condition in blocks of its own after the header.

// CHECK-LABEL: spirv.func @condition()
// CHECK: spirv.mlir.loop {
// CHECK-NEXT: spirv.Branch ^[[HEADER:.*]](%n : i32)
// CHECK-NEXT: ^[[HEADER]](%q: i32):
// CHECK-NEXT: spirv.Branch ^[[TEST:.*]]
// CHECK-NEXT: ^[[TEST]]:
// CHECK: spirv.BranchConditional %c, ^{{.*}}, ^{{.*}}
gpu.module @m {
  gpu.func @condition(%n: index, %x: memref<?xi32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %m = scf.while (%q = %n) : (index) -> index {
      %c = arith.cmpi sgt, %q, %c0 : index
      scf.condition(%c) %q : index
    } do {
    ^bb0(%q: index):
      %h = arith.subi %q, %c1 : index
      scf.yield %h : index
    }
    %w = arith.index_cast %m : index to i32
    memref.store %w, %x[%c0] : memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// A switch is one selection in the other.

// CHECK-LABEL: spirv.func @switch()
// CHECK: spirv.IEqual %n, %{{.*}} : i32
// CHECK: spirv.IEqual %n, %{{.*}} : i32
// CHECK: spirv.mlir.selection
// CHECK: spirv.mlir.selection
// CHECK: spirv.Load "Function"
gpu.module @m {
  gpu.func @switch(%n: index, %a: f32, %b: f32, %x: memref<?xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %v = scf.index_switch %n -> f32
    case 2 {
      scf.yield %a : f32
    }
    case 5 {
      scf.yield %b : f32
    }
    default {
      %s = arith.addf %a, %b : f32
      scf.yield %s : f32
    }
    memref.store %v, %x[%c0] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Numbers: a remainder from the quotient, an index that does not fit becomes the nearest one.

// CHECK-LABEL: spirv.func @numbers()
// CHECK: %[[Q:.*]] = spirv.SDiv %a, %c7 : i32
// CHECK: %[[B:.*]] = spirv.IMul %[[Q]], %c7 : i32
// CHECK: spirv.ISub %a, %[[B]] : i32
// CHECK: spirv.SLessThan %w, %{{.*}} : i64
// CHECK: spirv.SGreaterThan %{{.*}}, %{{.*}} : i64
// CHECK: spirv.SConvert %{{.*}} : i64 to i32
// CHECK: spirv.ConvertFToS
// CHECK: spirv.FMul %f, %f : f32
gpu.module @m {
  gpu.func @numbers(%a: i32, %w: i64, %f: f32, %x: memref<?xi32, #gpu.address_space<global>>, %y: memref<?xf32, #gpu.address_space<global>>) kernel {
    %c7 = arith.constant 7 : i32
    %r = arith.remsi %a, %c7 : i32
    %i = arith.index_cast %w : i64 to index
    %n = arith.fptosi %f : f32 to i32
    %g = arith.mulf %f, %f fastmath<contract> : f32
    %sum = arith.addi %r, %n : i32
    memref.store %sum, %x[%i] : memref<?xi32, #gpu.address_space<global>>
    memref.store %g, %y[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Atomics have scope and order; a sequentially consistent one stands behind a barrier of memory.

// CHECK-LABEL: spirv.func @atomics()
// CHECK: spirv.AtomicSMin <Device> <None>
// CHECK: spirv.MemoryBarrier <Device>, <AcquireRelease|UniformMemory>
// CHECK-NEXT: spirv.AtomicExchange <Device> <AcquireRelease|UniformMemory>
// CHECK: spirv.AtomicCompareExchange <Workgroup> <Release|UniformMemory> <None>
gpu.module @m {
  gpu.func @atomics(%v: i32, %i: index, %x: memref<?xi32, #gpu.address_space<global>>) kernel {
    %0 = gpux.atomic_rmw "mins" %v, %x[%i] order "relaxed" scope "device" : i32, memref<?xi32, #gpu.address_space<global>>
    %1 = gpux.atomic_rmw "exchange" %v, %x[%i] order "seq_cst" scope "device" : i32, memref<?xi32, #gpu.address_space<global>>
    %2 = gpux.atomic_cas %v, %0, %x[%i] order "release" scope "block" : i32, memref<?xi32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

// Vectors: lanes at known and unknown places, a selection by one condition, accesses of a buffer.

// CHECK-LABEL: spirv.func @vectors()
// CHECK-DAG: %[[ZERO:.*]] = spirv.Constant dense<0> : vector<2xi32>
// CHECK: %[[P:.*]] = spirv.AccessChain %x
// CHECK: %[[Q:.*]] = spirv.Bitcast %[[P]] : !spirv.ptr<i32, PhysicalStorageBuffer> to !spirv.ptr<vector<2xi32>, PhysicalStorageBuffer>
// CHECK: %[[V:.*]] = spirv.Load "PhysicalStorageBuffer" %[[Q]] ["Aligned", 4] : vector<2xi32>
// CHECK: %[[LESS:.*]] = spirv.SLessThan %[[V]], %{{.*}} : vector<2xi32>
// CHECK: spirv.Select %[[LESS]]
// CHECK: %[[BOTH:.*]] = spirv.CompositeConstruct %c, %c : (i1, i1) -> vector<2xi1>
// CHECK: spirv.Select %[[BOTH]]
// CHECK: spirv.VectorExtractDynamic %{{.*}}[%i] : vector<2xi32>, i32
// CHECK: spirv.CompositeExtract %{{.*}}[1 : i32] : vector<2xi32>
// CHECK: spirv.VectorInsertDynamic %{{.*}}, %{{.*}}[%i] : vector<2xi32>, i32
// CHECK: spirv.CompositeInsert %{{.*}}, %{{.*}}[0 : i32] : i32 into vector<2xi32>
// CHECK: spirv.VectorShuffle [0 : i32, 3 : i32]
// CHECK: spirv.Store "PhysicalStorageBuffer" %{{.*}}, %{{.*}} ["Aligned", 4] : vector<2xi32>
gpu.module @m {
  gpu.func @vectors(%x: memref<?xi32, #gpu.address_space<global>>, %i: index, %c: i1) kernel {
    %zero = arith.constant dense<0> : vector<2xi32>
    %v = vector.load %x[%i] : memref<?xi32, #gpu.address_space<global>>, vector<2xi32>
    %m = arith.maxsi %v, %zero : vector<2xi32>
    %n = math.absi %v : vector<2xi32>
    %s = arith.select %c, %m, %n : vector<2xi32>
    %e = vector.extract %s[%i] : i32 from vector<2xi32>
    %f = vector.extract %s[1] : i32 from vector<2xi32>
    %t = vector.insert %e, %s [%i] : i32 into vector<2xi32>
    %u = vector.insert %f, %t [0] : i32 into vector<2xi32>
    %w = vector.shuffle %u, %v [0, 3] : vector<2xi32>, vector<2xi32>
    vector.store %w, %x[%i] : memref<?xi32, #gpu.address_space<global>>, vector<2xi32>
    gpu.return
  }
}

// -----

gpu.module @m {
  gpu.func @f(%v: f32, %i: index, %x: memref<?xf32, #gpu.address_space<global>>) kernel {
    // expected-error@+1 {{an atomic add of f32 has no instruction on this device}}
    %0 = gpux.atomic_rmw "add" %v, %x[%i] order "relaxed" scope "device" : f32, memref<?xf32, #gpu.address_space<global>>
    // expected-error@+1 {{a reduction or scan of a subgroup needs subgroup_arithmetic}}
    %1 = gpu.subgroup_reduce add %v : (f32) -> f32
    // expected-error@+1 {{math.exp of f32 has no exact instruction on this target}}
    %2 = math.exp %v : f32
    gpu.return
  }
}
