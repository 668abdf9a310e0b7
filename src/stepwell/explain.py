"""`kernel.explain(…)` and `stepwell explain`: what was made of a kernel for a device, in words.

kernel saxpy for cpu, over() of rank 1
  checks at run time: 1
    saxpy.py:9:20  index {} is out of bounds for axis 0 of x with size {}
  shared memory: none
  matrix units:                                        (only if a kernel has matrices for them)
    product.py:12: a product of … is computed by units for 16x16x16 f16 to f32
  stores past the caches:                              (only of large launches)
    saxpy.py:9
  stands for what the device lacks: nothing
  memory traffic:                                      (what a pass of yours notes, as it calls it)
    saxpy.py:5: a thread loads 8 bytes
  uniformity:                                          (only if asked for)
    saxpy.py:9:8  branch: lanes go different ways: both are run, under masks
    saxpy.py:9:20  load of x: consecutive places
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .compiler import build, lower_step
from .dialects import marks
from .dialects.walking import ops_of
from .manifest import block_facts, kernel_of, sites_of, waist_manifest
from .targets import SHADER, Target, find_target

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from .kernel import Kernel
    from .runtime.artifact import Form, Manifest, Site

TITLES = {marks.MATRIX_UNITS: "matrix units", marks.STREAMED: "stores past the caches"}


def explain(
    kernel: Kernel, types: Sequence[Any], target: str, form: Form, *, uniformity: bool = False
) -> str:
    """Compile for these types, and say which checks and which substitutes are in the code.

    With `uniformity`, also how branches, loops and accesses differ between the lanes of a subgroup.
    """
    built = build(kernel, types, form, find_target(target))
    return explain_module(built.module, kernel.__name__, target, "simt", uniformity=uniformity)


def explain_module(
    module: ModuleOp, name: str, target: str, start: str, *, uniformity: bool = False
) -> str:
    """`explain` of a module with one kernel, of level `start` (simt or gpu); it is used up."""
    way = find_target(target)
    lower_step(module, way, start, "gpu")
    manifest = waist_manifest(name, (), module, way)
    spreads = _uniformity(module, way, manifest) if uniformity else []
    sites: tuple[Site, ...] = ()
    said: dict[str, list[str]] = {name: [] for name in (marks.REMARKS, marks.NOTES, *TITLES)}
    for above, level in pairwise(way.levels):
        lower_step(module, way, above, level)
        if level == way.sites_at:
            sites = sites_of(module)
        if level == SHADER:
            manifest = manifest._replace(**block_facts(module))
        for attribute, lines in said.items():
            lines += [text for text in _remarks(module, attribute) if text not in lines]
    return "\n".join([*_lines(manifest, way, sites, said), *spreads])


def _uniformity(module: ModuleOp, way: Target, manifest: Manifest) -> list[str]:
    """What the divergence analysis says of the kernel at the waist."""
    from .passes.annotate_divergence import kernel_divergence, remark_lines

    kernel = kernel_of(module)
    # The CPU has a loop over each row of a block, unless lanes have numbers.
    rows = way.name == "cpu" and not manifest.uses_subgroups
    lines = remark_lines(kernel, kernel_divergence(kernel, way.subgroup_size(), rows=rows))
    return [
        f"  uniformity:{'' if lines else ' nothing to say'}",
        *(f"    {line}" for line in lines),
    ]


def _remarks(module: ModuleOp, attribute: str) -> list[str]:
    """What passes have said about the kernel."""
    from .lowering.remarks import remarks_of

    return [line for op in ops_of(module) for line in remarks_of(op, attribute)]


def _listed(title: str, texts: Sequence[str]) -> list[str]:
    return [f"  {title}:", *(f"    {text}" for text in texts)] if texts else []


def _lines(
    manifest: Manifest, way: Target, sites: Sequence[Site], said: dict[str, list[str]]
) -> list[str]:
    shared, remarks = manifest.static_shared_bytes, said[marks.REMARKS]
    checks = [site for site in sites if site.kind != "print"]
    made_for = f"{way.name} ({way.arch})" if way.arch else way.name
    return [
        f"kernel {manifest.name} for {made_for}, {manifest.form}",
        f"  checks at run time: {len(checks) or 'none'}",
        *(f"    {site.file}:{site.line}:{site.column}  {_in_words(site)}" for site in checks),
        f"  shared memory: {f'{shared} bytes' if shared else 'none'}",
        f"  barriers: {'yes' if manifest.uses_barrier else 'none'}",
        *(line for key, title in TITLES.items() for line in _listed(title, said[key])),
        f"  stands for what the device lacks: {'' if remarks else 'nothing'}".rstrip(),
        *(f"    {text}" for text in remarks),
        *_noted(said[marks.NOTES]),
    ]


def _noted(notes: Sequence[str]) -> list[str]:
    by_title: dict[str, list[str]] = {}
    for title, _, text in (note.partition(": ") for note in notes):
        by_title.setdefault(title, []).append(text)
    return [line for title, texts in by_title.items() for line in _listed(title, texts)]


def _in_words(site: Site) -> str:
    return site.message.replace("{}", "…")  # the values of a failed check
