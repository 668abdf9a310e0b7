"""A function as SPIR-V: blocks in order, constructs as merge instructions, arguments as phis.

    spirv.mlir.selection {                               OpSelectionMerge %m None
      spirv.BranchConditional %c, ^a, ^m                 OpBranchConditional %c %a %m
    ^a:                                                  %a = OpLabel
      spirv.Branch ^m                                    OpBranch %m
    ^m:                                                  %m = OpLabel
      spirv.mlir.merge
    }

The first block of a construct goes on in the block that holds the construct. A block that holds a
construct ends, for the blocks after it, under the construct's merge label: which label a branch
comes from is known when the branch is written, so phis get their operands at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import UnknownLoc
from xdsl.ir import Block, Operation, SSAValue

from ....dialects import spirv
from ....dialects.branching import BranchingOp
from ....dialects.diagnostics import CompileError, location_of
from ....dialects.spirv.constants import ConstantOp, UndefOp
from .opcodes import Op
from .ops import EMITTERS, emitter_of

if TYPE_CHECKING:
    from .module import ModuleWords

PLAIN_LOOP_CONTROLS = 0b111
"""Unroll, DontUnroll, DependencyInfinite: the bits of a loop that have no operands."""


class FunctionWords:
    """One function under way."""

    def __init__(self, module: ModuleWords, op: spirv.FuncOp) -> None:
        self.module = module
        self.types = module.types
        self.op = op
        self.words: list[int] = []
        self.ids: dict[SSAValue, int] = {}
        self.labels: dict[Block, int] = {}
        self.current = 0
        self.line: tuple[int, int, int] | None = None
        self.incoming: dict[Block, list[tuple[Operation, Sequence[SSAValue]]]] = {}
        self.came_from: dict[Operation, int] = {}
        self.phis: list[tuple[int, Block, int]] = []
        self.used: set[str] = set()
        self.variables: list[spirv.VariableOp] = []

    def emit(self) -> list[int]:
        """The words of the function."""
        op, module = self.op, self.module
        kind = op.type
        control = cast("spirv.EnumAttr", op.properties["function_control"]).value
        outputs = kind.outputs.data
        result = self.types.type(outputs[0]) if outputs else self.types.void()
        self.write(Op.Function, result, module.symbols[op.sym_name], control, self.types.type(kind))
        self._parameters()
        blocks = list(op.body.blocks)
        if blocks:
            self._look_ahead()
            self._entry(blocks[0])
            for block in blocks[1:]:
                self.block(block)
            self._fill_phis()
        self.write(Op.FunctionEnd)
        module.used[op.sym_name] = self.used
        return self.words

    def write(self, opcode: int, *operands: int) -> None:
        """One instruction."""
        self.words += ((len(operands) + 1) << 16 | opcode, *operands)

    def _parameters(self) -> None:
        first = self.op.body.first_block
        decorations = self.op.arg_attrs()
        for index, kind in enumerate(self.op.type.inputs.data):
            number = self.module.new_id()
            if first is not None:
                self.ids[first.args[index]] = number
            self.write(Op.FunctionParameter, self.types.type(kind), number)
            found = decorations[index].get("spirv.decoration")
            if isinstance(found, spirv.DecorationAttr):
                self.module.decorate(number, found.data)

    def _look_ahead(self) -> None:
        """The variables, and which branches lead to each block that takes arguments, with what."""
        for op in self.op.walk():
            look = _AHEAD.get(op.__class__)
            if look is not None:
                look(self, op)

    def look_at_branch(self, op: BranchingOp) -> None:
        """The values that a branch gives its successors."""
        for index, block in enumerate(op.successors):
            if block.args:
                edges = self.incoming.setdefault(block, [])
                edges.append((op, op.successor_operands(index)))

    def look_at_exit(self, op: spirv.ExitOp) -> None:
        """The values that a branch out of constructs gives."""
        target = op.target
        if target is None:
            raise CompileError(f"{op.name}: expected to stand in {op.leaves}", location_of(op))
        if target.args:
            self.incoming.setdefault(target, []).append((op, tuple(op.operands)))

    def look_at_variable(self, op: spirv.VariableOp) -> None:
        """A variable, wherever it is: all stand at the start of the function."""
        self.variables.append(op)

    def _entry(self, block: Block) -> None:
        self._label(self.label(block))
        for op in self.variables:
            self._variable(op)
        self.ops(block)

    def _variable(self, op: spirv.VariableOp) -> None:
        number = self.id(op.results[0])
        kind = op.results[0].type
        initial = [self.id(value) for value in op.operands]
        storage = cast("spirv.EnumAttr", op.properties["storage_class"]).value
        self.write(Op.Variable, self.types.type(kind), number, storage, *initial)
        if op.attributes:
            self.module.decorate_by(number, op.attributes, op)

    # Blocks

    def label(self, block: Block) -> int:
        """The id of the label that a block begins with."""
        found = self.labels.get(block)
        if found is None:
            found = self.labels[block] = self.module.new_id()
        return found

    def _label(self, number: int) -> None:
        self.write(Op.Label, number)
        self.current = number
        self.line = None

    def begin(self, block: Block) -> None:
        """A block's label, and the phis of its arguments without operands."""
        self._label(self.label(block))
        edges = self.incoming.get(block, [])
        # One edge for each block that it comes from, also if that branches here twice.
        count = len(dict.fromkeys(op for op, _ in edges))
        for index, argument in enumerate(block.args):
            self.write(
                Op.Phi, self.types.type(argument.type), self.id(argument), *(0,) * (2 * count)
            )
            self.phis.append((len(self.words) - 2 * count, block, index))

    def block(self, block: Block) -> None:
        """A block with its label."""
        self.begin(block)
        self.ops(block)

    def _fill_phis(self) -> None:
        for position, block, index in self.phis:
            seen: dict[Operation, int] = {}
            for op, values in self.incoming.get(block, ()):
                value = self.id(values[index])
                if seen.setdefault(op, value) != value:
                    raise CompileError(
                        f"{op.name} gives one block different values: select between them",
                        location_of(op),
                    )
            for op, value in seen.items():
                self.words[position] = value
                self.words[position + 1] = self.came_from[op]
                position += 2

    def ops(self, block: Block, merge: tuple[int, ...] = ()) -> None:
        """The ops of a block; `merge` is the merge instruction before the last one."""
        op = block.first_op
        while op is not None:
            if self.module.debug:
                self._place(op)
            emit = EMITTERS.get(op.__class__) or emitter_of(op)
            if merge and op.next_op is None:
                self.words += merge
            emit(self, op)
            op = op.next_op

    def _place(self, op: Operation) -> None:
        if isinstance(op.location, UnknownLoc) or isinstance(op, (ConstantOp, UndefOp)):
            return
        place = self.module.place(op.location)
        if place is not None and place != self.line:
            self.line = place
            self.write(Op.Line, *place)

    # Values

    def id(self, value: SSAValue) -> int:
        """The id of a value; of a construct's result, that of what it merges."""
        found = self.ids.get(value)
        if found is None:
            found = self.ids[value] = self._new_id(value)
        return found

    def _new_id(self, value: SSAValue) -> int:
        find = _FINDS.get(value.owner.__class__)
        return self.module.new_id() if find is None else find(self, value.owner, value)

    def merged(self, op: spirv.ConstructOp, value: SSAValue) -> int:
        """The id of what a construct merges for a result."""
        merge = op.merge_block
        assert merge is not None, "a construct with results has blocks"
        last = merge.last_op
        assert last is not None, "a construct ends in a merge"
        index = next(i for i, result in enumerate(op.results) if result is value)
        return self.id(last.operands[index])

    def constant(self, op: ConstantOp, value: SSAValue) -> int:
        """The id of a constant."""
        return self.types.constant(op.value, value.type)

    def symbol(self, op: spirv.AddressOfOp | spirv.ReferenceOfOp, value: SSAValue) -> int:
        """The id of a symbol, which the function uses."""
        self.used.add(op.target)
        return self.module.symbol_id(op.target, op)

    # Constructs

    def selection(self, op: spirv.SelectionOp) -> None:
        """A selection: its merge instruction stands before what ends its first block."""
        blocks = op.blocks
        if len(blocks) < 2:
            return
        header, merge = blocks[0], blocks[-1]
        control = cast("spirv.EnumAttr", op.properties["selection_control"]).value
        words: tuple[int, ...] = ()
        if not isinstance(header.last_op, (spirv.BranchOp, spirv.ReturnOp, spirv.ReturnValueOp)):
            words = (3 << 16 | Op.SelectionMerge, self.label(merge), control)
        self.ops(header, words)
        for block in blocks[1:-1]:
            self.block(block)
        self.begin(merge)

    def loop(self, op: spirv.LoopOp) -> None:
        """A loop: its merge instruction stands before what ends its header."""
        blocks = op.blocks
        if not blocks:
            return
        control = cast("spirv.EnumAttr", op.properties["loop_control"]).value
        if control & ~PLAIN_LOOP_CONTROLS:
            raise CompileError(
                f"{op.name}: control {op.enum('loop_control')} needs numbers, which it has no "
                "place for",
                location_of(op),
            )
        header, merge = blocks[1], blocks[-1]
        words = (
            4 << 16 | Op.LoopMerge,
            self.label(merge),
            self.label(op.continue_block),
            control,
        )
        self.ops(blocks[0])
        self.begin(header)
        if any(isinstance(inner, spirv.ConstructOp) for inner in header.ops):
            # The header ends here: what is in it has merge instructions of its own.
            inner = self.module.new_id()
            self.words += words
            self.write(Op.Branch, inner)
            self._label(inner)
            self.ops(header)
        else:
            self.ops(header, words)
        for block in blocks[2:-1]:
            self.block(block)
        self.begin(merge)

    def goes_to(self, op: Operation) -> None:
        """Notes which label a branch comes from."""
        self.came_from[op] = self.current


_FINDS: dict[type[object], Callable[[FunctionWords, Any, SSAValue], int]] = {
    spirv.SelectionOp: FunctionWords.merged,
    spirv.LoopOp: FunctionWords.merged,
    ConstantOp: FunctionWords.constant,
    spirv.AddressOfOp: FunctionWords.symbol,
    spirv.ReferenceOfOp: FunctionWords.symbol,
}
_AHEAD: dict[type[Operation], Callable[[FunctionWords, Any], None]] = {
    spirv.BranchOp: FunctionWords.look_at_branch,
    spirv.BranchConditionalOp: FunctionWords.look_at_branch,
    spirv.SwitchOp: FunctionWords.look_at_branch,
    spirv.BreakOp: FunctionWords.look_at_exit,
    spirv.ContinueOp: FunctionWords.look_at_exit,
    spirv.LeaveOp: FunctionWords.look_at_exit,
    spirv.VariableOp: FunctionWords.look_at_variable,
}
