"""LLVM text to PTX by llvmlite's NVPTX back end, and PTX to a cubin or SASS where tools are there.

`least_ptx` chooses the version: LLVM writes the lowest that the architecture and the instructions
allow, and a driver takes every version up to its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...dialects.diagnostics import CompileError
from .native import Target, generate_assembly
from .ptx_additions import without_packed_additions

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

TRIPLE = "nvptx64-nvidia-cuda"
DYNAMIC_SHARED = "__stepwell_dynamic_shared"
# Lines, but not `.target …, debug`, for which ptxas would not optimise.
LINES = "DebugDirectivesOnly"
TOOL_SECONDS = 300
_FIRST_PTX = {
    75: 63, 80: 70, 86: 71, 87: 74, 89: 78, 90: 80, 100: 86, 101: 86, 103: 88, 120: 87, 121: 88,
}  # fmt: skip


def default_ptx(arch: str) -> int:
    """The first PTX version that has the architecture: 63 (6.3) for sm_75."""
    digits = re.sub(r"\D", "", arch)
    return _FIRST_PTX.get(int(digits), 90) if digits else 63


@dataclass(frozen=True)
class PtxCode:
    """PTX of one module."""

    ptx: str
    target: Target
    ir: str


def emit(module: ModuleOp, arch: str) -> str:
    """A module of the nvvm level as LLVM text; a comment says the PTX version that it needs.

    CompileError for what the architecture does not have.
    """
    from ..gpu_to_nvvm.architecture import check_architecture
    from ..gpu_to_nvvm.target import target_for
    from . import nvvm
    from .llvm import emit as emit_llvm

    check_architecture(module, target_for(arch))

    version = nvvm.least_ptx(module)
    nvvm.expand_wgmma(module)
    return f"; ptx {version}\n" + emit_llvm(module, triple=TRIPLE, debug=LINES)


def assemble_ptx(ir_text: str, arch: str) -> PtxCode:
    """Optimises and translates LLVM text for an architecture such as "sm_90a".

    A first line `; ptx 83` asks for PTX of at least version 8.3. CompileError for what LLVM
    refuses and for symbols from outside, which a GPU does not have.
    """
    match = re.match(r"; ptx (\d+)\n", ir_text)
    least = max(int(match[1]) if match else 0, default_ptx(arch))
    target = Target(TRIPLE, arch, f"+ptx{least}", opt=3)
    text = generate_assembly(ir_text, target, external=(DYNAMIC_SHARED,))
    return PtxCode(without_packed_additions(_without_comments(text)), target, ir_text)


def _without_comments(text: str) -> str:
    """Without LLVM's headline, and without lines that hold nothing else than a comment."""
    lines = [line.rstrip() for line in text.splitlines() if not line.lstrip().startswith("//")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


# --- NVIDIA's own tools ---------------------------------------------------------------------------


@cache
def find_tool(name: str) -> str | None:
    """The path of ptxas, nvdisasm or cuobjdump: on PATH, or of the package nvidia-cuda-nvcc."""
    found = shutil.which(name)
    if found:
        return found
    import sysconfig

    site = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    for place in (*site.glob(f"*/bin/{name}"), *site.glob(f"*/bin/{name}.exe")):
        return str(place)
    return None


def assemble_cubin(ptx: str, arch: str, *, verbose: bool = False) -> tuple[bytes, str]:
    """Machine code by ptxas, or nvJitLink without it, and what was said; CompileError without both.

    ptxas goes first, since its release is the one that a user puts on PATH.
    """
    tool = find_tool("ptxas")
    if tool is None:
        from . import nvjitlink

        library = nvjitlink.find_library()
        if library is not None:
            return nvjitlink.link(ptx, arch, library, ["-verbose"] if verbose else [])
        raise CompileError(
            "a cubin is made by ptxas or nvJitLink, and neither is here",
            hint="pip install nvidia-nvjitlink (or nvidia-cuda-nvcc, or put ptxas on PATH); the "
            "PTX needs none of them",
        )
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "kernel.ptx"), Path(folder, "kernel.cubin")
        source.write_text(ptx)
        words = [tool, "-arch", arch, str(source), "-o", str(output)]
        done = _run([*words, "-v"] if verbose else words)
        if done.returncode or not output.exists():
            message = (done.stderr or done.stdout).strip().splitlines()
            raise CompileError(f"ptxas refuses the PTX for {arch}: {' | '.join(message[:4])}")
        return output.read_bytes(), done.stderr + done.stdout


def disassemble(cubin: bytes) -> str:
    """SASS of a cubin, by nvdisasm or cuobjdump; CompileError without them."""
    for name, words in (("nvdisasm", ["-c"]), ("cuobjdump", ["-sass"])):
        tool = find_tool(name)
        if tool is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "kernel.cubin")
            source.write_bytes(cubin)
            done = _run([tool, *words, str(source)])
        if done.returncode:
            raise CompileError(f"{name} failed: {done.stderr.strip()[:200]}")
        return done.stdout
    raise CompileError(
        "SASS is shown by nvdisasm or cuobjdump, and neither is here",
        hint="install the CUDA toolkit, or pip install nvidia-cuda-cuobjdump",
    )


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words, capture_output=True, text=True, timeout=TOOL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompileError(f"{words[0]} cannot be run: {error}") from error


@dataclass(frozen=True)
class Resources:
    """What one kernel takes on its architecture, as ptxas reports it."""

    registers: int
    spill_bytes: int
    shared_bytes: int
    local_bytes: int


def resources(ptx: str, arch: str) -> Resources:
    """Registers, spills and memory of the kernel by ptxas."""
    _, said = assemble_cubin(ptx, arch, verbose=True)

    def total(pattern: str) -> int:
        return max((int(number) for number in re.findall(pattern, said)), default=0)

    return Resources(
        total(r"Used (\d+) registers"),
        total(r"(\d+) bytes spill stores"),
        total(r"(\d+) bytes smem"),
        total(r"(\d+) bytes stack frame"),
    )
