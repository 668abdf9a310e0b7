"""Loops over the rows and planes of a block's threads around one over x."""

from __future__ import annotations

from xdsl.dialects import scf
from xdsl.ir import Operation

from ..dialects import marks
from .block_editing import constant_value, is_outside
from .thread_ranges import is_effectless


def nest_of(loop: scf.ForOp) -> list[scf.ForOp]:
    """A loop over x, then those over y and z as far as they do nothing besides.

    The bounds of all are known before the outermost. Empty where threads carry values along.
    """
    nest: list[scf.ForOp] = []
    outer: Operation | None = loop
    while isinstance(outer, scf.ForOp) and constant_value(outer.step) == 1 and not outer.iter_args:
        if nest and not _is_around(outer, nest[-1]):
            break
        if not all(is_outside(end, outer) for each in nest for end in (each.lb, each.ub)):
            break
        nest.append(outer)
        outer = outer.parent_op()
    return nest


def _is_around(outer: scf.ForOp, inner: scf.ForOp) -> bool:
    """Whether a loop is over rows or planes of threads and runs just another loop."""
    others = (op for op in outer.body.block.ops if op is not inner)
    return marks.ROWS in outer.attributes and all(map(is_effectless, others))
