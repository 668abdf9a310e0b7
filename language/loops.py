"""`for` and `while`, with break, continue and else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xdsl.ir import Block, Operation, Region

from ..dialects import simt
from .conditions import condition
from .emitter import INDEX, REGISTER, body
from .frame import Loop, merge
from .iterables import Counted, Unrolled, iterate
from .returns import end_region
from .sharing import names_in, note_sharing
from .statements import assign_to
from .types import bool_
from .values import Scalar, Static, TupleValue, Value

if TYPE_CHECKING:
    from .frame import Frame


def for_loop(frame: Frame, node: ast.For) -> None:
    """`for target in iterable: … else: …`."""
    plan = iterate(frame, node.iter, frame.eval(node.iter))
    if isinstance(plan, Unrolled):
        _unrolled(frame, node, plan.items)
    else:
        _counted(frame, node, plan)


def _counted(frame: Frame, node: ast.For, plan: Counted) -> None:
    before = set(frame.assigned or ())
    loop = Loop()
    frame.loops.append(loop)
    with frame.region((REGISTER[plan.dtype],)) as block:
        counter = Scalar(plan.dtype, frame.emit.argument(block, 0))
        assign_to(frame, node.target, plan.item(counter), loop_target=True)
        frame.run(node.body)
        ended = frame.assigned
        end_region(frame)
    frame.loops.pop()
    # A loop that may run no time assigns nothing for sure.
    finished = merge([ended, *loop.continues]) if plan.at_least_once else before
    orelse = _else(frame, node.orelse, finished, loop)
    bounds = (plan.lower.ssa, plan.upper.ssa, plan.step.ssa)
    _emit_loop(frame, simt.ForOp, bounds, (block,), orelse)


def while_loop(frame: Frame, node: ast.While) -> None:
    """`while condition: … else: …`."""
    with frame.region() as test_block:
        test = condition(frame, node.test)
        forever = isinstance(test, Static) and bool(test.value)
        never = isinstance(test, Static) and not test.value
        if isinstance(test, Static):
            test = Scalar(bool_, frame.emit.constant(forever, bool_))
        assert isinstance(test, Scalar), "a condition is a bool"
        if not never:
            frame.emit.add(simt.ConditionOp, (test.ssa,))
    before = set(frame.assigned or ())
    if never:  # the body is not compiled, as in an `if` of a constant
        if not frame.emit.dry:
            frame.emit.splice(test_block)
        frame.run(node.orelse)
        return
    loop = Loop()
    frame.loops.append(loop)
    with frame.region() as block:
        frame.run(node.body)
        end_region(frame)
    frame.loops.pop()
    orelse = _else(frame, node.orelse, None if forever else before, loop)
    _emit_loop(frame, simt.WhileOp, (), (test_block, block), orelse)


def _else(
    frame: Frame, statements: Sequence[ast.stmt], state: set[str] | None, loop: Loop
) -> Block | None:
    """The else block; afterwards, what is assigned on every way out of the loop."""
    frame.assigned = state
    block: Block | None = None
    if statements and state is not None:
        with frame.region() as block:
            frame.run(statements)
            end_region(frame)
    frame.assigned = merge([frame.assigned, *loop.breaks])
    return block


def _emit_loop(
    frame: Frame,
    op: type[Operation],
    operands: Sequence[object],
    blocks: Sequence[Block],
    orelse: Block | None,
) -> None:
    if frame.emit.dry:
        return
    regions = [*map(body, blocks), Region() if orelse is None else body(orelse)]
    frame.emit.add(op, operands, (), regions=regions)  # pyright: ignore[reportArgumentType]


def leave(frame: Frame, is_break: bool) -> None:
    """`break` or `continue`."""
    if not frame.loops:
        raise frame.refuse(frame.node, "break or continue outside a loop")
    loop = frame.loops[-1]
    assert frame.assigned is not None, "unreachable statements are not compiled"
    if is_break:
        loop.breaks.append(set(frame.assigned))
    else:
        loop.continues.append(set(frame.assigned))
    if loop.flag is not None and is_break:
        # The iteration is a loop of its own: leave it, and the flag leaves the outer one.
        frame.emit.set(frame.emit.constant(True, bool_), loop.flag)
    frame.emit.add(simt.BreakOp if is_break else simt.ContinueOp)
    frame.assigned = None


# Unrolled loops. One with exits becomes a loop that runs once, so that its exits have a loop to
# leave; with `continue`, so does each iteration.


def _unrolled(frame: Frame, node: ast.For, items: Sequence[Value]) -> None:
    note_sharing(frame, node.iter, TupleValue(tuple(items)), names_in(node.target))
    breaks, continues = _own_exits(node.body)
    loop = Loop()
    if continues and breaks:
        loop.flag = frame.emit.cell(bool_, "left")
        frame.emit.set(frame.emit.constant(False, bool_), loop.flag)

    def iterations() -> None:
        for item in items:
            if frame.assigned is None:
                return
            if continues:
                _one_iteration(frame, node, item, loop)
            else:
                assign_to(frame, node.target, item, loop_target=True)
                frame.run(node.body)

    if not breaks:
        if continues:
            frame.loops.append(loop)
        iterations()
        if continues:
            frame.loops.pop()
        frame.run(node.orelse)
        return
    frame.loops.append(loop)
    block, ended = _once(frame, iterations)
    frame.loops.pop()
    orelse = _else(frame, node.orelse, ended, loop)
    _emit_once(frame, block, orelse)


def _one_iteration(frame: Frame, node: ast.For, item: Value, loop: Loop) -> None:
    broken = len(loop.breaks)
    loop.continues.clear()

    def run() -> None:
        assign_to(frame, node.target, item, loop_target=True)
        frame.run(node.body)

    block, ended = _once(frame, run)
    _emit_once(frame, block, None)
    left = len(loop.breaks) > broken
    frame.assigned = merge([ended, *loop.continues])
    if loop.flag is None or not left:
        return
    # Inside the iteration a break could only leave the iteration.
    state = frame.assigned
    flag = frame.emit.get(loop.flag, bool_)
    with frame.region() as exit_block:
        frame.emit.add(simt.BreakOp)
    if not frame.emit.dry:
        frame.emit.add(simt.IfOp, (flag,), regions=(body(exit_block), Region()))
    frame.assigned = state


def _once(frame: Frame, run: Callable[[], None]) -> tuple[Block, set[str] | None]:
    """The body of a loop that runs once."""
    with frame.region((INDEX,)) as block:
        run()
        ended = frame.assigned
        end_region(frame)
    return block, ended


def _emit_once(frame: Frame, block: Block, orelse: Block | None) -> None:
    zero, one = frame.emit.index(0), frame.emit.index(1)
    _emit_loop(frame, simt.ForOp, (zero, one, one), (block,), orelse)


def _own_exits(statements: Sequence[ast.stmt]) -> tuple[bool, bool]:
    """Whether the statements of a loop's body have a `break` and a `continue` of that loop."""
    breaks = continues = False
    for statement in statements:
        if isinstance(statement, ast.Break):
            breaks = True
        elif isinstance(statement, ast.Continue):
            continues = True
        elif isinstance(statement, (ast.For, ast.While)):
            inner = _own_exits(statement.orelse)
            breaks, continues = breaks or inner[0], continues or inner[1]
        elif not isinstance(statement, ast.FunctionDef):
            for block in _blocks(statement):
                inner = _own_exits(block)
                breaks, continues = breaks or inner[0], continues or inner[1]
    return breaks, continues


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    if isinstance(statement, ast.If):
        return [statement.body, statement.orelse]
    if isinstance(statement, ast.Match):
        return [case.body for case in statement.cases]
    return []
