"""gpu-to-nvvm: kernels become functions of the llvm and nvvm dialects.

    gpu.module @m {                                llvm.func ptx_kernelcc @k(%x: !llvm.ptr<1> …)
      gpu.func @k(%x: memref<?xf32, global>)         %t = nvvm.read.ptx.sreg.tid.x : i32
          kernel {                                   …
        %t = gpu.thread_id x                         %p = llvm.getelementptr inbounds %x[%i] …
        %v = memref.load %x[%t]                      %v = llvm.load %p : !llvm.ptr<1> -> f32
        gpu.barrier                                  nvvm.barrier0
        …                                            llvm.return

What differs from other LLVM targets stands here; arith, scf, memref are those of `to_llvm`.
Before it, `guard-extents` and `expand-math` have run and report sites have their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...dialects import gpu, marks
from ..conversion import Legality, Rules, convert
from ..to_llvm.target import State, type_map
from ..to_llvm.to_llvm import RULES as SHARED_RULES
from . import addresses, atomics, halves, ids, kernel, math, unrolling
from .architecture import check_architecture
from .subgroups import lower_subgroups
from .target import NvvmTarget, target_for

RULES = Rules(SHARED_RULES, atomics.RULES, halves.RULES, ids.RULES, kernel.RULES, math.RULES)
MATRIX_OPS = "gpu.subgroup_mma_"
LEGALITY = Legality({"llvm": True, "nvvm": True, ModuleOp: True})


@dataclass(frozen=True)
class GpuToNvvm(ModulePass):
    """Lowers the kernels of a module for an architecture, such as `sm_90a`."""

    name = "gpu-to-nvvm"
    arch: str = "sm_80"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Lowers everything, or raises one CompileError that lists what cannot be."""
        lower(op, target_for(self.arch))


def lower(module: ModuleOp, target: NvvmTarget) -> None:
    """Lowers all kernels of a module, in place."""
    rules, types = RULES, type_map(target)
    kernels = [op for op in module.walk() if isinstance(op, gpu.FuncOp)]
    if any(op.name.startswith(MATRIX_OPS) for op in module.walk()):
        from . import matrices

        for kernel_op in kernels:
            matrices.check_layouts(kernel_op)
        rules = Rules(RULES, matrices.RULES)
        types = replace(types, rules={**types.rules, **matrices.TYPE_RULES})
    for kernel_op in kernels:
        lower_subgroups(kernel_op, target.sm)
        halves.shrink_sums(kernel_op, target.sm)
        addresses.mark_invariant_indices(kernel_op)
        unrolling.mark_loops_to_unroll(kernel_op)
    _open_modules(module)
    state = State(
        target, module, small=all(marks.SMALL in kernel_op.attributes for kernel_op in kernels)
    )
    convert(module, rules, LEGALITY, types, "nvvm", state)
    check_architecture(module, target)


def _open_modules(module: ModuleOp) -> None:
    """What stands in a gpu.module stands in the module itself."""
    for op in [op for op in module.body.block.ops if isinstance(op, gpu.ModuleOp)]:
        for inner in list(op.body.block.ops):
            inner.detach()
            module.body.block.insert_op_before(inner, op)
        op.detach()
        op.erase()
