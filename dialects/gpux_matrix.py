"""Matrices of a subgroup in one-dimensional arrays: what flatten-memrefs makes of their accesses.

    %a = gpux.matrix_load %x[%at], %stride : memref<?xf16, …> -> !gpu.mma_matrix<16x16xf16, "AOp">
    gpux.matrix_store %c, %z[%at], %stride : !gpu.mma_matrix<16x16xf32, "COp">, memref<?xf32, …>

Element (i, j) lies at `%at + i * %stride + j`; with `transpose` at `%at + j * %stride + i`. All
lanes of a whole subgroup execute them together, with the same place and stride. Upstream's ops,
which these stand for at the shader level, have no place for a stride that is not constant.

Above that level, `gpux.checked` on an access asks for a check of the place, where the device takes
a matrix from some places only. The front end sets it; who writes IR knows where arrays lie.
"""

from __future__ import annotations

from xdsl.dialects.builtin import IndexType, MemRefType, UnitAttr
from xdsl.ir import Attribute, Dialect
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    operand_def,
    opt_prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from . import gpux
from .gpu_matrix import MmaMatrixType, matrix_type
from .lazy_format import op_with_format


@op_with_format("$array `[` $at `]` `,` $stride attr-dict `:` type($array) `->` type($result)")
class MatrixLoadOp(IRDLOperation):
    """A matrix from memory."""

    name = "gpux.matrix_load"
    array = operand_def(MemRefType)
    at = operand_def(IndexType())
    stride = operand_def(IndexType())
    transpose = opt_prop_def(UnitAttr)
    result = result_def(MmaMatrixType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect())

    def verify_(self) -> None:
        _check_array(self.array.type)


@op_with_format(
    "$value `,` $array `[` $at `]` `,` $stride attr-dict `:` type($value) `,` type($array)"
)
class MatrixStoreOp(IRDLOperation):
    """A matrix of sums to memory."""

    name = "gpux.matrix_store"
    value = operand_def(MmaMatrixType)
    array = operand_def(MemRefType)
    at = operand_def(IndexType())
    stride = operand_def(IndexType())
    transpose = opt_prop_def(UnitAttr)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryWriteEffect())

    def verify_(self) -> None:
        _check_array(self.array.type)
        use = matrix_type(self.value).use.data
        if use != "COp":
            raise VerifyException(f"operand {use} cannot be stored, expected COp")


def _check_array(kind: Attribute) -> None:
    assert isinstance(kind, MemRefType), "the definition of the op says so"
    if kind.get_num_dims() != 1:
        raise VerifyException(f"an array of rank {kind.get_num_dims()}, expected one dimension")


GPUX = Dialect(
    "gpux", [*gpux.GPUX.operations, MatrixLoadOp, MatrixStoreOp], [*gpux.GPUX.attributes]
)
"""The whole dialect; what is not at the shader level, or has no matrices, needs `gpux.py` only."""
