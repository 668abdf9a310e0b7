"""The llvm dialect: what kernels need of LLVM's IR, with upstream MLIR's names and syntax.

A module holds `llvm.func`s and `llvm.mlir.global`s. A function's body is a graph of blocks: where
LLVM has phis, blocks have arguments and branches give them. Values are integers (signless),
floats, pointers with an address space, vectors of those, and structs and arrays by value. Memory
is untyped; an access says the type it means. What LLVM calls undefined is undefined here.

The dialect is shared by all targets that go through LLVM (CPU, NVIDIA, AMD): address spaces,
synchronisation scopes and calling conventions are a target's own business.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from . import arithmetic, control, intrinsics, memory, types, values
from .arithmetic import (
    AddOp,
    AddrSpaceCastOp,
    AndOp,
    AShrOp,
    BinaryOp,
    BitcastOp,
    FAddOp,
    FCmpOp,
    FDivOp,
    FMulOp,
    FNegOp,
    FPExtOp,
    FPToSIOp,
    FPToUIOp,
    FPTruncOp,
    FreezeOp,
    FRemOp,
    FSubOp,
    ICmpOp,
    IntToPtrOp,
    LShrOp,
    MulOp,
    OrOp,
    PtrToIntOp,
    SDivOp,
    SelectOp,
    SExtOp,
    ShlOp,
    SIToFPOp,
    SRemOp,
    SubOp,
    TruncOp,
    UDivOp,
    UIToFPOp,
    URemOp,
    XorOp,
    ZExtOp,
)
from .base import CastOp, CompareOp, LLVMOp, SameTypeOp, fast_math, mask_type, number, numbers
from .control import (
    BranchLikeOp,
    BrOp,
    CallIntrinsicOp,
    CallOp,
    CondBrOp,
    FuncOp,
    InlineAsmOp,
    ReturnOp,
    SwitchOp,
    UnreachableOp,
)
from .intrinsics import INTRINSICS, Intrinsic, IntrinsicOp
from .memory import (
    DYNAMIC_INDEX,
    AllocaOp,
    AtomicRMWOp,
    CmpXchgOp,
    FenceOp,
    GEPOp,
    LoadOp,
    StoreOp,
)
from .types import (
    ATOMIC_KINDS,
    FAST_MATH_FLAGS,
    FCMP_PREDICATES,
    ICMP_PREDICATES,
    ORDERING_NAMES,
    ORDERINGS,
    POINTER,
    ArrayType,
    CConvAttr,
    FastMathAttr,
    FunctionType,
    LinkageAttr,
    LoopAnnotationAttr,
    OverflowAttr,
    PointerType,
    StructType,
    VoidType,
    element_type,
    is_llvm_type,
)
from .values import (
    AddressOfOp,
    ConstantOp,
    ExtractElementOp,
    ExtractValueOp,
    GlobalOp,
    InsertElementOp,
    InsertValueOp,
    PoisonOp,
    ShuffleVectorOp,
    UndefOp,
    ZeroOp,
)

LLVM = Dialect(
    "llvm",
    [
        *arithmetic.OPERATIONS,
        *memory.OPERATIONS,
        *values.OPERATIONS,
        *control.OPERATIONS,
        *intrinsics.OPERATIONS,
    ],
    [*types.TYPES, *types.ATTRIBUTES],
)
"""The dialect, to be registered with a context."""

__all__ = [
    "AShrOp", "ATOMIC_KINDS", "AddOp", "AddrSpaceCastOp", "AddressOfOp", "AllocaOp", "AndOp",
    "ArrayType", "AtomicRMWOp", "BinaryOp", "BitcastOp", "BrOp", "BranchLikeOp", "CConvAttr",
    "CallIntrinsicOp", "CallOp", "CastOp", "CmpXchgOp", "CompareOp", "CondBrOp", "ConstantOp",
    "DYNAMIC_INDEX", "ExtractElementOp", "ExtractValueOp", "FAST_MATH_FLAGS", "FAddOp",
    "FCMP_PREDICATES", "FCmpOp", "FDivOp", "FMulOp", "FNegOp", "FPExtOp", "FPToSIOp", "FPToUIOp",
    "FPTruncOp", "FRemOp", "FSubOp", "FastMathAttr", "FenceOp", "FreezeOp", "FuncOp",
    "FunctionType", "GEPOp", "GlobalOp", "ICMP_PREDICATES", "ICmpOp", "INTRINSICS", "InlineAsmOp",
    "InsertElementOp", "InsertValueOp", "IntToPtrOp", "Intrinsic", "IntrinsicOp", "LLVM", "LLVMOp",
    "LShrOp", "LinkageAttr", "LoadOp", "LoopAnnotationAttr", "MulOp", "ORDERINGS",
    "ORDERING_NAMES", "OrOp", "OverflowAttr", "POINTER", "PointerType", "PoisonOp", "PtrToIntOp",
    "ReturnOp", "SDivOp", "SExtOp", "SIToFPOp", "SRemOp", "SameTypeOp", "SelectOp", "ShlOp",
    "ShuffleVectorOp", "StoreOp", "StructType", "SubOp", "SwitchOp", "TruncOp", "UDivOp",
    "UIToFPOp", "URemOp", "UndefOp", "UnreachableOp", "VoidType", "XorOp", "ZExtOp", "ZeroOp",
    "element_type", "fast_math", "is_llvm_type", "mask_type", "number", "numbers",
]  # fmt: skip
