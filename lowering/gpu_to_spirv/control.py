"""scf to structured control flow of spirv: selections and loops, results through variables.

    %r = scf.if %c -> f32 {          %v = spirv.Variable : !spirv.ptr<f32, Function>
      scf.yield %a                   spirv.mlir.selection {
    } else {                           spirv.BranchConditional %c, ^then, ^else
      scf.yield %b                   ^then:
    }                                  spirv.Store "Function" %v, %a
                                       spirv.Branch ^merge
                                     ^else: …
                                     ^merge:
                                       spirv.mlir.merge
                                     }
                                     %r = spirv.Load "Function" %v

What goes round a loop is arguments of its header (phis of the binary); what leaves it goes through
variables, since a region of upstream's ops gives no values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects import scf
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects import spirv
from ...dialects.gpu import PRIVATE
from ...passes.utils.block_editing import constant_value
from ..conversion import CannotConvert, Converter, Operands, Results, Rewriter, Rules
from .build import binary, compare, load, select, state_of, store

RULES = Rules()
converts = RULES.converts

NO_SELECTION_CONTROL = {"selection_control": spirv.SelectionControlAttr("None")}
NO_LOOP_CONTROL: dict[str, Attribute] = {"loop_control": spirv.LoopControlAttr("None")}
NOT_UNROLLED: dict[str, Attribute] = {"loop_control": spirv.LoopControlAttr("DontUnroll")}
MANY_ROUNDS = 8


def flat(operands: Operands) -> list[SSAValue]:
    """All new values in a row."""
    return [value for values in operands for value in values]


def variable(rw: Rewriter, kind: Attribute) -> SSAValue:
    """A variable of the function."""
    scope = state_of(rw).scope
    assert scope is not None, "a function is being built"
    return scope.variable(rw, kind)


def _variables(rw: Rewriter, values: Sequence[SSAValue]) -> list[SSAValue | None]:
    """A variable for each result that is used."""
    return [
        variable(rw, rw.type(value.type)) if value.first_use is not None else None
        for value in values
    ]


def _load(
    rw: Rewriter, results: Sequence[SSAValue], variables: Sequence[SSAValue | None]
) -> Results:
    """What the variables hold; None if nobody asks for any."""
    if all(place is None for place in variables):
        return None
    return [
        load(rw, place) if place is not None else rw.value(spirv.UndefOp, (), rw.type(r.type))
        for r, place in zip(results, variables, strict=True)
    ]


def _keep(rw: Rewriter, variables: Sequence[SSAValue | None], values: Sequence[SSAValue]) -> None:
    """Values into the variables that there are for them."""
    for place, value in zip(variables, values, strict=True):
        if place is not None:
            store(rw, place, value)


def _jump(rw: Rewriter, block: Block, to: Block, values: Sequence[SSAValue]) -> None:
    """A branch at the end of a block."""
    with rw.inside(block):
        rw.create(spirv.BranchOp, values, successors=[to])


def _leave(variables: Sequence[SSAValue | None], merge: Block) -> Converter:
    """Converts a yield: its values into the variables, then past the construct."""

    def convert(op: Operation, operands: Operands, rw: Rewriter) -> Results:
        _keep(rw, variables, flat(operands))
        rw.create(spirv.BranchOp, successors=[merge])
        return None

    return convert


def _take(region: Region) -> tuple[Block, Operation]:
    """The one block of a region of scf, detached, and its terminator."""
    block = region.block
    region.detach_block(block)
    last = block.last_op
    assert last is not None, "a region of scf ends in a terminator"
    return block, last


def _merge_block(rw: Rewriter) -> Block:
    """A block that ends a construct."""
    merge = Block()
    with rw.inside(merge):
        rw.create(spirv.MergeOp)
    return merge


def selection(
    rw: Rewriter,
    condition: SSAValue,
    then: Block,
    otherwise: Block | None = None,
    weights: tuple[int, int] | None = None,
) -> Block:
    """A selection of blocks that still have to branch to the merge block, which is returned."""
    merge, header = _merge_block(rw), Block()
    with rw.inside(header):
        rw.insert(spirv.BranchConditionalOp.on(condition, then, otherwise or merge, weights))
    blocks = [header, then, merge] if otherwise is None else [header, then, otherwise, merge]
    rw.create(spirv.SelectionOp, regions=[Region(blocks)], properties=NO_SELECTION_CONTROL)
    return merge


@converts(scf.IfOp)
def convert_if(op: scf.IfOp, operands: Operands, rw: Rewriter) -> Results:
    """A selection."""
    ((condition,),) = operands
    variables = _variables(rw, op.results)
    then, last = _take(op.true_region)
    lasts, otherwise = [last], None
    if op.false_region.blocks:
        otherwise, last = _take(op.false_region)
        lasts.append(last)
    merge = selection(rw, condition, then, otherwise)
    for last in lasts:
        rw.convert_with(last, _leave(variables, merge))
    return _load(rw, op.results, variables)


@converts(scf.IndexSwitchOp)
def convert_index_switch(op: scf.IndexSwitchOp, operands: Operands, rw: Rewriter) -> Results:
    """One `scf.if` in the other, which are converted next."""
    ((flag,),) = operands
    types = [result.type for result in op.results]
    numbers = [int(number) for number in op.cases.get_values()]
    rest, *regions = [op.detach_region(region) for region in tuple(op.regions)]
    conditions = [compare(rw, "IEqual", flag, number) for number in numbers]
    for same, region in reversed(list(zip(conditions, regions, strict=True))):
        inner = scf.IfOp.create(
            operands=[same], result_types=types, regions=[region, rest], location=op.location
        )
        rest = Region(Block([inner, scf.YieldOp.create(operands=inner.results)]))
    block, last = _take(rest)
    for result, value in zip(op.results, last.operands, strict=True):
        result.replace_all_uses_with(value)  # so that it is seen which results are used
    last.detach()
    last.drop_all_references()
    rw.move_ops(block)
    return None


@converts(scf.ForOp)
def convert_for(op: scf.ForOp, operands: Operands, rw: Rewriter) -> Results:
    """A loop over a range of signed numbers."""
    (low,), (high,), (step,), *carried = operands
    by_one = constant_value(op.step) == 1
    variables = _variables(rw, op.results)
    types = [rw.type(value.type) for value in op.iter_args]
    body, last = _take(op.body)
    header, again = Block(arg_types=[low.type, *types]), Block(arg_types=[low.type, *types])
    merge, entry = _merge_block(rw), Block()
    control = NOT_UNROLLED if _is_better_round(rw, op, body) else NO_LOOP_CONTROL
    counter = header.args[0]
    _bind(rw, body, header.args)

    _jump(rw, entry, header, [low, *flat(tuple(carried))])
    _jump(rw, again, header, again.args)
    with rw.inside(header):
        _keep(rw, variables, header.args[1:])
        inside = compare(rw, "SLessThan", counter, high)
        rw.insert(spirv.BranchConditionalOp.on(inside, body, merge))

    def close(yielded: Operation, operands: Operands, rw: Rewriter) -> Results:
        following = _next(rw, counter, high, step, by_one)
        rw.create(spirv.BranchOp, [following, *flat(operands)], successors=[again])
        return None

    rw.convert_with(last, close)
    _loop(rw, [entry, header, body, again, merge], control)
    return _load(rw, op.results, variables)


def _is_better_round(rw: Rewriter, op: scf.ForOp, body: Block) -> bool:
    """Whether a device should not unroll a loop that it would.

    So it is with llvmpipe: 16 rounds with two accesses are an eighth slower when unrolled. An array
    of one thread becomes values, on the other hand, where a loop over it is unrolled.
    """
    bounds = [constant_value(value) for value in (op.lb, op.ub, op.step)]
    low, high, step = (number or 0 for number in bounds)
    if None in bounds or not state_of(rw).target.suits_llvmpipe:
        return False
    kinds: list[Any] = [operand.type for inner in body.walk() for operand in inner.operands]
    spaces = {kind.memory_space for kind in kinds if isinstance(kind, MemRefType)}
    return len(range(low, high, max(step, 1))) >= MANY_ROUNDS and PRIVATE not in spaces


def _next(
    rw: Rewriter, counter: SSAValue, high: SSAValue, step: SSAValue, by_one: bool
) -> SSAValue:
    """The counter's next value; the bound where the step would go past it, and perhaps wrap."""
    stepped = binary(rw, "IAdd", counter, step)
    if by_one:
        return stepped
    left = binary(rw, "ISub", high, counter)
    return select(rw, compare(rw, "ULessThan", step, left), stepped, high)


