"""Structured control flow of the spirv dialect.

    %r = spirv.mlir.selection -> i32 {
      spirv.BranchConditional %c, ^then, ^merge(%a : i32)
    ^then:
      spirv.Branch ^merge(%b : i32)
    ^merge(%x: i32):
      spirv.mlir.merge %x : i32
    }

A construct is a region with one way in, the first block, and one way out, the last, which holds
nothing but `mlir.merge`. In a loop the first block branches to the header, the second; the last but
one is the continue target, which branches back. What lives on after a construct is yielded by
`mlir.merge`, as upstream has it since LLVM 20; 19 has variables only.

Not upstream's: `mlir.break` and `mlir.continue` branch to the merge block and the continue target
of the innermost loop from inside a construct in it, `mlir.leave` to the merge block of the
innermost construct that begins with a Switch. They give the block its arguments.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Self

from xdsl.ir import Attribute, Block, Operation, Region
from xdsl.utils.exceptions import VerifyException

from ..lists import print_typed_operands, print_types
from ..traits import TERMINATOR
from .attributes import LoopControlAttr, SelectionControlAttr
from .base import SpirvOp
from .branches import BranchOp, SwitchOp

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class ValuesOp(SpirvOp):
    """A terminator with values: `%a, %b : i32, f32`, or nothing."""

    traits = TERMINATOR

    def print(self, printer: Printer) -> None:
        print_typed_operands(printer, self, self.print_attributes)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        first = parser.parse_optional_unresolved_operand()
        if first is None:
            return cls.create(attributes=parser.parse_optional_attr_dict())
        operands = [first]
        while parser.parse_optional_punctuation(",") is not None:
            operands.append(parser.parse_unresolved_operand())
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        return cls.create(
            operands=parser.resolve_operands(operands, types, start), attributes=attributes
        )


def enclosing(op: Operation, kind: type[Operation]) -> Operation | None:
    """The innermost op of a class around `op` in its function."""
    current = op.parent_op()
    while current is not None and not isinstance(current, kind):
        current = current.parent_op()
    return current


class MergeOp(ValuesOp):
    """`spirv.mlir.merge`, `spirv.mlir.merge %a : i32`: the end of a construct, with its results."""

    name = "spirv.mlir.merge"

    def verify_(self) -> None:
        super().verify_()
        parent = self.parent_op()
        if not isinstance(parent, ConstructOp) or self.parent is not parent.merge_block:
            raise VerifyException("expected to stand in the last block of a construct")
        if list(self.operand_types) != list(parent.result_types):
            raise VerifyException(
                f"expected values of the types of {parent.name}'s {len(parent.results)} results"
            )


class ExitOp(ValuesOp):
    """A branch out of the constructs around it."""

    @property
    @abstractmethod
    def target(self) -> Block | None:
        """The block that it goes on in; None outside of what it leaves."""

    def verify_(self) -> None:
        super().verify_()
        target = self.target
        if target is None:
            raise VerifyException(f"expected to stand in {self.leaves}")
        if list(self.operand_types) != list(target.arg_types):
            raise VerifyException(f"expected {len(target.args)} values of the block's types")

    leaves: ClassVar[str] = "a loop"


class BreakOp(ExitOp):
    """`spirv.mlir.break`: to the merge block of the innermost loop. Not upstream's."""

    name = "spirv.mlir.break"

    @property
    def target(self) -> Block | None:
        loop = enclosing(self, LoopOp)
        return loop.merge_block if isinstance(loop, LoopOp) else None


class ContinueOp(ExitOp):
    """`spirv.mlir.continue`: to the continue target of the innermost loop. Not upstream's."""

    name = "spirv.mlir.continue"

    @property
    def target(self) -> Block | None:
        loop = enclosing(self, LoopOp)
        return loop.continue_block if isinstance(loop, LoopOp) else None


