"""What ends and calls functions of the spirv dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import FunctionType, StringAttr, SymbolRefAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands
from ..traits import TERMINATOR
from .base import SpirvOp
from .constructs import ValuesOp

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class ReturnOp(SpirvOp):
    """`spirv.Return`: from a function without a result."""

    name = "spirv.Return"
    traits = TERMINATOR

    def print(self, printer: Printer) -> None:
        self.print_attributes(printer)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.create(attributes=parser.parse_optional_attr_dict())

    def verify_(self) -> None:
        super().verify_()
        if (results := _results_of_function(self)) != []:
            raise VerifyException(f"expected spirv.ReturnValue: the function returns {results}")


class ReturnValueOp(ValuesOp):
    """`spirv.ReturnValue %a : i32`."""

    name = "spirv.ReturnValue"

    def verify_(self) -> None:
        super().verify_()
        given, results = list(self.operand_types), _results_of_function(self)
        if len(given) != 1 or given != results:
            raise VerifyException(f"expected one value of type {results}, got {given}")


def _results_of_function(op: Operation) -> list[Attribute]:
    function = op.parent_op()
    while function is not None and "function_type" not in function.properties:
        function = function.parent_op()
    kind = function.properties["function_type"] if function is not None else None
    if not isinstance(kind, FunctionType):
        raise VerifyException("expected to stand in a function")
    return list(kind.outputs)


class UnreachableOp(ReturnOp):
    """`spirv.Unreachable`: the block is never reached, or has no way on."""

    name = "spirv.Unreachable"

    def verify_(self) -> None:
        SpirvOp.verify_(self)


class FunctionCallOp(SpirvOp):
    """`spirv.FunctionCall @f(%a) : (i32) -> f32`."""

    name = "spirv.FunctionCall"

    @classmethod
    def to(
        cls, callee: str, operands: Sequence[SSAValue], results: Sequence[Attribute] = ()
    ) -> Self:
        """A call of the function of that name."""
        return cls.of(operands, results, callee=SymbolRefAttr(StringAttr(callee)))

    @property
    def callee(self) -> str:
        """The name of the function."""
        return self.symbol("callee")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.callee)
        with printer.in_parens():
            print_operands(printer, self.operands)
        self.print_attributes(printer, but=("callee",))
        printer.print_string(" : ")
        printer.print_operation_type(self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        callee = parser.parse_symbol_name().data
        start = parser.pos
        operands = parse_operands(parser, "()")
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        function = parser.parse_function_type()
        op = cls.to(
            callee,
            parser.resolve_operands(operands, function.inputs.data, start),
            function.outputs.data,
        )
        op.attributes |= attributes
        return op


OPERATIONS: tuple[type[Operation], ...] = (
    *(ReturnOp, ReturnValueOp, UnreachableOp, FunctionCallOp),
)
