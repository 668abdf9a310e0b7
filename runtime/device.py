"""The contract of a device, and the table of the kinds of devices that there are.

A device declares its limits and features, holds memory, loads artifacts and launches them. A new
kind adds one file with a `Device` class and two functions, `find()` and `why_missing()`, and a row
in `KINDS`; another package adds an entry point in the group `stepwell.devices` that names such a
module. Nothing here imports a driver: a kind is loaded when it is asked for.

Without `with use(...)` and without STEPWELL_DEVICE (read once) the default is the best device of
`KINDS`: a GPU, else the CPU, else what imitates a GPU on the CPU. A kind whose module has a
function `may_be_hardware` is not looked at for that where it says no: loading drivers takes time.
Devices of other packages are used when they are named.
"""

from __future__ import annotations

import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from .errors import DeviceError, LaunchError

if TYPE_CHECKING:
    import numpy as np

    from .array import DeviceArray, Memory
    from .artifact import Artifact, Manifest
    from .tensor_map import Tensor

KINDS: dict[str, str] = {
    "cpu": ".cpu",
    "vulkan": ".vulkan.find",
}
# Kinds whose compiler is not complete: neither in `devices()` nor chosen as the default.
ENTRY_POINTS = "stepwell.devices"

MAX_GRID = 2**31 - 1

Dim3 = tuple[int, int, int]
Launcher = Callable[[bytes], None]


class Limits(NamedTuple):
    """What a launch may ask of a device; sizes in threads, blocks and bytes.

    Along each dimension `max_grid` is at most `MAX_GRID`, since the compiler relies on that.
    """

    max_block: Dim3
    max_block_threads: int
    max_grid: Dim3
    shared_bytes: int
    subgroup_sizes: tuple[int, ...]


class Stream(ABC):
    """An ordered queue of launches and copies on one device."""

    device: Device

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until everything that was enqueued is done."""


class Event(ABC):
    """A point in a stream, with the time at which it was reached."""

    @abstractmethod
    def record(self, stream: Stream | None = None) -> None:
        """Put the event after what the stream holds now."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until the event is reached."""

    @abstractmethod
    def elapsed_ms(self, other: Event) -> float:
        """Milliseconds from this event to `other`."""


class LoadedKernel(ABC):
    """An artifact on its device, ready to be launched."""

    device: Device
    manifest: Manifest

    @abstractmethod
    def launcher(
        self, grid: Dim3, block: Dim3, shared_bytes: int = 0, stream: Stream | None = None
    ) -> Launcher:
        """Check a shape of launch once and give what launches it again and again.

        The result takes the packed arguments (8-byte slots, see the ABI in `docs`) and raises
        `KernelError` if a check failed. Blocks are (x, y, z). LaunchError if over the limits.
        """


