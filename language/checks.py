"""Checks that stand in the code of a kernel: what fails is reported, and the thread ends."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, StringAttr, i32
from xdsl.ir import SSAValue

from ..dialects import gpux
from ..dialects.predicates import NE
from .values import Scalar

if TYPE_CHECKING:
    from .frame import Frame


def check(
    frame: Frame,
    ok: SSAValue,
    kind: str,
    message: str,
    values: tuple[Scalar, ...] = (),
) -> None:
    """A `gpux.check` with values in its message."""
    frame.emit.add(
        gpux.CheckOp,
        (ok, *(value.ssa for value in values)),
        (),
        {
            "kind": StringAttr(kind),
            "message": StringAttr(message),
            "formats": ArrayAttr([StringAttr(value.dtype.name) for value in values]),
            "operandSegmentSizes": DenseArrayBase.from_list(i32, [1, len(values), 0]),
        },
    )


def check_divisor(frame: Frame, node: ast.AST, divisor: Scalar, known: int | None) -> None:
    """A check that an integer divisor is not zero, unless it is known."""
    if known == 0:
        raise frame.refuse(node, "integer division by the constant zero")
    if known is not None or not frame.unit.checks:
        return
    zero = frame.emit.constant(0, divisor.dtype)
    check(
        frame,
        frame.emit.compare(NE, divisor.ssa, zero, floats=False),
        "division",
        "integer division or modulo by zero",
    )
