"""Accesses of matrices in flat arrays: rules of `flatten-memrefs` for kernels that have some.

%a = gpu.subgroup_mma_load_matrix %x[%i, %j] {leadDimension = 64 : index} : memref<?x64xf16> …
%a = gpux.matrix_load %x[%at], %c64 : memref<?xf16> …                       %at = 64 * %i + %j
"""

from __future__ import annotations

from xdsl.dialects import memref
from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import Attribute

from ...dialects.gpu_matrix import SubgroupMmaLoadMatrixOp, SubgroupMmaStoreMatrixOp
from ...dialects.gpux_matrix import MatrixLoadOp, MatrixStoreOp
from ..conversion import Operands, Results, Rewriter, Rules
from ..memref_views import Size
from .views import INDEX, View, known_size, value_of

RULES = Rules()
converts = RULES.converts


@converts(SubgroupMmaLoadMatrixOp, SubgroupMmaStoreMatrixOp)
def convert_access(
    op: SubgroupMmaLoadMatrixOp | SubgroupMmaStoreMatrixOp, operands: Operands, rw: Rewriter
) -> Results:
    """At an index, with the distance of rows."""
    is_load = isinstance(op, SubgroupMmaLoadMatrixOp)
    before = () if is_load else operands[0]
    memory, *indices = operands if is_load else operands[1:]
    view = View((op.source if is_load else op.target).type, memory)
    at = view.at(rw, [known_size(index) for (index,) in indices])
    lead = op.lead.value.data
    stride: Size = view.all_strides(rw)[-2] if lead == DYNAMIC_INDEX else lead
    transpose: dict[str, Attribute] = {}
    if op.transpose is not None:
        transpose["transpose"] = op.transpose
    return rw.create(
        MatrixLoadOp if is_load else MatrixStoreOp,
        (*before, view.base, at, value_of(rw, stride)),
        [result.type for result in op.results],
        properties=transpose,
    )


@converts(memref.ExtractAlignedPointerAsIndexOp)
def convert_address(
    op: memref.ExtractAlignedPointerAsIndexOp, operands: Operands, rw: Rewriter
) -> Results:
    """That of the array."""
    return rw.value(type(op), (View(op.source.type, operands[0]).base,), INDEX)
