"""What a CUDA device holds once it is used: context, streams, memory, copies, captures.

Arrays are made, filled and freed in the default stream, which is CUDA's legacy default stream: that
of PyTorch, CuPy and Numba too, unless they are told otherwise. Work in other streams is ordered
against it on the device, never by waiting on the host (see `queue.py`).
"""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ..errors import DeviceError, DeviceLost
from ..outcome import tell_all
from ..process import is_validating, timeout_ns
from .context import Context
from .memory import HostMemory, MemoryPool
from .queue import Queue
from .stream import CudaStream
from .table import (
    EVENT_DISABLE_TIMING,
    RESULTS,
    STREAM_LEGACY,
    STREAM_NON_BLOCKING,
    STREAM_PER_THREAD,
)
from .transfer import Transfer

if TYPE_CHECKING:
    from ..device import Stream
    from .graph import Parts
    from .kernel import CudaKernel

NOT_READY = RESULTS["ERROR_NOT_READY"]
# Seconds. A wait asks again and again at first, which is quick, and then gives the core away.
SPIN, SHORTEST_NAP, LONGEST_NAP = 0.002, 0.00005, 0.001


class Core:
    """One device in use. Any thread may use it; `lock` guards all but launches."""

    def __init__(self, context: Context):
        self.context = context
        self.driver = context.driver
        self.lock = threading.RLock()
        self.validates = is_validating()
        self.timeout_ns = timeout_ns()
        self.captures: set[Queue] = set()
        # Finalisers put here what is to be destroyed when nothing uses it.
        self.dead_graphs: list[Parts] = []
        self.dead_events: deque[Any] = deque()
        self.dead_modules: deque[Any] = deque()
        self.dead_streams: deque[Queue] = deque()
        self.kernels: WeakSet[CudaKernel] = WeakSet()
        self._events: list[Any] = []
        self._query = self.driver.function("cuEventQuery")
        with context.current():
            legacy = self.driver.value("CUstream", STREAM_LEGACY)
            self.default = Queue(legacy, self.new_event(), owned=False)
        self.queues = [self.default]
        self.memory = MemoryPool(self)
        self.host = HostMemory(self)
        self.transfer = Transfer(self)

    # --- streams ------------------------------------------------------------------------------

    def open_queue(self, handle: Any = None, owner: object = None) -> Queue:
        """A stream of our own, or a foreign one by its handle."""
        with self.lock, self.context.current():
            self.sweep()
            owned = handle is None
            if owned:
                handle = self.context.call("cuStreamCreate", STREAM_NON_BLOCKING)
            queue = Queue(handle, self.new_event(), owned=owned, owner=owner)
            self.queues.append(queue)
            return queue

    def foreign_queue(self, handle: int, owner: object) -> Queue:
        """The stream of another library; DeviceError if it is of another device."""
        with self.lock, self.context.current():
            found = next((q for q in self.queues if not q.owned and int(q.handle) == handle), None)
            if found is not None:
                found.users += 1
                return found
            stream = self.driver.value("CUstream", handle)
            if handle != STREAM_PER_THREAD:
                context = self.context.call("cuStreamGetCtx", stream)
                if int(context) != self.context.number:
                    raise DeviceError(f"the stream {handle:#x} is not of {self.context.name}")
        return self.open_queue(stream, owner)

    def queue_of(self, stream: Stream | None) -> Queue:
        """The queue of a stream, the default one for None; DeviceError for another device's."""
        if stream is None:
            return self.default
        if not isinstance(stream, CudaStream) or stream.core is not self:
            raise DeviceError(f"stream is of {stream.device.name}, not of {self.context.name}")
        return stream.queue

    def publish(self, stream: int | None = None) -> None:
        """Have the default stream wait for all others, and a foreign one for it."""
        with self.lock, self.context.current():
            self.join()
            if stream not in (None, 0, STREAM_LEGACY):
                event, default = self.default.event, self.default.handle
                self.context.call("cuEventRecord", event, default)
                self.context.call("cuStreamWaitEvent", stream, event, 0)

    def wait_for_foreign(self, stream: int) -> None:
        """Have the default stream wait for a foreign one."""
        with self.lock, self.context.current():
            self.context.call("cuEventRecord", self.default.event, stream)
            self.context.call("cuStreamWaitEvent", self.default.handle, self.default.event, 0)

    def new_event(self) -> Any:
        """An event without a time; the context is current."""
        return self.context.call("cuEventCreate", EVENT_DISABLE_TIMING)

    def join(self) -> None:
        """Have the default stream wait for what all others hold now; the context is current."""
        for queue in self.queues:
            if queue.dirty and queue is not self.default and queue.capture is None:
                queue.dirty = False
                self.order(queue, self.default)

    def changed(self) -> None:
        """The default stream did something that launches in other streams have to wait for."""
        with self.lock:
            for queue in self.queues:
                queue.behind = True

    def catch_up(self, queue: Queue) -> None:
        """Have a stream wait for the default one; the context is current, the lock is held.

        `behind` goes last: another thread's launch in the stream may not pass by before that.
        """
        if queue is not self.default:
            self.order(self.default, queue)
        queue.behind = False

    def order(self, first: Queue, then: Queue) -> None:
        """Have `then` wait, on the device, for what `first` holds now."""
        self.context.call("cuEventRecord", first.event, first.handle)
        self.context.call("cuStreamWaitEvent", then.handle, first.event, 0)

    def refuse_capture(self, what: str) -> None:
        """DeviceError where this thread captures a graph."""
        if not self.captures:
            return
        thread = threading.get_ident()
        if any(queue.capture and queue.capture.thread == thread for queue in self.captures):
            raise DeviceError(
                f"{what} cannot be part of a graph on {self.context.name}; do it before the "
                "capture begins"
            )

    # --- waiting ------------------------------------------------------------------------------

    def synchronize(self) -> None:
        """Wait for all streams; raises what their kernels reported."""
        with self.lock:
            queues = [queue for queue in self.queues if queue.capture is None]
            # Of these no launch is under way after the waits; of what dies meanwhile, one may be.
            modules = 0 if self.captures else len(self.dead_modules)
            done = [self.dead_modules.popleft() for _ in range(modules)]
        try:
            for queue in queues:
                self.finish(queue)
        except BaseException:
            self.dead_modules.extend(done)
            raise
        with self.lock:
            outcomes = [outcome for queue in queues for outcome in queue.take_outcomes()]
            if self.captures:
                self.dead_modules.extend(done)
            else:
                with self.context.current():
                    self.sweep()
                    for module in done:
                        self.context.call("cuModuleUnload", module)
        tell_all(outcomes, self.context.name)

    def wait(self, queue: Queue) -> None:
        """Wait for what a stream holds; raises what its kernels reported."""
        self.finish(queue)
        self.tell(queue)

    def tell(self, queue: Queue) -> None:
        """Print and raise what was collected of a stream."""
        with self.lock:
            outcomes = queue.take_outcomes()
        tell_all(outcomes, self.context.name)

    def finish(self, queue: Queue) -> None:
        """Wait for what a stream holds and collect what it reported."""
        with self.lock, self.context.current():
            if queue.capture is not None:
                raise DeviceError("a stream that captures a graph cannot be waited for")
            self.refuse_capture("a wait")
            number, event = queue.sent, self._take_event()
            self.context.call("cuEventRecord", event, queue.handle)
        self.wait_event(event)
        with self.lock:
            self._events.append(event)
            self.done(queue, number)

    def finish_some(self) -> None:
        """Wait for the oldest launches of each stream that can report, to have their buffers."""
        for queue in list(self.queues):
            with self.lock:
                mark = queue.marks[0] if queue.marks else None
            if mark is not None:
                event, number = mark
                self.wait_event(event)
                with self.lock:
                    self.done(queue, number)
            elif queue.pending and queue.capture is None:
                self.finish(queue)

    def mark(self, queue: Queue) -> None:
        """Remember when the launches so far are done."""
        with self.lock, self.context.current():
            number, event = queue.sent, self._take_event()  # others may launch meanwhile
            self.context.call("cuEventRecord", event, queue.handle)
            queue.marks.append((event, number))
            queue.marked = number

    def done(self, queue: Queue, number: int) -> None:
        """The first `number` launches that can report are done; the caller holds the lock."""
        queue.collect(number)
        while queue.marks and queue.marks[0][1] <= queue.read:
            self._events.append(queue.marks.popleft()[0])
        if not queue.pending:
            queue.recent.clear()

    def wait_event(self, event: Any) -> None:
        """Wait until an event is reached; interrupts are heard meanwhile."""
        self.refuse_capture("a wait")
        start, nap, query = perf_counter(), SHORTEST_NAP, self._query
        end = monotonic() + self.timeout_ns / 1e9 if self.timeout_ns else None
        with self.context.current():
            while (status := query(event)[0]) == NOT_READY:
                if end is not None and monotonic() > end:
                    raise self.lose(
                        f"a kernel did not finish within {self.timeout_ns / 1e9:g} s "
                        "(STEPWELL_TIMEOUT), as one with an endless loop does not"
                    )
                if perf_counter() - start > SPIN:
                    sleep(nap)
                    nap = min(2 * nap, LONGEST_NAP)
        if status:
            raise self.failed(int(status), "the wait for a kernel")

    def _take_event(self) -> Any:
        return self._events.pop() if self._events else self.new_event()

    # --- the end ------------------------------------------------------------------------------

    def failed(self, code: int, what: str) -> DeviceError:
        """The exception of a call that failed; of a device that is lost, with all that is known."""
        error = self.context.translated(code, what)
        return self.explained(error) if isinstance(error, DeviceLost) else error

    def lose(self, reason: str) -> DeviceError:
        """The exception of a device on which nothing ends any more."""
        self.context.lost = reason
        return self.explained(self.context.gone())

    def explained(self, error: DeviceError) -> DeviceError:
        """An error with the kernels that may be its reason, and what they had reported before."""
        with self.lock:
            suspects = [name for queue in self.queues for name in queue.recent]
            for queue in self.queues:
                queue.collect(queue.sent)
            outcomes = [outcome for queue in self.queues for outcome in queue.take_outcomes()]
        if len(suspects) == 1:
            error.add_note(f"the reason is in {suspects[0]}")
        elif suspects:
            error.add_note(
                f"the reason is in one of the last launches: {', '.join(suspects)}; "
                "STEPWELL_VALIDATE=1 waits for each launch and tells which"
            )
        try:
            tell_all(outcomes, self.context.name)
        except Exception as reported:
            error.add_note(f"reported before that: {reported}")
            error.__cause__ = reported
        return error

    def sweep(self) -> None:
        """Give back what is no longer used; the context is current, the caller holds the lock."""
        self.memory.sweep()
        while self.dead_events:
            self.context.call("cuEventDestroy", self.dead_events.popleft())
        self.dead_graphs = [parts for parts in self.dead_graphs if not parts.destroyed(self)]
        while self.dead_streams:
            self.dead_streams.popleft().users -= 1
        for queue in [queue for queue in self.queues if not queue.users and not queue.pending]:
            self.queues.remove(queue)
            if queue.dirty:
                self.order(queue, self.default)
            if queue.owned:
                self.context.call("cuStreamDestroy", queue.handle)
            self.context.call("cuEventDestroy", queue.event)

    @property
    def is_gone(self) -> bool:
        """Whether it was closed."""
        return self.context.closed

    def close(self) -> None:
        """Finish what is under way and let go of the device, as the process ends."""
        if self.context.closed:
            return
        try:
            if not self.context.lost:
                self.synchronize()
        finally:
            self.context.close()
