"""The driver: from a Python function and the types of its parameters to an artifact.

    build simt  →  the target's pipelines, level by level  →  emit  →  artifact

A target is a row of `TARGETS`: the levels on its way down (`lowering/route.py` has the pipelines
between them) and the functions that make a payload of the last one. Everything is imported when it
is first needed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .dialects.diagnostics import CompileError
from .registry import near_matches
from .runtime.artifact import Artifact, Form, Manifest, Parameter, Site, Source

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from .dialects.gpu import FuncOp
    from .kernel import Kernel
    from .lowering.observers import Observer
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
        early = "true" if self.loops_end_early else "false"
        size = str(self.subgroup_size())
        return {"subgroup_size": size, "arch": self.arch, "loops_end_early": early}


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


def _host_subgroup_size() -> int:
    from .lowering.emit.host import host_subgroup_size

    return host_subgroup_size()


def _cpu_entry(name: str) -> str:
    from .lowering.emit.symbols import entry_symbol

    return entry_symbol(name)


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
        sites_at="grid",
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
    "cpu": Target(
        "cpu",
        ("gpu", "cpu", "llvm"),
        _emit_llvm,
        _assemble_for_host,
        _host_subgroup_size,
        sites_at="cpu",
        entry=_cpu_entry,
    ),
    "cuda": _cuda_target(DEFAULT_SM),
}
# Targets of many architectures: an architecture's row is made when it is asked for.
FAMILIES: dict[str, Callable[[str], Target]] = {"cuda": _cuda_target, "vulkan": _vulkan_target}


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


@dataclass(frozen=True)
class Compilation:
    """An artifact, and what outside of the kernel's own code it depends on."""

    artifact: Artifact
    dependencies: Any


def compile_kernel(
    kernel: Kernel,
    types: Sequence[Any],
    target: str,
    form: Form,
    observe: Sequence[Observer] = (),
) -> Compilation:
    """Compile for these parameter types; CompileError where the program is wrong."""
    way = find_target(target)
    built = build(kernel, types, form, way)
    parameters = tuple(_parameter(info) for info in built.parameters)
    artifact = compile_module(built.module, kernel.__name__, parameters, way, observe=observe)
    manifest = artifact.manifest._replace(axes_used=built.axes_used)
    return Compilation(artifact._replace(manifest=manifest), built.dependencies)


def compile_module(
    module: ModuleOp,
    name: str,
    parameters: tuple[Parameter, ...],
    way: Target,
    *,
    start: str = "simt",
    observe: Sequence[Observer] = (),
) -> Artifact:
    """Compile a module with one kernel, of level `start` (simt or gpu); it is used up."""
    lower_step(module, way, start, "gpu", observe)
    manifest = waist_manifest(name, parameters, module, way)
    lower_step(module, way, "gpu", way.sites_at, observe)
    sites = sites_of(module)
    level = way.sites_at
    if SHADER in way.levels:
        lower_step(module, way, level, SHADER, observe)
        manifest = manifest._replace(**block_facts(module))
        level = SHADER
    lower_step(module, way, level, way.levels[-1], observe)
    emitted = way.emit(module)
    payload = way.assemble(emitted)
    content = emitted.encode() if isinstance(emitted, str) else emitted
    fields = {"features": payload.features, **way.manifest(module)}
    manifest = manifest._replace(
        sites=sites,
        has_report=bool(sites),
        triple=payload.triple,
        cpu=payload.cpu,
        ir_hash=hashlib.sha256(content).hexdigest(),
        **fields,
    )
    return Artifact(manifest, payload.content)


def print_level(
    kernel: Kernel, types: Sequence[Any], level: str, *, target: str, form: Form
) -> str:
    """The kernel as text at a level of the target, or "asm" for what the target emits."""
    way = find_target(target)
    built = build(kernel, types, form, way)
    return lower_and_print(built.module, way, "simt", level)


def lower_and_print(module: ModuleOp, way: Target, start: str, level: str) -> str:
    """A module of level `start` as text at a lower level, or "asm" for what the target emits.

    What a target emits has its own name too, such as "ptx".
    """
    from .lowering.parse import print_module

    last = way.levels[-1]
    if level in ("asm", way.text):
        lower_step(module, way, start, last)
        return way.assemble(way.emit(module)).text()
    lower_step(module, way, start, level)
    return print_module(module)


