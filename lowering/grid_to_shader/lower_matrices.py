"""lower-matrices: a subgroup's matrices as scalars, where the device has no units for them.

    %d = gpu.subgroup_mma_compute %a, %b, %c …       %d0 = %c0 + ext(%a0) * ext(%b0) + …

What lanes hold is as on the CPU (`gpu_to_cpu/matrices.py`): nothing of other lanes is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ..gpu_to_cpu.expand_matrices import expand_matrices
from .features import ShaderFeatures


@dataclass(frozen=True)
class LowerMatrices(ModulePass):
    """Expands all matrices; `features` as in `ShaderFeatures.parse`, for the size of subgroups."""

    name = "lower-matrices"
    features: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """CompileError where a matrix's rows are not those of its array."""
        expand_matrices(op, ShaderFeatures.parse(self.features).subgroup_size)
