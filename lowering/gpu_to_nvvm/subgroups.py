"""Subgroup ops among exactly the active lanes of a warp.

    %r = gpu.subgroup_reduce add %v       %r = nvvm.redux.sync add %v, %mask : i32 -> i32
    scf.if %c { … gpux.ballot %p … }      %m = nvvm.vote.ballot.sync %mask, %c : i32
                                          scf.if %c { … nvvm.vote.ballot.sync %m, %p …

The mask of the active lanes is computed, not asked for (`activemask` says which lanes happen to run
together). At the entry it is the lanes that the block has; a branch that differs between lanes
and has a subgroup op inside takes a vote first. A loop carries its mask along.

Where the mask is full, reductions are butterflies and scans shift by powers of two. Where it
might not be, that is one of two ways, the other goes through the mask's lanes one by one.
"""

from __future__ import annotations

from math import prod

from xdsl.dialects import arith, math, scf
from xdsl.dialects.builtin import IntegerType, i1, i32, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import gpu, gpux
from ...dialects.diagnostics import CompileError, location_of
from ...dialects.llvm import int_width
from ...passes.analyses.uniform_lanes import Uniform
from ...passes.utils.block_editing import constant_value, erase
from ..gpu_to_cpu.collective import combine
from ..loop_forms import as_while
from .lanes import Lanes

WARP = 32
FULL = 0xFFFFFFFF
SUBGROUP_OPS = (gpu.ShuffleOp, gpu.SubgroupReduceOp, gpux.SubgroupScanOp, gpux.BallotOp)
Mask = SSAValue


def lower_subgroups(kernel: gpu.FuncOp, sm: int) -> None:
    """Replaces the subgroup ops of a kernel by nvvm ops."""
    if any(isinstance(op, SUBGROUP_OPS) for op in kernel.walk()):
        _Lowering(kernel, sm).run()


def _uses_subgroups(op: Operation) -> bool:
    return any(isinstance(inner, SUBGROUP_OPS) for inner in op.walk())


