"""Branches: which operands of a terminator go to which of its successors, and their text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.ir import Block, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from .lists import parse_operands, print_operands, print_types
from .traits import TERMINATOR

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


def successor_operands(op: Operation, index: int) -> Sequence[SSAValue] | None:
    """The operands that a branch passes to its successor number `index`; None if not known.

    The last segments of `operandSegmentSizes` belong to the successors, one each, and the only
    successor of an op without segments gets all operands. Where there are
    `case_operand_segments`, they divide the last segment once more (upstream's switches).
    """
    operands = tuple(op.operands)
    segments = _numbers(op, "operandSegmentSizes")
    count = len(op.successors)
    if segments is None:
        return operands if count == 1 else None
    cases = _numbers(op, "case_operand_segments")
    if cases is not None:
        segments = [*segments[:-1], *cases]
    if len(segments) < count or sum(segments) != len(operands):
        return None
    position = len(segments) - count + index
    start = sum(segments[:position])
    return operands[start : start + segments[position]]


def _numbers(op: Operation, name: str) -> list[int] | None:
    value = op.get_attr_or_prop(name)
    return [int(n) for n in value.get_values()] if isinstance(value, DenseArrayBase) else None


class BranchingOp(Operation):
    """A terminator that goes on in other blocks, giving each its arguments.

    It is a base beside that of the dialect, before it.
    """

    traits = TERMINATOR

    def successor_operands(self, index: int) -> Sequence[SSAValue]:
        """The values that the successor with this number gets as its block arguments."""
        found = successor_operands(self, index)
        assert found is not None, "a branch has a segment of operands for each successor"
        return found

    def print_successor(self, printer: Printer, index: int) -> None:
        """A block that the branch goes to, with what it gets: `^b1(%a, %b : i32, f32)`."""
        printer.print_block_name(self.successors[index])
        values = self.successor_operands(index)
        if values:
            with printer.in_parens():
                print_operands(printer, values)
                printer.print_string(" : ")
                print_types(printer, [value.type for value in values])

    def print_successors(self, printer: Printer) -> None:
        """All of them, with commas."""
        indices = range(len(self.successors))
        printer.print_list(indices, lambda index: self.print_successor(printer, index))

    def verify_(self) -> None:
        """That it says what each successor gets; whether the blocks take it, `verify` looks at."""
        super().verify_()
        if any(successor_operands(self, index) is None for index in range(len(self.successors))):
            raise VerifyException(
                "expected operandSegmentSizes that say which operands each successor gets"
            )


def parse_successor(parser: Parser) -> tuple[Block, Sequence[SSAValue]]:
    """The block that a branch goes to, and what it gives it."""
    start = parser.pos
    block = parser.parse_successor()
    if parser.parse_optional_punctuation("(") is None:
        return block, ()
    operands = parse_operands(parser)
    parser.parse_punctuation(":")
    types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    parser.parse_punctuation(")")
    return block, parser.resolve_operands(operands, types, start)
