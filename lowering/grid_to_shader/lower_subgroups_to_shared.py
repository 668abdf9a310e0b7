"""lower-subgroups-to-shared: subgroup operations that a device lacks, through workgroup memory.

    %r = gpu.subgroup_reduce add %v      memref.store %v, %words[%thread] : memref<1024xi32, …>
                                         gpu.barrier
                                         %r = scf.for %lane … iter_args(%sum = the first lane's)
                                              { %sum + the word of thread %first + %lane }
                                         gpu.barrier

A subgroup is then as many threads as the device says its subgroups have lanes, one after the other
in the block (x fastest). Each op is kept for which the device has the instruction. There is one
array, of a word for each thread (two where values of 64 bits are exchanged), for the largest block:
1024 threads unless the kernel's block size is known; `gpux.most_threads` of the kernel says so.

All threads of the block have to arrive at the barriers: `converge` makes masks of branches that
they take differently. A thread outside of the mask writes what does not matter for the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import (
    Float64Type,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    NoneAttr,
    f32,
    i32,
    i64,
)
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects import gpu, gpux, marks
from ...passes.utils.block_editing import erase, integer_bits
from ..math.calculator import Calculator
from ..remarks import remark
from .converge import Converge
from .features import ShaderFeatures
from .lane_words import Arrays, Exchange, Lanes, LaneWords, is_wide

_IDS = (gpu.LaneIdOp, gpu.SubgroupIdOp, gpu.SubgroupSizeOp, gpu.NumSubgroupsOp)
_EXCHANGES = (gpu.ShuffleOp, gpu.SubgroupReduceOp, gpux.SubgroupScanOp, gpux.BallotOp)
_BITWISE = ("and", "or", "xor")


@dataclass(frozen=True)
class LowerSubgroupsToShared(ModulePass):
    """Replaces subgroup ops for which `features` (see `ShaderFeatures.parse`) have nothing."""

    name = "lower-subgroups-to-shared"
    features: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Changes all kernels."""
        features = ShaderFeatures.parse(self.features)
        for kernel in [inner for inner in op.walk() if isinstance(inner, gpu.FuncOp)]:
            _Kernel(kernel, features).run()


def lacking(op: Operation, features: ShaderFeatures) -> tuple[str, ...]:
    """What the device would need for a subgroup op and does not have."""
    return tuple(name for name in _needs(op, features) if not features.has(name))


def _needs(op: Operation, features: ShaderFeatures) -> tuple[str, ...]:
    if isinstance(op, _IDS):
        return ("subgroup_basic",)
    if isinstance(op, gpu.ShuffleOp):
        # A ballot says which of the other lanes are there.
        return "subgroup_basic", "subgroup_ballot", "subgroup_shuffle"
    if isinstance(op, gpux.BallotOp):
        return "subgroup_basic", "subgroup_ballot"
    assert isinstance(op, gpu.SubgroupReduceOp | gpux.SubgroupScanOp), "the caller has asked"
    extended, kind = features.has("subgroup_extended_types"), op.value.type
    if isinstance(kind, Float64Type) and not extended:
        return ("subgroup_extended_types",)
    if integer_bits(kind) == 64 and not (extended and features.native(kind)):
        name = op.op.data.value if isinstance(op, gpu.SubgroupReduceOp) else op.kind.data
        if name not in _BITWISE:  # emulate-types goes through the lanes
            return "subgroup_basic", "subgroup_ballot", "subgroup_shuffle"
    return "subgroup_basic", "subgroup_arithmetic"


class _Kernel:
    def __init__(self, kernel: gpu.FuncOp, features: ShaderFeatures) -> None:
        self.kernel = kernel
        self.features = features

    def run(self) -> None:
        """All ops that need it."""
        ids, exchanges = self._missing()
        if not (ids or exchanges):
            return
        masks = Converge(self.kernel, exchanges).masks if exchanges else {}
        lanes = Lanes(self.kernel, self.features.subgroup_size)
        for op in ids:
            _replace_id(op, lanes)
        if exchanges:
            words_each = 2 if any(is_wide(op.operands[0].type) for op in exchanges) else 1
            words = self._array("lane_words", words_each)
            is_partial = any(isinstance(op, gpu.ShuffleOp) for op in masks)
            there = self._array("lane_is_there", 1) if is_partial else None
            for op in exchanges:
                mask = masks.get(op)
                self._replace(op, LaneWords(op, lanes, Arrays(words, there), mask), exchanges[-1])

    def _missing(self) -> tuple[list[Operation], list[Exchange]]:
        """Ops of ids and ops that exchange values which the device does not have."""
        ids: list[Operation] = []
        exchanges: list[Exchange] = []
        for op in self.kernel.walk():
            if isinstance(op, _IDS) and lacking(op, self.features):
                ids.append(op)
            elif isinstance(op, _EXCHANGES) and lacking(op, self.features):
                exchanges.append(op)
        return ids, exchanges

    def _array(self, name: str, words: int) -> SSAValue:
        """So many words for each thread that a block may have."""
        known = self.kernel.known_block_size
        threads = marks.SMALL_BLOCK if known is None else prod(known)
        if known is None:
            self.kernel.attributes[marks.MOST_THREADS] = IntegerAttr(threads, i64)
        size = self.features.subgroup_size
        threads = -(-threads // size) * size  # a lane that is not there may be read and dropped
        kind = MemRefType(i32, [words * threads], NoneAttr(), gpu.WORKGROUP)
        array = self.kernel.add_workgroup(kind)
        array.name_hint = name
        return array

    def _replace(self, op: Exchange, words: LaneWords, last: Operation) -> None:
        # After the last one of a kernel nobody writes into the words.
        again = op is not last or op.parent is not self.kernel.entry
        remark(
            op,
            f"{op.name} goes through shared memory, with {'two barriers' if again else 'a barrier'}"
            f": the device has no {', '.join(lacking(op, self.features))}",
        )
        c = words.c
        words.write()
        c.add(gpu.BarrierOp())
        results = words.results()
        if again:
            c.add(gpu.BarrierOp())
        for old, new in zip(op.results, results, strict=True):
            new.value.name_hint = old.name_hint
            old.replace_all_uses_with(new.value)
        erase(op)


def _replace_id(op: Operation, lanes: Lanes) -> None:
    if isinstance(op, gpu.SubgroupSizeOp):
        value = Calculator(op, f32).const(lanes.size, IndexType())
    elif isinstance(op, gpu.LaneIdOp):
        value = lanes.lane
    else:
        value = lanes.subgroup if isinstance(op, gpu.SubgroupIdOp) else lanes.subgroups
    op.results[0].replace_all_uses_with(value.value)
    erase(op)
