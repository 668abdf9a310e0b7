"""check-loop-ends: behind each outermost loop, whether the device has ended a loop early.

    %r = scf.while (%x) {                     %r = scf.while (%x) {
      …                                         …
    }                                         }
                                              %two = 2, which the device's compiler does not know
                                              %n = scf.for %i = 0 to %two step 1
                                                  iter_args(%_ = 0) { scf.yield %i }
                                              gpux.check %n == 1, "loop", "…"

Mesa's software device counts the rounds of all loops of a thread, and after 65535 ends each loop,
without a word, when it has gone round once. So one more loop, of two rounds, tells whether that was
so; within a loop a loop that ends early is followed by its outermost one. With these checks a
kernel that goes round more often is an error there, and never a wrong result; loops of few rounds,
all of them known, need none. The pass runs when all loops exist, also those that stand for what the
device lacks (atomics by compare-exchange, subgroups through shared memory, divisions of 64 bits).

The device's compiler believes that a loop ends by its condition only, and makes a constant of
everything which follows from that. So the bound is one only where a grid has at least one block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, func, scf
from xdsl.dialects.builtin import IndexType, IntegerAttr, IntegerType, ModuleOp, i1, i64
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpu, gpux
from ..dialects.walking import ops_of
from .utils.block_editing import constant, constant_value, functions

MESSAGE = "the device ended this loop: it lets a thread go round 65535 times in all"
FEW_ROUNDS = 256  # in a kernel
# By the numbers of the predicates of arith.
_EQ, _NE = (IntegerAttr(number, i64) for number in (0, 1))
_INDEX = IndexType()


@dataclass(frozen=True)
class CheckLoopEnds(ModulePass):
    """Checks all loops; does nothing where `wanted` is false, on devices without such a limit."""

    name = "check-loop-ends"
    wanted: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not self.wanted:
            return
        loops = [loop for function in functions(op) for loop in _outermost(function)]
        calls = any(isinstance(inner, func.CallOp) for inner in ops_of(op))
        if not calls and sum(map(_rounds, loops)) <= FEW_ROUNDS:
            return
        for loop in loops:
            _check_behind(loop)


def _outermost(op: Operation) -> Iterator[scf.ForOp | scf.WhileOp]:
    """The loops in an op that are in no other loop there."""
    for region in op.regions:
        for block in region.blocks:
            for inner in block.ops:
                if isinstance(inner, scf.ForOp | scf.WhileOp):
                    yield inner
                else:
                    yield from _outermost(inner)


def _rounds(loop: scf.ForOp | scf.WhileOp) -> int:
    """How often a thread goes round in a loop and the loops in it; FEW_ROUNDS + 1 for too often."""
    numbers = [constant_value(value) for value in loop.operands[:3]]
    if not isinstance(loop, scf.ForOp) or None in numbers:
        return FEW_ROUNDS + 1
    start, end, step = (number or 0 for number in numbers)
    inside = sum(map(_rounds, _outermost(loop)))
    return len(range(start, end, max(step, 1))) * (1 + inside)


def _check_behind(loop: Operation) -> None:
    block, location = loop.parent, loop.location
    assert block is not None, "a loop stands in a block"
    zero, one, two = (constant(_INDEX, number, location) for number in range(3))
    blocks = gpu.GridDimOp(0)
    true = _compare(_NE, blocks.results[0], zero.result)
    bound = arith.SelectOp.create(
        operands=[true.results[0], two.result, one.result], result_types=[_INDEX]
    )
    body = Block(arg_types=[_INDEX, _INDEX])
    body.add_op(scf.YieldOp.create(operands=[body.args[0]], location=location))
    probe = scf.ForOp.create(
        operands=[zero.result, bound.results[0], one.result, zero.result],
        result_types=[_INDEX],
        regions=[Region(body)],
    )
    whole = _compare(_EQ, probe.results[0], one.result)
    check = gpux.CheckOp(whole.results[0], "loop", MESSAGE)
    made = (zero, one, two, blocks, true, bound, probe, whole, check)
    for op in made:
        op.location = location
    block.insert_ops_after(made, loop)


def _compare(predicate: IntegerAttr[IntegerType], a: SSAValue, b: SSAValue) -> Operation:
    properties = {"predicate": predicate}
    return arith.CmpiOp.create(operands=[a, b], result_types=[i1], properties=properties)
