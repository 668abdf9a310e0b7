"""Branches of the spirv dialect: a block is left for others, which get their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    IntegerAttr,
    IntegerType,
    i32,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..branching import BranchingOp, parse_successor
from .base import SpirvOp
from .kinds import is_bool, is_int

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


def _segments(sizes: Sequence[int]) -> DenseArrayBase:
    return DenseArrayBase.from_list(i32, tuple(sizes))


class BranchOp(BranchingOp, SpirvOp):
    """`spirv.Branch ^block(%a : i32)`."""

    name = "spirv.Branch"

    @classmethod
    def to(cls, block: Block, values: Sequence[SSAValue] = ()) -> Self:
        """A jump that gives the block its arguments."""
        return cls.create(operands=values, successors=[block])

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        self.print_successors(printer)
        self.print_attributes(printer)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        block, values = parse_successor(parser)
        op = cls.to(block, values)
        op.attributes |= parser.parse_optional_attr_dict()
        return op


class BranchConditionalOp(BranchingOp, SpirvOp):
    """`spirv.BranchConditional %c [5, 1], ^then(%a : i32), ^else`."""

    name = "spirv.BranchConditional"
    _shown = ("branch_weights", "operandSegmentSizes")

    @classmethod
    def on(
        cls,
        condition: SSAValue,
        then: Block | tuple[Block, Sequence[SSAValue]],
        otherwise: Block | tuple[Block, Sequence[SSAValue]],
        weights: tuple[int, int] | None = None,
    ) -> Self:
        """A branch to a block or to one with its arguments; weights say how often each is taken."""
        first = then if isinstance(then, tuple) else (then, ())
        second = otherwise if isinstance(otherwise, tuple) else (otherwise, ())
        sizes = (1, len(first[1]), len(second[1]))
        properties: dict[str, Attribute] = {"operandSegmentSizes": _segments(sizes)}
        if weights is not None:
            properties["branch_weights"] = ArrayAttr(IntegerAttr(w, i32) for w in weights)
        return cls.create(
            operands=[condition, *first[1], *second[1]],
            successors=[first[0], second[0]],
            properties=properties,
        )

    @property
    def weights(self) -> tuple[int, ...]:
        """How often each side is taken, or nothing."""
        return self.integers("branch_weights")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        if self.weights:
            printer.print_string(f" [{', '.join(map(str, self.weights))}]")
        printer.print_string(", ")
        self.print_successors(printer)
        self.print_attributes(printer, but=self._shown)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        condition = parser.parse_unresolved_operand()
        found = parser.parse_optional_comma_separated_list(
            parser.Delimiter.SQUARE, parser.parse_integer
        )
        if found is not None and len(found) != 2:
            parser.raise_error("expected two weights", start)
        weights = None if found is None else (found[0], found[1])
        parser.parse_punctuation(",")
        then = parse_successor(parser)
        parser.parse_punctuation(",")
        otherwise = parse_successor(parser)
        op = cls.on(parser.resolve_operand(condition, IntegerType(1)), then, otherwise, weights)
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def verify_(self) -> None:
        super().verify_()
        if not is_bool(self.operands[0].type):
            raise VerifyException(f"expected a condition of type i1, got {self.operands[0].type}")


class SwitchOp(BranchingOp, SpirvOp):
    """`spirv.Switch %v : i32, [default: ^a, 0: ^b(%x : i32), -1: ^c]`; upstream's since LLVM 21."""

    name = "spirv.Switch"
    _shown = ("literals", "operandSegmentSizes")

    @classmethod
    def on(
        cls,
        value: SSAValue,
        default: tuple[Block, Sequence[SSAValue]],
        cases: Sequence[tuple[int, Block, Sequence[SSAValue]]],
    ) -> Self:
        """A jump by the value of an integer; case values are distinct."""
        return cls.create(
            operands=[value, *default[1], *(v for _, _, values in cases for v in values)],
            successors=[default[0], *(block for _, block, _ in cases)],
            properties={
                "literals": ArrayAttr(IntegerAttr(number, value.type) for number, _, _ in cases),  # pyright: ignore
                "operandSegmentSizes": _segments(
                    (1, len(default[1]), *(len(values) for _, _, values in cases))
                ),
            },
        )

    @property
    def literals(self) -> tuple[int, ...]:
        """The number of each case, in the order of the successors after the default."""
        return self.integers("literals")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)
        printer.print_string(", [")
        labels = ["default", *map(str, self.literals)]
        for index in range(len(self.successors)):
            printer.print_string(f"{', ' if index else ''}{labels[index]}: ")
            self.print_successor(printer, index)
        printer.print_string("]")
        self.print_attributes(printer, but=self._shown)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(":")
        selector = parser.resolve_operand(value, parser.parse_type())
        parser.parse_punctuation(",")
        parser.parse_punctuation("[")
        parser.parse_keyword("default")
        parser.parse_punctuation(":")
        default = parse_successor(parser)
        cases: list[tuple[int, Block, Sequence[SSAValue]]] = []
        while parser.parse_optional_punctuation(",") is not None:
            number = parser.parse_integer()
            parser.parse_punctuation(":")
            cases.append((number, *parse_successor(parser)))
        parser.parse_punctuation("]")
        op = cls.on(selector, default, cases)
        op.attributes |= parser.parse_optional_attr_dict()
        return op

    def verify_(self) -> None:
        super().verify_()
        if not is_int(self.operands[0].type):
            raise VerifyException(f"expected an integer to switch on, got {self.operands[0].type}")
        if len(set(self.literals)) != len(self.successors) - 1:
            raise VerifyException("expected a number for each case, and each only once")


OPERATIONS: tuple[type[Operation], ...] = (BranchOp, BranchConditionalOp, SwitchOp)
