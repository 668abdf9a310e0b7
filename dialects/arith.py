"""arith: xDSL's dialect with the ops of upstream MLIR that xDSL lacks and kernels need."""

from __future__ import annotations

from xdsl.dialects.arith import Arith, FloatingPointLikeBinaryOperation
from xdsl.ir import Dialect
from xdsl.irdl import irdl_op_definition, traits_def
from xdsl.traits import Pure


@irdl_op_definition
class RemFOp(FloatingPointLikeBinaryOperation):
    """`arith.remf %a, %b : f32`: C's fmod; the remainder has the sign of `%a`."""

    name = "arith.remf"
    traits = traits_def(Pure())


ARITH = Dialect("arith", [*Arith.operations, RemFOp], list(Arith.attributes))
