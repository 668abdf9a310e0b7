"""What the CPU's target is asked for, as text: which processors, and how many lanes.

""               this machine
"x86-64-v3"      every processor of this level (rows of `runtime/cpu_archs.py`)
"w8"             this machine with subgroups of 8 lanes, whatever it has, and every loop over
                 threads in vectors of as many
"x86-64-v3:w8"   both
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .dialects.diagnostics import CompileError
from .registry import near_matches
from .runtime.cpu_archs import CPU_ARCHS, architecture_of

if TYPE_CHECKING:
    from .lowering.emit.machine import Machine

CPU_LANES = (1, 2, 4, 8, 16, 32, 64)
LANES = {f"w{lanes}": lanes for lanes in CPU_LANES}


@dataclass(frozen=True)
class CpuMachine:
    """The row of the architecture ("": this machine), and the lanes that are asked for, or 0."""

    arch: str
    lanes: int

    def machine(self) -> Machine:
        """What LLVM makes code for: the operating system is always that of this machine."""
        from .lowering.emit.machine import Machine, host_machine

        host = host_machine()
        if not self.arch:
            return host
        row = CPU_ARCHS[self.arch]
        triple = host.triple
        if architecture_of(triple) != row.architecture:
            triple = "-".join((row.architecture, *triple.split("-")[1:]))
        return Machine(triple, row.cpu, ",".join(f"+{name}" for name in row.features))


def parse(text: str) -> CpuMachine:
    """Read it; CompileError for what is neither an architecture nor a number of lanes."""
    if "+" in text:
        raise CompileError(
            f"'cpu:{text}' is several targets", hint="only an artifact holds code for several"
        )
    words = text.split(":") if text else []
    arch = words.pop(0) if words and words[0] in CPU_ARCHS else ""
    lanes = LANES.get(words.pop(0), 0) if words and words[0] in LANES else 0
    if words:
        known = [*CPU_ARCHS, *LANES]
        raise CompileError(
            f"target 'cpu' has no architecture {text!r}, expected one of {', '.join(known)}",
            hint=near_matches(words[0], known),
        )
    return CpuMachine(arch, lanes)
