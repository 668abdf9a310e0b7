"""Streams of a CUDA device: our own, and those of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..device import Device, Event, Stream
from ..errors import DeviceError
from .events import CudaEvent
from .graph import Capture

if TYPE_CHECKING:
    from .core import Core
    from .queue import Queue


class CudaStream(Stream):
    """A stream; made by `device.stream()`, or by `device.foreign_stream(theirs)`."""

    def __init__(self, device: Device, core: Core, queue: Queue):
        self.device = device
        self.core = core
        self.queue = queue

    def synchronize(self) -> None:
        """Wait until all launches are done; raises what their kernels reported."""
        self.core.wait(self.queue)

    def wait(self, event: Event) -> None:
        """Have what comes next in this stream wait, on the device, for an event.

        While the event's stream captures a graph, this stream becomes part of the capture; it has
        to be waited for by the first stream before that ends.
        """
        if not isinstance(event, CudaEvent) or event.core is not self.core:
            raise DeviceError(f"the event is of another device than {self.device.name}")
        event.order_before(self.queue)

    def capture(self) -> Capture:
        """`with stream.capture() as graph:` makes a graph of the launches in this stream."""
        return Capture(self)

    def __cuda_stream__(self) -> tuple[int, int]:
        """Version of the protocol, and the handle, for other libraries."""
        return 0, int(self.queue.handle)

    def __del__(self) -> None:
        if hasattr(self, "queue") and self.queue is not self.core.default:
            self.core.dead_streams.append(self.queue)  # the device waits for what it still holds


def handle_of(source: Any) -> int:
    """The handle of a stream of another library: by `__cuda_stream__`, or as CuPy and PyTorch
    have it; DeviceError for anything else."""
    if isinstance(source, int):
        return source
    protocol: Any = getattr(source, "__cuda_stream__", None)
    if protocol is not None:
        pair: Any = protocol() if callable(protocol) else protocol
        version, handle = pair
        if version != 0:
            raise DeviceError(f"__cuda_stream__ is of version {version}, expected 0")
        return int(handle)
    for name in ("cuda_stream", "ptr"):  # PyTorch's and CuPy's before they had the protocol
        if isinstance(found := getattr(source, name, None), int):
            return found
    raise DeviceError(
        f"{type(source).__name__} is no stream: it has no __cuda_stream__; pass its handle"
    )
