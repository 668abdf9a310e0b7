"""`t[i]` of a tuple: an item for a constant, a choice among all of them for an index of the run."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.ir import SSAValue

from ..dialects.predicates import SLT, ULT
from .checks import check
from .choices import choose
from .convert import to_index
from .types import DTYPES, bool_
from .typing_of import describe, type_of
from .values import Scalar, TupleValue, Value, static_int

if TYPE_CHECKING:
    from .frame import Frame

LONGEST_CHOICE = 32
"""Items of a tuple that is indexed at run time: each costs a comparison and a selection."""


def tuple_item(frame: Frame, node: ast.Subscript, items: tuple[Value, ...]) -> Value:
    """An item, or the tuple of a slice; CompileError for an index that is outside or no integer."""
    if isinstance(node.slice, ast.Slice):
        return _slice(frame, node.slice, items)
    if isinstance(node.slice, ast.Tuple):
        at = "".join(f"[{frame.text_of(index)}]" for index in node.slice.elts)
        raise frame.refuse(
            node,
            f"{len(node.slice.elts)} indices of a tuple",
            hint=f"write {frame.text_of(node.value)}{at}",
        )
    index = frame.eval(node.slice)
    position = static_int(index)
    if position is None:
        return _chosen_item(frame, node, index, items)
    if not -len(items) <= position < len(items):
        raise frame.refuse(node.slice, f"index {position} of a tuple of {len(items)} items")
    return items[position]


def _slice(frame: Frame, node: ast.Slice, items: tuple[Value, ...]) -> Value:
    parts = (node.lower, node.upper, node.step)
    bounds = [None if part is None else static_int(frame.eval(part)) for part in parts]
    if any(b is None and p is not None for b, p in zip(bounds, parts, strict=True)):
        raise frame.refuse(node, "the bounds of a tuple's slice must be constants")
    return TupleValue(items[slice(*bounds)])


def _chosen_item(
    frame: Frame, node: ast.Subscript, index: Value, items: tuple[Value, ...]
) -> Value:
    """One of the items, all of which are at hand; as for arrays, a negative index is outside."""
    number = to_index(frame, node.slice, index, "an index")
    for item in items:
        if type_of(item) is None:
            raise frame.refuse(
                node.slice,
                f"the index of a tuple that holds {describe(item)} must be a constant",
                hint="sw.unroll makes the variable of a loop constant",
            )
    if not 0 < len(items) <= LONGEST_CHOICE:
        raise frame.refuse(
            node.slice,
            f"the index of a tuple of {len(items)} items must be a constant "
            f"(of up to {LONGEST_CHOICE} one is chosen at run time)",
            hint="pass a long table as a NumPy array",
        )
    if frame.unit.checks:
        inside = frame.emit.compare(ULT, number, frame.emit.index(len(items)), floats=False)
        message = f"index {{}} is out of bounds for a tuple of {len(items)} items"
        check(frame, inside, "bounds", message, (Scalar(DTYPES["index"], number),))
    return _choice(frame, number, 0, items)


def _choice(frame: Frame, index: SSAValue, first: int, items: Sequence[Value]) -> Value:
    """The item at `index` of those that begin at `first`: halves, so that no chain is long."""
    if len(items) == 1:
        return items[0]
    half = len(items) // 2
    in_left = frame.emit.compare(SLT, index, frame.emit.index(first + half), floats=False)
    return choose(
        frame,
        Scalar(bool_, in_left),
        lambda: _choice(frame, index, first, items[:half]),
        lambda: _choice(frame, index, first + half, items[half:]),
    )
