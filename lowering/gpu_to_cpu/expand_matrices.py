"""expand-matrices: what each lane holds of a subgroup's matrices, as scalars.

    %x = gpu.subgroup_mma_load_matrix %a[%i, %j] …     %lane = gpu.lane_id
        !gpu.mma_matrix<16x16xf16, "AOp">              %x0 = memref.load %a[%i + row, %j] …
    %d = gpu.subgroup_mma_compute %x, %y, %c           %d0 = %c0 + ext(%x0) * ext(%y0) + …

For devices without matrix units. Of A and C, lane l of W holds the rows l, l + W, …; of B every
lane holds all. So a product needs nothing of other lanes; it is summed up along k, in the type of
the sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.passes import ModulePass

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

MATRIX_OPS = "gpu.subgroup_mma_"


@dataclass(frozen=True)
class ExpandMatrices(ModulePass):
    """Expands matrices for subgroups of so many lanes."""

    name = "expand-matrices"
    subgroup_size: int = 1

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """CompileError where a matrix's rows are not those of its array."""
        if any(inner.name.startswith(MATRIX_OPS) for inner in op.walk()):
            from .matrices import expand

            expand(op, self.subgroup_size)
