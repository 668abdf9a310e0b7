"""scf to blocks: each structured op becomes branches, its results arguments of the block after it.

    %r = scf.if %c -> (i32) {          llvm.cond_br %c, ^then, ^else
      scf.yield %a : i32             ^then:
    } else {                           llvm.br ^after(%a : i32)
      scf.yield %b : i32             ^else:
    }                                  llvm.br ^after(%b : i32)
                                     ^after(%r: i32):

The branch back of a loop keeps the attributes `gpux.threads`, `gpux.vectors` and `gpux.unroll`,
which LLVM is told. A loop over a range counts its variable up with a comparison at the top; where
the step is not 1, the variable could pass the end of its type, so the number of rounds is computed
first (but not for vectors of threads, of which there are not so many).
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import scf
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Block, Operation, Region, SSAValue

from ...dialects import llvm, marks
from ..conversion import Converter, Operands, Results, Rewriter, Rules
from .target import binary, const, icmp, select

_KEPT = (marks.THREADS, marks.VECTORS, marks.UNROLL)
RULES = Rules()
converts = RULES.converts


def result_groups(rw: Rewriter, op: Operation, block: Block) -> list[tuple[SSAValue, ...]]:
    """The arguments of the block after an op, grouped as its results."""
    arguments = iter(block.args)
    return [tuple(next(arguments) for _ in rw.types(result.type)) for result in op.results]


def flat(groups: Sequence[Sequence[SSAValue]]) -> list[SSAValue]:
    """All new values of several old ones in a row."""
    return [value for group in groups for value in group]


def bind_arguments(rw: Rewriter, block: Block, values: Sequence[SSAValue]) -> None:
    """Lets values stand for a block's arguments, which it then has no more."""
    rest = iter(values)
    old = block.args
    # The old arguments live on as keys of the mapping, so they are not erased.
    block._args = ()  # pyright: ignore[reportPrivateUsage]
    for argument in old:
        rw.replace(argument, [next(rest) for _ in rw.types(argument.type)])


def jump_to(block: Block) -> Converter:
    """A converter of a terminator: branch to the block with the terminator's values."""

    def convert(op: Operation, operands: Operands, rw: Rewriter) -> Results:
        rw.create(llvm.BrOp, flat(operands), successors=[block])
        return None

    return convert


def inline_region(rw: Rewriter, region: Region, after: Block) -> tuple[Block, Operation]:
    """Moves a region's one block before another; that block and its terminator."""
    block, _ = rw.move_blocks(region, before=after)
    last = block.last_op
    assert last is not None, "a region of scf ends in a terminator"
    return block, last


@converts(scf.IfOp)
def convert_if(op: scf.IfOp, operands: Operands, rw: Rewriter) -> Results:
    """Two branches that meet; without an else the condition jumps past."""
    ((condition,),) = operands
    after = rw.split(rw.flat_types([result.type for result in op.results]))
    then, last = inline_region(rw, op.true_region, after)
    rw.convert_with(last, jump_to(after))
    otherwise = after
    if op.false_region.blocks:
        otherwise, last = inline_region(rw, op.false_region, after)
        rw.convert_with(last, jump_to(after))
    branch = llvm.CondBrOp.on(condition, (then, ()), (otherwise, ()))
    rw.insert(branch)
    return result_groups(rw, op, after)


@converts(scf.ExecuteRegionOp)
def convert_execute_region(op: scf.ExecuteRegionOp, operands: Operands, rw: Rewriter) -> Results:
    """The blocks of the region stand between; what it yields goes on."""
    after = rw.split(rw.flat_types([result.type for result in op.results]))
    region = op.regions[0]
    for block in region.blocks:
        if isinstance(block.last_op, scf.YieldOp):
            rw.convert_with(block.last_op, jump_to(after))
    first, _ = rw.move_blocks(region, before=after)
    rw.create(llvm.BrOp, (), successors=[first])
    return result_groups(rw, op, after)


