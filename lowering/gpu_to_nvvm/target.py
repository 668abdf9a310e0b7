"""What the lowering has to know of an architecture."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...dialects.diagnostics import CompileError
from ..rewriter import Rewriter
from ..to_llvm.target import LlvmTarget
from .ids import thread_ids

ARCHITECTURES = (
    *("sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90", "sm_90a", "sm_100", "sm_100a"),
    *("sm_101", "sm_101a", "sm_103", "sm_103a", "sm_120", "sm_120a", "sm_121", "sm_121a"),
)
SPACES = {"global": 1, "workgroup": 3, "private": 0}
SCOPES = {"subgroup": "block", "block": "block", "device": "device"}


@dataclass(frozen=True)
class NvvmTarget(LlvmTarget):
    """An NVIDIA GPU: `sm` is its number, `suffix` "a" where only this very chip will do."""

    sm: int = 80
    suffix: str = ""

    @property
    def arch(self) -> str:
        """As ptxas and LLVM call it: `sm_90a`."""
        return f"sm_{self.sm}{self.suffix}"


def target_for(arch: str) -> NvvmTarget:
    """The target of an architecture; CompileError for one that is not known."""
    match = re.fullmatch(r"sm_(\d+)([af]?)", arch)
    if match is None or arch not in ARCHITECTURES:
        raise CompileError(
            f"there is no architecture {arch!r} here", hint=f"known are {', '.join(ARCHITECTURES)}"
        )
    return NvvmTarget(
        spaces=SPACES,
        scopes=SCOPES,
        report_space=1,
        kernel_status=False,
        thread_ids=thread_ids,
        sm=int(match[1]),
        suffix=match[2],
    )


def sm_of(rw: Rewriter) -> int:
    """The architecture's number, in a converter."""
    target = rw.state.target
    assert isinstance(target, NvvmTarget), "this rule is for NVIDIA"
    return target.sm
