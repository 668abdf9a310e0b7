"""Elements of arrays: indices with their checks, loads, stores."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import SSAValue

from ..dialects import simt
from ..dialects.predicates import NE
from .convert import store_as, store_value, to_index
from .emitter import I8, I64, INDEX, MEMORY, integer
from .types import DTYPES, bool_
from .typing_of import describe
from .values import (
    AnyView,
    RecordView,
    Scalar,
    Static,
    StructValue,
    TupleValue,
    Value,
    View,
    static_int,
)
from .variables import flatten, rebuild

if TYPE_CHECKING:
    from .frame import Frame

_INDEX = DTYPES["index"]


def dimension(frame: Frame, view: AnyView, axis: int) -> Value:
    """The size of an axis: a constant where it is known, else of type index."""
    known = view.sizes[axis]
    if known is not None:
        return Static(known)
    source = view if isinstance(view, View) else view.leaves[0]
    at = frame.emit.index(axis)
    return Scalar(_INDEX, frame.emit.add(memref.DimOp, (source.ssa, at), (INDEX,)))


def field_name(node: ast.Subscript) -> str | None:
    """The name that is an index, as in `points["x"]`."""
    found = node.slice
    if isinstance(found, ast.Constant) and isinstance(found.value, str):
        return found.value
    return None


def index_nodes(frame: Frame, node: ast.Subscript, view: AnyView) -> list[ast.expr | Value]:
    """One index or slice for each axis; missing ones are whole slices."""
    given: list[ast.expr | Value] = []
    written = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for part in written:
        if isinstance(part, (ast.Slice, ast.Starred)):
            given.append(part)
            continue
        value = frame.eval(part)
        given += value.items if isinstance(value, TupleValue) else [value]
    return _complete(frame, node, view, given)


def _complete(
    frame: Frame, node: ast.Subscript, view: AnyView, given: list[ast.expr | Value]
) -> list[ast.expr | Value]:
    rank = len(view.sizes)
    whole = ast.copy_location(ast.Slice(), node)
    for position, part in enumerate(given):
        if isinstance(part, Static) and part.value is ...:
            missing = rank - len(given) + 1
            given = [*given[:position], *[whole] * missing, *given[position + 1 :]]
            break
    for part in given:
        if isinstance(part, Static) and part.value is None:
            raise frame.refuse(node, "None (a new axis) is not in the language")
        if isinstance(part, ast.Starred):
            raise frame.refuse(part, "a starred index is not in the language")
    if len(given) > rank:
        raise frame.refuse(node, f"{len(given)} indices for an array with {rank} axes")
    return [*given, *[whole] * (rank - len(given))]


def element(
    frame: Frame, node: ast.Subscript, view: AnyView, indices: list[ast.expr | Value]
) -> list[SSAValue]:
    """Checked indices of one element."""
    text = frame.text_of(node.value)
    values: list[SSAValue] = []
    for axis, index in enumerate(indices):
        assert isinstance(index, Value), "slices have been taken out"
        values.append(checked_index(frame, node, view, axis, index, text))
    return values


def checked_index(
    frame: Frame, node: ast.AST, view: AnyView, axis: int, index: Value, text: str
) -> SSAValue:
    """One index, with the check that it is inside the axis; a negative constant counts back."""
    size, known = view.sizes[axis], static_int(index)
    if isinstance(index, Static) and isinstance(index.value, bool):
        raise frame.refuse(node, "an index must be an integer, got a bool")
    if known is not None and size is not None:
        if not -size <= known < size:
            raise frame.refuse(
                node, f"index {known} is out of bounds for axis {axis} of {text} with size {size}"
            )
        return frame.emit.index(known % size)
    if known is not None and known < 0:
        end = dimension(frame, view, axis)
        assert isinstance(end, Scalar), "a known size was handled above"
        back = frame.emit.index(-known)
        value = frame.emit.binary(arith.SubiOp, end.ssa, back, _INDEX)
    else:
        value = to_index(frame, node, index, "an index")
    if frame.unit.checks:
        source = view if isinstance(view, View) else view.leaves[0]
        frame.emit.add(
            simt.CheckIndexOp,
            (value, source.ssa),
            (),
            {"dimension": integer(axis, I64), "view_name": StringAttr(text)},
        )
    return value


def load(frame: Frame, view: AnyView, indices: list[SSAValue]) -> Value:
    """The element at checked indices."""
    if isinstance(view, RecordView):
        return _load_record(frame, view, indices)
    value = frame.emit.add(memref.LoadOp, (view.ssa, *indices), (MEMORY[view.dtype],))
    if view.dtype is bool_:
        zero = _byte_zero(frame)
        value = frame.emit.compare(NE, value, zero, floats=False)
    return Scalar(view.dtype, value)


def _byte_zero(frame: Frame) -> SSAValue:
    return frame.emit.constant(0, DTYPES["i8"])


def store(
    frame: Frame, node: ast.AST, view: AnyView, indices: list[SSAValue], value: Value, text: str
) -> None:
    """Write the element at checked indices; converts within the kind of its type."""
    if isinstance(view, RecordView):
        _store_record(frame, node, view, indices, value, text)
        return
    scalar = store_as(frame, node, value, view.dtype, f"element of {text}")
    frame.mark_written(view)
    ssa = scalar.ssa
    if view.dtype is bool_:
        ssa = frame.emit.add(arith.ExtUIOp, (ssa,), (I8,))
    frame.emit.add(memref.StoreOp, (ssa, view.ssa, *indices))


def _load_record(frame: Frame, view: RecordView, indices: list[SSAValue]) -> Value:
    """A copy of one element."""
    scalars = [load(frame, leaf, indices) for leaf in view.leaves]
    return rebuild(view.element, scalars, "the array element")


def _store_record(
    frame: Frame, node: ast.AST, view: RecordView, indices: list[SSAValue], value: Value, text: str
) -> None:
    """`points[i] = Point(x, y)`: field by field, by name."""
    if isinstance(value, TupleValue) and len(value.items) == len(view.element.fields):
        names = [field.name for field in view.element.fields]
        value = StructValue(view.element, dict(zip(names, value.items, strict=True)))
    if not isinstance(value, StructValue):
        raise frame.refuse(
            node,
            f"element of {text} is a {view.element.name}, got {describe(value)}",
            hint="assign one field, as in points[i].x = …, or a dataclass with the same fields",
        )
    stored = store_value(frame, node, value, view.element, f"element of {text}")
    for leaf, scalar in zip(view.leaves, flatten(stored), strict=True):
        store(frame, node, leaf, indices, scalar, text)


def target_view(frame: Frame, node: ast.Subscript) -> tuple[AnyView, list[SSAValue]]:
    """The array and the checked indices that an assignment's target means."""
    value = frame.eval(node.value)
    if not isinstance(value, (View, RecordView)):
        hint = None
        if isinstance(value, TupleValue):
            hint = "tuples cannot be changed; use sw.local(…) for a small array"
            if isinstance(node.value, ast.Attribute):
                whole = ", ".join("…" for _ in value.items)
                hint = f"tuples are assigned as a whole: {frame.text_of(node.value)} = ({whole})"
        raise frame.refuse(node, f"cannot assign to an item of {describe(value)}", hint=hint)
    if isinstance(value, RecordView):
        field = field_name(node)
        if field is not None:
            raise _slice_target(frame, node)
    indices = index_nodes(frame, node, value)
    if any(isinstance(index, ast.Slice) for index in indices):
        raise _slice_target(frame, node)
    return value, element(frame, node, value, indices)


def _slice_target(frame: Frame, node: ast.Subscript) -> Exception:
    return frame.refuse(
        node,
        "a slice cannot be assigned to",
        hint="assign element by element, in a loop or one per thread",
    )
