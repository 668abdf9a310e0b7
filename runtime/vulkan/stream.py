"""Streams: launches are recorded in order and submitted in batches.

A `Timeline` is one stream as the device sees it: a timeline semaphore that counts batches, the
batch that is being recorded, and those under way. The first launch after a wait is submitted at
once, so that the device starts; then batches double, since a submission costs as much as several
launches. What kernels reported is read when a batch is done and told by whoever waits for it.

A launch that comes again while nothing is under way has a command buffer and a batch that are kept
for it (`submit_alone`): there is nothing to record and nothing that it has to come after.

    Timeline.touched    what launches since the last barrier read (False) or wrote (True): a launch
                        gets a barrier only if it reads or writes what was written, or writes what
                        was read
"""

from __future__ import annotations

import os
import threading
from array import array
from collections import deque
from collections.abc import Callable
from functools import partial
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

from ..device import Device, Stream
from ..outcome import Outcome, for_this_thread, tell_all
from .commands import BARRIER, HANDLE, Commands, Whole
from .context import Context, Queue
from .submission import Submissions

if TYPE_CHECKING:
    from ..report_pool import ReportBuffer
    from .memory import Allocation
    from .parameters import Parameters

MAX_BATCH = 64
MAX_IN_FLIGHT = 32
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
        self.is_patient = True
        self.places: list[str] = []  # who launched what the driver has not got yet, for messages
        self.submissions = Submissions(context, queue)
        self.commands = Commands(context)

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
            batch = self.batch
            if batch is None:
                return
            self.batch = None
            self.context.require()
            self._submit(self._finished(batch), batch)
            if len(self._in_flight) > 1:
                self._retire()
            if len(self._in_flight) >= MAX_IN_FLIGHT:
                self.finish(self._in_flight[0].ticket)

    def is_idle(self) -> bool:
        """Whether a launch would be the only one, and submitted at once; holds the lock."""
        return self.batch is None and not self._in_flight and self.limit == 1

    def submit_alone(self, command: int, batch: Batch) -> None:
        """Submit the only launch, by a command buffer of its own; the caller holds the lock."""
        self.context.require()
        self.limit = 2
        self._submit(command, batch)

    def _submit(self, command: int, batch: Batch) -> None:
        if self.submissions.submit(command, batch.ticket):
            self.limit = 1
        self.submitted = batch.ticket
        self._in_flight.append(batch)
        if self.context.validation is not None:
            places, self.places = self.places, []
            self.context.raise_messages(", ".join(places) or "a copy")

    def finish(self, ticket: int) -> None:
        """Wait until a batch is done; what kernels reported is kept for who waits for them."""
        self.context.require()
        with self.lock:
            if ticket > self.submitted:
                self.flush()
            ticket = min(ticket, self.submitted)  # an interrupt can come before it is submitted
        if ticket > self.completed:
            self._await(ticket)
        with self.lock:
            self._retire()

    def finish_all(self) -> bool:
        """Wait until all that was launched is done; whether there is something to tell."""
        with self.lock:
            if self.batch is not None:
                self.flush()
            if not self._in_flight:
                return bool(self._outcomes)
            ticket = self.submitted
        self._await(ticket)
        with self.lock:
            self._retire()
            return bool(self._outcomes)

    def wait(self, ticket: int) -> None:
        """Wait until a batch is done; raises and prints what its kernels reported."""
        self.finish(ticket)
        self.deliver()

    def synchronize(self) -> None:
        """Wait until all that was launched is done; raises and prints what its kernels reported."""
        self.context.require()
        if self.finish_all():
            self.deliver()

    def last(self) -> int:
        """The ticket of the newest batch."""
        with self.lock:
            return self.submitted + (self.batch is not None)

    def has_reached(self, ticket: int) -> bool:
        """Whether a batch is done; takes no lock."""
        if ticket <= self.completed:
            return True
        if ticket > self.submitted:
            return False
        self.completed = max(self.completed, self.submissions.reached())
        return ticket <= self.completed

    def deliver(self) -> None:
        """Print what finished kernels printed, in order, and raise the first failed check."""
        with self.lock:
            outcomes, self._outcomes = for_this_thread(self._outcomes)
        tell_all(outcomes, self.context.name)

    def is_settled(self) -> bool:
        """Whether all is done and told."""
        with self.lock:
            self._retire()
            return self.batch is None and not self._in_flight and not self._outcomes

    def close(self) -> None:
        """Destroy the objects; everything is done, or the device is lost."""
        self.commands.close()
        self.submissions.close()

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
        start, reached = perf_counter(), self.submissions.reached
        while self.is_patient:
            if reached() >= ticket:
                break
            _let_others_run()
            self.is_patient = perf_counter() - start < PATIENCE
        else:
            self.context.wait(self.submissions.semaphore, ticket, self._oldest)
            self.is_patient = perf_counter() - start < PATIENCE
        self.completed = max(self.completed, ticket)

    def _retire(self) -> None:
        """Take up the batches that are done."""
        in_flight = self._in_flight
        while in_flight:
            ticket = in_flight[0].ticket
            if ticket > self.completed and not self.has_reached(ticket):
                break
            batch = in_flight.popleft()
            if batch.whole is not None:
                self.commands.give_back(batch.whole)
            elif batch.command:
                self.commands.free.append(batch.command)
            told = len(self._outcomes)
            if batch.reports:
                found = [report.collect() for report in batch.reports]
                self._outcomes += [outcome for outcome in found if outcome is not None]
                batch.reports.clear()
            if len(self._outcomes) == told:
                batch.timeline = None  # nothing to tell: who waits for it has no need of us
            batch.kept.clear()
        if not in_flight and self.batch is None:
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
