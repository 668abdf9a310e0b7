"""What can be simplified about views and structured control flow: rules for `canonicalize`.

%n = memref.dim %local, %c0 : memref<16xf32>         %n = arith.constant 16 : index
scf.if %true { a } else { b }                        a
scf.for %i = %c4 to %c4 step %c1 { a }               (nothing)
%r = scf.for ... iter_args(%x = %s) { yield %x }     uses of %r become %s
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, MemRefType, i1
from xdsl.ir import Block, Operation, Region, SSAValue

from ...dialects import gpux
from .canonical_arith import Folded, boolean, integer, integer_attribute, maker_of, rule
from .canonical_floats import RULES

if TYPE_CHECKING:
    from ..canonicalize import Editor

__all__ = ["RULES", "inline_block"]  # one table: those of arith, and those added here


# --- views ----------------------------------------------------------------------------------------


@rule(memref.DimOp)
def _fold_dim(op: memref.DimOp, editor: Editor) -> Folded:
    """The size, where the type or the op that made the view says it."""
    axis, type = integer(op.index), op.source.type
    if axis is None or not isinstance(type, MemRefType) or not 0 <= axis < len(type.shape.data):
        return None
    size = type.get_shape()[axis]
    if size != DYNAMIC_INDEX:
        return integer_attribute(size, IndexType())
    maker = maker_of(op.source)
    if maker is None:  # a parameter, as mostly
        return None
    if isinstance(maker, memref.AllocaOp | memref.AllocOp):
        before = sum(1 for known in type.get_shape()[:axis] if known == DYNAMIC_INDEX)
        return maker.dynamic_sizes[before]
    if isinstance(maker, memref.CastOp) and isinstance(maker.source.type, MemRefType):
        op.operands = (maker.source, op.index)
        return True
    if isinstance(maker, memref.SubviewOp | memref.ReinterpretCastOp):
        return _listed_size(maker, axis, len(type.shape.data))
    return None


def _listed_size(
    maker: memref.SubviewOp | memref.ReinterpretCastOp, axis: int, rank: int
) -> Folded:
    """The dynamic size that makes the axis; not where it is unclear which axes were dropped."""
    sizes: Sequence[int] = maker.static_sizes.get_values()
    if len(sizes) != rank:
        if len(sizes) - sum(1 for size in sizes if size == 1) != rank:
            return None
        kept = [index for index, size in enumerate(sizes) if size != 1]
        axis = kept[axis]
    if sizes[axis] != DYNAMIC_INDEX:
        return integer_attribute(sizes[axis], IndexType())
    return maker.sizes[sum(1 for size in sizes[:axis] if size == DYNAMIC_INDEX)]


@rule(memref.CastOp)
def _fold_view_cast(op: memref.CastOp, editor: Editor) -> Folded:
    if op.source.type == op.dest.type:
        return op.source
    inner = op.source.owner
    if isinstance(inner, memref.CastOp) and inner.source.type == op.dest.type:
        return inner.source
    return None


@rule(gpux.CheckOp)
def _fold_check(op: gpux.CheckOp, editor: Editor) -> Folded:
    """A check that cannot fail does nothing."""
    if not integer(op.condition):
        return None
    editor.erase(op)
    return True


# --- conditions -----------------------------------------------------------------------------------


@rule(scf.IfOp)
def _fold_if(op: scf.IfOp, editor: Editor) -> Folded:
    condition = integer(op.cond)
    if condition is not None:
        region = op.true_region if condition else op.false_region
        inline_block(op, region.first_block, (), editor)
        return True
    if _tell_branches(op, editor):
        return True
    if not op.results:
        return _drop_empty_else(op)
    known = _decided_results(op, editor)
    dead = {i for i, result in enumerate(op.results) if result.first_use is None}
    if not known and not dead:
        return None
    for index, value in known.items():
        editor.replace(op.results[index], value)
    gone = dead | known.keys()
    for region in op.regions:
        _drop_yielded(region, gone, editor)
    _rebuild(op, tuple(op.operands), gone, editor)
    return True


def _drop_empty_else(op: scf.IfOp) -> Folded:
    block = op.false_region.first_block
    if block is None or not isinstance(block.first_op, scf.YieldOp):
        return None
    block.first_op.detach()
    op.false_region.detach_block(block)
    return True


def _tell_branches(op: scf.IfOp, editor: Editor) -> bool:
    """Inside `scf.if %c` the condition is known: true in the first region, false in the second."""
    if op.cond.has_one_use():
        return False
    changed = False
    for use in tuple(op.cond.uses):
        inside = _region_around(use.operation, op)
        if inside is None:
            continue
        block = inside.first_block
        assert block is not None, "a region with a use has a block"
        assert block.first_op is not None, "a block with a use has ops"
        known = boolean(inside is op.true_region)
        use.operation.operands[use.index] = editor.constant(block.first_op, known, i1)
        editor.push(use.operation)
        changed = True
    return changed


def _region_around(op: Operation, ancestor: Operation) -> Region | None:
    """The region of `ancestor` that `op` is in."""
    current = op
    while current.parent is not None:
        region = current.parent.parent
        if region is None or region.parent is None:
            return None
        if region.parent is ancestor:
            return region
        current = region.parent
    return None


def _decided_results(op: scf.IfOp, editor: Editor) -> dict[int, SSAValue]:
    """Results that both branches agree on, or that are the condition or its opposite."""
    yes, no = _yield_of(op.true_region), _yield_of(op.false_region)
    if yes is None or no is None:
        return {}
    known: dict[int, SSAValue] = {}
    for index, (a, b) in enumerate(zip(yes.operands, no.operands, strict=True)):
        if op.results[index].first_use is None:
            continue
        if a is b:
            known[index] = a
        elif a.type == i1:
            first, second = integer(a), integer(b)
            if first and second == 0:
                known[index] = op.cond
            elif first == 0 and second:
                known[index] = editor.negation(op, op.cond)
        elif (value := integer(a)) is not None and value == integer(b):
            attribute = integer_attribute(value, a.type)
            if attribute is not None:
                known[index] = editor.constant(op, attribute, a.type)
    return known


@rule(scf.IndexSwitchOp)
def _fold_switch(op: scf.IndexSwitchOp, editor: Editor) -> Folded:
    value = integer(op.arg)
    if value is None:
        return None
    cases = [int(case) for case in op.cases.get_values()]
    region = op.case_regions[cases.index(value)] if value in cases else op.default_region
    inline_block(op, region.first_block, (), editor)
    return True


# --- loops ----------------------------------------------------------------------------------------


@rule(scf.ForOp)
def _fold_for(op: scf.ForOp, editor: Editor) -> Folded:
    low, high, step = integer(op.lb), integer(op.ub), integer(op.step)
    block = op.body.block
    if op.lb is op.ub or (low is not None and high is not None and low >= high):
        editor.replace_op(op, tuple(op.iter_args))
        return True
    if (
        low is not None
        and high is not None
        and step is not None
        and low + step >= high
        and step > 0
    ):
        inline_block(op, block, (op.lb, *op.iter_args), editor)
        return True
    body_end = _yield_of(op.body)
    if body_end is None:
        return None
    gone: set[int] = set()
    for index, (start, argument, end) in enumerate(
        zip(op.iter_args, block.args[1:], body_end.operands, strict=True)
    ):
        if end is argument or end is start:  # never changes
            editor.replace(op.results[index], start)
            editor.replace(argument, start)
            gone.add(index)
        elif op.results[index].first_use is None and argument.first_use is None:
            gone.add(index)
    if not gone:
        return None
    _drop_yielded(op.body, gone, editor)
    for index in sorted(gone, reverse=True):
        block.erase_arg(block.args[index + 1])
    operands = [*op.operands[:3], *_without(op.iter_args, gone)]
    _rebuild(op, operands, gone, editor)
    return True


@rule(scf.WhileOp)
def _fold_while(op: scf.WhileOp, editor: Editor) -> Folded:
    before = op.before_region.block
    condition = before.last_op
    if not isinstance(condition, scf.ConditionOp):
        return None
    if integer(condition.condition) == 0:  # the condition is evaluated once
        inline_block(op, before, tuple(op.arguments), editor)
        return True
    changed = _use_outer_values(op, condition, editor)
    return _drop_passed(op, condition, editor) or _drop_carried(op, condition, editor) or changed


def _use_outer_values(op: scf.WhileOp, condition: scf.ConditionOp, editor: Editor) -> Folded:
    """A value from outside of the loop need not be passed through it."""
    changed = None
    for index, value in enumerate(condition.args):
        argument, result = op.after_region.block.args[index], op.results[index]
        used = argument.first_use is not None or result.first_use is not None
        if used and not _is_made_inside(value, op):
            editor.replace(argument, value)
            editor.replace(result, value)
            changed = True
    return changed


def _is_made_inside(value: SSAValue, op: Operation) -> bool:
    return op.is_ancestor(value.owner) and value.owner is not op


def _drop_passed(op: scf.WhileOp, condition: scf.ConditionOp, editor: Editor) -> Folded:
    """Values that the condition passes on and nobody uses."""
    after = op.after_region.block
    gone = {
        index
        for index, (result, argument) in enumerate(zip(op.results, after.args, strict=True))
        if result.first_use is None and argument.first_use is None
    }
    if not gone:
        return None
    dropped = [condition.args[index] for index in gone]
    condition.operands = (condition.condition, *_without(condition.args, gone))
    for index in sorted(gone, reverse=True):
        after.erase_arg(after.args[index])
    editor.push_makers(dropped)
    _rebuild(op, tuple(op.operands), gone, editor)
    return True


def _drop_carried(op: scf.WhileOp, condition: scf.ConditionOp, editor: Editor) -> Folded:
    """Values that the loop carries without ever changing them."""
    before, after = op.before_region.block, op.after_region.block
    end = _yield_of(op.after_region)
    if end is None:
        return None
    passed: dict[SSAValue, SSAValue] = dict(zip(after.args, condition.args, strict=True))
    gone: set[int] = set()
    for index, (start, argument, last) in enumerate(
        zip(op.arguments, before.args, end.operands, strict=True)
    ):
        if last is start or passed.get(last) is argument:
            editor.replace(argument, start)
            gone.add(index)
        elif argument.first_use is None:
            gone.add(index)
    if not gone:
        return None
    _drop_yielded(op.after_region, gone, editor)
    for index in sorted(gone, reverse=True):
        before.erase_arg(before.args[index])
    _rebuild(op, _without(op.arguments, gone), set(), editor)
    return True


# --- shared ---------------------------------------------------------------------------------------


def _yield_of(region: Region) -> scf.YieldOp | None:
    block = region.first_block
    last = block.last_op if block is not None else None
    return last if isinstance(last, scf.YieldOp) else None


def _without(values: Iterable[SSAValue], gone: Iterable[int]) -> list[SSAValue]:
    gone = set(gone)
    return [value for index, value in enumerate(values) if index not in gone]


def _drop_yielded(region: Region, gone: Iterable[int], editor: Editor) -> None:
    end = _yield_of(region)
    assert end is not None, "a region with results ends in scf.yield"
    gone = set(gone)
    dropped = [end.operands[index] for index in gone]
    end.operands = _without(end.operands, gone)
    editor.push_makers(dropped)


def _rebuild(
    op: Operation, operands: Sequence[SSAValue], gone: Iterable[int], editor: Editor
) -> None:
    """The same op with other operands and without the results in `gone`, which have no uses."""
    gone = set(gone)
    kept = [result for index, result in enumerate(op.results) if index not in gone]
    regions = [op.detach_region(region) for region in tuple(op.regions)]
    new: Operation = type(op).create(
        operands=operands,
        result_types=[result.type for result in kept],
        properties=op.properties,
        attributes=op.attributes,
        location=op.location,
        regions=regions,
    )
    assert op.parent is not None, "the op was removed"
    op.parent.insert_op_before(new, op)
    for old, result in zip(kept, new.results, strict=True):
        editor.replace(old, result)
    editor.push(new)
    editor.erase(op)


def inline_block(
    op: Operation, block: Block | None, arguments: Sequence[SSAValue], editor: Editor
) -> None:
    """Puts the ops of a region's block in the place of `op`; what it ends with are its results."""
    if block is None:
        editor.erase(op)
        return
    for argument, value in zip(block.args, arguments, strict=True):
        editor.replace(argument, value)
    end = block.last_op
    assert end is not None, "a structured region has a terminator"
    assert op.parent is not None, "the op was removed"
    results = end.operands[1:] if isinstance(end, scf.ConditionOp) else end.operands
    results = tuple(results)
    end.detach()
    end.drop_all_references()
    while (first := block.first_op) is not None:
        first.detach()
        op.parent.insert_op_before(first, op)
        editor.push(first)
    editor.replace_op(op, results)
    editor.push_makers(results)
