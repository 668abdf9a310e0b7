"""The entry of a CPU kernel: unpacks arguments, hands out blocks, and stops at a failure.

    i32 @k(ptr %args, ptr %launch)

      claim:  blocks = fetch_add(launch[8], launch[7])       several threads do this at once
      block:  status = @k.block(arguments, x, y, z, …); next block of the claim: x + 1, …
      failed: launch[9] = 1, return 1

`args` has 8 bytes for each parameter of the block function, in their order. `launch` has i64s:
0-2 grid, 3-5 block size, 6 all blocks, 7 blocks of a claim, 8 next block, 9 failed, 10 report
buffer, 11 bytes of dynamic shared memory. Within a claim block ids are counted up, not divided.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr, UnitAttr, i1, i8, i32, i64
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects import llvm
from ...dialects.diagnostics import CompileError, location_of
from ...passes.outline_cold_loops import AS_IS
from ..conversion import Rewriter, TypeMap
from ..emit.symbols import entry_symbol
from .func import is_kernel
from .memref import alignment_of
from .target import binary, const, icmp, resize, select

GRID, BLOCK, TOTAL, CHUNK, NEXT, FAILED, REPORT, SHARED = 0, 3, 6, 7, 8, 9, 10, 11
_LAUNCH_ARGUMENTS = 11
"""The parameters of the block function after its own: ids 3, sizes 3 and 3, shared, report."""


@dataclass(frozen=True)
class AddCpuEntry(ModulePass):
    """Gives every kernel in the llvm dialect the entry that the CPU runtime calls."""

    name = "add-cpu-entry"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """The kernel keeps its name, its block function is called `name.block`."""
        for function in [f for f in op.body.block.ops if isinstance(f, llvm.FuncOp)]:
            if is_kernel(function) and function.body.blocks:
                add_entry(function)


def add_entry(function: llvm.FuncOp) -> llvm.FuncOp:
    """The entry of a kernel's block function, put after it."""
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
    body = _Entry(function).build()
    entry = llvm.FuncOp.define(
        entry_symbol(name),
        llvm.FunctionType([llvm.POINTER, llvm.POINTER], i32),
        passthrough=("nounwind",),
        body=body,
    )
    entry.attributes[AS_IS] = UnitAttr()
    entry.location = function.location
    assert function.parent is not None, "a function stands in a module"
    function.parent.insert_op_after(entry, function)
    return entry


class _Entry:
    """The blocks of one entry under way."""

    def __init__(self, function: llvm.FuncOp) -> None:
        self.function = function
        self.rw = Rewriter(TypeMap(), None)
        self.rw.at(function)  # for its location
        self.start = Block(arg_types=[llvm.POINTER, llvm.POINTER])
        self.claim, self.split = Block(), Block()
        self.block = Block(arg_types=[i64] * 4)
        self.following, self.failed, self.done = Block(), Block(), Block()
        self.args, self.launch = self.start.args
        names = ("args", "launch", "block", "x", "y", "z")
        for value, name in zip((*self.start.args, *self.block.args), names, strict=True):
            value.name_hint = name

    def build(self) -> Region:
        """All blocks, in order."""
        given = self.unpack()
        slots = [self.slot(index) for index in range(TOTAL)]
        total, chunk = self.slot(TOTAL), self.slot(CHUNK)
        report = self.rw.value(llvm.IntToPtrOp, (self.slot(REPORT),), llvm.POINTER)
        shared = self.slot(SHARED)
        self.rw.insert(llvm.BrOp.to(self.claim))
        end = self.claim_blocks(total, chunk, slots[GRID : GRID + 2])
        _, x, y, z = self.block.args
        sizes = [*slots[BLOCK : BLOCK + 3], *slots[GRID : GRID + 3]]
        self.run_block([*given, x, y, z, *sizes, shared, report])
        self.next_block(end, slots[GRID : GRID + 2])
        self.finish()
        order = (self.start, self.claim, self.split, self.block)
        return Region([*order, self.following, self.failed, self.done])

    def slot(self, index: int) -> SSAValue:
        """The value of a launch slot that does not change."""
        aligned = {"alignment": llvm.number(8)}
        return self.rw.value(llvm.LoadOp, (self.address(self.launch, index),), i64, aligned)

    def address(self, base: SSAValue, index: int) -> SSAValue:
        """The address of an 8-byte slot."""
        if index == 0:
            return base
        return self.rw.insert(llvm.GEPOp.at(base, [index], i64, inbounds=True)).results[0]

    def unpack(self) -> list[SSAValue]:
        """The block function's own arguments."""
        self.rw.at_end(self.start)
        kinds = self.function.type.inputs.data[:-_LAUNCH_ARGUMENTS]
        return [self.argument(index, kind) for index, kind in enumerate(kinds)]

    def argument(self, index: int, kind: Attribute) -> SSAValue:
        """One argument out of its slot; a bool is a byte there."""
        stored = i8 if kind == i1 else kind
        aligned = {"alignment": llvm.number(alignment_of(stored))}
        value = self.rw.value(llvm.LoadOp, (self.address(self.args, index),), stored, aligned)
        return icmp(self.rw, "ne", value, 0) if kind == i1 else value

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

    def run_block(self, arguments: list[SSAValue]) -> None:
        """The call, and whether it went well."""
        rw = self.rw.at_end(self.block)
        name = self.function.symbol
        status = rw.insert(llvm.CallOp.to(name, arguments, [i32])).results[0]
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
        rw.create(llvm.ReturnOp, (const(rw, 1, i32),))
        rw.at_end(self.done)
        rw.create(llvm.ReturnOp, (const(rw, 0, i32),))
