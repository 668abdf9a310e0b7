"""A function of a binary as a spirv.func: merge instructions become regions, phis arguments.

A block with a merge instruction goes on, in the same block of the dialect, under its merge label:
between them stands the construct, whose region holds the blocks that are reached from the header
without passing the merge label or another label that is a way out. Blocks keep their order.

What is computed in a construct and used after it is yielded by the construct's merge.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ....dialects import spirv
from .numbers import signed_value
from .opcodes import Op
from .operands import Number
from .read_blocks import Scope, Source, exit_class, split, yield_what_is_used_outside
from .read_constants import ConstantReader, decoration_attribute
from .read_module import Line, ModuleReader, malformed, unsupported
from .read_ops import enum_attribute, read_op
from .read_values import ValueReader


class FunctionReader(ValueReader):
    """One function under way."""

    def __init__(
        self, module: ModuleReader, constants: ConstantReader, lines: Sequence[Line]
    ) -> None:
        super().__init__(module, constants)
        self.lines = lines
        self.sources: dict[int, Source] = {}
        self.order: dict[int, int] = {}
        self.entered: dict[int, int] = {}
        self.done: set[int] = set()
        self.constructs: list[spirv.ConstructOp] = []

    def read(self) -> spirv.FuncOp:
        """The function."""
        head = self.lines[0]
        kind = self.module.definition(head.words[3])
        if kind.opcode != Op.TypeFunction:
            raise malformed(f"%{head.result} is of no type of functions")
        inputs = list(map(self.module.type, kind.words[2:]))
        parameters = [line for line in self.lines if line.opcode == Op.FunctionParameter]
        if len(parameters) != len(inputs):
            raise malformed(f"%{head.result} has {len(parameters)} parameters")
        control = enum_attribute("function_control", head.words[2])
        assert isinstance(control, spirv.FunctionControlAttr), "controls are of this class"
        self.sources = split(self.lines)
        self.order = {label: index for index, label in enumerate(self.sources)}
        for source in self.sources.values():
            for target in dict.fromkeys(source.targets()):
                self.entered[target] = self.entered.get(target, 0) + 1
        region = Region()
        op = spirv.FuncOp.define(
            self.module.symbol(head.result),
            inputs,
            self.module.results(kind.words[1]),
            control=control.data,
            arg_attrs=[self._parameter_attributes(line.result) for line in parameters],
            body=region,
        )
        if self.sources:
            self._body(region, inputs, parameters)
        self._decorations(op, head.result)
        return op

    def _body(
        self, region: Region, inputs: Sequence[Attribute], parameters: Sequence[Line]
    ) -> None:
        entry = Block(arg_types=inputs)
        for line, argument in zip(parameters, entry.args, strict=True):
            self.define(line.result, argument, line.words[0])
        labels = list(self.sources)
        scope = Scope(None, "function")
        self._region(region, scope, labels[0], entry)
        for op in reversed(self.declared):
            assert entry.first_op is not None, "a block ends in an op"
            entry.insert_op_before(op, entry.first_op)
        for construct in self.constructs:
            yield_what_is_used_outside(construct)

    def _parameter_attributes(self, number: int) -> dict[str, Attribute]:
        found = self.module.decorations_of(number)
        return {"spirv.decoration": spirv.DecorationAttr(found[0][0])} if found else {}

    def _decorations(self, op: spirv.FuncOp, number: int) -> None:
        for decoration, words in self.module.decorations_of(number):
            name, value = decoration_attribute(decoration, words)
            target = op.properties if name == "linkage_attributes" else op.attributes
            target[name] = value

    # Regions

    def _region(self, region: Region, scope: Scope, first: int, entry: Block) -> None:
        """Fills a region: `entry` is the block of the label `first`."""
        members = self._members(first, scope)
        scope.blocks[first] = entry
        region.add_block(entry)
        for label in members:
            if label != first:
                scope.blocks[label] = self._new_block(label)
        for label in members:
            if label != first:
                region.add_block(scope.blocks[label])
        self._chain(scope, first, entry)
        for label in members:
            if label != first:
                self._chain(scope, label, scope.blocks[label])

    def _members(self, first: int, scope: Scope) -> list[int]:
        """The labels of a region's own blocks in order, without those inside constructs."""
        exits = scope.exits() - {first}
        if scope.kind == "loop":
            exits.discard(scope.target)
        found: dict[int, None] = {}
        pending = [first]
        while pending:
            label = pending.pop()
            if label in found or label in exits:
                continue
            found[label] = None
            source = self._source(label)
            passed: set[int] = {label}
            while (following := self._following(source)) is not None and following not in exits:
                if following in passed:
                    raise malformed(f"the block %{following} comes after itself")
                passed.add(following)
                found.pop(following, None)
                source = self._source(following)
            if following is None:
                pending += source.targets()
        if scope.kind == "loop":
            found.setdefault(scope.target)
        return sorted(found, key=self.order.__getitem__)

    def _source(self, label: int) -> Source:
        found = self.sources.get(label)
        if found is None:
            raise malformed(f"%{label} is no block of the function")
        return found

    def _following(self, source: Source) -> int | None:
        """The label whose instructions follow in the same block of the dialect, if any.

        After a construct that is its merge label; a loop that is entered from one place only
        follows without a block of its own.
        """
        if source.merge is not None:
            return source.merge.words[0]
        if source.last.opcode != Op.Branch:
            return None
        target = self._source(source.last.words[0])
        is_loop = target.merge is not None and target.merge.opcode == Op.LoopMerge
        # The other way to a header is the loop's own way back.
        return target.label if is_loop and self.entered[target.label] == 2 else None

    def _block_for(self, label: int) -> Block:
        """A block with an argument for each phi of a label."""
        phis = self._source(label).phis
        return Block(arg_types=[self.module.type(phi.words[0]) for phi in phis])

    def _new_block(self, label: int) -> Block:
        """A block whose arguments are the phis; those of a header belong to the loop inside."""
        source, block = self._source(label), self._block_for(label)
        if source.merge is None or source.merge.opcode != Op.LoopMerge:
            self._define_phis(source, block.args)
        return block

    def _define_phis(self, source: Source, values: Sequence[SSAValue]) -> None:
        for phi, value in zip(source.phis, values, strict=True):
            self.define(phi.result, value, phi.words[0])

    def _chain(self, scope: Scope, label: int, block: Block) -> None:
        """A block with what follows under the merge labels of its constructs."""
        source = self._source(label)
        entering: Sequence[SSAValue] = tuple(block.args)
        while True:
            is_loop = source.merge is not None and source.merge.opcode == Op.LoopMerge
            if not is_loop:
                self._lines(source, block)
            following = self._following(source)
            if following is None or (source.merge is None and following in scope.blocks):
                self._end(source, scope)
                return
            target = self._source(following)
            if source.merge is None:
                entering = self.incoming(following, source.label)
            elif is_loop:
                entering = self._loop(scope, source, block, entering)
            else:
                entering = self._selection(scope, source, block)
            if target.merge is None or target.merge.opcode != Op.LoopMerge:
                self._define_phis(target, entering)
            source = target

    def _lines(self, source: Source, block: Block) -> None:
        """The instructions of a block that do not end it."""
        if source.label in self.done:
            raise malformed(f"the block %{source.label} belongs to two constructs")
        self.done.add(source.label)
        self.block = block
        for line in source.lines:
            op = read_op(self, line)
            if op is None:
                continue
            for decoration, words in self.module.decorations_of(line.result):
                name, value = decoration_attribute(decoration, words)
                op.attributes[name] = value
            self.append(op, line)
            if op.results:
                self.define(line.result, op.results[0], line.words[0])

    def incoming(self, label: int, source: int) -> list[SSAValue]:
        """What the phis of a label take from a block."""
        found: list[SSAValue] = []
        for phi in self._source(label).phis:
            pairs = dict(zip(phi.words[3::2], phi.words[2::2], strict=True))
            if source not in pairs:
                raise malformed(f"the phi %{phi.result} lacks the block %{source}")
            found.append(self.value(pairs[source]))
        return found

    def _selection(self, scope: Scope, source: Source, block: Block) -> Sequence[SSAValue]:
        """The selection that a block is the header of; gives what the merge label's phis are."""
        assert source.merge is not None, "a header has a merge instruction"
        merge = source.merge.words[0]
        kind = "switch" if source.last.opcode == Op.Switch else "selection"
        inner = Scope(scope, kind, merge)
        region = Region()
        entry = Block()
        region.add_block(entry)
        targets = [label for label in source.targets() if label not in inner.exits()]
        members = self._reached(targets, inner)
        merge_block = self._merge_block(merge)
        inner.blocks = {label: self._new_block(label) for label in members}
        inner.blocks[merge] = merge_block
        for label in members:
            region.add_block(inner.blocks[label])
        self.block = entry
        self._end(source, inner)
        for label in members:
            self._chain(inner, label, inner.blocks[label])
        region.add_block(merge_block)
        control = spirv.SelectionControlAttr.from_value(source.merge.words[1]).data
        op = spirv.SelectionOp.around(region, merge_block.arg_types, control)
        return self._close(op, block, source.merge)

    def _reached(self, targets: Sequence[int], scope: Scope) -> list[int]:
        found: dict[int, None] = {}
        ways_out = scope.exits() - {scope.target}
        for target in targets:
            if target not in ways_out:
                found.update(dict.fromkeys(self._members(target, scope)))
        return sorted(found, key=self.order.__getitem__)

    def _merge_block(self, label: int) -> Block:
        """The last block of a construct: an argument for each phi of the merge label."""
        block = self._block_for(label)
        block.add_op(spirv.MergeOp.create(operands=block.args))
        return block

    def _close(self, op: spirv.ConstructOp, block: Block, line: Line | None) -> Sequence[SSAValue]:
        self.block = block
        self.append(op, line)
        self.constructs.append(op)
        return tuple(op.results)

    def _loop(
        self, scope: Scope, source: Source, block: Block, entering: Sequence[SSAValue]
    ) -> Sequence[SSAValue]:
        """The loop that a block is the header of."""
        assert source.merge is not None, "a header has a merge instruction"
        merge, target, bits = source.merge.words[:3]
        label = source.label
        inner = Scope(scope, "loop", merge, target)
        region, entry = Region(), Block()
        region.add_block(entry)
        header = self._block_for(label)
        self._define_phis(source, header.args)
        entry.add_op(spirv.BranchOp.to(header, entering))
        inner.blocks[label] = header
        region.add_block(header)
        reached = [t for t in source.targets() if t != label]
        members = [m for m in self._reached([*reached, target], inner) if m != label]
        members = [m for m in members if m != target] + [target] * (target != label)
        inner.blocks |= {member: self._new_block(member) for member in members}
        for member in members:
            region.add_block(inner.blocks[member])
        merge_block = inner.blocks[merge] = self._merge_block(merge)
        self._lines(source, header)
        if target == label:
            # The header is its own continue target: what ends it gets a block of its own.
            last = Block()
            header.add_op(spirv.BranchOp.to(last))
            region.add_block(last)
            self.block = last
        self._end(source, inner)
        for member in members:
            self._chain(inner, member, inner.blocks[member])
        region.add_block(merge_block)
        control = spirv.LoopControlAttr.from_value(bits).data
        return self._close(
            spirv.LoopOp.around(region, merge_block.arg_types, control), block, source.merge
        )

    # Ends of blocks

    def _end(self, source: Source, scope: Scope) -> None:
        line, block = source.last, self.block
        words, opcode = line.words, line.opcode
        if opcode == Op.Branch:
            self.append(self._branch(words[0], source, scope), line)
        elif opcode == Op.BranchConditional:
            ways = [self._way(label, source, scope, block) for label in words[1:3]]
            weights = (words[3], words[4]) if len(words) == 5 else None
            self.block = block
            condition = self.value(words[0])
            self.append(spirv.BranchConditionalOp.on(condition, ways[0], ways[1], weights), line)
        elif opcode == Op.Switch:
            self._switch(source, scope, block)
        elif opcode == Op.Return:
            self.append(spirv.ReturnOp.create(), line)
        elif opcode == Op.ReturnValue:
            self.append(spirv.ReturnValueOp.create(operands=[self.value(words[0])]), line)
        elif opcode == Op.Unreachable:
            self.append(spirv.UnreachableOp.create(), line)
        else:
            raise unsupported(f"Op{line.name}")

    def _switch(self, source: Source, scope: Scope, block: Block) -> None:
        line = source.last
        ways = [self._way(label, source, scope, block) for label in source.targets()]
        numbers = [o.value for o in line.operands if isinstance(o.value, Number)]
        cases = [
            (signed_value(number), *way) for number, way in zip(numbers, ways[1:], strict=True)
        ]
        self.block = block
        self.append(spirv.SwitchOp.on(self.value(line.words[0]), ways[0], cases), line)

    def _way(
        self, label: int, source: Source, scope: Scope, block: Block
    ) -> tuple[Block, Sequence[SSAValue]]:
        """A block of the region to branch to, made if the label is a way out of it."""
        found = scope.blocks.get(label)
        if found is not None:
            return found, self.incoming(label, source.label)
        made = Block([self._branch(label, source, scope)])
        region = block.parent
        assert region is not None, "a block that ends is in a region"
        region.insert_block_after(made, block)
        return made, ()

    def _branch(self, label: int, source: Source, scope: Scope) -> Operation:
        """A branch to a block of the region, or out of it."""
        values = self.incoming(label, source.label)
        found = scope.blocks.get(label)
        if found is not None:
            return spirv.BranchOp.to(found, values)
        op_class = exit_class(label, scope)
        if op_class is None:
            raise unsupported(
                f"the branch from %{source.label} to %{label}, which no construct has"
            )
        return op_class.create(operands=values)
