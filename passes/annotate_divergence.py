"""annotate-divergence: what is known of how values differ between threads, as attributes.

    %i = gpu.global_id x                          {gpux.spread = "affine 1"}
    %v = memref.load %x[%i]                       {gpux.spread = "varying"}
    scf.if %c { … }                               {gpux.way = "varying"}

For tests and for people who read IR; `kernel_divergence` is the analysis of a kernel, and
`remarks` says what it means for speed, in words (`kernel.explain(…, uniformity=True)`).

Lanes lie along x: one after the other in a block with one row, or whose rows are whole subgroups.
With `rows` set, subgroups end where rows do, as on the CPU, which has a loop over each row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpu, gpux, marks
from ..dialects.diagnostics import location_of
from ..dialects.walking import ops_of
from .analyses.divergence import BLOCK, SUBGROUP, VARYING, Divergence, Spread, affine

_OF_BLOCK = (
    *(gpu.BlockIdOp, gpu.BlockDimOp, gpu.GridDimOp, gpu.SubgroupSizeOp, gpu.NumSubgroupsOp),
    gpu.DynamicSharedMemoryOp,
)
_OF_SUBGROUP = (gpu.SubgroupIdOp, gpu.SubgroupReduceOp, gpux.BallotOp)
_CONTROL = (scf.IfOp, scf.IndexSwitchOp, scf.ForOp, scf.WhileOp)


@dataclass(frozen=True)
class AnnotateDivergence(ModulePass):
    """Says of every op of a kernel who has its results in common, and of control flow its way."""

    name = "annotate-divergence"
    subgroup_size: int = 0
    rows: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [inner for inner in ops_of(op) if isinstance(inner, gpu.FuncOp)]:
            if kernel.is_kernel:
                found = kernel_divergence(kernel, self.subgroup_size, rows=self.rows)
                for inner in list(ops_of(kernel))[1:]:
                    _annotate(inner, found)


def _annotate(op: Operation, found: Divergence) -> None:
    if isinstance(op, _CONTROL):
        op.attributes[marks.WAY] = StringAttr(str(found.steering(op)))
    if op.results:
        spreads = ", ".join(str(found[result]) for result in op.results)
        op.attributes[marks.SPREAD] = StringAttr(spreads)


def kernel_divergence(
    kernel: gpu.FuncOp, subgroup_size: int = 0, *, rows: bool = False
) -> Divergence:
    """The spread of every value of a kernel of level gpu; a size of 0 is not known."""
    return Divergence(
        kernel.body,
        dict.fromkeys(kernel.private, VARYING),
        _Ids(kernel, subgroup_size, rows).spread,
    )


class _Ids:
    """What ids are, as far as the shape of blocks is known."""

    def __init__(self, kernel: gpu.FuncOp, subgroup_size: int, rows: bool) -> None:
        self.block = gpux.block_size(kernel)
        width = self.block[0]
        whole = bool(subgroup_size and width) and (width or 0) % subgroup_size == 0
        self.in_rows = rows or whole or self.block[1:] == (1, 1)

    def spread(self, op: Operation) -> Spread | None:
        """What an id or subgroup op gives; None for other ops."""
        if isinstance(op, _OF_BLOCK):
            return BLOCK
        if isinstance(op, _OF_SUBGROUP):
            return SUBGROUP
        if isinstance(op, gpu.LaneIdOp):
            return affine(1)
        if isinstance(op, gpu.ThreadIdOp | gpu.GlobalIdOp):
            if self.block[op.axis] == 1:
                return BLOCK
            along_x = affine(1) if op.axis == 0 else SUBGROUP
            return along_x if self.in_rows else VARYING
        return None


# --- in words -------------------------------------------------------------------------------------

_BRANCH = {
    "block": "the same way for all threads of a block",
    "subgroup": "the same way for all lanes",
    "lane": "lanes go different ways: both are run, under masks",
}
_LOOP = {
    "block": "the same number of rounds for all threads of a block",
    "subgroup": "the same number of rounds for all lanes",
    "lane": "lanes leave at different times: it runs until the last one is done",
}


def remarks(kernel: gpu.FuncOp, found: Divergence) -> Iterator[tuple[Operation, str]]:
    """Each op of control flow and each access to memory, with what its spread means."""
    for op in ops_of(kernel):
        if isinstance(op, _CONTROL):
            words = _BRANCH if isinstance(op, scf.IfOp | scf.IndexSwitchOp) else _LOOP
            kind = "branch" if words is _BRANCH else "loop"
            yield op, f"{kind}: {words[found.steering(op).scope.name.lower()]}"
        elif isinstance(op, memref.LoadOp | memref.StoreOp):
            kind = "load" if isinstance(op, memref.LoadOp) else "store"
            yield op, f"{kind} {_name(op.memref)}: {_access(op, found)}"


def _name(array: SSAValue) -> str:
    return f"of {array.name_hint}" if array.name_hint else "of an array"


def _access(op: memref.LoadOp | memref.StoreOp, found: Divergence) -> str:
    if not found[op.memref].is_uniform:
        return "each lane in an array of its own"
    *outer, last = [found[index] for index in op.indices] or [BLOCK]
    if any(not spread.is_uniform for spread in outer):
        return "any places (gather or scatter)"
    if last.is_uniform:
        return "one place for all lanes"
    if last.stride == 1:
        return "consecutive places"
    if last.stride is not None:
        return f"places {last.stride} apart"
    return "any places (gather or scatter)"


def remark_lines(kernel: gpu.FuncOp, found: Divergence) -> list[str]:
    """The remarks as text with their place in the source, in the order of the source."""
    lines: dict[tuple[str, int, int, str], None] = {}
    for op, text in remarks(kernel, found):
        place = location_of(op)
        if place is not None:
            lines[place.file, place.line, place.column, text] = None
    return [f"{file}:{line}:{column}  {text}" for file, line, column, text in sorted(lines)]
