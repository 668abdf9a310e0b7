"""Branches: which operands of a terminator go to which of its successors."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.ir import Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from .traits import TERMINATOR


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

    def verify_(self) -> None:
        """That it says what each successor gets; whether the blocks take it, `verify` looks at."""
        super().verify_()
        if any(successor_operands(self, index) is None for index in range(len(self.successors))):
            raise VerifyException(
                "expected operandSegmentSizes that say which operands each successor gets"
            )
