"""narrow-indices: in small launches, what provably fits is computed in 32 bits.

    %n = memref.dim %x, %c0                %n = memref.dim %x, %c0
    %i = arith.addi %b, %t : index         %n32 = arith.index_cast %n : index to i32
    %in = arith.cmpi slt, %i, %n : index   %i32 = arith.addi %b32, %t32 overflow<nsw> : i32
                                           %i = arith.index_cast %i32 : i32 to index
                                           %in = arith.cmpi slt, %i32, %n32 : i32

Indices have 64 bits because arrays may be that large; a GPU's registers have 32. In a kernel with
`gpux.small` (see `dialects/marks.py`) the range analysis knows how large sizes and ids are, and
follows from there: a value whose whole range fits is computed in 32 bits and extended, everything
else stays as it is. So this never changes what a kernel computes, also where an index is out of
range. Sums and products need only the low halves of their operands.

One walk, in order; conditions around an op are facts, as in `remove_proven_checks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, ModuleOp, UnitAttr, i32, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpu, gpux, marks
from ..dialects.arith import MAY_WRAP
from .analyses.loop_invariants import add_invariants, assume_while
from .analyses.range_conditions import assume
from .analyses.value_ranges import Ranges
from .utils.block_editing import constant, constant_value, erase, functions

_MODULAR = (arith.AddiOp, arith.SubiOp, arith.MuliOp, arith.AndIOp, arith.OrIOp, arith.XOrIOp)
_FLAGGED = (arith.AddiOp, arith.SubiOp, arith.MuliOp)
_EXACT = (arith.MinSIOp, arith.MaxSIOp, arith.ShRSIOp, arith.ShRUIOp)
_DIVISIONS: dict[type[Operation], type[Operation]] = {
    arith.DivSIOp: arith.DivUIOp,
    arith.RemSIOp: arith.RemUIOp,
    arith.DivUIOp: arith.DivUIOp,
    arith.RemUIOp: arith.RemUIOp,
}
_CASTS = (arith.IndexCastOp, arith.ExtSIOp, arith.TruncIOp)
_INDEX = IndexType()
_WIDE = (_INDEX, i64)
_NO_WRAP = arith.IntegerOverflowAttr([arith.IntegerOverflowFlag.NSW])


@dataclass(frozen=True)
class NarrowIndices(ModulePass):
    """Narrows indices in kernels whose launches are small."""

    name = "narrow-indices"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            if isinstance(function, gpu.FuncOp) and marks.SMALL in function.attributes:
                _Narrower(function).visit(function.entry)


class _Narrower:
    """One kernel; `halves` has the low 32 bits of wide values where they exist already."""

    def __init__(self, function: gpu.FuncOp):
        self.ranges = Ranges(function)
        self.halves: dict[SSAValue, SSAValue] = {}
        # Range analysis knows values by their address, so replaced ones stay alive.
        self.replaced: list[Operation] = []

    def visit(self, block: Block) -> None:
        """Narrows what stands in a block, in order."""
        for op in tuple(block.ops):
            if op.regions:
                self.visit_regions(op)
            elif isinstance(op, arith.CmpiOp):
                self.compare(op)
            elif isinstance(op, gpux.ReportOp):
                self.report(op)
            elif isinstance(op, _CASTS):
                self.cast(op)
            elif op.results and op.results[0].type in _WIDE:
                self.compute(op)

    def visit_regions(self, op: Operation) -> None:
        """Narrows a loop's counter, and what stands inside under what holds there."""
        if isinstance(op, scf.ForOp):
            self.count(op)
        for number, region in enumerate(op.regions):
            for block in region.blocks:
                mark = self.ranges.mark()
                if isinstance(op, scf.IfOp):
                    assume(self.ranges, op.cond, number == 0)
                elif isinstance(op, scf.ForOp | scf.WhileOp):
                    add_invariants(self.ranges, op)
                if isinstance(op, scf.WhileOp) and number == 1:
                    assume_while(self.ranges, op)
                self.visit(block)
                self.ranges.drop(mark)

    def fits(self, *values: SSAValue) -> bool:
        """Whether all of these are certainly numbers of 32 bits."""
        least, most = self.ranges.type_range(i32)
        for value in values:
            low, high = self.ranges.interval(value)
            if low < least or high > most:
                return False
        return True

    def half(self, value: SSAValue) -> SSAValue:
        """The low 32 bits of a value, computed where the value is."""
        found = self.halves.get(value)
        if found is None:
            made = _low_half(value)
            owner = value.owner
            block = owner if isinstance(owner, Block) else owner.parent
            after = None if isinstance(owner, Block) else owner
            assert block is not None and block.first_op is not None, "a value stands in a block"
            if after is None:
                block.insert_op_before(made, block.first_op)
            else:
                made.location = after.location
                block.insert_op_after(made, after)
            found = self.halves[value] = made.results[0]
        return found

    def replace(self, op: Operation, cls: type[Operation], operands: Sequence[SSAValue]) -> None:
        """An op of 32 bits, extended, in the place of an op."""
        properties: dict[str, Attribute] = {}
        if isinstance(op, _FLAGGED):
            properties["overflowFlags"] = _NO_WRAP if self.fits(*op.operands) else MAY_WRAP
        narrow = cls.create(
            operands=operands, result_types=[i32], properties=properties, location=op.location
        )
        self.extend(op, narrow)

    def extend(self, op: Operation, narrow: Operation) -> None:
        block = op.parent
        assert block is not None, "an op of a kernel stands in a block"
        block.insert_op_before(narrow, op)
        (old,) = op.results
        wide = extended(narrow.results[0], old.type, op)
        block.insert_op_before(wide, op)
        wide.results[0].name_hint = old.name_hint
        self.halves[wide.results[0]] = narrow.results[0]
        old.replace_all_uses_with(wide.results[0])
        erase(op)
        self.replaced.append(op)

    def compute(self, op: Operation) -> None:
        """Arithmetic whose result fits."""
        kind = type(op)
        if isinstance(op, _MODULAR):
            if self.fits(op.results[0]):
                self.replace(op, kind, [self.half(value) for value in op.operands])
        elif isinstance(op, _EXACT):
            if self.fits(*op.operands):
                self.replace(op, kind, [self.half(value) for value in op.operands])
        elif kind in _DIVISIONS:
            if self.fits(*op.operands) and all(
                self.ranges.interval(v)[0] >= 0 for v in op.operands
            ):
                self.replace(op, _DIVISIONS[kind], [self.half(value) for value in op.operands])
        elif isinstance(op, arith.SelectOp) and self.fits(op.lhs, op.rhs):
            self.replace(op, kind, [op.cond, self.half(op.lhs), self.half(op.rhs)])

    def compare(self, op: arith.CmpiOp) -> None:
        """A comparison of two that fit; also as unsigned numbers their order stays."""
        if op.lhs.type in _WIDE and self.fits(op.lhs, op.rhs):
            op.operands = [self.half(op.lhs), self.half(op.rhs)]

    def report(self, op: gpux.ReportOp) -> None:
        """What is only reported is extended where that happens, out of the way."""
        for number, value in enumerate(op.operands):
            if value in self.halves and constant_value(value) is None and self.fits(value):
                op.operands[number] = self.halves[value]
        if isinstance(op, gpux.CheckOp):
            assume(self.ranges, op.condition)

    def cast(self, op: Operation) -> None:
        """Casts to and from 32 bits are no work."""
        (source,), (result,) = op.operands, op.results
        if result.type in _WIDE:
            if source.type == i32:
                self.halves[result] = source
            elif source.type in _WIDE and source in self.halves:
                self.halves[result] = self.halves[source]
        elif result.type == i32 and source in self.halves:
            result.replace_all_uses_with(self.halves[source])
            erase(op)
            self.replaced.append(op)

    def count(self, op: scf.ForOp) -> None:
        """A loop whose bounds and step fit counts in 32 bits."""
        counter = op.body.block.args[0]
        if counter.type not in _WIDE or not self.fits(op.lb, op.ub, op.step):
            return
        kind: Attribute = counter.type
        block = op.body.block
        narrow = block.insert_arg(i32, 0)
        narrow.name_hint = counter.name_hint
        wide = extended(narrow, kind, op)
        first = block.first_op
        assert first is not None, "a loop's body ends in yield"
        block.insert_op_before(wide, first)
        counter.replace_all_uses_with(wide.results[0])
        block.erase_arg(counter)
        self.halves[wide.results[0]] = narrow
        (low, _), (_, high) = self.ranges.interval(op.lb), self.ranges.interval(op.ub)
        if low >= 0 and high + self.ranges.interval(op.step)[1] <= self.ranges.type_range(i32)[1]:
            op.attributes[marks.COUNTS_UP] = UnitAttr()
        op.operands = [self.half(op.lb), self.half(op.ub), self.half(op.step), *op.iter_args]


def _low_half(value: SSAValue) -> Operation:
    """The low 32 bits of a value as a signed number; not placed yet."""
    number = constant_value(value)
    if number is not None:
        return constant(i32, (number + 2**31) % 2**32 - 2**31, None)
    cast = arith.TruncIOp if value.type == i64 else arith.IndexCastOp
    return cast.create(operands=[value], result_types=[i32])


def extended(value: SSAValue, kind: Attribute, at: Operation) -> Operation:
    """A value of 32 bits as one of a wider type; not placed yet."""
    cast = arith.ExtSIOp if kind == i64 else arith.IndexCastOp
    return cast.create(operands=[value], result_types=[kind], location=at.location)
