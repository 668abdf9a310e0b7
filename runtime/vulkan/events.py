"""Events: timestamps that the device writes between launches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..device import Event, Stream
from ..errors import DeviceError
from .stream import Batch, Timeline, VulkanStream
from .table import BOTTOM_OF_PIPE

if TYPE_CHECKING:
    from .device import VulkanDevice


class VulkanEvent(Event):
    """A timestamp in a stream of a Vulkan device."""

    def __init__(self, device: VulkanDevice):
        self._device = device
        self._batch: Batch | None = None
        self._query: tuple[int, int] | None = None
        self._ticks: int | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Put the event after what the stream holds now."""
        core = self._device.core
        timeline = self._timeline(stream)
        self._release()
        if not self._device.physical.timestamp_bits:
            raise DeviceError(f"{self._device.name} has no timestamps; use the host's clock")
        query = core.timestamps.take()
        functions = core.context.functions
        with timeline.lock:
            batch = timeline.record()
            functions.CmdResetQueryPool(batch.command, *query, 1)
            functions.CmdWriteTimestamp(batch.command, BOTTOM_OF_PIPE, *query)
        self._batch, self._query, self._ticks = batch, query, None
        core.context.raise_messages("an event")

    def synchronize(self) -> None:
        """Wait until the event is reached; raises what kernels before it reported."""
        self._wait()

    def elapsed_ms(self, other: Event) -> float:
        """Milliseconds from this event to `other`; DeviceError if one is not recorded."""
        if not isinstance(other, VulkanEvent) or other._device is not self._device:
            raise DeviceError("elapsed_ms needs two events of the same device")
        start, end = self._read(), other._read()
        bits = self._device.physical.timestamp_bits
        difference = (end - start) & ((1 << bits) - 1)
        if difference >> (bits - 1):
            difference -= 1 << bits
        return difference * self._device.physical.limits.timestampPeriod / 1e6

    def __del__(self) -> None:
        self._release()

    def _timeline(self, stream: Stream | None) -> Timeline:
        if stream is None:
            return self._device.core.default
        if not isinstance(stream, VulkanStream) or stream.device is not self._device:
            raise DeviceError(f"stream is of {stream.device.name}, the event of another device")
        return stream.timeline

    def _wait(self) -> Batch:
        if self._batch is None:
            raise DeviceError("the event is not recorded; call record() first")
        self._batch.wait()
        return self._batch

    def _read(self) -> int:
        self._wait()
        if self._ticks is None:
            assert self._query is not None, "the event is recorded"
            self._ticks = self._device.core.timestamps.read(self._query)
        return self._ticks

    def _release(self) -> None:
        """Give the query back; one that is still to be written goes back when its batch is done."""
        query, batch, self._query = self._query, self._batch, None
        if query is None:
            return
        free = self._device.core.timestamps.free
        if batch is None or batch.is_done():
            free.append(query)
        else:
            batch.kept.append(_Returned(query, free))


class _Returned:
    """Gives a query back when it dies with its batch's list."""

    def __init__(self, query: tuple[int, int], free: list[tuple[int, int]]):
        self._query, self._free = query, free

    def __del__(self) -> None:
        self._free.append(self._query)
