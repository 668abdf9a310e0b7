"""simt: what one thread does, in Python's meaning, straight from the front end.

A kernel at this level is a `gpu.func` (its helpers are private `func.func`s) that describes one
thread. Values are SSA scalars and memrefs; a Python variable that is assigned more than once lives
in a *cell*, read by `get` and written by `set` in program order. A cell never escapes: it is no
memory, has no address, and reading it before the first `set` gives an undefined value.

Control flow is structured and has exits: `simt_control.py`.

`check_index` guards the access that follows it: unless `0 <= index < dim(view, dimension)` it
reports and ends the thread. Plain `memref` accesses are unchecked.

`floordiv` and `mod` are Python's `//` and `%` on signed integers (they wrap where the quotient does
not fit; the divisor is not zero) and on floats. `shared` is one array per block, `local` one per
thread; both are uninitialised, and are the same array each time the op is reached.

On the way down `structure-early-exits` turns this control flow into scf, `promote-variables` leaves
no cell, `lower-checks` and `simt-to-gpu` remove the rest.
"""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import (
    AnyFloatConstr,
    IndexType,
    IndexTypeConstr,
    IntegerAttr,
    MemRefType,
    SignlessIntegerConstraint,
    StringAttr,
    i64,
)
from xdsl.ir import (
    Attribute,
    Dialect,
    ParametrizedAttribute,
    SSAValue,
    TypeAttribute,
)
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    ParamAttrConstraint,
    ParsePropInAttrDict,
    VarConstraint,
    irdl_attr_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import (
    MemoryAllocEffect,
    MemoryReadEffect,
    MemoryWriteEffect,
    Pure,
)
from xdsl.utils.exceptions import VerifyException

from .gpu import DimensionOp
from .lazy_format import op_with_format
from .simt_control import EXITS as EXITS
from .simt_control import BreakOp as BreakOp
from .simt_control import ConditionOp as ConditionOp
from .simt_control import ContinueOp as ContinueOp
from .simt_control import ForOp as ForOp
from .simt_control import IfOp as IfOp
from .simt_control import ReturnOp as ReturnOp
from .simt_control import WhileOp as WhileOp
from .simt_control import YieldOp as YieldOp


@irdl_attr_definition
class CellType(ParametrizedAttribute, TypeAttribute):
    """A mutable local scalar: `!simt.cell<f32>`."""

    name = "simt.cell"
    element: Attribute


@op_with_format("attr-dict `:` type($cell)")
class CellOp(IRDLOperation):
    """One Python variable; `name_hint` of the result is its name."""

    name = "simt.cell"
    cell = result_def(CellType)
    traits = traits_def(MemoryAllocEffect())

    def __init__(self, element: Attribute):
        super().__init__(result_types=[CellType(element)])


@op_with_format("$cell attr-dict `:` type($value)")
class GetOp(IRDLOperation):
    """The value of a cell."""

    name = "simt.get"
    T: ClassVar = VarConstraint("T", AnyAttr())
    cell = operand_def(ParamAttrConstraint(CellType, (T,)))
    value = result_def(T)
    traits = traits_def(MemoryReadEffect())

    def __init__(self, cell: SSAValue):
        assert isinstance(cell.type, CellType), "get reads a cell"
        super().__init__(operands=[cell], result_types=[cell.type.element])


@op_with_format("$value `,` $cell attr-dict `:` type($value)")
class SetOp(IRDLOperation):
    """Give a cell a value."""

    name = "simt.set"
    T: ClassVar = VarConstraint("T", AnyAttr())
    value = operand_def(T)
    cell = operand_def(ParamAttrConstraint(CellType, (T,)))
    traits = traits_def(MemoryWriteEffect())

    def __init__(self, value: SSAValue, cell: SSAValue):
        super().__init__(operands=[value, cell])


@op_with_format("$index `,` $view `,` $dimension `as` $view_name attr-dict `:` type($view)")
class CheckIndexOp(IRDLOperation):
    """`simt.check_index %i, %x, 0 : i64 as "x" : memref<?xf32>`: the index is inside the axis."""

    name = "simt.check_index"
    index = operand_def(IndexType)
    view = operand_def(MemRefType)
    dimension = prop_def(IntegerAttr)
    view_name = prop_def(StringAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def __init__(self, index: SSAValue, view: SSAValue, dimension: int, view_name: str):
        super().__init__(
            operands=[index, view],
            properties={
                "dimension": IntegerAttr(dimension, i64),
                "view_name": StringAttr(view_name),
            },
        )

    def verify_(self) -> None:
        view = self.view.type
        assert isinstance(view, MemRefType), "the operand's constraint"
        rank = view.get_num_dims()
        if not 0 <= self.dimension.value.data < rank:
            dimension = self.dimension.value.data
            raise VerifyException(f"dimension {dimension} of a memref of rank {rank}")


_NUMBER = SignlessIntegerConstraint | AnyFloatConstr | IndexTypeConstr


class _Division(IRDLOperation):
    T: ClassVar = VarConstraint("T", _NUMBER)
    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(T)
    traits = traits_def(Pure())

    def __init__(self, lhs: SSAValue, rhs: SSAValue):
        super().__init__(operands=[lhs, rhs], result_types=[lhs.type])


@op_with_format("$lhs `,` $rhs attr-dict `:` type($result)")
class FloorDivOp(_Division):
    """Python's `//`: the quotient rounded towards minus infinity."""

    name = "simt.floordiv"


@op_with_format("$lhs `,` $rhs attr-dict `:` type($result)")
class ModOp(_Division):
    """Python's `%`: the remainder that has the divisor's sign."""

    name = "simt.mod"


@op_with_format("$dimension attr-dict")
class GlobalSizeOp(DimensionOp):
    """Threads that run along a dimension: the extent of an `over` launch, else all of the grid."""

    name = "simt.global_size"


@op_with_format("attr-dict `:` type($view)")
class SharedOp(IRDLOperation):
    """One array per block; a dynamic first size takes the launch's dynamic shared memory."""

    name = "simt.shared"
    view = result_def(MemRefType)
    traits = traits_def(MemoryAllocEffect())

    def __init__(self, view: MemRefType):
        super().__init__(result_types=[view])


@op_with_format("attr-dict `:` type($view)")
class LocalOp(IRDLOperation):
    """One array per thread, of constant size."""

    name = "simt.local"
    view = result_def(MemRefType)
    traits = traits_def(MemoryAllocEffect())

    def __init__(self, view: MemRefType):
        super().__init__(result_types=[view])


SIMT = Dialect(
    "simt",
    [
        *(CellOp, GetOp, SetOp, IfOp, ForOp, WhileOp, YieldOp, BreakOp, ContinueOp, ReturnOp),
        *(ConditionOp, CheckIndexOp, FloorDivOp, ModOp, GlobalSizeOp, SharedOp, LocalOp),
    ],
    [CellType],
)
