// RUN: stepwell opt %s --split-input-file --verify-diagnostics

spirv.func @types(%i: i32, %j: i64) "None" {
  // expected-error @+1 {{spirv.IAdd: operand 1: expected i32, got i64}}
  %0 = "spirv.IAdd"(%i, %j) : (i32, i64) -> i32
  spirv.Return
}

// -----

spirv.func @classes(%i: i32) "None" {
  // expected-error @+1 {{spirv.FAdd: operand 0: expected a float or a vector of floats, got i32}}
  %0 = spirv.FAdd %i, %i : i32
  spirv.Return
}

// -----

spirv.func @shapes(%v: vector<4xf32>) "None" {
  // expected-error @+1 {{expected as many elements as vector<4xf32> has, got vector<3xi32>}}
  %0 = spirv.ConvertFToS %v : vector<4xf32> to vector<3xi32>
  spirv.Return
}

// -----

spirv.func @index(%v: index) "None" {
  // expected-error @-1 {{spirv.func: expected a type of the spirv dialect, got index}}
  spirv.Return
}

// -----

// expected-error @+1 {{expected a vector of 2, 3, 4, 8 or 16 numbers or booleans, got vector<5xf32>}}
spirv.GlobalVariable @v : !spirv.ptr<vector<5xf32>, Private>

// -----

// expected-error @+1 {{'Nowhere' is not a StorageClass of SPIR-V}}
spirv.GlobalVariable @v : !spirv.ptr<f32, Nowhere>

// -----

// expected-error @+1 {{expected an offset for every member or for none}}
spirv.GlobalVariable @v : !spirv.ptr<!spirv.struct<(f32 [0], f32)>, Private>

// -----

// expected-error @+1 {{a variable of a module cannot be of class Function}}
spirv.GlobalVariable @v : !spirv.ptr<f32, Function>

// -----

spirv.func @scope(%p: !spirv.ptr<i32, StorageBuffer>) "None" {
  // expected-error @+1 {{'Planet' is not a Scope of SPIR-V}}
  %0 = spirv.AtomicIIncrement <Planet> <None> %p : !spirv.ptr<i32, StorageBuffer>
  spirv.Return
}

// -----

spirv.func @alignment(%p: !spirv.ptr<f32, StorageBuffer>) "None" {
  // expected-error @+1 {{expected an alignment for an Aligned access, and only for one}}
  %0 = spirv.Load "StorageBuffer" %p ["Aligned"] : f32
  spirv.Return
}

// -----

spirv.func @member(%p: !spirv.ptr<!spirv.struct<(f32, i32)>, Function>, %i: i32) "None" {
  // expected-error @+1 {{a member of a struct needs an index that is a constant}}
  %0 = spirv.AccessChain %p[%i] : !spirv.ptr<!spirv.struct<(f32, i32)>, Function>, i32
  spirv.Return
}

// -----

spirv.func @part(%v: vector<2xf32>) "None" {
  // expected-error @+1 {{index 2 is out of range of vector<2xf32>}}
  %0 = spirv.CompositeExtract %v[2 : i32] : vector<2xf32>
  spirv.Return
}

// -----

spirv.func @constant() "None" {
  // expected-error @+1 {{spirv.Constant: expected 2 values, got 1}}
  %0 = spirv.Constant [1 : i32] : !spirv.array<2 x i32>
  spirv.Return
}

// -----

spirv.func @returns() -> i32 "None" {
  // expected-error @+1 {{spirv.Return: expected spirv.ReturnValue: the function returns}}
  spirv.Return
}

// -----

spirv.func @merges(%c: i1) "None" {
  // expected-error @+1 {{expected the last block to hold a spirv.mlir.merge and no more}}
  spirv.mlir.selection {
    spirv.BranchConditional %c, ^a, ^b
  ^a:
    spirv.Branch ^b
  ^b:
    spirv.Return
  }
  spirv.Return
}

// -----

spirv.func @loops(%c: i1) "None" {
  // expected-error @+1 {{expected the last but one block to branch back to the header}}
  spirv.mlir.loop {
    spirv.Branch ^header
  ^header:
    spirv.BranchConditional %c, ^continue, ^merge
  ^continue:
    spirv.Branch ^merge
  ^merge:
    spirv.mlir.merge
  }
  spirv.Return
}

// -----

spirv.func @breaks() "None" {
  // expected-error @+1 {{spirv.mlir.break: expected to stand in a loop}}
  spirv.mlir.break
}

// -----

spirv.module Logical GLSL450 {
  spirv.func @main() "None" {
    // expected-error @+1 {{there is no such symbol here: @nothing}}
    %0 = spirv.mlir.addressof @nothing : !spirv.ptr<f32, Private>
    spirv.Return
  }
  // expected-error @+1 {{there is no function @start}}
  spirv.EntryPoint "GLCompute" @start
}

// -----

spirv.module Logical GLSL450 {
  // expected-error @+1 {{cannot compute 'Sin', expected one of}}
  spirv.SpecConstantExpression @x = "Sin"(1.0 : f32) : f32
}

// -----

spirv.func @reductions(%v: i32) "None" {
  // expected-error @+1 {{expected a property 'group_operation'}}
  %0 = "spirv.GroupNonUniformIAdd"(%v) <{execution_scope = #spirv.scope<Subgroup>}> : (i32) -> i32
  spirv.Return
}

// -----

spirv.func @segments(%c: i1) "None" {
  // expected-error @+1 {{expected operandSegmentSizes that say which operands each successor gets}}
  "spirv.BranchConditional"(%c)[^bb1, ^bb1] : (i1) -> ()
^bb1:
  spirv.Return
}
