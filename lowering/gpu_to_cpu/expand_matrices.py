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

from xdsl.dialects.builtin import UnitAttr
from xdsl.passes import ModulePass

from ...dialects import gpu, marks
from ...dialects.walking import ops_of

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

MATRIX_OPS = "gpu.subgroup_mma_"
PRODUCT = "gpu.subgroup_mma_compute"


@dataclass(frozen=True)
class ExpandMatrices(ModulePass):
    """Expands matrices for subgroups of so many lanes."""

    name = "expand-matrices"
    subgroup_size: int = 1

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """CompileError where a matrix's rows are not those of its array."""
        expand_matrices(op, self.subgroup_size)


def expand_matrices(
    module: ModuleOp, lanes: int, why: str = "the device has no units for it"
) -> None:
    """Expand all matrices of a module, and say so; blocks are of whole subgroups from then on."""
    found = [op for op in ops_of(module) if op.name.startswith(MATRIX_OPS)]
    if not found:
        return
    from ..remarks import remark
    from .matrices import expand

    for product in found:
        if product.name == PRODUCT:
            kinds = " and ".join(str(value.type) for value in product.operands[:2])
            remark(
                product,
                f"a product of {kinds} is computed with scalars, row by row in each lane: {why}",
            )
    for kernel in [op for op in ops_of(module) if isinstance(op, gpu.FuncOp)]:
        kernel.attributes[marks.WHOLE_SUBGROUPS] = UnitAttr()
    expand(module, lanes)
