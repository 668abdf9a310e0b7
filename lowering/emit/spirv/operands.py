"""The operands of instructions by the grammar: what each word of a binary is.

`operands(instruction, words, types)` gives (kind, value) pairs: ids and literals are numbers,
strings are text, a number whose type depends on the context is a `Number`. Enumerations are
followed by their parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ....dialects.diagnostics import CompileError
from ....dialects.spirv.grammar import Instruction, enumeration, instruction_of, is_enumeration
from .opcodes import Op
from .words import read_string

IDS = frozenset(("IdResultType", "IdResult", "IdMemorySemantics", "IdScope", "IdRef"))
WIDTHS = {Op.TypeInt: (8, 16, 32, 64), Op.TypeFloat: (16, 32, 64)}
PAIRS = {
    "PairLiteralIntegerIdRef": ("LiteralContextDependentNumber", "IdRef"),
    "PairIdRefLiteralInteger": ("IdRef", "LiteralInteger"),
    "PairIdRefIdRef": ("IdRef", "IdRef"),
}


class Scalar(NamedTuple):
    """A type of numbers: "int" or "float", its bits, whether it is signed."""

    kind: str
    width: int
    signed: bool


class Number(NamedTuple):
    """A literal of a type."""

    bits: int
    scalar: Scalar


class Operand(NamedTuple):
    """One operand: its kind in the grammar, and the value."""

    kind: str
    value: int | str | Number


class Context:
    """What the operands of later instructions depend on: types of ids, sets of instructions."""

    def __init__(self) -> None:
        self.scalars: dict[int, Scalar] = {}
        self.types: dict[int, int] = {}
        self.sets: dict[int, str] = {}

    def note(self, opcode: int, words: Sequence[int]) -> None:
        """Remembers what an instruction says about its result."""
        if opcode in (Op.TypeInt, Op.TypeFloat) and words[1] not in WIDTHS[opcode]:
            raise CompileError(f"malformed SPIR-V: %{words[0]} is a number of {words[1]} bits")
        if opcode == Op.TypeInt:
            self.scalars[words[0]] = Scalar("int", words[1], bool(words[2]))
        elif opcode == Op.TypeFloat:
            self.scalars[words[0]] = Scalar("float", words[1], True)
        elif opcode == Op.ExtInstImport:
            self.sets[words[0]] = read_string(words, 1)[0]

    def scalar(self, number: int) -> Scalar:
        """The type of numbers of an id of a type, or of a value."""
        found = self.scalars.get(self.types.get(number, number))
        if found is None:
            raise CompileError(f"malformed SPIR-V: %{number} is not of a type of numbers")
        return found


def known_instruction(opcode: int) -> Instruction:
    """The instruction of an opcode. Raises CompileError for an unknown one."""
    try:
        return instruction_of(opcode)
    except KeyError:
        raise CompileError(f"malformed SPIR-V: there is no instruction {opcode}") from None


def operands(opcode: int, words: Sequence[int], context: Context) -> list[Operand]:
    """All operands of an instruction. Raises CompileError if they do not fit the grammar."""
    row = known_instruction(opcode)
    reading = _Reading(row, words, context)
    try:
        found = list(reading.all(row.operands))
    except IndexError:
        raise CompileError(f"malformed SPIR-V: Op{row.name} ends too early") from None
    if reading.position != len(words):
        raise CompileError(f"malformed SPIR-V: Op{row.name} has words too many")
    context.note(opcode, words)
    return found


class _Reading:
    """The words of an instruction, one after the other."""

    def __init__(self, row: Instruction, words: Sequence[int], context: Context) -> None:
        self.row = row
        self.words = words
        self.context = context
        self.position = 0
        self.result_type = 0
        self.first_id = 0

    def all(self, kinds: Sequence[str]) -> Iterator[Operand]:
        """The operands of these kinds, `?` and `*` behind them as there are words."""
        for kind in kinds:
            if kind[-1] == "?":
                if self.position < len(self.words):
                    yield from self.one(kind[:-1])
            elif kind[-1] == "*":
                while self.position < len(self.words):
                    yield from self.one(kind[:-1])
            else:
                yield from self.one(kind)

    def word(self) -> int:
        """The next word."""
        self.position += 1
        return self.words[self.position - 1]

    def one(self, kind: str) -> Iterator[Operand]:
        """One operand and what belongs to it."""
        if kind in IDS:
            yield Operand(kind, self.id(kind))
        elif kind == "LiteralString":
            text, self.position = read_string(self.words, self.position)
            yield Operand(kind, text)
        elif kind == "LiteralContextDependentNumber":
            yield Operand(kind, self.number())
        elif kind == "LiteralSpecConstantOpInteger":
            opcode = self.word()
            row = known_instruction(opcode)
            yield Operand(kind, row.name)
            yield from self.all([k for k in row.operands if k not in ("IdResultType", "IdResult")])
        elif kind in PAIRS:
            for part in PAIRS[kind]:
                yield from self.one(part)
        elif is_enumeration(kind):
            yield from self.enumeration(kind)
        else:
            yield Operand(kind, self.word())

    def id(self, kind: str) -> int:
        """An id, and what it is the type of."""
        number = self.word()
        if kind == "IdResultType":
            self.result_type = number
        elif kind == "IdResult":
            if self.result_type:
                self.context.types[number] = self.result_type
        elif not self.first_id:
            self.first_id = number
        return number

    def number(self) -> Number:
        """A number of the result's type, or of the selector's of a switch."""
        scalar = self.context.scalar(self.result_type or self.first_id)
        bits = self.word()
        if scalar.width > 32:
            bits |= self.word() << 32
        return Number(bits, scalar)

    def enumeration(self, kind: str) -> Iterator[Operand]:
        """A value of an enumeration and its parameters."""
        value = self.word()
        yield Operand(kind, value)
        found = enumeration(kind)
        bits = [value]
        if found.is_bits:
            bits = [1 << bit for bit in range(value.bit_length()) if value >> bit & 1]
        for bit in bits:
            row = found.by_value.get(bit)
            if row is None:
                raise CompileError(f"malformed SPIR-V: {bit} is no {kind}")
            for parameter in row.parameters:
                yield from self.one(parameter)
