"""`sw.matrix` as gpu.subgroup_mma_*: what is loaded, multiplied and stored as a whole.

    %a = gpu.subgroup_mma_load_matrix %x[%i, %j] {leadDimension = -9223372036854775808 : index}
           : memref<?x?xf16, …> -> !gpu.mma_matrix<16x16xf16, "AOp">

The first and the last row and column are checked like the indices of an element.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xdsl.dialects import arith
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, IntegerAttr, NoneAttr, UnitAttr

from ..dialects.predicates import EQ
from .annotations import scalar_type
from .checks import check
from .convert import store_as
from .functions import Function
from .nvidia_emit import static_bool
from .nvidia_memory import FALSE, checked_places, element_address
from .slices import strides_of
from .types import DTYPES, DType, MatrixType, bf16, f16, f32, f64, i8, i32, matrix_type, u8
from .typing_of import describe
from .values import Scalar, Static, TupleValue, Value, View, static_int

if TYPE_CHECKING:
    from xdsl.ir import Attribute, SSAValue

    from .frame import Frame

ROLES = ("a", "b", "c")
SUMS = Static("c")
_FACTORS = (f16, bf16, f32, f64, i8, u8)
_SUMS = (f32, f16, f64, i32)
_SUMS_OF: dict[DType, tuple[DType, ...]] = {
    **{f16: (f32, f16), bf16: (f32,), f32: (f32,), f64: (f64,), i8: (i32,), u8: (i32,)}
}
# Of a matrix in memory on NVIDIA GPUs: bytes that its start, and each row, are a multiple of.
_START, _ROW = 32, 16


def _type(
    frame: Frame, node: ast.AST, shape: Value, dtype: DType | None, role: Value, turned: bool
) -> MatrixType:
    sizes = [static_int(item) for item in shape.items] if isinstance(shape, TupleValue) else []
    known = [size for size in sizes if size is not None and size > 0]
    if len(known) != 2 or len(sizes) != 2:
        raise frame.refuse(
            node, f"shape is {describe(shape)}, expected two positive constants, as in (16, 16)"
        )
    word = role.value if isinstance(role, Static) else None
    if word not in ROLES:
        raise frame.refuse(node, f'role is {describe(role)}, expected "a", "b" or "c"')
    allowed = _SUMS if word == "c" else _FACTORS
    if dtype not in allowed:
        names = ", ".join(f"sw.{kind}" for kind in allowed)
        raise frame.refuse(node, f"a matrix in the role {word} of {dtype}, expected {names}")
    return matrix_type(known[0], known[1], dtype, word, turned and word != "c")


def _view(frame: Frame, node: ast.AST, name: str, view: Value) -> View:
    if not isinstance(view, View) or len(view.sizes) != 2:
        raise frame.refuse(
            node,
            f"sw.matrix.{name} takes an array of numbers with 2 axes, got {describe(view)}",
            hint="slice others, as in x[i]" if isinstance(view, View) else None,
        )
    if strides_of(view.type)[0][-1] != 1:
        raise frame.refuse(
            node, f"the elements of a row are not side by side, which sw.matrix.{name} needs"
        )
    return view


def _place(
    frame: Frame, node: ast.AST, view: View, index: tuple[Value, Value], sizes: tuple[int, int]
) -> list[SSAValue]:
    """The first element, with a matrix of these sizes behind it in the array."""
    places = checked_places(frame, node, view, index, sizes, "the array of a matrix")
    if frame.unit.machine.name == "cuda" and frame.unit.checks:
        _check_alignment(frame, view, places)
    return places


def _check_alignment(frame: Frame, view: View, places: list[SSAValue]) -> None:
    emitter = frame.emit
    one = emitter.index(1)
    below = emitter.binary(arith.AddiOp, places[0], one, DTYPES["index"])
    for where, bytes_, what in (
        (places, _START, "start"),
        ([below, places[1]], _ROW, "rows"),
    ):
        address = element_address(frame, view, where)
        mask = emitter.constant(bytes_ - 1, address.dtype)
        low = emitter.binary(arith.AndIOp, address.ssa, mask, address.dtype)
        zero = emitter.constant(0, address.dtype)
        check(
            frame,
            emitter.compare(EQ, low, zero, floats=False),
            "alignment",
            f"the {what} of a matrix must be at multiples of {bytes_} bytes on this device",
        )


def _ask_for_check(frame: Frame) -> None:
    """Marks the access that was just made: where units of a device compute, its place is checked.

    NVIDIA GPUs always compute with units, and `_check_alignment` says what these demand.
    """
    if frame.unit.checks and frame.unit.machine.name != "cuda":
        from ..dialects import marks

        access = frame.emit.block.last_op
        assert access is not None, "an access was made"
        access.attributes[marks.CHECKED] = UnitAttr()


def _properties(view: View, transpose: bool) -> dict[str, Attribute]:
    plain = isinstance(view.type.layout, NoneAttr)
    lead = view.type.get_shape()[-1] if plain else DYNAMIC_INDEX
    found: dict[str, Attribute] = {"leadDimension": IntegerAttr(lead, IndexType())}
    if transpose:
        found["transpose"] = UnitAttr()
    return found


def _load(
    frame: Frame, node: ast.AST, view: Value, row: Value, column: Value, shape: Value,
    role: Value = SUMS, transpose: Value = FALSE,
) -> Value:  # fmt: skip
    array = _view(frame, node, "load", view)
    turned = static_bool(frame, node, "transpose", transpose)
    kind = _type(frame, node, shape, array.dtype, role, turned)
    sizes = (kind.columns, kind.rows) if turned else (kind.rows, kind.columns)
    places = _place(frame, node, array, (row, column), sizes)
    if frame.emit.dry:
        return Scalar(kind, places[0])
    from ..dialects.gpu_matrix import SubgroupMmaLoadMatrixOp
    from .emitter import REGISTER

    properties = _properties(array, turned)
    operands = (array.ssa, *places)
    ssa = frame.emit.add(SubgroupMmaLoadMatrixOp, operands, (REGISTER[kind],), properties)
    _ask_for_check(frame)
    return Scalar(kind, ssa)


def _fill(
    frame: Frame, node: ast.AST, value: Value, shape: Value, dtype: Value, role: Value = SUMS
) -> Value:
    element = scalar_type(dtype.value) if isinstance(dtype, Static) else None
    if element is None:
        raise frame.refuse(node, f"dtype is {describe(dtype)}, expected a type such as sw.f32")
    kind = _type(frame, node, shape, element, role, False)
    number = store_as(frame, node, value, element, "the value of sw.matrix.fill")
    if frame.emit.dry:
        return Scalar(kind, number.ssa)
    from ..dialects.gpu_matrix import SubgroupMmaConstantMatrixOp
    from .emitter import REGISTER

    return Scalar(
        kind, frame.emit.add(SubgroupMmaConstantMatrixOp, (number.ssa,), (REGISTER[kind],))
    )


def _matrix(frame: Frame, node: ast.AST, name: str, value: Value, role: str) -> MatrixType:
    kind = value.dtype if isinstance(value, Scalar) else None
    if not isinstance(kind, MatrixType) or kind.role != role:
        raise frame.refuse(
            node, f'{name} is {describe(value)}, expected a matrix in the role "{role}"'
        )
    return kind


def _multiply_add(frame: Frame, node: ast.AST, a: Value, b: Value, c: Value) -> Value:
    left, right, sums = (
        _matrix(frame, node, role, value, role)
        for role, value in zip(ROLES, (a, b, c), strict=True)
    )
    fits = left.columns == right.rows and (sums.rows, sums.columns) == (left.rows, right.columns)
    if not fits:
        raise frame.refuse(node, f"{left} and {right} do not multiply to {sums}")
    if left.element is not right.element or sums.element not in _SUMS_OF[left.element]:
        raise frame.refuse(
            node,
            f"a product of {left.element} and {right.element} with sums of {sums.element}",
            hint="factors have one type, and sums are "
            + " or ".join(f"sw.{kind}" for kind in _SUMS_OF[left.element]),
        )
    assert isinstance(a, Scalar) and isinstance(b, Scalar) and isinstance(c, Scalar), "matrices"
    if frame.emit.dry:
        return Scalar(sums, c.ssa)
    from ..dialects.gpu_matrix import SubgroupMmaComputeOp
    from .emitter import REGISTER

    turned = {"a_transpose": left.turned, "b_transpose": right.turned}
    properties = {name: UnitAttr() for name, is_turned in turned.items() if is_turned}
    operands = (a.ssa, b.ssa, c.ssa)
    ssa = frame.emit.add(SubgroupMmaComputeOp, operands, (REGISTER[sums],), properties)
    return Scalar(sums, ssa)


def _store(
    frame: Frame, node: ast.AST, view: Value, row: Value, column: Value, matrix: Value,
    transpose: Value = FALSE,
) -> Value:  # fmt: skip
    array = _view(frame, node, "store", view)
    kind = _matrix(frame, node, "matrix", matrix, "c")
    if kind.element is not array.dtype:
        raise frame.refuse(node, f"a {kind} to an array of {array.dtype}")
    turned = static_bool(frame, node, "transpose", transpose)
    sizes = (kind.columns, kind.rows) if turned else (kind.rows, kind.columns)
    places = _place(frame, node, array, (row, column), sizes)
    frame.mark_written(array)
    assert isinstance(matrix, Scalar), "a matrix"
    if not frame.emit.dry:
        from ..dialects.gpu_matrix import SubgroupMmaStoreMatrixOp

        properties = _properties(array, turned)
        operands = (matrix.ssa, array.ssa, *places)
        frame.emit.add(SubgroupMmaStoreMatrixOp, operands, (), properties)
        _ask_for_check(frame)
    return Static(None)


_PLACE = ("view", "row", "column")
MATRIX: dict[str, Function] = {
    "load": Function(
        "sw.matrix.load", _load, (*_PLACE, "shape", "role", "transpose"), ("role", "transpose")
    ),
    "fill": Function("sw.matrix.fill", _fill, ("value", "shape", "dtype", "role"), ("role",)),
    "multiply_add": Function("sw.matrix.multiply_add", _multiply_add, ("a", "b", "c")),
    "store": Function("sw.matrix.store", _store, (*_PLACE, "matrix", "transpose"), ("transpose",)),
}
"""By the name in `matrix.py`."""
