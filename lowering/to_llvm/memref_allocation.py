"""memref to llvm: the memory that functions and modules have.

%m = memref.alloca() : memref<16xf32>   ->   %m = llvm.alloca %one x !llvm.array<16 x f32>
memref.global constant @t = dense<…>    ->   llvm.mlir.global internal constant @t(dense<…>)
"""

from __future__ import annotations

from typing import cast

from xdsl.dialects import func, memref
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, IntegerType, i64
from xdsl.ir import Attribute

from ...dialects import llvm, marks
from ...dialects.llvm.base import UNIT
from ...passes.analyses.divergence import is_private
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..emit.machine import LINE
from ..memref_views import DYNAMIC, Size, as_memref
from .memref_address import alignment_of, multiply, stored_type
from .target import const, enclosing_function, space_number

RULES = Rules()
converts = RULES.converts


def _is_at_entry(op: memref.AllocaOp) -> bool:
    """Whether an array is made before all loops, of which each iteration would have its own."""
    function = op.parent_op()
    is_function = isinstance(function, func.FuncOp | llvm.FuncOp)
    return is_function and op.parent is function.body.first_block


@converts(memref.AllocaOp)
def convert_alloca(op: memref.AllocaOp, operands: Operands, rw: Rewriter) -> Results:
    """Memory on the stack: one piece at the function's entry, or here if its size is dynamic."""
    if _is_at_entry(op) and not is_private(op):
        op.attributes[marks.OF_BLOCK] = UNIT
    kind = as_memref(op.results[0].type)
    element = stored_type(rw, kind)
    count: Size = 1
    dynamic = iter([size for (size,) in operands])
    sizes: list[Size] = [next(dynamic) if s == DYNAMIC else s for s in kind.get_shape()]
    for size in sizes:
        count = multiply(rw, count, size)
    given = op.alignment.value.data if op.alignment is not None else 0
    alignment = given or max(alignment_of(element), LINE)
    properties: dict[str, Attribute] = {
        "elem_type": element,
        "alignment": llvm.number(alignment),
    }
    pointer = llvm.PointerType(space_number(kind.memory_space, rw.state.target))
    if isinstance(count, int):
        entry = enclosing_function(op.parent_op()).body.blocks.first
        assert entry is not None and entry.first_op is not None, "the op stands in a body"
        rw.before(entry.first_op)
        properties["elem_type"] = llvm.ArrayType(count, element)
        address = rw.value(llvm.AllocaOp, (const(rw, 1, i64),), pointer, properties)
        rw.at(op)
    else:
        address = rw.value(llvm.AllocaOp, (count,), pointer, properties)
    return [[address, *(size for size in sizes if not isinstance(size, int))]]


@converts(memref.GlobalOp)
def convert_global(op: memref.GlobalOp, operands: Operands, rw: Rewriter) -> Results:
    """A variable or constant of the module, its numbers in a row."""
    kind = as_memref(op.properties["type"])
    element = stored_type(rw, kind)
    start = op.properties.get("initial_value")
    total = 1
    for size in kind.get_shape():
        total *= size
    array = llvm.ArrayType(total, element)
    value: Attribute | None = None
    if isinstance(start, DenseIntOrFPElementsAttr):
        if isinstance(element, IntegerType) and not isinstance(kind.element_type, IntegerType):
            raise CannotConvert(f"a global with elements of type {kind.element_type}")
        value = cast(Attribute, start)
    properties = op.properties.get("alignment")
    alignment = properties.value.data if isinstance(properties, IntegerAttr) else LINE
    rw.insert(
        llvm.GlobalOp.define(
            op.sym_name.data,
            array,
            value,
            linkage="internal",
            constant="constant" in op.properties,
            space=space_number(kind.memory_space, rw.state.target),
            alignment=alignment,
        )
    )
    return None


@converts(memref.GetGlobalOp)
def convert_get_global(op: memref.GetGlobalOp, operands: Operands, rw: Rewriter) -> Results:
    """The address of the module's variable."""
    kind = rw.type(op.results[0].type)
    return rw.value(llvm.AddressOfOp, (), kind, {"global_name": op.properties["name"]})
