"""What NVIDIA's own tools make of a kernel's PTX: `--emit cubin`, `--emit sass`, `--report`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..dialects.diagnostics import CompileError
from ..lowering.emit.ptx import assemble_cubin, disassemble, resources
from ..targets import find_target

if TYPE_CHECKING:
    from ..runtime.artifact import Bundle


def from_ptx(
    texts: Mapping[str, str | bytes | Bundle], wanted: str, target: str, report: bool
) -> dict[str, str | bytes | Bundle]:
    """Each kernel's PTX as what is wanted; with `report`, what it takes goes to standard error."""
    way = find_target(target)
    if way.name != "cuda":
        raise CompileError(
            f"target {target!r} has no {wanted}", hint="use --target cuda, or --arch sm_90"
        )
    results: dict[str, str | bytes | Bundle] = {}
    for name, ptx in texts.items():
        assert isinstance(ptx, str), "the kernels were emitted as PTX"
        if report:
            print(f"{name}: {_report(ptx, way.arch)}", file=sys.stderr)
        if wanted in ("cubin", "sass"):
            cubin, _ = assemble_cubin(ptx, way.arch)
            results[name] = cubin if wanted == "cubin" else disassemble(cubin)
        elif wanted == "ptx":
            results[name] = ptx
    return results


def _report(ptx: str, arch: str) -> str:
    used = resources(ptx, arch)
    return (
        f"{used.registers} registers, {used.spill_bytes} bytes spilled, {used.shared_bytes} bytes "
        f"of shared memory, {used.local_bytes} bytes of stack ({arch})"
    )