@converts(scf.WhileOp)
def convert_while(op: scf.WhileOp, operands: Operands, rw: Rewriter) -> Results:
    """The first region follows the header, its condition goes to the second or past the loop."""
    variables = _variables(rw, op.results)
    first, condition = _take(op.before_region)
    second, last = _take(op.after_region)
    types = [rw.type(argument.type) for argument in first.args]
    header, again = Block(arg_types=types), Block(arg_types=types)
    merge, entry = _merge_block(rw), Block()
    _bind(rw, first, header.args)
    passed = tuple(second.args)
    second._args = ()  # pyright: ignore[reportPrivateUsage]  # they are keys of the mapping

    _jump(rw, entry, header, flat(operands))
    _jump(rw, header, first, ())
    _jump(rw, again, header, again.args)

    def decide(op: Operation, operands: Operands, rw: Rewriter) -> Results:
        (keep_on,), *given = operands
        for argument, values in zip(passed, given, strict=True):
            rw.replace(argument, values)
        _keep(rw, variables, flat(tuple(given)))
        rw.insert(spirv.BranchConditionalOp.on(keep_on, second, merge))
        return None

    def close(op: Operation, operands: Operands, rw: Rewriter) -> Results:
        rw.create(spirv.BranchOp, flat(operands), successors=[again])
        return None

    rw.convert_with(condition, decide)
    rw.convert_with(last, close)
    _loop(rw, [entry, header, first, second, again, merge])
    return _load(rw, op.results, variables)


