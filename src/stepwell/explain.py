"""`kernel.explain(…)`: what the compiler made of a kernel for a device, in words.

kernel saxpy for cpu, over() of rank 1
  checks at run time: 1
    saxpy.py:9:20  index {} is out of bounds for axis 0 of x with size {}
  shared memory: none
  stands for what the device lacks: nothing
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .compiler import build, lower_step
from .manifest import block_facts, sites_of, waist_manifest
from .targets import SHADER, Target, find_target

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from .kernel import Kernel
    from .runtime.artifact import Form, Manifest, Site

REMARKS = "gpux.remarks"


def explain(kernel: Kernel, types: Sequence[Any], target: str, form: Form) -> str:
    """Compile for these types, and say which checks and which substitutes are in the code."""
    way = find_target(target)
    built = build(kernel, types, form, way)
    module = built.module
    lower_step(module, way, "simt", "gpu")
    manifest = waist_manifest(kernel.__name__, (), module, way)
    sites: tuple[Site, ...] = ()
    remarks: list[str] = []
    above = "gpu"
    for level in way.levels[1:]:
        lower_step(module, way, above, level)
        if level == way.sites_at:
            sites = sites_of(module)
        if level == SHADER:
            manifest = manifest._replace(**block_facts(module))
        remarks += [text for text in _remarks(module) if text not in remarks]
        above = level
    return "\n".join(_lines(manifest, way, form, sites, remarks))


def _remarks(module: ModuleOp) -> list[str]:
    """What passes have said about the kernel."""
    from xdsl.dialects.builtin import ArrayAttr, StringAttr

    found: list[str] = []
    for op in module.walk():
        lines: Any = op.attributes.get(REMARKS)
        if isinstance(lines, ArrayAttr):
            found += [line.data for line in lines if isinstance(line, StringAttr)]  # pyright: ignore
    return found


def _lines(
    manifest: Manifest, way: Target, form: Form, sites: Sequence[Site], remarks: Sequence[str]
) -> list[str]:
    shared = manifest.static_shared_bytes
    checks = [site for site in sites if site.kind != "print"]
    made_for = f"{way.name} ({way.arch})" if way.arch else way.name
    return [
        f"kernel {manifest.name} for {made_for}, {form}",
        f"  checks at run time: {len(checks) or 'none'}",
        *(f"    {site.file}:{site.line}:{site.column + 1}  {site.message}" for site in checks),
        f"  shared memory: {f'{shared} bytes' if shared else 'none'}",
        f"  barriers: {'yes' if manifest.uses_barrier else 'none'}",
        f"  stands for what the device lacks: {'' if remarks else 'nothing'}".rstrip(),
        *(f"    {text}" for text in remarks),
    ]
