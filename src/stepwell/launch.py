"""A program with the shape of its launch, and what happens between the call and the device.

    saxpy.over(x.size)(2.0, x, y)      one thread per item
    saxpy[grid, block](2.0, x, y)      blocks of threads, as in CUDA

A `Launch` keeps, for each kind of arguments that it has seen, how to pack them and what to run, so
that a launch of a kind seen before costs microseconds. No xDSL is imported here.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .runtime.arguments import (
    adopt_arguments,
    argument_key,
    check_arguments,
    make_packer,
)
from .runtime.artifact import Form
from .runtime.device import Device, Direct, LoadedKernel, Stream
from .runtime.devices import device
from .runtime.errors import ArrayError, LaunchError
from .runtime.facts import (
    FEATURE,
    SIZES,
    LaunchShape,
    Unfit,
    form_for,
    small_launch,
)
from .runtime.launch_shape import PLAIN, Dim3, LaunchOptions, check_options, dim3
from .runtime.moved import MovedLaunch, host_positions, stand_ins
from .tracebacks import TOLD, in_short

if TYPE_CHECKING:
    from .runtime.artifact import Artifact

Sizes = int | Sequence[int]
_NONE = (0, 0, 0)
# Code that relies on less than what arguments of a kind usually have: on no sizes, on no facts.
_ANY_SIZE, _GENERAL = "any size", "general"
_MEMO_SIZE = 1024
# A quicker way is looked for at the third of every 16 launches that did not have one.
_DIRECT_EVERY, _DIRECT_AT = 16, 3


class Shape(NamedTuple):
    """The shape of a launch; `extent` is what an `over` launch has items for.

    `is_free`: nobody has asked for this block, so that one which suits the kernel may stand for it.
    """

    form: Form
    grid: Dim3
    block: Dim3
    extent: Dim3
    shared_bytes: int
    options: LaunchOptions = PLAIN
    is_free: bool = False


class Known(NamedTuple):
    """How arguments of a kind are packed and what is run; and how a quicker way is found."""

    pack: Callable[[Sequence[Any]], Any]
    run: Callable[[Any], None]
    find_direct: Callable[[Any, Sequence[Any]], Direct | None] | None = None


class Program(ABC):
    """Something that can be launched."""

    __name__: str
    parameter_names: tuple[str, ...]
    block: Dim3 | None = None
    """The block of every launch, where the kernel is made for one."""
    cluster: Dim3 | None = None
    """Blocks that run together, of which the grid is a multiple."""

    def __init__(self) -> None:
        self.key: Callable[[Sequence[Any]], Any] = argument_key
        self._launches: dict[Any, Launch] = {}
        self._loaded: dict[Any, LoadedKernel] = {}

    @abstractmethod
    def artifact_for(self, arguments: Sequence[Any], form: Form, on: Device) -> Artifact:
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
        stream: Stream | object | None = None,
    ) -> Launch:
        """One thread per item of `shape` (1 to 3 axes); call the result with the arguments.

        Id `d` counts axis `d`, and neighbouring lanes share the last axis. `block` gives threads by
        axis in the same order; by default the kernel's own, else the device's choice. `stream` may
        be one of another library, on devices that share theirs. LaunchError over the limits.
        """
        on = _device_of(device, stream)
        key = (_hashable(shape), _hashable(block), on, stream)
        found = self._launches.get(key)
        return found or self._bind(key, _shape_over(shape, block, on, self), on, stream)

    def launch(
        self,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        *,
        device: str | Device | None = None,
        stream: Stream | object | None = None,
        shared_bytes: int = 0,
        cooperative: bool = False,
        cluster: int | Sequence[int] | None = None,
        overlap: bool = False,
    ) -> Launch:
        """`grid` blocks of `block` threads (x first); call the result with the arguments.

        `cooperative`, `cluster` and `overlap` are as in `LaunchOptions`; LaunchError on a device
        without them, and over the limits.
        """
        on = _device_of(device, stream)
        wanted = cooperative, _hashable(cluster), overlap
        key = (_hashable(grid), _hashable(block), on, stream, shared_bytes, wanted)
        found = self._launches.get(key)
        if found is not None:
            return found
        threads = dim3(block, "block")
        form = Form(block_rank=3 if threads[2] != 1 else 2 if threads[1] != 1 else 1)
        blocks = dim3(grid, "grid")
        options = LaunchOptions(
            cooperative, None if cluster is None else dim3(cluster, "cluster"), overlap
        )
        check_options(on, self.__name__, options)
        form = _with_facts(form, blocks, threads, on)
        shape = Shape(form, blocks, threads, _NONE, shared_bytes, options)
        return self._bind(key, shape, on, stream)

    def __getitem__(
        self,
        shape: tuple[Sizes, Sizes] | tuple[Sizes, Sizes, object] | tuple[Sizes, Sizes, object, int],
    ) -> Launch:
        """`program[grid, block]` or `program[grid, block, stream, shared_bytes]`."""
        given: Any = shape
        parts = list(cast("tuple[Any, ...]", given)) if isinstance(given, tuple) else [given]
        if not 2 <= len(parts) <= 4:
            raise LaunchError(f"{self.__name__}[…] takes grid and block, got {shape!r}")
        grid, block, stream, shared_bytes = parts + [None, 0][len(parts) - 2 :]
        return self.launch(grid, block, stream=stream, shared_bytes=shared_bytes)

    def _bind(self, key: Any, shape: Shape, on: Device, stream: object) -> Launch:
        if stream is not None and not isinstance(stream, Stream):
            stream = on.foreign_stream(stream)
        if len(self._launches) >= _MEMO_SIZE:
            self._launches.clear()
        made = self._launches[key] = Launch(self, shape, on, stream)
        return made

    def load(self, key: Any, arguments: Sequence[Any], form: Form, on: Device) -> LoadedKernel:
        """The kernel for arguments of this key, loaded on a device."""
        which = key, form, on, on.variant(arguments)
        found = self._loaded.get(which)
        if found is None:
            found = self._loaded[which] = on.load(self.artifact_for(arguments, form, on))
        return found


class Launch:
    """A program with the shape of its launch; called with the kernel's arguments it launches."""

    __slots__ = ("_calls", "_count", "_direct", "_known", "device", "program", "shape", "stream")

    def __init__(self, program: Program, shape: Shape, on: Device, stream: Stream | None):
        self.program = program
        self.shape = shape
        self.device = on
        self.stream = stream
        self._count = len(program.parameter_names)
        self._known: dict[Any, Known] = {}
        # What the device itself does for arguments of the kind that is launched most.
        self._direct: Direct | None = None
        self._calls = 0

    def __call__(self, *arguments: Any, **keywords: Any) -> None:
        """Launch. NumPy arrays are used in place or moved; device arrays stay where they are.

        Raises KernelError if a check of the kernel failed, ArrayError for unfit arguments.
        """
        try:
            direct = self._direct
            if direct is not None and not keywords:
                call, settle = direct
                left = call(*arguments)
                if left is None:
                    return None
                if left:
                    return settle()
            if keywords or len(arguments) != self._count:
                arguments = self.program.arrange(arguments, keywords)
            key = self.program.key(arguments)
            known = self._known.get(key)
            if known is None:
                return self._first(key, arguments)
            pack, run, find_direct = known
            try:
                packed = pack(arguments)
            except (struct.error, OverflowError) as error:
                raise _unpackable(self.program, arguments, error) from None
            except Unfit as unfit:
                return self._unfit(key, arguments, unfit)
            self._calls += 1
            if self._calls % _DIRECT_EVERY == _DIRECT_AT and find_direct is not None:
                self._direct = find_direct(packed, arguments)
            return run(packed)
        except TOLD as error:
            raise in_short(error) from error.__cause__

    def _first(self, key: Any, arguments: Sequence[Any], less: str = "") -> None:
        """Launch arguments of a kind that was not seen before; `less`: by code that relies on less
        than is known of these."""
        adopted = adopt_arguments(arguments, self.device)
        if any(a is not b for a, b in zip(adopted, arguments, strict=True)):
            return self(*adopted)
        form = self.shape.form
        if FEATURE in self.device.features:
            form = form._replace(small=False) if less == _GENERAL else form_for(form, arguments)
        if SIZES in self.device.features and not less:
            form = form._replace(sizes=True)
        loaded = self.program.load(key, arguments, form, self.device)
        positions = host_positions(arguments)
        if positions and "host_memory" not in self.device.features:
            known = self._prepare_moved(loaded, arguments, positions)
        else:
            known = self._prepare(loaded, arguments)
        if len(self._known) >= _MEMO_SIZE:
            self._known.clear()
        if less:
            self._known[self._less_key(key, less, arguments)] = known
            return self._launch_less(key, less, arguments)
        self._known[key] = known
        return self(*arguments)

    def _unfit(self, key: Any, arguments: Sequence[Any], unfit: Unfit) -> None:
        """Launch arguments of a kind seen before, for which the code for that kind relies on more
        than is so this time."""
        self._launch_less(key, _ANY_SIZE if unfit.only_sizes else _GENERAL, arguments)

    def _launch_less(self, key: Any, less: str, arguments: Sequence[Any]) -> None:
        known = self._known.get(self._less_key(key, less, arguments))
        if known is None:
            return self._first(key, arguments, less)
        try:
            packed = known.pack(arguments)
        except (struct.error, OverflowError) as error:
            raise _unpackable(self.program, arguments, error) from None
        except Unfit:
            if less == _GENERAL:
                raise
            return self._launch_less(key, _GENERAL, arguments)
        return known.run(packed)

    def _less_key(self, key: Any, less: str, arguments: Sequence[Any]) -> Any:
        return key, less, self.device.variant(arguments)

    def _prepare_moved(
        self, loaded: LoadedKernel, arguments: Sequence[Any], positions: tuple[int, ...]
    ) -> Known:
        """For NumPy arrays and a device that does not see them: they are moved there and back."""
        on = self.device
        check_arguments(arguments, loaded.manifest, on)
        variant = on.variant(arguments)
        pack, run, _ = self._prepare(loaded, stand_ins(arguments, positions, on))
        moved = MovedLaunch(on, self.stream, loaded.manifest, positions, variant, pack, run)
        return Known(moved.pack, moved.run)

    def _prepare(self, loaded: LoadedKernel, arguments: Sequence[Any]) -> Known:
        check_arguments(arguments, loaded.manifest, self.device)
        shape = self.shape
        whole = loaded.manifest.uses_barrier or loaded.manifest.whole_subgroups
        if shape.form.over is not None and whole:
            _check_whole_blocks(self.program.__name__, shape)
        if shape.is_free and not loaded.manifest.uses_barrier:
            shape = _suited(shape, loaded.preferred_threads(), self.device)
        run = loaded.launcher(
            shape.grid, shape.block, shape.shared_bytes, self.stream, shape.options
        )
        extents = shape.extent if shape.form.over is not None else ()
        launch = LaunchShape(shape.grid, shape.block, extents, shape.shared_bytes)
        pack = make_packer(loaded.manifest, arguments, launch)
        return Known(pack, run, partial(loaded.direct, run, extents))


