"""Loads, stores and copies of the spirv dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from xdsl.dialects.builtin import IntegerAttr, i32
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from ..lists import parse_operands, print_operands
from .attributes import MemoryAccessAttr, StorageClassAttr, parse_enum
from .base import SpirvOp
from .memory import pointer_type
from .types import PointerType

if TYPE_CHECKING:
    from xdsl.parser import Parser
    from xdsl.printer import Printer


def print_access(printer: Printer, op: SpirvOp, access: str, alignment: str) -> None:
    """` ["Aligned", 4]`, or nothing."""
    if access not in op.properties:
        return
    printer.print_string(f' ["{op.enum(access)}"')
    if op.integer(alignment) is not None:
        printer.print_string(f", {op.integer(alignment)}")
    printer.print_string("]")


def parse_access(parser: Parser, access: str, alignment: str) -> dict[str, Attribute]:
    """The inverse of `print_access`: properties of the op."""
    if parser.parse_optional_punctuation("[") is None:
        return {}
    found: dict[str, Attribute] = {access: parse_enum(parser, access)}
    if parser.parse_optional_punctuation(",") is not None:
        found[alignment] = IntegerAttr(parser.parse_integer(), i32)
    parser.parse_punctuation("]")
    return found


def verify_access(op: SpirvOp, access: str, alignment: str) -> None:
    """Raises VerifyException unless an alignment is there just if the access is Aligned."""
    found = op.properties.get(access)
    aligned = isinstance(found, MemoryAccessAttr) and found.has("Aligned")
    value = op.integer(alignment)
    if aligned != (value is not None):
        raise VerifyException("expected an alignment for an Aligned access, and only for one")
    if value is not None and (value <= 0 or value & (value - 1)):
        raise VerifyException(f"expected an alignment that is a power of two, got {value}")


def access_properties(access: str | None, alignment: int | None) -> dict[str, str | int | None]:
    """Properties of an access; an alignment makes it Aligned."""
    value = MemoryAccessAttr(access or "None").value
    if alignment is not None:
        value |= MemoryAccessAttr("Aligned").value
    if value == 0:
        return {}
    return {"memory_access": MemoryAccessAttr.from_value(value).data, "alignment": alignment}


def _parse_storage(parser: Parser) -> str:
    storage = parse_enum(parser, "storage_class")
    assert isinstance(storage, StorageClassAttr), "storage_class is of this class"
    return storage.data


class LoadOp(SpirvOp):
    """`spirv.Load "StorageBuffer" %p ["Aligned", 4] : f32`.

    `memory_access` may hold Volatile, Aligned, Nontemporal, NonPrivatePointer and
    MakePointerVisible, whose scope is the property `scope`.
    """

    name = "spirv.Load"
    _shown = ("memory_access", "alignment")

    @classmethod
    def at(cls, pointer: SSAValue, access: str | None = None, alignment: int | None = None) -> Self:
        """A load; `access` is names of bits with `|` between them."""
        properties = access_properties(access, alignment)
        return cls.of([pointer], [pointer_type(pointer).pointee], **properties)

    def print(self, printer: Printer) -> None:
        printer.print_string(f' "{pointer_type(self.operands[0]).storage_class}" ')
        printer.print_operand(self.operands[0])
        print_access(printer, self, *self._shown)
        self.print_attributes(printer, but=self._shown)
        printer.print_string(" : ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        storage = _parse_storage(parser)
        operand = parser.parse_unresolved_operand()
        properties = parse_access(parser, *cls._shown)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        pointer = parser.resolve_operand(operand, PointerType(kind, storage))
        return cls.create(
            operands=[pointer],
            result_types=[kind],
            properties=properties,
            attributes=attributes,
        )

    def verify_(self) -> None:
        super().verify_()
        if pointer_type(self.operands[0]).pointee != self.results[0].type:
            raise VerifyException("expected a result of the type that is pointed to")
        verify_access(self, *self._shown)


class StoreOp(SpirvOp):
    """`spirv.Store "StorageBuffer" %p, %v ["Aligned", 4] : f32`."""

    name = "spirv.Store"
    _shown = ("memory_access", "alignment")

    @classmethod
    def at(
        cls,
        pointer: SSAValue,
        value: SSAValue,
        access: str | None = None,
        alignment: int | None = None,
    ) -> Self:
        """A store; `access` is names of bits with `|` between them."""
        return cls.of([pointer, value], (), **access_properties(access, alignment))

    def print(self, printer: Printer) -> None:
        printer.print_string(f' "{pointer_type(self.operands[0]).storage_class}" ')
        print_operands(printer, self.operands)
        print_access(printer, self, *self._shown)
        self.print_attributes(printer, but=self._shown)
        printer.print_string(" : ")
        printer.print_attribute(self.operands[1].type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        storage = _parse_storage(parser)
        start = parser.pos
        operands = parse_operands(parser)
        properties = parse_access(parser, *cls._shown)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        values = parser.resolve_operands(operands, [PointerType(kind, storage), kind], start)
        return cls.create(operands=values, properties=properties, attributes=attributes)

    def verify_(self) -> None:
        super().verify_()
        if pointer_type(self.operands[0]).pointee != self.operands[1].type:
            raise VerifyException("expected a value of the type that is pointed to")
        verify_access(self, *self._shown)


class CopyMemoryOp(SpirvOp):
    """`spirv.CopyMemory "Function" %to, "Function" %from ["Aligned", 4], ["Volatile"] : f32`."""

    name = "spirv.CopyMemory"
    _target = ("memory_access", "alignment")
    _source = ("source_memory_access", "source_alignment")

    def print(self, printer: Printer) -> None:
        for index, operand in enumerate(self.operands):
            storage = pointer_type(operand).storage_class
            printer.print_string(f'{"," if index else ""} "{storage}" ')
            printer.print_operand(operand)
        print_access(printer, self, *self._target)
        if self._source[0] in self.properties:
            printer.print_string(",")
            print_access(printer, self, *self._source)
        self.print_attributes(printer, but=(*self._target, *self._source))
        printer.print_string(" : ")
        printer.print_attribute(pointer_type(self.operands[0]).pointee)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        start = parser.pos
        storages = [_parse_storage(parser)]
        operands = [parser.parse_unresolved_operand()]
        parser.parse_punctuation(",")
        storages.append(_parse_storage(parser))
        operands.append(parser.parse_unresolved_operand())
        properties = parse_access(parser, *cls._target)
        if parser.parse_optional_punctuation(",") is not None:
            properties |= parse_access(parser, *cls._source)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        types = [PointerType(kind, storage) for storage in storages]
        values = parser.resolve_operands(operands, types, start)
        return cls.create(operands=values, properties=properties, attributes=attributes)

    def verify_(self) -> None:
        super().verify_()
        if pointer_type(self.operands[0]).pointee != pointer_type(self.operands[1]).pointee:
            raise VerifyException("expected pointers to one type")
        verify_access(self, *self._target)
        verify_access(self, *self._source)


OPERATIONS: tuple[type[Operation], ...] = (LoadOp, StoreOp, CopyMemoryOp)
