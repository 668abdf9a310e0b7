"""Query pools for the timestamps of events."""

from __future__ import annotations

import ctypes
import threading

from .api import S
from .context import Context
from .table import QUERY_64_BITS, QUERY_TIMESTAMP, QUERY_WAIT

POOL_QUERIES = 256


class Timestamps:
    """Query pools of a device; `free` holds (pool, query)."""

    def __init__(self, context: Context):
        self._context = context
        self._lock = threading.Lock()
        self._pools: list[int] = []
        self.free: list[tuple[int, int]] = []

    def take(self) -> tuple[int, int]:
        """A query that nobody uses."""
        with self._lock:
            if not self.free:
                info = S.QueryPoolCreateInfo(queryType=QUERY_TIMESTAMP, queryCount=POOL_QUERIES)
                pool = self._context.make("CreateQueryPool", info)
                self._pools.append(pool)
                self.free += [(pool, number) for number in range(POOL_QUERIES)]
            return self.free.pop()

    def read(self, query: tuple[int, int]) -> int:
        """The ticks that a query holds; its batch is done."""
        ticks = ctypes.c_uint64()
        reference = ctypes.byref(ticks)
        self._context.call(
            "GetQueryPoolResults", *query, 1, 8, reference, 8, QUERY_64_BITS | QUERY_WAIT
        )
        bits = self._context.physical.timestamp_bits
        return ticks.value & ((1 << bits) - 1)

    def close(self) -> None:
        """Destroy the pools."""
        for pool in self._pools:
            self._context.destroy("DestroyQueryPool", pool)