@converts(scf.ForOp)
def convert_for(op: scf.ForOp, operands: Operands, rw: Rewriter) -> Results:
    """A header with the comparison, the body, and back."""
    (low,), (high,), (step,), *carried = operands
    types = rw.flat_types([value.type for value in op.iter_args])
    after = rw.split(types)
    no_wrap = _constant(step) == 1 or marks.VECTORS in op.attributes
    counted = [low.type] if no_wrap else [low.type, low.type]
    header = rw.new_block([*counted, *types], before=after)
    body, last = inline_region(rw, op.body, after)
    start: list[SSAValue] = [low]
    if not no_wrap:
        start.append(_rounds(rw, low, high, step))
    rw.create(llvm.BrOp, [*start, *flat(carried)], successors=[header])
    variable, *rest = header.args
    bind_arguments(rw, body, [variable, *header.args[len(counted) :]])

    def close(yielded: Operation, operands: Operands, rw: Rewriter) -> Results:
        following = [_next(rw, variable, step, no_wrap, marks.COUNTS_UP in op.attributes)]
        if not no_wrap:
            following.append(binary(rw, llvm.AddOp, rest[0], -1))
        back = rw.create(llvm.BrOp, [*following, *flat(operands)], successors=[header])
        for word in _KEPT:
            if word in op.attributes:
                back.attributes[word] = op.attributes[word]
        return None

    rw.convert_with(last, close)
    rw.at_end(header)
    more = icmp(rw, "slt", variable, high) if no_wrap else icmp(rw, "ne", rest[0], 0)
    rw.insert(llvm.CondBrOp.on(more, (body, ()), (after, header.args[len(counted) :])))
    return result_groups(rw, op, after)


def _next(
    rw: Rewriter, variable: SSAValue, step: SSAValue, no_wrap: bool, counts_up: bool
) -> SSAValue:
    """The variable's next value. With step 1 it is at most the upper bound, so it cannot wrap."""
    flags = llvm.NO_WRAP if counts_up else llvm.NO_SIGNED_WRAP if no_wrap else {}
    return rw.value(llvm.AddOp, (variable, step), variable.type, flags)


def _rounds(rw: Rewriter, low: SSAValue, high: SSAValue, step: SSAValue) -> SSAValue:
    """ceil((high - low) / step), 0 where low >= high; the difference is right as unsigned."""
    distance = binary(rw, llvm.SubOp, high, low)
    whole = binary(rw, llvm.UDivOp, binary(rw, llvm.SubOp, distance, 1), step)
    rounds = binary(rw, llvm.AddOp, whole, 1)
    return select(rw, icmp(rw, "slt", low, high), rounds, const(rw, 0, low.type))


def _constant(value: SSAValue) -> int | None:
    if isinstance(value.owner, llvm.ConstantOp):
        number = value.owner.properties["value"]
        return number.value.data if isinstance(number, IntegerAttr) else None
    return None


@converts(scf.WhileOp)
def convert_while(op: scf.WhileOp, operands: Operands, rw: Rewriter) -> Results:
    """The first region is the header, its condition goes to the second or past the loop."""
    after = rw.split(rw.flat_types([result.type for result in op.results]))
    header, condition = inline_region(rw, op.before_region, after)
    body, last = inline_region(rw, op.after_region, after)
    rw.convert_arguments(header)
    rw.convert_arguments(body)

    def decide(op: Operation, operands: Operands, rw: Rewriter) -> Results:
        (keep_on,), *carried = operands
        values = flat(carried)
        rw.insert(llvm.CondBrOp.on(keep_on, (body, values), (after, values)))
        return None

    rw.convert_with(condition, decide)
    rw.convert_with(last, jump_to(header))
    rw.create(llvm.BrOp, flat(operands), successors=[header])
    return result_groups(rw, op, after)


@converts(scf.IndexSwitchOp)
def convert_index_switch(op: scf.IndexSwitchOp, operands: Operands, rw: Rewriter) -> Results:
    """One jump by number."""
    ((flag,),) = operands
    after = rw.split(rw.flat_types([result.type for result in op.results]))
    blocks: list[Block] = []
    for region in (op.default_region, *op.case_regions):
        block, last = inline_region(rw, region, after)
        rw.convert_with(last, jump_to(after))
        blocks.append(block)
    numbers = [int(number) for number in op.cases.get_values()]
    none: Sequence[SSAValue] = ()
    cases = [(number, block, none) for number, block in zip(numbers, blocks[1:], strict=True)]
    rw.insert(llvm.SwitchOp.on(flag, (blocks[0], none), cases))
    return result_groups(rw, op, after)
