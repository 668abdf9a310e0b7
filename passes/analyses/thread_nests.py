"""Loops over a block's threads: over x, with the checks inside, and over y and z around it."""

from __future__ import annotations

from xdsl.dialects import scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, Operation

from ...dialects import gpux, marks
from ...dialects.walking import ops_of_class
from ..utils.block_editing import constant_value, is_outside
from .thread_ranges import is_effectless


def checked_loops(module: ModuleOp) -> dict[scf.ForOp, list[gpux.CheckOp]]:
    """Loops over x of a block's threads that run one by one, each with the checks inside."""
    found: dict[scf.ForOp, list[gpux.CheckOp]] = {}
    for op in ops_of_class(module, gpux.CheckOp):
        if op.ids:
            thread_x = op.ids[3]
            loop = thread_x.owner.parent_op() if isinstance(thread_x, BlockArgument) else None
            if isinstance(loop, scf.ForOp) and thread_x is loop.body.block.args[0]:
                found.setdefault(loop, []).append(op)
    return {
        loop: checks
        for loop, checks in found.items()
        if _is_plain(loop) and marks.SUBGROUP not in loop.attributes
    }


def nest_of(loop: scf.ForOp) -> list[scf.ForOp]:
    """A loop over x, then those over y and z as far as they do nothing besides.

    The bounds of all are known before the outermost. Empty where threads carry values along.
    """
    nest: list[scf.ForOp] = []
    outer: Operation | None = loop
    while isinstance(outer, scf.ForOp) and _is_plain(outer):
        if nest and not _is_around(outer, nest[-1]):
            break
        if not all(is_outside(end, outer) for each in nest for end in (each.lb, each.ub)):
            break
        nest.append(outer)
        outer = outer.parent_op()
    return nest


def _is_plain(loop: scf.ForOp) -> bool:
    return constant_value(loop.step) == 1 and not loop.iter_args


def _is_around(outer: scf.ForOp, inner: scf.ForOp) -> bool:
    """Whether a loop is over rows or planes of threads and runs just another loop."""
    others = (op for op in outer.body.block.ops if op is not inner)
    return marks.ROWS in outer.attributes and all(map(is_effectless, others))
