"""`value.name`: of arrays, structs, and of constants such as modules and enums."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

from . import intrinsics
from .arrays import dimension
from .constants import import_static
from .operators import binary
from .refusals import CALLS, foreign_hint
from .scope import attribute_origin
from .tensor_maps import tensor_map_attribute
from .typing_of import describe
from .values import (
    AnyView,
    RecordView,
    Scalar,
    Static,
    StructValue,
    TensorMapValue,
    TupleValue,
    Value,
    View,
)
from .vendor import Target

if TYPE_CHECKING:
    from .frame import Frame

_BY_AXIS = (
    *(intrinsics.thread_id, intrinsics.block_id, intrinsics.block_dim),
    *(intrinsics.grid_dim, intrinsics.global_id, intrinsics.global_size),
)


_NUMBER_HINTS = {
    "astype": "write a cast such as sw.f32(x)",
    "view": "write sw.bitcast(x, sw.u32)",
    "bit_count": "write sw.popcount(x)",
    "bit_length": "write 32 - sw.leading_zeros(x), for a number of 32 bits",
}


def attribute(frame: Frame, node: ast.Attribute) -> Value:
    """`a.b`; a located error if there is no such attribute."""
    value, name = frame.eval(node.value), node.attr
    if isinstance(value, (View, RecordView)):
        return _array_attribute(frame, node, value, name)
    if isinstance(value, StructValue):
        from .struct_methods import struct_attribute

        return struct_attribute(frame, node, value, name)
    if isinstance(value, TensorMapValue):
        return tensor_map_attribute(frame, node, value, name)
    if isinstance(value, Static):
        return _static_attribute(frame, node, value, name)
    hint = _NUMBER_HINTS.get(name) if isinstance(value, Scalar) else None
    if isinstance(value, TupleValue):
        hint = "index the tuple, as in t[0]"
    raise frame.refuse(node, f"{describe(value)} has no attribute {name}", hint=hint)


def shape_of(frame: Frame, node: ast.AST, view: AnyView) -> Value:
    """The sizes of all axes."""
    return TupleValue(tuple(dimension(frame, view, axis) for axis in range(len(view.sizes))))


def _size(frame: Frame, node: ast.AST, view: AnyView) -> Value:
    size: Value = Static(1)
    for axis in range(len(view.sizes)):
        size = binary(frame, node, ast.Mult, size, dimension(frame, view, axis))
    return size


def _dtype(frame: Frame, node: ast.AST, view: AnyView) -> Value:
    return Static(view.dtype.numpy if isinstance(view, View) else view.element)


_ARRAY: dict[str, Callable[[Frame, ast.AST, AnyView], Value]] = {
    "shape": shape_of,
    "ndim": lambda frame, node, view: Static(len(view.sizes)),
    "size": _size,
    "dtype": _dtype,
}
_ARRAY_HINTS = {
    "T": "swap the indices where you use it",
    "sum": "write a loop, or use subgroup_reduce_add and atomics",
    "fill": "assign element by element, in a loop or one per thread",
    "copy": "use sw.local for an array of the thread",
    "astype": "cast each element, as in sw.f32(x[i])",
}


def _array_attribute(frame: Frame, node: ast.Attribute, view: AnyView, name: str) -> Value:
    getter = _ARRAY.get(name)
    if getter is not None:
        return getter(frame, node, view)
    if isinstance(view, RecordView) and view.element.field(name) is not None:
        from .structs import field_view

        return field_view(view, name)
    raise frame.refuse(
        node,
        f"arrays have no attribute {name} in a kernel; there are {', '.join(_ARRAY)}",
        hint=_ARRAY_HINTS.get(name) or CALLS.get(name),
    )


def _static_attribute(frame: Frame, node: ast.Attribute, value: Static, name: str) -> Value:
    """`math.pi`, `Color.RED`, `config.SIZE`, `sw.f32`."""
    if isinstance(value.value, Target):
        from .machines import target_attribute

        return target_attribute(frame, node, name)
    try:
        found = getattr(value.value, name)
    except AttributeError:
        raise frame.refuse(
            node,
            f"{frame.text_of(node.value)} has no attribute {name}",
            hint=_attribute_hint(frame, node, value.value, name),
        ) from None
    origin = attribute_origin(value.origin, name)
    return import_static(frame, node, Static(found, origin))


def _attribute_hint(frame: Frame, node: ast.Attribute, owner: object, name: str) -> str | None:
    """What could have been meant by an attribute that is not there."""
    from difflib import get_close_matches

    if name in ("x", "y", "z") and any(owner is function for function in _BY_AXIS):
        return f"write {frame.text_of(node.value)}({'xyz'.index(name)})"
    foreign = foreign_hint(name) if isinstance(owner, ModuleType) else None
    close = get_close_matches(name, dir(owner), 1)
    return foreign or (f"did you mean {close[0]}?" if close else None)
