"""All threads of a block come to certain ops: masks in place of branches that differ by thread.

    scf.if %c {                           %v = scf.if %c { memref.load … } else { 0 }
      %v = memref.load …                  %r = gpu.subgroup_reduce add %v      // the threads of %c
      %r = gpu.subgroup_reduce add %v     scf.if %c {
      memref.store %r, …                    memref.store %r, …
    }                                     }

Which threads an op is meant for is a mask, an `i1` of each thread. A loop that threads leave at
different times goes on until the last one leaves it, and carries its mask along: that some thread
goes on is said by a word of workgroup memory. Ops that change and read nothing are done by all
threads; those that do not depend on the thread have one value for all of them then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    IndexType,
    MemRefType,
    NoneAttr,
    f32,
    i1,
    i32,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.traits import Pure

from ...dialects import gpu
from ...dialects.arith_lanes import is_vector
from ...passes.utils.block_editing import erase
from ..gpu_to_cpu.split import expand_switch
from ..loop_forms import as_while
from ..math.calculator import Calculator, Number
from ..remarks import remark
from .block_uniform import BlockUniform
from .word_updates import Place

_HARMLESS = ("memref.dim", "memref.view", "memref.alloca", "scf.yield")


class Converge:
    """The control flow around the ops `meant` of a kernel; `masks` says for whom each one is.

    An op without a mask is for all threads of the block.
    """

    def __init__(self, kernel: gpu.FuncOp, meant: Iterable[Operation]) -> None:
        self.kernel = kernel
        self.masks: dict[Operation, SSAValue] = {}
        self.meant = set(meant)
        self.around: set[Operation] = set()
        self._flag: SSAValue | None = None
        for op in self.meant:
            self._note_around(op)
        self._block(kernel.entry, None)

    def _note_around(self, op: Operation) -> None:
        around = op.parent_op()
        while around is not None and around is not self.kernel:
            self.around.add(around)
            around = around.parent_op()

    # --- blocks -----------------------------------------------------------------------------------

    def _block(self, block: Block, mask: SSAValue | None) -> None:
        """All ops of a block, which is for the threads of `mask`."""
        run: list[Operation] = []
        last = block.last_op
        for op in list(block.ops):
            if op is last or op in self.meant or op in self.around:
                _guard(run, mask)
                run = []
            if op in self.meant and mask is not None:
                self.masks[op] = mask
            elif op in self.around:
                self._control(op, mask)
            elif op is not last:
                run.append(op)

    def _control(self, op: Operation, mask: SSAValue | None) -> None:
        if self._is_common(op, mask):
            for region in op.regions:
                if region.blocks:
                    self._block(region.block, mask)
        elif isinstance(op, scf.IfOp):
            self._if(op, mask)
        elif isinstance(op, scf.IndexSwitchOp):
            ifs = expand_switch(op)
            for meant in self.meant:
                self._note_around(meant)
            self._control(ifs[-1], mask)
        elif isinstance(op, scf.ForOp):
            loop = as_while(op, index_bits=32)  # or more
            self.around.add(loop)
            self._while(loop, mask)
        else:
            assert isinstance(op, scf.WhileOp), f"{op.name} is no control flow of the shader level"
            self._while(op, mask)

    def _is_common(self, op: Operation, mask: SSAValue | None) -> bool:
        """Whether all threads of the block may go one way through control flow."""
        if mask is None:
            return BlockUniform(self.kernel).together(op)
        # With nobody in the mask, a loop with a condition might never end.
        is_partial = isinstance(op, scf.WhileOp)
        return not is_partial and BlockUniform(self.kernel, self._is_partial).together(op)

    def _is_partial(self, op: Operation) -> bool:
        """Whether, under a mask, only the threads of the mask do it."""
        if op in self.around:
            return isinstance(op, scf.WhileOp)
        return not _is_harmless(op)

    def _if(self, op: scf.IfOp, mask: SSAValue | None) -> None:
        """Both ways one after the other, each with its mask."""
        c = Calculator(op, f32)
        taken, ways = c.number(op.cond), [c.number(op.cond), c.number(op.cond) ^ 1]
        values: list[Sequence[SSAValue]] = []
        block = op.parent
        assert block is not None, "control flow stands in a block"
        for region, way in zip(op.regions, ways, strict=True):
            if not region.blocks:
                continue
            way = way if mask is None else way & c.number(mask)
            self._block(region.block, way.value)
            *inner, last = region.block.ops
            values.append(last.operands)
            for moved in inner:
                moved.detach()
                block.insert_op_before(moved, op)
        for result, *pair in zip(op.results, *values, strict=True):
            yes, no = (c.number(value) for value in pair)
            result.replace_all_uses_with(c.select(taken, yes, no).value)
        erase(op)

    # --- loops ------------------------------------------------------------------------------------

    def _while(self, op: scf.WhileOp, mask: SSAValue | None) -> None:
        """Carried are also what the loop gives, as of the last round of a thread, and its mask."""
        remark(
            op,
            "a loop with subgroup operations goes on until the last thread of the block leaves it, "
            "which takes three barriers a round",
        )
        before, after = op.before_region.block, op.after_region.block
        condition, last = before.last_op, after.last_op
        assert condition is not None and last is not None, "a region ends in a terminator"
        kinds = [value.type for value in after.args]
        kept = [before.insert_arg(kind, len(before.args)) for kind in kinds]
        inside = before.insert_arg(i1, len(before.args))
        condition.operands = [*condition.operands, inside]
        given = list(after.args)
        running = after.insert_arg(i1, len(after.args))
        last.operands = [*last.operands, *given, running]
        self._carry_mask(op, kinds, mask)
        self._block(before, inside)
        stays, *passed, _ = condition.operands
        c = Calculator(condition, f32)
        active = c.number(inside)
        pairs = zip(passed, kept, strict=True)
        latest = [c.select(active, c.number(new), c.number(old)).value for new, old in pairs]
        goes_on = active & c.number(stays)
        condition.operands = [self._any(c, goes_on).value, *latest, goes_on.value]
        self._block(after, running)

    def _carry_mask(
        self, op: scf.WhileOp, kinds: Sequence[Attribute], mask: SSAValue | None
    ) -> None:
        """The loop with what it carries in addition, in the old one's place."""
        c = Calculator(op, f32)
        start = c.const(1, i1).value if mask is None else mask
        new = scf.WhileOp.create(
            operands=[*op.arguments, *(_zero(c, kind) for kind in kinds), start],
            result_types=[*kinds, i1],
            regions=[op.detach_region(region) for region in tuple(op.regions)],
            attributes=op.attributes,
        )
        c.add(new)
        self.around.add(new)
        for old, result in zip(op.results, new.results[:-1], strict=True):
            old.replace_all_uses_with(result)
        erase(op)

    def _any(self, c: Calculator, goes_on: Number) -> Number:
        """Whether a thread of the block goes on."""
        if self._flag is None:
            kind = MemRefType(i32, [1], NoneAttr(), gpu.WORKGROUP)
            self._flag = self.kernel.add_workgroup(kind)
            self._flag.name_hint = "goes_on"
        flag = Place(self._flag, c.const(0, IndexType()).value)
        c.add(gpu.BarrierOp())  # all have read what it was before
        flag.store(c, c.const(0, i32))
        c.add(gpu.BarrierOp())
        body = Block()
        inner = Calculator(c.anchor, f32, body)
        flag.store(inner, inner.const(1, i32))
        inner.add(scf.YieldOp.create())
        c.add(scf.IfOp.create(operands=[goes_on.value], regions=[Region(body), Region()]))
        c.add(gpu.BarrierOp())
        return flag.load(c).differs(0)


