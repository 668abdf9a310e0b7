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
import os
import threading
from array import array
from collections import deque
from collections.abc import Callable
from functools import partial
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

from ..device import Device, Stream
from ..outcome import Outcome, tell_all
from .api import S
from .commands import BARRIER, HANDLE, Commands, Whole
from .context import Context, Queue
from .table import SEMAPHORE_TIMELINE

if TYPE_CHECKING:
    from ..report_pool import ReportBuffer
    from .memory import Allocation
    from .parameters import Parameters

MAX_BATCH = 64
MAX_IN_FLIGHT = 32
# Seconds. A driver that executes while it takes the batch gains nothing from long ones, and an
# interrupt is only heard between them.
SLOW_SUBMISSION = 0.002
# Seconds. How long a wait asks again and again before it sleeps: waking up takes as long as a small
# kernel, above all in virtual machines. One that took longer sleeps at once the next time.
PATIENCE = 0.0002


_let_others_run: Callable[[], object] = getattr(os, "sched_yield", partial(sleep, 0))


class Batch:
    """What is submitted together, and what it needs until it is done."""

    __slots__ = (
        "command",
        "kept",
        "kernel",
        "launches",
        "places",
        "recordings",
        "reports",
        "ticket",
        "timeline",
        "whole",
    )

    def __init__(self, timeline: Timeline, ticket: int):
        self.timeline: Timeline | None = timeline
        self.ticket = ticket
        self.command = 0  # made when something is recorded into it
        self.recordings = array(HANDLE)  # to be executed after what is in `command`
        self.whole: Whole | None = None  # what is submitted, where it is nothing but recordings
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
        self.submit_commands = functions.QueueSubmit
        self._counter = functions.GetSemaphoreCounterValue
        self.is_patient = True
        self._make_objects()

    def _make_objects(self) -> None:
        context, address = self.context, ctypes.addressof
        kind = S.SemaphoreTypeCreateInfo(semaphoreType=SEMAPHORE_TIMELINE)
        self.semaphore = context.make(
            "CreateSemaphore", S.SemaphoreCreateInfo(pNext=ctypes.addressof(kind))
        )
        self.commands = Commands(context)
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
        self._submission_ref = ctypes.byref(self._submission)

    def open(self) -> Batch:
        """The batch that takes launches; the caller holds the lock."""
        if self.batch is None:
            self.context.require()
            self.batch = Batch(self, self.submitted + 1)
        return self.batch

    def record(self) -> Batch:
        """The batch, with a command buffer to record into; the caller holds the lock."""
        batch = self.open()
        if not batch.command:
            batch.command = self.commands.begin()
            self.bound = 0
        if batch.recordings:
            self.commands.execute(batch.command, batch.recordings)
            batch.recordings = array(HANDLE)
            self.bound = 0  # what is bound after a recording is not defined
        return batch

    def barrier(self, batch: Batch) -> None:
        """All work before it is done and seen by all work after it; the caller holds the lock."""
        batch.recordings.append(BARRIER)
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
            self._command.value, self._value.value = self._finished(batch), batch.ticket
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
            if len(self._in_flight) > 1:
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
            self._await(ticket)
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
        self.commands.close()
        self.context.destroy("DestroySemaphore", self.semaphore)

    def _finished(self, batch: Batch) -> int:
        """The command buffer of a batch that takes no more."""
        commands = self.commands
        if not batch.command:
            batch.whole = commands.whole(batch.recordings)
            return batch.whole.command
        commands.execute(batch.command, batch.recordings)
        commands.end(batch.command)
        return batch.command

    def _await(self, ticket: int) -> None:
        """Ask for a while whether a batch is done, unless the last one took longer; then sleep."""
        start = perf_counter()
        while self.is_patient:
            if self.has_reached(ticket):
                return
            _let_others_run()
            self.is_patient = perf_counter() - start < PATIENCE
        self.context.wait(self.semaphore, ticket, self._oldest)
        self.is_patient = perf_counter() - start < PATIENCE

    def _retire(self) -> None:
        """Take up the batches that are done."""
        while self._in_flight and self.has_reached(self._in_flight[0].ticket):
            batch = self._in_flight.popleft()
            self.completed = max(self.completed, batch.ticket)
            if batch.whole is None:
                self.commands.free.append(batch.command)
            else:
                self.commands.give_back(batch.whole)
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
