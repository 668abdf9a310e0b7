"""`a if c else b` and what is like it: one of two values by a condition of the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xdsl.dialects import arith
from xdsl.ir import Block, SSAValue
from xdsl.traits import is_side_effect_free

from ..dialects import simt
from .convert import convert, materialise, store_value, to_type
from .emitter import body
from .promotion import WEAK
from .types import DType, Type, bool_
from .typing_of import describe, join_types, settle_type, type_of
from .values import Scalar, Value, Weak
from .variables import flatten, rebuild

if TYPE_CHECKING:
    from .frame import Frame


def choose(
    frame: Frame,
    test: Value,
    then: Callable[[], Value],
    orelse: Callable[[], Value],
    check: Callable[[Value, Value], None] | None = None,
) -> Value:
    """One of two values by a run-time condition; only the chosen one's effects happen."""
    assert isinstance(test, Scalar), "a constant condition has been folded"
    before = None if frame.assigned is None else set(frame.assigned)
    with frame.region() as first:
        a = then()
    frame.assigned = None if before is None else set(before)
    with frame.region() as second:
        b = orelse()
    frame.assigned = before
    if check is not None:
        check(a, b)
    weak = _weak_type(a, b)
    if weak is not None:
        return _weak_choice(frame, test, (first, a), (second, b), weak)
    left, right = type_of(a), type_of(b)
    joined = _common_type(left, right)
    if joined is None:
        raise frame.refuse(
            frame.node, f"the two sides are {describe(a)} and {describe(b)}, expected one type"
        )
    joined = settle_type(joined)
    return _join_blocks(frame, test, (first, a), (second, b), joined)


def _common_type(a: Type | None, b: Type | None) -> Type | None:
    from .promotion import promote

    if isinstance(a, DType) and isinstance(b, DType):
        if (a is bool_) != (b is bool_):
            return None
        return promote(a, b)
    return None if a is None or b is None else join_types(a, b)


def _weak_type(a: Value, b: Value) -> DType | None:
    """The type of a choice of two literals, which still adapts to what it meets."""
    from .promotion import WEAK_FLOAT, WEAK_INT

    left, right = type_of(a), type_of(b)
    if left not in WEAK or right not in WEAK:
        return None
    return WEAK_INT if left is right is WEAK_INT else WEAK_FLOAT


def _weak_choice(
    frame: Frame, test: Scalar, then: tuple[Block, Value], orelse: tuple[Block, Value], type_: DType
) -> Weak:
    """A choice between literals, which may be choices themselves, by conditions of their side."""
    node, emit = frame.node, frame.emit
    inner = [value.tests if isinstance(value, Weak) else () for _, value in (then, orelse)]
    if not emit.dry:
        inner = _tests_outside(frame, test, (then[0], orelse[0]), inner)
    split = 1 + len(inner[0])

    def make(tests: tuple[SSAValue, ...], dtype: DType) -> SSAValue:
        a = to_type(frame, node, _with_tests(then[1], tests[1:split]), dtype)
        b = to_type(frame, node, _with_tests(orelse[1], tests[split:]), dtype)
        return emit.select(tests[0], a.ssa, b.ssa, dtype)

    return Weak(type_, (test.ssa, *inner[0], *inner[1]), make)


def _with_tests(value: Value, tests: tuple[SSAValue, ...]) -> Value:
    return Weak(value.dtype, tests, value.make) if isinstance(value, Weak) else value


def _tests_outside(
    frame: Frame,
    test: Scalar,
    blocks: tuple[Block, Block],
    tests: list[tuple[SSAValue, ...]],
) -> list[tuple[SSAValue, ...]]:
    """Emit what the two sides do, and give the conditions found there as values after it."""
    emit = frame.emit
    if all(is_side_effect_free(op) for block in blocks for op in block.ops):
        for block in blocks:
            emit.splice(block)
        return tests
    cells: list[list[SSAValue]] = []
    for block, found in zip(blocks, tests, strict=True):
        cells.append([emit.cell(bool_, "choice") for _ in found])
        for cell in cells[-1]:  # the other side may be the one that runs
            emit.set(emit.constant(False, bool_), cell)
        outer, emit.block = emit.block, block
        for cell, value in zip(cells[-1], found, strict=True):
            emit.set(value, cell)
        emit.add(simt.YieldOp)
        emit.block = outer
    emit.add(simt.IfOp, (test.ssa,), regions=(body(blocks[0]), body(blocks[1])))
    return [tuple(emit.get(cell, bool_) for cell in side) for side in cells]


def _join_blocks(
    frame: Frame,
    test: Scalar,
    then: tuple[Block, Value],
    orelse: tuple[Block, Value],
    type_: Type,
) -> Value:
    emit = frame.emit
    sides: list[list[Scalar]] = []
    for block, value in (then, orelse):
        outer, emit.block = emit.block, block
        converted = _convert_tree(frame, value, type_)
        sides.append(flatten(converted))
        emit.block = outer
    dtypes = [scalar.dtype for scalar in sides[0]]
    if emit.dry:
        return rebuild(type_, (Scalar(d, test.ssa) for d in dtypes))
    if all(is_side_effect_free(op) for block in (then[0], orelse[0]) for op in block.ops):
        emit.splice(then[0])
        emit.splice(orelse[0])
        results = [_pick(frame, test, a, b) for a, b in zip(*sides, strict=True)]
        return rebuild(type_, results)
    cells = [emit.cell(dtype, "choice") for dtype in dtypes]
    for block, scalars in zip((then[0], orelse[0]), sides, strict=True):
        outer, emit.block = emit.block, block
        for cell, scalar in zip(cells, scalars, strict=True):
            emit.set(scalar.ssa, cell)
        emit.add(simt.YieldOp)
        emit.block = outer
    emit.add(simt.IfOp, (test.ssa,), regions=(body(then[0]), body(orelse[0])))
    results = [Scalar(d, emit.get(c, d)) for c, d in zip(cells, dtypes, strict=True)]
    return rebuild(type_, results)


def _pick(frame: Frame, test: Scalar, a: Scalar, b: Scalar) -> Scalar:
    """A select, or for bools the and/or that it is."""
    if a.dtype is not bool_:
        return Scalar(a.dtype, frame.emit.select(test.ssa, a.ssa, b.ssa, a.dtype))
    if a.ssa is test.ssa:
        return Scalar(bool_, frame.emit.binary(arith.OrIOp, test.ssa, b.ssa, bool_))
    if b.ssa is test.ssa:
        return Scalar(bool_, frame.emit.binary(arith.AndIOp, test.ssa, a.ssa, bool_))
    return Scalar(bool_, frame.emit.select(test.ssa, a.ssa, b.ssa, bool_))


def _convert_tree(frame: Frame, value: Value, type_: Type) -> Value:
    """Like `store_value`, but a promotion: an integer beside a float becomes a float."""
    if isinstance(type_, DType):
        scalar = materialise(frame, frame.node, value, type_)
        return Scalar(type_, convert(frame.emit, scalar.ssa, scalar.dtype, type_))
    return store_value(frame, frame.node, value, type_, "the value")
