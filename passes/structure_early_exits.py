"""structure-early-exits: control flow with exits becomes scf with one way through.

    simt.if %done {                            %go = arith.xori %done, %true : i1
      simt.return                              scf.if %go {
    }                                            memref.store ...
    memref.store ...                           }
    simt.return                                gpu.return

What follows a statement that always exits on one side moves to the other side, so guards need no
flag. Where an exit leaves something that goes on behind it, an i1 cell says "not left yet": what
would be skipped stands in an `scf.if` on that cell, and a loop goes on only while it is set.

    simt.for %i = %lo to %hi step %s {         simt.set %lo, %next       // cells
      simt.if %found { simt.break }            simt.set %true, %go
      body                                     scf.while : () -> () {
    }                                            %i = simt.get %next
                                                 %more = arith.cmpi slt, %i, %hi
                                                 %still = simt.get %go
                                                 %both = arith.andi %more, %still
                                                 scf.condition(%both)
                                               } do {
                                                 %i = simt.get %next ...
                                                 scf.if %found {
                                                   simt.set %false, %go
                                                 } else { body }
                                                 simt.set (%i + %s), %next

A `for` that is never left early becomes `scf.for`; `continue` alone does not change that. Code
that cannot be reached is dropped. Values are still in cells: `promote-variables` comes next.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import func, scf
from xdsl.dialects.builtin import ModuleOp, i1
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ..dialects import gpu, simt
from ..dialects.diagnostics import CompileError, location_of
from .analyses.exit_ways import BREAK, CONTINUE, EXITS, FALL, RETURN, Ways, block_ways
from .utils.block_editing import constant, erase, erase_tail, functions, move_tail, negated
from .utils.loops_to_scf import conjunction, is_endless, structure_for, structure_while

_STRUCTURED = (simt.IfOp, simt.ForOp, simt.WhileOp)


@dataclass(frozen=True)
class StructureEarlyExits(ModulePass):
    """Turns `simt.if/for/while` with their exits into `scf.if/for/while` and cells."""

    name = "structure-early-exits"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions(op):
            _Structurer(function).run()


@dataclass
class _Loop:
    """One loop's flags, made when an exit needs them. They hold true until the exit is taken."""

    unbroken: SSAValue | None = None
    uncontinued: SSAValue | None = None


