"""The ready pipelines: the whole way down on one page, with the reason for each order.

A row is text, so that reading this page loads no pass; `pipeline("gpu-to-cpu", subgroup_size=8)`
loads them. `$name` in a row is a parameter of the target.
"""

from __future__ import annotations

from functools import cache
from string import Template

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
        ("uplift-while-to-for", "what counts is a value now; of loops more can be proven"),
        ("remove-proven-checks", "before they are expanded into compares"),
        ("lower-checks", "the conditions of the remaining checks can still be simplified"),
        ("simt-to-gpu", "nothing of simt but floor division and arrays is left by now"),
        ("canonicalize", "cleans up after the lowering"),
        ("cse", "the compares of neighbouring checks are often equal"),
    ),
    "gpu-to-cpu": (
        ("expand-matrices{subgroup-size=$subgroup_size}", "lanes have ids until they are loops"),
        ("unroll-array-loops", "indices of arrays are constants then"),
        ("promote-arrays", "what loops carry is kept for each thread; before, arrays would be"),
        (
            "gpu-to-cpu{subgroup-size=$subgroup_size vectors=true}",
            "adds checks that barriers are uniform",
        ),
        ("canonicalize", "sizes of blocks and subgroups are constant now"),
        ("cse", "every thread region computes its ids"),
        ("number-report-sites", "when every check and print exists, and before any is copied"),
        ("bound-by-guards", "then all threads that run make the checks"),
        ("hoist-block-checks", "what it takes out of a loop need not be solved for each row"),
        ("split-checked-loops", "wants the loops over threads, and invariant values outside"),
        ("canonicalize", "guards that became true"),
        ("hoist-uniform-loads", "behind checks and guards loads stand where all threads come"),
        ("join-rows", "without checks, threads do nothing with their ids but to find elements"),
        (
            "stream-stores{wanted=$streams}",
            "checks and guards are out of the loops, which are LLVM's unless made vectors here",
        ),
        (
            "vectorise-subgroups{width=$subgroup_size always=$always_vectors gathers=$gathers "
            "masks=$masks}",
            "the loops that are split have no guards, and cold ones are no loops over threads",
        ),
        ("version-row-lengths", "loops that are not vectors by now are LLVM's"),
        ("fetch-ahead{wanted=$fetches}", "vectors are stored by now"),
        ("outline-cold-loops", "when the constants that a cold loop uses are constants"),
        (
            "expand-math{scales=$scales}",
            "late: only LLVM looks at what it gives, and vectorises it",
        ),
    ),
    "cpu-to-llvm": (
        (
            "to-llvm{half-instructions=$half_instructions scales=$scales}",
            "LLVM itself simplifies what it gives",
        ),
        ("unpack-arguments", "arguments are addresses and numbers by now"),
    ),
    "gpu-to-grid": (
        ("guard-extents", "everything after it holds for threads that have an item"),
        (
            "expand-math{keep-approximate=$approximates keep-exp=$accurate_exp2}",
            "before what it gives can be simplified",
        ),
        ("canonicalize", "constant arguments of functions"),
        ("cse", "the same function of the same value"),
        ("narrow-indices", "when no index is computed any more; conditions say how large they are"),
        ("number-report-sites", "when every check and print exists"),
    ),
    "grid-to-shader": (
        ("inline", "functions of a shader take no arrays"),
        ('lower-matrices{features="$arch"}', "what it adds are accesses, and arithmetic"),
        ("flatten-memrefs", "everything after it sees which array an access is of"),
        ('split-vectors{features="$arch"}', "when arrays have one dimension"),
        (
            'lower-subgroups-to-shared{features="$arch"}',
            "sees types as the program has them; what it adds are arrays, and indices of lanes",
        ),
        ('legalise-memory{features="$arch"}', "sees the types of elements as the program has them"),
        ('emulate-types{features="$arch"}', "when no emulated type is in memory"),
        (
            "check-loop-ends{wanted=$loops_end_early}",
            "all loops exist by now, also those made here",
        ),
        ('expand-fma{features="$arch"}', "those of f16 and bf16 are of f32 by now"),
        ('expand-inexact{features="$arch"}', "quotients of emulated types are of f32 by now"),
        ("canonicalize", "indices of neighbouring accesses, words that are put together"),
        ("cse", "the same, and numbers that are extended again"),
        ("number-report-sites", "again, since loops have got checks"),
    ),
    "shader-to-spirv": (('gpu-to-spirv{arch="$arch"}', "the device itself simplifies"),),
    "grid-to-nvvm": (("gpu-to-nvvm{arch=$arch}", "LLVM itself simplifies what it gives"),),
}


# What a target need not say.
DEFAULTS = {
    **{"loops_end_early": "false", "accurate_exp2": "false", "approximates": "false"},
    **{"always_vectors": "false", "masks": "true", "gathers": "true", "streams": "false"},
    **{"fetches": "false", "scales": "false"},
}


@cache
def pipeline(name: str, **parameters: object) -> Pipeline:
    """The ready pipeline of that name; parameters that it does not mention are not used."""
    if name not in PIPELINES:
        hint = near_matches(name, sorted(PIPELINES))
        raise CompileError(f"no pipeline is called {name!r}", hint=hint)
    text = ",".join(step for step, _ in PIPELINES[name])
    try:
        return Pipeline.parse(Template(text).substitute(DEFAULTS, **parameters))
    except KeyError as missing:
        raise CompileError(f"pipeline {name!r} needs the parameter {missing}") from None
