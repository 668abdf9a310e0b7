"""Memory of the device and pinned memory of the host, over the PTX interpreter's.

An allocation exists from the point in its stream at which it is made to that at which it is freed:
an access before or after is one outside of every allocation. Addresses are never used again, and
are no addresses of the host. Pinned memory is real memory, with a copy for the device that is
brought up to date around each launch that is given its address.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from oracles.cuda_driver.results import Refused, refuse_if
from oracles.ptx.errors import PtxError
from oracles.ptx.memory import GLOBAL_BASE
from oracles.ptx.memory import Memory as Simulated

Bytes = npt.NDArray[np.uint8]


class Pinned:
    """Pinned memory: `host` is its address for the host."""

    def __init__(self, nbytes: int, address: int):
        self._buffer: Any = ctypes.create_string_buffer(nbytes)
        self.host = ctypes.addressof(self._buffer)
        self.address = address
        self.nbytes = nbytes


class DeviceMemory:
    """The memory of one device, of which `total` bytes can be had."""

    def __init__(self, total: int):
        self.simulated = Simulated()
        self.total = total
        self.used = 0
        self.sizes: dict[int, int] = {}
        self.pinned: dict[int, Pinned] = {}

    def reserve(self, nbytes: int) -> int:
        """An address for so many bytes, which are not there yet."""
        refuse_if(nbytes == 0, "ERROR_INVALID_VALUE")
        refuse_if(self.used + nbytes > self.total, "ERROR_OUT_OF_MEMORY")
        address = self.simulated.allocate(nbytes)
        self._hide(address)
        self.sizes[address] = nbytes
        self.used += nbytes
        return address

    def show(self, address: int) -> None:
        """The bytes are there from now on."""
        space, offset = self.simulated.globals, address - GLOBAL_BASE
        at = bisect_left(space.starts, offset)
        space.starts.insert(at, offset)
        space.ends.insert(at, offset + self.sizes[address])

    def free(self, address: int) -> None:
        """They are no longer there."""
        self._hide(address)
        self.used -= self.sizes.pop(address)

    def write(self, address: int, data: bytes) -> None:
        """Copy in; a fault outside of every allocation."""
        try:
            self.simulated.write(address, data)
        except PtxError as error:
            raise Refused("ERROR_ILLEGAL_ADDRESS") from error

    def read(self, address: int, nbytes: int) -> bytes:
        """Copy out; a fault outside of every allocation."""
        try:
            return self.simulated.read(address, nbytes)
        except PtxError as error:
            raise Refused("ERROR_ILLEGAL_ADDRESS") from error

    def pin(self, nbytes: int) -> Pinned:
        """Pinned memory."""
        made = Pinned(nbytes, self.simulated.allocate(nbytes))
        self.pinned[made.host] = made
        return made

    def host_range(self, host: int, nbytes: int) -> None:
        """A copy without waiting needs pinned memory: another is none that was made here."""
        end, rows = host + nbytes, self.pinned.values()
        fits = any(p.host <= host and end <= p.host + p.nbytes for p in rows)
        if not fits:
            raise NotImplementedError("a copy from or to host memory that is not pinned")

    def to_device(self, addresses: Iterable[int]) -> list[tuple[Pinned, Bytes]]:
        """Bring the device's copy of pinned memory up to date, where an address is of it."""
        wanted = list(addresses)
        named: list[tuple[Pinned, Bytes]] = []
        for p in self.pinned.values():
            if any(p.address <= at < p.address + p.nbytes for at in wanted):
                data = np.frombuffer(ctypes.string_at(p.host, p.nbytes), np.uint8)
                self.simulated.write(p.address, data)
                named.append((p, data))
        return named

    def to_host(self, named: Iterable[tuple[Pinned, Bytes]]) -> None:
        """Bring the host's copy up to date: the bytes that are no longer what they were."""
        for p, before in named:
            after = np.frombuffer(self.simulated.read(p.address, p.nbytes), np.uint8)
            host = np.ctypeslib.as_array((ctypes.c_uint8 * p.nbytes).from_address(p.host))
            changed = np.flatnonzero(before != after)
            host[changed] = after[changed]

    def _hide(self, address: int) -> None:
        space = self.simulated.globals
        at = bisect_left(space.starts, address - GLOBAL_BASE)
        refuse_if(
            at == len(space.starts) or space.starts[at] != address - GLOBAL_BASE,
            "ERROR_INVALID_VALUE",
        )
        del space.starts[at], space.ends[at]
        space.recent.clear()
