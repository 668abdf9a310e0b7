"""gpu: the waist's core, in upstream MLIR's own vocabulary and syntax (as of LLVM 19).

A `gpu.module` holds kernels and their helpers; it is a symbol table. A `gpu.func` with `kernel` is
launched over a grid of blocks of threads; it has no result. Its *workgroup attributions* are block
arguments after the parameters: one array per block, alive for the block. *Private attributions* are
one array per thread.

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

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    SymbolNameConstraint,
    UnitAttr,
    i1,
    i32,
    i64,
)
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import (
    Attribute,
    Block,
    Dialect,
    Region,
    SpacedOpaqueSyntaxAttribute,
    SSAValue,
)
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    ParsePropInAttrDict,
    VarConstraint,
    attr_def,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import (
    HasParent,
    IsolatedFromAbove,
    IsTerminator,
    MemoryReadEffect,
    MemoryWriteEffect,
    NoTerminator,
    Pure,
    ReturnLike,
    SymbolOpInterface,
    SymbolTable,
)
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from .lazy_format import op_with_format

if TYPE_CHECKING:
    from typing import Self

    from xdsl.parser import AttrParser, Parser
    from xdsl.printer import Printer


class AddressSpace(StrEnum):
    """Where a memref's bytes live: of the device, of a block, of a thread."""

    Global = "global"
    Workgroup = "workgroup"
    Private = "private"


class Dimension(StrEnum):
    """One of a grid's three dimensions; x changes fastest from lane to lane."""

    X = "x"
    Y = "y"
    Z = "z"


class ShuffleMode(StrEnum):
    """How a shuffle finds the lane it reads from."""

    Xor = "xor"
    Up = "up"
    Down = "down"
    Idx = "idx"


class ReduceKind(StrEnum):
    """Upstream's reduction operations."""

    Add = "add"
    Mul = "mul"
    MinUI = "minui"
    MinSI = "minsi"
    MinNumF = "minnumf"
    MaxUI = "maxui"
    MaxSI = "maxsi"
    MaxNumF = "maxnumf"
    And = "and"
    Or = "or"
    Xor = "xor"
    MinimumF = "minimumf"
    MaximumF = "maximumf"


@irdl_attr_definition
class AddressSpaceAttr(EnumAttribute[AddressSpace]):
    """`#gpu.address_space<global>`."""

    name = "gpu.address_space"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> AddressSpace:
        with parser.in_angle_brackets():
            return parser.parse_str_enum(AddressSpace)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.data.value)


@irdl_attr_definition
class DimensionAttr(EnumAttribute[Dimension], SpacedOpaqueSyntaxAttribute):
    """`#gpu<dim x>`."""

    name = "gpu.dim"


@irdl_attr_definition
class ShuffleModeAttr(EnumAttribute[ShuffleMode], SpacedOpaqueSyntaxAttribute):
    """`#gpu<shuffle_mode xor>`."""

    name = "gpu.shuffle_mode"


@irdl_attr_definition
class ReduceKindAttr(EnumAttribute[ReduceKind], SpacedOpaqueSyntaxAttribute):
    """`#gpu<all_reduce_op add>`."""

    name = "gpu.all_reduce_op"


GLOBAL = AddressSpaceAttr(AddressSpace.Global)
WORKGROUP = AddressSpaceAttr(AddressSpace.Workgroup)
PRIVATE = AddressSpaceAttr(AddressSpace.Private)
DIMENSIONS = tuple(DimensionAttr(dimension) for dimension in Dimension)


@irdl_op_definition
class ModuleOp(IRDLOperation):
    """`gpu.module @name { … }`: kernels and what they call, compiled together."""

    name = "gpu.module"
    sym_name = prop_def(SymbolNameConstraint())
    body = region_def("single_block")
    traits = traits_def(IsolatedFromAbove(), NoTerminator(), SymbolOpInterface(), SymbolTable())

    def __init__(self, name: str, body: Region | None = None):
        super().__init__(
            properties={"sym_name": StringAttr(name)}, regions=[body or Region(Block())]
        )

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op = cls(name, parser.parse_region())
        if not op.body.blocks:
            op.body.add_block(Block())
        if attributes is not None:
            op.attributes |= attributes.data
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.sym_name.data)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)


ATTRIBUTIONS = "workgroup_attributions"


