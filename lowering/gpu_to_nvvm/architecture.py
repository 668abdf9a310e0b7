"""Holds a module of the nvvm level against an architecture, before LLVM sees it.

LLVM ends the process over an instruction that an architecture lacks ("Cannot select").
"""

from __future__ import annotations

from xdsl.ir import Operation

from ...dialects.diagnostics import CompileError, location_of
from ...dialects.nvvm import NvvmOp
from .target import NvvmTarget


def check_architecture(root: Operation, target: NvvmTarget) -> None:
    """Raises one CompileError that lists the ops which the architecture does not have."""
    errors = [error for op in root.walk() if (error := _refusal(op, target)) is not None]
    if errors:
        raise CompileError.collect(f"{target.arch} cannot run this kernel", errors)


def _refusal(op: Operation, target: NvvmTarget) -> CompileError | None:
    if not isinstance(op, NvvmOp):
        return None
    needs = op.needs
    own = f"{target.sm}{target.suffix}"
    if needs.variants:
        if own in needs.variants:
            return None
        wanted = " or ".join(f"sm_{name}" for name in needs.variants)
        return CompileError(f"{op.name} needs {wanted}, not {target.arch}", location_of(op))
    if target.sm >= needs.sm:
        return None
    return CompileError(f"{op.name} needs sm_{needs.sm} or later, not {target.arch}", location_of(op))
