"""Kernels that are compiled before they are launched: `compile`, and `load` of a `.swa` file.

A `LoadedProgram` differs from a `Kernel` in where the artifact for some arguments comes from: it
has them all, and needs no compiler.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

from .dialects.diagnostics import CompileError
from .kernel import Kernel, over_rank
from .language.types import ArrayType
from .launch import Program
from .runtime.artifact import Artifact, Bundle, Form, best
from .runtime.artifact import load as load_bundle
from .runtime.device import Device
from .runtime.errors import LaunchError
from .runtime.facts import holds
from .tracebacks import tells_in_short


@tells_in_short
def compile(
    kernel: Kernel,
    types: Sequence[Any],
    *,
    target: str = "cpu",
    over: int | Sequence[int] | Literal["all"] | None = "all",
    small: bool = False,
    disjoint: bool = False,
    alignment: Literal[0, 16, 32] = 0,
    cubins: Sequence[str] = (),
) -> Bundle:
    """Compile ahead of time for parameter types such as `(sw.f32, sw.Array[sw.f32, 1])`.

    The result holds the kernel for a plain launch and for `over` of each rank that its ids allow;
    `over=None`, a rank or a shape restricts it to one. `.save(path)` writes it, `load` reads it.

    On targets that make better code of such facts (cuda), it also holds code for launches that are
    `small` (indices fit 32 bits), whose written arrays are `disjoint` from all others, and whose
    arrays have rows that start at multiples of `alignment` bytes; a launch takes it where they
    hold. Code that is held to sizes of arrays (`sizes=` of `Kernel.ir`) is in no file: checks that
    only sizes make needless stay. `cubins` are architectures of NVIDIA GPUs for which it holds
    machine code too (see `cubins.py`).

    `target="cpu"` is this machine. `"cpu:x86-64-v2+x86-64-v3+x86-64-v4"` is code for each of these
    levels of x86-64, `"cpu:arm64"` for 64-bit ARM, all for this operating system; a launch takes
    the best that its machine can run.
    """
    from .cubins import with_cubins
    from .targets import versions_of

    fixed = kernel.parameter_types(types)
    made = [
        artifact
        for version in versions_of(target)
        for artifact in _compile(kernel, fixed, version, over, small, disjoint, alignment)
    ]
    return Bundle(tuple(with_cubins(made, cubins)))


def _compile(
    kernel: Kernel,
    fixed: tuple[Any, ...],
    target: str,
    over: int | Sequence[int] | Literal["all"] | None,
    small: bool,
    disjoint: bool,
    alignment: Literal[0, 16, 32],
) -> list[Artifact]:
    """The artifacts for one target, the better ones first."""
    from .targets import find_target

    way = find_target(target)
    forms = [Form() if over == "all" else Form(over_rank(over))]
    made = [kernel.compile(fixed, target=target, form=forms[0])]
    if over == "all":
        forms += [Form(rank) for rank in range(max(1, made[0].manifest.axes_used), 4)]
        made += [kernel.compile(fixed, target=target, form=form) for form in forms[1:]]
    if not small and not disjoint and not alignment:
        return made
    if not way.launch_facts:
        raise CompileError(
            f"target {target} makes no use of small=, disjoint= or alignment=", hint="leave it out"
        )
    better = tuple(t.aligned(alignment) if isinstance(t, ArrayType) else t for t in fixed)
    best = [
        kernel.compile(better, target=target, form=form._replace(small=small, disjoint=disjoint))
        for form in forms
    ]
    return [*best, *made]


def load(source: str | os.PathLike[str] | Bundle) -> LoadedProgram:
    """The kernel in a `.swa` file, ready to be launched; needs no compiler.

    A `Bundle`, as `compile` and `compile_ir` give it, need not be a file first. ArtifactError for
    a file that is damaged, foreign or newer.
    """
    return LoadedProgram(source if isinstance(source, Bundle) else load_bundle(source))


class LoadedProgram(Program):
    """A kernel from a `.swa` file: its types are fixed, and it needs no compiler."""

    def __init__(self, bundle: Bundle):
        super().__init__()
        self.artifacts = bundle.artifacts
        manifest = bundle.artifacts[0].manifest
        self.__name__ = manifest.name
        self.block = manifest.known_block
        self.cluster = manifest.cluster
        names: dict[int, str] = {}
        for row in manifest.parameters:
            names.setdefault(row.source.argument, row.name.split(".")[0])
        self.parameter_names = tuple(names[i] for i in sorted(names))

    def artifact_for(self, arguments: Sequence[Any], form: Form, on: Device) -> Artifact:
        """The artifact of the file that fits the device and the kind of launch."""
        fitting = [
            artifact
            for artifact in self.artifacts
            if _is_for(artifact.manifest.form, form)
            and on.accepts(artifact.manifest)
            and holds(artifact.manifest, form, arguments)
        ]
        if fitting:
            return best(fitting)
        raise LaunchError(
            f"{self.__name__} was not compiled for {form} on {on.name}; the file has:"
            + "".join(f"\n  {line}" for line in [*self._content(on), *self._other_devices(on)])
        )

    def _other_devices(self, on: Device) -> list[str]:
        """A hint where the file has nothing for this kind of device."""
        targets = sorted({artifact.manifest.target for artifact in self.artifacts})
        if on.target.partition(":")[0] in targets:
            return []
        return [f'hint: name a device of these, as by device="{targets[0]}"']

    def _content(self, on: Device) -> list[str]:
        """The kinds of launch for each machine, and why the device cannot run code for it."""
        forms: dict[tuple[str, str | None], list[Form]] = {}
        for artifact in self.artifacts:
            manifest = artifact.manifest
            forms.setdefault((manifest.machine, on.why_unfit(manifest)), []).append(manifest.form)
        return [
            f"{', '.join(map(str, kinds))} on {machine}" + (f": {why}" if why else "")
            for (machine, why), kinds in forms.items()
        ]

    def arrange(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """See `Program.arrange`."""
        names = self.parameter_names
        rest = names[len(arguments) :]
        if len(arguments) > len(names) or set(keywords) != set(rest):
            raise TypeError(
                f"{self.__name__}() takes {', '.join(names)}; got {len(arguments)} positional "
                f"arguments and {sorted(keywords)}"
            )
        return (*arguments, *(keywords[name] for name in rest))

    def __repr__(self) -> str:
        return f"<loaded kernel {self.__name__}({', '.join(self.parameter_names)})>"


def _is_for(made_for: Form, form: Form) -> bool:
    return made_for.over == form.over and made_for.block_rank >= form.block_rank
