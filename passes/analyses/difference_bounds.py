"""What ranges are made of: `value <= node + number`; see `value_ranges.py` for what a node is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from xdsl.ir import SSAValue

Node: TypeAlias = int | tuple[str, int, int]
Bound: TypeAlias = tuple[Node, int]  # node + number
ZERO: Node = 0
# Values, each with the condition (and its outcome) under which it is chosen.
Cases: TypeAlias = Sequence[tuple[SSAValue, SSAValue | None, bool]]


@dataclass
class Definition:
    """The bounds that follow from how a node is computed; the value is one of the cases."""

    upper: list[Bound] = field(default_factory=list[Bound])
    lower: list[Bound] = field(default_factory=list[Bound])
    cases: Cases = ()
