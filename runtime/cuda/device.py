"""A CUDA device, as the contract in `runtime/device.py` wants it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..array import DeviceArray, HostArray, Memory, as_dtype
from ..artifact import Artifact, Manifest
from ..closing import OpenDevices
from ..device import Device, Event, LoadedKernel
from .context import Context
from .core import Core
from .driver import Driver
from .properties import Properties, read_properties, why_unusable
from .stream import CudaStream, handle_of
from .table import STREAM_LEGACY

if TYPE_CHECKING:
    from ..tensor_map import Tensor

IN_USE: OpenDevices[Core] = OpenDevices()


class CudaDevice(Device):
    """One NVIDIA GPU. Its context is made when it is first used."""

    kind: ClassVar[str] = "cuda"
    is_software = False

    def __init__(self, driver: Driver, ordinal: int, properties: Properties):
        self.driver = driver
        self.ordinal = ordinal
        self.properties = properties
        self.name = f"cuda:{ordinal}"
        self.description = properties.description
        self.limits = properties.limits
        self.features = properties.features
        self._core: Core | None = None
        self._making = threading.Lock()

    @property
    def core(self) -> Core:
        """What the device holds; made when it is first used."""
        if self._core is None:
            with self._making:  # two threads may come at once
                if self._core is None:
                    self._core = Core(Context(self.driver, self.ordinal, self.properties))
                    IN_USE.close_at_exit(self._core)
        return self._core

    @property
    def target(self) -> str:
        """The architecture is part of what code is compiled for."""
        return f"{self.kind}:{self.properties.arch}"

    def why_unfit(self, manifest: Manifest) -> str | None:
        """Why the device cannot run the code."""
        from .kernel import why_unfit

        return why_unfit(manifest, self.properties.capability)

    def allocate(self, nbytes: int) -> Memory:
        """Memory on the device, aligned to 256 bytes."""
        return self.core.memory.lease(self, nbytes)

    def upload(self, memory: Memory, offset: int, data: HostArray) -> None:
        """Copy bytes in, after all that was launched."""
        if data.nbytes:
            source = data.__array_interface__["data"][0]
            self.core.transfer.upload(memory.address + offset, source, data.nbytes)

    def download(self, memory: Memory, offset: int, out: HostArray) -> None:
        """Copy bytes out, after all that was launched; raises what kernels reported."""
        if out.nbytes:
            target = out.__array_interface__["data"][0]
            self.core.transfer.download(memory.address + offset, target, out.nbytes)

    def copy_within(
        self, target: Memory, start: int, source: Memory, offset: int, nbytes: int
    ) -> bool:
        """Copy bytes from one memory of the device to another, after all that was launched."""
        if nbytes:
            self.core.transfer.copy(target.address + start, source.address + offset, nbytes)
        return True

    def full(self, shape: int | Any, value: Any, dtype: Any = "f32") -> DeviceArray:
        """See `Device.full`; the device sets elements of up to 4 bytes itself."""
        result = self.empty(shape, dtype)
        element = np.asarray(value, as_dtype(dtype))
        bits, itemsize = element.tobytes(), result.itemsize
        if itemsize > 4 and bits == bytes(itemsize):  # zeros of any size
            bits, itemsize = bits[:1], 1
        if itemsize not in (1, 2, 4) or element.ndim:
            result.fill(value)
        elif result.size:
            number = int.from_bytes(bits, "little")
            self.core.transfer.fill(result.address, itemsize, number, result.nbytes // itemsize)
        return result

    def adopt(self, source: Any) -> DeviceArray | None:
        """An array of this device as it is, one of another library by its address."""
        if isinstance(source, DeviceArray):
            return source if source.device is self else None
        if hasattr(source, "__dlpack__"):
            from .dlpack import import_array

            return import_array(self, source)
        if hasattr(source, "__cuda_array_interface__"):
            from .interop import import_interface

            return import_interface(self, source)
        return None

    def encode_tensor_map(self, tensor: Tensor) -> bytes:
        """See `Device.encode_tensor_map`."""
        if "tensor_maps" not in self.features:
            return super().encode_tensor_map(tensor)
        from .tensor_map import encode

        return encode(self.core, tensor)

    def export(self, array: DeviceArray, **options: Any) -> Any:
        """See `Device.export`."""
        from .dlpack import export

        return export(self, array, **options)

    def cuda_array_interface(self, array: DeviceArray) -> dict[str, Any]:
        """See `Device.cuda_array_interface`."""
        from .interop import interface_of

        return interface_of(self, array)

    def load(self, artifact: Artifact) -> LoadedKernel:
        """Give PTX or machine code to the driver; ArtifactError if it is not for this device."""
        from .kernel import CudaKernel

        return CudaKernel(self, artifact)

    def stream(self) -> CudaStream:
        """A new stream, which waits for no other."""
        core = self.core
        return CudaStream(self, core, core.open_queue())

    def foreign_stream(self, source: Any) -> CudaStream:
        """The stream of another library: anything with `__cuda_stream__`, or a handle."""
        core = self.core
        handle = handle_of(source)
        if handle in (0, STREAM_LEGACY):
            return CudaStream(self, core, core.default)
        return CudaStream(self, core, core.foreign_queue(handle, source))

    def event(self) -> Event:
        """A new event, with the device's clock."""
        from .events import CudaEvent

        return CudaEvent(self.core)

    def synchronize(self) -> None:
        """Wait for all streams; raises what kernels reported."""
        self.core.synchronize()

    def trim(self) -> None:
        """Give memory that no array uses back to the driver, for other libraries."""
        core = self.core
        core.synchronize()
        with core.lock, core.context.current():
            core.memory.trim()


def open_devices(driver: Driver) -> tuple[list[Device], list[str]]:
    """The usable devices of a driver by number, and why the others are not."""
    found: list[Device] = []
    reasons: list[str] = []
    for ordinal in range(driver.call("cuDeviceGetCount")):
        properties = read_properties(driver, driver.call("cuDeviceGet", ordinal))
        why = why_unusable(properties)
        if why is None:
            found.append(CudaDevice(driver, ordinal, properties))
        else:
            reasons.append(why)
    return found, reasons
