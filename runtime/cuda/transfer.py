"""Copies between NumPy arrays and device memory, through two pinned buffers that take turns.

While the device copies one, the host fills or reads the other. An upload is in the default stream,
after all that was launched, and does not wait for its end: the data is in a pinned buffer by then.
"""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core import Core
    from .memory import HostBlock

STAGING_BYTES = 4 << 20


class Staging:
    """A pinned buffer, and the event after the last copy from or to it."""

    def __init__(self, block: HostBlock, event: Any):
        self.block = block
        self.host = block.host
        self.event = event
        self.busy = False


class Transfer:
    """Copies of one device."""

    def __init__(self, core: Core):
        self._core = core
        self._lock = threading.Lock()
        self._buffers: list[Staging] = []

    def upload(self, address: int, source: int, nbytes: int) -> None:
        """Copy from host address `source`, after all that was launched."""
        core = self._core
        with self._lock, core.context.current():
            self._begin("a copy from the host")
            for number, start in enumerate(range(0, nbytes, STAGING_BYTES)):
                size = min(STAGING_BYTES, nbytes - start)
                buffer = self._buffer(number % 2)
                ctypes.memmove(buffer.host, source + start, size)
                self._copy("cuMemcpyHtoDAsync", address + start, buffer.host, size, buffer)
            core.changed()

    def download(self, address: int, target: int, nbytes: int) -> None:
        """Copy to host address `target`, after all that was launched; raises what that reported."""
        core = self._core
        with self._lock, core.context.current():
            self._begin("a copy to the host")
            waiting: list[tuple[Staging, int, int]] = []
            for number, start in enumerate(range(0, nbytes, STAGING_BYTES)):
                size = min(STAGING_BYTES, nbytes - start)
                if len(waiting) == 2:
                    self._receive(*waiting.pop(0))
                buffer = self._buffer(number % 2)
                self._copy("cuMemcpyDtoHAsync", buffer.host, address + start, size, buffer)
                waiting.append((buffer, target + start, size))
            for one in waiting:
                self._receive(*one)
        core.synchronize()

    def copy(self, target: int, source: int, nbytes: int) -> None:
        """Copy within the device, after all that was launched."""
        self._in_default("cuMemcpyDtoDAsync", target, source, nbytes)

    def fill(self, address: int, itemsize: int, bits: int, count: int) -> None:
        """Set `count` items of 1, 2 or 4 bytes, after all that was launched."""
        self._in_default(f"cuMemsetD{8 * itemsize}Async", address, bits, count)

    def _in_default(self, function: str, *arguments: int) -> None:
        core = self._core
        with core.lock, core.context.current():
            self._begin("a copy")
            core.context.call(function, *arguments, core.default.handle)
            core.changed()

    def _begin(self, what: str) -> None:
        core = self._core
        core.refuse_capture(what)
        with core.lock:
            core.join()

    def _buffer(self, number: int) -> Staging:
        """A staging buffer that no copy uses."""
        core = self._core
        while len(self._buffers) <= number:
            self._buffers.append(Staging(core.host.make(STAGING_BYTES), core.new_event()))
        found = self._buffers[number]
        if found.busy:
            core.wait_event(found.event)
            found.busy = False
        return found

    def _copy(self, function: str, target: int, source: int, size: int, buffer: Staging) -> None:
        stream = self._core.default.handle
        buffer.busy = True
        self._core.context.call(function, target, source, size, stream)
        self._core.context.call("cuEventRecord", buffer.event, stream)

    def _receive(self, buffer: Staging, target: int, size: int) -> None:
        """Take what the device has put into a staging buffer."""
        self._core.wait_event(buffer.event)
        buffer.busy = False
        ctypes.memmove(target, buffer.host, size)
