"""vectorise-subgroups: threads of a block, one after the other, become lanes of vectors.

    scf.for %t = %lo to %hi step %c1 {            scf.for %t = %lo to %whole step %c8 {
      %i = arith.addi %base, %t : index             %i = arith.addi %base, %t : index
      %v = memref.load %x[%i]               ->      %v = vector.load %x[%i] : vector<8xf32>
      …                                             …
    } {gpux.threads}                              }
                                                  scf.if (%whole < %hi) {
                                                    %on = vector.create_mask (%hi - %whole)
                                                    … the same under this mask
                                                  }

At the cpu level, for loops over threads (their iterations may run in any order, or together). The
body is vectorised as a whole: values and branches that all lanes have in common stay scalar, others
become vectors and masks (`control`), and what has no vector form is done lane by lane (`single`).
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, func, memref, scf, vector
from xdsl.dialects.builtin import IndexType, MemRefType, ModuleOp, i1
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects import gpu, gpux
from ...dialects.diagnostics import CompileError
from ...passes.block_editing import constant, constant_value, erase
from ...passes.divergence import SUBGROUP, VARYING, Divergence, Spread, affine, is_private_array
from ..gpu_to_cpu.split import expand_switch
from ..memref_views import as_memref
from .cost import LARGEST, is_worth_it, vectors_at_once
from .fits import CONTROL, has_lanes, is_plain_use, values_of
from .region import Body

THREADS = "gpux.threads"
TOGETHER = "gpux.subgroup"
_SLT = 2


@dataclass(frozen=True)
class VectoriseSubgroups(ModulePass):
    """Makes loops over threads loops over vectors of `width` threads; a width of 1 changes nothing.

    Where it pays (cost.py), vectors are twice or four times as long, or loops stay as they are,
    for LLVM's own vectoriser; with `always` all become vectors of this width.
    """

    name = "vectorise-subgroups"
    width: int = 8
    always: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        width = self.width
        if not 1 <= width <= 64 or width & (width - 1):
            raise CompileError(f"width is {width}, expected a power of two from 1 to 64")
        if width == 1:
            return
        for function in [inner for inner in op.body.block.ops if isinstance(inner, func.FuncOp)]:
            loops = [inner for inner in function.walk() if THREADS in inner.attributes]
            for loop in loops:
                if isinstance(loop, scf.ForOp):
                    self._loop(loop)

    def _loop(self, loop: scf.ForOp) -> None:
        together = TOGETHER in loop.attributes
        arrays = _own_arrays(loop) if _is_over_threads(loop) else None
        if arrays is None:
            assert not together, "gpu-to-cpu leaves only those subgroup ops that can be vectors"
            return
        for switch in [op for op in loop.walk() if isinstance(op, scf.IndexSwitchOp)]:
            expand_switch(switch)
        given = {loop.body.block.args[0]: affine(1), **dict.fromkeys(arrays, VARYING)}
        spreads = Divergence(loop.body, given, spread_of_collective)
        if together or (self.always and _arrays_are_known(loop, spreads)):
            _vectorise(loop, spreads, arrays, self.width)
        elif _arrays_are_known(loop, spreads) and is_worth_it(loop, spreads):
            width = min(self.width * vectors_at_once(loop, spreads), LARGEST)
            _vectorise(loop, spreads, arrays, width)


def spread_of_collective(op: Operation) -> Spread | None:
    """All lanes get what a reduction or a vote gives."""
    return SUBGROUP if isinstance(op, gpu.SubgroupReduceOp | gpux.BallotOp) else None


# --- which loops ----------------------------------------------------------------------------------


def _is_over_threads(loop: scf.ForOp) -> bool:
    """Whether a loop carries nothing, and every value in it can have lanes."""
    if loop.iter_args or constant_value(loop.step) != 1 or not has_lanes(loop):
        return False
    return not any(THREADS in op.attributes for op in loop.walk() if op is not loop)


def _own_arrays(loop: scf.ForOp) -> list[SSAValue] | None:
    """The arrays that each thread has for itself; None if one is used in ways not known here."""
    found: dict[SSAValue, None] = {}
    for op in loop.walk():
        for operand in op.operands:
            if is_private_array(operand):
                found[operand] = None
    for array in found:
        for use in array.uses:
            inside = loop.is_ancestor(use.operation)
            if not inside or not is_plain_use(use.operation, use.index):
                return None
    return list(found)


def _arrays_are_known(loop: scf.ForOp, spreads: Divergence) -> bool:
    """Whether an array that differs by lane is always a view, which can be made again."""
    return not any(
        isinstance(value.type, MemRefType) and not spreads[value].is_uniform
        for op in loop.walk()
        if isinstance(op, CONTROL) and op is not loop
        for value in values_of(op)
    )


# --- how ------------------------------------------------------------------------------------------


def _vectorise(loop: scf.ForOp, spreads: Divergence, arrays: list[SSAValue], width: int) -> None:
    """Put a loop over vectors and a last vector under a mask in the place of a loop."""
    own = {array: _with_lanes(array, width) for array in arrays}
    before = _Before(loop)
    low, high = constant_value(loop.lb), constant_value(loop.ub)
    if low is not None and high is not None and (high - low) % width == 0:
        _vectors(loop, Body(width, spreads, loop, own), loop.ub)
    else:
        length = before.binary(arith.SubiOp, loop.ub, loop.lb)
        count = before.binary(arith.MaxSIOp, length, before.number(0))
        covered = before.binary(arith.AndIOp, count, before.number(-width))
        end = before.binary(arith.AddiOp, loop.lb, covered)
        _vectors(loop, Body(width, spreads, loop, own), end)
        left = before.binary(arith.SubiOp, count, covered)
        _rest(loop, Body(width, spreads, loop, own), end, left)
    erase(loop)


def _vectors(loop: scf.ForOp, body: Body, end: SSAValue) -> None:
    """The loop over whole vectors, up to `end`."""
    block = body.arguments([loop.lb.type])
    block.args[0].name_hint = loop.body.block.args[0].name_hint
    _write(body, loop, block, block.args[0], None)
    step = body.number(body.width)
    new = scf.ForOp.create(operands=[loop.lb, end, step], regions=[Region(block)])
    _Before(loop).add(new)


def _rest(loop: scf.ForOp, body: Body, first: SSAValue, count: SSAValue) -> None:
    """The last threads, if there are any: one more vector under a mask."""
    block = Block()
    with body.at(block, None):
        lanes = vector.CreateMaskOp.create(operands=[count], result_types=[body.vector_type(i1)])
        mask = body.value(lanes)
    _write(body, loop, block, first, mask)
    before = _Before(loop)
    some = before.add(arith.CmpiOp(before.number(0), count, _SLT)).results[0]
    before.add(scf.IfOp.create(operands=[some], regions=[Region(block), Region()]))


def _write(
    body: Body, loop: scf.ForOp, block: Block, first: SSAValue, mask: SSAValue | None
) -> None:
    old = loop.body.block
    body.bind(old.args[0], first)
    with body.at(block, mask):
        body.ops(old)
        body.add(scf.YieldOp.create())


def _with_lanes(array: SSAValue, width: int) -> SSAValue:
    """An array with a place for each lane, beside the one of a single thread."""
    owner = array.owner
    assert isinstance(owner, memref.AllocaOp), "a thread's own array is an alloca"
    type = as_memref(array.type)
    new = memref.AllocaOp.create(
        result_types=[MemRefType(type.element_type, [*type.get_shape(), width])],
        properties=dict(owner.properties),
        attributes=dict(owner.attributes),
        location=owner.location,
    )
    new.results[0].name_hint = array.name_hint
    assert owner.parent is not None, "an alloca stands in a block"
    owner.parent.insert_op_after(new, owner)
    return new.results[0]


class _Before:
    """Writes ops before a loop."""

    def __init__(self, loop: scf.ForOp) -> None:
        self.loop = loop

    def add(self, op: Operation) -> Operation:
        op.location = self.loop.location
        assert self.loop.parent is not None, "the loop stands in a block"
        self.loop.parent.insert_op_before(op, self.loop)
        return op

    def number(self, value: int) -> SSAValue:
        return self.add(constant(IndexType(), value, self.loop.location)).results[0]

    def binary(self, kind: type[Operation], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        return self.add(kind(lhs, rhs)).results[0]  # pyright: ignore[reportCallIssue]
