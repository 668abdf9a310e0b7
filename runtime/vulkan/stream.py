"""Streams: launches are recorded in order and submitted in batches.

A `Timeline` is one stream as the device sees it: a timeline semaphore that counts batches, the
batch that is being recorded, and those under way. The first launch after a wait is submitted at
once, so that the device starts; then batches double, since a submission costs as much as several
launches. What kernels reported is read when a batch is done and told by whoever waits for it.

    Timeline.touched    what launches since the last barrier read (False) or wrote (True): a launch
                        gets a barrier only if it reads or writes what was written, or writes what
                        was read
"""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..device import Device, Stream
from ..outcome import Outcome, tell_all
from .api import S
from .context import Context, Queue
from .table import (
    ACCESS_HOST_READ,
    ACCESS_SHADER_READ,
    ACCESS_SHADER_WRITE,
    ACCESS_TRANSFER_READ,
    ACCESS_TRANSFER_WRITE,
    ONE_TIME_SUBMIT,
    POOL_RESET_BUFFER,
    SEMAPHORE_TIMELINE,
    STAGE_COMPUTE,
    STAGE_HOST,
    STAGE_TRANSFER,
)

if TYPE_CHECKING:
    from .memory import Allocation
    from .parameters import Parameters
    from .reports import ReportBuffer

MAX_BATCH = 64
MAX_IN_FLIGHT = 32
# Seconds. A driver that executes while it takes the batch gains nothing from long ones, and an
# interrupt is only heard between them.
SLOW_SUBMISSION = 0.002
WORK = STAGE_COMPUTE | STAGE_TRANSFER
WRITES = ACCESS_SHADER_WRITE | ACCESS_TRANSFER_WRITE
READS = ACCESS_SHADER_READ | ACCESS_TRANSFER_READ


class Batch:
    """What is submitted together, and what it needs until it is done."""

    __slots__ = ("command", "kept", "kernel", "launches", "places", "reports", "ticket", "timeline")

    def __init__(self, timeline: Timeline, command: int, ticket: int):
        self.timeline: Timeline | None = timeline
        self.command = command
        self.ticket = ticket
        self.kernel = ""  # the last that was launched
        self.launches = 0
        self.reports: list[ReportBuffer] = []
        self.kept: list[Any] = []
        self.places: list[str] = []

    def is_done(self) -> bool:
        """Whether the device has done it; takes no lock."""
        timeline = self.timeline
        return timeline is None or timeline.has_reached(self.ticket)

    def wait(self) -> None:
        """Wait for it; raises what its kernels reported."""
        timeline = self.timeline
        if timeline is not None:
            timeline.wait(self.ticket)


