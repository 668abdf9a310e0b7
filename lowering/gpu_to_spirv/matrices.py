"""Matrices of a subgroup to cooperative matrices (SPV_KHR_cooperative_matrix).

    %a = gpux.matrix_load %x[%at], %stride : memref<?xf16, …> -> !gpu.mma_matrix<16x16xf16, "AOp">
    %d = gpu.subgroup_mma_compute %a, %b, %c : …

    %p = spirv.AccessChain %x[%zero, %at] : …
    %a = spirv.KHR.CooperativeMatrixLoad %p, %stride, <RowMajor>, <Aligned|NonPrivatePointer>, 16 :
           … -> !spirv.coopmatrix<16x16xf16, Subgroup, MatrixA>
    %d = spirv.KHR.CooperativeMatrixMulAdd %a, %b, %c : …

Which lane holds which element is the device's business. What has no instruction for whole matrices
is computed element by element, each lane those that it holds. A module with cooperative matrices
has the Vulkan memory model (`State.vulkan_memory`), as the extension demands.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import VectorType, i32
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects import spirv
from ...dialects.gpu_matrix import (
    MmaMatrixType,
    SubgroupMmaComputeOp,
    SubgroupMmaConstantMatrixOp,
    SubgroupMmaElementwiseOp,
    matrix_type,
)
from ...dialects.gpux_matrix import MatrixLoadOp, MatrixStoreOp
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules, Types
from ..grid_to_shader.matrix_tiles import WIDEST
from ..grid_to_shader.matrix_units import stored, unit_of
from ..memref_views import as_memref
from .build import (
    BY_ADDRESS,
    NO_CONTRACTION,
    NOTHING,
    access,
    as_index,
    binary,
    bits,
    compare,
    extract,
    load,
    memory_access,
    op,
    select,
    state_of,
    store,
    word,
)
from .control import loop, selection, variable
from .memory import element

RULES = Rules()
converts = RULES.converts
_USES = {"AOp": "MatrixA", "BOp": "MatrixB", "COp": "MatrixAcc"}


def cooperative(kind: MmaMatrixType, types: Types) -> spirv.CooperativeMatrixType:
    """The type that a matrix gets."""
    use = _USES[kind.use.data]
    return spirv.CooperativeMatrixType(stored(kind), *kind.shape, "Subgroup", use)


# --- memory ---------------------------------------------------------------------------------------


def _access(
    rw: Rewriter, op_: MatrixLoadOp | MatrixStoreOp, kind: MmaMatrixType, pointer: SSAValue
) -> dict[str, Attribute]:
    """How elements lie, and what is known of where they do."""
    row = kind.shape[op_.transpose is None] * bits(stored(kind)) // 8
    properties = memory_access(rw, pointer, min(WIDEST, row & -row))
    found: dict[str, Attribute] = {
        "matrix_layout": spirv.CooperativeMatrixLayoutAttr(
            "RowMajor" if op_.transpose is None else "ColumnMajor"
        )
    }
    if properties:
        found["memory_operand"] = properties["memory_access"]
    if "alignment" in properties:
        found["alignment"] = properties["alignment"]
    return found


@converts(MatrixLoadOp)
def convert_load(op_: MatrixLoadOp, operands: Operands, rw: Rewriter) -> Results:
    """From the first element on."""
    (view,), (at,), (stride,) = operands
    kind, pointer = matrix_type(op_.result), element(rw, view, at)
    properties = _access(rw, op_, kind, pointer)
    result = cooperative(kind, rw.types)
    return rw.value(spirv.CooperativeMatrixLoadOp, (pointer, stride), result, properties)


@converts(MatrixStoreOp)
def convert_store(op_: MatrixStoreOp, operands: Operands, rw: Rewriter) -> Results:
    """From the first element on."""
    (value,), (view,), (at,), (stride,) = operands
    pointer = element(rw, view, at)
    properties = _access(rw, op_, matrix_type(op_.value), pointer)
    rw.create(spirv.CooperativeMatrixStoreOp, (pointer, value, stride), properties=properties)
    return None


@converts(memref.ExtractAlignedPointerAsIndexOp)
def convert_address(
    op_: memref.ExtractAlignedPointerAsIndexOp, operands: Operands, rw: Rewriter
) -> Results:
    """The low word of a buffer's address, which says where matrices may lie; others begin at 0.

    A binding begins where all devices take any access from; the bound array may begin later.
    """
    ((view,),) = operands
    kind = view.type
    assert isinstance(kind, spirv.PointerType), "a view is a pointer"
    if kind.storage_class == BY_ADDRESS:
        return as_index(rw, extract(rw, op(rw, "Bitcast", (view,), VectorType(i32, [2])), 0))
    start = state_of(rw).starts.get(view)
    size = bits(as_memref(op_.source.type).element_type) // 8
    return as_index(rw, word(rw, 0) if start is None else binary(rw, "IMul", start, size))


# --- products -------------------------------------------------------------------------------------


@converts(SubgroupMmaConstantMatrixOp)
def convert_constant(op_: SubgroupMmaConstantMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """A composite of one member, which all elements are."""
    ((value,),) = operands
    return rw.value(spirv.CompositeConstructOp, (value,), rw.type(op_.result.type))


@converts(SubgroupMmaComputeOp)
def convert_compute(op_: SubgroupMmaComputeOp, operands: Operands, rw: Rewriter) -> Results:
    """One instruction, which the profile lists."""
    (a,), (b,), (c,) = operands
    kinds = matrix_type(op_.a), matrix_type(op_.b), matrix_type(op_.c)
    unit = unit_of(*kinds, state_of(rw).target.units)
    if unit is None:
        raise CannotConvert(
            f"no instruction of this device multiplies {kinds[0]} and {kinds[1]} to {kinds[2]} "
            "(lower-matrices comes before)"
        )
    signed = ("ASigned", "BSigned") if unit.factors == "s8" else ()
    signed += ("CSigned", "ResultSigned") if unit.sums == "s32" else ()
    properties: dict[str, Attribute] = {}
    if signed:
        properties["matrix_operands"] = spirv.CooperativeMatrixOperandsAttr("|".join(signed))
    return op(rw, "KHR.CooperativeMatrixMulAdd", (a, b, c), c.type, properties)


# --- element by element ---------------------------------------------------------------------------

_WHOLE = {
    "addf": "FAdd", "subf": "FSub", "mulf": "FMul", "addi": "IAdd", "subi": "ISub", "muli": "IMul",
    "negatef": "FNegate", "negates": "SNegate", "extf": "FConvert",
}  # fmt: skip
_ROUNDED = ("FAdd", "FSub", "FMul")
_ELEMENTS: dict[str, type[Operation]] = {
    "divf": arith.DivfOp, "maxf": arith.MaximumfOp, "minf": arith.MinimumfOp,
    "divs": arith.DivSIOp, "divu": arith.DivUIOp,
}  # fmt: skip


@converts(SubgroupMmaElementwiseOp)
def convert_elementwise(op_: SubgroupMmaElementwiseOp, operands: Operands, rw: Rewriter) -> Results:
    """One instruction, or a loop over the elements that a lane holds."""
    word_, values = op_.kind.data, [value for (value,) in operands]
    kind = cooperative(matrix_type(op_.result), rw.types)
    is_float = not stored(matrix_type(op_.result)).name.startswith("integer")
    if word_ != "negates" and word_.endswith("f") != is_float:
        raise CannotConvert(f"{word_} of {op_.result.type}")
    name = _WHOLE.get(word_)
    if name is None:
        return _each(rw, _ELEMENTS[word_], values, kind)
    return op(rw, name, values, kind, NO_CONTRACTION if name in _ROUNDED else NOTHING)


@converts(arith.SelectOp)
def convert_select(op_: arith.SelectOp, operands: Operands, rw: Rewriter) -> Results:
    """A branch: there is no instruction that chooses between cooperative matrices."""
    if not isinstance(op_.result.type, MmaMatrixType):
        return select(rw, *(value for (value,) in operands))
    (condition,), (yes,), (no,) = operands
    place, then = variable(rw, yes.type), Block()
    store(rw, place, no)
    merge = selection(rw, condition, then)
    with rw.inside(then):
        store(rw, place, yes)
        rw.create(spirv.BranchOp, successors=[merge])
    return load(rw, place)


def _each(
    rw: Rewriter,
    op_class: type[Operation],
    values: Sequence[SSAValue],
    kind: spirv.CooperativeMatrixType,
) -> SSAValue:
    """An op of arith on each element that the lane holds."""
    places = [variable(rw, value.type) for value in values]
    for place, value in zip(places, values, strict=True):
        store(rw, place, value)
    result = variable(rw, kind)
    length = rw.value(spirv.CooperativeMatrixLengthOp, (), i32, {"cooperative_matrix_type": kind})

    def body(index: SSAValue) -> list[SSAValue]:
        elements = [load(rw, access(rw, place, [index], kind.element)) for place in places]
        made = rw.value(op_class, elements, kind.element)
        store(rw, access(rw, result, [index], kind.element), made)
        return [binary(rw, "IAdd", index, 1)]

    def is_held(index: SSAValue) -> SSAValue:
        return compare(rw, "ULessThan", index, length)

    loop(rw, [word(rw, 0)], is_held, body)
    return load(rw, result)
