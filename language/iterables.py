"""What a `for` can go over: ranges, arrays, tuples, and zip, enumerate, reversed of them.

A loop is either unrolled over items known now, or counted: from a lower to an upper bound by a
positive step, with a function from the counter to the item.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects import arith
from xdsl.ir import SSAValue

from ..dialects.predicates import NE, SGT, UGT
from ..passes.analyses.launch_limits import is_positive_size
from .arrays import dimension, load
from .checks import check
from .convert import convert, number_type, to_type
from .emitter import Emitter
from .operators import binary
from .promotion import promote, settle
from .types import DTYPES, DType, i32, i64, u32, u64
from .typing_of import describe
from .values import (
    Combined,
    RangeValue,
    RecordView,
    Scalar,
    Static,
    TupleValue,
    Value,
    View,
    static_int,
    unpacked,
)

if TYPE_CHECKING:
    from .frame import Frame

_INDEX = DTYPES["index"]
_LONGEST_UNROLLED = 4096


@dataclass(frozen=True)
class Counted:
    """A run-time loop; `item` makes the loop's value from the counter, inside the body."""

    dtype: DType
    lower: Scalar
    upper: Scalar
    step: Scalar
    item: Callable[[Scalar], Value]
    at_least_once: bool = False


@dataclass(frozen=True)
class Unrolled:
    """A loop over items that are known now."""

    items: Sequence[Value]


@dataclass(frozen=True)
class Sequence_:  # noqa: N801
    """A sequence by its length and items, so that zip and the like can combine it."""

    length: Value
    item: Callable[[Value], Value]


def iterate(frame: Frame, node: ast.expr, value: Value) -> Counted | Unrolled:
    """How to go over a value; a located error if it cannot be."""
    if isinstance(value, RangeValue):
        return _unrolled_range(frame, node, value) if value.unroll else _range(frame, node, value)
    items = _static_items(frame, node, value)
    if items is not None:
        return Unrolled(items)
    sequence = _sequence(frame, node, value)
    zero, one = (Scalar(_INDEX, frame.emit.index(number)) for number in (0, 1))
    upper = to_type(frame, node, sequence.length, _INDEX)
    known = static_int(sequence.length)
    return Counted(_INDEX, zero, upper, one, sequence.item, known is not None and known > 0)


def _static_items(frame: Frame, node: ast.expr, value: Value) -> list[Value] | None:
    """The items of what has a tuple or an unrolled range in it; None for a run-time sequence."""
    items = unpacked(value)
    if items is not None:
        return list(items)
    if isinstance(value, RangeValue) and value.unroll:
        return list(_unrolled_range(frame, node, value).items)
    if not isinstance(value, Combined):
        return None
    parts = value.parts[:1] if value.kind == "enumerate" else value.parts
    found = [_static_items(frame, node, part) for part in parts]
    known = [items for items in found if items is not None]
    if not known:
        return None
    if len(known) < len(found):
        raise frame.refuse(
            node,
            "zip of a tuple with something of a length known only at run time",
            hint="loop over the tuple and index the other one",
        )
    if value.kind == "reversed":
        return known[0][::-1]
    if value.kind == "enumerate":
        start = value.parts[1]
        count = range(len(known[0]))
        positions = [binary(frame, node, ast.Add, start, Static(number)) for number in count]
        return [TupleValue(pair) for pair in zip(positions, known[0], strict=True)]
    return [TupleValue(row) for row in zip(*known, strict=False)]


def _unrolled_range(frame: Frame, node: ast.expr, value: RangeValue) -> Unrolled:
    bounds = [static_int(bound) for bound in (value.start, value.stop, value.step)]
    known = [bound for bound in bounds if bound is not None]
    assert len(known) == 3, "unroll has checked that the bounds are constants"
    numbers = range(*known)
    if len(numbers) > _LONGEST_UNROLLED:
        raise frame.refuse(
            node,
            f"{len(numbers)} iterations are too many to unroll (at most {_LONGEST_UNROLLED})",
            hint="leave out sw.unroll",
        )
    return Unrolled([Static(number) for number in numbers])


def _sequence(frame: Frame, node: ast.expr, value: Value) -> Sequence_:
    if isinstance(value, (View, RecordView)):
        return Sequence_(dimension(frame, value, 0), lambda k: _row(frame, node, value, k))
    if isinstance(value, RangeValue):
        return _range_sequence(frame, node, value)
    if isinstance(value, Combined):
        return _combined(frame, node, value)
    hint = None
    if isinstance(value, Scalar):
        hint = f"write range({frame.text_of(node)})"
    raise frame.refuse(node, f"cannot loop over {describe(value)}", hint=hint)


def _row(frame: Frame, node: ast.expr, view: View | RecordView, position: Value) -> Value:
    """`view[position]`, where the loop has made sure that it is inside."""
    at = to_type(frame, node, position, _INDEX).ssa
    if len(view.sizes) == 1:
        return load(frame, view, [at])
    from .slices import row_view

    return row_view(frame, view, at)


def _combined(frame: Frame, node: ast.expr, value: Combined) -> Sequence_:
    if value.kind == "enumerate":
        inner, start = _sequence(frame, node, value.parts[0]), value.parts[1]
        return Sequence_(
            inner.length,
            lambda k: TupleValue((binary(frame, node, ast.Add, start, k), inner.item(k))),
        )
    parts = [_sequence(frame, node, part) for part in value.parts]
    if value.kind == "reversed":
        length = parts[0].length

        def backwards(k: Value) -> Value:
            last = binary(frame, node, ast.Sub, length, Static(1))
            return parts[0].item(binary(frame, node, ast.Sub, last, k))

        return Sequence_(length, backwards)
    from .builtin_functions import BUILTINS

    shortest = BUILTINS["min"].handler(frame, node, *(part.length for part in parts))
    return Sequence_(shortest, lambda k: TupleValue(tuple(part.item(k) for part in parts)))


