"""arith: xDSL's dialect with the ops of upstream MLIR that xDSL lacks and kernels need.

Ops say what they may take for granted: integer ones in `overflowFlags`, those of floats, of math
too, in `fastmath`. Both are properties that an op has even where it takes nothing for granted.
"""

from __future__ import annotations

from functools import cache
from typing import cast

from xdsl.dialects.arith import (
    Arith,
    CeilDivSIOp,
    CeilDivUIOp,
    DivSIOp,
    DivUIOp,
    FastMathFlagsAttr,
    FloatingPointLikeBinaryOperation,
    FloorDivSIOp,
    IntegerOverflowAttr,
    RemSIOp,
    RemUIOp,
)
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import IRDLOperation, irdl_op_definition, traits_def
from xdsl.traits import Pure


@irdl_op_definition
class RemFOp(FloatingPointLikeBinaryOperation):
    """`arith.remf %a, %b : f32`: C's fmod; the remainder has the sign of `%a`."""

    name = "arith.remf"
    traits = traits_def(Pure())


DIVISIONS = (
    *(DivSIOp, DivUIOp, RemSIOp, RemUIOp),
    *(FloorDivSIOp, CeilDivSIOp, CeilDivUIOp),
)
"""What takes long, and stops a program that divides by 0."""
MAY_WRAP = IntegerOverflowAttr("none")
_FLAGS: dict[str, Attribute] = {"overflowFlags": MAY_WRAP, "fastmath": FastMathFlagsAttr("none")}
WRAPS: dict[str, Attribute] = {"overflowFlags": MAY_WRAP}
"""The flags of an integer op that may wrap."""
EXACT: dict[str, Attribute] = {"fastmath": _FLAGS["fastmath"]}
"""The flags of a float op that is computed as it stands."""


@cache
def plain_flags(cls: type[Operation]) -> dict[str, Attribute]:
    """The flags of an op that takes nothing for granted; none where its class has no flags."""
    properties = cast("type[IRDLOperation]", cls).get_irdl_definition().properties
    return {name: flags for name, flags in _FLAGS.items() if name in properties}


def let_wrap(properties: dict[str, Attribute]) -> None:
    """Take back that an op does not overflow: it runs where the one it comes from does not."""
    if "overflowFlags" in properties:
        properties["overflowFlags"] = MAY_WRAP


ARITH = Dialect("arith", [*Arith.operations, RemFOp], list(Arith.attributes))
