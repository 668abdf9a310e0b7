"""`@kernel` and what a user does with one: launch it, look at its levels, compile it ahead of time.

    saxpy.over(x.size)(2.0, x, y)      one thread per item
    saxpy[grid, block](2.0, x, y)      blocks of threads, as in CUDA
    saxpy.launch(grid, block, device="cpu")(2.0, x, y)

`Kernel` (compiled when it is called) and `LoadedProgram` (compiled before) are both a `Program`: what
differs is only where the artifact for some arguments comes from. A `Launch` is a program with its
shape, bound to a device; it keeps, for each kind of arguments seen, how to pack them and what to
run, so that a launch of a kind seen before costs microseconds. No xDSL is imported here: the
compiler is loaded when a cache has nothing.
"""

from __future__ import annotations

import os
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

from .runtime.arguments import (
    Pack,
    adopt_arguments,
    argument_key,
    check_arguments,
    make_packer,
    upload_arguments,
)
from .runtime.device import Device, Dim3, LoadedKernel, Stream, device, dim3
from .runtime.errors import ArrayError, LaunchError

if TYPE_CHECKING:
    from .runtime.artifact import Artifact, Bundle

Run = Callable[[bytes], None]
_EXTENTS = struct.Struct("<qqq")
_MEMO_SIZE = 1024


class Shape(NamedTuple):
    """The shape of a launch: `over` is the rank of the items (None for a plain grid)."""

    over: int | None
    grid: Dim3
    block: Dim3
    extent: Dim3
    shared_bytes: int


