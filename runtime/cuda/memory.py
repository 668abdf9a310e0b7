"""Memory: of the device, from a pool in the order of the default stream; of the host, pinned.

A finaliser may run in any thread at any time, so it only leaves a note; memory goes back to the
pool when the device is next asked for some, or waited for. Its freeing is ordered after all that
was launched before, in whatever stream, and what is allocated later is ordered after that.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, WeakValueDictionary

from ..array import Memory
from ..errors import OutOfMemory
from .table import HOST_ALLOC_MAPPED, HOST_ALLOC_PORTABLE

if TYPE_CHECKING:
    from ..device import Device
    from .core import Core
    from .slots import Slots

KEEP_ALL = (1 << 64) - 1
SLAB_BYTES = 1 << 20


class Lease:
    """Memory of the device until the last array that uses it is gone."""

    __slots__ = ("_dead", "address")

    def __init__(self, address: int, dead: deque[int]):
        self.address = address
        self._dead = dead

    def __del__(self) -> None:
        self._dead.append(self.address)


class MemoryPool:
    """Memory of one device. Callers hold the core's lock, and its context is current."""

    def __init__(self, core: Core):
        self._core = core
        self._call = core.context.call
        self._dead: deque[int] = deque()
        self._pool: Any = None
        self.live: WeakSet[Memory] = WeakSet()
        self._mapped: WeakValueDictionary[bytes, Memory] = WeakValueDictionary()

    def lease(self, device: Device, nbytes: int) -> Memory:
        """So many bytes, aligned to 256; OutOfMemory if there are not so many."""
        if nbytes == 0:
            return Memory(device, 0, 0)
        core = self._core
        with core.lock, core.context.current():
            core.refuse_capture("an array that is made")
            self.sweep()
            try:
                address = self._allocate(nbytes)
            except OutOfMemory:
                core.finish(core.default)
                self.trim()
                address = self._last_try(nbytes)
            core.changed()
            memory = Memory(device, address, nbytes, None, Lease(address, self._dead))
            self.live.add(memory)
            return memory

    def used_by(self, packed: bytes, slots: Slots) -> list[Memory]:
        """The memory of the arrays among packed arguments, and of those with a tensor map there."""
        mapped = [self._mapped.get(words) for words in slots.maps_in(packed)]
        named = self._named(slots.addresses_in(packed))
        return [*named, *(memory for memory in mapped if memory is not None)]

    def remember_map(self, words: bytes, address: int) -> None:
        """A tensor map, which does not show its address, is of the array there."""
        with self._core.lock:
            for memory in self._named([address]):
                self._mapped[words] = memory

    def _named(self, addresses: list[int]) -> list[Memory]:
        """The memory that addresses are of."""
        return [
            memory
            for memory in list(self.live)
            if any(memory.address <= at < memory.address + memory.nbytes for at in addresses)
        ]

    def sweep(self) -> None:
        """Free what no array uses any more, after all that was launched."""
        core = self._core
        if not self._dead or core.captures:
            return
        core.join()
        while self._dead:
            self._free(self._dead.popleft())

    def trim(self) -> None:
        """Give what is free in the pool back to the driver."""
        if self._pool is not None:
            self._call("cuMemPoolTrimTo", self._pool, 0)

    def _last_try(self, nbytes: int) -> int:
        core = self._core
        try:
            return self._allocate(nbytes)
        except OutOfMemory:
            free, total = self._call("cuMemGetInfo")
            raise OutOfMemory(
                f"{core.context.name} has no room for {nbytes} bytes: {free} of {total} are free"
            ) from None

    def _allocate(self, nbytes: int) -> int:
        core = self._core
        if not core.context.properties.has_pools:
            return int(self._call("cuMemAlloc", nbytes))
        if self._pool is None:
            self._pool = self._make_pool()
        return int(self._call("cuMemAllocFromPoolAsync", nbytes, self._pool, core.default.handle))

    def _free(self, address: int) -> None:
        if self._pool is None:
            self._core.finish(self._core.default)
            self._call("cuMemFree", address)
        else:
            self._call("cuMemFreeAsync", address, self._core.default.handle)

    def _make_pool(self) -> Any:
        """A pool of our own, which keeps what it has between launches."""
        driver = self._core.driver
        location = driver.structure(
            "CUmemLocation",
            type=driver.member("CUmemLocationType", "DEVICE"),
            id=self._core.context.ordinal,
        )
        wanted = driver.structure(
            "CUmemPoolProps",
            allocType=driver.member("CUmemAllocationType", "PINNED"),
            location=location,
        )
        pool = self._call("cuMemPoolCreate", wanted)
        keep = driver.value("cuuint64_t", KEEP_ALL)
        self._call("cuMemPoolSetAttribute", pool, "RELEASE_THRESHOLD", keep)
        return pool


class HostBlock:
    """Pinned memory: at `host` for the host, at `address` for the device."""

    __slots__ = ("_free", "address", "host")

    def __init__(self, host: int, address: int, free: list[tuple[int, int]]):
        self.host = host
        self.address = address
        self._free = free

    def __del__(self) -> None:
        self._free.append((self.host, self.address))


class HostMemory:
    """Pinned memory of the host that the device sees; what is given back is used again.

    Small blocks are cut from larger ones: asking the driver takes long, and may wait for kernels.
    """

    def __init__(self, core: Core):
        self._core = core
        self._free: dict[int, list[tuple[int, int]]] = {}

    def make(self, nbytes: int) -> HostBlock:
        """So many bytes, aligned to 256."""
        size = -(-nbytes // 256) * 256
        with self._core.lock:
            free = self._free.setdefault(size, [])
            if not free:
                free += self._cut(size)
            return HostBlock(*free.pop(), free)

    def _cut(self, size: int) -> list[tuple[int, int]]:
        """Blocks of a size, the last one is used first; the caller holds the lock."""
        core = self._core
        count = max(1, SLAB_BYTES // size)
        with core.context.current():
            core.refuse_capture("memory for what kernels report")
            flags = HOST_ALLOC_PORTABLE | HOST_ALLOC_MAPPED
            host = int(core.context.call("cuMemHostAlloc", count * size, flags))
            address = int(core.context.call("cuMemHostGetDevicePointer", host, 0))
        starts = range((count - 1) * size, -1, -size)
        return [(host + start, address + start) for start in starts]
