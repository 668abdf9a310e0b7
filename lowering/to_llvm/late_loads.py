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
from xdsl.ir import Operation, SSAValue, Use

_LOADS = ("memref.load", "vector.maskedload")
_WRITES = ("vector.store", "vector.maskedstore", "vector.scatter")
_SILENT = ("arith.", "math.", "vector.")
_BRANCHES = (scf.IfOp, scf.IndexSwitchOp)


def late_loads(module: ModuleOp) -> set[Operation]:
    """Those whose value, or what is computed of it, may come to a select after a write."""
    loads = [op for op in module.walk() if op.name in _LOADS]
    return {op for op in loads if _is_partial(op) and _comes_late(op.results[0], op, op, set())}


def _is_partial(load: Operation) -> bool:
    """Whether some lanes may have no part in it."""
    around = load.parent_op()
    while around is not None and isinstance(load, memref.LoadOp):
        if isinstance(around, _BRANCHES):
            return True
        around = around.parent_op()
    return not isinstance(load, memref.LoadOp)


def _comes_late(value: SSAValue, since: Operation, load: Operation, seen: set[SSAValue]) -> bool:
    """Whether a value that is there since an op of its block comes to a select late."""
    if value in seen:
        return False
    seen.add(value)
    return any(_is_used_late(use, since, load, seen) for use in value.uses)


def _is_used_late(use: Use, since: Operation, load: Operation, seen: set[SSAValue]) -> bool:
    user = use.operation
    if isinstance(user, scf.YieldOp | scf.ConditionOp):
        around = user.parent_op()
        assert around is not None, "a yield ends a region"
        if isinstance(around, _BRANCHES):
            written = _something_is_written(since, user)
            return written or _comes_late(around.results[use.index], around, load, seen)
        if isinstance(load, memref.LoadOp):
            return False
        # Perhaps to a round that is unrolled.
        written = any(_may_write(inner) for inner in around.walk() if not inner.regions)
        return written or any(_comes_late(result, around, load, seen) for result in around.results)
    if isinstance(user, arith.SelectOp) and _something_is_written(since, user):
        return True
    goes_on = user.name.startswith(_SILENT)
    return goes_on and any(_comes_late(result, since, load, seen) for result in user.results)


def _something_is_written(first: Operation, last: Operation) -> bool:
    """Whether an op between two of a block may write; or they are in two blocks."""
    between = first.next_op
    while between is not last:
        if between is None or between.regions or _may_write(between):
            return True
        between = between.next_op
    return False


def _may_write(op: Operation) -> bool:
    if isinstance(op, memref.LoadOp | scf.YieldOp | scf.ConditionOp):
        return False
    return op.name in _WRITES or not op.name.startswith(_SILENT)
