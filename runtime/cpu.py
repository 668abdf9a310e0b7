"""The CPU as a device: memory is host memory, kernels are machine code called through ctypes.

A launch is done when it returns, so streams are in order trivially and synchronising waits for
nothing. Blocks of a launch are spread over the cores (`cpu_pool`).
"""

from __future__ import annotations

import ctypes
import os
import time
from typing import Any, ClassVar, cast

import numpy as np

from .array import ALIGNMENT, DeviceArray, HostArray, Memory, as_dtype
from .artifact import Artifact, Manifest
from .cpu_archs import CPU_ARCHS
from .device import Device, Event, LoadedKernel, Stream
from .errors import ArrayError, ArtifactError, DeviceError, OutOfMemory
from .launch_shape import MAX_GRID, Limits
from .strides import contiguous_strides, extent

SHARED_BYTES = 256 * 1024

FEATURES = frozenset(
    [
        *("i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64"),
        *("atomics_i64", "atomics_float", "subgroups", "dynamic_shared", "reports", "host_memory"),
        *("barrier_checks", "long_loops", "subnormals"),
    ]
)


def find() -> list[Device]:
    """The one CPU device of this process."""
    return [CpuDevice()]


def why_missing() -> str | None:
    """Nothing: there is always a CPU."""
    return None


class CpuStream(Stream):
    """A stream of the CPU: launches are done when they return."""

    def __init__(self, device: Device):
        self.device = device

    def synchronize(self) -> None:
        """Return at once: nothing is ever pending."""


