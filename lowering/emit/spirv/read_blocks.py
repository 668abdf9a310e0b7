"""Blocks of a function of a binary, and the constructs that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.ir import Block, Operation

from ....dialects import spirv
from .opcodes import Op
from .read_module import Line, malformed

MERGES = (Op.SelectionMerge, Op.LoopMerge)
_ENDS = frozenset(
    (
        *(Op.Branch, Op.BranchConditional, Op.Switch, Op.Return, Op.ReturnValue, Op.Kill),
        Op.Unreachable,
    )
)


@dataclass
class Source:
    """A block of the binary: its phis, other instructions, merge instruction, and end."""

    label: int
    phis: list[Line] = field(default_factory=list[Line])
    lines: list[Line] = field(default_factory=list[Line])
    merge: Line | None = None
    end: Line | None = None

    @property
    def last(self) -> Line:
        """The instruction that ends it."""
        if self.end is None:
            raise malformed(f"the block %{self.label} does not end")
        return self.end

    def targets(self) -> list[int]:
        """The labels that it branches to."""
        words, opcode = self.last.words, self.last.opcode
        if opcode == Op.Branch:
            return [words[0]]
        if opcode == Op.BranchConditional:
            return list(words[1:3])
        if opcode == Op.Switch:
            ids = [o.value for o in self.last.operands[1:] if o.kind == "IdRef"]
            return [value for value in ids if isinstance(value, int)]
        return []


@dataclass
class Scope:
    """A region under way: its blocks by label, and what it can be left for."""

    outer: Scope | None
    kind: str
    """ "function", "loop", "switch" or "selection" """
    merge: int = 0
    target: int = 0
    blocks: dict[int, Block] = field(default_factory=dict[int, Block])

    def exits(self) -> set[int]:
        """All labels that blocks in it cannot be."""
        outer = self.outer.exits() if self.outer is not None else set[int]()
        return outer | {label for label in (self.merge, self.target) if label}


def split(lines: Sequence[Line]) -> dict[int, Source]:
    """The blocks of a function by label, in order; `lines` are all of its instructions."""
    sources: dict[int, Source] = {}
    current: Source | None = None
    for line in lines[1:-1]:
        if line.opcode == Op.Label:
            if current is not None and current.end is None:
                raise malformed(f"the block %{current.label} does not end")
            current = sources[line.result] = Source(line.result)
        elif current is not None:
            _put(line, current)
        elif line.opcode != Op.FunctionParameter:
            raise malformed(f"Op{line.name} stands in no block")
    if current is not None and current.end is None:
        raise malformed(f"the block %{current.label} does not end")
    return sources


def _put(line: Line, block: Source) -> None:
    """Takes an instruction into the block that it is in."""
    if block.end is not None:
        raise malformed(f"Op{line.name} stands after the end of a block")
    if line.opcode == Op.Phi:
        block.phis.append(line)
    elif line.opcode in MERGES:
        block.merge = line
    elif line.opcode in _ENDS:
        block.end = line
    elif line.opcode != Op.Nop:
        block.lines.append(line)


def exit_class(label: int, scope: Scope) -> type[spirv.ExitOp] | None:
    """How a label is branched to from inside constructs."""
    current: Scope | None = scope
    innermost_switch = True
    while current is not None:
        if current.kind == "loop":
            if label == current.merge:
                return spirv.BreakOp
            return spirv.ContinueOp if label == current.target else None
        if current.kind == "switch" and innermost_switch:
            if label == current.merge:
                return spirv.LeaveOp
            innermost_switch = False
        current = current.outer
    return None


def yield_what_is_used_outside(op: spirv.ConstructOp) -> None:
    """Makes results of what a construct computes and others use."""
    merge = op.merge_block
    assert merge is not None, "a construct has blocks"
    last = merge.last_op
    assert isinstance(last, spirv.MergeOp), "a construct ends in a merge"
    escaping = [
        value
        for inner in _blocks_in(op)
        for value in (*inner.args, *(result for o in inner.ops for result in o.results))
        if any(not op.is_ancestor(use.operation) for use in value.uses)
    ]
    if not escaping:
        return
    results = list(op.result_types) + [value.type for value in escaping]
    last.operands = [*last.operands, *escaping]
    made = type(op).create(
        result_types=results,
        properties=dict(op.properties),
        attributes=dict(op.attributes),
        regions=[op.detach_region(op.regions[0])],
        location=op.location,
    )
    block = op.parent
    assert block is not None, "a construct stands in a block"
    block.insert_op_before(made, op)
    for old, new in zip(op.results, made.results, strict=False):
        old.replace_all_uses_with(new)
    for value, result in zip(escaping, made.results[len(op.results) :], strict=True):
        value.replace_uses_with_if(result, lambda use: not made.is_ancestor(use.operation))
    op.detach()
    op.erase()


def _blocks_in(op: Operation) -> list[Block]:
    return [block for region in op.regions for block in region.blocks]