@dataclass
class _Structurer:
    """The pass on one function."""

    function: func.FuncOp | gpu.FuncOp
    ways: Ways = field(default_factory=dict[int, int])
    unreturned: SSAValue | None = None
    results: list[SSAValue] = field(default_factory=list[SSAValue])
    _constants: dict[bool, SSAValue] = field(default_factory=dict[bool, SSAValue])

    def run(self) -> None:
        block = self.function.body.block
        last = block.last_op
        if last is None or not EXITS.get(type(last), 0) & RETURN:
            if last is not None and type(last) not in EXITS:
                return  # declared elsewhere in another form: nothing of ours inside
            raise CompileError(
                f"function {self.function.sym_name.data!r} does not end in a return",
                location_of(self.function),
            )
        if block_ways(block, self.ways) & (BREAK | CONTINUE):
            raise CompileError("break or continue outside a loop", location_of(self.function))
        plain = all(op.__class__ not in _STRUCTURED for op in block.ops)
        values = list(last.operands) if plain else self._make_results(block, last)
        location = last.location
        if plain:
            erase(last)
        else:
            self.block(block, RETURN, None)
            end = block.last_op
            assert isinstance(end, scf.YieldOp), "structured blocks end in yield"
            erase(end)
        self._return(block, values, location)

    def _make_results(self, block: Block, last: Operation) -> list[SSAValue]:
        """Cells for the function's results, unless only the last op returns."""
        if not last.operands:
            return []
        types = [value.type for value in last.operands]
        first = block.first_op
        assert first is not None, "the block has a terminator"
        for type_ in types:
            cell = simt.CellOp.create(
                result_types=(simt.CellType(type_),), location=self.function.location
            )
            block.insert_op_before(cell, first)
            self.results.append(cell.cell)
        return self.results

    def _return(self, block: Block, values: list[SSAValue], location: Attribute) -> None:
        if values and values is self.results:
            gets = [
                simt.GetOp.create(
                    operands=(cell,),
                    result_types=(cell.type.element,),  # pyright: ignore
                    location=location,  # pyright: ignore[reportArgumentType]
                )
                for cell in self.results
            ]
            block.add_ops(gets)
            values = [get.value for get in gets]
        kind = gpu.ReturnOp if isinstance(self.function, gpu.FuncOp) else func.ReturnOp
        block.add_op(kind.create(operands=values, location=location))  # pyright: ignore

    # Rewriting: top down

    def block(self, block: Block, free: int, loop: _Loop | None) -> None:
        """Structures the block in place; it ends in `scf.yield`.

        `free` are the exits that mean the same as falling out of the block.
        """
        op = block.first_op
        while op is not None:
            following = op.next_op
            if isinstance(op, simt.IfOp):
                op = self._if(op, free, loop)
                continue
            if isinstance(op, simt.ForOp | simt.WhileOp):
                op = self._loop(op, free, loop)
                continue
            if op.__class__ in EXITS:
                self._exit(op, free, loop)
                break
            for region in op.regions:
                for inner in region.blocks:
                    if not isinstance(inner.last_op, scf.YieldOp | scf.ConditionOp):
                        self.block(inner, 0, None)
                    else:
                        self._inside(inner)
            op = following

    def _inside(self, block: Block) -> None:
        """Structures what stands in a block of scf, whose end stays as it is."""
        op = block.first_op
        while op is not None:
            if isinstance(op, simt.IfOp):
                op = self._if(op, 0, None)
            elif isinstance(op, simt.ForOp | simt.WhileOp):
                op = self._loop(op, 0, None)
            else:
                for region in op.regions:
                    for inner in region.blocks:
                        self._inside(inner)
                op = op.next_op

    def _exit(self, op: Operation, free: int, loop: _Loop | None) -> None:
        """Replaces a simt terminator by `scf.yield`, having noted the exit where it matters."""
        way, block = EXITS[op.__class__], op.parent
        assert block is not None, "a terminator stands in a block"
        if way == RETURN:
            for value, cell in zip(op.operands, self.results, strict=True):
                self._set(block, value, cell, op)
        if way != FALL and not way & free:
            self._set(block, self._bool(False), self._flag(way, loop), op)
        yield_ = scf.YieldOp.create(location=op.location)
        block.insert_op_before(yield_, op)
        erase(op)

    def _if(self, op: simt.IfOp, free: int, loop: _Loop | None) -> Operation | None:
        """Structures an `if`; the op to go on with (none: the block is done)."""
        block, rest = op.parent, op.next_op
        assert block is not None, "an if stands in a block"
        exits = self.ways[id(op)] & ~FALL
        then, orelse = (self.ways[id(region)] for region in op.regions)
        if not exits:
            self._structure_if(op, 0, loop)
            return rest
        assert rest is not None, "a block has a terminator"
        if not then & FALL and not orelse & FALL:
            erase_tail(rest)
        elif not then & FALL or not orelse & FALL:
            target = op.else_region if orelse & FALL else op.then_region
            if not target.blocks:
                target.add_block(Block())
            end = target.block.last_op
            if end is not None:
                erase(end)
            move_tail(rest, target.block)
        elif not self._is_free(rest, free):
            self._structure_if(op, 0, loop)
            self._guard(rest, exits, free, loop)
            return None
        else:
            erase(rest)
        block.add_op(scf.YieldOp.create(location=op.location))
        self._structure_if(op, free, loop)
        return None

    @staticmethod
    def _is_free(op: Operation, free: int) -> bool:
        """Whether a terminator amounts to falling out of its block, with nothing to note."""
        return bool(EXITS.get(op.__class__, 0) & (free | FALL)) and not op.operands

    def _structure_if(self, op: simt.IfOp, free: int, loop: _Loop | None) -> None:
        """Replaces a simt.if by an scf.if, swapped where only its else has something to do."""
        for region in op.regions:
            if region.first_block is not None:
                self.block(region.first_block, free, loop)
        then, orelse = (op.detach_region(region) for region in tuple(op.regions))
        condition: SSAValue = op.condition
        if _is_empty(orelse):
            orelse = Region()
            if _is_empty(then):
                erase(op)
                return
        elif _is_empty(then):
            condition = negated(condition, op, self._bool(True))
            then, orelse = orelse, Region()
        block = op.parent
        assert block is not None, "an if stands in a block"
        new = scf.IfOp.create(operands=(condition,), regions=(then, orelse), location=op.location)
        block.insert_op_before(new, op)
        erase(op)

    def _guard(self, rest: Operation, exits: int, free: int, loop: _Loop | None) -> None:
        """Puts `rest` and what follows it into an scf.if on "none of the exits was taken"."""
        block = rest.parent
        assert block is not None, "the rest stands in a block"
        location = rest.location
        inner = Block()
        move_tail(rest, inner)
        flags = [self._flag(way, loop) for way in (BREAK, CONTINUE, RETURN) if exits & way]
        condition = conjunction(block, None, flags, location)
        guard = scf.IfOp.create(
            operands=(condition,), regions=(Region(inner), Region()), location=location
        )
        block.add_op(guard)
        block.add_op(scf.YieldOp.create(location=location))
        self.block(inner, free, loop)
        if _is_empty(guard.true_region):
            erase(guard)

    def _loop(
        self, op: simt.ForOp | simt.WhileOp, free: int, outer: _Loop | None
    ) -> Operation | None:
        """Structures a loop; the op to go on with (none: the block is done)."""
        block, body, rest = op.parent, op.regions[-2], op.next_op
        assert block is not None and rest is not None, "a loop stands in a block"
        ways, loop = self.ways[id(body)], _Loop()
        falls = bool(ways & BREAK) or not is_endless(op)
        if falls:
            self._take_else(op, ways, loop)
            rest = op.next_op
        else:
            erase_tail(rest)
            rest = None
        self._loop_op(op, block, loop, ways)
        if rest is None:
            block.add_op(scf.YieldOp.create(location=block.last_op.location))  # pyright: ignore
            return None
        if ways & RETURN and not self._is_free(rest, free):
            self._guard(rest, RETURN, free, outer)
            return None
        return rest

    def _loop_op(self, op: simt.ForOp | simt.WhileOp, block: Block, loop: _Loop, ways: int) -> None:
        """Structures a loop's regions and replaces the op by its scf counterpart."""
        body = op.regions[-2].block
        self.block(body, CONTINUE, loop)
        self._initialise(loop.uncontinued, body)
        self._initialise(loop.unbroken, block, op)
        flags = [loop.unbroken] if loop.unbroken is not None else []
        if ways & RETURN:
            flags.append(self._flag(RETURN, None))
        if isinstance(op, simt.WhileOp):
            self._inside(op.before.block)
            structure_while(op, flags, self._bool)
        else:
            structure_for(op, flags)

    def _take_else(self, op: simt.ForOp | simt.WhileOp, ways: int, loop: _Loop) -> None:
        """Puts what stands in a loop's else behind the loop, under a flag where it may break."""
        region, block, rest = op.else_region, op.parent, op.next_op
        assert block is not None and rest is not None, "a loop stands in a block"
        if _is_empty(region):
            return
        orelse = region.block
        if ways & BREAK:
            get = simt.GetOp.create(
                operands=(self._flag(BREAK, loop),), result_types=(i1,), location=op.location
            )
            guard = simt.IfOp.create(
                operands=(get.value,), regions=(op.detach_region(region), Region())
            )
            guard.location = op.location
            op.add_region(Region())
            way = self.ways[id(region)]
            self.ways[id(guard)] = way | FALL
            self.ways[id(guard.then_region)] = way
            self.ways[id(guard.else_region)] = FALL
            block.insert_ops_before([get, guard], rest)
            return
        end = orelse.last_op
        if isinstance(end, simt.YieldOp):
            erase(end)
        elif not self.ways[id(region)] & FALL:
            erase_tail(rest)
            move_tail(orelse.first_op, block)
            return
        for inner in tuple(orelse.ops):
            inner.detach()
            block.insert_op_before(inner, rest)

    # Flags

    def _flag(self, way: int, loop: _Loop | None) -> SSAValue:
        """The cell that is true until the exit is taken."""
        if way == RETURN:
            if self.unreturned is None:
                self.unreturned = self._cell()
                self._initialise(self.unreturned, self.function.body.block)
            return self.unreturned
        assert loop is not None, "break and continue stand in loops"
        if way == BREAK:
            if loop.unbroken is None:
                loop.unbroken = self._cell()
            return loop.unbroken
        if loop.uncontinued is None:
            loop.uncontinued = self._cell()
        return loop.uncontinued

    def _cell(self) -> SSAValue:
        cell = simt.CellOp.create(
            result_types=(simt.CellType(i1),), location=self.function.location
        )
        entry = self.function.body.block
        assert entry.first_op is not None, "the function has a terminator"
        entry.insert_op_before(cell, entry.first_op)
        return cell.cell

    def _initialise(
        self, flag: SSAValue | None, block: Block, before: Operation | None = None
    ) -> None:
        """Sets a flag to true before an op, or where the block begins."""
        if flag is None:
            return
        value = self._bool(True)
        if before is None:
            after = [owner for owner in (value.owner, flag.owner) if owner.parent is block]
            before = block.first_op
            while after:
                assert before is not None, "definitions stand in the block"
                if before in after:
                    after.remove(before)
                before = before.next_op
        assert before is not None, "a block ends in a terminator"
        set_ = simt.SetOp.create(operands=(value, flag), location=before.location)
        block.insert_op_before(set_, before)

    def _bool(self, value: bool) -> SSAValue:
        if value not in self._constants:
            new = constant(i1, -1 if value else 0, self.function.location)
            entry = self.function.body.block
            assert entry.first_op is not None, "the function has a terminator"
            entry.insert_op_before(new, entry.first_op)
            self._constants[value] = new.result
        return self._constants[value]

    @staticmethod
    def _set(block: Block, value: SSAValue, cell: SSAValue, before: Operation) -> None:
        set_ = simt.SetOp.create(operands=(value, cell), location=before.location)
        block.insert_op_before(set_, before)


def _is_empty(region: Region) -> bool:
    """Whether nothing happens in a structured region."""
    block = region.first_block
    return block is None or isinstance(block.first_op, scf.YieldOp | simt.YieldOp)
