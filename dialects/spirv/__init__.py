"""The spirv dialect: what a SPIR-V module of compute shaders says, one op an instruction.

Names and syntax are upstream MLIR's (LLVM 19); ops that it lacks say so where they are defined. A
`spirv.module` is one binary. It holds functions, whose bodies are structured: a `mlir.selection` or
`mlir.loop` is a region, and where SPIR-V has phis, blocks have arguments. Variables, specialisation
constants and functions are symbols; a function refers to them by `mlir.addressof` and
`mlir.referenceof`. Types and constants are written where they are used, each once in the binary.

Integers are signless (SPIR-V's unsigned ones) unless a type says `si32`. What the specification
leaves undefined (shifts by the width, accesses out of range, data races) is undefined here.

`OPS["FAdd"].of([a, b])` makes an op that is one instruction; the others have classes and
constructors of their own: `LoadOp.at(pointer)`, `AccessChainOp.into(pointer, indices)`.
"""

from __future__ import annotations

from xdsl.ir import Dialect, Operation

from . import (
    accesses,
    attributes,
    branches,
    composites,
    constants,
    constructs,
    environment,
    functions,
    matrices,
    memory,
    spec_constants,
    structure,
    types,
    variables,
)
from .accesses import CopyMemoryOp, LoadOp, StoreOp
from .attributes import (
    NOT_DECORATIONS,
    AddressingModelAttr,
    CooperativeMatrixLayoutAttr,
    CooperativeMatrixOperandsAttr,
    DecorationAttr,
    EnumAttr,
    ExecutionModeAttr,
    ExecutionModelAttr,
    FunctionControlAttr,
    GroupOperationAttr,
    LinkageTypeAttr,
    LoopControlAttr,
    MemoryAccessAttr,
    MemoryModelAttr,
    MemorySemanticsAttr,
    ScopeAttr,
    SelectionControlAttr,
    StorageClassAttr,
    as_attribute,
    decoration_name,
)
from .base import Row, RowOp, SpirvOp
from .branches import BranchConditionalOp, BranchOp, SwitchOp
from .composites import (
    CompositeConstructOp,
    CompositeExtractOp,
    CompositeInsertOp,
    VectorShuffleOp,
)
from .constants import (
    AddressOfOp,
    ConstantOp,
    ReferenceOfOp,
    SpecConstantOperationOp,
    UndefOp,
    YieldOp,
    is_constant,
)
from .constructs import (
    BreakOp,
    ConstructOp,
    ContinueOp,
    ExitOp,
    LeaveOp,
    LoopOp,
    MergeOp,
    SelectionOp,
)
from .environment import (
    EntryPointAbiAttr,
    InterfaceVarAbiAttr,
    LinkageAttributesAttr,
    ResourceLimitsAttr,
    TargetEnvAttr,
    Vce,
    VceAttr,
)
from .functions import FunctionCallOp, ReturnOp, ReturnValueOp, UnreachableOp
from .matrices import (
    CooperativeMatrixLengthOp,
    CooperativeMatrixLoadOp,
    CooperativeMatrixStoreOp,
)
from .memory import (
    AccessChainOp,
    ArrayLengthOp,
    InBoundsAccessChainOp,
    InBoundsPtrAccessChainOp,
    PtrAccessChainOp,
    VariableOp,
)
from .spec_constants import (
    SpecConstantCompositeOp,
    SpecConstantExpressionOp,
    SpecConstantOp,
    scalar_attribute,
)
from .struct_type import StructType
from .structure import FuncOp, ModuleOp
from .table import ROWS
from .type_base import is_spirv_type
from .types import ArrayType, CooperativeMatrixType, MatrixType, PointerType, RuntimeArrayType
from .variables import EntryPointOp, ExecutionModeIdOp, ExecutionModeOp, GlobalVariableOp


def _declare(name: str, row: Row) -> type[RowOp]:
    members: dict[str, object] = {
        "name": f"spirv.{name}",
        "mnemonic": name,
        "row": row,
        "traits": row.traits,
        "__module__": __name__,
        "__doc__": row.meaning,
    }
    return type("Spirv" + name.replace(".", ""), (RowOp,), members)


