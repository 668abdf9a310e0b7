"""Tensor maps: parameters by which NVIDIA GPUs copy boxes of a tensor to and from shared memory.

A map is passed by value, as the 128 bytes of a CUtensorMap in the kernel's parameters:

    %map: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, llvm.align = 64, nvvm.grid_constant}
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..dialects.diagnostics import CompileError
from .types import TensorMapType
from .values import Static, TensorMapValue, TupleValue, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdsl.ir import Attribute

    from .frame import Frame
    from .machines import Machine
    from .source import Source
    from .types import Type

BYTES, ALIGNMENT = 128, 64


def pointer_type() -> Attribute:
    """The type of a parameter that is a tensor map."""
    from ..dialects.llvm import PointerType

    return PointerType()


def tensor_map_attributes() -> dict[str, Attribute]:
    """What else a parameter says that is one."""
    from xdsl.dialects.builtin import IntegerAttr, UnitAttr, i8, i64

    from ..dialects.llvm import ArrayType

    return {
        "llvm.align": IntegerAttr(ALIGNMENT, i64),
        "llvm.byval": ArrayType(BYTES, i8),
        "nvvm.grid_constant": UnitAttr(),
    }


def refuse_tensor_maps(source: Source, signature: Sequence[Type], machine: Machine) -> None:
    """CompileError where a parameter is a tensor map and the machine has none."""
    if machine.sm >= 90:
        return
    for parameter, type_ in zip(source.node.args.args, signature, strict=False):
        if isinstance(type_, TensorMapType):
            raise CompileError(
                f"parameter {parameter.arg} is a tensor map, which needs sm_90 or later; the "
                f"kernel is compiled for {machine.arch or machine.name}",
                source.locate(parameter),
                hint="make a kernel with array parameters for other devices",
            )


def tensor_map_attribute(frame: Frame, node: ast.AST, value: TensorMapValue, name: str) -> Value:
    """`map.box`, `map.nbytes`, `map.swizzle`, `map.dtype`: constants."""
    type_ = value.type
    found: dict[str, Value] = {
        "box": TupleValue(tuple(map(Static, type_.box))),
        "nbytes": Static(type_.nbytes),
        "swizzle": Static(type_.swizzle),
        "dtype": Static(type_.element),
    }
    if name in found:
        return found[name]
    raise frame.refuse(node, f"a tensor map has no attribute {name}; there are {', '.join(found)}")