class Device(ABC):
    """One device: memory, code and launches. `name` is "kind:number".

    `is_software` tells what runs on the processor from a GPU.
    """

    kind: ClassVar[str]
    name: str
    description: str
    limits: Limits
    features: frozenset[str]
    is_software: bool = True

    @property
    def target(self) -> str:
        """The target that code is compiled for, with what of the device decides the code."""
        return self.kind

    @abstractmethod
    def allocate(self, nbytes: int) -> Memory:
        """Uninitialised memory, aligned to 64 bytes; OutOfMemory if there is none."""

    @abstractmethod
    def upload(self, memory: Memory, offset: int, data: np.ndarray[Any, Any]) -> None:
        """Copy a contiguous NumPy array to `memory` from byte `offset` on."""

    @abstractmethod
    def download(self, memory: Memory, offset: int, out: np.ndarray[Any, Any]) -> None:
        """Fill a contiguous NumPy array from `memory` from byte `offset` on."""

    @abstractmethod
    def adopt(self, source: Any) -> DeviceArray | None:
        """The data of a foreign array that lives on this device, without a copy; else None."""

    def encode_tensor_map(self, tensor: Tensor) -> bytes:
        """The 128 bytes by which a kernel copies boxes of a tensor; DeviceError if it cannot.

        A device that can has the feature `tensor_maps`.
        """
        raise DeviceError(f"{self.name} has no tensor maps; NVIDIA GPUs have them from sm_90 on")

    def lend(self, host: np.ndarray[Any, Any]) -> DeviceArray | None:
        """A caller's array for one launch, in place, where that beats copying; else None."""
        return None

    @abstractmethod
    def load(self, artifact: Artifact) -> LoadedKernel:
        """Make an artifact ready; ArtifactError if it is not for this device."""

    @abstractmethod
    def stream(self) -> Stream:
        """A new stream."""

    @abstractmethod
    def event(self) -> Event:
        """A new event."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until everything on the device is done."""

    def accepts(self, manifest: Manifest) -> bool:
        """Whether `load` would take an artifact with this manifest."""
        return manifest.target == self.kind

    def launch(
        self,
        kernel: LoadedKernel,
        grid: Dim3,
        block: Dim3,
        packed: bytes,
        stream: Stream | None = None,
        shared_bytes: int = 0,
    ) -> None:
        """Launch once; `LoadedKernel.launcher` is the quicker way to launch often."""
        if kernel.device is not self:
            raise DeviceError(f"kernel is loaded on {kernel.device.name}, not on {self.name}")
        kernel.launcher(grid, block, shared_bytes, stream)(packed)

    def array(self, source: Any, dtype: Any = None, *, copy: bool | None = None) -> DeviceArray:
        """An array on this device with the data of `source`.

        NumPy arrays and nested sequences are copied; what lives on this device already (a device
        array, or anything with `__dlpack__` or `__cuda_array_interface__`) is shared unless
        `copy=True`; `copy=False` raises ArrayError where a copy would be needed.
        """
        from .array import make_array

        return make_array(self, source, dtype, copy)

    def empty(self, shape: int | Sequence[int], dtype: Any = "f32") -> DeviceArray:
        """A contiguous array whose elements are not set."""
        from .array import empty_array

        return empty_array(self, shape, dtype)

    def zeros(self, shape: int | Sequence[int], dtype: Any = "f32") -> DeviceArray:
        """A contiguous array of zeros."""
        return self.full(shape, 0, dtype)

    def full(self, shape: int | Sequence[int], value: Any, dtype: Any = "f32") -> DeviceArray:
        """A contiguous array whose elements are all `value`."""
        result = self.empty(shape, dtype)
        result.fill(value)
        return result

    def copy(self, destination: DeviceArray, source: Any) -> None:
        """Copy `source` (a device or NumPy array of the same shape) into `destination`."""
        destination.copy_from(source)

    def __repr__(self) -> str:
        return f"<device {self.name}: {self.description}>"


def dim3(value: int | Sequence[int], what: str) -> Dim3:
    """Up to three sizes, the missing ones 1; LaunchError for anything else."""
    try:
        sizes = (
            (value.__index__(),)
            if not isinstance(value, Sequence)
            else tuple(item.__index__() for item in value)
        )
    except AttributeError:
        raise LaunchError(f"{what} is {value!r}, expected one to three integers") from None
    if not 1 <= len(sizes) <= 3:
        raise LaunchError(f"{what} has {len(sizes)} dimensions, expected one to three")
    if min(sizes) < 0:
        raise LaunchError(f"{what} is {sizes}, sizes cannot be negative")
    padded = (*sizes, 1, 1)
    return padded[0], padded[1], padded[2]


def check_launch(
    device: Device, manifest: Manifest, grid: Dim3, block: Dim3, shared_bytes: int
) -> None:
    """Hold a launch against the limits of a device and what its kernel was compiled for."""
    limits, name = device.limits, manifest.name
    threads = block[0] * block[1] * block[2]
    if min(block) < 1:
        raise LaunchError(f"block {block} of kernel {name} is empty, expected at least one thread")
    if threads > limits.max_block_threads or any(map(int.__gt__, block, limits.max_block)):
        raise LaunchError(
            f"block {block} of kernel {name} has {threads} threads; {device.name} takes up to "
            f"{limits.max_block_threads}, and {limits.max_block} by dimension: use smaller blocks"
        )
    if min(grid) < 0 or max(grid) > MAX_GRID or any(map(int.__gt__, grid, limits.max_grid)):
        raise LaunchError(
            f"grid {grid} of kernel {name} is over what {device.name} takes, {limits.max_grid} "
            "blocks by dimension: let each thread do several items"
        )
    if any(size > 1 for size in block[manifest.block_rank :]):
        raise LaunchError(
            f"kernel {name} is compiled for {manifest.form}, got blocks of {block} threads"
        )
    if 0 < manifest.most_threads < threads:
        raise LaunchError(
            f"block {block} of kernel {name} has {threads} threads; its code has room for "
            f"{manifest.most_threads}: use smaller blocks"
        )
    if manifest.known_block is not None and tuple(manifest.known_block) != tuple(block):
        raise LaunchError(
            f"kernel {name} is compiled for blocks of {tuple(manifest.known_block)}, got {block}"
        )
    if manifest.cluster is not None:
        _check_cluster(device, manifest.name, manifest.cluster, grid)
    shared = manifest.static_shared_bytes + shared_bytes
    if shared_bytes < 0 or shared > limits.shared_bytes:
        table = [*manifest.shared_arrays, *([("shared_bytes=", shared_bytes)] * (shared_bytes > 0))]
        rows = "".join(f"\n  {nbytes:>9} bytes  {array}" for array, nbytes in table)
        raise LaunchError(
            f"kernel {name} asks for {shared} bytes of shared memory; {device.name} has "
            f"{limits.shared_bytes} for a block{':' * bool(rows)}{rows}"
        )


