"""Device memory: large VkDeviceMemory blocks, each with one VkBuffer over all of it, cut in pieces.

    allocator.allocate(nbytes) -> Allocation        a piece, aligned to 256 bytes
    Lease(allocation)                               gives the piece back when the last array dies

A piece that launches under way still use is kept until they are done. Big pieces have a block of
their own, and the last few of these that were given back are kept for the next.
"""

from __future__ import annotations

import ctypes
import threading
from bisect import bisect_right, insort
from collections import deque
from typing import TYPE_CHECKING

from ..errors import OutOfMemory
from .api import S, chain
from .context import Context
from .table import (
    ALLOCATE_DEVICE_ADDRESS,
    BUFFER_DEVICE_ADDRESS,
    BUFFER_STORAGE,
    BUFFER_TRANSFER_DESTINATION,
    BUFFER_TRANSFER_SOURCE,
    OUT_OF_MEMORY,
    WHOLE_SIZE,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stream import Batch

ALIGNMENT = 256
BLOCK_BYTES = 32 << 20
OWN_BLOCK_BYTES = 8 << 20
SPARE_BYTES = 256 << 20
MAX_BYTES = 1 << 63
ANY_USAGE = BUFFER_STORAGE | BUFFER_TRANSFER_SOURCE | BUFFER_TRANSFER_DESTINATION
_INVENTED = 1 << 44  # where addresses start on devices that have none


class Block:
    """A VkDeviceMemory with a VkBuffer over it; `free` holds (offset, size), in order."""

    __slots__ = ("address", "buffer", "free", "host", "memory", "own", "owner", "size")

    def __init__(self, memory: int, buffer: int, size: int, own: bool):
        self.memory = memory
        self.buffer = buffer
        self.size = size
        self.own = own
        self.owner: object = None  # what lent the memory, if it is not the driver's
        self.free = [(0, size)]
        self.address = 0
        self.host = 0

    def take(self, size: int) -> int | None:
        """The offset of the first free range of this size, which is no longer free."""
        for i, (offset, room) in enumerate(self.free):
            if room >= size:
                self.free[i : i + 1] = [(offset + size, room - size)] if room > size else []
                return offset
        return None

    def give(self, offset: int, size: int) -> None:
        """Make a range free, joined with its neighbours."""
        insort(self.free, (offset, size))
        at = bisect_right(self.free, (offset, size)) - 1
        for left in (at, at - 1):
            if 0 <= left < len(self.free) - 1:
                (start, length), (then, more) = self.free[left : left + 2]
                if start + length == then:
                    self.free[left : left + 2] = [(start, length + more)]


class Allocation:
    """A piece of a block, and the batches of launches that use and write it."""

    __slots__ = ("address", "block", "host", "live", "nbytes", "offset", "uses", "writes")

    def __init__(self, block: Block, offset: int, nbytes: int):
        self.block = block
        self.offset = offset
        self.nbytes = nbytes
        self.address = block.address + offset
        self.host = block.host + offset if block.host else 0
        self.live = True
        self.uses: dict[int, Batch] = {}
        self.writes: dict[int, Batch] = {}

    def is_idle(self) -> bool:
        """Whether nothing that was launched uses it any more; takes no lock."""
        return all(batch.is_done() for batch in self.uses.values())


class Lease:
    """Owns an allocation for as long as an array needs it."""

    __slots__ = ("_garbage", "allocation")

    def __init__(self, allocation: Allocation, garbage: deque[Allocation]):
        self.allocation = allocation
        self._garbage = garbage

    @property
    def host(self) -> int:
        """Its address for the host, 0 where that does not see it."""
        return self.allocation.host

    def __del__(self) -> None:
        self._garbage.append(self.allocation)  # taken up at the next allocation: no lock here


class Allocator:
    """All memory of one memory type.

    The host sees blocks up to `mapped_bytes`. `drain` waits for everything that is under way.
    """

    def __init__(
        self, context: Context, memory_type: int, drain: Callable[[], None], *, mapped_bytes: int
    ):
        self.context = context
        self.memory_type = memory_type
        self.drain = drain
        self.mapped_bytes = mapped_bytes
        _, heap = context.physical.memory_types[memory_type]
        self.heap_bytes: int = context.physical.heaps[heap]
        self.largest: int = min(self.heap_bytes, context.physical.sizes.maxMemoryAllocationSize)
        self.has_addresses = "bda" in context.physical.profile.capabilities
        self.garbage: deque[Allocation] = deque()
        self.generation = 0  # counts buffers that were destroyed: their handles may come again
        self._lock = threading.RLock()
        self._blocks: list[Block] = []
        self._spare: list[Block] = []
        self._pending: deque[Allocation] = deque()
        self._invented = _INVENTED
        self._starts: list[int] = []
        self._live: list[Allocation] = []

    def allocate(self, nbytes: int) -> Allocation:
        """A piece of at least `nbytes`; OutOfMemory if there is none."""
        self.context.require()
        size = max(1, -(-nbytes // ALIGNMENT)) * ALIGNMENT
        if size > self.largest:
            raise self._no_room(nbytes, f"it takes up to {self.largest} bytes at once")
        with self._lock:
            self.collect()
            found = self._place(size)
        if found is None:
            self.drain()
            with self._lock:
                self.collect(thorough=True)
                self._drop_spare()
                found = self._place(size)
        if found is None:
            raise self._no_room(nbytes, "all its memory is in use")
        return found

    def lease(self, nbytes: int) -> Lease:
        """A piece that goes back when the lease dies."""
        return Lease(self.allocate(nbytes), self.garbage)

    def adopt(self, block: Block, owner: object) -> Lease | None:
        """Take a block of foreign memory as one piece; `owner` is let go when it is freed.

        None, and the block is gone, if part of it is here already: `find` must tell them apart.
        """
        block.owner = owner
        with self._lock:
            self.collect(thorough=True)
            self._locate(block)
            at = bisect_right(self._starts, block.address)
            neighbours = self._live[max(0, at - 1) : at + 1]
            end = block.address + block.size
            if any(n.address < end and block.address < n.address + n.nbytes for n in neighbours):
                self._destroy(block)
                return None
            self._blocks.append(block)
            made = self._cut(block, block.size)
        assert made is not None, "a block of its own has room for its piece"
        return Lease(made, self.garbage)

    def find(self, address: int) -> Allocation | None:
        """The piece in which an address lies (its end included, for views without elements)."""
        with self._lock:
            at = bisect_right(self._starts, address) - 1
            found = self._live[at] if at >= 0 else None
        inside = found is not None and address <= found.address + found.nbytes
        return found if inside else None

    def collect(self, *, thorough: bool = False) -> None:
        """Free what was given back and is no longer used, up to the first that still is.

        `thorough` looks at those behind it too, which other streams may be done with.
        """
        with self._lock:
            pending = self._pending
            while self.garbage:
                pending.append(self.garbage.popleft())
            while pending and pending[0].is_idle():
                self._free(pending.popleft())
            for _ in range(len(pending) if thorough else 0):
                allocation = pending.popleft()
                if allocation.is_idle():
                    self._free(allocation)
                else:
                    pending.append(allocation)

    def close(self) -> None:
        """Free everything."""
        with self._lock:
            for block in self._blocks + self._spare:
                self._destroy(block)
            self._blocks, self._spare = [], []

    def reserved(self) -> int:
        """Bytes that are taken from the driver."""
        with self._lock:
            return sum(block.size for block in self._blocks + self._spare)

    def _place(self, size: int) -> Allocation | None:
        """A piece from a block that is there, else from a new one; None if there is no room."""
        if size >= OWN_BLOCK_BYTES:
            self.collect(thorough=True)
            block = self._spare_block(size) or self._new_block(size, own=True)
            return None if block is None else self._cut(block, size)
        found = self._piece(size)
        if found is None:
            self.collect(thorough=True)
            found = self._piece(size)
        if found is not None:
            return found
        block = self._new_block(min(BLOCK_BYTES, self.largest), own=False)
        block = block or self._new_block(size, own=True)
        return None if block is None else self._cut(block, size)

    def _piece(self, size: int) -> Allocation | None:
        """A piece of a block that is there."""
        for block in self._blocks:
            found = None if block.own else self._cut(block, size)
            if found is not None:
                return found
        return None

    def _cut(self, block: Block, size: int) -> Allocation | None:
        offset = block.take(block.size if block.own else size)
        if offset is None:
            return None
        made = Allocation(block, offset, block.size if block.own else size)
        at = bisect_right(self._starts, made.address)
        self._starts.insert(at, made.address)
        self._live.insert(at, made)
        return made

    def _free(self, allocation: Allocation) -> None:
        at = bisect_right(self._starts, allocation.address) - 1
        del self._starts[at], self._live[at]
        allocation.live = False
        block = allocation.block
        block.give(allocation.offset, allocation.nbytes)
        if block.owner is not None:
            self._blocks.remove(block)
            self._destroy(block)
            block.owner = None
        elif block.own:
            self._blocks.remove(block)
            self._spare.append(block)
            while sum(spare.size for spare in self._spare) > SPARE_BYTES:
                self._destroy(self._spare.pop(0))
        elif block.free[0] == (0, block.size):
            empty = [b for b in self._blocks if not b.own and b.free[:1] == [(0, b.size)]]
            if len(empty) > 1:
                self._blocks.remove(block)
                self._destroy(block)

    def _spare_block(self, size: int) -> Block | None:
        fits = [block for block in self._spare if size <= block.size <= size + size // 4]
        if not fits:
            return None
        best = min(fits, key=lambda block: block.size)
        self._spare.remove(best)
        self._blocks.append(best)
        return best

    def _drop_spare(self) -> None:
        for block in self._spare:
            self._destroy(block)
        self._spare = []

    def _new_block(self, size: int, own: bool) -> Block | None:
        context = self.context
        taken = sum(block.size for block in self._blocks + self._spare if block.owner is None)
        if taken + size > self.heap_bytes:
            return None
        usage = ANY_USAGE | (BUFFER_DEVICE_ADDRESS if self.has_addresses else 0)
        buffer = context.make("CreateBuffer", S.BufferCreateInfo(size=size, usage=usage))
        needs = S.MemoryRequirements()
        context.call("GetBufferMemoryRequirements", buffer, ctypes.byref(needs))
        info = S.MemoryAllocateInfo(allocationSize=needs.size, memoryTypeIndex=self.memory_type)
        if self.has_addresses:
            chain(info, S.MemoryAllocateFlagsInfo(flags=ALLOCATE_DEVICE_ADDRESS))
        memory = ctypes.c_uint64()
        reference = ctypes.byref(info), None, ctypes.byref(memory)
        result = context.functions.AllocateMemory(context.handle, *reference)
        if result in OUT_OF_MEMORY:
            context.destroy("DestroyBuffer", buffer)
            return None
        context.check(result, "vkAllocateMemory")
        context.call("BindBufferMemory", buffer, memory.value, 0)
        block = Block(memory.value, buffer, size, own)
        self._locate(block)
        self._blocks.append(block)
        return block

    def _locate(self, block: Block) -> None:
        """Where the block is for kernels, and for the host where it can see it."""
        if self.has_addresses:
            info = S.BufferDeviceAddressInfo(buffer=block.buffer)
            block.address = self.context.call("GetBufferDeviceAddress", ctypes.byref(info))
        else:
            block.address = self._invented
            self._invented += -(-block.size // ALIGNMENT) * ALIGNMENT + ALIGNMENT
        if block.size <= self.mapped_bytes and block.owner is None:
            pointer = ctypes.c_void_p()
            self.context.call("MapMemory", block.memory, 0, WHOLE_SIZE, 0, ctypes.byref(pointer))
            block.host = pointer.value or 0

    def _destroy(self, block: Block) -> None:
        self.generation += 1
        self.context.destroy("DestroyBuffer", block.buffer)
        self.context.destroy("FreeMemory", block.memory)

    def _no_room(self, nbytes: int, why: str) -> OutOfMemory:
        return OutOfMemory(f"{self.context.name} has no room for {nbytes} bytes: {why}")
