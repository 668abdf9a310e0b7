"""The rules of `flatten-memrefs` for vectors: consecutive elements, and elements anywhere.

%v = vector.load %x[%i, %j] : memref<?x?xf32, …>, vector<4xf32>

%v = vector.load %x[%at] : memref<?xf32, …>, vector<4xf32>
"""

from __future__ import annotations

from typing import Any

from xdsl.dialects import arith, vector
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IndexType, MemRefType
from xdsl.ir import Operation, SSAValue

from ...dialects.arith import WRAPS
from ...dialects.vector import GatherOp, ScatterOp, SplatOp, shape_of
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..memref_views import Size
from .views import View, known_size

RULES = Rules()
converts = RULES.converts


@converts(
    *(vector.LoadOp, vector.StoreOp, vector.MaskedLoadOp, vector.MaskedStoreOp),
    *(GatherOp, ScatterOp),
)
def convert_access(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """The same op on the array."""
    is_array = [isinstance(value.type, MemRefType) for value in op.operands]
    place = is_array.index(True)
    view = View(op.operands[place].type, operands[place])
    last = place + 1 + view.kind.get_num_dims()
    at = view.at(rw, [known_size(index) for (index,) in operands[place + 1 : last]])
    before = [value for (value,) in operands[:place]]
    rest = [value for (value,) in operands[last:]]
    step: Size = 1 if view.strides is None else view.strides[-1]
    if isinstance(op, GatherOp | ScatterOp):
        rest[0] = _times(rw, rest[0], step)
    elif step != 1:
        raise CannotConvert(
            f"elements of {view.kind} are not next to each other; gather and scatter take them"
        )
    return rw.create(
        type(op),
        [*before, view.base, at, *rest],
        [result.type for result in op.results],
        properties=op.properties,
        attributes=op.attributes,
    )


def _times(rw: Rewriter, offsets: SSAValue, step: Size) -> SSAValue:
    """Offsets along a dimension as offsets in the array."""
    if step == 1:
        return offsets
    kind: Any = offsets.type
    if isinstance(step, int):
        value = DenseIntOrFPElementsAttr.from_list(kind, [step] * shape_of(kind)[0])
        steps = rw.value(arith.ConstantOp, (), kind, {"value": value})
    else:
        element = kind.element_type
        if not isinstance(element, IndexType):
            step = rw.value(arith.IndexCastOp, (step,), element)
        steps = rw.value(SplatOp, (step,), kind)
    return rw.value(arith.MuliOp, (offsets, steps), kind, WRAPS)
