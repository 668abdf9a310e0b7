"""Ids and sizes from special registers.

%g = gpu.global_id x      %b = nvvm.read.ptx.sreg.ctaid.x : i32     (and zero-extended
                          %n = nvvm.read.ptx.sreg.ntid.x : i32       to the width of index)
                          %t = nvvm.read.ptx.sreg.tid.x : i32
                          %g = llvm.add (llvm.mul %b, %n), %t
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import i32
from xdsl.ir import SSAValue

from ...dialects import gpu, llvm
from ...dialects.nvvm import OPS
from ..conversion import Operands, Results, Rewriter, Rules
from ..to_llvm.target import State, binary, resize

RULES = Rules()
converts = RULES.converts

WARP = 32
AXES = "xyz"


def register(rw: Rewriter, name: str) -> SSAValue:
    """The value of a special register, as i32."""
    return rw.value(OPS[f"read.ptx.sreg.{name}"], (), i32)


def thread_ids(rw: Rewriter) -> Sequence[SSAValue]:
    """Block x, y, z and thread x, y, z: what a report begins with."""
    return [register(rw, f"{name}.{axis}") for name in ("ctaid", "tid") for axis in AXES]


def _index(rw: Rewriter, value: SSAValue) -> SSAValue:
    state: State = rw.state
    return resize(rw, value, state.target.index, signed=False)


_REGISTERS: dict[type[gpu.DimensionOp], str] = {
    gpu.ThreadIdOp: "tid",
    gpu.BlockIdOp: "ctaid",
    gpu.BlockDimOp: "ntid",
    gpu.GridDimOp: "nctaid",
}


@converts(*_REGISTERS)
def convert_id(op: gpu.DimensionOp, operands: Operands, rw: Rewriter) -> Results:
    """One register."""
    return _index(rw, register(rw, f"{_REGISTERS[type(op)]}.{AXES[op.axis]}"))


@converts(gpu.GlobalIdOp)
def convert_global_id(op: gpu.GlobalIdOp, operands: Operands, rw: Rewriter) -> Results:
    """The place of the block, in threads, and the place in it."""
    axis = AXES[op.axis]
    block, size, thread = (
        _index(rw, register(rw, f"{name}.{axis}")) for name in ("ctaid", "ntid", "tid")
    )
    first = rw.value(llvm.MulOp, (block, size), block.type, llvm.NO_WRAP)
    return rw.value(llvm.AddOp, (first, thread), block.type, llvm.NO_WRAP)


def linear_id(rw: Rewriter) -> SSAValue:
    """The thread's number in its block, x fastest, as i32."""
    x, y, z = (register(rw, f"tid.{axis}") for axis in AXES)
    width, height = register(rw, "ntid.x"), register(rw, "ntid.y")
    row = binary(rw, llvm.AddOp, binary(rw, llvm.MulOp, z, height), y)
    return binary(rw, llvm.AddOp, binary(rw, llvm.MulOp, row, width), x)


def block_threads(rw: Rewriter) -> SSAValue:
    """The threads of a block, as i32."""
    x, y, z = (register(rw, f"ntid.{axis}") for axis in AXES)
    return binary(rw, llvm.MulOp, binary(rw, llvm.MulOp, x, y), z)


@converts(gpu.LaneIdOp)
def convert_lane_id(op: gpu.LaneIdOp, operands: Operands, rw: Rewriter) -> Results:
    """One register."""
    return _index(rw, register(rw, "laneid"))


@converts(gpu.SubgroupIdOp)
def convert_subgroup_id(op: gpu.SubgroupIdOp, operands: Operands, rw: Rewriter) -> Results:
    """Warps are 32 threads in linear order (the register %warpid may change while running)."""
    return _index(rw, binary(rw, llvm.LShrOp, linear_id(rw), 5))


@converts(gpu.SubgroupSizeOp)
def convert_subgroup_size(op: gpu.SubgroupSizeOp, operands: Operands, rw: Rewriter) -> Results:
    """Always 32."""
    from ..to_llvm.target import const

    state: State = rw.state
    return const(rw, WARP, state.target.index)


@converts(gpu.NumSubgroupsOp)
def convert_num_subgroups(op: gpu.NumSubgroupsOp, operands: Operands, rw: Rewriter) -> Results:
    """A partial last one counts."""
    raised = binary(rw, llvm.AddOp, block_threads(rw), WARP - 1)
    return _index(rw, binary(rw, llvm.LShrOp, raised, 5))


@converts(gpu.BarrierOp)
def convert_barrier(op: gpu.BarrierOp, operands: Operands, rw: Rewriter) -> Results:
    """Barrier 0, which all threads of the block reach."""
    rw.create(OPS["barrier0"])
    return None
