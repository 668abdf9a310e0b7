"""The contract of a device: what it declares, memory, and how it loads artifacts and launches them.

A new kind of device is one file with a `Device` class and two functions, and a row in the table of
`devices.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from .errors import DeviceError
from .launch_shape import PLAIN

if TYPE_CHECKING:
    import numpy as np

    from .array import DeviceArray, Memory
    from .artifact import Artifact, Manifest
    from .launch_shape import Dim3, LaunchOptions, Limits
    from .tensor_map import Tensor

Launcher = Callable[[bytes], None]
Direct = tuple[Callable[..., "bool | None"], Callable[[], None]]
"""Takes arguments and launches, unless it gives False; where it gives True, the second function has
to be called, which prints and raises what the kernel reported."""


def launch_nothing(packed: bytes) -> None:
    """The launcher of a grid without blocks."""


class Graph(ABC):
    """Launches that a stream has captured."""

    @abstractmethod
    def launch(self, stream: Stream | None = None) -> None:
        """Launch them all, in their order."""


class Stream(ABC):
    """An ordered queue of launches and copies on one device."""

    device: Device

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until everything that was enqueued is done."""

    def wait(self, event: Event) -> None:
        """Have what comes next in this stream wait for an event; here the host does."""
        event.synchronize()

    def capture(self) -> AbstractContextManager[Graph]:
        """`with stream.capture() as graph:` makes a graph of the launches in this stream.

        DeviceError on a device without the feature `graphs`.
        """
        raise DeviceError(f"{self.device.name} has no graphs; NVIDIA GPUs have them")


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

        The result takes the packed arguments (8-byte slots, see `stepwell docs add-a-device`)
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
