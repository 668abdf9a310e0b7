"""`sw.shared` and `sw.local`: arrays of a block and of a thread."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType
from xdsl.ir import Operation

from ..dialects import gpu, simt
from .annotations import element_type
from .emitter import MEMORY
from .types import DType, leaves
from .typing_of import describe
from .values import RecordView, Root, Static, TupleValue, Value, View, static_int

if TYPE_CHECKING:
    from .frame import Frame


def shared_array(frame: Frame, node: ast.AST, shape: Value, dtype: Value) -> Value:
    """An array of the block; a first size of None takes the launch's shared memory."""
    return _array(frame, node, shape, dtype, simt.SharedOp, gpu.WORKGROUP)


def local_array(frame: Frame, node: ast.AST, shape: Value, dtype: Value) -> Value:
    """An array of the thread."""
    return _array(frame, node, shape, dtype, simt.LocalOp, gpu.PRIVATE)


def _array(
    frame: Frame,
    node: ast.AST,
    shape: Value,
    dtype: Value,
    op: type[Operation],
    space: gpu.AddressSpaceAttr,
) -> Value:
    element = element_type(dtype.value) if isinstance(dtype, Static) else None
    if element is None:
        raise frame.refuse(
            node,
            f"expected a type of the language, got {describe(dtype)}",
            hint="sw.f32, for example, or x.dtype",
        )
    sizes = _sizes(frame, node, shape, dynamic=op is simt.SharedOp)
    views: list[View] = []
    for leaf in leaves(element):
        memref = MemRefType(MEMORY[leaf.dtype], sizes, memory_space=space)
        name = "shared" if op is simt.SharedOp else "local"
        views.append(View(leaf.dtype, memref, frame.emit.add(op, (), (memref,)), Root(name)))
    if isinstance(element, DType):
        return views[0]
    if DYNAMIC_INDEX in sizes:
        raise frame.refuse(node, "shared memory of the launch holds scalars, not structs")
    return RecordView(element, tuple(views))


def _sizes(frame: Frame, node: ast.AST, shape: Value, *, dynamic: bool) -> list[int]:
    items = shape.items if isinstance(shape, TupleValue) else (shape,)
    sizes: list[int] = []
    for position, item in enumerate(items):
        size = static_int(item)
        if dynamic and position == 0 and isinstance(item, Static) and item.value is None:
            size = DYNAMIC_INDEX
        elif size is None or size < 1:
            raise frame.refuse(
                node,
                f"the shape must be of positive constants, got {describe(item)}",
                hint="make the size a parameter annotated sw.Const, or a global constant"
                + ("; None as the first size takes the launch's shared_bytes" if dynamic else ""),
            )
        sizes.append(size)
    if not sizes:
        raise frame.refuse(node, "the shape is empty, expected at least one size")
    return sizes
