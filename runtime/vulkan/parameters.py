"""Parameter blocks that are too big to be pushed: pages in memory that the host writes."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from .memory import ALIGNMENT, Allocator, Lease

if TYPE_CHECKING:
    from .stream import Batch

PAGE_BYTES = 64 << 10


class Parameters:
    """The pages of one stream; a full page goes when the batches that read it are done."""

    def __init__(self, allocator: Allocator):
        self._allocator = allocator
        self._page: Lease | None = None
        self._used = 0

    def put(self, block: bytes) -> tuple[Lease, int]:
        """Write a block; its page, and where in the page it starts."""
        size = -(-len(block) // ALIGNMENT) * ALIGNMENT
        page = self._page
        if page is None or self._used + size > page.allocation.nbytes:
            page = self._page = self._allocator.lease(max(PAGE_BYTES, size))
            self._used = 0
        offset = self._used
        ctypes.memmove(page.allocation.host + offset, block, len(block))
        self._used += size
        return page, offset

    def keep(self, batch: Batch) -> None:
        """Keep the page for as long as `batch` is under way."""
        if self._page is not None and (not batch.kept or batch.kept[-1] is not self._page):
            batch.kept.append(self._page)
