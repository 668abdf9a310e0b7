"""The values of a function of a binary by their ids; what the module declares is made where used.

Constants and variables of a binary stand in front of its functions. In the dialect they are ops in
the first block of each function that uses them.
"""

from __future__ import annotations

from xdsl.ir import Block, Operation, SSAValue

from ....dialects import spirv
from ....dialects.spirv.grammar import instruction
from .opcodes import Op
from .read_constants import CONSTANTS, SPEC_CONSTANTS, ConstantReader
from .read_module import Line, ModuleReader, malformed, unsupported
from .read_ops import read_op


class ValueReader:
    """What has been read by now of a function, and the block that ops are added to."""

    def __init__(self, module: ModuleReader, constants: ConstantReader) -> None:
        self.module = module
        self.constants = constants
        self.values: dict[int, SSAValue] = {}
        self.type_ids: dict[SSAValue, int] = {}
        self.declared: list[Operation] = []
        self.block = Block()

    def value(self, number: int) -> SSAValue:
        """The value of an id; constants and references are made in the first block."""
        found = self.values.get(number)
        if found is not None:
            return found
        line = self.module.definitions.get(number)
        if line is None:
            raise malformed(f"%{number} is used before it is defined, or never defined")
        op = self._declaration(number, line)
        self.declared.append(op)
        self.define(number, op.results[0], line.words[0])
        return op.results[0]

    def _declaration(self, number: int, line: Line) -> Operation:
        symbol = self.constants.symbols.get(number)
        if line.opcode not in CONSTANTS and isinstance(symbol, _SPEC_CONSTANT_OPS):
            return spirv.ReferenceOfOp.to(symbol)
        kind = self.module.type(line.words[0]) if line.words else None
        if line.opcode in CONSTANTS:
            assert kind is not None, "a constant has a type"
            return spirv.ConstantOp.of((), [kind], value=self.constants.value(number))
        if line.opcode == Op.Variable:
            variable = self.constants.symbols.get(number)
            if not isinstance(variable, spirv.GlobalVariableOp):
                raise malformed(f"%{number} is no variable of the module")
            return spirv.AddressOfOp.to(variable)
        if line.opcode == Op.Undef:
            assert kind is not None, "an undefined value has a type"
            return spirv.UndefOp.create(result_types=[kind])
        if line.opcode == Op.SpecConstantOp:
            return self._spec_operation(line)
        if line.opcode in SPEC_CONSTANTS:
            raise malformed(f"the specialisation constant %{number} was not declared")
        raise malformed(f"%{number} (Op{line.name}) is no value")

    def _spec_operation(self, line: Line) -> Operation:
        opcode = instruction(str(line.operands[2].value)).opcode
        parsed = [*line.operands[:2], *line.operands[3:]]
        inner = Line(opcode, (*line.words[:2], *line.words[3:]), parsed, line.location)
        op = read_op(self, inner)
        if op is None or not isinstance(
            op, (spirv.RowOp, spirv.CompositeExtractOp, spirv.CompositeInsertOp)
        ):
            raise unsupported(f"Op{inner.name} of specialisation constants")
        return spirv.SpecConstantOperationOp.wrap(op)

    def define(self, number: int, value: SSAValue, type_id: int) -> None:
        """Notes the value of an id, which is of the type with that id."""
        if number in self.values:
            raise malformed(f"%{number} is defined twice")
        self.values[number] = value
        self.type_ids[value] = type_id
        name = self.module.names.get(number)
        if name and value.name_hint is None and SSAValue.is_valid_name(name):
            value.name_hint = name

    def append(self, op: Operation, line: Line | None = None) -> Operation:
        """Adds an op to the block under way."""
        if line is not None and line.location is not None:
            op.location = line.location
        self.block.add_op(op)
        return op


_SPEC_CONSTANT_OPS = (
    *(spirv.SpecConstantOp, spirv.SpecConstantCompositeOp, spirv.SpecConstantExpressionOp),
)
