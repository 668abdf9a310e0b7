"""A SPIR-V binary taken in: names, decorations, types, constants, what stands in functions.

Declarations are resolved when they are asked for, since types of pointers may come before what they
point to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from xdsl.dialects.builtin import (
    FileLineColLoc,
    FunctionType,
    IntAttr,
    IntegerType,
    Signedness,
    StringAttr,
    VectorType,
)
from xdsl.ir import Attribute

from ....dialects import spirv
from ....dialects.diagnostics import CompileError
from ....dialects.spirv.grammar import enumeration
from ....dialects.spirv.kinds import VECTOR_LENGTHS
from ....dialects.spirv.types import USES
from ....dialects.spirv.variables import BLOCK_CLASSES
from .numbers import signed_value
from .opcodes import Op
from .operands import Context, Number, Operand, known_instruction, operands
from .words import Binary, read_string

IGNORED = frozenset(
    (
        *(Op.Nop, Op.Source, Op.SourceExtension, Op.SourceContinued, Op.ModuleProcessed),
        *(Op.MemberName, Op.TypeForwardPointer),
    )
)


DEEPEST = 100
"""How deeply types may nest."""


def malformed(what: str) -> CompileError:
    """An error about a binary."""
    return CompileError(f"malformed SPIR-V: {what}")


def unsupported(what: str) -> CompileError:
    """An error about what a binary has and the dialect has not."""
    return CompileError(f"{what} is not in the spirv dialect")


class Line(NamedTuple):
    """One instruction: its opcode, words, operands, result and place."""

    opcode: int
    words: tuple[int, ...]
    operands: Sequence[Operand]
    location: FileLineColLoc | None

    @property
    def name(self) -> str:
        """The name without "Op"."""
        return known_instruction(self.opcode).name

    @property
    def result(self) -> int:
        """The id of the result; 0 if it has none."""
        return next((self.id_at(i) for i, o in enumerate(self.operands) if o.kind == "IdResult"), 0)

    def id_at(self, index: int) -> int:
        """The id or literal number at an operand."""
        if index >= len(self.operands):
            raise malformed(f"Op{self.name} lacks operand {index}")
        value = self.operands[index].value
        if not isinstance(value, int):
            raise malformed(f"operand {index} of Op{self.name} is no id")
        return value


class Decorations(NamedTuple):
    """The decorations of an id, and of its members: decoration and operand words."""

    own: list[tuple[str, tuple[int, ...]]]
    members: dict[int, list[tuple[str, tuple[int, ...]]]]


class ModuleReader:
    """The parts of a binary."""

    def __init__(self, binary: Binary) -> None:
        self.context = Context()
        self.capabilities: list[str] = []
        self.extensions: list[str] = []
        self.memory: tuple[str, str] | None = None
        self.names: dict[int, str] = {}
        self.strings: dict[int, str] = {}
        self.decorations: dict[int, Decorations] = {}
        self.definitions: dict[int, Line] = {}
        self.entry_points: list[Line] = []
        self.modes: list[Line] = []
        self.functions: list[list[Line]] = []
        self.location: FileLineColLoc | None = None
        self.kinds: dict[int, Attribute] = {}
        self.open: set[int] = set()
        self.depth = 0
        for opcode, words in binary.instructions:
            self._take(opcode, words)
        if self.functions and self.functions[-1][-1].opcode != Op.FunctionEnd:
            raise malformed("the last function does not end")
        if self.memory is None:
            raise malformed("there is no OpMemoryModel")
        self.blocks = self._implied_blocks()

    def _take(self, opcode: int, words: tuple[int, ...]) -> None:
        found = operands(opcode, words, self.context)
        if opcode in (Op.Line, Op.NoLine):
            self._line(words if opcode == Op.Line else ())
            return
        line = Line(opcode, words, found, self.location)
        inside = self.functions and self.functions[-1][-1].opcode != Op.FunctionEnd
        if opcode == Op.Function:
            if inside:
                raise malformed("a function begins in a function")
            self.functions.append([line])
        elif inside:
            self.functions[-1].append(line)
        else:
            self._take_declaration(line)
        if opcode in _ENDS:
            self.location = None

    def _line(self, words: Sequence[int]) -> None:
        self.location = None
        if words:
            name = self.strings.get(words[0])
            if name is None:
                raise malformed(f"OpLine names no string: %{words[0]}")
            place = StringAttr(name), IntAttr(words[1]), IntAttr(words[2])
            self.location = FileLineColLoc(*place)

    def _take_declaration(self, line: Line) -> None:
        take = _TAKES.get(line.opcode)
        if take is not None:
            take(self, line)
        elif line.result:
            if line.result in self.definitions:
                raise malformed(f"%{line.result} is defined twice")
            self.definitions[line.result] = line
        elif line.opcode not in IGNORED:
            raise unsupported(f"Op{line.name}")

    def take_capability(self, line: Line) -> None:
        """A capability."""
        self.capabilities.append(_name("Capability", line.words[0]))

    def take_extension(self, line: Line) -> None:
        """An extension."""
        self.extensions.append(read_string(line.words)[0])

    def take_memory_model(self, line: Line) -> None:
        """Addressing and memory model."""
        self.memory = _name("AddressingModel", line.words[0]), _name("MemoryModel", line.words[1])

    def take_name(self, line: Line) -> None:
        """A name of an id; empty ones are none."""
        if name := read_string(line.words, 1)[0]:
            self.names[line.words[0]] = name

    def take_string(self, line: Line) -> None:
        """A string that OpLine refers to."""
        self.strings[line.words[0]] = read_string(line.words, 1)[0]

    def take_entry_point(self, line: Line) -> None:
        """An entry point."""
        self.entry_points.append(line)

    def take_mode(self, line: Line) -> None:
        """An execution mode."""
        self.modes.append(line)

    def take_decoration(self, line: Line) -> None:
        """A decoration of an id or a member."""
        opcode, words = line.opcode, line.words
        found = self.decorations.setdefault(words[0], Decorations([], {}))
        if opcode == Op.Decorate:
            found.own.append((_name("Decoration", words[1]), tuple(words[2:])))
        else:
            row = (_name("Decoration", words[2]), tuple(words[3:]))
            found.members.setdefault(words[1], []).append(row)

    def decorations_of(self, number: int) -> list[tuple[str, tuple[int, ...]]]:
        """The decorations of an id."""
        found = self.decorations.get(number)
        return found.own if found is not None else []

    def decoration(self, number: int, name: str) -> tuple[int, ...] | None:
        """The operands of a decoration of an id; None if it is not there."""
        return next((words for found, words in self.decorations_of(number) if found == name), None)

    def _implied_blocks(self) -> set[int]:
        """The structs that are blocks since a variable of a class with a layout holds them."""
        found: set[int] = set()
        for line in self.definitions.values():
            if line.opcode != Op.Variable:
                continue
            pointer = self.definition(line.words[0])
            if pointer.opcode != Op.TypePointer or line.words[2] != pointer.words[1]:
                raise malformed(f"%{line.result} is no pointer of its storage class")
            if _name("StorageClass", line.words[2]) in BLOCK_CLASSES:
                pointee = self.definition(pointer.words[2])
                while pointee.opcode in (Op.TypeArray, Op.TypeRuntimeArray):
                    pointee = self.definition(pointee.words[1])
                found.add(pointee.result)
        return found

    def definition(self, number: int) -> Line:
        """What declares an id. Raises CompileError if nothing does."""
        found = self.definitions.get(number)
        if found is None:
            raise malformed(f"%{number} is not declared")
        return found

    # Types

    def type(self, number: int) -> Attribute:
        """The type of an id."""
        found = self.kinds.get(number)
        if found is None:
            if self.depth > DEEPEST:
                raise malformed(f"the type %{number} nests too deeply, or is part of itself")
            self.depth += 1
            found = self._type(number)
            self.depth -= 1
            if not self.open:
                self.kinds[number] = found
        return found

    def _type(self, number: int) -> Attribute:
        line = self.definition(number)
        words = line.words
        if line.opcode == Op.TypeBool:
            return IntegerType(1)
        if line.opcode == Op.TypeInt:
            signedness = Signedness.SIGNED if words[2] else Signedness.SIGNLESS
            return IntegerType(words[1], signedness)
        if line.opcode == Op.TypeFloat:
            return _float(words[1])
        if line.opcode == Op.TypeVector:
            if words[2] not in VECTOR_LENGTHS:
                raise malformed(f"%{number} is a vector of {words[2]} elements")
            return VectorType(self.type(words[1]), [words[2]])
        if line.opcode == Op.TypeMatrix:
            return spirv.MatrixType(self.type(words[1]), words[2])
        if line.opcode == Op.TypePointer:
            return spirv.PointerType(self.type(words[2]), _name("StorageClass", words[1]))
        if line.opcode == Op.TypeFunction:
            return FunctionType.from_lists(list(map(self.type, words[2:])), self.results(words[1]))  # pyright: ignore
        return self._composite(line)

    def results(self, number: int) -> list[Attribute]:
        """The type of a function's result, or nothing for void."""
        return [] if self.definition(number).opcode == Op.TypeVoid else [self.type(number)]

    def _composite(self, line: Line) -> Attribute:
        words = line.words
        if line.opcode == Op.TypeArray:
            stride = self.decoration(line.result, "ArrayStride")
            return spirv.ArrayType(
                self.type(words[1]), self.length(words[2]), stride[0] if stride else 0
            )
        if line.opcode == Op.TypeRuntimeArray:
            stride = self.decoration(line.result, "ArrayStride")
            return spirv.RuntimeArrayType(self.type(words[1]), stride[0] if stride else 0)
        if line.opcode == Op.TypeStruct:
            return self._struct(line)
        if line.opcode == Op.TypeCooperativeMatrixKHR:
            uses = {name: word for word, name in USES.items()}
            return spirv.CooperativeMatrixType(
                self.type(words[1]),
                self.integer(words[3]),
                self.integer(words[4]),
                _name("Scope", self.integer(words[2])),
                uses[_name("CooperativeMatrixUse", self.integer(words[5]))],
            )
        raise unsupported(f"Op{line.name}")

    def length(self, number: int) -> int | str:
        """The length of an array: a number, or the name of a specialisation constant."""
        if self.definition(number).opcode == Op.Constant:
            return self.integer(number)
        return self.symbol(number)

    def symbol(self, number: int) -> str:
        """The name of a symbol of the module: OpName made unique by `name_symbols`."""
        return self.names.get(number) or f"id_{number}"

    def _struct(self, line: Line) -> spirv.StructType:
        number = line.result
        name = self.names.get(number, "")
        if number in self.open:
            return spirv.StructType.reference(_identifier(name or f"struct_{number}"))
        is_recursive = self._refers_to(line, number, set())
        self.open.add(number)
        try:
            members = list(map(self.type, line.words[1:]))
        finally:
            self.open.discard(number)
        found = self.decorations.get(number, Decorations([], {}))
        offsets: list[int] = []
        words: list[list[str]] = [[] for _ in members]
        for member, rows in found.members.items():
            if member >= len(members):
                raise malformed(f"struct %{number} has no member {member}")
            for decoration, values in rows:
                if decoration != "Offset":
                    words[member].append(f"{decoration}={values[0]}" if values else decoration)
        rows = [dict(found.members.get(member, ())).get("Offset") for member in range(len(members))]
        offsets = [row[0] for row in rows if row]
        if offsets and len(offsets) != len(members):
            raise malformed(f"struct %{number} has offsets for some members only")
        own = [n for n, _ in found.own if n != "Block" or number not in self.blocks]
        identifier = _identifier(name or f"struct_{number}") if is_recursive else ""
        return spirv.StructType(members, offsets, words if any(words) else (), identifier, own)

    def _refers_to(self, line: Line, struct: int, seen: set[int]) -> bool:
        """Whether a type has a struct in itself, behind pointers."""
        for operand in line.operands:
            number = operand.value
            if operand.kind != "IdRef" or not isinstance(number, int):
                continue
            if number == struct:
                return True
            inner = self.definitions.get(number)
            if inner is None or number in seen or not inner.name.startswith("Type"):
                continue
            seen.add(number)
            if self._refers_to(inner, struct, seen):
                return True
        return False

    # Constants

    def integer(self, number: int) -> int:
        """The value of a constant that is an integer."""
        line = self.definition(number)
        value = line.operands[2].value if line.opcode == Op.Constant else None
        if not isinstance(value, Number) or value.scalar.kind != "int":
            raise malformed(f"%{number} is no constant integer")
        return signed_value(value)


