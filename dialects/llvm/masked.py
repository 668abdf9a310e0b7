"""Memory of the llvm dialect lane by lane: only lanes whose mask is set touch it.

Masked loads and stores are of consecutive elements, gathers and scatters have a pointer for each
lane. `alignment` is that of one element; lanes that are not set get the last operand of a load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from xdsl.ir import Attribute, Operation
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands
from .base import LLVMOp, mask_type, parse_function_types, print_function_types
from .types import PointersType, PointerType, is_vector, lanes_of

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class MaskedOp(LLVMOp):
    """What the four ops share."""

    inherent = frozenset(("alignment",))
    operand_count = 3

    def verify_lanes(self, pointer: Attribute, mask: Attribute, value: Attribute) -> None:
        """One address or one for each lane, one bit of mask for each lane."""
        super().verify_()
        if not is_vector(value) or mask != mask_type(value):
            raise VerifyException(f"expected a vector and its mask, got {value} and {mask}")
        count = lanes_of(value)
        wanted = PointersType if isinstance(self, MaskedGatherOp | MaskedScatterOp) else PointerType
        if not isinstance(pointer, wanted) or (
            isinstance(pointer, PointersType) and pointer.size.data != count
        ):
            raise VerifyException(f"expected a pointer for {count} lanes, got {pointer}")


class _MaskedRead(MaskedOp):
    """Form `%p, %mask, %else {alignment = 4 : i32} : (P, M, T) -> T`."""

    result_count = 1

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_operands(printer, self.operands)
        self.print_attributes(printer)
        print_function_types(printer, self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser)
        properties, attributes = cls.parse_attributes(parser)
        inputs, outputs = parse_function_types(parser)
        return cls.create(
            operands=parser.resolve_operands(operands, inputs, start),
            result_types=outputs,
            properties=properties,
            attributes=attributes,
        )

    def verify_(self) -> None:
        pointer, mask, otherwise = self.operands
        self.verify_lanes(pointer.type, mask.type, self.results[0].type)
        if otherwise.type != self.results[0].type:
            raise VerifyException(f"expected a third operand of type {self.results[0].type}")


class _MaskedWrite(MaskedOp):
    """Form `%v, %p, %mask {alignment = 4 : i32} : T, M into P`."""

    result_count = 0

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_operands(printer, self.operands)
        self.print_attributes(printer)
        value, pointer, mask = self.operands
        for word, operand in ((" : ", value), (", ", mask), (" into ", pointer)):
            printer.print_string(word)
            printer.print_attribute(operand.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        operands = parse_operands(parser)
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        value = parser.parse_type()
        parser.parse_punctuation(",")
        mask = parser.parse_type()
        parser.parse_keyword("into")
        return cls.create(
            operands=parser.resolve_operands(operands, [value, parser.parse_type(), mask], start),
            properties=properties,
            attributes=attributes,
        )

    def verify_(self) -> None:
        value, pointer, mask = self.operands
        self.verify_lanes(pointer.type, mask.type, value.type)


class MaskedLoadOp(_MaskedRead):
    """Consecutive elements; the third operand elsewhere."""

    name = "llvm.intr.masked.load"


class MaskedGatherOp(_MaskedRead):
    """An element from each pointer; the third operand elsewhere."""

    name = "llvm.intr.masked.gather"


class MaskedStoreOp(_MaskedWrite):
    """To consecutive elements."""

    name = "llvm.intr.masked.store"


class MaskedScatterOp(_MaskedWrite):
    """To each pointer, in the order of the lanes."""

    name = "llvm.intr.masked.scatter"


OPERATIONS: list[type[Operation]] = [MaskedLoadOp, MaskedStoreOp, MaskedGatherOp, MaskedScatterOp]
