"""The level graph: each lowering says the level that it takes and the one that it gives.

    route("simt", "cpu", subgroup_size=8)      the pipeline that goes there over the fewest steps

A package that brings its own level needs one lowering, to any level, to reach every device:

    register_level(Level("mine", ...))
    register_lowering(Lowering("mine", "gpu", lambda **target: Pipeline((MineToGpu(),))))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from xdsl.passes import ModulePass

from ..dialects.diagnostics import CompileError
from .levels import check_level, find_level
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
    return lowering


def step(takes: str, gives: str, **parameters: object) -> Pipeline:
    """The cheapest pipeline that goes from one level to the next one; CompileError if none does."""
    rows = [row for row in LOWERINGS if (row.takes, row.gives) == (takes, gives)]
    if not rows:
        raise CompileError(f"no lowering leads from level {takes!r} to {gives!r} at once")
    return min(rows, key=lambda row: row.cost).pipeline(**parameters)


def route(start: str, end: str, *, check: bool = False, **parameters: object) -> Pipeline:
    """The cheapest pipeline from level to level; with `check`, each level on the way is checked.

    `parameters` are the target's, such as `subgroup_size`. Raises CompileError if there is none.
    """
    import networkx  # takes 100 ms to load

    find_level(start)
    find_level(end)
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from((start, end))
    for lowering in sorted(LOWERINGS, key=lambda row: -row.cost):  # the cheapest stays
        graph.add_edge(lowering.takes, lowering.gives, row=lowering, cost=lowering.cost)
    try:
        levels: list[str] = networkx.dijkstra_path(graph, start, end, weight="cost")
    except networkx.NetworkXNoPath:
        reachable = sorted(set(networkx.dfs_preorder_nodes(graph, start)) - {start})
        known = ", ".join(reachable) if reachable else "no level"
        raise CompileError(
            f"no lowering leads from level {start!r} to {end!r}",
            hint=f"from {start!r} there is a way to {known}",
        ) from None
    whole = Pipeline((CheckLevel(start),)) if check else Pipeline()
    for takes, gives in pairwise(levels):
        row: Lowering = graph.edges[takes, gives]["row"]
        whole += row.pipeline(**parameters)
        if check:
            whole += CheckLevel(gives)
    return whole
