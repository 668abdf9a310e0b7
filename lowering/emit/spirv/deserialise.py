"""A SPIR-V binary as a spirv.module: `deserialise(data)`."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import IntegerAttr
from xdsl.utils.exceptions import VerifyException

from ....dialects import spirv
from ....dialects.spirv.grammar import enumeration
from ...verify import verify
from .opcodes import Op
from .operands import Operand
from .read_constants import CONSTANTS, ConstantReader, decoration_attribute
from .read_function import FunctionReader
from .read_module import Line, ModuleReader, malformed, unsupported
from .words import Binary, from_bytes, read_string


def deserialise(data: bytes) -> spirv.ModuleOp:
    """The module of a binary, in either byte order.

    Names of struct members, and blocks that nothing leads to, are dropped; constants stand at the
    start of each function. Raises CompileError for what is no SPIR-V, and for what the dialect
    lacks (images, samplers, instructions of OpenCL).
    """
    binary = from_bytes(data)
    try:
        module = _Module(binary).read()
    except (VerifyException, LookupError, ValueError, RecursionError) as error:
        # What the dialect's own checks and look-ups find in a binary that nobody validated.
        reason = str(error).strip() or type(error).__name__
        raise malformed(reason.splitlines()[0]) from error
    verify(module)
    return module


class _Module:
    """A module under way."""

    def __init__(self, binary: Binary) -> None:
        self.version = binary.header.version
        self.reader = ModuleReader(binary)
        self.constants = ConstantReader(self.reader)

    def read(self) -> spirv.ModuleOp:
        """All of it."""
        reader = self.reader
        self._name_functions()
        ops: list[spirv.SpirvOp] = list(self.constants.read_symbols())
        modes = [op for line in reader.modes for op in self._mode(line)]
        ops += (op for op in modes if isinstance(op, spirv.SpecConstantOp))
        for line in reader.definitions.values():
            if line.opcode == Op.Variable:
                ops += self._variable(line)
        # What can be set comes first, as the serialiser writes it.
        ops.sort(key=lambda op: not isinstance(op, spirv.SpecConstantOp))
        ops += (FunctionReader(reader, self.constants, lines).read() for lines in reader.functions)
        ops += map(self._entry_point, reader.entry_points)
        assert reader.memory is not None, "the reader has looked"
        return spirv.ModuleOp.define(
            [*ops, *(op for op in modes if op not in ops)],
            addressing=reader.memory[0],
            memory=reader.memory[1],
            vce=spirv.VceAttr.of(self.version, reader.capabilities, reader.extensions),
        )

    def _name_functions(self) -> None:
        """A function is called as its entry point, else as OpName says."""
        names = {line.words[1]: read_string(line.words, 2)[0] for line in self.reader.entry_points}
        functions = [lines[0].result for lines in self.reader.functions]
        for number in sorted(functions, key=lambda number: number not in names):
            self.constants.unique(number, names.get(number, ""))
        if len(names) < len(self.reader.entry_points):
            raise unsupported("a function with two entry points")

    # Variables

    def _variable(self, line: Line) -> Iterator[spirv.SpirvOp]:
        number, kind = line.result, self.reader.type(line.words[0])
        if not isinstance(kind, spirv.PointerType):
            raise malformed(f"the variable %{number} is no pointer")
        initializer = None
        if len(line.words) > 3:
            if self.reader.definition(line.words[3]).opcode != Op.Variable:
                yield from self.constants.constant_symbol(line.words[3])
            initializer = self.reader.symbol(line.words[3])
        op = spirv.GlobalVariableOp.define(
            self.constants.unique(number), kind, initializer=initializer
        )
        binding = [self.reader.decoration(number, name) for name in ("DescriptorSet", "Binding")]
        for decoration, words in self.reader.decorations_of(number):
            if decoration in ("DescriptorSet", "Binding") and all(binding):
                name = "descriptor_set" if decoration == "DescriptorSet" else "binding"
                op.properties[name] = IntegerAttr(words[0], 32)
                continue
            name, value = decoration_attribute(decoration, words)
            op.attributes[name] = value
        self.constants.symbols[number] = op
        yield op

    # Entry points

    def _entry_point(self, line: Line) -> spirv.EntryPointOp:
        model = enumeration("ExecutionModel").by_value[line.words[0]].name
        interface = [
            self.reader.symbol(_id(operand))
            for operand in line.operands[3:]
            if operand.kind == "IdRef"
        ]
        return spirv.EntryPointOp.define(self.reader.symbol(line.words[1]), interface, model)

    def _mode(self, line: Line) -> Iterator[spirv.SpirvOp]:
        function = self.reader.symbol(line.words[0])
        mode = enumeration("ExecutionMode").by_value[line.words[1]].name
        rest = line.words[2:]
        if line.opcode == Op.ExecutionMode:
            yield spirv.ExecutionModeOp.define(function, mode, rest)
            return
        plain = all(self.reader.definition(number).opcode in CONSTANTS for number in rest)
        if mode == "LocalSizeId" and plain:
            sizes = [self.reader.integer(number) for number in rest]
            yield spirv.ExecutionModeOp.define(function, "LocalSize", sizes)
            return
        for number in rest:
            yield from self.constants.constant_symbol(number)
        names = [self.reader.symbol(number) for number in rest]
        yield spirv.ExecutionModeIdOp.define(function, mode, names)


def _id(operand: Operand) -> int:
    assert isinstance(operand.value, int), "ids are numbers"
    return operand.value
