"""Ids and sizes: builtin variables, the parameter block, specialisation constants.

A block has the size that the pipeline is made for: three specialisation constants, which the
builtin WorkgroupSize names. A grid that is too large for a device in some dimension is launched
folded, as another grid of at least as many groups: the constant `folded` is true then, and the id
of a block is computed from the linear number of its group; what lies past the end does nothing. In
an `over` kernel that needs no test: along its last axis ids just go on, past the extent.

Lanes follow each other along x, then y, then z. A device need not keep to that, but does in blocks
of one dimension, so that is what it is given where a kernel uses lanes and its blocks may have
more: the ids of a thread are computed from its number then.
"""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr, SymbolRefAttr, VectorType, i1, i32
from xdsl.ir import SSAValue

from ...dialects import gpu, spirv
from ..conversion import Operands, Results, Rewriter, Rules
from .build import as_index, binary, both, compare, extract, load, once, select, state_of, word
from .memory import semantics
from .parameters import global_variable

RULES = Rules()
converts = RULES.converts

AXES = "xyz"
SIZES = ("block_x", "block_y", "block_z")
FOLDED = "folded"
FOLDED_ID = 3


def builtin(rw: Rewriter, name: str, axis: int | None = None) -> SSAValue:
    """A builtin variable's value (of an axis)."""
    kind = i32 if axis is None else VectorType(i32, [3])
    pointer = spirv.PointerType(kind, "Input")
    place = global_variable(rw, f"__{name}", pointer, builtin=name)
    value = once(rw, name, lambda: load(rw, place))
    if axis is None:
        return value
    return once(rw, (name, axis), lambda: extract(rw, value, axis))


def declare_sizes(rw: Rewriter) -> None:
    """The specialisation constants of the block's size and of folding."""
    declare = state_of(rw).declare
    for number, name in enumerate(SIZES):
        declare(spirv.SpecConstantOp.define(name, 1, i32, number))
    sizes = _linear_sizes(rw) if state_of(rw).linear else SIZES
    size = spirv.SpecConstantCompositeOp.define("block_size", sizes, VectorType(i32, [3]))
    size.attributes["built_in"] = StringAttr("WorkgroupSize")
    declare(size)
    declare(spirv.SpecConstantOp.define(FOLDED, False, i1, FOLDED_ID))


def _linear_sizes(rw: Rewriter) -> tuple[str, ...]:
    declare, define = state_of(rw).declare, spirv.SpecConstantExpressionOp.define
    declare(define("block_area", "IMul", SIZES[:2], i32))
    declare(define("block_threads", "IMul", ["block_area", SIZES[2]], i32))
    declare(spirv.SpecConstantOp.define("one", 1, i32))
    return "block_threads", "one", "one"


def thread_id(rw: Rewriter, axis: int) -> SSAValue:
    """The id of a thread in its block, along an axis."""
    number = builtin(rw, "LocalInvocationId", 0)
    if not state_of(rw).linear:
        return builtin(rw, "LocalInvocationId", axis)
    return once(rw, ("thread", axis), lambda: _thread_id(rw, number, axis))


def _thread_id(rw: Rewriter, number: SSAValue, axis: int) -> SSAValue:
    width, height = block_dim(rw, 0), block_dim(rw, 1)
    if axis == 0:
        return binary(rw, "UMod", number, width)
    row = binary(rw, "UDiv", number, width)
    return binary(rw, "UMod" if axis == 1 else "UDiv", row, height)


def block_dim(rw: Rewriter, axis: int) -> SSAValue:
    """The threads of a block along an axis."""
    return spec_constant(rw, SIZES[axis])


def block_threads(rw: Rewriter) -> SSAValue:
    """The threads of a block of one dimension, as the device is given it."""
    return spec_constant(rw, "block_threads" if state_of(rw).linear else SIZES[0])


def spec_constant(rw: Rewriter, name: str) -> SSAValue:
    """The value of a specialisation constant."""
    kind = i1 if name == FOLDED else i32
    symbol = SymbolRefAttr(name)
    return once(rw, name, lambda: rw.value(spirv.ReferenceOfOp, (), kind, {"spec_const": symbol}))


def group_number(rw: Rewriter) -> SSAValue:
    """The number of the group in the grid that was launched."""
    x, y, z = (builtin(rw, "WorkgroupId", axis) for axis in range(3))
    width, height = (builtin(rw, "NumWorkgroups", axis) for axis in range(2))
    row = binary(rw, "IAdd", binary(rw, "IMul", z, height), y)
    return binary(rw, "IAdd", binary(rw, "IMul", row, width), x)


def block_id(rw: Rewriter, axis: int) -> SSAValue:
    """The id of a block in the launch's grid, along an axis."""
    return once(rw, ("block", axis), lambda: _block_id(rw, axis))