class _Lowering:
    def __init__(self, kernel: gpu.FuncOp, sm: int) -> None:
        self.kernel = kernel
        self.sm = sm
        self.uniform = Uniform(kernel)

    def run(self) -> None:
        """The whole kernel."""
        first = self.kernel.entry.first_op
        assert first is not None, "a kernel ends in a terminator"
        build = Lanes(first, None, self.kernel.location)
        self.block(self.kernel.entry, self.entry_mask(build))

    def entry_mask(self, build: Lanes) -> Mask:
        """The lanes that the block has in this warp."""
        size = self.kernel.known_block_size
        if size is not None and prod(size) % WARP == 0:
            return build.const(-1)
        threads, linear = self._linear(build)
        first = build.op(arith.AndIOp, linear, build.const(-WARP))
        left = build.op(arith.SubiOp, threads, first)
        some = build.op(
            arith.SubiOp,
            build.op(arith.ShLIOp, build.const(1), build.op(arith.AndIOp, left, build.const(31))),
            build.const(1),
        )
        return build.select(build.cmp("uge", left, WARP), build.const(-1), some)

    def _linear(self, build: Lanes) -> tuple[SSAValue, SSAValue]:
        """The threads of the block, and this one's number."""
        tid = [build.nvvm(f"read.ptx.sreg.tid.{axis}") for axis in "xyz"]
        size = [build.nvvm(f"read.ptx.sreg.ntid.{axis}") for axis in "xyz"]
        row = build.op(arith.AddiOp, build.op(arith.MuliOp, tid[2], size[1]), tid[1])
        linear = build.op(arith.AddiOp, build.op(arith.MuliOp, row, size[0]), tid[0])
        area = build.op(arith.MuliOp, size[0], size[1])
        return build.op(arith.MuliOp, area, size[2]), linear

    # --- control flow -----------------------------------------------------------------------------

    def block(self, block: Block, mask: Mask) -> None:
        """All ops of a block; the lanes of `mask` run it."""
        for op in list(block.ops):
            if isinstance(op, SUBGROUP_OPS):
                self.replace(op, mask)
            elif op.regions and _uses_subgroups(op):
                self.control(op, mask)

    def control(self, op: Operation, mask: Mask) -> None:
        """An op with regions that have subgroup ops inside."""
        if isinstance(op, scf.IfOp):
            self._if(op, mask)
        elif isinstance(op, scf.ForOp):
            if all(self.uniform(bound) for bound in (op.lb, op.ub, op.step)):
                self.block(op.body.block, mask)
            else:
                self._while(as_while(op), mask)
        elif isinstance(op, scf.WhileOp):
            self._while(op, mask)
        elif isinstance(op, scf.IndexSwitchOp):
            self._switch(op, mask)
        else:
            for region in op.regions:
                for block in region.blocks:
                    self.block(block, mask)

    def _if(self, op: scf.IfOp, mask: Mask) -> None:
        regions = [region for region in op.regions if region.blocks]
        if self.uniform(op.cond):
            for region in regions:
                self.block(region.block, mask)
            return
        build = Lanes.before(op)
        taken = build.nvvm("vote.ballot.sync", mask, op.cond)
        self.block(regions[0].block, taken)
        if len(regions) > 1:
            others = build.op(arith.XOrIOp, mask, taken)
            self.block(regions[1].block, others)

    def _switch(self, op: scf.IndexSwitchOp, mask: Mask) -> None:
        if self.uniform(op.arg):
            for region in op.regions:
                self.block(region.block, mask)
            return
        build = Lanes.before(op)
        left = mask
        numbers = [int(number) for number in op.cases.get_values()]
        for number, region in zip(numbers, op.case_regions, strict=True):
            same = build.cmp("eq", op.arg, number)
            taken = build.nvvm("vote.ballot.sync", mask, same)
            left = build.op(arith.XOrIOp, left, taken)
            self.block(region.block, taken)
        self.block(op.default_region.block, left)

    def _while(self, op: scf.WhileOp, mask: Mask) -> None:
        """The mask becomes a value that the loop carries: the lanes that have not left it."""
        before, after = op.before_region.block, op.after_region.block
        condition = before.last_op
        assert isinstance(condition, scf.ConditionOp), "a loop's first region ends in a condition"
        if self.uniform.loop(op):
            self.block(before, mask)
            self.block(after, mask)
            return
        build = Lanes.before(condition)
        inside = before.insert_arg(i32, len(before.args))
        stay = build.nvvm("vote.ballot.sync", inside, condition.operands[0])
        condition.operands = [*condition.operands, stay]
        running = after.insert_arg(i32, len(after.args))
        last = after.last_op
        assert last is not None, "a loop's second region ends in a yield"
        last.operands = [*last.operands, running]
        new = scf.WhileOp.create(
            operands=[*op.operands, mask],
            result_types=[*(result.type for result in op.results), i32],
            regions=[op.detach_region(region) for region in tuple(op.regions)],
            attributes=op.attributes,
            location=op.location,
        )
        assert op.parent is not None, "a loop stands in a block"
        op.parent.insert_op_before(new, op)
        for old, result in zip(op.results, new.results, strict=False):
            old.replace_all_uses_with(result)
        erase(op)
        self.block(before, inside)
        self.block(after, running)

    # --- the ops ----------------------------------------------------------------------------------

    def replace(self, op: Operation, mask: Mask) -> None:
        """One subgroup op by what it is on this target."""
        build = Lanes.before(op)
        if isinstance(op, gpu.ShuffleOp):
            results = self.shuffle(op, build, mask)
        elif isinstance(op, gpu.SubgroupReduceOp):
            results = [self.reduce(op, build, mask)]
        elif isinstance(op, gpux.SubgroupScanOp):
            results = [self.scan(op, build, mask)]
        else:
            assert isinstance(op, gpux.BallotOp), "the table of subgroup ops is complete"
            bits = build.nvvm("vote.ballot.sync", mask, op.predicate)
            results = [build.op(arith.ExtUIOp, bits, kind=i64)]
        for old, new in zip(op.results, results, strict=True):
            old.replace_all_uses_with(new)
        self.uniform.note(op, results)
        erase(op)

    def reduce(self, op: gpu.SubgroupReduceOp, build: Lanes, mask: Mask) -> SSAValue:
        """All lanes' values combined."""
        kind, value = op.op.data.value, op.value
        cls, neutral = combine(op, kind, value.type)
        if value.type == i1:
            return _reduce_bool(build, mask, kind, value)
        if self.sm >= 80 and (fast := _redux(build, mask, kind, value)) is not None:
            return fast

        def butterfly(build: Lanes) -> SSAValue:
            total = value
            for step in (16, 8, 4, 2, 1):
                other = build.shuffle("bfly", mask, total, build.const(step))
                total = build.op(cls, total, other)
            return total

        def one_by_one(build: Lanes) -> SSAValue:
            return _serial(build, mask, value, cls, neutral, None)

        if _is_full(mask):
            return butterfly(build)
        full = build.cmp("eq", mask, -1)
        return build.choose(full, value.type, butterfly, one_by_one)

    def scan(self, op: gpux.SubgroupScanOp, build: Lanes, mask: Mask) -> SSAValue:
        """The values of the lanes up to this one (or before it) combined."""
        kind, value = op.kind.data, op.value
        cls, neutral = combine(op, kind, value.type)
        inclusive = op.mode.data == "inclusive"
        if not inclusive and not neutral:
            neutral = abs(neutral)

        def shifts(build: Lanes) -> SSAValue:
            total = value
            for step in (1, 2, 4, 8, 16):
                other, valid = build.shuffle_in_range("up", mask, total, build.const(step), 0)
                total = build.select(valid, build.op(cls, other, total), total)
            if inclusive:
                return total
            before, valid = build.shuffle_in_range("up", mask, total, build.const(1), 0)
            return build.select(valid, before, build.const(neutral, value.type))

        def one_by_one(build: Lanes) -> SSAValue:
            register = "le" if inclusive else "lt"
            lanes = build.nvvm(f"read.ptx.sreg.lanemask.{register}")
            return _serial(build, mask, value, cls, neutral, lanes)

        if _is_full(mask):
            return shifts(build)
        full = build.cmp("eq", mask, -1)
        return build.choose(full, value.type, shifts, one_by_one)

    def shuffle(self, op: gpu.ShuffleOp, build: Lanes, mask: Mask) -> list[SSAValue]:
        """Every lane reads a lane of its segment; its own if the other is not there."""
        width = self._width(op)
        mode = op.mode.data.value
        offset = constant_value(op.offset)
        if _is_full(mask) and offset is not None and 0 <= offset < width:
            return self._plain_shuffle(op, build, mask, offset, width)
        lane = build.nvvm("read.ptx.sreg.laneid")
        place = lane if width == WARP else build.op(arith.AndIOp, lane, build.const(width - 1))
        words = {"xor": arith.XOrIOp, "up": arith.SubiOp, "down": arith.AddiOp}
        other = op.offset if mode == "idx" else build.op(words[mode], place, op.offset)
        valid = build.cmp("ult", other, width)
        if width != WARP:
            other = build.op(arith.AddiOp, other, build.op(arith.SubiOp, lane, place))
        if not _is_full(mask):
            near = build.op(arith.AndIOp, other, build.const(31))
            bit = build.op(arith.ShRUIOp, mask, near)
            there = build.op(arith.TruncIOp, bit, kind=i1)
            valid = build.op(arith.AndIOp, valid, there)
        source = build.select(valid, other, lane)
        return [build.shuffle("idx", mask, op.value, source), valid]

    def _plain_shuffle(
        self, op: gpu.ShuffleOp, build: Lanes, mask: Mask, offset: int, width: int
    ) -> list[SSAValue]:
        """With all lanes there and a constant offset, the instruction does it."""
        mode = op.mode.data.value
        word = {"xor": "bfly"}.get(mode, mode)
        clamp = ((WARP - width) << 8) | (0 if mode == "up" else 31)
        lane = build.const(offset)
        if mode in ("xor", "idx"):
            moved = build.shuffle(word, mask, op.value, lane, clamp)
            return [moved, build.const(1, i1)]
        return list(build.shuffle_in_range(word, mask, op.value, lane, clamp))

    def _width(self, op: gpu.ShuffleOp) -> int:
        """The lanes of a segment: 32 or a smaller power of two."""
        source: SSAValue = op.width
        while isinstance(source.owner, arith.IndexCastOp | arith.TruncIOp):
            source = source.owner.operands[0]
        known = WARP if isinstance(source.owner, gpu.SubgroupSizeOp) else constant_value(source)
        if known is not None and 0 < known <= WARP and known & (known - 1) == 0:
            return known
        found = "a value that is not constant" if known is None else str(known)
        raise CompileError(
            f"shuffle over {found} lanes, expected the subgroup size or a power of 2 below {WARP}",
            location_of(op),
            hint=f"subgroups have {WARP} lanes here: use gpu.subgroup_size as the width",
        )


