"""Machine code of our kernels beside that of nvcc's, counted: no GPU is needed.

    python benchmarks/cuda_static.py

Each kernel of `cuda_kernels.py` becomes PTX for sm_80 and sm_90 by stepwell and, written in CUDA C
(`cuda/*.cu`), by `nvcc -O3 -ptx`; ptxas assembles both, nvdisasm shows the SASS, and `cuda_sass.py`
counts: instructions for each step of the inner loops (it says what that is), widest global access,
barriers. Registers and spills are what `ptxas -v` says. All three tools have to be on PATH.

Like is held against like, `PAIRS`: without checks, which CUDA C has not, and for launches that are
small, which `int` promises in CUDA C, stepwell with `fastmath="contract"` against nvcc as it is (it
makes one instruction of a product and a sum); stepwell as it is against nvcc without that; both
with fast math; and stepwell's code for launches of any size against nvcc's with indices of 64 bits.
Besides, stepwell as it is with its checks. One difference stays: nvcc's `expf` has an instruction
for 2**x in it. So has ours with a flag; without one it is arithmetic alone, twice as long, with the
same bits on every device.
What is counted are instructions, not time.
Writes `benchmarks/results/cuda_static-<date>.json`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cuda_kernels import SUBJECTS, Subject
from cuda_sass import Loop, barriers, instructions_of, loops_of, per_step, widest_access
from record import record

from stepwell.lowering.emit.ptx import assemble_cubin, disassemble, find_tool, resources

ARCHITECTURES = ("sm_80", "sm_90")
TOOLS = ("nvcc", "ptxas", "nvdisasm")
OURS, THEIRS = "stepwell, contract", "nvcc -O3"
PAIRS = {
    OURS: THEIRS,
    "stepwell": "nvcc, no fma",
    "stepwell, fast math": "nvcc, fast math",
    "stepwell, any size": "nvcc, no fma, 64 bit",
}


@dataclass(frozen=True)
class Count:
    """One kernel by one compiler."""

    kernel: str
    arch: str
    contender: str
    instructions: int
    per_step: float
    widest: int
    barriers: int
    registers: int
    spill_bytes: int
    loops: list[Loop]

    def line(self) -> str:
        """As a row of the table."""
        return (
            f"{self.kernel:<10} {self.arch} {self.contender:<20} {self.per_step:9.1f} "
            f"{self.instructions:6} {self.widest:6} {self.barriers:8} {self.registers:9} "
            f"{self.spill_bytes:6}"
        )

    def worse_than(self, other: Count) -> list[str]:
        """In what that is aimed at: it must be no worse in these."""
        return _larger(
            {
                "instructions per step": (self.per_step, other.per_step),
                "width of accesses": (-self.widest, -other.widest),
                "barriers": (self.barriers, other.barriers),
                "spills": (self.spill_bytes, other.spill_bytes),
            }
        )

    def also_larger_than(self, other: Count) -> list[str]:
        """In what else."""
        return _larger(
            {
                "registers": (self.registers, other.registers),
                "instructions in all": (self.instructions, other.instructions),
            }
        )


def _larger(pairs: dict[str, tuple[float, float]]) -> list[str]:
    return [
        f"{what} ({abs(mine):.4g} against {abs(its):.4g})"
        for what, (mine, its) in pairs.items()
        if mine > its
    ]


def nvcc(subject: Subject, arch: str, *options: str) -> str:
    """PTX of the kernel in CUDA C."""
    tool = find_tool("nvcc")
    assert tool is not None, "main looked for it"
    source = Path(__file__).parent / "cuda" / f"{subject.name}.cu"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "kernel.ptx")
        words = [tool, "-O3", "-ptx", f"-arch={arch}", *options, "-o", str(output), str(source)]
        subprocess.run(words, check=True)
        return output.read_text()


def small(fastmath: Any = False, *, checks: bool = False) -> Callable[[Subject, str], str]:
    """Ours for launches that are small."""
    return lambda subject, arch: subject.ptx(arch, checks=checks, fastmath=fastmath, small=True)


CONTENDERS: dict[str, Callable[[Subject, str], str]] = {
    OURS: small("contract"),
    "stepwell": small(),
    "stepwell, checks": small(checks=True),
    "stepwell, fast math": small(True),
    "stepwell, any size": lambda subject, arch: subject.ptx(arch, checks=False),
    THEIRS: nvcc,
    "nvcc, fast math": lambda subject, arch: nvcc(subject, arch, "-use_fast_math"),
    "nvcc, no fma": lambda subject, arch: nvcc(subject, arch, "-fmad=false"),
    "nvcc, no fma, 64 bit": lambda subject, arch: nvcc(
        subject, arch, "-fmad=false", "-DINDEX=long long"
    ),
}


def count(subject: Subject, arch: str, contender: str) -> Count:
    """Compile, assemble, disassemble and count."""
    ptx = CONTENDERS[contender](subject, arch)
    used = resources(ptx, arch)
    cubin, _ = assemble_cubin(ptx, arch)
    code = instructions_of(disassemble(cubin), subject.name)
    loops = loops_of(code)
    return Count(
        subject.name,
        arch,
        contender,
        len(code),
        per_step(code, loops),
        widest_access(code),
        barriers(code),
        used.registers,
        used.spill_bytes,
        loops,
    )


def main() -> int:
    """Count everything, write it down; 1 if a tool is missing."""
    missing = [tool for tool in TOOLS if find_tool(tool) is None]
    if missing:
        print(f"not on PATH: {', '.join(missing)}; these are of the CUDA toolkit")
        return 1
    print(
        f"{'kernel':<10} arch  {'by':<20} {'per step':>9} {'instr.':>6} {'widest':>6} "
        f"{'barriers':>8} {'registers':>9} {'spills':>6}"
    )
    counts: list[Count] = []
    for arch in ARCHITECTURES:
        for subject in SUBJECTS:
            for contender in CONTENDERS:
                counts.append(count(subject, arch, contender))
                print(counts[-1].line(), flush=True)
    record("cuda_static", counts, tools=tools(), against_nvcc=verdicts(counts))
    return 0


def verdicts(counts: list[Count]) -> dict[str, dict[str, list[str]]]:
    """In what ours is worse than nvcc's, kernel by kernel; also printed."""
    found = {(one.kernel, one.arch, one.contender): one for one in counts}
    verdict: dict[str, dict[str, list[str]]] = {}
    for (kernel, arch, contender), ours in found.items():
        if contender in PAIRS:
            theirs = found[kernel, arch, PAIRS[contender]]
            worse, also = ours.worse_than(theirs), ours.also_larger_than(theirs)
            said = f"WORSE in {', '.join(worse)}" if worse else "no worse"
            what = f"{kernel} {arch}: {contender} against {PAIRS[contender]}"
            print(f"{what}: {said}{'; more ' if also else ''}{', '.join(also)}")
            verdict[what] = {"worse": worse, "also_larger": also}
    return verdict


def tools() -> dict[str, str]:
    """Versions of NVIDIA's tools."""
    found: dict[str, str] = {}
    for name in TOOLS:
        words = [find_tool(name) or name, "--version"]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        found[name] = done.stdout.strip().splitlines()[-1]
    return found


if __name__ == "__main__":
    sys.exit(main())