def _hashable(shape: int | Sequence[int] | None) -> Any:
    return tuple(shape) if isinstance(shape, list) else shape


def _device_of(wanted: str | Device | None, stream: object) -> Device:
    if stream is None or not isinstance(stream, Stream):  # none, or one of another library
        return device(wanted)
    if wanted is not None and device(wanted) is not stream.device:
        raise LaunchError(f"stream is of {stream.device.name}, device= says {wanted}")
    return stream.device


def _shape_over(
    shape: int | Sequence[int],
    block: int | Sequence[int] | None,
    on: Device,
    program: Program,
) -> Shape:
    """Axes of `over` are C order, axis -1 is x: sizes are reversed on the way to the device.

    Blocks that fill up a cluster have no items.
    """
    axes = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    extent = dim3(tuple(reversed(axes)), "shape of over()")
    if block is None:
        threads = program.block or _default_block(extent, on)
    else:
        given = tuple(block) if isinstance(block, Sequence) else (block,)
        if len(given) > len(axes):
            raise LaunchError(f"block {block} has more axes than the shape {axes}")
        threads = dim3(tuple(reversed(given)), "block")
        if min(threads) < 1:
            raise LaunchError(f"block {block} is empty, expected at least one thread")
    x, y, z = (
        -(-items // (size * together)) * together
        for items, size, together in zip(extent, threads, program.cluster or (1, 1, 1), strict=True)
    )
    form = _with_facts(Form(over=len(axes)), (x, y, z), threads, on)
    is_free = block is None and program.block is None and program.cluster is None
    return Shape(form, (x, y, z), threads, extent, 0, is_free=is_free)


def _with_facts(form: Form, grid: Dim3, block: Dim3, on: Device) -> Form:
    """The kind of launch with what its grid says, for devices whose code relies on it."""
    if on.exceeds_caches(prod(grid) * prod(block)):
        form = form._replace(streams=True)
    return form._replace(small=small_launch(grid, block)) if FEATURE in on.features else form


def _default_block(extent: Dim3, on: Device, threads: int = 0) -> Dim3:
    """As many threads of x as a block of the device takes well, the rest along y, then z."""
    usual = 1024 if "host_memory" in on.features else 256
    left = min(on.limits.max_block_threads, threads or usual)
    sizes: list[int] = []
    for items, most in zip(extent, on.limits.max_block, strict=True):
        size = max(1, min(items, most, left))
        sizes.append(size)
        left //= size
    return sizes[0], sizes[1], sizes[2]


def _suited(shape: Shape, threads: int, on: Device) -> Shape:
    """A launch by `over` with blocks that suit its kernel, where that changes no fact about it."""
    block = _default_block(shape.extent, on, threads) if threads else shape.block
    x, y, z = (-(-items // size) for items, size in zip(shape.extent, block, strict=True))
    is_small = not shape.form.small or small_launch((x, y, z), block)
    return shape._replace(grid=(x, y, z), block=block) if is_small else shape


def _check_whole_blocks(name: str, shape: Shape) -> None:
    if any(items % size for items, size in zip(shape.extent, shape.block, strict=True)):
        raise LaunchError(
            f"kernel {name} has barriers or matrices, so over() needs a shape that its block "
            f"divides: {tuple(reversed(shape.extent))} is not a multiple of "
            f"{tuple(reversed(shape.block))}; "
            "give block=, or launch a grid and test the index in the kernel"
        )


def _unpackable(program: Program, arguments: Sequence[Any], error: Exception) -> ArrayError:
    pairs = zip(program.parameter_names, arguments, strict=False)
    given = ", ".join(f"{name} = {value}" for name, value in pairs if isinstance(value, int))
    return ArrayError(
        f"a scalar argument of kernel {program.__name__} does not fit its type: {error}"
        + (f"; given are {given}" if given else "")
    )
