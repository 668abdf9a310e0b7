"""The entry of a CPU kernel: hands out blocks, each unpacks its arguments, and stops at a failure.

    i32 @k(ptr %args, ptr %launch)

      claim:  blocks = fetch_add(launch[8], launch[7])       several threads do this at once
      block:  status = @k.block(args, launch, x, y, z); next block of the claim: x + 1, …
      failed: launch[9] = 1, return 1

`args` has 8 bytes for each parameter of the kernel's function, in their order. `launch` has i64s:
0-2 grid, 3-5 block size, 6 all blocks, 7 blocks of a claim, 8 next block, 9 failed, 10 report
buffer, 11 bytes of dynamic shared memory. Within a claim block ids are counted up, not divided.
The block function reads both itself: so much less code is generated for the calls, and a call
passes everything in registers. Before the entry returns, others see what a kernel with
`gpux.streamed` has stored past the caches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr, UnitAttr, i1, i8, i32, i64
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects import llvm
from ...dialects.diagnostics import CompileError, location_of
from ...dialects.gpux import STREAMED
from ...passes.outline_cold_loops import AS_IS
from ..conversion import Rewriter, TypeMap
from ..emit.symbols import entry_symbol
from .func import is_kernel
from .memref_address import alignment_of
from .target import binary, const, icmp, resize, select

GRID, BLOCK, TOTAL, CHUNK, NEXT, FAILED, REPORT, SHARED = 0, 3, 6, 7, 8, 9, 10, 11
_STORES_ARE_SEEN = "llvm.x86.sse.sfence"  # only x86-64 has stores that are not, see stream-stores
_LAUNCH_ARGUMENTS = 11
"""The parameters of a kernel's function after its own: ids 3, sizes 3 and 3, shared, report."""
_SLOT_OF = (BLOCK, BLOCK + 1, BLOCK + 2, GRID, GRID + 1, GRID + 2, SHARED, REPORT)


@dataclass(frozen=True)
class AddCpuEntry(ModulePass):
    """Gives every kernel in the llvm dialect the entry that the CPU runtime calls."""

    name = "add-cpu-entry"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """The entry has the kernel's name, the function of a block is called `name.block`."""
        for function in [f for f in op.body.block.ops if isinstance(f, llvm.FuncOp)]:
            if is_kernel(function) and function.body.blocks:
                add_entry(function)


def add_entry(function: llvm.FuncOp) -> llvm.FuncOp:
    """The entry of a kernel's function, put after it; that becomes the function of a block."""
    kinds = function.type.inputs.data
    if len(kinds) < _LAUNCH_ARGUMENTS or function.type.output != i32:
        raise CompileError(
            f"{function.symbol} does not take the ids and sizes of a block",
            location_of(function),
            hint="kernels come out of gpu-to-cpu and to-llvm",
        )
    name = function.symbol
    function.properties["sym_name"] = StringAttr(f"{name}.block")
    function.properties["linkage"] = llvm.LinkageAttr("internal")
    _unpack(function)
    body = _Entry(function).build()
    entry = llvm.FuncOp.define(
        entry_symbol(name),
        llvm.FunctionType([llvm.POINTER, llvm.POINTER], i32),
        passthrough=("nounwind", "noinline", "optnone"),
        body=body,
    )
    entry.attributes[AS_IS] = UnitAttr()
    entry.location = function.location
    assert function.parent is not None, "a function stands in a module"
    function.parent.insert_op_after(entry, function)
    return entry


class _Slots:
    """Reads what the runtime passes: 8-byte slots of `args` and `launch`."""

    def __init__(self, rw: Rewriter, args: SSAValue, launch: SSAValue) -> None:
        self.rw, self.args, self.launch = rw, args, launch

    def slot(self, index: int) -> SSAValue:
        """The value of a launch slot that does not change."""
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


def _unpack(function: llvm.FuncOp) -> None:
    """Makes it a function of (args, launch, x, y, z) that loads what were its parameters."""
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
    function.properties["function_type"] = llvm.FunctionType(kinds, function.type.output)
    function.properties.pop("arg_attrs", None)


