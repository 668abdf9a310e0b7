"""Descriptor sets of one kernel, for devices without buffer addresses.

A set is kept by the buffers that it names and used again for them; where all sets of a pool are
taken, a new pool is made and the old one goes when the launches that use it are done.
"""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING

from .api import S, array
from .context import Context
from .table import (
    DESCRIPTOR_STORAGE_BUFFER,
    DESCRIPTOR_STORAGE_BUFFER_DYNAMIC,
    SHADER_STAGE_COMPUTE,
)

if TYPE_CHECKING:
    from .stream import Batch

POOL_SETS = 64
Range = tuple[int, int, int]  # VkBuffer, offset, bytes


class Pool:
    """A VkDescriptorPool, the sets made from it, and the batches that use them."""

    def __init__(self, handle: int):
        self.handle = handle
        self.sets: dict[tuple[Range, ...], int] = {}
        self.uses: dict[int, Batch] = {}


class Descriptors:
    """Set layout and sets for storage buffers, of which the last may have a dynamic offset."""

    def __init__(self, context: Context, buffers: int, last_is_dynamic: bool):
        self._context = context
        kinds = [DESCRIPTOR_STORAGE_BUFFER] * buffers
        if last_is_dynamic:
            kinds[-1] = DESCRIPTOR_STORAGE_BUFFER_DYNAMIC
        self._kinds = kinds
        rows = (
            S.DescriptorSetLayoutBinding(
                binding=i,
                descriptorType=kind,
                descriptorCount=1,
                stageFlags=SHADER_STAGE_COMPUTE,
            )
            for i, kind in enumerate(kinds)
        )
        bindings = array(S.DescriptorSetLayoutBinding, rows)
        info = S.DescriptorSetLayoutCreateInfo(
            bindingCount=buffers, pBindings=ctypes.addressof(bindings)
        )
        self.layout = context.make("CreateDescriptorSetLayout", info)
        self._pool = self._new_pool()
        self._retired: list[Pool] = []
        self._generation = -1
        self._lock = threading.Lock()

    def get(
        self, ranges: tuple[Range, ...], generation: int, timeline: int, batch: Batch
    ) -> tuple[int, Pool]:
        """The set that names these ranges, for a launch in `batch`, and the pool that it is in.

        `generation` is the allocators': where buffers were destroyed, sets are made anew.
        """
        with self._lock:  # streams of several threads may launch the kernel
            if generation != self._generation:
                self._retire()
                self._generation = generation
            if ranges not in self._pool.sets and len(self._pool.sets) == POOL_SETS:
                self._retire()
            pool = self._pool
            found = pool.sets.get(ranges)
            if found is None:
                found = pool.sets[ranges] = self._make(pool, ranges)
            pool.uses[timeline] = batch
            return found, pool

    def keep(self, pool: Pool, generation: int, timeline: int, batch: Batch) -> bool:
        """Keep the sets of a pool for a launch in `batch`; False where they went or will go."""
        with self._lock:
            if pool is not self._pool or generation != self._generation:
                return False
            pool.uses[timeline] = batch
            return True

    def close(self) -> None:
        """Destroy everything; all launches are done."""
        for pool in (self._pool, *self._retired):
            self._context.destroy("DestroyDescriptorPool", pool.handle)
        self._context.destroy("DestroyDescriptorSetLayout", self.layout)

    def _retire(self) -> None:
        """Go on with an empty pool: one whose launches are done, or a new one."""
        if not self._pool.sets:
            return
        self._retired.append(self._pool)
        for pool in self._retired:
            if all(batch.is_done() for batch in pool.uses.values()):
                self._retired.remove(pool)
                self._context.call("ResetDescriptorPool", pool.handle, 0)
                self._pool = Pool(pool.handle)
                return
        self._pool = self._new_pool()

    def _new_pool(self) -> Pool:
        counts = {kind: self._kinds.count(kind) * POOL_SETS for kind in self._kinds}
        sizes = array(S.DescriptorPoolSize, (S.DescriptorPoolSize(*row) for row in counts.items()))
        info = S.DescriptorPoolCreateInfo(
            maxSets=POOL_SETS, poolSizeCount=len(sizes), pPoolSizes=ctypes.addressof(sizes)
        )
        return Pool(self._context.make("CreateDescriptorPool", info))

    def _make(self, pool: Pool, ranges: tuple[Range, ...]) -> int:
        layout, made = ctypes.c_uint64(self.layout), ctypes.c_uint64()
        info = S.DescriptorSetAllocateInfo(
            descriptorPool=pool.handle, descriptorSetCount=1, pSetLayouts=ctypes.addressof(layout)
        )
        self._context.call("AllocateDescriptorSets", ctypes.byref(info), ctypes.byref(made))
        rows = array(S.DescriptorBufferInfo, (S.DescriptorBufferInfo(*row) for row in ranges))
        writes = array(
            S.WriteDescriptorSet,
            (
                S.WriteDescriptorSet(
                    dstSet=made.value,
                    dstBinding=i,
                    descriptorCount=1,
                    descriptorType=kind,
                    pBufferInfo=ctypes.addressof(rows) + i * ctypes.sizeof(S.DescriptorBufferInfo),
                )
                for i, kind in enumerate(self._kinds)
            ),
        )
        self._context.call("UpdateDescriptorSets", len(writes), writes, 0, None)
        return made.value