def build(kernel: Kernel, types: Sequence[Any], form: Form, way: Target) -> Any:
    """The kernel at level simt, with what is known of its parameters and surroundings."""
    from .language.build import build_module

    return build_module(
        kernel.function,
        tuple(types),
        axes=form.over,
        block_rank=form.block_rank,
        checks=kernel.checks,
        fastmath=kernel.fastmath,
        block=kernel.block,
        target=way.kind or way.name,
        arch=way.arch or None,
        small=form.small,
        disjoint=form.disjoint,
    )


def lower_step(
    module: ModuleOp, way: Target, start: str, end: str, observe: Sequence[Observer] = ()
) -> None:
    """Take a module from one level of a target to another, in place."""
    from xdsl.context import Context

    # Nothing is parsed on the way, so no dialect (of a plugin, say) has to be looked up.
    way.pipeline(start, end).run(module, Context(), observe=observe)


def waist_manifest(
    name: str, parameters: tuple[Parameter, ...], module: ModuleOp, way: Target
) -> Manifest:
    """What the waist says about the kernel."""
    from .dialects import gpu, gpux

    ops = {type(op) for op in module.walk()}
    function = _kernel_of(module)
    return Manifest(
        name=name,
        target=way.name,
        entry=way.entry(function.sym_name.data),
        parameters=parameters,
        over=_number(function, "gpux.over"),
        block_rank=_number(function, "gpux.block_rank") or 3,
        known_block=function.known_block_size,
        uses_barrier=gpu.BarrierOp in ops,
        subgroup_size=way.subgroup_size(),
        small=gpux.SMALL in function.attributes,
        disjoint=_is_disjoint(function),
        versions=_versions(way),
        **block_facts(module),
    )


def block_facts(module: ModuleOp) -> dict[str, Any]:
    """What the kernel of a module takes of a block; lowering may have added to it."""
    from .dialects import gpu, gpux

    function = _kernel_of(module)
    ops = {type(op) for op in function.walk()}
    subgroup = {gpu.ShuffleOp, gpu.SubgroupReduceOp, gpux.SubgroupScanOp, gpux.BallotOp}
    return {
        "static_shared_bytes": sum(_bytes(value.type) for value in function.workgroup),
        "shared_arrays": tuple(
            (value.name_hint or f"shared array {number}", _bytes(value.type))
            for number, value in enumerate(function.workgroup)
        ),
        "uses_subgroups": not ops.isdisjoint(subgroup),
        "most_threads": _number(function, gpux.MOST_THREADS) or 0,
    }


def _kernel_of(module: ModuleOp) -> FuncOp:
    from .dialects import gpu

    return next(op for op in module.walk() if isinstance(op, gpu.FuncOp) and op.is_kernel)


def _number(function: FuncOp, attribute: str) -> int | None:
    from xdsl.dialects.builtin import IntegerAttr

    found = function.attributes.get(attribute)
    return found.value.data if isinstance(found, IntegerAttr) else None


def _is_disjoint(function: FuncOp) -> bool:
    """Whether the code may rely on arrays being apart."""
    rows = function.arg_attrs.data if function.arg_attrs is not None else ()
    return any("llvm.noalias" in row.data for row in rows)


def _bytes(type_: Any) -> int:
    """Bytes of a memref of static shape."""
    from math import prod

    element = type_.element_type
    return prod(type_.get_shape()) * max(1, element.bitwidth // 8)


def sites_of(module: ModuleOp) -> tuple[Site, ...]:
    """The places that can report, in the order of their numbers."""
    from .passes.number_report_sites import collect_sites

    rows = collect_sites(module)
    return tuple(Site(**row)._replace(formats=tuple(row["formats"])) for row in rows)


def _versions(way: Target) -> dict[str, str]:
    return {package: _version(package) for package in way.libraries}


@cache
def _version(package: str) -> str:
    """Its version, by the name of its folder of metadata: reading what is in it takes 15 ms."""
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None, f"{package} is what compiled the kernel"
    folder = os.path.dirname(os.path.dirname(spec.origin))
    for name in os.listdir(folder):
        if name.startswith(f"{package}-") and name.endswith(".dist-info"):
            return name.removesuffix(".dist-info").partition("-")[2]
    from importlib.metadata import version

    return version(package)


def _parameter(info: Any) -> Parameter:
    return Parameter(
        name=info.name,
        kind=info.kind,
        dtype=info.dtype,
        rank=info.rank,
        sizes=info.sizes,
        strides=info.strides,
        writes=info.writes,
        source=Source(info.argument, tuple(info.path), info.offset),
        alignment=info.alignment,
    )
