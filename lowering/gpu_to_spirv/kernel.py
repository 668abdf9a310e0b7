"""Modules and kernels: what stands around the body.

gpu.module @m {                          spirv.module Logical GLSL450 {
  gpu.func @k(%x: memref<?xf32, …>)        spirv.SpecConstant @block_x spec_id(0) = 1 : i32 …
      workgroup(%s: memref<64xf32>)        spirv.GlobalVariable @__parameters : …
      kernel { … }                         spirv.GlobalVariable @shared_0 : …, Workgroup
}                                          spirv.func @k() "None" { … }
                                           spirv.EntryPoint "GLCompute" @k, @__parameters, …
                                         }
"""

from __future__ import annotations

from xdsl.dialects import scf
from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Block, Operation, SSAValue

from ...dialects import gpu, gpux, marks, spirv
from ..conversion import CannotConvert, Operands, Results, Rewriter, Rules
from ..gpu_to_cpu.expand_matrices import MATRIX_OPS
from .build import Scope, state_of
from .control import selection, variable
from .ids import declare_sizes, has_no_thread, past_the_end
from .memory import array_type
from .parameters import global_variable, lay_out, parameters_of, read_parameters
from .reports import longest_record, reporting
from .subgroups import met_by_all
from .target import SpirvTarget

RULES = Rules()
converts = RULES.converts

_BODY = "__body"  # what the kernel does, where something remains to do behind it
LANE_OPS = (
    *(gpu.LaneIdOp, gpu.SubgroupIdOp, gpu.ShuffleOp, gpu.SubgroupReduceOp),
    *(gpux.SubgroupScanOp, gpux.BallotOp),
)

# What floats do, where the profile lets a module ask for it: mode, bits and the capability's name.
_FLOAT_MODES = (
    ("DenormPreserve", "denorm_preserve"),
    ("RoundingModeRTE", "rte"),
    ("SignedZeroInfNanPreserve", "signed_zero"),
)


@converts(gpu.ModuleOp)
def convert_module(op: gpu.ModuleOp, operands: Operands, rw: Rewriter) -> Results:
    """A module of spirv, whose one kernel is converted next."""
    inside = list(op.body.block.ops)
    if len(inside) != 1 or not isinstance(inside[0], gpu.FuncOp) or not inside[0].is_kernel:
        raise CannotConvert("expected one kernel and nothing else (inline helpers first)")
    kernel = inside[0]
    kernel.detach()
    state = state_of(rw)
    state.vulkan_memory = any(map(_is_of_matrices, kernel.walk()))
    made = spirv.ModuleOp.define(
        [kernel],
        addressing="PhysicalStorageBuffer64" if state.target.addresses else "Logical",
        memory="Vulkan" if state.vulkan_memory else "GLSL450",
    )
    made.location = op.location
    rw.add(made)
    return None


@converts(gpu.FuncOp)
def convert_kernel(op: gpu.FuncOp, operands: Operands, rw: Rewriter) -> Results:
    """A function without parameters, and the entry point that names it."""
    state = state_of(rw)
    parameters, arrays, private = parameters_of(op), op.workgroup, op.private
    longest = longest_record(op)
    checks = any(isinstance(inner, gpux.CheckOp) for inner in op.walk())
    state.longest_record = longest or 0
    state.prints = any(isinstance(inner, gpux.PrintOp) for inner in op.walk())
    entry, body, name = op.entry, op.body, op.sym_name.data
    start = entry.first_op
    assert start is not None, "a kernel ends in a terminator"
    state.scope, state.function = Scope(entry), op
    state.over = gpux.over_rank(op)
    state.linear = _uses_lanes(op) and gpux.block_rank(op) > 1
    state.met_by_all = met_by_all(op)
    entry._args = ()  # pyright: ignore[reportPrivateUsage]  # the old ones are keys of a mapping
    declare_sizes(rw)
    state.parameters = lay_out(rw, parameters, longest is not None)
    if state.block.in_memory:
        module = op.parent_op()
        assert module is not None, "a kernel stands in a module"
        module.attributes[marks.BLOCK_IN_MEMORY] = UnitAttr()
    with rw.inside(entry, start):
        for value in private:
            rw.replace(value, variable(rw, array_type(rw, value)))
        read_parameters(rw, parameters)
        for number, value in enumerate(arrays):
            rw.replace(value, global_variable(rw, f"__shared_{number}", rw.type(value.type)))
        asks_lanes = state.target.suits_llvmpipe and state.target.has("subgroup_basic")
        if asks_lanes and _has_loops(op):
            _end_if(rw, has_no_thread(rw))
        if state.over is None:
            _end_if(rw, past_the_end(rw))
    op.detach_region(body)
    made = state.function = spirv.FuncOp.define(_BODY if checks else name, body=body)
    made.location = op.location
    rw.add(made)
    if checks:
        rw.add(spirv.FuncOp.define(name, body=reporting(rw, _BODY)))
    rw.add(spirv.EntryPointOp.define(name))
    for mode, width in float_modes(state.target):
        rw.add(spirv.ExecutionModeOp.define(name, mode, [width]))
    return None


def _end_if(rw: Rewriter, condition: SSAValue) -> None:
    ended = Block()
    with rw.inside(ended):
        rw.create(spirv.ReturnOp)
    selection(rw, condition, ended)


def _has_loops(op: gpu.FuncOp) -> bool:
    return any(isinstance(inner, scf.ForOp | scf.WhileOp) for inner in op.walk())


def _uses_lanes(op: gpu.FuncOp) -> bool:
    return any(isinstance(inner, LANE_OPS) or _is_of_matrices(inner) for inner in op.walk())


def _is_of_matrices(op: Operation) -> bool:
    return op.name.startswith(MATRIX_OPS)


def float_modes(target: SpirvTarget) -> list[tuple[str, int]]:
    """What floats of each width are to do."""
    return [
        (mode, width)
        for mode, capability in _FLOAT_MODES
        for width in (16, 32, 64)
        if target.has(f"{capability}{width}") and (width == 32 or target.has(f"float{width}"))
    ]


@converts(gpu.ReturnOp)
def convert_return(op: gpu.ReturnOp, operands: Operands, rw: Rewriter) -> Results:
    """The thread ends."""
    rw.create(spirv.ReturnOp)
    return None