_TAKES: dict[int, Callable[[ModuleReader, Line], None]] = {
    Op.Capability: ModuleReader.take_capability,
    Op.Extension: ModuleReader.take_extension,
    Op.MemoryModel: ModuleReader.take_memory_model,
    Op.Name: ModuleReader.take_name,
    Op.String: ModuleReader.take_string,
    Op.EntryPoint: ModuleReader.take_entry_point,
    Op.ExecutionMode: ModuleReader.take_mode,
    Op.ExecutionModeId: ModuleReader.take_mode,
    Op.Decorate: ModuleReader.take_decoration,
    Op.MemberDecorate: ModuleReader.take_decoration,
}
_ENDS = frozenset(
    (
        *(Op.Branch, Op.BranchConditional, Op.Switch, Op.Return, Op.ReturnValue),
        *(Op.Unreachable, Op.FunctionEnd),
    )
)


def _name(kind: str, value: int) -> str:
    names = enumeration(kind).by_value
    if value not in names:
        raise malformed(f"{value} is no {kind}")
    return names[value].name


def _float(width: int) -> Attribute:
    from xdsl.dialects.builtin import f16, f32, f64

    found = {16: f16, 32: f32, 64: f64}.get(width)
    if found is None:
        raise unsupported(f"a float of {width} bits")
    return found


def _identifier(name: str) -> str:
    """A name of a struct: what is no part of a bare word becomes `_`."""
    word = re.sub(r"[^a-zA-Z0-9_$.]", "_", name, flags=re.ASCII)
    return word if word[:1].isalpha() or word[:1] == "_" else f"_{word}"
