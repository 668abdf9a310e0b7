// RUN: stepwell opt %s --split-input-file --verify-diagnostics | filecheck %s

// Modules, variables, constants, memory, composites, control flow. The syntax is upstream's as of
// LLVM 19 where the op exists there.

// CHECK: spirv.module @all PhysicalStorageBuffer64 Vulkan requires #spirv.vce<v1.6, [Shader, Int64], [SPV_KHR_vulkan_memory_model]> attributes {spirv.target_env = #spirv.target_env<#spirv.vce<v1.6, [Shader], []>, api=Vulkan, NVIDIA:DiscreteGPU, #spirv.resource_limits<subgroup_size = 32>>} {
spirv.module @all PhysicalStorageBuffer64 Vulkan requires #spirv.vce<v1.6, [Shader, Int64], [SPV_KHR_vulkan_memory_model]> attributes {spirv.target_env = #spirv.target_env<#spirv.vce<v1.6, [Shader], []>, api=Vulkan, NVIDIA:DiscreteGPU, #spirv.resource_limits<subgroup_size = 32>>} {
  // CHECK: spirv.SpecConstant @x spec_id(0) = 8 : i32
  spirv.SpecConstant @x spec_id(0) = 8 : i32
  // CHECK: spirv.SpecConstant @on = true
  spirv.SpecConstant @on = true
  // CHECK: spirv.SpecConstantComposite @size (@x, @x) {built_in = "WorkgroupSize"} : vector<2xi32>
  spirv.SpecConstantComposite @size (@x, @x) {built_in = "WorkgroupSize"} : vector<2xi32>
  // CHECK: spirv.SpecConstantExpression @words = "UDiv"(@x, 4 : i32) : i32
  spirv.SpecConstantExpression @words = "UDiv"(@x, 4 : i32) : i32
  // CHECK: spirv.GlobalVariable @shared : !spirv.ptr<!spirv.array<@words x i32>, Workgroup>
  spirv.GlobalVariable @shared : !spirv.ptr<!spirv.array<@words x i32>, Workgroup>
  // CHECK: spirv.GlobalVariable @start initializer(@x) : !spirv.ptr<i32, Private>
  spirv.GlobalVariable @start initializer(@x) : !spirv.ptr<i32, Private>
  // CHECK: spirv.GlobalVariable @buffer bind(0, 1) {aliased, coherent} : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0, NonWritable])>, StorageBuffer>
  spirv.GlobalVariable @buffer bind(0, 1) {coherent, aliased} : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0, NonWritable])>, StorageBuffer>
  // CHECK: spirv.GlobalVariable @scene : !spirv.ptr<!spirv.struct<(!spirv.matrix<4 x vector<4xf32>> [0, ColMajor, MatrixStride=16], !spirv.array<4 x f32, stride=16> [64])>, PushConstant>
  spirv.GlobalVariable @scene : !spirv.ptr<!spirv.struct<(!spirv.matrix<4 x vector<4xf32>> [0, ColMajor, MatrixStride=16], !spirv.array<4xf32, stride=16> [64])>, PushConstant>
  // CHECK: spirv.GlobalVariable @list : !spirv.ptr<!spirv.struct<Node, (!spirv.ptr<!spirv.struct<Node>, PhysicalStorageBuffer> [0], i32 [8]), Block>, Private>
  spirv.GlobalVariable @list : !spirv.ptr<!spirv.struct<Node, (!spirv.ptr<!spirv.struct<Node>, PhysicalStorageBuffer> [0], i32 [8]), Block>, Private>
  // CHECK: spirv.GlobalVariable @id built_in("GlobalInvocationId") : !spirv.ptr<vector<3xi32>, Input>
  spirv.GlobalVariable @id built_in("GlobalInvocationId") : !spirv.ptr<vector<3xi32>, Input>
  // CHECK: spirv.func @given(i32) -> f32 "None" attributes {linkage_attributes = #spirv.linkage_attributes<linkage_name = "given", linkage_type = <Import>>}
  spirv.func @given(i32) -> f32 "None" attributes {linkage_attributes = #spirv.linkage_attributes<linkage_name = "given", linkage_type = <Import>>}
  // CHECK: spirv.func @main() "None" {
  spirv.func @main() "None" {
    spirv.Return
  }
  // CHECK: spirv.EntryPoint "GLCompute" @main, @id
  spirv.EntryPoint "GLCompute" @main, @id
  // CHECK: spirv.ExecutionMode @main "LocalSize", 8, 4, 1
  spirv.ExecutionMode @main "LocalSize", 8, 4, 1
  // CHECK: spirv.ExecutionModeId @main "LocalSizeId", @x, @x, @x
  spirv.ExecutionModeId @main "LocalSizeId", @x, @x, @x

  // CHECK-LABEL: spirv.func @values
  spirv.func @values(%v: vector<4xf32>, %f: f32, %i: i32) "Inline|Pure" {
    // CHECK: spirv.Constant dense<[1, 2]> : vector<2xi32>
    %0 = spirv.Constant dense<[1, 2]> : vector<2xi32>
    // CHECK: spirv.Constant dense<{{\[\[}}1, 2], [3, 4]]> : tensor<2x2xi32> : !spirv.array<2 x !spirv.array<2 x i32, stride=4>, stride=8>
    %1 = spirv.Constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi32> : !spirv.array<2 x !spirv.array<2 x i32, stride=4>, stride=8>
    // CHECK: spirv.Constant [1 : i32, 2.000000e+00 : f32] : !spirv.struct<(i32, f32)>
    %2 = spirv.Constant [1 : i32, 2.0 : f32] : !spirv.struct<(i32, f32)>
    // CHECK: spirv.Constant true
    %3 = spirv.Constant true
    // CHECK: spirv.Undef : vector<2xf32>
    %4 = spirv.Undef : vector<2xf32>
    // CHECK: spirv.mlir.referenceof @x : i32
    %5 = spirv.mlir.referenceof @x : i32
    // CHECK: spirv.SpecConstantOperation wraps "spirv.IAdd"(%{{.*}}, %{{.*}}) : (i32, i32) -> i32
    %6 = spirv.SpecConstantOperation wraps "spirv.IAdd"(%5, %5) : (i32, i32) -> i32
    // CHECK: spirv.CompositeConstruct %f, %f : (f32, f32) -> vector<2xf32>
    %7 = spirv.CompositeConstruct %f, %f : (f32, f32) -> vector<2xf32>
    // CHECK: spirv.CompositeExtract %v[2 : i32] : vector<4xf32>
    %8 = spirv.CompositeExtract %v[2 : i32] : vector<4xf32>
    // CHECK: spirv.CompositeInsert %f, %v[2 : i32] : f32 into vector<4xf32>
    %9 = spirv.CompositeInsert %f, %v[2 : i32] : f32 into vector<4xf32>
    // CHECK: spirv.VectorShuffle [3 : i32, 4 : i32, -1 : i32] %v, %v : vector<4xf32>, vector<4xf32> -> vector<3xf32>
    %10 = spirv.VectorShuffle [3 : i32, 4 : i32, -1 : i32] %v, %v : vector<4xf32>, vector<4xf32> -> vector<3xf32>
    // CHECK: spirv.FMul %f, %f {no_contraction} : f32
    %11 = spirv.FMul %f, %f {no_contraction} : f32
    // CHECK: spirv.FunctionCall @given(%i) : (i32) -> f32
    %12 = spirv.FunctionCall @given(%i) : (i32) -> f32
    spirv.Return
  }

  // CHECK-LABEL: spirv.func @memory
  spirv.func @memory(%i: i32, %f: f32, %p: !spirv.ptr<f32, PhysicalStorageBuffer> {spirv.decoration = #spirv.decoration<Aliased>}) "None" {
    %c0 = spirv.Constant 0 : i32
    %cf = spirv.Constant 0.0 : f32
    // CHECK: spirv.mlir.addressof @buffer : !spirv.ptr
    %b = spirv.mlir.addressof @buffer : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0, NonWritable])>, StorageBuffer>
    // CHECK: spirv.AccessChain %b[%c0, %i] : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0, NonWritable])>, StorageBuffer>, i32, i32
    %e = spirv.AccessChain %b[%c0, %i] : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0, NonWritable])>, StorageBuffer>, i32, i32
    // CHECK: spirv.PtrAccessChain %p[%i] : !spirv.ptr<f32, PhysicalStorageBuffer>, i32
    %q = spirv.PtrAccessChain %p[%i] : !spirv.ptr<f32, PhysicalStorageBuffer>, i32
    // CHECK: spirv.ArrayLength %b[0] : !spirv.ptr<{{.*}}, StorageBuffer> -> i32
    %n = spirv.ArrayLength %b[0] : !spirv.ptr<!spirv.struct<(!spirv.rtarray<f32, stride=4> [0, NonWritable])>, StorageBuffer> -> i32
    // CHECK: spirv.Variable : !spirv.ptr<f32, Function>
    %v = spirv.Variable : !spirv.ptr<f32, Function>
    // CHECK: spirv.Variable init(%cf) : !spirv.ptr<f32, Function>
    %w = spirv.Variable init(%cf) : !spirv.ptr<f32, Function>
    // CHECK: spirv.Load "StorageBuffer" %e : f32
    %0 = spirv.Load "StorageBuffer" %e : f32
    // CHECK: spirv.Load "PhysicalStorageBuffer" %q ["Volatile|Aligned", 4] : f32
    %1 = spirv.Load "PhysicalStorageBuffer" %q ["Aligned|Volatile", 4] : f32
    // CHECK: spirv.Store "PhysicalStorageBuffer" %q, %f ["Aligned|MakePointerAvailable|NonPrivatePointer", 4] {scope = #spirv.scope<Device>} : f32
    spirv.Store "PhysicalStorageBuffer" %q, %f ["Aligned|MakePointerAvailable|NonPrivatePointer", 4] {scope = #spirv.scope<Device>} : f32
    // CHECK: spirv.CopyMemory "Function" %v, "Function" %w ["Aligned", 4], ["Volatile"] : f32
    spirv.CopyMemory "Function" %v, "Function" %w ["Aligned", 4], ["Volatile"] : f32
    spirv.Return
  }

  // CHECK-LABEL: spirv.func @matrices
  spirv.func @matrices(%p: !spirv.ptr<f32, StorageBuffer>, %n: i32) "None" {
    // CHECK: spirv.KHR.CooperativeMatrixLoad %p, %n, <RowMajor>, <Aligned>, 16 : !spirv.ptr<f32, StorageBuffer>, i32 -> !spirv.coopmatrix<8x16xf32, Subgroup, MatrixA>
    %a = spirv.KHR.CooperativeMatrixLoad %p, %n, <RowMajor>, <Aligned>, 16 : !spirv.ptr<f32, StorageBuffer>, i32 -> !spirv.coopmatrix<8x16xf32, Subgroup, MatrixA>
    // CHECK: spirv.KHR.CooperativeMatrixStore %p, %a, %n, <ColumnMajor> : !spirv.ptr<f32, StorageBuffer>, !spirv.coopmatrix<8x16xf32, Subgroup, MatrixA>, i32
    spirv.KHR.CooperativeMatrixStore %p, %a, %n, <ColumnMajor> : !spirv.ptr<f32, StorageBuffer>, !spirv.coopmatrix<8x16xf32, Subgroup, MatrixA>, i32
    // CHECK: spirv.KHR.CooperativeMatrixLength : !spirv.coopmatrix<8x16xf32, Subgroup, MatrixA>
    %l = spirv.KHR.CooperativeMatrixLength : !spirv.coopmatrix<8x16xf32, Subgroup, MatrixA>
    // CHECK: spirv.FAdd %a, %a : !spirv.coopmatrix<8x16xf32, Subgroup, MatrixA>
    %s = spirv.FAdd %a, %a : !spirv.coopmatrix<8x16xf32, Subgroup, MatrixA>
    spirv.Return
  }

  // CHECK-LABEL: spirv.func @control
  spirv.func @control(%c: i1, %i: i32) -> i32 "None" {
    // CHECK: spirv.mlir.selection control(Flatten) -> i32 {
    // CHECK:   spirv.BranchConditional %c [5, 1], ^then, ^merge(%i : i32)
    %r = spirv.mlir.selection control(Flatten) -> i32 {
      spirv.BranchConditional %c [5, 1], ^then, ^merge(%i : i32)
    ^then:
      spirv.Branch ^merge(%i : i32)
    ^merge(%x: i32):
      // CHECK: spirv.mlir.merge %{{.*}} : i32
      spirv.mlir.merge %x : i32
    }
    // CHECK: spirv.mlir.loop control(Unroll) {
    spirv.mlir.loop control(Unroll) {
      spirv.Branch ^header(%i : i32)
    ^header(%k: i32):
      spirv.BranchConditional %c, ^body, ^merge
    ^body:
      spirv.mlir.selection {
        // CHECK: spirv.Switch %{{.*}} : i32, [default: ^{{.*}}, 0: ^{{.*}}, -1: ^{{.*}}]
        spirv.Switch %k : i32, [default: ^merge, 0: ^zero, -1: ^ones]
      ^zero:
        // CHECK: spirv.mlir.break
        spirv.mlir.break
      ^ones:
        spirv.mlir.selection {
          spirv.BranchConditional %c, ^t, ^merge
        ^t:
          // CHECK: spirv.mlir.leave
          spirv.mlir.leave
        ^merge:
          spirv.mlir.merge
        }
        // CHECK: spirv.mlir.continue
        spirv.mlir.continue
      ^merge:
        spirv.mlir.merge
      }
      spirv.Branch ^continue
    ^continue:
      spirv.Branch ^header(%k : i32)
    ^merge:
      spirv.mlir.merge
    }
    // CHECK: spirv.ReturnValue %r : i32
    spirv.ReturnValue %r : i32
  }
}
