"""Sizes that a launch is held to, so that the kernel need not check them: `gpux.sizes`.

y[i] = a * x[i]            where i < y.shape[0]: asks that x is at least as long as y
y[i] = 0                   where i < n, a parameter: asks that y has at least n elements
bins[word & 255] += 1      asks that bins has at least 256
y[64 * block_id(0) + 63]   asks for no more blocks along x than there are 64s in y

A launch that is not so takes other code, with checks. What is asked has to be likely, therefore: an
access that no condition guards is of every thread, so what its check needs is asked of the grid and
the block too; under a condition that looks at the place of a thread it may be that no thread is
outside though there are too many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, i64
from xdsl.ir import Attribute, Operation

from ...dialects import gpu, marks, simt
from .difference_bounds import Node
from .launch_bounds import MOST_ELEMENTS, LaunchBounds
from .launch_numbers import LaunchNumber
from .thread_places import Guards
from .value_ranges import Ranges

MOST_ROWS = 16


class AskedSizes:
    """What one kernel asks for; nothing where launches cannot be asked."""

    def __init__(self, ranges: Ranges):
        kernel = ranges.function
        asks = isinstance(kernel, gpu.FuncOp) and marks.SIZES in kernel.attributes
        self._kernel = kernel if asks and isinstance(kernel, gpu.FuncOp) else None
        self._ranges = ranges
        self._bounds = None if self._kernel is None else LaunchBounds(ranges, self._kernel)
        self._guards = Guards()
        self._rows: list[LaunchNumber] = []

    def ask(self, op: simt.CheckIndexOp, index: Node, offset: int) -> bool:
        """Whether the check holds in all launches with certain sizes, which are asked for then.

        The index is `index + offset`, and not negative.
        """
        if self._bounds is None:
            return False
        size = self._bounds.exact(*self._ranges.size(op.view, op.dimension.value.data))
        if size is None:
            return False
        above = [one.plus(size, -1).shifted(1) for one in self._bounds.upper(index, offset)]
        if any(one.is_never_above_zero() for one in above):
            return True
        asked = {row.terms for row in self._rows}
        above.sort(key=lambda one: (one.terms not in asked, _is_about_itself(one)))
        return any(self._is_likely(op, one) and self._add(one) for one in above)

    def _is_likely(self, op: Operation, least: LaunchNumber) -> bool:
        """Whether most launches have such sizes: arrays are of equal length, or longer by one; or
        they are of whole tiles."""
        if not least.terms:
            return False  # no launch is so
        shapes = [term for term, count in least.terms if count > 0 and term.is_shape]
        if any(self._guards.look_at(op, term.parameter, term.axis) for term in shapes):
            return False
        others = [term for term, count in least.terms if count > 0 and not term.is_shape]
        if not others:
            return bool(shapes) or least.number <= MOST_ELEMENTS
        return least.slack() < max(2, *(term.divisor for term in others))

    def _add(self, row: LaunchNumber) -> bool:
        """Ask that a number is not above 0; one row for those that differ by a constant."""
        for place, other in enumerate(self._rows):
            if other.terms == row.terms:
                if row.number > other.number:
                    self._rows[place] = row
                    self._write()
                return True
        if len(self._rows) >= MOST_ROWS:
            return False
        self._rows.append(row)
        self._write()
        return True

    def _write(self) -> None:
        assert self._kernel is not None, "only a kernel asks"
        rows = [DenseArrayBase.from_list(i64, _numbers(row)) for row in self._rows]
        self._kernel.attributes[marks.SIZES] = ArrayAttr(rows)


def size_rows(kernel: Operation) -> tuple[tuple[int, ...], ...]:
    """The rows of `gpux.sizes`."""
    rows: Any = kernel.attributes.get(marks.SIZES)
    found: Sequence[Attribute] = () if rows is None else rows.data
    return tuple(
        tuple(map(int, row.get_values())) for row in found if isinstance(row, DenseArrayBase)
    )


def _is_about_itself(least: LaunchNumber) -> bool:
    """Whether a size would be asked to be a multiple of a number, and no more."""
    places = [term[:2] for term, _ in least.terms]
    return len(places) > len(set(places))


def _numbers(row: LaunchNumber) -> list[int]:
    return [row.number, *(n for term, count in row.terms for n in (count, *term))]
