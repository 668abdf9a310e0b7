"""lower-matrices: a subgroup's matrices as what the device multiplies, or as scalars.

    %d = gpu.subgroup_mma_compute %a, %b, %c : …<32x16xf16, "AOp">, …

    // matrix_16x16x16_f16_f32                          // no such word
    %d0 = gpu.subgroup_mma_compute %a0, %b, %c0 …       %d0 = %c0 + ext(%a0) * ext(%b0) + …
    %d1 = gpu.subgroup_mma_compute %a1, %b, %c1 …       …

Which it is, `matrix_units.py` decides for each kernel, and a remark says; `matrix_tiles.py` has the
rules for the left side. What lanes hold on the right is as on the CPU (`gpu_to_cpu/matrices.py`):
nothing of other lanes is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...dialects import gpu, marks
from ..gpu_to_cpu.expand_matrices import MATRIX_OPS, PRODUCT, expand_matrices
from ..remarks import remark
from .features import ShaderFeatures


@dataclass(frozen=True)
class LowerMatrices(ModulePass):
    """Takes all matrices to units or scalars; `features` as in `ShaderFeatures.parse`."""

    name = "lower-matrices"
    features: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """CompileError where a matrix's rows are not those of its array."""
        kernels = [inner for inner in op.walk() if isinstance(inner, gpu.FuncOp)]
        if any(inner.name.startswith(MATRIX_OPS) for inner in op.walk()):
            assert len(kernels) == 1, "a module has one kernel, helpers are inlined"
            lower_matrices(op, kernels[0], ShaderFeatures.parse(self.features))


def lower_matrices(module: ModuleOp, kernel: gpu.FuncOp, features: ShaderFeatures) -> None:
    """Takes the matrices of a kernel to units of the device, or to scalars."""
    from .matrix_tiles import split_into_tiles
    from .matrix_units import NoUnits, choose_units, product_of

    try:
        tiles, units = choose_units(kernel, features)
    except NoUnits as reason:
        expand_matrices(module, features.subgroup_size, str(reason))
        return
    for op in [inner for inner in kernel.walk() if inner.name == PRODUCT]:
        kinds = product_of(op)
        what = f"a product of {kinds[0]} and {kinds[1]} is computed by units for"
        remark(op, f"{what} {units[kinds].sizes_and_types}", marks.MATRIX_UNITS)
    split_into_tiles(module, tiles)