class _Entry(_Slots):
    """The blocks of one entry under way."""

    def __init__(self, function: llvm.FuncOp) -> None:
        rw = Rewriter(TypeMap(), None)
        rw.at(function)  # for its location
        self.start = Block(arg_types=[llvm.POINTER, llvm.POINTER])
        super().__init__(rw, *self.start.args)
        self.function = function
        self.claim, self.split = Block(), Block()
        self.block = Block(arg_types=[i64] * 4)
        self.following, self.failed, self.done = Block(), Block(), Block()
        names = ("args", "launch", "block", "x", "y", "z")
        for value, name in zip((*self.start.args, *self.block.args), names, strict=True):
            value.name_hint = name

    def build(self) -> Region:
        """All blocks, in order."""
        self.rw.at_end(self.start)
        width, height = self.slot(GRID), self.slot(GRID + 1)
        total, chunk = self.slot(TOTAL), self.slot(CHUNK)
        self.rw.insert(llvm.BrOp.to(self.claim))
        end = self.claim_blocks(total, chunk, [width, height])
        self.run_block()
        self.next_block(end, [width, height])
        self.finish()
        order = (self.start, self.claim, self.split, self.block)
        return Region([*order, self.following, self.failed, self.done])

    def claim_blocks(self, total: SSAValue, chunk: SSAValue, grid: list[SSAValue]) -> SSAValue:
        """Takes the next blocks, unless there are none or some thread has failed; their end."""
        rw = self.rw.at_end(self.claim)
        relaxed = {
            "ordering": llvm.number(llvm.ORDERINGS["monotonic"]),
            "alignment": llvm.number(8),
        }
        failed = rw.value(llvm.LoadOp, (self.address(self.launch, FAILED),), i64, relaxed)
        adding = relaxed | {"bin_op": llvm.number(llvm.ATOMIC_KINDS.index("add"))}
        place = self.address(self.launch, NEXT)
        first = rw.value(llvm.AtomicRMWOp, (place, chunk), i64, adding)
        over = icmp(rw, "uge", first, total)
        stop = binary(rw, llvm.OrOp, icmp(rw, "ne", failed, 0), over)
        rw.insert(llvm.CondBrOp.on(stop, (self.done, ()), (self.split, ())))
        rw.at_end(self.split)
        last = binary(rw, llvm.AddOp, first, chunk)
        end = select(rw, icmp(rw, "ult", last, total), last, total)
        width, height = grid
        row = binary(rw, llvm.UDivOp, first, width)
        x = binary(rw, llvm.SubOp, first, binary(rw, llvm.MulOp, row, width))
        z = binary(rw, llvm.UDivOp, row, height)
        y = binary(rw, llvm.SubOp, row, binary(rw, llvm.MulOp, z, height))
        rw.insert(llvm.BrOp.to(self.block, (first, x, y, z)))
        return end

    def run_block(self) -> None:
        """The call, and whether it went well."""
        rw = self.rw.at_end(self.block)
        arguments = [self.args, self.launch, *self.block.args[1:]]
        call = llvm.CallOp.to(self.function.symbol, arguments, [i32])
        status = rw.insert(call).results[0]
        well = icmp(rw, "eq", status, 0)
        weights = (1048575, 1)
        rw.insert(llvm.CondBrOp.on(well, (self.following, ()), (self.failed, ()), weights))

    def next_block(self, end: SSAValue, grid: list[SSAValue]) -> None:
        """Counts the ids up with carry."""
        rw = self.rw.at_end(self.following)
        block, x, y, z = self.block.args
        number = binary(rw, llvm.AddOp, block, 1)
        x, carry = self.count(x, grid[0])
        y, carry = self.count(y, grid[1], carry)
        z = binary(rw, llvm.AddOp, z, resize(rw, carry, i64, signed=False))
        more = icmp(rw, "ult", number, end)
        rw.insert(llvm.CondBrOp.on(more, (self.block, (number, x, y, z)), (self.claim, ())))

    def count(
        self, value: SSAValue, limit: SSAValue, carry: SSAValue | None = None
    ) -> tuple[SSAValue, SSAValue]:
        """The id one further (or where the carry is set), from 0 again at the limit; the carry."""
        rw = self.rw
        step = const(rw, 1, i64) if carry is None else resize(rw, carry, i64, signed=False)
        following = binary(rw, llvm.AddOp, value, step)
        wraps = icmp(rw, "eq", following, limit)
        return select(rw, wraps, const(rw, 0, i64), following), wraps

    def finish(self) -> None:
        """The two ends."""
        rw = self.rw.at_end(self.failed)
        properties: dict[str, Attribute] = {
            "ordering": llvm.number(llvm.ORDERINGS["monotonic"]),
            "alignment": llvm.number(8),
        }
        place = self.address(self.launch, FAILED)
        rw.create(llvm.StoreOp, (const(rw, 1, i64), place), properties=properties)
        self.give(1)
        rw.at_end(self.done)
        self.give(0)

    def give(self, status: int) -> None:
        """The end of the entry."""
        if STREAMED in self.function.attributes:
            self.rw.insert(llvm.CallIntrinsicOp.to(_STORES_ARE_SEEN, (), ()))
        self.rw.create(llvm.ReturnOp, (const(self.rw, status, i32),))
