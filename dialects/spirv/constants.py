"""Constants of functions of the spirv dialect, and references to symbols of the module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    SymbolRefAttr,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.traits import SymbolTable
from xdsl.utils.exceptions import VerifyException

from ..traits import PURE, TERMINATOR
from .base import SpirvOp
from .spec_constants import (
    SpecConstantCompositeOp,
    SpecConstantExpressionOp,
    SpecConstantOp,
    is_numbers,
    scalar_attribute,
    type_of,
)
from .struct_type import StructType
from .types import ArrayType
from .variables import GlobalVariableOp

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


class ConstantOp(SpirvOp):
    """`spirv.Constant 1 : i32`, `spirv.Constant [1 : i32, 2 : i32] : !spirv.array<2 x i32>`.

    The value is a number, a dense vector, or an array of the elements of an array or struct.
    """

    name = "spirv.Constant"
    traits = PURE

    @classmethod
    def number(cls, value: int | float | bool, kind: Attribute) -> Self:
        """A number of a scalar type; `i1` takes a boolean. Integers wrap."""
        return cls.of((), [kind], value=scalar_attribute(value, kind))

    @property
    def value(self) -> Attribute:
        """The value."""
        return self.properties["value"]

    def print(self, printer: Printer) -> None:
        self.print_attributes(printer, but=("value",))
        printer.print_string(" ")
        printer.print_attribute(self.value)
        if isinstance(self.results[0].type, (ArrayType, StructType)):
            printer.print_string(" : ")
            printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        attributes = parser.parse_optional_attr_dict()
        start = parser.pos
        value = parser.parse_attribute()
        if is_array(value):
            parser.parse_punctuation(":")
            kind = parser.parse_type()
        elif is_numbers(value):
            kind = type_of(value)
        else:
            parser.raise_error(f"expected a number, dense numbers or an array, got {value}", start)
        kind = _as_arrays(kind)
        is_tensor = not is_array(value) and isinstance(kind, ArrayType)
        if is_tensor and parser.parse_optional_punctuation(":") is not None:
            kind = parser.parse_type()  # strides are not in a tensor's type
        op = cls.of((), [kind], value=value)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        super().verify_()
        reason = _mismatch(self.value, self.results[0].type)
        if reason is not None:
            raise VerifyException(reason)


def is_array(value: Attribute) -> bool:
    """Whether it is an array of values."""
    return isinstance(value, ArrayAttr)


def _as_arrays(kind: Attribute) -> Attribute:
    """The type of dense numbers: a tensor of them is a nested array."""
    from xdsl.dialects.builtin import TensorType

    if not isinstance(kind, TensorType):
        return kind
    tensor = cast("TensorType[Attribute]", kind)
    element = tensor.element_type
    for size in reversed(tensor.get_shape()):
        element = ArrayType(element, size)
    return element


def _mismatch(value: Attribute, kind: Attribute) -> str | None:
    """A reason against a value of a constant of a type."""
    if is_array(value):
        items = cast("ArrayAttr[Attribute]", value).data
        if isinstance(kind, ArrayType):
            members: Sequence[Attribute] = [kind.element] * (kind.length or 0)
        elif isinstance(kind, StructType):
            members = kind.types
        else:
            return f"an array of values cannot be of type {kind}"
        if len(items) != len(members):
            return f"expected {len(members)} values, got {len(items)}"
        found = (_mismatch(item, member) for item, member in zip(items, members, strict=True))
        return next((reason for reason in found if reason is not None), None)
    if is_numbers(value):
        found_type = _as_arrays(type_of(value))
        unstrided = _without_strides(kind)
        return None if found_type == unstrided else f"a value of {found_type} is not of {kind}"
    return f"{value} is not the value of a constant"


def _without_strides(kind: Attribute) -> Attribute:
    if isinstance(kind, ArrayType):
        return ArrayType(_without_strides(kind.element), kind.count)
    return kind


class SpecConstantOperationOp(SpirvOp):
    """`spirv.SpecConstantOperation wraps "spirv.IAdd"(%a, %b) : (i32, i32) -> i32`."""

    name = "spirv.SpecConstantOperation"
    traits = PURE

    @classmethod
    def wrap(cls, inner: Operation) -> Self:
        """The op computed when the pipeline is made; its operands are (spec) constants."""
        result = inner.results[0]
        block = Block([inner, YieldOp.create(operands=[result])])
        op = cls.create(result_types=[result.type], regions=[Region(block)])
        return op

    @property
    def inner(self) -> Operation:
        """The op that is computed."""
        first = self.regions[0].block.first_op
        assert first is not None, "a spec constant operation wraps an op"
        return first

    def print(self, printer: Printer) -> None:
        inner = self.inner
        printer.print_string(f' wraps "{inner.name}"')
        printer.print_operands(inner.operands)
        printer.print_string(" ")
        merged = {**inner.properties, **inner.attributes}
        if merged:
            printer.print_attr_dict(merged)
            printer.print_string(" ")
        printer.print_string(": ")
        printer.print_operation_type(inner)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        parser.parse_keyword("wraps")
        inner = parser.parse_operation()
        if len(inner.results) != 1:
            parser.raise_error("expected an op with one result")
        if inner.parent is not None:
            inner.detach()
        return cls.wrap(inner)

    def verify_(self) -> None:
        super().verify_()
        for operand in self.inner.operands:
            owner = operand.owner
            if not isinstance(owner, (ConstantOp, ReferenceOfOp, SpecConstantOperationOp)):
                raise VerifyException("expected operands that are constants or refer to some")


class YieldOp(SpirvOp):
    """`spirv.mlir.yield %a : i32`: what a spec constant operation gives."""

    name = "spirv.mlir.yield"
    traits = TERMINATOR

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_operand(self.operands[0])
        self.print_attributes(printer)
        printer.print_string(" : ")
        printer.print_attribute(self.operands[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operand = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        value = parser.resolve_operand(operand, parser.parse_type())
        return cls.create(operands=[value], attributes=attributes)


class _ReferenceOp(SpirvOp):
    """A value that stands for a symbol: `@name : T`."""

    traits = PURE
    property_name: str

    @property
    def target(self) -> str:
        """The name of the symbol."""
        return self.symbol(self.property_name)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_symbol_name(self.target)
        self.print_attributes(printer, but=(self.property_name,))
        printer.print_string(" : ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        name = parser.parse_symbol_name().data
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls.of((), [parser.parse_type()], **{cls.property_name: SymbolRefAttr(name)})
        op.attributes |= attributes
        return op

    def check(self, classes: tuple[type[Operation], ...]) -> None:
        """Raises VerifyException unless the symbol is one of these, with the result's type."""
        found = SymbolTable.lookup_symbol(self, self.target)
        if not isinstance(found, classes):
            raise VerifyException(f"there is no such symbol here: @{self.target}")
        kind = getattr(found, "type", None)
        if kind != self.results[0].type:
            raise VerifyException(f"@{self.target} is {kind}, got {self.results[0].type}")


