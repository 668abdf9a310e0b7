"""Functions of gpu: what is compiled together, what is launched, and how it ends.

A `gpu.module` holds kernels and their helpers; it is a symbol table. A `gpu.func` with `kernel` is
launched over a grid of blocks of threads; it has no result. Its *workgroup attributions* are block
arguments after the parameters: one array per block, alive for the block. *Private attributions* are
one array per thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FunctionType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    SymbolNameConstraint,
    UnitAttr,
    i32,
    i64,
)
from xdsl.ir import (
    Attribute,
    Block,
    Region,
    SSAValue,
)
from xdsl.irdl import (
    IRDLOperation,
    attr_def,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import (
    HasParent,
    IsolatedFromAbove,
    IsTerminator,
    NoTerminator,
    ReturnLike,
    SymbolOpInterface,
    SymbolTable,
)
from xdsl.utils.exceptions import VerifyException

from .gpu_attributes import PRIVATE, WORKGROUP
from .lazy_format import op_with_format

if TYPE_CHECKING:
    from typing import Self

    from xdsl.parser import Parser
    from xdsl.printer import Printer


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
