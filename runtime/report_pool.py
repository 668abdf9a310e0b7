"""Report buffers in memory that host and device see: a launch has one until it is read."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from threading import get_ident
from typing import Any

from .artifact import Manifest
from .outcome import Outcome, waiting
from .report import CAPACITY_WORD, HEADER_WORDS, capacity_words, is_used, take

POOL_BYTES = 32 << 20
MIN_POOL = 4

# Makes so many bytes of such memory; it has its address for the host as `host`.
MakeMemory = Callable[[int], Any]


class ReportBuffer:
    """One buffer; `memory` is what the device has made for it."""

    __slots__ = ("_pool", "_words", "memory", "thread")

    def __init__(self, pool: ReportPool, memory: Any):
        self._pool = pool
        self.memory = memory
        self.thread = 0  # see `Outcome`
        size = pool.words + HEADER_WORDS
        ctypes.memset(memory.host, 0, 4 * size)
        whole: Any = (ctypes.c_uint32 * size).from_address(memory.host)
        self._words = memoryview(whole).cast("B").cast("I")
        self._words[CAPACITY_WORD] = pool.words

    def collect(self) -> Outcome | None:
        """Read and clear the records of a launch that is done; the buffer is free again."""
        outcome = self.read()
        self._pool.free.append(self)
        return outcome

    def give_back(self) -> None:
        """Nothing uses the buffer that was lent; what is in it is not told."""
        self.read()
        self._pool.take_back(self)

    def read(self) -> Outcome | None:
        """Read and clear the records; the buffer stays in use."""
        words, manifest = self._words, self._pool.manifest
        thread, self.thread = self.thread, 0
        return Outcome(take(words, manifest.sites), manifest, thread) if is_used(words) else None


class ReportPool:
    """The report buffers of one kernel."""

    def __init__(self, manifest: Manifest, make: MakeMemory):
        self.manifest = manifest
        self.words = capacity_words(manifest.prints)
        self.free: list[ReportBuffer] = []
        self.most = max(MIN_POOL, POOL_BYTES // (4 * self.words))
        self._make = make
        self._made = 0

    def take(self, finish_some: Callable[[], None]) -> ReportBuffer:
        """A clean buffer; `finish_some` waits for launches where too many are under way."""
        found = self._clean(finish_some)
        if waiting and get_ident() in waiting:
            found.thread = get_ident()
        return found

    def _clean(self, finish_some: Callable[[], None]) -> ReportBuffer:
        while True:
            try:
                return self.free.pop()
            except IndexError:  # none is free: make one, or wait for one
                if self._made >= self.most:
                    finish_some()
                    continue
            return self.add()

    def lend(self) -> ReportBuffer | None:
        """A clean buffer for long, which is none of those of launches; None if none is free."""
        if not self.free:
            return None
        self._made -= 1
        return self.free.pop()

    def take_back(self, buffer: ReportBuffer) -> None:
        """A buffer that was lent."""
        self._made += 1
        self.free.append(buffer)

    def add(self) -> ReportBuffer:
        """One more buffer, in use."""
        self._made += 1
        return ReportBuffer(self, self._make(4 * (self.words + HEADER_WORDS)))