def _counter_type(frame: Frame, node: ast.expr, value: RangeValue) -> DType:
    """The type of the items: what the bounds promote to."""
    bounds = (value.start, value.stop, value.step)
    common = number_type(frame, node, bounds[0])
    for bound in bounds[1:]:
        other = number_type(frame, node, bound)
        found = promote(common, other)
        if found is None:
            raise frame.refuse(
                node,
                f"range() bounds of types {common} and {other} have no common type",
                hint="cast one of them",
            )
        common = found
    common = settle(common)
    return i32 if common.bits < 32 else common  # Python's range gives ints, which do not wrap


def _range(frame: Frame, node: ast.expr, value: RangeValue) -> Counted:
    dtype = _counter_type(frame, node, value)
    if dtype is u64 or not _is_positive(frame, value.step):
        sequence = _range_sequence(frame, node, value)
        upper = to_type(frame, node, sequence.length, _INDEX)
        zero, one = (Scalar(_INDEX, frame.emit.index(number)) for number in (0, 1))
        return Counted(_INDEX, zero, upper, one, sequence.item, _runs(value))
    # Bounds are compared as signed numbers; an index of a shader does not hold every u32.
    work = i64 if dtype is u32 else dtype
    lower, upper, by = (
        to_type(frame, node, to_type(frame, node, bound, dtype), work)
        for bound in (value.start, value.stop, value.step)
    )

    def item(counter: Scalar) -> Value:
        return Scalar(dtype, convert(frame.emit, counter.ssa, work, dtype))

    return Counted(work, lower, upper, by, item, _runs(value))


def _is_positive(frame: Frame, step: Value) -> bool:
    """Whether a step is known to be above zero."""
    known = static_int(step)
    if known is not None:
        return known > 0
    # Before there is code there are no values: what is not known here only changes the counter.
    value = step.ssa if isinstance(step, Scalar) else None
    return isinstance(value, SSAValue) and is_positive_size(value, frame.unit.block)


def _runs(value: RangeValue) -> bool:
    """Whether it is known that a range is not empty."""
    bounds = [static_int(bound) for bound in (value.start, value.stop, value.step)]
    known = [bound for bound in bounds if bound is not None]
    return len(known) == 3 and len(range(*known)) > 0


def _range_sequence(frame: Frame, node: ast.expr, value: RangeValue) -> Sequence_:
    """A range by its length and the formula of its items: steps of any sign."""
    dtype = _counter_type(frame, node, value)
    known = [static_int(bound) for bound in (value.start, value.stop, value.step)]
    start = to_type(frame, node, value.start, dtype)
    step = to_type(frame, node, value.step, dtype)

    def item(k: Value) -> Value:
        position = Scalar(dtype, to_type(frame, node, k, dtype).ssa)
        offset = frame.emit.binary(arith.MuliOp, position.ssa, step.ssa, dtype)
        return Scalar(dtype, frame.emit.binary(arith.AddiOp, start.ssa, offset, dtype))

    numbers = [bound for bound in known if bound is not None]
    if len(numbers) == 3:
        return Sequence_(Static(len(range(*numbers))), item)
    return Sequence_(_range_length(frame, node, value, dtype), item)


def _range_length(frame: Frame, node: ast.expr, value: RangeValue, dtype: DType) -> Value:
    """max(0, ceil((stop - start) / step)) as an index, with a distance that is right unsigned."""
    emit = frame.emit
    work = i64 if dtype.bits < 64 else dtype
    start, stop, by = (
        to_type(frame, node, to_type(frame, node, bound, dtype), work).ssa
        for bound in (value.start, value.stop, value.step)
    )
    step, zero = static_int(value.step), emit.constant(0, work)
    if step is not None:
        low, high = (start, stop) if step > 0 else (stop, start)
        return _steps(emit, work, low, high, emit.constant(abs(step), work))
    if frame.unit.checks:
        check(frame, emit.compare(NE, by, zero, floats=False), "assert", "range() step is zero")
    if work is u64:
        return _steps(emit, work, start, stop, by)
    upwards = emit.compare(SGT, by, zero, floats=False)
    back = emit.binary(arith.SubiOp, zero, by, work)
    size = emit.select(upwards, by, back, work)
    low = emit.select(upwards, start, stop, work)
    high = emit.select(upwards, stop, start, work)
    return _steps(emit, work, low, high, size)


def _steps(emit: Emitter, dtype: DType, low: SSAValue, high: SSAValue, step: SSAValue) -> Value:
    """How many steps lead from low to high: 0 if high is not above low."""
    one, zero = emit.constant(1, dtype), emit.constant(0, dtype)
    more = emit.compare(UGT if dtype is u64 else SGT, high, low, floats=False)
    distance = emit.binary(arith.SubiOp, high, low, dtype)
    reached = emit.binary(arith.SubiOp, distance, one, dtype)
    count = emit.binary(arith.DivUIOp, reached, step, dtype)
    count = emit.binary(arith.AddiOp, count, one, dtype)
    if dtype is not _INDEX:  # as many as an index can say; nobody goes round more often
        count = emit.binary(arith.MinUIOp, count, emit.constant((1 << 63) - 1, dtype), dtype)
    count = emit.select(more, count, zero, dtype)
    return Scalar(_INDEX, convert(emit, count, dtype, _INDEX))
