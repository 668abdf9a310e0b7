"""lower-checks: index checks become a comparison and a report.

    simt.check_index %i, %x, 0 as "x"          %d = arith.constant 0 : index
        : memref<?xf32>                        %n = memref.dim %x, %d : memref<?xf32>
                                               %ok = arith.cmpi ult, %i, %n : index
                                               gpux.check %ok, "bounds", "index {} is out of bounds
                                                   for axis 0 of x with size {}" (%i, %n : ...)

A negative index is a large unsigned one, so one comparison is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation
from xdsl.passes import ModulePass

from ..dialects import gpux, simt
from ..dialects.making import make
from ..dialects.predicates import ULT
from .utils.block_editing import constant, erase, functions

_INDEX = IndexType()
_BELOW = IntegerAttr(ULT, i64)
_BOUNDS = StringAttr("bounds")
_FORMATS = ArrayAttr([StringAttr("index"), StringAttr("index")])
_SEGMENTS = DenseArrayBase.from_list(i32, [1, 2, 0])


@dataclass(frozen=True)
class LowerChecks(ModulePass):
    """Replaces `simt.check_index` by `memref.dim`, `arith.cmpi` and `gpux.check`."""

    name = "lower-checks"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            for region in function.regions:
                for block in region.blocks:
                    _lower(block)


def _lower(block: Block) -> None:
    op = block.first_op
    while op is not None:
        following = op.next_op
        if isinstance(op, simt.CheckIndexOp):
            block.insert_ops_before(_expand(op), op)
            erase(op)
        for region in op.regions:
            for inner in region.blocks:
                _lower(inner)
        op = following


def _expand(op: simt.CheckIndexOp) -> list[Operation]:
    location, axis = op.location, op.dimension.value.data
    view = op.view.type
    assert isinstance(view, MemRefType), "a check is about a memref"
    size = view.get_shape()[axis]
    ops: list[Operation] = []
    bound = constant(_INDEX, axis if size < 0 else size, location)
    ops.append(bound)
    extent = bound.result
    if size < 0:
        dim = make(memref.DimOp, (op.view, extent), (_INDEX,), location=location)
        ops.append(dim)
        extent = dim.result
    inside = make(arith.CmpiOp, (op.index, extent), (i1,), {"predicate": _BELOW}, location)
    name = op.view_name.data.replace("{", "{{").replace("}", "}}")
    message = f"index {{}} is out of bounds for axis {axis} of {name} with size {{}}"
    properties: dict[str, Attribute] = {
        "kind": _BOUNDS,
        "message": StringAttr(message),
        "formats": _FORMATS,
        "operandSegmentSizes": _SEGMENTS,
    }
    check = make(gpux.CheckOp, (inside.result, op.index, extent), (), properties, location)
    return [*ops, inside, check]
