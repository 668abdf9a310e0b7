"""Control flow of the llvm dialect: branches between the blocks of a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, cast

from xdsl.dialects.builtin import (
    DenseIntElementsAttr,
    DenseIntOrFPElementsAttr,
    IntegerType,
    VectorType,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ..branching import BranchingOp, parse_successor
from ..making import make
from .base import LLVMOp, numbers

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class BrOp(BranchingOp, LLVMOp):
    """`^block(%a : T) {…}`."""

    name = "llvm.br"
    result_count = 0
    inherent = frozenset(("loop_annotation",))

    @classmethod
    def to(cls, block: Block, values: Sequence[SSAValue] = ()) -> Self:
        """A jump that gives the block its arguments."""
        return make(cls, values, successors=[block])

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        self.print_successors(printer)
        self.print_attributes(printer)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        block, values = parse_successor(parser)
        properties, attributes = cls.parse_attributes(parser)
        return cls.create(
            operands=values, successors=[block], properties=properties, attributes=attributes
        )


class CondBrOp(BranchingOp, LLVMOp):
    """`%c weights([5, 1]), ^then(%a : T), ^else {…}`."""

    name = "llvm.cond_br"
    result_count = 0
    inherent = frozenset(("loop_annotation",))
    _shown = ("branch_weights", "operandSegmentSizes")

    @classmethod
    def on(
        cls,
        condition: SSAValue,
        then: tuple[Block, Sequence[SSAValue]],
        otherwise: tuple[Block, Sequence[SSAValue]],
        weights: tuple[int, int] | None = None,
    ) -> Self:
        """A branch; the weights say how often each side is taken."""
        sizes = (1, len(then[1]), len(otherwise[1]))
        properties: dict[str, Attribute] = {"operandSegmentSizes": numbers(sizes)}
        if weights is not None:
            properties["branch_weights"] = numbers(weights)
        operands = [condition, *then[1], *otherwise[1]]
        return make(cls, operands, (), properties, successors=[then[0], otherwise[0]])

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        if weights := self.array_property("branch_weights"):
            printer.print_string(f" weights([{', '.join(map(str, weights))}])")
        printer.print_string(", ")
        self.print_successors(printer)
        self.print_attributes(printer, but=self._shown)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        condition = parser.parse_unresolved_operand()
        weights = None
        if parser.parse_optional_keyword("weights") is not None:
            with parser.in_parens():
                first, second = parser.parse_comma_separated_list(
                    parser.Delimiter.SQUARE, parser.parse_integer
                )
                weights = (first, second)
        parser.parse_punctuation(",")
        then = parse_successor(parser)
        parser.parse_punctuation(",")
        otherwise = parse_successor(parser)
        properties, attributes = cls.parse_attributes(parser)
        op = cls.on(parser.resolve_operand(condition, IntegerType(1)), then, otherwise, weights)
        op.properties.update(properties)
        op.attributes.update(attributes)
        return op


class SwitchOp(BranchingOp, LLVMOp):
    """`%v : i32, ^default(%x : T) [ 1: ^one(%y : T), -2: ^two ] {…}`."""

    name = "llvm.switch"
    result_count = 0
    inherent = frozenset(("branch_weights",))
    _shown = ("case_values", "case_operand_segments", "operandSegmentSizes")

    @classmethod
    def on(
        cls,
        value: SSAValue,
        default: tuple[Block, Sequence[SSAValue]],
        cases: Sequence[tuple[int, Block, Sequence[SSAValue]]],
    ) -> Self:
        """A jump by the value of an integer; case values are distinct."""
        kind = value.type
        assert isinstance(kind, IntegerType), f"expected an integer to switch on, got {kind}"
        counts = [len(values) for _, _, values in cases]
        properties: dict[str, Attribute] = {
            "operandSegmentSizes": numbers((1, len(default[1]), sum(counts))),
            "case_operand_segments": numbers(counts),
        }
        if cases:
            properties["case_values"] = DenseIntElementsAttr.from_list(
                VectorType(cast(IntegerType[int], kind), [len(cases)]),
                [number for number, _, _ in cases],
            )
        return cls.create(
            operands=[value, *default[1], *(v for _, _, values in cases for v in values)],
            successors=[default[0], *(block for _, block, _ in cases)],
            properties=properties,
        )

    @property
    def case_values(self) -> tuple[int, ...]:
        """The number of each case, in the order of the successors after the default."""
        found = self.properties.get("case_values")
        if not isinstance(found, DenseIntOrFPElementsAttr):
            return ()
        return tuple(int(value) for value in found.get_values())  # pyright: ignore

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)
        printer.print_string(", ")
        self.print_successor(printer, 0)

        def case(index: int) -> None:
            printer.print_string(f"\n{self.case_values[index]}: ")
            self.print_successor(printer, index + 1)

        printer.print_string(" [")
        with printer.indented():
            printer.print_list(range(len(self.case_values)), case, ",")
        printer.print_string("\n]")
        self.print_attributes(printer, but=self._shown)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(":")
        flag = parser.resolve_operand(value, parser.parse_type())
        parser.parse_punctuation(",")
        default = parse_successor(parser)

        def case() -> tuple[int, Block, Sequence[SSAValue]]:
            constant = parser.parse_integer()
            parser.parse_punctuation(":")
            block, values = parse_successor(parser)
            return constant, block, values

        cases = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, case)
        properties, attributes = cls.parse_attributes(parser)
        op = cls.on(flag, default, cases)
        op.properties.update(properties)
        op.attributes.update(attributes)
        return op


OPERATIONS: list[type[Operation]] = [BrOp, CondBrOp, SwitchOp]
