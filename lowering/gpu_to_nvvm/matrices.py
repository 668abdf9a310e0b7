"""gpu.subgroup_mma_*: fragments of wmma, a value for each register.

    %a = gpu.subgroup_mma_load_matrix %x[%i, %j]     %p = llvm.getelementptr inbounds %x[…]
        {leadDimension = 32 : index} : … ->          %s = nvvm.wmma.load %p, %c32 {frag = a, …}
        !gpu.mma_matrix<16x16xf16, "AOp">            %a0 = llvm.extractvalue %s[0] …

    gpu.subgroup_mma_elementwise addf %c, %d         arith.addf of each pair of registers

The shape of a product is seen from one operand: with f16 and 16 products along k, 32 rows of A go
with 8 columns of B. f32 as A and B is tf32. Rows begin at multiples of 16 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    IntegerAttr,
    f32,
    i16,
    i32,
)
from xdsl.ir import Attribute, SSAValue

from ...dialects import gpu, llvm
from ...dialects.diagnostics import CompileError, location_of
from ...dialects.gpu_matrix import (
    MmaMatrixType,
    SubgroupMmaComputeOp,
    SubgroupMmaConstantMatrixOp,
    SubgroupMmaElementwiseOp,
    SubgroupMmaLoadMatrixOp,
    SubgroupMmaStoreMatrixOp,
)
from ...dialects.llvm.base import numbers
from ...dialects.nvvm import OPS
from ...dialects.nvvm.attributes import LayoutAttr, MmaTypeAttr
from ...dialects.nvvm.matrix import PAIR
from ...dialects.nvvm.wmma import TILES, FragmentAttr, Shape, registers, struct
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..matrix_arithmetic import ELEMENTWISE
from ..to_llvm.memref import view_of
from ..to_llvm.memref_address import View, element_address
from ..to_llvm.target import const, resize

RULES = Rules()
converts = RULES.converts

ROW_BYTES = 16
_WORDS = {"i32": "s32", "i8": "s8", "si8": "s8", "ui8": "u8"}
_FRAGMENT = {"AOp": "a", "BOp": "b", "COp": "c"}


def element_word(kind: MmaMatrixType) -> str:
    """What wmma calls the elements: f32 as a factor is tf32, si8 is s8."""
    word = _WORDS.get(str(kind.element), str(kind.element))
    return "tf32" if word == "f32" and kind.use.data != "COp" else word


def _shape(kind: MmaMatrixType) -> Shape:
    """The shape of the product that a matrix is an operand of."""
    word, use = element_word(kind), kind.use.data
    rows, columns = kind.shape
    for shape, of in TILES:
        m, n, k = shape
        mine = {"AOp": (m, k), "BOp": (k, n), "COp": (m, n)}[use]
        sums = word in TILES[shape, of].sums
        if mine == (rows, columns) and (sums if use == "COp" else of == word):
            return shape
    raise CannotConvert(f"a matrix of type {kind} is no operand of a wmma")


def matrix_registers(kind: MmaMatrixType) -> list[Attribute]:
    """The registers that a lane holds of a matrix."""
    found = registers(_shape(kind), element_word(kind), _FRAGMENT[kind.use.data])
    assert found is not None, "the shape was found in the table"
    count, register = found
    return [register] * count


def _types_of(kind: Attribute, types: Any) -> list[Attribute]:
    assert isinstance(kind, MmaMatrixType), "the rule is for matrices"
    try:
        return matrix_registers(kind)
    except CannotConvert:
        return [kind]  # whoever makes such a matrix is refused


TYPE_RULES: dict[type[Attribute], Callable[[Any, Any], list[Attribute]]] = {
    MmaMatrixType: _types_of
}


def _matrix(value: SSAValue) -> MmaMatrixType:
    kind: Attribute = value.type
    assert isinstance(kind, MmaMatrixType), "the op was verified"
    return kind


def _where(shape: Shape) -> dict[str, Attribute]:
    return {name: IntegerAttr(size, i32) for name, size in zip("mnk", shape, strict=True)}


def _stride(op: Any, kind: MmaMatrixType, view: View, rw: Rewriter) -> SSAValue:
    """Elements from row to row; one that is not constant is taken as it is."""
    lead, bits = op.lead.value.data, 8 if element_word(kind) in ("s8", "u8") else 0
    if lead == DYNAMIC_INDEX:
        own = view.all_strides(rw)
        if len(own) < 2:
            raise CannotConvert(f"{view.kind} has no rows: expected a constant leadDimension")
        if not isinstance(own[-2], int):
            return resize(rw, own[-2], i32, signed=False)
        lead = own[-2]
    nbytes = lead * (bits or int(str(kind.element).lstrip("bfi"))) // 8
    if nbytes % ROW_BYTES:
        raise CannotConvert(
            f"rows {lead} elements of {kind.element} apart, expected a multiple of "
            f"{ROW_BYTES} bytes"
        )
    return const(rw, lead, i32)


def _layout(turned: object) -> LayoutAttr:
    return LayoutAttr("row" if turned is None else "col")


def _parts(rw: Rewriter, value: SSAValue, count: int) -> list[SSAValue]:
    kind = value.type
    if not isinstance(kind, llvm.StructType):
        return [value]
    return [
        rw.value(
            llvm.ExtractValueOp, (value,), kind.fields.data[n], {"position": numbers((n,), 64)}
        )
        for n in range(count)
    ]


@converts(SubgroupMmaLoadMatrixOp)
def convert_load(op: SubgroupMmaLoadMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """wmma.load, and its registers one by one."""
    kind = _matrix(op.result)
    shape, parts = _shape(kind), matrix_registers(kind)
    view = view_of(op, operands)
    place = element_address(rw, view, [i for (i,) in operands[1:]])
    loaded = rw.value(
        OPS["wmma.load"],
        (place, _stride(op, kind, view, rw)),
        struct(len(parts), parts[0]),
        {
            "eltype": MmaTypeAttr(element_word(kind)),
            "frag": FragmentAttr(_FRAGMENT[kind.use.data]),
            "layout": _layout(op.transpose),
            **_where(shape),
        },
    )
    return [_parts(rw, loaded, len(parts))]


@converts(SubgroupMmaStoreMatrixOp)
def convert_store(op: SubgroupMmaStoreMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """wmma.store."""
    kind = _matrix(op.value)
    view = view_of(op, operands, 1)
    place = element_address(rw, view, [i for (i,) in operands[2:]])
    rw.create(
        OPS["wmma.store"],
        (place, _stride(op, kind, view, rw), *operands[0]),
        properties={
            "eltype": MmaTypeAttr(element_word(kind)),
            "layout": _layout(op.transpose),
            **_where(_shape(kind)),
        },
    )
    return None


@converts(SubgroupMmaComputeOp)
def convert_compute(op: SubgroupMmaComputeOp, operands: Operands, rw: Rewriter) -> Results:
    """wmma.mma. Its layouts have to be those of the loads."""
    a, c = _matrix(op.a), _matrix(op.c)
    shape = _shape(a)
    if _shape(_matrix(op.b)) != shape:
        raise CannotConvert(f"there is no wmma of {a} and {op.b.type}")
    if element_word(c) not in TILES[shape, element_word(a)].sums:
        raise CannotConvert(f"there is no wmma of {a} with sums of {c.element}")
    parts = matrix_registers(c)
    result = rw.value(
        OPS["wmma.mma"],
        [value for group in operands for value in group],
        struct(len(parts), parts[0]),
        {
            "eltypeA": MmaTypeAttr(element_word(a)),
            "eltypeB": MmaTypeAttr(element_word(c)),
            "layoutA": _layout(op.a_transpose),
            "layoutB": _layout(op.b_transpose),
            **_where(shape),
        },
    )
    return [_parts(rw, result, len(parts))]


@converts(SubgroupMmaConstantMatrixOp)
def convert_constant(op: SubgroupMmaConstantMatrixOp, operands: Operands, rw: Rewriter) -> Results:
    """The value in each part of each register."""
    kind = _matrix(op.result)
    parts = matrix_registers(kind)
    ((value,),) = operands
    return [[_filled(rw, value, parts[0])] * len(parts)]


def _filled(rw: Rewriter, value: SSAValue, register: Attribute) -> SSAValue:
    if register == PAIR:
        whole = rw.value(llvm.PoisonOp, (), register)
        for lane in range(2):
            place = const(rw, lane, i32)
            whole = rw.value(llvm.InsertElementOp, (whole, value, place), register)
        return whole
    if value.type == register:
        return value
    if value.type == f32:  # tf32
        return rw.value(llvm.BitcastOp, (value,), i32)
    wide = rw.value(llvm.ZExtOp, (value,), i32)
    times = 0x10001 if value.type == i16 else 0x1010101
    return rw.value(llvm.MulOp, (wide, const(rw, times, i32)), i32)


@converts(SubgroupMmaElementwiseOp)
def convert_elementwise(op: SubgroupMmaElementwiseOp, operands: Operands, rw: Rewriter) -> Results:
    """Register by register, where a register holds numbers that can be computed with."""
    kind, result = op.kind.data, _matrix(op.result)
    parts = matrix_registers(result)
    held = result.use.data == "COp" or element_word(result) in ("f16", "f64")
    integers = element_word(result) == "s32"
    fits = kind.endswith("f") != integers and kind not in ("negates", "extf")
    if not held or not (fits or (kind == "negates" and integers)):
        raise CannotConvert(f"{kind} of {result} is not computed in registers here")
    made: list[SSAValue] = []
    for group in zip(*operands, strict=True):
        if kind == "negates":
            zero = const(rw, 0, parts[0])
            made.append(rw.value(arith.SubiOp, (zero, *group), parts[0]))
        else:
            made.append(rw.value(ELEMENTWISE[kind], group, parts[0]))
    return [made]


# --- layouts --------------------------------------------------------------------------------------


def check_layouts(kernel: gpu.FuncOp) -> None:
    """A product takes an operand as it was loaded: wmma.mma has to know how that was."""
    ops = list(kernel.walk())
    loads = [op for op in ops if isinstance(op, SubgroupMmaLoadMatrixOp)]
    errors: list[CompileError] = []
    for op in ops:
        if not isinstance(op, SubgroupMmaComputeOp):
            continue
        for name, value, turned in (("a", op.a, op.a_transpose), ("b", op.b, op.b_transpose)):
            if _loaded_as(value, loads) - {turned is not None}:
                how = "as it is" if turned is not None else "with transpose"
                errors.append(
                    CompileError(
                        f"{name} may have been loaded {how}, which {name}_transpose denies",
                        location_of(op),
                        hint="give all loads of such matrices the flag that the product has",
                    )
                )
    if errors:
        raise CompileError.collect("matrices are multiplied otherwise than loaded", errors)


def _loaded_as(value: SSAValue, loads: Sequence[SubgroupMmaLoadMatrixOp]) -> set[bool]:
    """Whether the loads that a matrix may come from transpose; those of its type, in doubt."""
    owner = value.owner
    if isinstance(owner, SubgroupMmaLoadMatrixOp):
        return {owner.transpose is not None}
    if isinstance(owner, SubgroupMmaConstantMatrixOp):
        return set()
    if isinstance(owner, SubgroupMmaElementwiseOp):
        return set[bool]().union(*(_loaded_as(operand, loads) for operand in owner.operands))
    return {load.transpose is not None for load in loads if load.result.type == value.type}
