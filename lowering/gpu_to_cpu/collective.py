"""Write subgroup ops: loops over the lanes of one subgroup, for those that are active.

    %r = gpu.subgroup_reduce add %v      %r = scf.for %lane … iter_args(%sum = 0) { %sum + %v }
    %s = gpux.subgroup_scan add … %v     the same, and each lane keeps the sum so far
    %m = gpux.ballot %p : i64            the same with or, of %p << %lane
    %w, %ok = gpu.shuffle xor %v, …      all lanes keep %v, then each reads the other lane's

A reduction takes the lanes in order; an inactive lane adds the operation's neutral element.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerType, i1, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue

from ...dialects import gpu, gpux
from ...dialects.diagnostics import CompileError, location_of
from .builder import bit_width
from .frame import Frame
from .scopes import LaneScope
from .split import Collective

if TYPE_CHECKING:
    from .emit import Emitter

INTEGER_OPS: dict[str, type[Operation]] = {
    "add": arith.AddiOp,
    "mul": arith.MuliOp,
    "minsi": arith.MinSIOp,
    "minui": arith.MinUIOp,
    "maxsi": arith.MaxSIOp,
    "maxui": arith.MaxUIOp,
    "and": arith.AndIOp,
    "or": arith.OrIOp,
    "xor": arith.XOrIOp,
}
FLOAT_OPS: dict[str, type[Operation]] = {
    "add": arith.AddfOp,
    "mul": arith.MulfOp,
    "minimumf": arith.MinimumfOp,
    "maximumf": arith.MaximumfOp,
    "minnumf": arith.MinnumfOp,
    "maxnumf": arith.MaxnumfOp,
}
# -0.0 + x is x for every x, which 0.0 + x is not.
FLOAT_NEUTRAL = {
    "add": -0.0,
    "mul": 1.0,
    "minimumf": float("inf"),
    "maximumf": float("-inf"),
    "minnumf": float("nan"),
    "maxnumf": float("nan"),
}


def emit_collective(emitter: Emitter, item: Collective, scope: LaneScope) -> None:
    """Write one subgroup op for the subgroup of `scope`."""
    emitter.build.location = item.op.location
    writer = _Collective(emitter, item, scope)
    match item.op:
        case gpu.SubgroupReduceOp():
            writer.reduce(item.op)
        case gpux.SubgroupScanOp():
            writer.scan(item.op)
        case gpux.BallotOp():
            writer.ballot(item.op)
        case gpu.ShuffleOp():
            writer.shuffle(item.op)
        case _:
            raise AssertionError(f"{item.op.name} is not a subgroup op")


def combine(op: Operation, kind: str, type: Attribute) -> tuple[type[Operation], int | float]:
    """The binary op of a reduction and its neutral element."""
    highest = (1 << (bit_width(type) - 1)) - 1
    if isinstance(type, AnyFloat) and kind in FLOAT_OPS:
        return FLOAT_OPS[kind], FLOAT_NEUTRAL[kind]
    if isinstance(type, IntegerType | IndexType) and kind in INTEGER_OPS:
        neutral = {
            "mul": 1,
            "and": -1,
            "minui": -1,
            "minsi": highest,
            "maxsi": -highest - 1,
        }
        return INTEGER_OPS[kind], neutral.get(kind, 0)
    raise CompileError(f"no reduction {kind!r} of values of type {type}", location_of(op))


class _Collective:
    def __init__(self, emitter: Emitter, item: Collective, scope: LaneScope) -> None:
        self.emitter = emitter
        self.build = emitter.build
        self.leaf = item.leaf
        self.scope = scope

    def reduce(self, op: gpu.SubgroupReduceOp) -> None:
        """All lanes' values combined, in order."""
        kind, neutral = combine(op, op.op.data.value, op.value.type)

        def step(frame: Frame, active: SSAValue | None, sums: Sequence[SSAValue]):
            return [self._combined(kind, sums[0], frame.get(op.value), active)]

        initial = [self.build.constant(neutral, op.value.type)]
        (total,) = self.scope.fold(self.leaf, initial, step)
        self._share(op.result, total)

    def ballot(self, op: gpux.BallotOp) -> None:
        """Bit i is lane i's predicate."""
        build = self.build

        def step(frame: Frame, active: SSAValue | None, bits: Sequence[SSAValue]):
            voted = frame.get(op.predicate)
            if active is not None:
                voted = build.binary(arith.AndIOp, voted, active)
            lane = build.cast(arith.IndexCastOp, frame.ids.lane, i64)
            bit = build.binary(arith.ShLIOp, build.cast(arith.ExtUIOp, voted, i64), lane)
            return [build.binary(arith.OrIOp, bits[0], bit)]

        (bits,) = self.scope.fold(self.leaf, [build.constant(0, i64)], step)
        if op.result.type != i64:
            first = build.constant(op.first_lane, i64)
            bits = build.cast(arith.TruncIOp, build.binary(arith.ShRUIOp, bits, first), i32)
        self._share(op.result, bits)

    def scan(self, op: gpux.SubgroupScanOp) -> None:
        """Each lane keeps what the lanes up to it (or before it) combine to."""
        kind, neutral = combine(op, op.kind.data, op.value.type)
        inclusive = op.mode.data == "inclusive"

        def step(frame: Frame, active: SSAValue | None, sums: Sequence[SSAValue]):
            total = self._combined(kind, sums[0], frame.get(op.value), active)
            # An inactive lane has no place to use what it keeps here.
            frame.keep_as(total if inclusive else sums[0], op.result)
            return [total]

        # What no lane has contributed to is plain zero, not the negative one.
        initial = neutral if inclusive or neutral else abs(neutral)
        self.scope.fold(self.leaf, [self.build.constant(initial, op.value.type)], step)

    def _combined(
        self, kind: type[Operation], total: SSAValue, value: SSAValue, active: SSAValue | None
    ) -> SSAValue:
        combined = self.build.binary(kind, total, value)
        return combined if active is None else self.build.select(active, combined, total)

    def _share(self, result: SSAValue, value: SSAValue) -> None:
        """Give one value to all lanes: as it is, or in each one's place if that is asked for."""
        if self.emitter.live.is_scalar(result, self.scope.group):
            self.emitter.scalars[result] = value
        elif result in self.emitter.live.spilled:
            self.scope.each(self.leaf, lambda frame: frame.store(value, result))

    # --- shuffle ----------------------------------------------------------------------------------

    def shuffle(self, op: gpu.ShuffleOp) -> None:
        """Every lane reads a lane of its segment; its own if the other is not there."""
        build = self.build
        width = self._width(op)
        kept = build.array_of(self.emitter.lanes, op.value.type)

        def publish(frame: Frame) -> None:
            build.store(frame.get(op.value), kept, frame.ids.lane)

        def fetch(frame: Frame) -> None:
            lane = frame.ids.lane
            offset = build.cast(arith.IndexCastOp, frame.get(op.offset), IndexType())
            other, valid = self._other(op, lane, offset, width)
            valid = build.binary(arith.AndIOp, valid, self._is_there(other, lane, valid))
            source = build.select(valid, other, lane)
            frame.keep_as(build.load(kept, source, op.value.type), op.shuffle_result)
            frame.keep_as(valid, op.valid)

        self.scope.each(self.leaf, publish)
        self.scope.each(self.leaf, fetch)

    def _other(
        self, op: gpu.ShuffleOp, lane: SSAValue, offset: SSAValue, width: int
    ) -> tuple[SSAValue, SSAValue]:
        """The lane that is asked for, and whether it is in the same segment of `width` lanes."""
        build, segment = self.build, None
        place = lane
        if width != self.emitter.ids.ids.subgroup_size:
            place = build.binary(arith.AndIOp, lane, build.constant(width - 1))
            segment = build.binary(arith.SubiOp, lane, place)
        kinds = {"xor": arith.XOrIOp, "up": arith.SubiOp, "down": arith.AddiOp}
        mode = op.mode.data.value
        other = offset if mode == "idx" else build.binary(kinds[mode], place, offset)
        # One unsigned comparison also refuses what is below 0.
        valid = build.compare("ult", other, build.constant(width))
        return (other if segment is None else build.plus(other, segment)), valid

    def _is_there(self, other: SSAValue, lane: SSAValue, valid: SSAValue) -> SSAValue:
        """Whether the other lane exists and is active."""
        build, active = self.build, self.scope.active
        exists = build.compare("ult", other, self.scope.lanes)
        if active is None:
            return exists
        safe = build.select(build.binary(arith.AndIOp, valid, exists), other, lane)
        return build.binary(arith.AndIOp, exists, build.load(active, safe, i1))

    def _width(self, op: gpu.ShuffleOp) -> int:
        """The lanes of a segment: the subgroup's size or a smaller power of two."""
        size = self.emitter.ids.ids.subgroup_size
        source: SSAValue = op.width
        while isinstance(source.owner, arith.IndexCastOp | arith.TruncIOp):
            source = source.owner.operands[0]
        known = self.build.known(source)
        if isinstance(source.owner, gpu.SubgroupSizeOp) or source is self.emitter.lanes:
            known = size
        return segment_width(op, known, size)


def segment_width(op: gpu.ShuffleOp, known: int | None, size: int) -> int:
    """The lanes of a segment, if it is known to be the subgroup's or a smaller power of two."""
    if known is not None and 0 < known <= size and known & (known - 1) == 0:
        return known
    found = "a value that is not constant" if known is None else str(known)
    raise CompileError(
        f"shuffle over {found} lanes, expected the subgroup size or a power of 2 below {size}",
        location_of(op),
        hint=f"subgroups have {size} lanes here: use gpu.subgroup_size as the width",
    )
