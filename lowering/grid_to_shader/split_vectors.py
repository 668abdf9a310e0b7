"""split-vectors: vectors become pieces of up to 4 elements that the device has, or scalars.

    %s = arith.addf %a, %b : vector<6xf32>       %s0 = arith.addf %a0, %b0 : vector<4xf32>
                                                 %s1 = arith.addf %a1, %b1 : vector<2xf32>
    %r = vector.reduction <add>, %s              %r = ((((%s0[0] + %s0[1]) + …) + %s1[1]
    %v = vector.gather %x[%i][%at], %mask, …     %v = scf.if %mask[0] { memref.load … } …

Arithmetic stays on vectors where the target has it on them; math functions, and what a target has
no vectors of, go lane by lane. What moves lanes is renaming. See `vector_pieces` for the types.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, VectorType
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from .features import ShaderFeatures


@dataclass(frozen=True)
class SplitVectors(ModulePass):
    """Splits all vectors, for a target with `features` (see `ShaderFeatures.parse`)."""

    name = "split-vectors"
    features: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Raises one CompileError that lists all that has no form without long vectors."""
        if any(_has_vectors(inner) for inner in op.walk()):
            from .vector_rules import split

            split(op, ShaderFeatures.parse(self.features))


def _has_vectors(op: Operation) -> bool:
    kinds = [*(result.type for result in op.results), *(value.type for value in op.operands)]
    return any(isinstance(kind, VectorType) for kind in kinds)
