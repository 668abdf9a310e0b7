"""Memory of the llvm dialect: addresses, loads and stores, stack, atomics.

An access is atomic when it has an ordering; a synchronisation scope (`syncscope("agent")`) is the
target's name for the group of threads that the ordering is about, the empty one is everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import StringAttr, UnitAttr, i1
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands, print_types
from ..making import make
from ..traits import PURE
from .base import UNIT, LLVMOp, number, numbers, parse_function_types, print_function_types
from .types import (
    ATOMIC_KINDS,
    ORDERING_NAMES,
    ORDERINGS,
    PointersType,
    PointerType,
    StructType,
    is_vector,
    lanes_of,
)

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer

DYNAMIC_INDEX = -(2**31)
"""In the indices of a getelementptr: the next operand."""


def _parse_scope_and_ordering(parser: Parser, name: str = "ordering") -> dict[str, Attribute]:
    found: dict[str, Attribute] = {}
    if parser.parse_optional_keyword("syncscope") is not None:
        with parser.in_parens():
            found["syncscope"] = StringAttr(parser.parse_str_literal())
    found[name] = number(ORDERINGS[parser.parse_keyword_in(list(ORDERINGS))])
    return found


def _print_scope_and_ordering(printer: Printer, op: LLVMOp, name: str = "ordering") -> None:
    if scope := op.text_property("syncscope"):
        printer.print_string(f' syncscope("{scope}")')
    printer.print_string(f" {ORDERING_NAMES[op.int_property(name)]}")


def _parse_volatile(parser: Parser) -> dict[str, Attribute]:
    volatile = parser.parse_optional_keyword("volatile") is not None
    return {"volatile_": UnitAttr()} if volatile else {}


class GEPOp(LLVMOp):
    """`inbounds %p[%i, 2] : (!llvm.ptr, i64) -> !llvm.ptr, T`: an address inside an object.

    Properties: `elem_type`, `rawConstantIndices` (with `DYNAMIC_INDEX` for the next operand) and
    the unit `inbounds`, which promises that the address stays within the object.
    """

    name = "llvm.getelementptr"
    traits = PURE
    result_count = 1
    inherent = frozenset(("elem_type", "rawConstantIndices", "inbounds"))

    @property
    def indices(self) -> list[int | SSAValue]:
        """The indices, each a constant or a value."""
        dynamic = iter(self.operands[1:])
        return [
            next(dynamic) if index == DYNAMIC_INDEX else index
            for index in self.array_property("rawConstantIndices")
        ]

    @classmethod
    def at(
        cls,
        pointer: SSAValue,
        indices: list[int | SSAValue],
        element: Attribute,
        *,
        inbounds: bool = False,
    ) -> Self:
        """The address of an element; indices count elements, then select inside them.

        With a vector among the indices, one for each lane.
        """
        properties: dict[str, Attribute] = {
            "elem_type": element,
            "rawConstantIndices": numbers(
                [index if isinstance(index, int) else DYNAMIC_INDEX for index in indices]
            ),
        }
        if inbounds:
            properties["inbounds"] = UNIT
        kind = pointer.type
        for index in indices:
            if not isinstance(index, int) and is_vector(index.type):
                assert isinstance(kind, PointerType), "one pointer and offsets for each lane"
                kind = PointersType(lanes_of(index.type), kind)
        values = [index for index in indices if not isinstance(index, int)]
        return make(cls, [pointer, *values], [kind], properties)

    def print(self, printer: Printer) -> None:
        printer.print_string(" inbounds " if self.flag("inbounds") else " ")
        printer.print_operand(self.operands[0])

        def index(value: int | SSAValue) -> None:
            if isinstance(value, int):
                printer.print_string(str(value))
            else:
                printer.print_operand(value)

        with printer.in_square_brackets():
            printer.print_list(self.indices, index)
        self.print_attributes(printer, but=self.inherent)
        print_function_types(printer, self)
        printer.print_string(", ")
        printer.print_attribute(self.properties["elem_type"])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        shown: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("inbounds") is not None:
            shown["inbounds"] = UnitAttr()
        operands = [parser.parse_unresolved_operand()]

        def index() -> int:
            if (constant := parser.parse_optional_integer(allow_boolean=False)) is not None:
                return constant
            operands.append(parser.parse_unresolved_operand())
            return DYNAMIC_INDEX

        indices = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, index)
        properties, attributes = cls.parse_attributes(parser)
        inputs, outputs = parse_function_types(parser)
        parser.parse_punctuation(",")
        shown |= {"rawConstantIndices": numbers(indices), "elem_type": parser.parse_type()}
        return cls.create(
            operands=parser.resolve_operands(operands, inputs, start),
            result_types=outputs,
            properties=properties | shown,
            attributes=attributes,
        )

    def verify_(self) -> None:
        super().verify_()
        dynamic = self.array_property("rawConstantIndices").count(DYNAMIC_INDEX)
        if dynamic != len(self.operands) - 1:
            given = len(self.operands) - 1
            raise VerifyException(f"expected {dynamic} index operands, got {given}")


class LoadOp(LLVMOp):
    """`volatile %p atomic syncscope("x") acquire invariant {alignment = 4 : i64} : P -> T`."""

    name = "llvm.load"
    operand_count = 1
    result_count = 1
    inherent = frozenset(("alignment", "nontemporal", "invariant"))
    _shown = ("volatile_", "ordering", "syncscope", "invariant")

    def print(self, printer: Printer) -> None:
        printer.print_string(" volatile " if self.flag("volatile_") else " ")
        printer.print_operand(self.operands[0])
        if self.int_property("ordering"):
            printer.print_string(" atomic")
            _print_scope_and_ordering(printer, self)
        if self.flag("invariant"):
            printer.print_string(" invariant")
        self.print_attributes(printer, but=self._shown)
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)
        printer.print_string(" -> ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        shown = _parse_volatile(parser)
        address = parser.parse_unresolved_operand()
        if parser.parse_optional_keyword("atomic") is not None:
            shown |= _parse_scope_and_ordering(parser)
        if parser.parse_optional_keyword("invariant") is not None:
            shown["invariant"] = UnitAttr()
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        operand = parser.resolve_operand(address, parser.parse_type())
        parser.parse_punctuation("->")
        return cls.create(
            operands=[operand],
            result_types=[parser.parse_type()],
            properties=properties | shown,
            attributes=attributes,
        )


class StoreOp(LLVMOp):
    """`volatile %v, %p atomic syncscope("x") release {alignment = 4 : i64} : T, P`."""

    name = "llvm.store"
    operand_count = 2
    result_count = 0
    inherent = frozenset(("alignment", "nontemporal"))

    def print(self, printer: Printer) -> None:
        printer.print_string(" volatile " if self.flag("volatile_") else " ")
        print_operands(printer, self.operands)
        if self.int_property("ordering"):
            printer.print_string(" atomic")
            _print_scope_and_ordering(printer, self)
        self.print_attributes(printer, but=("volatile_", "ordering", "syncscope"))
        printer.print_string(" : ")
        print_types(printer, self.operand_types)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        shown = _parse_volatile(parser)
        operands = parse_operands(parser)
        if parser.parse_optional_keyword("atomic") is not None:
            shown |= _parse_scope_and_ordering(parser)
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        return cls.create(
            operands=parser.resolve_operands(operands, types, start),
            properties=properties | shown,
            attributes=attributes,
        )


class AllocaOp(LLVMOp):
    """`%n x T {alignment = 16 : i64} : (i64) -> P`: memory until the function returns."""

    name = "llvm.alloca"
    operand_count = 1
    result_count = 1
    inherent = frozenset(("alignment",))

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        printer.print_string(" x ")
        printer.print_attribute(self.properties["elem_type"])
        self.print_attributes(printer, but=("elem_type",))
        print_function_types(printer, self)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        count = parser.parse_unresolved_operand()
        parser.parse_keyword("x")
        shown: dict[str, Attribute] = {"elem_type": parser.parse_type()}
        properties, attributes = cls.parse_attributes(parser)
        inputs, outputs = parse_function_types(parser)
        return cls.create(
            operands=parser.resolve_operands([count], inputs, start),
            result_types=outputs,
            properties=properties | shown,
            attributes=attributes,
        )


class AtomicRMWOp(LLVMOp):
    """`volatile fadd %p, %v syncscope("x") acq_rel {alignment = 4 : i64} : P, T`: the old value.

    `bin_op` is one of `ATOMIC_KINDS`; fmax and fmin are maxnum and minnum.
    """

    name = "llvm.atomicrmw"
    operand_count = 2
    result_count = 1
    inherent = frozenset(("alignment",))
    _shown = ("bin_op", "ordering", "syncscope", "volatile_")

    @property
    def kind(self) -> str:
        """What is done with the old value."""
        return ATOMIC_KINDS[self.int_property("bin_op")]

    def print(self, printer: Printer) -> None:
        printer.print_string(" volatile " if self.flag("volatile_") else " ")
        printer.print_string(f"{self.kind} ")
        print_operands(printer, self.operands)
        _print_scope_and_ordering(printer, self)
        self.print_attributes(printer, but=self._shown)
        printer.print_string(" : ")
        print_types(printer, self.operand_types)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        shown = _parse_volatile(parser)
        kind = parser.parse_keyword_in(list(ATOMIC_KINDS))
        operands = parse_operands(parser)
        shown |= _parse_scope_and_ordering(parser)
        shown["bin_op"] = number(ATOMIC_KINDS.index(kind))
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        return cls.create(
            operands=parser.resolve_operands(operands, types, start),
            result_types=types[1:],
            properties=properties | shown,
            attributes=attributes,
        )


class CmpXchgOp(LLVMOp):
    """`weak volatile %p, %expected, %new syncscope("x") acq_rel monotonic : P, T`.

    The result is a struct of the old value and whether the new one was stored.
    """

    name = "llvm.cmpxchg"
    operand_count = 3
    result_count = 1
    inherent = frozenset(("alignment",))
    _shown = ("weak", "volatile_", "success_ordering", "failure_ordering", "syncscope")

    def print(self, printer: Printer) -> None:
        printer.print_string(" weak" if self.flag("weak") else "")
        printer.print_string(" volatile " if self.flag("volatile_") else " ")
        print_operands(printer, self.operands)
        _print_scope_and_ordering(printer, self, "success_ordering")
        printer.print_string(f" {ORDERING_NAMES[self.int_property('failure_ordering')]}")
        self.print_attributes(printer, but=self._shown)
        printer.print_string(" : ")
        print_types(printer, self.operand_types[:2])

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        shown: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("weak") is not None:
            shown["weak"] = UnitAttr()
        shown |= _parse_volatile(parser)
        operands = parse_operands(parser)
        shown |= _parse_scope_and_ordering(parser, "success_ordering")
        shown["failure_ordering"] = number(ORDERINGS[parser.parse_keyword_in(list(ORDERINGS))])
        properties, attributes = cls.parse_attributes(parser)
        parser.parse_punctuation(":")
        pointer = parser.parse_type()
        parser.parse_punctuation(",")
        value = parser.parse_type()
        return cls.create(
            operands=parser.resolve_operands(operands, [pointer, value, value], start),
            result_types=[StructType([value, i1])],
            properties=properties | shown,
            attributes=attributes,
        )


class FenceOp(LLVMOp):
    """`syncscope("agent") seq_cst`: orders the accesses around it."""

    name = "llvm.fence"
    operand_count = 0
    result_count = 0

    def print(self, printer: Printer) -> None:
        _print_scope_and_ordering(printer, self)
        self.print_attributes(printer, but=("ordering", "syncscope"))

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        shown = _parse_scope_and_ordering(parser)
        properties, attributes = cls.parse_attributes(parser)
        return cls.create(properties=properties | shown, attributes=attributes)


OPERATIONS: list[type[Operation]] = [
    *(GEPOp, LoadOp, StoreOp, AllocaOp, AtomicRMWOp, CmpXchgOp, FenceOp),
]