class _Ops(dict[str, type[RowOp]]):
    """Classes are made when they are asked for: a kernel needs a tenth of them."""

    def __missing__(self, name: str) -> type[RowOp]:
        made = self[name] = _declare(name, ROWS[name])
        return made


OPS: dict[str, type[RowOp]] = _Ops()
"""The classes of the ops that are one instruction, by name without the dialect's; see `ROWS`."""

CLASSES: tuple[type[Operation], ...] = (
    *structure.OPERATIONS,
    *variables.OPERATIONS,
    *spec_constants.OPERATIONS,
    *constants.OPERATIONS,
    *memory.OPERATIONS,
    *accesses.OPERATIONS,
    *composites.OPERATIONS,
    *matrices.OPERATIONS,
    *branches.OPERATIONS,
    *constructs.OPERATIONS,
    *functions.OPERATIONS,
)
"""The classes that are written by hand."""

SPIRV: Dialect
"""The dialect, to be registered with a context."""


def __getattr__(name: str) -> Dialect:
    """The dialect is made when it is asked for: only files of IR need it."""
    if name != "SPIRV":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = Dialect(
        "spirv",
        [*(OPS[row] for row in ROWS), *CLASSES],
        [*types.TYPES, StructType, *attributes.ATTRIBUTES, *environment.ATTRIBUTES],
    )
    return made


__all__ = [
    "CLASSES",
    "NOT_DECORATIONS",
    "OPS",
    "ROWS",
    "SPIRV",
    "AccessChainOp",
    "AddressOfOp",
    "AddressingModelAttr",
    "ArrayLengthOp",
    "ArrayType",
    "BranchConditionalOp",
    "BranchOp",
    "BreakOp",
    "CompositeConstructOp",
    "CompositeExtractOp",
    "CompositeInsertOp",
    "ConstantOp",
    "ConstructOp",
    "ContinueOp",
    "CooperativeMatrixLayoutAttr",
    "CooperativeMatrixLengthOp",
    "CooperativeMatrixLoadOp",
    "CooperativeMatrixOperandsAttr",
    "CooperativeMatrixStoreOp",
    "CooperativeMatrixType",
    "CopyMemoryOp",
    "DecorationAttr",
    "EntryPointAbiAttr",
    "EntryPointOp",
    "EnumAttr",
    "ExecutionModeAttr",
    "ExecutionModeIdOp",
    "ExecutionModeOp",
    "ExecutionModelAttr",
    "ExitOp",
    "FuncOp",
    "FunctionCallOp",
    "FunctionControlAttr",
    "GlobalVariableOp",
    "GroupOperationAttr",
    "InBoundsAccessChainOp",
    "InBoundsPtrAccessChainOp",
    "InterfaceVarAbiAttr",
    "LeaveOp",
    "LinkageAttributesAttr",
    "LinkageTypeAttr",
    "LoadOp",
    "LoopControlAttr",
    "LoopOp",
    "MatrixType",
    "MemoryAccessAttr",
    "MemoryModelAttr",
    "MemorySemanticsAttr",
    "MergeOp",
    "ModuleOp",
    "PointerType",
    "PtrAccessChainOp",
    "ReferenceOfOp",
    "ResourceLimitsAttr",
    "ReturnOp",
    "ReturnValueOp",
    "Row",
    "RowOp",
    "RuntimeArrayType",
    "ScopeAttr",
    "SelectionControlAttr",
    "SelectionOp",
    "SpecConstantCompositeOp",
    "SpecConstantExpressionOp",
    "SpecConstantOp",
    "SpecConstantOperationOp",
    "SpirvOp",
    "StorageClassAttr",
    "StoreOp",
    "StructType",
    "SwitchOp",
    "TargetEnvAttr",
    "UndefOp",
    "UnreachableOp",
    "VariableOp",
    "Vce",
    "VceAttr",
    "VectorShuffleOp",
    "YieldOp",
    "as_attribute",
    "decoration_name",
    "is_constant",
    "is_spirv_type",
    "scalar_attribute",
]
