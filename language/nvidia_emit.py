"""Which NVIDIA GPUs have an instruction, and its op in the kernel."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .emitter import REGISTER
from .types import DType
from .typing_of import describe
from .values import NOWHERE, Scalar, Static, TupleValue, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xdsl.ir import Attribute, SSAValue

    from .frame import Frame

AMPERE, HOPPER = 80, 90
_GUARD = "put it under if sw.target.nvidia("


def require(frame: Frame, node: ast.AST, name: str, sm: int, variants: Sequence[str] = ()) -> None:
    """Refuse where the machine is no NVIDIA GPU, or lacks the instruction."""
    machine = frame.unit.machine
    if machine.name != "cuda":
        raise frame.refuse(
            node,
            f"{name} is for NVIDIA GPUs; the kernel is compiled for {machine.name}",
            hint=f"{_GUARD}{f'sm={sm}' if sm > 75 else ''}):",
        )
    own = machine.arch.removeprefix("sm_")
    if variants and own not in variants:
        wanted = " or ".join(f"sm_{variant}" for variant in variants)
        raise frame.refuse(
            node,
            f"{name} needs {wanted}, not {machine.arch}",
            hint=f'{_GUARD}sm="{variants[0]}"):',
        )
    if machine.sm < sm:
        raise frame.refuse(
            node, f"{name} needs sm_{sm} or later, not {machine.arch}", hint=f"{_GUARD}sm={sm}):"
        )


def emit(
    frame: Frame,
    op: str,
    operands: Sequence[SSAValue],
    results: Sequence[DType],
    **properties: str | int | Attribute,
) -> Value:
    """The op; several results come as a struct and are a tuple."""
    if frame.emit.dry:
        return _as_value([Scalar(dtype, NOWHERE) for dtype in results])
    from ..dialects.llvm import ExtractValueOp, StructType
    from ..dialects.llvm.base import numbers
    from ..dialects.nvvm import OPS
    from ..dialects.nvvm.base import as_attribute

    given = {name: as_attribute(value) for name, value in properties.items()}
    kinds: list[Attribute] = [REGISTER[dtype] for dtype in results]
    if len(kinds) < 2:
        ssa = frame.emit.add(OPS[op], operands, kinds, given)
        return _as_value([Scalar(dtype, ssa) for dtype in results])
    whole = frame.emit.add(OPS[op], operands, (StructType(kinds),), given)
    parts: list[Scalar] = []
    for position, (dtype, kind) in enumerate(zip(results, kinds, strict=True)):
        at = {"position": numbers((position,), 64)}
        parts.append(Scalar(dtype, frame.emit.add(ExtractValueOp, (whole,), (kind,), at)))
    return _as_value(parts)


def static_bool(frame: Frame, node: ast.AST, name: str, value: Value) -> bool:
    """A constant True or False."""
    if isinstance(value, Static) and isinstance(value.value, bool):
        return value.value
    raise frame.refuse(node, f"{name} is {describe(value)}, expected a constant True or False")


def inline(
    frame: Frame,
    text: str,
    operands: Sequence[SSAValue],
    *results: DType,
    sm: int = HOPPER,
    ptx: int = 0,
) -> Value:
    """PTX for an architecture, and for a version of PTX where that is a later one."""
    needs = {"ptx": ptx} if ptx else {}
    return emit(frame, "inline_ptx", operands, results, ptxCode=text, sm=sm, **needs)


def _as_value(parts: list[Scalar]) -> Value:
    if not parts:
        return Static(None)
    return parts[0] if len(parts) == 1 else TupleValue(tuple(parts))
