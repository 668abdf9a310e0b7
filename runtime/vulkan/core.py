"""What a Vulkan device holds once it is used: context, memory, streams, kernels; and its end."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from ..errors import DeviceError, DeviceLost
from .context import Context
from .imports import HostImports
from .memory import BLOCK_BYTES, MAX_BYTES, Allocation, Allocator
from .parameters import Parameters
from .physical import Physical
from .pipelines import PipelineCache
from .queries import Timestamps
from .stream import Timeline
from .table import (
    MEMORY_DEVICE_LOCAL,
    MEMORY_HOST_CACHED,
    MEMORY_HOST_COHERENT,
    MEMORY_HOST_VISIBLE,
)
from .transfer import Transfer

if TYPE_CHECKING:
    from .kernel import KernelParts

MAX_KNOWN = 4096
LAST_WAIT_NS = 2_000_000_000
_HOST = MEMORY_HOST_VISIBLE | MEMORY_HOST_COHERENT
_CACHED = _HOST | MEMORY_HOST_CACHED


class Core:
    """The parts of a device in use. With `staged` its memory is kept from the host's eyes."""

    def __init__(self, physical: Physical, name: str, staged: bool = False):
        self.context = context = Context(physical, name)
        self.parts: set[KernelParts] = set()
        self.dead_parts: deque[KernelParts] = deque()
        self.known: dict[int, Allocation] = {}
        self._timelines: tuple[Timeline, ...] = ()
        self._idle: list[Timeline] = []
        self._lock = threading.Lock()
        types = [flags for flags, _ in physical.memory_types]
        best = _memory_type(_for_arrays(physical), _wanted(physical))
        is_cached = types[best] & _CACHED == _CACHED and not staged
        is_seen = types[best] & _HOST == _HOST and not staged
        mapped = MAX_BYTES if is_cached else BLOCK_BYTES if is_seen else 0
        self.memory = self.host = Allocator(context, best, self.drain, mapped_bytes=mapped)
        if not is_cached:
            host = _memory_type(types, (_CACHED, _HOST))
            self.host = Allocator(context, host, self.drain, mapped_bytes=MAX_BYTES)
        self.pipeline_cache = PipelineCache(context)
        self.timestamps = Timestamps(context)
        self.imports = HostImports(context, self.memory)
        self.default = self.timeline()
        self._copies = self.timeline()
        self.transfer = Transfer(self._copies, self.host, is_cached)

    def timeline(self) -> Timeline:
        """A timeline that nobody has, or a new one; the queues take turns."""
        self._reap()
        with self._lock:
            if self._idle:
                made = self._idle.pop()
            else:
                queue = self.context.queues[len(self._timelines) % len(self.context.queues)]
                made = Timeline(self.context, queue, Parameters(self.host))
            self._timelines += (made,)
        return made

    def find(self, address: int) -> Allocation:
        """The memory in which an address lies; DeviceError if it is none of this device's."""
        found = self.memory.find(address)
        if found is None:
            raise DeviceError(f"address {address:#x} is no memory of {self.context.name}")
        if len(self.known) >= MAX_KNOWN:
            self.known.clear()
        self.known[address] = found
        return found

    def generation(self) -> int:
        """Changes when a VkBuffer is destroyed."""
        return self.memory.generation + self.host.generation

    def synchronize(self) -> None:
        """Wait for all timelines; raises what kernels reported."""
        dead = [self.dead_parts.popleft() for _ in range(len(self.dead_parts))]
        self.context.require()
        telling = [timeline for timeline in self._timelines if timeline.finish_all()]
        for parts in dead:
            self.parts.discard(parts)
            parts.close()
        for timeline in telling:
            timeline.deliver()
        self._reap()

    def drain(self) -> None:
        """Wait for what is under way, so that its memory is free; reports are kept for later.

        A timeline that another thread is recording into is left to that thread.
        """
        for timeline in self.timelines():
            if timeline.lock.acquire(blocking=False):
                try:
                    timeline.finish(timeline.last())
                finally:
                    timeline.lock.release()

    @property
    def is_gone(self) -> bool:
        """Whether it was closed, and did not hang then."""
        return self.context.closed and not self.context.is_stuck

    def close(self) -> None:
        """Finish everything and destroy it; raises what kernels reported that nobody asked for.

        After an interrupt it does not wait long: what was interrupted may never end.
        """
        context = self.context
        if context.closed:
            return
        if context.was_interrupted:
            context.timeout_ns = LAST_WAIT_NS
        try:
            if not context.lost:
                self.synchronize()
        except KeyboardInterrupt:
            context.is_stuck = True
            raise
        except DeviceLost:
            if not context.was_interrupted:
                raise
        finally:
            self._destroy()

    def _destroy(self) -> None:
        if not self.context.lost and not self.context.is_stuck:
            self.context.call("DeviceWaitIdle")
        for parts in self.parts:
            parts.close()
        self.pipeline_cache.close()
        self.timestamps.close()
        for timeline in (*self._timelines, *self._idle):
            timeline.close()
        for allocator in {self.memory, self.host}:
            allocator.close()
        self.context.close()

    def timelines(self) -> tuple[Timeline, ...]:
        """The streams that there are, the device's own first."""
        return self._timelines

    def _reap(self) -> None:
        """Take back the timelines of streams that nobody has any more, once all is done and told.

        They are not destroyed before the end, since another thread may be asking how far they are.
        """
        for timeline in self.timelines():
            if not timeline.orphan:
                continue
            timeline.flush()
            with timeline.lock, self._lock:
                if timeline.orphan and timeline.is_settled():
                    timeline.orphan = False
                    timeline.launchers.clear()
                    self._timelines = tuple(t for t in self._timelines if t is not timeline)
                    self._idle.append(timeline)


def _wanted(physical: Physical) -> tuple[int, ...]:
    """Kinds of memory for arrays, the best first: where the CPU and the GPU share it, host memory.

    Memory that the host does not cache is slow to read for it, as a discrete GPU's is: then copies
    are staged, but small ones to it where the host sees all of it (a resizable BAR).
    """
    local = MEMORY_DEVICE_LOCAL
    if physical.shares_memory:
        return (local | _CACHED, _CACHED, local, 0)
    return (local | _HOST, local, 0)


def _for_arrays(physical: Physical) -> list[int]:
    """Flags of memory types; of a discrete GPU, only those of its largest heap: others are windows.

    A window is a small part of the device's memory that the host sees.
    """
    types, heaps = physical.memory_types, physical.heaps
    local = [heap for flags, heap in types if flags & MEMORY_DEVICE_LOCAL]
    if physical.shares_memory or not local:
        return [flags for flags, _ in types]
    largest = max(local, key=heaps.__getitem__)
    return [flags if heap == largest else 0 for flags, heap in types]


def _memory_type(types: list[int], wanted: tuple[int, ...]) -> int:
    """The first memory type that has all the flags of the first possible wish."""
    for wish in wanted:
        fits = [i for i, flags in enumerate(types) if flags & wish == wish]
        if fits:
            return min(fits, key=lambda i: (types[i] & ~wish).bit_count())
    raise DeviceError("the driver has no memory that host and device share, which it must have")
