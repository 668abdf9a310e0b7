"""The ready pipelines: the whole way down on one page, with the reason for each order.

A row is text, so that reading this page loads no pass; `pipeline("simt-to-gpu")` loads them.
"""

from __future__ import annotations

from functools import cache

from ..dialects.diagnostics import CompileError
from ..registry import near_matches
from .pipeline import Pipeline

# One step per line: (text of the pass, why it stands where it stands).
Steps = tuple[tuple[str, str], ...]

PIPELINES: dict[str, Steps] = {
    "simt-to-gpu": (
        ("structure-early-exits", "inlining wants functions with one exit"),
        ("inline", "variables of a callee are promoted together with the caller's"),
        ("promote-variables", "everything after it reads values, not cells"),
        ("canonicalize", "conditions become constant and views known"),
        ("cse", "equal sizes become one value, which is how checks are recognised"),
        ("remove-proven-checks", "before they are expanded into compares"),
        ("lower-checks", "the conditions of the remaining checks can still be simplified"),
        ("simt-to-gpu", "nothing of simt but floor division and arrays is left by now"),
        ("canonicalize", "cleans up after the lowering"),
        ("cse", "the compares of neighbouring checks are often equal"),
    ),
}


@cache
def pipeline(name: str) -> Pipeline:
    """The ready pipeline of that name."""
    if name not in PIPELINES:
        hint = near_matches(name, sorted(PIPELINES))
        raise CompileError(f"no pipeline is called {name!r}", hint=hint)
    return Pipeline.parse(",".join(text for text, _ in PIPELINES[name]))