class Timeline:
    """One stream of a device; see the head of the file. Any thread may use it."""

    def __init__(self, context: Context, queue: Queue, parameters: Parameters):
        self.context = context
        self.parameters = parameters
        self.queue = queue
        self.lock = threading.RLock()
        self.orphan = False
        self.batch: Batch | None = None
        self.bound = 0
        self.touched: dict[Allocation, bool] = {}
        self.launchers: dict[Any, Any] = {}
        self.submitted = self.completed = 0
        self.limit = 1
        self._in_flight: deque[Batch] = deque()
        self._outcomes: list[Outcome] = []
        functions = context.functions
        self._begin, self._end = functions.BeginCommandBuffer, functions.EndCommandBuffer
        self.submit_commands, self._barrier = functions.QueueSubmit, functions.CmdPipelineBarrier
        self._counter = functions.GetSemaphoreCounterValue
        self._make_objects()

    def _make_objects(self) -> None:
        context, byref, address = self.context, ctypes.byref, ctypes.addressof
        kind = S.SemaphoreTypeCreateInfo(semaphoreType=SEMAPHORE_TIMELINE)
        self.semaphore = context.make(
            "CreateSemaphore", S.SemaphoreCreateInfo(pNext=ctypes.addressof(kind))
        )
        info = S.CommandPoolCreateInfo(
            flags=POOL_RESET_BUFFER, queueFamilyIndex=context.physical.family
        )
        self._pool = context.make("CreateCommandPool", info)
        self._free: list[int] = []
        self._begin_info = S.CommandBufferBeginInfo(flags=ONE_TIME_SUBMIT)
        self._begin_ref = byref(self._begin_info)
        self._between = S.MemoryBarrier(srcAccessMask=WRITES, dstAccessMask=READS | WRITES)
        self._between_ref = byref(self._between)
        self._to_host = S.MemoryBarrier(srcAccessMask=WRITES, dstAccessMask=ACCESS_HOST_READ)
        self._to_host_ref = byref(self._to_host)
        self._command = ctypes.c_void_p()
        self._signal = ctypes.c_uint64(self.semaphore)
        self._value = ctypes.c_uint64()
        self._values = S.TimelineSemaphoreSubmitInfo(
            signalSemaphoreValueCount=1, pSignalSemaphoreValues=address(self._value)
        )
        self._submission = S.SubmitInfo(
            pNext=address(self._values),
            commandBufferCount=1,
            pCommandBuffers=address(self._command),
            signalSemaphoreCount=1,
            pSignalSemaphores=address(self._signal),
        )
        self._submission_ref = byref(self._submission)

    def record(self) -> Batch:
        """The batch to record into; the caller holds the lock."""
        if self.batch is None:
            self.context.require()
            command = self._free.pop() if self._free else self._new_command()
            self.context.check(self._begin(command, self._begin_ref), "vkBeginCommandBuffer")
            self.bound = 0
            self.batch = Batch(self, command, self.submitted + 1)
        return self.batch

    def barrier(self, command: int) -> None:
        """All work before it is done and seen by all work after it; the caller holds the lock."""
        self._barrier(command, WORK, WORK, 0, 1, self._between_ref, 0, None, 0, None)
        self.touched.clear()

    def launched(self, batch: Batch) -> None:
        """One more launch is recorded; submits where that is due. The caller holds the lock."""
        batch.launches += 1
        if batch.launches >= self.limit:
            self.limit = min(2 * self.limit, MAX_BATCH)
            self.flush()

    def flush(self) -> None:
        """Submit what is recorded."""
        with self.lock:
            batch, context = self.batch, self.context
            if batch is None:
                return
            self.batch = None
            context.require()
            command = batch.command
            self._barrier(command, WORK, STAGE_HOST, 0, 1, self._to_host_ref, 0, None, 0, None)
            context.check(self._end(command), "vkEndCommandBuffer")
            self._command.value, self._value.value = command, batch.ticket
            start = perf_counter()
            with self.queue.lock:
                result = self.submit_commands(self.queue.handle, 1, self._submission_ref, 0)
            context.check(result, "vkQueueSubmit")
            if perf_counter() - start > SLOW_SUBMISSION:
                self.limit = 1
            self.submitted = batch.ticket
            self._in_flight.append(batch)
            if context.validation is not None:
                context.raise_messages(", ".join(batch.places) or "a copy")
            self._retire()
            if len(self._in_flight) >= MAX_IN_FLIGHT:
                self.finish(self._in_flight[0].ticket)

    def finish(self, ticket: int) -> None:
        """Wait until a batch is done; what kernels reported is kept for who waits for them."""
        self.context.require()
        with self.lock:
            if ticket > self.submitted:
                self.flush()
        if ticket > self.completed:
            self.context.wait(self.semaphore, ticket, self._oldest)
        with self.lock:
            self.completed = max(self.completed, ticket)
            self._retire()

    def wait(self, ticket: int) -> None:
        """Wait until a batch is done; raises and prints what its kernels reported."""
        self.finish(ticket)
        self.deliver()

    def synchronize(self) -> None:
        """Wait until all that was launched is done."""
        self.wait(self.last())

    def has_work(self) -> bool:
        """Whether there is something to wait for or to tell."""
        with self.lock:
            return self.batch is not None or bool(self._in_flight) or bool(self._outcomes)

    def last(self) -> int:
        """The ticket of the newest batch."""
        with self.lock:
            return self.submitted + (self.batch is not None)

    def has_reached(self, ticket: int) -> bool:
        """Whether a batch is done; takes no lock."""
        if ticket <= self.completed:
            return True
        if ticket > self.submitted or self.context.lost or self.context.closed:
            return False
        value = ctypes.c_uint64()
        result = self._counter(self.context.handle, self.semaphore, ctypes.byref(value))
        if result == 0 and value.value > self.completed:
            self.completed = value.value
        return ticket <= self.completed

    def deliver(self) -> None:
        """Print what finished kernels printed, in order, and raise the first failed check."""
        with self.lock:
            outcomes, self._outcomes = self._outcomes, []
        tell_all(outcomes, self.context.name)

    def is_settled(self) -> bool:
        """Whether all is done and told."""
        with self.lock:
            self._retire()
            return not self.has_work()

    def close(self) -> None:
        """Destroy the objects; everything is done, or the device is lost."""
        self.context.destroy("DestroyCommandPool", self._pool)
        self.context.destroy("DestroySemaphore", self.semaphore)

    def _retire(self) -> None:
        """Take up the batches that are done."""
        while self._in_flight and self.has_reached(self._in_flight[0].ticket):
            batch = self._in_flight.popleft()
            self.completed = max(self.completed, batch.ticket)
            self._free.append(batch.command)
            outcomes = [outcome for report in batch.reports if (outcome := report.collect())]
            if outcomes:
                self._outcomes += outcomes
            else:
                batch.timeline = None  # nothing to tell: who waits for it has no need of us
            batch.reports.clear()
            batch.kept.clear()
        if not self._in_flight and self.batch is None:
            self.touched.clear()
            self.limit = 1

    def _oldest(self) -> str:
        """What the device is at, for a message."""
        kernels = [batch.kernel for batch in list(self._in_flight)[:1]]
        return f"a batch of launches that ends with kernel {kernels[0]}" if kernels else "a launch"

    def _new_command(self) -> int:
        info = S.CommandBufferAllocateInfo(commandPool=self._pool, commandBufferCount=1)
        made = ctypes.c_void_p()
        self.context.call("AllocateCommandBuffers", ctypes.byref(info), ctypes.byref(made))
        assert made.value is not None, "vkAllocateCommandBuffers succeeded"
        return made.value


class VulkanStream(Stream):
    """A stream of a Vulkan device."""

    def __init__(self, device: Device, timeline: Timeline):
        self.device = device
        self.timeline = timeline

    def synchronize(self) -> None:
        """Wait until all launches are done; raises what their kernels reported."""
        self.timeline.synchronize()

    def __del__(self) -> None:
        self.timeline.orphan = True  # the device submits and waits for what it still holds
