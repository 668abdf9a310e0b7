"""unpack-arguments: a CPU kernel becomes a function that reads its arguments itself.

    llvm.func @k(%m: !llvm.ptr, %n: i64, %bx: i64, …, %report: !llvm.ptr) -> i32

      llvm.func @k(%args: !llvm.ptr, %launch: !llvm.ptr, %x: i64, %y: i64, %z: i64) -> i32
        %m = llvm.load %args : !llvm.ptr -> !llvm.ptr
        %p = llvm.getelementptr inbounds %launch[10] …     // and so on, what it uses

It runs one block, whose ids are x, y, z, and gives 1 where a check has failed, else 0. `args` has 8
bytes for each parameter of the kernel's function, in their order. `launch` is the launch record of
`runtime/cpu_kernel.py`, from whose code (`runtime/cpu_blocks.ll`) the function is called: so
everything is passed in registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr, i1, i8, i32, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass

from ...dialects import llvm
from ...dialects.diagnostics import CompileError, location_of
from ..conversion import Rewriter, TypeMap
from ..emit.symbols import entry_symbol
from .func import is_kernel
from .memref_address import alignment_of
from .target import icmp

_GRID, _BLOCK, _REPORT, _SHARED = 0, 3, 10, 11
_LAUNCH_ARGUMENTS = 11
"""The parameters of a kernel's function after its own: ids 3, sizes 3 and 3, shared, report."""
_SLOT_OF = (_BLOCK, _BLOCK + 1, _BLOCK + 2, _GRID, _GRID + 1, _GRID + 2, _SHARED, _REPORT)


@dataclass(frozen=True)
class UnpackArguments(ModulePass):
    """Gives every kernel in the llvm dialect the parameters with which the CPU runtime calls it."""

    name = "unpack-arguments"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """The function keeps its name, unless that is one of the C library."""
        for function in op.body.block.ops:
            if isinstance(function, llvm.FuncOp) and is_kernel(function) and function.body.blocks:
                _unpack(function)


def _unpack(function: llvm.FuncOp) -> None:
    if len(function.type.inputs.data) < _LAUNCH_ARGUMENTS or function.type.output != i32:
        raise CompileError(
            f"{function.symbol} does not take the ids and sizes of a block",
            location_of(function),
            hint="kernels come out of gpu-to-cpu and to-llvm",
        )
    first = function.body.blocks.first
    assert first is not None and first.first_op is not None, "the function has a body"
    old = tuple(first.args)
    kinds = (llvm.POINTER, llvm.POINTER, i64, i64, i64)
    given = [first.insert_arg(kind, index) for index, kind in enumerate(kinds)]
    for value, name in zip(given, ("args", "launch", "x", "y", "z"), strict=True):
        value.name_hint = name
    rw = Rewriter(TypeMap(), None)
    rw.at(first.first_op)
    slots = _Slots(rw, given[0], given[1])
    own = len(old) - _LAUNCH_ARGUMENTS
    for index, argument in enumerate(old):
        if argument.uses.get_length():
            value = (
                slots.argument(index, argument.type)
                if index < own
                else slots.launch_argument(index - own, given[2:])
            )
            value.name_hint = argument.name_hint
            argument.replace_all_uses_with(value)
        first.erase_arg(argument)
    function.properties["sym_name"] = StringAttr(entry_symbol(function.symbol))
    function.properties["function_type"] = llvm.FunctionType(kinds, i32)
    function.properties.pop("arg_attrs", None)


class _Slots:
    """Reads what the runtime passes: 8-byte slots of `args` and `launch`."""

    def __init__(self, rw: Rewriter, args: SSAValue, launch: SSAValue) -> None:
        self.rw, self.args, self.launch = rw, args, launch

    def slot(self, index: int) -> SSAValue:
        """The value of a slot of the launch record."""
        aligned = {"alignment": llvm.number(8)}
        return self.rw.value(llvm.LoadOp, (self.address(self.launch, index),), i64, aligned)

    def address(self, base: SSAValue, index: int) -> SSAValue:
        """The address of an 8-byte slot."""
        if index == 0:
            return base
        return self.rw.insert(llvm.GEPOp.at(base, [index], i64, inbounds=True)).results[0]

    def argument(self, index: int, kind: Attribute) -> SSAValue:
        """One argument out of its slot; a bool is a byte there."""
        stored = i8 if kind == i1 else kind
        aligned = {"alignment": llvm.number(alignment_of(stored))}
        value = self.rw.value(llvm.LoadOp, (self.address(self.args, index),), stored, aligned)
        return icmp(self.rw, "ne", value, 0) if kind == i1 else value

    def launch_argument(self, index: int, ids: Sequence[SSAValue]) -> SSAValue:
        """One of the parameters after the kernel's own: ids 3, sizes 3 and 3, shared, report."""
        if index < len(ids):
            return ids[index]
        value = self.slot(_SLOT_OF[index - len(ids)])
        is_report = index == _LAUNCH_ARGUMENTS - 1
        return self.rw.value(llvm.IntToPtrOp, (value,), llvm.POINTER) if is_report else value
