"""Runs IR text of the cpu level and below as machine code: for the tests of the LLVM path."""

# pyright: basic, reportCallIssue=false, reportOperatorIssue=false, reportArgumentType=false
# Tables of lambdas over NumPy scalars of every type: what strict mode says of them is noise.

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from xdsl.context import Context

from stepwell.lowering.emit.llvm import emit
from stepwell.lowering.emit.native import NativeCode, assemble
from stepwell.lowering.parse import parse_module
from stepwell.lowering.to_llvm.to_llvm import ToLlvm
from stepwell.lowering.to_llvm.unpack_arguments import UnpackArguments
from stepwell.runtime.cpu_code import load_objects, runner, shared_code
from stepwell.runtime.object_files import object_files

I64 = ctypes.c_int64
POINTER = ctypes.c_void_p

NUMPY = {
    "i1": np.bool_, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "f16": np.float16, "f32": np.float32, "f64": np.float64, "bf16": np.uint16, "index": np.int64,
}  # fmt: skip


def llvm_text(
    text: str, *, half: bool | None = None, debug: bool = False, name: str = "<text>"
) -> str:
    """IR text lowered to LLVM text."""
    module = parse_module(text, name)
    module.verify()
    ToLlvm(half_instructions=half).apply(Context(), module)
    UnpackArguments().apply(Context(), module)
    module.verify()
    return emit(module, debug=debug)


@dataclass
class Loaded:
    """Machine code in this process."""

    engine: Any
    code: NativeCode
    keep: list[Any] = field(default_factory=list[Any])

    def call(self, name: str, *arguments: Any) -> int:
        """Calls a function: arrays as pointer and sizes, ints as i64, and its i32 result."""
        flat: list[Any] = []
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                assert argument.flags.c_contiguous, "a test passes contiguous arrays"
                flat.append(POINTER(argument.ctypes.data))
                flat += [I64(size) for size in argument.shape]
            else:
                flat.append(I64(argument) if isinstance(argument, int) else argument)
        address = self.engine.get_function_address(name)
        assert address, f"no function {name}"
        return ctypes.CFUNCTYPE(ctypes.c_int32)(address)(*flat)


def load(ir_text: str, **options: Any) -> Loaded:
    """Assembles LLVM text and loads the object."""
    code = assemble(ir_text, **options)
    shared_code()
    return Loaded(load_objects(object_files(code.object)), code)


def elementwise(name: str, body: str, inputs: Sequence[str], output: str) -> str:
    """A function that computes `%r` from `%a`, `%b`, … for each element of arrays."""
    names = "abcd"[: len(inputs)]
    parameters = [f"%p{n}: memref<?x{t}>" for n, t in zip(names, inputs, strict=True)]
    loads = [
        f"%{n} = memref.load %p{n}[%i] : memref<?x{t}>" for n, t in zip(names, inputs, strict=True)
    ]
    newline = "\n    "
    return f"""
func.func @{name}({", ".join(parameters)}, %out: memref<?x{output}>) {{
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = memref.dim %out, %zero : memref<?x{output}>
  scf.for %i = %zero to %n step %one {{
    {newline.join(loads)}
    {body}
    memref.store %r, %out[%i] : memref<?x{output}>
  }}
  func.return
}}"""


def vectorwise(
    name: str, body: str, inputs: Sequence[str], output: str, lanes: int, *, setup: str = ""
) -> str:
    """As `elementwise`, on vectors of so many elements at once; arrays have whole vectors."""
    names = "abcd"[: len(inputs)]
    parameters = [f"%p{n}: memref<?x{t}>" for n, t in zip(names, inputs, strict=True)]
    loads = [
        f"%{n} = vector.load %p{n}[%i] : memref<?x{t}>, vector<{lanes}x{t}>"
        for n, t in zip(names, inputs, strict=True)
    ]
    newline = "\n    "
    return f"""
func.func @{name}({", ".join(parameters)}, %out: memref<?x{output}>) {{
  %zero = arith.constant 0 : index
  %step = arith.constant {lanes} : index
  %n = memref.dim %out, %zero : memref<?x{output}>
  {setup}
  scf.for %i = %zero to %n step %step {{
    {newline.join(loads)}
    {body}
    vector.store %r, %out[%i] : memref<?x{output}>, vector<{lanes}x{output}>
  }}
  func.return
}}"""


def pairs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of the values, as two arrays."""
    count = len(values)
    return np.repeat(values, count), np.tile(values, count)


KERNEL_ARGUMENTS = (
    "%bx: index, %by: index, %bz: index, %dx: index, %dy: index, %dz: index, "
    "%gx: index, %gy: index, %gz: index, %shared: index, %report: !llvm.ptr"
)


def launch(
    loaded: Loaded,
    name: str,
    arguments: Sequence[Any],
    grid: tuple[int, int, int] = (1, 1, 1),
    block: tuple[int, int, int] = (1, 1, 1),
    *,
    chunk: int = 1,
    capacity: int = 1024,
) -> tuple[int, np.ndarray, np.ndarray]:
    """Runs a kernel as the runtime does; status, launch words and report buffer."""
    slots = bytearray()
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            slots += argument.ctypes.data.to_bytes(8, "little")
            for size in argument.shape:
                slots += size.to_bytes(8, "little")
        elif isinstance(argument, np.generic):
            slots += argument.tobytes().ljust(8, b"\xee")
        else:
            slots += int(argument).to_bytes(8, "little", signed=True)
    packed = np.frombuffer(bytes(slots) + bytes(8), np.uint8)
    report = np.zeros(4 + capacity, np.uint32)
    report[1] = capacity
    blocks, function = grid[0] * grid[1] * grid[2], loaded.engine.get_function_address(name)
    words = np.array(
        [*grid, *block, blocks, chunk, 0, 0, report.ctypes.data, 0, function, 0], np.int64
    )
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, POINTER, POINTER)(runner())
    return entry(packed.ctypes.data, words.ctypes.data), words, report
