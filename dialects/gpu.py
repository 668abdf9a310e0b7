"""gpu: the waist's core, in upstream MLIR's own vocabulary and syntax (as of LLVM 19).

Modules and functions are in `gpu_function.py`, attributes in `gpu_attributes.py`.

Ids and sizes are `index` values that differ by thread (`thread_id`, `global_id`, `lane_id`), by
block (`block_id`), or not at all. `barrier` is reached by all threads of a block or by none; it
orders their global and workgroup accesses. Subgroup ops (`shuffle`, `subgroup_reduce`) work among
the active lanes; `shuffle`'s second result says whether the lane read from was inside `width` and
active.

What upstream lacks and every device has is in `gpux`. Ops of upstream's dialect that kernels do not
need yet (launching, host memory, asynchronous tokens) are not defined here; `subgroup_mma_*` are in
`gpu_matrix.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from xdsl.dialects.builtin import (
    IndexType,
    MemRefType,
    UnitAttr,
    i1,
    i32,
)
from xdsl.ir import (
    Dialect,
    SSAValue,
)
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    ParsePropInAttrDict,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import (
    MemoryReadEffect,
    MemoryWriteEffect,
    Pure,
)

from .gpu_attributes import DIMENSIONS as DIMENSIONS
from .gpu_attributes import GLOBAL as GLOBAL
from .gpu_attributes import PRIVATE as PRIVATE
from .gpu_attributes import WORKGROUP as WORKGROUP
from .gpu_attributes import AddressSpaceAttr as AddressSpaceAttr
from .gpu_attributes import DimensionAttr as DimensionAttr
from .gpu_attributes import ReduceKind as ReduceKind
from .gpu_attributes import ReduceKindAttr as ReduceKindAttr
from .gpu_attributes import ShuffleMode as ShuffleMode
from .gpu_attributes import ShuffleModeAttr as ShuffleModeAttr
from .gpu_function import FuncOp as FuncOp
from .gpu_function import ModuleOp as ModuleOp
from .gpu_function import ReturnOp as ReturnOp
from .lazy_format import op_with_format

if TYPE_CHECKING:
    from typing import Self

    from xdsl.parser import Parser
    from xdsl.printer import Printer


class DimensionOp(IRDLOperation):
    """What the id and size ops share: one dimension, one `index`."""

    dimension = prop_def(DimensionAttr)
    result = result_def(IndexType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    def __init__(self, dimension: int):
        super().__init__(
            result_types=[IndexType()], properties={"dimension": DIMENSIONS[dimension]}
        )

    @property
    def axis(self) -> int:
        """0, 1 or 2 for x, y or z."""
        return "xyz".index(self.dimension.data.value)


@op_with_format("$dimension attr-dict")
class ThreadIdOp(DimensionOp):
    """The thread's place in its block."""

    name = "gpu.thread_id"


@op_with_format("$dimension attr-dict")
class BlockIdOp(DimensionOp):
    """The block's place in the grid."""

    name = "gpu.block_id"


@op_with_format("$dimension attr-dict")
class BlockDimOp(DimensionOp):
    """Threads of a block."""

    name = "gpu.block_dim"


@op_with_format("$dimension attr-dict")
class GridDimOp(DimensionOp):
    """Blocks of the grid."""

    name = "gpu.grid_dim"


@op_with_format("$dimension attr-dict")
class GlobalIdOp(DimensionOp):
    """The thread's place in the grid: `block_id * block_dim + thread_id`."""

    name = "gpu.global_id"


class IndexOp(IRDLOperation):
    """What the subgroup id and size ops share: no operand, one `index`."""

    result = result_def(IndexType)
    traits = traits_def(Pure())

    def __init__(self):
        super().__init__(result_types=[IndexType()])


@op_with_format("attr-dict")
class LaneIdOp(IndexOp):
    """The thread's place in its subgroup."""

    name = "gpu.lane_id"


