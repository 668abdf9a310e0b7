"""The targets: which levels each goes down through, and what makes a payload of the last one.

A target is a row of `TARGETS`, or of `FAMILIES` where it has architectures. The pipelines between
its levels are found through `lowering/route.py`. Everything is imported when it is first needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .dialects.diagnostics import CompileError
from .registry import near_matches

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from .lowering.pipeline import Pipeline


@dataclass(frozen=True)
class Payload:
    """What a target makes of a module of its last level."""

    content: bytes
    text: Callable[[], str]
    triple: str
    cpu: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """One way down. `levels` are those below simt, in order."""

    name: str
    levels: tuple[str, ...]
    # The last level as text or words, and the payload of an artifact that is made of these.
    emit: Callable[[ModuleOp], Any]
    assemble: Callable[[Any], Payload]
    subgroup_size: Callable[[], int]
    # The level at which every check and print exists and has its number.
    sites_at: str
    # The symbol of the entry of a kernel with this name.
    entry: Callable[[str], str]
    # What code is made for, such as "sm_90a"; empty where the target is this machine.
    arch: str = ""
    # What the emitted text is called beside "asm".
    text: str = "asm"
    # Whether better code comes from facts about launches (`runtime/facts.py`).
    launch_facts: bool = False
    # Whether the device ends loops after some rounds.
    loops_end_early: bool = False
    # Whether it has an instruction for 2**x with errors in the last bits only.
    accurate_exp2: bool = False
    # Whether every loop over threads is to become one over vectors, worth it or not.
    always_vectors: bool = False
    # How long the vectors are that end loops by masks, 0 where none do.
    masked_bits: Callable[[], int] = lambda: 0
    # What `sw.target.name` is in kernels, where it is not the name.
    kind: str = ""
    # Fields of the manifest that the module of the last level decides.
    manifest: Callable[[ModuleOp], dict[str, Any]] = lambda module: {}
    # The libraries whose versions decide what comes out.
    libraries: tuple[str, ...] = ("xdsl", "llvmlite")

    def pipeline(self, start: str, end: str) -> Pipeline:
        """The passes from one level of this target to another."""
        from .lowering.pipeline import Pipeline
        from .lowering.route import step

        names = ["simt", *self.levels]
        for name in (start, end):
            if name not in names:
                known = [*names, "asm", "artifact"]
                raise CompileError(
                    f"target {self.name} has no level {name!r}", hint=near_matches(name, known)
                )
        way = Pipeline()
        for takes, gives in pairwise(names[names.index(start) : names.index(end) + 1]):
            way += step(takes, gives, **self._parameters())
        return way

    def _parameters(self) -> dict[str, str]:
        """What pipelines may ask of the target, as text."""
        return {
            "subgroup_size": str(self.subgroup_size()),
            "arch": self.arch,
            "loops_end_early": str(self.loops_end_early).lower(),
            "accurate_exp2": str(self.accurate_exp2).lower(),
            "always_vectors": str(self.always_vectors).lower(),
            "masked_bits": str(self.masked_bits()),
        }


def _emit_llvm(module: ModuleOp) -> str:
    from .lowering.emit.host import host_attributes, host_masks_tails
    from .lowering.emit.llvm import emit

    tails = host_masks_tails()
    attributes = host_attributes()
    return emit(module, attributes=attributes, debug=True, masked_tails=tails, apart=True)


def _assemble_for_host(text: str) -> Payload:
    from .lowering.emit.native import assemble

    code = assemble(text, opt=2)
    target = code.target
    return Payload(
        code.object, code.asm, target.triple, target.cpu, tuple(target.features.split(","))
    )


def _cpu_target(arch: str) -> Target:
    """This machine.

    For "w8": subgroups of 8 lanes, whatever the machine has, and every loop over threads in vectors
    of as many.
    """
    lanes = _lanes(arch)

    def subgroup_size() -> int:
        from .lowering.emit.host import host_subgroup_size

        return lanes or host_subgroup_size()

    def masked_bits() -> int:
        from .lowering.emit.host import host_masks_tails, host_vector_bits

        return host_vector_bits() if host_masks_tails() else 0

    def entry(name: str) -> str:
        from .lowering.emit.symbols import entry_symbol

        return entry_symbol(name)

    return Target(
        "cpu",
        ("gpu", "cpu", "llvm"),
        _emit_llvm,
        _assemble_for_host,
        subgroup_size,
        sites_at="cpu",
        entry=entry,
        arch=arch,
        always_vectors=bool(lanes),
        masked_bits=masked_bits,
    )


def _lanes(arch: str) -> int:
    """The number in "w8", 0 for no architecture."""
    if not arch:
        return 0
    text = arch.removeprefix("w")
    if not (arch.startswith("w") and text.isdecimal() and int(text) in CPU_LANES):
        known = ", ".join(f"w{lanes}" for lanes in CPU_LANES)
        raise CompileError(f"target 'cpu' has no architecture {arch!r}, expected one of {known}")
    return int(text)


def _ptx_entry(name: str) -> str:
    from .lowering.emit.symbols import ptx_symbol

    return ptx_symbol(name)


def _cuda_target(arch: str) -> Target:
    """NVIDIA GPUs of an architecture; the payload of an artifact is PTX."""
    if arch != DEFAULT_SM:
        from .lowering.gpu_to_nvvm.target import target_for

        arch = target_for(arch).arch

    def emit(module: ModuleOp) -> str:
        from .lowering.emit.ptx import emit

        return emit(module, arch)

    def assemble(text: str) -> Payload:
        from .lowering.emit.ptx import TRIPLE, assemble_ptx

        ptx = assemble_ptx(text, arch).ptx
        return Payload(ptx.encode(), lambda: ptx, TRIPLE, arch, ())

    return Target(
        "cuda",
        ("gpu", "grid", "nvvm"),
        emit,
        assemble,
        lambda: 32,
        sites_at="grid",
        entry=_ptx_entry,
        arch=arch,
        text="ptx",
        launch_facts=True,
        accurate_exp2=True,
        kind="cuda",
    )


def _vulkan_target(arch: str) -> Target:
    """Vulkan devices of a profile; the payload of an artifact is a SPIR-V binary."""
    from .lowering.gpu_to_spirv.target import target_for

    target = target_for(arch)

    def emit(module: ModuleOp) -> bytes:
        from .lowering.emit.spirv import serialise
        from .lowering.gpu_to_spirv.target import binary_of

        return serialise(binary_of(module), debug=True)

    def assemble(words: bytes) -> Payload:
        from .lowering.emit.spirv import disassemble

        return Payload(words, lambda: disassemble(words), "spirv", target.arch, ())

    def manifest(module: ModuleOp) -> dict[str, Any]:
        from .lowering.gpu_to_spirv.target import manifest_fields

        return manifest_fields(module)

    return Target(
        "vulkan",
        ("gpu", "grid", "shader", "spirv"),
        emit,
        assemble,
        lambda: target.subgroup_size,
        sites_at=SHADER,
        entry=lambda name: name,
        arch=target.arch,
        text="spvasm",
        loops_end_early=target.has("short_loops"),
        kind="vulkan",
        manifest=manifest,
        libraries=("xdsl",),
    )


CPU_LANES = (1, 2, 4, 8, 16, 32, 64)
DEFAULT_SM = "sm_80"
SHADER = "shader"
TARGETS: dict[str, Target] = {
    "cpu": _cpu_target(""),
    "cuda": _cuda_target(DEFAULT_SM),
}
# Targets of many architectures: an architecture's row is made when it is asked for.
FAMILIES: dict[str, Callable[[str], Target]] = {
    "cpu": _cpu_target,
    "cuda": _cuda_target,
    "vulkan": _vulkan_target,
}


def find_target(name: str) -> Target:
    """The row of a target ("cuda:sm_90a" for an architecture); CompileError for an unknown name."""
    kind, _, arch = name.partition(":")
    found = TARGETS.get(kind)
    if found is not None and arch in ("", found.arch):
        return found
    if kind in FAMILIES:
        return _of_family(kind, arch)
    if found is not None:
        raise CompileError(f"target {kind!r} has no architectures, got {name!r}")
    known = sorted({*TARGETS, *FAMILIES})
    raise CompileError(f"there is no target {name!r}", hint=near_matches(kind, known))


@cache
def _of_family(kind: str, arch: str) -> Target:
    return FAMILIES[kind](arch)