class LeaveOp(ExitOp):
    """`spirv.mlir.leave`: to the merge block of the innermost Switch. Not upstream's."""

    name = "spirv.mlir.leave"
    leaves = "a selection that begins with a Switch"

    @property
    def target(self) -> Block | None:
        found = enclosing(self, SelectionOp)
        while isinstance(found, SelectionOp):
            header = found.header_block
            if header is not None and isinstance(header.last_op, SwitchOp):
                return found.merge_block
            found = enclosing(found, SelectionOp)
        return None


class ConstructOp(SpirvOp):
    """A region with one way in and one way out."""

    control_name: ClassVar[str]
    minimum: ClassVar[int]
    """How few blocks it may have, unless it is empty."""

    @classmethod
    def around(
        cls, region: Region, results: Sequence[Attribute] = (), control: str = "None"
    ) -> Self:
        """A construct of a region whose last block holds the merge of these results."""
        op = cls.of((), results, **{cls.control_name: control})
        op.add_region(region)
        return op

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks in order."""
        return tuple(self.regions[0].blocks)

    @property
    def merge_block(self) -> Block | None:
        """Where it is left."""
        return self.regions[0].last_block

    def print(self, printer: Printer) -> None:
        control = self.enum(self.control_name)
        printer.print_string(f" control({control})" if control != "None" else "")
        printer.print_op_attributes(self.attributes, print_keyword=True)
        if self.results:
            printer.print_string(" -> ")
            print_types(printer, self.result_types)
        printer.print_string(" ")
        printer.print_region(self.regions[0], print_entry_block_args=False)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        kind = SelectionControlAttr if cls.control_name == "selection_control" else LoopControlAttr
        control = "None"
        if parser.parse_optional_keyword("control") is not None:
            with parser.in_parens():
                control = kind.parse_name(parser)
        given = parser.parse_optional_attr_dict_with_keyword()
        results: list[Attribute] = []
        if parser.parse_optional_punctuation("->") is not None:
            results = list(
                parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
            )
        op = cls.around(parser.parse_region(), results, control)
        op.attributes |= given.data if given is not None else {}
        return op

    def verify_(self) -> None:
        super().verify_()
        blocks = self.blocks
        if not blocks:
            if self.results:
                raise VerifyException("expected blocks that yield the results")
            return
        if len(blocks) < self.minimum:
            raise VerifyException(f"expected at least {self.minimum} blocks, got {len(blocks)}")
        last = blocks[-1]
        if not isinstance(last.last_op, MergeOp) or last.first_op is not last.last_op:
            raise VerifyException("expected the last block to hold a spirv.mlir.merge and no more")
        if blocks[0].args:
            raise VerifyException("expected a first block without arguments")
        for op in self.walk():
            if isinstance(op, MergeOp) and op.parent_op() is self and op.parent is not last:
                raise VerifyException("expected only the last block to merge")


class SelectionOp(ConstructOp):
    """`spirv.mlir.selection control(Flatten) -> i32 {…}`: blocks between a header and a merge."""

    name = "spirv.mlir.selection"
    control_name = "selection_control"
    minimum = 1

    @property
    def header_block(self) -> Block | None:
        """The block that divides the ways."""
        return self.regions[0].first_block


class LoopOp(ConstructOp):
    """`spirv.mlir.loop control(Unroll) -> i32 {…}`: entry, header, …, continue target, merge."""

    name = "spirv.mlir.loop"
    control_name = "loop_control"
    minimum = 4

    @property
    def header_block(self) -> Block:
        """The block that each round begins with."""
        return self.blocks[1]

    @property
    def continue_block(self) -> Block:
        """The block that goes back to the header."""
        return self.blocks[-2]

    def verify_(self) -> None:
        super().verify_()
        if not self.blocks:
            return
        entry = self.blocks[0].last_op
        if not isinstance(entry, BranchOp) or entry.successors[0] is not self.header_block:
            raise VerifyException("expected the first block to branch to the second, the header")
        back = self.continue_block.last_op
        if back is None or self.header_block not in back.successors:
            raise VerifyException("expected the last but one block to branch back to the header")


OPERATIONS: tuple[type[Operation], ...] = (
    *(MergeOp, BreakOp, ContinueOp, LeaveOp, SelectionOp, LoopOp),
)
