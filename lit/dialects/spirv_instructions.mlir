// RUN: stepwell opt %s --verify-diagnostics | filecheck %s

// Each op that is one instruction, in the order of the tables. The syntax is upstream's as of LLVM
// 19 where the op exists there.

spirv.module PhysicalStorageBuffer64 GLSL450 {
  // CHECK-LABEL: spirv.func @ops(
  spirv.func @ops(%i: i32, %i2: vector<2xi32>, %i4: vector<4xi32>, %l: i64, %f: f32, %f2: vector<2xf32>, %f3: vector<3xf32>, %f4: vector<4xf32>, %d: f64, %b: i1, %b4: vector<4xi1>, %m: !spirv.matrix<4 x vector<4xf32>>, %s: !spirv.struct<(i32 [0])>, %pi: !spirv.ptr<i32, StorageBuffer>, %pf: !spirv.ptr<f32, StorageBuffer>, %pa: !spirv.ptr<i32, PhysicalStorageBuffer> {spirv.decoration = #spirv.decoration<Aliased>}, %pw: !spirv.ptr<i32, Workgroup>, %pg: !spirv.ptr<i32, Generic>, %ca: !spirv.coopmatrix<8x8xf16, Subgroup, MatrixA>, %cb: !spirv.coopmatrix<8x8xf16, Subgroup, MatrixB>, %cc: !spirv.coopmatrix<8x8xf32, Subgroup, MatrixAcc>) "None" {
    %c1 = spirv.Constant 1 : i32
    // CHECK: spirv.IAdd %i, %i : i32
    %0 = spirv.IAdd %i, %i : i32
    // CHECK: spirv.ISub %i, %i : i32
    %1 = spirv.ISub %i, %i : i32
    // CHECK: spirv.IMul %i, %i : i32
    %2 = spirv.IMul %i, %i : i32
    // CHECK: spirv.SDiv %i, %i : i32
    %3 = spirv.SDiv %i, %i : i32
    // CHECK: spirv.UDiv %i, %i : i32
    %4 = spirv.UDiv %i, %i : i32
    // CHECK: spirv.SRem %i, %i : i32
    %5 = spirv.SRem %i, %i : i32
    // CHECK: spirv.SMod %i, %i : i32
    %6 = spirv.SMod %i, %i : i32
    // CHECK: spirv.UMod %i, %i : i32
    %7 = spirv.UMod %i, %i : i32
    // CHECK: spirv.BitwiseAnd %i, %i : i32
    %8 = spirv.BitwiseAnd %i, %i : i32
    // CHECK: spirv.BitwiseOr %i, %i : i32
    %9 = spirv.BitwiseOr %i, %i : i32
    // CHECK: spirv.BitwiseXor %i, %i : i32
    %10 = spirv.BitwiseXor %i, %i : i32
    // CHECK: spirv.SNegate %i : i32
    %11 = spirv.SNegate %i : i32
    // CHECK: spirv.Not %i : i32
    %12 = spirv.Not %i : i32
    // CHECK: spirv.BitCount %i : i32
    %13 = spirv.BitCount %i : i32
    // CHECK: spirv.BitReverse %i : i32
    %14 = spirv.BitReverse %i : i32
    // CHECK: spirv.IAddCarry %i, %i : !spirv.struct<(i32, i32)>
    %15 = spirv.IAddCarry %i, %i : !spirv.struct<(i32, i32)>
    // CHECK: spirv.ISubBorrow %i, %i : !spirv.struct<(i32, i32)>
    %16 = spirv.ISubBorrow %i, %i : !spirv.struct<(i32, i32)>
    // CHECK: spirv.SMulExtended %i, %i : !spirv.struct<(i32, i32)>
    %17 = spirv.SMulExtended %i, %i : !spirv.struct<(i32, i32)>
    // CHECK: spirv.UMulExtended %i, %i : !spirv.struct<(i32, i32)>
    %18 = spirv.UMulExtended %i, %i : !spirv.struct<(i32, i32)>
    // CHECK: spirv.ShiftLeftLogical %i, %i : i32, i32
    %19 = spirv.ShiftLeftLogical %i, %i : i32, i32
    // CHECK: spirv.ShiftRightArithmetic %i, %i : i32, i32
    %20 = spirv.ShiftRightArithmetic %i, %i : i32, i32
    // CHECK: spirv.ShiftRightLogical %i, %i : i32, i32
    %21 = spirv.ShiftRightLogical %i, %i : i32, i32
    // CHECK: spirv.BitFieldSExtract %i, %i, %i : i32, i32, i32
    %22 = spirv.BitFieldSExtract %i, %i, %i : i32, i32, i32
    // CHECK: spirv.BitFieldUExtract %i, %i, %i : i32, i32, i32
    %23 = spirv.BitFieldUExtract %i, %i, %i : i32, i32, i32
    // CHECK: spirv.BitFieldInsert %i, %i, %i, %i : i32, i32, i32
    %24 = spirv.BitFieldInsert %i, %i, %i, %i : i32, i32, i32
    // CHECK: spirv.FAdd %f, %f : f32
    %25 = spirv.FAdd %f, %f : f32
    // CHECK: spirv.FSub %f, %f : f32
    %26 = spirv.FSub %f, %f : f32
    // CHECK: spirv.FMul %f, %f : f32
    %27 = spirv.FMul %f, %f : f32
    // CHECK: spirv.FDiv %f, %f : f32
    %28 = spirv.FDiv %f, %f : f32
    // CHECK: spirv.FRem %f, %f : f32
    %29 = spirv.FRem %f, %f : f32
    // CHECK: spirv.FMod %f, %f : f32
    %30 = spirv.FMod %f, %f : f32
    // CHECK: spirv.FNegate %f : f32
    %31 = spirv.FNegate %f : f32
    // CHECK: spirv.Dot %f4, %f4 : vector<4xf32> -> f32
    %32 = spirv.Dot %f4, %f4 : vector<4xf32> -> f32
    // CHECK: spirv.VectorTimesScalar %f4, %f : (vector<4xf32>, f32) -> vector<4xf32>
    %33 = spirv.VectorTimesScalar %f4, %f : (vector<4xf32>, f32) -> vector<4xf32>
    // CHECK: spirv.SGreaterThan %i, %i : i32
    %34 = spirv.SGreaterThan %i, %i : i32
    // CHECK: spirv.SGreaterThanEqual %i, %i : i32
    %35 = spirv.SGreaterThanEqual %i, %i : i32
    // CHECK: spirv.SLessThan %i, %i : i32
    %36 = spirv.SLessThan %i, %i : i32
    // CHECK: spirv.SLessThanEqual %i, %i : i32
    %37 = spirv.SLessThanEqual %i, %i : i32
    // CHECK: spirv.UGreaterThan %i, %i : i32
    %38 = spirv.UGreaterThan %i, %i : i32
    // CHECK: spirv.UGreaterThanEqual %i, %i : i32
    %39 = spirv.UGreaterThanEqual %i, %i : i32
    // CHECK: spirv.ULessThan %i, %i : i32
    %40 = spirv.ULessThan %i, %i : i32
    // CHECK: spirv.ULessThanEqual %i, %i : i32
    %41 = spirv.ULessThanEqual %i, %i : i32
    // CHECK: spirv.IEqual %i, %i : i32
    %42 = spirv.IEqual %i, %i : i32
    // CHECK: spirv.INotEqual %i, %i : i32
    %43 = spirv.INotEqual %i, %i : i32
    // CHECK: spirv.FOrdEqual %f, %f : f32
    %44 = spirv.FOrdEqual %f, %f : f32
    // CHECK: spirv.FOrdNotEqual %f, %f : f32
    %45 = spirv.FOrdNotEqual %f, %f : f32
    // CHECK: spirv.FOrdLessThan %f, %f : f32
    %46 = spirv.FOrdLessThan %f, %f : f32
    // CHECK: spirv.FOrdGreaterThan %f, %f : f32
    %47 = spirv.FOrdGreaterThan %f, %f : f32
    // CHECK: spirv.FOrdLessThanEqual %f, %f : f32
    %48 = spirv.FOrdLessThanEqual %f, %f : f32
    // CHECK: spirv.FOrdGreaterThanEqual %f, %f : f32
    %49 = spirv.FOrdGreaterThanEqual %f, %f : f32
    // CHECK: spirv.FUnordEqual %f, %f : f32
    %50 = spirv.FUnordEqual %f, %f : f32
    // CHECK: spirv.FUnordNotEqual %f, %f : f32
    %51 = spirv.FUnordNotEqual %f, %f : f32
    // CHECK: spirv.FUnordLessThan %f, %f : f32
    %52 = spirv.FUnordLessThan %f, %f : f32
    // CHECK: spirv.FUnordGreaterThan %f, %f : f32
    %53 = spirv.FUnordGreaterThan %f, %f : f32
    // CHECK: spirv.FUnordLessThanEqual %f, %f : f32
    %54 = spirv.FUnordLessThanEqual %f, %f : f32
    // CHECK: spirv.FUnordGreaterThanEqual %f, %f : f32
    %55 = spirv.FUnordGreaterThanEqual %f, %f : f32
    // CHECK: spirv.Ordered %f, %f : f32
    %56 = spirv.Ordered %f, %f : f32
    // CHECK: spirv.Unordered %f, %f : f32
    %57 = spirv.Unordered %f, %f : f32
    // CHECK: spirv.IsNan %f : f32
    %58 = spirv.IsNan %f : f32
    // CHECK: spirv.IsInf %f : f32
    %59 = spirv.IsInf %f : f32
    // CHECK: spirv.LogicalAnd %b, %b : i1
    %60 = spirv.LogicalAnd %b, %b : i1
    // CHECK: spirv.LogicalOr %b, %b : i1
    %61 = spirv.LogicalOr %b, %b : i1
    // CHECK: spirv.LogicalEqual %b, %b : i1
    %62 = spirv.LogicalEqual %b, %b : i1
    // CHECK: spirv.LogicalNotEqual %b, %b : i1
    %63 = spirv.LogicalNotEqual %b, %b : i1
    // CHECK: spirv.LogicalNot %b : i1
    %64 = spirv.LogicalNot %b : i1
    // CHECK: spirv.Any %b4 : vector<4xi1>
    %65 = spirv.Any %b4 : vector<4xi1>
    // CHECK: spirv.All %b4 : vector<4xi1>
    %66 = spirv.All %b4 : vector<4xi1>
    // CHECK: spirv.Select %b, %i, %i : i1, i32
    %67 = spirv.Select %b, %i, %i : i1, i32
    // CHECK: spirv.ConvertFToS %f : f32 to i32
    %68 = spirv.ConvertFToS %f : f32 to i32
    // CHECK: spirv.ConvertFToU %f : f32 to i32
    %69 = spirv.ConvertFToU %f : f32 to i32
    // CHECK: spirv.ConvertSToF %i : i32 to f32
    %70 = spirv.ConvertSToF %i : i32 to f32
    // CHECK: spirv.ConvertUToF %i : i32 to f32
    %71 = spirv.ConvertUToF %i : i32 to f32
    // CHECK: spirv.SConvert %i : i32 to i64
    %72 = spirv.SConvert %i : i32 to i64
    // CHECK: spirv.UConvert %i : i32 to i64
    %73 = spirv.UConvert %i : i32 to i64
    // CHECK: spirv.FConvert %f : f32 to f64
    %74 = spirv.FConvert %f : f32 to f64
    // CHECK: spirv.QuantizeToF16 %f : f32
    %75 = spirv.QuantizeToF16 %f : f32
    // CHECK: spirv.Bitcast %i : i32 to f32
    %76 = spirv.Bitcast %i : i32 to f32
    // CHECK: spirv.ConvertPtrToU %pa : !spirv.ptr<i32, PhysicalStorageBuffer> to i64
    %77 = spirv.ConvertPtrToU %pa : !spirv.ptr<i32, PhysicalStorageBuffer> to i64
    // CHECK: spirv.ConvertUToPtr %l : i64 to !spirv.ptr<i32, PhysicalStorageBuffer>
    %78 = spirv.ConvertUToPtr %l : i64 to !spirv.ptr<i32, PhysicalStorageBuffer>
    // CHECK: spirv.PtrCastToGeneric %pw : !spirv.ptr<i32, Workgroup> to !spirv.ptr<i32, Generic>
    %79 = spirv.PtrCastToGeneric %pw : !spirv.ptr<i32, Workgroup> to !spirv.ptr<i32, Generic>
    // CHECK: spirv.GenericCastToPtr %pg : !spirv.ptr<i32, Generic> to !spirv.ptr<i32, Workgroup>
    %80 = spirv.GenericCastToPtr %pg : !spirv.ptr<i32, Generic> to !spirv.ptr<i32, Workgroup>
    // CHECK: spirv.VectorExtractDynamic %f4[%i] : vector<4xf32>, i32
    %81 = spirv.VectorExtractDynamic %f4[%i] : vector<4xf32>, i32
    // CHECK: spirv.VectorInsertDynamic %f, %f4[%i] : vector<4xf32>, i32
    %82 = spirv.VectorInsertDynamic %f, %f4[%i] : vector<4xf32>, i32
    // CHECK: spirv.Transpose %m : !spirv.matrix<4 x vector<4xf32>> -> !spirv.matrix<4 x vector<4xf32>>
    %83 = spirv.Transpose %m : !spirv.matrix<4 x vector<4xf32>> -> !spirv.matrix<4 x vector<4xf32>>
    // CHECK: spirv.MatrixTimesScalar %m, %f : !spirv.matrix<4 x vector<4xf32>>, f32
    %84 = spirv.MatrixTimesScalar %m, %f : !spirv.matrix<4 x vector<4xf32>>, f32
    // CHECK: spirv.MatrixTimesMatrix %m, %m : !spirv.matrix<4 x vector<4xf32>>, !spirv.matrix<4 x vector<4xf32>> -> !spirv.matrix<4 x vector<4xf32>>
    %85 = spirv.MatrixTimesMatrix %m, %m : !spirv.matrix<4 x vector<4xf32>>, !spirv.matrix<4 x vector<4xf32>> -> !spirv.matrix<4 x vector<4xf32>>
    // CHECK: spirv.MatrixTimesVector %m, %f4 : !spirv.matrix<4 x vector<4xf32>>, vector<4xf32> -> vector<4xf32>
    %86 = spirv.MatrixTimesVector %m, %f4 : !spirv.matrix<4 x vector<4xf32>>, vector<4xf32> -> vector<4xf32>
    // CHECK: spirv.VectorTimesMatrix %f4, %m : vector<4xf32>, !spirv.matrix<4 x vector<4xf32>> -> vector<4xf32>
    %87 = spirv.VectorTimesMatrix %f4, %m : vector<4xf32>, !spirv.matrix<4 x vector<4xf32>> -> vector<4xf32>
    // CHECK: spirv.CopyObject %i : i32
    %88 = spirv.CopyObject %i : i32
    // CHECK: spirv.CopyLogical %s : !spirv.struct<(i32 [0])> to !spirv.struct<(i32)>
    %89 = spirv.CopyLogical %s : !spirv.struct<(i32 [0])> to !spirv.struct<(i32)>
    // CHECK: spirv.AtomicExchange <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %90 = spirv.AtomicExchange <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicIAdd <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %91 = spirv.AtomicIAdd <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicISub <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %92 = spirv.AtomicISub <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicSMin <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %93 = spirv.AtomicSMin <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicSMax <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %94 = spirv.AtomicSMax <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicUMin <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %95 = spirv.AtomicUMin <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicUMax <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %96 = spirv.AtomicUMax <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicAnd <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %97 = spirv.AtomicAnd <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicOr <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %98 = spirv.AtomicOr <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicXor <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    %99 = spirv.AtomicXor <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.EXT.AtomicFAdd <Device> <None> %pf, %f : !spirv.ptr<f32, StorageBuffer>
    %100 = spirv.EXT.AtomicFAdd <Device> <None> %pf, %f : !spirv.ptr<f32, StorageBuffer>
    // CHECK: spirv.EXT.AtomicFMin <Device> <None> %pf, %f : !spirv.ptr<f32, StorageBuffer>
    %101 = spirv.EXT.AtomicFMin <Device> <None> %pf, %f : !spirv.ptr<f32, StorageBuffer>
    // CHECK: spirv.EXT.AtomicFMax <Device> <None> %pf, %f : !spirv.ptr<f32, StorageBuffer>
    %102 = spirv.EXT.AtomicFMax <Device> <None> %pf, %f : !spirv.ptr<f32, StorageBuffer>
    // CHECK: spirv.AtomicIIncrement <Device> <None> %pi : !spirv.ptr<i32, StorageBuffer>
    %103 = spirv.AtomicIIncrement <Device> <None> %pi : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicIDecrement <Device> <None> %pi : !spirv.ptr<i32, StorageBuffer>
    %104 = spirv.AtomicIDecrement <Device> <None> %pi : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicCompareExchange <Device> <AcquireRelease|UniformMemory> <Acquire|UniformMemory> %pi, %i, %i : !spirv.ptr<i32, StorageBuffer>
    %105 = spirv.AtomicCompareExchange <Device> <AcquireRelease|UniformMemory> <Acquire|UniformMemory> %pi, %i, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicCompareExchangeWeak <Device> <Acquire> <None> %pi, %i, %i : !spirv.ptr<i32, StorageBuffer>
    %106 = spirv.AtomicCompareExchangeWeak <Device> <Acquire> <None> %pi, %i, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicLoad <Device> <None> %pi : !spirv.ptr<i32, StorageBuffer>
    %107 = spirv.AtomicLoad <Device> <None> %pi : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.AtomicStore <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    spirv.AtomicStore <Device> <None> %pi, %i : !spirv.ptr<i32, StorageBuffer>
    // CHECK: spirv.ControlBarrier <Workgroup>, <Device>, <AcquireRelease|WorkgroupMemory>
    spirv.ControlBarrier <Workgroup>, <Device>, <AcquireRelease|WorkgroupMemory>
    // CHECK: spirv.MemoryBarrier <Device>, <AcquireRelease|WorkgroupMemory>
    spirv.MemoryBarrier <Device>, <AcquireRelease|WorkgroupMemory>
    // CHECK: spirv.GroupNonUniformIAdd "Subgroup" "InclusiveScan" %i : i32
    %108 = spirv.GroupNonUniformIAdd "Subgroup" "InclusiveScan" %i : i32
    // CHECK: spirv.GroupNonUniformIMul "Subgroup" "InclusiveScan" %i : i32
    %109 = spirv.GroupNonUniformIMul "Subgroup" "InclusiveScan" %i : i32
    // CHECK: spirv.GroupNonUniformSMin "Subgroup" "InclusiveScan" %i : i32
    %110 = spirv.GroupNonUniformSMin "Subgroup" "InclusiveScan" %i : i32
    // CHECK: spirv.GroupNonUniformUMin "Subgroup" "InclusiveScan" %i : i32
    %111 = spirv.GroupNonUniformUMin "Subgroup" "InclusiveScan" %i : i32
    // CHECK: spirv.GroupNonUniformSMax "Subgroup" "InclusiveScan" %i : i32
    %112 = spirv.GroupNonUniformSMax "Subgroup" "InclusiveScan" %i : i32
    // CHECK: spirv.GroupNonUniformUMax "Subgroup" "InclusiveScan" %i : i32
    %113 = spirv.GroupNonUniformUMax "Subgroup" "InclusiveScan" %i : i32
    // CHECK: spirv.GroupNonUniformFAdd "Subgroup" "InclusiveScan" %f : f32
    %114 = spirv.GroupNonUniformFAdd "Subgroup" "InclusiveScan" %f : f32
    // CHECK: spirv.GroupNonUniformFMul "Subgroup" "InclusiveScan" %f : f32
    %115 = spirv.GroupNonUniformFMul "Subgroup" "InclusiveScan" %f : f32
    // CHECK: spirv.GroupNonUniformFMin "Subgroup" "InclusiveScan" %f : f32
    %116 = spirv.GroupNonUniformFMin "Subgroup" "InclusiveScan" %f : f32
    // CHECK: spirv.GroupNonUniformFMax "Subgroup" "InclusiveScan" %f : f32
    %117 = spirv.GroupNonUniformFMax "Subgroup" "InclusiveScan" %f : f32
    // CHECK: spirv.GroupNonUniformBitwiseAnd "Subgroup" "InclusiveScan" %i : i32
    %118 = spirv.GroupNonUniformBitwiseAnd "Subgroup" "InclusiveScan" %i : i32
    // CHECK: spirv.GroupNonUniformBitwiseOr "Subgroup" "InclusiveScan" %i : i32
    %119 = spirv.GroupNonUniformBitwiseOr "Subgroup" "InclusiveScan" %i : i32
    // CHECK: spirv.GroupNonUniformBitwiseXor "Subgroup" "InclusiveScan" %i : i32
    %120 = spirv.GroupNonUniformBitwiseXor "Subgroup" "InclusiveScan" %i : i32
    // CHECK: spirv.GroupNonUniformLogicalAnd "Subgroup" "InclusiveScan" %b : i1
    %121 = spirv.GroupNonUniformLogicalAnd "Subgroup" "InclusiveScan" %b : i1
    // CHECK: spirv.GroupNonUniformLogicalOr "Subgroup" "InclusiveScan" %b : i1
    %122 = spirv.GroupNonUniformLogicalOr "Subgroup" "InclusiveScan" %b : i1
    // CHECK: spirv.GroupNonUniformLogicalXor "Subgroup" "InclusiveScan" %b : i1
    %123 = spirv.GroupNonUniformLogicalXor "Subgroup" "InclusiveScan" %b : i1
    // CHECK: spirv.GroupNonUniformElect <Subgroup> : i1
    %124 = spirv.GroupNonUniformElect <Subgroup> : i1
    // CHECK: spirv.GroupNonUniformAll <Subgroup> %b : i1
    %125 = spirv.GroupNonUniformAll <Subgroup> %b : i1
    // CHECK: spirv.GroupNonUniformAny <Subgroup> %b : i1
    %126 = spirv.GroupNonUniformAny <Subgroup> %b : i1
    // CHECK: spirv.GroupNonUniformAllEqual <Subgroup> %i : i32 -> i1
    %127 = spirv.GroupNonUniformAllEqual <Subgroup> %i : i32 -> i1
    // CHECK: spirv.GroupNonUniformBallot <Subgroup> %b : vector<4xi32>
    %128 = spirv.GroupNonUniformBallot <Subgroup> %b : vector<4xi32>
    // CHECK: spirv.GroupNonUniformInverseBallot <Subgroup> %i4 : vector<4xi32> -> i1
    %129 = spirv.GroupNonUniformInverseBallot <Subgroup> %i4 : vector<4xi32> -> i1
    // CHECK: spirv.GroupNonUniformBallotBitExtract <Subgroup> %i4, %i : vector<4xi32>, i32 -> i1
    %130 = spirv.GroupNonUniformBallotBitExtract <Subgroup> %i4, %i : vector<4xi32>, i32 -> i1
    // CHECK: spirv.GroupNonUniformBallotBitCount <Subgroup> <Reduce> %i4 : vector<4xi32> -> i32
    %131 = spirv.GroupNonUniformBallotBitCount <Subgroup> <Reduce> %i4 : vector<4xi32> -> i32
    // CHECK: spirv.GroupNonUniformBallotFindLSB <Subgroup> %i4 : vector<4xi32>, i32
    %132 = spirv.GroupNonUniformBallotFindLSB <Subgroup> %i4 : vector<4xi32>, i32
    // CHECK: spirv.GroupNonUniformBallotFindMSB <Subgroup> %i4 : vector<4xi32>, i32
    %133 = spirv.GroupNonUniformBallotFindMSB <Subgroup> %i4 : vector<4xi32>, i32
    // CHECK: spirv.GroupNonUniformBroadcast <Subgroup> %i, %c1 : i32, i32
    %134 = spirv.GroupNonUniformBroadcast <Subgroup> %i, %c1 : i32, i32
    // CHECK: spirv.GroupNonUniformBroadcastFirst <Subgroup> %i : i32
    %135 = spirv.GroupNonUniformBroadcastFirst <Subgroup> %i : i32
    // CHECK: spirv.GroupNonUniformShuffle <Subgroup> %i, %i : i32, i32
    %136 = spirv.GroupNonUniformShuffle <Subgroup> %i, %i : i32, i32
    // CHECK: spirv.GroupNonUniformShuffleXor <Subgroup> %i, %i : i32, i32
    %137 = spirv.GroupNonUniformShuffleXor <Subgroup> %i, %i : i32, i32
    // CHECK: spirv.GroupNonUniformShuffleUp <Subgroup> %i, %i : i32, i32
    %138 = spirv.GroupNonUniformShuffleUp <Subgroup> %i, %i : i32, i32
    // CHECK: spirv.GroupNonUniformShuffleDown <Subgroup> %i, %i : i32, i32
    %139 = spirv.GroupNonUniformShuffleDown <Subgroup> %i, %i : i32, i32
    // CHECK: spirv.GroupNonUniformQuadBroadcast <Subgroup> %i, %c1 : i32, i32
    %140 = spirv.GroupNonUniformQuadBroadcast <Subgroup> %i, %c1 : i32, i32
    // CHECK: spirv.GroupNonUniformQuadSwap <Subgroup> %i, %c1 : i32, i32
    %141 = spirv.GroupNonUniformQuadSwap <Subgroup> %i, %c1 : i32, i32
    // CHECK: spirv.GroupNonUniformRotateKHR <Subgroup>, %i, %i, cluster_size(%c1) : i32, i32 -> i32
    %142 = spirv.GroupNonUniformRotateKHR <Subgroup>, %i, %i, cluster_size(%c1) : i32, i32 -> i32
    // CHECK: spirv.KHR.SubgroupBallot %b : vector<4xi32>
    %143 = spirv.KHR.SubgroupBallot %b : vector<4xi32>
    // CHECK: spirv.KHR.SubgroupAll %b : i1
    %144 = spirv.KHR.SubgroupAll %b : i1
    // CHECK: spirv.KHR.SubgroupAny %b : i1
    %145 = spirv.KHR.SubgroupAny %b : i1
    // CHECK: spirv.KHR.SubgroupAllEqual %b : i1
    %146 = spirv.KHR.SubgroupAllEqual %b : i1
    // CHECK: spirv.KHR.SubgroupFirstInvocation %i : i32
    %147 = spirv.KHR.SubgroupFirstInvocation %i : i32
    // CHECK: spirv.KHR.SubgroupReadInvocation %i, %i : i32, i32
    %148 = spirv.KHR.SubgroupReadInvocation %i, %i : i32, i32
    // CHECK: spirv.SDot %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    %149 = spirv.SDot %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    // CHECK: spirv.UDot %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    %150 = spirv.UDot %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    // CHECK: spirv.SUDot %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    %151 = spirv.SUDot %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    // CHECK: spirv.SDotAccSat %i, %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    %152 = spirv.SDotAccSat %i, %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    // CHECK: spirv.UDotAccSat %i, %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    %153 = spirv.UDotAccSat %i, %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    // CHECK: spirv.SUDotAccSat %i, %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    %154 = spirv.SUDotAccSat %i, %i, %i, <PackedVectorFormat4x8Bit> : i32 -> i32
    // CHECK: spirv.KHR.CooperativeMatrixMulAdd %ca, %cb, %cc : !spirv.coopmatrix<8x8xf16, Subgroup, MatrixA>, !spirv.coopmatrix<8x8xf16, Subgroup, MatrixB> -> !spirv.coopmatrix<8x8xf32, Subgroup, MatrixAcc>
    %155 = spirv.KHR.CooperativeMatrixMulAdd %ca, %cb, %cc : !spirv.coopmatrix<8x8xf16, Subgroup, MatrixA>, !spirv.coopmatrix<8x8xf16, Subgroup, MatrixB> -> !spirv.coopmatrix<8x8xf32, Subgroup, MatrixAcc>
    // CHECK: spirv.KHR.AssumeTrue %b
    spirv.KHR.AssumeTrue %b
    // CHECK: spirv.GL.Round %f : f32
    %156 = spirv.GL.Round %f : f32
    // CHECK: spirv.GL.RoundEven %f : f32
    %157 = spirv.GL.RoundEven %f : f32
    // CHECK: spirv.GL.Trunc %f : f32
    %158 = spirv.GL.Trunc %f : f32
    // CHECK: spirv.GL.FAbs %f : f32
    %159 = spirv.GL.FAbs %f : f32
    // CHECK: spirv.GL.FSign %f : f32
    %160 = spirv.GL.FSign %f : f32
    // CHECK: spirv.GL.Floor %f : f32
    %161 = spirv.GL.Floor %f : f32
    // CHECK: spirv.GL.Ceil %f : f32
    %162 = spirv.GL.Ceil %f : f32
    // CHECK: spirv.GL.Fract %f : f32
    %163 = spirv.GL.Fract %f : f32
    // CHECK: spirv.GL.Radians %f : f32
    %164 = spirv.GL.Radians %f : f32
    // CHECK: spirv.GL.Degrees %f : f32
    %165 = spirv.GL.Degrees %f : f32
    // CHECK: spirv.GL.Sin %f : f32
    %166 = spirv.GL.Sin %f : f32
    // CHECK: spirv.GL.Cos %f : f32
    %167 = spirv.GL.Cos %f : f32
    // CHECK: spirv.GL.Tan %f : f32
    %168 = spirv.GL.Tan %f : f32
    // CHECK: spirv.GL.Asin %f : f32
    %169 = spirv.GL.Asin %f : f32
    // CHECK: spirv.GL.Acos %f : f32
    %170 = spirv.GL.Acos %f : f32
    // CHECK: spirv.GL.Atan %f : f32
    %171 = spirv.GL.Atan %f : f32
    // CHECK: spirv.GL.Sinh %f : f32
    %172 = spirv.GL.Sinh %f : f32
    // CHECK: spirv.GL.Cosh %f : f32
    %173 = spirv.GL.Cosh %f : f32
    // CHECK: spirv.GL.Tanh %f : f32
    %174 = spirv.GL.Tanh %f : f32
    // CHECK: spirv.GL.Asinh %f : f32
    %175 = spirv.GL.Asinh %f : f32
    // CHECK: spirv.GL.Acosh %f : f32
    %176 = spirv.GL.Acosh %f : f32
    // CHECK: spirv.GL.Atanh %f : f32
    %177 = spirv.GL.Atanh %f : f32
    // CHECK: spirv.GL.Exp %f : f32
    %178 = spirv.GL.Exp %f : f32
    // CHECK: spirv.GL.Log %f : f32
    %179 = spirv.GL.Log %f : f32
    // CHECK: spirv.GL.Exp2 %f : f32
    %180 = spirv.GL.Exp2 %f : f32
    // CHECK: spirv.GL.Log2 %f : f32
    %181 = spirv.GL.Log2 %f : f32
    // CHECK: spirv.GL.Sqrt %f : f32
    %182 = spirv.GL.Sqrt %f : f32
    // CHECK: spirv.GL.InverseSqrt %f : f32
    %183 = spirv.GL.InverseSqrt %f : f32
    // CHECK: spirv.GL.Normalize %f4 : vector<4xf32>
    %184 = spirv.GL.Normalize %f4 : vector<4xf32>
    // CHECK: spirv.GL.Atan2 %f, %f : f32
    %185 = spirv.GL.Atan2 %f, %f : f32
    // CHECK: spirv.GL.Pow %f, %f : f32
    %186 = spirv.GL.Pow %f, %f : f32
    // CHECK: spirv.GL.FMin %f, %f : f32
    %187 = spirv.GL.FMin %f, %f : f32
    // CHECK: spirv.GL.FMax %f, %f : f32
    %188 = spirv.GL.FMax %f, %f : f32
    // CHECK: spirv.GL.NMin %f, %f : f32
    %189 = spirv.GL.NMin %f, %f : f32
    // CHECK: spirv.GL.NMax %f, %f : f32
    %190 = spirv.GL.NMax %f, %f : f32
    // CHECK: spirv.GL.Step %f, %f : f32
    %191 = spirv.GL.Step %f, %f : f32
    // CHECK: spirv.GL.Cross %f3, %f3 : vector<3xf32>
    %192 = spirv.GL.Cross %f3, %f3 : vector<3xf32>
    // CHECK: spirv.GL.Reflect %f4, %f4 : vector<4xf32>
    %193 = spirv.GL.Reflect %f4, %f4 : vector<4xf32>
    // CHECK: spirv.GL.Fma %f, %f, %f : f32
    %194 = spirv.GL.Fma %f, %f, %f : f32
    // CHECK: spirv.GL.FClamp %f, %f, %f : f32
    %195 = spirv.GL.FClamp %f, %f, %f : f32
    // CHECK: spirv.GL.NClamp %f, %f, %f : f32
    %196 = spirv.GL.NClamp %f, %f, %f : f32
    // CHECK: spirv.GL.SmoothStep %f, %f, %f : f32
    %197 = spirv.GL.SmoothStep %f, %f, %f : f32
    // CHECK: spirv.GL.FaceForward %f4, %f4, %f4 : vector<4xf32>
    %198 = spirv.GL.FaceForward %f4, %f4, %f4 : vector<4xf32>
    // CHECK: spirv.GL.SAbs %i : i32
    %199 = spirv.GL.SAbs %i : i32
    // CHECK: spirv.GL.SSign %i : i32
    %200 = spirv.GL.SSign %i : i32
    // CHECK: spirv.GL.FindILsb %i : i32
    %201 = spirv.GL.FindILsb %i : i32
    // CHECK: spirv.GL.FindSMsb %i : i32
    %202 = spirv.GL.FindSMsb %i : i32
    // CHECK: spirv.GL.FindUMsb %i : i32
    %203 = spirv.GL.FindUMsb %i : i32
    // CHECK: spirv.GL.UMin %i, %i : i32
    %204 = spirv.GL.UMin %i, %i : i32
    // CHECK: spirv.GL.SMin %i, %i : i32
    %205 = spirv.GL.SMin %i, %i : i32
    // CHECK: spirv.GL.UMax %i, %i : i32
    %206 = spirv.GL.UMax %i, %i : i32
    // CHECK: spirv.GL.SMax %i, %i : i32
    %207 = spirv.GL.SMax %i, %i : i32
    // CHECK: spirv.GL.UClamp %i, %i, %i : i32
    %208 = spirv.GL.UClamp %i, %i, %i : i32
    // CHECK: spirv.GL.SClamp %i, %i, %i : i32
    %209 = spirv.GL.SClamp %i, %i, %i : i32
    // CHECK: spirv.GL.Length %f4 : vector<4xf32> -> f32
    %210 = spirv.GL.Length %f4 : vector<4xf32> -> f32
    // CHECK: spirv.GL.Distance %f4, %f4 : vector<4xf32> -> f32
    %211 = spirv.GL.Distance %f4, %f4 : vector<4xf32> -> f32
    // CHECK: spirv.GL.FMix %f : f32, %f : f32, %f : f32 -> f32
    %212 = spirv.GL.FMix %f : f32, %f : f32, %f : f32 -> f32
    // CHECK: spirv.GL.Ldexp %f : f32, %i : i32 -> f32
    %213 = spirv.GL.Ldexp %f : f32, %i : i32 -> f32
    // CHECK: spirv.GL.FrexpStruct %f : f32 -> !spirv.struct<(f32, i32)>
    %214 = spirv.GL.FrexpStruct %f : f32 -> !spirv.struct<(f32, i32)>
    // CHECK: spirv.GL.ModfStruct %f : f32 -> !spirv.struct<(f32, f32)>
    %215 = spirv.GL.ModfStruct %f : f32 -> !spirv.struct<(f32, f32)>
    // CHECK: spirv.GL.PackSnorm4x8 %f4 : vector<4xf32> -> i32
    %216 = spirv.GL.PackSnorm4x8 %f4 : vector<4xf32> -> i32
    // CHECK: spirv.GL.PackUnorm4x8 %f4 : vector<4xf32> -> i32
    %217 = spirv.GL.PackUnorm4x8 %f4 : vector<4xf32> -> i32
    // CHECK: spirv.GL.PackSnorm2x16 %f2 : vector<2xf32> -> i32
    %218 = spirv.GL.PackSnorm2x16 %f2 : vector<2xf32> -> i32
    // CHECK: spirv.GL.PackUnorm2x16 %f2 : vector<2xf32> -> i32
    %219 = spirv.GL.PackUnorm2x16 %f2 : vector<2xf32> -> i32
    // CHECK: spirv.GL.PackHalf2x16 %f2 : vector<2xf32> -> i32
    %220 = spirv.GL.PackHalf2x16 %f2 : vector<2xf32> -> i32
    // CHECK: spirv.GL.PackDouble2x32 %i2 : vector<2xi32> -> f64
    %221 = spirv.GL.PackDouble2x32 %i2 : vector<2xi32> -> f64
    // CHECK: spirv.GL.UnpackSnorm2x16 %i : i32 -> vector<2xf32>
    %222 = spirv.GL.UnpackSnorm2x16 %i : i32 -> vector<2xf32>
    // CHECK: spirv.GL.UnpackUnorm2x16 %i : i32 -> vector<2xf32>
    %223 = spirv.GL.UnpackUnorm2x16 %i : i32 -> vector<2xf32>
    // CHECK: spirv.GL.UnpackHalf2x16 %i : i32 -> vector<2xf32>
    %224 = spirv.GL.UnpackHalf2x16 %i : i32 -> vector<2xf32>
    // CHECK: spirv.GL.UnpackSnorm4x8 %i : i32 -> vector<4xf32>
    %225 = spirv.GL.UnpackSnorm4x8 %i : i32 -> vector<4xf32>
    // CHECK: spirv.GL.UnpackUnorm4x8 %i : i32 -> vector<4xf32>
    %226 = spirv.GL.UnpackUnorm4x8 %i : i32 -> vector<4xf32>
    // CHECK: spirv.GL.UnpackDouble2x32 %d : f64 -> vector<2xi32>
    %227 = spirv.GL.UnpackDouble2x32 %d : f64 -> vector<2xi32>
    // CHECK: spirv.GL.Determinant %m : !spirv.matrix<4 x vector<4xf32>> -> f32
    %228 = spirv.GL.Determinant %m : !spirv.matrix<4 x vector<4xf32>> -> f32
    // CHECK: spirv.GL.MatrixInverse %m : !spirv.matrix<4 x vector<4xf32>>
    %229 = spirv.GL.MatrixInverse %m : !spirv.matrix<4 x vector<4xf32>>
    spirv.Return
  }
}
