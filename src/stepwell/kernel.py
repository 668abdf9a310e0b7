"""`@kernel`, and what a user does with one: launch it, look at it, compile it ahead of time.

`Kernel` (compiled when it is called) and `LoadedProgram` (compiled before) are both a `Program`;
they differ in where the artifact for some arguments comes from. The compiler, and with it xDSL, is
loaded when no cache has the artifact.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Literal, overload

from .dialects.diagnostics import CompileError
from .language.options import Hints, Options
from .language.types import ArrayType
from .launch import Program
from .registry import near_matches
from .runtime.artifact import Bundle, Form, best
from .runtime.artifact import load as load_bundle
from .runtime.device import Device
from .runtime.device import device as find_device
from .runtime.errors import ArrayError, LaunchError
from .runtime.facts import holds
from .runtime.launch_shape import dim3
from .specialise import Specialiser, aligned_types
from .tracebacks import tells_in_short

if TYPE_CHECKING:
    from .runtime.artifact import Artifact

ANY_GRID = Form()


class Kernel(Program):
    """A Python function that runs on devices; made by `@kernel`.

    `checks=False` leaves out the checks of indices, divisors and asserts. `fastmath` says in what
    float operations need not be exact, by LLVM's names: "contract" (a product and a sum are rounded
    once, and exp may differ between devices in its last bit), "reassoc", "nnan", "ninf", "nsz",
    "arcp" (a reciprocal may be multiplied by), "afn" (functions may be approximate); one, several,
    or True for all.
    `block` is the block of every launch, threads of x, y and z: code is made for it (a GPU gives
    each thread as many registers as so many threads leave it), and another one is a LaunchError.

    The rest is for NVIDIA GPUs. `min_blocks_per_sm`: so many blocks fit a multiprocessor together,
    `max_registers`: a thread takes at most so many; other devices have no use for these.
    `cluster`: so many neighbouring blocks of x, y and z run together and reach each other's shared
    memory (sm_90 or later; a CompileError elsewhere); the grid is a multiple of it.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        checks: bool,
        fastmath: bool | str | Sequence[str],
        block: int | Sequence[int] | None,
        hints: Hints,
    ):
        super().__init__()
        hints.check()
        self.block = None if block is None else dim3(block, "block")
        self.cluster = hints.cluster
        self.options = Options(checks, fast_math_flags(fastmath), self.block, hints)
        update_wrapper(self, function)
        self.function = function
        self._specialiser = Specialiser(function)
        self.parameter_names = self._specialiser.parameter_names
        self.key = self._key_at_first

    def _key_at_first(self, arguments: Sequence[Any]) -> Any:
        """Annotations are looked at when the kernel is first called, not when it is defined."""
        self.key = self._specialiser.key
        return self.key(arguments)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        raise LaunchError(
            f"kernel {self.__name__} needs the shape of its launch: write "
            f"{self.__name__}.over(n)(…) or {self.__name__}[grid, block](…)"
        )

    def artifact_for(self, arguments: Sequence[Any], form: Form, on: Device) -> Artifact:
        """Compile for the types of the arguments, or take what a cache has."""
        types = self._specialiser.types_of(arguments)
        if form.disjoint:  # else nothing is known of arrays
            types = aligned_types(types, arguments)
        return self.compile(types, target=on.target + on.variant(arguments), form=form)

    def parameter_types(self, types: Sequence[Any]) -> tuple[Any, ...]:
        """Types (or sample arguments) held against the kernel's annotations."""
        if len(types) != len(self.parameter_names):
            raise ArrayError(
                f"kernel {self.__name__} has {len(self.parameter_names)} parameters "
                f"({', '.join(self.parameter_names)}), got {len(types)} types"
            )
        return self._specialiser.types_of(types)

    def compile(
        self, types: Sequence[Any], *, target: str = "cpu", form: Form = ANY_GRID
    ) -> Artifact:
        """The artifact for these parameter types, from the disk cache where it has one."""
        from .caching import cached_artifact

        return cached_artifact(self, tuple(types), target, form)

    def arrange(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """See `Program.arrange`."""
        return self._specialiser.arrange(arguments, keywords)

    @tells_in_short
    def ir(
        self,
        level: str,
        *arguments: Any,
        over: int | Sequence[int] | None = None,
        target: str = "cpu",
        small: bool = False,
        disjoint: bool = False,
        sizes: bool = False,
        large: bool = False,
    ) -> str:
        """The kernel as text at a level: "simt", "gpu", "cpu", "llvm" or "asm", or as LLVM's "ll".

        Other targets have their own levels, such as "nvvm" and "ptx", or "shader" and "spvasm".
        The arguments are those of a call (or their types); `over` is the rank of an `over` launch,
        or its shape, and without it the code is that of grids of blocks of any shape; `small` and
        `disjoint` are as in `compile`; with `sizes` it is the code of launches on GPUs that are
        held to sizes of arrays, without the checks that these make needless; `large` is for
        launches that write more than the caches of a CPU hold.
        """
        from .compiler import print_level

        types = self._specialiser.types_of(self.arrange(arguments, {}))
        form = Form(_rank(over), small=small, disjoint=disjoint, sizes=sizes, streams=large)
        return print_level(self, types, level, target=target, form=form)

    @tells_in_short
    def explain(
        self,
        *arguments: Any,
        over: int | Sequence[int] | None = None,
        device: str | Device | None = None,
        uniformity: bool = False,
        large: bool = False,
    ) -> str:
        """What the compiler makes of the kernel for a device, in words.

        Says which checks remain, what memory a block needs, and everything that stands for
        something that the device lacks; with `uniformity`, also which branches and accesses
        differ between the lanes of a subgroup; with `large`, of launches that write more than the
        caches of a CPU hold. The arguments are those of a call (or their types).
        """
        from .explain import explain

        types = self._specialiser.types_of(self.arrange(arguments, {}))
        target = find_device(device).target
        return explain(self, types, target, Form(_rank(over), streams=large), uniformity=uniformity)

    def __repr__(self) -> str:
        return f"<kernel {self.__name__}({', '.join(self.parameter_names)})>"


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


@overload
def kernel(function: Callable[..., Any], /) -> Kernel: ...
@overload
def kernel(
    *,
    checks: bool = True,
    fastmath: bool | str | Sequence[str] = False,
    block: int | Sequence[int] | None = None,
    min_blocks_per_sm: int | None = None,
    max_registers: int | None = None,
    cluster: int | Sequence[int] | None = None,
) -> Callable[[Callable[..., Any]], Kernel]: ...
def kernel(
    function: Callable[..., Any] | None = None,
    /,
    *,
    checks: bool = True,
    fastmath: bool | str | Sequence[str] = False,
    block: int | Sequence[int] | None = None,
    min_blocks_per_sm: int | None = None,
    max_registers: int | None = None,
    cluster: int | Sequence[int] | None = None,
) -> Kernel | Callable[[Callable[..., Any]], Kernel]:
    """Make a Python function a kernel; see `Kernel` for the options."""
    blocks = None if cluster is None else dim3(cluster, "cluster")
    hints = Hints(min_blocks_per_sm, max_registers, blocks)

    def make(function: Callable[..., Any]) -> Kernel:
        return Kernel(function, checks=checks, fastmath=fastmath, block=block, hints=hints)

    return make if function is None else make(function)


_FLAGS = ("reassoc", "nnan", "ninf", "nsz", "arcp", "contract", "afn")


def fast_math_flags(given: bool | str | Sequence[str]) -> tuple[str, ...]:
    """The flags in LLVM's order; CompileError for others."""
    if isinstance(given, bool):
        return _FLAGS if given else ()
    asked = (given,) if isinstance(given, str) else tuple(given)
    for flag in asked:
        if flag not in _FLAGS:
            raise CompileError(
                f"fastmath= has the flag {flag!r}", hint=near_matches(flag, list(_FLAGS))
            )
    return tuple(flag for flag in _FLAGS if flag in asked)


def _rank(over: int | Sequence[int] | None) -> int | None:
    """The rank of an `over` launch that is given by its rank or by its shape."""
    rank = len(over) if isinstance(over, Sequence) else over
    if isinstance(over, str) or rank not in (None, 1, 2, 3):
        hint = "a number of items is a shape of rank 1: over=(n,)"
        raise CompileError(
            f"over={over!r}, expected the rank of an over() launch (1 to 3) or its shape", hint=hint
        )
    return rank


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
    forms = [Form() if over == "all" else Form(_rank(over))]
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