# --- what only the threads of a mask do -----------------------------------------------------------


def _is_harmless(op: Operation) -> bool:
    """Whether a thread that is not meant to may do it: nothing is read, changed or endless."""
    if op.regions:
        kinds = (scf.IfOp, scf.IndexSwitchOp)
        inner = (one for region in op.regions for block in region.blocks for one in block.ops)
        return isinstance(op, kinds) and all(map(_is_harmless, inner))
    name = op.name
    return name.startswith(("arith.", "math.")) or name in _HARMLESS or op.has_trait(Pure)


def _guard(run: Sequence[Operation], mask: SSAValue | None) -> None:
    """Puts those of neighbouring ops that are not for all threads under a mask."""
    if mask is None:
        return
    moved: list[Operation] = []
    inside: set[Operation] = set()
    for op in run:
        tree = list(op.walk())
        depends = any(value.owner in inside for inner in tree for value in inner.operands)
        if depends or not _is_harmless(op):
            moved.append(op)
            inside.update(tree)
    if moved:
        _wrap(moved, inside, mask)


def _wrap(moved: Sequence[Operation], inside: set[Operation], mask: SSAValue) -> None:
    after = moved[-1].next_op
    assert after is not None and after.parent is not None, "a terminator follows"
    values = [
        value
        for op in moved
        for value in op.results
        if any(use.operation not in inside for use in value.uses)
    ]
    body, others = Block(), Block()
    c = Calculator(moved[0], f32, others)
    place = moved[0].location
    regions = [Region(body), Region()]
    if values:
        c.add(scf.YieldOp.create(operands=[_zero(c, value.type) for value in values]))
        regions[1].add_block(others)
    made = scf.IfOp.create(
        operands=[mask],
        result_types=[value.type for value in values],
        regions=regions,
        location=place,
    )
    after.parent.insert_op_before(made, after)
    for value, result in zip(values, made.results, strict=True):
        result.name_hint = value.name_hint
        value.replace_uses_with_if(result, lambda use: use.operation not in inside)
    for op in moved:
        op.detach()
        body.add_op(op)
    body.add_op(scf.YieldOp.create(operands=values, location=place))


def _zero(c: Calculator, kind: Attribute) -> SSAValue:
    """What stands for a value that nobody looks at."""
    if not is_vector(kind):
        return c.const(0, kind).value
    value = DenseIntOrFPElementsAttr.from_list(cast(Any, kind), [0])
    made = arith.ConstantOp.create(result_types=[kind], properties={"value": value})
    return c.add(made).results[0]
