"""Run-time bounds that follow from how a value is computed: one function per op, in a table.

What an op gives is right where it does not wrap; whoever asks sees to that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xdsl.dialects import arith
from xdsl.ir import Operation

from ..utils.block_editing import constant_value

if TYPE_CHECKING:
    from .run_time_bounds import Bound, Extent, RunTimeBounds


def _add(bounds: RunTimeBounds, op: Any) -> Extent | None:
    a, b = bounds.extent(op.lhs), bounds.extent(op.rhs)
    if a is None or b is None:
        return None
    return bounds.plus(a[0], b[0]), bounds.plus(a[1], b[1])


def _subtract(bounds: RunTimeBounds, op: Any) -> Extent | None:
    a, b = bounds.extent(op.lhs), bounds.extent(op.rhs)
    if a is None or b is None:
        return None
    return bounds.plus(a[0], b[1], -1), bounds.plus(a[1], b[0], -1)


def _multiply(bounds: RunTimeBounds, op: Any) -> Extent | None:
    for value, factor in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        number = constant_value(factor)
        if number is None and bounds.solver.slope(factor) != 0:
            continue
        extent = bounds.extent(value)
        if extent is not None and number is None:
            return bounds.product(extent, factor)
        if extent is not None and abs(number or 0) < bounds.near:
            return bounds.scaled(extent, number or 0)
    return None


def _divide(bounds: RunTimeBounds, op: Any) -> Extent | None:
    extent, number = bounds.extent(op.lhs), constant_value(op.rhs)
    if extent is None or number is None or number <= 0:
        return None
    return bounds.divided(extent, number)


def _shift_right(bounds: RunTimeBounds, op: Any) -> Extent | None:
    extent, number = bounds.extent(op.lhs), constant_value(op.rhs)
    if extent is None or number is None or not 0 <= number < 32:
        return None
    return bounds.divided(extent, 1 << number)


def _remainder(bounds: RunTimeBounds, op: Any) -> Extent | None:
    extent, number = bounds.extent(op.lhs), constant_value(op.rhs)
    if extent is None or number is None or number <= 0:
        return None
    least, _ = bounds.narrow(extent, 0, bounds.far)
    return bounds.between(0, number - 1, least.when)


def _same(bounds: RunTimeBounds, op: Any) -> Extent | None:
    """A cast that keeps the number, if it fits."""
    return bounds.extent(op.operands[0])


def _zero_extended(bounds: RunTimeBounds, op: Any) -> Extent | None:
    extent = bounds.extent(op.operands[0])
    return None if extent is None else bounds.narrow(extent, 0, bounds.far)


def _smaller(bounds: RunTimeBounds, op: Any) -> Extent | None:
    return _chosen(bounds, op, arith.MinSIOp, min)


def _larger(bounds: RunTimeBounds, op: Any) -> Extent | None:
    return _chosen(bounds, op, arith.MaxSIOp, max)


def _chosen(
    bounds: RunTimeBounds, op: Any, kind: type[Operation], choose: Callable[[int, int], int]
) -> Extent | None:
    a, b = bounds.extent(op.lhs), bounds.extent(op.rhs)
    if a is None or b is None:
        return None
    found: list[Bound] = []
    for upper in (False, True):
        one, other = bounds.flat(a[upper], upper), bounds.flat(b[upper], upper)
        base = bounds.solver.binary(kind, one.base, other.base)
        low, high = choose(one.low, other.low), choose(one.high, other.high)
        when = one.when + other.when
        found.append(replace(one, base=base, low=low, high=high, when=when, exact=False))
    return found[0], found[1]


RULES: dict[type[Operation], Callable[[RunTimeBounds, Any], Extent | None]] = {
    arith.AddiOp: _add,
    arith.SubiOp: _subtract,
    arith.MuliOp: _multiply,
    arith.DivSIOp: _divide,
    arith.DivUIOp: _divide,
    arith.RemSIOp: _remainder,
    arith.RemUIOp: _remainder,
    arith.ShRSIOp: _shift_right,
    arith.ShRUIOp: _shift_right,
    arith.MinSIOp: _smaller,
    arith.MaxSIOp: _larger,
    arith.IndexCastOp: _same,
    arith.ExtSIOp: _same,
    arith.TruncIOp: _same,
    arith.ExtUIOp: _zero_extended,
}
