"""The targets: which levels each goes down through, and what makes a payload of the last one.

A target is a row of `TARGETS`, or of `FAMILIES` where it has architectures. The pipelines between
its levels are found through `lowering/route.py`. Everything is imported when it is first needed.
Another package adds a target by `register_target`, or by an entry point of `stepwell.targets` that
names a function: from an architecture (empty where the user names none) to the `Target`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .dialects.diagnostics import CompileError
from .registry import Table, decides_code, near_matches

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
    # Whether there are instructions for functions that may be approximate.
    approximates: bool = False
    # Whether every loop over threads is to become one over vectors, worth it or not.
    always_vectors: bool = False
    # What else the pipelines may ask for, which takes longer to find out.
    of_machine: Callable[[], dict[str, str]] = dict
    # What `sw.target.name` is in kernels, where it is not the name.
    kind: str = ""
    # Fields of the manifest that the module of the last level decides.
    manifest: Callable[[ModuleOp], dict[str, Any]] = lambda module: {}
    # The libraries whose versions decide what comes out.
    libraries: tuple[str, ...] = ("xdsl", "llvmlite")

    def __post_init__(self) -> None:
        if self.levels[:1] != ("gpu",) or self.sites_at not in self.levels:
            raise CompileError(
                f"target {self.name} has levels {self.levels} and sites_at {self.sites_at!r}",
                hint="the first level is gpu, and sites_at one of them",
            )

    def pipeline(self, start: str, end: str) -> Pipeline:
        """The passes from one level of this target to another."""
        from .lowering.pipeline import Pipeline
        from .lowering.route import step

        names = ["simt", *self.levels]
        for name in (start, end):
            if name not in names:
                below = (
                    ("ll", "asm", self.text)
                    if names[-1] in ("llvm", "nvvm")
                    else ("asm", self.text)
                )
                known = [*names, *dict.fromkeys(below), "artifact"]
                raise CompileError(
                    f"target {self.name} has no level {name!r}", hint=near_matches(name, known)
                )
        way = Pipeline()
        for takes, gives in pairwise(names[names.index(start) : names.index(end) + 1]):
            way += step(takes, gives, **self.parameters())
        return way

    def payload(self, emitted: Any) -> Payload:
        """What is made of the emitted text or words; CompileError if a package's is none."""
        made: Any = self.assemble(emitted)
        if not isinstance(made, Payload):
            raise CompileError(
                f"assemble of target {self.name!r} gave {made!r}, expected a Payload"
            )
        return made

    def parameters(self) -> dict[str, str]:
        """What pipelines may ask of the target, as text."""
        return {
            "subgroup_size": str(self.subgroup_size()),
            "arch": self.arch,
            "loops_end_early": str(self.loops_end_early).lower(),
            "accurate_exp2": str(self.accurate_exp2).lower(),
            "approximates": str(self.approximates).lower(),
            "always_vectors": str(self.always_vectors).lower(),
            **self.of_machine(),
        }


def _cpu_target(arch: str) -> Target:
    """This machine, or processors of an architecture (`cpu_machines.py`)."""
    from .cpu_machines import parse

    cpu = parse(arch)

    def emit(module: ModuleOp) -> str:
        from .lowering.emit.llvm import emit

        return emit(module, attributes=cpu.machine().attributes, debug=True, apart=True)

    def assemble(text: str) -> Payload:
        from .lowering.emit.native import assemble

        made_for = cpu.machine()
        code = assemble(text, made_for.triple, made_for.cpu, made_for.features, opt=2)
        features = tuple(made_for.features.split(",")) if made_for.features else ()
        return Payload(code.object, code.asm, made_for.triple, made_for.cpu, features)

    def entry(name: str) -> str:
        from .lowering.emit.symbols import entry_symbol

        return entry_symbol(name)

    return Target(
        "cpu",
        ("gpu", "cpu", "llvm"),
        emit,
        assemble,
        lambda: cpu.lanes or cpu.machine().subgroup_size,
        sites_at="cpu",
        entry=entry,
        arch=arch,
        always_vectors=bool(cpu.lanes),
        of_machine=lambda: cpu.machine().parameters,
    )


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
        approximates=True,
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

        return manifest_fields(module, target)

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


def _wrong_family(name: str, thing: Any) -> str | None:
    return None if callable(thing) else f"expected a function that gives a Target, got {thing!r}"


TARGET_TABLE: Table[Callable[[str], Target]] = Table(
    "target", "stepwell.targets", FAMILIES, _wrong_family
)


def register_target(name: str, family: Callable[[str], Target]) -> None:
    """Adds a target for this process; `family` gives its row for an architecture, "" for none."""
    TARGET_TABLE.register(name, family)
    decides_code(family)


def find_target(name: str) -> Target:
    """The row of a target ("cuda:sm_90a" for an architecture); CompileError for an unknown name.

    What names several ("cpu:x86-64-v2+x86-64-v3") is no row: see `versions_of`.
    """
    kind, _, arch = name.partition(":")
    found = TARGETS.get(kind)
    if found is not None and arch in ("", found.arch):
        return found
    if found is not None and kind not in FAMILIES:
        raise CompileError(f"target {kind!r} has no architectures, got {name!r}")
    return _of_family(kind, arch)


@cache
def _of_family(kind: str, arch: str) -> Target:
    family = TARGET_TABLE.get(kind)
    if family is None:
        known = sorted({*TARGETS, *TARGET_TABLE.names()})
        raise CompileError(f"there is no target {kind!r}", hint=near_matches(kind, known))
    made: Any = family(arch)  # another package's, perhaps
    if not isinstance(made, Target):
        raise CompileError(f"the function of target {kind!r} gave {made!r}, expected a Target")
    return made


def versions_of(name: str) -> tuple[str, ...]:
    """The targets that one name stands for, of which a file then holds code for each.

    "cpu:x86-64-v2+x86-64-v3" are two, any other name is one. Nothing is looked up.
    """
    kind, _, archs = name.partition(":")
    if kind != "cpu":  # in the profile of a Vulkan device a plus has another meaning
        return (name,)
    return tuple(dict.fromkeys(f"{kind}:{arch}" if arch else kind for arch in archs.split("+")))