class AddressOfOp(_ReferenceOp):
    """`spirv.mlir.addressof @v : !spirv.ptr<…>`: a variable of the module."""

    name = "spirv.mlir.addressof"
    property_name = "variable"

    @classmethod
    def to(cls, variable: GlobalVariableOp) -> Self:
        """The address of a variable."""
        return cls.of((), [variable.type], variable=SymbolRefAttr(variable.sym_name))

    def verify_(self) -> None:
        super().verify_()
        self.check((GlobalVariableOp,))


class ReferenceOfOp(_ReferenceOp):
    """`spirv.mlir.referenceof @size : i32`: a specialisation constant of the module."""

    name = "spirv.mlir.referenceof"
    property_name = "spec_const"

    @classmethod
    def to(
        cls, constant: SpecConstantOp | SpecConstantCompositeOp | SpecConstantExpressionOp
    ) -> Self:
        """The value of a specialisation constant."""
        return cls.of((), [constant.type], spec_const=SymbolRefAttr(constant.sym_name))

    def verify_(self) -> None:
        super().verify_()
        self.check((SpecConstantOp, SpecConstantCompositeOp, SpecConstantExpressionOp))


class UndefOp(SpirvOp):
    """`spirv.Undef : i32`: any value."""

    name = "spirv.Undef"
    traits = PURE

    def print(self, printer: Printer) -> None:
        self.print_attributes(printer)
        printer.print_string(" : ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        return cls.create(result_types=[parser.parse_type()], attributes=attributes)


def is_constant(value: SSAValue) -> bool:
    """Whether a value is known when the pipeline is made."""
    owner = value.owner
    return isinstance(owner, (ConstantOp, ReferenceOfOp, SpecConstantOperationOp, UndefOp))


OPERATIONS: tuple[type[Operation], ...] = (
    *(ConstantOp, SpecConstantOperationOp, YieldOp, AddressOfOp, ReferenceOfOp, UndefOp),
)
