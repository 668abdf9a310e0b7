"""`kernel.explain(…)`: what the compiler made of a kernel for a device, in words.

kernel saxpy for cpu, over() of rank 1
  checks at run time: 1
    saxpy.py:9:20  index {} is out of bounds for axis 0 of x with size {}
  shared memory: none
  matrix units:                                        (only if a kernel has matrices for them)
    product.py:12: a product of … is computed by units for 16x16x16 f16 to f32
  stores past the caches:                              (only of large launches)
    saxpy.py:9
  stands for what the device lacks: nothing
  uniformity:                                          (only if asked for)
    saxpy.py:9:8  branch: lanes go different ways: both are run, under masks
    saxpy.py:9:20  load of x: consecutive places
"""

from __future__ import annotations

from collections.abc import Sequence
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

_UNITS, _STREAMED = "matrix units", "stores past the caches"


def explain(
    kernel: Kernel, types: Sequence[Any], target: str, form: Form, *, uniformity: bool = False
) -> str:
    """Compile for these types, and say which checks and which substitutes are in the code.

    With `uniformity`, also how branches, loops and accesses differ between the lanes of a subgroup.
    """
    way = find_target(target)
    built = build(kernel, types, form, way)
    module = built.module
    lower_step(module, way, "simt", "gpu")
    manifest = waist_manifest(kernel.__name__, (), module, way)
    spreads = _uniformity(module, way, manifest) if uniformity else []
    sites: tuple[Site, ...] = ()
    remarks: list[str] = []
    units: list[str] = []
    streamed: list[str] = []
    above = "gpu"
    for level in way.levels[1:]:
        lower_step(module, way, above, level)
        if level == way.sites_at:
            sites = sites_of(module)
        if level == SHADER:
            manifest = manifest._replace(**block_facts(module))
        remarks += [text for text in _remarks(module, marks.REMARKS) if text not in remarks]
        units += [text for text in _remarks(module, marks.MATRIX_UNITS) if text not in units]
        streamed += [text for text in _remarks(module, marks.STREAMED) if text not in streamed]
        above = level
    lines = _lines(manifest, way, form, sites, {_UNITS: units, _STREAMED: streamed}, remarks)
    return "\n".join([*lines, *spreads])


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
    manifest: Manifest,
    way: Target,
    form: Form,
    sites: Sequence[Site],
    listed: dict[str, list[str]],
    remarks: Sequence[str],
) -> list[str]:
    shared = manifest.static_shared_bytes
    checks = [site for site in sites if site.kind != "print"]
    made_for = f"{way.name} ({way.arch})" if way.arch else way.name
    return [
        f"kernel {manifest.name} for {made_for}, {form}",
        f"  checks at run time: {len(checks) or 'none'}",
        *(f"    {site.file}:{site.line}:{site.column + 1}  {_in_words(site)}" for site in checks),
        f"  shared memory: {f'{shared} bytes' if shared else 'none'}",
        f"  barriers: {'yes' if manifest.uses_barrier else 'none'}",
        *(line for title, texts in listed.items() for line in _listed(title, texts)),
        f"  stands for what the device lacks: {'' if remarks else 'nothing'}".rstrip(),
        *(f"    {text}" for text in remarks),
    ]


def _in_words(site: Site) -> str:
    return site.message.replace("{}", "…")  # the values of a failed check
