"""Loops over the rows and planes of a block's threads around one over x."""

from __future__ import annotations

from xdsl.dialects import memref, scf
from xdsl.ir import Operation
from xdsl.traits import Pure

from ..dialects import marks
from .block_editing import constant_value, is_outside


def nest_of(loop: scf.ForOp) -> list[scf.ForOp]:
    """A loop over x, then those over y and z as far as they do nothing besides.

    The bounds of all are known before the outermost. Empty where threads carry values along.
    """
    nest: list[scf.ForOp] = []
    outer: Operation | None = loop
    while isinstance(outer, scf.ForOp) and constant_value(outer.step) == 1 and not outer.iter_args:
        if nest and not (marks.ROWS in outer.attributes and _has_only(nest[-1], outer)):
            break
        if not all(is_outside(end, outer) for each in nest for end in (each.lb, each.ub)):
            break
        nest.append(outer)
        outer = outer.parent_op()
    return nest


def _has_only(inner: scf.ForOp, outer: scf.ForOp) -> bool:
    return all(
        op is inner or isinstance(op, scf.YieldOp | memref.DimOp) or op.has_trait(Pure)
        for op in outer.body.block.ops
    )