def _is_full(mask: Mask) -> bool:
    value = constant_value(mask)
    return value is not None and value & FULL == FULL


def _reduce_bool(build: Lanes, mask: Mask, kind: str, value: SSAValue) -> SSAValue:
    """Votes; a sum of bools wraps, so it is their parity."""
    if kind in ("and", "mul", "minui", "maxsi"):
        return build.nvvm("vote.all.sync", mask, value)
    if kind in ("or", "maxui", "minsi"):
        return build.nvvm("vote.any.sync", mask, value)
    bits = build.nvvm("vote.ballot.sync", mask, value)
    return build.op(arith.TruncIOp, build.op(math.CtPopOp, bits), kind=i1)


_REDUX = {
    "add": ("add", False), "and": ("and", False), "or": ("or", False), "xor": ("xor", False),
    "minsi": ("min", True), "maxsi": ("max", True), "minui": ("umin", False),
    "maxui": ("umax", False),
}  # fmt: skip


def _redux(build: Lanes, mask: Mask, kind: str, value: SSAValue) -> SSAValue | None:
    """One instruction for integers of up to 32 bits, for any mask."""
    type_ = value.type
    narrow: Attribute = value.type
    if not isinstance(type_, IntegerType) or int_width(type_) > 32 or kind not in _REDUX:
        return None
    word, signed = _REDUX[kind]
    wide = value
    if type_ != i32:
        wide = build.op(arith.ExtSIOp if signed else arith.ExtUIOp, value, kind=i32)
    total = build.nvvm("redux.sync", wide, mask, kind=word)
    return total if type_ == i32 else build.op(arith.TruncIOp, total, kind=narrow)


