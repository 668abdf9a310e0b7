"""vectorise-subgroups: threads of a block, one after the other, become lanes of vectors.

    scf.for %t = %lo to %hi step %c1 {            scf.for %t = %lo to %whole step %c8 {
      %i = arith.addi %base, %t : index             %i = arith.addi %base, %t : index
      %v = memref.load %x[%i]               ->      %v = vector.load %x[%i] : vector<8xf32>
      …                                             …
    } {gpux.threads}                              }
                                                  scf.for %t = %whole to %hi step %c8 {
                                                    %on = vector.create_mask (%hi - %t)
                                                    … the same under this mask
                                                  }

At the cpu level, for loops over threads (their iterations may run in any order, or together). The
body is vectorised as a whole: values and branches that all lanes have in common stay scalar, others
become vectors and masks (`control`), and what has no vector form is done lane by lane (`single`).
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import func, scf
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects import gpu, gpux, marks
from ...dialects.diagnostics import CompileError
from ...dialects.walking import ops_of
from ...passes.analyses.divergence import (
    SUBGROUP,
    VARYING,
    Divergence,
    Spread,
    affine,
    is_private_array,
)
from ...passes.utils.block_editing import constant_value
from ..gpu_to_cpu.split import expand_switch
from .cost import (
    gathers_too_much,
    goes_along_rows,
    has_branches,
    is_mostly_gathers,
    most_threads,
    vectors_at_once,
)
from .fits import CONTROL, has_lanes, is_plain_use, values_of


@dataclass(frozen=True)
class VectoriseSubgroups(ModulePass):
    """Makes loops over threads loops over vectors of `width` threads; a width of 1 changes nothing.

    Where it pays (cost.py), vectors are twice or four times as long, or loops stay as they are,
    for LLVM's own vectoriser; with `always` all become vectors of this width. `gathers` says
    whether the machine has good instructions that load lanes from anywhere, and `masks`
    whether it loads and stores elements of all sizes under masks.
    """

    name = "vectorise-subgroups"
    width: int = 8
    always: bool = False
    gathers: bool = True
    masks: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        width = self.width
        if not 1 <= width <= 64 or width & (width - 1):
            raise CompileError(f"width is {width}, expected a power of two from 1 to 64")
        if width == 1:
            return
        for function in [inner for inner in op.body.block.ops if isinstance(inner, func.FuncOp)]:
            loops = [inner for inner in ops_of(function) if marks.THREADS in inner.attributes]
            for loop in loops:
                if isinstance(loop, scf.ForOp):
                    self._loop(loop)

    def _loop(self, loop: scf.ForOp) -> None:
        together = marks.SUBGROUP in loop.attributes
        straight = not (together or self.always or has_branches(loop))
        if straight and not self.masks:
            return
        arrays = _own_arrays(loop) if _is_over_threads(loop) else None
        if arrays is None:
            assert not together, "gpu-to-cpu leaves only those subgroup ops that can be vectors"
            return
        for switch in [op for op in ops_of(loop) if isinstance(op, scf.IndexSwitchOp)]:
            expand_switch(switch)
        given = {loop.body.block.args[0]: affine(1), **dict.fromkeys(arrays, VARYING)}
        spreads = Divergence(loop.body, given, spread_of_collective)
        if straight:
            self._straight(loop, spreads)
            return
        alone = most_threads(loop) == 1 and not self.always
        if not together and (alone or _may_wait(loop, spreads)):
            return
        if not (together or self.always) and (
            gathers_too_much(loop, spreads)
            or is_mostly_gathers(loop, spreads, self.gathers)
            or goes_along_rows(loop, spreads)
        ):
            return
        if not _arrays_are_known(loop, spreads):
            assert not together, "gpu-to-cpu leaves only those subgroup ops that can be vectors"
            return
        at_once = 1
        if not (together or self.always):
            at_once = vectors_at_once(loop, spreads, self.width)
        from .vectors import vectorise  # only kernels that need vectors pay for loading it

        vectorise(loop, spreads, arrays, self.width, at_once)

    def _straight(self, loop: scf.ForOp, spreads: Divergence) -> None:
        from .straight import lengths_of, vectorise_straight

        bits = 32 * self.width
        lengths = lengths_of(loop, spreads, bits)
        if lengths is not None:
            vectorise_straight(loop, spreads, lengths, bits)


def spread_of_collective(op: Operation) -> Spread | None:
    """All lanes get what a reduction or a vote gives."""
    return SUBGROUP if isinstance(op, gpu.SubgroupReduceOp | gpux.BallotOp) else None


# --- which loops ----------------------------------------------------------------------------------


def _is_over_threads(loop: scf.ForOp) -> bool:
    """Whether a loop carries nothing, and every value in it can have lanes."""
    if loop.iter_args or constant_value(loop.step) != 1 or not has_lanes(loop):
        return False
    return not any(marks.THREADS in op.attributes for op in ops_of(loop) if op is not loop)


def _own_arrays(loop: scf.ForOp) -> list[SSAValue] | None:
    """The arrays that each thread has for itself; None if one is used in ways not known here."""
    found: dict[SSAValue, None] = {}
    for op in ops_of(loop):
        for operand in op.operands:
            if is_private_array(operand):
                found[operand] = None
    for array in found:
        for use in array.uses:  # other loops run other threads
            inside = loop.is_ancestor(use.operation)
            if inside and not is_plain_use(use.operation, use.index):
                return None
    return list(found)


def _may_wait(loop: scf.ForOp, spreads: Divergence) -> bool:
    """Whether threads may wait for each other, as for a lock, which lanes in step never get."""
    loops = [op for op in ops_of(loop) if isinstance(op, scf.WhileOp) and spreads.is_divergent(op)]
    return any(
        isinstance(op, gpux.AtomicRMWOp | gpux.AtomicCASOp) and next(iter(op.old.uses), None)
        for each in loops
        for op in ops_of(each)
    )


def _arrays_are_known(loop: scf.ForOp, spreads: Divergence) -> bool:
    """Whether an array that differs by lane is always a view, which can be made again."""
    return not any(
        isinstance(value.type, MemRefType) and not spreads[value].is_uniform
        for op in ops_of(loop)
        if isinstance(op, CONTROL) and op is not loop
        for value in values_of(op)
    )