def _block_id(rw: Rewriter, axis: int) -> SSAValue:
    unfolded = once(rw, "group", lambda: group_number(rw))
    last = (state_of(rw).over or 3) - 1
    if axis > last:
        return word(rw, 0)
    for below in range(axis):
        unfolded = binary(rw, "UDiv", unfolded, grid_dim(rw, below))
    if axis < last:
        unfolded = binary(rw, "UMod", unfolded, grid_dim(rw, axis))
    return select(rw, spec_constant(rw, FOLDED), unfolded, builtin(rw, "WorkgroupId", axis))


def past_the_end(rw: Rewriter) -> SSAValue:
    """Whether this group is one of those that a folded launch has too many."""
    past = compare(rw, "UGreaterThanEqual", block_id(rw, 2), grid_dim(rw, 2))
    return both(rw, spec_constant(rw, FOLDED), past)


def has_no_thread(rw: Rewriter) -> SSAValue:
    """Whether a lane stands for no thread, in blocks that are no multiple of a subgroup along x.

    llvmpipe masks what such lanes do, but lets them go round in loops. Where blocks are one thread
    wide, its compiler takes the thread's id for 0.
    """
    width = block_threads(rw)
    rest = binary(rw, "UMod", width, word(rw, state_of(rw).target.subgroup_size))
    lane = builtin(rw, "SubgroupLocalInvocationId")
    one_wide = compare(rw, "IEqual", width, 1)
    past = select(rw, one_wide, lane, builtin(rw, "LocalInvocationId", 0))
    past = compare(rw, "UGreaterThanEqual", past, width)
    return both(rw, compare(rw, "INotEqual", rest, 0), past)


def grid_dim(rw: Rewriter, axis: int) -> SSAValue:
    """The blocks of the launch along an axis, before folding."""
    block = state_of(rw).block
    return block.read(rw, block.grid + axis)


@converts(gpu.ThreadIdOp)
def convert_thread_id(op: gpu.ThreadIdOp, operands: Operands, rw: Rewriter) -> Results:
    """A builtin, or computed from one."""
    return as_index(rw, thread_id(rw, op.axis))


@converts(gpu.BlockIdOp)
def convert_block_id(op: gpu.BlockIdOp, operands: Operands, rw: Rewriter) -> Results:
    """Of the launch's grid, not of the folded one."""
    return as_index(rw, block_id(rw, op.axis))


@converts(gpu.BlockDimOp)
def convert_block_dim(op: gpu.BlockDimOp, operands: Operands, rw: Rewriter) -> Results:
    """A specialisation constant."""
    return as_index(rw, block_dim(rw, op.axis))


@converts(gpu.GridDimOp)
def convert_grid_dim(op: gpu.GridDimOp, operands: Operands, rw: Rewriter) -> Results:
    """From the parameter block."""
    return as_index(rw, grid_dim(rw, op.axis))


@converts(gpu.GlobalIdOp)
def convert_global_id(op: gpu.GlobalIdOp, operands: Operands, rw: Rewriter) -> Results:
    """The place of the block, in threads, and the place in it."""
    block, size, thread = (f(rw, op.axis) for f in (block_id, block_dim, thread_id))
    first = binary(rw, "IMul", as_index(rw, block), as_index(rw, size))
    return binary(rw, "IAdd", first, as_index(rw, thread))


@converts(gpu.LaneIdOp)
def convert_lane_id(op: gpu.LaneIdOp, operands: Operands, rw: Rewriter) -> Results:
    """A builtin."""
    return as_index(rw, builtin(rw, "SubgroupLocalInvocationId"))


@converts(gpu.SubgroupIdOp)
def convert_subgroup_id(op: gpu.SubgroupIdOp, operands: Operands, rw: Rewriter) -> Results:
    """A builtin."""
    return as_index(rw, builtin(rw, "SubgroupId"))


@converts(gpu.SubgroupSizeOp)
def convert_subgroup_size(op: gpu.SubgroupSizeOp, operands: Operands, rw: Rewriter) -> Results:
    """What the profile says; the runtime holds the device to it."""
    return as_index(rw, word(rw, state_of(rw).target.subgroup_size))


@converts(gpu.NumSubgroupsOp)
def convert_num_subgroups(op: gpu.NumSubgroupsOp, operands: Operands, rw: Rewriter) -> Results:
    """A builtin."""
    return as_index(rw, builtin(rw, "NumSubgroups"))


@converts(gpu.BarrierOp)
def convert_barrier(op: gpu.BarrierOp, operands: Operands, rw: Rewriter) -> Results:
    """All threads of the block arrive, and what they wrote is seen."""
    rw.create(
        spirv.OPS["ControlBarrier"],
        properties={
            "execution_scope": spirv.ScopeAttr("Workgroup"),
            "memory_scope": spirv.ScopeAttr("Workgroup"),
            "memory_semantics": spirv.MemorySemanticsAttr(
                semantics(rw, "acq_rel", ("UniformMemory", "WorkgroupMemory"))
            ),
        },
    )
    return None
