"""Events of a CUDA device: points in a stream, with the time at which the device reached them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..device import Event, Stream
from ..errors import DeviceError

if TYPE_CHECKING:
    from .core import Core
    from .queue import Queue


class CudaEvent(Event):
    """A point in a stream."""

    def __init__(self, core: Core):
        self.core = core
        with core.lock, core.context.current():
            self._handle: Any = core.context.call("cuEventCreate", 0)
        self._queue: Queue | None = None
        self._number = 0
        self._graph: Any = None

    def record(self, stream: Stream | None = None) -> None:
        """Put the event after what the stream holds now."""
        core = self.core
        queue = core.queue_of(stream)
        with core.lock, core.context.current():
            number = queue.sent  # another thread may launch meanwhile
            core.context.call("cuEventRecord", self._handle, queue.handle)
            self._queue, self._number, self._graph = queue, number, queue.capture

    def synchronize(self) -> None:
        """Wait until the event is reached; raises what kernels before it reported."""
        queue = self._reached()
        self.core.tell(queue)

    def elapsed_ms(self, other: Event) -> float:
        """Milliseconds from this event to `other`; DeviceError if one is not recorded."""
        if not isinstance(other, CudaEvent) or other.core is not self.core:
            raise DeviceError("elapsed_ms needs two events of the same device")
        self._reached()
        other._reached()
        core = self.core
        with core.lock, core.context.current():
            return float(core.context.call("cuEventElapsedTime", self._handle, other._handle))

    def order_before(self, queue: Queue) -> None:
        """Have a stream wait for the event, on the device."""
        core = self.core
        if self._queue is None:
            raise DeviceError("the event is not recorded; call record() first")
        with core.lock, core.context.current():
            core.context.call("cuStreamWaitEvent", queue.handle, self._handle, 0)
            if self._graph is not None and queue.capture is None:
                queue.capture = self._graph
                core.captures.add(queue)

    def _reached(self) -> Queue:
        """Wait for it; the stream that it is in."""
        queue, core = self._queue, self.core
        if queue is None:
            raise DeviceError("the event is not recorded; call record() first")
        if self._graph is not None:
            raise DeviceError("the event is part of a graph, it has no time of its own")
        core.wait_event(self._handle)
        with core.lock:
            core.done(queue, self._number)
        return queue

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            self.core.dead_events.append(self._handle)