def loop(
    rw: Rewriter,
    start: Sequence[SSAValue],
    condition: Callable[..., SSAValue],
    body: Callable[..., Sequence[SSAValue]],
) -> None:
    """A loop that carries values: `condition` is built of them, `body` gives those that follow."""
    types = [value.type for value in start]
    header, again = Block(arg_types=types), Block(arg_types=types)
    entry, inside, merge = Block(), Block(), _merge_block(rw)
    _jump(rw, entry, header, start)
    _jump(rw, again, header, again.args)
    with rw.inside(header):
        more = condition(*header.args)
        rw.insert(spirv.BranchConditionalOp.on(more, inside, merge))
    with rw.inside(inside):
        rw.create(spirv.BranchOp, body(*header.args), successors=[again])
    _loop(rw, [entry, header, inside, again, merge])


def _bind(rw: Rewriter, block: Block, values: Sequence[SSAValue]) -> None:
    """Values in place of a block's arguments."""
    old = tuple(block.args)
    block._args = ()  # pyright: ignore[reportPrivateUsage]  # they are keys of the mapping
    for argument, value in zip(old, values, strict=True):
        rw.replace(argument, value)


def _loop(
    rw: Rewriter, blocks: list[Block], control: dict[str, Attribute] = NO_LOOP_CONTROL
) -> None:
    """A loop of these blocks."""
    rw.create(spirv.LoopOp, regions=[Region(blocks)], properties=control)


@converts(scf.ExecuteRegionOp)
def refuse(op: Operation, operands: Operands, rw: Rewriter) -> Results:
    """Blocks that jump as they like have no structure."""
    raise CannotConvert("unstructured control flow has no form on this target")
