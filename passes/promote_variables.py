"""promote-variables: cells become values, carried by scf's results and loop arguments.

    simt.set %zero, %sum                       %r = scf.for %i = %lo to %hi step %st
    scf.for %i = %lo to %hi step %st {             iter_args(%sum = %zero) -> (f32) {
      %a = simt.get %sum                         %b = arith.addf %sum, %v
      %b = arith.addf %a, %v                     scf.yield %b
      simt.set %b, %sum                        }
    }
    %r = simt.get %sum

Only a cell that is set inside and read behind an op (or in the next iteration) becomes one of its
results. A variable that is read where it may never have been set reads as zero there.

Three walks: what each op with regions reads and sets (bottom up), what is read behind it
(backwards), rewriting (forwards). Sets of cells are bits of one integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import func, scf
from xdsl.dialects.builtin import AnyFloat, ModuleOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpu, simt
from ..dialects.diagnostics import CompileError, location_of
from .utils.block_editing import constant, erase, functions, is_integer


@dataclass(frozen=True)
class PromoteVariables(ModulePass):
    """Replaces `simt.cell/get/set` in scf control flow by SSA values."""

    name = "promote-variables"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            promote(function)


def promote(function: func.FuncOp | gpu.FuncOp) -> None:
    """Replace all cells of a function; CompileError where one is used by other ops."""
    _Promotion(function).run()


@dataclass
class _Access:
    """What code does to the cells, as bit sets."""

    sets: int = 0  # on some path
    reads: int = 0  # before it sets, on some path
    kills: int = 0  # sets, on every path

    def then(self, other: _Access) -> None:
        """Adds what is executed after it."""
        self.sets |= other.sets
        self.reads |= other.reads & ~self.kills
        self.kills |= other.kills

    def live_before(self, live: int) -> int:
        """The cells that are read later, seen before the code; `live`: seen behind it."""
        return self.reads | (live & ~self.kills)


Values = list[SSAValue | None]


@dataclass
class _Promotion:
    """The pass on one function. Cell number n is bit n of the bit sets."""

    function: func.FuncOp | gpu.FuncOp
    cells: list[simt.CellOp] = field(default_factory=list[simt.CellOp])
    number: dict[int, int] = field(default_factory=dict[int, int])  # by id of the cell's value
    access: dict[int, _Access] = field(default_factory=dict[int, _Access])  # by id of op, region
    live: dict[int, int] = field(default_factory=dict[int, int])  # behind an op, by its id
    zeros: dict[Attribute, SSAValue] = field(default_factory=dict[Attribute, SSAValue])

    def run(self) -> None:
        for region in self.function.regions:
            for block in region.blocks:
                self._summarise(block)
        if not self.cells:
            return
        block = self.function.body.block
        self._find_live(block, 0)
        self._rewrite(block, [None] * len(self.cells))
        for cell in self.cells:
            if cell.cell.first_use is not None:
                use = next(iter(cell.cell.uses)).operation
                raise CompileError(
                    f"a variable is used by {use.name}, expected get and set only",
                    location_of(use),
                )
            erase(cell)

    # What is read and set

    def _summarise(self, block: Block) -> _Access:
        total = _Access()
        for op in block.ops:
            kind = op.__class__
            if kind is simt.GetOp:
                bit = self._bit(op.operands[0])
                total.reads |= bit & ~total.kills
            elif kind is simt.SetOp:
                bit = self._bit(op.operands[1])
                total.sets |= bit
                total.kills |= bit
            elif kind is simt.CellOp:
                self.number[id(op.results[0])] = len(self.cells)
                total.kills |= 1 << len(self.cells)  # undefined anew each time it is reached
                self.cells.append(op)  # pyright: ignore[reportArgumentType]
            elif op.regions:
                total.then(self._summarise_op(op))
        return total

    def _bit(self, cell: SSAValue) -> int:
        return 1 << self.number[id(cell)]

    def _summarise_op(self, op: Operation) -> _Access:
        parts: list[_Access] = []
        for region in op.regions:
            part = _Access()
            for block in region.blocks:
                part.then(self._summarise(block))
            self.access[id(region)] = part
            parts.append(part)
        if isinstance(op, scf.IfOp):
            then, orelse = parts
            total = _Access(
                then.sets | orelse.sets, then.reads | orelse.reads, then.kills & orelse.kills
            )
        elif isinstance(op, scf.ForOp):
            total = _Access(parts[0].sets, parts[0].reads, 0)
        elif isinstance(op, scf.WhileOp):
            before, after = parts
            total = _Access(
                before.sets | after.sets, before.reads | after.reads & ~before.kills, before.kills
            )
        else:
            total = _Access()
            if any(part.sets | part.reads for part in parts):
                raise CompileError(
                    f"variables are used inside {op.name}, expected scf.if, for and while only",
                    location_of(op),
                )
        self.access[id(op)] = total
        return total

    def _find_live(self, block: Block, live: int) -> None:
        """Notes for every op with regions the cells that are read behind it."""
        for op in reversed(block.ops):
            kind = op.__class__
            if kind is simt.GetOp:
                live |= self._bit(op.operands[0])
            elif kind is simt.SetOp:
                live &= ~self._bit(op.operands[1])
            elif kind is simt.CellOp:
                live &= ~self._bit(op.results[0])
            elif op.regions:
                access = self.access[id(op)]
                if access.sets:
                    self.live[id(op)] = live
                    self._find_live_inside(op, live)
                live = access.live_before(live)

    def _find_live_inside(self, op: Operation, live: int) -> None:
        blocks = [region.first_block for region in op.regions]
        if isinstance(op, scf.WhileOp):
            head, inside = self._while_live(op, live)
            ends = [inside | live, head]
        elif isinstance(op, scf.ForOp):
            ends = [live | self.access[id(op)].reads]
        else:
            ends = [live, live]
        for block, end in zip(blocks, ends, strict=True):
            if block is not None:
                self._find_live(block, end)

    def _while_live(self, op: scf.WhileOp, live: int) -> tuple[int, int]:
        """What is read later, seen where `before` and where `after` begins."""
        before, after = (self.access[id(region)] for region in op.regions)
        head = before.live_before(live | after.reads)
        return head, after.live_before(head)

    # Rewriting

    def _rewrite(self, block: Block, values: Values) -> None:
        """Replaces gets and sets; `values` holds each cell's value and is updated."""
        op = block.first_op
        while op is not None:
            following = op.next_op
            kind = op.__class__
            if kind is simt.GetOp:
                value = self._value(op.operands[0], values, op)
                op.results[0].replace_all_uses_with(value)
                erase(op)
            elif kind is simt.SetOp:
                value = op.operands[0]
                number = self.number[id(op.operands[1])]
                values[number] = value
                if value.name_hint is None:
                    value.name_hint = self.cells[number].cell.name_hint
                erase(op)
            elif kind is simt.CellOp:
                values[self.number[id(op.results[0])]] = None
            elif op.regions:
                self._rewrite_inside(op, values)
            op = following

    def _value(self, cell: SSAValue, values: Values, reader: Operation) -> SSAValue:
        value = values[self.number[id(cell)]]
        return value if value is not None else self._zero(cell.type.element, reader)  # pyright: ignore

    def _zero(self, type_: Attribute, reader: Operation) -> SSAValue:
        """What a variable holds that was not set: made once, where the function begins."""
        if type_ not in self.zeros:
            if not is_integer(type_) and not isinstance(type_, AnyFloat):
                raise CompileError(
                    f"a variable of type {type_} may be read before it is set",
                    location_of(reader),
                )
            new = constant(type_, 0, self.function.location)
            entry = self.function.body.block
            assert entry.first_op is not None, "the function has a terminator"
            entry.insert_op_before(new, entry.first_op)
            self.zeros[type_] = new.result
        return self.zeros[type_]

    def _rewrite_inside(self, op: Operation, values: Values) -> None:
        sets = self.access[id(op)].sets
        if not sets:
            for region in op.regions:
                for block in region.blocks:
                    self._rewrite(block, values)
        elif isinstance(op, scf.IfOp):
            self._if(op, values, self._numbers(sets & self.live[id(op)]))
        elif isinstance(op, scf.ForOp):
            live = self.live[id(op)] | self.access[id(op)].reads
            self._for(op, values, self._numbers(sets & live))
        else:
            assert isinstance(op, scf.WhileOp), "other ops with cells were refused"
            head, inside = self._while_live(op, self.live[id(op)])
            self._while(
                op,
                values,
                self._numbers(sets & head),
                self._numbers(sets & (inside | self.live[id(op)])),
            )

    def _numbers(self, bits: int) -> list[int]:
        return [n for n in range(bits.bit_length()) if bits >> n & 1]

    def _current(self, values: Values, carried: Sequence[int], op: Operation) -> list[SSAValue]:
        return [self._value(self.cells[n].cell, values, op) for n in carried]

    def _types(self, carried: Sequence[int]) -> list[Attribute]:
        return [self.cells[n].cell.type.element for n in carried]  # pyright: ignore

    def _extend_end(self, block: Block, values: Values, carried: Sequence[int]) -> None:
        """Adds the cells' values to what the block's terminator passes on."""
        end = block.last_op
        assert end is not None, "a block of scf has a terminator"
        end.operands = [*end.operands, *self._current(values, carried, end)]

    def _if(self, op: scf.IfOp, values: Values, carried: list[int]) -> None:
        ends: list[tuple[Block, Values]] = []
        for region in op.regions:
            if region.first_block is None and carried:
                region.add_block(Block([scf.YieldOp.create(location=op.location)]))
            if region.first_block is not None:
                inside = values.copy()
                self._rewrite(region.first_block, inside)
                ends.append((region.first_block, inside))
        if not carried:
            return
        merged: list[int] = []
        for n in carried:
            first = ends[0][1][n]
            if first is not None and all(inside[n] is first for _, inside in ends):
                values[n] = first  # the same value on both ways needs no result
            else:
                merged.append(n)
        if not merged:
            self._drop_empty_else(op)
            return
        for block, inside in ends:
            self._extend_end(block, inside, merged)
        new = self._replace(op, scf.IfOp, op.operands, self._types(merged))
        self._take_results(new, values, merged)

    @staticmethod
    def _drop_empty_else(op: scf.IfOp) -> None:
        block = op.false_region.first_block
        if block is not None and not op.results and isinstance(block.first_op, scf.YieldOp):
            op.false_region.detach_block(block)

    def _for(self, op: scf.ForOp, values: Values, carried: list[int]) -> None:
        block = op.body.block
        initial = self._current(values, carried, op)
        inside = values.copy()
        self._add_arguments(block, inside, carried, op)
        self._rewrite(block, inside)
        if not carried:
            return
        self._extend_end(block, inside, carried)
        new = self._replace(op, scf.ForOp, [*op.operands, *initial], self._types(carried))
        self._take_results(new, values, carried)

    def _while(self, op: scf.WhileOp, values: Values, head: list[int], passed: list[int]) -> None:
        before, after = op.before_region.block, op.after_region.block
        initial = self._current(values, head, op)
        inside = values.copy()
        self._add_arguments(before, inside, head, op)
        self._rewrite(before, inside)
        self._extend_end(before, inside, passed)
        inside = values.copy()
        self._add_arguments(after, inside, passed, op)
        self._rewrite(after, inside)
        if not head and not passed:
            return
        self._extend_end(after, inside, head)
        new = self._replace(op, scf.WhileOp, [*op.operands, *initial], self._types(passed))
        self._take_results(new, values, passed)

    def _add_arguments(
        self, block: Block, values: Values, carried: Sequence[int], op: Operation
    ) -> None:
        for n, type_ in zip(carried, self._types(carried), strict=True):
            argument = block.insert_arg(type_, len(block.args), op.location)
            argument.name_hint = self.cells[n].cell.name_hint
            values[n] = argument

    def _replace(
        self,
        op: Operation,
        kind: type[Operation],
        operands: Sequence[SSAValue],
        types: Sequence[Attribute],
    ) -> Operation:
        """A copy of `op` with more operands and results, in its place, around its regions."""
        regions: list[Region] = [op.detach_region(region) for region in tuple(op.regions)]
        new = kind.create(
            operands=operands,
            result_types=[*(result.type for result in op.results), *types],
            properties=op.properties,
            attributes=op.attributes,
            regions=regions,
            location=op.location,
        )
        assert op.parent is not None, "the op stands in a block"
        op.parent.insert_op_before(new, op)
        for old, result in zip(op.results, new.results, strict=False):
            old.replace_all_uses_with(result)
        erase(op)
        return new

    def _take_results(self, new: Operation, values: Values, carried: Sequence[int]) -> None:
        first = len(new.results) - len(carried)
        for n, result in zip(carried, new.results[first:], strict=True):
            result.name_hint = self.cells[n].cell.name_hint
            values[n] = result