def _check_cluster(device: Device, name: str, cluster: Dim3, grid: Dim3) -> None:
    """Blocks that run together need a device with clusters (feature `clusters`) and a whole grid
    of them."""
    if "clusters" not in device.features:
        raise LaunchError(f"kernel {name} runs in clusters of blocks, which {device.name} has not")
    if any(blocks % together for blocks, together in zip(grid, cluster, strict=True)):
        raise LaunchError(
            f"grid {grid} of kernel {name} is no multiple of its clusters of {cluster} blocks"
        )


_found: dict[str, tuple[Device, ...]] = {}
_default: list[Device] = []
_used: ContextVar[Device | None] = ContextVar("stepwell_device", default=None)


def devices() -> tuple[Device, ...]:
    """All devices that are there, the best first: GPUs, then the CPU, then others."""
    found = [device for kind in _all_kinds() for device in _of_kind(kind)]
    return tuple(sorted(found, key=lambda device: device.is_software))


def device(name: str | Device | None = None) -> Device:
    """The device called `name` ("cpu" or "cpu:0"); the default one for None.

    The default is that of the innermost `use`, else STEPWELL_DEVICE, else the best. DeviceError if
    there is no such device.
    """
    if name is None:
        return _used.get() or (_default[0] if _default else _choose_default())
    if isinstance(name, Device):
        return name
    kind, _, number = name.partition(":")
    known = _of_kind(kind) if kind in KINDS or kind in _entry_points() else ()
    if number in ("", "0") and known:
        return known[0]
    if number.isdigit() and int(number) < len(known):
        return known[int(number)]
    missing = f": {_module(kind).why_missing()}" if kind in KINDS and not known else ""
    raise DeviceError(f"there is no device {name!r}{missing}; there {_listing()}")


@contextmanager
def use(name: str | Device) -> Generator[Device]:
    """Make a device the default one inside the `with` block, in this thread or task."""
    chosen = device(name)
    token = _used.set(chosen)
    try:
        yield chosen
    finally:
        _used.reset(token)


def forget(kind: str) -> None:
    """Look for the devices of a kind anew when they are next asked for."""
    _found.pop(kind, None)


def why_missing() -> list[tuple[str, str]]:
    """For each kind of device that is not there: its name, and what to do about it."""
    rows: list[tuple[str, str]] = []
    for kind in _all_kinds():
        if not _of_kind(kind):
            rows.append((kind, _module(kind).why_missing() or "no reason is known"))
    return rows


def _choose_default() -> Device:
    wanted = os.environ.get("STEPWELL_DEVICE")
    if wanted:
        _default.append(device(wanted))
    else:
        gpus = (found for kind in KINDS for found in _hardware(kind))
        others = (found for kind in KINDS for found in _of_kind(kind))
        best = next(gpus, None) or next(others, None)
        if best is None:
            raise DeviceError("there is no device at all; `stepwell doctor` says what to install")
        _default.append(best)
    return _default[0]


def _hardware(kind: str) -> list[Device]:
    """The devices of a kind that are GPUs; drivers are loaded only where there may be some."""
    if not getattr(_module(kind), "may_be_hardware", bool)():
        return []
    return [found for found in _of_kind(kind) if not found.is_software]


def _of_kind(kind: str) -> tuple[Device, ...]:
    found = _found.get(kind)
    if found is None:  # of two threads that come at once, both get what the first one found
        found = _found.setdefault(kind, tuple(_module(kind).find()))
    return found


def _module(kind: str) -> Any:
    if kind in KINDS:
        return importlib.import_module(KINDS[kind], __package__)
    return _entry_points()[kind].load()


def _all_kinds() -> list[str]:
    return [*KINDS, *(kind for kind in _entry_points() if kind not in KINDS)]


def _entry_points() -> dict[str, Any]:
    from importlib.metadata import entry_points  # 20 ms: only where all kinds are asked for

    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _listing() -> str:
    names = [device.name for device in devices()]
    return f"are {', '.join(names)}" if len(names) > 1 else f"is {names[0]}" if names else "is none"
