"""The driver: from a Python function and the types of its parameters to an artifact.

build simt  →  the target's pipelines, level by level  →  emit  →  artifact
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .dialects.diagnostics import CompileError
from .manifest import block_facts, sites_of, waist_manifest
from .runtime.artifact import Artifact, Form, Parameter
from .targets import SHADER, Target, find_target

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation
    from xdsl.passes import ModulePass

    from .kernel import Kernel
    from .language.build import Built
    from .lowering.observers import Observer


_MOST_TIMES = 8  # that a dialect is lowered, where the ops of another one become its


@dataclass(frozen=True)
class Compilation:
    """An artifact, and what outside of the kernel's own code it depends on."""

    artifact: Artifact
    dependencies: Any


def compile_kernel(kernel: Kernel, types: Sequence[Any], target: str, form: Form) -> Compilation:
    """Compile for these parameter types; CompileError where the program is wrong."""
    way = find_target(target)
    built = build(kernel, types, form, way)
    artifact = compile_module(built.module, kernel.__name__, built.parameters, way)
    manifest = artifact.manifest._replace(axes_used=built.axes_used)
    return Compilation(artifact._replace(manifest=manifest), built.dependencies)


def compile_module(
    module: ModuleOp,
    name: str,
    parameters: tuple[Parameter, ...],
    way: Target,
    *,
    start: str = "simt",
) -> Artifact:
    """Compile a module with one kernel, of level `start` (simt or gpu); it is used up."""
    lower_step(module, way, start, "gpu")
    manifest = waist_manifest(name, parameters, module, way)
    lower_step(module, way, "gpu", way.sites_at)
    sites = sites_of(module)
    if way.sites_at == SHADER:  # what a block takes may have become more
        manifest = manifest._replace(**block_facts(module))
    lower_step(module, way, way.sites_at, way.levels[-1])
    emitted = way.emit(module)
    payload = way.payload(emitted)
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

    What a target emits has its own name too, such as "ptx"; "ll" is what it gives to LLVM.
    """
    from .lowering.parse import print_module

    last = way.levels[-1]
    if level == "ll" and last in ("llvm", "nvvm"):
        lower_step(module, way, start, last)
        return way.emit(module)
    if level in ("asm", way.text):
        lower_step(module, way, start, last)
        return way.payload(way.emit(module)).text()
    if level != start:  # a level of another package has just this one way to be shown
        lower_step(module, way, start, level)
    _say_level(module, level)
    return print_module(module)


def _say_level(module: ModuleOp, level: str) -> None:
    """Ops of levels below gpu that hold a gpu.func do not tell the level, so the module does."""
    from xdsl.dialects.builtin import StringAttr

    from .dialects.marks import LEVEL
    from .lowering.levels import find_level

    contract = find_level(level)
    if level not in ("simt", "gpu") and "gpu" in contract.ops and "gpux" in contract.attributes:
        module.attributes[LEVEL] = StringAttr(level)


def build(kernel: Kernel, types: Sequence[Any], form: Form, way: Target) -> Built:
    """The kernel at level simt, with what is known of its parameters and surroundings."""
    from .language.build import build_module
    from .language.machines import Machine

    machine = Machine(way.kind or way.name, way.arch)
    return build_module(kernel.function, tuple(types), form, kernel.options, machine)


def lower_step(module: ModuleOp, way: Target, start: str, end: str) -> None:
    """Take a module from one level of a target to another, in place."""
    from xdsl.context import Context

    if start == "simt" and end != start:
        lower_extensions(module)
    pipeline = way.pipeline(start, end)
    watch: list[Observer] = []
    if any(map(_is_of_others, pipeline.passes())):
        from .lowering.observers import Verify

        watch.append(Verify(_is_of_others))
    # Nothing is parsed on the way, so no dialect (of a plugin, say) has to be looked up.
    pipeline.run(module, Context(), watch)


def _is_of_others(step: ModulePass) -> bool:
    """Whether a pass is of another package; what such a one makes is verified."""
    return not type(step).__module__.startswith("stepwell.")


def lower_extensions(module: ModuleOp) -> None:
    """Lower the ops of other packages' dialects, each dialect by the pass that it came with.

    What such a pass is given and what it makes are verified.
    """
    from .registry import find_lowering

    lowered: list[str] = []
    while True:  # what a pass makes may be another dialect's
        names = sorted(_dialects(module))
        dialect = next((name for name in names if find_lowering(name) is not None), None)
        if dialect is None:
            return
        lowered.append(dialect)
        _lower_dialect(module, lowered)


def _lower_dialect(module: ModuleOp, lowered: Sequence[str]) -> None:
    """Lower the last one of the dialects that were lowered so far."""
    from xdsl.context import Context

    from .dialects.diagnostics import location_of
    from .lowering.observers import Verify
    from .lowering.pipeline import Pipeline
    from .registry import LOWERED_BY

    dialect = lowered[-1]
    lowering = LOWERED_BY.find(dialect)
    Pipeline((lowering(),)).run(module, Context(), [Verify()])
    left = _dialects(module).get(dialect)
    if left is not None:
        hint = "it has to replace all ops of its dialect"
        raise CompileError(f"{lowering.name} leaves {left.name}", location_of(left), hint=hint)
    if lowered.count(dialect) > _MOST_TIMES:
        circle = " and ".join(sorted({*lowered[-_MOST_TIMES:]}))
        raise CompileError(f"what lowers the dialects {circle} makes ops of the other")


def _dialects(module: ModuleOp) -> dict[str, Operation]:
    """The first op of each dialect."""
    from .dialects.walking import ops_of

    return {op.name.partition(".")[0]: op for op in reversed(ops_of(module))}
