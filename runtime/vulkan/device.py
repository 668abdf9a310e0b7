"""A Vulkan device, as the contract in `runtime/device.py` wants it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..array import LARGE, DeviceArray, HostArray, Memory
from ..artifact import Artifact, Manifest
from ..closing import OpenDevices
from ..device import Device, Event, LoadedKernel, Stream
from ..facts import WIDE_REACH, is_wide
from ..launch_shape import MAX_GRID, Limits
from .core import Core
from .instance import close_instance
from .physical import Physical
from .profile import INDEX64
from .stream import VulkanStream


def _close_instance(cores: list[Core]) -> None:
    """The instance goes after the last device, unless one hangs."""
    if not any(core.context.is_stuck for core in cores):
        close_instance()


IN_USE: OpenDevices[Core] = OpenDevices(_close_instance)


class VulkanDevice(Device):
    """One Vulkan device. The driver is asked to make it when it is first used."""

    kind: ClassVar[str] = "vulkan"

    def __init__(self, physical: Physical, number: int, staged: bool = False):
        self.physical = physical
        self.name = f"vulkan:{number}"
        self.description = physical.description
        self.profile = physical.profile
        self.features = physical.features
        self.is_software = physical.is_software
        limits = physical.limits
        self.subgroup_range = physical.subgroup_range
        self.limits = Limits(
            max_block=tuple(limits.maxComputeWorkGroupSize),
            max_block_threads=limits.maxComputeWorkGroupInvocations,
            max_grid=(MAX_GRID, MAX_GRID, MAX_GRID),
            shared_bytes=limits.maxComputeSharedMemorySize,
            subgroup_sizes=tuple(
                size for size in (1 << i for i in range(8)) if size in self.subgroup_range
            ),
        )
        self.max_groups = tuple(limits.maxComputeWorkGroupCount)
        self._staged = staged
        self._core: Core | None = None
        self._making = threading.Lock()

    @property
    def core(self) -> Core:
        """What the device holds; made when it is first used."""
        if self._core is None:
            with self._making:  # two threads may come at once
                if self._core is None:
                    self._core = Core(self.physical, self.name, self._staged)
                    IN_USE.close_at_exit(self._core)
        return self._core

    @property
    def target(self) -> str:
        """The profile is part of what code is compiled for."""
        return f"{self.kind}:{self.profile}"

    def variant(self, arguments: Sequence[Any]) -> str:
        """Indices of 64 bits where an array needs them and the device can have them."""
        if not self.profile.capabilities >= {"int64", "bda"}:
            return ""
        return f"+{INDEX64}" if any(map(_is_wide, arguments)) else ""

    def why_unfit(self, manifest: Manifest) -> str | None:
        """What the device lacks of what the code needs."""
        from .kernel import why_unfit

        return why_unfit(manifest, self.profile, self.subgroup_range)

    def allocate(self, nbytes: int) -> Memory:
        """Memory on the device, aligned to 256 bytes."""
        lease = self.core.memory.lease(nbytes)
        return Memory(self, lease.allocation.address, nbytes, None, lease)

    def upload(self, memory: Memory, offset: int, data: HostArray) -> None:
        """Copy bytes in, after launches that use the memory."""
        if data.nbytes:
            lease: Any = memory.owner
            source = data.__array_interface__["data"][0]
            self.core.transfer.upload(lease.allocation, offset, source, data.nbytes)

    def download(self, memory: Memory, offset: int, out: HostArray) -> None:
        """Copy bytes out, after launches that write the memory."""
        if out.nbytes:
            lease: Any = memory.owner
            target = out.__array_interface__["data"][0]
            self.core.transfer.download(lease.allocation, offset, target, out.nbytes)

    def adopt(self, source: Any) -> DeviceArray | None:
        """An array of this device as it is; nothing else is in its memory."""
        return source if isinstance(source, DeviceArray) and source.device is self else None

    def lend(self, host: HostArray) -> DeviceArray | None:
        """A caller's array in place, where host and device share memory and it is big enough."""
        lent = self.core.imports.lend(host)
        if lent is None:
            return None
        lease, offset = lent
        memory = Memory(self, lease.allocation.address, lease.allocation.nbytes, None, lease)
        return DeviceArray(memory, offset, host.shape, host.strides, host.dtype)

    def load(self, artifact: Artifact) -> LoadedKernel:
        """Give SPIR-V to the driver; ArtifactError if it is not for this device."""
        from .kernel import VulkanKernel

        return VulkanKernel(self, artifact)

    def stream(self) -> Stream:
        """A new stream; streams are spread over the device's queues."""
        return VulkanStream(self, self.core.timeline())

    def event(self) -> Event:
        """A new event, with the device's clock."""
        from .events import VulkanEvent

        return VulkanEvent(self)

    def synchronize(self) -> None:
        """Wait for all streams; raises what kernels reported."""
        self.core.synchronize()


def _is_wide(value: Any) -> bool:
    if isinstance(value, DeviceArray):
        return value.memory.nbytes >= LARGE and is_wide(value)
    # It is moved to memory of its own, where its elements lie side by side.
    return isinstance(value, np.ndarray) and value.size >= WIDE_REACH


def open_devices(found: list[Physical]) -> list[Device]:
    """Devices by number."""
    return [VulkanDevice(physical, number) for number, physical in enumerate(found)]
