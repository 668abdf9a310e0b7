"""Report buffers: a launch that can report has one to itself until the host has read it."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ..artifact import Manifest
from ..outcome import Outcome
from ..report import CAPACITY_WORD, HEADER_WORDS, capacity_words, is_used, take
from .memory import Allocator, Lease

if TYPE_CHECKING:
    from collections.abc import Callable

POOL_BYTES = 32 << 20
MIN_POOL = 4


class ReportBuffer:
    """A report buffer in memory that the host sees."""

    __slots__ = ("_pool", "_words", "allocation", "lease")

    def __init__(self, pool: ReportPool, lease: Lease):
        self._pool = pool
        self.lease = lease
        self.allocation = lease.allocation
        size = pool.words + HEADER_WORDS
        ctypes.memset(self.allocation.host, 0, 4 * size)
        whole: Any = (ctypes.c_uint32 * size).from_address(self.allocation.host)
        self._words = memoryview(whole).cast("B").cast("I")
        self._words[CAPACITY_WORD] = pool.words

    def collect(self) -> Outcome | None:
        """Read and clear the records of a launch that is done; the buffer is free again."""
        words, pool = self._words, self._pool
        outcome = None
        if is_used(words):
            outcome = Outcome(take(words, pool.manifest.sites), pool.manifest)
        pool.free.append(self)
        return outcome


class ReportPool:
    """The report buffers of one kernel."""

    def __init__(self, manifest: Manifest, allocator: Allocator):
        self.manifest = manifest
        self.words = capacity_words(manifest.prints)
        self.free: list[ReportBuffer] = []
        self._allocator = allocator
        self._made = 0
        self._most = max(MIN_POOL, POOL_BYTES // (4 * self.words))

    def take(self, finish_some: Callable[[], None]) -> ReportBuffer:
        """A clean buffer; `finish_some` waits for launches where too many are under way."""
        while True:
            try:
                return self.free.pop()
            except IndexError:  # none is free: make one, or wait for one
                if self._made >= self._most:
                    finish_some()
                    continue
            self._made += 1
            return ReportBuffer(self, self._allocator.lease(4 * (self.words + HEADER_WORDS)))