@irdl_op_definition
class FuncOp(IRDLOperation):
    """A function of a `gpu.module`; with `kernel` it is launched and returns nothing.

    The entry block has the parameters, then the workgroup attributions (as many as the attribute
    `workgroup_attributions` says), then the private ones.
    """

    name = "gpu.func"
    sym_name = attr_def(SymbolNameConstraint())
    function_type = prop_def(FunctionType)
    arg_attrs = opt_prop_def(ArrayAttr[DictionaryAttr])
    body = region_def()
    traits = traits_def(IsolatedFromAbove(), HasParent(ModuleOp), SymbolOpInterface())

    def __init__(
        self,
        name: str,
        inputs: Sequence[Attribute],
        *,
        kernel: bool = True,
        known_block_size: Sequence[int] | None = None,
        body: Region | None = None,
    ):
        attributes: dict[str, Attribute] = {"sym_name": StringAttr(name)}
        if kernel:
            attributes["gpu.kernel"] = UnitAttr()
        if known_block_size is not None:
            attributes["gpu.known_block_size"] = DenseArrayBase.from_list(i32, known_block_size)
        super().__init__(
            properties={"function_type": FunctionType.from_lists(inputs, [])},
            attributes=attributes,
            regions=[body or Region(Block(arg_types=inputs))],
        )

    @property
    def is_kernel(self) -> bool:
        """Whether it is launched rather than called."""
        return "gpu.kernel" in self.attributes

    @property
    def entry(self) -> Block:
        """The block that holds the parameters and attributions."""
        return self.body.blocks[0]

    @property
    def parameters(self) -> tuple[SSAValue, ...]:
        """The block arguments that a launch gives."""
        return tuple(self.entry.args[: len(self.function_type.inputs)])

    @property
    def workgroup(self) -> tuple[SSAValue, ...]:
        """The arrays that the threads of a block share."""
        first = len(self.function_type.inputs)
        return tuple(self.entry.args[first : first + self._workgroup_count()])

    @property
    def private(self) -> tuple[SSAValue, ...]:
        """The arrays that each thread has for itself."""
        return tuple(self.entry.args[len(self.function_type.inputs) + self._workgroup_count() :])

    @property
    def known_block_size(self) -> tuple[int, int, int] | None:
        """The block size that every launch will have, where it is known."""
        size = self.attributes.get("gpu.known_block_size")
        if not isinstance(size, DenseArrayBase):
            return None
        x, y, z = (int(value) for value in size.get_values())
        return x, y, z

    def add_workgroup(self, type_: MemRefType) -> SSAValue:
        """Append a workgroup attribution; returns the array."""
        count = self._workgroup_count()
        value = self.entry.insert_arg(type_, len(self.function_type.inputs) + count)
        self.attributes[ATTRIBUTIONS] = IntegerAttr(count + 1, i64)
        return value

    def _workgroup_count(self) -> int:
        count = self.attributes.get(ATTRIBUTIONS)
        return count.value.data if isinstance(count, IntegerAttr) else 0

    def verify_(self) -> None:
        given = self.entry.arg_types[: len(self.function_type.inputs)]
        if tuple(given) != tuple(self.function_type.inputs):
            raise VerifyException(
                f"entry block arguments {[str(t) for t in given]} differ from the function type "
                f"{self.function_type}"
            )
        if self.is_kernel and len(self.function_type.outputs):
            raise VerifyException("a kernel returns nothing, expected no result types")
        for values, space in ((self.workgroup, WORKGROUP), (self.private, PRIVATE)):
            for value in values:
                type_: Attribute = value.type
                if not isinstance(type_, MemRefType) or type_.memory_space != space:
                    raise VerifyException(
                        f"attribution has type {value.type}, expected a memref in "
                        f"#gpu.address_space<{space.data.value}>"
                    )

    @classmethod
    def parse(cls, parser: Parser) -> FuncOp:
        from .gpu_syntax import parse_func

        return parse_func(cls, parser)

    def print(self, printer: Printer) -> None:
        from .gpu_syntax import print_func

        print_func(self, printer)


@op_with_format("($values^ `:` type($values))? attr-dict")
class ReturnOp(IRDLOperation):
    """Ends a `gpu.func`."""

    name = "gpu.return"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), ReturnLike(), HasParent(FuncOp))

    def __init__(self, values: Sequence[SSAValue] = ()):
        super().__init__(operands=[values])


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
