"""Memory of the spirv dialect: variables of a function, pointers into composites, accesses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands, print_types
from ..traits import PURE
from .base import SpirvOp
from .constants import ConstantOp
from .kinds import is_int
from .members import member_type
from .struct_type import StructType
from .types import PointerType, RuntimeArrayType, parse_pointer_type

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


def pointer_type(value: SSAValue) -> PointerType:
    """The type of a pointer. Raises VerifyException for another value."""
    kind = value.type
    if not isinstance(kind, PointerType):
        raise VerifyException(f"expected a pointer, got {kind}")
    return kind


class VariableOp(SpirvOp):
    """`spirv.Variable init(%c) : !spirv.ptr<f32, Function>`: memory of an invocation."""

    name = "spirv.Variable"

    @classmethod
    def define(cls, kind: PointerType, initializer: SSAValue | None = None) -> Self:
        """A variable of class Function, starting as a constant."""
        operands = () if initializer is None else (initializer,)
        return cls.of(operands, [kind], storage_class=kind.storage_class)

    def print(self, printer: Printer) -> None:
        if self.operands:
            printer.print_string(" init(")
            printer.print_operand(self.operands[0])
            printer.print_string(")")
        self.print_attributes(printer, but=("storage_class",))
        printer.print_string(" : ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        initial = None
        if parser.parse_optional_keyword("init") is not None:
            with parser.in_parens():
                initial = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        kind = parse_pointer_type(parser)
        value = None if initial is None else parser.resolve_operand(initial, kind.pointee)
        op = cls.define(kind, value)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        super().verify_()
        storage = pointer_type(self.results[0]).storage_class
        if storage != "Function" or self.enum("storage_class") != "Function":
            raise VerifyException(f"expected class Function, got {storage}")


def element_pointer(base: Attribute, indices: Sequence[int | None]) -> PointerType:
    """A pointer to what is at these indices (None: known at run time) of what `base` points to.

    Raises VerifyException where there is nothing.
    """
    if not isinstance(base, PointerType):
        raise VerifyException(f"expected a pointer, got {base}")
    pointee = base.pointee
    for index in indices:
        pointee = member_type(pointee, index)
    return PointerType(pointee, base.storage)


def known_index(value: SSAValue) -> int | None:
    """The number that an index is, if it is a constant."""
    owner = value.owner
    return owner.integer("value") if isinstance(owner, ConstantOp) else None


class AccessChainOp(SpirvOp):
    """`spirv.AccessChain %p[%i, %j] : !spirv.ptr<…>, i32, i32`: a pointer to a part."""

    name = "spirv.AccessChain"
    traits = PURE
    first = 1
    """The operand that is the first index into what the pointer points to."""

    @classmethod
    def into(cls, base: SSAValue, indices: Sequence[SSAValue]) -> Self:
        """A pointer to the part at these indices; a member of a struct needs a constant."""
        inner = indices[cls.first - 1 :]
        kind = element_pointer(base.type, [known_index(index) for index in inner])
        return cls.create(operands=[base, *indices], result_types=[kind])

    @property
    def indices(self) -> Sequence[SSAValue]:
        """The indices."""
        return self.operands[1:]

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        with printer.in_square_brackets():
            print_operands(printer, self.indices)
        self.print_attributes(printer)
        printer.print_string(" : ")
        print_types(printer, self.operand_types)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        base = parser.parse_unresolved_operand()
        indices = parse_operands(parser, "[]")
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        if parser.parse_optional_punctuation("->") is not None:
            parser.parse_type()  # Upstream writes the result since LLVM 20; it follows.
        operands = parser.resolve_operands([base, *indices], types, start)
        try:
            op = cls.into(operands[0], operands[1:])
        except VerifyException as error:
            parser.raise_error(str(error), start)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        super().verify_()
        for index in self.indices:
            if not is_int(index.type):
                raise VerifyException(f"expected indices that are integers, got {index.type}")
        inner = [known_index(index) for index in self.operands[self.first :]]
        expected = element_pointer(self.operands[0].type, inner)
        if self.results[0].type != expected:
            raise VerifyException(f"expected a result of type {expected}")


class InBoundsAccessChainOp(AccessChainOp):
    """The same, with the promise that the indices are in range. Not upstream's."""

    name = "spirv.InBoundsAccessChain"


class PtrAccessChainOp(AccessChainOp):
    """`spirv.PtrAccessChain %p[%e, %i] : …`: first, so many elements on from the pointer.

    The stride is that of the pointer's type: the serialiser decorates it with the array stride
    that the attribute `stride` says, in bytes, or with the size of what it points to.
    """

    name = "spirv.PtrAccessChain"
    first = 2


class InBoundsPtrAccessChainOp(PtrAccessChainOp):
    """The same, with the promise that the indices are in range."""

    name = "spirv.InBoundsPtrAccessChain"


class ArrayLengthOp(SpirvOp):
    """`spirv.ArrayLength %p[0] : !spirv.ptr<…> -> i32`: of the run-time array that ends a struct.

    Not upstream's.
    """

    name = "spirv.ArrayLength"
    traits = PURE

    @property
    def member(self) -> int:
        """The number of the member."""
        return self.integer("member") or 0

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        printer.print_string(f"[{self.member}]")
        self.print_attributes(printer, but=("member",))
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)
        printer.print_string(" -> ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_unresolved_operand()
        with parser.in_square_brackets():
            member = parser.parse_integer(allow_boolean=False, allow_negative=False)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        pointer = parser.resolve_operand(operand, parser.parse_type())
        parser.parse_punctuation("->")
        op = cls.of([pointer], [parser.parse_type()], member=member)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        super().verify_()
        pointee = pointer_type(self.operands[0]).pointee
        if not isinstance(pointee, StructType) or not isinstance(
            member_type(pointee, self.member), RuntimeArrayType
        ):
            raise VerifyException(f"member {self.member} of {pointee} is no run-time array")
        if self.results[0].type != IntegerType(32):
            raise VerifyException(f"expected a result of type i32, got {self.results[0].type}")


OPERATIONS: tuple[type[Operation], ...] = (
    *(VariableOp, AccessChainOp, InBoundsAccessChainOp, PtrAccessChainOp),
    *(InBoundsPtrAccessChainOp, ArrayLengthOp),
)
