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
from typing import TYPE_CHECKING, Any, ClassVar

from .errors import DeviceError
from .launch_shape import PLAIN

if TYPE_CHECKING:
    import numpy as np

    from .array import DeviceArray, Memory
    from .artifact import Artifact, Manifest
    from .launch_shape import Dim3, LaunchOptions, Limits
    from .tensor_map import Tensor

KINDS: dict[str, str] = {
    "cpu": ".cpu",
    "cuda": ".cuda.find",
    "vulkan": ".vulkan.find",
}
ENTRY_POINTS = "stepwell.devices"

Launcher = Callable[[bytes], None]
Direct = tuple[Callable[..., "bool | None"], Callable[[], None]]
"""Takes arguments and launches, unless it gives False; where it gives True, the second function has
to be called, which prints and raises what the kernel reported."""


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
        self,
        grid: Dim3,
        block: Dim3,
        shared_bytes: int = 0,
        stream: Stream | None = None,
        options: LaunchOptions = PLAIN,
    ) -> Launcher:
        """Check a shape of launch once and give what launches it again and again.

        The result takes the packed arguments (8-byte slots, see the kernel ABI in ARCHITECTURE.md)
        and raises `KernelError` if a check failed. Blocks are (x, y, z). LaunchError over the
        limits, and for options whose features the device has not (`check_launch`).
        """

    def direct(
        self, launcher: Launcher, extents: Sequence[int], packed: bytes, arguments: Sequence[Any]
    ) -> Direct | None:
        """A quicker way to launch such arguments as `launcher` does, if there is one for them.

        They are packed already; `extents` are those of an `over` launch. Asked for when the
        launcher has run a few times.
        """
        from .repeat import repeated

        return repeated(launcher, packed, arguments)

    def preferred_threads(self) -> int:
        """Threads of a block that suit the kernel, where the launch leaves the choice; 0: any."""
        return 0


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

    def variant(self, arguments: Sequence[Any]) -> str:
        """What is added to the target for arguments like these, larger ones say; often nothing."""
        return ""

    def exceeds_caches(self, threads: int) -> bool:
        """Whether launches of so many threads are better compiled to store past the caches."""
        return False

    @abstractmethod
    def allocate(self, nbytes: int) -> Memory:
        """Uninitialised memory, aligned to 64 bytes; OutOfMemory if there is none."""

    @abstractmethod
    def upload(self, memory: Memory, offset: int, data: np.ndarray[Any, Any]) -> None:
        """Copy a contiguous NumPy array to `memory` from byte `offset` on."""

    @abstractmethod
    def download(self, memory: Memory, offset: int, out: np.ndarray[Any, Any]) -> None:
        """Fill a contiguous NumPy array from `memory` from byte `offset` on."""

    def copy_within(
        self, target: Memory, start: int, source: Memory, offset: int, nbytes: int
    ) -> bool:
        """Copy bytes within the device; False where that is left to the host."""
        return False

    @abstractmethod
    def adopt(self, source: Any) -> DeviceArray | None:
        """The data of a foreign array that lives on this device, without a copy; else None."""

    def encode_tensor_map(self, tensor: Tensor) -> bytes:
        """The 128 bytes by which a kernel copies boxes of a tensor; DeviceError if it cannot.

        A device that can has the feature `tensor_maps`.
        """
        raise DeviceError(f"{self.name} has no tensor maps; NVIDIA GPUs have them from sm_90 on")

    def export(self, array: DeviceArray, **options: Any) -> Any:
        """A DLPack capsule of an array, with the options of `__dlpack__`."""
        from .dlpack import export

        return export(array, **options)

    def cuda_array_interface(self, array: DeviceArray) -> dict[str, Any]:
        """What `__cuda_array_interface__` of an array is; AttributeError where it has none."""
        raise AttributeError(f"memory of {self.name} has no __cuda_array_interface__")

    def lend(self, host: np.ndarray[Any, Any]) -> DeviceArray | None:
        """A caller's array for one launch, in place, where that beats copying; else None."""
        return None

    @abstractmethod
    def load(self, artifact: Artifact) -> LoadedKernel:
        """Make an artifact ready; ArtifactError if it is not for this device."""

    @abstractmethod
    def stream(self) -> Stream:
        """A new stream."""

    def foreign_stream(self, source: Any) -> Stream:
        """The stream of another library as one of this device; DeviceError if it has none such."""
        raise DeviceError(f"{self.name} has no streams of {type(source).__name__}")

    @abstractmethod
    def event(self) -> Event:
        """A new event."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until everything on the device is done."""

    def accepts(self, manifest: Manifest) -> bool:
        """Whether `load` would take an artifact with this manifest."""
        return self.why_unfit(manifest) is None

    def why_unfit(self, manifest: Manifest) -> str | None:
        """Why `load` would not take it, as the end of a sentence about the code; else None."""
        return None if manifest.target == self.kind else f"is for {manifest.target!r}"

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


_found: dict[str, tuple[Device, ...]] = {}
_default: list[Device] = []
_used: ContextVar[Device | None] = ContextVar("stepwell_device", default=None)


def devices() -> tuple[Device, ...]:
    """All devices that are there, the best first: GPUs, then the CPU, then others."""
    found = [
        device for kind in _all_kinds() if _why_broken(kind) is None for device in _of_kind(kind)
    ]
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
        broken = _why_broken(kind)
        if broken is not None:
            rows.append((kind, broken))
        elif not _of_kind(kind):
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
    point = _entry_points()[kind]
    try:
        found = point.load()
    except Exception as error:  # whatever the package's own code raises
        reason = f"{type(error).__name__}: {error}"
        raise DeviceError(f"devices {kind!r} ({point.value}) cannot be loaded: {reason}") from error
    for name in ("find", "why_missing"):
        if not callable(getattr(found, name, None)):
            raise DeviceError(f"devices {kind!r} are {found!r}, which has no function {name}")
    return found


def _why_broken(kind: str) -> str | None:
    """Why another package's devices cannot even be looked for; asking for one by name raises it."""
    try:
        _module(kind)
    except DeviceError as error:
        return str(error)
    return None


def _all_kinds() -> list[str]:
    return [*KINDS, *(kind for kind in _entry_points() if kind not in KINDS)]


def _entry_points() -> dict[str, Any]:
    from importlib.metadata import entry_points  # 20 ms: only where all kinds are asked for

    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _listing() -> str:
    names = [device.name for device in devices()]
    return f"are {', '.join(names)}" if len(names) > 1 else f"is {names[0]}" if names else "is none"
