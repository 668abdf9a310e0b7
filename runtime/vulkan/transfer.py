"""Copies between NumPy arrays and device memory.

Memory that the host caches is copied by the host, once nothing that was launched uses it, and so
is a little that goes to memory that it only sees. Other memory is reached through two staging
buffers that take turns: while one is being copied by the device, the host fills or reads the other.
"""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING

from .api import S
from .memory import Allocation, Allocator, Lease

if TYPE_CHECKING:
    from .stream import Batch, Timeline

STAGING_BYTES = 4 << 20
# Up to here the host's writes across the bus take less time than a launch of a copy.
SMALL_BYTES = 64 << 10


class Transfer:
    """Copies of one device; `timeline` is used where the device copies.

    `is_cached` says whether the host caches what it sees of the device's memory.
    """

    def __init__(self, timeline: Timeline, staging: Allocator, is_cached: bool):
        self.timeline = timeline
        self._staging = staging
        self._is_cached = is_cached
        self._buffers: list[Lease] = []
        self._lock = threading.Lock()
        self._copy = timeline.context.functions.CmdCopyBuffer

    def upload(self, allocation: Allocation, offset: int, source: int, nbytes: int) -> None:
        """Copy from host address `source`, after all that uses the allocation now."""
        self.timeline.context.require()
        wait_for(allocation.uses)
        if allocation.host and (self._is_cached or nbytes <= SMALL_BYTES):
            ctypes.memmove(allocation.host + offset, source, nbytes)
            return
        with self._lock:
            for number, start in enumerate(range(0, nbytes, STAGING_BYTES)):
                size = min(STAGING_BYTES, nbytes - start)
                buffer = self._buffer(number % 2)
                ctypes.memmove(buffer.host, source + start, size)
                self._submit(buffer, 0, allocation, offset + start, size)
            wait_for(allocation.uses)

    def download(self, allocation: Allocation, offset: int, target: int, nbytes: int) -> None:
        """Copy to host address `target`, after all that writes the allocation now."""
        self.timeline.context.require()
        wait_for(allocation.writes)
        if allocation.host and self._is_cached:
            ctypes.memmove(target, allocation.host + offset, nbytes)
            return
        with self._lock:
            staged: list[tuple[Allocation, int, int]] = []
            for number, start in enumerate(range(0, nbytes, STAGING_BYTES)):
                size = min(STAGING_BYTES, nbytes - start)
                if len(staged) == 2:
                    _receive(*staged.pop(0))
                buffer = self._buffer(number % 2)
                self._submit(allocation, offset + start, buffer, 0, size)
                staged.append((buffer, target + start, size))
            for one in staged:
                _receive(*one)

    def _buffer(self, number: int) -> Allocation:
        """A staging buffer that no copy uses, not even one whose wait was interrupted."""
        while len(self._buffers) <= number:
            self._buffers.append(self._staging.lease(STAGING_BYTES))
        found = self._buffers[number].allocation
        wait_for(found.uses)
        return found

    def _submit(
        self, source: Allocation, start: int, target: Allocation, at: int, size: int
    ) -> None:
        timeline = self.timeline
        region = S.BufferCopy(source.offset + start, target.offset + at, size)
        buffers = source.block.buffer, target.block.buffer
        with timeline.lock:
            batch = timeline.record()
            self._copy(batch.command, *buffers, 1, ctypes.byref(region))
            source.uses[id(timeline)] = target.uses[id(timeline)] = batch
            target.writes[id(timeline)] = batch
            timeline.flush()


def wait_for(batches: dict[int, Batch]) -> None:
    """Wait until these batches are done; raises what their kernels reported.

    They are left there: another thread may have submitted one of them again meanwhile.
    """
    for batch in list(batches.values()):
        batch.wait()


def _receive(buffer: Allocation, target: int, size: int) -> None:
    """Take what a copy of the device has put into a staging buffer."""
    wait_for(buffer.writes)
    ctypes.memmove(target, buffer.host, size)
