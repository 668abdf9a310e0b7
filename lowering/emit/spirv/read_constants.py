"""Constants of a binary as attributes, and specialisation constants as symbols of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    VectorType,
)
from xdsl.ir import Attribute

from ....dialects import spirv
from ....dialects.spirv.kinds import is_vector
from ....dialects.spirv.members import member_type
from ....dialects.spirv.spec_constants import EXPRESSION_OPCODES
from .numbers import float_value, signed_value
from .opcodes import Op
from .operands import Number
from .read_module import Line, ModuleReader, malformed, unsupported
from .words import read_string

SPEC_CONSTANTS = frozenset(
    (Op.SpecConstant, Op.SpecConstantTrue, Op.SpecConstantFalse, Op.SpecConstantComposite)
)
CONSTANTS = frozenset(
    (Op.Constant, Op.ConstantTrue, Op.ConstantFalse, Op.ConstantComposite, Op.ConstantNull)
)


LONGEST = 1 << 16
"""How many elements of a constant null are written out."""


class ConstantReader:
    """The constants of a binary by id; those that are symbols are ops of the module."""

    def __init__(self, module: ModuleReader) -> None:
        self.module = module
        self.attributes: dict[int, Attribute] = {}
        self.symbols: dict[int, spirv.SpirvOp] = {}
        self.taken: set[str] = set()

    def unique(self, number: int, name: str = "") -> str:
        """A name for a symbol that no other has; the module remembers it."""
        base = name or self.module.names.get(number) or f"id_{number}"
        found, count = base, 0
        while found in self.taken:
            found, count = f"{base}_{count}", count + 1
        self.taken.add(found)
        self.module.names[number] = found
        return found

    # Attributes

    def value(self, number: int) -> Attribute:
        """A constant as an attribute. Raises CompileError for what is none."""
        found = self.attributes.get(number)
        if found is None:
            found = self.attributes[number] = self._value(self.module.definition(number))
        return found

    def _value(self, line: Line) -> Attribute:
        if line.opcode not in CONSTANTS:
            raise malformed(f"%{line.result} is no constant")
        kind = self.module.type(line.words[0])
        if line.opcode == Op.ConstantNull:
            return self.zero(kind)
        if line.opcode == Op.ConstantComposite:
            if any(part == line.result for part in line.words[2:]):
                raise malformed(f"the constant %{line.result} is part of itself")
            parts = [self.value(part) for part in line.words[2:]]
            return _dense(parts, kind) if is_vector(kind) else ArrayAttr(parts)
        if line.opcode == Op.Constant:
            number = line.operands[2].value
            assert isinstance(number, Number), "the grammar says that it is a number"
            is_float = number.scalar.kind == "float"
            return spirv.scalar_attribute(
                float_value(number) if is_float else signed_value(number), kind
            )
        return spirv.scalar_attribute(line.opcode == Op.ConstantTrue, kind)

    def zero(self, kind: Attribute) -> Attribute:
        """The zeros of a type as an attribute."""
        if is_vector(kind):
            size = cast("VectorType[Attribute]", kind).get_shape()[0]
            return _dense([self.zero(member_type(kind, None))] * size, kind)
        if isinstance(kind, spirv.ArrayType) and kind.length is not None:
            if kind.length > LONGEST:
                raise unsupported(f"a constant null of {kind.length} elements")
            return ArrayAttr([self.zero(kind.element)] * kind.length)
        if isinstance(kind, spirv.StructType):
            return ArrayAttr(map(self.zero, kind.types))
        try:
            return spirv.scalar_attribute(0, kind)
        except TypeError:
            raise unsupported(f"a constant null of type {kind}") from None

    # Symbols

    def read_symbols(self) -> Iterator[spirv.SpirvOp]:
        """The specialisation constants: those that can be set, then what is made of others."""
        made = (Op.SpecConstantComposite, Op.SpecConstantOp)
        for line in sorted(self.module.definitions.values(), key=lambda line: line.opcode in made):
            if line.opcode in SPEC_CONSTANTS or (
                line.opcode == Op.SpecConstantOp and self.is_symbol(line)
            ):
                yield from self.constant_symbol(line.result)

    def is_symbol(self, line: Line) -> bool:
        """Whether an expression is a symbol: it has a name, or a declaration needs it."""
        needed = line.result in self.module.names or any(
            line.result in other.words[1:]
            for other in self.module.definitions.values()
            if other.opcode in (Op.TypeArray, Op.SpecConstantComposite, Op.Variable)
        )
        return needed and line.operands[2].value in EXPRESSION_OPCODES

    def constant_symbol(self, number: int) -> Iterator[spirv.SpirvOp]:
        """A constant as a symbol, after those that it is made of; nothing if it was made before.

        One that is not of specialisation, where only a symbol can stand, cannot be set.
        """
        if number in self.symbols:
            return
        line = self.module.definition(number)
        parts = line.words[2:] if line.opcode == Op.SpecConstantComposite else ()
        if line.opcode == Op.SpecConstantOp:
            parts = tuple(
                word
                for word in line.words[3:]
                if self.module.definition(word).opcode not in CONSTANTS
            )
        for part in parts:
            if part >= number and part not in self.symbols:
                raise malformed(f"%{number} is made of %{part}, which comes later")
            yield from self.constant_symbol(part)
        op = self._symbol(line)
        for decoration, words in self.module.decorations_of(number):
            name, value = decoration_attribute(decoration, words)
            op.attributes[name] = value
        self.symbols[number] = op
        yield op

    def _symbol(self, line: Line) -> spirv.SpirvOp:
        number, words = line.result, line.words
        if line.opcode not in SPEC_CONSTANTS | CONSTANTS | {Op.SpecConstantOp}:
            raise unsupported(f"%{number} (Op{line.name}) where a constant is named")
        kind = self.module.type(words[0])
        if line.opcode == Op.SpecConstantComposite:
            parts = [self.module.symbol(part) for part in words[2:]]
            return spirv.SpecConstantCompositeOp.define(self.unique(number), parts, kind)
        if line.opcode == Op.SpecConstantOp:
            arguments: list[str | Attribute] = [
                self.value(word)
                if self.module.definition(word).opcode in CONSTANTS
                else self.module.symbol(word)
                for word in words[3:]
            ]
            opcode = str(line.operands[2].value)
            name = self.unique(number)
            return spirv.SpecConstantExpressionOp.define(name, opcode, arguments, kind)
        value = self._default(line, kind)
        return spirv.SpecConstantOp.of(sym_name=self.unique(number), default_value=value)

    def _default(self, line: Line, kind: Attribute) -> Attribute:
        if line.opcode == Op.SpecConstant:
            return self._value(line._replace(opcode=Op.Constant))
        if line.opcode in (Op.SpecConstantTrue, Op.SpecConstantFalse):
            return spirv.scalar_attribute(line.opcode == Op.SpecConstantTrue, kind)
        value = self.value(line.result)
        if isinstance(value, (ArrayAttr, DenseIntOrFPElementsAttr)):
            raise unsupported(f"the composite constant %{line.result} where a symbol is named")
        return value


def _dense(parts: list[Attribute], kind: Attribute) -> Attribute:
    numbers = [cast("Any", part).value.data for part in parts]
    return DenseIntOrFPElementsAttr.from_list(cast("Any", kind), numbers)


def decoration_attribute(decoration: str, words: tuple[int, ...]) -> tuple[str, Attribute]:
    """A decoration as an attribute in snake case."""
    import re

    from ....dialects.spirv.attributes import PROPERTY_KINDS
    from ....dialects.spirv.grammar import enumeration

    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", decoration).lower()
    parameters = enumeration("Decoration").by_name[decoration].parameters
    if not words and not parameters:
        return name, spirv.as_attribute(name, True)
    if decoration == "LinkageAttributes":
        text, end = read_string(words)
        kind = enumeration("LinkageType").names(words[end])[0]
        return name, spirv.LinkageAttributesAttr((text, kind))
    if len(words) != 1 or len(parameters) != 1:
        raise unsupported(f"the decoration {decoration}")
    if name in PROPERTY_KINDS:
        return name, PROPERTY_KINDS[name].from_value(words[0])
    if parameters[0] == "BuiltIn":
        return name, spirv.as_attribute(name, enumeration("BuiltIn").names(words[0])[0])
    if name == "spec_id":
        return name, IntegerAttr(words[0], 64)
    return name, spirv.as_attribute(name, words[0])
