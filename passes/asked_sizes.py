"""Sizes that a launch is held to, so that the kernel need not check them: `gpux.sizes`.

y[i] = a * x[i]            where i < y.shape[0]: asks that x is at least as long as y
y[i] = 0                   where i < n, a parameter: asks that y has at least n elements
bins[word & 255] += 1      asks that bins has at least 256
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, MemRefType, i64
from xdsl.ir import Attribute, Operation

from ..dialects import gpu, gpux, simt
from .block_editing import is_integer
from .value_ranges import ZERO, Node, Ranges

# A launch with smaller arrays takes other code, with checks: what is asked has to be likely.
MOST_ELEMENTS = 1 << 16
MOST_ROWS = 16
_Places: TypeAlias = dict[Node, tuple[int, int]]


def ask_for_size(ranges: Ranges, op: simt.CheckIndexOp, index: Node, offset: int) -> bool:
    """Whether the check holds in all launches with certain sizes, which the kernel asks for then.

    The index is `index + offset`, and not negative.
    """
    kernel = ranges.function
    if not isinstance(kernel, gpu.FuncOp):
        return False
    rows: Any = kernel.attributes.get(gpux.SIZES)
    if rows is None:
        return False
    axes, numbers = _known_to_launch(ranges, kernel)
    size, number = ranges.size(op.view, op.dimension.value.data)
    if size not in axes or number:
        return False
    reached = ranges.reach(index, upper=True)
    for known in (axes, numbers):
        for node, above in reached.items():
            least = above + offset + 1
            if node in known and _is_likely(node, size, least):
                row = DenseArrayBase.from_list(i64, [*axes[size], *known[node], least])
                return _add(kernel, rows, row)
    return False


def size_rows(kernel: Operation) -> tuple[tuple[int, ...], ...]:
    """The rows of `gpux.sizes`."""
    rows: Any = kernel.attributes.get(gpux.SIZES)
    found: Sequence[Attribute] = () if rows is None else rows.data
    return tuple(
        tuple(map(int, row.get_values())) for row in found if isinstance(row, DenseArrayBase)
    )


def _is_likely(node: Node, size: Node, least: int) -> bool:
    """Whether most launches have such sizes: arrays are of equal length, or longer by one."""
    return least <= MOST_ELEMENTS if node == ZERO else node != size and least <= 1


def _add(kernel: gpu.FuncOp, rows: ArrayAttr[Attribute], row: Attribute) -> bool:
    if row in rows.data:
        return True
    if len(rows.data) >= MOST_ROWS:
        return False
    kernel.attributes[gpux.SIZES] = ArrayAttr([*rows.data, row])
    return True


def _known_to_launch(ranges: Ranges, kernel: gpu.FuncOp) -> tuple[_Places, _Places]:
    """Sizes of the kernel's arrays, and numbers: its scalars and extents, and zero."""
    axes: _Places = {}
    numbers: _Places = {ZERO: (-1, 0)}
    for position, value in enumerate(kernel.parameters):
        kind: Any = value.type
        if isinstance(kind, MemRefType):
            for axis, size in enumerate(kind.get_shape()):
                if size < 0:
                    axes[ranges.size(value, axis)[0]] = position, axis
        elif is_integer(value.type):
            numbers[ranges.bound(value)[0]] = position, 0
    return axes, numbers
