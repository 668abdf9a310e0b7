"""The PTX interpreter: loads a module and launches its kernels.

    module = Module(ptx_text)
    module.launch("saxpy", (4,), (128,), [x, y, np.float32(2), np.int32(500)])

Arrays are device buffers: each is copied to simulated memory, its address is passed, and it is
copied back. NumPy scalars are passed by value; `bytes` are a parameter passed as they are.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

import numpy as np

from . import (
    access,
    atomics,
    collective,
    compare,
    control,
    convert,
    floats,
    integer,
    matrix,
    transactions,
    warpgroup,
)
from .elementwise import handing_on
from .errors import PtxError, PtxSyntaxError, UnknownInstruction
from .machine import Launch, Step, Warp
from .memory import Array, Memory, Space, place_shared, window
from .parser import parse
from .syntax import Function, Immediate, Instruction, Not, Operand, Symbol, Variable
from .values import Builder, Mask, Run, count_nonzero, function_address, locate, reader, resolve

_ELEMENTWISE = {**integer.TABLE, **floats.TABLE, **compare.TABLE, **convert.TABLE}
_TABLE: dict[str, tuple[Builder, str]] = {
    **_ELEMENTWISE, **access.TABLE,
    **atomics.TABLE, **collective.TABLE, **matrix.TABLE, **control.TABLE, **transactions.TABLE,
    **warpgroup.TABLE,
}  # fmt: skip
_CONTROL = collective.CONTROL | control.CONTROL | warpgroup.CONTROL
_TYPE = re.compile(
    r"pred|[bus](?:8|16|32|64)|f(?:16|32|64)|[usf]16x2|f32x2|bf16(?:x2)?|tf32|e\dm\dx2"
)
_DEFAULT_STEPS = 5_000_000


class Module:
    """A PTX module in simulated memory. `printed` collects what kernels print."""

    def __init__(self, ptx: str, memory: Memory | None = None):
        self.memory = memory or Memory()
        self.printed: list[str] = []
        text = parse(ptx)
        self.target = text.target
        self.functions = {function.name: function for function in text.functions}
        self._shared = [v for v in text.variables if v.space == "shared"]
        place_shared(Space("shared", window("shared")), self._shared, 0)
        self._place(text.functions)
        variables = [v for v in text.variables if v.space in ("global", "const")]
        for variable in variables:
            self._allocate(variable)
        for variable in variables:
            self._initialize(variable)
        self._code = [
            self._step(instruction)
            for function in text.functions
            for instruction in function.instructions
        ]
        self._steps = 0

    @property
    def entries(self) -> list[str]:
        """The names of the kernels."""
        return [name for name, function in self.functions.items() if function.is_entry]

    @property
    def steps(self) -> int:
        """Warp instructions of the launch before."""
        return self._steps

    def address(self, name: str) -> int:
        """The address of a global or constant variable."""
        return self._variable(name).address or 0

    # --- launching ----------------------------------------------------------------------------

    def launch(
        self,
        entry: str,
        grid: Sequence[int],
        block: Sequence[int],
        args: Sequence[Array | np.generic | bytes],
        shared_bytes: int = 0,
        *,
        step_limit: int = _DEFAULT_STEPS,
        strict_barriers: bool = True,
        backwards: bool = False,
    ) -> None:
        """Runs a kernel over a grid of blocks, and copies arrays back.

        `strict_barriers`: a barrier that some threads can never reach since they have ended is an
        error; False has CUDA's meaning, that it waits for the others only. `backwards` runs the
        warps of a block in the reverse order, which shows missing barriers.
        """
        buffers: list[tuple[Array, int]] = []
        packed: list[bytes] = []
        for arg in args:
            if isinstance(arg, np.ndarray):
                address = self.memory.allocate(arg.nbytes)
                self.memory.write(address, arg)
                buffers.append((arg, address))
                packed.append(struct.pack("<Q", address))
            else:
                packed.append(arg if isinstance(arg, bytes) else arg.tobytes())
        try:
            self.run(
                entry, grid, block, packed, shared_bytes,
                step_limit=step_limit, strict_barriers=strict_barriers, backwards=backwards,
            )  # fmt: skip
        finally:
            for array, address in buffers:
                data = self.memory.read(address, array.nbytes)
                array[...] = np.frombuffer(data, array.dtype).reshape(array.shape)

    def run(
        self,
        entry: str,
        grid: Sequence[int],
        block: Sequence[int],
        packed: Sequence[bytes],
        shared_bytes: int = 0,
        *,
        step_limit: int = _DEFAULT_STEPS,
        strict_barriers: bool = True,
        backwards: bool = False,
    ) -> None:
        """Runs a kernel whose parameters are given as the bytes of each."""
        function = self.functions.get(entry)
        if function is None or not function.is_entry:
            raise PtxError(f"there is no kernel {entry!r}, only {', '.join(self.entries)}")
        grid3, block3 = _dim3(grid), _dim3(block)
        _check_limits(function, block3)
        self._pass(function, packed)
        launch = Launch(
            self._code, self._by_pc, self.memory, self._shared, function, grid3, block3,
            shared_bytes, step_limit, strict_barriers, self.printed, backwards,
        )  # fmt: skip
        try:
            launch.run()
        finally:
            self._steps = launch.steps

    def _pass(self, function: Function, packed: Sequence[bytes]) -> None:
        """Writes the parameters where `ld.param` finds them."""
        if len(packed) != len(function.parameters):
            raise PtxError(
                f"{function.name} has {len(function.parameters)} parameters, got {len(packed)}"
            )
        space = self.memory.parameters = Space("param", window("param"), writable=False)
        for parameter, data in zip(function.parameters, packed, strict=True):
            if len(data) != parameter.nbytes:
                raise PtxError(
                    f"parameter {parameter.name} has {parameter.nbytes} bytes, got {len(data)}"
                )
            # The places are those that `_place` gave when the module was loaded.
            offset = space.allocate(len(data), max(parameter.align, 16))
            space.views[1][offset : offset + len(data)] = np.frombuffer(data, np.uint8)

    # --- loading ------------------------------------------------------------------------------

    def _place(self, functions: list[Function]) -> None:
        """Numbers the instructions, and gives kernel parameters their addresses."""
        self._by_pc: dict[int, Function] = {}
        at = 0
        for function in functions:
            function.base = at
            at += len(function.instructions)
            self._by_pc.update(dict.fromkeys(range(function.base, at), function))
            space = Space("param", window("param"))
            for parameter in function.parameters if function.is_entry else ():
                offset = space.allocate(parameter.nbytes, max(parameter.align, 16))
                parameter.address = window("param") + offset

    def _variable(self, name: str) -> Variable:
        function = next(iter(self.functions.values()))
        scope = function.scope.parent or function.scope
        found = scope.find(name)
        if not isinstance(found, Variable) or found.address is None:
            raise PtxError(f"there is no variable {name!r}")
        return found

    def _allocate(self, variable: Variable) -> None:
        if variable.count is None:
            raise PtxSyntaxError(f"variable {variable.name} has no size: link what defines it")
        align = max(variable.align, 16)
        if variable.space == "global":
            variable.address = self.memory.allocate(variable.nbytes, align)
        else:
            variable.address = window("const") + self.memory.constants.allocate(
                variable.nbytes, align
            )

    def _initialize(self, variable: Variable) -> None:
        assert variable.address is not None, "it was allocated before"
        data = b"".join(_initial(item, variable) for item in variable.initial)
        self.memory.write(variable.address, data.ljust(variable.nbytes, b"\0"))

    def _step(self, instruction: Instruction) -> Step:
        """Builds what executes an instruction, and checks that every modifier is understood."""
        name = instruction.opcode
        builder, modifiers = _TABLE.get(name, (None, ""))
        if builder is None:
            raise UnknownInstruction(f"unknown instruction {instruction.text!r}", instruction.line)
        for modifier in instruction.modifiers:
            if not _TYPE.fullmatch(modifier) and not re.fullmatch(modifiers, modifier):
                message = f"unknown instruction {instruction.text!r}: modifier .{modifier}"
                raise UnknownInstruction(message, instruction.line)
        try:
            run = builder(instruction)
            if name == "mov" or (name in _ELEMENTWISE and not integer.carries(instruction)):
                run = handing_on(instruction, run)
            if instruction.guard is not None and name != "bra":
                run = _guarded(instruction.guard, run)
        except PtxError as error:
            raise locate(error, instruction) from error
        except (ValueError, LookupError, StopIteration) as error:
            # Operands or modifiers are missing, or a type does not fit.
            message = f"unknown form of instruction {instruction.text!r}: {error!r}"
            raise UnknownInstruction(message, instruction.line) from error
        return Step(run, instruction, name in _CONTROL)


def _guarded(guard: Operand, run: Run) -> Run:
    """The instruction for the lanes whose predicate holds."""
    assert not isinstance(guard, Symbol), "the parser lets registers through only"
    register = guard.register if isinstance(guard, Not) else guard
    negated, read = isinstance(guard, Not), reader(register, "pred")

    def guarded(warp: Warp, mask: Mask) -> int | None:
        predicate = read(warp, mask)
        active = mask & ~predicate if negated else mask & predicate
        return run(warp, active) if count_nonzero(active) else None

    return guarded


def _initial(item: Operand, variable: Variable) -> bytes:
    """The bytes of one element of an initialiser."""
    width = variable.width
    if isinstance(item, Symbol):
        named = resolve(item)
        address = function_address(named) if isinstance(named, Function) else named.address
        if address is None:
            raise PtxSyntaxError(f"{item.name} has no address that is known beforehand")
        return ((address + item.offset) & ((1 << 8 * width) - 1)).to_bytes(width, "little")
    assert isinstance(item, Immediate), "an initialiser is a number or an address"
    if isinstance(item.value, float):
        code = {"f16": "<e", "f32": "<f", "f64": "<d"}.get(
            variable.type, "<f" if item.bits == 32 else "<d"
        )
        return struct.pack(code, item.value)
    if variable.type in ("f32", "f64"):
        return struct.pack("<f" if width == 4 else "<d", item.value)
    return (item.value & ((1 << 8 * width) - 1)).to_bytes(width, "little")


def _dim3(size: Sequence[int]) -> tuple[int, int, int]:
    x, y, z = (*size, 1, 1, 1)[:3]
    if min(x, y, z) < 1:
        raise PtxError(f"sizes of grid and block must be positive, got {tuple(size)}")
    return int(x), int(y), int(z)


def _check_limits(function: Function, block: tuple[int, int, int]) -> None:
    threads = block[0] * block[1] * block[2]
    if threads > 1024:
        raise PtxError(f"a block has at most 1024 threads, got {threads}")
    most = function.limits.get("maxntid")
    if most and threads > int(np.prod(most)):
        raise PtxError(
            f"{function.name} allows {int(np.prod(most))} threads a block, got {threads}"
        )
    exactly = function.limits.get("reqntid")
    if exactly and tuple((*exactly, 1, 1)[:3]) != block:
        raise PtxError(f"{function.name} requires blocks of {exactly}, got {block}")