def _serial(
    build: Lanes,
    mask: Mask,
    value: SSAValue,
    cls: type[Operation],
    neutral: int | float,
    lanes: SSAValue | None,
) -> SSAValue:
    """The values of the mask's lanes combined in order, of those in `lanes` if that is given."""
    kind = value.type
    start = build.const(neutral, kind)
    before, after = Block(arg_types=[i32, kind]), Block(arg_types=[i32, kind])
    head = build.inside(before)
    more = head.cmp("ne", before.args[0], 0)
    head.add(scf.ConditionOp.create(operands=[more, *before.args]))
    body = build.inside(after)
    left, total = after.args
    source = body.op(math.CountTrailingZerosOp, left)
    other = body.shuffle("idx", mask, value, source)
    summed = body.op(cls, total, other)
    if lanes is not None:
        bit = body.op(arith.TruncIOp, body.op(arith.ShRUIOp, lanes, source), kind=i1)
        summed = body.select(bit, summed, total)
    rest = body.op(arith.AndIOp, left, body.op(arith.SubiOp, left, body.const(1)))
    body.add(scf.YieldOp.create(operands=[rest, summed]))
    loop = scf.WhileOp.create(
        operands=[mask, start],
        result_types=[i32, kind],
        regions=[Region(before), Region(after)],
    )
    return build.add(loop).results[1]
