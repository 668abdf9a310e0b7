"""The level graph: each lowering says the level that it takes and the one that it gives.

    route("simt", "cpu", subgroup_size=8)      the pipeline that goes there over the fewest steps

A package that brings its own level needs one lowering, to any level, to reach every device:

    register_level(Level("mine", ...))
    register_lowering(Lowering("mine", "gpu", lambda **target: Pipeline((MineToGpu(),))))

or entry points of the groups `stepwell.levels` and `stepwell.lowerings`. An installed package's way
between two levels that have one is not taken; `register_lowering` and `cost` are for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from xdsl.passes import ModulePass

from ..dialects.diagnostics import CompileError
from ..registry import Table, decides_code
from .levels import LEVEL_TABLE, check_level, find_level
from .pipeline import Pipeline
from .pipelines import pipeline

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp


@dataclass(frozen=True)
class Lowering:
    """A way from one level to another; `cost` decides between several ways.

    `pipeline` gets the target's parameters by keyword.
    """

    takes: str
    gives: str
    pipeline: Callable[..., Pipeline]
    cost: int = 1


LOWERINGS: list[Lowering] = [
    Lowering("simt", "gpu", partial(pipeline, "simt-to-gpu")),
    Lowering("gpu", "cpu", partial(pipeline, "gpu-to-cpu")),
    Lowering("cpu", "llvm", partial(pipeline, "cpu-to-llvm")),
    Lowering("gpu", "grid", partial(pipeline, "gpu-to-grid")),
    Lowering("shader", "spirv", partial(pipeline, "shader-to-spirv")),
    Lowering("grid", "nvvm", partial(pipeline, "grid-to-nvvm")),
    Lowering("grid", "shader", partial(pipeline, "grid-to-shader")),
]


def _wrong_lowering(name: str, thing: Any) -> str | None:
    if not isinstance(thing, Lowering):
        return f"expected a Lowering, got {thing!r}"
    unknown = {thing.takes, thing.gives}.difference(LEVEL_TABLE.names())
    return f"there is no level {min(unknown)!r}" if unknown else None


LOWERING_TABLE: Table[Lowering] = Table("lowering", "stepwell.lowerings", {}, _wrong_lowering)


@dataclass(frozen=True)
class CheckLevel(ModulePass):
    """Refuses a module that does not keep to the level: `check-level{level=gpu}`."""

    name = "check-level"
    level: str

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Raises CompileError with all offenders; changes nothing."""
        check_level(op, self.level)


def register_lowering(lowering: Lowering) -> Lowering:
    """Adds a lowering; both of its levels must be known."""
    find_level(lowering.takes)
    find_level(lowering.gives)
    LOWERINGS.append(lowering)
    decides_code(lowering.pipeline)
    return lowering


def lowerings() -> list[Lowering]:
    """All of them, the cheapest first; of installed packages those between other levels."""
    ways = {(row.takes, row.gives) for row in LOWERINGS}
    added = [row for row in LOWERING_TABLE.added() if (row.takes, row.gives) not in ways]
    return sorted([*LOWERINGS, *added], key=lambda row: row.cost)


def step(takes: str, gives: str, **parameters: object) -> Pipeline:
    """The cheapest pipeline that goes from one level to the next one; CompileError if none does."""
    rows = [row for row in LOWERINGS if (row.takes, row.gives) == (takes, gives)]
    if not rows:  # looking for what is installed takes 20 ms
        rows = [row for row in lowerings() if (row.takes, row.gives) == (takes, gives)]
    if not rows:
        find_level(takes)
        find_level(gives)
        raise CompileError(
            f"no lowering leads from level {takes!r} to {gives!r} at once",
            hint="add one by register_lowering, or by an entry point in stepwell.lowerings",
        )
    return min(rows, key=lambda row: row.cost).pipeline(**parameters)


def route(start: str, end: str, *, check: bool = False, **parameters: object) -> Pipeline:
    """The cheapest pipeline from level to level; with `check`, each level on the way is checked.

    `parameters` are the target's, such as `subgroup_size`. Raises CompileError if there is none.
    """
    whole = Pipeline((CheckLevel(start),)) if check else Pipeline()
    for lowering in way_down(start, (end,)):
        whole += lowering.pipeline(**parameters)
        if check:
            whole += CheckLevel(lowering.gives)
    return whole


def way_down(start: str, ends: Sequence[str]) -> list[Lowering]:
    """The cheapest lowerings to the nearest of some levels; CompileError if none is reached."""
    import networkx  # takes 100 ms to load

    for level in (start, *ends):
        find_level(level)
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from((start, *ends))
    for lowering in reversed(lowerings()):  # the cheapest stays
        graph.add_edge(lowering.takes, lowering.gives, row=lowering, cost=lowering.cost)
    lengths: dict[str, float] = networkx.single_source_dijkstra_path_length(
        graph, start, weight="cost"
    )
    reached = [end for end in ends if end in lengths]
    if not reached:
        known = ", ".join(sorted(set(lengths) - {start})) or "no level"
        raise CompileError(
            f"no lowering leads from level {start!r} to {' or '.join(map(repr, ends))}",
            hint=f"from {start!r} there is a way to {known}",
        )
    nearest = min(reached, key=lambda end: lengths[end])
    levels: list[str] = networkx.dijkstra_path(graph, start, nearest, weight="cost")
    return [graph.edges[pair]["row"] for pair in pairwise(levels)]
