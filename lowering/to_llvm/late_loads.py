"""Loads that may not be moved to a select: what LLVM 22 would do, behind stores between the two.

    %v = vector.maskedload %m[%i], %k, %zero        %l = llvm.intr.masked.load %p, %k, %zero
    vector.maskedstore %m[%i], %k, %w          →    %v = llvm.freeze %l
    %r = arith.select %k, %v, %w                    …

It makes one load of both, in the place of the select; it sees no load behind a freeze. A load in a
branch is like one under a mask: of branches, LLVM's vectorizer makes masks and selects.
"""

from __future__ import annotations

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

_LOADS = ("memref.load", "vector.maskedload")
_WRITES = ("vector.store", "vector.maskedstore", "vector.scatter")
_SILENT = ("arith.", "math.", "vector.")


def late_loads(module: ModuleOp) -> set[Operation]:
    """Those whose value may come to a select after something is written."""
    loads = [op for op in module.walk() if op.name in _LOADS]
    return {op for op in loads if _comes_late(op.results[0], op, not isinstance(op, memref.LoadOp))}


def _comes_late(value: SSAValue, since: Operation, masked: bool) -> bool:
    """Whether a value that is there since an op of its block comes to a select late."""
    for use in value.uses:
        user = use.operation
        if isinstance(user, arith.SelectOp):
            if _something_is_written(since, user):
                return True
        elif isinstance(user, scf.YieldOp | scf.ConditionOp):
            branch = user.parent_op()
            if not isinstance(branch, scf.IfOp | scf.IndexSwitchOp):
                if masked:  # perhaps to a round that is unrolled
                    return True
            elif _something_is_written(since, user) or _comes_late(
                branch.results[use.index], branch, masked
            ):
                return True
    return False


def _something_is_written(first: Operation, last: Operation) -> bool:
    """Whether an op between two of a block may write; or they are in two blocks."""
    between = first.next_op
    while between is not last:
        if between is None or between.regions or between.name in _WRITES:
            return True
        if not between.name.startswith(_SILENT) and not isinstance(between, memref.LoadOp):
            return True
        between = between.next_op
    return False
