"""gpu-to-cpu: a kernel, which says what one thread does, becomes a function that runs a block.

    gpu.module @m {                                   func.func @k(%x: memref<?xf32>, %n: index,
      gpu.func @k(%x: memref<?xf32, global>)              %bid_x: index, …, %report: !llvm.ptr)
          kernel attributes {gpux.over = 1} {             attributes {gpux.kernel, gpux.over = 1} {
        %i = gpu.global_id x                            %base = arith.muli %bid_x, %bdim_x
        %v = memref.load %x[%i]                         %left = arith.subi %n, %base
        …                                               %count = arith.minsi %bdim_x, %left
        gpu.return                                      scf.for %t = %c0 to %count step %c1 {
      }                                                   %i = arith.addi %base, %t
    }                                                     %v = memref.load %x[%i]
                                                          …

The work is done in this order: `split` makes a plan, `uniform` and `live` find out how values get
from one loop over threads to the next, `emit` with `control` and `collective` write the loops.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    FunctionType,
    IndexType,
    MemRefType,
    ModuleOp,
    StringAttr,
    UnitAttr,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects import gpu, gpux, marks
from ...dialects.diagnostics import CompileError, location_of
from ...dialects.llvm.types import PointerType
from ...dialects.walking import ops_of, ops_of_class
from .builder import Builder, memref_type, set_type
from .emit import Emitter
from .ids import BlockIds, Ids
from .live import Live
from .scopes import BlockScope
from .split import Splitter
from .uniform import Levels, hoist

STACK_BYTES = 4 << 20  # half of what the CPU device gives its threads
HIDDEN = 10  # %bid, %bdim, %gdim (x, y, z each) and %shared_bytes


@dataclass(frozen=True)
class GpuToCpu(ModulePass):
    """Lower every kernel to one function that runs all threads of a block.

    With `vectors`, subgroup ops stay where their code can become vectors of one subgroup each
    (vectorise-subgroups has to follow); else they are loops over its lanes.
    """

    name = "gpu-to-cpu"
    subgroup_size: int = 4
    vectors: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace each `gpu.module` by the functions of its kernels."""
        size = self.subgroup_size
        if not 1 <= size <= 64 or size & (size - 1):
            raise CompileError(f"subgroup_size is {size}, expected a power of two from 1 to 64")
        for module in [inner for inner in op.ops if isinstance(inner, gpu.ModuleOp)]:
            for inner in list(module.body.block.ops):
                if isinstance(inner, gpu.FuncOp) and inner.is_kernel:
                    new = lower_kernel(inner, size, vectors=self.vectors and size > 1)
                else:
                    new = inner
                    inner.detach()
                op.body.block.insert_op_before(new, module)
            module.detach()
            module.erase()


def lower_kernel(kernel: gpu.FuncOp, subgroup_size: int, *, vectors: bool = False) -> func.FuncOp:
    """The function that runs a block of `kernel`, whose ops move there."""
    _narrow_scopes(kernel)
    _drop_address_spaces(kernel)
    plan = Splitter(kernel, vectors=vectors).run()
    ids = Ids(gpux.block_size(kernel), subgroup_size)
    levels = Levels(plan, ids)
    live = Live(plan, levels)
    levels.settled = False
    while not levels.settled:
        levels.run()
        hoist(plan.plan, levels)
        live = Live(plan, levels)
        live.run()
    function, block = _function(kernel)
    build = Builder(block, kernel.location)
    count = len(kernel.parameters)
    parameters, hidden = block.args[:count], block.args[count:]
    extents = parameters[-3:] if gpux.extents(kernel) else None
    emitter = Emitter(build, BlockIds(ids, build, hidden, extents), levels, live)
    emitter.scalars |= dict(zip(kernel.parameters, parameters, strict=True))
    for value in kernel.workgroup:
        emitter.scalars[value] = build.array(memref_type(value))
    emitter.plan(plan.plan, BlockScope(emitter))
    _check_stack(kernel, build.array_bytes)
    build.location = kernel.location
    build.add(func.ReturnOp.create())
    first = block.first_op
    assert first is not None, "the return is there"
    prologue = list(build.prologue.ops)
    for op in prologue:
        op.detach()
    block.insert_ops_before(prologue, first)
    kernel.detach()
    kernel.erase(safe_erase=False)
    return function


def _check_stack(kernel: gpu.FuncOp, size: int) -> None:
    """Refuse a block whose arrays would not fit the stack of a thread of the CPU."""
    if size > STACK_BYTES:
        raise CompileError(
            f"kernel {kernel.sym_name.data} keeps {size} bytes for a block of threads, expected at "
            f"most {STACK_BYTES}",
            location_of(kernel),
            hint="make local arrays smaller, or use fewer of them on both sides of a barrier",
        )


def _function(kernel: gpu.FuncOp) -> tuple[func.FuncOp, Block]:
    """The new function with an empty body."""
    inputs: list[Attribute] = [value.type for value in kernel.parameters]
    inputs += [IndexType()] * HIDDEN
    inputs.append(PointerType())
    block = Block(arg_types=inputs)
    names = [f"{name}_{axis}" for name in ("bid", "bdim", "gdim") for axis in "xyz"]
    for argument, name in zip(
        block.args,
        [*(value.name_hint for value in kernel.parameters), *names, "shared_bytes", "report"],
        strict=True,
    ):
        argument.name_hint = name
    function = func.FuncOp(kernel.sym_name.data, FunctionType.from_lists(inputs, []), Region(block))
    function.location = kernel.location
    function.attributes[marks.KERNEL] = UnitAttr()
    for name in (marks.OVER, marks.STREAMS, marks.REMARKS, marks.NOTES):
        if name in kernel.attributes:
            function.attributes[name] = kernel.attributes[name]
    return function, block


def _drop_address_spaces(kernel: gpu.FuncOp) -> None:
    """Make all memrefs plain ones, in place."""
    types: dict[Attribute, Attribute] = {}

    def change(value: SSAValue) -> None:
        if not isinstance(value.type, MemRefType):
            return
        old = memref_type(value)
        if old not in types:
            types[old] = MemRefType(old.element_type, old.shape, old.layout)
        set_type(value, types[old])

    def visit(op: Operation) -> None:
        for result in op.results:
            change(result)
        for region in op.regions:
            for block in region.blocks:
                for argument in block.args:
                    change(argument)

    for op in ops_of(kernel):
        visit(op)


def _narrow_scopes(kernel: gpu.FuncOp) -> None:
    """Say of atomics in shared memory that only the block sees them."""
    for op in ops_of_class(kernel, gpux.AtomicRMWOp, gpux.AtomicCASOp):
        if memref_type(op.view).memory_space == gpu.WORKGROUP:
            op.properties["scope"] = StringAttr("block")