class Program(ABC):
    """Something that can be launched."""

    __name__: str
    parameter_names: tuple[str, ...]

    def __init__(self) -> None:
        self.key: Callable[[Sequence[Any]], Any] = argument_key
        self._launches: dict[Any, Launch] = {}
        self._loaded: dict[Any, LoadedKernel] = {}

    @abstractmethod
    def artifact_for(self, arguments: Sequence[Any], over: int | None, on: Device) -> Artifact:
        """The compiled kernel for such arguments; CompileError or ArrayError if there is none."""

    @abstractmethod
    def arrange(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments by position; TypeError as Python's where they do not fit the parameters."""

    def over(
        self,
        shape: int | Sequence[int],
        *,
        block: int | Sequence[int] | None = None,
        device: str | Device | None = None,
        stream: Stream | None = None,
    ) -> Launch:
        """One thread per item of `shape` (1 to 3 axes); call the result with the arguments.

        Id `d` counts axis `d`, and neighbouring lanes share the last axis. `block` gives threads by
        axis in the same order; by default the device's choice. LaunchError over the limits.
        """
        on = _device_of(device, stream)
        key = (shape if isinstance(shape, int) else tuple(shape), block, on, stream)
        found = self._launches.get(key)
        return found or self._bind(key, _shape_over(shape, block, on), on, stream)

    def launch(
        self,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        *,
        device: str | Device | None = None,
        stream: Stream | None = None,
        shared_bytes: int = 0,
    ) -> Launch:
        """`grid` blocks of `block` threads (x first); call the result with the arguments."""
        on = _device_of(device, stream)
        key = (
            grid if isinstance(grid, int) else tuple(grid),
            block if isinstance(block, int) else tuple(block),
            on,
            stream,
            shared_bytes,
        )
        found = self._launches.get(key)
        if found is not None:
            return found
        shape = Shape(None, dim3(grid, "grid"), dim3(block, "block"), (0, 0, 0), shared_bytes)
        return self._bind(key, shape, on, stream)

    def __getitem__(self, shape: tuple[Any, ...]) -> Launch:
        """`program[grid, block]` or `program[grid, block, stream, shared_bytes]`."""
        if not isinstance(shape, tuple) or not 2 <= len(shape) <= 4:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise LaunchError(f"{self.__name__}[…] takes grid and block, got {shape!r}")
        stream = shape[2] if len(shape) > 2 else None
        shared_bytes = shape[3] if len(shape) > 3 else 0
        return self.launch(shape[0], shape[1], stream=stream, shared_bytes=shared_bytes)

    def _bind(self, key: Any, shape: Shape, on: Device, stream: Stream | None) -> Launch:
        if len(self._launches) >= _MEMO_SIZE:
            self._launches.clear()
        made = self._launches[key] = Launch(self, shape, on, stream)
        return made

    def load(self, key: Any, arguments: Sequence[Any], over: int | None, on: Device) -> LoadedKernel:
        """The kernel for arguments of this key, loaded on a device."""
        found = self._loaded.get((key, over, on))
        if found is None:
            found = on.load(self.artifact_for(arguments, over, on))
            self._loaded[key, over, on] = found
        return found


class Launch:
    """A program with the shape of its launch; called with the kernel's arguments it launches."""

    __slots__ = ("_known", "device", "program", "shape", "stream")

    def __init__(self, program: Program, shape: Shape, on: Device, stream: Stream | None):
        self.program = program
        self.shape = shape
        self.device = on
        self.stream = stream
        self._known: dict[Any, tuple[Pack, Run]] = {}

    def __call__(self, *arguments: Any, **keywords: Any) -> None:
        """Launch. NumPy arrays are used in place or moved; device arrays stay where they are.

        Raises KernelError if a check of the kernel failed, ArrayError for unfit arguments.
        """
        if keywords or len(arguments) != len(self.program.parameter_names):
            arguments = self.program.arrange(arguments, keywords)
        key = self.program.key(arguments)
        known = self._known.get(key)
        if known is None:
            return self._first(key, arguments)
        pack, run = known
        try:
            packed = pack(arguments)
        except (struct.error, OverflowError) as error:
            raise _unpackable(self.program, error) from None
        return run(packed)

    def _first(self, key: Any, arguments: Sequence[Any]) -> None:
        """Launch arguments of a kind that was not seen before."""
        adopted = adopt_arguments(arguments, self.device)
        if any(a is not b for a, b in zip(adopted, arguments, strict=True)):
            return self(*adopted)
        loaded = self.program.load(key, arguments, self.shape.over, self.device)
        if "host_memory" in self.device.features:
            pack, run = self._prepare(loaded, arguments)
            if len(self._known) >= _MEMO_SIZE:
                self._known.clear()
            self._known[key] = pack, run
            return self(*arguments)
        check_arguments(arguments, loaded.manifest, self.device)
        transfer = upload_arguments(arguments, loaded.manifest, self.device)
        pack, run = self._prepare(loaded, transfer.arguments)
        run(pack(transfer.arguments))
        return transfer.finish()

    def _prepare(self, loaded: LoadedKernel, arguments: Sequence[Any]) -> tuple[Pack, Run]:
        check_arguments(arguments, loaded.manifest, self.device)
        shape = self.shape
        if shape.over is not None and loaded.manifest.uses_barrier:
            _check_whole_blocks(self.program.__name__, shape)
        run = loaded.launcher(shape.grid, shape.block, shape.shared_bytes, self.stream)
        if shape.over is None:
            return make_packer(loaded.manifest, arguments), run
        tail = _EXTENTS.pack(*shape.extent)
        return make_packer(loaded.manifest, arguments), lambda packed: run(packed + tail)


class Kernel(Program):
    """A Python function that runs on devices; made by `@kernel`.

    `checks=False` leaves out the checks of indices, divisors and asserts; `fastmath=True` allows
    reassociation and contraction of float operations and assumes that there is no NaN or infinity.
    """

    def __init__(self, function: Callable[..., Any], *, checks: bool, fastmath: bool):
        super().__init__()
        from .specialise import Specialiser

        update_wrapper(self, function)
        self.function = function
        self.checks = checks
        self.fastmath = fastmath
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

    def artifact_for(self, arguments: Sequence[Any], over: int | None, on: Device) -> Artifact:
        """Compile for the types of the arguments, or take what a cache has."""
        types = self._specialiser.types_of(arguments)
        return self.compile(types, target=on.kind, over=over)

    def parameter_types(self, types: Sequence[Any]) -> tuple[Any, ...]:
        """Types (or sample arguments) held against the kernel's annotations."""
        if len(types) != len(self.parameter_names):
            raise ArrayError(
                f"kernel {self.__name__} has {len(self.parameter_names)} parameters "
                f"({', '.join(self.parameter_names)}), got {len(types)} types"
            )
        return self._specialiser.types_of(types)

    def compile(self, types: Sequence[Any], *, target: str = "cpu", over: int | None = None) -> Artifact:
        """The artifact for these parameter types, from the disk cache where it has one."""
        from .caching import cached_artifact

        return cached_artifact(self, tuple(types), target, over)

    def arrange(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """See `Program.arrange`."""
        return self._specialiser.arrange(arguments, keywords)

    def ir(self, level: str, *arguments: Any, over: int | None = None, target: str = "cpu") -> str:
        """The kernel as text at a level: "simt", "gpu", "cpu", "llvm" or "asm".

        The arguments are those of a call (or their types); `over` is the rank of an `over` launch.
        """
        from .compiler import print_level

        types = self._specialiser.types_of(self.arrange(arguments, {}))
        return print_level(self, types, level, target=target, over=over)

    def __repr__(self) -> str:
        return f"<kernel {self.__name__}({', '.join(self.parameter_names)})>"


class LoadedProgram(Program):
    """A kernel from a `.swa` file: its types are fixed, and it needs no compiler."""

    def __init__(self, bundle: Bundle):
        super().__init__()
        self.artifacts = bundle.artifacts
        manifest = bundle.artifacts[0].manifest
        self.__name__ = manifest.name
        names: dict[int, str] = {}
        for row in manifest.parameters:
            names.setdefault(row.source.argument, row.name.split(".")[0])
        self.parameter_names = tuple(names[i] for i in sorted(names))

    def artifact_for(self, arguments: Sequence[Any], over: int | None, on: Device) -> Artifact:
        """The artifact of the file that fits the device and the kind of launch."""
        for artifact in self.artifacts:
            if on.accepts(artifact.manifest) and artifact.manifest.over == over:
                return artifact
        have = ", ".join(
            f"{a.manifest.target} {'launch' if a.manifest.over is None else f'over rank {a.manifest.over}'}"
            for a in self.artifacts
        )
        wanted = "a plain launch" if over is None else f"over() of rank {over}"
        raise LaunchError(f"{self.__name__} was not compiled for {on.name} and {wanted}; has {have}")

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


@overload
def kernel(function: Callable[..., Any], /) -> Kernel: ...
@overload
def kernel(
    *, checks: bool = True, fastmath: bool = False
) -> Callable[[Callable[..., Any]], Kernel]: ...
def kernel(
    function: Callable[..., Any] | None = None, /, *, checks: bool = True, fastmath: bool = False
) -> Kernel | Callable[[Callable[..., Any]], Kernel]:
    """Make a Python function a kernel; see `Kernel` for the options."""
    if function is None:
        return lambda function: Kernel(function, checks=checks, fastmath=fastmath)
    return Kernel(function, checks=checks, fastmath=fastmath)


def compile(
    kernel: Kernel,
    types: Sequence[Any],
    *,
    target: str = "cpu",
    over: int | Literal["all"] | None = "all",
) -> Bundle:
    """Compile ahead of time for parameter types such as `(sw.f32, sw.Array[sw.f32, 1])`.

    The result holds the kernel for a plain launch and for `over` of each rank that its ids allow;
    `over=None` or a rank restricts it to one. `.save(path)` writes it, `load` reads it.
    """
    from .compiler import CompileError, find_target
    from .runtime.artifact import Bundle

    find_target(target)
    fixed = kernel.parameter_types(types)
    if over != "all":
        return Bundle((kernel.compile(fixed, target=target, over=over),))
    artifacts = [kernel.compile(fixed, target=target)]
    for rank in (1, 2, 3):
        try:
            artifacts.append(kernel.compile(fixed, target=target, over=rank))
        except CompileError:  # it compiles for a launch, so its ids want more axes than `rank`
            continue
    return Bundle(tuple(artifacts))


def load(path: str | os.PathLike[str]) -> LoadedProgram:
    """The kernel in a `.swa` file, ready to be launched; needs no compiler.

    ArtifactError for a file that is damaged, foreign or newer.
    """
    from .runtime.artifact import Bundle

    return LoadedProgram(Bundle.load(path))


def _device_of(wanted: str | Device | None, stream: Stream | None) -> Device:
    if stream is None:
        return device(wanted)
    if wanted is not None and device(wanted) is not stream.device:
        raise LaunchError(f"stream is of {stream.device.name}, device= says {wanted}")
    return stream.device


def _shape_over(
    shape: int | Sequence[int], block: int | Sequence[int] | None, on: Device
) -> Shape:
    """Axes of `over` are C order, so axis -1 is x: sizes are reversed on the way to the hardware."""
    axes = (shape,) if isinstance(shape, int) or hasattr(shape, "__index__") else tuple(shape)  # pyright: ignore
    extent = dim3(tuple(reversed(axes)), "shape of over()")
    if block is None:
        threads = _default_block(extent, on)
    else:
        given = (block,) if isinstance(block, int) else tuple(block)
        if len(given) > len(axes):
            raise LaunchError(f"block {block} has more axes than the shape {axes}")
        threads = dim3(tuple(reversed(given)), "block")
        if min(threads) < 1:
            raise LaunchError(f"block {block} is empty, expected at least one thread")
    x, y, z = (-(-items // size) for items, size in zip(extent, threads, strict=True))
    return Shape(len(axes), (x, y, z), threads, extent, 0)


def _default_block(extent: Dim3, on: Device) -> Dim3:
    """As many threads of x as a block of the device takes well, the rest along y, then z."""
    left = min(on.limits.max_block_threads, 1024 if "host_memory" in on.features else 256)
    sizes: list[int] = []
    for items, most in zip(extent, on.limits.max_block, strict=True):
        size = max(1, min(items, most, left))
        sizes.append(size)
        left //= size
    return sizes[0], sizes[1], sizes[2]


def _check_whole_blocks(name: str, shape: Shape) -> None:
    if any(items % size for items, size in zip(shape.extent, shape.block, strict=True)):
        raise LaunchError(
            f"kernel {name} has barriers, so over() needs a shape that its block divides: "
            f"{tuple(reversed(shape.extent))} is not a multiple of {tuple(reversed(shape.block))}; "
            "give block=, or launch a grid and test the index in the kernel"
        )


def _unpackable(program: Program, error: Exception) -> ArrayError:
    return ArrayError(f"a scalar argument of kernel {program.__name__} does not fit its type: {error}")
