"""A caller's NumPy array as device memory for one launch, without a copy.

Only where host and device share memory: there the import of an array's pages costs less than
copying them from IMPORT_BYTES on. The pages at both ends may hold other data, which no kernel can
reach, since its indices are checked against the array. The array is kept until the launch is done.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from ..array import HostArray
from ..strides import extent
from .api import S, chain
from .memory import ANY_USAGE, Allocator, Block, Lease
from .table import (
    ALLOCATE_DEVICE_ADDRESS,
    BUFFER_DEVICE_ADDRESS,
    EXTERNAL_HOST_ALLOCATION,
    EXTERNAL_IMPORTABLE,
    INVALID_EXTERNAL_HANDLE,
    MEMORY_HOST_COHERENT,
    OUT_OF_MEMORY,
)

if TYPE_CHECKING:
    from .context import Context

IMPORT_BYTES = 256 << 10


class HostImports:
    """Imports of one device."""

    def __init__(self, context: Context, allocator: Allocator):
        physical = context.physical
        self._context = context
        self._allocator = allocator
        self._usage = ANY_USAGE | BUFFER_DEVICE_ADDRESS
        self.is_possible = (
            physical.host_import is not None
            and physical.shares_memory
            and allocator.has_addresses
            and self._is_importable()
        )
        if self.is_possible:
            assert physical.host_import is not None, "it is possible"
            self._page: int = physical.host_import.minImportedHostPointerAlignment

    def lend(self, host: HostArray) -> tuple[Lease, int] | None:
        """The pages of an array, and where its first element is in them; None to copy instead."""
        if not self.is_possible or host.nbytes < IMPORT_BYTES or not host.flags.writeable:
            return None
        low, high = extent(host.shape, host.strides, host.itemsize)
        first: int = host.__array_interface__["data"][0]
        start = (first + low) // self._page * self._page
        size = -(-(first + high - start) // self._page) * self._page
        block = self._import(start, size) if high - low <= 2 * host.nbytes else None
        if block is None:
            return None
        lease = self._allocator.adopt(block, host)
        return None if lease is None else (lease, first - start)

    def _import(self, start: int, size: int) -> Block | None:
        """A block over pages of the host; None where the driver does not take them."""
        context = self._context
        memory_type = self._memory_type(start)
        if memory_type is None or size > self._allocator.largest:
            return None
        info = S.BufferCreateInfo(size=size, usage=self._usage)
        chain(info, S.ExternalMemoryBufferCreateInfo(handleTypes=EXTERNAL_HOST_ALLOCATION))
        buffer = context.make("CreateBuffer", info)
        needs = S.MemoryRequirements()
        context.call("GetBufferMemoryRequirements", buffer, ctypes.byref(needs))
        if needs.size > size or not needs.memoryTypeBits >> memory_type & 1:
            context.destroy("DestroyBuffer", buffer)
            return None
        allocate = S.MemoryAllocateInfo(allocationSize=size, memoryTypeIndex=memory_type)
        pages = S.ImportMemoryHostPointerInfoEXT(
            handleType=EXTERNAL_HOST_ALLOCATION, pHostPointer=start
        )
        chain(allocate, pages, S.MemoryAllocateFlagsInfo(flags=ALLOCATE_DEVICE_ADDRESS))
        memory = ctypes.c_uint64()
        reference = ctypes.byref(allocate), None, ctypes.byref(memory)
        result = context.functions.AllocateMemory(context.handle, *reference)
        if result in (INVALID_EXTERNAL_HANDLE, *OUT_OF_MEMORY):
            context.destroy("DestroyBuffer", buffer)
            return None
        context.check(result, "vkAllocateMemory")
        context.call("BindBufferMemory", buffer, memory.value, 0)
        return Block(memory.value, buffer, size, own=True)

    def _is_importable(self) -> bool:
        """Whether the driver takes pages of the host for buffers such as ours."""
        physical = self._context.physical
        asked = S.PhysicalDeviceExternalBufferInfo(
            usage=self._usage, handleType=EXTERNAL_HOST_ALLOCATION
        )
        found = S.ExternalBufferProperties()
        ask = physical.functions.GetPhysicalDeviceExternalBufferProperties
        ask(physical.handle, ctypes.byref(asked), ctypes.byref(found))
        features = found.externalMemoryProperties.externalMemoryFeatures
        return bool(features & EXTERNAL_IMPORTABLE)

    def _memory_type(self, start: int) -> int | None:
        """A memory type for the pages that needs no flushes."""
        found = S.MemoryHostPointerPropertiesEXT()
        reference = EXTERNAL_HOST_ALLOCATION, start, ctypes.byref(found)
        self._context.call("GetMemoryHostPointerPropertiesEXT", *reference)
        for number, (flags, _) in enumerate(self._context.physical.memory_types):
            if found.memoryTypeBits >> number & 1 and flags & MEMORY_HOST_COHERENT:
                return number
        return None
