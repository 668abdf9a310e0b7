"""The address map: one 64-bit space with a window for each state space.

Every variable and buffer is an allocation of its own with a guard on both sides, so an access that
leaves its allocation is found even where a neighbour follows. Fresh memory is filled with 0xFF,
which is NaN in every float type, rather than with zeros that would hide a missing write.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import Misaligned, OutOfBounds
from .syntax import Variable

Array = npt.NDArray[Any]
WINDOW_BITS = 40
GLOBAL_BASE = 1 << 36
WINDOWS = {"global": 0, "shared": 1, "local": 2, "param": 3, "const": 4}
_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
_GUARD = 64


def window(space: str) -> int:
    """The generic address at which offset 0 of a state space stands."""
    return WINDOWS[space] << WINDOW_BITS


class Space:
    """One state space. Offsets count from `base`; `rows` copies of it exist (local: one a lane)."""

    def __init__(self, name: str, base: int, rows: int = 1, writable: bool = True):
        self.name = name
        self.base = base
        self.rows = rows
        self.writable = writable
        self.used = _GUARD
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.recent: dict[int, tuple[np.uint64, int]] = {}
        self.capacity = 0
        self.views: dict[int, Array] = {}
        self._grow(4096)

    def _grow(self, capacity: int) -> None:
        data = np.full((self.rows, capacity), 0xFF, np.uint8)
        if self.capacity:
            data[:, : self.capacity] = self.views[1].reshape(self.rows, self.capacity)
        self.capacity = capacity
        flat = data.reshape(-1)
        self.views = {size: flat.view(kind) for size, kind in _UNSIGNED.items()}

    def allocate(self, nbytes: int, align: int = 256) -> int:
        """The offset of `nbytes` new bytes."""
        start = -(-self.used // align) * align
        self.used = start + nbytes + _GUARD
        if self.used > self.capacity:
            self._grow(max(2 * self.capacity, -(-self.used // 4096) * 4096))
        self.starts.append(start)
        self.ends.append(start + nbytes)
        return start

    def check(self, offsets: Array, size: int, lanes: Array, site: int) -> None:
        """Raises unless `size` bytes at each offset are aligned and within one allocation.

        `site` names the instruction: it most likely meets the allocation it met last time.
        """
        if size > 1:
            low = offsets & np.uint64(size - 1)
            if np.count_nonzero(low):
                at = int(np.flatnonzero(low)[0])
                address = self.base + int(offsets[at])
                raise Misaligned(
                    f"{size}-byte access of {self.name} memory at {address:#x}",
                    lane=int(lanes[at]),
                )
        recent = self.recent.get(site)
        if recent is not None:
            start, span = recent
            if span >= size and not np.count_nonzero((offsets - start) > np.uint64(span - size)):
                return
        for at, offset in enumerate(offsets.tolist()):
            index = bisect_right(self.starts, offset) - 1
            if index < 0 or offset + size > self.ends[index]:
                raise OutOfBounds(self._describe(offset, size, index), lane=int(lanes[at]))
            if at == 0:
                start = self.starts[index]
                self.recent[site] = (np.uint64(start), self.ends[index] - start)

    def _describe(self, offset: int, size: int, index: int) -> str:
        message = f"{size}-byte access of {self.name} memory at {self.base + offset:#x}"
        if index < 0:
            return message + ", below every allocation"
        start, end = self.starts[index], self.ends[index]
        nearest = f"{self.base + start:#x}, {end - start} bytes long"
        return f"{message}, {offset - end} bytes past the end of the allocation at {nearest}"

    def _index(self, offsets: Array, size: int, lanes: Array) -> Array:
        index = offsets.view(np.int64)
        if self.rows > 1:
            index = index + lanes * self.capacity
        return index if size == 1 else index >> (size.bit_length() - 1)

    def load(self, offsets: Array, size: int, lanes: Array) -> Array:
        """Unsigned elements of `size` bytes; the offsets were checked."""
        return self.views[size].take(self._index(offsets, size, lanes))

    def store(self, offsets: Array, size: int, lanes: Array, values: Array) -> None:
        """Writes unsigned elements; of lanes that write the same place the last one wins."""
        self.views[size][self._index(offsets, size, lanes)] = values

    def require_writable(self) -> None:
        """Raises for constant memory and kernel parameters."""
        if not self.writable:
            raise OutOfBounds(f"write to {self.name} memory, which is read-only")


class Memory:
    """Global and constant memory, and the window of the kernel parameters."""

    def __init__(self) -> None:
        self.globals = Space("global", GLOBAL_BASE)
        self.constants = Space("const", window("const"), writable=False)
        self.parameters = Space("param", window("param"), writable=False)

    def allocate(self, nbytes: int, align: int = 256) -> int:
        """The address of `nbytes` new bytes of global memory."""
        return GLOBAL_BASE + self.globals.allocate(nbytes, align)

    def _place(self, address: int, nbytes: int) -> tuple[Space, int]:
        space = {
            WINDOWS["const"]: self.constants,
            WINDOWS["param"]: self.parameters,
        }.get(address >> WINDOW_BITS, self.globals)
        offset = address - space.base
        index = bisect_right(space.starts, offset) - 1
        if index < 0 or offset + nbytes > space.ends[index]:
            raise OutOfBounds(f"{nbytes} bytes at {address:#x} are not within one allocation")
        return space, offset

    def write(self, address: int, data: bytes | Array) -> None:
        """Copies bytes, or the bytes of an array, to the device."""
        raw = np.frombuffer(data if isinstance(data, bytes) else data.tobytes(), np.uint8)
        if len(raw):
            space, offset = self._place(address, len(raw))
            space.views[1][offset : offset + len(raw)] = raw

    def read(self, address: int, nbytes: int) -> bytes:
        """Bytes of the device."""
        if nbytes == 0:
            return b""
        space, offset = self._place(address, nbytes)
        return space.views[1][offset : offset + nbytes].tobytes()

    def text(self, address: int) -> str:
        """The zero-terminated text at `address`."""
        found = bytearray()
        while (byte := self.read(address + len(found), 1)) != b"\0":
            found += byte
        return found.decode(errors="replace")


def place_shared(space: Space, variables: list[Variable], dynamic: int) -> None:
    """Gives shared variables their offsets; those of no size share the dynamic bytes at the end."""
    for variable in variables:
        if variable.count is not None:
            variable.address = space.allocate(variable.nbytes, max(variable.align, 16))
    # The largest alignment that the hardware asks of anything in shared memory.
    start = space.allocate(dynamic, 1024)
    for variable in variables:
        if variable.count is None:
            variable.address = start