class CpuEvent(Event):
    """A time stamp of the host's clock."""

    def __init__(self) -> None:
        self._nanoseconds: int | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Take the time; all launches before it are done."""
        self._nanoseconds = time.perf_counter_ns()

    def synchronize(self) -> None:
        """Return at once."""

    def elapsed_ms(self, other: Event) -> float:
        """Milliseconds from this event to `other`; DeviceError if one is not recorded."""
        if (
            not isinstance(other, CpuEvent)
            or self._nanoseconds is None
            or other._nanoseconds is None
        ):
            raise DeviceError("elapsed_ms needs two events of this device that are recorded")
        return (other._nanoseconds - self._nanoseconds) / 1e6


class CpuDevice(Device):
    """All cores of this process together, as one device."""

    kind: ClassVar[str] = "cpu"
    features = FEATURES

    def __init__(self) -> None:
        self.name = "cpu:0"
        self.limits = Limits(
            max_block=(1024, 1024, 1024),
            max_block_threads=1024,
            max_grid=(MAX_GRID, MAX_GRID, MAX_GRID),
            shared_bytes=SHARED_BYTES,
            subgroup_sizes=(1, 2, 4, 8, 16, 32, 64),
        )
        self._arch = os.environ.get("STEPWELL_CPU_ARCH", "")
        if self._arch and self._arch not in CPU_ARCHS:
            raise DeviceError(
                f"STEPWELL_CPU_ARCH is {self._arch!r}, expected one of {', '.join(CPU_ARCHS)}"
            )
        lanes = os.environ.get("STEPWELL_CPU_LANES")
        words = (self.kind, self._arch, f"w{lanes}" if lanes else "")
        self._target = ":".join(word for word in words if word)

    @property
    def target(self) -> str:
        """The machine; with STEPWELL_CPU_LANES=8 set, for subgroups and vectors of 8 lanes.

        With STEPWELL_CPU_ARCH=x86-64-v2 set, it is taken for one that has no more than that.
        """
        return self._target

    @property
    def description(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The processor's name, its architecture and how many threads launches use."""
        from .cpu_code import host_arch
        from .cpu_pool import thread_count

        taken_for = self._arch and f"taken for {self._arch}"
        parts = (_processor_name(), host_arch(), taken_for, f"{thread_count()} threads")
        return ", ".join(part for part in parts if part)

    def allocate(self, nbytes: int) -> Memory:
        """Host memory at a multiple of 64 bytes."""
        try:
            whole = np.empty(nbytes + ALIGNMENT, np.uint8)
        except (MemoryError, ValueError) as error:
            raise OutOfMemory(f"{self.name} has no room for {nbytes} bytes") from error
        start = -whole.ctypes.data % ALIGNMENT
        host = whole[start : start + nbytes]
        return Memory(self, whole.ctypes.data + start, nbytes, host)

    def upload(self, memory: Memory, offset: int, data: HostArray) -> None:
        """Copy bytes in."""
        _bytes_at(memory, offset, data.nbytes)[:] = data.reshape(-1).view(np.uint8)

    def download(self, memory: Memory, offset: int, out: HostArray) -> None:
        """Copy bytes out."""
        out.reshape(-1).view(np.uint8)[:] = _bytes_at(memory, offset, out.nbytes)

    def adopt(self, source: Any) -> DeviceArray | None:
        """Share the memory of a NumPy array, a CPU device array or any DLPack array on the CPU."""
        if isinstance(source, DeviceArray):
            return source if source.device is self else None
        if isinstance(source, np.ndarray):
            return self._shared(cast(HostArray, source))
        if hasattr(source, "__dlpack_device__") and hasattr(source, "__dlpack__"):
            from .dlpack import import_host

            return import_host(self, source)
        if hasattr(source, "__cuda_array_interface__"):
            raise ArrayError(
                f"{type(source).__name__} lives on a CUDA device; copy it to the host first"
            )
        return None

    def load(self, artifact: Artifact) -> LoadedKernel:
        """Give the object code to LLVM's loader; ArtifactError if this CPU cannot run it."""
        from .cpu_kernel import CpuKernel

        trouble = self.why_unfit(artifact.manifest)
        if trouble is not None:
            raise ArtifactError(
                f"artifact of kernel {artifact.manifest.name} {trouble}; "
                "compile it here or for an older CPU"
            )
        return CpuKernel(self, artifact)

    def why_unfit(self, manifest: Manifest) -> str | None:
        """See `Device.why_unfit`: this CPU must have every instruction set that the code needs."""
        from .cpu_code import why_unfit

        if manifest.target != self.kind:
            return f"is for {manifest.target!r}, not for {self.kind!r}"
        return why_unfit(manifest, self._arch)

    def exceeds_caches(self, threads: int) -> bool:
        """See `Device.exceeds_caches`: whether they fill them, if each stores 4 bytes."""
        from .cpu_cache import are_filled

        return are_filled(4 * threads)

    def stream(self) -> Stream:
        """A stream; all of them are the same here."""
        return CpuStream(self)

    def event(self) -> Event:
        """An event with the host's clock."""
        return CpuEvent()

    def synchronize(self) -> None:
        """Return at once: nothing is ever pending."""

    def _shared(self, source: HostArray) -> DeviceArray:
        dtype = as_dtype(source.dtype)
        low, high = extent(source.shape, source.strides, dtype.itemsize)
        memory = host_memory(self, source.ctypes.data + low, high - low, source)
        readonly = not source.flags.writeable
        strides = source.strides
        if 0 in source.shape:
            strides = contiguous_strides(source.shape, dtype.itemsize)
        return DeviceArray(memory, -low, source.shape, strides, dtype, readonly)


def host_memory(device: Device, address: int, nbytes: int, owner: object) -> Memory:
    """Foreign host memory that stays valid as long as `owner` lives; its views keep `owner`."""
    if not nbytes:
        return Memory(device, address, 0, np.empty(0, np.uint8), owner)
    window: Any = (ctypes.c_char * nbytes).from_address(address)
    window.owner = owner  # NumPy's views keep the window, the window keeps the owner
    return Memory(device, address, nbytes, np.frombuffer(window, np.uint8), owner)


def _bytes_at(memory: Memory, offset: int, nbytes: int) -> HostArray:
    assert memory.host is not None, "CPU memory is host memory"
    return memory.host[offset : offset + nbytes]


def _processor_name() -> str:
    import platform

    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()  # no procfs: macOS, Windows
    return platform.machine()
