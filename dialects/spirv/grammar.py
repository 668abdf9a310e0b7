"""Look-ups in the facts of the SPIR-V specification: opcodes, enumerations, what they need.

    instruction("FAdd").opcode              129
    enumerants("Scope").value("Device")     1
    requirement("Capability", "Int64")      capabilities, extensions, versions

Rows are read from text when they are asked for: a compilation needs a few dozen of 2 000.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from . import facts

BY_EXTENSION = (99, 0)
"""A first version of what only an extension brings."""

# Newer than the headers that facts.py was written from: SPV_KHR_cooperative_matrix.
_NEW_INSTRUCTIONS = """
TypeCooperativeMatrixKHR 4456 IdResult,IdRef,IdScope,IdRef,IdRef,IdRef CooperativeMatrixKHR - x -
CooperativeMatrixLoadKHR 4457 IdResultType,IdResult,IdRef,IdRef,IdRef?,MemoryAccess? CooperativeMatrixKHR - x -
CooperativeMatrixStoreKHR 4458 IdRef,IdRef,IdRef,IdRef?,MemoryAccess? CooperativeMatrixKHR - x -
CooperativeMatrixMulAddKHR 4459 IdResultType,IdResult,IdRef,IdRef,IdRef,CooperativeMatrixOperands? CooperativeMatrixKHR - x -
CooperativeMatrixLengthKHR 4460 IdResultType,IdResult,IdRef CooperativeMatrixKHR - x -
"""  # noqa: E501
_NEW_ENUMERANTS = """
Capability ValueEnum
 CooperativeMatrixKHR 6022 - - SPV_KHR_cooperative_matrix x -
CooperativeMatrixLayout ValueEnum
 RowMajorKHR 0 - CooperativeMatrixKHR - x -
 ColumnMajorKHR 1 - CooperativeMatrixKHR - x -
CooperativeMatrixUse ValueEnum
 MatrixAKHR 0 - CooperativeMatrixKHR - x -
 MatrixBKHR 1 - CooperativeMatrixKHR - x -
 MatrixAccumulatorKHR 2 - CooperativeMatrixKHR - x -
CooperativeMatrixOperands BitEnum
 NoneKHR 0 - - - - -
 MatrixASignedComponentsKHR 1 - - - - -
 MatrixBSignedComponentsKHR 2 - - - - -
 MatrixCSignedComponentsKHR 4 - - - - -
 MatrixResultSignedComponentsKHR 8 - - - - -
 SaturatingAccumulationKHR 16 - - - - -
"""


class Requirement(NamedTuple):
    """What a module must declare: one of the capabilities, one of the extensions unless the
    version (of the module, as (major, minor)) is at least `version` and at most `last`."""

    capabilities: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    version: tuple[int, int] = (1, 0)
    last: tuple[int, int] = (99, 0)


class Instruction(NamedTuple):
    """An instruction: kinds of its operands with `?` or `*` behind, and what it needs."""

    name: str
    opcode: int
    operands: tuple[str, ...]
    needs: Requirement


class Enumerant(NamedTuple):
    """A value of an enumeration."""

    name: str
    value: int
    parameters: tuple[str, ...]
    needs: Requirement


class Enumeration:
    """An enumeration of the specification; of bits if `is_bits`. The first of aliases counts."""

    def __init__(self, kind: str, is_bits: bool, lines: list[str]) -> None:
        self.kind = kind
        self.is_bits = is_bits
        self.by_name: dict[str, Enumerant] = {}
        self.by_value: dict[int, Enumerant] = {}
        for line in lines:
            name, value, parameters, *rest = line.split()
            row = Enumerant(name, int(value), _split(parameters), _requirement(rest))
            self.by_name[name] = row
            self.by_value.setdefault(row.value, row)

    def value(self, name: str) -> int:
        """The number of a name. Raises KeyError."""
        return self.by_name[name].value

    def names(self, value: int) -> tuple[str, ...]:
        """The names of the bits that are set, lowest first; of one value. Raises KeyError."""
        if not self.is_bits or value == 0:
            return (self.by_value[value].name,)
        bits = [1 << bit for bit in range(value.bit_length()) if value >> bit & 1]
        return tuple(self.by_value[bit].name for bit in bits)


def instruction(name: str) -> Instruction:
    """The instruction without "Op" before its name. Raises KeyError."""
    return _instruction(_instruction_lines()[0][name])


def instruction_of(opcode: int) -> Instruction:
    """The instruction of that number. Raises KeyError."""
    return _instruction(_instruction_lines()[1][opcode])


def instruction_aliases(name: str) -> list[Instruction]:
    """The instructions of an instruction's opcode: names of extensions among them."""
    opcode = instruction(name).opcode
    lines = _instruction_lines()[0]
    names = (name, f"{name}KHR", f"{name}EXT")
    rows = [_instruction(lines[other]) for other in names if other in lines]
    return [row for row in rows if row.opcode == opcode]


@cache
def enumeration(kind: str) -> Enumeration:
    """The enumeration of that name: "Scope", "Decoration". Raises KeyError."""
    lines = list(_enumeration_lines()[kind])
    category = lines.pop(0)
    return Enumeration(kind, category == "BitEnum", lines)


def is_enumeration(kind: str) -> bool:
    """Whether a kind of operand is an enumeration."""
    return kind in _enumeration_lines()


@cache
def glsl_numbers() -> dict[str, int]:
    """The numbers of the instructions of GLSL.std.450 by name."""
    rows = (line.split() for line in facts.GLSL.split("\n") if line)
    return {name: int(number) for name, number, _ in rows}


@cache
def glsl_names() -> dict[int, str]:
    """The names of the instructions of GLSL.std.450 by number."""
    return {number: name for name, number in glsl_numbers().items()}


@cache
def _instruction(line: str) -> Instruction:
    name, opcode, operands, *rest = line.split()
    return Instruction(name, int(opcode), _split(operands), _requirement(rest))


@cache
def _instruction_lines() -> tuple[dict[str, str], dict[int, str]]:
    """The lines by name, and by opcode; of aliases the last, which is the vendor-neutral name."""
    lines = [line for line in (facts.INSTRUCTIONS + _NEW_INSTRUCTIONS).split("\n") if line]
    by_name: dict[str, str] = {}
    by_opcode: dict[int, str] = {}
    for line in lines:
        name, opcode, _ = line.split(" ", 2)
        by_name[name] = line
        by_opcode.setdefault(int(opcode), line)
    return by_name, by_opcode


@cache
def _enumeration_lines() -> dict[str, list[str]]:
    """The lines of each enumeration: its category, then the enumerants."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (facts.ENUMERANTS + _NEW_ENUMERANTS).split("\n"):
        if line[:1] == " ":
            current.append(line)
        elif line:
            kind, category = line.split()
            current = found.setdefault(kind, [category])
    return found


def _split(words: str) -> tuple[str, ...]:
    return () if words == "-" else tuple(words.split(","))


@cache
def _version(text: str, default: tuple[int, int]) -> tuple[int, int]:
    if text == "-":
        return default
    if text == "x":
        return BY_EXTENSION
    major, minor = text.split(".")
    return int(major), int(minor)


def _requirement(fields: list[str]) -> Requirement:
    capabilities, extensions, version, last = fields
    return Requirement(
        _split(capabilities),
        _split(extensions),
        _version(version, (1, 0)),
        _version(last, (99, 0)),
    )
