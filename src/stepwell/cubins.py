"""Machine code for NVIDIA GPUs beside PTX: a file then starts at once on the GPUs it names.

    PTX for sm_80  →  cubin for sm_90, cubin for sm_100, PTX for sm_80

A launch takes the first that fits its GPU, so machine code goes before the PTX that it was made of.
PTX is always kept: it is what every other GPU and every later one runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from .dialects.diagnostics import CompileError
from .runtime.artifact import Artifact

CUBIN = "cubin"


def with_cubins(artifacts: Sequence[Artifact], archs: Sequence[str]) -> list[Artifact]:
    """The artifacts with a cubin for each architecture; CompileError where one cannot be made."""
    from .lowering.emit.ptx import assemble_cubin
    from .lowering.gpu_to_nvvm.target import target_for

    result: list[Artifact] = []
    for artifact in artifacts:
        manifest = artifact.manifest
        if archs and manifest.target != "cuda":
            raise CompileError(f"cubins= is for target cuda, not for {manifest.target}")
        for arch in archs:
            target_for(arch)
            code, _ = assemble_cubin(artifact.payload.decode(), arch)
            result.append(Artifact(manifest._replace(abi=CUBIN, cpu=arch), code))
        result.append(artifact)
    return result