@op_with_format("attr-dict `:` type($result)")
class SubgroupIdOp(IndexOp):
    """The subgroup's place in its block."""

    name = "gpu.subgroup_id"


@op_with_format("attr-dict `:` type($result)")
class SubgroupSizeOp(IndexOp):
    """Lanes of a subgroup, as the device declares."""

    name = "gpu.subgroup_size"


@op_with_format("attr-dict `:` type($result)")
class NumSubgroupsOp(IndexOp):
    """Subgroups of a block, a partial last one included."""

    name = "gpu.num_subgroups"


@op_with_format("attr-dict")
class BarrierOp(IRDLOperation):
    """All threads of the block wait here for each other; global and workgroup memory is ordered."""

    name = "gpu.barrier"
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(self):
        super().__init__()


@op_with_format("$mode $value `,` $offset `,` $width attr-dict `:` type($value)")
class ShuffleOp(IRDLOperation):
    """Another lane's value, and whether that lane was there."""

    name = "gpu.shuffle"
    T: ClassVar = VarConstraint("T", AnyAttr())
    value = operand_def(T)
    offset = operand_def(i32)
    width = operand_def(i32)
    mode = prop_def(ShuffleModeAttr)
    shuffle_result = result_def(T)
    valid = result_def(i1)
    irdl_options = (ParsePropInAttrDict(),)
    # Convergent: works across lanes, so it may not be duplicated or moved.
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(self, mode: ShuffleMode, value: SSAValue, offset: SSAValue, width: SSAValue):
        super().__init__(
            operands=[value, offset, width],
            result_types=[value.type, i1],
            properties={"mode": ShuffleModeAttr(mode)},
        )


@irdl_op_definition
class SubgroupReduceOp(IRDLOperation):
    """The active lanes' values combined; every lane gets the result."""

    name = "gpu.subgroup_reduce"
    T: ClassVar = VarConstraint("T", AnyAttr())
    value = operand_def(T)
    op = prop_def(ReduceKindAttr)
    uniform = opt_prop_def(UnitAttr)
    result = result_def(T)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(self, kind: ReduceKind, value: SSAValue, *, uniform: bool = False):
        super().__init__(
            operands=[value],
            result_types=[value.type],
            properties={
                "op": ReduceKindAttr(kind),
                "uniform": UnitAttr() if uniform else None,
            },
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        kind = ReduceKindAttr.parse_parameter(parser)
        value = parser.parse_unresolved_operand()
        uniform = parser.parse_optional_keyword("uniform") is not None
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type_ = parser.parse_function_type()
        op = cls(kind, parser.resolve_operand(value, type_.inputs.data[0]), uniform=uniform)
        op.attributes |= attributes
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.op.data.value} ")
        printer.print_operand(self.value)
        if self.uniform is not None:
            printer.print_string(" uniform")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : (")
        printer.print_attribute(self.value.type)
        printer.print_string(") -> ")
        printer.print_attribute(self.result.type)


@op_with_format("attr-dict `:` type($view)")
class DynamicSharedMemoryOp(IRDLOperation):
    """The bytes of workgroup memory that the launch asked for."""

    name = "gpu.dynamic_shared_memory"
    view = result_def(MemRefType)
    traits = traits_def(Pure())

    def __init__(self, view: MemRefType):
        super().__init__(result_types=[view])


GPU = Dialect(
    "gpu",
    [
        *(ModuleOp, FuncOp, ReturnOp, ThreadIdOp, BlockIdOp, BlockDimOp, GridDimOp, GlobalIdOp),
        *(LaneIdOp, SubgroupIdOp, SubgroupSizeOp, NumSubgroupsOp, BarrierOp, ShuffleOp),
        *(SubgroupReduceOp, DynamicSharedMemoryOp),
    ],
    [AddressSpaceAttr, DimensionAttr, ShuffleModeAttr, ReduceKindAttr],
)
