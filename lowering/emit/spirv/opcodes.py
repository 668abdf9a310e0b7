"""Opcodes of the instructions that are written or read by name: the frame of a module."""

from __future__ import annotations

from ....dialects.spirv.grammar import instruction


class Op:
    """`Op.TypeInt` is 21."""

    Undef = instruction("Undef").opcode
    Source = instruction("Source").opcode
    Name = instruction("Name").opcode
    String = instruction("String").opcode
    Line = instruction("Line").opcode
    NoLine = instruction("NoLine").opcode
    Extension = instruction("Extension").opcode
    ExtInstImport = instruction("ExtInstImport").opcode
    ExtInst = instruction("ExtInst").opcode
    MemoryModel = instruction("MemoryModel").opcode
    EntryPoint = instruction("EntryPoint").opcode
    ExecutionMode = instruction("ExecutionMode").opcode
    ExecutionModeId = instruction("ExecutionModeId").opcode
    Capability = instruction("Capability").opcode
    TypeVoid = instruction("TypeVoid").opcode
    TypeBool = instruction("TypeBool").opcode
    TypeInt = instruction("TypeInt").opcode
    TypeFloat = instruction("TypeFloat").opcode
    TypeVector = instruction("TypeVector").opcode
    TypeMatrix = instruction("TypeMatrix").opcode
    TypeArray = instruction("TypeArray").opcode
    TypeRuntimeArray = instruction("TypeRuntimeArray").opcode
    TypeStruct = instruction("TypeStruct").opcode
    TypePointer = instruction("TypePointer").opcode
    TypeFunction = instruction("TypeFunction").opcode
    TypeForwardPointer = instruction("TypeForwardPointer").opcode
    TypeCooperativeMatrixKHR = instruction("TypeCooperativeMatrixKHR").opcode
    ConstantTrue = instruction("ConstantTrue").opcode
    ConstantFalse = instruction("ConstantFalse").opcode
    Constant = instruction("Constant").opcode
    ConstantComposite = instruction("ConstantComposite").opcode
    ConstantNull = instruction("ConstantNull").opcode
    SpecConstantTrue = instruction("SpecConstantTrue").opcode
    SpecConstantFalse = instruction("SpecConstantFalse").opcode
    SpecConstant = instruction("SpecConstant").opcode
    SpecConstantComposite = instruction("SpecConstantComposite").opcode
    SpecConstantOp = instruction("SpecConstantOp").opcode
    Function = instruction("Function").opcode
    FunctionParameter = instruction("FunctionParameter").opcode
    FunctionEnd = instruction("FunctionEnd").opcode
    FunctionCall = instruction("FunctionCall").opcode
    Variable = instruction("Variable").opcode
    Load = instruction("Load").opcode
    Store = instruction("Store").opcode
    CopyMemory = instruction("CopyMemory").opcode
    AccessChain = instruction("AccessChain").opcode
    InBoundsAccessChain = instruction("InBoundsAccessChain").opcode
    PtrAccessChain = instruction("PtrAccessChain").opcode
    InBoundsPtrAccessChain = instruction("InBoundsPtrAccessChain").opcode
    ArrayLength = instruction("ArrayLength").opcode
    Decorate = instruction("Decorate").opcode
    DecorateId = instruction("DecorateId").opcode
    DecorateString = instruction("DecorateString").opcode
    MemberName = instruction("MemberName").opcode
    MemberDecorate = instruction("MemberDecorate").opcode
    VectorShuffle = instruction("VectorShuffle").opcode
    CompositeConstruct = instruction("CompositeConstruct").opcode
    CompositeExtract = instruction("CompositeExtract").opcode
    CompositeInsert = instruction("CompositeInsert").opcode
    CooperativeMatrixLoadKHR = instruction("CooperativeMatrixLoadKHR").opcode
    CooperativeMatrixStoreKHR = instruction("CooperativeMatrixStoreKHR").opcode
    CooperativeMatrixLengthKHR = instruction("CooperativeMatrixLengthKHR").opcode
    Phi = instruction("Phi").opcode
    LoopMerge = instruction("LoopMerge").opcode
    SelectionMerge = instruction("SelectionMerge").opcode
    Label = instruction("Label").opcode
    Branch = instruction("Branch").opcode
    BranchConditional = instruction("BranchConditional").opcode
    Switch = instruction("Switch").opcode
    Kill = instruction("Kill").opcode
    Return = instruction("Return").opcode
    ReturnValue = instruction("ReturnValue").opcode
    Unreachable = instruction("Unreachable").opcode
    Nop = instruction("Nop").opcode
    ModuleProcessed = instruction("ModuleProcessed").opcode
    SourceExtension = instruction("SourceExtension").opcode
    SourceContinued = instruction("SourceContinued").opcode
